/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spelling of paths and data sources, and the table of archives. */
#include <stdio.h>
#include <string.h>

#include "rrd/layout.h"
#include "rrd/names.h"
#include "tests/unit/unit.h"

static void plain_names_stay(void)
{
	char path[NAMES_PATH_SIZE];

	CU_ASSERT(names_path("demo", "g01", "n001", "snmp", "base", path));
	CU_ASSERT_STRING_EQUAL(path, "demo/g01/n001/snmp/base.rrd");
	CU_ASSERT(names_path("demo", "g01", "n001", "snmp", "if-eth0", path));
	CU_ASSERT_STRING_EQUAL(path, "demo/g01/n001/snmp/if-eth0.rrd");
	CU_ASSERT(names_path("demo", "_service", "web", "check", "base", path));
	CU_ASSERT_STRING_EQUAL(path, "demo/_service/web/check/base.rrd");
	CU_ASSERT(names_path("demo", "_service", "web", "service", "base", path));
	CU_ASSERT_STRING_EQUAL(path, "demo/_service/web/service/base.rrd");
	CU_ASSERT_FALSE(names_path("demo", "_service", "web", "services", "base", path));
}

static void strange_names_stay_inside_and_unique(void)
{
	static const char *const nodes[] = {
	    "n1.example.com", "n1_example.com", "n1/example/com", "..", ".", "../../etc", "a b", "\xff\x01", "n1:2"};
	char paths[sizeof nodes / sizeof nodes[0]][NAMES_PATH_SIZE], long_name[300];

	for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
		CU_ASSERT(names_path("s", "g", nodes[i], "bmc", "sensors", paths[i]));
		CU_ASSERT(names_path_is_sound(paths[i]));
		CU_ASSERT_PTR_NULL(strstr(paths[i], ".."));
		for (size_t k = 0; k < i; k++) {
			CU_ASSERT_STRING_NOT_EQUAL(paths[i], paths[k]);
		}
	}
	memset(long_name, 'a', sizeof long_name - 1);
	long_name[sizeof long_name - 1] = 0;
	CU_ASSERT(names_path(long_name, long_name, long_name, "bmc", long_name, paths[0]));
	CU_ASSERT(names_path_is_sound(paths[0]));
}

static void what_is_no_path_is_refused(void)
{
	static const char *const bad[] = {"",
					  ".rrd",
					  "/a/b/c/d/e.rrd",
					  "a/b/c/d.rrd",
					  "a/b/c/d/e/f.rrd",
					  "a/b/../d/e.rrd",
					  "a/b//d/e.rrd",
					  "a/b/c/d/e",
					  "a/b/c/d/.rrd",
					  "a/b/c/d/e.rrd/",
					  "a/b/c/d/e f.rrd"};
	char path[NAMES_PATH_SIZE];

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		CU_ASSERT_FALSE(names_path_is_sound(bad[i]));
	}
	CU_ASSERT_TRUE(names_path_is_sound("a/b/c/d/e.rrd"));
	CU_ASSERT_FALSE(names_path("s", "g", "n", "other", "base", path));
	CU_ASSERT_FALSE(names_path("s", "g", "n", "../x", "base", path));
	CU_ASSERT_FALSE(names_path("s", "", "n", "snmp", "base", path));
}

static void data_sources_are_folded(void)
{
	static const char *const pairs[][2] = {{"cpu_user", "cpu_user"},
					       {"CPU1 Temp", "cpu1_temp"},
					       {"12V", "12v"},
					       {"Fan #1 (rear)", "fan_1_rear"},
					       {"", "x"},
					       {"***", "x"},
					       {"a-very-long-sensor-name-it-is", "a_very_long_sensor"}};
	char out[NAMES_SOURCE_SIZE];

	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		CU_ASSERT_STRING_EQUAL(names_data_source(pairs[i][0], out), pairs[i][1]);
	}
}

static void data_sources_of_a_file_are_unique(void)
{
	char from[48][NAMES_SOURCE_SIZE], to[48][NAMES_SOURCE_SIZE];
	static const char *const first[] = {
	    "Temp", "temp", "TEMP", "temp_2", "averyveryverylongna1", "averyveryverylongna"};

	memset(from, 0, sizeof from);
	for (int i = 0; i < 48; i++)
		snprintf(from[i], sizeof from[i], "%.19s", i < 6 ? first[i] : "averyveryverylongname");
	names_data_sources((const char(*)[NAMES_SOURCE_SIZE])from, 48, to);
	CU_ASSERT_STRING_EQUAL(to[0], "temp");
	CU_ASSERT_STRING_EQUAL(to[1], "temp_2");
	CU_ASSERT_STRING_EQUAL(to[2], "temp_3");
	CU_ASSERT_STRING_EQUAL(to[3], "temp_2_2");
	for (int i = 0; i < 48; i++) {
		CU_ASSERT(strlen(to[i]) > 0 && strlen(to[i]) < NAMES_SOURCE_SIZE);
		for (int k = 0; k < i; k++) {
			CU_ASSERT_STRING_NOT_EQUAL(to[i], to[k]);
		}
	}
}

static bool has(const struct layout_arguments *a, const char *text)
{
	for (int i = 0; i < a->count; i++) {
		if (strcmp(a->pointers[i], text) == 0)
			return true;
	}
	return false;
}

static void archives_are_those_of_the_contract(void)
{
	static const char names[2][NAMES_SOURCE_SIZE] = {"cpu", "mem"};
	struct layout_arguments a;

	CU_ASSERT_TRUE_FATAL(layout_arguments(10, names, 2, &a));
	CU_ASSERT_EQUAL(a.count, 2 + 1 + 4 * 3);
	CU_ASSERT(has(&a, "DS:cpu:GAUGE:15:U:U"));
	CU_ASSERT(has(&a, "RRA:AVERAGE:0.5:1:720"));
	CU_ASSERT(has(&a, "RRA:MAX:0.5:6:1440"));
	CU_ASSERT(has(&a, "RRA:MIN:0.5:60:1008"));
	CU_ASSERT(has(&a, "RRA:AVERAGE:0.5:360:744"));
	CU_ASSERT(has(&a, "RRA:MAX:0.5:2160:1460"));
	CU_ASSERT_FALSE(has(&a, "RRA:MAX:0.5:1:720"));
	CU_ASSERT_TRUE_FATAL(layout_arguments(300, names, 1, &a));
	CU_ASSERT_EQUAL(a.count, 1 + 3 * 3);
	CU_ASSERT(has(&a, "RRA:AVERAGE:0.5:2:1008"));
	CU_ASSERT_FALSE(layout_arguments(0, names, 1, &a));
	CU_ASSERT_FALSE(layout_arguments(10, names, 0, &a));
	CU_ASSERT_FALSE(layout_arguments(10, names, 49, &a));
	CU_ASSERT_FALSE(layout_arguments(86399, names, 1, &a));
	CU_ASSERT(layout_bytes(10, 20) > 2000000 && layout_bytes(10, 20) < 3000000);
}

static const struct unit_test tests[] = {
    {"plain names stay", plain_names_stay},
    {"strange names stay inside and unique", strange_names_stay_inside_and_unique},
    {"what is no path is refused", what_is_no_path_is_refused},
    {"data sources are folded", data_sources_are_folded},
    {"data sources of a file are unique", data_sources_of_a_file_are_unique},
    {"archives are those of the contract", archives_are_those_of_the_contract},
};

UNIT_MAIN("rrd names and layout", tests)
