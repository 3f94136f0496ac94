/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sources of traps, their limits, and the way of a datagram; see trap.h. */
#include "mibs/collector/trap_private.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { HASH_BUCKETS = 16384, SLOTS_MAX = NODE_MAX, THOUSAND = 1000 };

struct trap_receiver *trap_new(const struct trap_ops *ops, void *arg)
{
	struct trap_receiver *r = mem_zalloc(sizeof *r);

	r->ops = *ops;
	r->arg = arg;
	r->buckets = mem_array(HASH_BUCKETS, sizeof(struct source *));
	for (int kind = 1; kind < TRAP_FROM_COUNT; kind++)
		r->by_slot[kind] = mem_array(SLOTS_MAX, sizeof(struct source *));
	r->site.tokens_x1000 = (int64_t)TRAP_SITE_BURST * THOUSAND;
	return r;
}

void trap_free(struct trap_receiver *r)
{
	if (!r)
		return;
	for (int kind = 1; kind < TRAP_FROM_COUNT; kind++) {
		for (uint32_t slot = 0; slot < SLOTS_MAX; slot++)
			trap_source_remove(r, (enum trap_source_kind)kind, slot);
		free(r->by_slot[kind]);
	}
	for (size_t i = 0; i < r->key_count; i++)
		usm_peer_free(r->keys[i].peer);
	free(r->keys);
	free(r->buckets);
	free(r);
}

void trap_engine(struct trap_receiver *r, const struct msg_snmp_engine *own, int64_t now)
{
	if (own->id_length < 5 || own->id_length > sizeof own->id || !own->boots)
		return;
	for (size_t i = 0; i < r->key_count; i++) {
		usm_peer_free(r->keys[i].peer);
		r->keys[i].peer = NULL;
	}
	memcpy(r->own.id, own->id, own->id_length);
	r->own.id_size = own->id_length;
	r->own.boots = own->boots;
	r->own_since = now;
}

/* --- sources ----------------------------------------------------------------------------------------------- */

static size_t address_bytes(const struct address *a)
{
	return a->family == 6 ? 16 : 4;
}

static struct source **bucket_of(const struct trap_receiver *r, const struct address *a)
{
	return &r->buckets[text_hash(a->bytes, address_bytes(a)) % HASH_BUCKETS];
}

static struct source **place_of(const struct trap_receiver *r, enum trap_source_kind kind, uint32_t slot)
{
	return kind >= TRAP_FROM_NODE && kind < TRAP_FROM_COUNT && slot < SLOTS_MAX ? &r->by_slot[kind][slot] : NULL;
}

static void unlink_source(struct trap_receiver *r, struct source *s)
{
	struct source **link = bucket_of(r, &s->s.address);

	while (*link && *link != s)
		link = &(*link)->next;
	if (*link)
		*link = s->next;
}

void trap_source_remove(struct trap_receiver *r, enum trap_source_kind kind, uint32_t slot)
{
	struct source **place = place_of(r, kind, slot);

	if (!place || !*place)
		return;
	unlink_source(r, *place);
	usm_peer_free((*place)->peer);
	free(*place);
	*place = NULL;
}

static bool same_source(const struct trap_source *a, const struct trap_source *b)
{
	return a->generation == b->generation && a->credential == b->credential && address_same_host(&a->address, &b->address);
}

void trap_source_set(struct trap_receiver *r, const struct trap_source *source)
{
	struct source **place = place_of(r, source->kind, source->slot);

	if (!place || !source->credential || (source->address.family != 4 && source->address.family != 6))
		return;
	if (*place && same_source(&(*place)->s, source)) {
		(*place)->kept = true;
		return;
	}
	trap_source_remove(r, source->kind, source->slot);
	struct source *s = *place = mem_zalloc(sizeof *s), **bucket = bucket_of(r, &source->address);
	*s = (struct source){.s = *source, .kept = true, .tokens_x1000 = TRAP_BURST * THOUSAND, .next = *bucket};
	*bucket = s;
}

void trap_sources_begin(struct trap_receiver *r)
{
	for (int kind = TRAP_FROM_NODE + 1; kind < TRAP_FROM_COUNT; kind++)
		for (uint32_t slot = 0; slot < SLOTS_MAX; slot++)
			if (r->by_slot[kind][slot])
				r->by_slot[kind][slot]->kept = false;
}

void trap_sources_end(struct trap_receiver *r)
{
	for (int kind = TRAP_FROM_NODE + 1; kind < TRAP_FROM_COUNT; kind++)
		for (uint32_t slot = 0; slot < SLOTS_MAX; slot++)
			if (r->by_slot[kind][slot] && !r->by_slot[kind][slot]->kept)
				trap_source_remove(r, (enum trap_source_kind)kind, slot);
}

void trap_credential_changed(struct trap_receiver *r, const struct credential *credential)
{
	for (int kind = 1; kind < TRAP_FROM_COUNT; kind++)
		for (uint32_t slot = 0; slot < SLOTS_MAX; slot++) {
			struct source *s = r->by_slot[kind][slot];
			if (s && s->s.credential == credential) {
				usm_peer_free(s->peer);
				s->peer = NULL;
			}
		}
	for (size_t i = 0; i < r->key_count; i++)
		if (r->keys[i].credential == credential) {
			usm_peer_free(r->keys[i].peer);
			r->keys[i].peer = NULL;
		}
}

static bool address_of(const union endpoint *from, struct address *out)
{
	struct sockaddr_storage s = {0};

	memcpy(&s, from, sizeof *from);
	if (!address_from_sockaddr(&s, out))
		return false;
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	if (out->family == 6 && !memcmp(out->bytes, mapped, sizeof mapped)) { /* a listener on [::] hears both families */
		out->family = 4;
		memmove(out->bytes, out->bytes + sizeof mapped, 4);
		memset(out->bytes + 4, 0, sizeof out->bytes - 4);
	}
	return true;
}

static void find_sources(const struct trap_receiver *r, struct arrival *a)
{
	for (struct source *s = *bucket_of(r, &a->trap->from); s && a->match_count < MATCHES_MAX; s = s->next)
		if (address_same_host(&s->s.address, &a->trap->from))
			a->matches[a->match_count++] = s;
}

/* --- limits ---------------------------------------------------------------------------------------------------- */

static bool site_pays(struct trap_receiver *r, int64_t now)
{
	struct bucket *b = &r->site;

	b->tokens_x1000 += (now - b->at) * TRAP_SITE_PER_S;
	b->at = now;
	if (b->tokens_x1000 > (int64_t)TRAP_SITE_BURST * THOUSAND)
		b->tokens_x1000 = (int64_t)TRAP_SITE_BURST * THOUSAND;
	if (b->tokens_x1000 < THOUSAND)
		return false;
	b->tokens_x1000 -= THOUSAND;
	return true;
}

/* Before anything is decoded: all sources at an address share the limit of the first. */
static bool source_pays(struct source *s, int64_t now)
{
	int64_t tokens = s->tokens_x1000 + (now - s->tokens_at) * TRAP_PER_S;

	s->tokens_at = now;
	if (tokens > TRAP_BURST * THOUSAND)
		tokens = TRAP_BURST * THOUSAND;
	bool pays = tokens >= THOUSAND;
	s->tokens_x1000 = (int32_t)(pays ? tokens - THOUSAND : tokens);
	return pays;
}

/* The same PDU a moment ago: a resend of an inform whose answer was lost, a duplicate of the network, or a replay. */
static bool is_repeat(struct source *s, struct ber pdu, int64_t now)
{
	uint64_t hash = text_hash(pdu.at, ber_left(&pdu));

	for (int i = 0; i < RECENT; i++)
		if (s->recent[i].at && s->recent[i].hash == hash && now - s->recent[i].at < TRAP_REPEAT_MS)
			return true;
	s->recent[s->recent_next].hash = hash;
	s->recent[s->recent_next].at = now;
	s->recent_next = (s->recent_next + 1) % RECENT;
	return false;
}

/* --- counts ------------------------------------------------------------------------------------------------------ */

static struct msg_trap_sender *sender_for(struct msg_trap_counts *c, const struct address *from)
{
	struct msg_trap_sender *oldest = c->senders;

	for (uint32_t i = 0; i < c->sender_count; i++) {
		if (address_same_host(&c->senders[i].address, from))
			return &c->senders[i];
		if (c->senders[i].last_ms < oldest->last_ms)
			oldest = &c->senders[i];
	}
	if (c->sender_count < TRAP_SENDERS)
		oldest = &c->senders[c->sender_count++];
	*oldest = (struct msg_trap_sender){.address = *from};
	oldest->address.port = 0;
	return oldest;
}

static void count(struct trap_receiver *r, const struct address *from, enum trap_fate fate, int64_t now)
{
	r->counts.fates[fate]++;
	if (fate == TRAP_FATE_TAKEN || fate == TRAP_FATE_REPEAT || fate == TRAP_FATE_DISCOVERY)
		return;
	struct msg_trap_sender *s = sender_for(&r->counts, from);
	s->fate = fate;
	s->count++;
	s->last_ms = now;
}

void trap_overflow(struct trap_receiver *r, uint64_t lost)
{
	r->counts.fates[TRAP_FATE_OVERFLOW] += lost;
}

const struct msg_trap_counts *trap_counts(const struct trap_receiver *r)
{
	return &r->counts;
}

/* --- version 1 and 2c --------------------------------------------------------------------------------------------- */

static bool knows_community(const struct credential *c, struct ber community)
{
	size_t size = ber_left(&community);

	return c->version != SNMP_V3 && c->ready && size == c->community_size && !CRYPTO_memcmp(community.at, c->community, size);
}

/* Whose community it is. Two objects at one address with the same community cannot be told apart. */
static enum trap_fate take_community(struct arrival *a, struct ber rest)
{
	enum trap_fate why = TRAP_FATE_LEVEL;
	struct ber community;

	if (!ber_take(&rest, BER_OCTETS, &community))
		return TRAP_FATE_GARBAGE;
	for (unsigned i = 0; i < a->match_count; i++) {
		const struct credential *c = a->matches[i]->s.credential;
		if (knows_community(c, community)) {
			if (a->sender)
				return TRAP_FATE_AMBIGUOUS;
			a->sender = a->matches[i];
		} else if (c->version != SNMP_V3) {
			why = c->ready ? TRAP_FATE_COMMUNITY : TRAP_FATE_NOT_READY;
		}
	}
	a->pdu = rest;
	return a->sender ? TRAP_FATE_TAKEN : why;
}

static void answer_community(struct trap_receiver *r, const struct arrival *a, struct ber request)
{
	const struct credential *c = a->sender->s.credential;
	uint8_t room[ANSWER_MAX];
	struct ber_out out = {room, room + sizeof room, false};
	const uint8_t *end = out.at;

	ber_put(&out, request.at, ber_left(&request));
	ber_put_header(&out, BER_RESPONSE, end);
	ber_put_octets(&out, c->community, c->community_size);
	ber_put_integer(&out, a->trap->version);
	ber_put_header(&out, BER_SEQUENCE, end);
	if (!out.full)
		r->ops.send(r->arg, out.at, (size_t)(end - out.at), a->from);
}

/* --- the way of a datagram ------------------------------------------------------------------------------------------ */

static enum trap_fate prove(struct trap_receiver *r, struct arrival *a)
{
	struct ber in = {a->bytes, a->bytes + a->size}, rest;
	int64_t version;

	if (!ber_take(&in, BER_SEQUENCE, &rest) || ber_left(&in) || !ber_integer_in(&rest, 0, 3, &version))
		return TRAP_FATE_GARBAGE;
	a->trap->version = (uint8_t)version;
	if (version == SNMP_V3)
		return trap_v3(r, a);
	return version <= SNMP_V2C ? take_community(a, rest) : TRAP_FATE_GARBAGE;
}

static enum trap_fate take_proved(struct trap_receiver *r, struct arrival *a)
{
	struct msg_trap *t = a->trap;
	const struct trap_source *s = &a->sender->s;
	struct ber request;
	uint8_t version = t->version;

	if (!trap_decode(a->pdu, t, &request) || (version == SNMP_V1) != (*a->pdu.at == BER_TRAP_V1))
		return TRAP_FATE_GARBAGE;
	bool repeat = is_repeat(a->sender, a->pdu, a->now);
	if (!repeat && !site_pays(r, a->now))
		return TRAP_FATE_RATE; /* not answered: an inform comes again */
	if (t->inform && version == SNMP_V3)
		trap_v3_answer(r, a, request);
	else if (t->inform)
		answer_community(r, a, request);
	if (repeat)
		return TRAP_FATE_REPEAT;
	t->slot = s->slot;
	t->generation = s->generation;
	t->source = (uint8_t)s->kind;
	t->arrival_ms = a->now;
	r->ops.trap(r->arg, t);
	return TRAP_FATE_TAKEN;
}

void trap_datagram(void *receiver, uint8_t *bytes, size_t size, const union endpoint *from, int64_t now)
{
	struct trap_receiver *r = receiver;
	struct msg_trap trap;
	struct arrival a = {.bytes = bytes, .size = size, .from = from, .now = now, .trap = &trap};
	enum trap_fate fate;

	memset(&trap, 0, sizeof trap);
	if (!address_of(from, &trap.from))
		return;
	find_sources(r, &a);
	if (!a.match_count)
		fate = TRAP_FATE_UNKNOWN_SOURCE;
	else if (!source_pays(a.matches[0], now))
		fate = TRAP_FATE_RATE;
	else if ((fate = prove(r, &a)) == TRAP_FATE_TAKEN)
		fate = take_proved(r, &a);
	count(r, &trap.from, fate, now);
}
