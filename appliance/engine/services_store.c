/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What of services is kept: /service/NAME (with its last configuration, so that one that was removed is still stopped as it was started),
 * /service/NAME/sizing, /service/NAME/member/NODE, and the slots of pools, services and balancers. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/balancers.h"
#include "engine/repair.h"
#include "engine/services_own.h"

static const char *const kinds[SLOT_KINDS] = {"pool", "service", "balancer"};

/* --- slots ----------------------------------------------------------------------------------------------- */
static int slot_kind(const char *kind_and_name)
{
	for (int k = 0; k < SLOT_KINDS; k++) {
		size_t n = strlen(kinds[k]);
		if (!strncmp(kind_and_name, kinds[k], n) && kind_and_name[n] == '/')
			return k;
	}
	return -1;
}

bool services_has_slots(const char *kind_and_name)
{
	return slot_kind(kind_and_name) >= 0;
}

void services_restore_slot(struct engine *e, const char *kind_and_name, uint32_t slot, uint32_t generation)
{
	int kind = slot_kind(kind_and_name);

	if (kind < 0 || slot >= SERVICES_MAX || !generation || e->services->slots[kind][slot].generation)
		return;
	struct kept_slot *k = &e->services->slots[kind][slot];
	text_copy(k->name, sizeof k->name, kind_and_name + strlen(kinds[kind]) + 1);
	k->generation = generation;
	if (generation > e->services->next_generation)
		e->services->next_generation = generation;
}

uint32_t slots_take(struct engine *e, enum slot_kind kind, const char *name, uint32_t *generation)
{
	struct kept_slot *list = e->services->slots[kind];
	char key[STORE_KEY_MAX], value[96];
	uint32_t at = NO_SLOT;

	for (uint32_t i = 0; i < SERVICES_MAX; i++) {
		if (list[i].generation && !strcmp(list[i].name, name)) {
			*generation = list[i].generation;
			return i;
		}
		if (!list[i].generation && at == NO_SLOT)
			at = i;
	}
	if (at == NO_SLOT)
		return NO_SLOT;
	text_copy(list[at].name, sizeof list[at].name, name);
	*generation = list[at].generation = ++e->services->next_generation;
	text_format(key, sizeof key, "/slot/%s/%s", kinds[kind], name);
	text_format(value, sizeof value, "{\"v\":1,\"slot\":%u,\"generation\":%u}", at, *generation);
	store_put(e->store, key, value, NULL, NULL);
	return at;
}

void slots_drop(struct engine *e, enum slot_kind kind, const char *name)
{
	struct kept_slot *list = e->services->slots[kind];
	char key[STORE_KEY_MAX];

	for (uint32_t i = 0; i < SERVICES_MAX; i++)
		if (list[i].generation && !strcmp(list[i].name, name))
			list[i] = (struct kept_slot){0};
	text_format(key, sizeof key, "/slot/%s/%s", kinds[kind], name);
	store_delete(e->store, key, NULL, NULL);
}

/* --- services --------------------------------------------------------------------------------------------- */
static void service_key(const struct service *s, const char *rest, char *out, size_t size)
{
	text_format(out, size, "/service/%s%s", s->config.head.name, rest);
}

void services_save(struct service *s)
{
	char key[STORE_KEY_MAX], *config = config_to_json(CONFIG_SERVICE, &s->config),
	     *software = s->has_software ? config_to_json(CONFIG_SOFTWARE, &s->software) : NULL;
	json_t *o = json_pack("{s:i,s:i,s:s,s:s,s:b,s:b,s:b,s:i,s:I,s:I,s:I,s:I,s:I}", "v", 1, "wanted", (int)s->wanted, "reason", s->reason, "state",
			      service_state_name((int)s->plan.state), "removing", !s->there, "halted", s->halted, "reached", s->reached, "cap",
			      (int)s->cap, "received", (json_int_t)s->received_s, "given", (json_int_t)s->given_s, "moved",
			      (json_int_t)s->moved_s, "restart", (json_int_t)s->restart_wall_ms, "changed", (json_int_t)s->changed_wall_ms);

	json_object_set_new(o, "config", json_loads(config, 0, NULL));
	if (software)
		json_object_set_new(o, "software", json_loads(software, 0, NULL));
	char *text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	service_key(s, "", key, sizeof key);
	store_put(s->e->store, key, text, NULL, NULL);
	free(text);
	free(config);
	free(software);
}

void services_save_sizing(struct service *s)
{
	char key[STORE_KEY_MAX], *text = mem_zalloc(SIZING_TEXT), *value;

	value = mem_format("{\"v\":1,\"state\":\"%s\"}", sizing_state_to_text(&s->sizing, text));
	service_key(s, "/sizing", key, sizeof key);
	store_put(s->e->store, key, value, NULL, NULL);
	free(value);
	free(text);
}

static void member_key(const struct service *s, const struct service_member *m, char *out, size_t size)
{
	text_format(out, size, "/service/%s/member/%s", s->config.head.name, m->m.node);
}

void member_save(struct service *s, const struct service_member *m, store_done *done, void *arg)
{
	char key[STORE_KEY_MAX], *text = member_to_json(&m->m, clock_mono_ms(), clock_wall_ms());

	member_key(s, m, key, sizeof key);
	store_put(s->e->store, key, text, done, arg);
	free(text);
}

void member_erase(struct service *s, const struct service_member *m, store_done *done, void *arg)
{
	char key[STORE_KEY_MAX];

	member_key(s, m, key, sizeof key);
	store_delete(s->e->store, key, done, arg);
}

void services_erase(struct service *s)
{
	char key[STORE_KEY_MAX];

	service_key(s, "/sizing", key, sizeof key);
	store_delete(s->e->store, key, NULL, NULL);
	service_key(s, "", key, sizeof key);
	store_delete(s->e->store, key, NULL, NULL);
	slots_drop(s->e, SLOT_SERVICE, s->config.head.name);
}

/* --- at start ---------------------------------------------------------------------------------------------- */
static bool read_object(json_t *o, const char *member, enum config_kind kind, const char *name, void *out)
{
	json_t *inner = json_object_get(o, member);
	char *text = json_is_object(inner) ? json_dumps(inner, JSON_COMPACT) : NULL;
	struct error err;
	bool read = text && config_from_json(kind, name, text, out, &err) == 0;

	free(text);
	return read;
}

static void restore_service(struct engine *e, const char *name, const char *json)
{
	json_t *o = json_loads(json, 0, NULL);
	struct config_service config;
	int wanted, halted, reached, cap;
	json_int_t received, given, moved, restart, changed;
	const char *reason, *state;

	memset(&config, 0, sizeof config);
	struct service *s = o && !json_unpack(o, "{s:i,s:s,s:s,s:b,s:b,s:i,s:I,s:I,s:I,s:I,s:I}", "wanted", &wanted, "reason", &reason, "state", &state, "halted", &halted,
					      "reached", &reached, "cap", &cap, "received", &received, "given", &given, "moved", &moved, "restart",
					      &restart, "changed", &changed) &&
					    read_object(o, "config", CONFIG_SERVICE, name, &config)
				    ? service_make(e, name) : NULL;
	if (s) {
		s->has_software = json_object_get(o, "software") && config.software[0] &&
				  read_object(o, "software", CONFIG_SOFTWARE, config.software, &s->software);
		service_take_config(s, &config);
		s->told_state = (uint8_t)words_value(WORDS_SERVICE_STATE, state);
		s->wanted = wanted > 0 ? (uint32_t)wanted : 0;
		s->halted = halted;
		s->reached = reached;
		s->cap = cap > 0 ? (uint32_t)cap : 0;
		s->received_s = received;
		s->given_s = given;
		s->moved_s = moved;
		s->restart_wall_ms = restart;
		s->changed_wall_ms = changed;
		text_copy(s->reason, sizeof s->reason, reason);
	} else {
		log_error("store: /service/%s is not readable: it is left out", name);
	}
	json_decref(o);
}

static void restore_sizing(struct service *s, const char *json)
{
	json_t *o = json_loads(json, 0, NULL);
	const char *text = NULL;
	struct error err;

	if (!o || json_unpack(o, "{s:s}", "state", &text) || sizing_state_from_text(text, &s->sizing, &err)) {
		log_warning("service %s: what was learnt of its load is not readable: it is learnt anew", s->config.head.name);
		sizing_begin(&s->sizing, services_clock_s(s->e));
	}
	json_decref(o);
}

static void restore_member(struct service *s, const char *node, const char *json)
{
	struct member m;

	if (!member_from_json(json, node, clock_mono_ms(), clock_wall_ms(), &m)) {
		log_error("store: /service/%s/member/%s is not readable: it is left out", s->config.head.name, node);
		return;
	}
	struct service_member *there = member_make(s, node);
	there->m = m;
}

/* "/service/web", "/service/web/member/n001", "/service/web/sizing": the store gives them in this order. */
void services_restore(struct engine *e, const char *key, const char *json)
{
	char name[CONFIG_NAME];
	const char *rest = key + strlen("/service/"), *slash = strchr(rest, '/');

	if (!strncmp(key, "/repair/", 8)) {
		repair_restore(e, key + 8, json);
		return;
	}
	if (!strncmp(key, "/balancer/", 10)) {
		balancers_restore(e, key + 10, json);
		return;
	}
	text_format(name, sizeof name, "%.*s", slash ? (int)(slash - rest) : (int)strlen(rest), rest);
	struct service *s = service_find(e, name);
	if (!slash)
		restore_service(e, name, json);
	else if (s && !strcmp(slash, "/sizing"))
		restore_sizing(s, json);
	else if (s && !strncmp(slash, "/member/", 8))
		restore_member(s, slash + 8, json);
	else
		log_error("store: %s belongs to no service: it is left out", key);
}
