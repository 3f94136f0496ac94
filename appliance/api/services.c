/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Services with their members, why a service has its size, a balancer as it was read back, and objects of the wanted state as they stand in
 * the store. See routes.h. */
#include <string.h>

#include "api/ask.h"
#include "api/routes.h"
#include "base/text.h"

static bool find_service(const struct board_reader *board, const char *name, union any_row *row)
{
	struct cursor cursor = {0};

	while (cursor_next(&cursor, board, BOARD_SERVICE, row) == 0)
		if (!strcmp(row->service.name, name))
			return true;
	return false;
}

static void no_service(struct request *r, const char *name)
{
	request_fail(r, ERR_NOT_FOUND, name, "see: gloryctl service list", "there is no such service");
}

static void emit_members(struct emit *out, const struct board_reader *board, uint32_t service_slot)
{
	struct cursor cursor = {0};
	union any_row row;

	emit_key(out, "members");
	emit_open(out, '[');
	cursor_jump(&cursor, board, BOARD_MEMBER, (uint64_t)service_slot << 32);
	while (cursor_next(&cursor, board, BOARD_MEMBER, &row) == 0 && row.head.order >> 32 == service_slot)
		columns_emit_row(out, board, BOARD_MEMBER, &row);
	emit_close(out, ']');
}

static void emit_alarms(struct emit *out, const struct board_reader *board, const char *service)
{
	struct cursor cursor = {0};
	union any_row row;

	emit_key(out, "alarms");
	emit_open(out, '[');
	while (cursor_next(&cursor, board, BOARD_ALARM, &row) == 0)
		if (row.alarm.cleared_wall_ms == 0 && row.alarm.node_slot == NO_SLOT && !strcmp(row.alarm.object, service))
			columns_emit_row(out, board, BOARD_ALARM, &row);
	emit_close(out, ']');
}

void service_run(struct request *r, const struct route *route)
{
	const struct board_reader *board = request_board(r);
	struct emit out = {0};
	union any_row row;

	if (!board)
		return;
	if (!find_service(board, r->tail, &row)) {
		no_service(r, r->tail);
		return;
	}
	emit_open(&out, '{');
	columns_emit(&out, board, route->table, &row);
	emit_members(&out, board, row.head.slot);
	emit_alarms(&out, board, r->tail);
	emit_close(&out, '}');
	emit_bytes(&out, "\n", 1);
	request_answer(r, 200, "application/json", &out);
}

/* Members stand together by service: one service's are a piece of the table. */
void members_run(struct request *r, const struct route *route)
{
	const struct board_reader *board = request_board(r);
	struct list_walk walk;
	union any_row row;

	if (!board)
		return;
	if (r->query.object[0] && !find_service(board, r->query.object, &row)) {
		no_service(r, r->query.object);
		return;
	}
	if (list_begin(r, route->table, &walk))
		return;
	if (r->query.object[0]) {
		cursor_jump(&walk.cursor, board, route->table, (uint64_t)row.head.slot << 32);
		walk.end = ((uint64_t)row.head.slot + 1) << 32;
	}
	list_answer(r, route->table, &walk);
}

static void ask_about(struct request *r, uint32_t kind)
{
	if (text_is_name(r->tail, NAME_SIZE - 1))
		ask_pages(r, kind, r->tail);
	else
		request_fail(r, ERR_NOT_FOUND, "name", "see: gloryctl service list, gloryctl balancer list", "is no name");
}

void service_explain_run(struct request *r, const struct route *route)
{
	(void)route;
	ask_about(r, QUERY_SERVICE_EXPLAIN);
}

void balancer_run(struct request *r, const struct route *route)
{
	(void)route;
	ask_about(r, QUERY_BALANCER);
}

void wanted_run(struct request *r, const struct route *route)
{
	char target[sizeof((struct msg_query *)0)->target];
	(void)route;

	if (!text_is_name(r->query.item, 31) || (r->query.object[0] && !text_is_name(r->query.object, NAME_SIZE - 1))) {
		request_fail(r, ERR_CONFIG, "wanted", "ask for /v1/wanted?kind=software", "kind is missing, or it or the name is none");
		return;
	}
	text_format(target, sizeof target, "%s %s", r->query.item, r->query.object);
	r->query.object[0] = '\0'; /* the engine chooses */
	ask_pages(r, QUERY_WANTED, target);
}
