/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A made-up service: members that start late, differ, die and lie, a balancer that counts roughly, and the real sizing rule over them, in
 * ticks of 10 s; for sizing.c, shares.c and replay.c. */
#ifndef GLORY_SIM_PLANT_H
#define GLORY_SIM_PLANT_H

#include <stdbool.h>

#include "service/sizing.h"
#include "tests/sim/traces.h"

struct plant_setup {
	enum trace trace;
	const double *load;    /* for plant_run(): TRACE_TICKS values, their maximum 1 */
	double start_s;        /* T: a start takes T (0.8 + 0.4 U) */
	unsigned size;         /* S: what fixed provisioning would buy; so many serve at first */
	unsigned max;          /* members at most; 0: 2 S */
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

/* The whole of it: the service gets each member that the rule wants. */
void plant_run(const struct plant_setup *setup, struct plant_result *out);

/* --- step by step, for a service that has to ask a pool for its nodes --- */
enum { PLANT_MIN = 2 };
struct plant;
struct plant_now {
	unsigned serving, starting, draining; /* each of them holds a node */
	unsigned wanted;
	double demand;         /* as the rule measured it; NAN unknown */
	double capacity;       /* members' worth of all that serve, now */
};

/* setup stays the caller's and has to last; free() ends it. */
struct plant *plant_begin(const struct plant_setup *setup);
/* Members come, go and die, the load (members' worth) is measured and the rule asked. True when a member died: its node is gone with it. */
bool plant_tick(struct plant *p, unsigned tick, double load);
struct plant_now plant_now(const struct plant *p);
/* One more member, one fewer. A starting one is cancelled first and its node free at once, others drain. */
void plant_start(struct plant *p, unsigned tick);
void plant_stop(struct plant *p, unsigned tick);

#endif
