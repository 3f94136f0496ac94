/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the judge asks BMCs, and what their silence means: rounds of questions during a suspicion (every 0.5 s, silent after
 * 2.5 s), the second read before confirmation, and liveness while the node is healthy (verdicts 4.1). Called by judge.c.
 */
#include <stdio.h>

#include "monitor/judge_node.h"

enum { QUESTIONS = 5, SILENT_ROUNDS = 2, SECOND_AT_MS = 7000, ALIVE_WAIT_MS = 1000, ALIVE_LOST = 4, OFF_AGAIN_MS = 2500, OFF_PROVED_MS = 2000, POWER_TURN = 3 };

static const int64_t ALIVE_AGAIN_MS[ALIVE_LOST] = { 0, 1000, 3000, 8000 };

/* What the BMC says about this node now; PEND while a suspicion waits for an answer of its own. */
enum bmc_state bmc_effective(const struct jnode *n)
{
	if (!n->bmc)
		return BMC_NA;
	if (n->first && !jnode_alive(n))
		return n->settled ? (enum bmc_state)n->b : BMC_PEND;
	/* a living node's BMC must say off twice: the first may be the moment before it dies */
	if (n->b == BMC_OFF)
		return n->off_twice ? BMC_OFF : BMC_PEND;
	return (enum bmc_state)n->b;
}

static void settle(const struct judge *j, struct jnode *n, enum bmc_state state, int64_t at)
{
	bool same = n->b == state;

	n->b = (uint8_t)state;
	n->asked_at = 0;
	n->ask_n = 0;
	n->silent_rounds = 0;
	if (!n->settled || !same) {
		n->settled = true;
		n->second = false;
		n->read_at = at;
	} else if (at - n->read_at >= (int64_t)j->p.second_read_ms) {
		n->second = true;
		n->read_at = at;
	}
}

void bmc_suspicion_ends(struct jnode *n, int64_t now)
{
	(void)now;
	n->settled = n->second = n->asked_port = false;
	n->asked_at = 0;
	n->ask_n = 0;
	n->why[0] = 0;
	/* a round of lost questions is no proof that the BMC is lost: liveness decides that */
	if (n->bmc_silent_since)
		n->b = BMC_SILENT;
	else if (n->b == BMC_SILENT)
		n->b = BMC_PEND;
}

/* --- the questions of a suspicion ------------------------------------------------------------------------ */

static int64_t round_due(const struct judge *j, const struct jnode *n)
{
	int64_t second = n->first + SECOND_AT_MS, again = n->read_at + j->p.second_read_ms;

	if (!n->settled)
		return n->first + j->p.bmc_first_ms;
	if (!n->second)
		return second > again ? second : again;
	return n->read_at + j->p.dead_bmc_ms;
}

static bool waits_for_domain(const struct judge *j, const struct jnode *n)
{
	uint32_t root;
	enum domain_state d = domains_state_of(j, n, &root);

	return !n->asked_at && !n->settled && d != DOMAIN_STATE_OK && d != DOMAIN_STATE_HANG;
}

static void ask(struct judge *j, uint32_t slot, struct jnode *n, int64_t now)
{
	if (!n->asked_at)
		n->asked_at = now;
	n->ask_n++;
	if (n->bmc)
		j->ops.ask_bmc(j->arg, slot, BMC_ASK_POWER);
	if (n->port && n->ask_n == 1)
		j->ops.ask_port(j->arg, slot);
}

static void suspicion_turn(struct judge *j, uint32_t slot, struct jnode *n, int64_t now)
{
	if (!n->settled && n->b_at >= n->first && (n->b == BMC_ON || n->b == BMC_OFF || n->b == BMC_NA))
		settle(j, n, (enum bmc_state)n->b, n->b_at);
	if (waits_for_domain(j, n))
		return;
	if (n->asked_at && now - n->asked_at >= (int64_t)j->p.bmc_silent_ms) {
		/* a BMC that has answered in this suspicion is not silent for one lost round */
		if (n->settled && n->b != BMC_SILENT && n->bmc && ++n->silent_rounds < SILENT_ROUNDS) {
			n->asked_at = 0;
			n->ask_n = 0;
			return;
		}
		settle(j, n, n->bmc ? BMC_SILENT : BMC_NA, now);
		return;
	}
	if (!n->asked_at ? now >= round_due(j, n) : n->ask_n < QUESTIONS && now >= n->asked_at + n->ask_n * (int64_t)j->p.bmc_repeat_ms)
		ask(j, slot, n, now);
}

/* A member of a held domain whose BMC and port stand for the others. */
void bmc_sample(struct judge *j, uint32_t slot, int64_t now)
{
	struct jnode *n = &j->nodes[slot];

	if (n->asked_at)
		return;
	if (n->first && !n->settled) {
		ask(j, slot, n, now);
	} else {
		if (n->bmc)
			j->ops.ask_bmc(j->arg, slot, BMC_ASK_POWER);
		if (n->port)
			j->ops.ask_port(j->arg, slot);
	}
	judge_schedule(j, slot, now);
}

/* --- liveness --------------------------------------------------------------------------------------------- */

static void alive_missed(struct judge *j, struct jnode *n)
{
	if (!n->alive_misses)
		n->alive_missed_at = n->alive_asked;
	if (n->alive_misses < UINT8_MAX)
		n->alive_misses++;
	if (n->alive_misses < ALIVE_LOST) {
		n->alive_next = n->alive_missed_at + ALIVE_AGAIN_MS[n->alive_misses];
	} else {
		n->alive_next = n->alive_asked + j->p.alive_ms;
		if (!n->bmc_silent_since)
			n->bmc_silent_since = n->alive_missed_at;
		n->b = BMC_SILENT;
	}
	n->alive_asked = 0;
}

static void alive_turn(struct judge *j, uint32_t slot, struct jnode *n, int64_t now)
{
	if (n->alive_asked && now - n->alive_asked >= ALIVE_WAIT_MS)
		alive_missed(j, n);
	if (n->alive_asked || now < n->alive_next)
		return;
	n->alive_asked = now;
	n->alive_next = now + j->p.alive_ms;
	j->ops.ask_bmc(j->arg, slot, n->alive_turn++ % POWER_TURN ? BMC_ASK_ALIVE : BMC_ASK_POWER);
}

static void off_turn(struct judge *j, uint32_t slot, struct jnode *n, int64_t now)
{
	if (!n->off_at || n->off_twice || now < n->off_at + OFF_AGAIN_MS)
		return;
	/* asked again until it says on, or off once more */
	n->off_at = now - OFF_PROVED_MS;
	j->ops.ask_bmc(j->arg, slot, BMC_ASK_POWER);
}

void bmc_turn(struct judge *j, uint32_t slot, struct jnode *n, int64_t now)
{
	if (j->reasons) {
		/* what was asked before or during the suspension is void */
		n->alive_asked = 0;
		if (n->alive_next < now)
			n->alive_next = now + 1000 + n->hash % j->p.alive_ms;
		return;
	}
	if (n->first)
		suspicion_turn(j, slot, n, now);
	if (!n->bmc)
		return;
	off_turn(j, slot, n, now);
	if (n->poll_bmc && !n->first)
		alive_turn(j, slot, n, now);
}

int64_t bmc_due(const struct judge *j, const struct jnode *n, int64_t now)
{
	int64_t at = INT64_MAX, other;

	if (j->reasons)
		return now + 1000;
	if (n->first && (n->asked_at || !waits_for_domain(j, n))) {
		at = round_due(j, n);
		if (n->asked_at) {
			other = n->asked_at + n->ask_n * (int64_t)j->p.bmc_repeat_ms;
			at = n->asked_at + j->p.bmc_silent_ms;
			at = n->ask_n < QUESTIONS && other < at ? other : at;
		}
	} else if (n->bmc && n->poll_bmc && !n->first) {
		at = n->alive_asked ? n->alive_asked + ALIVE_WAIT_MS : n->alive_next;
	}
	if (n->off_at && !n->off_twice && n->off_at + OFF_AGAIN_MS < at)
		at = n->off_at + OFF_AGAIN_MS;
	return at;
}

/* --- answers ------------------------------------------------------------------------------------------------ */

static void while_alive(struct jnode *n, enum bmc_state state, int64_t at)
{
	if (state != BMC_OFF) {
		n->off_at = 0;
		n->off_twice = false;
	} else if (!n->off_at) {
		n->off_at = at;
	} else if (at - n->off_at >= OFF_PROVED_MS) {
		n->off_twice = true;
	}
	n->b = (uint8_t)state;
}

void judge_bmc(struct judge *j, uint32_t slot, enum bmc_state state, int64_t at, int64_t now)
{
	struct jnode *n = slot < j->max_nodes && j->nodes[slot].known ? &j->nodes[slot] : NULL;

	if (!n || !n->bmc || (state != BMC_ON && state != BMC_OFF && state != BMC_NA && state != BMC_SILENT))
		return;
	/* the judge keeps its own count of silence where it asks itself */
	if (state == BMC_SILENT && n->poll_bmc)
		return;
	if (state == BMC_SILENT) {
		n->bmc_silent_since = n->bmc_silent_since ? n->bmc_silent_since : at;
		/* a suspicion asks for itself; told now, it counts when that is over */
		if (!n->first)
			n->b = BMC_SILENT;
	} else {
		n->b_at = at;
		n->bmc_silent_since = 0;
		n->alive_asked = 0;
		n->alive_misses = 0;
		if (state != BMC_NA)
			n->power = state == BMC_ON ? POWER_ON : POWER_OFF;
		if (n->first && at >= n->first && !jnode_alive(n))
			settle(j, n, state, at);
		else
			while_alive(n, state, at);
		if (n->first && at >= n->first && jnode_alive(n))
			settle(j, n, (enum bmc_state)n->b, at);
	}
	if (j->reasons)
		return;
	judge_evaluate(j, slot, now);
	judge_schedule(j, slot, now);
}

void judge_why(struct judge *j, uint32_t slot, const char *text, int64_t now)
{
	if (slot >= j->max_nodes || !j->nodes[slot].known)
		return;
	struct jnode *n = &j->nodes[slot];
	snprintf(n->why, sizeof(n->why), "%.40s", text ? text : "");
	judge_evaluate(j, slot, now);
}
