/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From bytes of a board row to an SNMP value. Pure. Called by walk. */
#ifndef GLORY_MIBS_AGENT_CELL_H
#define GLORY_MIBS_AGENT_CELL_H

#include "mibs/agent/table.h"

#define CELL_BYTES_MAX 512 /* the longest text of a row */

/* A value as snmp_varlist_add_variable() takes it: `value` of `size` bytes in its own form. */
struct cell {
	uint8_t asn;
	size_t size;
	union {
		long integer;            /* INTEGER, Gauge32, TimeTicks */
		struct { unsigned long high, low; } wide;
		mib_arc oid[MIB_OID_MAX];
		uint8_t bytes[CELL_BYTES_MAX];
	} value;
};

/* field: column->size bytes copied out of a row. CELL_OWN is not for this. */
void cell_from(const struct mib_column *column, const void *field, struct cell *out);
void cell_text(struct cell *out, const char *text);
/* DateAndTime in UTC, 11 octets; 0 > 8 octets that say "has not happened". */
void cell_time(struct cell *out, int64_t wall_ms);
/* Decimal text without exponent and without needless zeros; "" for NAN and infinity. Returns out. */
const char *cell_decimal(double value, char *out, size_t size);

#endif
