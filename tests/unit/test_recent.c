/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ring of the newest values: what is kept and for how long, at any pace, over leaps of the clock; precision; memory. */
#include "monitor/recent.h"

#include <math.h>
#include <stdlib.h>

#include "tests/unit/unit.h"

#define START_MS INT64_C(1800000000000)

static void a_value_comes_back_within_a_thousandth(void)
{
	for (double v = 1e-5; v < 8e12; v *= 1.0371) {
		CU_ASSERT(fabs(recent_unpack(recent_pack(v)) - v) <= v * 0.001);
		CU_ASSERT(fabs(recent_unpack(recent_pack(-v)) + v) <= v * 0.001);
	}
	for (int i = -1024; i <= 1024; i++)
		CU_ASSERT_EQUAL(recent_unpack(recent_pack(i)), i);
	CU_ASSERT(isnan(recent_unpack(recent_pack((double)NAN))));
	CU_ASSERT_EQUAL(recent_unpack(recent_pack(1e-9)), 0);
	CU_ASSERT(recent_unpack(recent_pack(1e300)) > 8.7e12);
	CU_ASSERT(recent_unpack(recent_pack((double)INFINITY)) > 8.7e12);
	CU_ASSERT(recent_unpack(recent_pack(-(double)INFINITY)) < -8.7e12);
	for (unsigned p = 0; p < 65535; p++) { /* every pattern but those of sizes that are not made is its own */
		double v = recent_unpack((uint16_t)p);
		if ((p & 0x7fff) >= 512 && (p >> 9 & 63) < 63)
			CU_ASSERT_EQUAL(recent_pack(v), p);
	}
}

static void feed(struct recent *r, int64_t from_ms, unsigned points, int64_t every_ms)
{
	for (unsigned i = 0; i < points; i++) {
		double v = i % 500, values[3] = {v, 2 * v, i % 2 ? v : (double)NAN}; /* whole numbers that come back exactly */
		recent_add(r, 3, values, from_ms + i * every_ms);
	}
}

/* Points in order, none older than the span, the newest the last one fed. */
static void look(const struct recent *r, unsigned points, int64_t newest_ms, unsigned newest)
{
	int64_t before = 0;
	double value = 0;

	CU_ASSERT_EQUAL(recent_count(r), points);
	for (unsigned i = 0; i < recent_count(r); i++) {
		int64_t at = recent_at(r, i, 0, &value);
		double twice, odd;
		CU_ASSERT(at > before);
		before = at;
		recent_at(r, i, 1, &twice);
		recent_at(r, i, 2, &odd);
		CU_ASSERT_EQUAL(twice, 2 * value);
		CU_ASSERT(fmod(value, 2) != 0 ? odd == value : isnan(odd));
	}
	CU_ASSERT_EQUAL(before, newest_ms);
	CU_ASSERT_EQUAL(value, newest % 500);
}

static void two_minutes_at_one_second(void)
{
	struct recent r = {0};

	feed(&r, START_MS, 500, 1000);
	look(&r, 121, START_MS + 499000, 499);
	CU_ASSERT_EQUAL(recent_bytes(&r), 121 * 10);
	recent_free(&r);
}

static void ten_seconds_cost_a_tenth(void)
{
	struct recent r = {0};

	feed(&r, START_MS, 500, 10000);
	look(&r, 13, START_MS + 4990000, 499);
	CU_ASSERT(recent_bytes(&r) <= 16 * 10);
	recent_free(&r);
}

static void looked_at_it_goes_back_ten_minutes_and_then_two_again(void)
{
	struct recent r = {0};

	recent_look(&r, RECENT_LOOKED_S);
	feed(&r, START_MS, 900, 1000);
	look(&r, 601, START_MS + 899000, 899);
	uint32_t large = recent_bytes(&r);
	recent_look(&r, RECENT_SPAN_S);
	for (unsigned i = 900; i < 1300; i++) {
		double v = i % 500, values[3] = {v, 2 * v, i % 2 ? v : (double)NAN};
		recent_add(&r, 3, values, START_MS + i * INT64_C(1000));
	}
	look(&r, 121, START_MS + 1299000, 1299);
	CU_ASSERT(recent_bytes(&r) <= large / 2);
	recent_free(&r);
}

static void however_fast_they_come_memory_is_bounded(void)
{
	struct recent r = {0};

	feed(&r, START_MS, 20000, 10);
	look(&r, 121, START_MS + 199990, 19999);
	recent_look(&r, 60000);
	feed(&r, START_MS + 200000, 20000, 10);
	CU_ASSERT_EQUAL(recent_count(&r), RECENT_POINTS_MAX);
	CU_ASSERT(recent_bytes(&r) <= RECENT_POINTS_MAX * 10);
	recent_free(&r);
}

static void leaps_of_the_clock(void)
{
	struct recent r = {0};

	feed(&r, START_MS, 60, 1000);
	feed(&r, START_MS + 3600000, 5, 1000); /* an hour forward: nothing of before is recent */
	look(&r, 5, START_MS + 3604000, 4);
	feed(&r, START_MS, 5, 1000); /* and back */
	look(&r, 5, START_MS + 4000, 4);
	feed(&r, START_MS + INT64_C(100) * 86400000, 2, 1000); /* 49.7 days are all that 32 bits tell apart */
	look(&r, 2, START_MS + INT64_C(100) * 86400000 + 1000, 1);
	recent_free(&r);
}

static void another_width_begins_anew_and_the_same_time_replaces(void)
{
	struct recent r = {0};
	double one[] = {1}, two[] = {2}, value;

	feed(&r, START_MS, 60, 1000);
	recent_add(&r, 1, one, START_MS + 60000);
	recent_add(&r, 1, two, START_MS + 60000);
	CU_ASSERT_EQUAL(recent_count(&r), 1);
	CU_ASSERT_EQUAL(recent_at(&r, 0, 0, &value), START_MS + 60000);
	CU_ASSERT_EQUAL(value, 2);
	recent_at(&r, 0, 1, &value);
	CU_ASSERT(isnan(value));
	recent_free(&r);
	CU_ASSERT_EQUAL(recent_count(&r), 0);
}

static const struct unit_test tests[] = {
	{"a value comes back within a thousandth", a_value_comes_back_within_a_thousandth},
	{"two minutes at one second", two_minutes_at_one_second},
	{"ten seconds cost a tenth", ten_seconds_cost_a_tenth},
	{"looked at it goes back ten minutes, then two again", looked_at_it_goes_back_ten_minutes_and_then_two_again},
	{"however fast they come memory is bounded", however_fast_they_come_memory_is_bounded},
	{"leaps of the clock", leaps_of_the_clock},
	{"another width begins anew, the same time replaces", another_width_begins_anew_and_the_same_time_replaces},
};

UNIT_MAIN("recent", tests)
