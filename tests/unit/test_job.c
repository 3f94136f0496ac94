/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Power jobs and brakes: steps, retries, restarts, JSON, limits. */
#include <stdlib.h>
#include <string.h>

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

static const struct unit_test tests[] = {
	{"cycle", cycle}, {"retries", retries}, {"after a restart", after_restart}, {"json", json}, {"brakes", brakes}};
UNIT_MAIN("jobs", tests)
