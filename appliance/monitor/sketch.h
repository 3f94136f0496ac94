/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is kept of many values of one item: how many, least, most, sum, and a histogram with buckets of an eighth of a power of two, so
 * that any quantile can be read from it later and two of them can be added. A quantile lies in the bucket of the exact one: it is at most
 * 12.5 % of its value away, in practice a few (linear inside the bucket, never outside what was seen). Pure but for its memory.
 * The histogram is as wide as the values are spread and at most SKETCH_WIDTH buckets (32 powers of two below the largest; what is
 * smaller is counted in the lowest). Values of items here are never negative; what is below 2^-20 is counted as 0. */
#ifndef GLORY_MONITOR_SKETCH_H
#define GLORY_MONITOR_SKETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SKETCH_WIDTH 256
#define SKETCH_PACKED_MAX (40 + 5 * SKETCH_WIDTH)

struct sketch { /* begin with {0} */
	uint32_t *counts; /* of bucket low and those behind it, width of them; owned */
	double sum;
	float least, most;
	uint32_t count, zeros;
	uint16_t low, width;
};

void sketch_add(struct sketch *s, double value); /* NAN and infinite ones are no values */
void sketch_merge(struct sketch *into, const struct sketch *from);
/* 0 <= q <= 1; NAN when it is empty. */
double sketch_quantile(const struct sketch *s, double q);
double sketch_mean(const struct sketch *s); /* NAN when it is empty */
void sketch_free(struct sketch *s);         /* and empty again */

/* As bytes, for a file: at most SKETCH_PACKED_MAX; returns how many. */
size_t sketch_pack(const struct sketch *s, uint8_t *out);
/* Reads one from *at on, never behind end, and moves *at on. False: the bytes are none; s is empty then. s must be empty. */
bool sketch_unpack(struct sketch *s, const uint8_t **at, const uint8_t *end);

/* Numbers of seven bits a byte, the lowest first (LEB128), at most ten bytes. */
size_t varint_put(uint8_t *out, uint64_t value);
bool varint_get(const uint8_t **at, const uint8_t *end, uint64_t *value);

#endif
