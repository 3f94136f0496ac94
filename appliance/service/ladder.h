/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The repair ladder of a node that carries work (design, section 7): taken out of the balancer > process restarted > service restarted > soft
 * reboot > power cycle > replaced and put on the repair list. Pure: engine/repair.c stores the ladder (/repair/NODE) before it makes a step.
 * A step is tried once; what heals the node in between ends the ladder. Power waits for what the verdict permits. */
#ifndef GLORY_SERVICE_LADDER_H
#define GLORY_SERVICE_LADDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/words.h"
#include "monitor/verdict.h"
#include "service/member.h"

/* Numbers are stored: append-only. POWER_ON and AGENT stand beside the ladder, for what verdicts 4.7 gives them. */
enum ladder_step { LADDER_WELL = 0, LADDER_OUT = 1, LADDER_PROCESS, LADDER_SERVICE, LADDER_SOFT, LADDER_CYCLE, LADDER_REPLACE, LADDER_POWER_ON,
		   LADDER_AGENT, LADDER_BMC, LADDER_STEP_COUNT };
const char *ladder_step_name(int step); /* "restart-process" and so on */
int ladder_step_value(const char *name); /* 0: none */

struct ladder { /* of one node */
	uint8_t step;         /* enum ladder_step: the last one that was made */
	bool listed;          /* on the repair list: people see to it */
	uint8_t resets;       /* resets and power cycles since it was well for a day */
	int64_t since_ms;     /* trouble since, monotonic */
	int64_t step_ms;      /* the step was made */
	int64_t well_ms;      /* no trouble since; 0: there is some */
	char why[MEMBER_REASON];
};

struct ladder_view {
	int64_t now_ms;
	double scale;
	enum policy policy;
	bool maintenance, has_bmc, locked;
	bool braked;          /* the blast radius is used up: people only */
	bool running;         /* the step that was made last is still being made */
	bool shared;          /* good members of other services are on it: it is not rebooted under them */
	bool failed_member;   /* a member on it was given up */
	enum evidence evidence; /* the worst of its members' */
	enum verdict verdict;
	unsigned permits;     /* verdict_permits() */
	const char *text;     /* what the trouble is */
};

/* What is to be done now: LADDER_WELL nothing, LADDER_REPLACE: give the members up and list the node. *l is brought forward (it is to be stored
 * when the answer is not LADDER_WELL or *changed). */
enum ladder_step ladder_next(const struct ladder_view *v, struct ladder *l, bool *changed);
/* Nothing is left to be remembered of it. */
bool ladder_is_over(const struct ladder *l);

char *ladder_to_json(const struct ladder *l, int64_t mono_ms, int64_t wall_ms); /* caller frees */
bool ladder_from_json(const char *json, int64_t mono_ms, int64_t wall_ms, struct ladder *out);

#endif
