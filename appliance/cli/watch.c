/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gloryctl watch: process watches and their states on nodes; gloryctl node top. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/table.h"

#define ANY 100000 /* max of a watch that has none */

int watch_list(struct cli *cli, char **arguments, int count)
{
	json_t *list, *o;
	struct table t;
	size_t i;
	int rc = cli_get_list(cli, client_path("/v1/watches"), &list);
	(void)arguments;
	(void)count;

	if (rc || cli->json)
		return rc ? rc : cli_print_json(list);
	table_begin(&t, "WATCH PROCESS ARGUMENTS >WANTED >EVERY SCOPE >NODES >OK >FEW >MANY >UNKNOWN", -1);
	json_array_foreach(list, i, o)
	{
		const json_t *by = json_object_get(o, "by_state");
		json_int_t min = json_integer_value(json_object_get(o, "min")), max = json_integer_value(json_object_get(o, "max"));
		char wanted[32], every[24], nodes[16], ok[16], few[16], many[16], unknown[16];
		text_format(wanted, sizeof wanted, max >= ANY ? "%lld-" : "%lld-%lld", (long long)min, (long long)max);
		text_format(every, sizeof every, "%" JSON_INTEGER_FORMAT "s", json_integer_value(json_object_get(o, "interval_s")));
		cli_number(o, "nodes", 0, nodes, sizeof nodes);
		cli_number(by, "ok", 0, ok, sizeof ok);
		cli_number(by, "too-few", 0, few, sizeof few);
		cli_number(by, "too-many", 0, many, sizeof many);
		cli_number(by, "unknown", 0, unknown, sizeof unknown);
		const char *cells[] = {cli_text(o, "name"), cli_text(o, "process"), cli_text(o, "arguments"), wanted, every,
				       cli_text(o, "scope"), nodes, ok, few, many, unknown};
		table_row(&t, "", cells);
	}
	cli_end_table(&t, list);
	return CLI_DONE;
}

int watch_show(struct cli *cli, char **arguments, int count)
{
	static const char *const names[] = {"state", "level", NULL};
	char *path = cli_path(cli, "/v1/watch-states", count > 1 ? arguments[1] : NULL, names);
	json_t *list, *o;
	struct table t;
	size_t i;
	int rc = cli_get_list(cli, client_path_add(cli->client, path, "watch", arguments[0]), &list);

	if (rc || cli->json)
		return rc ? rc : cli_print_json(list);
	table_begin(&t, "NODE STATE LEVEL >COUNT >CPU% >MEM_MIB >RESTARTS >READ", 2);
	json_array_foreach(list, i, o)
	{
		char number[16], cpu[16], mem[24] = "-", restarts[24], age[16];
		const json_t *bytes = json_object_get(o, "mem_bytes");
		cli_number(o, "count", 0, number, sizeof number);
		cli_number(o, "cpu_percent", 1, cpu, sizeof cpu);
		cli_number(o, "restarts", 0, restarts, sizeof restarts);
		cli_age(o, "time", age, sizeof age);
		if (json_is_number(bytes))
			text_format(mem, sizeof mem, "%.1f", json_number_value(bytes) / 1048576);
		const char *cells[] = {cli_text(o, "node"), cli_text(o, "state"), cli_text(o, "level"), number, cpu, mem, restarts, age};
		table_row(&t, cli_text(o, "level"), cells);
	}
	cli_end_table(&t, list);
	return CLI_DONE;
}

int watch_add(struct cli *cli, char **arguments, int count)
{
	(void)count;
	return cli_edit(cli, "watch-add", arguments[0]);
}

int watch_set(struct cli *cli, char **arguments, int count)
{
	(void)count;
	return cli_edit(cli, "watch-set", arguments[0]);
}

int watch_remove(struct cli *cli, char **arguments, int count)
{
	(void)count;
	return cli_edit(cli, "watch-remove", arguments[0]);
}

static void print_top(const json_t *answer)
{
	char over[24];
	struct table t;
	size_t i;
	json_t *o;

	cli_number(answer, "over_s", 0, over, sizeof over);
	printf("%s: %lld processes, processor time over %s s\n", cli_text(answer, "node"),
	       (long long)json_integer_value(json_object_get(answer, "processes")), over);
	table_begin(&t, ">PID NAME >CPU% >CPU_S >MEM_MIB STATE ARGUMENTS", -1);
	json_array_foreach(json_object_get(answer, "top"), i, o)
	{
		char pid[16], cpu[16], total[24], mem[24];
		cli_number(o, "process", 0, pid, sizeof pid);
		cli_number(o, "cpu_percent", 1, cpu, sizeof cpu);
		cli_number(o, "cpu_s", 0, total, sizeof total);
		text_format(mem, sizeof mem, "%.1f", json_number_value(json_object_get(o, "mem_bytes")) / 1048576);
		const char *cells[] = {pid, cli_text(o, "name"), cpu, total, mem, cli_text(o, "state"), cli_text(o, "arguments")};
		table_row(&t, "", cells);
	}
	table_print(&t, stdout, cli_width(), cli_colours());
	table_free(&t);
}

int node_top(struct cli *cli, char **arguments, int count)
{
	char *path = client_path_add(cli->client, client_path("/v1/top"), "node", arguments[0]);
	struct error e;
	json_t *answer;

	path = client_path_add(cli->client, path, "limit", count > 1 ? arguments[1] : "10");
	if (isatty(STDERR_FILENO) && !cli->json)
		fputs("most agents look at their processes every 30 s: this takes up to a minute\n", stderr);
	int rc = client_get(cli->client, path, &answer, &e);
	free(path);
	if (rc)
		return cli_fail(&e);
	if (cli->json)
		return cli_print_json(answer);
	print_top(answer);
	json_decref(answer);
	return CLI_DONE;
}
