/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Jobs over node control; see run_jobs.h. */
#include "engine/run_jobs.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "control/ended.h"
#include "control/verbs.h"
#include "engine/role_jobs.h"
#include "engine/runs.h"
#include "engine/software.h"

enum {
	AT_ONCE = 128,    /* of one job with the runner or on their way there */
	AGAIN_MS = 3000,  /* before a repeat */
	LOOK_MS = 5000,   /* a node that a change has broken is called within 3 s (verdicts): the next batch waits for that */
	MARGIN_MS = 6000, /* for the connection, beside the verb's own time */
};

struct under_way { /* one run of one target */
	struct engine *e;
	uint64_t job;
	uint32_t target;
};

static bool is_rolling(const struct job *job)
{
	return job_is_rolling(job->verb);
}

/* --- one target ------------------------------------------------------------------------------------------------ */
static void on_line(void *arg, const char *text)
{
	struct under_way *w = arg;
	struct job *job = jobs_find(w->e, w->job);

	if (job && job->targets[w->target].phase == TARGET_SENT)
		text_copy(job->targets[w->target].text, sizeof job->targets[w->target].text, text);
}

static void on_done(void *arg, const struct msg_run_result *m, const char *output, size_t size)
{
	struct under_way *w = arg;
	struct engine *e = w->e;
	struct job *job = jobs_find(e, w->job);
	char text[sizeof m->text];

	(void)output;
	(void)size;
	control_last_line(m->text, text, sizeof text);
	if (job && job->targets[w->target].phase == TARGET_SENT) {
		if (is_rolling(job))
			software_ended(e, job->targets[w->target].name, job->software, (enum job_verb)job->verb, (enum run_ended)m->end, text);
		if (job_run_result(job, w->target, (enum run_ended)m->end, text, clock_wall_ms()))
			job->targets[w->target].sent_mono_ms = clock_mono_ms() + AGAIN_MS;
		jobs_save_target(e, job, w->target);
		jobs_settle(e, job);
	}
	free(w);
	jobs_tick(e);
}

static uint32_t deadline_ms(const char *line)
{
	const struct control_verb *v;
	struct error err;
	char given[16];
	int64_t seconds;

	if (control_line_value(line, "deadline", given, sizeof given) && text_integer(given, 1, 86400, &seconds))
		return (uint32_t)seconds * 1000 + MARGIN_MS;
	return (control_line_check(line, &v, &err) ? 60u : v->deadline_s) * 1000 + MARGIN_MS;
}

void run_jobs_send(struct engine *e, struct job *job, uint32_t target)
{
	struct job_target *t = &job->targets[target];
	const struct model_node *n = engine_node(e, t->slot, t->generation);
	struct under_way *w;
	struct msg_run m;

	if (!n) {
		jobs_fail_target(e, job, target, "the node was removed");
		return;
	}
	if (job->verb == JOB_VERB_ROLE) {
		role_jobs_send(e, job, target);
		return;
	}
	memset(&m, 0, sizeof m);
	runs_node(n, &m);
	m.deadline_ms = deadline_ms(job->line);
	m.stream = 1;
	text_copy(m.line, sizeof m.line, job->line);
	w = mem_zalloc(sizeof *w);
	*w = (struct under_way){e, job->id, target};
	t->run = runs_ask(e, &m, -1, on_done, on_line, w);
}

bool run_jobs_cancel(struct engine *e, struct job *job)
{
	bool any = false;

	if (job->verb == JOB_VERB_ROLE)
		return role_jobs_cancel(e, job);
	for (uint32_t i = 0; i < job->count; i++)
		if (job->targets[i].phase == TARGET_SENT && job->targets[i].run) {
			runs_cancel(e, job->targets[i].run);
			any = true;
		}
	return any;
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */
static const char *not_well(struct engine *e, const struct job_target *t)
{
	const struct node_state *s = engine_node(e, t->slot, t->generation) ? e->nodes[t->slot] : NULL;

	if (!s)
		return NULL; /* it was removed: that is no drop of health */
	if (!s->judged || s->verdict.verdict == VERDICT_UP || s->verdict.certainty < CERTAINTY_CALLED)
		return NULL;
	return verdict_name((int)s->verdict.verdict);
}

/* Why a rolling change must not go on, into text; false: it may. */
static bool must_stop(struct engine *e, const struct job *job, char *text, size_t size)
{
	for (uint32_t i = 0; i < job->count; i++) {
		const struct job_target *t = &job->targets[i];
		const char *verdict = t->phase == TARGET_DONE || t->phase == TARGET_SENT ? not_well(e, t) : NULL;
		if (t->phase == TARGET_FAILED || t->phase == TARGET_UNKNOWN || verdict) {
			text_format(text, size, "not begun: %s %s", t->name, verdict ? verdict : "failed");
			return true;
		}
	}
	return false;
}

static void stop(struct engine *e, struct job *job, const char *why)
{
	for (uint32_t i = 0; i < job->count; i++)
		if (job->targets[i].phase == TARGET_WAITING)
			text_copy(job->targets[i].text, sizeof job->targets[i].text, why);
	if (!job_cancel(job, clock_wall_ms()))
		return;
	for (uint32_t i = 0; i < job->count; i++)
		if (job->targets[i].phase == TARGET_CANCELLED)
			jobs_save_target(e, job, i);
	jobs_settle(e, job);
}

/* A batch begins when the one before has ended and its nodes have had the time to show what it did to them. */
static uint32_t room_for_batch(struct job *job, uint32_t under_way, uint32_t ended, int64_t now)
{
	if (under_way) {
		job->batch_ended_ms = 0;
		return 0;
	}
	if (ended && !job->batch_ended_ms)
		job->batch_ended_ms = now;
	if (ended && now - job->batch_ended_ms < LOOK_MS)
		return 0;
	return job->batch ? job->batch : UINT32_MAX;
}

/* The last batch is judged as those before it: a job is not done while its nodes have had no time to show what it did to them. */
static void look_at_last(struct engine *e, struct job *job, int64_t now)
{
	if (!job->batch_ended_ms)
		job->batch_ended_ms = now;
	if (now - job->batch_ended_ms < LOOK_MS)
		return;
	for (uint32_t i = 0; i < job->count; i++) {
		const char *verdict = not_well(e, &job->targets[i]);
		job_looked(job, i, verdict, clock_wall_ms());
		if (verdict && job->targets[i].phase == TARGET_FAILED)
			jobs_save_target(e, job, i);
	}
	jobs_settle(e, job);
}

void run_jobs_look(struct engine *e, struct job *job, int64_t now)
{
	uint32_t under_way = 0, waiting = 0;
	char why[128];

	if (job->verb == JOB_VERB_ROLE) {
		role_jobs_look(e, job);
		return;
	}
	if (job->looking) {
		look_at_last(e, job, now);
		return;
	}
	if (is_rolling(job) && must_stop(e, job, why, sizeof why)) {
		stop(e, job, why);
		job->room = 0;
		return;
	}
	for (uint32_t i = 0; i < job->count; i++) {
		under_way += job->targets[i].phase == TARGET_SENT;
		waiting += job->targets[i].phase == TARGET_WAITING || job->targets[i].phase == TARGET_INTENT;
	}
	job->room = under_way < AT_ONCE ? AT_ONCE - under_way : 0;
	if (is_rolling(job)) {
		uint32_t batch = room_for_batch(job, under_way, job->count - under_way - waiting, now);
		job->room = batch < job->room ? batch : job->room;
	}
}

void run_jobs_consider(struct engine *e, struct job *job, uint32_t target)
{
	const struct job_target *t = &job->targets[target];
	char text[96];

	if (job->verb == JOB_VERB_ROLE) {
		role_jobs_consider(e, job, target);
		return;
	}
	if ((t->phase != TARGET_WAITING && t->phase != TARGET_INTENT) || !job->room || !e->roles[ROLE_RUNNER].channel ||
	    (t->phase == TARGET_INTENT && clock_mono_ms() < t->sent_mono_ms))
		return;
	job->room--;
	if (!engine_node(e, t->slot, t->generation)) {
		jobs_fail_target(e, job, target, "the node was removed");
	} else if (is_rolling(job) && not_well(e, t)) {
		text_format(text, sizeof text, "the node is not up (%s): nothing was sent", not_well(e, t));
		jobs_fail_target(e, job, target, text);
	} else {
		jobs_begin_step(e, job, target);
	}
}

void run_jobs_make(struct engine *e, const struct run_job_request *q, job_accepted *done, void *arg)
{
	const struct control_verb *v;
	struct error err;

	if (control_line_check(q->line, &v, &err)) {
		done(arg, 0, &err);
		return;
	}
	if (q->nodes->count == 0 || (q->nodes->count > 1 && !q->yes)) {
		if (q->nodes->count == 0)
			error_set(&err, ERR_NOT_FOUND, v->word, "see: gloryctl node list", "no node is meant");
		else
			error_set(&err, ERR_REFUSED, v->word, "look at the list, then repeat with --yes", "%s on %zu nodes wants a confirmation", v->word,
				  q->nodes->count);
		done(arg, 0, &err);
		return;
	}
	struct job *job = jobs_new(e, q->verb, q->actor, q->target, q->reason, q->nodes);
	text_copy(job->line, sizeof job->line, q->line);
	text_copy(job->software, sizeof job->software, q->software);
	job->repeatable = v->repeatable;
	job->batch = q->batch;
	jobs_accept(e, job, q->nodes, q->set_key, done, arg);
}
