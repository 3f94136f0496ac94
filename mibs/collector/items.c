/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Items of the wanted state: which agent is asked for which, when, in which requests; see items.h. */
#include "mibs/collector/items.h"

#include <stdlib.h>
#include <string.h>

#include "base/glob.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/wheel.h"
#include "mibs/collector/engine_private.h"

enum { NAMES_MAX = 2 * ITEMS_MAX, PARTS_MAX = 24, WISHES_MAX = PARTS_MAX * QUERY_VARBINDS, STALE_AGAIN_MS = 20, OPEN_MS = 900, SPREAD_MS = 1000, ROWS_AGAIN_MS = 60000,
       SILENT_MS = 3 * ENGINE_RETRY_MS, QUICK_S = 60 };

/* A column of names that items share. Its place stays while one of them uses it, so rows that are known stay known. */
struct names {
	uint8_t length; /* 0: free */
	uint32_t oid[OBJECT_OID_MAX];
	uint64_t walks, requests, bytes;
};

struct items_engine {
	struct msg_item items[ITEMS_MAX];
	uint8_t names_of[ITEMS_MAX]; /* 1 + index of names; 0 scalar */
	uint64_t used;
	struct names names[NAMES_MAX]; /* as many again, for a list that changes them all */
	struct wheel wheel; /* per slot */
};

struct part {
	struct query *query;
	uint32_t interval_ms;
	bool settled; /* its place within the interval is found */
	int64_t due;
};

struct names_rows {
	uint8_t names;
	struct table table;
};

struct agent_items {
	uint64_t wanted;
	uint16_t serial;
	uint8_t part_count, most, open, excluded_count, table_count;
	bool stale;
	int64_t sent, walked, excluded_at;
	struct part parts[PARTS_MAX];
	struct names_rows *tables;
	struct excluded excluded[EXCLUDED_MAX];
};

static uint64_t bit(unsigned number)
{
	return UINT64_C(1) << number;
}

/* --- what there is ------------------------------------------------------------------------------------- */

static bool sound(const struct msg_item *m)
{
	return m->number < ITEMS_MAX && m->oid_length >= 2 && m->oid_length <= OBJECT_OID_MAX && m->names_length <= OBJECT_OID_MAX &&
	       m->names_length != 1 && m->interval_s >= 1 && m->interval_s <= 86400 && text_terminated(m->include, sizeof m->include) &&
	       text_terminated(m->exclude, sizeof m->exclude) && m->oid_length + SUFFIX_MAX <= QUERY_OID_MAX;
}

static uint8_t names_place(struct items_engine *all, const struct msg_item *m)
{
	unsigned place = NAMES_MAX;

	if (!m->names_length)
		return 0;
	for (unsigned i = 0; i < NAMES_MAX; i++) {
		const struct names *n = &all->names[i];
		if (n->length == m->names_length && !memcmp(n->oid, m->names, m->names_length * sizeof m->names[0]))
			return (uint8_t)(i + 1);
		if (!n->length && place == NAMES_MAX)
			place = i;
	}
	all->names[place] = (struct names){.length = m->names_length};
	memcpy(all->names[place].oid, m->names, m->names_length * sizeof m->names[0]);
	return (uint8_t)(place + 1);
}

static bool names_are_used(const struct items_engine *all, unsigned at)
{
	for (unsigned i = 0; i < ITEMS_MAX; i++)
		if (all->used & bit(i) && all->names_of[i] == at + 1)
			return true;
	return false;
}

/* Takes the new list in; the bits of those that are other than before. */
static uint64_t take_list(struct items_engine *all, const struct msg_item *items, size_t count)
{
	uint64_t changed = all->used, used = 0;

	for (size_t i = 0; i < count; i++)
		used |= sound(&items[i]) ? bit(items[i].number) : 0;
	all->used &= used;
	for (unsigned i = 0; i < NAMES_MAX; i++) /* places of those that are gone become free before new ones are looked for */
		if (all->names[i].length && !names_are_used(all, i))
			all->names[i].length = 0;
	for (size_t i = 0; i < count; i++) {
		const struct msg_item *m = &items[i];
		if (!sound(m))
			continue;
		if (changed & bit(m->number) && !memcmp(&all->items[m->number], m, sizeof *m))
			changed &= ~bit(m->number);
		else
			changed |= bit(m->number);
		all->items[m->number] = *m;
		all->names_of[m->number] = names_place(all, m);
		all->used |= bit(m->number);
	}
	return changed;
}

/* --- rows ---------------------------------------------------------------------------------------------- */

unsigned items_tables(const struct agent *a)
{
	return a->items ? a->items->table_count : 0;
}

struct table *items_table(struct engine *e, const struct agent *a, unsigned at, const uint32_t **oid, uint8_t *length)
{
	struct names_rows *r = &a->items->tables[at];

	*oid = e->items->names[r->names].oid;
	*length = e->items->names[r->names].length;
	return &r->table;
}

static struct names_rows *rows_of(const struct agent_items *own, unsigned names)
{
	for (unsigned i = 0; i < own->table_count; i++)
		if (own->tables[i].names == names)
			return &own->tables[i];
	return NULL;
}

static bool row_counts(const struct msg_item *m, const struct row *row)
{
	return !row->gone && glob_wanted(m->include, m->exclude, row->name);
}

static void tell_row(struct engine *e, struct agent *a, unsigned number, const struct row *row, bool gone)
{
	const struct msg_item *m = &e->items->items[number];

	if (glob_wanted(m->include, m->exclude, row->name))
		e->ops.row(e->arg, a->slot, item_object(m->number, m->generation), row->instance, row->name, gone);
}

bool items_want_row(const struct engine *e, const struct agent *a, unsigned at, const char *name)
{
	for (unsigned i = 0; i < ITEMS_MAX; i++)
		if (a->items->wanted & e->items->used & bit(i) && e->items->names_of[i] == a->items->tables[at].names + 1 &&
		    glob_wanted(e->items->items[i].include, e->items->items[i].exclude, name))
			return true;
	return false;
}

void items_row(struct engine *e, struct agent *a, unsigned at, const struct row *row, bool gone)
{
	unsigned names = a->items->tables[at].names;

	for (unsigned i = 0; i < ITEMS_MAX; i++)
		if (a->items->wanted & e->items->used & bit(i) && e->items->names_of[i] == names + 1)
			tell_row(e, a, i, row, gone);
	a->items->stale = true;
	wheel_set(&e->items->wheel, a->slot, 0);
}

void items_walked(struct engine *e, struct agent *a, unsigned at, unsigned requests, uint64_t bytes)
{
	struct names *n = &e->items->names[a->items->tables[at].names];

	n->walks++;
	n->requests += requests;
	n->bytes += bytes;
}

static void tables_forget(struct agent_items *own)
{
	for (unsigned i = 0; i < own->table_count; i++)
		free(own->tables[i].table.rows);
	free(own->tables);
	own->tables = NULL;
	own->table_count = 0;
}

/* The tables this agent's items need: those that are known stay with their rows. True: some must be walked first. */
static bool tables_choose(struct engine *e, struct agent_items *own)
{
	struct names_rows kept[ITEMS_MAX];
	unsigned count = 0;
	bool news = false;

	for (unsigned n = 0; n < NAMES_MAX; n++) {
		bool needed = false;
		for (unsigned i = 0; i < ITEMS_MAX && !needed; i++)
			needed = (own->wanted & e->items->used & bit(i)) && e->items->names_of[i] == n + 1;
		struct names_rows *known = rows_of(own, n);
		uint16_t number = (uint16_t)text_hash(e->items->names[n].oid, e->items->names[n].length * sizeof(uint32_t));
		if (known && (!needed || known->table.number != number)) { /* the place is another column's now */
			free(known->table.rows);
			known->table.rows = NULL;
			known = NULL;
		}
		if (!needed)
			continue;
		news |= !known;
		kept[count++] = known ? *known : (struct names_rows){.names = (uint8_t)n, .table = {.number = number}};
	}
	free(own->tables);
	own->tables = count ? mem_array(count, sizeof *own->tables) : NULL;
	if (count)
		memcpy(own->tables, kept, count * sizeof *kept);
	own->table_count = (uint8_t)count;
	return news;
}

/* --- the plan ------------------------------------------------------------------------------------------ */

struct wish {
	uint32_t interval_s;
	struct query_want want;
};

static bool left_out(const struct agent_items *own, uint16_t object, uint16_t instance)
{
	for (unsigned i = 0; i < own->excluded_count; i++)
		if (own->excluded[i].object == object && own->excluded[i].instance == instance)
			return true;
	return false;
}

static void wish_for(struct wish *wishes, size_t *count, const struct agent_items *own, const struct msg_item *m, const struct row *row)
{
	uint16_t object = item_object(m->number, m->generation), instance = row ? row->instance : 0;

	if (*count == WISHES_MAX || left_out(own, object, instance))
		return;
	struct wish *w = &wishes[*count];
	memset(w, 0, sizeof *w);
	w->interval_s = m->interval_s;
	w->want = (struct query_want){.object = object, .instance = instance, .oid_length = m->oid_length};
	memcpy(w->want.oid, m->oid, m->oid_length * sizeof m->oid[0]);
	if (row) {
		memcpy(w->want.oid + m->oid_length, row->suffix, row->suffix_length * sizeof row->suffix[0]);
		w->want.oid_length = (uint8_t)(m->oid_length + row->suffix_length);
	}
	size_t at = (*count)++;
	for (struct wish moved = *w; at > 0 && wishes[at - 1].interval_s > moved.interval_s; at--) { /* by interval, else in their order */
		wishes[at] = wishes[at - 1];
		wishes[at - 1] = moved;
	}
}

static size_t wishes_of(const struct engine *e, const struct agent_items *own, struct wish *wishes)
{
	size_t count = 0;

	for (unsigned i = 0; i < ITEMS_MAX; i++) {
		const struct msg_item *m = &e->items->items[i];
		if (!(own->wanted & e->items->used & bit(i)))
			continue;
		if (!e->items->names_of[i]) {
			wish_for(wishes, &count, own, m, NULL);
			continue;
		}
		const struct names_rows *r = rows_of(own, e->items->names_of[i] - 1u);
		for (unsigned n = 0; r && n < r->table.count; n++)
			if (row_counts(m, &r->table.rows[n]))
				wish_for(wishes, &count, own, m, &r->table.rows[n]);
	}
	return count;
}

/* When the requests of this interval were to be sent next; slow ones are asked at once, for nobody waits a day for a first value. */
static struct part timing(const struct part *old, unsigned count, uint32_t interval_s, int64_t now)
{
	for (unsigned i = 0; i < count && interval_s < QUICK_S; i++)
		if (old[i].interval_ms == interval_s * 1000)
			return (struct part){.interval_ms = interval_s * 1000, .settled = old[i].settled, .due = old[i].due};
	return (struct part){.interval_ms = interval_s * 1000, .due = now};
}

/* One request of one interval; returns how many wishes were taken. */
static size_t make_part(struct engine *e, struct agent_items *own, const struct wish *wishes, size_t count, const struct part *when)
{
	struct query_want wants[QUERY_VARBINDS];
	size_t n = 0;

	wants[0] = (struct query_want){.oid_length = 9, .oid = {1, 3, 6, 1, 2, 1, 1, 3, 0}};
	while (n < own->most && n < count && n + 1 < QUERY_VARBINDS && wishes[n].interval_s == wishes[0].interval_s) {
		wants[n + 1] = wishes[n].want;
		n++;
	}
	for (; n; n /= 2) {
		struct query *q = query_get(e->queries, wants, n + 1, 1);
		if (!q)
			continue;
		own->parts[own->part_count] = *when;
		own->parts[own->part_count++].query = q;
		return n;
	}
	return 1; /* a name that cannot be asked at all */
}

static void parts_release(struct engine *e, const struct part *parts, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		query_release(e->queries, parts[i].query);
}

static void plan(struct engine *e, struct agent *a, int64_t now)
{
	static struct wish wishes[WISHES_MAX]; /* large, and there is one loop */
	struct agent_items *own = a->items;
	struct part old[PARTS_MAX];
	unsigned old_count = own->part_count;
	size_t count = wishes_of(e, own, wishes), done = 0;

	memcpy(old, own->parts, sizeof old);
	own->part_count = 0;
	while (done < count && own->part_count < PARTS_MAX) {
		struct part when = timing(old, old_count, wishes[done].interval_s, now);
		done += make_part(e, own, wishes + done, count - done, &when);
	}
	if (done < count)
		log_warning("collector: agent %u has more items to read than %d requests of %u names: %zu values are left out; give the items "
			    "row filters",
			    a->slot, PARTS_MAX, own->most, count - done);
	parts_release(e, old, old_count); /* after the new ones are had: those that stay are not made anew */
	own->serial++;
	own->stale = false;
	own->open = 0;
}

/* --- time ---------------------------------------------------------------------------------------------- */

static int64_t first_due(const struct agent_items *own, int64_t now)
{
	int64_t first = now + WHEEL_SLOTS * WHEEL_SLOT_MS;

	for (unsigned i = 0; i < own->part_count; i++)
		first = own->parts[i].due < first ? own->parts[i].due : first;
	return own->stale && now + STALE_AGAIN_MS < first ? now + STALE_AGAIN_MS : first;
}

/* Agents that were given an item together are asked together once, then spread over the interval. */
static void next_due(struct part *p, uint32_t hash, int64_t now)
{
	if (!p->settled)
		p->due = now + p->interval_ms / 2 + hash % (p->interval_ms / 2);
	else
		p->due += p->interval_ms * (1 + (now - p->due) / p->interval_ms);
	p->settled = true;
}

static void agent_turn(struct engine *e, struct agent *a, int64_t now)
{
	struct agent_items *own = a->items;
	bool answers = a->known && now - a->answered <= SILENT_MS;

	if (own->stale && (!own->open || now - own->sent >= OPEN_MS)) /* what is on its way is answered first */
		plan(e, a, now);
	for (unsigned i = 0; i < own->part_count; i++) {
		struct part *p = &own->parts[i];
		if (p->due > now)
			continue;
		if (answers) {
			engine_request(e, a, EXCHANGE_ITEM, i, 0, 0, now);
			next_due(p, a->hash, now);
		} else {
			p->due = now + SPREAD_MS; /* silent altogether is the watch's affair; asked when it is back */
		}
	}
	if (own->part_count || own->stale)
		wheel_set(&e->items->wheel, a->slot, first_due(own, now));
}

void items_turn(struct engine *e, int64_t now)
{
	uint32_t slot;

	while ((slot = wheel_take(&e->items->wheel, now)) != WHEEL_NONE)
		if (e->agents[slot] && e->agents[slot]->items)
			agent_turn(e, e->agents[slot], now);
}

int64_t items_next(const struct engine *e)
{
	return wheel_next(&e->items->wheel);
}

void items_look(struct engine *e, struct agent *a, int64_t now)
{
	struct agent_items *own = a->items;

	if (!own)
		return;
	if (own->excluded_count && now - own->excluded_at > REFRESH_MS) {
		own->excluded_count = 0;
		own->stale = true;
		wheel_set(&e->items->wheel, a->slot, now);
	}
	if (own->table_count && now - own->walked > ROWS_AGAIN_MS) {
		own->walked = now;
		walk_want_items(e, a);
	}
}

/* --- requests ------------------------------------------------------------------------------------------ */

const struct query *items_query(const struct agent *a, unsigned part)
{
	return a->items && part < a->items->part_count ? a->items->parts[part].query : NULL;
}

uint16_t items_serial(const struct agent *a)
{
	return a->items ? a->items->serial : 0;
}

void items_sent(struct agent *a, unsigned part, size_t bytes, int64_t now)
{
	struct query *q = a->items->parts[part].query;

	q->asked++;
	q->bytes_out += bytes;
	a->items->sent = now;
	a->items->open++;
}

void items_answered(struct agent *a)
{
	if (a->items && a->items->open)
		a->items->open--;
}

void items_values(struct engine *e, struct agent *a, unsigned part, const struct query_value *values, int64_t now)
{
	struct query *q = a->items->parts[part].query;

	q->answered++;
	q->bytes_in += e->datagram_bytes;
	for (size_t i = 1; i < q->count; i++)
		if (q->items[i].instance && values[i].exception && now - a->items->walked > REWALK_MS) {
			a->items->walked = now;
			walk_want_items(e, a);
		}
}

bool items_spare(const struct agent *a, unsigned part)
{
	return !a->items || part >= a->items->part_count || a->items->parts[part].interval_ms < 3 * ENGINE_RETRY_MS;
}

/* The agent stumbles over a name: it is left out for some minutes, and what it stood with is asked again at once. */
void items_error(struct engine *e, struct agent *a, unsigned part, int64_t status, int64_t index, int64_t now)
{
	struct agent_items *own = a->items;
	struct part *p = &own->parts[part];

	if (status == 1) {
		e->stats.too_big++;
		own->most = own->most > 1 ? own->most / 2 : 1;
	} else if (index > 1 && index <= p->query->count && own->excluded_count < EXCLUDED_MAX) {
		const struct query_item *item = &p->query->items[index - 1];
		struct query_value missing[QUERY_VARBINDS] = {0};
		missing[index - 1].type = VALUE_MISSING;
		e->ops.values(e->arg, a->slot, p->query, missing, a->uptime_cs, now);
		own->excluded[own->excluded_count++] = (struct excluded){item->object, item->instance};
		own->excluded_at = now;
	} else {
		return; /* a general error without an index: the next time will see */
	}
	for (unsigned i = 0; i < own->part_count; i++)
		if (own->parts[i].interval_ms == p->interval_ms)
			own->parts[i].due = now;
	own->stale = true;
	wheel_set(&e->items->wheel, a->slot, now);
}

/* --- agents -------------------------------------------------------------------------------------------- */

void items_forget(struct engine *e, struct agent *a)
{
	struct agent_items *own = a->items;

	if (!own)
		return;
	wheel_cancel(&e->items->wheel, a->slot);
	parts_release(e, own->parts, own->part_count);
	tables_forget(own);
	free(own);
	a->items = NULL;
}

/* This agent's items are others now; changed: those that are new to it or mean something else. */
static void agent_changed(struct engine *e, struct agent *a, uint64_t changed, int64_t now)
{
	struct agent_items *own = a->items;

	bool walking = a->walk && a->walk->table >= e->table_count;

	if (walking)
		walk_end(e, a); /* it counts in the tables as they were */
	bool news = tables_choose(e, own) || walking;
	for (unsigned i = 0; i < ITEMS_MAX; i++) {
		if (!(changed & own->wanted & e->items->used & bit(i)) || !e->items->names_of[i])
			continue;
		news = true; /* another filter wants other rows */
		const struct names_rows *r = rows_of(own, e->items->names_of[i] - 1u);
		for (unsigned n = 0; r && n < r->table.count; n++)
			if (!r->table.rows[n].gone)
				tell_row(e, a, i, &r->table.rows[n], false);
	}
	own->stale = true;
	wheel_set(&e->items->wheel, a->slot, now + a->hash % SPREAD_MS);
	if (news && a->known) {
		own->walked = now;
		walk_want_items(e, a);
	}
}

void engine_item_scope(struct engine *e, uint32_t slot, uint64_t items, int64_t now)
{
	struct agent *a = slot < e->slots ? e->agents[slot] : NULL;

	if (!a || a->bare || (a->items ? a->items->wanted : 0) == items)
		return;
	if (!a->items) {
		a->items = mem_zalloc(sizeof *a->items);
		a->items->most = FIRST_ITEMS;
	}
	uint64_t changed = items & ~a->items->wanted;
	a->items->wanted = items;
	agent_changed(e, a, changed, now);
	if (!items)
		items_forget(e, a);
}

bool engine_items(struct engine *e, const struct msg_item *items, size_t count, int64_t now)
{
	uint64_t changed = take_list(e->items, items, count);
	bool good = true;

	for (size_t i = 0; i < count; i++)
		good &= sound(&items[i]);
	for (uint32_t slot = 0; slot < e->slots && changed; slot++) {
		struct agent *a = e->agents[slot];
		if (a && a->items && (a->items->wanted & changed))
			agent_changed(e, a, changed, now);
	}
	return good;
}

/* --- cost ---------------------------------------------------------------------------------------------- */

struct costs {
	struct msg_item_cost *item; /* ITEMS_MAX */
	const struct items_engine *all;
};

/* One agent's request, shared among the names in it. */
static void part_cost(struct costs *c, const struct part *p)
{
	const struct query *q = p->query;
	double share = 1000.0 / p->interval_ms / (q->count - 1);
	double bytes = (q->asked ? (double)q->bytes_out / (double)q->asked : q->size) +
		       (q->answered ? (double)q->bytes_in / (double)q->answered : q->size);
	uint64_t seen = 0;

	for (size_t i = 1; i < q->count; i++) {
		unsigned number = q->items[i].object & (ITEMS_MAX - 1);
		c->item[number].requests_per_second += share;
		c->item[number].bytes_per_second += share * bytes;
		c->item[number].nodes += !(seen & bit(number));
		seen |= bit(number);
	}
}

/* Looking for rows, shared among the items that want them. */
static void walk_cost(struct costs *c, const struct agent_items *own, unsigned names)
{
	const struct names *n = &c->all->names[names];
	uint64_t users = 0;

	for (unsigned i = 0; i < ITEMS_MAX; i++)
		if (own->wanted & c->all->used & bit(i) && c->all->names_of[i] == names + 1)
			users |= bit(i);
	double share = users && n->walks ? 1000.0 / ROWS_AGAIN_MS / __builtin_popcountll(users) / (double)n->walks : 0;
	for (unsigned i = 0; i < ITEMS_MAX; i++)
		if (users & bit(i)) {
			c->item[i].requests_per_second += share * (double)n->requests;
			c->item[i].bytes_per_second += share * (double)n->bytes;
		}
}

size_t engine_item_costs(const struct engine *e, struct msg_item_cost *out)
{
	struct msg_item_cost all[ITEMS_MAX] = {0};
	struct costs c = {all, e->items};
	size_t count = 0;

	for (uint32_t slot = 0; slot < e->slots && e->items->used; slot++) {
		const struct agent_items *own = e->agents[slot] ? e->agents[slot]->items : NULL;
		for (unsigned i = 0; own && i < own->part_count; i++)
			part_cost(&c, &own->parts[i]);
		for (unsigned i = 0; own && i < own->table_count; i++)
			walk_cost(&c, own, own->tables[i].names);
	}
	for (unsigned i = 0; i < ITEMS_MAX; i++)
		if (e->items->used & bit(i)) {
			out[count] = all[i];
			out[count++].number = i;
		}
	return count;
}

struct items_engine *items_new(uint32_t slots)
{
	struct items_engine *all = mem_zalloc(sizeof *all);

	if (wheel_init(&all->wheel, slots, 0))
		abort(); /* no memory, as mem_zalloc() */
	return all;
}

void items_free(struct items_engine *all)
{
	if (!all)
		return;
	wheel_free(&all->wheel);
	free(all);
}
