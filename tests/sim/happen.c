/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What befalls the site: deaths and repairs, dark links and switches, the appliance's own link and its stalls. */
#include <math.h>
#include <stdlib.h>

#include "tests/sim/world.h"

enum { WARM_MS = 90000, REPAIR_HOST_MS = 120000, REPAIR_AGENT_MS = 60000, DOMAIN_EVERY_MS = 30000, DOMAIN_REPAIR_MS = 15000, QUIET_MS = 15000 };

static const double DAY_MS = 86400000;

/* the time of the next event of a Poisson process; far away when the rate is 0 */
static double after(struct world *w, double a_day, double now)
{
	return a_day > 0 ? now - log(1 - chance(w)) * DAY_MS / a_day : 1e18;
}

static bool due(struct world *w, double *next, double a_day)
{
	if (*next == 0)
		*next = after(w, a_day, (double)w->now + WARM_MS);
	if ((double)w->now < *next)
		return false;
	*next = after(w, a_day, *next);
	return true;
}

/* log-uniform, whole steps */
static int64_t length(struct world *w, double least_s, double most_s)
{
	double s = least_s * pow(most_s / least_s, chance(w));

	return (int64_t)(s * 1000 / STEP_MS) * STEP_MS;
}

static void repair_later(struct world *w, uint32_t slot, int64_t at)
{
	if (w->repair_count == w->repair_size) {
		w->repair_size = w->repair_size ? w->repair_size * 2 : 256;
		w->repairs = realloc(w->repairs, w->repair_size * sizeof(*w->repairs));
		if (!w->repairs)
			abort();
	}
	w->repairs[w->repair_count++] = (struct repair){ at, slot };
}

void kill_machine(struct world *w, uint32_t slot, enum death kind, int64_t repair_ms)
{
	struct machine *m = &w->machines[slot];

	m->death = (uint8_t)kind;
	m->died = w->now;
	m->called = m->caused = m->confirmed = m->isolated = m->struck = false;
	m->trouble = path_dark(w, slot) || w->now < w->stalled_until;
	w->tally.deaths++;
	repair_later(w, slot, w->now + repair_ms);
}

static void repair(struct world *w)
{
	for (uint32_t i = 0; i < w->repair_count;) {
		struct machine *m = &w->machines[w->repairs[i].slot];

		if (w->now < w->repairs[i].at) {
			i++;
			continue;
		}
		if (!m->called && !m->trouble && !path_dark(w, w->repairs[i].slot))
			w->tally.missed_deaths++;
		m->agent_started = w->now;
		if (m->death != DEATH_AGENT)
			m->booted = w->now;
		m->death = DEATH_NONE;
		m->died = 0;
		m->repaired = w->now;
		w->repairs[i] = w->repairs[--w->repair_count];
	}
}

static void die(struct world *w)
{
	uint32_t slot = world_any(w, w->s->nodes);
	double u = chance(w);

	if (w->machines[slot].died || w->now - w->machines[slot].repaired < 60000)
		return;
	enum death kind = w->s->crashes_only || u < 0.6 ? DEATH_CRASH : u < 0.8 ? DEATH_OFF : DEATH_AGENT;
	kill_machine(w, slot, kind, kind == DEATH_AGENT ? REPAIR_AGENT_MS : REPAIR_HOST_MS);
}

static void burst(struct world *w)
{
	struct machine *m = &w->machines[world_any(w, w->s->nodes)];

	if (w->now < m->dark_until + 1000 || m->died)
		return;
	m->dark_from = w->now;
	m->dark_until = w->now + length(w, w->s->burst_min_s, w->s->burst_max_s);
}

static bool quiet(const struct world *w, const struct switch_box *b)
{
	return w->now > b->dark_until + QUIET_MS;
}

/* one thing at a time around each large switch, or it could not be said which root alarm was due */
static bool neighbourhood_quiet(const struct world *w, uint32_t large)
{
	uint32_t each = LARGE_GROUP / SMALL_GROUP, first = (large - w->switches_small) * each;

	for (uint32_t i = first; i < first + each && i < w->switches_small; i++)
		if (!quiet(w, &w->switches[i]))
			return false;
	return quiet(w, &w->switches[large]);
}

static void dark(struct world *w)
{
	uint32_t i = world_any(w, w->switches_all), each = LARGE_GROUP / SMALL_GROUP;
	struct switch_box *b = &w->switches[i];

	if (!neighbourhood_quiet(w, i < w->switches_small ? w->switches_small + i / each : i))
		return;
	measure_switch(w, i);
	b->dark_from = w->now;
	b->dark_until = w->now + length(w, w->s->dark_min_s, w->s->dark_max_s);
	b->rooted = false;
}

static void stall(struct world *w)
{
	if (w->now < w->stalled_until + 1000 || w->own_dark)
		return;
	w->stalled_until = w->last_stall = w->now + length(w, w->s->stall_min_s, w->s->stall_max_s);
	w->kept = 0;
}

static void own(struct world *w)
{
	if (w->own_dark || w->now < w->stalled_until)
		return;
	w->own_dark = true;
	w->own_from = w->now;
	w->own_dark_until = w->now + length(w, w->s->own_min_s, w->s->own_max_s);
	if (!w->s->own_silent)
		watch_carrier(w->watch, false, w->now);
}

/* V7: all members of one domain, in the same moment */
static void kill_domain(struct world *w)
{
	uint32_t size = w->s->domain_members, first = w->next_victim * size;

	if (first + size > w->s->nodes)
		w->next_victim = first = 0;
	w->next_victim++;
	struct switch_box *b = &w->switches[w->machines[first].small];
	measure_switch(w, w->machines[first].small);
	b->dark_from = w->now;
	b->dark_until = w->now; /* not the switch itself: its members */
	b->rooted = false;
	b->wide = true;
	for (uint32_t slot = first; slot < first + size; slot++)
		if (!w->machines[slot].died)
			kill_machine(w, slot, w->s->domain_off ? DEATH_OFF : DEATH_CRASH, DOMAIN_REPAIR_MS);
}

void happen(struct world *w)
{
	const struct scenario *s = w->s;

	repair(w);
	if (w->own_dark && w->now >= w->own_dark_until) {
		w->own_dark = false;
		w->own_back = w->now;
		if (!s->own_silent)
			watch_carrier(w->watch, true, w->now);
	}
	while (due(w, &w->next_death, s->deaths_a_day))
		die(w);
	while (due(w, &w->next_burst, s->bursts_a_day * s->nodes))
		burst(w);
	while (due(w, &w->next_dark, s->darks_a_day * w->switches_all))
		dark(w);
	while (due(w, &w->next_stall, s->stalls_a_day))
		stall(w);
	while (due(w, &w->next_own, s->own_a_day))
		own(w);
	if (s->domain_members && (w->now - 1000000) % DOMAIN_EVERY_MS == 0 && w->now > 1000000 + WARM_MS)
		kill_domain(w);
}
