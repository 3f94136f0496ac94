/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The SNMP engine's core: agents, request ids, window, sending, matching of answers; see engine.h. */
#include "mibs/collector/engine_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { PENDING_LIFE_MS = 100, HALF = 15, HALF_MASK = 0x7fff, ID_MASK = 0x3fffffff, ID_BIT = 0x40000000 };

static const struct query_want uptime_want = {.oid_length = 9, .oid = {1, 3, 6, 1, 2, 1, 1, 3, 0}};
static const struct query_want fact_wants[] = {
	{.oid_length = 9, .oid = {1, 3, 6, 1, 2, 1, 1, 3, 0}},                /* sysUpTime */
	{.oid_length = 10, .oid = {1, 3, 6, 1, 2, 1, 25, 1, 1, 0}},           /* hrSystemUptime */
	{.oid_length = 9, .oid = {1, 3, 6, 1, 2, 1, 1, 5, 0}},                /* sysName */
	{.oid_length = 11, .oid = {1, 3, 6, 1, 6, 3, 10, 2, 1, 1, 0}},        /* snmpEngineID */
};

/* --- request ids ------------------------------------------------------------------------------------- */

static uint32_t mix(uint32_t half, uint32_t key)
{
	uint32_t x = (half ^ key) * 0x9e3779b1u;

	return (x ^ x >> 15) * 0x85ebca6bu >> (32 - HALF);
}

/* A four-round Feistel network over 30 bits: ids tell an onlooker who guesses nothing about slot and generation. */
static uint32_t id_of(const struct engine *e, uint32_t slot, uint32_t generation)
{
	uint32_t plain = slot << 10 | generation, left = plain >> HALF, right = plain & HALF_MASK;

	for (int i = 0; i < 4; i++) {
		uint32_t next = left ^ mix(right, e->keys[i]);
		left = right;
		right = next;
	}
	return ID_BIT | left << HALF | right;
}

static void id_back(const struct engine *e, uint32_t id, uint32_t *slot, uint32_t *generation)
{
	uint32_t left = (id & ID_MASK) >> HALF, right = id & HALF_MASK;

	for (int i = 3; i >= 0; i--) {
		uint32_t before = right ^ mix(left, e->keys[i]);
		right = left;
		left = before;
	}
	*slot = left << HALF >> 10 | right >> 10;
	*generation = right & (GENERATIONS - 1);
}

/* --- window: how many answers may arrive at once ------------------------------------------------------- */

static void window_advance(struct engine *e, int64_t now)
{
	int64_t tick = now / INFLIGHT_MS;

	for (; e->inflight_tick < tick; e->inflight_tick++) {
		if (tick - e->inflight_tick > INFLIGHT_SLOTS)
			e->inflight_tick = tick - INFLIGHT_SLOTS;
		e->inflight[(e->inflight_tick + 1) % INFLIGHT_SLOTS] = 0;
	}
}

/* What was sent in the last 50 ms and is not answered; older ones cannot come as one burst with the new any more. */
static unsigned window_used(struct engine *e, int64_t now)
{
	unsigned used = 0;

	window_advance(e, now);
	for (int i = 0; i < INFLIGHT_SLOTS; i++)
		used += e->inflight[i];
	return used;
}

static void window_answered(struct engine *e, int64_t sent, int64_t now)
{
	window_advance(e, now);
	if (e->inflight_tick - sent / INFLIGHT_MS < INFLIGHT_SLOTS && e->inflight[(sent / INFLIGHT_MS) % INFLIGHT_SLOTS] > 0)
		e->inflight[(sent / INFLIGHT_MS) % INFLIGHT_SLOTS]--;
}

/* --- sending ---------------------------------------------------------------------------------------------- */

static const struct query *query_of(const struct engine *e, const struct agent *a, enum exchange_kind kind, unsigned part)
{
	switch (kind) {
	case EXCHANGE_POLL: return part < a->part_count ? a->parts[part] : NULL;
	case EXCHANGE_FACTS: return e->facts_query;
	case EXCHANGE_ASK: return a->asked;
	default: return e->get_query;
	}
}

static size_t build_v2c(const struct agent *a, uint32_t id, const uint8_t *pdu, size_t size, size_t id_at, uint8_t *room, const uint8_t **start)
{
	const struct credential *c = a->credential;
	struct ber_out out = {room, room + BATCH_OUT, false};
	uint8_t *end = out.at, bytes[4] = {(uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id};

	ber_put(&out, pdu, size);
	if (!out.full)
		memcpy(out.at + id_at, bytes, sizeof bytes);
	ber_put_octets(&out, c->community, c->community_size);
	ber_put_integer(&out, c->version);
	ber_put_header(&out, BER_SEQUENCE, end);
	*start = out.at;
	return out.full ? 0 : (size_t)(end - out.at);
}

static void remember_retry(struct engine *e, const struct agent *a, const struct exchange *x)
{
	if (x->kind == EXCHANGE_GET || e->retry_count == RETRIES_MAX)
		return;
	e->retries[(e->retry_head + e->retry_count++) % RETRIES_MAX] = (struct retry){a->slot, x->sent, (uint16_t)x->generation};
}

static bool transmit(struct engine *e, struct agent *a, enum exchange_kind kind, unsigned part, uint32_t token, unsigned attempt, int64_t now)
{
	const struct query *query = query_of(e, a, kind, part);
	struct batch *batch = e->batches[a->to.any.sa_family == AF_INET6];
	uint8_t walk_bytes[QUERY_PDU_MAX];
	const uint8_t *pdu = query ? query->pdu : NULL, *start;
	size_t size = query ? query->size : 0, id_at = query ? query->id_at : 0;
	uint32_t generation = a->sequence++ % GENERATIONS, id = id_of(e, a->slot, generation);

	if (kind == EXCHANGE_WALK) {
		if (!walk_pdu(e, a, walk_bytes, sizeof walk_bytes, &size, &id_at))
			return false;
		pdu = walk_bytes;
	}
	if (!pdu || !batch)
		return false;
	uint8_t *room = batch_room(batch);
	size = a->credential->version == SNMP_V3 ? v3_build(e, a, id, pdu, size, id_at, room, BATCH_OUT, &start, now)
						 : build_v2c(a, id, pdu, size, id_at, room, &start);
	if (!size)
		return false;
	struct exchange *x = &a->ring[generation % RING];
	*x = (struct exchange){.token = token, .sent = (uint32_t)now, .generation = generation, .kind = kind, .part = part & 31,
			       .attempt = attempt & 3, .serial = a->serial & 1023};
	if (kind == EXCHANGE_WALK)
		a->walk->generation = (uint16_t)generation;
	window_advance(e, now);
	e->inflight[e->inflight_tick % INFLIGHT_SLOTS]++;
	e->stats.requests++;
	remember_retry(e, a, x);
	batch_commit(batch, start, size, &a->to);
	return true;
}

bool engine_request(struct engine *e, struct agent *a, enum exchange_kind kind, unsigned part, uint32_t token, unsigned attempt, int64_t now)
{
	if (!a->credential || !a->credential->ready)
		return false;
	if (e->pending_count == 0 && window_used(e, now) < e->window)
		return transmit(e, a, kind, part, token, attempt, now);
	if (e->pending_count == PENDING_MAX)
		return false;
	e->pending[(e->pending_head + e->pending_count++) % PENDING_MAX] =
		(struct pending){a->slot, token, (uint8_t)kind, (uint8_t)part, (uint8_t)attempt, now};
	return true;
}

/* What waited for the window, oldest first; what waited too long is given up and told, for its exchange never was. */
static void pump(struct engine *e, int64_t now)
{
	uint64_t unsent = 0;

	while (e->pending_count) {
		const struct pending *p = &e->pending[e->pending_head];
		struct agent *a = e->agents[p->slot];
		bool old = now - p->since > PENDING_LIFE_MS;
		if (!old && window_used(e, now) >= e->window)
			break;
		e->pending_head = (e->pending_head + 1) % PENDING_MAX;
		e->pending_count--;
		if (old)
			unsent++;
		else if (a && a->credential && a->credential->ready)
			transmit(e, a, p->kind, p->part, p->token, p->attempt, now);
	}
	e->stats.unsent += unsent;
	if (unsent)
		e->ops.overflow(e->arg, now);
}

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

static void asked_done(struct engine *e, struct agent *a, const struct query_value *values, int64_t now)
{
	struct query *query = a->asked;

	a->asked = NULL;
	if (query) {
		e->ops.asked(e->arg, a->slot, query, values, now);
		query_release(e->queries, query);
	}
}

/* --- repeats ------------------------------------------------------------------------------------------- */

void engine_give_up(struct engine *e, struct agent *a, const struct exchange *x, int64_t now)
{
	if (x->kind == EXCHANGE_WALK && a->walk && a->walk->generation == x->generation)
		walk_end(e, a);
	else if (x->kind == EXCHANGE_FACTS)
		a->facts_wait = a->uptime_fell;
	else if (x->kind == EXCHANGE_ASK)
		asked_done(e, a, NULL, now);
}

void engine_again(struct engine *e, struct agent *a, struct exchange *x, int64_t now)
{
	struct exchange copy = *x;

	x->resent = 1;
	if (copy.kind == EXCHANGE_POLL && copy.serial != (a->serial & 1023))
		return;
	e->stats.retries++;
	if (!engine_request(e, a, copy.kind, copy.part, copy.token, copy.attempt, now))
		engine_give_up(e, a, &copy, now);
}

static void retry_one(struct engine *e, struct agent *a, struct exchange *x, int64_t now)
{
	bool spare = x->kind == EXCHANGE_POLL && e->poll_ms < 3 * ENGINE_RETRY_MS; /* the next poll is as near as a repeat */

	if (x->answered || x->resent || spare)
		return;
	if (x->kind == EXCHANGE_POLL && a->answered <= exchange_sent(x, now))
		return; /* silent altogether: the watch's affair */
	if (x->attempt + 1u >= TRIES_MAX) {
		engine_give_up(e, a, x, now);
		return;
	}
	x->attempt++;
	engine_again(e, a, x, now);
}

static void repeat_lost(struct engine *e, int64_t now)
{
	while (e->retry_count) {
		struct retry r = e->retries[e->retry_head];
		if ((uint32_t)now - r.sent < ENGINE_RETRY_MS)
			break;
		e->retry_head = (e->retry_head + 1) % RETRIES_MAX;
		e->retry_count--;
		struct agent *a = e->agents[r.slot];
		struct exchange *x = a ? &a->ring[r.generation % RING] : NULL;
		if (x && x->kind != EXCHANGE_NONE && x->generation == r.generation && x->sent == r.sent)
			retry_one(e, a, x, now);
	}
}

/* --- answers --------------------------------------------------------------------------------------------- */

struct exchange *engine_match(struct engine *e, int64_t id, const union endpoint *from, int64_t now, struct agent **agent)
{
	uint32_t slot, generation;

	id_back(e, (uint32_t)id, &slot, &generation);
	struct agent *a = (id & ~(int64_t)ID_MASK) == ID_BIT ? agent_at(e, slot) : NULL;
	if (!a || !endpoint_same(&a->to, from, true)) {
		e->stats.foreign++;
		return NULL;
	}
	struct exchange *x = &a->ring[generation % RING];
	if (x->kind == EXCHANGE_NONE || x->generation != generation || now - exchange_sent(x, now) > ENGINE_VALID_MS) {
		e->stats.foreign++;
		return NULL;
	}
	if (x->answered) {
		e->stats.duplicates++;
		return NULL;
	}
	*agent = a;
	return x;
}

void engine_answered(struct engine *e, struct agent *a, struct exchange *x, enum watch_answer_kind kind, int64_t now)
{
	int64_t sent = exchange_sent(x, now);

	x->answered = 1;
	window_answered(e, sent, now);
	if (now - sent > ENGINE_RETRY_MS)
		e->stats.late_answers++;
	if (kind != WATCH_S_REFUSED) {
		e->stats.answers++;
		if (a->known && a->answered && now - a->answered > 3000)
			a->facts_tell = a->facts_wait = true; /* back after a silence: the up-times tell what it was */
		a->answered = now;
		if (x->kind == EXCHANGE_GET)
			a->small_answered = true;
		else if (x->kind == EXCHANGE_POLL)
			a->unanswered_polls = 0;
	}
	if (x->kind == EXCHANGE_POLL && x->token == a->poll_token) {
		if (a->poll_told)
			return;
		a->poll_told = true;
	}
	if ((x->kind == EXCHANGE_GET || x->kind == EXCHANGE_POLL) && x->token)
		e->ops.answer(e->arg, a->slot, x->token, kind, now);
}

/* Repeats what was asked in smaller portions, or without the name the agent stumbles over. */
static void take_error(struct engine *e, struct agent *a, const struct exchange *x, const struct response *r, int64_t now)
{
	const struct query *q = query_of(e, a, x->kind, x->part);

	if (x->kind != EXCHANGE_POLL) {
		engine_give_up(e, a, x, now);
		return;
	}
	if (x->serial != (a->serial & 1023) || !q)
		return;
	if (r->error_status == 1) {
		e->stats.too_big++;
		plan_halve(e, a);
	} else if (r->error_index > 1 && r->error_index <= q->count) {
		const struct query_item *item = &q->items[r->error_index - 1];
		struct query_value missing[QUERY_VARBINDS] = {0};
		for (size_t i = 0; i < q->count; i++)
			missing[i].type = i + 1 == (size_t)r->error_index ? VALUE_MISSING : 0;
		e->ops.values(e->arg, a->slot, q, missing, a->uptime_cs, now);
		plan_exclude(a, item->object, item->instance);
	} else {
		return; /* a general error without an index: the next poll will see */
	}
	plan_make(e, a);
	for (unsigned i = 0; x->attempt < TRIES_MAX - 1 && i < a->part_count; i++)
		engine_request(e, a, EXCHANGE_POLL, i, x->token, x->attempt + 1u, now);
}

static void take_values(struct engine *e, struct agent *a, const struct exchange *x, const struct query *q, const struct query_value *v, int64_t now)
{
	uint32_t uptime = v[0].type == VALUE_TIMETICKS ? (uint32_t)v[0].value : 0;

	if (uptime)
		facts_uptime(e, a, uptime, exchange_sent(x, now), now);
	switch (x->kind) {
	case EXCHANGE_POLL:
		e->stats.values += q->count - 1u;
		e->ops.values(e->arg, a->slot, q, v, uptime, now);
		for (size_t i = 1; i < q->count; i++)
			if (q->items[i].instance && v[i].exception && now - a->walked > REWALK_MS)
				walk_want(e, a);
		break;
	case EXCHANGE_FACTS:
		facts_answer(e, a, v, now);
		break;
	case EXCHANGE_ASK:
		asked_done(e, a, v, now);
		break;
	}
}

void engine_response(struct engine *e, struct agent *a, struct exchange *x, const struct response *r, int64_t now)
{
	struct query_value values[QUERY_VARBINDS];
	const struct query *q = query_of(e, a, x->kind, x->part);
	struct exchange copy = *x;

	engine_answered(e, a, x, WATCH_S_REPLY, now);
	if (!a->known) {
		a->known = true;
		a->facts_wait = a->facts_tell = !a->bare;
		walk_want(e, a);
	}
	if (copy.kind == EXCHANGE_WALK) {
		if (a->walk && a->walk->generation == copy.generation)
			walk_answer(e, a, r, now);
		return;
	}
	if (r->error_status) {
		take_error(e, a, &copy, r, now);
		return;
	}
	if (!q || (copy.kind == EXCHANGE_POLL && copy.serial != (a->serial & 1023)))
		return;
	enum query_result result = query_decode(q, r->varbinds, values);
	if (result == QUERY_OTHER) {
		e->stats.slow_decodes++;
		result = query_decode_slow(q, r, values);
	}
	if (result == QUERY_OK) {
		take_values(e, a, &copy, q, values, now);
	} else {
		e->stats.garbage++;
		engine_give_up(e, a, &copy, now);
	}
}

static void v2c_datagram(struct engine *e, struct ber message, int64_t version, const union endpoint *from, int64_t now)
{
	struct ber community;
	struct response r;
	struct agent *a;

	if (!ber_take(&message, BER_OCTETS, &community) || !response_parse(message, &r) || r.type != BER_RESPONSE) {
		e->stats.garbage++;
		return;
	}
	struct exchange *x = engine_match(e, r.id, from, now, &a);
	if (!x)
		return;
	if (a->credential->version != version)
		e->stats.foreign++;
	else
		engine_response(e, a, x, &r, now);
}

void engine_datagram(void *engine, uint8_t *bytes, size_t size, const union endpoint *from, int64_t now)
{
	struct engine *e = engine;
	struct ber in = {bytes, bytes + size}, message;
	int64_t version;

	if (!ber_take(&in, BER_SEQUENCE, &message) || !ber_integer_in(&message, 0, 3, &version) || version == 2)
		e->stats.garbage++;
	else if (version == SNMP_V3)
		v3_datagram(e, bytes, size, from, now);
	else
		v2c_datagram(e, message, version, from, now);
}

static bool skip_header(struct ber *in)
{
	size_t size = ber_left(in) > 1 && in->at[1] >= 0x80 ? 2 + (in->at[1] & 0x7fu) : 2;

	if (ber_left(in) < size)
		return false;
	in->at += size;
	return true;
}

/* The id in the start of a request; it may be cut anywhere behind, so lengths of outer layers are not looked at. */
static bool id_in_quote(struct ber in, int64_t *id)
{
	struct ber community;
	int64_t version;

	return skip_header(&in) && ber_integer(&in, &version) && (version == SNMP_V3 || ber_take(&in, BER_OCTETS, &community)) &&
	       skip_header(&in) && ber_integer(&in, id);
}

static uint32_t *place_head(struct engine *e, const union endpoint *to)
{
	uint64_t hash = to->any.sa_family == AF_INET6 ? text_hash(&to->v6.sin6_addr, sizeof to->v6.sin6_addr)
						      : text_hash(&to->v4.sin_addr, sizeof to->v4.sin_addr);

	return &e->place_heads[hash % ID_BUCKETS];
}

/* The newest open exchange with an endpoint: some hosts quote no more than the UDP header, which the kernel has checked. */
static struct exchange *newest_at(struct engine *e, const union endpoint *to, int64_t now, struct agent **agent)
{
	for (uint32_t at = *place_head(e, to); at; at = e->agents[at - 1]->next_same_place) {
		struct agent *a = e->agents[at - 1];
		if (!endpoint_same(&a->to, to, true))
			continue;
		for (unsigned back = 1; back <= RING; back++) {
			struct exchange *x = &a->ring[(a->sequence - back) % RING];
			if (x->kind == EXCHANGE_NONE || now - exchange_sent(x, now) > ENGINE_VALID_MS)
				break;
			if (!x->answered) {
				*agent = a;
				return x;
			}
		}
	}
	return NULL;
}

/* Port unreachable: the kernel gives back the start of what we had sent. */
static void on_refused(void *engine, const uint8_t *bytes, size_t size, const union endpoint *to, int64_t now)
{
	struct engine *e = engine;
	struct agent *a;
	int64_t id;
	struct exchange *x = size == 0 ? newest_at(e, to, now, &a)
			     : id_in_quote((struct ber){bytes, bytes + size}, &id) ? engine_match(e, id, to, now, &a) : NULL;

	if (x) {
		engine_answered(e, a, x, WATCH_S_REFUSED, now);
		engine_give_up(e, a, x, now);
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

	if (elapsed < 10)
		return;
	e->looked = now;
	for (uint32_t n = (uint32_t)(e->slots * elapsed / 1000); n; n--) {
		struct agent *a = e->agents[e->look_at];
		e->look_at = (e->look_at + 1) % e->slots;
		if (!a || !a->known || a->bare || now - a->answered > ENGINE_RETRY_MS * 3)
			continue;
		if (a->facts_wait || now - a->facts_at > REFRESH_MS + (int64_t)(a->hash % 60000)) {
			a->facts_wait = false;
			a->facts_at = now;
			engine_request(e, a, EXCHANGE_FACTS, 0, 0, 0, now);
		}
		if (a->walked && now - a->walked > REFRESH_MS + (int64_t)(a->hash % 30000))
			walk_want(e, a);
	}
}

void engine_turn(struct engine *e, int64_t now)
{
	repeat_lost(e, now);
	look_around(e, now);
	walk_start_some(e, now);
	pump(e, now);
	for (int i = 0; i < 2; i++)
		if (e->batches[i])
			batch_flush(e->batches[i]);
}

int64_t engine_next(const struct engine *e, int64_t now)
{
	if (e->pending_count || (e->walk_count && e->walks_active < WALKS_AT_ONCE))
		return now + INFLIGHT_MS;
	if (e->retry_count) {
		int64_t due = now - (uint32_t)((uint32_t)now - e->retries[e->retry_head].sent) + ENGINE_RETRY_MS;
		return due > now ? due : now + 1;
	}
	return now + 1000;
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
	facts_forget(e, a);
	usm_peer_free(a->peer);
	a->peer = NULL;
	if (a->asked)
		query_release(e->queries, a->asked);
	a->asked = NULL;
	free(a->excluded);
	a->excluded = NULL;
	a->excluded_count = 0;
	memset(a->ring, 0, sizeof a->ring);
}

static void place_enter(struct engine *e, struct agent *a)
{
	uint32_t *head = place_head(e, &a->to);

	a->next_same_place = *head;
	*head = a->slot + 1;
}

static void place_leave(struct engine *e, struct agent *a)
{
	uint32_t *link = place_head(e, &a->to);

	while (*link && *link != a->slot + 1)
		link = &e->agents[*link - 1]->next_same_place;
	if (*link)
		*link = a->next_same_place;
}

static struct agent *agent_new(struct engine *e, uint32_t slot, const union endpoint *to)
{
	struct agent *a = mem_zalloc(sizeof *a);

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
	if (a->credential != agent->credential && a->peer) {
		usm_peer_free(a->peer);
		a->peer = NULL;
	}
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

struct engine *engine_new(const struct engine_ops *ops, void *arg, uint32_t slots, const int fds[2], const uint8_t secret[16])
{
	struct engine *e = mem_zalloc(sizeof *e);
	struct batch_owner owner = {engine_datagram, on_refused, e};

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
	query_set_free(e->queries);
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
