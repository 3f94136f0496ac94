/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A simulated switch, some of whose replies are made of the fuzzer's bytes, to the drivers that speak SNMP: names that go back or run on, values of
 * wrong types and sizes, errors, silence. The first byte chooses the family. A run ends, within bounds, with a result that can be written
 * and read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "l4drivers/snmp.h"
#include "tests/lab/l4sim/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
	const uint8_t *at, *end;
	const struct family *family;
	unsigned replies;
};

int64_t sim_now_ms(void)
{
	return clock_mono_ms();
}

static unsigned take(struct bytes *b)
{
	return b->at < b->end ? *b->at++ : 0;
}

/* A name: the one that was asked, with a few numbers behind it, or something else. */
static void add_name(struct bytes *b, const netsnmp_variable_list *asked, oid *name, size_t *length)
{
	unsigned how = take(b);

	*length = asked->name_length;
	memcpy(name, asked->name, *length * sizeof(oid));
	if (how & 0x80)
		name[*length - 1] += how & 0x7f;
	for (unsigned i = how & 0x80 ? 0 : how % 24; i > 0 && *length < MAX_OID_LEN; i--)
		name[(*length)++] = take(b);
}

static void add_value(struct bytes *b, netsnmp_pdu *reply, const oid *name, size_t length)
{
	static const u_char types[] = {ASN_INTEGER, ASN_OCTET_STR, ASN_IPADDRESS, ASN_GAUGE, ASN_COUNTER, ASN_COUNTER64, ASN_NULL, SNMP_NOSUCHOBJECT, SNMP_ENDOFMIBVIEW, ASN_OBJECT_ID};
	unsigned how = take(b);
	u_char type = types[how % sizeof types];
	size_t room = (size_t)(b->end - b->at), size = how / 16 < room ? how / 16 : room;
	long number = (long)(int)(take(b) | (how & 0x80 ? take(b) << 24 : 0));
	struct counter64 wide = {.high = take(b), .low = take(b)};
	oid id[] = {1, 3, 6};

	if (type == ASN_OCTET_STR)
		size = take(b) % 4 == 0 && room > size ? room : size;
	if ((size_t)(b->end - b->at) < size)
		size = (size_t)(b->end - b->at);
	switch (type) {
	case ASN_OCTET_STR:
	case ASN_IPADDRESS:
		snmp_pdu_add_variable(reply, name, length, type, b->at, size);
		b->at += size;
		break;
	case ASN_COUNTER64:
		snmp_pdu_add_variable(reply, name, length, type, &wide, sizeof wide);
		break;
	case ASN_OBJECT_ID:
		snmp_pdu_add_variable(reply, name, length, type, id, sizeof id);
		break;
	case ASN_INTEGER:
	case ASN_GAUGE:
	case ASN_COUNTER:
		snmp_pdu_add_variable(reply, name, length, type, &number, sizeof number);
		break;
	default:
		snmp_pdu_add_variable(reply, name, length, type, NULL, 0);
	}
}

static int answer(void *arg, netsnmp_pdu *request, netsnmp_pdu **reply, int timeout_ms, struct error *e)
{
	struct bytes *b = arg;
	unsigned how = take(b);
	oid name[MAX_OID_LEN];
	size_t length;

	(void)timeout_ms;
	*reply = how < 150 && ++b->replies < 2000 ? sim_inside(b->family, request) : NULL;
	if (*reply || how == 255 || b->replies++ >= 2000) {
		snmp_free_pdu(request);
		return *reply ? 0 : error_set(e, ERR_REMOTE, "switch", "look", "no answer");
	}
	*reply = snmp_pdu_create(how == 254 ? SNMP_MSG_TRAP2 : SNMP_MSG_RESPONSE);
	(*reply)->errstat = how >= 240 ? take(b) % 20 : 0;
	(*reply)->errindex = (*reply)->errstat ? take(b) : 0;
	for (unsigned i = how % 20; i > 0; i--) {
		add_name(b, request->variables, name, &length);
		add_value(b, *reply, name, length);
	}
	snmp_free_pdu(request);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct family *const families[] = {&family_alteon, &family_serveriron, &family_cisco, &family_f5};
	static const char web[] = "{\"v\":1,\"options\":{\"pending\":\"revert\"},\"virtuals\":[{\"name\":\"web\",\"address\":\"10.0.0.1:80\",\"reals\":["
				  "{\"name\":\"n1\",\"address\":\"10.1.0.1:80\",\"weight\":100},{\"name\":\"n2\",\"address\":\"10.1.0.2:80\"}]}]}";
	struct picture want;
	struct picture_result result, again;
	struct error e;

	if (size < 2 || picture_from_json(web, strlen(web), &want, &e))
		return 0;
	struct bytes b = {.at = data + 1, .end = data + size, .family = families[data[0] % 4]};
	free(sim_cells.list);
	sim_cells = (struct cells){0};
	knobs = (struct knobs){.enhanced = data[0] & 0x80};
	b.family->begin();
	if (data[0] % 4)
		want.option_count = 0; /* the option is alteon's */
	switch_fake(answer, &b);
	driver_run(driver_find(b.family->name), &want, clock_mono_ms() + 40, &result);
	char *text = picture_result_to_json(&result);
	if (result.status && !result.error.text[0])
		abort();
	if (getenv("SHOW")) fprintf(stderr, "%s\n", text);
	if (!text || picture_result_from_json(text, strlen(text), &again, &e))
		abort();
	picture_result_clear(&again);
	free(text);
	picture_result_clear(&result);
	picture_clear(&want);
	return 0;
}
