/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gloryctl stats and stats idle: hours and days of nodes, groups and the site; which nodes could be switched off. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/table.h"

/* An item's figure for people: percent and loads with one decimal, bytes with K, M, G. "-" where there is none. */
static void figure(const json_t *row, const char *item, const char *name, bool bytes, char *out, size_t size)
{
	static const char units[] = " KMGT";
	const json_t *v = json_object_get(json_object_get(json_object_get(row, "items"), item), name);
	double value = json_number_value(v);
	size_t unit = 0;

	if (!json_is_number(v)) {
		text_copy(out, size, "-");
		return;
	}
	while (bytes && value >= 1000 && units[unit + 1]) {
		value /= 1000;
		unit++;
	}
	text_format(out, size, unit ? "%.1f%c" : "%.1f", value, units[unit]);
}

static void duration(const json_t *row, const char *member, char *out, size_t size)
{
	double s = json_number_value(json_object_get(row, member));

	if (s < 120)
		text_format(out, size, "%.*fs", s > 0 && s < 10 ? 1 : 0, s);
	else if (s < 7200)
		text_format(out, size, "%.0fm", s / 60);
	else if (s < 172800)
		text_format(out, size, "%.1fh", s / 3600);
	else
		text_format(out, size, "%.1fd", s / 86400);
}

static json_int_t incidents(const json_t *row)
{
	json_int_t sum = 0;
	const char *cause;
	json_t *count;

	json_object_foreach(json_object_get(row, "incidents"), cause, count)
		sum += json_integer_value(count);
	return sum;
}

static void add_row(struct table *t, const json_t *row)
{
	char from[24], watched[16], available[16], lost[16], times[16], cpu[16], mem[16], load[16], disk[16], net_in[16], net_out[16], kwh[16];
	double share = json_number_value(json_object_get(row, "availability_percent"));
	const char *level = json_is_number(json_object_get(row, "availability_percent")) && share < 99.9 ? share < 99 ? "major" : "warning" : "";

	cli_time(row, "from", from, sizeof from);
	duration(row, "watched_s", watched, sizeof watched);
	cli_number(row, "availability_percent", 3, available, sizeof available);
	duration(row, "lost_s", lost, sizeof lost);
	text_format(times, sizeof times, "%" JSON_INTEGER_FORMAT, incidents(row));
	figure(row, "cpu", "p95", false, cpu, sizeof cpu);
	figure(row, "mem", "p95", false, mem, sizeof mem);
	figure(row, "load1", "p95", false, load, sizeof load);
	figure(row, "disk_fill", "max", false, disk, sizeof disk);
	figure(row, "if_in", "p95", true, net_in, sizeof net_in);
	figure(row, "if_out", "p95", true, net_out, sizeof net_out);
	cli_number(row, "energy_kwh", 2, kwh, sizeof kwh);
	const char *cells[] = {cli_text(row, "object"), from, available, lost, times, cpu, mem, load, disk, net_in, net_out, kwh};
	table_row(t, level, cells);
}

/* The answer as it came, for --csv; JSON otherwise goes through the table. */
static int print_bytes(struct cli *cli, char *path)
{
	struct error e;
	char *bytes;
	size_t size;
	int rc = client_get_bytes(cli->client, path, &bytes, &size, &e);

	free(path);
	if (rc)
		return cli_fail(&e);
	bool whole = fwrite(bytes, 1, size, stdout) == size && fflush(stdout) == 0;
	free(bytes);
	return whole ? CLI_DONE : cli_fail_text("standard output", "cannot be written", "make room");
}

static char *common_path(struct cli *cli, const char *path, const char *range, const char *const *names)
{
	char *out = cli_path(cli, path, range, names);

	if (cli_option(cli, "now"))
		out = client_path_add(cli->client, out, "now", "1");
	if (cli_option(cli, "csv"))
		out = client_path_add(cli->client, out, "format", "csv");
	return out;
}

int stats_show(struct cli *cli, char **arguments, int count)
{
	static const char *const names[] = {"from", "to", "by", "top", "item", NULL};
	char *path = common_path(cli, "/v1/stats", count ? arguments[0] : NULL, names);
	struct error e;
	struct table t;
	json_t *list, *o;
	size_t i;

	if (cli_option(cli, "hourly") || cli_option(cli, "daily"))
		path = client_path_add(cli->client, path, "period", cli_option(cli, "hourly") ? "hour" : "day");
	if (cli_option(cli, "csv"))
		return print_bytes(cli, path);
	int rc = client_get(cli->client, path, &list, &e);
	free(path);
	if (rc || cli->json)
		return rc ? cli_fail(&e) : cli_print_json(list);
	table_begin(&t, "OBJECT FROM >AVAIL% >LOST >INCID >CPU95 >MEM95 >LOAD95 >DISKMAX >IN95 >OUT95 >KWH", 2);
	json_array_foreach(list, i, o)
		add_row(&t, o);
	table_print(&t, stdout, cli_width(), cli_colours());
	if (t.rows == 0)
		fprintf(stderr, "gloryctl: nothing is known of this time: --now shows the hour that runs\n");
	table_free(&t);
	json_decref(list);
	return CLI_DONE;
}

static void print_idle(const json_t *answer)
{
	struct table t;
	json_t *o;
	size_t i;

	table_begin(&t, "NODE GROUP >CPU95 >LOAD95 >IN95 >OUT95 >WATTS >KWH/MONTH", -1);
	json_array_foreach(json_object_get(answer, "nodes"), i, o)
	{
		char cpu[16], load[16], in[24], out[24], watts[16], kwh[16];
		cli_number(o, "cpu_p95", 1, cpu, sizeof cpu);
		cli_number(o, "load1_p95", 2, load, sizeof load);
		cli_number(o, "if_in_p95", 0, in, sizeof in);
		cli_number(o, "if_out_p95", 0, out, sizeof out);
		cli_number(o, "mean_w", 0, watts, sizeof watts);
		cli_number(o, "saved_kwh_month", 0, kwh, sizeof kwh);
		const char *cells[] = {cli_text(o, "object"), cli_text(o, "group"), cpu, load, in, out, watts, kwh};
		table_row(&t, "", cells);
	}
	table_print(&t, stdout, cli_width(), cli_colours());
	printf("%zu of %" JSON_INTEGER_FORMAT " nodes could be switched off, %.0f kWh a month", t.rows,
	       json_integer_value(json_object_get(answer, "considered")), json_number_value(json_object_get(answer, "saved_kwh_month")));
	json_int_t unknown = json_integer_value(json_object_get(answer, "without_power"));
	if (unknown)
		printf(" without %" JSON_INTEGER_FORMAT " whose power draw is not known", unknown);
	printf("\n");
	table_free(&t);
}

int stats_idle(struct cli *cli, char **arguments, int count)
{
	static const char *const names[] = {"from", "to", "cpu", "load", "net", NULL};
	char *path = common_path(cli, "/v1/stats/idle", count ? arguments[0] : NULL, names);
	struct error e;
	json_t *answer;

	if (cli_option(cli, "csv"))
		return print_bytes(cli, path);
	int rc = client_get(cli->client, path, &answer, &e);
	free(path);
	if (rc || cli->json)
		return rc ? cli_fail(&e) : cli_print_json(answer);
	print_idle(answer);
	json_decref(answer);
	return CLI_DONE;
}
