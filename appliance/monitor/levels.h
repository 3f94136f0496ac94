/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Levels of values: thresholds with hysteresis and "n of m samples". Pure; one small state per (node, item, instance). */
#ifndef GLORY_MONITOR_LEVELS_H
#define GLORY_MONITOR_LEVELS_H

#include <stdint.h>

#include "base/words.h"

#define LEVEL_RULES 6

struct level_rule {
	uint8_t level;  /* LEVEL_WARNING and up */
	uint8_t above;  /* 1: at or above value; 0: at or below it */
	uint8_t of, in; /* entered when `of` of the last `in` samples are beyond value (1 <= of <= in <= 32) */
	double value;
	double clear;   /* left when a sample is on the good side of this */
};

struct level_rules {
	unsigned count;
	struct level_rule rule[LEVEL_RULES];
};

struct level_state {
	uint32_t window[LEVEL_RULES]; /* newest sample in bit 0 */
	uint8_t inside; /* bit per rule */
	uint8_t level;  /* enum level; 0 before the first sample */
};

/* Takes a value in and returns the level. NAN: unknown; the windows wait. No rules: normal. */
enum level level_judge(const struct level_rules *rules, struct level_state *state, double value);
/* The thresholds of a built-in item; none for most. Never NULL. */
const struct level_rules *level_builtin(unsigned item);

#endif
