/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is known of a node besides its items: up-times and what their falls mean, engine id and whose it also is,
 * sysName. */
#include "mibs/collector/engine_private.h"

#include <string.h>

#include "base/text.h"

enum {
	WRAP_MARGIN_CS = 30000, /* the up-time wraps after 497 days; a fall from the last five minutes before is that */
	STILL_MS = 3000,
	STILL_ANSWERS = 2, /* besides the first */
	LEAP_CS = 1000,
	CLONE_AGAIN_MS = 10000,
	UNKNOWN_AGAIN_MS = 10000,
	BEGAN_SLACK_MS = 2000 /* host clocks that count whole seconds, answers that were under way */
};

static bool fell(uint32_t before, uint32_t now)
{
	return now < before && before < UINT32_MAX - WRAP_MARGIN_CS;
}

void facts_uptime(struct engine *e, struct agent *a, uint32_t uptime_cs, int64_t sent, int64_t now)
{
	(void)e;
	if (sent < a->uptime_at)
		return; /* overtaken by a later answer: says nothing */
	if (uptime_cs != a->uptime_cs)
		a->still = 0;
	else if (a->still < UINT8_MAX && a->still++ == 0)
		a->still_since = a->uptime_at;
	if (a->uptime_cs && fell(a->uptime_cs, uptime_cs)) {
		a->uptime_fell = a->facts_wait = a->facts_tell = true;
		a->alive_at = a->uptime_at;
	}
	/* an up-time that leaps ahead is another machine's: the facts will say whose */
	if (a->uptime_cs && uptime_cs > a->uptime_cs + (now - a->uptime_at) / 10 + LEAP_CS)
		a->facts_wait = true;
	/* while somebody else's engine id stands here it is looked at again: who was there may be gone without a leap */
	if (a->clone && now - a->facts_at >= CLONE_AGAIN_MS)
		a->facts_wait = true;
	a->uptime_cs = uptime_cs;
	a->uptime_at = now;
}

/* It counts hundredths of a second: over three seconds and as many answers it must have moved. */
bool facts_frozen(const struct agent *a, int64_t now)
{
	return a->still >= STILL_ANSWERS && now - a->still_since >= STILL_MS;
}

static uint32_t bucket_of(const uint8_t *id, size_t size)
{
	return (uint32_t)(text_hash(id, size) % ID_BUCKETS);
}

static void id_unlink(struct engine *e, struct agent *a)
{
	if (!a->id_known)
		return;
	uint32_t *link = &e->id_heads[bucket_of(a->facts.engine_id, a->facts.engine_id_size)];
	while (*link && *link != a->slot + 1)
		link = &e->agents[*link - 1]->next_same_id;
	if (*link)
		*link = a->next_same_id;
	a->id_known = false;
}

static struct agent *id_owner(const struct engine *e, const struct agent *not_this, const uint8_t *id, size_t size)
{
	for (uint32_t at = e->id_heads[bucket_of(id, size)]; at; at = e->agents[at - 1]->next_same_id) {
		struct agent *a = e->agents[at - 1];
		if (a != not_this && a->facts.engine_id_size == size && !memcmp(a->facts.engine_id, id, size))
			return a;
	}
	return NULL;
}

void facts_engine_id(struct engine *e, struct agent *a, const uint8_t *id, size_t size)
{
	if (size < 5 || size > sizeof a->facts.engine_id) /* RFC 3411: 5 to 32 bytes */
		return;
	if (a->id_known && (a->facts.engine_id_size != size || memcmp(a->facts.engine_id, id, size) != 0))
		a->other_id = a->facts_wait = true;
	if (!a->id_known || a->facts.engine_id_size != size || memcmp(a->facts.engine_id, id, size) != 0) {
		id_unlink(e, a);
		memcpy(a->facts.engine_id, id, size);
		a->facts.engine_id_size = (uint8_t)size;
		uint32_t *head = &e->id_heads[bucket_of(id, size)];
		a->next_same_id = *head;
		*head = a->slot + 1;
		a->id_known = true;
		a->facts_tell = true;
	}
	const struct agent *other = id_owner(e, a, id, size);
	if (a->clone != (other != NULL))
		a->facts_tell = true;
	a->clone = a->facts.clone = other != NULL;
	a->facts.clone_slot = other ? other->slot : NO_SLOT;
}

/*
 * Its up-time fell, or its life began after it answered last: two short lives may well be told in growing numbers. Counted from when it was
 * asked, however long the answer was under way. A host that was only paused has lost time too, but began before; where its agent has begun
 * anew as well, a later beginning is enough. Of a host whose up-time nobody knew, the agent's last answer tells that it was alive.
 */
static bool rebooted(const struct agent *a, uint32_t host, int64_t sent)
{
	int64_t began = sent - (int64_t)host * 10;

	if (!host)
		return false;
	if (!a->host_uptime_cs)
		return a->uptime_fell && began >= a->alive_at - BEGAN_SLACK_MS;
	return fell(a->host_uptime_cs, host) || began >= a->host_uptime_at || (a->uptime_fell && began > a->host_began + BEGAN_SLACK_MS);
}

void facts_answer(struct engine *e, struct agent *a, const struct query_value *v, int64_t sent, int64_t now)
{
	uint32_t host = v[1].type == VALUE_TIMETICKS ? (uint32_t)v[1].value : 0;
	char name[NAME_SIZE] = "";

	a->facts_at = now;
	if (v[2].type == VALUE_TEXT) {
		size_t size = ber_left(&v[2].text) < sizeof name - 1 ? ber_left(&v[2].text) : sizeof name - 1;
		memcpy(name, v[2].text.at, size);
		text_make_printable(name);
	}
	if (v[3].type == VALUE_TEXT)
		facts_engine_id(e, a, v[3].text.at, ber_left(&v[3].text));
	/* another machine at this address: its up-times tell nothing about the one before. An agent that does not keep its engine id
	 * has a new one after each start: then its up-time has fallen, and its name is the same. */
	bool renamed = a->facts.sys_name[0] && strcmp(name, a->facts.sys_name) != 0, other = renamed || (a->other_id && !a->uptime_fell);
	a->other_id = false;
	a->facts.rebooted = !other && rebooted(a, host, sent);
	a->facts.agent_restarted = !other && a->uptime_fell && !a->facts.rebooted;
	a->uptime_fell = false;
	a->host_uptime_cs = host;
	a->host_uptime_at = now;
	a->host_began = now - (int64_t)host * 10;
	a->facts.sys_uptime_cs = a->uptime_cs;
	a->facts.host_uptime_cs = host;
	if (strcmp(name, a->facts.sys_name) != 0) {
		text_copy(a->facts.sys_name, sizeof a->facts.sys_name, name);
		a->facts_tell = true;
	}
	if (a->facts_tell || a->facts.rebooted || a->facts.agent_restarted)
		e->ops.facts(e->arg, a->slot, &a->facts);
	a->facts_tell = false;
}

void facts_failed(struct agent *a, int64_t now)
{
	a->facts_wait = a->uptime_fell;
	if (!a->host_uptime_at)
		a->facts_at = now - REFRESH_MS - (int64_t)(a->hash % FACTS_SPREAD_MS) + UNKNOWN_AGAIN_MS;
}

void facts_forget(struct engine *e, struct agent *a)
{
	id_unlink(e, a);
}
