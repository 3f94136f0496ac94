/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One node's suspicion (verdicts 4.2): what a missed or an answered probe means, and what the engine is told.
 * Called by watch.c, which sends and judges the probes.
 */
#include "mibs/collector/watch_node.h"

enum { KERNEL_DARK_MS = 600, SIX_MISSES = 6, RECHECK_SECONDS = 3, COMEBACKS_MANY = 4, PROMPT_ANSWERS = 3 };

bool node_held(const struct watch *w, const struct node *n)
{
	for (unsigned i = 0; i < n->ndomains; i++)
		if (w->domains[n->domains[i]].held)
			return true;
	return false;
}

/* Nothing but the agent can be asked: its silence is then the only sign there is. */
bool node_kernel_na(const struct node *n)
{
	bool echo = n->may_echo && !n->echo_filtered;

	return !echo && !(n->may_user && n->user_passes && !n->user_na);
}

static void tell(struct watch *w, uint32_t slot, struct node *n, enum witness which, enum witness_state state, unsigned flags,
		 int64_t now)
{
	struct witness_report r = {
		.slot = slot,
		.generation = n->generation,
		.witness = (uint8_t)which,
		.state = (uint8_t)state,
		.flags = (uint8_t)(flags | (n->flagged ? WITNESS_FLAGGED : 0) | (n->large_lost ? WITNESS_LARGE_LOST : 0) |
				   (n->frozen ? WITNESS_FROZEN : 0) |
				   (node_held(w, n) ? WITNESS_HELD : 0)),
		.misses = n->misses,
		.needed = n->needed,
		.at = now,
		.since = n->since,
		.first = n->first,
		.last = n->last,
	};

	w->ops.report(w->arg, &r);
}

void node_report(struct watch *w, uint32_t slot, struct node *n, enum witness which, enum witness_state state, unsigned flags,
		 int64_t now)
{
	uint8_t *known = which == WITNESS_S ? &n->s : which == WITNESS_K ? &n->k : &n->u;

	if (*known != state)
		n->since = now;
	*known = (uint8_t)state;
	/* what one report implies about the other witnesses (witness.h) */
	if (which == WITNESS_K && state == STATE_SILENT && n->has_snmp)
		n->s = STATE_SILENT;
	if (which == WITNESS_K && state == STATE_ANS && n->has_snmp)
		n->s = STATE_PEND;
	if (which == WITNESS_S && (state == STATE_ANS || state == STATE_LATE || state == STATE_REFUSED || flags & WITNESS_RETURNING))
		n->k = node_kernel_na(n) ? STATE_NA : STATE_ANS;
	tell(w, slot, n, which, state, flags, now);
}

/* The witness whose darkness this suspicion is about. */
static enum witness dark_witness(const struct node *n)
{
	return node_kernel_na(n) ? WITNESS_S : WITNESS_K;
}

static void set_flag(struct watch *w, struct node *n, bool flagged)
{
	w->flagged += (uint32_t)flagged - (uint32_t)n->flagged;
	n->flagged = flagged;
}

/* Flagged, and answers after all. */
static void come_back(struct watch *w, struct node *n, int64_t now)
{
	if (n->flagged)
		loss_come_back(w, n, now);
	set_flag(w, n, false);
}

void suspect_forget(struct watch *w, struct node *n)
{
	set_flag(w, n, false);
}

static void begin(struct watch *w, struct node *n, int64_t now)
{
	n->phase = PHASE_PATH;
	n->misses = 0;
	n->first = 0;
	n->agent_first = 0;
	n->agent_misses = 0;
	set_flag(w, n, false);
	n->six = n->tainted = n->mute = false;
	n->needed = loss_needed(w, loss_of_node(w, n, now));
	n->window = guard_window(w, n, now);
	n->restarted = now;
	n->epoch = w->epoch;
	n->step = 0;
	n->next_send = now;
	w->stats.suspicions++;
}

/* The kernel lives, the agent is asked on; its clock starts anew when the kernel was dark for longer than a lost echo or two. */
static void kernel_lives(struct watch *w, uint32_t slot, struct node *n, int64_t now)
{
	int64_t dark = n->first ? now - n->first : 0;
	bool told = n->k != STATE_ANS;

	if (!n->tainted && !node_held(w, n))
		guard_learn(w, n, dark, now);
	if (dark >= KERNEL_DARK_MS || !n->agent_first) {
		n->agent_first = now;
		n->agent_misses = 0;
		n->settled = false;
	}
	/* an agent that was proved silent stays so over a lost echo */
	n->phase = n->settled ? PHASE_MUTE : PHASE_AGENT;
	n->misses = 0;
	n->first = 0;
	come_back(w, n, now);
	n->six = false;
	n->step = 0;
	n->next_send = now;
	if (told)
		node_report(w, slot, n, WITNESS_K, STATE_ANS, 0, now);
}

static void go_up(struct watch *w, uint32_t slot, struct node *n, int64_t now)
{
	enum witness_state state = n->slow || n->large_lost ? STATE_LATE : STATE_ANS;
	/* a poll slot passed unused: the sample, and the up-times in it, are wanted at the next heartbeat */
	bool poll = n->phase != PHASE_UP && n->phase != PHASE_RETURN && now - n->restarted > (int64_t)w->p.heartbeat_ms;

	n->phase = PHASE_UP;
	n->next_send = n->next_beat;
	n->settled = false;
	n->poll_now |= poll && n->poll_beats && n->ever;
	n->misses = 0;
	n->first = 0;
	n->agent_first = 0;
	come_back(w, n, now);
	n->six = n->called = false;
	n->ever = true;
	n->user_asked = 0;
	if (!n->has_snmp) {
		if (n->k != STATE_ANS)
			node_report(w, slot, n, WITNESS_K, STATE_ANS, 0, now);
	} else if (n->s != state || n->k == STATE_PEND || n->k == STATE_SILENT) {
		node_report(w, slot, n, WITNESS_S, state, 0, now);
	}
}

static void go_return(struct watch *w, uint32_t slot, struct node *n, int64_t now)
{
	int64_t dark = n->first ? now - n->first : 0;

	if (!n->tainted && !node_held(w, n))
		guard_learn(w, n, dark, now);
	n->phase = PHASE_RETURN;
	n->next_send = n->next_beat;
	n->settled = false;
	n->beats = 0;
	n->misses = 0;
	come_back(w, n, now);
	n->six = false;
	n->poll_now = n->poll_beats != 0;
	n->user_asked = 0;
	if (n->has_snmp)
		node_report(w, slot, n, WITNESS_S, STATE_PEND, WITNESS_RETURNING, now);
	else
		node_report(w, slot, n, WITNESS_K, STATE_PEND, WITNESS_RETURNING, now);
	n->first = 0;
	n->called = true;
}

enum { PACE_UP_MS = 3, PACE_MOST_MS = 200, PACE_PROMPT_MS = 15 };

/*
 * How quick is this agent? Up by 3, down by 1 comes to rest where three of four answers are quicker: neither a pause nor answers
 * that were overtaken on the way make an agent slow.
 */
static void note_pace(struct node *n, int64_t age)
{
	if (age > n->pace)
		n->pace = n->pace + PACE_UP_MS < PACE_MOST_MS ? (uint8_t)(n->pace + PACE_UP_MS) : PACE_MOST_MS;
	else if (n->pace)
		n->pace--;
}

/*
 * When the dark spell may have begun at the latest, by the loss of a request of the agent alone: its answer is under way for
 * as long as this agent takes, and nothing has asked the kernel yet.
 */
static int64_t dark_since(const struct watch *w, const struct node *n, int64_t sent)
{
	int64_t most = n->wait < w->p.first_wait_ms ? n->wait : w->p.first_wait_ms, pace = 2 * n->pace;

	if (!n->has_snmp || n->pace <= PACE_PROMPT_MS)
		return sent;
	return sent + (pace < most ? pace : most);
}

enum { LATE_AGAIN_MIN_MS = 500, LATE_AGAIN_MAX_MS = 5000, MANY_MISSES = 13 };

static void note_slowness(struct watch *w, uint32_t slot, struct node *n, bool late, int64_t now)
{
	if (late) {
		n->prompt = 0;
		if (n->slow)
			return;
		/* one pause delays all that was asked in it: slow is who is late again, half a second after, within a few */
		if (!n->late_at || now - n->late_at > LATE_AGAIN_MAX_MS)
			n->late_at = now;
		if (now - n->late_at < LATE_AGAIN_MIN_MS)
			return;
		n->slow = true;
		n->late_at = 0;
	} else {
		if (!n->slow || ++n->prompt < PROMPT_ANSWERS)
			return;
		n->slow = false;
	}
	if (n->phase == PHASE_UP)
		go_up(w, slot, n, now);
}

/* An answer of the agent (of the kernel, where there is no agent). */
static void main_answer(struct watch *w, uint32_t slot, struct node *n, struct probe *p, bool again, bool late, int64_t now)
{
	bool beat = p->kind == PROBE_BEAT || p->kind == PROBE_POLL || !n->has_snmp;

	switch (n->phase) {
	case PHASE_UP:
		if (!n->ever || (n->s == STATE_LATE && !n->slow && !n->large_lost))
			go_up(w, slot, n, now);
		break;
	case PHASE_PATH:
	case PHASE_AGENT:
		if (!n->tainted && !node_held(w, n) && n->first)
			guard_learn(w, n, now - n->first, now);
		if (n->called)
			go_return(w, slot, n, now);
		else
			go_up(w, slot, n, now);
		break;
	case PHASE_DARK:
	case PHASE_MUTE:
		if (n->called || n->phase == PHASE_MUTE)
			go_return(w, slot, n, now);
		else
			go_up(w, slot, n, now);
		break;
	case PHASE_RETURN:
		if (beat && !again && ++n->beats >= w->p.return_beats)
			go_up(w, slot, n, now);
		break;
	default:
		return;
	}
	if (n->has_snmp && !w->late_now)
		note_slowness(w, slot, n, late, now);
}

static void kernel_answer(struct watch *w, uint32_t slot, struct node *n, int64_t now)
{
	switch (n->phase) {
	case PHASE_PATH:
	case PHASE_DARK:
		kernel_lives(w, slot, n, now);
		break;
	case PHASE_UP:
		/* echo of a node whose agent has never answered: heartbeats decide, nothing to do */
	default:
		break;
	}
}

static void learn_echo(struct watch *w, uint32_t slot, struct node *n, int64_t now)
{
	bool was = node_kernel_na(n);

	n->echo_passes = true;
	n->echo_filtered = false;
	n->learn_lost = 0;
	if (was && n->phase == PHASE_UP && n->ever)
		node_report(w, slot, n, WITNESS_S, n->s, 0, now);
}

static void learn_user(struct watch *w, uint32_t slot, struct node *n, enum watch_answer_kind kind, int64_t now)
{
	n->user_passes = true;
	n->user_na = false;
	n->user_lost = 0;
	if (kind == WATCH_U_BANNER)
		n->user_mute = 0;
	if (kind == WATCH_U_BANNER)
		n->user_seen = true;
	if (kind == WATCH_K_OTHER)
		n->user_accepted = true;
	if (kind == WATCH_K_OTHER || !n->user_asked)
		return;
	n->user_asked = 0;
	if (n->phase == PHASE_MUTE)
		node_report(w, slot, n, WITNESS_U, kind == WATCH_U_BANNER ? STATE_ANS : STATE_NA, 0, now);
}

void suspect_answered(struct watch *w, uint32_t slot, struct node *n, struct probe *p, enum watch_answer_kind kind, int64_t now)
{
	bool agent = kind == WATCH_S_REPLY || kind == WATCH_S_REPORT;
	bool again = p->bits & PROBE_ANSWERED;
	int64_t age = probe_age(p, now);

	n->last = now;
	p->bits |= PROBE_KERNEL;
	if (agent || kind == WATCH_S_FROZEN || kind == WATCH_S_REFUSED)
		n->frozen = kind == WATCH_S_FROZEN;
	if (agent || kind == WATCH_S_REFUSED)
		n->refused = kind == WATCH_S_REFUSED;
	if (agent || p->kind == PROBE_ECHO || p->kind == PROBE_USER)
		p->bits |= PROBE_ANSWERED;
	if (kind == WATCH_K_ECHO)
		learn_echo(w, slot, n, now);
	if (p->kind == PROBE_USER)
		learn_user(w, slot, n, kind, now);
	if (agent || (!n->has_snmp && kind != WATCH_S_REFUSED && kind != WATCH_S_FROZEN)) {
		if (p->bits & PROBE_COUNTED) {
			loss_take_back(w, n, now - age + n->wait);
			p->bits &= (uint8_t)~PROBE_COUNTED;
		}
		if (n->has_snmp && probe_regular(n, p) && !again && !w->late_now)
			note_pace(n, age);
		main_answer(w, slot, n, p, again, age > (int64_t)w->p.slow_ms, now);
	} else {
		kernel_answer(w, slot, n, now);
	}
}

/* The group's loss of the last seconds decides once more, just before a call: dead neighbours are left out of it. */
static bool recheck(struct watch *w, struct node *n, uint16_t misses, int64_t now)
{
	uint16_t needed = n->ndomains ? loss_needed(w, loss_of_late(w, n->domains[0], now, RECHECK_SECONDS)) : 0;

	/* neighbours that were as silent a moment ago and answered are no dead ones: the path is bad */
	if (n->ndomains && loss_comebacks(w, n->domains[0], now, RECHECK_SECONDS) >= COMEBACKS_MANY)
		needed = (uint16_t)w->p.misses_max;

	if (needed > n->needed)
		n->needed = needed;
	if (misses >= n->needed)
		return true;
	w->stats.rechecks_raised++;
	return false;
}

static void check_path(struct watch *w, uint32_t slot, struct node *n, int64_t now)
{
	bool only_agent = node_kernel_na(n);
	int64_t window = only_agent ? w->p.agent_ms : (int64_t)n->wait + n->window;

	if (n->misses >= w->p.flag_misses && !n->flagged) {
		set_flag(w, n, true);
		loss_leave_out(w, n);
		w->stats.flags++;
		node_report(w, slot, n, dark_witness(n), STATE_PEND, 0, now);
	}
	if (n->misses >= SIX_MISSES && !n->six) {
		n->six = true;
		node_report(w, slot, n, dark_witness(n), STATE_PEND, 0, now);
	}
	if (w->reasons || now - n->first < window || n->misses < n->needed || !recheck(w, n, n->misses, now))
		return;
	n->phase = PHASE_DARK;
	n->held = node_held(w, n);
	n->called |= !n->held;
	n->step = 0;
	n->next_send = now + w->p.heartbeat_ms / 2;
	w->stats.enough += !n->held;
	if (only_agent && n->k != STATE_NA)
		node_report(w, slot, n, WITNESS_K, STATE_NA, 0, now);
	node_report(w, slot, n, dark_witness(n), STATE_SILENT, WITNESS_ENOUGH, now);
}

static void check_agent(struct watch *w, uint32_t slot, struct node *n, int64_t now)
{
	if (now - n->agent_first < (int64_t)w->p.agent_ms || n->agent_misses < n->needed || w->reasons ||
	    node_held(w, n) || !recheck(w, n, n->agent_misses, now))
		return;
	n->phase = PHASE_MUTE;
	n->settled = true;
	n->step = 0;
	n->next_send = now + w->p.heartbeat_ms / 2;
	n->next_user = now;
	n->user_asked = n->user_mute = 0;
	n->u = STATE_NA;
	n->misses = n->agent_misses;
	n->first = n->agent_first;
	w->stats.agent_dead++;
	if (n->k != STATE_ANS)
		node_report(w, slot, n, WITNESS_K, STATE_ANS, 0, now);
	/* kernels say so once a second at most: one of them is enough, as long as the agent has not answered since */
	node_report(w, slot, n, WITNESS_S, n->refused ? STATE_REFUSED : STATE_SILENT, WITNESS_ENOUGH, now);
	n->misses = 0;
	n->first = 0;
}

/* A kernel probe was lost while only the agent was thought silent: requests to it prove nothing about the kernel. */
static void kernel_dark(struct watch *w, struct node *n, int64_t sent, int64_t now)
{
	int64_t agent_first = n->agent_first;
	uint16_t agent_misses = n->agent_misses;

	begin(w, n, now);
	n->agent_first = agent_first;
	n->agent_misses = agent_misses;
	n->mute = true;
	n->misses = 1;
	n->first = sent;
}

static void first_miss(struct watch *w, struct node *n, const struct probe *p, int64_t sent, int64_t now)
{
	begin(w, n, now);
	n->agent_first = sent;
	n->agent_misses = 1;
	if (p->bits & PROBE_KERNEL) {
		n->phase = PHASE_AGENT;
		return;
	}
	n->misses = 1;
	n->first = dark_since(w, n, sent);
}

void suspect_missed(struct watch *w, uint32_t slot, struct node *n, struct probe *p, int64_t now)
{
	int64_t sent = now - probe_age(p, now);
	bool kernel = p->kind == PROBE_ECHO || p->kind == PROBE_USER;

	switch (n->phase) {
	case PHASE_UP:
	case PHASE_RETURN:
		if (!probe_regular(n, p))
			return;
		first_miss(w, n, p, sent, now);
		loss_count(w, n, true, now);
		p->bits |= PROBE_COUNTED;
		break;
	case PHASE_PATH:
		/* the agent is silent anyway, or the kernel has answered since this was sent */
		if ((n->mute && !kernel) || (n->first && sent < n->first) || p->bits & PROBE_KERNEL)
			return;
		n->first = n->first ? n->first : sent;
		n->agent_first = n->agent_first ? n->agent_first : sent;
		n->misses++;
		check_path(w, slot, n, now);
		break;
	case PHASE_AGENT:
		if (kernel) {
			if (sent > n->last)
				kernel_dark(w, n, sent, now);
		} else if (sent >= n->agent_first) {
			n->agent_misses++;
			check_agent(w, slot, n, now);
		}
		break;
	case PHASE_MUTE:
		if (kernel && sent > n->last)
			kernel_dark(w, n, sent, now);
		break;
	case PHASE_DARK:
		if (n->misses < UINT16_MAX)
			n->misses++;
		break;
	default:
		break;
	}
}

/* All that was missed is void: the suspicion of a node that is still silent begins again from zero. */
void suspect_restart(struct watch *w, uint32_t slot, struct node *n, int64_t now)
{
	enum phase phase = n->phase;
	bool told = n->flagged || phase == PHASE_DARK, mute = n->mute;
	enum witness which = dark_witness(n);

	begin(w, n, now);
	n->tainted = true;
	n->mute = mute;
	n->restarted = now + 1;
	n->judged = n->seq;
	n->next_send = now + n->hash % (w->p.first_wait_ms ? w->p.first_wait_ms : 1);
	if (phase == PHASE_AGENT) {
		n->phase = PHASE_AGENT;
		n->agent_first = now;
	}
	if (told)
		node_report(w, slot, n, which, STATE_PEND, WITNESS_RESTARTED, now);
}

/*
 * A baseline probe of a healthy node went unanswered. As many must be lost in a row as a call needs misses: with fewer, loss
 * alone would declare echo filtered at some node every day.
 */
void suspect_learned(struct watch *w, uint32_t slot, struct node *n, struct probe *p, bool answered, int64_t now)
{
	bool was = node_kernel_na(n);
	uint16_t enough = loss_needed(w, loss_of_node(w, n, now));

	if (answered || n->phase != PHASE_UP)
		return;
	if (p->kind == PROBE_ECHO && n->learn_lost < UINT8_MAX && ++n->learn_lost >= enough) {
		n->echo_filtered = true;
		n->echo_passes = false;
	}
	if (p->kind == PROBE_USER && n->user_lost < UINT8_MAX && ++n->user_lost >= enough)
		n->user_na = true;
	if (!was && node_kernel_na(n) && n->ever)
		node_report(w, slot, n, WITNESS_K, STATE_NA, 0, now);
}

/*
 * No banner came in time. That is a witness only where the kernel took the connection and a banner has been seen before:
 * else a firewall or a lost packet may be the reason, and it is asked again.
 */
void suspect_userland(struct watch *w, uint32_t slot, struct node *n, int64_t now)
{
	/* on a path that loses much a banner may be lost after its connection was taken: asked thrice before it is a witness */
	bool lossy = n->ndomains && loss_needed(w, loss_of_group(w, n->domains[0], now, RECHECK_SECONDS)) > MANY_MISSES;
	bool mute = n->user_seen && n->user_accepted;
	/* the path may have gone dark between the handshake and the banner: the question is void and asked again */
	bool dark = n->user_asked < w->void_before || (!lossy && n->restarted >= n->user_asked);

	if (dark && mute) {
		n->user_asked = 0;
		n->next_user = now;
		return;
	}
	n->user_mute += mute && n->user_mute < UINT8_MAX;
	bool silent = mute && n->user_mute >= (lossy ? 3 : 1);

	n->user_asked = 0;
	if (n->phase != PHASE_MUTE)
		return;
	if (!n->user_accepted || (mute && !silent))
		n->next_user = now;
	node_report(w, slot, n, WITNESS_U, silent ? STATE_SILENT : STATE_NA, 0, now);
}
