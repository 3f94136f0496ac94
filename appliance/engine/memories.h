/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What thresholds remember of single values (rows of kind rate, no-data, forecast, deviation), by node, item and instance: only values
 * with such a row have any. Kept over a restart in DATA/store/levels.memory: written whole by a thread every 15 minutes and at an
 * orderly end, read at start; a file that cannot be is left aside with a word in the log and everything begins anew. Bytes: 160 a
 * value, 224 more for each window of rate or forecast, 1,560 for deviation; 10,000 nodes with 4 disks: 15 MiB. Engine only. */
#ifndef GLORY_ENGINE_MEMORIES_H
#define GLORY_ENGINE_MEMORIES_H

#include "engine/engine.h"

/* The memory of a value; NULL: no row needs one. A value that is there (not NAN) ends its silence. */
struct level_memory *memories_of(struct engine *e, uint32_t slot, const char *item, const char *instance, const struct level_rules *rules,
				 bool value);
/* How long there has been no value although the node's agent answers; 0 while it does not, or while judgement is suspended. */
int64_t memories_quiet_ms(struct engine *e, uint32_t slot, const char *item, const char *instance, const struct level_rules *rules);
/* True at most once in 10 minutes for a value: its alarm's text may be said anew ("full in 2 d 4 h"). */
bool memories_say_again(struct engine *e, uint32_t slot, const char *item, const char *instance);
void memories_load(struct engine *e);
void memories_tick(struct engine *e); /* once a second */
void memories_stop(struct engine *e); /* the last writing; returns when it is done */

#endif
