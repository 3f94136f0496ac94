/* SPDX-License-Identifier: GPL-3.0-or-later */
/* V16: the verdict function over every combination of witnesses, its invariants, its rows by example, and the permissions. */
#include <string.h>

#include "monitor/verdict.h"
#include "tests/unit/unit.h"

typedef void (*visit)(const struct verdict_input *in);

static unsigned long visited, possible;

static void each_rest(struct verdict_input in, visit v)
{
	for (int b = BMC_NA; b < BMC_STATE_END; b++)
		for (int p = PORT_NA; p < PORT_STATE_END; p++)
			for (int d = DOMAIN_STATE_OK; d < DOMAIN_STATE_COUNT; d++)
				for (int j = 0; j < 2; j++)
					for (int m = WANTED_ON; m < WANTED_END; m++) {
						in.b = (uint8_t)b;
						in.p = (uint8_t)p;
						in.d = (uint8_t)d;
						in.suspended = j;
						in.m = (uint8_t)m;
						v(&in);
					}
}

static void each(visit v)
{
	static const uint8_t S[] = { STATE_NA, STATE_ANS, STATE_LATE, STATE_PEND, STATE_SILENT, STATE_REFUSED };
	static const uint8_t K[] = { STATE_NA, STATE_ANS, STATE_PEND, STATE_SILENT };
	static const uint8_t U[] = { STATE_NA, STATE_ANS, STATE_SILENT };

	for (size_t s = 0; s < sizeof(S); s++)
		for (size_t k = 0; k < sizeof(K); k++)
			for (size_t u = 0; u < sizeof(U); u++)
				each_rest((struct verdict_input){ .s = S[s], .k = K[k], .u = U[u] }, v);
}

static void check_total(const struct verdict_input *in)
{
	static const enum verdict BEFORE[] = { VERDICT_UP, VERDICT_UNREACHABLE, VERDICT_BOOTING, VERDICT_UNKNOWN };
	struct verdict_result first = verdict_decide(in, VERDICT_UP);

	visited++;
	possible += verdict_possible(in);
	for (size_t i = 0; i < sizeof(BEFORE) / sizeof(BEFORE[0]); i++) {
		struct verdict_result r = verdict_decide(in, BEFORE[i]);

		if (r.row != first.row || r.keep != first.keep || r.row < 1 || r.row > 19)
			CU_FAIL("the row depends on the verdict before");
		if (r.keep ? r.verdict != BEFORE[i] : r.verdict != first.verdict)
			CU_FAIL("keep must keep, and nothing else may");
		if (r.verdict < VERDICT_UNKNOWN || r.verdict >= VERDICT_COUNT || r.level < LEVEL_UNKNOWN || r.level > LEVEL_CRITICAL)
			CU_FAIL("a value out of range");
	}
}

static void test_total(void)
{
	visited = possible = 0;
	each(check_total);
	CU_ASSERT_EQUAL(visited, 72000);
	CU_ASSERT_EQUAL(possible, 36000);
}

#define MUST(condition) \
	do { \
		if (!(condition)) { \
			CU_FAIL(#condition); \
			return; \
		} \
	} while (0)

static void check_invariants(const struct verdict_input *in)
{
	if (!verdict_possible(in))
		return;
	struct verdict_result r = verdict_decide(in, VERDICT_UP), kept = verdict_decide(in, VERDICT_ISOLATED);
	bool dead = verdict_is_dead(r.verdict) && !r.keep;

	if (in->suspended) {
		MUST(r.keep && r.verdict == VERDICT_UP && kept.verdict == VERDICT_ISOLATED);
		return;
	}
	if (in->s == STATE_ANS || in->s == STATE_LATE)
		MUST(!dead);
	if (in->k == STATE_ANS && dead)
		MUST(r.verdict == VERDICT_OS_HUNG && in->u == STATE_SILENT);
	if (r.verdict == VERDICT_POWERED_OFF)
		MUST(in->b == BMC_OFF && in->k != STATE_ANS && !verdict_alive(in));
	if (in->b == BMC_NA)
		MUST(r.verdict != VERDICT_ISOLATED && r.verdict != VERDICT_POWERED_OFF && r.verdict != VERDICT_BMC_LOST);
	if (verdict_alive(in) && in->b == BMC_OFF)
		MUST(r.verdict == VERDICT_BMC_MISMATCH);
	if (in->k == STATE_PEND)
		MUST(!dead);
	if (r.verdict == VERDICT_GROUP_PATH_LOST)
		MUST(in->d == DOMAIN_STATE_PATH && r.held);
	if (in->m == WANTED_MAINT)
		MUST(r.level == LEVEL_NORMAL || r.level == LEVEL_UNKNOWN);
	if (in->m == WANTED_OFF && r.verdict == VERDICT_POWERED_OFF)
		MUST(r.level == LEVEL_NORMAL);
	if (r.verdict == VERDICT_BMC_MISMATCH && in->m != WANTED_MAINT)
		MUST(r.level == LEVEL_MAJOR);
}

static void test_invariants(void)
{
	each(check_invariants);
}

static void check_permits(const struct verdict_input *in)
{
	struct verdict_result r = verdict_decide(in, VERDICT_UP);

	for (int certainty = CERTAINTY_NONE; certainty < CERTAINTY_COUNT; certainty++) {
		struct verdict_case c = { .in = *in, .verdict = r.verdict, .certainty = (enum certainty)certainty, .held_ms = 1 << 30 };
		unsigned permits = verdict_permits(&c);

		if (in->suspended || in->m == WANTED_MAINT || certainty == CERTAINTY_NONE)
			MUST(permits == 0);
		if (permits & PERMIT_RESET)
			MUST(r.verdict == VERDICT_OS_HUNG && in->b == BMC_ON && in->d == DOMAIN_STATE_OK && in->p != PORT_MOVING &&
			     in->m == WANTED_ON && certainty == CERTAINTY_CONFIRMED);
		if (permits & PERMIT_POWER_ON)
			MUST(in->b == BMC_OFF && in->m == WANTED_ON && certainty == CERTAINTY_CONFIRMED);
		if (permits & PERMIT_WEIGHT_ZERO)
			MUST(verdict_is_dead(r.verdict) && r.verdict != VERDICT_GROUP_PATH_LOST);
		if (r.verdict == VERDICT_BMC_MISMATCH || r.verdict == VERDICT_GROUP_PATH_LOST)
			MUST(permits == 0);
		if (permits & PERMIT_RESTART_AGENT)
			MUST(r.verdict == VERDICT_AGENT_DEAD);
		c.held_ms = 29999;
		MUST(!(verdict_permits(&c) & ~(unsigned)PERMIT_WEIGHT_ZERO));
	}
}

static void test_permits_everywhere(void)
{
	each(check_permits);
}

static const struct verdict_input HEALTHY = { .s = STATE_ANS, .k = STATE_ANS, .u = STATE_NA, .b = BMC_ON, .p = PORT_STILL,
					      .d = DOMAIN_STATE_OK, .m = WANTED_ON };
static const struct verdict_input SILENT = { .s = STATE_SILENT, .k = STATE_SILENT, .u = STATE_NA, .b = BMC_ON, .p = PORT_STILL,
					     .d = DOMAIN_STATE_OK, .m = WANTED_ON };

#define WITH(base, ...) \
	({ \
		struct verdict_input in_ = base; \
		__VA_ARGS__; \
		in_; \
	})

/* every row of the table by one example, and every outcome of the rows with several */
static void test_rows(void)
{
	const struct {
		struct verdict_input in;
		int row;
		enum verdict verdict;
		enum level level;
	} T[] = {
		{ WITH(SILENT, in_.suspended = true), 1, VERDICT_UP, LEVEL_NORMAL },
		{ WITH(HEALTHY, in_.b = BMC_OFF), 2, VERDICT_BMC_MISMATCH, LEVEL_MAJOR },
		{ WITH(HEALTHY, in_.b = BMC_SILENT), 3, VERDICT_BMC_LOST, LEVEL_WARNING },
		{ WITH(HEALTHY, in_.b = BMC_SILENT; in_.bmc_long = true), 3, VERDICT_BMC_LOST, LEVEL_MAJOR },
		{ HEALTHY, 4, VERDICT_UP, LEVEL_NORMAL },
		{ WITH(HEALTHY, in_.s = STATE_LATE), 5, VERDICT_AGENT_SLOW, LEVEL_WARNING },
		{ WITH(HEALTHY, in_.s = STATE_PEND), 6, VERDICT_UP, LEVEL_NORMAL },
		{ WITH(HEALTHY, in_.s = STATE_REFUSED; in_.m = WANTED_BOOT), 7, VERDICT_BOOTING, LEVEL_NORMAL },
		{ WITH(HEALTHY, in_.s = STATE_SILENT; in_.m = WANTED_INSTALL; in_.overdue = true), 7, VERDICT_BOOT_FAILED, LEVEL_MAJOR },
		{ WITH(HEALTHY, in_.s = STATE_SILENT; in_.u = STATE_SILENT), 8, VERDICT_OS_HUNG, LEVEL_CRITICAL },
		{ WITH(HEALTHY, in_.s = STATE_REFUSED; in_.u = STATE_ANS), 9, VERDICT_AGENT_DEAD, LEVEL_MAJOR },
		{ WITH(SILENT, in_.k = STATE_PEND; in_.s = STATE_PEND), 10, VERDICT_UP, LEVEL_NORMAL },
		{ WITH(SILENT, in_.b = BMC_OFF), 11, VERDICT_POWERED_OFF, LEVEL_CRITICAL },
		{ WITH(SILENT, in_.b = BMC_OFF; in_.m = WANTED_OFF), 11, VERDICT_POWERED_OFF, LEVEL_NORMAL },
		{ WITH(SILENT, in_.b = BMC_OFF; in_.d = DOMAIN_STATE_POWER), 11, VERDICT_POWERED_OFF, LEVEL_CRITICAL },
		{ WITH(SILENT, in_.s = STATE_NA; in_.k = STATE_NA), 12, VERDICT_UNKNOWN, LEVEL_UNKNOWN },
		{ WITH(SILENT, in_.m = WANTED_BOOT), 13, VERDICT_BOOTING, LEVEL_NORMAL },
		{ WITH(SILENT, in_.d = DOMAIN_STATE_HOLD), 14, VERDICT_UP, LEVEL_NORMAL },
		{ WITH(SILENT, in_.d = DOMAIN_STATE_PATH), 14, VERDICT_GROUP_PATH_LOST, LEVEL_UNKNOWN },
		{ WITH(SILENT, in_.d = DOMAIN_STATE_POWER; in_.b = BMC_SILENT), 14, VERDICT_POWER_LOST, LEVEL_CRITICAL },
		{ WITH(SILENT, in_.p = PORT_MOVING), 15, VERDICT_PATH_BLOCKED, LEVEL_MAJOR },
		{ WITH(SILENT, in_.b = BMC_PEND; in_.p = PORT_DOWN), 16, VERDICT_UNREACHABLE, LEVEL_CRITICAL },
		{ WITH(SILENT, in_.p = PORT_DOWN), 17, VERDICT_LINK_LOST, LEVEL_CRITICAL },
		{ WITH(SILENT, in_.p = PORT_DOWN; in_.b = BMC_SILENT), 17, VERDICT_POWER_LOST, LEVEL_CRITICAL },
		{ SILENT, 18, VERDICT_OS_HUNG, LEVEL_CRITICAL },
		{ WITH(SILENT, in_.d = DOMAIN_STATE_HANG), 18, VERDICT_OS_HUNG, LEVEL_CRITICAL },
		{ WITH(SILENT, in_.b = BMC_SILENT), 19, VERDICT_ISOLATED, LEVEL_CRITICAL },
		{ WITH(SILENT, in_.b = BMC_NA), 19, VERDICT_UNREACHABLE, LEVEL_CRITICAL },
		{ WITH(SILENT, in_.k = STATE_NA; in_.b = BMC_NA), 19, VERDICT_UNREACHABLE, LEVEL_CRITICAL },
		{ WITH(SILENT, in_.m = WANTED_MAINT), 18, VERDICT_OS_HUNG, LEVEL_NORMAL },
		{ WITH(HEALTHY, in_.s = STATE_NA; in_.b = BMC_NA), 4, VERDICT_UP, LEVEL_NORMAL },
	};

	for (size_t i = 0; i < sizeof(T) / sizeof(T[0]); i++) {
		struct verdict_result r = verdict_decide(&T[i].in, VERDICT_UP);

		if (r.row != T[i].row || r.verdict != T[i].verdict || r.level != T[i].level) {
			printf("\n    case %zu: row %u verdict %s level %s", i, r.row, verdict_name((int)r.verdict), level_name((int)r.level));
			CU_FAIL("row");
		}
	}
	CU_PASS("all rows");
}

static void check_normalise(const struct verdict_input *in)
{
	struct verdict_input once = *in, twice;

	verdict_normalise(&once);
	twice = once;
	verdict_normalise(&twice);
	MUST(verdict_possible(&once));
	MUST(memcmp(&once, &twice, sizeof(once)) == 0);
	/* an answer never becomes a silence, nor the other way about */
	MUST(verdict_alive(in) == verdict_alive(&once));
}

static void test_normalise(void)
{
	each(check_normalise);
}

/* the holds and limits of 4.7, one step at a time */
static void test_permit_limits(void)
{
	struct verdict_case c = { .in = SILENT, .verdict = VERDICT_OS_HUNG, .certainty = CERTAINTY_CONFIRMED, .held_ms = 60000 };

	CU_ASSERT_EQUAL(verdict_permits(&c), PERMIT_WEIGHT_ZERO | PERMIT_RESET);
	c.held_ms = 59999;
	CU_ASSERT_EQUAL(verdict_permits(&c), PERMIT_WEIGHT_ZERO);
	c.held_ms = 60000;
	c.boot_p95_ms = 100000;
	CU_ASSERT_EQUAL(verdict_permits(&c), PERMIT_WEIGHT_ZERO);
	c.held_ms = 150000;
	CU_ASSERT_EQUAL(verdict_permits(&c), PERMIT_WEIGHT_ZERO | PERMIT_RESET);
	c.kdump = true;
	CU_ASSERT_EQUAL(verdict_permits(&c), PERMIT_WEIGHT_ZERO);
	c.held_ms = 600000;
	CU_ASSERT_EQUAL(verdict_permits(&c), PERMIT_WEIGHT_ZERO | PERMIT_RESET);
	c.flapping = true;
	CU_ASSERT_EQUAL(verdict_permits(&c), PERMIT_WEIGHT_ZERO);
	c.flapping = false;
	c.blast_limit = true;
	CU_ASSERT_EQUAL(verdict_permits(&c), PERMIT_WEIGHT_ZERO);

	c = (struct verdict_case){ .in = WITH(SILENT, in_.b = BMC_OFF), .verdict = VERDICT_POWERED_OFF, .certainty = CERTAINTY_CONFIRMED,
				   .held_ms = 30000 };
	CU_ASSERT_EQUAL(verdict_permits(&c), PERMIT_WEIGHT_ZERO | PERMIT_POWER_ON);
	c.done_today = 1;
	CU_ASSERT_EQUAL(verdict_permits(&c), PERMIT_WEIGHT_ZERO);
	c.done_today = 0;
	c.hardware_fault = true;
	CU_ASSERT_EQUAL(verdict_permits(&c), PERMIT_WEIGHT_ZERO);

	c = (struct verdict_case){ .in = WITH(HEALTHY, in_.s = STATE_SILENT), .verdict = VERDICT_AGENT_DEAD, .certainty = CERTAINTY_CALLED,
				   .held_ms = 60000, .done_today = 2 };
	CU_ASSERT_EQUAL(verdict_permits(&c), PERMIT_RESTART_AGENT);
	c.done_today = 3;
	CU_ASSERT_EQUAL(verdict_permits(&c), 0);

	c = (struct verdict_case){ .in = WITH(HEALTHY, in_.b = BMC_SILENT), .verdict = VERDICT_BMC_LOST, .certainty = CERTAINTY_CALLED,
				   .held_ms = 600000 };
	CU_ASSERT_EQUAL(verdict_permits(&c), PERMIT_BMC_COLD_RESET);
	c.held_ms = 599999;
	CU_ASSERT_EQUAL(verdict_permits(&c), 0);
}

static const struct unit_test TESTS[] = {
	{ "one verdict for each of 72,000 inputs, 36,000 of them possible", test_total },
	{ "invariants", test_invariants },
	{ "every row of the table", test_rows },
	{ "witnesses are made consistent", test_normalise },
	{ "nothing is permitted that must never be", test_permits_everywhere },
	{ "holds and limits", test_permit_limits },
};

UNIT_MAIN("verdict", TESTS)
