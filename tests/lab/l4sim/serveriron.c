/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A ServerIron: row status of its own (create 4, delete 3, reads valid 2), bindings by names, a deletion that waits (delete-ms) and says so. */
#include <string.h>

#include "tests/lab/l4sim/sim.h"

#define S "1.3.6.1.4.1.1991.1.1.4."
#define SAVE_OID "1.3.6.1.4.1.1991.1.1.2.1.73.0"

enum { VALID = 2, DELETE = 3, CREATE = 4, MODIFY = 5 };
enum { SAVE_NORMAL = 1, SAVE_ERROR = 2, SAVE_WRITE = 3, SAVE_WRITING = 4 };
enum { REALS, PORTS, VIRTUALS, VPORTS, BINDS, TABLES };

static const struct {
	const char *entry;
	oid status, going, name; /* columns; 0 none */
	size_t index;
} tables[TABLES] = {
    [REALS] = {S "19.1.1", 6, 7, 2, 4}, [PORTS] = {S "20.1.1", 5, 6, 0, 5}, [VIRTUALS] = {S "21.1.1", 5, 0, 2, 4},
    [VPORTS] = {S "22.1.1", 7, 0, 0, 5}, [BINDS] = {S "6.1.1", 6, 0, 0, 1}};
static struct sim_oid entries[TABLES], save;
static int64_t save_end;

#define GOING_MAX 256
static struct {
	int table;
	oid index[8];
	int64_t at;
} going[GOING_MAX];
static size_t going_count;

static void begin(void)
{
	struct sim_oid name;

	for (int t = 0; t < TABLES; t++)
		entries[t] = sim_oid(tables[t].entry);
	save = sim_oid(SAVE_OID);
	cells_put_number(&sim_cells, &save, ASN_INTEGER, SAVE_NORMAL);
	/* somebody else's */
	const oid vip[] = {10, 200, 0, 1};
	name = sim_row(&entries[VIRTUALS], 2, vip, 4);
	cells_put(&sim_cells, &name, ASN_OCTET_STR, "mail", 4);
	name = sim_row(&entries[VIRTUALS], 5, vip, 4);
	cells_put_number(&sim_cells, &name, ASN_INTEGER, VALID);
}

static void remove_row(int table, const oid *index)
{
	for (oid column = 1; column <= 20; column++) {
		struct sim_oid name = sim_row(&entries[table], column, index, tables[table].index);
		cells_remove(&sim_cells, &name);
	}
}

static void tick(int64_t now)
{
	size_t kept = 0;

	if (save_end && now >= save_end) {
		save_end = 0;
		cells_put_number(&sim_cells, &save, ASN_INTEGER, knobs.fail_save > 0 ? SAVE_ERROR : SAVE_NORMAL);
		knobs.fail_save -= knobs.fail_save > 0;
	}
	for (size_t i = 0; i < going_count; i++) {
		if (now >= going[i].at)
			remove_row(going[i].table, going[i].index);
		else
			going[kept++] = going[i];
	}
	going_count = kept;
}

static int table_of(const struct sim_set *s, oid *column, const oid **index)
{
	size_t length;

	for (int t = 0; t < TABLES; t++)
		if (sim_column(&s->name, &entries[t], column, index, &length) && length == tables[t].index)
			return t;
	return -1;
}

static bool row_exists(int table, const oid *index)
{
	struct sim_oid name = sim_row(&entries[table], tables[table].status, index, tables[table].index);

	return cells_find(&sim_cells, &name) != NULL;
}

/* The index of a row with this name; false for none. */
static bool named(int table, const uint8_t *text, size_t size, oid *out)
{
	for (size_t i = 0; i < sim_cells.count; i++) {
		const struct cell *c = &sim_cells.list[i];
		oid column;
		const oid *index;
		size_t length;

		if (sim_column(&c->name, &entries[table], &column, &index, &length) && column == tables[table].name && c->size == size && !memcmp(c->bytes, text, size)) {
			memcpy(out, index, length * sizeof(oid));
			return true;
		}
	}
	return false;
}

static const struct sim_set *column_set(const struct sim_set *sets, size_t count, const struct sim_oid *name)
{
	for (size_t i = 0; i < count; i++)
		if (!snmp_oid_compare(sets[i].name.id, sets[i].name.length, name->id, name->length))
			return &sets[i];
	return NULL;
}

/* A binding joins a virtual port that is there with a real port that is there. */
static int check_bind(const struct sim_set *sets, size_t count, const oid *index)
{
	const struct sim_set *s[4];
	oid virtual_port[5], real_port[5];

	for (oid column = 2; column <= 5; column++) {
		struct sim_oid name = sim_row(&entries[BINDS], column, index, 1);
		s[column - 2] = column_set(sets, count, &name);
		if (!s[column - 2])
			return SNMP_ERR_INCONSISTENTVALUE;
	}
	if (!named(VIRTUALS, s[0]->bytes, s[0]->size, virtual_port) || !named(REALS, s[2]->bytes, s[2]->size, real_port))
		return SNMP_ERR_INCONSISTENTVALUE;
	virtual_port[4] = (oid)s[1]->number;
	real_port[4] = (oid)s[3]->number;
	return row_exists(VPORTS, virtual_port) && row_exists(PORTS, real_port) ? SNMP_ERR_NOERROR : SNMP_ERR_INCONSISTENTVALUE;
}

static int check_status(const struct sim_set *sets, size_t count, int table, const oid *index, long status)
{
	bool there = row_exists(table, index);

	if (status == DELETE)
		return there ? SNMP_ERR_NOERROR : SNMP_ERR_INCONSISTENTNAME;
	if (status != CREATE && !(status == MODIFY && table != BINDS))
		return SNMP_ERR_WRONGVALUE;
	if ((status == CREATE) == there)
		return SNMP_ERR_INCONSISTENTVALUE;
	if (table == BINDS)
		return check_bind(sets, count, index);
	if (table == PORTS || table == VPORTS)
		return row_exists(table == PORTS ? REALS : VIRTUALS, index) ? SNMP_ERR_NOERROR : SNMP_ERR_INCONSISTENTVALUE;
	struct sim_oid name = sim_row(&entries[table], tables[table].name, index, tables[table].index);
	return status == MODIFY || sim_sets(sets, count, &name) ? SNMP_ERR_NOERROR : SNMP_ERR_INCONSISTENTVALUE;
}

static int check_one(const struct sim_set *sets, size_t count, const struct sim_set *s)
{
	oid column;
	const oid *index;
	int table = table_of(s, &column, &index);

	if (!snmp_oid_compare(s->name.id, s->name.length, save.id, save.length))
		return s->number != SAVE_WRITE ? SNMP_ERR_WRONGVALUE : save_end ? SNMP_ERR_RESOURCEUNAVAILABLE : SNMP_ERR_NOERROR;
	if (table < 0)
		return SNMP_ERR_NOTWRITABLE;
	if (column == tables[table].status)
		return s->type != ASN_INTEGER ? SNMP_ERR_WRONGTYPE : check_status(sets, count, table, index, s->number);
	if (tables[table].going && column == tables[table].going)
		return SNMP_ERR_NOTWRITABLE;
	struct sim_oid status = sim_row(&entries[table], tables[table].status, index, tables[table].index);
	if (!row_exists(table, index) && !sim_sets(sets, count, &status))
		return SNMP_ERR_INCONSISTENTNAME;
	if (table == REALS && column == 5 && (s->number < 0 || s->number > 65000))
		return SNMP_ERR_WRONGVALUE;
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

static void set_status(int table, const oid *index, long status)
{
	struct sim_oid name = sim_row(&entries[table], tables[table].status, index, tables[table].index);

	if (status == DELETE && tables[table].going && knobs.delete_ms && going_count < GOING_MAX) {
		struct sim_oid state = sim_row(&entries[table], tables[table].going, index, tables[table].index);
		cells_put_number(&sim_cells, &state, ASN_INTEGER, 1);
		going[going_count].table = table;
		memcpy(going[going_count].index, index, tables[table].index * sizeof(oid));
		going[going_count++].at = sim_now_ms() + knobs.delete_ms;
		return;
	}
	if (status == DELETE) {
		remove_row(table, index);
		return;
	}
	cells_put_number(&sim_cells, &name, ASN_INTEGER, VALID);
	if (tables[table].going) {
		name = sim_row(&entries[table], tables[table].going, index, tables[table].index);
		cells_put_number(&sim_cells, &name, ASN_INTEGER, 0);
	}
}

static void commit(const struct sim_set *sets, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct sim_set *s = &sets[i];
		oid column;
		const oid *index;
		int table = table_of(s, &column, &index);

		if (table < 0) {
			cells_put_number(&sim_cells, &save, ASN_INTEGER, SAVE_WRITING);
			save_end = sim_now_ms() + knobs.save_ms;
		} else if (column == tables[table].status) {
			set_status(table, index, s->number);
		} else {
			cells_put(&sim_cells, &s->name, s->type, s->bytes, s->size);
		}
	}
}

const struct family family_serveriron = {"serveriron", "1.3.6.1.4.1.1991.1.1", begin, check, commit, tick};
