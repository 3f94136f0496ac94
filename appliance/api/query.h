/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a request asks for: parameters behind the "?" and the body of a command, read by the tables of the routes.
 * Everything here is pure and eats bytes of strangers; unknown names, doubled names and values that cannot be are
 * refused by name. */
#ifndef GLORY_API_QUERY_H
#define GLORY_API_QUERY_H

#include "api/columns.h"
#include "base/error.h"

#define QUERY_FILTERS 8
#define QUERY_TEXT 4096 /* longest value, with the zero */
#define COMMAND_BODY_MAX 65536
#define COMMAND_ARGUMENTS_MAX 16384

enum parameter_kind {
	PARAMETER_RANGE,  /* nodes: "n[001-004],@g01,@down,@site" */
	PARAMETER_FILTER, /* equals one of the comma-separated words; `column` says where */
	PARAMETER_SET,    /* 1: the column has a value, 0: it has none */
	PARAMETER_UNSET,
	PARAMETER_NUMBER, /* whole number within [low, high] into the member at `offset` */
	PARAMETER_TIME,   /* RFC 3339, "now", or back from now: "-90m" (s m h d w) */
	PARAMETER_TEXT    /* char array of `high` bytes at `offset` */
};

struct parameter {
	const char *name;
	enum parameter_kind kind;
	const char *column;
	int64_t low, high;
	size_t offset;
};

struct filter {
	const struct column *column;
	enum parameter_kind kind;
	uint64_t words;  /* bits of accepted words */
	char texts[256]; /* ",one,two," */
	bool wanted;     /* SET, UNSET */
};

struct query {
	const struct parameter *seen[16];
	size_t seen_count;
	struct filter filters[QUERY_FILTERS];
	size_t filter_count;
	char range[QUERY_TEXT];
	/* numbers and texts the routes' tables point at; defaults are set by query_begin() */
	int64_t limit, from, from_ms, to_ms, width, height, prune, dry_run, newest, top, now;
	char node[NAME_SIZE], items[600], format[8], object[NAME_SIZE], item[72], by[8], period[8], fold[8];
	char cpu[16], load[16], net[16]; /* limits of the idle report, numbers */
};

void query_begin(struct query *q, int64_t now_wall_ms);
/* One name and value, unescaped, both terminated; size is the value's as it arrived, so that a zero inside is noticed.
 */
int query_add(struct query *q, const struct parameter *parameters, size_t count, enum board_table table,
	      const char *name, const char *value, size_t size, int64_t now_wall_ms, struct error *e);
/* Whether a row passes all filters (the range is not looked at). */
bool query_matches(const struct query *q, const void *row);

/* "2026-01-31T12:00:00Z", with fraction or offset too, "now", "-90m". */
bool query_time(const char *text, int64_t now_wall_ms, int64_t *out);

/* Nodes chosen by a range: chosen[slot], NODE_MAX of them, owned by the caller (mem_array). ERR_NOT_FOUND names the
 * first that is none. */
int range_choose(const struct board_reader *board, const char *range, bool *chosen, struct error *e);

/* The body of POST /v1/commands into the message; *arguments is its JSON text (free it). 0 or a negative error. */
int command_parse(const char *body, size_t size, struct msg_command *command, char **arguments, struct error *e);
/* The API's spelling of a verb's number; "?" for none. */
const char *command_word(uint32_t verb);

#endif
