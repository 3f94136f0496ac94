/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The trap listener of the role: the socket the supervisor has opened, who may send (nodes as they are polled; BMCs,
 * switches and PDUs as the engine tells), and what goes on to the engine. A storm is read in portions, so that polls
 * keep their time. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "mibs/collector/role/role.h"
#include "mibs/collector/trap.h"

enum { GATHER_MS = 10 };

struct traps {
	struct collector *owner;
	struct trap_receiver *receiver;
	struct batch *batch; /* NULL: no listener */
	struct loop_fd *watch;
	struct loop_timer *again;
	struct credential anybody; /* what BMCs send when nothing else is agreed */
	uint64_t overflowed;
	bool list_open;
	struct msg_trap_counts told;
};

static void on_trap(void *arg, const struct msg_trap *trap)
{
	struct traps *t = arg;

	outbox_trap(t->owner->outbox, trap);
}

static void on_send(void *arg, const uint8_t *bytes, size_t size, const union endpoint *to)
{
	struct traps *t = arg;
	uint8_t *room = t->batch && size <= BATCH_OUT ? batch_room(t->batch) : NULL;

	if (!room)
		return;
	memcpy(room, bytes, size);
	batch_commit(t->batch, room, size, to);
}

static struct usm_peer *on_peer(void *arg, uint32_t slot)
{
	struct traps *t = arg;

	return engine_peer(t->owner->engine, slot);
}

static void receive(struct traps *t)
{
	int64_t now = clock_mono_ms();
	unsigned count = batch_receive(t->batch, now);
	uint64_t overflowed = batch_stats(t->batch)->overflowed;

	batch_flush(t->batch);
	trap_overflow(t->receiver, overflowed - t->overflowed);
	t->overflowed = overflowed;
	outbox_turn(t->owner->outbox, now);
	if (count < BATCH)
		return;
	loop_fd_change(t->watch, 0); /* a storm: let it gather */
	loop_timer_set(t->again, GATHER_MS);
}

static void on_readable(void *arg, int what)
{
	(void)what;
	receive(arg);
}

static void on_again(void *arg)
{
	struct traps *t = arg;

	loop_fd_change(t->watch, LOOP_READ);
	receive(t);
}

struct traps *traps_new(struct collector *c, int fd)
{
	static const struct trap_ops ops = {on_trap, on_send, on_peer};
	struct traps *t = mem_zalloc(sizeof *t);
	struct batch_owner owner = {.on_datagram = trap_datagram};

	t->owner = c;
	owner.arg = t->receiver = trap_new(&ops, t);
	t->anybody.version = SNMP_V2C;
	credential_set_secret(&t->anybody, "community=public");
	if (fd < 0)
		return t;
	t->batch = batch_new(fd, &owner);
	t->watch = loop_fd_add(c->context->loop, fd, LOOP_READ, on_readable, t);
	t->again = loop_timer_new(c->context->loop, on_again, t);
	return t;
}

void traps_free(struct traps *t)
{
	if (!t)
		return;
	if (t->batch) {
		loop_fd_remove(t->watch);
		loop_timer_free(t->again);
	}
	batch_free(t->batch);
	trap_free(t->receiver);
	credential_wipe(&t->anybody);
	free(t);
}

void traps_node(struct traps *t, uint32_t slot)
{
	const struct target *target = target_at(t->owner, slot);
	struct trap_source s = {.kind = TRAP_FROM_NODE, .slot = slot};

	if (!target) {
		trap_source_remove(t->receiver, TRAP_FROM_NODE, slot);
		return;
	}
	s.generation = target->generation;
	s.address = target->address;
	s.credential = target->credential;
	trap_source_set(t->receiver, &s);
}

static void take_source(struct traps *t, const struct msg_trap_source *m)
{
	struct trap_source s = {.kind = (enum trap_source_kind)m->kind, .slot = m->slot, .generation = m->generation,
				.address = m->address, .credential = &t->anybody};

	if (m->kind <= TRAP_FROM_NODE || m->kind >= TRAP_FROM_COUNT ||
	    !text_terminated(m->credential, sizeof m->credential) || !text_terminated(m->user, sizeof m->user))
		return;
	if (m->credential[0])
		s.credential =
		    targets_credential(t->owner, m->credential, m->user, m->version, m->auth, m->priv);
	trap_source_set(t->receiver, &s);
}

void traps_sources(struct traps *t, const struct msg_trap_source *m, size_t count)
{
	if (!t->list_open)
		trap_sources_begin(t->receiver);
	for (size_t i = 0; i < count; i++)
		take_source(t, &m[i]);
	t->list_open = count == CHANNEL_BODY_MAX / sizeof *m;
	if (!t->list_open)
		trap_sources_end(t->receiver);
}

void traps_engine(struct traps *t, const struct msg_snmp_engine *own, int64_t now)
{
	trap_engine(t->receiver, own, now);
}

void traps_credential_changed(struct traps *t, const struct credential *credential)
{
	trap_credential_changed(t->receiver, credential);
}

void traps_second(struct traps *t)
{
	const struct msg_trap_counts *now = trap_counts(t->receiver);

	if (!memcmp(now, &t->told, sizeof *now))
		return;
	t->told = *now;
	channel_send_lossy(t->owner->context->engine, MSG_TRAP_COUNTS, now, sizeof *now);
}
