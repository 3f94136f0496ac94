/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Alarms: raised once, counted, updated, acknowledged, cleared, restored. */
#include <string.h>

#include "base/error.h"
#include "monitor/alarm.h"
#include "tests/unit/unit.h"

static int told[8];

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
	uint64_t id = alarm_raise(set, &w, 1000);
	for (int i = 1; i <= 100; i++)
		CU_ASSERT_EQUAL(alarm_raise(set, &w, 1000 + i * 1000), id);
	CU_ASSERT_EQUAL(told[ALARM_RAISED], 1);
	CU_ASSERT_EQUAL(told[ALARM_COUNTED], 1); /* at most once a minute */
	CU_ASSERT_EQUAL(alarm_by_id(set, id)->count, 101);
	w.cause = "os-hung";
	CU_ASSERT_EQUAL(alarm_raise(set, &w, 200000), id);
	CU_ASSERT_EQUAL(told[ALARM_UPDATED], 1);
	CU_ASSERT_EQUAL(alarm_acknowledge(set, id, "uid:0", 200001), 0);
	CU_ASSERT_EQUAL(alarm_acknowledge(set, id, "uid:1", 200002), 0);
	CU_ASSERT_STRING_EQUAL(alarm_by_id(set, id)->acknowledged_by, "uid:0");
	CU_ASSERT(alarm_clear(set, "n001", "verdict", "", 300000));
	CU_ASSERT(!alarm_clear(set, "n001", "verdict", "", 300001));
	CU_ASSERT_EQUAL(alarm_acknowledge(set, id, "uid:0", 300002), ERR_NOT_NOW);
	CU_ASSERT_EQUAL(alarm_acknowledge(set, 99, "uid:0", 300002), ERR_NOT_FOUND);
	CU_ASSERT(alarm_raise(set, &w, 400000) != id); /* a new one, not the old one again */
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
	alarm_restore(set, &a);
	CU_ASSERT_EQUAL(alarm_raise(set, &w, 50), 41);
	CU_ASSERT_EQUAL(told[ALARM_RAISED], 0);
	w.object = "n010";
	CU_ASSERT_EQUAL(alarm_raise(set, &w, 50), 42);
	alarm_count(set, by_severity);
	CU_ASSERT_EQUAL(by_severity[LEVEL_MAJOR], 2);
	alarm_clear_object(set, "n009", 60);
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
		alarm_raise(set, &w, i + 1);
		alarm_clear(set, "n001", "verdict", "", i + 1);
	}
	CU_ASSERT_EQUAL(told[ALARM_FORGOTTEN], 500);
	CU_ASSERT_PTR_NULL(alarm_by_id(set, 1));
	CU_ASSERT_PTR_NOT_NULL(alarm_by_id(set, 1500));
	alarm_set_free(set);
}

static const struct unit_test tests[] = {{"raised once", raised_once}, {"restored", restored}, {"bounded", bounded}};
UNIT_MAIN("alarms", tests)
