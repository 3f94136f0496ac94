/* SPDX-License-Identifier: GPL-3.0-or-later */
/* States of process watches; see process_watch.h. */
#include "monitor/process_watch.h"

#include <math.h>

#include "base/text.h"

#define STEP_MAX_MS 40000 /* the age of an agent's table and one poll: what changed now was used since then at the earliest */
#define IDLE_MS 90000     /* nothing was used for so long */

enum watch_state process_watch_state(uint32_t min, uint32_t max, bool known, uint32_t count)
{
	if (!known)
		return WATCH_STATE_UNKNOWN;
	return count < min ? WATCH_STATE_TOO_FEW : count > max ? WATCH_STATE_TOO_MANY : WATCH_STATE_OK;
}

enum level process_watch_level(enum watch_state state)
{
	return state == WATCH_STATE_UNKNOWN ? LEVEL_UNKNOWN : state == WATCH_STATE_OK ? LEVEL_NORMAL : LEVEL_MAJOR;
}

void process_watch_cause(char *out, size_t size, const char *name, uint32_t min, uint32_t max, bool known, uint32_t count)
{
	size_t used = 0;

	out[0] = '\0';
	if (!known) {
		text_append(out, size, &used, "%s: the agent shows no processes", name);
		return;
	}
	text_append(out, size, &used, "%s: %u run, ", name, count);
	if (max >= PROCESS_ANY)
		text_append(out, size, &used, "at least %u wanted", min);
	else if (min == max)
		text_append(out, size, &used, "%u wanted", min);
	else
		text_append(out, size, &used, "%u to %u wanted", min, max);
}

static double begin(struct process_cpu *c, uint64_t cpu_cs, int64_t at_ms)
{
	*c = (struct process_cpu){.at_ms = at_ms, .cpu_cs = cpu_cs, .percent = NAN};
	return NAN;
}

double process_cpu_push(struct process_cpu *c, uint64_t cpu_cs, int64_t at_ms)
{
	if (!c->at_ms || cpu_cs < c->cpu_cs || at_ms < c->at_ms)
		return begin(c, cpu_cs, at_ms);
	if (cpu_cs == c->cpu_cs) {
		if (at_ms - c->at_ms >= IDLE_MS) {
			c->percent = 0;
			c->sure = true;
		}
		return c->percent;
	}
	/* where the first step began is not known: it only says where the second one does */
	int64_t took = at_ms - c->at_ms > STEP_MAX_MS ? STEP_MAX_MS : at_ms - c->at_ms;
	double percent = c->sure && took > 0 ? (double)(cpu_cs - c->cpu_cs) * 1000 / (double)took : NAN;
	*c = (struct process_cpu){.at_ms = at_ms, .cpu_cs = cpu_cs, .percent = percent, .sure = true};
	return percent;
}
