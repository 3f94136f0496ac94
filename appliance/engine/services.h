/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Services: the hands of the planner (service/plan.h). Wanted state and what is seen of members go in; what it plans is stored, then done: runs on
 * nodes, pictures for balancers, probes, lives of nodes, alarms, board rows. Nothing is done while there is no service.
 * services.c applies and ticks, services_members.c sees and acts, services_store.c remembers, services_size.c decides sizes and weights,
 * services_publish.c shows. main.c, start.c, edits.c and judgement.c call this header; balancers.c and repair.c read services_own.h. */
#ifndef GLORY_ENGINE_SERVICES_H
#define GLORY_ENGINE_SERVICES_H

#include "engine/engine.h"

void services_start(struct engine *e);
/* At start: "/slot/{pool,service,balancer}/NAME" (kind_and_name: "service/web"), "/service/NAME...", "/repair/NODE". */
void services_restore_slot(struct engine *e, const char *kind_and_name, uint32_t slot, uint32_t generation);
bool services_has_slots(const char *kind_and_name); /* of these kinds */
void services_restore(struct engine *e, const char *key, const char *json);
void services_loaded(struct engine *e); /* everything is read: begin */
void services_apply(struct engine *e);  /* the wanted state is another one */
void services_tick(struct engine *e);   /* once a second */
void services_verdict(struct engine *e, uint32_t slot); /* of a node has changed: planned anew at once when it carries a member */
void services_kick(struct engine *e);   /* plan soon: something has come back */
/* "start", "stop", "restart" of services (names with commas): stored, then done. 0 or a negative error. */
int services_act(struct engine *e, const char *target, const char *act, struct error *err);
void services_explain(struct engine *e, enum role face, const struct msg_query *q); /* QUERY_SERVICE_EXPLAIN */
bool services_alarm_is_there(struct engine *e, const char *object, const char *kind, const char *part); /* for the sweep */
/* The services' names of which a node carries a member, with blanks between; "" none. */
void services_of_node(struct engine *e, uint32_t slot, char *out, size_t size);

#endif
