/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plan of an agent: every object and every instance that is to be read from it, cut into requests of at most so
 * many names. Agents with equal rows share their requests. Made anew when objects, rows or the agent's limits change.
 */
#include "mibs/collector/engine_private.h"
#include "mibs/collector/process.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"

enum { WANTS_MAX = ENGINE_PARTS_MAX * QUERY_VARBINDS };

struct wish {
	uint16_t every;
	struct query_want want;
};

void plan_drop(struct engine *e, struct agent *a)
{
	for (unsigned i = 0; i < a->part_count; i++)
		query_release(e->queries, a->parts[i]);
	a->part_count = 0;
	a->serial++; /* answers that are still on their way belong to the old plan */
	a->stale = true;
}

void plan_exclude(struct agent *a, uint16_t object, uint16_t instance)
{
	if (!a->excluded)
		a->excluded = mem_array(EXCLUDED_MAX, sizeof *a->excluded);
	if (a->excluded_count < EXCLUDED_MAX)
		a->excluded[a->excluded_count++] = (struct excluded){object, instance};
	a->stale = true;
}

void plan_halve(struct engine *e, struct agent *a)
{
	(void)e;
	if (a->most_items > 1)
		a->most_items /= 2;
	a->stale = true;
}

static bool is_excluded(const struct agent *a, uint16_t object, uint16_t instance)
{
	for (unsigned i = 0; i < a->excluded_count; i++)
		if (a->excluded[i].object == object && a->excluded[i].instance == instance)
			return true;
	return false;
}

/* Every so many polls. */
static uint16_t poll_divisor(const struct engine *e, uint32_t interval_ms)
{
	uint32_t every = e->poll_ms ? interval_ms / e->poll_ms : 1;

	return (uint16_t)(every ? every : 1);
}

static void wish_add(struct wish *wishes, size_t *count, const struct engine *e, const struct agent *a,
		     const struct msg_object *o, const struct row *row)
{
	uint16_t instance = row ? row->instance : 0;

	if (*count == WANTS_MAX || is_excluded(a, o->object, instance) || o->oid_length + SUFFIX_MAX > QUERY_OID_MAX ||
	    o->oid_length > OBJECT_OID_MAX)
		return;
	struct wish *w = &wishes[(*count)++];

	memset(w, 0, sizeof *w);
	w->every = poll_divisor(e, o->interval_s * 1000u);
	w->want.object = o->object;
	w->want.instance = instance;
	w->want.oid_length = o->oid_length;
	memcpy(w->want.oid, o->oid, o->oid_length * sizeof o->oid[0]);
	if (row) {
		memcpy(w->want.oid + o->oid_length, row->suffix, row->suffix_length * sizeof row->suffix[0]);
		w->want.oid_length = (uint8_t)(o->oid_length + row->suffix_length);
	}
}

static size_t collect(const struct engine *e, const struct agent *a, struct wish *wishes)
{
	size_t count = 0;

	for (size_t i = 0; i < e->object_count; i++)
		if (e->objects[i].shape == OBJECT_SCALAR)
			wish_add(wishes, &count, e, a, &e->objects[i], NULL);
	for (unsigned t = 0; t < e->table_count; t++)
		for (unsigned r = 0; r < a->tables[t].count && a->tables[t].number == e->tables[t]->table; r++)
			for (size_t i = 0; i < e->object_count && !a->tables[t].rows[r].gone; i++)
				if (e->objects[i].shape == OBJECT_COLUMN && e->objects[i].table == a->tables[t].number)
					wish_add(wishes, &count, e, a, &e->objects[i], &a->tables[t].rows[r]);
	for (unsigned i = 0; count < WANTS_MAX && processes_wish(a, i, &wishes[count].want); i++)
		wishes[count++].every = poll_divisor(e, PROCESS_EVERY_MS);
	return count;
}

static int by_interval(const void *left, const void *right)
{
	const struct wish *a = left, *b = right;

	return (a->every > b->every) - (a->every < b->every);
}

/* One request of up to `most` wishes of one interval, fewer when their names are too long. Returns how many were taken.
 */
static size_t make_part(struct engine *e, struct agent *a, const struct wish *wishes, size_t count, size_t most)
{
	struct query_want wants[QUERY_VARBINDS];
	size_t n = 0;

	while (n < most && n < count && n + 1 < QUERY_VARBINDS && wishes[n].every == wishes[0].every)
		n++;
	wants[0] = (struct query_want){.oid_length = 9, .oid = {1, 3, 6, 1, 2, 1, 1, 3, 0}};
	for (; n; n /= 2) {
		for (size_t i = 0; i < n; i++)
			wants[i + 1] = wishes[i].want;
		struct query *q = query_get(e->queries, wants, n + 1, wishes[0].every);
		if (q) {
			a->parts[a->part_count++] = q;
			return n;
		}
	}
	return 1; /* a name that cannot be asked at all */
}

/* Sorting must keep the order of names within an interval, or equal agents would not share requests: qsort is not
 * stable. */
static void sort_wishes(struct wish *wishes, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (by_interval(&wishes[i - 1], &wishes[i]) > 0) {
			struct wish moved = wishes[i];
			size_t at = i;
			for (; at > 0 && by_interval(&wishes[at - 1], &moved) > 0; at--)
				wishes[at] = wishes[at - 1];
			wishes[at] = moved;
		}
}

void plan_make(struct engine *e, struct agent *a)
{
	static struct wish wishes[WANTS_MAX]; /* large, and there is one loop */
	struct query *old[ENGINE_PARTS_MAX];
	unsigned old_count = a->part_count;
	size_t count = collect(e, a, wishes), done = 0;

	memcpy(old, a->parts, sizeof old);
	a->part_count = 0;
	sort_wishes(wishes, count);
	while (done < count && a->part_count < ENGINE_PARTS_MAX)
		done += make_part(e, a, wishes + done, count - done, a->most_items);
	if (done < count)
		log_warning("collector: agent %u has more to read than %d requests of %u objects: %zu values are left "
			    "out; add a filter to the item",
			    a->slot, ENGINE_PARTS_MAX, a->most_items, count - done);
	for (unsigned i = 0; i < old_count; i++)
		query_release(e->queries, old[i]);
	a->serial++;
	a->stale = false;
}
