/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The journal: what was committed comes back whole after kill -9, what is broken is cut and kept aside, segments go
 * when their rows are written. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "tests/unit/unit.h"

#include "../../rrd/journal.c"

static char directory[64];

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st, (void)kind, (void)walk;
	return remove(path);
}

static void fresh(void)
{
	if (directory[0])
		nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	text_copy(directory, sizeof directory, "/tmp/glory-test-journal-XXXXXX");
	if (!mkdtemp(directory))
		abort();
}

static struct series_definition definition(unsigned number, uint16_t count)
{
	struct series_definition d = {.slot = number, .step_s = 10, .count = count};

	text_format(d.path, sizeof d.path, "s/g/n%03u/snmp/base.rrd", number);
	for (uint16_t i = 0; i < count; i++)
		text_format(d.names[i], sizeof d.names[i], "ds%u", i);
	return d;
}

static void add_row(struct journal *j, uint32_t number, int64_t time_s, uint32_t count)
{
	union {
		struct ring_row row;
		uint8_t room[sizeof(struct ring_row) + SERIES_DS_MAX * 8];
	} u = {.row = {.series = 999, .count = count, .time_s = time_s}};

	for (uint32_t i = 0; i < count; i++)
		u.row.values[i] = (double)time_s + i;
	journal_add_row(j, number, &u.row);
}

struct seen {
	uint64_t series, rows, wrong;
	int64_t last_s;
};

static void on_series(void *arg, uint32_t number, const struct series_definition *d)
{
	struct seen *s = arg;
	struct series_definition expected = definition(number, d->count);

	s->series++;
	s->wrong += memcmp(&expected, d, sizeof expected) != 0;
}

static void on_row(void *arg, uint32_t segment, const struct ring_row *row)
{
	struct seen *s = arg;

	s->rows++;
	s->last_s = row->time_s;
	s->wrong += segment == 0;
	for (uint32_t i = 0; i < row->count; i++)
		s->wrong += row->values[i] != (double)row->time_s + i;
}

static struct seen read_all(void)
{
	struct seen s = {.series = 0};
	struct journal_reader reader = {on_series, on_row, &s};
	struct journal *j = journal_open(directory);

	while (journal_replay(j, &reader))
		;
	journal_close(j);
	return s;
}

static void what_was_committed_comes_back(void)
{
	fresh();
	struct journal *j = journal_open(directory);
	journal_turn(j, 1000);
	CU_ASSERT_EQUAL(journal_segment(j), 1);
	for (unsigned n = 0; n < 10; n++) {
		struct series_definition d = definition(n, (uint16_t)(n + 1));
		journal_add_series(j, n, &d);
		for (int64_t t = 0; t < 50; t++)
			add_row(j, n, t * 10, n + 1);
	}
	CU_ASSERT_EQUAL(journal_commit(j), 0);
	CU_ASSERT_EQUAL(journal_sync(j), 0);
	add_row(j, 3, 12345, 4); /* never committed */
	journal_close(j);
	struct seen s = read_all();
	CU_ASSERT_EQUAL(s.series, 10);
	CU_ASSERT_EQUAL(s.rows, 500);
	CU_ASSERT_EQUAL(s.wrong, 0);
}

static void write_until_killed(int ready)
{
	struct journal *j = journal_open(directory);
	struct series_definition d = definition(1, 20);

	journal_turn(j, 1);
	journal_add_series(j, 1, &d);
	for (int64_t t = 1;; t++) {
		for (int i = 0; i < 20; i++)
			add_row(j, 1, t * 20 + i, 20);
		if (journal_commit(j) != 0 || write(ready, &t, sizeof t) != sizeof t)
			_exit(1);
	}
}

static void kill_9_loses_nothing_that_was_committed(void)
{
	for (int round = 0; round < 10; round++) {
		int ends[2], status;
		int64_t last = 0, t;

		fresh();
		CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
		pid_t child = fork();
		if (child == 0)
			write_until_killed(ends[1]);
		close(ends[1]);
		while (last < 20 + round * 37 && read(ends[0], &t, sizeof t) == sizeof t)
			last = t;
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		while (read(ends[0], &t, sizeof t) == sizeof t)
			last = t;
		close(ends[0]);
		struct seen s = read_all();
		CU_ASSERT_EQUAL(s.wrong, 0);
		CU_ASSERT(s.last_s >= last * 20 + 19);
		CU_ASSERT(s.rows >= (uint64_t)last * 20);
	}
}

static void a_broken_tail_is_cut_and_kept(void)
{
	char path[128], aside[160];
	struct stat st;

	fresh();
	struct journal *j = journal_open(directory);
	struct series_definition d = definition(1, 2);
	journal_turn(j, 1);
	journal_add_series(j, 1, &d);
	for (int i = 0; i < 10; i++)
		add_row(j, 1, i, 2);
	journal_commit(j);
	journal_close(j);
	text_format(path, sizeof path, "%s/rows-00000001.journal", directory);
	stat(path, &st);
	CU_ASSERT_EQUAL(truncate(path, st.st_size - 3), 0);
	struct seen s = read_all();
	CU_ASSERT_EQUAL(s.wrong, 0);
	CU_ASSERT_EQUAL(s.rows, 9);
	struct stat after, kept;
	text_format(aside, sizeof aside, "%s.bad", path);
	CU_ASSERT_EQUAL_FATAL(stat(path, &after), 0);
	CU_ASSERT_EQUAL_FATAL(stat(aside, &kept), 0);
	CU_ASSERT_EQUAL(after.st_size + kept.st_size, st.st_size - 3);
	CU_ASSERT_EQUAL(read_all().rows, 9); /* now there is nothing to cut */
	int fd = open(path, O_RDWR);
	CU_ASSERT_EQUAL(pwrite(fd, "\xff", 1, after.st_size - 1), 1); /* a byte of the last value */
	close(fd);
	CU_ASSERT_EQUAL(read_all().rows, 8);
}

static void every_wrong_byte_is_noticed(void)
{
	uint8_t bytes[4096];
	uint64_t rows_whole;

	fresh();
	struct journal *j = journal_open(directory);
	struct series_definition d = definition(1, 3);
	journal_turn(j, 1);
	journal_add_series(j, 1, &d);
	for (int i = 0; i < 5; i++)
		add_row(j, 1, i, 3);
	size_t size = j->pending_size;
	CU_ASSERT_FATAL(size <= sizeof bytes);
	memcpy(bytes, j->pending, size);
	journal_close(j);
	struct seen s = {.series = 0};
	struct journal_reader reader = {on_series, on_row, &s};
	CU_ASSERT_EQUAL(journal_read(bytes, size, 1, &reader), size);
	rows_whole = s.rows;
	CU_ASSERT_EQUAL(rows_whole, 5);
	unsigned unnoticed = 0;
	for (size_t i = 0; i < size; i++) {
		s = (struct seen){.series = 0};
		bytes[i] ^= 0x41;
		size_t good = journal_read(bytes, size, 1, &reader);
		bytes[i] ^= 0x41;
		unnoticed += good == size;
		CU_ASSERT_EQUAL(s.wrong, 0);
	}
	CU_ASSERT_EQUAL(unnoticed, 2 * 7); /* the two unused bytes in the head of each of seven records */
}

static uint64_t waiting_now;
static unsigned forgotten;

static uint64_t waiting(void *arg, uint32_t segment)
{
	(void)arg, (void)segment;
	return waiting_now;
}

static void forget(void *arg, uint32_t segment)
{
	(void)arg, (void)segment;
	forgotten++;
}

static void segments_go_a_minute_after_their_rows(void)
{
	fresh();
	struct journal *j = journal_open(directory);
	struct series_definition d = definition(1, 2);
	int64_t now = 1000;

	forgotten = 0;
	for (int i = 0; i < 3; i++, now += JOURNAL_SEGMENT_MS) {
		journal_turn(j, now);
		journal_add_series(j, 1, &d);
		add_row(j, 1, i, 2);
		journal_commit(j);
	}
	CU_ASSERT_EQUAL(journal_segments(j), 3);
	waiting_now = 1;
	journal_reap(j, now, waiting, forget, NULL);
	journal_reap(j, now + 100000, waiting, forget, NULL);
	CU_ASSERT_EQUAL(journal_segments(j), 3);
	waiting_now = 0;
	now += 200000;
	journal_reap(j, now, waiting, forget, NULL);
	journal_reap(j, now + IDLE_MS - 1, waiting, forget, NULL);
	CU_ASSERT_EQUAL(journal_segments(j), 3);
	journal_reap(j, now + IDLE_MS, waiting, forget, NULL);
	CU_ASSERT_EQUAL(journal_segments(j), 1); /* the one being written stays */
	CU_ASSERT_EQUAL(forgotten, 2);
	journal_close(j);
	CU_ASSERT_EQUAL(read_all().rows, 1);
	nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	directory[0] = 0;
}

static size_t put_record(uint8_t *out, enum record_kind kind, const void *body, size_t length)
{
	struct record r = {.magic = MAGIC, .kind = (uint16_t)kind, .length = (uint32_t)length};

	r.check = check_of(VERSION_WIDE, &r, body);
	memcpy(out, &r, sizeof r);
	memcpy(out + sizeof r, body, length);
	return sizeof r + length;
}

/* A segment as the first version wrote it; 0 for the version: as nobody did. Returns its size. */
static size_t old_segment(uint8_t *out, uint32_t version)
{
	struct head_body head = {.segment = 1, .version = version};
	struct series_definition d = definition(4, 3);
	struct {
		struct series_body body;
		char path[NAMES_PATH_SIZE], names[64];
	} series = {.body = {.number = 4, .slot = 4, .step_s = 10, .count = 3}};
	struct {
		struct ring_row row;
		double values[3];
	} row = {.row = {.series = 4, .count = 3, .time_s = 50}, .values = {50, 51, 52}};
	size_t used = put_record(out, RECORD_HEAD, &head, sizeof head);

	text_copy(series.path, sizeof series.path, d.path);
	memcpy(series.names, d.names, 60);
	used += put_record(out + used, RECORD_SERIES, &series, sizeof series);
	return used + put_record(out + used, RECORD_ROW, &row, sizeof row);
}

static void the_first_version_is_still_read(void)
{
	static uint8_t bytes[4096];
	struct seen s = {.series = 0};
	struct journal_reader reader = {on_series, on_row, &s};
	size_t size = old_segment(bytes, VERSION_WIDE);

	CU_ASSERT_EQUAL(journal_read(bytes, size, 1, &reader), size);
	CU_ASSERT_EQUAL(s.series, 1);
	CU_ASSERT_EQUAL(s.rows, 1);
	CU_ASSERT_EQUAL(s.wrong, 0);
	CU_ASSERT_EQUAL(s.last_s, 50);
	/* and takes the other's records for none */
	size = old_segment(bytes, VERSION);
	CU_ASSERT_EQUAL(journal_read(bytes, size, 1, &reader), (size_t)HEAD_BYTES);
	size = old_segment(bytes, VERSION + 1);
	CU_ASSERT_EQUAL(journal_read(bytes, size, 1, &reader), 0);
	CU_ASSERT_EQUAL(s.rows, 1);
}

static const struct unit_test tests[] = {
    {"what was committed comes back", what_was_committed_comes_back},
    {"kill -9 loses nothing that was committed", kill_9_loses_nothing_that_was_committed},
    {"a broken tail is cut and kept", a_broken_tail_is_cut_and_kept},
    {"every wrong byte is noticed", every_wrong_byte_is_noticed},
    {"the first version is still read", the_first_version_is_still_read},
    {"segments go a minute after their rows", segments_go_a_minute_after_their_rows},
};

UNIT_MAIN("journal", tests)
