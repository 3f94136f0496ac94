/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Process watches: the wanted state's watches get numbers that stay, nodes get their share of them, and what the collector counts
 * becomes state, level, alarm, values and history. */
#include "engine/watches.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/scope.h"
#include "engine/values.h"
#include "monitor/process_watch.h"

#define EVENT_MS 60000 /* restarts of a watch on a node are told at most so often */
#define INTERVAL_S 10  /* between two readings by index */
#define ITEMS 4
#define EXPIRE_MS 60000

static const struct {
	const char *name, *unit, *describes;
} items[ITEMS] = {
	{"watch_count", "", "processes of a watch that run"},
	{"watch_cpu", "percent", "processor time of a watch's processes, 100 is one processor"},
	{"watch_mem", "B", "memory of a watch's processes"},
	{"watch_restarts", "1/h", "processes of a watch that came after one had gone"},
};

struct node_watch { /* one watch on one node */
	uint8_t watch, state, level;
	bool known, heard;
	uint32_t count;
	uint64_t restarts;
	uint32_t untold;   /* restarts no event has told */
	int64_t told_ms, heard_ms;
	double mem_bytes;
	struct process_cpu cpu;
	struct average average;
	uint32_t board_slot;
};

struct watch { /* by number */
	uint32_t generation; /* 0: free */
	struct config_watch config;
	uint32_t nodes, by_state[WATCH_STATE_COUNT];
	bool dirty;
};

struct watches {
	struct watch list[WATCHES_MAX];
	unsigned item[ITEMS]; /* ids of values.h */
	uint64_t *masks;      /* by node slot: what the collector was told */
	bool full_told;
};

static struct watches *all(struct engine *e)
{
	if (!e->watches) {
		e->watches = mem_zalloc(sizeof *e->watches);
		e->watches->masks = mem_array(NODE_MAX, sizeof e->watches->masks[0]);
	}
	return e->watches;
}

/* --- numbers ----------------------------------------------------------------------------------------- */
void watches_restore(struct engine *e, const char *name, uint32_t slot, uint32_t generation)
{
	struct watch *w = slot < WATCHES_MAX ? &all(e)->list[slot] : NULL;

	if (!w || w->generation || !generation)
		return;
	w->generation = generation;
	text_copy(w->config.head.name, sizeof w->config.head.name, name);
	if (generation >= e->model.next_generation)
		e->model.next_generation = generation + 1;
}

static void persist(struct engine *e, const struct watch *w, bool gone)
{
	char key[STORE_KEY_MAX], value[96];

	text_format(key, sizeof key, "/slot/watch/%s", w->config.head.name);
	text_format(value, sizeof value, "{\"v\":1,\"slot\":%u,\"generation\":%u}", (unsigned)(w - e->watches->list), w->generation);
	if (gone)
		store_delete(e->store, key, NULL, NULL);
	else
		store_put(e->store, key, value, NULL, NULL);
}

static void put_watch(struct engine *e, struct watch *w)
{
	const struct config_watch *c = &w->config;
	struct watch_row row = {.head = {.generation = w->generation, .slot = (uint32_t)(w - e->watches->list),
					 .order = (uint32_t)(w - e->watches->list), .last_change_wall_ms = clock_wall_ms()},
				.min = c->min, .max = c->max, .interval_s = c->interval_s, .nodes = w->nodes};

	memcpy(row.by_state, w->by_state, sizeof row.by_state);
	text_copy(row.name, sizeof row.name, c->head.name);
	text_copy(row.process, sizeof row.process, c->process);
	text_copy(row.arguments, sizeof row.arguments, c->arguments);
	text_copy(row.scope, sizeof row.scope, c->scope);
	board_put(e->board, BOARD_WATCH, &row);
	w->dirty = false;
}

/* --- one watch on one node -------------------------------------------------------------------------------- */
static struct node_watch *node_watch(const struct node_state *s, unsigned watch)
{
	for (uint32_t i = 0; i < s->watch_count; i++)
		if (s->watches[i].watch == watch)
			return &s->watches[i];
	return NULL;
}

static void put_state(struct engine *e, uint32_t slot, struct node_watch *n)
{
	struct watch *w = &e->watches->list[n->watch];

	if (n->board_slot == NO_SLOT)
		n->board_slot = board_free_slot(e->board, BOARD_WATCH_STATE);
	if (n->board_slot == NO_SLOT) {
		if (!e->watches->full_told)
			log_warning("watches: the board has no room for more of them on nodes: the rest is judged but not shown");
		e->watches->full_told = true;
		return;
	}
	struct watch_state_row row = {.head = {.generation = 1, .slot = n->board_slot, .last_change_wall_ms = clock_wall_ms(),
					       .order = (uint64_t)slot << 32 | n->watch},
				      .node_slot = slot, .watch_slot = n->watch, .at_wall_ms = n->heard ? clock_wall_ms() : 0,
				      .cpu_percent = n->cpu.at_ms ? n->cpu.percent : NAN, .mem_bytes = n->mem_bytes, .restarts = n->restarts,
				      .count = n->count, .state = n->state, .level = n->level};
	text_copy(row.name, sizeof row.name, w->config.head.name);
	board_put(e->board, BOARD_WATCH_STATE, &row);
	publish_cluster(e);
}

static void tally(struct engine *e, struct node_watch *n, enum watch_state state)
{
	struct watch *w = &e->watches->list[n->watch];

	w->by_state[n->state]--;
	n->state = (uint8_t)state;
	w->by_state[n->state]++;
	w->dirty = true;
}

static void say(struct engine *e, uint32_t slot, const struct node_watch *n)
{
	const struct config_watch *c = &e->watches->list[n->watch].config;
	char cause[CAUSE_SIZE];

	process_watch_cause(cause, sizeof cause, c->head.name, c->min, c->max, n->known, n->count);
	if (n->level != LEVEL_UNKNOWN) /* unknown is neither bad nor good: an alarm stays as it is */
		alarms_level(e, slot, "watch", c->head.name, (enum level)n->level, cause);
}

static void judge_watch(struct engine *e, uint32_t slot, struct node_watch *n)
{
	const struct config_watch *c = &e->watches->list[n->watch].config;
	enum watch_state state = process_watch_state(c->min, c->max, n->known, n->count);
	enum level before = (enum level)n->level;

	if (state != n->state)
		tally(e, n, state);
	n->level = (uint8_t)process_watch_level(state);
	if (n->level >= LEVEL_WARNING || before != (enum level)n->level)
		say(e, slot, n); /* also a count that is wrong in another way */
	if (before != (enum level)n->level)
		judgement_level(e, slot);
}

static void tell_restarts(struct engine *e, uint32_t slot, struct node_watch *n, int64_t now)
{
	const struct node_state *s = e->nodes[slot];
	char cause[CAUSE_SIZE];

	if (!n->untold || (n->told_ms && now - n->told_ms < EVENT_MS))
		return;
	text_format(cause, sizeof cause, "watch %s: restarted", e->watches->list[n->watch].config.head.name);
	size_t used = strlen(cause);
	if (n->untold > 1)
		text_append(cause, sizeof cause, &used, " %u times", n->untold);
	struct event_facts facts = {.kind = NOTIFY_LEVEL, .object = e->model.nodes[slot].config.head.name, .cause = cause, .slot = slot,
				    .verdict = (uint8_t)s->verdict.verdict, .certainty = (uint8_t)s->verdict.certainty,
				    .level = (uint8_t)s->level};
	outbox_event(e, &facts);
	n->untold = 0;
	n->told_ms = now;
}

/* --- history and values -------------------------------------------------------------------------------- */
static void announce(struct engine *e, uint32_t slot, struct node_watch *n)
{
	struct msg_series m;
	char file[NAME_SIZE];

	text_format(file, sizeof file, "watch-%s", e->watches->list[n->watch].config.head.name);
	if (n->average.series || !series_begin(e, slot, &m, "snmp", file))
		return;
	for (; m.count < ITEMS; m.count++)
		text_copy(m.names[m.count], sizeof m.names[0], items[m.count].name);
	n->average.series = m.series;
	engine_send(e, ROLE_RECORDER, MSG_SERIES_ADD, &m, sizeof m);
}

static void make_items(struct engine *e)
{
	struct error err;

	for (int i = 0; i < ITEMS; i++) {
		struct value_item item = {.definition = {.table = TABLE_CUSTOM}, .interval_s = INTERVAL_S};
		if (e->watches->item[i])
			continue;
		text_copy(item.name, sizeof item.name, items[i].name);
		text_copy(item.unit, sizeof item.unit, items[i].unit);
		text_copy(item.describes, sizeof item.describes, items[i].describes);
		e->watches->item[i] = values_item(e, &item, &err);
		if (!e->watches->item[i])
			log_error("watches: item %s: %s: %s", items[i].name, err.text, err.remedy);
	}
}

/* restarts: since the reading before, shown as so many an hour */
static void record(struct engine *e, uint32_t slot, struct node_watch *n, uint32_t restarts)
{
	const char *name = e->watches->list[n->watch].config.head.name;
	double values[ITEMS] = {n->known ? n->count : NAN, n->cpu.percent, n->mem_bytes, restarts * 3600.0 / INTERVAL_S};

	for (int i = 0; i < ITEMS; i++)
		values_put(e, slot, e->watches->item[i], name, values[i]);
	announce(e, slot, n);
	average_add(e, &n->average, ITEMS, STEP_S, values, clock_wall_ms());
}

bool watches_file(const char *item, const char *watch, char *file, size_t size)
{
	for (int i = 0; i < ITEMS && watch[0]; i++)
		if (!strcmp(items[i].name, item))
			return text_format(file, size, "watch-%s", watch);
	return false;
}

void watches_flush(struct engine *e, uint32_t slot)
{
	struct node_state *s = e->nodes[slot];

	for (uint32_t i = 0; i < s->watch_count; i++)
		average_close_past(e, &s->watches[i].average, ITEMS, STEP_S, clock_wall_ms() / 1000);
}

void watches_series_forget(struct engine *e, uint32_t slot)
{
	struct node_state *s = e->nodes[slot];

	for (uint32_t i = 0; i < s->watch_count; i++)
		s->watches[i].average.series = 0;
}

/* --- what the collector says ----------------------------------------------------------------------------- */
static void take_one(struct engine *e, const struct msg_watch_state *m)
{
	struct node_state *s = e->nodes[m->slot];
	struct node_watch *n = node_watch(s, m->watch);
	int64_t now = clock_mono_ms();

	if (!n || e->watches->list[m->watch].generation != m->watch_generation)
		return;
	n->known = m->found == PROCESSES_COUNTED;
	n->count = n->known ? m->count : 0;
	n->restarts += m->restarts;
	n->untold += m->restarts;
	n->mem_bytes = n->known && m->mem_kib < UINT64_C(1) << 50 ? (double)m->mem_kib * 1024 : NAN;
	if (n->known)
		process_cpu_push(&n->cpu, m->cpu_cs, m->at_ms);
	else
		n->cpu = (struct process_cpu){.percent = NAN};
	n->heard = true;
	n->heard_ms = now;
	judge_watch(e, m->slot, n);
	tell_restarts(e, m->slot, n, now);
	record(e, m->slot, n, m->restarts);
	put_state(e, m->slot, n);
}

void watches_take(struct engine *e, const struct msg_watch_state *m, size_t count)
{
	for (size_t i = 0; e->watches && i < count; i++)
		if (m[i].watch < WATCHES_MAX && m[i].at_ms > 0 && engine_node(e, m[i].slot, m[i].generation))
			take_one(e, &m[i]);
}

static void forget_reading(struct engine *e, uint32_t slot, struct node_watch *n)
{
	n->known = n->heard = false;
	n->count = 0;
	n->mem_bytes = NAN;
	n->cpu = (struct process_cpu){.percent = NAN};
	judge_watch(e, slot, n);
	put_state(e, slot, n);
}

void watches_silence(struct engine *e, uint32_t slot)
{
	struct node_state *s = e->nodes[slot];

	for (uint32_t i = 0; i < s->watch_count; i++)
		if (s->watches[i].heard)
			forget_reading(e, slot, &s->watches[i]);
}

void watches_tick(struct engine *e)
{
	int64_t now = clock_mono_ms();

	for (uint32_t slot = 0; e->watches && slot < e->model.node_top; slot++)
		for (uint32_t i = 0; e->nodes[slot] && i < e->nodes[slot]->watch_count; i++) {
			struct node_watch *n = &e->nodes[slot]->watches[i];
			const struct watch *w = &e->watches->list[n->watch];
			/* without processes there is nothing to be polled: then only searches tell */
			int64_t life = n->count ? EXPIRE_MS : EXPIRE_MS + 2500 * (int64_t)w->config.interval_s;
			if (n->heard && now - n->heard_ms > life)
				forget_reading(e, slot, n);
			tell_restarts(e, slot, n, now);
		}
	for (unsigned i = 0; e->watches && i < WATCHES_MAX; i++)
		if (e->watches->list[i].dirty && e->watches->list[i].generation)
			put_watch(e, &e->watches->list[i]);
}

/* --- levels and alarms ------------------------------------------------------------------------------------ */
enum level watches_worst(struct engine *e, uint32_t slot, const char **name)
{
	const struct node_state *s = e->nodes[slot];
	enum level worst = LEVEL_UNKNOWN;

	for (uint32_t i = 0; i < s->watch_count; i++)
		if (s->watches[i].level > worst) {
			worst = (enum level)s->watches[i].level;
			*name = e->watches->list[s->watches[i].watch].config.head.name;
		}
	return worst;
}

void watches_alarms(struct engine *e, uint32_t slot)
{
	for (uint32_t i = 0; i < e->nodes[slot]->watch_count; i++)
		say(e, slot, &e->nodes[slot]->watches[i]);
}

bool watches_has(struct engine *e, uint32_t slot, const char *name)
{
	const struct node_state *s = e->nodes[slot];

	for (uint32_t i = 0; i < s->watch_count; i++)
		if (!strcmp(e->watches->list[s->watches[i].watch].config.head.name, name))
			return true;
	return false;
}

/* --- coming and going --------------------------------------------------------------------------------------- */
static void node_watch_remove(struct engine *e, uint32_t slot, uint32_t at, bool node_stays)
{
	struct node_state *s = e->nodes[slot];
	struct node_watch *n = &s->watches[at];
	struct watch *w = &e->watches->list[n->watch];
	struct watch_state_row gone = {.head = {.slot = n->board_slot}};

	if (n->board_slot != NO_SLOT)
		board_put(e->board, BOARD_WATCH_STATE, &gone);
	w->nodes--;
	w->by_state[n->state]--;
	w->dirty = true;
	average_free(&n->average);
	if (node_stays) {
		alarms_withdraw(e, e->model.nodes[slot].config.head.name, "watch", w->config.head.name);
		for (int i = 0; i < ITEMS; i++)
			values_gone(e, slot, e->watches->item[i], w->config.head.name);
	}
	s->watches[at] = s->watches[--s->watch_count];
}

void watches_forget_node(struct engine *e, uint32_t slot)
{
	struct node_state *s = e->nodes[slot];

	while (s->watch_count)
		node_watch_remove(e, slot, s->watch_count - 1, false);
	free(s->watches);
	s->watches = NULL;
	if (e->watches)
		e->watches->masks[slot] = 0;
}

static void node_watch_add(struct engine *e, uint32_t slot, unsigned watch)
{
	struct node_state *s = e->nodes[slot];
	struct watch *w = &e->watches->list[watch];

	s->watches = mem_grow(s->watches, s->watch_count + 1, sizeof s->watches[0]);
	struct node_watch *n = &s->watches[s->watch_count++];
	*n = (struct node_watch){.watch = (uint8_t)watch, .state = WATCH_STATE_UNKNOWN, .level = LEVEL_UNKNOWN, .mem_bytes = NAN,
				 .cpu.percent = NAN, .board_slot = NO_SLOT};
	w->nodes++;
	w->by_state[WATCH_STATE_UNKNOWN]++;
	w->dirty = true;
	put_state(e, slot, n);
}

static void set_node(struct engine *e, uint32_t slot, uint64_t mask)
{
	struct node_state *s = e->nodes[slot];
	uint32_t before = s->watch_count;

	for (uint32_t i = s->watch_count; i-- > 0;)
		if (!(mask >> s->watches[i].watch & 1))
			node_watch_remove(e, slot, i, true);
	if (before != s->watch_count)
		judgement_level(e, slot);
	for (unsigned w = 0; w < WATCHES_MAX; w++)
		if ((mask >> w & 1) && !node_watch(s, w))
			node_watch_add(e, slot, w);
}

/* --- to the collector ----------------------------------------------------------------------------------- */
static void send_definitions(struct engine *e)
{
	struct msg_watch m[WATCHES_MAX] = {0};
	size_t count = 0;

	for (unsigned i = 0; i < WATCHES_MAX; i++) {
		const struct config_watch *c = &e->watches->list[i].config;
		if (!e->watches->list[i].generation || !c->process[0])
			continue;
		m[count] = (struct msg_watch){.watch = i, .generation = e->watches->list[i].generation, .interval_s = c->interval_s,
					      .min = c->min, .max = c->max};
		text_copy(m[count].process, sizeof m[count].process, c->process);
		text_copy(m[count].arguments, sizeof m[count].arguments, c->arguments);
		count++;
	}
	engine_send(e, ROLE_COLLECTOR, MSG_WATCHES, m, count * sizeof m[0]);
}

static void send_scope(struct engine *e, const uint64_t *before, const uint64_t *now)
{
	struct msg_watch_scope m[CHANNEL_BODY_MAX / sizeof(struct msg_watch_scope)];
	size_t count = 0;

	for (uint32_t slot = 0; slot < e->model.node_top; slot++) {
		if (!e->model.nodes[slot].generation || (!now[slot] && !before[slot]))
			continue;
		m[count++] = (struct msg_watch_scope){.slot = slot, .generation = e->model.nodes[slot].generation, .watches = now[slot]};
		if (count == COUNT_OF(m)) {
			engine_send(e, ROLE_COLLECTOR, MSG_WATCH_SCOPE, m, sizeof m);
			count = 0;
		}
	}
	if (count)
		engine_send(e, ROLE_COLLECTOR, MSG_WATCH_SCOPE, m, count * sizeof m[0]);
}

static void send_changed(struct engine *e, const uint64_t *before, const uint64_t *now)
{
	send_definitions(e);
	send_scope(e, before, now);
}

void watches_send(struct engine *e)
{
	if (e->watches)
		send_changed(e, e->watches->masks, e->watches->masks);
}

/* --- the wanted state --------------------------------------------------------------------------------------- */
static struct watch *watch_named(struct watches *a, const char *name)
{
	for (unsigned i = 0; i < WATCHES_MAX; i++)
		if (a->list[i].generation && !strcmp(a->list[i].config.head.name, name))
			return &a->list[i];
	return NULL;
}

static struct watch *watch_free(struct watches *a)
{
	unsigned i = 0;

	while (i < WATCHES_MAX && a->list[i].generation)
		i++;
	return i < WATCHES_MAX ? &a->list[i] : NULL;
}

/* Numbers for what is new, and free ones where something is gone. */
static void remove_gone(struct engine *e)
{
	for (unsigned i = 0; i < WATCHES_MAX; i++) {
		struct watch *w = &e->watches->list[i];
		struct watch_row gone = {.head = {.slot = i}};
		if (!w->generation || cluster_find(&e->model.wanted, CONFIG_WATCH, w->config.head.name))
			continue;
		for (uint32_t slot = 0; slot < e->model.node_top; slot++)
			if (e->nodes[slot] && node_watch(e->nodes[slot], i))
				set_node(e, slot, e->watches->masks[slot] &= ~(UINT64_C(1) << i));
		persist(e, w, true);
		board_put(e->board, BOARD_WATCH, &gone);
		*w = (struct watch){0};
	}
}

static void take_wanted(struct engine *e, const struct config_watch *c)
{
	struct watch *w = watch_named(e->watches, c->head.name);
	bool fresh = !w, other = w && w->config.process[0] && (strcmp(w->config.process, c->process) || strcmp(w->config.arguments, c->arguments));

	if (!w)
		w = watch_free(e->watches);
	if (!w)
		return; /* cluster_check() has counted them */
	if (fresh || other)
		w->generation = e->model.next_generation++;
	w->config = *c;
	w->config.head.line = 0;
	put_watch(e, w);
	if (fresh || other)
		persist(e, w, false);
	for (uint32_t slot = 0; !fresh && slot < e->model.node_top; slot++) {
		struct node_watch *n = e->nodes[slot] ? node_watch(e->nodes[slot], (unsigned)(w - e->watches->list)) : NULL;
		if (n && other)
			forget_reading(e, slot, n);
		else if (n)
			judge_watch(e, slot, n); /* other numbers may be right now */
	}
}

void watches_apply(struct engine *e)
{
	struct watches *a = all(e);
	const struct config_watch *wanted = e->model.wanted.objects[CONFIG_WATCH];
	uint64_t *masks = mem_array(NODE_MAX, sizeof *masks);

	if (e->model.wanted.count[CONFIG_WATCH])
		make_items(e);
	remove_gone(e);
	for (size_t i = 0; i < e->model.wanted.count[CONFIG_WATCH]; i++) {
		take_wanted(e, &wanted[i]);
		struct watch *w = watch_named(a, wanted[i].head.name);
		if (w)
			scope_mark(e, w->config.scope, UINT64_C(1) << (w - a->list), masks);
	}
	for (uint32_t slot = 0; slot < e->model.node_top; slot++)
		if (e->nodes[slot])
			set_node(e, slot, masks[slot]);
	for (unsigned i = 0; i < WATCHES_MAX; i++)
		if (a->list[i].generation)
			put_watch(e, &a->list[i]);
	send_changed(e, a->masks, masks);
	free(a->masks);
	a->masks = masks;
}
