/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pools; see pools.h. */
#include "engine/pools.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/repair.h"
#include "engine/role_jobs.h"
#include "engine/scope.h"
#include "engine/services_own.h"
#include "service/arbiter.h"

struct pool {
	char name[NAME_SIZE], nodes[sizeof ((struct config_pool *)0)->nodes];
	uint32_t slot, generation, reserve, wanted_more, spares;
};

struct pools {
	struct pool *list; /* owned */
	size_t count;
	uint16_t *of;      /* by node slot: index + 1; 0 none */
};

static const struct pool *find(const struct engine *e, const char *name)
{
	for (size_t i = 0; e->pools && i < e->pools->count; i++)
		if (!strcmp(e->pools->list[i].name, name))
			return &e->pools->list[i];
	return NULL;
}

static void publish_gone(struct engine *e, const struct pool *p)
{
	struct pool_row row = {.head = {.slot = p->slot}};

	board_put(e->board, BOARD_POOL, &row);
	slots_drop(e, SLOT_POOL, p->name);
}

static void drop_gone(struct engine *e)
{
	for (size_t i = 0; i < e->pools->count; i++)
		if (!cluster_find(&e->model.wanted, CONFIG_POOL, e->pools->list[i].name))
			publish_gone(e, &e->pools->list[i]);
}

/* A node is in one pool at most; the rules of the wanted state see to that. */
static void mark(struct engine *e, const struct config_pool *c, uint16_t number)
{
	uint64_t *masks = mem_array(NODE_MAX, sizeof *masks);

	scope_mark(e, c->nodes, 1, masks);
	for (uint32_t s = 0; s < e->model.node_top; s++)
		if (masks[s])
			e->pools->of[s] = number;
	free(masks);
}

void pools_apply(struct engine *e)
{
	const struct config_pool *wanted = e->model.wanted.objects[CONFIG_POOL];
	size_t count = e->model.wanted.count[CONFIG_POOL];

	if (!e->pools && !count)
		return;
	if (!e->pools) {
		e->pools = mem_zalloc(sizeof *e->pools);
		e->pools->of = mem_array(NODE_MAX, sizeof e->pools->of[0]);
	}
	drop_gone(e);
	free(e->pools->list);
	e->pools->list = mem_array(count + 1, sizeof e->pools->list[0]);
	e->pools->count = 0;
	memset(e->pools->of, 0, NODE_MAX * sizeof e->pools->of[0]);
	for (size_t i = 0; i < count; i++) {
		struct pool *p = &e->pools->list[e->pools->count];
		p->slot = slots_take(e, SLOT_POOL, wanted[i].head.name, &p->generation);
		if (p->slot == NO_SLOT)
			continue;
		text_copy(p->name, sizeof p->name, wanted[i].head.name);
		text_copy(p->nodes, sizeof p->nodes, wanted[i].nodes);
		p->reserve = wanted[i].reserve;
		mark(e, &wanted[i], (uint16_t)++e->pools->count);
	}
}

bool pools_has(struct engine *e, const char *pool, uint32_t slot)
{
	const struct pool *p = find(e, pool);

	return p && slot < NODE_MAX && e->pools->of[slot] == (uint16_t)(p - e->pools->list + 1);
}

const char *pools_unfit(struct engine *e, uint32_t slot)
{
	const struct node_state *s = engine_state(e, slot);
	const struct config_node *c = &e->model.nodes[slot].config;

	if (!s || !e->model.nodes[slot].generation)
		return "the node is not in the cluster";
	if (c->maintenance)
		return "the node is in maintenance";
	if (role_jobs_hold(e, slot))
		return "the node changes its role";
	if (repair_is_listed(e, slot))
		return "the node is on the repair list";
	if (!s->judged || s->verdict.verdict == VERDICT_UNKNOWN)
		return "the node has not been seen yet";
	if (judgement_is_down(e, slot) || s->verdict.verdict == VERDICT_BOOTING || s->verdict.verdict == VERDICT_BOOT_FAILED)
		return "the node does not answer";
	if (s->wanted_power == POWER_OFF || (s->wanted_power == POWER_UNKNOWN && c->wanted_power == POWER_OFF))
		return "the node is to be off";
	return NULL;
}

static bool is_free(struct engine *e, uint32_t slot)
{
	return !e->services->carried[slot] && !pools_unfit(e, slot) && !repair_in_trouble(e, slot) && !e->nodes[slot]->flapping &&
	       e->nodes[slot]->life == LIFE_READY;
}

static uint32_t going_back(const struct engine *e, const struct pool *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < SERVICES_MAX && e->services->count; i++) {
		const struct service *s = e->services->at[i];
		for (size_t k = 0; s && k < s->count && !strcmp(s->config.pool, p->name); k++)
			n += (s->members[k]->m.state == MEMBER_DRAINING || s->members[k]->m.state == MEMBER_RELEASING) && !s->members[k]->m.again;
	}
	return n;
}

void pools_count(struct engine *e, const char *pool, struct pool_counts *out)
{
	const struct pool *p = find(e, pool);

	memset(out, 0, sizeof *out);
	if (!p)
		return;
	uint16_t number = (uint16_t)(p - e->pools->list + 1);
	for (uint32_t slot = 0; slot < e->model.node_top; slot++) {
		if (e->pools->of[slot] != number || !e->nodes[slot])
			continue;
		out->nodes++;
		if (e->services->carried[slot])
			out->allocated++;
		else if (is_free(e, slot))
			out->free++;
		else
			out->unfit++;
	}
	out->coming_back = going_back(e, p);
	out->reserve = p->reserve;
	out->wanted_more = p->wanted_more;
	out->spares = p->spares;
}

void pools_wanted(struct engine *e, const char *pool, uint32_t more, uint32_t spares)
{
	for (size_t i = 0; e->pools && i < e->pools->count; i++)
		if (!strcmp(e->pools->list[i].name, pool)) {
			e->pools->list[i].wanted_more = more;
			e->pools->list[i].spares = spares;
		}
}

/* --- offers ------------------------------------------------------------------------------------------------- */
struct candidate {
	uint32_t slot, neighbours; /* members of the service in its rack and behind its switch */
};

/* How many members of a service stand in each rack and behind each switch: counted once, for all nodes that may be taken. */
struct place {
	const char *name; /* the model's */
	uint32_t members;
	UT_hash_handle hh;
};
struct places {
	struct place *racks, *switches;
};

static void add_place(struct place **all, const char *name)
{
	struct place *p = NULL;

	if (!name[0])
		return;
	HASH_FIND_STR(*all, name, p);
	if (!p) {
		p = mem_zalloc(sizeof *p);
		p->name = name;
		HASH_ADD_KEYPTR(hh, *all, p->name, strlen(p->name), p);
	}
	p->members++;
}

static void free_places(struct place **all)
{
	struct place *p, *next;

	HASH_ITER(hh, *all, p, next) {
		HASH_DEL(*all, p);
		free(p);
	}
}

static uint32_t members_at(struct place *all, const char *name)
{
	struct place *p = NULL;

	if (name[0])
		HASH_FIND_STR(all, name, p);
	return p ? p->members : 0;
}

static struct places places_of(struct engine *e, const struct service *s)
{
	struct places out = {NULL, NULL};

	for (size_t i = 0; i < s->count; i++) {
		const struct config_node *c = s->members[i]->slot != NO_SLOT ? &e->model.nodes[s->members[i]->slot].config : NULL;
		if (!c)
			continue;
		add_place(&out.racks, c->rack);
		add_place(&out.switches, c->switch_name);
	}
	return out;
}

static uint32_t neighbours(struct engine *e, const struct places *p, uint32_t slot)
{
	const struct config_node *c = &e->model.nodes[slot].config;

	return members_at(p->racks, c->rack) + members_at(p->switches, c->switch_name);
}

static int by_place(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->neighbours != y->neighbours)
		return x->neighbours < y->neighbours ? -1 : 1;
	return x->slot < y->slot ? -1 : x->slot > y->slot;
}

/* What leaves a hot node goes where the move was decided for. */
static void put_first(struct candidate *list, size_t count, uint32_t slot)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].slot == slot) {
			struct candidate first = list[i];
			memmove(list + 1, list, i * sizeof *list);
			list[0] = first;
			return;
		}
}

/* Two services on one node must not want the same port, nor be the same thing started twice. */
static bool get_along(const struct service *a, const struct service *b)
{
	if (!strcmp(a->config.agent, b->config.agent) && !strcmp(a->config.parameters, b->config.parameters))
		return false;
	for (size_t i = 0; i < a->virtuals.count; i++)
		for (size_t k = 0; k < b->virtuals.count; k++)
			if (a->virtuals.at[i].member_port == b->virtuals.at[k].member_port)
				return false;
	return true;
}

static bool may_share(struct engine *e, const struct service *s, uint32_t slot)
{
	const char *name = e->model.nodes[slot].config.head.name;

	if (pools_unfit(e, slot) || repair_in_trouble(e, slot) || member_find(s, name))
		return false;
	for (uint32_t i = 0; i < SERVICES_MAX && e->services->carried[slot]; i++) {
		const struct service *other = e->services->at[i];
		if (other && other != s && member_find(other, name) && !get_along(s, other))
			return false;
	}
	return true;
}

static bool lacks_minimum(const struct service *s)
{
	uint32_t live = 0;

	for (size_t i = 0; i < s->count; i++)
		live += s->members[i]->m.state <= MEMBER_IN_SERVICE;
	return live < s->config.min;
}

static size_t collect(struct engine *e, const struct service *s, uint16_t number, bool shared, struct candidate *out)
{
	struct places places = places_of(e, s);
	size_t n = 0;

	for (uint32_t slot = 0; slot < e->model.node_top; slot++) {
		if (e->pools->of[slot] != number || !e->nodes[slot])
			continue;
		if (shared ? !may_share(e, s, slot) : !is_free(e, slot))
			continue;
		if (e->services->hot && hot_barred(&e->services->hot[slot], s->slot + 1, services_clock_s(e)))
			continue;
		out[n++] = (struct candidate){slot, shared ? e->services->carried[slot] : neighbours(e, &places, slot)};
	}
	free_places(&places.racks);
	free_places(&places.switches);
	return n;
}

struct plan_offer *pools_offers(struct engine *e, const struct service *s, uint32_t most, size_t *count)
{
	const struct pool *p = find(e, s->config.pool);

	*count = 0;
	if (!p || !most)
		return NULL;
	struct candidate *list = mem_array(e->model.node_top + 1, sizeof *list);
	uint16_t number = (uint16_t)(p - e->pools->list + 1);
	size_t n = collect(e, s, number, false, list);
	if (n == 0 && lacks_minimum(s))
		n = collect(e, s, number, true, list);
	qsort(list, n, sizeof *list, by_place);
	put_first(list, n, s->move_to);
	if (n > most)
		n = most;
	struct plan_offer *offers = mem_array(n + 1, sizeof *offers);
	for (size_t i = 0; i < n; i++)
		text_copy(offers[i].node, sizeof offers[i].node, e->model.nodes[list[i].slot].config.head.name);
	*count = n;
	free(list);
	return offers;
}

/* --- board ---------------------------------------------------------------------------------------------------- */
void pools_publish(struct engine *e)
{
	for (size_t i = 0; e->pools && i < e->pools->count; i++) {
		const struct pool *p = &e->pools->list[i];
		const struct pool_row *old = board_peek(e->board, BOARD_POOL, p->slot);
		struct pool_counts c;
		struct pool_row row;

		pools_count(e, p->name, &c);
		memset(&row, 0, sizeof row);
		row.head = (struct row_head){.generation = p->generation, .slot = p->slot, .order = p->slot};
		row.nodes = c.nodes;
		row.free = c.free;
		row.allocated = c.allocated;
		row.unfit = c.unfit;
		row.reserve = arbiter_reserve(c.nodes, p->reserve);
		row.wanted_more = c.wanted_more;
		row.spares = c.spares;
		text_copy(row.name, sizeof row.name, p->name);
		text_copy(row.scope, sizeof row.scope, p->nodes);
		row.head.last_change_wall_ms = old ? old->head.last_change_wall_ms : 0;
		if (old && old->head.generation == row.head.generation && !memcmp(old, &row, sizeof row))
			continue;
		row.head.last_change_wall_ms = clock_wall_ms();
		board_put(e->board, BOARD_POOL, &row);
		publish_cluster(e);
	}
}
