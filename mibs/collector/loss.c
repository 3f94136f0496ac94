/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the paths lose: estimates per node and group, the misses a call needs at that loss (verdicts 4.1), the burst guard.
 * Called by suspicion.c and watch.c.
 */
#include <math.h>

#include "mibs/collector/watch_node.h"

enum { LOSS_BEATS = 300, GROUP_SECONDS = 10, GROUP_LEAST = 10, SPELL_LEAST_MS = 600, SPELL_MOST_MS = 30000, SPELL_KEEP_S = 3600 };

enum { LOSSY_SECONDS = 5, COMMON_LEAST = 3, COMMON_PERCENT = 5 };

static const double LOSS_FLOOR = 0.02, LOSSY_ON = 0.5, LOSSY_OFF = 0.4;

void loss_init(struct watch *w)
{
	for (int i = 0; i <= 1000; i++) {
		double q = fmax(LOSS_FLOOR, i / 1000.0), n = q < 1 ? ceil(w->p.evidence / -log(q)) : w->p.misses_max;

		w->needed[i] = (uint16_t)fmin(n, w->p.misses_max);
	}
}

uint16_t loss_needed(const struct watch *w, double q)
{
	double i = ceil(q * 1000);

	return w->needed[i < 0 ? 0 : i > 1000 ? 1000 : (int)i];
}

static struct loss_second *second_of(struct domain *d, uint32_t second)
{
	struct loss_second *s = &d->seconds[second % LOSS_SECONDS];

	if (s->second != second)
		*s = (struct loss_second){ .second = second };
	return s;
}

static struct loss_second sum_of(const struct domain *d, int64_t now, uint32_t seconds)
{
	uint32_t current = (uint32_t)(now / 1000);
	struct loss_second sum = { 0 };

	for (uint32_t i = 0; i < seconds && i <= current; i++) {
		const struct loss_second *s = &d->seconds[(current - i) % LOSS_SECONDS];

		if (s->second == current - i) {
			sum.sent += s->sent;
			sum.lost += s->lost;
			sum.back += s->back;
		}
	}
	/* a handful of exchanges says little: one loss among three is not 33 % */
	if (sum.sent < GROUP_LEAST)
		sum.sent = GROUP_LEAST;
	return sum;
}

double loss_of_group(const struct watch *w, uint32_t domain, int64_t now, uint32_t seconds)
{
	struct loss_second sum = sum_of(&w->domains[domain], now, seconds);

	return (double)sum.lost / sum.sent;
}

void loss_come_back(struct watch *w, struct node *n, int64_t now)
{
	if (n->ndomains)
		second_of(&w->domains[n->domains[0]], (uint32_t)(now / 1000))->back++;
}

uint32_t loss_comebacks(const struct watch *w, uint32_t domain, int64_t now, uint32_t seconds)
{
	return sum_of(&w->domains[domain], now, seconds).back;
}

/* What the group has surely lost of late: its loss less three quarters of a standard deviation, for windows too short to be exact. */
double loss_of_late(const struct watch *w, uint32_t domain, int64_t now, uint32_t seconds)
{
	struct loss_second sum = sum_of(&w->domains[domain], now, seconds);
	double q = (double)sum.lost / sum.sent;

	return q - 0.75 * sqrt(q * (1 - q) / sum.sent);
}

/* Surely (two standard deviations) more than half lost, for some seconds on end: chance alone must not hold a group. */
static void tell_lossy(struct watch *w, uint32_t domain, int64_t now)
{
	struct domain *d = &w->domains[domain];
	struct loss_second sum = sum_of(d, now, GROUP_SECONDS);
	double q = (double)sum.lost / sum.sent, spread = 2 * sqrt(q * (1 - q) / sum.sent);
	bool over = d->lossy ? q > LOSSY_OFF : q - spread > LOSSY_ON;

	d->evaluated = (uint32_t)(now / 1000);
	d->lossy_for = over == d->lossy ? 0 : d->lossy_for + 1;
	if (d->lossy_for < LOSSY_SECONDS)
		return;
	d->lossy = over;
	d->lossy_for = 0;
	if (w->ops.lossy)
		w->ops.lossy(w->arg, domain, over);
}

void loss_count(struct watch *w, struct node *n, bool lost, int64_t now)
{
	uint32_t second = (uint32_t)(now / 1000);

	n->loss += ((lost ? 1.0F : 0.0F) - n->loss) / LOSS_BEATS;
	n->miss_second = 0;
	if (!n->ndomains)
		return;
	struct domain *d = &w->domains[n->domains[0]];
	/* a held group keeps no books: its members' silence is not loss; but a lossy one must be able to recover */
	if (d->held && !d->lossy)
		return;
	struct loss_second *s = second_of(d, second);
	s->sent++;
	s->lost += lost;
	if (lost)
		n->miss_second = second;
	if (d->evaluated != second)
		tell_lossy(w, n->domains[0], now);
}

/* The exchange was counted as lost at judged_at, and was answered after all. */
void loss_take_back(struct watch *w, struct node *n, int64_t judged_at)
{
	uint32_t second = (uint32_t)(judged_at / 1000);

	n->loss = fmaxf(0, n->loss - 1.0F / LOSS_BEATS);
	n->miss_second = 0;
	if (!n->ndomains)
		return;
	struct loss_second *s = &w->domains[n->domains[0]].seconds[second % LOSS_SECONDS];
	if (s->second == second && s->lost)
		s->lost--;
}

/* A flagged member is likely dead: its miss says nothing about the path of the others. */
void loss_leave_out(struct watch *w, struct node *n)
{
	if (!n->miss_second || !n->ndomains)
		return;
	struct loss_second *s = &w->domains[n->domains[0]].seconds[n->miss_second % LOSS_SECONDS];
	if (s->second == n->miss_second && s->lost && s->sent) {
		s->lost--;
		s->sent--;
	}
	n->miss_second = 0;
}

/* The group's estimate is there to raise the node's when the path has turned bad; its noise must not. */
double loss_of_node(const struct watch *w, const struct node *n, int64_t now)
{
	double group = n->ndomains ? loss_of_late(w, n->domains[0], now, GROUP_SECONDS) : 0;

	return fmax(n->loss, group);
}

/* Many nodes' spells ended in one second: it was not their links. */
static void note_common(struct watch *w, uint32_t second)
{
	if (second != w->spell_second) {
		w->spell_second = second;
		w->spell_count = 0;
	}
	if (++w->spell_count < COMMON_LEAST || w->spell_count * 100 < w->known * COMMON_PERCENT || w->common[w->common_next] == second)
		return;
	w->common_next = (w->common_next + 1) % COMMON_SPELLS;
	w->common[w->common_next] = second;
}

static bool is_common(const struct watch *w, uint32_t second)
{
	for (unsigned i = 0; i < COMMON_SPELLS; i++)
		if (w->common[i] && second - w->common[i] + 1 <= 2)
			return true;
	return false;
}

void guard_learn(struct watch *w, struct node *n, int64_t dark_ms, int64_t now)
{
	if (dark_ms < SPELL_LEAST_MS || dark_ms > SPELL_MOST_MS)
		return;
	note_common(w, (uint32_t)(now / 1000));
	for (int i = SPELLS - 1; i > 0; i--)
		n->spells[i] = n->spells[i - 1];
	n->spells[0] = (struct spell){ (uint32_t)(now / 1000), (uint32_t)dark_ms };
}

uint16_t guard_window(const struct watch *w, const struct node *n, int64_t now)
{
	uint32_t count = 0, longest = 0, second = (uint32_t)(now / 1000);

	for (int i = 0; i < SPELLS; i++) {
		if (!n->spells[i].ms || second - n->spells[i].at_s > SPELL_KEEP_S || is_common(w, n->spells[i].at_s))
			continue;
		count++;
		longest = n->spells[i].ms > longest ? n->spells[i].ms : longest;
	}
	if (count < 2)
		return (uint16_t)w->p.window_ms;
	uint32_t window = longest + longest * 3 / 10 + 200;
	window = window > w->p.guard_max_ms ? w->p.guard_max_ms : window;
	return (uint16_t)(window < w->p.window_ms ? w->p.window_ms : window);
}
