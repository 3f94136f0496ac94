/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The packets that repeat: commands inside an open session (IPMI 2.0, 13.6 with table 13-8: header, payload, trailer; AES-
 * CBC-128 payloads 13.29, the trailer's integrity algorithms 13.28.4) and commands outside any session in the 1.5 form
 * (13.8), made and taken apart without libfreeipmi, whose templates took most of the engine's time. The handshake is
 * packets.h's. tests/unit/test_wire.c and the fuzzer hold all of it against libfreeipmi. No state of a conversation here
 * but what is passed in.
 *
 * Everything that comes in is hostile: what is not authentic is not decrypted, and what is not exactly the answer to
 * the command is refused. */
#ifndef GLORY_IPMI_WIRE_H
#define GLORY_IPMI_WIRE_H

#include "ipmi/packets.h"

struct wire; /* ciphers that take the session's keys packet by packet, so that a session costs no context; one per engine */
/* random(arg) gives initialization vectors. NULL: the cryptography does not start. After packets_new(). */
struct wire *wire_new(void (*random)(void *arg, void *out, size_t size), void *arg);
void wire_free(struct wire *w); /* wipes the last keys */

/* Write to out (PACKET_MAX bytes), return the size; 0 when the cryptography refuses (our bug). */
size_t wire_make_command(struct wire *w, struct rmcpp_session *s, const struct ipmi_command *c, uint8_t request_sequence,
			 uint8_t *out);
size_t wire_make_sessionless(const struct ipmi_command *c, uint8_t request_sequence, uint8_t *out);
/* True when the reply belongs to exactly this command and request sequence, is authentic, and no replay. */
bool wire_read_command(struct wire *w, struct rmcpp_session *s, const struct ipmi_command *c, uint8_t request_sequence,
		       const uint8_t *data, size_t size, struct ipmi_reply *reply);
bool wire_read_sessionless(const struct ipmi_command *c, uint8_t request_sequence, const uint8_t *data, size_t size,
			   struct ipmi_reply *reply);

#endif
