/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What comes back to the SNMP engine: which exchange it belongs to, and what is done with it. See engine_private.h. */
#include "mibs/collector/engine_private.h"
#include "mibs/collector/process.h"

#include <string.h>

#include "base/text.h"
#include "mibs/collector/items.h"

struct exchange *engine_match(struct engine *e, int64_t id, const union endpoint *from, int64_t now,
			      struct agent **agent)
{
	uint32_t slot, generation;

	struct agent *a = exchange_id_back(e, id, &slot, &generation) ? e->agents[slot] : NULL;
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
	if (x->kind == EXCHANGE_ITEM)
		items_answered(a);
	exchange_left_window(e, sent, now);
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
	if (kind == WATCH_S_REPLY && facts_frozen(a, now))
		kind = WATCH_S_FROZEN;
	if ((x->kind == EXCHANGE_GET || x->kind == EXCHANGE_POLL) && x->token)
		e->ops.answer(e->arg, a->slot, x->token, kind, now);
}

/* Repeats what was asked in smaller portions, or without the name the agent stumbles over. */
static void take_error(struct engine *e, struct agent *a, const struct exchange *x, const struct response *r,
		       int64_t now)
{
	const struct query *q = exchange_query(e, a, x->kind, x->part);

	if (x->kind == EXCHANGE_ITEM) {
		if (q && x->serial == (items_serial(a) & 1023))
			items_error(e, a, x->part, r->error_status, r->error_index, now);
		return;
	}
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
		if (item->object >= OBJECT_PROCESS)
			processes_missing(e, a, item->instance, now);
		else
			plan_exclude(a, item->object, item->instance);
	} else {
		return; /* a general error without an index: the next poll will see */
	}
	plan_make(e, a);
	for (unsigned i = 0; x->attempt < TRIES_MAX - 1 && i < a->part_count; i++)
		engine_request(e, a, EXCHANGE_POLL, i, x->token, x->attempt + 1u, now);
}

static void take_values(struct engine *e, struct agent *a, const struct exchange *x, const struct query *q,
			const struct query_value *v, int64_t now)
{
	uint32_t uptime = v[0].type == VALUE_TIMETICKS ? (uint32_t)v[0].value : 0;

	if (uptime)
		facts_uptime(e, a, uptime, exchange_sent(x, now), now);
	switch (x->kind) {
	case EXCHANGE_POLL:
		e->stats.values += q->count - 1u;
		e->ops.values(e->arg, a->slot, q, v, uptime, now);
		processes_values(e, a, q, v, now);
		for (size_t i = 1; i < q->count; i++)
			if (q->items[i].instance && q->items[i].object < OBJECT_PROCESS && v[i].exception &&
			    now - a->walked > REWALK_MS)
				walk_want(e, a);
		break;
	case EXCHANGE_ITEM:
		e->stats.values += q->count - 1u;
		e->ops.values(e->arg, a->slot, q, v, uptime, now);
		items_values(e, a, x->part, v, now);
		break;
	case EXCHANGE_FACTS:
		facts_answer(e, a, v, exchange_sent(x, now), now);
		break;
	case EXCHANGE_ASK:
		engine_asked_done(e, a, v, now);
		break;
	}
}

void engine_response(struct engine *e, struct agent *a, struct exchange *x, const struct response *r, int64_t now)
{
	struct query_value values[QUERY_VARBINDS];
	const struct query *q = exchange_query(e, a, x->kind, x->part);
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
	if (copy.kind == EXCHANGE_PROCESS) {
		processes_answer(e, a, copy.part, copy.generation, r, now);
		return;
	}
	if (copy.kind == EXCHANGE_ASK && a->asked_generation != copy.generation)
		return; /* late: another question is open, or none */
	if (r->error_status) {
		take_error(e, a, &copy, r, now);
		return;
	}
	if (!q || (copy.kind == EXCHANGE_POLL && copy.serial != (a->serial & 1023)) ||
	    (copy.kind == EXCHANGE_ITEM && copy.serial != (items_serial(a) & 1023)))
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

	e->datagram_bytes = size;
	if (!ber_take(&in, BER_SEQUENCE, &message) || !ber_integer_in(&message, 0, 3, &version) || version == 2)
		e->stats.garbage++;
	else if (version == SNMP_V3)
		v3_datagram(e, bytes, size, from, now);
	else
		v2c_datagram(e, message, version, from, now);
}

static uint32_t *place_head(struct engine *e, const union endpoint *to)
{
	uint64_t hash = to->any.sa_family == AF_INET6 ? text_hash(&to->v6.sin6_addr, sizeof to->v6.sin6_addr)
						      : text_hash(&to->v4.sin_addr, sizeof to->v4.sin_addr);

	return &e->place_heads[hash % ID_BUCKETS];
}

void place_enter(struct engine *e, struct agent *a)
{
	uint32_t *head = place_head(e, &a->to);

	a->next_same_place = *head;
	*head = a->slot + 1;
}

void place_leave(struct engine *e, struct agent *a)
{
	uint32_t *link = place_head(e, &a->to);

	while (*link && *link != a->slot + 1)
		link = &e->agents[*link - 1]->next_same_place;
	if (*link)
		*link = a->next_same_place;
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

	return skip_header(&in) && ber_integer(&in, &version) &&
	       (version == SNMP_V3 || ber_take(&in, BER_OCTETS, &community)) && skip_header(&in) &&
	       ber_integer(&in, id);
}

/* The lines that an answer needs are known when the batch is read, and most of its cost is waiting for them. */
void engine_coming(void *engine, unsigned at, const uint8_t *bytes, size_t size)
{
	struct engine *e = engine;
	struct coming *c = &e->coming[at % BATCH];
	int64_t id;

	if (bytes) {
		bool ours = id_in_quote((struct ber){bytes, bytes + size}, &id) && exchange_id_back(e, id, &c->slot, &c->generation);
		if (!ours)
			c->slot = NO_SLOT;
	}
	const struct agent *a = c->slot != NO_SLOT ? e->agents[c->slot] : NULL;
	if (!a)
		return;
	const struct exchange *x = &a->ring[c->generation % RING];
	if (bytes) {
		agent_fetch(a);
		__builtin_prefetch(x, 1);
	}
	if (e->ops.ahead && (bytes || x->token))
		e->ops.ahead(e->arg, a->slot, bytes ? 0 : x->token);
}

/* The newest open exchange with an endpoint: some hosts quote no more than the UDP header, which the kernel has
 * checked. */
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
void engine_refused(void *engine, const uint8_t *bytes, size_t size, const union endpoint *to, int64_t now)
{
	struct engine *e = engine;
	struct agent *a;
	int64_t id;
	struct exchange *x = size == 0                                             ? newest_at(e, to, now, &a)
			     : id_in_quote((struct ber){bytes, bytes + size}, &id) ? engine_match(e, id, to, now, &a)
										   : NULL;

	if (x) {
		engine_answered(e, a, x, WATCH_S_REFUSED, now);
		engine_give_up(e, a, x, now);
	}
}
