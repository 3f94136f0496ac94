/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sorted index of one table, writer's side: notes which slots came, went or changed their order, and merges them
 * into the other buffer at a flip, so that a change of k rows in n costs O(n + k log n) of cheap steps and no change
 * costs nothing. board_writer.c only. */
#ifndef GLORY_BOARD_BOARD_INDEX_H
#define GLORY_BOARD_BOARD_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "board/board_layout.h"

struct board_index {
	uint32_t rows;
	uint64_t *orders;       /* by slot, of live rows */
	uint64_t *live, *dirty; /* bit per slot */
	uint32_t *dirty_slots, dirty_count;
	uint32_t free_hint; /* no free slot below it */
	uint32_t *kept;     /* scratch of a merge */
	_Atomic uint32_t *buffer[2];
};

void board_index_init(struct board_index *index, uint32_t rows, _Atomic uint32_t *first, _Atomic uint32_t *second);
void board_index_clear(struct board_index *index);
/* A row was put: live or gone, and its order. */
void board_index_note(struct board_index *index, uint32_t slot, bool live, uint64_t order);
uint32_t board_index_free_slot(struct board_index *index);
/* Publishes the changes since the last flip through the table's header; false: there were none. */
bool board_index_flip(struct board_index *index, struct board_table_header *header);

#endif
