/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Averages in the making: samples of one step of an RRD file become one row of the ring, on the wall clock that the files go by, and the
 * newest of them are kept as they came. Called by samples.c and sensors.c. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/engine.h"

static void average_close(struct engine *e, struct average *a, uint32_t count)
{
	double values[SERIES_DS_MAX];

	if (a->series == 0 || a->samples == 0)
		return;
	for (uint32_t i = 0; i < count; i++)
		values[i] = a->counts[i] ? a->sums[i] / a->counts[i] : NAN;
	ring_put(e->ring, a->series, a->step, values, count);
}

void average_add(struct engine *e, struct average *a, uint32_t count, uint32_t step_s, const double *values, int64_t wall_ms)
{
	int64_t step = wall_ms / 1000 / step_s * step_s;

	recent_add(&a->recent, count, values, wall_ms);
	if (!a->sums) {
		a->sums = mem_array(count, sizeof a->sums[0]);
		a->counts = mem_array(count, sizeof a->counts[0]);
	}
	if (step < a->step)
		return; /* the clock went back: what was recorded stands */
	if (step != a->step) {
		average_close(e, a, count);
		memset(a->sums, 0, count * sizeof a->sums[0]);
		memset(a->counts, 0, count * sizeof a->counts[0]);
		a->step = step;
		a->samples = 0;
	}
	a->samples++;
	for (uint32_t i = 0; i < count; i++) {
		if (isnan(values[i]))
			continue;
		a->sums[i] += values[i];
		a->counts[i]++;
	}
}

void average_expect(const struct average *a, uint32_t count)
{
	if (!a->sums)
		return;
	mem_expect(a->sums, count * sizeof a->sums[0]);
	mem_expect(a->counts, count * sizeof a->counts[0]);
	recent_expect(&a->recent);
}

void average_close_past(struct engine *e, struct average *a, uint32_t count, uint32_t step_s, int64_t now_s)
{
	if (a->samples && a->step + step_s <= now_s) {
		average_close(e, a, count);
		a->samples = 0;
	}
}

void average_free(struct average *a)
{
	recent_free(&a->recent);
	free(a->sums);
	free(a->counts);
}
