/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hours and days of nodes, groups and the site as they lie in the file of summaries. Runs in that file's thread (store/summaries.h); knows
 * neither the loop nor the engine's state. Called by engine/stats.c, and by the tests with made-up hours. */
#ifndef GLORY_ENGINE_HISTORY_H
#define GLORY_ENGINE_HISTORY_H

#include "board/messages.h"
#include "monitor/summary.h"
#include "store/summaries.h"

#define HISTORY_HOUR_S 3600
#define HISTORY_DAY_S 86400
#define HISTORY_HOURS_KEPT_S (8 * HISTORY_DAY_S)
#define HISTORY_DAYS_KEPT_S (731 * HISTORY_DAY_S)
#define HISTORY_SITE "site" /* name of the site's own rows */

struct history_entry {
	char name[NAME_SIZE], group[NAME_SIZE];
	struct summary summary;
};
struct history_batch { /* nodes of one hour; begin with {0} */
	int64_t hour_s;
	struct history_entry *entries;
	size_t count, room;
	int status; /* of the last history_write_*(): 0 or a negative error */
};
/* A new empty entry at the end. */
struct history_entry *history_add(struct history_batch *batch, const char *name, const char *group);
void history_free(struct history_batch *batch);

/* One transaction each: the hour is over (rows of nodes, groups, site, added to what stands there already; what was kept of the running hour
 * goes); or it is still running and is kept in case we die. */
void history_write_hour(struct summaries_db *db, struct history_batch *batch);
void history_write_running(struct summaries_db *db, struct history_batch *batch);
/* Makes the days that are over and were not made yet, then lets go what is older than is kept. */
int history_make_days(struct summaries_db *db, int64_t now_s);
/* What a life before kept of its running hour, whenever that was. */
typedef bool history_visit(void *arg, const char *name, int64_t hour_s, const struct summary *summary);
int history_read_running(struct summaries_db *db, history_visit *visit, void *arg);

#endif
