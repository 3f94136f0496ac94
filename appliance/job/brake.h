/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The brakes (design, section 7): how much destructive power a group bears per minute, and how many machines may start per second.
 * Pure counters; monotonic time comes in. */
#ifndef GLORY_JOB_BRAKE_H
#define GLORY_JOB_BRAKE_H

#include <stdbool.h>
#include <stdint.h>

#define BRAKE_WINDOW_MS 60000
#define BRAKE_SLICES 12

struct brake { /* one per group; zero-initialise */
	int64_t slice_ms[BRAKE_SLICES];
	uint32_t slice[BRAKE_SLICES];
	int64_t second_ms;
	uint32_t started;
};

/* Destructive actions a group of so many members bears in a minute: the configured limit, or at least 10 and at most a tenth of it. */
uint32_t brake_limit(uint32_t configured, uint32_t members);
/* How many more destructive actions fit now. */
uint32_t brake_room(const struct brake *brake, uint32_t limit, int64_t now_ms);
void brake_count(struct brake *brake, uint32_t actions, int64_t now_ms);
/* One more power-on this second? Counts it when true. */
bool brake_start(struct brake *brake, uint32_t per_second, int64_t now_ms);

#endif
