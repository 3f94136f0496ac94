/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Jobs and brakes: steps, retries, restarts, JSON, limits. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "job/brake.h"
#include "job/job.h"
#include "tests/unit/unit.h"

static struct job *one(uint32_t verb)
{
	struct job *job = job_new(12, verb, 1);

	job->targets[0] = (struct job_target){.slot = 3, .generation = 9, .phase = TARGET_SENT, .power = POWER_UNKNOWN};
	memcpy(job->targets[0].name, "n004", 5);
	return job;
}

static void cycle(void)
{
	struct job *job = one(POWER_VERB_CYCLE);

	CU_ASSERT_EQUAL(job_step_result(job, 0, true, POWER_OFF, "off", 100), POWER_VERB_ON);
	CU_ASSERT_EQUAL(job->targets[0].phase, TARGET_INTENT);
	CU_ASSERT_EQUAL(job_step_result(job, 0, true, POWER_OFF, "a second answer", 100), 0); /* not sent: ignored */
	job->targets[0].phase = TARGET_SENT;
	CU_ASSERT_EQUAL(job_step_result(job, 0, true, POWER_ON, "on", 200), 0);
	CU_ASSERT_EQUAL(job->targets[0].phase, TARGET_DONE);
	CU_ASSERT(job_settle(job, 300));
	CU_ASSERT(!job_settle(job, 301));
	CU_ASSERT_EQUAL(job->state, JOB_DONE);
	CU_ASSERT_STRING_EQUAL(job->result, "on");
	job_free(job);
}

static void retries(void)
{
	struct job *job = one(POWER_VERB_OFF);

	CU_ASSERT_EQUAL(job_step_result(job, 0, false, POWER_ON, "busy", 1), POWER_VERB_OFF);
	job->targets[0].phase = TARGET_SENT;
	CU_ASSERT_EQUAL(job_step_result(job, 0, false, POWER_ON, "busy", 2), POWER_VERB_OFF);
	job->targets[0].phase = TARGET_SENT;
	CU_ASSERT_EQUAL(job_step_result(job, 0, false, POWER_ON, "busy", 3), 0);
	CU_ASSERT(job_settle(job, 4));
	CU_ASSERT_EQUAL(job->state, JOB_FAILED);
	job_free(job);
	job = one(POWER_VERB_RESET); /* never twice */
	CU_ASSERT_EQUAL(job_step_result(job, 0, false, POWER_ON, "no answer", 1), 0);
	CU_ASSERT_EQUAL(job->targets[0].phase, TARGET_FAILED);
	job_free(job);
}

static void after_restart(void)
{
	static const struct {
		uint32_t verb;
		uint8_t phase, want_verb, want_phase;
	} cases[] = {
		{POWER_VERB_ON, TARGET_SENT, POWER_VERB_ON, TARGET_INTENT},
		{POWER_VERB_CYCLE, TARGET_SENT, POWER_VERB_OFF, TARGET_INTENT},
		{POWER_VERB_RESET, TARGET_SENT, 0, TARGET_UNKNOWN},
		{POWER_VERB_RESET, TARGET_INTENT, POWER_VERB_RESET, TARGET_INTENT}, /* stored, not sent */
		{POWER_VERB_IDENTIFY, TARGET_SENT, 0, TARGET_FAILED},
		{POWER_VERB_OFF, TARGET_DONE, 0, TARGET_DONE},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct job *job = one(cases[i].verb);
		job->targets[0].phase = cases[i].phase;
		CU_ASSERT_EQUAL(job_target_resume(job, 0, 5), cases[i].want_verb);
		CU_ASSERT_EQUAL(job->targets[0].phase, cases[i].want_phase);
		job_free(job);
	}
}

static void json(void)
{
	struct job *job = job_new(77, POWER_VERB_CYCLE, 2), *back;

	memcpy(job->actor, "snmp:operator", 14);
	memcpy(job->target, "n[001-002]", 11);
	job->targets[0] = (struct job_target){.slot = 0, .generation = 1, .phase = TARGET_DONE, .power = POWER_ON};
	job->targets[1] = (struct job_target){.slot = 1, .generation = 2, .phase = TARGET_SENT, .step = 1, .power = POWER_OFF};
	char *head = job_to_json(job), *first = job_target_to_json(job, 0), *second = job_target_to_json(job, 1);
	back = job_from_json(head);
	CU_ASSERT_PTR_NOT_NULL_FATAL(back);
	CU_ASSERT(job_target_from_json(back, 0, first) && job_target_from_json(back, 1, second));
	CU_ASSERT(!job_target_from_json(back, 2, second));
	CU_ASSERT_EQUAL(back->open, 1);
	CU_ASSERT_EQUAL(back->targets[1].step, 1);
	CU_ASSERT_STRING_EQUAL(back->actor, "snmp:operator");
	CU_ASSERT_PTR_NULL(job_from_json("{\"v\":1}"));
	CU_ASSERT_PTR_NULL(job_from_json("rubbish"));
	CU_ASSERT(!job_target_from_json(back, 0, "[]"));
	free(head);
	free(first);
	free(second);
	job_free(back);
	job_free(job);
}

static void brakes(void)
{
	struct brake b = {0};

	CU_ASSERT_EQUAL(brake_limit(0, 8), 10);
	CU_ASSERT_EQUAL(brake_limit(0, 250), 25);
	CU_ASSERT_EQUAL(brake_limit(3, 250), 3);
	CU_ASSERT_EQUAL(brake_room(&b, 10, 1000000), 10);
	brake_count(&b, 8, 1000000);
	CU_ASSERT_EQUAL(brake_room(&b, 10, 1000001), 2);
	brake_count(&b, 2, 1030000);
	CU_ASSERT_EQUAL(brake_room(&b, 10, 1030000), 0);
	CU_ASSERT_EQUAL(brake_room(&b, 10, 1061000), 8); /* the first eight are a minute old */
	CU_ASSERT_EQUAL(brake_room(&b, 10, 1200000), 10);
	for (int i = 0; i < 5; i++)
		CU_ASSERT(brake_start(&b, 5, 2000000 + i));
	CU_ASSERT(!brake_start(&b, 5, 2000500));
	CU_ASSERT(brake_start(&b, 5, 2001000));
}

static struct job *running(bool repeatable)
{
	struct job *job = one(JOB_VERB_RUN);

	job->repeatable = repeatable;
	return job;
}

/* How a run over node control ends, and what may be done again. */
static void runs(void)
{
	static const struct {
		bool repeatable;
		enum run_ended end;
		uint8_t want_phase;
		enum job_state want_state;
	} cases[] = {
		{false, ENDED_DONE, TARGET_DONE, JOB_DONE},
		{true, ENDED_FAILED, TARGET_FAILED, JOB_FAILED},
		{true, ENDED_HOST_KEY, TARGET_FAILED, JOB_FAILED},
		{true, ENDED_BUSY, TARGET_FAILED, JOB_FAILED}, /* somebody else's: not ours to wait for */
		{true, ENDED_LATE, TARGET_FAILED, JOB_FAILED},
		{false, ENDED_CANCELLED, TARGET_CANCELLED, JOB_CANCELLED},
		{false, ENDED_CUT, TARGET_UNKNOWN, JOB_UNKNOWN},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct job *job = running(cases[i].repeatable);
		CU_ASSERT(!job_run_result(job, 0, cases[i].end, "why", 5));
		CU_ASSERT(!job_run_result(job, 0, ENDED_DONE, "a second end", 6));
		CU_ASSERT_EQUAL(job->targets[0].phase, cases[i].want_phase);
		CU_ASSERT(job_settle(job, 7));
		CU_ASSERT_EQUAL(job->state, cases[i].want_state);
		CU_ASSERT(strstr(job->result, "why") != NULL);
		job_free(job);
	}
}

static void runs_again(void)
{
	struct job *job = running(true);
	struct job_target *t = &job->targets[0];

	CU_ASSERT(job_run_result(job, 0, ENDED_CUT, "x", 1));
	CU_ASSERT_EQUAL(t->phase, TARGET_INTENT);
	t->phase = TARGET_SENT;
	CU_ASSERT(job_run_result(job, 0, ENDED_BUSY, "its predecessor", 2));
	t->phase = TARGET_SENT;
	CU_ASSERT(job_run_result(job, 0, ENDED_CUT, "x", 3));
	t->phase = TARGET_SENT;
	CU_ASSERT(!job_run_result(job, 0, ENDED_CUT, "x", 4)); /* three times is enough */
	CU_ASSERT_EQUAL(t->phase, TARGET_FAILED);
	job_free(job);
	job = running(true);
	CU_ASSERT_EQUAL(job_target_resume(job, 0, 1), JOB_VERB_RUN);
	CU_ASSERT_EQUAL(job->targets[0].phase, TARGET_INTENT);
	job_free(job);
	job = running(false);
	CU_ASSERT_EQUAL(job_target_resume(job, 0, 1), 0);
	CU_ASSERT_EQUAL(job->targets[0].phase, TARGET_UNKNOWN);
	job_free(job);
}

static void run_json(void)
{
	struct job *job = running(true), *back;

	job->verb = JOB_VERB_SOFTWARE_UPGRADE;
	job->batch = 7;
	text_copy(job->line, sizeof job->line, "software-upgrade name=x kind=package package=x");
	text_copy(job->software, sizeof job->software, "x");
	char *text = job_to_json(job);
	back = job_from_json(text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(back);
	CU_ASSERT(back->verb == job->verb && back->batch == 7 && back->repeatable && !strcmp(back->line, job->line) && !strcmp(back->software, "x"));
	job_free(back);
	free(text);
	job_free(job);
	CU_ASSERT_PTR_NULL(job_from_json("{\"v\":1,\"id\":1,\"verb\":\"run\",\"state\":\"queued\",\"actor\":\"\",\"target\":\"\",\"reason\":\"\","
					 "\"result\":\"\",\"queued\":1,\"started\":0,\"ended\":0,\"count\":1}"));
}

/* A change of software is not done before its nodes have been looked at after the last batch. */
static void looked_at(void)
{
	struct job *job = job_new(12, JOB_VERB_SOFTWARE_UPGRADE, 2);

	for (uint32_t i = 0; i < 2; i++) {
		job->targets[i] = (struct job_target){.slot = i, .generation = 1, .phase = TARGET_SENT};
		CU_ASSERT_FALSE(job_run_result(job, i, ENDED_DONE, "x: installed", 100));
	}
	job->batch_ended_ms = 50;
	CU_ASSERT_FALSE(job_settle(job, 101));
	CU_ASSERT(job->looking && job->ended_ms == 0 && job->batch_ended_ms == 0);
	job->batch_ended_ms = 101;
	CU_ASSERT_FALSE(job_settle(job, 102));
	CU_ASSERT_EQUAL(job->batch_ended_ms, 101);
	job_looked(job, 0, NULL, 5101);
	job_looked(job, 1, "hung", 5101);
	CU_ASSERT(job_settle(job, 5102));
	CU_ASSERT(job->state == JOB_FAILED && job->targets[0].phase == TARGET_DONE && job->targets[1].phase == TARGET_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(job->targets[1].text, "hung"));
	CU_ASSERT_PTR_NOT_NULL(strstr(job->result, "1 done, 1 failed"));
	job_free(job);

	job = job_new(12, JOB_VERB_SOFTWARE_INSTALL, 1); /* what has failed is known */
	job->targets[0] = (struct job_target){.phase = TARGET_SENT};
	job_run_result(job, 0, ENDED_FAILED, "no space", 1);
	CU_ASSERT(job_settle(job, 2));
	CU_ASSERT_EQUAL(job->state, JOB_FAILED);
	job_free(job);
}

/* drain, leave, reconfigure, join: each step in turn, again after a restart, and out of the store as it went in */
static void role(void)
{
	struct job *job = one(JOB_VERB_ROLE), *back;

	job->repeatable = true;
	text_copy(job->line, sizeof job->line, "db");
	for (uint8_t step = 0; step < 4; step++) {
		CU_ASSERT_EQUAL(job->targets[0].step, step);
		job->targets[0].phase = TARGET_SENT;
		CU_ASSERT_EQUAL(job_target_resume(job, 0, 10), JOB_VERB_ROLE);
		CU_ASSERT_EQUAL(job->targets[0].phase, TARGET_INTENT);
		job->targets[0].phase = TARGET_SENT;
		char *header = job_to_json(job), *target = job_target_to_json(job, 0);
		back = job_from_json(header);
		CU_ASSERT_PTR_NOT_NULL_FATAL(back);
		CU_ASSERT(job_target_from_json(back, 0, target) && back->targets[0].step == step && back->repeatable && !strcmp(back->line, "db"));
		job_free(back);
		free(header);
		free(target);
		CU_ASSERT_EQUAL(job_step_result(job, 0, true, POWER_UNKNOWN, "well", 20), step < 3 ? JOB_VERB_ROLE : 0);
	}
	CU_ASSERT_EQUAL(job->targets[0].phase, TARGET_DONE);
	CU_ASSERT(job_settle(job, 30) && job->state == JOB_DONE);
	job_free(job);
	job = one(JOB_VERB_ROLE); /* a step that fails ends it: nothing is tried on its own */
	CU_ASSERT_EQUAL(job_step_result(job, 0, false, POWER_UNKNOWN, "no", 1), 0);
	CU_ASSERT(job_settle(job, 2) && job->state == JOB_FAILED);
	CU_ASSERT_FALSE(job_target_from_json(job, 0, "{\"v\":1,\"slot\":1,\"generation\":1,\"node\":\"n\",\"phase\":\"sent\",\"step\":5,\"tries\":0,"
						     "\"power\":\"on\",\"at\":1,\"text\":\"\"}"));
	job_free(job);
}

static const struct unit_test tests[] = {
	{"cycle", cycle}, {"retries", retries}, {"after a restart", after_restart}, {"json", json}, {"brakes", brakes},
	{"runs", runs}, {"runs again", runs_again}, {"run json", run_json}, {"looked at", looked_at}, {"role", role},
};
UNIT_MAIN("jobs", tests)
