/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gloryctl node and group: lists, details, edits of the wanted state. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hostrange.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/words.h"
#include "cli/cli.h"
#include "cli/table.h"

/* --- lists ------------------------------------------------------------------------------------------- */

static int badness(const json_t *node)
{
	int level = words_value(WORDS_LEVEL, cli_text(node, "level"));

	/* unknown stands between normal and warning: it is neither, but wants a look */
	return (level == LEVEL_UNKNOWN ? 25 : level * 10) + (strcmp(cli_text(node, "verdict"), "up") ? 1 : 0);
}

static int by_badness(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	int difference = badness(y) - badness(x);

	return difference ? difference : strcmp(cli_text(x, "name"), cli_text(y, "name"));
}

static void add_node(struct table *t, const json_t *n)
{
	char cpu[16], mem[16], load[16], age[16], verdict[40];

	cli_number(n, "cpu_percent", 0, cpu, sizeof cpu);
	cli_number(n, "mem_percent", 0, mem, sizeof mem);
	cli_number(n, "load1", 1, load, sizeof load);
	cli_age(n, "since", age, sizeof age);
	text_format(verdict, sizeof verdict, "%s%s%s", cli_text(n, "verdict"),
		    json_is_true(json_object_get(n, "maintenance")) ? "(m)" : "",
		    json_is_true(json_object_get(n, "flapping")) ? "(f)" : "");
	const char *cells[] = {cli_text(n, "name"),
			       cli_text(n, "group"),
			       verdict,
			       cli_text(n, "level"),
			       cli_text(n, "power"),
			       cpu,
			       mem,
			       load,
			       age,
			       cli_text(n, "cause")};
	table_row(t, cli_text(n, "level"), cells);
}

void node_table(json_t *nodes, bool worst, size_t most)
{
	size_t count = json_array_size(nodes);
	json_t **rows = mem_array(count + 1, sizeof *rows);
	struct table t;

	for (size_t i = 0; i < count; i++)
		rows[i] = json_array_get(nodes, i);
	if (worst && count)
		qsort(rows, count, sizeof *rows, by_badness);
	table_begin(&t, "NODE GROUP VERDICT LEVEL POWER >CPU% >MEM% >LOAD >SINCE CAUSE", 3);
	for (size_t i = 0; i < count && i < most; i++)
		add_node(&t, rows[i]);
	table_print(&t, stdout, cli_width(), cli_colours());
	table_free(&t);
	free(rows);
}

int node_list(struct cli *cli, char **arguments, int count)
{
	static const char *const names[] = {"group", "verdict", "level", "power", "life", "rack", "switch", NULL};
	char *path = cli_path(cli, "/v1/nodes", count ? arguments[0] : NULL, names);
	struct error e;
	json_t *nodes;
	int rc = client_get(cli->client, path, &nodes, &e);

	free(path);
	if (rc)
		return cli_fail(&e);
	if (cli->json)
		return cli_print_json(nodes);
	node_table(nodes, cli_option(cli, "worst") != NULL, SIZE_MAX);
	json_decref(nodes);
	return CLI_DONE;
}

/* --- one node ---------------------------------------------------------------------------------------- */

static void print_value(const json_t *v, char *out, size_t size)
{
	if (json_is_string(v))
		text_copy(out, size, json_string_value(v));
	else if (json_is_integer(v))
		text_format(out, size, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (json_is_real(v))
		text_format(out, size, "%.6g", json_real_value(v));
	else
		text_copy(out, size, json_is_true(v) ? "yes" : json_is_false(v) ? "no" : "-");
}

void print_members(const json_t *object)
{
	json_t *all = json_copy((json_t *)(uintptr_t)object), *v;
	const char *key;
	char text[256];

	json_object_foreach(all, key, v)
	{
		if (json_is_array(v) || json_is_object(v) || json_is_null(v))
			continue;
		print_value(v, text, sizeof text);
		printf("%-18s %s\n", key, text);
	}
	json_decref(all);
}

static void print_evidence(const json_t *list)
{
	size_t i;
	json_t *o;

	json_array_foreach(list, i, o) printf("%-18s %s\n", i ? "" : "evidence", cli_text(o, "text"));
}

static void print_readings(const json_t *list, const char *heads, const char *name, const char *second,
			   const char *number)
{
	struct table t;
	char reading[32];
	size_t i;
	json_t *o;

	if (json_array_size(list) == 0)
		return;
	putchar('\n');
	table_begin(&t, heads, 4);
	json_array_foreach(list, i, o)
	{
		print_value(json_object_get(o, number), reading, sizeof reading);
		const char *cells[] = {cli_text(o, name),   cli_text(o, second),  reading,
				       cli_text(o, "unit"), cli_text(o, "level"), cli_text(o, "text")};
		table_row(&t, cli_text(o, "level"), cells);
	}
	table_print(&t, stdout, cli_width(), cli_colours());
	table_free(&t);
}

static void print_alarms(const json_t *list)
{
	size_t i;
	json_t *o;

	if (json_array_size(list))
		printf("\nactive alarms\n");
	json_array_foreach(list, i, o)
	    printf("  %" JSON_INTEGER_FORMAT " %s: %s%s\n", json_integer_value(json_object_get(o, "id")),
		   cli_text(o, "severity"), cli_text(o, "cause"),
		   json_is_null(json_object_get(o, "acknowledged")) ? "" : " (acknowledged)");
}

static int show_one(struct cli *cli, const char *name, bool first)
{
	char *path = client_path_part(cli->client, client_path("/v1/nodes/"), name);
	struct error e;
	json_t *node;
	int rc = client_get(cli->client, path, &node, &e);

	free(path);
	if (rc)
		return cli_fail(&e);
	if (cli->json)
		return cli_print_json(node);
	if (!first)
		putchar('\n');
	print_members(node);
	print_evidence(json_object_get(node, "evidence"));
	print_alarms(json_object_get(node, "alarms"));
	print_readings(json_object_get(node, "values"), "ITEM INSTANCE >VALUE UNIT LEVEL TEXT", "item", "instance",
		       "value");
	print_readings(json_object_get(node, "sensors"), "SENSOR TYPE >READING UNIT LEVEL TEXT", "name", "type",
		       "reading");
	json_decref(node);
	return CLI_DONE;
}

int node_show(struct cli *cli, char **arguments, int count)
{
	struct name_list names = {0};
	struct error e;
	int failed = 0;

	for (int i = 0; i < count; i++)
		if (hostrange_expand(arguments[i], &names, &e)) {
			name_list_free(&names);
			return cli_fail(&e);
		}
	for (size_t i = 0; i < names.count; i++)
		failed += show_one(cli, names.names[i], i == 0) != CLI_DONE;
	int code = failed == 0 ? CLI_DONE : (size_t)failed == names.count ? CLI_FAILED : CLI_PARTLY;
	name_list_free(&names);
	return code;
}

/* --- edits ------------------------------------------------------------------------------------------- */

static bool boolean(const char *text, bool *out)
{
	static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (!strcmp(words[i], text)) {
			*out = i % 2;
			return true;
		}
	return false;
}

/* The options that are arguments of the edit, as the JSON object of the command; NULL after having complained. */
static json_t *edit_arguments(const struct cli *cli)
{
	json_t *o = json_object();

	for (size_t i = 0; i < cli->given_count; i++) {
		const struct cli_option *option = cli->given[i].option;
		const char *text = cli->given[i].value;
		char name[40], time[32];
		int64_t number;
		bool flag;
		json_t *v = NULL;

		text_copy(name, sizeof name, option->name);
		for (char *p = name; *p; p++)
			*p = *p == '-' ? '_' : *p;
		if (option->kind == 't')
			v = json_string(text);
		else if (option->kind == 'u')
			v = json_string(text_seconds(text, 1, INT32_MAX, &number) ? clock_text(clock_wall_ms() + number * 1000, time, sizeof time)
										   : text);
		else if (option->kind == 'n' && text_integer(text, 0, INT32_MAX, &number))
			v = json_integer(number);
		else if (option->kind == 'b' && boolean(text, &flag))
			v = json_boolean(flag);
		if (!v) {
			cli_fail_text(option->name, "its value is not right",
				      option->kind == 'b' ? "use true or false" : "use a whole number");
			json_decref(o);
			return NULL;
		}
		json_object_set_new(o, option->kind == 'u' ? "maintenance_until" : name, v);
	}
	return o;
}

int cli_edit(struct cli *cli, const char *verb, const char *target)
{
	json_t *arguments = edit_arguments(cli), *answer;
	struct error e;

	if (!arguments)
		return CLI_USAGE;
	if (json_object_size(arguments) == 0 && strstr(verb, "-set"))
		return json_decref(arguments), cli_usage("say what is to be set");
	if (client_command(cli->client, verb, target, arguments, cli->yes, &answer, &e))
		return cli_fail(&e);
	if (cli->json)
		return cli_print_json(answer);
	json_decref(answer);
	return CLI_DONE;
}

int node_add(struct cli *cli, char **arguments, int count)
{
	(void)count;
	return cli_edit(cli, "node-add", arguments[0]);
}

int node_set(struct cli *cli, char **arguments, int count)
{
	(void)count;
	return cli_edit(cli, "node-set", arguments[0]);
}

int node_remove(struct cli *cli, char **arguments, int count)
{
	(void)count;
	return cli_edit(cli, "node-remove", arguments[0]);
}

int bmc_confirm(struct cli *cli, char **arguments, int count)
{
	(void)count;
	return cli_edit(cli, "confirm-bmc", arguments[0]);
}

int group_add(struct cli *cli, char **arguments, int count)
{
	(void)count;
	return cli_edit(cli, "group-add", arguments[0]);
}

int group_set(struct cli *cli, char **arguments, int count)
{
	(void)count;
	return cli_edit(cli, "group-set", arguments[0]);
}

int group_remove(struct cli *cli, char **arguments, int count)
{
	(void)count;
	return cli_edit(cli, "group-remove", arguments[0]);
}

/* --- groups ------------------------------------------------------------------------------------------ */

static void print_groups(const json_t *groups)
{
	struct table t;
	char nodes[16], up[16];
	size_t i;
	json_t *g;

	table_begin(&t, "GROUP LEVEL >NODES >UP POLICY DOMAIN CAUSE", 1);
	json_array_foreach(groups, i, g)
	{
		cli_number(g, "nodes", 0, nodes, sizeof nodes);
		cli_number(g, "up", 0, up, sizeof up);
		const char *cells[] = {
		    cli_text(g, "name"),         cli_text(g, "level"), nodes, up, cli_text(g, "policy"),
		    cli_text(g, "domain_state"), cli_text(g, "cause")};
		table_row(&t, cli_text(g, "level"), cells);
	}
	table_print(&t, stdout, cli_width(), cli_colours());
	table_free(&t);
}

int group_list(struct cli *cli, char **arguments, int count)
{
	static const char *const names[] = {"level", NULL};
	char *path = cli_path(cli, "/v1/groups", NULL, names);
	struct error e;
	json_t *groups;
	int rc = client_get(cli->client, path, &groups, &e);
	(void)arguments;
	(void)count;

	free(path);
	if (rc)
		return cli_fail(&e);
	if (cli->json)
		return cli_print_json(groups);
	print_groups(groups);
	json_decref(groups);
	return CLI_DONE;
}

int group_show(struct cli *cli, char **arguments, int count)
{
	char *path = client_path_add(cli->client, client_path("/v1/groups"), "name", arguments[0]), *nodes_path;
	struct error e;
	json_t *groups, *nodes;
	int rc = client_get(cli->client, path, &groups, &e);
	(void)count;

	free(path);
	if (rc)
		return cli_fail(&e);
	if (json_array_size(groups) == 0) {
		json_decref(groups);
		return cli_fail_text(arguments[0], "there is no such group", "see: gloryctl group list");
	}
	if (cli->json) {
		rc = cli_print_json(json_incref(json_array_get(groups, 0)));
		json_decref(groups);
		return rc;
	}
	print_members(json_array_get(groups, 0));
	json_decref(groups);
	nodes_path = client_path_add(cli->client, client_path("/v1/nodes"), "group", arguments[0]);
	rc = client_get(cli->client, nodes_path, &nodes, &e);
	free(nodes_path);
	if (rc)
		return cli_fail(&e);
	putchar('\n');
	node_table(nodes, true, SIZE_MAX);
	json_decref(nodes);
	return CLI_DONE;
}
