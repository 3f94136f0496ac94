/* SPDX-License-Identifier: GPL-3.0-or-later */
/* BER reading within bounds and writing in shortest form; called for every datagram that reaches the swarm. */
#include "tests/lab/swarm/ber.h"

#include <string.h>

bool ber_take(struct ber *in, uint8_t *tag, struct ber *content)
{
	const uint8_t *p = in->at;
	size_t left = ber_left(*in), length;

	if (left < 2 || (p[0] & 0x1f) == 0x1f)
		return false;
	*tag = p[0];
	length = p[1];
	p += 2;
	left -= 2;
	if (length & 0x80) {
		size_t octets = length & 0x7f;
		if (octets == 0 || octets > 4 || octets > left)
			return false;
		length = 0;
		for (size_t i = 0; i < octets; i++)
			length = length << 8 | p[i];
		p += octets;
		left -= octets;
	}
	if (length > left)
		return false;
	content->at = p;
	content->end = p + length;
	in->at = p + length;
	return true;
}

bool ber_expect(struct ber *in, uint8_t tag, struct ber *content)
{
	struct ber save = *in;
	uint8_t found;

	if (ber_take(in, &found, content) && found == tag)
		return true;
	*in = save;
	return false;
}

bool ber_take_int32(struct ber *in, int32_t *value)
{
	struct ber save = *in, c;
	size_t n;

	if (!ber_expect(in, BER_INTEGER, &c))
		return false;
	n = ber_left(c);
	if (n < 1 || n > 4) {
		*in = save;
		return false;
	}
	uint32_t v = c.at[0] & 0x80 ? UINT32_MAX : 0;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | c.at[i];
	*value = (int32_t)v;
	return true;
}

bool ber_unsigned(struct ber c, uint64_t *value)
{
	size_t n = ber_left(c);
	uint64_t v = 0;

	if (n < 1 || n > 9 || (n == 9 && c.at[0] != 0) || (n < 9 && c.at[0] & 0x80))
		return false;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | c.at[i];
	*value = v;
	return true;
}

int ber_oid(struct ber c, uint32_t *ids, int max)
{
	int n = 0;

	while (c.at < c.end) {
		uint64_t id = 0;
		uint8_t octet;
		if (*c.at == 0x80)
			return -1;
		do {
			if (c.at == c.end || id >> 25)
				return -1;
			octet = *c.at++;
			id = id << 7 | (octet & 0x7f);
		} while (octet & 0x80);
		if (n == 0) {
			uint32_t first = id < 80 ? (uint32_t)id / 40 : 2;
			if (max < 2)
				return -1;
			ids[n++] = first;
			id -= first * 40;
		}
		if (n == max)
			return -1;
		ids[n++] = (uint32_t)id;
	}
	return n < 2 ? -1 : n;
}

static size_t put_id(uint8_t *out, size_t size, uint64_t id)
{
	size_t n = 1;

	for (uint64_t rest = id >> 7; rest; rest >>= 7)
		n++;
	if (n > size)
		return 0;
	for (size_t i = n; i-- > 0; id >>= 7)
		out[i] = (uint8_t)((id & 0x7f) | (i + 1 < n ? 0x80 : 0));
	return n;
}

size_t ber_put_oid(uint8_t *out, size_t size, const uint32_t *ids, int count)
{
	size_t used, n;

	if (count < 2 || count > BER_OID_MAX)
		return 0;
	used = put_id(out, size, (uint64_t)ids[0] * 40 + ids[1]);
	if (used == 0)
		return 0;
	for (int i = 2; i < count; i++) {
		n = put_id(out + used, size - used, ids[i]);
		if (n == 0)
			return 0;
		used += n;
	}
	return used;
}

int ber_oid_compare(const uint32_t *a, int an, const uint32_t *b, int bn)
{
	for (int i = 0; i < an && i < bn; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return an - bn;
}

size_t ber_put_length(uint8_t *out, size_t length)
{
	if (length < 0x80) {
		out[0] = (uint8_t)length;
		return 1;
	}
	if (length < 0x100) {
		out[0] = 0x81;
		out[1] = (uint8_t)length;
		return 2;
	}
	out[0] = 0x82;
	out[1] = (uint8_t)(length >> 8);
	out[2] = (uint8_t)length;
	return 3;
}

size_t ber_put_signed(uint8_t *out, int64_t value)
{
	size_t n = 8;

	while (n > 1) {
		int64_t top = value >> ((n - 1) * 8 - 1);
		if (top != 0 && top != -1)
			break;
		n--;
	}
	for (size_t i = n; i-- > 0; value >>= 8)
		out[i] = (uint8_t)value;
	return n;
}

size_t ber_put_unsigned(uint8_t *out, uint64_t value)
{
	size_t n = 1;

	while (n < 9 && value >> (n * 8 - 1))
		n = n == 8 ? 9 : n + 1;
	for (size_t i = n; i-- > 0; value >>= 8)
		out[i] = i == 0 && n == 9 ? 0 : (uint8_t)value;
	return n;
}

uint8_t *ber_wrap(uint8_t *before, uint8_t tag, size_t length)
{
	uint8_t octets[3];
	size_t n = ber_put_length(octets, length);

	before -= n;
	memcpy(before, octets, n);
	*--before = tag;
	return before;
}
