/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The set of alarms: raised once per (object, kind), counted, acknowledged, cleared. Pure: no store, no clock; its owner persists
 * and publishes what the callbacks tell. Ids grow and are never used twice (the owner stores the last one). */
#ifndef GLORY_MONITOR_ALARM_H
#define GLORY_MONITOR_ALARM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/words.h"

#define ALARM_TEXT 64

struct alarm {
	uint64_t id, parent;       /* parent: root alarm, 0 none */
	char object[ALARM_TEXT];   /* "n001", "g01", "site" */
	char kind[24];             /* "verdict", "item:disk_fill", "sensor", "domain" ... */
	char part[ALARM_TEXT];     /* which of several of that kind on the object: instance, sensor; "" */
	char cause[ALARM_TEXT];
	char acknowledged_by[ALARM_TEXT];
	int64_t first_ms, last_ms, acknowledged_ms, cleared_ms; /* wall clock; 0: not */
	uint32_t count, held, severity;
	uint32_t node_slot;
	uint32_t board_slot;       /* the owner's use */
};

enum alarm_change { ALARM_RAISED = 1, ALARM_UPDATED, ALARM_COUNTED, ALARM_ACKNOWLEDGED, ALARM_CLEARED, ALARM_FORGOTTEN };

struct alarm_set;
/* changed is told after each change; ALARM_COUNTED at most once a minute per alarm (`now` is the wall clock given). FORGOTTEN: a cleared
 * alarm leaves the set (the newest 1,000 cleared ones are kept). */
struct alarm_set *alarm_set_new(void (*changed)(void *arg, struct alarm *alarm, enum alarm_change what), void *arg);
void alarm_set_free(struct alarm_set *set);
/* At start: an alarm as it was stored; tells nothing. */
void alarm_restore(struct alarm_set *set, const struct alarm *alarm);

struct alarm_raise {
	const char *object, *kind, *part, *cause;
	uint32_t severity, held, node_slot;
	uint64_t parent;
};
/* Raises, or counts and updates what is raised already. Returns its id. */
uint64_t alarm_raise(struct alarm_set *set, const struct alarm_raise *what, int64_t now_ms);
/* Clears; false when it was not raised. */
bool alarm_clear(struct alarm_set *set, const char *object, const char *kind, const char *part, int64_t now_ms);
/* Clears everything on an object (it was removed). */
void alarm_clear_object(struct alarm_set *set, const char *object, int64_t now_ms);
/* 0, ERR_NOT_FOUND, ERR_NOT_NOW (cleared already). Acknowledging twice keeps the first. */
int alarm_acknowledge(struct alarm_set *set, uint64_t id, const char *by, int64_t now_ms);
struct alarm *alarm_by_id(struct alarm_set *set, uint64_t id);
uint64_t alarm_last_id(const struct alarm_set *set);
void alarm_each(struct alarm_set *set, void (*fn)(void *arg, struct alarm *alarm), void *arg);
/* Active alarms by severity: out[LEVEL_COUNT]. */
void alarm_count(struct alarm_set *set, uint32_t *out);

#endif
