/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gloryctl silence: alarms that are not raised until an end. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/table.h"

static int tell(struct cli *cli, const char *verb, const char *target, json_t *arguments)
{
	json_t *answer;
	struct error e;

	if (client_command(cli->client, verb, target, arguments, cli->yes, &answer, &e))
		return cli_fail(&e);
	if (cli->json)
		return cli_print_json(answer);
	json_decref(answer);
	return CLI_DONE;
}

int silence_add(struct cli *cli, char **arguments, int count)
{
	static const char *const names[] = {"for", "until", "kind", "reason"};
	json_t *o = json_object();

	(void)count;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (cli_option(cli, names[i]))
			json_object_set_new(o, names[i], json_string(cli_option(cli, names[i])));
	return tell(cli, "silence-add", arguments[0], o);
}

int silence_remove(struct cli *cli, char **arguments, int count)
{
	(void)count;
	return tell(cli, "silence-remove", arguments[0], NULL);
}

int silence_list(struct cli *cli, char **arguments, int count)
{
	struct error e;
	struct table t;
	json_t *list, *o;
	size_t i;

	(void)arguments;
	(void)count;
	char *path = client_path("/v1/silences");
	int rc = client_get(cli->client, path, &list, &e);
	free(path);
	if (rc)
		return cli_fail(&e);
	if (cli->json)
		return cli_print_json(list);
	table_begin(&t, ">ID TARGET KIND UNTIL BY REASON", 1);
	json_array_foreach(list, i, o)
	{
		char id[24], until[32];
		cli_number(o, "id", 0, id, sizeof id);
		cli_time(o, "until", until, sizeof until);
		const char *cells[] = {id, cli_text(o, "target"), cli_text(o, "kind"), until, cli_text(o, "actor"), cli_text(o, "reason")};
		table_row(&t, "", cells);
	}
	table_print(&t, stdout, cli_width(), cli_colours());
	table_free(&t);
	json_decref(list);
	return CLI_DONE;
}
