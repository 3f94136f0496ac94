/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Output of check plugins: ranges as the guidelines have them, performance data of real plugins and broken one, arguments. */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "checker/perfdata.h"

static void test_ranges(void)
{
	static const struct {
		const char *text;
		bool good;
		double quiet, alert; /* values that do not and do alert */
	} cases[] = {
		{"10", true, 10, 10.1},	 {"10", true, 0, -1},	   {"10:", true, 10, 9},	{"~:10", true, -1e9, 11},
		{"10:20", true, 15, 21}, {"10:20", true, 20, 9.9}, {"@10:20", true, 9, 10},	{"@10:20", true, 21, 20},
		{"5:33", true, 5, 4.99}, {"~:", true, 1e12, NAN},  {"0.5:1.5", true, 1, 1.6},	{"-5:-1", true, -3, 0},
		{"@1:2", true, 0, 1.5},	 {"x", false, 0, 0},	   {"10:5", false, 0, 0},	{"1:2:3", false, 0, 0},
		{"@", false, 0, 0},	 {"~", false, 0, 0},	   {"1e999", false, 0, 0},	{"10 ", false, 0, 0},
	};
	struct perf_range r;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		CU_ASSERT_EQUAL(perf_range_parse(cases[i].text, &r), cases[i].good);
		if (!cases[i].good)
			continue;
		CU_ASSERT(!perf_range_alerts(&r, cases[i].quiet));
		if (!isnan(cases[i].alert))
			CU_ASSERT(perf_range_alerts(&r, cases[i].alert));
	}
	CU_ASSERT(perf_range_parse("", &r) && !perf_range_alerts(&r, 5));
}

static void test_values(void)
{
	struct perf_value v[8];

	CU_ASSERT_EQUAL_FATAL(perfdata_parse("time=0.012s;1.000;2.000;0.000;10.000 'size of it'=512KB;;;0 'it''s'=5%;~:4;10 x=U load=7;@5:8;@6:7",
					     v, 8), 5);
	CU_ASSERT_STRING_EQUAL(v[0].label, "time");
	CU_ASSERT_STRING_EQUAL(v[0].unit, "s");
	CU_ASSERT(v[0].value == 0.012 && v[0].level == LEVEL_NORMAL);
	CU_ASSERT_STRING_EQUAL(v[1].label, "size of it");
	CU_ASSERT(v[1].value == 524288 && !strcmp(v[1].unit, "B"));
	CU_ASSERT_STRING_EQUAL(v[2].label, "it's");
	CU_ASSERT(v[2].value == 5 && !strcmp(v[2].unit, "percent") && v[2].level == LEVEL_WARNING);
	CU_ASSERT(isnan(v[3].value) && v[3].level == LEVEL_UNKNOWN);
	CU_ASSERT(v[4].level == LEVEL_CRITICAL);
	CU_ASSERT_EQUAL(perfdata_parse("t=300ms;100:200", v, 8), 1);
	CU_ASSERT(fabs(v[0].value - 0.3) < 1e-12 && v[0].level == LEVEL_WARNING); /* ranges are in the printed unit */
	CU_ASSERT_EQUAL(perfdata_parse("a=1 b=2 c=3", v, 2), 2);
	/* what is not right is left out, the rest stays */
	CU_ASSERT_EQUAL(perfdata_parse("=5 a b= c=x d=1;;; 'open=3", v, 8), 1);
	CU_ASSERT_STRING_EQUAL(v[0].label, "d");
	CU_ASSERT_EQUAL(perfdata_parse("inf=inf nan=nan big=1e400 hex=0x10", v, 8), 0);
	CU_ASSERT_EQUAL(perfdata_parse("", v, 8), 0);
	CU_ASSERT_EQUAL(perfdata_parse("w=5;x;@", v, 8), 1); /* ranges that are none do not judge */
	CU_ASSERT_EQUAL(v[0].level, LEVEL_NORMAL);
}

static void test_split(void)
{
	char output[] = "  TCP OK - 0.002 second  response \t| time=0.002s;;\nlong text | more=1\n", none[] = "plain", bad[] = "a\x01\xff|b";
	char *data;

	CU_ASSERT_STRING_EQUAL(perfdata_split(output, &data), "TCP OK - 0.002 second  response");
	CU_ASSERT_STRING_EQUAL(data, " time=0.002s;;");
	CU_ASSERT_STRING_EQUAL(perfdata_split(none, &data), "plain");
	CU_ASSERT_PTR_NULL(data);
	CU_ASSERT_STRING_EQUAL(perfdata_split(bad, &data), "a??");
}

static void test_arguments(void)
{
	char room[64], *words[4];

	CU_ASSERT_EQUAL_FATAL(check_arguments(" -H $ADDRESS$  -u 'a b'\"c d\" ", "10.0.0.1", "n 1", room, sizeof room, words, 4), 4);
	CU_ASSERT_STRING_EQUAL(words[1], "10.0.0.1");
	CU_ASSERT_STRING_EQUAL(words[3], "a bc d");
	CU_ASSERT_EQUAL_FATAL(check_arguments("x$NAME$y $OTHER$ ; $(id) '$NAME$'", "", "n; 1", room, sizeof room, words, 4), -1); /* five words */
	CU_ASSERT_EQUAL_FATAL(check_arguments("x$NAME$y $OTHER$ ; $(id)", "", "n; 1", room, sizeof room, words, 4), 4);
	CU_ASSERT_STRING_EQUAL(words[0], "xn; 1y"); /* what is put in makes no words */
	CU_ASSERT_STRING_EQUAL(words[1], "$OTHER$");
	CU_ASSERT_STRING_EQUAL(words[3], "$(id)");
	CU_ASSERT_EQUAL(check_arguments("'' \"\"", "", "", room, sizeof room, words, 4), 2);
	CU_ASSERT_STRING_EQUAL(words[1], "");
	CU_ASSERT_EQUAL(check_arguments("'open", "", "", room, sizeof room, words, 4), -1);
	CU_ASSERT_EQUAL(check_arguments("$NAME$", "", "0123456789012345678901234567890123456789012345678901234567890123456789", room, sizeof room, words, 4), -1);
	CU_ASSERT_EQUAL(check_arguments("", "", "", room, sizeof room, words, 4), 0);
}

static const struct unit_test tests[] = {
	{"ranges", test_ranges},
	{"values", test_values},
	{"output", test_split},
	{"arguments", test_arguments},
};
UNIT_MAIN("perfdata", tests)
