/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ladder's hands; see repair.h and service/ladder.h. */
#include "engine/repair.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/runs.h"
#include "engine/services_own.h"
#include "monitor/verdict.h"

#define ACTOR "policy:repair"
#define NODE_RUN_MS 60000
#define SOFT_MS 300000 /* a soft reboot's second half is due within this time */

struct repair { /* of one node */
	struct ladder ladder;
	uint64_t job, request;   /* open ones; 0 none */
	int64_t confirmed_ms;    /* the present verdict is confirmed since; 0 it is not */
	enum verdict confirmed;
	bool back_on;            /* the second half of a soft reboot has been asked for */
	char node[NAME_SIZE];
};

struct repairs {
	struct repair *at[NODE_MAX];
	uint32_t count;
};

static struct repair *entry(struct engine *e, uint32_t slot, bool make)
{
	if (!e->repairs && make)
		e->repairs = mem_zalloc(sizeof *e->repairs);
	if (!e->repairs || slot >= NODE_MAX)
		return NULL;
	if (!e->repairs->at[slot] && make) {
		e->repairs->at[slot] = mem_zalloc(sizeof *e->repairs->at[slot]);
		text_copy(e->repairs->at[slot]->node, NAME_SIZE, e->model.nodes[slot].config.head.name);
		e->repairs->count++;
	}
	return e->repairs->at[slot];
}

static void save(struct engine *e, const struct repair *r, store_done *done, void *arg)
{
	char key[STORE_KEY_MAX], *text = ladder_to_json(&r->ladder, clock_mono_ms(), clock_wall_ms());

	text_format(key, sizeof key, "/repair/%s", r->node);
	if (ladder_is_over(&r->ladder))
		store_delete(e->store, key, done, arg);
	else
		store_put(e->store, key, text, done, arg);
	free(text);
}

static void list_alarm(struct engine *e, const struct repair *r)
{
	const struct model_node *n = model_node(&e->model, r->node);
	char cause[CAUSE_SIZE];

	text_format(cause, sizeof cause, "on the repair list: %.40s", r->ladder.why);
	if (r->ladder.listed)
		alarms_raise(e, r->node, "repair", "", LEVEL_MAJOR, cause, n ? n->slot : NO_SLOT, 0, 0);
	else
		alarms_clear(e, r->node, "repair", "");
}

void repair_restore(struct engine *e, const char *node, const char *json)
{
	const struct model_node *n = model_node(&e->model, node);
	struct ladder l;
	char key[STORE_KEY_MAX];

	if (!n) {
		text_format(key, sizeof key, "/repair/%s", node);
		store_delete(e->store, key, NULL, NULL);
	} else if (ladder_from_json(json, clock_mono_ms(), clock_wall_ms(), &l)) {
		entry(e, n->slot, true)->ladder = l;
	} else {
		log_error("store: /repair/%s is not readable: it is left out", node);
	}
}

bool repair_is_listed(struct engine *e, uint32_t slot)
{
	const struct repair *r = entry(e, slot, false);

	return r && r->ladder.listed;
}

bool repair_in_trouble(struct engine *e, uint32_t slot)
{
	const struct repair *r = entry(e, slot, false);

	return r && (r->ladder.listed || (r->ladder.since_ms && !r->ladder.well_ms));
}

void repair_want_list(struct engine *e, uint32_t slot, const char *why)
{
	struct repair *r = entry(e, slot, true);

	if (r->ladder.listed)
		return;
	r->ladder.listed = true;
	r->ladder.since_ms = r->ladder.since_ms ? r->ladder.since_ms : clock_mono_ms();
	text_copy(r->ladder.why, sizeof r->ladder.why, why);
	save(e, r, NULL, NULL);
	list_alarm(e, r);
}

void repair_forget(struct engine *e, uint32_t slot)
{
	struct repair *r = entry(e, slot, false);

	if (!r || ladder_is_over(&r->ladder))
		return;
	memset(&r->ladder, 0, sizeof r->ladder);
	save(e, r, NULL, NULL);
	list_alarm(e, r);
}

void repair_node_gone(struct engine *e, uint32_t slot)
{
	struct repair *r = entry(e, slot, false);

	if (!r)
		return;
	memset(&r->ladder, 0, sizeof r->ladder);
	save(e, r, NULL, NULL);
	e->repairs->at[slot] = NULL;
	e->repairs->count--;
	free(r);
}

/* --- seeing ----------------------------------------------------------------------------------------------------- */
static bool has_fault(const struct node_state *s)
{
	for (uint32_t i = 0; i < s->sensor_count; i++)
		if (s->sensors[i].level >= LEVEL_MAJOR)
			return true;
	return strstr(s->cause, "thermal") || strstr(s->cause, "power fault");
}

static unsigned permits_of(struct engine *e, uint32_t slot, struct repair *r, bool braked, int64_t now)
{
	const struct node_state *s = e->nodes[slot];
	bool stands = s->judged && (s->verdict.certainty == CERTAINTY_CONFIRMED || s->verdict.verdict == VERDICT_AGENT_DEAD ||
				    s->verdict.verdict == VERDICT_BMC_LOST);

	if (!stands)
		r->confirmed_ms = 0;
	else if (!r->confirmed_ms || r->confirmed != s->verdict.verdict)
		r->confirmed_ms = now;
	r->confirmed = s->verdict.verdict;
	if (!stands)
		return 0;
	struct verdict_case c = {.in = s->verdict.evidence.in, .verdict = s->verdict.verdict, .certainty = s->verdict.certainty,
				 .held_ms = now - r->confirmed_ms, .flapping = s->flapping, .blast_limit = braked, .hardware_fault = has_fault(s),
				 .done_today = r->ladder.resets};
	return verdict_permits(&c);
}

struct on_node { /* what of services is on a node */
	enum evidence worst;
	bool failed, others_good, running;
	char text[MEMBER_REASON];
	enum policy policy;
	bool braked;
};

static void see_member(struct on_node *on, const struct service *s, const struct service_member *m)
{
	char text[MEMBER_REASON];
	enum evidence evidence = member_evidence_of(s, m, text, sizeof text);
	bool counts = m->m.state == MEMBER_IN_SERVICE || m->m.out;

	on->running = on->running || m->request != 0;
	if (m->m.state == MEMBER_FAILED) {
		on->failed = true;
		text_copy(on->text, sizeof on->text, m->m.reason);
	}
	if (counts && evidence == EVIDENCE_GOOD)
		on->others_good = true;
	if (!counts && evidence != EVIDENCE_DEAD)
		return;
	if (evidence > on->worst) {
		on->worst = evidence;
		if (evidence >= EVIDENCE_SOFT)
			text_copy(on->text, sizeof on->text, text);
	}
	on->braked = on->braked || s->braked;
	if (service_policy(s) > on->policy)
		on->policy = service_policy(s);
}

/* What services say of every node that carries a member, in one pass. */
static struct on_node *see_members(struct engine *e)
{
	struct on_node *on = mem_array(e->model.node_top + 1, sizeof *on);

	for (uint32_t i = 0; i < SERVICES_MAX && e->services->count; i++) {
		const struct service *s = e->services->at[i];
		for (size_t k = 0; s && k < s->count; k++)
			if (s->members[k]->slot < e->model.node_top)
				see_member(&on[s->members[k]->slot], s, s->members[k]);
	}
	return on;
}

static enum policy policy_of(struct engine *e, uint32_t slot)
{
	const struct model_node *n = &e->model.nodes[slot];
	const struct config_group *g = n->group_slot < MODEL_GROUPS ? &e->model.groups[n->group_slot].config : NULL;

	return n->config.policy ? (enum policy)n->config.policy : g && g->policy ? (enum policy)g->policy : POLICY_REPAIR;
}

/* Nodes of a group under repair, past what it bears? */
static bool group_braked(struct engine *e, uint32_t slot)
{
	const struct config_brake *b = cluster_find(&e->model.wanted, CONFIG_BRAKE, "repair-percent");
	uint32_t group = e->model.nodes[slot].group_slot, troubled = 0;

	if (group >= MODEL_GROUPS)
		return false;
	for (uint32_t i = 0; i < e->model.node_top; i++)
		troubled += i != slot && e->model.nodes[i].group_slot == group && e->nodes[i] && repair_in_trouble(e, i);
	uint32_t most = e->model.groups[group].members * (b ? b->value : 25) / 100;
	return troubled >= (most > 2 ? most : 2);
}

/* --- steps -------------------------------------------------------------------------------------------------------- */
struct node_run {
	struct engine *e;
	uint32_t slot;
};

static void on_node_run(void *arg, const struct msg_run_result *m, const char *output, size_t size)
{
	struct node_run *n = arg;
	struct repair *r = entry(n->e, n->slot, false);

	(void)output;
	(void)size;
	if (r && r->request == m->request) {
		r->request = 0;
		if (m->end != ENDED_DONE)
			log_info("node %s: repair: %s: %.100s", r->node, run_ended_name((int)m->end), m->text);
	}
	free(n);
}

static void run_on_node(struct engine *e, uint32_t slot, struct repair *r, const char *verb)
{
	struct node_run *n = mem_zalloc(sizeof *n);
	struct msg_run run;

	memset(&run, 0, sizeof run);
	*n = (struct node_run){e, slot};
	runs_node(&e->model.nodes[slot], &run);
	run.kind = RUN_NODE;
	run.deadline_ms = NODE_RUN_MS;
	text_copy(run.line, sizeof run.line, verb);
	r->request = runs_ask(e, &run, -1, on_node_run, NULL, n);
}

static void on_job(void *arg, uint64_t id, const struct error *err)
{
	struct node_run *n = arg;
	struct repair *r = entry(n->e, n->slot, false);

	if (r)
		r->job = id;
	if (err)
		log_warning("node %s: repair: %s: %s", r ? r->node : "?", err->text, err->remedy);
	free(n);
}

static void power(struct engine *e, uint32_t slot, enum power_verb verb, const char *why)
{
	struct node_run *n = mem_zalloc(sizeof *n);
	struct model_selection one = {&slot, 1};
	struct power_request q = {.actor = ACTOR, .target = e->model.nodes[slot].config.head.name, .reason = why, .set_key = "", .verb = verb,
				  .nodes = &one, .yes = true};

	*n = (struct node_run){e, slot};
	jobs_power(e, &q, on_job, n);
}

static void with_members(struct engine *e, uint32_t slot, bool whole)
{
	for (uint32_t i = 0; i < SERVICES_MAX; i++) {
		struct service *s = e->services->at[i];
		for (size_t k = 0; s && k < s->count; k++) {
			struct service_member *m = s->members[k];
			if (m->slot != slot || !m->m.out)
				continue;
			if (whole)
				m->renew = true;
			else if (!member_run_now(s, m, "service-restart"))
				log_info("service %s: %s: is busy, its process is not restarted", s->config.head.name, m->m.node);
		}
	}
}

struct step { /* waits for the disk */
	struct engine *e;
	uint32_t slot;
	enum ladder_step step;
};

static void make_step(struct engine *e, uint32_t slot, struct repair *r, enum ladder_step step)
{
	switch (step) {
	case LADDER_PROCESS:
	case LADDER_SERVICE:
		with_members(e, slot, step == LADDER_SERVICE);
		break;
	case LADDER_SOFT:
		r->back_on = false;
		power(e, slot, POWER_VERB_SOFT, r->ladder.why);
		break;
	case LADDER_CYCLE:
		power(e, slot, POWER_VERB_CYCLE, r->ladder.why);
		break;
	case LADDER_POWER_ON:
		power(e, slot, POWER_VERB_ON, r->ladder.why);
		break;
	case LADDER_AGENT:
		run_on_node(e, slot, r, "agent-restart");
		break;
	case LADDER_BMC:
		run_on_node(e, slot, r, "bmc-reset");
		break;
	default:
		break;
	}
	services_kick(e);
}

static void on_step_stored(void *arg, const struct store_reply *reply)
{
	struct step *s = arg;
	struct repair *r = entry(s->e, s->slot, false);

	if (r && reply->status == STORE_OK && r->ladder.step == s->step)
		make_step(s->e, s->slot, r, s->step);
	free(s);
}

static void take_step(struct engine *e, uint32_t slot, struct repair *r, enum ladder_step step)
{
	struct step *s = mem_zalloc(sizeof *s);

	*s = (struct step){e, slot, step};
	log_warning("node %s: repair: %s: %s", r->node, ladder_step_name(step), r->ladder.why);
	audit(e, ACTOR, ladder_step_name(step), r->node, "begun");
	save(e, r, on_step_stored, s);
	if (step == LADDER_REPLACE)
		list_alarm(e, r);
}

/* It went down by our own order, so by our own order it comes up again; also after a restart of ours in between. */
static void finish_soft(struct engine *e, uint32_t slot, struct repair *r, int64_t now)
{
	const struct node_state *s = e->nodes[slot];

	if (r->ladder.step != LADDER_SOFT || r->back_on || now - r->ladder.step_ms > SOFT_MS || jobs_is_open(e, s->power_job) ||
	    s->wanted_power != POWER_OFF || s->power == POWER_ON)
		return;
	r->back_on = true;
	power(e, slot, POWER_VERB_ON, r->ladder.why);
}

static void look(struct engine *e, uint32_t slot, struct on_node on, int64_t now)
{
	struct node_state *s = e->nodes[slot];
	struct repair *r = entry(e, slot, true);
	enum policy own = policy_of(e, slot);
	bool changed;

	/* a dark node stays on the ladder after others have taken its work */
	if (on.worst < EVIDENCE_SOFT && r->ladder.since_ms && !r->ladder.well_ms && judgement_is_down(e, slot)) {
		on.worst = EVIDENCE_SOFT;
		text_format(on.text, sizeof on.text, "node %s: %.60s", verdict_name((int)s->verdict.verdict), s->verdict.cause);
	}
	if (r->job && !jobs_is_open(e, r->job))
		r->job = 0;
	finish_soft(e, slot, r, now);
	bool trouble = on.worst >= EVIDENCE_SOFT || on.failed;
	struct ladder_view v = {.now_ms = now, .scale = 1, .policy = own > on.policy ? own : on.policy, /* the most careful counts */
				.maintenance = e->model.nodes[slot].config.maintenance,
				.has_bmc = e->model.nodes[slot].config.bmc.family != 0, .locked = s->locked || s->mismatch,
				.braked = on.braked || e->services->site_braked || e->suspended || (s->judged && s->verdict.held) || (trouble && group_braked(e, slot)),
				.running = r->job || r->request || on.running || jobs_is_open(e, s->power_job), .shared = on.others_good,
				.failed_member = on.failed, .evidence = on.worst ? on.worst : EVIDENCE_GOOD,
				.verdict = s->judged ? s->verdict.verdict : VERDICT_UNKNOWN, .text = on.text};
	v.permits = permits_of(e, slot, r, v.braked, now);
	bool was_listed = r->ladder.listed;
	enum ladder_step step = ladder_next(&v, &r->ladder, &changed);
	if (step != LADDER_WELL)
		take_step(e, slot, r, step);
	else if (changed)
		save(e, r, NULL, NULL);
	if (was_listed && !r->ladder.listed)
		list_alarm(e, r);
	if (ladder_is_over(&r->ladder) && !r->job && !r->request && !e->services->carried[slot]) {
		e->repairs->at[slot] = NULL;
		e->repairs->count--;
		free(r);
	}
}

void repair_tick(struct engine *e)
{
	int64_t now = clock_mono_ms();

	if (!e->services->count && (!e->repairs || !e->repairs->count))
		return;
	struct on_node *on = see_members(e);
	for (uint32_t slot = 0; slot < e->model.node_top; slot++)
		if (e->nodes[slot] && (e->services->carried[slot] || entry(e, slot, false)))
			look(e, slot, on[slot], now);
	free(on);
}
