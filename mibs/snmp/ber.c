/* SPDX-License-Identifier: GPL-3.0-or-later */
/* BER reader and writer of the SNMP engine; see ber.h. */
#include "mibs/snmp/ber.h"

#include <string.h>

/* Any definite form, also a long one that is longer than it need be. */
static bool read_length(struct ber *in, size_t *length)
{
	if (in->at >= in->end)
		return false;
	size_t n = *in->at++;
	if (n >= 0x80) {
		size_t count = n & 0x7f;
		if (count == 0 || count > ber_left(in))
			return false;
		for (n = 0; count; count--) {
			if (n > SIZE_MAX >> 8)
				return false;
			n = n << 8 | *in->at++;
		}
	}
	*length = n;
	return n <= ber_left(in);
}

bool ber_any(struct ber *in, uint8_t *type, struct ber *content)
{
	size_t length;

	if (in->at >= in->end)
		return false;
	*type = *in->at++;
	if ((*type & 0x1f) == 0x1f || !read_length(in, &length)) /* SNMP has no tag of more than one byte */
		return false;
	content->at = in->at;
	content->end = in->at += length;
	return true;
}

bool ber_take(struct ber *in, uint8_t type, struct ber *content)
{
	uint8_t found;

	return ber_any(in, &found, content) && found == type;
}

bool ber_signed_value(struct ber content, int64_t *out)
{
	size_t size = ber_left(&content);

	if (size == 0)
		return false;
	uint64_t value = *content.at & 0x80 ? UINT64_MAX : 0;
	uint8_t filler = (uint8_t)value;

	for (; size > 8; size--)
		if (*content.at++ != filler)
			return false;
	if (filler != (*content.at & 0x80 ? 0xff : 0) && ber_left(&content) == 8)
		return false;
	while (content.at < content.end)
		value = value << 8 | *content.at++;
	*out = (int64_t)value;
	return true;
}

bool ber_unsigned_value(struct ber content, uint64_t *out)
{
	uint64_t value = 0;
	size_t size = ber_left(&content);

	if (size == 0)
		return false;
	for (; size > 8; size--) /* a Counter64 above 2^63 - 1 has nine bytes, the first of them 0 */
		if (*content.at++ != 0)
			return false;
	while (content.at < content.end)
		value = value << 8 | *content.at++;
	*out = value;
	return true;
}

bool ber_integer(struct ber *in, int64_t *out)
{
	struct ber content;

	return ber_take(in, BER_INTEGER, &content) && ber_signed_value(content, out);
}

bool ber_integer_in(struct ber *in, int64_t low, int64_t high, int64_t *out)
{
	return ber_integer(in, out) && *out >= low && *out <= high;
}

static bool take_number(struct ber *content, uint32_t *out)
{
	uint64_t value = 0;

	while (content->at < content->end) {
		uint8_t byte = *content->at++;
		value = value << 7 | (byte & 0x7f);
		if (value > UINT32_MAX)
			return false;
		if (!(byte & 0x80)) {
			*out = (uint32_t)value;
			return true;
		}
	}
	return false;
}

size_t ber_oid_value(struct ber content, uint32_t *out, size_t room)
{
	size_t count = 2;
	uint32_t first;

	if (room < 2 || !take_number(&content, &first))
		return 0;
	out[0] = first < 40 ? 0 : first < 80 ? 1 : 2;
	out[1] = first - 40 * out[0];
	while (content.at < content.end) {
		if (count == room || !take_number(&content, &out[count]))
			return 0;
		count++;
	}
	return count;
}

void ber_put(struct ber_out *out, const void *bytes, size_t size)
{
	if (out->full || size > (size_t)(out->at - out->start)) {
		out->full = true;
		return;
	}
	out->at -= size;
	if (size)
		memcpy(out->at, bytes, size);
}

void ber_put_header(struct ber_out *out, uint8_t type, const uint8_t *mark)
{
	size_t length = (size_t)(mark - out->at);
	uint8_t bytes[4];
	size_t size = 0;

	if (length > 0xffff) {
		out->full = true;
		return;
	}
	bytes[size++] = type;
	if (length > 0xff)
		bytes[size++] = 0x82;
	else if (length > 0x7f)
		bytes[size++] = 0x81;
	if (length > 0xff)
		bytes[size++] = (uint8_t)(length >> 8);
	bytes[size++] = (uint8_t)length;
	ber_put(out, bytes, size);
}

void ber_put_octets(struct ber_out *out, const void *bytes, size_t size)
{
	uint8_t *mark = out->at;

	ber_put(out, bytes, size);
	ber_put_header(out, BER_OCTETS, mark);
}

void ber_put_integer(struct ber_out *out, int64_t value)
{
	uint8_t *mark = out->at;
	int64_t rest = value;
	uint8_t byte;

	do {
		byte = (uint8_t)rest;
		ber_put(out, &byte, 1);
		rest >>= 8;
	} while (!out->full && !((rest == 0 && !(byte & 0x80)) || (rest == -1 && (byte & 0x80))));
	ber_put_header(out, BER_INTEGER, mark);
}

void ber_put_id(struct ber_out *out, uint32_t value)
{
	uint8_t bytes[6] = {BER_INTEGER,   4, (uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
			    (uint8_t)value};

	ber_put(out, bytes, sizeof bytes);
}
