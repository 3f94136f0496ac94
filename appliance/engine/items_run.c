/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values of the wanted state's items: out of the collector's samples, and out of other items by expressions; see items.h. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/items.h"

#define WRAP_MARGIN_CS 8640000 /* a fall of the up-time from the last day before its wrap is none */
#define ROWS_UNSURE_MS 180000  /* after so long a new collector has told every row that is there */
#define RATE_LEAST_S 900
#define WORK_LATEST_S 60 /* slow expressions too: their items have come at another time */

static struct own_item *own_at(struct engine *e, uint16_t object, unsigned *number)
{
	*number = object & (ITEMS_MAX - 1);
	struct own_item *o = &e->items->own[*number];

	return o->config.oid_length && item_object((uint16_t)*number, o->generation) == object ? o : NULL;
}

/* --- from the collector -------------------------------------------------------------------------------- */
static struct value_cell *cell_of_row(struct node_state *s, unsigned id, uint16_t raw_instance)
{
	for (uint32_t i = 0; i < s->cell_count; i++)
		if (s->cells[i].item == id && s->cells[i].raw_instance == raw_instance)
			return &s->cells[i];
	return NULL;
}

void items_instance(struct engine *e, const struct msg_instance *m)
{
	unsigned number;
	struct own_item *o = own_at(e, m->table, &number);
	struct node_state *s = e->nodes[m->slot];
	char name[sizeof m->name];

	if (!o || !o->rows || !m->instance || !m->name[0] || !(s->items >> number & 1))
		return;
	text_copy(name, sizeof name, m->name);
	if (m->gone) {
		values_gone(e, m->slot, VALUES_WANTED + number, name);
		return;
	}
	struct value_cell *other = cell_of_row(s, VALUES_WANTED + number, m->instance);
	if (other)
		other->raw_instance = 0; /* the id is another row's now */
	struct value_cell *c = values_cell(e, m->slot, VALUES_WANTED + number, name, true);
	if (c && c != other)
		c->raw = (struct raw_pair){.now = {.type = 0}};
	if (c)
		c->raw_instance = m->instance;
}

static double value_of(const struct own_item *o, const struct raw_pair *raw)
{
	double longest = o->config.interval_s * 2.5;

	if (!o->config.counter)
		return raw_gauge(raw);
	return raw_rate_within(raw, longest > RATE_LEAST_S ? longest : RATE_LEAST_S);
}

void items_sample(struct engine *e, const struct msg_samples *a, const struct msg_sample *m)
{
	unsigned number;
	struct own_item *o = own_at(e, m->object, &number);
	struct node_state *s = e->nodes[a->slot];

	if (!o || !(s->items >> number & 1) || (m->instance != 0) != o->rows)
		return;
	struct value_cell *c = m->instance ? cell_of_row(s, VALUES_WANTED + number, m->instance)
					   : values_cell(e, a->slot, VALUES_WANTED + number, "", true);
	if (!c)
		return;
	bool restarted = a->uptime_cs && a->uptime_cs < c->uptime_cs && c->uptime_cs < UINT32_MAX - WRAP_MARGIN_CS;
	if (a->uptime_cs)
		c->uptime_cs = a->uptime_cs;
	raw_push(&c->raw, m->type, m->value, a->arrival_ms, restarted);
	values_set(e, a->slot, c, value_of(o, &c->raw));
}

void items_cost(struct engine *e, const struct msg_item_cost *costs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (costs[i].number < ITEMS_MAX && costs[i].requests_per_second >= 0 && costs[i].requests_per_second < 1e7 &&
		    costs[i].bytes_per_second >= 0 && costs[i].bytes_per_second < 4e9) /* not NAN either */
			e->items->own[costs[i].number].cost = costs[i];
	publish_items(e);
}

/* --- rows that a new collector has not told of ---------------------------------------------------------------------------------- */
static bool is_read_row(struct engine *e, const struct value_cell *c)
{
	return c->item >= VALUES_WANTED && c->item < VALUES_WANTED_END && c->name[0] && e->items->own[c->item - VALUES_WANTED].config.oid_length;
}

void items_rows_unsure(struct engine *e)
{
	for (uint32_t slot = 0; slot < e->model.node_top; slot++)
		for (uint32_t i = 0; e->nodes[slot] && i < e->nodes[slot]->cell_count; i++)
			if (is_read_row(e, &e->nodes[slot]->cells[i]))
				e->nodes[slot]->cells[i].raw_instance = 0;
}

static void drop_lost_rows(struct engine *e, uint32_t slot, int64_t now)
{
	struct node_state *s = e->nodes[slot];

	for (uint32_t i = 0; i < s->cell_count;) {
		struct value_cell *c = &s->cells[i];
		char name[sizeof c->name];
		text_copy(name, sizeof name, c->name);
		if (is_read_row(e, c) && !c->raw_instance && now - c->at_mono_ms > ROWS_UNSURE_MS)
			values_gone(e, slot, c->item, name);
		else
			i++;
	}
}

/* --- expressions --------------------------------------------------------------------------------------- */
struct operands {
	const struct item_definition *item[EXPRESSION_NAMES]; /* NULL: not there (yet) */
	unsigned count;
};

static void find_operands(struct engine *e, const struct expression *x, struct operands *out)
{
	out->count = x->names;
	for (unsigned i = 0; i < x->names; i++)
		out->item[i] = values_find(e, x->name[i]);
}

#define ROWS_MAX 256
struct row_names {
	unsigned count;
	char name[ROWS_MAX][48];
};

static void add_name(struct row_names *rows, const char *name)
{
	if (name[0] && rows->count < ROWS_MAX)
		text_copy(rows->name[rows->count++], sizeof rows->name[0], name);
}

/* The rows of an operand on this node; none when it has no rows. */
static void rows_of(const struct node_state *s, const struct item_definition *d, struct row_names *rows)
{
	rows->count = 0;
	for (uint32_t i = 0; d->item < VALUES_WANTED && d->table != TABLE_NONE && i < s->row_count; i++)
		if (s->rows[i].table == d->table)
			add_name(rows, s->rows[i].name);
	for (uint32_t i = 0; d->item >= VALUES_WANTED && i < s->cell_count; i++)
		if (s->cells[i].item == d->item)
			add_name(rows, s->cells[i].name);
}

static double evaluate(struct engine *e, uint32_t slot, const struct expression *x, const struct operands *o, const char *row)
{
	double values[EXPRESSION_NAMES];

	for (unsigned i = 0; i < o->count; i++)
		values[i] = o->item[i] ? values_of(e, slot, o->item[i], row) : NAN;
	return expression_value(x, values);
}

static bool named(const struct row_names *rows, const char *name)
{
	unsigned i = 0;

	while (i < rows->count && strcmp(rows->name[i], name) != 0)
		i++;
	return i < rows->count;
}

static void drop_other_rows(struct engine *e, uint32_t slot, unsigned id, const struct row_names *rows)
{
	struct node_state *s = e->nodes[slot];

	for (uint32_t i = 0; i < s->cell_count;) {
		char name[sizeof s->cells->name];
		text_copy(name, sizeof name, s->cells[i].name);
		if (s->cells[i].item == id && !named(rows, name))
			values_gone(e, slot, id, name);
		else
			i++;
	}
}

static void work_out(struct engine *e, uint32_t slot, unsigned number)
{
	static struct row_names rows; /* large, and there is one loop */
	const struct own_item *own = &e->items->own[number];
	unsigned id = VALUES_WANTED + number;
	struct operands o;

	find_operands(e, &own->expression, &o);
	rows.count = 0;
	for (unsigned i = 0; i < o.count && !rows.count; i++)
		if (o.item[i])
			rows_of(e->nodes[slot], o.item[i], &rows);
	if (!rows.count && !own->rows) {
		values_put(e, slot, id, "", evaluate(e, slot, &own->expression, &o, ""));
		return;
	}
	drop_other_rows(e, slot, id, &rows);
	for (unsigned i = 0; i < rows.count; i++)
		values_put(e, slot, id, rows.name[i], evaluate(e, slot, &own->expression, &o, rows.name[i]));
}

void items_second(struct engine *e)
{
	int64_t now = clock_mono_ms();

	if (!e->loaded)
		return;
	e->items->second++;
	for (uint32_t slot = 0; slot < e->model.node_top; slot++) {
		const struct node_state *s = e->nodes[slot];
		if (!s || !s->items)
			continue;
		for (unsigned i = 0; i < e->items->order_count; i++) {
			unsigned number = e->items->order[i];
			int64_t each = e->items->own[number].config.interval_s;
			each = each < WORK_LATEST_S ? each : WORK_LATEST_S;
			if (s->items >> number & 1 && (e->items->second + slot) % each == 0)
				work_out(e, slot, number);
		}
		if ((e->items->second + slot) % 60 == 0)
			drop_lost_rows(e, slot, now);
	}
}
