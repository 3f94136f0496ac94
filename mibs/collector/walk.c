/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding the rows of tables: the name column is walked by GETBULK (GETNEXT in version 1), a bounded number of agents
 * at a time; a row keeps its id by its name, also when its index changes. An agent that answers in circles is stopped.
 */
#include "mibs/collector/engine_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "mibs/collector/items.h"

enum { KNOWN_ROWS_MAX = 2 * ENGINE_ROWS_MAX };

static void queue_up(struct engine *e, struct agent *a)
{
	a->walk_waits = true;
	e->walk_queue[(e->walk_head + e->walk_count++) % e->slots] = a->slot;
}

void walk_want(struct engine *e, struct agent *a)
{
	if (a->bare || a->walk || e->walk_count == e->slots)
		return;
	a->walk_items_only = false;
	if (!a->walk_waits)
		queue_up(e, a);
}

void walk_want_items(struct engine *e, struct agent *a)
{
	if (a->bare || a->walk_waits || a->walk || e->walk_count == e->slots)
		return;
	a->walk_items_only = true;
	queue_up(e, a);
}

/* What is being walked: a table every agent is asked for, or one of this agent's items. */
struct target {
	const uint32_t *oid;
	uint8_t length;
	struct table *table;
	const char *filter; /* NULL: the agent's items choose */
};

static unsigned target_count(const struct engine *e, const struct agent *a)
{
	return e->table_count + items_tables(a);
}

static struct target target_of(struct engine *e, struct agent *a)
{
	unsigned at = a->walk->table;
	struct target t = {.filter = NULL};

	if (at >= e->table_count) {
		t.table = items_table(e, a, at - e->table_count, &t.oid, &t.length);
	} else {
		const struct msg_object *o = e->tables[at];
		t = (struct target){o->oid, o->oid_length, &a->tables[at], o->filter};
	}
	return t;
}

static void begin_table(struct engine *e, struct agent *a)
{
	struct walk *w = a->walk;
	struct target t = target_of(e, a);

	w->length = t.length;
	memcpy(w->oid, t.oid, t.length * sizeof t.oid[0]);
	w->found = w->steps = 0;
	w->requests = w->bytes = 0;
}

void walk_start_some(struct engine *e, int64_t now)
{
	for (unsigned n = 0; n < WALKS_PER_TURN && e->walk_count && e->walks_active < WALKS_AT_ONCE; n++) {
		struct agent *a = e->agents[e->walk_queue[e->walk_head]];
		e->walk_head = (e->walk_head + 1) % e->slots;
		e->walk_count--;
		if (!a || !a->walk_waits)
			continue;
		a->walk_waits = false;
		if (!a->walk_items_only)
			a->walked = now;
		unsigned first = a->walk_items_only ? e->table_count : 0;
		if (first == target_count(e, a))
			continue;
		a->walk = mem_zalloc(sizeof *a->walk);
		a->walk->table = (uint8_t)first;
		e->walks_active++;
		e->stats.walks++;
		begin_table(e, a);
		if (!engine_request(e, a, EXCHANGE_WALK, 0, 0, 0, now))
			walk_end(e, a);
	}
}

bool walk_pdu(struct engine *e, const struct agent *a, uint8_t *out, size_t room, size_t *size, size_t *id_at)
{
	(void)e;
	if (!a->walk)
		return false;
	*size = query_walk_pdu(a->walk->oid, a->walk->length, a->credential->version == SNMP_V1 ? 0 : WALK_REPETITIONS,
			       out, room, id_at);
	return *size > 0;
}

void walk_end(struct engine *e, struct agent *a)
{
	if (!a->walk)
		return;
	free(a->walk);
	a->walk = NULL;
	e->walks_active--;
}

void walk_forget(struct agent *a)
{
	for (unsigned t = 0; t < TABLES_MAX; t++) {
		free(a->tables[t].rows);
		a->tables[t] = (struct table){0};
	}
}

/* filter: "loop,ram,fd"; true when the name begins with one of the words. */
static bool filtered(const char *filter, size_t filter_size, const char *name)
{
	size_t at = 0;

	while (at < filter_size && filter[at]) {
		size_t length = 0;
		while (at + length < filter_size && filter[at + length] && filter[at + length] != ',')
			length++;
		if (length && !strncmp(filter + at, name, length))
			return true;
		at += length + (at + length < filter_size && filter[at + length] == ',');
	}
	return false;
}

static bool name_taken(const struct walk *w, const char *name)
{
	for (unsigned i = 0; i < w->found; i++)
		if (!strcmp(w->rows[i].name, name))
			return true;
	return false;
}

/* Rows that nobody wants take no room from those that somebody does. */
static bool wanted(const struct engine *e, const struct agent *a, const struct target *t, const char *name)
{
	if (!t->filter)
		return items_want_row(e, a, a->walk->table - e->table_count, name);
	return !filtered(t->filter, sizeof ((struct msg_object *)0)->filter, name);
}

static void take_row(const struct engine *e, struct agent *a, const struct target *t, const uint32_t *suffix, size_t suffix_length,
		     struct ber text)
{
	struct walk *w = a->walk;
	struct row *row = &w->rows[w->found];
	size_t size = ber_left(&text) < sizeof row->name - 1 ? ber_left(&text) : sizeof row->name - 1;

	if (w->found == ENGINE_ROWS_MAX || suffix_length == 0 || suffix_length > SUFFIX_MAX)
		return;
	memset(row, 0, sizeof *row);
	memcpy(row->name, text.at, size);
	text_make_printable(row->name);
	if (!row->name[0] || !wanted(e, a, t, row->name))
		return;
	if (name_taken(w, row->name)) { /* two rows of one name: the index tells them apart */
		row->name[36] = 0;
		size = strlen(row->name);
		text_append(row->name, sizeof row->name, &size, "#%u", suffix[suffix_length - 1]);
		if (name_taken(w, row->name))
			return;
	}
	memcpy(row->suffix, suffix, suffix_length * sizeof *suffix);
	row->suffix_length = (uint8_t)suffix_length;
	w->found++;
}

static int compare_oid(const uint32_t *a, size_t a_length, const uint32_t *b, size_t b_length)
{
	for (size_t i = 0; i < a_length && i < b_length; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return (a_length > b_length) - (a_length < b_length);
}

enum step { STEP_MORE, STEP_TABLE_ENDS, STEP_BAD };

static enum step take_varbinds(const struct engine *e, struct agent *a, const struct target *t, struct ber list)
{
	struct walk *w = a->walk;
	uint32_t name[QUERY_OID_MAX];
	unsigned taken = 0;

	for (; ber_left(&list); taken++) {
		struct ber varbind, oid, value;
		uint8_t type;
		if (!ber_take(&list, BER_SEQUENCE, &varbind) || !ber_take(&varbind, BER_OID, &oid) ||
		    !ber_any(&varbind, &type, &value))
			return STEP_BAD;
		size_t length = ber_oid_value(oid, name, QUERY_OID_MAX);
		if (type == BER_END_OF_VIEW || length <= t->length || memcmp(name, t->oid, t->length * sizeof name[0]) != 0)
			return STEP_TABLE_ENDS;
		if (compare_oid(name, length, w->oid, w->length) <= 0)
			return STEP_BAD; /* in circles */
		if (type == BER_OCTETS)
			take_row(e, a, t, name + t->length, length - t->length, value);
		memcpy(w->oid, name, length * sizeof name[0]);
		w->length = (uint8_t)length;
	}
	return taken == 0 || w->found == ENGINE_ROWS_MAX || ++w->steps >= WALK_STEPS_MAX ? STEP_TABLE_ENDS : STEP_MORE;
}

static struct row *row_named(struct table *t, const char *name)
{
	for (unsigned i = 0; i < t->count; i++)
		if (!strcmp(t->rows[i].name, name))
			return &t->rows[i];
	return NULL;
}

/* Room for a new name; the oldest one that is gone makes place when there are too many. */
static struct row *row_add(struct table *t)
{
	if (t->count == KNOWN_ROWS_MAX) {
		for (unsigned i = 0; i < t->count; i++)
			if (t->rows[i].gone) {
				memmove(&t->rows[i], &t->rows[i + 1], (t->count - i - 1u) * sizeof t->rows[0]);
				t->count--;
				break;
			}
		if (t->count == KNOWN_ROWS_MAX || t->next_instance == UINT16_MAX)
			return NULL;
	}
	t->rows = mem_grow(t->rows, t->count + 1u, sizeof t->rows[0]);
	struct row *row = &t->rows[t->count++];
	*row = (struct row){.instance = ++t->next_instance, .gone = true};
	return row;
}

/* A row is there, elsewhere than before, or gone. */
static void tell_row(struct engine *e, struct agent *a, const struct table *t, const struct row *row, bool gone)
{
	if (a->walk->table >= e->table_count) {
		items_row(e, a, a->walk->table - e->table_count, row, gone);
		return;
	}
	a->stale = true;
	e->ops.row(e->arg, a->slot, t->number, row->instance, row->name, gone);
}

static void commit(struct engine *e, struct agent *a, struct table *t)
{
	const struct walk *w = a->walk;

	if (w->table < e->table_count && t->number != e->tables[w->table]->table) {
		free(t->rows);
		*t = (struct table){.number = e->tables[w->table]->table};
	}
	for (unsigned i = 0; i < t->count; i++)
		t->rows[i].seen = false;
	for (unsigned i = 0; i < w->found; i++) {
		const struct row *found = &w->rows[i];
		struct row *row = row_named(t, found->name);
		if (!row && !(row = row_add(t)))
			continue;
		bool news = row->gone || row->suffix_length != found->suffix_length ||
			    memcmp(row->suffix, found->suffix, sizeof row->suffix) != 0;
		uint16_t instance = row->instance;
		*row = *found;
		row->instance = instance;
		row->seen = true;
		if (news)
			tell_row(e, a, t, row, false);
	}
	for (unsigned i = 0; i < t->count; i++)
		if (!t->rows[i].seen && !t->rows[i].gone) {
			t->rows[i].gone = true;
			tell_row(e, a, t, &t->rows[i], true);
		}
}

void walk_answer(struct engine *e, struct agent *a, const struct response *r, int64_t now)
{
	struct walk *w = a->walk;

	if (!w)
		return;
	struct target t = target_of(e, a);
	w->bytes += (uint32_t)e->datagram_bytes;
	/* noSuchName (version 1) is the end of the view; another error tells nothing about the rows */
	enum step step = r->error_status == 2 ? STEP_TABLE_ENDS
			 : r->error_status    ? STEP_BAD
					      : take_varbinds(e, a, &t, r->varbinds);
	if (step == STEP_BAD) {
		static struct log_damper damper;
		unsigned held;
		if (log_damper_pass(&damper, now, &held))
			log_warning("collector: agent %u: its table %u cannot be walked (error or circle): its rows "
				    "stay as they were (%u more)",
				    a->slot, w->table, held);
	} else if (step == STEP_TABLE_ENDS) {
		commit(e, a, t.table);
	}
	if (step != STEP_MORE) {
		if (w->table >= e->table_count)
			items_walked(e, a, w->table - e->table_count, w->requests, w->bytes);
		if (++w->table >= target_count(e, a)) {
			a->excluded_count = 0;
			walk_end(e, a);
			return;
		}
		begin_table(e, a);
	}
	if (!engine_request(e, a, EXCHANGE_WALK, 0, 0, 0, now))
		walk_end(e, a);
}
