/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bench the judge is tried on, step by step in virtual time: what it asks is answered, what it says is kept. */
#ifndef GLORY_TESTS_UNIT_JUDGE_BENCH_H
#define GLORY_TESTS_UNIT_JUDGE_BENCH_H
#include <string.h>

#include "monitor/judge.h"
#include "tests/unit/unit.h"

enum { NODES = 64, DOMAINS = 8, T0 = 1000000, LOG_MAX = 4000 };
enum { SITE = 0, GROUP_A = 1, GROUP_B = 2, RACK = 3, GROUP_C = 4 };

static struct bench {
	struct judge *judge;
	int64_t now;
	struct judge_verdict said[LOG_MAX];
	int64_t said_at[LOG_MAX];
	unsigned nsaid;
	struct judge_domain domains[LOG_MAX];
	int64_t domains_at[LOG_MAX];
	unsigned ndomains;
	struct judge_closed closed[64];
	unsigned nclosed, holds[DOMAINS], releases[DOMAINS], reference_asks[DOMAINS], probes;
	unsigned power_asks[NODES], alive_asks[NODES], why_asks[NODES], port_asks[NODES];
	unsigned reasons;
	/* what answers at once when asked */
	uint8_t bmc[NODES]; /* enum bmc_state; BMC_SILENT = says nothing */
	uint8_t port[NODES];
	bool reference[DOMAINS];
	struct {
		uint32_t slot;
		uint8_t what;
	} todo[LOG_MAX];
	unsigned ntodo;
} b;

static inline void later(uint32_t slot, uint8_t what)
{
	if (b.ntodo < LOG_MAX) {
		b.todo[b.ntodo].slot = slot;
		b.todo[b.ntodo++].what = what;
	}
}

static inline void ask_bmc(void *arg, uint32_t slot, enum bmc_question what)
{
	(void)arg;
	unsigned *counts[] = { NULL, b.power_asks, b.alive_asks, b.why_asks };

	counts[what][slot]++;
	if (what != BMC_ASK_WHY)
		later(slot, 'b');
}

static inline void ask_port(void *arg, uint32_t slot)
{
	(void)arg;
	b.port_asks[slot]++;
	later(slot, 'p');
}

static inline void ask_reference(void *arg, uint32_t domain)
{
	(void)arg;
	b.reference_asks[domain]++;
	later(domain, 'r');
}

static inline void hold(void *arg, uint32_t domain)
{
	(void)arg;
	b.holds[domain]++;
}

static inline void release(void *arg, uint32_t domain)
{
	(void)arg;
	b.releases[domain]++;
}

static inline void probe(void *arg, uint32_t slot)
{
	(void)arg;
	(void)slot;
	b.probes++;
}

static inline void said(void *arg, const struct judge_verdict *v)
{
	(void)arg;
	if (b.nsaid < LOG_MAX) {
		b.said_at[b.nsaid] = b.now;
		b.said[b.nsaid++] = *v;
	}
}

static inline void domain_said(void *arg, const struct judge_domain *d)
{
	(void)arg;
	if (b.ndomains < LOG_MAX) {
		b.domains_at[b.ndomains] = b.now;
		b.domains[b.ndomains++] = *d;
	}
}

static inline void closed(void *arg, const struct judge_closed *c)
{
	(void)arg;
	if (b.nclosed < 64)
		b.closed[b.nclosed++] = *c;
}

static inline void suspended(void *arg, unsigned reasons, int64_t since)
{
	(void)arg;
	(void)since;
	b.reasons = reasons;
}

static const struct judge_ops OPS = { ask_bmc, ask_port, ask_reference, hold, release, probe, said, domain_said, closed, suspended };

/* 16 nodes: 8 in each of two groups, four of each group in the rack */
static inline void start(bool bmc, bool port, unsigned references)
{
	struct judge_params p;

	judge_params_default(&p);
	memset(&b, 0, sizeof(b));
	b.now = T0;
	b.judge = judge_create(&p, &OPS, NULL, NODES, DOMAINS, b.now);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b.judge);
	judge_domain_set(b.judge, SITE, DOMAIN_SITE, references);
	judge_domain_set(b.judge, GROUP_A, DOMAIN_GROUP, references);
	judge_domain_set(b.judge, GROUP_B, DOMAIN_GROUP, references);
	judge_domain_set(b.judge, RACK, DOMAIN_RACK, 0);
	for (uint32_t i = 0; i < 16; i++) {
		struct judge_node n = { .generation = 1, .bmc = bmc, .port = port, .hash = i * 77777, .ndomains = 2,
					.domains = { i < 8 ? GROUP_A : GROUP_B, SITE } };

		if (i % 8 < 4 && i < 8)
			n.domains[n.ndomains++] = RACK;
		CU_ASSERT_EQUAL(judge_node_set(b.judge, i, &n, b.now), 0);
		b.bmc[i] = BMC_ON;
		b.port[i] = PORT_STILL;
	}
	for (int i = 0; i < DOMAINS; i++)
		b.reference[i] = true;
}

static inline void stop(void)
{
	judge_free(b.judge);
}

static inline void answer_todo(void)
{
	unsigned n = b.ntodo;

	for (unsigned i = 0; i < n; i++) {
		uint32_t slot = b.todo[i].slot;

		if (b.todo[i].what == 'b' && b.bmc[slot] != BMC_SILENT)
			judge_bmc(b.judge, slot, (enum bmc_state)b.bmc[slot], b.now, b.now);
		if (b.todo[i].what == 'p')
			judge_port(b.judge, slot, (enum port_state)b.port[slot], b.now);
		if (b.todo[i].what == 'r' && b.reference[slot])
			judge_reference(b.judge, slot, true, b.now);
	}
	memmove(b.todo, b.todo + n, (b.ntodo - n) * sizeof(b.todo[0]));
	b.ntodo -= n;
}

static inline void run(int64_t ms)
{
	for (int64_t end = b.now + ms; b.now < end;) {
		b.now += 10;
		answer_todo();
		judge_tick(b.judge, b.now);
	}
}

static inline void tell(uint32_t slot, enum witness w, enum witness_state state, unsigned flags, uint16_t misses, int64_t first)
{
	struct witness_report r = { .slot = slot, .generation = 1, .witness = (uint8_t)w, .state = (uint8_t)state, .flags = (uint8_t)flags,
				    .misses = misses, .needed = 7, .at = b.now, .since = b.now, .first = first, .last = b.now };

	judge_report(b.judge, &r, b.now);
}

static inline void all_up(void)
{
	for (uint32_t i = 0; i < 16; i++)
		tell(i, WITNESS_S, STATE_ANS, 0, 0, 0);
	run(100);
}

static inline void flag(uint32_t slot, int64_t first)
{
	tell(slot, WITNESS_K, STATE_PEND, WITNESS_FLAGGED, 4, first);
}

static inline void dead(uint32_t slot, int64_t first, unsigned more)
{
	tell(slot, WITNESS_K, STATE_SILENT, WITNESS_FLAGGED | WITNESS_ENOUGH | more, 13, first);
}

/* what the collector says of one node that dies now: flag after 0.6 s, call after 1.8 s */
static inline int64_t die(uint32_t slot)
{
	int64_t first = b.now;

	run(600);
	flag(slot, first);
	run(400);
	tell(slot, WITNESS_K, STATE_PEND, WITNESS_FLAGGED, 6, first);
	run(800);
	dead(slot, first, 0);
	return first;
}

static inline struct judge_verdict row(uint32_t slot)
{
	struct judge_verdict v;

	CU_ASSERT_TRUE_FATAL(judge_view(b.judge, slot, &v));
	return v;
}

static inline int64_t first_said(uint32_t slot, enum verdict verdict, enum certainty certainty)
{
	for (unsigned i = 0; i < b.nsaid; i++)
		if (b.said[i].slot == slot && b.said[i].verdict == verdict && b.said[i].certainty == certainty)
			return b.said_at[i];
	return 0;
}

static inline void come_back(uint32_t slot)
{
	tell(slot, WITNESS_S, STATE_PEND, WITNESS_RETURNING, 0, 0);
	run(2000);
	tell(slot, WITNESS_S, STATE_ANS, 0, 0, 0);
}

#endif
