/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SNMP engines that must be known beyond a life of the collector: its own, to which informs of version 3 are sent. Its id never
 * changes; its boots are counted up and stored before it takes the first message (RFC 3414, section 2.2). */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

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

void peers_collector_up(struct engine *e)
{
	struct own_engine *own = mem_zalloc(sizeof *own);

	*own = (struct own_engine){.e = e, .life = e->roles[ROLE_COLLECTOR].life, .m.slot = NO_SLOT};
	store_get(e->store, "/trap/engine", on_own_read, own);
}
