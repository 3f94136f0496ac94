/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A job as the JSON values of /job/ID and /job/ID/step/N. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "job/job.h"

static char *dump(json_t *o)
{
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	json_decref(o);
	return text;
}

char *job_to_json(const struct job *job)
{
	json_t *o = json_pack("{s:i,s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:i}", "v", 1, "id", (json_int_t)job->id, "verb",
			      job_verb_name((int)job->verb), "state", job_state_name((int)job->state), "actor", job->actor, "target",
			      job->target, "reason", job->reason, "result", job->result, "queued", (json_int_t)job->queued_ms, "started",
			      (json_int_t)job->started_ms, "ended", (json_int_t)job->ended_ms, "count", (int)job->count);

	if (o && job_is_run(job->verb)) {
		json_object_set_new(o, "line", json_string(job->line));
		json_object_set_new(o, "software", json_string(job->software));
		json_object_set_new(o, "repeatable", json_boolean(job->repeatable));
		json_object_set_new(o, "batch", json_integer(job->batch));
	}
	return dump(o);
}

char *job_target_to_json(const struct job *job, uint32_t target)
{
	const struct job_target *t = &job->targets[target];

	return dump(json_pack("{s:i,s:i,s:i,s:s,s:s,s:i,s:i,s:s,s:I,s:s}", "v", 1, "slot", (int)t->slot, "generation", (int)t->generation,
			      "node", t->name, "phase", target_phase_name(t->phase), "step", t->step, "tries", t->tries, "power",
			      power_name(t->power), "at", (json_int_t)t->stepped_wall_ms, "text", t->text));
}

/* What only a run has; false: it is not sound. */
static bool run_from_json(struct job *job, json_t *o)
{
	const char *line = "", *software = "";
	int repeatable = 0, batch = 0;

	if (!job_is_run(job->verb))
		return job->verb != 0;
	bool good = !json_unpack(o, "{s:s,s:s,s:b,s:i}", "line", &line, "software", &software, "repeatable", &repeatable, "batch", &batch) && batch >= 0;
	job->repeatable = repeatable;
	job->batch = good ? (uint32_t)batch : 0;
	return good && text_copy(job->line, sizeof job->line, line) && text_copy(job->software, sizeof job->software, software);
}

struct job *job_from_json(const char *text)
{
	json_t *o = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	const char *verb, *state, *actor, *target, *reason, *result;
	json_int_t id, queued, started, ended;
	struct job *job = NULL;
	int count;

	if (o && !json_unpack(o, "{s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:i}", "id", &id, "verb", &verb, "state", &state, "actor", &actor,
			      "target", &target, "reason", &reason, "result", &result, "queued", &queued, "started", &started, "ended", &ended,
			      "count", &count) &&
	    count >= 0 && count <= JOB_TARGETS_MAX && id > 0) {
		job = job_new((uint64_t)id, (uint32_t)words_value(WORDS_JOB_VERB, verb), (uint32_t)count);
		job->state = (uint32_t)words_value(WORDS_JOB_STATE, state);
		job->queued_ms = queued;
		job->started_ms = started;
		job->ended_ms = ended;
		job->open = 0;
		text_copy(job->actor, sizeof job->actor, actor);
		text_copy(job->target, sizeof job->target, target);
		text_copy(job->reason, sizeof job->reason, reason);
		text_copy(job->result, sizeof job->result, result);
		if (!run_from_json(job, o)) {
			job_free(job);
			job = NULL;
		}
	}
	json_decref(o);
	return job;
}

static int phase_value(const char *name)
{
	for (int i = 1; i < TARGET_PHASE_COUNT; i++)
		if (!strcmp(target_phase_name(i), name))
			return i;
	return 0;
}

bool job_target_from_json(struct job *job, uint32_t target, const char *json)
{
	json_t *o = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	const char *name, *text, *phase, *power;
	int slot, generation, step, tries;
	json_int_t at;
	int last = 0;

	while (job_steps(job->verb)[last])
		last++;
	bool good = o && target < job->count &&
		    !json_unpack(o, "{s:i,s:i,s:s,s:s,s:i,s:i,s:s,s:I,s:s}", "slot", &slot, "generation", &generation, "node", &name, "phase",
				 &phase, "step", &step, "tries", &tries, "power", &power, "at", &at, "text", &text) &&
		    slot >= 0 && step >= 0 && step <= last && phase_value(phase);

	if (good) {
		struct job_target *t = &job->targets[target];
		*t = (struct job_target){.slot = (uint32_t)slot, .generation = (uint32_t)generation, .phase = (uint8_t)phase_value(phase),
					 .step = (uint8_t)step, .tries = (uint8_t)tries, .stepped_wall_ms = at,
					 .power = (uint8_t)words_value(WORDS_POWER, power)};
		text_copy(t->name, sizeof t->name, name);
		text_copy(t->text, sizeof t->text, text);
		job->open += t->phase == TARGET_WAITING || t->phase == TARGET_INTENT || t->phase == TARGET_SENT;
	}
	json_decref(o);
	return good;
}
