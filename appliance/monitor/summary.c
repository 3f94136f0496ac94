/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Summaries of hours and days; see summary.h. */
#include "monitor/summary.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "monitor/verdict.h"

#define VERSION 1
#define KNOWN_PERMILLE 990
#define QUIET_QUANTILE 0.95

const char *const summary_item_names[SUMMARY_ITEMS] = {"cpu", "mem", "load1", "disk_fill", "if_in", "if_out", "power_draw"};

int summary_item_find(const char *name)
{
	for (int i = 0; i < SUMMARY_ITEMS; i++)
		if (!strcmp(summary_item_names[i], name))
			return i;
	return -1;
}

/* --- states -------------------------------------------------------------------------------------------- */
const char *summary_state_name(unsigned state)
{
	static const char *const names[SUMMARY_STATES] = {[SUMMARY_SUSPENDED] = "suspended", [SUMMARY_HELD] = "held",
							  [SUMMARY_MAINTENANCE] = "maintenance", [SUMMARY_OFF_WANTED] = "off-wanted",
							  [SUMMARY_PATH] = "path"};

	if (state >= SUMMARY_STATES)
		return "?";
	return names[state] ? names[state] : verdict_name((int)state);
}

enum summary_class summary_class_of(unsigned state)
{
	enum verdict v = (enum verdict)state;

	if (state >= SUMMARY_SUSPENDED || state == 0 || v == VERDICT_UNKNOWN || v == VERDICT_GROUP_PATH_LOST)
		return SUMMARY_NEITHER;
	if (v == VERDICT_BOOTING || v == VERDICT_BOOT_FAILED || verdict_is_dead(v))
		return SUMMARY_LOST;
	return SUMMARY_UP;
}

unsigned summary_state_of(enum verdict verdict, bool held, bool suspended, bool maintenance, bool off_wanted)
{
	if (maintenance)
		return SUMMARY_MAINTENANCE;
	if (suspended)
		return SUMMARY_SUSPENDED;
	if (held)
		return SUMMARY_HELD;
	if (verdict == VERDICT_POWERED_OFF && off_wanted)
		return SUMMARY_OFF_WANTED;
	return verdict > 0 && (int)verdict < SUMMARY_SUSPENDED ? verdict : VERDICT_UNKNOWN;
}

void summary_account(struct summary *s, struct summary_clock *clock, unsigned state, int64_t now_ms)
{
	if (clock->state && now_ms > clock->since_ms)
		s->ms[clock->state] += (uint64_t)(now_ms - clock->since_ms);
	if (!clock->state || now_ms > clock->since_ms)
		clock->since_ms = now_ms;
	clock->state = state < SUMMARY_STATES ? state : VERDICT_UNKNOWN;
}

static uint64_t take(uint64_t *from, uint64_t most)
{
	uint64_t taken = *from < most ? *from : most;

	*from -= taken;
	return taken;
}

void summary_incident(struct summary *s, enum verdict verdict, unsigned label, int64_t dark_ms)
{
	uint64_t left = dark_ms > 0 ? (uint64_t)dark_ms : 0;

	if (!label || label >= SUMMARY_STATES)
		label = VERDICT_UNKNOWN;
	s->incidents[label]++;
	if (summary_class_of(label) == SUMMARY_LOST)
		return;
	if (left && summary_class_of(verdict) == SUMMARY_LOST) { /* the last verdict first, then those that it went through */
		uint64_t taken = take(&s->ms[verdict], left);
		s->ms[label] += taken;
		left -= taken;
	}
	for (unsigned i = 0; i < SUMMARY_STATES && left; i++) {
		uint64_t taken = summary_class_of(i) == SUMMARY_LOST ? take(&s->ms[i], left) : 0;
		s->ms[label] += taken;
		left -= taken;
	}
}

void summary_energy(struct summary *s, struct summary_meter *m, double watts, int64_t now_ms)
{
	bool known = isfinite(watts) && watts >= 0;
	int64_t passed = now_ms - m->at_ms;

	if (known && m->known && passed > 0 && passed <= SUMMARY_GAP_MS) {
		s->energy_wh += (m->watts + watts) / 2 * (double)passed / 3.6e6;
		s->energy_ms += (uint64_t)passed;
	}
	*m = (struct summary_meter){.watts = known ? watts : 0, .at_ms = now_ms, .known = known};
}

void summary_merge(struct summary *into, const struct summary *from)
{
	for (unsigned i = 0; i < SUMMARY_STATES; i++) {
		into->ms[i] += from->ms[i];
		into->incidents[i] += from->incidents[i];
	}
	for (unsigned i = 0; i < SUMMARY_ITEMS; i++)
		sketch_merge(&into->items[i], &from->items[i]);
	into->energy_wh += from->energy_wh;
	into->energy_ms += from->energy_ms;
}

void summary_free(struct summary *s)
{
	for (unsigned i = 0; i < SUMMARY_ITEMS; i++)
		sketch_free(&s->items[i]);
	*s = (struct summary){.energy_wh = 0};
}

/* --- reading ------------------------------------------------------------------------------------------- */
uint64_t summary_class_ms(const struct summary *s, enum summary_class class)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < SUMMARY_STATES; i++)
		if (summary_class_of(i) == class)
			sum += s->ms[i];
	return sum;
}

uint64_t summary_watched_ms(const struct summary *s)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < SUMMARY_STATES; i++)
		sum += s->ms[i];
	return sum;
}

double summary_availability(const struct summary *s)
{
	double up = (double)summary_class_ms(s, SUMMARY_UP), lost = (double)summary_class_ms(s, SUMMARY_LOST);

	return up + lost > 0 ? 100 * (up / (up + lost)) : NAN;
}

uint32_t summary_incidents(const struct summary *s)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < SUMMARY_STATES; i++)
		sum += s->incidents[i];
	return sum;
}

double summary_mean_watts(const struct summary *s)
{
	return s->energy_ms ? s->energy_wh * 3.6e6 / (double)s->energy_ms : NAN;
}

bool summary_is_idle(const struct summary *s, const struct summary_limits *limits, int64_t span_ms)
{
	const struct {
		enum summary_item item;
		double below;
	} wanted[] = {{SUMMARY_CPU, limits->cpu_percent}, {SUMMARY_LOAD1, limits->load1},
		      {SUMMARY_IF_IN, limits->net_bytes_s}, {SUMMARY_IF_OUT, limits->net_bytes_s}};

	if (summary_class_ms(s, SUMMARY_LOST) ||
	    (double)summary_class_ms(s, SUMMARY_UP) * 1000 < (double)span_ms * KNOWN_PERMILLE)
		return false;
	for (size_t i = 0; i < COUNT_OF(wanted); i++)
		if (!(sketch_quantile(&s->items[wanted[i].item], QUIET_QUANTILE) < wanted[i].below))
			return false;
	return true;
}

/* --- bytes --------------------------------------------------------------------------------------------- */
/* Version, pairs of state and ms, pairs of state and incidents (each list ended by 0: no state has that number), energy in mWh and its ms,
 * number of items, items. */
size_t summary_pack(const struct summary *s, uint8_t *out)
{
	size_t n = varint_put(out, VERSION);

	for (unsigned i = 1; i < SUMMARY_STATES; i++)
		if (s->ms[i]) {
			n += varint_put(out + n, i);
			n += varint_put(out + n, s->ms[i]);
		}
	out[n++] = 0;
	for (unsigned i = 1; i < SUMMARY_STATES; i++)
		if (s->incidents[i]) {
			n += varint_put(out + n, i);
			n += varint_put(out + n, s->incidents[i]);
		}
	out[n++] = 0;
	n += varint_put(out + n, s->energy_wh < 1e15 ? (uint64_t)(s->energy_wh * 1000) : 0);
	n += varint_put(out + n, s->energy_ms);
	n += varint_put(out + n, SUMMARY_ITEMS);
	for (unsigned i = 0; i < SUMMARY_ITEMS; i++)
		n += sketch_pack(&s->items[i], out + n);
	return n;
}

/* The next pair; false: the list is over (*ok stays) or it is none (*ok false). */
static bool next_pair(const uint8_t **at, const uint8_t *end, uint64_t *state, uint64_t *value, bool *ok)
{
	if (!varint_get(at, end, state)) {
		*ok = false;
	} else if (*state) {
		*ok = *state < SUMMARY_STATES && varint_get(at, end, value);
		return *ok;
	}
	return false;
}

static bool unpack_counts(struct summary *s, const uint8_t **at, const uint8_t *end)
{
	uint64_t state, value, milli_wh;
	bool ok = true;

	while (next_pair(at, end, &state, &value, &ok))
		s->ms[state] = value & INT64_MAX;
	while (ok && next_pair(at, end, &state, &value, &ok))
		s->incidents[state] = (uint32_t)value;
	if (!ok || !varint_get(at, end, &milli_wh) || !varint_get(at, end, &s->energy_ms))
		return false;
	s->energy_wh = (double)milli_wh / 1000;
	return true;
}

bool summary_unpack(struct summary *s, const uint8_t *bytes, size_t size)
{
	const uint8_t *at = bytes, *end = bytes + size;
	uint64_t version, items;

	if (varint_get(&at, end, &version) && version == VERSION && unpack_counts(s, &at, end) && varint_get(&at, end, &items) &&
	    items <= SUMMARY_ITEMS) {
		uint64_t i = 0;
		while (i < items && sketch_unpack(&s->items[i], &at, end))
			i++;
		if (i == items && at == end)
			return true;
	}
	summary_free(s);
	return false;
}
