/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hours and days in a real file: added up, merged after a restart, made into days, let go when they are old; a full disk gives up the oldest
 * hours first; a damaged file is kept aside. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/summaries.c"

#include "engine/history.h"
#include "tests/unit/unit.h"

#define DAY INT64_C(20000) /* 2024-10-04 */
#define START (DAY * HISTORY_DAY_S)

static char directory[64], path[128];
static struct summaries_db db;

static void begin(void)
{
	text_copy(directory, sizeof directory, "/tmp/glory-test-history-XXXXXX");
	if (!mkdtemp(directory))
		abort();
	text_format(path, sizeof path, "%s/stats.db", directory);
	memset(&db, 0, sizeof db);
	text_copy(db.path, sizeof db.path, path);
	open_db(&db);
	CU_ASSERT_PTR_NOT_NULL_FATAL(db.db);
}

static void again(void)
{
	close_db(&db);
	open_db(&db);
}

static void end(void)
{
	static const char *const tails[] = {"", "-wal", "-journal", ".reserve", ".corrupt-1", ".corrupt-1-wal"};
	char name[200];

	close_db(&db);
	for (size_t i = 0; i < COUNT_OF(tails); i++) {
		text_format(name, sizeof name, "%s%s", path, tails[i]);
		unlink(name);
	}
	CU_ASSERT_EQUAL(rmdir(directory), 0);
}

/* Nodes n1 to n4 in two groups, up the whole hour but n3, which was lost for six minutes; cpu rises from node to node. */
static void fill_hour(struct history_batch *b, int64_t hour_s)
{
	static const char *const names[] = {"n1", "n3", "n2", "n4"}, *const groups[] = {"g1", "g2", "g1", "g2"};

	*b = (struct history_batch){.hour_s = hour_s};
	for (unsigned i = 0; i < 4; i++) {
		struct history_entry *e = history_add(b, names[i], groups[i]);
		e->summary.ms[VERDICT_UP] = i == 1 ? 3240000 : 3600000;
		e->summary.ms[VERDICT_OS_HUNG] = i == 1 ? 360000 : 0;
		e->summary.incidents[VERDICT_OS_HUNG] = i == 1;
		e->summary.energy_wh = 100;
		e->summary.energy_ms = 3600000;
		for (unsigned k = 0; k < 360; k++)
			sketch_add(&e->summary.items[SUMMARY_CPU], 10 + 10.0 * i);
	}
}

static void write_hour(int64_t hour_s)
{
	struct history_batch b;

	fill_hour(&b, hour_s);
	history_write_hour(&db, &b);
	CU_ASSERT_EQUAL(b.status, 0);
	history_free(&b);
}

static bool read_one(uint32_t period, enum summaries_kind kind, int64_t start, const char *name, struct summary *out)
{
	static uint8_t bytes[SUMMARY_PACKED_MAX];
	struct summaries_key key = {.period_s = period, .kind = kind, .start_s = start};

	text_copy(key.name, sizeof key.name, name);
	size_t size = summaries_get(&db, &key, bytes, sizeof bytes);
	return size && summary_unpack(out, bytes, size);
}

static bool count_row(void *arg, const struct summaries_key *key, const uint8_t *bytes, size_t size)
{
	(void)key;
	(void)bytes;
	(void)size;
	++*(unsigned *)arg;
	return true;
}

static unsigned rows(uint32_t period, enum summaries_kind kind)
{
	const struct summaries_range all = {period, kind, NULL, 0, INT64_MAX};
	unsigned n = 0;

	CU_ASSERT_EQUAL(summaries_each(&db, &all, count_row, &n), 0);
	return n;
}

static void an_hour_of_nodes_groups_and_site(void)
{
	struct summary s = {0};

	begin();
	write_hour(START);
	again();
	CU_ASSERT_EQUAL(rows(HISTORY_HOUR_S, SUMMARIES_NODE), 4);
	CU_ASSERT_EQUAL(rows(HISTORY_HOUR_S, SUMMARIES_GROUP), 2);
	CU_ASSERT_FATAL(read_one(HISTORY_HOUR_S, SUMMARIES_NODE, START, "n3", &s));
	CU_ASSERT(fabs(summary_availability(&s) - 90) < 1e-9);
	summary_free(&s);
	CU_ASSERT_FATAL(read_one(HISTORY_HOUR_S, SUMMARIES_GROUP, START, "g1", &s));
	CU_ASSERT_EQUAL(summary_watched_ms(&s), 7200000);
	CU_ASSERT_EQUAL(s.items[SUMMARY_CPU].count, 720);
	summary_free(&s);
	CU_ASSERT_FATAL(read_one(HISTORY_HOUR_S, SUMMARIES_SITE, START, HISTORY_SITE, &s));
	CU_ASSERT(fabs(summary_availability(&s) - 97.5) < 1e-9);
	CU_ASSERT_EQUAL(s.incidents[VERDICT_OS_HUNG], 1);
	CU_ASSERT(fabs(s.energy_wh - 400) < 0.01);
	summary_free(&s);
	end();
}

static bool note_running(void *arg, const char *name, int64_t hour_s, const struct summary *s)
{
	struct history_batch *b = arg;

	CU_ASSERT_EQUAL(hour_s, b->hour_s);
	summary_merge(&history_add(b, name, "")->summary, s);
	return true;
}

/* The engine is killed in the middle of an hour: what was kept comes back; what the next life adds makes one hour with it. */
static void a_life_ends_in_the_middle_of_an_hour(void)
{
	struct history_batch b, found = {.hour_s = START};
	struct summary s = {0};

	begin();
	fill_hour(&b, START);
	history_write_running(&db, &b);
	history_write_running(&db, &b); /* a minute later: it replaces */
	CU_ASSERT_EQUAL(b.status, 0);
	again();
	CU_ASSERT_EQUAL(history_read_running(&db, note_running, &found), 0);
	CU_ASSERT_EQUAL(found.count, 4);
	CU_ASSERT_EQUAL(found.entries[0].summary.ms[VERDICT_UP], 3600000);
	history_write_hour(&db, &found);
	CU_ASSERT_EQUAL(found.status, 0);
	write_hour(START);
	CU_ASSERT_EQUAL(rows(0, SUMMARIES_NODE), 0);
	CU_ASSERT_FATAL(read_one(HISTORY_HOUR_S, SUMMARIES_NODE, START, "n1", &s));
	CU_ASSERT_EQUAL(s.ms[VERDICT_UP], 7200000);
	CU_ASSERT_EQUAL(s.items[SUMMARY_CPU].count, 720);
	summary_free(&s);
	history_free(&b);
	history_free(&found);
	end();
}

static void days_are_made_once_they_are_over(void)
{
	struct summary s = {0};

	begin();
	for (int h = 0; h < 50; h++)
		write_hour(START + h * HISTORY_HOUR_S);
	CU_ASSERT_EQUAL(history_make_days(&db, START + 50 * HISTORY_HOUR_S), 0);
	CU_ASSERT_EQUAL(rows(HISTORY_DAY_S, SUMMARIES_NODE), 8);
	CU_ASSERT_EQUAL(rows(HISTORY_DAY_S, SUMMARIES_GROUP), 4);
	CU_ASSERT_EQUAL(rows(HISTORY_DAY_S, SUMMARIES_SITE), 2);
	CU_ASSERT_FATAL(read_one(HISTORY_DAY_S, SUMMARIES_NODE, START + HISTORY_DAY_S, "n3", &s));
	CU_ASSERT_EQUAL(summary_watched_ms(&s), 24 * 3600000);
	CU_ASSERT_EQUAL(s.incidents[VERDICT_OS_HUNG], 24);
	CU_ASSERT_EQUAL(s.items[SUMMARY_CPU].count, 24 * 360);
	summary_free(&s);
	CU_ASSERT_EQUAL(history_make_days(&db, START + 50 * HISTORY_HOUR_S), 0); /* nothing twice */
	CU_ASSERT_FATAL(read_one(HISTORY_DAY_S, SUMMARIES_SITE, START, HISTORY_SITE, &s));
	CU_ASSERT_EQUAL(summary_watched_ms(&s), 96 * 3600000);
	summary_free(&s);
	end();
}

static void hours_go_after_eight_days_and_days_after_two_years(void)
{
	struct summary s = {0};

	begin();
	for (int d = 0; d < 10; d++) {
		write_hour(START + d * HISTORY_DAY_S);
		CU_ASSERT_EQUAL(history_make_days(&db, START + d * HISTORY_DAY_S + 1), 0);
	}
	CU_ASSERT_FALSE(read_one(HISTORY_HOUR_S, SUMMARIES_NODE, START, "n1", &s));
	CU_ASSERT_EQUAL(rows(HISTORY_HOUR_S, SUMMARIES_SITE), 8);
	CU_ASSERT_EQUAL(rows(HISTORY_DAY_S, SUMMARIES_SITE), 9);
	write_hour(START + 735 * HISTORY_DAY_S);
	CU_ASSERT_EQUAL(history_make_days(&db, START + 736 * HISTORY_DAY_S), 0);
	CU_ASSERT_EQUAL(rows(HISTORY_DAY_S, SUMMARIES_SITE), 5); /* 5 to 8, and 735 */
	CU_ASSERT_EQUAL(rows(HISTORY_HOUR_S, SUMMARIES_SITE), 1);
	end();
}

/* The file may not grow any more: the oldest day by the hour goes, what is new is written. */
static void a_full_disk_gives_up_the_oldest_hours(void)
{
	char sql[64];
	int64_t pages = 0;
	sqlite3_stmt *st;

	begin();
	for (int h = 0; h < 72; h++)
		write_hour(START + h * HISTORY_HOUR_S);
	CU_ASSERT_EQUAL(history_make_days(&db, START + 72 * HISTORY_HOUR_S), 0);
	CU_ASSERT_EQUAL_FATAL(sqlite3_prepare_v2(db.db, "PRAGMA page_count", -1, &st, NULL), SQLITE_OK);
	if (sqlite3_step(st) == SQLITE_ROW)
		pages = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	text_format(sql, sizeof sql, "PRAGMA max_page_count = %lld", (long long)pages);
	CU_ASSERT_EQUAL(sqlite3_exec(db.db, sql, NULL, NULL, NULL), SQLITE_OK);
	for (int h = 72; h < 90; h++)
		write_hour(START + h * HISTORY_HOUR_S);
	unsigned left = rows(HISTORY_HOUR_S, SUMMARIES_SITE);
	CU_ASSERT(left < 90 && left >= 18);
	CU_ASSERT_EQUAL(rows(HISTORY_DAY_S, SUMMARIES_SITE), 3);
	CU_ASSERT_STRING_EQUAL(db.trouble, "");
	end();
}

static void a_damaged_file_is_kept_aside(void)
{
	struct stat st;
	char aside[200];

	begin();
	for (int h = 0; h < 72; h++)
		write_hour(START + h * HISTORY_HOUR_S);
	close_db(&db);
	FILE *f = fopen(path, "r+");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fputs("this was no file of summaries, it is a letter to my aunt in Bologna, and it goes on for a while", f);
	fclose(f);
	open_db(&db);
	CU_ASSERT_PTR_NOT_NULL_FATAL(db.db);
	text_format(aside, sizeof aside, "%s.corrupt-1", path);
	CU_ASSERT_EQUAL(stat(aside, &st), 0);
	CU_ASSERT_EQUAL(rows(HISTORY_HOUR_S, SUMMARIES_SITE), 0);
	write_hour(START);
	CU_ASSERT_EQUAL(rows(HISTORY_HOUR_S, SUMMARIES_SITE), 1);
	end();
}

/* --- through the thread --------------------------------------------------------------------------------- */
static unsigned worked, told;

static void work(struct summaries_db *d, void *arg)
{
	(void)arg;
	worked += d != NULL;
}

static void done(void *arg)
{
	(void)arg;
	told++;
}

static void the_thread_finishes_what_was_accepted(void)
{
	unsigned taken = 0;

	begin();
	close_db(&db);
	struct loop *loop = loop_new();
	struct summaries *s = summaries_open(loop, path);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	for (int i = 0; i < 2 * SUMMARIES_WAITING_MAX; i++)
		taken += summaries_run(s, work, done, NULL);
	summaries_close(s);
	CU_ASSERT_EQUAL(taken, SUMMARIES_WAITING_MAX); /* none is delivered before the loop runs */
	CU_ASSERT_EQUAL(worked, taken);
	CU_ASSERT_EQUAL(told, taken);
	loop_free(loop);
	end();
}

static const struct unit_test tests[] = {
	{"an hour of nodes, groups and site", an_hour_of_nodes_groups_and_site},
	{"a life ends in the middle of an hour", a_life_ends_in_the_middle_of_an_hour},
	{"days are made once they are over", days_are_made_once_they_are_over},
	{"hours go after eight days, days after two years", hours_go_after_eight_days_and_days_after_two_years},
	{"a full disk gives up the oldest hours", a_full_disk_gives_up_the_oldest_hours},
	{"a damaged file is kept aside", a_damaged_file_is_kept_aside},
	{"the thread finishes what was accepted", the_thread_finishes_what_was_accepted},
};

UNIT_MAIN("history", tests)
