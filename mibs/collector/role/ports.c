/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Switch ports of nodes: ifOperStatus and the octets that came in, read twice about a second apart, because only the
 * difference of two readings says whether the node still sends. Agents cache their counters for a second or so: what a
 * difference proves is dated before its first reading by as much, and a port that is asked for is read once more before
 * the pair, so that the pair is younger than the question. Each port every 10 s, and at once when the engine asks. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "mibs/collector/role/role.h"

enum {
	CYCLE_MS = 10000,
	PAIR_MS = 1100,
	CACHE_MS = 1100,
	PAIR_LOW_MS = 300,
	PAIR_HIGH_MS = 2500,
	PORTS_PER_QUERY = 8,
	TURN_MS = 100,
	NO_PORT = UINT16_MAX,
	UP = 1
};
enum { WANT_STATUS = 1, WANT_OCTETS, WANT_OCTETS32 };

static const uint32_t if_oper_status[] = {1, 3, 6, 1, 2, 1, 2, 2, 1, 8};
static const uint32_t if_hc_in_octets[] = {1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6};
static const uint32_t if_in_octets[] = {1, 3, 6, 1, 2, 1, 2, 2, 1, 10};

struct port {
	bool used, kept, asked, stale, in_flight; /* stale: the next reading may be older than the question */
	uint32_t generation, if_index, switch_index;
	int64_t due, read; /* when next, when last; 0 = never */
	int64_t octets;
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
	port->asked = port->stale = true;
	port->read = 0;
	port->due = now;
	p->turned = 0;
}

static void tell(struct ports *p, uint32_t slot, enum port_state state, int64_t at, int64_t now)
{
	struct port *port = &p->ports[slot];
	struct msg_port_state m = {.slot = slot, .generation = port->generation, .at_ms = at, .state = (uint8_t)state};

	outbox_port(p->owner->outbox, &m);
	port->asked = port->stale = false;
	port->due = now + CYCLE_MS - PAIR_MS;
}

/* One reading; the second of a pair concludes. */
static void take_reading(struct ports *p, uint32_t slot, const struct query_value *v, int64_t now)
{
	struct port *port = &p->ports[slot];
	const struct query_value *octets = v[1].type == VALUE_COUNTER64 ? &v[1] : &v[2];
	int64_t age = now - port->read;
	bool pair = port->read && age >= PAIR_LOW_MS && age <= PAIR_HIGH_MS, moved = octets->value != port->octets;
	int64_t proves = port->read - CACHE_MS;

	port->in_flight = false;
	if (v[0].type != VALUE_INTEGER) {
		port->read = 0;
		tell(p, slot, PORT_NA, now, now);
		return;
	}
	bool counts = octets->type == VALUE_COUNTER64 || octets->type == VALUE_COUNTER32;
	port->read = counts ? now : 0;
	port->octets = octets->value;
	if (v[0].value != UP) {
		tell(p, slot, PORT_DOWN, now, now);
	} else if (!counts) {
		tell(p, slot, PORT_NA, now, now);
	} else if (pair) {
		tell(p, slot, moved ? PORT_MOVING : PORT_STILL, moved ? proves : now, now);
	} else {
		if (port->stale)
			port->read = 0;
		port->stale = false;
		port->due = now + PAIR_MS;
	}
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

static void pick(struct ports *p, struct switch_agent *s, bool asked, int64_t now)
{
	for (size_t n = 0; n < s->member_count && s->count < PORTS_PER_QUERY; n++) {
		uint32_t slot = s->members[(s->cursor + n) % s->member_count];
		struct port *port = &p->ports[slot];
		if (port->due > now || port->asked != asked || port->in_flight)
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
	pick(p, s, true, now);
	pick(p, s, false, now);
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
