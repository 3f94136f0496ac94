/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gloryctl item: what is measured, what it costs, and changes of it while all runs. */
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/table.h"

/* "eth0: 1.3.6...", an expression, or what a built-in item describes. */
static const char *source_of(const json_t *o)
{
	static const char *const members[] = {"expression", "oid", "describes"};

	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		if (cli_text(o, members[i])[0])
			return cli_text(o, members[i]);
	return "";
}

static void add_item(struct table *t, const json_t *o)
{
	char every[24], nodes[24], requests[24], bytes[24];
	bool own = cli_text(o, "oid")[0] != '\0';

	text_format(every, sizeof every, "%" JSON_INTEGER_FORMAT "s", json_integer_value(json_object_get(o, "interval_s")));
	cli_number(o, "nodes", 0, nodes, sizeof nodes);
	cli_number(o, "requests_per_second", 2, requests, sizeof requests);
	cli_number(o, "bytes_per_second", 0, bytes, sizeof bytes);
	const char *cells[] = {cli_text(o, "name"),
			       cli_text(o, "kind"),
			       cli_text(o, "unit"),
			       every,
			       json_is_true(json_object_get(o, "per_instance")) ? "many" : "one",
			       cli_text(o, "scope"),
			       nodes,
			       own ? requests : "-",
			       own ? bytes : "-",
			       source_of(o)};
	table_row(t, "", cells);
}

int item_list(struct cli *cli, char **arguments, int count)
{
	static const char *const names[] = {"kind", NULL};
	struct table t;
	json_t *list, *o;
	size_t i;
	int rc = cli_get_list(cli, cli_path(cli, "/v1/items", NULL, names), &list);

	(void)arguments;
	(void)count;
	if (rc || cli->json)
		return rc ? rc : cli_print_json(list);
	table_begin(&t, "ITEM KIND UNIT >EVERY INSTANCES SCOPE >NODES >REQ/S >B/S SOURCE", -1);
	json_array_foreach(list, i, o)
		add_item(&t, o);
	cli_end_table(&t, list);
	return CLI_DONE;
}

int item_show(struct cli *cli, char **arguments, int count)
{
	json_t *list;
	int rc = cli_get_list(cli, client_path_add(cli->client, client_path("/v1/items"), "name", arguments[0]), &list);

	(void)count;
	if (rc)
		return rc;
	json_t *o = json_incref(json_array_get(list, 0));
	json_decref(list);
	if (!o)
		return cli_fail_text(arguments[0], "there is no such item", "see: gloryctl item list");
	if (cli->json)
		return cli_print_json(o);
	print_members(o);
	json_decref(o);
	return CLI_DONE;
}

int item_add(struct cli *cli, char **arguments, int count)
{
	(void)count;
	return cli_edit(cli, "item-add", arguments[0]);
}

int item_set(struct cli *cli, char **arguments, int count)
{
	(void)count;
	return cli_edit(cli, "item-set", arguments[0]);
}

int item_remove(struct cli *cli, char **arguments, int count)
{
	(void)count;
	return cli_edit(cli, "item-remove", arguments[0]);
}
