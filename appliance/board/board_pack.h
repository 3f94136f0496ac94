/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Value and sensor rows, packed for the segment and unpacked again; the members stand in one table per row type.
 * board_writer.c and board_reader.c only. */
#ifndef GLORY_BOARD_BOARD_PACK_H
#define GLORY_BOARD_BOARD_PACK_H

#include <stdbool.h>

#include "board/board_layout.h"
#include "board/board_texts.h"

bool board_is_packed(enum board_table table);
/* Packs row, taking a reference to each of its texts; old is the packed row it replaces, whose texts are probably the
 * same. */
void board_pack(enum board_table table, const void *row, const union board_any_row *old, struct board_texts *texts,
		union board_any_row *packed);
/* Gives back the references of a packed row that is no longer shown. */
void board_pack_release(enum board_table table, const union board_any_row *packed, struct board_texts *texts);
/* texts: the text table of the segment. Numbers of texts beyond it give "". */
void board_unpack(enum board_table table, const union board_any_row *packed, const _Atomic uint64_t *texts,
		  uint32_t text_count, void *row);
/* Terminates every text of an unpacked row, which a hostile writer may not have done. */
void board_terminate(enum board_table table, void *row);

#endif
