/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Flap damping; see damp.h. */
#include "monitor/damp.h"

#define WITHIN_MS 900000
#define STABLE_MS 900000
#define SETTLE_MS 90000

struct damp_rule damp_rule_usual(double scale)
{
	return (struct damp_rule){(int64_t)(WITHIN_MS * scale), (int64_t)(STABLE_MS * scale), (int64_t)(SETTLE_MS * scale)};
}

bool damp_call(struct damp *d, const struct damp_rule *rule, int64_t now_ms)
{
	int64_t first = d->called_ms[DAMP_CALLS - 2];

	if (first && now_ms - first <= rule->within_ms)
		d->flapping = true;
	for (int i = DAMP_CALLS - 2; i > 0; i--)
		d->called_ms[i] = d->called_ms[i - 1];
	d->called_ms[0] = now_ms;
	d->turned_ms = now_ms;
	return d->flapping;
}

void damp_good(struct damp *d, int64_t now_ms)
{
	d->turned_ms = now_ms;
}

void damp_uncall(struct damp *d)
{
	for (int i = 0; i < DAMP_CALLS - 2; i++)
		d->called_ms[i] = d->called_ms[i + 1];
	d->called_ms[DAMP_CALLS - 2] = 0;
}

int64_t damp_until(struct damp *d, const struct damp_rule *rule, int64_t now_ms)
{
	if (d->flapping && now_ms - d->turned_ms >= rule->stable_ms)
		d->flapping = false;
	return d->flapping ? d->turned_ms + rule->stable_ms : INT64_MAX;
}
