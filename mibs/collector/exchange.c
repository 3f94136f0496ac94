/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exchanges of the SNMP engine: request ids, the window, sending, sending again. See engine_private.h. */
#include "mibs/collector/engine_private.h"
#include "mibs/collector/process.h"

#include <string.h>

#include "mibs/collector/items.h"

enum { PENDING_LIFE_MS = 100, HALF = 15, HALF_MASK = 0x7fff, ID_MASK = 0x3fffffff, ID_BIT = 0x40000000 };

/* --- request ids ------------------------------------------------------------------------------------- */

static uint32_t mix(uint32_t half, uint32_t key)
{
	uint32_t x = (half ^ key) * 0x9e3779b1u;

	return (x ^ x >> 15) * 0x85ebca6bu >> (32 - HALF);
}

/* A four-round Feistel network over 30 bits: ids tell an onlooker who guesses nothing about slot and generation. */
uint32_t exchange_id(const struct engine *e, uint32_t slot, uint32_t generation)
{
	uint32_t plain = slot << 10 | generation, left = plain >> HALF, right = plain & HALF_MASK;

	for (int i = 0; i < 4; i++) {
		uint32_t next = left ^ mix(right, e->keys[i]);
		left = right;
		right = next;
	}
	return ID_BIT | left << HALF | right;
}

bool exchange_id_back(const struct engine *e, int64_t id, uint32_t *slot, uint32_t *generation)
{
	if ((id & ~(int64_t)ID_MASK) != ID_BIT)
		return false;
	uint32_t left = ((uint32_t)id & ID_MASK) >> HALF, right = (uint32_t)id & HALF_MASK;

	for (int i = 3; i >= 0; i--) {
		uint32_t before = right ^ mix(left, e->keys[i]);
		right = left;
		left = before;
	}
	*slot = left << HALF >> 10 | right >> 10;
	*generation = right & (GENERATIONS - 1);
	return *slot < e->slots;
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

void exchange_left_window(struct engine *e, int64_t sent, int64_t now)
{
	window_advance(e, now);
	if (e->inflight_tick - sent / INFLIGHT_MS < INFLIGHT_SLOTS &&
	    e->inflight[(sent / INFLIGHT_MS) % INFLIGHT_SLOTS] > 0)
		e->inflight[(sent / INFLIGHT_MS) % INFLIGHT_SLOTS]--;
}

/* --- sending ---------------------------------------------------------------------------------------------- */

const struct query *exchange_query(const struct engine *e, const struct agent *a, enum exchange_kind kind,
				   unsigned part)
{
	switch (kind) {
	case EXCHANGE_POLL:
		return part < a->part_count ? a->parts[part] : NULL;
	case EXCHANGE_FACTS:
		return e->facts_query;
	case EXCHANGE_ASK:
		return a->asked;
	case EXCHANGE_ITEM:
		return items_query(a, part);
	default:
		return e->get_query;
	}
}

static size_t build_v2c(const struct agent *a, uint32_t id, const uint8_t *pdu, size_t size, size_t id_at,
			uint8_t *room, const uint8_t **start)
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

/* The next poll is as near as a repeat. */
static bool poll_is_near(const struct engine *e)
{
	return e->poll_ms < 3 * ENGINE_RETRY_MS;
}

static void remember_retry(struct engine *e, const struct agent *a, const struct exchange *x)
{
	if (x->kind == EXCHANGE_GET || (x->kind == EXCHANGE_POLL && poll_is_near(e)) || e->retry_count == RETRIES_MAX)
		return;
	e->retries[(e->retry_head + e->retry_count++) % RETRIES_MAX] =
	    (struct retry){a->slot, x->sent, (uint16_t)x->generation};
}

static uint16_t serial_of(const struct agent *a, unsigned kind)
{
	return kind == EXCHANGE_ITEM ? items_serial(a) : a->serial;
}

static bool transmit(struct engine *e, struct agent *a, enum exchange_kind kind, unsigned part, uint32_t token,
		     unsigned attempt, int64_t now)
{
	const struct query *query = exchange_query(e, a, kind, part);
	struct batch *batch = e->batches[a->to.any.sa_family == AF_INET6];
	uint8_t walk_bytes[QUERY_PDU_MAX];
	const uint8_t *pdu = query ? query->pdu : NULL, *start;
	size_t size = query ? query->size : 0, id_at = query ? query->id_at : 0;
	uint32_t generation = a->sequence++ % GENERATIONS, id = exchange_id(e, a->slot, generation);

	if (kind == EXCHANGE_WALK) {
		if (!walk_pdu(e, a, walk_bytes, sizeof walk_bytes, &size, &id_at))
			return false;
		pdu = walk_bytes;
	} else if (kind == EXCHANGE_PROCESS) {
		if (!processes_pdu(e, a, part, (uint16_t)generation, walk_bytes, sizeof walk_bytes, &size, &id_at))
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
	*x = (struct exchange){.token = token,
			       .sent = (uint32_t)now,
			       .generation = generation,
			       .kind = kind,
			       .part = part & 31,
			       .attempt = attempt & 3,
			       .serial = serial_of(a, kind) & 1023};
	if (kind == EXCHANGE_WALK) {
		a->walk->generation = (uint16_t)generation;
		a->walk->requests++;
		a->walk->bytes += (uint32_t)size;
	} else if (kind == EXCHANGE_ITEM) {
		items_sent(a, part, size, now);
	}
	if (kind == EXCHANGE_ASK)
		a->asked_generation = (uint16_t)generation;
	window_advance(e, now);
	e->inflight[e->inflight_tick % INFLIGHT_SLOTS]++;
	e->stats.requests++;
	remember_retry(e, a, x);
	batch_commit(batch, start, size, &a->to);
	return true;
}

bool engine_request(struct engine *e, struct agent *a, enum exchange_kind kind, unsigned part, uint32_t token,
		    unsigned attempt, int64_t now)
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
void exchange_pump(struct engine *e, int64_t now)
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

/* --- repeats ------------------------------------------------------------------------------------------- */

void engine_give_up(struct engine *e, struct agent *a, const struct exchange *x, int64_t now)
{
	if (x->kind == EXCHANGE_WALK && a->walk && a->walk->generation == x->generation)
		walk_end(e, a);
	else if (x->kind == EXCHANGE_FACTS)
		facts_failed(a, now);
	else if (x->kind == EXCHANGE_ASK && a->asked_generation == x->generation)
		engine_asked_done(e, a, NULL, now);
	else if (x->kind == EXCHANGE_PROCESS)
		processes_failed(e, a, x->part, x->generation, now);
}

void engine_again(struct engine *e, struct agent *a, struct exchange *x, int64_t now)
{
	struct exchange copy = *x;

	x->resent = 1;
	if ((copy.kind == EXCHANGE_POLL || copy.kind == EXCHANGE_ITEM) && copy.serial != (serial_of(a, copy.kind) & 1023))
		return;
	e->stats.retries++;
	if (!engine_request(e, a, copy.kind, copy.part, copy.token, copy.attempt, now))
		engine_give_up(e, a, &copy, now);
}

static void retry_one(struct engine *e, struct agent *a, struct exchange *x, int64_t now)
{
	bool spare = x->kind == EXCHANGE_POLL && poll_is_near(e);

	if (x->answered || x->resent || spare || (x->kind == EXCHANGE_POLL && x->token != a->poll_token))
		return; /* a poll that brought nothing at all is repeated by the watch */
	if (x->kind == EXCHANGE_ITEM && items_spare(a, x->part))
		return;
	if ((x->kind == EXCHANGE_POLL || x->kind == EXCHANGE_ITEM) && a->answered <= exchange_sent(x, now))
		return; /* silent altogether: the watch's affair */
	if (x->attempt + 1u >= TRIES_MAX) {
		engine_give_up(e, a, x, now);
		return;
	}
	x->attempt++;
	engine_again(e, a, x, now);
}

void exchange_repeat_lost(struct engine *e, int64_t now)
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
