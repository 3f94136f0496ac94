/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Executor of SETs; see edit.h. */
#include "mibs/agent/edit.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "mibs/agent/own.h"
#include "mibs/agent/respond.h"
#include "mibs/agent/transport.h"

struct pending {
	struct pending *next;
	uint64_t id; /* request numbers sent are id + row */
	uint64_t key_high, key_low;
	int64_t deadline_ms;
	char actor[NAME_SIZE];
	uint8_t right;
	size_t row;  /* the one the engine is at */
	netsnmp_pdu *requests[EDIT_REPEATS_MAX];
	size_t request_count;
	struct set_plan plan;
};

struct edit {
	struct edit_owner owner;
	struct pending *first;
	size_t count;
	uint64_t next_id;
};

struct edit *edit_new(const struct edit_owner *owner)
{
	struct edit *e = mem_zalloc(sizeof *e);

	e->owner = *owner;
	e->next_id = 1;
	return e;
}

static void pending_free(struct pending *p)
{
	for (size_t i = 0; i < p->request_count; i++)
		snmp_free_pdu(p->requests[i]);
	free(p);
}

void edit_free(struct edit *e)
{
	if (!e)
		return;
	for (struct pending *p = e->first, *next; p; p = next) {
		next = p->next;
		pending_free(p);
	}
	free(e);
}

size_t edit_pending(const struct edit *e)
{
	return e->count;
}

/* --- the repeat key: user, source address, request-id, varbinds ----------------------------------------- */

struct bytes {
	uint8_t *data;
	size_t size, room;
};

static void put(struct bytes *b, const void *data, size_t size)
{
	if (b->size + size > b->room) {
		b->room = 2 * (b->size + size);
		b->data = mem_grow(b->data, b->room, 1);
	}
	if (size)
		memcpy(b->data + b->size, data, size);
	b->size += size;
}

static void repeat_key(const netsnmp_pdu *pdu, const char *user, uint64_t *high, uint64_t *low)
{
	struct bytes b = {0};
	struct address source = {0};
	int64_t id = pdu->reqid;

	put(&b, "h", 1);
	put(&b, user, strlen(user) + 1);
	if (transport_source(pdu, &source))
		put(&b, source.bytes, sizeof source.bytes); /* not the port: a manager's retry may come from another */
	put(&b, &id, sizeof id);
	for (const netsnmp_variable_list *v = pdu->variables; v; v = v->next_variable) {
		put(&b, v->name, v->name_length * sizeof *v->name);
		put(&b, &v->type, sizeof v->type);
		put(&b, &v->val_len, sizeof v->val_len);
		put(&b, v->val.string, v->val.string ? v->val_len : 0); /* a value that would not parse has a length and nothing else */
	}
	*high = text_hash(b.data, b.size);
	b.data[0] = 'l';
	*low = text_hash(b.data, b.size) | 1; /* 0 0 means none */
	explicit_bzero(b.data, b.size);
	free(b.data);
}

/* --- planning ------------------------------------------------------------------------------------------- */

struct planner {
	const struct access *access;
	const struct walk *walk;
};

static bool may_write(void *arg, const mib_arc *name, size_t length)
{
	struct planner *p = arg;

	return access_may_write(p->access, name, length);
}

/* What commands call a row: the text of its column 2, for alarms their number. */
static int row_name(void *arg, const struct mib_place *place, char *name, size_t size)
{
	struct planner *p = arg;
	struct mib_place first = {.table = place->table, .column = place->table->columns, .key = place->key};
	struct cell cell;
	int rc = walk_get(p->walk, &first, &cell);

	if (rc)
		return rc;
	if (place->table->board == BOARD_ALARM)
		text_format(name, size, "%llu", (unsigned long long)place->key);
	else
		text_format(name, size, "%.*s", (int)cell.size, (const char *)cell.value.bytes);
	return 0;
}

static uint32_t next_index(void *arg, enum board_table table)
{
	struct planner *p = arg;

	return own_next_index(p->walk->board, table);
}

static void plan(const netsnmp_pdu *pdu, struct planner *planner, struct set_plan *out)
{
	struct set_varbind list[SET_VARBINDS_MAX];
	size_t n = 0;
	const netsnmp_variable_list *v = pdu->variables;

	for (; v && n < SET_VARBINDS_MAX; v = v->next_variable, n++) {
		list[n] = (struct set_varbind){.name = v->name, .length = v->name_length, .asn = v->type};
		if ((v->type == ASN_INTEGER || v->type == ASN_UNSIGNED) && v->val.integer)
			list[n].integer = *v->val.integer;
		if (v->type == ASN_OCTET_STR && v->val.string) {
			list[n].bytes = v->val.string;
			list[n].size = v->val_len;
		}
	}
	const struct set_questions ask = {may_write, row_name, next_index, planner};
	set_plan_make(list, v ? SET_VARBINDS_MAX + 1 : n, &ask, out);
}

/* --- executing ------------------------------------------------------------------------------------------ */

static void send_row(struct edit *e, struct pending *p)
{
	const struct set_command *row = &p->plan.commands[p->row];
	struct msg_command m = {
		.request = p->id + p->row,
		.repeat_high = p->key_high,
		.repeat_low = p->key_low + 2 * p->row, /* each row of a SET has a key of its own */
		.verb = row->verb,
		.argument_size = (uint32_t)strlen(row->arguments),
		.right = p->right,
	};

	text_copy(m.actor, sizeof m.actor, p->actor);
	text_copy(m.target, sizeof m.target, row->target);
	e->owner.send_command(e->owner.command_arg, &m, row->arguments);
}

static void finish(struct edit *e, struct pending *p, long status, long index)
{
	struct pending **at = &e->first;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	e->count--;
	for (size_t i = 0; i < p->request_count; i++)
		e->owner.respond(e->owner.respond_arg, respond_status(p->requests[i], status, index));
	pending_free(p);
}

static struct pending *find_key(const struct edit *e, uint64_t high, uint64_t low)
{
	struct pending *p = e->first;

	while (p && (p->key_high != high || p->key_low != low))
		p = p->next;
	return p;
}

static netsnmp_pdu *copy_request(const netsnmp_pdu *request)
{
	return respond_status(request, 0, 0);
}

void edit_request(struct edit *e, const netsnmp_pdu *request, const struct access *access, const struct walk *walk, int64_t now_ms)
{
	struct planner planner = {access, walk};
	uint64_t high, low;

	repeat_key(request, access->user, &high, &low);
	struct pending *p = find_key(e, high, low);
	netsnmp_pdu *copy = copy_request(request);
	if (!copy)
		return;
	if (p) { /* already under way: it gets the same answer */
		if (p->request_count < EDIT_REPEATS_MAX)
			p->requests[p->request_count++] = copy;
		else
			snmp_free_pdu(copy);
		return;
	}
	p = mem_zalloc(sizeof *p);
	plan(request, &planner, &p->plan);
	if (!p->plan.status && e->count >= EDIT_PENDING_MAX)
		p->plan.status = SNMP_ERR_RESOURCEUNAVAILABLE;
	p->requests[p->request_count++] = copy;
	p->next = e->first;
	e->first = p;
	e->count++;
	if (p->plan.status || !p->plan.count) {
		finish(e, p, p->plan.status, (long)p->plan.index);
		return;
	}
	p->id = e->next_id;
	e->next_id += SET_ROWS_MAX;
	p->key_high = high;
	p->key_low = low;
	p->deadline_ms = now_ms + EDIT_DEADLINE_MS;
	p->right = (uint8_t)access->right;
	text_format(p->actor, sizeof p->actor, "snmp:%s", access->user);
	send_row(e, p);
}

void edit_reply(struct edit *e, const struct msg_reply *reply)
{
	for (struct pending *p = e->first; p; p = p->next) {
		if (reply->request != p->id + p->row)
			continue;
		if (reply->status < 0)
			finish(e, p, set_status_of(reply->status), (long)p->plan.commands[p->row].varbind + 1);
		else if (++p->row == p->plan.count)
			finish(e, p, SNMP_ERR_NOERROR, 0);
		else
			send_row(e, p);
		return;
	}
}

void edit_tick(struct edit *e, int64_t now_ms)
{
	for (struct pending *p = e->first, *next; p; p = next) {
		next = p->next;
		if (now_ms >= p->deadline_ms)
			finish(e, p, SNMP_ERR_RESOURCEUNAVAILABLE, (long)p->plan.commands[p->row].varbind + 1);
	}
}
