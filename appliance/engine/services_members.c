/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One service's round: its members are seen, the planner plans, what it plans is stored and then done. Answers of the store and of runs find
 * their member by name again, because it may be gone when they come. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "control/ended.h"
#include "control/verbs.h"
#include "engine/balancers.h"
#include "engine/pools.h"
#include "engine/probes.h"
#include "engine/repair.h"
#include "engine/role_jobs.h"
#include "engine/runs.h"
#include "engine/services_own.h"
#include "engine/software.h"
#include "service/weights.h"

#define INSTALL_MS 300000
#define STOP_MS 60000

/* --- members in memory --------------------------------------------------------------------------------------- */
struct service_member *member_find(const struct service *s, const char *node)
{
	struct service_member *m = NULL;

	HASH_FIND_STR(s->by_node, node, m);
	return m;
}

struct service_member *member_make(struct service *s, const char *node)
{
	struct service_member *m = member_find(s, node);
	const struct model_node *n = model_node(&s->e->model, node);

	if (m)
		return m;
	m = mem_zalloc(sizeof *m);
	text_copy(m->m.node, sizeof m->m.node, node);
	m->slot = n ? n->slot : NO_SLOT;
	m->generation = n ? n->generation : 0;
	m->board_slot = NO_SLOT;
	m->weight = m->written = WEIGHTS_NOMINAL;
	m->value = m->value_before = NAN;
	m->told_failed = -1;
	if (s->count == s->room)
		s->members = mem_grow(s->members, (s->room = s->room ? s->room * 2 : 8), sizeof s->members[0]);
	s->members[s->count++] = m;
	HASH_ADD_KEYPTR(hh, s->by_node, m->m.node, strlen(m->m.node), m); /* what a plan makes of a member keeps its name */
	return m;
}

static void node_life(struct engine *e, uint32_t slot, int change)
{
	struct node_state *n = engine_state(e, slot);

	if (!n)
		return;
	e->services->carried[slot] = (uint16_t)(e->services->carried[slot] + change);
	uint8_t life = e->services->carried[slot] ? LIFE_ALLOCATED : n->life == LIFE_ALLOCATED ? LIFE_READY : n->life;
	if (life == n->life)
		return;
	n->life = life;
	n->changed = true;
	life_save(e, slot);
	publish_node(e, slot);
}

void member_drop(struct service *s, struct service_member *m)
{
	member_publish_gone(s->e, m);
	probes_remove(s->e, s->config.head.name, m->m.node, 0);
	alarms_withdraw(s->e, s->config.head.name, "member", m->m.node);
	HASH_DEL(s->by_node, m);
	for (size_t i = 0; i < s->count; i++)
		if (s->members[i] == m) {
			memmove(&s->members[i], &s->members[i + 1], (s->count - i - 1) * sizeof s->members[0]);
			s->count--;
			break;
		}
	free(m);
}

uint32_t member_weight(const struct service_member *m)
{
	if (m->m.out || (m->m.state != MEMBER_WARMING && m->m.state != MEMBER_IN_SERVICE) || !m->m.weight)
		return 0;
	uint32_t weight = m->m.weight * m->written / WEIGHTS_NOMINAL;
	return weight ? weight : 1;
}

/* Ports of a member that are looked at. */
static size_t probed_ports(const struct service *s)
{
	size_t n = s->probe.port != 0;

	for (size_t v = 0; v < s->virtuals.count && !s->probe.port; v++)
		n += s->virtuals.at[v].member_port && (s->virtuals.at[v].protocol != SERVICE_UDP || s->probe.kind == PROBE_PLUGIN);
	return n;
}

/* --- seeing ---------------------------------------------------------------------------------------------------- */
void member_witness_of(const struct service *s, const struct service_member *m, struct member_witness *out, char *text, size_t size)
{
	struct engine *e = s->e;
	const struct node_state *n = m->slot != NO_SLOT ? e->nodes[m->slot] : NULL;
	struct probe_view probe;
	size_t used = 0;

	*out = (struct member_witness){.verdict = VERDICT_UNKNOWN, .certainty = CERTAINTY_NONE, .probe = PROBE_UNKNOWN, .suspended = e->suspended != 0};
	text[0] = '\0';
	if (n && n->judged) {
		out->verdict = n->verdict.verdict;
		out->certainty = n->verdict.certainty;
		out->held = n->verdict.held;
		out->maintenance = e->model.nodes[m->slot].config.maintenance != 0;
	}
	if (probes_get(e, s->config.head.name, m->m.node, 0, &probe))
		out->probe = probe.state;
	else if (!probed_ports(s) && member_is_balanced(&m->m) && out->verdict == VERDICT_UP)
		out->probe = PROBE_GOOD; /* there is nothing to be looked at, such as UDP alone: the node's word is all there is */
	/* the node's trouble first: a cause has one short line */
	if (n && n->judged && out->verdict != VERDICT_UP && out->verdict != VERDICT_UNKNOWN)
		text_append(text, size, &used, "node %s: %.40s", verdict_name((int)out->verdict), n->verdict.cause);
	if (out->probe == PROBE_BAD)
		text_append(text, size, &used, "%sprobe: %.50s", used ? ", " : "", probe.text);
	if (!text[0] && out->probe == PROBE_UNKNOWN)
		text_copy(text, size, "not yet probed");
}

enum evidence member_evidence_of(const struct service *s, const struct service_member *m, char *text, size_t size)
{
	struct member_witness w;

	member_witness_of(s, m, &w, text, size);
	return member_evidence(&w);
}

struct seen_texts {
	char evidence[MEMBER_REASON];
};

static const char *why_leave(const struct service *s, const struct service_member *m)
{
	const struct model_node *n = m->slot != NO_SLOT ? &s->e->model.nodes[m->slot] : NULL;

	if (n && n->config.maintenance)
		return "its node goes into maintenance";
	if (n && s->e->nodes[m->slot] && s->e->nodes[m->slot]->wanted_power == POWER_OFF)
		return "its node is to be off";
	if (n && role_jobs_hold(s->e, m->slot))
		return "its node changes its role";
	if (n && !pools_has(s->e, s->config.pool, m->slot))
		return "its node has left the pool";
	return m->moving ? "its node is hot, the service moves" : "";
}

/* Started by an older configuration, or before a person asked for a restart. */
static bool is_outdated(const struct service *s, const struct service_member *m)
{
	int64_t restart = s->restart_wall_ms ? clock_mono_ms() - (clock_wall_ms() - s->restart_wall_ms) : INT64_MIN;

	if (m->m.state != MEMBER_WARMING && m->m.state != MEMBER_IN_SERVICE)
		return false;
	return (m->m.build && m->m.build != s->build) || m->m.started_ms < restart;
}

static void see_member(const struct service *s, const struct service_member *m, struct member_view *v, struct seen_texts *texts)
{
	const char *unfit = m->slot == NO_SLOT ? "its node is not in the cluster" : pools_unfit(s->e, m->slot);
	bool gone = balancers_is_gone(s->e, s->config.balancer), read = m->read_ms > m->m.since_ms;

	*v = (struct member_view){.m = m->m, .busy = m->storing, .node_gone = m->slot == NO_SLOT, .unfit = unfit != NULL, .run = m->run,
				  .run_verb = m->run_verb, .run_text = m->run_text, .unfit_text = unfit ? unfit : "", .evidence_text = texts->evidence};
	v->evidence = member_evidence_of(s, m, texts->evidence, sizeof texts->evidence);
	v->flapping = m->slot != NO_SLOT && s->e->nodes[m->slot] && s->e->nodes[m->slot]->flapping;
	v->leave_text = why_leave(s, m);
	v->leave = v->leave_text[0] != '\0';
	v->outdated = is_outdated(s, m);
	v->renew = m->renew;
	v->give_up = m->slot != NO_SLOT && repair_is_listed(s->e, m->slot);
	v->off_balancer = gone || (read && !m->at_balancer);
	v->idle = gone || (read && (!m->at_balancer || (m->weightless && m->connections == 0 && balancers_counts(s->e, s->config.balancer))));
	v->load = isnan(m->value) ? 0 : (uint32_t)(m->value * 1000);
}

/* --- runs --------------------------------------------------------------------------------------------------------- */
struct ticket { /* finds its member again */
	struct engine *e;
	uint32_t service, generation;
	char node[MEMBER_NAME];
	enum member_verb verb;
	enum plan_what what;
	bool repair;
};

static struct ticket *ticket_for(const struct service *s, const struct service_member *m)
{
	struct ticket *t = mem_zalloc(sizeof *t);

	t->e = s->e;
	t->service = s->slot;
	t->generation = s->generation;
	text_copy(t->node, sizeof t->node, m->m.node);
	return t;
}

static struct service_member *ticket_member(const struct ticket *t, struct service **s)
{
	*s = service_by_id(t->e, t->service, t->generation);
	return *s ? member_find(*s, t->node) : NULL;
}

static void on_run(void *arg, const struct msg_run_result *r, const char *output, size_t size)
{
	struct ticket *t = arg;
	struct service *s;
	struct service_member *m = ticket_member(t, &s);

	(void)output;
	(void)size;
	if (m && m->request == r->request) {
		char last[sizeof r->text];
		control_last_line(r->text, last, sizeof last);
		if (m->run_verb == VERB_INSTALL && !t->repair)
			software_ended(t->e, m->m.node, s->software.head.name, JOB_VERB_SOFTWARE_INSTALL, (enum run_ended)r->end, last);
		m->request = 0;
		m->run = t->repair ? RUN_IDLE : r->end == ENDED_DONE ? RUN_GOOD : RUN_BAD;
		if (r->end == ENDED_FAILED && r->text[0])
			text_copy(m->run_text, sizeof m->run_text, r->text);
		else
			text_format(m->run_text, sizeof m->run_text, "%s: %.80s", run_ended_name((int)r->end), r->text);
		text_make_printable(m->run_text);
		if (r->end != ENDED_DONE)
			log_info("service %s: %s: %s", s->config.head.name, m->m.node, m->run_text);
		services_kick(t->e);
	}
	free(t);
}

static bool add_agent(char *line, const struct service *s, const char *agent, const char *parameters)
{
	struct service_parameters p;
	struct error err;
	bool fits = control_line_add(line, "agent", agent) && control_line_add(line, "name", s->config.head.name);

	if (service_parameters_parse(parameters, &p, &err))
		return false;
	for (size_t i = 0; i < p.count && fits; i++) {
		char key[40];
		text_format(key, sizeof key, "p.%s", p.at[i].key);
		fits = control_line_add(line, key, p.at[i].value);
	}
	return fits;
}

static bool make_line(const struct service *s, const struct service_member *m, enum member_verb verb, char line[CONTROL_LINE])
{
	switch (verb) {
	case VERB_INSTALL:
		return software_line(&s->software, JOB_VERB_SOFTWARE_INSTALL, line);
	case VERB_START:
		return control_line_begin(line, "service-start") && add_agent(line, s, m->m.agent, m->m.parameters);
	case VERB_STOP:
		return control_line_begin(line, "service-stop") && add_agent(line, s, m->m.agent, m->m.parameters);
	default:
		return false;
	}
}

static void ask(struct service *s, struct service_member *m, const char *line, int64_t deadline_ms, struct ticket *t)
{
	struct msg_run run;

	memset(&run, 0, sizeof run);
	runs_node(&s->e->model.nodes[m->slot], &run);
	run.kind = RUN_NODE;
	run.deadline_ms = (uint32_t)deadline_ms;
	text_copy(run.line, sizeof run.line, line);
	m->run = RUN_OPEN;
	m->request = runs_ask(s->e, &run, -1, on_run, NULL, t);
}

static void begin_run(struct service *s, struct service_member *m, enum member_verb verb)
{
	char line[CONTROL_LINE];
	int64_t start = (int64_t)s->config.start_s * 2000 > 60000 ? (int64_t)s->config.start_s * 2000 : 60000;

	m->run_verb = verb;
	if (m->slot == NO_SLOT || !make_line(s, m, verb, line)) {
		m->run = RUN_BAD;
		text_copy(m->run_text, sizeof m->run_text, m->slot == NO_SLOT ? "the node is gone" : "agent, parameters or software do not fit into a line");
		return;
	}
	struct ticket *t = ticket_for(s, m);
	t->verb = verb;
	ask(s, m, line, verb == VERB_INSTALL ? INSTALL_MS : verb == VERB_STOP ? STOP_MS : start, t);
}

bool member_run_now(struct service *s, struct service_member *m, const char *verb)
{
	char line[CONTROL_LINE];

	if (m->request || m->storing || m->slot == NO_SLOT || !control_line_begin(line, verb) || !add_agent(line, s, m->m.agent, m->m.parameters))
		return false;
	struct ticket *t = ticket_for(s, m);
	t->repair = true;
	m->run_verb = VERB_NONE;
	ask(s, m, line, (int64_t)s->config.start_s * 2000 > 60000 ? (int64_t)s->config.start_s * 2000 : 60000, t);
	return true;
}

/* --- probes: of whoever is to be in the balancer ----------------------------------------------------------------------- */
static void probe_port(struct service *s, const struct service_member *m, uint16_t port)
{
	struct msg_member_probe what;
	struct error err;

	memset(&what, 0, sizeof what);
	what.address = s->e->model.nodes[m->slot].config.address;
	what.address.port = port;
	what.status_low = s->probe.status_low;
	what.status_high = s->probe.status_high;
	what.kind = s->probe.kind;
	what.rise = (uint16_t)s->config.rise;
	what.fall = (uint16_t)s->config.fall;
	what.interval_ms = s->config.probe_interval_ms;
	what.timeout_ms = s->config.probe_timeout_ms;
	text_copy(what.name, sizeof what.name, m->m.node);
	text_copy(what.host, sizeof what.host, s->probe.host);
	text_copy(what.path, sizeof what.path, s->probe.path);
	text_copy(what.expect, sizeof what.expect, s->probe.expect);
	text_copy(what.plugin, sizeof what.plugin, s->probe.plugin);
	text_copy(what.arguments, sizeof what.arguments, s->probe.arguments);
	if (probes_set(s->e, s->config.head.name, m->m.node, port, &what, &err))
		log_debug("service %s: %s: %s", s->config.head.name, err.object, err.text);
}

/* The port the probe names, else the first virtual's by the whole probe and the others' by the same. */
static void see_to_probes(struct service *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct service_member *m = s->members[i];
		if (!member_is_balanced(&m->m) || m->slot == NO_SLOT || m->m.state == MEMBER_RELEASING) {
			probes_remove(s->e, s->config.head.name, m->m.node, 0);
			continue;
		}
		if (s->probe.port) {
			probe_port(s, m, s->probe.port);
			continue;
		}
		for (size_t v = 0; v < s->virtuals.count; v++)
			if (s->virtuals.at[v].member_port && (s->virtuals.at[v].protocol != SERVICE_UDP || s->probe.kind == PROBE_PLUGIN))
				probe_port(s, m, s->virtuals.at[v].member_port);
	}
}

/* --- acting -------------------------------------------------------------------------------------------------------------- */
static void on_stored(void *arg, const struct store_reply *r)
{
	struct ticket *t = arg;
	struct service *s;
	struct service_member *m = ticket_member(t, &s);

	if (m) {
		m->storing = false;
		if (r->status != STORE_OK && t->what == PLAN_ADD) {
			node_life(t->e, m->slot, -1);
			member_drop(s, m); /* it was never one */
		} else if (r->status == STORE_OK && t->what == PLAN_GONE) {
			node_life(t->e, m->slot, -1);
			member_drop(s, m);
		} else if (r->status == STORE_OK && t->verb) {
			begin_run(s, m, t->verb);
		}
		services_kick(t->e);
	}
	free(t);
}

static void told_state(const struct service *s, const struct member *before, const struct member *now)
{
	if (before->state != now->state || before->out != now->out)
		log_info("service %s: %s: %s%s: %s", s->config.head.name, now->node, member_state_name(now->state), now->out ? ", weight 0" : "", now->reason);
}

static void start_is_known(struct service *s, const struct member *before, const struct member *now, int64_t now_ms)
{
	if (before->allocated_ms && !now->allocated_ms && now->ramp_ms)
		sizing_started(&s->sizing, (double)(now_ms - before->allocated_ms) / 1000);
}

static void add(struct service *s, const struct plan_action *a, int64_t now_ms)
{
	struct service_member *m = member_make(s, a->next.node);
	static const struct member nothing;

	m->m = a->next;
	m->storing = true;
	node_life(s->e, m->slot, 1);
	told_state(s, &nothing, &m->m);
	struct ticket *t = ticket_for(s, m);
	t->what = PLAN_ADD;
	member_save(s, m, on_stored, t);
	s->received_s = services_clock_s(s->e);
	s->move_to = NO_SLOT;
	if (s->granted)
		s->granted--;
	(void)now_ms;
}

static void change(struct service *s, struct service_member *m, const struct plan_action *a, int64_t now_ms)
{
	const struct member before = m->m;

	m->m = a->next;
	if (m->m.state != before.state)
		m->renew = false;
	told_state(s, &before, &m->m);
	start_is_known(s, &before, &m->m, now_ms);
	if (a->quiet)
		return;
	bool other = before.state != m->m.state || before.again != m->m.again || before.tries != m->m.tries;
	if ((other || a->verb) && m->run != RUN_OPEN)
		m->run = RUN_IDLE; /* what came of it is in the state now */
	m->storing = true;
	struct ticket *t = ticket_for(s, m);
	t->what = PLAN_CHANGE;
	t->verb = a->verb;
	member_save(s, m, on_stored, t);
}

static void go(struct service *s, struct service_member *m)
{
	m->storing = true;
	struct ticket *t = ticket_for(s, m);
	t->what = PLAN_GONE;
	member_erase(s, m, on_stored, t);
}

/* Members that are on their way out of the cluster's trouble past what a service bears. */
static bool is_braked(const struct service *s)
{
	const struct config_brake *b = cluster_find(&s->e->model.wanted, CONFIG_BRAKE, "repair-percent");
	uint32_t most = (uint32_t)s->count * (b ? b->value : 25) / 100;

	return s->e->services->site_braked || s->plan.troubled > (most > 2 ? most : 2);
}

static uint32_t wanted_now(const struct service *s)
{
	uint32_t wanted = s->wanted ? s->wanted : s->config.min;

	if (wanted > s->config.max)
		wanted = s->config.max;
	return s->cap && wanted > s->cap ? s->cap : wanted;
}

static void act(struct service *s, struct service_member *const *members, int64_t now_ms)
{
	for (size_t i = 0; i < s->plan.count; i++) {
		const struct plan_action *a = &s->plan.actions[i];
		if (a->what == PLAN_ADD)
			add(s, a, now_ms);
		else if (a->what == PLAN_GONE)
			go(s, members[a->index]);
		else
			change(s, members[a->index], a, now_ms);
	}
}

void service_plan_round(struct service *s)
{
	enum policy policy = service_policy(s);
	struct member_view *views = mem_array(s->count + 1, sizeof *views);
	struct seen_texts *texts = mem_array(s->count + 1, sizeof *texts);
	struct service_member **members = mem_array(s->count + 1, sizeof(struct service_member *));
	struct service_view v = {.now_ms = clock_mono_ms(), .config = &s->config, .software = s->has_software ? &s->software : NULL, .build = s->build,
				 .run = service_runs(s), .hands_off = policy == POLICY_HANDS_OFF && s->there, .tell = policy == POLICY_TELL && s->there,
				 .braked = is_braked(s), .reached = s->reached, .wanted = wanted_now(s), .scale = 1, .members = views,
				 .count = s->count};
	bool was_reached = s->reached;

	for (size_t i = 0; i < s->count; i++) {
		members[i] = s->members[i];
		see_member(s, s->members[i], &views[i], &texts[i]);
	}
	struct plan_offer *offers = s->granted ? pools_offers(s->e, s, s->granted, &v.offer_count) : NULL;
	v.offers = offers;
	s->braked = v.braked;
	service_plan(&v, &s->plan);
	act(s, members, v.now_ms);
	s->reached = v.run && (s->reached || s->plan.state == SERVICE_WELL);
	if (s->reached != was_reached)
		services_save(s);
	if (!s->there && s->plan.state == SERVICE_STOPPING)
		s->plan.state = SERVICE_REMOVING;
	see_to_probes(s);
	free(offers);
	free(members);
	free(texts);
	free(views);
}
