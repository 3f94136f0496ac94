/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Process watches and top lists of the SNMP engine. A watch's processes are searched once in the agent's process table, a bounded
 * number of agents at a time, and then read by their indexes in the normal polls (process.c). They are searched again when an
 * index is gone or is another program's, when there are too few or too many, and every so often. A top list is one node's
 * busiest processes now (top.c). The engine's owner uses the functions named engine_*, the engine's own files the others. */
#ifndef GLORY_COLLECTOR_PROCESS_H
#define GLORY_COLLECTOR_PROCESS_H

#include "board/messages.h"
#include "mibs/collector/engine.h"
#include "mibs/collector/process_rows.h"

struct agent;

enum { OBJECT_PROCESS = 0xff00 /* object numbers from here on are columns of processes, their instances are process ids */ };

struct process_ops {
	/* What is known of one watch on one agent: after each search, and after each poll that read its processes.
	 * slot is filled, generation is the owner's to fill. */
	void (*state)(void *arg, const struct msg_watch_state *state);
	void (*top)(void *arg, const struct msg_top *top, const struct msg_top_row *rows);
};

void engine_process_owner(struct engine *engine, const struct process_ops *ops, void *arg);
/* All watches, by their numbers below WATCHES_MAX; replaces the list. What is found of an unchanged one stays. */
void engine_watches(struct engine *engine, const struct msg_watch *watches, size_t count, int64_t now);
/* The watches of one agent, a bit each. */
void engine_watch_scope(struct engine *engine, uint32_t slot, uint64_t watches, int64_t now);
/* Begins a top list; told by top(), also when it fails. */
void engine_top(struct engine *engine, const struct msg_top_ask *ask, int64_t now);

/* --- for engine.c, exchange.c, answer.c, plan.c --- */
struct processes_engine *processes_new(void);
void processes_free(struct processes_engine *all);
void processes_forget(struct engine *e, struct agent *a);
/* Once a second for an agent that answers. */
void processes_look(struct engine *e, struct agent *a, int64_t now);
/* In every turn: top lists. */
void tops_turn(struct engine *e, int64_t now);
/* The i-th cell to be polled from this agent; false: there are no more. *every_ms: how often. */
bool processes_wish(const struct agent *a, unsigned i, struct query_want *want);
enum { PROCESS_EVERY_MS = 10000 };
void processes_values(struct engine *e, struct agent *a, const struct query *q, const struct query_value *v, int64_t now);
/* The process of this id is not there any more. */
void processes_missing(struct engine *e, struct agent *a, uint16_t id, int64_t now);
/* EXCHANGE_PROCESS: part 0 is a search, the others are top lists */
bool processes_pdu(struct engine *e, struct agent *a, unsigned part, uint16_t generation, uint8_t *out, size_t room, size_t *size,
		   size_t *id_at);
void processes_answer(struct engine *e, struct agent *a, unsigned part, uint16_t generation, const struct response *r, int64_t now);
void processes_failed(struct engine *e, struct agent *a, unsigned part, uint16_t generation, int64_t now);

/* --- top.c, for process.c --- */
struct tops *tops_new(void);
void tops_free(struct tops *tops);
bool tops_pdu(struct tops *tops, const struct agent *a, unsigned part, uint16_t generation, uint8_t *out, size_t room, size_t *size,
	      size_t *id_at);
void tops_answer(struct engine *e, struct agent *a, unsigned part, uint16_t generation, const struct response *r, int64_t now);
void tops_failed(struct engine *e, const struct agent *a, unsigned part, uint16_t generation, int64_t now);
void tops_forget(struct engine *e, const struct agent *a);

struct processes_engine {
	struct process_ops ops;
	void *arg;
	struct msg_watch watches[WATCHES_MAX];
	uint64_t defined; /* bits of the watches there are */
	unsigned searches; /* under way */
	int64_t counted_at; /* searches begun are counted from then */
	unsigned begun;
	struct tops *tops;
};

#endif
