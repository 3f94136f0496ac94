/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every noun of gloryctl shares: options, errors, members of JSON objects as text, times. See cli.h. */
#include "cli/cli.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

const char *cli_option(const struct cli *cli, const char *name)
{
	for (size_t i = 0; i < cli->given_count; i++)
		if (!strcmp(cli->given[i].option->name, name))
			return cli->given[i].value ? cli->given[i].value : "";
	return NULL;
}

char *cli_path(struct cli *cli, const char *path, const char *range, const char *const *names)
{
	char *full = client_path_add(cli->client, client_path(path), "range", range);

	for (; names && *names; names++)
		full = client_path_add(cli->client, full, *names, cli_option(cli, *names));
	return full;
}

int cli_fail_text(const char *object, const char *text, const char *remedy)
{
	fflush(stdout);
	fprintf(stderr, "%s: %s%s%s\n", object, text, remedy[0] ? ": " : "", remedy);
	return CLI_FAILED;
}

int cli_fail(const struct error *e)
{
	return cli_fail_text(e->object[0] ? e->object : "gloryctl", e->text, e->remedy);
}

int cli_usage(const char *text)
{
	fprintf(stderr, "gloryctl: %s: see gloryctl --help\n", text);
	return CLI_USAGE;
}

int cli_print_json(json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	putchar('\n');
	json_decref(value);
	return CLI_DONE;
}

const char *cli_text(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text ? text : "";
}

void cli_number(const json_t *object, const char *member, int decimals, char *out, size_t size)
{
	const json_t *v = json_object_get(object, member);

	if (json_is_integer(v) && decimals == 0)
		text_format(out, size, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (json_is_number(v))
		text_format(out, size, "%.*f", decimals, json_number_value(v));
	else
		text_copy(out, size, "-");
}

void cli_time(const json_t *object, const char *member, char *out, size_t size)
{
	const char *text = cli_text(object, member);

	text_format(out, size, "%.19s", text[0] ? text : "-");
	if (strlen(out) > 10 && out[10] == 'T')
		out[10] = ' ';
}

void cli_age(const json_t *object, const char *member, char *out, size_t size)
{
	static const struct {
		const char *unit;
		long seconds;
	} units[] = {{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}};
	struct tm tm = {0};
	const char *text = cli_text(object, member);
	long age;
	size_t i = 0;

	if (!strptime(text, "%Y-%m-%dT%H:%M:%S", &tm)) {
		text_copy(out, size, "-");
		return;
	}
	age = (long)(time(NULL) - timegm(&tm));
	if (age < 0)
		age = 0;
	while (units[i].seconds > 1 && age < 2 * units[i].seconds)
		i++;
	text_format(out, size, "%ld%s", age / units[i].seconds, units[i].unit);
}

bool cli_colours(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && no[0]) && term && strcmp(term, "dumb");
}

size_t cli_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize w;
	int64_t n;

	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col >= 40)
		return w.ws_col;
	return columns && text_integer(columns, 40, 1000, &n) ? (size_t)n : 0;
}

void cli_pause(int ms)
{
	poll(NULL, 0, ms);
}
