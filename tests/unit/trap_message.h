/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Traps and informs as senders make them, for the tests and the fuzzer of the receiver. */
#ifndef GLORY_TESTS_TRAP_MESSAGE_H
#define GLORY_TESTS_TRAP_MESSAGE_H

#include <string.h>

#include "mibs/snmp/usm.h"

struct trap_bytes {
	uint8_t room[1472];
	const uint8_t *start;
	size_t size;
};

static inline void put_varbind(struct ber_out *out, const void *name, size_t name_size, uint8_t type, const void *value, size_t size)
{
	const uint8_t *end = out->at;

	ber_put(out, value, size);
	ber_put_header(out, type, end);
	const uint8_t *mark = out->at;
	ber_put(out, name, name_size);
	ber_put_header(out, BER_OID, mark);
	ber_put_header(out, BER_SEQUENCE, end);
}

/* A PDU of version 2 (BER_TRAP, BER_INFORM) at the end of room: coldStart with one ifIndex; its id stands at id_at. */
static inline struct trap_bytes trap_pdu(uint8_t type, uint32_t id, size_t *id_at)
{
	static const uint8_t uptime[] = {0x2b, 6, 1, 2, 1, 1, 3, 0}, name[] = {0x2b, 6, 1, 6, 3, 1, 1, 4, 1, 0};
	static const uint8_t cold[] = {0x2b, 6, 1, 6, 3, 1, 1, 5, 1}, row[] = {0x2b, 6, 1, 2, 1, 2, 2, 1, 1, 7};
	struct trap_bytes t = {.size = 0};
	struct ber_out out = {t.room, t.room + sizeof t.room, false};
	const uint8_t *end = out.at;

	put_varbind(&out, row, sizeof row, BER_INTEGER, "\x07", 1);
	put_varbind(&out, name, sizeof name, BER_OID, cold, sizeof cold);
	put_varbind(&out, uptime, sizeof uptime, BER_TIMETICKS, "\x01\x00", 2);
	ber_put_header(&out, BER_SEQUENCE, end);
	ber_put_integer(&out, 0);
	ber_put_integer(&out, 0);
	ber_put_id(&out, 0x40000000u | id);
	size_t after = (size_t)(end - out.at);
	ber_put_header(&out, type, end);
	t.size = (size_t)(end - out.at);
	if (id_at)
		*id_at = t.size - after + 2;
	memmove(t.room, out.at, t.size);
	t.start = NULL; /* at the front of room: the struct is handed over by value */
	return t;
}

/* Around a PDU: version and community; at the front of room. */
static inline struct trap_bytes trap_community(const struct trap_bytes *pdu, int version, const char *community)
{
	struct trap_bytes t = {.size = 0};
	struct ber_out out = {t.room, t.room + sizeof t.room, false};
	const uint8_t *end = out.at;

	ber_put(&out, pdu->room, pdu->size);
	ber_put_octets(&out, community, strlen(community));
	ber_put_integer(&out, version);
	ber_put_header(&out, BER_SEQUENCE, end);
	t.size = (size_t)(end - out.at);
	memmove(t.room, out.at, t.size);
	return t;
}

/* Version 3 as the authoritative engine itself sends it: peer has its id and clock. */
static inline struct trap_bytes trap_sealed(struct usm_peer *peer, const struct credential *c, const struct trap_bytes *pdu, int64_t now)
{
	struct trap_bytes t = {.size = 0};
	struct ber_out out = {t.room, t.room + sizeof t.room, false};
	uint8_t *end = out.at;

	ber_put(&out, pdu->room, pdu->size);
	ber_put_octets(&out, "", 0);
	ber_put_octets(&out, "", 0);
	ber_put_header(&out, BER_SEQUENCE, end);
	t.size = usm_seal(peer, c, 0x40000001, (uint8_t)(USM_FLAG_AUTH | (c->priv ? USM_FLAG_PRIV : 0)), &out, end, now);
	memmove(t.room, out.at, t.size);
	return t;
}

#endif
