/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Jobs as pure state; see job.h. */
#include "job/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define TRIES_MAX 3

const char *target_phase_name(int phase)
{
	static const char *const names[TARGET_PHASE_COUNT] = {"?", "waiting", "intent", "sent", "done", "failed", "unknown", "cancelled"};

	return phase > 0 && phase < TARGET_PHASE_COUNT ? names[phase] : names[0];
}

struct job *job_new(uint64_t id, uint32_t verb, uint32_t targets)
{
	struct job *job = mem_zalloc(sizeof *job);

	job->id = id;
	job->verb = verb;
	job->state = JOB_QUEUED;
	job->count = job->open = targets;
	job->targets = mem_array(targets, sizeof job->targets[0]);
	return job;
}

void job_free(struct job *job)
{
	if (job)
		free(job->targets);
	free(job);
}

const uint8_t *job_steps(uint32_t verb)
{
	static const uint8_t steps[JOB_VERB_COUNT][JOB_STEPS_MAX + 1] = {
		[POWER_VERB_ON] = {POWER_VERB_ON}, [POWER_VERB_OFF] = {POWER_VERB_OFF}, [POWER_VERB_SOFT] = {POWER_VERB_SOFT},
		[POWER_VERB_CYCLE] = {POWER_VERB_OFF, POWER_VERB_ON}, [POWER_VERB_RESET] = {POWER_VERB_RESET},
		[POWER_VERB_IDENTIFY] = {POWER_VERB_IDENTIFY}, [JOB_VERB_RUN] = {JOB_VERB_RUN},
		[JOB_VERB_SOFTWARE_INSTALL] = {JOB_VERB_SOFTWARE_INSTALL}, [JOB_VERB_SOFTWARE_UPGRADE] = {JOB_VERB_SOFTWARE_UPGRADE},
		[JOB_VERB_SOFTWARE_REMOVE] = {JOB_VERB_SOFTWARE_REMOVE},
		[JOB_VERB_ROLE] = {JOB_VERB_ROLE, JOB_VERB_ROLE, JOB_VERB_ROLE, JOB_VERB_ROLE}}; /* drain, leave, reconfigure, join */

	return steps[verb < JOB_VERB_COUNT ? verb : 0];
}

bool job_is_destructive(uint32_t verb)
{
	return verb == POWER_VERB_OFF || verb == POWER_VERB_SOFT || verb == POWER_VERB_CYCLE || verb == POWER_VERB_RESET;
}

static void close_target(struct job *job, struct job_target *t, enum target_phase phase)
{
	t->phase = (uint8_t)phase;
	if (job->open)
		job->open--;
}

static bool may_repeat(uint32_t verb)
{
	return verb == POWER_VERB_ON || verb == POWER_VERB_OFF || verb == POWER_VERB_SOFT;
}

uint32_t job_step_result(struct job *job, uint32_t target, bool ok, uint8_t power, const char *text, int64_t now_ms)
{
	struct job_target *t = &job->targets[target];
	const uint8_t *steps = job_steps(job->verb);

	if (t->phase != TARGET_SENT)
		return 0; /* a second answer to a step that is settled */
	t->power = power;
	t->stepped_wall_ms = now_ms;
	text_copy(t->text, sizeof t->text, text);
	if (!ok && ++t->tries < TRIES_MAX && may_repeat(steps[t->step])) {
		t->phase = TARGET_INTENT;
		return steps[t->step];
	}
	if (!ok) {
		close_target(job, t, TARGET_FAILED);
		return 0;
	}
	t->tries = 0;
	t->step++;
	if (steps[t->step] == 0) {
		close_target(job, t, TARGET_DONE);
		return 0;
	}
	t->phase = TARGET_INTENT;
	return steps[t->step];
}

bool job_is_run(uint32_t verb)
{
	return verb >= JOB_VERB_RUN;
}

bool job_is_rolling(uint32_t verb)
{
	return verb >= JOB_VERB_SOFTWARE_INSTALL && verb <= JOB_VERB_SOFTWARE_REMOVE;
}

bool job_run_result(struct job *job, uint32_t target, enum run_ended end, const char *text, int64_t now_ms)
{
	struct job_target *t = &job->targets[target];

	if (t->phase != TARGET_SENT)
		return false;
	t->stepped_wall_ms = now_ms;
	t->run = 0;
	if (end == ENDED_DONE || end == ENDED_FAILED)
		text_copy(t->text, sizeof t->text, text);
	else
		text_format(t->text, sizeof t->text, "%s: %s", run_ended_name((int)end), text);
	bool again = job->repeatable && ((end == ENDED_CUT && ++t->tries < TRIES_MAX) || (end == ENDED_BUSY && t->tries && ++t->waits < UINT8_MAX));
	if (again) {
		t->phase = TARGET_INTENT;
		return true;
	}
	close_target(job, t, end == ENDED_DONE			      ? TARGET_DONE
			  : end == ENDED_CANCELLED		      ? TARGET_CANCELLED
			  : end == ENDED_CUT && !job->repeatable ? TARGET_UNKNOWN
								      : TARGET_FAILED);
	return false;
}

uint32_t job_target_resume(struct job *job, uint32_t target, int64_t now_ms)
{
	struct job_target *t = &job->targets[target];
	uint32_t verb = job_steps(job->verb)[t->step];

	if (t->phase != TARGET_SENT && t->phase != TARGET_INTENT)
		return 0;
	t->stepped_wall_ms = now_ms;
	if (job_is_run(verb) && job->repeatable && t->phase == TARGET_SENT)
		t->tries++;
	if (may_repeat(verb) || t->phase == TARGET_INTENT || (job_is_run(verb) && job->repeatable)) {
		t->phase = TARGET_INTENT;
		return verb;
	}
	if (verb == POWER_VERB_RESET || job_is_run(verb)) {
		text_copy(t->text, sizeof t->text, verb == POWER_VERB_RESET ? "interrupted by a restart of the appliance: it may or may not have been reset"
									    : "interrupted by a restart of the appliance: it may or may not have been done");
		close_target(job, t, TARGET_UNKNOWN);
	} else {
		text_copy(t->text, sizeof t->text, "interrupted by a restart of the appliance");
		close_target(job, t, TARGET_FAILED);
	}
	return 0;
}

uint32_t job_cancel(struct job *job, int64_t now_ms)
{
	uint32_t cancelled = 0;

	for (uint32_t i = 0; i < job->count; i++) {
		struct job_target *t = &job->targets[i];
		if (t->phase != TARGET_WAITING)
			continue;
		t->stepped_wall_ms = now_ms;
		close_target(job, t, TARGET_CANCELLED);
		cancelled++;
	}
	return cancelled;
}

/* Counts by phase, and the first target whose text says why. */
static const struct job_target *survey(const struct job *job, uint32_t *by_phase)
{
	const struct job_target *speaks = NULL;

	memset(by_phase, 0, TARGET_PHASE_COUNT * sizeof by_phase[0]);
	for (uint32_t i = 0; i < job->count; i++) {
		by_phase[job->targets[i].phase]++;
		if (!speaks && (job->targets[i].phase == TARGET_FAILED || job->targets[i].phase == TARGET_UNKNOWN))
			speaks = &job->targets[i];
	}
	return speaks;
}

/* Something was done, and nothing has failed yet: then the job has not ended before it is known what came of it. */
static bool may_have_changed(const struct job *job)
{
	uint32_t n[TARGET_PHASE_COUNT];

	survey(job, n);
	return n[TARGET_DONE] && !n[TARGET_FAILED] && !n[TARGET_UNKNOWN];
}

void job_looked(struct job *job, uint32_t target, const char *trouble, int64_t now_ms)
{
	struct job_target *t = &job->targets[target];

	job->looked = true;
	if (!trouble || t->phase != TARGET_DONE)
		return;
	t->phase = TARGET_FAILED;
	t->stepped_wall_ms = now_ms;
	text_format(t->text, sizeof t->text, "done, but the node is not well since: %s", trouble);
}

bool job_settle(struct job *job, int64_t now_ms)
{
	uint32_t n[TARGET_PHASE_COUNT];

	if (job->open || job->ended_ms)
		return false;
	if (job_is_rolling(job->verb) && !job->looked && may_have_changed(job)) {
		if (!job->looking)
			job->batch_ended_ms = 0;
		job->looking = true;
		return false;
	}
	const struct job_target *speaks = survey(job, n);
	job->ended_ms = now_ms;
	job->state = n[TARGET_FAILED] ? JOB_FAILED : n[TARGET_UNKNOWN] ? JOB_UNKNOWN : n[TARGET_CANCELLED] ? JOB_CANCELLED : JOB_DONE;
	if (job->count == 1)
		text_copy(job->result, sizeof job->result, job->targets[0].text);
	else if (speaks)
		text_format(job->result, sizeof job->result, "%u done, %u failed, %u unknown, %u cancelled; %s: %s", n[TARGET_DONE],
			    n[TARGET_FAILED], n[TARGET_UNKNOWN], n[TARGET_CANCELLED], speaks->name, speaks->text);
	else
		text_format(job->result, sizeof job->result, "%u done, %u cancelled", n[TARGET_DONE], n[TARGET_CANCELLED]);
	return true;
}
