/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Items of the wanted state as the engine role gives them, kept by slot so that a node that comes to the SNMP engine later, or anew, has
 * its own; and what they cost, told back. */
#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "mibs/collector/items.h"
#include "mibs/collector/role/role.h"

enum { COSTS_EACH = 10 /* seconds */ };

struct scope {
	uint32_t generation;
	uint64_t items;
};

struct items {
	struct collector *owner;
	struct scope *scopes; /* NODE_MAX */
	unsigned seconds;
	bool any;
};

struct items *items_start(struct collector *c)
{
	struct items *i = mem_zalloc(sizeof *i);

	i->owner = c;
	i->scopes = mem_array(NODE_MAX, sizeof *i->scopes);
	return i;
}

void items_stop(struct items *i)
{
	if (!i)
		return;
	free(i->scopes);
	free(i);
}

void items_take(struct items *i, const struct msg_item *m, size_t count)
{
	if (!engine_items(i->owner->engine, m, count, i->owner->now))
		log_error("collector: an item is not sound: left out");
	i->any = count > 0;
	i->seconds = 0;
}

void items_target(struct items *i, uint32_t slot)
{
	const struct target *t = target_at(i->owner, slot);

	if (t)
		engine_item_scope(i->owner->engine, slot, t->generation == i->scopes[slot].generation ? i->scopes[slot].items : 0,
				  i->owner->now);
}

void items_scope(struct items *i, const struct msg_item_scope *m, size_t count)
{
	for (size_t n = 0; n < count; n++) {
		if (m[n].slot >= NODE_MAX)
			continue;
		i->scopes[m[n].slot] = (struct scope){m[n].generation, m[n].items};
		items_target(i, m[n].slot);
	}
	i->seconds = 0;
}

void items_second(struct items *i)
{
	struct msg_item_cost costs[ITEMS_MAX];

	if (!i->any || i->seconds++ % COSTS_EACH != 1) /* a second after a change, too */
		return;
	size_t count = engine_item_costs(i->owner->engine, costs);
	if (count)
		channel_send(i->owner->context->engine, MSG_ITEM_COST, costs, count * sizeof *costs);
}
