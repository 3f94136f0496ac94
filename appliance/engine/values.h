/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values of items that are not built in: items of the wanted state (items.c), results of checks, process watches. Whoever measures
 * something makes an item once by values_item(), then gives values by values_put(); everything else follows from that: level and alarm
 * by the item's thresholds (an <item name="..."> of the wanted state with thresholds applies by its name), board and so API, MIB and
 * metrics, history (SOURCE/CLASS-NAME[-INSTANCE].rrd) and graphs, the node's level. Engine only; nothing here blocks. */
#ifndef GLORY_ENGINE_VALUES_H
#define GLORY_ENGINE_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/engine.h"

/* Ids of items are their slots on the board. Built-in ones are below 128 (enum item_id); 128 to 191 belong to the wanted state and
 * stay with their names (store: /slot/item/NAME); those of values_item() follow and live as long as the engine. */
enum { VALUES_WANTED = ITEM_SLOT_WANTED, VALUES_WANTED_END = VALUES_WANTED + ITEMS_MAX, VALUES_MADE = VALUES_WANTED_END, VALUES_END = 512 };
#define VALUES_PER_NODE 1024

struct value_item {
	struct item_definition definition; /* .item 0: free; its texts are those below */
	char name[20], unit[12], describes[64];
	char source[8];      /* directory of its history: "snmp", "check" */
	char file_class[8];  /* begins its file's name: "item", "watch" */
	uint32_t interval_s; /* how often a value comes; one older than 2.5 of these (30 s at least) is unknown */
};

/* One value of a node: of an item, and of a row where the item has rows. */
struct value_cell {
	uint16_t item, instance; /* instance: of the MIB, stable while the cell lives; 0 where the item has no rows */
	char name[48];           /* of the row, "" where there are none */
	double value;            /* NAN: unknown */
	int64_t at_mono_ms;      /* when it came; 0 never */
	struct level_state levels;
	uint32_t board_slot, series;
	int64_t step;            /* of the history, seconds: values since then are being averaged; 0 none */
	double sum;
	uint32_t count;
	struct recent recent;    /* the newest values, not averaged */
	/* raw samples where they are read by SNMP (items.c) */
	uint32_t uptime_cs;
	uint16_t raw_instance;   /* the collector's id of the row */
	struct raw_pair raw;
};

/* Makes an item known, or changes what is said of it (by name). name: an item name ([a-z][a-z0-9_]{0,18}) that is neither built in
 * nor one of the wanted state. Returns its id, or 0 with *err (ERR_CONFIG, ERR_EXISTS, ERR_NO_RESOURCE). */
unsigned values_item(struct engine *e, const struct value_item *item, struct error *err);
/* The item and all its values go, their alarms are cleared; its history stays. */
void values_item_remove(struct engine *e, unsigned item);
/* By id; NULL: none. By name: built-in ones too. */
const struct value_item *values_item_at(struct engine *e, unsigned item);
const struct item_definition *values_find(struct engine *e, const char *name);

/* A value has come; NAN: it is unknown now. instance "": the item has no rows. slot: a node that is there. */
void values_put(struct engine *e, uint32_t slot, unsigned item, const char *instance, double value);
/* A row is gone (instance NULL: everything of this item on this node): no value, no level, no alarm any more. */
void values_gone(struct engine *e, uint32_t slot, unsigned item, const char *instance);
/* The present value of any item by its name, built-in ones too; NAN: unknown or none. */
double values_read(struct engine *e, uint32_t slot, const char *item, const char *instance);

/* --- for the engine's other files */
void values_set(struct engine *e, uint32_t slot, struct value_cell *cell, double value); /* as values_put() */
/* The same as values_read() of an item that is known; the row does not matter to an item without rows. */
double values_of(struct engine *e, uint32_t slot, const struct item_definition *item, const char *row);
void values_start(struct engine *e);
struct value_cell *values_cell(struct engine *e, uint32_t slot, unsigned item, const char *instance, bool add); /* NULL: none, or no room */
/* At an id of the wanted state. */
void values_item_set(struct engine *e, unsigned id, const struct value_item *item);
void values_publish(struct engine *e); /* all items to the board, at start */
void values_silence(struct engine *e, uint32_t slot); /* the node stopped answering */
void values_alarms(struct engine *e, uint32_t slot);  /* says again what is wrong */
bool values_has(struct engine *e, uint32_t slot, const char *item, const char *instance);
/* What rows of kind no-data say of this item on a node; an item without rows that never came counts, too. */
void values_quiet(struct engine *e, uint32_t slot, unsigned item, const struct level_rules *rules);
void values_forget_node(struct engine *e, uint32_t slot); /* board rows and cells; the node goes */
void values_flush(struct engine *e, uint32_t slot);       /* steps that have ended go to the recorder */
void values_series_forget(struct engine *e);
void values_file(const struct value_item *item, const char *instance, char *out, size_t size); /* "item-raid-sda" */

#endif
