/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GET, GETNEXT, GETBULK over the swarm's tree, with a cache of resolved GETs keyed by the request's varbind bytes;
 * called by the message layers. */
#include "tests/lab/swarm/pdu.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lab/swarm/count.h"
#include "tests/lab/swarm/net.h"
#include "tests/lab/swarm/tree.h"

enum { VARBINDS_MAX = 128, CACHE_SIZE = 4096, KEY_MAX = 1400, ERROR_TOO_BIG = 1, ERROR_NO_ACCESS = 6 };
enum { HEADERS = 160 }; /* room for those of either message form */

/* One name that was asked: the object, or NULL with the exception to answer. */
struct asked {
	const uint8_t *name;
	uint16_t name_size;
	uint8_t exception;
	const struct object *object;
};

struct cached {
	uint64_t hash;
	uint16_t key_size, count;
	uint8_t *key;
	struct asked *list;
};

struct request {
	uint8_t type;
	int32_t id, first, second; /* error-status and -index, or non-repeaters and max-repetitions */
	struct ber varbinds;
	struct asked *list;
	int count;
	struct asked room[VARBINDS_MAX];
};

/* The answer as it grows forward in the slot. */
struct writer {
	uint8_t *start, *at, *end;
	struct swarm *swarm;
	const struct moment *moment;
	uint8_t type;
	bool wrong_type, full;
};

static struct cached cache[CACHE_SIZE];
static unsigned cache_used;

static uint64_t hash_bytes(const uint8_t *p, size_t n)
{
	uint64_t h = n * 0x9e3779b97f4a7c15u, word;

	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&word, p, 8);
		h = (h ^ word) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	for (; n > 0; n--)
		h = (h ^ *p++) * 0x100000001b3u;
	return h ^ h >> 29;
}

static struct cached *cache_slot(struct ber key, uint64_t hash)
{
	unsigned at = (unsigned)hash % CACHE_SIZE;

	while (cache[at].key && (cache[at].hash != hash || cache[at].key_size != ber_left(key) ||
				 memcmp(cache[at].key, key.at, ber_left(key)) != 0))
		at = (at + 1) % CACHE_SIZE;
	return &cache[at];
}

/* Remembers a resolved list; its names then point into the copy of the key. */
static void cache_put(struct cached *c, uint64_t hash, const struct request *r)
{
	size_t size = ber_left(r->varbinds);

	if (size > KEY_MAX || cache_used > CACHE_SIZE / 2)
		return;
	c->list = malloc((size_t)r->count * sizeof(*c->list) + 1);
	c->key = c->list ? malloc(size + 1) : NULL;
	if (!c->key) {
		free(c->list);
		return;
	}
	memcpy(c->key, r->varbinds.at, size);
	memcpy(c->list, r->list, (size_t)r->count * sizeof(*c->list));
	for (int i = 0; i < r->count; i++)
		c->list[i].name = c->key + (r->list[i].name - r->varbinds.at);
	c->hash = hash;
	c->key_size = (uint16_t)size;
	c->count = (uint16_t)r->count;
	cache_used++;
}

void pdu_close(void)
{
	for (unsigned i = 0; i < CACHE_SIZE; i++) {
		free(cache[i].key);
		free(cache[i].list);
	}
	memset(cache, 0, sizeof(cache));
	cache_used = 0;
}

/* noSuchInstance when another instance of the same column exists, else noSuchObject (RFC 3416, 4.2.1). */
static uint8_t exception_for(const uint32_t *ids, int count)
{
	const struct object *o = count > 1 ? tree_next(ids, count - 1) : NULL;

	return o && o->count >= count && memcmp(o->ids, ids, (size_t)(count - 1) * sizeof(*ids)) == 0
		   ? BER_NO_SUCH_INSTANCE
		   : BER_NO_SUCH_OBJECT;
}

static bool resolve(struct request *r)
{
	struct ber in = r->varbinds, varbind, name, value;
	uint32_t ids[BER_OID_MAX];
	uint8_t tag;

	r->list = r->room;
	for (r->count = 0; ber_left(in) > 0; r->count++) {
		struct asked *a = &r->list[r->count];
		int n;
		if (r->count == VARBINDS_MAX || !ber_expect(&in, BER_SEQUENCE, &varbind) ||
		    !ber_expect(&varbind, BER_OID, &name) || !ber_take(&varbind, &tag, &value) || ber_left(varbind) > 0)
			return false;
		n = ber_oid(name, ids, BER_OID_MAX);
		if (n < 0)
			return false;
		*a = (struct asked){name.at, (uint16_t)ber_left(name), 0, NULL};
		if (r->type == PDU_GET && !(a->object = tree_find(ids, n)))
			a->exception = exception_for(ids, n);
	}
	return true;
}

static bool resolve_get(struct swarm *swarm, struct request *r)
{
	uint64_t hash = hash_bytes(r->varbinds.at, ber_left(r->varbinds));
	struct cached *c = cache_slot(r->varbinds, hash);

	if (c->key) {
		swarm->sums.cache_hits++;
		r->list = c->list;
		r->count = c->count;
		return true;
	}
	if (!resolve(r))
		return false;
	cache_put(c, hash, r);
	return true;
}

static bool read_request(struct swarm *swarm, struct ber in, struct request *r)
{
	struct ber pdu;

	if (!ber_take(&in, &r->type, &pdu) || ber_left(in) > 0 || !ber_take_int32(&pdu, &r->id) ||
	    !ber_take_int32(&pdu, &r->first) || !ber_take_int32(&pdu, &r->second) ||
	    !ber_expect(&pdu, BER_SEQUENCE, &r->varbinds) || ber_left(pdu) > 0)
		return false;
	switch (r->type) {
	case PDU_GET:
		return resolve_get(swarm, r);
	case PDU_GETNEXT:
	case PDU_GETBULK:
	case PDU_SET:
		return resolve(r);
	default:
		return false;
	}
}

size_t pdu_put_varbind(uint8_t *out, const uint8_t *name, size_t name_size, uint8_t tag, const uint8_t *value,
		       size_t size)
{
	uint8_t octets[3], *p = out;
	size_t octets_size = ber_put_length(octets, name_size);
	size_t inner = 1 + octets_size + name_size + 1 + (size < 0x80 ? 1 : 2) + size;

	*p++ = BER_SEQUENCE;
	p += ber_put_length(p, inner);
	*p++ = BER_OID;
	memcpy(p, octets, octets_size);
	p += octets_size;
	memcpy(p, name, name_size);
	p += name_size;
	*p++ = tag;
	p += ber_put_length(p, size);
	if (size > 0)
		memcpy(p, value, size);
	return (size_t)(p - out) + size;
}

uint8_t *pdu_prepend(uint8_t *before, uint8_t tag, const void *content, size_t size)
{
	before -= size;
	if (size > 0)
		memcpy(before, content, size);
	return ber_wrap(before, tag, size);
}

/* Adds one varbind; false, and `full`, when it is past the limit of the answer. */
static bool put(struct writer *w, const uint8_t *name, size_t name_size, uint8_t tag, const uint8_t *value, size_t size)
{
	if (w->full || w->at + name_size + size + 16 > w->end) {
		w->full = true;
		return false;
	}
	w->at += pdu_put_varbind(w->at, name, name_size, tag, value, size);
	return true;
}

static bool put_object(struct writer *w, const struct object *o)
{
	uint8_t value[TREE_VALUE_MAX];

	if (w->wrong_type && o->tag != BER_OCTETS)
		return put(w, o->name, o->name_size, BER_OCTETS, (const uint8_t *)"wrong", 5);
	return put(w, o->name, o->name_size, o->tag, value, tree_value(o, w->moment, value));
}

static void put_get(struct writer *w, const struct request *r)
{
	for (int i = 0; i < r->count; i++) {
		const struct asked *a = &r->list[i];
		if (!(a->object ? put_object(w, a->object) : put(w, a->name, a->name_size, a->exception, NULL, 0)))
			return;
	}
}

/* The name that follows in an endless table: the last sub-identifier plus one. */
static bool put_made_up(struct writer *w, uint32_t *ids, int *count)
{
	uint8_t name[BER_OID_MAX * 5], one = 1;
	size_t size;

	ids[*count - 1]++;
	size = ber_put_oid(name, sizeof(name), ids, *count);
	return size > 0 && size < 200 && put(w, name, size, BER_COUNTER32, &one, 1);
}

/* Whether the name is a row of a table's column, there or made up. */
static bool in_column(const uint32_t *ids, int count)
{
	const struct object *o = tree_next(ids, count - 1);

	return count >= 11 && o && o->count == count && memcmp(o->ids, ids, (size_t)(count - 1) * sizeof(*ids)) == 0;
}

/* Puts what follows `ids` and makes `ids` that. */
static bool put_next(struct writer *w, const struct knobs *k, uint32_t *ids, int *count)
{
	const struct object *o = tree_next(ids, *count);
	uint8_t name[BER_OID_MAX * 5], one = 1;

	if (k->loop && tree_find(ids, *count))
		return put_object(w, tree_find(ids, *count));
	if (k->endless && in_column(ids, *count) && (!o || o->ids[*count - 2] != ids[*count - 2]))
		return put_made_up(w, ids, count);
	if (!o)
		return put(w, name, ber_put_oid(name, sizeof(name), ids, *count), BER_END_OF_MIB_VIEW, &one, 0);
	memcpy(ids, o->ids, (size_t)o->count * sizeof(*ids));
	*count = o->count;
	return put_object(w, o);
}

static void put_nexts(struct writer *w, const struct request *r, const struct knobs *k)
{
	static uint32_t ids[VARBINDS_MAX][BER_OID_MAX];
	int counts[VARBINDS_MAX];
	int once = r->count, times = 0;

	if (r->type == PDU_GETBULK) {
		once = r->first < 0 ? 0 : r->first < r->count ? r->first : r->count;
		times = r->second < 0 ? 0 : r->second;
	}
	for (int i = 0; i < r->count; i++)
		counts[i] = ber_oid(ber_over(r->list[i].name, r->list[i].name_size), ids[i], BER_OID_MAX);
	for (int i = 0; i < once; i++)
		if (!put_next(w, k, ids[i], &counts[i]))
			return;
	for (int n = 0; n < times && once < r->count; n++)
		for (int i = once; i < r->count; i++)
			if (!put_next(w, k, ids[i], &counts[i]))
				return;
}

/* Well-formed varbinds that nobody asked for, until the slot is full. */
static void put_oversize(struct writer *w, uint8_t *limit)
{
	size_t size = (size_t)(w->at - w->start);

	while (size > 0 && w->at + size < limit) {
		memcpy(w->at, w->start, size);
		w->at += size;
	}
}

static struct answer wrap(struct writer *w, int32_t id, int status, int index)
{
	uint8_t *p = ber_wrap(w->start, BER_SEQUENCE, (size_t)(w->at - w->start)), number[9];
	const int32_t fields[] = {index, status, id};

	for (unsigned i = 0; i < 3; i++)
		p = pdu_prepend(p, BER_INTEGER, number, ber_put_signed(number, fields[i]));
	p = ber_wrap(p, w->type, (size_t)(w->at - p));
	return (struct answer){p, (size_t)(w->at - p)};
}

struct answer pdu_report(uint8_t *slot, int32_t id, const uint8_t *name, size_t name_size, uint32_t count)
{
	struct writer w = {.start = slot + NET_HEAD, .at = slot + NET_HEAD, .type = PDU_REPORT};
	uint8_t value[9];

	w.at += pdu_put_varbind(w.at, name, name_size, BER_COUNTER32, value, ber_put_unsigned(value, count));
	return wrap(&w, id, 0, 0);
}

/* Sends the names back as they came, with an error (RFC 3416, 4.2.5). */
static struct answer refuse(struct writer *w, const struct request *r)
{
	for (int i = 0; i < r->count; i++)
		put(w, r->list[i].name, r->list[i].name_size, BER_NULL, NULL, 0);
	return wrap(w, r->id, ERROR_NO_ACCESS, 1);
}

static struct answer perform(struct swarm *swarm, struct agent *a, const struct request *r, struct writer *w,
			     uint8_t *limit)
{
	int32_t id = swarm_chance(swarm, a->knobs.wrong_id) ? r->id ^ 1 : r->id;

	if (r->type == PDU_SET)
		return refuse(w, r);
	if (r->type == PDU_GET)
		put_get(w, r);
	else
		put_nexts(w, r, &a->knobs);
	if (w->full && r->type != PDU_GETBULK) {
		w->at = w->start;
		return wrap(w, id, ERROR_TOO_BIG, 0);
	}
	if (swarm_chance(swarm, a->knobs.oversize))
		put_oversize(w, limit);
	return wrap(w, id, 0, 0);
}

/* Now and then a collector asks a machine who it is: a GET of several objects, the engine's id among them, that is no poll. */
static bool asks_identity(const struct request *r)
{
	static const uint8_t engine_id[] = {0x2b, 6, 1, 6, 3, 10, 2, 1, 1, 0};

	for (int i = 0; i < r->count; i++)
		if (r->list[i].name_size == sizeof(engine_id) && memcmp(r->list[i].name, engine_id, sizeof(engine_id)) == 0)
			return true;
	return false;
}

bool pdu_answer(struct swarm *swarm, unsigned agent, struct ber in, uint8_t *slot, struct answer *answer)
{
	struct agent *a = &swarm->agent[agent];
	int64_t now_ms = a->knobs.frozen && a->frozen_ms >= 0 ? a->frozen_ms : swarm->now_ms;
	struct moment moment = tree_moment(agent, a->hash, now_ms - a->boot_ms);
	struct writer w = {
	    .start = slot + NET_HEAD, .at = slot + NET_HEAD, .swarm = swarm, .moment = &moment, .type = PDU_RESPONSE};
	struct request r;

	w.end = w.start + swarm->max_size - HEADERS;
	if (!read_request(swarm, in, &r)) {
		swarm->sums.garbage++;
		return false;
	}
	count_request(swarm, a, r.type, asks_identity(&r) ? 0 : r.count);
	if (a->knobs.every_second && (a->skips = !a->skips))
		return false;
	w.wrong_type = swarm_chance(swarm, a->knobs.wrong_type);
	*answer = perform(swarm, a, &r, &w, slot + NET_SLOT);
	return true;
}
