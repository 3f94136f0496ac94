/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Items of the wanted state in the SNMP engine, against the agent of test_engine.c: intervals, scopes, rows by filter, changes while
 * requests are on their way, what an agent stumbles over, costs. */
int engine_tests(void);
#define main engine_tests
#include "tests/unit/test_engine.c"
#undef main

#include "mibs/collector/items.h"

#define OID_A {1, 3, 6, 1, 2, 1, 9, 1, 0}
#define OID_B {1, 3, 6, 1, 2, 1, 9, 2, 0}

static const struct msg_item scalar_a = {.number = 0, .interval_s = 1, .oid_length = 9, .oid = OID_A};
static const struct msg_item scalar_b = {.number = 1, .interval_s = 3, .oid_length = 9, .oid = OID_B};
static const struct msg_item missing = {.number = 2, .interval_s = 1, .oid_length = 9, .oid = {1, 3, 6, 1, 2, 1, 8, 9, 0}};
static const struct msg_item rows = {.number = 3, .interval_s = 1, .oid_length = 8, .oid = {1, 3, 6, 1, 2, 1, 8, 2}, .names_length = 8,
				     .names = {1, 3, 6, 1, 2, 1, 8, 1}, .include = "eth*", .exclude = "*9"};

/* So many seconds in steps of 100 ms, the agent answering. */
static unsigned live(double seconds)
{
	unsigned served = 0;

	for (int64_t end_at = w.now + (int64_t)(seconds * 1000); w.now < end_at;) {
		w.now += 100;
		if (w.now / 100 % 5 == 0)
			engine_get(w.engine, SLOT, 9, w.now);
		served += serve();
	}
	return served;
}

static unsigned times(uint16_t object)
{
	unsigned n = 0;

	for (unsigned i = 0; i < told.values && i < COUNT_OF(told.value); i++)
		n += told.value[i].object == object;
	return n;
}

static void start(const struct msg_item *list, size_t count, uint64_t scope)
{
	begin(objects, 0);
	text_copy(w.names[0], sizeof w.names[0], "eth0");
	text_copy(w.names[1], sizeof w.names[0], "lo");
	text_copy(w.names[2], sizeof w.names[0], "eth9");
	w.name_count = 3;
	contact();
	told.values = told.rows = 0;
	CU_ASSERT(engine_items(w.engine, list, count, w.now));
	engine_item_scope(w.engine, SLOT, scope, w.now);
}

static void intervals_are_kept(void)
{
	const struct msg_item list[] = {scalar_a, scalar_b};

	start(list, 2, 3);
	live(1.2);
	CU_ASSERT(times(item_object(0, 0)) >= 1);
	CU_ASSERT_EQUAL(times(item_object(1, 0)), 1);
	told.values = 0;
	live(30);
	CU_ASSERT(times(item_object(0, 0)) >= 29 && times(item_object(0, 0)) <= 31);
	CU_ASSERT(times(item_object(1, 0)) >= 9 && times(item_object(1, 0)) <= 11);
	CU_ASSERT_EQUAL(told.value[0].value, told.value[0].object == item_object(0, 0) ? -5 : 4000000000);
	end();
}

static void scope_and_end(void)
{
	const struct msg_item list[] = {scalar_a, scalar_b};

	start(list, 2, 0);
	live(2);
	CU_ASSERT_EQUAL(told.values, 0);
	engine_item_scope(w.engine, SLOT, 2, w.now);
	live(2);
	CU_ASSERT_EQUAL(times(item_object(0, 0)), 0);
	CU_ASSERT(times(item_object(1, 0)) >= 1);
	engine_item_scope(w.engine, SLOT, 0, w.now);
	told.values = 0;
	live(4);
	CU_ASSERT_EQUAL(told.values, 0);
	engine_item_scope(w.engine, 15, 1, w.now);   /* no agent there */
	engine_item_scope(w.engine, 1000, 1, w.now); /* no slot */
	end();
}

static void rows_by_filter(void)
{
	struct msg_item other = rows;

	start(&rows, 1, 8);
	live(2);
	CU_ASSERT_EQUAL_FATAL(told.rows, 1);
	CU_ASSERT_STRING_EQUAL(told.row[0].name, "eth0");
	uint16_t eth0 = told.row[0].instance;
	CU_ASSERT(times(item_object(3, 0)) >= 1);
	CU_ASSERT(told.value[0].instance == eth0 && told.value[0].value == 1001);
	text_copy(other.exclude, sizeof other.exclude, "");
	told.rows = told.values = 0;
	engine_items(w.engine, &other, 1, w.now);
	live(2);
	CU_ASSERT_EQUAL(told.rows, 2); /* eth0 is said again, under the same id */
	for (unsigned i = 0; i < told.rows; i++)
		CU_ASSERT_EQUAL(told.row[i].instance == eth0, !strcmp(told.row[i].name, "eth0"));
	CU_ASSERT(told.values >= 2);
	memset(w.names[0], 0, sizeof w.names[0]); /* eth0 vanishes */
	told.rows = 0;
	live(95);
	CU_ASSERT_EQUAL_FATAL(told.rows, 1);
	CU_ASSERT(told.row[0].gone && told.row[0].instance == eth0);
	text_copy(w.names[3], sizeof w.names[0], "eth3");
	w.name_count = 4;
	told.rows = 0;
	live(65);
	CU_ASSERT_EQUAL_FATAL(told.rows, 1);
	CU_ASSERT(!told.row[0].gone && told.row[0].instance != eth0 && !strcmp(told.row[0].name, "eth3"));
	end();
}

/* An edit while a request is on its way: its answer still counts, and the next comes in time. */
static void an_edit_leaves_no_gap(void)
{
	const struct msg_item list[] = {scalar_a, scalar_b};
	struct request r;

	start(list, 1, 3);
	live(3);
	told.values = 0;
	while (!next_request(&r) || r.count < 2) {
		if (r.count < 2 && r.size)
			reply_from(w.agent, &r, r.id, 0);
		r.size = r.count = 0;
		w.now += 10;
	}
	engine_items(w.engine, list, 2, w.now);
	w.now += 30;
	engine_turn(w.engine, w.now);
	reply_from(w.agent, &r, r.id, 0);
	CU_ASSERT_EQUAL(times(item_object(0, 0)), 1);
	live(1.1);
	CU_ASSERT(times(item_object(0, 0)) >= 2);
	CU_ASSERT_EQUAL(times(item_object(1, 0)), 1);
	end();
}

static void another_meaning_another_number(void)
{
	struct msg_item other = scalar_b;

	start(&scalar_a, 1, 1);
	live(2);
	other.number = 0;
	other.generation = 5;
	told.values = 0;
	engine_items(w.engine, &other, 1, w.now);
	live(4);
	CU_ASSERT_EQUAL(times(item_object(0, 0)), 0);
	CU_ASSERT(times(item_object(0, 5)) >= 1);
	CU_ASSERT_EQUAL(told.value[0].value, 4000000000);
	end();
}

static void what_it_stumbles_over(void)
{
	const struct msg_item list[] = {scalar_a, missing};

	next_version = SNMP_V1; /* the whole request fails for one name */
	start(list, 2, 5);
	live(5);
	next_version = SNMP_V2C;
	CU_ASSERT(times(item_object(0, 0)) >= 3);
	CU_ASSERT_EQUAL(times(item_object(2, 0)), 1);
	for (unsigned i = 0; i < told.values; i++)
		CU_ASSERT_EQUAL(told.value[i].type == VALUE_MISSING, told.value[i].object == item_object(2, 0));
	end();
}

static void a_silent_agent_is_left_alone(void)
{
	struct request r;
	unsigned asked = 0;

	start(&scalar_a, 1, 1);
	live(2);
	for (int i = 0; i < 2000; i++) {
		w.now += 10;
		while (next_request(&r))
			asked++;
	}
	CU_ASSERT(asked <= 6);
	told.values = 0;
	live(3); /* the watch's question is answered: it is back */
	CU_ASSERT(told.values >= 1);
	end();
}

static void costs_are_measured(void)
{
	const struct msg_item list[] = {scalar_a, scalar_b, rows};
	struct msg_item_cost costs[ITEMS_MAX];

	start(list, 3, 11);
	CU_ASSERT_EQUAL(engine_item_costs(w.engine, costs), 3);
	live(5);
	CU_ASSERT_EQUAL_FATAL(engine_item_costs(w.engine, costs), 3);
	CU_ASSERT(costs[0].number == 0 && costs[1].number == 1 && costs[2].number == 3);
	/* a and the one row share a request a second; b has a third of one; rows are looked for once a minute */
	CU_ASSERT_DOUBLE_EQUAL(costs[0].requests_per_second, 0.5, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(costs[1].requests_per_second, 1 / 3.0, 1e-9);
	CU_ASSERT(costs[2].requests_per_second > 0.5 && costs[2].requests_per_second < 0.6);
	CU_ASSERT(costs[0].bytes_per_second > 50 && costs[0].bytes_per_second < 150);
	CU_ASSERT_EQUAL(costs[0].nodes, 1);
	end();
}

static void unsound_ones_are_left_out(void)
{
	struct msg_item bad[] = {scalar_a, scalar_a, scalar_a, scalar_a, scalar_b, rows};

	bad[0].number = ITEMS_MAX;
	bad[1].oid_length = OBJECT_OID_MAX + 1;
	bad[2].interval_s = 0;
	bad[3].names_length = 1;
	memset(bad[5].include, 'x', sizeof bad[5].include);
	begin(objects, 0);
	contact();
	told.values = 0;
	CU_ASSERT_FALSE(engine_items(w.engine, bad, COUNT_OF(bad), w.now));
	engine_item_scope(w.engine, SLOT, UINT64_MAX, w.now);
	live(4);
	CU_ASSERT(told.values >= 1);
	for (unsigned i = 0; i < told.values; i++)
		CU_ASSERT_EQUAL(told.value[i].object, item_object(1, 0));
	end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		{"intervals are kept", intervals_are_kept}, {"scope and its end", scope_and_end}, {"rows by filter", rows_by_filter},
		{"an edit leaves no gap", an_edit_leaves_no_gap}, {"another meaning, another number", another_meaning_another_number},
		{"what it stumbles over", what_it_stumbles_over}, {"a silent agent is left alone", a_silent_agent_is_left_alone},
		{"costs are measured", costs_are_measured}, {"unsound ones are left out", unsound_ones_are_left_out},
	};
	return unit_run("engine items", tests, COUNT_OF(tests)) | engine_tests();
}
