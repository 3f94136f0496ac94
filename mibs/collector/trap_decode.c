/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PDUs of traps and informs into fixed text; see trap.h. */
#include "mibs/collector/trap.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { OID_ROOM = 128, OCTETS_SHOWN = 23 };

static const uint8_t sys_uptime[] = {0x2b, 6, 1, 2, 1, 1, 3, 0};
static const uint8_t trap_oid[] = {0x2b, 6, 1, 6, 3, 1, 1, 4, 1, 0};
static const uint8_t if_index[] = {0x2b, 6, 1, 2, 1, 2, 2, 1, 1}; /* and the row */
static const uint32_t snmp_traps[] = {1, 3, 6, 1, 6, 3, 1, 1, 5};
enum { ENTERPRISE_SPECIFIC = 6 };

static bool is_name(struct ber name, const uint8_t *bytes, size_t size)
{
	return ber_left(&name) == size && !memcmp(name.at, bytes, size);
}

static bool is_printable(struct ber text)
{
	for (; text.at < text.end; text.at++)
		if ((*text.at < 0x20 || *text.at >= 0x7f) && *text.at != '\n' && *text.at != '\r' && *text.at != '\t' &&
		    !(*text.at == 0 && text.at + 1 == text.end))
			return false;
	return true;
}

static void put_oid(struct ber content, char *out, size_t size)
{
	uint32_t numbers[OID_ROOM];
	size_t count = ber_oid_value(content, numbers, OID_ROOM), used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < count; i++)
		text_append(out, size, &used, i ? ".%u" : "%u", numbers[i]);
}

static void put_octets(struct ber content, char *out, size_t size)
{
	size_t length = ber_left(&content), used = 0;

	if (is_printable(content)) {
		length = length < size - 1 ? length : size - 1;
		memcpy(out, content.at, length);
		out[length] = '\0';
		text_make_printable(out);
		return;
	}
	out[0] = '\0';
	for (size_t i = 0; i < length && i < OCTETS_SHOWN; i++)
		text_append(out, size, &used, i ? " %02x" : "%02x", content.at[i]);
	if (length > OCTETS_SHOWN)
		text_append(out, size, &used, "..");
}

static bool put_value(uint8_t type, struct ber content, char *out, size_t size)
{
	int64_t number = 0;
	uint64_t count = 0;

	switch (type) {
	case BER_INTEGER:
		return ber_signed_value(content, &number) && text_format(out, size, "%lld", (long long)number);
	case BER_COUNTER32:
	case BER_GAUGE32:
	case BER_TIMETICKS:
	case BER_COUNTER64:
		return ber_unsigned_value(content, &count) &&
		       text_format(out, size, "%llu", (unsigned long long)count);
	case BER_OID:
		put_oid(content, out, size);
		return out[0] != '\0';
	case BER_IP_ADDRESS:
		if (ber_left(&content) != 4)
			return false;
		return text_format(out, size, "%u.%u.%u.%u", content.at[0], content.at[1], content.at[2],
				   content.at[3]);
	default: /* octets, Opaque, NULL and whatever comes after us */
		put_octets(content, out, size);
		return true;
	}
}

static void note_octets(struct msg_trap *t, uint8_t type, struct ber content)
{
	size_t size = ber_left(&content);

	if (type != BER_OCTETS || t->octet_count || !size)
		return;
	t->octet_count = (uint8_t)(size < TRAP_OCTETS_MAX ? size : TRAP_OCTETS_MAX);
	memcpy(t->octets, content.at, t->octet_count);
}

static void note_index(struct msg_trap *t, struct ber name, uint8_t type, struct ber content)
{
	int64_t index;

	if (!t->if_index && type == BER_INTEGER && ber_left(&name) > sizeof if_index &&
	    !memcmp(name.at, if_index, sizeof if_index) && ber_signed_value(content, &index) && index > 0 &&
	    index <= INT32_MAX)
		t->if_index = (uint32_t)index;
}

/* One variable binding off the list. *value: type and content. */
static bool take_varbind(struct ber *list, struct ber *name, uint8_t *type, struct ber *content)
{
	struct ber varbind;

	return ber_take(list, BER_SEQUENCE, &varbind) && ber_take(&varbind, BER_OID, name) &&
	       ber_any(&varbind, type, content) && ber_left(&varbind) == 0;
}

static bool take_varbinds(struct ber list, struct msg_trap *t)
{
	struct ber name, content;
	uint8_t type;

	while (ber_left(&list)) {
		if (!take_varbind(&list, &name, &type, &content))
			return false;
		note_octets(t, type, content);
		note_index(t, name, type, content);
		if (t->varbind_count == TRAP_VARBINDS) {
			t->more = 1;
			continue;
		}
		struct msg_varbind *v = &t->varbinds[t->varbind_count++];
		put_oid(name, v->name, sizeof v->name);
		if (!v->name[0] || !put_value(type, content, v->value, sizeof v->value))
			return false;
	}
	return true;
}

/* RFC 3584, section 3.1: the six of SNMPv1 have names of their own; others are ENTERPRISE.0.SPECIFIC. */
static bool take_v1(struct ber pdu, struct msg_trap *t)
{
	struct ber enterprise, address, ticks, list;
	int64_t generic, specific;
	uint64_t uptime;

	if (!ber_take(&pdu, BER_OID, &enterprise) || !ber_take(&pdu, BER_IP_ADDRESS, &address) ||
	    ber_left(&address) != 4 || !ber_integer_in(&pdu, 0, ENTERPRISE_SPECIFIC, &generic) ||
	    !ber_integer_in(&pdu, INT32_MIN, UINT32_MAX, &specific) || !ber_take(&pdu, BER_TIMETICKS, &ticks) ||
	    !ber_unsigned_value(ticks, &uptime) || !ber_take(&pdu, BER_SEQUENCE, &list))
		return false;
	t->uptime_cs = (uint32_t)uptime;
	if (generic < ENTERPRISE_SPECIFIC) {
		memcpy(t->oid, snmp_traps, sizeof snmp_traps);
		t->oid[COUNT_OF(snmp_traps)] = (uint32_t)generic + 1;
		t->oid_length = COUNT_OF(snmp_traps) + 1;
	} else {
		size_t count = ber_oid_value(enterprise, t->oid, TRAP_OID_MAX - 2);
		if (!count)
			return false;
		t->oid[count] = 0;
		t->oid[count + 1] = (uint32_t)specific;
		t->oid_length = (uint8_t)(count + 2);
	}
	return take_varbinds(list, t);
}

/* RFC 3416, section 4.2.6: the first two are sysUpTime and snmpTrapOID. */
static bool take_v2(struct ber pdu, struct msg_trap *t)
{
	struct ber list, name, content;
	int64_t ignored;
	uint64_t uptime;
	uint8_t type;

	for (int i = 0; i < 3; i++)
		if (!ber_integer_in(&pdu, INT32_MIN, INT32_MAX, &ignored))
			return false;
	if (!ber_take(&pdu, BER_SEQUENCE, &list) || !take_varbind(&list, &name, &type, &content) ||
	    !is_name(name, sys_uptime, sizeof sys_uptime) || type != BER_TIMETICKS ||
	    !ber_unsigned_value(content, &uptime) || !take_varbind(&list, &name, &type, &content) ||
	    !is_name(name, trap_oid, sizeof trap_oid) || type != BER_OID)
		return false;
	t->uptime_cs = (uint32_t)uptime;
	t->oid_length = (uint8_t)ber_oid_value(content, t->oid, TRAP_OID_MAX);
	return t->oid_length && take_varbinds(list, t);
}

bool trap_decode(struct ber in, struct msg_trap *t, struct ber *request)
{
	uint8_t type;

	if (!ber_any(&in, &type, request))
		return false;
	t->inform = type == BER_INFORM;
	if (type == BER_TRAP_V1)
		return take_v1(*request, t);
	return (type == BER_TRAP || type == BER_INFORM) && take_v2(*request, t);
}
