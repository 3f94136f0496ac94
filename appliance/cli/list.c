/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gloryctl sensor, alarm, event. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/table.h"

#define FOLLOW_MS 1000

int cli_get_list(struct cli *cli, char *path, json_t **list)
{
	struct error e;
	int rc = client_get(cli->client, path, list, &e);

	free(path);
	return rc ? cli_fail(&e) : CLI_DONE;
}

void cli_end_table(struct table *t, json_t *list)
{
	table_print(t, stdout, cli_width(), cli_colours());
	table_free(t);
	json_decref(list);
}

int sensor_list(struct cli *cli, char **arguments, int count)
{
	static const char *const names[] = {"level", "state", "type", NULL};
	json_t *list, *o;
	struct table t;
	size_t i;
	int rc = cli_get_list(cli, cli_path(cli, "/v1/sensors", count ? arguments[0] : NULL, names), &list);

	if (rc || cli->json)
		return rc ? rc : cli_print_json(list);
	table_begin(&t, "NODE SENSOR TYPE >READING UNIT LEVEL STATE TEXT", 5);
	json_array_foreach(list, i, o)
	{
		char reading[32] = "-";
		const json_t *v = json_object_get(o, "reading");
		if (json_is_number(v))
			text_format(reading, sizeof reading, "%.6g", json_number_value(v));
		const char *cells[] = {
		    cli_text(o, "node"), cli_text(o, "name"),  cli_text(o, "type"),  reading,
		    cli_text(o, "unit"), cli_text(o, "level"), cli_text(o, "state"), cli_text(o, "text")};
		table_row(&t, cli_text(o, "level"), cells);
	}
	cli_end_table(&t, list);
	return CLI_DONE;
}

int alarm_list(struct cli *cli, char **arguments, int count)
{
	static const char *const names[] = {"severity", "object", NULL};
	char *path = cli_path(cli, "/v1/alarms", count ? arguments[0] : NULL, names);
	json_t *list, *o;
	struct table t;
	size_t i;

	if (!cli_option(cli, "all"))
		path = client_path_add(cli->client, path, "active", "1");
	int rc = cli_get_list(cli, path, &list);
	if (rc || cli->json)
		return rc ? rc : cli_print_json(list);
	table_begin(&t, ">ID SEVERITY OBJECT KIND >COUNT >SINCE STATE CAUSE", 1);
	json_array_foreach(list, i, o)
	{
		char id[24], times[24], age[16];
		cli_number(o, "id", 0, id, sizeof id);
		cli_number(o, "count", 0, times, sizeof times);
		cli_age(o, "first", age, sizeof age);
		const char *state = cli_text(o, "cleared")[0]        ? "cleared"
				    : json_is_true(json_object_get(o, "flapping")) ? "flapping"
				    : cli_text(o, "acknowledged")[0] ? "acked"
								     : "active";
		const char *cells[] = {
		    id,    cli_text(o, "severity"), cli_text(o, "object"), cli_text(o, "kind"), times, age,
		    state, cli_text(o, "cause")};
		table_row(&t, cli_text(o, "severity"), cells);
	}
	cli_end_table(&t, list);
	return CLI_DONE;
}

int alarm_ack(struct cli *cli, char **arguments, int count)
{
	char *ids = mem_strdup(arguments[0]);
	struct error e;
	json_t *answer;

	for (int i = 1; i < count; i++) {
		char *longer = mem_format("%s,%s", ids, arguments[i]);
		free(ids);
		ids = longer;
	}
	int rc = client_command(cli->client, "alarm-ack", ids, NULL, cli->yes, &answer, &e);
	free(ids);
	if (rc)
		return cli_fail(&e);
	if (cli->json)
		return cli_print_json(answer);
	json_decref(answer);
	return CLI_DONE;
}

/* --- events ------------------------------------------------------------------------------------------ */

static void print_event(const struct cli *cli, const json_t *o)
{
	static const char *const says[][2] = {{"verdict", "verdict"},
					      {"level", "level"},
					      {"alarm-raise", "severity"},
					      {"alarm-clear", "severity"},
					      {"job-end", "job_state"},
					      {"service", "service_state"},
					      {"balancer", "balancer_state"}};
	const char *kind = cli_text(o, "kind"), *what = "";
	char time[32];

	if (cli->json) {
		json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
		return;
	}
	for (size_t i = 0; i < COUNT_OF(says); i++)
		if (!strcmp(says[i][0], kind))
			what = cli_text(o, says[i][1]);
	cli_time(o, "time", time, sizeof time);
	printf("%" JSON_INTEGER_FORMAT "  %s  %-11s  %s: %s%s%s\n", json_integer_value(json_object_get(o, "id")), time,
	       kind, cli_text(o, "object"), what, cli_text(o, "cause")[0] ? ", " : "", cli_text(o, "cause"));
}

/* Prints what has come; the id of the newest. */
static json_int_t print_events(const struct cli *cli, const json_t *list, json_int_t last)
{
	size_t i;
	json_t *o;

	json_array_foreach(list, i, o)
	{
		json_int_t id = json_integer_value(json_object_get(o, "id"));
		print_event(cli, o);
		last = id > last ? id : last;
	}
	fflush(stdout);
	return last;
}

/* Goes on until interrupted; an appliance that restarts is waited for. */
static int follow(struct cli *cli, json_int_t last)
{
	struct error e;
	json_t *list;
	char from[24];

	for (;;) {
		cli_pause(FOLLOW_MS);
		text_format(from, sizeof from, "%" JSON_INTEGER_FORMAT, last + 1);
		char *path = client_path_add(cli->client, client_path("/v1/events"), "from", from);
		path = client_path_add(cli->client, path, "object", cli_option(cli, "object"));
		int rc = client_get(cli->client, path, &list, &e);
		free(path);
		if (rc == ERR_REFUSED || rc == ERR_CONFIG || ferror(stdout))
			return cli_fail(&e);
		if (rc == 0)
			last = print_events(cli, list, last);
		json_decref(list);
	}
}

int event_list(struct cli *cli, char **arguments, int count)
{
	static const char *const names[] = {"from", "object", NULL};
	const char *limit = cli_option(cli, "limit");
	char *path = cli_path(cli, "/v1/events", NULL, names);
	json_t *list;
	(void)arguments;
	(void)count;

	if (!cli_option(cli, "from"))
		path = client_path_add(cli->client, path, "newest", "1");
	int rc = cli_get_list(cli, client_path_add(cli->client, path, "limit", limit ? limit : "50"), &list);
	if (rc)
		return rc;
	if (cli->json && !cli_option(cli, "follow"))
		return cli_print_json(list);
	json_int_t last = print_events(cli, list, 0);
	json_decref(list);
	return cli_option(cli, "follow") ? follow(cli, last) : CLI_DONE;
}
