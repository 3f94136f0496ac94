/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The only door to key state (contracts, section 7). Keys are text with '/', values JSON text of at most 64 KiB. All calls are
 * asynchronous: they return at once and finish in the loop, in the order they were made; the SQLite engine commits groups of
 * them in one thread (WAL, synchronous=FULL), and answers after the commit. Watch, lease and elect come with the key masters. */
#ifndef GLORY_STORE_STORE_H
#define GLORY_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/loop.h"

#define STORE_KEY_MAX 512
#define STORE_VALUE_MAX 65536

struct store;

enum store_status {
	STORE_OK = 0,
	STORE_NOT_FOUND,
	STORE_CONFLICT,    /* a compare failed: nothing was written; the reply holds the present value of the first that differed */
	STORE_UNAVAILABLE, /* disk full or I/O error: nothing was written; store_trouble() says why */
	STORE_UNKNOWN,     /* may have been written: read again */
	STORE_TOO_BIG,
	STORE_BAD_ARGUMENT
};

struct store_pair {
	const char *key;
	const char *value; /* terminated; value_size without the zero */
	size_t value_size;
	int64_t revision;  /* of the last change of this key, > 0 */
};

struct store_reply { /* valid inside the callback only */
	enum store_status status;
	int64_t revision; /* of the store after a write */
	size_t count;
	const struct store_pair *pairs;
	int more; /* list: there are more behind the last */
};

typedef void store_done(void *arg, const struct store_reply *reply);

/* url "sqlite:/path/file.db" (made 0600 when missing). Blocking; called at start. NULL with the reason in the log. A file that is
 * corrupt is kept aside as FILE.corrupt-N and said loudly, never silently replaced. */
struct store *store_open(struct loop *loop, const char *url);
/* Waits for what was accepted (its callbacks run here; calls they make are answered STORE_UNAVAILABLE), then closes. Not from
 * inside a callback. */
void store_close(struct store *store);
void store_get(struct store *store, const char *key, store_done *done, void *arg);
/* Keys that begin with prefix, in order, behind `after` (NULL: from the first), at most limit (1 to 1,000; also cut,
 * with `more`, behind 4 MiB) */
void store_list(struct store *store, const char *prefix, const char *after, size_t limit, store_done *done, void *arg);

#define STORE_ANY (-1) /* expect: whatever stands there */
struct store_op {
	const char *key;
	const char *value; /* NULL: delete */
	int64_t expect;    /* STORE_ANY, 0 = must not exist, or the revision it must have */
};
/* All of the ops or none; each key at most once (STORE_BAD_ARGUMENT), at most 4,096 of them. Deleting what is not there is fine.
 * Copies what it needs. done may be NULL. */
void store_transact(struct store *store, const struct store_op *ops, size_t count, store_done *done, void *arg);
void store_put(struct store *store, const char *key, const char *value, store_done *done, void *arg);
void store_delete(struct store *store, const char *key, store_done *done, void *arg);
/* One line of what is wrong with the disk or file at present; "" when all is well. */
const char *store_trouble(const struct store *store);
/* False while writes fail, or succeed only in what was the reserve: that room is for what has been accepted already. Known anew
 * after each write. */
bool store_takes_commands(const struct store *store);
size_t store_pending(const struct store *store);

#endif
