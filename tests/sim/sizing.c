/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sizing rule in virtual time: replays made-up loads of 14 days on the real rule (7 to learn, 7 counted; two throws of the load's dice, two of
 * the members' each), prints what came of it and fails when a bar is missed. `make check` runs a few cells, GLORY_LONG=1 all; arguments "bursts",
 * "bursts/120", "bursts/120/20" choose.
 */
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "tests/sim/plant.h"

enum { STARTS = 3, SIZES = 3, LOADS = 2, THROWS = 2, REPEATS = LOADS * THROWS, CELLS = TRACE_COUNT * STARTS * SIZES };
static const double start_s[STARTS] = {30, 120, 600};
static const unsigned sizes[SIZES] = {4, 20, 200};

/* percent of utilisation at least, percent of time over at most, changes a day at most; by start time, then size */
struct bar {
	double utilisation, over, changes;
};
static const struct bar bars[TRACE_COUNT][STARTS][SIZES] = {
	[TRACE_SMOOTH] = {{{57, 0.10, 4}, {75, 0.10, 13}, {78, 0.10, 13}}, {{57, 0.12, 4}, {74, 0.10, 13}, {77, 0.10, 13}}, {{48, 0.10, 6}, {68, 0.10, 13}, {75, 0.10, 13}}},
	[TRACE_NOISY] = {{{49, 0.10, 4}, {69, 0.10, 13}, {70, 0.10, 14}}, {{49, 0.11, 5}, {70, 0.10, 13}, {69, 0.10, 14}}, {{44, 0.10, 5}, {66, 0.10, 13}, {69, 0.10, 13}}},
	[TRACE_BURSTS] = {{{41, 0.10, 3}, {64, 0.10, 15}, {62, 0.10, 15}}, {{41, 0.10, 3}, {61, 0.10, 15}, {60, 0.10, 15}}, {{37, 0.10, 5}, {59, 0.12, 14}, {60, 0.21, 15}}},
	[TRACE_BIGBURST] = {{{28, 0.10, 4}, {52, 0.14, 23}, {52, 0.14, 25}}, {{28, 0.10, 4}, {47, 0.27, 20}, {49, 0.36, 23}}, {{28, 0.10, 5}, {42, 0.33, 19}, {43, 0.32, 20}}},
	[TRACE_FLASH] = {{{19, 0.10, 3}, {64, 0.12, 14}, {69, 0.13, 18}}, {{19, 0.10, 3}, {64, 0.22, 14}, {67, 0.22, 18}}, {{19, 0.10, 3}, {56, 0.69, 15}, {67, 0.70, 18}}},
	[TRACE_STEP] = {{{46, 0.10, 6}, {74, 0.10, 9}, {77, 0.10, 12}}, {{47, 0.10, 5}, {73, 0.10, 9}, {75, 0.10, 12}}, {{42, 0.10, 6}, {69, 0.10, 8}, {73, 0.10, 13}}},
	[TRACE_WEEKLY] = {{{44, 0.10, 4}, {70, 0.10, 14}, {72, 0.10, 14}}, {{44, 0.10, 4}, {70, 0.10, 14}, {72, 0.10, 14}}, {{40, 0.10, 5}, {66, 0.17, 13}, {71, 0.18, 14}}},
	[TRACE_SAWTOOTH] = {{{54, 0.10, 14}, {64, 0.10, 19}, {66, 0.10, 21}}, {{54, 0.10, 13}, {63, 0.10, 18}, {65, 0.10, 21}}, {{43, 0.10, 18}, {59, 0.10, 17}, {64, 0.10, 22}}},
	[TRACE_RAMP] = {{{68, 0.10, 4}, {79, 0.10, 5}, {80, 0.10, 8}}, {{68, 0.14, 4}, {78, 0.10, 6}, {80, 0.10, 7}}, {{52, 0.10, 4}, {75, 0.10, 5}, {80, 0.10, 7}}},
	[TRACE_SELFSIM] = {{{36, 0.10, 16}, {41, 0.16, 30}, {41, 0.12, 33}}, {{36, 0.15, 16}, {42, 0.14, 30}, {41, 0.15, 33}}, {{34, 0.10, 5}, {41, 0.21, 30}, {41, 0.19, 32}}},
	[TRACE_GAPS] = {{{48, 0.10, 5}, {69, 0.10, 13}, {70, 0.10, 13}}, {{48, 0.10, 5}, {68, 0.10, 13}, {70, 0.10, 13}}, {{44, 0.10, 5}, {66, 0.10, 13}, {69, 0.10, 13}}},
	[TRACE_LIAR] = {{{49, 0.10, 3}, {69, 0.10, 13}, {69, 0.10, 14}}, {{48, 0.10, 4}, {67, 0.14, 13}, {69, 0.10, 14}}, {{42, 0.10, 6}, {66, 0.10, 13}, {69, 0.10, 14}}},
};

/* A flash is said in seconds: at most the start time and so much more over capacity, in one piece. Size 4 never is. */
static const double flash_more_s[STARTS] = {120, 120, 300};
enum { HEADLINE_PLANNED = 12, LIAR_BELOW_NOISY = 3 };

struct cell {
	enum trace trace;
	unsigned start, size;
	struct plant_result of[REPEATS], mean;
};
struct work { /* shared by the processes */
	atomic_uint next;
	unsigned count;
	struct cell cells[CELLS];
};

#ifdef GLORY_SANITIZE
enum { SHORT_ALWAYS = 1 }; /* ten times the time, and it is not chance that sanitizers look for */
#else
enum { SHORT_ALWAYS = 0 };
#endif

static bool in_short_form(const struct cell *c)
{
	if (c->trace == TRACE_FLASH)
		return sizes[c->size] == 20;
	if (start_s[c->start] != 120 || sizes[c->size] == 4)
		return false;
	return c->trace == TRACE_BURSTS || (sizes[c->size] == 20 && (c->trace == TRACE_NOISY || c->trace == TRACE_GAPS || c->trace == TRACE_LIAR));
}

static void cell_name(const struct cell *c, char out[48])
{
	text_format(out, 48, "%s/%.0f/%u", trace_name[c->trace], start_s[c->start], sizes[c->size]);
}

static bool chosen(const struct cell *c, int argc, char **argv)
{
	char name[48];

	cell_name(c, name);
	for (int i = 1; i < argc; i++) {
		size_t n = strlen(argv[i]);
		if (!strncmp(name, argv[i], n) && (!name[n] || name[n] == '/'))
			return true;
	}
	return argc < 2 && ((getenv("GLORY_LONG") && !SHORT_ALWAYS) || in_short_form(c));
}

static void run_cell(struct cell *c)
{
	static double load[TRACE_TICKS];
	struct plant_setup setup = {.trace = c->trace, .load = load, .start_s = start_s[c->start], .size = sizes[c->size], .budget = 12, .learn_days = 7};

	for (setup.repeat = 0; setup.repeat < REPEATS; setup.repeat++) {
		struct plant_result *r = &c->of[setup.repeat];
		if (setup.repeat % THROWS == 0)
			trace_make(c->trace, setup.repeat / THROWS, load);
		plant_run(&setup, r);
		c->mean.utilisation += r->utilisation / REPEATS;
		c->mean.fixed += r->fixed / REPEATS;
		c->mean.saved += r->saved / REPEATS;
		c->mean.over += r->over / REPEATS;
		c->mean.changes += r->changes / REPEATS;
		c->mean.planned += r->planned / REPEATS;
		c->mean.emergencies += r->emergencies / REPEATS;
		c->mean.longest_over_s = fmax(c->mean.longest_over_s, r->longest_over_s);
		c->mean.blind_shrinks += r->blind_shrinks;
	}
}

static bool run_all(struct work *work)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	bool ok = true;
	int status;

	fflush(stdout);
	for (long i = 0; i < processors; i++)
		if (fork() == 0) {
			for (unsigned n; (n = atomic_fetch_add(&work->next, 1)) < work->count;)
				run_cell(&work->cells[n]);
			_exit(0);
		}
	while (wait(&status) > 0)
		ok = ok && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	return ok;
}

/* The bars are given in whole percents and hundredths: so are the results that are held to them. */
static bool missed(bool miss, const char *what, double value, double bound)
{
	if (miss)
		printf("    MISSED: %s %.2f, %.2f is the bar\n", what, value, bound);
	return miss;
}

static double rounded(double v, double unit)
{
	return floor(v / unit + .5) * unit;
}

static bool judge(const struct cell *c, const struct cell *noisy)
{
	const struct bar *bar = &bars[c->trace][c->start][c->size];
	const struct plant_result *m = &c->mean;
	char name[48];
	bool bad = false;

	cell_name(c, name);
	printf("%-16s %5.1f / %.3f / %4.1f  (planned %4.1f, emergencies and returns %4.1f)  fixed %4.1f saved %4.1f  longest over %4.0f s\n", name,
	       m->utilisation, m->over, m->changes, m->planned, m->emergencies, m->fixed, m->saved, m->longest_over_s);
	bad |= missed(rounded(m->utilisation, 1) < bar->utilisation, "utilisation", m->utilisation, bar->utilisation);
	bad |= missed(rounded(m->over, .01) > bar->over + 1e-9, "over capacity", m->over, bar->over);
	bad |= missed(rounded(m->changes, 1) > bar->changes, "changes", m->changes, bar->changes);
	bad |= missed(m->blind_shrinks > 0, "shrinks without data", m->blind_shrinks, 0);
	if (c->trace == TRACE_FLASH)
		bad |= missed(m->longest_over_s > start_s[c->start] + flash_more_s[c->start], "seconds over capacity", m->longest_over_s,
			      start_s[c->start] + flash_more_s[c->start]);
	if (c->trace == TRACE_BURSTS && start_s[c->start] == 120 && sizes[c->size] != 4) {
		bad |= missed(rounded(m->over, .1) > .1 + 1e-9, "headline: over capacity", m->over, .1);
		bad |= missed(rounded(m->planned, 1) > HEADLINE_PLANNED, "headline: planned changes", m->planned, HEADLINE_PLANNED);
	}
	if ((c->trace == TRACE_LIAR || c->trace == TRACE_GAPS) && noisy)
		bad |= missed(m->utilisation < noisy->mean.utilisation - LIAR_BELOW_NOISY, "utilisation beside noisy", m->utilisation,
			      noisy->mean.utilisation - LIAR_BELOW_NOISY);
	return !bad;
}

static const struct cell *noisy_beside(const struct work *work, const struct cell *c)
{
	for (unsigned i = 0; i < work->count; i++)
		if (work->cells[i].trace == TRACE_NOISY && work->cells[i].start == c->start && work->cells[i].size == c->size)
			return &work->cells[i];
	return NULL;
}

int main(int argc, char **argv)
{
	struct work *work = mmap(NULL, sizeof *work, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned failed = 0;

	if (work == MAP_FAILED)
		return 1;
	for (unsigned n = 0; n < CELLS; n++) {
		/* the largest first: they take longest */
		struct cell c = {.trace = n % TRACE_COUNT, .start = n / TRACE_COUNT % STARTS, .size = SIZES - 1 - n / TRACE_COUNT / STARTS};
		if (chosen(&c, argc, argv))
			work->cells[work->count++] = c;
	}
	puts("utilisation % / over capacity % / changes a day, mean of four runs, days 8 to 14");
	if (!run_all(work))
		failed++;
	for (unsigned i = 0; i < work->count; i++)
		failed += !judge(&work->cells[i], noisy_beside(work, &work->cells[i]));
	printf("%u cells, %u failed\n", work->count, failed);
	return failed > 0;
}
