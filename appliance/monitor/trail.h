/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The recent course of one value: means of 36 equal steps over a window. Thresholds of kind rate and forecast look at it. Pure; time is
 * the wall clock (it outlives restarts). 168 bytes. */
#ifndef GLORY_MONITOR_TRAIL_H
#define GLORY_MONITOR_TRAIL_H

#include <stdbool.h>
#include <stdint.h>

#define TRAIL_POINTS 36

struct trail {
	int64_t newest;    /* number of the newest step since the epoch; 0: nothing yet */
	double origin;     /* added to every point: floats keep small changes of large values */
	uint32_t step_ms;
	uint32_t count;    /* samples in the newest step */
	float point[TRAIL_POINTS]; /* by step % 36, less origin; NAN where no sample was */
};

void trail_begin(struct trail *trail, uint32_t window_s);
/* Takes a sample in. NAN is no sample. A clock that goes back adds nothing until it is past the newest step, or begins anew when it went
 * back by more than the window. */
void trail_add(struct trail *trail, double value, int64_t wall_ms);
/* Change a second from the oldest point to the newest; NAN while they are less than three quarters of the window apart. */
double trail_rate(const struct trail *trail);

/* Least squares over the points. Believed when there are 12 points over two thirds of the window, the line explains four fifths of their
 * variance (r2 >= 0.8), and the newer half rises or falls at least half as fast: a single step explains up to 3/4 and has level halves. */
struct forecast {
	double slope;  /* a second */
	double newest; /* of the line, at the newest point */
	double r2;
	double newer_slope; /* of the newer half alone; NAN while it has less than 4 points */
	unsigned points;
	bool believed;
};
void forecast_fit(const struct trail *trail, struct forecast *out);
/* Seconds until the line, at the slower of both slopes, reaches the limit from below (above) or from above; 0 when it has; INFINITY when it never does or is not
 * believed. */
double forecast_seconds(const struct forecast *f, bool above, double limit);

#endif
