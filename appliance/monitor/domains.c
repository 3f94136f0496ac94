/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The domain rule (verdicts 4.4): when many members of a group, switch, rack, PDU or the site are silent, the domain is held
 * and speaks first; its reference, a sample of BMCs and ports decide path, power or hang. Called by judge.c.
 */
#include <stdio.h>
#include <string.h>

#include "monitor/judge_node.h"

enum { FIRST_WAIT_MS = 200, REFERENCE_ASKS = 3, REFERENCE_AGAIN_MS = 200, OWN_LINK_ASK_MS = 1000, SITE_LONGER_MS = 600 };
enum { RELEASE_PERCENT = 20, COVER_PERCENT = 80, OWN_LINK_PERCENT = 90, LARGE_SITE = 20, ONSET_PERCENT = 5, ONSET_LEAST = 3 };

#define EACH_MEMBER(j, d, at) for (uint32_t at = (d)->head; at != MEMBER_NONE; at = (j)->nodes[at / NODE_DOMAINS].next[at % NODE_DOMAINS])

static struct jnode *member(const struct judge *j, uint32_t at)
{
	return &j->nodes[at / NODE_DOMAINS];
}

static uint32_t id_of(const struct judge *j, const struct jdomain *d)
{
	return (uint32_t)(d - j->domains);
}

/* Members that must be flagged for a hold; 0 = never by number. A small site follows the rule of its size. */
static uint32_t threshold(uint32_t members)
{
	uint32_t percent = members < 4 ? 100 : members < 8 ? 75 : members < LARGE_SITE ? 60 : 50;

	return members < 3 ? 0 : (members * percent + 99) / 100;
}

/* Others of a domain are flagged as well, a third of what would hold it: it may yet. */
bool domains_in_company(const struct judge *j, const struct jnode *n)
{
	for (unsigned i = 0; i < n->ndomains; i++) {
		const struct jdomain *d = &j->domains[n->domains[i]];

		if (!d->held && d->flagged > 1 && threshold(d->members) && d->flagged * 3 >= threshold(d->members))
			return true;
	}
	return false;
}

static bool is_active(const struct jdomain *d)
{
	return d->known && (d->held || d->common_onset || d->ref_asked);
}

static void note_active(struct judge *j, struct jdomain *d)
{
	bool active = is_active(d);

	if (active != d->counted)
		j->active += active ? 1 : (uint32_t)-1;
	d->counted = active;
}

static void set_cause(struct jdomain *d, const char *text)
{
	snprintf(d->cause, sizeof(d->cause), "%s", text);
}

bool judge_domain_view(const struct judge *j, uint32_t domain, struct judge_domain *out)
{
	if (domain >= j->max_domains || !j->domains[domain].known)
		return false;
	const struct jdomain *d = &j->domains[domain];
	*out = (struct judge_domain){
		.id = domain,
		.kind = d->kind,
		.state = d->state,
		.certainty = d->certainty,
		.is_root = d->is_root || (d->common_onset && !d->held),
		.common_onset = d->common_onset,
		.root = d->root,
		.members = d->members,
		.flagged = d->flagged,
		.since = d->since,
	};
	if (d->held)
		EACH_MEMBER(j, d, at)
			out->held += member(j, at)->flagged;
	snprintf(out->cause, sizeof(out->cause), "%s", d->cause);
	return true;
}

static void tell(struct judge *j, struct jdomain *d)
{
	struct judge_domain view;

	if (judge_domain_view(j, id_of(j, d), &view))
		j->ops.domain_changed(j->arg, &view);
}

static void evaluate_members(struct judge *j, struct jdomain *d, int64_t now)
{
	EACH_MEMBER(j, d, at) {
		if (!member(j, at)->flagged && !verdict_is_dead(member(j, at)->verdict))
			continue;
		judge_evaluate(j, at / NODE_DOMAINS, now);
		judge_schedule(j, at / NODE_DOMAINS, now);
	}
}

enum domain_state domains_state_of(const struct judge *j, const struct jnode *n, uint32_t *root)
{
	enum domain_state state = DOMAIN_STATE_OK;

	*root = JUDGE_NO_DOMAIN;
	for (unsigned i = 0; i < n->ndomains; i++) {
		const struct jdomain *d = &j->domains[n->domains[i]];

		if (!d->held || (state != DOMAIN_STATE_OK && state != DOMAIN_STATE_HOLD))
			continue;
		bool other = d->root != JUDGE_NO_DOMAIN && j->domains[d->root].held;
		*root = other ? d->root : n->domains[i];
		state = j->domains[*root].state;
	}
	return state;
}

/* --- hold and release ---------------------------------------------------------------------------------- */

#define SITE_ASKS 8 /* a site without a target of its own asks those of so many of its domains */

/* Who is asked for a domain: itself, or for a site without a target every domain that has one. */
static bool asked_for(const struct jdomain *d, const struct jdomain *other)
{
	return other->known && other->references && (other == d || (d->kind == DOMAIN_SITE && !d->references));
}

static bool has_reference(const struct judge *j, const struct jdomain *d)
{
	bool has = d->references;

	for (uint32_t i = 0; !has && d->kind == DOMAIN_SITE && i < j->max_domains; i++)
		has = asked_for(d, &j->domains[i]);
	return has;
}

static void ask_reference(struct judge *j, struct jdomain *d, int64_t now)
{
	unsigned asked = 0;

	if (!has_reference(j, d))
		return;
	if (!d->ref_asked)
		d->ref_asked = now;
	d->ref_asked_n++;
	note_active(j, d);
	if (d->references)
		j->ops.ask_reference(j->arg, id_of(j, d));
	else
		for (uint32_t i = 0; i < j->max_domains && asked < SITE_ASKS; i++)
			if (asked_for(d, &j->domains[i]) && ++asked)
				j->ops.ask_reference(j->arg, i);
}

enum reference { REFERENCE_NONE, REFERENCE_WAIT, REFERENCE_ANSWERS, REFERENCE_SILENT };

static bool borrowed_answers(const struct judge *j, const struct jdomain *d)
{
	for (uint32_t i = 0; !d->references && i < j->max_domains; i++)
		if (asked_for(d, &j->domains[i]) && j->domains[i].ref_ok && j->domains[i].ref_at >= d->ref_asked)
			return true;
	return false;
}

static enum reference reference_of(const struct judge *j, const struct jdomain *d, int64_t now)
{
	if (!has_reference(j, d))
		return REFERENCE_NONE;
	if (!d->ref_asked)
		return REFERENCE_WAIT;
	if (borrowed_answers(j, d))
		return REFERENCE_ANSWERS;
	if (d->references && d->ref_at >= d->ref_asked)
		return d->ref_ok ? REFERENCE_ANSWERS : REFERENCE_SILENT;
	return now - d->ref_asked >= (int64_t)j->p.reference_ms ? REFERENCE_SILENT : REFERENCE_WAIT;
}

/* A sample of the silent, and one or two that are not, to know whether the BMC network itself is there. */
static void take_sample(struct judge *j, struct jdomain *d, int64_t now)
{
	uint32_t flagged = 0, step = d->flagged > JUDGE_SAMPLE ? d->flagged / JUDGE_SAMPLE : 1;

	d->nsample = d->ncontrol = 0;
	EACH_MEMBER(j, d, at) {
		if (member(j, at)->flagged && flagged++ % step == 0 && d->nsample < JUDGE_SAMPLE)
			d->sample[d->nsample++] = at / NODE_DOMAINS;
	}
	for (uint32_t i = 0; i < j->max_nodes && d->ncontrol < JUDGE_CONTROL; i++) {
		uint32_t slot = (d->sample[0] + 1 + i) % j->max_nodes;

		if (j->nodes[slot].known && j->nodes[slot].bmc && !j->nodes[slot].flagged && jnode_alive(&j->nodes[slot]))
			d->control[d->ncontrol++] = slot;
	}
	for (unsigned i = 0; i < d->nsample; i++)
		bmc_sample(j, d->sample[i], now);
	for (unsigned i = 0; i < d->ncontrol; i++)
		bmc_sample(j, d->control[i], now);
}

static void hold(struct judge *j, struct jdomain *d, int64_t now)
{
	d->held = true;
	d->state = DOMAIN_STATE_HOLD;
	d->certainty = CERTAINTY_NONE;
	d->is_root = false;
	d->root = JUDGE_NO_DOMAIN;
	d->since = now;
	d->below_since = 0;
	d->ref_asked = d->ref_asked_n = 0;
	d->answered = 0;
	set_cause(d, "many members silent");
	note_active(j, d);
	j->ops.hold(j->arg, id_of(j, d));
	ask_reference(j, d, now);
	take_sample(j, d, now);
	tell(j, d);
}

/* The collector begins the suspicions of the silent again from zero; until it says more, nothing is known of them. */
static void forget_silence(struct judge *j, struct jdomain *d, int64_t now)
{
	EACH_MEMBER(j, d, at) {
		struct jnode *n = member(j, at);
		uint32_t root;

		if (jnode_alive(n) || (!n->flagged && n->s != STATE_SILENT) || domains_state_of(j, n, &root) != DOMAIN_STATE_OK)
			continue;
		if ((verdict_is_dead(n->verdict) && !n->held) || (n->enough && !n->reported_held))
			continue;
		if (n->flagged) {
			n->flagged = false;
			domains_flag(j, at / NODE_DOMAINS, false, now);
		}
		n->k = n->k == STATE_NA ? STATE_NA : STATE_PEND;
		n->s = n->s == STATE_NA ? STATE_NA : STATE_PEND;
		n->misses = 0;
		n->first = 0;
		n->enough = false;
		bmc_suspicion_ends(n, now);
	}
}

static void release(struct judge *j, struct jdomain *d, int64_t now)
{
	d->held = false;
	d->state = DOMAIN_STATE_OK;
	d->certainty = CERTAINTY_NONE;
	d->is_root = false;
	d->root = JUDGE_NO_DOMAIN;
	d->since = now;
	d->ref_asked = 0;
	set_cause(d, "");
	note_active(j, d);
	j->ops.release(j->arg, id_of(j, d));
	forget_silence(j, d, now);
	tell(j, d);
	evaluate_members(j, d, now);
}

void domains_drop(struct judge *j, uint32_t domain, int64_t now)
{
	struct jdomain *d = &j->domains[domain];

	d->common_onset = false;
	if (d->held)
		release(j, d, now);
	d->ref_asked = 0;
	note_active(j, d);
	for (uint32_t i = 0; i < j->max_domains; i++)
		if (j->domains[i].root == domain)
			j->domains[i].root = JUDGE_NO_DOMAIN;
}

/* --- which domain is the root ---------------------------------------------------------------------------- */

static void tally(struct judge *j, const struct jdomain *d)
{
	memset(j->tally, 0, j->max_domains * sizeof(*j->tally));
	EACH_MEMBER(j, d, at) {
		const struct jnode *n = member(j, at);

		for (unsigned i = 0; n->flagged && i < n->ndomains; i++)
			j->tally[n->domains[i]]++;
	}
}

struct sample {
	unsigned on, off, silent, pending, down, up;
};

static struct sample look(const struct judge *j, const struct jdomain *d)
{
	struct sample s = { 0 };

	for (unsigned i = 0; i < d->nsample; i++) {
		const struct jnode *n = &j->nodes[d->sample[i]];
		enum bmc_state b = bmc_effective(n);

		s.on += b == BMC_ON;
		s.off += b == BMC_OFF;
		s.silent += b == BMC_SILENT;
		s.pending += b == BMC_PEND && n->bmc;
		s.down += n->p_at >= d->since && n->p == PORT_DOWN;
		s.up += n->p_at >= d->since && (n->p == PORT_STILL || n->p == PORT_MOVING);
	}
	return s;
}

/* Of domains of one size: what shares power explains silent BMCs, what shares the network explains the rest, and has a reference to ask. */
static int rank(const struct jdomain *d, bool bmcs_silent)
{
	static const int POWER[DOMAIN_KIND_COUNT] = {
		[DOMAIN_PDU] = 0, [DOMAIN_RACK] = 1, [DOMAIN_GROUP] = 2, [DOMAIN_SWITCH] = 3, [DOMAIN_SITE] = 5 };
	static const int NETWORK[DOMAIN_KIND_COUNT] = {
		[DOMAIN_SWITCH] = 0, [DOMAIN_GROUP] = 1, [DOMAIN_RACK] = 2, [DOMAIN_PDU] = 3, [DOMAIN_SITE] = 5 };

	return bmcs_silent ? POWER[d->kind] : NETWORK[d->kind];
}

static bool smaller(const struct jdomain *a, const struct jdomain *b, bool bmcs_silent)
{
	return a->members != b->members ? a->members < b->members : rank(a, bmcs_silent) < rank(b, bmcs_silent);
}

/* The largest held domain that shares half of d's silent members: what has to be explained. */
static struct jdomain *whole_of(struct judge *j, struct jdomain *d)
{
	struct jdomain *whole = d;

	tally(j, d);
	for (uint32_t i = 0; i < j->max_domains; i++) {
		struct jdomain *c = &j->domains[i];

		if (c->held && j->tally[i] && j->tally[i] * 2 >= d->flagged && c->flagged > whole->flagged)
			whole = c;
	}
	return whole;
}

static uint32_t root_of(struct judge *j, struct jdomain *d)
{
	struct jdomain *whole = whole_of(j, d), *best = whole;
	struct sample s = look(j, whole);

	tally(j, whole);
	for (uint32_t i = 0; i < j->max_domains; i++) {
		struct jdomain *c = &j->domains[i];

		if (c->held && j->tally[i] * 100 >= whole->flagged * COVER_PERCENT && smaller(c, best, s.silent > s.on + s.off))
			best = c;
	}
	tally(j, d);
	return j->tally[id_of(j, best)] * 100 >= d->flagged * COVER_PERCENT ? id_of(j, best) : id_of(j, d);
}

static void call(struct jdomain *d)
{
	if (d->certainty >= CERTAINTY_CALLED)
		return;
	d->certainty = CERTAINTY_CALLED;
	if (!d->lossy)
		set_cause(d, "cause pending");
}

/* So few of its members are still flagged that it will be released. */
static bool is_back(const struct jdomain *d)
{
	return d->flagged * 100 < d->members * RELEASE_PERCENT;
}

static void assign_roots(struct judge *j, int64_t now)
{
	for (uint32_t i = 0; i < j->max_domains; i++) {
		struct jdomain *d = &j->domains[i];

		/* one that comes back has nothing more to be explained: whatever else is held now is another's trouble */
		if (!d->held || d->certainty < CERTAINTY_CALLED || is_back(d))
			continue;
		uint32_t root = root_of(j, d);
		if (root == d->root)
			continue;
		d->root = root;
		d->is_root = root == i;
		call(&j->domains[root]);
		if (!d->is_root)
			snprintf(d->cause, sizeof(d->cause), "part of a wider or narrower failure");
		tell(j, d);
		evaluate_members(j, d, now);
	}
}

/* Silent members that a smaller root does not explain already. */
static uint32_t unexplained(const struct judge *j, const struct jdomain *d, uint32_t *members)
{
	uint32_t count = 0;

	*members = d->members;
	EACH_MEMBER(j, d, at) {
		const struct jnode *n = member(j, at);
		bool explained = false;

		for (unsigned i = 0; n->flagged && i < n->ndomains; i++) {
			const struct jdomain *c = &j->domains[n->domains[i]];

			explained |= c != d && c->held && c->is_root && c->certainty >= CERTAINTY_CALLED && c->members < d->members;
		}
		count += n->flagged && !explained;
		*members -= n->flagged && explained;
	}
	return count;
}

/* --- what it is -------------------------------------------------------------------------------------------- */

static bool control_answers(const struct judge *j, const struct jdomain *d)
{
	for (unsigned i = 0; i < d->ncontrol; i++)
		if (j->nodes[d->control[i]].b_at >= d->since)
			return true;
	return false;
}

static void decided(struct judge *j, struct jdomain *d, enum domain_state state, const char *cause, int64_t now)
{
	d->state = state;
	d->certainty = CERTAINTY_CAUSE;
	set_cause(d, cause);
	tell(j, d);
	evaluate_members(j, d, now);
}

static void decide(struct judge *j, struct jdomain *d, int64_t now)
{
	struct sample s = look(j, d);
	enum reference reference = reference_of(j, d, now);
	unsigned known = s.on + s.off + s.silent;
	bool settled = s.pending == 0, on = s.on * 2 > known, off = s.off * 2 > known, silent = s.silent * 2 > known;

	/* who is hung or without power does not answer now and then; a path that loses nearly everything looks so */
	bool late = now - d->since >= (int64_t)(j->p.root_cause_ms - j->p.root_ms), some = d->flagged * 2 >= d->members && d->answered >= 2;
	if (some && d->answered * (late ? 5 : 2) >= d->members) {
		decided(j, d, DOMAIN_STATE_PATH, "path loss: few answers come through", now);
		return;
	}
	if ((some && !late) || reference == REFERENCE_WAIT || (!settled && known * 2 < d->nsample))
		return;
	if (!known && reference != REFERENCE_SILENT && s.up + s.down == 0 && !late)
		return;
	if (off)
		decided(j, d, DOMAIN_STATE_POWER, "BMCs say off", now);
	else if (s.down * 2 > s.down + s.up && on)
		decided(j, d, DOMAIN_STATE_PATH, "BMCs say on, switch ports down", now);
	else if (silent && control_answers(j, d))
		decided(j, d, DOMAIN_STATE_POWER, "BMCs silent, other BMCs answer", now);
	else if ((silent || s.silent + s.off == known) && known && reference == REFERENCE_ANSWERS)
		decided(j, d, DOMAIN_STATE_POWER, "BMCs silent, reference answers", now);
	else if (reference == REFERENCE_SILENT)
		decided(j, d, DOMAIN_STATE_PATH, "reference silent", now);
	else if (on && reference == REFERENCE_ANSWERS)
		decided(j, d, DOMAIN_STATE_HANG, "BMCs say on, reference answers", now);
	else if (on && s.up && !s.down)
		decided(j, d, DOMAIN_STATE_HANG, "BMCs say on, switch ports up", now);
	else if (late)
		/* then each member is said not to answer, still under this root: better than the word from before */
		decided(j, d, DOMAIN_STATE_HANG, "no reference, port or BMC tells why", now);
}

/* --- the appliance's own link ------------------------------------------------------------------------------- */

static void release_quiet(struct judge *j, int64_t now)
{
	for (uint32_t i = 0; i < j->max_domains; i++)
		if (j->domains[i].held && is_back(&j->domains[i]))
			release(j, &j->domains[i], now);
}

/* True while the site domain stands for the own link and nothing else is to be concluded. */
static bool own_link(struct judge *j, struct jdomain *d, int64_t now)
{
	enum reference reference = reference_of(j, d, now);
	bool dark = d->flagged * 100 >= d->members * OWN_LINK_PERCENT;

	if (!d->own_link) {
		if (!dark || d->certainty >= CERTAINTY_CALLED || (reference != REFERENCE_SILENT && reference != REFERENCE_NONE))
			return false;
		d->own_link = true;
		judge_set_reasons(j, j->reasons | SUSPEND_OWN_LINK, now);
		return true;
	}
	if (has_reference(j, d) && now - d->ref_asked >= OWN_LINK_ASK_MS) {
		d->ref_asked = 0;
		ask_reference(j, d, now);
		return true;
	}
	bool back = is_back(d);
	if (!back && reference != REFERENCE_ANSWERS)
		return true;
	d->own_link = false;
	judge_set_reasons(j, j->reasons & ~(unsigned)SUSPEND_OWN_LINK, now);
	if (back)
		release_quiet(j, now);
	return true;
}

/* --- one turn ----------------------------------------------------------------------------------------------- */

/* The root alarm comes 1.8 s after half of the members were first missed, and only while they still are. */
static bool call_is_due(const struct judge *j, const struct jdomain *d, int64_t now)
{
	uint32_t long_enough = 0, members;
	/* held members are asked every 0.3 to 0.6 s: a site that is back must have had the time to say so */
	int64_t since = now - (int64_t)j->p.root_ms - FIRST_WAIT_MS - (d->kind == DOMAIN_SITE ? SITE_LONGER_MS : 0);

	if (d->lossy)
		return true;
	EACH_MEMBER(j, d, at)
		long_enough += member(j, at)->flagged && member(j, at)->first && member(j, at)->first <= since;
	if (d->members < 3)
		return long_enough > 0;
	return long_enough * 2 >= d->members && unexplained(j, d, &members) >= threshold(members);
}

static void release_turn(struct judge *j, struct jdomain *d, int64_t now)
{
	bool below = !d->lossy && is_back(d);

	if (!below)
		d->below_since = 0;
	else if (!d->below_since)
		d->below_since = now;
	else if (now - d->below_since >= (int64_t)j->p.release_ms)
		release(j, d, now);
}

static void held_turn(struct judge *j, struct jdomain *d, int64_t now)
{
	bool coming_back = d->flagged < d->flagged_before;

	d->flagged_before = d->flagged;
	if (has_reference(j, d) && d->ref_asked_n < REFERENCE_ASKS && reference_of(j, d, now) == REFERENCE_WAIT &&
	    now - d->ref_asked >= d->ref_asked_n * REFERENCE_AGAIN_MS)
		ask_reference(j, d, now);
	if (d->kind == DOMAIN_SITE && own_link(j, d, now))
		return;
	if (j->reasons)
		return;
	if (d->certainty == CERTAINTY_NONE && !coming_back && call_is_due(j, d, now)) {
		call(d);
		assign_roots(j, now);
	}
	if (d->is_root && d->state == DOMAIN_STATE_HOLD && !d->lossy)
		decide(j, d, now);
	/* a smaller domain explains it: the others are judged one by one again */
	struct jdomain *root = d->root == JUDGE_NO_DOMAIN ? NULL : &j->domains[d->root];
	if (root && root != d && root->held && root->certainty >= CERTAINTY_CAUSE && root->members < d->members) {
		release(j, d, now);
		return;
	}
	release_turn(j, d, now);
}

static void small_turn(struct judge *j, struct jdomain *d, int64_t now)
{
	enum reference reference = reference_of(j, d, now);

	if (!d->flagged || reference == REFERENCE_ANSWERS) {
		d->ref_asked = 0;
		d->ref_asked_n = 0;
		note_active(j, d);
	} else if (reference == REFERENCE_SILENT) {
		hold(j, d, now);
	} else if (d->ref_asked_n < REFERENCE_ASKS && now - d->ref_asked >= d->ref_asked_n * REFERENCE_AGAIN_MS) {
		ask_reference(j, d, now);
	}
}

static void onset_turn(struct judge *j, struct jdomain *d)
{
	uint32_t id = id_of(j, d);

	EACH_MEMBER(j, d, at)
		if (member(j, at)->onset_root == id && verdict_is_dead(member(j, at)->verdict))
			return;
	d->common_onset = false;
	if (!d->held)
		set_cause(d, "");
	note_active(j, d);
	tell(j, d);
}

void domains_turn(struct judge *j, int64_t now)
{
	for (uint32_t i = 0; i < j->max_domains; i++) {
		struct jdomain *d = &j->domains[i];

		if (!d->counted)
			continue;
		if (d->common_onset)
			onset_turn(j, d);
		if (d->held)
			held_turn(j, d, now);
		else if (d->ref_asked && !j->reasons)
			small_turn(j, d, now);
	}
}

/* --- what happened -------------------------------------------------------------------------------------------- */

static void consider(struct judge *j, struct jdomain *d, int64_t now)
{
	uint32_t members = d->members, need = threshold(members);

	if (d->held || j->reasons & ~(unsigned)SUSPEND_OWN_LINK)
		return;
	if (!need) {
		if (d->references && d->flagged && !d->ref_asked)
			ask_reference(j, d, now);
		return;
	}
	if (d->flagged < need)
		return;
	if (j->active && (unexplained(j, d, &members) < threshold(members) || !threshold(members)))
		return;
	hold(j, d, now);
}

void domains_consider(struct judge *j, int64_t now)
{
	for (uint32_t i = 0; i < j->max_domains; i++)
		if (j->domains[i].known && j->domains[i].flagged)
			consider(j, &j->domains[i], now);
}

void domains_flag(struct judge *j, uint32_t slot, bool flagged, int64_t now)
{
	struct jnode *n = &j->nodes[slot];

	for (unsigned i = 0; i < n->ndomains; i++) {
		struct jdomain *d = &j->domains[n->domains[i]];

		d->flagged += flagged ? 1 : (uint32_t)-1;
		d->answered += d->held && !flagged && jnode_alive(n);
	}
	for (unsigned i = 0; flagged && i < n->ndomains; i++)
		consider(j, &j->domains[n->domains[i]], now);
}

static bool within(const struct judge *j, int64_t one, int64_t other)
{
	return one && one - other <= (int64_t)j->p.onset_ms && other - one <= (int64_t)j->p.onset_ms;
}

/* Fell silent in the same moment as n: called, or so far that its call is only a matter of time (loss alone seldom comes to 6). */
static bool same_onset(const struct judge *j, const struct jnode *m, const struct jnode *n)
{
	if (verdict_is_dead(m->verdict))
		return !m->held && within(j, m->inc_first, n->inc_first);
	return m->flagged && m->misses >= j->p.off_misses && within(j, m->first, n->inc_first);
}

static bool is_onset(const struct judge *j, const struct jdomain *d, const struct jnode *n)
{
	uint32_t count = 0, need = (d->members * ONSET_PERCENT + 99) / 100;

	if (d->common_onset && within(j, d->first, n->inc_first))
		return true;
	EACH_MEMBER(j, d, at) {
		count += same_onset(j, member(j, at), n);
		if (count >= (need > ONSET_LEAST ? need : ONSET_LEAST))
			return true;
	}
	return false;
}

/* The smallest domain in which it happened to several; larger ones are not counted then. */
static struct jdomain *onset_of(struct judge *j, const struct jnode *n)
{
	struct jdomain *best = NULL;

	for (unsigned i = 0; i < n->ndomains; i++) {
		struct jdomain *d = &j->domains[n->domains[i]];

		if ((!best || smaller(d, best, false)) && is_onset(j, d, n))
			best = d;
	}
	return best;
}

/* Called by itself, but perhaps not alone: calls with one onset make one root alarm, the nodes keep their verdicts. */
void domains_called(struct judge *j, uint32_t slot, int64_t now)
{
	struct jnode *n = &j->nodes[slot];
	struct jdomain *best = onset_of(j, n);

	if (!best)
		return;
	n->onset_root = id_of(j, best);
	if (best->common_onset)
		return;
	best->common_onset = true;
	best->first = n->inc_first;
	best->since = best->held ? best->since : now;
	set_cause(best, "several members silent since the same moment");
	note_active(j, best);
	tell(j, best);
	EACH_MEMBER(j, best, at) {
		struct jnode *m = member(j, at);

		if (m == n || m->onset_root != JUDGE_NO_DOMAIN || !verdict_is_dead(m->verdict) || !same_onset(j, m, n))
			continue;
		m->onset_root = id_of(j, best);
		judge_evaluate(j, at / NODE_DOMAINS, now);
	}
}

void judge_reference(struct judge *j, uint32_t domain, bool answered, int64_t now)
{
	if (domain >= j->max_domains || !j->domains[domain].known)
		return;
	struct jdomain *d = &j->domains[domain];
	/* the first silence while it is still being asked again does not count yet */
	if (!answered && d->ref_asked && now - d->ref_asked < (int64_t)j->p.reference_ms)
		return;
	d->ref_ok = answered;
	d->ref_at = now;
}

void judge_lossy(struct judge *j, uint32_t domain, bool lossy, int64_t now)
{
	if (domain >= j->max_domains || !j->domains[domain].known)
		return;
	struct jdomain *d = &j->domains[domain];
	d->lossy = lossy;
	if (!lossy)
		return;
	if (!d->held)
		hold(j, d, now);
	d->root = domain;
	d->is_root = true;
	call(d);
	decided(j, d, DOMAIN_STATE_PATH, "path loss: more than half of all exchanges lost", now);
}
