/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Levels of values: threshold rows (config/threshold.h) with hysteresis, "n of m samples", rate, no data, forecast and deviation from what
 * is usual. Pure; one small state per (node, item, instance), and a memory only where a row needs the past. */
#ifndef GLORY_MONITOR_LEVELS_H
#define GLORY_MONITOR_LEVELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/words.h"
#include "config/cluster.h"

#define LEVEL_RULES CONFIG_THRESHOLDS

struct level_rules {
	unsigned count;
	struct config_threshold rule[LEVEL_RULES];
};

struct level_state {
	uint32_t window[LEVEL_RULES]; /* newest sample in bit 0 */
	uint8_t inside; /* bit per rule */
	uint8_t level;  /* enum level; 0 before the first sample */
};

/* What a value's rows of kind rate, forecast and deviation know of the past: a trail of 168 bytes per window, a baseline of 1,560. */
struct level_memory;

struct level_sample {
	double value;     /* NAN: unknown */
	int64_t wall_ms;
	int64_t quiet_ms; /* how long there has been no value although the node answers; 0 unless value is NAN */
};

/* Which row made the level, and what it saw. */
struct level_seen {
	const struct config_threshold *rule; /* NULL: none is in force; points into the rules */
	double figure; /* value: the value; rate: change in rule->per_s; forecast: seconds to the limit; deviation: what is usual; no-data: seconds
			  without; NAN when it cannot be said now */
};

/* Takes a sample in and returns the level. NAN: unknown, or what a row of kind no-data says; the windows wait. No rules: normal.
 * memory: NULL where level_remembers() says that none is needed (rows that need one are then never in force). seen may be NULL.
 * A forecast ends when the limit is a quarter farther off than `within`, or when the newer half of the window goes the other way. */
enum level level_judge(const struct level_rules *rules, struct level_state *state, struct level_memory *memory,
		       const struct level_sample *sample, struct level_seen *seen);
bool level_remembers(const struct level_rules *rules);
/* Shortest window of a row of kind no-data in ms; 0: there is none. */
int64_t level_no_data_ms(const struct level_rules *rules);
/* Appends to the text of a value what the row saw: ", full in 2 d 4 h", ", usually 40". */
void level_reason(const struct level_seen *seen, char *text, size_t size);

struct level_memory *level_memory_new(void);
void level_memory_free(struct level_memory *memory);
size_t level_memory_bytes(const struct level_memory *memory);
/* Writes it into out (room of level_memory_saved() bytes), and reads it back: NULL when the bytes are none. Same program, same machine. */
size_t level_memory_saved(const struct level_memory *memory);
void level_memory_save(const struct level_memory *memory, void *out);
struct level_memory *level_memory_load(const void *bytes, size_t size);

/* The thresholds of a built-in item; none for most. Never NULL. */
const struct level_rules *level_builtin(unsigned item);

#endif
