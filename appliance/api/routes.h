/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stands behind the paths: one function per kind of answer. The table of paths is in routes.c. */
#ifndef GLORY_API_ROUTES_H
#define GLORY_API_ROUTES_H

#include "api/server.h"

/* list.c: a table of the board as a JSON array, filtered; and walks over it for others */
void list_run(struct request *r, const struct route *route);
struct list_walk {
	struct cursor cursor;
	bool *chosen;  /* by node slot; NULL: all. Owned. */
	uint64_t left; /* rows still wanted */
	uint64_t end;  /* only rows whose order is below it; 0: all */
	uint64_t board_life;
};
/* A list from a walk that was begun (it is taken). */
void list_answer(struct request *r, enum board_table table, const struct list_walk *walk);
/* 0, or it has answered with the error. */
int list_begin(struct request *r, enum board_table table, struct list_walk *walk);
/* As cursor_next, and ERR_NOT_NOW when the board is another one: what was sent is of the past. */
int list_next(struct request *r, enum board_table table, struct list_walk *walk, union any_row *row);
void list_end(struct list_walk *walk);

/* detail.c: one thing with all that belongs to it */
void site_run(struct request *r, const struct route *route);
void node_run(struct request *r, const struct route *route);
void job_run(struct request *r, const struct route *route);

/* ask.c: what only the engine knows or does */
void events_run(struct request *r, const struct route *route);
void inventory_run(struct request *r, const struct route *route);
void sel_run(struct request *r, const struct route *route);
void software_run(struct request *r, const struct route *route);
void traps_run(struct request *r, const struct route *route); /* traps.c */
void trap_senders_run(struct request *r, const struct route *route);
void silences_run(struct request *r, const struct route *route);
void audit_run(struct request *r, const struct route *route);
void command_run(struct request *r, const struct route *route);
void checks_run(struct request *r, const struct route *route);
void top_run(struct request *r, const struct route *route);
void apply_run(struct request *r, const struct route *route);
void export_run(struct request *r, const struct route *route);
void series_run(struct request *r, const struct route *route);
/* services.c: a service with its members, a balancer as it was read back, objects of the wanted state */
void service_run(struct request *r, const struct route *route);
void members_run(struct request *r, const struct route *route);
void service_explain_run(struct request *r, const struct route *route);
void balancer_run(struct request *r, const struct route *route);
void wanted_run(struct request *r, const struct route *route);
/* graph.c */
void graph_run(struct request *r, const struct route *route);
/* report.c */
void stats_run(struct request *r, const struct route *route);
void idle_run(struct request *r, const struct route *route);

/* metrics.c, page.c, stream.c */
void metrics_run(struct request *r, const struct route *route);
void page_run(struct request *r, const struct route *route);
void stream_run(struct request *r, const struct route *route);
/* While streams are open the board is looked at for changed rows every STREAM_TICK_MS. stream_end: before the server is freed. */
void stream_end(void);
#define STREAM_TICK_MS 50

#endif
