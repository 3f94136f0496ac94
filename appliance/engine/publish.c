/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of the board: marked dirty when something changes, written together a moment later, then the indexes are flipped. */
#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/items.h"
#include "engine/silences.h"
#include "engine/traps.h"
#include "version.h"

#define SOON_MS 50     /* until what is judged, asked or done is told */
#define READING_MS 200 /* until what was polled is told, when nothing else is */
#define CLUSTER_MS 500 /* between two roll-ups over all nodes */
#define READINGS 5     /* at every fifth poll a node's row is made anew, the others change its numbers only */

static int64_t due_ms, rolled_ms; /* due: when the timer runs, 0 it does not */
static struct {
	uint32_t *slots;
	uint32_t count, room;
} dirty; /* a slot stands in it once, unless its node was replaced meanwhile */

static void schedule_at(struct engine *e, int64_t at_ms)
{
	int64_t now = clock_mono_ms();

	if (due_ms && due_ms <= at_ms)
		return;
	due_ms = at_ms;
	loop_timer_set(e->publish_timer, at_ms > now ? at_ms - now : 0);
}

static void schedule(struct engine *e)
{
	schedule_at(e, clock_mono_ms() + SOON_MS);
}

static void schedule_reading(struct engine *e)
{
	if (!due_ms) /* 200,000 a second come here */
		schedule_at(e, clock_mono_ms() + READING_MS);
}

static void put_rows(struct engine *e, bool cluster);

static void on_publish(void *arg)
{
	struct engine *e = arg;
	int64_t now = clock_mono_ms();

	put_rows(e, now - rolled_ms >= CLUSTER_MS);
	if ((e->cluster_dirty || e->appliance_dirty) && e->loaded)
		schedule_at(e, rolled_ms + CLUSTER_MS);
}

void publish_start(struct engine *e)
{
	e->publish_timer = loop_timer_new(e->loop, on_publish, e);
}

static void mark(struct engine *e, uint32_t slot)
{
	if (e->nodes[slot]->dirty)
		return;
	e->nodes[slot]->dirty = true;
	if (dirty.count == dirty.room) {
		dirty.room = dirty.room ? dirty.room * 2 : 1024;
		dirty.slots = mem_grow(dirty.slots, dirty.room, sizeof dirty.slots[0]);
	}
	dirty.slots[dirty.count++] = slot;
}

void publish_node(struct engine *e, uint32_t slot)
{
	if (!e->nodes[slot])
		return;
	e->nodes[slot]->readings = 0;
	mark(e, slot);
	schedule(e);
}

void publish_cluster(struct engine *e)
{
	e->cluster_dirty = true;
	schedule_at(e, rolled_ms + CLUSTER_MS);
}

void publish_appliance(struct engine *e)
{
	e->appliance_dirty = true;
	schedule_at(e, rolled_ms + CLUSTER_MS);
}

static int32_t times_100(double v)
{
	return isnan(v) ? -1 : (int32_t)lround(v * 100);
}

static void fill_evidence(const struct node_state *s, struct node_row *row)
{
	const struct verdict_input *in = &s->verdict.evidence.in;

	row->witness[WITNESS_S] = in->s;
	row->witness[WITNESS_K] = in->k;
	row->witness[WITNESS_U] = in->u;
	row->witness[4] = s->bmc_state;
	row->port_state = s->port_state;
	row->bmc_error = s->bmc_error;
	row->flapping = s->flapping;
}

static void fill_node(struct engine *e, uint32_t slot, struct node_row *row)
{
	const struct model_node *n = &e->model.nodes[slot];
	const struct model_group *g = n->group_slot < MODEL_GROUPS ? &e->model.groups[n->group_slot] : NULL;
	const struct node_state *s = e->nodes[slot];

	memset(row, 0, sizeof *row);
	row->group_slot = n->group_slot;
	row->verdict = s->judged ? (uint8_t)s->verdict.verdict : VERDICT_UNKNOWN;
	row->certainty = s->judged ? (uint8_t)s->verdict.certainty : CERTAINTY_NONE;
	row->level = (uint8_t)s->level;
	row->power = (uint8_t)s->power;
	row->life = s->life;
	row->wanted_power = (uint8_t)(s->wanted_power != POWER_UNKNOWN ? s->wanted_power : (enum power)n->config.wanted_power);
	row->policy = n->config.policy ? n->config.policy : g ? g->config.policy : POLICY_REPAIR;
	row->maintenance = n->config.maintenance;
	row->maintenance_until_wall_ms = n->config.maintenance_until_ms;
	row->silenced_until_wall_ms = silences_until(e, n->config.head.name, slot, NULL);
	row->address = n->config.address;
	row->bmc = n->config.bmc;
	row->since_wall_ms = s->since_wall_ms;
	row->last_seen_wall_ms = s->last_seen_wall_ms;
	row->not_judged_since_wall_ms = e->suspended ? e->suspended_since_wall_ms : 0;
	row->power_job = s->power_job;
	row->last_verb = s->power_verb;
	row->power_locked = s->locked || s->mismatch;
	row->root_alarm = s->verdict.root < MODEL_DOMAINS && s->judged ? e->domain_alarm[s->verdict.root] : 0;
	row->cpu_percent_x100 = times_100(s->values[ITEM_CPU]);
	row->mem_percent_x100 = times_100(s->values[ITEM_MEM]);
	row->load1_x100 = times_100(s->values[ITEM_LOAD1]);
	fill_evidence(s, row);
	text_copy(row->name, sizeof row->name, n->config.head.name);
	text_copy(row->group, sizeof row->group, n->config.group);
	text_copy(row->cause, sizeof row->cause, s->cause);
	text_copy(row->snmp_finding, sizeof row->snmp_finding, s->snmp_finding);
	text_copy(row->bmc_finding, sizeof row->bmc_finding, s->bmc_finding);
	text_copy(row->switch_name, sizeof row->switch_name, n->config.switch_name);
	text_copy(row->rack, sizeof row->rack, n->config.rack);
	text_copy(row->snmp_credential, sizeof row->snmp_credential, n->config.snmp);
}

/* What each poll changes in a node's row. */
struct reading {
	int64_t last_seen_wall_ms;
	int32_t cpu_percent_x100, mem_percent_x100, load1_x100;
	uint32_t flapping;
};
#define READING_AT offsetof(struct node_row, last_seen_wall_ms)
static_assert(offsetof(struct node_row, cpu_percent_x100) - READING_AT == offsetof(struct reading, cpu_percent_x100), "as in the row");
static_assert(offsetof(struct node_row, load1_x100) - READING_AT == offsetof(struct reading, load1_x100), "as in the row");
static_assert(offsetof(struct node_row, flapping) - READING_AT == offsetof(struct reading, flapping), "as in the row");

static bool put_reading(struct engine *e, uint32_t slot)
{
	const struct node_state *s = e->nodes[slot];
	const struct reading part = {.last_seen_wall_ms = s->last_seen_wall_ms, .cpu_percent_x100 = times_100(s->values[ITEM_CPU]),
				     .mem_percent_x100 = times_100(s->values[ITEM_MEM]), .load1_x100 = times_100(s->values[ITEM_LOAD1]),
				     .flapping = s->flapping};

	return board_put_part(e->board, BOARD_NODE, slot, e->model.nodes[slot].generation, READING_AT, &part, sizeof part);
}

void publish_expect(struct engine *e, uint32_t slot)
{
	board_put_expect(e->board, BOARD_NODE, slot, READING_AT, sizeof(struct reading));
	board_put_expect(e->board, BOARD_NODE, slot, 0, sizeof(struct row_head));
}

void publish_node_reading(struct engine *e, uint32_t slot)
{
	struct node_state *s = e->nodes[slot];

	schedule_reading(e);
	if (s->readings)
		s->readings--;
	if (!s->readings || s->dirty || !put_reading(e, slot))
		mark(e, slot);
}

static void put_node(struct engine *e, uint32_t slot, int64_t now)
{
	struct node_state *s = e->nodes[slot];
	const struct node_row *old = board_peek(e->board, BOARD_NODE, slot);
	struct node_row row;

	fill_node(e, slot, &row);
	row.head.slot = slot;
	row.head.generation = e->model.nodes[slot].generation;
	row.head.order = slot;
	row.head.last_change_wall_ms = s->changed || !old || !old->head.last_change_wall_ms ? now : old->head.last_change_wall_ms;
	board_put(e->board, BOARD_NODE, &row);
	e->cluster_dirty |= s->changed;
	s->dirty = s->changed = false;
	s->readings = READINGS;
}

void publish_node_gone(struct engine *e, uint32_t slot)
{
	struct node_state *s = e->nodes[slot];
	struct node_row row = {.head = {.slot = slot}};

	board_put(e->board, BOARD_NODE, &row);
	for (unsigned i = 0; i < ITEM_SCALARS; i++)
		if (s->board_slot[i] != NO_SLOT) {
			struct value_row gone = {.head = {.slot = s->board_slot[i]}};
			board_put(e->board, BOARD_VALUE, &gone);
		}
	for (uint32_t r = 0; r < s->row_count; r++)
		for (unsigned i = 0; i < ROW_ITEMS; i++)
			if (s->rows[r].board_slot[i] != NO_SLOT) {
				struct value_row gone = {.head = {.slot = s->rows[r].board_slot[i]}};
				board_put(e->board, BOARD_VALUE, &gone);
			}
	values_forget_node(e, slot);
	sensors_clear(e, slot);
	publish_cluster(e);
}

void publish_value(struct engine *e, uint32_t slot, const struct item_definition *item, uint16_t instance, const char *instance_name,
		   double value, int64_t wall_ms, enum level level, uint32_t *board_slot)
{
	uint64_t order = (uint64_t)slot << 32 | (uint64_t)item->item << 16 | instance;
	struct value_row row;

	schedule_reading(e);
	if (*board_slot != NO_SLOT && board_put_reading(e->board, *board_slot, order, wall_ms, value, (uint8_t)level))
		return;
	if (*board_slot == NO_SLOT)
		*board_slot = board_free_slot(e->board, BOARD_VALUE);
	if (*board_slot == NO_SLOT)
		return;
	memset(&row, 0, sizeof row);
	row.head = (struct row_head){.generation = 1, .slot = *board_slot, .last_change_wall_ms = wall_ms, .order = order};
	row.node_slot = slot;
	row.item_slot = item->item;
	row.instance = instance;
	row.value = value;
	row.level = (uint8_t)level;
	text_copy(row.item, sizeof row.item, item->name);
	text_copy(row.unit, sizeof row.unit, item->unit);
	text_copy(row.instance_name, sizeof row.instance_name, instance_name);
	board_put(e->board, BOARD_VALUE, &row);
}

void publish_items(struct engine *e)
{
	for (unsigned i = 0; i < item_definition_count; i++) {
		const struct item_definition *d = &item_definitions[i];
		struct item_row row = {.head = {.generation = 1, .slot = d->item, .order = d->item, .last_change_wall_ms = e->start_wall_ms},
				       .interval_s = targets_interval_s(e, d->table), .per_instance = d->table != TABLE_NONE, .counter = d->counter, .builtin = 1};
		text_copy(row.name, sizeof row.name, d->name);
		text_copy(row.unit, sizeof row.unit, d->unit);
		text_copy(row.describes, sizeof row.describes, d->describes);
		items_fill_row(e, d->name, d->item, &row);
		board_put(e->board, BOARD_ITEM, &row);
	}
	values_publish(e);
	schedule(e);
}

void publish_alarm(struct engine *e, struct alarm *a)
{
	struct alarm_row row;

	if (!a)
		return;
	if (a->board_slot == NO_SLOT)
		a->board_slot = board_free_slot(e->board, BOARD_ALARM);
	if (a->board_slot == NO_SLOT)
		return;
	memset(&row, 0, sizeof row);
	row.head = (struct row_head){.generation = 1, .slot = a->board_slot, .order = a->id, .last_change_wall_ms = clock_wall_ms()};
	row.id = a->id;
	row.parent = a->parent;
	row.first_wall_ms = a->first_ms;
	row.last_wall_ms = a->last_ms;
	row.acknowledged_wall_ms = a->acknowledged_ms;
	row.cleared_wall_ms = a->cleared_ms;
	row.count = a->count;
	row.held = a->held;
	row.severity = a->severity;
	row.node_slot = a->node_slot;
	row.flapping = a->flapping;
	text_copy(row.object, sizeof row.object, a->object);
	text_format(row.kind, sizeof row.kind, "%.23s", a->kind);
	text_copy(row.cause, sizeof row.cause, a->cause);
	text_copy(row.acknowledged_by, sizeof row.acknowledged_by, a->acknowledged_by);
	board_put(e->board, BOARD_ALARM, &row);
	schedule(e);
}

void publish_alarm_gone(struct engine *e, struct alarm *a)
{
	struct alarm_row row = {.head = {.slot = a->board_slot}};

	if (a->board_slot == NO_SLOT)
		return;
	board_put(e->board, BOARD_ALARM, &row);
	a->board_slot = NO_SLOT;
	schedule(e);
}

void publish_job(struct engine *e, struct job *j)
{
	struct job_row row;

	if (j->board_slot == NO_SLOT)
		j->board_slot = board_free_slot(e->board, BOARD_JOB);
	if (j->board_slot == NO_SLOT)
		return;
	memset(&row, 0, sizeof row);
	row.head = (struct row_head){.generation = 1, .slot = j->board_slot, .order = j->id, .last_change_wall_ms = clock_wall_ms()};
	row.id = j->id;
	row.queued_wall_ms = j->queued_ms;
	row.started_wall_ms = j->started_ms;
	row.ended_wall_ms = j->ended_ms;
	row.state = j->state;
	row.verb = j->verb;
	row.done = j->count - j->open;
	row.total = j->count;
	row.node_slot = j->count == 1 ? j->targets[0].slot : NO_SLOT;
	text_copy(row.actor, sizeof row.actor, j->actor);
	text_copy(row.target, sizeof row.target, j->target);
	text_copy(row.reason, sizeof row.reason, j->reason);
	text_copy(row.result, sizeof row.result, j->result);
	board_put(e->board, BOARD_JOB, &row);
	schedule(e);
}

void publish_job_gone(struct engine *e, struct job *j)
{
	struct job_row row = {.head = {.slot = j->board_slot}};

	if (j->board_slot != NO_SLOT)
		board_put(e->board, BOARD_JOB, &row);
	j->board_slot = NO_SLOT;
}

/* --- roll-up ------------------------------------------------------------------------------------------- */
static void count_node(struct engine *e, uint32_t slot, struct cluster_row *c, struct group_row *groups)
{
	const struct node_state *s = e->nodes[slot];
	const struct model_node *n = &e->model.nodes[slot];
	unsigned verdict = s->judged ? s->verdict.verdict : VERDICT_UNKNOWN;

	c->by_verdict[verdict]++;
	c->by_level[s->level]++;
	if (s->level > c->level) {
		c->level = s->level;
		text_format(c->cause, sizeof c->cause, "%.20s: %.40s", n->config.head.name, s->cause);
	}
	if (n->group_slot >= MODEL_GROUPS)
		return;
	struct group_row *g = &groups[n->group_slot];
	g->nodes++;
	g->by_verdict[verdict]++;
	g->up += verdict == VERDICT_UP;
	if (s->level > g->level) {
		g->level = s->level;
		text_format(g->cause, sizeof g->cause, "%.20s: %.40s", n->config.head.name, s->cause);
	}
}

static void consider_domains(struct engine *e, struct cluster_row *c, struct group_row *groups)
{
	for (uint32_t d = 0; d < e->model.domain_top; d++) {
		const struct model_domain *m = &e->model.domains[d];
		if (!m->used || !e->domain_alarm[d])
			continue;
		c->level = LEVEL_CRITICAL;
		text_format(c->cause, sizeof c->cause, "%.20s: %.40s", m->name, e->domain_views[d].cause);
		struct model_group *g = m->kind == DOMAIN_GROUP ? model_group(&e->model, m->name) : NULL;
		if (g) {
			groups[g->slot].level = LEVEL_CRITICAL;
			groups[g->slot].domain_state = e->domain_views[d].state;
			text_copy(groups[g->slot].cause, sizeof groups[g->slot].cause, e->domain_views[d].cause);
		}
	}
}

static void put_groups(struct engine *e, struct group_row *groups, int64_t now)
{
	for (uint32_t s = 0; s < e->model.group_top; s++) {
		const struct model_group *g = &e->model.groups[s];
		const struct group_row *old = board_peek(e->board, BOARD_GROUP, s);
		if (!g->generation)
			continue;
		groups[s].head = (struct row_head){.generation = g->generation, .slot = s, .order = s, .last_change_wall_ms = now};
		groups[s].policy = g->config.policy ? g->config.policy : POLICY_REPAIR;
		if (groups[s].level == 0)
			groups[s].level = LEVEL_UNKNOWN;
		if (groups[s].domain_state == 0)
			groups[s].domain_state = DOMAIN_STATE_OK;
		text_copy(groups[s].name, sizeof groups[s].name, g->config.head.name);
		if (old && old->head.generation)
			groups[s].head.last_change_wall_ms = old->head.last_change_wall_ms;
		if (!old || memcmp(old, &groups[s], sizeof groups[s])) {
			groups[s].head.last_change_wall_ms = now;
			board_put(e->board, BOARD_GROUP, &groups[s]);
		}
	}
}

static void put_domains(struct engine *e, int64_t now)
{
	for (uint32_t d = 0; d < e->model.domain_top; d++) {
		const struct model_domain *m = &e->model.domains[d];
		const struct domain_row *old = board_peek(e->board, BOARD_DOMAIN, d);
		struct domain_row row = {.head = {.generation = m->used, .slot = d, .order = d}, .kind = m->kind,
					 .state = e->domain_views[d].state ? e->domain_views[d].state : DOMAIN_STATE_OK, .members = m->members,
					 .silent = e->domain_views[d].flagged, .held = e->domain_views[d].held, .reference = m->reference,
					 .root_alarm = e->domain_alarm[d]};
		if (!old && !m->used)
			continue;
		text_copy(row.name, sizeof row.name, m->name);
		text_copy(row.cause, sizeof row.cause, e->domain_views[d].cause);
		row.head.last_change_wall_ms = old ? old->head.last_change_wall_ms : 0;
		if (old && !memcmp(old, &row, sizeof row))
			continue;
		row.head.last_change_wall_ms = now;
		board_put(e->board, BOARD_DOMAIN, &row);
	}
}

static void put_appliance(struct engine *e, int64_t now)
{
	struct appliance_row row;

	memset(&row, 0, sizeof row);
	row.head = (struct row_head){.generation = 1, .last_change_wall_ms = now};
	row.start_wall_ms = e->start_wall_ms;
	row.polls = e->stats[ROLE_COLLECTOR].handled;
	row.late_polls = e->stats[ROLE_COLLECTOR].late;
	row.dropped_samples = e->stats[ROLE_COLLECTOR].dropped + ring_lost(e->ring);
	row.record_queue = e->stats[ROLE_RECORDER].queued;
	row.garbage = e->stats[ROLE_COLLECTOR].garbage + e->stats[ROLE_BMC].garbage;
	row.polls_per_second = e->stats[ROLE_COLLECTOR].per_second;
	row.suspended = e->suspended != 0;
	row.config_generation = e->model.config_generation;
	for (int r = 1; r < ROLE_COUNT; r++)
		row.role_restarts[r] = e->roles[r].life ? e->roles[r].life - 1 : 0;
	row.role_restarts[ROLE_ENGINE] = e->role->start.life ? e->role->start.life - 1 : 0;
	text_copy(row.name, sizeof row.name, e->settings.appliance);
	text_copy(row.version, sizeof row.version, GLORY_VERSION);
	text_copy(row.role, sizeof row.role, "cluster master");
	text_copy(row.store_trouble, sizeof row.store_trouble, e->store ? store_trouble(e->store) : "");
	for (int f = 1; f < TRAP_FATE_COUNT; f++)
		row.traps[f] = (uint32_t)traps_fates(e)[f];
	board_put(e->board, BOARD_APPLIANCE, &row);
}

static void put_cluster(struct engine *e, int64_t now)
{
	static struct group_row groups[MODEL_GROUPS];
	struct cluster_row row;

	memset(&row, 0, sizeof row);
	memset(groups, 0, e->model.group_top * sizeof groups[0]);
	row.head = (struct row_head){.generation = 1, .last_change_wall_ms = e->last_change_wall_ms};
	row.nodes = e->model.node_count;
	row.groups = e->model.group_count;
	row.level = LEVEL_UNKNOWN;
	for (uint32_t s = 0; s < e->model.node_top; s++)
		if (e->nodes[s] && e->model.nodes[s].generation)
			count_node(e, s, &row, groups);
	consider_domains(e, &row, groups);
	alarm_count(e->alarms, row.alarms_by_severity);
	text_copy(row.name, sizeof row.name, e->model.wanted.site);
	if (row.level <= LEVEL_NORMAL)
		row.cause[0] = '\0';
	for (uint32_t s = 0; s < e->model.group_top; s++)
		if (groups[s].level <= LEVEL_NORMAL)
			groups[s].cause[0] = '\0';
	board_put(e->board, BOARD_CLUSTER, &row);
	put_groups(e, groups, now);
	put_domains(e, now);
}

static void put_nodes(struct engine *e, int64_t now)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < dirty.count; i++) {
		uint32_t slot = dirty.slots[i];
		if (!e->nodes[slot] || !e->nodes[slot]->dirty)
			continue;
		if (e->model.nodes[slot].generation)
			put_node(e, slot, now);
		else
			dirty.slots[kept++] = slot;
	}
	dirty.count = kept;
}

static void put_rows(struct engine *e, bool cluster)
{
	int64_t now = clock_wall_ms();

	due_ms = 0;
	put_nodes(e, now);
	if (cluster && (e->cluster_dirty || e->appliance_dirty) && e->loaded) {
		rolled_ms = clock_mono_ms();
		if (e->cluster_dirty)
			put_cluster(e, now);
		put_appliance(e, now);
		e->cluster_dirty = e->appliance_dirty = false;
	}
	board_flip(e->board);
}

void publish_now(struct engine *e)
{
	loop_timer_stop(e->publish_timer);
	put_rows(e, true);
}
