/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The SNMP engine as its owner sees it: agents, objects, what is asked, the turn of the loop; see engine.h. */
#include "mibs/collector/engine_private.h"
#include "mibs/collector/process.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mibs/collector/items.h"

enum { LOOK_AHEAD = 6 };

static const struct query_want uptime_want = {.oid_length = 9, .oid = {1, 3, 6, 1, 2, 1, 1, 3, 0}};
static const struct query_want fact_wants[] = {
    {.oid_length = 9, .oid = {1, 3, 6, 1, 2, 1, 1, 3, 0}},         /* sysUpTime */
    {.oid_length = 10, .oid = {1, 3, 6, 1, 2, 1, 25, 1, 1, 0}},    /* hrSystemUptime */
    {.oid_length = 9, .oid = {1, 3, 6, 1, 2, 1, 1, 5, 0}},         /* sysName */
    {.oid_length = 11, .oid = {1, 3, 6, 1, 6, 3, 10, 2, 1, 1, 0}}, /* snmpEngineID */
};

/* --- what is asked ------------------------------------------------------------------------------------- */

static struct agent *agent_at(const struct engine *e, uint32_t slot)
{
	return slot < e->slots ? e->agents[slot] : NULL;
}

bool engine_get(struct engine *e, uint32_t slot, uint32_t token, int64_t now)
{
	struct agent *a = agent_at(e, slot);

	return a && engine_request(e, a, EXCHANGE_GET, 0, token, 0, now);
}

/* An agent that answers small requests but three polls in a row not at all: its answers are too large for the path. */
static void note_large_losses(struct engine *e, struct agent *a)
{
	if (a->polls && !a->poll_told && a->small_answered && ++a->unanswered_polls >= 3) {
		plan_halve(e, a);
		a->unanswered_polls = 0;
	}
	a->small_answered = false;
}

void engine_ahead(const struct engine *e, uint32_t slot, bool near)
{
	const struct agent *a = agent_at(e, slot);

	if (a && near)
		__builtin_prefetch(&a->ring[a->sequence % RING], 1);
	else if (a)
		agent_fetch(a);
}

bool engine_poll(struct engine *e, uint32_t slot, uint32_t token, int64_t now)
{
	struct agent *a = agent_at(e, slot);
	bool any = false;

	if (!a || !a->credential || !a->credential->ready)
		return false;
	note_large_losses(e, a);
	if (a->stale)
		plan_make(e, a);
	if (a->polled && now - a->polled > (int64_t)e->poll_ms * 12 / 10)
		e->stats.late_polls++;
	a->polled = now;
	a->poll_token = token;
	a->poll_told = false;
	for (unsigned i = 0; i < a->part_count; i++)
		if (a->polls % a->parts[i]->every == 0 && engine_request(e, a, EXCHANGE_POLL, i, token, 0, now)) {
			any = true;
			e->stats.poll_requests++;
		}
	a->polls++;
	e->stats.polls++;
	return any || engine_request(e, a, EXCHANGE_GET, 0, token, 0, now);
}

struct query *engine_query(struct engine *e, const struct query_want *wants, size_t count)
{
	struct query_want all[QUERY_VARBINDS];

	if (count + 1 > QUERY_VARBINDS)
		return NULL;
	all[0] = uptime_want;
	memcpy(all + 1, wants, count * sizeof *wants);
	return query_get(e->queries, all, count + 1, 1);
}

void engine_query_release(struct engine *e, struct query *query)
{
	query_release(e->queries, query);
}

bool engine_ask(struct engine *e, uint32_t slot, struct query *query, int64_t now)
{
	struct agent *a = agent_at(e, slot);

	if (!a || a->asked)
		return false;
	a->asked = query;
	query->references++;
	if (engine_request(e, a, EXCHANGE_ASK, 0, 0, 0, now))
		return true;
	a->asked = NULL;
	query_release(e->queries, query);
	return false;
}

void engine_asked_done(struct engine *e, struct agent *a, const struct query_value *values, int64_t now)
{
	struct query *query = a->asked;

	a->asked = NULL;
	if (query) {
		e->ops.asked(e->arg, a->slot, query, values, now);
		query_release(e->queries, query);
	}
}

/* --- turn of the loop -------------------------------------------------------------------------------------- */

void engine_receive(struct engine *e, int64_t now)
{
	uint64_t lost = 0;

	for (int i = 0; i < 2; i++)
		if (e->batches[i]) {
			batch_receive(e->batches[i], now);
			lost += batch_stats(e->batches[i])->overflowed;
		}
	if (lost != e->overflowed) {
		e->overflowed = lost;
		e->ops.overflow(e->arg, now);
	}
}

/* Looks at every agent once a second, spread: facts that are wanted, walks that are due again. */
static void look_around(struct engine *e, int64_t now)
{
	int64_t elapsed = now - e->looked > 1000 ? 1000 : now - e->looked;
	uint32_t due = (uint32_t)(e->slots * elapsed / 1000);

	if (elapsed < 10 || !due)
		return;
	e->looked = now;
	for (uint32_t n = due; n; n--) {
		struct agent *a = e->agents[e->look_at];
		engine_ahead(e, e->look_at + LOOK_AHEAD, false);
		e->look_at = (e->look_at + 1) % e->slots;
		if (!a || !a->known || a->bare || now - a->answered > ENGINE_RETRY_MS * 3)
			continue;
		if (a->facts_wait || now - a->facts_at > REFRESH_MS + (int64_t)(a->hash % FACTS_SPREAD_MS)) {
			a->facts_wait = false;
			a->facts_at = now;
			engine_request(e, a, EXCHANGE_FACTS, 0, 0, 0, now);
		}
		if (a->walked && now - a->walked > REFRESH_MS + (int64_t)(a->hash % 30000))
			walk_want(e, a);
		processes_look(e, a, now);
		items_look(e, a, now);
	}
}

void engine_turn(struct engine *e, int64_t now)
{
	exchange_repeat_lost(e, now);
	look_around(e, now);
	items_turn(e, now);
	walk_start_some(e, now);
	tops_turn(e, now);
	exchange_pump(e, now);
	for (int i = 0; i < 2; i++)
		if (e->batches[i])
			batch_flush(e->batches[i]);
}

int64_t engine_next(const struct engine *e, int64_t now)
{
	int64_t items = items_next(e), next = now + 1000;

	if (e->pending_count || (e->walk_count && e->walks_active < WALKS_AT_ONCE)) {
		next = now + INFLIGHT_MS;
	} else if (e->retry_count) {
		int64_t due = now - (uint32_t)((uint32_t)now - e->retries[e->retry_head].sent) + ENGINE_RETRY_MS;
		due = (due + INFLIGHT_MS - 1) / INFLIGHT_MS * INFLIGHT_MS; /* with the heartbeats, not a turn of its own */
		next = due > now ? due : now + 1;
	}
	items = items > now ? items : now + 1;
	return items < next ? items : next;
}

/* --- agents ------------------------------------------------------------------------------------------------ */

static bool endpoint_from(const struct address *address, union endpoint *out)
{
	struct sockaddr_storage storage;
	socklen_t size = address_to_sockaddr(address, &storage);

	if (size == 0 || size > sizeof *out)
		return false;
	memset(out, 0, sizeof *out);
	memcpy(out, &storage, size);
	return true;
}

static void agent_forget(struct engine *e, struct agent *a)
{
	walk_end(e, a);
	walk_forget(a);
	plan_drop(e, a);
	items_forget(e, a);
	facts_forget(e, a);
	v3_forget(a);
	processes_forget(e, a);
	if (a->asked)
		query_release(e->queries, a->asked);
	a->asked = NULL;
	free(a->excluded);
	a->excluded = NULL;
	a->excluded_count = 0;
	memset(a->ring, 0, sizeof a->ring);
}

static struct agent *agent_new(struct engine *e, uint32_t slot, const union endpoint *to)
{
	struct agent *a = mem_zalloc_lines(sizeof *a);

	a->slot = slot;
	a->most_items = FIRST_ITEMS;
	a->stale = true;
	a->to = *to;
	e->agents[slot] = a;
	place_enter(e, a);
	return a;
}

int engine_agent_set(struct engine *e, uint32_t slot, const struct engine_agent *agent, int64_t now)
{
	union endpoint to;

	(void)now;
	if (slot >= e->slots || !endpoint_from(&agent->address, &to))
		return -1;
	struct agent *a = e->agents[slot];
	if (a && (a->generation != agent->generation || !endpoint_same(&a->to, &to, true))) {
		engine_agent_remove(e, slot);
		a = NULL;
	}
	if (!a)
		a = agent_new(e, slot, &to);
	if (a->credential != agent->credential)
		v3_forget(a);
	a->credential = agent->credential;
	a->generation = agent->generation;
	a->hash = agent->hash;
	a->bare = agent->bare;
	return 0;
}

void engine_agent_remove(struct engine *e, uint32_t slot)
{
	struct agent *a = agent_at(e, slot);

	if (!a)
		return;
	agent_forget(e, a);
	place_leave(e, a);
	e->agents[slot] = NULL;
	free(a);
}

void engine_credential_changed(struct engine *e, const struct credential *credential)
{
	for (uint32_t slot = 0; slot < e->slots; slot++)
		if (e->agents[slot] && e->agents[slot]->credential == credential) {
			usm_peer_free(e->agents[slot]->peer);
			e->agents[slot]->peer = NULL;
		}
}

void engine_seed(struct engine *e, const struct msg_snmp_engine *known, int64_t now)
{
	struct agent *a = known->slot < e->slots ? e->agents[known->slot] : NULL;

	if (a && a->generation == known->generation && a->credential && a->credential->version == SNMP_V3 && !a->peer)
		v3_seed(a, known, now);
}

struct usm_peer *engine_peer(const struct engine *e, uint32_t slot)
{
	return slot < e->slots && e->agents[slot] ? e->agents[slot]->peer : NULL;
}

const union endpoint *engine_endpoint(const struct engine *e, uint32_t slot)
{
	const struct agent *a = agent_at(e, slot);

	return a ? &a->to : NULL;
}

void engine_objects(struct engine *e, const struct msg_object *objects, size_t count)
{
	free(e->objects);
	e->objects = mem_array(count ? count : 1, sizeof *objects);
	if (count)
		memcpy(e->objects, objects, count * sizeof *objects);
	e->object_count = count;
	e->table_count = 0;
	e->poll_ms = 0;
	for (size_t i = 0; i < count; i++) {
		uint32_t ms = objects[i].interval_s * 1000u;
		if (ms && (!e->poll_ms || ms < e->poll_ms))
			e->poll_ms = ms;
		if (objects[i].shape == OBJECT_NAME_COLUMN && e->table_count < TABLES_MAX)
			e->tables[e->table_count++] = &e->objects[i];
	}
	for (uint32_t slot = 0; slot < e->slots; slot++) {
		struct agent *a = e->agents[slot];
		if (!a)
			continue;
		walk_end(e, a); /* it points into the old list */
		a->stale = true;
		a->excluded_count = 0;
		if (a->known)
			walk_want(e, a);
	}
}

uint32_t engine_poll_ms(const struct engine *e)
{
	return e->poll_ms;
}

/* --- the engine itself -------------------------------------------------------------------------------------- */

struct engine *engine_new(const struct engine_ops *ops, void *arg, uint32_t slots, const int fds[2],
			  const uint8_t secret[16])
{
	struct engine *e = mem_zalloc(sizeof *e);
	struct batch_owner owner = {engine_datagram, engine_coming, engine_refused, e};

	e->ops = *ops;
	e->arg = arg;
	e->slots = slots;
	memcpy(e->keys, secret, sizeof e->keys);
	e->agents = mem_array(slots, sizeof *e->agents);
	e->pending = mem_array(PENDING_MAX, sizeof *e->pending);
	e->retries = mem_array(RETRIES_MAX, sizeof *e->retries);
	e->walk_queue = mem_array(slots, sizeof *e->walk_queue);
	e->id_heads = mem_array(ID_BUCKETS, sizeof *e->id_heads);
	e->place_heads = mem_array(ID_BUCKETS, sizeof *e->place_heads);
	e->queries = query_set_new();
	e->processes = processes_new();
	e->items = items_new(slots);
	e->get_query = query_get(e->queries, &uptime_want, 1, 1);
	e->facts_query = query_get(e->queries, fact_wants, COUNT_OF(fact_wants), 1);
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			e->batches[i] = batch_new(fds[i], &owner);
	if (fds[0] == -1 && fds[1] == -1)
		e->batches[0] = batch_new(-1, &owner);
	e->window = e->batches[0] ? batch_window(e->batches[0]) : batch_window(e->batches[1]);
	return e;
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	for (uint32_t slot = 0; slot < e->slots; slot++)
		engine_agent_remove(e, slot);
	for (int i = 0; i < 2; i++)
		batch_free(e->batches[i]);
	items_free(e->items);
	query_set_free(e->queries);
	processes_free(e->processes);
	free(e->objects);
	free(e->agents);
	free(e->pending);
	free(e->retries);
	free(e->walk_queue);
	free(e->id_heads);
	free(e->place_heads);
	free(e);
}

int engine_fd(const struct engine *e, int family)
{
	const struct batch *b = e->batches[family == AF_INET6];

	return b ? batch_fd(b) : -1;
}

unsigned engine_window(const struct engine *e)
{
	return e->window;
}

struct engine_stats engine_stats(const struct engine *e)
{
	return e->stats;
}

struct batch_stats engine_socket_stats(const struct engine *e)
{
	struct batch_stats sum = {0};

	for (int i = 0; i < 2; i++)
		if (e->batches[i]) {
			const struct batch_stats *s = batch_stats(e->batches[i]);
			sum.sent += s->sent;
			sum.received += s->received;
			sum.send_failed += s->send_failed;
			sum.truncated += s->truncated;
			sum.overflowed += s->overflowed;
		}
	return sum;
}
