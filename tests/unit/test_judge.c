/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The judge's three sentences, its questions, domains, returns and suspensions, step by step in virtual time. */
#include <string.h>

#include "monitor/judge.h"
#include "tests/unit/unit.h"

enum { NODES = 64, DOMAINS = 8, T0 = 1000000, LOG_MAX = 4000 };
enum { SITE = 0, GROUP_A = 1, GROUP_B = 2, RACK = 3 };

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

static void later(uint32_t slot, uint8_t what)
{
	if (b.ntodo < LOG_MAX) {
		b.todo[b.ntodo].slot = slot;
		b.todo[b.ntodo++].what = what;
	}
}

static void ask_bmc(void *arg, uint32_t slot, enum bmc_question what)
{
	(void)arg;
	unsigned *counts[] = { NULL, b.power_asks, b.alive_asks, b.why_asks };

	counts[what][slot]++;
	if (what != BMC_ASK_WHY)
		later(slot, 'b');
}

static void ask_port(void *arg, uint32_t slot)
{
	(void)arg;
	b.port_asks[slot]++;
	later(slot, 'p');
}

static void ask_reference(void *arg, uint32_t domain)
{
	(void)arg;
	b.reference_asks[domain]++;
	later(domain, 'r');
}

static void hold(void *arg, uint32_t domain)
{
	(void)arg;
	b.holds[domain]++;
}

static void release(void *arg, uint32_t domain)
{
	(void)arg;
	b.releases[domain]++;
}

static void probe(void *arg, uint32_t slot)
{
	(void)arg;
	(void)slot;
	b.probes++;
}

static void said(void *arg, const struct judge_verdict *v)
{
	(void)arg;
	if (b.nsaid < LOG_MAX) {
		b.said_at[b.nsaid] = b.now;
		b.said[b.nsaid++] = *v;
	}
}

static void domain_said(void *arg, const struct judge_domain *d)
{
	(void)arg;
	if (b.ndomains < LOG_MAX) {
		b.domains_at[b.ndomains] = b.now;
		b.domains[b.ndomains++] = *d;
	}
}

static void closed(void *arg, const struct judge_closed *c)
{
	(void)arg;
	if (b.nclosed < 64)
		b.closed[b.nclosed++] = *c;
}

static void suspended(void *arg, unsigned reasons, int64_t since)
{
	(void)arg;
	(void)since;
	b.reasons = reasons;
}

static const struct judge_ops OPS = { ask_bmc, ask_port, ask_reference, hold, release, probe, said, domain_said, closed, suspended };

/* 16 nodes: 8 in each of two groups, four of each group in the rack */
static void start(bool bmc, bool port, unsigned references)
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

static void stop(void)
{
	judge_free(b.judge);
}

static void answer_todo(void)
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

static void run(int64_t ms)
{
	for (int64_t end = b.now + ms; b.now < end;) {
		b.now += 10;
		answer_todo();
		judge_tick(b.judge, b.now);
	}
}

static void tell(uint32_t slot, enum witness w, enum witness_state state, unsigned flags, uint16_t misses, int64_t first)
{
	struct witness_report r = { .slot = slot, .generation = 1, .witness = (uint8_t)w, .state = (uint8_t)state, .flags = (uint8_t)flags,
				    .misses = misses, .needed = 7, .at = b.now, .since = b.now, .first = first, .last = b.now };

	judge_report(b.judge, &r, b.now);
}

static void all_up(void)
{
	for (uint32_t i = 0; i < 16; i++)
		tell(i, WITNESS_S, STATE_ANS, 0, 0, 0);
	run(100);
}

static void flag(uint32_t slot, int64_t first)
{
	tell(slot, WITNESS_K, STATE_PEND, WITNESS_FLAGGED, 4, first);
}

static void dead(uint32_t slot, int64_t first, unsigned more)
{
	tell(slot, WITNESS_K, STATE_SILENT, WITNESS_FLAGGED | WITNESS_ENOUGH | more, 13, first);
}

/* what the collector says of one node that dies now: flag after 0.6 s, call after 1.8 s */
static int64_t die(uint32_t slot)
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

static struct judge_verdict row(uint32_t slot)
{
	struct judge_verdict v;

	CU_ASSERT_TRUE_FATAL(judge_view(b.judge, slot, &v));
	return v;
}

static int64_t first_said(uint32_t slot, enum verdict verdict, enum certainty certainty)
{
	for (unsigned i = 0; i < b.nsaid; i++)
		if (b.said[i].slot == slot && b.said[i].verdict == verdict && b.said[i].certainty == certainty)
			return b.said_at[i];
	return 0;
}

static void test_three_sentences(void)
{
	start(true, true, 1);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UNKNOWN);
	all_up();
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP);
	CU_ASSERT_EQUAL(row(0).level, LEVEL_NORMAL);
	CU_ASSERT_STRING_EQUAL(row(0).cause, "answers");
	int64_t first = die(0);
	CU_ASSERT_STRING_EQUAL(row(0).cause, "does not answer");
	CU_ASSERT(first_said(0, VERDICT_UNREACHABLE, CERTAINTY_CALLED) - first <= 1800);
	run(10000);
	CU_ASSERT_EQUAL(first_said(0, VERDICT_OS_HUNG, CERTAINTY_CAUSE) - first, 3800);
	CU_ASSERT_EQUAL(first_said(0, VERDICT_OS_HUNG, CERTAINTY_CONFIRMED) - first, 10000);
	CU_ASSERT_STRING_EQUAL(row(0).cause, "silent, switch port up, BMC says on");
	CU_ASSERT(!row(0).evidence.link_not_excluded);
	CU_ASSERT_EQUAL(row(0).root, JUDGE_NO_DOMAIN);
	CU_ASSERT(!row(0).held);
	CU_ASSERT_EQUAL(b.why_asks[0], 1);
	CU_ASSERT_EQUAL(row(1).verdict, VERDICT_UP);
	stop();
}

static void test_questions(void)
{
	start(true, false, 1);
	all_up();
	b.bmc[0] = BMC_SILENT;
	int64_t first = b.now;
	run(600);
	flag(0, first);
	run(190);
	CU_ASSERT_EQUAL(b.power_asks[0], 0);
	run(20);
	CU_ASSERT_EQUAL(b.power_asks[0], 1);
	run(500);
	CU_ASSERT_EQUAL(b.power_asks[0], 2);
	run(500);
	CU_ASSERT_EQUAL(b.power_asks[0], 3);
	dead(0, first, 0);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UNREACHABLE);
	run(1470);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UNREACHABLE);
	run(40); /* silent 2.5 s after the first question, 3.3 s after the first lost probe */
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UNREACHABLE);
	CU_ASSERT_EQUAL(row(0).certainty, CERTAINTY_CALLED);
	run(600);
	CU_ASSERT_EQUAL(row(0).certainty, CERTAINTY_CAUSE);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_ISOLATED);
	/* V14: a late "on" corrects it */
	judge_bmc(b.judge, 0, BMC_ON, b.now, b.now);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_OS_HUNG);
	CU_ASSERT(row(0).evidence.link_not_excluded);
	stop();
}

/* a suspicion that ends leaves no question behind */
static void test_no_question_for_a_short_suspicion(void)
{
	start(true, true, 1);
	all_up();
	int64_t first = b.now;
	run(600);
	flag(0, first);
	run(150);
	tell(0, WITNESS_S, STATE_ANS, 0, 0, 0);
	run(5000);
	CU_ASSERT_EQUAL(b.power_asks[0], 0);
	CU_ASSERT_EQUAL(b.port_asks[0], 0);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP);
	CU_ASSERT_EQUAL(b.nclosed, 0);
	stop();
}

static void test_powered_off(void)
{
	start(true, true, 1);
	all_up();
	b.bmc[0] = BMC_OFF;
	b.port[0] = PORT_DOWN;
	int64_t first = b.now;
	run(600);
	flag(0, first);
	run(250);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP); /* off is known, but four misses are not enough */
	tell(0, WITNESS_K, STATE_PEND, WITNESS_FLAGGED, 6, first);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_POWERED_OFF);
	CU_ASSERT_EQUAL(row(0).level, LEVEL_CRITICAL);
	CU_ASSERT_EQUAL(row(0).power, POWER_OFF);
	judge_wanted(b.judge, 0, WANTED_OFF, 0, b.now);
	CU_ASSERT_EQUAL(row(0).level, LEVEL_NORMAL);
	stop();
}

static void test_causes(void)
{
	static const struct {
		enum bmc_state bmc;
		enum port_state port;
		enum verdict verdict;
	} T[] = {
		{ BMC_ON, PORT_DOWN, VERDICT_LINK_LOST },   { BMC_SILENT, PORT_DOWN, VERDICT_POWER_LOST },
		{ BMC_ON, PORT_MOVING, VERDICT_PATH_BLOCKED }, { BMC_SILENT, PORT_STILL, VERDICT_ISOLATED },
		{ BMC_NA, PORT_STILL, VERDICT_UNREACHABLE }, { BMC_ON, PORT_NA, VERDICT_OS_HUNG },
	};

	for (size_t i = 0; i < sizeof(T) / sizeof(T[0]); i++) {
		start(true, true, 1);
		all_up();
		b.bmc[0] = (uint8_t)T[i].bmc;
		b.port[0] = (uint8_t)T[i].port;
		int64_t first = die(0);
		run(2510);
		CU_ASSERT_EQUAL(row(0).verdict, T[i].verdict);
		CU_ASSERT_EQUAL(row(0).certainty, CERTAINTY_CAUSE);
		CU_ASSERT(b.now - first <= 4320);
		run(7000);
		CU_ASSERT_EQUAL(row(0).verdict, T[i].verdict);
		CU_ASSERT_EQUAL(row(0).certainty, CERTAINTY_CONFIRMED);
		stop();
	}
}

static void test_without_bmc(void)
{
	start(false, false, 1);
	all_up();
	int64_t first = die(0);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UNREACHABLE);
	run(8300);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UNREACHABLE);
	CU_ASSERT_EQUAL(first_said(0, VERDICT_UNREACHABLE, CERTAINTY_CONFIRMED) - first, 10000);
	CU_ASSERT_EQUAL(b.power_asks[0] + b.why_asks[0], 0);
	stop();
}

static void test_agent_dead_and_hung(void)
{
	start(true, false, 1);
	all_up();
	int64_t first = b.now;
	run(4000);
	tell(0, WITNESS_S, STATE_SILENT, WITNESS_ENOUGH, 14, first);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_AGENT_DEAD);
	CU_ASSERT_EQUAL(row(0).level, LEVEL_MAJOR);
	CU_ASSERT_EQUAL(row(0).certainty, CERTAINTY_CALLED);
	tell(0, WITNESS_U, STATE_ANS, 0, 14, first);
	CU_ASSERT_STRING_EQUAL(row(0).cause, "agent silent, login answers");
	tell(0, WITNESS_U, STATE_SILENT, 0, 14, first);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_OS_HUNG);
	run(7000);
	CU_ASSERT_EQUAL(row(0).certainty, CERTAINTY_CONFIRMED);
	struct verdict_case c = { .in = row(0).evidence.in, .verdict = VERDICT_OS_HUNG, .certainty = CERTAINTY_CONFIRMED, .held_ms = 60000 };
	CU_ASSERT(verdict_permits(&c) & PERMIT_RESET);
	tell(0, WITNESS_S, STATE_ANS, 0, 0, 0);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP);
	stop();
}

static void come_back(uint32_t slot)
{
	tell(slot, WITNESS_S, STATE_PEND, WITNESS_RETURNING, 0, 0);
	run(2000);
	tell(slot, WITNESS_S, STATE_ANS, 0, 0, 0);
}

static void test_return(void)
{
	static const struct {
		int64_t agent, host;
		enum judge_return how;
		const char *text;
	} T[] = {
		{ 3600000, 7200000, RETURN_PATH, "path: silent 9.8 s" },
		{ 3600000, -1, RETURN_PATH, "path: silent 9.8 s" },
		{ 1000, 2000, RETURN_REBOOTED, "rebooted: silent 9.8 s" },
		{ 1000, 7200000, RETURN_AGENT_RESTARTED, "agent restarted: silent 9.8 s" },
		{ -1, -1, RETURN_UNKNOWN, "back: silent 9.8 s" },
	};

	for (size_t i = 0; i < sizeof(T) / sizeof(T[0]); i++) {
		start(true, false, 1);
		all_up();
		die(0);
		run(8000);
		tell(0, WITNESS_S, STATE_PEND, WITNESS_RETURNING, 0, 0);
		CU_ASSERT_EQUAL(b.probes, 1);
		/* answers again, but the word stands until three heartbeats did; nothing may be done meanwhile */
		CU_ASSERT_EQUAL(row(0).verdict, VERDICT_OS_HUNG);
		struct verdict_case c = { .in = row(0).evidence.in, .verdict = VERDICT_OS_HUNG, .certainty = CERTAINTY_CONFIRMED,
					  .held_ms = 1 << 30 };
		CU_ASSERT_EQUAL(verdict_permits(&c) & PERMIT_RESET, 0);
		run(1000);
		judge_uptime(b.judge, 0, T[i].agent, T[i].host, b.now);
		run(1000);
		tell(0, WITNESS_S, STATE_ANS, 0, 0, 0);
		CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP);
		if (T[i].how == RETURN_UNKNOWN)
			run(15000);
		CU_ASSERT_EQUAL_FATAL(b.nclosed, 1);
		CU_ASSERT_EQUAL(b.closed[0].how, T[i].how);
		CU_ASSERT_EQUAL(b.closed[0].verdict, VERDICT_OS_HUNG);
		CU_ASSERT_EQUAL(b.closed[0].certainty, CERTAINTY_CAUSE);
		CU_ASSERT_STRING_EQUAL(b.closed[0].cause, T[i].text);
		CU_ASSERT_STRING_EQUAL(row(0).cause, T[i].text);
		stop();
	}
}

static void test_mismatch(void)
{
	start(true, false, 1);
	all_up();
	judge_bmc(b.judge, 0, BMC_OFF, b.now, b.now);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP); /* it may be dying just now */
	b.bmc[0] = BMC_OFF;
	run(2600);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_BMC_MISMATCH);
	CU_ASSERT_EQUAL(row(0).level, LEVEL_MAJOR);
	b.bmc[0] = BMC_ON;
	judge_bmc(b.judge, 0, BMC_ON, b.now, b.now);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP);
	/* one that really dies: off is read before the silence is noticed */
	b.bmc[1] = BMC_OFF;
	judge_bmc(b.judge, 1, BMC_OFF, b.now, b.now);
	int64_t first = b.now - 100;
	run(500);
	flag(1, first);
	run(400);
	tell(1, WITNESS_K, STATE_PEND, WITNESS_FLAGGED, 6, first);
	CU_ASSERT_EQUAL(row(1).verdict, VERDICT_POWERED_OFF);
	CU_ASSERT_EQUAL(first_said(1, VERDICT_BMC_MISMATCH, CERTAINTY_CALLED), 0);
	stop();
}

static void test_bmc_liveness(void)
{
	start(true, false, 1);
	struct judge_node n = { .generation = 1, .bmc = true, .poll_bmc = true, .hash = 5000, .ndomains = 2, .domains = { GROUP_A, SITE } };
	CU_ASSERT_EQUAL(judge_node_set(b.judge, 0, &n, b.now), 0);
	all_up();
	run(60000);
	CU_ASSERT(b.alive_asks[0] + b.power_asks[0] >= 5 && b.alive_asks[0] + b.power_asks[0] <= 7);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP);
	b.bmc[0] = BMC_SILENT;
	int64_t cut = b.now;
	run(23000);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_BMC_LOST);
	CU_ASSERT_EQUAL(row(0).level, LEVEL_WARNING);
	CU_ASSERT(first_said(0, VERDICT_BMC_LOST, CERTAINTY_CALLED) - cut >= 8000);
	CU_ASSERT(first_said(0, VERDICT_BMC_LOST, CERTAINTY_CALLED) - cut <= 22000);
	run(600000);
	CU_ASSERT_EQUAL(row(0).level, LEVEL_MAJOR);
	b.bmc[0] = BMC_ON;
	run(11000);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP);
	/* where the caller keeps liveness, its word counts; said during a suspicion, when that is over */
	judge_bmc(b.judge, 5, BMC_SILENT, b.now, b.now);
	CU_ASSERT_EQUAL(row(5).verdict, VERDICT_BMC_LOST);
	judge_bmc(b.judge, 5, BMC_ON, b.now, b.now);
	CU_ASSERT_EQUAL(row(5).verdict, VERDICT_UP);
	flag(5, b.now - 600);
	judge_bmc(b.judge, 5, BMC_SILENT, b.now, b.now);
	tell(5, WITNESS_S, STATE_ANS, 0, 0, 0);
	CU_ASSERT_EQUAL(row(5).verdict, VERDICT_BMC_LOST);
	judge_bmc(b.judge, 5, BMC_ON, b.now, b.now);
	/* wrong password, slots full: it answers, so it is not lost */
	b.bmc[0] = BMC_NA;
	run(60000);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP);
	stop();
}

static void test_booting(void)
{
	start(true, false, 1);
	all_up();
	judge_wanted(b.judge, 0, WANTED_BOOT, b.now + 60000, b.now);
	die(0);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_BOOTING);
	CU_ASSERT_EQUAL(row(0).level, LEVEL_NORMAL);
	run(59000);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_BOOT_FAILED);
	CU_ASSERT_EQUAL(row(0).level, LEVEL_MAJOR);
	come_back(0);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP);
	CU_ASSERT_EQUAL(b.nclosed, 0);
	stop();
}

static void test_maintenance(void)
{
	start(true, false, 1);
	all_up();
	judge_wanted(b.judge, 0, WANTED_MAINT, 0, b.now);
	die(0);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UNREACHABLE);
	CU_ASSERT_EQUAL(row(0).level, LEVEL_NORMAL);
	judge_wanted(b.judge, 0, WANTED_ON, 0, b.now);
	CU_ASSERT_EQUAL(row(0).level, LEVEL_CRITICAL);
	stop();
}

static void test_flapping(void)
{
	start(true, false, 1);
	all_up();
	for (int i = 0; i < 3; i++) {
		CU_ASSERT(!row(0).flapping);
		die(0);
		run(4000);
		come_back(0);
		judge_uptime(b.judge, 0, 3600000, 3600000, b.now);
		run(50000);
	}
	CU_ASSERT(row(0).flapping);
	run(16 * 60000);
	CU_ASSERT(!row(0).flapping);
	stop();
}

/* --- domains -------------------------------------------------------------------------------------------- */

static const struct judge_domain *domain_said_last(uint32_t id)
{
	for (unsigned i = b.ndomains; i-- > 0;)
		if (b.domains[i].id == id)
			return &b.domains[i];
	return NULL;
}

static unsigned roots(void)
{
	struct judge_domain d;
	unsigned n = 0;

	for (uint32_t i = 0; i < 4; i++)
		n += judge_domain_view(b.judge, i, &d) && d.is_root && d.certainty >= CERTAINTY_CALLED;
	return n;
}

static unsigned single_calls(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < b.nsaid; i++)
		n += verdict_is_dead(b.said[i].verdict) && !b.said[i].held;
	return n;
}

/* a group of 8 goes dark: flags over a second, then silence; held once the judge has said so */
static int64_t group_dies(uint32_t from, uint32_t count)
{
	int64_t dark = b.now;

	run(1000);
	for (uint32_t i = 0; i < count; i++) {
		flag(from + i, dark + (int64_t)i * (1000 / count));
		run(600 / count);
	}
	for (uint32_t i = 0; i < count; i++) {
		dead(from + i, dark + (int64_t)i * (1000 / count), b.holds[from < 8 ? GROUP_A : GROUP_B] ? WITNESS_HELD : 0);
		run(10);
	}
	return dark;
}

static void test_switch_dead(void)
{
	start(true, true, 1);
	all_up();
	b.reference[GROUP_B] = false;
	int64_t dark = group_dies(8, 8);
	CU_ASSERT_EQUAL(b.holds[GROUP_B], 1);
	run(1200);
	CU_ASSERT_EQUAL(single_calls(), 0);
	CU_ASSERT_EQUAL(roots(), 1);
	const struct judge_domain *d = domain_said_last(GROUP_B);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	CU_ASSERT(d->is_root && d->state == DOMAIN_STATE_PATH && d->certainty == CERTAINTY_CAUSE);
	CU_ASSERT_STRING_EQUAL(d->cause, "reference silent");
	CU_ASSERT_EQUAL(d->held, 8);
	CU_ASSERT(b.now - dark <= 5000);
	CU_ASSERT_EQUAL(row(9).verdict, VERDICT_GROUP_PATH_LOST);
	CU_ASSERT_EQUAL(row(9).root, GROUP_B);
	CU_ASSERT(row(9).held);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP);
	/* return: all up, root cleared, nobody called on the way */
	for (uint32_t i = 8; i < 16; i++)
		tell(i, WITNESS_S, STATE_ANS, 0, 0, 0);
	run(2900);
	CU_ASSERT_EQUAL(b.releases[GROUP_B], 0);
	run(300);
	CU_ASSERT_EQUAL(b.releases[GROUP_B], 1);
	CU_ASSERT_EQUAL(roots(), 0);
	CU_ASSERT_EQUAL(single_calls(), 0);
	CU_ASSERT_EQUAL(row(9).verdict, VERDICT_UP);
	stop();
}

static void test_switch_flaps(void)
{
	start(true, true, 1);
	all_up();
	b.reference[GROUP_B] = false;
	int64_t dark = b.now;
	run(1000);
	for (uint32_t i = 8; i < 16; i++)
		flag(i, dark + (i - 8) * 120);
	run(400);
	b.reference[GROUP_B] = true;
	for (uint32_t i = 8; i < 16; i++)
		tell(i, WITNESS_S, STATE_ANS, 0, 0, 0);
	run(5000);
	CU_ASSERT_EQUAL(b.holds[GROUP_B], 1);
	CU_ASSERT_EQUAL(b.releases[GROUP_B], 1);
	CU_ASSERT_EQUAL(single_calls(), 0);
	for (unsigned i = 0; i < b.ndomains; i++)
		CU_ASSERT(!b.domains[i].is_root);
	stop();
}

static void test_group_hangs(void)
{
	start(true, true, 1);
	all_up();
	group_dies(8, 8);
	run(4000);
	const struct judge_domain *d = domain_said_last(GROUP_B);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	CU_ASSERT_EQUAL(d->state, DOMAIN_STATE_HANG);
	CU_ASSERT_EQUAL(single_calls(), 0);
	CU_ASSERT_EQUAL(roots(), 1);
	for (uint32_t i = 8; i < 16; i++) {
		CU_ASSERT_EQUAL(row(i).verdict, VERDICT_OS_HUNG);
		CU_ASSERT(row(i).held && row(i).root == GROUP_B);
	}
	stop();
}

/* L21: four of a group, all in one rack: the rack is the root */
static void test_rack_power(void)
{
	for (int silent = 0; silent < 2; silent++) {
		start(true, true, 0);
		all_up();
		for (uint32_t i = 0; i < 4; i++) {
			b.bmc[i] = silent ? BMC_SILENT : BMC_OFF;
			b.port[i] = PORT_DOWN;
		}
		int64_t dark = group_dies(0, 4);
		CU_ASSERT_EQUAL(b.holds[RACK], 1);
		CU_ASSERT_EQUAL(b.holds[GROUP_A], 0);
		run(5000 - (b.now - dark));
		const struct judge_domain *d = domain_said_last(RACK);
		CU_ASSERT_PTR_NOT_NULL_FATAL(d);
		CU_ASSERT(d->is_root && d->state == DOMAIN_STATE_POWER);
		CU_ASSERT_EQUAL(d->held, 4);
		CU_ASSERT_EQUAL(roots(), 1);
		CU_ASSERT_EQUAL(single_calls(), 0);
		CU_ASSERT_EQUAL(row(2).verdict, silent ? VERDICT_POWER_LOST : VERDICT_POWERED_OFF);
		CU_ASSERT(row(2).held);
		stop();
	}
}

static void test_two_deaths_are_two(void)
{
	start(true, true, 1);
	all_up();
	int64_t first = b.now;
	run(600);
	flag(0, first);
	flag(5, first);
	run(1200);
	dead(0, first, 0);
	dead(5, first, 0);
	run(3000);
	CU_ASSERT_EQUAL(b.holds[GROUP_A] + b.holds[SITE] + b.holds[RACK], 0);
	CU_ASSERT(row(0).verdict == VERDICT_OS_HUNG && !row(0).held);
	CU_ASSERT(row(5).verdict == VERDICT_OS_HUNG && !row(5).held);
	CU_ASSERT_EQUAL(roots(), 0);
	stop();
}

static void test_common_onset(void)
{
	start(true, true, 1);
	all_up();
	int64_t first = b.now;
	run(600);
	flag(1, first);
	flag(5, first + 50);
	flag(6, first + 90);
	run(1300);
	dead(1, first, 0);
	dead(5, first + 50, 0);
	dead(6, first + 90, 0);
	run(200);
	const struct judge_domain *d = domain_said_last(GROUP_A);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	CU_ASSERT(d->common_onset && d->state == DOMAIN_STATE_OK);
	CU_ASSERT(row(1).verdict == VERDICT_UNREACHABLE && row(1).root == GROUP_A && !row(1).held);
	CU_ASSERT_EQUAL(row(6).root, GROUP_A);
	uint32_t gone[] = { 1, 5, 6 };
	for (int i = 0; i < 3; i++)
		come_back(gone[i]);
	run(500);
	d = domain_said_last(GROUP_A);
	CU_ASSERT(!d->common_onset);
	stop();
}

static void test_release_forgets(void)
{
	start(true, true, 1);
	all_up();
	b.reference[GROUP_B] = false;
	group_dies(8, 8);
	run(1500);
	/* seven come back, one stays silent: at the release it is not called, its suspicion begins again */
	for (uint32_t i = 9; i < 16; i++)
		tell(i, WITNESS_S, STATE_ANS, 0, 0, 0);
	run(3300);
	CU_ASSERT_EQUAL(b.releases[GROUP_B], 1);
	CU_ASSERT_EQUAL(single_calls(), 0);
	/* a report that crossed the release says nothing either */
	dead(8, b.now - 5000, WITNESS_HELD);
	run(500);
	CU_ASSERT_EQUAL(single_calls(), 0);
	int64_t first = b.now;
	tell(8, WITNESS_K, STATE_PEND, WITNESS_RESTARTED, 0, 0);
	run(600);
	flag(8, first);
	run(1200);
	dead(8, first, 0);
	CU_ASSERT_EQUAL(single_calls(), 1);
	CU_ASSERT_EQUAL(row(8).verdict, VERDICT_UNREACHABLE);
	CU_ASSERT(!row(8).held);
	stop();
}

static void test_site_dark(void)
{
	start(true, true, 1);
	all_up();
	for (int i = 0; i < DOMAINS; i++)
		b.reference[i] = false;
	for (int i = 0; i < 16; i++)
		b.bmc[i] = BMC_SILENT;
	int64_t dark = b.now;
	run(1000);
	for (uint32_t i = 0; i < 16; i++)
		flag(i, dark + i * 60);
	run(1000);
	CU_ASSERT(b.reasons & SUSPEND_OWN_LINK);
	CU_ASSERT(row(3).not_judged != 0);
	for (uint32_t i = 0; i < 16; i++)
		dead(i, dark + i * 60, WITNESS_HELD);
	run(20000);
	CU_ASSERT_EQUAL(roots(), 0);
	for (uint32_t i = 0; i < 16; i++)
		CU_ASSERT_EQUAL(row(i).verdict, VERDICT_UP);
	for (uint32_t i = 0; i < 16; i++)
		tell(i, WITNESS_S, STATE_ANS, 0, 0, 0);
	run(300);
	CU_ASSERT_EQUAL(b.reasons, 0);
	CU_ASSERT_EQUAL(b.releases[SITE], 1);
	CU_ASSERT_EQUAL(single_calls(), 0);
	stop();
}

/* one or two members say nothing by number: their reference target does */
static void test_tiny_domain(void)
{
	for (int silent = 0; silent < 2; silent++) {
		start(true, true, 1);
		judge_domain_set(b.judge, 4, DOMAIN_SWITCH, 1);
		for (uint32_t i = 20; i < 22; i++) {
			struct judge_node n = { .generation = 1, .bmc = true, .port = true, .ndomains = 1, .domains = { 4 } };

			CU_ASSERT_EQUAL(judge_node_set(b.judge, i, &n, b.now), 0);
			b.bmc[i] = BMC_ON;
			b.port[i] = PORT_NA;
			tell(i, WITNESS_S, STATE_ANS, 0, 0, 0);
		}
		b.reference[4] = !silent;
		int64_t first = b.now;
		run(600);
		flag(20, first);
		run(1200);
		dead(20, first, b.holds[4] ? WITNESS_HELD : 0);
		run(2500);
		CU_ASSERT(b.reference_asks[4] >= 1);
		CU_ASSERT_EQUAL(b.holds[4], (unsigned)silent);
		CU_ASSERT_EQUAL(row(20).verdict, silent ? VERDICT_GROUP_PATH_LOST : VERDICT_OS_HUNG);
		CU_ASSERT_EQUAL(row(20).held, silent);
		tell(20, WITNESS_S, STATE_ANS, 0, 0, 0);
		run(3500);
		CU_ASSERT_EQUAL(b.releases[4], (unsigned)silent);
		CU_ASSERT_EQUAL(row(20).verdict, VERDICT_UP);
		stop();
	}
}

/* nothing to ask: after 5 s the members are said not to answer, under the root */
static void test_nothing_tells_why(void)
{
	start(false, false, 0);
	all_up();
	int64_t dark = group_dies(8, 8);
	run(5000 - (b.now - dark));
	const struct judge_domain *d = domain_said_last(GROUP_B);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	CU_ASSERT(d->is_root && d->state == DOMAIN_STATE_HANG && d->certainty == CERTAINTY_CAUSE);
	for (uint32_t i = 8; i < 16; i++)
		CU_ASSERT(row(i).verdict == VERDICT_UNREACHABLE && row(i).held);
	CU_ASSERT_EQUAL(single_calls(), 0);
	stop();
}

static void test_path_loss(void)
{
	start(true, true, 1);
	all_up();
	judge_lossy(b.judge, GROUP_A, true, b.now);
	run(100);
	const struct judge_domain *d = domain_said_last(GROUP_A);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	CU_ASSERT(d->is_root && d->state == DOMAIN_STATE_PATH);
	run(10000);
	CU_ASSERT_EQUAL(b.releases[GROUP_A], 0);
	judge_lossy(b.judge, GROUP_A, false, b.now);
	run(3300);
	CU_ASSERT_EQUAL(b.releases[GROUP_A], 1);
	CU_ASSERT_EQUAL(roots(), 0);
	stop();
}

/* --- suspension ------------------------------------------------------------------------------------------- */

static void test_suspended_changes_nothing(void)
{
	start(true, false, 1);
	all_up();
	judge_collector_suspended(b.judge, SUSPEND_CARRIER, b.now);
	unsigned said_before = b.nsaid;
	int64_t first = b.now;
	run(600);
	flag(0, first);
	run(2000);
	dead(0, first, 0);
	run(20000);
	CU_ASSERT_EQUAL(b.nsaid, said_before);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP);
	CU_ASSERT(row(0).not_judged != 0);
	tell(0, WITNESS_S, STATE_ANS, 0, 0, 0);
	judge_collector_suspended(b.judge, 0, b.now);
	run(1000);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP);
	CU_ASSERT_EQUAL(row(0).not_judged, 0);
	stop();
}

/* the judge clock stands still: cause and confirmation come later by the length of the suspension */
static void test_judge_clock(void)
{
	start(true, false, 1);
	all_up();
	int64_t first = die(0);
	run(200);
	judge_queue(b.judge, 800, true, b.now);
	CU_ASSERT(b.reasons & SUSPEND_QUEUE);
	int64_t from = b.now;
	run(5000);
	CU_ASSERT_EQUAL(b.reasons, 0); /* settled after 1.5 s */
	run(10000);
	int64_t cause = first_said(0, VERDICT_OS_HUNG, CERTAINTY_CAUSE) - first;
	CU_ASSERT(cause >= 3800 + 1500 && cause <= 3800 + 1700);
	CU_ASSERT(judge_clock(b.judge, b.now) < b.now - T0 - 1400);
	/* its own stall */
	b.now += 20000;
	judge_tick(b.judge, b.now);
	CU_ASSERT(b.reasons & SUSPEND_QUEUE);
	run(1700);
	CU_ASSERT_EQUAL(b.reasons, 0);
	CU_ASSERT(from > first);
	stop();
}

static void test_bad_input(void)
{
	start(true, true, 1);
	all_up();
	unsigned said_before = b.nsaid;
	struct witness_report r = { .slot = NODES, .generation = 1, .witness = WITNESS_K, .state = STATE_SILENT };
	judge_report(b.judge, &r, b.now);
	r.slot = 40; /* no such node */
	judge_report(b.judge, &r, b.now);
	r.slot = 0;
	r.generation = 2;
	judge_report(b.judge, &r, b.now);
	r.generation = 1;
	r.state = 77;
	judge_report(b.judge, &r, b.now);
	r.state = STATE_SILENT;
	r.witness = 9;
	judge_report(b.judge, &r, b.now);
	judge_bmc(b.judge, UINT32_MAX, BMC_OFF, b.now, b.now);
	judge_bmc(b.judge, 0, (enum bmc_state)99, b.now, b.now);
	judge_port(b.judge, 0, (enum port_state)0, b.now);
	judge_port(b.judge, 63, PORT_DOWN, b.now);
	judge_reference(b.judge, DOMAINS, true, b.now);
	judge_reference(b.judge, 7, true, b.now);
	judge_lossy(b.judge, 99, true, b.now);
	judge_wanted(b.judge, 0, (enum wanted)42, 0, b.now);
	judge_uptime(b.judge, 99, 1, 1, b.now);
	judge_why(b.judge, 99, "x", b.now);
	CU_ASSERT_EQUAL(b.nsaid, said_before);
	struct judge_node n = { .generation = 1, .ndomains = 1, .domains = { 6 } };
	CU_ASSERT_EQUAL(judge_node_set(b.judge, 0, &n, b.now), -1);
	n.domains[0] = DOMAINS;
	CU_ASSERT_EQUAL(judge_node_set(b.judge, 0, &n, b.now), -1);
	n.ndomains = NODE_DOMAINS + 1;
	CU_ASSERT_EQUAL(judge_node_set(b.judge, 0, &n, b.now), -1);
	CU_ASSERT_EQUAL(judge_domain_set(b.judge, DOMAINS, DOMAIN_GROUP, 0), -1);
	stop();
}

static void test_nodes_and_domains_come_and_go(void)
{
	struct judge_domain d;

	start(true, true, 1);
	all_up();
	flag(0, b.now);
	judge_domain_view(b.judge, GROUP_A, &d);
	CU_ASSERT(d.members == 8 && d.flagged == 1);
	/* the same again, and from one group to the other and back */
	struct judge_node n = { .generation = 1, .bmc = true, .ndomains = 3, .domains = { GROUP_A, SITE, RACK } };
	CU_ASSERT_EQUAL(judge_node_set(b.judge, 0, &n, b.now), 0);
	judge_domain_view(b.judge, GROUP_A, &d);
	CU_ASSERT(d.members == 8 && d.flagged == 1);
	n.domains[0] = GROUP_B;
	CU_ASSERT_EQUAL(judge_node_set(b.judge, 0, &n, b.now), 0);
	judge_domain_view(b.judge, GROUP_A, &d);
	CU_ASSERT(d.members == 7 && d.flagged == 0);
	judge_domain_view(b.judge, GROUP_B, &d);
	CU_ASSERT(d.members == 9 && d.flagged == 1);
	n.domains[0] = GROUP_A;
	CU_ASSERT_EQUAL(judge_node_set(b.judge, 0, &n, b.now), 0);
	judge_node_remove(b.judge, 0, b.now);
	judge_domain_view(b.judge, GROUP_A, &d);
	CU_ASSERT(d.members == 7 && d.flagged == 0);
	struct judge_verdict v;
	CU_ASSERT(!judge_view(b.judge, 0, &v));
	judge_domain_remove(b.judge, GROUP_A, b.now);
	CU_ASSERT(!judge_domain_view(b.judge, GROUP_A, &d));
	judge_domain_view(b.judge, RACK, &d);
	CU_ASSERT_EQUAL(d.members, 3);
	judge_domain_view(b.judge, SITE, &d);
	CU_ASSERT_EQUAL(d.members, 15);
	/* the site's list is whole: all of it can be flagged and unflagged through other ends */
	for (uint32_t i = 1; i < 16; i++)
		judge_node_remove(b.judge, i, b.now);
	judge_domain_view(b.judge, SITE, &d);
	CU_ASSERT_EQUAL(d.members, 0);
	stop();
}

static const struct unit_test TESTS[] = {
	{ "called, cause, confirmed", test_three_sentences },
	{ "questions to the BMC", test_questions },
	{ "no question for a short suspicion", test_no_question_for_a_short_suspicion },
	{ "powered off", test_powered_off },
	{ "causes", test_causes },
	{ "without a BMC", test_without_bmc },
	{ "agent dead, programs hung", test_agent_dead_and_hung },
	{ "return by up-times", test_return },
	{ "BMC mismatch", test_mismatch },
	{ "BMC liveness", test_bmc_liveness },
	{ "booting", test_booting },
	{ "maintenance", test_maintenance },
	{ "flapping", test_flapping },
	{ "switch dead", test_switch_dead },
	{ "switch flaps", test_switch_flaps },
	{ "group hangs", test_group_hangs },
	{ "rack without power", test_rack_power },
	{ "two deaths are two", test_two_deaths_are_two },
	{ "common onset", test_common_onset },
	{ "release forgets the silence", test_release_forgets },
	{ "site dark: own link", test_site_dark },
	{ "a domain of two", test_tiny_domain },
	{ "nothing tells why", test_nothing_tells_why },
	{ "path loss", test_path_loss },
	{ "suspended changes nothing", test_suspended_changes_nothing },
	{ "judge clock", test_judge_clock },
	{ "bad input", test_bad_input },
	{ "nodes and domains come and go", test_nodes_and_domains_come_and_go },
};

UNIT_MAIN("judge", TESTS)
