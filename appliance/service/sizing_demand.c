/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Step 1 of the sizing rule: what load there is, in members' worth, from samples that may lie and a rate that may be missing. */
#include <stdlib.h>
#include <string.h>

#include "service/sizing_parts.h"

enum { FROZEN_S = 600, DOUBT_S = 3600, MINUTE_TICKS = 6 };
#define FULL 0.9           /* from here on a member's utilisation hides demand */
#define QUITE_FULL 0.97
#define COST_S 1800.0
#define FAST_S 30.0

float sizing_median(float *v, size_t count)
{
	size_t low = 0, high = count, middle = count / 2;

	if (!count)
		return NAN;
	while (high - low > 1) { /* quickselect with three parts */
		float pivot = v[low + (high - low) / 2];
		size_t less = low, at = low, more = high;
		while (at < more) {
			float x = v[at];
			if (x < pivot) {
				v[at++] = v[less];
				v[less++] = x;
			} else if (x > pivot) {
				v[at] = v[--more];
				v[more] = x;
			} else {
				at++;
			}
		}
		if (middle < less)
			high = less;
		else if (middle >= more)
			low = more;
		else
			return pivot;
	}
	return v[low];
}

/* A value that stands still in the last digit is a sensor that died, unless all do, or it is full: a full member says 1 each time. */
static bool frozen(const struct sizing_sample *sample)
{
	return sample->unchanged_s >= FROZEN_S && sample->utilisation < FULL;
}

static size_t usable_samples(const struct sizing_view *view, float *out)
{
	size_t count = view->sample_count < SIZING_MEMBERS_MAX ? view->sample_count : SIZING_MEMBERS_MAX, used = 0;
	uint32_t oldest = 3 * (view->poll_s ? view->poll_s : SIZING_TICK_S);
	bool moving = false;

	for (size_t i = 0; i < count; i++)
		moving |= view->samples[i].age_s < oldest && view->samples[i].unchanged_s < FROZEN_S;
	for (size_t i = 0; i < count; i++) {
		const struct sizing_sample *sample = &view->samples[i];
		if (sample->age_s < oldest && sample->utilisation >= 0 && sample->utilisation <= 1.5f && !(moving && frozen(sample)))
			out[used++] = sample->utilisation;
	}
	return used;
}

/* Mean of what the members say, each held near the median; false when too few say anything. */
static bool measure(const struct sizing_view *view, double *mean, double *median)
{
	float values[SIZING_MEMBERS_MAX], sorted[SIZING_MEMBERS_MAX];
	size_t count = usable_samples(view, values);
	double sum = 0, reach;

	if (!view->in_service || !count || 2 * count < view->in_service)
		return false;
	memcpy(sorted, values, count * sizeof *values);
	*median = (double)sizing_median(sorted, count);
	reach = fmax(.15, .3 * *median);
	for (size_t i = 0; i < count; i++)
		sum += clamp((double)values[i], *median - reach, *median + reach);
	*mean = sum / (double)count;
	return true;
}

/* What the balancer tells, in bounds that keep the cost of a request a number; NAN when it tells nothing. */
static double rate_of(const struct sizing_view *view)
{
	return !(view->rate >= 0 && view->rate < 1e12) ? NAN : view->rate < 1e-3 ? 0 : view->rate;
}

/* The balancer goes on offering what would be twice the load and more: one of the two is wrong, and it is not ours to say which for an hour. */
static bool doubtful(struct sizing_state *s, const struct sizing_view *view, double demand, double median)
{
	double rate = rate_of(view);

	if (!(median < FULL && rate > 0 && s->cost > 0 && demand < .5 * rate * s->cost)) {
		s->doubt_since_s = 0;
		return false;
	}
	if (!s->doubt_since_s)
		s->doubt_since_s = view->now_s;
	return view->now_s - s->doubt_since_s < DOUBT_S;
}

static double beyond_full(struct sizing_state *s, const struct sizing_view *view, double demand, double median)
{
	double rate = rate_of(view);

	if (median < FULL) {
		s->full_ticks = 0;
		if (rate > 0)
			s->cost = s->cost > 0 ? s->cost + (demand / rate - s->cost) * SIZING_TICK_S / COST_S : demand / rate;
		return demand;
	}
	if (rate >= 0 && s->cost > 0)
		return clamp(rate * s->cost, demand, 4 * demand);
	if (median < QUITE_FULL)
		return demand;
	if (s->full_ticks < 1000)
		s->full_ticks++;
	return demand * fmin(1.25 + .08 * s->full_ticks, 3);
}

static void note_known(struct sizing_state *s, const struct sizing_work *w)
{
	int64_t now = w->view->now_s;

	if (w->known) {
		s->unknown_since_s = 0;
		if (!s->known_since_s)
			s->known_since_s = now;
		memmove(s->fresh, s->fresh + 1, sizeof s->fresh - sizeof s->fresh[0]);
		s->fresh[SIZING_FRESH - 1] = (float)w->demand;
		if (s->fresh_count < SIZING_FRESH)
			s->fresh_count++;
		s->fast = isnan(s->fast) ? w->demand : s->fast + (w->demand - s->fast) * SIZING_TICK_S / FAST_S;
		s->minute_sum += w->demand;
		s->minute_count++;
		return;
	}
	s->known_since_s = 0;
	s->fresh_count = 0;
	if (!s->unknown_since_s)
		s->unknown_since_s = now;
}

static void push(float *list, size_t count, double value)
{
	memmove(list, list + 1, (count - 1) * sizeof *list);
	list[count - 1] = (float)value;
}

static void close_minute(struct sizing_state *s)
{
	float known[SIZING_MINUTES];
	size_t count = 0;

	if (s->minute_count)
		push(s->minutes, SIZING_MINUTES, s->minute_sum / s->minute_count);
	for (size_t i = 0; i < SIZING_MINUTES; i++)
		if (!isnan(s->minutes[i]))
			known[count++] = s->minutes[i];
	s->level = (double)sizing_median(known, count);
	push(s->levels, SIZING_MINUTES + 1, s->level);
	s->trend = isnan(s->levels[0]) ? 0 : (s->level - (double)s->levels[0]) / 900;
	s->minute_sum = s->minute_count = s->minute_ticks = 0;
}

void sizing_demand(struct sizing_state *s, struct sizing_work *w)
{
	double median = NAN;

	w->demand = w->utilisation = NAN;
	w->known = measure(w->view, &w->utilisation, &median);
	if (w->known) {
		w->demand = w->utilisation * fmin(w->view->in_service, SIZING_MEMBERS_MAX);
		w->known = !doubtful(s, w->view, w->demand, median);
		if (!w->known) {
			w->told = w->demand;
			w->passed = rate_of(w->view) * s->cost;
		}
	}
	w->demand = w->known ? beyond_full(s, w->view, w->demand, median) : NAN;
	note_known(s, w);
	if (++s->minute_ticks >= MINUTE_TICKS)
		close_minute(s);
	if (isnan(s->level) && w->known)
		s->level = w->demand;
}
