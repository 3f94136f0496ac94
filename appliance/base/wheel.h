/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A timing wheel over small numbers: one timer per item, 10 ms slots, about 10 s of horizon, nothing allocated after
 * wheel_init(). The collector's watch and the engine's judge keep one timer per node in it.
 * A timer beyond the horizon fires at the horizon: the owner looks at its own due time and sets it again.
 */
#ifndef GLORY_BASE_WHEEL_H
#define GLORY_BASE_WHEEL_H

#include <stdint.h>

enum { WHEEL_SLOT_MS = 10, WHEEL_SLOTS = 1024 };
#define WHEEL_NONE UINT32_MAX

struct wheel_link {
	uint32_t next, prev;
};

struct wheel {
	uint32_t items;
	int64_t tick; /* slots up to this one have been emptied */
	struct wheel_link *links; /* items, then one ring head per slot */
	uint64_t used[WHEEL_SLOTS / 64];
};

/* 0, or -1 = no memory. Time begins at now. */
int wheel_init(struct wheel *wheel, uint32_t items, int64_t now);
void wheel_free(struct wheel *wheel);
/* Set (or move) the item's timer; a time that is past fires at the next slot. */
void wheel_set(struct wheel *wheel, uint32_t item, int64_t at);
void wheel_cancel(struct wheel *wheel, uint32_t item);
/*
 * The next item due at now (its timer is then unset), or WHEEL_NONE when all slots up to now are empty. Whoever handles the
 * item sets its next timer to later than now, or not at all.
 */
uint32_t wheel_take(struct wheel *wheel, int64_t now);
/* The ms at which the next slot with a timer is due; INT64_MAX = none. */
int64_t wheel_next(const struct wheel *wheel);

#endif
