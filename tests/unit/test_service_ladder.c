/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of the repair ladder: its steps in their order, what each waits for, what ends it, and who may stop it. */
#include "service/ladder.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tests/unit/unit.h"

static struct ladder ladder;
static struct ladder_view view;

static void begin(void)
{
	memset(&ladder, 0, sizeof ladder);
	view = (struct ladder_view){.now_ms = 1000000, .scale = 1, .policy = POLICY_REPAIR, .has_bmc = true, .evidence = EVIDENCE_GOOD,
				    .verdict = VERDICT_UP, .text = "connection refused"};
}

static enum ladder_step after(int64_t ms)
{
	bool changed;

	view.now_ms += ms;
	return ladder_next(&view, &ladder, &changed);
}

static void test_service_that_does_not_answer(void)
{
	begin();
	view.evidence = EVIDENCE_HARD;
	CU_ASSERT_EQUAL(after(0), LADDER_WELL);
	CU_ASSERT_EQUAL(ladder.step, LADDER_OUT);
	CU_ASSERT_EQUAL(after(3000), LADDER_WELL);
	CU_ASSERT_EQUAL(after(1000), LADDER_PROCESS);
	view.running = true;
	CU_ASSERT_EQUAL(after(60000), LADDER_WELL);
	view.running = false;
	CU_ASSERT_EQUAL(after(0), LADDER_SERVICE);
	CU_ASSERT_EQUAL(after(19000), LADDER_WELL);
	CU_ASSERT_EQUAL(after(1000), LADDER_SOFT);
	CU_ASSERT_EQUAL(after(299000), LADDER_WELL);
	CU_ASSERT_EQUAL(after(1000), LADDER_REPLACE);
	CU_ASSERT_TRUE(ladder.listed);
	CU_ASSERT_STRING_EQUAL(ladder.why, "connection refused");
	CU_ASSERT_EQUAL(after(600000), LADDER_WELL); /* once */
}

/* It may be the configuration: machines are not rebooted one after the other for it. */
static void test_never_came_up(void)
{
	begin();
	view.failed_member = true;
	view.evidence = EVIDENCE_NONE;
	CU_ASSERT_EQUAL(after(0), LADDER_WELL);
	CU_ASSERT_EQUAL(after(9999), LADDER_WELL);
	CU_ASSERT_EQUAL(after(1), LADDER_REPLACE);
	for (int i = 0; i < 10; i++)
		CU_ASSERT_EQUAL(after(300000), LADDER_WELL);
}

static void test_not_rebooted_under_others(void)
{
	begin();
	view.evidence = EVIDENCE_HARD;
	view.shared = true;
	after(0);
	CU_ASSERT_EQUAL(after(4000), LADDER_PROCESS);
	CU_ASSERT_EQUAL(after(20000), LADDER_SERVICE);
	CU_ASSERT_EQUAL(after(20000), LADDER_REPLACE);
}

static void test_healed(void)
{
	begin();
	view.evidence = EVIDENCE_HARD;
	after(0);
	CU_ASSERT_EQUAL(after(4000), LADDER_PROCESS);
	view.evidence = EVIDENCE_GOOD;
	CU_ASSERT_EQUAL(after(1000), LADDER_WELL);
	view.evidence = EVIDENCE_HARD; /* good for a moment only: the ladder goes on */
	CU_ASSERT_EQUAL(after(10000), LADDER_WELL);
	CU_ASSERT_EQUAL(after(10000), LADDER_SERVICE);
	view.evidence = EVIDENCE_GOOD;
	after(1000);
	CU_ASSERT_FALSE(ladder_is_over(&ladder));
	after(600000);
	CU_ASSERT_TRUE(ladder_is_over(&ladder));
}

static void test_dark(void)
{
	begin();
	view.evidence = EVIDENCE_DEAD;
	view.verdict = VERDICT_OS_HUNG;
	view.failed_member = true;
	after(0);
	CU_ASSERT_EQUAL(after(50000), LADDER_WELL); /* not before it is permitted */
	view.permits = PERMIT_RESET;
	CU_ASSERT_EQUAL(after(10000), LADDER_CYCLE);
	CU_ASSERT_EQUAL(after(299000), LADDER_WELL);
	CU_ASSERT_EQUAL(after(1000), LADDER_CYCLE);
	CU_ASSERT_EQUAL(after(299000), LADDER_WELL);
	CU_ASSERT_EQUAL(after(1000), LADDER_REPLACE);
	begin();
	view.evidence = EVIDENCE_DEAD;
	view.verdict = VERDICT_POWERED_OFF;
	view.permits = PERMIT_POWER_ON;
	CU_ASSERT_EQUAL(after(0), LADDER_POWER_ON); /* the permit has waited already */
	CU_ASSERT_EQUAL(after(1000), LADDER_WELL);
	begin();
	view.evidence = EVIDENCE_DEAD;
	view.verdict = VERDICT_LINK_LOST;
	view.permits = 0;
	after(0);
	CU_ASSERT_EQUAL(after(299999), LADDER_WELL);
	CU_ASSERT_EQUAL(after(1), LADDER_REPLACE);
	begin();
	view.has_bmc = false;
	view.evidence = EVIDENCE_DEAD;
	view.verdict = VERDICT_OS_HUNG;
	view.permits = PERMIT_RESET;
	after(0);
	CU_ASSERT_EQUAL(after(60000), LADDER_WELL);
}

static void test_who_stops_it(void)
{
	static const struct {
		enum policy policy;
		bool braked, maintenance, locked;
	} cases[] = {{POLICY_TELL, 0, 0, 0}, {POLICY_HANDS_OFF, 0, 0, 0}, {POLICY_REPAIR, 1, 0, 0}, {POLICY_REPAIR, 0, 1, 0}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		begin();
		view.policy = cases[i].policy;
		view.braked = cases[i].braked;
		view.maintenance = cases[i].maintenance;
		view.evidence = EVIDENCE_HARD;
		view.permits = PERMIT_RESET | PERMIT_RESTART_AGENT;
		after(0);
		for (int t = 0; t < 100; t++)
			CU_ASSERT_EQUAL(after(30000), LADDER_WELL);
	}
}

static void test_beside(void)
{
	begin();
	view.verdict = VERDICT_AGENT_DEAD;
	view.permits = PERMIT_RESTART_AGENT;
	CU_ASSERT_EQUAL(after(0), LADDER_AGENT);
	CU_ASSERT_EQUAL(after(1000), LADDER_WELL);
	CU_ASSERT_EQUAL(after(299000), LADDER_AGENT);
	view.permits = PERMIT_BMC_COLD_RESET;
	CU_ASSERT_EQUAL(after(1000), LADDER_BMC);
	CU_ASSERT_TRUE(ladder_is_over(&ladder)); /* its work goes on: it is no trouble */
}

static void test_list_ends(void)
{
	begin();
	view.evidence = EVIDENCE_DEAD;
	view.verdict = VERDICT_LINK_LOST;
	after(0);
	CU_ASSERT_EQUAL(after(300000), LADDER_REPLACE);
	view.maintenance = true; /* people are at it */
	after(1000);
	CU_ASSERT_TRUE(ladder_is_over(&ladder));
	CU_ASSERT_FALSE(ladder.listed);
}

static void test_text(void)
{
	begin();
	view.evidence = EVIDENCE_HARD;
	after(0);
	after(4000);
	char *text = ladder_to_json(&ladder, view.now_ms, INT64_C(1700000000000));
	struct ladder back;
	CU_ASSERT_TRUE(ladder_from_json(text, view.now_ms, INT64_C(1700000000000), &back));
	CU_ASSERT_EQUAL(memcmp(&back, &ladder, sizeof back), 0);
	free(text);
	CU_ASSERT_FALSE(ladder_from_json("[]", 0, 0, &back));
	for (int i = 0; i < LADDER_STEP_COUNT; i++)
		CU_ASSERT_EQUAL(ladder_step_value(ladder_step_name(i)), i);
}

static const struct unit_test tests[] = {
	{"a service that does not answer", test_service_that_does_not_answer}, {"never came up", test_never_came_up}, {"not rebooted under others", test_not_rebooted_under_others},
	{"healed", test_healed}, {"dark", test_dark}, {"who stops it", test_who_stops_it}, {"beside", test_beside}, {"list ends", test_list_ends},
	{"text", test_text},
};

UNIT_MAIN("service ladder", tests)
