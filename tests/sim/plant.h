/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A made-up service: members that start late, differ, die and lie, a balancer that counts roughly, and the real sizing rule over them, in
 * ticks of 10 s; for sizing.c. */
#ifndef GLORY_SIM_PLANT_H
#define GLORY_SIM_PLANT_H

#include <stdbool.h>

#include "service/sizing.h"
#include "tests/sim/traces.h"

struct plant_setup {
	enum trace trace;
	const double *load;    /* TRACE_TICKS values, their maximum 1 */
	double start_s;        /* T: a start takes T (0.8 + 0.4 U) */
	unsigned size;         /* S: what fixed provisioning would buy */
	unsigned repeat;       /* throw of the members' dice; the load's is in load */
	unsigned budget;
	unsigned learn_days;   /* before anything is counted */
	unsigned ticks;        /* 0: the whole trace */
	unsigned restart_ticks; /* the state goes through its text each so many ticks; 0 never */
};

struct plant_result {
	double utilisation;    /* percent: load served of all member-time paid */
	double fixed;          /* percent that fixed provisioning would have */
	double saved;          /* percent of fixed provisioning's member-time */
	double over;           /* percent of the time */
	double changes, planned, emergencies; /* a day */
	double longest_over_s; /* in one piece */
	unsigned blind_shrinks; /* shrinks while the demand was unknown or had been within 15 minutes */
	uint64_t digest;       /* of all decisions */
};

void plant_run(const struct plant_setup *setup, struct plant_result *out);

#endif
