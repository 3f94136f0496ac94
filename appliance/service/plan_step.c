/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way of one member, a function per state; plan.c decides what needs a look at all of them. */
#include "service/plan.h"

#include "base/memory.h"
#include "base/text.h"

#define RETRY_MS 5000
#define WARM_STEPS 5
#define FELL_BACK_MS 10000 /* for one that was good to become so again by itself */
#define OFF_BALANCER_MS 15000 /* a balancer that does not answer is not waited for longer */

struct stepping {
	const struct service_view *v;
	const struct member_view *seen;
	struct member *m;
	bool *gone;
};

static int64_t scaled(const struct service_view *v, int64_t ms)
{
	return v->scale > 0 && v->scale < 1 ? (int64_t)((double)ms * v->scale) : ms;
}

int64_t plan_start_ms(const struct service_view *v)
{
	int64_t twice = (int64_t)v->config->start_s * 2000;

	return scaled(v, twice > 60000 ? twice : 60000);
}

static bool late(const struct stepping *s)
{
	return s->m->deadline_ms && s->v->now_ms >= s->m->deadline_ms;
}

void plan_drain(const struct service_view *v, struct member *m, bool again, const char *reason)
{
	member_enter(m, MEMBER_DRAINING, v->now_ms, scaled(v, (int64_t)v->config->drain_s * 1000), reason);
	m->again = again;
}

void plan_release(const struct service_view *v, struct member *m, const char *reason)
{
	member_enter(m, MEMBER_RELEASING, v->now_ms, scaled(v, PLAN_STOP_MS), reason);
	m->tries = 0;
}

static enum member_verb fail(struct stepping *s, const char *why)
{
	struct member *m = s->m;

	member_enter(m, MEMBER_FAILED, s->v->now_ms, 0, "");
	member_reason(m, "%s", why[0] ? why : "no reason is known");
	m->again = false;
	return VERB_NONE;
}

/* One try more, a little later; or it has failed. */
static enum member_verb retry(struct stepping *s, enum member_state state, const char *what, const char *why)
{
	struct member *m = s->m;
	int64_t for_ms = state == MEMBER_INSTALLING ? scaled(s->v, PLAN_INSTALL_MS) : plan_start_ms(s->v);
	char text[MEMBER_REASON];

	if (++m->tries >= MEMBER_TRIES) {
		text_format(text, sizeof text, "%s %u times: %s", what, m->tries, why);
		return fail(s, text);
	}
	member_enter(m, state, s->v->now_ms, for_ms, "");
	m->retry_ms = s->v->now_ms + scaled(s->v, RETRY_MS * m->tries);
	member_reason(m, "%s: %s, try %u of %d", what, why, m->tries + 1, MEMBER_TRIES);
	return VERB_NONE;
}

static enum member_verb begin_start(struct stepping *s)
{
	member_enter(s->m, MEMBER_STARTING, s->v->now_ms, plan_start_ms(s->v), "being started");
	return VERB_NONE; /* the step that finds it starting without a run makes the run */
}

static enum member_verb step_allocating(struct stepping *s)
{
	if (s->seen->unfit)
		return fail(s, s->seen->unfit_text);
	if (!s->v->software)
		return begin_start(s);
	member_enter(s->m, MEMBER_INSTALLING, s->v->now_ms, scaled(s->v, PLAN_INSTALL_MS), "");
	member_reason(s->m, "%.60s is being installed", s->v->software->head.name);
	return VERB_NONE;
}

/* What became of the verb; another one that is still open is waited for. */
static enum member_run run_of(const struct member_view *seen, enum member_verb verb)
{
	return seen->run == RUN_OPEN || seen->run_verb == verb ? seen->run : RUN_IDLE;
}

/* Runs a verb until it has ended well. */
static bool run_to_end(struct stepping *s, const char *what, enum member_verb verb, enum member_verb *out)
{
	enum member_run run = run_of(s->seen, verb);

	*out = VERB_NONE;
	if (run == RUN_GOOD)
		return true;
	if (run == RUN_BAD)
		*out = retry(s, (enum member_state)s->m->state, what, s->seen->run_text);
	else if (late(s) && run != RUN_OPEN)
		*out = retry(s, (enum member_state)s->m->state, what, "not done in time");
	else if (run == RUN_IDLE && s->v->now_ms >= s->m->retry_ms)
		*out = verb;
	return false;
}

static void remember_build(struct stepping *s)
{
	const struct config_service *c = s->v->config;

	s->m->build = s->v->build;
	text_copy(s->m->agent, sizeof s->m->agent, c->agent);
	text_copy(s->m->parameters, sizeof s->m->parameters, c->parameters);
	text_copy(s->m->software, sizeof s->m->software, c->software);
}

static enum member_verb step_installing(struct stepping *s)
{
	enum member_verb verb;

	if (s->seen->evidence == EVIDENCE_DEAD)
		return fail(s, s->seen->evidence_text);
	if (!s->v->software || run_to_end(s, "cannot be installed", VERB_INSTALL, &verb))
		return begin_start(s);
	return verb;
}

static enum member_verb step_starting(struct stepping *s)
{
	enum member_verb verb;

	if (s->seen->evidence == EVIDENCE_DEAD)
		return fail(s, s->seen->evidence_text);
	if (!run_to_end(s, "does not start", VERB_START, &verb)) {
		if (verb == VERB_START)
			remember_build(s); /* before it runs: what may have been started is what must be stopped */
		return verb;
	}
	s->m->started_ms = s->v->now_ms;
	member_enter(s->m, MEMBER_WARMING, s->v->now_ms, plan_start_ms(s->v), "started, not yet probed good");
	return VERB_NONE;
}

/* 20, 40, ... 100 of 100 over warm_s. */
static void grow_weight(struct stepping *s)
{
	int64_t warm = scaled(s->v, (int64_t)s->v->config->warm_s * 1000), grown = s->v->now_ms - s->m->ramp_ms;
	int64_t step = warm > 0 ? grown * WARM_STEPS / warm : WARM_STEPS;

	s->m->weight = (uint32_t)((step >= WARM_STEPS ? WARM_STEPS : step + 1) * MEMBER_WEIGHT / WARM_STEPS);
	if (warm > 0 && grown < warm) {
		member_reason(s->m, "probed good, weight %u of %d", s->m->weight, MEMBER_WEIGHT);
		return;
	}
	member_enter(s->m, MEMBER_IN_SERVICE, s->v->now_ms, 0, "in service");
	s->m->weight = MEMBER_WEIGHT;
	s->m->tries = 0;
}

static enum member_verb step_warming(struct stepping *s)
{
	struct member *m = s->m;

	if (s->seen->evidence == EVIDENCE_DEAD || s->seen->give_up)
		return fail(s, s->seen->evidence_text);
	if (s->seen->evidence == EVIDENCE_GOOD && !s->seen->flapping) {
		if (!m->ramp_ms) {
			m->ramp_ms = s->v->now_ms;
			m->deadline_ms = 0;
			m->allocated_ms = 0;
		}
		m->out = false;
		m->out_ms = 0;
		grow_weight(s);
		return VERB_NONE;
	}
	if (s->seen->evidence == EVIDENCE_NONE && m->ramp_ms) { /* nothing new is known: it stays where it is */
		return VERB_NONE;
	}
	if (m->ramp_ms) { /* it was good and is so no more: its node was started anew, or what ran there has ended */
		m->ramp_ms = 0;
		m->deadline_ms = s->v->now_ms + FELL_BACK_MS;
	}
	m->weight = 0;
	member_reason(m, "not yet good: %s", s->seen->evidence_text[0] ? s->seen->evidence_text : "not yet probed");
	return late(s) ? retry(s, MEMBER_STARTING, "does not become good", s->seen->evidence_text) : VERB_NONE;
}

static enum member_verb step_in_service(struct stepping *s)
{
	struct member *m = s->m;

	if (s->seen->evidence == EVIDENCE_DEAD && !s->v->tell)
		return fail(s, s->seen->evidence_text);
	if (s->seen->give_up && m->out)
		return fail(s, s->seen->evidence_text);
	if (!m->out || s->seen->evidence != EVIDENCE_GOOD || s->seen->flapping)
		return VERB_NONE;
	member_enter(m, MEMBER_WARMING, s->v->now_ms, plan_start_ms(s->v), "good again, its weight grows");
	m->out = false;
	m->out_ms = 0;
	m->ramp_ms = s->v->now_ms;
	m->deadline_ms = 0;
	grow_weight(s);
	return VERB_NONE;
}

static enum member_verb step_draining(struct stepping *s)
{
	struct member *m = s->m;
	bool dead = s->seen->node_gone || s->seen->evidence == EVIDENCE_DEAD || (s->seen->evidence == EVIDENCE_HARD);

	if (!s->seen->idle && !late(s) && !dead)
		return VERB_NONE;
	plan_release(s->v, m, m->again ? "drained, being stopped to be started anew" : "drained, being taken from the balancer");
	return VERB_NONE;
}

/* Whatever ran there is stopped, as far as can be. */
static enum member_verb stop_it(struct stepping *s, bool *over)
{
	struct member *m = s->m;
	enum member_run run = run_of(s->seen, VERB_STOP);

	*over = !m->build || s->seen->node_gone || run == RUN_GOOD;
	if (*over)
		return VERB_NONE;
	if (run == RUN_BAD) {
		m->tries++;
		m->retry_ms = s->v->now_ms + scaled(s->v, RETRY_MS);
		member_reason(m, "cannot be stopped: %s", s->seen->run_text);
		*over = m->tries >= MEMBER_TRIES || s->seen->unfit;
		return VERB_NONE;
	}
	if (run == RUN_OPEN)
		return VERB_NONE;
	*over = s->seen->evidence == EVIDENCE_DEAD || late(s);
	return *over || s->v->now_ms < m->retry_ms ? VERB_NONE : VERB_STOP;
}

static enum member_verb step_releasing(struct stepping *s)
{
	struct member *m = s->m;
	bool over;

	if (!m->again && !s->seen->off_balancer && !s->seen->node_gone &&
	    s->v->now_ms - m->since_ms < scaled(s->v, OFF_BALANCER_MS)) {
		member_reason(m, "waits for the balancer to drop it");
		return VERB_NONE;
	}
	enum member_verb verb = stop_it(s, &over);
	if (!over)
		return verb;
	if (!m->again || !s->v->run) {
		*s->gone = true;
		return VERB_NONE;
	}
	m->again = false;
	m->tries = 0;
	m->build = 0;
	m->allocated_ms = 0;
	member_enter(m, MEMBER_ALLOCATING, s->v->now_ms, scaled(s->v, PLAN_ALLOCATE_MS), "to be started anew");
	return VERB_NONE;
}

static enum member_verb step_failed(struct stepping *s)
{
	if (s->seen->node_gone)
		*s->gone = true;
	return VERB_NONE; /* plan.c: with the others in view */
}

enum member_verb plan_step(const struct service_view *v, const struct member_view *seen, struct member *m, bool *gone)
{
	static enum member_verb (*const steps[MEMBER_STATE_COUNT])(struct stepping *s) = {
		[MEMBER_ALLOCATING] = step_allocating, [MEMBER_INSTALLING] = step_installing, [MEMBER_STARTING] = step_starting,
		[MEMBER_WARMING] = step_warming, [MEMBER_IN_SERVICE] = step_in_service, [MEMBER_DRAINING] = step_draining,
		[MEMBER_RELEASING] = step_releasing, [MEMBER_FAILED] = step_failed,
	};
	struct stepping s = {v, seen, m, gone};

	*gone = false;
	if (seen->node_gone && m->state != MEMBER_RELEASING) {
		*gone = true; /* nothing is left to be stopped; the balancer's picture is made without it */
		return VERB_NONE;
	}
	return m->state < MEMBER_STATE_COUNT && steps[m->state] ? steps[m->state](&s) : VERB_NONE;
}
