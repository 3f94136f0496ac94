/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gloryctl sel: the event logs of BMCs, as the appliance has kept them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/table.h"

/* "2026-01-31 12:00:00" by the BMC's clock, or how long after its start. */
static void bmc_time(const json_t *o, char *out, size_t size)
{
	const json_t *since = json_object_get(o, "since_start_s");

	if (json_is_integer(since))
		text_format(out, size, "start + %llds", (long long)json_integer_value(since));
	else
		cli_time(o, "time", out, size);
}

static void print_entries(const json_t *list)
{
	struct table t;
	size_t i;
	json_t *o;

	table_begin(&t, "NODE >RECORD BMC-TIME SEEN LEVEL TYPE SENSOR EVENT", 7);
	json_array_foreach(list, i, o)
	{
		char at[32], seen[32], record[16], event[192];
		bmc_time(o, at, sizeof at);
		cli_time(o, "seen", seen, sizeof seen);
		cli_number(o, "record", 0, record, sizeof record);
		text_format(event, sizeof event, "%s%s", cli_text(o, "event"),
			    strcmp(cli_text(o, "direction"), "deasserted") ? "" : " (ended)");
		const char *cells[] = {cli_text(o, "node"), record,  at, seen, cli_text(o, "level"), cli_text(o, "type"),
				       cli_text(o, "sensor"), event};
		table_row(&t, cli_text(o, "level"), cells);
	}
	table_print(&t, stdout, cli_width(), cli_colours());
	table_free(&t);
}

int sel_list(struct cli *cli, char **arguments, int count)
{
	const char *limit = cli_option(cli, "limit");
	char *path = client_path_add(cli->client, client_path("/v1/sel"), "range", count ? arguments[0] : "@site");
	struct error e;
	json_t *list;

	path = client_path_add(cli->client, path, "limit", limit ? limit : "50");
	int rc = client_get(cli->client, path, &list, &e);
	free(path);
	if (rc)
		return cli_fail(&e);
	if (cli->json)
		return cli_print_json(list);
	print_entries(list);
	json_decref(list);
	return CLI_DONE;
}

int sel_read(struct cli *cli, char **arguments, int count)
{
	struct error e;
	json_t *answer;
	(void)count;

	if (client_command(cli->client, "sel-read", arguments[0], NULL, cli->yes, &answer, &e))
		return cli_fail(&e);
	if (cli->json)
		return cli_print_json(answer);
	json_decref(answer);
	return CLI_DONE;
}

int sel_clear(struct cli *cli, char **arguments, int count)
{
	struct error e;
	json_t *answer, *o;
	size_t i;
	(void)count;

	if (client_command(cli->client, "sel-clear", arguments[0], NULL, cli->yes, &answer, &e))
		return cli_fail(&e);
	const json_t *failed = json_object_get(answer, "failed");
	int code = json_array_size(failed) == 0                                         ? CLI_DONE
		   : json_integer_value(json_object_get(answer, "cleared")) ? CLI_PARTLY
									    : CLI_FAILED;
	if (cli->json) {
		cli_print_json(answer);
		return code;
	}
	json_array_foreach(failed, i, o)
		cli_fail_text(cli_text(o, "node"), cli_text(o, "text"), "see: gloryctl node show");
	json_decref(answer);
	return code;
}
