/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of scenarios with their bounds, and the checks that say more than its columns can. Read by sim.c. */
#include "tests/sim/scenarios.h"

#include <stdio.h>

#include "monitor/verdict.h"

static bool check_roots(const struct scenario *s, const void *world)
{
	const struct tally *t = &((const struct world *)world)->tally;

	(void)s;
	return t->roots_wanted && !t->roots_missing && !t->roots_forbidden;
}

static bool check_pace(const struct scenario *s, const void *world)
{
	const struct tally *t = &((const struct world *)world)->tally;

	(void)s;
	return t->suspended && t->peak_second && t->peak_second * 2 <= t->normal_second * 3;
}

static bool check_suspended(const struct scenario *s, const void *world)
{
	struct tally t = ((const struct world *)world)->tally;

	/* without a carrier that tells, the site rule speaks within 2 s of the last heartbeat's turn */
	printf("    suspended after %.2f s at most, a death meanwhile called %.2f s after the return at most (%u of them)\n",
	       span_at(&t.suspended_after, 1), span_at(&t.called_after, 1), t.called_after.count);
	return t.suspended_after.count && span_at(&t.suspended_after, 1) <= (s->own_silent ? 2.51 : 2) &&
	       span_at(&t.called_after, 1) <= (s->own_silent ? 7 : 3.01);
}

static bool check_links(const struct scenario *s, const void *world)
{
	const struct tally *t = &((const struct world *)world)->tally;

	(void)s;
	return t->link_calls && t->taken_back_path * 1000 >= t->taken_back * 999;
}

static bool check_no_links(const struct scenario *s, const void *world)
{
	(void)s;
	return ((const struct world *)world)->tally.link_calls == 0;
}

static bool check_slow(const struct scenario *s, const void *world)
{
	const struct tally *t = &((const struct world *)world)->tally;

	return t->late_slow >= (uint64_t)(s->nodes * s->late_share * 0.8);
}

static bool check_strikes(const struct scenario *s, const void *world)
{
	const struct tally *t = &((const struct world *)world)->tally;
	uint64_t whole = t->strikes - 1; /* the last one may not be over */

	printf("    %llu strikes, suspended within 3 s at %llu, judging again after %llu\n", (unsigned long long)t->strikes,
	       (unsigned long long)t->suspended_strikes, (unsigned long long)t->settled_strikes);
	(void)s;
	return t->strikes > 2 && t->suspended_strikes >= whole && t->settled_strikes >= whole;
}

/* three probes of each silent node in 0.4 s are what lets domains speak first: the worst second is at most 2.75 ordinary ones */
static bool check_mass(const struct scenario *s, const void *world)
{
	const struct tally *t = &((const struct world *)world)->tally;

	printf("    %llu mass deaths: %llu nodes called under a common onset, %llu alone, %llu roots, %llu onsets, reset permitted %llu\n",
	       (unsigned long long)t->strikes, (unsigned long long)t->under_root, (unsigned long long)t->alone,
	       (unsigned long long)t->roots, (unsigned long long)t->onsets, (unsigned long long)t->may_reset);
	(void)s;
	return t->strikes && !t->alone && !t->may_reset && t->roots + t->onsets && t->peak_second && t->peak_second * 4 <= t->normal_second * 11;
}

static bool check_roll(const struct scenario *s, const void *world)
{
	const struct tally *t = &((const struct world *)world)->tally;

	(void)s;
	return t->strikes > 4 && !t->onsets && !t->roots && !t->may_reset;
}

/* the path is bad, nobody is dead; above half of all exchanges lost its group says so, once */
static bool check_loss(const struct scenario *s, const void *world)
{
	const struct tally *t = &((const struct world *)world)->tally;
	double q = 1 - (1 - s->strike_loss) * (1 - s->strike_loss);

	printf("    %llu groups turned bad, %llu path-loss roots, %llu of the living called something else under them\n",
	       (unsigned long long)t->strikes, (unsigned long long)t->lossy_roots, (unsigned long long)t->hung_alive);
	return t->strikes && !t->hung_alive && (q > 0.5 ? t->lossy_roots + 1 >= t->strikes && t->lossy_roots <= t->strikes : !t->lossy_roots && !t->roots);
}

static bool check_bmc(const struct scenario *s, const void *world)
{
	struct tally t = ((const struct world *)world)->tally;
	bool late = s->bmc_delay_s < 0 || s->bmc_delay_s > 2.5;

	printf("    isolated %llu (first %.2f s after the death), corrected %llu, taken back in between %llu\n", (unsigned long long)t.isolated,
	       span_at(&t.isolated_after, 0), (unsigned long long)t.corrected, (unsigned long long)t.back_in_between);
	if (t.back_in_between || !t.called[DEATH_CRASH].count)
		return false;
	if (!late)
		return !t.isolated;
	/* silent 2.5 s after the first question, which comes 0.8 s after the first lost probe: never sooner than 3.3 s after a death */
	return t.isolated && span_at(&t.isolated_after, 0) >= 3.29 && t.wrong_cause >= t.isolated &&
	       (s->bmc_delay_s < 0 ? !t.corrected : t.corrected + 1 >= t.isolated);
}

static bool check_forged(const struct scenario *s, const void *world)
{
	const struct world *w = world;

	return watch_stats(w->watch)->stale > (uint64_t)(s->forged * (double)(w->now - 1000000) / 2000);
}

#define SITE .nodes = 10000, .slow_share = 0.01
#define DEATHS .deaths_a_day = 2000
#define BMCS .nodes = 2000, .deaths_a_day = 20000, .crashes_only = true, .hours = 0.1, .long_hours = 2

/* the bounds of verdicts 6.1; every scenario also wants no false call, agent-dead, confirmation, and no missed death */
const struct scenario scenarios[] = {
	{ .name = "V1 healthy, loss 0.1 %", SITE, .hours = 0.1, .long_hours = 24, .loss = 0.001, .extra_percent = 5 },
	{ .name = "V1 healthy, loss 1 %", SITE, .hours = 0.1, .long_hours = 24, .loss = 0.01, .extra_percent = 6 },
	{ .name = "V1 healthy, loss 5 %", SITE, .hours = 0.1, .long_hours = 24, .loss = 0.05, .extra_percent = 25 },
	{ .name = "V2 deaths, loss 10 %", SITE, .deaths_a_day = 60000, .hours = 1, .long_hours = 6, .loss = 0.1, .wrong_percent = 0.2, .crash_p99 = 3.6 },
	{ .name = "V2 deaths, loss 20 %", SITE, .deaths_a_day = 60000, .hours = 0.3, .long_hours = 6, .loss = 0.2, .wrong_percent = 3, .crash_p99 = 3.2 },
	{ .name = "V3 deaths, loss 1 %", SITE, .deaths_a_day = 20000, .hours = 0.6, .long_hours = 2.4, .loss = 0.01,
	  .crash_p99 = 2.8, .crash_max = 3.0, .cause_max = 5.0, .off_p99 = 3.0, .agent_p99 = 5.2 },
	{ .name = "V3 a day of deaths", SITE, DEATHS, .long_hours = 24, .loss = 0.01, .crash_p99 = 2.8, .crash_max = 3.0,
	  .cause_max = 5.0, .off_p99 = 3.0, .agent_p99 = 5.2 },
	{ .name = "V4 links dark 0.2-1.5 s", SITE, .hours = 0.05, .long_hours = 24, .bursts_a_day = 10, .burst_min_s = 0.2,
	  .burst_max_s = 1.5, .check = check_no_links },
	{ .name = "V5 links dark to 5 s", SITE, .hours = 0.05, .long_hours = 24, .bursts_a_day = 4, .burst_min_s = 0.2,
	  .burst_max_s = 5, .check = check_links },
	{ .name = "V5 links of slow agents dark", .nodes = 10000, .slow_share = 1, .hours = 0.05, .long_hours = 6, .bursts_a_day = 40,
	  .burst_min_s = 0.2, .burst_max_s = 5, .check = check_links },
	{ .name = "V6 switches dark 0.2-30 s", SITE, .hours = 0.12, .long_hours = 24, .loss = 0.01, .darks_a_day = 40,
	  .dark_min_s = 0.2, .dark_max_s = 30, .check = check_roots },
	{ .name = "V6 four a day each", SITE, .long_hours = 24, .loss = 0.01, .darks_a_day = 4, .dark_min_s = 0.2,
	  .dark_max_s = 30, .check = check_roots },
	{ .name = "V7 domains of 3 die", .nodes = 1200, .domain_members = 3, .hours = 0.2, .long_hours = 6, .check = check_roots },
	{ .name = "V7 domains of 4 die", .nodes = 1200, .domain_members = 4, .hours = 0.2, .long_hours = 6, .check = check_roots },
	{ .name = "V7 domains of 8 die", .nodes = 1200, .domain_members = 8, .hours = 0.2, .long_hours = 6, .check = check_roots },
	{ .name = "V7 domains of 20 die", .nodes = 1200, .domain_members = 20, .hours = 0.2, .long_hours = 6, .check = check_roots },
	{ .name = "V7 domains of 40 die", .nodes = 1200, .domain_members = 40, .hours = 0.2, .long_hours = 6, .check = check_roots },
	{ .name = "V7 domains of 6 die", .nodes = 1200, .domain_members = 6, .hours = 0.1, .long_hours = 6, .check = check_roots },
	{ .name = "V7 domains of 12 die", .nodes = 1200, .domain_members = 12, .hours = 0.1, .long_hours = 6, .check = check_roots },
	{ .name = "V7 racks of 3 without power", .nodes = 1200, .domain_members = 3, .domain_off = true, .hours = 0.2, .long_hours = 6, .check = check_roots },
	{ .name = "V7 racks of 4 without power", .nodes = 1200, .domain_members = 4, .domain_off = true, .hours = 0.2, .long_hours = 6, .check = check_roots },
	{ .name = "V7 racks of 8 without power", .nodes = 1200, .domain_members = 8, .domain_off = true, .hours = 0.1, .long_hours = 6, .check = check_roots },
	{ .name = "V8 own link dark 0.5-30 s", SITE, .deaths_a_day = 20000, .hours = 0.1, .long_hours = 6, .loss = 0.01, .own_a_day = 1500,
	  .own_min_s = 0.5, .own_max_s = 30, .check = check_suspended },
	{ .name = "V8 own path dark, carrier up", SITE, .deaths_a_day = 20000, .hours = 0.1, .long_hours = 6, .loss = 0.01, .own_a_day = 1500,
	  .own_min_s = 0.5, .own_max_s = 30, .own_silent = true, .check = check_suspended },
	/* long enough for stalls that suspend, whatever the dice say */
	{ .name = "V9 judge stalls 0.2-20 s", SITE, DEATHS, .hours = 0.5, .long_hours = 24, .loss = 0.01, .stalls_a_day = 960,
	  .stall_min_s = 0.2, .stall_max_s = 20, .check = check_pace },
	{ .name = "V9 48 a day", SITE, DEATHS, .long_hours = 24, .loss = 0.01, .stalls_a_day = 48, .stall_min_s = 0.2,
	  .stall_max_s = 20, .check = check_pace },
	{ .name = "V11 10 % slow agents, 1 % at 3 s", .nodes = 10000, .slow_share = 0.1, .late_share = 0.01, .hours = 0.05,
	  .long_hours = 6, .loss = 0.01, .check = check_slow },
	{ .name = "V10 collector, engine stop 20 s", SITE, .hours = 0.08, .long_hours = 6, .loss = 0.01, .strike = STRIKE_STOP, .strike_s = 60,
	  .check = check_strikes },
	{ .name = "V10 collector, engine killed", SITE, .hours = 0.06, .long_hours = 6, .loss = 0.01, .strike = STRIKE_KILL, .strike_s = 30,
	  .check = check_strikes },
	{ .name = "V12 5 % die, whole groups", SITE, .hours = 0.05, .long_hours = 6, .loss = 0.001, .strike = STRIKE_MASS, .strike_s = 180,
	  .mass_percent = 5, .mass_groups = true, .check = check_mass },
	{ .name = "V12 49 % die", SITE, .hours = 0.05, .long_hours = 6, .loss = 0.001, .strike = STRIKE_MASS, .strike_s = 180,
	  .mass_percent = 49, .check = check_mass },
	{ .name = "V12 50 % die", SITE, .hours = 0.05, .long_hours = 6, .loss = 0.001, .strike = STRIKE_MASS, .strike_s = 180,
	  .mass_percent = 50, .check = check_mass },
	{ .name = "V13 one death a minute", .nodes = 1000, .hours = 0.3, .long_hours = 6, .loss = 0.01, .strike = STRIKE_ROLL, .strike_s = 60,
	  .check = check_roll },
	{ .name = "V14 BMCs answer after 0.1 s", BMCS, .bmc_delay_s = 0.1, .check = check_bmc },
	{ .name = "V14 BMCs answer after 1.4 s", BMCS, .bmc_delay_s = 1.4, .check = check_bmc },
	{ .name = "V14 BMCs answer after 2.4 s", BMCS, .bmc_delay_s = 2.4, .check = check_bmc },
	{ .name = "V14 BMCs answer after 4 s", BMCS, .bmc_delay_s = 4, .wrong_percent = 300, .check = check_bmc },
	{ .name = "V14 BMCs never answer", BMCS, .bmc_delay_s = -1, .wrong_percent = 300, .check = check_bmc },
	{ .name = "V15 sleeps a minute", SITE, .hours = 0.08, .long_hours = 6, .loss = 0.01, .strike = STRIKE_SLEEP, .strike_s = 45,
	  .check = check_strikes },
	{ .name = "V17 a group's loss leaps to 20 %", SITE, .hours = 0.1, .long_hours = 6, .loss = 0.001, .strike = STRIKE_LOSS, .strike_s = 90,
	  .strike_loss = 0.2, .check = check_loss },
	{ .name = "V17 a group's loss leaps to 50 %", SITE, .hours = 0.1, .long_hours = 6, .loss = 0.001, .strike = STRIKE_LOSS, .strike_s = 90,
	  .strike_loss = 0.5, .check = check_loss },
	{ .name = "V17 a group's loss leaps to 45 %", SITE, .hours = 0.1, .long_hours = 6, .loss = 0.001, .strike = STRIKE_LOSS, .strike_s = 90,
	  .strike_loss = 0.45, .check = check_loss },
	/* a tenth of the answers comes 0.3 s late, mostly behind its deadline: the bounds are those of 10 % loss (verdicts.md 5.1) */
	{ .name = "V18 doubled, disordered, forged", SITE, .deaths_a_day = 20000, .hours = 0.1, .long_hours = 6, .loss = 0.01, .dup = 0.1, .disorder = 0.1,
	  .forged = 10000, .crash_p99 = 3.6, .crash_max = 3.6, .check = check_forged },
};

const size_t scenario_count = sizeof(scenarios) / sizeof(scenarios[0]);
