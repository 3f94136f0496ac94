/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows that wait for their file: per series a growing array in memory, a heap of who is due when, and how many rows of
 * each journal segment still wait. Shared by the recorder's threads: every function but cache_new/free wants the lock
 * held. */
#ifndef GLORY_RRD_CACHE_H
#define GLORY_RRD_CACHE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "board/messages.h"
#include "rrd/file.h"
#include "rrd/names.h"

/* What a series is; also what the journal keeps of it. */
struct series_definition {
	uint32_t slot; /* node or NO_SLOT */
	uint16_t step_s, count;
	char path[NAMES_PATH_SIZE];
	char names[SERIES_DS_MAX][NAMES_SOURCE_SIZE];
};

struct row_block { /* rows of one series, oldest first */
	struct cached_row *rows;
	double *values; /* count of the series per row */
	uint32_t count, room;
};
struct cached_row {
	int64_t time_s;
	uint32_t segment; /* of the journal */
	uint32_t pad;
};

struct series {
	UT_hash_handle by_path, by_id;
	char *path;
	char (*names)[NAMES_SOURCE_SIZE];
	uint32_t id, number; /* number: place in cache->all, names it in the journal */
	uint32_t slot;
	uint16_t step_s, count;
	uint32_t defined_in; /* journal segment that has its definition, 0 none */
	int64_t last_s;      /* newest row seen */
	int64_t due_ms;
	bool bound;       /* id is valid */
	bool busy;        /* the writer has its rows in hand */
	struct row_block waiting;
	struct file_state file; /* the writer's */
	int64_t retry_gap_ms;
};

struct segment_count {
	uint32_t segment;
	uint64_t waiting;
};

struct heap_entry { /* what the heap needs of a series, so that it is moved without looking there */
	int64_t due_ms;
	uint32_t number;
};

struct cache {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* CLOCK_MONOTONIC; writer and replay wait on it */
	struct series *paths, *ids;
	struct series **all, **near; /* near: by the low bits of the id, who was found there last; as long as all */
	uint32_t count, room;	     /* room: of these, the heap and heap_at, a power of two */
	struct heap_entry *heap;
	uint32_t *heap_at; /* by number: place in the heap + 1, 0: not in it */
	uint32_t heap_count;
	size_t bytes, bytes_max; /* of rows waiting; at bytes_max a series gives up its oldest row for a new one */
	uint64_t rows_waiting, rows_dropped, rows_old;
	struct segment_count *segments;
	uint32_t segment_count;
};

struct cache *cache_new(size_t bytes_max);
void cache_free(struct cache *cache);
/* The series of a definition (path sound, names unique): the one there is, or a new one. One whose step or names differ
 * is replaced; what waits for it is made due. NULL when there are more than a million. */
struct series *cache_series(struct cache *cache, const struct series_definition *definition);
/* Says by which id rows name it from now on. */
void cache_bind(struct cache *cache, struct series *series, uint32_t id);
struct series *cache_find(struct cache *cache, uint32_t id);
/* A row that comes now decides when the series is due. */
static inline bool cache_is_idle(const struct cache *cache, const struct series *series)
{
	return !cache->heap_at[series->number] && !series->busy;
}
/* Adds a row. False: not later than the row before it (counted as old). first_due_ms: when an idle series is due. */
bool cache_put(struct cache *cache, struct series *series, int64_t time_s, uint32_t segment, const double *values,
	       int64_t first_due_ms);
/* The series that is due first; NULL when nothing waits. */
struct series *cache_first(const struct cache *cache);
void cache_due(struct cache *cache, struct series *series, int64_t due_ms);
/* Takes all rows of a series out (it leaves the heap); they count as waiting until cache_done(). */
struct row_block cache_take(struct cache *cache, struct series *series);
/* The first `written` rows are in the file or given up; the rest waits again, in front of what came meanwhile, due at
 * due_ms. */
void cache_done(struct cache *cache, struct series *series, struct row_block *block, uint32_t written, int64_t due_ms);
uint64_t cache_segment_waiting(const struct cache *cache, uint32_t segment);
void cache_segment_forget(struct cache *cache, uint32_t segment);

#endif
