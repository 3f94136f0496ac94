/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a count of processes means, and how much processor time they use. Pure. Called by engine/watches.c. */
#ifndef GLORY_MONITOR_PROCESS_WATCH_H
#define GLORY_MONITOR_PROCESS_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/words.h"

#define PROCESS_ANY 100000 /* max: as many as there are */

/* known: the process table was read as a whole. */
enum watch_state process_watch_state(uint32_t min, uint32_t max, bool known, uint32_t count);
enum level process_watch_level(enum watch_state state);
/* "sshd: 0 run, 1 to 5 wanted" */
void process_watch_cause(char *out, size_t size, const char *name, uint32_t min, uint32_t max, bool known, uint32_t count);

/* Processor time of a watch as its agent tells it. Agents show their table as it was when they last looked (net-snmp: up to 30 s
 * ago), so time goes on in steps: what was used is divided by the time from one step to the next. All zero before the first. */
struct process_cpu {
	int64_t at_ms;   /* of the last step; 0 none yet */
	uint64_t cpu_cs; /* then */
	double percent;  /* of one processor; NAN before the second step */
	bool sure;       /* the last step was a real one, not the first reading */
};
/* Takes a reading in (1/100 s used so far) and returns the percentage. A smaller one than before begins anew. */
double process_cpu_push(struct process_cpu *cpu, uint64_t cpu_cs, int64_t at_ms);

#endif
