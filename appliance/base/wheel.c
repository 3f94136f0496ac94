/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The timing wheel: rings of indexes, one per slot, and a bitmap to find the next used slot. Called by watch and judge. */
#include "base/wheel.h"

#include <stdlib.h>

static uint32_t head_of(const struct wheel *wheel, int64_t tick)
{
	return wheel->items + (uint32_t)(tick & (WHEEL_SLOTS - 1));
}

int wheel_init(struct wheel *wheel, uint32_t items, int64_t now)
{
	uint32_t count = items + WHEEL_SLOTS;

	*wheel = (struct wheel){ .items = items, .tick = now / WHEEL_SLOT_MS };
	wheel->links = calloc(count, sizeof(*wheel->links));
	if (!wheel->links)
		return -1;
	for (uint32_t i = 0; i < count; i++)
		wheel->links[i] = (struct wheel_link){ i, i };
	return 0;
}

void wheel_free(struct wheel *wheel)
{
	free(wheel->links);
	wheel->links = NULL;
}

void wheel_cancel(struct wheel *wheel, uint32_t item)
{
	struct wheel_link *l = &wheel->links[item];

	/* the bit of a slot that becomes empty here is cleared when the slot is reached */
	wheel->links[l->prev].next = l->next;
	wheel->links[l->next].prev = l->prev;
	*l = (struct wheel_link){ item, item };
}

void wheel_set(struct wheel *wheel, uint32_t item, int64_t at)
{
	int64_t tick = (at + WHEEL_SLOT_MS - 1) / WHEEL_SLOT_MS;

	if (tick <= wheel->tick)
		tick = wheel->tick + 1;
	if (tick >= wheel->tick + WHEEL_SLOTS)
		tick = wheel->tick + WHEEL_SLOTS - 1;
	wheel_cancel(wheel, item);
	uint32_t head = head_of(wheel, tick), last = wheel->links[head].prev;
	wheel->links[item] = (struct wheel_link){ head, last };
	wheel->links[last].next = item;
	wheel->links[head].prev = item;
	wheel->used[(tick & (WHEEL_SLOTS - 1)) / 64] |= UINT64_C(1) << (tick & 63);
}

/* ticks from the one after `tick` to the next used slot; WHEEL_SLOTS = none */
static int64_t distance(const struct wheel *wheel)
{
	for (int64_t i = 1; i <= WHEEL_SLOTS;) {
		int64_t tick = wheel->tick + i;
		uint64_t word = wheel->used[(tick & (WHEEL_SLOTS - 1)) / 64] >> (tick & 63);

		if (word)
			return i + __builtin_ctzll(word);
		i += 64 - (tick & 63);
	}
	return WHEEL_SLOTS;
}

uint32_t wheel_take(struct wheel *wheel, int64_t now)
{
	int64_t end = now / WHEEL_SLOT_MS;

	while (wheel->tick < end) {
		int64_t step = distance(wheel);

		if (step >= WHEEL_SLOTS || wheel->tick + step > end) {
			wheel->tick = end;
			break;
		}
		int64_t tick = wheel->tick + step;
		uint32_t head = head_of(wheel, tick), item = wheel->links[head].next;
		if (item != head) {
			/* the slot may hold more: it counts as emptied only when its ring is */
			wheel->tick = tick - 1;
			wheel_cancel(wheel, item);
			return item;
		}
		wheel->used[(tick & (WHEEL_SLOTS - 1)) / 64] &= ~(UINT64_C(1) << (tick & 63));
		wheel->tick = tick;
	}
	return WHEEL_NONE;
}

int64_t wheel_next(const struct wheel *wheel)
{
	int64_t step = distance(wheel);

	return step >= WHEEL_SLOTS ? INT64_MAX : (wheel->tick + step) * WHEEL_SLOT_MS;
}
