/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of one step of the sizing rule, in the order sizing.c calls them; nobody else does. */
#ifndef GLORY_SERVICE_SIZING_PARTS_H
#define GLORY_SERVICE_SIZING_PARTS_H

#include <math.h>

#include "service/sizing.h"

#define SIZING_PLANNED 0.95 /* of the capacity is what the forecast times the headroom may fill */

/* What one step works with. */
struct sizing_work {
	const struct sizing_view *view;
	double low, high;          /* the limits, the schedule in them */
	double ahead;              /* x: how far ahead a decision works */
	bool known, season;
	bool pinned;
	double utilisation, demand; /* NAN: unknown */
	double told, passed;       /* of data in doubt: what the members say and what the balancer passes, members' worth; else 0 */
	double forecast, need;
	double least, most;        /* what a shrink goes by, now and at most in the last 15 minutes: below the minimum where next to nothing is needed */
	double earlier;            /* the forecast made for now; NAN none */
	double rc, band, late;
	uint32_t planned, urgent;
};

static inline double clamp(double v, double low, double high)
{
	return v < low ? low : v > high ? high : v;
}

/* Upper median of numbers that it may reorder; NAN of none. */
float sizing_median(float *values, size_t count);
/* Step 1: fills known, utilisation and demand, and learns cost, fast, level and trend. */
void sizing_demand(struct sizing_state *s, struct sizing_work *w);
/* Step 2: learns the season; fills w->season. */
void sizing_season(struct sizing_state *s, struct sizing_work *w);
/* The largest of the season from now over so many seconds, in today's measure but for the factor; NAN: none known. */
double sizing_season_most(const struct sizing_state *s, int64_t now_s, double seconds);
/* Step 3: forecast, need, most. */
void sizing_forecast(struct sizing_state *s, struct sizing_work *w);
/* Step 4: learns the headroom. */
void sizing_headroom(struct sizing_state *s, struct sizing_work *w);

#endif
