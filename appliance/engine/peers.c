/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SNMP engines that must be known beyond a life of the collector: its own, to which informs of version 3 are sent (its id never
 * changes; its boots are counted up and stored before it takes the first message: RFC 3414, section 2.2), and those of the nodes'
 * agents, so that they need not be discovered again all at once. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/engine.h"

struct own_engine {
	struct engine *e;
	uint32_t life; /* of the collector it is for */
	struct msg_snmp_engine m;
};

static void on_own_stored(void *arg, const struct store_reply *r)
{
	struct own_engine *own = arg;

	if (r->status != STORE_OK)
		log_warning("traps: engine boots cannot be stored: informs of version 3 are not taken until the collector's next start");
	else if (own->e->roles[ROLE_COLLECTOR].life == own->life)
		engine_send(own->e, ROLE_COLLECTOR, MSG_SNMP_ENGINES, &own->m, sizeof own->m);
	free(own);
}

static bool parse_own(const struct store_reply *r, struct msg_snmp_engine *m)
{
	json_t *o = r->status == STORE_OK && r->count ? json_loads(r->pairs[0].value, 0, NULL) : NULL;
	json_int_t boots = 0;
	const char *id = NULL;
	bool sound = o && !json_unpack(o, "{s:s,s:I}", "id", &id, "boots", &boots) && boots > 0 && boots <= INT32_MAX;

	m->id_length = sound ? (uint8_t)text_hex_bytes(id, m->id, sizeof m->id) : 0;
	m->boots = (uint32_t)boots;
	json_decref(o);
	return m->id_length >= 5;
}

static void on_own_read(void *arg, const struct store_reply *r)
{
	struct own_engine *own = arg;
	struct msg_snmp_engine *m = &own->m;
	char id[2 * SNMP_ENGINE_ID_MAX + 1];

	if (r->status != STORE_OK && r->status != STORE_NOT_FOUND) {
		free(own);
		return;
	}
	if (!parse_own(r, m)) { /* RFC 3411, SnmpEngineID: enterprise, format 5, octets of our own */
		const uint8_t head[] = {0x80 | GLORY_PEN >> 24, GLORY_PEN >> 16 & 0xff, GLORY_PEN >> 8 & 0xff, GLORY_PEN & 0xff, 5};
		m->boots = 0;
		m->id_length = 17;
		memcpy(m->id, head, sizeof head);
		if (getrandom(m->id + sizeof head, m->id_length - sizeof head, 0) != (ssize_t)(m->id_length - sizeof head)) {
			free(own);
			return;
		}
	}
	if (m->boots < INT32_MAX)
		m->boots++;
	text_hex(m->id, m->id_length, id, sizeof id);
	json_t *o = json_pack("{s:i,s:s,s:I}", "v", 1, "id", id, "boots", (json_int_t)m->boots);
	char *text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	store_put(own->e->store, "/trap/engine", text, on_own_stored, own);
	free(text);
}

/* --- the agents' engines --------------------------------------------------------------------------------- */

void peers_facts(struct engine *e, uint32_t slot, const struct msg_node_facts *f)
{
	struct node_state *s = e->nodes[slot];
	struct msg_snmp_engine *m = &s->snmp_engine;

	if (!f->engine_boots || f->engine_id_length < 5 || f->engine_id_length > sizeof m->id)
		return;
	bool news = m->boots != f->engine_boots || m->id_length != f->engine_id_length || memcmp(m->id, f->engine_id, m->id_length) != 0;
	m->boots = f->engine_boots;
	m->time_s = f->engine_time_s;
	m->id_length = f->engine_id_length;
	memcpy(m->id, f->engine_id, m->id_length);
	s->snmp_engine_wall_ms = clock_wall_ms();
	if (news)
		life_save(e, slot);
}

json_t *peers_json(const struct node_state *s)
{
	const struct msg_snmp_engine *m = &s->snmp_engine;
	char id[2 * SNMP_ENGINE_ID_MAX + 1];

	if (!m->id_length)
		return NULL;
	return json_pack("{s:s,s:I,s:I,s:I}", "id", text_hex(m->id, m->id_length, id, sizeof id), "boots", (json_int_t)m->boots, "time_s",
			 (json_int_t)m->time_s, "at", (json_int_t)s->snmp_engine_wall_ms);
}

void peers_read(struct node_state *s, const json_t *o)
{
	struct msg_snmp_engine *m = &s->snmp_engine;
	json_int_t boots, time_s, at;
	const char *id;

	if (!o || json_unpack((json_t *)(uintptr_t)o, "{s:s,s:I,s:I,s:I}", "id", &id, "boots", &boots, "time_s", &time_s, "at", &at) || boots < 1 ||
	    boots > INT32_MAX || time_s < 0 || time_s > INT32_MAX)
		return;
	m->id_length = (uint8_t)text_hex_bytes(id, m->id, sizeof m->id);
	m->boots = (uint32_t)boots;
	m->time_s = (uint32_t)time_s;
	s->snmp_engine_wall_ms = at;
}

static void send_known(struct engine *e)
{
	struct msg_snmp_engine *all = mem_array(e->model.node_count + 1u, sizeof *all);
	int64_t now = clock_wall_ms();
	size_t count = 0;

	for (uint32_t slot = 0; slot < e->model.node_top; slot++) {
		const struct node_state *s = e->nodes[slot];
		if (!s || !e->model.nodes[slot].generation || !s->snmp_engine.id_length)
			continue;
		int64_t passed_s = now > s->snmp_engine_wall_ms ? (now - s->snmp_engine_wall_ms) / 1000 : 0;
		struct msg_snmp_engine *m = &all[count++];
		*m = s->snmp_engine;
		m->slot = slot;
		m->generation = e->model.nodes[slot].generation;
		m->time_s = passed_s < INT32_MAX - m->time_s ? m->time_s + (uint32_t)passed_s : INT32_MAX;
	}
	targets_send_array(e, ROLE_COLLECTOR, MSG_SNMP_ENGINES, all, count, sizeof *all);
	free(all);
}

void peers_collector_up(struct engine *e)
{
	struct own_engine *own = mem_zalloc(sizeof *own);

	*own = (struct own_engine){.e = e, .life = e->roles[ROLE_COLLECTOR].life, .m.slot = NO_SLOT};
	store_get(e->store, "/trap/engine", on_own_read, own);
	send_known(e);
}
