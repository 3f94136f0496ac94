/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading of cells and finding of rows; see walk.h. */
#include "mibs/agent/walk.h"

#include <string.h>

#include "base/error.h"

#define AHEAD 6  /* rows of a column that are fetched into the cache before they are read */
#define TRIES 64 /* the index is flipped at most once per round of the engine's loop */

/* A row of the sorted index. */
struct found {
	uint32_t position, slot;
	uint64_t order;
};

/* Slot and order at a position. Positions past the end and rows just freed: ERR_NOT_FOUND. */
static int look(const struct board_reader *board, enum board_table table, uint32_t position, uint32_t *slot, uint64_t *order)
{
	struct row_head head;
	*slot = board_at(board, table, position);

	if (*slot == NO_SLOT)
		return ERR_NOT_FOUND;
	return board_read_field(board, table, *slot, offsetof(struct row_head, order), sizeof *order, &head, order);
}

static int own_cell(const struct walk *walk, const struct mib_place *place, struct cell *out)
{
	out->asn = place->column->asn;
	if (place->key || !walk->own(walk->arg, (enum own_value)place->column->offset, out))
		return ERR_NOT_FOUND;
	return 0;
}

/* Reads the cell of a slot and makes sure that the slot still holds the row with that order. */
static int slot_cell(const struct walk *walk, const struct mib_place *place, uint32_t slot, struct cell *out)
{
	uint8_t field[CELL_BYTES_MAX];
	struct row_head head;
	const struct mib_column *column = place->column;

	int status = board_read_field(walk->board, place->table->board, slot, column->offset, column->size, &head, field);
	if (status)
		return status;
	if (place->table->part_count && head.order != place->key)
		return ERR_NOT_FOUND;
	cell_from(column, field, out);
	return 0;
}

/* First live row at `position` or above it, below `end`; rows that were freed since the last flip still stand in the index. */
static int live_from(const struct board_reader *board, enum board_table table, uint32_t end, struct found *f)
{
	for (; f->position < end; f->position++) {
		int status = look(board, table, f->position, &f->slot, &f->order);
		if (status != ERR_NOT_FOUND)
			return status;
	}
	return ERR_NOT_FOUND;
}

/* Binary search for the first row with order >= key: as board_seek(), but undisturbed by rows that are gone. */
static int search(const struct board_reader *board, enum board_table table, uint64_t key, struct found *best)
{
	uint32_t low = 0, high = board_count(board, table);
	int result = ERR_NOT_FOUND;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		struct found f = {.position = middle};
		int status = live_from(board, table, high, &f);

		if (status == ERR_BUSY)
			return status;
		if (!status && f.order < key) {
			low = f.position + 1;
			continue;
		}
		high = middle;
		if (!status) {
			*best = f;
			result = 0;
		}
	}
	if (result)
		best->position = low;
	return result;
}

/* True when the nearest live row below a position is really below the key: then no flip has come between. */
static bool is_first(const struct board_reader *board, enum board_table table, uint64_t key, uint32_t position)
{
	uint64_t order;
	uint32_t slot;

	while (position-- > 0) {
		int status = look(board, table, position, &slot, &order);
		if (status != ERR_NOT_FOUND)
			return !status && order < key;
	}
	return true;
}

static int find(const struct board_reader *board, enum board_table table, uint64_t key, struct found *f)
{
	for (int i = 0; i < TRIES; i++) {
		int status = search(board, table, key, f);
		if (status != ERR_BUSY && is_first(board, table, key, f->position))
			return status;
	}
	return ERR_BUSY;
}

int walk_get(const struct walk *walk, const struct mib_place *place, struct cell *out)
{
	struct found f;

	if (place->column->kind == CELL_OWN)
		return own_cell(walk, place, out);
	if (!walk->board)
		return ERR_NOT_FOUND;
	if (!place->table->part_count)
		return slot_cell(walk, place, 0, out);
	int status = find(walk->board, place->table->board, place->key, &f);
	if (status || f.order != place->key)
		return status ? status : ERR_NOT_FOUND;
	return slot_cell(walk, place, f.slot, out);
}

/* The row behind the one the cursor stood at and its cell in one read, when the index still holds that one there. What is not
 * plain (a row that went away, the end, a flip in between) is ERR_NOT_FOUND: it is looked for by a search. */
static int next_cell(const struct walk *walk, struct walk_cursor *c, struct cell *out)
{
	uint8_t field[CELL_BYTES_MAX];
	struct row_head head;
	enum board_table table = c->place.table->board;
	const struct mib_column *column = c->place.column;
	uint64_t last = c->place.key - 1;
	uint32_t here = board_at(walk->board, table, c->position), slot = board_at(walk->board, table, c->position + 1);

	board_expect(walk->board, table, board_at(walk->board, table, c->position + AHEAD), column->offset);
	if (here == NO_SLOT || slot == NO_SLOT || board_order(walk->board, table, here) != last ||
	    board_read_field(walk->board, table, slot, column->offset, column->size, &head, field) || head.order <= last ||
	    head.order > mib_key_limit(c->place.table) || board_at(walk->board, table, c->position) != here)
		return ERR_NOT_FOUND;
	c->position++;
	c->place.key = head.order;
	cell_from(column, field, out);
	return 0;
}

static int next_row(const struct walk *walk, struct walk_cursor *c, uint32_t *slot)
{
	struct found f;
	int status = find(walk->board, c->place.table->board, c->place.key, &f);

	if (status)
		return status;
	c->position = f.position;
	c->place.key = f.order;
	*slot = f.slot;
	return 0;
}

/* First row at or after the cursor in its column. */
static int in_column(const struct walk *walk, struct walk_cursor *c, struct cell *out)
{
	uint32_t slot;

	if (c->place.column->kind == CELL_OWN)
		return own_cell(walk, &c->place, out);
	if (!walk->board)
		return ERR_NOT_FOUND;
	if (!c->place.table->part_count)
		return c->place.key ? ERR_NOT_FOUND : slot_cell(walk, &c->place, 0, out);
	if (c->positioned && next_cell(walk, c, out) == 0)
		return 0;
	for (int i = 0; i < TRIES; i++) {
		int status = next_row(walk, c, &slot);
		if (status)
			return status;
		if (c->place.key > mib_key_limit(c->place.table))
			return ERR_NOT_FOUND;
		c->positioned = true;
		status = slot_cell(walk, &c->place, slot, out);
		if (status != ERR_NOT_FOUND)
			return status;
		c->positioned = false; /* the row went away between index and row: look for the one after it */
		c->place.key++;
	}
	return ERR_BUSY;
}

int walk_next(const struct walk *walk, struct walk_cursor *c, bool (*in_view)(void *arg, const struct mib_place *place), void *arg,
	      struct cell *out)
{
	for (;;) {
		bool seen = !in_view || c->positioned || in_view(arg, &c->place);
		int status = seen ? in_column(walk, c, out) : ERR_NOT_FOUND;

		if (status != ERR_NOT_FOUND)
			return status;
		c->positioned = false;
		if (!mib_next_column(&c->place))
			return ERR_NOT_FOUND;
	}
}

bool walk_step(struct walk_cursor *c)
{
	if (c->place.table->part_count && c->place.key < mib_key_limit(c->place.table)) {
		c->place.key++;
		return true;
	}
	c->positioned = false;
	return mib_next_column(&c->place);
}
