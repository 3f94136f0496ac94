/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands and replies as ipmi/wire.c makes and reads them, held against libfreeipmi: same bytes made, same packets
 * taken and refused, same replay window. */
#include "ipmi/wire.c"

#include "tests/sim/freeipmi_packets.h"
#include "unit.h"

enum { ROUNDS = 500 };

static struct {
	uint64_t state;
	struct packets *packets;
	struct wire *wire;
	struct rmcpp_session session;
} w;

static uint32_t random32(void)
{
	w.state = w.state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(w.state >> 32);
}

static void fill(void *arg, void *out, size_t size)
{
	(void)arg;
	for (size_t i = 0; i < size; i++)
		((uint8_t *)out)[i] = (uint8_t)random32();
}

static const uint8_t suites[] = {17, 3};

static void start(uint8_t suite)
{
	struct rmcpp_session *s = &w.session;

	memset(s, 0, sizeof(*s));
	packets_suite(s, suite);
	s->integrity_size = suite == 17 ? 32 : 20;
	s->confidentiality_size = s->integrity_size;
	fill(NULL, s->integrity_key, s->integrity_size);
	fill(NULL, s->confidentiality_key, s->confidentiality_size);
	s->console_id = random32() | 1;
	s->managed_id = random32() | 1;
	CU_ASSERT_FATAL(ipmi_check_session_sequence_number_2_0_init(&s->in_highest, &s->in_seen) == 0);
}

static struct ipmi_command random_command(void)
{
	static const uint8_t netfns[] = {0, 4, 6, 0x0a, 0x0c, 0x2c};
	struct ipmi_command c = {.netfn = netfns[random32() % COUNT_OF(netfns)],
				 .lun = random32() % 4,
				 .command = (uint8_t)random32(),
				 .size = (uint8_t)(random32() % (COMMAND_DATA_MAX + 1))};

	fill(NULL, c.data, c.size);
	return c;
}

static void random_reply(struct ipmi_reply *r)
{
	r->completion = (uint8_t)random32();
	r->size = (uint16_t)(random32() % (random32() % 8 ? 40 : REPLY_DATA_MAX + 1));
	fill(NULL, r->data, r->size);
}

static bool same_reply(const struct ipmi_reply *a, const struct ipmi_reply *b)
{
	return a->completion == b->completion && a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

/* Both readers on copies of the session: they must agree, also on the window. True: taken. */
static bool both_read(const struct ipmi_command *c, uint8_t sequence, const uint8_t *data, size_t size,
		      struct ipmi_reply *reply)
{
	struct rmcpp_session mine = w.session, theirs = w.session;
	struct ipmi_reply other;
	bool taken = wire_read_command(w.wire, &mine, c, sequence, data, size, reply);
	bool taken_there = theirs_read_command(&theirs, c, sequence, data, size, &other);

	CU_ASSERT(taken == taken_there);
	CU_ASSERT(!taken || !taken_there || same_reply(reply, &other));
	CU_ASSERT(mine.in_highest == theirs.in_highest && mine.in_seen == theirs.in_seen);
	return taken;
}

/* --- making ------------------------------------------------------------------------------------------ */

static void test_make_command(void)
{
	for (size_t k = 0; k < COUNT_OF(suites); k++)
		for (int i = 0; i < ROUNDS; i++) {
			uint8_t mine[PACKET_MAX], theirs[PACKET_MAX], sequence = random32() % 64;
			struct ipmi_command c = random_command();
			start(suites[k]);
			w.session.out_sequence = i % 7 ? random32() : UINT32_MAX;
			struct rmcpp_session copy = w.session;
			size_t there = theirs_make_command(&copy, &c, sequence, theirs);
			CU_ASSERT_FATAL(there >= 64);
			memcpy(w.wire->ivs + sizeof(w.wire->ivs) - BLOCK, theirs + AT_PAYLOAD, BLOCK);
			w.wire->ivs_left = BLOCK;
			CU_ASSERT(wire_make_command(w.wire, &w.session, &c, sequence, mine) == there);
			CU_ASSERT(memcmp(mine, theirs, there) == 0);
			CU_ASSERT(w.session.out_sequence == copy.out_sequence && copy.out_sequence != 0);
		}
}

/* What we make they take apart: a request with an odd function code and data reads as an answer does. */
static void test_make_then_theirs_read(void)
{
	for (size_t k = 0; k < COUNT_OF(suites); k++)
		for (int i = 0; i < ROUNDS; i++) {
			uint8_t packet[PACKET_MAX], sequence = random32() % 64;
			struct ipmi_command c = random_command();
			struct ipmi_reply r;
			start(suites[k]);
			w.session.managed_id = w.session.console_id;
			c.netfn |= 1;
			c.size = c.size ? c.size : 1;
			size_t size = wire_make_command(w.wire, &w.session, &c, sequence, packet);
			CU_ASSERT(theirs_read_command(&w.session, &c, sequence, packet, size, &r));
			CU_ASSERT(r.completion == c.data[0] && r.size == c.size - 1 &&
				  memcmp(r.data, c.data + 1, r.size) == 0);
		}
}

static void test_vectors_differ(void)
{
	uint8_t seen[200][BLOCK], packet[PACKET_MAX];
	struct ipmi_command c = {0};

	start(17);
	for (int i = 0; i < 200; i++) {
		wire_make_command(w.wire, &w.session, &c, 1, packet);
		memcpy(seen[i], packet + AT_PAYLOAD, BLOCK);
		for (int j = 0; j < i; j++)
			CU_ASSERT(memcmp(seen[i], seen[j], BLOCK) != 0);
	}
}

static void test_sessionless(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		uint8_t mine[PACKET_MAX], theirs[PACKET_MAX], sequence = random32() % 64;
		struct ipmi_command c = random_command();
		struct ipmi_reply r, other;
		uint32_t id;
		size_t there = theirs_make_sessionless(&c, sequence, theirs);
		CU_ASSERT(there > 0 && wire_make_sessionless(&c, sequence, mine) == there);
		CU_ASSERT(memcmp(mine, theirs, there) == 0);
		/* as an answer, whole and with each byte changed */
		c.netfn |= 1;
		c.size = c.size ? c.size : 1;
		size_t size = wire_make_sessionless(&c, sequence, mine);
		CU_ASSERT(packets_look(mine, size, &id) == PACKET_SESSIONLESS);
		CU_ASSERT(wire_read_sessionless(&c, sequence, mine, size, &r));
		CU_ASSERT(theirs_read_sessionless(&c, sequence, mine, size, &other) && same_reply(&r, &other));
		CU_ASSERT(r.completion == c.data[0] && r.size == c.size - 1);
		for (size_t at = 0; at < size; at++) {
			uint8_t was = mine[at];
			mine[at] ^= (uint8_t)(1 + random32() % 255);
			bool looks = packets_look(mine, size, &id) == PACKET_SESSIONLESS;
			bool taken = wire_read_sessionless(&c, sequence, mine, size, &r);
			CU_ASSERT(!looks || taken == theirs_read_sessionless(&c, sequence, mine, size, &other));
			/* RMCP's sequence and the session's number and id, which mean nothing here, may be anything */
			CU_ASSERT((looks && taken) == (at == 1 || at == 2 || (at >= 5 && at < OLD_AT_SIZE)));
			mine[at] = was;
		}
		for (size_t cut = 0; cut < size; cut++)
			CU_ASSERT(!wire_read_sessionless(&c, sequence, mine, cut, &r));
	}
}

/* --- reading ----------------------------------------------------------------------------------------- */

static void test_read(void)
{
	for (size_t k = 0; k < COUNT_OF(suites); k++)
		for (int i = 0; i < ROUNDS; i++) {
			uint8_t packet[PACKET_MAX], sequence = random32() % 64;
			struct ipmi_command c = random_command(), other = c;
			struct ipmi_reply sent, r;
			start(suites[k]);
			random_reply(&sent);
			size_t size = theirs_make_reply(&w.session, 1 + random32() % 8, &c, sequence, &sent, packet);
			CU_ASSERT_FATAL(size > 0);
			CU_ASSERT(both_read(&c, sequence, packet, size, &r) && same_reply(&r, &sent));
			CU_ASSERT(!both_read(&c, sequence ^ 1, packet, size, &r));
			other.command ^= 0x10;
			CU_ASSERT(!both_read(&other, sequence, packet, size, &r));
			other = c;
			other.netfn ^= 2;
			CU_ASSERT(!both_read(&other, sequence, packet, size, &r));
			w.session.console_id ^= 1U << random32() % 32;
			CU_ASSERT(!both_read(&c, sequence, packet, size, &r));
		}
}

/* Every byte of a packet, and every bit of some: refused, but for the two that RMCP leaves free and nobody signs. */
static void test_each_byte(void)
{
	for (size_t k = 0; k < COUNT_OF(suites); k++)
		for (int i = 0; i < 40; i++) {
			uint8_t packet[PACKET_MAX];
			struct ipmi_command c = random_command();
			struct ipmi_reply sent, r;
			uint32_t id;
			start(suites[k]);
			random_reply(&sent);
			size_t size = theirs_make_reply(&w.session, 1, &c, 9, &sent, packet);
			for (size_t bit = 0; bit < 8 * size; bit += i < 4 ? 1 : 1 + random32() % 8) {
				packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
				bool taken = both_read(&c, 9, packet, size, &r);
				bool looks = packets_look(packet, size, &id) == PACKET_COMMAND;
				CU_ASSERT((taken && looks) == (bit / 8 == 1 || bit / 8 == 2));
				packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
			}
			for (size_t cut = 0; cut < size; cut++)
				CU_ASSERT(!both_read(&c, 9, packet, cut, &r));
			packet[size] = 0;
			CU_ASSERT(!both_read(&c, 9, packet, size + 1, &r));
		}
}

static void test_replay(void)
{
	static const struct {
		uint32_t sequence;
		bool taken;
	} steps[] = {{1, true},	  {1, false}, {3, true},  {2, true},  {2, false}, {0, false},  {12, false},
		     {11, true},  {4, true},  {4, false}, {3, false}, {19, true}, {10, false}, {12, true},
		     {500, false}};

	for (size_t k = 0; k < COUNT_OF(suites); k++) {
		struct ipmi_command c = random_command();
		struct ipmi_reply sent, r;
		uint8_t packet[PACKET_MAX];
		start(suites[k]);
		random_reply(&sent);
		for (size_t i = 0; i < COUNT_OF(steps); i++) {
			size_t size = theirs_make_reply(&w.session, steps[i].sequence, &c, 5, &sent, packet);
			CU_ASSERT(both_read(&c, 5, packet, size, &r) == steps[i].taken);
			CU_ASSERT(wire_read_command(w.wire, &w.session, &c, 5, packet, size, &r) == steps[i].taken);
		}
	}
}

/* The keys' holder sends rubbish: what is inside the cover is hostile too. */
static size_t rubbish(const struct ipmi_command *c, uint8_t sequence, uint8_t *plain, uint8_t trailer[8],
		      size_t *trailer_size)
{
	size_t message = random32() % 60, size;

	fill(NULL, plain, 400);
	plain[1] = (uint8_t)((c->netfn | 1) << 2);
	plain[2] = sum_of(plain, 2);
	plain[4] = (uint8_t)(sequence << 2);
	plain[5] = c->command;
	if (message >= 8)
		plain[message - 1] = sum_of(plain + 3, message - 4);
	size = (message + 1 + BLOCK - 1) / BLOCK * BLOCK;
	for (size_t i = message; i < size - 1; i++)
		plain[i] = (uint8_t)(i - message + 1);
	plain[size - 1] = (uint8_t)(size - message - 1);
	if (random32() % 3 == 0)
		plain[random32() % size] ^= (uint8_t)(1 << random32() % 8);
	*trailer_size = 2 + random32() % 7;
	memset(trailer, 0xff, 8);
	trailer[*trailer_size - 1] = random32() % 4 ? 7 : (uint8_t)random32();
	trailer[*trailer_size - 2] = (uint8_t)(random32() % (*trailer_size - 1));
	if (random32() % 4 == 0)
		trailer[0] ^= 1;
	return size;
}

static void test_rubbish(void)
{
	unsigned taken = 0;

	for (size_t k = 0; k < COUNT_OF(suites); k++)
		for (int i = 0; i < ROUNDS * 5; i++) {
			uint8_t packet[PACKET_MAX], plain[400], trailer[8], sequence = random32() % 64;
			struct ipmi_command c = random_command();
			struct ipmi_reply r;
			size_t trailer_size;
			start(suites[k]);
			size_t size = rubbish(&c, sequence, plain, trailer, &trailer_size);
			size = theirs_cover(&w.session, 1, plain, size, trailer, trailer_size, packet);
			if (trailer[trailer_size - 2] > trailer_size - 2) /* where libfreeipmi looks at what it never set */
				CU_ASSERT(!wire_read_command(w.wire, &w.session, &c, sequence, packet, size, &r))
			else
				taken += both_read(&c, sequence, packet, size, &r);
		}
	CU_ASSERT(taken > ROUNDS); /* or nothing of it was tried */
}

/* The whole last block says that it is padding, a message longer than any reply, lengths that lead out of the packet. */
static void test_edges(void)
{
	static const uint8_t trailer[] = {0xff, 0xff, 2, 7}, too_long[] = {0xff, 0xff, 0xff, 0xff, 0xff, 5, 7}, lies[] = {4, 7};
	uint8_t packet[PACKET_MAX], plain[512] = {0};
	struct ipmi_command c = {.netfn = 6, .command = 1};
	struct ipmi_reply r;

	start(17);
	CU_ASSERT(!both_read(&c, 1, packet, theirs_cover(&w.session, 1, plain, 0, trailer, 4, packet), &r));
	memset(plain, 0x10, 16);
	CU_ASSERT(!both_read(&c, 1, packet, theirs_cover(&w.session, 1, plain, 16, trailer, 4, packet), &r));
	memset(plain, 0, sizeof(plain));
	memcpy(plain, (uint8_t[]){0x81, 0x1c, 0x63, 0x20, 0x04, 0x01, 0x00, 0xdb}, 8);
	for (int i = 0; i < 7; i++)
		plain[8 + i] = (uint8_t)(1 + i);
	plain[15] = 7;
	CU_ASSERT(both_read(&c, 1, packet, theirs_cover(&w.session, 1, plain, 16, trailer, 4, packet), &r));
	CU_ASSERT(r.size == 0 && r.completion == 0);
	/* a pad of 16: one more than ever is needed, yet its bytes are right */
	for (int i = 0; i < 16; i++)
		plain[15 + i] = (uint8_t)(1 + i);
	plain[31] = 16;
	plain[7] = 0;
	plain[14] = sum_of(plain + 3, 11);
	CU_ASSERT(both_read(&c, 1, packet, theirs_cover(&w.session, 1, plain, 32, trailer, 4, packet), &r) && r.size == 7);
	CU_ASSERT(!both_read(&c, 1, packet, theirs_cover(&w.session, 1, plain, 32, too_long, 7, packet), &r));
	CU_ASSERT(!wire_read_command(w.wire, &w.session, &c, 1, packet,
				     theirs_cover(&w.session, 1, plain, 32, lies, 2, packet), &r));
	memset(plain + 8, 0, sizeof(plain) - 8);
	size_t message = REPLY_AROUND + REPLY_DATA_MAX + 1, size = 320;
	plain[message - 1] = sum_of(plain + 3, message - 4);
	for (size_t i = message; i < size - 1; i++)
		plain[i] = (uint8_t)(1 + i - message);
	plain[size - 1] = (uint8_t)(size - 1 - message);
	size = theirs_cover(&w.session, 1, plain, size, trailer, 4, packet);
	CU_ASSERT(!wire_read_command(w.wire, &w.session, &c, 1, packet, size, &r));
	for (unsigned told = 0; told < 0x10000; told += 1 + told / 64) {
		packet[14] = (uint8_t)told;
		packet[15] = (uint8_t)(told >> 8);
		CU_ASSERT(!wire_read_command(w.wire, &w.session, &c, 1, packet, size, &r));
	}
}

static const struct unit_test tests[] = {
    {"commands are libfreeipmi's byte for byte", test_make_command},
    {"commands are read by libfreeipmi", test_make_then_theirs_read},
    {"no vector is used twice", test_vectors_differ},
    {"outside a session", test_sessionless},
    {"replies made by libfreeipmi", test_read},
    {"each byte changed", test_each_byte},
    {"replays", test_replay},
    {"rubbish under right keys", test_rubbish},
    {"edges", test_edges},
};

int main(void)
{
	w.state = 42;
	w.packets = packets_new();
	w.wire = w.packets ? wire_new(fill, NULL) : NULL;
	if (!w.wire)
		return 1;
	theirs_init();
	int bad = unit_run("wire", tests, COUNT_OF(tests));
	wire_free(w.wire);
	packets_free(w.packets);
	return bad;
}
