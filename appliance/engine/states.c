/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A node's state comes and goes with its slot; judge, board, collector and BMC role follow every change of the model. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/items.h"
#include "engine/records.h"
#include "engine/checks.h"
#include "engine/software.h"
#include "engine/repair.h"
#include "engine/watches.h"

static void state_free(struct node_state *s)
{
	for (uint32_t i = 0; i < s->row_count; i++)
		average_free(&s->rows[i].average);
	average_free(&s->average);
	average_free(&s->sensor_average);
	free(s->rows);
	free(s->cells);
	free(s->sensors);
	free(s);
}

static struct node_state *state_new(void)
{
	struct node_state *s = mem_zalloc_lines(sizeof *s);

	s->life = LIFE_READY;
	s->level = LEVEL_UNKNOWN;
	s->power = POWER_UNKNOWN;
	s->wanted_power = POWER_UNKNOWN;
	s->bmc_state = BMC_NA;
	for (unsigned i = 0; i < ITEM_SCALARS; i++) {
		s->values[i] = __builtin_nan("");
		s->board_slot[i] = NO_SLOT;
	}
	text_copy(s->cause, sizeof s->cause, "not yet observed");
	return s;
}

/* Slots are kept by the store, so that MIB indexes survive restarts. */
static void persist_slot(struct engine *e, const struct model_change *c)
{
	char key[STORE_KEY_MAX], value[128];

	text_format(key, sizeof key, "/slot/%s/%s", c->kind == CONFIG_NODE ? "node" : "group", c->name);
	if (c->what == CONFIG_REMOVED) {
		store_delete(e->store, key, NULL, NULL);
		if (c->kind == CONFIG_NODE) {
			text_format(key, sizeof key, "/life/node/%u", c->slot);
			store_delete(e->store, key, NULL, NULL);
		}
		return;
	}
	text_format(value, sizeof value, "{\"v\":1,\"slot\":%u,\"generation\":%u}", c->slot, c->generation);
	store_put(e->store, key, value, NULL, NULL);
}

static void node_removed(struct engine *e, const struct model_change *c)
{
	if (!e->nodes[c->slot])
		return;
	targets_node_removed(e, c->slot, c->generation);
	records_removed(e, c->slot);
	alarms_gone(e, c->name);
	watches_forget_node(e, c->slot);
	checks_forget_node(e, c->slot);
	software_forget_node(e, c->name);
	repair_node_gone(e, c->slot);
	publish_node_gone(e, c->slot);
	stats_gone(e, c->slot);
	state_free(e->nodes[c->slot]);
	e->nodes[c->slot] = NULL;
	if (e->judge)
		judge_node_remove(e->judge, c->slot, clock_mono_ms());
}

/* Another wanted state of a node that stays: without a BMC nothing of one is known any more; in maintenance nothing is called. */
static void node_changed(struct engine *e, uint32_t slot)
{
	struct node_state *s = e->nodes[slot];

	if (!e->model.nodes[slot].config.bmc.family) {
		sensors_clear(e, slot);
		alarms_withdraw(e, e->model.nodes[slot].config.head.name, "bmc", "session");
		alarms_withdraw(e, e->model.nodes[slot].config.head.name, "bmc", "security");
		records_findings_clear(e, slot);
		s->bmc_finding[0] = '\0';
		s->bmc_heard = false;
		s->bmc_state = BMC_NA;
		s->power = POWER_UNKNOWN;
	}
	if (!e->loaded)
		return;
	samples_alarms(e, slot);
	sensors_alarms(e, slot);
	watches_alarms(e, slot);
	checks_alarms(e, slot);
	judgement_level(e, slot);
}

static void node_added(struct engine *e, const struct model_change *c)
{
	if (!e->nodes[c->slot])
		e->nodes[c->slot] = state_new();
	else
		node_changed(e, c->slot);
	publish_node(e, c->slot);
}

void states_apply(struct engine *e, const struct model_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		const struct model_change *c = &changes->changes[i];

		if (c->what != CONFIG_CHANGED)
			persist_slot(e, c);
		if (c->kind == CONFIG_GROUP) {
			if (c->what == CONFIG_REMOVED) {
				struct group_row row = {.head = {.slot = c->slot}};
				board_put(e->board, BOARD_GROUP, &row);
				alarms_gone(e, c->name);
			}
			e->groups[c->slot].dirty = true;
			continue;
		}
		if (c->what == CONFIG_REMOVED)
			node_removed(e, c);
		else
			node_added(e, c);
	}
	items_apply(e);
	e->last_change_wall_ms = clock_wall_ms();
	publish_cluster(e);
	if (!e->loaded)
		return;
	states_domains(e);
	targets_objects_changed(e);
	targets_domains_changed(e);
	for (size_t i = 0; i < changes->count; i++) {
		const struct model_change *c = &changes->changes[i];
		if (c->kind == CONFIG_NODE && c->what != CONFIG_REMOVED)
			targets_node_changed(e, c->slot);
	}
}

static void judge_learns_node(struct engine *e, const struct model_node *n, int64_t now)
{
	struct judge_node j = {.generation = n->generation, .bmc = n->config.bmc.family != 0,
			       .port = n->config.switch_name[0] && n->config.switch_port, .poll_bmc = false,
			       .hash = (uint32_t)text_hash(n->config.head.name, strlen(n->config.head.name))};

	for (int i = 0; i < TARGET_DOMAINS; i++)
		if (n->domains[i] != NO_SLOT)
			j.domains[j.ndomains++] = n->domains[i];
	if (judge_node_set(e->judge, n->slot, &j, now))
		log_error("judge: node %s does not fit", n->config.head.name);
	judgement_wanted(e, n->slot);
}

void states_domains(struct engine *e)
{
	int64_t now = clock_mono_ms();

	for (uint32_t d = 0; d < e->model.domain_top; d++) {
		const struct model_domain *m = &e->model.domains[d];
		if (m->used)
			judge_domain_set(e->judge, d, m->kind, m->reference.family ? 1 : 0);
		else
			judge_domain_remove(e->judge, d, now);
	}
	for (uint32_t s = 0; s < e->model.node_top; s++)
		if (e->model.nodes[s].generation && e->nodes[s])
			judge_learns_node(e, &e->model.nodes[s], now);
	judgement_kick(e);
}

void life_save(struct engine *e, uint32_t slot)
{
	const struct node_state *s = e->nodes[slot];
	char key[64], guid[33] = "";

	if (s->guid_known)
		text_hex(s->guid, sizeof s->guid, guid, sizeof guid);
	json_t *o = json_pack("{s:i,s:i,s:s,s:s,s:s,s:b,s:s}", "v", 1, "generation", (int)e->model.nodes[slot].generation, "life",
			      life_name(s->life), "wanted_power", power_name((int)s->wanted_power), "guid", guid, "locked", s->locked,
			      "locked_why", s->locked_why);
	json_t *known = peers_json(s);
	if (known)
		json_object_set_new(o, "snmp_engine", known);
	char *text = json_dumps(o, JSON_COMPACT);

	json_decref(o);
	text_format(key, sizeof key, "/life/node/%u", slot);
	store_put(e->store, key, text, NULL, NULL);
	free(text);
}

void life_read(struct engine *e, uint32_t slot, const char *json)
{
	struct node_state *s = e->nodes[slot];
	json_t *o = json_loads(json, 0, NULL);
	const char *life, *wanted, *guid, *why;
	int generation, locked;

	if (o && !json_unpack(o, "{s:i,s:s,s:s,s:s,s:b,s:s}", "generation", &generation, "life", &life, "wanted_power", &wanted, "guid", &guid,
			      "locked", &locked, "locked_why", &why) &&
	    (uint32_t)generation == e->model.nodes[slot].generation) {
		int stage = words_value(WORDS_LIFE, life), power = words_value(WORDS_POWER, wanted);
		s->life = stage ? (uint8_t)stage : LIFE_READY;
		s->wanted_power = power ? (enum power)power : POWER_UNKNOWN;
		s->guid_known = text_hex_bytes(guid, s->guid, sizeof s->guid) == sizeof s->guid;
		s->locked = locked;
		text_copy(s->locked_why, sizeof s->locked_why, why);
		peers_read(s, json_object_get(o, "snmp_engine"));
	}
	json_decref(o);
}
