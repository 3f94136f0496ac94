/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See event.h. The objects of each notification stand in one table, as in the MIB. */
#include "mibs/agent/event.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "mibs/agent/cell.h"

enum object { E_ID = 1, E_TIME, E_OBJECT, E_NODE, E_CAUSE, E_VERDICT, E_CERTAINTY, E_LEVEL, E_SEVERITY, E_ALARM, E_JOB, E_JOB_STATE,
	      E_SERVICE_STATE, E_BALANCER_STATE };

static const struct form {
	const char *name; /* of the notification; its number is the kind's */
	uint8_t own[4];   /* objects beside the common five */
} forms[] = {
	[NOTIFY_VERDICT] = {"verdict-change", {E_VERDICT, E_CERTAINTY, E_LEVEL}},
	[NOTIFY_LEVEL] = {"level-change", {E_LEVEL}},
	[NOTIFY_ALARM_RAISE] = {"alarm-raise", {E_ALARM, E_SEVERITY}},
	[NOTIFY_ALARM_CLEAR] = {"alarm-clear", {E_ALARM, E_SEVERITY}},
	[NOTIFY_JOB_END] = {"job-end", {E_JOB, E_JOB_STATE}},
	[NOTIFY_SERVICE] = {"service-state-change", {E_SERVICE_STATE, E_LEVEL}},
	[NOTIFY_BALANCER] = {"balancer-state-change", {E_BALANCER_STATE, E_LEVEL}},
};

bool event_is_sound(const struct msg_notify *e)
{
	return e->kind >= NOTIFY_VERDICT && e->kind < NOTIFY_KIND_COUNT && e->verdict < VERDICT_COUNT && e->certainty < CERTAINTY_COUNT &&
	       e->level < LEVEL_COUNT && e->severity < LEVEL_COUNT && e->job_state < JOB_STATE_COUNT &&
	       e->service_state < SERVICE_STATE_COUNT && e->balancer_state < BALANCER_STATE_COUNT &&
	       text_terminated(e->object, sizeof e->object) && text_terminated(e->cause, sizeof e->cause) &&
	       text_terminated(e->receiver, sizeof e->receiver);
}

static void set_number(struct cell *c, uint8_t asn, uint64_t n)
{
	c->asn = asn;
	c->value.integer = (long)(n & UINT32_MAX);
	c->size = sizeof c->value.integer;
}

static void set_text(struct cell *c, const char *text)
{
	c->asn = ASN_OCTET_STR;
	cell_text(c, text);
}

/* A word of 0 is shown as 1 ("unknown", "none"), as in the tables. */
static void set_word(struct cell *c, uint8_t value)
{
	set_number(c, ASN_INTEGER, value ? value : 1);
}

static void object_value(const struct msg_notify *e, enum object object, struct cell *c)
{
	switch (object) {
	case E_ID:
		set_number(c, ASN_UNSIGNED, e->event);
		break;
	case E_TIME:
		c->asn = ASN_OCTET_STR;
		cell_time(c, e->at_wall_ms);
		break;
	case E_OBJECT:
		set_text(c, e->object);
		break;
	case E_NODE:
		set_number(c, ASN_UNSIGNED, e->slot == NO_SLOT ? 0 : (uint64_t)e->slot + 1);
		break;
	case E_CAUSE:
		set_text(c, e->cause);
		break;
	case E_VERDICT:
		set_word(c, e->verdict);
		break;
	case E_CERTAINTY:
		set_word(c, e->certainty);
		break;
	case E_LEVEL:
		set_word(c, e->level);
		break;
	case E_SEVERITY:
		set_word(c, e->severity);
		break;
	case E_ALARM:
		set_number(c, ASN_UNSIGNED, e->alarm);
		break;
	case E_JOB:
		set_number(c, ASN_UNSIGNED, e->job);
		break;
	case E_JOB_STATE:
		set_word(c, e->job_state);
		break;
	case E_SERVICE_STATE:
		set_word(c, e->service_state);
		break;
	case E_BALANCER_STATE:
		set_word(c, e->balancer_state);
		break;
	}
}

static void add_object(netsnmp_pdu *pdu, const struct msg_notify *e, enum object object)
{
	oid name[12];
	struct cell c = {.asn = ASN_NULL};

	memcpy(name, glory_root, sizeof glory_root);
	name[8] = 1; /* gloryObjects, gloryEvent, the object, instance 0 */
	name[9] = 15;
	name[10] = object;
	name[11] = 0;
	object_value(e, object, &c);
	snmp_pdu_add_variable(pdu, name, 12, c.asn, &c.value, c.size);
}

netsnmp_pdu *event_pdu(const struct msg_notify *e, int command, uint32_t uptime_cs)
{
	static const oid uptime[] = {1, 3, 6, 1, 2, 1, 1, 3, 0}, trap_oid[] = {1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0};
	netsnmp_pdu *pdu = snmp_pdu_create(command);
	long ticks = (long)uptime_cs;
	oid kind[10];

	if (!pdu)
		return NULL;
	memcpy(kind, glory_root, sizeof glory_root);
	kind[8] = 0; /* gloryNotifications */
	kind[9] = e->kind;
	snmp_pdu_add_variable(pdu, uptime, COUNT_OF(uptime), ASN_TIMETICKS, &ticks, sizeof ticks);
	snmp_pdu_add_variable(pdu, trap_oid, COUNT_OF(trap_oid), ASN_OBJECT_ID, kind, sizeof kind);
	for (int o = E_ID; o <= E_CAUSE; o++)
		add_object(pdu, e, (enum object)o);
	for (size_t i = 0; forms[e->kind].own[i]; i++)
		add_object(pdu, e, (enum object)forms[e->kind].own[i]);
	return pdu;
}

/* Numerical severity of RFC 5424, section 6.2.1, for what the event says. */
static unsigned syslog_severity(const struct msg_notify *e)
{
	static const uint8_t of_level[LEVEL_COUNT] = {6, 5, 6, 4, 3, 2}; /* unknown: notice */

	if (e->kind == NOTIFY_ALARM_CLEAR)
		return 5;
	if (e->kind == NOTIFY_JOB_END)
		return e->job_state == JOB_DONE ? 6 : 4;
	return of_level[e->kind == NOTIFY_ALARM_RAISE ? e->severity : e->level];
}

/* A value between quotes: '"', '\' and ']' are escaped (section 6.3.3), control bytes made printable. */
static void put_quoted(char *out, size_t size, size_t *used, const char *key, const char *value)
{
	char clean[CAUSE_SIZE];

	text_copy(clean, sizeof clean, value);
	text_make_printable(clean);
	text_append(out, size, used, " %s=\"", key);
	for (const char *c = clean; *c; c++)
		text_append(out, size, used, strchr("\"\\]", *c) ? "\\%c" : "%c", *c);
	text_append(out, size, used, "\"");
}

static const char *syslog_word(const struct msg_notify *e)
{
	switch (e->kind) {
	case NOTIFY_VERDICT:
		return verdict_name(e->verdict);
	case NOTIFY_JOB_END:
		return job_state_name(e->job_state);
	case NOTIFY_LEVEL:
		return level_name(e->level);
	case NOTIFY_SERVICE:
		return service_state_name(e->service_state);
	case NOTIFY_BALANCER:
		return balancer_state_name(e->balancer_state);
	default:
		return level_name(e->severity);
	}
}

size_t event_syslog(const struct msg_notify *e, const char *host, char *out, size_t size)
{
	char time[32], number[24];
	size_t used = 0;
	const unsigned facility = 3; /* system daemons */

	text_append(out, size, &used, "<%u>1 %s %s glory - %s [glory@%d", facility * 8 + syslog_severity(e),
		    clock_text(e->at_wall_ms, time, sizeof time), host[0] ? host : "-", forms[e->kind].name, GLORY_PEN);
	text_format(number, sizeof number, "%llu", (unsigned long long)e->event);
	put_quoted(out, size, &used, "event", number);
	put_quoted(out, size, &used, "object", e->object);
	put_quoted(out, size, &used, "is", syslog_word(e));
	if (e->alarm) {
		text_format(number, sizeof number, "%llu", (unsigned long long)e->alarm);
		put_quoted(out, size, &used, "alarm", number);
	}
	if (e->job) {
		text_format(number, sizeof number, "%llu", (unsigned long long)e->job);
		put_quoted(out, size, &used, "job", number);
	}
	size_t words = used;
	text_append(out, size, &used, "] %s: %s: %s", e->object, syslog_word(e), e->cause);
	text_make_printable(out + words);
	return used;
}
