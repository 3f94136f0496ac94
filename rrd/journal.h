/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sample journal: rows are appended here before the engine's ring forgets them, and read again when a recorder
 * starts, so that a death of the recorder or a loss of power costs at most the last second. A directory of segments,
 * each complete in itself: a head, then records of one kind or the other: what a series is, and one row of it. Every
 * record carries a check of its bytes. Used by the recorder's journal thread alone. The check guards against torn
 * writes and bad disks, not against a forger. */
#ifndef GLORY_RRD_JOURNAL_H
#define GLORY_RRD_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board/ring.h"
#include "rrd/cache.h"

#define JOURNAL_SEGMENT_BYTES (64u << 20)
#define JOURNAL_SEGMENT_MS \
	600000 /* a segment with rows is followed by a new one after this time, so that small sites let go as well */

struct journal;

/* Opens (makes) the directory and lists its segments. NULL with the reason in the log. */
struct journal *journal_open(const char *directory);
void journal_close(struct journal *journal);

struct journal_reader {
	/* A series as the segment defines it; checked: path sound, counts in range, texts terminated. */
	void (*on_series)(void *arg, uint32_t number, const struct series_definition *definition);
	/* A row; row->series is a number that on_series was called with in this segment, row->count that series' count.
	 */
	void (*on_row)(void *arg, uint32_t segment, const struct ring_row *row);
	void *arg;
};
/* Reads the records of one segment's bytes. Returns how many bytes are good: == size, or where the first bad record
 * begins. */
size_t journal_read(const uint8_t *bytes, size_t size, uint32_t segment, const struct journal_reader *reader);
/* Reads the next segment that was there at journal_open(), oldest first. What cannot be read is cut off, kept in
 * FILE.bad, and said in the log. False: there is none left. */
bool journal_replay(struct journal *journal, const struct journal_reader *reader);

/* The segment that is written now; a new one has no definitions yet. Never 0. */
uint32_t journal_segment(const struct journal *journal);
/* Begins the next segment when the present one is big or old enough. Called between batches. */
void journal_turn(struct journal *journal, int64_t now_ms);
void journal_add_series(struct journal *journal, uint32_t number, const struct series_definition *definition);
void journal_add_row(struct journal *journal, uint32_t number, const struct ring_row *row);
/* Writes what was added. 0, or ERR_NO_RESOURCE / ERR_REMOTE (disk full, disk bad): nothing of it is lost until 16 MiB
 * wait, it is written with the next commit that works. */
int journal_commit(struct journal *journal);
/* fdatasync when something was written since the last. 0 or ERR_REMOTE. */
int journal_sync(struct journal *journal);
uint64_t journal_lost(const struct journal *journal); /* bytes of rows given up because the disk took none */
/* Calls waiting(arg, segment) for every closed segment; one that had 0 rows waiting for a minute (by then the kernel
 * has written the RRD files' pages) is unlinked and told by forget(arg, segment). */
void journal_reap(struct journal *journal, int64_t now_ms, uint64_t (*waiting)(void *arg, uint32_t segment),
		  void (*forget)(void *arg, uint32_t segment), void *arg);
unsigned journal_segments(const struct journal *journal);

#endif
