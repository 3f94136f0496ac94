/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the board's segment is laid out; shared by board_writer.c and board_reader.c alone. Where everything stands is a
 * pure function of the number of rows in the header: a reader works it out by itself and believes no offset that stands
 * in the segment.
 *
 * Per table: a sequence count per slot (odd: being written), the rows, two buffers of the sorted index. Rows of values
 * and sensors, 600,000 of them at 10,000 nodes, are packed: their few thousand distinct texts stand once, in a table of
 * 64-byte texts. A text is written before the first row that refers to it is, and its place is used again only after
 * the last such row has changed, so the row's sequence count guards its texts as well. */
#ifndef GLORY_BOARD_BOARD_LAYOUT_H
#define GLORY_BOARD_BOARD_LAYOUT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board/board.h"

#define BOARD_MAGIC 0x3264726f62796c67u /* "glybord2" */
#define BOARD_ROWS_MAX (1u << 22)       /* of any table */
#define BOARD_TEXTS_MAX 65536u
#define BOARD_TEXT_SIZE 64

struct packed_value { /* node, item and instance stand in the head's order, its time in the last change */
	struct row_head head;
	double value;
	uint16_t item, unit, instance_name; /* texts */
	uint8_t level, pad;
};

struct packed_sensor { /* node and record stand in the head's order */
	struct row_head head;
	double reading;
	float warning_low, warning_high, critical_low, critical_high;
	int64_t at_wall_ms;
	uint8_t type, state, level, number;
	uint16_t name, unit, text; /* texts */
	uint16_t bits;
	uint32_t pad;
};

/* The longest row there is, for buffers. */
union board_any_row {
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
	struct packed_value packed_value;
	struct packed_sensor packed_sensor;
	uint64_t words[1];
};

struct board_table_header {
	uint32_t rows;
	_Atomic uint32_t active;   /* 0 or 1: which index buffer is the good one */
	_Atomic uint32_t count[2]; /* entries of either buffer */
	_Atomic uint64_t version;
	_Atomic uint64_t news; /* rows that came, went, or have another last change; flips of the index */
};

struct board_header { /* at offset 0 of the segment */
	uint64_t magic;
	uint64_t bytes;
	uint32_t epoch;
	uint32_t texts;
	struct board_table_header tables[BOARD_TABLE_COUNT];
};

struct board_place { /* of one table: offsets of the segment */
	uint32_t rows;
	size_t row_bytes; /* as stored */
	size_t sequence, row, index[2];
};

struct board_layout {
	struct board_place tables[BOARD_TABLE_COUNT];
	uint32_t texts;
	size_t text;
	size_t bytes;
};

/* False when a number of rows is 0 or beyond BOARD_ROWS_MAX, or texts beyond BOARD_TEXTS_MAX. */
bool board_layout_for(const uint32_t rows[BOARD_TABLE_COUNT], uint32_t texts, struct board_layout *out);
size_t board_stored_size(enum board_table table);

static inline void board_copy_out(void *to, const _Atomic uint64_t *from, size_t bytes)
{
	uint64_t *words = to;

	for (size_t i = 0; i < bytes / 8; i++)
		words[i] = atomic_load_explicit(&from[i], memory_order_relaxed);
}

static inline void board_copy_in(_Atomic uint64_t *to, const void *from, size_t bytes)
{
	const uint64_t *words = from;

	for (size_t i = 0; i < bytes / 8; i++)
		atomic_store_explicit(&to[i], words[i], memory_order_relaxed);
}

#endif
