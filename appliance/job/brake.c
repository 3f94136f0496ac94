/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The brakes; see brake.h. */
#include "job/brake.h"

#define SLICE_MS (BRAKE_WINDOW_MS / BRAKE_SLICES)

uint32_t brake_limit(uint32_t configured, uint32_t members)
{
	if (configured)
		return configured;
	return members / 10 > 10 ? members / 10 : 10;
}

uint32_t brake_room(const struct brake *b, uint32_t limit, int64_t now_ms)
{
	uint32_t used = 0;

	for (int i = 0; i < BRAKE_SLICES; i++)
		if (b->slice[i] && now_ms - b->slice_ms[i] < BRAKE_WINDOW_MS)
			used += b->slice[i];
	return used < limit ? limit - used : 0;
}

void brake_count(struct brake *b, uint32_t actions, int64_t now_ms)
{
	int64_t begin = now_ms - now_ms % SLICE_MS;
	int at = (int)(now_ms / SLICE_MS % BRAKE_SLICES);

	if (b->slice_ms[at] != begin) {
		b->slice_ms[at] = begin;
		b->slice[at] = 0;
	}
	b->slice[at] += actions;
}

bool brake_start(struct brake *b, uint32_t per_second, int64_t now_ms)
{
	if (now_ms - b->second_ms >= 1000 || b->second_ms == 0) {
		b->second_ms = now_ms;
		b->started = 0;
	}
	if (b->started >= per_second)
		return false;
	b->started++;
	return true;
}
