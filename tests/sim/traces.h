/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Made-up loads of 14 days in ticks of 10 s, from 64-bit arithmetic alone, so that any language makes the same; for sizing.c, shares.c and replay.c. */
#ifndef GLORY_SIM_TRACES_H
#define GLORY_SIM_TRACES_H

#include <stdint.h>

enum { TRACE_DAYS = 14, TRACE_DAY_TICKS = 8640, TRACE_TICKS = TRACE_DAYS * TRACE_DAY_TICKS };
enum trace {
	TRACE_SMOOTH, TRACE_NOISY, TRACE_BURSTS, TRACE_BIGBURST, TRACE_FLASH, TRACE_STEP, TRACE_WEEKLY, TRACE_SAWTOOTH, TRACE_RAMP, TRACE_SELFSIM,
	TRACE_GAPS, TRACE_LIAR, TRACE_COUNT
};
extern const char *const trace_name[TRACE_COUNT];

uint64_t trace_mix(uint64_t z);
/* Uniform in [0,1); near normal, mean 0 and deviation 1. */
double trace_uniform(uint64_t s, uint64_t k);
double trace_normal(uint64_t s, uint64_t k);
/* Between normal knots each period_s. */
double trace_wander(uint64_t s, double t, double period_s);
/* Normal, cut at 3; and what a load is multiplied by: white noise of each tick, and noise that wanders in 5 minutes. */
double trace_white(uint64_t s, uint64_t k);
double trace_noise(uint64_t s, uint64_t k, double fast, double slow);
/* Four to one in a day, least at 04:00, its maximum 1. */
double trace_day(double t);
/* The load of each tick, its maximum 1. repeat 0, 1, ...: another throw of the dice. */
void trace_make(enum trace trace, unsigned repeat, double out[TRACE_TICKS]);

#endif
