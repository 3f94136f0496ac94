/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The course of a value and the line through it; see trail.h. */
#include "monitor/trail.h"

#include <math.h>
#include <string.h>

#define POINTS_WANTED 12
#define SPAN_WANTED (TRAIL_POINTS * 2 / 3)
#define R2_WANTED 0.8

void trail_begin(struct trail *t, uint32_t window_s)
{
	memset(t, 0, sizeof *t);
	t->step_ms = (uint32_t)((uint64_t)window_s * 1000 / TRAIL_POINTS);
	if (t->step_ms == 0)
		t->step_ms = 1;
	for (int i = 0; i < TRAIL_POINTS; i++)
		t->point[i] = NAN;
}

static void begin_step(struct trail *t, int64_t step)
{
	int64_t from = step - t->newest > TRAIL_POINTS ? step - TRAIL_POINTS : t->newest;

	for (int64_t s = from + 1; s <= step; s++)
		t->point[s % TRAIL_POINTS] = NAN;
	t->newest = step;
	t->count = 0;
}

void trail_add(struct trail *t, double value, int64_t wall_ms)
{
	int64_t step = wall_ms / t->step_ms;

	if (!isfinite(value) || step <= 0)
		return;
	if (t->newest - step > TRAIL_POINTS)
		trail_begin(t, (uint32_t)((uint64_t)t->step_ms * TRAIL_POINTS / 1000));
	if (t->newest == 0)
		t->origin = value;
	if (step < t->newest)
		return;
	if (step > t->newest)
		begin_step(t, step);
	float *p = &t->point[step % TRAIL_POINTS];
	double sum = t->count ? (double)*p * t->count : 0;

	t->count++;
	*p = (float)((sum + (value - t->origin)) / t->count);
}

/* The point `back` steps before the newest. */
static double point(const struct trail *t, int back)
{
	return t->newest > back ? (double)t->point[(t->newest - back) % TRAIL_POINTS] : NAN;
}

double trail_rate(const struct trail *t)
{
	int first = 0, last = TRAIL_POINTS - 1;

	while (first < TRAIL_POINTS && isnan(point(t, first)))
		first++;
	while (last > first && isnan(point(t, last)))
		last--;
	if (last - first < TRAIL_POINTS * 3 / 4)
		return NAN;
	return (point(t, first) - point(t, last)) / ((last - first) * (t->step_ms / 1000.0));
}

struct line {
	unsigned points;
	int span; /* steps between the oldest and the newest */
	double slope, at_zero, r2; /* x in steps before the newest, so negative */
};

/* Least squares of the newest `steps` points; two passes, so that nothing cancels. */
static struct line fit(const struct trail *t, int steps)
{
	double mx = 0, my = 0, sxx = 0, sxy = 0, syy = 0;
	struct line l = {0};
	int newest = -1, oldest = 0;

	for (int i = 0; i < steps; i++) {
		double y = point(t, i);
		if (isnan(y))
			continue;
		l.points++;
		mx += (-i - mx) / l.points;
		my += (y - my) / l.points;
		newest = newest < 0 ? i : newest;
		oldest = i;
	}
	l.span = l.points ? oldest - newest : 0;
	for (int i = 0; i < steps; i++) {
		double y = point(t, i);
		if (isnan(y))
			continue;
		sxx += (-i - mx) * (-i - mx);
		sxy += (-i - mx) * (y - my);
		syy += (y - my) * (y - my);
	}
	l.slope = sxx > 0 ? sxy / sxx : 0;
	l.at_zero = my - l.slope * mx;
	l.r2 = sxx > 0 && syy > 0 ? sxy * sxy / (sxx * syy) : 0;
	return l;
}

void forecast_fit(const struct trail *t, struct forecast *out)
{
	struct line all = fit(t, TRAIL_POINTS), newer = fit(t, TRAIL_POINTS / 2);
	double step_s = t->step_ms / 1000.0;

	out->points = all.points;
	out->slope = all.slope / step_s;
	out->newest = all.at_zero + t->origin;
	out->r2 = all.r2;
	out->newer_slope = newer.points >= 4 ? newer.slope / step_s : NAN;
	out->believed = all.points >= POINTS_WANTED && all.span >= SPAN_WANTED && all.r2 >= R2_WANTED &&
			(all.slope > 0 ? out->newer_slope >= out->slope / 2 : out->newer_slope <= out->slope / 2);
}

double forecast_seconds(const struct forecast *f, bool above, double limit)
{
	double way = limit - f->newest;
	/* the slower of the two: a step at the beginning of the window makes the whole line too steep */
	double slope = fabs(f->newer_slope) < fabs(f->slope) ? f->newer_slope : f->slope;

	if (!f->believed || (above ? f->slope <= 0 : f->slope >= 0))
		return INFINITY;
	if (above ? way <= 0 : way >= 0)
		return 0;
	return way / slope;
}
