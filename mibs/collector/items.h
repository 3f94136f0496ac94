/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Items of the wanted state in the SNMP engine: read beside the polls of the objects that every node has, each with an interval of its
 * own, in requests of their own, so that an item an agent stumbles over takes nothing else along. Agents without items cost nothing
 * here. A change takes effect within a second; what is on its way is waited for, rows that are known stay. Times are monotonic ms. */
#ifndef GLORY_COLLECTOR_ITEMS_H
#define GLORY_COLLECTOR_ITEMS_H

#include "board/messages.h"
#include "mibs/collector/engine.h"

struct agent;
struct exchange;
struct row;
struct table;

/* All items; replaces the list. Ones that are not sound (lengths, numbers, texts) are left out: false. */
bool engine_items(struct engine *engine, const struct msg_item *items, size_t count, int64_t now);
/* The items of one agent, a bit per number. Kept while the agent is. */
void engine_item_scope(struct engine *engine, uint32_t slot, uint64_t items, int64_t now);
/* Fills one entry per item in use; returns how many (at most ITEMS_MAX). Walks over all requests and agents: not for every second. */
size_t engine_item_costs(const struct engine *engine, struct msg_item_cost *out);

/* --- for engine.c, exchange.c, answer.c, walk.c --- */
struct items_engine *items_new(uint32_t slots);
void items_free(struct items_engine *all);
void items_forget(struct engine *e, struct agent *a);
/* Sends what is due; when something will be. */
void items_turn(struct engine *e, int64_t now);
int64_t items_next(const struct engine *e);
/* Once a second for an agent that answers: rows are looked for, names that were left out are tried again. */
void items_look(struct engine *e, struct agent *a, int64_t now);
/* EXCHANGE_ITEM: part is one of these */
const struct query *items_query(const struct agent *a, unsigned part);
uint16_t items_serial(const struct agent *a);
void items_sent(struct agent *a, unsigned part, size_t bytes, int64_t now);
void items_answered(struct agent *a);
void items_values(struct engine *e, struct agent *a, unsigned part, const struct query_value *values, int64_t now);
/* A lost one is not worth a repeat when the next poll is as near. */
bool items_spare(const struct agent *a, unsigned part);
void items_error(struct engine *e, struct agent *a, unsigned part, int64_t status, int64_t index, int64_t now);
/* Tables of names that are walked for this agent's items, counted from 0. */
unsigned items_tables(const struct agent *a);
struct table *items_table(struct engine *e, const struct agent *a, unsigned at, const uint32_t **oid, uint8_t *length);
bool items_want_row(const struct engine *e, const struct agent *a, unsigned at, const char *name); /* any of them */
void items_row(struct engine *e, struct agent *a, unsigned at, const struct row *row, bool gone);
void items_walked(struct engine *e, struct agent *a, unsigned at, unsigned requests, uint64_t bytes);

#endif
