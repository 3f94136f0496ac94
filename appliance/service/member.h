/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One member of a service: a node that carries it, and where it stands on its way allocating > installing > starting > warming > in-service >
 * draining > releasing. Plain data; plan.h moves it, the engine stores it before each step is made. Called by engine/services*.c.
 *
 * Times are monotonic ms in memory (a wall clock that is set must not make deadlines pass) and wall clock in the store. */
#ifndef GLORY_SERVICE_MEMBER_H
#define GLORY_SERVICE_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/words.h"

#define MEMBER_NAME 64
#define MEMBER_REASON 96
#define MEMBER_TRIES 3       /* then it has failed and another node is taken */
#define MEMBER_WEIGHT 100    /* nominal, of a member that is warm */

struct member {
	char node[MEMBER_NAME];
	uint8_t state;          /* enum member_state */
	uint8_t tries;          /* runs and warm-ups that failed since it was last in service */
	bool again;             /* draining, releasing: it is stopped and started anew, it does not go */
	bool out;               /* weight 0 although it is warm: it, or its node, is in trouble */
	uint32_t weight;        /* 0..100: how warm it is */
	int64_t since_ms, deadline_ms; /* of the state; deadline 0: none */
	int64_t retry_ms;       /* nothing is tried again before; 0 */
	int64_t ramp_ms;        /* its weight grows since; 0: it does not */
	int64_t allocated_ms;   /* for the measured start time; 0: it has been in service since */
	int64_t out_ms;         /* in trouble since, out or kept for want of others; 0: well */
	int64_t started_ms;     /* last start that ended well */
	uint64_t build;         /* of the software and agent it was started with; 0: nothing of it runs */
	char agent[96], parameters[256], software[64]; /* as it was started: what stops it must be the same */
	char reason[MEMBER_REASON]; /* the line that explains the state */
};

/* What witnesses say of a member. SOFT: one witness; HARD: two that do not share a path; DEAD: confirmed, no use to wait. */
enum evidence { EVIDENCE_GOOD = 1, EVIDENCE_NONE, EVIDENCE_SOFT, EVIDENCE_HARD, EVIDENCE_DEAD };
struct member_witness {
	enum verdict verdict;      /* of its node */
	enum certainty certainty;
	enum probe_state probe;
	bool held;                 /* the node is under a domain's root alarm: its verdict is not its own */
	bool suspended;            /* the appliance does not judge at present */
	bool maintenance;          /* its darkness is expected */
};
enum evidence member_evidence(const struct member_witness *w);

/* The next state, entered now; reason may be "". tries, weight and build stay. */
void member_enter(struct member *m, enum member_state state, int64_t now_ms, int64_t for_ms, const char *reason);
void member_reason(struct member *m, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* In the balancer's picture? From warming on until it is being released for good. */
bool member_is_balanced(const struct member *m);
/* Carries traffic, or is on its way to. */
bool member_is_coming(const struct member *m); /* allocating .. warming */

/* The value of /service/NAME/member/NODE, version 1; caller frees. And back: false = not one of ours. wall_ms - mono_ms is the difference of the
 * two clocks now; what was stored in the future counts as now. */
char *member_to_json(const struct member *m, int64_t mono_ms, int64_t wall_ms);
bool member_from_json(const char *json, const char *node, int64_t mono_ms, int64_t wall_ms, struct member *out);

#endif
