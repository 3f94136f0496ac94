/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What counts of processes mean, how their processor time becomes a percentage, and which processes are meant. */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "mibs/collector/process_rows.h"
#include "monitor/process_watch.h"

static void test_states(void)
{
	static const struct {
		uint32_t min, max;
		bool known;
		uint32_t count;
		enum watch_state state;
		const char *cause;
	} cases[] = {
		{1, 1, true, 1, WATCH_STATE_OK, "w: 1 run, 1 wanted"},
		{1, 1, true, 0, WATCH_STATE_TOO_FEW, "w: 0 run, 1 wanted"},
		{1, 1, true, 2, WATCH_STATE_TOO_MANY, "w: 2 run, 1 wanted"},
		{0, 0, true, 1, WATCH_STATE_TOO_MANY, "w: 1 run, 0 wanted"},
		{0, 0, true, 0, WATCH_STATE_OK, "w: 0 run, 0 wanted"},
		{2, 5, true, 1, WATCH_STATE_TOO_FEW, "w: 1 run, 2 to 5 wanted"},
		{1, PROCESS_ANY, true, 4000, WATCH_STATE_OK, "w: 4000 run, at least 1 wanted"},
		{0, 5, false, 0, WATCH_STATE_UNKNOWN, "w: the agent shows no processes"},
	};
	char cause[64];

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		CU_ASSERT_EQUAL(process_watch_state(cases[i].min, cases[i].max, cases[i].known, cases[i].count), cases[i].state);
		process_watch_cause(cause, sizeof cause, "w", cases[i].min, cases[i].max, cases[i].known, cases[i].count);
		CU_ASSERT_STRING_EQUAL(cause, cases[i].cause);
	}
	CU_ASSERT_EQUAL(process_watch_level(WATCH_STATE_OK), LEVEL_NORMAL);
	CU_ASSERT_EQUAL(process_watch_level(WATCH_STATE_TOO_FEW), LEVEL_MAJOR);
	CU_ASSERT_EQUAL(process_watch_level(WATCH_STATE_TOO_MANY), LEVEL_MAJOR);
	CU_ASSERT_EQUAL(process_watch_level(WATCH_STATE_UNKNOWN), LEVEL_UNKNOWN);
	process_watch_cause(cause, 12, "a-name-that-is-too-long", 1, 1, true, 0);
	CU_ASSERT_EQUAL(strlen(cause), 11);
}

/* An agent that shows its table every 30 s, read every 10 s: 15 s of processor time in each 30 s. */
static void test_cpu_in_steps(void)
{
	struct process_cpu cpu = {0};
	int64_t now = 1000000;

	CU_ASSERT(isnan(process_cpu_push(&cpu, 500, now)));
	CU_ASSERT(isnan(process_cpu_push(&cpu, 500, now + 10000)));
	CU_ASSERT(isnan(process_cpu_push(&cpu, 1400, now + 20000))); /* when that step began is not known */
	CU_ASSERT_DOUBLE_EQUAL(process_cpu_push(&cpu, 2900, now + 50000), 50, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(process_cpu_push(&cpu, 2900, now + 60000), 50, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(process_cpu_push(&cpu, 4400, now + 80000), 50, 1e-9);
	for (int64_t at = 90000; at < 170000; at += 10000)
		CU_ASSERT_DOUBLE_EQUAL(process_cpu_push(&cpu, 4400, now + at), 50, 1e-9);
	CU_ASSERT_EQUAL(process_cpu_push(&cpu, 4400, now + 170000), 0); /* idle for longer than any agent's table is old */
	/* busy again: what is new was used since the table before at the earliest */
	CU_ASSERT_DOUBLE_EQUAL(process_cpu_push(&cpu, 8400, now + 300000), 100, 1e-9);
	CU_ASSERT(isnan(process_cpu_push(&cpu, 100, now + 310000))); /* counted anew */
	CU_ASSERT(isnan(process_cpu_push(&cpu, 200, now + 300000))); /* a reading from before */
}

static void test_who_is_meant(void)
{
	CU_ASSERT(process_name_matches("sshd", "sshd"));
	CU_ASSERT(!process_name_matches("sshd", "sshd2"));
	CU_ASSERT(!process_name_matches("ssh", "sshd"));
	CU_ASSERT(process_name_matches("php-fpm*", "php-fpm8.2"));
	CU_ASSERT(process_name_matches("systemd-journald", "systemd-journal")); /* the kernel keeps 15 */
	CU_ASSERT(!process_name_matches("systemd-journald", "systemd-journa"));
	CU_ASSERT(!process_name_matches("systemd-journald", "systemd-network"));
	CU_ASSERT(process_name_matches("", "") && !process_name_matches("", "x"));
	CU_ASSERT(process_arguments_match("", "whatever"));
	CU_ASSERT(process_arguments_match("-D", "/usr/sbin/sshd -D"));
	CU_ASSERT(process_arguments_match("--role=*a --port ?0", "x --role=abca --port 80 y"));
	CU_ASSERT(!process_arguments_match("-D", ""));
	CU_ASSERT(!process_arguments_match("-D", "-d"));
	char many[200], text[200];
	memset(many, '*', 90);
	for (int i = 1; i < 90; i += 2)
		many[i] = 'a';
	many[90] = 'b';
	many[91] = '\0';
	memset(text, 'a', 128);
	text[128] = '\0';
	CU_ASSERT(!process_arguments_match(many, text)); /* in no time */
}

static const struct unit_test tests[] = {
	{"states", test_states},
	{"processor time in steps", test_cpu_in_steps},
	{"who is meant", test_who_is_meant},
};
UNIT_MAIN("process watch", tests)
