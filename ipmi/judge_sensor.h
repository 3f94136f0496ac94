/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a sensor's reading means: a pure function of what its record (SDR) says, what was read, and whether the host is
 * on. It knows the specification's tables and no machine, name or record number. Called by sensors.c; tests call it
 * with invented sensors.
 *
 * Levels: a non-critical threshold or a warning state is warning, a critical threshold is major, a non-recoverable one
 * is critical; of discrete states each has its own level in a table (IPMI 2.0, tables 42-2 and 42-3). Several states at
 * once: the worst counts.
 *
 *  nominal       read, nothing wrong
 *  finding       read, and something is wrong: level and text say what
 *  not-present   inventory: the slot, bay, supply or processor is empty (its presence state is one it can report, and
 * is not set) not-readable  the BMC does not scan it, says the reading is not available, or refuses to read it
 *  not-judged    read but not for us to judge: states outside the specification or the maker's own (shown raw), and,
 * while the host is off, analogue readings and the states of fans, voltages and currents, which are then those of
 * unpowered parts */
#ifndef GLORY_IPMI_JUDGE_SENSOR_H
#define GLORY_IPMI_JUDGE_SENSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/words.h"

enum threshold {
	LOW_NON_CRITICAL,
	LOW_CRITICAL,
	LOW_NON_RECOVERABLE,
	HIGH_NON_CRITICAL,
	HIGH_CRITICAL,
	HIGH_NON_RECOVERABLE,
	THRESHOLD_COUNT
}; /* order of the bits of Get Sensor Reading and of Get Sensor Thresholds */

struct sensor_facts {
	uint8_t type;                       /* sensor type code, table 42-3 */
	uint8_t event_type;                 /* event/reading type code, table 42-1 */
	uint16_t state_mask;                /* discrete: states it can report */
	double thresholds[THRESHOLD_COUNT]; /* NAN where it has none */
};

struct sensor_reading {
	bool absent;    /* completion code CB: records of parts that are not fitted often have no sensor behind them */
	bool answered;  /* false: the BMC refused to read it */
	bool scanning;  /* false: scanning is disabled */
	bool available; /* false: "reading/state unavailable" */
	double value;   /* NAN when there is none */
	uint16_t bits;  /* states 0 to 14, or threshold comparison in bits 0 to 5 */
};

struct sensor_verdict {
	enum sensor_state state;
	enum level level; /* unknown where it is not readable or not judged */
	char text[64];    /* "power supply input lost"; "" when there is nothing to say */
};

void judge_sensor(const struct sensor_facts *facts, const struct sensor_reading *reading, enum power host,
		  struct sensor_verdict *out);

#endif
