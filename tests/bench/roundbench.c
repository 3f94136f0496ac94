/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a service costs the engine each second by the number of its members, with the whole engine around it and a site of 10,000 nodes: a round in
 * which nothing happens (members seen, planned, probed, pictured, published), the choice of ten nodes to grow by, and the answers of the store, one for
 * each member. Prints a line of JSON for each: processor time, the least of some. Called by tests/bench/plan.sh. usage: roundbench */
#include "tests/fuzz/engine_alone.h"

#include "engine/pools.h"
#include "engine/services_own.h"
#include "tests/bench/cpu.h"

enum { NODES = 10000, RACK = 40, ROUNDS = 5, LEAST_NS = 20000000 };

static const size_t sizes[] = {10, 100, 1000, 2000, 4000}; /* 4,000: the most a service may have */

static void node_name(size_t i, char out[CONFIG_NAME])
{
	text_format(out, CONFIG_NAME, "n%05zu", i);
}

static void add_nodes(struct cluster *c)
{
	char text[32];

	for (size_t i = 0; i < NODES; i++) {
		struct config_node n = {.wanted_power = POWER_ON};
		node_name(i, n.head.name);
		text_copy(n.group, sizeof n.group, "g01");
		text_copy(n.snmp, sizeof n.snmp, "old");
		text_format(n.rack, sizeof n.rack, "r%zu", i / RACK);
		text_format(text, sizeof text, "10.%zu.%zu.%zu", i / 62500, i / 250 % 250, i % 250 + 1);
		address_parse(text, 161, &n.address);
		cluster_set(c, CONFIG_NODE, &n);
	}
}

static void make_site(void)
{
	struct cluster c;
	struct config_group g = {.policy = POLICY_REPAIR};
	struct config_snmp credential = {.version = 2};
	struct config_pool pool = {.reserve = 1};
	struct config_balancer balancer = {.driver = DRIVER_IPVS};
	struct config_service s = {.probe_interval_ms = 1000, .probe_timeout_ms = 500, .rise = 3, .fall = 2, .min = 2, .max = 4000, .target = 60, .priority = 2,
				   .start_s = 30, .warm_s = 50, .drain_s = 60, .enabled = 1, .policy = POLICY_REPAIR};

	cluster_init(&c);
	text_copy(c.site, sizeof c.site, "bench");
	text_copy(g.head.name, sizeof g.head.name, "g01");
	text_copy(credential.head.name, sizeof credential.head.name, "old");
	text_copy(pool.head.name, sizeof pool.head.name, "web");
	text_format(pool.nodes, sizeof pool.nodes, "@g01");
	text_copy(balancer.head.name, sizeof balancer.head.name, "lb1");
	text_copy(s.head.name, sizeof s.head.name, "web");
	text_copy(s.balancer, sizeof s.balancer, "lb1");
	text_copy(s.pool, sizeof s.pool, "web");
	text_copy(s.virtuals, sizeof s.virtuals, "10.200.0.1:80");
	text_copy(s.agent, sizeof s.agent, "systemd:nginx");
	text_copy(s.probe, sizeof s.probe, "http /health");
	text_copy(s.item, sizeof s.item, "cpu");
	text_copy(s.scheduler, sizeof s.scheduler, "wrr");
	cluster_set(&c, CONFIG_GROUP, &g);
	cluster_set(&c, CONFIG_SNMP, &credential);
	add_nodes(&c);
	cluster_set(&c, CONFIG_POOL, &pool);
	cluster_set(&c, CONFIG_BALANCER, &balancer);
	cluster_set(&c, CONFIG_SERVICE, &s);
	engine_alone_commit(&c);
	drain();
	for (uint32_t slot = 0; slot < engine.model.node_top; slot++) {
		engine.nodes[slot]->judged = true;
		engine.nodes[slot]->verdict.verdict = VERDICT_UP;
		engine.nodes[slot]->life = LIFE_READY;
	}
}

/* So many members in service, as after a while. */
static void grow_to(struct service *s, size_t n)
{
	char name[CONFIG_NAME];

	for (size_t i = s->count; i < n; i++) {
		node_name(i * 2, name); /* half of each rack */
		struct service_member *m = member_make(s, name);
		member_enter(&m->m, MEMBER_IN_SERVICE, clock_mono_ms() - 600000, 0, "in service");
		m->m.weight = MEMBER_WEIGHT;
		m->m.build = s->build;
		engine.services->carried[m->slot]++;
		engine.nodes[m->slot]->life = LIFE_ALLOCATED;
	}
	s->wanted = (uint32_t)n;
	s->reached = true;
}

/* --- what is measured -------------------------------------------------------------------------------------- */
static void a_round(struct service *s)
{
	s->wanted = (uint32_t)s->count;
	services_tick(&engine);
}

static void ten_offers(struct service *s)
{
	size_t count;
	struct plan_offer *offers = pools_offers(&engine, s, 10, &count);

	if (count != 10)
		abort();
	free(offers);
}

static void each_answer(struct service *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (member_find(s, s->members[i]->m.node) != s->members[i])
			abort();
}

static const struct work {
	const char *name;
	void (*run)(struct service *s);
} works[] = {{"round", a_round}, {"offers", ten_offers}, {"answers", each_answer}};

static void measure(const struct work *w, struct service *s)
{
	int64_t best = INT64_MAX;

	for (int i = 0; i < 3; i++) { /* what a first time brings about: probes, pictures, rows */
		w->run(s);
		deliver();
		event_base_loop(loop_base(context.loop), EVLOOP_NONBLOCK);
		deliver();
		drain();
	}
	for (int round = 0; round < ROUNDS; round++) {
		int64_t times = 0, begun = cpu_ns(), took = 0;
		for (; took < LEAST_NS; took = cpu_ns() - begun, times++)
			w->run(s);
		best = took / times < best ? took / times : best;
		deliver();
		drain();
	}
	printf("{\"work\": \"%s\", \"members\": %zu, \"us\": %.2f}\n", w->name, s->count, (double)best / 1000);
}

int main(void)
{
	engine_alone_begin();
	make_site();
	struct service *s = service_find(&engine, "web");
	if (!s || engine.model.node_count != NODES) {
		fprintf(stderr, "roundbench: the site is not there: %u nodes\n", (unsigned)engine.model.node_count);
		return 1;
	}
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		grow_to(s, sizes[i]);
		for (size_t k = 0; k < COUNT_OF(works); k++)
			measure(&works[k], s);
		if (s->count != sizes[i]) {
			fprintf(stderr, "roundbench: %zu members have become %zu: this was no quiet round\n", sizes[i], s->count);
			return 1;
		}
	}
	return 0;
}
