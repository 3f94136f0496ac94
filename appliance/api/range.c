/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which nodes a range stands for, by the board: names and ranges, @GROUP, @site, @down, joined by commas. Called by
 * lists. */
#include "api/query.h"

#include <stdlib.h>
#include <string.h>

#include "base/hostrange.h"
#include "base/memory.h"

struct choice {
	struct name_list names; /* sorted once complete */
	bool *found;            /* by name */
	char *groups[32];       /* into the text */
	bool group_found[32];
	size_t group_count;
	bool site, down;
};

static int add_set(struct choice *c, char *name, struct error *e)
{
	if (!strcmp(name, "site"))
		c->site = true;
	else if (!strcmp(name, "down"))
		c->down = true;
	else if (c->group_count < COUNT_OF(c->groups))
		c->groups[c->group_count++] = name;
	else
		return error_set(e, ERR_CONFIG, "range", "ask in several requests", "names more than %zu groups",
				 COUNT_OF(c->groups));
	return 0;
}

/* Splits at commas outside brackets. text is cut in place. */
static int split(struct choice *c, char *text, struct error *e)
{
	int depth = 0, rc = 0;
	char *part = text;

	for (char *p = text; rc == 0; p++) {
		depth += *p == '[' ? 1 : *p == ']' ? -1 : 0;
		if (*p && (*p != ',' || depth > 0))
			continue;
		bool last = *p == '\0';
		*p = '\0';
		rc = part[0] == '@' ? add_set(c, part + 1, e) : hostrange_expand(part, &c->names, e);
		part = p + 1;
		if (last)
			break;
	}
	return rc;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The dead verdicts stand together in the list of verdicts, which is append-only: as the engine's own @down. */
static bool is_down(const struct node_row *n)
{
	return n->verdict >= VERDICT_UNREACHABLE && n->verdict <= VERDICT_GROUP_PATH_LOST;
}

static bool choose(struct choice *c, const struct node_row *n)
{
	const char *name = n->name;
	bool is = c->site || (c->down && is_down(n));

	for (size_t i = 0; i < c->group_count; i++)
		if (!strcmp(c->groups[i], n->group))
			is = c->group_found[i] = true;
	if (c->names.count == 0)
		return is;
	char **at = bsearch(&name, c->names.names, c->names.count, sizeof *c->names.names, by_name);
	if (!at)
		return is;
	/* a name written twice stands twice, side by side */
	for (size_t i = (size_t)(at - c->names.names); i < c->names.count && !strcmp(c->names.names[i], name); i++)
		c->found[i] = true;
	for (size_t i = (size_t)(at - c->names.names); i-- > 0 && !strcmp(c->names.names[i], name);)
		c->found[i] = true;
	return true;
}

static int missing(const struct choice *c, const struct board_reader *board, struct error *e)
{
	struct cursor groups = {0};
	union any_row row;

	for (size_t i = 0; i < c->names.count; i++)
		if (!c->found[i])
			return error_set(e, ERR_NOT_FOUND, c->names.names[i], "see: gloryctl node list",
					 "there is no such node");
	for (size_t i = 0; i < c->group_count; i++) {
		bool found = c->group_found[i];
		for (groups = (struct cursor){0}; !found && cursor_next(&groups, board, BOARD_GROUP, &row) == 0;)
			found = !strcmp(row.group.name, c->groups[i]);
		if (!found)
			return error_set(e, ERR_NOT_FOUND, c->groups[i],
					 "see: gloryctl group list; @site is all, @down what does not answer",
					 "there is no such group");
	}
	return 0;
}

int range_choose(const struct board_reader *board, const char *range, bool *chosen, struct error *e)
{
	char *text = mem_strdup(range);
	struct choice c = {0};
	struct cursor cursor = {0};
	union any_row row;
	int rc = split(&c, text, e);

	if (rc)
		goto out;
	c.found = mem_array(c.names.count + 1, sizeof *c.found);
	if (c.names.count)
		qsort(c.names.names, c.names.count, sizeof *c.names.names, by_name);
	while ((rc = cursor_next(&cursor, board, BOARD_NODE, &row)) == 0)
		if (row.head.slot < NODE_MAX)
			chosen[row.head.slot] = choose(&c, &row.node);
	if (rc == ERR_BUSY)
		error_set(e, rc, "board", "try again", "its rows change too fast to be read");
	else
		rc = missing(&c, board, e);
out:
	free(c.found);
	name_list_free(&c.names);
	free(text);
	return rc;
}
