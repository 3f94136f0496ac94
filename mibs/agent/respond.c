/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads of respond.h: one small function per kind of request. */
#include "mibs/agent/respond.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "mibs/agent/encode.h"

/* The answer that is being made. */
struct answer {
	const struct walk *walk;
	const struct access *access;
	struct encode_list list;
	struct encode_column column; /* of single names */
};

/* A name of the request: as it came, and as arcs. */
struct name {
	const uint8_t *bytes;
	size_t size;
	mib_arc arcs[MAX_OID_LEN];
	size_t length;
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

/* --- what is asked ---------------------------------------------------------------------------------- */

static bool name_from(struct ber content, struct name *out)
{
	uint32_t arcs[MAX_OID_LEN] = {0, 0};

	out->bytes = content.at;
	out->size = ber_left(&content);
	out->length = out->size ? ber_oid_value(content, arcs, MAX_OID_LEN) : 2; /* an empty name is taken for 0.0 */
	for (size_t i = 0; i < out->length; i++)
		out->arcs[i] = arcs[i];
	return out->length > 0;
}

static bool take_name(struct ber *varbinds, struct name *out)
{
	struct ber varbind, name, value;
	uint8_t type;

	return ber_take(varbinds, BER_SEQUENCE, &varbind) && ber_take(&varbind, BER_OID, &name) && ber_any(&varbind, &type, &value) &&
	       name_from(name, out);
}

bool respond_parse(struct ber pdu, struct respond_request *r)
{
	struct ber fields, rest;
	struct name name;

	if (!ber_any(&pdu, &r->type, &fields) || (r->type != BER_GET && r->type != BER_GETNEXT && r->type != BER_GETBULK) ||
	    !ber_integer_in(&fields, INT32_MIN, INT32_MAX, &r->id) ||
	    !ber_integer_in(&fields, INT32_MIN, INT32_MAX, &r->non_repeaters) ||
	    !ber_integer_in(&fields, INT32_MIN, INT32_MAX, &r->max_repetitions) || !ber_take(&fields, BER_SEQUENCE, &r->varbinds))
		return false;
	for (rest = r->varbinds; ber_left(&rest);)
		if (!take_name(&rest, &name))
			return false;
	return true;
}

/* --- one varbind: 0, or an SNMP error ------------------------------------------------------------------- */

static bool in_view(void *arg, const struct mib_place *place)
{
	struct answer *a = arg;
	mib_arc name[MIB_OID_MAX];

	return access_may_read(a->access, name, mib_column_name(place->table, place->column, name));
}

static long get_one(struct answer *a, const struct name *v)
{
	struct mib_place place;
	struct cell cell;
	bool object;
	int rc = mib_locate(v->arcs, v->length, &place, &object);

	if (!object || !in_view(a, &place)) {
		encode_exception(&a->list, v->bytes, v->size, BER_NO_SUCH_OBJECT);
		return 0;
	}
	if (!rc)
		rc = walk_get(a->walk, &place, &cell);
	if (rc == ERR_BUSY)
		return SNMP_ERR_GENERR;
	if (rc)
		encode_exception(&a->list, v->bytes, v->size, BER_NO_SUCH_INSTANCE);
	else
		encode_cell(&a->list, v->bytes, v->size, &cell);
	return 0;
}

/* The instance after the cursor, its name into `name`; *size 0 at the end of the MIB. */
static long next_cell(struct answer *a, struct walk_cursor *cursor, struct encode_column *column, uint8_t name[ENCODE_NAME_MAX],
		      size_t *size, struct cell *cell)
{
	int rc = walk_next(a->walk, cursor, in_view, a, cell);

	*size = rc ? 0 : encode_name(column, &cursor->place, name);
	return rc == ERR_BUSY ? SNMP_ERR_GENERR : 0;
}

static long get_next_one(struct answer *a, const struct name *v)
{
	struct walk_cursor cursor = {.positioned = false};
	uint8_t name[ENCODE_NAME_MAX];
	size_t size = 0;
	struct cell cell;
	long status = mib_after(v->arcs, v->length, &cursor.place) ? next_cell(a, &cursor, &a->column, name, &size, &cell) : 0;

	if (status)
		return status;
	if (size)
		encode_cell(&a->list, name, size, &cell);
	else
		encode_exception(&a->list, v->bytes, v->size, BER_END_OF_VIEW);
	return 0;
}

/* --- GETBULK -------------------------------------------------------------------------------------------- */

/* One column of it. */
struct repeater {
	struct walk_cursor cursor;
	struct encode_column column;
	uint8_t name[ENCODE_NAME_MAX]; /* of the last answer: what endOfMibView is said about */
	size_t size;
	struct ber asked; /* the same before there is one */
	bool ended;
};

static long repeat_one(struct answer *a, struct repeater *r)
{
	struct cell cell;
	size_t size = 0;
	long status = r->ended ? 0 : next_cell(a, &r->cursor, &r->column, r->name, &size, &cell);

	if (status)
		return status;
	if (!size) {
		r->ended = true;
		encode_exception(&a->list, r->size ? r->name : r->asked.at, r->size ? r->size : ber_left(&r->asked), BER_END_OF_VIEW);
		return 0;
	}
	r->size = size;
	if (encode_cell(&a->list, r->name, size, &cell))
		r->ended = !walk_step(&r->cursor);
	return 0;
}

static long repeat_all(struct answer *a, struct repeater *repeaters, size_t count, int64_t repetitions)
{
	for (int64_t n = 0; n < repetitions && !a->list.full; n++) {
		bool all_ended = true;
		for (size_t i = 0; i < count && !a->list.full; i++) {
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

static size_t count_names(struct ber varbinds)
{
	struct ber varbind;
	size_t n = 0;

	for (; ber_left(&varbinds) && ber_take(&varbinds, BER_SEQUENCE, &varbind); n++)
		;
	return n;
}

static long get_bulk(struct answer *a, const struct respond_request *request, long *index)
{
	struct ber rest = request->varbinds;
	struct name v;
	long status = 0, at = 0;

	while (at < request->non_repeaters && !a->list.full && take_name(&rest, &v)) {
		*index = ++at;
		status = get_next_one(a, &v);
		if (status)
			return status;
	}
	size_t count = count_names(rest);
	if (!count || request->max_repetitions <= 0)
		return 0;
	struct repeater *repeaters = mem_array(count, sizeof *repeaters);
	for (size_t i = 0; i < count && take_name(&rest, &v); i++) {
		repeaters[i].asked = (struct ber){v.bytes, v.bytes + v.size};
		repeaters[i].ended = !mib_after(v.arcs, v.length, &repeaters[i].cursor.place);
	}
	status = repeat_all(a, repeaters, count, request->max_repetitions);
	free(repeaters);
	*index = at + 1;
	return status;
}

static long get_each(struct answer *a, const struct respond_request *request, long *index)
{
	struct ber rest = request->varbinds;
	struct name v;

	while (take_name(&rest, &v)) {
		(*index)++;
		long status = request->type == BER_GET ? get_one(a, &v) : get_next_one(a, &v);
		if (status)
			return status;
		if (a->list.full) {
			*index = 0;
			return SNMP_ERR_TOOBIG;
		}
	}
	return 0;
}

size_t respond_read(const struct respond_request *request, const struct walk *walk, const struct access *access, uint8_t *room,
		    size_t size, long *status, long *index)
{
	struct answer a = {.walk = walk, .access = access, .list = {.at = room, .end = room + size}};

	*index = 0;
	*status = request->type == BER_GETBULK ? get_bulk(&a, request, index) : get_each(&a, request, index);
	if (*status)
		return 0;
	*index = 0;
	return (size_t)(a.list.at - room);
}
