/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hot nodes: when one is hot, when cold again, when sick; which service moves where, and each limit. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "service/hot.h"
#include "tests/unit/unit.h"

#define T0 1000000
enum { WEB = 1, MAIL = 2, NEWS = 3 };

static const struct hot_seen burning = {.utilisation = .95, .at_floor = true, .owned = true};
static const struct hot_seen mild = {.utilisation = .8, .at_floor = true, .owned = true};
static const struct hot_seen cool = {.utilisation = .5, .owned = true};
static const struct hot_limits roomy = {.group_nodes = 100, .group_moving = 0};

/* Looks each 10 s; true when it became hot meanwhile. */
static bool look_for(struct hot_node *node, const struct hot_seen *seen, int64_t *now, int64_t seconds)
{
	bool became = false;

	for (int64_t end = *now + seconds; *now < end; *now += 10)
		became |= hot_look(node, seen, *now);
	return became;
}

static void test_becomes_hot(void)
{
	struct hot_node node = {.hot = false};
	struct hot_seen no_floor = burning, thermal = {.utilisation = .4, .thermal = true, .owned = true};
	int64_t now = T0;

	CU_ASSERT_FALSE(look_for(&node, &burning, &now, 300));
	CU_ASSERT_TRUE(hot_look(&node, &burning, now));
	CU_ASSERT_FALSE(hot_look(&node, &burning, now + 10)); /* it is said once */
	CU_ASSERT_TRUE(node.hot);

	memset(&node, 0, sizeof node);
	no_floor.at_floor = false;
	CU_ASSERT_FALSE(look_for(&node, &no_floor, &now, 3600)); /* its weight can still go down */
	CU_ASSERT_FALSE(look_for(&node, &mild, &now, 3600));
	CU_ASSERT_TRUE(look_for(&node, &thermal, &now, 310));
	memset(&node, 0, sizeof node);
	look_for(&node, &burning, &now, 290);
	look_for(&node, &mild, &now, 10);
	CU_ASSERT_FALSE(look_for(&node, &burning, &now, 300)); /* it begins anew */
}

static void test_becomes_cold(void)
{
	struct hot_node node = {.hot = false};
	struct hot_seen unknown = {.utilisation = NAN, .at_floor = true};
	int64_t now = T0;

	look_for(&node, &burning, &now, 310);
	look_for(&node, &mild, &now, 3600);
	CU_ASSERT_TRUE(node.hot); /* between the two bounds it stays */
	look_for(&node, &cool, &now, 600);
	CU_ASSERT_TRUE(node.hot);
	look_for(&node, &unknown, &now, 3600);
	CU_ASSERT_TRUE(node.hot); /* nothing is learnt from nothing */
	hot_look(&node, &cool, now);
	CU_ASSERT_FALSE(node.hot);
}

static void test_sick(void)
{
	struct hot_node node = {.hot = false};
	struct hot_seen stranger = burning;
	struct hot_move move;
	int64_t now = T0;

	stranger.owned = false;
	for (int spell = 0; spell < 3; spell++) {
		CU_ASSERT_FALSE(node.sick);
		look_for(&node, &stranger, &now, 310);
		if (spell < 2)
			look_for(&node, &cool, &now, 7200);
	}
	CU_ASSERT_TRUE(node.sick);
	move = hot_decide(&node, .95, &roomy, NULL, 0, NULL, 0, now);
	CU_ASSERT_EQUAL(move.answer, HOT_SICK);
	look_for(&node, &cool, &now, 86400);
	CU_ASSERT_FALSE(node.sick);

	memset(&node, 0, sizeof node);
	for (int spell = 0; spell < 5; spell++) {
		look_for(&node, &burning, &now, 310);
		look_for(&node, &cool, &now, 3600);
	}
	CU_ASSERT_FALSE(node.sick); /* services of ours are the reason */
}

static void test_mean_of_a_minute(void)
{
	struct hot_node node = {.hot = false};
	int hot_s = 0;

	CU_ASSERT_DOUBLE_EQUAL(hot_mean(&node, .9), .9, 1e-6);
	CU_ASSERT_DOUBLE_EQUAL(hot_mean(&node, .6), .75, 1e-6);
	for (int i = 0; i < 50; i++)
		hot_mean(&node, .1 * (i % 6));
	CU_ASSERT_DOUBLE_EQUAL(hot_mean(&node, .2), .25, 1e-6); /* 50 % 6 is 2: the same six again */
	CU_ASSERT_TRUE(isnan(hot_mean(&node, NAN)));
	CU_ASSERT_DOUBLE_EQUAL(hot_mean(&node, .4), .4, 1e-6); /* what was before the hole is over */

	/* one quiet look in a minute of burning is no end of it */
	memset(&node, 0, sizeof node);
	for (int64_t now = T0; !node.hot && hot_s < 3600; now += 10, hot_s += 10) {
		struct hot_seen seen = burning;
		seen.utilisation = hot_mean(&node, hot_s % 60 == 50 ? .8 : .96);
		hot_look(&node, &seen, now);
	}
	CU_ASSERT_EQUAL(hot_s, 310);
}

static void test_whose_load(void)
{
	struct hot_part parts[] = {{.others = .6, .weight = 1}, {.others = .4, .weight = .25}};

	CU_ASSERT_TRUE(hot_parts(.9, parts, 2));
	CU_ASSERT_DOUBLE_EQUAL(parts[0].load, .6, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(parts[1].load, .1, 1e-9);
	parts[0].weight = .25;
	CU_ASSERT_FALSE(hot_parts(.9, parts, 2)); /* .25 of .9: somebody else is at work there */
	CU_ASSERT_TRUE(hot_parts(.5, parts, 2));
	parts[0].others = NAN; /* not known: half of what there is */
	CU_ASSERT_TRUE(hot_parts(.9, parts, 2));
	CU_ASSERT_DOUBLE_EQUAL(parts[0].load, .45, 1e-9);
	parts[0] = (struct hot_part){.others = .9, .weight = 4};
	CU_ASSERT_TRUE(hot_parts(.74, parts, 2)); /* never more than there is */
	CU_ASSERT_DOUBLE_EQUAL(parts[0].load + parts[1].load, .74, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(parts[0].load / parts[1].load, 36, 1e-6);
	CU_ASSERT_FALSE(hot_parts(.9, NULL, 0));
	CU_ASSERT_TRUE(hot_parts(NAN, parts, 2));
}

static const struct hot_service services[] = {{WEB, .5, 0, true}, {MAIL, .2, 0, true}, {NEWS, .05, 0, true}};

static struct hot_node hot_one(void)
{
	return (struct hot_node){.hot = true, .above_since_s = T0 - 400};
}

static void test_least_load_that_is_enough(void)
{
	struct hot_node node = hot_one();
	struct hot_target targets[] = {{WEB, 7, .05, NULL}, {MAIL, 8, .35, NULL}, {MAIL, 9, .3, NULL}, {NEWS, 10, .1, NULL}};
	struct hot_move move = hot_decide(&node, .95, &roomy, services, 3, targets, 4, T0);

	CU_ASSERT_EQUAL(move.answer, HOT_MOVE);
	CU_ASSERT_EQUAL(move.service, MAIL); /* .15 have to leave: news is too little, web more than needed */
	CU_ASSERT_EQUAL(move.node, 9);       /* the coolest */
	targets[1].utilisation = targets[2].utilisation = .41;
	move = hot_decide(&node, .95, &roomy, services, 3, targets, 4, T0);
	CU_ASSERT_EQUAL(move.service, WEB); /* mail has nowhere to go below 60 % */
	targets[0].utilisation = NAN;
	move = hot_decide(&node, .95, &roomy, services, 3, targets, 4, T0);
	CU_ASSERT_EQUAL(move.service, NEWS); /* better than nothing */
	targets[3].utilisation = .56;
	move = hot_decide(&node, .95, &roomy, services, 3, targets, 4, T0);
	CU_ASSERT_EQUAL(move.answer, HOT_STAY);
	CU_ASSERT_STRING_EQUAL(move.reason, "no node below 60 % after the move");
}

static void test_thermal_moves_a_fifth(void)
{
	struct hot_node node = hot_one();
	const struct hot_target targets[] = {{WEB, 7, .05, NULL}, {MAIL, 8, .05, NULL}, {NEWS, 9, .05, NULL}};

	CU_ASSERT_EQUAL(hot_decide(&node, .6, &roomy, services, 3, targets, 3, T0).service, MAIL);
}

static void test_limits(void)
{
	struct hot_node node = hot_one(), target_seen = {.hot = false};
	struct hot_target target = {MAIL, 9, .1, &target_seen};
	struct hot_service mail = services[1];
	struct hot_limits limits = roomy;

#define ANSWER(at) hot_decide(&node, .95, &limits, &mail, 1, &target, 1, at).answer
	CU_ASSERT_EQUAL(ANSWER(T0), HOT_MOVE);
	node.hot = false;
	CU_ASSERT_EQUAL(ANSWER(T0), HOT_STAY);
	node = hot_one();
	limits.group_moving = 2;
	CU_ASSERT_EQUAL(ANSWER(T0), HOT_STAY);
	limits.group_moving = 1;
	CU_ASSERT_EQUAL(ANSWER(T0), HOT_MOVE);
	limits.group_nodes = 8; /* a small group: one at a time */
	CU_ASSERT_EQUAL(ANSWER(T0), HOT_STAY);
	limits = roomy;
	mail.moved_s = T0;
	CU_ASSERT_EQUAL(ANSWER(T0 + 599), HOT_STAY);
	CU_ASSERT_EQUAL(ANSWER(T0 + 600), HOT_MOVE);
	mail = services[1];
	mail.movable = false;
	CU_ASSERT_EQUAL(ANSWER(T0), HOT_STAY);
	mail.movable = true;
	hot_moved(&node, NEWS, T0);
	CU_ASSERT_EQUAL(ANSWER(T0 + 1799), HOT_STAY);
	CU_ASSERT_EQUAL(ANSWER(T0 + 1800), HOT_MOVE);
	node = hot_one();
	target_seen.sick = true;
	CU_ASSERT_EQUAL(ANSWER(T0), HOT_STAY);
	target_seen.sick = false;
	hot_moved(&target_seen, MAIL, T0); /* it left there: not back within 6 h */
	CU_ASSERT_EQUAL(ANSWER(T0 + 21599), HOT_STAY);
	CU_ASSERT_EQUAL(ANSWER(T0 + 21600), HOT_MOVE);
}

static void test_memory_of_what_left(void)
{
	struct hot_node node = {.hot = false};

	for (uint32_t service = 1; service <= HOT_LEFT + 2; service++)
		hot_moved(&node, service, T0 + service);
	CU_ASSERT_FALSE(hot_barred(&node, 1, T0 + 100)); /* the oldest are forgotten */
	CU_ASSERT_FALSE(hot_barred(&node, 2, T0 + 100));
	for (uint32_t service = 3; service <= HOT_LEFT + 2; service++)
		CU_ASSERT_TRUE(hot_barred(&node, service, T0 + 100));
	hot_moved(&node, 5, T0 + 30000);
	CU_ASSERT_TRUE(hot_barred(&node, 5, T0 + 30000 + 21000));
	CU_ASSERT_FALSE(hot_barred(&node, 6, T0 + 30000));
	CU_ASSERT_FALSE(hot_barred(&node, 0, T0));
}

static const struct unit_test tests[] = {
	{"hot after five minutes at the floor", test_becomes_hot},
	{"cold after ten minutes below", test_becomes_cold},
	{"sick after three spells without an owner", test_sick},
	{"the mean of a minute", test_mean_of_a_minute},
	{"whose load it is", test_whose_load},
	{"the least load that is enough, to the coolest", test_least_load_that_is_enough},
	{"a thermal one loses a fifth", test_thermal_moves_a_fifth},
	{"each limit", test_limits},
	{"what left does not come back", test_memory_of_what_left},
};
UNIT_MAIN("hot nodes", tests)
