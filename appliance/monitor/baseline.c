/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The usual value of an hour of the week; see baseline.h. */
#include "monitor/baseline.h"

#include <math.h>

#define HOUR_MS 3600000
#define REMEMBERED_WEEKS 6
#define TRUSTED_DEVIATIONS 3

/* Exponentially weighted mean and variance; the hour's own variance counts too, because single samples are compared with it. */
static void take_hour_in(struct baseline *b)
{
	unsigned at = (unsigned)(b->hour % BASELINE_HOURS);
	double within = b->squares / b->samples, mean = (double)b->means[at], variance = (double)b->variances[at];
	double off = b->mean - mean, most = TRUSTED_DEVIATIONS * sqrt(variance);

	if (b->weeks[at] == 0) {
		b->means[at] = (float)b->mean;
		b->variances[at] = (float)within;
	} else {
		double share = 1.0 / (b->weeks[at] < REMEMBERED_WEEKS ? b->weeks[at] + 1 : REMEMBERED_WEEKS);
		if (b->weeks[at] >= BASELINE_WEEKS && variance > 0) {
			off = off > most ? most : off < -most ? -most : off;
			within = within > most * most ? most * most : within;
		}
		b->means[at] = (float)(mean + share * off);
		b->variances[at] = (float)((1 - share) * (variance + share * off * off) + share * within);
	}
	if (b->weeks[at] < UINT8_MAX)
		b->weeks[at]++;
}

void baseline_add(struct baseline *b, double value, int64_t wall_ms)
{
	int64_t hour = wall_ms / HOUR_MS;

	if (!isfinite(value) || hour <= 0)
		return;
	if (hour != b->hour) {
		if (b->hour && hour > b->hour && b->last_ms - b->first_ms >= HOUR_MS / 2)
			take_hour_in(b);
		b->hour = hour;
		b->samples = 0;
		b->mean = b->squares = 0;
		b->first_ms = wall_ms;
	}
	b->last_ms = wall_ms;
	b->samples++;
	double off = value - b->mean;
	b->mean += off / b->samples;
	b->squares += off * (value - b->mean);
}

bool baseline_usual(const struct baseline *b, int64_t wall_ms, double *mean, double *deviation)
{
	int64_t hour = wall_ms / HOUR_MS;
	unsigned at = (unsigned)(hour % BASELINE_HOURS);

	if (hour <= 0 || b->weeks[at] < BASELINE_WEEKS)
		return false;
	*mean = (double)b->means[at];
	*deviation = sqrt((double)b->variances[at]);
	return true;
}
