/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One pool for six services in three classes, in virtual time on the real code: who is short of nodes when half of them double at once each day and
 * the pool is too small. Fails when our way of sharing misses a bar. GLORY_LONG=1 shares in the two plain ways, too, first come first served and strict
 * order of classes, and prints all beside what was measured when the rule was made: those two rows tell how alike the two experiments are.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "service/arbiter.h"
#include "tests/sim/plant.h"

enum { SERVICES = 6, LEARN_DAYS = 7, THROWS = 3, PEAK = 20, MEMBERS_MOST = 60, START_S = 120, QUEUE = SERVICES * MEMBERS_MOST,
	BEGIN_S = 20000 * 86400, TICK = 10, COUNTED_TICKS = (TRACE_DAYS - LEARN_DAYS) * TRACE_DAY_TICKS, SOON_S = 1800 };
#define TAKEN_BACK_MOST .5 /* a day; of some ten that are taken */

enum way { FIRST_COME, STRICT_ORDER, OUR_RULE, WAYS };
static const char *const way_name[WAYS] = {"first come", "strict order", "our rule"};

/* When the rule was made: percent of the time over capacity of each service (class 1, class 1 with surges, class 2 ...), moves and nodes taken back a day. */
struct row {
	uint32_t nodes;
	enum way way;
	double over[SERVICES], moves, taken_back;
};
static const struct row rows[] = {
	{150, FIRST_COME, {.00, .60, .08, .99, .08, .88}, 397, 0},
	{150, STRICT_ORDER, {.00, .32, .08, .36, 2.39, 1.43}, 425, 0},
	{150, OUR_RULE, {.00, .32, .12, .99, .90, .88}, 409, 0},
	{135, FIRST_COME, {.00, 1.17, .08, 1.45, .08, 1.86}, 362, 0},
	{135, STRICT_ORDER, {.00, .34, 1.04, .37, 3.92, 8.63}, 437, 0},
	{135, OUR_RULE, {.00, .44, .12, 1.40, 2.54, 1.60}, 397, 0},
	{120, FIRST_COME, {.00, 2.20, .08, 8.72, 12.82, 19.78}, 317, 0},
	{120, STRICT_ORDER, {.00, .36, 2.51, 1.15, 19.74, 31.98}, 435, 2.3},
	{120, OUR_RULE, {.00, .52, .24, 2.15, 23.40, 22.68}, 358, 0},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

struct pool_service {
	struct plant_setup setup;
	struct plant *plant;
	struct arbiter_service asks;
	unsigned over;
	int64_t took_s;         /* nodes were taken from others for it */
};
struct pool_world {
	struct pool_service services[SERVICES];
	enum way way;
	uint32_t nodes;
	unsigned throw;
	unsigned queue[QUEUE], queued; /* first come: services, a place for each node that is asked for */
	unsigned moves, taken, taken_back;
};

/* Four to one in a day, peaks two hours apart; every other service doubles once a day for 20 minutes, all at the same time. */
static double pool_load(unsigned throw, unsigned i, unsigned tick)
{
	uint64_t s = 1000 * (uint64_t)throw, day = tick / TRACE_DAY_TICKS;
	double t = (double)TICK * tick, surge = 1;
	double x = t - ((double)day * 86400 + 7200 + 72000 * trace_uniform(s + 99, day));

	if (i % 2 && x >= 0 && x < 1560)
		surge += x < 60 ? x / 60 : x < 1260 ? 1 : (1560 - x) / 300;
	return PEAK * trace_day(t - 7200.0 * i) * (1 + .04 * trace_white(s + 300 + i, tick)) * surge;
}

static uint32_t lacks(const struct arbiter_service *a)
{
	uint32_t has = a->have + a->granted;

	return a->wanted > has ? a->wanted - has : 0;
}

/* --- three ways to share -------------------------------------------------------------------------------- */
/* Each node that is asked for stands in one row; who no longer wants it leaves the row. */
static void first_come(struct pool_world *w, uint32_t left)
{
	unsigned standing[SERVICES] = {0}, kept = 0, served = 0;

	for (unsigned q = 0; q < w->queued; q++) {
		unsigned i = w->queue[q];
		if (standing[i] == lacks(&w->services[i].asks))
			continue;
		standing[i]++;
		w->queue[kept++] = i;
	}
	w->queued = kept;
	for (unsigned i = 0; i < SERVICES; i++)
		for (; standing[i] < lacks(&w->services[i].asks) && w->queued < QUEUE; standing[i]++)
			w->queue[w->queued++] = i;
	for (; served < w->queued && left; served++, left--)
		w->services[w->queue[served]].asks.granted++;
	w->queued -= served;
	memmove(w->queue, w->queue + served, w->queued * sizeof w->queue[0]);
}

/* By class; whoever lacks takes from the classes below, the lowest first, down to the minimum and at any time. */
static void strict_order(struct pool_world *w, uint32_t left, uint32_t coming_back)
{
	for (int i = 0; i < SERVICES; i++) {
		struct arbiter_service *a = &w->services[i].asks;
		uint32_t need = lacks(a);
		a->granted = need < left ? need : left;
		left -= a->granted;
		need -= a->granted;
		uint32_t soon = need < coming_back ? need : coming_back;
		coming_back -= soon;
		need -= soon;
		for (int v = SERVICES - 1; v > i && need; v--) {
			struct arbiter_service *victim = &w->services[v].asks;
			for (; need && victim->class > a->class && victim->have - victim->taken > victim->min; need--)
				victim->taken++;
		}
	}
}

static void our_rule(struct pool_world *w, uint32_t left, uint32_t coming_back, int64_t now)
{
	const struct arbiter_pool pool = {.nodes = w->nodes, .free = left, .coming_back = coming_back};
	struct arbiter_service asks[SERVICES];

	for (int i = 0; i < SERVICES; i++)
		asks[i] = w->services[i].asks;
	arbiter_share(&pool, asks, SERVICES, now);
	for (int i = 0; i < SERVICES; i++)
		w->services[i].asks = asks[i];
}

/* --- the pool ------------------------------------------------------------------------------------------- */
/* Taken for the first classes that are short; what is taken from one of those soon after is taken back. */
static void note_taken(struct pool_world *w, struct pool_service *victim, int64_t now)
{
	uint32_t left = victim->asks.taken;

	victim->asks.given_s = now;
	w->taken += left;
	w->taken_back += victim->took_s && now - victim->took_s < SOON_S ? left : 0;
	for (int i = 0; i < SERVICES && left; i++) {
		struct pool_service *s = &w->services[i];
		uint32_t needs = lacks(&s->asks);
		if (s->asks.class >= victim->asks.class || !needs || (w->way == OUR_RULE && !(s->asks.demand > .85 * s->asks.have)))
			continue;
		s->took_s = now;
		left -= needs < left ? needs : left;
	}
}

static void act(struct pool_world *w, struct pool_service *s, unsigned tick, int64_t now)
{
	struct arbiter_service *a = &s->asks;
	uint32_t has = a->have;

	if (a->taken)
		note_taken(w, s, now);
	if (a->granted)
		a->received_s = now;
	a->replacements -= a->granted < a->replacements ? a->granted : a->replacements;
	for (uint32_t n = 0; n < a->granted; n++, has++, w->moves++)
		plant_start(s->plant, tick);
	for (uint32_t leave = a->taken; leave || has > a->wanted; leave -= leave > 0, has--, w->moves++)
		plant_stop(s->plant, tick);
}

/* A node that died is another one at once: 2 % and more are kept for that. */
static void step(struct pool_world *w, unsigned tick)
{
	int64_t now = BEGIN_S + (int64_t)tick * TICK;
	uint32_t used = 0, coming_back = 0;

	for (unsigned i = 0; i < SERVICES; i++) {
		struct pool_service *s = &w->services[i];
		double load = pool_load(w->throw, i, tick);
		s->asks.replacements += plant_tick(s->plant, tick, load);
		struct plant_now n = plant_now(s->plant);
		s->over += tick >= LEARN_DAYS * TRACE_DAY_TICKS && load > n.capacity;
		s->asks.wanted = n.wanted;
		s->asks.have = n.serving + n.starting;
		s->asks.demand = n.demand;
		s->asks.granted = s->asks.taken = 0;
		if (s->asks.replacements > lacks(&s->asks))
			s->asks.replacements = lacks(&s->asks);
		used += s->asks.have + n.draining;
		coming_back += n.draining;
	}
	if (w->way == FIRST_COME)
		first_come(w, w->nodes - used);
	else if (w->way == STRICT_ORDER)
		strict_order(w, w->nodes - used, coming_back);
	else
		our_rule(w, w->nodes - used, coming_back, now);
	for (int i = 0; i < SERVICES; i++)
		act(w, &w->services[i], tick, now);
}

static bool sound(const struct pool_world *w)
{
	uint32_t used = 0;

	for (int i = 0; i < SERVICES; i++) {
		struct plant_now n = plant_now(w->services[i].plant);
		used += n.serving + n.starting + n.draining;
	}
	return used <= w->nodes;
}

/* One throw; adds what came of it to *sum, as a part of the mean. False when more nodes were used than there are, or when the way never took one. */
static bool run(const struct row *row, unsigned throw, struct row *sum)
{
	static struct pool_world w;
	bool ok = true;

	memset(&w, 0, sizeof w);
	w.way = row->way;
	w.nodes = row->nodes;
	w.throw = throw;
	for (unsigned i = 0; i < SERVICES; i++) {
		struct pool_service *s = &w.services[i];
		s->setup = (struct plant_setup){.trace = TRACE_NOISY, .start_s = START_S, .size = PLANT_MIN, .max = MEMBERS_MOST,
					       .repeat = SERVICES * throw + i, .budget = 12};
		s->plant = plant_begin(&s->setup);
		s->asks = (struct arbiter_service){.class = i / 2 + 1, .min = PLANT_MIN};
	}
	for (unsigned tick = 0; tick < TRACE_TICKS; tick++) {
		if (tick == LEARN_DAYS * TRACE_DAY_TICKS)
			w.moves = w.taken = w.taken_back = 0;
		step(&w, tick);
		ok = ok && sound(&w);
	}
	for (int i = 0; i < SERVICES; i++) {
		sum->over[i] += 100.0 * w.services[i].over / COUNTED_TICKS / THROWS;
		free(w.services[i].plant);
	}
	sum->moves += (double)w.moves / (TRACE_DAYS - LEARN_DAYS) / THROWS;
	sum->taken_back += (double)w.taken_back / (TRACE_DAYS - LEARN_DAYS) / THROWS;
	return ok && (w.way == FIRST_COME || w.taken > 0);
}

/* --- what is held --------------------------------------------------------------------------------------- */
/* Two fifths more than was measured when the rule was made, and never below 0.2. */
static double bar_of(double measured)
{
	return fmax(.2, 1.4 * measured);
}

static bool show(const struct row *row, const struct row *now, bool ok)
{
	printf("%u nodes, %-12s over %%", row->nodes, way_name[row->way]);
	for (int i = 0; i < SERVICES; i++) {
		bool missed = row->way == OUR_RULE && now->over[i] > bar_of(row->over[i]);
		printf("  %d%s %5.2f (%5.2f%s)", i / 2 + 1, i % 2 ? "s" : " ", now->over[i], row->over[i], missed ? ", MISSED" : "");
		ok = ok && !missed;
	}
	ok = ok && (row->way != OUR_RULE || now->taken_back <= TAKEN_BACK_MOST);
	printf("  moves %3.0f (%3.0f)  taken back %.1f (%.1f)%s\n", now->moves, row->moves, now->taken_back, row->taken_back, ok ? "" : "  FAIL");
	return ok;
}

/* What the rule is for, beside the plain ways: services that surge are better off than in a row, and the last class better than under strict order. */
static bool better(const struct row now[WAYS])
{
	const double *row = now[FIRST_COME].over, *strict = now[STRICT_ORDER].over, *ours = now[OUR_RULE].over;
	bool ok = ours[1] < row[1] && ours[3] < row[3] && ours[5] < strict[5];

	if (!ok)
		puts("    MISSED: a surge of class 1 or 2 costs less than first come, one of class 3 less than strict order");
	return ok;
}

int main(void)
{
	bool all = getenv("GLORY_LONG") != NULL;
	struct row now[ROWS];
	unsigned failed = 0;

	memset(now, 0, sizeof now);
	puts("class, s: surges: over capacity, mean of three throws, days 8 to 14 (when the rule was made)");
	for (size_t i = 0; i < ROWS; i++) {
		bool ok = true;
		if (!all && rows[i].way != OUR_RULE)
			continue;
		for (unsigned throw = 0; throw < THROWS; throw++)
			ok &= run(&rows[i], throw, &now[i]);
		failed += !show(&rows[i], &now[i], ok);
		if (all && rows[i].way == OUR_RULE)
			failed += !better(&now[i - OUR_RULE]);
	}
	return failed > 0;
}
