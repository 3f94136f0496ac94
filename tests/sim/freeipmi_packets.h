/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands and replies by libfreeipmi, and packets as only a BMC sends them: what ipmi/wire.c is held against, by its unit
 * test and by the fuzzer. Arguments and results are those of wire.h. */
#ifndef GLORY_TESTS_FREEIPMI_PACKETS_H
#define GLORY_TESTS_FREEIPMI_PACKETS_H

#include "ipmi/packets.h"

void theirs_init(void);
size_t theirs_make_command(struct rmcpp_session *s, const struct ipmi_command *c, uint8_t request_sequence, uint8_t *out);
size_t theirs_make_sessionless(const struct ipmi_command *c, uint8_t request_sequence, uint8_t *out);
bool theirs_read_command(struct rmcpp_session *s, const struct ipmi_command *c, uint8_t request_sequence,
			 const uint8_t *data, size_t size, struct ipmi_reply *reply);
bool theirs_read_sessionless(const struct ipmi_command *c, uint8_t request_sequence, const uint8_t *data, size_t size,
			     struct ipmi_reply *reply);
/* A BMC's answer, made by libfreeipmi. */
size_t theirs_make_reply(const struct rmcpp_session *s, uint32_t sequence, const struct ipmi_command *c,
			 uint8_t request_sequence, const struct ipmi_reply *reply, uint8_t *out);
/* The keys' holder sends anything: plain bytes (a multiple of 16 of them) encrypted as they are, the trailer's bytes behind
 * them up to the code, signed. Written with libgcrypt alone. The whole must fit into PACKET_MAX bytes. */
size_t theirs_cover(const struct rmcpp_session *s, uint32_t sequence, const uint8_t *plain, size_t size,
		    const uint8_t *trailer, size_t trailer_size, uint8_t *out);

#endif
