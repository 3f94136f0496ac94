/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads of respond.h: one small function per kind of request. */
#include "mibs/agent/respond.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

/* The list being built, and what is left of the room for it. */
struct answer {
	const struct walk *walk;
	const struct access *access;
	netsnmp_variable_list *first, *last;
	size_t room;
	bool full;
};

netsnmp_pdu *respond_status(const netsnmp_pdu *request, long status, long index)
{
	union {
		const netsnmp_pdu *from;
		netsnmp_pdu *pdu;
	} given = {.from = request}; /* cloning reads only, but its prototype does not say so */
	netsnmp_pdu *response = snmp_clone_pdu(given.pdu);

	if (response) {
		response->command = SNMP_MSG_RESPONSE;
		response->errstat = status;
		response->errindex = index;
	}
	return response;
}

static size_t encoded_size(const mib_arc *name, size_t length, size_t value_size)
{
	size_t n = 12 + value_size; /* tags and lengths of the varbind, its name and its value */

	for (size_t i = 0; i < length; i++)
		n += name[i] < 0x80 ? 1 : name[i] < 0x4000 ? 2 : name[i] < 0x200000 ? 3 : 5;
	return n;
}

/* Adds a varbind; false (and full) when it does not fit. */
static bool add(struct answer *a, const mib_arc *name, size_t length, uint8_t asn, const void *value, size_t size)
{
	size_t cost = encoded_size(name, length, size);

	if (cost > a->room) {
		a->full = true;
		return false;
	}
	netsnmp_variable_list **at = a->last ? &a->last->next_variable : &a->first;
	a->last = snmp_varlist_add_variable(at, name, length, asn, value, size);
	a->room -= cost;
	if (!a->last)
		a->full = true;
	return !a->full;
}

static bool add_cell(struct answer *a, const mib_arc *name, size_t length, const struct cell *cell)
{
	return add(a, name, length, cell->asn, &cell->value, cell->size);
}

static bool in_view(void *arg, const struct mib_place *place)
{
	struct answer *a = arg;
	mib_arc name[MIB_OID_MAX];

	return access_may_read(a->access, name, mib_column_name(place->table, place->column, name));
}

/* Each of the following answers one varbind: 0, or an SNMP error. */
static long get_one(struct answer *a, const netsnmp_variable_list *v)
{
	struct mib_place place;
	struct cell cell;
	bool object;
	int rc = mib_locate(v->name, v->name_length, &place, &object);

	if (!object || !in_view(a, &place)) {
		add(a, v->name, v->name_length, SNMP_NOSUCHOBJECT, NULL, 0);
		return 0;
	}
	if (!rc)
		rc = walk_get(a->walk, &place, &cell);
	if (rc == ERR_BUSY)
		return SNMP_ERR_GENERR;
	if (rc)
		add(a, v->name, v->name_length, SNMP_NOSUCHINSTANCE, NULL, 0);
	else
		add_cell(a, v->name, v->name_length, &cell);
	return 0;
}

/* The instance after the cursor, its name into `name`; *length 0 at the end of the MIB. */
static long next_cell(struct answer *a, struct walk_cursor *cursor, mib_arc *name, size_t *length, struct cell *cell)
{
	int rc = walk_next(a->walk, cursor, in_view, a, cell);

	*length = rc ? 0 : mib_name(&cursor->place, name);
	return rc == ERR_BUSY ? SNMP_ERR_GENERR : 0;
}

static long get_next_one(struct answer *a, const netsnmp_variable_list *v)
{
	struct walk_cursor cursor = {.positioned = false};
	mib_arc name[MIB_OID_MAX];
	size_t length = 0;
	struct cell cell;
	long status = mib_after(v->name, v->name_length, &cursor.place) ? next_cell(a, &cursor, name, &length, &cell) : 0;

	if (status)
		return status;
	if (length)
		add_cell(a, name, length, &cell);
	else
		add(a, v->name, v->name_length, SNMP_ENDOFMIBVIEW, NULL, 0);
	return 0;
}

/* One column of a GETBULK. */
struct repeater {
	struct walk_cursor cursor;
	mib_arc name[MAX_OID_LEN]; /* of the last answer: what endOfMibView is said about */
	size_t length;
	bool ended;
};

static long repeat_one(struct answer *a, struct repeater *r)
{
	struct cell cell;
	mib_arc name[MIB_OID_MAX];
	size_t length = 0;
	long status = r->ended ? 0 : next_cell(a, &r->cursor, name, &length, &cell);

	if (status)
		return status;
	if (!length) {
		r->ended = true;
		add(a, r->name, r->length, SNMP_ENDOFMIBVIEW, NULL, 0);
		return 0;
	}
	memcpy(r->name, name, length * sizeof *name);
	r->length = length;
	if (add_cell(a, name, length, &cell))
		r->ended = !walk_step(&r->cursor);
	return 0;
}

static long repeat_all(struct answer *a, struct repeater *repeaters, size_t count, long repetitions)
{
	for (long n = 0; n < repetitions && !a->full; n++) {
		bool all_ended = true;
		for (size_t i = 0; i < count && !a->full; i++) {
			long status = repeat_one(a, &repeaters[i]);
			if (status)
				return status;
			all_ended = all_ended && repeaters[i].ended;
		}
		if (all_ended)
			break;
	}
	return 0;
}

static long get_bulk(struct answer *a, const netsnmp_pdu *request, long *index)
{
	const netsnmp_variable_list *v = request->variables;
	long status = 0, at = 0;
	size_t count = 0;

	for (; v && at < request->non_repeaters && !a->full; v = v->next_variable) {
		*index = ++at;
		status = get_next_one(a, v);
		if (status)
			return status;
	}
	for (const netsnmp_variable_list *w = v; w; w = w->next_variable)
		count++;
	if (!count || request->max_repetitions <= 0)
		return 0;
	struct repeater *repeaters = mem_array(count, sizeof *repeaters);
	for (size_t i = 0; i < count; i++, v = v->next_variable) {
		struct repeater *r = &repeaters[i];
		r->length = v->name_length < MAX_OID_LEN ? v->name_length : MAX_OID_LEN;
		memcpy(r->name, v->name, r->length * sizeof *r->name);
		r->ended = !mib_after(v->name, v->name_length, &r->cursor.place);
	}
	status = repeat_all(a, repeaters, count, request->max_repetitions);
	free(repeaters);
	*index = at + 1;
	return status;
}

static long get_each(struct answer *a, const netsnmp_pdu *request, long *index)
{
	for (const netsnmp_variable_list *v = request->variables; v; v = v->next_variable) {
		(*index)++;
		long status = request->command == SNMP_MSG_GET ? get_one(a, v) : get_next_one(a, v);
		if (status)
			return status;
		if (a->full) {
			*index = 0;
			return SNMP_ERR_TOOBIG;
		}
	}
	return 0;
}

netsnmp_pdu *respond_read(const netsnmp_pdu *request, const struct walk *walk, const struct access *access, size_t room, bool *busy)
{
	struct answer a = {.walk = walk, .access = access, .room = room};
	long index = 0;
	long status = request->command == SNMP_MSG_GETBULK ? get_bulk(&a, request, &index) : get_each(&a, request, &index);

	*busy = status == SNMP_ERR_GENERR;
	if (status) {
		snmp_free_varbind(a.first);
		return respond_status(request, status, index);
	}
	netsnmp_pdu *response = respond_status(request, SNMP_ERR_NOERROR, 0);
	if (!response) {
		snmp_free_varbind(a.first);
		return NULL;
	}
	snmp_free_varbind(response->variables);
	response->variables = a.first;
	return response;
}
