/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Switch ports of nodes: ifOperStatus and the octets that came in, each port every 10 s. When the engine asks, the port
 * is read again and again until it is clear whether the node still sends. Agents show counters some seconds old
 * (net-snmp: 3 s by default), so the first change may be of octets from before the question; only a second one proves
 * that it sends. That it does not is believed when another port's change shows that the agent has looked at its
 * counters meanwhile, else after the longest usual age of such a copy. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "mibs/collector/role/role.h"

enum {
	CYCLE_MS = 10000,
	AGAIN_MS = 500,
	STILL_MS = 2000,
	COPY_MS = 3500,
	PORTS_PER_QUERY = 8,
	ASKED_PER_QUERY = 5, /* the rest are read as witnesses of the copy's age */
	TURN_MS = 100,
	UP = 1
};
enum { WANT_STATUS = 1, WANT_OCTETS, WANT_OCTETS32 };

static const uint32_t if_oper_status[] = {1, 3, 6, 1, 2, 1, 2, 2, 1, 8};
static const uint32_t if_hc_in_octets[] = {1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6};
static const uint32_t if_in_octets[] = {1, 3, 6, 1, 2, 1, 2, 2, 1, 10};

struct port {
	bool used, kept, asked, in_flight;
	bool changed_once; /* since asked */
	uint32_t generation, if_index, switch_index;
	int64_t due, read;       /* when next, when last; 0 = never */
	int64_t octets, changed; /* as last read; when a reading last differed from the one before */
	int64_t unchanged;       /* when that one before was read: the difference is of octets since then, less the copy's age */
	int64_t told;            /* when its state was last told */
	int64_t since;           /* asked: what is counted from, the first reading or the first change; 0 = none yet */
};

struct switch_agent {
	bool used, busy;
	struct address address;
	struct credential *credential;
	uint32_t cursor;
	struct query *query;
	uint32_t nodes[PORTS_PER_QUERY]; /* whose ports are being read */
	unsigned count;
	uint32_t *members; /* node slots */
	size_t member_count;
};

struct ports {
	struct collector *owner;
	bool list_open; /* more of the list follows */
	int64_t turned;
	struct port ports[NODE_MAX];
	struct switch_agent switches[SWITCH_MAX];
	uint32_t switch_count;
};

struct ports *ports_new(struct collector *c)
{
	struct ports *p = mem_zalloc(sizeof *p);

	p->owner = c;
	return p;
}

void ports_free(struct ports *p)
{
	if (!p)
		return;
	for (uint32_t i = 0; i < p->switch_count; i++)
		free(p->switches[i].members);
	free(p);
}

static uint32_t switch_for(struct ports *p, const struct msg_port *m)
{
	struct collector *c = p->owner;
	struct credential *credential = targets_credential(c, m->credential, m->user, m->version, m->auth, m->priv);
	uint32_t i = 0;

	while (i < p->switch_count &&
	       !(address_equal(&p->switches[i].address, &m->switch_address) && p->switches[i].credential == credential))
		i++;
	if (i == SWITCH_MAX)
		return SWITCH_MAX;
	if (i == p->switch_count) {
		struct engine_agent agent = {
		    .address = m->switch_address, .credential = credential, .generation = 1, .bare = true};
		if (engine_agent_set(c->engine, NODE_MAX + i, &agent, c->now))
			return SWITCH_MAX;
		p->switches[i] =
		    (struct switch_agent){.used = true, .address = m->switch_address, .credential = credential};
		p->switch_count++;
	}
	return i;
}

static void leave_switch(struct ports *p, uint32_t slot)
{
	struct port *port = &p->ports[slot];
	struct switch_agent *s = &p->switches[port->switch_index];

	for (size_t i = 0; port->used && i < s->member_count; i++)
		if (s->members[i] == slot) {
			s->members[i] = s->members[--s->member_count];
			break;
		}
	*port = (struct port){0};
}

void ports_forget(struct ports *p, uint32_t slot)
{
	leave_switch(p, slot);
}

static void take_one(struct ports *p, const struct msg_port *m)
{
	struct port *port = &p->ports[m->slot];
	uint32_t index = switch_for(p, m);

	if (index == SWITCH_MAX) {
		log_warning("collector: the switch of node slot %u has no usable address, or there are more than %d "
			    "switches: its ports are not read",
			    m->slot, SWITCH_MAX);
		return;
	}
	if (port->used && port->switch_index == index && port->if_index == m->if_index &&
	    port->generation == m->generation) {
		port->kept = true;
		return;
	}
	leave_switch(p, m->slot);
	struct switch_agent *s = &p->switches[index];
	s->members = mem_grow(s->members, s->member_count + 1, sizeof *s->members);
	s->members[s->member_count++] = m->slot;
	*port = (struct port){.used = true,
			      .kept = true,
			      .generation = m->generation,
			      .if_index = m->if_index,
			      .switch_index = index,
			      .due = p->owner->now + m->slot % CYCLE_MS};
}

/* A long list comes in several messages, all but the last as full as a packet can be. */
void ports_take(struct ports *p, const struct msg_port *m, size_t count)
{
	if (!p->list_open)
		for (uint32_t i = 0; i < NODE_MAX; i++)
			p->ports[i].kept = false;
	for (size_t i = 0; i < count; i++)
		if (m[i].slot < NODE_MAX && text_terminated(m[i].credential, sizeof m[i].credential) &&
		    text_terminated(m[i].user, sizeof m[i].user))
			take_one(p, &m[i]);
	p->list_open = count == CHANNEL_BODY_MAX / sizeof *m;
	if (!p->list_open)
		for (uint32_t i = 0; i < NODE_MAX; i++)
			if (p->ports[i].used && !p->ports[i].kept)
				leave_switch(p, i);
}

void ports_ask(struct ports *p, uint32_t slot, uint32_t generation, int64_t now)
{
	struct port *port = slot < NODE_MAX ? &p->ports[slot] : NULL;

	if (!port || !port->used || port->generation != generation) {
		struct msg_port_state none = {.slot = slot, .generation = generation, .at_ms = now, .state = PORT_NA};
		outbox_port(p->owner->outbox, &none);
		return;
	}
	if (port->asked)
		return; /* being read already */
	port->asked = true;
	port->changed_once = false;
	port->since = 0;
	port->due = now;
	p->turned = 0;
}

/* at: since when it is proven */
static void tell(struct ports *p, uint32_t slot, enum port_state state, int64_t at, int64_t now)
{
	struct port *port = &p->ports[slot];
	struct msg_port_state m = {.slot = slot, .generation = port->generation, .at_ms = at, .state = (uint8_t)state};

	outbox_port(p->owner->outbox, &m);
	port->asked = false;
	port->told = now;
	port->due = now + CYCLE_MS;
}

/* Whether the switch's agent has looked at its counters since then: another port's reading has changed. */
static bool looked_since(const struct ports *p, uint32_t slot, int64_t since)
{
	const struct switch_agent *s = &p->switches[p->ports[slot].switch_index];

	for (size_t i = 0; i < s->member_count; i++)
		if (s->members[i] != slot && p->ports[s->members[i]].changed > since)
			return true;
	return false;
}

static void judge_asked(struct ports *p, uint32_t slot, bool moved, int64_t now)
{
	struct port *port = &p->ports[slot];
	int64_t seen = now - port->since;

	port->due = now + AGAIN_MS;
	if (!port->since) {
		port->since = now;
	} else if (moved && port->changed_once) {
		tell(p, slot, PORT_MOVING, port->since, now);
	} else if (moved) {
		port->changed_once = true;
		port->since = now;
	} else if (seen >= COPY_MS || (seen >= STILL_MS && looked_since(p, slot, port->since))) {
		tell(p, slot, PORT_STILL, now, now);
	}
}

static void take_reading(struct ports *p, uint32_t slot, const struct query_value *v, int64_t now)
{
	struct port *port = &p->ports[slot];
	const struct query_value *octets = v[1].type == VALUE_COUNTER64 ? &v[1] : &v[2];
	bool counts = octets->type == VALUE_COUNTER64 || octets->type == VALUE_COUNTER32;
	int64_t before = port->read;
	bool moved = before && counts && octets->value != port->octets;

	port->in_flight = false;
	port->read = counts ? now : 0;
	port->octets = octets->value;
	if (moved) {
		port->changed = now;
		port->unchanged = before;
	}
	if (v[0].type != VALUE_INTEGER || (v[0].value == UP && !counts))
		tell(p, slot, PORT_NA, now, now);
	else if (v[0].value != UP)
		tell(p, slot, PORT_DOWN, now, now);
	else if (port->asked)
		judge_asked(p, slot, moved, now);
	else if (port->due > now)
		return; /* read as a witness only */
	else if (before) /* what was seen since it was last told: the reading before may be a witness's, from the same copy as this one */
		tell(p, slot, port->changed > port->told ? PORT_MOVING : PORT_STILL, port->changed > port->told ? port->unchanged - COPY_MS : now,
		     now);
	else
		port->due = now + COPY_MS;
}

void ports_answer(struct ports *p, uint32_t engine_slot, const struct query *query, const struct query_value *values,
		  int64_t now)
{
	uint32_t index = engine_slot - NODE_MAX;

	if (index >= p->switch_count || !p->switches[index].busy)
		return;
	struct switch_agent *s = &p->switches[index];
	s->busy = false;
	for (unsigned i = 0; i < s->count; i++) {
		struct port *port = &p->ports[s->nodes[i]];
		if (!port->used || port->switch_index != index || !port->in_flight)
			continue;
		if (values) {
			take_reading(p, s->nodes[i], values + 1 + i * 3, now); /* behind sysUpTime */
		} else {
			port->in_flight = false;
			port->read = 0;
			tell(p, s->nodes[i], PORT_NA, now, now);
		}
	}
	engine_query_release(p->owner->engine, s->query);
	s->query = NULL;
	p->turned = 0;
	(void)query;
}

static struct query_want want_of(const uint32_t *oid, size_t length, uint16_t object, uint32_t index)
{
	struct query_want w = {.object = object, .oid_length = (uint8_t)(length + 1)};

	memcpy(w.oid, oid, length * sizeof *oid);
	w.oid[length] = index;
	return w;
}

enum pick { PICK_ASKED, PICK_DUE, PICK_WITNESS };

static void pick(struct ports *p, struct switch_agent *s, enum pick what, unsigned most, int64_t now)
{
	for (size_t n = 0; n < s->member_count && s->count < most; n++) {
		uint32_t slot = s->members[(s->cursor + n) % s->member_count];
		struct port *port = &p->ports[slot];
		if (port->in_flight || (what == PICK_ASKED && !port->asked) ||
		    (what != PICK_WITNESS && port->due > now))
			continue;
		port->in_flight = true;
		s->nodes[s->count++] = slot;
	}
}

static void start_query(struct ports *p, uint32_t index, int64_t now)
{
	struct switch_agent *s = &p->switches[index];
	struct query_want wants[PORTS_PER_QUERY * 3];

	s->count = 0;
	pick(p, s, PICK_ASKED, ASKED_PER_QUERY, now);
	bool asked = s->count > 0;
	pick(p, s, PICK_DUE, PORTS_PER_QUERY, now);
	if (asked)
		pick(p, s, PICK_WITNESS, PORTS_PER_QUERY, now);
	if (!s->count)
		return;
	for (unsigned i = 0; i < s->count; i++) {
		uint32_t if_index = p->ports[s->nodes[i]].if_index;
		wants[i * 3] = want_of(if_oper_status, COUNT_OF(if_oper_status), WANT_STATUS, if_index);
		wants[i * 3 + 1] = want_of(if_hc_in_octets, COUNT_OF(if_hc_in_octets), WANT_OCTETS, if_index);
		wants[i * 3 + 2] = want_of(if_in_octets, COUNT_OF(if_in_octets), WANT_OCTETS32, if_index);
	}
	s->cursor++;
	s->query = engine_query(p->owner->engine, wants, s->count * 3u);
	s->busy = true;
	if (!s->query || !engine_ask(p->owner->engine, NODE_MAX + index, s->query, now)) {
		for (unsigned i = 0; i < s->count; i++) {
			p->ports[s->nodes[i]].in_flight = false;
			tell(p, s->nodes[i], PORT_NA, now,
			     now); /* no credential yet, or no room: in the next round again */
		}
		s->busy = false;
		engine_query_release(p->owner->engine, s->query);
		s->query = NULL;
	}
}

void ports_turn(struct ports *p, int64_t now)
{
	if (now - p->turned < TURN_MS)
		return;
	p->turned = now;
	for (uint32_t i = 0; i < p->switch_count; i++)
		if (!p->switches[i].busy && p->switches[i].member_count)
			start_query(p, i, now);
}
