/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reader and writer of BER (X.690) as SNMP uses it. The reader trusts nothing: every length form is understood, nothing
 * outside the given bytes is ever touched. The writer goes from the end to the front, so that lengths are known when
 * they are written. */
#ifndef GLORY_SNMP_BER_H
#define GLORY_SNMP_BER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ber_type {
	BER_INTEGER = 0x02,
	BER_OCTETS = 0x04,
	BER_NULL = 0x05,
	BER_OID = 0x06,
	BER_SEQUENCE = 0x30,
	BER_IP_ADDRESS = 0x40,
	BER_COUNTER32 = 0x41,
	BER_GAUGE32 = 0x42,
	BER_TIMETICKS = 0x43,
	BER_OPAQUE = 0x44,
	BER_COUNTER64 = 0x46,
	BER_NO_SUCH_OBJECT = 0x80,
	BER_NO_SUCH_INSTANCE = 0x81,
	BER_END_OF_VIEW = 0x82,
	BER_GET = 0xa0,
	BER_GETNEXT = 0xa1,
	BER_RESPONSE = 0xa2,
	BER_TRAP_V1 = 0xa4,
	BER_GETBULK = 0xa5,
	BER_INFORM = 0xa6,
	BER_TRAP = 0xa7,
	BER_REPORT = 0xa8
};

/* Bytes still to be read; a value by itself, too. */
struct ber {
	const uint8_t *at, *end;
};

static inline size_t ber_left(const struct ber *in)
{
	return (size_t)(in->end - in->at);
}

/* Takes one element off *in. False (and *in undefined) when it is not whole or its length is indefinite. */
bool ber_any(struct ber *in, uint8_t *type, struct ber *content);
/* The same, and the element must be of this type. */
bool ber_take(struct ber *in, uint8_t type, struct ber *content);
/* An INTEGER that fits in 64 bits, or one within [low, high]. */
bool ber_integer(struct ber *in, int64_t *out);
bool ber_integer_in(struct ber *in, int64_t low, int64_t high, int64_t *out);
/* Content of a signed number of 1 to 8 bytes (leading filler bytes allowed), and of an unsigned one of up to 64 bits.
 */
bool ber_signed_value(struct ber content, int64_t *out);
bool ber_unsigned_value(struct ber content, uint64_t *out);
/* Content of an OBJECT IDENTIFIER into at most room numbers; returns how many, 0 when it is none or does not fit. */
size_t ber_oid_value(struct ber content, uint32_t *out, size_t room);

/* A buffer that is filled from its end; `at` is the first byte written. `full` stays true once something did not fit.
 */
struct ber_out {
	uint8_t *start, *at;
	bool full;
};

void ber_put(struct ber_out *out, const void *bytes, size_t size);
/* Type and length in front of the content that was written since mark (an earlier value of out->at). */
void ber_put_header(struct ber_out *out, uint8_t type, const uint8_t *mark);
void ber_put_octets(struct ber_out *out, const void *bytes, size_t size);
void ber_put_integer(struct ber_out *out, int64_t value);
/* An INTEGER of exactly four bytes, for numbers with bit 30 set and bit 31 clear (request ids). */
void ber_put_id(struct ber_out *out, uint32_t value);

#endif
