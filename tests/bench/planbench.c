/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a tick of the planner costs by the number of members of one service, in the moments that are to be afraid of: nothing to do, growth, a shrink,
 * a restart of all, trouble of many, those that drain taken back. Prints a line of JSON for each moment and number: the processor time of
 * a tick, the least of some. Called by tests/bench/plan.sh. usage: planbench [MEMBERS...] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "service/plan.h"
#include "tests/bench/cpu.h"

enum { NOW = 100000000, ROUNDS = 7, LEAST_NS = 20000000 /* measured at once */, MOST = 20000 };

static struct bench {
	struct config_service config;
	struct config_software software;
	struct member_view *views;
	struct plan_offer *offers;
	struct service_view view;
	struct service_plan plan;
} b;

/* --- moments ---------------------------------------------------------------------------------------------- */
static void quiet(size_t n)
{
	b.view.wanted = (uint32_t)n;
}

static void grow(size_t n)
{
	b.view.count = n / 2;
	b.view.wanted = (uint32_t)n;
	b.view.offer_count = n;
}

static void shrink(size_t n)
{
	b.view.wanted = (uint32_t)(n / 2);
}

static void restart(size_t n)
{
	b.view.wanted = (uint32_t)n;
	for (size_t i = 0; i < n; i++)
		b.views[i].outdated = true;
}

static void trouble(size_t n)
{
	b.view.wanted = (uint32_t)n;
	b.view.offer_count = n;
	for (size_t i = 0; i < n; i += 2) {
		b.views[i].evidence = EVIDENCE_HARD;
		b.views[i].evidence_text = "node crashed: does not answer, power is on";
		b.views[i].m.out = true;
		b.views[i].m.out_ms = NOW - 60000;
	}
}

static void leave(size_t n)
{
	b.view.wanted = (uint32_t)(n / 2);
	for (size_t i = 0; i < n; i += 2) {
		b.views[i].leave = true;
		b.views[i].leave_text = "its node goes into maintenance";
	}
}

static void return_of_drained(size_t n)
{
	b.view.wanted = (uint32_t)n;
	for (size_t i = 0; i < n; i += 2)
		member_enter(&b.views[i].m, MEMBER_DRAINING, NOW - 1000, 60000, "not needed any more");
}

static const struct moment {
	const char *name;
	void (*make)(size_t n);
	size_t actions_per_mille; /* of the members: that the plan does what the moment is about */
} moments[] = {
    {"quiet", quiet, 0},     {"grow", grow, 500},	 {"shrink", shrink, 500},	       {"restart", restart, 100},
    {"trouble", trouble, 500}, {"leave", leave, 500}, {"return", return_of_drained, 500},
};

static void begin(size_t n)
{
	memset(&b.config, 0, sizeof b.config);
	b.config = (struct config_service){.min = 2, .max = (uint32_t)n, .start_s = 30, .warm_s = 50, .drain_s = 60, .rise = 3, .enabled = 1};
	text_copy(b.config.head.name, sizeof b.config.head.name, "web");
	text_copy(b.config.agent, sizeof b.config.agent, "systemd:nginx");
	text_copy(b.software.head.name, sizeof b.software.head.name, "nginx");
	b.view = (struct service_view){.now_ms = NOW, .config = &b.config, .software = &b.software, .build = plan_build(&b.config, &b.software),
				       .run = true, .reached = true, .scale = 1, .members = b.views, .count = n, .offers = b.offers};
	for (size_t i = 0; i < n; i++) {
		struct member_view *v = &b.views[i];
		*v = (struct member_view){.evidence = EVIDENCE_GOOD, .run = RUN_IDLE, .evidence_text = "", .run_text = "", .leave_text = "", .unfit_text = ""};
		text_format(v->m.node, sizeof v->m.node, "n%05zu", i);
		text_format(b.offers[i].node, sizeof b.offers[i].node, "m%05zu", i);
		member_enter(&v->m, MEMBER_IN_SERVICE, NOW - 600000 - (int64_t)(i * 7919 % n), 0, "in service");
		v->m.weight = MEMBER_WEIGHT;
		v->m.build = b.view.build;
		v->load = (uint32_t)(i * 104729 % 1000);
	}
}

static bool measure(const struct moment *m, size_t n)
{
	int64_t best = INT64_MAX;

	begin(n);
	m->make(n);
	for (int round = 0; round < ROUNDS; round++) {
		int64_t ticks = 0, begun = cpu_ns(), took = 0;
		for (; took < LEAST_NS; took = cpu_ns() - begun, ticks++)
			service_plan(&b.view, &b.plan);
		best = took / ticks < best ? took / ticks : best;
	}
	printf("{\"moment\": \"%s\", \"members\": %zu, \"us\": %.2f, \"actions\": %zu}\n", m->name, n, (double)best / 1000, b.plan.count);
	if (b.plan.count >= n * m->actions_per_mille / 1000 && (m->actions_per_mille || !b.plan.count))
		return true;
	fprintf(stderr, "planbench: %s: %zu actions for %zu members: this is not the moment that was to be measured\n", m->name, b.plan.count, n);
	return false;
}

int main(int count, char **arguments)
{
	static const size_t usual[] = {10, 100, 1000, 2000, 10000};
	size_t sizes[16], sizes_count = 0;
	bool good = true;
	int64_t n;

	for (int i = 1; i < count && sizes_count < COUNT_OF(sizes); i++) {
		if (!text_integer(arguments[i], 10, MOST, &n)) {
			fprintf(stderr, "usage: planbench [MEMBERS...], each 10 to %d\n", MOST);
			return 2;
		}
		sizes[sizes_count++] = (size_t)n;
	}
	if (!sizes_count) {
		memcpy(sizes, usual, sizeof usual);
		sizes_count = COUNT_OF(usual);
	}
	b.views = mem_array(MOST, sizeof *b.views);
	b.offers = mem_array(MOST, sizeof *b.offers);
	for (size_t i = 0; i < COUNT_OF(moments); i++)
		for (size_t k = 0; k < sizes_count; k++)
			good = measure(&moments[i], sizes[k]) && good;
	service_plan_clear(&b.plan);
	free(b.views);
	free(b.offers);
	return good ? 0 : 1;
}
