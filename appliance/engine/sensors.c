/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sensors of a node as the BMC role judged them: board rows, alarms, one RRD file per node. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/engine.h"

#define SENSORS_MAX 512

static struct node_sensor *sensor_of(struct node_state *s, uint16_t record)
{
	for (uint32_t i = 0; i < s->sensor_count; i++)
		if (s->sensors[i].record_id == record)
			return &s->sensors[i];
	return NULL;
}

static bool ds_taken(const struct node_state *s, const char *ds)
{
	for (uint32_t i = 0; i < s->sensor_count; i++)
		if (!strcmp(s->sensors[i].ds, ds))
			return true;
	return false;
}

/* "CPU1 Temp" > "cpu1_temp": a data-source name of at most 19 characters, unique on the node. */
static void fold_name(const struct node_state *s, const char *name, char out[20])
{
	char plain[20];
	size_t n = 0;

	for (const char *p = name; *p && n < 19; p++)
		plain[n++] = isalnum((unsigned char)*p) ? (char)tolower((unsigned char)*p) : '_';
	plain[n] = '\0';
	if (!n || !isalpha((unsigned char)plain[0]))
		plain[0] = 's';
	plain[n ? n : 1] = '\0';
	text_copy(out, 20, plain);
	for (int i = 2; ds_taken(s, out) && i < 1000; i++)
		text_format(out, 20, "%.15s_%d", plain, i);
}

static bool named(const struct node_state *s, const char *name, const struct node_sensor *but)
{
	for (uint32_t i = 0; i < s->sensor_count; i++)
		if (&s->sensors[i] != but && !strcmp(s->sensors[i].name, name))
			return true;
	return false;
}

/* How good a sensor is as what the whole machine draws: its name says so, or it is the input (better than the output) of a power supply. */
static enum power_rank power_rank(const struct msg_sensor *m)
{
	static const char *const whole[] = {"power_draw", "pwr consumption", "power consumption", "power meter", "system power", "sys power",
					    "sys_power", "total power", "total_power", "system level", "node power"};
	enum { ENTITY_POWER_SUPPLY = 10 };

	if (strcmp(m->unit, "W") != 0)
		return POWER_RANK_NONE;
	for (size_t i = 0; i < COUNT_OF(whole); i++)
		if (strcasestr(m->name, whole[i]))
			return POWER_RANK_WHOLE;
	if (m->entity != ENTITY_POWER_SUPPLY)
		return POWER_RANK_NONE;
	return strcasestr(m->name, "in") ? POWER_RANK_INPUT : POWER_RANK_SUPPLY;
}

static struct node_sensor *add(struct node_state *s, const struct msg_sensor *m)
{
	char ds[20];

	if (s->sensor_count == SENSORS_MAX)
		return NULL;
	fold_name(s, m->name, ds);
	s->sensors = mem_grow(s->sensors, s->sensor_count + 1, sizeof s->sensors[0]);
	struct node_sensor *n = &s->sensors[s->sensor_count++];
	*n = (struct node_sensor){.record_id = m->record_id, .board_slot = NO_SLOT, .power_rank = (uint8_t)power_rank(m)};
	text_copy(n->name, sizeof n->name, m->name);
	if (named(s, n->name, n)) /* boards call several of their sensors "Temp": alarms and people must tell them apart */
		text_format(n->name, sizeof n->name, "%.22s #%u", m->name, m->record_id);
	text_make_printable(n->name);
	text_copy(n->ds, sizeof n->ds, ds);
	return n;
}

static void publish(struct engine *e, const struct msg_sensor *m, struct node_sensor *n)
{
	struct sensor_row row = {.node_slot = m->slot, .record_id = m->record_id, .bits = m->bits, .reading = m->reading,
				 .warning_low = m->warning_low, .warning_high = m->warning_high, .critical_low = m->critical_low,
				 .critical_high = m->critical_high, .at_wall_ms = clock_wall_ms(), .type = m->type, .state = m->state,
				 .level = m->level, .number = m->number};

	if (n->board_slot == NO_SLOT)
		n->board_slot = board_free_slot(e->board, BOARD_SENSOR);
	if (n->board_slot == NO_SLOT)
		return;
	row.head = (struct row_head){.generation = 1, .slot = n->board_slot, .last_change_wall_ms = row.at_wall_ms,
				     .order = (uint64_t)m->slot << 32 | m->record_id};
	text_copy(row.name, sizeof row.name, n->name);
	text_copy(row.unit, sizeof row.unit, m->unit);
	text_copy(row.text, sizeof row.text, m->text);
	text_make_printable(row.unit);
	text_make_printable(row.text);
	board_put(e->board, BOARD_SENSOR, &row);
}

static void take_one(struct engine *e, const struct msg_sensor *m)
{
	struct node_state *s = e->nodes[m->slot];
	struct node_sensor *n = sensor_of(s, m->record_id);
	char cause[CAUSE_SIZE];

	if (!n)
		n = add(s, m);
	if (!n)
		return;
	n->seen = 1;
	n->reading = m->reading;
	n->watts = !strcmp(m->unit, "W");
	n->state = m->state;
	uint8_t before = n->level;
	n->level = m->state == SENSOR_FINDING || m->state == SENSOR_NOMINAL ? m->level : LEVEL_NORMAL;
	publish(e, m, n);
	if (n->level == before)
		return;
	text_format(cause, sizeof cause, "%.28s: %.30s", n->name, m->text);
	alarms_level(e, m->slot, "sensor", n->name, (enum level)n->level, cause);
	judgement_level(e, m->slot);
}

static void drop(struct engine *e, uint32_t slot, uint32_t at)
{
	struct node_state *s = e->nodes[slot];
	struct node_sensor *n = &s->sensors[at];

	if (n->board_slot != NO_SLOT) {
		struct sensor_row gone = {.head = {.slot = n->board_slot}};
		board_put(e->board, BOARD_SENSOR, &gone);
	}
	alarms_withdraw(e, e->model.nodes[slot].config.head.name, "sensor", n->name);
	*n = s->sensors[--s->sensor_count];
}

static bool is_analogue(const struct node_sensor *n)
{
	return !isnan(n->reading);
}

static void record(struct engine *e, uint32_t slot)
{
	struct node_state *s = e->nodes[slot];
	const struct model_node *node = &e->model.nodes[slot];
	double values[SERIES_DS_MAX];
	struct msg_series m = {.slot = slot, .step_s = SENSOR_STEP_S};

	for (uint32_t i = 0; i < s->sensor_count && m.count < SERIES_DS_MAX; i++)
		if (is_analogue(&s->sensors[i])) {
			values[m.count] = s->sensors[i].reading;
			text_copy(m.names[m.count++], sizeof m.names[0], s->sensors[i].ds);
		}
	uint64_t names = text_hash(m.names, sizeof m.names);
	if (m.count == 0 || !e->roles[ROLE_RECORDER].channel)
		return;
	if (s->sensor_average.series == 0 || s->sensor_names != names) {
		average_free(&s->sensor_average); /* other sensors: other data sources */
		s->sensor_average = (struct average){.series = ++e->series_next};
		s->sensor_names = names;
		m.series = s->sensor_average.series;
		text_copy(m.site, sizeof m.site, e->model.wanted.site);
		text_copy(m.group, sizeof m.group, node->config.group);
		text_copy(m.node, sizeof m.node, node->config.head.name);
		text_copy(m.source, sizeof m.source, "bmc");
		text_copy(m.file, sizeof m.file, "sensors");
		engine_send(e, ROLE_RECORDER, MSG_SERIES_ADD, &m, sizeof m);
	}
	average_add(e, &s->sensor_average, m.count, SENSOR_STEP_S, values, clock_wall_ms());
}

void sensors_take(struct engine *e, const struct msg_sensor *m, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!engine_node(e, m[i].slot, m[i].generation) || !text_terminated(m[i].name, sizeof m[i].name) ||
		    !text_terminated(m[i].unit, sizeof m[i].unit) || !text_terminated(m[i].text, sizeof m[i].text) ||
		    m[i].level >= LEVEL_COUNT || m[i].state >= SENSOR_STATE_COUNT)
			continue;
		take_one(e, &m[i]);
		if (!m[i].last)
			continue;
		struct node_state *s = e->nodes[m[i].slot];
		for (uint32_t k = 0; k < s->sensor_count;) {
			if (s->sensors[k].seen)
				s->sensors[k++].seen = 0;
			else
				drop(e, m[i].slot, k);
		}
		judgement_level(e, m[i].slot); /* what is gone is no reason any more */
		record(e, m[i].slot);
		stats_power(e, m[i].slot);
	}
}

double sensors_power_draw(struct engine *e, uint32_t slot)
{
	const struct node_state *s = engine_state(e, slot);
	double most = __builtin_nan("");

	for (uint32_t i = 0; s && i < s->sensor_count; i++)
		if (s->sensors[i].watts && !isnan(s->sensors[i].reading) && !(s->sensors[i].reading <= most))
			most = s->sensors[i].reading;
	return most;
}

void sensors_clear(struct engine *e, uint32_t slot)
{
	while (e->nodes[slot]->sensor_count)
		drop(e, slot, 0);
}

void sensors_alarms(struct engine *e, uint32_t slot)
{
	const struct node_state *s = e->nodes[slot];
	char cause[CAUSE_SIZE];

	for (uint32_t i = 0; i < s->sensor_count; i++) {
		text_format(cause, sizeof cause, "%.28s: %s", s->sensors[i].name, level_name(s->sensors[i].level));
		alarms_level(e, slot, "sensor", s->sensors[i].name, (enum level)s->sensors[i].level, cause);
	}
}
