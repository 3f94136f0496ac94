/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gloryctl: reads the command line by the table of nouns.c, calls the handler, returns its exit code. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"

static const char common_help[] =
    "  --json            print the appliance's answer as it is\n"
    "  --no-wait         print the job's number and do not wait for it\n"
    "  --yes             the list was looked at: act on several nodes\n"
    "  --socket PATH     the appliance's socket (default $GLORY_SOCKET, else " CLIENT_SOCKET ")\n"
    "  --help            this text; after a noun, that noun's\n";

/* --- help -------------------------------------------------------------------------------------------- */

static void print_usage_line(const struct cli_command *c)
{
	char left[64];

	text_format(left, sizeof left, "%s%s%s %s", c->noun, c->verb ? " " : "", c->verb ? c->verb : "", c->arguments);
	printf("  %-30s %s\n", left, c->help);
}

static void print_options(const struct cli_command *c)
{
	for (const struct cli_option *o = c->options; o && o->name; o++) {
		char left[64];
		text_format(left, sizeof left, "%s--%s%s%s", o->letter ? "-o, " : "", o->name, o->value ? " " : "",
			    o->value ? o->value : "");
		printf("      %-30s %s\n", left, o->help);
	}
}

static bool has_noun(const char *noun)
{
	for (size_t i = 0; i < cli_command_count; i++)
		if (!strcmp(cli_commands[i].noun, noun))
			return true;
	return false;
}

static int help(const char *noun)
{
	printf("usage: gloryctl %s%s\n\n", noun ? noun : "NOUN", noun ? " ..." : " VERB [ARGUMENTS] [OPTIONS]");
	for (size_t i = 0; i < cli_command_count; i++) {
		if (noun && strcmp(cli_commands[i].noun, noun))
			continue;
		print_usage_line(&cli_commands[i]);
		if (noun)
			print_options(&cli_commands[i]);
	}
	printf("\nRANGE is n[001-250,300], @GROUP, @site, @down, and several of them joined by commas.\n\n%s",
	       common_help);
	return CLI_DONE;
}

/* --- reading the command line ------------------------------------------------------------------------ */

struct reading {
	struct cli cli;
	const char *socket;
	char **arguments; /* what is no option, in order */
	int count;
	bool help;
};

static const struct cli_option *find_option(const struct cli_command *c, const char *name, size_t length, char letter)
{
	for (const struct cli_option *o = c ? c->options : NULL; o && o->name; o++)
		if (letter ? o->letter == letter : strlen(o->name) == length && !strncmp(o->name, name, length))
			return o;
	return NULL;
}

static bool take_common(struct reading *r, int argc, char **argv, int *i)
{
	struct {
		const char *name;
		bool *flag;
	} flags[] = {{"--json", &r->cli.json},
		     {"--no-wait", &r->cli.no_wait},
		     {"--yes", &r->cli.yes},
		     {"--help", &r->help},
		     {"-h", &r->help}};

	for (size_t f = 0; f < sizeof flags / sizeof flags[0]; f++)
		if (!strcmp(argv[*i], flags[f].name)) {
			*flags[f].flag = true;
			return true;
		}
	if (!strncmp(argv[*i], "--socket=", 9))
		r->socket = argv[*i] + 9;
	else if (!strcmp(argv[*i], "--socket") && *i + 1 < argc)
		r->socket = argv[++*i];
	else
		return false;
	return true;
}

static int bad_option(const struct cli_command *c, const char *text, const char *why)
{
	fprintf(stderr, "gloryctl: %s: %s: see gloryctl %s --help\n", text, why, c ? c->noun : "");
	return CLI_USAGE;
}

/* An option of the command itself: --name VALUE, --name=VALUE, --flag, -o VALUE. */
static int take_own(struct reading *r, int argc, char **argv, int *i)
{
	const char *text = argv[*i];
	size_t length = strcspn(text + 2, "=");
	const struct cli_command *c = r->cli.command;
	const struct cli_option *o = text[1] == '-' ? find_option(c, text + 2, length, 0)
				     : text[2]      ? NULL
						    : find_option(c, "", 0, text[1]);
	const char *value = text[1] == '-' && text[2 + length] == '=' ? text + 2 + length + 1 : NULL;

	if (!o)
		return bad_option(c, text, "there is no such option");
	if (!o->value && value)
		return bad_option(c, text, "takes no value");
	if (o->value && !value) {
		if (*i + 1 >= argc)
			return bad_option(c, text, "wants a value");
		value = argv[++*i];
	}
	for (size_t g = 0; g < r->cli.given_count; g++)
		if (r->cli.given[g].option == o)
			return bad_option(c, text, "stands there twice");
	if (r->cli.given_count == CLI_OPTIONS_MAX)
		return bad_option(c, text, "there are too many options");
	r->cli.given[r->cli.given_count].option = o;
	r->cli.given[r->cli.given_count++].value = value;
	return CLI_DONE;
}

/* The command that the words before any option name: "node list", or "apply". */
static const struct cli_command *find_command(const char *noun, const char *verb)
{
	for (size_t i = 0; i < cli_command_count; i++) {
		const struct cli_command *c = &cli_commands[i];
		if (!strcmp(c->noun, noun) && (!c->verb || (verb && !strcmp(c->verb, verb))))
			return c;
	}
	return NULL;
}

/* Common options may stand anywhere, so the words are looked for first. */
static void find_words(int argc, char **argv, const char **noun, const char **verb)
{
	struct reading ignored = {.socket = NULL};

	*noun = *verb = NULL;
	for (int i = 1; i < argc && !*verb; i++) {
		if (take_common(&ignored, argc, argv, &i))
			continue;
		if (argv[i][0] == '-')
			return;
		*(*noun ? verb : noun) = argv[i];
	}
}

static int read_line(struct reading *r, int argc, char **argv)
{
	bool only_words = false;
	int words = r->cli.command ? (r->cli.command->verb ? 2 : 1) : 0;

	for (int i = 1; i < argc; i++) {
		int rc = CLI_DONE;
		if (!only_words && !strcmp(argv[i], "--")) {
			only_words = true;
		} else if (!only_words && take_common(r, argc, argv, &i)) {
			continue;
		} else if (!only_words && argv[i][0] == '-' && argv[i][1]) {
			rc = take_own(r, argc, argv, &i);
		} else if (words > 0) {
			words--;
		} else {
			r->arguments[r->count++] = argv[i];
		}
		if (rc)
			return rc;
	}
	return CLI_DONE;
}

static int wrong_count(const struct cli_command *c)
{
	fprintf(stderr, "gloryctl: usage: gloryctl %s%s%s %s\n", c->noun, c->verb ? " " : "", c->verb ? c->verb : "",
		c->arguments);
	return CLI_USAGE;
}

static int unknown(const char *noun, const char *verb)
{
	if (!noun)
		help(NULL);
	else if (!has_noun(noun))
		fprintf(stderr, "gloryctl: there is no noun \"%s\": see gloryctl --help\n", noun);
	else
		fprintf(stderr, "gloryctl: %s %s: there is no such verb: see gloryctl %s --help\n", noun,
			verb ? verb : "(none)", noun);
	return CLI_USAGE;
}

static int run(struct reading *r)
{
	const struct cli_command *c = r->cli.command;

	if (r->count < c->least || (c->most >= 0 && r->count > c->most))
		return wrong_count(c);
	r->cli.client = client_open(r->socket);
	if (!r->cli.client)
		return cli_fail_text("gloryctl", "the http library could not be started", "");
	int code = c->run(&r->cli, r->arguments, r->count);
	client_close(r->cli.client);
	if (fflush(stdout) || ferror(stdout))
		return code ? code : CLI_FAILED;
	return code;
}

int main(int argc, char **argv)
{
	struct reading r = {.socket = NULL};
	const char *noun, *verb;
	int code;

	signal(SIGPIPE, SIG_DFL);
	find_words(argc, argv, &noun, &verb);
	r.cli.command = noun ? find_command(noun, verb) : NULL;
	r.arguments = calloc((size_t)argc + 1, sizeof *r.arguments);
	if (!r.arguments)
		return CLI_FAILED;
	for (int i = 1; i < argc; i++)
		r.help |= !strcmp(argv[i], "--help") || !strcmp(argv[i], "-h");
	if (r.help)
		code = noun && !has_noun(noun) ? unknown(noun, verb) : help(noun);
	else if (!r.cli.command)
		code = unknown(noun, verb);
	else
		code = read_line(&r, argc, argv);
	if (code == CLI_DONE && !r.help)
		code = run(&r);
	free(r.arguments);
	return code;
}
