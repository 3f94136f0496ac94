/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The thread that owns the file of summaries, and the SQL in it; see summaries.h. */
#include "store/summaries.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/file.h"

#define TROUBLE_MAX 300
#define DAY_S 86400

enum { SQL_PUT, SQL_GET, SQL_EACH, SQL_EACH_OF, SQL_DROP, SQL_OLDEST, SQL_BEGIN, SQL_COMMIT, SQL_ROLLBACK, SQL_COUNT };
static const char *const statements[SQL_COUNT] = {
	[SQL_PUT] = "INSERT OR REPLACE INTO summary(period, kind, name, start, bytes) VALUES(?1, ?2, ?3, ?4, ?5)",
	[SQL_GET] = "SELECT bytes FROM summary WHERE period = ?1 AND kind = ?2 AND name = ?3 AND start = ?4",
	[SQL_EACH] = "SELECT kind, name, start, bytes FROM summary WHERE period = ?1 AND kind = ?2 AND start >= ?4 AND start < ?5 "
		     "ORDER BY period, kind, name, start",
	[SQL_EACH_OF] = "SELECT kind, name, start, bytes FROM summary WHERE period = ?1 AND kind = ?2 AND name = ?3 AND start >= ?4 AND "
			"start < ?5 ORDER BY start",
	[SQL_DROP] = "DELETE FROM summary WHERE period = ?1 AND start < ?4",
	[SQL_OLDEST] = "SELECT period, min(start) FROM summary WHERE period > 0 GROUP BY period ORDER BY period LIMIT 1",
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
};

struct summaries_db {
	sqlite3 *db;
	sqlite3_stmt *sql[SQL_COUNT];
	int failed; /* of the transaction that is open */
	char path[PATH_MAX];
	char trouble[TROUBLE_MAX];
};

struct work {
	struct work *next;
	summaries_work *run;
	summaries_done *done;
	void *arg;
};
struct work_list {
	struct work *first, **end;
};

struct summaries {
	struct loop_fd *watch;
	char trouble[TROUBLE_MAX]; /* the loop's copy */
	struct summaries_db db;    /* the thread's own */
	/* shared under the lock */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct work_list waiting, finished;
	size_t count; /* waiting, running or finished */
	bool stop;
	char new_trouble[TROUBLE_MAX];
	/* fixed */
	int wake_fd;
	pthread_t thread;
};

/* --- lists ---------------------------------------------------------------------------------------------- */
static void append(struct work_list *list, struct work *w)
{
	w->next = NULL;
	if (!list->first)
		list->end = &list->first;
	*list->end = w;
	list->end = &w->next;
}

static struct work *take_first(struct work_list *list)
{
	struct work *w = list->first;

	if (w)
		list->first = w->next;
	return w;
}

/* --- opening, in the thread ------------------------------------------------------------------------------ */
static const char preparation[] = "PRAGMA busy_timeout = 2000;"
				  "PRAGMA locking_mode = EXCLUSIVE;"
				  "PRAGMA trusted_schema = OFF;"
				  "PRAGMA cell_size_check = ON;"
				  "PRAGMA temp_store = MEMORY;"
				  "PRAGMA journal_mode = WAL;"
				  "PRAGMA synchronous = NORMAL;"
				  "PRAGMA journal_size_limit = 16777216;"
				  "CREATE TABLE IF NOT EXISTS summary(period INTEGER NOT NULL, kind INTEGER NOT NULL, name TEXT NOT NULL, "
				  "start INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY(period, kind, name, start)) WITHOUT ROWID;";

static bool is_damage(int rc)
{
	return (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB;
}

static void say_trouble(struct summaries_db *d, int rc)
{
	bool was = d->trouble[0] != '\0';

	if (rc == SQLITE_OK) {
		d->trouble[0] = '\0';
		if (was)
			log_info("statistics %s: all is well again", d->path);
		return;
	}
	text_format(d->trouble, sizeof d->trouble, "statistics: %s", (rc & 0xff) == SQLITE_FULL ? "the disk is full: make room" : sqlite3_errstr(rc));
	if (!was)
		log_error("%s (%s)", d->trouble, d->path);
}

static void close_db(struct summaries_db *d)
{
	for (int i = 0; i < SQL_COUNT; i++) {
		sqlite3_finalize(d->sql[i]);
		d->sql[i] = NULL;
	}
	sqlite3_close(d->db);
	d->db = NULL;
}

static int try_open(struct summaries_db *d)
{
	int rc = store_file_prepare(d->path) ? SQLITE_OK : SQLITE_CANTOPEN;

	if (rc == SQLITE_OK)
		rc = sqlite3_open_v2(d->path, &d->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(d->db, preparation, NULL, NULL, NULL);
	for (int i = 0; rc == SQLITE_OK && i < SQL_COUNT; i++)
		rc = sqlite3_prepare_v3(d->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT, &d->sql[i], NULL);
	if (rc != SQLITE_OK)
		close_db(d);
	return rc;
}

static void open_db(struct summaries_db *d)
{
	char aside[PATH_MAX];
	int rc = try_open(d);

	if ((rc & 0xff) == SQLITE_FULL && store_reserve_give_back(d->path))
		rc = try_open(d);
	if (is_damage(rc) && store_file_keep_aside(d->path, aside, sizeof aside)) {
		log_error("statistics %s: the file is damaged: kept aside as %s, a new one is begun", d->path, aside);
		rc = try_open(d);
	}
	if (rc == SQLITE_OK)
		store_reserve_make(d->path, 0);
	say_trouble(d, rc);
}

/* What was found damaged while it was used is kept aside as well; the next piece of work begins a new file. */
static void mind(struct summaries_db *d, int rc)
{
	if (is_damage(rc)) {
		close_db(d);
		open_db(d);
	}
}

/* --- the thread ------------------------------------------------------------------------------------------- */
static void *thread_run(void *arg)
{
	struct summaries *s = arg;
	uint64_t one = 1;

	open_db(&s->db);
	pthread_mutex_lock(&s->lock);
	for (;;) {
		text_copy(s->new_trouble, sizeof s->new_trouble, s->db.trouble);
		while (!s->waiting.first && !s->stop)
			pthread_cond_wait(&s->wake, &s->lock);
		struct work *w = take_first(&s->waiting);
		if (!w)
			break;
		pthread_mutex_unlock(&s->lock);
		if (!s->db.db)
			open_db(&s->db);
		w->run(s->db.db ? &s->db : NULL, w->arg);
		pthread_mutex_lock(&s->lock);
		append(&s->finished, w);
		if (write(s->wake_fd, &one, sizeof one) < 0)
			continue; /* the counter is full, so the loop is awake already */
	}
	pthread_mutex_unlock(&s->lock);
	close_db(&s->db);
	return NULL;
}

static void deliver(struct summaries *s)
{
	for (;;) {
		pthread_mutex_lock(&s->lock);
		struct work *w = take_first(&s->finished);
		s->count -= w != NULL;
		text_copy(s->trouble, sizeof s->trouble, s->new_trouble);
		pthread_mutex_unlock(&s->lock);
		if (!w)
			return;
		if (w->done)
			w->done(w->arg);
		free(w);
	}
}

static void on_finished(void *arg, int what)
{
	struct summaries *s = arg;
	uint64_t count;

	(void)what;
	if (read(s->wake_fd, &count, sizeof count) == sizeof count)
		deliver(s);
}

struct summaries *summaries_open(struct loop *loop, const char *path)
{
	struct summaries *s = mem_zalloc(sizeof *s);
	sigset_t all, before;
	int rc = -1;

	text_copy(s->db.path, sizeof s->db.path - 32, path);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, NULL);
	s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	sigfillset(&all); /* signals belong to the loop's thread */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (s->wake_fd >= 0)
		rc = pthread_create(&s->thread, NULL, thread_run, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc) {
		log_error("statistics %s: no descriptor or thread: raise the limits; nothing is kept", path);
		if (s->wake_fd >= 0)
			close(s->wake_fd);
		free(s);
		return NULL;
	}
	s->watch = loop_fd_add(loop, s->wake_fd, LOOP_READ, on_finished, s);
	return s;
}

void summaries_close(struct summaries *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	deliver(s);
	loop_fd_remove(s->watch);
	close(s->wake_fd);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

bool summaries_run(struct summaries *s, summaries_work *run, summaries_done *done, void *arg)
{
	struct work *w;
	bool taken;

	pthread_mutex_lock(&s->lock);
	taken = s->count < SUMMARIES_WAITING_MAX && !s->stop;
	if (taken) {
		w = mem_zalloc(sizeof *w);
		*w = (struct work){.run = run, .done = done, .arg = arg};
		append(&s->waiting, w);
		s->count++;
		pthread_cond_signal(&s->wake);
	}
	pthread_mutex_unlock(&s->lock);
	return taken;
}

const char *summaries_trouble(const struct summaries *s)
{
	return s->trouble;
}

/* --- SQL, in the thread ------------------------------------------------------------------------------------ */
/* Steps a statement that returns no rows. */
static int finish(sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);

	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static void bind_key(sqlite3_stmt *st, uint32_t period_s, uint32_t kind, const char *name, int64_t start_s)
{
	sqlite3_bind_int64(st, 1, period_s);
	sqlite3_bind_int64(st, 2, kind);
	if (name)
		sqlite3_bind_text(st, 3, name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 4, start_s);
}

bool summaries_begin(struct summaries_db *d)
{
	d->failed = finish(d->sql[SQL_BEGIN]);
	if (d->failed == SQLITE_OK)
		return true;
	say_trouble(d, d->failed);
	mind(d, d->failed);
	return false;
}

/* The oldest day of the shortest period; in a transaction of its own. */
static bool make_space(struct summaries_db *d)
{
	sqlite3_stmt *st = d->sql[SQL_OLDEST];
	bool gave = store_reserve_give_back(d->path), any = sqlite3_step(st) == SQLITE_ROW;
	uint32_t period = any ? (uint32_t)sqlite3_column_int64(st, 0) : 0;
	int64_t oldest = any ? sqlite3_column_int64(st, 1) : 0;

	sqlite3_reset(st);
	if (!any)
		return gave;
	bind_key(d->sql[SQL_DROP], period, 0, NULL, oldest + DAY_S);
	int rc = finish(d->sql[SQL_DROP]);
	log_warning("statistics %s: the disk is full: the oldest day by the %s is given up", d->path, period < DAY_S ? "hour" : "day");
	return rc == SQLITE_OK || gave;
}

int summaries_commit(struct summaries_db *d, bool *again)
{
	int rc = d->failed == SQLITE_OK ? finish(d->sql[SQL_COMMIT]) : d->failed;

	*again = false;
	if (rc != SQLITE_OK && d->db && !sqlite3_get_autocommit(d->db))
		finish(d->sql[SQL_ROLLBACK]);
	if ((rc & 0xff) == SQLITE_FULL)
		*again = make_space(d);
	else if (rc == SQLITE_OK && d->trouble[0])
		store_reserve_make(d->path, 2 * STORE_RESERVE_BYTES);
	say_trouble(d, rc);
	mind(d, rc);
	return rc == SQLITE_OK ? 0 : ERR_NO_RESOURCE;
}

static void remember_failure(struct summaries_db *d, int rc)
{
	if (d->failed == SQLITE_OK)
		d->failed = rc;
}

void summaries_put(struct summaries_db *d, const struct summaries_key *key, const void *bytes, size_t size)
{
	sqlite3_stmt *st = d->sql[SQL_PUT];

	if (d->failed != SQLITE_OK)
		return;
	bind_key(st, key->period_s, key->kind, key->name, key->start_s);
	sqlite3_bind_blob64(st, 5, bytes, size, SQLITE_STATIC);
	remember_failure(d, finish(st));
}

void summaries_drop(struct summaries_db *d, uint32_t period_s, int64_t before_s)
{
	if (d->failed != SQLITE_OK)
		return;
	bind_key(d->sql[SQL_DROP], period_s, 0, NULL, before_s);
	remember_failure(d, finish(d->sql[SQL_DROP]));
}

static void row_key(sqlite3_stmt *st, uint32_t period_s, struct summaries_key *key)
{
	const unsigned char *name = sqlite3_column_text(st, 1);

	memset(key, 0, sizeof *key);
	key->period_s = period_s;
	key->kind = (uint32_t)sqlite3_column_int64(st, 0);
	key->start_s = sqlite3_column_int64(st, 2);
	text_copy(key->name, sizeof key->name, name ? (const char *)name : "");
}

int summaries_each(struct summaries_db *d, const struct summaries_range *r, summaries_visit *visit, void *arg)
{
	sqlite3_stmt *st = d->sql[r->name ? SQL_EACH_OF : SQL_EACH];
	struct summaries_key key;
	int rc;

	bind_key(st, r->period_s, r->kind, r->name, r->from_s);
	sqlite3_bind_int64(st, 5, r->before_s);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		row_key(st, r->period_s, &key);
		const void *bytes = sqlite3_column_blob(st, 3);
		if (!visit(arg, &key, bytes, (size_t)sqlite3_column_bytes(st, 3))) {
			rc = SQLITE_DONE;
			break;
		}
	}
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	if (rc == SQLITE_DONE)
		return 0;
	say_trouble(d, rc);
	remember_failure(d, rc);
	return ERR_NO_RESOURCE;
}

size_t summaries_get(struct summaries_db *d, const struct summaries_key *key, uint8_t *out, size_t room)
{
	sqlite3_stmt *st = d->sql[SQL_GET];
	size_t size = 0;

	bind_key(st, key->period_s, key->kind, key->name, key->start_s);
	if (sqlite3_step(st) == SQLITE_ROW) {
		size = (size_t)sqlite3_column_bytes(st, 0);
		if (size > room)
			size = 0;
		else if (size)
			memcpy(out, sqlite3_column_blob(st, 0), size);
	}
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return size;
}
