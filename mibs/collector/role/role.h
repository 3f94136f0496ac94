/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of glory-collector share: the parts of the role and who drives what. main.c turns the loop. */
#ifndef GLORY_COLLECTOR_ROLE_H
#define GLORY_COLLECTOR_ROLE_H

#include "board/messages.h"
#include "mibs/collector/echo.h"
#include "mibs/collector/engine.h"
#include "mibs/collector/userland.h"
#include "mibs/collector/watch.h"
#include "proc/role.h"

/* Slots of the SNMP engine: nodes first, then switches. Slots of echo: nodes, then reference targets. */
enum {
	SWITCH_MAX = 1024,
	ENGINE_SLOTS = NODE_MAX + SWITCH_MAX,
	DOMAIN_IDS = 4096,
	REFERENCE_MAX = 4096,
	REFERENCE_SLOT = NODE_MAX
};

struct target {
	bool used, kept; /* kept: seen since TARGETS_BEGIN */
	uint32_t generation;
	uint16_t userland_port;
	struct address address;
	struct credential *credential;
	struct watch_node node;
	char name[NAME_SIZE];
};

/* What every answer asks for, so close together that it stays cached. */
struct target_mark {
	uint16_t generation; /* low bits */
	uint8_t state;	     /* enum target_state as the engine was told; 0 nothing yet */
	bool used;
};

struct outbox; /* report.c */
struct ports;  /* ports.c */
struct references;
struct link;
struct traps;
struct items;

struct collector {
	struct role_context *context;
	struct engine *engine;
	struct echo *echo;
	struct userland *userland;
	struct watch *watch;
	struct outbox *outbox;
	struct ports *ports;
	struct references *references;
	struct link *link;
	struct traps *traps;
	struct items *items;
	struct target *targets; /* NODE_MAX, as the marks */
	struct target_mark *marks;
	struct credential **credentials;
	size_t credential_count;
	int64_t now; /* of this turn of the loop */
	uint64_t values_sent;
};

static inline struct target *target_at(struct collector *c, uint32_t slot)
{
	return slot < NODE_MAX && c->targets[slot].used ? &c->targets[slot] : NULL;
}

/* targets.c: what is watched, and with which secrets */
void targets_begin(struct collector *c);
void targets_take(struct collector *c, const struct msg_target *m);
void targets_end(struct collector *c);
void targets_remove(struct collector *c, uint32_t slot, uint32_t generation);
void targets_objects(struct collector *c, const struct msg_object *objects, size_t count);
void targets_secret(struct collector *c, const struct msg_secret *m);
/* Why a node cannot be read, or that it can: told on change. */
void targets_state(struct collector *c, uint32_t slot, enum target_state state);
/* Now and then: secrets that were missing or wrong are asked for again, so that mending the file is enough. */
void targets_missing_secrets(struct collector *c);
/* The credential of this description, asked for at the supervisor when it is new. Never NULL, lives as long as the
 * role. */
struct credential *targets_credential(struct collector *c, const char *name, const char *user, uint8_t version,
				      uint8_t auth, uint8_t priv);

/* report.c: everything that goes to the engine role, gathered into packets */
struct outbox *outbox_new(struct collector *c);
void outbox_free(struct outbox *o);
/* Room for an answer with up to so many samples, which is filled in place; its count tells at the end how many there are. */
struct msg_samples *outbox_samples(struct outbox *o, size_t count, int64_t now);
void outbox_samples_end(struct outbox *o, const struct msg_samples *answer);
void outbox_witness(struct outbox *o, const struct witness_report *m);
void outbox_instance(struct outbox *o, const struct msg_instance *m);
void outbox_facts(struct outbox *o, const struct msg_node_facts *m);
void outbox_port(struct outbox *o, const struct msg_port_state *m);
void outbox_trap(struct outbox *o, const struct msg_trap *m);
void outbox_target_state(struct outbox *o, const struct msg_target_state *m);
void outbox_watch(struct outbox *o, const struct msg_watch_state *m);
void outbox_reference(struct outbox *o, const struct msg_reference_state *m);
/* Sends what is there; samples wait for up to 100 ms, the rest goes at once. */
void outbox_turn(struct outbox *o, int64_t now);

/* processes.c: process watches and top lists */
void processes_start(struct collector *c);
void processes_watches(struct collector *c, const struct msg_watch *watches, size_t count);
void processes_scope(struct collector *c, const struct msg_watch_scope *scopes, size_t count);
void processes_top(struct collector *c, const struct msg_top_ask *ask);

/* ports.c: switch ports of nodes */
struct ports *ports_new(struct collector *c);
void ports_free(struct ports *p);
void ports_take(struct ports *p, const struct msg_port *m, size_t count);
void ports_ask(struct ports *p, uint32_t slot, uint32_t generation, int64_t now);
void ports_forget(struct ports *p, uint32_t slot);
void ports_answer(struct ports *p, uint32_t engine_slot, const struct query *query, const struct query_value *values,
		  int64_t now);
void ports_turn(struct ports *p, int64_t now);

/* references.c: reference targets of domains */
struct references *references_new(struct collector *c);
void references_free(struct references *r);
void references_take(struct references *r, const struct msg_reference *m, size_t count);
void references_ask(struct references *r, uint32_t domain, int64_t now);
void references_answer(struct references *r, uint32_t index, const union endpoint *from, int64_t now);
void references_turn(struct references *r, int64_t now);

/* traps.c: traps and informs of nodes, BMCs, switches and PDUs. fd is taken; -1: no listener, who may send is kept */
struct traps *traps_new(struct collector *c, int fd);
void traps_free(struct traps *t);
void traps_node(struct traps *t, uint32_t slot); /* the target of this slot is new, changed or gone */
void traps_sources(struct traps *t, const struct msg_trap_source *m, size_t count);
void traps_engine(struct traps *t, const struct msg_snmp_engine *own, int64_t now);
void traps_credential_changed(struct traps *t, const struct credential *credential);
void traps_second(struct traps *t); /* once a second: the counts, when they have changed */
/* items.c: items of the wanted state, and which node is asked for which */
struct items *items_start(struct collector *c);
void items_stop(struct items *i);
void items_take(struct items *i, const struct msg_item *m, size_t count);
void items_scope(struct items *i, const struct msg_item_scope *m, size_t count);
void items_target(struct items *i, uint32_t slot); /* the SNMP engine may know this node anew */
void items_second(struct items *i);                /* now and then tells what they cost */

/* link.c: the appliance's own link, as far as the routes to the nodes use it */
struct link *link_new(void);
void link_free(struct link *l);
int link_fd(const struct link *l);
/* One host whose route counts. Up to 256 are kept, others are left out. */
void link_host(struct link *l, const struct address *host);
void link_forget_hosts(struct link *l);
/* Reads what the kernel tells and looks at the routes again when it is time. False: every interface in use has no
 * carrier. */
bool link_up(struct link *l, int64_t now);

#endif
