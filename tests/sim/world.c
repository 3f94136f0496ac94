/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The world's clockwork: the network between watch, judge and the machines. Called by sim.c. */
#include "tests/sim/world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NO_EVENT UINT32_MAX

/* --- chance ------------------------------------------------------------------------------------------- */

static uint64_t draw(struct world *w)
{
	/* splitmix64: one multiplication chain, good enough for losses and quick */
	uint64_t z = w->rng += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

double chance(struct world *w)
{
	return (double)(draw(w) >> 11) / 9007199254740992.0;
}

static bool exchange_lost(struct world *w)
{
	return w->exchange_lost && draw(w) < w->exchange_lost;
}

uint32_t world_any(struct world *w, uint32_t count)
{
	return (uint32_t)(chance(w) * count);
}

/* --- events of the near future --------------------------------------------------------------------------- */

void world_event(struct world *w, int64_t at, uint8_t kind, uint32_t slot, uint32_t token, uint8_t what)
{
	int64_t steps = (at - w->now + STEP_MS - 1) / STEP_MS;

	if (steps < 1)
		steps = 1;
	if (steps >= NEAR_STEPS)
		steps = NEAR_STEPS - 1;
	if (w->event_free == NO_EVENT) {
		uint32_t more = w->event_count * 2;
		struct event *events = realloc(w->events, more * sizeof(*events));

		if (!events)
			abort();
		w->events = events;
		for (uint32_t i = w->event_count; i < more; i++)
			events[i].next = i + 1 < more ? i + 1 : NO_EVENT;
		w->event_free = w->event_count;
		w->event_count = more;
	}
	uint32_t i = w->event_free, *head = &w->near[(w->now / STEP_MS + steps) % NEAR_STEPS];
	w->event_free = w->events[i].next;
	w->events[i] = (struct event){ *head, slot, token, kind, what };
	*head = i;
}

/* --- the network -------------------------------------------------------------------------------------------- */

bool path_dark(const struct world *w, uint32_t slot)
{
	const struct machine *m = &w->machines[slot];

	return w->now < m->dark_until || w->now < w->own_dark_until || w->now < w->switches[m->small].dark_until ||
	       w->now < w->switches[m->large].dark_until;
}

static void count_sent(struct world *w)
{
	int64_t second = w->now / 1000;

	w->tally.sent++;
	if (second != w->second) {
		int64_t from = w->s->strike == STRIKE_MASS ? w->strike_at : w->last_stall;

		if (from && w->now - from < 10000 && w->second_sent > w->tally.peak_second)
			w->tally.peak_second = w->second_sent;
		w->second = second;
		w->second_sent = 0;
	}
	w->second_sent++;
}

static bool arrives(struct world *w, uint32_t slot)
{
	const struct switch_box *b = &w->switches[w->machines[slot].small];

	count_sent(w);
	return !path_dark(w, slot) && !exchange_lost(w) && !(b->lossy_until > w->now && draw(w) < b->lost);
}

/* What comes back: perhaps late, perhaps twice. */
static void answer_at(struct world *w, int64_t at, uint32_t slot, uint32_t token, enum watch_answer_kind kind)
{
	if (w->s->disorder > 0 && chance(w) < w->s->disorder)
		at += (int64_t)(chance(w) * 300);
	world_event(w, at, EVENT_ANSWER, slot, token, (uint8_t)kind);
	if (w->s->dup > 0 && chance(w) < w->s->dup)
		world_event(w, at + (int64_t)(chance(w) * 100), EVENT_ANSWER, slot, token, (uint8_t)kind);
}

static int64_t agent_delay(struct world *w, const struct machine *m)
{
	if (m->late)
		return 3000;
	if (!m->slow)
		return STEP_MS;
	/* log-normal, median 60 ms, up to 2 s */
	double g = sqrt(-2 * log(chance(w) + 1e-12)) * cos(6.283185307179586 * chance(w)), d = 60 * exp(1.2 * g);
	return d > 2000 ? 2000 : (int64_t)d;
}

static bool agent_request(void *arg, uint32_t slot, uint32_t token)
{
	struct world *w = arg;
	struct machine *m = &w->machines[slot];

	if (!arrives(w, slot) || m->death == DEATH_CRASH || m->death == DEATH_OFF)
		return true;
	if (m->death == DEATH_AGENT)
		return true;
	m->asked = w->now;
	answer_at(w, w->now + agent_delay(w, m), slot, token, WATCH_S_REPLY);
	return true;
}

static bool poll_request(void *arg, uint32_t slot, uint32_t token)
{
	struct world *w = arg;
	struct machine *m = &w->machines[slot];

	if (!arrives(w, slot) || m->death)
		return true;
	m->asked = w->now;
	int64_t at = w->now + agent_delay(w, m);
	world_event(w, at, EVENT_UPTIME, slot, 0, 0);
	answer_at(w, at, slot, token, WATCH_S_REPLY);
	return true;
}

static bool echo_request(void *arg, uint32_t slot, uint32_t token)
{
	struct world *w = arg;
	uint8_t death = w->machines[slot].death;

	if (arrives(w, slot) && death != DEATH_CRASH && death != DEATH_OFF)
		answer_at(w, w->now + STEP_MS, slot, token, WATCH_K_ECHO);
	return true;
}

static bool userland_request(void *arg, uint32_t slot, uint32_t token)
{
	struct world *w = arg;
	uint8_t death = w->machines[slot].death;

	if (!arrives(w, slot) || death == DEATH_CRASH || death == DEATH_OFF)
		return true;
	answer_at(w, w->now + STEP_MS, slot, token, WATCH_K_OTHER);
	answer_at(w, w->now + 3 * STEP_MS, slot, token, WATCH_U_BANNER);
	return true;
}

static void take_report(void *arg, const struct witness_report *r)
{
	struct world *w = arg;

	if (w->report_count == w->report_size) {
		w->report_size = w->report_size ? w->report_size * 2 : 1024;
		w->reports = realloc(w->reports, w->report_size * sizeof(*w->reports));
		if (!w->reports)
			abort();
	}
	w->reports[w->report_count++] = *r;
}

static void watch_suspends(void *arg, unsigned reasons, int64_t since)
{
	struct world *w = arg;

	(void)since;
	w->told_reasons = reasons;
	w->reasons_wait = true;
}

static void watch_lossy(void *arg, uint32_t domain, bool lossy)
{
	struct world *w = arg;

	judge_lossy(w->judge, domain, lossy, w->now);
}

/* --- what the judge asks ------------------------------------------------------------------------------------- */

static void ask_bmc(void *arg, uint32_t slot, enum bmc_question what)
{
	struct world *w = arg;
	double u = chance(w);

	w->tally.bmc_asks += what == BMC_ASK_POWER && w->machines[slot].died != 0;
	if (w->s->bmc_delay_s != 0) {
		if (w->s->bmc_delay_s > 0)
			world_event(w, w->now + (int64_t)(w->s->bmc_delay_s * 1000), EVENT_BMC, slot, 0, 0);
		return;
	}
	/* 2 % of sessions are lost, 1 % of requests take 0.5 to 1.5 s, the rest 30 ms */
	if (exchange_lost(w) || u < 0.02)
		return;
	world_event(w, w->now + (u < 0.03 ? 500 + (int64_t)(chance(w) * 1000) : 30), EVENT_BMC, slot, 0, 0);
}

static void ask_port(void *arg, uint32_t slot)
{
	struct world *w = arg;

	world_event(w, w->now + 320, EVENT_PORT, slot, 0, 0);
}

static void ask_reference(void *arg, uint32_t domain)
{
	struct world *w = arg;

	if (!exchange_lost(w))
		world_event(w, w->now + STEP_MS, EVENT_REFERENCE, domain, 0, 0);
}

static void send_message(struct world *w, bool hold, uint32_t domain)
{
	if (w->message_count < sizeof(w->messages) / sizeof(w->messages[0]))
		w->messages[w->message_count++] = (struct message){ hold, domain };
}

static void hold(void *arg, uint32_t domain)
{
	send_message(arg, true, domain);
}

static void release(void *arg, uint32_t domain)
{
	send_message(arg, false, domain);
}

static void probe(void *arg, uint32_t slot)
{
	(void)arg;
	(void)slot; /* watch polls a returning node by itself */
}

static void judge_suspends(void *arg, unsigned reasons, int64_t since)
{
	struct world *w = arg;

	(void)since;
	w->tally.suspended += reasons != 0;
	if (reasons && w->own_dark)
		span_add(&w->tally.suspended_after, (double)(w->now - w->own_from) / 1000);
}

static const struct watch_ops WATCH_OPS = {
	.send_heartbeat = agent_request,
	.send_poll = poll_request,
	.send_echo = echo_request,
	.send_get = agent_request,
	.ask_userland = userland_request,
	.report = take_report,
	.suspended = watch_suspends,
	.lossy = watch_lossy,
};

static const struct judge_ops JUDGE_OPS = {
	.ask_bmc = ask_bmc,
	.ask_port = ask_port,
	.ask_reference = ask_reference,
	.hold = hold,
	.release = release,
	.probe = probe,
	.verdict_changed = measure_verdict,
	.domain_changed = measure_domain,
	.closed = measure_closed,
	.suspended = judge_suspends,
};

/* --- one step -------------------------------------------------------------------------------------------------- */

static void answer_reference(struct world *w, uint32_t domain)
{
	/* domain 0 is the site, whose references stand behind the own link alone; the others are switches in order */
	bool dark = w->now < w->own_dark_until || (domain && w->now < w->switches[domain - 1].dark_until);

	if (!dark)
		judge_reference(w->judge, domain, true, w->now);
}

static void deliver(struct world *w, const struct event *e)
{
	struct machine *m = &w->machines[e->slot];
	bool off = m->death == DEATH_OFF;

	switch (e->kind) {
	case EVENT_ANSWER:
		if (!path_dark(w, e->slot))
			watch_answer(w->watch, e->slot, e->token, (enum watch_answer_kind)e->what, w->now);
		break;
	case EVENT_UPTIME:
		if (!path_dark(w, e->slot))
			judge_uptime(w->judge, e->slot, w->now - m->agent_started, w->now - m->booted, w->now);
		break;
	case EVENT_BMC:
		judge_bmc(w->judge, e->slot, off ? BMC_OFF : BMC_ON, w->now, w->now);
		break;
	case EVENT_PORT:
		if (w->now >= w->switches[m->small].dark_until && w->now >= w->own_dark_until)
			judge_port(w->judge, e->slot, off || w->now < m->dark_until ? PORT_DOWN : PORT_STILL, w->now);
		break;
	default:
		answer_reference(w, e->slot);
		break;
	}
}

/*
 * Answers that reach a standing process: so many fit into the socket, the rest is dropped and counted by the kernel. What other
 * roles say to a standing engine waits.
 */
static void deliver_late(struct world *w, const struct event *e)
{
	if (e->kind == EVENT_ANSWER) {
		if (!path_dark(w, e->slot) && w->kept++ < SOCKET_DATAGRAMS)
			world_event(w, w->stalled_until > w->collector_until ? w->stalled_until : w->collector_until, e->kind, e->slot, e->token, e->what);
	} else if (w->now >= w->stalled_until && e->kind == EVENT_BMC) {
		world_event(w, w->engine_until, e->kind, e->slot, e->token, e->what);
	}
}

static void deliver_near(struct world *w)
{
	uint32_t *head = &w->near[w->now / STEP_MS % NEAR_STEPS];
	bool stalled = w->now < w->stalled_until, collector = stalled || strike_collector(w), engine = stalled || strike_engine(w);

	while (*head != NO_EVENT) {
		uint32_t i = *head;
		struct event e = w->events[i];

		*head = e.next;
		w->events[i].next = w->event_free;
		w->event_free = i;
		if (e.kind == EVENT_ANSWER ? collector : engine || (collector && e.kind != EVENT_BMC))
			deliver_late(w, &e);
		else
			deliver(w, &e);
	}
}

static void pass_messages(struct world *w)
{
	for (uint32_t i = 0; i < w->report_count; i++) {
		struct witness_report r = w->reports[i];

		judge_report(w->judge, &r, w->now);
	}
	w->report_count = 0;
	for (uint32_t i = 0; i < w->message_count; i++) {
		if (w->messages[i].hold)
			watch_hold(w->watch, w->messages[i].domain, w->now);
		else
			watch_release(w->watch, w->messages[i].domain, w->now);
	}
	w->message_count = 0;
}

/* As the engine does once a second: a collector that has been quiet for 2 s is not heard. */
static void hear(struct world *w)
{
	if (!strike_collector(w))
		w->heard = w->now;
	if (w->now % 1000 == 0)
		judge_queue(w->judge, w->now - w->heard > 2000 ? w->now - w->heard : 0, true, w->now);
}

static void step(struct world *w)
{
	bool was_stalled = w->last_stall == w->now;

	happen(w);
	strike(w);
	deliver_near(w);
	if (w->now < w->stalled_until)
		return;
	if (!strike_collector(w)) {
		if (was_stalled || (w->s->strike == STRIKE_STOP && w->collector_until == w->now && w->kept > SOCKET_DATAGRAMS))
			watch_drops(w->watch, w->now);
		watch_tick(w->watch, w->now);
	}
	if (strike_engine(w))
		return;
	if (w->reasons_wait)
		judge_collector_suspended(w->judge, w->told_reasons, w->now);
	w->reasons_wait = false;
	hear(w);
	pass_messages(w);
	judge_tick(w->judge, w->now);
}

/* --- beginning and end -------------------------------------------------------------------------------------------- */

static void draw_machines(struct world *w)
{
	const struct scenario *s = w->s;
	uint32_t size = s->domain_members ? s->domain_members : SMALL_GROUP;

	for (uint32_t slot = 0; slot < s->nodes; slot++) {
		struct machine *m = &w->machines[slot];

		m->hash = (uint32_t)draw(w);
		m->small = (uint16_t)(slot / size);
		m->large = (uint16_t)(w->switches_small + slot / LARGE_GROUP);
		m->booted = m->agent_started = -86400000;
		m->slow = chance(w) < s->slow_share;
		m->late = !m->slow && chance(w) < s->late_share;
		m->verdict = VERDICT_UNKNOWN;
	}
}

void world_new_watch(struct world *w)
{
	struct watch_params p;
	int rc = 0;

	watch_free(w->watch);
	watch_params_default(&p);
	w->watch = watch_create(&p, &WATCH_OPS, w, w->s->nodes, 1 + w->switches_all, w->now);
	for (uint32_t slot = 0; w->watch && slot < w->s->nodes; slot++) {
		const struct machine *m = &w->machines[slot];
		struct watch_node n = { .generation = 1, .hash = m->hash, .poll_ms = 10000, .snmp = true, .echo = true, .userland = true,
					.ndomains = 3, .domains = { 1 + m->small, 1 + m->large, 0 } };

		rc |= watch_add(w->watch, slot, &n, w->now);
	}
	if (!w->watch || rc)
		abort();
}

void world_new_judge(struct world *w)
{
	struct judge_params p;
	int rc;

	judge_free(w->judge);
	judge_params_default(&p);
	w->judge = judge_create(&p, &JUDGE_OPS, w, w->s->nodes, 1 + w->switches_all, w->now);
	if (!w->judge)
		abort();
	rc = judge_domain_set(w->judge, 0, DOMAIN_SITE, 2);
	for (uint32_t i = 0; i < w->switches_all; i++)
		rc |= judge_domain_set(w->judge, 1 + i, i < w->switches_small ? DOMAIN_GROUP : DOMAIN_SWITCH, 1);
	for (uint32_t slot = 0; slot < w->s->nodes; slot++) {
		struct machine *m = &w->machines[slot];
		struct judge_node n = { .generation = 1, .bmc = true, .hash = m->hash, .ndomains = 3,
					.domains = { 1 + m->small, 1 + m->large, 0 } };

		rc |= judge_node_set(w->judge, slot, &n, w->now);
		m->verdict = VERDICT_UNKNOWN;
		m->certainty = CERTAINTY_NONE;
	}
	if (rc)
		abort();
}

void world_free(struct world *w)
{
	if (!w)
		return;
	watch_free(w->watch);
	judge_free(w->judge);
	for (int i = 0; i < DEATH_KINDS; i++) {
		free(w->tally.called[i].values);
		free(w->tally.cause[i].values);
	}
	free(w->tally.confirmed.values);
	free(w->tally.suspended_after.values);
	free(w->tally.called_after.values);
	free(w->tally.isolated_after.values);
	free(w->machines);
	free(w->repairs);
	free(w->switches);
	free(w->events);
	free(w->reports);
	free(w);
}

static struct world *world_create(const struct scenario *s, uint64_t seed)
{
	struct world *w = calloc(1, sizeof(*w));
	uint32_t size = s->domain_members ? s->domain_members : SMALL_GROUP;

	if (!w)
		return NULL;
	w->s = s;
	w->rng = seed * UINT64_C(0x2545f4914f6cdd1d);
	w->now = 1000000;
	w->exchange_lost = (uint64_t)((1 - (1 - s->loss) * (1 - s->loss)) * 18446744073709551615.0);
	w->switches_small = (s->nodes + size - 1) / size;
	w->switches_all = w->switches_small + (s->nodes + LARGE_GROUP - 1) / LARGE_GROUP;
	w->event_free = NO_EVENT;
	w->event_count = 4096;
	memset(w->near, 0xff, sizeof(w->near));
	w->machines = calloc(s->nodes, sizeof(*w->machines));
	w->switches = calloc(w->switches_all, sizeof(*w->switches));
	w->events = calloc(w->event_count, sizeof(*w->events));
	if (!w->machines || !w->switches || !w->events) {
		world_free(w);
		return NULL;
	}
	draw_machines(w);
	world_new_watch(w);
	world_new_judge(w);
	for (uint32_t i = 0; i < w->event_count; i++)
		w->events[i].next = i + 1 < w->event_count ? i + 1 : NO_EVENT;
	w->event_free = 0;
	return w;
}

struct world *world_run(const struct scenario *s, double hours, uint64_t seed)
{
	struct world *w = world_create(s, seed);

	if (!w)
		return NULL;
	w->end = w->now + (int64_t)(hours * 3600000);
	for (; w->now < w->end; w->now += STEP_MS)
		step(w);
	measure_end(w);
	return w;
}
