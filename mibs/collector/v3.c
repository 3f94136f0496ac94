/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SNMPv3 in the engine: discovery of an agent's engine id, Reports, and which answers are believed. */
#include "mibs/collector/engine_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"

/* usmStats (RFC 3414): what an agent may complain of */
enum report { REPORT_OTHER, REPORT_LEVEL, REPORT_TIME, REPORT_USER, REPORT_ENGINE, REPORT_DIGEST, REPORT_DECRYPTION };

void v3_seed(struct agent *a, const struct msg_snmp_engine *known, int64_t now)
{
	if (known->id_length < 5 || known->id_length > USM_ENGINE_ID_MAX || !known->boots)
		return;
	if (!a->seed)
		a->seed = mem_zalloc(sizeof *a->seed);
	*a->seed = (struct seed){.id_size = known->id_length, .boots = known->boots, .time_s = known->time_s, .at = now};
	memcpy(a->seed->id, known->id, known->id_length);
}

void v3_forget(struct agent *a)
{
	usm_peer_free(a->peer);
	free(a->seed);
	a->peer = NULL;
	a->seed = NULL;
}

/* Keys of the engine that was known before. Its clock is a guess; where it is wrong, the agent's own Report says so. */
static void grow_seed(struct agent *a, int64_t now)
{
	struct seed *s = a->seed;

	a->peer = usm_peer_new(a->credential, s->id, s->id_size);
	if (a->peer)
		usm_peer_clock(a->peer, s->boots, s->time_s + (now - s->at) / 1000, false, now);
	free(s);
	a->seed = NULL;
}

size_t v3_build(struct engine *e, struct agent *a, uint32_t id, const uint8_t *pdu, size_t size, size_t id_at,
		uint8_t *room, size_t room_size, const uint8_t **start, int64_t now)
{
	/* an engine not known yet is asked for nothing: its Report brings the id, and the exchange is sent anew */
	if (!a->peer && a->seed)
		grow_seed(a, now);
	if (!a->peer) {
		static const uint8_t empty[] = {
		    BER_GET, 14, BER_INTEGER, 4, 0, 0, 0, 0, BER_INTEGER, 1, 0, BER_INTEGER, 1, 0, BER_SEQUENCE, 0};
		(void)e;
		return usm_write(NULL, a->credential, id, empty, sizeof empty, 4, room, room_size, start, now);
	}
	return usm_write(a->peer, a->credential, id, pdu, size, id_at, room, room_size, start, now);
}

static enum report report_kind(struct ber varbinds)
{
	static const uint8_t stats[] = {0x2b, 6, 1, 6, 3, 15, 1, 1};
	struct ber varbind, name;

	if (!ber_take(&varbinds, BER_SEQUENCE, &varbind) || !ber_take(&varbind, BER_OID, &name) ||
	    ber_left(&name) < sizeof stats + 1 || memcmp(name.at, stats, sizeof stats) != 0 ||
	    name.at[sizeof stats] > REPORT_DECRYPTION)
		return REPORT_OTHER;
	return (enum report)name.at[sizeof stats];
}

static void complain(const struct agent *a, enum report kind, int64_t now)
{
	static const char *const words[] = {"sends a Report of an unknown kind",
					    "does not offer this security level: check auth and priv of the credential",
					    "",
					    "does not know the user: check the user name",
					    "",
					    "refuses our keys: check the passphrase auth=",
					    "cannot decrypt: check the passphrase priv="};
	static struct log_damper damper;
	unsigned held;

	if (words[kind][0] && log_damper_pass(&damper, now, &held))
		log_warning("collector: agent %u %s (credential %s; %u more such)", a->slot, words[kind],
			    a->credential->name, held);
}

static void refuse(struct engine *e, const struct agent *a, enum report kind)
{
	static const enum target_state states[] = {[REPORT_LEVEL] = TARGET_LEVEL, [REPORT_USER] = TARGET_USER,
						   [REPORT_DIGEST] = TARGET_DIGEST, [REPORT_DECRYPTION] = TARGET_DECRYPTION};

	if (e->ops.refused && states[kind])
		e->ops.refused(e->arg, a->slot, states[kind]);
}

static bool learn_engine(struct agent *a, const struct usm_message *m, int64_t now)
{
	struct usm_peer *peer = usm_peer_new(a->credential, m->engine_id.at, ber_left(&m->engine_id));

	if (!peer)
		return false;
	usm_peer_free(a->peer);
	a->peer = peer;
	usm_peer_clock(peer, m->boots, m->time, false, now);
	return true;
}

/* A Report is an answer of the agent, whatever it says; what it says is believed only where RFC 3414 allows it. */
static void take_report(struct engine *e, struct agent *a, struct exchange *x, const struct usm_message *m,
			const struct response *r, bool proved, int64_t now)
{
	enum report kind = report_kind(r->varbinds);
	bool again = false;

	e->stats.reports++;
	if (kind == REPORT_ENGINE)
		again = (a->peer && usm_peer_is(a->peer, m->engine_id)) || learn_engine(a, m, now);
	else if (kind == REPORT_TIME && proved && a->peer) {
		usm_peer_clock(a->peer, m->boots, m->time, true, now);
		again = true;
	} else {
		refuse(e, a, kind);
		complain(a, kind, now);
	}
	engine_answered(e, a, x, WATCH_S_REPORT, now);
	if (again && !x->resent && x->attempt < TRIES_MAX) {
		e->stats.resyncs++;
		x->attempt++;
		engine_again(e, a, x, now);
	} else {
		engine_give_up(e, a, x, now);
	}
}

static bool level_is_enough(const struct credential *c, uint8_t flags)
{
	return (flags & USM_FLAG_AUTH) && (!c->priv || (flags & USM_FLAG_PRIV));
}

/* Opens the message; *proved tells whether its sender knows the keys. */
static bool open_message(struct engine *e, struct agent *a, struct usm_message *m, struct ber *pdu, bool *proved)
{
	*proved = false;
	if (!(m->flags & USM_FLAG_AUTH)) {
		if (usm_plain_pdu(m, pdu))
			return true;
		e->stats.garbage++;
		return false;
	}
	enum usm_result result = a->peer ? usm_open(a->peer, a->credential, m, pdu) : USM_WRONG_MAC;
	*proved = result == USM_OK;
	if (result == USM_GARBAGE)
		e->stats.garbage++;
	else if (result != USM_OK)
		e->stats.forged++;
	return *proved;
}

void v3_datagram(struct engine *e, uint8_t *bytes, size_t size, const union endpoint *from, int64_t now)
{
	struct usm_message m;
	struct response r;
	struct agent *a;
	struct ber pdu;
	bool proved;

	if (!usm_read(bytes, size, &m)) {
		e->stats.garbage++;
		return;
	}
	struct exchange *x = engine_match(e, m.id, from, now, &a);
	if (!x)
		return;
	if (a->credential->version != SNMP_V3) {
		e->stats.foreign++;
		return;
	}
	uint8_t level = m.flags;
	if (!open_message(e, a, &m, &pdu, &proved))
		return;
	if (!response_parse(pdu, &r)) {
		e->stats.garbage++;
	} else if (r.type == BER_REPORT) {
		take_report(e, a, x, &m, &r, proved, now);
	} else if (r.type != BER_RESPONSE || r.id != m.id || !proved || !level_is_enough(a->credential, level)) {
		e->stats.forged++;
	} else if (!usm_in_window(a->peer, &m, now)) {
		e->stats.forged++;
	} else {
		/* only now proved to be this agent's; another one than before is a clone's, or another machine's */
		if (!a->id_known || ber_left(&m.engine_id) != a->facts.engine_id_size ||
		    memcmp(m.engine_id.at, a->facts.engine_id, a->facts.engine_id_size) != 0)
			facts_engine_id(e, a, m.engine_id.at, ber_left(&m.engine_id));
		engine_response(e, a, x, &r, now);
	}
}
