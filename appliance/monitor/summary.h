/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a node, group or site was like in an hour or a day: how long in each verdict, incidents by their true cause, sketches of the items
 * that matter, energy. Pure: time and values come in, nothing is read or written. Kept by engine/stats.c, stored as bytes by
 * store/summaries.h.
 *
 * Availability (verdicts, section 4.6): up / (up + lost). Unknown, suspended, held, group-path-lost, maintenance, off as wanted, and what
 * turned out to have been the path, are neither. A node whose agent or BMC is lost is up; one that boots is not. */
#ifndef GLORY_MONITOR_SUMMARY_H
#define GLORY_MONITOR_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/words.h"
#include "monitor/sketch.h"

/* enum verdict, and behind it what is none. Append-only: the numbers stand in files. */
enum summary_state {
	SUMMARY_SUSPENDED = 24, /* judgement is suspended */
	SUMMARY_HELD,           /* under the root alarm of a domain */
	SUMMARY_MAINTENANCE,
	SUMMARY_OFF_WANTED,
	SUMMARY_PATH,           /* it came back without having been away */
	SUMMARY_STATES
};
_Static_assert((int)VERDICT_COUNT <= (int)SUMMARY_SUSPENDED, "a verdict has the number of another state");
const char *summary_state_name(unsigned state); /* "os-hung", "suspended"; "?" for none */
enum summary_class { SUMMARY_NEITHER, SUMMARY_UP, SUMMARY_LOST };
enum summary_class summary_class_of(unsigned state);

enum summary_item { SUMMARY_CPU, SUMMARY_MEM, SUMMARY_LOAD1, SUMMARY_DISK_FILL, SUMMARY_IF_IN, SUMMARY_IF_OUT, SUMMARY_POWER_DRAW, SUMMARY_ITEMS };
extern const char *const summary_item_names[SUMMARY_ITEMS]; /* the items' own; disk_fill: the fullest, if_*: all interfaces together */
int summary_item_find(const char *name); /* -1: none */

struct summary { /* begin with {0} */
	uint64_t ms[SUMMARY_STATES];          /* of a group: of all its nodes together */
	uint32_t incidents[SUMMARY_STATES];   /* that were called, by verdict or path */
	struct sketch items[SUMMARY_ITEMS];   /* one value per poll */
	double energy_wh;
	uint64_t energy_ms;                   /* of which it is known; the rest is unknown, not nothing */
};

/* --- keeping it. A node's state at any time is one; what was before is counted when it changes or when somebody wants to read. */
struct summary_clock { /* begin with {0}: nothing is counted before the first state */
	unsigned state; /* 0: none yet */
	int64_t since_ms; /* monotonic */
};
unsigned summary_state_of(enum verdict verdict, bool held, bool suspended, bool maintenance, bool off_wanted);
/* Counts up to now; then the state is another (or the same). A time before the last one counts nothing. */
void summary_account(struct summary *s, struct summary_clock *clock, unsigned state, int64_t now_ms);
/* An incident has ended, the last verdict was this one (0: none was called), and what it was is now known: label, the verdict again or
 * another state. Where that one is not lost time (SUMMARY_PATH, agent-dead), what was counted as lost in the last dark_ms is its doing. */
void summary_incident(struct summary *s, enum verdict verdict, unsigned label, int64_t dark_ms);

/* Energy between two readings, the trapezoid under them; over a gap of more than SUMMARY_GAP_MS it is unknown. Counted where the second
 * reading falls: an hour may get up to one interval of the hour before, the sum is right. */
#define SUMMARY_GAP_MS 660000 /* two readings of a large site and a minute */
struct summary_meter { /* begin with {0} */
	double watts;
	int64_t at_ms;
	bool known;
};
void summary_energy(struct summary *s, struct summary_meter *meter, double watts, int64_t now_ms); /* NAN: there is no reading */

void summary_merge(struct summary *into, const struct summary *from);
void summary_free(struct summary *s); /* and empty again */

/* --- reading it */
uint64_t summary_class_ms(const struct summary *s, enum summary_class class);
uint64_t summary_watched_ms(const struct summary *s);  /* all states */
double summary_availability(const struct summary *s);  /* percent; NAN: neither up nor lost was seen */
uint32_t summary_incidents(const struct summary *s);
double summary_mean_watts(const struct summary *s);    /* from the energy; NAN unknown */

/* Could the node be switched off? Busy at no time that counts: 95 of 100 readings of each are below. Never one that was lost, is not known
 * for at least 99 % of the span, or lacks one of the items. */
struct summary_limits {
	double cpu_percent, load1, net_bytes_s; /* net: in and out, each */
};
#define SUMMARY_LIMITS {10, 1, 1e6}
bool summary_is_idle(const struct summary *s, const struct summary_limits *limits, int64_t span_ms);

/* --- as bytes. At most SUMMARY_PACKED_MAX; returns how many. */
#define SUMMARY_PACKED_MAX (64 + SUMMARY_STATES * 18 + SUMMARY_ITEMS * SKETCH_PACKED_MAX)
size_t summary_pack(const struct summary *s, uint8_t *out);
/* False: the bytes are none; s (which must be empty) is empty then. */
bool summary_unpack(struct summary *s, const uint8_t *bytes, size_t size);

#endif
