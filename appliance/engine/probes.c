/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Service probes of the engine: numbers and generations, what the checker is told and what it says; see probes.h. */
#include "engine/probes.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "checker/probe.h"

#define SILENT_MS 30000 /* the checker says everything each 10 s */

struct probe_key {
	char service[NAME_SIZE], member[NAME_SIZE];
	uint32_t port;
};

struct member_probe {
	struct probe_key key;
	struct msg_member_probe what;
	struct probe_view now;
	struct member_probe *next; /* of the same member */
	UT_hash_handle hh;
};

/* All ports of a member, as they were added: asked for each member each second, of thousands. */
struct probed_member {
	struct probe_key key; /* port 0 */
	struct member_probe *first;
	UT_hash_handle hh;
};

struct probes {
	struct member_probe *named, *numbered[PROBES_MAX];
	struct probed_member *members;
	uint32_t generations, count, next; /* next: where a free number is looked for first, so that numbers are not used again at once */
	probe_told *told;
	void *arg;
};

static struct probes *all(struct engine *e)
{
	if (!e->probes)
		e->probes = mem_zalloc(sizeof *e->probes);
	return e->probes;
}

static struct probe_key key_of(const char *service, const char *member, uint16_t port)
{
	struct probe_key key;

	memset(&key, 0, sizeof key);
	text_copy(key.service, sizeof key.service, service);
	text_copy(key.member, sizeof key.member, member);
	key.port = port;
	return key;
}

static struct member_probe *find(const struct engine *e, const char *service, const char *member, uint16_t port)
{
	struct probe_key key = key_of(service, member, port);
	struct member_probe *p = NULL;

	if (e->probes)
		HASH_FIND(hh, e->probes->named, &key, sizeof key, p);
	return p;
}

static struct probed_member *find_member(const struct engine *e, const char *service, const char *member)
{
	struct probe_key key = key_of(service, member, 0);
	struct probed_member *m = NULL;

	if (e->probes)
		HASH_FIND(hh, e->probes->members, &key, sizeof key, m);
	return m;
}

static void forget_view(struct probe_view *v)
{
	*v = (struct probe_view){.state = PROBE_UNKNOWN, .text = "not yet looked at"};
}

/* --- what is looked at ---------------------------------------------------------------------------------- */
static void join_member(struct engine *e, struct member_probe *p)
{
	struct probed_member *m = find_member(e, p->key.service, p->key.member);

	if (!m) {
		m = mem_zalloc(sizeof *m);
		m->key = p->key;
		m->key.port = 0;
		HASH_ADD(hh, e->probes->members, key, sizeof m->key, m);
	}
	struct member_probe **at = &m->first;
	while (*at)
		at = &(*at)->next;
	*at = p;
}

static void leave_member(struct engine *e, const struct member_probe *p)
{
	struct probed_member *m = find_member(e, p->key.service, p->key.member);
	struct member_probe **at = &m->first;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	if (m->first)
		return;
	HASH_DEL(e->probes->members, m);
	free(m);
}

static struct member_probe *add(struct engine *e, const char *service, const char *member, uint16_t port)
{
	struct member_probe *p = mem_zalloc(sizeof *p);
	struct probes *s = e->probes;

	p->key = key_of(service, member, port);
	while (s->numbered[s->next % PROBES_MAX])
		s->next++;
	p->what.probe = s->next++ % PROBES_MAX;
	s->numbered[p->what.probe] = p;
	s->count++;
	HASH_ADD(hh, s->named, key, sizeof p->key, p);
	join_member(e, p);
	return p;
}

/* The same with nothing behind the ends of its texts, so that two can be compared as bytes. */
static struct msg_member_probe plain(const struct msg_member_probe *m)
{
	struct msg_member_probe out;

	memset(&out, 0, sizeof out);
	out.address = m->address;
	out.status_low = m->status_low;
	out.status_high = m->status_high;
	out.kind = m->kind;
	out.rise = m->rise;
	out.fall = m->fall;
	out.interval_ms = m->interval_ms;
	out.timeout_ms = m->timeout_ms;
	text_copy(out.name, sizeof out.name, m->name);
	text_copy(out.host, sizeof out.host, m->host);
	text_copy(out.path, sizeof out.path, m->path);
	text_copy(out.expect, sizeof out.expect, m->expect);
	text_copy(out.plugin, sizeof out.plugin, m->plugin);
	text_copy(out.arguments, sizeof out.arguments, m->arguments);
	return out;
}

static bool same(const struct member_probe *p, struct msg_member_probe wanted)
{
	wanted.probe = p->what.probe;
	wanted.generation = p->what.generation;
	return memcmp(&p->what, &wanted, sizeof wanted) == 0;
}

int probes_set(struct engine *e, const char *service, const char *member, uint16_t port, const struct msg_member_probe *what, struct error *err)
{
	struct probes *s = all(e);
	struct member_probe *p = find(e, service, member, port);
	struct msg_member_probe wanted = *what;

	wanted.probe = 0;
	wanted.generation = 1;
	if (!probe_sound(&wanted))
		return error_set(err, ERR_CONFIG, service, "see probe in cluster.xml(5)", "port %u of %s cannot be looked at so", port, member);
	wanted = plain(&wanted);
	if (p && same(p, wanted))
		return 0;
	if (!p && s->count == PROBES_MAX)
		return error_set(err, ERR_NO_RESOURCE, service, "give services fewer members or ports", "there are %u probes already", PROBES_MAX);
	if (!p)
		p = add(e, service, member, port);
	wanted.probe = p->what.probe;
	wanted.generation = ++s->generations;
	p->what = wanted;
	forget_view(&p->now);
	engine_send(e, ROLE_CHECKER, MSG_PROBE_CHANGE, &p->what, sizeof p->what);
	return 0;
}

static void drop(struct engine *e, struct member_probe *p)
{
	struct msg_member_probe gone;

	memset(&gone, 0, sizeof gone); /* interval 0: no more */
	gone.probe = p->what.probe;
	gone.generation = p->what.generation;
	engine_send(e, ROLE_CHECKER, MSG_PROBE_CHANGE, &gone, sizeof gone);
	leave_member(e, p);
	HASH_DEL(e->probes->named, p);
	e->probes->numbered[p->what.probe] = NULL;
	e->probes->count--;
	free(p);
}

static void remove_of_member(struct engine *e, const char *service, const char *member, uint16_t port)
{
	const struct probed_member *m = find_member(e, service, member);
	struct member_probe *next;

	for (struct member_probe *p = m ? m->first : NULL; p; p = next) { /* m goes with the last of them */
		next = p->next;
		if (!port || p->key.port == port)
			drop(e, p);
	}
}

void probes_remove(struct engine *e, const char *service, const char *member, uint16_t port)
{
	struct member_probe *p, *next;

	if (member[0]) {
		remove_of_member(e, service, member, port);
		return;
	}
	if (!e->probes)
		return;
	HASH_ITER(hh, e->probes->named, p, next)
		if (!strcmp(p->key.service, service) && (!port || p->key.port == port))
			drop(e, p);
}

void probes_send(struct engine *e)
{
	struct msg_member_probe *list = mem_array(PROBES_MAX, sizeof *list);
	size_t count = 0;

	for (uint32_t i = 0; e->probes && i < PROBES_MAX; i++)
		if (e->probes->numbered[i])
			list[count++] = e->probes->numbered[i]->what;
	targets_send_array(e, ROLE_CHECKER, MSG_PROBES, list, count, sizeof *list);
	free(list);
}

/* --- what is seen ------------------------------------------------------------------------------------------- */
void probes_listen(struct engine *e, probe_told *told, void *arg)
{
	all(e)->told = told;
	e->probes->arg = arg;
}

static void tell(struct engine *e, const struct member_probe *p)
{
	struct probe_key key = p->key; /* the listener may remove it */
	struct probe_view now = p->now;

	if (e->probes->told)
		e->probes->told(e->probes->arg, e, key.service, key.member, (uint16_t)key.port, &now);
}

static bool sound(const struct msg_probe_state *m)
{
	return m->probe < PROBES_MAX && m->state >= PROBE_UNKNOWN && m->state < PROBE_STATE_COUNT && text_terminated(m->text, sizeof m->text);
}

static void take(struct engine *e, const struct msg_probe_state *m, int64_t now)
{
	struct member_probe *p = sound(m) ? e->probes->numbered[m->probe] : NULL;
	enum probe_state before;

	if (!p || p->what.generation != m->generation)
		return;
	before = p->now.state;
	/* unknown with a streak: a checker that is new has not seen enough yet; what was known before still stands */
	if (m->state != PROBE_UNKNOWN || !m->streak)
		p->now.state = (enum probe_state)m->state;
	p->now.since_ms = m->since_ms < now ? m->since_ms : now;
	p->now.heard_ms = now;
	p->now.took_ms = m->took_ms;
	p->now.streak = m->streak;
	text_copy(p->now.text, sizeof p->now.text, m->text);
	text_make_printable(p->now.text);
	if (p->now.state != before)
		tell(e, p);
}

void probes_take(struct engine *e, const struct msg_probe_state *states, size_t count)
{
	int64_t now = clock_mono_ms();

	/* while the appliance itself is cut off, its failing looks say nothing about members */
	for (size_t i = 0; e->probes && !e->suspended && i < count; i++)
		take(e, &states[i], now);
}

static int worse(enum probe_state state)
{
	return state == PROBE_BAD ? 2 : state == PROBE_UNKNOWN;
}

bool probes_get(const struct engine *e, const char *service, const char *member, uint16_t port, struct probe_view *out)
{
	const struct probed_member *m = port ? NULL : find_member(e, service, member);
	const struct member_probe *p = port ? find(e, service, member, port) : m ? m->first : NULL;
	bool found = p != NULL;

	forget_view(out);
	if (p)
		*out = p->now;
	for (p = m ? p->next : NULL; p; p = p->next)
		if (worse(p->now.state) > worse(out->state))
			*out = p->now;
	return found;
}

void probes_tick(struct engine *e)
{
	int64_t now = clock_mono_ms();

	for (uint32_t i = 0; e->probes && !e->suspended && i < PROBES_MAX; i++) {
		struct member_probe *p = e->probes->numbered[i];
		if (!p || p->now.state == PROBE_UNKNOWN)
			continue;
		int64_t heard = p->now.heard_ms > e->hearing_since_ms ? p->now.heard_ms : e->hearing_since_ms;
		if (now - heard <= SILENT_MS)
			continue;
		p->now.state = PROBE_UNKNOWN;
		p->now.since_ms = now;
		text_copy(p->now.text, sizeof p->now.text, "nobody has looked for half a minute");
		tell(e, p);
	}
}

void probes_stop(struct engine *e)
{
	struct member_probe *p, *next;

	if (!e->probes)
		return;
	HASH_ITER(hh, e->probes->named, p, next) {
		leave_member(e, p);
		HASH_DEL(e->probes->named, p);
		free(p);
	}
	free(e->probes);
	e->probes = NULL;
}
