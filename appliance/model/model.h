/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine's picture of what there is: wanted state (config/cluster.h) with a slot and a generation for every group, node and
 * domain. Slots are kept over restarts by the store (/slot/KIND/NAME); domains get theirs anew in each life of the engine. */
#ifndef GLORY_MODEL_MODEL_H
#define GLORY_MODEL_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "board/messages.h"
#include "config/cluster.h"

#define MODEL_GROUPS 1000
#define MODEL_DOMAINS 4000

struct model_group {
	uint32_t slot, generation; /* generation 0: free */
	struct config_group config;
	uint32_t domain;
	uint32_t members;
};

struct model_node {
	uint32_t slot, generation; /* generation 0: free */
	struct config_node config;
	uint32_t group_slot;
	uint32_t domains[TARGET_DOMAINS]; /* group, switch, rack, pdu, site; NO_SLOT where none */
};

struct model_domain {
	uint32_t slot;
	bool used, idle; /* idle: unused since before the last change; its slot may go to another */
	enum domain_kind kind;
	char name[NAME_SIZE];
	struct address reference; /* family 0: none */
	uint32_t members;
};

struct model {
	struct cluster wanted;
	uint64_t config_generation;
	uint32_t next_generation; /* of slots; grows for ever */
	struct model_node *nodes; /* NODE_MAX, by slot */
	struct model_group *groups; /* MODEL_GROUPS, by slot */
	struct model_domain *domains;
	uint32_t node_count, node_top; /* top: one past the highest slot in use */
	uint32_t group_count, group_top;
	uint32_t domain_top, idle_count;
	struct model_index *index; /* name to slot */
};

/* What one change of the wanted state meant for slots; the engine persists and publishes it. */
struct model_change {
	enum config_kind kind; /* CONFIG_GROUP or CONFIG_NODE */
	enum config_change_what what;
	uint32_t slot, generation;
	char name[NAME_SIZE];
};
struct model_changes {
	struct model_change *changes;
	size_t count, room;
};

void model_init(struct model *model);
void model_free(struct model *model);
/* At start, before model_apply(): a slot as the store has it. False: out of range or taken. */
bool model_restore_slot(struct model *model, enum config_kind kind, const char *name, uint32_t slot, uint32_t generation);
/* Takes over `wanted` (moved out of *next, which is left empty): slots for what is new, free slots for what is gone, domains built
 * anew where something changed. Changes are appended to *changes (caller frees .changes). */
void model_apply(struct model *model, struct cluster *next, struct model_changes *changes);
struct model_node *model_node(struct model *model, const char *name);   /* NULL: no such node */
struct model_group *model_group(struct model *model, const char *name);
struct model_node *model_node_at(struct model *model, uint32_t slot, uint32_t generation); /* NULL: no longer there */
/* A range with @group, @site, @down and the like expanded to node names; see model/select.c. 0, ERR_NOT_FOUND, ERR_CONFIG. */
struct model_selection {
	uint32_t *slots; /* owned */
	size_t count;
};
int model_select(struct model *model, const char *range, bool (*is_down)(void *arg, uint32_t slot), void *arg, struct model_selection *out,
		 struct error *e);

#endif
