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
	struct damp damp;
	int64_t told_ms; /* of count and update */
	int64_t end_ms;  /* monotonic: when its end is to be told; 0 nothing is owed */
	bool hashed;     /* by_key: it is active, or was cleared a moment ago */
	UT_hash_handle by_key;
	UT_hash_handle by_id;
};

struct alarm_set {
	struct entry *recent, *all; /* all: in order of id, because it is the order of insertion */
	uint64_t last_id;
	size_t cleared;
	struct damp_rule rule;
	void (*changed)(void *arg, struct alarm *alarm, enum alarm_change what);
	void *arg;
};

struct alarm_set *alarm_set_new(void (*changed)(void *arg, struct alarm *alarm, enum alarm_change what), void *arg)
{
	struct alarm_set *set = mem_zalloc(sizeof *set);

	set->changed = changed;
	set->arg = arg;
	set->rule = damp_rule_usual(1);
	return set;
}

void alarm_set_damping(struct alarm_set *set, const struct damp_rule *rule)
{
	set->rule = *rule;
}

void alarm_set_free(struct alarm_set *set)
{
	struct entry *e, *next;

	HASH_CLEAR(by_key, set->recent);
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
	HASH_FIND(by_key, set->recent, &key, sizeof key, e);
	return e;
}

static bool is_active(const struct entry *e)
{
	return e->alarm.cleared_ms == 0;
}

static struct entry *find_active(struct alarm_set *set, const char *object, const char *kind, const char *part)
{
	struct entry *e = find(set, object, kind, part);

	return e && is_active(e) ? e : NULL;
}

static void insert(struct alarm_set *set, struct entry *e)
{
	struct alarm *a = &e->alarm;

	make_key(&e->key, a->object, a->kind, a->part);
	HASH_ADD(by_key, set->recent, key, sizeof e->key, e);
	e->hashed = true;
	if (!is_active(e))
		set->cleared++;
	HASH_ADD(by_id, set->all, alarm.id, sizeof a->id, e);
	if (a->id > set->last_id)
		set->last_id = a->id;
}

static void unhash(struct alarm_set *set, struct entry *e)
{
	if (e->hashed)
		HASH_DELETE(by_key, set->recent, e);
	e->hashed = false;
}

void alarm_restore(struct alarm_set *set, const struct alarm *alarm, int64_t mono_ms)
{
	struct entry *e, *other = find(set, alarm->object, alarm->kind, alarm->part);

	HASH_FIND(by_id, set->all, &alarm->id, sizeof alarm->id, e);
	if (e || (alarm->cleared_ms == 0 && other && is_active(other)))
		return;
	if (other && alarm->cleared_ms == 0)
		unhash(set, other);
	e = mem_zalloc(sizeof *e);
	e->alarm = *alarm;
	e->damp.flapping = alarm->flapping;
	e->damp.turned_ms = mono_ms;
	e->end_ms = !is_active(e) && alarm->told ? mono_ms : 0;
	insert(set, e);
	if (!is_active(e) && (!e->end_ms || other))
		unhash(set, e);
}

static void fill(struct alarm *a, const struct alarm_raise *w, int64_t wall_ms)
{
	a->last_ms = wall_ms;
	a->severity = w->severity;
	a->held = w->held;
	a->parent = w->parent;
	a->node_slot = w->node_slot;
	text_copy(a->cause, sizeof a->cause, w->cause);
}

static uint64_t raise_again(struct alarm_set *set, struct entry *e, const struct alarm_raise *w, int64_t now_ms)
{
	struct alarm *a = &e->alarm;
	bool updated = a->severity != w->severity || strcmp(a->cause, w->cause) || a->held != w->held || a->parent != w->parent;

	fill(a, w, now_ms);
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

/* It was cleared a moment ago, or was well while it flapped, and is bad again: the same alarm, once more. */
static uint64_t call_again(struct alarm_set *set, struct entry *e, const struct alarm_raise *w, struct alarm_now now)
{
	struct alarm *a = &e->alarm;
	bool tell = !a->told;

	set->cleared -= !is_active(e);
	fill(a, w, now.wall_ms);
	a->cleared_ms = 0;
	a->count++;
	a->good = false;
	a->flapping = damp_call(&e->damp, &set->rule, now.mono_ms);
	a->told = true;
	e->end_ms = 0;
	e->told_ms = now.wall_ms;
	if (tell) {
		a->acknowledged_ms = 0;
		a->acknowledged_by[0] = '\0';
	}
	set->changed(set->arg, a, tell ? ALARM_REOPENED : ALARM_UPDATED);
	return a->id;
}

uint64_t alarm_raise(struct alarm_set *set, const struct alarm_raise *w, struct alarm_now now)
{
	struct entry *e = find(set, w->object, w->kind, w->part);

	if (e && (!is_active(e) || e->alarm.good))
		return call_again(set, e, w, now);
	if (e)
		return raise_again(set, e, w, now.wall_ms);
	e = mem_zalloc(sizeof *e);
	struct alarm *a = &e->alarm;
	a->id = set->last_id + 1;
	fill(a, w, now.wall_ms);
	a->first_ms = e->told_ms = now.wall_ms;
	a->count = 1;
	a->told = true;
	damp_call(&e->damp, &set->rule, now.mono_ms);
	text_copy(a->object, sizeof a->object, w->object);
	text_copy(a->kind, sizeof a->kind, w->kind);
	text_copy(a->part, sizeof a->part, w->part ? w->part : "");
	insert(set, e);
	set->changed(set->arg, a, ALARM_RAISED);
	return a->id;
}

static void tell_end(struct alarm_set *set, struct entry *e)
{
	e->end_ms = 0;
	e->alarm.told = false;
	set->changed(set->arg, &e->alarm, ALARM_END);
}

static void forget_oldest_cleared(struct alarm_set *set)
{
	struct entry *e, *next;

	HASH_ITER(by_id, set->all, e, next)
	{
		if (set->cleared <= CLEARED_KEPT)
			return;
		if (is_active(e))
			continue;
		if (e->alarm.told)
			tell_end(set, e);
		set->changed(set->arg, &e->alarm, ALARM_FORGOTTEN);
		unhash(set, e);
		HASH_DELETE(by_id, set->all, e);
		free(e);
		set->cleared--;
	}
}

/* settled: its end is told at once. */
static void clear_entry(struct alarm_set *set, struct entry *e, bool settled, struct alarm_now now)
{
	e->alarm.cleared_ms = now.wall_ms;
	e->alarm.flapping = e->alarm.good = false;
	e->end_ms = now.mono_ms + set->rule.settle_ms;
	set->cleared++;
	set->changed(set->arg, &e->alarm, ALARM_CLEARED);
	if (settled)
		tell_end(set, e);
}

bool alarm_clear(struct alarm_set *set, const char *object, const char *kind, const char *part, struct alarm_now now)
{
	struct entry *e = find_active(set, object, kind, part);

	if (!e || e->alarm.good)
		return e != NULL;
	bool old = now.mono_ms - e->damp.turned_ms >= set->rule.within_ms;

	damp_good(&e->damp, now.mono_ms);
	if (!e->alarm.flapping) {
		clear_entry(set, e, old, now);
		forget_oldest_cleared(set);
		return true;
	}
	e->alarm.good = true;
	set->changed(set->arg, &e->alarm, ALARM_UPDATED);
	return true;
}

static void withdraw(struct alarm_set *set, struct entry *e, struct alarm_now now)
{
	damp_uncall(&e->damp);
	e->damp.flapping = false;
	clear_entry(set, e, true, now);
}

bool alarm_withdraw(struct alarm_set *set, const char *object, const char *kind, const char *part, struct alarm_now now)
{
	struct entry *e = find_active(set, object, kind, part);

	if (!e)
		return false;
	withdraw(set, e, now);
	forget_oldest_cleared(set);
	return true;
}

void alarm_clear_object(struct alarm_set *set, const char *object, struct alarm_now now)
{
	struct entry *e, *next;

	HASH_ITER(by_key, set->recent, e, next)
	{
		if (is_active(e) && !strcmp(e->alarm.object, object))
			withdraw(set, e, now);
	}
	forget_oldest_cleared(set);
}

static void tick_one(struct alarm_set *set, struct entry *e, struct alarm_now now)
{
	struct alarm *a = &e->alarm;

	if (is_active(e)) {
		if (!a->flapping || damp_until(&e->damp, &set->rule, now.mono_ms) != INT64_MAX)
			return;
		a->flapping = false;
		if (a->good)
			clear_entry(set, e, true, now);
		else
			set->changed(set->arg, a, ALARM_UPDATED);
		return;
	}
	if (e->end_ms && now.mono_ms >= e->end_ms)
		tell_end(set, e);
	if (!e->end_ms && now.mono_ms - e->damp.turned_ms >= set->rule.within_ms)
		unhash(set, e);
}

void alarm_tick(struct alarm_set *set, struct alarm_now now)
{
	struct entry *e, *next;

	HASH_ITER(by_key, set->recent, e, next)
	{
		tick_one(set, e, now);
	}
	forget_oldest_cleared(set);
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

bool alarm_active(struct alarm_set *set, const char *object, const char *kind, const char *part)
{
	return find_active(set, object, kind, part) != NULL;
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
	HASH_ITER(by_key, set->recent, e, next)
	{
		if (is_active(e) && e->alarm.severity < LEVEL_COUNT)
			out[e->alarm.severity]++;
	}
}
