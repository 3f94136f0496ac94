/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A Cisco SLB: RFC 2579 row status in CISCO-SLB-MIB's farms, reals and virtual servers, a virtual server that is changed only while it is out
 * of service, a farm that is kept while one uses it, and CISCO-CONFIG-COPY-MIB to save. */
#include <string.h>

#include "tests/lab/l4sim/sim.h"

enum { ACTIVE = 1, NOT_IN_SERVICE = 2, CREATE_AND_GO = 4, CREATE_AND_WAIT = 5, DESTROY = 6 };
enum { OUT_OF_SERVICE = 1, IN_SERVICE = 2 };
enum { COPY_RUNNING = 2, COPY_SUCCESSFUL = 3, COPY_FAILED = 4 };
enum { FARMS, REALS, VIRTUALS, COPIES, TABLES };

static const struct {
	const char *entry;
	oid status;
} tables[TABLES] = {[FARMS] = {"1.3.6.1.4.1.9.9.161.1.2.1.1", 6},
		    [REALS] = {"1.3.6.1.4.1.9.9.161.1.3.1.1", 17},
		    [VIRTUALS] = {"1.3.6.1.4.1.9.9.161.1.4.1.1", 16},
		    [COPIES] = {"1.3.6.1.4.1.9.9.96.1.1.1.1", 14}};
static struct sim_oid entries[TABLES], copy_state;
static int64_t copy_end;

static void put(int table, oid column, const oid *index, size_t length, u_char type, long number)
{
	struct sim_oid name = sim_row(&entries[table], column, index, length);

	cells_put_number(&sim_cells, &name, type, number);
}

static void begin(void)
{
	static const uint8_t vip[] = {10, 200, 0, 1};
	static const oid mail[] = {1, 4, 'm', 'a', 'i', 'l'};

	for (int t = 0; t < TABLES; t++)
		entries[t] = sim_oid(tables[t].entry);
	struct sim_oid name = sim_row(&entries[VIRTUALS], 4, mail, 6);
	cells_put(&sim_cells, &name, ASN_IPADDRESS, vip, 4);
	put(VIRTUALS, 16, mail, 6, ASN_INTEGER, ACTIVE);
	put(VIRTUALS, 2, mail, 6, ASN_INTEGER, IN_SERVICE);
}

static void tick(int64_t now)
{
	if (copy_end && now >= copy_end) {
		copy_end = 0;
		cells_put_number(&sim_cells, &copy_state, ASN_INTEGER, knobs.fail_save > 0 ? COPY_FAILED : COPY_SUCCESSFUL);
		knobs.fail_save -= knobs.fail_save > 0;
	}
}

static int table_of(const struct sim_oid *name, oid *column, const oid **index, size_t *length)
{
	for (int t = 0; t < TABLES; t++)
		if (sim_column(name, &entries[t], column, index, length))
			return t;
	return -1;
}

static bool row_exists(int table, const oid *index, size_t length)
{
	struct sim_oid name = sim_row(&entries[table], tables[table].status, index, length);

	return cells_find(&sim_cells, &name) != NULL;
}

/* Does a virtual server name the farm with this index (entity, length, bytes)? */
static bool farm_used(const oid *index)
{
	for (size_t i = 0; i < sim_cells.count; i++) {
		const struct cell *c = &sim_cells.list[i];
		oid column;
		const oid *at;
		size_t length;
		bool same = sim_column(&c->name, &entries[VIRTUALS], &column, &at, &length) && column == 9 && c->size == index[1];

		for (size_t k = 0; same && k < c->size; k++)
			same = c->bytes[k] == index[2 + k];
		if (same)
			return true;
	}
	return false;
}

static int check_status(int table, const oid *index, size_t length, long status)
{
	bool there = row_exists(table, index, length);

	if (status < 1 || status > 6 || status == 3)
		return SNMP_ERR_WRONGVALUE;
	if ((status == CREATE_AND_GO || status == CREATE_AND_WAIT) && there)
		return SNMP_ERR_INCONSISTENTVALUE;
	if (status < CREATE_AND_GO && !there)
		return SNMP_ERR_INCONSISTENTVALUE;
	if (status == DESTROY && table == FARMS && there && farm_used(index))
		return SNMP_ERR_INCONSISTENTVALUE;
	/* a real stands in a farm */
	if (status == CREATE_AND_GO && table == REALS && (length < 2 || !row_exists(FARMS, index, 2 + index[1])))
		return SNMP_ERR_INCONSISTENTVALUE;
	return SNMP_ERR_NOERROR;
}

static int check_one(const struct sim_set *sets, size_t count, const struct sim_set *s)
{
	oid column;
	const oid *index;
	size_t length;
	int table = table_of(&s->name, &column, &index, &length);

	if (table < 0 || (table == FARMS && column == 2))
		return SNMP_ERR_NOTWRITABLE;
	if (column == tables[table].status)
		return s->type != ASN_INTEGER ? SNMP_ERR_WRONGTYPE : check_status(table, index, length, s->number);
	struct sim_oid status = sim_row(&entries[table], tables[table].status, index, length), state = sim_row(&entries[table], 2, index, length);
	if (!row_exists(table, index, length) && !sim_sets(sets, count, &status))
		return SNMP_ERR_INCONSISTENTNAME;
	if (table == REALS && (column == 7 || column == 8) && s->type != ASN_UNSIGNED)
		return SNMP_ERR_WRONGTYPE;
	if (((table == REALS && column == 4) || (table == VIRTUALS && column == 2)) && s->number != OUT_OF_SERVICE && s->number != IN_SERVICE)
		return SNMP_ERR_WRONGVALUE;
	if (table == VIRTUALS && column != 2 && cells_number(&sim_cells, &state, OUT_OF_SERVICE) == IN_SERVICE)
		return SNMP_ERR_INCONSISTENTVALUE;
	return SNMP_ERR_NOERROR;
}

static int check(const struct sim_set *sets, size_t count, size_t *at)
{
	int error = SNMP_ERR_NOERROR;

	for (*at = 0; !error && *at < count; ++*at)
		error = check_one(sets, count, &sets[*at]);
	*at -= error && *at > 0;
	return error;
}

static void remove_row(int table, const oid *index, size_t length)
{
	for (oid column = 1; column <= 30; column++) {
		struct sim_oid name = sim_row(&entries[table], column, index, length);
		cells_remove(&sim_cells, &name);
		/* its members go with a farm */
		name = sim_row(&entries[REALS], column, index, length);
		if (table == FARMS)
			cells_remove_below(&sim_cells, &name);
	}
}

static void make_row(int table, const oid *index, size_t length)
{
	put(table, tables[table].status, index, length, ASN_INTEGER, ACTIVE);
	if (table == FARMS)
		put(FARMS, 2, index, length, ASN_INTEGER, 1);
	if (table == VIRTUALS)
		put(VIRTUALS, 2, index, length, ASN_INTEGER, OUT_OF_SERVICE);
	if (table == COPIES) {
		copy_state = sim_row(&entries[COPIES], 10, index, length);
		cells_put_number(&sim_cells, &copy_state, ASN_INTEGER, COPY_RUNNING);
		copy_end = sim_now_ms() + knobs.save_ms;
	}
}

static void commit(const struct sim_set *sets, size_t count)
{
	/* the row first, then what the PDU says about it */
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < count; i++) {
			const struct sim_set *s = &sets[i];
			oid column;
			const oid *index;
			size_t length;
			int table = table_of(&s->name, &column, &index, &length);
			bool status = column == tables[table].status;

			if (status && pass == 0 && s->number == DESTROY)
				remove_row(table, index, length);
			else if (status && pass == 0 && s->number >= CREATE_AND_GO)
				make_row(table, index, length);
			else if (!status && pass == 1)
				cells_put(&sim_cells, &s->name, s->type, s->bytes, s->size);
		}
}

const struct family family_cisco = {"cisco-slb", "1.3.6.1.4.1.9.9", begin, check, commit, tick};
