/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gloryctl's table printer and text helpers. */
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "tests/unit/unit.h"

static char *printed(const struct table *t, size_t width, bool colours)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	table_print(t, f, width, colours);
	fclose(f);
	return text;
}

static void fill(struct table *t)
{
	const char *one[] = {"n001", "5", "all is well with this one, really"}, *two[] = {"n01234", "123", ""};

	table_begin(t, "NODE >CPU CAUSE", 0);
	table_row(t, "normal", one);
	table_row(t, "critical", two);
}

static void check(size_t width, bool colours, const char *wanted)
{
	struct table t;

	fill(&t);
	char *text = printed(&t, width, colours);
	if (strcmp(text, wanted))
		fprintf(stderr, "is\n%swanted\n%s", text, wanted);
	CU_ASSERT_STRING_EQUAL(text, wanted);
	free(text);
	table_free(&t);
}

static void test_aligned(void)
{
	check(0, false, "NODE    CPU  CAUSE\nn001      5  all is well with this one, really\nn01234  123  \n");
}

static void test_cut(void)
{
	check(28, false, "NODE    CPU  CAUSE\nn001      5  all is well wi~\nn01234  123  \n");
	check(5, false, "NODE    CPU  CAUSE\nn001      5  all is we~\nn01234  123  \n"); /* never less than ten */
}

static void test_colour(void)
{
	check(0, true,
	      "NODE    CPU  CAUSE\n\033[32mn001\033[0m      5  all is well with this one, "
	      "really\n\033[1;31mn01234\033[0m  123  \n");
}

/* Characters count, not bytes; a cut falls between characters. */
static void test_utf8(void)
{
	const char *row[] = {
	    "\xc3\xa4\xc3\xb6",
	    "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"};
	struct table t;

	CU_ASSERT_EQUAL(table_text_width(row[0]), 2);
	table_begin(&t, "AB C", -1);
	table_row(&t, "", row);
	char *text = printed(&t, 14, false);
	CU_ASSERT_STRING_EQUAL(
	    text,
	    "AB  C\n\xc3\xa4\xc3\xb6  \xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc~\n");
	free(text);
	table_free(&t);
}

static void test_empty(void)
{
	struct table t;

	table_begin(&t, "A >B", -1);
	char *text = printed(&t, 80, true);
	CU_ASSERT_STRING_EQUAL(text, "A  B\n");
	free(text);
	table_free(&t);
}

static void test_members(void)
{
	json_t *o = json_pack("{s:s,s:n,s:i,s:f,s:s}", "text", "x", "none", "whole", 7, "part", 2.25, "time",
			      "2026-01-31T12:00:01.123Z");
	char out[40];

	CU_ASSERT_STRING_EQUAL(cli_text(o, "text"), "x");
	CU_ASSERT_STRING_EQUAL(cli_text(o, "none"), "");
	CU_ASSERT_STRING_EQUAL(cli_text(o, "missing"), "");
	CU_ASSERT_STRING_EQUAL(cli_text(NULL, "missing"), "");
	cli_number(o, "whole", 0, out, sizeof out);
	CU_ASSERT_STRING_EQUAL(out, "7");
	cli_number(o, "part", 1, out, sizeof out);
	CU_ASSERT_STRING_EQUAL(out, "2.2");
	cli_number(o, "none", 0, out, sizeof out);
	CU_ASSERT_STRING_EQUAL(out, "-");
	cli_time(o, "time", out, sizeof out);
	CU_ASSERT_STRING_EQUAL(out, "2026-01-31 12:00:01");
	cli_time(o, "none", out, sizeof out);
	CU_ASSERT_STRING_EQUAL(out, "-");
	cli_age(o, "text", out, sizeof out);
	CU_ASSERT_STRING_EQUAL(out, "-");
	json_decref(o);
}

/* Every command has a handler, a help line that fits 80 columns, and its options are no common ones. */
static void test_commands(void)
{
	static const char *const common[] = {"json", "no-wait", "yes", "socket", "help"};

	for (size_t i = 0; i < cli_command_count; i++) {
		const struct cli_command *c = &cli_commands[i];
		CU_ASSERT(c->run && c->help && c->arguments && c->least >= 0 && (c->most == -1 || c->most >= c->least));
		size_t left = strlen(c->noun) + (c->verb ? strlen(c->verb) + 1 : 0) + strlen(c->arguments) + 1;
		CU_ASSERT((left > 30 ? left : 30) + 3 + strlen(c->help) <= 100);
		for (const struct cli_option *o = c->options; o && o->name; o++)
			for (size_t n = 0; n < COUNT_OF(common); n++)
				CU_ASSERT(strcmp(o->name, common[n]) != 0);
	}
}

static void test_paths(void)
{
	struct client *c = client_open("/nonexistent/socket");
	json_t *answer;
	struct error e;

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	char *path = client_path_add(c, client_path_part(c, client_path("/v1/nodes/"), "a/b c"), "range", "n[1-2]&x=%");
	path = client_path_add(c, path, "nothing", NULL);
	path = client_path_add(c, path, "b", "");
	CU_ASSERT_STRING_EQUAL(path, "/v1/nodes/a%2Fb%20c?range=n%5B1-2%5D%26x%3D%25&b=");
	free(path);
	CU_ASSERT_EQUAL(client_get(c, "/v1/site", &answer, &e), ERR_NOT_NOW);
	CU_ASSERT_PTR_NULL(answer);
	CU_ASSERT_STRING_EQUAL(e.object, "/nonexistent/socket");
	client_close(c);
}

static const struct unit_test tests[] = {
    {"aligned", test_aligned},
    {"cut", test_cut},
    {"colour", test_colour},
    {"characters", test_utf8},
    {"empty", test_empty},
    {"members as text", test_members},
    {"table of commands", test_commands},
    {"paths", test_paths},
};
UNIT_MAIN("cli", tests)
