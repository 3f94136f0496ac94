/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The board's table of distinct texts, writer's side: each text stands once and counts the rows that refer to it.
 * board_writer.c only. */
#ifndef GLORY_BOARD_BOARD_TEXTS_H
#define GLORY_BOARD_BOARD_TEXTS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct board_texts;

/* place: `count` texts of BOARD_TEXT_SIZE bytes in the segment, all zero. Text 0 is "" for ever. */
struct board_texts *board_texts_new(_Atomic uint64_t *place, uint32_t count);
void board_texts_free(struct board_texts *texts);
/* The number of a text (the first `size` bytes of it at most), one reference more. likely: a number that may already be
 * it. 0 when the table is full, which is counted. */
uint16_t board_texts_take(struct board_texts *texts, const char *text, size_t size, uint16_t likely);
/* One reference less; the place of a text without references is used again. */
void board_texts_drop(struct board_texts *texts, uint16_t number);
uint64_t board_texts_refused(const struct board_texts *texts);

#endif
