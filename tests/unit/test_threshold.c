/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Threshold rows as lines of text: what is read, what is filled in, what is refused, and that writing reads back. */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/threshold.h"
#include "tests/unit/random_cluster.h"
#include "tests/unit/unit.h"

static const struct {
	const char *in, *out;
	struct config_threshold t;
} rows[] = {
	{"warning above 85 clear 80 of 3 in 5", "warning above 85 clear 80 of 3 in 5",
	 {.level = LEVEL_WARNING, .above = 1, .of = 3, .in = 5, .value = 85, .clear = 80}},
	{"critical  below -0.5 ", "critical below -0.5", {.level = LEVEL_CRITICAL, .of = 1, .in = 1, .value = -0.5, .clear = -0.5}},
	{"warning forecast above 100 within 3d window 6h", "warning forecast above 100",
	 {.level = LEVEL_WARNING, .above = 1, .of = 1, .in = 1, .kind = THRESHOLD_FORECAST, .value = 100, .clear = 100, .window_s = 21600,
	  .within_s = 259200}},
	{"major kind forecast window 90m above 100 within 24h", "major forecast above 100 window 90m within 1d",
	 {.level = LEVEL_MAJOR, .above = 1, .of = 1, .in = 1, .kind = THRESHOLD_FORECAST, .value = 100, .clear = 100, .window_s = 5400,
	  .within_s = 86400}},
	{"major rate above 5 per minute clear 2", "major rate above 5 clear 2 per minute",
	 {.level = LEVEL_MAJOR, .above = 1, .of = 1, .in = 1, .kind = THRESHOLD_RATE, .value = 5, .clear = 2, .window_s = 600, .per_s = 60}},
	{"warning no-data", "warning no-data", {.level = LEVEL_WARNING, .of = 1, .in = 1, .kind = THRESHOLD_NO_DATA, .window_s = 300}},
	{"warning no-data window 2w", "warning no-data window 14d",
	 {.level = LEVEL_WARNING, .of = 1, .in = 1, .kind = THRESHOLD_NO_DATA, .window_s = 1209600}},
	{"warning deviation below 20 clear 10 deviations 3.5 of 6 in 10", "warning deviation below 20 clear 10 of 6 in 10 deviations 3.5",
	 {.level = LEVEL_WARNING, .of = 6, .in = 10, .kind = THRESHOLD_DEVIATION, .value = 20, .clear = 10, .deviations = 3.5}},
};

static void reads_and_writes(void)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct config_threshold t, again;
		char text[THRESHOLD_TEXT];
		struct error e = {0};

		CU_ASSERT_EQUAL(threshold_parse(rows[i].in, &t, &e), 0);
		CU_ASSERT_STRING_EQUAL(e.text, "");
		CU_ASSERT(threshold_equal(&t, &rows[i].t));
		threshold_text(&t, text);
		CU_ASSERT_STRING_EQUAL(text, rows[i].out);
		CU_ASSERT_EQUAL(threshold_parse(text, &again, &e), 0);
		CU_ASSERT(threshold_equal(&t, &again));
	}
}

static void refuses(void)
{
	static const char *const bad[][2] = {
		{"", "not complete"}, {"warning", "not complete"}, {"normal above 5", "level normal"}, {"warning above", "above has no value"},
		{"warning above x", "above x is not a number"}, {"warning above nan", "is not a number"}, {"warning above 1 above 2", "there twice"},
		{"warning above 1 below 2", "one of above and below"}, {"warning clear 3", "one of above and below"},
		{"warning above 5 clear 6", "would clear at once"}, {"warning below 5 clear 4", "would clear at once"},
		{"warning above 5 of 5 in 3", "5 of 3"}, {"warning above 5 of 33 in 33", "1 to 32"}, {"warning above 5 window 5m", "value has no window"},
		{"warning forecast above 5 clear 3", "forecast has no clear"}, {"warning forecast above 5 window 40d", "not between"},
		{"warning forecast above 5 within 0", "within 0 is not a time"}, {"warning no-data above 3", "no-data has no above"},
		{"warning rate above 3 per fortnight", "per fortnight"}, {"warning deviation above -3", "out of its limits"},
		{"warning deviation above 3 deviations 0", "out of its limits"}, {"warning above 1 abuv 2", "attribute abuv"},
		{"warning above 11111111111111111111111111111111111111111111111111", "too long"},
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct config_threshold t;
		struct error e = {0};

		CU_ASSERT_EQUAL(threshold_parse(bad[i][0], &t, &e), ERR_CONFIG);
		if (!strstr(e.text, bad[i][1]))
			fprintf(stderr, "%s: %s\n", bad[i][0], e.text);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, bad[i][1]));
		CU_ASSERT(e.remedy[0] != '\0');
	}
}

static void any_row_reads_back(void)
{
	struct chance c = {20};

	for (int i = 0; i < 2000; i++) {
		struct config_threshold t, again;
		char text[THRESHOLD_TEXT];
		struct error e;

		random_threshold(&c, &t);
		CU_ASSERT(threshold_valid(&t));
		threshold_text(&t, text);
		CU_ASSERT_EQUAL(threshold_parse(text, &again, &e), 0);
		CU_ASSERT(threshold_equal(&t, &again));
	}
}

static void times(void)
{
	char text[24];
	int64_t s = 0;

	CU_ASSERT(text_seconds("2w", 0, INT64_MAX, &s) && s == 1209600);
	CU_ASSERT(text_seconds("0", 0, 9, &s) && s == 0);
	CU_ASSERT(!text_seconds("90", 0, 89, &s) && !text_seconds("", 0, 9, &s) && !text_seconds("h", 0, 9, &s) && !text_seconds("-1", -9, 9, &s));
	CU_ASSERT(!text_seconds("1h30m", 0, 99999, &s) && !text_seconds("99999999999999w", 0, INT64_MAX, &s));
	for (int64_t i = 0; i < 400000; i += 997) {
		text_of_seconds(i, text, sizeof text);
		CU_ASSERT(text_seconds(text, 0, 400000, &s) && s == i);
	}
	text_of_seconds(5400, text, sizeof text);
	CU_ASSERT_STRING_EQUAL(text, "90m");
	text_of_seconds(259200, text, sizeof text);
	CU_ASSERT_STRING_EQUAL(text, "3d");
}

static const struct unit_test tests[] = {
	{"reads and writes", reads_and_writes}, {"refuses", refuses}, {"any row reads back", any_row_reads_back}, {"times", times}};

UNIT_MAIN("threshold", tests)
