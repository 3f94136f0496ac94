/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checks of single values as a table of columns, checks of whole rows, and the commands they become; see set.h. */
#include "mibs/agent/set.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

/* SNMP error codes (RFC 3416, section 3) */
enum { TOO_BIG = 1, GEN_ERR = 5, NO_ACCESS = 6, WRONG_TYPE = 7, WRONG_LENGTH = 8, WRONG_VALUE = 10, NO_CREATION = 11, INCONSISTENT_VALUE = 12,
       NO_RESOURCE = 13, COMMIT_FAILED = 14, NOT_WRITABLE = 17, INCONSISTENT_NAME = 18 };
enum { TAG_INTEGER = 0x02, TAG_OCTETS = 0x04, TAG_UNSIGNED = 0x42 };
enum { VALUE_MAX = 640 }; /* longest text that can be written */
enum { CREATE_AND_GO = 4, DESTROY = 6 };

enum field { F_NAME, F_GROUP, F_ADDRESS, F_BMC, F_WANTED_POWER, F_MAINTENANCE, F_POLICY, F_ACTION, F_STATUS, F_ACKNOWLEDGE,
	     F_PROCESS, F_ARGUMENTS, F_MIN, F_MAX, F_INTERVAL, F_SCOPE, F_UNIT,
	     F_OID, F_INSTANCES, F_INCLUDE, F_EXCLUDE, F_COUNTER, F_EXPRESSION, F_THRESHOLDS,
	     F_NODES, F_RESERVE, F_BALANCER, F_VIRTUALS, F_POOL, F_SOFTWARE, F_AGENT, F_PIN, F_PIN_UNTIL, F_ENABLED, F_PRIORITY,
	     F_DRIVER, F_SSH, F_SNMP, F_OPTIONS, F_COUNT };
#define BIT(f) (UINT64_C(1) << (f))
#define WATCH_FIELDS (BIT(F_ARGUMENTS) | BIT(F_MIN) | BIT(F_MAX) | BIT(F_INTERVAL) | BIT(F_SCOPE))

/* octet strings first */
enum value_check { V_NAME, V_NAME_OR_NONE, V_TEXT, V_TIME, V_ADDRESS, V_ADDRESS_OR_NONE, V_NUMBER, V_WORD, V_TRUTH, V_TRUE, V_STATUS };

/* Every column that can be written: what its value must be, and what the engine calls it. */
static const struct settable {
	uint32_t table;
	uint16_t column;
	uint8_t field, check;
	uint8_t words, lowest; /* V_WORD: vocabulary, and first value that may be written */
	uint16_t port;
	const char *key; /* NULL: no argument; the name is the command's target */
} settables[] = {
	{BOARD_GROUP, 2, F_NAME, V_NAME, 0, 0, 0, NULL},
	{BOARD_GROUP, 7, F_POLICY, V_WORD, WORDS_POLICY, POLICY_REPAIR, 0, "policy"},
	{BOARD_GROUP, 10, F_STATUS, V_STATUS, 0, 0, 0, NULL},
	{BOARD_NODE, 2, F_NAME, V_NAME, 0, 0, 0, NULL},
	{BOARD_NODE, 3, F_GROUP, V_NAME, 0, 0, 0, "group"},
	{BOARD_NODE, 4, F_ADDRESS, V_ADDRESS, 0, 0, 161, "address"},
	{BOARD_NODE, 5, F_BMC, V_ADDRESS_OR_NONE, 0, 0, 623, "bmc"},
	{BOARD_NODE, 11, F_ACTION, V_WORD, WORDS_POWER_VERB, POWER_VERB_ON, 0, "verb"},
	{BOARD_NODE, 18, F_STATUS, V_STATUS, 0, 0, 0, NULL},
	{BOARD_NODE, 20, F_WANTED_POWER, V_WORD, WORDS_POWER, POWER_OFF, 0, "wanted_power"},
	{BOARD_NODE, 21, F_MAINTENANCE, V_TRUTH, 0, 0, 0, "maintenance"},
	{BOARD_WATCH, 2, F_NAME, V_NAME, 0, 0, 0, NULL},
	{BOARD_WATCH, 3, F_PROCESS, V_TEXT, 0, 0, 0, "process"},
	{BOARD_WATCH, 4, F_ARGUMENTS, V_TEXT, 0, 0, 0, "arguments"},
	{BOARD_WATCH, 5, F_MIN, V_NUMBER, 0, 0, 0, "min"},
	{BOARD_WATCH, 6, F_MAX, V_NUMBER, 0, 0, 0, "max"},
	{BOARD_WATCH, 7, F_INTERVAL, V_NUMBER, 0, 0, 0, "interval"},
	{BOARD_WATCH, 8, F_SCOPE, V_TEXT, 0, 0, 0, "scope"},
	{BOARD_WATCH, 14, F_STATUS, V_STATUS, 0, 0, 0, NULL},
	{BOARD_ITEM, 2, F_NAME, V_NAME, 0, 0, 0, NULL},
	{BOARD_ITEM, 3, F_UNIT, V_TEXT, 0, 0, 0, "unit"},
	{BOARD_ITEM, 4, F_INTERVAL, V_NUMBER, 0, 0, 0, "interval"},
	{BOARD_ITEM, 6, F_OID, V_TEXT, 0, 0, 0, "oid"},
	{BOARD_ITEM, 7, F_INSTANCES, V_TEXT, 0, 0, 0, "instances"},
	{BOARD_ITEM, 8, F_INCLUDE, V_TEXT, 0, 0, 0, "include"},
	{BOARD_ITEM, 9, F_EXCLUDE, V_TEXT, 0, 0, 0, "exclude"},
	{BOARD_ITEM, 10, F_COUNTER, V_TRUTH, 0, 0, 0, "counter"},
	{BOARD_ITEM, 11, F_SCOPE, V_TEXT, 0, 0, 0, "scope"},
	{BOARD_ITEM, 12, F_EXPRESSION, V_TEXT, 0, 0, 0, "expression"},
	{BOARD_ITEM, 13, F_THRESHOLDS, V_TEXT, 0, 0, 0, "thresholds"},
	{BOARD_ITEM, 18, F_STATUS, V_STATUS, 0, 0, 0, NULL},
	{BOARD_POOL, 2, F_NAME, V_NAME, 0, 0, 0, NULL},
	{BOARD_POOL, 3, F_NODES, V_TEXT, 0, 0, 0, "nodes"},
	{BOARD_POOL, 8, F_RESERVE, V_NUMBER, 0, 0, 0, "reserve"},
	{BOARD_POOL, 11, F_STATUS, V_STATUS, 0, 0, 0, NULL},
	{BOARD_SERVICE, 2, F_NAME, V_NAME, 0, 0, 0, NULL},
	{BOARD_SERVICE, 3, F_BALANCER, V_NAME, 0, 0, 0, "balancer"},
	{BOARD_SERVICE, 4, F_VIRTUALS, V_TEXT, 0, 0, 0, "virtuals"},
	{BOARD_SERVICE, 5, F_POOL, V_NAME, 0, 0, 0, "pool"},
	{BOARD_SERVICE, 6, F_SOFTWARE, V_NAME_OR_NONE, 0, 0, 0, "software"},
	{BOARD_SERVICE, 7, F_AGENT, V_TEXT, 0, 0, 0, "agent"},
	{BOARD_SERVICE, 8, F_MIN, V_NUMBER, 0, 0, 0, "min"},
	{BOARD_SERVICE, 9, F_MAX, V_NUMBER, 0, 0, 0, "max"},
	{BOARD_SERVICE, 10, F_PIN, V_NUMBER, 0, 0, 0, "pin"},
	{BOARD_SERVICE, 12, F_PIN_UNTIL, V_TIME, 0, 0, 0, "pin_until"},
	{BOARD_SERVICE, 13, F_ENABLED, V_TRUTH, 0, 0, 0, "enabled"},
	{BOARD_SERVICE, 30, F_PRIORITY, V_NUMBER, 0, 0, 0, "priority"},
	{BOARD_SERVICE, 31, F_POLICY, V_WORD, WORDS_POLICY, POLICY_REPAIR, 0, "policy"},
	{BOARD_SERVICE, 34, F_STATUS, V_STATUS, 0, 0, 0, NULL},
	{BOARD_BALANCER, 2, F_NAME, V_NAME, 0, 0, 0, NULL},
	{BOARD_BALANCER, 3, F_DRIVER, V_WORD, WORDS_BALANCER_DRIVER, DRIVER_IPVS, 0, "driver"},
	{BOARD_BALANCER, 4, F_ADDRESS, V_ADDRESS_OR_NONE, 0, 0, 0, "address"},
	{BOARD_BALANCER, 5, F_SSH, V_NAME_OR_NONE, 0, 0, 0, "ssh"},
	{BOARD_BALANCER, 6, F_SNMP, V_NAME_OR_NONE, 0, 0, 0, "snmp"},
	{BOARD_BALANCER, 7, F_OPTIONS, V_TEXT, 0, 0, 0, "options"},
	{BOARD_BALANCER, 18, F_STATUS, V_STATUS, 0, 0, 0, NULL},
	{BOARD_ALARM, 9, F_ACKNOWLEDGE, V_TRUE, 0, 0, 0, NULL},
};

#define ITEM_FIELDS \
	(BIT(F_UNIT) | BIT(F_INTERVAL) | BIT(F_OID) | BIT(F_INSTANCES) | BIT(F_INCLUDE) | BIT(F_EXCLUDE) | BIT(F_COUNTER) | BIT(F_SCOPE) | \
	 BIT(F_EXPRESSION) | BIT(F_THRESHOLDS))

#define SERVICE_NEEDS (BIT(F_BALANCER) | BIT(F_VIRTUALS) | BIT(F_POOL) | BIT(F_AGENT))
#define SERVICE_FIELDS \
	(BIT(F_SOFTWARE) | BIT(F_MIN) | BIT(F_MAX) | BIT(F_PIN) | BIT(F_PIN_UNTIL) | BIT(F_ENABLED) | BIT(F_PRIORITY) | BIT(F_POLICY))
#define BALANCER_FIELDS (BIT(F_ADDRESS) | BIT(F_SSH) | BIT(F_SNMP) | BIT(F_OPTIONS))

/* What a row's varbinds may be together, and the command it is. First match wins; status 0: no RowStatus among them. */
static const struct form {
	uint32_t table, status;
	uint64_t needs, takes; /* fields that must, and that may, be there */
	uint32_t verb;
	bool row_exists;
} forms[] = {
	{BOARD_NODE, CREATE_AND_GO, BIT(F_NAME) | BIT(F_GROUP) | BIT(F_ADDRESS), BIT(F_BMC) | BIT(F_WANTED_POWER) | BIT(F_MAINTENANCE),
	 COMMAND_NODE_ADD, false},
	{BOARD_NODE, DESTROY, 0, 0, COMMAND_NODE_REMOVE, true},
	{BOARD_NODE, 0, BIT(F_ACTION), 0, COMMAND_POWER, true},
	{BOARD_NODE, 0, 0, BIT(F_GROUP) | BIT(F_ADDRESS) | BIT(F_BMC) | BIT(F_WANTED_POWER) | BIT(F_MAINTENANCE),
	 COMMAND_NODE_SET, true},
	{BOARD_GROUP, CREATE_AND_GO, BIT(F_NAME), BIT(F_POLICY), COMMAND_GROUP_ADD, false},
	{BOARD_GROUP, DESTROY, 0, 0, COMMAND_GROUP_REMOVE, true},
	{BOARD_GROUP, 0, BIT(F_POLICY), 0, COMMAND_GROUP_SET, true},
	{BOARD_WATCH, CREATE_AND_GO, BIT(F_NAME) | BIT(F_PROCESS), WATCH_FIELDS, COMMAND_WATCH_ADD, false},
	{BOARD_WATCH, DESTROY, 0, 0, COMMAND_WATCH_REMOVE, true},
	{BOARD_WATCH, 0, 0, BIT(F_PROCESS) | WATCH_FIELDS, COMMAND_WATCH_SET, true},
	{BOARD_ITEM, CREATE_AND_GO, BIT(F_NAME), ITEM_FIELDS, COMMAND_ITEM_ADD, false},
	{BOARD_ITEM, DESTROY, 0, 0, COMMAND_ITEM_REMOVE, true},
	{BOARD_ITEM, 0, 0, ITEM_FIELDS, COMMAND_ITEM_SET, true},
	{BOARD_POOL, CREATE_AND_GO, BIT(F_NAME) | BIT(F_NODES), BIT(F_RESERVE), COMMAND_POOL_ADD, false},
	{BOARD_POOL, DESTROY, 0, 0, COMMAND_POOL_REMOVE, true},
	{BOARD_POOL, 0, 0, BIT(F_NODES) | BIT(F_RESERVE), COMMAND_POOL_SET, true},
	{BOARD_SERVICE, CREATE_AND_GO, BIT(F_NAME) | SERVICE_NEEDS, SERVICE_FIELDS, COMMAND_SERVICE_ADD, false},
	{BOARD_SERVICE, DESTROY, 0, 0, COMMAND_SERVICE_REMOVE, true},
	{BOARD_SERVICE, 0, 0, SERVICE_NEEDS | SERVICE_FIELDS, COMMAND_SERVICE_SET, true},
	{BOARD_BALANCER, CREATE_AND_GO, BIT(F_NAME) | BIT(F_DRIVER), BALANCER_FIELDS, COMMAND_BALANCER_ADD, false},
	{BOARD_BALANCER, DESTROY, 0, 0, COMMAND_BALANCER_REMOVE, true},
	{BOARD_BALANCER, 0, 0, BIT(F_DRIVER) | BALANCER_FIELDS, COMMAND_BALANCER_SET, true},
	{BOARD_ALARM, 0, BIT(F_ACKNOWLEDGE), 0, COMMAND_ALARM_ACK, true},
};

struct row {
	struct mib_place place;
	size_t first;         /* varbind */
	uint64_t fields;      /* BIT(enum field) */
	long status;
	char name[NAME_SIZE]; /* as given */
	char arguments[SET_ARGUMENTS_MAX - 32];
	size_t used;
};

static const struct settable *find_settable(const struct mib_place *place)
{
	for (size_t i = 0; i < COUNT_OF(settables); i++)
		if (settables[i].table == place->table->board && settables[i].column == place->column->number)
			return &settables[i];
	return NULL;
}

/* Text of an octet string: printable, no zero inside. */
static bool as_text(const struct set_varbind *v, char *out, size_t size)
{
	if (v->size >= size || (v->size && memchr(v->bytes, 0, v->size)))
		return false;
	if (v->size)
		memcpy(out, v->bytes, v->size);
	out[v->size] = '\0';
	return true;
}

static long check_address(const struct set_varbind *v, const struct settable *s, char *out, size_t size)
{
	struct address a;
	char text[ADDRESS_TEXT];

	if (!as_text(v, text, sizeof text))
		return WRONG_LENGTH;
	if (s->check == V_ADDRESS_OR_NONE && !text[0]) {
		out[0] = '\0';
		return 0;
	}
	if (!address_parse(text, s->port, &a))
		return WRONG_VALUE;
	text_copy(out, size, address_text(&a, s->port, text)); /* in our own spelling, so that nothing needs quoting */
	return 0;
}

/* Text that becomes part of a JSON value: what would end it is quoted. */
static long check_text(const struct set_varbind *v, char *out, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < v->size; i++) {
		if (v->bytes[i] < 0x20 || v->bytes[i] > 0x7e)
			return WRONG_VALUE;
		if (used + 3 > size)
			return WRONG_LENGTH;
		if (v->bytes[i] == '"' || v->bytes[i] == '\\')
			out[used++] = '\\';
		out[used++] = (char)v->bytes[i];
	}
	out[used] = '\0';
	return 0;
}

/* A GloryTime as the text of RFC 3339; the one that says "has not happened" as "". */
static long check_time(const struct set_varbind *v, char *out, size_t size)
{
	static const uint8_t never[8] = {0, 0, 1, 1, 0, 0, 0, 0};
	const uint8_t *b = v->bytes;
	int64_t ms;

	if (v->size == sizeof never && !memcmp(b, never, sizeof never)) {
		out[0] = '\0';
		return 0;
	}
	if (v->size != 11) /* without an offset nobody knows which moment is meant */
		return v->size == 8 ? WRONG_VALUE : WRONG_LENGTH;
	text_format(out, size, "%04u-%02u-%02uT%02u:%02u:%02u.%u%c%02u:%02u", b[0] << 8u | b[1], b[2], b[3], b[4], b[5], b[6], b[7] % 10u,
		    b[8] == '-' ? '-' : '+', b[9], b[10]);
	return b[7] < 10 && (b[8] == '+' || b[8] == '-') && clock_parse(out, &ms) ? 0 : WRONG_VALUE;
}

static long check_integer(const struct set_varbind *v, const struct settable *s, char *out, size_t size)
{
	long n = v->integer;

	switch (s->check) {
	case V_NUMBER:
		if (n < 0 || n > INT32_MAX)
			return WRONG_VALUE;
		text_format(out, size, "%ld", n);
		return 0;
	case V_WORD:
		if (n < s->lowest || n > 64 || !strcmp(words_name((enum word_set)s->words, (int)n), "?"))
			return WRONG_VALUE;
		text_copy(out, size, words_name((enum word_set)s->words, (int)n));
		return 0;
	case V_TRUTH:
		text_copy(out, size, n == 1 ? "true" : "false");
		return n == 1 || n == 2 ? 0 : WRONG_VALUE;
	case V_TRUE:
		return n == 1 ? 0 : WRONG_VALUE;
	default:
		return n == CREATE_AND_GO || n == DESTROY ? 0 : WRONG_VALUE;
	}
}

static long check_value(const struct set_varbind *v, const struct settable *s, char *out, size_t size)
{
	bool text = s->check <= V_ADDRESS_OR_NONE;

	if (v->asn != (text ? TAG_OCTETS : s->check == V_NUMBER ? TAG_UNSIGNED : TAG_INTEGER))
		return WRONG_TYPE;
	if (s->check == V_TEXT)
		return check_text(v, out, size);
	if (!text)
		return check_integer(v, s, out, size);
	if (s->check == V_TIME)
		return check_time(v, out, size);
	if (s->check == V_ADDRESS || s->check == V_ADDRESS_OR_NONE)
		return check_address(v, s, out, size);
	if (!as_text(v, out, NAME_SIZE))
		return WRONG_LENGTH;
	if (s->check == V_NAME_OR_NONE && !out[0])
		return 0;
	return text_is_name(out, NAME_SIZE - 1) ? 0 : WRONG_VALUE;
}

static struct row *row_of(struct row *rows, size_t *count, const struct mib_place *place, size_t varbind)
{
	for (size_t i = 0; i < *count; i++)
		if (rows[i].place.table == place->table && rows[i].place.key == place->key)
			return &rows[i];
	if (*count == SET_ROWS_MAX)
		return NULL;
	rows[*count] = (struct row){.place = *place, .first = varbind};
	return &rows[(*count)++];
}

/* Puts one checked value into its row. */
static long note_value(struct row *row, const struct settable *s, const struct set_varbind *v, const char *value)
{
	if (row->fields & BIT(s->field))
		return INCONSISTENT_VALUE; /* the same object twice */
	row->fields |= BIT(s->field);
	if (s->field == F_STATUS)
		row->status = v->integer;
	if (s->field == F_NAME)
		text_copy(row->name, sizeof row->name, value);
	if (!s->key)
		return 0;
	const char *quote = s->check == V_TRUTH || s->check == V_NUMBER ? "" : "\"";
	if (!text_append(row->arguments, sizeof row->arguments, &row->used, "%s\"%s\":%s%s%s", row->used ? "," : "", s->key, quote, value, quote))
		return NO_RESOURCE;
	return 0;
}

/* First pass over one varbind: everything that can be said without its neighbours. */
static long check_varbind(const struct set_varbind *v, size_t index, const struct set_questions *ask, struct row *rows,
			  size_t *count)
{
	struct mib_place place;
	bool object;
	char value[VALUE_MAX];
	int rc = mib_locate(v->name, v->length, &place, &object);

	if (!object || place.column->write == RIGHT_NONE)
		return object ? NOT_WRITABLE : NO_ACCESS;
	if (!ask->may_write(ask->arg, v->name, v->length))
		return NO_ACCESS;
	const struct settable *s = find_settable(&place);
	if (rc || !s)
		return s ? NO_CREATION : NOT_WRITABLE;
	value[0] = '\0';
	long status = check_value(v, s, value, sizeof value);
	if (status)
		return status;
	struct row *row = row_of(rows, count, &place, index);
	return row ? note_value(row, s, v, value) : TOO_BIG;
}

static const struct form *find_form(const struct row *row)
{
	uint64_t fields = row->fields & ~BIT(F_STATUS);

	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		const struct form *f = &forms[i];
		if (f->table == row->place.table->board && f->status == (uint32_t)row->status && (fields & f->needs) == f->needs &&
		    !(fields & ~(f->needs | f->takes)))
			return f;
	}
	return NULL;
}

/* Second pass: the row as a whole, against the board. */
static long check_row(const struct row *row, const struct set_questions *ask, struct set_command *out)
{
	const struct form *form = find_form(row);
	char name[NAME_SIZE];
	int rc = ask->row_name(ask->arg, &row->place, name, sizeof name);

	if (rc == ERR_BUSY)
		return GEN_ERR;
	if (!form)
		return rc && row->status != CREATE_AND_GO ? INCONSISTENT_NAME : INCONSISTENT_VALUE;
	if (form->row_exists && rc)
		return form->status == DESTROY ? INCONSISTENT_VALUE : INCONSISTENT_NAME;
	if (!form->row_exists && !rc)
		return INCONSISTENT_VALUE;
	if (!form->row_exists && row->place.key + 1 != ask->next_index(ask->arg, row->place.table->board))
		return INCONSISTENT_NAME;
	out->verb = form->verb;
	out->varbind = row->first;
	text_copy(out->target, sizeof out->target, form->row_exists ? name : row->name);
	bool fits = text_format(out->arguments, sizeof out->arguments, "{%s}", row->arguments);
	return fits ? 0 : NO_RESOURCE;
}

void set_plan_make(const struct set_varbind *varbinds, size_t count, const struct set_questions *ask, struct set_plan *out)
{
	static struct row rows[SET_ROWS_MAX]; /* 100 KiB: not on the stack */
	size_t row_count = 0;

	out->count = 0;
	out->index = 0;
	out->status = count > SET_VARBINDS_MAX ? TOO_BIG : 0;
	for (size_t i = 0; i < count && !out->status; i++) {
		out->status = check_varbind(&varbinds[i], i, ask, rows, &row_count);
		out->index = i + 1;
	}
	for (size_t i = 0; i < row_count && !out->status; i++) {
		out->status = check_row(&rows[i], ask, &out->commands[i]);
		out->index = rows[i].first + 1;
	}
	if (out->status == TOO_BIG)
		out->index = 0;
	if (!out->status)
		out->count = row_count;
}

long set_status_of(int error_kind)
{
	/* a refusal by a brake or a lock is inconsistentValue (contracts, section 6) */
	static const struct {
		int kind;
		long status;
	} table[] = {
		{ERR_BUG, GEN_ERR},		  {ERR_CONFIG, WRONG_VALUE},	      {ERR_NOT_NOW, INCONSISTENT_VALUE},
		{ERR_REFUSED, INCONSISTENT_VALUE}, {ERR_REMOTE, COMMIT_FAILED},	      {ERR_NO_RESOURCE, NO_RESOURCE},
		{ERR_NOT_FOUND, INCONSISTENT_NAME}, {ERR_EXISTS, INCONSISTENT_VALUE}, {ERR_BUSY, NO_RESOURCE},
	};

	for (size_t i = 0; error_kind < 0 && i < COUNT_OF(table); i++)
		if (table[i].kind == error_kind)
			return table[i].status;
	return error_kind < 0 ? GEN_ERR : 0;
}
