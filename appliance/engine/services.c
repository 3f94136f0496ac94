/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Services come and go with the wanted state, are planned at each event and each second; see services.h. */
#include "engine/services.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/balancers.h"
#include "engine/pools.h"
#include "engine/probes.h"
#include "engine/repair.h"
#include "engine/services_own.h"

#define SIZE_MS (SIZING_TICK_S * 1000)

/* --- finding ---------------------------------------------------------------------------------------------- */
struct service *service_find(struct engine *e, const char *name)
{
	for (uint32_t i = 0; i < SERVICES_MAX && e->services->count; i++)
		if (e->services->at[i] && !strcmp(e->services->at[i]->config.head.name, name))
			return e->services->at[i];
	return NULL;
}

struct service *service_by_id(struct engine *e, uint32_t slot, uint32_t generation)
{
	struct service *s = slot < SERVICES_MAX ? e->services->at[slot] : NULL;

	return s && s->generation == generation ? s : NULL;
}

struct service *service_make(struct engine *e, const char *name)
{
	struct service *s = service_find(e, name);
	uint32_t generation, slot;

	if (s)
		return s;
	slot = slots_take(e, SLOT_SERVICE, name, &generation);
	if (slot == NO_SLOT)
		return NULL;
	s = mem_zalloc(sizeof *s);
	s->e = e;
	s->slot = slot;
	s->generation = generation;
	text_copy(s->config.head.name, sizeof s->config.head.name, name);
	s->utilisation = s->requests = s->bytes = NAN;
	s->decision.utilisation = s->decision.demand = NAN;
	s->decision.headroom = 1;
	s->move_to = NO_SLOT;
	s->plan.state = SERVICE_UNKNOWN;
	sizing_begin(&s->sizing, services_clock_s(s->e));
	e->services->at[slot] = s;
	e->services->count++;
	if (!e->services->hot)
		e->services->hot = mem_array(NODE_MAX, sizeof e->services->hot[0]);
	return s;
}

void service_take_config(struct service *s, const struct config_service *config)
{
	struct error err;

	s->config = *config;
	/* the rules of the wanted state have read these texts before: what cannot be read now is of an older release, and has no effect */
	if (service_virtuals_parse(config->virtuals, &s->virtuals, &err))
		memset(&s->virtuals, 0, sizeof s->virtuals);
	if (service_probe_parse(config->probe, &s->probe, &err))
		s->probe = (struct service_probe){.kind = PROBE_TCP};
	if (service_schedule_parse(config->schedule, &s->schedule, &err))
		memset(&s->schedule, 0, sizeof s->schedule);
	s->build = plan_build(&s->config, s->has_software ? &s->software : NULL);
}

bool service_runs(const struct service *s)
{
	return s->there && s->config.enabled && !s->halted;
}

enum policy service_policy(const struct service *s)
{
	return s->config.policy ? (enum policy)s->config.policy : POLICY_REPAIR;
}

/* Something was mended, or a person wants to see: those that have failed are tried at once. */
static void try_failed_again(struct service *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->members[i]->m.state == MEMBER_FAILED) {
			s->members[i]->renew = true;
			if (s->members[i]->slot != NO_SLOT)
				repair_forget(s->e, s->members[i]->slot);
		}
}

/* --- the wanted state --------------------------------------------------------------------------------------- */
static void take_wanted(struct engine *e, const struct config_service *config)
{
	struct service *s = service_make(e, config->head.name);
	const struct config_software *software = config->software[0] ? cluster_find(&e->model.wanted, CONFIG_SOFTWARE, config->software) : NULL;
	struct config_software same = {0};

	if (!s) {
		log_error("service %s: there are %d services already: it is left out", config->head.name, SERVICES_MAX);
		return;
	}
	if (software)
		same = *software;
	same.head.line = 0;
	bool other = !s->there || memcmp(&s->config, config, sizeof *config) != 0 || s->has_software != (software != NULL) ||
		     (software && memcmp(&s->software, &same, sizeof same) != 0);
	char before[CONFIG_NAME];
	uint64_t build = s->build;
	text_copy(before, sizeof before, s->config.balancer);
	s->there = true;
	s->has_software = software != NULL;
	s->software = same;
	service_take_config(s, config);
	s->config.head.line = config->head.line;
	if (!other)
		return;
	services_save(s);
	if (s->build != build)
		try_failed_again(s);
	if (before[0] && strcmp(before, config->balancer) != 0)
		balancers_changed(e, before);
}

static void find_nodes(struct service *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct service_member *m = s->members[i];
		const struct model_node *n = model_node(&s->e->model, m->m.node);
		uint32_t slot = n ? n->slot : NO_SLOT;
		if (slot != m->slot && s->e->loaded && m->slot != NO_SLOT && s->e->services->carried[m->slot])
			s->e->services->carried[m->slot]--;
		if (slot != m->slot && s->e->loaded && slot != NO_SLOT)
			s->e->services->carried[slot]++;
		m->slot = slot;
		m->generation = n ? n->generation : 0;
	}
}

void services_apply(struct engine *e)
{
	const struct config_service *wanted = e->model.wanted.objects[CONFIG_SERVICE];

	pools_apply(e);
	for (uint32_t i = 0; i < SERVICES_MAX && e->services->count; i++) {
		struct service *s = e->services->at[i];
		if (s && s->there && !cluster_find(&e->model.wanted, CONFIG_SERVICE, s->config.head.name)) {
			s->there = false; /* drained, stopped, then forgotten */
			log_info("service %s: is being removed", s->config.head.name);
			services_save(s);
		}
	}
	for (size_t i = 0; i < e->model.wanted.count[CONFIG_SERVICE]; i++)
		take_wanted(e, &wanted[i]);
	balancers_apply(e);
	for (uint32_t i = 0; i < SERVICES_MAX && e->services->count; i++)
		if (e->services->at[i])
			find_nodes(e->services->at[i]);
	if (!e->loaded)
		return;
	pools_publish(e); /* an edit is answered when it can be seen */
	services_publish(e);
	balancers_publish(e);
	services_kick(e);
}

/* --- rounds -------------------------------------------------------------------------------------------------- */
static void forget(struct service *s)
{
	struct engine *e = s->e;

	log_info("service %s: is gone", s->config.head.name);
	alarms_gone(e, s->config.head.name);
	service_publish_gone(s);
	services_erase(s);
	balancers_changed(e, s->config.balancer);
	e->services->at[s->slot] = NULL;
	e->services->count--;
	service_plan_clear(&s->plan);
	free(s->members);
	free(s);
}

/* Too many members in trouble all over the site: people, not more of the same. */
static void see_site(struct engine *e)
{
	const struct config_brake *b = cluster_find(&e->model.wanted, CONFIG_BRAKE, "repair-percent");
	uint32_t members = 0, troubled = 0;
	char cause[CAUSE_SIZE];

	for (uint32_t i = 0; i < SERVICES_MAX; i++)
		if (e->services->at[i]) {
			members += (uint32_t)e->services->at[i]->count;
			troubled += e->services->at[i]->plan.troubled;
		}
	uint32_t most = members * (b ? b->value : 25) / 100;
	bool braked = troubled > (most > 3 ? most : 3);
	if (braked == e->services->site_braked)
		return;
	e->services->site_braked = braked;
	text_format(cause, sizeof cause, "%u of %u members in trouble: repair has stopped", troubled, members);
	if (braked)
		alarms_raise(e, e->settings.appliance, "repair", "", LEVEL_CRITICAL, cause, NO_SLOT, 0, 0);
	else
		alarms_clear(e, e->settings.appliance, "repair", "");
}

/* Once for each balancer: its picture is of all services it carries. */
static void see_balancers(struct engine *e)
{
	for (uint32_t i = 0; i < SERVICES_MAX; i++) {
		const struct service *s = e->services->at[i];
		bool seen = false;
		for (uint32_t k = 0; s && k < i && !seen; k++)
			seen = e->services->at[k] && !strcmp(e->services->at[k]->config.balancer, s->config.balancer);
		if (s && !seen)
			balancers_changed(e, s->config.balancer);
	}
}

static void round_of_all(struct engine *e)
{
	struct services *all = e->services;

	if (!e->loaded || all->planning)
		return;
	all->planning = true; /* what a round does may kick the next one, never nest */
	services_share(e);
	for (uint32_t i = 0; i < SERVICES_MAX && all->count; i++) {
		struct service *s = all->at[i];
		if (!s)
			continue;
		service_plan_round(s);
		if (!s->there && s->count == 0)
			forget(s);
		else
			service_alarms(s);
	}
	see_balancers(e);
	see_site(e);
	all->planning = false;
	services_publish(e);
}

static void on_round(void *arg)
{
	round_of_all(arg);
}

void services_kick(struct engine *e)
{
	if (e->services->count)
		loop_timer_set(e->services->timer, 0);
}

static void on_probe(void *arg, struct engine *e, const char *service, const char *member, uint16_t port, const struct probe_view *now)
{
	(void)arg;
	(void)service;
	(void)member;
	(void)port;
	(void)now;
	services_kick(e);
}

void services_start(struct engine *e)
{
	e->services = mem_zalloc(sizeof *e->services);
	e->services->timer = loop_timer_new(e->loop, on_round, e);
	e->services->carried = mem_array(NODE_MAX, sizeof e->services->carried[0]);
	probes_listen(e, on_probe, NULL);
}

void services_loaded(struct engine *e)
{
	services_apply(e);
	balancers_loaded(e);
	for (uint32_t i = 0; i < SERVICES_MAX && e->services->count; i++) {
		struct service *s = e->services->at[i];
		for (size_t k = 0; s && k < s->count; k++)
			if (s->members[k]->slot != NO_SLOT && e->nodes[s->members[k]->slot]) {
				e->services->carried[s->members[k]->slot]++;
				e->nodes[s->members[k]->slot]->life = LIFE_ALLOCATED;
			}
	}
	services_kick(e);
}

void services_tick(struct engine *e)
{
	int64_t now = clock_mono_ms();

	balancers_tick(e);
	repair_tick(e);
	pools_publish(e);
	if (!e->services->count)
		return;
	/* a lab may run its clocks faster: a tick of sizing is ten seconds of its own time */
	if (now - e->services->sized_ms >= SIZE_MS - 500) {
		e->services->sized_ms = now;
		services_size(e);
		services_move_hot(e);
	}
	round_of_all(e);
}

void services_verdict(struct engine *e, uint32_t slot)
{
	if (e->services && e->services->count && e->services->carried[slot])
		services_kick(e);
}

/* --- people ---------------------------------------------------------------------------------------------------- */
static int each_service(struct engine *e, const char *target, void (*act)(struct service *s), struct error *err)
{
	char text[4096], *save = NULL;

	text_copy(text, sizeof text, target);
	for (char *one = strtok_r(text, ", ", &save); one; one = strtok_r(NULL, ", ", &save)) {
		struct service *s = service_find(e, one);
		if (!s || !s->there)
			return error_set(err, ERR_NOT_FOUND, one, "see: gloryctl service list", "there is no such service");
		if (act)
			act(s);
	}
	return 0;
}

static void act_start(struct service *s)
{
	s->halted = false;
	services_save(s);
}

static void act_stop(struct service *s)
{
	s->halted = true;
	services_save(s);
}

static void act_restart(struct service *s)
{
	s->restart_wall_ms = clock_wall_ms();
	services_save(s);
	try_failed_again(s);
}

int services_act(struct engine *e, const char *target, const char *act, struct error *err)
{
	static const struct {
		const char *word;
		void (*act)(struct service *s);
	} acts[] = {{"start", act_start}, {"stop", act_stop}, {"restart", act_restart}};

	if (!target[0])
		return error_set(err, ERR_CONFIG, "service", "name one: gloryctl service list", "no service is named");
	for (size_t i = 0; i < COUNT_OF(acts); i++)
		if (!strcmp(acts[i].word, act)) {
			int rc = each_service(e, target, NULL, err); /* all or none */
			if (rc == 0)
				rc = each_service(e, target, acts[i].act, err);
			services_kick(e);
			return rc;
		}
	return error_set(err, ERR_CONFIG, "service", "use start, stop or restart", "a service cannot \"%.32s\"", act);
}

bool services_alarm_is_there(struct engine *e, const char *object, const char *kind, const char *part)
{
	const struct service *s = service_find(e, object);

	if (!strcmp(kind, "balancer"))
		return balancers_has(e, object);
	return s && (strcmp(kind, "member") != 0 || member_find(s, part));
}

void services_of_node(struct engine *e, uint32_t slot, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (uint32_t i = 0; i < SERVICES_MAX && e->services->count; i++) {
		const struct service *s = e->services->at[i];
		for (size_t k = 0; s && k < s->count; k++)
			if (s->members[k]->slot == slot)
				text_append(out, size, &used, "%s%s", used ? " " : "", s->config.head.name);
	}
}
