/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sizing rule: brakes and decision, steps 5 to 7, and the order of all of them; see sizing.h. The engine calls it each 10 s. */
#include "service/sizing.h"

#include <string.h>

#include "service/schedule.h"
#include "service/sizing_parts.h"

enum { DAY_S = 86400, CHANGE_S = 1800, KNOWN_S = 900, BEGUN_S = 3600, RETURN_S = 900, GAP_S = 30, BUDGET = 12, BUDGET_LARGE = 24, LARGE = 100 };
#define HEADROOM_FIRST 1.2
#define CAP_FIRST 1.8
#define PRESSING .97  /* of what is there and coming: an emergency */
#define PRESSED .9    /* an emergency sizes for so much of the capacity */

/* --- the state ------------------------------------------------------------------------------------------ */
static void unknown(float *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		list[i] = NAN;
}

void sizing_begin(struct sizing_state *s, int64_t now_s)
{
	memset(s, 0, sizeof *s);
	s->now_s = s->begun_s = s->hour_s = now_s;
	s->bin = now_s / 300;
	s->fast = s->level = s->factor = s->demand_hour = s->season_hour = NAN;
	s->headroom = HEADROOM_FIRST;
	s->cap = CAP_FIRST;
	unknown(s->minutes, SIZING_MINUTES);
	unknown(s->levels, SIZING_MINUTES + 1);
	unknown(s->forecasts, SIZING_FORECASTS);
	unknown(&s->season[0][0], (size_t)SIZING_DAYS * SIZING_BINS);
}

void sizing_started(struct sizing_state *s, double seconds)
{
	if (!(seconds >= 0 && seconds <= DAY_S))
		return;
	memmove(s->starts, s->starts + 1, sizeof s->starts - sizeof s->starts[0]);
	s->starts[SIZING_STARTS - 1] = (float)seconds;
	if (s->start_count < SIZING_STARTS)
		s->start_count++;
}

double sizing_lead(const struct sizing_state *s, double configured_s)
{
	float sorted[SIZING_STARTS];
	size_t count = s->start_count;

	if (count < SIZING_STARTS_LEAST)
		return configured_s;
	for (size_t i = 0; i < count; i++) {
		float v = s->starts[SIZING_STARTS - count + i];
		size_t at = i;
		for (; at && sorted[at - 1] > v; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = v;
	}
	return (double)sorted[(count * 9 + 9) / 10 - 1];
}

static void shift(int64_t *list, size_t count, int64_t by)
{
	for (size_t i = 0; i < count; i++)
		if (list[i])
			list[i] += by;
}

/* The clock was set back, or nobody asked for a while: what is remembered stays as old as it was, what needs an unbroken row begins anew. */
static void bridge(struct sizing_state *s, int64_t now)
{
	int64_t gap = now - s->now_s;

	if (gap < 0) {
		int64_t *const times[] = {&s->begun_s, &s->known_since_s, &s->unknown_since_s, &s->doubt_since_s, &s->changed_s, &s->emergency_s, &s->hour_s};
		for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
			shift(times[i], 1, gap);
		shift(s->planned, SIZING_CHANGES, gap);
		shift(s->urgent, SIZING_CHANGES, gap);
		s->bin = now / 300;
		s->bin_sum = s->bin_count = 0;
	} else if (gap > GAP_S) {
		for (int64_t i = 0; i < gap / SIZING_TICK_S - 1 && i < SIZING_FORECASTS; i++)
			s->forecasts[++s->tick % SIZING_FORECASTS] = NAN;
		s->known_since_s = 0;
		s->fresh_count = 0;
	}
	s->now_s = now;
	s->tick++;
}

static void note(int64_t *list, int64_t now)
{
	memmove(list, list + 1, (SIZING_CHANGES - 1) * sizeof *list);
	list[SIZING_CHANGES - 1] = now;
}

static uint32_t count_day(const int64_t *list, int64_t now)
{
	uint32_t count = 0;

	while (count < SIZING_CHANGES && list[SIZING_CHANGES - 1 - count] && list[SIZING_CHANGES - 1 - count] > now - DAY_S)
		count++;
	return count;
}

/* --- step 5: brakes ------------------------------------------------------------------------------------- */
static void brakes(const struct sizing_state *s, struct sizing_work *w)
{
	double budget = w->view->budget ? w->view->budget : s->wanted > LARGE ? BUDGET_LARGE : BUDGET;

	w->planned = count_day(s->planned, w->view->now_s);
	w->urgent = count_day(s->urgent, w->view->now_s);
	w->rc = w->planned * BUDGET / budget; /* the numbers below are for a budget of 12 */
	w->band = fmin(.3, .10 + .012 * w->rc + .05 * fmax(0, w->rc - 12));
	w->late = w->rc >= 10 ? 2 : 1;
}

/* --- step 6: decide ------------------------------------------------------------------------------------- */
static double whole(double members, const struct sizing_work *w)
{
	return clamp(ceil(members - 1e-6), w->low, w->high);
}

/* Where the demand will be soon when it rises faster than noise does, else where it is. */
static double pressing(const struct sizing_state *s, const struct sizing_work *w)
{
	double mean = 0, slope = 0, residual = 0;

	for (int i = 0; i < SIZING_FRESH; i++)
		mean += (double)s->fresh[i] / SIZING_FRESH;
	for (int i = 0; i < SIZING_FRESH; i++)
		slope += (i - 3) * SIZING_TICK_S * (double)s->fresh[i] / (28.0 * SIZING_TICK_S * SIZING_TICK_S);
	for (int i = 0; i < SIZING_FRESH; i++) {
		double off = (double)s->fresh[i] - mean - slope * (i - 3) * SIZING_TICK_S;
		residual += off * off / (SIZING_FRESH - 2);
	}
	if (slope * 60 <= 5 * sqrt(residual) + .15 * s->fast)
		return s->fast;
	return fmin(w->demand + slope * fmin(w->ahead, 120), 1.25 * fmax(s->fast, w->demand));
}

static bool emergency(struct sizing_state *s, const struct sizing_work *w, struct sizing_decision *d)
{
	if (!w->known || s->fresh_count < SIZING_FRESH)
		return false;
	d->pressing = pressing(s, w);
	if (!(d->pressing > PRESSING * ((double)w->view->in_service + w->view->starting) && d->pressing / PRESSED > d->was))
		return false;
	d->wanted = (uint32_t)whole(fmax(d->pressing / PRESSED, w->need), w);
	if (d->wanted <= d->was)
		return false;
	d->verb = SIZING_EMERGENCY;
	if (w->urgent >= 4)
		s->headroom = fmin(s->headroom + .005, s->cap);
	s->borrowed = 1;
	s->emergency_s = w->view->now_s;
	note(s->urgent, w->view->now_s);
	return true;
}

static bool grow(struct sizing_state *s, const struct sizing_work *w, struct sizing_decision *d)
{
	double most, size;

	if (!(w->need > d->was))
		return false;
	if (w->season) {
		most = sizing_season_most(s, w->view->now_s, w->ahead + 7200 * w->late);
		size = fmax(w->need, fmin(w->need * (1 + 2 * w->band), s->headroom / SIZING_PLANNED * fmin(s->factor, 1.3) * most));
	} else {
		size = w->need * (1 + w->late * w->band);
	}
	d->wanted = (uint32_t)whole(size, w);
	if (d->wanted <= d->was)
		return false;
	d->verb = SIZING_GROW;
	note(s->planned, w->view->now_s);
	return true;
}

/* Nothing shrinks without a quarter of an hour of data, nor in the first hour. */
static bool may_shrink(const struct sizing_state *s, const struct sizing_work *w, struct sizing_decision *d)
{
	int64_t now = w->view->now_s;

	if (!w->known) {
		d->hold = w->passed > 0 ? SIZING_HOLD_DOUBT : SIZING_HOLD_UNKNOWN;
	} else if (now - s->known_since_s < KNOWN_S) {
		d->hold = SIZING_HOLD_GAP;
		d->held_s = s->known_since_s + KNOWN_S - now;
	} else if (now - s->begun_s < BEGUN_S) {
		d->hold = SIZING_HOLD_FIRST_HOUR;
		d->held_s = s->begun_s + BEGUN_S - now;
	} else {
		return true;
	}
	return false;
}

static bool give_back(struct sizing_state *s, const struct sizing_work *w, struct sizing_decision *d)
{
	int64_t now = w->view->now_s;
	double since = (double)(now - s->emergency_s);

	if (!s->borrowed || since < RETURN_S * fmax(1, (double)w->urgent - 6) || w->most > d->was - 1.0)
		return false;
	d->wanted = (uint32_t)whole(w->most, w);
	if (d->wanted >= d->was)
		return false;
	d->verb = SIZING_RETURN;
	s->borrowed = 0;
	note(s->urgent, now);
	return true;
}

static bool shrink(struct sizing_state *s, const struct sizing_work *w, struct sizing_decision *d)
{
	int64_t now = w->view->now_s;
	double future = w->most;

	if (w->season)
		future = fmax(future, s->headroom / SIZING_PLANNED * fmin(s->factor, 1) * sizing_season_most(s, now, CHANGE_S));
	if (future > d->was - 1.1 || future > d->was * (1 - w->band)) {
		d->hold = future > d->was - 1.1 ? SIZING_HOLD_WINDOW : SIZING_HOLD_BAND;
		return false;
	}
	if (s->changed_s && now - s->changed_s < CHANGE_S) {
		d->hold = SIZING_HOLD_CHANGE;
		d->held_s = s->changed_s + CHANGE_S - now;
		return false;
	}
	if (!(w->rc < 11 || (w->rc < 24 && future < .6 * d->was))) {
		d->hold = SIZING_HOLD_BUDGET;
		return false;
	}
	d->wanted = (uint32_t)whole(future, w);
	if (d->wanted >= d->was)
		return false;
	d->verb = SIZING_SHRINK; /* what is borrowed stays so: it is for the return to give back */
	note(s->planned, now);
	return true;
}

static void decide(struct sizing_state *s, const struct sizing_work *w, struct sizing_decision *d)
{
	if (d->was < w->low || d->was > w->high) { /* the operator's limits or the schedule, at once and outside the budget */
		d->verb = SIZING_LIMIT;
		d->wanted = (uint32_t)clamp(fmax(w->need, d->was), w->low, w->high);
		return;
	}
	if (emergency(s, w, d) || grow(s, w, d) || (may_shrink(s, w, d) && (give_back(s, w, d) || shrink(s, w, d))))
		return;
	d->wanted = d->was;
	d->verb = SIZING_KEEP;
	if (d->was > w->low && w->least <= d->was - 1.1)
		d->could_be = (uint32_t)whole(w->need, w);
	else if (w->known)
		d->hold = SIZING_HOLD_NONE;
}

/* --- step 7 and the whole ------------------------------------------------------------------------------- */
static void limits(const struct sizing_view *view, struct sizing_work *w, struct sizing_decision *d)
{
	uint32_t high = view->max < 1 ? 1 : view->max > SIZING_MEMBERS_MAX ? SIZING_MEMBERS_MAX : view->max;
	uint32_t low = view->min < 1 ? 1 : view->min > high ? high : view->min, floor = 0;

	w->ahead = (view->lead_s > 0 && view->lead_s <= 7200 ? view->lead_s : view->lead_s > 0 ? 7200 : 0) + 30;
	if (view->schedule)
		floor = schedule_least_within(view->schedule, view->now_s, (int64_t)w->ahead);
	floor = floor > high ? high : floor;
	d->floor = floor > low;
	w->low = d->floor ? floor : low;
	w->high = high;
	w->pinned = view->pin && (!view->pin_until_s || view->now_s < view->pin_until_s);
}

static void report(const struct sizing_state *s, const struct sizing_work *w, struct sizing_decision *d)
{
	d->known = w->known;
	d->season = w->season;
	d->utilisation = w->utilisation;
	d->told = w->told;
	d->passed = w->passed;
	d->demand = w->demand;
	d->forecast = w->forecast;
	d->need = w->need;
	d->headroom = s->headroom;
	d->factor = s->factor;
	d->ahead_s = (uint32_t)w->ahead;
	d->unknown_s = s->unknown_since_s ? w->view->now_s - s->unknown_since_s : 0;
	d->planned = count_day(s->planned, w->view->now_s);
	d->emergencies = count_day(s->urgent, w->view->now_s);
}

void sizing_step(struct sizing_state *s, const struct sizing_view *view, struct sizing_decision *out)
{
	struct sizing_work w = {.view = view};
	struct sizing_decision d = {.was = view->wanted};

	bridge(s, view->now_s);
	limits(view, &w, &d);
	if (!d.was || d.was > SIZING_MEMBERS_MAX)
		d.was = (uint32_t)(d.was ? SIZING_MEMBERS_MAX : w.low);
	s->wanted = d.was;
	sizing_demand(s, &w);
	sizing_season(s, &w);
	sizing_forecast(s, &w);
	sizing_headroom(s, &w);
	brakes(s, &w);
	if (w.pinned) {
		d.verb = SIZING_PIN;
		d.until_s = view->pin_until_s;
		d.wanted = view->pin > SIZING_MEMBERS_MAX ? SIZING_MEMBERS_MAX : view->pin;
		s->borrowed = 0;
	} else {
		decide(s, &w, &d);
	}
	if (d.wanted != d.was)
		s->changed_s = view->now_s;
	s->wanted = d.wanted;
	report(s, &w, &d);
	*out = d;
}
