/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rings of the newest values; see recent.h. */
#include "monitor/recent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define ROOM_FIRST 2
#define UNKNOWN 0xffffu
#define MANTISSA 9
#define DROPPED (52 - MANTISSA)
#define BIAS (1023 - 20) /* of a double's exponent over ours */
#define EXPONENT_MAX 62  /* 63 is left to UNKNOWN */

uint16_t recent_pack(double value)
{
	uint64_t bits;

	if (isnan(value))
		return UNKNOWN;
	memcpy(&bits, &value, sizeof bits);
	uint16_t sign = (uint16_t)(bits >> 63 << 15);
	bits = (bits & ~(UINT64_C(1) << 63)) + (UINT64_C(1) << (DROPPED - 1)); /* to the nearest; a carry moves the exponent on */
	int64_t exponent = (int64_t)(bits >> 52) - BIAS;
	if (exponent < 1)
		return 0;
	if (exponent > EXPONENT_MAX)
		return (uint16_t)(sign | EXPONENT_MAX << MANTISSA | ((1 << MANTISSA) - 1));
	return (uint16_t)(sign | (uint16_t)(exponent << MANTISSA) | (uint16_t)(bits >> DROPPED & ((1 << MANTISSA) - 1)));
}

double recent_unpack(uint16_t packed)
{
	uint64_t bits;
	double value;

	if (packed == UNKNOWN)
		return NAN;
	if ((packed & 0x7fff) == 0)
		return 0;
	bits = (uint64_t)(packed >> 15) << 63 | ((uint64_t)(packed >> MANTISSA & 63) + BIAS) << 52 |
	       (uint64_t)(packed & ((1 << MANTISSA) - 1)) << DROPPED;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static uint16_t *values_of(const struct recent *r)
{
	return (uint16_t *)(r->times + r->room);
}

static size_t bytes_for(unsigned room, unsigned width)
{
	return room * (sizeof(uint32_t) + width * sizeof(uint16_t));
}

uint32_t recent_bytes(const struct recent *r)
{
	return (uint32_t)bytes_for(r->room, r->width);
}

void recent_free(struct recent *r)
{
	free(r->times);
	*r = (struct recent){.span_s = r->span_s};
}

/* Moves what there is into a ring of another size, oldest first. room >= count. */
static void resize(struct recent *r, unsigned room)
{
	struct recent next = *r;

	next.room = (uint16_t)room;
	next.first = 0;
	next.times = mem_zalloc(bytes_for(room, r->width));
	for (unsigned i = 0; i < r->count; i++) {
		unsigned from = (r->first + i) % r->room;
		next.times[i] = r->times[from];
		memcpy(values_of(&next) + i * r->width, values_of(r) + from * r->width, r->width * sizeof(uint16_t));
	}
	free(r->times);
	*r = next;
}

static unsigned span_s(const struct recent *r)
{
	return r->span_s ? r->span_s : RECENT_SPAN_S;
}

static int64_t time_at(const struct recent *r, unsigned at)
{
	return r->newest_ms - (uint32_t)((uint32_t)r->newest_ms - r->times[(r->first + at) % r->room]);
}

static void drop_first(struct recent *r)
{
	r->first = (uint16_t)((r->first + 1) % r->room);
	r->count--;
}

/* Makes room for a point: what is too old goes, then the ring grows, then the oldest goes. A ring that has become far too large for
 * what is in it (nobody looks any more, the item is polled less often) gives memory back. */
static void make_room(struct recent *r, int64_t wall_ms)
{
	unsigned most = span_s(r) + 1;

	while (r->count && time_at(r, 0) < wall_ms - (int64_t)span_s(r) * 1000)
		drop_first(r);
	if (r->count == r->room && r->room < most)
		resize(r, r->room * 2u < most ? r->room ? r->room * 2u : ROOM_FIRST : most);
	while (r->count >= r->room || r->count >= most)
		drop_first(r);
	if (r->room > 16 && r->count < r->room / 4)
		resize(r, r->room / 2);
}

void recent_add(struct recent *r, unsigned width, const double *values, int64_t wall_ms)
{
	/* what is older than the times can tell apart (49 days) is older than any span */
	if (r->room && (width != r->width || wall_ms < r->newest_ms || wall_ms - r->newest_ms > INT32_MAX))
		recent_free(r);
	r->width = (uint16_t)width;
	if (r->count && wall_ms == r->newest_ms)
		r->count--;
	make_room(r, wall_ms);
	unsigned at = (r->first + r->count) % r->room;
	uint16_t *to = values_of(r) + at * width;
	r->times[at] = (uint32_t)wall_ms;
	r->newest_ms = wall_ms;
	r->count++;
	for (unsigned i = 0; i < width; i++)
		to[i] = recent_pack(values[i]);
}

void recent_expect(const struct recent *r)
{
	if (!r->room)
		return;
	unsigned at = (r->first + r->count) % r->room, oldest = r->first % r->room;
	mem_expect(&r->times[oldest], 1);
	mem_expect(&r->times[at], 1);
	mem_expect(values_of(r) + at * r->width, r->width * sizeof(uint16_t));
}

void recent_look(struct recent *r, unsigned span)
{
	r->span_s = (uint16_t)(span < RECENT_LOOKED_S ? span : RECENT_LOOKED_S);
}

unsigned recent_count(const struct recent *r)
{
	return r->count;
}

int64_t recent_at(const struct recent *r, unsigned at, unsigned column, double *value)
{
	*value = column < r->width ? recent_unpack(values_of(r)[(r->first + at) % r->room * r->width + column]) : NAN;
	return time_at(r, at);
}
