/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Items and levels: values out of raw samples, resets and wraps, thresholds with hysteresis and n of m. */
#include <math.h>
#include <string.h>

#include "board/messages.h"
#include "monitor/items.h"
#include "monitor/levels.h"
#include "tests/unit/unit.h"

static void push(struct raw_pair *raw, unsigned object, uint8_t type, int64_t value, int64_t at)
{
	raw_push(&raw[object], type, value, at, false);
}

static enum level judge(const struct level_rules *rules, struct level_state *state, double value)
{
	return level_judge(rules, state, NULL, &(struct level_sample){.value = value}, NULL);
}

static void rates(void)
{
	struct raw_pair p = {0};

	raw_push(&p, SAMPLE_COUNTER32, 100, 1000, false);
	CU_ASSERT(isnan(raw_rate(&p)));
	raw_push(&p, SAMPLE_COUNTER32, 300, 11000, false);
	CU_ASSERT_DOUBLE_EQUAL(raw_rate(&p), 20, 1e-9);
	raw_push(&p, SAMPLE_COUNTER32, 4294967290, 21000, false);
	CU_ASSERT_DOUBLE_EQUAL(raw_rate(&p), 429496699, 1);
	raw_push(&p, SAMPLE_COUNTER32, 4, 31000, false); /* wrapped: ten steps */
	CU_ASSERT_DOUBLE_EQUAL(raw_rate(&p), 1, 1e-9);
	raw_push(&p, SAMPLE_COUNTER32, 3, 41000, false); /* a step back of one is no wrap of four billion */
	CU_ASSERT(isnan(raw_rate(&p)));
	raw_push(&p, SAMPLE_COUNTER32, 50, 51000, true); /* the agent restarted */
	CU_ASSERT(isnan(raw_rate(&p)));
	raw_push(&p, SAMPLE_COUNTER32, 60, 51000, false); /* time stood still */
	CU_ASSERT(isnan(raw_rate(&p)));
	raw_push(&p, SAMPLE_MISSING, 0, 61000, false);
	CU_ASSERT(isnan(raw_rate(&p)));
	CU_ASSERT(isnan(raw_gauge(&p)));
}

static void counter64(void)
{
	struct raw_pair p = {0};

	raw_push(&p, SAMPLE_COUNTER64, (int64_t)0xfffffffffffffff0u, 1000, false);
	CU_ASSERT_DOUBLE_EQUAL(raw_gauge(&p), 1.8446744073709552e19, 1e6);
	raw_push(&p, SAMPLE_COUNTER64, 5, 11000, false);
	CU_ASSERT(isnan(raw_rate(&p)));
	raw_push(&p, SAMPLE_COUNTER64, 100000000005, 21000, false);
	CU_ASSERT_DOUBLE_EQUAL(raw_rate(&p), 1e10, 1);
}

static void processor(void)
{
	struct raw_pair raw[OBJ_SCALARS];
	double out[ITEM_SCALARS];

	memset(raw, 0, sizeof raw);
	for (int64_t t = 0; t < 2; t++) { /* per 10 s: 200 user, 100 system, 600 idle, 100 wait */
		push(raw, OBJ_CPU_USER, SAMPLE_COUNTER32, 1000 + 200 * t, 1000 + 10000 * t);
		push(raw, OBJ_CPU_SYSTEM, SAMPLE_COUNTER32, 500 + 100 * t, 1000 + 10000 * t);
		push(raw, OBJ_CPU_IDLE, SAMPLE_COUNTER32, 9000 + 600 * t, 1000 + 10000 * t);
		push(raw, OBJ_CPU_WAIT, SAMPLE_COUNTER32, 10 + 100 * t, 1000 + 10000 * t);
	}
	items_scalars(raw, out);
	CU_ASSERT_DOUBLE_EQUAL(out[ITEM_CPU], 30, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(out[ITEM_CPU_USER], 20, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(out[ITEM_CPU_IOWAIT], 10, 1e-9);
	CU_ASSERT(isnan(out[ITEM_CPU_STEAL]));
	CU_ASSERT(isnan(out[ITEM_MEM]));
	push(raw, OBJ_MEM_TOTAL, SAMPLE_INTEGER, 1000, 1);
	push(raw, OBJ_MEM_FREE, SAMPLE_INTEGER, 100, 1);
	push(raw, OBJ_MEM_CACHED, SAMPLE_INTEGER, 300, 1);
	push(raw, OBJ_SWAP_TOTAL, SAMPLE_INTEGER, 0, 1);
	items_scalars(raw, out);
	CU_ASSERT_DOUBLE_EQUAL(out[ITEM_MEM], 60, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(out[ITEM_MEM_AVAIL], 400 * 1024, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(out[ITEM_SWAP], 0, 1e-9);
}

static void rows(void)
{
	struct raw_pair c[8];
	double out[4];

	memset(c, 0, sizeof c);
	raw_push(&c[OBJ_DISK_SIZE - OBJ_DISK_NAME], SAMPLE_INTEGER, 200, 1, false);
	raw_push(&c[OBJ_DISK_USED - OBJ_DISK_NAME], SAMPLE_INTEGER, 150, 1, false);
	CU_ASSERT_EQUAL(items_row(TABLE_DISK, c, out), 1);
	CU_ASSERT_DOUBLE_EQUAL(out[0], 75, 1e-9);
	memset(c, 0, sizeof c);
	CU_ASSERT_EQUAL(items_row(TABLE_IF, c, out), 4);
	CU_ASSERT(isnan(out[0]) && isnan(out[3]));
}

static void tables_agree(void)
{
	for (unsigned i = 0; i < item_definition_count; i++) {
		CU_ASSERT_EQUAL(item_definitions[i].item, i + 1);
		CU_ASSERT_PTR_EQUAL(item_find(item_definitions[i].name), &item_definitions[i]);
	}
	for (unsigned i = 0; i < item_object_count; i++)
		CU_ASSERT_EQUAL(item_objects[i].object, i + 1);
	CU_ASSERT_EQUAL(item_object_count, OBJECT_BUILTIN - 1);
}

static void hysteresis(void)
{
	struct level_rules rules = {2, {{.level = LEVEL_WARNING, .above = 1, .of = 1, .in = 1, .value = 80, .clear = 70},
					{.level = LEVEL_CRITICAL, .above = 1, .of = 1, .in = 1, .value = 95, .clear = 90}}};
	struct level_state s = {0};

	CU_ASSERT_EQUAL(judge(&rules, &s, 50), LEVEL_NORMAL);
	CU_ASSERT_EQUAL(judge(&rules, &s, 80), LEVEL_WARNING);
	CU_ASSERT_EQUAL(judge(&rules, &s, 75), LEVEL_WARNING); /* not below 70 yet */
	CU_ASSERT_EQUAL(judge(&rules, &s, 96), LEVEL_CRITICAL);
	CU_ASSERT_EQUAL(judge(&rules, &s, 91), LEVEL_CRITICAL);
	CU_ASSERT_EQUAL(judge(&rules, &s, 89), LEVEL_WARNING);
	CU_ASSERT_EQUAL(judge(&rules, &s, NAN), LEVEL_UNKNOWN);
	CU_ASSERT_EQUAL(judge(&rules, &s, 72), LEVEL_WARNING); /* unknown is not good news */
	CU_ASSERT_EQUAL(judge(&rules, &s, 69), LEVEL_NORMAL);
}

static void n_of_m(void)
{
	struct level_rules rules = {1, {{.level = LEVEL_MAJOR, .of = 3, .in = 5, .value = 10, .clear = 12}}}; /* at or below 10, three of five */
	struct level_state s = {0};
	const double in[] = {9, 20, 9, 20, 9, 11, 13};
	const enum level want[] = {LEVEL_NORMAL, LEVEL_NORMAL, LEVEL_NORMAL, LEVEL_NORMAL, LEVEL_MAJOR, LEVEL_MAJOR, LEVEL_NORMAL};

	for (size_t i = 0; i < sizeof in / sizeof in[0]; i++)
		CU_ASSERT_EQUAL(judge(&rules, &s, in[i]), want[i]);
}

static const struct unit_test tests[] = {
	{"rates, wraps, resets", rates}, {"64-bit counters", counter64}, {"processor and memory", processor}, {"table rows", rows},
	{"the tables agree with their numbers", tables_agree}, {"hysteresis", hysteresis}, {"n of m", n_of_m},
};
UNIT_MAIN("items and levels", tests)
