/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gloryctl node run, node role, gloryctl software install|upgrade|uninstall|status: what goes over node control. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/table.h"

int node_run(struct cli *cli, char **arguments, int count)
{
	json_t *o = json_pack("{s:s}", "verb", arguments[1]);
	char key[64];

	for (int i = 2; i < count; i++) {
		const char *equals = strchr(arguments[i], '=');
		if (!equals || equals == arguments[i] || !text_format(key, sizeof key, "%.*s", (int)(equals - arguments[i]), arguments[i])) {
			json_decref(o);
			return cli_usage("arguments of the verb are written KEY=VALUE");
		}
		json_object_set_new(o, key, json_string(equals + 1));
	}
	return job_begin(cli, "run", arguments[0], o);
}

int node_role(struct cli *cli, char **arguments, int count)
{
	const char *pool = cli_option(cli, "pool");
	(void)count;

	if (!pool)
		return cli_usage("--pool wants the name of the pool they go to");
	return job_begin(cli, "node-role", arguments[0], json_pack("{s:s}", "pool", pool));
}

int software_act(struct cli *cli, char **arguments, int count)
{
	const char *verb = cli->command->verb, *batch = cli_option(cli, "batch");
	json_t *o = json_pack("{s:s,s:s}", "act", !strcmp(verb, "uninstall") ? "remove" : verb, "software", arguments[1]);
	int64_t number;
	(void)count;

	if (batch && !text_integer(batch, 1, 20000, &number)) {
		json_decref(o);
		return cli_usage("--batch wants a number of nodes");
	}
	if (batch)
		json_object_set_new(o, "batch", json_integer(number));
	return job_begin(cli, "software", arguments[0], o);
}

int software_status(struct cli *cli, char **arguments, int count)
{
	json_t *list, *o;
	struct table t;
	size_t i;
	int rc = cli_get_list(cli, cli_path(cli, "/v1/software-states", count ? arguments[0] : NULL, NULL), &list);

	if (rc)
		return rc;
	for (i = 0; count > 1 && i < json_array_size(list);)
		if (strcmp(cli_text(json_array_get(list, i), "software"), arguments[1]) != 0)
			json_array_remove(list, i);
		else
			i++;
	if (cli->json)
		return cli_print_json(list);
	table_begin(&t, "NODE SOFTWARE STATE VERSION >SINCE TEXT", -1);
	json_array_foreach(list, i, o)
	{
		char age[16];
		cli_age(o, "time", age, sizeof age);
		const char *cells[] = {cli_text(o, "node"), cli_text(o, "software"), cli_text(o, "state"), cli_text(o, "version"), age, cli_text(o, "text")};
		table_row(&t, "", cells);
	}
	cli_end_table(&t, list);
	return CLI_DONE;
}
