/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows written without librrd leave the bytes that librrd leaves, through all archives and their ends; what is not exactly of that kind
 * is not touched; a file keeps its head when the disk fails, and gets it back after a kill. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <rrd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "board/messages.h"
#include "rrd/layout.h"
#include "rrd/undo.h"
#include "rrd/update.h"
#include "tests/unit/unit.h"

enum { BEGIN = 1700000000 - 1700000000 % 21600 }; /* a multiple of every step */
enum { HEAD_OF_3 = 128 + 3 * 120 + 13 * 120 + 16 + 3 * 112 + 3 * 13 * 80 + 13 * 8 };
enum { AT_ARCHIVES = 128 + 3 * 120, AT_LIVE = AT_ARCHIVES + 13 * 120, AT_PLACES = HEAD_OF_3 - 13 * 8 };

static char directory[] = "/tmp/test_rrd_update_XXXXXX", ours[64], theirs[64];
static uint32_t seed = 1;

static uint32_t any(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)seed * below >> 32);
}

static void make(const char *path, uint32_t step_s, uint32_t count)
{
	struct layout_arguments *a = mem_zalloc(sizeof *a);
	char names[SERIES_DS_MAX][NAMES_SOURCE_SIZE];

	for (uint32_t i = 0; i < count; i++)
		text_format(names[i], sizeof names[i], "source_%u", i);
	CU_ASSERT_TRUE_FATAL(layout_arguments(step_s, (const char(*)[NAMES_SOURCE_SIZE])names, count, a));
	CU_ASSERT_EQUAL_FATAL(rrd_create_r(path, step_s, BEGIN, a->count, a->pointers), 0);
	free(a);
}

static uint8_t *content(const char *path, size_t *size)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	CU_ASSERT_EQUAL_FATAL(fstat(fd, &st), 0);
	*size = (size_t)st.st_size;
	uint8_t *bytes = mem_zalloc(*size + 1);
	CU_ASSERT_EQUAL(read(fd, bytes, *size), (ssize_t)*size);
	close(fd);
	return bytes;
}

static void copy(void)
{
	size_t size;
	uint8_t *bytes = content(ours, &size);
	int fd = open(theirs, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CU_ASSERT_EQUAL(write(fd, bytes, size), (ssize_t)size);
	close(fd);
	free(bytes);
}

/* Two files alike: librrd begins the archives of each it makes at places of their own. */
static void make_both(uint32_t step_s, uint32_t count)
{
	make(ours, step_s, count);
	copy();
}

static void put(const char *path, size_t at, const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	CU_ASSERT_EQUAL(pwrite(fd, bytes, size, (off_t)at), (ssize_t)size);
	close(fd);
}

static bool same(const char *a, const char *b)
{
	size_t n, m;
	uint8_t *l = content(a, &n), *r = content(b, &m);
	bool equal = n == m && memcmp(l, r, n) == 0;

	free(l);
	free(r);
	return equal;
}

/* A number that its text gives back exactly. */
static double some_value(void)
{
	switch (any(12)) {
	case 0:
		return NAN;
	case 1:
		return any(2) ? (double)INFINITY : -(double)INFINITY; /* "U" in a text */
	case 2:
		return any(2) ? 0.0 : -0.0;
	case 3:
		return -(double)any(100000) / 8;
	case 4:
		return 4e12;
	default:
		return (double)any(8000000) / 64;
	}
}

static void by_library(const char *path, uint32_t count, const struct update_row *rows, int n)
{
	static char text[UPDATE_ROWS_MAX][SERIES_DS_MAX * UPDATE_VALUE_TEXT + 24];
	const char *pointers[UPDATE_ROWS_MAX];

	for (int r = 0; r < n; r++) {
		int used = snprintf(text[r], sizeof text[r], "%lld", (long long)rows[r].time_s);
		for (uint32_t i = 0; i < count; i++) {
			double v = rows[r].values ? rows[r].values[i] : NAN;
			used += isfinite(v) ? (int)update_value_text(text[r] + used, v) : (int)text_copy(text[r] + used, 3, ":U") * 2;
		}
		pointers[r] = text[r];
	}
	CU_ASSERT_EQUAL_FATAL(rrd_update_r(path, NULL, n, pointers), 0);
}

/* n rows of some values behind *time_s; now and then a source is unknown for a while, or all of them are. */
static void some_rows(struct update_row *rows, double *values, uint32_t step_s, uint32_t count, int n, int64_t *time_s)
{
	uint32_t unknown = any(5) ? 0 : any(1 << 20), all = any(4) ? 100 : any(10);

	for (int r = 0; r < n; r++) {
		double *v = values + (size_t)r * count;
		for (uint32_t i = 0; i < count; i++)
			v[i] = i < 20 && unknown >> i & 1 ? NAN : some_value();
		*time_s += step_s;
		rows[r] = (struct update_row){.time_s = *time_s, .values = (uint32_t)r % 12 >= all ? NULL : v};
	}
}

static void run_of(uint32_t step_s, uint32_t count, int calls)
{
	struct update_row rows[UPDATE_ROWS_MAX];
	double *values = mem_array(UPDATE_ROWS_MAX * (size_t)count, sizeof *values);
	int64_t time_s = BEGIN;

	make_both(step_s, count);
	for (int c = 0; c < calls; c++) {
		int n = 1 + (int)any(UPDATE_ROWS_MAX);

		some_rows(rows, values, step_s, count, n, &time_s);
		by_library(theirs, count, rows, n);
		if (any(10) == 0) /* by turns on one file too */
			by_library(ours, count, rows, n);
		else
			CU_ASSERT_EQUAL_FATAL(update_direct(ours, step_s, count, rows, n), UPDATE_DONE);
		if (c % 8 == 0 || c + 1 == calls)
			CU_ASSERT_TRUE_FATAL(same(ours, theirs));
	}
	free(values);
}

static void the_bytes_are_librrds(void)
{
	run_of(10, 3, 400); /* 36 hours: the first two archives go round */
	run_of(10, 1, 60);
	run_of(10, SERIES_DS_MAX, 30);
	run_of(60, 2, 100);
	run_of(300, 4, 150);
	run_of(1800, 1, 150);
	run_of(21600, 1, 60); /* its one resolution is the step's */
}

static void after_a_gap_by_library(void)
{
	double values[3] = {1, 2, 3};
	struct update_row row = {BEGIN + 7200, values}, next = {BEGIN + 7210, values};

	make_both(10, 3);
	CU_ASSERT_EQUAL(update_direct(ours, 10, 3, &row, 1), UPDATE_NOT_OURS);
	CU_ASSERT_TRUE(same(ours, theirs));
	by_library(ours, 3, &row, 1);
	by_library(theirs, 3, &row, 1);
	by_library(theirs, 3, &next, 1);
	CU_ASSERT_EQUAL(update_direct(ours, 10, 3, &next, 1), UPDATE_DONE);
	CU_ASSERT_TRUE(same(ours, theirs));
}

static void rows_that_do_not_follow(void)
{
	double values[3] = {1, 2, 3};
	struct update_row rows[3] = {{BEGIN + 10, values}, {BEGIN + 20, values}, {BEGIN + 40, values}};
	struct update_row old = {BEGIN, values}, odd = {BEGIN + 5, values};

	make_both(10, 3);
	CU_ASSERT_EQUAL(update_direct(ours, 10, 3, rows, 3), UPDATE_NOT_OURS);
	CU_ASSERT_EQUAL(update_direct(ours, 10, 3, &old, 1), UPDATE_NOT_OURS);
	CU_ASSERT_EQUAL(update_direct(ours, 10, 3, &odd, 1), UPDATE_NOT_OURS);
	CU_ASSERT_EQUAL(update_direct(ours, 10, 2, rows, 2), UPDATE_NOT_OURS); /* another count */
	CU_ASSERT_EQUAL(update_direct(ours, 60, 3, rows, 2), UPDATE_NOT_OURS);
	CU_ASSERT_EQUAL(update_direct(ours, 10, 3, rows, 0), UPDATE_NOT_OURS);
	CU_ASSERT_EQUAL(update_direct(ours, 10, SERIES_DS_MAX + 1, rows, 1), UPDATE_NOT_OURS);
	CU_ASSERT_TRUE(same(ours, theirs));
	by_library(ours, 3, &odd, 1); /* somebody's row beside the steps */
	CU_ASSERT_EQUAL(update_direct(ours, 10, 3, rows, 2), UPDATE_NOT_OURS);
}

static void files_of_another_kind(void)
{
	enum { STEP = 21600 }; /* a step that has three archives */
	static const struct {
		const char *source, *archive;
		enum update_result result;
	} kinds[] = {
	    {"DS:a:GAUGE:32400:U:U", "RRA:MAX:0.5:1:9", UPDATE_DONE},	     {"DS:a:GAUGE:32400:0:U", "RRA:MAX:0.5:1:9", UPDATE_NOT_OURS},
	    {"DS:a:GAUGE:32400:U:9", "RRA:MAX:0.5:1:9", UPDATE_NOT_OURS},    {"DS:a:COUNTER:32400:U:U", "RRA:MAX:0.5:1:9", UPDATE_NOT_OURS},
	    {"DS:a:GAUGE:5:U:U", "RRA:MAX:0.5:1:9", UPDATE_NOT_OURS},	     {"DS:a:GAUGE:86400:U:U", "RRA:MAX:0.5:1:9", UPDATE_NOT_OURS},
	    {"DS:a:GAUGE:32400:U:U", "RRA:LAST:0.5:1:9", UPDATE_NOT_OURS},
	};
	double values[1] = {1};
	struct update_row row = {BEGIN + STEP, values};

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		const char *arguments[] = {kinds[i].source, "RRA:AVERAGE:0.5:1:9", "RRA:MIN:0.5:3:9", kinds[i].archive};
		CU_ASSERT_EQUAL_FATAL(rrd_create_r(ours, STEP, BEGIN, 4, arguments), 0);
		copy();
		CU_ASSERT_EQUAL(update_direct(ours, STEP, 1, &row, 1), kinds[i].result);
		CU_ASSERT_EQUAL(same(ours, theirs), kinds[i].result == UPDATE_NOT_OURS);
	}
	unlink(ours);
	CU_ASSERT_EQUAL(update_direct(ours, 10, 1, &row, 1), UPDATE_NOT_OURS);
	CU_ASSERT_EQUAL(symlink(theirs, ours), 0);
	CU_ASSERT_EQUAL(update_direct(ours, STEP, 1, &row, 1), UPDATE_NOT_OURS);
	unlink(ours);
}

/* Heads that contradict themselves: the file keeps its size and its end, whatever stands in them. */
static void heads_that_lie(void)
{
	static const struct {
		size_t at;
		uint64_t number;
	} lies[] = {{24, 4}, {32, 14}, {40, 20}, {AT_ARCHIVES + 24, UINT64_MAX}, {AT_ARCHIVES + 24, 0}, {AT_ARCHIVES + 24, UINT64_C(1) << 61},
		    {AT_ARCHIVES + 32, 0}, {AT_LIVE, UINT64_MAX}, {AT_LIVE + 8, 1}, {AT_PLACES, 720}, {AT_PLACES, UINT64_MAX}, {0, 0}, {16, 0}};
	double values[3] = {1, 2, 3};
	struct update_row row = {BEGIN + 10, values};
	size_t size, now;

	for (size_t i = 0; i < COUNT_OF(lies); i++) {
		make(ours, 10, 3);
		put(ours, lies[i].at, &lies[i].number, sizeof lies[i].number);
		CU_ASSERT_EQUAL(update_direct(ours, 10, 3, &row, 1), UPDATE_NOT_OURS);
	}
	/* two archives whose rows are right together only */
	make(ours, 10, 3);
	free(content(ours, &size));
	uint64_t more = UINT64_MAX - 1000, less = 720 + 1440 + 1001;
	put(ours, AT_ARCHIVES + 24, &more, 8);
	put(ours, AT_ARCHIVES + 120 + 24, &less, 8);
	CU_ASSERT_EQUAL(update_direct(ours, 10, 3, &row, 1), UPDATE_NOT_OURS);
	for (int i = 0; i < 3000; i++) {
		uint8_t byte = (uint8_t)any(256);

		if (i % 50 == 0) {
			make(ours, 10, 3);
			row.time_s = BEGIN;
		}
		row.time_s += 10;
		put(ours, any(HEAD_OF_3), &byte, 1);
		update_direct(ours, 10, 3, &row, 1);
		free(content(ours, &now));
		CU_ASSERT_EQUAL_FATAL(now, size);
	}
}

/* The size a file may have ends within its archives: rows fail, and the head is the old one. */
static void a_disk_that_fails(void)
{
	double values[3] = {1, 2, 3};
	struct update_row row = {BEGIN + 10, values};
	struct rlimit before, small = {.rlim_cur = HEAD_OF_3, .rlim_max = RLIM_INFINITY};
	size_t n, m;

	make(ours, 10, 3);
	uint8_t *old = content(ours, &n);
	CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &small), 0);
	CU_ASSERT_EQUAL(update_direct(ours, 10, 3, &row, 1), UPDATE_FAILED);
	CU_ASSERT_EQUAL(errno, EFBIG);
	setrlimit(RLIMIT_FSIZE, &before);
	uint8_t *now = content(ours, &m);
	CU_ASSERT_EQUAL_FATAL(n, m);
	CU_ASSERT_EQUAL(memcmp(old, now, n), 0);
	free(old);
	free(now);
	CU_ASSERT_EQUAL(update_direct(ours, 10, 3, &row, 1), UPDATE_DONE);
}

/* What a kill leaves between undo_write() and undo_done() is put back at the next start; an update that ended is not. */
static void a_head_comes_back(void)
{
	double values[3] = {1, 2, 3};
	struct update_row row = {BEGIN + 10, values};
	struct stat st;
	size_t n, m;

	undo_open(directory);
	make(ours, 10, 3);
	uint8_t *old = content(ours, &n);
	CU_ASSERT_EQUAL_FATAL(stat(ours, &st), 0);
	CU_ASSERT_EQUAL(undo_head_size(old, n, st.st_size), HEAD_OF_3);
	undo_prepare(ours, st.st_ino, old, HEAD_OF_3);
	undo_write();
	put(ours, AT_LIVE, "torn by a kill", 14);
	undo_open(directory);
	uint8_t *now = content(ours, &m);
	CU_ASSERT_EQUAL(memcmp(old, now, n), 0);
	free(now);
	CU_ASSERT_EQUAL(update_direct(ours, 10, 3, &row, 1), UPDATE_DONE);
	now = content(ours, &m);
	CU_ASSERT_NOT_EQUAL(memcmp(old, now, n), 0);
	undo_open(directory); /* nothing is left to put back */
	uint8_t *then = content(ours, &m);
	CU_ASSERT_EQUAL(memcmp(now, then, n), 0);
	undo_close();
	free(old);
	free(now);
	free(then);
}

/* undo_now(): a head that was written in part only. */
static void a_head_is_put_back_at_once(void)
{
	size_t n, m;
	struct stat st;

	undo_open(directory);
	make(ours, 10, 3);
	uint8_t *old = content(ours, &n);
	CU_ASSERT_EQUAL_FATAL(stat(ours, &st), 0);
	undo_prepare(ours, st.st_ino, old, HEAD_OF_3);
	undo_write();
	put(ours, AT_LIVE, "half", 4);
	int fd = open(ours, O_RDWR | O_CLOEXEC), read_only = open(ours, O_RDONLY | O_CLOEXEC);
	CU_ASSERT_FALSE(undo_now(read_only));
	CU_ASSERT_TRUE(undo_now(fd));
	uint8_t *now = content(ours, &m);
	CU_ASSERT_EQUAL(memcmp(old, now, n), 0);
	undo_close();
	CU_ASSERT_FALSE(undo_now(fd));
	close(fd);
	close(read_only);
	free(old);
	free(now);
}

static const struct unit_test tests[] = {
    {"the bytes are librrd's", the_bytes_are_librrds},
    {"after a gap, by librrd", after_a_gap_by_library},
    {"rows that do not follow", rows_that_do_not_follow},
    {"files of another kind", files_of_another_kind},
    {"heads that lie", heads_that_lie},
    {"a disk that fails", a_disk_that_fails},
    {"a head comes back", a_head_comes_back},
    {"a head is put back at once", a_head_is_put_back_at_once},
};

int main(void)
{
	char undo[64];

	if (!mkdtemp(directory))
		return 1;
	text_format(ours, sizeof ours, "%s/ours", directory);
	text_format(theirs, sizeof theirs, "%s/theirs", directory);
	text_format(undo, sizeof undo, "%s/undo", directory);
	int status = unit_run("rrd update", tests, COUNT_OF(tests));
	unlink(undo);
	unlink(ours);
	unlink(theirs);
	rmdir(directory);
	return status;
}
