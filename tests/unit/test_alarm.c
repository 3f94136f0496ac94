/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Alarms: raised once, counted, updated, acknowledged, cleared, restored. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "monitor/alarm.h"
#include "tests/unit/unit.h"

static int told[10];
#define AT(ms) ((struct alarm_now){ms, ms})

static void changed(void *arg, struct alarm *alarm, enum alarm_change what)
{
	(void)arg;
	(void)alarm;
	told[what]++;
}

static struct alarm_raise what(const char *object, uint32_t severity)
{
	return (struct alarm_raise){.object = object, .kind = "verdict", .part = "", .cause = "unreachable", .severity = severity, .node_slot = 7};
}

static void raised_once(void)
{
	struct alarm_set *set = alarm_set_new(changed, NULL);
	struct alarm_raise w = what("n001", LEVEL_CRITICAL);

	memset(told, 0, sizeof told);
	uint64_t id = alarm_raise(set, &w, AT(1000));
	for (int i = 1; i <= 100; i++)
		CU_ASSERT_EQUAL(alarm_raise(set, &w, AT(1000 + i * 1000)), id);
	CU_ASSERT_EQUAL(told[ALARM_RAISED], 1);
	CU_ASSERT_EQUAL(told[ALARM_COUNTED], 1); /* at most once a minute */
	CU_ASSERT_EQUAL(alarm_by_id(set, id)->count, 101);
	w.cause = "os-hung";
	CU_ASSERT_EQUAL(alarm_raise(set, &w, AT(200000)), id);
	CU_ASSERT_EQUAL(told[ALARM_UPDATED], 1);
	CU_ASSERT_EQUAL(alarm_acknowledge(set, id, "uid:0", 200001), 0);
	CU_ASSERT_EQUAL(alarm_acknowledge(set, id, "uid:1", 200002), 0);
	CU_ASSERT_STRING_EQUAL(alarm_by_id(set, id)->acknowledged_by, "uid:0");
	CU_ASSERT(alarm_clear(set, "n001", "verdict", "", AT(300000)));
	CU_ASSERT(!alarm_clear(set, "n001", "verdict", "", AT(300001)));
	CU_ASSERT_EQUAL(alarm_acknowledge(set, id, "uid:0", 300002), ERR_NOT_NOW);
	CU_ASSERT_EQUAL(alarm_acknowledge(set, 99, "uid:0", 300002), ERR_NOT_FOUND);
	CU_ASSERT_EQUAL(alarm_raise(set, &w, AT(400000)), id); /* back within 15 minutes: the old one again, and nothing was told in between */
	CU_ASSERT_EQUAL(told[ALARM_RAISED] + told[ALARM_REOPENED] + told[ALARM_END], 1);
	CU_ASSERT(alarm_clear(set, "n001", "verdict", "", AT(500000)));
	alarm_tick(set, AT(500000 + 15 * 60000));
	CU_ASSERT_EQUAL(told[ALARM_END], 1);
	CU_ASSERT(alarm_raise(set, &w, AT(500000 + 15 * 60000)) != id); /* later it is a new one */
	alarm_set_free(set);
}

static void restored(void)
{
	struct alarm_set *set = alarm_set_new(changed, NULL);
	struct alarm a = {.id = 41, .severity = LEVEL_MAJOR, .count = 3, .first_ms = 5, .last_ms = 6};
	struct alarm_raise w = what("n009", LEVEL_MAJOR);
	uint32_t by_severity[LEVEL_COUNT];

	memset(told, 0, sizeof told);
	memcpy(a.object, "n009", 5);
	memcpy(a.kind, "verdict", 8);
	memcpy(a.cause, "unreachable", 12);
	alarm_restore(set, &a, 50);
	CU_ASSERT_EQUAL(alarm_raise(set, &w, AT(50)), 41);
	CU_ASSERT_EQUAL(told[ALARM_RAISED], 0);
	w.object = "n010";
	CU_ASSERT_EQUAL(alarm_raise(set, &w, AT(50)), 42);
	alarm_count(set, by_severity);
	CU_ASSERT_EQUAL(by_severity[LEVEL_MAJOR], 2);
	alarm_clear_object(set, "n009", AT(60));
	alarm_count(set, by_severity);
	CU_ASSERT_EQUAL(by_severity[LEVEL_MAJOR], 1);
	alarm_set_free(set);
}

static void bounded(void)
{
	struct alarm_set *set = alarm_set_new(changed, NULL);
	struct alarm_raise w = what("n001", LEVEL_MAJOR);

	memset(told, 0, sizeof told);
	for (int i = 0; i < 1500; i++) {
		char name[16];
		snprintf(name, sizeof name, "n%d", i);
		w.object = name;
		alarm_raise(set, &w, AT(i + 1));
		alarm_clear(set, name, "verdict", "", AT(i + 1));
	}
	CU_ASSERT_EQUAL(told[ALARM_FORGOTTEN], 500);
	CU_ASSERT_EQUAL(told[ALARM_END], 500); /* not before its end was told */
	CU_ASSERT_PTR_NULL(alarm_by_id(set, 1));
	CU_ASSERT_PTR_NOT_NULL(alarm_by_id(set, 1500));
	alarm_set_free(set);
}

/* Up for a minute, down for a minute: one alarm, told twice, however often it turns. */
static void flaps(void)
{
	struct alarm_set *set = alarm_set_new(changed, NULL);
	struct alarm_raise w = what("n001", LEVEL_CRITICAL);
	uint64_t id = 0;
	int64_t t = 1000;

	memset(told, 0, sizeof told);
	for (int i = 0; i < 5; i++, t += 60000) {
		uint64_t now = alarm_raise(set, &w, AT(t));
		CU_ASSERT(id == 0 || now == id);
		id = now;
		CU_ASSERT_EQUAL(alarm_by_id(set, id)->flapping, i >= 2);
		CU_ASSERT(!alarm_by_id(set, id)->good);
		for (int s = 0; s < 60; s++)
			alarm_tick(set, AT(t + s * 1000));
		t += 60000;
		CU_ASSERT(alarm_clear(set, "n001", "verdict", "", AT(t)));
		CU_ASSERT_EQUAL(alarm_by_id(set, id)->cleared_ms != 0, i < 2);
		for (int s = 0; s < 60; s++)
			alarm_tick(set, AT(t + s * 1000));
	}
	CU_ASSERT_EQUAL(alarm_by_id(set, id)->count, 5);
	CU_ASSERT_EQUAL(told[ALARM_RAISED] + told[ALARM_REOPENED] + told[ALARM_END], 1);
	alarm_tick(set, AT(t - 60000 + 899000));
	CU_ASSERT(alarm_by_id(set, id)->flapping && alarm_by_id(set, id)->good);
	alarm_tick(set, AT(t - 60000 + 900000));
	CU_ASSERT(alarm_by_id(set, id)->cleared_ms != 0 && !alarm_by_id(set, id)->flapping);
	CU_ASSERT_EQUAL(told[ALARM_END], 1);
	alarm_set_free(set);
}

/* Flapping ends while it is bad: it stays raised, and its end is told. What is withdrawn counts for nothing. */
static void stable_and_withdrawn(void)
{
	struct alarm_set *set = alarm_set_new(changed, NULL);
	struct alarm_raise w = what("n001", LEVEL_CRITICAL);
	uint64_t id = 0;

	memset(told, 0, sizeof told);
	for (int i = 0; i < 9; i++) {
		id = alarm_raise(set, &w, AT(1000 + i * 2000));
		CU_ASSERT(alarm_withdraw(set, "n001", "verdict", "", AT(2000 + i * 2000)));
	}
	CU_ASSERT(!alarm_by_id(set, id)->flapping);
	CU_ASSERT_EQUAL(told[ALARM_END], 9);
	for (int i = 0; i < 3; i++) {
		alarm_clear(set, "n001", "verdict", "", AT(100000 + i * 2000));
		id = alarm_raise(set, &w, AT(101000 + i * 2000));
	}
	CU_ASSERT(alarm_by_id(set, id)->flapping);
	alarm_tick(set, AT(105000 + 900000));
	CU_ASSERT(!alarm_by_id(set, id)->flapping && alarm_by_id(set, id)->cleared_ms == 0);
	int ends = told[ALARM_END];
	alarm_clear(set, "n001", "verdict", "", AT(105000 + 900001));
	CU_ASSERT_EQUAL(told[ALARM_END], ends + 1); /* it was stable for long: told at once */
	alarm_set_free(set);
}

/* After a restart: what was owed is told, a flapping one goes on. */
static void restarted(void)
{
	struct alarm_set *set = alarm_set_new(changed, NULL);
	struct alarm cleared = {.id = 5, .severity = LEVEL_MAJOR, .count = 1, .first_ms = 5, .last_ms = 6, .cleared_ms = 7, .told = true};
	struct alarm flapping = {.id = 6, .severity = LEVEL_MAJOR, .count = 4, .first_ms = 5, .last_ms = 6, .told = true, .flapping = true};

	memset(told, 0, sizeof told);
	memcpy(cleared.object, "n001", 5);
	memcpy(flapping.object, "n002", 5);
	memcpy(cleared.kind, "verdict", 8);
	memcpy(flapping.kind, "verdict", 8);
	alarm_restore(set, &cleared, 1000000);
	alarm_restore(set, &flapping, 1000000);
	alarm_tick(set, AT(1000001));
	CU_ASSERT_EQUAL(told[ALARM_END], 1);
	alarm_clear(set, "n002", "verdict", "", AT(1000002));
	CU_ASSERT(alarm_by_id(set, 6)->good && alarm_by_id(set, 6)->cleared_ms == 0);
	alarm_tick(set, AT(1000002 + 900000));
	CU_ASSERT(alarm_by_id(set, 6)->cleared_ms != 0);
	alarm_set_free(set);
}

static const struct unit_test tests[] = {{"raised once", raised_once}, {"restored", restored}, {"bounded", bounded}, {"flaps", flaps},
					   {"stable and withdrawn", stable_and_withdrawn}, {"restarted", restarted}};
UNIT_MAIN("alarms", tests)
