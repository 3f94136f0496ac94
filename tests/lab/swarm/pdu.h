/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The protocol operations of RFC 3416 on the swarm's tree; shared by the v2c and the v3 message layers. */
#ifndef SWARM_PDU_H
#define SWARM_PDU_H

#include "tests/lab/swarm/ber.h"
#include "tests/lab/swarm/swarm.h"

enum { PDU_GET = 0xa0, PDU_GETNEXT = 0xa1, PDU_RESPONSE = 0xa2, PDU_SET = 0xa3, PDU_GETBULK = 0xa5, PDU_REPORT = 0xa8 };

/* A finished answer inside the slot. */
struct answer {
	uint8_t *at;
	size_t size;
};

/* Answers one PDU (`in` is at its tag) of an agent: counts it and builds the Response PDU in `slot` (NET_SLOT bytes, at
 * least NET_HEAD bytes free before it for the message header). False when nothing is to be sent: malformed, or a knob
 * says so. */
bool pdu_answer(struct swarm *swarm, unsigned agent, struct ber in, uint8_t *slot, struct answer *answer);

/* Builds a Report PDU of one counter in the slot (RFC 3412, 7.1). */
struct answer pdu_report(uint8_t *slot, int32_t id, const uint8_t *name, size_t name_size, uint32_t count);

/* Writes an element so that it ends right before `before`; returns where it starts. */
uint8_t *pdu_prepend(uint8_t *before, uint8_t tag, const void *content, size_t size);

/* Writes one varbind; its size. */
size_t pdu_put_varbind(uint8_t *out, const uint8_t *name, size_t name_size, uint8_t tag, const uint8_t *value,
		       size_t size);

/* Frees the cache of requests. */
void pdu_close(void);

#endif
