/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plant; see plant.h. */
#include "tests/sim/plant.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { MEMBERS = 1024, TICK = 10, DRAIN_TICKS = 6, WARM_S = 60, HOUR_TICKS = 360, BEGIN_S = 20000 * 86400 };
enum member_is { IS_STARTING = 1, IS_SERVING, IS_DRAINING };

struct member {
	enum member_is is;
	double since;          /* it serves; or: it is ready then; or: it is gone then. Ticks. */
	double capacity, share;
};
struct plant {
	const struct plant_setup *setup;
	struct member members[MEMBERS];
	unsigned count, serving, starting;
	uint64_t dice;
	double capacity;       /* of all that serve, now */
	double rate;
	struct sizing_sample samples[MEMBERS];
	struct sizing_state state;
	struct sizing_decision decision;
	uint32_t wanted;
	int death;             /* tick of the day */
	unsigned since_known;
};

static double throw_uniform(struct plant *p)
{
	return (double)(trace_mix(p->dice++) >> 11) / 9007199254740992.0;
}

/* four sixteenth-bit throws of one number: near enough for noise of a percent */
static double throw_normal(struct plant *p)
{
	uint64_t z = trace_mix(p->dice++);

	return ((double)((z & 0xffff) + (z >> 16 & 0xffff) + (z >> 32 & 0xffff) + (z >> 48)) / 65536 - 2) * 1.7320508;
}

static void drop(struct plant *p, unsigned i)
{
	memmove(&p->members[i], &p->members[i + 1], (p->count - i - 1) * sizeof p->members[0]);
	p->count--;
}

static void start_one(struct plant *p, double tick)
{
	struct member *m;

	if (p->count == MEMBERS)
		return;
	m = &p->members[p->count++];
	*m = (struct member){.is = IS_STARTING, .since = tick + p->setup->start_s * (.8 + .4 * throw_uniform(p)) / TICK,
			     .capacity = .9 + .2 * throw_uniform(p), .share = .9 + .2 * throw_uniform(p)};
	p->starting++;
}

/* Starting members are cancelled first, the youngest of all. */
static void stop_one(struct plant *p, double tick)
{
	enum member_is from = p->starting ? IS_STARTING : IS_SERVING;
	unsigned i = p->count;

	while (i-- > 0)
		if (p->members[i].is == from) {
			if (from == IS_STARTING) {
				p->starting--;
				drop(p, i);
			} else {
				p->serving--;
				p->members[i].is = IS_DRAINING;
				p->members[i].since = tick + DRAIN_TICKS;
			}
			return;
		}
}

static void bring_about(struct plant *p, double tick)
{
	while (p->serving + p->starting < p->wanted && p->count < MEMBERS)
		start_one(p, tick);
	while (p->serving + p->starting > p->wanted)
		stop_one(p, tick);
}

/* What time brings: members come, go and die. True when one died. */
static bool advance(struct plant *p, unsigned tick)
{
	for (unsigned i = 0; i < p->count; i++) {
		struct member *m = &p->members[i];
		if (m->is == IS_STARTING && m->since <= tick) {
			m->is = IS_SERVING;
			p->starting--;
			p->serving++;
		} else if (m->is == IS_DRAINING && m->since <= tick) {
			drop(p, i--);
		}
		if (tick % HOUR_TICKS == 0)
			m->share = .9 + .2 * throw_uniform(p);
	}
	if (tick % TRACE_DAY_TICKS == 0)
		p->death = (int)(throw_uniform(p) * TRACE_DAY_TICKS);
	if ((int)(tick % TRACE_DAY_TICKS) != p->death || !p->serving)
		return false;
	unsigned victim = (unsigned)(throw_uniform(p) * p->serving);
	for (unsigned i = 0; i < p->count; i++)
		if (p->members[i].is == IS_SERVING && victim-- == 0) {
			drop(p, i);
			p->serving--;
			break;
		}
	return true;
}

static double ramp(const struct member *m, unsigned tick)
{
	double s = (tick - m->since) * TICK;

	return s >= WARM_S ? 1 : .2 + .8 * s / WARM_S;
}

/* What the members say, lies and holes among it. */
static void distort(struct plant *p, unsigned tick, unsigned nth, struct sizing_sample *sample)
{
	static const float stuck[] = {0, 1, .5f};
	unsigned day = tick / TRACE_DAY_TICKS, second = tick % TRACE_DAY_TICKS * TICK;

	if (p->setup->trace == TRACE_LIAR) {
		if (nth < (p->serving + 9) / 10)
			sample->utilisation = stuck[day % 3];
		if (second >= 50400 && second < 51300)
			sample->utilisation = 0;
	}
	if (p->setup->trace == TRACE_GAPS && (throw_uniform(p) < .05 || (second >= 32400 && second < 33000)))
		*sample = (struct sizing_sample){.utilisation = NAN, .age_s = 1000};
}

static void observe(struct plant *p, unsigned tick, double load)
{
	double shares = 0, cost = .01 * (1 + .1 * trace_wander(p->setup->repeat + 77, tick * TICK, 21600));
	unsigned nth = 0, second = tick % TRACE_DAY_TICKS * TICK;

	p->capacity = 0;
	for (unsigned i = 0; i < p->count; i++)
		if (p->members[i].is == IS_SERVING) {
			shares += p->members[i].share * ramp(&p->members[i], tick);
			p->capacity += p->members[i].capacity * ramp(&p->members[i], tick);
		}
	for (unsigned i = 0; i < p->count; i++)
		if (p->members[i].is == IS_SERVING) {
			double u = load * p->members[i].share / shares / p->members[i].capacity;
			p->samples[nth] = (struct sizing_sample){.utilisation = (float)fmin(1, u * (1 + .01 * throw_normal(p)))};
			distort(p, tick, nth, &p->samples[nth]);
			nth++;
		}
	p->rate = load / cost * (1 + .03 * throw_normal(p));
	if (p->setup->trace == TRACE_GAPS && second >= 32400 && second < 33000)
		p->rate = NAN;
}

static void through_text(struct plant *p)
{
	static char text[SIZING_TEXT];
	struct error e;

	sizing_state_to_text(&p->state, text);
	memset(&p->state, 0xff, sizeof p->state);
	sizing_state_from_text(text, &p->state, &e);
}

static void decide(struct plant *p, unsigned tick)
{
	struct sizing_view view = {
		.now_s = BEGIN_S + (int64_t)tick * TICK, .in_service = p->serving, .starting = p->starting, .wanted = p->wanted, .min = PLANT_MIN,
		.max = p->setup->max ? p->setup->max : 2 * p->setup->size, .samples = p->samples, .sample_count = p->serving, .poll_s = TICK, .rate = p->rate,
		.lead_s = 1.15 * p->setup->start_s, .budget = p->setup->budget,
	};

	if (p->setup->restart_ticks && tick % p->setup->restart_ticks == 0)
		through_text(p);
	sizing_step(&p->state, &view, &p->decision);
	p->wanted = p->decision.wanted;
	p->since_known = p->decision.known ? p->since_known + 1 : 0;
}

static void count(const struct plant *p, struct plant_result *r, double load, double *served, double *paid, double *run)
{
	const struct sizing_decision *d = &p->decision;
	bool changed = d->wanted != d->was, urgent = d->verb == SIZING_EMERGENCY || d->verb == SIZING_RETURN;

	*served += fmin(load, p->capacity);
	*paid += p->count;
	r->fixed += load;
	*run = load > p->capacity ? *run + TICK : 0;
	r->over += load > p->capacity;
	r->longest_over_s = fmax(r->longest_over_s, *run);
	r->changes += changed;
	r->planned += changed && !urgent;
	r->emergencies += changed && urgent;
	r->blind_shrinks += d->wanted < d->was && p->since_known < 90;
	r->digest = (r->digest ^ d->wanted) * 0x100000001b3u;
}

struct plant *plant_begin(const struct plant_setup *setup)
{
	struct plant *p = mem_zalloc(sizeof *p);

	p->setup = setup;
	p->dice = trace_mix(4711 + setup->repeat) ^ (uint64_t)setup->trace << 32 ^ setup->size;
	sizing_begin(&p->state, BEGIN_S);
	p->wanted = setup->size;
	while (p->serving < p->wanted) {
		start_one(p, -1e6);
		p->members[p->count - 1].is = IS_SERVING;
		p->starting--;
		p->serving++;
	}
	return p;
}

bool plant_tick(struct plant *p, unsigned tick, double load)
{
	bool died = advance(p, tick);

	observe(p, tick, load);
	decide(p, tick);
	return died;
}

struct plant_now plant_now(const struct plant *p)
{
	return (struct plant_now){.serving = p->serving, .starting = p->starting, .draining = p->count - p->serving - p->starting, .wanted = p->wanted,
				  .demand = p->decision.demand, .capacity = p->capacity};
}

void plant_start(struct plant *p, unsigned tick)
{
	start_one(p, tick);
}

void plant_stop(struct plant *p, unsigned tick)
{
	stop_one(p, tick);
}

void plant_run(const struct plant_setup *setup, struct plant_result *out)
{
	struct plant *p = plant_begin(setup);
	unsigned end = setup->ticks ? setup->ticks : TRACE_TICKS;
	double served = 0, paid = 0, run = 0, ticks = end - setup->learn_days * TRACE_DAY_TICKS, days = ticks / TRACE_DAY_TICKS;

	memset(out, 0, sizeof *out);
	for (unsigned tick = 0; tick < end; tick++) {
		double load = setup->load[tick] * setup->size / 1.3;
		if (advance(p, tick))
			bring_about(p, tick);
		observe(p, tick, load);
		decide(p, tick);
		if (tick >= setup->learn_days * TRACE_DAY_TICKS)
			count(p, out, load, &served, &paid, &run);
		bring_about(p, tick);
	}
	free(p);
	out->utilisation = 100 * served / paid;
	out->saved = 100 * (1 - paid / (ticks * setup->size));
	out->fixed = 100 * out->fixed / (ticks * setup->size);
	out->over = 100 * out->over / ticks;
	out->changes /= days;
	out->planned /= days;
	out->emergencies /= days;
}
