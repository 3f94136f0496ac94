/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests of the store: limits, copies, replies, lists of them; see queue.h. */
#include "store/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static enum store_status check_key(const char *key, size_t shortest)
{
	size_t size = key ? strnlen(key, STORE_KEY_MAX + 1) : 0;

	if (!key || size < shortest)
		return STORE_BAD_ARGUMENT;
	if (size > STORE_KEY_MAX)
		return STORE_TOO_BIG;
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)key[i] < 0x20 || key[i] == 0x7f)
			return STORE_BAD_ARGUMENT;
	return STORE_OK;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A key twice in one transaction has no one meaning that every engine shares. */
static bool keys_differ(const struct store_op *ops, size_t count)
{
	const char **keys = mem_array(count, sizeof *keys);
	bool differ = true;

	for (size_t i = 0; i < count; i++)
		keys[i] = ops[i].key;
	qsort(keys, count, sizeof *keys, compare_texts);
	for (size_t i = 1; i < count; i++)
		differ = differ && strcmp(keys[i - 1], keys[i]) != 0;
	free(keys);
	return differ;
}

static enum store_status check_ops(const struct store_op *ops, size_t count)
{
	if (!ops || count == 0)
		return STORE_BAD_ARGUMENT;
	if (count > STORE_OPS_MAX)
		return STORE_TOO_BIG;
	for (size_t i = 0; i < count; i++) {
		enum store_status status = check_key(ops[i].key, 1);
		if (status != STORE_OK)
			return status;
		if (ops[i].expect < STORE_ANY)
			return STORE_BAD_ARGUMENT;
		if (ops[i].value && strnlen(ops[i].value, STORE_VALUE_MAX + 1) > STORE_VALUE_MAX)
			return STORE_TOO_BIG;
	}
	return keys_differ(ops, count) ? STORE_OK : STORE_BAD_ARGUMENT;
}

struct request *request_get(const char *key)
{
	struct request *r = mem_zalloc(sizeof *r);

	r->kind = REQUEST_GET;
	r->refused = check_key(key, 1);
	if (r->refused == STORE_OK)
		r->key = mem_strdup(key);
	return r;
}

struct request *request_prefix(const char *prefix, const char *after, size_t limit)
{
	struct request *r = mem_zalloc(sizeof *r);

	r->kind = REQUEST_LIST;
	r->refused = check_key(prefix, 0);
	if (r->refused == STORE_OK && after)
		r->refused = check_key(after, 0);
	if (r->refused == STORE_OK && (limit < 1 || limit > STORE_LIST_MAX))
		r->refused = STORE_BAD_ARGUMENT;
	if (r->refused != STORE_OK)
		return r;
	r->key = mem_strdup(prefix);
	r->after = after ? mem_strdup(after) : NULL;
	r->limit = limit;
	return r;
}

struct request *request_transact(const struct store_op *ops, size_t count)
{
	struct request *r = mem_zalloc(sizeof *r);

	r->kind = REQUEST_TRANSACT;
	r->refused = check_ops(ops, count);
	if (r->refused != STORE_OK)
		return r;
	r->ops = mem_array(count, sizeof *r->ops);
	r->op_count = count;
	for (size_t i = 0; i < count; i++)
		r->ops[i] = (struct store_op){.key = mem_strdup(ops[i].key),
					      .value = ops[i].value ? mem_strdup(ops[i].value) : NULL,
					      .expect = ops[i].expect};
	return r;
}

void request_reset(struct request *r, enum store_status status)
{
	for (size_t i = 0; i < r->reply.count; i++) {
		free((void *)(uintptr_t)r->pairs[i].key);
		free((void *)(uintptr_t)r->pairs[i].value);
	}
	free(r->pairs);
	r->pairs = NULL;
	r->bytes = 0;
	r->reply = (struct store_reply){.status = status};
}

void request_free(struct request *r)
{
	request_reset(r, STORE_OK);
	for (size_t i = 0; i < r->op_count; i++) {
		free((void *)(uintptr_t)r->ops[i].key);
		free((void *)(uintptr_t)r->ops[i].value);
	}
	free(r->ops);
	free(r->key);
	free(r->after);
	free(r);
}

static char *copy_bytes(const void *bytes, size_t size)
{
	char *text = mem_zalloc(size + 1);

	if (size)
		memcpy(text, bytes, size);
	return text;
}

void request_add_pair(struct request *r, const void *key, size_t key_size, const void *value, size_t value_size,
		      int64_t revision)
{
	if ((r->reply.count & (r->reply.count - 1)) == 0) /* room doubles at powers of two */
		r->pairs = mem_grow(r->pairs, r->reply.count ? r->reply.count * 2 : 1, sizeof *r->pairs);
	r->pairs[r->reply.count++] = (struct store_pair){.key = copy_bytes(key, key_size),
							 .value = copy_bytes(value, value_size),
							 .value_size = value_size,
							 .revision = revision};
	r->reply.pairs = r->pairs;
	r->bytes += key_size + value_size;
}

void request_append(struct request_list *list, struct request *r)
{
	r->next = NULL;
	if (list->last)
		list->last->next = r;
	else
		list->first = r;
	list->last = r;
}

struct request *request_take(struct request_list *list)
{
	struct request *r = list->first;

	if (!r)
		return NULL;
	list->first = r->next;
	if (!list->first)
		list->last = NULL;
	return r;
}

void request_move(struct request_list *to, struct request_list *from)
{
	if (!from->first)
		return;
	if (to->last)
		to->last->next = from->first;
	else
		to->first = from->first;
	to->last = from->last;
	*from = (struct request_list){0};
}
