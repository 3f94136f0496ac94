/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The scheduler: who is asked what and when, judged w later, skipped when the loop was late (verdicts 4.1, 4.5).
 * Driven by the collector's SNMP and echo engine and by tests/sim; suspicion.c decides what the outcomes mean.
 */
#include "mibs/collector/watch.h"

#include <stdlib.h>
#include <string.h>

#include "mibs/collector/watch_node.h"

enum { LEARN_FAST_MS = 10000, USER_UNKNOWN_MS = 600000, USER_KNOWN_MS = 3600000, USER_MUTE_MS = 10000, USER_SPREAD_MS = 60000 };
enum { PERIOD_MS = 400, PERIOD_DENSE_MS = 200, PERIOD_DENSER_MS = 160, PERIOD_HELD_MS = 1200, DENSE_ABOVE = 13, DENSER_ABOVE = 26, LAST_CHANCE_MS = 20, MANY_FLAGGED = 100 };
enum { DUE_AT_ONCE = 32 };

void watch_params_default(struct watch_params *params)
{
	*params = (struct watch_params){
		.heartbeat_ms = 1000,
		.first_wait_ms = 200,
		.window_ms = 1600,
		.guard_max_ms = 6000,
		.agent_ms = 4000,
		.agent_probe_ms = 300,
		.userland_ms = 3000,
		.slow_ms = 1000,
		.answer_ms = 5000,
		.confirm_ms = 10000,
		.late_ms = 100,
		.stall_ms = 3000,
		.carrier_hold_ms = 2000,
		.echo_baseline_ms = 120000,
		.misses_max = 40,
		.flag_misses = 4,
		.return_beats = 3,
		.evidence = 27,
	};
}

struct watch *watch_create(const struct watch_params *params, const struct watch_ops *ops, void *arg, uint32_t max_nodes,
			   uint32_t max_domains, int64_t now)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->p = *params;
	w->ops = *ops;
	w->arg = arg;
	w->max_nodes = max_nodes;
	w->max_domains = max_domains;
	w->max_wait = params->first_wait_ms;
	w->due = now;
	w->node_room = calloc((size_t)max_nodes + 1, sizeof(*w->nodes));
	w->nodes = (void *)(((uintptr_t)w->node_room + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
	w->domains = calloc(max_domains ? max_domains : 1, sizeof(*w->domains));
	if (!w->node_room || !w->domains || wheel_init(&w->wheel, max_nodes, now) < 0) {
		watch_free(w);
		return NULL;
	}
	loss_init(w);
	return w;
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	wheel_free(&w->wheel);
	free(w->node_room);
	free(w->domains);
	free(w);
}

/* --- times ------------------------------------------------------------------------------------------ */

/* the first time after t that lies `phase` behind a multiple of the interval */
static int64_t slot_after(int64_t interval, int64_t phase, int64_t t)
{
	int64_t k = t < phase ? 0 : (t - phase) / interval + 1;

	return k * interval + phase;
}

/* the first heartbeat slot of the node after t */
static int64_t beat_after(const struct watch *w, const struct node *n, int64_t t)
{
	int64_t h = w->p.heartbeat_ms;

	return slot_after(h, (int64_t)(n->hash % (uint32_t)h) / WHEEL_SLOT_MS * WHEEL_SLOT_MS, t);
}

/* the node's own place in an interval, by other bits than those of its heartbeat */
static int64_t place_in(const struct node *n, int64_t interval)
{
	return (n->hash * UINT32_C(2654435761)) % interval;
}

static bool poll_slot(const struct watch *w, const struct node *n, int64_t t)
{
	/* other bits of the hash than those of the phase, or neighbours in phase would poll in the same second */
	uint32_t offset = (n->hash * UINT32_C(2654435761)) >> 12;

	return n->poll_beats && (uint32_t)(t / w->p.heartbeat_ms) % n->poll_beats == offset % n->poll_beats;
}

/* Everything the node waits for, into the wheel. */
static void schedule(struct watch *w, uint32_t slot, struct node *n, int64_t now)
{
	int64_t at = n->next_send;

	if (n->judged != n->seq) {
		struct probe *p = probe_of(w, slot, n->judged + 1);
		int64_t left = (int64_t)n->wait - probe_age(p, now);

		at = now + left < at ? now + left : at;
	}
	/* nobody is healthy enough to learn from while judgement is suspended */
	bool learns = n->phase == PHASE_UP && n->ever && !w->reasons;
	if (learns && n->next_learn < at)
		at = n->next_learn;
	if ((n->phase == PHASE_MUTE || learns) && n->may_user) {
		int64_t user = n->user_asked ? n->user_asked + w->p.userland_ms : n->next_user;

		at = user < at ? user : at;
	}
	wheel_set(&w->wheel, slot, at > now ? at : now + 1);
}

/* --- sending ---------------------------------------------------------------------------------------- */

static bool transmit(struct watch *w, uint32_t slot, enum probe_kind kind, uint32_t token)
{
	switch (kind) {
	case PROBE_BEAT:
		w->stats.heartbeats++;
		return w->ops.send_heartbeat(w->arg, slot, token);
	case PROBE_POLL:
		w->stats.polls++;
		return w->ops.send_poll(w->arg, slot, token);
	case PROBE_ECHO:
		w->stats.echoes++;
		return w->ops.send_echo(w->arg, slot, token);
	case PROBE_GET:
		w->stats.gets++;
		return w->ops.send_get(w->arg, slot, token);
	default:
		w->stats.userland++;
		return w->ops.ask_userland(w->arg, slot, token);
	}
}

static uint32_t send_probe(struct watch *w, uint32_t slot, struct node *n, enum probe_kind kind, unsigned bits, int64_t now)
{
	if (w->no_carrier)
		return 0;
	if (++n->seq == 0)
		n->seq = n->judged = 1;
	/* the ring holds more than any wait lets stand open; should a node fill it, the oldest is given up */
	if (n->seq - n->judged >= PROBES)
		n->judged = n->seq - PROBES + 1;
	struct probe *p = probe_of(w, slot, n->seq);
	*p = (struct probe){ .sent = (uint32_t)now, .kind = (uint8_t)kind, .bits = (uint8_t)bits };
	uint32_t token = n->seq;
	if (!transmit(w, slot, kind, token))
		p->bits |= PROBE_VOID;
	return token;
}

static bool echo_possible(const struct node *n)
{
	return n->may_echo && !n->echo_filtered;
}

static bool user_possible(const struct node *n)
{
	return n->may_user && n->user_passes && !n->user_na;
}

static void note_poll(struct watch *w, uint32_t slot, struct node *n, int64_t now)
{
	if (!n->poll_token) {
		n->retried = false;
		return;
	}
	/* the poll before was never answered, small requests were: this node's large replies are lost */
	if (n->poll_lost < UINT8_MAX && ++n->poll_lost == 3 && n->phase == PHASE_UP) {
		n->large_lost = true;
		node_report(w, slot, n, WITNESS_S, STATE_LATE, 0, now);
	}
}

static void send_beat(struct watch *w, uint32_t slot, struct node *n, int64_t now)
{
	int64_t at = n->next_send;

	n->next_beat = n->next_send = beat_after(w, n, now);
	if (now - at > (int64_t)w->p.late_ms) {
		w->stats.skipped++;
		/* a poll that was due comes with the next beat, not an interval later; after a stall all would come at once */
		for (int64_t t = at; t <= now && now - at <= (int64_t)w->p.stall_ms; t += w->p.heartbeat_ms)
			n->poll_now |= poll_slot(w, n, t);
		return;
	}
	bool retry = n->poll_token && !n->retried && !n->slow && n->phase == PHASE_UP;
	if (!n->has_snmp) {
		send_probe(w, slot, n, PROBE_ECHO, 0, now);
	} else if (n->poll_beats && (n->poll_now || retry || poll_slot(w, n, at))) {
		bool fresh = !retry || n->poll_now;

		if (fresh)
			note_poll(w, slot, n, now);
		n->retried = !fresh;
		n->poll_now = false;
		n->poll_token = send_probe(w, slot, n, PROBE_POLL, 0, now);
		/* refused, as by a full window: it comes with the next beat, not an interval later */
		if (n->poll_token && probe_of(w, slot, n->poll_token)->bits & PROBE_VOID) {
			n->poll_token = 0;
			n->poll_now = true;
		}
	} else {
		send_probe(w, slot, n, PROBE_BEAT, 0, now);
	}
}

/* What goes out at one step of a schedule, and how long until the next. */
struct step {
	enum probe_kind kind;
	uint32_t gap;
};

static struct step path_step(const struct watch *w, const struct node *n)
{
	uint32_t period = n->needed > DENSER_ABOVE ? PERIOD_DENSER_MS : n->needed > DENSE_ABOVE ? PERIOD_DENSE_MS : PERIOD_MS;
	unsigned third = n->step % 3;

	bool many = w->flagged > MANY_FLAGGED && w->flagged * 10 > w->known;

	/* a held domain's members are asked less, and so is everyone when a tenth of the site is flagged: it may become half of it */
	if (n->held || (many && n->flagged))
		period = PERIOD_HELD_MS;
	struct step s = { third == 1 ? PROBE_GET : PROBE_ECHO, third == 2 ? period / 2 : period / 4 };

	/* with a silent agent requests prove nothing about the kernel: a few of them, to see it return */
	if (n->mute && third == 1)
		s.kind = n->step % 6 == 1 ? PROBE_GET : PROBE_ECHO;
	if (n->mute && n->step % 6 == 3 && user_possible(n))
		s.kind = PROBE_USER;
	if (s.kind == PROBE_ECHO && !echo_possible(n))
		s.kind = user_possible(n) && (n->mute ? third != 2 : n->step % 6 == 0) ? PROBE_USER : PROBE_GET;
	if (s.kind == PROBE_GET && !n->has_snmp)
		s.kind = PROBE_ECHO;
	return s;
}

static struct step agent_step(const struct watch *w, const struct node *n)
{
	uint32_t gap = n->slow ? w->p.slow_ms : w->p.agent_probe_ms;
	/* GET at 0, 1, 2 of three gaps, an echo between the first two */
	struct step s = { n->step % 4 == 1 ? PROBE_ECHO : PROBE_GET, n->step % 4 < 2 ? gap / 2 : gap };

	if (s.kind == PROBE_ECHO && !echo_possible(n))
		s.kind = user_possible(n) && n->step % 16 == 1 ? PROBE_USER : PROBE_GET;
	return s;
}

static struct step dark_step(const struct watch *w, const struct node *n, int64_t now)
{
	uint32_t h = w->p.heartbeat_ms;
	struct step s = { n->step % 2 ? PROBE_ECHO : PROBE_GET, h / 2 };

	if (n->first && now - n->first > (int64_t)w->p.confirm_ms)
		s = (struct step){ n->step % 11 == 10 ? PROBE_ECHO : PROBE_GET, n->step % 11 < 9 ? h : h / 2 };
	if (s.kind == PROBE_ECHO && !echo_possible(n))
		s.kind = PROBE_GET;
	if (!n->has_snmp)
		s.kind = PROBE_ECHO;
	return s;
}

static struct step mute_step(const struct watch *w, const struct node *n)
{
	struct step s = { n->step % 2 ? PROBE_ECHO : PROBE_GET, w->p.heartbeat_ms / 2 };

	if (s.kind == PROBE_ECHO && !echo_possible(n))
		s.kind = n->step % 6 == 1 ? PROBE_USER : PROBE_GET;
	return s;
}

static void send_step(struct watch *w, uint32_t slot, struct node *n, int64_t now)
{
	struct step s;

	n->held = node_held(w, n);
	if (n->phase == PHASE_PATH)
		s = path_step(w, n);
	else if (n->phase == PHASE_AGENT)
		s = agent_step(w, n);
	else if (n->phase == PHASE_MUTE)
		s = mute_step(w, n);
	else
		s = dark_step(w, n, now);
	n->step = n->step == 131 ? 0 : n->step + 1; /* 132 = a multiple of every period above */
	n->next_send = now + s.gap;
	/* one probe just before the call is due: a spell that ends in the last moment must not be called */
	int64_t last = n->first + n->wait + n->window - LAST_CHANCE_MS;
	if (n->phase == PHASE_PATH && n->first && now < last && n->next_send > last)
		n->next_send = last;
	n->next_beat = beat_after(w, n, now);
	send_probe(w, slot, n, s.kind, 0, now);
}

/* When the next baseline is due; those of many nodes must not come together, so each has a place in the interval. */
static int64_t learn_after(const struct watch *w, const struct node *n, int64_t now)
{
	bool settled = n->learn_lost == 0 && n->echo_passes;
	int64_t interval = w->p.echo_baseline_ms;

	if (!n->may_echo)
		return INT64_MAX;
	return settled || n->echo_filtered ? slot_after(interval, place_in(n, interval), now + interval / 2) : now + LEARN_FAST_MS;
}

/* What fell due through a stall, or while its node was dark, is not caught up at once: it would be a burst when there are many. */
static void put_off(const struct watch *w, const struct node *n, int64_t *due, int64_t spread, int64_t now)
{
	if (now - *due > (int64_t)w->p.late_ms)
		*due = now + 1 + place_in(n, spread);
}

/* Echo and banner of a healthy node now and then: what is filtered must be known before it is needed. */
static void learn(struct watch *w, uint32_t slot, struct node *n, int64_t now)
{
	put_off(w, n, &n->next_learn, LEARN_FAST_MS, now);
	if (!n->user_asked)
		put_off(w, n, &n->next_user, n->user_seen ? USER_SPREAD_MS : LEARN_FAST_MS, now);
	if (now >= n->next_learn) {
		n->next_learn = learn_after(w, n, now);
		if (n->may_echo && n->has_snmp && send_probe(w, slot, n, PROBE_ECHO, PROBE_LEARN, now))
			w->stats.baselines++;
	}
	if (n->may_user && !n->user_asked && now >= n->next_user) {
		n->next_user = now + (n->user_seen ? USER_KNOWN_MS : USER_UNKNOWN_MS);
		n->user_asked = now;
		n->user_accepted = false;
		if (send_probe(w, slot, n, PROBE_USER, PROBE_LEARN, now))
			w->stats.baselines++;
	}
}

static void ask_mute(struct watch *w, uint32_t slot, struct node *n, int64_t now)
{
	if (!n->may_user || n->user_asked || now < n->next_user)
		return;
	n->next_user = now + USER_MUTE_MS;
	n->user_asked = now;
	n->user_accepted = false;
	send_probe(w, slot, n, PROBE_USER, PROBE_LEARN, now);
}

/* --- judging ---------------------------------------------------------------------------------------- */

static void judge_probes(struct watch *w, uint32_t slot, struct node *n, int64_t now)
{
	while (n->judged != n->seq) {
		struct probe *p = probe_of(w, slot, n->judged + 1);
		int64_t age = probe_age(p, now);

		if (age < (int64_t)n->wait)
			return;
		n->judged++;
		if (p->bits & PROBE_VOID || now - age < w->void_before)
			continue;
		if (p->bits & PROBE_LEARN) {
			suspect_learned(w, slot, n, p, p->bits & PROBE_KERNEL, now);
		} else if (p->bits & PROBE_ANSWERED) {
			if ((n->phase == PHASE_UP || n->phase == PHASE_RETURN) && probe_regular(n, p))
				loss_count(w, n, false, now);
		} else {
			suspect_missed(w, slot, n, p, now);
		}
	}
}

static bool must_restart(const struct watch *w, const struct node *n)
{
	if (n->phase != PHASE_PATH && n->phase != PHASE_AGENT && !(n->phase == PHASE_DARK && !n->called))
		return false;
	if (n->epoch != w->epoch)
		return true;
	/* the last hold counts: until then nothing could have been called */
	if (node_held(w, n))
		return false;
	for (unsigned i = 0; i < n->ndomains; i++)
		if (w->domains[n->domains[i]].released >= n->restarted)
			return true;
	return false;
}

static void handle(struct watch *w, uint32_t slot, int64_t now)
{
	struct node *n = &w->nodes[slot];

	if (n->phase == PHASE_NONE)
		return;
	if (must_restart(w, n))
		suspect_restart(w, slot, n, now);
	judge_probes(w, slot, n, now);
	if (n->user_asked && now - n->user_asked >= (int64_t)w->p.userland_ms)
		suspect_userland(w, slot, n, now);
	if (now >= n->next_send) {
		if (n->phase == PHASE_UP || n->phase == PHASE_RETURN)
			send_beat(w, slot, n, now);
		else
			send_step(w, slot, n, now);
	}
	if (n->phase == PHASE_UP && n->ever && !w->reasons)
		learn(w, slot, n, now);
	if (n->phase == PHASE_MUTE)
		ask_mute(w, slot, n, now);
	schedule(w, slot, n, now);
}

/* --- the judge watches itself ------------------------------------------------------------------------ */

static void set_reasons(struct watch *w, unsigned reasons, int64_t now)
{
	if (reasons == w->reasons)
		return;
	if (!w->reasons)
		w->suspended_since = now;
	w->reasons = reasons;
	w->ops.suspended(w->arg, reasons, w->suspended_since);
}

/* Outstanding probes are void; suspicions begin again when their node's turn comes. */
static void disturb(struct watch *w, int64_t now)
{
	w->stats.disturbed++;
	w->epoch++;
	w->void_before = now;
	if (w->reasons & SUSPEND_STALL)
		w->punctual_at = now + w->p.heartbeat_ms + w->max_wait + w->p.late_ms;
}

static void stalled(struct watch *w, int64_t now)
{
	set_reasons(w, w->reasons | SUSPEND_STALL, now);
	disturb(w, now);
}

void watch_drops(struct watch *w, int64_t now)
{
	disturb(w, now);
}

void watch_resumed(struct watch *w, int64_t now)
{
	stalled(w, now);
}

/* The suspension outlives the return of the carrier by the hold: nothing is called meanwhile. */
void watch_carrier(struct watch *w, bool up, int64_t now)
{
	if (up == !w->no_carrier)
		return;
	w->no_carrier = !up;
	w->carrier_at = up ? now + w->p.carrier_hold_ms : INT64_MAX;
	disturb(w, now);
	set_reasons(w, w->reasons | SUSPEND_CARRIER, now);
}

static void end_suspension(struct watch *w, int64_t now)
{
	unsigned reasons = w->reasons;

	if (reasons & SUSPEND_STALL && now >= w->punctual_at)
		reasons &= ~(unsigned)SUSPEND_STALL;
	if (reasons & SUSPEND_CARRIER && now >= w->carrier_at)
		reasons &= ~(unsigned)SUSPEND_CARRIER;
	set_reasons(w, reasons, now);
}

/* Some of the nodes whose turn has come. At 10,000 nodes most of the cost is waiting for memory: all of theirs is asked for at once. */
static unsigned take_due(struct watch *w, uint32_t slots[DUE_AT_ONCE], int64_t now)
{
	unsigned count = 0;

	while (count < DUE_AT_ONCE && (slots[count] = wheel_take(&w->wheel, now)) != WHEEL_NONE) {
		node_fetch(&w->nodes[slots[count]]);
		if (w->ops.ahead)
			w->ops.ahead(w->arg, slots[count], false);
		count++;
	}
	for (unsigned i = 0; i < count; i++) {
		__builtin_prefetch(probe_of(w, slots[i], w->nodes[slots[i]].seq + 1), 1);
		if (w->ops.ahead)
			w->ops.ahead(w->arg, slots[i], true);
	}
	return count;
}

int64_t watch_tick(struct watch *w, int64_t now)
{
	uint32_t slots[DUE_AT_ONCE];
	unsigned count;

	if (now - w->due > (int64_t)w->p.stall_ms)
		stalled(w, now);
	else if (now - w->due > (int64_t)w->p.late_ms)
		disturb(w, now);
	end_suspension(w, now);
	while ((count = take_due(w, slots, now)) > 0)
		for (unsigned i = 0; i < count; i++)
			handle(w, slots[i], now);
	w->due = wheel_next(&w->wheel);
	/* without nodes nothing is due, but suspensions end and lateness is noticed all the same */
	if (w->due - now > (int64_t)w->p.late_ms)
		w->due = now + w->p.late_ms;
	return w->due;
}

/* --- nodes ------------------------------------------------------------------------------------------ */

static bool valid(const struct watch *w, uint32_t slot, const struct watch_node *c)
{
	if (slot >= w->max_nodes || c->ndomains > NODE_DOMAINS || c->poll_ms % w->p.heartbeat_ms || c->first_wait_ms > UINT16_MAX)
		return false;
	for (unsigned i = 0; i < c->ndomains; i++)
		if (c->domains[i] >= w->max_domains)
			return false;
	return true;
}

static void configure(struct watch *w, struct node *n, const struct watch_node *c)
{
	n->generation = c->generation;
	n->hash = c->hash;
	n->poll_beats = c->snmp ? c->poll_ms / w->p.heartbeat_ms : 0;
	n->wait = c->first_wait_ms ? c->first_wait_ms : w->p.first_wait_ms;
	n->has_snmp = c->snmp;
	n->may_echo = c->echo || !c->snmp;
	n->may_user = c->userland;
	n->ndomains = c->ndomains;
	memcpy(n->domains, c->domains, sizeof(n->domains));
	if (n->wait > w->max_wait)
		w->max_wait = n->wait;
}

int watch_add(struct watch *w, uint32_t slot, const struct watch_node *c, int64_t now)
{
	if (!valid(w, slot, c))
		return -1;
	struct node *n = &w->nodes[slot];
	w->known += n->phase == PHASE_NONE;
	if (n->phase == PHASE_NONE || n->generation != c->generation) {
		suspect_forget(w, n);
		*n = (struct node){
			.phase = PHASE_UP,
			/* the bits of the hash that make tokens of a reused slot differ from those of its former node */
			.seq = (c->hash ^ c->generation * UINT32_C(2246822519)) >> 1 | 1,
			.s = c->snmp ? STATE_PEND : STATE_NA,
			.k = STATE_PEND,
			.u = STATE_NA,
			.since = now,
			.next_learn = now + 1000 + c->hash % LEARN_FAST_MS,
			.next_user = now + 2000 + (c->hash >> 8) % USER_SPREAD_MS,
			.poll_now = c->poll_ms != 0,
			.epoch = w->epoch,
		};
		n->judged = n->seq;
	}
	if (n->has_snmp != c->snmp) { /* a credential came or went: the first answer under the new rules is reported */
		n->ever = false;
		n->s = c->snmp ? STATE_PEND : STATE_NA;
	}
	configure(w, n, c);
	n->next_beat = beat_after(w, n, now);
	if (n->phase == PHASE_UP || n->phase == PHASE_RETURN)
		n->next_send = n->next_beat;
	schedule(w, slot, n, now);
	return 0;
}

int watch_change(struct watch *w, uint32_t slot, const struct watch_node *c, int64_t now)
{
	return watch_add(w, slot, c, now);
}

void watch_remove(struct watch *w, uint32_t slot)
{
	if (slot >= w->max_nodes)
		return;
	wheel_cancel(&w->wheel, slot);
	w->known -= w->nodes[slot].phase != PHASE_NONE;
	suspect_forget(w, &w->nodes[slot]);
	w->nodes[slot].phase = PHASE_NONE;
}

void watch_probe(struct watch *w, uint32_t slot, int64_t now)
{
	if (slot >= w->max_nodes || w->nodes[slot].phase == PHASE_NONE || !w->nodes[slot].poll_beats)
		return;
	struct node *n = &w->nodes[slot];
	n->poll_now = true;
	if (n->phase == PHASE_UP || n->phase == PHASE_RETURN)
		n->next_send = now + 1;
	schedule(w, slot, n, now);
}

/* --- answers ---------------------------------------------------------------------------------------- */

static bool fits(const struct probe *p, enum watch_answer_kind kind)
{
	switch (kind) {
	case WATCH_S_REPLY:
	case WATCH_S_REPORT:
	case WATCH_S_REFUSED:
	case WATCH_S_FROZEN:
		return p->kind == PROBE_BEAT || p->kind == PROBE_POLL || p->kind == PROBE_GET;
	case WATCH_K_ECHO:
		return p->kind == PROBE_ECHO;
	case WATCH_K_OTHER:
		return p->kind != PROBE_NONE;
	case WATCH_U_BANNER:
	case WATCH_U_REFUSED:
		return p->kind == PROBE_USER;
	}
	return false;
}

void watch_ahead(const struct watch *w, uint32_t slot, uint32_t token)
{
	if (slot >= w->max_nodes)
		return;
	if (token) {
		__builtin_prefetch(&w->nodes[slot].probes[token & (PROBES - 1)], 1);
		return;
	}
	node_fetch(&w->nodes[slot]);
	__builtin_prefetch(&w->wheel.links[slot], 1);
}

void watch_answer(struct watch *w, uint32_t slot, uint32_t token, enum watch_answer_kind kind, int64_t now)
{
	struct node *n = slot < w->max_nodes ? &w->nodes[slot] : NULL;

	if (!n || n->phase == PHASE_NONE || !token || n->seq - token >= PROBES) {
		w->stats.stale++;
		return;
	}
	struct probe *p = probe_of(w, slot, token);
	int64_t age = probe_age(p, now);
	if (!fits(p, kind) || p->bits & PROBE_VOID || age > (int64_t)w->p.answer_ms) {
		w->stats.stale++;
		return;
	}
	enum phase before = n->phase;
	/* an answer that waited in the socket while the loop stood still is not the node's lateness */
	w->late_now = now - w->due > (int64_t)w->p.late_ms || now - age < w->void_before;
	w->stats.answers++;
	w->stats.late += age > (int64_t)w->p.slow_ms && !w->late_now;
	if (p->kind == PROBE_POLL && (kind == WATCH_S_REPLY || kind == WATCH_S_REPORT)) {
		n->poll_lost = 0;
		if (token == n->poll_token)
			n->poll_token = 0;
		n->large_lost = false;
	}
	suspect_answered(w, slot, n, p, kind, now);
	if (n->phase != before) {
		schedule(w, slot, n, now);
	} else if (n->phase == PHASE_UP && token == n->seq && n->seq - n->judged == 1 && p->bits & PROBE_ANSWERED && probe_regular(n, p)) {
		/* the ordinary case is closed while it is in the cache: no look w later */
		n->judged = n->seq;
		loss_count(w, n, false, now);
		schedule(w, slot, n, now);
	}
}

/* --- domains ---------------------------------------------------------------------------------------- */

void watch_hold(struct watch *w, uint32_t domain, int64_t now)
{
	(void)now;
	if (domain < w->max_domains)
		w->domains[domain].held = true;
}

void watch_release(struct watch *w, uint32_t domain, int64_t now)
{
	if (domain >= w->max_domains || !w->domains[domain].held)
		return;
	w->domains[domain].held = false;
	w->domains[domain].released = now;
}

unsigned watch_suspended(const struct watch *w)
{
	return w->reasons;
}

void watch_view(const struct watch *w, uint32_t slot, struct watch_view *view)
{
	*view = (struct watch_view){ 0 };
	if (slot >= w->max_nodes || w->nodes[slot].phase == PHASE_NONE)
		return;
	const struct node *n = &w->nodes[slot];
	*view = (struct watch_view){
		.known = true,
		.s = n->s,
		.k = n->k,
		.u = n->u,
		.misses = n->misses,
		.needed = n->needed,
		.flagged = n->flagged,
		.enough = n->phase == PHASE_DARK || n->phase == PHASE_MUTE,
		.held = node_held(w, n),
		.echo_passes = n->echo_passes,
		.userland_seen = n->user_seen,
		.window_ms = n->window,
		.loss = n->loss,
		.group_loss = n->ndomains ? loss_of_group(w, n->domains[0], w->due, 10) : 0,
		.first = n->first,
		.last = n->last,
	};
}

const struct watch_stats *watch_stats(const struct watch *w)
{
	return &w->stats;
}
