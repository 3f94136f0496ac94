/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The story of a verdict: its one line of cause, the call that opens an incident, flapping, and the return whose up-times say
 * what it really was (verdicts, section 3 end, and 4.6). Called by judge.c.
 */
#include <stdio.h>
#include <string.h>

#include "monitor/judge_node.h"

/* EARLIER: the first lost probe comes up to a heartbeat after the death, an answer with the up-times may be a second under way */
enum { UPTIME_WAIT_MS = 15000, UPTIME_SLACK_MS = 1000, EARLIER_MS = 2000, LOOK_MS = 5000 };

static const char *const TEXTS[VERDICT_COUNT] = {
	[VERDICT_UNKNOWN] = "nothing can be asked",
	[VERDICT_UP] = "answers",
	[VERDICT_AGENT_SLOW] = "agent answers after more than 1 s",
	[VERDICT_AGENT_DEAD] = "agent silent, kernel answers",
	[VERDICT_BMC_LOST] = "node answers, its BMC does not",
	[VERDICT_BMC_MISMATCH] = "node answers while its BMC says off",
	[VERDICT_UNREACHABLE] = "does not answer",
	[VERDICT_OS_HUNG] = "silent, BMC says on",
	[VERDICT_LINK_LOST] = "silent, switch port down, BMC says on",
	[VERDICT_PATH_BLOCKED] = "silent here, its switch port still receives from it",
	[VERDICT_POWERED_OFF] = "BMC says off",
	[VERDICT_POWER_LOST] = "node and BMC silent, switch port down",
	[VERDICT_ISOLATED] = "node and BMC silent",
	[VERDICT_GROUP_PATH_LOST] = "the path of its domain is lost",
	[VERDICT_BOOTING] = "starting",
	[VERDICT_BOOT_FAILED] = "not up by its deadline",
};

static const char *text_of(const struct jnode *n, const struct verdict_input *in)
{
	switch (n->row) {
	case 8:
		return "kernel answers, agent and login do not";
	case 18:
		return in->p == PORT_NA ? "silent, BMC says on; link not excluded" : "silent, switch port up, BMC says on";
	case 14:
		return in->d == DOMAIN_STATE_POWER ? "its domain has lost power" : TEXTS[VERDICT_GROUP_PATH_LOST];
	default:
		break;
	}
	return NULL;
}

void incident_cause(const struct judge *j, const struct jnode *n, const struct verdict_input *in, char *out, size_t size)
{
	struct verdict_result r = verdict_decide(in, n->verdict);
	struct jnode shown = { .row = r.row };
	const char *text = text_of(&shown, in);

	(void)j;
	if (!text)
		text = TEXTS[r.verdict];
	if (r.verdict == VERDICT_UP && n->back[0])
		text = n->back;
	if (r.verdict == VERDICT_AGENT_SLOW && n->large_lost)
		text = "large replies lost, small ones come";
	if (r.verdict == VERDICT_AGENT_DEAD && n->frozen)
		text = in->u == STATE_ANS ? "agent's values stand still, login answers" : "agent's values stand still";
	else if (r.verdict == VERDICT_AGENT_DEAD && in->s == STATE_REFUSED)
		text = in->u == STATE_ANS ? "nobody listens on the agent's port, login answers" : "nobody listens on the agent's port";
	else if (r.verdict == VERDICT_AGENT_DEAD && in->u == STATE_ANS)
		text = "agent silent, login answers";
	if (verdict_is_dead(r.verdict) && n->why[0])
		snprintf(out, size, "%s; %.22s", n->why, text);
	else
		snprintf(out, size, "%s", text);
}

const char *incident_return_text(enum judge_return how)
{
	static const char *const HOW[] = {
		[RETURN_UNKNOWN] = "back",
		[RETURN_PATH] = "path",
		[RETURN_REBOOTED] = "rebooted",
		[RETURN_AGENT_RESTARTED] = "agent restarted",
	};

	return HOW[how];
}

static void tell_closed(struct judge *j, uint32_t slot, struct jnode *n, enum judge_return how)
{
	int64_t dark = n->inc_ended - n->inc_first;
	struct judge_closed closed = {
		.slot = slot,
		.generation = n->generation,
		.verdict = n->inc_verdict,
		.certainty = n->inc_certainty,
		.how = how,
		.dark_ms = dark,
		.ended = n->inc_ended,
	};

	snprintf(n->back, sizeof(n->back), "%s: silent %lld.%lld s", incident_return_text(how), (long long)(dark / 1000),
		 (long long)(dark % 1000 / 100));
	snprintf(closed.cause, sizeof(closed.cause), "%s", n->back);
	n->inc_first = n->inc_ended = 0;
	n->onset_root = JUDGE_NO_DOMAIN;
	if (how != RETURN_UNKNOWN)
		incident_uptime(n, n->agent_up, n->host_up, n->up_at);
	j->ops.closed(j->arg, &closed);
}

void incident_called(struct judge *j, uint32_t slot, struct jnode *n, int64_t now)
{
	int64_t clock = judge_clock(j, now);

	if (n->inc_ended)
		tell_closed(j, slot, n, RETURN_UNKNOWN);
	n->onset_root = JUDGE_NO_DOMAIN;

	n->inc_first = n->first ? n->first : now;
	n->inc_ended = 0;
	n->inc_certainty = n->certainty;
	n->back[0] = 0;
	if (n->held || n->m != WANTED_ON)
		return;
	memmove(&n->calls[1], &n->calls[0], sizeof(n->calls) - sizeof(n->calls[0]));
	n->calls[0] = clock + 1; /* 0 = none */
	n->flapping |= n->calls[FLAP_CALLS - 1] && n->calls[0] - n->calls[FLAP_CALLS - 1] <= FLAP_MS;
}

/*
 * Began the host, or the agent, anew in this silence? Where its beginning was known before, it must lie later now: a node that
 * crashes and is back within seconds has an up-time longer than the silence that was noticed.
 */
static bool anew(const struct jnode *n, int64_t before, int64_t began)
{
	return began >= n->inc_first - EARLIER_MS && (before == JUDGE_NEVER || began > before + UPTIME_SLACK_MS);
}

/* The up-times tell who was gone: the host, only the agent, or neither (then it was the path). */
static enum judge_return how_it_was(const struct jnode *n)
{
	if (n->up_at < n->inc_ended || n->agent_up < 0)
		return RETURN_UNKNOWN;
	if (!anew(n, n->agent_began, n->up_at - n->agent_up))
		return RETURN_PATH;
	if (n->host_up < 0)
		return RETURN_UNKNOWN;
	return anew(n, n->host_began, n->up_at - n->host_up) ? RETURN_REBOOTED : RETURN_AGENT_RESTARTED;
}

void incident_uptime(struct jnode *n, int64_t agent_ms, int64_t host_ms, int64_t now)
{
	n->agent_up = agent_ms;
	n->host_up = host_ms;
	n->up_at = now;
	if (n->inc_first)
		return;
	if (agent_ms >= 0)
		n->agent_began = now - agent_ms;
	if (host_ms >= 0)
		n->host_began = now - host_ms;
}

bool judge_incident(const struct judge *j, uint32_t slot)
{
	return slot < j->max_nodes && j->nodes[slot].known && j->nodes[slot].inc_first;
}

void incident_turn(struct judge *j, uint32_t slot, struct jnode *n, int64_t now)
{
	if (n->flapping && judge_clock(j, now) - n->calls[0] > FLAP_MS && !verdict_is_dead(n->verdict))
		n->flapping = false;
	if (!n->inc_ended || verdict_is_dead(n->verdict) || j->reasons)
		return;
	enum judge_return how = how_it_was(n);
	if (how == RETURN_UNKNOWN && now - n->inc_ended < UPTIME_WAIT_MS)
		return;
	tell_closed(j, slot, n, how);
	judge_evaluate(j, slot, now);
}

int64_t incident_due(const struct jnode *n, int64_t now)
{
	int64_t end = n->inc_ended + UPTIME_WAIT_MS;

	if (n->inc_ended)
		return end > now ? end : now + LOOK_MS;
	return n->flapping ? now + LOOK_MS : INT64_MAX;
}
