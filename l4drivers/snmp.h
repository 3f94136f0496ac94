/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SNMP as the switch drivers need it: walk a column, read a few objects, set a few in one PDU. Every reply is checked: error status, number,
 * names and types of the values, sizes, tables without end, names that go back. One request at a time, all below the run's deadline.
 * Version 3 with SHA-256 or SHA and AES-128 when the credential says so, else 2c. A SET is sent once: without a reply ERR_REMOTE is
 * returned and the frame looks what became of it. */
#ifndef GLORY_L4_SNMP_H
#define GLORY_L4_SNMP_H

#include <net-snmp/net-snmp-config.h>
/* its configuration must come first */
#include <net-snmp/net-snmp-includes.h>

#include "l4drivers/driver.h"

#define SNMP_BYTES_MAX 512   /* of one value; longer ones are cut off */
#define SNMP_ROWS_MAX 20000  /* of one walk */
#define SNMP_INDEX_MAX 96

struct snmp;

/* An object of a device's table of facts: its name for errors and its OID without the index. */
struct snmp_object {
	const char *name, *oid;
};
struct snmp_index {
	oid id[SNMP_INDEX_MAX];
	size_t length;
};
struct snmp_value { /* as read */
	struct snmp_index index; /* what follows the object's OID */
	u_char type;             /* ASN_INTEGER, ASN_OCTET_STR, ... */
	int64_t number;          /* integers, gauges, counters (64 bits too), time ticks; else 0 */
	uint8_t bytes[SNMP_BYTES_MAX]; /* octet strings and addresses */
	size_t size;
};
struct snmp_write {
	const struct snmp_object *object;
	struct snmp_index index;
	char type; /* 'i' INTEGER, 'u' Gauge32/Unsigned32, 'a' IpAddress, 's' OCTET STRING */
	uint32_t number;
	struct address address;
	const char *text;
};

/* How a request is answered: a net-snmp session, or a test's own device. Takes the request over. *reply is NULL without one. 0, ERR_REMOTE
 * for no answer, or another kind with *e. */
typedef int snmp_exchange(void *arg, netsnmp_pdu *request, netsnmp_pdu **reply, int timeout_ms, struct error *e);

int switch_open(struct driver_run *run, struct snmp **out, struct error *e);
struct snmp *switch_open_with(struct driver_run *run, snmp_exchange *exchange, void *arg);
void switch_close(struct snmp *s); /* NULL is fine */
/* From now on switch_open() uses this instead of the network: tests and fuzzers. */
void switch_fake(snmp_exchange *exchange, void *arg);

struct snmp_index snmp_index(size_t count, ...); /* of so many uint32_t */
void snmp_index_add(struct snmp_index *index, oid id);
void snmp_index_add_text(struct snmp_index *index, const char *text); /* length first, one for each byte */
void snmp_index_add_address(struct snmp_index *index, const struct address *a); /* IPv4: four */
/* Reads a length-prefixed text from *at; false when there is none or it does not fit. */
bool snmp_index_text(const struct snmp_index *index, size_t *at, char *out, size_t size);
bool snmp_index_address(const struct snmp_index *index, size_t *at, struct address *out);

/* One value; ERR_NOT_FOUND when the device has no such object. */
int switch_get(struct snmp *s, const struct snmp_object *object, const struct snmp_index *index, struct snmp_value *out, struct error *e);
int switch_set(struct snmp *s, const struct snmp_write *writes, size_t count, struct error *e);
bool switch_forbids(const struct snmp *s); /* the last refusal was for want of the right, not for what was asked */
/* Calls visit for each value below the object, in order; it returns 0 to go on. 0 rows are no error. Returns visit's own result. */
typedef int snmp_visit(void *arg, const struct snmp_value *value);
int switch_walk(struct snmp *s, const struct snmp_object *object, snmp_visit *visit, void *arg, struct error *e);

bool snmp_value_address(const struct snmp_value *v, struct address *out); /* IpAddress, or 4 or 16 bytes; no port */
void snmp_value_text(const struct snmp_value *v, char *out, size_t size); /* cut, printable */

#endif
