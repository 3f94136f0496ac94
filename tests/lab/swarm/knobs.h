/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The misbehaviour of one simulated agent or BMC, and the one table that names every knob for start options, control
 * commands and help. */
#ifndef SWARM_KNOBS_H
#define SWARM_KNOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero is a well-behaved machine. Chances are 0..1 per packet. */
struct knobs {
	float drop_in, drop_out, dup, reorder, wrong_id, wrong_source, truncate, oversize, wrong_type;
	uint32_t delay_ms, jitter_ms, slow_ms;
	uint8_t dead, half_dead, no_echo, every_second, endless, loop, frozen, clone, uncounted, hung, refused;
	/* BMCs only */
	float bad_hmac, busy;
	uint8_t silent, stop_rakp, slots, lie_power, suite0, watchdog, dcmi;
	uint32_t power_ms;
	uint32_t temp; /* degrees C that replace the reading of the first sensor; 0 = its own */
};

enum knob_kind { KNOB_CHANCE, KNOB_MS, KNOB_FLAG, KNOB_COUNT };
enum { FOR_AGENTS = 1, FOR_BMCS = 2 };

struct knob {
	const char *name;
	enum knob_kind kind;
	unsigned whose;        /* FOR_AGENTS | FOR_BMCS */
	bool disturbs;         /* polls of a machine with it cannot be expected to be on time */
	size_t offset, second; /* in struct knobs; `second` != 0 is set along (drop sets both ways) */
	const char *help;
};

/* The table; `*count` entries. */
const struct knob *knobs_table(unsigned *count);

/* Sets one knob by name from text. NULL, or a static message that says what is wrong. */
const char *knobs_set(struct knobs *knobs, unsigned whose, const char *name, const char *value);

/* Whether any knob that disturbs the polling is on. */
bool knobs_disturb(const struct knobs *knobs);

/* A set of machine numbers: "all", "7", "0-499", "0-9999/20" (every 20th), and lists of these with commas. Calls `each`
 * for every number below `limit`; false (and no call made) when the text is malformed or reaches beyond the limit. */
bool knobs_each(const char *range, unsigned limit, void (*each)(void *context, unsigned number), void *context);

#endif
