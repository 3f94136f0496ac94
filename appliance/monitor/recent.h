/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The newest values of one series at the pace they were polled: two minutes, ten while somebody looks at the node. A ring that grows
 * with what comes and never over RECENT_POINTS_MAX points, so that items at 10 s cost 13 points and only those at 1 s cost 121.
 * Pure but for its memory: times come in. Fed by engine/average.c for every sample; read by engine/series.c and engine/graphs.c.
 *
 * A value takes 16 bits: sign, 6 bits of exponent, 9 of mantissa, as IEEE 754 forms its own. What comes back is within 0.1 % of what
 * went in, whole numbers up to 1,024 exactly; below 2^-19 in size it is 0, above 8.7e12 it is 8.7e12. A point of n values
 * takes 4 + 2n bytes: the 18 scalar items of a node at 1 s are 4.8 kB, at 10 s 0.6 kB. */
#ifndef GLORY_MONITOR_RECENT_H
#define GLORY_MONITOR_RECENT_H

#include <stdbool.h>
#include <stdint.h>

#define RECENT_SPAN_S 120
#define RECENT_LOOKED_S 600
#define RECENT_POINTS_MAX (RECENT_LOOKED_S + 1)

/* Begin with {0}; one of the engine's averages owns it. */
struct recent {
	uint32_t *times;   /* room of them, wall ms modulo 2^32; the values stand behind them in the same memory */
	int64_t newest_ms; /* wall clock of the newest point */
	uint16_t room, count, first, width, span_s;
};

/* One point of `width` values (NAN: unknown) at a wall time. What is older than the span goes; a clock that went back, or another width,
 * begins anew; the same time again replaces the newest point. */
void recent_add(struct recent *r, unsigned width, const double *values, int64_t wall_ms);
void recent_expect(const struct recent *r); /* a point is about to be added: asks the memory for its place */
/* How far back it goes from now on: RECENT_SPAN_S (as at the start) or RECENT_LOOKED_S. */
void recent_look(struct recent *r, unsigned span_s);
/* Point `at` of recent_count(), oldest first: its time; *value is that of one column, NAN when unknown or no such column. */
unsigned recent_count(const struct recent *r);
int64_t recent_at(const struct recent *r, unsigned at, unsigned column, double *value);
uint32_t recent_bytes(const struct recent *r); /* on the heap */
void recent_free(struct recent *r);

uint16_t recent_pack(double value);
double recent_unpack(uint16_t packed);

#endif
