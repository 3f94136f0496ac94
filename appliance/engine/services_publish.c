/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Services and members on the board, their alarms, and the lines that explain them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/probes.h"
#include "engine/services_own.h"
#include "engine/services_series.h"

#define MEMBERS_A_PAGE 40

/* --- alarms ----------------------------------------------------------------------------------------------------- */
void service_alarms(struct service *s)
{
	const char *name = s->config.head.name;
	uint8_t level = s->there ? (uint8_t)s->plan.level : LEVEL_NORMAL;
	char cause[CAUSE_SIZE];

	if (level != s->told_level || (level >= LEVEL_WARNING && strcmp(s->plan.cause, s->told_cause) != 0)) {
		text_format(cause, sizeof cause, "%s: %.50s", service_state_name((int)s->plan.state), s->plan.cause);
		if (level >= LEVEL_WARNING)
			alarms_raise(s->e, name, "service", "", (enum level)level, cause, NO_SLOT, 0, 0);
		else
			alarms_clear(s->e, name, "service", "");
		s->told_level = level;
		text_copy(s->told_cause, sizeof s->told_cause, s->plan.cause);
	}
	if (s->plan.state != s->told_state) {
		s->told_state = (uint8_t)s->plan.state;
		services_save(s); /* so that another life does not tell it again */
		outbox_service(s->e, name, s->plan.state, (enum level)level, s->plan.cause);
	}
	for (size_t i = 0; i < s->count; i++) {
		struct service_member *m = s->members[i];
		int8_t failed = m->m.state == MEMBER_FAILED;
		if (failed == m->told_failed)
			continue;
		text_format(cause, sizeof cause, "%.24s: %.36s", m->m.node, m->m.reason);
		if (failed)
			alarms_raise(s->e, name, "member", m->m.node, LEVEL_MAJOR, cause, m->slot, 0, 0);
		else
			alarms_clear(s->e, name, "member", m->m.node);
		m->told_failed = failed;
	}
}

/* --- board -------------------------------------------------------------------------------------------------------- */
static int64_t wall_of(int64_t mono_ms)
{
	return mono_ms ? clock_wall_ms() - (clock_mono_ms() - mono_ms) : 0;
}

static uint32_t slot_of(const struct engine *e, enum slot_kind kind, const char *name)
{
	for (uint32_t i = 0; i < SERVICES_MAX; i++)
		if (e->services->slots[kind][i].generation && !strcmp(e->services->slots[kind][i].name, name))
			return i;
	return NO_SLOT;
}

static void fill_service(const struct service *s, struct service_row *row)
{
	const struct config_service *c = &s->config;

	memset(row, 0, sizeof *row);
	row->head = (struct row_head){.generation = s->generation, .slot = s->slot, .order = s->slot};
	row->pin_until_wall_ms = c->pin ? c->pin_until_ms : 0;
	row->changed_wall_ms = s->changed_wall_ms;
	row->utilisation = s->utilisation;
	row->demand = s->decision.demand;
	row->headroom = s->decision.headroom;
	row->requests_per_second = s->requests;
	row->bytes_per_second = s->bytes;
	row->connections = s->connections;
	row->wanted = service_runs(s) ? s->wanted : 0;
	row->in_service = s->plan.in_service;
	row->coming = s->plan.coming;
	row->going = s->plan.going;
	row->failed = s->plan.failed;
	row->min = c->min;
	row->max = c->max;
	row->pin = c->pin;
	row->planned_changes = s->decision.planned;
	row->emergencies = s->decision.emergencies;
	row->balancer_slot = slot_of(s->e, SLOT_BALANCER, c->balancer);
	row->pool_slot = slot_of(s->e, SLOT_POOL, c->pool);
	row->priority = c->priority;
	row->state = (uint8_t)s->plan.state;
	row->level = (uint8_t)s->plan.level;
	row->enabled = c->enabled;
	row->policy = (uint8_t)service_policy(s);
	text_copy(row->name, sizeof row->name, c->head.name);
	text_copy(row->balancer, sizeof row->balancer, c->balancer);
	text_copy(row->pool, sizeof row->pool, c->pool);
	text_copy(row->software, sizeof row->software, c->software);
	text_copy(row->virtuals, sizeof row->virtuals, c->virtuals);
	text_copy(row->reason, sizeof row->reason, s->halted ? "stopped by a person: gloryctl service start" : s->reason);
	text_copy(row->cause, sizeof row->cause, s->plan.cause);
	text_copy(row->agent, sizeof row->agent, c->agent);
}

static void put_service(const struct service *s, int64_t now)
{
	const struct service_row *old = board_peek(s->e->board, BOARD_SERVICE, s->slot);
	struct service_row row;

	fill_service(s, &row);
	services_record(s->e, s->slot, &row);
	row.head.last_change_wall_ms = old ? old->head.last_change_wall_ms : 0;
	if (old && old->head.generation == row.head.generation && !memcmp(old, &row, sizeof row))
		return;
	row.head.last_change_wall_ms = now;
	board_put(s->e->board, BOARD_SERVICE, &row);
	publish_cluster(s->e);
}

static void fill_member(const struct service *s, const struct service_member *m, struct member_row *row)
{
	struct probe_view probe = {.state = PROBE_UNKNOWN};

	memset(row, 0, sizeof *row);
	row->head = (struct row_head){.generation = 1, .slot = m->board_slot, .order = (uint64_t)s->slot << 32 | m->slot};
	row->service_slot = s->slot;
	row->node_slot = m->slot;
	row->since_wall_ms = wall_of(m->m.since_ms);
	row->deadline_wall_ms = wall_of(m->m.deadline_ms);
	row->utilisation = m->value;
	row->connections = m->connections;
	row->total_connections = m->total;
	row->bytes = m->bytes;
	row->weight = member_weight(m);
	probes_get(s->e, s->config.head.name, m->m.node, 0, &probe);
	row->state = m->m.state;
	row->probe = (uint8_t)probe.state;
	row->level = m->m.state == MEMBER_FAILED || m->m.out ? LEVEL_MAJOR : LEVEL_NORMAL;
	row->stuck = m->m.deadline_ms && clock_mono_ms() > m->m.deadline_ms;
	text_copy(row->reason, sizeof row->reason, m->m.reason);
}

/* Differences of a millisecond come from two clocks that are read one after the other. */
static void steady(int64_t *now, int64_t before)
{
	if (before && *now - before < 1000 && before - *now < 1000)
		*now = before;
}

static void put_member(const struct service *s, struct service_member *m, int64_t now)
{
	struct engine *e = s->e;
	const struct member_row *old;
	struct member_row row;

	if (m->slot == NO_SLOT)
		return;
	if (m->board_slot == NO_SLOT)
		m->board_slot = board_free_slot(e->board, BOARD_MEMBER);
	if (m->board_slot == NO_SLOT)
		return;
	fill_member(s, m, &row);
	old = board_peek(e->board, BOARD_MEMBER, m->board_slot);
	if (old && old->head.generation && old->head.order == row.head.order) {
		steady(&row.since_wall_ms, old->since_wall_ms);
		steady(&row.deadline_wall_ms, old->deadline_wall_ms);
		row.head.last_change_wall_ms = old->head.last_change_wall_ms;
		if (!memcmp(old, &row, sizeof row))
			return;
		bool other = old->state != row.state || old->weight != row.weight || old->probe != row.probe || strcmp(old->reason, row.reason) != 0;
		row.head.last_change_wall_ms = other ? now : old->head.last_change_wall_ms;
	} else {
		row.head.last_change_wall_ms = now;
	}
	board_put(e->board, BOARD_MEMBER, &row);
	publish_cluster(e);
}

void services_publish(struct engine *e)
{
	int64_t now = clock_wall_ms();

	for (uint32_t i = 0; i < SERVICES_MAX && e->services->count; i++) {
		struct service *s = e->services->at[i];
		if (!s)
			continue;
		put_service(s, now);
		for (size_t k = 0; k < s->count; k++)
			put_member(s, s->members[k], now);
	}
}

void member_publish_gone(struct engine *e, struct service_member *m)
{
	struct member_row row = {.head = {.slot = m->board_slot}};

	if (m->board_slot == NO_SLOT)
		return;
	board_put(e->board, BOARD_MEMBER, &row);
	publish_cluster(e);
}

void service_publish_gone(struct service *s)
{
	struct service_row row = {.head = {.slot = s->slot}};

	board_put(s->e->board, BOARD_SERVICE, &row);
	services_record_gone(s->e, s->slot);
	publish_cluster(s->e);
}

/* --- why ------------------------------------------------------------------------------------------------------------ */
static json_t *number(double v)
{
	return isnan(v) ? json_null() : json_real(v);
}

/* "in-service for 12m, weight 100, probe good, node up: in service" */
static json_t *member_line(const struct service *s, const struct service_member *m)
{
	char evidence[MEMBER_REASON], text[320], age[16];
	struct member_witness w;
	int64_t now = clock_mono_ms();

	member_witness_of(s, m, &w, evidence, sizeof evidence);
	text_of_seconds((now - m->m.since_ms) / 1000, age, sizeof age);
	text_format(text, sizeof text, "%s for %s%s, weight %u, probe %s, node %s: %s%s%s", member_state_name(m->m.state), age,
		    m->m.deadline_ms && now > m->m.deadline_ms ? " (late)" : "", member_weight(m), probe_state_name((int)w.probe),
		    verdict_name((int)w.verdict), m->m.reason, evidence[0] && !strstr(m->m.reason, evidence) ? "; " : "",
		    evidence[0] && !strstr(m->m.reason, evidence) ? evidence : "");
	return json_pack("{s:s,s:s,s:s,s:i,s:i,s:I,s:o}", "about", m->m.node, "text", text, "state", member_state_name(m->m.state), "weight",
			 (int)member_weight(m), "tries", (int)m->m.tries, "connections", (json_int_t)m->connections, "utilisation",
			 number(m->value));
}

static void add_line(json_t *list, const char *about, const char *text)
{
	json_array_append_new(list, json_pack("{s:s,s:s}", "about", about, "text", text));
}

static json_t *head_lines(const struct service *s)
{
	const struct sizing_decision *d = &s->decision;
	json_t *list = json_array();
	char text[320];

	text_format(text, sizeof text, "%s%s%s; %u good, %u in service, %u coming, %u going, %u failed", service_state_name((int)s->plan.state),
		    s->plan.cause[0] ? ": " : "", s->plan.cause, s->plan.good, s->plan.in_service, s->plan.coming, s->plan.going, s->plan.failed);
	add_line(list, "state", text);
	add_line(list, "size", s->halted ? "stopped by a person: gloryctl service start" : s->reason);
	if (!isnan(d->demand)) {
		text_format(text, sizeof text, "demand of %.1f members, utilisation %.0f %%, headroom %.2f, %u planned changes and %u emergencies in 24 h",
			    d->demand, s->utilisation * 100, d->headroom, d->planned, d->emergencies);
		add_line(list, "load", text);
	}
	if (s->cap) {
		text_format(text, sizeof text, "at most %u for now: nodes of the pool went to services that need them more", s->cap);
		add_line(list, "pool", text);
	}
	if (s->braked)
		add_line(list, "brake", "too many members in trouble: none is replaced until a person has looked");
	return list;
}

void services_explain(struct engine *e, enum role face, const struct msg_query *q)
{
	const struct service *s = service_find(e, q->target);
	uint32_t life = e->roles[face].life;
	struct error err;

	if (!s) {
		error_set(&err, ERR_NOT_FOUND, q->target, "see: gloryctl service list", "there is no such service");
		reply_error(e, face, life, q->request, &err);
		return;
	}
	json_t *page = head_lines(s);
	for (size_t i = 0; i < s->count; i++) {
		if (json_array_size(page) == MEMBERS_A_PAGE) {
			reply_json(e, face, life, q->request, 0, page, true);
			page = json_array();
		}
		json_array_append_new(page, member_line(s, s->members[i]));
	}
	reply_json(e, face, life, q->request, 0, page, false);
}
