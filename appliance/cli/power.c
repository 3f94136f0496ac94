/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gloryctl power: what the machines are switched by. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hostrange.h"
#include "base/memory.h"
#include "base/words.h"
#include "cli/cli.h"

static int get_nodes(struct cli *cli, const char *range, json_t **nodes)
{
	char *path = cli_path(cli, "/v1/nodes", range, NULL);
	struct error e;
	int rc = client_get(cli->client, path, nodes, &e);

	free(path);
	return rc ? cli_fail(&e) : CLI_DONE;
}

/* The nodes whose member has this word (NULL: all) as a range; NULL when there is none. */
static char *range_of(const json_t *nodes, const char *member, const char *word)
{
	struct name_list names = {0};
	json_t *o;
	size_t i;

	json_array_foreach(nodes, i, o)
	{
		if (!word || !strcmp(cli_text(o, member), word))
			name_list_add(&names, cli_text(o, "name"));
	}
	char *range = names.count ? hostrange_compress(&names) : NULL;
	name_list_free(&names);
	return range;
}

int power_status(struct cli *cli, char **arguments, int count)
{
	json_t *nodes, *o;
	size_t i;
	int rc = get_nodes(cli, arguments[0], &nodes);
	(void)count;

	if (rc || cli->json)
		return rc ? rc : cli_print_json(nodes);
	for (int p = POWER_ON; p >= POWER_UNKNOWN; p--) {
		char *range = range_of(nodes, "power", power_name(p));
		if (range)
			printf("%s: %s\n", power_name(p), range);
		free(range);
	}
	json_array_foreach(nodes, i, o)
	{
		if (json_is_true(json_object_get(o, "power_locked")))
			printf("locked: %s: %s: look at its wiring, then gloryctl node confirm-bmc %s\n",
			       cli_text(o, "name"),
			       cli_text(o, "cause")[0] ? cli_text(o, "cause") : "its BMC is not the one known",
			       cli_text(o, "name"));
	}
	json_decref(nodes);
	return CLI_DONE;
}

static bool destructive(const char *verb)
{
	return strcmp(verb, "on") && strcmp(verb, "identify");
}

/* The list is shown before several machines lose their power; the appliance itself refuses too. */
static int confirm(struct cli *cli, const char *verb, const char *target)
{
	json_t *nodes;
	int rc = get_nodes(cli, target, &nodes);
	size_t count = rc ? 0 : json_array_size(nodes);

	if (rc)
		return rc;
	char *range = range_of(nodes, "", NULL);
	json_decref(nodes);
	if (count > 1 && !cli->yes) {
		printf("%s of %zu nodes: %s\n", verb, count, range);
		rc = cli_fail_text("power", "more than one node wants a confirmation",
				   "look at the list, then repeat with --yes");
	}
	free(range);
	return rc;
}

int power_do(struct cli *cli, char **arguments, int count)
{
	const char *verb = cli->command->verb;
	int rc = destructive(verb) ? confirm(cli, verb, arguments[0]) : CLI_DONE;
	(void)count;

	return rc ? rc : job_begin(cli, "power", arguments[0], json_pack("{s:s}", "verb", verb));
}
