/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The past of one value as its threshold rows need it: trails by window, one baseline. Used by levels.c; others see levels.h. */
#ifndef GLORY_MONITOR_LEVEL_MEMORY_H
#define GLORY_MONITOR_LEVEL_MEMORY_H

#include "monitor/baseline.h"
#include "monitor/levels.h"
#include "monitor/trail.h"

/* Takes a value into everything the rows look at; what no row looks at any more goes, what is new begins. */
void level_memory_take(struct level_memory *memory, const struct level_rules *rules, double value, int64_t wall_ms);
/* NULL: there is none (also of a NULL memory). */
const struct trail *level_memory_trail(const struct level_memory *memory, uint32_t window_s);
/* The line through a trail as of its newest step but one: worked out once a step, not once a sample. NULL as above. */
const struct forecast *level_memory_forecast(struct level_memory *memory, uint32_t window_s);
const struct baseline *level_memory_baseline(const struct level_memory *memory);

#endif
