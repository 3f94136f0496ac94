/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of the planner of services: each state's way, its deadlines and retries; growth, shrinking, trouble, leaving; and a small world of nodes,
 * a balancer, a store and kills in which any sequence of events must end well. */
#include "service/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "tests/unit/unit.h"

enum { NODES = 10, NOW = 1000000 };

static struct config_service config;
static struct config_software software;
static struct member_view views[NODES];
static struct plan_offer offers[NODES];
static struct service_view view;
static struct service_plan plan;

static void begin(void)
{
	memset(views, 0, sizeof views);
	memset(offers, 0, sizeof offers);
	config = (struct config_service){.min = 2, .max = 6, .start_s = 30, .warm_s = 50, .drain_s = 60, .rise = 3, .enabled = 1};
	text_copy(config.head.name, sizeof config.head.name, "web");
	text_copy(config.agent, sizeof config.agent, "systemd:nginx");
	text_copy(config.software, sizeof config.software, "nginx");
	text_copy(software.head.name, sizeof software.head.name, "nginx");
	view = (struct service_view){.now_ms = NOW, .config = &config, .software = &software, .build = plan_build(&config, &software), .run = true,
				     .wanted = 2, .scale = 1, .members = views, .offers = offers};
}

static struct member_view *add(enum member_state state, uint32_t weight)
{
	struct member_view *v = &views[view.count];

	*v = (struct member_view){.evidence = EVIDENCE_GOOD, .run = RUN_IDLE, .evidence_text = "", .run_text = "", .leave_text = "", .unfit_text = ""};
	text_format(v->m.node, sizeof v->m.node, "n%zu", ++view.count);
	member_enter(&v->m, state, NOW - 60000, 0, state == MEMBER_IN_SERVICE ? "in service" : "");
	v->m.weight = weight;
	v->m.build = view.build;
	return v;
}

static void offer(const char *node)
{
	text_copy(offers[view.offer_count++].node, MEMBER_NAME, node);
}

static const struct plan_action *of(const struct member_view *v)
{
	for (size_t i = 0; i < plan.count; i++)
		if (plan.actions[i].what != PLAN_ADD && plan.actions[i].index == (size_t)(v - views))
			return &plan.actions[i];
	return NULL;
}

static enum member_state next_of(const struct member_view *v)
{
	const struct plan_action *a = of(v);

	return (enum member_state)(a ? a->next.state : v->m.state);
}

static size_t added(void)
{
	size_t n = 0;

	for (size_t i = 0; i < plan.count; i++)
		n += plan.actions[i].what == PLAN_ADD;
	return n;
}

/* --- the way of a member ------------------------------------------------------------------------------------ */
static void test_grows_from_nothing(void)
{
	begin();
	offer("a");
	offer("b");
	offer("c");
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL_FATAL(plan.count, 2);
	CU_ASSERT_EQUAL(plan.actions[0].what, PLAN_ADD);
	CU_ASSERT_STRING_EQUAL(plan.actions[0].next.node, "a");
	CU_ASSERT_STRING_EQUAL(plan.actions[1].next.node, "b");
	CU_ASSERT_EQUAL(plan.actions[0].next.state, MEMBER_ALLOCATING);
	CU_ASSERT_EQUAL(plan.state, SERVICE_STARTING);
	CU_ASSERT_EQUAL(plan.coming, 2);
	CU_ASSERT_EQUAL(plan.wanted_more, 0);
}

static void test_pool_too_small(void)
{
	begin();
	view.wanted = 4;
	offer("a");
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(added(), 1);
	CU_ASSERT_EQUAL(plan.wanted_more, 3);
}

static void test_way_up(void)
{
	begin();
	view.wanted = 1;
	struct member_view *m = add(MEMBER_ALLOCATING, 0);
	m->m.build = 0;
	m->m.allocated_ms = NOW - 5000;
	m->evidence = EVIDENCE_NONE;

	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(m), MEMBER_INSTALLING);
	m->m = of(m)->next;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL_FATAL(of(m)->verb, VERB_INSTALL);
	m->run = RUN_OPEN;
	m->run_verb = VERB_INSTALL;
	service_plan(&view, &plan);
	CU_ASSERT_PTR_NULL(of(m));
	m->run = RUN_GOOD;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(m), MEMBER_STARTING);
	m->m = of(m)->next;
	m->run = RUN_IDLE;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(of(m)->verb, VERB_START);
	CU_ASSERT_FALSE(of(m)->quiet); /* what will be running must be known before it is */
	CU_ASSERT_EQUAL(of(m)->next.build, view.build);
	CU_ASSERT_STRING_EQUAL(of(m)->next.agent, "systemd:nginx");
	m->m = of(m)->next;
	m->run = RUN_GOOD;
	m->run_verb = VERB_START;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(m), MEMBER_WARMING);
	CU_ASSERT_EQUAL(of(m)->next.weight, 0);
	m->m = of(m)->next;
	m->run = RUN_IDLE;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(of(m) ? of(m)->next.weight : 0, 0);
	m->evidence = EVIDENCE_GOOD;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(of(m)->next.weight, 20);
	CU_ASSERT_EQUAL(of(m)->next.allocated_ms, 0);
	m->m = of(m)->next;
	static const uint32_t weights[] = {20, 40, 60, 80, 100};
	for (size_t i = 1; i < 5; i++) {
		view.now_ms += 10000;
		service_plan(&view, &plan);
		CU_ASSERT_EQUAL(next_of(m), MEMBER_WARMING);
		CU_ASSERT_EQUAL_FATAL(of(m)->next.weight, weights[i]);
		m->m = of(m)->next;
	}
	view.now_ms += 10000;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(m), MEMBER_IN_SERVICE);
	CU_ASSERT_EQUAL(of(m)->next.weight, 100);
	CU_ASSERT_EQUAL(plan.state, SERVICE_WELL);
}

static void test_three_tries(void)
{
	begin();
	view.wanted = 1;
	struct member_view *m = add(MEMBER_STARTING, 0);

	for (int try = 1; try <= MEMBER_TRIES; try++) {
		m->run = RUN_BAD;
		m->run_verb = VERB_START;
		m->run_text = "no such unit";
		service_plan(&view, &plan);
		CU_ASSERT_EQUAL(next_of(m), try < MEMBER_TRIES ? MEMBER_STARTING : MEMBER_FAILED);
		CU_ASSERT_PTR_NOT_NULL(strstr(of(m)->next.reason, "no such unit"));
		m->m = of(m)->next;
		m->run = RUN_IDLE;
		service_plan(&view, &plan);
		CU_ASSERT(!of(m) || of(m)->verb == VERB_NONE); /* not at once */
		view.now_ms += 20000;
	}
	offer("b");
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(added(), 1);
	/* another has its place: what may run there is stopped, then it goes */
	CU_ASSERT_EQUAL(next_of(m), MEMBER_RELEASING);
}

static void test_never_warm(void)
{
	begin();
	view.wanted = 1;
	struct member_view *m = add(MEMBER_WARMING, 0);
	m->m.deadline_ms = NOW + 1;
	m->evidence = EVIDENCE_HARD;
	m->evidence_text = "connection refused";
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(m), MEMBER_WARMING);
	view.now_ms += 10;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(m), MEMBER_STARTING);
	CU_ASSERT_EQUAL(of(m)->next.tries, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(of(m)->next.reason, "connection refused"));
}

/* good, then bad while it is still warming (its node was started anew): it has ten seconds, then it is started again */
static void test_fell_back(void)
{
	begin();
	struct member_view *m = add(MEMBER_WARMING, 40);
	m->m.ramp_ms = NOW - 20000;
	m->evidence = EVIDENCE_HARD;
	for (int i = 0; i < 3; i++) {
		view.now_ms += i == 0 ? 0 : i == 1 ? 9900 : 200;
		service_plan(&view, &plan);
		CU_ASSERT_EQUAL(next_of(m), i < 2 ? MEMBER_WARMING : MEMBER_STARTING);
		m->m = of(m) ? of(m)->next : m->m;
		CU_ASSERT_EQUAL(m->m.weight, 0);
	}
}

static void test_way_down(void)
{
	begin();
	view.run = false;
	struct member_view *m = add(MEMBER_IN_SERVICE, 100);

	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(m), MEMBER_DRAINING);
	CU_ASSERT_EQUAL(of(m)->next.weight, 0);
	m->m = of(m)->next;
	view.now_ms += 30000;
	service_plan(&view, &plan);
	CU_ASSERT_PTR_NULL(of(m));
	m->idle = true;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(m), MEMBER_RELEASING);
	m->m = of(m)->next;
	service_plan(&view, &plan);
	CU_ASSERT(!of(m) || of(m)->verb == VERB_NONE); /* first out of the balancer */
	m->off_balancer = true;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(of(m)->verb, VERB_STOP);
	m->m = of(m)->next;
	m->run = RUN_GOOD;
	m->run_verb = VERB_START; /* of an earlier state: says nothing about the stop */
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(of(m)->verb, VERB_STOP);
	m->run_verb = VERB_STOP;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(of(m)->what, PLAN_GONE);
	CU_ASSERT_EQUAL(plan.state, SERVICE_STOPPING);
}

static void test_drain_deadline(void)
{
	begin();
	view.run = false;
	struct member_view *m = add(MEMBER_DRAINING, 0);

	m->m.deadline_ms = NOW;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(m), MEMBER_RELEASING);
	m->m = of(m)->next;
	view.now_ms += 16000; /* the balancer does not answer */
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(of(m)->verb, VERB_STOP);
}

/* --- size ------------------------------------------------------------------------------------------------------ */
static void test_shrinks_what_is_on_its_way(void)
{
	begin();
	struct member_view *a = add(MEMBER_IN_SERVICE, 100), *b = add(MEMBER_IN_SERVICE, 100), *c = add(MEMBER_STARTING, 0), *d = add(MEMBER_WARMING, 20);

	d->m.ramp_ms = NOW - 100;
	view.wanted = 3;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(c), MEMBER_RELEASING);
	CU_ASSERT_EQUAL(next_of(d), MEMBER_WARMING);
	view.wanted = 2;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(c), MEMBER_RELEASING);
	CU_ASSERT_EQUAL(next_of(d), MEMBER_DRAINING);
	CU_ASSERT_EQUAL(next_of(a), MEMBER_IN_SERVICE);
	CU_ASSERT_EQUAL(next_of(b), MEMBER_IN_SERVICE);
	c->busy = true; /* it will be the first, a moment later */
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(d), MEMBER_WARMING);
}

static void test_takes_back_what_drains(void)
{
	begin();
	add(MEMBER_IN_SERVICE, 100);
	struct member_view *b = add(MEMBER_DRAINING, 0);

	offer("x");
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(b), MEMBER_WARMING);
	CU_ASSERT_EQUAL(added(), 0);
}

static void test_pin_in_flight(void)
{
	begin();
	struct member_view *m[4] = {add(MEMBER_IN_SERVICE, 100), add(MEMBER_STARTING, 0), add(MEMBER_INSTALLING, 0), add(MEMBER_ALLOCATING, 0)};

	view.wanted = 1;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(m[0]), MEMBER_IN_SERVICE);
	for (int i = 1; i < 4; i++)
		CU_ASSERT_EQUAL(next_of(m[i]), MEMBER_RELEASING);
}

/* --- trouble ----------------------------------------------------------------------------------------------------- */
static void test_taken_out(void)
{
	begin();
	struct member_view *a = add(MEMBER_IN_SERVICE, 100), *b = add(MEMBER_IN_SERVICE, 100);

	a->evidence = EVIDENCE_SOFT; /* one witness: the minimum of two would be lost */
	a->evidence_text = "unreachable";
	service_plan(&view, &plan);
	CU_ASSERT_FALSE(of(a)->next.out);
	CU_ASSERT_PTR_NOT_NULL(strstr(of(a)->next.reason, "too few"));
	a->evidence = EVIDENCE_HARD;
	service_plan(&view, &plan);
	CU_ASSERT_TRUE(of(a)->next.out);
	a->m = of(a)->next;
	b->evidence = EVIDENCE_HARD; /* the last one stays whatever is said of it */
	service_plan(&view, &plan);
	CU_ASSERT(!of(b) || !of(b)->next.out);
	struct member_view *c = add(MEMBER_IN_SERVICE, 100), *d = add(MEMBER_IN_SERVICE, 100);
	(void)c;
	(void)d;
	b->evidence = EVIDENCE_SOFT;
	view.wanted = 4;
	service_plan(&view, &plan);
	CU_ASSERT_TRUE(of(b)->next.out);
}

static void test_comes_back_slowly(void)
{
	begin();
	add(MEMBER_IN_SERVICE, 100);
	struct member_view *b = add(MEMBER_IN_SERVICE, 100);

	b->m.out = true;
	b->m.out_ms = NOW - 5000;
	b->flapping = true;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(b), MEMBER_IN_SERVICE);
	b->flapping = false;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(b), MEMBER_WARMING);
	CU_ASSERT_EQUAL(of(b)->next.weight, 20);
	CU_ASSERT_FALSE(of(b)->next.out);
}

static void test_replaced(void)
{
	begin();
	add(MEMBER_IN_SERVICE, 100);
	struct member_view *b = add(MEMBER_IN_SERVICE, 100);

	offer("x");
	b->m.out = true;
	b->evidence = EVIDENCE_HARD;
	b->m.out_ms = NOW - 5000;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(added(), 0);
	b->m.out_ms = NOW - PLAN_REPLACE_MS;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(added(), 1);
	CU_ASSERT_EQUAL(next_of(b), MEMBER_IN_SERVICE); /* not removed before another is there */
	b->evidence = EVIDENCE_DEAD;
	b->m.out_ms = NOW;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(added(), 1);
	CU_ASSERT_NOT_EQUAL(next_of(b), MEMBER_IN_SERVICE);
	view.tell = true;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(added(), 0);
	view.tell = false;
	view.braked = true;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(added(), 0);
	CU_ASSERT_EQUAL(plan.level, LEVEL_MAJOR - (plan.good >= 2));
}

static void test_failed_comes_back_when_there_is_no_other(void)
{
	begin();
	add(MEMBER_IN_SERVICE, 100);
	struct member_view *b = add(MEMBER_FAILED, 0);

	b->evidence = EVIDENCE_SOFT;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(b), MEMBER_FAILED);
	b->evidence = EVIDENCE_NONE; /* the node is up again */
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(b), MEMBER_RELEASING);
	CU_ASSERT_TRUE(of(b)->next.again);
	b->m = of(b)->next;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(of(b)->verb, VERB_STOP);
	b->m = of(b)->next;
	b->run = RUN_GOOD;
	b->run_verb = VERB_STOP;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(b), MEMBER_ALLOCATING);
}

static void test_leaves(void)
{
	begin();
	add(MEMBER_IN_SERVICE, 100);
	struct member_view *b = add(MEMBER_IN_SERVICE, 100);

	b->leave = true;
	b->leave_text = "its node goes into maintenance";
	offer("x");
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(added(), 1);
	CU_ASSERT_EQUAL(next_of(b), MEMBER_IN_SERVICE); /* another one first */
	view.offer_count = 0;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(b), MEMBER_DRAINING); /* nobody comes */
	CU_ASSERT_STRING_EQUAL(of(b)->next.reason, "its node goes into maintenance");
	struct member_view *c = add(MEMBER_STARTING, 0);
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(b), MEMBER_IN_SERVICE);
	c->m.state = MEMBER_IN_SERVICE;
	c->m.weight = 100;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(b), MEMBER_DRAINING);
}

static void test_started_anew_one_by_one(void)
{
	begin();
	struct member_view *a = add(MEMBER_IN_SERVICE, 100), *b = add(MEMBER_IN_SERVICE, 100);

	a->outdated = b->outdated = true;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL((next_of(a) == MEMBER_DRAINING) + (next_of(b) == MEMBER_DRAINING), 1);
	CU_ASSERT_EQUAL(next_of(a), MEMBER_DRAINING);
	CU_ASSERT_TRUE(of(a)->next.again);
	a->m = of(a)->next;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(b), MEMBER_IN_SERVICE);
	view.run = false; /* it is stopped meanwhile */
	service_plan(&view, &plan);
	CU_ASSERT_FALSE(of(a)->next.again);
	CU_ASSERT_EQUAL(next_of(b), MEMBER_DRAINING);
}

static void test_renewed(void)
{
	begin();
	add(MEMBER_IN_SERVICE, 100);
	struct member_view *b = add(MEMBER_IN_SERVICE, 100);

	b->renew = true;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(b), MEMBER_IN_SERVICE); /* only what is out already */
	b->m.out = true;
	b->m.out_ms = NOW - 1000;
	b->evidence = EVIDENCE_HARD;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(b), MEMBER_RELEASING);
	CU_ASSERT_TRUE(of(b)->next.again);
	member_enter(&b->m, MEMBER_FAILED, NOW, 0, "does not start 3 times");
	b->m.tries = MEMBER_TRIES;
	b->evidence = EVIDENCE_NONE;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(b), MEMBER_RELEASING); /* something was mended: at once */
	b->renew = false;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(next_of(b), MEMBER_FAILED);
}

static void test_node_gone(void)
{
	begin();
	struct member_view *a = add(MEMBER_IN_SERVICE, 100);

	add(MEMBER_IN_SERVICE, 100);
	a->node_gone = true;
	offer("x");
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(of(a)->what, PLAN_GONE);
	CU_ASSERT_EQUAL(added(), 1);
}

static void test_hands_off(void)
{
	begin();
	struct member_view *a = add(MEMBER_IN_SERVICE, 100);

	a->evidence = EVIDENCE_DEAD;
	add(MEMBER_IN_SERVICE, 100);
	offer("x");
	view.hands_off = true;
	view.wanted = 5;
	service_plan(&view, &plan);
	CU_ASSERT_EQUAL(plan.count, 0);
	CU_ASSERT_EQUAL(plan.good, 1);
	CU_ASSERT_EQUAL(plan.level, LEVEL_NORMAL + 0 * plan.level);
}

static void test_evidence(void)
{
	static const struct {
		struct member_witness w;
		enum evidence evidence;
	} cases[] = {
		{{VERDICT_UP, CERTAINTY_NONE, PROBE_GOOD, 0, 0, 0}, EVIDENCE_GOOD},
		{{VERDICT_UP, CERTAINTY_NONE, PROBE_BAD, 0, 0, 0}, EVIDENCE_HARD},
		{{VERDICT_AGENT_DEAD, CERTAINTY_CALLED, PROBE_GOOD, 0, 0, 0}, EVIDENCE_GOOD},
		{{VERDICT_UNREACHABLE, CERTAINTY_CALLED, PROBE_GOOD, 0, 0, 0}, EVIDENCE_SOFT},
		{{VERDICT_UNREACHABLE, CERTAINTY_CALLED, PROBE_BAD, 0, 0, 0}, EVIDENCE_HARD},
		{{VERDICT_OS_HUNG, CERTAINTY_CONFIRMED, PROBE_BAD, 0, 0, 0}, EVIDENCE_DEAD},
		{{VERDICT_PATH_BLOCKED, CERTAINTY_CONFIRMED, PROBE_GOOD, 0, 0, 0}, EVIDENCE_SOFT},
		{{VERDICT_UNREACHABLE, CERTAINTY_CALLED, PROBE_BAD, 1, 0, 0}, EVIDENCE_SOFT},
		{{VERDICT_UP, CERTAINTY_NONE, PROBE_BAD, 0, 1, 0}, EVIDENCE_SOFT},
		{{VERDICT_GROUP_PATH_LOST, CERTAINTY_CONFIRMED, PROBE_UNKNOWN, 0, 0, 0}, EVIDENCE_NONE},
		{{VERDICT_UNKNOWN, CERTAINTY_NONE, PROBE_UNKNOWN, 0, 0, 0}, EVIDENCE_NONE},
		{{VERDICT_POWERED_OFF, CERTAINTY_CONFIRMED, PROBE_BAD, 0, 0, 1}, EVIDENCE_HARD},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CU_ASSERT_EQUAL(member_evidence(&cases[i].w), cases[i].evidence);
}

static void test_text(void)
{
	begin();
	struct member_view *v = add(MEMBER_DRAINING, 0);
	struct member m = v->m, back;

	m.deadline_ms = NOW + 30000;
	m.again = true;
	m.tries = 2;
	text_copy(m.agent, sizeof m.agent, "ocf:heartbeat:nginx");
	char *text = member_to_json(&m, NOW, INT64_C(1700000000000));
	CU_ASSERT_TRUE_FATAL(member_from_json(text, m.node, NOW, INT64_C(1700000000000), &back));
	CU_ASSERT_EQUAL(memcmp(&m, &back, sizeof m), 0);
	/* another life, whose monotonic clock began anew, ten seconds later */
	CU_ASSERT_TRUE(member_from_json(text, m.node, 500, INT64_C(1700000010000), &back));
	CU_ASSERT_EQUAL(back.deadline_ms, 500 + 20000);
	CU_ASSERT_EQUAL(back.since_ms, 500 - 70000);
	/* the wall clock was set back: what began cannot lie ahead */
	CU_ASSERT_TRUE(member_from_json(text, m.node, 500, INT64_C(1600000000000), &back));
	CU_ASSERT(back.since_ms <= 500);
	CU_ASSERT(back.deadline_ms < 500 + INT64_C(90000000));
	free(text);
	CU_ASSERT_FALSE(member_from_json("{}", "n", 0, 0, &back));
	CU_ASSERT_FALSE(member_from_json("", "n", 0, 0, &back));
	CU_ASSERT_FALSE(member_from_json("{\"state\":\"flying\",\"fails\":0}", "n", 0, 0, &back));
}

/* --- a world ------------------------------------------------------------------------------------------------------ */
struct world_node {
	char name[MEMBER_NAME];
	bool dark, broken, uninstallable, leave, runs, installed; /* runs: the service's process, whether it is a member or not */
	int dark_s;
};
struct world_member {
	bool used, storing, stored_there, delete;
	struct member m;           /* in the engine's memory */
	char *stored;              /* in the store */
	enum member_verb run, wait_run; /* run: on its way; wait_run: begins when the store has it */
	enum member_verb ran;      /* with a result */
	bool ok;
	int run_s;
	uint32_t at_balancer;      /* weight as read back; UINT32_MAX not there */
	int good_s;
};
static struct world {
	struct world_node nodes[NODES];
	struct world_member members[NODES]; /* by node */
	bool run, balancer_down, restart;
	uint32_t wanted, seed, kills;
	int64_t now, restart_ms;
} w;

static uint32_t chance(uint32_t of)
{
	w.seed = w.seed * 1664525u + 1013904223u;
	return (w.seed >> 8) % of;
}

static void world_begin(uint32_t seed)
{
	for (int i = 0; i < NODES; i++)
		free(w.members[i].stored);
	memset(&w, 0, sizeof w);
	begin();
	w.seed = seed;
	w.now = 5000000;
	w.run = true;
	w.wanted = 3;
	for (int i = 0; i < NODES; i++) {
		text_format(w.nodes[i].name, MEMBER_NAME, "n%d", i);
		w.members[i].at_balancer = UINT32_MAX;
	}
}

static void save(struct world_member *m)
{
	free(m->stored);
	m->stored = m->delete ? NULL : member_to_json(&m->m, w.now, w.now + INT64_C(1700000000000));
	m->storing = false;
	if (m->delete) {
		m->used = m->delete = false;
		m->run = m->ran = VERB_NONE;
	}
	if (m->wait_run) {
		m->run = m->wait_run;
		m->run_s = 1 + (int)chance(4);
		m->wait_run = VERB_NONE;
	}
}

/* What a run does takes effect on the node, whether anybody hears of it or not. */
static void run_ends(int i, bool heard)
{
	struct world_node *n = &w.nodes[i];
	struct world_member *m = &w.members[i];
	bool ok = !n->dark && !(m->run == VERB_INSTALL && n->uninstallable) && !(m->run == VERB_START && !n->installed);

	if (ok && m->run == VERB_INSTALL)
		n->installed = true;
	if (ok && m->run == VERB_START)
		n->runs = true;
	if (ok && m->run == VERB_STOP)
		n->runs = false;
	m->ran = heard ? m->run : VERB_NONE;
	m->ok = ok;
	m->run = VERB_NONE;
}

static void kill_engine(void)
{
	w.kills++;
	for (int i = 0; i < NODES; i++) {
		struct world_member *m = &w.members[i];
		if (m->storing && chance(2))
			save(m); /* it reached the disk, its answer did not */
		if (m->run && chance(2))
			run_ends(i, false);
		struct world_member fresh = {.stored = m->stored, .at_balancer = m->at_balancer};
		*m = fresh;
		m->used = m->stored != NULL;
		if (m->used)
			CU_ASSERT_TRUE_FATAL(member_from_json(m->stored, w.nodes[i].name, w.now, w.now + INT64_C(1700000000000), &m->m));
	}
}

static void passes(int seconds)
{
	w.now += seconds * 1000;
	for (int i = 0; i < NODES; i++) {
		struct world_member *m = &w.members[i];
		struct world_node *n = &w.nodes[i];
		n->dark_s = n->dark ? n->dark_s + seconds : 0;
		if (n->dark)
			n->runs = false;
		if (m->storing)
			save(m);
		if (m->run && (m->run_s -= seconds) <= 0)
			run_ends(i, true);
		m->good_s = n->runs && !n->broken && m->used && member_is_balanced(&m->m) ? m->good_s + seconds : 0;
		if (!w.balancer_down)
			m->at_balancer = m->used && member_is_balanced(&m->m) ? (m->m.out ? 0 : m->m.weight) : UINT32_MAX;
	}
}

static void look(int i, struct member_view *v)
{
	struct world_member *m = &w.members[i];
	struct world_node *n = &w.nodes[i];
	struct member_witness witness = {.verdict = n->dark_s >= 3 ? VERDICT_UNREACHABLE : VERDICT_UP,
					 .certainty = n->dark_s >= 10 ? CERTAINTY_CONFIRMED : n->dark_s >= 3 ? CERTAINTY_CALLED : CERTAINTY_NONE,
					 .probe = !member_is_balanced(&m->m) ? PROBE_UNKNOWN : m->good_s >= 2 ? PROBE_GOOD
						  : m->good_s == 0	   ? PROBE_BAD : PROBE_UNKNOWN};

	*v = (struct member_view){.m = m->m, .busy = m->storing, .evidence = member_evidence(&witness), .evidence_text = "trouble", .run_text = "exit 1",
				  .leave_text = "leaves", .unfit_text = "unfit", .leave = n->leave, .unfit = n->dark_s >= 3,
				  .off_balancer = m->at_balancer == UINT32_MAX, .idle = m->at_balancer == 0 || m->at_balancer == UINT32_MAX};
	v->run = m->run || m->wait_run ? RUN_OPEN : m->ran ? m->ok ? RUN_GOOD : RUN_BAD : RUN_IDLE;
	v->run_verb = m->run ? m->run : m->wait_run ? m->wait_run : m->ran;
	v->outdated = w.restart_ms && m->m.build && m->m.started_ms < w.restart_ms && member_is_balanced(&m->m) && m->m.state != MEMBER_DRAINING;
	bool dead = v->evidence == EVIDENCE_DEAD;
	v->give_up = dead;
}

static int at[NODES]; /* node of each view */

static enum evidence known[NODES]; /* what the planner was told, by node */

static uint32_t serving(void)
{
	uint32_t n = 0;

	for (int i = 0; i < NODES; i++)
		n += w.members[i].used && !w.members[i].m.out && w.members[i].m.weight > 0 && w.members[i].m.state <= MEMBER_IN_SERVICE &&
		     known[i] == EVIDENCE_GOOD;
	return n;
}

static uint32_t living(void)
{
	uint32_t n = 0;

	for (int i = 0; i < NODES; i++)
		n += w.members[i].used && !w.members[i].delete && !w.nodes[i].leave && w.members[i].m.state <= MEMBER_IN_SERVICE &&
		     (!w.members[i].m.out_ms || w.now - w.members[i].m.out_ms < PLAN_REPLACE_MS);
	return n;
}

static void step_world(void)
{
	view.now_ms = w.now;
	view.run = w.run;
	view.wanted = w.wanted;
	view.count = view.offer_count = 0;
	for (int i = 0; i < NODES; i++) {
		if (w.members[i].used) {
			at[view.count] = i;
			look(i, &views[view.count]);
			known[i] = views[view.count++].evidence;
		} else if (w.nodes[i].dark_s < 3 && !w.nodes[i].leave) {
			offer(w.nodes[i].name);
		}
	}
	uint32_t before = serving(), more = 0;
	service_plan(&view, &plan);
	uint32_t leaving = 0;
	for (size_t k = 0; k < plan.count; k++) {
		const struct plan_action *a = &plan.actions[k];
		int node = a->what == PLAN_ADD ? (int)strtol(a->next.node + 1, NULL, 10) : at[a->index];
		struct world_member *m = &w.members[node];
		if (a->what == PLAN_ADD) {
			CU_ASSERT_FALSE_FATAL(m->used);
			more++;
			*m = (struct world_member){.used = true, .at_balancer = m->at_balancer};
		} else {
			CU_ASSERT_FALSE_FATAL(m->storing && !a->quiet);
			leaving += views[a->index].leave || views[a->index].outdated;
		}
		enum member_state was = (enum member_state)m->m.state;
		m->m = a->next;
		m->delete = a->what == PLAN_GONE;
		if (m->delete)
			CU_ASSERT_TRUE(w.nodes[node].dark || !w.nodes[node].runs || w.nodes[node].dark_s || m->m.build == 0 || was == MEMBER_RELEASING);
		if (a->quiet)
			continue;
		m->storing = true;
		m->wait_run = a->verb;
		if (m->ran && (was != (enum member_state)a->next.state || !m->ok || a->verb))
			m->ran = VERB_NONE;
	}
	CU_ASSERT_TRUE(more == 0 || living() <= w.wanted);
	/* what the planner does never takes good members away that are wanted */
	uint32_t after = serving(), wanted = w.run ? w.wanted : 0;
	CU_ASSERT_TRUE(after >= (before < wanted ? before : wanted) || leaving > 0);
	CU_ASSERT_TRUE(after >= 1 || before == 0 || wanted == 0 || wanted == 1);
}

static void something_happens(void)
{
	int i = (int)chance(NODES);

	switch (chance(14)) {
	case 0: w.wanted = 1 + chance(config.max); break;
	case 1: case 2: w.nodes[i].dark = !w.nodes[i].dark; break;
	case 3: w.nodes[i].broken = !w.nodes[i].broken; break;
	case 4: w.nodes[i].uninstallable = !w.nodes[i].uninstallable; break;
	case 5: w.nodes[i].leave = !w.nodes[i].leave; break;
	case 6: w.nodes[i].runs = false; break; /* its process is killed */
	case 7: w.run = !w.run; break;
	case 8: w.balancer_down = !w.balancer_down; break;
	case 9: w.restart_ms = w.now; break;
	case 10: case 11: case 12: kill_engine(); break;
	default: text_format(config.parameters, sizeof config.parameters, "port=%u", chance(100)); view.build = plan_build(&config, &software); break;
	}
}

static void all_well(void)
{
	for (int i = 0; i < NODES; i++)
		w.nodes[i].dark = w.nodes[i].broken = w.nodes[i].uninstallable = w.nodes[i].leave = false;
	w.balancer_down = false;
}

static bool settled(void)
{
	uint32_t members = 0;

	for (int i = 0; i < NODES; i++) {
		const struct world_member *m = &w.members[i];
		if (m->used && (m->m.state != MEMBER_IN_SERVICE || m->m.out || m->m.weight != 100 || m->storing))
			return false;
		if (m->used != w.nodes[i].runs)
			return false; /* lost: it runs and nobody knows, or the other way round */
		members += m->used;
	}
	return members == (w.run ? w.wanted : 0);
}

static void settle(const char *when)
{
	int seconds = 0;

	for (; seconds < 3000 && !settled(); seconds++) {
		step_world();
		passes(1);
	}
	CU_ASSERT_TRUE(settled());
	if (settled())
		return;
	fprintf(stderr, "%s: not settled, wanted %u run %d\n", when, w.wanted, w.run);
	for (int i = 0; i < NODES; i++)
		if (w.members[i].used || w.nodes[i].runs)
			fprintf(stderr, "  n%d runs %d %s weight %u: %s\n", i, w.nodes[i].runs, member_state_name(w.members[i].m.state),
				w.members[i].m.weight, w.members[i].m.reason);
}

static void test_random_walks(void)
{
	for (uint32_t seed = 1; seed <= 1500; seed++) {
		world_begin(seed);
		for (int t = 0; t < 400; t++) {
			if (chance(8) == 0)
				something_happens();
			step_world();
			passes(1);
		}
		all_well();
		settle("walk");
		w.run = false;
		settle("stopped");
	}
}

/* The engine is killed after each of its rounds in turn, on the way up and on the way down. */
static void test_killed_at_each_step(void)
{
	for (int at_round = 0; at_round < 90; at_round++)
		for (uint32_t luck = 1; luck <= 4; luck++) {
			world_begin(luck * 77 + (uint32_t)at_round);
			for (int t = 0; t < 90; t++) {
				step_world();
				if (t == at_round)
					kill_engine();
				passes(1);
			}
			settle("up");
			w.wanted = 1;
			for (int t = 0; t < at_round; t++) {
				step_world();
				passes(1);
			}
			kill_engine();
			settle("down");
		}
}

/* The service is removed while it grows, at each round. */
static void test_removed_while_growing(void)
{
	for (int at_round = 1; at_round < 80; at_round++) {
		world_begin((uint32_t)at_round);
		w.wanted = 6;
		for (int t = 0; t < at_round; t++) {
			step_world();
			passes(1);
		}
		w.run = false;
		settle("removed");
		for (int i = 0; i < NODES; i++)
			CU_ASSERT_FALSE(w.members[i].used || w.nodes[i].runs);
	}
}

static const struct unit_test tests[] = {
	{"grows from nothing", test_grows_from_nothing}, {"a pool that is too small", test_pool_too_small}, {"the way up", test_way_up},
	{"three tries", test_three_tries}, {"never warm", test_never_warm}, {"fell back", test_fell_back}, {"the way down", test_way_down}, {"drain deadline", test_drain_deadline},
	{"shrinks what is on its way first", test_shrinks_what_is_on_its_way}, {"takes back what drains", test_takes_back_what_drains},
	{"a pin in mid-flight", test_pin_in_flight}, {"taken out", test_taken_out}, {"comes back slowly", test_comes_back_slowly},
	{"replaced", test_replaced}, {"a failed one comes back", test_failed_comes_back_when_there_is_no_other}, {"leaves", test_leaves},
	{"started anew one by one", test_started_anew_one_by_one}, {"renewed", test_renewed}, {"node gone", test_node_gone}, {"hands off", test_hands_off},
	{"evidence", test_evidence}, {"text", test_text}, {"random walks", test_random_walks}, {"killed at each step", test_killed_at_each_step},
	{"removed while growing", test_removed_while_growing},
};

UNIT_MAIN("service plan", tests)
