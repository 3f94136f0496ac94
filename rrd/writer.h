/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one thread that touches RRD files. It takes the series that is due first out of the cache and hands all its rows to
 * one call; a series is due once a round, a node that somebody looks at is written at once. Files are made on the first
 * row, at most 100 a second. */
#ifndef GLORY_RRD_WRITER_H
#define GLORY_RRD_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "rrd/cache.h"

enum disk_state {
	DISK_WELL = 0,
	DISK_FULL = 1,    /* no new files; rows stay in journal and memory while there is room */
	DISK_FAILING = 2, /* a file cannot be written for another reason */
};

struct writer_stats {
	uint64_t rows_written, files_made, calls, failures;
	uint64_t free_bytes;
	uint32_t files_waiting; /* series without a file because the disk is full */
	enum disk_state disk;
	char trouble[128]; /* "" while all is well: what failed last */
};

struct writer_setup {
	const char *directory; /* of the RRD tree; exists */
	struct cache *cache;
	uint64_t reserve_bytes; /* new files are made only while more than this stays free */
	size_t calm_bytes;      /* above this much in memory the writer no longer waits for rounds */
	void (*on_flushed)(void *arg, uint64_t request); /* called in the writer's thread */
	void *arg;
};

struct writer;
/* NULL when the thread cannot be made (logged). */
struct writer *writer_start(const struct writer_setup *setup);
/* Writes everything of a node, then calls on_flushed. For any thread. */
void writer_flush(struct writer *writer, uint64_t request, uint32_t slot);
/* Writes all that waits until deadline_ms (monotonic), ends the thread, frees. True when nothing was left. */
bool writer_stop(struct writer *writer, int64_t deadline_ms);
void writer_stats(struct writer *writer, struct writer_stats *out);
/* When a series whose first waiting row came at now_ms should be written: at its own place in the round; its first
 * round begins with the base files, so that every machine has some history early. For cache_put(). */
int64_t writer_first_due_ms(const struct cache *cache, const struct series *series, int64_t now_ms);

/* The length of a round for a number of files: 5 minutes for 6,000 to 60,000, from 1 minute for fewer, up to 10 minutes
 * for more. */
int64_t writer_round_ms(uint32_t files);

#endif
