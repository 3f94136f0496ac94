/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Balancers: the picture of all services on each of them, brought there by a driver program, one run at a time, the newest picture wins; read
 * back after each change and in between, so that what was changed by hand is found, set right and counted. Directors of a pair both get the
 * picture. The driver compares and writes the smallest difference; here is only what is wanted, when, and what came of it. */
#ifndef GLORY_ENGINE_BALANCERS_H
#define GLORY_ENGINE_BALANCERS_H

#include "engine/engine.h"

void balancers_apply(struct engine *e);  /* the wanted state is another one */
void balancers_loaded(struct engine *e); /* services are read: what stands at the balancers is compared */
void balancers_changed(struct engine *e, const char *balancer); /* its picture may be another one: brought there at once if so */
void balancers_tick(struct engine *e);   /* once a second */
/* Whether nothing of it is known to be wanted: no such balancer any more, so nobody waits for it. */
bool balancers_is_gone(struct engine *e, const char *balancer);
bool balancers_counts(struct engine *e, const char *balancer); /* it tells connections */
bool balancers_has(struct engine *e, const char *name);
/* Whether a balancer may be removed: 0, or ERR_NOT_NOW when it does not answer (its virtual servers cannot be taken away) and the actor has not said
 * yes, or when it is on its way out already. */
int balancers_removal(struct engine *e, const char *name, bool yes, struct error *err);
/* Forgets at once a removed balancer that does not answer, its alarm with it: returns how many virtual servers may still stand there, 0: there was
 * nothing to be forgotten, it goes by itself. */
size_t balancers_forget(struct engine *e, const char *name);
void balancers_restore(struct engine *e, const char *name, const char *json); /* "/balancer/NAME": virtual servers that were set there */
void balancers_query(struct engine *e, enum role face, const struct msg_query *q); /* QUERY_BALANCER */
void balancers_publish(struct engine *e);

#endif
