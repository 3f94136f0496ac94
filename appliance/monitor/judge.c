/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The judge: takes what happened in, works out the witnesses of the node, asks the verdict function, and tells when the
 * answer has changed (verdicts, sections 2 and 4). Driven by the engine's loop and by tests/sim.
 */
#include "monitor/judge.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "monitor/judge_node.h"

enum { DOMAIN_TURN_MS = 100, EVALUATE_A_TURN = 2000, QUEUE_OLD_MS = 500 };

void judge_params_default(struct judge_params *params)
{
	*params = (struct judge_params){
		.bmc_first_ms = 800,
		.bmc_repeat_ms = 500,
		.bmc_silent_ms = 2500,
		.bmc_fresh_ms = 30000,
		.cause_ms = 3800,
		.confirm_ms = 10000,
		.second_read_ms = 1000,
		.alive_ms = 10000,
		.dead_bmc_ms = 10000,
		.off_misses = 6,
		.off_ms = 1650,
		.root_ms = 1800,
		.root_cause_ms = 5000,
		.reference_ms = 600,
		.release_ms = 3000,
		.onset_ms = 3000,
		.late_ms = 100,
		.stall_ms = 3000,
		.settle_ms = 1500,
	};
}

struct judge *judge_create(const struct judge_params *params, const struct judge_ops *ops, void *arg, uint32_t max_nodes,
			   uint32_t max_domains, int64_t now)
{
	struct judge *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->p = *params;
	j->ops = *ops;
	j->arg = arg;
	j->max_nodes = max_nodes;
	j->max_domains = max_domains;
	j->created = j->due = now;
	j->cursor = max_nodes;
	j->nodes = calloc(max_nodes ? max_nodes : 1, sizeof(*j->nodes));
	j->domains = calloc(max_domains ? max_domains : 1, sizeof(*j->domains));
	j->tally = calloc(max_domains ? max_domains : 1, sizeof(*j->tally));
	if (!j->nodes || !j->domains || !j->tally || wheel_init(&j->wheel, max_nodes, now) < 0) {
		judge_free(j);
		return NULL;
	}
	return j;
}

void judge_free(struct judge *j)
{
	if (!j)
		return;
	wheel_free(&j->wheel);
	free(j->nodes);
	free(j->domains);
	free(j->tally);
	free(j);
}

/* --- the judge clock ---------------------------------------------------------------------------------- */

static int64_t paused(const struct judge *j, int64_t now)
{
	return j->paused + (j->reasons ? now - j->paused_since : 0);
}

int64_t judge_clock(const struct judge *j, int64_t now)
{
	return now - j->created - paused(j, now);
}

/* since the first lost probe was sent, on the judge clock */
int64_t judge_elapsed(const struct judge *j, const struct jnode *n, int64_t now)
{
	return now - n->first - (paused(j, now) - n->paused_at_first);
}

void judge_set_reasons(struct judge *j, unsigned reasons, int64_t now)
{
	if (reasons == j->reasons)
		return;
	if (!j->reasons) {
		j->suspended_since = j->paused_since = now;
	} else if (!reasons) {
		j->paused += now - j->paused_since;
		j->cursor = 0;
	}
	j->reasons = reasons;
	j->ops.suspended(j->arg, reasons, j->suspended_since);
}

/* --- one node ------------------------------------------------------------------------------------------ */

bool jnode_alive(const struct jnode *n)
{
	return n->k == STATE_ANS || n->s == STATE_ANS || n->s == STATE_LATE || n->s == STATE_REFUSED || n->returning;
}

/* A BMC that says off needs fewer misses: 6 instead of the whole window; but a domain that may be without power speaks first. */
static bool off_is_due(const struct judge *j, const struct jnode *n, int64_t now)
{
	return n->flagged && n->misses >= j->p.off_misses && n->k != STATE_ANS && n->k != STATE_NA && !domains_in_company(j, n) &&
	       judge_elapsed(j, n, now) >= j->p.off_ms;
}

void judge_input(struct judge *j, struct jnode *n, struct verdict_input *in, int64_t now)
{
	uint32_t root;

	*in = (struct verdict_input){
		.s = n->s,
		.k = n->k,
		.u = n->u,
		.b = (uint8_t)bmc_effective(n),
		.p = n->first && n->p_at >= n->first ? n->p : PORT_NA,
		.d = (uint8_t)domains_state_of(j, n, &root),
		.m = n->m,
		.suspended = j->reasons != 0,
		.overdue = now >= n->boot_until,
		.bmc_long = n->bmc_silent_since && now - n->bmc_silent_since > 600000,
	};
	if (in->b == BMC_OFF && off_is_due(j, n, now))
		in->k = STATE_SILENT;
	verdict_normalise(in);
}

static enum certainty certainty_of(const struct judge *j, const struct jnode *n, const struct verdict_input *in,
				   const struct verdict_result *r, int64_t now)
{
	int64_t elapsed = judge_elapsed(j, n, now);
	enum certainty reached = n->certainty;

	if (r->verdict == VERDICT_UP || r->verdict == VERDICT_UNKNOWN || r->verdict == VERDICT_BOOTING)
		return CERTAINTY_NONE;
	if (!verdict_is_dead(r->verdict))
		return CERTAINTY_CALLED;
	if (r->keep && n->verdict == r->verdict)
		return reached;
	if (in->b == BMC_PEND || !n->first || elapsed < j->p.cause_ms)
		return CERTAINTY_CALLED;
	if (elapsed < j->p.confirm_ms || (n->bmc && in->b != BMC_NA && !n->second))
		return CERTAINTY_CAUSE;
	return CERTAINTY_CONFIRMED;
}

static bool differs(const struct jnode *n, const struct verdict_result *r, enum certainty certainty, uint32_t root, const char *cause)
{
	return n->verdict != r->verdict || n->level != r->level || n->certainty != certainty || n->root != root ||
	       n->held != r->held || n->flapping != n->told_flapping || strcmp(n->cause, cause) != 0;
}

static void fill(const struct judge *j, uint32_t slot, struct judge_verdict *out)
{
	const struct jnode *n = &j->nodes[slot];

	*out = (struct judge_verdict){
		.slot = slot,
		.generation = n->generation,
		.verdict = n->verdict,
		.certainty = n->certainty,
		.level = n->level,
		.since = n->since,
		.not_judged = j->reasons ? j->suspended_since : 0,
		.root = n->root,
		.held = n->held,
		.flapping = n->flapping,
		.power = (enum power)n->power,
		.evidence = {
			.in = { .s = n->s, .k = n->k, .u = n->u, .b = (uint8_t)bmc_effective(n),
				.p = n->first && n->p_at >= n->first ? n->p : PORT_NA, .d = DOMAIN_STATE_OK, .m = n->m,
				.suspended = j->reasons != 0 },
			.misses = n->misses,
			.needed = n->needed,
			.first = n->first,
			.last = n->last,
			.s_at = n->s_at,
			.k_at = n->k_at,
			.u_at = n->u_at,
			.b_at = n->b_at,
			.p_at = n->p_at,
			.m_at = n->m_at,
			.row = n->row,
			.large_lost = n->large_lost,
		},
	};
	uint32_t root;
	out->evidence.in.d = (uint8_t)domains_state_of(j, n, &root);
	out->evidence.link_not_excluded = n->row == 18 && out->evidence.in.p == PORT_NA;
	snprintf(out->cause, sizeof(out->cause), "%s", n->cause);
}

static void tell(struct judge *j, uint32_t slot)
{
	struct judge_verdict v;

	fill(j, slot, &v);
	j->ops.verdict_changed(j->arg, &v);
}

/* Under a domain that is held nothing is called by itself, whichever row the verdict comes from. */
static void put_under_root(const struct judge *j, const struct jnode *n, struct verdict_result *r, uint32_t *root)
{
	enum domain_state d = domains_state_of(j, n, root);

	/* released, and nothing new is known: the old word is no call */
	if (r->keep && n->held && d == DOMAIN_STATE_OK) {
		*root = n->root;
		r->held = true;
		return;
	}
	if (!verdict_is_dead(r->verdict) || d == DOMAIN_STATE_OK) {
		*root = verdict_is_dead(r->verdict) ? n->onset_root : JUDGE_NO_DOMAIN;
		r->held = false;
		return;
	}
	r->held = true;
}

#define ROW_FIRST_CAUSE 15 /* of the verdict function: from here on a row names why a dark node is dark */

/* The first sentence says only that the node does not answer (or that its BMC says off); why is the second one's, even when the
 * witnesses have settled already: between the two a late answer may still change what they mean. */
static void say_only_what_is_due(struct verdict_result *r, enum certainty certainty)
{
	if (certainty == CERTAINTY_CALLED && r->row >= ROW_FIRST_CAUSE && verdict_is_dead(r->verdict) && !r->held) {
		r->verdict = VERDICT_UNREACHABLE;
		r->keep = false;
	}
}

void judge_evaluate(struct judge *j, uint32_t slot, int64_t now)
{
	struct jnode *n = &j->nodes[slot];
	struct verdict_input in;
	char cause[JUDGE_CAUSE_SIZE];
	uint32_t root;

	judge_input(j, n, &in, now);
	if (in.suspended)
		return;
	struct verdict_result r = verdict_decide(&in, n->verdict);
	enum certainty certainty = certainty_of(j, n, &in, &r, now);
	put_under_root(j, n, &r, &root);
	say_only_what_is_due(&r, certainty);
	if (n->row != r.row && !r.keep)
		n->row = r.row;
	if (r.keep)
		snprintf(cause, sizeof(cause), "%s", n->cause[0] ? n->cause : "not yet decided");
	else if (r.verdict == VERDICT_UNREACHABLE)
		snprintf(cause, sizeof(cause), "does not answer");
	else
		incident_cause(j, n, &in, cause, sizeof(cause));
	if (!differs(n, &r, certainty, root, cause))
		return;
	bool dead = verdict_is_dead(r.verdict), called = dead && (!verdict_is_dead(n->verdict) || (n->held && !r.held));
	if (n->verdict != r.verdict)
		n->since = now;
	n->verdict = r.verdict;
	n->level = r.level;
	n->certainty = certainty;
	n->root = root;
	n->held = r.held;
	n->told_flapping = n->flapping;
	snprintf(n->cause, sizeof(n->cause), "%s", cause);
	if (called) {
		incident_called(j, slot, n, now);
		if (!n->held) {
			domains_called(j, slot, now);
			n->root = n->onset_root;
		}
	}
	if (dead) {
		n->inc_verdict = n->verdict;
		n->inc_certainty = n->certainty > n->inc_certainty ? n->certainty : n->inc_certainty;
		if (n->bmc && !n->why_asked && !n->held && certainty >= CERTAINTY_CAUSE) {
			n->why_asked = true;
			j->ops.ask_bmc(j->arg, slot, BMC_ASK_WHY);
		}
	}
	tell(j, slot);
}

void judge_schedule(struct judge *j, uint32_t slot, int64_t now)
{
	const struct jnode *n = &j->nodes[slot];
	int64_t at = bmc_due(j, n, now), other = incident_due(n, now);

	at = other < at ? other : at;
	if (n->first && !j->reasons) {
		int64_t elapsed = judge_elapsed(j, n, now);
		int64_t due = elapsed < j->p.off_ms ? j->p.off_ms : elapsed < j->p.cause_ms ? j->p.cause_ms : j->p.confirm_ms;
		int64_t left = due > elapsed ? due - elapsed : 0;

		if (left)
			at = now + left < at ? now + left : at;
	}
	if ((n->m == WANTED_BOOT || n->m == WANTED_INSTALL) && n->boot_until > now)
		at = n->boot_until < at ? n->boot_until : at;
	if (n->bmc_silent_since && now - n->bmc_silent_since <= 600000 && n->bmc_silent_since + 600001 < at)
		at = n->bmc_silent_since + 600001;
	if (at == INT64_MAX)
		wheel_cancel(&j->wheel, slot);
	else
		wheel_set(&j->wheel, slot, at > now ? at : now + 1);
}

static void turn(struct judge *j, uint32_t slot, int64_t now)
{
	struct jnode *n = &j->nodes[slot];

	if (!n->known)
		return;
	bmc_turn(j, slot, n, now);
	judge_evaluate(j, slot, now);
	incident_turn(j, slot, n, now);
	judge_schedule(j, slot, now);
}

static struct jnode *node_of(struct judge *j, uint32_t slot)
{
	return slot < j->max_nodes && j->nodes[slot].known ? &j->nodes[slot] : NULL;
}

/* --- what happened -------------------------------------------------------------------------------------- */

static void take_kernel(struct jnode *n, enum witness_state state)
{
	n->k = (uint8_t)state;
	if (n->s == STATE_NA || state == STATE_NA)
		return;
	n->s = state == STATE_SILENT ? STATE_SILENT : STATE_PEND;
}

static void take_agent(struct jnode *n, const struct witness_report *r)
{
	n->s = r->state;
	if (r->state == STATE_ANS || r->state == STATE_LATE || r->state == STATE_REFUSED || r->flags & WITNESS_RETURNING)
		n->k = STATE_ANS;
	else if (r->state == STATE_PEND)
		n->k = STATE_NA;
}

static void take_report(struct judge *j, struct jnode *n, const struct witness_report *r, int64_t now)
{
	int64_t first = n->first;

	if (r->witness == WITNESS_U) {
		n->u = r->state;
		n->u_at = r->at;
		return;
	}
	if (r->witness == WITNESS_K)
		take_kernel(n, r->state);
	else
		take_agent(n, r);
	*(r->witness == WITNESS_K ? &n->k_at : &n->s_at) = r->at;
	/* the collector had not read the release yet: it will begin again */
	uint32_t root;
	if (n->k != STATE_ANS && n->s == STATE_SILENT && r->flags & WITNESS_HELD &&
	    domains_state_of(j, n, &root) == DOMAIN_STATE_OK) {
		n->s = STATE_PEND;
		n->k = n->k == STATE_NA ? STATE_NA : STATE_PEND;
	}
	if (n->s != STATE_SILENT && n->s != STATE_REFUSED)
		n->u = STATE_NA;
	n->enough = r->flags & WITNESS_ENOUGH;
	n->returning = r->flags & WITNESS_RETURNING;
	n->large_lost = r->flags & WITNESS_LARGE_LOST;
	n->frozen = r->flags & WITNESS_FROZEN;
	n->reported_held = r->flags & WITNESS_HELD;
	n->misses = r->misses;
	n->needed = r->needed;
	n->first = r->first;
	n->last = r->last > n->last ? r->last : n->last;
	if (n->first && !first)
		n->paused_at_first = paused(j, now);
	if (!n->first || (first && n->first > first))
		bmc_suspicion_ends(n, now);
	if (n->first > first && first)
		n->paused_at_first = paused(j, now);
}

void judge_report(struct judge *j, const struct witness_report *r, int64_t now)
{
	struct jnode *n = node_of(j, r->slot);

	if (!n || r->generation != n->generation || r->state < STATE_NA || r->state > STATE_REFUSED || r->witness < WITNESS_S ||
	    r->witness > WITNESS_U)
		return;
	bool flagged = r->flags & WITNESS_FLAGGED && r->state != STATE_ANS;
	bool was_alive = jnode_alive(n);
	take_report(j, n, r, now);
	if (jnode_alive(n) && !was_alive && n->inc_first && !n->inc_ended) {
		n->inc_ended = now;
		j->ops.probe(j->arg, r->slot);
	}
	/* down again before it was up: the incident goes on */
	if (!jnode_alive(n) && was_alive && n->inc_ended && verdict_is_dead(n->verdict))
		n->inc_ended = 0;
	if (r->witness != WITNESS_U && flagged != n->flagged) {
		n->flagged = flagged;
		domains_flag(j, r->slot, flagged, now);
	}
	turn(j, r->slot, now);
}

void judge_port(struct judge *j, uint32_t slot, enum port_state state, int64_t now)
{
	struct jnode *n = node_of(j, slot);

	if (!n || state < PORT_NA || state >= PORT_STATE_END)
		return;
	n->p = (uint8_t)state;
	n->p_at = now;
	judge_evaluate(j, slot, now);
}

void judge_wanted(struct judge *j, uint32_t slot, enum wanted wanted, int64_t until, int64_t now)
{
	struct jnode *n = node_of(j, slot);

	if (!n || wanted < WANTED_ON || wanted >= WANTED_END)
		return;
	n->m = (uint8_t)wanted;
	n->m_at = now;
	n->boot_until = until;
	judge_evaluate(j, slot, now);
	judge_schedule(j, slot, now);
}

void judge_uptime_expect(const struct judge *j, uint32_t slot)
{
	if (slot >= j->max_nodes)
		return;
	mem_expect(&j->nodes[slot].known, 1);
	mem_expect(&j->nodes[slot].last, 1);
	mem_expect(&j->nodes[slot].inc_first, offsetof(struct jnode, domains) - offsetof(struct jnode, inc_first));
}

void judge_uptime(struct judge *j, uint32_t slot, int64_t agent_ms, int64_t host_ms, int64_t now)
{
	struct jnode *n = node_of(j, slot);

	if (!n)
		return;
	incident_uptime(n, agent_ms, host_ms, now);
	n->last = now > n->last ? now : n->last;
	if (!n->inc_ended)
		return;
	incident_turn(j, slot, n, now);
	judge_schedule(j, slot, now);
}

/* --- suspension ------------------------------------------------------------------------------------------ */

void judge_collector_suspended(struct judge *j, unsigned reasons, int64_t now)
{
	unsigned mine = SUSPEND_STALL | SUSPEND_CARRIER;

	judge_set_reasons(j, (j->reasons & ~mine) | (reasons & mine), now);
}

void judge_queue(struct judge *j, int64_t age_ms, bool collector_up, int64_t now)
{
	if (!collector_up || age_ms > QUEUE_OLD_MS) {
		j->queue_until = now + j->p.settle_ms;
		judge_set_reasons(j, j->reasons | SUSPEND_QUEUE, now);
	}
}

/* Rows that waited for the end of a suspension, a few at each turn. */
static void reevaluate(struct judge *j, int64_t now)
{
	uint32_t end = j->cursor + EVALUATE_A_TURN;

	/* what has gathered meanwhile may be a domain's: it speaks before its members */
	if (!j->cursor)
		domains_consider(j, now);
	for (; j->cursor < j->max_nodes && j->cursor < end; j->cursor++)
		if (j->nodes[j->cursor].known)
			turn(j, j->cursor, now);
}

static void notice_lateness(struct judge *j, int64_t now)
{
	int64_t late = now - j->due;

	if (late > (int64_t)j->p.stall_ms) {
		j->queue_until = now + j->p.settle_ms;
		judge_set_reasons(j, j->reasons | SUSPEND_QUEUE, now);
	} else if (late > (int64_t)j->p.late_ms && !j->reasons) {
		j->paused += late;
	}
	if (j->reasons & SUSPEND_QUEUE && now >= j->queue_until)
		judge_set_reasons(j, j->reasons & ~(unsigned)SUSPEND_QUEUE, now);
}

int64_t judge_tick(struct judge *j, int64_t now)
{
	uint32_t slot;

	notice_lateness(j, now);
	if (j->active && now >= j->domain_due) {
		j->domain_due = now + DOMAIN_TURN_MS;
		domains_turn(j, now);
	}
	while ((slot = wheel_take(&j->wheel, now)) != WHEEL_NONE)
		turn(j, slot, now);
	if (!j->reasons && j->cursor < j->max_nodes)
		reevaluate(j, now);
	int64_t next = wheel_next(&j->wheel);
	bool busy = j->active || j->reasons || j->cursor < j->max_nodes;
	j->due = next - now > DOMAIN_TURN_MS ? now + (busy ? DOMAIN_TURN_MS : DOMAIN_TURN_MS * 5) : next;
	return j->due;
}

/* --- nodes and domains ------------------------------------------------------------------------------------ */

static void leave_domains(struct judge *j, uint32_t slot, int64_t now)
{
	struct jnode *n = &j->nodes[slot];

	if (n->flagged)
		domains_flag(j, slot, false, now);
	n->flagged = false;
	for (unsigned i = 0; i < n->ndomains; i++) {
		struct jdomain *d = &j->domains[n->domains[i]];
		uint32_t *at = &d->head;

		while (*at != MEMBER_NONE && *at != slot * NODE_DOMAINS + i)
			at = &j->nodes[*at / NODE_DOMAINS].next[*at % NODE_DOMAINS];
		if (*at == MEMBER_NONE)
			continue;
		*at = n->next[i];
		d->members--;
	}
	n->ndomains = 0;
}

static void join_domains(struct judge *j, uint32_t slot, const struct judge_node *c)
{
	struct jnode *n = &j->nodes[slot];

	n->ndomains = c->ndomains;
	for (unsigned i = 0; i < n->ndomains; i++) {
		struct jdomain *d = &j->domains[c->domains[i]];

		n->domains[i] = c->domains[i];
		n->next[i] = d->head;
		d->head = slot * NODE_DOMAINS + i;
		d->members++;
	}
}

int judge_domain_set(struct judge *j, uint32_t domain, enum domain_kind kind, uint32_t references)
{
	if (domain >= j->max_domains)
		return -1;
	struct jdomain *d = &j->domains[domain];
	if (!d->known)
		*d = (struct jdomain){ .known = true, .head = MEMBER_NONE, .state = DOMAIN_STATE_OK, .certainty = CERTAINTY_NONE,
				       .root = JUDGE_NO_DOMAIN };
	d->kind = kind;
	d->references = references;
	return 0;
}

void judge_domain_remove(struct judge *j, uint32_t domain, int64_t now)
{
	if (domain >= j->max_domains || !j->domains[domain].known)
		return;
	domains_drop(j, domain, now);
	for (uint32_t at = j->domains[domain].head; at != MEMBER_NONE;) {
		struct jnode *n = &j->nodes[at / NODE_DOMAINS];
		uint32_t place = at % NODE_DOMAINS, next = n->next[place];

		/* the place of the last domain is taken over; its list is told so */
		uint32_t last = --n->ndomains, from = at - place + last;
		if (place != last) {
			uint32_t *link = &j->domains[n->domains[last]].head;

			while (*link != from)
				link = &j->nodes[*link / NODE_DOMAINS].next[*link % NODE_DOMAINS];
			*link = at;
			n->domains[place] = n->domains[last];
			n->next[place] = n->next[last];
		}
		at = next;
	}
	j->domains[domain] = (struct jdomain){ 0 };
}

static bool same_domains(const struct jnode *n, const struct judge_node *c)
{
	return n->known && n->generation == c->generation && n->ndomains == c->ndomains &&
	       memcmp(n->domains, c->domains, c->ndomains * sizeof(n->domains[0])) == 0;
}

static struct jnode new_node(const struct judge_node *c, int64_t now)
{
	return (struct jnode){
		.known = true,
		.generation = c->generation,
		.s = STATE_PEND,
		.k = STATE_PEND,
		.u = STATE_NA,
		.b = BMC_PEND,
		.p = PORT_NA,
		.m = WANTED_ON,
		.power = POWER_UNKNOWN,
		.root = JUDGE_NO_DOMAIN,
		.onset_root = JUDGE_NO_DOMAIN,
		.verdict = VERDICT_UNKNOWN,
		.certainty = CERTAINTY_NONE,
		.level = LEVEL_UNKNOWN,
		.since = now,
		.boot_until = INT64_MAX,
		.agent_began = JUDGE_NEVER,
		.host_began = JUDGE_NEVER,
		.agent_up = -1,
		.host_up = -1,
		.cause = "no answer yet",
	};
}

int judge_node_set(struct judge *j, uint32_t slot, const struct judge_node *c, int64_t now)
{
	if (slot >= j->max_nodes || c->ndomains > NODE_DOMAINS)
		return -1;
	for (unsigned i = 0; i < c->ndomains; i++)
		if (c->domains[i] >= j->max_domains || !j->domains[c->domains[i]].known)
			return -1;
	struct jnode *n = &j->nodes[slot];
	bool flagged = n->known && n->flagged && n->generation == c->generation, stays = same_domains(n, c);
	if (n->known && !stays)
		leave_domains(j, slot, now);
	if (!n->known || n->generation != c->generation)
		*n = new_node(c, now);
	n->bmc = c->bmc;
	n->port = c->port;
	n->poll_bmc = c->poll_bmc;
	n->hash = c->hash;
	if (!n->alive_next)
		n->alive_next = now + 1000 + c->hash % j->p.alive_ms;
	if (!stays)
		join_domains(j, slot, c);
	if (flagged && !stays) {
		n->flagged = true;
		domains_flag(j, slot, true, now);
	}
	judge_schedule(j, slot, now);
	return 0;
}

void judge_node_remove(struct judge *j, uint32_t slot, int64_t now)
{
	if (!node_of(j, slot))
		return;
	leave_domains(j, slot, now);
	wheel_cancel(&j->wheel, slot);
	j->nodes[slot] = (struct jnode){ 0 };
}

bool judge_view(const struct judge *j, uint32_t slot, struct judge_verdict *out)
{
	if (slot >= j->max_nodes || !j->nodes[slot].known)
		return false;
	fill(j, slot, out);
	return true;
}

unsigned judge_suspended(const struct judge *j)
{
	return j->reasons;
}
