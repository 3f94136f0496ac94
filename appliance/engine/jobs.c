/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Jobs: accepted in one transaction, each step stored before it is sent, carried on after a restart. What is particular to power stands here, what is
 * to runs over node control in run_jobs.c. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/clock.h"
#include "base/hostrange.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/engine.h"
#include "engine/run_jobs.h"

#define TICK_MS 100
#define JOBS_KEPT 1000
#define OVERDUE_MS 20000   /* beyond the step's own deadline the BMC role is taken to have lost it */
#define STARTS_PER_SECOND 5
#define STEPS_A_BATCH 200
#define NOT_ACCEPTED (UINT32_MAX - 1) /* board slot of a job that is being stored: not on the board, not stepped */

struct held { /* a job in the engine's memory */
	struct job *job;
	uint64_t id;
	UT_hash_handle hh; /* in order of id */
};

struct jobs {
	struct held *all;
	uint32_t ended;
};

struct acceptance { /* a job on its way into the store */
	struct engine *e;
	struct job *job;
	job_accepted *done;
	void *arg;
	uint32_t stored; /* steps that are in the store */
	char set_key[64];
};

static const struct {
	uint32_t deadline_ms;
} limits[POWER_VERB_COUNT] = {
	[POWER_VERB_ON] = {30000}, [POWER_VERB_OFF] = {30000}, [POWER_VERB_SOFT] = {180000},
	[POWER_VERB_RESET] = {30000}, [POWER_VERB_IDENTIFY] = {10000},
};

static struct held *find(struct engine *e, uint64_t id)
{
	struct held *h;

	HASH_FIND(hh, e->jobs->all, &id, sizeof id, h);
	return h;
}

static void hold_job(struct engine *e, struct job *job)
{
	struct held *h = mem_zalloc(sizeof *h);

	h->job = job;
	h->id = job->id;
	HASH_ADD(hh, e->jobs->all, id, sizeof h->id, h);
	if (job->ended_ms)
		e->jobs->ended++;
}

static void header_key(char *out, size_t size, uint64_t id)
{
	text_format(out, size, "/job/%016" PRIu64, id);
}

static void target_key(char *out, size_t size, uint64_t id, uint32_t target)
{
	text_format(out, size, "/job/%016" PRIu64 "/step/%05u", id, target);
}

static void save_header(struct engine *e, const struct job *job)
{
	char key[64], *text = job_to_json(job);

	header_key(key, sizeof key, job->id);
	store_put(e->store, key, text, NULL, NULL);
	free(text);
}

static void save_target(struct engine *e, const struct job *job, uint32_t target, store_done *done, void *arg)
{
	char key[64], *text = job_target_to_json(job, target);

	target_key(key, sizeof key, job->id, target);
	store_put(e->store, key, text, done, arg);
	free(text);
}

static void forget(struct engine *e, struct held *h)
{
	struct job *job = h->job;
	char key[64];

	for (uint32_t t = 0; t < job->count; t++) {
		target_key(key, sizeof key, job->id, t);
		store_delete(e->store, key, NULL, NULL);
	}
	header_key(key, sizeof key, job->id);
	store_delete(e->store, key, NULL, NULL);
	publish_job_gone(e, job);
	HASH_DEL(e->jobs->all, h);
	job_free(job);
	free(h);
	e->jobs->ended--;
}

static void forget_oldest(struct engine *e)
{
	struct held *h, *next;

	HASH_ITER(hh, e->jobs->all, h, next)
	{
		if (e->jobs->ended <= JOBS_KEPT)
			return;
		if (h->job->ended_ms)
			forget(e, h);
	}
}

/* --- steps --------------------------------------------------------------------------------------------- */
static uint32_t verb_of(const struct job *job, const struct job_target *t)
{
	return job_steps(job->verb)[t->step];
}

struct intent {
	struct engine *e;
	uint64_t id;
	uint32_t target, serial; /* serial: a later intent for the target has overtaken this one when they differ */
};

void jobs_settle(struct engine *e, struct job *job)
{
	int64_t now = clock_wall_ms();

	if (!job_settle(job, now)) {
		publish_job(e, job);
		return;
	}
	for (uint32_t i = 0; i < job->count && !job_is_run(job->verb); i++) { /* what did not start is not booting */
		struct job_target *t = &job->targets[i];
		if (t->phase == TARGET_DONE || !engine_node(e, t->slot, t->generation) || !e->nodes[t->slot]->booting)
			continue;
		e->nodes[t->slot]->booting = false;
		judgement_wanted(e, t->slot);
	}
	save_header(e, job);
	publish_job(e, job);
	e->jobs->ended++;
	struct event_facts facts = {.kind = NOTIFY_JOB_END, .object = job->target, .cause = job->result, .slot = NO_SLOT, .job = job->id,
				    .job_state = (uint8_t)job->state};
	char cause[CAUSE_SIZE];
	text_copy(cause, sizeof cause, job->result);
	facts.cause = cause;
	if (job->count == 1)
		facts.slot = job->targets[0].slot;
	outbox_event(e, &facts);
}

void jobs_fail_target(struct engine *e, struct job *job, uint32_t target, const char *text)
{
	job->targets[target].phase = TARGET_SENT;
	job->targets[target].tries = UINT8_MAX - 1;
	job_step_result(job, target, false, POWER_UNKNOWN, text, clock_wall_ms());
	save_target(e, job, target, NULL, NULL);
	jobs_settle(e, job);
}

/* The intent is on disk: now it may be sent. */
static void on_intent(void *arg, const struct store_reply *r)
{
	struct intent *i = arg;
	struct engine *e = i->e;
	struct held *h = find(e, i->id);

	if (h && h->job->targets[i->target].phase == TARGET_SENT && h->job->targets[i->target].intent == i->serial) {
		struct job_target *t = &h->job->targets[i->target];
		uint32_t verb = verb_of(h->job, t);
		if (job_is_run(verb) && r->status == STORE_OK) {
			t->sent_mono_ms = clock_mono_ms();
			run_jobs_send(e, h->job, i->target);
			free(i);
			return;
		}
		struct msg_power m = {.job = i->id, .slot = t->slot, .generation = t->generation, .verb = verb,
				      .deadline_ms = job_is_run(verb) ? 0 : limits[verb].deadline_ms};
		if (r->status == STORE_OK) {
			t->sent_mono_ms = clock_mono_ms();
			engine_send(e, ROLE_BMC, MSG_POWER, &m, sizeof m);
		} else {
			jobs_fail_target(e, h->job, i->target, "the intent could not be stored, so nothing was sent");
		}
	}
	free(i);
}

static void expect_boot(struct engine *e, uint32_t slot, uint32_t verb)
{
	if (verb == POWER_VERB_ON || verb == POWER_VERB_CYCLE || verb == POWER_VERB_RESET)
		judgement_booting(e, slot, (int64_t)(BOOT_GRACE_MS * e->settings.time_scale));
}

void jobs_begin_step(struct engine *e, struct job *job, uint32_t target)
{
	struct job_target *t = &job->targets[target];
	struct intent *i = mem_zalloc(sizeof *i);

	*i = (struct intent){e, job->id, target, ++t->intent};
	t->phase = TARGET_SENT;
	t->stepped_wall_ms = clock_wall_ms();
	t->sent_mono_ms = clock_mono_ms();
	if (job->state == JOB_QUEUED || job->state == JOB_WAITING) {
		job->state = JOB_RUNNING;
		if (!job->started_ms)
			job->started_ms = t->stepped_wall_ms;
		save_header(e, job);
		publish_job(e, job);
	}
	expect_boot(e, t->slot, job->verb);
	save_target(e, job, target, on_intent, i);
}

static const char *locked_reason(const struct node_state *s)
{
	if (s->mismatch)
		return "node answers while its BMC says off: BMC miswired";
	return s->locked ? s->locked_why : NULL;
}

static bool may_start(struct engine *e, const struct model_node *n)
{
	const struct config_brake *b = cluster_find(&e->model.wanted, CONFIG_BRAKE, "power-on-per-second");

	return n->group_slot >= MODEL_GROUPS || brake_start(&e->groups[n->group_slot].brake, b ? b->value : STARTS_PER_SECOND, clock_mono_ms());
}

static void consider_target(struct engine *e, struct job *job, uint32_t target, int64_t now)
{
	struct job_target *t = &job->targets[target];
	struct model_node *n = engine_node(e, t->slot, t->generation);
	uint32_t verb = verb_of(job, t);

	if (job_is_run(job->verb)) {
		run_jobs_consider(e, job, target);
		return;
	}
	if (t->phase == TARGET_SENT && t->sent_mono_ms && e->roles[ROLE_BMC].channel &&
	    now - t->sent_mono_ms > limits[verb].deadline_ms + OVERDUE_MS)
		jobs_fail_target(e, job, target, "the BMC role gave no result");
	if (t->phase != TARGET_WAITING && t->phase != TARGET_INTENT)
		return;
	if (!n)
		jobs_fail_target(e, job, target, "the node was removed");
	else if (locked_reason(e->nodes[t->slot]) && verb != POWER_VERB_IDENTIFY)
		jobs_fail_target(e, job, target, locked_reason(e->nodes[t->slot]));
	else if (e->roles[ROLE_BMC].channel && (verb != POWER_VERB_ON || may_start(e, n)))
		jobs_begin_step(e, job, target);
}

void jobs_tick(struct engine *e)
{
	struct held *h, *next;
	int64_t now = clock_mono_ms();
	bool open = false;

	HASH_ITER(hh, e->jobs->all, h, next)
	{
		if (h->job->ended_ms || h->job->board_slot == NOT_ACCEPTED)
			continue;
		open = true;
		if (job_is_run(h->job->verb))
			run_jobs_look(e, h->job, now);
		for (uint32_t t = 0; t < h->job->count && !h->job->ended_ms; t++)
			consider_target(e, h->job, t, now);
	}
	if (open)
		loop_timer_set(e->job_timer, TICK_MS);
}

static void on_tick(void *arg)
{
	jobs_tick(arg);
}

void jobs_start(struct engine *e)
{
	e->jobs = mem_zalloc(sizeof *e->jobs);
	e->job_timer = loop_timer_new(e->loop, on_tick, e);
}

void jobs_result(struct engine *e, const struct msg_power_result *m)
{
	struct held *h = find(e, m->job);

	if (!h || job_is_run(h->job->verb) || !text_terminated(m->text, sizeof m->text) || m->state >= POWER_COUNT)
		return;
	for (uint32_t i = 0; i < h->job->count; i++) {
		struct job_target *t = &h->job->targets[i];
		if (t->slot != m->slot || t->generation != m->generation || t->phase != TARGET_SENT || verb_of(h->job, t) != m->verb)
			continue;
		/* what cannot become better by another try */
		if (m->error == BMC_GUID_CHANGED || m->error == BMC_PASSWORD || m->error == BMC_USER || m->error == BMC_PRIVILEGE)
			t->tries = UINT8_MAX - 1;
		job_step_result(h->job, i, m->error == BMC_OK, m->state, m->text, clock_wall_ms());
		text_make_printable(t->text);
		save_target(e, h->job, i, NULL, NULL);
		jobs_settle(e, h->job);
		break;
	}
	jobs_tick(e);
}

/* --- acceptance ---------------------------------------------------------------------------------------- */
static int refuse_open_job(struct engine *e, const struct model_selection *nodes, enum power_verb verb, uint64_t *same, struct error *err)
{
	*same = 0;
	for (size_t i = 0; i < nodes->count; i++) {
		const struct node_state *s = e->nodes[nodes->slots[i]];
		struct held *h = s->power_job ? find(e, s->power_job) : NULL;
		if (!h || h->job->ended_ms)
			continue;
		if (h->job->verb == verb && nodes->count == 1 && h->job->count == 1) {
			*same = h->id;
			return 0;
		}
		return error_set(err, ERR_BUSY, e->model.nodes[nodes->slots[i]].config.head.name, "wait for it, or cancel it",
				 "power job %" PRIu64 " (%s) is open on it", h->id, power_verb_name((int)h->job->verb));
	}
	return 0;
}

static int refuse_node(struct engine *e, uint32_t slot, enum power_verb verb, struct error *err)
{
	const struct model_node *n = &e->model.nodes[slot];
	const char *why = locked_reason(e->nodes[slot]);

	if (!n->config.bmc.family)
		return error_set(err, ERR_CONFIG, n->config.head.name, "give it one: gloryctl node set", "the node has no BMC");
	if (why && verb != POWER_VERB_IDENTIFY)
		return error_set(err, ERR_REFUSED, n->config.head.name, "check the wiring, then: gloryctl node confirm-bmc NODE",
				 "power is locked: %s", why);
	return 0;
}

/* At most so much destructive power a group and minute; all of the command or nothing. */
static int refuse_by_brake(struct engine *e, const struct model_selection *nodes, struct error *err)
{
	const struct config_brake *b = cluster_find(&e->model.wanted, CONFIG_BRAKE, "destructive-per-minute");
	uint32_t *wanted = mem_array(MODEL_GROUPS, sizeof *wanted);
	int64_t now = clock_mono_ms();
	int rc = 0;

	for (size_t i = 0; i < nodes->count; i++) {
		uint32_t g = e->model.nodes[nodes->slots[i]].group_slot;
		if (g < MODEL_GROUPS)
			wanted[g]++;
	}
	for (uint32_t g = 0; g < e->model.group_top && rc == 0; g++) {
		uint32_t limit = brake_limit(b ? b->value : 0, e->model.groups[g].members);
		const char *name = e->model.groups[g].config.head.name;
		if (!wanted[g])
			continue;
		if (wanted[g] > brake_room(&e->groups[g].brake, limit, now)) {
			e->groups[g].braked = true;
			alarms_raise(e, name, "brake", "", LEVEL_MAJOR, "too many power-offs and resets asked for in a minute", NO_SLOT, 0, 0);
			rc = error_set(err, ERR_REFUSED, name, "wait a minute, name fewer nodes, or raise brake destructive-per-minute",
				       "the brake holds: %u more would pass %u a minute", wanted[g], limit);
		}
	}
	for (uint32_t g = 0; g < e->model.group_top && rc == 0; g++)
		if (wanted[g])
			brake_count(&e->groups[g].brake, wanted[g], now);
	free(wanted);
	return rc;
}

void jobs_brakes(struct engine *e)
{
	const struct config_brake *b = cluster_find(&e->model.wanted, CONFIG_BRAKE, "destructive-per-minute");

	for (uint32_t g = 0; g < e->model.group_top; g++) {
		struct model_group *group = &e->model.groups[g];
		uint32_t limit = brake_limit(b ? b->value : 0, group->members);
		if (!group->generation || !e->groups[g].braked || brake_room(&e->groups[g].brake, limit, clock_mono_ms()) < limit)
			continue;
		e->groups[g].braked = false;
		alarms_clear(e, group->config.head.name, "brake", "");
	}
}

static int refuse(struct engine *e, enum power_verb verb, const struct model_selection *nodes, bool yes, uint64_t *same, struct error *err)
{
	int rc = 0;

	if (verb <= POWER_VERB_NONE || verb >= POWER_VERB_COUNT)
		return error_set(err, ERR_CONFIG, "power", "use on, off, soft, cycle, reset or identify", "there is no such verb");
	if (nodes->count == 0)
		return error_set(err, ERR_NOT_FOUND, "power", "see: gloryctl node list", "no node is meant");
	if (nodes->count > 1 && job_is_destructive(verb) && !yes)
		return error_set(err, ERR_REFUSED, "power", "look at the list, then repeat with --yes", "%s of %zu nodes wants a confirmation",
				 power_verb_name((int)verb), nodes->count);
	for (size_t i = 0; i < nodes->count && rc == 0; i++)
		rc = refuse_node(e, nodes->slots[i], verb, err);
	if (rc == 0)
		rc = refuse_open_job(e, nodes, verb, same, err);
	if (rc == 0 && *same == 0 && job_is_destructive(verb))
		rc = refuse_by_brake(e, nodes, err);
	return rc;
}

static void want_power(struct engine *e, uint32_t slot, enum power_verb verb)
{
	struct node_state *s = e->nodes[slot];

	if (verb == POWER_VERB_IDENTIFY)
		return;
	s->wanted_power = verb == POWER_VERB_OFF || verb == POWER_VERB_SOFT ? POWER_OFF : POWER_ON;
	if (s->wanted_power == POWER_OFF)
		s->booting = false;
	life_save(e, slot);
	if (s->wanted_power == POWER_ON)
		expect_boot(e, slot, verb); /* at once: a machine that waits for its turn to start is not one that should be on */
	else
		judgement_wanted(e, slot);
}

static void on_accepted(void *arg, const struct store_reply *r)
{
	struct acceptance *a = arg;
	struct engine *e = a->e;
	struct job *job = a->job;
	struct error err;

	job->board_slot = NO_SLOT;
	if (r->status != STORE_OK) {
		for (uint32_t t = 0; t < job->count && !job_is_run(job->verb); t++)
			if (engine_node(e, job->targets[t].slot, job->targets[t].generation))
				e->nodes[job->targets[t].slot]->power_job = 0;
		error_set(&err, ERR_NO_RESOURCE, "store", "mend the disk first", "the job could not be kept: %s", store_trouble(e->store));
		struct held *h = find(e, job->id);
		HASH_DEL(e->jobs->all, h);
		free(h);
		job_free(job);
		a->done(a->arg, 0, &err);
		free(a);
		return;
	}
	for (uint32_t t = 0; t < job->count && !job_is_run(job->verb); t++)
		if (engine_node(e, job->targets[t].slot, job->targets[t].generation))
			want_power(e, job->targets[t].slot, (enum power_verb)job->verb);
	publish_job(e, job);
	publish_now(e);
	a->done(a->arg, job->id, NULL);
	free(a);
	jobs_tick(e);
}

static void free_values(struct store_op *ops, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		union {
			const char *kept;
			void *given;
		} text = {.kept = ops[i].value};
		free(text.given);
	}
}

static void store_steps(struct acceptance *a);

static void on_steps(void *arg, const struct store_reply *r)
{
	struct acceptance *a = arg;

	if (r->status == STORE_OK && a->stored < a->job->count)
		store_steps(a);
	else
		on_accepted(a, r); /* the last batch had the job itself in it; without that its steps count for nothing */
}

/* Steps in batches, the job with the last of them. */
static void store_steps(struct acceptance *a)
{
	struct job *job = a->job;
	struct store_op ops[STEPS_A_BATCH + 2];
	char keys[STEPS_A_BATCH + 1][64], set_value[96];
	size_t n = 0, made;

	for (; n < STEPS_A_BATCH && a->stored < job->count; n++, a->stored++) {
		target_key(keys[n], sizeof keys[n], job->id, a->stored);
		ops[n] = (struct store_op){keys[n], job_target_to_json(job, a->stored), STORE_ANY};
	}
	made = n;
	if (a->stored == job->count) {
		header_key(keys[n], sizeof keys[n], job->id);
		ops[n] = (struct store_op){keys[n], job_to_json(job), 0};
		made = ++n;
	}
	if (a->stored == job->count && a->set_key[0]) {
		text_format(set_value, sizeof set_value, "{\"v\":1,\"job\":%" PRIu64 ",\"at\":%" PRId64 "}", job->id, clock_wall_ms());
		ops[n++] = (struct store_op){a->set_key, set_value, STORE_ANY};
	}
	store_transact(a->e->store, ops, n, on_steps, a);
	free_values(ops, made);
}

static void fill_targets(struct engine *e, struct job *job, const struct model_selection *nodes)
{
	for (uint32_t i = 0; i < job->count; i++) {
		const struct model_node *n = &e->model.nodes[nodes->slots[i]];
		struct job_target *t = &job->targets[i];
		*t = (struct job_target){.slot = n->slot, .generation = n->generation, .phase = TARGET_WAITING, .power = POWER_UNKNOWN};
		text_copy(t->name, sizeof t->name, n->config.head.name);
		if (job_is_run(job->verb))
			continue;
		e->nodes[n->slot]->power_job = job->id;
		e->nodes[n->slot]->power_verb = (uint8_t)job->verb;
		publish_node(e, n->slot);
	}
}

void jobs_power(struct engine *e, const struct power_request *q, job_accepted *done, void *arg)
{
	struct error err;
	uint64_t same = 0;

	if (refuse(e, q->verb, q->nodes, q->yes, &same, &err)) {
		done(arg, 0, &err);
		return;
	}
	if (same) {
		done(arg, same, NULL);
		return;
	}
	struct job *job = jobs_new(e, q->verb, q->actor, q->target, q->reason, q->nodes);
	jobs_accept(e, job, q->nodes, q->set_key, done, arg);
}

struct job *jobs_new(struct engine *e, uint32_t verb, const char *actor, const char *target, const char *reason, const struct model_selection *nodes)
{
	forget_oldest(e);
	struct job *job = job_new(++e->job_last, verb, (uint32_t)nodes->count);

	job->queued_ms = clock_wall_ms();
	job->board_slot = NOT_ACCEPTED;
	text_copy(job->actor, sizeof job->actor, actor);
	text_copy(job->target, sizeof job->target, nodes->count == 1 ? e->model.nodes[nodes->slots[0]].config.head.name : target);
	text_copy(job->reason, sizeof job->reason, reason);
	text_make_printable(job->reason);
	return job;
}

void jobs_accept(struct engine *e, struct job *job, const struct model_selection *nodes, const char *set_key, job_accepted *done, void *arg)
{
	struct acceptance *a = mem_zalloc(sizeof *a);

	fill_targets(e, job, nodes);
	hold_job(e, job);
	*a = (struct acceptance){.e = e, .job = job, .done = done, .arg = arg};
	text_copy(a->set_key, sizeof a->set_key, set_key);
	store_steps(a);
}

struct job *jobs_find(struct engine *e, uint64_t id)
{
	struct held *h = find(e, id);

	return h && h->job->board_slot != NOT_ACCEPTED ? h->job : NULL;
}

void jobs_save_target(struct engine *e, const struct job *job, uint32_t target)
{
	save_target(e, job, target, NULL, NULL);
}

int jobs_cancel(struct engine *e, uint64_t id, struct error *err)
{
	struct held *h = find(e, id);
	char name[32];

	text_format(name, sizeof name, "job %" PRIu64, id);
	if (!h)
		return error_set(err, ERR_NOT_FOUND, name, "see: gloryctl job list", "there is no such job");
	if (h->job->board_slot == NOT_ACCEPTED)
		return error_set(err, ERR_NOT_NOW, name, "try again in a moment", "the job is being stored");
	if (h->job->ended_ms)
		return error_set(err, ERR_NOT_NOW, name, "nothing is left to do", "the job has ended (%s)", job_state_name((int)h->job->state));
	bool stopped = job_is_run(h->job->verb) && run_jobs_cancel(e, h->job);
	if (job_cancel(h->job, clock_wall_ms()) == 0 && !stopped)
		return error_set(err, ERR_NOT_NOW, name, "wait for it to end", "every step is on its way already");
	for (uint32_t t = 0; t < h->job->count; t++)
		if (h->job->targets[t].phase == TARGET_CANCELLED)
			save_target(e, h->job, t, NULL, NULL);
	jobs_settle(e, h->job);
	return 0;
}

bool jobs_is_open(struct engine *e, uint64_t id)
{
	const struct held *h = id ? find(e, id) : NULL;

	return h && !h->job->ended_ms;
}

json_t *jobs_steps(struct engine *e, uint64_t id)
{
	struct held *h = find(e, id);

	if (!h)
		return NULL;
	json_t *list = json_array();
	for (uint32_t i = 0; i < h->job->count; i++) {
		char *text = job_target_to_json(h->job, i);
		json_array_append_new(list, json_loads(text, 0, NULL));
		free(text);
	}
	return list;
}

/* --- restart ------------------------------------------------------------------------------------------- */
void jobs_restore(struct engine *e, const char *key, const char *json)
{
	char *rest;
	uint64_t id = strtoull(key + strlen("/job/"), &rest, 10);
	struct held *h = find(e, id);

	if (id > e->job_last)
		e->job_last = id;
	if (*rest == '\0') {
		struct job *job = job_from_json(json);
		if (!job || job->id != id) {
			log_error("store: %s is not readable: it is left out", key);
			job_free(job);
			return;
		}
		job->board_slot = NO_SLOT;
		hold_job(e, job);
	} else if (h && !strncmp(rest, "/step/", 6)) {
		job_target_from_json(h->job, (uint32_t)strtoul(rest + 6, NULL, 10), json);
	} else if (!h) {
		store_delete(e->store, key, NULL, NULL); /* of a job that was never accepted */
	}
}

static void resume_target(struct engine *e, struct job *job, uint32_t i)
{
	struct job_target *t = &job->targets[i];

	if (job_target_resume(job, i, clock_wall_ms()) == 0 && t->phase != TARGET_WAITING && t->phase != TARGET_DONE)
		save_target(e, job, i, NULL, NULL);
	if (engine_node(e, t->slot, t->generation) && !job->ended_ms)
		expect_boot(e, t->slot, job->verb);
}

void jobs_resume(struct engine *e)
{
	struct held *h, *next;

	for (uint32_t g = 0; g < e->model.group_top; g++) /* a new life's brakes are open; an alarm of the one before goes */
		e->groups[g].braked = true;
	HASH_ITER(hh, e->jobs->all, h, next)
	{
		struct job *job = h->job;
		for (uint32_t i = 0; i < job->count; i++) {
			struct job_target *t = &job->targets[i];
			if (!job_is_run(job->verb) && engine_node(e, t->slot, t->generation)) {
				e->nodes[t->slot]->power_job = job->id;
				e->nodes[t->slot]->power_verb = (uint8_t)job->verb;
			}
			if (!job->ended_ms)
				resume_target(e, job, i);
		}
		if (!job->ended_ms)
			jobs_settle(e, job);
		publish_job(e, job);
	}
	jobs_tick(e);
}

/* The BMC role is new: what was handed to the one before is lost, or not; the same care as after our own restart. */
void jobs_bmc_up(struct engine *e)
{
	struct held *h, *next;

	HASH_ITER(hh, e->jobs->all, h, next)
	{
		struct job *job = h->job;
		if (job->ended_ms || job->board_slot == NOT_ACCEPTED || job_is_run(job->verb))
			continue;
		for (uint32_t i = 0; i < job->count; i++)
			if (job->targets[i].phase == TARGET_SENT)
				resume_target(e, job, i);
		jobs_settle(e, job);
	}
	jobs_tick(e);
}
