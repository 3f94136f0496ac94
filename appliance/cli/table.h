/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Aligned tables on standard output: widths as the cells need, the last column cut so that a line fits. */
#ifndef GLORY_CLI_TABLE_H
#define GLORY_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS 12

struct table {
	size_t columns;
	const char *heads[TABLE_COLUMNS];
	bool right[TABLE_COLUMNS]; /* numbers */
	char **cells;              /* rows times columns, owned */
	const char **levels;       /* by row: the level whose colour the row's `coloured` cell has */
	size_t rows, room;
	int coloured; /* column; -1 none */
};

/* heads: column names joined by spaces; a name that begins with '>' is right-aligned. */
void table_begin(struct table *table, const char *heads, int coloured);
/* One row; level as in the product's words, or "". Cells are copied. */
void table_row(struct table *table, const char *level, const char *const *cells);
/* width 0: nothing is cut. */
void table_print(const struct table *table, FILE *out, size_t width, bool colours);
void table_free(struct table *table);
/* Columns a text takes on a terminal: one for each character. */
size_t table_text_width(const char *text);
/* The escape sequence of a level's colour, "" for none; and the one that ends it. */
const char *table_colour(const char *level);
#define TABLE_PLAIN "\033[0m"

#endif
