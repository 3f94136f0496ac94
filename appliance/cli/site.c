/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gloryctl site and top: the whole at a glance. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/table.h"

#define REFRESH_MS 2000
#define HEADER_LINES 8

/* "11 up, 1 os-hung": the members of an object of counts that are not 0. */
static void print_counts(const char *head, const json_t *counts)
{
	json_t *all = json_copy((json_t *)(uintptr_t)counts), *v;
	const char *word, *between = "";

	printf("%-12s", head);
	json_object_foreach(all, word, v)
	{
		if (json_integer_value(v) == 0)
			continue;
		printf("%s%" JSON_INTEGER_FORMAT " %s", between, json_integer_value(v), word);
		between = ", ";
	}
	printf("%s\n", between[0] ? "" : "none");
	json_decref(all);
}

void site_print(const json_t *site)
{
	const json_t *own = json_object_get(site, "appliance");
	const char *level = cli_text(site, "level"), *colour = cli_colours() ? table_colour(level) : "";
	char start[32];

	cli_time(own, "start", start, sizeof start);
	printf("%-12s%s: %s%s%s%s%s\n", "site", cli_text(site, "name"), colour, level, colour[0] ? TABLE_PLAIN : "",
	       cli_text(site, "cause")[0] ? ": " : "", cli_text(site, "cause"));
	print_counts("nodes", json_object_get(site, "by_verdict"));
	print_counts("levels", json_object_get(site, "by_level"));
	print_counts("alarms", json_object_get(site, "alarms_by_severity"));
	printf("%-12s%s, version %s, %s since %s\n", "appliance", cli_text(own, "name"), cli_text(own, "version"),
	       cli_text(own, "role"), start);
	printf("%-12s%" JSON_INTEGER_FORMAT " a second, %" JSON_INTEGER_FORMAT " late, %" JSON_INTEGER_FORMAT
	       " samples dropped\n",
	       "polls", json_integer_value(json_object_get(own, "polls_per_second")),
	       json_integer_value(json_object_get(own, "late_polls")),
	       json_integer_value(json_object_get(own, "dropped_samples")));
	if (json_is_true(json_object_get(own, "judgement_suspended")))
		printf("%-12ssuspended: verdicts are old%s%s\n", "judgement",
		       cli_text(own, "suspended_why")[0] ? ": " : "", cli_text(own, "suspended_why"));
	if (cli_text(own, "store_trouble")[0])
		printf("%-12s%s\n", "store", cli_text(own, "store_trouble"));
}

int site_show(struct cli *cli, char **arguments, int count)
{
	struct error e;
	json_t *site;
	(void)arguments;
	(void)count;

	if (client_get(cli->client, "/v1/site", &site, &e))
		return cli_fail(&e);
	if (cli->json)
		return cli_print_json(site);
	site_print(site);
	json_decref(site);
	return CLI_DONE;
}

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static size_t lines_of_terminal(void)
{
	struct winsize w;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_row > HEADER_LINES + 3 ? w.ws_row : 24;
}

static int show_once(struct cli *cli)
{
	json_t *site, *nodes;
	struct error e;

	if (client_get(cli->client, "/v1/site", &site, &e))
		return cli_fail(&e);
	if (isatty(STDOUT_FILENO))
		fputs("\033[H\033[2J", stdout);
	site_print(site);
	json_decref(site);
	if (client_get(cli->client, "/v1/nodes", &nodes, &e))
		return cli_fail(&e);
	putchar('\n');
	node_table(nodes, true, lines_of_terminal() - HEADER_LINES - 2);
	json_decref(nodes);
	fflush(stdout);
	return CLI_DONE;
}

int top_show(struct cli *cli, char **arguments, int count)
{
	struct sigaction stop = {.sa_handler = on_interrupt};
	int rc;
	(void)arguments;
	(void)count;

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	do {
		rc = show_once(cli);
		if (isatty(STDOUT_FILENO))
			cli_pause(REFRESH_MS);
	} while (!interrupted && isatty(STDOUT_FILENO));
	return interrupted ? CLI_DONE : rc;
}
