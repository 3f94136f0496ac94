/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recorder threads on real files: values land where they belong, also after kill -9, in files of other shape, and
 * around a full disk. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <poll.h>
#include <rrd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "rrd/layout.h"
#include "rrd/recorder.h"
#include "tests/unit/unit.h"

#define BEGIN 1700000000 /* a multiple of 10 and more */
#define DEADLINE_MS 20000

static char directory[64], rrd_path[80], journal_path[80];
static int wake_pipe[2];

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st, (void)kind, (void)walk;
	return remove(path);
}

static void clean(void)
{
	if (directory[0])
		nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	directory[0] = 0;
}

static void fresh(void)
{
	clean();
	text_copy(directory, sizeof directory, "/tmp/glory-test-recorder-XXXXXX");
	if (!mkdtemp(directory))
		abort();
	text_format(rrd_path, sizeof rrd_path, "%s/rrd", directory);
	text_format(journal_path, sizeof journal_path, "%s/journal", directory);
}

static void wake(void *arg)
{
	(void)arg;
	if (write(wake_pipe[1], "", 1) != 1)
		abort();
}

static struct recorder *begin(uint64_t reserve_bytes)
{
	struct recorder_setup setup = {.rrd = rrd_path,
				       .journal = journal_path,
				       .reserve_bytes = reserve_bytes,
				       .memory_bytes = 64 << 20,
				       .wake = wake};

	if (!wake_pipe[0] && pipe(wake_pipe) != 0)
		abort();
	return recorder_start(&setup);
}

static void end(struct recorder *r)
{
	recorder_stop(r, clock_mono_ms() + DEADLINE_MS);
}

/* Waits for an event of the kind. False when none came in time. */
static bool await(struct recorder *r, enum recorder_event_kind kind)
{
	int64_t until = clock_mono_ms() + DEADLINE_MS;

	for (;;) {
		struct recorder_event e;
		struct pollfd p = {.fd = wake_pipe[0], .events = POLLIN};
		char byte;

		while ((e = recorder_event(r)).kind != RECORDER_NOTHING) {
			if (e.kind == kind)
				return true;
		}
		int64_t left = until - clock_mono_ms();
		if (left <= 0 || poll(&p, 1, (int)left) <= 0 || read(wake_pipe[0], &byte, 1) != 1)
			return false;
	}
}

static struct msg_series series(uint32_t id, const char *node, uint16_t count)
{
	struct msg_series m = {.series = id, .slot = id, .step_s = 10, .count = count};

	text_copy(m.site, sizeof m.site, "s");
	text_copy(m.group, sizeof m.group, "g");
	text_copy(m.node, sizeof m.node, node);
	text_copy(m.source, sizeof m.source, "snmp");
	text_copy(m.file, sizeof m.file, "base");
	for (uint16_t i = 0; i < count; i++)
		text_format(m.names[i], sizeof m.names[i], "ds%u", i);
	return m;
}

struct batch {
	uint8_t *rows;
	size_t bytes;
};

static void row(struct batch *b, uint32_t id, int64_t time_s, uint32_t count, double value)
{
	size_t bytes = sizeof(struct ring_row) + count * sizeof(double);

	b->rows = mem_grow(b->rows, b->bytes + bytes, 1);
	struct ring_row *r = (void *)(b->rows + b->bytes);
	*r = (struct ring_row){.series = id, .count = count, .time_s = time_s};
	for (uint32_t i = 0; i < count; i++)
		r->values[i] = value + i;
	b->bytes += bytes;
}

static void hand_over(struct recorder *r, struct batch *b)
{
	recorder_batch(r, b->rows, b->bytes);
	*b = (struct batch){NULL, 0};
	CU_ASSERT_TRUE(await(r, RECORDER_BATCH_SAFE));
}

static bool flush(struct recorder *r, uint32_t slot)
{
	recorder_flush(r, 77, slot);
	return await(r, RECORDER_FLUSHED);
}

/* The 10 s averages of a source in (from, to]; how many are finite, their sum in *sum. -1: no file. */
static int fetch(const char *node, unsigned source, int64_t from, int64_t to, double *sum)
{
	char path[256];
	time_t start = from, stop = to;
	unsigned long step = 10, count;
	char **names;
	rrd_value_t *data;
	int finite = 0;

	*sum = 0;
	text_format(path, sizeof path, "%s/s/g/%s/snmp/base.rrd", rrd_path, node);
	if (rrd_fetch_r(path, "AVERAGE", &start, &stop, &step, &count, &names, &data) != 0) {
		rrd_clear_error();
		return -1;
	}
	CU_ASSERT_EQUAL(step, 10);
	for (time_t t = start + 10; t <= to; t += 10) {
		double v = data[(size_t)(t - start - 10) / 10 * count + source];
		if (isfinite(v)) {
			finite++;
			*sum += v;
		}
	}
	for (unsigned long i = 0; i < count; i++)
		rrd_freemem(names[i]);
	rrd_freemem(names);
	rrd_freemem(data);
	return finite;
}

static void values_land_right(void)
{
	struct batch b = {NULL, 0};
	struct msg_series m = series(5, "n001", 20);
	double sum;

	fresh();
	struct recorder *r = begin(0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	CU_ASSERT_TRUE(recorder_series(r, &m));
	for (int i = 1; i <= 100; i++)
		row(&b, 5, BEGIN + i * 10, 20, i == 50 ? (double)NAN : i);
	row(&b, 5, BEGIN + 500, 20, 1e9); /* older than the one before: left out */
	row(&b, 6, BEGIN + 500, 20, 1);   /* of nobody */
	row(&b, 5, BEGIN + 5000, 3, 1);   /* of another size */
	hand_over(r, &b);
	CU_ASSERT_TRUE(flush(r, 5));
	CU_ASSERT_EQUAL(fetch("n001", 0, BEGIN, BEGIN + 1000, &sum), 99);
	CU_ASSERT_DOUBLE_EQUAL(sum, 5050 - 50, 1e-6);
	CU_ASSERT_EQUAL(fetch("n001", 19, BEGIN, BEGIN + 1000, &sum), 99);
	CU_ASSERT_DOUBLE_EQUAL(sum, 5000 + 99 * 19, 1e-6);
	row(&b, 5, BEGIN + 1010, 20, 7); /* the file is there now */
	row(&b, 5, BEGIN + 1030, 20, 9); /* and the row between stays unknown */
	hand_over(r, &b);
	CU_ASSERT_TRUE(flush(r, 5));
	CU_ASSERT_EQUAL(fetch("n001", 0, BEGIN + 1000, BEGIN + 1030, &sum), 2);
	CU_ASSERT_DOUBLE_EQUAL(sum, 16, 1e-6);
	struct recorder_stats st;
	recorder_stats(r, &st);
	CU_ASSERT_EQUAL(st.writer.rows_written, 102);
	CU_ASSERT_EQUAL(st.writer.files_made, 1);
	CU_ASSERT_EQUAL(st.rows_unknown, 2);
	CU_ASSERT_EQUAL(st.rows_old, 1);
	CU_ASSERT_EQUAL(st.rows_waiting, 0);
	CU_ASSERT_EQUAL(st.writer.disk, DISK_WELL);
	end(r);
}

static void the_tree_is_readable_to_the_group(void)
{
	char path[200];
	struct stat st;

	text_format(path, sizeof path, "%s/s/g/n001/snmp/base.rrd", rrd_path);
	CU_ASSERT_EQUAL_FATAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0440, 0440);
	*strrchr(path, '/') = 0;
	CU_ASSERT_EQUAL_FATAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0750);
}

static void flush_of_nobody_is_answered(void)
{
	fresh();
	struct recorder *r = begin(0);
	CU_ASSERT_TRUE(flush(r, 1234));
	end(r);
}

static void bad_series_are_refused(void)
{
	struct msg_series good = series(1, "n", 2), m;

	fresh();
	struct recorder *r = begin(0);
	m = good;
	m.count = 0;
	CU_ASSERT_FALSE(recorder_series(r, &m));
	m.count = SERIES_DS_MAX + 1;
	CU_ASSERT_FALSE(recorder_series(r, &m));
	m = good;
	m.step_s = 0;
	CU_ASSERT_FALSE(recorder_series(r, &m));
	m.step_s = 7;
	m.count = 1;
	memset(m.names[0], 'x', sizeof m.names[0]);
	CU_ASSERT_FALSE(recorder_series(r, &m));
	m = good;
	memset(m.node, 'n', sizeof m.node);
	CU_ASSERT_FALSE(recorder_series(r, &m));
	m = good;
	text_copy(m.source, sizeof m.source, "../..");
	CU_ASSERT_FALSE(recorder_series(r, &m));
	CU_ASSERT_TRUE(recorder_series(r, &good));
	end(r);
}

static void stop_writes_what_waits(void)
{
	struct batch b = {NULL, 0};
	double sum;
	int missing = 0;

	fresh();
	struct recorder *r = begin(0);
	for (uint32_t id = 0; id < 40; id++) {
		char node[16];
		text_format(node, sizeof node, "n%03u", id);
		struct msg_series m = series(id, node, 3);
		recorder_series(r, &m);
		for (int i = 1; i <= 30; i++)
			row(&b, id, BEGIN + i * 10, 3, id);
	}
	hand_over(r, &b);
	end(r);
	for (uint32_t id = 0; id < 40; id++) {
		char node[16];
		text_format(node, sizeof node, "n%03u", id);
		missing += fetch(node, 2, BEGIN, BEGIN + 300, &sum) != 30 || fabs(sum - 30.0 * (id + 2)) > 1e-6;
	}
	CU_ASSERT_EQUAL(missing, 0);
}

/* Sends rows for three nodes until killed; tells the last time whose batch was safe. */
static void record_until_killed(int out)
{
	struct recorder *r = begin(0);

	for (uint32_t id = 0; id < 3; id++) {
		char node[16];
		text_format(node, sizeof node, "n%u", id);
		struct msg_series m = series(id, node, 5);
		recorder_series(r, &m);
	}
	for (int64_t i = 1;; i++) {
		if (i == 700) /* the finest archive holds 720 */
			pause();
		struct batch b = {NULL, 0};

		for (uint32_t id = 0; id < 3; id++)
			row(&b, id, BEGIN + i * 10, 5, (double)i);
		recorder_batch(r, b.rows, b.bytes);
		if (!await(r, RECORDER_BATCH_SAFE) || write(out, &i, sizeof i) != sizeof i)
			_exit(1);
		if (i % 17 == 0)
			recorder_flush(r, 1, (uint32_t)(i % 3));
	}
}

static void kill_9_loses_no_safe_row(void)
{
	for (int round = 0; round < 4; round++) {
		int ends[2], status;
		int64_t last = 0, i;
		double sum;

		fresh();
		CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
		pid_t child = fork();
		if (child == 0) {
			wake_pipe[0] = 0; /* a pipe of its own */
			record_until_killed(ends[1]);
		}
		close(ends[1]);
		while (last < 60 + round * 31 && read(ends[0], &i, sizeof i) == sizeof i)
			last = i;
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		while (read(ends[0], &i, sizeof i) == sizeof i)
			last = i;
		close(ends[0]);
		struct recorder *r = begin(0); /* replays, nobody describes the series again */
		end(r);
		for (uint32_t id = 0; id < 3; id++) {
			char node[16];
			text_format(node, sizeof node, "n%u", id);
			CU_ASSERT_EQUAL(fetch(node, 0, BEGIN, BEGIN + last * 10, &sum), (int)last);
			CU_ASSERT_DOUBLE_EQUAL(sum, (double)(last * (last + 1)) / 2, 1e-6);
		}
	}
}

static void a_file_of_another_shape_gets_what_it_has(void)
{
	struct batch b = {NULL, 0};
	struct msg_series m = series(1, "n1", 3);
	double sum;

	fresh();
	struct recorder *r = begin(0);
	recorder_series(r, &m);
	row(&b, 1, BEGIN + 10, 3, 1);
	hand_over(r, &b);
	CU_ASSERT_TRUE(flush(r, 1));
	text_copy(m.names[0], sizeof m.names[0], "ds2"); /* other order, and one that is new */
	text_copy(m.names[1], sizeof m.names[1], "fresh");
	text_copy(m.names[2], sizeof m.names[2], "ds0");
	recorder_series(r, &m);
	row(&b, 1, BEGIN + 20, 3, 10);
	hand_over(r, &b);
	CU_ASSERT_TRUE(flush(r, 1));
	CU_ASSERT_EQUAL(fetch("n1", 0, BEGIN + 10, BEGIN + 20, &sum), 1);
	CU_ASSERT_DOUBLE_EQUAL(sum, 12, 1e-9);
	CU_ASSERT_EQUAL(fetch("n1", 1, BEGIN + 10, BEGIN + 20, &sum), 0);
	CU_ASSERT_EQUAL(fetch("n1", 2, BEGIN + 10, BEGIN + 20, &sum), 1);
	CU_ASSERT_DOUBLE_EQUAL(sum, 10, 1e-9);
	end(r);
}

static void what_is_no_rrd_is_moved_aside(void)
{
	struct batch b = {NULL, 0};
	struct msg_series m = series(1, "n1", 2);
	char path[200], aside[220];
	double sum;

	fresh();
	struct recorder *r = begin(0);
	recorder_series(r, &m);
	row(&b, 1, BEGIN + 10, 2, 1);
	hand_over(r, &b);
	flush(r, 1);
	end(r);
	text_format(path, sizeof path, "%s/s/g/n1/snmp/base.rrd", rrd_path);
	text_format(aside, sizeof aside, "%s.aside", path);
	int fd = open(path, O_RDWR);
	CU_ASSERT_EQUAL(write(fd, "rubbish", 7), 7);
	close(fd);
	r = begin(0);
	recorder_series(r, &m);
	row(&b, 1, BEGIN + 20, 2, 5);
	hand_over(r, &b);
	CU_ASSERT_TRUE(flush(r, 1));
	CU_ASSERT_EQUAL(fetch("n1", 0, BEGIN + 10, BEGIN + 20, &sum), 1);
	CU_ASSERT_DOUBLE_EQUAL(sum, 5, 1e-9);
	CU_ASSERT_EQUAL(access(aside, F_OK), 0);
	end(r);
}

/* On a tmpfs of 6 MiB in a mount namespace of its own. Exit code: what went wrong, 0 nothing. */
static int on_a_small_disk(void)
{
	struct batch b = {NULL, 0};
	struct recorder_stats st;
	double sum;
	char filler[100];

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("small", directory, "tmpfs", 0, "size=6m"))
		return 77;
	wake_pipe[0] = 0;
	struct recorder *r = begin(1 << 20);
	for (uint32_t id = 0; id < 60; id++) { /* of about 120 kB each: not all have room */
		char node[16];
		text_format(node, sizeof node, "n%03u", id);
		struct msg_series m = series(id, node, 1);
		recorder_series(r, &m);
		row(&b, id, BEGIN + 10, 1, id);
	}
	hand_over(r, &b);
	for (uint32_t id = 0; id < 60; id++)
		flush(r, id);
	recorder_stats(r, &st);
	if (st.writer.disk != DISK_FULL || st.writer.files_made == 0 || st.writer.files_waiting == 0 ||
	    !st.writer.trouble[0])
		return 1;
	if (st.writer.files_made + st.writer.files_waiting != 60 || st.rows_waiting != st.writer.files_waiting)
		return 2; /* rows of files that could not be made wait */
	text_format(filler, sizeof filler, "%s/filler", directory);
	int fd = open(filler, O_RDWR | O_CREAT, 0600);
	static char block[4096];
	while (write(fd, block, sizeof block) > 0)
		;
	for (int k = 0; k < 200; k++) /* the journal cannot grow now; files that exist still take rows */
		for (uint32_t id = 0; id < 60; id++)
			row(&b, id, BEGIN + 20 + k * 10, 1, id);
	hand_over(r, &b);
	if (!flush(r, 0) || fetch("n000", 0, BEGIN, BEGIN + 2010, &sum) != 201)
		return 3;
	recorder_stats(r, &st);
	if (!st.journal_failing)
		return 4;
	close(fd);
	unlink(filler);
	if (mount(NULL, directory, NULL, MS_REMOUNT, "size=64m"))
		return 5;
	int64_t until = clock_mono_ms() + DEADLINE_MS;
	do { /* room again: all comes back by itself */
		for (uint32_t id = 0; id < 60; id++)
			flush(r, id);
		recorder_stats(r, &st);
	} while ((st.journal_failing || st.writer.disk != DISK_WELL || st.writer.files_waiting) &&
		 clock_mono_ms() < until);
	if (st.journal_failing || st.writer.disk != DISK_WELL || st.rows_waiting || st.rows_dropped)
		return 6;
	end(r);
	return fetch("n059", 0, BEGIN, BEGIN + 2010, &sum) == 201 && fabs(sum - 59.0 * 201) < 1e-6 ? 0 : 7;
}

static void a_full_disk_stops_new_files_first(void)
{
	int status;

	fresh();
	pid_t child = fork();
	if (child == 0)
		_exit(on_a_small_disk());
	waitpid(child, &status, 0);
	CU_ASSERT_TRUE_FATAL(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		printf(" skipped: no right to make a mount namespace ");
	else
		CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
	clean();
}

static void rounds_grow_with_the_site(void)
{
	CU_ASSERT_EQUAL(writer_round_ms(0), 60000);
	CU_ASSERT_EQUAL(writer_round_ms(48), 60000);
	CU_ASSERT_EQUAL(writer_round_ms(3000), 150000);
	CU_ASSERT_EQUAL(writer_round_ms(10000), 300000);
	CU_ASSERT_EQUAL(writer_round_ms(60000), 300000);
	CU_ASSERT_EQUAL(writer_round_ms(90000), 450000);
	CU_ASSERT_EQUAL(writer_round_ms(1000000), 600000);
}

static void memory_has_a_limit(void)
{
	struct cache *c = cache_new(40 * 10); /* ten rows of three values */
	struct series_definition d = {
	    .slot = 1, .step_s = 10, .count = 3, .path = "a/b/c/d/e.rrd", .names = {"x", "y", "z"}};
	struct series *s = cache_series(c, &d);
	double v[3] = {0, 0, 0};

	for (int64_t t = 1; t <= 15; t++) {
		v[0] = (double)t;
		CU_ASSERT_TRUE(cache_put(c, s, t, (uint32_t)(t <= 5 ? 1 : 2), v, t));
	}
	CU_ASSERT_EQUAL(c->rows_waiting, 10);
	CU_ASSERT_EQUAL(c->rows_dropped, 5);
	CU_ASSERT_EQUAL(s->waiting.rows[0].time_s, 6);
	CU_ASSERT_EQUAL(s->waiting.values[0], 6);
	CU_ASSERT_EQUAL(cache_segment_waiting(c, 1), 0);
	CU_ASSERT_EQUAL(cache_segment_waiting(c, 2), 10);
	struct row_block b = cache_take(c, s);
	CU_ASSERT_PTR_NULL(cache_first(c));
	v[0] = 16;
	cache_done(c, s, &b, 4, 99);
	CU_ASSERT_TRUE(cache_put(c, s, 16, 2, v, 1));
	CU_ASSERT_EQUAL(s->waiting.count, 7);
	CU_ASSERT_EQUAL(s->waiting.rows[0].time_s, 10);
	CU_ASSERT_EQUAL(s->waiting.values[3 * 6], 16);
	CU_ASSERT_EQUAL(cache_first(c)->due_ms, 99);
	cache_free(c);
}

/* Ids that share a place, that move to another series and that nobody has. */
static void ids_find_their_series(void)
{
	struct cache *c = cache_new(1 << 20);
	struct series_definition d = {.step_s = 10, .count = 1, .names = {"x"}};
	struct series *all[100];

	CU_ASSERT_PTR_NULL(cache_find(c, 0));
	for (uint32_t i = 0; i < 100; i++) {
		text_format(d.path, sizeof d.path, "a/b/c/d/e%u.rrd", i);
		all[i] = cache_series(c, &d);
		cache_bind(c, all[i], i % 2 ? i : i << 20);
	}
	for (int turn = 0; turn < 2; turn++)
		for (uint32_t i = 0; i < 100; i++)
			CU_ASSERT_PTR_EQUAL(cache_find(c, i % 2 ? i : i << 20), all[i]);
	CU_ASSERT_PTR_NULL(cache_find(c, 2));
	cache_bind(c, all[5], 7); /* 7's series has none now, and 5 is nobody's */
	CU_ASSERT_PTR_EQUAL(cache_find(c, 7), all[5]);
	CU_ASSERT_PTR_NULL(cache_find(c, 5));
	cache_bind(c, all[7], 5);
	CU_ASSERT_PTR_EQUAL(cache_find(c, 5), all[7]);
	CU_ASSERT_PTR_EQUAL(cache_find(c, 7), all[5]);
	cache_free(c);
}

static void the_heap_gives_the_earliest(void)
{
	struct cache *c = cache_new(1 << 20);
	struct series_definition d = {.step_s = 10, .count = 1, .names = {"x"}};
	double v = 1;
	int64_t last = -1;
	int wrong = 0;

	srandom(7);
	for (int i = 0; i < 500; i++) {
		text_format(d.path, sizeof d.path, "a/b/c/d/e%d.rrd", i);
		cache_put(c, cache_series(c, &d), 1, 1, &v, random() % 1000);
	}
	for (int i = 0; i < 500; i++)
		cache_due(c, c->all[random() % 500], random() % 1000);
	for (struct series *s; (s = cache_first(c)); last = s->due_ms) {
		wrong += s->due_ms < last;
		struct row_block b = cache_take(c, s);
		cache_done(c, s, &b, b.count, 0);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(c->rows_waiting, 0);
	CU_ASSERT_EQUAL(c->bytes, 0);
	cache_free(c);
}

static const struct unit_test tests[] = {
    {"memory has a limit", memory_has_a_limit},
    {"ids find their series", ids_find_their_series},
    {"the heap gives the earliest", the_heap_gives_the_earliest},
    {"rounds grow with the site", rounds_grow_with_the_site},
    {"values land right", values_land_right},
    {"the tree is readable to the group", the_tree_is_readable_to_the_group},
    {"flush of nobody is answered", flush_of_nobody_is_answered},
    {"bad series are refused", bad_series_are_refused},
    {"stop writes what waits", stop_writes_what_waits},
    {"kill -9 loses no safe row", kill_9_loses_no_safe_row},
    {"a file of another shape gets what it has", a_file_of_another_shape_gets_what_it_has},
    {"what is no rrd is moved aside", what_is_no_rrd_is_moved_aside},
    {"a full disk stops new files first", a_full_disk_stops_new_files_first},
};

int main(void)
{
	umask(027); /* as every role has it */
	return unit_run("recorder", tests, COUNT_OF(tests));
}
