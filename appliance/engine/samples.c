/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Raw samples become values, levels, board rows and rows for the RRD files. */
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hostrange.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/items.h"
#include "engine/memories.h"
#include "engine/services_series.h"
#include "engine/watches.h"

/* --- rows for the recorder ------------------------------------------------------------------------------- */
void samples_flush(struct engine *e, uint32_t slot)
{
	struct node_state *s = e->nodes[slot];
	int64_t now = clock_wall_ms() / 1000;

	average_close_past(e, &s->average, ITEM_SCALARS - 1, STEP_S, now);
	for (uint32_t r = 0; r < s->row_count; r++) {
		unsigned count = 0;
		for (unsigned i = 0; i < item_definition_count; i++)
			count += item_definitions[i].table == s->rows[r].table;
		average_close_past(e, &s->rows[r].average, count, STEP_S, now);
	}
	values_flush(e, slot);
	watches_flush(e, slot);
}

void series_forget(struct engine *e)
{
	for (uint32_t s = 0; s < e->model.node_top; s++) {
		struct node_state *n = e->nodes[s];
		if (!n)
			continue;
		n->average.series = n->sensor_average.series = 0;
		for (uint32_t i = 0; i < n->row_count; i++)
			n->rows[i].average.series = 0;
		watches_series_forget(e, s);
	}
	values_series_forget(e);
	services_series_forget(e);
}

bool series_begin(struct engine *e, uint32_t slot, struct msg_series *m, const char *source, const char *file)
{
	const struct model_node *n = &e->model.nodes[slot];

	if (!e->roles[ROLE_RECORDER].channel)
		return false;
	memset(m, 0, sizeof *m);
	m->series = ++e->series_next;
	m->slot = slot;
	m->step_s = STEP_S;
	text_copy(m->site, sizeof m->site, e->model.wanted.site);
	text_copy(m->group, sizeof m->group, n->config.group);
	text_copy(m->node, sizeof m->node, n->config.head.name);
	text_copy(m->source, sizeof m->source, source);
	text_copy(m->file, sizeof m->file, file);
	return true;
}

static void announce_base(struct engine *e, uint32_t slot, struct average *a)
{
	struct msg_series m;

	if (a->series || !series_begin(e, slot, &m, "snmp", "base"))
		return;
	for (unsigned i = 0; i < item_definition_count && item_definitions[i].item < ITEM_SCALARS; i++)
		text_copy(m.names[m.count++], sizeof m.names[0], item_definitions[i].name);
	a->series = m.series;
	engine_send(e, ROLE_RECORDER, MSG_SERIES_ADD, &m, sizeof m);
}

/* disk_fill belongs to a mounted file system, read/write/busy to the device: two files of different names. */
void samples_row_file(const struct table_row *r, char *out, size_t size)
{
	static const char *const classes[TABLE_COUNT] = {[TABLE_DISK] = "disk", [TABLE_DISKIO] = "diskio", [TABLE_IF] = "if"};

	text_format(out, size, "%s-%s", classes[r->table], !strcmp(r->name, "/") ? "root" : r->name);
}

static void announce_row(struct engine *e, uint32_t slot, struct table_row *r)
{
	unsigned first = items_first_of_table(r->table);
	struct msg_series m;
	char file[NAME_SIZE];

	if (r->average.series || r->table == TABLE_CUSTOM)
		return;
	samples_row_file(r, file, sizeof file);
	if (!series_begin(e, slot, &m, "snmp", file))
		return;
	for (unsigned i = 0; i < item_definition_count; i++)
		if (item_definitions[i].table == r->table && item_definitions[i].item >= first)
			text_copy(m.names[m.count++], sizeof m.names[0], item_definitions[i].name);
	r->average.series = m.series;
	engine_send(e, ROLE_RECORDER, MSG_SERIES_ADD, &m, sizeof m);
}

/* --- rules -------------------------------------------------------------------------------------------- */
static bool in_scope(const char *scope, const char *node, const char *group)
{
	struct name_list names = {0};
	bool in = false;

	if (!scope[0] || !strcmp(scope, "@site"))
		return true;
	if (scope[0] == '@')
		return !strcmp(scope + 1, group);
	if (hostrange_expand(scope, &names, NULL) == 0)
		for (size_t i = 0; i < names.count && !in; i++)
			in = !strcmp(names.names[i], node);
	name_list_free(&names);
	return in;
}

const struct level_rules *samples_rules(struct engine *e, const struct item_definition *item, const char *node, const char *group)
{
	static struct level_rules own;
	const struct level_rules *builtin = item->item < ITEM_BUILTIN ? e->builtin_rules[item->item] : NULL;

	if (builtin)
		return builtin;
	const struct config_item *c = e->model.wanted.count[CONFIG_ITEM] ? cluster_find(&e->model.wanted, CONFIG_ITEM, item->name) : NULL;

	if (!c || !c->thresholds || !in_scope(c->scope, node, group))
		return level_builtin(item->item);
	own.count = c->thresholds;
	memcpy(own.rule, c->threshold, c->thresholds * sizeof own.rule[0]);
	return &own;
}

/* --- values ------------------------------------------------------------------------------------------- */
void samples_describe(const struct item_definition *item, const char *instance, double value, char *out, size_t size)
{
	text_format(out, size, "%s%s%s %.*f %s", item->name, instance[0] ? " " : "", instance, value < 10 ? 1 : 0, value, item->unit);
}

void samples_judge(struct engine *e, uint32_t slot, const struct item_definition *item, const char *instance, double value,
		   int64_t wall_ms, struct level_state *state)
{
	const struct model_node *n = &e->model.nodes[slot];
	const struct level_rules *rules = samples_rules(e, item, n->config.head.name, n->config.group);

	if (!rules->count && !isnan(value) && state->level == LEVEL_NORMAL)
		return;
	struct level_memory *memory = memories_of(e, slot, item->name, instance, rules, !isnan(value));
	struct level_sample sample = {.value = value, .wall_ms = wall_ms};
	enum level before = (enum level)state->level;
	char kind[24], cause[CAUSE_SIZE];
	struct level_seen seen;

	if (isnan(value))
		sample.quiet_ms = memories_quiet_ms(e, slot, item->name, instance, rules);
	enum level after = level_judge(rules, state, memory, &sample, &seen);
	if (after == before && (!seen.rule || seen.rule->kind == THRESHOLD_VALUE || !memories_say_again(e, slot, item->name, instance)))
		return;
	text_format(kind, sizeof kind, "item:%.18s", item->name);
	samples_describe(item, instance, value, cause, sizeof cause);
	level_reason(&seen, cause, sizeof cause);
	if (after != LEVEL_UNKNOWN) /* unknown is neither bad nor good: an alarm stays as it is */
		alarms_level(e, slot, kind, instance, after, cause); /* also the first time: an alarm of the life before may stand */
	if (before != 0 || after != LEVEL_NORMAL)
		judgement_level(e, slot);
}

/* A built-in item's values for which none came for too long: what its rows of kind no-data say. */
static void quiet_builtin(struct engine *e, uint32_t slot, const struct item_definition *d, const struct level_rules *rules)
{
	struct node_state *s = e->nodes[slot];
	unsigned at = d->table == TABLE_NONE ? 0 : d->item - items_first_of_table(d->table);
	int64_t wall = clock_wall_ms();

	if (d->table == TABLE_NONE && memories_quiet_ms(e, slot, d->name, "", rules) >= level_no_data_ms(rules)) {
		samples_judge(e, slot, d, "", NAN, wall, &s->levels[d->item]);
		publish_value(e, slot, d, 0, "", NAN, wall, (enum level)s->levels[d->item].level, &s->board_slot[d->item]);
	}
	for (uint32_t i = 0; i < s->row_count; i++) {
		struct table_row *r = &s->rows[i];
		if (d->table == TABLE_NONE || r->table != d->table || memories_quiet_ms(e, slot, d->name, r->name, rules) < level_no_data_ms(rules))
			continue;
		samples_judge(e, slot, d, r->name, NAN, wall, &r->levels[at]);
		publish_value(e, slot, d, r->instance, r->name, NAN, wall, (enum level)r->levels[at].level, &r->board_slot[at]);
	}
}

void samples_quiet(struct engine *e)
{
	const struct config_item *items = e->model.wanted.objects[CONFIG_ITEM];

	for (size_t i = 0; i < e->model.wanted.count[CONFIG_ITEM]; i++) {
		const struct item_definition *d = values_find(e, items[i].head.name);
		struct level_rules all = {.count = items[i].thresholds};
		memcpy(all.rule, items[i].threshold, sizeof all.rule);
		for (uint32_t slot = 0; d && level_no_data_ms(&all) && slot < e->model.node_top; slot++) {
			const struct config_node *n = &e->model.nodes[slot].config;
			const struct level_rules *rules = e->nodes[slot] ? samples_rules(e, d, n->head.name, n->group) : NULL;
			if (!rules || !level_no_data_ms(rules))
				continue;
			if (d->item < ITEM_BUILTIN)
				quiet_builtin(e, slot, d, rules);
			else
				values_quiet(e, slot, d->item, rules);
		}
	}
}

static void scalars_done(struct engine *e, uint32_t slot, int64_t arrival, int64_t wall)
{
	struct node_state *s = e->nodes[slot];
	double values[ITEM_SCALARS];

	items_scalars(s->raw, values);
	values[ITEM_HEARTBEAT] = 100;
	for (unsigned i = 0; i < item_definition_count && item_definitions[i].item < ITEM_SCALARS; i++) {
		const struct item_definition *d = &item_definitions[i];
		s->values[d->item] = values[d->item];
		samples_judge(e, slot, d, "", values[d->item], wall, &s->levels[d->item]);
		publish_value(e, slot, d, 0, "", values[d->item], wall, (enum level)s->levels[d->item].level, &s->board_slot[d->item]);
	}
	announce_base(e, slot, &s->average);
	average_add(e, &s->average, ITEM_SCALARS - 1, STEP_S, values + 1, arrival);
	publish_node_reading(e, slot);
}

static void row_done(struct engine *e, uint32_t slot, struct table_row *r, int64_t arrival, int64_t wall)
{
	unsigned first = items_first_of_table(r->table), count = items_row(r->table, r->raw, r->values), at = 0;

	for (unsigned i = 0; i < item_definition_count && at < count; i++) {
		const struct item_definition *d = &item_definitions[i];
		if (d->table != r->table || d->item < first)
			continue;
		samples_judge(e, slot, d, r->name, r->values[at], wall, &r->levels[at]);
		publish_value(e, slot, d, r->instance, r->name, r->values[at], wall, (enum level)r->levels[at].level, &r->board_slot[at]);
		at++;
	}
	announce_row(e, slot, r);
	average_add(e, &r->average, count, STEP_S, r->values, arrival);
	r->changed = false;
}

/* --- samples ------------------------------------------------------------------------------------------ */
static struct table_row *row_of(struct node_state *s, unsigned table, unsigned instance)
{
	for (uint32_t i = 0; i < s->row_count; i++)
		if (s->rows[i].table == table && s->rows[i].instance == instance)
			return &s->rows[i];
	return NULL;
}

static unsigned table_of(unsigned object, unsigned *first)
{
	for (unsigned t = TABLE_DISK; t < TABLE_COUNT; t++) {
		unsigned count = items_objects_of_table(t, first);
		if (count && object >= *first && object < *first + count)
			return t;
	}
	return TABLE_NONE;
}

static void row_changed(struct node_state *s, struct table_row *r)
{
	uint16_t at = (uint16_t)(r - s->rows);

	if (s->changed_first == s->changed_end)
		s->changed_first = s->changed_end = at;
	s->changed_first = at < s->changed_first ? at : s->changed_first;
	s->changed_end = at >= s->changed_end ? at + 1 : s->changed_end;
	r->changed = true;
}

/* One sample into its place. Returns true when it is a scalar of a poll (not the heartbeat's lone up-time). */
static bool store_sample(struct node_state *s, const struct msg_sample *m, int64_t arrival_ms, bool restarted)
{
	unsigned first;

	if (m->object < OBJ_SCALARS) {
		if (m->object == 0)
			return false;
		raw_push(&s->raw[m->object], m->type, m->value, arrival_ms, restarted);
		return m->object != OBJ_SYSUPTIME;
	}
	unsigned table = table_of(m->object, &first);
	struct table_row *r = table ? row_of(s, table, m->instance) : NULL;
	if (r) {
		raw_push(&r->raw[m->object - first], m->type, m->value, arrival_ms, restarted);
		row_changed(s, r);
	}
	return false;
}

static bool uptime_fell(struct node_state *s, uint32_t uptime_cs)
{
	/* Timeticks wrap after 497 days: a fall from the last day before the wrap is none */
	bool fell = uptime_cs && uptime_cs < s->last_uptime_cs && s->last_uptime_cs < UINT32_MAX - 8640000;

	if (uptime_cs)
		s->last_uptime_cs = uptime_cs;
	return fell;
}

/* arrival, wall: on the wall clock, of the answer and now. */
static void block_done(struct engine *e, uint32_t slot, bool scalars, int64_t arrival, int64_t wall)
{
	struct node_state *s = e->nodes[slot];

	if (scalars)
		scalars_done(e, slot, arrival, wall);
	unsigned tables = 0;
	for (uint32_t i = s->changed_first; i < s->changed_end; i++) {
		if (i + 1 < s->changed_end)
			average_expect(&s->rows[i + 1].average, ROW_ITEMS);
		if (!s->rows[i].changed)
			continue;
		row_done(e, slot, &s->rows[i], arrival, wall);
		tables |= 1u << s->rows[i].table;
	}
	s->changed_first = s->changed_end = 0;
	stats_sample(e, slot, scalars, tables);
}

/* The collector's word, but never from the future, nor from before an hour: what is worked out of it must not overflow. */
static int64_t plausible_arrival(int64_t arrival_ms, int64_t now_ms)
{
	return arrival_ms > now_ms ? now_ms : arrival_ms < now_ms - 3600000 ? now_ms - 3600000 : arrival_ms;
}

static int64_t host_uptime_ms(const struct raw_pair *raw, int64_t arrival_ms)
{
	return raw->now.arrival_ms == arrival_ms && raw->now.value >= 0 && raw->now.value <= UINT32_MAX ? raw->now.value * 10 : -1;
}

/* The answers of one node, which stand together in a packet; no head: there are no more, or what follows is not as agreed. */
struct block {
	const struct msg_samples *head, *last;
	const uint8_t *end;
};

static struct block block_at(const uint8_t *at, const uint8_t *limit)
{
	struct block b = {.end = at};

	while ((size_t)(limit - b.end) >= sizeof(struct msg_samples)) {
		const struct msg_samples *a = (const void *)b.end;
		size_t size = sizeof *a + a->count * sizeof(struct msg_sample);
		if (size > (size_t)(limit - b.end) || (b.head && a->slot != b.head->slot))
			break;
		b.head = b.head ? b.head : a;
		b.last = a;
		b.end += size;
	}
	return b;
}

static const struct msg_sample *samples_of(const struct msg_samples *a)
{
	return (const struct msg_sample *)(a + 1);
}

/* Some of its samples are of rows: scalars stand before them. */
static bool has_rows(const struct block *b)
{
	return b->last->count && samples_of(b->last)[b->last->count - 1].object >= OBJ_SCALARS;
}

static bool store_block(struct engine *e, const struct block *b, struct node_state *s)
{
	bool restarted = uptime_fell(s, b->head->uptime_cs), scalars = false;

	for (const struct msg_samples *a = b->head;; a = (const void *)(samples_of(a) + a->count)) {
		for (const struct msg_sample *m = samples_of(a); m < samples_of(a) + a->count; m++)
			if (m->object >= OBJECT_ITEM && m->object < OBJECT_ITEM_END)
				items_sample(e, a, m);
			else
				scalars |= store_sample(s, m, a->arrival_ms, restarted);
		if (a == b->last)
			return scalars;
	}
}

/* At 10,000 nodes half of a poll's cost is waiting for memory: that of the nodes to come is asked for while one is worked on, first what
 * stands in its state, then what its state points to; in portions: of what was asked for all at once, the last was not there in time. */
static void expect_state(struct engine *e, uint32_t slot)
{
	const struct node_state *s = engine_state(e, slot);

	if (!s)
		return;
	mem_expect(s, offsetof(struct node_state, verdict));
	mem_expect(&e->model.nodes[slot].generation, 1);
	judge_uptime_expect(e->judge, slot);
}

static void expect_history(struct engine *e, uint32_t slot)
{
	const struct node_state *s = engine_state(e, slot);

	if (!s)
		return;
	average_expect(&s->average, ITEM_SCALARS - 1);
	publish_expect(e, slot);
	stats_expect(s);
}

static void expect_values(struct engine *e, uint32_t slot, bool rows)
{
	const struct node_state *s = engine_state(e, slot);

	if (!s)
		return;
	for (unsigned i = 1; i < ITEM_SCALARS; i++)
		board_put_expect(e->board, BOARD_VALUE, s->board_slot[i], 0, SIZE_MAX);
	if (rows)
		mem_expect(s->rows, s->row_count * sizeof s->rows[0]);
}

void samples_take(struct engine *e, const void *body, size_t size)
{
	int64_t wall = clock_wall_ms(), mono = clock_mono_ms();
	const uint8_t *limit = (const uint8_t *)body + size;
	struct block b = block_at(body, limit), next = block_at(b.end, limit);

	while (b.head) {
		struct block after = block_at(next.end, limit);
		const struct msg_samples *a = b.head;
		struct node_state *s = engine_state(e, a->slot);
		bool here = s && (uint16_t)e->model.nodes[a->slot].generation == a->generation, scalars = false;

		if (after.head)
			expect_state(e, after.head->slot);
		if (here)
			scalars = store_block(e, &b, s);
		if (next.head)
			expect_history(e, next.head->slot);
		if (here) {
			int64_t arrival = plausible_arrival(a->arrival_ms, mono);
			s->last_seen_wall_ms = wall - (mono - arrival);
			judge_uptime(e->judge, a->slot, a->uptime_cs ? (int64_t)a->uptime_cs * 10 : -1,
				     host_uptime_ms(&s->raw[OBJ_HOST_UPTIME], a->arrival_ms), mono);
			block_done(e, a->slot, scalars, s->last_seen_wall_ms, wall);
		}
		if (next.head)
			expect_values(e, next.head->slot, has_rows(&next));
		b = next;
		next = after;
	}
	judgement_kick(e);
}

static void row_remove(struct engine *e, uint32_t slot, struct table_row *r)
{
	struct node_state *s = e->nodes[slot];
	unsigned first = items_first_of_table(r->table);

	for (unsigned i = 0; i < ROW_ITEMS; i++) {
		char kind[24];
		if (r->board_slot[i] == NO_SLOT)
			continue;
		struct value_row gone = {.head = {.slot = r->board_slot[i]}};
		board_put(e->board, BOARD_VALUE, &gone);
		for (unsigned d = 0; d < item_definition_count; d++)
			if (item_definitions[d].item == first + i) {
				text_format(kind, sizeof kind, "item:%.18s", item_definitions[d].name);
				alarms_withdraw(e, e->model.nodes[slot].config.head.name, kind, r->name);
			}
	}
	average_free(&r->average);
	*r = s->rows[--s->row_count];
	judgement_level(e, slot); /* what is gone is no reason any more */
}

static void row_add(struct node_state *s, const struct msg_instance *m)
{
	struct table_row *r;

	if (s->row_count == ROWS_PER_NODE)
		return;
	s->rows = mem_grow(s->rows, s->row_count + 1, sizeof s->rows[0]);
	r = &s->rows[s->row_count++];
	*r = (struct table_row){.table = m->table, .instance = m->instance};
	text_copy(r->name, sizeof r->name, m->name);
	text_make_printable(r->name);
	for (unsigned i = 0; i < ROW_ITEMS; i++)
		r->board_slot[i] = NO_SLOT;
}

void samples_instances(struct engine *e, const struct msg_instance *m, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!engine_node(e, m[i].slot, m[i].generation) || !text_terminated(m[i].name, sizeof m[i].name))
			continue;
		if (m[i].table >= OBJECT_ITEM && m[i].table < OBJECT_ITEM_END)
			items_instance(e, &m[i]);
		if (!items_objects_of_table(m[i].table, &(unsigned){0}))
			continue;
		struct node_state *s = e->nodes[m[i].slot];
		struct table_row *r = row_of(s, m[i].table, m[i].instance);

		if (r && m[i].gone)
			row_remove(e, m[i].slot, r);
		else if (!r && !m[i].gone)
			row_add(s, &m[i]);
	}
}

void samples_facts(struct engine *e, const struct msg_node_facts *f, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!engine_node(e, f[i].slot, f[i].generation))
			continue;
		if (f[i].agent_restarted || f[i].rebooted)
			incidents_facts(e, f[i].slot, f[i].rebooted ? RETURN_REBOOTED : RETURN_AGENT_RESTARTED,
					(int64_t)f[i].sys_uptime_cs * 10);
		if (text_terminated(f[i].sys_name, sizeof f[i].sys_name))
			identity_facts(e, &f[i]);
		peers_facts(e, f[i].slot, &f[i]);
	}
}

void samples_alarms(struct engine *e, uint32_t slot)
{
	const struct node_state *s = e->nodes[slot];
	char kind[24], cause[CAUSE_SIZE];

	for (unsigned i = 0; i < item_definition_count; i++) {
		const struct item_definition *d = &item_definitions[i];
		uint32_t at = d->item < ITEM_SCALARS ? 0 : d->item - items_first_of_table(d->table);
		text_format(kind, sizeof kind, "item:%.18s", d->name);
		if (d->item < ITEM_SCALARS && s->levels[d->item].level > LEVEL_UNKNOWN) {
			samples_describe(d, "", s->values[d->item], cause, sizeof cause);
			alarms_level(e, slot, kind, "", (enum level)s->levels[d->item].level, cause);
		}
		for (uint32_t r = 0; d->item >= ITEM_SCALARS && r < s->row_count; r++) {
			const struct table_row *row = &s->rows[r];
			if (row->table != d->table || row->levels[at].level <= LEVEL_UNKNOWN)
				continue;
			samples_describe(d, row->name, row->values[at], cause, sizeof cause);
			alarms_level(e, slot, kind, row->name, (enum level)row->levels[at].level, cause);
		}
	}
	values_alarms(e, slot);
}

bool samples_has(struct engine *e, uint32_t slot, const char *item, const char *instance)
{
	const struct item_definition *d = item_find(item);
	const struct node_state *s = e->nodes[slot];
	bool found = d ? d->table == TABLE_NONE : values_has(e, slot, item, instance);

	for (uint32_t r = 0; d && r < s->row_count && !found; r++)
		found = s->rows[r].table == d->table && !strcmp(s->rows[r].name, instance);
	return found;
}

void samples_silence(struct engine *e, uint32_t slot)
{
	struct node_state *s = e->nodes[slot];
	int64_t wall = clock_wall_ms();

	for (unsigned i = 0; i < item_definition_count && item_definitions[i].item < ITEM_SCALARS; i++) {
		const struct item_definition *d = &item_definitions[i];
		double value = d->item == ITEM_HEARTBEAT ? 0 : NAN;
		s->values[d->item] = value;
		s->levels[d->item].level = LEVEL_UNKNOWN;
		if (s->board_slot[d->item] != NO_SLOT)
			publish_value(e, slot, d, 0, "", value, wall, LEVEL_UNKNOWN, &s->board_slot[d->item]);
	}
	for (uint32_t r = 0; r < s->row_count; r++) {
		struct table_row *row = &s->rows[r];
		unsigned first = items_first_of_table(row->table);
		for (unsigned i = 0; i < item_definition_count; i++) {
			const struct item_definition *d = &item_definitions[i];
			if (d->table != row->table || row->board_slot[d->item - first] == NO_SLOT)
				continue;
			row->levels[d->item - first].level = LEVEL_UNKNOWN;
			publish_value(e, slot, d, row->instance, row->name, NAN, wall, LEVEL_UNKNOWN, &row->board_slot[d->item - first]);
		}
	}
	values_silence(e, slot);
	watches_silence(e, slot);
}
