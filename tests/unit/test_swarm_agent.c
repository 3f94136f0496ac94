/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The swarm's agents without a network: values move believably, PDUs are answered right, hostile ones not at all,
 * counts are true. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/swarm/count.h"
#include "tests/lab/swarm/ctl.h"
#include "tests/lab/swarm/net.h"
#include "tests/lab/swarm/pdu.h"
#include "tests/lab/swarm/tree.h"
#include "tests/unit/unit.h"

static struct swarm swarm;
static uint8_t slot[NET_SLOT];

static void start(unsigned agents)
{
	swarm =
	    (struct swarm){.agents = agents, .seed = 1, .interval_ms = 1000, .max_size = 1472, .now_ms = 1000000000};
	CU_ASSERT_FATAL(swarm_start(&swarm) == 0);
}

static bool command(const char *text, char *answer, size_t size)
{
	char line[256];
	FILE *out = fmemopen(answer, size, "w");

	snprintf(line, sizeof(line), "%s", text);
	bool ok = ctl_command(&swarm, line, out);
	fclose(out);
	return ok;
}

static bool told(const char *text)
{
	char answer[8192] = "";
	return command(text, answer, sizeof(answer));
}

/* A request over the first `count` objects of the tree from `first` on; its size. */
static size_t build(uint8_t *out, size_t room, uint8_t type, int first, int count, unsigned second)
{
	int all;
	const struct object *objects = tree_objects(&all);
	uint8_t *body = out + 64, *at = body;

	for (int i = first; i < first + count && i < all; i++)
		at += pdu_put_varbind(at, objects[i].name, objects[i].name_size, BER_NULL, NULL, 0);
	CU_ASSERT_FATAL((size_t)(at - out) < room);
	uint8_t *p = ber_wrap(body, BER_SEQUENCE, (size_t)(at - body));
	p -= 3;
	memcpy(p, (uint8_t[]){2, 1, (uint8_t)second}, 3);
	p -= 9;
	memcpy(p, (uint8_t[]){2, 4, 0x40, 0, 0, 9, 2, 1, 0}, 9);
	p = ber_wrap(p, type, (size_t)(at - p));
	memmove(out, p, (size_t)(at - p));
	return (size_t)(at - p);
}

/* Number of varbinds of a Response, -1 when it is malformed; the last one's tag, the status. */
static int read_answer(const struct answer *a, int32_t *status, uint8_t *last)
{
	struct ber in = ber_over(a->at, a->size), pdu, list, varbind, name, value;
	int32_t id, index;
	int n = 0;

	if (!ber_expect(&in, PDU_RESPONSE, &pdu) || ber_left(in) || !ber_take_int32(&pdu, &id) ||
	    !ber_take_int32(&pdu, status) || !ber_take_int32(&pdu, &index) || !ber_expect(&pdu, BER_SEQUENCE, &list) ||
	    ber_left(pdu))
		return -1;
	for (; ber_left(list) > 0; n++)
		if (!ber_expect(&list, BER_SEQUENCE, &varbind) || !ber_expect(&varbind, BER_OID, &name) ||
		    !ber_take(&varbind, last, &value) || ber_left(varbind))
			return -1;
	return id == 0x40000009 ? n : -2;
}

static void test_tree(void)
{
	int count, writable = 0;
	const struct object *o = tree_objects(&count);

	CU_ASSERT(count >= 140);
	for (int i = 0; i < count; i++) {
		if (i > 0)
			CU_ASSERT(ber_oid_compare(o[i - 1].ids, o[i - 1].count, o[i].ids, o[i].count) < 0);
		CU_ASSERT_EQUAL(tree_find(o[i].ids, o[i].count), &o[i]);
		CU_ASSERT_EQUAL(tree_next(o[i].ids, o[i].count), i + 1 < count ? &o[i + 1] : NULL);
		writable += o[i].name_size == 0;
	}
	CU_ASSERT_EQUAL(writable, 0);
}

static bool is_counter(const struct object *o)
{
	return o->tag == BER_COUNTER64;
}

/* Counters never fall, at any agent, over two hours in uneven steps; most of them move. */
static void test_values(void)
{
	int count, falls = 0, moved = 0, counters = 0;
	const struct object *objects = tree_objects(&count);

	for (unsigned agent = 0; agent < 50; agent++) {
		uint32_t hash = swarm_hash(1, agent);
		for (int i = 0; i < count; i++) {
			uint64_t first = 0, last = 0;
			if (!is_counter(&objects[i]) || objects[i].ids[7] == 4)
				continue;
			for (int64_t ms = 60000; ms < 7260000; ms += 7919) {
				struct moment m = tree_moment(agent, hash, ms);
				uint64_t v = tree_number(&objects[i], &m);
				falls += v < last;
				last = v;
				first = first ? first : v;
			}
			counters++;
			moved += last > first;
		}
	}
	CU_ASSERT_EQUAL(falls, 0);
	CU_ASSERT(counters > 0 && moved == counters);
	struct moment a = tree_moment(3, 77, 5000), b = tree_moment(3, 77, 5000);
	CU_ASSERT(memcmp(&a, &b, sizeof(a)) == 0);
}

/* user + nice + system + wait + irq + softirq + steal + idle is the ticks of 4 CPUs within one tick each. */
static void test_cpu_adds_up(void)
{
	static const unsigned kinds[] = {50, 51, 52, 53, 54, 56, 61, 64};
	struct moment m = tree_moment(5, swarm_hash(1, 5), 3600000);
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		uint32_t ids[] = {1, 3, 6, 1, 4, 1, 2021, 11, kinds[i], 0};
		sum += tree_number(tree_find(ids, 10), &m);
	}
	CU_ASSERT(sum <= 3600u * 400 && sum >= 3600u * 400 - 8);
}

static void test_get(void)
{
	uint8_t request[2048], last;
	struct answer answer;
	int32_t status;
	size_t size;

	start(2);
	size = build(request, sizeof(request), PDU_GET, 30, 20, 0);
	for (int round = 0; round < 3; round++) {
		swarm.now_ms += 1000;
		CU_ASSERT_FATAL(pdu_answer(&swarm, 1, ber_over(request, size), slot, &answer));
		CU_ASSERT(read_answer(&answer, &status, &last) == 20 && status == 0);
	}
	CU_ASSERT_EQUAL(swarm.sums.cache_hits, 2);
	CU_ASSERT_EQUAL(swarm.agent[1].count.polls, 3);
	CU_ASSERT_EQUAL(swarm.agent[0].count.polls, 0);
	size = build(request, sizeof(request), PDU_GET, 0, 1, 0);
	request[size - 3] = 99; /* the instance */
	CU_ASSERT_FATAL(pdu_answer(&swarm, 1, ber_over(request, size), slot, &answer));
	CU_ASSERT(read_answer(&answer, &status, &last) == 1 && last == BER_NO_SUCH_INSTANCE);
	swarm_stop(&swarm);
}

static void test_bulk(void)
{
	uint8_t request[2048], last = 0;
	struct answer answer;
	int32_t status;
	int all;
	size_t size;

	start(1);
	tree_objects(&all);
	size = build(request, sizeof(request), PDU_GETBULK, 0, 1, 10);
	CU_ASSERT_FATAL(pdu_answer(&swarm, 0, ber_over(request, size), slot, &answer));
	CU_ASSERT(read_answer(&answer, &status, &last) == 10 && answer.size < swarm.max_size);
	size = build(request, sizeof(request), PDU_GETBULK, 0, 2, 120);
	CU_ASSERT_FATAL(pdu_answer(&swarm, 0, ber_over(request, size), slot, &answer));
	CU_ASSERT(read_answer(&answer, &status, &last) > 20 && answer.size < swarm.max_size && status == 0);
	size = build(request, sizeof(request), PDU_GETNEXT, all - 1, 1, 0);
	CU_ASSERT_FATAL(pdu_answer(&swarm, 0, ber_over(request, size), slot, &answer));
	CU_ASSERT(read_answer(&answer, &status, &last) == 1 && last == BER_END_OF_MIB_VIEW);
	size = build(request, sizeof(request), PDU_SET, 0, 1, 0);
	CU_ASSERT_FATAL(pdu_answer(&swarm, 0, ber_over(request, size), slot, &answer));
	CU_ASSERT(read_answer(&answer, &status, &last) == 1 && status == 6);
	swarm.max_size = 484;
	size = build(request, sizeof(request), PDU_GET, 0, 60, 0);
	CU_ASSERT_FATAL(pdu_answer(&swarm, 0, ber_over(request, size), slot, &answer));
	CU_ASSERT(read_answer(&answer, &status, &last) == 0 && status == 1);
	swarm_stop(&swarm);
}

static void test_knobs(void)
{
	uint8_t request[2048], last;
	struct answer answer;
	int32_t status;
	size_t size;

	start(4);
	size = build(request, sizeof(request), PDU_GET, 20, 5, 0);
	CU_ASSERT(told("set agents 1 wrong_id 1") && told("set agents 2 oversize 1") &&
		  told("set agents 3 every_second 1"));
	pdu_answer(&swarm, 1, ber_over(request, size), slot, &answer);
	CU_ASSERT_EQUAL(read_answer(&answer, &status, &last), -2);
	pdu_answer(&swarm, 2, ber_over(request, size), slot, &answer);
	CU_ASSERT(read_answer(&answer, &status, &last) > 100 && answer.size > 8000);
	bool first = pdu_answer(&swarm, 3, ber_over(request, size), slot, &answer);
	CU_ASSERT_NOT_EQUAL(first, pdu_answer(&swarm, 3, ber_over(request, size), slot, &answer));
	CU_ASSERT(told("set agents 0 wrong_type 1"));
	pdu_answer(&swarm, 0, ber_over(request, size), slot, &answer);
	CU_ASSERT(read_answer(&answer, &status, &last) == 5 && last == BER_OCTETS);
	CU_ASSERT(told("clear agents 0"));
	pdu_answer(&swarm, 0, ber_over(request, size), slot, &answer);
	CU_ASSERT(read_answer(&answer, &status, &last) == 5 && last != BER_OCTETS);
	static const char *const wrong[] = {"set agents 4 dead 1",
					    "set agents 0 dead 2",
					    "set agents 0 busy 1",
					    "set agents 0-x dead 1",
					    "set agents 3-1 dead 1",
					    "set agents 0 nothing 1",
					    "set bmcs 0 silent 1",
					    "do agents 0 forget",
					    "set agents 0 drop",
					    "frobnicate",
					    "",
					    "set agents 0/0 dead 1",
					    "interval 5"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CU_ASSERT_FALSE(told(wrong[i]));
	CU_ASSERT(!swarm.agent[0].knobs.dead);
	CU_ASSERT(told("set agents 0-3/2 dead 1") && swarm.agent[0].knobs.dead && !swarm.agent[1].knobs.dead &&
		  swarm.agent[2].knobs.dead);
	swarm_stop(&swarm);
}

static void poll_once(unsigned agent, int64_t at_ms)
{
	uint8_t request[512];
	struct answer answer;
	size_t size = build(request, sizeof(request), PDU_GET, 20, 2, 0);

	swarm.now_ms = 1000000000 + at_ms;
	pdu_answer(&swarm, agent, ber_over(request, size), slot, &answer);
}

/* Agent 0 in time; 1 with a gap of 1.3 intervals; 2 resent once; 3 dead and so not counted on. */
static void test_counts(void)
{
	char report[8192] = "";

	start(4);
	CU_ASSERT(told("set agents 3 dead 1") && told("reset"));
	for (int n = 0; n < 10; n++) {
		poll_once(0, 500 + n * 1000);
		poll_once(1, 500 + n * 1000 + (n == 5 ? 300 : 0));
		poll_once(2, 500 + n * 1000);
		if (n == 4)
			poll_once(2, 500 + n * 1000 + 200);
	}
	swarm.now_ms = 1000000000 + 10000;
	CU_ASSERT(command("report", report, sizeof(report)));
	CU_ASSERT_PTR_NOT_NULL(strstr(report, "\"live\": 3, \"excluded\": 1, \"never_polled\": 0"));
	CU_ASSERT_PTR_NOT_NULL(strstr(
	    report,
	    "\"expected\": 10.00, \"min\": 10, \"max\": 10, \"sum\": 30, \"repeats\": 1, \"agents_within_one\": 3"));
	CU_ASSERT_PTR_NOT_NULL(strstr(report, "\"max\": 1.300, \"agents_over_1_2\": 1"));
	CU_ASSERT(told("reset"));
	swarm.now_ms += 5000;
	CU_ASSERT(command("report", report, sizeof(report)));
	CU_ASSERT_PTR_NOT_NULL(strstr(report, "\"never_polled\": 3"));
	CU_ASSERT_PTR_NOT_NULL(strstr(report, "\"agents_over_1_2\": 3"));
	swarm_stop(&swarm);
}

/* Every cut and every changed byte of a request: no crash, and whatever is answered is well-formed. */
static void test_hostile(void)
{
	uint8_t request[2048], last;
	struct answer answer;
	int32_t status;
	int broken = 0;

	start(1);
	size_t size = build(request, sizeof(request), PDU_GETBULK, 10, 4, 3);
	for (size_t cut = 0; cut < size; cut++) {
		uint8_t *copy = malloc(cut + 1);
		memcpy(copy, request, cut);
		CU_ASSERT_FALSE(pdu_answer(&swarm, 0, ber_over(copy, cut), slot, &answer));
		free(copy);
	}
	uint8_t *copy = malloc(size);
	for (size_t at = 0; at < size; at++)
		for (unsigned v = 0; v < 256; v += 3) {
			memcpy(copy, request, size);
			copy[at] = (uint8_t)v;
			if (pdu_answer(&swarm, 0, ber_over(copy, size), slot, &answer))
				broken += read_answer(&answer, &status, &last) == -1;
		}
	free(copy);
	CU_ASSERT_EQUAL(broken, 0);
	CU_ASSERT(swarm.sums.garbage > size);
	swarm_stop(&swarm);
}

static const struct unit_test tests[] = {
	{"tree", test_tree}, {"values", test_values}, {"cpu adds up", test_cpu_adds_up}, {"get", test_get},
	{"bulk", test_bulk}, {"knobs", test_knobs},   {"counts", test_counts},           {"hostile", test_hostile},
};

UNIT_MAIN("swarm_agent", tests)
