/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gloryctl service: services with their members, why they have their size, and what people tell them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/table.h"

/* A share of 0 to 1 in percent, "-" for none. */
static void percent(const json_t *object, const char *member, char *out, size_t size)
{
	const json_t *v = json_object_get(object, member);

	if (json_is_number(v))
		text_format(out, size, "%.0f", 100 * json_number_value(v));
	else
		text_copy(out, size, "-");
}

/* "2-6", "2-6 pin 4" */
static void size_range(const json_t *o, char *out, size_t size)
{
	const json_t *pin = json_object_get(o, "pin");
	size_t used = 0;

	text_append(out, size, &used, "%lld-%lld", (long long)json_integer_value(json_object_get(o, "min")),
		    (long long)json_integer_value(json_object_get(o, "max")));
	if (json_is_integer(pin))
		text_append(out, size, &used, " pin %lld", (long long)json_integer_value(pin));
}

static void add_service(struct table *t, const json_t *o)
{
	static const char *const counts[] = {"coming", "going", "failed"};
	char number[3][16], ready[32], busy[16], connections[24], size[48];

	for (size_t i = 0; i < 3; i++)
		cli_number(o, counts[i], 0, number[i], sizeof number[i]);
	text_format(ready, sizeof ready, "%lld/%lld", (long long)json_integer_value(json_object_get(o, "in_service")),
		    (long long)json_integer_value(json_object_get(o, "wanted")));
	percent(o, "utilisation", busy, sizeof busy);
	cli_number(o, "connections", 0, connections, sizeof connections);
	size_range(o, size, sizeof size);
	const char *cells[] = {cli_text(o, "name"), cli_text(o, "state"), ready, number[0], number[1], number[2],
			       busy, connections, size, cli_text(o, cli_text(o, "cause")[0] ? "cause" : "reason")};
	table_row(t, cli_text(o, "level"), cells);
}

static void service_table(json_t *list)
{
	struct table t;
	json_t *o;
	size_t i;

	table_begin(&t, "SERVICE STATE >READY >COME >GO >FAIL >BUSY% >CONN SIZE REASON", 1);
	json_array_foreach(list, i, o)
		add_service(&t, o);
	cli_end_table(&t, list);
}

int service_list(struct cli *cli, char **arguments, int count)
{
	static const char *const names[] = {"state", "level", "pool", "balancer", NULL};
	json_t *list;
	int rc = cli_get_list(cli, cli_path(cli, "/v1/services", NULL, names), &list);
	(void)arguments;
	(void)count;

	if (rc || cli->json)
		return rc ? rc : cli_print_json(list);
	service_table(list);
	return CLI_DONE;
}

/* --- one service ----------------------------------------------------------------------------------------- */

static void add_member(struct table *t, const json_t *o)
{
	char since[16], weight[16], busy[16], connections[24], reason[160];

	cli_age(o, "since", since, sizeof since);
	cli_number(o, "weight", 0, weight, sizeof weight);
	percent(o, "utilisation", busy, sizeof busy);
	cli_number(o, "connections", 0, connections, sizeof connections);
	text_format(reason, sizeof reason, "%s%s", json_is_true(json_object_get(o, "stuck")) ? "stuck: " : "", cli_text(o, "reason"));
	const char *cells[] = {cli_text(o, "node"), cli_text(o, "state"), cli_text(o, "level"), since, cli_text(o, "probe"),
			       weight, busy, connections, reason};
	table_row(t, cli_text(o, "level"), cells);
}

static void print_service_members(const json_t *members)
{
	struct table t;
	json_t *o;
	size_t i;

	if (json_array_size(members) == 0)
		return;
	putchar('\n');
	table_begin(&t, "NODE STATE LEVEL >SINCE PROBE >WEIGHT >BUSY% >CONN REASON", 2);
	json_array_foreach(members, i, o)
		add_member(&t, o);
	table_print(&t, stdout, cli_width(), cli_colours());
	table_free(&t);
}

static void print_service_alarms(const json_t *list)
{
	size_t i;
	json_t *o;

	if (json_array_size(list))
		printf("\nactive alarms\n");
	json_array_foreach(list, i, o)
	    printf("  %" JSON_INTEGER_FORMAT " %s: %s\n", json_integer_value(json_object_get(o, "id")), cli_text(o, "severity"),
		   cli_text(o, "cause"));
}

int service_show(struct cli *cli, char **arguments, int count)
{
	json_t *service, *wanted = NULL;
	int rc = cli_get_list(cli, client_path_part(cli->client, client_path("/v1/services/"), arguments[0]), &service);
	(void)count;

	if (rc)
		return rc;
	rc = cli_wanted(cli, "service", arguments[0], &wanted);
	if (rc == 0) /* agent, probe and what else only the wanted state knows */
		json_object_update_missing(service, json_array_get(wanted, 0));
	json_decref(wanted);
	if (cli->json)
		return cli_print_json(service);
	print_members(service);
	print_service_alarms(json_object_get(service, "alarms"));
	print_service_members(json_object_get(service, "members"));
	json_decref(service);
	return rc;
}

int service_explain(struct cli *cli, char **arguments, int count)
{
	char *service = client_path_part(cli->client, client_path("/v1/services/"), arguments[0]);
	char *path = mem_format("%s/explain", service);
	json_t *list, *o;
	size_t i;
	int rc = cli_get_list(cli, path, &list);
	(void)count;

	free(service);
	if (rc || cli->json)
		return rc ? rc : cli_print_json(list);
	json_array_foreach(list, i, o)
		printf("%s%s%s\n", cli_text(o, "about"), cli_text(o, "about")[0] ? ": " : "", cli_text(o, "text"));
	json_decref(list);
	return CLI_DONE;
}

/* --- what people tell a service --------------------------------------------------------------------------- */

static int tell(struct cli *cli, const char *verb, const char *service, json_t *arguments)
{
	json_t *answer;
	struct error e;

	if (client_command(cli->client, verb, service, arguments, cli->yes, &answer, &e))
		return cli_fail(&e);
	json_int_t job = json_integer_value(json_object_get(answer, "job"));
	if (cli->json && (cli->no_wait || !job))
		return cli_print_json(answer);
	json_decref(answer);
	if (job && cli->no_wait)
		printf("job %" JSON_INTEGER_FORMAT "\n", job);
	return job && !cli->no_wait ? job_follow(cli, job) : CLI_DONE;
}

int service_pin(struct cli *cli, char **arguments, int count)
{
	const char *during = cli_option(cli, "for");
	int64_t size, seconds;
	char until[40];

	(void)count;
	if (!text_integer(arguments[1], 1, 4000, &size))
		return cli_usage("the size of a pin is a whole number from 1 to 4000");
	if (during && !text_seconds(during, 1, INT32_MAX, &seconds))
		return cli_usage("--for is a time such as 90s, 15m, 2h, 3d");
	json_t *o = json_pack("{s:I}", "pin", (json_int_t)size);
	if (during)
		json_object_set_new(o, "pin_until", json_string(clock_text(clock_wall_ms() + seconds * 1000, until, sizeof until)));
	return tell(cli, "service-set", arguments[0], o);
}

int service_unpin(struct cli *cli, char **arguments, int count)
{
	(void)count;
	return tell(cli, "service-set", arguments[0], json_pack("{s:i}", "pin", 0));
}

int service_enable(struct cli *cli, char **arguments, int count)
{
	(void)count;
	return tell(cli, "service-set", arguments[0], json_pack("{s:b}", "enabled", !strcmp(cli->command->verb, "enable")));
}

int service_act(struct cli *cli, char **arguments, int count)
{
	(void)count;
	return tell(cli, "service-act", arguments[0], json_pack("{s:s}", "act", cli->command->verb));
}
