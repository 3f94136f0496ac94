/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Replays recorded loads on the real sizing rule: "replay FILE..." or, without a name, each traces/NAME.csv of the folder that GLORY_TEST_DATA names.
 * A file is as trace_file.h says; one of 14 days is learnt for 7 and counted for 7, a shorter one for half of its days each. Prints what came of
 * it, and where the file is called twitter, nasa or wc98 what was measured with those when the rule was made (NASA: days 3 to 16 of July 1995, World
 * Cup: 16 to 29 June 1998). Such loads have no bar: peaks of five to eight times the mean cannot be sized well. What fails is a file that cannot be
 * read, and a shrink while nothing was known or within 15 minutes of it.
 */
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "tests/sim/plant.h"
#include "tests/sim/trace_file.h"

enum { STARTS = 3, SIZES = 3, THROWS = 2, LEARN_DAYS = 7, SKIPPED = 77 };
static const double start_s[STARTS] = {30, 120, 600};
static const unsigned sizes[SIZES] = {4, 20, 200};

/* utilisation, over capacity %, changes a day; by start time, then size */
static const struct measured {
	const char *name;
	double of[STARTS][SIZES][3];
} measured[] = {
	{"twitter", {{{24, .05, 5}, {21, 1.12, 48}, {19, 1.12, 51}}, {{25, .35, 11}, {20, 1.86, 46}, {18, 1.48, 46}}, {{22, .66, 23}, {17, 3.24, 46}, {16, 2.39, 46}}}},
	{"nasa", {{{21, .00, 1}, {43, .03, 22}, {41, .04, 25}}, {{21, .01, 1}, {42, .04, 22}, {37, .15, 25}}, {{18, .00, 1}, {38, .07, 22}, {33, .22, 25}}}},
	{"wc98", {{{16, .00, 1}, {46, .01, 13}, {34, .01, 21}}, {{16, .00, 1}, {44, .04, 13}, {33, .04, 21}}, {{14, .00, 3}, {40, .18, 16}, {30, .29, 23}}}},
};

static const struct measured *measured_of(const char *path)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

	for (size_t i = 0; i < COUNT_OF(measured); i++) {
		size_t n = strlen(measured[i].name);
		if (!strncmp(name, measured[i].name, n) && (!name[n] || name[n] == '.'))
			return &measured[i];
	}
	return NULL;
}

static void add(struct plant_result *sum, const struct plant_result *r)
{
	sum->utilisation += r->utilisation / THROWS;
	sum->fixed += r->fixed / THROWS;
	sum->saved += r->saved / THROWS;
	sum->over += r->over / THROWS;
	sum->changes += r->changes / THROWS;
	sum->longest_over_s = fmax(sum->longest_over_s, r->longest_over_s);
	sum->blind_shrinks += r->blind_shrinks;
}

static bool replay_cell(double loads[THROWS][TRACE_TICKS], unsigned days, unsigned start, unsigned size, const struct measured *then)
{
	struct plant_setup setup = {.trace = TRACE_COUNT, .start_s = start_s[start], .size = sizes[size], .budget = 12, .ticks = days * TRACE_DAY_TICKS,
				    .learn_days = days == TRACE_DAYS ? LEARN_DAYS : days / 2};
	struct plant_result mean = {.over = 0}, r;

	for (setup.repeat = 0; setup.repeat < THROWS; setup.repeat++) {
		setup.load = loads[setup.repeat];
		plant_run(&setup, &r);
		add(&mean, &r);
	}
	bool ok = mean.blind_shrinks == 0;
	printf("  %3.0f s, %3u  %5.1f / %.3f / %4.1f", start_s[start], sizes[size], mean.utilisation, mean.over, mean.changes);
	if (then)
		printf("  (%2.0f / %.2f / %2.0f)", then->of[start][size][0], then->of[start][size][1], then->of[start][size][2]);
	printf("  fixed %4.1f saved %4.1f  longest over %4.0f s%s\n", mean.fixed, mean.saved, mean.longest_over_s, ok ? "" : "  FAIL");
	return ok;
}

static bool replay(const char *path)
{
	static double loads[THROWS][TRACE_TICKS];
	struct error e;
	int days = 0;
	bool ok = true;

	for (unsigned throw = 0; throw < THROWS; throw++)
		if ((days = trace_file_read(path, throw, loads[throw], &e)) < 0) {
			printf("%s; %s\n", e.text, e.remedy);
			return false;
		}
	printf("%s, %d days: start time, size: utilisation %% / over capacity %% / changes a day%s\n", path, days,
	       measured_of(path) ? " (when the rule was made)" : "");
	for (unsigned start = 0; start < STARTS; start++)
		for (unsigned size = 0; size < SIZES; size++)
			ok &= replay_cell(loads, (unsigned)days, start, size, measured_of(path));
	return ok;
}

int main(int argc, char **argv)
{
	const char *data = getenv("GLORY_TEST_DATA");
	unsigned failed = 0;
	glob_t found = {.gl_pathc = 0};
	char *pattern = mem_format("%s/traces/*.csv", data ? data : "");

	if (argc < 2 && (!data || glob(pattern, 0, NULL, &found) != 0)) {
		puts("skipped: no file is named, and GLORY_TEST_DATA names no folder with traces/*.csv (lines of seconds,requests)");
		free(pattern);
		return SKIPPED;
	}
	for (int i = 1; i < argc; i++)
		failed += !replay(argv[i]);
	for (size_t i = 0; argc < 2 && i < found.gl_pathc; i++)
		failed += !replay(found.gl_pathv[i]);
	globfree(&found);
	free(pattern);
	return failed > 0;
}
