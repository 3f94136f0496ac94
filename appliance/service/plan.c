/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The planner: what needs all members of a service in view. See plan.h. */
#include "service/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define AGAIN_AT_ONCE 10 /* one of so many members is started anew at a time, at least one */

struct draft { /* a member while it is being planned */
	const struct member_view *seen;
	struct member next;
	enum member_verb verb;
	bool gone;
};

struct planning {
	const struct service_view *v;
	struct draft *d;
	uint32_t wanted;
	uint32_t added; /* in this round */
	uint32_t good, full, live, starting; /* full: good, in service, to stay */
};

uint64_t plan_build(const struct config_service *c, const struct config_software *s)
{
	uint64_t part[5] = {text_hash(c->agent, strlen(c->agent)), text_hash(c->parameters, strlen(c->parameters)),
			    text_hash(c->software, strlen(c->software)), 0, 0};

	if (s) {
		part[3] = text_hash(s->package, strlen(s->package)) ^ text_hash(s->version, strlen(s->version)) * 3;
		part[4] = text_hash(s->digest, strlen(s->digest)) ^ text_hash(s->target, strlen(s->target)) * 3;
	}
	return text_hash(part, sizeof part) | 1;
}

/* --- what a draft is ------------------------------------------------------------------------------------ */
static bool serves(const struct draft *d)
{
	return !d->gone && (d->next.state == MEMBER_IN_SERVICE || d->next.state == MEMBER_WARMING);
}

static bool is_good(const struct draft *d)
{
	return serves(d) && d->next.weight > 0 && !d->next.out && d->seen->evidence <= EVIDENCE_NONE;
}

static bool is_full(const struct draft *d)
{
	return is_good(d) && d->next.state == MEMBER_IN_SERVICE && !d->seen->leave;
}

static bool long_out(const struct planning *p, const struct draft *d)
{
	return serves(d) && d->next.out_ms && p->v->now_ms - d->next.out_ms >= (int64_t)((double)PLAN_REPLACE_MS * (p->v->scale > 0 ? p->v->scale : 1));
}

/* Counts for the size: it is there to stay, or will be. */
static bool is_live(const struct planning *p, const struct draft *d)
{
	if (d->gone || d->seen->leave || d->next.state == MEMBER_FAILED)
		return false;
	if (d->next.state == MEMBER_DRAINING || d->next.state == MEMBER_RELEASING)
		return d->next.again;
	return p->v->tell || !long_out(p, d);
}

/* What a member counts for is taken back before it is changed and counted again after it: a plan costs the same for each member, however many
 * are changed in it. */
static void count_one(struct planning *p, const struct draft *d, uint32_t sign)
{
	p->good += is_good(d) ? sign : 0;
	p->full += is_full(d) ? sign : 0;
	p->live += is_live(p, d) ? sign : 0;
	p->starting += !d->gone && member_is_coming(&d->next) && !d->seen->leave ? sign : 0;
}

static void changing(struct planning *p, const struct draft *d)
{
	count_one(p, d, -1u);
}

static void changed(struct planning *p, const struct draft *d)
{
	count_one(p, d, 1);
}

static void count(struct planning *p)
{
	p->good = p->full = 0;
	p->live = p->starting = p->added;
	for (size_t i = 0; i < p->v->count; i++)
		count_one(p, &p->d[i], 1);
}

/* --- trouble ---------------------------------------------------------------------------------------------- */
/* Two witnesses, or one while the service keeps its minimum: weight 0 at once. The last good one never goes. */
static void take_out(struct planning *p, struct draft *d)
{
	enum evidence e = d->seen->evidence;
	uint32_t others = p->good; /* it is not one of them: there is evidence against it */
	uint32_t least = p->v->config->min < p->wanted ? p->v->config->min : p->wanted;

	if (d->seen->busy || !serves(d) || d->next.out || d->next.weight == 0 || e < EVIDENCE_SOFT || p->v->hands_off)
		return;
	if (!d->next.out_ms)
		d->next.out_ms = p->v->now_ms;
	if (others == 0 || (e == EVIDENCE_SOFT && others < least)) {
		member_reason(&d->next, "kept in the balancer, too few others are good: %s", d->seen->evidence_text);
		return;
	}
	d->next.out = true;
	d->next.ramp_ms = 0;
	if (d->next.state == MEMBER_WARMING)
		d->next.deadline_ms = p->v->now_ms + plan_start_ms(p->v);
	member_reason(&d->next, "out of the balancer: %s", d->seen->evidence_text);
}

static void see_trouble(struct planning *p)
{
	for (size_t i = 0; i < p->v->count; i++) {
		struct draft *d = &p->d[i];
		take_out(p, d);
		/* one that was kept only because too few others were good, and is good itself after all */
		if (serves(d) && !d->seen->busy && !d->next.out && d->seen->evidence == EVIDENCE_GOOD && d->next.state == MEMBER_IN_SERVICE &&
		    d->next.out_ms) {
			d->next.out_ms = 0;
			member_reason(&d->next, "in service");
		}
		if (serves(d) && !d->seen->busy && d->next.out && d->seen->evidence >= EVIDENCE_SOFT)
			member_reason(&d->next, "out of the balancer: %s", d->seen->evidence_text);
	}
}

/* It is out of the balancer: nobody misses it meanwhile. */
static void renew(struct planning *p)
{
	for (size_t i = 0; i < p->v->count; i++) {
		struct draft *d = &p->d[i];
		if (!d->seen->renew || d->seen->busy || d->gone || !serves(d) || !d->next.out)
			continue;
		plan_release(p->v, &d->next, "stopped and started as a whole");
		d->next.again = true;
		d->verb = VERB_NONE;
	}
}

/* --- smaller ---------------------------------------------------------------------------------------------- */
/* What is given up first: on its way and far from done, then not good, then the ones with the least load, the youngest first. */
static uint64_t worth(const struct draft *d)
{
	static const uint8_t by_state[MEMBER_STATE_COUNT] = {[MEMBER_ALLOCATING] = 1, [MEMBER_INSTALLING] = 2, [MEMBER_STARTING] = 3,
							     [MEMBER_WARMING] = 6, [MEMBER_IN_SERVICE] = 7, [MEMBER_DRAINING] = 5,
							     [MEMBER_RELEASING] = 5};
	uint64_t class = serves(d) && !is_good(d) ? 4 : by_state[d->next.state];

	uint64_t age = d->next.since_ms > 0 ? (uint64_t)d->next.since_ms : 0;
	return class << 56 | (uint64_t)(d->seen->load & 0xffff) << 40 | (UINT64_C(0xffffffffff) - (age & UINT64_C(0xffffffffff)));
}

static void give_up(struct planning *p, struct draft *d, const char *why)
{
	if (d->next.state == MEMBER_WARMING || d->next.state == MEMBER_IN_SERVICE)
		plan_drain(p->v, &d->next, false, why);
	else if (d->next.state == MEMBER_DRAINING || d->next.state == MEMBER_RELEASING)
		d->next.again = false;
	else
		plan_release(p->v, &d->next, why);
	d->verb = VERB_NONE;
}

struct ranked {
	uint64_t worth;
	struct draft *d;
};

static int by_worth(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->worth != y->worth)
		return x->worth < y->worth ? -1 : 1;
	return x->d < y->d ? -1 : x->d > y->d;
}

/* Until enough have gone, or the next to go cannot just now: then nobody goes in its stead. */
static void shrink(struct planning *p)
{
	size_t n = 0;

	if (p->live <= p->wanted)
		return;
	struct ranked *list = mem_array(p->v->count, sizeof *list);
	for (size_t i = 0; i < p->v->count; i++)
		if (is_live(p, &p->d[i]))
			list[n++] = (struct ranked){worth(&p->d[i]), &p->d[i]};
	qsort(list, n, sizeof *list, by_worth);
	for (size_t i = 0; i < n && p->live > p->wanted && !list[i].d->seen->busy; i++) {
		changing(p, list[i].d);
		give_up(p, list[i].d, p->v->run ? "not needed any more" : "the service is stopped");
		changed(p, list[i].d);
	}
	free(list);
}

/* --- larger ----------------------------------------------------------------------------------------------- */
static bool may_return(const struct draft *d)
{
	return !d->gone && !d->seen->busy && !d->seen->leave && !d->seen->unfit && !d->seen->node_gone && d->seen->evidence < EVIDENCE_SOFT;
}

static void take_back_draining(struct planning *p)
{
	for (size_t i = 0; i < p->v->count && p->live < p->wanted; i++) {
		struct draft *d = &p->d[i];
		if (d->next.state != MEMBER_DRAINING || d->next.again || !may_return(d) || d->seen->outdated)
			continue;
		changing(p, d);
		member_enter(&d->next, MEMBER_WARMING, p->v->now_ms, plan_start_ms(p->v), "needed after all");
		changed(p, d);
	}
}

static void take_back_failed(struct planning *p)
{
	int64_t wait = (int64_t)((double)PLAN_AGAIN_MS * (p->v->scale > 0 ? p->v->scale : 1));

	for (size_t i = 0; i < p->v->count && p->live < p->wanted; i++) {
		struct draft *d = &p->d[i];
		bool by_itself = d->next.tries >= MEMBER_TRIES && !d->seen->renew; /* its node was well all the time, nothing was mended */
		if (d->next.state != MEMBER_FAILED || !may_return(d) || (by_itself && p->v->now_ms - d->next.since_ms < wait))
			continue;
		changing(p, d);
		plan_release(p->v, &d->next, "its node is well: being started anew");
		d->next.again = true;
		changed(p, d);
	}
}

static uint32_t add_members(struct planning *p, struct service_plan *out)
{
	size_t used = 0;

	while (p->live < p->wanted && used < p->v->offer_count) {
		out->actions = out->count == out->room ? mem_grow(out->actions, (out->room = out->room ? out->room * 2 : 8), sizeof out->actions[0])
						       : out->actions;
		struct plan_action *a = &out->actions[out->count++];
		*a = (struct plan_action){.what = PLAN_ADD};
		text_copy(a->next.node, sizeof a->next.node, p->v->offers[used++].node);
		member_enter(&a->next, MEMBER_ALLOCATING, p->v->now_ms, PLAN_ALLOCATE_MS, "its node is being allocated");
		a->next.allocated_ms = p->v->now_ms;
		p->added++;
		p->live++;
		p->starting++;
	}
	return p->wanted > p->live ? p->wanted - p->live : 0;
}

/* --- those that are to go, and those that are started anew -------------------------------------------------- */
/* It goes when whoever takes its place is in service, or when nobody will and others serve. */
static void let_go(struct planning *p, bool nobody_comes)
{
	for (size_t i = 0; i < p->v->count; i++) {
		struct draft *d = &p->d[i];
		uint32_t others = p->good - is_good(d);
		if (!d->seen->leave || d->seen->busy || d->gone || d->next.state == MEMBER_DRAINING || d->next.state == MEMBER_RELEASING)
			continue;
		bool useless = !is_good(d);
		if (useless || p->full >= p->wanted || (nobody_comes && p->starting == 0 && others > 0)) {
			changing(p, d);
			give_up(p, d, d->seen->leave_text);
			changed(p, d);
		}
	}
}

static void drop_failed(struct planning *p)
{
	for (size_t i = 0; i < p->v->count; i++) {
		struct draft *d = &p->d[i];
		bool failed = d->next.state == MEMBER_FAILED && (p->live >= p->wanted || d->seen->leave);
		/* one that is out for long goes only when whoever took its place is in service */
		bool useless = serves(d) && long_out(p, d) && !p->v->tell && p->full >= p->wanted;
		const char *why = p->v->run ? "another has its place" : "the service is stopped";
		if ((!failed && !useless) || d->seen->busy || d->gone)
			continue;
		if (useless && d->seen->evidence <= EVIDENCE_SOFT)
			plan_drain(p->v, &d->next, false, why);
		else
			plan_release(p->v, &d->next, why);
		d->verb = VERB_NONE;
	}
	count(p);
}

static void start_anew(struct planning *p)
{
	uint32_t at_once = p->live / AGAIN_AT_ONCE ? p->live / AGAIN_AT_ONCE : 1, now = 0;

	for (size_t i = 0; i < p->v->count; i++) /* whoever is not in service now counts, whatever the reason */
		now += !p->d[i].gone && is_live(p, &p->d[i]) && p->d[i].next.state != MEMBER_IN_SERVICE;
	for (size_t i = 0; i < p->v->count && now < at_once; i++) {
		struct draft *d = &p->d[i];
		if (!d->seen->outdated || d->seen->busy || d->seen->leave || !serves(d) || p->good - is_good(d) == 0)
			continue;
		changing(p, d);
		plan_drain(p->v, &d->next, true, "drains, to be started anew");
		d->verb = VERB_NONE;
		now++;
		changed(p, d);
	}
}

/* A lone member has nobody to stand in for it: it is started anew all the same once nothing else can be done. */
static void start_lone_anew(struct planning *p)
{
	for (size_t i = 0; i < p->v->count; i++) {
		struct draft *d = &p->d[i];
		if (d->seen->outdated && !d->seen->busy && !d->seen->leave && serves(d) && p->wanted == 1 && p->live == 1 && p->good <= 1) {
			plan_drain(p->v, &d->next, true, "drains, to be started anew");
			d->verb = VERB_NONE;
			return;
		}
	}
}

/* --- all together ------------------------------------------------------------------------------------------ */
static void describe_state(const struct planning *p, struct service_plan *out)
{
	const struct service_view *v = p->v;
	uint32_t least = v->config->min < p->wanted ? v->config->min : p->wanted;

	if (!v->run) {
		out->state = v->count ? SERVICE_STOPPING : SERVICE_STOPPED;
		out->level = LEVEL_NORMAL;
		if (v->count)
			text_format(out->cause, sizeof out->cause, "%zu members are being stopped", v->count);
		return;
	}
	if (p->good == 0) {
		out->state = v->reached ? SERVICE_DOWN : SERVICE_STARTING;
		out->level = v->reached || (out->failed && !out->coming) ? LEVEL_CRITICAL : LEVEL_NORMAL;
		text_format(out->cause, sizeof out->cause, v->reached ? "no member is good" : "no member is good yet");
	} else if (p->good < least) {
		out->state = v->reached ? SERVICE_SHORT : SERVICE_STARTING;
		out->level = v->reached || (out->failed && !out->coming) ? LEVEL_MAJOR : LEVEL_NORMAL;
		text_format(out->cause, sizeof out->cause, "%u good members of %u at least", p->good, least);
	} else {
		out->state = SERVICE_WELL;
		out->level = out->wanted_more || v->braked ? LEVEL_WARNING : LEVEL_NORMAL;
		if (out->wanted_more)
			text_format(out->cause, sizeof out->cause, "%u members more are wanted, the pool has no node", out->wanted_more);
	}
	if (v->braked && out->level >= LEVEL_WARNING)
		text_format(out->cause, sizeof out->cause, "%u of %zu members in trouble: a person is needed", out->troubled, v->count);
}

static void tell_counts(const struct planning *p, struct service_plan *out)
{
	out->good = p->good;
	for (size_t i = 0; i < p->v->count; i++) {
		const struct member *m = &p->d[i].next;
		if (p->d[i].gone)
			continue;
		out->in_service += m->state == MEMBER_IN_SERVICE || (m->state == MEMBER_WARMING && m->weight);
		out->coming += member_is_coming(m) && !(m->state == MEMBER_WARMING && m->weight);
		out->going += m->state == MEMBER_DRAINING || m->state == MEMBER_RELEASING;
		out->failed += m->state == MEMBER_FAILED;
		out->troubled += m->state == MEMBER_FAILED || m->out;
	}
	for (size_t i = 0; i < out->count; i++)
		out->coming += out->actions[i].what == PLAN_ADD;
}

static bool is_quiet(const struct draft *d)
{
	const struct member *a = &d->seen->m, *b = &d->next;

	return a->state == b->state && a->tries == b->tries && a->again == b->again && a->out == b->out && a->build == b->build && a->weight == b->weight && a->ramp_ms == b->ramp_ms &&
	       a->since_ms == b->since_ms && a->retry_ms == b->retry_ms && d->verb == VERB_NONE && !d->gone;
}

static void tell_actions(const struct planning *p, struct service_plan *out)
{
	for (size_t i = 0; i < p->v->count; i++) {
		const struct draft *d = &p->d[i];
		if (!d->gone && d->verb == VERB_NONE && !memcmp(&d->next, &d->seen->m, sizeof d->next))
			continue;
		if (out->count == out->room)
			out->actions = mem_grow(out->actions, (out->room = out->room ? out->room * 2 : 8), sizeof out->actions[0]);
		out->actions[out->count++] = (struct plan_action){.what = d->gone ? PLAN_GONE : PLAN_CHANGE, .index = i, .quiet = is_quiet(d),
								  .next = d->next, .verb = d->verb};
	}
}

void service_plan(const struct service_view *v, struct service_plan *out)
{
	struct planning p = {.v = v, .d = mem_array(v->count + 1, sizeof *p.d), .wanted = v->run ? v->wanted : 0};
	struct plan_action *kept = out->actions;
	size_t room = out->room;

	memset(out, 0, sizeof *out);
	out->actions = kept;
	out->room = room;
	for (size_t i = 0; i < v->count; i++) {
		struct draft *d = &p.d[i];
		d->seen = &v->members[i];
		d->next = d->seen->m;
		if (!d->seen->busy && !v->hands_off)
			d->verb = plan_step(v, d->seen, &d->next, &d->gone);
	}
	count(&p);
	if (!v->hands_off) {
		see_trouble(&p);
		renew(&p);
		count(&p);
		shrink(&p);
		take_back_draining(&p);
		if (!v->tell) {
			out->wanted_more = p.wanted > p.live ? p.wanted - p.live : 0;
			if (!v->braked)
				out->wanted_more = add_members(&p, out);
			if (out->wanted_more)
				take_back_failed(&p);
		}
		let_go(&p, out->wanted_more > 0 || v->tell);
		drop_failed(&p);
		if (v->run) {
			start_anew(&p);
			start_lone_anew(&p);
		}
	}
	count(&p);
	tell_counts(&p, out);
	tell_actions(&p, out);
	describe_state(&p, out);
	free(p.d);
}

void service_plan_clear(struct service_plan *plan)
{
	free(plan->actions);
	memset(plan, 0, sizeof *plan);
}
