/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages that read, from the first to the last byte without the library: version 2c with our community, version 3 from a user of
 * ours, authenticated, encrypted and timely. Whatever else arrives (SETs, discovery, Reports, spoilt or foreign bytes) is declined and
 * goes to the library. Called by serve. */
#ifndef GLORY_MIBS_AGENT_MESSAGE_H
#define GLORY_MIBS_AGENT_MESSAGE_H

#include "mibs/agent/respond.h"
#include "mibs/agent/transport.h"

enum message_result {
	MESSAGE_DECLINED, /* not for us: the bytes are as they were */
	MESSAGE_ANSWERED, /* *answer, *answer_size: valid until the next call */
	MESSAGE_BUSY      /* a row is in mid-write, try again a little later; never when `last`, which answers genErr instead */
};

enum message_result message_read(const uint8_t *bytes, size_t size, const struct walk *walk, bool last, int64_t now_ms,
				 const uint8_t **answer, size_t *answer_size);

#endif
