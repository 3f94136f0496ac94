/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Items: what is measured. Two tables of data: *objects* are what is read from an agent (an OID each); *items* are what people see,
 * each worked out from objects by one of a few ways (gauge, percent of a total, rate of a counter). Pure: raw values and times in,
 * values out; counter resets, wraps and clock steps give unknown (NAN), never a spike. Sources: HOST-RESOURCES-MIB (RFC 2790),
 * IF-MIB (RFC 2863), TCP-MIB (RFC 4022), UCD-SNMP-MIB, UCD-DISKIO-MIB. */
#ifndef GLORY_MONITOR_ITEMS_H
#define GLORY_MONITOR_ITEMS_H

#include <stdbool.h>
#include <stdint.h>

enum object_table { TABLE_NONE = 0, TABLE_DISK, TABLE_DISKIO, TABLE_IF, TABLE_CUSTOM, TABLE_COUNT };

/* Ids of the built-in objects; custom ones (cluster.xml) follow from OBJECT_BUILTIN. Append-only within a release. */
enum object_id {
	OBJ_SYSUPTIME = 1, OBJ_HOST_UPTIME, OBJ_PROCS, OBJ_USERS, OBJ_LOAD1, OBJ_LOAD5, OBJ_LOAD15, OBJ_MEM_TOTAL, OBJ_MEM_FREE,
	OBJ_MEM_BUFFER, OBJ_MEM_CACHED, OBJ_SWAP_TOTAL, OBJ_SWAP_FREE, OBJ_CPU_USER, OBJ_CPU_NICE, OBJ_CPU_SYSTEM, OBJ_CPU_IDLE,
	OBJ_CPU_WAIT, OBJ_CPU_KERNEL, OBJ_CPU_IRQ, OBJ_CPU_SOFTIRQ, OBJ_CPU_STEAL, OBJ_INTERRUPTS, OBJ_CONTEXTS, OBJ_TCP_ESTAB,
	OBJ_SCALARS, /* end of the scalars */
	OBJ_DISK_NAME = OBJ_SCALARS, OBJ_DISK_UNIT, OBJ_DISK_SIZE, OBJ_DISK_USED,
	OBJ_IO_NAME, OBJ_IO_READ, OBJ_IO_WRITTEN, OBJ_IO_LOAD,
	OBJ_IF_NAME, OBJ_IF_IN, OBJ_IF_OUT, OBJ_IF_IN_ERRORS, OBJ_IF_OUT_ERRORS, OBJ_IF_IN_DISCARDS, OBJ_IF_OUT_DISCARDS,
	OBJECT_BUILTIN
};
#define OBJECT_MAX (OBJECT_BUILTIN + 64)

struct object_definition {
	uint16_t object, table;
	uint8_t name_column; /* its rows are the table's instances */
	uint8_t oid_length;
	uint32_t oid[16];
};
extern const struct object_definition item_objects[];
extern const unsigned item_object_count;

enum item_id {
	ITEM_UPTIME = 1, ITEM_CPU, ITEM_CPU_USER, ITEM_CPU_SYSTEM, ITEM_CPU_IOWAIT, ITEM_CPU_IRQ, ITEM_CPU_STEAL, ITEM_LOAD1, ITEM_LOAD5,
	ITEM_LOAD15, ITEM_MEM, ITEM_MEM_AVAIL, ITEM_SWAP, ITEM_PROCS, ITEM_USERS, ITEM_TCP_ESTAB, ITEM_CTXT, ITEM_INTR, ITEM_HEARTBEAT,
	ITEM_SCALARS, /* end of the scalars */
	ITEM_DISK_FILL = ITEM_SCALARS, ITEM_DISK_READ, ITEM_DISK_WRITE, ITEM_DISK_BUSY, ITEM_IF_IN, ITEM_IF_OUT, ITEM_IF_ERRORS,
	ITEM_IF_DISCARDS, ITEM_BUILTIN
};
#define ITEM_MAX (ITEM_BUILTIN + 64)

struct item_definition {
	uint16_t item, table;
	const char *name, *unit, *describes;
	bool counter; /* worked out from a counter: the first sample gives nothing */
};
extern const struct item_definition item_definitions[];
extern const unsigned item_definition_count;
const struct item_definition *item_find(const char *name); /* built-in; NULL */

/* One raw value as it came. type: enum sample_type of board/messages.h; 0 = never read. */
struct raw {
	int64_t value;
	int64_t arrival_ms : 56;
	uint64_t type : 8;
};
struct raw_pair {
	struct raw now, before;
};

/* Takes a sample in: the present one becomes the one before. A restart of the agent (uptime fell) forgets the one before. */
void raw_push(struct raw_pair *pair, uint8_t type, int64_t value, int64_t arrival_ms, bool restarted);
/* Units a second between the two samples; NAN when there are not two, time stood still, or the counter went back (Counter32 wraps are
 * followed where a step of less than half the range explains it). */
double raw_rate(const struct raw_pair *pair);
double raw_rate_within(const struct raw_pair *pair, double most_s); /* the same with at most so many seconds between; raw_rate(): 900 */
double raw_gauge(const struct raw_pair *pair); /* NAN when it is missing */

/* Values of the scalar items from the raw scalars (index: enum object_id): out[ITEM_SCALARS], NAN where unknown. */
void items_scalars(const struct raw_pair *raw, double *out);
/* Values of one row of a table from the row's raw columns (index: object id minus the table's first). out: in the order of the table's items. */
unsigned items_row(unsigned table, const struct raw_pair *columns, double *out);
unsigned items_first_of_table(unsigned table); /* enum item_id */
unsigned items_objects_of_table(unsigned table, unsigned *first); /* count; *first = object id of the name column */

#endif
