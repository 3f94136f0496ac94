/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gloryctl graph: a picture of the history of nodes, a group or the site into a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/cli.h"

static int write_file(const char *name, const char *bytes, size_t size)
{
	int fd = strcmp(name, "-") ? open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : STDOUT_FILENO;
	size_t at = 0;

	while (fd >= 0 && at < size) {
		ssize_t n = write(fd, bytes + at, size - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	int why = errno;
	if (fd > STDOUT_FILENO && close(fd))
		at = 0;
	return at == size ? CLI_DONE : cli_fail_text(name, strerror(why), "name a file that can be written");
}

/* "900x300" */
static bool add_size(struct cli *cli, char **path, const char *text)
{
	char width[16];
	const char *x = text ? strchr(text, 'x') : NULL;

	if (!text)
		return true;
	if (!x || (size_t)(x - text) >= sizeof width)
		return false;
	text_format(width, sizeof width, "%.*s", (int)(x - text), text);
	*path = client_path_add(cli->client, *path, "width", width);
	*path = client_path_add(cli->client, *path, "height", x + 1);
	return true;
}

static const char *format_of(const char *file)
{
	size_t n = strlen(file);

	return n > 4 && !strcmp(file + n - 4, ".svg") ? "svg" : "png";
}

int graph_draw(struct cli *cli, char **arguments, int count)
{
	const char *file = cli_option(cli, "output");
	char *items = mem_strdup(arguments[1]),
	     *path = client_path_add(cli->client, client_path("/v1/graph"), "range", arguments[0]), *bytes;
	struct error e;
	size_t size;

	for (int i = 2; i < count; i++) {
		char *longer = mem_format("%s,%s", items, arguments[i]);
		free(items);
		items = longer;
	}
	path = client_path_add(cli->client, path, "items", items);
	free(items);
	path = client_path_add(cli->client, path, "fold", cli_option(cli, "fold"));
	path = client_path_add(cli->client, path, "from", cli_option(cli, "from"));
	path = client_path_add(cli->client, path, "to", cli_option(cli, "to"));
	if (!file || !add_size(cli, &path, cli_option(cli, "size"))) {
		free(path);
		return cli_usage(file ? "--size is WIDTHxHEIGHT" : "graph wants -o FILE (\"-\" for standard output)");
	}
	path = client_path_add(cli->client, path, "format", format_of(file));
	int rc = client_get_bytes(cli->client, path, &bytes, &size, &e);
	free(path);
	if (rc)
		return cli_fail(&e);
	rc = write_file(file, bytes, size);
	free(bytes);
	return rc;
}
