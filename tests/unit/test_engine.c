/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of the SNMP engine over loopback, with an agent that this test plays: right answers, and wrong ids, wrong
 * sources, late, cut and repeated ones; errors; walks of tables, also endless ones; what is sent again. Time is given
 * by the test. */
#include "mibs/collector/engine.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "tests/unit/unit.h"

enum { SLOT = 3, ROWS = 64, OBJECT_A = 11, OBJECT_B = 12, OBJECT_NAME = 20, OBJECT_IN = 21, OBJECT_SLOW = 30 };

static const struct msg_object objects[] = {
    {.object = OBJECT_A, .interval_s = 10, .shape = OBJECT_SCALAR, .oid_length = 9, .oid = {1, 3, 6, 1, 2, 1, 9, 1, 0}},
    {.object = OBJECT_B, .interval_s = 10, .shape = OBJECT_SCALAR, .oid_length = 9, .oid = {1, 3, 6, 1, 2, 1, 9, 2, 0}},
    {.object = OBJECT_NAME,
     .table = 1,
     .interval_s = 10,
     .shape = OBJECT_NAME_COLUMN,
     .oid_length = 8,
     .oid = {1, 3, 6, 1, 2, 1, 8, 1},
     .filter = "lo,ram"},
    {.object = OBJECT_IN,
     .table = 1,
     .interval_s = 10,
     .shape = OBJECT_COLUMN,
     .oid_length = 8,
     .oid = {1, 3, 6, 1, 2, 1, 8, 2}},
    {.object = OBJECT_SLOW,
     .interval_s = 60,
     .shape = OBJECT_SCALAR,
     .oid_length = 9,
     .oid = {1, 3, 6, 1, 2, 1, 9, 3, 0}},
};

/* What the engine told us. */
static struct told {
	unsigned answers, refused, frozen, values, rows, gone, facts, overflows, asked, asked_object;
	uint32_t token;
	struct engine_facts last_facts;
	struct {
		uint16_t object, instance;
		uint8_t type;
		int64_t value;
	} value[256];
	struct {
		uint16_t instance;
		bool gone;
		char name[ENGINE_ROW_NAME];
	} row[512];
} told;

static void on_answer(void *arg, uint32_t slot, uint32_t token, enum watch_answer_kind kind, int64_t now)
{
	(void)arg;
	(void)now;
	CU_ASSERT_EQUAL(slot, SLOT);
	told.answers++;
	told.refused += kind == WATCH_S_REFUSED;
	told.frozen += kind == WATCH_S_FROZEN;
	told.token = token;
}

static void on_values(void *arg, uint32_t slot, const struct query *q, const struct query_value *v, uint32_t uptime_cs,
		      int64_t now)
{
	(void)arg;
	(void)slot;
	(void)uptime_cs;
	(void)now;
	for (size_t i = 1; i < q->count && told.values < 256; i++) {
		if (!v[i].type)
			continue;
		told.value[told.values].object = q->items[i].object;
		told.value[told.values].instance = q->items[i].instance;
		told.value[told.values].type = v[i].type;
		told.value[told.values++].value = v[i].value;
	}
}

static void on_row(void *arg, uint32_t slot, uint16_t table, uint16_t instance, const char *name, bool gone)
{
	(void)arg;
	(void)slot;
	CU_ASSERT(table == 1 || table >= OBJECT_ITEM);
	CU_ASSERT_FATAL(told.rows < 512);
	told.row[told.rows].instance = instance;
	told.row[told.rows].gone = gone;
	text_copy(told.row[told.rows++].name, ENGINE_ROW_NAME, name);
	told.gone += gone;
}

static void on_facts(void *arg, uint32_t slot, const struct engine_facts *facts)
{
	(void)arg;
	(void)slot;
	told.facts++;
	told.last_facts = *facts;
}

static void on_asked(void *arg, uint32_t slot, const struct query *q, const struct query_value *v, int64_t now)
{
	(void)arg;
	(void)slot;
	(void)now;
	told.asked++;
	told.asked_object = v && v[1].type != VALUE_MISSING ? q->items[1].object : 0;
}

static void on_overflow(void *arg, int64_t now)
{
	(void)arg;
	(void)now;
	told.overflows++;
}

/* --- the agent that the test plays ----------------------------------------------------------------------- */

static struct world {
	struct engine *engine;
	int agent, stranger; /* sockets */
	struct sockaddr_in client;
	struct credential credential;
	int64_t now;
	/* knobs */
	uint32_t uptime, host_uptime;
	char names[600][16];
	unsigned name_count;
	unsigned limit; /* more varbinds than that: tooBig; 0 = none */
	bool endless, generr;
	int version; /* as in the message: 1 is v2c */
} w;

struct request {
	uint8_t bytes[2048];
	size_t size;
	uint8_t type;
	uint32_t id;
	struct ber varbinds;
	unsigned count;
};

static int udp(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CU_ASSERT_FATAL(fd >= 0 && bind(fd, (void *)&any, sizeof any) == 0);
	return fd;
}

static int next_version = SNMP_V2C;

static void begin(const struct msg_object *list, size_t count)
{
	static const struct engine_ops ops = {on_answer, on_values, on_row, on_facts, on_asked, on_overflow, NULL, NULL};
	int fds[2] = {batch_udp_socket(AF_INET), -1};
	struct sockaddr_in at;
	socklen_t size = sizeof at;

	memset(&told, 0, sizeof told);
	memset(&w, 0, sizeof w);
	w.now = 1000000;
	w.uptime = 5000;
	w.host_uptime = 90000;
	w.agent = udp();
	w.stranger = udp();
	w.version = next_version;
	w.credential = (struct credential){.version = (uint8_t)w.version};
	credential_set_secret(&w.credential, "community=lab");
	w.engine = engine_new(&ops, NULL, 16, fds, (const uint8_t *)"0123456789abcdef");
	engine_objects(w.engine, list, count);
	getsockname(w.agent, (void *)&at, &size);
	struct engine_agent agent = {.credential = &w.credential, .generation = 1};
	address_parse("127.0.0.1", ntohs(at.sin_port), &agent.address);
	CU_ASSERT_EQUAL(engine_agent_set(w.engine, SLOT, &agent, w.now), 0);
}

static void end(void)
{
	engine_free(w.engine);
	close(w.agent);
	close(w.stranger);
}

static bool next_request(struct request *r)
{
	struct pollfd p = {w.agent, POLLIN, 0};
	socklen_t size = sizeof w.client;
	struct ber in, message, part;
	struct response pdu;
	int64_t version;

	engine_turn(w.engine, w.now);
	if (poll(&p, 1, 0) != 1) /* loopback delivers inside the sending call */
		return false;
	ssize_t n = recvfrom(w.agent, r->bytes, sizeof r->bytes, 0, (void *)&w.client, &size);
	CU_ASSERT_FATAL(n > 0);
	r->size = (size_t)n;
	in = (struct ber){r->bytes, r->bytes + n};
	CU_ASSERT_FATAL(ber_take(&in, BER_SEQUENCE, &message) && ber_integer(&message, &version) &&
			ber_take(&message, BER_OCTETS, &part) && response_parse(message, &pdu));
	CU_ASSERT(version == w.version && ber_left(&part) == 3);
	r->type = pdu.type;
	r->id = (uint32_t)pdu.id;
	r->varbinds = pdu.varbinds;
	r->count = 0;
	for (struct ber rest = pdu.varbinds, varbind; ber_take(&rest, BER_SEQUENCE, &varbind);)
		r->count++;
	return true;
}

static void put_number(struct ber_out *out, uint8_t type, int64_t value)
{
	uint8_t *mark = out->at;

	ber_put_integer(out, value);
	out->at[0] = type;
	(void)mark;
}

static void put_oid(struct ber_out *out, const uint32_t *oid, size_t length)
{
	uint8_t bytes[256];
	size_t n = 0;

	bytes[n++] = (uint8_t)(oid[0] * 40 + oid[1]);
	for (size_t i = 2; i < length; i++) {
		for (int shift = 28; shift > 0; shift -= 7)
			if (oid[i] >> shift)
				bytes[n++] = (uint8_t)(0x80 | (oid[i] >> shift & 0x7f));
		bytes[n++] = oid[i] & 0x7f;
	}
	uint8_t *mark = out->at;
	ber_put(out, bytes, n);
	ber_put_header(out, BER_OID, mark);
}

static void put_value(struct ber_out *out, const uint32_t *oid, size_t length)
{
	if (oid[5] == 1 && oid[6] == 1 && oid[7] == 3)
		put_number(out, BER_TIMETICKS, w.uptime);
	else if (oid[5] == 1 && oid[6] == 25)
		put_number(out, BER_TIMETICKS, w.host_uptime);
	else if (oid[5] == 1 && oid[6] == 1 && oid[7] == 5)
		ber_put_octets(out,
			       "n\x01"
			       "001",
			       5);
	else if (oid[6] == 9 && oid[7] == 1)
		put_number(out, BER_INTEGER, -5);
	else if (oid[6] == 9)
		put_number(out, BER_GAUGE32, 4000000000);
	else if (oid[6] == 8 && oid[7] == 2 && oid[length - 1] <= w.name_count && w.names[oid[length - 1] - 1][0])
		put_number(out, BER_COUNTER64, 1000 + oid[length - 1]);
	else
		ber_put(out, oid[6] == 8 ? "\x81\0" : "\x80\0", 2);
}

/* The rows behind oid, in order; the first varbind is put last because the writer goes backwards. */
static void put_rows(struct ber_out *out, const uint32_t *oid, size_t length, unsigned most)
{
	uint32_t name[9] = {1, 3, 6, 1, 2, 1, 8, 1, 0}, list[16];
	unsigned from = length > 8 ? oid[8] : 0, n = 0;

	for (unsigned i = from + 1; n < most && i <= (w.endless ? UINT32_MAX : w.name_count + 1); i++)
		if (w.endless || i > w.name_count || w.names[i - 1][0])
			list[n++] = i;
	while (n--) {
		uint8_t *mark = out->at;
		name[7] = !w.endless && list[n] > w.name_count ? 9 : 1; /* behind the column */
		name[8] = w.endless && from >= 32 ? 5 : list[n];
		ber_put_octets(out, w.endless ? "x" : w.names[(list[n] - 1) % 600],
			       w.endless ? 1 : strlen(w.names[(list[n] - 1) % 600]));
		put_oid(out, name, 9);
		ber_put_header(out, BER_SEQUENCE, mark);
	}
}

static size_t build_answer(const struct request *r, uint8_t *room, size_t room_size, const uint8_t **start, uint32_t id)
{
	struct ber_out out = {room, room + room_size, false};
	uint8_t *end_of = out.at;
	struct ber list = r->varbinds, varbinds[64];
	unsigned bad = 0, error = w.limit && r->count > w.limit ? 1 : w.generr && r->count > 2 ? 5 : 0;

	for (unsigned i = 0; i < r->count; i++)
		ber_take(&list, BER_SEQUENCE, &varbinds[i]);
	for (unsigned i = r->count; i-- && !error;) {
		uint32_t oid[QUERY_OID_MAX];
		struct ber name;
		ber_take(&varbinds[i], BER_OID, &name);
		size_t length = ber_oid_value(name, oid, QUERY_OID_MAX);
		if (r->type != BER_GET) {
			put_rows(&out, oid, length, r->type == BER_GETBULK ? 16 : 1);
			break;
		}
		uint8_t *mark = out.at;
		put_value(&out, oid, length);
		if (w.version == SNMP_V1 && (out.at[0] & 0x80) &&
		    !out.at[1]) { /* no exceptions in version 1: the whole request fails */
			error = 2;
			bad = i + 1;
			out.at = end_of;
			break;
		}
		put_oid(&out, oid, length);
		ber_put_header(&out, BER_SEQUENCE, mark);
	}
	ber_put_header(&out, BER_SEQUENCE, end_of);
	ber_put_integer(&out, error == 5 ? 3 : bad);
	ber_put_integer(&out, error);
	ber_put_id(&out, id);
	ber_put_header(&out, BER_RESPONSE, end_of);
	ber_put_octets(&out, "lab", 3);
	ber_put_integer(&out, w.version);
	ber_put_header(&out, BER_SEQUENCE, end_of);
	CU_ASSERT_FATAL(!out.full);
	*start = out.at;
	return (size_t)(end_of - out.at);
}

static void reply_from(int fd, const struct request *r, uint32_t id, size_t cut)
{
	uint8_t room[4096];
	const uint8_t *start;
	size_t size = build_answer(r, room, sizeof room, &start, id);

	CU_ASSERT(sendto(fd, start, size - cut, 0, (void *)&w.client, sizeof w.client) == (ssize_t)(size - cut));
	engine_receive(w.engine, w.now);
}

static unsigned serve(void)
{
	struct request r;
	unsigned n = 0;

	for (; n < 2000 && next_request(&r); n++)
		reply_from(w.agent, &r, r.id, 0);
	return n;
}

/* First contact: facts and walk are asked for by themselves. */
static void contact(void)
{
	CU_ASSERT(engine_get(w.engine, SLOT, 1, w.now));
	serve();
	w.now += 1000;
	serve();
	w.now += 10;
	serve();
}

/* --- tests ------------------------------------------------------------------------------------------------- */

static void a_get_is_answered(void)
{
	begin(objects, 2);
	CU_ASSERT(engine_get(w.engine, SLOT, 77, w.now));
	CU_ASSERT_EQUAL(serve(), 1);
	CU_ASSERT_EQUAL(told.answers, 1);
	CU_ASSERT_EQUAL(told.token, 77);
	CU_ASSERT_FALSE(engine_get(w.engine, SLOT + 1, 1, w.now));
	CU_ASSERT_FALSE(engine_get(w.engine, 1000, 1, w.now));
	end();
}

static void a_poll_brings_values(void)
{
	begin(objects, 2);
	CU_ASSERT_EQUAL(engine_poll_ms(w.engine), 10000);
	CU_ASSERT(engine_poll(w.engine, SLOT, 5, w.now));
	CU_ASSERT_EQUAL(serve(), 1);
	CU_ASSERT_EQUAL(told.answers, 1);
	CU_ASSERT_EQUAL_FATAL(told.values, 2);
	CU_ASSERT(told.value[0].object == OBJECT_A && told.value[0].type == VALUE_INTEGER && told.value[0].value == -5);
	CU_ASSERT(told.value[1].object == OBJECT_B && told.value[1].type == VALUE_GAUGE32 &&
		  told.value[1].value == 4000000000);
	end();
}

static void wrong_answers_change_nothing(void)
{
	struct request r;

	begin(objects, 2);
	engine_poll(w.engine, SLOT, 5, w.now);
	CU_ASSERT_FATAL(next_request(&r));
	for (uint32_t bit = 0; bit < 31; bit++)
		reply_from(w.agent, &r, r.id ^ 1u << bit, 0); /* wrong id */
	reply_from(w.stranger, &r, r.id, 0);                  /* wrong port */
	CU_ASSERT_EQUAL(told.answers, 0);
	CU_ASSERT_EQUAL(told.values, 0);
	CU_ASSERT_EQUAL(engine_stats(w.engine).foreign, 32);
	for (size_t cut = 1; cut < 50; cut++)
		reply_from(w.agent, &r, r.id, cut);
	CU_ASSERT_EQUAL(engine_stats(w.engine).garbage, 49);
	CU_ASSERT_EQUAL(told.answers, 0);
	reply_from(w.agent, &r, r.id, 0); /* and the right one still counts */
	CU_ASSERT_EQUAL(told.answers, 1);
	CU_ASSERT_EQUAL(told.values, 2);
	end();
}

static void a_wrong_address_is_foreign(void)
{
	struct request r;
	uint8_t room[2048];
	const uint8_t *start;
	union endpoint from = {.v4 = {.sin_family = AF_INET}};

	begin(objects, 2);
	engine_get(w.engine, SLOT, 5, w.now);
	CU_ASSERT_FATAL(next_request(&r));
	size_t size = build_answer(&r, room, sizeof room, &start, r.id);
	from.v4.sin_addr.s_addr = htonl(0x7f000002);
	engine_datagram(w.engine, room + (start - room), size, &from, w.now);
	CU_ASSERT_EQUAL(told.answers, 0);
	CU_ASSERT_EQUAL(engine_stats(w.engine).foreign, 1);
	end();
}

static void duplicates_count_once(void)
{
	struct request r;

	begin(objects, 2);
	engine_poll(w.engine, SLOT, 5, w.now);
	CU_ASSERT_FATAL(next_request(&r));
	reply_from(w.agent, &r, r.id, 0);
	reply_from(w.agent, &r, r.id, 0);
	CU_ASSERT_EQUAL(told.answers, 1);
	CU_ASSERT_EQUAL(told.values, 2);
	CU_ASSERT_EQUAL(engine_stats(w.engine).duplicates, 1);
	end();
}

static void late_answers_are_answers_for_five_seconds(void)
{
	struct request r;

	begin(objects, 2);
	engine_get(w.engine, SLOT, 5, w.now);
	CU_ASSERT_FATAL(next_request(&r));
	w.now += 4900;
	reply_from(w.agent, &r, r.id, 0);
	CU_ASSERT_EQUAL(told.answers, 1);
	CU_ASSERT_EQUAL(engine_stats(w.engine).late_answers, 1);
	engine_get(w.engine, SLOT, 6, w.now);
	CU_ASSERT_FATAL(next_request(&r));
	w.now += 5100;
	reply_from(w.agent, &r, r.id, 0);
	CU_ASSERT_EQUAL(told.answers, 1);
	end();
}

static void a_lost_poll_is_sent_again(void)
{
	struct request r, again;

	begin(objects, 2);
	contact();
	told.values = 0;
	engine_poll(w.engine, SLOT, 5, w.now);
	CU_ASSERT_FATAL(next_request(&r));
	w.now += 500;
	engine_get(w.engine, SLOT, 6, w.now);
	CU_ASSERT_EQUAL(serve(), 1); /* alive */
	w.now += 600;
	CU_ASSERT_FATAL(next_request(&again));
	CU_ASSERT(again.id != r.id && again.count == r.count);
	reply_from(w.agent, &again, again.id, 0);
	CU_ASSERT_EQUAL(told.values, 2);
	CU_ASSERT_EQUAL(engine_stats(w.engine).retries, 1);
	engine_poll(w.engine, SLOT, 7, w.now);
	CU_ASSERT_FATAL(next_request(&r));
	w.now += 1100;
	CU_ASSERT_FALSE(next_request(&again)); /* silent altogether: not ours to insist */
	end();
}

static void rows_are_found_and_polled(void)
{
	begin(objects, COUNT_OF(objects));
	text_copy(w.names[0], sizeof w.names[0], "lo");
	text_copy(w.names[1], sizeof w.names[0], "eth0");
	text_copy(w.names[2], sizeof w.names[0], "ram0");
	text_copy(w.names[3], sizeof w.names[0], "eth1");
	text_copy(w.names[4], sizeof w.names[0], "eth1");
	w.name_count = 5;
	contact();
	CU_ASSERT_EQUAL_FATAL(told.rows, 3);
	CU_ASSERT(!strcmp(told.row[0].name, "eth0") && !strcmp(told.row[1].name, "eth1") &&
		  !strcmp(told.row[2].name, "eth1#5"));
	told.values = 0;
	engine_poll(w.engine, SLOT, 5, w.now);
	serve();
	CU_ASSERT_EQUAL_FATAL(told.values, 6); /* two scalars, three rows, one of the slow interval */
	CU_ASSERT(told.value[2].object == OBJECT_IN && told.value[2].instance == told.row[0].instance &&
		  told.value[2].value == 1002);
	CU_ASSERT(told.value[4].instance == told.row[2].instance && told.value[4].value == 1005);
	CU_ASSERT(told.value[5].object == OBJECT_SLOW);
	told.values = 0;
	engine_poll(w.engine, SLOT, 6, w.now);
	serve();
	CU_ASSERT_EQUAL(told.values, 5); /* the slow one every sixth time */
	end();
}

static void a_row_keeps_its_id_by_its_name(void)
{
	begin(objects, COUNT_OF(objects));
	text_copy(w.names[0], sizeof w.names[0], "eth0");
	text_copy(w.names[1], sizeof w.names[0], "eth1");
	w.name_count = 2;
	contact();
	CU_ASSERT_EQUAL_FATAL(told.rows, 2);
	uint16_t eth0 = told.row[0].instance, eth1 = told.row[1].instance;
	memset(w.names, 0, sizeof w.names);
	text_copy(w.names[4], sizeof w.names[0], "eth0"); /* another index now, and eth1 is gone */
	w.name_count = 5;
	told.rows = told.values = 0;
	w.now += 31000;
	engine_poll(w.engine, SLOT, 5, w.now); /* the old indexes answer noSuchInstance */
	serve();
	w.now += 10;
	serve();
	CU_ASSERT_EQUAL_FATAL(told.rows, 2);
	CU_ASSERT(told.row[0].instance == eth0 && !told.row[0].gone && told.row[1].instance == eth1 &&
		  told.row[1].gone);
	told.values = 0;
	engine_poll(w.engine, SLOT, 6, w.now);
	serve();
	CU_ASSERT_EQUAL_FATAL(told.values, 3);
	CU_ASSERT(told.value[2].instance == eth0 && told.value[2].value == 1005);
	end();
}

static void endless_tables_end(void)
{
	begin(objects, COUNT_OF(objects));
	w.endless = true; /* behind index 32 it answers with 5 again and again */
	contact();
	CU_ASSERT_EQUAL(told.rows, 0);
	CU_ASSERT(engine_stats(w.engine).requests < 20);
	end();
}

static void at_most_256_rows(void)
{
	begin(objects, COUNT_OF(objects));
	for (unsigned i = 0; i < 600; i++)
		snprintf(w.names[i], sizeof w.names[i], "if%u", i);
	w.name_count = 600;
	contact();
	CU_ASSERT_EQUAL(told.rows, ENGINE_ROWS_MAX);
	told.values = 0;
	engine_poll(w.engine, SLOT, 5, w.now);
	CU_ASSERT(serve() <= ENGINE_PARTS_MAX);
	CU_ASSERT(told.values > 200);
	end();
}

static void too_big_is_halved_and_remembered(void)
{
	begin(objects, COUNT_OF(objects));
	for (unsigned i = 0; i < 20; i++)
		snprintf(w.names[i], sizeof w.names[i], "if%u", i);
	w.name_count = 20;
	contact();
	CU_ASSERT_EQUAL(told.rows, 20);
	w.limit = 8;
	told.values = 0;
	engine_poll(w.engine, SLOT, 5, w.now);
	serve();
	w.now += 10000;
	told.values = 0;
	uint64_t big = engine_stats(w.engine).too_big;
	CU_ASSERT(big > 0);
	engine_poll(w.engine, SLOT, 6, w.now);
	serve();
	CU_ASSERT_EQUAL(told.values, 22);
	CU_ASSERT_EQUAL(engine_stats(w.engine).too_big, big);
	end();
}

static void a_name_the_agent_stumbles_over_is_left_out(void)
{
	begin(objects, 2);
	contact();
	w.generr = true;
	told.values = 0;
	engine_poll(w.engine, SLOT, 5, w.now);
	serve();
	CU_ASSERT_EQUAL_FATAL(told.values, 2);
	CU_ASSERT(told.value[0].object == OBJECT_B && told.value[0].type == VALUE_MISSING);
	CU_ASSERT(told.value[1].object == OBJECT_A && told.value[1].value == -5);
	end();
}

static void facts_and_restarts(void)
{
	begin(objects, 2);
	contact();
	CU_ASSERT_EQUAL(told.facts, 1);
	CU_ASSERT(!strcmp(told.last_facts.sys_name, "n?001") && told.last_facts.host_uptime_cs == 90000);
	w.uptime = 10; /* the agent restarts */
	w.host_uptime = 90100;
	contact();
	CU_ASSERT_EQUAL(told.facts, 2);
	CU_ASSERT(told.last_facts.agent_restarted && !told.last_facts.rebooted);
	w.uptime = 5;
	w.host_uptime = 100;
	contact();
	CU_ASSERT_EQUAL(told.facts, 3);
	CU_ASSERT(!told.last_facts.agent_restarted && told.last_facts.rebooted);
	w.uptime = 100;
	contact();
	CU_ASSERT_EQUAL(told.facts, 3);
	w.now += 60000; /* two short lives in growing numbers: up for 25 s, a minute after it was up for 1 s */
	w.uptime = 50;
	w.host_uptime = 2500;
	contact();
	CU_ASSERT(told.last_facts.rebooted && !told.last_facts.agent_restarted);
	w.now += 3000; /* and two very short ones: up for 25 s, three seconds after it for 2.6 s, then agent alone */
	w.uptime = 40;
	w.host_uptime = 260;
	contact();
	CU_ASSERT(told.last_facts.rebooted && !told.last_facts.agent_restarted);
	w.now += 2900;
	w.uptime = 30;
	w.host_uptime = 270;
	contact();
	CU_ASSERT(told.last_facts.rebooted && !told.last_facts.agent_restarted);
	w.now += 1000;
	w.uptime = 20;
	w.host_uptime = 370;
	contact();
	CU_ASSERT(told.last_facts.agent_restarted && !told.last_facts.rebooted);
	w.now += 4000; /* a host whose clock counts whole seconds: it began half a second too early, just before its last answer */
	w.uptime = 10;
	w.host_uptime = 450;
	contact();
	CU_ASSERT(told.last_facts.rebooted && !told.last_facts.agent_restarted);
	end();
}

static void restarts_of_a_host_nobody_knew(void)
{
	begin(objects, 2);
	w.host_uptime = 0;
	contact();
	w.now += 20000;
	w.uptime = 10;
	w.host_uptime = 6000; /* up for a minute: only the agent */
	contact();
	CU_ASSERT(told.last_facts.agent_restarted && !told.last_facts.rebooted);
	end();

	begin(objects, 2);
	w.host_uptime = 0;
	contact();
	w.now += 20000;
	w.uptime = 10;
	w.host_uptime = 1500;
	contact();
	CU_ASSERT(told.last_facts.rebooted && !told.last_facts.agent_restarted);
	end();
}

static void values_that_stand_still_are_no_agent(void)
{
	begin(objects, 2);
	contact();
	for (unsigned i = 0; i < 6; i++, w.now += 1000, w.uptime += 100) {
		engine_get(w.engine, SLOT, 10 + i, w.now);
		serve();
	}
	CU_ASSERT_EQUAL(told.frozen, 0);
	for (unsigned i = 0; i < 6; i++, w.now += 1000) {
		engine_get(w.engine, SLOT, 20 + i, w.now);
		serve();
	}
	CU_ASSERT_EQUAL(told.frozen, 3); /* once three equal ones have come over three seconds */
	w.uptime += 600;
	for (unsigned i = 0; i < 2; i++, w.now += 1000, w.uptime += 100) {
		engine_get(w.engine, SLOT, 30 + i, w.now);
		serve();
	}
	CU_ASSERT(told.frozen == 4 && told.refused == 0);
	end();
}

static void a_dead_port_is_refused(void)
{
	struct pollfd p = {.events = POLLERR};

	begin(objects, 2);
	close(w.agent);
	w.agent = udp(); /* another port; nobody listens at the one that is asked */
	engine_get(w.engine, SLOT, 9, w.now);
	engine_turn(w.engine, w.now);
	p.fd = engine_fd(w.engine, AF_INET);
	CU_ASSERT_EQUAL(poll(&p, 1, 5000), 1);
	engine_receive(w.engine, w.now);
	CU_ASSERT_EQUAL(told.refused, 1);
	CU_ASSERT_EQUAL(told.token, 9);
	end();
}

static void the_window_is_kept(void)
{
	struct request r;
	unsigned sent = 0;

	begin(objects, 2);
	unsigned window = engine_window(w.engine);
	for (unsigned i = 0; i < window + 10; i++)
		CU_ASSERT(engine_get(w.engine, SLOT, i + 1, w.now));
	engine_turn(w.engine, w.now);
	CU_ASSERT_EQUAL(engine_socket_stats(w.engine).sent, window);
	w.now += 200; /* what had to wait so long was never sent, and that is told */
	engine_turn(w.engine, w.now);
	CU_ASSERT_EQUAL(told.overflows, 1);
	CU_ASSERT_EQUAL(engine_stats(w.engine).unsent, 10);
	while (next_request(&r))
		sent++;
	CU_ASSERT(sent <= window);
	end();
}

static void what_the_kernel_drops_is_told(void)
{
	int small = 8192, fd;
	struct sockaddr_in at;
	socklen_t size = sizeof at;

	begin(objects, 2);
	fd = engine_fd(w.engine, AF_INET);
	CU_ASSERT_FATAL(!setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small) && !getsockname(fd, (void *)&at, &size));
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	engine_receive(w.engine, w.now);
	CU_ASSERT_EQUAL(told.overflows, 0);
	for (int i = 0; i < 500; i++)
		CU_ASSERT_EQUAL(sendto(w.stranger, "nothing", 7, 0, (void *)&at, size), 7);
	engine_receive(w.engine, w.now);
	struct batch_stats s = engine_socket_stats(w.engine);
	CU_ASSERT_EQUAL(told.overflows, 1);
	CU_ASSERT(s.overflowed > 0);
	CU_ASSERT_EQUAL(s.received + s.overflowed, 500);
	CU_ASSERT_EQUAL(engine_stats(w.engine).garbage, s.received);
	/* once: the count has not risen since */
	CU_ASSERT_EQUAL(sendto(w.stranger, "nothing", 7, 0, (void *)&at, size), 7);
	engine_receive(w.engine, w.now);
	CU_ASSERT_EQUAL(engine_socket_stats(w.engine).received, s.received + 1);
	CU_ASSERT_EQUAL(told.overflows, 1);
	end();
}

static void version_1_does_without_what_it_has_not(void)
{
	static const struct msg_object list[] = {
	    {.object = OBJECT_A,
	     .interval_s = 10,
	     .shape = OBJECT_SCALAR,
	     .oid_length = 9,
	     .oid = {1, 3, 6, 1, 2, 1, 9, 1, 0}},
	    {.object = 99,
	     .interval_s = 10,
	     .shape = OBJECT_SCALAR,
	     .oid_length = 9,
	     .oid = {1, 3, 6, 1, 2, 1, 7, 1, 0}},
	    {.object = OBJECT_NAME,
	     .table = 1,
	     .interval_s = 10,
	     .shape = OBJECT_NAME_COLUMN,
	     .oid_length = 8,
	     .oid = {1, 3, 6, 1, 2, 1, 8, 1}},
	    {.object = OBJECT_IN,
	     .table = 1,
	     .interval_s = 10,
	     .shape = OBJECT_COLUMN,
	     .oid_length = 8,
	     .oid = {1, 3, 6, 1, 2, 1, 8, 2}},
	};

	next_version = SNMP_V1;
	begin(list, COUNT_OF(list));
	next_version = SNMP_V2C;
	text_copy(w.names[0], sizeof w.names[0], "eth0");
	text_copy(w.names[1], sizeof w.names[0], "eth1");
	w.name_count = 2;
	contact();
	CU_ASSERT_EQUAL_FATAL(told.rows, 2);
	told.values = 0;
	engine_poll(w.engine, SLOT, 5, w.now);
	serve();
	CU_ASSERT_EQUAL_FATAL(told.values, 4); /* the missing one is said to be, the others come in the repeat */
	CU_ASSERT(told.value[0].object == 99 && told.value[0].type == VALUE_MISSING);
	told.values = 0;
	engine_poll(w.engine, SLOT, 6, w.now);
	CU_ASSERT_EQUAL(serve(), 1);
	CU_ASSERT_EQUAL(told.values, 3);
	end();
}

static void questions_are_answered_once(void)
{
	static const struct query_want a = {.object = 1, .oid_length = 9, .oid = {1, 3, 6, 1, 2, 1, 9, 1, 0}},
				       b = {.object = 2, .oid_length = 9, .oid = {1, 3, 6, 1, 2, 1, 9, 2, 0}};
	struct request first, again;

	begin(objects, 2);
	struct query *qa = engine_query(w.engine, &a, 1), *qb = engine_query(w.engine, &b, 1);
	CU_ASSERT(engine_ask(w.engine, SLOT, qa, w.now));
	CU_ASSERT_FALSE(engine_ask(w.engine, SLOT, qb, w.now)); /* one at a time */
	CU_ASSERT_FATAL(next_request(&first));
	w.now += 1100;
	CU_ASSERT_FATAL(next_request(&again));
	reply_from(w.agent, &again, again.id, 0);
	CU_ASSERT(told.asked == 1 && told.asked_object == 1);
	CU_ASSERT(engine_ask(w.engine, SLOT, qb, w.now));
	reply_from(w.agent, &first, first.id, 0); /* late: not the answer to the new question */
	CU_ASSERT_EQUAL(told.asked, 1);
	CU_ASSERT_EQUAL(serve(), 1);
	CU_ASSERT(told.asked == 2 && told.asked_object == 2);
	CU_ASSERT(engine_ask(w.engine, SLOT, qa, w.now));
	for (int i = 0; i < 4; i++, w.now += 1100)
		while (next_request(&again))
			;
	CU_ASSERT(told.asked == 3 && told.asked_object == 0); /* given up after three tries */
	engine_query_release(w.engine, qa);
	engine_query_release(w.engine, qb);
	end();
}

int main(void)
{
	static const struct unit_test tests[] = {
	    {"a get is answered", a_get_is_answered},
	    {"a poll brings values", a_poll_brings_values},
	    {"wrong answers change nothing", wrong_answers_change_nothing},
	    {"a wrong address is foreign", a_wrong_address_is_foreign},
	    {"duplicates count once", duplicates_count_once},
	    {"late answers are answers for five seconds", late_answers_are_answers_for_five_seconds},
	    {"a lost poll is sent again", a_lost_poll_is_sent_again},
	    {"rows are found and polled", rows_are_found_and_polled},
	    {"a row keeps its id by its name", a_row_keeps_its_id_by_its_name},
	    {"endless tables end", endless_tables_end},
	    {"at most 256 rows", at_most_256_rows},
	    {"too big is halved and remembered", too_big_is_halved_and_remembered},
	    {"a name the agent stumbles over is left out", a_name_the_agent_stumbles_over_is_left_out},
	    {"facts and restarts", facts_and_restarts},
	    {"restarts of a host nobody knew", restarts_of_a_host_nobody_knew},
	    {"values that stand still are no agent", values_that_stand_still_are_no_agent},
	    {"a dead port is refused", a_dead_port_is_refused},
	    {"the window is kept", the_window_is_kept},
	    {"what the kernel drops is told", what_the_kernel_drops_is_told},
	    {"version 1 does without what it has not", version_1_does_without_what_it_has_not},
	    {"questions are answered once", questions_are_answered_once},
	};
	return unit_run("engine", tests, COUNT_OF(tests));
}
