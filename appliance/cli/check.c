/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gloryctl check: check plugins and what they say. */
#include <stdio.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/table.h"

int check_list(struct cli *cli, char **arguments, int count)
{
	static const char *const levels[] = {"normal", "warning", "critical", "unknown"};
	json_t *list, *o;
	struct table t;
	size_t i;
	int rc = cli_get_list(cli, client_path("/v1/checks"), &list);
	(void)arguments;
	(void)count;

	if (rc || cli->json)
		return rc ? rc : cli_print_json(list);
	table_begin(&t, "CHECK PLUGIN >EVERY >TIMEOUT SCOPE >NODES >NORMAL >WARNING >CRITICAL >UNKNOWN ARGUMENTS", -1);
	json_array_foreach(list, i, o)
	{
		char every[24], timeout[24], nodes[16], by[4][16];
		cli_number(o, "interval_s", 0, every, sizeof every);
		cli_number(o, "timeout_s", 0, timeout, sizeof timeout);
		cli_number(o, "nodes", 0, nodes, sizeof nodes);
		for (int l = 0; l < 4; l++)
			cli_number(json_object_get(o, "by_level"), levels[l], 0, by[l], sizeof by[l]);
		const char *cells[] = {cli_text(o, "name"), cli_text(o, "plugin"), every, timeout, cli_text(o, "scope"), nodes,
				       by[0], by[1], by[2], by[3], cli_text(o, "arguments")};
		table_row(&t, "", cells);
	}
	cli_end_table(&t, list);
	return CLI_DONE;
}

int check_show(struct cli *cli, char **arguments, int count)
{
	json_t *list, *o;
	struct table t;
	size_t i;
	int rc = cli_get_list(cli, client_path_add(cli->client, client_path("/v1/check-results"), "check", count ? arguments[0] : NULL), &list);

	if (rc || cli->json)
		return rc ? rc : cli_print_json(list);
	table_begin(&t, "NODE CHECK LEVEL >RUN >MS TEXT", 2);
	json_array_foreach(list, i, o)
	{
		char age[16], took[24];
		cli_age(o, "time", age, sizeof age);
		cli_number(o, "took_ms", 0, took, sizeof took);
		const char *cells[] = {cli_text(o, "node"), cli_text(o, "check"), cli_text(o, "level"), age, took, cli_text(o, "text")};
		table_row(&t, cli_text(o, "level"), cells);
	}
	cli_end_table(&t, list);
	return CLI_DONE;
}

int check_add(struct cli *cli, char **arguments, int count)
{
	(void)count;
	return cli_edit(cli, "check-add", arguments[0]);
}

int check_set(struct cli *cli, char **arguments, int count)
{
	(void)count;
	return cli_edit(cli, "check-set", arguments[0]);
}

int check_remove(struct cli *cli, char **arguments, int count)
{
	(void)count;
	return cli_edit(cli, "check-remove", arguments[0]);
}
