/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Acceptance in virtual time (verdicts 6.1): runs the scenarios on the real watch and judge, prints one row each with its
 * bounds, fails when one is broken. `make check` runs the short hours, GLORY_LONG=1 the whole; arguments choose scenarios, SIM_HOURS and SIM_SEED their length and dice.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/sim/scenarios.h"

struct row {
	double extra, crash[3], cause_max, off_p99, agent_p99, cpu;
};

static bool above(double value, double bound)
{
	/* the clockwork itself is only as fine as its steps */
	return bound > 0 && value > bound + 0.0101;
}

static struct row work_out(struct world *w)
{
	const struct watch_stats *st = watch_stats(w->watch);
	struct tally *t = &w->tally;
	double beats = (double)(st->heartbeats + st->polls), causes = span_at(&t->cause[DEATH_CRASH], 1);
	double off = span_at(&t->cause[DEATH_OFF], 1);

	return (struct row){
		.extra = beats > 0 ? 100.0 * (double)(st->echoes + st->gets + st->userland) / beats : 0,
		.crash = { span_at(&t->called[DEATH_CRASH], 0.5), span_at(&t->called[DEATH_CRASH], 0.99), span_at(&t->called[DEATH_CRASH], 1) },
		.cause_max = causes > off ? causes : off,
		.off_p99 = span_at(&t->called[DEATH_OFF], 0.99),
		.agent_p99 = span_at(&t->called[DEATH_AGENT], 0.99),
	};
}

static bool holds(const struct world *w, const struct row *r)
{
	const struct scenario *s = w->s;
	const struct tally *t = &w->tally;

	if (t->false_calls || t->false_agent || t->false_confirmed ||
	    (double)t->wrong_cause * 100 > s->wrong_percent * (double)t->deaths || t->domain_calls || t->missed_deaths ||
	    t->agents_just_back * 500 > t->deaths)
		return false;
	if (above(r->extra, s->extra_percent) || above(r->crash[1], s->crash_p99) || above(r->crash[2], s->crash_max) ||
	    above(r->cause_max, s->cause_max) || above(r->off_p99, s->off_p99) || above(r->agent_p99, s->agent_p99))
		return false;
	if ((s->crash_p99 > 0 && !t->called[DEATH_CRASH].count) || (s->agent_p99 > 0 && !t->called[DEATH_AGENT].count))
		return false;
	return !s->check || s->check(s, w);
}

#ifdef GLORY_SANITIZE
/* the same with a tenth of the site: the sanitizers cost ten times the time, and it is not chance that they look for */
enum { SMALLER = 10 };
#else
enum { SMALLER = 1 };
#endif

static bool run(const struct scenario *given, double hours, uint64_t seed)
{
	clock_t start = clock();
	struct scenario smaller = *given, *s = &smaller;

	if (SMALLER > 1 && !s->domain_members) {
		s->nodes /= SMALLER;
		s->deaths_a_day /= SMALLER;
		hours *= s->own_a_day > 0 ? 2 : 1; /* long enough for own links to be dark, whatever the dice say */
		s->darks_a_day *= 3;
		s->bursts_a_day *= SMALLER;
		s->extra_percent = s->crash_p99 = 0; /* too few of them to say */
	}
	struct world *w = world_run(s, hours, seed);

	if (!w) {
		fprintf(stderr, "%s: no memory\n", s->name);
		return false;
	}
	struct row r = work_out(w);
	const struct tally *t = &w->tally;
	bool ok = holds(w, &r);

	printf("%-32s %5.2f h seed %llu: %s  extra %.1f%%  calls false %llu link %llu domain %llu  agent %llu conf %llu cause %llu missed %llu\n",
	       s->name, hours, (unsigned long long)seed, ok ? "ok  " : "FAIL", r.extra, (unsigned long long)t->false_calls,
	       (unsigned long long)t->link_calls, (unsigned long long)t->domain_calls, (unsigned long long)t->false_agent,
	       (unsigned long long)t->false_confirmed, (unsigned long long)t->wrong_cause, (unsigned long long)t->missed_deaths);
	printf("    deaths %llu (%llu in trouble)  crash %.2f/%.2f/%.2f cause max %.2f confirmed max %.2f  off p99 %.2f  agent p99 %.2f  "
	       "roots %llu/%llu extra %llu  back %llu/%llu  peak %llu/%llu  slow %llu  just back %llu  bmc asks %llu  cpu %.1f s\n",
	       (unsigned long long)t->deaths, (unsigned long long)t->deaths_in_trouble, r.crash[0], r.crash[1], r.crash[2], r.cause_max,
	       span_at(&w->tally.confirmed, 1), r.off_p99, r.agent_p99, (unsigned long long)(t->roots_wanted - t->roots_missing),
	       (unsigned long long)t->roots_wanted, (unsigned long long)t->roots_forbidden, (unsigned long long)t->taken_back_path,
	       (unsigned long long)t->taken_back, (unsigned long long)t->peak_second, (unsigned long long)t->normal_second,
	       (unsigned long long)t->late_slow, (unsigned long long)t->agents_just_back, (unsigned long long)t->bmc_asks, (double)(clock() - start) / CLOCKS_PER_SEC);
	fflush(stdout);
	world_free(w);
	return ok;
}

static bool chosen(const struct scenario *s, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strncmp(s->name, argv[i], strlen(argv[i])) == 0)
			return true;
	return argc < 2;
}

/* One process each, as many at a time as there are processors; a row is written whole when its scenario ends. */
static bool reap(int *running)
{
	int status;

	if (wait(&status) < 0)
		return false;
	(*running)--;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool start(const struct scenario *s, double hours, uint64_t seed, int *running)
{
	bool ok = true;

	while (*running >= (int)sysconf(_SC_NPROCESSORS_ONLN))
		ok &= reap(running);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		exit(run(s, hours, seed) ? 0 : 1);
	if (pid < 0)
		return run(s, hours, seed) && ok;
	(*running)++;
	return ok;
}

int main(int argc, char **argv)
{
	const char *value = getenv("GLORY_LONG"), *hours = getenv("SIM_HOURS"), *first = getenv("SIM_SEED");
	bool whole = SMALLER == 1 && value && strcmp(value, "1") == 0, ok = true;
	uint64_t seeds = whole ? 3 : 1, seed0 = first ? strtoull(first, NULL, 10) : 1;
	int running = 0;

	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	for (size_t i = 0; i < scenario_count; i++) {
		const struct scenario *s = &scenarios[i];
		double h = hours ? strtod(hours, NULL) : whole ? s->long_hours : s->hours;

		/* three seeds where the question is whether chance alone can do it */
		for (uint64_t seed = seed0; h > 0 && chosen(s, argc, argv) && seed < seed0 + (strncmp(s->name, "V1 ", 3) == 0 ? seeds : 1); seed++)
			ok &= start(s, h, seed, &running);
	}
	while (running > 0)
		ok &= reap(&running);
	return ok ? 0 : 1;
}
