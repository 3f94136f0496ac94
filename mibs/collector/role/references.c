/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reference targets of domains (switch, gateway, PDU address): echo each second, silent after four in a row. The engine
 * is told at every change, every 5 s, and at once when it asked. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mibs/collector/role/role.h"

enum { PERIOD_MS = 1000, ASKED_MS = 200, MISSES = 4, TELL_MS = 5000 };
enum known { UNKNOWN, SILENT, ANSWERS };

struct reference {
	uint32_t domain;
	union endpoint to;
	uint32_t token;
	uint8_t misses;
	uint8_t known; /* enum known */
	bool waiting;  /* for the answer to token */
	uint8_t asked; /* echoes that remain of a question of the engine */
	int64_t next, told;
};

struct references {
	struct collector *owner;
	bool list_open;
	size_t count;
	int64_t next;
	struct reference *list;
};

struct references *references_new(struct collector *c)
{
	struct references *r = mem_zalloc(sizeof *r);

	r->owner = c;
	r->list = mem_array(REFERENCE_MAX, sizeof *r->list);
	return r;
}

void references_free(struct references *r)
{
	if (!r)
		return;
	free(r->list);
	free(r);
}

static void take_one(struct references *r, const struct msg_reference *m, int64_t now)
{
	struct sockaddr_storage storage;
	struct reference made = {.domain = m->domain, .next = now + (int64_t)(m->domain % PERIOD_MS)};
	socklen_t size = address_to_sockaddr(&m->address, &storage);

	if (!size || size > sizeof made.to || r->count == REFERENCE_MAX)
		return;
	memcpy(&made.to, &storage, size);
	r->list[r->count++] = made;
}

void references_take(struct references *r, const struct msg_reference *m, size_t count)
{
	if (!r->list_open)
		r->count = 0;
	for (size_t i = 0; i < count; i++)
		take_one(r, &m[i], r->owner->now);
	r->list_open = count == CHANNEL_BODY_MAX / sizeof *m;
	r->next = 0;
}

static void tell(struct references *r, struct reference *f, int64_t now)
{
	struct msg_reference_state m = {.domain = f->domain, .answers = f->known == ANSWERS, .at_ms = now};

	f->told = now;
	outbox_reference(r->owner->outbox, &m);
}

void references_ask(struct references *r, uint32_t domain, int64_t now)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->list[i].domain == domain) {
			r->list[i].asked = MISSES;
			r->list[i].misses = 0;
			r->list[i].waiting = false;
			r->list[i].next = now;
			r->next = 0;
		}
}

void references_answer(struct references *r, uint32_t index, const union endpoint *from, int64_t now)
{
	struct reference *f = index < r->count ? &r->list[index] : NULL;

	if (!f || !endpoint_same(&f->to, from, false))
		return;
	bool news = f->known != ANSWERS || f->asked || now - f->told >= TELL_MS;

	f->waiting = false;
	f->misses = 0;
	f->asked = 0;
	f->known = ANSWERS;
	if (news)
		tell(r, f, now);
}

static void missed(struct references *r, struct reference *f, int64_t now)
{
	if (f->asked)
		f->asked--;
	if (f->misses < MISSES)
		f->misses++;
	if (f->misses < MISSES)
		return;
	bool news = f->known != SILENT || f->asked || now - f->told >= TELL_MS;

	f->known = SILENT;
	f->asked = 0;
	if (news)
		tell(r, f, now);
}

void references_turn(struct references *r, int64_t now)
{
	if (now < r->next)
		return;
	r->next = now + PERIOD_MS;
	for (size_t i = 0; i < r->count; i++) {
		struct reference *f = &r->list[i];
		if (f->next <= now) {
			if (f->waiting)
				missed(r, f, now);
			/* what cannot be sent is not missed */
			f->waiting = echo_send(r->owner->echo, REFERENCE_SLOT + (uint32_t)i, ++f->token, &f->to);
			f->next = now + (f->asked ? ASKED_MS : PERIOD_MS);
		}
		if (f->next < r->next)
			r->next = f->next;
	}
}
