/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SQLite engine of the store: WAL, synchronous=FULL, one transaction for all requests that wait, an exclusive lock; see
 * sqlite.h. */
#include "store/sqlite.h"

#include <limits.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/file.h"

#define SCHEMA_VERSION 1
#define RESERVE_RETRY_MS 10000

enum {
	SQL_GET,
	SQL_LIST,
	SQL_PUT,
	SQL_DELETE,
	SQL_BUMP,
	SQL_BEGIN_WRITE,
	SQL_BEGIN_READ,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_COUNT
};
static const char *const statements[SQL_COUNT] = {
    [SQL_GET] = "SELECT v, revision FROM kv WHERE k = ?1",
    [SQL_LIST] = "SELECT k, v, revision FROM kv WHERE k >= ?1 ORDER BY k",
    [SQL_PUT] = "INSERT INTO kv(k, v, revision) VALUES(?1, ?2, ?3) "
		"ON CONFLICT(k) DO UPDATE SET v = excluded.v, revision = excluded.revision",
    [SQL_DELETE] = "DELETE FROM kv WHERE k = ?1",
    [SQL_BUMP] = "UPDATE meta SET revision = ?1",
    [SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [SQL_BEGIN_READ] = "BEGIN",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
};

struct sqlite_engine {
	sqlite3 *db;
	sqlite3_stmt *sql[SQL_COUNT];
	int64_t revision;        /* of the last committed write */
	int64_t next_revision;   /* while a transaction is open */
	bool reserve;            /* the reserved file is there */
	bool failing;            /* the last write failed */
	int64_t reserve_next_ms; /* when to try to make it again */
	char path[PATH_MAX];
	char aside[PATH_MAX]; /* where a corrupt file was kept; "" none */
	char trouble[PATH_MAX + 200];
};

/* --- what is wrong -------------------------------------------------------------------------------- */

static bool is_damage(int rc)
{
	return (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB;
}

static void describe(struct sqlite_engine *e, int rc)
{
	bool was = e->trouble[0] != '\0';

	const char *what = "";

	if ((rc & 0xff) == SQLITE_FULL)
		what = "the disk is full, nothing is written: make room";
	else if (is_damage(rc))
		what = "the file is damaged, nothing is written: restart the engine, which keeps it aside";
	else if (rc != SQLITE_OK)
		what = sqlite3_errstr(rc);
	else if (!e->reserve)
		what = "the disk is nearly full, no 64 MiB in reserve: make room";
	else if (e->aside[0])
		what = "corrupt file kept aside: restore a backup, or apply cluster.xml";
	e->trouble[0] = '\0';
	if (*what)
		text_format(e->trouble, sizeof e->trouble, "store %s: %s", e->path, what);
	if (rc != SQLITE_OK && !e->failing)
		log_error("%s", e->trouble);
	else if (rc == SQLITE_OK && was && !e->trouble[0])
		log_info("store %s: all is well again", e->path);
	e->failing = rc != SQLITE_OK;
}

/* --- opening -------------------------------------------------------------------------------------- */

/* The order matters: an exclusive lock before WAL keeps the index of the WAL in memory and other engines out. */
static const char preparation[] =
    "PRAGMA busy_timeout = 2000;"
    "PRAGMA locking_mode = EXCLUSIVE;"
    "PRAGMA trusted_schema = OFF;"
    "PRAGMA cell_size_check = ON;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "PRAGMA journal_size_limit = 16777216;"
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS kv(k TEXT PRIMARY KEY NOT NULL, v TEXT NOT NULL, revision INTEGER NOT NULL) WITHOUT "
    "ROWID;"
    "CREATE TABLE IF NOT EXISTS meta(one INTEGER PRIMARY KEY CHECK(one = 1), revision INTEGER NOT NULL);"
    "INSERT OR IGNORE INTO meta(one, revision) VALUES(1, 0);"
    "COMMIT;";

static int read_number(sqlite3 *db, const char *sql, int64_t *out)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		*out = sqlite3_column_int64(st, 0);
		rc = SQLITE_OK;
	} else if (rc == SQLITE_DONE) {
		rc = SQLITE_CORRUPT;
	}
	sqlite3_finalize(st);
	return rc;
}

static int check_whole(sqlite3 *db)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		const char *said = (const char *)sqlite3_column_text(st, 0);
		rc = said && !strcmp(said, "ok") ? SQLITE_OK : SQLITE_CORRUPT;
	}
	sqlite3_finalize(st);
	return rc;
}

static int check_version(sqlite3 *db)
{
	int64_t version = 0;
	int rc = read_number(db, "PRAGMA user_version", &version);

	if (rc != SQLITE_OK || version == SCHEMA_VERSION)
		return rc;
	if (version > SCHEMA_VERSION)
		return SQLITE_MISMATCH;
	return sqlite3_exec(db, "PRAGMA user_version = 1", NULL, NULL, NULL);
}

static int open_database(struct sqlite_engine *e)
{
	int rc =
	    sqlite3_open_v2(e->path, &e->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_extended_result_codes(e->db, 1);
		rc = sqlite3_exec(e->db, preparation, NULL, NULL, NULL);
	}
	if (rc == SQLITE_OK)
		rc = check_whole(e->db);
	if (rc == SQLITE_OK)
		rc = check_version(e->db);
	if (rc == SQLITE_OK)
		rc = read_number(e->db, "SELECT revision FROM meta", &e->revision);
	for (int i = 0; rc == SQLITE_OK && i < SQL_COUNT; i++)
		rc = sqlite3_prepare_v3(e->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT, &e->sql[i], NULL);
	return rc;
}

static void close_database(struct sqlite_engine *e)
{
	for (int i = 0; i < SQL_COUNT; i++) {
		sqlite3_finalize(e->sql[i]);
		e->sql[i] = NULL;
	}
	sqlite3_close(e->db);
	e->db = NULL;
}

static void log_open_failure(const struct sqlite_engine *e, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_BUSY:
		log_error("store %s: another engine has it open: stop that one, or name another path", e->path);
		break;
	case SQLITE_MISMATCH:
		log_error("store %s: written by a newer version of this program: install that version", e->path);
		break;
	case SQLITE_FULL:
		log_error("store %s: no room on its file system: make room", e->path);
		break;
	default:
		log_error("store %s: cannot be opened: %s: check the disk and the rights of the directory", e->path,
			  sqlite3_errstr(rc));
	}
}

static bool replace_damaged(struct sqlite_engine *e)
{
	close_database(e);
	if (!store_file_keep_aside(e->path, e->aside, sizeof e->aside))
		return false;
	log_error("store %s: the file is corrupt: kept aside as %s, an empty store takes its place: restore a backup, "
		  "or apply "
		  "cluster.xml again",
		  e->path, e->aside);
	return store_file_prepare(e->path);
}

struct sqlite_engine *sqlite_engine_open(const char *path)
{
	struct sqlite_engine *e = mem_zalloc(sizeof *e);
	int rc = SQLITE_CANTOPEN;

	if (!text_copy(e->path, sizeof e->path - 32, path) || !store_file_prepare(path))
		goto failed;
	rc = open_database(e);
	if (rc == SQLITE_FULL && store_reserve_give_back(e->path)) {
		close_database(e);
		rc = open_database(e);
	}
	if (is_damage(rc) && replace_damaged(e))
		rc = open_database(e);
	if (rc != SQLITE_OK) {
		log_open_failure(e, rc);
		goto failed;
	}
	e->reserve = store_reserve_make(e->path, 0);
	e->reserve_next_ms = clock_mono_ms() + RESERVE_RETRY_MS;
	describe(e, SQLITE_OK);
	if (e->trouble[0])
		log_warning("%s", e->trouble);
	return e;
failed:
	close_database(e);
	free(e);
	return NULL;
}

void sqlite_engine_close(struct sqlite_engine *e)
{
	close_database(e);
	free(e);
}

/* --- one request ---------------------------------------------------------------------------------- */

/* Steps a statement that returns no rows. */
static int finish(sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);

	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

/* Adds the pair to the reply when it is there. *revision = 0 when not. */
static int read_pair(struct sqlite_engine *e, struct request *r, const char *key, bool keep, int64_t *revision)
{
	sqlite3_stmt *st = e->sql[SQL_GET];

	*revision = 0;
	sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
	int rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		*revision = sqlite3_column_int64(st, 1);
		const void *value = sqlite3_column_text(st, 0);
		if (keep)
			request_add_pair(r, key, strlen(key), value, (size_t)sqlite3_column_bytes(st, 0), *revision);
	}
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int run_get(struct sqlite_engine *e, struct request *r)
{
	int64_t revision;
	int rc = read_pair(e, r, r->key, true, &revision);

	if (rc == SQLITE_OK && !revision)
		r->reply.status = STORE_NOT_FOUND;
	return rc;
}

static int run_list(struct sqlite_engine *e, struct request *r)
{
	sqlite3_stmt *st = e->sql[SQL_LIST];
	size_t prefix_size = strlen(r->key);
	const char *start = r->after && strcmp(r->after, r->key) > 0 ? r->after : r->key;
	int rc;

	sqlite3_bind_text(st, 1, start, -1, SQLITE_STATIC);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		const char *key = (const char *)sqlite3_column_text(st, 0);
		if (!key || strncmp(key, r->key, prefix_size) != 0)
			break;
		if (r->after && strcmp(key, r->after) <= 0)
			continue;
		if (r->reply.count == r->limit || r->bytes > STORE_REPLY_BYTES) {
			r->reply.more = 1;
			break;
		}
		const void *value = sqlite3_column_text(st, 1);
		request_add_pair(r, key, (size_t)sqlite3_column_bytes(st, 0), value,
				 (size_t)sqlite3_column_bytes(st, 1), sqlite3_column_int64(st, 2));
	}
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Compares come before the first write and keys differ, so a transaction that conflicts leaves nothing to roll back. */
static int compare_all(struct sqlite_engine *e, struct request *r)
{
	for (size_t i = 0; i < r->op_count; i++) {
		int64_t revision;
		if (r->ops[i].expect == STORE_ANY)
			continue;
		int rc = read_pair(e, r, r->ops[i].key, false, &revision);
		if (rc != SQLITE_OK)
			return rc;
		if (revision == r->ops[i].expect)
			continue;
		r->reply.status = STORE_CONFLICT;
		return read_pair(e, r, r->ops[i].key, true, &revision);
	}
	return SQLITE_OK;
}

static int run_transact(struct sqlite_engine *e, struct request *r)
{
	int rc = compare_all(e, r);

	if (rc != SQLITE_OK || r->reply.status != STORE_OK)
		return rc;
	e->next_revision++;
	for (size_t i = 0; rc == SQLITE_OK && i < r->op_count; i++) {
		const struct store_op *op = &r->ops[i];
		sqlite3_stmt *st = e->sql[op->value ? SQL_PUT : SQL_DELETE];
		sqlite3_bind_text(st, 1, op->key, -1, SQLITE_STATIC);
		if (op->value) {
			sqlite3_bind_text(st, 2, op->value, -1, SQLITE_STATIC);
			sqlite3_bind_int64(st, 3, e->next_revision);
		}
		rc = finish(st);
	}
	return rc;
}

static int run_one(struct sqlite_engine *e, struct request *r)
{
	static int (*const run[])(struct sqlite_engine * e, struct request * r) = {
	    [REQUEST_GET] = run_get, [REQUEST_LIST] = run_list, [REQUEST_TRANSACT] = run_transact};
	int rc = run[r->kind](e, r);

	r->reply.revision = e->next_revision;
	return rc;
}

/* --- many requests in one transaction --------------------------------------------------------------- */

enum write_mode { WRITES_DONE, WRITES_REFUSED };

static bool is_write(const struct request *r)
{
	return r->kind == REQUEST_TRANSACT && r->refused == STORE_OK;
}

static bool any_write(const struct request *first)
{
	for (; first; first = first->next)
		if (is_write(first))
			return true;
	return false;
}

static int commit(struct sqlite_engine *e)
{
	int rc = SQLITE_OK;

	if (e->next_revision != e->revision) {
		sqlite3_bind_int64(e->sql[SQL_BUMP], 1, e->next_revision);
		rc = finish(e->sql[SQL_BUMP]);
	}
	return rc == SQLITE_OK ? finish(e->sql[SQL_COMMIT]) : rc;
}

/* All or nothing. *in_commit: the failure came from COMMIT itself. */
static int run_transaction(struct sqlite_engine *e, struct request *first, enum write_mode mode,
			   enum store_status refusal, bool *in_commit)
{
	bool writes = mode == WRITES_DONE && any_write(first);
	int rc = finish(e->sql[writes ? SQL_BEGIN_WRITE : SQL_BEGIN_READ]);

	*in_commit = false;
	e->next_revision = e->revision;
	for (struct request *r = first; rc == SQLITE_OK && r; r = r->next) {
		request_reset(r, r->refused);
		if (r->refused != STORE_OK)
			continue;
		if (mode == WRITES_REFUSED && is_write(r))
			request_reset(r, refusal);
		else
			rc = run_one(e, r);
	}
	if (rc == SQLITE_OK) {
		rc = commit(e);
		*in_commit = rc != SQLITE_OK;
	}
	if (rc == SQLITE_OK)
		e->revision = e->next_revision;
	else if (!sqlite3_get_autocommit(e->db))
		finish(e->sql[SQL_ROLLBACK]);
	return rc;
}

/* Where fsync failed the frames of the commit may be on the disk, and a crash now would bring them to life. Emptying
 * the WAL makes sure that they are gone; where that fails too nobody knows. A full disk cuts the last frame, which is
 * never brought to life. */
static enum store_status refusal_after(struct sqlite_engine *e, int rc, bool in_commit)
{
	if (!in_commit || (rc & 0xff) != SQLITE_IOERR)
		return STORE_UNAVAILABLE;
	return sqlite3_wal_checkpoint_v2(e->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) == SQLITE_OK
		   ? STORE_UNAVAILABLE
		   : STORE_UNKNOWN;
}

/* A full disk gets the reserve, and the same requests a second chance. */
static int write_all(struct sqlite_engine *e, struct request *first, bool *in_commit)
{
	int rc = run_transaction(e, first, WRITES_DONE, STORE_OK, in_commit);

	if ((rc & 0xff) != SQLITE_FULL || !e->reserve)
		return rc;
	e->reserve = !store_reserve_give_back(e->path);
	e->reserve_next_ms = clock_mono_ms() + RESERVE_RETRY_MS;
	log_error("store %s: the disk is full: the reserve of 64 MiB was given back: make room", e->path);
	return run_transaction(e, first, WRITES_DONE, STORE_OK, in_commit);
}

/* With twice the room, so that it is not made and given back in turns on a disk that stays nearly full. */
static void renew_reserve(struct sqlite_engine *e)
{
	int64_t now;

	if (e->reserve)
		return;
	now = clock_mono_ms();
	if (now < e->reserve_next_ms)
		return;
	e->reserve = store_reserve_make(e->path, 2 * STORE_RESERVE_BYTES);
	e->reserve_next_ms = now + RESERVE_RETRY_MS;
}

void sqlite_engine_run(struct sqlite_engine *e, struct request *first)
{
	bool in_commit;
	int rc = write_all(e, first, &in_commit);

	if (any_write(first) || rc != SQLITE_OK) {
		if (rc == SQLITE_OK)
			renew_reserve(e);
		describe(e, rc);
	}
	if (rc == SQLITE_OK)
		return;
	enum store_status refusal = refusal_after(e, rc, in_commit);
	if (run_transaction(e, first, WRITES_REFUSED, refusal, &in_commit) == SQLITE_OK)
		return;
	for (struct request *r = first; r; r = r->next)
		request_reset(r, r->refused != STORE_OK ? r->refused : is_write(r) ? refusal : STORE_UNAVAILABLE);
}

bool sqlite_engine_takes_writes(const struct sqlite_engine *e)
{
	return !e->failing && e->reserve;
}

const char *sqlite_engine_trouble(const struct sqlite_engine *e)
{
	return e->trouble;
}
