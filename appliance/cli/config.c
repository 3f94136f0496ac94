/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gloryctl apply and export: the wanted state as a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "cli/table.h"

#define FILE_MAX (16u << 20)

/* A file, or standard input for "-", as a whole. */
static int read_file(const char *name, char **text, size_t *size, struct error *e)
{
	int fd = strcmp(name, "-") ? open(name, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	ssize_t n = fd < 0 ? -1 : 1;

	*text = NULL;
	*size = 0;
	while (n > 0 && *size <= FILE_MAX) {
		*text = mem_grow(*text, *size + 65536, 1);
		n = read(fd, *text + *size, 65536);
		*size += n > 0 ? (size_t)n : 0;
	}
	int why = errno;
	if (fd > STDIN_FILENO)
		close(fd);
	if (n < 0)
		return error_set(e, ERR_CONFIG, name, "name a file that can be read", "%s", strerror(why));
	if (*size > FILE_MAX)
		return error_set(e, ERR_CONFIG, name, "is this a cluster.xml?", "is longer than %u bytes", FILE_MAX);
	if (*size == 0)
		return error_set(e, ERR_CONFIG, name, "see cluster.xml(5)", "is empty");
	return 0;
}

static void print_changes(const json_t *answer)
{
	static const struct {
		const char *what, *sign, *level;
	} signs[] = {{"added", "+", "normal"}, {"changed", "~", "warning"}, {"removed", "-", "critical"}};
	json_t *o, *list = json_object_get(answer, "changes");
	bool colours = cli_colours();
	size_t i;
	json_int_t total = 0;

	json_array_foreach(list, i, o)
	{
		for (size_t s = 0; s < COUNT_OF(signs); s++)
			if (!strcmp(signs[s].what, cli_text(o, "what")))
				printf("%s%s %s %s%s%s%s\n", colours ? table_colour(signs[s].level) : "", signs[s].sign,
				       cli_text(o, "kind"), cli_text(o, "name"), cli_text(o, "fields")[0] ? ": " : "",
				       cli_text(o, "fields"), colours ? TABLE_PLAIN : "");
	}
	for (size_t s = 0; s < COUNT_OF(signs); s++)
		total += json_integer_value(json_object_get(answer, signs[s].what));
	if (total > (json_int_t)json_array_size(list))
		printf("  and %" JSON_INTEGER_FORMAT " more\n", total - (json_int_t)json_array_size(list));
	if (total == 0)
		printf("no difference\n");
	else
		printf("%" JSON_INTEGER_FORMAT " added, %" JSON_INTEGER_FORMAT " changed, %" JSON_INTEGER_FORMAT
		       " removed%s\n",
		       json_integer_value(json_object_get(answer, "added")),
		       json_integer_value(json_object_get(answer, "changed")),
		       json_integer_value(json_object_get(answer, "removed")),
		       json_is_true(json_object_get(answer, "done")) ? "" : " (dry run: nothing was done)");
}

int apply_do(struct cli *cli, char **arguments, int count)
{
	char *text, *path = client_path("/v1/apply");
	struct error e;
	json_t *answer;
	size_t size;
	(void)count;

	path = client_path_add(cli->client, path, "prune", cli_option(cli, "prune") ? "1" : "0");
	path = client_path_add(cli->client, path, "dry_run", cli_option(cli, "dry-run") ? "1" : "0");
	int rc = read_file(arguments[0], &text, &size, &e);
	if (!rc)
		rc = client_post(cli->client, path, text, size, &answer, &e);
	free(text);
	free(path);
	if (rc)
		return cli_fail(&e);
	if (cli->json)
		return cli_print_json(answer);
	print_changes(answer);
	json_decref(answer);
	return CLI_DONE;
}

int export_do(struct cli *cli, char **arguments, int count)
{
	struct error e;
	char *text;
	size_t size;
	(void)arguments;
	(void)count;

	if (client_get_bytes(cli->client, "/v1/export", &text, &size, &e))
		return cli_fail(&e);
	size_t written = fwrite(text, 1, size, stdout);
	free(text);
	if (written != size || fflush(stdout))
		return cli_fail_text("standard output", strerror(errno), "");
	return CLI_DONE;
}
