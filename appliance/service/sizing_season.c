/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Steps 2 to 4 of the sizing rule: what the load does at this time of day, what it will be when a member that is asked for now is there, and how
 * much more than that must be kept because forecasts fall short. */
#include <string.h>

#include "service/sizing_parts.h"

enum { BIN_S = 300, BIN_SAMPLES = 10, DAY_BINS_KNOWN = 260, EVENT_TICKS = 6, HALF_DAY_TICKS = 4320, SPARE_LEAD_S = 150 };
#define IDLE .2 /* of the minimum: a need so small lets the last member above it go, too */
#define HOUR_GAIN (SIZING_TICK_S / 3600.0)
#define ERROR_GAIN .01
#define ERROR_USABLE .15
#define GAIN .013
#define OVERLOAD_ALLOWED .001
#define HEADROOM_LEAST 1.05
#define RATIO_BIN .02
#define RATIO_QUANTILE .998
#define RATIO_FADE .99

static size_t day_bin(int64_t bin)
{
	return (size_t)((bin % SIZING_BINS + SIZING_BINS) % SIZING_BINS);
}

static float *cell(struct sizing_state *s, int64_t bin)
{
	int64_t day = (bin - (int64_t)day_bin(bin)) / SIZING_BINS;

	return &s->season[(day % SIZING_DAYS + SIZING_DAYS) % SIZING_DAYS][day_bin(bin)];
}

/* Median of the same bin on the last 5 days; NAN none. */
static double season_of(const struct sizing_state *s, int64_t bin)
{
	float days[SIZING_DAYS];
	size_t count = 0;

	for (size_t d = 0; d < SIZING_DAYS; d++)
		if (!isnan(s->season[d][day_bin(bin)]))
			days[count++] = s->season[d][day_bin(bin)];
	return (double)sizing_median(days, count);
}

/* Between the middles of two bins. */
static double season_at(const struct sizing_state *s, int64_t at_s)
{
	int64_t bin = (at_s - BIN_S / 2) / BIN_S;
	double left = season_of(s, bin), right = season_of(s, bin + 1);
	double part = (double)(at_s - BIN_S / 2 - bin * BIN_S) / BIN_S;

	return isnan(left) ? right : isnan(right) ? left : left + (right - left) * part;
}

double sizing_season_most(const struct sizing_state *s, int64_t now_s, double seconds)
{
	/* a bin of which half is over no longer counts, one that is only begun by then does: early is safe */
	int64_t first = (now_s + BIN_S / 2) / BIN_S, last = (now_s + (int64_t)seconds) / BIN_S;
	double most = NAN;

	for (int64_t bin = first; bin <= last; bin++)
		most = fmax(most, season_of(s, bin)); /* fmax() takes the number of a number and a NAN */
	return most;
}

static void close_bin(struct sizing_state *s)
{
	float *c = cell(s, s->bin);

	if (s->bin_count >= BIN_SAMPLES) {
		double value = s->bin_sum / s->bin_count, expected = season_of(s, s->bin) * s->factor;
		if (!isnan(expected))
			s->error += ERROR_GAIN * (fmin(1, fabs(value - expected) / fmax(value, .2)) - s->error);
		*c = (float)value;
	} else {
		*c = NAN;
	}
	s->bin_sum = s->bin_count = 0;
}

static void bins_until(struct sizing_state *s, int64_t bin)
{
	if (bin == s->bin)
		return;
	close_bin(s);
	for (int64_t b = s->bin + 1; b < bin && b <= s->bin + SIZING_DAYS * SIZING_BINS; b++)
		*cell(s, b) = NAN;
	s->bin = bin;
	s->bins_known = 0;
	for (int64_t b = 0; b < SIZING_BINS; b++)
		s->bins_known += !isnan(season_of(s, b));
}

void sizing_season(struct sizing_state *s, struct sizing_work *w)
{
	int64_t now = w->view->now_s;
	double usual;

	bins_until(s, now / BIN_S);
	if (w->known) {
		s->bin_sum += w->demand;
		s->bin_count++;
		usual = season_at(s, now - 450);
		if (usual > 0)
			s->factor = clamp(s->level / usual, .3, 3);
		usual = season_at(s, now);
		if (!isnan(usual)) {
			bool first = isnan(s->season_hour);
			s->demand_hour = first ? w->demand : s->demand_hour + (w->demand - s->demand_hour) * HOUR_GAIN;
			s->season_hour = first ? usual : s->season_hour + (usual - s->season_hour) * HOUR_GAIN;
		}
	}
	w->season = s->bins_known >= DAY_BINS_KNOWN && s->error < ERROR_USABLE && !isnan(s->factor) && s->season_hour > 0;
}

static double ring_most(const struct sizing_state *s)
{
	float most = 0;

	for (size_t i = 0; i < SIZING_NEEDS; i++)
		most = s->needs[i] > most ? s->needs[i] : most;
	return (double)most;
}

/* What a shrink goes by: the minimum counts as needed until next to nothing is. */
static double floored(double need, double low)
{
	return need <= IDLE * low ? need : fmax(need, low);
}

void sizing_forecast(struct sizing_state *s, struct sizing_work *w)
{
	double most = sizing_season_most(s, w->view->now_s, w->ahead + BIN_S);
	size_t back = (size_t)(w->ahead / SIZING_TICK_S);

	w->season = w->season && !isnan(most);
	w->forecast = w->season ? fmax(s->level, fmin(s->factor, s->demand_hour / s->season_hour) * most)
				: s->level + fmax(0, s->trend) * fmin(w->ahead + 450, 1800);
	/* without the lower limit: a minimum of 2 is no need for 2 that would hold a third member for ever */
	double bare = isnan(w->forecast) ? w->low : fmin(w->forecast * s->headroom / SIZING_PLANNED, w->high);
	if (!isnan(w->forecast) && (w->view->spare || w->view->lead_s >= SPARE_LEAD_S))
		bare = fmin(fmax(bare, 1.1 * w->forecast + 1), w->high);
	w->need = fmax(bare, w->low);
	s->needs[s->tick % SIZING_NEEDS] = (float)(w->known ? bare : fmax(bare, s->wanted));
	w->least = floored(bare, w->low);
	w->most = floored(ring_most(s), w->low);
	w->earlier = back < SIZING_FORECASTS ? (double)s->forecasts[(s->tick + SIZING_FORECASTS - back) % SIZING_FORECASTS] : NAN;
	s->forecasts[s->tick % SIZING_FORECASTS] = (float)w->forecast;
}

static void learn_cap(struct sizing_state *s, int64_t now)
{
	double total = 0, upto = 0;
	size_t i;

	if (now - s->hour_s < 3600)
		return;
	s->hour_s = now;
	for (i = 0; i < SIZING_RATIOS; i++)
		total += (double)s->ratios[i];
	for (i = 0; i + 1 < SIZING_RATIOS && upto + (double)s->ratios[i] < RATIO_QUANTILE * total; i++)
		upto += (double)s->ratios[i];
	if (s->weighed >= HALF_DAY_TICKS)
		s->cap = fmax(HEADROOM_LEAST, RATIO_BIN * (double)(i + 1));
	for (i = 0; i < SIZING_RATIOS; i++)
		s->ratios[i] *= (float)RATIO_FADE;
}

/* Members that are wanted and not even on the way: a pool has no more. */
static double owed(const struct sizing_view *view)
{
	return fmax(0, (double)view->wanted - view->in_service - view->starting);
}

void sizing_headroom(struct sizing_state *s, struct sizing_work *w)
{
	bool near;

	learn_cap(s, w->view->now_s);
	if (!w->known || w->pinned)
		return;
	if (w->earlier > 0) {
		double bin = w->demand / w->earlier / RATIO_BIN;
		s->ratios[bin < SIZING_RATIOS - 1 ? (size_t)bin : SIZING_RATIOS - 1] += 1;
		if (s->weighed < HALF_DAY_TICKS)
			s->weighed++;
	}
	near = w->demand > SIZING_PLANNED * (w->view->in_service + owed(w->view));
	s->event_ticks = near ? s->event_ticks + (s->event_ticks <= EVENT_TICKS) : 0;
	/* what no headroom can cover teaches nothing; nor does what would have been enough, had it been given */
	near = near && s->event_ticks <= EVENT_TICKS && !(w->demand >= 1.8 * w->earlier);
	s->headroom = clamp(s->headroom + GAIN * ((near ? 1 : 0) - OVERLOAD_ALLOWED), HEADROOM_LEAST, s->cap);
}
