/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Items of the wanted state while the engine runs: which there are, which nodes have them, what the collector is told, what comes of its
 * samples, expressions. An item's number (0 to 63) is its bit in scopes and its id less VALUES_WANTED; it stays with the name
 * (store: /slot/item/NAME) while the item is there. items.c keeps the set, items_run.c works values out, items_check.c refuses. */
#ifndef GLORY_ENGINE_ITEMS_H
#define GLORY_ENGINE_ITEMS_H

#include "config/expression.h"
#include "engine/values.h"

struct own_item {
	struct config_item config; /* head.name "": free */
	uint16_t generation;       /* another meaning, another one: what is on its way is not mistaken */
	bool rows;                 /* of a table, or an expression over such */
	struct expression expression;
	struct msg_item_cost cost;
	uint32_t nodes; /* in its scope */
};

struct items {
	struct own_item own[ITEMS_MAX];
	uint8_t order[ITEMS_MAX]; /* expressions, each behind those it needs */
	unsigned order_count;
	struct former *former;    /* names that have had a number: for re-adding, and for graphs of those that are gone */
	size_t former_count;
	struct loop_timer *timer;
	int64_t second;
};

void items_start(struct engine *e);
/* At start, before the wanted state is applied: "/slot/item/NAME". */
void items_restore(struct engine *e, const char *name, const json_t *slot);
/* The wanted state or the nodes are others now: numbers, scopes, board and collector follow. */
void items_apply(struct engine *e);
void items_send(struct engine *e); /* the collector is new: everything */
/* An item that is no more, whose history may be; false: no such name. */
bool items_former(struct engine *e, const char *name, struct value_item *out);
/* What the board says of an item beside its name and unit; item: as in the wanted state. */
void items_fill_row(struct engine *e, const char *name, unsigned id, struct item_row *row);

/* items_run.c */
void items_sample(struct engine *e, const struct msg_samples *answer, const struct msg_sample *sample);
void items_instance(struct engine *e, const struct msg_instance *row);
void items_cost(struct engine *e, const struct msg_item_cost *costs, size_t count);
void items_rows_unsure(struct engine *e); /* the collector is new: its ids of rows are */
void items_second(struct engine *e);      /* expressions; rows that did not come back */

/* items_check.c: names, kinds of rows and circles of the items of a wanted state that is otherwise sound. changed: what this edit is about;
 * an item that was taken once is not refused because a check that brings an operand has not run yet. 0, or ERR_CONFIG with *err. */
int items_check(struct engine *e, const struct cluster *next, const struct config_diff *changed, struct error *err);
/* Expressions of a sound state in the order of their needs; their names. Returns how many. */
unsigned items_order(const struct cluster *wanted, const struct config_item *out[ITEMS_MAX]);
bool items_has_rows(struct engine *e, const struct cluster *wanted, const struct config_item *item);

#endif
