/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pools: which nodes are lent to services, which of them are fit and free. */
#ifndef GLORY_ENGINE_POOLS_H
#define GLORY_ENGINE_POOLS_H

#include "engine/engine.h"
#include "service/plan.h"

struct service;
struct pools;

struct pool_counts {
	uint32_t nodes, free, allocated, unfit, coming_back, reserve, wanted_more, spares;
};

void pools_apply(struct engine *e);
/* In the pool of that name? */
bool pools_has(struct engine *e, const char *pool, uint32_t slot);
void pools_count(struct engine *e, const char *pool, struct pool_counts *out);
void pools_wanted(struct engine *e, const char *pool, uint32_t more, uint32_t spares); /* asked for and not to be had; worth having */
/* Why a node cannot take a member now; NULL: it can. */
const char *pools_unfit(struct engine *e, uint32_t slot);
/* Up to `most` nodes that a service may take, spread over racks; when there are no free ones, and it lacks its minimum, nodes that carry other
 * services without being in each other's way. Caller frees. */
struct plan_offer *pools_offers(struct engine *e, const struct service *s, uint32_t most, size_t *count);
void pools_publish(struct engine *e);

#endif
