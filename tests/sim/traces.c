/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The loads the sizing rule is tried on; see traces.h. */
#include "tests/sim/traces.h"

#include <math.h>

#define DAY_S 86400.0

const char *const trace_name[TRACE_COUNT] = {"smooth", "noisy", "bursts", "bigburst", "flash", "step", "weekly", "sawtooth", "ramp", "selfsim",
					     "gaps", "liar"};

uint64_t trace_mix(uint64_t z)
{
	z += 0x9E3779B97F4A7C15u;
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

double trace_uniform(uint64_t s, uint64_t k)
{
	return (double)(trace_mix(trace_mix(s) ^ k) >> 11) / 9007199254740992.0;
}

double trace_normal(uint64_t s, uint64_t k)
{
	double sum = 0;

	for (uint64_t j = 0; j < 12; j++)
		sum += trace_uniform(s, 12 * k + j);
	return sum - 6;
}

double trace_wander(uint64_t s, double t, double period_s)
{
	double knot = floor(t / period_s), part = t / period_s - knot;
	double left = trace_normal(s, (uint64_t)knot);

	return left + (trace_normal(s, (uint64_t)knot + 1) - left) * part;
}

double trace_white(uint64_t s, uint64_t k)
{
	return fmax(-3, fmin(3, trace_normal(s, k)));
}

double trace_noise(uint64_t s, uint64_t k, double a, double b)
{
	return 1 + a * trace_white(s, k) + b * trace_wander(s + 1, 10.0 * (double)k, 300);
}

double trace_day(double t)
{
	return .625 - .375 * cos(2 * M_PI * (t / DAY_S - 4.0 / 24));
}

/* 60 s up, 300 s held, 300 s down */
static double burst_shape(double x)
{
	return x < 0 || x > 660 ? 0 : x < 60 ? x / 60 : x < 360 ? 1 : (660 - x) / 300;
}

static double bursts(uint64_t s, double t, double low, double high)
{
	uint64_t today = (uint64_t)(t / DAY_S);
	double most = 1;

	for (uint64_t d = today ? today - 1 : 0; d <= today; d++)
		for (uint64_t i = 0; i < 6; i++) {
			double begins = ((double)d + trace_uniform(s + 3, 64 * d + i)) * DAY_S;
			double height = low + (high - low) * trace_uniform(s + 10, 64 * d + i);
			most = fmax(most, 1 + (height - 1) * burst_shape(t - begins));
		}
	return most;
}

static double flash(uint64_t s, double t)
{
	uint64_t d = (uint64_t)(t / DAY_S);
	double most = 1;

	for (uint64_t day = d ? d - 1 : 0; day <= d; day++) {
		double x = t - ((double)day * DAY_S + 28800 + 43200 * trace_uniform(s + 5, day));
		if (!(day & 1) || x < 0)
			continue;
		most = fmax(most, x < 120 ? 1 + 2 * x / 120 : x < 1320 ? 3 : 1 + 2 * exp(-(x - 1320) / 1200));
	}
	return most;
}

static double step(uint64_t s, double t)
{
	uint64_t d = (uint64_t)(t / DAY_S);
	double x = t - (double)d * DAY_S;
	double from = 32400 + 1200 * (trace_uniform(s, d) - .5), until = 61200 + 1200 * (trace_uniform(s + 1, d) - .5);

	return x >= from && x < until ? 1 : .4;
}

static double selfsim(uint64_t s, double t)
{
	double z = 0, power = 0, factor = 1, period = 20;

	for (uint64_t j = 0; j < 7; j++, factor *= .81, period *= 4) {
		z += factor * trace_wander(s + j, t, period);
		power += factor * factor;
	}
	return exp(.25 * z / sqrt(2.0 / 3 * power));
}

static double value(enum trace trace, uint64_t s, uint64_t k)
{
	double t = 10.0 * (double)k, x = fmod(t, 21600);
	uint64_t weekday = k / TRACE_DAY_TICKS % 7;

	switch (trace) {
	case TRACE_SMOOTH:
		return trace_day(t);
	case TRACE_BURSTS:
		return trace_day(t) * trace_noise(s, k, .04, .03) * bursts(s, t, 1.10, 1.35);
	case TRACE_BIGBURST:
		return trace_day(t) * trace_noise(s, k, .04, .03) * bursts(s, t, 1.3, 2.0);
	case TRACE_FLASH:
		return trace_day(t) * trace_noise(s, k, .03, .03) * flash(s, t);
	case TRACE_STEP:
		return step(s, t) * trace_noise(s + 2, k, .03, .03);
	case TRACE_WEEKLY:
		return trace_day(t) * (weekday == 5 ? .6 : weekday == 6 ? .5 : 1) * trace_noise(s, k, .04, .03);
	case TRACE_SAWTOOTH:
		return (x < 16200 ? .3 + .7 * x / 16200 : .3) * trace_noise(s, k, .03, .03);
	case TRACE_RAMP:
		return (.3 + .7 * t / (14 * DAY_S)) * trace_noise(s, k, .03, .03);
	case TRACE_SELFSIM:
		return selfsim(s, t);
	default:
		return trace_day(t) * trace_noise(s, k, .05, .04);
	}
}

void trace_make(enum trace trace, unsigned repeat, double out[TRACE_TICKS])
{
	uint64_t s = 1000 + (uint64_t)trace + 100 * (uint64_t)repeat;
	double most = 0;

	for (uint64_t k = 0; k < TRACE_TICKS; k++) {
		out[k] = value(trace, s, k);
		most = fmax(most, out[k]);
	}
	for (uint64_t k = 0; k < TRACE_TICKS; k++)
		out[k] /= most;
}
