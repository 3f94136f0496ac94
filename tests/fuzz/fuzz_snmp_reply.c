/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fuzzes what agents send, from the outermost entry: one datagram into the engine while a poll, a walk, facts or a
 * discovery is open. The first byte chooses the state. "IDID" in the input stands for the live request id; in the last
 * two states the input is a PDU that a genuine SNMPv3 agent would send, sealed with the right keys. */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "mibs/collector/engine_private.h"
#include "mibs/collector/process.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "mibs/snmp/usm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum state { POLL_V2C, WALK_V2C, FACTS_V2C, DISCOVERY_V3, RAW_V3, SEALED_V3, SEALED_WALK_V3, POLL_V1, SEARCH_V2C, TOP_V2C, STATES };
enum { SLOT = 2, NOW = 1000000, INPUT_MAX = 4000 };

static const uint8_t engine_id[] = {0x80, 0, 0x1f, 0x88, 0x80, 1, 2, 3, 4};
static const struct msg_object objects[] = {
    {.object = 1, .interval_s = 10, .shape = OBJECT_SCALAR, .oid_length = 9, .oid = {1, 3, 6, 1, 2, 1, 9, 1, 0}},
    {.object = 2, .interval_s = 10, .shape = OBJECT_SCALAR, .oid_length = 9, .oid = {1, 3, 6, 1, 2, 1, 9, 2, 0}},
    {.object = 3,
     .table = 1,
     .interval_s = 10,
     .shape = OBJECT_NAME_COLUMN,
     .oid_length = 8,
     .oid = {1, 3, 6, 1, 2, 1, 8, 1},
     .filter = "lo,ram"},
    {.object = 4,
     .table = 1,
     .interval_s = 10,
     .shape = OBJECT_COLUMN,
     .oid_length = 8,
     .oid = {1, 3, 6, 1, 2, 1, 8, 2}},
};
static struct credential v1, v2c, v3;
static unsigned sink;

static void on_answer(void *arg, uint32_t slot, uint32_t token, enum watch_answer_kind kind, int64_t now)
{
	(void)arg;
	(void)now;
	sink += slot + token + kind;
}

static void on_values(void *arg, uint32_t slot, const struct query *q, const struct query_value *v, uint32_t uptime_cs,
		      int64_t now)
{
	(void)arg;
	(void)slot;
	(void)uptime_cs;
	(void)now;
	for (size_t i = 0; i < q->count; i++)
		sink += v[i].type + (unsigned)v[i].value;
}

static void on_row(void *arg, uint32_t slot, uint16_t table, uint16_t instance, const char *name, bool gone)
{
	(void)arg;
	(void)slot;
	sink += table + instance + gone + (unsigned)strlen(name);
}

static void on_facts(void *arg, uint32_t slot, const struct engine_facts *f)
{
	(void)arg;
	(void)slot;
	sink += (unsigned)strlen(f->sys_name) + f->engine_id_size;
}

static void on_asked(void *arg, uint32_t slot, const struct query *q, const struct query_value *v, int64_t now)
{
	(void)arg;
	(void)slot;
	(void)now;
	sink += q->count + (v != NULL);
}

static void on_overflow(void *arg, int64_t now)
{
	(void)arg;
	(void)now;
}

static void on_state(void *arg, const struct msg_watch_state *state)
{
	(void)arg;
	sink += state->count + state->restarts + state->found;
}

static void on_top(void *arg, const struct msg_top *top, const struct msg_top_row *rows)
{
	(void)arg;
	for (uint32_t i = 0; i < top->rows; i++)
		sink += (unsigned)strlen(rows[i].name) + (unsigned)strlen(rows[i].arguments);
}

static const struct process_ops process_ops = {.state = on_state, .top = on_top};
static const struct msg_watch watches[] = {
    {.watch = 0, .generation = 1, .interval_s = 10, .min = 1, .max = 2, .process = "s*"},
    {.watch = 1, .generation = 2, .interval_s = 10, .min = 1, .max = 2, .process = "sshd", .arguments = "-?D*x"},
};

/* One engine for all inputs (its tables are large), a fresh agent for each. */
static struct engine *make(const struct credential *c)
{
	static const struct engine_ops ops = {on_answer, on_values, on_row, on_facts, on_asked, on_overflow, NULL, NULL};
	static const int none[2] = {-1, -1};
	static struct engine *e;
	struct engine_agent agent = {.credential = c, .generation = 1};

	if (!e) {
		e = engine_new(&ops, NULL, 4, none, (const uint8_t *)"0123456789abcdef");
		engine_objects(e, objects, COUNT_OF(objects));
		engine_process_owner(e, &process_ops, NULL);
		engine_watches(e, watches, COUNT_OF(watches), NOW);
	}
	e->processes->begun = 0;
	engine_agent_remove(e, SLOT);
	e->retry_count = e->pending_count = e->walk_count = 0;
	e->looked = 0;
	memset(e->inflight, 0, sizeof e->inflight);
	address_parse("192.0.2.1", 161, &agent.address);
	engine_agent_set(e, SLOT, &agent, NOW);
	return e;
}

/* Opens what the state says; the request id that is live then. */
static uint32_t open_state(struct engine *e, enum state state)
{
	struct agent *a = e->agents[SLOT];

	if (state == SEALED_V3 || state == SEALED_WALK_V3 || state == RAW_V3) {
		a->peer = usm_peer_new(&v3, engine_id, sizeof engine_id);
		usm_peer_clock(a->peer, 3, 1000, true, NOW);
	}
	if (state == WALK_V2C || state == SEALED_WALK_V3) {
		walk_want(e, a);
		walk_start_some(e, NOW);
	} else if (state == SEARCH_V2C) {
		engine_watch_scope(e, SLOT, 3, NOW);
		processes_look(e, a, NOW);
	} else if (state == TOP_V2C) {
		engine_top(e, &(struct msg_top_ask){.slot = SLOT, .rows = 3}, NOW);
	} else if (state == FACTS_V2C) {
		engine_request(e, a, EXCHANGE_FACTS, 0, 0, 0, NOW);
	} else {
		engine_poll(e, SLOT, 77, NOW);
	}
	return exchange_id(e, SLOT, (a->sequence - 1u) % GENERATIONS);
}

static size_t seal(struct engine *e, const uint8_t *data, size_t size, uint32_t id, uint8_t *out, size_t room)
{
	const uint8_t *start;
	size_t made = size < 8 ? 0 : usm_write(e->agents[SLOT]->peer, &v3, id, data, size, 4, out, room, &start, NOW);

	if (made)
		memmove(out, start, made);
	return made;
}

static void put_ids(uint8_t *bytes, size_t size, uint32_t id)
{
	const uint8_t be[4] = {(uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id};

	for (size_t i = 0; i + 4 <= size; i++)
		if (!memcmp(bytes + i, "IDID", 4))
			memcpy(bytes + i, be, 4);
}

static void init(void)
{
	if (v2c.ready)
		return;
	snmp_disable_log();
	log_open("fuzz", 0, false);
	v1 = v2c = (struct credential){.version = SNMP_V2C};
	v1.version = SNMP_V1;
	credential_set_secret(&v1, "community=lab");
	credential_set_secret(&v2c, "community=lab");
	v3 = (struct credential){.version = SNMP_V3, .auth = USM_AUTH_SHA256, .priv = USM_PRIV_AES128, .user = "glory"};
	credential_set_secret(&v3, "auth=authpass123\npriv=privpass123");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	union endpoint from = {
	    .v4 = {.sin_family = AF_INET, .sin_port = htons(161), .sin_addr.s_addr = htonl(0xc0000201)}};
	uint8_t bytes[INPUT_MAX + 600];

	init();
	if (size < 1 || size > INPUT_MAX)
		return 0;
	enum state state = data[0] % STATES;
	struct engine *e = make(state == POLL_V1 ? &v1 : state >= DISCOVERY_V3 && state < SEARCH_V2C ? &v3 : &v2c);
	uint32_t id = open_state(e, state);

	memcpy(bytes, data + 1, --size);
	put_ids(bytes, size, id);
	if (state == SEALED_V3 || state == SEALED_WALK_V3) {
		uint8_t plain[INPUT_MAX];
		memcpy(plain, bytes, size);
		size = seal(e, plain, size, id, bytes, sizeof bytes);
	}
	uint8_t *exact = malloc(size ? size : 1); /* so that a byte too far is noticed */
	memcpy(exact, bytes, size);
	engine_coming(e, 0, exact, size);
	engine_coming(e, 0, NULL, 0);
	engine_datagram(e, exact, size, &from, NOW + 1);
	engine_refused(e, exact, size, &from, NOW + 2);
	engine_turn(e, NOW + 1500);
	free(exact);
	if (e->walks_active > 1 || query_set_count(e->queries) > 40)
		abort(); /* something stays behind */
	return 0;
}
