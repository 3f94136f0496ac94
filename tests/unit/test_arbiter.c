/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One pool, many services: the order of grants, the reserve, who is taken from and never is. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "service/arbiter.h"
#include "tests/unit/unit.h"

#define NOW 1000000

static struct arbiter_service service(uint32_t class, uint32_t wanted, uint32_t have, double demand)
{
	return (struct arbiter_service){.class = class, .wanted = wanted, .min = 2, .have = have, .demand = demand};
}

static void test_minimum_first(void)
{
	struct arbiter_service s[] = {service(1, 10, 5, 6), service(3, 4, 0, NAN), service(2, 8, 8, 4)};
	const struct arbiter_pool pool = {.free = 4, .nodes = 30};

	s[2].wanted = 9;
	CU_ASSERT_EQUAL(arbiter_share(&pool, s, 3, NOW), 4 + 2 + 1);
	CU_ASSERT_EQUAL(s[1].granted, 2); /* its minimum, though its class is the last */
	CU_ASSERT_EQUAL(s[0].granted, 1);
	CU_ASSERT_EQUAL(s[2].granted, 0);
	CU_ASSERT_TRUE(s[0].danger);
}

static void test_reserve(void)
{
	struct arbiter_service s[] = {service(1, 10, 5, 6), service(3, 4, 3, 1)};
	struct arbiter_pool pool = {.free = 4, .nodes = 200};

	CU_ASSERT_EQUAL(arbiter_reserve(200, 0), 4);
	CU_ASSERT_EQUAL(arbiter_reserve(20, 0), 1);
	CU_ASSERT_EQUAL(arbiter_reserve(20, 3), 3);
	s[1].replacements = 1;
	arbiter_share(&pool, s, 2, NOW);
	CU_ASSERT_EQUAL(s[0].granted, 0); /* the reserve is for what died */
	CU_ASSERT_EQUAL(s[1].granted, 1);
	pool.free = 6;
	arbiter_share(&pool, s, 2, NOW);
	CU_ASSERT_EQUAL(s[1].granted, 1);
	CU_ASSERT_EQUAL(s[0].granted, 1);
	s[1].replacements = 9; /* never more than is wanted */
	arbiter_share(&pool, s, 2, NOW);
	CU_ASSERT_EQUAL(s[1].granted, 1);
}

static void test_danger_before_class(void)
{
	struct arbiter_service s[] = {service(1, 12, 10, 5), service(3, 8, 5, 6), service(2, 8, 5, 5)};
	const struct arbiter_pool pool = {.free = 3, .nodes = 10};

	arbiter_share(&pool, s, 3, NOW);
	CU_ASSERT_EQUAL(s[2].granted, 1); /* 5 of 5: with the sixth it is out of danger */
	CU_ASSERT_EQUAL(s[1].granted, 1);
	CU_ASSERT_EQUAL(s[0].granted, 0);
}

static void test_fair_in_a_class(void)
{
	struct arbiter_service s[] = {service(1, 20, 10, 20), service(1, 20, 5, 8)};
	const struct arbiter_pool pool = {.free = 9, .nodes = 10};

	arbiter_share(&pool, s, 2, NOW);
	CU_ASSERT_EQUAL(s[0].granted + s[1].granted, 8);
	CU_ASSERT_DOUBLE_EQUAL(20.0 / (10 + s[0].granted), 8.0 / (5 + s[1].granted), .15);
}

static void test_never_more_than_wanted_or_free(void)
{
	struct arbiter_service s[] = {service(1, 6, 5, 40), service(2, 3, 4, 1), service(3, 5, 4, NAN)};
	const struct arbiter_pool pool = {.free = 100, .nodes = 100};

	CU_ASSERT_EQUAL(arbiter_share(&pool, s, 3, NOW), 0);
	CU_ASSERT_EQUAL(s[0].granted, 1);
	CU_ASSERT_EQUAL(s[1].granted, 0);
	CU_ASSERT_EQUAL(s[2].granted, 1);
	CU_ASSERT_EQUAL(s[0].taken + s[1].taken + s[2].taken, 0);
}

static void test_taking(void)
{
	struct arbiter_service s[] = {service(1, 8, 5, 5), service(2, 10, 10, 7), service(3, 10, 10, 9.4)};
	struct arbiter_pool pool = {.free = 0, .nodes = 25};

	arbiter_share(&pool, s, 3, NOW);
	CU_ASSERT_EQUAL(s[2].taken, 3); /* two classes down: to its minimum */
	CU_ASSERT_EQUAL(s[1].taken, 0);
	s[2].have = s[2].wanted = 3;
	s[2].demand = 2;
	arbiter_share(&pool, s, 3, NOW);
	CU_ASSERT_EQUAL(s[2].taken, 1);
	CU_ASSERT_EQUAL(s[1].taken, 2); /* the next class: down to 7 / .95 */
	s[1].demand = 9;
	arbiter_share(&pool, s, 3, NOW);
	CU_ASSERT_EQUAL(s[1].taken, 0);
	pool.coming_back = 2;
	arbiter_share(&pool, s, 3, NOW);
	CU_ASSERT_EQUAL(s[2].taken, 1);
	pool.coming_back = 3;
	arbiter_share(&pool, s, 3, NOW);
	CU_ASSERT_EQUAL(s[2].taken, 0); /* what drains already is enough */
}

static void test_not_taken(void)
{
	struct arbiter_service s[] = {service(1, 8, 5, 5), service(3, 10, 10, 5)};
	struct arbiter_pool pool = {.free = 0, .nodes = 15};

	s[0].demand = 4.2; /* .84 of what it has: not short enough to shrink others */
	arbiter_share(&pool, s, 2, NOW);
	CU_ASSERT_EQUAL(s[1].taken, 0);
	s[0].demand = NAN;
	arbiter_share(&pool, s, 2, NOW);
	CU_ASSERT_EQUAL(s[1].taken, 0);
	s[0].demand = 5;
	s[1].received_s = NOW - 599;
	arbiter_share(&pool, s, 2, NOW);
	CU_ASSERT_EQUAL(s[1].taken, 0);
	s[1].received_s = NOW - 600;
	s[1].given_s = NOW - 299;
	arbiter_share(&pool, s, 2, NOW);
	CU_ASSERT_EQUAL(s[1].taken, 0);
	s[1].given_s = NOW - 300;
	arbiter_share(&pool, s, 2, NOW);
	CU_ASSERT_EQUAL(s[1].taken, 3);
	s[1].class = 1; /* not of the same class */
	arbiter_share(&pool, s, 2, NOW);
	CU_ASSERT_EQUAL(s[1].taken, 0);
	s[1].class = 2;
	s[1].demand = NAN; /* unknown counts as full */
	arbiter_share(&pool, s, 2, NOW);
	CU_ASSERT_EQUAL(s[1].taken, 0);
}

static void test_spares(void)
{
	const struct arbiter_service s[] = {service(1, 41, 41, 20), service(1, 5, 5, 2), service(2, 400, 400, 200)};

	CU_ASSERT_EQUAL(arbiter_spares(s, 3), 3);
	CU_ASSERT_EQUAL(arbiter_spares(s + 2, 1), 0);
	CU_ASSERT_EQUAL(arbiter_spares(NULL, 0), 0);
}

static const struct unit_test tests[] = {
	{"minimum first", test_minimum_first},
	{"the reserve is for replacements", test_reserve},
	{"danger before class", test_danger_before_class},
	{"fair in a class", test_fair_in_a_class},
	{"never more than wanted", test_never_more_than_wanted_or_free},
	{"taking from lower classes", test_taking},
	{"what is not taken", test_not_taken},
	{"warm spares", test_spares},
};
UNIT_MAIN("arbiter", tests)
