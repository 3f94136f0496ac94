/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Weights by headroom: the step, its bounds, who is left out; and that it settles. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "service/weights.h"
#include "tests/unit/unit.h"

static struct weights_member member(float utilisation)
{
	return (struct weights_member){.utilisation = utilisation, .settled = true, .weight = WEIGHTS_NOMINAL, .written = WEIGHTS_NOMINAL};
}

static void test_interval(void)
{
	CU_ASSERT_DOUBLE_EQUAL(weights_interval(1, 0, 0), 30, 0);
	CU_ASSERT_DOUBLE_EQUAL(weights_interval(60, 10, 10), 60, 0);
	CU_ASSERT_DOUBLE_EQUAL(weights_interval(1e9, 10, 10), 120, 0);
	CU_ASSERT_DOUBLE_EQUAL(weights_interval(5, 10, 20), 45, 0);
	CU_ASSERT_DOUBLE_EQUAL(weights_interval(5, 100, 60), 240, 0); /* never faster than it can see */
}

static void test_step(void)
{
	struct weights_member m[] = {member(.72f), member(.56f), member(.64f), member(.65f)};

	CU_ASSERT_EQUAL(weights_step(m, COUNT_OF(m)), 2);
	CU_ASSERT_EQUAL(m[0].written, (uint32_t)lround(100 / sqrt(.72 / .6425)));
	CU_ASSERT_EQUAL(m[1].written, (uint32_t)lround(100 / sqrt(.56 / .6425)));
	CU_ASSERT_EQUAL(m[2].written, 100); /* within 5 % of the mean */
	CU_ASSERT_FALSE(m[2].changed);
	CU_ASSERT_TRUE(m[0].changed);
}

static void test_bounds(void)
{
	struct weights_member m[] = {member(1), member(.1f), member(0)};

	for (int i = 0; i < 40; i++) {
		double before = m[0].weight;
		weights_step(m, COUNT_OF(m));
		CU_ASSERT(m[0].weight >= .8 * before - 1e-9);
	}
	CU_ASSERT_EQUAL(m[0].written, WEIGHTS_FLOOR);
	CU_ASSERT_EQUAL(m[1].written, WEIGHTS_CEILING);
	CU_ASSERT_EQUAL(m[2].written, WEIGHTS_CEILING);
	CU_ASSERT_EQUAL(weights_step(m, COUNT_OF(m)), 0); /* at the bounds nothing is written again */
}

static void test_left_out(void)
{
	struct weights_member m[] = {member(.8f), member(.4f), member(NAN), member(.1f), member(-1), member(INFINITY)};

	m[3].settled = false;
	m[3].weight = 40;
	m[3].written = 40;
	CU_ASSERT_EQUAL(weights_step(m, COUNT_OF(m)), 2);
	CU_ASSERT_EQUAL(m[0].written, (uint32_t)lround(100 / sqrt(.8 / .6))); /* the mean is of the two that count */
	CU_ASSERT_EQUAL(m[2].written, 100);
	CU_ASSERT_EQUAL(m[3].written, 40);
	CU_ASSERT_EQUAL(m[4].written, 100);
	CU_ASSERT_EQUAL(m[5].written, 100);
}

static void test_nothing_to_say(void)
{
	struct weights_member idle[] = {member(0), member(0)}, odd = member(.5f);

	CU_ASSERT_EQUAL(weights_step(idle, 2), 0);
	CU_ASSERT_EQUAL(weights_step(NULL, 0), 0);
	odd.weight = NAN;
	CU_ASSERT_EQUAL(weights_step(&odd, 1), 0);
	struct weights_member two[] = {odd, member(.9f)};
	weights_step(two, 2);
	CU_ASSERT(two[0].written > 100 && two[0].written <= 125);
}

/* Two members whose service idles, with 3 and 4 % of other work on them, whatever they were given before. */
static void test_idle(void)
{
	static const double before[][2] = {{100, 100}, {400, 25}, {25, 400}};

	for (size_t i = 0; i < COUNT_OF(before); i++) {
		struct weights_member m[] = {member(.03f), member(.04f)};
		for (int k = 0; k < 2; k++)
			m[k].weight = m[k].written = (uint32_t)before[i][k];
		for (int round = 0; round < 40; round++)
			weights_step(m, 2);
		CU_ASSERT(m[0].written >= 90 && m[0].written <= 120);
		CU_ASSERT(m[1].written >= 85 && m[1].written <= 110);
		CU_ASSERT_EQUAL(weights_step(m, 2), 0);
	}
	struct weights_member still[] = {member(0), member(0)};
	still[0].weight = still[0].written = 300;
	for (int round = 0; round < 20; round++)
		weights_step(still, 2);
	CU_ASSERT(still[0].written <= 105 && still[1].written == 100);
}

/* Ten members of different size: all within 6 % of the mean after at most 20 steps, and quiet from then on. */
static void test_settles(void)
{
	struct weights_member m[10];
	double capacity[10];
	size_t last = 0;

	for (int i = 0; i < 10; i++) {
		m[i] = member(0);
		capacity[i] = .5 + .1 * i;
	}
	for (int round = 0; round < 60; round++) {
		double sum = 0;
		for (int i = 0; i < 10; i++)
			sum += m[i].written;
		for (int i = 0; i < 10; i++)
			m[i].utilisation = (float)(6.5 * m[i].written / sum / capacity[i]);
		last = weights_step(m, 10);
		if (round >= 20)
			CU_ASSERT_EQUAL(last, 0);
	}
	for (int i = 0; i < 10; i++)
		CU_ASSERT_DOUBLE_EQUAL((double)m[i].utilisation, .68, .05);
}

static const struct unit_test tests[] = {
	{"how often", test_interval},
	{"a step", test_step},
	{"bounds of a step and of a weight", test_bounds},
	{"unknown and unsettled members are left out", test_left_out},
	{"nothing to say", test_nothing_to_say},
	{"an idle service goes back to nominal", test_idle},
	{"it settles and is quiet", test_settles},
};
UNIT_MAIN("weights", tests)
