/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages to the engine role, gathered into packets: samples (which, like traps, may be lost under pressure) for up to 100 ms and in
 * several packets, so that the engine wakes once for all of them, all else at the end of the turn in which it was said. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mibs/collector/role/role.h"

enum { SAMPLES_WAIT_MS = 100, SAMPLES_FULL = 7, KINDS = 9 };

static const struct kind {
	uint16_t type, size;
	bool lossy;
} kinds[KINDS] = {
    {MSG_SAMPLES, SAMPLES_UNIT, true},
    {MSG_WITNESS, sizeof(struct witness_report), false},
    {MSG_INSTANCES, sizeof(struct msg_instance), false},
    {MSG_NODE_FACTS, sizeof(struct msg_node_facts), false},
    {MSG_PORT_STATE, sizeof(struct msg_port_state), false},
    {MSG_REFERENCE_STATE, sizeof(struct msg_reference_state), false},
    {MSG_TRAP, sizeof(struct msg_trap), true},
    {MSG_TARGET_STATE, sizeof(struct msg_target_state), false},
    {MSG_WATCH_STATE, sizeof(struct msg_watch_state), false},
};

struct packet {
	size_t used;
	uint8_t *bytes; /* CHANNEL_BODY_MAX */
};

struct outbox {
	struct collector *owner;
	int64_t first_sample;
	struct packet packets[KINDS];
	struct packet full[SAMPLES_FULL]; /* of samples, that wait for those in packets[0] */
	unsigned full_count;
};

struct outbox *outbox_new(struct collector *c)
{
	struct outbox *o = mem_zalloc(sizeof *o);

	o->owner = c;
	for (int i = 0; i < KINDS; i++)
		o->packets[i].bytes = mem_zalloc(CHANNEL_BODY_MAX);
	for (int i = 0; i < SAMPLES_FULL; i++)
		o->full[i].bytes = mem_zalloc(CHANNEL_BODY_MAX);
	return o;
}

void outbox_free(struct outbox *o)
{
	if (!o)
		return;
	for (int i = 0; i < KINDS; i++)
		free(o->packets[i].bytes);
	for (int i = 0; i < SAMPLES_FULL; i++)
		free(o->full[i].bytes);
	free(o);
}

static void send_packet(struct outbox *o, struct packet *p, int kind)
{
	struct channel *engine = o->owner->context->engine;

	if (!p->used)
		return;
	if (kinds[kind].lossy)
		channel_send_lossy(engine, kinds[kind].type, p->bytes, p->used);
	else
		channel_send(engine, kinds[kind].type, p->bytes, p->used);
	p->used = 0;
}

static void send_samples(struct outbox *o)
{
	for (unsigned i = 0; i < o->full_count; i++)
		send_packet(o, &o->full[i], 0);
	o->full_count = 0;
	send_packet(o, &o->packets[0], 0);
}

static void put(struct outbox *o, int kind, const void *message)
{
	struct packet *p = &o->packets[kind];

	if (p->used + kinds[kind].size > CHANNEL_BODY_MAX)
		send_packet(o, p, kind);
	memcpy(p->bytes + p->used, message, kinds[kind].size);
	p->used += kinds[kind].size;
}

struct msg_samples *outbox_samples(struct outbox *o, size_t count, int64_t now)
{
	struct packet *p = &o->packets[0];

	if (p->used + sizeof(struct msg_samples) + count * sizeof(struct msg_sample) > CHANNEL_BODY_MAX) {
		if (o->full_count == SAMPLES_FULL) {
			send_samples(o);
		} else {
			struct packet empty = o->full[o->full_count];
			o->full[o->full_count++] = *p;
			*p = empty;
		}
	}
	if (!p->used && !o->full_count)
		o->first_sample = now;
	return (struct msg_samples *)(void *)(p->bytes + p->used);
}

void outbox_samples_end(struct outbox *o, const struct msg_samples *answer)
{
	if (answer->count)
		o->packets[0].used += sizeof *answer + answer->count * sizeof(struct msg_sample);
}

void outbox_witness(struct outbox *o, const struct witness_report *m)
{
	put(o, 1, m);
}

void outbox_instance(struct outbox *o, const struct msg_instance *m)
{
	/* ids before the values that carry them: what is gathered of both leaves in this order */
	put(o, 2, m);
}

void outbox_facts(struct outbox *o, const struct msg_node_facts *m)
{
	put(o, 3, m);
}

void outbox_port(struct outbox *o, const struct msg_port_state *m)
{
	put(o, 4, m);
}

void outbox_reference(struct outbox *o, const struct msg_reference_state *m)
{
	put(o, 5, m);
}

void outbox_trap(struct outbox *o, const struct msg_trap *m)
{
	put(o, 6, m);
}

void outbox_target_state(struct outbox *o, const struct msg_target_state *m)
{
	put(o, 7, m);
}

void outbox_watch(struct outbox *o, const struct msg_watch_state *m)
{
	put(o, 8, m);
}

void outbox_turn(struct outbox *o, int64_t now)
{
	for (int kind = 1; kind < KINDS; kind++)
		send_packet(o, &o->packets[kind], kind);
	if ((o->packets[0].used || o->full_count) && now - o->first_sample >= SAMPLES_WAIT_MS)
		send_samples(o);
}
