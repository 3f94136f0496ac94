/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Summaries of hours and days on disk: a SQLite file of its own, because they are many and may be lost without harm, which key state may
 * not (store.h). One thread owns the file; the loop hands it work and never waits for the disk. What the values mean is the
 * caller's: here they are bytes under (period, kind, name, start). Used by engine/stats.c and the tests.
 *
 * WAL with synchronous=NORMAL: a killed process loses nothing that was committed, a lost power at most the last transactions. A file
 * that is damaged is kept aside as FILE.corrupt-N and a new one begun. On a full disk the reserve is given back and the oldest day of
 * the shortest period goes before anything new is refused. */
#ifndef GLORY_STORE_SUMMARIES_H
#define GLORY_STORE_SUMMARIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/loop.h"

#define SUMMARIES_NAME_MAX 64
#define SUMMARIES_WAITING_MAX 64

enum summaries_kind { SUMMARIES_SITE = 1, SUMMARIES_GROUP, SUMMARIES_NODE, SUMMARIES_POOL, SUMMARIES_SERVICE }; /* the last two: nobody writes them yet */

struct summaries;    /* the loop's side */
struct summaries_db; /* the thread's */

/* Runs in the thread, one after the other, in the order given. db is NULL when the file cannot be used. */
typedef void summaries_work(struct summaries_db *db, void *arg);
typedef void summaries_done(void *arg); /* then in the loop */

struct summaries *summaries_open(struct loop *loop, const char *path); /* the file is opened by the thread; NULL: no thread */
/* Finishes what was accepted (done is called from here for it), then closes. Not from inside a callback. NULL is fine. */
void summaries_close(struct summaries *s);
/* False: too much is waiting, nothing of it will be called. done may be NULL. */
bool summaries_run(struct summaries *s, summaries_work *work, summaries_done *done, void *arg);
/* One line of what is wrong at present, "" when all is well. */
const char *summaries_trouble(const struct summaries *s);

/* --- in the thread */
struct summaries_key {
	uint32_t period_s; /* 0: of the hour that runs */
	uint32_t kind;     /* enum summaries_kind */
	int64_t start_s;   /* wall clock */
	char name[SUMMARIES_NAME_MAX];
};
struct summaries_range { /* of one period and kind, by name, then by time */
	uint32_t period_s, kind;
	const char *name; /* NULL: all */
	int64_t from_s, before_s;
};
/* All writes between begin and commit are one transaction. commit: 0, or ERR_NO_RESOURCE and nothing of it was written; *full: it
 * may be tried again, room has been made. */
bool summaries_begin(struct summaries_db *db);
int summaries_commit(struct summaries_db *db, bool *again);
void summaries_put(struct summaries_db *db, const struct summaries_key *key, const void *bytes, size_t size); /* replaces */
void summaries_drop(struct summaries_db *db, uint32_t period_s, int64_t before_s);
/* visit returns false to end. The bytes are valid inside it. 0, or ERR_NO_RESOURCE when the file cannot be read. */
typedef bool summaries_visit(void *arg, const struct summaries_key *key, const uint8_t *bytes, size_t size);
int summaries_each(struct summaries_db *db, const struct summaries_range *range, summaries_visit *visit, void *arg);
/* The bytes under a key into out (room of them): their size, 0 when there are none. */
size_t summaries_get(struct summaries_db *db, const struct summaries_key *key, uint8_t *out, size_t room);

#endif
