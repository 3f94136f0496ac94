/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Knobs of a simulated switch, set and read over a UNIX stream socket, one line for each connection; see sim.h. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lab/l4sim/sim.h"

static const struct {
	const char *name;
	size_t offset;
} names[] = {
    {"after", offsetof(struct knobs, after)},
    {"lose", offsetof(struct knobs, lose)},           {"drop", offsetof(struct knobs, drop)},           {"refuse", offsetof(struct knobs, refuse)},
    {"fail-apply", offsetof(struct knobs, fail_apply)}, {"fail-save", offsetof(struct knobs, fail_save)}, {"slow-ms", offsetof(struct knobs, slow_ms)},
    {"apply-ms", offsetof(struct knobs, apply_ms)},   {"save-ms", offsetof(struct knobs, save_ms)},     {"delete-ms", offsetof(struct knobs, delete_ms)},
    {"read-only", offsetof(struct knobs, read_only)}, {"enhanced", offsetof(struct knobs, enhanced)},   {"sets", offsetof(struct knobs, sets)},
    {"members", offsetof(struct knobs, members)},     {"network", offsetof(struct knobs, network)},
};

static long *knob(const char *name)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (!strcmp(names[i].name, name))
			return (long *)(void *)((char *)&knobs + names[i].offset);
	return NULL;
}

static bool assign(char *name, char separator)
{
	char *value = strchr(name, separator), *end;

	if (!value)
		return false;
	*value++ = '\0';
	long *k = knob(name), number = strtol(value, &end, 10);
	if (!k || end == value || *end)
		return false;
	*k = number;
	return true;
}

bool control_assign(const char *text)
{
	char copy[64];

	snprintf(copy, sizeof copy, "%s", text);
	return assign(copy, '=');
}

static void serve(int fd, void *arg)
{
	char line[128] = "", reply[64];
	int client = accept(fd, NULL, NULL);
	ssize_t n = client < 0 ? -1 : read(client, line, sizeof line - 1);

	(void)arg;
	if (n > 0) {
		line[strcspn(line, "\n")] = '\0';
		const long *k = knob(line);
		int size = k ? snprintf(reply, sizeof reply, "%ld\n", *k) : snprintf(reply, sizeof reply, "%s\n", assign(line, ' ') ? "ok" : "no such knob");
		if (write(client, reply, (size_t)size) != size)
			fprintf(stderr, "l4sim: a reply on the control socket was cut off\n");
	}
	if (client >= 0)
		close(client);
}

bool control_open(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof a.sun_path)
		return false;
	memcpy(a.sun_path, path, strlen(path));
	unlink(path);
	return !bind(fd, (struct sockaddr *)&a, sizeof a) && !listen(fd, 8) && register_readfd(fd, serve, NULL) == 0;
}
