/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An Alteon: new configuration, pending until applied as one; apply, save and revert by scalars; operational states at once. */
#include <stdio.h>
#include <string.h>

#include "tests/lab/l4sim/sim.h"

#define A "1.3.6.1.4.1.1872.2.5"

enum { DO = 1, IDLE = 2, IN_PROGRESS = 3, COMPLETE = 4, FAILED = 5 };
enum { NEEDED = 2, NOT_NEEDED = 3 };
enum { BITMAP = 128 };

static struct sim_oid config, apply, pending, save, revert, texts, oper, reals, enhanced_reals, groups, virtuals, services;
static struct cells running, saved;
static int64_t apply_end, save_end;

static struct sim_oid real_name(long number, oid column)
{
	char text[16];
	oid index[16];

	if (!knobs.enhanced) {
		index[0] = (oid)number;
		return sim_row(&reals, column, index, 1);
	}
	snprintf(text, sizeof text, "%ld", number);
	index[0] = strlen(text);
	for (size_t i = 0; text[i]; i++)
		index[i + 1] = (oid)text[i];
	return sim_row(&enhanced_reals, column, index, index[0] + 1);
}

static bool real_exists(long number)
{
	struct sim_oid name = real_name(number, 2);

	return cells_find(&sim_cells, &name) != NULL;
}

static void begin(void)
{
	static const uint8_t foreign[] = {10, 200, 0, 1};

	config = sim_oid(A ".4.1.1");
	apply = sim_oid(A ".1.1.8.2.0");
	pending = sim_oid(A ".1.1.8.1.0");
	texts = sim_oid(A ".1.1.8.3.1.2");
	save = sim_oid(A ".1.1.17.1.0");
	revert = sim_oid(A ".1.1.1.5.0");
	oper = sim_oid(A ".4.4.5.1.3");
	reals = sim_oid(A ".4.1.1.2.3.1");
	enhanced_reals = sim_oid(A ".4.1.1.2.11.1");
	groups = sim_oid(A ".4.1.1.3.4.1");
	virtuals = sim_oid(A ".4.1.1.4.3.1");
	services = sim_oid(A ".4.1.1.4.6.1");
	cells_put_number(&sim_cells, &apply, ASN_INTEGER, IDLE);
	cells_put_number(&sim_cells, &save, ASN_INTEGER, IDLE);
	cells_put_number(&sim_cells, &pending, ASN_INTEGER, NOT_NEEDED);
	cells_put_number(&sim_cells, &revert, ASN_INTEGER, 1);
	/* somebody else's */
	struct sim_oid name = sim_row(&virtuals, 2, (oid[]){900}, 1);
	cells_put(&sim_cells, &name, ASN_IPADDRESS, foreign, 4);
	name = sim_row(&virtuals, 14, (oid[]){900}, 1);
	cells_put(&sim_cells, &name, ASN_OCTET_STR, "mail", 4);
	name = real_name(900, 2);
	cells_put(&sim_cells, &name, ASN_IPADDRESS, foreign, 4);
	cells_copy_below(&running, &sim_cells, &config);
	cells_copy_below(&saved, &sim_cells, &config);
}

/* --- apply and save ------------------------------------------------------------------------------------- */

static void say(oid line, const char *text)
{
	struct sim_oid name = texts;

	name.id[name.length++] = line;
	cells_put(&sim_cells, &name, ASN_OCTET_STR, text, strlen(text));
}

/* A group that names real servers which are not there cannot be applied. */
static bool consistent(void)
{
	for (size_t i = 0; i < sim_cells.count; i++) {
		const struct cell *c = &sim_cells.list[i];
		oid column;
		const oid *index;
		size_t length;

		if (!sim_column(&c->name, &groups, &column, &index, &length) || column != 2)
			continue;
		for (long n = 1; n <= BITMAP * 8; n++)
			if (c->bytes[(n - 1) / 8] & (0x80 >> (n - 1) % 8) && !real_exists(n))
				return false;
	}
	return true;
}

static void finish_apply(void)
{
	bool fits = consistent();

	apply_end = 0;
	cells_remove_below(&sim_cells, &texts);
	if (knobs.fail_apply > 0 || !fits) {
		knobs.fail_apply -= knobs.fail_apply > 0;
		say(1, fits ? "Error: virtual server IP overlaps interface 3" : "Error: a group contains an undefined real server");
		say(2, "Configuration is not applied");
		cells_put_number(&sim_cells, &apply, ASN_INTEGER, FAILED);
		return;
	}
	cells_copy_below(&running, &sim_cells, &config);
	cells_put_number(&sim_cells, &apply, ASN_INTEGER, COMPLETE);
}

static void finish_save(void)
{
	save_end = 0;
	if (knobs.fail_save > 0) {
		knobs.fail_save--;
		cells_put_number(&sim_cells, &save, ASN_INTEGER, FAILED);
		return;
	}
	cells_copy_below(&saved, &running, &config);
	cells_put_number(&sim_cells, &save, ASN_INTEGER, COMPLETE);
}

static void tick(int64_t now)
{
	if (apply_end && now >= apply_end)
		finish_apply();
	if (save_end && now >= save_end)
		finish_save();
	cells_put_number(&sim_cells, &pending, ASN_INTEGER, cells_equal_below(&sim_cells, &running, &config) ? NOT_NEEDED : NEEDED);
}

/* --- SET ------------------------------------------------------------------------------------------------ */

static bool is(const struct sim_set *s, const struct sim_oid *name)
{
	return !snmp_oid_compare(s->name.id, s->name.length, name->id, name->length);
}

/* The row's first column makes it; the others need it there, or in the same PDU. */
static bool row_there(const struct sim_set *sets, size_t count, const struct sim_oid *entry, oid first, const oid *index, size_t length)
{
	struct sim_oid name = sim_row(entry, first, index, length);

	return sim_sets(sets, count, &name) || cells_find(&sim_cells, &name);
}

static int check_real(const struct sim_set *sets, size_t count, const struct sim_set *s, const struct sim_oid *entry)
{
	oid column, shift = knobs.enhanced ? 1 : 0;
	const oid *index;
	size_t length;

	sim_column(&s->name, entry, &column, &index, &length);
	if (!row_there(sets, count, entry, 2, index, length))
		return SNMP_ERR_INCONSISTENTNAME;
	if (column == 2)
		return s->type == ASN_IPADDRESS ? SNMP_ERR_NOERROR : SNMP_ERR_WRONGTYPE;
	if (column == 3)
		return s->type != ASN_INTEGER ? SNMP_ERR_WRONGTYPE : s->number < 1 || s->number > 48 ? SNMP_ERR_WRONGVALUE : SNMP_ERR_NOERROR;
	if (column == 10 - shift)
		return s->number < 2 || s->number > 4 ? SNMP_ERR_WRONGVALUE : SNMP_ERR_NOERROR;
	if (column == 11 - shift)
		return s->number == 2 ? SNMP_ERR_NOERROR : SNMP_ERR_WRONGVALUE;
	if (column == 13 - shift)
		return s->type != ASN_OCTET_STR ? SNMP_ERR_WRONGTYPE : s->size > 31 ? SNMP_ERR_WRONGLENGTH : SNMP_ERR_NOERROR;
	return SNMP_ERR_NOTWRITABLE;
}

static int check_group(const struct sim_set *s, oid column)
{
	switch (column) {
	case 3:
		return s->number >= 1 && s->number <= 1023 && real_exists(s->number) ? SNMP_ERR_NOERROR : SNMP_ERR_INCONSISTENTVALUE;
	case 4:
		return s->number >= 1 && s->number <= 1023 ? SNMP_ERR_NOERROR : SNMP_ERR_WRONGVALUE;
	case 5:
	case 9:
	case 15:
		return s->type == ASN_INTEGER ? SNMP_ERR_NOERROR : SNMP_ERR_WRONGTYPE;
	case 10:
		return s->size <= 31 ? SNMP_ERR_NOERROR : SNMP_ERR_WRONGLENGTH;
	default:
		return SNMP_ERR_NOTWRITABLE;
	}
}

static int check_one(const struct sim_set *sets, size_t count, const struct sim_set *s)
{
	const struct sim_oid *real_entry = knobs.enhanced ? &enhanced_reals : &reals;
	oid column;
	const oid *index;
	size_t length;

	if (is(s, &apply) || is(s, &save))
		return s->number == DO || s->number == IDLE ? SNMP_ERR_NOERROR : SNMP_ERR_WRONGVALUE;
	if (is(s, &revert))
		return s->number == 2 ? SNMP_ERR_NOERROR : SNMP_ERR_WRONGVALUE;
	if (s->name.length == oper.length + 2 && !memcmp(s->name.id, oper.id, oper.length * sizeof(oid)))
		return s->number == 1 || s->number == 2 ? SNMP_ERR_NOERROR : SNMP_ERR_WRONGVALUE;
	if (sim_column(&s->name, real_entry, &column, &index, &length))
		return check_real(sets, count, s, real_entry);
	if (sim_column(&s->name, &groups, &column, &index, &length))
		return check_group(s, column);
	if (sim_column(&s->name, &virtuals, &column, &index, &length))
		return row_there(sets, count, &virtuals, 2, index, length) ? SNMP_ERR_NOERROR : SNMP_ERR_INCONSISTENTNAME;
	if (sim_column(&s->name, &services, &column, &index, &length) && length == 2 && index[1] >= 1 && index[1] <= 8)
		return row_there(sets, count, &services, 3, index, length) && row_there(sets, count, &virtuals, 2, index, 1) ? SNMP_ERR_NOERROR : SNMP_ERR_INCONSISTENTNAME;
	return SNMP_ERR_NOTWRITABLE;
}

static int check(const struct sim_set *sets, size_t count, size_t *at)
{
	int error = apply_end ? SNMP_ERR_RESOURCEUNAVAILABLE : SNMP_ERR_NOERROR;

	for (*at = 0; !error && *at < count; ++*at)
		error = check_one(sets, count, &sets[*at]);
	*at -= error && *at > 0;
	return error;
}

static void remove_row(const struct sim_oid *entry, const oid *index, size_t length)
{
	for (oid column = 1; column <= 40; column++) {
		struct sim_oid name = sim_row(entry, column, index, length);
		cells_remove(&sim_cells, &name);
	}
}

static void set_bit(const oid *index, long real, bool on)
{
	struct sim_oid name = sim_row(&groups, 2, index, 1);
	struct cell *c = cells_find(&sim_cells, &name);
	uint8_t mask = (uint8_t)(0x80 >> (real - 1) % 8);

	if (!c)
		return;
	c->bytes[(real - 1) / 8] = (uint8_t)(on ? c->bytes[(real - 1) / 8] | mask : c->bytes[(real - 1) / 8] & ~mask);
}

static void set_group(const struct sim_set *s, oid column, const oid *index)
{
	static const uint8_t none[BITMAP];
	struct sim_oid bitmap = sim_row(&groups, 2, index, 1);

	if (column == 15) {
		remove_row(&groups, index, 1);
		return;
	}
	if (!cells_find(&sim_cells, &bitmap))
		cells_put(&sim_cells, &bitmap, ASN_OCTET_STR, none, sizeof none);
	if (column == 3 || column == 4)
		set_bit(index, s->number, column == 3);
	else
		cells_put(&sim_cells, &s->name, s->type, s->bytes, s->size);
}

static void remove_virtual(const oid *index)
{
	remove_row(&virtuals, index, 1);
	for (oid service = 1; service <= 8; service++)
		remove_row(&services, (oid[]){index[0], service}, 2);
}

static void set_row(const struct sim_set *s)
{
	const struct sim_oid *real_entry = knobs.enhanced ? &enhanced_reals : &reals;
	oid column;
	const oid *index;
	size_t length;

	if (sim_column(&s->name, &groups, &column, &index, &length))
		set_group(s, column, index);
	else if (sim_column(&s->name, real_entry, &column, &index, &length) && column == (knobs.enhanced ? 10 : 11))
		remove_row(real_entry, index, length);
	else if (sim_column(&s->name, &virtuals, &column, &index, &length) && column == 8)
		remove_virtual(index);
	else if (sim_column(&s->name, &services, &column, &index, &length) && column == 28)
		remove_row(&services, index, length);
	else
		cells_put(&sim_cells, &s->name, s->type, s->bytes, s->size);
}

static void commit(const struct sim_set *sets, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct sim_set *s = &sets[i];
		if (is(s, &revert)) {
			cells_copy_below(&sim_cells, &running, &config);
		} else if ((is(s, &apply) || is(s, &save)) && s->number == DO) {
			cells_put_number(&sim_cells, &s->name, ASN_INTEGER, IN_PROGRESS);
			if (is(s, &apply))
				apply_end = sim_now_ms() + knobs.apply_ms;
			else
				save_end = sim_now_ms() + knobs.save_ms;
		} else {
			set_row(s);
		}
	}
}

const struct family family_alteon = {"alteon", A, begin, check, commit, tick};
