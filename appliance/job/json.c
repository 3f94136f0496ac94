/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A job as the JSON value of /job/ID: the job's own fields and one short array per target. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "job/job.h"

static json_t *target_json(const struct job_target *t)
{
	return json_pack("[i,i,s,i,i,i,i,I,s]", (int)t->slot, (int)t->generation, t->name, t->phase, t->step, t->tries, t->power,
			 (json_int_t)t->stepped_wall_ms, t->text);
}

char *job_to_json(const struct job *job)
{
	json_t *targets = json_array();

	for (uint32_t i = 0; i < job->count; i++)
		json_array_append_new(targets, target_json(&job->targets[i]));
	json_t *o = json_pack("{s:i,s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:o}", "v", 1, "id", (json_int_t)job->id, "verb",
			      power_verb_name((int)job->verb), "state", job_state_name((int)job->state), "actor", job->actor, "target", job->target,
			      "reason", job->reason, "result", job->result, "queued", (json_int_t)job->queued_ms, "started",
			      (json_int_t)job->started_ms, "ended", (json_int_t)job->ended_ms, "targets", targets);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	json_decref(o);
	return text;
}

static bool read_target(json_t *from, struct job_target *t)
{
	const char *name, *text;
	int slot, generation, phase, step, tries, power;
	json_int_t at;

	if (json_unpack(from, "[i,i,s,i,i,i,i,I,s]", &slot, &generation, &name, &phase, &step, &tries, &power, &at, &text))
		return false;
	if (slot < 0 || phase < 1 || phase >= TARGET_PHASE_COUNT || step < 0 || step > 2)
		return false;
	*t = (struct job_target){.slot = (uint32_t)slot, .generation = (uint32_t)generation, .phase = (uint8_t)phase, .step = (uint8_t)step,
				 .tries = (uint8_t)tries, .power = (uint8_t)power, .stepped_wall_ms = at};
	text_copy(t->name, sizeof t->name, name);
	text_copy(t->text, sizeof t->text, text);
	return true;
}

static bool is_open(const struct job_target *t)
{
	return t->phase == TARGET_WAITING || t->phase == TARGET_INTENT || t->phase == TARGET_SENT;
}

static struct job *read_job(json_t *o)
{
	const char *verb, *state, *actor, *target, *reason, *result;
	json_int_t id, queued, started, ended;
	json_t *targets;

	if (json_unpack(o, "{s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:o}", "id", &id, "verb", &verb, "state", &state, "actor", &actor,
			"target", &target, "reason", &reason, "result", &result, "queued", &queued, "started", &started, "ended", &ended,
			"targets", &targets) ||
	    !json_is_array(targets) || json_array_size(targets) > JOB_TARGETS_MAX)
		return NULL;
	struct job *job = job_new((uint64_t)id, (uint32_t)words_value(WORDS_POWER_VERB, verb), (uint32_t)json_array_size(targets));
	job->state = (uint32_t)words_value(WORDS_JOB_STATE, state);
	job->queued_ms = queued;
	job->started_ms = started;
	job->ended_ms = ended;
	text_copy(job->actor, sizeof job->actor, actor);
	text_copy(job->target, sizeof job->target, target);
	text_copy(job->reason, sizeof job->reason, reason);
	text_copy(job->result, sizeof job->result, result);
	job->open = 0;
	for (uint32_t i = 0; i < job->count; i++) {
		if (!read_target(json_array_get(targets, i), &job->targets[i])) {
			job_free(job);
			return NULL;
		}
		job->open += is_open(&job->targets[i]);
	}
	return job;
}

struct job *job_from_json(const char *text)
{
	json_t *o = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	struct job *job = o ? read_job(o) : NULL;

	json_decref(o);
	return job;
}
