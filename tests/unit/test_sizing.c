/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sizing rule step by step: what it believes, what it does without data, its limits and its words; that a restart at any tick changes nothing.
 * How well it does is tests/sim/sizing.c. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "service/sizing.h"
#include "tests/sim/plant.h"
#include "tests/unit/unit.h"

#define BEGIN (20000 * (int64_t)86400)

/* A service whose load is set by hand; members come at once. */
struct bench {
	struct sizing_state state;
	struct sizing_view view;
	struct sizing_sample samples[64];
	struct sizing_decision decision;
	double load;           /* members' worth */
	bool silent, zeros;    /* no sample comes; all say 0 */
	unsigned shrinks;
	char reason[SIZING_REASON];
};

static void bench_begin(struct bench *b, uint32_t wanted, double load)
{
	memset(b, 0, sizeof *b);
	sizing_begin(&b->state, BEGIN);
	b->load = load;
	b->view = (struct sizing_view){.now_s = BEGIN, .in_service = wanted, .wanted = wanted, .min = 2, .max = 40, .samples = b->samples, .poll_s = 10,
				       .rate = NAN, .lead_s = 60};
}

static void bench_tick(struct bench *b)
{
	struct sizing_view *v = &b->view;

	v->now_s += SIZING_TICK_S;
	v->sample_count = v->in_service;
	for (uint32_t i = 0; i < v->in_service && i < COUNT_OF(b->samples); i++) {
		double wiggle = 1 + .01 * ((double)((i * 7 + (uint32_t)(v->now_s / 10) * 13) % 11) - 5) / 5;
		b->samples[i] = (struct sizing_sample){.utilisation = (float)fmin(1, b->load / v->in_service * wiggle)};
		if (b->zeros)
			b->samples[i].utilisation = 0;
		if (b->silent)
			b->samples[i] = (struct sizing_sample){.utilisation = NAN, .age_s = 600};
	}
	sizing_step(&b->state, v, &b->decision);
	sizing_reason(&b->decision, b->reason);
	b->shrinks += b->decision.wanted < b->decision.was;
	v->wanted = v->in_service = b->decision.wanted;
}

static void bench_run(struct bench *b, int64_t seconds)
{
	for (int64_t end = b->view.now_s + seconds; b->view.now_s < end;)
		bench_tick(b);
}

/* Whether the reason begins so; shows it when it does not. */
static bool says(const struct bench *b, const char *part)
{
	if (strstr(b->reason, part))
		return true;
	printf("\n  \"%s\" does not say \"%s\"\n", b->reason, part);
	return false;
}

static void test_new_service(void)
{
	struct bench b;

	bench_begin(&b, 0, 0);
	b.view.wanted = b.view.in_service = 0;
	bench_tick(&b);
	CU_ASSERT_EQUAL(b.decision.wanted, 2);
	CU_ASSERT_FALSE(b.decision.known);
	CU_ASSERT_TRUE(says(&b, "keep 2: data unknown for 0 s"));
}

static void test_follows_load(void)
{
	struct bench b;

	bench_begin(&b, 10, 6);
	bench_run(&b, 7200);
	CU_ASSERT(b.view.wanted >= 7 && b.view.wanted <= 8); /* 6 * 1.2 / .95 and tolerance */
	b.load = 12;
	bench_run(&b, 300);
	CU_ASSERT(b.view.wanted >= 13);
	CU_ASSERT(b.decision.emergencies >= 1);
	b.load = 6;
	bench_run(&b, 14400);
	CU_ASSERT(b.view.wanted <= 9);
}

static void test_first_hour_never_shrinks(void)
{
	struct bench b;

	bench_begin(&b, 20, 2);
	bench_run(&b, 3590);
	CU_ASSERT_EQUAL(b.view.wanted, 20);
	CU_ASSERT_TRUE(says(&b, "keep 20: could be 3, held 10 s more in the first hour"));
	bench_run(&b, 60);
	CU_ASSERT_EQUAL(b.view.wanted, 3);
}

static void test_half_hour_between_shrinks(void)
{
	struct bench b;

	bench_begin(&b, 20, 12);
	bench_run(&b, 7200);
	CU_ASSERT_EQUAL(b.shrinks, 1);
	b.load = 4;
	for (int i = 0; i < 360 && b.shrinks < 2; i++)
		bench_tick(&b);
	CU_ASSERT_EQUAL(b.shrinks, 2);
	b.load = 2;
	bench_run(&b, 1700);
	CU_ASSERT_EQUAL(b.shrinks, 2); /* the window is over, the half hour is not */
	CU_ASSERT_TRUE(says(&b, "could be 3, held 2 min more"));
	bench_run(&b, 120);
	CU_ASSERT_EQUAL(b.shrinks, 3);
}

/* A minimum of 2 is no need for 2: without it "1.1 less than there is" could never be true of 3. */
static void test_down_to_the_minimum(void)
{
	struct bench b;

	bench_begin(&b, 3, 1.2);
	bench_run(&b, 10800);
	CU_ASSERT_EQUAL(b.view.wanted, 3); /* a need of 1.5 is near enough to come back */
	b.load = .1;
	bench_run(&b, 600);
	CU_ASSERT_TRUE(says(&b, "keep 3: could be 2, needed within 15 min past or 30 min to come"));
	bench_run(&b, 3000);
	CU_ASSERT_EQUAL(b.view.wanted, 2);
	CU_ASSERT_PTR_NULL(strstr(b.reason, "could be"));
	bench_run(&b, 10800);
	CU_ASSERT_EQUAL(b.view.wanted, 2);
	CU_ASSERT_EQUAL(b.shrinks, 1);
}

static void test_silence_never_shrinks(void)
{
	struct bench b;

	bench_begin(&b, 20, 12);
	bench_run(&b, 7200);
	uint32_t before = b.view.wanted;
	b.shrinks = 0;
	b.load = 2;
	b.silent = true;
	bench_run(&b, 600);
	CU_ASSERT_EQUAL(b.view.wanted, before);
	CU_ASSERT_TRUE(says(&b, "data unknown for 10 min"));
	bench_run(&b, 36000);
	CU_ASSERT_EQUAL(b.shrinks, 0);
	b.silent = false;
	bench_run(&b, 890); /* a quarter of an hour without a break comes first */
	CU_ASSERT_EQUAL(b.shrinks, 0);
	bench_run(&b, 3600);
	CU_ASSERT_EQUAL(b.shrinks, 1);
}

static void test_zeros_with_rate(void)
{
	static const int64_t spans[] = {900, 3000};
	struct bench b;

	for (size_t i = 0; i < COUNT_OF(spans); i++) {
		bench_begin(&b, 20, 12);
		b.view.rate = 1200;
		bench_run(&b, 7200);
		uint32_t before = b.view.wanted;
		b.shrinks = 0;
		b.zeros = true;
		bench_run(&b, spans[i]);
		CU_ASSERT_FALSE(b.decision.known);
		b.zeros = false;
		bench_run(&b, 3600);
		CU_ASSERT_EQUAL(b.shrinks, 0);
		CU_ASSERT_EQUAL(b.view.wanted, before);
	}
	bench_begin(&b, 20, 12); /* for an hour at most: a request may have become cheap */
	b.view.rate = 1200;
	bench_run(&b, 7200);
	b.load = 4;
	bench_run(&b, 3590);
	CU_ASSERT_FALSE(b.decision.known);
	CU_ASSERT_TRUE(says(&b, "data in doubt for 60 min: load 4.0 by the members, 12.0 by what the balancer passes"));
	bench_run(&b, 20);
	CU_ASSERT_TRUE(b.decision.known);
}

static void test_liars(void)
{
	struct bench b;

	bench_begin(&b, 20, 12);
	for (int i = 0; i < 30; i++)
		bench_tick(&b);
	double honest = b.decision.demand;
	for (int lie = 0; lie < 3; lie++) {
		static const float values[] = {0, 1, 1.5f};
		b.view.in_service = b.view.wanted = 20;
		b.view.now_s += SIZING_TICK_S;
		for (int i = 0; i < 20; i++)
			b.samples[i] = (struct sizing_sample){.utilisation = i < 2 ? values[lie] : .6f};
		sizing_step(&b.state, &b.view, &b.decision);
		CU_ASSERT(fabs(b.decision.demand - 12) <= .021 * 20); /* each is held within .18 of the median */
	}
	CU_ASSERT_DOUBLE_EQUAL(honest, 12, .2);
}

/* One tick of a bench whose samples are set by hand. */
static double demand_of(struct bench *b, uint32_t count)
{
	b->view.now_s += SIZING_TICK_S;
	b->view.sample_count = count;
	b->view.wanted = b->view.in_service;
	sizing_step(&b->state, &b->view, &b->decision);
	return b->decision.demand;
}

static void test_samples(void)
{
	struct bench b;

	bench_begin(&b, 4, 0);
	for (int i = 0; i < 4; i++)
		b.samples[i] = (struct sizing_sample){.utilisation = .5f};
	CU_ASSERT_DOUBLE_EQUAL(demand_of(&b, 4), 2, 1e-6);
	CU_ASSERT_DOUBLE_EQUAL(demand_of(&b, 2), 2, 1e-6); /* half of them are enough */
	CU_ASSERT_TRUE(isnan(demand_of(&b, 1)));
	b.samples[0].age_s = 30; /* three polls old */
	b.samples[1].utilisation = 1.51f;
	CU_ASSERT_DOUBLE_EQUAL(demand_of(&b, 4), 2, 1e-6);
	b.samples[2].utilisation = -.01f;
	CU_ASSERT_TRUE(isnan(demand_of(&b, 4)));
	b.view.sample_count = 0;
	b.view.samples = NULL;
	CU_ASSERT_TRUE(isnan(demand_of(&b, 0)));
}

static void test_frozen_sensor(void)
{
	struct bench b;

	bench_begin(&b, 4, 0);
	for (int i = 0; i < 4; i++)
		b.samples[i] = (struct sizing_sample){.utilisation = .5f};
	b.samples[0] = (struct sizing_sample){.utilisation = .4f, .unchanged_s = 600};
	CU_ASSERT_DOUBLE_EQUAL(demand_of(&b, 4), 2, 1e-6);
	b.samples[0].unchanged_s = 599;
	CU_ASSERT_DOUBLE_EQUAL(demand_of(&b, 4), 1.9, 1e-6);
	for (int i = 0; i < 4; i++)
		b.samples[i].unchanged_s = 5000; /* all of them: nothing is loaded, or the load is even */
	CU_ASSERT_DOUBLE_EQUAL(demand_of(&b, 4), 1.9, 1e-6);
	b.samples[0] = (struct sizing_sample){.utilisation = 1, .unchanged_s = 5000}; /* a full member says 1 each time */
	b.samples[1].unchanged_s = 0;
	CU_ASSERT(demand_of(&b, 4) > 2);
}

static void test_full_members_hide_demand(void)
{
	struct bench b;

	bench_begin(&b, 4, 2.4);
	b.view.max = 4;
	b.view.rate = 240;
	bench_run(&b, 3600);
	b.load = 9;
	b.view.rate = 900;
	bench_tick(&b);
	CU_ASSERT_DOUBLE_EQUAL(b.decision.demand, 9, .3); /* the balancer knows */
	b.view.rate = 90000;
	bench_tick(&b);
	CU_ASSERT_DOUBLE_EQUAL(b.decision.demand, 16, .1); /* but is believed up to four times */
	bench_begin(&b, 4, 2.4);
	b.view.max = 4;
	bench_run(&b, 600);
	b.load = 9;
	bench_tick(&b);
	CU_ASSERT_DOUBLE_EQUAL(b.decision.demand, 4 * 1.33, .1); /* nobody knows: more each tick */
	bench_run(&b, 600);
	CU_ASSERT_DOUBLE_EQUAL(b.decision.demand, 12, .1);
}

static void test_pin(void)
{
	struct bench b;

	bench_begin(&b, 10, 6);
	bench_run(&b, 600);
	b.view.pin = 3;
	b.view.pin_until_s = b.view.now_s + 1000;
	bench_tick(&b);
	CU_ASSERT_EQUAL(b.view.wanted, 3);
	CU_ASSERT_TRUE(says(&b, "pin 10>3: pinned until 2024-10-04T00:26:40Z"));
	CU_ASSERT_EQUAL(b.decision.planned, 0);
	double headroom = b.decision.headroom;
	bench_run(&b, 970);
	CU_ASSERT_EQUAL(b.view.wanted, 3); /* full, and still pinned */
	CU_ASSERT_DOUBLE_EQUAL(b.decision.headroom, headroom, 0); /* what a person did teaches nothing */
	bench_run(&b, 200);
	CU_ASSERT(b.view.wanted > 3);
}

static void test_limits(void)
{
	struct bench b;

	bench_begin(&b, 10, 6);
	b.view.max = 7;
	bench_tick(&b);
	CU_ASSERT_EQUAL(b.view.wanted, 7);
	CU_ASSERT_TRUE(says(&b, "limit 10>7: the maximum"));
	b.view.min = 12;
	b.view.max = 20;
	b.silent = true;
	bench_tick(&b);
	CU_ASSERT_EQUAL(b.view.wanted, 12);
	CU_ASSERT_TRUE(says(&b, "limit 7>12: the minimum"));
	b.view.min = 9;
	b.view.max = 5; /* wrong way round: the maximum holds */
	bench_tick(&b);
	CU_ASSERT_EQUAL(b.view.wanted, 5);
	b.view.min = b.view.max = 0;
	bench_tick(&b);
	CU_ASSERT_EQUAL(b.view.wanted, 1);
}

static void test_schedule_floor(void)
{
	struct service_schedule schedule;
	struct error e;
	struct bench b;

	CU_ASSERT_EQUAL(service_schedule_parse("daily 01:00-03:00 9", &schedule, &e), 0);
	bench_begin(&b, 4, 2);
	b.view.schedule = &schedule;
	bench_run(&b, 3600 - 100);
	CU_ASSERT_EQUAL(b.view.wanted, 4);
	bench_run(&b, 10); /* 90 s ahead: the lead and 30 */
	CU_ASSERT_EQUAL(b.view.wanted, 9);
	CU_ASSERT_TRUE(says(&b, "limit 4>9: the schedule's minimum"));
	bench_run(&b, 3600);
	CU_ASSERT_EQUAL(b.view.wanted, 9);
	bench_run(&b, 7200);
	CU_ASSERT(b.view.wanted < 5);
}

static void test_spare(void)
{
	struct bench b;

	bench_begin(&b, 10, 2);
	b.view.spare = true;
	bench_run(&b, 7200);
	CU_ASSERT_EQUAL(b.view.wanted, 4); /* 1.1 * 2 + 1 */
	bench_begin(&b, 10, 2);
	b.view.lead_s = 150;
	bench_run(&b, 7200);
	CU_ASSERT_EQUAL(b.view.wanted, 4);
}

/* Six events of five ticks above .95 of what is there, with so many of the wanted members missing; how much headroom they taught. */
static double taught(uint32_t wanted, uint32_t missing, double load)
{
	struct bench b;

	bench_begin(&b, 10, 6);
	b.view.rate = 600;
	bench_run(&b, 7200);
	double before = b.decision.headroom;
	for (int i = 0; i < 60; i++) {
		b.load = i % 10 < 5 ? load : .5 * load;
		b.view.rate = 100 * b.load;
		b.view.wanted = b.view.min = b.view.max = wanted;
		b.view.in_service = wanted - missing;
		bench_tick(&b);
	}
	return b.decision.headroom - before;
}

static void test_what_is_not_given_teaches_nothing(void)
{
	CU_ASSERT(taught(7, 0, 6.9) > .3);
	CU_ASSERT(taught(7, 3, 6.4) <= 0); /* the pool had no more: four are full, seven would not have been */
	CU_ASSERT(taught(7, 3, 6.9) > .3); /* seven would have been, too */
}

static void test_lead(void)
{
	struct sizing_state s;

	sizing_begin(&s, BEGIN);
	for (int i = 1; i <= 4; i++)
		sizing_started(&s, 10 * i);
	CU_ASSERT_DOUBLE_EQUAL(sizing_lead(&s, 77), 77, 0);
	sizing_started(&s, 50);
	sizing_started(&s, NAN);
	sizing_started(&s, -1);
	CU_ASSERT_DOUBLE_EQUAL(sizing_lead(&s, 77), 50, 0);
	for (int i = 20; i > 0; i--)
		sizing_started(&s, i);
	CU_ASSERT_DOUBLE_EQUAL(sizing_lead(&s, 77), 18, 0);
}

static void test_clock_set_back(void)
{
	struct bench b;

	bench_begin(&b, 20, 12);
	bench_run(&b, 7200);
	uint32_t before = b.view.wanted;
	b.view.now_s -= 86400;
	b.load = 2;
	bench_run(&b, 900);
	CU_ASSERT(b.state.begun_s < b.view.now_s && b.state.changed_s <= b.view.now_s);
	bench_run(&b, 3600);
	CU_ASSERT(b.view.wanted < before); /* it does not hold still for a day */
	b.shrinks = 0;
	b.view.now_s += 7 * 86400; /* nobody asked for a week */
	bench_tick(&b);
	CU_ASSERT_EQUAL(b.shrinks, 0);
	CU_ASSERT_FALSE(b.decision.season);
}

/* Whatever the view says, what is left behind can be stored and taken up again. */
static void test_wild_views(void)
{
	static const double rates[] = {1e-300, 1e300, INFINITY, -1, 0, NAN};
	static char text[SIZING_TEXT];
	struct sizing_state back;
	struct bench b;

	for (size_t i = 0; i < COUNT_OF(rates); i++) {
		bench_begin(&b, 8, 4);
		b.view.rate = rates[i];
		b.view.lead_s = i % 2 ? INFINITY : NAN;
		b.view.wanted = UINT32_MAX;
		bench_run(&b, 600);
		CU_ASSERT_EQUAL(sizing_state_from_text(sizing_state_to_text(&b.state, text), &back, NULL), 0);
		b.view.in_service = b.view.starting = UINT32_MAX;
		b.view.sample_count = 8;
		sizing_step(&b.state, &b.view, &b.decision);
		CU_ASSERT(b.decision.wanted >= 2 && b.decision.wanted <= 40);
		CU_ASSERT_EQUAL(sizing_state_from_text(sizing_state_to_text(&b.state, text), &back, NULL), 0);
	}
}

static void test_text_there_and_back(void)
{
	static char text[SIZING_TEXT], again[SIZING_TEXT];
	struct sizing_state back;
	struct error e;
	struct bench b;

	bench_begin(&b, 10, 6);
	CU_ASSERT_EQUAL(sizing_state_from_text(sizing_state_to_text(&b.state, text), &back, &e), 0);
	bench_run(&b, 90000);
	CU_ASSERT_EQUAL(sizing_state_from_text(sizing_state_to_text(&b.state, text), &back, &e), 0);
	CU_ASSERT_STRING_EQUAL(sizing_state_to_text(&back, again), text);
	CU_ASSERT_PTR_NULL(strpbrk(text, " \"\\\n"));
	CU_ASSERT(strlen(text) < SIZING_TEXT - 1);
}

static void test_damaged_text(void)
{
	static char text[SIZING_TEXT];
	struct sizing_state back;
	struct bench b;
	unsigned taken = 0;

	bench_begin(&b, 10, 6);
	bench_run(&b, 3600);
	sizing_state_to_text(&b.state, text);
	size_t length = strlen(text);
	for (size_t i = 0; i < length; i += 7) {
		struct error e = {.kind = 0};
		char was = text[i];
		text[i] = was == 'A' ? 'B' : 'A';
		taken += sizing_state_from_text(text, &back, &e) == 0;
		CU_ASSERT(e.kind == ERR_CONFIG && e.text[0] && e.remedy[0]);
		text[i] = was;
	}
	CU_ASSERT_EQUAL(taken, 0);
	CU_ASSERT_EQUAL(back.headroom, 1.2); /* as a new one */
	for (size_t cut = 0; cut < length; cut += 501) {
		char was = text[cut];
		text[cut] = '\0';
		CU_ASSERT_EQUAL(sizing_state_from_text(text, &back, NULL), ERR_CONFIG);
		text[cut] = was;
	}
	CU_ASSERT_EQUAL(sizing_state_from_text("", &back, NULL), ERR_CONFIG);
	CU_ASSERT_EQUAL(sizing_state_from_text("s2:x", &back, NULL), ERR_CONFIG);
}

/* Numbers that no step gives are refused although the checksum is right. */
static void test_unsound_text(void)
{
	static char text[SIZING_TEXT];
	struct sizing_state s, back;

#define REFUSED(change)                                                                                                    \
	do {                                                                                                               \
		sizing_begin(&s, BEGIN);                                                                                   \
		change;                                                                                                    \
		CU_ASSERT_EQUAL(sizing_state_from_text(sizing_state_to_text(&s, text), &back, NULL), ERR_CONFIG);          \
	} while (0)
	REFUSED(s.headroom = NAN);
	REFUSED(s.headroom = 100);
	REFUSED(s.cost = -1);
	REFUSED(s.cost = INFINITY);
	REFUSED(s.fresh_count = 8);
	REFUSED(s.start_count = 21);
	REFUSED(s.minute_count = 1);
	REFUSED(s.wanted = 4097);
	REFUSED(s.borrowed = 2);
	REFUSED(s.now_s = INT64_MAX);
	REFUSED(s.now_s = -1);
	REFUSED(s.season[4][287] = -1);
	REFUSED(s.planned[0] = INT64_MIN);
	REFUSED(s.demand_hour = 1);
}

/* Five days of bursts with deaths and lies: with a restart each 7th tick the decisions are the same as without. */
static void test_restarts_change_nothing(void)
{
	static double load[TRACE_TICKS];
	static const enum trace traces[] = {TRACE_BURSTS, TRACE_GAPS, TRACE_LIAR};
	struct plant_result plain, restarted;

	for (size_t i = 0; i < COUNT_OF(traces); i++) {
		struct plant_setup setup = {.trace = traces[i], .load = load, .start_s = 120, .size = 8, .budget = 12, .learn_days = 1, .ticks = 4 * TRACE_DAY_TICKS};
		trace_make(traces[i], 0, load);
		plant_run(&setup, &plain);
		setup.restart_ticks = 7;
		plant_run(&setup, &restarted);
		CU_ASSERT(plain.changes > 0);
		CU_ASSERT_EQUAL(plain.digest, restarted.digest);
		CU_ASSERT_EQUAL(plain.blind_shrinks, 0);
		setup.restart_ticks = 0;
		setup.repeat = 1;
		plant_run(&setup, &restarted);
		CU_ASSERT_NOT_EQUAL(plain.digest, restarted.digest); /* the digest does tell */
	}
}

/* The dice of the traces, so that other languages' results can be held beside ours. */
static void test_dice(void)
{
	CU_ASSERT_DOUBLE_EQUAL(trace_uniform(1001, 0), .842574827, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(trace_uniform(1001, 1), .258336701, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(trace_normal(1001, 0), .297823645, 1e-9);
}

static void test_words(void)
{
	static const struct {
		struct sizing_decision d;
		const char *words;
	} cases[] = {
		{{.verb = SIZING_GROW, .was = 9, .wanted = 12, .forecast = 10.1, .ahead_s = 150, .season = true, .factor = .97, .headroom = 1.13},
		 "grow 9>12: forecast 10.1 in 150 s (season, x0.97), headroom 1.13"},
		{{.verb = SIZING_KEEP, .hold = SIZING_HOLD_UNKNOWN, .was = 12, .wanted = 12, .unknown_s = 240}, "keep 12: data unknown for 4 min"},
		{{.verb = SIZING_KEEP, .hold = SIZING_HOLD_DOUBT, .was = 6, .wanted = 6, .unknown_s = 2500, .told = .22, .passed = 2.74},
		 "keep 6: data in doubt for 42 min: load 0.2 by the members, 2.7 by what the balancer passes"},
		{{.verb = SIZING_KEEP, .hold = SIZING_HOLD_CHANGE, .was = 12, .wanted = 12, .could_be = 10, .held_s = 650}, "keep 12: could be 10, held 11 min more"},
		{{.verb = SIZING_KEEP, .hold = SIZING_HOLD_BUDGET, .was = 12, .wanted = 12, .could_be = 10, .planned = 12},
		 "keep 12: could be 10, 12 changes in 24 h are the budget"},
		{{.verb = SIZING_EMERGENCY, .was = 9, .wanted = 14, .pressing = 12.31, .demand = 10.2},
		 "emergency 9>14: load of 12.3 members is at hand, demand 10.2"},
		{{.verb = SIZING_PIN, .was = 9, .wanted = 9, .need = 6.2}, "pin 9: pinned, the rule says 7"},
		{{.verb = SIZING_KEEP, .was = 3, .wanted = 3, .forecast = 2.2, .ahead_s = 90, .headroom = 1.2, .floor = true},
		 "keep 3: forecast 2.2 in 90 s, headroom 1.20, schedule's minimum in force"},
	};
	char out[SIZING_REASON];

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CU_ASSERT_STRING_EQUAL(sizing_reason(&cases[i].d, out), cases[i].words);
}

static const struct unit_test tests[] = {
	{"a new service", test_new_service},
	{"it follows the load", test_follows_load},
	{"the first hour never shrinks", test_first_hour_never_shrinks},
	{"half an hour lies between shrinks", test_half_hour_between_shrinks},
	{"down to the minimum", test_down_to_the_minimum},
	{"silence never shrinks", test_silence_never_shrinks},
	{"zeros shrink nothing while the rate goes on", test_zeros_with_rate},
	{"liars are held near the median", test_liars},
	{"which samples count", test_samples},
	{"a frozen sensor", test_frozen_sensor},
	{"full members hide demand", test_full_members_hide_demand},
	{"a pin wins until it ends", test_pin},
	{"minimum and maximum", test_limits},
	{"the schedule raises the minimum ahead of time", test_schedule_floor},
	{"one member more", test_spare},
	{"what is not given teaches nothing", test_what_is_not_given_teaches_nothing},
	{"the lead is measured", test_lead},
	{"the clock is set back", test_clock_set_back},
	{"wild views", test_wild_views},
	{"the state as text and back", test_text_there_and_back},
	{"damaged text", test_damaged_text},
	{"unsound text", test_unsound_text},
	{"restarts change nothing", test_restarts_change_nothing},
	{"the dice of the traces", test_dice},
	{"the reason in words", test_words},
};
UNIT_MAIN("sizing", tests)
