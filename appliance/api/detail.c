/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One thing with all that belongs to it: the site with its appliance, a node with values, sensors, evidence and alarms,
 * a job with its steps. See routes.h. */
#include "api/routes.h"

#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "api/ask.h"
#include "api/evidence.h"
#include "base/memory.h"
#include "base/text.h"

#define STEPS_TIMEOUT_MS 10000

static void not_now(struct request *r)
{
	request_fail(r, ERR_BUSY, "board", "try again in a moment", "the appliance is starting");
}

void site_run(struct request *r, const struct route *route)
{
	const struct board_reader *board = request_board(r);
	struct emit out = {0};
	union any_row row;

	if (!board)
		return;
	if (board_read(board, BOARD_CLUSTER, 0, &row)) {
		not_now(r);
		return;
	}
	emit_open(&out, '{');
	columns_emit(&out, board, route->table, &row);
	emit_key(&out, "appliance");
	if (board_read(board, BOARD_APPLIANCE, 0, &row) == 0)
		columns_emit_row(&out, board, BOARD_APPLIANCE, &row);
	else
		emit_null(&out);
	emit_close(&out, '}');
	emit_bytes(&out, "\n", 1);
	request_answer(r, 200, "application/json", &out);
}

/* The rows of a table that belong to a node, as an array under a key. */
static void emit_of_node(struct emit *out, const struct board_reader *board, enum board_table table, const char *key,
			 uint32_t slot)
{
	struct cursor cursor = {0};
	union any_row row;

	emit_key(out, key);
	emit_open(out, '[');
	cursor_jump(&cursor, board, table, (uint64_t)slot << 32);
	while (cursor_next(&cursor, board, table, &row) == 0 && row.head.order >> 32 == slot)
		columns_emit_row(out, board, table, &row);
	emit_close(out, ']');
}

static void emit_alarms(struct emit *out, const struct board_reader *board, uint32_t slot)
{
	struct cursor cursor = {0};
	union any_row row;

	emit_key(out, "alarms");
	emit_open(out, '[');
	while (cursor_next(&cursor, board, BOARD_ALARM, &row) == 0)
		if (row.alarm.node_slot == slot && row.alarm.cleared_wall_ms == 0)
			columns_emit_row(out, board, BOARD_ALARM, &row);
	emit_close(out, ']');
}

static bool find_node(const struct board_reader *board, const char *name, union any_row *row)
{
	struct cursor cursor = {0};

	while (cursor_next(&cursor, board, BOARD_NODE, row) == 0)
		if (!strcmp(row->node.name, name))
			return true;
	return false;
}

void node_run(struct request *r, const struct route *route)
{
	const struct board_reader *board = request_board(r);
	struct emit out = {0};
	union any_row row;

	if (!board)
		return;
	if (!find_node(board, r->tail, &row)) {
		request_fail(r, ERR_NOT_FOUND, r->tail, "see: gloryctl node list", "there is no such node");
		return;
	}
	const struct msg_slot looked = {row.head.slot, row.head.generation};
	channel_send(server_engine(r->server), MSG_LOOK, &looked, sizeof looked);
	emit_open(&out, '{');
	columns_emit(&out, board, route->table, &row);
	evidence_emit(&out, &row.node);
	emit_of_node(&out, board, BOARD_VALUE, "values", row.head.slot);
	emit_of_node(&out, board, BOARD_SENSOR, "sensors", row.head.slot);
	emit_of_node(&out, board, BOARD_WATCH_STATE, "watches", row.head.slot);
	emit_alarms(&out, board, row.head.slot);
	emit_close(&out, '}');
	emit_bytes(&out, "\n", 1);
	request_answer(r, 200, "application/json", &out);
}

/* --- a job ------------------------------------------------------------------------------------------- */

static void on_steps(struct request *r, const struct pending_reply *reply)
{
	if (reply->fd >= 0)
		close(reply->fd);
	if (!ask_add_page(r, reply))
		return;
	if (reply->head->more) {
		request_wait_more(r, STEPS_TIMEOUT_MS);
		return;
	}
	struct emit out = {0};
	const struct board_reader *board = request_board(r);

	if (!board)
		return;
	emit_open(&out, '{');
	columns_emit(&out, board, BOARD_JOB, r->state);
	emit_key(&out, "steps");
	emit_open(&out, '[');
	emit_bytes(&out, r->page.text, r->page.used);
	emit_close(&out, ']');
	emit_close(&out, '}');
	emit_bytes(&out, "\n", 1);
	request_answer(r, 200, "application/json", &out);
}

void job_run(struct request *r, const struct route *route)
{
	struct msg_query q = {.kind = QUERY_JOB_STEPS};
	const struct board_reader *board = request_board(r);
	struct cursor cursor = {0};
	union any_row *row;
	int64_t id;
	(void)route;

	if (!board)
		return;
	if (!text_integer(r->tail, 1, INT64_MAX, &id)) {
		request_fail(r, ERR_NOT_FOUND, r->tail, "see: gloryctl job list", "is not a job's number");
		return;
	}
	/* read before the steps are asked for: a job that has ended is not told with steps that have not */
	r->state = row = mem_zalloc(sizeof *row);
	r->free_state = free;
	cursor_jump(&cursor, board, BOARD_JOB, (uint64_t)id);
	if (cursor_next(&cursor, board, BOARD_JOB, row) || row->job.id != (uint64_t)id) {
		request_fail(r, ERR_NOT_FOUND, r->tail, "see: gloryctl job list", "there is no such job");
		return;
	}
	text_format(q.target, sizeof q.target, "%lld", (long long)id);
	q.request = request_wait(r, STEPS_TIMEOUT_MS, on_steps);
	channel_send(server_engine(r->server), MSG_QUERY, &q, sizeof q);
}
