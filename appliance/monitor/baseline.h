/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is usual for a value at this hour of the week: mean and standard deviation of the same hour of earlier weeks, older weeks counting
 * ever less (as over the last 6). Robust: from the third week on an hour moves what is usual by at most 3 of its deviations, so one bad
 * Monday does not become the rule. Pure; hours are of the wall clock in UTC, so no hour is there twice or missing. 1,560 bytes. */
#ifndef GLORY_MONITOR_BASELINE_H
#define GLORY_MONITOR_BASELINE_H

#include <stdbool.h>
#include <stdint.h>

#define BASELINE_HOURS 168
#define BASELINE_WEEKS 2 /* so many weeks of this hour before it is judged */

struct baseline {
	int64_t hour;        /* being gathered: hours since the epoch; 0 none */
	double mean, squares; /* of its samples: mean, sum of squared differences from it */
	int64_t first_ms, last_ms;
	uint32_t samples, pad;
	float means[BASELINE_HOURS], variances[BASELINE_HOURS];
	uint8_t weeks[BASELINE_HOURS]; /* how many have been taken in, at most 255 */
};

/* Takes a sample in; NAN is none. An hour counts when its samples span at least half of it. A clock that goes back begins its hour anew. */
void baseline_add(struct baseline *b, double value, int64_t wall_ms);
/* What is usual at this time. False while fewer than BASELINE_WEEKS weeks of this hour were seen. */
bool baseline_usual(const struct baseline *b, int64_t wall_ms, double *mean, double *deviation);

#endif
