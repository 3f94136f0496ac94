/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Weights by headroom: a member that is busier than the mean of its service gets less, one that is less busy gets more. Small steps (the square
 * root of the ratio) no faster than sessions move: with whole steps each 10 s it never settles. A service that idles goes back to nominal weights:
 * what differs between its members then is other work on them, which no weight changes. Pure. */
#ifndef GLORY_SERVICE_WEIGHTS_H
#define GLORY_SERVICE_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEIGHTS_NOMINAL 100 /* of balance/picture.h */
#define WEIGHTS_FLOOR 25
#define WEIGHTS_CEILING 400

struct weights_member {
	float utilisation; /* mean over the averaging window, 0..; NAN: unknown */
	bool settled;      /* in service at full weight: not warming, not draining */
	double weight;     /* in and out: exact, nominal 100; kept by the caller between steps */
	uint32_t written;  /* in: what the balancer has; out: what it is to have */
	bool changed;      /* out: written is another one now */
};

/* Seconds between two steps: the session length within 30..120, and never below 1.5 times what a measurement lags behind
 * (delay_s + window_s). */
double weights_interval(double session_s, double delay_s, double window_s);
/* One step over the members of one service. Members that are not settled or unknown are left out of the mean and keep their weight.
 * Returns how many changed. */
size_t weights_step(struct weights_member *members, size_t count);

#endif
