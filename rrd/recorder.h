/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The recorder without its channel: a journal thread (what must survive is written and synced there) in front of the
 * writer thread. The caller's loop hands over batches of rows and is told when they are safe; no call here waits for a
 * disk but recorder_stop(). */
#ifndef GLORY_RRD_RECORDER_H
#define GLORY_RRD_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "board/messages.h"
#include "board/ring.h"
#include "rrd/writer.h"

struct recorder;

struct recorder_setup {
	const char *rrd, *journal; /* directories, made when missing */
	uint64_t reserve_bytes;    /* free space that is left alone by new files */
	size_t memory_bytes;       /* for rows that wait; beyond it a series loses its oldest row */
	/* Called from the threads when something is to be fetched by recorder_event(); must only wake the loop. */
	void (*wake)(void *arg);
	void *arg;
};

enum recorder_event_kind { RECORDER_NOTHING = 0, RECORDER_BATCH_SAFE, RECORDER_FLUSHED };
struct recorder_event {
	enum recorder_event_kind kind;
	uint64_t request; /* FLUSHED */
};

struct recorder_stats {
	struct writer_stats writer;
	uint64_t rows_waiting, rows_dropped, rows_old,
	    rows_unknown; /* unknown: of a series nobody described, or with another count */
	uint64_t journal_lost_bytes;
	uint32_t series;
	bool journal_failing;
	bool replaying;
};

/* NULL with the reason in the log. */
struct recorder *recorder_start(const struct recorder_setup *setup);
/* A series as the engine describes it. False: refused (names not terminated, counts out of range, step fits no
 * archive). */
bool recorder_series(struct recorder *recorder, const struct msg_series *message);
/* Rows in ring format, one behind the other; taken (free()d later). One batch at a time: the next after
 * RECORDER_BATCH_SAFE. */
void recorder_batch(struct recorder *recorder, uint8_t *rows, size_t bytes);
/* Brings a node's files up to date with all batches handed over before; then RECORDER_FLUSHED comes. */
void recorder_flush(struct recorder *recorder, uint64_t request, uint32_t slot);
/* The next event; kind RECORDER_NOTHING when there is none. */
struct recorder_event recorder_event(struct recorder *recorder);
void recorder_stats(struct recorder *recorder, struct recorder_stats *out);
/* Writes what it can until deadline_ms; the rest stays in the journal. */
void recorder_stop(struct recorder *recorder, int64_t deadline_ms);

#endif
