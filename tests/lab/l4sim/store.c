/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cells of a simulated switch, sorted by name; see sim.h. */
#include <stdlib.h>
#include <string.h>

#include "tests/lab/l4sim/sim.h"

struct cells sim_cells;
struct knobs knobs = {.apply_ms = 150, .save_ms = 100, .members = 4, .network = 0x0a0100};

size_t cells_at(const struct cells *c, const oid *name, size_t length)
{
	size_t low = 0, high = c->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (snmp_oid_compare(c->list[middle].name.id, c->list[middle].name.length, name, length) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct cell *cells_find(struct cells *c, const struct sim_oid *name)
{
	size_t at = cells_at(c, name->id, name->length);

	if (at < c->count && !snmp_oid_compare(c->list[at].name.id, c->list[at].name.length, name->id, name->length))
		return &c->list[at];
	return NULL;
}

void cells_put(struct cells *c, const struct sim_oid *name, u_char type, const void *bytes, size_t size)
{
	struct cell *cell = cells_find(c, name);

	if (!cell) {
		size_t at = cells_at(c, name->id, name->length);
		if (c->count == c->room) {
			c->room = c->room ? c->room * 2 : 64;
			c->list = realloc(c->list, c->room * sizeof *c->list);
			if (!c->list)
				abort();
		}
		memmove(&c->list[at + 1], &c->list[at], (c->count - at) * sizeof *c->list);
		c->count++;
		cell = &c->list[at];
		cell->name = *name;
	}
	cell->type = type;
	cell->size = size < SIM_BYTES ? size : SIM_BYTES;
	memcpy(cell->bytes, bytes, cell->size);
}

void cells_put_number(struct cells *c, const struct sim_oid *name, u_char type, long number)
{
	cells_put(c, name, type, &number, sizeof number);
}

long cells_number(struct cells *c, const struct sim_oid *name, long otherwise)
{
	const struct cell *cell = cells_find(c, name);
	long number = otherwise;

	if (cell && cell->size == sizeof number)
		memcpy(&number, cell->bytes, sizeof number);
	return number;
}

void cells_remove(struct cells *c, const struct sim_oid *name)
{
	struct cell *cell = cells_find(c, name);

	if (!cell)
		return;
	size_t at = (size_t)(cell - c->list);
	memmove(cell, cell + 1, (c->count - at - 1) * sizeof *c->list);
	c->count--;
}

static bool below(const struct sim_oid *root, const struct sim_oid *name)
{
	return name->length > root->length && !memcmp(name->id, root->id, root->length * sizeof(oid));
}

void cells_remove_below(struct cells *c, const struct sim_oid *root)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->count; i++)
		if (!below(root, &c->list[i].name))
			c->list[kept++] = c->list[i];
	c->count = kept;
}

void cells_copy_below(struct cells *to, const struct cells *from, const struct sim_oid *root)
{
	cells_remove_below(to, root);
	for (size_t i = 0; i < from->count; i++)
		if (below(root, &from->list[i].name))
			cells_put(to, &from->list[i].name, from->list[i].type, from->list[i].bytes, from->list[i].size);
}

bool cells_equal_below(const struct cells *a, const struct cells *b, const struct sim_oid *root)
{
	size_t i = cells_at(a, root->id, root->length), k = cells_at(b, root->id, root->length);

	for (;; i++, k++) {
		bool more_a = i < a->count && below(root, &a->list[i].name), more_b = k < b->count && below(root, &b->list[k].name);
		if (!more_a || !more_b)
			return more_a == more_b;
		const struct cell *x = &a->list[i], *y = &b->list[k];
		if (snmp_oid_compare(x->name.id, x->name.length, y->name.id, y->name.length) || x->size != y->size || memcmp(x->bytes, y->bytes, x->size) != 0)
			return false;
	}
}

struct sim_oid sim_oid(const char *text)
{
	struct sim_oid o = {.length = 0};

	for (char *end; *text && o.length < SIM_OID; text = *end ? end + 1 : end) {
		o.id[o.length++] = strtoul(text, &end, 10);
		if (end == text)
			abort();
	}
	return o;
}

struct sim_oid sim_row(const struct sim_oid *entry, oid column, const oid *index, size_t length)
{
	struct sim_oid o = *entry;

	if (o.length + 1 + length > SIM_OID)
		abort();
	o.id[o.length++] = column;
	memcpy(o.id + o.length, index, length * sizeof(oid));
	o.length += length;
	return o;
}

bool sim_column(const struct sim_oid *name, const struct sim_oid *entry, oid *column, const oid **index, size_t *length)
{
	if (name->length < entry->length + 2 || memcmp(name->id, entry->id, entry->length * sizeof(oid)) != 0)
		return false;
	*column = name->id[entry->length];
	*index = name->id + entry->length + 1;
	*length = name->length - entry->length - 1;
	return true;
}

static const struct sim_set *set_of(const struct sim_set *sets, size_t count, const struct sim_oid *name)
{
	for (size_t i = 0; i < count; i++)
		if (!snmp_oid_compare(sets[i].name.id, sets[i].name.length, name->id, name->length))
			return &sets[i];
	return NULL;
}

bool sim_sets(const struct sim_set *sets, size_t count, const struct sim_oid *name)
{
	return set_of(sets, count, name) != NULL;
}

long sim_wanted(const struct sim_set *sets, size_t count, const struct sim_oid *name, long otherwise)
{
	const struct sim_set *s = set_of(sets, count, name);

	return s ? s->number : cells_number(&sim_cells, name, otherwise);
}
