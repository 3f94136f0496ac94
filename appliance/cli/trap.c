/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gloryctl trap: what was heard, and whom we do not listen to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/table.h"

#define COLUMNS_MAX 9
#define VALUES_TEXT 512

/* Which members of an object stand under which heading; "values": all variable bindings. */
struct form {
	const char *headings;
	const char *members[COLUMNS_MAX];
};

static void put_values(const json_t *trap, char *out, size_t size)
{
	size_t i, used = 0;
	json_t *v;

	if (cli_text(trap, "event")[0]) { /* its octets in words say more */
		text_copy(out, size, cli_text(trap, "event"));
		return;
	}
	json_array_foreach(json_object_get(trap, "varbinds"), i, v)
	{
		text_append(out, size, &used, "%s%s=%s", i ? " " : "", cli_text(v, "name"), cli_text(v, "value"));
	}
}

static void put_cell(const json_t *o, const char *member, char *out)
{
	out[0] = '\0';
	if (!strcmp(member, "time"))
		cli_time(o, member, out, VALUES_TEXT);
	else if (!strcmp(member, "values"))
		put_values(o, out, VALUES_TEXT);
	else if (json_is_integer(json_object_get(o, member)))
		cli_number(o, member, 0, out, VALUES_TEXT);
	else
		text_copy(out, VALUES_TEXT, cli_text(o, member));
}

static int show(struct cli *cli, char *path, const struct form *form)
{
	struct error e;
	struct table t;
	json_t *list, *o;
	size_t i;
	int rc = client_get(cli->client, path, &list, &e);

	free(path);
	if (rc)
		return cli_fail(&e);
	if (cli->json)
		return cli_print_json(list);
	table_begin(&t, form->headings, -1);
	json_array_foreach(list, i, o)
	{
		char text[COLUMNS_MAX][VALUES_TEXT];
		const char *cells[COLUMNS_MAX];
		for (size_t k = 0; k < COLUMNS_MAX && form->members[k]; k++) {
			put_cell(o, form->members[k], text[k]);
			cells[k] = text[k];
		}
		table_row(&t, "", cells);
	}
	table_print(&t, stdout, cli_width(), cli_colours());
	table_free(&t);
	json_decref(list);
	return CLI_DONE;
}

int trap_list(struct cli *cli, char **arguments, int count)
{
	static const struct form form = {
	    ">ID TIME OBJECT SOURCE KIND VERSION ADDRESS TRAP VALUES",
	    {"id", "time", "object", "source", "kind", "version", "address", "oid", "values"}};
	static const char *const names[] = {"object", "from", NULL};
	const char *limit = cli_option(cli, "limit");
	char *path = cli_path(cli, "/v1/traps", count ? arguments[0] : NULL, names);

	if (!cli_option(cli, "from"))
		path = client_path_add(cli->client, path, "newest", "1");
	return show(cli, client_path_add(cli->client, path, "limit", limit ? limit : "50"), &form);
}

int trap_senders(struct cli *cli, char **arguments, int count)
{
	static const struct form form = {"ADDRESS >COUNT LAST REASON", {"address", "count", "time", "reason"}};
	(void)arguments;
	(void)count;

	return show(cli, client_path("/v1/traps/senders"), &form);
}
