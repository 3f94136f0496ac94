/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What strikes the judge itself, or many machines at once: processes stopped and killed, sleep, mass death, a path that turns bad, one
 * death a minute, forged answers. Called by the world at every step. */
#include <stdlib.h>

#include "tests/sim/world.h"

enum { WARM_MS = 90000, STOP_MS = 20000, RESTART_MS = 300, SHOWN_MS = 3000, SETTLED_MS = 10000, LOSS_MS = 60000, MASS_REPAIR_MS = 60000 };

bool strike_collector(const struct world *w)
{
	return w->now < w->collector_until;
}

bool strike_engine(const struct world *w)
{
	return w->now < w->engine_until;
}

/* Tokens of a life before: a new process has other secrets, and drops what comes for the old one. */
void strike_forget_answers(struct world *w)
{
	for (uint32_t step = 0; step < NEAR_STEPS; step++)
		for (uint32_t i = w->near[step]; i != UINT32_MAX; i = w->events[i].next)
			if (w->events[i].kind == EVENT_ANSWER)
				w->events[i].token = 0;
}

/* Collector, engine, both, in turn: stopped for 20 s ... */
static void stop_roles(struct world *w)
{
	unsigned who = w->strike_turn++ % 3;

	w->kept = 0;
	if (who != 1)
		w->collector_until = w->now + STOP_MS;
	if (who != 0)
		w->engine_until = w->now + STOP_MS;
	w->strike_end = w->now + STOP_MS;
}

/* ... or killed: the engine's death takes the collector with it. */
static void kill_roles(struct world *w)
{
	strike_forget_answers(w);
	w->report_count = 0;
	w->reasons_wait = false;
	if (w->strike_turn++ % 2) {
		world_new_judge(w);
		w->engine_until = w->now + RESTART_MS;
	}
	judge_queue(w->judge, 0, false, w->now);
	world_new_watch(w);
	w->collector_until = w->now + RESTART_MS;
	w->strike_end = w->now + RESTART_MS;
}

/* A minute's sleep: monotonic time stands still, the world goes on, what was on its way is lost. The wall clock leaps with it: nothing
 * here reads one. */
static void sleep_minute(struct world *w)
{
	strike_forget_answers(w);
	for (uint32_t i = 0; i < w->s->nodes; i++) {
		w->machines[i].booted -= 60000;
		w->machines[i].agent_started -= 60000;
	}
	watch_resumed(w->watch, w->now);
	w->strike_end = w->now;
}

static void mass_death(struct world *w)
{
	uint32_t want = (uint32_t)(w->s->nodes * w->s->mass_percent / 100), killed = 0;

	while (killed < want) {
		uint32_t slot = world_any(w, w->s->nodes), first = w->s->mass_groups ? slot / SMALL_GROUP * SMALL_GROUP : slot;

		for (uint32_t i = first; i < first + (w->s->mass_groups ? SMALL_GROUP : 1); i++) {
			if (w->machines[i].died)
				continue;
			kill_machine(w, i, DEATH_CRASH, MASS_REPAIR_MS);
			w->machines[i].struck = true;
			killed++;
		}
	}
	w->strike_end = w->now;
}

static void turn_bad(struct world *w)
{
	struct switch_box *b = &w->switches[world_any(w, w->switches_small)];
	double p = w->s->strike_loss;

	b->lost = (uint64_t)((1 - (1 - p) * (1 - p)) * 18446744073709551615.0);
	b->lossy_until = w->now + LOSS_MS;
	w->strike_end = b->lossy_until;
}

/* V13: one after the other of one group, as an update rolls. */
static void roll(struct world *w)
{
	uint32_t slot = w->strike_turn++ % SMALL_GROUP;

	if (!w->machines[slot].died)
		kill_machine(w, slot, DEATH_CRASH, 600000);
	w->machines[slot].struck = true;
	w->strike_end = w->now;
}

static void note(struct world *w)
{
	if (!w->strike_at)
		return;
	if (!w->shown && judge_suspended(w->judge) && !strike_engine(w)) {
		struct judge_verdict v;

		w->shown = true;
		w->tally.suspended_strikes += (w->now <= w->strike_at + SHOWN_MS || w->now <= w->strike_end + SHOWN_MS) &&
					      judge_view(w->judge, 0, &v) && v.not_judged;
	}
	if (!w->ended && w->now == w->strike_end + SETTLED_MS) {
		w->ended = true;
		w->tally.settled_strikes += !judge_suspended(w->judge);
	}
}

static void forge(struct world *w)
{
	/* at every step, as many as make the rate; kinds in turn */
	for (uint32_t i = 0; i < w->s->forged * STEP_MS / 1000; i++) {
		uint32_t token = (uint32_t)(chance(w) * 4294967295.0);

		watch_answer(w->watch, world_any(w, w->s->nodes), token, (enum watch_answer_kind)(1 + i % 7), w->now);
	}
}

void strike(struct world *w)
{
	static void (*const STRIKES[])(struct world *) = { [STRIKE_STOP] = stop_roles, [STRIKE_KILL] = kill_roles, [STRIKE_SLEEP] = sleep_minute,
		[STRIKE_MASS] = mass_death, [STRIKE_LOSS] = turn_bad, [STRIKE_ROLL] = roll };

	if (w->s->forged && w->now >= w->stalled_until)
		forge(w);
	if (!w->s->strike)
		return;
	note(w);
	if (!w->next_strike)
		w->next_strike = w->now + WARM_MS;
	if (w->now < w->next_strike)
		return;
	w->strike_at = w->now;
	w->shown = w->ended = false;
	w->tally.strikes++;
	w->next_strike = w->now + (int64_t)(w->s->strike_s * 1000);
	STRIKES[w->s->strike](w);
}
