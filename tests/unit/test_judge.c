/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The judge on single nodes: its three sentences, its questions, causes, returns, booting, maintenance, flapping. */
#include "tests/unit/judge_bench.h"

static void test_three_sentences(void)
{
	start(true, true, 1);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UNKNOWN);
	all_up();
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP);
	CU_ASSERT_EQUAL(row(0).level, LEVEL_NORMAL);
	CU_ASSERT_STRING_EQUAL(row(0).cause, "answers");
	int64_t first = die(0);
	CU_ASSERT_STRING_EQUAL(row(0).cause, "does not answer");
	CU_ASSERT(first_said(0, VERDICT_UNREACHABLE, CERTAINTY_CALLED) - first <= 1800);
	run(10000);
	CU_ASSERT_EQUAL(first_said(0, VERDICT_OS_HUNG, CERTAINTY_CAUSE) - first, 3800);
	CU_ASSERT_EQUAL(first_said(0, VERDICT_OS_HUNG, CERTAINTY_CONFIRMED) - first, 10000);
	CU_ASSERT_STRING_EQUAL(row(0).cause, "silent, switch port up, BMC says on");
	CU_ASSERT(!row(0).evidence.link_not_excluded);
	CU_ASSERT_EQUAL(row(0).root, JUDGE_NO_DOMAIN);
	CU_ASSERT(!row(0).held);
	CU_ASSERT_EQUAL(b.why_asks[0], 1);
	CU_ASSERT_EQUAL(row(1).verdict, VERDICT_UP);
	stop();
}

static void test_questions(void)
{
	start(true, false, 1);
	all_up();
	b.bmc[0] = BMC_SILENT;
	int64_t first = b.now;
	run(600);
	flag(0, first);
	run(190);
	CU_ASSERT_EQUAL(b.power_asks[0], 0);
	run(20);
	CU_ASSERT_EQUAL(b.power_asks[0], 1);
	run(500);
	CU_ASSERT_EQUAL(b.power_asks[0], 2);
	run(500);
	CU_ASSERT_EQUAL(b.power_asks[0], 3);
	dead(0, first, 0);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UNREACHABLE);
	run(1470);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UNREACHABLE);
	run(40); /* silent 2.5 s after the first question, 3.3 s after the first lost probe */
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UNREACHABLE);
	CU_ASSERT_EQUAL(row(0).certainty, CERTAINTY_CALLED);
	run(600);
	CU_ASSERT_EQUAL(row(0).certainty, CERTAINTY_CAUSE);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_ISOLATED);
	/* V14: a late "on" corrects it */
	judge_bmc(b.judge, 0, BMC_ON, b.now, b.now);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_OS_HUNG);
	CU_ASSERT(row(0).evidence.link_not_excluded);
	stop();
}

/* a suspicion that ends leaves no question behind */
static void test_no_question_for_a_short_suspicion(void)
{
	start(true, true, 1);
	all_up();
	int64_t first = b.now;
	run(600);
	flag(0, first);
	run(150);
	tell(0, WITNESS_S, STATE_ANS, 0, 0, 0);
	run(5000);
	CU_ASSERT_EQUAL(b.power_asks[0], 0);
	CU_ASSERT_EQUAL(b.port_asks[0], 0);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP);
	CU_ASSERT_EQUAL(b.nclosed, 0);
	stop();
}

static void test_powered_off(void)
{
	start(true, true, 1);
	all_up();
	b.bmc[0] = BMC_OFF;
	b.port[0] = PORT_DOWN;
	int64_t first = b.now;
	run(600);
	flag(0, first);
	run(250);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP); /* off is known, but four misses are not enough */
	tell(0, WITNESS_K, STATE_PEND, WITNESS_FLAGGED, 6, first);
	run(700);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP); /* its rack may be without power: the others' heartbeats come up to a second later */
	run(150);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_POWERED_OFF);
	CU_ASSERT_TRUE(b.now - first <= 1750);
	CU_ASSERT_EQUAL(row(0).level, LEVEL_CRITICAL);
	CU_ASSERT_EQUAL(row(0).power, POWER_OFF);
	judge_wanted(b.judge, 0, WANTED_OFF, 0, b.now);
	CU_ASSERT_EQUAL(row(0).level, LEVEL_NORMAL);
	stop();
}

static void test_causes(void)
{
	static const struct {
		enum bmc_state bmc;
		enum port_state port;
		enum verdict verdict;
	} T[] = {
		{ BMC_ON, PORT_DOWN, VERDICT_LINK_LOST },   { BMC_SILENT, PORT_DOWN, VERDICT_POWER_LOST },
		{ BMC_ON, PORT_MOVING, VERDICT_PATH_BLOCKED }, { BMC_SILENT, PORT_STILL, VERDICT_ISOLATED },
		{ BMC_NA, PORT_STILL, VERDICT_UNREACHABLE }, { BMC_ON, PORT_NA, VERDICT_OS_HUNG },
	};

	for (size_t i = 0; i < sizeof(T) / sizeof(T[0]); i++) {
		start(true, true, 1);
		all_up();
		b.bmc[0] = (uint8_t)T[i].bmc;
		b.port[0] = (uint8_t)T[i].port;
		int64_t first = die(0);
		run(2510);
		CU_ASSERT_EQUAL(row(0).verdict, T[i].verdict);
		CU_ASSERT_EQUAL(row(0).certainty, CERTAINTY_CAUSE);
		CU_ASSERT(b.now - first <= 4320);
		run(7000);
		CU_ASSERT_EQUAL(row(0).verdict, T[i].verdict);
		CU_ASSERT_EQUAL(row(0).certainty, CERTAINTY_CONFIRMED);
		stop();
	}
}

static void test_without_bmc(void)
{
	start(false, false, 1);
	all_up();
	int64_t first = die(0);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UNREACHABLE);
	run(8300);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UNREACHABLE);
	CU_ASSERT_EQUAL(first_said(0, VERDICT_UNREACHABLE, CERTAINTY_CONFIRMED) - first, 10000);
	CU_ASSERT_EQUAL(b.power_asks[0] + b.why_asks[0], 0);
	stop();
}

static void test_agent_dead_and_hung(void)
{
	start(true, false, 1);
	all_up();
	int64_t first = b.now;
	run(4000);
	tell(0, WITNESS_S, STATE_SILENT, WITNESS_ENOUGH, 14, first);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_AGENT_DEAD);
	CU_ASSERT_EQUAL(row(0).level, LEVEL_MAJOR);
	CU_ASSERT_EQUAL(row(0).certainty, CERTAINTY_CALLED);
	tell(0, WITNESS_U, STATE_ANS, 0, 14, first);
	CU_ASSERT_STRING_EQUAL(row(0).cause, "agent silent, login answers");
	tell(0, WITNESS_U, STATE_SILENT, 0, 14, first);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_OS_HUNG);
	run(7000);
	CU_ASSERT_EQUAL(row(0).certainty, CERTAINTY_CONFIRMED);
	struct verdict_case c = { .in = row(0).evidence.in, .verdict = VERDICT_OS_HUNG, .certainty = CERTAINTY_CONFIRMED, .held_ms = 60000 };
	CU_ASSERT(verdict_permits(&c) & PERMIT_RESET);
	tell(0, WITNESS_S, STATE_ANS, 0, 0, 0);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP);
	stop();
}

static void test_return(void)
{
	static const struct {
		int64_t agent, host;
		enum judge_return how;
		const char *text;
	} T[] = {
		{ 3600000, 7200000, RETURN_PATH, "path: silent 9.8 s" },
		{ 3600000, -1, RETURN_PATH, "path: silent 9.8 s" },
		{ 1000, 2000, RETURN_REBOOTED, "rebooted: silent 9.8 s" },
		{ 1000, 7200000, RETURN_AGENT_RESTARTED, "agent restarted: silent 9.8 s" },
		{ -1, -1, RETURN_UNKNOWN, "back: silent 9.8 s" },
	};

	for (size_t i = 0; i < sizeof(T) / sizeof(T[0]); i++) {
		start(true, false, 1);
		all_up();
		die(0);
		run(8000);
		tell(0, WITNESS_S, STATE_PEND, WITNESS_RETURNING, 0, 0);
		CU_ASSERT_EQUAL(b.probes, 1);
		/* answers again, but the word stands until three heartbeats did; nothing may be done meanwhile */
		CU_ASSERT_EQUAL(row(0).verdict, VERDICT_OS_HUNG);
		struct verdict_case c = { .in = row(0).evidence.in, .verdict = VERDICT_OS_HUNG, .certainty = CERTAINTY_CONFIRMED,
					  .held_ms = 1 << 30 };
		CU_ASSERT_EQUAL(verdict_permits(&c) & PERMIT_RESET, 0);
		run(1000);
		judge_uptime(b.judge, 0, T[i].agent, T[i].host, b.now);
		run(1000);
		tell(0, WITNESS_S, STATE_ANS, 0, 0, 0);
		CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP);
		if (T[i].how == RETURN_UNKNOWN)
			run(15000);
		CU_ASSERT_EQUAL_FATAL(b.nclosed, 1);
		CU_ASSERT_EQUAL(b.closed[0].how, T[i].how);
		CU_ASSERT_EQUAL(b.closed[0].verdict, VERDICT_OS_HUNG);
		CU_ASSERT_EQUAL(b.closed[0].certainty, CERTAINTY_CAUSE);
		CU_ASSERT_STRING_EQUAL(b.closed[0].cause, T[i].text);
		CU_ASSERT_STRING_EQUAL(row(0).cause, T[i].text);
		stop();
	}
}

/* up-times that were told before: a machine that crashed and was back sooner than its silence was noticed has rebooted all the same */
static void test_short_crash(void)
{
	static const struct {
		int64_t agent, host; /* at the return, 5 s after the first lost probe was sent */
		enum judge_return how;
	} T[] = {
		{ 3900, 4400, RETURN_REBOOTED },   /* down for 0.6 s of it */
		{ 3900, 6400, RETURN_REBOOTED },   /* ... and dead already before that probe */
		{ 3900, 65000, RETURN_AGENT_RESTARTED },
		{ 65000, 65000, RETURN_PATH },
	};

	for (size_t i = 0; i < sizeof(T) / sizeof(T[0]); i++) {
		start(true, false, 1);
		all_up();
		judge_uptime(b.judge, 0, 60000, 60000, b.now);
		die(0);
		CU_ASSERT(judge_incident(b.judge, 0));
		tell(0, WITNESS_S, STATE_PEND, WITNESS_RETURNING, 0, 0);
		run(3200);
		judge_uptime(b.judge, 0, T[i].agent, T[i].host, b.now);
		tell(0, WITNESS_S, STATE_ANS, 0, 0, 0);
		CU_ASSERT_EQUAL_FATAL(b.nclosed, 1);
		CU_ASSERT_EQUAL(b.closed[0].how, T[i].how);
		CU_ASSERT_EQUAL(b.closed[0].ended, b.now - 3200);
		CU_ASSERT(!judge_incident(b.judge, 0));
		stop();
	}
}

static void test_mismatch(void)
{
	start(true, false, 1);
	all_up();
	judge_bmc(b.judge, 0, BMC_OFF, b.now, b.now);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP); /* it may be dying just now */
	b.bmc[0] = BMC_OFF;
	run(2600);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_BMC_MISMATCH);
	CU_ASSERT_EQUAL(row(0).level, LEVEL_MAJOR);
	b.bmc[0] = BMC_ON;
	judge_bmc(b.judge, 0, BMC_ON, b.now, b.now);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP);
	/* one that really dies: off is read before the silence is noticed */
	b.bmc[1] = BMC_OFF;
	judge_bmc(b.judge, 1, BMC_OFF, b.now, b.now);
	int64_t first = b.now - 100;
	run(500);
	flag(1, first);
	run(400);
	tell(1, WITNESS_K, STATE_PEND, WITNESS_FLAGGED, 6, first);
	run(700);
	CU_ASSERT_EQUAL(row(1).verdict, VERDICT_POWERED_OFF);
	CU_ASSERT_EQUAL(first_said(1, VERDICT_BMC_MISMATCH, CERTAINTY_CALLED), 0);
	stop();
}

static void test_bmc_liveness(void)
{
	start(true, false, 1);
	struct judge_node n = { .generation = 1, .bmc = true, .poll_bmc = true, .hash = 5000, .ndomains = 2, .domains = { GROUP_A, SITE } };
	CU_ASSERT_EQUAL(judge_node_set(b.judge, 0, &n, b.now), 0);
	all_up();
	run(60000);
	CU_ASSERT(b.alive_asks[0] + b.power_asks[0] >= 5 && b.alive_asks[0] + b.power_asks[0] <= 7);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP);
	b.bmc[0] = BMC_SILENT;
	int64_t cut = b.now;
	run(23000);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_BMC_LOST);
	CU_ASSERT_EQUAL(row(0).level, LEVEL_WARNING);
	CU_ASSERT(first_said(0, VERDICT_BMC_LOST, CERTAINTY_CALLED) - cut >= 8000);
	CU_ASSERT(first_said(0, VERDICT_BMC_LOST, CERTAINTY_CALLED) - cut <= 22000);
	run(600000);
	CU_ASSERT_EQUAL(row(0).level, LEVEL_MAJOR);
	b.bmc[0] = BMC_ON;
	run(11000);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP);
	/* where the caller keeps liveness, its word counts; said during a suspicion, when that is over */
	judge_bmc(b.judge, 5, BMC_SILENT, b.now, b.now);
	CU_ASSERT_EQUAL(row(5).verdict, VERDICT_BMC_LOST);
	judge_bmc(b.judge, 5, BMC_ON, b.now, b.now);
	CU_ASSERT_EQUAL(row(5).verdict, VERDICT_UP);
	flag(5, b.now - 600);
	judge_bmc(b.judge, 5, BMC_SILENT, b.now, b.now);
	tell(5, WITNESS_S, STATE_ANS, 0, 0, 0);
	CU_ASSERT_EQUAL(row(5).verdict, VERDICT_BMC_LOST);
	judge_bmc(b.judge, 5, BMC_ON, b.now, b.now);
	/* wrong password, slots full: it answers, so it is not lost */
	b.bmc[0] = BMC_NA;
	run(60000);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP);
	stop();
}

static void test_booting(void)
{
	start(true, false, 1);
	all_up();
	judge_wanted(b.judge, 0, WANTED_BOOT, b.now + 60000, b.now);
	die(0);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_BOOTING);
	CU_ASSERT_EQUAL(row(0).level, LEVEL_NORMAL);
	run(59000);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_BOOT_FAILED);
	CU_ASSERT_EQUAL(row(0).level, LEVEL_MAJOR);
	come_back(0);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP);
	CU_ASSERT_EQUAL(b.nclosed, 0);
	stop();
}

static void test_maintenance(void)
{
	start(true, false, 1);
	all_up();
	judge_wanted(b.judge, 0, WANTED_MAINT, 0, b.now);
	die(0);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UNREACHABLE);
	CU_ASSERT_EQUAL(row(0).level, LEVEL_NORMAL);
	judge_wanted(b.judge, 0, WANTED_ON, 0, b.now);
	CU_ASSERT_EQUAL(row(0).level, LEVEL_CRITICAL);
	stop();
}

static void test_flapping(void)
{
	start(true, false, 1);
	all_up();
	for (int i = 0; i < 3; i++) {
		CU_ASSERT(!row(0).flapping);
		die(0);
		run(4000);
		come_back(0);
		judge_uptime(b.judge, 0, 3600000, 3600000, b.now);
		run(50000);
	}
	CU_ASSERT(row(0).flapping);
	run(16 * 60000);
	CU_ASSERT(!row(0).flapping);
	stop();
}

static const struct unit_test TESTS[] = {
	{ "called, cause, confirmed", test_three_sentences },
	{ "questions to the BMC", test_questions },
	{ "no question for a short suspicion", test_no_question_for_a_short_suspicion },
	{ "powered off", test_powered_off },
	{ "causes", test_causes },
	{ "without a BMC", test_without_bmc },
	{ "agent dead, programs hung", test_agent_dead_and_hung },
	{ "return by up-times", test_return },
		{ "a short crash is a reboot", test_short_crash },
	{ "BMC mismatch", test_mismatch },
	{ "BMC liveness", test_bmc_liveness },
	{ "booting", test_booting },
	{ "maintenance", test_maintenance },
	{ "flapping", test_flapping },
};

UNIT_MAIN("judge", TESTS)
