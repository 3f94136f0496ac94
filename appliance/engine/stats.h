/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Statistics of nodes: what runs in the engine's loop. The hour that runs is kept in memory (struct node_stats, by node), every minute (every
 * five above 2,000 nodes) also on disk, so that a kill loses at most that; the time between is then watched by nobody and counts for nothing.
 * When the wall clock's hour is over all nodes' summaries move into a batch, a slice at a time, and the file's thread does the rest. */
#ifndef GLORY_ENGINE_STATS_H
#define GLORY_ENGINE_STATS_H

#include "engine/engine.h"
#include "engine/history.h"

#define STATS_SAMPLED 6 /* items that polls bring: the first of enum summary_item */
#define STATS_WAITING 8
struct node_stats {
	struct summary hour;
	float waiting[STATS_WAITING][STATS_SAMPLED]; /* polls that stand in no sketch yet: taken in together, which costs the memory's time once */
	uint8_t waiting_count;
	struct summary_clock clock;
	struct summary_meter meter;
	int64_t hour_s;
};

struct stats {
	struct summaries *file; /* NULL: could not be started */
	struct loop_timer *timer;
	int64_t hour_s;          /* that runs */
	int64_t next_keep_ms;    /* when the running hour is kept next */
	struct history_batch *closing, *keeping; /* being filled; NULL: not at it */
	uint32_t cursor;         /* slot the one at work has come to */
	struct history_batch *refused[3]; /* hours that the disk did not take; tried again each minute */
	bool read;               /* what the life before left is known */
};

/* report.c: MSG_REPORT of the API; answered by a text in a memfd, or an error */
void report_take(struct engine *e, const struct msg_report *report);
/* A copy of a node's running hour up to now, packed; 0: there is none. */
size_t stats_pack_running(struct engine *e, uint32_t slot, uint8_t *out);

#endif
