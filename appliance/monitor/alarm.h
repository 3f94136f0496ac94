/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The set of alarms: raised once per (object, kind, part), counted, acknowledged, cleared. Pure: no store, no clock; its owner persists
 * and publishes what the callbacks tell. Ids grow and are never used twice (the owner stores the last one).
 *
 * Damping (damp.h, verdicts 4.6): an alarm that comes back within 15 minutes of its last call is the same alarm again. The third call
 * in that time makes it flapping: it stays raised and counts, and is cleared when nothing has turned for 15 minutes. The end of a
 * young alarm is told (ALARM_END) only when it has lasted a while, and a return before that is not told at all: whoever
 * listens always ends with the truth, and is not told each turn. */
#ifndef GLORY_MONITOR_ALARM_H
#define GLORY_MONITOR_ALARM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/words.h"
#include "monitor/damp.h"

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
	bool flapping;
	bool good;                 /* flapping, and well at present */
	bool told;                 /* the last that was told of it is that it is raised */
	bool seen_flapping;        /* the owner's use */
};

/* What has changed; RAISED and REOPENED are to be told as a raise, END as a clear. */
enum alarm_change { ALARM_RAISED = 1, ALARM_UPDATED, ALARM_COUNTED, ALARM_ACKNOWLEDGED, ALARM_CLEARED, ALARM_FORGOTTEN, ALARM_REOPENED,
		    ALARM_END };

struct alarm_now {
	int64_t wall_ms, mono_ms; /* what is shown is of the wall clock, what is waited for of the monotonic one */
};

struct alarm_set;
/* changed is told after each change; ALARM_COUNTED at most once a minute per alarm. FORGOTTEN: a cleared alarm leaves the set (the newest
 * 1,000 cleared ones are kept). */
struct alarm_set *alarm_set_new(void (*changed)(void *arg, struct alarm *alarm, enum alarm_change what), void *arg);
void alarm_set_damping(struct alarm_set *set, const struct damp_rule *rule); /* damp_rule_usual(1) until then */
void alarm_set_free(struct alarm_set *set);
/* At start: an alarm as it was stored; tells nothing. What was owed (told, but cleared) is told by the next alarm_tick(). */
void alarm_restore(struct alarm_set *set, const struct alarm *alarm, int64_t mono_ms);

struct alarm_raise {
	const char *object, *kind, *part, *cause;
	uint32_t severity, held, node_slot;
	uint64_t parent;
};
/* Raises, or counts and updates what is raised already. Returns its id. */
uint64_t alarm_raise(struct alarm_set *set, const struct alarm_raise *what, struct alarm_now now);
/* It is well: clears, unless it is flapping; false when it was not raised. */
bool alarm_clear(struct alarm_set *set, const char *object, const char *kind, const char *part, struct alarm_now now);
/* Clears at once and tells so, flapping or not, and the call does not count: it is held, in maintenance, silenced. */
bool alarm_withdraw(struct alarm_set *set, const char *object, const char *kind, const char *part, struct alarm_now now);
/* Clears everything on an object (it was removed). */
void alarm_clear_object(struct alarm_set *set, const char *object, struct alarm_now now);
/* About once a second: ends of flapping, and what has waited to be told. */
void alarm_tick(struct alarm_set *set, struct alarm_now now);
/* 0, ERR_NOT_FOUND, ERR_NOT_NOW (cleared already). Acknowledging twice keeps the first. */
int alarm_acknowledge(struct alarm_set *set, uint64_t id, const char *by, int64_t now_ms);
struct alarm *alarm_by_id(struct alarm_set *set, uint64_t id);
bool alarm_active(struct alarm_set *set, const char *object, const char *kind, const char *part);
uint64_t alarm_last_id(const struct alarm_set *set);
void alarm_each(struct alarm_set *set, void (*fn)(void *arg, struct alarm *alarm), void *arg);
/* Active alarms by severity: out[LEVEL_COUNT]. */
void alarm_count(struct alarm_set *set, uint32_t *out);

#endif
