/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Weights that follow headroom; see weights.h. The engine calls it for each service at its interval; tests/sim/settling.c shows that it settles. */
#include "service/weights.h"

#include <math.h>

#define GAIN .5       /* 1 at short intervals never settles */
#define DEAD_BAND .05
#define STEP_LEAST .8
#define STEP_MOST 1.25

double weights_interval(double session_s, double delay_s, double window_s)
{
	double interval = session_s < 30 ? 30 : session_s > 120 ? 120 : session_s, least = 1.5 * (delay_s + window_s);

	return interval < least ? least : interval;
}

static bool counts(const struct weights_member *m)
{
	return m->settled && m->utilisation >= 0 && isfinite(m->utilisation);
}

static double mean_of(const struct weights_member *members, size_t count)
{
	double sum = 0;
	size_t known = 0;

	for (size_t i = 0; i < count; i++)
		if (counts(&members[i])) {
			sum += (double)members[i].utilisation;
			known++;
		}
	return known ? sum / (double)known : 0;
}

/* An idle member would be given without end: what a step may do is bounded, what all of them may do is bounded too. */
static double stepped(double weight, double excess)
{
	double factor = excess > 0 ? pow(excess, -GAIN) : STEP_MOST;

	factor = factor < STEP_LEAST ? STEP_LEAST : factor > STEP_MOST ? STEP_MOST : factor;
	weight *= factor;
	return weight < WEIGHTS_FLOOR ? WEIGHTS_FLOOR : weight > WEIGHTS_CEILING ? WEIGHTS_CEILING : weight;
}

size_t weights_step(struct weights_member *members, size_t count)
{
	double mean = mean_of(members, count);
	size_t changed = 0;

	for (size_t i = 0; i < count; i++) {
		struct weights_member *m = &members[i];
		m->changed = false;
		if (!counts(m) || mean <= 0)
			continue;
		double excess = (double)m->utilisation / mean;
		if (fabs(excess - 1) < DEAD_BAND)
			continue;
		m->weight = stepped(isfinite(m->weight) && m->weight > 0 ? m->weight : WEIGHTS_NOMINAL, excess);
		uint32_t written = (uint32_t)lround(m->weight);
		m->changed = written != m->written;
		m->written = written;
		changed += m->changed;
	}
	return changed;
}
