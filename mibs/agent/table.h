/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GLORY-CL-MIB as data: every column the agent serves, where its value lies in a row of the board, and what may write it. The
 * whole of it is one list in the order of object identifiers; scalars are tables of one row with the instance 0. Pure: this knows
 * names and layouts and looks at no row. tests/unit/test_agent_tables.c holds it against the text of the MIB. */
#ifndef GLORY_MIBS_AGENT_TABLE_H
#define GLORY_MIBS_AGENT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/words.h"
#include "board/board.h"

/* Object identifiers as net-snmp has them (unsigned long each). */
typedef unsigned long mib_arc;

/* How the bytes of a cell become a value. */
enum cell_kind {
	CELL_U8,          /* enumeration in a byte; 0 is shown as 1 ("unknown", "none") */
	CELL_WORD,        /* enumeration in 32 bits, likewise */
	CELL_TRUTH8,      /* not 0: true(1), else false(2) */
	CELL_TRUTH32,
	CELL_TRUTH64,
	CELL_U32,
	CELL_U16,
	CELL_OCTET,       /* plain number in a byte */
	CELL_U64,         /* Counter64 */
	CELL_U64_LOW,     /* 64 bits shown in 32: ids, and queues, which are cut at the largest number */
	CELL_INDEX,       /* slot + 1; 0 for NO_SLOT */
	CELL_TEXT,        /* fixed field, terminated */
	CELL_TIME,        /* wall ms > GloryTime */
	CELL_AGENT_ADDRESS, CELL_BMC_ADDRESS, /* struct address > text, ports 161 and 623 left out */
	CELL_ENDPOINT,    /* struct address > text, always with its port */
	CELL_PERCENT,     /* int32 times 100, -1 unknown > 0..100 */
	CELL_HUNDREDTHS,  /* int32 as it is, -1 unknown */
	CELL_DECIMAL,     /* double > text, "" for NAN */
	CELL_ROUNDED,     /* double > Integer32, -1 for NAN */
	CELL_SHARE,       /* double of 0..1 > 0..100, -1 for NAN */
	CELL_ACTIVE,      /* RowStatus of a row that is there */
	CELL_OWN,         /* not on the board: offset is an enum own_value */
};

enum own_value { OWN_ENGINE_ID, OWN_ENGINE_BOOTS, OWN_ENGINE_TIME, OWN_MESSAGE_SIZE, OWN_NODE_NEXT, OWN_GROUP_NEXT, OWN_DESCRIPTION,
		 OWN_OBJECT_ID, OWN_UPTIME, OWN_NAME, OWN_EMPTY, OWN_SERVICES, OWN_WATCH_NEXT, OWN_ITEM_NEXT, OWN_POOL_NEXT,
		 OWN_SERVICE_NEXT, OWN_BALANCER_NEXT };

struct mib_column {
	const char *name;  /* as in the MIB; NULL for those made from words (prefix of the table's words + label) */
	uint16_t number;
	uint8_t asn;       /* BER tag */
	uint8_t kind;      /* enum cell_kind */
	uint16_t offset, size; /* of the field in the row */
	uint8_t write;     /* enum right it takes; RIGHT_NONE: read-only */
	uint8_t words;     /* 1 + enum word_set for enumerations; 0 */
};

/* Part of an index: bits [shift, shift + width) of the row's order, plus bias. */
struct index_part {
	uint8_t shift, width, bias;
};

#define MIB_PREFIX_MAX 12
#define MIB_PARTS_MAX 3
#define MIB_OID_MAX (MIB_PREFIX_MAX + 1 + MIB_PARTS_MAX)

struct mib_table {
	const char *name;
	mib_arc prefix[MIB_PREFIX_MAX]; /* column number and index follow */
	uint8_t prefix_length;
	uint8_t part_count; /* 0: scalars, instance 0 */
	struct index_part parts[MIB_PARTS_MAX];
	enum board_table board; /* BOARD_TABLE_COUNT: not on the board */
	const struct mib_column *columns;
	size_t column_count;
};

/* In the order of object identifiers. */
extern const struct mib_table mib_tables[];
extern const size_t mib_table_count;

/* Where an object identifier stands: in a column, at the row whose order is `key`. */
struct mib_place {
	const struct mib_table *table;
	const struct mib_column *column;
	uint64_t key;
};

/* The object identifier names exactly one possible instance: 0; ERR_NOT_FOUND with *known_object telling whether at least the
 * object (column) exists, which is noSuchInstance rather than noSuchObject. */
int mib_locate(const mib_arc *name, size_t length, struct mib_place *out, bool *known_object);
/* First place after the name, rows not looked at: key is the lowest order such a row may have. False: past the end. */
bool mib_after(const mib_arc *name, size_t length, struct mib_place *out);
/* The next column, its first row. False: past the end. */
bool mib_next_column(struct mib_place *place);
/* Writes the instance's object identifier, at most MIB_OID_MAX arcs; returns the length. */
size_t mib_name(const struct mib_place *place, mib_arc *out);
/* The arcs of its index alone, at most MIB_PARTS_MAX; returns how many. */
size_t mib_index(const struct mib_place *place, mib_arc *out);
/* The same for a whole column (a subtree, for views and tests). */
size_t mib_column_name(const struct mib_table *table, const struct mib_column *column, mib_arc *out);
/* Largest order the index of a table can express; rows beyond are not shown. */
uint64_t mib_key_limit(const struct mib_table *table);
/* The column's name in the MIB; made in `room` where it comes from the words. */
const char *mib_column_label(const struct mib_column *column, char *room, size_t size);

extern const mib_arc glory_root[8]; /* 1.3.6.1.4.1.PEN.1 */
#define GLORY_ROOT_LENGTH 8

#endif
