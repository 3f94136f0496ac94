/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values of items that are not built in: one cell per node, item and row, sorted; see values.h. */
#include "engine/items.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/memories.h"

#define EXPIRE_LEAST_MS 30000
#define TICKS 10      /* every node has its turn once in so many seconds */
#define CATCH_UP_MAX 3 /* steps of the history that are filled in at once */

struct values {
	struct value_item items[VALUES_END];
	struct loop_timer *timer;
	unsigned turn;
};

/* --- items --------------------------------------------------------------------------------------------- */
const struct value_item *values_item_at(struct engine *e, unsigned item)
{
	return item < VALUES_END && e->values && e->values->items[item].definition.item ? &e->values->items[item] : NULL;
}

static unsigned id_of(const struct engine *e, const char *name)
{
	for (unsigned i = VALUES_WANTED; e->values && i < VALUES_END; i++)
		if (e->values->items[i].definition.item && !strcmp(e->values->items[i].name, name))
			return i;
	return 0;
}

const struct item_definition *values_find(struct engine *e, const char *name)
{
	const struct item_definition *d = item_find(name);
	unsigned id = d ? 0 : id_of(e, name);

	return id ? &e->values->items[id].definition : d;
}

static void publish_item(struct engine *e, const struct value_item *v)
{
	unsigned id = v->definition.item;
	struct item_row row = {.head = {.generation = 1, .slot = id, .order = id, .last_change_wall_ms = clock_wall_ms()},
			       .interval_s = v->interval_s, .counter = v->definition.counter, .per_instance = v->definition.table != TABLE_NONE};

	text_copy(row.name, sizeof row.name, v->name);
	text_copy(row.unit, sizeof row.unit, v->unit);
	text_copy(row.describes, sizeof row.describes, v->describes);
	items_fill_row(e, v->name, id, &row);
	board_put(e->board, BOARD_ITEM, &row);
}

void values_item_set(struct engine *e, unsigned id, const struct value_item *item)
{
	struct value_item *v = &e->values->items[id];

	*v = *item;
	v->definition.item = (uint16_t)id;
	v->definition.name = v->name;
	v->definition.unit = v->unit;
	v->definition.describes = v->describes;
	publish_item(e, v);
}

unsigned values_item(struct engine *e, const struct value_item *item, struct error *err)
{
	unsigned id = id_of(e, item->name);

	if (!text_is_item_name(item->name)) {
		error_set(err, ERR_CONFIG, "item", "use a-z, 0-9 and _, a letter first, at most 19 of them", "\"%.40s\" is no item name", item->name);
		return 0;
	}
	if (item_find(item->name) || (id && id < VALUES_MADE)) {
		error_set(err, ERR_EXISTS, item->name, "choose another name", "an item of this name is %s", id ? "in the wanted state" : "built in");
		return 0;
	}
	for (unsigned i = VALUES_MADE; !id && i < VALUES_END; i++)
		if (!e->values->items[i].definition.item)
			id = i;
	if (!id) {
		error_set(err, ERR_NO_RESOURCE, item->name, "remove some checks or watches", "there are %d items already", VALUES_END - VALUES_MADE);
		return 0;
	}
	values_item_set(e, id, item);
	return id;
}

void values_item_remove(struct engine *e, unsigned item)
{
	struct item_row gone = {.head = {.slot = item}};

	if (!values_item_at(e, item))
		return;
	for (uint32_t slot = 0; slot < e->model.node_top; slot++)
		if (e->nodes[slot])
			values_gone(e, slot, item, NULL);
	board_put(e->board, BOARD_ITEM, &gone);
	e->values->items[item] = (struct value_item){.interval_s = 0};
}

void values_publish(struct engine *e)
{
	for (unsigned i = VALUES_WANTED; i < VALUES_END; i++)
		if (e->values->items[i].definition.item)
			publish_item(e, &e->values->items[i]);
}

/* --- cells --------------------------------------------------------------------------------------------- */
static int compare(const struct value_cell *c, unsigned item, const char *instance)
{
	return c->item != item ? (c->item > item) - (c->item < item) : strcmp(c->name, instance);
}

/* Where the cell is or belongs. */
static uint32_t place(const struct node_state *s, unsigned item, const char *instance)
{
	uint32_t low = 0, high = s->cell_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (compare(&s->cells[middle], item, instance) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The lowest number that no other row of the item has on this node. */
static uint16_t free_instance(const struct node_state *s, unsigned item)
{
	for (uint16_t n = 1;; n++) {
		uint32_t i = place(s, item, "");
		while (i < s->cell_count && s->cells[i].item == item && s->cells[i].instance != n)
			i++;
		if (i == s->cell_count || s->cells[i].item != item)
			return n;
	}
}

static struct value_cell *cell_add(struct node_state *s, uint32_t at, unsigned item, const char *instance)
{
	uint16_t number = instance[0] ? free_instance(s, item) : 0;

	if (s->cell_count == VALUES_PER_NODE)
		return NULL;
	s->cells = mem_grow(s->cells, s->cell_count + 1, sizeof s->cells[0]);
	memmove(&s->cells[at + 1], &s->cells[at], (s->cell_count - at) * sizeof s->cells[0]);
	s->cell_count++;
	s->cells[at] = (struct value_cell){.item = (uint16_t)item, .instance = number, .value = NAN, .board_slot = NO_SLOT};
	text_copy(s->cells[at].name, sizeof s->cells[at].name, instance);
	return &s->cells[at];
}

struct value_cell *values_cell(struct engine *e, uint32_t slot, unsigned item, const char *instance, bool add)
{
	struct node_state *s = e->nodes[slot];
	char name[sizeof s->cells->name];

	text_copy(name, sizeof name, instance);
	text_make_printable(name);
	uint32_t at = place(s, item, name);
	if (at < s->cell_count && compare(&s->cells[at], item, name) == 0)
		return &s->cells[at];
	return add ? cell_add(s, at, item, name) : NULL;
}

static void clear_row(struct engine *e, struct value_cell *c)
{
	struct value_row gone = {.head = {.slot = c->board_slot}};

	if (c->board_slot != NO_SLOT)
		board_put(e->board, BOARD_VALUE, &gone);
	c->board_slot = NO_SLOT;
}

static void step_done(struct engine *e, uint32_t slot, struct value_cell *c);

static void cell_remove(struct engine *e, uint32_t slot, uint32_t at)
{
	struct node_state *s = e->nodes[slot];
	struct value_cell *c = &s->cells[at];
	char kind[24];

	if (c->count) /* the step that was begun is history, too */
		step_done(e, slot, c);
	clear_row(e, c);
	recent_free(&c->recent);
	text_format(kind, sizeof kind, "item:%.18s", e->values->items[c->item].name);
	alarms_withdraw(e, e->model.nodes[slot].config.head.name, kind, c->name);
	memmove(c, c + 1, (--s->cell_count - at) * sizeof *c);
}

void values_gone(struct engine *e, uint32_t slot, unsigned item, const char *instance)
{
	struct node_state *s = e->nodes[slot];
	uint32_t at = place(s, item, instance ? instance : "");
	bool any = false;

	while (at < s->cell_count && (instance ? compare(&s->cells[at], item, instance) == 0 : s->cells[at].item == item)) {
		cell_remove(e, slot, at);
		any = true;
	}
	if (any)
		judgement_level(e, slot); /* what is gone is no reason any more */
}

void values_forget_node(struct engine *e, uint32_t slot)
{
	struct node_state *s = e->nodes[slot];

	for (uint32_t i = 0; i < s->cell_count; i++) {
		clear_row(e, &s->cells[i]);
		recent_free(&s->cells[i].recent);
	}
	s->cell_count = 0;
}

/* --- history ------------------------------------------------------------------------------------------- */
void values_file(const struct value_item *item, const char *instance, char *out, size_t size)
{
	text_format(out, size, "%s-%s%s%s", item->file_class, item->name, instance[0] ? "-" : "", strcmp(instance, "/") ? instance : "root");
}

static void announce(struct engine *e, uint32_t slot, struct value_cell *c)
{
	const struct value_item *v = &e->values->items[c->item];
	struct msg_series m;
	char file[NAME_SIZE];

	values_file(v, c->name, file, sizeof file);
	if (c->series || !v->source[0] || !series_begin(e, slot, &m, v->source, file))
		return;
	text_copy(m.names[m.count++], sizeof m.names[0], v->name);
	c->series = m.series;
	engine_send(e, ROLE_RECORDER, MSG_SERIES_ADD, &m, sizeof m);
}

/* One step of the history has ended: the mean of what came in it; what comes less often is held. What is unknown is not written. */
static void step_done(struct engine *e, uint32_t slot, struct value_cell *c)
{
	double mean = c->count ? c->sum / c->count : c->value;

	announce(e, slot, c);
	if (c->series && !isnan(mean))
		ring_put(e->ring, c->series, c->step, &mean, 1);
	c->sum = 0;
	c->count = 0;
}

/* All steps before this one. A clock that went back adds nothing until it is past what is recorded. */
static void steps_done(struct engine *e, uint32_t slot, struct value_cell *c, int64_t step)
{
	for (int n = 0; c->step && c->step < step && n < CATCH_UP_MAX; n++) {
		step_done(e, slot, c);
		c->step += STEP_S;
	}
	if (c->step < step)
		c->step = step;
}

static int64_t step_now(void)
{
	return clock_wall_ms() / 1000 / STEP_S * STEP_S;
}

static void record(struct engine *e, uint32_t slot, struct value_cell *c)
{
	int64_t step = step_now();

	steps_done(e, slot, c, step);
	if (step < c->step || isnan(c->value))
		return;
	c->sum += c->value;
	c->count++;
}

void values_flush(struct engine *e, uint32_t slot)
{
	struct node_state *s = e->nodes[slot];
	int64_t step = step_now();

	for (uint32_t i = 0; i < s->cell_count; i++)
		if (s->cells[i].step)
			steps_done(e, slot, &s->cells[i], step);
}

void values_series_forget(struct engine *e)
{
	for (uint32_t slot = 0; slot < e->model.node_top; slot++)
		for (uint32_t i = 0; e->nodes[slot] && i < e->nodes[slot]->cell_count; i++)
			e->nodes[slot]->cells[i].series = 0;
}

/* --- values -------------------------------------------------------------------------------------------- */
static void set_value(struct engine *e, uint32_t slot, struct value_cell *c, double value)
{
	const struct item_definition *d = &e->values->items[c->item].definition;
	int64_t wall = clock_wall_ms();

	if (isinf(value))
		value = NAN;
	c->value = value;
	samples_judge(e, slot, d, c->name, value, wall, &c->levels);
	publish_value(e, slot, d, c->instance, c->name, value, wall, (enum level)c->levels.level, &c->board_slot);
}

void values_set(struct engine *e, uint32_t slot, struct value_cell *c, double value)
{
	c->at_mono_ms = clock_mono_ms();
	set_value(e, slot, c, value);
	recent_add(&c->recent, 1, &c->value, clock_wall_ms());
	record(e, slot, c);
}

void values_put(struct engine *e, uint32_t slot, unsigned item, const char *instance, double value)
{
	struct value_cell *c = values_item_at(e, item) && e->nodes[slot] ? values_cell(e, slot, item, instance, true) : NULL;

	if (c)
		values_set(e, slot, c, value);
}

double values_of(struct engine *e, uint32_t slot, const struct item_definition *d, const char *row)
{
	const struct node_state *s = e->nodes[slot];
	const struct value_cell *c = NULL;

	if (d->item >= VALUES_WANTED) {
		c = values_cell(e, slot, d->item, row, false);
		c = c || !row[0] ? c : values_cell(e, slot, d->item, "", false);
		return c ? c->value : NAN;
	}
	if (d->table == TABLE_NONE)
		return s->values[d->item];
	for (uint32_t r = 0; r < s->row_count; r++)
		if (s->rows[r].table == d->table && !strcmp(s->rows[r].name, row))
			return s->rows[r].values[d->item - items_first_of_table(d->table)];
	return NAN;
}

double values_read(struct engine *e, uint32_t slot, const char *item, const char *instance)
{
	const struct item_definition *d = values_find(e, item);

	return d && engine_state(e, slot) ? values_of(e, slot, d, instance) : NAN;
}

bool values_has(struct engine *e, uint32_t slot, const char *item, const char *instance)
{
	const struct node_state *s = e->nodes[slot];

	/* an alarm's kind has room for 18 characters of the name */
	for (uint32_t i = 0; i < s->cell_count; i++)
		if (!strncmp(e->values->items[s->cells[i].item].name, item, 18) && !strcmp(s->cells[i].name, instance))
			return true;
	return false;
}

void values_alarms(struct engine *e, uint32_t slot)
{
	const struct node_state *s = e->nodes[slot];
	char kind[24], cause[CAUSE_SIZE];

	for (uint32_t i = 0; i < s->cell_count; i++) {
		const struct value_cell *c = &s->cells[i];
		const struct item_definition *d = &e->values->items[c->item].definition;
		if (c->levels.level <= LEVEL_UNKNOWN)
			continue;
		text_format(kind, sizeof kind, "item:%.18s", d->name);
		samples_describe(d, c->name, c->value, cause, sizeof cause);
		alarms_level(e, slot, kind, c->name, (enum level)c->levels.level, cause);
	}
}

void values_silence(struct engine *e, uint32_t slot)
{
	struct node_state *s = e->nodes[slot];

	for (uint32_t i = 0; i < s->cell_count; i++)
		if (!isnan(s->cells[i].value))
			set_value(e, slot, &s->cells[i], NAN);
}

void values_quiet(struct engine *e, uint32_t slot, unsigned item, const struct level_rules *rules)
{
	const struct item_definition *d = &e->values->items[item].definition;
	struct node_state *s = e->nodes[slot];
	uint32_t at;

	if (d->table == TABLE_NONE)
		values_cell(e, slot, item, "", true);
	for (at = place(s, item, ""); at < s->cell_count && s->cells[at].item == item; at++)
		if (memories_quiet_ms(e, slot, d->name, s->cells[at].name, rules) >= level_no_data_ms(rules))
			set_value(e, slot, &s->cells[at], NAN);
}

/* --- time ---------------------------------------------------------------------------------------------- */
static int64_t life_of(const struct value_item *v)
{
	int64_t life = (int64_t)v->interval_s * 2500;

	return life < EXPIRE_LEAST_MS ? EXPIRE_LEAST_MS : life;
}

static void node_turn(struct engine *e, uint32_t slot, int64_t now, int64_t step)
{
	struct node_state *s = e->nodes[slot];

	for (uint32_t i = 0; i < s->cell_count; i++) {
		struct value_cell *c = &s->cells[i];
		if (!isnan(c->value) && now - c->at_mono_ms > life_of(&e->values->items[c->item]))
			set_value(e, slot, c, NAN);
		if (c->step)
			steps_done(e, slot, c, step);
	}
}

static void on_second(void *arg)
{
	struct engine *e = arg;
	int64_t now = clock_mono_ms(), step = step_now();

	for (uint32_t slot = e->values->turn; slot < e->model.node_top; slot += TICKS)
		if (e->nodes[slot] && e->nodes[slot]->cell_count)
			node_turn(e, slot, now, step);
	e->values->turn = (e->values->turn + 1) % TICKS;
}

void values_start(struct engine *e)
{
	e->values = mem_zalloc(sizeof *e->values);
	e->values->timer = loop_timer_new(e->loop, on_second, e);
	loop_timer_every(e->values->timer, 1000);
}
