/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a request of the API behind HTTP: the first byte chooses a route, then "name=value&..." as libmicrohttpd
 * would hand it over, or, for the commands' route, a body. A refusal names object, cause and remedy; what is accepted
 * is sound. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/query.h"
#include "api/server.h"
#include "base/memory.h"
#include "base/text.h"

#define NOW INT64_C(1767225600000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct board_reader *board(void)
{
	static struct board_reader *reader;
	static struct board_writer *w;
	struct board_limits limits;

	if (reader)
		return reader;
	board_limits_for(20, 1, 1, &limits);
	w = board_create(1, &limits);
	for (uint32_t i = 0; i < 10; i++) {
		struct node_row n = {.head = {.generation = 1, .slot = i, .order = i}, .verdict = VERDICT_UP};
		text_format(n.name, sizeof n.name, "n%u", i);
		text_copy(n.group, sizeof n.group, "g");
		board_put(w, BOARD_NODE, &n);
	}
	board_flip(w);
	reader = board_map(dup(board_fd(w)));
	return reader;
}

static void must_be_told(const struct error *e)
{
	if (!e->kind || !e->object[0] || !e->text[0] || !e->remedy[0])
		abort();
}

static void try_body(const char *body, size_t size)
{
	static struct msg_command c;
	char *arguments;
	struct error e = {0};

	if (command_parse(body, size, &c, &arguments, &e)) {
		must_be_told(&e);
		return;
	}
	if (!arguments || c.argument_size != strlen(arguments) || c.argument_size > COMMAND_ARGUMENTS_MAX ||
	    !text_terminated(c.target, sizeof c.target) || !strcmp(command_word(c.verb), "?") || c.actor[0] || c.right)
		abort();
	free(arguments);
}

static void try_range(const char *range)
{
	bool *chosen = mem_array(NODE_MAX, sizeof *chosen);
	struct error e = {0};

	if (range[0] && range_choose(board(), range, chosen, &e) && (!e.kind || !e.text[0] || !e.remedy[0]))
		abort();
	free(chosen);
}

static void try_query(const struct route *route, char *text)
{
	static union any_row row;
	static struct query q;
	char *save = NULL;
	struct error e = {0};

	query_begin(&q, NOW);
	for (char *one = strtok_r(text, "&", &save); one; one = strtok_r(NULL, "&", &save)) {
		char *value = strchr(one, '=');
		if (value)
			*value++ = '\0';
		if (query_add(&q, route->parameters, route->parameter_count, route->table, one, value ? value : "",
			      value ? strlen(value) : 0, NOW, &e)) {
			if (!e.kind || !e.text[0] || !e.remedy[0])
				abort();
			return;
		}
	}
	if (q.limit < 0 || q.width < 100 || q.width > 4000 || q.height < 50 || q.height > 3000 ||
	    !text_terminated(q.node, sizeof q.node))
		abort();
	query_matches(&q, &row);
	try_range(q.range);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size == 0)
		return 0;
	const struct route *route = &routes[data[0] % route_count];
	text = malloc(size);
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (route->post && !route->apply)
		try_body(text, size - 1);
	else
		try_query(route, text);
	free(text);
	return 0;
}
