/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starts glory-xml on a file and waits for its record; see xml_child.h. */
#include "config/xml_child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

#define DEADLINE_MS 30000
#define NOBODY 65534

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* In the child: standard input and output only, no rights, no environment. */
static void become_child(int program, int in, int out, const char *what, const char *label)
{
	char name[] = "glory-xml", what_copy[16], label_copy[80];
	char *arguments[] = {name, what_copy, label_copy, NULL}, *environment[] = {NULL};

	text_copy(what_copy, sizeof what_copy, what);
	text_copy(label_copy, sizeof label_copy, label);
	/* over free numbers, so that no dup2 closes what another needs */
	in = fcntl(in, F_DUPFD, 10);
	out = fcntl(out, F_DUPFD, 10);
	program = fcntl(program, F_DUPFD, 10);
	if (in < 0 || out < 0 || program < 0 || dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup3(program, 3, O_CLOEXEC) < 0 || close_range(4, ~0u, 0))
		_exit(126);
	if (geteuid() == 0 &&
	    (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY)))
		_exit(126);
	signal(SIGPIPE, SIG_DFL);
	fexecve(3, arguments, environment);
	_exit(127);
}

/* The program is opened before rights are given up: a build tree may stand in a home directory that is closed to
 * others. */
static int start(const char *program, int in, const char *what, const char *label, pid_t *pid, int *out,
		 struct error *e)
{
	int ends[2], fd = open(program, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return error_set(e, ERR_NO_RESOURCE, program, "install the program", "cannot be run: %s",
				 strerror(errno));
	if (pipe2(ends, O_CLOEXEC)) {
		close(fd);
		return error_set(e, ERR_NO_RESOURCE, program, "raise the limit of descriptors", "no pipe: %s",
				 strerror(errno));
	}
	*pid = fork();
	if (*pid == 0)
		become_child(fd, in, ends[1], what, label);
	close(fd);
	close(ends[1]);
	*out = ends[0];
	if (*pid > 0)
		return 0;
	close(ends[0]);
	return error_set(e, ERR_NO_RESOURCE, program, "raise the limit of processes", "cannot be started: %s",
			 strerror(errno));
}

/* Reads until the end of file, the deadline or too much. */
static char *read_all(int fd, size_t *size)
{
	int64_t end = clock_mono_ms() + DEADLINE_MS;
	size_t room = 65536;
	char *bytes = mem_zalloc(room);

	for (*size = 0;;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		int64_t left = end - clock_mono_ms();
		if (left <= 0 || *size > XML_OUTPUT_MAX)
			break;
		int n = poll(&ready, 1, (int)left);
		if (n <= 0 && !(n < 0 && errno == EINTR))
			break;
		if (*size == room)
			bytes = mem_grow(bytes, room *= 2, 1);
		ssize_t got = n > 0 ? read(fd, bytes + *size, room - *size) : 0;
		if (n > 0 && got <= 0)
			break;
		*size += (size_t)got;
	}
	return bytes;
}

static int run(const char *directory, const char *path, const char *what, char **bytes, size_t *size, struct error *e)
{
	char program[PATH_MAX];
	int in = open(path, O_RDONLY | O_CLOEXEC), out, status, rc;
	pid_t pid = -1;

	*bytes = NULL;
	if (in < 0)
		return error_set(e, ERR_CONFIG, path, "name a file that can be read", "cannot be opened: %s",
				 strerror(errno));
	text_format(program, sizeof program, "%s/glory-xml", directory);
	rc = start(program, in, what, last_part(path), &pid, &out, e);
	close(in);
	if (rc)
		return rc;
	*bytes = read_all(out, size);
	close(out);
	kill(pid, SIGKILL); /* has ended, or is beyond its time */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return 0;
}

int xml_child_cluster(const char *directory, const char *path, struct cluster *out, struct error *e)
{
	char *bytes;
	size_t size;
	int rc = run(directory, path, "cluster", &bytes, &size, e);

	cluster_init(out);
	if (!rc)
		rc = xml_output_decode(bytes, size, out, e);
	free(bytes);
	return rc;
}

int xml_child_settings(const char *directory, const char *path, struct settings *out, struct error *e)
{
	char *bytes;
	size_t size;
	int rc = run(directory, path, "settings", &bytes, &size, e);

	if (!rc)
		rc = xml_output_decode_settings(bytes, size, out, e);
	free(bytes);
	return rc;
}
