/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the judge said against what was true, counted and timed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/world.h"

/* 1.8 s, less the last probe's time to be answered */
enum { LINK_LEAST_MS = 1770, ASKED_MS = 300, ROOT_SURE_MS = 3000, AFTERMATH_MS = 8000, TROUBLE_MS = 30000 };

void span_add(struct span *s, double value)
{
	if (s->count == s->size) {
		s->size = s->size ? s->size * 2 : 256;
		s->values = realloc(s->values, s->size * sizeof(*s->values));
		if (!s->values)
			abort();
	}
	s->values[s->count++] = (float)value;
}

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

double span_at(struct span *s, double p)
{
	if (!s->count)
		return 0;
	qsort(s->values, s->count, sizeof(*s->values), by_value);
	uint32_t i = (uint32_t)(p * s->count);
	return s->values[i < s->count ? i : s->count - 1];
}

static void complain(const struct world *w, uint32_t slot, const char *what, const struct judge_verdict *v)
{
	const struct machine *m = &w->machines[slot];

	if (getenv("SIM_VERBOSE"))
		printf("  %.2f node %u %s: %s %s (%s) misses %u/%u d %u, died %lld, dark %lld-%lld, repaired %lld\n",
		       (double)w->now / 1000, slot, what, verdict_name((int)v->verdict), certainty_name((int)v->certainty), v->cause,
		       v->evidence.misses, v->evidence.needed, v->evidence.in.d, (long long)m->died, (long long)m->dark_from,
		       (long long)m->dark_until, (long long)m->repaired);
}

static bool switch_trouble(const struct world *w, const struct machine *m)
{
	const struct switch_box *a = &w->switches[m->small], *b = &w->switches[m->large];

	return (a->dark_until && w->now < a->dark_until + AFTERMATH_MS) || (b->dark_until && w->now < b->dark_until + AFTERMATH_MS);
}

/* Did something else than the death delay what was said of it? Such deaths are counted apart. */
static bool disturbed(const struct world *w, const struct machine *m)
{
	return m->trouble || switch_trouble(w, m) || m->dark_until > m->died - 1000 || (w->last_stall && w->last_stall > m->died - 3000) ||
	       (w->own_back && w->own_back > m->died - 3000) || w->own_dark;
}

static void living_called(struct world *w, const struct judge_verdict *v)
{
	struct machine *m = &w->machines[v->slot];
	int64_t until = m->dark_until < w->now ? m->dark_until : w->now;

	if (w->s->domain_members || switch_trouble(w, m)) {
		w->tally.domain_calls++;
		complain(w, v->slot, "domain call", v);
	} else if (m->dark_until && until - m->dark_from >= LINK_LEAST_MS && w->now - m->dark_until < 1000) {
		w->tally.link_calls++;
	} else {
		w->tally.false_calls++;
		complain(w, v->slot, "false call", v);
	}
}

static void note_call(struct world *w, const struct judge_verdict *v)
{
	struct machine *m = &w->machines[v->slot];
	bool host = m->death == DEATH_CRASH || m->death == DEATH_OFF;

	if (v->held) {
		m->called |= host;
		return;
	}
	if (!host) {
		living_called(w, v);
		return;
	}
	if (w->s->domain_members) {
		w->tally.domain_calls++;
		complain(w, v->slot, "single call", v);
	}
	if (m->struck && w->s->strike == STRIKE_MASS) {
		w->tally.under_root += v->root != JUDGE_NO_DOMAIN;
		w->tally.alone += v->root == JUDGE_NO_DOMAIN;
		if (v->root == JUDGE_NO_DOMAIN)
			complain(w, v->slot, "called alone", v);
	}
	if (m->called)
		return;
	m->called = true;
	if (w->own_back > m->died && !w->own_dark && m->died > w->own_from)
		span_add(&w->tally.called_after, (double)(w->now - w->own_back) / 1000);
	if (disturbed(w, m))
		w->tally.deaths_in_trouble++;
	else
		span_add(&w->tally.called[m->death], (double)(w->now - m->died) / 1000);
}

/* V14: a BMC that is late or silent; V12, V13: what could be done to the node now. */
static void note_bmc(struct world *w, const struct judge_verdict *v)
{
	struct machine *m = &w->machines[v->slot];
	struct verdict_case c = { .in = v->evidence.in, .verdict = v->verdict, .certainty = v->certainty, .held_ms = 1 << 30,
				  .blast_limit = v->root != JUDGE_NO_DOMAIN };

	if (!m->died || !m->called)
		return;
	w->tally.may_reset += v->root != JUDGE_NO_DOMAIN && verdict_permits(&c) & PERMIT_RESET;
	w->tally.back_in_between += !verdict_is_dead(v->verdict);
	if (v->verdict == VERDICT_ISOLATED && !m->isolated) {
		m->isolated = true;
		w->tally.isolated++;
		span_add(&w->tally.isolated_after, (double)(w->now - m->died) / 1000);
	}
	w->tally.corrected += m->isolated && m->verdict == VERDICT_ISOLATED && v->verdict == VERDICT_OS_HUNG;
}

static void note_cause(struct world *w, const struct judge_verdict *v)
{
	struct machine *m = &w->machines[v->slot];
	enum verdict right = m->death == DEATH_OFF ? VERDICT_POWERED_OFF : VERDICT_OS_HUNG;

	if (m->death != DEATH_CRASH && m->death != DEATH_OFF)
		return;
	if (v->certainty >= CERTAINTY_CAUSE && v->verdict != right && !v->held) {
		w->tally.wrong_cause++;
		complain(w, v->slot, "wrong cause", v);
	}
	if (v->certainty >= CERTAINTY_CAUSE && !m->caused) {
		m->caused = true;
		if (!disturbed(w, m))
			span_add(&w->tally.cause[m->death], (double)(w->now - m->died) / 1000);
	}
	if (v->certainty == CERTAINTY_CONFIRMED && !m->confirmed) {
		m->confirmed = true;
		if (!disturbed(w, m))
			span_add(&w->tally.confirmed, (double)(w->now - m->died) / 1000);
	}
}

/*
 * Alive again for less than it takes to be asked (every 0.3 s, verdicts 4.1), and not asked yet: what is said of it is what it was
 * for the whole of its silence. The call had been put off beyond the repair by a dark path, or by loss.
 */
static bool not_asked_since(const struct world *w, const struct machine *m)
{
	bool only_agent = m->booted < m->repaired; /* what was repaired */

	return only_agent && w->now - m->repaired <= ASKED_MS && m->asked < m->repaired;
}

static void note_agent(struct world *w, const struct judge_verdict *v)
{
	struct machine *m = &w->machines[v->slot];

	if (m->death == DEATH_NONE && not_asked_since(w, m)) {
		w->tally.agents_just_back++;
		return;
	}
	if (m->death != DEATH_AGENT) {
		w->tally.false_agent++;
		complain(w, v->slot, "false agent-dead", v);
		return;
	}
	if (m->called)
		return;
	m->called = true;
	if (disturbed(w, m))
		w->tally.deaths_in_trouble++;
	else
		span_add(&w->tally.called[DEATH_AGENT], (double)(w->now - m->died) / 1000);
}

void measure_verdict(void *arg, const struct judge_verdict *v)
{
	struct world *w = arg;
	struct machine *m = &w->machines[v->slot];
	bool dead = verdict_is_dead(v->verdict), was_dead = verdict_is_dead((enum verdict)m->verdict);

	if (dead && (!was_dead || (m->died && !m->called)))
		note_call(w, v);
	if (dead && !v->held)
		note_cause(w, v);
	note_bmc(w, v);
	w->tally.hung_alive += dead && v->held && !m->died && w->s->strike == STRIKE_LOSS && v->verdict != VERDICT_GROUP_PATH_LOST;
	/* said again of one that was confirmed while it was dead is nothing new: its return may wait for the own link */
	if (v->certainty == CERTAINTY_CONFIRMED && m->certainty != CERTAINTY_CONFIRMED && !m->died && !v->held && v->evidence.in.k != STATE_ANS &&
	    w->now - m->repaired > AFTERMATH_MS) {
		w->tally.false_confirmed++;
		complain(w, v->slot, "false confirmed", v);
	}
	if (v->verdict == VERDICT_AGENT_DEAD && m->verdict != VERDICT_AGENT_DEAD)
		note_agent(w, v);
	w->tally.late_slow += v->verdict == VERDICT_AGENT_SLOW && m->verdict != VERDICT_AGENT_SLOW;
	m->verdict = (uint8_t)v->verdict;
	m->certainty = (uint8_t)v->certainty;
}

void measure_closed(void *arg, const struct judge_closed *c)
{
	struct world *w = arg;
	const struct machine *m = &w->machines[c->slot];

	if (m->dark_until && !m->repaired) {
		w->tally.taken_back++;
		w->tally.taken_back_path += c->how == RETURN_PATH;
	}
}

void measure_domain(void *arg, const struct judge_domain *d)
{
	struct world *w = arg;

	w->tally.onsets += d->is_root && d->common_onset;
	if (!d->is_root || d->certainty < CERTAINTY_CALLED || d->state == DOMAIN_STATE_OK)
		return;
	w->tally.lossy_roots += strncmp(d->cause, "path loss", 9) == 0;
	if (d->certainty == CERTAINTY_CALLED || (d->id && !w->switches[d->id - 1].rooted))
		w->tally.roots++;
	if (getenv("SIM_DOMAINS"))
		printf("  %.2f domain %u root: %s, %u of %u silent\n", (double)w->now / 1000, d->id, d->cause, d->flagged, d->members);
	if (!d->id) {
		w->tally.roots_forbidden++;
		return;
	}
	struct switch_box *b = &w->switches[d->id - 1];
	if (b->rooted)
		return;
	b->rooted = true;
	bool dark = b->wide || (b->dark_until && w->now < b->dark_until + AFTERMATH_MS && b->dark_until - b->dark_from >= LINK_LEAST_MS);
	w->tally.roots_forbidden += !dark;
	if (!dark && getenv("SIM_VERBOSE"))
		printf("  %.2f domain %u: a root alarm, but its switch was dark %lld-%lld\n", (double)w->now / 1000, d->id, (long long)b->dark_from,
		       (long long)b->dark_until);
}

/* The switch's last darkness is over: was its root alarm there? */
void measure_switch(struct world *w, uint32_t box)
{
	struct switch_box *b = &w->switches[box];

	if (!b->dark_from || (!b->wide && b->dark_until - b->dark_from < ROOT_SURE_MS))
		return;
	w->tally.roots_wanted++;
	w->tally.roots_missing += !b->rooted;
	if (!b->rooted && getenv("SIM_VERBOSE"))
		printf("  %.2f switch %u dark %lld-%lld without root alarm\n", (double)w->now / 1000, box, (long long)b->dark_from,
		       (long long)b->dark_until);
}

void measure_end(struct world *w)
{
	for (uint32_t i = 0; i < w->switches_all; i++)
		if (w->now - w->switches[i].dark_from > ROOT_SURE_MS)
			measure_switch(w, i);
	for (uint32_t slot = 0; slot < w->s->nodes; slot++) {
		const struct machine *m = &w->machines[slot];

		w->tally.missed_deaths += m->died && !m->called && !m->trouble && w->now - m->died > TROUBLE_MS;
	}
	w->tally.normal_second = w->tally.sent * 1000 / (uint64_t)(w->now - 1000000);
}
