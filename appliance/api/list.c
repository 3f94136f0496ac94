/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table of the board as a JSON array, row by row as the client takes it; see routes.h. */
#include "api/routes.h"

#include <stdlib.h>

#include "base/memory.h"

#define PIECE 16384

struct list {
	struct producer producer;
	struct list_walk walk;
	enum board_table table;
	bool begun;
};

/* The node a row is about; NO_SLOT: none. */
static uint32_t node_of(enum board_table table, const union any_row *row)
{
	switch (table) {
	case BOARD_NODE:
		return row->head.slot;
	case BOARD_VALUE:
		return row->value.node_slot;
	case BOARD_SENSOR:
		return row->sensor.node_slot;
	case BOARD_WATCH_STATE:
		return row->watch_state.node_slot;
	case BOARD_ALARM:
		return row->alarm.node_slot;
	case BOARD_MEMBER:
		return row->member.node_slot;
	default:
		return NO_SLOT;
	}
}

int list_begin(struct request *r, enum board_table table, struct list_walk *walk)
{
	const struct board_reader *board = request_board(r);
	struct error e;

	*walk = (struct list_walk){.left = r->query.limit ? (uint64_t)r->query.limit : UINT64_MAX,
				   .board_life = server_board_life(r->server)};
	if (!board)
		return ERR_BUSY;
	if (r->query.from > 0)
		cursor_jump(&walk->cursor, board, table, (uint64_t)r->query.from);
	if (!r->query.range[0])
		return 0;
	walk->chosen = mem_array(NODE_MAX, sizeof *walk->chosen);
	int rc = range_choose(board, r->query.range, walk->chosen, &e);
	if (rc) {
		list_end(walk);
		request_error(r, &e);
	}
	return rc;
}

void list_end(struct list_walk *walk)
{
	free(walk->chosen);
	walk->chosen = NULL;
}

int list_next(struct request *r, enum board_table table, struct list_walk *walk, union any_row *row)
{
	const struct board_reader *board = server_get_board(r->server);

	if (walk->board_life != server_board_life(r->server))
		return ERR_NOT_NOW;
	while (walk->left) {
		int rc = cursor_next(&walk->cursor, board, table, row);
		if (rc)
			return rc;
		if (walk->end && row->head.order >= walk->end)
			return ERR_NOT_FOUND;
		uint32_t node = node_of(table, row);
		bool is = !walk->chosen || (node < NODE_MAX && walk->chosen[node]);
		/* values and sensors of a node stand together: on to the next node at once */
		if (!is && (table == BOARD_VALUE || table == BOARD_SENSOR || table == BOARD_WATCH_STATE))
			cursor_jump(&walk->cursor, board, table, ((uint64_t)node + 1) << 32);
		if (!is || !query_matches(&r->query, row))
			continue;
		walk->left--;
		return 0;
	}
	return ERR_NOT_FOUND;
}

static void more(struct producer *p, struct request *r)
{
	struct list *list = (struct list *)p;
	struct emit *out = &p->out;
	union any_row row;
	int rc = 0;

	if (!list->begun)
		emit_open(out, '[');
	list->begun = true;
	while (out->used < PIECE && (rc = list_next(r, list->table, &list->walk, &row)) == 0) {
		bool first = !out->comma;
		columns_emit_row(out, server_get_board(r->server), list->table, &row);
		emit_bytes(out, first ? "" : "\n", !first);
	}
	if (rc == ERR_NOT_FOUND) {
		emit_close(out, ']');
		emit_bytes(out, "\n", 1);
		p->done = true;
	} else if (rc) {
		p->failed = true; /* rows that cannot be read, or a board that is gone: a cut answer, never half a list
				     that looks whole */
	}
}

static void free_list(struct producer *p)
{
	list_end(&((struct list *)p)->walk);
	free(p);
}

void list_answer(struct request *r, enum board_table table, const struct list_walk *walk)
{
	struct list *list = mem_zalloc(sizeof *list);

	*list = (struct list){.producer = {.more = more, .free = free_list}, .walk = *walk, .table = table};
	request_produce(r, "application/json", &list->producer);
}

void list_run(struct request *r, const struct route *route)
{
	struct list_walk walk;

	if (list_begin(r, route->table, &walk) == 0)
		list_answer(r, route->table, &walk);
}
