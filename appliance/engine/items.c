/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The set of items of the wanted state, their numbers and scopes, and what the collector is told; see items.h. */
#include "engine/items.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/glob.h"
#include "base/hostrange.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/threshold.h"

#define FORMER_MAX 500
#define NO_NUMBER ITEMS_MAX

struct former {
	char name[20], unit[12];
	uint8_t number;
	bool gone;
};

static bool is_own(const struct config_item *c)
{
	return c->oid_length || c->expression[0];
}

/* --- numbers ------------------------------------------------------------------------------------------- */
static struct former *former_find(struct items *all, const char *name)
{
	for (size_t i = 0; i < all->former_count; i++)
		if (!strcmp(all->former[i].name, name))
			return &all->former[i];
	return NULL;
}

static void former_save(struct engine *e, const struct former *f)
{
	char key[STORE_KEY_MAX], value[128];

	text_format(key, sizeof key, "/slot/item/%s", f->name);
	text_format(value, sizeof value, "{\"v\":1,\"slot\":%u,\"unit\":\"%s\",\"gone\":%s}", f->number, f->unit, f->gone ? "true" : "false");
	store_put(e->store, key, value, NULL, NULL);
}

/* The oldest of those that are gone is forgotten when there are too many. */
static void former_prune(struct engine *e)
{
	struct items *all = e->items;
	char key[STORE_KEY_MAX];
	size_t at = 0;

	while (at < all->former_count && !all->former[at].gone)
		at++;
	if (all->former_count < FORMER_MAX || at == all->former_count)
		return;
	text_format(key, sizeof key, "/slot/item/%s", all->former[at].name);
	store_delete(e->store, key, NULL, NULL);
	memmove(&all->former[at], &all->former[at + 1], (--all->former_count - at) * sizeof all->former[0]);
}

static void remember(struct engine *e, const char *name, const char *unit, unsigned number, bool gone)
{
	struct items *all = e->items;
	struct former *f = former_find(all, name), now = {.number = (uint8_t)number, .gone = gone};

	text_copy(now.name, sizeof now.name, name);
	for (size_t i = 0, n = 0; unit[i] && n + 1 < sizeof now.unit; i++)
		now.unit[n++] = unit[i] == '"' || unit[i] == '\\' ? ' ' : unit[i];
	if (f && !memcmp(f, &now, sizeof now))
		return;
	if (!f) {
		former_prune(e);
		all->former = mem_grow(all->former, all->former_count + 1, sizeof *all->former);
		f = &all->former[all->former_count++];
	}
	*f = now;
	former_save(e, f);
}

void items_restore(struct engine *e, const char *name, const json_t *slot)
{
	const char *unit = "";
	int number, gone = 0;
	struct former f = {.gone = false};

	if (json_unpack((json_t *)(uintptr_t)slot, "{s:i,s?s,s?b}", "slot", &number, "unit", &unit, "gone", &gone) || number < 0 ||
	    number >= ITEMS_MAX || !text_is_item_name(name) || former_find(e->items, name))
		return;
	f.number = (uint8_t)number;
	f.gone = gone;
	text_copy(f.name, sizeof f.name, name);
	text_copy(f.unit, sizeof f.unit, unit);
	text_make_printable(f.unit);
	e->items->former = mem_grow(e->items->former, e->items->former_count + 1, sizeof f);
	e->items->former[e->items->former_count++] = f;
}

bool items_former(struct engine *e, const char *name, struct value_item *out)
{
	const struct former *f = former_find(e->items, name);

	if (!f)
		return false;
	*out = (struct value_item){.source = "snmp", .file_class = "item"};
	text_copy(out->name, sizeof out->name, f->name);
	text_copy(out->unit, sizeof out->unit, f->unit);
	return true;
}

static unsigned number_of(const struct items *all, const char *name)
{
	for (unsigned i = 0; i < ITEMS_MAX; i++)
		if (!strcmp(all->own[i].config.head.name, name))
			return i;
	return NO_NUMBER;
}

/* The number a name had before a restart, else the lowest free one: the index that the MIB hands out. */
static unsigned number_for(struct items *all, const char *name)
{
	const struct former *f = former_find(all, name);
	unsigned number = number_of(all, name);

	if (number == NO_NUMBER && f && !f->gone && !all->own[f->number].config.head.name[0])
		return f->number;
	for (unsigned i = 0; i < ITEMS_MAX && number == NO_NUMBER; i++)
		if (!all->own[i].config.head.name[0])
			number = i;
	return number;
}

/* --- the set ------------------------------------------------------------------------------------------- */
static void drop(struct engine *e, unsigned number)
{
	struct own_item *o = &e->items->own[number];

	remember(e, o->config.head.name, o->config.unit, number, true);
	values_item_remove(e, VALUES_WANTED + number);
	*o = (struct own_item){.generation = o->generation};
}

static bool means_the_same(const struct config_item *a, const struct config_item *b)
{
	return a->oid_length == b->oid_length && !memcmp(a->oid, b->oid, sizeof a->oid) && a->counter == b->counter &&
	       !strcmp(a->instances, b->instances) && !strcmp(a->expression, b->expression);
}

/* Rows that another filter leaves out go at once; those it lets in are told by the collector. */
static void apply_filter(struct engine *e, unsigned number)
{
	const struct config_item *c = &e->items->own[number].config;

	for (uint32_t slot = 0; slot < e->model.node_top; slot++) {
		struct node_state *s = e->nodes[slot];
		for (uint32_t i = 0; s && i < s->cell_count;) {
			char name[sizeof s->cells->name];
			text_copy(name, sizeof name, s->cells[i].name);
			if (s->cells[i].item == VALUES_WANTED + number && !glob_wanted(c->include, c->exclude, name))
				values_gone(e, slot, VALUES_WANTED + number, name);
			else
				i++;
		}
	}
}

static void describe(const struct config_item *c, bool rows, struct value_item *v)
{
	*v = (struct value_item){.source = "snmp", .file_class = "item", .interval_s = c->interval_s};
	v->definition.table = rows ? TABLE_CUSTOM : TABLE_NONE;
	v->definition.counter = c->counter;
	text_copy(v->name, sizeof v->name, c->head.name);
	text_copy(v->unit, sizeof v->unit, c->unit);
	text_copy(v->describes, sizeof v->describes, c->expression);
}

static void take(struct engine *e, const struct config_item *c)
{
	unsigned number = number_for(e->items, c->head.name);
	struct own_item *o = number < ITEMS_MAX ? &e->items->own[number] : NULL;
	struct value_item v;
	struct error err;

	if (!o)
		return; /* cluster_check() lets no more than ITEMS_MAX pass */
	bool fresh = !o->config.head.name[0], same = !fresh && means_the_same(&o->config, c);
	bool filtered = same && (strcmp(o->config.include, c->include) != 0 || strcmp(o->config.exclude, c->exclude) != 0);
	o->config = *c;
	o->rows = items_has_rows(e, &e->model.wanted, c);
	if (!same) {
		o->generation = (o->generation + 1) % 64;
		if (!fresh)
			values_item_remove(e, VALUES_WANTED + number); /* what was read of the other is nothing of this */
	}
	if (c->expression[0] && expression_parse(c->expression, &o->expression, &err))
		log_error("item %s: %s", c->head.name, err.text);
	describe(c, o->rows, &v);
	values_item_set(e, VALUES_WANTED + number, &v);
	if (filtered)
		apply_filter(e, number);
	remember(e, c->head.name, c->unit, number, false);
}

static void order(struct engine *e)
{
	const struct config_item *list[ITEMS_MAX];
	unsigned count = items_order(&e->model.wanted, list);

	e->items->order_count = 0;
	for (unsigned i = 0; i < count; i++) {
		unsigned number = number_of(e->items, list[i]->head.name);
		if (number < ITEMS_MAX)
			e->items->order[e->items->order_count++] = (uint8_t)number;
	}
}

/* --- scopes -------------------------------------------------------------------------------------------- */
static void mark_range(struct engine *e, const char *range, uint64_t bit, uint64_t *masks)
{
	struct name_list names = {0};

	if (hostrange_expand(range, &names, NULL) == 0)
		for (size_t i = 0; i < names.count; i++) {
			const struct model_node *n = model_node(&e->model, names.names[i]);
			if (n)
				masks[n->slot] |= bit;
		}
	name_list_free(&names);
}

static void mark_scope(struct engine *e, const char *scope, uint64_t bit, uint64_t *masks)
{
	bool site = !scope[0] || !strcmp(scope, "@site");

	if (scope[0] && scope[0] != '@') {
		mark_range(e, scope, bit, masks);
		return;
	}
	for (uint32_t slot = 0; slot < e->model.node_top; slot++) {
		const struct model_node *n = &e->model.nodes[slot];
		if (n->generation && (site || !strcmp(scope + 1, n->config.group)))
			masks[slot] |= bit;
	}
}

/* Only what is read by the collector is told to it. */
static uint64_t read_bits(const struct items *all)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < ITEMS_MAX; i++)
		if (all->own[i].config.oid_length)
			bits |= UINT64_C(1) << i;
	return bits;
}

static void send_scopes(struct engine *e, const struct msg_item_scope *list, size_t count)
{
	size_t fits = CHANNEL_BODY_MAX / sizeof *list;

	for (size_t at = 0; at < count; at += fits)
		engine_send(e, ROLE_COLLECTOR, MSG_ITEM_SCOPE, list + at, (count - at < fits ? count - at : fits) * sizeof *list);
}

static void scopes(struct engine *e)
{
	uint64_t *masks = mem_array(NODE_MAX, sizeof *masks), read = read_bits(e->items);
	struct msg_item_scope *news = mem_array(e->model.node_top + 1, sizeof *news);
	size_t count = 0;

	for (unsigned i = 0; i < ITEMS_MAX; i++) {
		e->items->own[i].nodes = 0;
		if (e->items->own[i].config.head.name[0])
			mark_scope(e, e->items->own[i].config.scope, UINT64_C(1) << i, masks);
	}
	for (uint32_t slot = 0; slot < e->model.node_top; slot++) {
		struct node_state *s = e->nodes[slot];
		if (!s || !e->model.nodes[slot].generation)
			continue;
		uint64_t left = s->items & ~masks[slot];
		if ((s->items & read) != (masks[slot] & read) || (s->items & ~masks[slot]))
			news[count++] = (struct msg_item_scope){slot, e->model.nodes[slot].generation, masks[slot] & read};
		s->items = masks[slot];
		for (unsigned i = 0; i < ITEMS_MAX; i++) {
			e->items->own[i].nodes += masks[slot] >> i & 1;
			if (left >> i & 1)
				values_gone(e, slot, VALUES_WANTED + i, NULL);
		}
	}
	if (e->loaded)
		send_scopes(e, news, count);
	free(news);
	free(masks);
}

/* --- the collector ------------------------------------------------------------------------------------- */
static void fill_item(const struct own_item *o, unsigned number, struct msg_item *m)
{
	struct config_item names;

	memset(m, 0, sizeof *m);
	m->interval_s = o->config.interval_s;
	m->number = (uint16_t)number;
	m->generation = o->generation;
	m->oid_length = o->config.oid_length;
	memcpy(m->oid, o->config.oid, sizeof m->oid);
	if (o->config.instances[0] && config_object_init(CONFIG_ITEM, "x", &names, NULL) == 0 &&
	    config_set_field(CONFIG_ITEM, &names, "oid", o->config.instances, NULL) == 0) {
		m->names_length = names.oid_length;
		memcpy(m->names, names.oid, sizeof m->names);
	}
	text_copy(m->include, sizeof m->include, o->config.include);
	text_copy(m->exclude, sizeof m->exclude, o->config.exclude);
}

static void send_items(struct engine *e)
{
	struct msg_item list[ITEMS_MAX];
	size_t count = 0;

	for (unsigned i = 0; i < ITEMS_MAX; i++)
		if (e->items->own[i].config.oid_length)
			fill_item(&e->items->own[i], i, &list[count++]);
	engine_send(e, ROLE_COLLECTOR, MSG_ITEMS, list, count * sizeof list[0]);
}

void items_send(struct engine *e)
{
	struct msg_item_scope *list = mem_array(e->model.node_top + 1, sizeof *list);
	uint64_t read = read_bits(e->items);
	size_t count = 0;

	send_items(e);
	for (uint32_t slot = 0; slot < e->model.node_top; slot++)
		if (e->nodes[slot] && e->model.nodes[slot].generation && (e->nodes[slot]->items & read))
			list[count++] = (struct msg_item_scope){slot, e->model.nodes[slot].generation, e->nodes[slot]->items & read};
	send_scopes(e, list, count);
	free(list);
	items_rows_unsure(e);
}

/* --- all of it ----------------------------------------------------------------------------------------- */
void items_apply(struct engine *e)
{
	const struct config_item *all = e->model.wanted.objects[CONFIG_ITEM];
	size_t count = e->model.wanted.count[CONFIG_ITEM];

	for (unsigned i = 0; i < ITEMS_MAX; i++) {
		const char *name = e->items->own[i].config.head.name;
		const struct config_item *c = name[0] ? cluster_find(&e->model.wanted, CONFIG_ITEM, name) : NULL;
		if (name[0] && (!c || !is_own(c)))
			drop(e, i);
	}
	for (size_t i = 0; i < count; i++)
		if (is_own(&all[i]))
			take(e, &all[i]);
	for (unsigned i = 1; i < ITEM_BUILTIN; i++)
		e->builtin_rules[i] = level_builtin(i);
	for (size_t i = 0; i < count; i++) {
		const struct item_definition *d = all[i].thresholds ? item_find(all[i].head.name) : NULL;
		if (d)
			e->builtin_rules[d->item] = NULL;
	}
	order(e);
	if (e->loaded)
		send_items(e);
	scopes(e);
	if (e->loaded)
		publish_items(e);
}

static const char *kind_of(const struct config_item *c, unsigned id)
{
	if (id < VALUES_WANTED)
		return "builtin";
	if (id >= VALUES_WANTED_END)
		return "made";
	return c && c->expression[0] ? "expression" : c && c->instances[0] ? "table" : "scalar";
}

void items_fill_row(struct engine *e, const char *name, unsigned id, struct item_row *row)
{
	const struct config_item *c = cluster_find(&e->model.wanted, CONFIG_ITEM, name);
	char text[THRESHOLD_TEXT];
	size_t used = 0;

	text_copy(row->kind, sizeof row->kind, kind_of(c, id));
	text_copy(row->scope, sizeof row->scope, c && c->scope[0] ? c->scope : "@site");
	row->nodes = e->model.node_count;
	if (!c)
		return;
	for (unsigned i = 0; i < c->thresholds; i++) {
		threshold_text(&c->threshold[i], text);
		text_append(row->thresholds, sizeof row->thresholds, &used, "%s%s", i ? "; " : "", text);
	}
	if (id < VALUES_WANTED || id >= VALUES_WANTED_END)
		return;
	const struct own_item *o = &e->items->own[id - VALUES_WANTED];
	used = 0;
	for (unsigned i = 0; i < c->oid_length; i++)
		text_append(row->oid, sizeof row->oid, &used, "%s%u", i ? "." : "", c->oid[i]);
	text_copy(row->instances, sizeof row->instances, c->instances);
	text_copy(row->include, sizeof row->include, c->include);
	text_copy(row->exclude, sizeof row->exclude, c->exclude);
	text_copy(row->expression, sizeof row->expression, c->expression);
	row->nodes = o->nodes;
	row->requests_per_second = o->cost.requests_per_second;
	row->bytes_per_second = o->cost.bytes_per_second;
	row->requests_x100 = (uint32_t)(o->cost.requests_per_second * 100 + 0.5);
	row->bytes = (uint32_t)(o->cost.bytes_per_second + 0.5);
}

static void on_second(void *arg)
{
	items_second(arg);
}

void items_start(struct engine *e)
{
	e->items = mem_zalloc(sizeof *e->items);
	e->items->timer = loop_timer_new(e->loop, on_second, e);
	loop_timer_every(e->items->timer, 1000);
}
