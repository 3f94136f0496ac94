/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of the averages of one step, over leaps of the wall clock: no spike, nothing twice, no row out of order. */
#include <unistd.h>

#include "engine/average.c"

#include "tests/unit/unit.h"

#define STEP 10
#define START_MS INT64_C(1800000000000)
#define HOUR_MS INT64_C(3600000)

static struct engine engine;
static struct average average;
static double last_value;
static int64_t last_time;
static unsigned rows;

static void begin(void)
{
	engine.ring = ring_create(1 << 20);
	average = (struct average){.series = 1};
	last_value = NAN;
	last_time = 0;
	rows = 0;
}

/* Every row so far is between 40 and 60 and later than the one before. */
static void look(void)
{
	const struct ring_row *row;
	struct ring *reader = ring_map(dup(ring_fd(engine.ring)), 1);

	CU_ASSERT_PTR_NOT_NULL_FATAL(reader);
	while ((row = ring_next(reader))) {
		CU_ASSERT_EQUAL(row->count, 1);
		CU_ASSERT(row->values[0] >= 40 && row->values[0] <= 60);
		CU_ASSERT(row->time_s > last_time && row->time_s % STEP == 0);
		last_time = row->time_s;
		last_value = row->values[0];
		rows++;
	}
	ring_done(reader);
	ring_free(reader);
}

static void feed(int64_t from_ms, int seconds)
{
	for (int i = 0; i < seconds; i++) {
		double value = 40 + i % 21;
		average_add(&engine, &average, 1, STEP, &value, from_ms + i * 1000);
	}
}

static void end(void)
{
	average_free(&average);
	ring_free(engine.ring);
}

static void test_steady(void)
{
	begin();
	feed(START_MS, 61);
	look();
	CU_ASSERT_EQUAL(rows, 6);
	CU_ASSERT_EQUAL(last_time, START_MS / 1000 + 50);
	end();
}

static void test_leap_forward(void)
{
	begin();
	feed(START_MS, 35);
	feed(START_MS + HOUR_MS, 35);
	look();
	CU_ASSERT_EQUAL(rows, 4 + 3); /* the step that was begun before the leap is closed by it, nothing is made up between */
	CU_ASSERT_EQUAL(last_time, (START_MS + HOUR_MS) / 1000 + 20);
	end();
}

static void test_leap_back(void)
{
	begin();
	feed(START_MS, 35);
	feed(START_MS - HOUR_MS, 3600); /* lived twice: what was recorded stands */
	look();
	CU_ASSERT_EQUAL(rows, 3);
	feed(START_MS + 40000, 11);
	look();
	CU_ASSERT_EQUAL(rows, 5);
	CU_ASSERT_EQUAL(last_time, START_MS / 1000 + 40);
	end();
}

static void test_unknown_is_no_zero(void)
{
	double value = NAN;

	begin();
	average_add(&engine, &average, 1, STEP, &value, START_MS);
	value = 50;
	average_add(&engine, &average, 1, STEP, &value, START_MS + 1000);
	average_close_past(&engine, &average, 1, STEP, START_MS / 1000 + 9);
	look();
	CU_ASSERT_EQUAL(rows, 0);
	average_close_past(&engine, &average, 1, STEP, START_MS / 1000 + STEP);
	look();
	CU_ASSERT_EQUAL(rows, 1);
	CU_ASSERT_EQUAL(last_value, 50);
	end();
}

static const struct unit_test tests[] = {
	{"a steady clock", test_steady},
	{"an hour forward", test_leap_forward},
	{"an hour back", test_leap_back},
	{"unknown is no zero", test_unknown_is_no_zero},
};

UNIT_MAIN("average", tests)
