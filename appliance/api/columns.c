/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fields of every table and how each kind of field is written; see columns.h. */
#include "api/columns.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"

#define BUSY_TRIES 100

#define FIELD(row, member) offsetof(struct row, member)
#define SITE(n, k, x, m)                                \
	{                                               \
		n, COLUMN_##k, x, FIELD(cluster_row, m) \
	}
static const struct column site_columns[] = {
    SITE("name", TEXT, 0, name),
    SITE("level", WORD32, WORDS_LEVEL, level),
    SITE("cause", TEXT_OR_NULL, 0, cause),
    SITE("nodes", U32, 0, nodes),
    SITE("groups", U32, 0, groups),
    SITE("by_verdict", COUNTS, WORDS_VERDICT, by_verdict),
    SITE("by_level", COUNTS, WORDS_LEVEL, by_level),
    SITE("alarms_by_severity", COUNTS, WORDS_LEVEL, alarms_by_severity),
    SITE("last_change", TIME, 0, head.last_change_wall_ms),
};
#define OWN(n, k, x, m)                                   \
	{                                                 \
		n, COLUMN_##k, x, FIELD(appliance_row, m) \
	}
static const struct column appliance_columns[] = {
    OWN("name", TEXT, 0, name),
    OWN("version", TEXT, 0, version),
    OWN("role", TEXT, 0, role),
    OWN("start", TIME, 0, start_wall_ms),
    OWN("polls", U64, 0, polls),
    OWN("polls_per_second", U32, 0, polls_per_second),
    OWN("late_polls", U64, 0, late_polls),
    OWN("dropped_samples", U64, 0, dropped_samples),
    OWN("record_queue", U64, 0, record_queue),
    OWN("garbage", U64, 0, garbage),
    OWN("judgement_suspended", FLAG32, 0, suspended),
    OWN("suspended_why", TEXT_OR_NULL, 0, suspended_why),
    OWN("store_trouble", TEXT_OR_NULL, 0, store_trouble),
    OWN("config_generation", U64, 0, config_generation),
    OWN("role_restarts", COUNTS, WORDS_ROLE, role_restarts),
    OWN("traps", COUNTS, WORDS_TRAP_FATE, traps),
};
#define GROUP(n, k, x, m)                             \
	{                                             \
		n, COLUMN_##k, x, FIELD(group_row, m) \
	}
static const struct column group_columns[] = {
    GROUP("name", TEXT, 0, name),
    GROUP("level", WORD32, WORDS_LEVEL, level),
    GROUP("cause", TEXT_OR_NULL, 0, cause),
    GROUP("nodes", U32, 0, nodes),
    GROUP("up", U32, 0, up),
    GROUP("by_verdict", COUNTS, WORDS_VERDICT, by_verdict),
    GROUP("policy", WORD32, WORDS_POLICY, policy),
    GROUP("domain_state", WORD32, WORDS_DOMAIN_STATE, domain_state),
    GROUP("last_change", TIME, 0, head.last_change_wall_ms),
    GROUP("index", INDEX, 0, head.slot),
};
#define DOMAIN(n, k, x, m)                             \
	{                                              \
		n, COLUMN_##k, x, FIELD(domain_row, m) \
	}
static const struct column domain_columns[] = {
    DOMAIN("name", TEXT, 0, name),
    DOMAIN("kind", WORD32, WORDS_DOMAIN_KIND, kind),
    DOMAIN("state", WORD32, WORDS_DOMAIN_STATE, state),
    DOMAIN("members", U32, 0, members),
    DOMAIN("silent", U32, 0, silent),
    DOMAIN("held", U32, 0, held),
    DOMAIN("reference", ADDRESS, 0, reference),
    DOMAIN("cause", TEXT_OR_NULL, 0, cause),
    DOMAIN("root_alarm", ID, 0, root_alarm),
};
#define NODE(n, k, x, m)                             \
	{                                            \
		n, COLUMN_##k, x, FIELD(node_row, m) \
	}
static const struct column node_columns[] = {
    NODE("name", TEXT, 0, name),
    NODE("group", TEXT, 0, group),
    NODE("address", ADDRESS, 1, address),
    NODE("bmc", ADDRESS, 2, bmc),
    NODE("verdict", WORD8, WORDS_VERDICT, verdict),
    NODE("certainty", WORD8, WORDS_CERTAINTY, certainty),
    NODE("since", TIME, 0, since_wall_ms),
    NODE("cause", TEXT_OR_NULL, 0, cause),
    NODE("level", WORD8, WORDS_LEVEL, level),
    NODE("power", WORD8, WORDS_POWER, power),
    NODE("life", WORD8, WORDS_LIFE, life),
    NODE("last_seen", TIME, 0, last_seen_wall_ms),
    NODE("power_locked", FLAG32, 0, power_locked),
    NODE("wanted_power", WORD8, WORDS_POWER, wanted_power),
    NODE("power_job", ID, 0, power_job),
    NODE("cpu_percent", X100, 0, cpu_percent_x100),
    NODE("mem_percent", X100, 0, mem_percent_x100),
    NODE("load1", X100, 0, load1_x100),
    NODE("maintenance", FLAG8, 0, maintenance),
    NODE("policy", WORD8, WORDS_POLICY, policy),
    NODE("not_judged_since", TIME, 0, not_judged_since_wall_ms),
    NODE("bmc_finding", TEXT_OR_NULL, 0, bmc_finding),
    NODE("snmp_finding", TEXT_OR_NULL, 0, snmp_finding),
    NODE("switch", TEXT_OR_NULL, 0, switch_name),
    NODE("rack", TEXT_OR_NULL, 0, rack),
    NODE("root_alarm", ID, 0, root_alarm),
    NODE("flapping", FLAG32, 0, flapping),
    NODE("maintenance_until", TIME, 0, maintenance_until_wall_ms),
    NODE("silenced_until", TIME, 0, silenced_until_wall_ms),
    NODE("index", INDEX, 0, head.slot),
};
#define ITEM(n, k, x, m)                             \
	{                                            \
		n, COLUMN_##k, x, FIELD(item_row, m) \
	}
static const struct column item_columns[] = {
    ITEM("name", TEXT, 0, name),
    ITEM("unit", TEXT, 0, unit),
    ITEM("interval_s", U32, 0, interval_s),
    ITEM("per_instance", FLAG8, 0, per_instance),
    ITEM("counter", FLAG8, 0, counter),
    ITEM("builtin", FLAG8, 0, builtin),
    ITEM("describes", TEXT_OR_NULL, 0, describes),
    ITEM("oid", TEXT_OR_NULL, 0, oid),
    ITEM("kind", TEXT, 0, kind),
    ITEM("instances", TEXT_OR_NULL, 0, instances),
    ITEM("include", TEXT_OR_NULL, 0, include),
    ITEM("exclude", TEXT_OR_NULL, 0, exclude),
    ITEM("expression", TEXT_OR_NULL, 0, expression),
    ITEM("scope", TEXT, 0, scope),
    ITEM("nodes", U32, 0, nodes),
    ITEM("thresholds", TEXT_OR_NULL, 0, thresholds),
    ITEM("requests_per_second", NUMBER, 0, requests_per_second),
    ITEM("bytes_per_second", NUMBER, 0, bytes_per_second),
    ITEM("index", INDEX, 0, head.slot),
};
#define VALUE(n, k, x, m)                             \
	{                                             \
		n, COLUMN_##k, x, FIELD(value_row, m) \
	}
static const struct column value_columns[] = {
    VALUE("node", NODE, 0, node_slot),  VALUE("item", TEXT, 0, item), VALUE("instance", TEXT_OR_NULL, 0, instance_name),
    VALUE("value", NUMBER, 0, value),   VALUE("unit", TEXT, 0, unit), VALUE("level", WORD8, WORDS_LEVEL, level),
    VALUE("time", TIME, 0, head.last_change_wall_ms),
};
#define SENSOR(n, k, x, m)                             \
	{                                              \
		n, COLUMN_##k, x, FIELD(sensor_row, m) \
	}
static const struct column sensor_columns[] = {
    SENSOR("node", NODE, 0, node_slot),
    SENSOR("name", TEXT, 0, name),
    SENSOR("type", SENSOR_TYPE, 0, type),
    SENSOR("reading", NUMBER, 0, reading),
    SENSOR("unit", TEXT, 0, unit),
    SENSOR("level", WORD8, WORDS_LEVEL, level),
    SENSOR("state", WORD8, WORDS_SENSOR_STATE, state),
    SENSOR("text", TEXT_OR_NULL, 0, text),
    SENSOR("warning_low", NUMBER, 0, warning_low),
    SENSOR("warning_high", NUMBER, 0, warning_high),
    SENSOR("critical_low", NUMBER, 0, critical_low),
    SENSOR("critical_high", NUMBER, 0, critical_high),
    SENSOR("record_id", U16, 0, record_id),
    SENSOR("time", TIME, 0, at_wall_ms),
};
#define ALARM(n, k, x, m)                             \
	{                                             \
		n, COLUMN_##k, x, FIELD(alarm_row, m) \
	}
static const struct column alarm_columns[] = {
    ALARM("id", U64, 0, id),
    ALARM("object", TEXT, 0, object),
    ALARM("kind", TEXT, 0, kind),
    ALARM("cause", TEXT, 0, cause),
    ALARM("severity", WORD32, WORDS_LEVEL, severity),
    ALARM("first", TIME, 0, first_wall_ms),
    ALARM("last", TIME, 0, last_wall_ms),
    ALARM("count", U32, 0, count),
    ALARM("acknowledged", TIME, 0, acknowledged_wall_ms),
    ALARM("acknowledged_by", TEXT_OR_NULL, 0, acknowledged_by),
    ALARM("cleared", TIME, 0, cleared_wall_ms),
    ALARM("parent", ID, 0, parent),
    ALARM("held", U32, 0, held),
    ALARM("node", NODE, 0, node_slot),
    ALARM("flapping", FLAG32, 0, flapping),
};
#define JOB(n, k, x, m)                             \
	{                                           \
		n, COLUMN_##k, x, FIELD(job_row, m) \
	}
static const struct column job_columns[] = {
    JOB("id", U64, 0, id),
    JOB("actor", TEXT, 0, actor),
    JOB("verb", WORD32, WORDS_JOB_VERB, verb),
    JOB("target", TEXT, 0, target),
    JOB("reason", TEXT_OR_NULL, 0, reason),
    JOB("state", WORD32, WORDS_JOB_STATE, state),
    JOB("result", TEXT_OR_NULL, 0, result),
    JOB("queued", TIME, 0, queued_wall_ms),
    JOB("started", TIME, 0, started_wall_ms),
    JOB("ended", TIME, 0, ended_wall_ms),
    JOB("done", U32, 0, done),
    JOB("total", U32, 0, total),
};

#define LIST(c)                \
	{                      \
		c, COUNT_OF(c) \
	}
#define WATCH(n, k, x, m)                             \
	{                                             \
		n, COLUMN_##k, x, FIELD(watch_row, m) \
	}
static const struct column watch_columns[] = {
    WATCH("index", INDEX, 0, head.slot),
    WATCH("name", TEXT, 0, name),
    WATCH("process", TEXT, 0, process),
    WATCH("arguments", TEXT, 0, arguments),
    WATCH("min", U32, 0, min),
    WATCH("max", U32, 0, max),
    WATCH("interval_s", U32, 0, interval_s),
    WATCH("scope", TEXT, 0, scope),
    WATCH("nodes", U32, 0, nodes),
    WATCH("by_state", COUNTS, WORDS_WATCH_STATE, by_state),
};
#define WATCHED(n, k, x, m)                                 \
	{                                                   \
		n, COLUMN_##k, x, FIELD(watch_state_row, m) \
	}
static const struct column watch_state_columns[] = {
    WATCHED("node", NODE, 0, node_slot),
    WATCHED("watch", TEXT, 0, name),
    WATCHED("state", WORD8, WORDS_WATCH_STATE, state),
    WATCHED("level", WORD8, WORDS_LEVEL, level),
    WATCHED("count", U32, 0, count),
    WATCHED("cpu_percent", NUMBER, 0, cpu_percent),
    WATCHED("mem_bytes", NUMBER, 0, mem_bytes),
    WATCHED("restarts", U64, 0, restarts),
    WATCHED("time", TIME, 0, at_wall_ms),
};

static const struct columns tables[BOARD_TABLE_COUNT] = {
    [BOARD_APPLIANCE] = LIST(appliance_columns), [BOARD_CLUSTER] = LIST(site_columns),
    [BOARD_GROUP] = LIST(group_columns),         [BOARD_DOMAIN] = LIST(domain_columns),
    [BOARD_NODE] = LIST(node_columns),           [BOARD_ITEM] = LIST(item_columns),
    [BOARD_VALUE] = LIST(value_columns),         [BOARD_SENSOR] = LIST(sensor_columns),
    [BOARD_ALARM] = LIST(alarm_columns),         [BOARD_JOB] = LIST(job_columns),
    [BOARD_WATCH] = LIST(watch_columns),         [BOARD_WATCH_STATE] = LIST(watch_state_columns),
};

static const uint8_t word_count[WORDS_SET_COUNT] = {
    [WORDS_VERDICT] = VERDICT_COUNT, [WORDS_LEVEL] = LEVEL_COUNT, [WORDS_ROLE] = ROLE_COUNT,
    [WORDS_TRAP_FATE] = TRAP_FATE_COUNT, [WORDS_WATCH_STATE] = WATCH_STATE_COUNT};

struct columns columns_of(enum board_table table)
{
	return tables[table].count ? tables[table] : columns_of_services(table);
}

const struct column *columns_find(enum board_table table, const char *name)
{
	const struct columns columns = columns_of(table);
	const struct column *list = columns.list;

	for (size_t i = 0; i < columns.count; i++)
		if (!strcmp(list[i].name, name))
			return &list[i];
	return NULL;
}

const char *columns_sensor_type(unsigned type)
{
	static const char *const names[] = {[1] = "temperature",
					    "voltage",
					    "current",
					    "fan",
					    "intrusion",
					    "platform-security",
					    "processor",
					    "power-supply",
					    "power-unit",
					    "cooling-device",
					    "other-units",
					    "memory",
					    "drive-slot",
					    "memory-resize",
					    "post-progress",
					    "event-log",
					    "watchdog",
					    "system-event",
					    "critical-interrupt",
					    "button",
					    "module",
					    "microcontroller",
					    "add-in-card",
					    "chassis",
					    "chip-set",
					    "other-fru",
					    "cable",
					    "terminator",
					    "boot-initiated",
					    "boot-error",
					    "os-boot",
					    "os-stop",
					    "slot",
					    "acpi-power",
					    "watchdog2",
					    "platform-alert",
					    "entity-presence",
					    "monitor-asic",
					    "lan",
					    "subsystem-health",
					    "battery",
					    "session-audit",
					    "version-change",
					    "fru-state"};

	return type < COUNT_OF(names) && names[type] ? names[type] : "other";
}

static bool read_name(const struct board_reader *board, enum board_table table, uint32_t slot, size_t offset,
		      char out[NAME_SIZE])
{
	struct row_head head;

	out[0] = '\0';
	if (slot == NO_SLOT || board_read_field(board, table, slot, offset, NAME_SIZE, &head, out))
		return false;
	out[NAME_SIZE - 1] = '\0';
	return true;
}

bool columns_node_name(const struct board_reader *board, uint32_t slot, char out[NAME_SIZE])
{
	return read_name(board, BOARD_NODE, slot, offsetof(struct node_row, name), out);
}

bool columns_service_name(const struct board_reader *board, uint32_t slot, char out[NAME_SIZE])
{
	return read_name(board, BOARD_SERVICE, slot, offsetof(struct service_row, name), out);
}

static void emit_word(struct emit *out, enum word_set set, uint32_t value)
{
	const char *word = words_name(set, (int)value);

	if (word[0] == '?')
		emit_null(out);
	else
		emit_string(out, word);
}

static void emit_counts(struct emit *out, enum word_set set, const void *at)
{
	uint32_t count;

	emit_open(out, '{');
	for (int i = 1; i < word_count[set]; i++) {
		memcpy(&count, (const char *)at + (size_t)i * sizeof count, sizeof count);
		emit_key(out, words_name(set, i));
		emit_unsigned(out, count);
	}
	emit_close(out, '}');
}

static void emit_address(struct emit *out, uint8_t which, const struct address *address)
{
	static const uint16_t omit[] = {0, 161, 623};
	char text[ADDRESS_TEXT];

	emit_string_or_null(out, address_text(address, omit[which], text));
}

static void emit_name(struct emit *out, const struct board_reader *board, const struct column *c, uint32_t slot)
{
	char name[NAME_SIZE];

	if (c->kind == COLUMN_SERVICE)
		columns_service_name(board, slot, name);
	else
		columns_node_name(board, slot, name);
	emit_string_or_null(out, name);
}

static void emit_cell(struct emit *out, const struct board_reader *board, const struct column *c, const void *at)
{
	union {
		uint8_t u8;
		uint16_t u16;
		uint32_t u32;
		int32_t i32;
		uint64_t u64;
		int64_t i64;
		double number;
	} v;

	switch ((enum column_kind)c->kind) {
	case COLUMN_TEXT:
		emit_string(out, at);
		return;
	case COLUMN_TEXT_OR_NULL:
		emit_string_or_null(out, at);
		return;
	case COLUMN_COUNTS:
		emit_counts(out, c->extra, at);
		return;
	case COLUMN_ADDRESS:
		emit_address(out, c->extra, at);
		return;
	case COLUMN_WORD8:
		emit_word(out, c->extra, *(const uint8_t *)at);
		return;
	case COLUMN_FLAG8:
		emit_bool(out, *(const uint8_t *)at != 0);
		return;
	case COLUMN_SENSOR_TYPE:
		emit_string(out, columns_sensor_type(*(const uint8_t *)at));
		return;
	case COLUMN_U16:
		memcpy(&v.u16, at, sizeof v.u16);
		emit_unsigned(out, v.u16);
		return;
	case COLUMN_WORD32:
	case COLUMN_FLAG32:
	case COLUMN_U32:
	case COLUMN_X100:
	case COLUMN_NODE:
	case COLUMN_SERVICE:
	case COLUMN_INDEX:
	case COLUMN_SOME:
		memcpy(&v.u32, at, sizeof v.u32);
		if (c->kind == COLUMN_WORD32)
			emit_word(out, c->extra, v.u32);
		else if (c->kind == COLUMN_FLAG32)
			emit_bool(out, v.u32 != 0);
		else if (c->kind == COLUMN_X100)
			emit_number(out, v.i32 < 0 ? (double)__builtin_nan("") : v.i32 / 100.0);
		else if (c->kind == COLUMN_NODE || c->kind == COLUMN_SERVICE)
			emit_name(out, board, c, v.u32);
		else if (c->kind == COLUMN_SOME && v.u32 == 0)
			emit_null(out);
		else
			emit_unsigned(out, (uint64_t)v.u32 + (c->kind == COLUMN_INDEX));
		return;
	case COLUMN_U64:
	case COLUMN_ID:
	case COLUMN_TIME:
	case COLUMN_NUMBER:
		memcpy(&v.u64, at, sizeof v.u64);
		if (c->kind == COLUMN_TIME)
			emit_time(out, v.i64);
		else if (c->kind == COLUMN_NUMBER)
			emit_number(out, v.number);
		else if (c->kind == COLUMN_ID && v.u64 == 0)
			emit_null(out);
		else
			emit_unsigned(out, v.u64);
		return;
	}
}

void columns_emit(struct emit *out, const struct board_reader *board, enum board_table table, const void *row)
{
	struct columns columns = columns_of(table);

	for (size_t i = 0; i < columns.count; i++) {
		const struct column *c = &columns.list[i];
		emit_key(out, c->name);
		emit_cell(out, board, c, (const char *)row + c->offset);
	}
}

void columns_emit_row(struct emit *out, const struct board_reader *board, enum board_table table, const void *row)
{
	emit_open(out, '{');
	columns_emit(out, board, table, row);
	emit_close(out, '}');
}

void cursor_jump(struct cursor *c, const struct board_reader *board, enum board_table table, uint64_t order)
{
	c->position = board_seek(board, table, order);
	c->order = order ? order - 1 : 0;
	c->begun = false;
}

/* The row seen last is no longer where it was: the index was flipped. */
static bool moved(const struct cursor *c, const struct board_reader *board, enum board_table table)
{
	return c->begun && board_at(board, table, c->position - 1) != c->slot;
}

int cursor_next(struct cursor *c, const struct board_reader *board, enum board_table table, union any_row *row)
{
	for (int busy = 0; busy < BUSY_TRIES;) {
		if (moved(c, board, table))
			cursor_jump(c, board, table, c->order + 1);
		uint32_t slot = board_at(board, table, c->position);
		if (slot == NO_SLOT)
			return ERR_NOT_FOUND;
		int rc = board_read(board, table, slot, row);
		if (rc == ERR_BUSY) {
			busy++;
			continue;
		}
		c->position++;
		if (rc)
			continue; /* freed since the last flip */
		c->slot = slot;
		c->order = row->head.order;
		c->begun = true;
		return 0;
	}
	return ERR_BUSY;
}
