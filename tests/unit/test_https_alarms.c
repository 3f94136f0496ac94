/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Alarms of the TLS listener: each kind of trouble has a line with its remedy that fits, one alarm for the pair and one for each user. */
#include "engine/https_alarms.c"

#include "tests/unit/unit.h"

static struct engine engine;
static struct raised {
	char part[NAME_SIZE], cause[CAUSE_SIZE];
	enum level severity; /* 0: cleared */
} last;
static unsigned raises, clears;

uint64_t alarms_raise(struct engine *e, const char *object, const char *kind, const char *part, enum level severity, const char *cause,
		      uint32_t slot, uint64_t parent, uint32_t held)
{
	CU_ASSERT(e == &engine && !strcmp(object, "appliance-1") && !strcmp(kind, "https") && slot == NO_SLOT && !parent && !held);
	last.severity = severity;
	text_copy(last.part, sizeof last.part, part);
	text_copy(last.cause, sizeof last.cause, cause);
	return ++raises;
}

void alarms_clear(struct engine *e, const char *object, const char *kind, const char *part)
{
	CU_ASSERT(e == &engine && !strcmp(object, "appliance-1") && !strcmp(kind, "https"));
	last.severity = 0;
	text_copy(last.part, sizeof last.part, part);
	clears++;
}

static void take(enum https_trouble trouble, bool served, const char *name)
{
	struct msg_https_state m = {.trouble = trouble, .served = served, .when_wall_ms = INT64_C(1798761599000)}; /* 2026-12-31T23:59:59Z */

	text_copy(m.name, sizeof m.name, name);
	https_alarms_take(&engine, &m);
}

static void begin(void)
{
	memset(&engine, 0, sizeof engine);
	memset(&last, 0, sizeof last);
	raises = clears = 0;
	text_copy(engine.settings.appliance, sizeof engine.settings.appliance, "appliance-1");
}

/* Cause, colon or semicolon, what to do: whole, whatever stands in it. */
static void test_each_has_a_line(void)
{
	char seen[HTTPS_TROUBLE_COUNT][CAUSE_SIZE];
	const char *longest = "a-user-whose-name-has-as-many-letters-as-a-name-may-have-in-all";

	begin();
	CU_ASSERT_EQUAL(strlen(longest), NAME_SIZE - 1);
	for (int t = HTTPS_WELL + 1; t < HTTPS_TROUBLE_COUNT; t++) {
		bool user = t >= HTTPS_NO_PASSWORD;
		take((enum https_trouble)t, false, user ? longest : "");
		CU_ASSERT_EQUAL_FATAL(raises, (unsigned)t - 1);
		CU_ASSERT_STRING_EQUAL(last.part, user ? longest : "");
		CU_ASSERT_PTR_NOT_NULL(strstr(last.cause, ": "));
		CU_ASSERT(strlen(last.cause) >= 30);
		bool whole = !strcmp(last.cause + strlen(last.cause) - 6, "reload") || !strcmp(last.cause + strlen(last.cause) - 5, "glory") ||
			     last.cause[strlen(last.cause) - 1] == '?';
		CU_ASSERT_TRUE(whole);
		if (!whole)
			printf("%d: \"%s\"\n", t, last.cause);
		CU_ASSERT(last.severity >= LEVEL_WARNING);
		for (int k = HTTPS_WELL + 1; k < t; k++)
			CU_ASSERT_STRING_NOT_EQUAL(seen[k], last.cause);
		text_copy(seen[t], sizeof seen[t], last.cause);
	}
	CU_ASSERT_EQUAL(clears, 0);
	take(HTTPS_ENDS_SOON, true, "");
	CU_ASSERT_STRING_EQUAL(last.cause, "certificate ends 2026-12-31: renew it and key, reload glory");
}

static void test_severity_and_end(void)
{
	begin();
	take(HTTPS_OTHER_KEY, true, "");
	CU_ASSERT_EQUAL(last.severity, LEVEL_WARNING); /* the pair in force is served on */
	take(HTTPS_OTHER_KEY, false, "");
	CU_ASSERT_EQUAL(last.severity, LEVEL_MAJOR);
	take(HTTPS_ENDED, false, ""); /* shown, and refused by all clients */
	CU_ASSERT_EQUAL(last.severity, LEVEL_MAJOR);
	take(HTTPS_ENDS_SOON, true, "");
	CU_ASSERT_EQUAL(last.severity, LEVEL_WARNING);
	take(HTTPS_WELL, true, "");
	CU_ASSERT(clears == 1 && !last.part[0]);
	take(HTTPS_WELL, true, "noc");
	CU_ASSERT(clears == 2 && !strcmp(last.part, "noc"));
}

static void test_nonsense(void)
{
	struct msg_https_state m = {.trouble = HTTPS_NO_KEY};

	begin();
	take((enum https_trouble)0, false, "");
	take(HTTPS_TROUBLE_COUNT, false, "");
	take((enum https_trouble)-1, false, "");
	memset(m.name, 'x', sizeof m.name);
	https_alarms_take(&engine, &m);
	CU_ASSERT_EQUAL(raises + clears, 0);
}

static void test_who_is_there(void)
{
	begin();
	CU_ASSERT_FALSE(https_alarm_is_there(&engine, ""));
	engine.settings.https.family = 4;
	engine.settings.users = 2;
	text_copy(engine.settings.user[0].name, sizeof engine.settings.user[0].name, "noc");
	engine.settings.user[0].kind = SETTINGS_USER_HTTPS;
	text_copy(engine.settings.user[1].name, sizeof engine.settings.user[1].name, "eve");
	engine.settings.user[1].kind = SETTINGS_USER_UNIX;
	CU_ASSERT_TRUE(https_alarm_is_there(&engine, ""));
	CU_ASSERT_TRUE(https_alarm_is_there(&engine, "noc"));
	CU_ASSERT_FALSE(https_alarm_is_there(&engine, "eve"));
	engine.settings.users = UINT32_MAX;
	CU_ASSERT_FALSE(https_alarm_is_there(&engine, "nobody"));
}

static const struct unit_test tests[] = {
    {"each trouble has a line", test_each_has_a_line},
    {"severity and end", test_severity_and_end},
    {"nonsense", test_nonsense},
    {"who is there", test_who_is_there},
};
UNIT_MAIN("https alarms", tests)
