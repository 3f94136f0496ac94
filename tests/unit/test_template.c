/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of request templates; the oracle is libsnmp: it reads what we send, and we read what it builds. */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "mibs/collector/template.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static const struct query_want wants[] = {
    {.object = 1, .oid_length = 9, .oid = {1, 3, 6, 1, 2, 1, 1, 3, 0}},
    {.object = 2, .oid_length = 11, .oid = {1, 3, 6, 1, 4, 1, 2021, 11, 50, 0, 0}},
    {.object = 3, .instance = 7, .oid_length = 11, .oid = {1, 3, 6, 1, 2, 1, 2, 2, 1, 10, 4294967295u}},
    {.object = 4, .oid_length = 9, .oid = {1, 3, 6, 1, 2, 1, 1, 5, 0}},
    {.object = 5, .oid_length = 9, .oid = {1, 3, 6, 1, 2, 1, 1, 6, 0}},
};
enum { WANTS = sizeof wants / sizeof wants[0] };

/* A response of libsnmp's making; returns its bytes (malloc'd at *base). */
static struct ber library_response(netsnmp_pdu *pdu, u_char **base)
{
	netsnmp_session session;
	size_t space = 4096, used = 0;
	u_char community[] = "c";

	snmp_sess_init(&session);
	session.version = pdu->version = SNMP_VERSION_2c;
	session.community = community;
	session.community_len = 1;
	*base = malloc(space);
	pdu->reqid = 0x40000005;
	CU_ASSERT_FATAL(snmp_build(base, &space, &used, &session, pdu) == 0);
	snmp_free_pdu(pdu);
	struct ber in = {*base + space - used, *base + space}, message, content;
	int64_t version;
	CU_ASSERT_FATAL(ber_take(&in, BER_SEQUENCE, &message) && ber_integer(&message, &version) &&
			ber_take(&message, BER_OCTETS, &content));
	return message;
}

static void add(netsnmp_pdu *pdu, const struct query_want *want, u_char type, const void *value, size_t size)
{
	oid name[MAX_OID_LEN];

	for (size_t i = 0; i < want->oid_length; i++)
		name[i] = want->oid[i];
	CU_ASSERT_PTR_NOT_NULL_FATAL(snmp_pdu_add_variable(pdu, name, want->oid_length, type, value, size));
}

static netsnmp_pdu *five_answers(bool turned)
{
	netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_RESPONSE);
	long ticks = 4294967295L, negative = -12;
	struct counter64 big = {0xffffffffu, 0xfffffffeu};

	for (int i = 0; i < WANTS; i++)
		switch (turned ? WANTS - 1 - i : i) {
		case 0:
			add(pdu, &wants[0], ASN_TIMETICKS, &ticks, sizeof ticks);
			break;
		case 1:
			add(pdu, &wants[1], ASN_INTEGER, &negative, sizeof negative);
			break;
		case 2:
			add(pdu, &wants[2], ASN_COUNTER64, &big, sizeof big);
			break;
		case 3:
			add(pdu, &wants[3], ASN_OCTET_STR, "node", 4);
			break;
		case 4:
			add(pdu, &wants[4], SNMP_NOSUCHINSTANCE, NULL, 0);
			break;
		}
	return pdu;
}

static void check_values(const struct query_value *v)
{
	CU_ASSERT(v[0].type == VALUE_TIMETICKS && v[0].value == 4294967295);
	CU_ASSERT(v[1].type == VALUE_INTEGER && v[1].value == -12);
	CU_ASSERT(v[2].type == VALUE_COUNTER64 && (uint64_t)v[2].value == 0xfffffffffffffffeu);
	CU_ASSERT(v[4].type == VALUE_MISSING && v[4].exception == BER_NO_SUCH_INSTANCE);
}

static void the_library_reads_it(void)
{
	struct query *q = query_new(wants, WANTS);
	CU_ASSERT_PTR_NOT_NULL_FATAL(q);
	netsnmp_pdu *pdu = snmp_pdu_create(0);
	uint8_t copy[QUERY_PDU_MAX];
	size_t size = q->size, i = 0;

	memcpy(copy, q->pdu, size);
	memcpy(copy + q->id_at, "\x40\x12\x34\x56", 4);
	CU_ASSERT_EQUAL(snmp_pdu_parse(pdu, copy, &size), 0);
	CU_ASSERT_EQUAL(pdu->command, SNMP_MSG_GET);
	CU_ASSERT_EQUAL(pdu->reqid, 0x40123456);
	for (netsnmp_variable_list *var = pdu->variables; var; var = var->next_variable, i++) {
		CU_ASSERT_FATAL(i < WANTS);
		CU_ASSERT_EQUAL(var->name_length, wants[i].oid_length);
		for (size_t k = 0; k < var->name_length; k++)
			CU_ASSERT_EQUAL(var->name[k], wants[i].oid[k]);
	}
	CU_ASSERT_EQUAL(i, WANTS);
	snmp_free_pdu(pdu);
	free(q);
}

static void answers_in_order(void)
{
	struct query *q = query_new(wants, WANTS);
	u_char *base;
	struct ber in = library_response(five_answers(false), &base);
	struct query_value v[QUERY_VARBINDS];
	struct response r;

	CU_ASSERT_FATAL(response_parse(in, &r));
	CU_ASSERT(r.type == BER_RESPONSE && r.id == 0x40000005 && r.error_status == 0);
	CU_ASSERT_EQUAL(query_decode(q, r.varbinds, v), QUERY_OK);
	check_values(v);
	CU_ASSERT(v[3].type == VALUE_TEXT && ber_left(&v[3].text) == 4 && !memcmp(v[3].text.at, "node", 4));
	free(base);
	free(q);
}

static void answers_in_another_order(void)
{
	struct query *q = query_new(wants, WANTS);
	u_char *base;
	struct ber in = library_response(five_answers(true), &base);
	struct query_value v[QUERY_VARBINDS];
	struct response r;

	CU_ASSERT_FATAL(response_parse(in, &r));
	CU_ASSERT_EQUAL(query_decode(q, r.varbinds, v), QUERY_OTHER);
	CU_ASSERT_EQUAL(query_decode_slow(q, &r, v), QUERY_OK);
	check_values(v);
	free(base);
	free(q);
}

/* Cut at every length, and every byte changed: never a crash, and never an OK with a foreign name. */
static void broken_answers(void)
{
	struct query *q = query_new(wants, WANTS);
	u_char *base;
	struct ber in = library_response(five_answers(false), &base);
	size_t size = ber_left(&in);
	struct query_value v[QUERY_VARBINDS];
	struct response r;

	for (size_t cut = 0; cut < size; cut++) {
		uint8_t *copy = malloc(cut + 1); /* exact size, for the address sanitizer */
		memcpy(copy, in.at, cut);
		CU_ASSERT_FALSE(response_parse((struct ber){copy, copy + cut}, &r));
		free(copy);
	}
	for (size_t at = 0; at < size; at++)
		for (int bit = 0; bit < 8; bit++) {
			uint8_t *copy = malloc(size);
			memcpy(copy, in.at, size);
			copy[at] ^= (uint8_t)(1 << bit);
			if (response_parse((struct ber){copy, copy + size}, &r) &&
			    query_decode(q, r.varbinds, v) == QUERY_OTHER)
				query_decode_slow(q, &r, v);
			free(copy);
		}
	free(base);
	free(q);
}

/* One varbind of the first name, its length in one byte or in two. Returns its size. */
static size_t put_value(const struct query *q, uint8_t *out, bool long_form, uint8_t type, const uint8_t *content, size_t size)
{
	size_t name = q->items[0].oid_size, at = 0;

	out[at++] = BER_SEQUENCE;
	if (long_form)
		out[at++] = 0x81;
	out[at++] = (uint8_t)(name + 2 + size);
	memcpy(out + at, q->pdu + q->items[0].oid_at, name);
	at += name;
	out[at++] = type;
	out[at++] = (uint8_t)size;
	memcpy(out + at, content, size);
	return at + size;
}

/* Short lengths are read by a shorter way: it must find what the long way finds, in every type and of every size. */
static void both_ways_read_the_same(void)
{
	static const uint8_t types[] = {BER_INTEGER, BER_COUNTER32, BER_GAUGE32, BER_TIMETICKS, BER_COUNTER64, BER_OCTETS, BER_NULL, BER_NO_SUCH_OBJECT};
	static const uint8_t firsts[] = {0, 1, 0x7f, 0x80, 0xff};
	struct query *q = query_new(wants, 1);
	unsigned numbers = 0, bad = 0, seed = 1;

	for (unsigned n = 0; n < sizeof types * sizeof firsts * 11 * 20; n++) {
		uint8_t content[10], bytes[128];
		size_t size = n / (sizeof types * sizeof firsts) % 11;
		for (size_t i = 0; i < sizeof content; i++)
			content[i] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
		content[0] = firsts[n / sizeof types % sizeof firsts];
		enum query_result result[2];
		struct query_value v[2] = {{0}, {0}};
		for (int form = 0; form < 2; form++) {
			size_t used = put_value(q, bytes, form, types[n % sizeof types], content, size);
			uint8_t *exact = malloc(used); /* for the address sanitizer */
			memcpy(exact, bytes, used);
			result[form] = query_decode(q, (struct ber){exact, exact + used}, &v[form]);
			for (size_t cut = 0; n % 50 == 0 && cut < used; cut++) {
				struct query_value unused;
				uint8_t *less = malloc(cut + 1);
				memcpy(less, bytes, cut);
				CU_ASSERT_NOT_EQUAL(query_decode(q, (struct ber){less, less + cut}, &unused), QUERY_OK);
				free(less);
			}
			free(exact);
		}
		CU_ASSERT_EQUAL(result[0], result[1]);
		bad += result[0] == QUERY_BAD;
		if (result[0] != QUERY_OK)
			continue;
		numbers += v[0].type < VALUE_MISSING;
		CU_ASSERT(v[0].type == v[1].type && v[0].exception == v[1].exception && v[0].value == v[1].value);
	}
	CU_ASSERT(numbers > 1000 && bad > 1000);
	free(q);
}

static void missing_names_are_missing(void)
{
	struct query *q = query_new(wants, WANTS);
	netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_RESPONSE);
	struct query_value v[QUERY_VARBINDS];
	struct response r;
	u_char *base;
	long one = 1;

	add(pdu, &wants[1], ASN_INTEGER, &one, sizeof one);
	struct ber in = library_response(pdu, &base);
	CU_ASSERT_FATAL(response_parse(in, &r));
	CU_ASSERT_EQUAL(query_decode(q, r.varbinds, v), QUERY_OTHER);
	CU_ASSERT_EQUAL(query_decode_slow(q, &r, v), QUERY_OK);
	CU_ASSERT(v[0].type == VALUE_MISSING && v[1].type == VALUE_INTEGER && v[1].value == 1 &&
		  v[2].type == VALUE_MISSING);
	free(base);
	free(q);
}

static void equal_queries_are_one(void)
{
	struct query_set *set = query_set_new();
	struct query *a = query_get(set, wants, WANTS, 1), *b = query_get(set, wants, WANTS, 1),
		     *c = query_get(set, wants, 2, 1), *d = query_get(set, wants, WANTS, 6);

	CU_ASSERT_PTR_EQUAL(a, b);
	CU_ASSERT(a != c && a != d);
	CU_ASSERT_EQUAL(query_set_count(set), 3);
	query_release(set, a);
	CU_ASSERT_EQUAL(query_set_count(set), 3);
	query_release(set, b);
	query_release(set, c);
	query_release(set, d);
	CU_ASSERT_EQUAL(query_set_count(set), 0);
	query_set_free(set);
}

static void what_does_not_fit_is_refused(void)
{
	struct query_want many[QUERY_VARBINDS + 1];
	uint8_t out[QUERY_PDU_MAX];
	size_t id_at;

	for (size_t i = 0; i <= QUERY_VARBINDS; i++) {
		many[i] = (struct query_want){.oid_length = QUERY_OID_MAX, .oid = {1, 3}};
		for (size_t k = 2; k < QUERY_OID_MAX; k++)
			many[i].oid[k] = UINT32_MAX;
	}
	CU_ASSERT_PTR_NULL(query_new(wants, 0));
	CU_ASSERT_PTR_NULL(query_new(many, QUERY_VARBINDS + 1));
	CU_ASSERT_PTR_NULL(query_new(many, QUERY_VARBINDS)); /* each name has 191 bytes */
	CU_ASSERT_EQUAL(query_walk_pdu(many[0].oid, 1, 10, out, sizeof out, &id_at), 0);
	CU_ASSERT(query_walk_pdu(wants[0].oid, 9, 10, out, sizeof out, &id_at) > 0 && out[0] == BER_GETBULK);
	CU_ASSERT(query_walk_pdu(wants[0].oid, 9, 0, out, sizeof out, &id_at) > 0 && out[0] == BER_GETNEXT);
}

int main(void)
{
	static const struct unit_test tests[] = {
	    {"the library reads it", the_library_reads_it},
	    {"answers in order", answers_in_order},
	    {"answers in another order", answers_in_another_order},
	    {"broken answers", broken_answers},
	    {"both ways read the same", both_ways_read_the_same},
	    {"missing names are missing", missing_names_are_missing},
	    {"equal queries are one", equal_queries_are_one},
	    {"what does not fit is refused", what_does_not_fit_is_refused},
	};
	return unit_run("template", tests, sizeof tests / sizeof tests[0]);
}
