/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of the trap receiver: what is taken from whom, what is answered, and that everything else is counted and nothing more. */
#include "mibs/collector/trap.c"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/trap_message.h"
#include "tests/unit/unit.h"

enum { NOW = 1000000 };
static const uint8_t agent_id[] = {0x80, 0, 0x1f, 0x88, 0x80, 1, 2, 3, 4};
static const struct msg_snmp_engine own_engine = {.slot = NO_SLOT, .boots = 3, .id_length = 9, .id = {0x80, 0, 0x7e, 0xd9, 5, 9, 8, 7, 6}};

static struct world {
	struct trap_receiver *r;
	struct credential lab, other, v3, unready;
	struct usm_peer *sender, *polled; /* the agent's own, and ours of it */
	struct msg_trap trap;
	unsigned traps, sent;
	uint8_t answer[1472];
	size_t answer_size;
} w;

static void on_trap(void *arg, const struct msg_trap *trap)
{
	(void)arg;
	w.trap = *trap;
	w.traps++;
}

static void on_send(void *arg, const uint8_t *bytes, size_t size, const union endpoint *to)
{
	(void)arg;
	(void)to;
	memcpy(w.answer, bytes, size);
	w.answer_size = size;
	w.sent++;
}

static struct usm_peer *on_peer(void *arg, uint32_t slot)
{
	(void)arg;
	return slot == 3 ? w.polled : NULL;
}

static void source(enum trap_source_kind kind, uint32_t slot, const char *address, const struct credential *c)
{
	struct trap_source s = {.kind = kind, .slot = slot, .generation = slot + 100, .credential = c};

	CU_ASSERT(address_parse(address, 161, &s.address));
	trap_source_set(w.r, &s);
}

static struct credential secret(uint8_t version, const char *user, uint8_t priv, const char *text)
{
	struct credential c = {.version = version, .auth = USM_AUTH_SHA256, .priv = priv};

	text_copy(c.user, sizeof c.user, user);
	if (text)
		CU_ASSERT_PTR_NULL(credential_set_secret(&c, text));
	return c;
}

static struct usm_peer *peer(const uint8_t *id, size_t size, const struct credential *c, int64_t boots, int64_t time)
{
	struct usm_peer *p = usm_peer_new(c, id, size);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	usm_peer_clock(p, boots, time, true, NOW);
	return p;
}

static void begin(void)
{
	static const struct trap_ops ops = {on_trap, on_send, on_peer};

	memset(&w, 0, sizeof w);
	w.lab = secret(SNMP_V2C, "", 0, "community=lab");
	w.other = secret(SNMP_V2C, "", 0, "community=public");
	w.v3 = secret(SNMP_V3, "glory", 1, "auth=authpass123\npriv=privpass123");
	w.unready = secret(SNMP_V3, "glory", 1, NULL);
	w.r = trap_new(&ops, NULL);
	source(TRAP_FROM_NODE, 2, "192.0.2.2", &w.lab);
	source(TRAP_FROM_NODE, 3, "192.0.2.3", &w.v3);
	source(TRAP_FROM_NODE, 4, "192.0.2.4", &w.unready);
	source(TRAP_FROM_BMC, 2, "192.0.2.130", &w.other);
	source(TRAP_FROM_SWITCH, 1, "2001:db8::1", &w.lab);
	w.sender = peer(agent_id, sizeof agent_id, &w.v3, 7, 5000);
}

static void end(void)
{
	trap_free(w.r);
	usm_peer_free(w.sender);
	usm_peer_free(w.polled);
}

static union endpoint from(const char *address)
{
	struct sockaddr_storage s;
	struct address a;
	union endpoint e = {.v6 = {0}};

	CU_ASSERT(address_parse(address, 40000, &a));
	address_to_sockaddr(&a, &s);
	memcpy(&e, &s, sizeof e);
	return e;
}

static void deliver(const char *address, const struct trap_bytes *t, int64_t now)
{
	union endpoint e = from(address);
	uint8_t *copy = malloc(t->size ? t->size : 1); /* so that a byte too far is noticed */

	memcpy(copy, t->room, t->size);
	trap_datagram(w.r, copy, t->size, &e, now);
	free(copy);
}

static uint64_t fate(enum trap_fate f)
{
	return trap_counts(w.r)->fates[f];
}

static void a_trap_of_version_2c(void)
{
	struct trap_bytes pdu = trap_pdu(BER_TRAP, 1, NULL), t = trap_community(&pdu, 1, "lab");

	begin();
	deliver("192.0.2.2:999", &t, NOW);
	CU_ASSERT_EQUAL(w.traps, 1);
	CU_ASSERT(w.trap.slot == 2 && w.trap.generation == 102 && w.trap.source == TRAP_FROM_NODE && w.trap.version == SNMP_V2C);
	CU_ASSERT(w.trap.oid_length == 10 && w.trap.oid[9] == 1 && w.trap.uptime_cs == 256 && w.trap.if_index == 7 && !w.trap.inform);
	CU_ASSERT(w.trap.varbind_count == 1 && !w.trap.more);
	CU_ASSERT_STRING_EQUAL(w.trap.varbinds[0].name, "1.3.6.1.2.1.2.2.1.1.7");
	CU_ASSERT_STRING_EQUAL(w.trap.varbinds[0].value, "7");
	deliver("[2001:db8::1]:5", &t, NOW);
	CU_ASSERT(w.traps == 2 && w.trap.source == TRAP_FROM_SWITCH && w.trap.slot == 1);
	deliver("[::ffff:192.0.2.2]:5", &t, NOW + TRAP_REPEAT_MS);
	CU_ASSERT(w.traps == 3 && w.trap.slot == 2);
	CU_ASSERT_EQUAL(w.sent, 0);
	CU_ASSERT_EQUAL(fate(TRAP_FATE_TAKEN), 3);
	end();
}

/* A platform event as a BMC sends it: enterprise 3183.1.1, specific 65801, 46 octets. */
static struct trap_bytes version_1(int generic, int64_t specific)
{
	static const uint8_t enterprise[] = {0x2b, 6, 1, 4, 1, 0x98, 0x6f, 1, 1}, name[] = {0x2b, 6, 1, 4, 1, 0x98, 0x6f, 1, 1, 1};
	struct trap_bytes t = {.size = 0};
	struct ber_out out = {t.room, t.room + sizeof t.room, false};
	const uint8_t *end_of = out.at;
	uint8_t octets[46];

	for (unsigned i = 0; i < sizeof octets; i++)
		octets[i] = (uint8_t)(i + 200);
	put_varbind(&out, name, sizeof name, BER_OCTETS, octets, sizeof octets);
	ber_put_header(&out, BER_SEQUENCE, end_of);
	const uint8_t *mark = out.at;
	ber_put(&out, "\x05", 1);
	ber_put_header(&out, BER_TIMETICKS, mark);
	ber_put_integer(&out, specific);
	ber_put_integer(&out, generic);
	mark = out.at;
	ber_put(&out, "\xc0\x00\x02\x82", 4);
	ber_put_header(&out, BER_IP_ADDRESS, mark);
	mark = out.at;
	ber_put(&out, enterprise, sizeof enterprise);
	ber_put_header(&out, BER_OID, mark);
	ber_put_header(&out, BER_TRAP_V1, end_of);
	t.size = (size_t)(end_of - out.at);
	memmove(t.room, out.at, t.size);
	return t;
}

static void a_trap_of_version_1(void)
{
	struct trap_bytes pdu = version_1(6, 65801), t = trap_community(&pdu, 0, "public");

	begin();
	deliver("192.0.2.130", &t, NOW);
	CU_ASSERT_EQUAL(w.traps, 1);
	CU_ASSERT(w.trap.source == TRAP_FROM_BMC && w.trap.oid_length == 11 && w.trap.oid[9] == 0 && w.trap.oid[10] == 65801);
	CU_ASSERT(w.trap.octet_count == 46 && w.trap.octets[0] == 200 && w.trap.octets[45] == 245);
	CU_ASSERT_STRING_EQUAL(w.trap.varbinds[0].value, "c8 c9 ca cb cc cd ce cf d0 d1 d2 d3 d4 d5 d6 d7 d8 d9 da db dc dd de..");
	pdu = version_1(2, 0);
	t = trap_community(&pdu, 0, "public");
	deliver("192.0.2.130", &t, NOW);
	CU_ASSERT(w.traps == 2 && w.trap.oid_length == 10 && w.trap.oid[8] == 5 && w.trap.oid[9] == 3); /* linkDown */
	t = trap_community(&pdu, 1, "public"); /* a PDU of version 1 in a message of 2c */
	deliver("192.0.2.130", &t, NOW);
	pdu = version_1(7, 0);
	t = trap_community(&pdu, 0, "public");
	deliver("192.0.2.130", &t, NOW);
	CU_ASSERT_EQUAL(fate(TRAP_FATE_GARBAGE), 2);
	CU_ASSERT_EQUAL(w.traps, 2);
	end();
}

static void an_inform_is_answered(void)
{
	struct trap_bytes pdu = trap_pdu(BER_INFORM, 5, NULL), t = trap_community(&pdu, 1, "lab");

	begin();
	deliver("192.0.2.2", &t, NOW);
	CU_ASSERT(w.traps == 1 && w.trap.inform && w.sent == 1);
	CU_ASSERT(w.answer_size == t.size && !memcmp(w.answer + t.size - pdu.size + 1, pdu.room + 1, pdu.size - 1));
	CU_ASSERT_EQUAL(w.answer[t.size - pdu.size], BER_RESPONSE);
	deliver("192.0.2.2", &t, NOW + 1000); /* the answer was lost */
	CU_ASSERT(w.traps == 1 && w.sent == 2 && fate(TRAP_FATE_REPEAT) == 1);
	end();
}

static void strangers_are_counted(void)
{
	struct trap_bytes pdu = trap_pdu(BER_TRAP, 1, NULL), t = trap_community(&pdu, 1, "lab"), bad = trap_community(&pdu, 1, "lax");
	char address[32];

	begin();
	for (int i = 0; i < 100; i++) {
		text_format(address, sizeof address, "198.51.100.%d", i);
		deliver(address, &t, NOW + i);
	}
	CU_ASSERT_EQUAL(fate(TRAP_FATE_UNKNOWN_SOURCE), 100);
	CU_ASSERT_EQUAL(trap_counts(w.r)->sender_count, TRAP_SENDERS);
	deliver("192.0.2.2", &bad, NOW + 200);
	deliver("192.0.2.3", &t, NOW + 200); /* is polled by version 3 */
	deliver("192.0.2.130", &t, NOW + 200);
	CU_ASSERT(fate(TRAP_FATE_COMMUNITY) == 2 && fate(TRAP_FATE_LEVEL) == 1);
	CU_ASSERT(w.traps == 0 && w.sent == 0);
	source(TRAP_FROM_NODE, 9, "192.0.2.2", &w.lab); /* the same address and community */
	deliver("192.0.2.2", &t, NOW + 200);
	CU_ASSERT(fate(TRAP_FATE_AMBIGUOUS) == 1 && w.traps == 0);
	trap_source_remove(w.r, TRAP_FROM_NODE, 2);
	deliver("192.0.2.2", &t, NOW + 300);
	CU_ASSERT(w.traps == 1 && w.trap.slot == 9);
	trap_sources_begin(w.r);
	source(TRAP_FROM_SWITCH, 1, "2001:db8::1", &w.lab);
	trap_sources_end(w.r);
	deliver("192.0.2.130", &t, NOW + 300); /* the BMC has gone with the new list, the nodes have not */
	deliver("192.0.2.2", &t, NOW + 300);
	CU_ASSERT(fate(TRAP_FATE_UNKNOWN_SOURCE) == 101 && fate(TRAP_FATE_REPEAT) == 1);
	end();
}

static void a_storm_is_limited(void)
{
	begin();
	for (unsigned i = 0; i < 1000; i++) {
		struct trap_bytes pdu = trap_pdu(BER_INFORM, i, NULL), t = trap_community(&pdu, 1, "lab");
		deliver("192.0.2.2", &t, NOW);
	}
	CU_ASSERT(w.traps == TRAP_BURST && w.sent == TRAP_BURST && fate(TRAP_FATE_RATE) == 1000 - TRAP_BURST);
	for (unsigned i = 0; i < 1000; i++) {
		struct trap_bytes pdu = trap_pdu(BER_INFORM, 5000 + i, NULL), t = trap_community(&pdu, 1, "lab");
		deliver("192.0.2.2", &t, NOW + i * 10);
	}
	CU_ASSERT(w.traps >= TRAP_BURST + 49 && w.traps <= TRAP_BURST + 51);
	struct trap_bytes pdu = trap_pdu(BER_TRAP, 1, NULL), t = trap_community(&pdu, 1, "lab");
	unsigned before = w.traps;
	deliver("2001:db8::1", &t, NOW); /* others are heard */
	CU_ASSERT_EQUAL(w.traps, before + 1);
	end();
}

/* Cut anywhere, any bit changed: never taken as another's, never a step too far. */
static void spoilt_datagrams(void)
{
	struct trap_bytes pdu = trap_pdu(BER_INFORM, 1, NULL), good = trap_community(&pdu, 1, "lab"), t;
	unsigned taken = 0;

	begin();
	for (size_t cut = 0; cut < good.size; cut++) {
		t = good;
		t.size = cut;
		deliver("192.0.2.2", &t, NOW + (int64_t)cut * 1000);
	}
	CU_ASSERT(w.traps == 0 && fate(TRAP_FATE_GARBAGE) == good.size);
	for (size_t bit = 0; bit < good.size * 8; bit++) {
		t = good;
		t.room[bit / 8] ^= (uint8_t)(1 << bit % 8);
		deliver("192.0.2.2", &t, NOW + (int64_t)(good.size + bit) * 1000);
		taken = w.traps;
	}
	CU_ASSERT(taken > 0); /* a changed value is a value still */
	CU_ASSERT(fate(TRAP_FATE_GARBAGE) > good.size * 2);
	end();
}

static void a_trap_of_version_3(void)
{
	struct trap_bytes pdu = trap_pdu(BER_TRAP, 1, NULL), t;
	struct credential wrong = secret(SNMP_V3, "glory", 1, "auth=otherpass123\npriv=privpass123");
	struct credential nobody = secret(SNMP_V3, "nobody", 1, "auth=authpass123\npriv=privpass123");
	struct credential plain = secret(SNMP_V3, "glory", 0, "auth=authpass123");
	struct {
		const struct credential *c;
		enum trap_fate fate;
	} cases[] = {{&wrong, TRAP_FATE_DIGEST}, {&nobody, TRAP_FATE_USER}, {&plain, TRAP_FATE_LEVEL}};

	begin();
	t = trap_sealed(w.sender, &w.v3, &pdu, NOW);
	deliver("192.0.2.3", &t, NOW);
	CU_ASSERT(w.traps == 1 && w.trap.slot == 3 && w.trap.version == SNMP_V3 && w.trap.if_index == 7);
	deliver("192.0.2.3", &t, NOW + 100);
	CU_ASSERT(w.traps == 1 && fate(TRAP_FATE_REPEAT) == 1);
	deliver("192.0.2.4", &t, NOW);
	CU_ASSERT_EQUAL(fate(TRAP_FATE_NOT_READY), 1);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct usm_peer *p = peer(agent_id, sizeof agent_id, cases[i].c, 7, 5000);
		t = trap_sealed(p, cases[i].c, &pdu, NOW);
		deliver("192.0.2.3", &t, NOW);
		CU_ASSERT_EQUAL(fate(cases[i].fate), 1);
		usm_peer_free(p);
	}
	usm_peer_clock(w.sender, 7, 4800, true, NOW); /* more than 150 s behind what was heard */
	t = trap_sealed(w.sender, &w.v3, &pdu, NOW);
	deliver("192.0.2.3", &t, NOW);
	usm_peer_clock(w.sender, 6, 9000, true, NOW);
	t = trap_sealed(w.sender, &w.v3, &pdu, NOW);
	deliver("192.0.2.3", &t, NOW);
	CU_ASSERT(fate(TRAP_FATE_WINDOW) == 2 && w.traps == 1 && w.sent == 0);
	end();
}

/* The clock learnt by polling guards traps, too: what was heard before a restart of ours is old from the first one on. */
static void the_polled_clock_counts(void)
{
	struct trap_bytes pdu = trap_pdu(BER_TRAP, 1, NULL), t;

	begin();
	w.polled = peer(agent_id, sizeof agent_id, &w.v3, 8, 10);
	t = trap_sealed(w.sender, &w.v3, &pdu, NOW);
	deliver("192.0.2.3", &t, NOW);
	CU_ASSERT(w.traps == 0 && fate(TRAP_FATE_WINDOW) == 1);
	usm_peer_clock(w.sender, 9, 1, true, NOW); /* restarted: its trap tells the new clock */
	t = trap_sealed(w.sender, &w.v3, &pdu, NOW);
	deliver("192.0.2.3", &t, NOW);
	int64_t boots, time;
	usm_peer_told(w.polled, NOW, &boots, &time);
	CU_ASSERT(w.traps == 1 && boots == 9 && time == 1);
	end();
}

static struct trap_bytes inform_to(const uint8_t *id, size_t id_size, const struct credential *c, int64_t boots, int64_t time, uint32_t request)
{
	struct usm_peer *p = peer(id, id_size, c, boots, time);
	size_t id_at;
	struct trap_bytes pdu = trap_pdu(BER_INFORM, 1, &id_at), t = {.size = 0};
	const uint8_t *start = t.room;

	t.size = usm_write(p, c, request, pdu.room, pdu.size, id_at, t.room, sizeof t.room, &start, NOW);
	memmove(t.room, start, t.size);
	usm_peer_free(p);
	return t;
}

/* The usmStats number of the Report in w.answer; 0: it is none. */
static int reported(void)
{
	static const uint8_t stats[] = {0x2b, 6, 1, 6, 3, 15, 1, 1};
	struct usm_message m;
	struct ber pdu, list, content;
	int64_t number;

	if (!usm_read(w.answer, w.answer_size, &m) || !usm_plain_pdu(&m, &pdu) || !ber_take(&pdu, BER_REPORT, &content))
		return 0;
	for (int i = 0; i < 3; i++)
		if (!ber_integer(&content, &number))
			return 0;
	CU_ASSERT(ber_left(&m.engine_id) == own_engine.id_length && !memcmp(m.engine_id.at, own_engine.id, own_engine.id_length));
	if (!ber_take(&content, BER_SEQUENCE, &list) || !ber_take(&list, BER_SEQUENCE, &content) || !ber_take(&content, BER_OID, &list) ||
	    memcmp(list.at, stats, sizeof stats) != 0)
		return 0;
	return list.at[sizeof stats];
}

static void informs_of_version_3(void)
{
	const uint8_t *id = own_engine.id;
	size_t size = own_engine.id_length;
	struct credential wrong = secret(SNMP_V3, "glory", 1, "auth=otherpass123\npriv=privpass123");
	struct credential nobody = secret(SNMP_V3, "nobody", 1, "auth=authpass123\npriv=privpass123");
	struct trap_bytes t;
	struct usm_message m;
	struct ber pdu;

	begin();
	t = inform_to(agent_id, sizeof agent_id, &w.v3, 1, 1, 0x40000001);
	deliver("192.0.2.3", &t, NOW);
	CU_ASSERT(w.sent == 0 && fate(TRAP_FATE_NOT_READY) == 1);
	trap_engine(w.r, &own_engine, NOW - 20000);
	deliver("192.0.2.3", &t, NOW); /* another engine's: it is told which is ours */
	CU_ASSERT(w.sent == 1 && reported() == 4 && fate(TRAP_FATE_DISCOVERY) == 1);
	t = inform_to(id, size, &wrong, 3, 20, 0x40000002);
	deliver("192.0.2.3", &t, NOW);
	CU_ASSERT(w.sent == 2 && reported() == 5 && fate(TRAP_FATE_DIGEST) == 1);
	t = inform_to(id, size, &nobody, 3, 20, 0x40000003);
	deliver("192.0.2.3", &t, NOW);
	CU_ASSERT(w.sent == 3 && reported() == 3 && fate(TRAP_FATE_USER) == 1);
	t = inform_to(id, size, &w.v3, 2, 20, 0x40000004);
	deliver("192.0.2.3", &t, NOW);
	CU_ASSERT(w.sent == 4 && fate(TRAP_FATE_WINDOW) == 1); /* authenticated: its keys are right */
	struct usm_peer *own = peer(id, size, &w.v3, 3, 20);
	CU_ASSERT(usm_read(w.answer, w.answer_size, &m) && m.boots == 3 && m.time == 20 && usm_open(own, &w.v3, &m, &pdu) == USM_OK &&
		  *pdu.at == BER_REPORT);
	t = inform_to(id, size, &w.v3, 3, 20, 0x40000005);
	deliver("192.0.2.3", &t, NOW);
	CU_ASSERT(w.sent == 5 && w.traps == 1 && w.trap.inform);
	CU_ASSERT(usm_read(w.answer, w.answer_size, &m) && m.id == 0x40000005 && m.flags == (USM_FLAG_AUTH | USM_FLAG_PRIV) &&
		  usm_open(own, &w.v3, &m, &pdu) == USM_OK && *pdu.at == BER_RESPONSE);
	deliver("192.0.2.3", &t, NOW + 500);
	CU_ASSERT(w.sent == 6 && w.traps == 1 && fate(TRAP_FATE_REPEAT) == 1);
	usm_peer_free(own);
	end();
}

static const struct unit_test tests[] = {
	{"a trap of version 2c", a_trap_of_version_2c},
	{"a trap of version 1", a_trap_of_version_1},
	{"an inform is answered", an_inform_is_answered},
	{"strangers are counted", strangers_are_counted},
	{"a storm is limited", a_storm_is_limited},
	{"spoilt datagrams", spoilt_datagrams},
	{"a trap of version 3", a_trap_of_version_3},
	{"the polled clock counts", the_polled_clock_counts},
	{"informs of version 3", informs_of_version_3},
};
UNIT_MAIN("trap", tests)
