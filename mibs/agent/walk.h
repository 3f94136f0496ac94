/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Instances of the MIB straight from the board's sorted rows: no table is copied, one cell is
 * read where one is asked for. Called by respond (reads) and set (what a row is called). */
#ifndef GLORY_MIBS_AGENT_WALK_H
#define GLORY_MIBS_AGENT_WALK_H

#include "mibs/agent/cell.h"
#include "board/board.h"

struct walk {
	const struct board_reader *board; /* NULL until the engine has sent one: then only what is not on it is there */
	/* Values that are not on the board (enum own_value); false: none now. */
	bool (*own)(void *arg, enum own_value what, struct cell *out);
	void *arg;
};

/* Where a walk stands, so that the row after the last one is found without a search. */
struct walk_cursor {
	struct mib_place place;
	uint32_t position; /* in the sorted index */
	bool positioned;
};

/* The instance itself: 0; ERR_NOT_FOUND (no such row now); ERR_BUSY (the writer kept writing). */
int walk_get(const struct walk *walk, const struct mib_place *place, struct cell *out);
/* First instance at or after the cursor's place, columns in order; the cursor then stands at it. 0; ERR_NOT_FOUND past the end;
 * ERR_BUSY. in_view (may be NULL) is asked once per column. */
int walk_next(const struct walk *walk, struct walk_cursor *cursor, bool (*in_view)(void *arg, const struct mib_place *place), void *arg,
	      struct cell *out);
/* Moves the cursor behind the instance it stands at. False: past the end. */
bool walk_step(struct walk_cursor *cursor);

#endif
