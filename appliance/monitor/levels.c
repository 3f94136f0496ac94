/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Levels of values; see levels.h. */
#include "monitor/levels.h"

#include <math.h>
#include <stdbool.h>

#include "base/memory.h"
#include "monitor/items.h"

static bool beyond(const struct level_rule *r, double value)
{
	return r->above ? value >= r->value : value <= r->value;
}

static bool well(const struct level_rule *r, double value)
{
	return r->above ? value < r->clear : value > r->clear;
}

enum level level_judge(const struct level_rules *rules, struct level_state *state, double value)
{
	enum level worst = LEVEL_NORMAL;

	if (isnan(value)) {
		state->level = LEVEL_UNKNOWN;
		return LEVEL_UNKNOWN;
	}
	for (unsigned i = 0; i < rules->count; i++) {
		const struct level_rule *r = &rules->rule[i];
		uint32_t mask = r->in >= 32 ? ~0u : (1u << r->in) - 1;

		state->window[i] = state->window[i] << 1 | beyond(r, value);
		if (__builtin_popcount(state->window[i] & mask) >= r->of && beyond(r, value))
			state->inside |= (uint8_t)(1u << i);
		else if (well(r, value))
			state->inside &= (uint8_t)~(1u << i);
		if ((state->inside >> i & 1) && r->level > worst)
			worst = (enum level)r->level;
	}
	state->level = (uint8_t)worst;
	return worst;
}

#define ABOVE(level, of, in, value, clear) {level, 1, of, in, value, clear}
static const struct {
	unsigned item;
	struct level_rules rules;
} builtin[] = {
	{ITEM_DISK_FILL, {3, {ABOVE(LEVEL_WARNING, 3, 5, 85, 80), ABOVE(LEVEL_MAJOR, 3, 5, 92, 90), ABOVE(LEVEL_CRITICAL, 3, 5, 97, 95)}}},
	{ITEM_CPU, {1, {ABOVE(LEVEL_WARNING, 15, 20, 95, 85)}}},
	{ITEM_CPU_IOWAIT, {1, {ABOVE(LEVEL_WARNING, 15, 20, 40, 25)}}},
	{ITEM_CPU_STEAL, {1, {ABOVE(LEVEL_WARNING, 15, 20, 20, 10)}}},
	{ITEM_MEM, {2, {ABOVE(LEVEL_WARNING, 6, 10, 92, 88), ABOVE(LEVEL_MAJOR, 6, 10, 97, 94)}}},
	{ITEM_SWAP, {2, {ABOVE(LEVEL_WARNING, 6, 10, 50, 40), ABOVE(LEVEL_MAJOR, 6, 10, 90, 80)}}},
	{ITEM_DISK_BUSY, {1, {ABOVE(LEVEL_WARNING, 15, 20, 95, 85)}}},
	{ITEM_IF_ERRORS, {1, {ABOVE(LEVEL_WARNING, 6, 10, 1, 0.1)}}},
	{ITEM_IF_DISCARDS, {1, {ABOVE(LEVEL_WARNING, 6, 10, 10, 1)}}},
};

const struct level_rules *level_builtin(unsigned item)
{
	static const struct level_rules none;

	for (unsigned i = 0; i < COUNT_OF(builtin); i++)
		if (builtin[i].item == item)
			return &builtin[i].rules;
	return &none;
}
