/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Incremental sorted index; see board_index.h. */
#include "board/board_index.h"

#include <stdlib.h>

#include "base/memory.h"

struct keyed {
	uint64_t order;
	uint32_t slot;
};

static bool bit(const uint64_t *bits, uint32_t n)
{
	return bits[n / 64] >> (n % 64) & 1;
}

static void bit_set(uint64_t *bits, uint32_t n, bool on)
{
	uint64_t mask = UINT64_C(1) << (n % 64);

	bits[n / 64] = on ? bits[n / 64] | mask : bits[n / 64] & ~mask;
}

void board_index_init(struct board_index *x, uint32_t rows, _Atomic uint32_t *first, _Atomic uint32_t *second)
{
	*x = (struct board_index){.rows = rows, .buffer = {first, second}};
	x->orders = mem_array(rows, sizeof *x->orders);
	x->live = mem_array(rows / 64 + 1, sizeof *x->live);
	x->dirty = mem_array(rows / 64 + 1, sizeof *x->dirty);
	x->dirty_slots = mem_array(rows, sizeof *x->dirty_slots);
	x->kept = mem_array(rows, sizeof *x->kept);
}

void board_index_clear(struct board_index *x)
{
	free(x->orders);
	free(x->live);
	free(x->dirty);
	free(x->dirty_slots);
	free(x->kept);
}

void board_index_note(struct board_index *x, uint32_t slot, bool live, uint64_t order)
{
	bool was = bit(x->live, slot);

	if (was == live && (!live || x->orders[slot] == order))
		return;
	x->orders[slot] = order;
	bit_set(x->live, slot, live);
	if (!live && slot < x->free_hint)
		x->free_hint = slot;
	if (!bit(x->dirty, slot)) {
		bit_set(x->dirty, slot, true);
		x->dirty_slots[x->dirty_count++] = slot;
	}
}

uint32_t board_index_free_slot(struct board_index *x)
{
	for (uint32_t w = x->free_hint / 64; w * 64 < x->rows; w++) {
		uint64_t open = ~x->live[w];

		if (!open)
			continue;
		uint32_t slot = w * 64 + (uint32_t)__builtin_ctzll(open);
		if (slot >= x->rows)
			break;
		x->free_hint = slot;
		return slot;
	}
	x->free_hint = x->rows;
	return NO_SLOT;
}

static int compare(const void *a, const void *b)
{
	const struct keyed *l = a, *r = b;

	if (l->order != r->order)
		return l->order < r->order ? -1 : 1;
	return l->slot < r->slot ? -1 : l->slot > r->slot;
}

/* Dirty rows that are live, sorted, malloc'd. */
static struct keyed *arrivals(const struct board_index *x, uint32_t *count)
{
	struct keyed *k = mem_array(x->dirty_count, sizeof *k);

	*count = 0;
	for (uint32_t i = 0; i < x->dirty_count; i++) {
		uint32_t slot = x->dirty_slots[i];
		if (bit(x->live, slot))
			k[(*count)++] = (struct keyed){x->orders[slot], slot};
	}
	qsort(k, *count, sizeof *k, compare);
	return k;
}

static uint32_t keep_clean(struct board_index *x, const _Atomic uint32_t *old, uint32_t count)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t slot = atomic_load_explicit(&old[i], memory_order_relaxed);
		x->kept[n] = slot;
		n += !bit(x->dirty, slot);
	}
	return n;
}

/* First position in kept[from, count) that stands behind the key. */
static uint32_t place_of(const struct board_index *x, const struct keyed *key, uint32_t from, uint32_t count)
{
	while (from < count) {
		uint32_t middle = from + (count - from) / 2;
		struct keyed at = {x->orders[x->kept[middle]], x->kept[middle]};

		if (compare(&at, key) < 0)
			from = middle + 1;
		else
			count = middle;
	}
	return from;
}

static uint32_t copy_run(const struct board_index *x, _Atomic uint32_t *out, uint32_t at, uint32_t from, uint32_t to)
{
	for (; from < to; from++)
		atomic_store_explicit(&out[at++], x->kept[from], memory_order_relaxed);
	return at;
}

bool board_index_flip(struct board_index *x, struct board_table_header *header)
{
	if (x->dirty_count == 0)
		return false;
	uint32_t active = atomic_load_explicit(&header->active, memory_order_relaxed) & 1, fresh_count, at = 0,
		 from = 0;
	uint32_t kept =
	    keep_clean(x, x->buffer[active], atomic_load_explicit(&header->count[active], memory_order_relaxed));
	struct keyed *fresh = arrivals(x, &fresh_count);
	_Atomic uint32_t *out = x->buffer[!active];

	for (uint32_t i = 0; i < fresh_count; i++) {
		uint32_t to = place_of(x, &fresh[i], from, kept);
		at = copy_run(x, out, at, from, to);
		atomic_store_explicit(&out[at++], fresh[i].slot, memory_order_relaxed);
		from = to;
	}
	at = copy_run(x, out, at, from, kept);
	free(fresh);
	for (uint32_t i = 0; i < x->dirty_count; i++)
		bit_set(x->dirty, x->dirty_slots[i], false);
	x->dirty_count = 0;
	atomic_store_explicit(&header->count[!active], at, memory_order_relaxed);
	atomic_store_explicit(&header->active, !active, memory_order_release);
	return true;
}
