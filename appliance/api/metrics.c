/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GET /metrics: the board in the Prometheus text format 0.0.4. One family after another, as the format wants it, each a
 * walk over one table; numbers of words (verdict, level, power) are those of the MIB. */
#include "api/routes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define PIECE 16384

enum metric_kind {
	METRIC_U8,
	METRIC_U32,
	METRIC_U64,
	METRIC_SECONDS,
	METRIC_DOUBLE,
	METRIC_COUNTS,
	METRIC_UP,
	METRIC_ONE
};

struct family {
	const char *name, *type, *help;
	enum board_table table;
	enum metric_kind kind;
	enum word_set words; /* METRIC_COUNTS */
	const char *label;
	size_t offset;
};

#define OF(row, member) .offset = offsetof(struct row, member)
static const struct family families[] = {
    {"glory_appliance_info", "gauge", "The appliance, its version and its role; always 1.", BOARD_APPLIANCE, METRIC_ONE,
     OF(appliance_row, name)},
    {"glory_start_time_seconds", "gauge", "When the engine started.", BOARD_APPLIANCE, METRIC_SECONDS,
     OF(appliance_row, start_wall_ms)},
    {"glory_polls_total", "counter", "SNMP requests sent since the collector started.", BOARD_APPLIANCE, METRIC_U64,
     OF(appliance_row, polls)},
    {"glory_polls_late_total", "counter", "Polls sent later than 1.2 intervals.", BOARD_APPLIANCE, METRIC_U64,
     OF(appliance_row, late_polls)},
    {"glory_polls_per_second", "gauge", "Polls in the last second.", BOARD_APPLIANCE, METRIC_U32,
     OF(appliance_row, polls_per_second)},
    {"glory_samples_dropped_total", "counter", "Samples lost under pressure.", BOARD_APPLIANCE, METRIC_U64,
     OF(appliance_row, dropped_samples)},
    {"glory_packets_refused_total", "counter", "Packets from outside that were refused.", BOARD_APPLIANCE, METRIC_U64,
     OF(appliance_row, garbage)},
    {"glory_record_queue_rows", "gauge", "Rows waiting to be recorded.", BOARD_APPLIANCE, METRIC_U64,
     OF(appliance_row, record_queue)},
    {"glory_judgement_suspended", "gauge", "1 while no verdicts are made.", BOARD_APPLIANCE, METRIC_U32,
     OF(appliance_row, suspended)},
    {"glory_config_generation", "gauge", "Generation of the wanted state in force.", BOARD_APPLIANCE, METRIC_U64,
     OF(appliance_row, config_generation)},
    {"glory_role_restarts_total", "counter", "Restarts of each role.", BOARD_APPLIANCE, METRIC_COUNTS, WORDS_ROLE,
     "role", OF(appliance_row, role_restarts)},
    {"glory_trap_datagrams_total", "counter", "Datagrams at the trap listener by what became of them.", BOARD_APPLIANCE,
     METRIC_COUNTS, WORDS_TRAP_FATE, "fate", OF(appliance_row, traps)},
    {"glory_site_level", "gauge", "Worst level of the site: 1 unknown, 2 normal, 3 warning, 4 major, 5 critical.",
     BOARD_CLUSTER, METRIC_U32, OF(cluster_row, level)},
    {"glory_nodes", "gauge", "Nodes by verdict.", BOARD_CLUSTER, METRIC_COUNTS, WORDS_VERDICT, "verdict",
     OF(cluster_row, by_verdict)},
    {"glory_nodes_by_level", "gauge", "Nodes by level.", BOARD_CLUSTER, METRIC_COUNTS, WORDS_LEVEL, "level",
     OF(cluster_row, by_level)},
    {"glory_alarms_active", "gauge", "Active alarms by severity.", BOARD_CLUSTER, METRIC_COUNTS, WORDS_LEVEL,
     "severity", OF(cluster_row, alarms_by_severity)},
    {"glory_group_nodes", "gauge", "Nodes of the group.", BOARD_GROUP, METRIC_U32, OF(group_row, nodes)},
    {"glory_group_nodes_up", "gauge", "Nodes of the group whose verdict is up.", BOARD_GROUP, METRIC_U32,
     OF(group_row, up)},
    {"glory_group_level", "gauge", "Worst level of the group: 1 unknown, 2 normal, 3 warning, 4 major, 5 critical.",
     BOARD_GROUP, METRIC_U32, OF(group_row, level)},
    {"glory_node_up", "gauge", "1 when the verdict is up.", BOARD_NODE, METRIC_UP, OF(node_row, verdict)},
    {"glory_node_verdict", "gauge", "The verdict's number, as in the MIB: 2 is up.", BOARD_NODE, METRIC_U8,
     OF(node_row, verdict)},
    {"glory_node_level", "gauge", "1 unknown, 2 normal, 3 warning, 4 major, 5 critical.", BOARD_NODE, METRIC_U8,
     OF(node_row, level)},
    {"glory_node_power", "gauge", "1 unknown, 2 off, 3 on.", BOARD_NODE, METRIC_U8, OF(node_row, power)},
    {"glory_node_power_locked", "gauge", "1 when power actions are locked until a person confirms the wiring.",
     BOARD_NODE, METRIC_U32, OF(node_row, power_locked)},
    {"glory_node_maintenance", "gauge", "1 in maintenance.", BOARD_NODE, METRIC_U8, OF(node_row, maintenance)},
    {"glory_node_last_seen_seconds", "gauge", "When the node answered last.", BOARD_NODE, METRIC_SECONDS,
     OF(node_row, last_seen_wall_ms)},
    {"glory_alarm_severity", "gauge", "Active alarms: 3 warning, 4 major, 5 critical.", BOARD_ALARM, METRIC_U32,
     OF(alarm_row, severity)},
    {"glory_sensor_level", "gauge", "Level of a sensor: 1 unknown, 2 normal, 3 warning, 4 major, 5 critical.",
     BOARD_SENSOR, METRIC_U8, OF(sensor_row, level)},
    {"glory_service_level", "gauge", "Level of the service: 1 unknown, 2 normal, 3 warning, 4 major, 5 critical.", BOARD_SERVICE, METRIC_U8,
     OF(service_row, level)},
    {"glory_service_state", "gauge", "1 unknown, 2 stopped, 3 starting, 4 well, 5 short, 6 down, 7 stopping, 8 removing.", BOARD_SERVICE, METRIC_U8,
     OF(service_row, state)},
    {"glory_service_enabled", "gauge", "1 while the service is kept running.", BOARD_SERVICE, METRIC_U8,
     OF(service_row, enabled)},
    {"glory_service_members_wanted", "gauge", "Members that the service is to have.", BOARD_SERVICE, METRIC_U32,
     OF(service_row, wanted)},
    {"glory_service_members_in_service", "gauge", "Members that take traffic.", BOARD_SERVICE, METRIC_U32,
     OF(service_row, in_service)},
    {"glory_service_members_coming", "gauge", "Members on their way into service.", BOARD_SERVICE, METRIC_U32,
     OF(service_row, coming)},
    {"glory_service_members_going", "gauge", "Members that drain or are given back.", BOARD_SERVICE, METRIC_U32,
     OF(service_row, going)},
    {"glory_service_members_failed", "gauge", "Members that failed.", BOARD_SERVICE, METRIC_U32,
     OF(service_row, failed)},
    {"glory_service_members_least", "gauge", "Smallest size.", BOARD_SERVICE, METRIC_U32,
     OF(service_row, min)},
    {"glory_service_members_most", "gauge", "Largest size.", BOARD_SERVICE, METRIC_U32,
     OF(service_row, max)},
    {"glory_service_members_pinned", "gauge", "Size set by a person; 0 none.", BOARD_SERVICE, METRIC_U32,
     OF(service_row, pin)},
    {"glory_service_utilisation_ratio", "gauge", "Utilisation of the members in service, 0 to 1.", BOARD_SERVICE, METRIC_DOUBLE,
     OF(service_row, utilisation)},
    {"glory_service_demand_members", "gauge", "Load in members' worth.", BOARD_SERVICE, METRIC_DOUBLE,
     OF(service_row, demand)},
    {"glory_service_connections", "gauge", "Connections now, as the balancer counts.", BOARD_SERVICE, METRIC_U64,
     OF(service_row, connections)},
    {"glory_service_requests_per_second", "gauge", "Requests or connections a second.", BOARD_SERVICE, METRIC_DOUBLE,
     OF(service_row, requests_per_second)},
    {"glory_service_bytes_per_second", "gauge", "Bytes a second, both ways.", BOARD_SERVICE, METRIC_DOUBLE,
     OF(service_row, bytes_per_second)},
    {"glory_member_state", "gauge", "1 allocating, 2 installing, 3 starting, 4 warming, 5 in service, 6 draining, 7 releasing, 8 failed.", BOARD_MEMBER, METRIC_U8,
     OF(member_row, state)},
    {"glory_member_probe", "gauge", "1 unknown, 2 good, 3 bad.", BOARD_MEMBER, METRIC_U8,
     OF(member_row, probe)},
    {"glory_member_weight", "gauge", "Weight at the balancer, nominal 100.", BOARD_MEMBER, METRIC_U32,
     OF(member_row, weight)},
    {"glory_member_utilisation_ratio", "gauge", "Utilisation of the member, 0 to 1.", BOARD_MEMBER, METRIC_DOUBLE,
     OF(member_row, utilisation)},
    {"glory_member_connections", "gauge", "Connections now.", BOARD_MEMBER, METRIC_U64,
     OF(member_row, connections)},
    {"glory_pool_nodes", "gauge", "Nodes of the pool.", BOARD_POOL, METRIC_U32,
     OF(pool_row, nodes)},
    {"glory_pool_nodes_free", "gauge", "Nodes that no service has.", BOARD_POOL, METRIC_U32,
     OF(pool_row, free)},
    {"glory_pool_nodes_allocated", "gauge", "Nodes that services have.", BOARD_POOL, METRIC_U32,
     OF(pool_row, allocated)},
    {"glory_pool_nodes_unfit", "gauge", "Nodes that cannot be given: down, in maintenance, on the repair list.", BOARD_POOL, METRIC_U32,
     OF(pool_row, unfit)},
    {"glory_pool_nodes_missing", "gauge", "Nodes that services ask for and the pool does not have.", BOARD_POOL, METRIC_U32,
     OF(pool_row, wanted_more)},
    {"glory_pool_nodes_spare", "gauge", "Free and warm nodes that are worth having for a sudden load: one per 20 members of the largest service of class 1.",
     BOARD_POOL, METRIC_U32, OF(pool_row, spares)},
    {"glory_balancer_state", "gauge", "1 unknown, 2 in step, 3 changing, 4 refused, 5 unreachable.", BOARD_BALANCER, METRIC_U32,
     OF(balancer_row, state)},
    {"glory_balancer_virtual_servers", "gauge", "Virtual servers of ours that were read back.", BOARD_BALANCER, METRIC_U32,
     OF(balancer_row, virtuals)},
    {"glory_balancer_real_servers", "gauge", "Real servers of ours that were read back.", BOARD_BALANCER, METRIC_U32,
     OF(balancer_row, reals)},
    {"glory_balancer_commands_total", "counter", "Changes sent.", BOARD_BALANCER, METRIC_U64,
     OF(balancer_row, commands)},
    {"glory_balancer_repairs_total", "counter", "Differences found that nobody of ours had made.", BOARD_BALANCER, METRIC_U64,
     OF(balancer_row, repairs)},
};

/* Unit as the board says it, and as a metric's name ends. */
static const struct unit {
	const char *unit, *suffix;
} units[] = {{"percent", "_percent"}, {"B", "_bytes"},   {"B/s", "_bytes_per_second"},
	     {"1/s", "_per_second"},  {"s", "_seconds"}, {"C", "_celsius"},
	     {"RPM", "_rpm"},         {"V", "_volts"},   {"A", "_amperes"},
	     {"W", "_watts"}};

struct metrics {
	struct producer producer;
	uint64_t board_life;
	size_t stage;       /* families, then items, then units of sensors */
	struct family made; /* of an item or unit */
	char name[64], help[160];
	struct cursor items, rows;
	uint32_t item_slot;
	bool in_family, items_done;
	uint32_t node_slot;
	char node[NAME_SIZE], group[NAME_SIZE];
};

static const char *suffix_of(const char *unit)
{
	for (size_t i = 0; i < COUNT_OF(units); i++)
		if (!strcmp(units[i].unit, unit))
			return units[i].suffix;
	return "";
}

/* The family after the present one; NULL: that was all. */
static const struct family *next_family(struct metrics *m, const struct board_reader *board)
{
	union any_row row;

	m->rows = (struct cursor){0};
	if (m->stage < COUNT_OF(families))
		return &families[m->stage];
	if (!m->items_done && cursor_next(&m->items, board, BOARD_ITEM, &row) == 0) {
		m->item_slot = row.head.slot;
		text_format(m->name, sizeof m->name, "glory_item_%s%s", row.item.name, suffix_of(row.item.unit));
		text_format(m->help, sizeof m->help, "%s.", row.item.describes[0] ? row.item.describes : row.item.name);
		m->made = (struct family){m->name,     "gauge",       m->help,
					  BOARD_VALUE, METRIC_DOUBLE, .offset = offsetof(struct value_row, value)};
		m->stage--; /* the items are one stage */
		return &m->made;
	}
	if (!m->items_done)
		m->stage = COUNT_OF(families); /* where the units begin */
	m->items_done = true;
	size_t unit = m->stage - COUNT_OF(families);
	if (unit >= COUNT_OF(units))
		return NULL;
	text_format(m->name, sizeof m->name, "glory_sensor%s", units[unit].suffix);
	text_format(m->help, sizeof m->help, "Reading of a sensor of the BMC in %s.", units[unit].unit);
	m->made = (struct family){m->name,      "gauge",       m->help,
				  BOARD_SENSOR, METRIC_DOUBLE, .offset = offsetof(struct sensor_row, reading)};
	return &m->made;
}

static void label(struct emit *out, bool *any, const char *name, const char *value)
{
	emit_text(out, "%s%s=\"", *any ? "," : "{", name);
	emit_label(out, value);
	emit_bytes(out, "\"", 1);
	*any = true;
}

static void node_labels(struct metrics *m, struct emit *out, bool *any, const struct board_reader *board, uint32_t slot)
{
	struct row_head head;

	if (slot != m->node_slot) {
		m->node_slot = slot;
		columns_node_name(board, slot, m->node);
		if (board_read_field(board, BOARD_NODE, slot, offsetof(struct node_row, group), NAME_SIZE, &head,
				     m->group))
			m->group[0] = '\0';
		m->group[NAME_SIZE - 1] = '\0';
	}
	label(out, any, "node", m->node);
	label(out, any, "group", m->group);
}

static void member_labels(struct metrics *m, struct emit *out, bool *any, const struct board_reader *board, const struct member_row *member)
{
	char service[NAME_SIZE];

	columns_service_name(board, member->service_slot, service);
	label(out, any, "service", service);
	node_labels(m, out, any, board, member->node_slot);
}

static void labels(struct metrics *m, struct emit *out, bool *any, const struct board_reader *board,
		   enum board_table table, const union any_row *row)
{
	char number[24];

	switch (table) {
	case BOARD_GROUP:
		label(out, any, "group", row->group.name);
		return;
	case BOARD_NODE:
		label(out, any, "node", row->node.name);
		label(out, any, "group", row->node.group);
		return;
	case BOARD_VALUE:
		node_labels(m, out, any, board, row->value.node_slot);
		if (row->value.instance_name[0])
			label(out, any, "part", row->value.instance_name);
		return;
	case BOARD_SENSOR:
		node_labels(m, out, any, board, row->sensor.node_slot);
		label(out, any, "sensor", row->sensor.name);
		text_format(number, sizeof number, "%u", (unsigned)row->sensor.record_id);
		label(out, any, "record", number);
		return;
	case BOARD_ALARM:
		text_format(number, sizeof number, "%llu", (unsigned long long)row->alarm.id);
		label(out, any, "id", number);
		label(out, any, "object", row->alarm.object);
		label(out, any, "kind", row->alarm.kind);
		return;
	case BOARD_SERVICE:
		label(out, any, "service", row->service.name);
		return;
	case BOARD_MEMBER:
		member_labels(m, out, any, board, &row->member);
		return;
	case BOARD_POOL:
		label(out, any, "pool", row->pool.name);
		return;
	case BOARD_BALANCER:
		label(out, any, "balancer", row->balancer.name);
		return;
	default:
		return;
	}
}

static bool number_of(const struct family *f, const union any_row *row, double *out)
{
	const char *at = (const char *)row + f->offset;
	uint32_t u32;
	uint64_t u64;
	int64_t ms;

	switch (f->kind) {
	case METRIC_U8:
		*out = *(const uint8_t *)at;
		return true;
	case METRIC_UP:
		*out = *(const uint8_t *)at == VERDICT_UP;
		return true;
	case METRIC_U32:
		memcpy(&u32, at, sizeof u32);
		*out = u32;
		return true;
	case METRIC_U64:
		memcpy(&u64, at, sizeof u64);
		*out = (double)u64;
		return true;
	case METRIC_SECONDS:
		memcpy(&ms, at, sizeof ms);
		*out = (double)ms / 1000;
		return ms != 0;
	case METRIC_DOUBLE:
		memcpy(out, at, sizeof *out);
		return isfinite(*out);
	default:
		*out = 1;
		return true;
	}
}

/* What does not belong into this family: values of other items, sensors of other units, alarms that are over. */
static bool belongs(const struct metrics *m, const struct family *f, const union any_row *row)
{
	switch (f->table) {
	case BOARD_VALUE:
		return row->value.item_slot == m->item_slot;
	case BOARD_ALARM:
		return row->alarm.cleared_wall_ms == 0;
	case BOARD_SENSOR:
		return f->kind != METRIC_DOUBLE || !strcmp(row->sensor.unit, units[m->stage - COUNT_OF(families)].unit);
	default:
		return true;
	}
}

static void emit_counts(struct emit *out, const struct family *f, const union any_row *row)
{
	static const int counts[WORDS_SET_COUNT] = {
	    [WORDS_VERDICT] = VERDICT_COUNT, [WORDS_LEVEL] = LEVEL_COUNT, [WORDS_ROLE] = ROLE_COUNT,
	    [WORDS_TRAP_FATE] = TRAP_FATE_COUNT};
	const char *at = (const char *)row + f->offset;
	uint32_t count;

	for (int i = 1; i < counts[f->words]; i++) {
		memcpy(&count, at + (size_t)i * sizeof count, sizeof count);
		emit_text(out, "%s{%s=\"%s\"} %u\n", f->name, f->label, words_name(f->words, i), count);
	}
}

static void emit_sample(struct metrics *m, struct emit *out, const struct board_reader *board, const struct family *f,
			const union any_row *row)
{
	bool any = false;
	double value;

	if (f->kind == METRIC_COUNTS) {
		emit_counts(out, f, row);
		return;
	}
	if (!belongs(m, f, row) || !number_of(f, row, &value))
		return;
	emit_text(out, "%s", f->name);
	if (f->kind == METRIC_ONE) {
		label(out, &any, "name", row->appliance.name);
		label(out, &any, "version", row->appliance.version);
		label(out, &any, "role", row->appliance.role);
	}
	labels(m, out, &any, board, f->table, row);
	emit_text(out, "%s %.15g\n", any ? "}" : "", value);
}

static void more(struct producer *p, struct request *r)
{
	struct metrics *m = (struct metrics *)p;
	const struct board_reader *board = server_get_board(r->server);
	union any_row row;

	if (m->board_life != server_board_life(r->server)) {
		p->failed = true;
		return;
	}
	while (p->out.used < PIECE) {
		const struct family *f =
		    m->in_family ? (m->stage < COUNT_OF(families) && !m->made.name ? &families[m->stage] : &m->made)
				 : next_family(m, board);
		if (!f) {
			p->done = true;
			return;
		}
		if (!m->in_family)
			emit_text(&p->out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name, f->type);
		m->in_family = true;
		int rc = cursor_next(&m->rows, board, f->table, &row);
		if (rc == 0) {
			emit_sample(m, &p->out, board, f, &row);
		} else if (rc == ERR_NOT_FOUND) {
			m->in_family = false;
			m->stage++;
		} else {
			p->failed = true;
			return;
		}
	}
}

static void free_metrics(struct producer *p)
{
	free(p);
}

void metrics_run(struct request *r, const struct route *route)
{
	(void)route;
	if (!request_board(r))
		return;
	struct metrics *m = mem_zalloc(sizeof *m);
	m->producer = (struct producer){.more = more, .free = free_metrics};
	m->board_life = server_board_life(r->server);
	m->node_slot = NO_SLOT;
	request_produce(r, "text/plain; version=0.0.4; charset=utf-8", &m->producer);
}
