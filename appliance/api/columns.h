/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each table of the board looks like in JSON: one list of fields per table, from which lists, details and filters
 * are made. */
#ifndef GLORY_API_COLUMNS_H
#define GLORY_API_COLUMNS_H

#include "api/emit.h"
#include "board/board.h"

enum column_kind {
	COLUMN_TEXT,
	COLUMN_TEXT_OR_NULL,
	COLUMN_WORD8,
	COLUMN_WORD32,
	COLUMN_FLAG8,
	COLUMN_FLAG32,
	COLUMN_U16,
	COLUMN_U32,
	COLUMN_U64,
	COLUMN_ID,         /* u64, 0 is null */
	COLUMN_TIME,       /* wall ms, 0 is null */
	COLUMN_ADDRESS,    /* extra 1: port 161 is not said, 2: 623 */
	COLUMN_X100,       /* int32 times 100, negative is null */
	COLUMN_NUMBER,     /* double, NAN is null */
	COLUMN_NODE,       /* u32 node slot: the node's name, or null */
	COLUMN_COUNTS,     /* u32 by word: {"up":3,...} */
	COLUMN_INDEX,      /* u32 slot: the MIB's index */
	COLUMN_SOME,       /* u32, 0 is null */
	COLUMN_SERVICE,    /* u32 service slot: the service's name, or null */
	COLUMN_SENSOR_TYPE /* u8 of the IPMI specification, table 42-3 */
};

struct column {
	const char *name;
	uint8_t kind;  /* enum column_kind */
	uint8_t extra; /* enum word_set for words and counts */
	uint16_t offset;
};

struct columns {
	const struct column *list;
	size_t count;
};

/* The fields of a table's rows; count 0 for a table that is not shown as such. */
struct columns columns_of(enum board_table table);
const struct column *columns_find(enum board_table table, const char *name); /* NULL: none */
/* The row's fields, without the braces around them. board: for names of nodes. */
void columns_emit(struct emit *out, const struct board_reader *board, enum board_table table, const void *row);
/* The row as one object. */
void columns_emit_row(struct emit *out, const struct board_reader *board, enum board_table table, const void *row);
/* "temperature" and so on; "other" for a number without a name. */
const char *columns_sensor_type(unsigned type);
/* The name of a node's slot into out; false (and "") when there is none. */
bool columns_node_name(const struct board_reader *board, uint32_t slot, char out[NAME_SIZE]);
/* The same of a service's slot. */
bool columns_service_name(const struct board_reader *board, uint32_t slot, char out[NAME_SIZE]);
/* columns_service.c: pools, services, members, balancers; count 0 for other tables. */
struct columns columns_of_services(enum board_table table);
/* A row of any table. */
union any_row {
	struct row_head head;
	struct appliance_row appliance;
	struct cluster_row cluster;
	struct group_row group;
	struct domain_row domain;
	struct node_row node;
	struct item_row item;
	struct value_row value;
	struct sensor_row sensor;
	struct alarm_row alarm;
	struct job_row job;
	struct watch_row watch;
	struct watch_state_row watch_state;
	struct pool_row pool;
	struct service_row service;
	struct member_row member;
	struct balancer_row balancer;
};
/* A walk over a table's rows in order, in pieces: it goes on rightly while the engine flips the index and rows come and
 * go. Begin with {0} or with a position from board_seek(); order is then the last row's. */
struct cursor {
	uint64_t order;
	uint32_t position, slot;
	bool begun;
};
/* The next row. ERR_NOT_FOUND at the end, ERR_BUSY as board_read. */
int cursor_next(struct cursor *cursor, const struct board_reader *board, enum board_table table, union any_row *row);
/* Goes on at the first row whose order is >= order. */
void cursor_jump(struct cursor *cursor, const struct board_reader *board, enum board_table table, uint64_t order);

#endif
