/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Traps and informs of SNMPv3: who is the authoritative engine, which keys prove it, and the Reports of RFC 3414 to those
 * who send informs to us. */
#include "mibs/collector/trap_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* usmStats of RFC 3414, section 5 */
enum { STATS_LEVEL = 1, STATS_WINDOW, STATS_USER, STATS_ENGINE, STATS_DIGEST, STATS_DECRYPTION };

static bool speaks_v3(const struct source *s)
{
	return s->s.credential->version == SNMP_V3 && s->s.credential->ready;
}

static bool is_user(const struct credential *c, struct ber user)
{
	return ber_left(&user) == strlen(c->user) && !memcmp(user.at, c->user, ber_left(&user));
}

static bool level_is_enough(const struct credential *c, uint8_t flags)
{
	return (flags & USM_FLAG_AUTH) && (!c->priv || (flags & USM_FLAG_PRIV));
}

/* Why nobody at this address can have sent it, unless keys say more. */
static enum trap_fate first_fate(const struct arrival *a, const struct usm_message *m)
{
	enum trap_fate why = TRAP_FATE_USER;

	for (unsigned i = 0; i < a->match_count; i++) {
		const struct credential *c = a->matches[i]->s.credential;
		if (c->version == SNMP_V3 && !c->ready)
			why = TRAP_FATE_NOT_READY;
		else if (c->version == SNMP_V3 && is_user(c, m->user))
			return level_is_enough(c, m->flags) ? TRAP_FATE_DIGEST : TRAP_FATE_LEVEL;
	}
	return why;
}

static bool may_be(const struct source *s, const struct usm_message *m)
{
	return speaks_v3(s) && is_user(s->s.credential, m->user) && level_is_enough(s->s.credential, m->flags);
}

/* --- traps: the sender is authoritative ------------------------------------------------------------------------- */

static struct usm_peer *polled_peer(struct trap_receiver *r, const struct source *s, const struct usm_message *m)
{
	struct usm_peer *peer = s->s.kind == TRAP_FROM_NODE ? r->ops.peer(r->arg, s->s.slot) : NULL;

	return peer && usm_peer_is(peer, m->engine_id) ? peer : NULL;
}

static enum trap_fate opened(enum usm_result result, struct usm_peer *peer, const struct arrival *a,
			     const struct usm_message *m)
{
	if (result == USM_GARBAGE)
		return TRAP_FATE_GARBAGE;
	if (result != USM_OK)
		return TRAP_FATE_DIGEST;
	return usm_in_window(peer, m, a->now) ? TRAP_FATE_TAKEN : TRAP_FATE_WINDOW;
}

/* With keys made for the engine id the message names; they are kept once they have proved right. */
static enum trap_fate open_as(struct trap_receiver *r, struct arrival *a, struct source *s, struct usm_message *m)
{
	const struct credential *c = s->s.credential;
	struct usm_peer *peer = polled_peer(r, s, m), *made = NULL;

	if (!peer && s->peer && usm_peer_is(s->peer, m->engine_id))
		peer = s->peer;
	if (!peer)
		peer = made = usm_peer_new(c, m->engine_id.at, ber_left(&m->engine_id));
	if (!peer)
		return TRAP_FATE_GARBAGE;
	enum trap_fate fate = opened(usm_open(peer, c, m, &a->pdu), peer, a, m);
	if (made && fate == TRAP_FATE_TAKEN) {
		usm_peer_free(s->peer);
		s->peer = made;
	} else {
		usm_peer_free(made);
	}
	if (fate == TRAP_FATE_TAKEN)
		a->sender = s;
	return fate;
}

static enum trap_fate take_trap(struct trap_receiver *r, struct arrival *a, struct usm_message *m)
{
	struct source *candidate = NULL;
	unsigned candidates = 0;

	for (unsigned i = 0; i < a->match_count; i++) {
		if (!may_be(a->matches[i], m))
			continue;
		candidate = a->matches[i];
		candidates++;
		if (polled_peer(r, candidate, m)) {
			candidates = 1;
			break;
		}
	}
	if (candidates > 1)
		return TRAP_FATE_AMBIGUOUS;
	return candidate ? open_as(r, a, candidate, m) : first_fate(a, m);
}

/* --- informs: we are ----------------------------------------------------------------------------------------------- */

/* An authenticated answer of our own engine, in the context of the question; own has the user's keys and our clock. */
static void send_sealed(struct trap_receiver *r, const struct arrival *a, struct usm_peer *own, const struct credential *c, bool priv,
			uint8_t *room, struct ber_out *out)
{
	const struct usm_message *m = &a->message;
	uint8_t *end = room + ANSWER_MAX;

	ber_put_octets(out, m->context_name.at, ber_left(&m->context_name));
	ber_put_octets(out, m->context_engine.at, ber_left(&m->context_engine));
	ber_put_header(out, BER_SEQUENCE, end);
	size_t size = out->full ? 0 : usm_seal(own, c, m->id, (uint8_t)(USM_FLAG_AUTH | (priv ? USM_FLAG_PRIV : 0)), out, end, a->now);
	if (size)
		r->ops.send(r->arg, out->at, size, a->from);
}

/* A Report about the datagram; own not NULL: authenticated (of the time window, which must be believed). */
static void report(struct trap_receiver *r, const struct arrival *a, const struct usm_message *m, uint8_t stat,
		   enum trap_fate fate, struct usm_peer *own, const struct credential *c)
{
	const uint8_t name[] = {0x2b, 6, 1, 6, 3, 15, 1, 1, stat, 0};
	uint8_t pdu[ANSWER_MAX], room[ANSWER_MAX], value[4], *end = pdu + sizeof pdu;
	struct ber_out out = {pdu, end, false};
	uint32_t counted = (uint32_t)r->counts.fates[fate] + 1;
	const uint8_t *start;

	if (!(m->flags & USM_FLAG_REPORTABLE))
		return;
	for (int i = 3; i >= 0; i--, counted >>= 8)
		value[i] = (uint8_t)counted;
	ber_put(&out, value, sizeof value);
	ber_put_header(&out, BER_COUNTER32, end);
	uint8_t *mark = out.at;
	ber_put(&out, name, sizeof name);
	ber_put_header(&out, BER_OID, mark);
	ber_put_header(&out, BER_SEQUENCE, end);
	ber_put_header(&out, BER_SEQUENCE, end);
	ber_put_integer(&out, 0);
	ber_put_integer(&out, 0);
	ber_put_integer(&out, 0);
	ber_put_header(&out, BER_REPORT, end);
	if (own) {
		send_sealed(r, a, own, c, false, pdu, &out);
		return;
	}
	size_t size = usm_report(&r->own, m, out.at, (size_t)(end - out.at), room, sizeof room, &start);
	if (size)
		r->ops.send(r->arg, start, size, a->from);
}

static struct usm_peer *own_peer(struct trap_receiver *r, const struct credential *c, int64_t now)
{
	size_t i = 0;

	while (i < r->key_count && r->keys[i].credential != c)
		i++;
	if (i == r->key_count) {
		r->keys = mem_grow(r->keys, r->key_count + 1, sizeof *r->keys);
		r->keys[r->key_count++] = (struct own_keys){.credential = c};
	}
	if (!r->keys[i].peer)
		r->keys[i].peer = usm_peer_new(c, r->own.id, r->own.id_size);
	if (r->keys[i].peer)
		usm_peer_clock(r->keys[i].peer, r->own.boots, r->own.time_s, true, now);
	return r->keys[i].peer;
}

static enum trap_fate refuse(struct trap_receiver *r, const struct arrival *a, const struct usm_message *m,
			     enum trap_fate fate)
{
	static const uint8_t stats[TRAP_FATE_COUNT] = {[TRAP_FATE_LEVEL] = STATS_LEVEL, [TRAP_FATE_USER] = STATS_USER,
						       [TRAP_FATE_DIGEST] = STATS_DIGEST,
						       [TRAP_FATE_GARBAGE] = STATS_DECRYPTION};

	if (stats[fate])
		report(r, a, m, stats[fate], fate, NULL, NULL);
	return fate;
}

static enum trap_fate take_inform(struct trap_receiver *r, struct arrival *a, struct usm_message *m)
{
	struct source *s = NULL;
	unsigned candidates = 0;

	for (unsigned i = 0; i < a->match_count; i++)
		if (may_be(a->matches[i], m)) {
			s = a->matches[i];
			candidates++;
		}
	if (candidates != 1)
		return candidates ? TRAP_FATE_AMBIGUOUS : refuse(r, a, m, first_fate(a, m));
	struct usm_peer *own = own_peer(r, s->s.credential, a->now);
	a->priv = m->flags & USM_FLAG_PRIV;
	enum usm_result result = own ? usm_open(own, s->s.credential, m, &a->pdu) : USM_WRONG_MAC;
	if (result != USM_OK)
		return refuse(r, a, m, result == USM_GARBAGE ? TRAP_FATE_GARBAGE : TRAP_FATE_DIGEST);
	if (!usm_is_timely(own, m, a->now)) {
		report(r, a, m, STATS_WINDOW, TRAP_FATE_WINDOW, own, s->s.credential);
		return TRAP_FATE_WINDOW;
	}
	a->sender = s;
	a->own_peer = own;
	return TRAP_FATE_TAKEN;
}

void trap_v3_answer(struct trap_receiver *r, const struct arrival *a, struct ber request)
{
	uint8_t room[ANSWER_MAX];
	struct ber_out out = {room, room + sizeof room, false};

	if (!a->own_peer) /* an inform that names the sender's engine as ours: nobody waits for an answer to that */
		return;
	ber_put(&out, request.at, ber_left(&request));
	ber_put_header(&out, BER_RESPONSE, room + sizeof room);
	send_sealed(r, a, a->own_peer, a->sender->s.credential, a->priv, room, &out);
}

static bool is_own(const struct trap_receiver *r, struct ber id)
{
	return r->own.id_size && ber_left(&id) == r->own.id_size && !memcmp(id.at, r->own.id, r->own.id_size);
}

enum trap_fate trap_v3(struct trap_receiver *r, struct arrival *a)
{
	struct usm_message *m = &a->message;

	if (!usm_read(a->bytes, a->size, m))
		return TRAP_FATE_GARBAGE;
	r->own.time_s = (a->now - r->own_since) / 1000;
	if (is_own(r, m->engine_id))
		return take_inform(r, a, m);
	if (m->flags & USM_FLAG_REPORTABLE) { /* somebody looks for the engine to send informs to */
		if (!r->own.id_size)
			return TRAP_FATE_NOT_READY;
		report(r, a, m, STATS_ENGINE, TRAP_FATE_DISCOVERY, NULL, NULL);
		return TRAP_FATE_DISCOVERY;
	}
	return take_trap(r, a, m);
}
