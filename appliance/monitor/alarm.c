/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The set of alarms; see alarm.h. */
#include "monitor/alarm.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

#define COUNT_GAP_MS 60000
#define CLEARED_KEPT 1000

struct alarm_key { /* compared as bytes: always zeroed first */
	char object[ALARM_TEXT], kind[24], part[ALARM_TEXT];
};

struct entry {
	struct alarm alarm;
	struct alarm_key key;
	int64_t told_ms;
	UT_hash_handle by_key; /* active alarms only */
	UT_hash_handle by_id;
};

struct alarm_set {
	struct entry *active, *all; /* all: in order of id, because it is the order of insertion */
	uint64_t last_id;
	size_t cleared;
	void (*changed)(void *arg, struct alarm *alarm, enum alarm_change what);
	void *arg;
};

struct alarm_set *alarm_set_new(void (*changed)(void *arg, struct alarm *alarm, enum alarm_change what), void *arg)
{
	struct alarm_set *set = mem_zalloc(sizeof *set);

	set->changed = changed;
	set->arg = arg;
	return set;
}

void alarm_set_free(struct alarm_set *set)
{
	struct entry *e, *next;

	HASH_CLEAR(by_key, set->active);
	HASH_ITER(by_id, set->all, e, next)
	{
		HASH_DELETE(by_id, set->all, e);
		free(e);
	}
	free(set);
}

static void make_key(struct alarm_key *key, const char *object, const char *kind, const char *part)
{
	memset(key, 0, sizeof *key);
	text_copy(key->object, sizeof key->object, object);
	text_copy(key->kind, sizeof key->kind, kind);
	text_copy(key->part, sizeof key->part, part ? part : "");
}

static struct entry *find(struct alarm_set *set, const char *object, const char *kind, const char *part)
{
	struct alarm_key key;
	struct entry *e;

	make_key(&key, object, kind, part);
	HASH_FIND(by_key, set->active, &key, sizeof key, e);
	return e;
}

static void insert(struct alarm_set *set, struct entry *e)
{
	struct alarm *a = &e->alarm;

	make_key(&e->key, a->object, a->kind, a->part);
	if (a->cleared_ms == 0)
		HASH_ADD(by_key, set->active, key, sizeof e->key, e);
	else
		set->cleared++;
	HASH_ADD(by_id, set->all, alarm.id, sizeof a->id, e);
	if (a->id > set->last_id)
		set->last_id = a->id;
}

void alarm_restore(struct alarm_set *set, const struct alarm *alarm)
{
	struct entry *e;

	HASH_FIND(by_id, set->all, &alarm->id, sizeof alarm->id, e);
	if (e || (alarm->cleared_ms == 0 && find(set, alarm->object, alarm->kind, alarm->part)))
		return;
	e = mem_zalloc(sizeof *e);
	e->alarm = *alarm;
	insert(set, e);
}

static uint64_t raise_again(struct alarm_set *set, struct entry *e, const struct alarm_raise *w, int64_t now_ms)
{
	struct alarm *a = &e->alarm;
	bool updated = a->severity != w->severity || strcmp(a->cause, w->cause) || a->held != w->held || a->parent != w->parent;

	a->last_ms = now_ms;
	a->severity = w->severity;
	a->held = w->held;
	a->parent = w->parent;
	text_copy(a->cause, sizeof a->cause, w->cause);
	if (updated) {
		e->told_ms = now_ms;
		set->changed(set->arg, a, ALARM_UPDATED);
		return a->id;
	}
	a->count++;
	if (now_ms - e->told_ms >= COUNT_GAP_MS || now_ms < e->told_ms) {
		e->told_ms = now_ms;
		set->changed(set->arg, a, ALARM_COUNTED);
	}
	return a->id;
}

uint64_t alarm_raise(struct alarm_set *set, const struct alarm_raise *w, int64_t now_ms)
{
	struct entry *e = find(set, w->object, w->kind, w->part);

	if (e)
		return raise_again(set, e, w, now_ms);
	e = mem_zalloc(sizeof *e);
	struct alarm *a = &e->alarm;
	a->id = set->last_id + 1;
	a->parent = w->parent;
	a->severity = w->severity;
	a->held = w->held;
	a->node_slot = w->node_slot;
	a->first_ms = a->last_ms = e->told_ms = now_ms;
	a->count = 1;
	text_copy(a->object, sizeof a->object, w->object);
	text_copy(a->kind, sizeof a->kind, w->kind);
	text_copy(a->part, sizeof a->part, w->part ? w->part : "");
	text_copy(a->cause, sizeof a->cause, w->cause);
	insert(set, e);
	set->changed(set->arg, a, ALARM_RAISED);
	return a->id;
}

static void forget_oldest_cleared(struct alarm_set *set)
{
	struct entry *e, *next;

	HASH_ITER(by_id, set->all, e, next)
	{
		if (set->cleared <= CLEARED_KEPT)
			return;
		if (e->alarm.cleared_ms == 0)
			continue;
		set->changed(set->arg, &e->alarm, ALARM_FORGOTTEN);
		HASH_DELETE(by_id, set->all, e);
		free(e);
		set->cleared--;
	}
}

static void clear_entry(struct alarm_set *set, struct entry *e, int64_t now_ms)
{
	HASH_DELETE(by_key, set->active, e);
	e->alarm.cleared_ms = now_ms;
	set->cleared++;
	set->changed(set->arg, &e->alarm, ALARM_CLEARED);
	forget_oldest_cleared(set);
}

bool alarm_clear(struct alarm_set *set, const char *object, const char *kind, const char *part, int64_t now_ms)
{
	struct entry *e = find(set, object, kind, part);

	if (e)
		clear_entry(set, e, now_ms);
	return e != NULL;
}

void alarm_clear_object(struct alarm_set *set, const char *object, int64_t now_ms)
{
	struct entry *e, *next;

	HASH_ITER(by_key, set->active, e, next)
	{
		if (!strcmp(e->alarm.object, object))
			clear_entry(set, e, now_ms);
	}
}

struct alarm *alarm_by_id(struct alarm_set *set, uint64_t id)
{
	struct entry *e;

	HASH_FIND(by_id, set->all, &id, sizeof id, e);
	return e ? &e->alarm : NULL;
}

int alarm_acknowledge(struct alarm_set *set, uint64_t id, const char *by, int64_t now_ms)
{
	struct alarm *a = alarm_by_id(set, id);

	if (!a)
		return ERR_NOT_FOUND;
	if (a->cleared_ms)
		return ERR_NOT_NOW;
	if (a->acknowledged_ms)
		return 0;
	a->acknowledged_ms = now_ms;
	text_copy(a->acknowledged_by, sizeof a->acknowledged_by, by);
	set->changed(set->arg, a, ALARM_ACKNOWLEDGED);
	return 0;
}

uint64_t alarm_last_id(const struct alarm_set *set)
{
	return set->last_id;
}

void alarm_each(struct alarm_set *set, void (*fn)(void *arg, struct alarm *alarm), void *arg)
{
	struct entry *e, *next;

	HASH_ITER(by_id, set->all, e, next)
	{
		fn(arg, &e->alarm);
	}
}

void alarm_count(struct alarm_set *set, uint32_t *out)
{
	struct entry *e, *next;

	memset(out, 0, LEVEL_COUNT * sizeof out[0]);
	HASH_ITER(by_key, set->active, e, next)
	{
		if (e->alarm.severity < LEVEL_COUNT)
			out[e->alarm.severity]++;
	}
}
