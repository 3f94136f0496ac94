/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Weights that follow headroom; see weights.h. The engine calls it for each service at its interval; tests/sim/settling.c shows that it settles. */
#include "service/weights.h"

#include <math.h>

#define GAIN .5       /* 1 at short intervals never settles */
#define DEAD_BAND .05
#define STEP_LEAST .8
#define STEP_MOST 1.25
#define IDLE .1 /* mean utilisation below which it is less and less the service's load that tells members apart */

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

/* How much busier than the mean a member is, against its weight: at 1 it stays. Below IDLE the ratio counts for less and less, and the weight for
 * nominal more and more. The ratio is taken within 2 and 1/2, where a step is as long as it may be: an idle member is not given without end. */
static double excess_of(const struct weights_member *m, double mean)
{
	double load = mean < IDLE ? mean / IDLE : 1, ratio = mean > 0 ? (double)m->utilisation / mean : 1;

	ratio = ratio < .5 ? .5 : ratio > 2 ? 2 : ratio;
	return pow(ratio, load) * pow(m->weight / WEIGHTS_NOMINAL, 1 - load);
}

/* What a step may do is bounded, what all of them may do is bounded too. */
static double stepped(double weight, double excess)
{
	double factor = pow(excess, -GAIN);

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
		if (!counts(m))
			continue;
		m->weight = isfinite(m->weight) && m->weight > 0 ? m->weight : WEIGHTS_NOMINAL;
		double excess = excess_of(m, mean);
		if (fabs(excess - 1) < DEAD_BAND)
			continue;
		m->weight = stepped(m->weight, excess);
		uint32_t written = (uint32_t)lround(m->weight);
		m->changed = written != m->written;
		m->written = written;
		changed += m->changed;
	}
	return changed;
}
