/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gloryctl node inventory: what BMCs know of the machines they are in. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/table.h"

static const char *either(const json_t *o, const char *first, const char *second)
{
	const char *text = cli_text(o, first);

	return text[0] ? text : cli_text(o, second);
}

int node_inventory(struct cli *cli, char **arguments, int count)
{
	char *path = client_path_add(cli->client, client_path("/v1/inventory"), "range", count ? arguments[0] : "@site");
	struct error e;
	json_t *list, *o;
	struct table t;
	size_t i;
	int rc = client_get(cli->client, path, &list, &e);

	free(path);
	if (rc)
		return cli_fail(&e);
	if (cli->json)
		return cli_print_json(list);
	table_begin(&t, "NODE MAKER PRODUCT PART VERSION SERIAL CHASSIS CHASSIS-SERIAL", 2);
	json_array_foreach(list, i, o)
	{
		const char *cells[] = {cli_text(o, "node"),
				       either(o, "product_maker", "board_maker"),
				       either(o, "product_name", "board_product"),
				       either(o, "product_part", "board_part"),
				       cli_text(o, "product_version"),
				       either(o, "product_serial", "board_serial"),
				       cli_text(o, "chassis_type"),
				       cli_text(o, "chassis_serial")};
		table_row(&t, "", cells);
	}
	table_print(&t, stdout, cli_width(), cli_colours());
	table_free(&t);
	json_decref(list);
	return CLI_DONE;
}
