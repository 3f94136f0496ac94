/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recorded loads: what is read from them, what is bridged, and which files are refused with the line that is wrong. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "tests/sim/trace_file.h"
#include "tests/unit/unit.h"

enum { DAY = 86400 };
static double load[TRACE_TICKS];

/* days of lines each so many seconds, requests by a rule; from and until have no line. free() it. */
static char *lines(unsigned days, unsigned each, double (*requests)(double t), double from, double until)
{
	size_t room = (size_t)days * DAY / each * 48 + 64, used = 0;
	char *text = mem_zalloc(room);

	text_append(text, room, &used, "seconds,requests\n# made up\n\n");
	for (double t = 0; t < (double)days * DAY; t += each)
		if (!(t >= from && t < until))
			text_append(text, room, &used, "%.0f,%.3f\r\n", 800000000 + t, requests(t));
	return text;
}

static double steady(double t)
{
	(void)t;
	return 50;
}

static double rising(double t)
{
	return t / 100;
}

static double mean_of(unsigned from, unsigned until)
{
	double sum = 0;

	for (unsigned k = from; k < until; k++)
		sum += load[k];
	return sum / (until - from);
}

static void test_steady(void)
{
	char *text = lines(3, 60, steady, 0, 0);
	double most = 0;

	CU_ASSERT_EQUAL(trace_file_parse(text, strlen(text), 0, load, NULL), 3);
	for (unsigned k = 0; k < 3 * TRACE_DAY_TICKS; k++)
		most = fmax(most, load[k]);
	CU_ASSERT_DOUBLE_EQUAL(most, 1, 1e-12);
	CU_ASSERT_DOUBLE_EQUAL(mean_of(0, 3 * TRACE_DAY_TICKS), 1 / 1.09, .002); /* three deviations of 3 % are the largest */
	CU_ASSERT_EQUAL(load[3 * TRACE_DAY_TICKS], 0);
	double first = load[0];
	CU_ASSERT_EQUAL(trace_file_parse(text, strlen(text), 1, load, NULL), 3);
	CU_ASSERT_NOT_EQUAL(load[0], first); /* another throw */
	free(text);
}

/* Lines of five minutes, with a hole of six hours: between them it is linear. */
static void test_bridged(void)
{
	char *text = lines(2, 300, rising, 30000, 51600);

	CU_ASSERT_EQUAL(trace_file_parse(text, strlen(text), 0, load, NULL), 2);
	double unit = mean_of(17000, 17200) / (171000 - 150);
	for (unsigned k = 200; k + 200 < 2 * TRACE_DAY_TICKS; k += 200)
		CU_ASSERT_DOUBLE_EQUAL(mean_of(k, k + 200) / unit, 10.0 * (k + 100) - 150, 1500 + .01 * 10 * k);
	free(text);
}

static void test_longer_is_cut(void)
{
	char *text = lines(16, 600, steady, 0, 0);

	CU_ASSERT_EQUAL(trace_file_parse(text, strlen(text), 0, load, NULL), TRACE_DAYS);
	CU_ASSERT(load[TRACE_TICKS - 1] > .8);
	free(text);
}

static void test_refused(void)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"", "0 whole days"},
		{"0,1\n86400,1\n", "1 whole days"},
		{"0,1\n300,x\n", "line 2: it is not two numbers"},
		{"seconds,requests\nseconds,requests\n", "line 2: it is not two numbers"},
		{"0,1\n300\n", "line 2: it is not two numbers"},
		{"0,1\n300,1,1\n", "line 2: it is not two numbers"},
		{"0,1\n300,-1\n", "line 2: a number is out of range"},
		{"0,1\n300,1e13\n", "line 2: a number is out of range"},
		{"0,1\n1e13,1\n", "line 2: a number is out of range"},
		{"0,1\n300,nan\n", "line 2: it is not two numbers"},
		{"0,1\n0,1\n", "line 2: it is not later than the line before"},
		{"600,1\n\n300,1\n", "line 3: it is not later than the line before"},
		{"0,0\n86400,0\n172800,0\n", "it has no request"},
	};
	char wide[400];
	struct error e;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		CU_ASSERT_EQUAL(trace_file_parse(cases[i].text, strlen(cases[i].text), 0, load, &e), ERR_CONFIG);
		CU_ASSERT(strstr(e.text, cases[i].says) && e.remedy[0]);
		if (!strstr(e.text, cases[i].says))
			printf("\n  \"%s\" does not say \"%s\"\n", e.text, cases[i].says);
	}
	memset(wide, '1', sizeof wide);
	CU_ASSERT_EQUAL(trace_file_parse(wide, sizeof wide, 0, load, &e), ERR_CONFIG);
	CU_ASSERT_EQUAL(trace_file_parse("0,1\n1\0,1\n", 9, 0, load, &e), ERR_CONFIG); /* a NUL is no text */
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "line 2"));
}

static void test_files(void)
{
	char path[] = "/tmp/glory-trace-XXXXXX", *text = lines(2, 300, steady, 0, 0);
	int fd = mkstemp(path);
	struct error e;

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	CU_ASSERT_EQUAL(trace_file_read(path, 0, load, &e), 2);
	CU_ASSERT_EQUAL(ftruncate(fd, TRACE_FILE_BYTES_MOST + 1L), 0);
	CU_ASSERT_EQUAL(trace_file_read(path, 0, load, &e), ERR_CONFIG);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "larger than 64 MiB"));
	close(fd);
	unlink(path);
	CU_ASSERT_EQUAL(trace_file_read(path, 0, load, &e), ERR_NOT_FOUND);
	CU_ASSERT(strstr(e.text, path) && e.remedy[0]);
	CU_ASSERT_EQUAL(trace_file_read("/", 0, load, &e), ERR_NOT_FOUND);
	free(text);
}

static const struct unit_test tests[] = {
	{"a steady load", test_steady},
	{"holes are bridged", test_bridged},
	{"what is longer than 14 days is cut", test_longer_is_cut},
	{"refused lines", test_refused},
	{"files", test_files},
};
UNIT_MAIN("trace files", tests)
