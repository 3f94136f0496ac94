/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The row ring: one producer (engine), one consumer (recorder), in a sealed-size memfd. It holds at least 60 s of rows, so that a
 * recorder that is restarted, or whose disk stalls, loses none. A row = one time step of one series. Positions live in the ring
 * itself: a consumer that died goes on where it last called ring_done(). */
#ifndef GLORY_BOARD_RING_H
#define GLORY_BOARD_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring_row {
	uint32_t series; /* id given in MSG_SERIES_ADD */
	uint32_t count;  /* values that follow, <= SERIES_DS_MAX */
	int64_t time_s;  /* wall clock, seconds; multiple of the step */
	double values[]; /* NAN: unknown */
};

struct ring;
struct ring *ring_create(size_t bytes);  /* producer; bytes rounded up to a power of two */
struct ring *ring_map(int fd, int writable); /* consumer (it writes its position only); takes fd; NULL when the memfd is not a ring */
int ring_fd(const struct ring *ring);
void ring_free(struct ring *ring);
/* Producer: false when the ring is full (the row is counted in ring_lost). */
bool ring_put(struct ring *ring, uint32_t series, int64_t time_s, const double *values, uint32_t count);
/* Consumer: next row after the one returned before, NULL when there is none; copied out of hostile reach into the caller's buffer of
 * SERIES_DS_MAX values. Rows count as consumed only at ring_done(). */
const struct ring_row *ring_next(struct ring *ring);
void ring_done(struct ring *ring);
uint64_t ring_waiting(const struct ring *ring); /* bytes not yet consumed */
uint64_t ring_lost(const struct ring *ring);

#endif
