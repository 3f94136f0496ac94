/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A bounds-checked BER reader and a small writer (X.690, definite lengths only); used by the swarm's SNMP agents and
 * the bench's raw client. */
#ifndef SWARM_BER_H
#define SWARM_BER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	BER_INTEGER = 0x02,
	BER_OCTETS = 0x04,
	BER_NULL = 0x05,
	BER_OID = 0x06,
	BER_SEQUENCE = 0x30,
	BER_IPADDRESS = 0x40,
	BER_COUNTER32 = 0x41,
	BER_GAUGE32 = 0x42,
	BER_TIMETICKS = 0x43,
	BER_COUNTER64 = 0x46,
	BER_NO_SUCH_OBJECT = 0x80,
	BER_NO_SUCH_INSTANCE = 0x81,
	BER_END_OF_MIB_VIEW = 0x82,
};

/* The most sub-identifiers of an object identifier (RFC 3416, section 4.1). */
enum { BER_OID_MAX = 128 };

/* What is left to read: [at, end). Owned by the caller; nothing is copied. */
struct ber {
	const uint8_t *at, *end;
};

static inline struct ber ber_over(const void *data, size_t size)
{
	return (struct ber){data, (const uint8_t *)data + size};
}

static inline size_t ber_left(struct ber in)
{
	return (size_t)(in.end - in.at);
}

/* Takes the next element: its tag and its content. False, with `in` untouched, when it does not fit, has a multi-byte
 * tag, an indefinite length or a length of more than 4 octets. */
bool ber_take(struct ber *in, uint8_t *tag, struct ber *content);

/* The same, and the tag must be `tag`. */
bool ber_expect(struct ber *in, uint8_t tag, struct ber *content);

/* Takes an INTEGER that fits 32 bits signed. */
bool ber_take_int32(struct ber *in, int32_t *value);

/* The content of an unsigned type (Counter32, Gauge32, TimeTicks, Counter64): 1..9 octets, not above 64 bits. */
bool ber_unsigned(struct ber content, uint64_t *value);

/* Decodes the content of an OBJECT IDENTIFIER; the count of sub-identifiers, or -1 when malformed or above `max`. */
int ber_oid(struct ber content, uint32_t *ids, int max);

/* Encodes the content of an OBJECT IDENTIFIER (2..128 sub-identifiers); its size, or 0 when it does not fit `size`. */
size_t ber_put_oid(uint8_t *out, size_t size, const uint32_t *ids, int count);

/* Compares as the tree is ordered: <0, 0, >0. */
int ber_oid_compare(const uint32_t *a, int an, const uint32_t *b, int bn);

/* Writes the shortest length octets of `length` (at most 65535): their number, 1..3. */
size_t ber_put_length(uint8_t *out, size_t length);

/* Writes the shortest two's-complement content of a signed, or of an unsigned, integer: its size, 1..9. */
size_t ber_put_signed(uint8_t *out, int64_t value);
size_t ber_put_unsigned(uint8_t *out, uint64_t value);

/* Writes a header (tag, length) that ends right before `before`; returns where it starts. The caller provides 4 bytes
 * of room. */
uint8_t *ber_wrap(uint8_t *before, uint8_t tag, size_t length);

#endif
