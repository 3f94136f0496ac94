/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sketches against the exact quantiles of the same values: several distributions, merged ones, ones that were packed and read again. */
#include "monitor/sketch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tests/unit/unit.h"

#define VALUES 3600

static uint64_t state;

static double uniform(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (double)(state >> 11) / (double)(UINT64_C(1) << 53);
}

static double percent(void)
{
	return uniform() * 100;
}

static double idle_with_bursts(void)
{
	return uniform() < 0.9 ? 0.5 + uniform() : 60 + 40 * uniform();
}

static double bytes(void)
{
	return exp(uniform() * 20); /* 1 B/s to 485 MB/s */
}

static double mostly_zero(void)
{
	return uniform() < 0.6 ? 0 : uniform() * 8;
}

static double constant(void)
{
	return 41.5;
}

static double (*const sources[])(void) = {percent, idle_with_bursts, bytes, mostly_zero, constant};

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double exact(const double *sorted, size_t count, double q)
{
	return sorted[(size_t)floor(q * (double)(count - 1))];
}

static void fill(double (*source)(void), double *values, struct sketch *s)
{
	for (size_t i = 0; i < VALUES; i++) {
		values[i] = source();
		sketch_add(s, values[i]);
	}
}

static void compare(double *values, size_t count, const struct sketch *s)
{
	static const double quantiles[] = {0.25, 0.5, 0.75, 0.95, 0.99};
	double sum = 0;

	qsort(values, count, sizeof *values, by_value);
	for (size_t i = 0; i < count; i++)
		sum += values[i];
	CU_ASSERT_EQUAL(s->count, count);
	CU_ASSERT_EQUAL((double)s->least, (double)(float)values[0]);
	CU_ASSERT_EQUAL((double)s->most, (double)(float)values[count - 1]);
	CU_ASSERT(fabs(sketch_mean(s) - sum / (double)count) <= 1e-5 * sum / (double)count);
	for (size_t i = 0; i < COUNT_OF(quantiles); i++) {
		double wanted = exact(values, count, quantiles[i]), got = sketch_quantile(s, quantiles[i]);
		CU_ASSERT(fabs(got - wanted) <= wanted * 0.125);
	}
	CU_ASSERT_EQUAL(sketch_quantile(s, 1), (double)s->most);
	CU_ASSERT(sketch_quantile(s, 0) <= values[0] * 1.125 + 1e-9 || s->width == SKETCH_WIDTH);
}

static void every_distribution(void)
{
	static double values[VALUES];

	for (size_t i = 0; i < COUNT_OF(sources); i++) {
		struct sketch s = {0};
		fill(sources[i], values, &s);
		CU_ASSERT(s.width <= SKETCH_WIDTH);
		compare(values, VALUES, &s);
		sketch_free(&s);
	}
}

static void a_constant_is_exact(void)
{
	struct sketch s = {0};

	for (int i = 0; i < 100; i++)
		sketch_add(&s, 41.5);
	CU_ASSERT_EQUAL(sketch_quantile(&s, 0.5), 41.5);
	CU_ASSERT_EQUAL(sketch_quantile(&s, 0.95), 41.5);
	CU_ASSERT_EQUAL(sketch_mean(&s), 41.5);
	sketch_free(&s);
}

static void a_day_of_hours_merged(void)
{
	static double values[24 * VALUES];
	struct sketch day = {0};

	for (size_t h = 0; h < 24; h++) {
		struct sketch hour = {0};
		fill(sources[h % COUNT_OF(sources)], values + h * VALUES, &hour);
		sketch_merge(&day, &hour);
		sketch_free(&hour);
	}
	compare(values, 24 * VALUES, &day);
	sketch_free(&day);
}

static void packed_and_read_again(void)
{
	static double values[VALUES];
	uint8_t packed[SKETCH_PACKED_MAX];

	for (size_t i = 0; i < COUNT_OF(sources); i++) {
		struct sketch s = {0}, again = {0};
		fill(sources[i], values, &s);
		size_t size = sketch_pack(&s, packed);
		const uint8_t *at = packed;
		CU_ASSERT(size <= sizeof packed);
		CU_ASSERT(sketch_unpack(&again, &at, packed + size));
		CU_ASSERT_EQUAL(at, packed + size);
		compare(values, VALUES, &again);
		sketch_free(&again);
		for (size_t cut = 0; cut + 1 < size; cut++) { /* a file that was cut off */
			at = packed;
			CU_ASSERT_FALSE(sketch_unpack(&again, &at, packed + cut));
			CU_ASSERT_EQUAL(again.count, 0);
		}
		sketch_free(&s);
	}
}

static void bytes_of_anybody(void)
{
	uint8_t bytes_[64];

	for (int round = 0; round < 20000; round++) {
		struct sketch s = {0};
		const uint8_t *at = bytes_;
		for (size_t i = 0; i < sizeof bytes_; i++)
			bytes_[i] = (uint8_t)(uniform() * (round % 2 ? 256 : 4));
		if (sketch_unpack(&s, &at, bytes_ + sizeof bytes_) && s.count)
			CU_ASSERT(sketch_quantile(&s, 0.5) >= (double)s.least && sketch_quantile(&s, 0.5) <= (double)s.most);
		sketch_free(&s);
	}
}

static void what_is_no_value(void)
{
	struct sketch s = {0};

	CU_ASSERT(isnan(sketch_quantile(&s, 0.5)));
	CU_ASSERT(isnan(sketch_mean(&s)));
	sketch_add(&s, (double)NAN);
	sketch_add(&s, (double)INFINITY);
	sketch_add(&s, 1e300); /* no float holds it */
	CU_ASSERT_EQUAL(s.count, 0);
	sketch_add(&s, -5);
	CU_ASSERT_EQUAL(sketch_quantile(&s, 0.5), 0);
	sketch_free(&s);
}

/* 40 powers of two: what lies under the window is counted in its lowest bucket, the upper quantiles stay right. */
static void wider_than_the_window(void)
{
	struct sketch s = {0};

	for (int i = 0; i <= 4000; i++)
		sketch_add(&s, exp2(i / 100.0 - 10));
	CU_ASSERT_EQUAL(s.width, SKETCH_WIDTH);
	CU_ASSERT(fabs(sketch_quantile(&s, 0.95) - exp2(28)) < 0.125 * exp2(28));
	CU_ASSERT(fabs(sketch_quantile(&s, 0.5) - exp2(10)) < 0.125 * exp2(10));
	CU_ASSERT(sketch_quantile(&s, 0.01) <= exp2(-0.7));
	sketch_free(&s);
}

static const struct unit_test tests[] = {
	{"every distribution against the exact quantiles", every_distribution},
	{"a constant is exact", a_constant_is_exact},
	{"a day of hours merged", a_day_of_hours_merged},
	{"wider than the window", wider_than_the_window},
	{"packed and read again", packed_and_read_again},
	{"bytes of anybody", bytes_of_anybody},
	{"what is no value", what_is_no_value},
};

UNIT_MAIN("sketch", tests)
