/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gloryctl pool, balancer and software: lists, details, and edits of them and of services. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/table.h"

int object_edit(struct cli *cli, char **arguments, int count)
{
	char verb[40];

	(void)count;
	text_format(verb, sizeof verb, "%s-%s", cli->command->noun, cli->command->verb);
	return cli_edit(cli, verb, arguments[0]);
}

int cli_wanted(struct cli *cli, const char *kind, const char *name, json_t **list)
{
	char *path = client_path_add(cli->client, client_path("/v1/wanted"), "kind", kind);

	return cli_get_list(cli, client_path_add(cli->client, path, "name", name), list);
}

/* The row of that name from a list of the board, with what only the wanted state knows. CLI_DONE with *out, or the exit code. */
static int get_one(struct cli *cli, const char *path, const char *kind, const char *name, json_t **out)
{
	json_t *rows, *wanted;
	int rc = cli_wanted(cli, kind, name, &wanted);

	if (rc)
		return rc;
	rc = cli_get_list(cli, client_path_add(cli->client, client_path(path), "name", name), &rows);
	if (rc == 0) {
		*out = json_array_size(rows) ? json_incref(json_array_get(rows, 0)) : json_object();
		json_object_update_missing(*out, json_array_get(wanted, 0));
		json_decref(rows);
	}
	json_decref(wanted);
	return rc;
}

/* --- pools ------------------------------------------------------------------------------------------------ */

int pool_list(struct cli *cli, char **arguments, int count)
{
	static const char *const counts[] = {"nodes", "free", "allocated", "unfit", "reserve", "wanted_more", "spares"};
	json_t *list, *o;
	struct table t;
	size_t i;
	int rc = cli_get_list(cli, client_path("/v1/pools"), &list);
	(void)arguments;
	(void)count;

	if (rc || cli->json)
		return rc ? rc : cli_print_json(list);
	table_begin(&t, "POOL >NODES >FREE >ALLOCATED >UNFIT >RESERVE >MISSING >SPARES SCOPE", -1);
	json_array_foreach(list, i, o)
	{
		char number[COUNT_OF(counts)][16];
		for (size_t k = 0; k < COUNT_OF(counts); k++)
			cli_number(o, counts[k], 0, number[k], sizeof number[k]);
		const char *cells[] = {cli_text(o, "name"), number[0], number[1], number[2], number[3], number[4], number[5], number[6], cli_text(o, "scope")};
		table_row(&t, "", cells);
	}
	cli_end_table(&t, list);
	return CLI_DONE;
}

int pool_show(struct cli *cli, char **arguments, int count)
{
	json_t *pool;
	int rc = get_one(cli, "/v1/pools", "pool", arguments[0], &pool);
	(void)count;

	if (rc || cli->json)
		return rc ? rc : cli_print_json(pool);
	print_members(pool);
	json_decref(pool);
	return CLI_DONE;
}

/* --- software --------------------------------------------------------------------------------------------- */

int software_list(struct cli *cli, char **arguments, int count)
{
	json_t *list, *o;
	struct table t;
	size_t i;
	int rc = cli_wanted(cli, "software", NULL, &list);
	(void)arguments;
	(void)count;

	if (rc || cli->json)
		return rc ? rc : cli_print_json(list);
	table_begin(&t, "SOFTWARE KIND PACKAGE VERSION TARGET SOURCE", -1);
	json_array_foreach(list, i, o)
	{
		const char *cells[] = {cli_text(o, "name"), cli_text(o, "kind"), cli_text(o, "package"), cli_text(o, "version"),
				       cli_text(o, "target"), cli_text(o, "source")};
		table_row(&t, "", cells);
	}
	cli_end_table(&t, list);
	return CLI_DONE;
}

int software_show(struct cli *cli, char **arguments, int count)
{
	json_t *list;
	int rc = cli_wanted(cli, "software", arguments[0], &list);
	(void)count;

	if (rc)
		return rc;
	if (cli->json)
		rc = cli_print_json(json_incref(json_array_get(list, 0)));
	else
		print_members(json_array_get(list, 0));
	json_decref(list);
	return rc;
}

/* --- balancers -------------------------------------------------------------------------------------------- */

int balancer_list(struct cli *cli, char **arguments, int count)
{
	static const char *const names[] = {"state", "driver", "level", NULL};
	static const char *const counts[] = {"virtuals", "reals", "commands", "repairs"};
	json_t *list, *o;
	struct table t;
	size_t i;
	int rc = cli_get_list(cli, cli_path(cli, "/v1/balancers", NULL, names), &list);
	(void)arguments;
	(void)count;

	if (rc || cli->json)
		return rc ? rc : cli_print_json(list);
	table_begin(&t, "BALANCER DRIVER STATE >VIRT >REAL >SENT >MENDED >READ CAUSE", 2);
	json_array_foreach(list, i, o)
	{
		char number[4][24], age[16];
		for (size_t k = 0; k < 4; k++)
			cli_number(o, counts[k], 0, number[k], sizeof number[k]);
		cli_age(o, "read", age, sizeof age);
		const char *cells[] = {cli_text(o, "name"), cli_text(o, "driver"), cli_text(o, "state"), number[0], number[1], number[2],
				       number[3], age, cli_text(o, "cause")};
		table_row(&t, cli_text(o, "level"), cells);
	}
	cli_end_table(&t, list);
	return CLI_DONE;
}

static void add_virtual(struct table *t, const json_t *v)
{
	char address[80];
	json_int_t mark = json_integer_value(json_object_get(v, "mark"));

	text_copy(address, sizeof address, cli_text(v, "address"));
	if (mark)
		text_format(address, sizeof address, "mark %lld", (long long)mark);
	const char *cells[] = {cli_text(v, "virtual"), "", address, "", "", "", "", "", cli_text(v, "scheduler")};
	table_row(t, "", cells);
}

int balancer_remove(struct cli *cli, char **arguments, int count)
{
	json_t *answer, *none = json_object();
	struct error e;
	(void)count;

	if (client_command(cli->client, "balancer-remove", arguments[0], none, cli->yes, &answer, &e))
		return cli_fail(&e);
	if (cli->json)
		return cli_print_json(answer);
	if (cli_text(answer, "text")[0])
		printf("%s: %s\n", arguments[0], cli_text(answer, "text"));
	json_decref(answer);
	return CLI_DONE;
}

static void add_real(struct table *t, const char *virtual_name, const json_t *r)
{
	char weight[16], number[4][24];

	cli_number(r, "weight", 0, weight, sizeof weight);
	cli_number(r, "active", 0, number[0], sizeof number[0]);
	cli_number(r, "connections", 0, number[1], sizeof number[1]);
	cli_number(r, "bytes_in", 0, number[2], sizeof number[2]);
	cli_number(r, "bytes_out", 0, number[3], sizeof number[3]);
	const char *cells[] = {virtual_name, cli_text(r, "name"), cli_text(r, "address"), weight, number[0], number[1],
			       number[2], number[3], json_is_true(json_object_get(r, "failing")) ? "failing" : ""};
	table_row(t, "", cells);
}

/* What was read back at one director: virtual servers, each with its real servers; one with many comes in several pieces. */
static void print_director(const json_t *list, const char *director)
{
	const char *before = "";
	struct table t;
	json_t *v, *r;
	size_t i, k;

	table_begin(&t, "VIRTUAL REAL ADDRESS >WEIGHT >NOW >CONN >IN >OUT STATE", -1);
	json_array_foreach(list, i, v)
	{
		if (strcmp(cli_text(v, "director"), director) != 0)
			continue;
		if (cli_text(v, "virtual")[0] && strcmp(before, cli_text(v, "virtual")) != 0)
			add_virtual(&t, v);
		before = cli_text(v, "virtual");
		json_array_foreach(json_object_get(v, "reals"), k, r)
			add_real(&t, before, r);
	}
	table_print(&t, stdout, cli_width(), cli_colours());
	table_free(&t);
}

/* Of a pair each director for itself, with its state. */
static void print_picture(const json_t *list)
{
	const char *before = "";
	bool pair = false;
	json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
	pair = pair || strcmp(cli_text(v, "director"), cli_text(json_array_get(list, 0), "director")) != 0;
	if (json_array_size(list) == 0) {
		putchar('\n');
		print_director(list, "");
	}
	json_array_foreach(list, i, v)
	{
		if (i && !strcmp(before, cli_text(v, "director")))
			continue;
		before = cli_text(v, "director");
		putchar('\n');
		if (pair)
			printf("director %s: %s%s%s\n", before, cli_text(v, "state"), cli_text(v, "cause")[0] ? ": " : "", cli_text(v, "cause"));
		print_director(list, before);
	}
}

int balancer_show(struct cli *cli, char **arguments, int count)
{
	json_t *balancer, *read_back;
	int rc = get_one(cli, "/v1/balancers", "balancer", arguments[0], &balancer);
	(void)count;

	if (rc)
		return rc;
	rc = cli_get_list(cli, client_path_part(cli->client, client_path("/v1/balancers/"), arguments[0]), &read_back);
	if (rc == 0)
		json_object_set_new(balancer, "read_back", read_back);
	if (cli->json)
		return cli_print_json(balancer);
	print_members(balancer);
	if (rc == 0)
		print_picture(read_back);
	json_decref(balancer);
	return rc;
}
