/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The planner of one service: from its configuration, its wanted size, its members as they are seen and the nodes its pool offers, what is to be
 * done next. Pure: no clock, no I/O. The engine (engine/services*.c) stores each action's member before it acts on it; so whatever moment
 * the engine is killed at, the planner goes on from what was stored, and every step may be made twice.
 *
 * Rules: growth comes before removal; a member in trouble gets weight 0 at once, unless too few good ones would be left; it comes back slowly; what
 * is on its way is given up first when the service shrinks, what drains is taken back first when it grows. */
#ifndef GLORY_SERVICE_PLAN_H
#define GLORY_SERVICE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/cluster.h"
#include "service/member.h"

#define PLAN_REPLACE_MS 30000  /* in trouble for so long: another is taken meanwhile */
#define PLAN_AGAIN_MS 300000   /* a failed member whose node is well is tried again after so long, when there is no other */

enum member_verb { VERB_NONE, VERB_INSTALL, VERB_START, VERB_STOP };
/* What became of the run that was asked for in the member's present state. */
enum member_run { RUN_IDLE, RUN_OPEN, RUN_GOOD, RUN_BAD };

struct member_view {
	struct member m;          /* as stored last */
	bool busy;                /* a change of it is being stored: leave it */
	bool node_gone;           /* the node is no longer in the cluster: nothing can be run on it */
	bool unfit;               /* no use starting it: its node is dark, in maintenance, on the repair list */
	bool flapping;            /* its node comes and goes: stays out of the balancer */
	bool leave;               /* it is to go, another is to come first: maintenance, another pool, a hot node */
	bool outdated;            /* what it runs is not what is configured, or a person wants it started anew */
	bool renew;               /* the repair ladder wants it stopped and started as a whole; failed: to be tried again at once */
	bool give_up;             /* the repair ladder is at its end */
	bool off_balancer;        /* the balancer has been read back without it */
	bool idle;                /* weight 0 and no connections, read back since it began to drain */
	enum evidence evidence;
	enum member_run run;
	enum member_verb run_verb; /* what it is, or was */
	uint32_t load;            /* lighter ones go first when the service shrinks */
	const char *evidence_text, *run_text, *leave_text, *unfit_text; /* "" where none */
};

struct plan_offer {
	char node[MEMBER_NAME];
};

struct service_view {
	int64_t now_ms;
	const struct config_service *config;
	const struct config_software *software; /* NULL: nothing is to be installed */
	uint64_t build;           /* plan_build() of both */
	bool run;                 /* enabled, and not removed */
	bool hands_off;           /* nothing is changed */
	bool tell;                /* nothing is replaced */
	bool braked;              /* too many in trouble: nothing is replaced and no new node is taken, a person is called */
	bool reached;             /* it has been well since it was started */
	uint32_t wanted;          /* size; counts only while run */
	double scale;             /* of all times; 1 but in a lab */
	const struct member_view *members;
	size_t count;
	const struct plan_offer *offers; /* nodes that may be taken, best first */
	size_t offer_count;
};

enum plan_what { PLAN_ADD = 1, PLAN_CHANGE, PLAN_GONE };
struct plan_action {
	enum plan_what what;
	size_t index;             /* into members; ADD: unused */
	bool quiet;               /* only texts and the like are other: need not be stored */
	struct member next;       /* as it is to be stored */
	enum member_verb verb;    /* to be run on its node once that is stored */
};

struct service_plan {
	struct plan_action *actions; /* owned; at most one per member, and the added ones */
	size_t count, room;
	uint32_t good, in_service, coming, going, failed, troubled; /* good: carries traffic without evidence against it */
	uint32_t wanted_more;     /* members that are wanted and for which there is no node */
	enum service_state state;
	enum level level;
	char cause[64];
};

/* Fills *out (zeroed, or used before: its room is used again). */
void service_plan(const struct service_view *view, struct service_plan *out);
void service_plan_clear(struct service_plan *plan);
uint64_t plan_build(const struct config_service *config, const struct config_software *software);

/* --- for the planner's two files */
#define PLAN_INSTALL_MS 300000
#define PLAN_STOP_MS 60000
#define PLAN_ALLOCATE_MS 10000
int64_t plan_start_ms(const struct service_view *v);
/* The next state of a member by itself, without regard to the others. Returns the verb to run. */
enum member_verb plan_step(const struct service_view *v, const struct member_view *seen, struct member *m, bool *gone);
/* Begins to drain: for good, or to be started anew. */
void plan_drain(const struct service_view *v, struct member *m, bool again, const char *reason);
/* The last part of its way: stopped and given back. */
void plan_release(const struct service_view *v, struct member *m, const char *reason);

#endif
