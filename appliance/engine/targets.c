/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the collector and the BMC role are told to watch: the whole list when they start, single changes afterwards. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "engine/items.h"
#include "engine/records.h"
#include "engine/traps.h"
#include "engine/watches.h"

#define SMALL_SITE 1000 /* below, sensors are read every 30 s */
#define INTERVAL_S 10   /* of items that nobody has changed */
#define INTERVAL_MAX_S 3600


void targets_send_array(struct engine *e, enum role role, uint16_t type, const void *array, size_t count, size_t element)
{
	size_t fits = CHANNEL_BODY_MAX / element, at = 0, n;

	do {
		n = count - at < fits ? count - at : fits;
		engine_send(e, role, type, (const char *)array + at * element, n * element);
		at += n;
	} while (n == fits);
}

static void fill_snmp(struct engine *e, const char *credential, uint8_t *version, uint8_t *auth, uint8_t *priv, char *user)
{
	const struct config_snmp *c = cluster_find(&e->model.wanted, CONFIG_SNMP, credential);

	*version = c && c->version == 3 ? SNMP_V3 : SNMP_V2C;
	*auth = c ? c->auth : 0;
	*priv = c ? c->priv : 0;
	text_copy(user, NAME_SIZE, c ? c->user : "");
}

static void fill_target(struct engine *e, const struct model_node *n, struct msg_target *t)
{
	const struct node_state *s = e->nodes[n->slot];

	memset(t, 0, sizeof *t);
	t->slot = n->slot;
	t->generation = n->generation;
	t->address = n->config.address;
	memcpy(t->domains, n->domains, sizeof t->domains);
	t->userland_port = 22;
	t->monitored = !s || s->life != LIFE_RETIRED;
	text_copy(t->name, sizeof t->name, n->config.head.name);
	text_copy(t->credential, sizeof t->credential, n->config.snmp);
	fill_snmp(e, n->config.snmp, &t->version, &t->auth, &t->priv, t->user);
}

static void fill_bmc(struct engine *e, const struct model_node *n, struct msg_bmc_target *t)
{
	const struct config_bmc *c = cluster_find(&e->model.wanted, CONFIG_BMC, n->config.bmc_credential);
	const struct config_bmcmodel *m = cluster_find(&e->model.wanted, CONFIG_BMCMODEL, n->config.bmc_model);
	const struct node_state *s = e->nodes[n->slot];

	memset(t, 0, sizeof *t);
	t->slot = n->slot;
	t->generation = n->generation;
	t->address = n->config.bmc;
	t->workarounds = m ? m->workarounds : 0;
	t->power_interval_s = 30;
	t->sensor_interval_s = e->model.node_count < SMALL_SITE ? 30 : 300;
	t->suite = m && m->suite ? m->suite : c && c->suite ? c->suite : 17;
	t->privilege = c && c->privilege ? c->privilege : 3;
	t->probe_defaults = c && c->probe_defaults;
	t->gap_ms = (uint16_t)(m ? m->gap_ms : 0);
	text_copy(t->name, sizeof t->name, n->config.head.name);
	text_copy(t->credential, sizeof t->credential, n->config.bmc_credential);
	text_copy(t->user, sizeof t->user, c ? c->user : "");
	if (s && s->guid_known)
		memcpy(t->expected_guid, s->guid, sizeof t->expected_guid);
	else
		memcpy(t->expected_guid, n->config.uuid, sizeof t->expected_guid);
}

/* Objects of a table, and all scalars, are read together: as often as the item that is wanted most often. */
uint16_t targets_interval_s(const struct engine *e, unsigned table)
{
	uint32_t least = INTERVAL_MAX_S;

	for (unsigned i = 0; i < item_definition_count; i++) {
		if (item_definitions[i].table != table || item_definitions[i].item == ITEM_HEARTBEAT)
			continue;
		const struct config_item *c = cluster_find(&e->model.wanted, CONFIG_ITEM, item_definitions[i].name);
		uint32_t interval = c && c->interval_s ? c->interval_s : INTERVAL_S;
		least = interval < least ? interval : least;
	}
	return (uint16_t)least;
}

static void fill_object(const struct engine *e, struct msg_object *m, const struct object_definition *o)
{
	memset(m, 0, sizeof *m);
	m->object = o->object;
	m->table = o->table;
	m->interval_s = targets_interval_s(e, o->table);
	m->shape = o->table == TABLE_NONE ? OBJECT_SCALAR : o->name_column ? OBJECT_NAME_COLUMN : OBJECT_COLUMN;
	m->oid_length = o->oid_length;
	memcpy(m->oid, o->oid, sizeof o->oid);
	if (o->table == TABLE_DISKIO && o->name_column)
		text_copy(m->filter, sizeof m->filter, "loop,ram,zram,fd,sr");
	if (o->table == TABLE_IF && o->name_column)
		text_copy(m->filter, sizeof m->filter, "lo,docker,veth,virbr");
	if (o->table == TABLE_DISK && o->name_column) /* hrStorageTable lists memory beside file systems */
		text_copy(m->filter, sizeof m->filter, "Physical,Virtual,Memory,Cached,Available,Shared,Swap,/dev,/run,/sys,/proc");
}

static struct msg_object objects[OBJECT_MAX]; /* as the collector was told last */

static void send_objects(struct engine *e)
{
	for (unsigned i = 0; i < item_object_count; i++)
		fill_object(e, &objects[i], &item_objects[i]);
	targets_send_array(e, ROLE_COLLECTOR, MSG_OBJECTS, objects, item_object_count, sizeof objects[0]);
}

void targets_objects_changed(struct engine *e)
{
	struct msg_object now;

	for (unsigned i = 0; i < item_object_count; i++) {
		fill_object(e, &now, &item_objects[i]);
		if (memcmp(&now, &objects[i], sizeof now) != 0) {
			send_objects(e);
			publish_items(e);
			return;
		}
	}
}

static bool fill_port(struct engine *e, const struct model_node *n, struct msg_port *p)
{
	const struct config_switch *sw = cluster_find(&e->model.wanted, CONFIG_SWITCH, n->config.switch_name);

	if (!sw || !n->config.switch_port)
		return false;
	memset(p, 0, sizeof *p);
	p->slot = n->slot;
	p->generation = n->generation;
	p->switch_slot = n->domains[1];
	p->if_index = n->config.switch_port;
	p->switch_address = sw->address;
	text_copy(p->credential, sizeof p->credential, sw->snmp);
	fill_snmp(e, sw->snmp, &p->version, &p->auth, &p->priv, p->user);
	return true;
}

void targets_domains_changed(struct engine *e)
{
	struct msg_port *ports = mem_array(e->model.node_count, sizeof *ports);
	struct msg_reference *references = mem_array(e->model.domain_top, sizeof *references);
	size_t count = 0, known = 0;

	for (uint32_t s = 0; s < e->model.node_top; s++)
		if (e->model.nodes[s].generation && fill_port(e, &e->model.nodes[s], &ports[count]))
			count++;
	for (uint32_t d = 0; d < e->model.domain_top; d++)
		if (e->model.domains[d].used && e->model.domains[d].reference.family)
			references[known++] = (struct msg_reference){.domain = d, .address = e->model.domains[d].reference};
	targets_send_array(e, ROLE_COLLECTOR, MSG_PORTS, ports, count, sizeof *ports);
	targets_send_array(e, ROLE_COLLECTOR, MSG_REFERENCE, references, known, sizeof *references);
	free(ports);
	free(references);
	traps_sources_changed(e);
}

static void send_target(struct engine *e, enum role role, const struct model_node *n)
{
	struct msg_target target;
	struct msg_bmc_target bmc;

	if (role == ROLE_COLLECTOR) {
		fill_target(e, n, &target);
		engine_send(e, role, MSG_TARGET, &target, sizeof target);
	} else if (n->config.bmc.family) {
		fill_bmc(e, n, &bmc);
		engine_send(e, role, MSG_BMC_TARGET, &bmc, sizeof bmc);
		records_told(e, n->slot);
	}
}

void targets_send_all(struct engine *e, enum role role)
{
	struct msg_targets begin = {.count = e->model.node_count};
	bool collector = role == ROLE_COLLECTOR;

	engine_send(e, role, collector ? MSG_TARGETS_BEGIN : MSG_BMC_TARGETS_BEGIN, &begin, sizeof begin);
	if (collector)
		send_objects(e);
	for (uint32_t s = 0; s < e->model.node_top; s++)
		if (e->model.nodes[s].generation)
			send_target(e, role, &e->model.nodes[s]);
	engine_send(e, role, collector ? MSG_TARGETS_END : MSG_BMC_TARGETS_END, NULL, 0);
	if (!collector)
		return;
	watches_send(e);
	items_send(e);
	targets_domains_changed(e);
	for (uint32_t d = 0; d < e->model.domain_top; d++) {
		struct msg_domain hold = {.domain = d};
		if (e->domain_views[d].state > DOMAIN_STATE_OK)
			engine_send(e, role, MSG_HOLD, &hold, sizeof hold);
	}
}

void targets_node_changed(struct engine *e, uint32_t slot)
{
	const struct model_node *n = &e->model.nodes[slot];
	struct msg_slot gone = {slot, n->generation};

	send_target(e, ROLE_COLLECTOR, n);
	if (n->config.bmc.family)
		send_target(e, ROLE_BMC, n);
	else
		engine_send(e, ROLE_BMC, MSG_BMC_REMOVE, &gone, sizeof gone);
}

void targets_node_removed(struct engine *e, uint32_t slot, uint32_t generation)
{
	struct msg_slot gone = {slot, generation};

	engine_send(e, ROLE_COLLECTOR, MSG_TARGET_REMOVE, &gone, sizeof gone);
	engine_send(e, ROLE_BMC, MSG_BMC_REMOVE, &gone, sizeof gone);
}

void targets_credentials_changed(struct engine *e, const struct config_diff *diff)
{
	bool snmp = false, bmc = false;

	for (size_t i = 0; i < diff->count; i++) {
		snmp = snmp || diff->changes[i].kind == CONFIG_SNMP;
		bmc = bmc || diff->changes[i].kind == CONFIG_BMC || diff->changes[i].kind == CONFIG_BMCMODEL;
	}
	if (snmp && e->loaded)
		targets_send_all(e, ROLE_COLLECTOR);
	if (bmc && e->loaded)
		targets_send_all(e, ROLE_BMC);
}
