/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Traps that the collector has proved: named, kept for a while, and turned into targeted reads by one table; see traps.h. */
#include "engine/traps.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

#define PAGE 8
#define READ_GAP_MS 1000 /* between two reads of one object for the sake of traps */

enum read { READ_NOTHING, READ_NODE, READ_LINK, READ_BMC };

/* First match counts; exact 0: whatever lies below. */
static const struct known {
	uint32_t oid[11];
	uint8_t length, exact;
	enum trap_kind kind;
	enum read read;
} known[] = {
	{{1, 3, 6, 1, 6, 3, 1, 1, 5, 1}, 10, 1, TRAP_KIND_COLD_START, READ_NODE},
	{{1, 3, 6, 1, 6, 3, 1, 1, 5, 2}, 10, 1, TRAP_KIND_WARM_START, READ_NODE},
	{{1, 3, 6, 1, 6, 3, 1, 1, 5, 3}, 10, 1, TRAP_KIND_LINK_DOWN, READ_LINK},
	{{1, 3, 6, 1, 6, 3, 1, 1, 5, 4}, 10, 1, TRAP_KIND_LINK_UP, READ_LINK},
	{{1, 3, 6, 1, 6, 3, 1, 1, 5, 5}, 10, 1, TRAP_KIND_AUTHENTICATION_FAILURE, READ_NOTHING},
	{{1, 3, 6, 1, 4, 1, 8072, 4, 0, 2}, 10, 1, TRAP_KIND_SHUTDOWN, READ_NODE}, /* nsNotifyShutdown */
	{{1, 3, 6, 1, 4, 1, 8072, 4, 0, 3}, 10, 1, TRAP_KIND_RESTART, READ_NODE},  /* nsNotifyRestart */
	{{1, 3, 6, 1, 4, 1, 3183, 1, 1}, 9, 0, TRAP_KIND_PLATFORM_EVENT, READ_BMC}, /* IPMI platform event trap */
	{{0}, 0, 0, TRAP_KIND_GENERIC, READ_NODE},
};

struct hints { /* of one node */
	uint32_t generation;
	int64_t heard_ms[TRAP_KIND_COUNT];
	int64_t read_ms;
};

struct record {
	uint64_t id;
	int64_t wall_ms;
	enum trap_kind kind;
	char object[NAME_SIZE];
	char event[TRAP_EVENT_TEXT]; /* a platform event in words, once the bmc role has told it; "" else */
	struct msg_trap trap;
};

struct traps {
	struct record *records; /* TRAPS_KEPT, id % TRAPS_KEPT */
	uint64_t last;          /* id of the newest; 0 none */
	struct hints *hints[NODE_MAX];
	struct msg_trap_counts counts;
};

void traps_start(struct engine *e)
{
	e->traps = mem_zalloc(sizeof *e->traps);
	e->traps->records = mem_array(TRAPS_KEPT, sizeof(struct record));
}

/* --- what the collector is told ------------------------------------------------------------------------ */

static void put_source(struct engine *e, struct msg_trap_source *m, const char *credential)
{
	const struct config_snmp *c = cluster_find(&e->model.wanted, CONFIG_SNMP, credential);

	text_copy(m->credential, sizeof m->credential, credential);
	m->version = c && c->version == 3 ? SNMP_V3 : SNMP_V2C;
	m->auth = c ? c->auth : 0;
	m->priv = c ? c->priv : 0;
	text_copy(m->user, sizeof m->user, c ? c->user : "");
}

/* A switch or PDU whose domain is known, for it has members. */
static bool fill_domain(struct engine *e, uint32_t d, struct msg_trap_source *m)
{
	const struct model_domain *domain = &e->model.domains[d];
	const struct config_switch *sw = domain->kind == DOMAIN_SWITCH ? cluster_find(&e->model.wanted, CONFIG_SWITCH, domain->name) : NULL;
	const struct config_pdu *pdu = domain->kind == DOMAIN_PDU ? cluster_find(&e->model.wanted, CONFIG_PDU, domain->name) : NULL;

	if (!domain->used || (!sw && !pdu))
		return false;
	*m = (struct msg_trap_source){.slot = d, .kind = sw ? TRAP_FROM_SWITCH : TRAP_FROM_PDU, .address = sw ? sw->address : pdu->address};
	put_source(e, m, sw ? sw->snmp : pdu->snmp);
	return true;
}

/* The community of platform events is that of the credential "pet", where there is one, else IPMI's own "public". */
static void fill_bmc(struct engine *e, const struct model_node *n, struct msg_trap_source *m)
{
	*m = (struct msg_trap_source){.slot = n->slot, .generation = n->generation, .kind = TRAP_FROM_BMC, .address = n->config.bmc,
				      .version = SNMP_V2C};
	if (cluster_find(&e->model.wanted, CONFIG_SNMP, "pet"))
		put_source(e, m, "pet");
}

void traps_sources_changed(struct engine *e)
{
	struct msg_trap_source *sources = mem_array(e->model.node_count + e->model.domain_top + 1u, sizeof *sources);
	size_t count = 0;

	for (uint32_t s = 0; s < e->model.node_top; s++)
		if (e->model.nodes[s].generation && e->model.nodes[s].config.bmc.family)
			fill_bmc(e, &e->model.nodes[s], &sources[count++]);
	for (uint32_t d = 0; d < e->model.domain_top; d++)
		if (fill_domain(e, d, &sources[count]))
			count++;
	targets_send_array(e, ROLE_COLLECTOR, MSG_TRAP_SOURCES, sources, count, sizeof *sources);
	free(sources);
}

/* --- what a trap means ------------------------------------------------------------------------------------- */

static const struct known *known_of(const struct msg_trap *t)
{
	const struct known *k = known;

	while (t->oid_length < k->length || (k->exact && t->oid_length != k->length) || memcmp(t->oid, k->oid, k->length * sizeof k->oid[0]) != 0)
		k++;
	return k;
}

static bool is_sound(const struct msg_trap *t)
{
	if (!t->oid_length || t->oid_length > TRAP_OID_MAX || t->varbind_count > TRAP_VARBINDS || t->octet_count > TRAP_OCTETS_MAX)
		return false;
	for (unsigned i = 0; i < t->varbind_count; i++)
		if (!text_terminated(t->varbinds[i].name, sizeof t->varbinds[i].name) ||
		    !text_terminated(t->varbinds[i].value, sizeof t->varbinds[i].value))
			return false;
	return true;
}

/* Whose it is; NULL: of something that is no longer there. */
static const char *object_of(struct engine *e, const struct msg_trap *t)
{
	const struct model_node *n;

	switch (t->source) {
	case TRAP_FROM_NODE:
	case TRAP_FROM_BMC:
		n = engine_node(e, t->slot, t->generation);
		return n ? n->config.head.name : NULL;
	case TRAP_FROM_SWITCH:
	case TRAP_FROM_PDU:
		return t->slot < e->model.domain_top && e->model.domains[t->slot].used ? e->model.domains[t->slot].name : NULL;
	default:
		return NULL;
	}
}

static struct hints *hints_of(struct engine *e, uint32_t slot)
{
	struct hints **place = &e->traps->hints[slot];

	if (!*place)
		*place = mem_zalloc(sizeof **place);
	if ((*place)->generation != e->model.nodes[slot].generation)
		**place = (struct hints){.generation = e->model.nodes[slot].generation};
	return *place;
}

/* False: it was read for a trap's sake just now. */
static bool may_read(struct engine *e, uint32_t slot, int64_t now)
{
	struct hints *h = hints_of(e, slot);

	if (h->read_ms && now - h->read_ms < READ_GAP_MS)
		return false;
	h->read_ms = now;
	return true;
}

static void read_node(struct engine *e, uint32_t slot, int64_t now, bool port)
{
	const struct model_node *n = &e->model.nodes[slot];
	struct msg_slot m = {slot, n->generation};

	if (!may_read(e, slot, now))
		return;
	engine_send(e, ROLE_COLLECTOR, MSG_PROBE, &m, sizeof m);
	if (port && n->config.switch_name[0] && n->config.switch_port)
		engine_send(e, ROLE_COLLECTOR, MSG_PORT_ASK, &m, sizeof m);
}

/* The bmc role has the library that turns its octets into words. */
static void ask_words(struct engine *e, const struct msg_trap *t)
{
	struct msg_pet m = {.slot = t->slot, .generation = t->generation, .specific = t->oid[t->oid_length - 1], .size = t->octet_count};

	_Static_assert(PET_MAX <= UINT8_MAX, "size is a byte");
	if (t->octet_count && t->octet_count <= PET_MAX) {
		memcpy(m.octets, t->octets, t->octet_count);
		engine_send(e, ROLE_BMC, MSG_PET, &m, sizeof m);
	}
}

static void read_bmc(struct engine *e, const struct msg_trap *t, int64_t now)
{
	static const uint32_t what[] = {BMC_READ_POWER, BMC_READ_SEL, BMC_READ_SENSORS};
	uint32_t slot = t->slot;

	if (!e->model.nodes[slot].config.bmc.family)
		return;
	ask_words(e, t);
	if (!may_read(e, slot, now))
		return;
	for (size_t i = 0; i < COUNT_OF(what); i++) {
		struct msg_bmc_read m = {slot, e->model.nodes[slot].generation, what[i], i == 0};
		engine_send(e, ROLE_BMC, MSG_BMC_READ, &m, sizeof m);
	}
}

/* The nodes behind a switch's port. */
static void read_port(struct engine *e, const struct msg_trap *t, int64_t now)
{
	for (uint32_t s = 0; t->if_index && s < e->model.node_top; s++)
		if (e->model.nodes[s].generation && e->model.nodes[s].domains[1] == t->slot && e->model.nodes[s].config.switch_port == t->if_index)
			read_node(e, s, now, true);
}

static void read_for(struct engine *e, const struct msg_trap *t, enum read what, int64_t now)
{
	bool node = t->source == TRAP_FROM_NODE;

	if (what == READ_BMC && t->source == TRAP_FROM_BMC)
		read_bmc(e, t, now);
	else if (what == READ_LINK && t->source == TRAP_FROM_SWITCH)
		read_port(e, t, now);
	else if (node && what != READ_NOTHING)
		read_node(e, t->slot, now, what == READ_LINK);
}

static void take_one(struct engine *e, const struct msg_trap *t, int64_t now)
{
	const char *object = is_sound(t) ? object_of(e, t) : NULL;
	const struct known *k;

	if (!object)
		return;
	k = known_of(t);
	struct record *r = &e->traps->records[++e->traps->last % TRAPS_KEPT];
	*r = (struct record){.id = e->traps->last, .wall_ms = clock_wall_ms() - (now - t->arrival_ms), .kind = k->kind, .trap = *t};
	text_copy(r->object, sizeof r->object, object);
	for (unsigned i = 0; i < t->varbind_count; i++) {
		text_make_printable(r->trap.varbinds[i].name);
		text_make_printable(r->trap.varbinds[i].value);
	}
	if (t->source == TRAP_FROM_NODE || t->source == TRAP_FROM_BMC)
		hints_of(e, t->slot)->heard_ms[k->kind] = now;
	read_for(e, t, k->read, now);
}

void traps_take(struct engine *e, const struct msg_trap *traps, size_t count)
{
	int64_t now = clock_mono_ms();

	for (size_t i = 0; i < count; i++)
		take_one(e, &traps[i], now);
}

void traps_words(struct engine *e, uint32_t slot, uint32_t generation, const char *event)
{
	struct traps *t = e->traps;

	for (uint64_t id = t->last; id && id + TRAPS_KEPT > t->last; id--) {
		struct record *r = &t->records[id % TRAPS_KEPT];
		if (r->kind == TRAP_KIND_PLATFORM_EVENT && r->trap.slot == slot && r->trap.generation == generation && !r->event[0]) {
			text_copy(r->event, sizeof r->event, event);
			return;
		}
	}
}

/* --- for others ------------------------------------------------------------------------------------------------ */

int64_t traps_heard(const struct engine *e, uint32_t slot, enum trap_kind kind)
{
	const struct hints *h = slot < NODE_MAX ? e->traps->hints[slot] : NULL;

	return h && h->generation == e->model.nodes[slot].generation ? h->heard_ms[kind] : 0;
}

bool traps_evidence(const struct engine *e, uint32_t slot, int64_t now, char *out, size_t size)
{
	int64_t newest = 0;
	int kind = 0;

	out[0] = '\0';
	for (int k = 1; k < TRAP_KIND_COUNT; k++)
		if (traps_heard(e, slot, (enum trap_kind)k) > newest) {
			newest = traps_heard(e, slot, (enum trap_kind)k);
			kind = k;
		}
	if (!newest || now - newest > TRAP_HINT_MS)
		return false;
	text_format(out, size, "%s trap %" PRId64 " s ago", trap_kind_name(kind), (now - newest) / 1000);
	return true;
}

void traps_counts(struct engine *e, const struct msg_trap_counts *counts)
{
	if (counts->sender_count > TRAP_SENDERS)
		return;
	e->traps->counts = *counts;
	publish_cluster(e);
}

const uint64_t *traps_fates(const struct engine *e)
{
	return e->traps->counts.fates;
}

/* --- lists --------------------------------------------------------------------------------------------------------- */

static json_t *varbinds_json(const struct msg_trap *t)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < t->varbind_count; i++)
		json_array_append_new(list, json_pack("{s:s,s:s}", "name", t->varbinds[i].name, "value", t->varbinds[i].value));
	return list;
}

static json_t *record_json(const struct record *r)
{
	static const char *const versions[] = {[SNMP_V1] = "1", [SNMP_V2C] = "2c", [SNMP_V3] = "3"};
	const struct msg_trap *t = &r->trap;
	char oid[TRAP_OID_MAX * 11] = "", from[ADDRESS_TEXT];
	size_t used = 0;

	for (unsigned i = 0; i < t->oid_length; i++)
		text_append(oid, sizeof oid, &used, i ? ".%u" : "%u", t->oid[i]);
	return json_pack("{s:I,s:I,s:s,s:s,s:s,s:s,s:s,s:b,s:s,s:f,s:o,s:b,s:s?}", "id", (json_int_t)r->id, "at", (json_int_t)r->wall_ms, "object", r->object,
			 "source", words_name(WORDS_TRAP_SOURCE, t->source), "address", address_text(&t->from, 0, from), "kind",
			 trap_kind_name((int)r->kind), "version", t->version <= SNMP_V3 && versions[t->version] ? versions[t->version] : "?", "inform",
			 t->inform, "oid", oid, "uptime_s", t->uptime_cs / 100.0, "varbinds", varbinds_json(t), "more", t->more, "event",
			 r->event[0] ? r->event : NULL);
}

static bool of_selection(const struct record *r, const struct model_selection *nodes)
{
	if (r->trap.source != TRAP_FROM_NODE && r->trap.source != TRAP_FROM_BMC)
		return false;
	for (size_t i = 0; i < nodes->count; i++)
		if (nodes->slots[i] == r->trap.slot)
			return true;
	return false;
}

/* Ids of the records that are wanted, oldest first; at most `limit`, the newest of them when `from` is QUERY_NEWEST. */
static size_t choose(const struct traps *t, const struct msg_query *q, const struct model_selection *nodes, uint64_t ids[TRAPS_KEPT])
{
	size_t count = 0, limit = q->limit && q->limit < TRAPS_KEPT ? q->limit : TRAPS_KEPT;
	uint64_t oldest = t->last > TRAPS_KEPT ? t->last - TRAPS_KEPT + 1 : 1;
	bool newest = q->from == QUERY_NEWEST;

	for (uint64_t id = newest || q->from < oldest ? oldest : q->from; id <= t->last; id++)
		if (!q->target[0] || of_selection(&t->records[id % TRAPS_KEPT], nodes))
			ids[count++] = id;
	if (newest && count > limit)
		memmove(ids, ids + count - limit, limit * sizeof ids[0]);
	return count < limit ? count : limit;
}

static void query_traps(struct engine *e, enum role face, const struct msg_query *q)
{
	uint64_t ids[TRAPS_KEPT];
	struct model_selection nodes = {0};
	uint32_t life = e->roles[face].life;
	struct error err;

	if (q->target[0] && model_select(&e->model, q->target, judgement_is_down, e, &nodes, &err)) {
		reply_error(e, face, life, q->request, &err);
		return;
	}
	size_t count = choose(e->traps, q, &nodes, ids), at = 0;
	free(nodes.slots);
	do {
		json_t *page = json_array();
		for (size_t i = 0; i < PAGE && at < count; i++, at++)
			json_array_append_new(page, record_json(&e->traps->records[ids[at] % TRAPS_KEPT]));
		reply_json(e, face, life, q->request, 0, page, at < count);
	} while (at < count);
}

static void query_senders(struct engine *e, enum role face, const struct msg_query *q)
{
	const struct msg_trap_counts *c = &e->traps->counts;
	int64_t now = clock_mono_ms(), wall = clock_wall_ms();
	json_t *list = json_array();

	for (uint32_t i = 0; i < c->sender_count; i++) {
		const struct msg_trap_sender *s = &c->senders[i];
		char address[ADDRESS_TEXT];
		json_array_append_new(list, json_pack("{s:s,s:s,s:I,s:I}", "address", address_text(&s->address, 0, address), "reason",
						      trap_fate_name((int)s->fate), "count", (json_int_t)s->count, "at",
						      (json_int_t)(wall - (now - s->last_ms))));
	}
	reply_json(e, face, e->roles[face].life, q->request, 0, list, false);
}

void traps_query(struct engine *e, enum role face, const struct msg_query *q)
{
	if (q->kind == QUERY_TRAP_SENDERS)
		query_senders(e, face, q);
	else
		query_traps(e, face, q);
}
