/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The list of nodes as the engine role gives it, their credentials as the supervisor gives them, handed on to the SNMP
 * engine and to the watch. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "mibs/collector/role/role.h"

static void ask_secret(struct collector *c, const char *name)
{
	struct msg_secret_ask ask = {.secret_class = SECRET_SNMP};

	text_copy(ask.name, sizeof ask.name, name);
	channel_send(c->context->supervisor, MSG_SECRET_ASK, &ask, sizeof ask);
}

struct credential *targets_credential(struct collector *c, const char *name, const char *user, uint8_t version,
				      uint8_t auth, uint8_t priv)
{
	for (size_t i = 0; i < c->credential_count; i++) {
		struct credential *known = c->credentials[i];
		if (!strcmp(known->name, name) && !strcmp(known->user, user) && known->version == version &&
		    known->auth == auth && known->priv == priv)
			return known;
	}
	struct credential *made = mem_zalloc(sizeof *made);

	text_copy(made->name, sizeof made->name, name);
	text_copy(made->user, sizeof made->user, user);
	made->version = version;
	made->auth = auth;
	made->priv = priv;
	c->credentials = mem_grow(c->credentials, c->credential_count + 1, sizeof *c->credentials);
	c->credentials[c->credential_count++] = made;
	if (name[0])
		ask_secret(c, name);
	return made;
}

void targets_state(struct collector *c, uint32_t slot, enum target_state state)
{
	struct target_mark *mark = slot < NODE_MAX ? &c->marks[slot] : NULL;

	if (!mark || !mark->used || !state || mark->state == state)
		return;
	mark->state = (uint8_t)state;
	struct msg_target_state m = {.slot = slot, .generation = c->targets[slot].generation, .state = state};
	outbox_target_state(c->outbox, &m);
}

/* The credential's secret is here, or is known to be missing or bad. */
static void tell_secret(struct collector *c, const struct credential *credential)
{
	for (uint32_t slot = 0; slot < NODE_MAX; slot++)
		if (c->targets[slot].used && c->targets[slot].credential == credential)
			targets_state(c, slot, credential->ready ? TARGET_WELL : (enum target_state)credential->trouble);
}

static void tell_watch(struct collector *c, uint32_t slot)
{
	struct target *t = &c->targets[slot];

	t->node.snmp = t->credential->ready;
	t->node.poll_ms = engine_poll_ms(c->engine);
	if (watch_add(c->watch, slot, &t->node, c->now))
		log_error("collector: node %s: the watch refuses it (interval %u ms, %u domains)", t->name,
			  t->node.poll_ms, t->node.ndomains);
}

/* Domains in the order of the message, the group first: the watch estimates its loss. */
static uint8_t take_domains(const struct msg_target *m, uint32_t out[NODE_DOMAINS])
{
	uint8_t count = 0;

	for (int i = 0; i < TARGET_DOMAINS; i++)
		if (m->domains[i] < DOMAIN_IDS)
			out[count++] = m->domains[i];
	return count;
}

static bool is_sound(const struct msg_target *m)
{
	return m->slot < NODE_MAX && text_terminated(m->name, sizeof m->name) &&
	       text_terminated(m->credential, sizeof m->credential) && text_terminated(m->user, sizeof m->user) &&
	       (m->version <= SNMP_V2C || m->version == SNMP_V3);
}

void targets_take(struct collector *c, const struct msg_target *m)
{
	if (!is_sound(m)) {
		log_error("collector: a target of slot %u is not sound: left out", m->slot);
		return;
	}
	if (!m->monitored) {
		targets_remove(c, m->slot, m->generation);
		return;
	}
	struct target *t = &c->targets[m->slot];
	struct credential *credential = targets_credential(c, m->credential, m->user, m->version, m->auth, m->priv);
	struct engine_agent agent = {.address = m->address,
				     .credential = credential,
				     .generation = m->generation,
				     .hash = (uint32_t)text_hash(m->name, strlen(m->name))};

	if (t->used && t->generation != m->generation)
		watch_remove(c->watch, m->slot);
	if (engine_agent_set(c->engine, m->slot, &agent, c->now)) {
		log_error("collector: node %s has no usable address: correct it in the configuration", m->name);
		targets_remove(c, m->slot, m->generation);
		return;
	}
	*t = (struct target){.used = true,
			     .kept = true,
			     .generation = m->generation,
			     .userland_port = m->userland_port,
			     .address = m->address,
			     .credential = credential};
	c->marks[m->slot] = (struct target_mark){.generation = (uint16_t)m->generation, .used = true};
	text_copy(t->name, sizeof t->name, m->name);
	t->node = (struct watch_node){
	    .generation = m->generation, .hash = agent.hash, .echo = true, .userland = m->userland_port != 0};
	t->node.ndomains = take_domains(m, t->node.domains);
	items_target(c->items, m->slot);
	tell_watch(c, m->slot);
	traps_node(c->traps, m->slot);
	targets_state(c, m->slot, credential->ready ? TARGET_WELL : (enum target_state)credential->trouble);
}

static void forget(struct collector *c, uint32_t slot)
{
	watch_remove(c->watch, slot);
	engine_agent_remove(c->engine, slot);
	ports_forget(c->ports, slot);
	c->targets[slot] = (struct target){0};
	c->marks[slot] = (struct target_mark){0};
	traps_node(c->traps, slot);
}

void targets_remove(struct collector *c, uint32_t slot, uint32_t generation)
{
	struct target *t = target_at(c, slot);

	if (t && t->generation == generation)
		forget(c, slot);
}

void targets_begin(struct collector *c)
{
	for (uint32_t slot = 0; slot < NODE_MAX; slot++)
		c->targets[slot].kept = false;
	for (size_t i = 0; i < c->credential_count; i++) /* a secret that was missing or wrong may be right now */
		if (c->credentials[i]->name[0])
			ask_secret(c, c->credentials[i]->name);
}

void targets_missing_secrets(struct collector *c)
{
	for (size_t i = 0; i < c->credential_count; i++)
		if (c->credentials[i]->name[0] && !c->credentials[i]->ready)
			ask_secret(c, c->credentials[i]->name);
}

void targets_end(struct collector *c)
{
	link_forget_hosts(c->link);
	for (uint32_t slot = 0; slot < NODE_MAX; slot++) {
		if (c->targets[slot].used && !c->targets[slot].kept)
			forget(c, slot);
		if (c->targets[slot].used)
			link_host(c->link, &c->targets[slot].address);
	}
}

void targets_objects(struct collector *c, const struct msg_object *objects, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!text_terminated(objects[i].filter, sizeof objects[i].filter) ||
		    objects[i].oid_length > OBJECT_OID_MAX || !objects[i].interval_s) {
			log_error("collector: object %u is not sound: the list before stays", objects[i].object);
			return;
		}
	uint32_t before = engine_poll_ms(c->engine);

	engine_objects(c->engine, objects, count);
	if (before == engine_poll_ms(c->engine))
		return;
	for (uint32_t slot = 0; slot < NODE_MAX; slot++)
		if (c->targets[slot].used)
			tell_watch(c, slot);
}

static void apply_secret(struct collector *c, struct credential *credential, const char *text)
{
	struct credential fresh = *credential;
	const char *wrong = credential_set_secret(&fresh, text);

	fresh.trouble = wrong ? TARGET_SECRET_BAD : 0;
	if (wrong) {
		log_error("collector: secret snmp/%s %s", credential->name, wrong);
		credential->trouble = fresh.trouble;
	}
	if (!wrong && (memcmp(&fresh, credential, sizeof fresh) != 0)) {
		*credential = fresh;
		engine_credential_changed(c->engine, credential);
		traps_credential_changed(c->traps, credential);
		for (uint32_t slot = 0; slot < NODE_MAX; slot++)
			if (c->targets[slot].used && c->targets[slot].credential == credential)
				tell_watch(c, slot);
	}
	explicit_bzero(&fresh, sizeof fresh);
	tell_secret(c, credential);
}

static void secret_missing(struct collector *c, const char *name)
{
	for (size_t i = 0; i < c->credential_count; i++)
		if (!strcmp(c->credentials[i]->name, name) && !c->credentials[i]->ready) {
			c->credentials[i]->trouble = TARGET_SECRET_MISSING;
			tell_secret(c, c->credentials[i]);
		}
}

void targets_secret(struct collector *c, const struct msg_secret *m)
{
	if (m->secret_class != SECRET_SNMP || !text_terminated(m->name, sizeof m->name) ||
	    !text_terminated(m->text, sizeof m->text))
		return;
	if (m->status) {
		log_error("collector: secret snmp/%s cannot be had (%s): put it into the secrets directory, mode 0600",
			  m->name, error_name(m->status));
		secret_missing(c, m->name);
		return;
	}
	for (size_t i = 0; i < c->credential_count; i++)
		if (!strcmp(c->credentials[i]->name, m->name))
			apply_secret(c, c->credentials[i], m->text);
}
