/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Flap damping of whatever comes and goes (verdicts, section 4.6): 3 calls in 15 minutes make it flapping; it stays so until nothing has
 * turned for 15 minutes. Pure; times are monotonic ms. 32 bytes. */
#ifndef GLORY_MONITOR_DAMP_H
#define GLORY_MONITOR_DAMP_H

#include <stdbool.h>
#include <stdint.h>

#define DAMP_CALLS 3

struct damp_rule {
	int64_t within_ms; /* DAMP_CALLS calls in this time: flapping */
	int64_t stable_ms; /* without a turn for so long: not any more */
	int64_t settle_ms; /* the end of an alarm younger than within_ms is told when it has lasted so long: a turn may follow at once */
};
/* 15 min, 15 min, 90 s; scale shortens them for tests (1: as they are). */
struct damp_rule damp_rule_usual(double scale);

struct damp {
	int64_t called_ms[DAMP_CALLS - 1]; /* the calls before the next one, newest first; 0 none */
	int64_t turned_ms;                 /* the last turn, good or bad; 0 none */
	bool flapping;
};

/* It has been called (an alarm raised). Returns whether it is flapping now. */
bool damp_call(struct damp *damp, const struct damp_rule *rule, int64_t now_ms);
/* It is well again. */
void damp_good(struct damp *damp, int64_t now_ms);
/* The last call was none of its own: it is held, in maintenance or silenced, which never counts. */
void damp_uncall(struct damp *damp);
/* When flapping ends if nothing turns; ends it when that time has come. INT64_MAX: it is not flapping (any more). */
int64_t damp_until(struct damp *damp, const struct damp_rule *rule, int64_t now_ms);

#endif
