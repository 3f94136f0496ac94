/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Aligned tables; see table.h. Called by every list of gloryctl. */
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define LEAST_LAST 10 /* a cut column keeps at least so much */

static bool is_begin(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

size_t table_text_width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += is_begin(*text);
	return n;
}

const char *table_colour(const char *level)
{
	static const struct {
		const char *level, *colour;
	} colours[] = {{"normal", "\033[32m"},
		       {"warning", "\033[33m"},
		       {"major", "\033[35m"},
		       {"critical", "\033[1;31m"},
		       {"unknown", "\033[2m"}};

	for (size_t i = 0; i < COUNT_OF(colours); i++)
		if (!strcmp(colours[i].level, level))
			return colours[i].colour;
	return "";
}

void table_begin(struct table *t, const char *heads, int coloured)
{
	*t = (struct table){.coloured = coloured};
	for (const char *at = heads; *at && t->columns < TABLE_COLUMNS; t->columns++) {
		t->right[t->columns] = *at == '>';
		at += *at == '>';
		t->heads[t->columns] = at;
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
}

void table_row(struct table *t, const char *level, const char *const *cells)
{
	if (t->rows == t->room) {
		t->room = t->room ? t->room * 2 : 64;
		t->cells = mem_grow(t->cells, t->room * t->columns, sizeof *t->cells);
		t->levels = mem_grow(t->levels, t->room, sizeof *t->levels);
	}
	for (size_t i = 0; i < t->columns; i++)
		t->cells[t->rows * t->columns + i] = mem_strdup(cells[i] ? cells[i] : "");
	t->levels[t->rows++] = table_colour(level);
}

void table_free(struct table *t)
{
	for (size_t i = 0; i < t->rows * t->columns; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t->levels);
	*t = (struct table){0};
}

/* Prints at most `width` characters of text and pads to it; the last column is not padded. */
static void print_cell(FILE *out, const char *text, size_t bytes, size_t width, bool right, bool last,
		       const char *colour)
{
	size_t shown = 0, end = 0, have = 0;

	for (size_t i = 0; i < bytes; i++)
		have += is_begin(text[i]);
	for (; end < bytes && (shown < width || !is_begin(text[end])); end++)
		shown += is_begin(text[end]);
	bool cut = have > width && width > 1;
	while (cut && end > 0 && !is_begin(text[--end])) {
	}
	if (right)
		fprintf(out, "%*s", (int)(width - shown), "");
	fprintf(out, "%s%.*s%s%s", colour, (int)end, text, cut ? "~" : "", colour[0] ? TABLE_PLAIN : "");
	if (!right && !last)
		fprintf(out, "%*s", (int)(width - shown), "");
	fputs(last ? "\n" : "  ", out);
}

static void find_widths(const struct table *t, size_t line, size_t widths[TABLE_COLUMNS])
{
	size_t before = 0;

	for (size_t c = 0; c < t->columns; c++) {
		widths[c] = strcspn(t->heads[c], " ");
		for (size_t r = 0; r < t->rows; r++) {
			size_t n = table_text_width(t->cells[r * t->columns + c]);
			widths[c] = n > widths[c] ? n : widths[c];
		}
		before += c + 1 < t->columns ? widths[c] + 2 : 0;
	}
	size_t left = line > before + LEAST_LAST ? line - before : LEAST_LAST;
	if (line && widths[t->columns - 1] > left)
		widths[t->columns - 1] = left;
}

void table_print(const struct table *t, FILE *out, size_t line, bool colours)
{
	size_t widths[TABLE_COLUMNS];

	if (t->columns == 0)
		return;
	find_widths(t, line, widths);
	for (size_t c = 0; c < t->columns; c++)
		print_cell(out, t->heads[c], strcspn(t->heads[c], " "), widths[c], t->right[c], c + 1 == t->columns,
			   "");
	for (size_t r = 0; r < t->rows; r++)
		for (size_t c = 0; c < t->columns; c++) {
			const char *text = t->cells[r * t->columns + c];
			bool coloured = colours && (int)c == t->coloured;
			print_cell(out, text, strlen(text), widths[c], t->right[c], c + 1 == t->columns,
				   coloured ? t->levels[r] : "");
		}
}
