/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows that look back: rate, forecast, deviation, no data, against known courses with gaps, steps, wraps of time and NaN. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/threshold.h"
#include "monitor/baseline.h"
#include "monitor/items.h"
#include "monitor/levels.h"
#include "monitor/trail.h"
#include "tests/unit/unit.h"

#define T0 1700000000000 /* a Tuesday */
#define MINUTE 60000ll
#define HOUR 3600000ll
#define WEEK (168ll * HOUR)

static double noise(unsigned *seed)
{
	return rand_r(seed) / (double)RAND_MAX - 0.5;
}

struct bench {
	struct level_rules rules;
	struct level_state state;
	struct level_memory *memory;
	struct level_seen seen;
};

static void begin(struct bench *b, const char *first, const char *second)
{
	struct error e;

	memset(b, 0, sizeof *b);
	CU_ASSERT_EQUAL_FATAL(threshold_parse(first, &b->rules.rule[b->rules.count++], &e), 0);
	if (second)
		CU_ASSERT_EQUAL_FATAL(threshold_parse(second, &b->rules.rule[b->rules.count++], &e), 0);
	b->memory = level_memory_new();
}

static enum level feed(struct bench *b, double value, int64_t wall_ms)
{
	return level_judge(&b->rules, &b->state, b->memory, &(struct level_sample){.value = value, .wall_ms = wall_ms}, &b->seen);
}

/* --- the line ------------------------------------------------------------------------------------------ */
static void fill(struct trail *t, double (*f)(int64_t minute), int minutes)
{
	trail_begin(t, 6 * 3600);
	for (int m = 0; m < minutes; m++)
		trail_add(t, f(m), T0 + (int64_t)m * MINUTE);
}

static double rising(int64_t m) { return 1e12 + 1000.0 * (double)m; }
static double flat(int64_t m) { return m < 0 ? 0 : 42; }
static double stepped(int64_t m) { return m < 180 ? 40 : 60; }
static double late_step(int64_t m) { return m < 330 ? 40 : 90; }
static double stopped(int64_t m) { return m < 180 ? 40 + (double)m / 10 : 58; }
static double gappy(int64_t m) { return m % 100 < 50 ? NAN : 10 + (double)m / 60; }
static double noisy(int64_t m)
{
	return 50 + 20 * fmod(43758.5453 * sin(12.9898 * (double)m), 1);
}

static void lines(void)
{
	struct forecast f;
	struct trail t;

	fill(&t, rising, 361);
	forecast_fit(&t, &f);
	CU_ASSERT(f.believed);
	CU_ASSERT_EQUAL(f.points, 36);
	CU_ASSERT_DOUBLE_EQUAL(f.slope, 1000.0 / 60, 0.1); /* small changes of large values */
	CU_ASSERT_DOUBLE_EQUAL(forecast_seconds(&f, true, f.newest + f.slope * 7200), 7200, 400);
	CU_ASSERT(isinf(forecast_seconds(&f, false, 0)));
	CU_ASSERT_EQUAL(forecast_seconds(&f, true, 5), 0);
	fill(&t, flat, 400);
	forecast_fit(&t, &f);
	CU_ASSERT(!f.believed);
	fill(&t, stepped, 361);
	forecast_fit(&t, &f);
	CU_ASSERT(!f.believed && f.r2 > 0.7); /* a copied file is no trend */
	fill(&t, late_step, 361);
	forecast_fit(&t, &f);
	CU_ASSERT(!f.believed);
	fill(&t, stopped, 361);
	forecast_fit(&t, &f);
	CU_ASSERT(!f.believed);
	fill(&t, noisy, 361);
	forecast_fit(&t, &f);
	CU_ASSERT(!f.believed);
	fill(&t, gappy, 361);
	forecast_fit(&t, &f);
	CU_ASSERT(f.believed && f.points < 30);
	CU_ASSERT_DOUBLE_EQUAL(f.slope, 1.0 / 3600, 2e-5);
	fill(&t, rising, 100);
	forecast_fit(&t, &f);
	CU_ASSERT(!f.believed); /* 10 points */
}

static void clocks(void)
{
	struct forecast f;
	struct trail t;

	fill(&t, rising, 361);
	trail_add(&t, 0, T0 + 100 * MINUTE); /* an hour back: not believed until it is past */
	forecast_fit(&t, &f);
	CU_ASSERT(f.believed && f.points == 36);
	trail_add(&t, 5, T0 - 10 * HOUR); /* by more than the window: begun anew */
	forecast_fit(&t, &f);
	CU_ASSERT_EQUAL(f.points, 1);
	trail_add(&t, 5, T0 + 1000 * HOUR);
	forecast_fit(&t, &f);
	CU_ASSERT_EQUAL(f.points, 1);
	trail_add(&t, INFINITY, T0 + 1001 * HOUR);
	trail_add(&t, 7, -5);
	forecast_fit(&t, &f);
	CU_ASSERT_EQUAL(f.points, 1);
	CU_ASSERT(isnan(trail_rate(&t)));
}

/* --- rows ---------------------------------------------------------------------------------------------- */
static void disk_fills(void)
{
	struct bench b;
	char text[64] = "disk_fill /var 91 percent";
	enum level level = LEVEL_UNKNOWN;
	int64_t t = T0;

	memset(&b, 0, sizeof b);
	b.rules = *level_builtin(ITEM_DISK_FILL);
	b.memory = level_memory_new();
	CU_ASSERT(level_remembers(&b.rules));
	for (int i = 0; i < 6 * 360; i++, t += 10000) /* 0.1 percent an hour from 50: weeks away */
		level = feed(&b, 50 + i / 3600.0, t);
	CU_ASSERT_EQUAL(level, LEVEL_NORMAL);
	for (int i = 0; i < 6 * 360; i++, t += 10000) /* 0.5 an hour from 60: 74 h to go in the end */
		level = feed(&b, 60 + i / 720.0, t);
	CU_ASSERT_EQUAL(level, LEVEL_NORMAL);
	for (int i = 0; i < 6 * 360; i++, t += 10000)
		level = feed(&b, 63 + i / 720.0, t);
	CU_ASSERT_EQUAL(level, LEVEL_WARNING);
	CU_ASSERT_EQUAL(b.seen.rule->kind, THRESHOLD_FORECAST);
	CU_ASSERT_DOUBLE_EQUAL(b.seen.figure, 68 * 3600, 3600);
	level_reason(&b.seen, text, sizeof text);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "disk_fill /var 91 percent, full in 2 d "));
	for (int i = 0; i < 6 * 360; i++, t += 10000) /* 4 an hour: within a day */
		level = feed(&b, 60 + i / 90.0, t);
	CU_ASSERT_EQUAL(level, LEVEL_MAJOR);
	for (int i = 0; i < 4 * 360; i++, t += 10000) /* somebody cleaned, nothing grows */
		level = feed(&b, 40 + (i % 2) * 0.01, t);
	CU_ASSERT_EQUAL(level, LEVEL_NORMAL);
	level_memory_free(b.memory);
}

static void forecast_has_hysteresis(void)
{
	enum level level = LEVEL_UNKNOWN;
	struct bench b;
	int64_t t = T0;
	double v = 0;

	begin(&b, "warning forecast above 1000 within 1h window 1h", NULL);
	for (int i = 0; i < 60; i++, t += MINUTE) /* 10 a minute: 40 min to go */
		level = feed(&b, v += 10, t);
	CU_ASSERT_EQUAL(level, LEVEL_WARNING);
	for (int i = 0; i < 60 && level == LEVEL_WARNING; i++, t += MINUTE) /* slower: 1000 is farther off than 75 min before it is reached */
		level = feed(&b, v += 1, t);
	CU_ASSERT_EQUAL(level, LEVEL_NORMAL);
	CU_ASSERT(v > 600 && v < 700);
	CU_ASSERT_EQUAL(feed(&b, 1000, t += MINUTE), LEVEL_WARNING); /* there, whatever the line says */
	CU_ASSERT_EQUAL(b.seen.figure, 0);
	level_memory_free(b.memory);
}

static void rates(void)
{
	enum level level = LEVEL_UNKNOWN;
	struct bench b;
	int64_t t = T0;
	double v = 100;
	char text[64] = "temp 31 C";

	begin(&b, "major rate above 2 clear 1 per minute window 10m", "critical rate below -5 per minute window 10m");
	for (int i = 0; i < 30; i++, t += 10000) {
		level = feed(&b, v += 1, t); /* 6 a minute, but 5 min are no window */
		CU_ASSERT_EQUAL(level, LEVEL_NORMAL);
	}
	for (int i = 0; i < 60; i++, t += 10000)
		level = feed(&b, v += 1, t);
	CU_ASSERT_EQUAL(level, LEVEL_MAJOR);
	CU_ASSERT_DOUBLE_EQUAL(b.seen.figure, 6, 0.3);
	level_reason(&b.seen, text, sizeof text);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, " per minute"));
	CU_ASSERT_EQUAL(feed(&b, NAN, t), LEVEL_UNKNOWN);
	for (int i = 0; i < 120; i++, t += 10000)
		level = feed(&b, v, t);
	CU_ASSERT_EQUAL(level, LEVEL_NORMAL);
	for (int i = 0; i < 90; i++, t += 10000)
		level = feed(&b, v -= 1, t);
	CU_ASSERT_EQUAL(level, LEVEL_CRITICAL);
	level_memory_free(b.memory);
}

static void no_data(void)
{
	struct bench b;
	struct level_sample quiet = {.value = NAN, .wall_ms = T0, .quiet_ms = 299000};

	begin(&b, "major no-data window 5m", "warning above 5");
	CU_ASSERT_EQUAL(level_no_data_ms(&b.rules), 300000);
	CU_ASSERT_EQUAL(feed(&b, 6, T0), LEVEL_WARNING);
	CU_ASSERT_EQUAL(level_judge(&b.rules, &b.state, b.memory, &quiet, &b.seen), LEVEL_UNKNOWN);
	quiet.quiet_ms = 300000;
	CU_ASSERT_EQUAL(level_judge(&b.rules, &b.state, b.memory, &quiet, &b.seen), LEVEL_MAJOR);
	CU_ASSERT_EQUAL(b.seen.figure, 300);
	CU_ASSERT_EQUAL(feed(&b, 3, T0), LEVEL_NORMAL);
	level_memory_free(b.memory);
}

/* 100 at night, 200 from 8 to 18 on working days, with 10 of noise. */
static double office(int64_t wall_ms, unsigned *seed)
{
	int64_t hour = wall_ms / HOUR, day = (hour / 24 + 4) % 7;

	return (day >= 1 && day <= 5 && hour % 24 >= 8 && hour % 24 < 18 ? 200 : 100) + 20 * noise(seed);
}

static void usual(void)
{
	static struct baseline b;
	double mean, deviation;
	unsigned seed = 1;
	int64_t t = T0 / WEEK * WEEK;

	memset(&b, 0, sizeof b);
	CU_ASSERT(!baseline_usual(&b, t, &mean, &deviation));
	for (int i = 0; i < 2 * 168 * 60; i++, t += MINUTE) {
		CU_ASSERT(i < 168 * 60 + 60 || i % (168 * 60) == 0 || !baseline_usual(&b, t, &mean, &deviation) || i > 168 * 60);
		baseline_add(&b, i % 7 ? office(t, &seed) : NAN, t);
	}
	for (int h = 0; h < 167; h++) {
		CU_ASSERT_FATAL(baseline_usual(&b, t + h * HOUR, &mean, &deviation));
		CU_ASSERT_DOUBLE_EQUAL(mean, office(t + h * HOUR, &(unsigned){5}), 14);
		CU_ASSERT_DOUBLE_EQUAL(deviation, 20 / sqrt(12), 2);
	}
	/* one bad week moves it by 3 deviations' share at most, and what is seen for less than half an hour not at all */
	for (int i = 0; i < 168 * 60; i++, t += MINUTE)
		baseline_add(&b, 100000, t);
	for (int i = 0; i < 168 * 60; i++, t += MINUTE)
		if (i % 60 < 25)
			baseline_add(&b, 0, t);
	CU_ASSERT_FATAL(baseline_usual(&b, t + 2 * HOUR, &mean, &deviation));
	CU_ASSERT(mean > 90 && mean < 120 && deviation < 25);
	baseline_add(&b, 5, t - 30 * WEEK); /* the clock went back: nothing is lost */
	CU_ASSERT(baseline_usual(&b, t + 2 * HOUR, &mean, &deviation) && mean > 90);
}

static void deviates(void)
{
	unsigned seed = 3;
	struct bench b;
	int64_t t = T0 / WEEK * WEEK;
	char text[64] = "load1 210";

	begin(&b, "warning deviation above 50 clear 30 of 3 in 5", "major deviation below 50");
	for (int i = 0; i < 3 * 168 * 12; i++, t += 5 * MINUTE)
		CU_ASSERT_EQUAL(feed(&b, office(t, &seed), t), LEVEL_NORMAL);
	t += 24 * HOUR + 2 * HOUR; /* Friday, 2 in the morning */
	CU_ASSERT_EQUAL(feed(&b, 200, t), LEVEL_NORMAL);
	CU_ASSERT_EQUAL(feed(&b, 200, t + 1000), LEVEL_NORMAL);
	CU_ASSERT_EQUAL(feed(&b, 200, t + 2000), LEVEL_WARNING); /* usual at noon, not at night */
	CU_ASSERT_DOUBLE_EQUAL(b.seen.figure, 100, 5);
	level_reason(&b.seen, text, sizeof text);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "load1 210, usually "));
	CU_ASSERT_EQUAL(feed(&b, 115, t + 3000), LEVEL_NORMAL);
	CU_ASSERT_EQUAL(feed(&b, 100, t + 10 * HOUR), LEVEL_MAJOR); /* nobody at work */
	level_memory_free(b.memory);
}

static void saved(void)
{
	unsigned seed = 9;
	struct bench b;
	int64_t t = T0 / WEEK * WEEK;

	begin(&b, "warning deviation above 50", "major forecast above 1e6 within 1h window 1h");
	for (int i = 0; i < 2 * 168 * 12 + 20; i++, t += 5 * MINUTE)
		feed(&b, office(t, &seed), t);
	size_t size = level_memory_saved(b.memory);
	char *bytes = mem_zalloc(size);
	level_memory_save(b.memory, bytes);
	CU_ASSERT(level_memory_bytes(b.memory) < 2200);
	level_memory_free(b.memory);
	CU_ASSERT_PTR_NULL(level_memory_load(bytes, size - 1));
	CU_ASSERT_PTR_NULL(level_memory_load(bytes, 3));
	b.memory = level_memory_load(bytes, size);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b.memory);
	CU_ASSERT_EQUAL(feed(&b, 300, t), LEVEL_WARNING);
	level_memory_free(b.memory);
	for (unsigned i = 0; i < 4000; i++) { /* rubbish is refused or harmless */
		char *bent = mem_zalloc(size);
		memcpy(bent, bytes, size);
		bent[(unsigned)rand_r(&seed) % (i % 2 ? size : 120)] ^= (char)(1 << i % 8);
		b.memory = level_memory_load(bent, size);
		if (b.memory)
			feed(&b, 100, t);
		level_memory_free(b.memory);
		free(bent);
	}
	free(bytes);
}

static const struct unit_test tests[] = {
	{"lines", lines}, {"clocks", clocks}, {"disk fills", disk_fills}, {"forecast has hysteresis", forecast_has_hysteresis}, {"rates", rates},
	{"no data", no_data}, {"usual", usual}, {"deviates", deviates}, {"saved", saved}};

UNIT_MAIN("levels", tests)
