/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows in memory; see cache.h. */
#include "rrd/cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"

#define SERIES_MAX (1u << 20)
#define NO_ROW_ROOM 4 /* rows a series' array begins with */

struct cache *cache_new(size_t bytes_max)
{
	struct cache *c = mem_zalloc(sizeof *c);
	pthread_condattr_t attr;

	c->bytes_max = bytes_max;
	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->changed, &attr);
	pthread_condattr_destroy(&attr);
	return c;
}

static void block_free(struct row_block *b)
{
	free(b->rows);
	free(b->values);
	*b = (struct row_block){.count = 0};
}

void cache_free(struct cache *c)
{
	if (!c)
		return;
	HASH_CLEAR(by_path, c->paths);
	HASH_CLEAR(by_id, c->ids);
	for (uint32_t i = 0; i < c->count; i++) {
		block_free(&c->all[i]->waiting);
		file_forget(&c->all[i]->file);
		free(c->all[i]->path);
		free(c->all[i]->names);
		free(c->all[i]);
	}
	free(c->all);
	free(c->near);
	free(c->heap);
	free(c->heap_at);
	free(c->segments);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* --- heap by due time --- */
static void heap_set(struct cache *c, uint32_t at, struct heap_entry e)
{
	c->heap[at] = e;
	c->heap_at[e.number] = at + 1;
}

static void heap_up(struct cache *c, uint32_t at)
{
	struct heap_entry e = c->heap[at];

	for (; at > 0 && c->heap[(at - 1) / 2].due_ms > e.due_ms; at = (at - 1) / 2)
		heap_set(c, at, c->heap[(at - 1) / 2]);
	heap_set(c, at, e);
}

static void heap_down(struct cache *c, uint32_t at)
{
	struct heap_entry e = c->heap[at];

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child + 1 < c->heap_count && c->heap[child + 1].due_ms < c->heap[child].due_ms)
			child++;
		if (child >= c->heap_count || c->heap[child].due_ms >= e.due_ms)
			break;
		heap_set(c, at, c->heap[child]);
		at = child;
	}
	heap_set(c, at, e);
}

static void heap_remove(struct cache *c, struct series *s)
{
	uint32_t at = c->heap_at[s->number] - 1;

	if (c->heap_at[s->number] == 0)
		return;
	c->heap_at[s->number] = 0;
	if (at == --c->heap_count)
		return;
	heap_set(c, at, c->heap[c->heap_count]);
	heap_up(c, at);
	heap_down(c, at);
}

void cache_due(struct cache *c, struct series *s, int64_t due_ms)
{
	heap_remove(c, s);
	s->due_ms = due_ms;
	heap_set(c, c->heap_count++, (struct heap_entry){due_ms, s->number});
	heap_up(c, c->heap_at[s->number] - 1);
}

struct series *cache_first(const struct cache *c)
{
	return c->heap_count ? c->all[c->heap[0].number] : NULL;
}

/* --- series --- */
static bool same(const struct series *s, const struct series_definition *d)
{
	return s->step_s == d->step_s && s->count == d->count &&
	       memcmp(s->names, d->names, sizeof d->names[0] * d->count) == 0;
}

static struct series *add(struct cache *c, const struct series_definition *d)
{
	if (c->count == SERIES_MAX)
		return NULL;
	if (c->count == c->room) {
		c->room = c->room ? c->room * 2 : 1;
		c->all = mem_grow(c->all, c->room, sizeof *c->all);
		c->heap = mem_grow(c->heap, c->room, sizeof *c->heap);
		c->heap_at = mem_grow(c->heap_at, c->room, sizeof *c->heap_at);
		free(c->near);
		c->near = mem_zalloc(c->room * sizeof *c->near);
	}
	struct series *s = mem_zalloc(sizeof *s);
	s->number = c->count;
	c->heap_at[s->number] = 0;
	s->step_s = d->step_s;
	s->count = d->count;
	s->last_s = INT64_MIN;
	s->path = mem_strdup(d->path);
	s->names = mem_array(d->count, sizeof d->names[0]);
	memcpy(s->names, d->names, sizeof d->names[0] * d->count);
	c->all[c->count++] = s;
	HASH_ADD_KEYPTR(by_path, c->paths, s->path, strlen(s->path), s);
	return s;
}

struct series *cache_series(struct cache *c, const struct series_definition *d)
{
	struct series *s;

	assert(d->count > 0 && d->count <= SERIES_DS_MAX);
	HASH_FIND(by_path, c->paths, d->path, strlen(d->path), s);
	if (s && !same(s, d)) {
		HASH_DELETE(by_path, c->paths, s);
		if (c->heap_at[s->number])
			cache_due(c, s, 0);
		s = NULL;
	}
	if (!s)
		s = add(c, d);
	if (s)
		s->slot = d->slot;
	return s;
}

/* The engine counts its ids, so hardly two series share a place. */
struct series *cache_find(struct cache *c, uint32_t id)
{
	struct series *s = c->room ? c->near[id & (c->room - 1)] : NULL;

	if (s && s->bound && s->id == id)
		return s;
	HASH_FIND(by_id, c->ids, &id, sizeof id, s);
	if (s)
		c->near[id & (c->room - 1)] = s;
	return s;
}

void cache_bind(struct cache *c, struct series *s, uint32_t id)
{
	struct series *other = cache_find(c, id);

	if (other == s)
		return;
	if (other) {
		HASH_DELETE(by_id, c->ids, other);
		other->bound = false;
	}
	if (s->bound)
		HASH_DELETE(by_id, c->ids, s);
	s->id = id;
	s->bound = true;
	HASH_ADD(by_id, c->ids, id, sizeof s->id, s);
}

/* --- rows --- */
static size_t row_bytes(const struct series *s)
{
	return sizeof(struct cached_row) + s->count * sizeof(double);
}

static struct segment_count *segment_of(struct cache *c, uint32_t segment)
{
	for (uint32_t i = c->segment_count; i > 0; i--) { /* the newest is asked for most */
		if (c->segments[i - 1].segment == segment)
			return &c->segments[i - 1];
	}
	c->segments = mem_grow(c->segments, c->segment_count + 1, sizeof *c->segments);
	c->segments[c->segment_count] = (struct segment_count){.segment = segment};
	return &c->segments[c->segment_count++];
}

static void count_in(struct cache *c, const struct series *s, const struct cached_row *row)
{
	segment_of(c, row->segment)->waiting++;
	c->rows_waiting++;
	c->bytes += row_bytes(s);
}

static void count_out(struct cache *c, const struct series *s, const struct cached_row *row)
{
	segment_of(c, row->segment)->waiting--;
	c->rows_waiting--;
	c->bytes -= row_bytes(s);
}

static void block_room(struct row_block *b, uint32_t values, uint32_t rows)
{
	uint32_t room = b->room ? b->room : NO_ROW_ROOM;

	while (room < rows)
		room += room / 2;
	if (room == b->room)
		return;
	b->rows = mem_grow(b->rows, room, sizeof *b->rows);
	b->values = mem_grow(b->values, (size_t)room * values, sizeof *b->values);
	b->room = room;
}

static void drop_rows(struct row_block *b, uint32_t values, uint32_t rows)
{
	b->count -= rows;
	memmove(b->rows, b->rows + rows, b->count * sizeof *b->rows);
	memmove(b->values, b->values + (size_t)rows * values, (size_t)b->count * values * sizeof *b->values);
}

bool cache_put(struct cache *c, struct series *s, int64_t time_s, uint32_t segment, const double *values,
	       int64_t first_due_ms)
{
	struct row_block *b = &s->waiting;
	struct cached_row row = {.time_s = time_s, .segment = segment};

	if (time_s <= s->last_s) {
		c->rows_old++;
		return false;
	}
	s->last_s = time_s;
	if (c->bytes + row_bytes(s) > c->bytes_max) {
		c->rows_dropped++;
		if (b->count == 0)
			return true;
		count_out(c, s, &b->rows[0]);
		drop_rows(b, s->count, 1);
	}
	block_room(b, s->count, b->count + 1);
	b->rows[b->count] = row;
	memcpy(b->values + (size_t)b->count * s->count, values, s->count * sizeof *values);
	b->count++;
	count_in(c, s, &row);
	if (cache_is_idle(c, s))
		cache_due(c, s, first_due_ms);
	return true;
}

struct row_block cache_take(struct cache *c, struct series *s)
{
	struct row_block taken = s->waiting;

	s->waiting = (struct row_block){.count = 0};
	heap_remove(c, s);
	s->busy = true;
	return taken;
}

void cache_done(struct cache *c, struct series *s, struct row_block *b, uint32_t written, int64_t due_ms)
{
	struct row_block *later = &s->waiting;

	for (uint32_t i = 0; i < written; i++)
		count_out(c, s, &b->rows[i]);
	drop_rows(b, s->count, written);
	if (b->count == 0) { /* not kept for the next round: most series are far from their fullest at any time */
		block_free(b);
	} else {
		block_room(b, s->count, b->count + later->count);
		if (later->count) {
			memcpy(b->rows + b->count, later->rows, later->count * sizeof *b->rows);
			memcpy(b->values + (size_t)b->count * s->count, later->values,
			       (size_t)later->count * s->count * sizeof *b->values);
		}
		b->count += later->count;
		block_free(later);
		*later = *b;
	}
	s->busy = false;
	if (later->count)
		cache_due(c, s, due_ms);
}

uint64_t cache_segment_waiting(const struct cache *c, uint32_t segment)
{
	for (uint32_t i = 0; i < c->segment_count; i++) {
		if (c->segments[i].segment == segment)
			return c->segments[i].waiting;
	}
	return 0;
}

void cache_segment_forget(struct cache *c, uint32_t segment)
{
	for (uint32_t i = 0; i < c->segment_count; i++) {
		if (c->segments[i].segment == segment) {
			c->segments[i] = c->segments[--c->segment_count];
			return;
		}
	}
}
