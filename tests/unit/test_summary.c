/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Availability, incidents, energy and idleness in virtual time; packed and read again. */
#include "monitor/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tests/unit/unit.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define START INT64_C(1000000)

static struct summary s;
static struct summary_clock node;

static void begin(void)
{
	summary_free(&s);
	node = (struct summary_clock){0};
}

static void at(int64_t ms, unsigned state)
{
	summary_account(&s, &node, state, START + ms);
}

/* An hour: up, a crash of six minutes, up again. */
static void a_crash_is_lost(void)
{
	begin();
	at(0, VERDICT_UP);
	at(30 * MINUTE, VERDICT_UNREACHABLE);
	at(30 * MINUTE + 2 * SECOND, VERDICT_OS_HUNG);
	at(33 * MINUTE, VERDICT_BOOTING);
	at(36 * MINUTE, VERDICT_UP);
	at(HOUR, VERDICT_UP);
	summary_incident(&s, VERDICT_OS_HUNG, VERDICT_OS_HUNG, 6 * MINUTE);
	CU_ASSERT_EQUAL(s.ms[VERDICT_UP], 54 * MINUTE);
	CU_ASSERT_EQUAL(s.ms[VERDICT_OS_HUNG], 3 * MINUTE - 2 * SECOND);
	CU_ASSERT_EQUAL(summary_class_ms(&s, SUMMARY_LOST), 6 * MINUTE);
	CU_ASSERT_EQUAL(summary_watched_ms(&s), HOUR);
	CU_ASSERT_EQUAL(s.incidents[VERDICT_OS_HUNG], 1);
	CU_ASSERT(fabs(summary_availability(&s) - 90) < 1e-9);
}

static void what_never_counts_as_lost(void)
{
	static const unsigned states[] = {VERDICT_UNKNOWN,     VERDICT_GROUP_PATH_LOST, SUMMARY_SUSPENDED,
					  SUMMARY_HELD,        SUMMARY_MAINTENANCE,     SUMMARY_OFF_WANTED};

	begin();
	at(0, VERDICT_UP);
	for (size_t i = 0; i < COUNT_OF(states); i++)
		at(((int64_t)i + 1) * 10 * SECOND, states[i]);
	at(MINUTE + 50 * SECOND, VERDICT_UP);
	at(2 * MINUTE, VERDICT_UP);
	CU_ASSERT_EQUAL(summary_class_ms(&s, SUMMARY_LOST), 0);
	CU_ASSERT_EQUAL(summary_class_ms(&s, SUMMARY_UP), 20 * SECOND);
	CU_ASSERT_EQUAL(summary_class_ms(&s, SUMMARY_NEITHER), 100 * SECOND);
	CU_ASSERT_EQUAL(summary_availability(&s), 100);
}

/* Maintenance is above suspension is above a hold is above the verdict; a node that is off as wanted is not lost. */
static void one_state_at_a_time(void)
{
	CU_ASSERT_EQUAL(summary_state_of(VERDICT_OS_HUNG, true, true, true, false), SUMMARY_MAINTENANCE);
	CU_ASSERT_EQUAL(summary_state_of(VERDICT_OS_HUNG, true, true, false, false), SUMMARY_SUSPENDED);
	CU_ASSERT_EQUAL(summary_state_of(VERDICT_OS_HUNG, true, false, false, false), SUMMARY_HELD);
	CU_ASSERT_EQUAL(summary_state_of(VERDICT_OS_HUNG, false, false, false, true), VERDICT_OS_HUNG);
	CU_ASSERT_EQUAL(summary_state_of(VERDICT_POWERED_OFF, false, false, false, true), SUMMARY_OFF_WANTED);
	CU_ASSERT_EQUAL(summary_state_of(VERDICT_POWERED_OFF, false, false, false, false), VERDICT_POWERED_OFF);
	CU_ASSERT_EQUAL(summary_state_of((enum verdict)77, false, false, false, false), VERDICT_UNKNOWN);
	for (int v = 1; v < VERDICT_COUNT; v++) {
		bool neither = v == VERDICT_UNKNOWN || v == VERDICT_GROUP_PATH_LOST;
		bool up = v == VERDICT_UP || v == VERDICT_AGENT_SLOW || v == VERDICT_AGENT_DEAD || v == VERDICT_BMC_LOST || v == VERDICT_BMC_MISMATCH;
		CU_ASSERT_EQUAL(summary_class_of((unsigned)v), neither ? SUMMARY_NEITHER : up ? SUMMARY_UP : SUMMARY_LOST);
		CU_ASSERT_STRING_EQUAL(summary_state_name((unsigned)v), verdict_name(v));
	}
	CU_ASSERT_STRING_EQUAL(summary_state_name(SUMMARY_PATH), "path");
	CU_ASSERT_STRING_EQUAL(summary_state_name(20), "?");
	CU_ASSERT_STRING_EQUAL(summary_state_name(9999), "?");
}

/* Called and given a cause, then it came back with its up-time going on: it was the path. */
static void a_path_that_came_back_is_relabelled(void)
{
	begin();
	at(0, VERDICT_UP);
	at(10 * MINUTE, VERDICT_UNREACHABLE);
	at(10 * MINUTE + 2 * SECOND, VERDICT_OS_HUNG);
	at(10 * MINUTE + 20 * SECOND, VERDICT_UP);
	summary_incident(&s, VERDICT_OS_HUNG, SUMMARY_PATH, 20 * SECOND);
	at(HOUR, VERDICT_UP);
	CU_ASSERT_EQUAL(s.incidents[SUMMARY_PATH], 1);
	CU_ASSERT_EQUAL(s.incidents[VERDICT_OS_HUNG], 0);
	CU_ASSERT_EQUAL(s.ms[SUMMARY_PATH], 20 * SECOND);
	CU_ASSERT_EQUAL(summary_class_ms(&s, SUMMARY_LOST), 0);
	CU_ASSERT_EQUAL(summary_watched_ms(&s), HOUR);
	CU_ASSERT_EQUAL(summary_availability(&s), 100);
	summary_incident(&s, VERDICT_UNKNOWN, 9999, 0); /* what is no state */
	CU_ASSERT_EQUAL(s.incidents[VERDICT_UNKNOWN], 1);
	/* of what was counted in an hour that is over already, nothing can be taken */
	summary_incident(&s, VERDICT_OS_HUNG, SUMMARY_PATH, 5 * HOUR);
	CU_ASSERT_EQUAL(summary_watched_ms(&s), HOUR);
}

static void clocks_that_go_back_count_nothing(void)
{
	begin();
	at(0, VERDICT_UP);
	at(MINUTE, VERDICT_UP);
	at(30 * SECOND, VERDICT_OS_HUNG);
	at(2 * MINUTE, VERDICT_UP);
	CU_ASSERT_EQUAL(s.ms[VERDICT_UP], MINUTE);
	CU_ASSERT_EQUAL(s.ms[VERDICT_OS_HUNG], MINUTE);
	begin();
	CU_ASSERT(isnan(summary_availability(&s)));
}

static void energy_is_the_area_under_the_readings(void)
{
	struct summary_meter meter = {0};

	begin();
	for (int i = 0; i <= 12; i++) /* 100 W rising to 220 W over an hour */
		summary_energy(&s, &meter, 100 + 10 * i, START + i * 5 * MINUTE);
	CU_ASSERT(fabs(s.energy_wh - 160) < 1e-9);
	CU_ASSERT_EQUAL(s.energy_ms, HOUR);
	CU_ASSERT(fabs(summary_mean_watts(&s) - 160) < 1e-9);
}

static void energy_over_a_gap_is_unknown(void)
{
	struct summary_meter meter = {0};

	begin();
	summary_energy(&s, &meter, 100, START);
	summary_energy(&s, &meter, 100, START + 5 * MINUTE);
	summary_energy(&s, &meter, 100, START + 5 * HOUR); /* not asked for hours */
	summary_energy(&s, &meter, (double)NAN, START + 5 * HOUR + MINUTE); /* no reading */
	summary_energy(&s, &meter, 100, START + 5 * HOUR + 2 * MINUTE);
	summary_energy(&s, &meter, -3, START + 5 * HOUR + 3 * MINUTE); /* rubbish */
	summary_energy(&s, &meter, 100, START + 5 * HOUR + 4 * MINUTE);
	summary_energy(&s, &meter, 100, START); /* time went back */
	CU_ASSERT_EQUAL(s.energy_ms, 5 * MINUTE);
	CU_ASSERT(fabs(s.energy_wh - 100.0 / 12) < 1e-9);
	CU_ASSERT(fabs(summary_mean_watts(&s) - 100) < 1e-9);
	begin();
	CU_ASSERT(isnan(summary_mean_watts(&s)));
}

static void quiet_week(double cpu)
{
	begin();
	s.ms[VERDICT_UP] = 7 * 24 * HOUR;
	for (int i = 0; i < 1000; i++) {
		sketch_add(&s.items[SUMMARY_CPU], i < 960 ? cpu : 90); /* a nightly job */
		sketch_add(&s.items[SUMMARY_LOAD1], 0.1);
		sketch_add(&s.items[SUMMARY_IF_IN], 2000);
		sketch_add(&s.items[SUMMARY_IF_OUT], 0);
	}
}

static void who_could_be_switched_off(void)
{
	static const struct summary_limits limits = SUMMARY_LIMITS;
	int64_t week = 7 * 24 * HOUR;

	quiet_week(3);
	CU_ASSERT(summary_is_idle(&s, &limits, week));
	s.ms[VERDICT_OS_HUNG] = 1; /* ever lost: never */
	CU_ASSERT_FALSE(summary_is_idle(&s, &limits, week));
	quiet_week(3);
	s.ms[VERDICT_UP] = (uint64_t)week * 98 / 100;
	s.ms[VERDICT_UNKNOWN] = (uint64_t)week * 2 / 100;
	CU_ASSERT_FALSE(summary_is_idle(&s, &limits, week));
	quiet_week(3);
	CU_ASSERT_FALSE(summary_is_idle(&s, &limits, 2 * week)); /* not known for so long */
	quiet_week(30);
	CU_ASSERT_FALSE(summary_is_idle(&s, &limits, week));
	quiet_week(3);
	sketch_free(&s.items[SUMMARY_IF_IN]);
	CU_ASSERT_FALSE(summary_is_idle(&s, &limits, week));
	quiet_week(3);
	for (int i = 0; i < 200; i++)
		sketch_add(&s.items[SUMMARY_IF_OUT], 5e6);
	CU_ASSERT_FALSE(summary_is_idle(&s, &limits, week));
}

static void same(const struct summary *a, const struct summary *b)
{
	CU_ASSERT_EQUAL(memcmp(a->ms, b->ms, sizeof a->ms), 0);
	CU_ASSERT_EQUAL(memcmp(a->incidents, b->incidents, sizeof a->incidents), 0);
	CU_ASSERT(fabs(a->energy_wh - b->energy_wh) <= 0.001);
	CU_ASSERT_EQUAL(a->energy_ms, b->energy_ms);
	for (unsigned i = 0; i < SUMMARY_ITEMS; i++) {
		CU_ASSERT_EQUAL(a->items[i].count, b->items[i].count);
		if (a->items[i].count)
			CU_ASSERT_EQUAL(sketch_quantile(&a->items[i], 0.95), sketch_quantile(&b->items[i], 0.95));
	}
}

static void packed_merged_and_read_again(void)
{
	static uint8_t bytes[SUMMARY_PACKED_MAX];
	struct summary again = {0}, sum = {0};

	quiet_week(3);
	s.ms[SUMMARY_PATH] = 12345;
	s.incidents[SUMMARY_PATH] = 3;
	s.incidents[VERDICT_OS_HUNG] = 70000;
	s.energy_wh = 1234.567;
	s.energy_ms = 9876543;
	size_t size = summary_pack(&s, bytes);
	CU_ASSERT(size < 500);
	CU_ASSERT_FATAL(summary_unpack(&again, bytes, size));
	same(&s, &again);
	for (size_t cut = 0; cut < size; cut++) {
		CU_ASSERT_FALSE(summary_unpack(&sum, bytes, cut));
		CU_ASSERT_EQUAL(summary_watched_ms(&sum), 0);
	}
	for (int i = 0; i < 250; i++)
		summary_merge(&sum, &again);
	CU_ASSERT_EQUAL(sum.ms[VERDICT_UP], 250 * s.ms[VERDICT_UP]);
	CU_ASSERT_EQUAL(sum.items[SUMMARY_CPU].count, 250000);
	summary_free(&sum);
	summary_free(&again);
}

static const struct unit_test tests[] = {
	{"a crash is lost", a_crash_is_lost},
	{"what never counts as lost", what_never_counts_as_lost},
	{"one state at a time", one_state_at_a_time},
	{"a path that came back is re-labelled", a_path_that_came_back_is_relabelled},
	{"clocks that go back count nothing", clocks_that_go_back_count_nothing},
	{"energy is the area under the readings", energy_is_the_area_under_the_readings},
	{"energy over a gap is unknown", energy_over_a_gap_is_unknown},
	{"who could be switched off", who_could_be_switched_off},
	{"packed, merged and read again", packed_merged_and_read_again},
};

UNIT_MAIN("summary", tests)
