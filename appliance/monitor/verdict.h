/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The verdict function (verdicts, section 2) and what a verdict permits (4.7): pure, total, tables only.
 * The judge calls it at every change of a witness; the policies and the power jobs ask verdict_permits() before they act.
 */
#ifndef GLORY_MONITOR_VERDICT_H
#define GLORY_MONITOR_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/witness.h"
#include "base/words.h"

/* Witness M: what is wanted of the node. */
enum wanted { WANTED_ON = 1, WANTED_OFF = 2, WANTED_MAINT = 3, WANTED_BOOT = 4, WANTED_INSTALL = 5, WANTED_END };

/* Everything the verdict function looks at. s, k, u: enum witness_state; d: enum domain_state. */
struct verdict_input {
	uint8_t s, k, u;
	uint8_t b, p, d, m;
	bool suspended; /* witness J */
	bool overdue;	/* the deadline of booting or installing has passed */
	bool bmc_long;	/* the BMC has been silent for more than 10 min */
};

struct verdict_result {
	enum verdict verdict;
	enum level level; /* of the node before its items; expected state already taken in */
	uint8_t row;	  /* row of the table in verdicts section 2 that matched, 1-19 */
	bool keep;	  /* the row says "keep": verdict is the one before */
	bool held;	  /* under the root alarm of a domain: no alarm of its own */
};

/* The verdict from the witnesses and the verdict before; exactly one row matches whatever comes in. */
struct verdict_result verdict_decide(const struct verdict_input *in, enum verdict before);
/* Any packet of the node's kernel counts: K, S or U answers. */
bool verdict_alive(const struct verdict_input *in);
/* The node does not answer, whatever the reason: unreachable ... group-path-lost. */
bool verdict_is_dead(enum verdict verdict);
/* The level this verdict has with these witnesses; up is normal, its items may raise it. */
enum level verdict_level(enum verdict verdict, const struct verdict_input *in);
/*
 * Makes the (S, K, U) of a node consistent before verdict_decide(): an answer of S or U is K; K silent makes S silent; K
 * pending takes the proof from a silent S; a silent U counts only while S is silent or refused and K answers.
 */
void verdict_normalise(struct verdict_input *in);
/* The 12 pairs of S and K that can occur together: with all of U, B, P, D, J, M they make 36,000 combinations. */
bool verdict_possible(const struct verdict_input *in);

/* What may be done. */
enum permit {
	PERMIT_WEIGHT_ZERO = 1,	   /* balancer weight 0, if the service keeps its minimum (the service checks that) */
	PERMIT_RESET = 2,	   /* reset or power cycle */
	PERMIT_POWER_ON = 4,	   /* power on, once */
	PERMIT_RESTART_AGENT = 8,  /* restart the agent's process */
	PERMIT_BMC_COLD_RESET = 16 /* BMC cold reset through the operating system */
};

/* The circumstances besides the witnesses. Times run on the judge clock. */
struct verdict_case {
	struct verdict_input in;
	enum verdict verdict;
	enum certainty certainty;
	int64_t held_ms;	  /* since the verdict was confirmed (agent-dead, bmc-lost: since it was called) */
	int64_t boot_p95_ms;	  /* measured; 0 = unknown */
	bool kdump;		  /* the node writes a dump when it panics */
	bool flapping;		  /* 3 calls in 15 min */
	bool blast_limit;	  /* too many members under repair, or a common onset */
	bool hardware_fault;	  /* SEL shows a thermal or power fault */
	uint8_t done_today;	  /* times the step was done since midnight (power-on: since a person last acted) */
};

/* Bits of enum permit. Nothing is permitted while judgement is suspended or in maintenance. */
unsigned verdict_permits(const struct verdict_case *c);

#endif
