/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Slots, groups and domains of the wanted state; see model.h. The engine calls it. */
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/memory.h"
#include "base/text.h"

struct model_index {
	char key[NAME_SIZE + 2]; /* "n/name", "g/name", "1/name" for a domain of kind 1 */
	uint32_t slot, generation;
	bool restored; /* known from the store, no object has claimed it yet */
	UT_hash_handle hh;
};

static void make_key(char *key, char kind, const char *name)
{
	memset(key, 0, NAME_SIZE + 2);
	text_format(key, NAME_SIZE + 2, "%c/%s", kind, name);
}

static struct model_index *lookup(const struct model *m, char kind, const char *name)
{
	char key[NAME_SIZE + 2];
	struct model_index *i;

	make_key(key, kind, name);
	HASH_FIND_STR(m->index, key, i);
	return i;
}

static struct model_index *enter(struct model *m, char kind, const char *name, uint32_t slot, uint32_t generation)
{
	struct model_index *i = mem_zalloc(sizeof *i);

	make_key(i->key, kind, name);
	i->slot = slot;
	i->generation = generation;
	HASH_ADD_STR(m->index, key, i);
	return i;
}

static void strike(struct model *m, struct model_index *i)
{
	HASH_DEL(m->index, i);
	free(i);
}

void model_init(struct model *m)
{
	memset(m, 0, sizeof *m);
	cluster_init(&m->wanted);
	m->nodes = mem_array(NODE_MAX, sizeof m->nodes[0]);
	m->groups = mem_array(MODEL_GROUPS, sizeof m->groups[0]);
	m->domains = mem_array(MODEL_DOMAINS, sizeof m->domains[0]);
	m->next_generation = 1;
}

void model_free(struct model *m)
{
	struct model_index *i, *next;

	HASH_ITER(hh, m->index, i, next) strike(m, i);
	cluster_clear(&m->wanted);
	free(m->nodes);
	free(m->groups);
	free(m->domains);
}

static char kind_letter(enum config_kind kind)
{
	return kind == CONFIG_NODE ? 'n' : 'g';
}

bool model_restore_slot(struct model *m, enum config_kind kind, const char *name, uint32_t slot, uint32_t generation)
{
	uint32_t limit = kind == CONFIG_NODE ? NODE_MAX : MODEL_GROUPS;

	if (slot >= limit || generation == 0 || lookup(m, kind_letter(kind), name) ||
	    (kind == CONFIG_NODE ? m->nodes[slot].slot : m->groups[slot].slot))
		return false;
	enter(m, kind_letter(kind), name, slot, generation)->restored = true;
	if (generation >= m->next_generation)
		m->next_generation = generation + 1;
	if (kind == CONFIG_NODE)
		m->nodes[slot].slot = slot + 1; /* marks it taken until its object claims it */
	else
		m->groups[slot].slot = slot + 1;
	return true;
}

static void note(struct model_changes *c, enum config_kind kind, enum config_change_what what, uint32_t slot, uint32_t generation,
		 const char *name)
{
	if (c->count == c->room) {
		c->room = c->room ? c->room * 2 : 64;
		c->changes = mem_grow(c->changes, c->room, sizeof c->changes[0]);
	}
	struct model_change *n = &c->changes[c->count++];
	*n = (struct model_change){.kind = kind, .what = what, .slot = slot, .generation = generation};
	text_copy(n->name, sizeof n->name, name);
}

/* Slot of an object: the one it had, or the lowest free one. */
static struct model_index *claim(struct model *m, enum config_kind kind, const char *name, bool *is_new)
{
	struct model_index *i = lookup(m, kind_letter(kind), name);
	uint32_t limit = kind == CONFIG_NODE ? NODE_MAX : MODEL_GROUPS, slot = 0;

	*is_new = !i;
	if (i) {
		*is_new = i->restored;
		return i;
	}
	while (slot < limit && (kind == CONFIG_NODE ? m->nodes[slot].generation || m->nodes[slot].slot
						    : m->groups[slot].generation || m->groups[slot].slot))
		slot++;
	if (slot == limit)
		return NULL; /* cluster_check() has refused more objects than slots */
	return enter(m, kind_letter(kind), name, slot, m->next_generation++);
}

static void take_group(struct model *m, const struct config_group *c, struct model_changes *changes)
{
	bool is_new;
	struct model_index *i = claim(m, CONFIG_GROUP, c->head.name, &is_new);

	if (!i)
		return;
	struct model_group *g = &m->groups[i->slot];
	bool differs = is_new || memcmp(&g->config, c, sizeof *c);
	g->slot = i->slot;
	g->generation = i->generation;
	g->config = *c;
	i->restored = false;
	if (i->slot >= m->group_top)
		m->group_top = i->slot + 1;
	if (differs)
		note(changes, CONFIG_GROUP, is_new ? CONFIG_ADDED : CONFIG_CHANGED, g->slot, g->generation, c->head.name);
}

static void take_node(struct model *m, const struct config_node *c, struct model_changes *changes)
{
	bool is_new;
	struct model_index *i = claim(m, CONFIG_NODE, c->head.name, &is_new);

	if (!i)
		return;
	struct model_node *n = &m->nodes[i->slot];
	bool differs = is_new || memcmp(&n->config, c, sizeof *c);
	n->slot = i->slot;
	n->generation = i->generation;
	n->config = *c;
	i->restored = false;
	if (i->slot >= m->node_top)
		m->node_top = i->slot + 1;
	if (differs)
		note(changes, CONFIG_NODE, is_new ? CONFIG_ADDED : CONFIG_CHANGED, n->slot, n->generation, c->head.name);
}

static void drop_missing(struct model *m, struct model_changes *changes)
{
	struct model_index *i, *next;

	HASH_ITER(hh, m->index, i, next)
	{
		enum config_kind kind = i->key[0] == 'n' ? CONFIG_NODE : CONFIG_GROUP;
		if ((i->key[0] != 'n' && i->key[0] != 'g') || cluster_find(&m->wanted, kind, i->key + 2))
			continue;
		note(changes, kind, CONFIG_REMOVED, i->slot, i->generation, i->key + 2);
		if (kind == CONFIG_NODE)
			memset(&m->nodes[i->slot], 0, sizeof m->nodes[0]);
		else
			memset(&m->groups[i->slot], 0, sizeof m->groups[0]);
		strike(m, i);
	}
}

/* The slot of a domain that was gone already at the change before, so that everyone has heard of it; else a fresh one. */
static uint32_t idle_domain(struct model *m)
{
	for (uint32_t d = 0; d < m->domain_top && m->idle_count; d++) {
		struct model_domain *old = &m->domains[d];
		struct model_index *i = old->idle ? lookup(m, (char)('0' + old->kind), old->name) : NULL;

		if (!i)
			continue;
		strike(m, i);
		old->idle = false;
		m->idle_count--;
		return d;
	}
	return m->domain_top;
}

static uint32_t domain(struct model *m, enum domain_kind kind, const char *name, const struct address *reference)
{
	char letter = (char)('0' + kind);
	struct model_index *i = lookup(m, letter, name);

	if (!i) {
		uint32_t slot = idle_domain(m);

		if (slot == m->domain_top && m->domain_top++ == MODEL_DOMAINS) {
			m->domain_top = MODEL_DOMAINS;
			return NO_SLOT;
		}
		i = enter(m, letter, name, slot, 1);
	}
	struct model_domain *d = &m->domains[i->slot];
	if (d->idle) {
		d->idle = false;
		m->idle_count--;
	}
	if (!d->used) {
		*d = (struct model_domain){.slot = i->slot, .used = true, .kind = kind};
		text_copy(d->name, sizeof d->name, name);
	}
	if (reference)
		d->reference = *reference;
	return i->slot;
}

static void build_domains(struct model *m)
{
	const struct config_switch *switches = m->wanted.objects[CONFIG_SWITCH];
	const struct config_pdu *pdus = m->wanted.objects[CONFIG_PDU];

	m->idle_count = 0;
	for (uint32_t d = 0; d < m->domain_top; d++) {
		m->domains[d].members = 0;
		m->domains[d].idle = !m->domains[d].used;
		m->idle_count += m->domains[d].idle;
		m->domains[d].used = false;
	}
	domain(m, DOMAIN_SITE, m->wanted.site, NULL);
	for (size_t i = 0; i < m->wanted.count[CONFIG_SWITCH]; i++)
		domain(m, DOMAIN_SWITCH, switches[i].head.name, &switches[i].address);
	for (size_t i = 0; i < m->wanted.count[CONFIG_PDU]; i++)
		domain(m, DOMAIN_PDU, pdus[i].head.name, &pdus[i].address);
	for (uint32_t g = 0; g < m->group_top; g++)
		if (m->groups[g].generation) {
			m->groups[g].members = 0;
			m->groups[g].domain = domain(m, DOMAIN_GROUP, m->groups[g].config.head.name, &m->groups[g].config.reference);
		}
}

static void join(struct model *m, struct model_node *n, int place, uint32_t d)
{
	n->domains[place] = d;
	if (d != NO_SLOT)
		m->domains[d].members++;
}

static void place_nodes(struct model *m)
{
	for (uint32_t s = 0; s < m->node_top; s++) {
		struct model_node *n = &m->nodes[s];
		if (!n->generation)
			continue;
		struct model_group *g = model_group(m, n->config.group);
		n->group_slot = g ? g->slot : NO_SLOT;
		if (g)
			g->members++;
		join(m, n, 0, g ? g->domain : NO_SLOT);
		join(m, n, 1, n->config.switch_name[0] ? domain(m, DOMAIN_SWITCH, n->config.switch_name, NULL) : NO_SLOT);
		join(m, n, 2, n->config.rack[0] ? domain(m, DOMAIN_RACK, n->config.rack, NULL) : NO_SLOT);
		join(m, n, 3, n->config.pdu[0] ? domain(m, DOMAIN_PDU, n->config.pdu, NULL) : NO_SLOT);
		join(m, n, 4, domain(m, DOMAIN_SITE, m->wanted.site, NULL));
	}
}

void model_apply(struct model *m, struct cluster *next, struct model_changes *changes)
{
	cluster_clear(&m->wanted);
	m->wanted = *next;
	cluster_init(next);
	drop_missing(m, changes);
	const struct config_group *groups = m->wanted.objects[CONFIG_GROUP];
	const struct config_node *nodes = m->wanted.objects[CONFIG_NODE];

	for (size_t i = 0; i < m->wanted.count[CONFIG_GROUP]; i++)
		take_group(m, &groups[i], changes);
	for (size_t i = 0; i < m->wanted.count[CONFIG_NODE]; i++)
		take_node(m, &nodes[i], changes);
	m->node_count = (uint32_t)m->wanted.count[CONFIG_NODE];
	m->group_count = (uint32_t)m->wanted.count[CONFIG_GROUP];
	build_domains(m);
	place_nodes(m);
}

struct model_node *model_node(struct model *m, const char *name)
{
	struct model_index *i = lookup(m, 'n', name);

	return i && m->nodes[i->slot].generation ? &m->nodes[i->slot] : NULL;
}

struct model_group *model_group(struct model *m, const char *name)
{
	struct model_index *i = lookup(m, 'g', name);

	return i && m->groups[i->slot].generation ? &m->groups[i->slot] : NULL;
}

struct model_node *model_node_at(struct model *m, uint32_t slot, uint32_t generation)
{
	if (slot >= NODE_MAX || generation == 0 || m->nodes[slot].generation != generation)
		return NULL;
	return &m->nodes[slot];
}
