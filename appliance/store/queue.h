/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the store's callers hand to its thread and get back: a request owns copies of everything it needs and its reply.
 * Made by store.c, carried out by an engine (sqlite.c). */
#ifndef GLORY_STORE_QUEUE_H
#define GLORY_STORE_QUEUE_H

#include "store/store.h"

#define STORE_OPS_MAX 4096		 /* of one transaction */
#define STORE_LIST_MAX 1000		 /* pairs of one reply */
#define STORE_REPLY_BYTES (4u << 20)	 /* a list stops here with `more` set */

enum request_kind { REQUEST_GET = 1, REQUEST_LIST, REQUEST_TRANSACT };

struct request {
	struct request *next;
	enum request_kind kind;
	enum store_status refused; /* not STORE_OK: wrong from the start, nothing is asked of the engine */
	char *key, *after;	   /* get: key; list: prefix and after */
	size_t limit;
	struct store_op *ops; /* keys and values owned */
	size_t op_count;
	store_done *done;
	void *arg;
	struct store_reply reply;
	struct store_pair *pairs; /* what reply.pairs points to; keys and values owned */
	size_t bytes;		  /* of the pairs */
};

struct request_list {
	struct request *first, *last;
};

struct request *request_get(const char *key);
struct request *request_prefix(const char *prefix, const char *after, size_t limit);
struct request *request_transact(const struct store_op *ops, size_t count);
void request_free(struct request *r);

/* Forgets the reply, so that the request can be carried out once more. */
void request_reset(struct request *r, enum store_status status);
/* Copies one pair behind the others of the reply. */
void request_add_pair(struct request *r, const void *key, size_t key_size, const void *value, size_t value_size, int64_t revision);

void request_append(struct request_list *list, struct request *r);
/* Takes the first; NULL when there is none. */
struct request *request_take(struct request_list *list);
/* Moves all of from behind those of to. */
void request_move(struct request_list *to, struct request_list *from);

#endif
