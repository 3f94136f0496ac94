/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fuzzes the trap listener from its outermost entry: one datagram from a known sender. The first byte chooses: raw bytes from a node of
 * version 2c or 3 or from a BMC; a PDU that a genuine sender of version 3 has sealed, as a trap, or as an inform to our engine. */
#include "mibs/collector/trap.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "tests/unit/trap_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum state { RAW_V2C, RAW_V3, RAW_BMC, SEALED_TRAP, SEALED_INFORM, STATES };
enum { INPUT_MAX = 1300 };

static const char *const addresses[STATES] = {"192.0.2.2", "192.0.2.3", "192.0.2.130", "192.0.2.3", "192.0.2.3"};
static const uint8_t agent_id[] = {0x80, 0, 0x1f, 0x88, 0x80, 1, 2, 3, 4};
static const struct msg_snmp_engine own = {.slot = NO_SLOT, .boots = 3, .id_length = 9, .id = {0x80, 0, 0x7e, 0xd9, 5, 9, 8, 7, 6}};
static struct credential v2c, v3;
static int64_t now = 1000000;
static unsigned sink;

static void on_trap(void *arg, const struct msg_trap *t)
{
	(void)arg;
	for (unsigned i = 0; i < t->varbind_count; i++)
		if (!text_terminated(t->varbinds[i].name, sizeof t->varbinds[i].name) || !text_terminated(t->varbinds[i].value, sizeof t->varbinds[i].value))
			abort();
	if (!t->oid_length || t->oid_length > TRAP_OID_MAX || t->varbind_count > TRAP_VARBINDS || t->octet_count > TRAP_OCTETS_MAX)
		abort();
	sink += t->slot + t->octets[0];
}

static void on_send(void *arg, const uint8_t *bytes, size_t size, const union endpoint *to)
{
	(void)arg;
	(void)to;
	for (size_t i = 0; i < size; i++)
		sink += bytes[i];
}

static struct usm_peer *on_peer(void *arg, uint32_t slot)
{
	(void)arg;
	(void)slot;
	return NULL;
}

static void add(struct trap_receiver *r, enum trap_source_kind kind, uint32_t slot, const char *address, const struct credential *c)
{
	struct trap_source s = {.kind = kind, .slot = slot, .credential = c};

	address_parse(address, 161, &s.address);
	trap_source_set(r, &s);
}

static struct trap_receiver *make(void)
{
	static const struct trap_ops ops = {on_trap, on_send, on_peer};
	static struct trap_receiver *r;

	if (r)
		return r;
	v2c = (struct credential){.version = SNMP_V2C};
	credential_set_secret(&v2c, "community=lab");
	v3 = (struct credential){.version = SNMP_V3, .user = "glory", .auth = USM_AUTH_SHA256, .priv = 1};
	credential_set_secret(&v3, "auth=authpass123\npriv=privpass123");
	r = trap_new(&ops, NULL);
	add(r, TRAP_FROM_NODE, 2, addresses[RAW_V2C], &v2c);
	add(r, TRAP_FROM_NODE, 3, addresses[RAW_V3], &v3);
	add(r, TRAP_FROM_BMC, 2, addresses[RAW_BMC], &v2c);
	trap_engine(r, &own, now);
	return r;
}

/* The input as a PDU, in a message whose keys and clock are right. */
static struct trap_bytes seal(const uint8_t *data, size_t size, const uint8_t *id, size_t id_size, int64_t boots, int64_t time, bool inform)
{
	struct usm_peer *p = usm_peer_new(&v3, id, id_size);
	struct trap_bytes pdu = {.size = size}, t;
	const uint8_t *start = t.room;

	memcpy(pdu.room, data, size);
	usm_peer_clock(p, boots, time, true, now);
	if (inform) {
		t.size = usm_write(p, &v3, 0x40000001, pdu.room, size, 0, t.room, sizeof t.room, &start, now);
		memmove(t.room, start, t.size);
	} else {
		t = trap_sealed(p, &v3, &pdu, now);
	}
	usm_peer_free(p);
	return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trap_receiver *r = make();
	struct trap_bytes t = {.size = 0};

	if (size < 6 || size > INPUT_MAX)
		return 0;
	enum state state = data[0] % STATES;
	data++;
	size--;
	now += 1000; /* so that no limit is reached */
	if (state == SEALED_TRAP) {
		t = seal(data, size, agent_id, sizeof agent_id, 7, 5000 + now / 1000, false);
	} else if (state == SEALED_INFORM) {
		t = seal(data, size, own.id, own.id_length, 3, now / 1000 - 1000, true);
	} else {
		memcpy(t.room, data, size);
		t.size = size;
	}
	struct sockaddr_storage s;
	struct address a;
	union endpoint from = {.v6 = {0}};
	address_parse(addresses[state], 162, &a);
	address_to_sockaddr(&a, &s);
	memcpy(&from, &s, sizeof from);
	uint8_t *copy = malloc(t.size ? t.size : 1);
	memcpy(copy, t.room, t.size);
	trap_datagram(r, copy, t.size, &from, now);
	free(copy);
	return 0;
}
