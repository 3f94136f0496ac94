/* SPDX-License-Identifier: GPL-3.0-or-later */
/* BER of varbinds; see encode.h. Lengths are known before anything is written, so that nothing moves. */
#include "mibs/agent/encode.h"

#include <string.h>

/* Tags (RFC 2578, section 7.1) whose values are not octets */
enum { INTEGER = 0x02, OBJECT = 0x06, GAUGE = 0x42, TICKS = 0x43, COUNTER64 = 0x46, SEQUENCE = 0x30 };

static uint8_t *put_arc(uint8_t *at, mib_arc arc)
{
	int shift = 28;

	if (arc < 0x80) {
		*at++ = (uint8_t)arc;
		return at;
	}
	while (!(arc >> shift))
		shift -= 7;
	for (; shift > 0; shift -= 7)
		*at++ = (uint8_t)(0x80 | arc >> shift);
	*at++ = arc & 0x7f;
	return at;
}

/* Content of an OBJECT IDENTIFIER; every one of ours has two arcs or more, below 2.48. */
static uint8_t *put_name(uint8_t *at, const mib_arc *arcs, size_t count)
{
	at = put_arc(at, arcs[0] * 40 + arcs[1]);
	for (size_t i = 2; i < count; i++)
		at = put_arc(at, arcs[i]);
	return at;
}

size_t encode_name(struct encode_column *kept, const struct mib_place *place, uint8_t *out)
{
	mib_arc arcs[MIB_OID_MAX];

	if (kept->column != place->column) {
		size_t count = mib_column_name(place->table, place->column, arcs);
		kept->size = (uint8_t)(put_name(kept->bytes, arcs, count) - kept->bytes);
		kept->column = place->column;
	}
	memcpy(out, kept->bytes, kept->size);
	uint8_t *at = out + kept->size;
	size_t count = mib_index(place, arcs);
	for (size_t i = 0; i < count; i++)
		at = put_arc(at, arcs[i]);
	return (size_t)(at - out);
}

static size_t length_size(size_t length)
{
	return length < 0x80 ? 1 : length < 0x100 ? 2 : 3;
}

static uint8_t *put_head(uint8_t *at, uint8_t tag, size_t length)
{
	*at++ = tag;
	if (length >= 0x80)
		*at++ = length < 0x100 ? 0x81 : 0x82;
	if (length >= 0x100)
		*at++ = (uint8_t)(length >> 8);
	*at++ = (uint8_t)length;
	return at;
}

static bool add(struct encode_list *list, const uint8_t *name, size_t name_size, uint8_t tag, const void *value, size_t size)
{
	size_t inner = 2 + length_size(name_size) + name_size + length_size(size) + size;

	if (inner > UINT16_MAX || 1 + length_size(inner) + inner > (size_t)(list->end - list->at)) {
		list->full = true;
		return false;
	}
	uint8_t *at = put_head(list->at, SEQUENCE, inner);
	at = put_head(at, OBJECT, name_size);
	memcpy(at, name, name_size);
	at = put_head(at + name_size, tag, size);
	if (size)
		memcpy(at, value, size);
	list->at = at + size;
	return true;
}

/* Two's complement in as few bytes as say it; from: the highest byte that may be needed. */
static size_t put_number(uint8_t *out, uint64_t value, int from)
{
	size_t n = 0;
	bool negative = value >> 63;

	while (from > 0 && (uint8_t)(value >> 8 * from) == (negative ? 0xff : 0) && (bool)(value >> (8 * from - 1) & 1) == negative)
		from--;
	for (; from >= 0; from--)
		out[n++] = (uint8_t)(value >> 8 * from);
	return n;
}

static size_t put_counter64(uint8_t *out, uint64_t value)
{
	if (!(value >> 63))
		return put_number(out, value, 7);
	out[0] = 0; /* nine bytes: it is unsigned */
	for (int i = 0; i < 8; i++)
		out[1 + i] = (uint8_t)(value >> (56 - 8 * i));
	return 9;
}

bool encode_cell(struct encode_list *list, const uint8_t *name, size_t size, const struct cell *cell)
{
	uint8_t value[ENCODE_NAME_MAX];
	size_t n;

	switch (cell->asn) {
	case INTEGER:
	case GAUGE:
	case TICKS:
		n = put_number(value, (uint64_t)cell->value.integer, 4);
		break;
	case COUNTER64:
		n = put_counter64(value, (uint64_t)cell->value.wide.high << 32 | (cell->value.wide.low & UINT32_MAX));
		break;
	case OBJECT:
		n = (size_t)(put_name(value, cell->value.oid, cell->size / sizeof(mib_arc)) - value);
		break;
	default:
		return add(list, name, size, cell->asn, cell->value.bytes, cell->size);
	}
	return add(list, name, size, cell->asn, value, n);
}

bool encode_exception(struct encode_list *list, const uint8_t *name, size_t size, uint8_t exception)
{
	return add(list, name, size, exception, NULL, 0);
}
