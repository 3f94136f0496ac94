/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Request templates and the decoding of their answers; see template.h. */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "mibs/collector/template.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { BUCKETS = 4096 };
#define ID_MARKER 0x55667788L

struct query_set {
	struct query *buckets[BUCKETS];
	size_t count;
};

static bool add_name(netsnmp_pdu *pdu, const uint32_t *numbers, size_t length)
{
	oid name[MAX_OID_LEN];

	if (length < 2 || length > QUERY_OID_MAX)
		return false;
	for (size_t i = 0; i < length; i++)
		name[i] = numbers[i];
	return snmp_add_null_var(pdu, name, length) != NULL;
}

/* Encodes by the library as an SNMPv2c message and cuts the PDU out. Takes pdu. */
static size_t encode(netsnmp_pdu *pdu, uint8_t *out, size_t room, size_t *id_at)
{
	static const uint8_t marker[4] = {0x55, 0x66, 0x77, 0x88};
	netsnmp_session session;
	u_char *bytes = malloc(2048);
	size_t space = 2048, used = 0, size = 0;
	u_char community[] = "c";
	struct ber in, message, content;
	int64_t version;

	snmp_sess_init(&session);
	session.version = pdu->version = SNMP_VERSION_2c;
	session.community = community;
	session.community_len = 1;
	pdu->reqid = ID_MARKER;
	if (!bytes || snmp_build(&bytes, &space, &used, &session, pdu) != 0)
		goto out;
	in = (struct ber){bytes + space - used, bytes + space}; /* the library, too, writes from the end */
	if (!ber_take(&in, BER_SEQUENCE, &message) || !ber_integer(&message, &version) ||
	    !ber_take(&message, BER_OCTETS, &content))
		goto out;
	size_t whole = ber_left(&message);
	const uint8_t *at = memmem(message.at, whole, marker, sizeof marker);
	if (at && whole <= room) {
		memcpy(out, message.at, whole);
		*id_at = (size_t)(at - message.at);
		size = whole;
	}
out:
	free(bytes);
	snmp_free_pdu(pdu);
	return size;
}

/* Notes where each name stands in the encoded PDU. */
static bool find_names(struct query *q)
{
	struct response r;

	if (!response_parse((struct ber){q->pdu, q->pdu + q->size}, &r))
		return false;
	for (size_t i = 0; i < q->count; i++) {
		struct ber varbind, name;
		if (!ber_take(&r.varbinds, BER_SEQUENCE, &varbind))
			return false;
		const uint8_t *start = varbind.at;
		if (!ber_take(&varbind, BER_OID, &name))
			return false;
		q->items[i].oid_at = (uint16_t)(start - q->pdu);
		q->items[i].oid_size = (uint16_t)(varbind.at - start);
	}
	return ber_left(&r.varbinds) == 0;
}

struct query *query_new(const struct query_want *wants, size_t count)
{
	uint8_t bytes[QUERY_PDU_MAX];
	netsnmp_pdu *pdu;
	size_t size, id_at = 0;

	if (count == 0 || count > QUERY_VARBINDS || !(pdu = snmp_pdu_create(SNMP_MSG_GET)))
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (!add_name(pdu, wants[i].oid, wants[i].oid_length)) {
			snmp_free_pdu(pdu);
			return NULL;
		}
	if (!(size = encode(pdu, bytes, sizeof bytes, &id_at)))
		return NULL;
	struct query *q = mem_zalloc(sizeof *q + size);
	q->references = 1;
	q->every = 1;
	q->count = (uint16_t)count;
	q->size = (uint16_t)size;
	q->id_at = (uint16_t)id_at;
	memcpy(q->pdu, bytes, size);
	for (size_t i = 0; i < count; i++) {
		q->items[i].object = wants[i].object;
		q->items[i].instance = wants[i].instance;
	}
	if (!find_names(q)) {
		free(q);
		return NULL;
	}
	return q;
}

size_t query_walk_pdu(const uint32_t *numbers, size_t length, int max_repetitions, uint8_t *out, size_t room,
		      size_t *id_at)
{
	netsnmp_pdu *pdu = snmp_pdu_create(max_repetitions > 0 ? SNMP_MSG_GETBULK : SNMP_MSG_GETNEXT);

	if (!pdu)
		return 0;
	if (max_repetitions > 0) {
		pdu->non_repeaters = 0;
		pdu->max_repetitions = max_repetitions;
	}
	if (!add_name(pdu, numbers, length)) {
		snmp_free_pdu(pdu);
		return 0;
	}
	return encode(pdu, out, room, id_at);
}

struct query_set *query_set_new(void)
{
	return mem_zalloc(sizeof(struct query_set));
}

void query_set_free(struct query_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (set->buckets[i]) {
			struct query *q = set->buckets[i];
			set->buckets[i] = q->next;
			free(q);
		}
	free(set);
}

static uint64_t query_hash(const struct query *q)
{
	return text_hash(q->pdu, q->size) * 31 + text_hash(q->items, q->count * sizeof q->items[0]) + q->every;
}

static bool query_same(const struct query *a, const struct query *b)
{
	return a->hash == b->hash && a->every == b->every && a->count == b->count && a->size == b->size &&
	       !memcmp(a->items, b->items, a->count * sizeof a->items[0]) && !memcmp(a->pdu, b->pdu, a->size);
}

struct query *query_get(struct query_set *set, const struct query_want *wants, size_t count, uint16_t every)
{
	struct query *made = query_new(wants, count);

	if (!made)
		return NULL;
	made->every = every;
	made->hash = query_hash(made);
	struct query **bucket = &set->buckets[made->hash % BUCKETS];
	for (struct query *q = *bucket; q; q = q->next)
		if (query_same(q, made)) {
			free(made);
			q->references++;
			return q;
		}
	made->next = *bucket;
	*bucket = made;
	set->count++;
	return made;
}

void query_release(struct query_set *set, struct query *query)
{
	if (!query || --query->references > 0)
		return;
	struct query **link = &set->buckets[query->hash % BUCKETS];
	while (*link != query)
		link = &(*link)->next;
	*link = query->next;
	set->count--;
	free(query);
}

size_t query_set_count(const struct query_set *set)
{
	return set->count;
}

bool response_parse(struct ber in, struct response *out)
{
	struct ber pdu;

	out->whole = in;
	return ber_any(&in, &out->type, &pdu) &&
	       (out->whole.end = in.at, ber_integer_in(&pdu, INT32_MIN, INT32_MAX, &out->id)) &&
	       ber_integer_in(&pdu, 0, INT32_MAX, &out->error_status) &&
	       ber_integer_in(&pdu, 0, INT32_MAX, &out->error_index) && ber_take(&pdu, BER_SEQUENCE, &out->varbinds);
}

static bool decode_number(struct ber content, uint64_t most, struct query_value *value, enum value_type type)
{
	uint64_t number;

	if (!ber_unsigned_value(content, &number) || number > most)
		return false;
	value->type = (uint8_t)type;
	value->value = (int64_t)number;
	return true;
}

bool value_decode(uint8_t type, struct ber content, struct query_value *value)
{
	*value = (struct query_value){.type = VALUE_MISSING};
	switch (type) {
	case BER_INTEGER:
		value->type = VALUE_INTEGER;
		return ber_signed_value(content, &value->value);
	case BER_COUNTER32:
		return decode_number(content, UINT32_MAX, value, VALUE_COUNTER32);
	case BER_GAUGE32:
		return decode_number(content, UINT32_MAX, value, VALUE_GAUGE32);
	case BER_TIMETICKS:
		return decode_number(content, UINT32_MAX, value, VALUE_TIMETICKS);
	case BER_COUNTER64:
		return decode_number(content, UINT64_MAX, value, VALUE_COUNTER64);
	case BER_OCTETS:
		value->type = VALUE_TEXT;
		value->text = content;
		return true;
	case BER_NO_SUCH_OBJECT:
	case BER_NO_SUCH_INSTANCE:
	case BER_END_OF_VIEW:
		value->exception = type;
		return ber_left(&content) == 0;
	default: /* an address, an OID, NULL: no number, but no garbage either */
		return true;
	}
}

static bool same_bytes(const uint8_t *a, const uint8_t *b, size_t size)
{
	uint64_t x, y, p, q;

	if (size < sizeof x || size > 2 * sizeof x)
		return memcmp(a, b, size) == 0;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	memcpy(&p, a + size - sizeof p, sizeof p);
	memcpy(&q, b + size - sizeof q, sizeof q);
	return ((x ^ y) | (p ^ q)) == 0;
}

static const uint8_t plain_types[256] = {[BER_INTEGER] = VALUE_INTEGER,     [BER_COUNTER32] = VALUE_COUNTER32,
					 [BER_GAUGE32] = VALUE_GAUGE32,     [BER_TIMETICKS] = VALUE_TIMETICKS,
					 [BER_COUNTER64] = VALUE_COUNTER64};

/* What nearly every varbind is: lengths of one byte, the name that was asked for, a number. Anything else is left to the reader that knows
 * all forms; false: nothing was taken. */
static bool decode_plain(const struct query *query, const struct query_item *item, struct ber *varbinds, struct query_value *value)
{
	const uint8_t *at = varbinds->at;
	size_t left = ber_left(varbinds), name = item->oid_size;

	if (left < name + 4 || at[0] != BER_SEQUENCE || !same_bytes(at + 2, query->pdu + item->oid_at, name))
		return false;
	const uint8_t *content = at + name + 4;
	size_t size = content[-1];
	uint8_t type = plain_types[content[-2]];
	if (!type || size == 0 || size > 8 || at[1] != name + 2 + size || at[1] >= 0x80 || left < name + 4 + size)
		return false;
	uint64_t number = type == VALUE_INTEGER && content[0] & 0x80 ? UINT64_MAX : 0;
	for (size_t i = 0; i < size; i++)
		number = number << 8 | content[i];
	if (number > UINT32_MAX && type != VALUE_INTEGER && type != VALUE_COUNTER64)
		return false;
	*value = (struct query_value){.type = type, .value = (int64_t)number};
	varbinds->at = content + size;
	return true;
}

enum query_result query_decode(const struct query *query, struct ber varbinds, struct query_value *values)
{
	for (size_t i = 0; i < query->count; i++) {
		const struct query_item *item = &query->items[i];
		struct ber varbind, content;
		uint8_t type;

		if (decode_plain(query, item, &varbinds, &values[i]))
			continue;
		if (!ber_take(&varbinds, BER_SEQUENCE, &varbind))
			return ber_left(&varbinds) ? QUERY_BAD : QUERY_OTHER;
		if (ber_left(&varbind) < item->oid_size ||
		    memcmp(varbind.at, query->pdu + item->oid_at, item->oid_size) != 0)
			return QUERY_OTHER;
		varbind.at += item->oid_size;
		if (!ber_any(&varbind, &type, &content) || !value_decode(type, content, &values[i]))
			return QUERY_BAD;
	}
	return ber_left(&varbinds) ? QUERY_OTHER : QUERY_OK;
}

static bool same_name(const struct query *query, const struct query_item *item, const netsnmp_variable_list *var)
{
	struct ber in = {query->pdu + item->oid_at, query->pdu + item->oid_at + item->oid_size}, content;
	uint32_t name[QUERY_OID_MAX];
	size_t length;

	if (!ber_take(&in, BER_OID, &content) || !(length = ber_oid_value(content, name, QUERY_OID_MAX)) ||
	    length != var->name_length)
		return false;
	for (size_t i = 0; i < length; i++)
		if (var->name[i] != name[i])
			return false;
	return true;
}

static void take_variable(const netsnmp_variable_list *var, struct query_value *value)
{
	static const struct {
		uint8_t asn, type;
	} numbers[] = {{ASN_COUNTER, VALUE_COUNTER32}, {ASN_GAUGE, VALUE_GAUGE32}, {ASN_TIMETICKS, VALUE_TIMETICKS}};

	if (var->type == ASN_INTEGER && var->val.integer) {
		value->type = VALUE_INTEGER;
		value->value = *var->val.integer;
	} else if (var->type == ASN_COUNTER64 && var->val.counter64) {
		value->type = VALUE_COUNTER64;
		value->value = (int64_t)((uint64_t)var->val.counter64->high << 32 | (uint32_t)var->val.counter64->low);
	} else if (var->type >= BER_NO_SUCH_OBJECT && var->type <= BER_END_OF_VIEW) {
		value->exception = var->type;
	}
	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		if (var->type == numbers[i].asn && var->val.integer) {
			value->type = numbers[i].type;
			value->value = (int64_t)(uint32_t)*var->val.integer;
		}
}

enum query_result query_decode_slow(const struct query *query, const struct response *response,
				    struct query_value *values)
{
	netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_RESPONSE);
	size_t size = ber_left(&response->whole);
	uint8_t *copy = mem_zalloc(size + 1); /* the library's parser takes bytes it could write to */
	enum query_result result = QUERY_BAD;

	for (size_t i = 0; i < query->count; i++)
		values[i] = (struct query_value){.type = VALUE_MISSING};
	if (!pdu)
		goto out;
	memcpy(copy, response->whole.at, size);
	if (snmp_pdu_parse(pdu, copy, &size) != 0)
		goto out;
	for (const netsnmp_variable_list *var = pdu->variables; var; var = var->next_variable)
		for (size_t i = 0; i < query->count; i++)
			if (same_name(query, &query->items[i], var))
				take_variable(var, &values[i]);
	result = QUERY_OK;
out:
	free(copy);
	if (pdu)
		snmp_free_pdu(pdu);
	return result;
}
