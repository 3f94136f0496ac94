/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The RAKP handshake (13.15 to 13.31) and the cover of session packets, on plain bytes: no sockets, no knobs. */
#ifndef SWARM_BMC_SESSION_H
#define SWARM_BMC_SESSION_H

#include "tests/lab/swarm/bmc_private.h"

enum { PAYLOAD_IPMI = 0x00, PAYLOAD_OPEN = 0x10, PAYLOAD_RAKP1 = 0x12, PAYLOAD_RAKP3 = 0x14 };
enum { PAYLOAD_MAX = 512, HEADER_SIZE = 16 };

/* What came of one handshake message. */
struct handshake {
	uint8_t out[128];
	size_t size;                /* 0: no answer */
	bool refused;               /* the answer carries an error status */
	uint8_t code_at, code_size; /* where the authentication code stands in it */
};

/* Each takes the payload of a request and makes the answer's payload; `session` of the BMC changes accordingly. */
void session_open(struct swarm *swarm, struct bmc *bmc, const struct packet *from, const uint8_t *in, size_t size,
		  struct handshake *out);
void session_rakp1(struct swarm *swarm, struct bmc *bmc, const uint8_t *in, size_t size, struct handshake *out);
void session_rakp3(struct swarm *swarm, struct bmc *bmc, const uint8_t *in, size_t size, struct handshake *out);

/* The session of this id in one of the states from `least` up, or NULL. */
struct session *session_find(struct bmc *bmc, uint32_t id, enum session_state least);

/* Opens a session packet (from the RMCP header on): checks the code and the sequence number, decrypts into `out`
 * (PAYLOAD_MAX bytes). The size of the message, or -1. */
int session_unwrap(struct session *session, const uint8_t *packet, size_t size, uint8_t *out);

/* Makes a session packet around a message; its size. `out` has room for PAYLOAD_MAX + 128 bytes. */
size_t session_wrap(struct swarm *swarm, struct session *session, const uint8_t *message, size_t size, uint8_t *out);

#endif
