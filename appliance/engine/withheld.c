/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Alarms held back; see withheld.h. */
#include "engine/withheld.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/memory.h"
#include "base/text.h"
#include "engine/silences.h"

#define WITHHELD_MAX 100000

struct key { /* compared as bytes: zeroed first */
	char object[ALARM_TEXT], kind[24], part[ALARM_TEXT];
};

struct entry {
	struct key key;
	char cause[CAUSE_SIZE];
	uint32_t severity, held, slot;
	uint64_t parent;
	UT_hash_handle hh;
};

static struct entry *all;
static bool counts_changed;

static void make_key(struct key *k, const char *object, const char *kind, const char *part)
{
	memset(k, 0, sizeof *k);
	text_copy(k->object, sizeof k->object, object);
	text_copy(k->kind, sizeof k->kind, kind);
	text_copy(k->part, sizeof k->part, part ? part : "");
}

/* The domain whose root alarm speaks for this node; MODEL_DOMAINS: none. */
static uint32_t root_of(struct engine *e, uint32_t slot)
{
	const struct node_state *s = engine_state(e, slot);
	uint32_t root = s && s->judged ? s->verdict.root : MODEL_DOMAINS;

	return root < MODEL_DOMAINS && e->domain_alarm[root] ? root : MODEL_DOMAINS;
}

static bool is_own(const char *kind)
{
	return strcmp(kind, "verdict") != 0 && strcmp(kind, "identity") != 0;
}

static bool held_back(struct engine *e, const char *object, const char *kind, const char *part, uint32_t slot)
{
	if (silences_until(e, object, slot, kind))
		return true;
	/* what was raised before the root is known: it stays */
	return root_of(e, slot) < MODEL_DOMAINS && is_own(kind) && !alarm_active(e->alarms, object, kind, part);
}

static void remove_entry(struct entry *x)
{
	HASH_DEL(all, x);
	free(x);
	counts_changed = true;
}

bool withheld_take(struct engine *e, const struct alarm_raise *w)
{
	struct entry *x;
	struct key key;

	make_key(&key, w->object, w->kind, w->part);
	HASH_FIND(hh, all, &key, sizeof key, x);
	if (!held_back(e, w->object, w->kind, w->part, w->node_slot)) {
		if (x)
			remove_entry(x);
		return false;
	}
	if (!x && HASH_COUNT(all) >= WITHHELD_MAX)
		return false;
	if (!x) {
		x = mem_zalloc(sizeof *x);
		x->key = key;
		HASH_ADD(hh, all, key, sizeof x->key, x);
		counts_changed = true;
	}
	x->severity = w->severity;
	x->held = w->held;
	x->slot = w->node_slot;
	x->parent = w->parent;
	text_copy(x->cause, sizeof x->cause, w->cause);
	return true;
}

void withheld_drop(const char *object, const char *kind, const char *part)
{
	struct entry *x, *next;
	struct key key;

	if (part) {
		make_key(&key, object, kind, part);
		HASH_FIND(hh, all, &key, sizeof key, x);
		if (x)
			remove_entry(x);
		return;
	}
	HASH_ITER(hh, all, x, next)
	{
		if (!strcmp(x->key.object, object))
			remove_entry(x);
	}
}

void withheld_review(struct engine *e, uint32_t slot)
{
	struct entry *x, *next;

	HASH_ITER(hh, all, x, next)
	{
		if ((slot != NO_SLOT && x->slot != slot) || held_back(e, x->key.object, x->key.kind, x->key.part, x->slot))
			continue;
		const struct entry was = *x;
		uint64_t id = alarms_raise(e, was.key.object, was.key.kind, was.key.part, (enum level)was.severity, was.cause, was.slot, was.parent,
					   was.held); /* takes it out of here */
		if (!strcmp(was.key.kind, "verdict") && engine_state(e, was.slot))
			e->nodes[was.slot]->alarm = id;
	}
}

struct found {
	struct engine *e;
	struct alarm *alarms;
	size_t count;
};

static void find_silenced(void *arg, struct alarm *a)
{
	struct found *f = arg;

	if (a->cleared_ms || !silences_until(f->e, a->object, a->node_slot, a->kind))
		return;
	f->alarms = mem_grow(f->alarms, f->count + 1, sizeof f->alarms[0]);
	f->alarms[f->count++] = *a;
}

void withheld_begin(struct engine *e)
{
	struct found f = {.e = e};

	alarm_each(e->alarms, find_silenced, &f);
	for (size_t i = 0; i < f.count; i++) {
		const struct alarm *a = &f.alarms[i];
		if (a->good)
			alarms_withdraw(e, a->object, a->kind, a->part);
		else
			alarms_raise(e, a->object, a->kind, a->part, (enum level)a->severity, a->cause, a->node_slot, a->parent, a->held);
	}
	free(f.alarms);
}

unsigned withheld_under(struct engine *e, uint32_t domain)
{
	unsigned count = 0;

	for (const struct entry *x = all; x; x = x->hh.next)
		count += root_of(e, x->slot) == domain && is_own(x->key.kind);
	return count;
}

void withheld_tick(struct engine *e)
{
	if (!counts_changed)
		return;
	counts_changed = false;
	for (uint32_t d = 0; d < e->model.domain_top; d++)
		if (e->domain_alarm[d])
			judgement_domain_again(e, d);
}
