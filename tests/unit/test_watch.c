/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The scheduler and the suspicion machine of one and of a few nodes, step by step in virtual time. */
#include <string.h>

#include "mibs/collector/watch.h"
#include "tests/unit/unit.h"

enum { NODES = 16, SENT_MAX = 20000, REPORTS_MAX = 2000, T0 = 1000000 };
enum { BEAT, POLL, ECHO, GET, USER, KINDS };

struct sent {
	int64_t at;
	uint32_t slot, token;
	int kind;
	bool answered;
};

static struct bench {
	struct watch *watch;
	int64_t now;
	struct sent sent[SENT_MAX];
	unsigned nsent, next_answer;
	struct witness_report reports[REPORTS_MAX];
	unsigned nreports;
	unsigned reasons, suspensions;
	/* what of each node answers, and after how long */
	struct {
		bool agent, kernel, refuses, userland, banner, poll, frozen;
		int64_t delay, lag; /* lag: of the agent alone, besides */
	} nodes[NODES];
	bool full; /* no room for a poll */
	unsigned looks[NODES]; /* of watch_ops.ahead, since the node was taken out of the wheel */
	int64_t refused_at;
} b;

static bool note(void *arg, uint32_t slot, uint32_t token, int kind)
{
	(void)arg;
	CU_ASSERT_EQUAL(b.looks[slot], 2);
	if (kind == POLL && b.full) {
		b.refused_at = b.now;
		return false;
	}
	if (b.nsent < SENT_MAX)
		b.sent[b.nsent++] = (struct sent){ b.now, slot, token, kind, false };
	return true;
}

static bool beat(void *arg, uint32_t slot, uint32_t token) { return note(arg, slot, token, BEAT); }
static bool poll(void *arg, uint32_t slot, uint32_t token) { return note(arg, slot, token, POLL); }
static bool echo(void *arg, uint32_t slot, uint32_t token) { return note(arg, slot, token, ECHO); }
static bool get(void *arg, uint32_t slot, uint32_t token) { return note(arg, slot, token, GET); }
static bool user(void *arg, uint32_t slot, uint32_t token) { return note(arg, slot, token, USER); }

static void ahead(void *arg, uint32_t slot, bool near)
{
	(void)arg;
	CU_ASSERT(!near || b.looks[slot] == 1);
	b.looks[slot] = near ? 2 : 1;
}

static void report(void *arg, const struct witness_report *r)
{
	(void)arg;
	if (b.nreports < REPORTS_MAX)
		b.reports[b.nreports++] = *r;
}

static void suspended(void *arg, unsigned reasons, int64_t since)
{
	(void)arg;
	(void)since;
	b.reasons = reasons;
	b.suspensions += reasons != 0;
}

static const struct watch_ops OPS = { .send_heartbeat = beat, .send_poll = poll, .send_echo = echo, .send_get = get,
				      .ask_userland = user, .ahead = ahead, .report = report, .suspended = suspended };

static struct watch_node plain(uint32_t slot)
{
	return (struct watch_node){ .generation = 1, .hash = slot * UINT32_C(2654435761), .poll_ms = 10000, .snmp = true, .echo = true,
				    .userland = true, .ndomains = 2, .domains = { 1, 0 } };
}

static void start(uint32_t nodes)
{
	struct watch_params p;

	watch_params_default(&p);
	memset(&b, 0, sizeof(b));
	b.now = T0;
	b.watch = watch_create(&p, &OPS, NULL, NODES, 4, b.now);
	for (uint32_t i = 0; i < nodes; i++) {
		struct watch_node n = plain(i);

		b.nodes[i].agent = b.nodes[i].kernel = b.nodes[i].userland = b.nodes[i].banner = b.nodes[i].poll = true;
		b.nodes[i].delay = 10;
		CU_ASSERT_EQUAL(watch_add(b.watch, i, &n, b.now), 0);
	}
}

static void stop(void)
{
	watch_free(b.watch);
	b.watch = NULL;
}

static void answer(struct sent *s)
{
	bool request = s->kind == BEAT || s->kind == GET || s->kind == POLL;

	s->answered = true;
	if (!b.nodes[s->slot].kernel)
		return;
	if (request && b.nodes[s->slot].agent && (s->kind != POLL || b.nodes[s->slot].poll))
		watch_answer(b.watch, s->slot, s->token, b.nodes[s->slot].frozen ? WATCH_S_FROZEN : WATCH_S_REPLY, b.now);
	else if (request && b.nodes[s->slot].refuses)
		watch_answer(b.watch, s->slot, s->token, WATCH_S_REFUSED, b.now);
	else if (s->kind == ECHO)
		watch_answer(b.watch, s->slot, s->token, WATCH_K_ECHO, b.now);
	if (s->kind == USER && b.nodes[s->slot].userland) {
		watch_answer(b.watch, s->slot, s->token, WATCH_K_OTHER, b.now);
		if (b.nodes[s->slot].banner)
			watch_answer(b.watch, s->slot, s->token, WATCH_U_BANNER, b.now);
	}
}

static int64_t delay_of(const struct sent *s)
{
	return b.nodes[s->slot].delay + (s->kind == BEAT || s->kind == POLL || s->kind == GET ? b.nodes[s->slot].lag : 0);
}

static void run(int64_t ms)
{
	for (int64_t end = b.now + ms; b.now < end;) {
		b.now += 10;
		for (unsigned i = b.next_answer; i < b.nsent; i++)
			if (!b.sent[i].answered && b.now - b.sent[i].at >= delay_of(&b.sent[i]))
				answer(&b.sent[i]);
		while (b.next_answer < b.nsent && b.sent[b.next_answer].answered)
			b.next_answer++;
		watch_tick(b.watch, b.now);
	}
}

/* the first report of this kind since index `from`; NULL = none */
static const struct witness_report *find(unsigned from, uint32_t slot, enum witness w, enum witness_state state, unsigned flags)
{
	for (unsigned i = from; i < b.nreports; i++) {
		const struct witness_report *r = &b.reports[i];

		if (r->slot == slot && r->witness == w && r->state == state && (r->flags & flags) == flags)
			return r;
	}
	return NULL;
}

static unsigned count(unsigned from, uint32_t slot, int kind)
{
	unsigned n = 0;

	for (unsigned i = from; i < b.nsent; i++)
		n += b.sent[i].slot == slot && b.sent[i].kind == kind;
	return n;
}

static struct watch_view view(uint32_t slot)
{
	struct watch_view v;

	watch_view(b.watch, slot, &v);
	return v;
}

static void test_healthy(void)
{
	start(NODES);
	run(60000);
	for (uint32_t i = 0; i < NODES; i++) {
		unsigned beats = count(0, i, BEAT), polls = count(0, i, POLL);

		CU_ASSERT(beats + polls >= 59 && beats + polls <= 61);
		CU_ASSERT(polls >= 6 && polls <= 7);
		CU_ASSERT_EQUAL(count(0, i, GET), 0);
		CU_ASSERT(view(i).echo_passes);
		CU_ASSERT_EQUAL(view(i).s, STATE_ANS);
	}
	/* one report each: it answers */
	CU_ASSERT_EQUAL(b.nreports, NODES);
	CU_ASSERT_EQUAL(watch_stats(b.watch)->suspicions, 0);
	stop();
}

static void test_polls_are_spread(void)
{
	unsigned by_tenth[10] = { 0 };

	start(NODES);
	run(1000);
	unsigned from = b.nsent;
	run(10000);
	for (unsigned i = from; i < b.nsent; i++)
		if (b.sent[i].kind == BEAT || b.sent[i].kind == POLL)
			by_tenth[b.sent[i].at % 1000 / 100]++;
	/* 16 nodes by hash: no tenth of a second has them all */
	for (int i = 0; i < 10; i++)
		CU_ASSERT(by_tenth[i] <= 80);
	stop();
}

/* the table of 4.1 and 4.2 for one crash: times are exact to the wheel's 10 ms */
static void test_refused_poll_comes_with_the_next_beat(void)
{
	start(1);
	b.full = true;
	run(13000);
	CU_ASSERT(b.refused_at);
	CU_ASSERT_EQUAL(count(0, 0, POLL), 0);
	b.full = false;
	unsigned before = b.nsent;
	int64_t refused = b.refused_at;
	run(1100);
	CU_ASSERT_EQUAL(count(before, 0, POLL), 1);
	CU_ASSERT(b.now - refused <= 2100);
	run(30000);
	CU_ASSERT(count(before, 0, POLL) <= 5);
	stop();
}

static void test_crash(void)
{
	start(1);
	run(30000);
	unsigned from = b.nreports, sent = b.nsent;
	b.nodes[0].kernel = b.nodes[0].agent = false;
	int64_t died = b.now;
	run(12000);
	const struct witness_report *flag = find(from, 0, WITNESS_K, STATE_PEND, WITNESS_FLAGGED);
	const struct witness_report *dead = find(from, 0, WITNESS_K, STATE_SILENT, WITNESS_ENOUGH);
	CU_ASSERT_PTR_NOT_NULL_FATAL(flag);
	CU_ASSERT_PTR_NOT_NULL_FATAL(dead);
	CU_ASSERT_EQUAL(flag->misses, 4);
	CU_ASSERT_EQUAL(flag->at - flag->first, 600);
	CU_ASSERT(flag->at - died <= 1600);
	CU_ASSERT_EQUAL(dead->at - dead->first, 1800);
	CU_ASSERT(dead->at - died <= 2800);
	CU_ASSERT(dead->misses >= 13);
	CU_ASSERT_EQUAL(dead->needed, 7);
	CU_ASSERT(!(dead->flags & WITNESS_HELD));
	/* 7.5 probes a second until the call */
	unsigned probes = 0;
	for (unsigned i = sent; i < b.nsent; i++)
		probes += b.sent[i].at > dead->first && b.sent[i].at < dead->at;
	CU_ASSERT(probes >= 12 && probes <= 14);
	/* slow after confirmation: about 1.1 a second */
	unsigned slow = b.nsent;
	run(10000);
	CU_ASSERT(b.nsent - slow >= 9 && b.nsent - slow <= 13);
	stop();
}

static void test_short_darkness_is_not_shown(void)
{
	start(1);
	run(30000);
	unsigned from = b.nreports;
	for (int i = 0; i < 20; i++) {
		b.nodes[0].kernel = b.nodes[0].agent = false;
		run(1750);
		b.nodes[0].kernel = b.nodes[0].agent = true;
		run(90000 + i * 370);
	}
	CU_ASSERT_PTR_NULL(find(from, 0, WITNESS_K, STATE_SILENT, 0));
	CU_ASSERT_EQUAL(view(0).k, STATE_ANS);
	stop();
}

/* runs until the node's next heartbeat has gone out */
static void run_to_beat(uint32_t slot)
{
	unsigned from = b.nsent;

	for (int i = 0; i < 200 && count(from, slot, BEAT) + count(from, slot, POLL) == 0; i++)
		run(10);
}

/* an answer that was under way when it went dark is lost too, but the dark spell is no older for it */
static void test_slow_answer_does_not_age_the_darkness(void)
{
	/* the last one stays dark: it is dead, and called no later than 3 s for all that */
	for (int64_t after = 10; after <= 150; after += 20) {
		start(1);
		b.nodes[0].lag = 140;
		run(120000);
		unsigned from = b.nreports;
		run_to_beat(0);
		run(after);
		b.nodes[0].kernel = b.nodes[0].agent = false;
		int64_t died = b.now;
		run(1750);
		b.nodes[0].kernel = b.nodes[0].agent = after < 150;
		run(3000);
		const struct witness_report *dead = find(from, 0, WITNESS_K, STATE_SILENT, 0);
		CU_ASSERT_EQUAL(dead != NULL, after == 150);
		CU_ASSERT(!dead || dead->at - died <= 3000);
		stop();
	}
}

/* one answer in ten that is overtaken on the way makes no agent slow: the clock begins with what was sent */
static void test_overtaken_answers_make_nobody_slow(void)
{
	start(1);
	for (int i = 0; i < 300; i++) {
		b.nodes[0].lag = i % 10 ? 0 : 150;
		run(1000);
	}
	unsigned from = b.nreports;
	b.nodes[0].lag = 0;
	run_to_beat(0);
	run(20);
	b.nodes[0].kernel = b.nodes[0].agent = false;
	run(4000);
	const struct witness_report *dead = find(from, 0, WITNESS_K, STATE_SILENT, WITNESS_ENOUGH);
	CU_ASSERT_PTR_NOT_NULL_FATAL(dead);
	bool sent = false;
	for (unsigned i = 0; i < b.nsent; i++)
		sent |= b.sent[i].at == dead->first && (b.sent[i].kind == BEAT || b.sent[i].kind == POLL);
	CU_ASSERT(sent);
	stop();
}

static void test_return_takes_three_heartbeats(void)
{
	start(1);
	run(30000);
	b.nodes[0].kernel = b.nodes[0].agent = false;
	run(6000);
	unsigned from = b.nreports;
	b.nodes[0].kernel = b.nodes[0].agent = true;
	int64_t back = b.now;
	run(6000);
	const struct witness_report *returning = find(from, 0, WITNESS_S, STATE_PEND, WITNESS_RETURNING);
	const struct witness_report *up = find(from, 0, WITNESS_S, STATE_ANS, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(returning);
	CU_ASSERT_PTR_NOT_NULL_FATAL(up);
	CU_ASSERT(returning->at - back <= 1000);
	CU_ASSERT(up->at - returning->at >= 2000 && up->at - returning->at <= 3100);
	CU_ASSERT(!(up->flags & (WITNESS_FLAGGED | WITNESS_ENOUGH)));
	/* the up-times are wanted at once: the first exchange is a poll */
	stop();
}

static void test_agent_dead(void)
{
	start(1);
	run(70000);
	CU_ASSERT(view(0).userland_seen);
	unsigned from = b.nreports;
	b.nodes[0].agent = false;
	int64_t died = b.now;
	run(9000);
	const struct witness_report *mute = find(from, 0, WITNESS_S, STATE_SILENT, WITNESS_ENOUGH);
	CU_ASSERT_PTR_NOT_NULL_FATAL(mute);
	CU_ASSERT(mute->at - mute->first >= 4000);
	CU_ASSERT(mute->at - died <= 5300);
	CU_ASSERT_PTR_NOT_NULL(find(from, 0, WITNESS_U, STATE_ANS, 0));
	CU_ASSERT_PTR_NULL(find(from, 0, WITNESS_K, STATE_SILENT, 0));
	from = b.nreports;
	b.nodes[0].agent = true;
	run(5000);
	CU_ASSERT_PTR_NOT_NULL(find(from, 0, WITNESS_S, STATE_ANS, 0));
	stop();
}

static void test_agent_refused(void)
{
	start(1);
	run(70000);
	unsigned from = b.nreports;
	b.nodes[0].agent = false;
	b.nodes[0].refuses = true;
	run(6000);
	CU_ASSERT_PTR_NOT_NULL(find(from, 0, WITNESS_S, STATE_REFUSED, WITNESS_ENOUGH));
	CU_ASSERT_PTR_NULL(find(from, 0, WITNESS_K, STATE_PEND, 0));
	stop();
}

/* a restart of the agent within a second leaves no trace */
static void test_agent_restart(void)
{
	start(1);
	run(30000);
	unsigned from = b.nreports;
	b.nodes[0].agent = false;
	b.nodes[0].refuses = true;
	run(1200);
	b.nodes[0].agent = true;
	run(10000);
	CU_ASSERT_EQUAL(b.nreports, from);
	stop();
}

/* an agent whose values stand still is as good as silent, and known to be; its kernel lives all the while */
static void test_frozen_agent(void)
{
	start(1);
	run(70000);
	unsigned from = b.nreports;
	b.nodes[0].frozen = true;
	run(8000);
	const struct witness_report *silent = find(from, 0, WITNESS_S, STATE_SILENT, WITNESS_ENOUGH | WITNESS_FROZEN);
	CU_ASSERT_PTR_NOT_NULL_FATAL(silent);
	CU_ASSERT_PTR_NULL(find(from, 0, WITNESS_K, STATE_SILENT, 0));
	CU_ASSERT_PTR_NULL(find(from, 0, WITNESS_S, STATE_REFUSED, 0));
	b.nodes[0].frozen = false;
	from = b.nreports;
	run(5000);
	CU_ASSERT_PTR_NOT_NULL(find(from, 0, WITNESS_S, STATE_ANS, 0));
	CU_ASSERT_PTR_NULL(find(from, 0, WITNESS_S, STATE_ANS, WITNESS_FROZEN));
	stop();
}

static void test_programs_hung(void)
{
	start(1);
	run(70000);
	unsigned from = b.nreports;
	b.nodes[0].agent = b.nodes[0].banner = false;
	run(12000);
	const struct witness_report *mute = find(from, 0, WITNESS_S, STATE_SILENT, 0);
	const struct witness_report *hung = find(from, 0, WITNESS_U, STATE_SILENT, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(mute);
	CU_ASSERT_PTR_NOT_NULL_FATAL(hung);
	CU_ASSERT(hung->at - mute->at >= 3000 && hung->at - mute->at <= 3100);
	stop();
}

/* nor does it say that programs hang, when our own link or the path went between handshake and banner */
static void test_no_banner_through_darkness(void)
{
	for (int own = 0; own < 2; own++) {
		start(1);
		run(70000);
		unsigned from = b.nreports, users = b.nsent;
		b.nodes[0].agent = b.nodes[0].banner = false;
		while (!find(from, 0, WITNESS_S, STATE_SILENT, 0) && b.now < T0 + 90000)
			run(10);
		run(200);
		CU_ASSERT_EQUAL(count(users, 0, USER), 1);
		if (own)
			watch_carrier(b.watch, false, b.now);
		else
			b.nodes[0].kernel = false;
		run(1000);
		b.nodes[0].kernel = b.nodes[0].banner = true;
		if (own)
			watch_carrier(b.watch, true, b.now);
		run(8000);
		CU_ASSERT_PTR_NULL(find(from, 0, WITNESS_U, STATE_SILENT, 0));
		CU_ASSERT_PTR_NOT_NULL(find(from, 0, WITNESS_U, STATE_ANS, 0));
		stop();
	}
}

/* no connection is no accusation: only a kernel that accepts and a program that says nothing is */
static void test_userland_filtered(void)
{
	start(1);
	run(70000);
	unsigned from = b.nreports;
	b.nodes[0].agent = b.nodes[0].userland = false;
	run(12000);
	CU_ASSERT_PTR_NOT_NULL(find(from, 0, WITNESS_S, STATE_SILENT, 0));
	CU_ASSERT_PTR_NULL(find(from, 0, WITNESS_U, STATE_SILENT, 0));
	stop();
}

static void test_slow_agent(void)
{
	start(1);
	run(30000);
	unsigned from = b.nreports;
	b.nodes[0].delay = 1500; /* echoes too, so the kernel is dark for 1.5 s at first */
	run(20000);
	CU_ASSERT_PTR_NOT_NULL(find(from, 0, WITNESS_S, STATE_LATE, 0));
	CU_ASSERT_PTR_NULL(find(from, 0, WITNESS_S, STATE_SILENT, 0));
	CU_ASSERT_PTR_NULL(find(from, 0, WITNESS_K, STATE_SILENT, 0));
	from = b.nreports;
	b.nodes[0].delay = 10;
	run(10000);
	CU_ASSERT_PTR_NOT_NULL(find(from, 0, WITNESS_S, STATE_ANS, 0));
	stop();
}

static void test_large_replies_lost(void)
{
	start(1);
	run(30000);
	unsigned from = b.nreports;
	b.nodes[0].poll = false;
	run(60000);
	const struct witness_report *large = find(from, 0, WITNESS_S, STATE_LATE, WITNESS_LARGE_LOST);
	CU_ASSERT_PTR_NOT_NULL(large);
	from = b.nreports;
	b.nodes[0].poll = true;
	run(20000);
	CU_ASSERT_PTR_NOT_NULL(find(from, 0, WITNESS_S, STATE_ANS, 0));
	stop();
}

static void test_held_domain(void)
{
	start(4);
	run(30000);
	unsigned from = b.nreports;
	for (int i = 0; i < 3; i++)
		b.nodes[i].kernel = b.nodes[i].agent = false;
	watch_hold(b.watch, 1, b.now);
	run(8000);
	for (uint32_t i = 0; i < 3; i++) {
		const struct witness_report *dead = find(from, i, WITNESS_K, STATE_SILENT, 0);

		CU_ASSERT_PTR_NOT_NULL_FATAL(dead);
		CU_ASSERT(dead->flags & WITNESS_HELD);
	}
	/* two come back at the release; the third's suspicion begins again from zero */
	b.nodes[0].kernel = b.nodes[0].agent = b.nodes[1].kernel = b.nodes[1].agent = true;
	run(2000);
	from = b.nreports;
	int64_t released = b.now;
	watch_release(b.watch, 1, b.now);
	run(4000);
	const struct witness_report *again = find(from, 2, WITNESS_K, STATE_PEND, WITNESS_RESTARTED);
	const struct witness_report *dead = find(from, 2, WITNESS_K, STATE_SILENT, WITNESS_ENOUGH);
	CU_ASSERT_PTR_NOT_NULL_FATAL(again);
	CU_ASSERT_PTR_NOT_NULL_FATAL(dead);
	CU_ASSERT(!(again->flags & WITNESS_FLAGGED));
	CU_ASSERT(dead->at - released >= 1800);
	CU_ASSERT(!(dead->flags & WITNESS_HELD));
	CU_ASSERT_EQUAL(view(0).k, STATE_ANS);
	CU_ASSERT_PTR_NULL(find(from, 0, WITNESS_K, STATE_SILENT, 0));
	stop();
}

static void test_stall(void)
{
	start(NODES);
	run(30000);
	unsigned from = b.nreports;
	/* a node is suspect when the loop stands still; after it everything begins anew */
	b.nodes[0].kernel = b.nodes[0].agent = false;
	run(1500);
	b.now += 5000;
	unsigned sent = b.nsent;
	watch_tick(b.watch, b.now);
	CU_ASSERT(b.reasons & SUSPEND_STALL);
	CU_ASSERT(b.nsent - sent <= 2);
	int64_t resumed = b.now;
	run(1000);
	/* skipped slots are not caught up: one exchange a node and second, the suspect's probes besides */
	CU_ASSERT(b.nsent - sent <= NODES + 12);
	run(5000);
	const struct witness_report *dead = find(from, 0, WITNESS_K, STATE_SILENT, WITNESS_ENOUGH);
	CU_ASSERT_PTR_NOT_NULL_FATAL(dead);
	CU_ASSERT(dead->at - resumed >= 1800);
	CU_ASSERT_EQUAL(b.reasons, 0);
	for (uint32_t i = 1; i < NODES; i++)
		CU_ASSERT_EQUAL(view(i).k, STATE_ANS);
	stop();
}

/* the most of a kind that went out in any second since index `from` */
static unsigned most_in_a_second(unsigned from, int kind)
{
	unsigned most = 0;

	for (unsigned i = from; i < b.nsent; i++) {
		unsigned n = 0;

		for (unsigned j = i; j < b.nsent && b.sent[j].at < b.sent[i].at + 1000; j++)
			n += b.sent[j].kind == kind;
		most = n > most ? n : most;
	}
	return most;
}

/* baselines that fell due while the loop stood still are not caught up in a burst either, and are spread for good */
static void test_baselines_after_a_stall_are_spread(void)
{
	start(NODES);
	run(90000);
	for (uint32_t i = 0; i < NODES; i++)
		CU_ASSERT(view(i).userland_seen);
	b.now += 3700000;
	unsigned from = b.nsent;
	watch_tick(b.watch, b.now);
	run(70000);
	CU_ASSERT(most_in_a_second(from, ECHO) <= 5);
	CU_ASSERT(most_in_a_second(from, USER) <= 3);
	for (uint32_t i = 0; i < NODES; i++) {
		CU_ASSERT(count(from, i, ECHO) >= 1);
		CU_ASSERT_EQUAL(count(from, i, USER), 1);
	}
	from = b.nsent;
	run(240000);
	CU_ASSERT(most_in_a_second(from, ECHO) <= 2);
	for (uint32_t i = 0; i < NODES; i++)
		CU_ASSERT_EQUAL(count(from, i, ECHO), 2);
	stop();
}

/* answers that waited in the socket while the loop stood still are not late, and drops accuse nobody */
static void test_stall_is_not_lateness(void)
{
	start(NODES);
	run(30000);
	unsigned from = b.nreports;
	for (int round = 0; round < 20; round++) {
		b.now += 1500;
		for (unsigned i = b.next_answer; i < b.nsent; i++)
			answer(&b.sent[i]);
		b.next_answer = b.nsent;
		watch_drops(b.watch, b.now);
		watch_tick(b.watch, b.now);
		run(730);
	}
	CU_ASSERT_EQUAL(b.nreports, from);
	CU_ASSERT(watch_stats(b.watch)->disturbed >= 20);
	stop();
}

/* what was under way when the socket overflowed is void: nobody becomes suspect for it */
static void test_drops_void_what_is_under_way(void)
{
	start(NODES);
	run(30000);
	for (int i = 0; i < 50; i++) {
		for (int n = 0; n < NODES; n++)
			b.nodes[n].kernel = b.nodes[n].agent = false;
		run(100);
		for (int n = 0; n < NODES; n++)
			b.nodes[n].kernel = b.nodes[n].agent = true;
		watch_drops(b.watch, b.now);
		run(1010);
	}
	CU_ASSERT_EQUAL(watch_stats(b.watch)->suspicions, 0);
	stop();
}

static void test_carrier(void)
{
	start(NODES);
	run(30000);
	unsigned from = b.nreports, sent = b.nsent;
	watch_carrier(b.watch, false, b.now);
	CU_ASSERT(b.reasons & SUSPEND_CARRIER);
	run(10000);
	CU_ASSERT_EQUAL(b.nsent, sent);
	watch_carrier(b.watch, true, b.now);
	b.nodes[3].kernel = b.nodes[3].agent = false;
	int64_t back = b.now;
	run(1900);
	CU_ASSERT(b.reasons & SUSPEND_CARRIER);
	run(8000);
	CU_ASSERT_EQUAL(b.reasons, 0);
	const struct witness_report *dead = find(from, 3, WITNESS_K, STATE_SILENT, WITNESS_ENOUGH);
	CU_ASSERT_PTR_NOT_NULL_FATAL(dead);
	CU_ASSERT(dead->at - back >= 2000 && dead->at - back <= 3000);
	for (uint32_t i = 0; i < NODES; i++)
		CU_ASSERT(i == 3 || find(from, i, WITNESS_K, STATE_SILENT, 0) == NULL);
	stop();
}

static void test_forged_answers(void)
{
	start(1);
	run(30000);
	b.nodes[0].kernel = b.nodes[0].agent = false;
	run(500);
	uint64_t stale = watch_stats(b.watch)->stale;
	uint32_t token = b.sent[b.nsent - 1].token;
	watch_answer(b.watch, 0, token + 1, WATCH_S_REPLY, b.now);
	watch_answer(b.watch, 0, token - 70, WATCH_S_REPLY, b.now);
	watch_answer(b.watch, 0, 0, WATCH_K_ECHO, b.now);
	watch_answer(b.watch, 1, token, WATCH_S_REPLY, b.now);
	watch_answer(b.watch, NODES, token, WATCH_S_REPLY, b.now);
	watch_answer(b.watch, UINT32_MAX, token, WATCH_S_REPLY, b.now);
	/* the wrong kind for what was sent */
	for (unsigned i = b.nsent - 1; i > 0; i--)
		if (b.sent[i].kind == ECHO) {
			watch_answer(b.watch, 0, b.sent[i].token, WATCH_S_REPLY, b.now);
			break;
		}
	CU_ASSERT_EQUAL(watch_stats(b.watch)->stale, stale + 7);
	run(3000);
	CU_ASSERT_EQUAL(view(0).k, STATE_SILENT);
	/* an answer older than 5 s, of a token that is still in the ring */
	b.nodes[0].kernel = b.nodes[0].agent = true;
	stop();
}

static void test_old_answer_counts_for_five_seconds(void)
{
	start(1);
	run(30000);
	b.nodes[0].agent = b.nodes[0].kernel = false;
	unsigned from = b.nsent;
	run(7500);
	uint32_t old = 0, young = 0;
	for (unsigned i = from; i < b.nsent; i++) {
		if (b.sent[i].kind != GET && b.sent[i].kind != BEAT)
			continue;
		if (b.now - b.sent[i].at > 5000)
			old = b.sent[i].token;
		else if (!young && b.now - b.sent[i].at < 4800)
			young = b.sent[i].token;
	}
	CU_ASSERT_FATAL(old && young);
	uint64_t stale = watch_stats(b.watch)->stale;
	watch_answer(b.watch, 0, old, WATCH_S_REPLY, b.now);
	CU_ASSERT_EQUAL(watch_stats(b.watch)->stale, stale + 1);
	CU_ASSERT_EQUAL(view(0).k, STATE_SILENT);
	watch_answer(b.watch, 0, young, WATCH_S_REPLY, b.now);
	CU_ASSERT_EQUAL(watch_stats(b.watch)->stale, stale + 1);
	CU_ASSERT_EQUAL(view(0).k, STATE_ANS);
	stop();
}

static void test_echo_filtered(void)
{
	start(1);
	struct watch_node n = plain(0);
	n.echo = false;
	n.userland = false;
	CU_ASSERT_EQUAL(watch_change(b.watch, 0, &n, b.now), 0);
	run(30000);
	unsigned from = b.nreports, sent = b.nsent;
	b.nodes[0].kernel = b.nodes[0].agent = false;
	int64_t died = b.now;
	run(8000);
	const struct witness_report *dead = find(from, 0, WITNESS_S, STATE_SILENT, WITNESS_ENOUGH);
	CU_ASSERT_PTR_NOT_NULL_FATAL(dead);
	/* with nothing but the agent to ask it takes the agent's 4 s */
	CU_ASSERT(dead->at - dead->first >= 4000 && dead->at - died <= 5300);
	CU_ASSERT_PTR_NULL(find(from, 0, WITNESS_K, STATE_SILENT, 0));
	CU_ASSERT_EQUAL(count(sent, 0, ECHO), 0);
	stop();
}

static void test_without_snmp(void)
{
	start(1);
	struct watch_node n = plain(0);
	n.generation = 2;
	n.snmp = false;
	n.poll_ms = 0;
	CU_ASSERT_EQUAL(watch_add(b.watch, 0, &n, b.now), 0);
	unsigned from = b.nreports, sent = b.nsent;
	run(30000);
	CU_ASSERT_PTR_NOT_NULL(find(from, 0, WITNESS_K, STATE_ANS, 0));
	CU_ASSERT_EQUAL(count(sent, 0, BEAT) + count(sent, 0, GET) + count(sent, 0, POLL), 0);
	b.nodes[0].kernel = false;
	run(4000);
	CU_ASSERT_PTR_NOT_NULL(find(from, 0, WITNESS_K, STATE_SILENT, WITNESS_ENOUGH));
	b.nodes[0].kernel = true;
	run(6000);
	CU_ASSERT_EQUAL(view(0).k, STATE_ANS);
	stop();
}

/* two spells of 1 and 1.5 s lengthen this node's window, and no other's */
static void test_burst_guard(void)
{
	start(2);
	run(30000);
	for (int i = 0; i < 3; i++) {
		b.nodes[0].kernel = b.nodes[0].agent = false;
		run(3000);
		b.nodes[0].kernel = b.nodes[0].agent = true;
		run(20000);
	}
	b.nodes[0].kernel = b.nodes[0].agent = b.nodes[1].kernel = b.nodes[1].agent = false;
	unsigned from = b.nreports;
	run(9000);
	const struct witness_report *slow = find(from, 0, WITNESS_K, STATE_SILENT, 0), *quick = find(from, 1, WITNESS_K, STATE_SILENT, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(slow);
	CU_ASSERT_PTR_NOT_NULL_FATAL(quick);
	CU_ASSERT_EQUAL(quick->at - quick->first, 1800);
	CU_ASSERT(slow->at - slow->first > 3000 && slow->at - slow->first <= 6300);
	stop();
}

/* what befalls many in the same second is no weakness of their links */
static void test_common_spells_teach_nothing(void)
{
	start(8);
	run(30000);
	for (int i = 0; i < 3; i++) {
		for (int n = 0; n < 8; n++)
			b.nodes[n].kernel = b.nodes[n].agent = false;
		run(1700);
		for (int n = 0; n < 8; n++)
			b.nodes[n].kernel = b.nodes[n].agent = true;
		run(20000);
	}
	for (uint32_t n = 0; n < 8; n++) {
		b.nodes[n].kernel = b.nodes[n].agent = false;
		run(5000);
		CU_ASSERT_EQUAL(view(n).window_ms, 1600);
	}
	stop();
}

static void test_probe_now(void)
{
	start(1);
	run(12300);
	unsigned sent = b.nsent;
	watch_probe(b.watch, 0, b.now);
	run(20);
	CU_ASSERT_EQUAL(count(sent, 0, POLL), 1);
	watch_probe(b.watch, 7, b.now);
	watch_probe(b.watch, UINT32_MAX, b.now);
	stop();
}

static void test_remove_and_reuse(void)
{
	start(2);
	run(30000);
	watch_remove(b.watch, 0);
	unsigned sent = b.nsent;
	uint32_t token = b.sent[b.nsent - 1].token;
	run(5000);
	CU_ASSERT_EQUAL(count(sent, 0, BEAT), 0);
	struct watch_node n = plain(0);
	n.generation = 2;
	CU_ASSERT_EQUAL(watch_add(b.watch, 0, &n, b.now), 0);
	uint64_t stale = watch_stats(b.watch)->stale;
	watch_answer(b.watch, 0, token, WATCH_S_REPLY, b.now);
	CU_ASSERT_EQUAL(watch_stats(b.watch)->stale, stale + 1);
	n.poll_ms = 1500;
	CU_ASSERT_EQUAL(watch_add(b.watch, 0, &n, b.now), -1);
	n.poll_ms = 1000;
	n.domains[0] = 4;
	CU_ASSERT_EQUAL(watch_add(b.watch, 0, &n, b.now), -1);
	CU_ASSERT_EQUAL(watch_add(b.watch, NODES, &n, b.now), -1);
	stop();
}

static const struct unit_test TESTS[] = {
	{ "a healthy node: one exchange a second, nothing told", test_healthy },
	{ "heartbeats are spread", test_polls_are_spread },
	{ "a crash: flag, call, pace", test_crash },
	{ "darkness below 1.8 s is not shown", test_short_darkness_is_not_shown },
	{ "a slow answer does not age the darkness", test_slow_answer_does_not_age_the_darkness },
	{ "overtaken answers make nobody slow", test_overtaken_answers_make_nobody_slow },
	{ "return takes three heartbeats", test_return_takes_three_heartbeats },
	{ "agent dead, kernel lives, banner comes", test_agent_dead },
	{ "agent's port refused", test_agent_refused },
	{ "agent restarted within a second", test_agent_restart },
	{ "programs hung", test_programs_hung },
	{ "no banner through darkness", test_no_banner_through_darkness },
	{ "frozen agent", test_frozen_agent },
	{ "userland filtered", test_userland_filtered },
	{ "slow agent", test_slow_agent },
	{ "large replies lost", test_large_replies_lost },
	{ "held domain, release from zero", test_held_domain },
	{ "stalled loop", test_stall },
	{ "baselines after a stall are spread", test_baselines_after_a_stall_are_spread },
	{ "a stall is nobody's lateness", test_stall_is_not_lateness },
	{ "drops void what is under way", test_drops_void_what_is_under_way },
	{ "a poll without room comes with the next beat", test_refused_poll_comes_with_the_next_beat },
	{ "own link without carrier", test_carrier },
	{ "forged answers change nothing", test_forged_answers },
	{ "an answer counts for five seconds", test_old_answer_counts_for_five_seconds },
	{ "echo not allowed", test_echo_filtered },
	{ "a node without an agent", test_without_snmp },
	{ "burst guard", test_burst_guard },
	{ "common spells teach nothing", test_common_spells_teach_nothing },
	{ "probe now", test_probe_now },
	{ "remove and reuse a slot", test_remove_and_reuse },
};

UNIT_MAIN("watch", TESTS)
