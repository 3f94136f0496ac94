/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See program.h. The drivers haproxy and nftables call it. */
#include "l4drivers/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

void program_text_clear(struct program_text *t)
{
	free(t->text);
	*t = (struct program_text){0};
}

static void need_room(struct program_text *t, size_t more)
{
	if (t->size + more + 1 <= t->room)
		return;
	t->room = t->room ? t->room : 4096;
	while (t->room < t->size + more + 1)
		t->room *= 2;
	t->text = mem_grow(t->text, t->room, 1);
}

void program_text_add(struct program_text *t, const char *format, ...)
{
	va_list ap, again;

	va_start(ap, format);
	va_copy(again, ap);
	int length = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (length > 0) {
		need_room(t, (size_t)length);
		vsnprintf(t->text + t->size, (size_t)length + 1, format, again);
		t->size += (size_t)length;
	}
	va_end(again);
}

/* Reads what is there: 1 more may come, 0 at the end, -1 too much or an error. */
static int take(int fd, struct program_text *t)
{
	need_room(t, 65536);
	ssize_t n = read(fd, t->text + t->size, 65536);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 1 : -1;
	t->size += (size_t)n;
	t->text[t->size] = '\0';
	return n == 0 ? 0 : t->size > PROGRAM_OUTPUT_MAX ? -1 : 1;
}

/* What comes from `fd` into *text until it ends. */
struct reading {
	int fd; /* -1: ended, or not wanted */
	struct program_text *text;
};

static int read_all(struct reading *r, const struct pollfd *p)
{
	int rc = r->fd >= 0 && p->revents ? take(r->fd, r->text) : 1;

	if (rc == 0)
		r->fd = -1;
	return rc < 0 ? -1 : 0;
}

/* Writes input to `to` (closed at its end; -1 for none) and reads both to their ends. 0 or -1: late, too much, broken. */
static int converse(const struct driver_run *run, int to, const char *input, bool half_close, struct reading from[2])
{
	size_t left = strlen(input), done = 0;
	int rc = 0;

	while (!rc && (from[0].fd >= 0 || from[1].fd >= 0)) {
		struct pollfd p[3] = {{.fd = from[0].fd, .events = POLLIN}, {.fd = from[1].fd, .events = POLLIN}, {.fd = done < left ? to : -1, .events = POLLOUT}};
		int64_t ms = driver_left_ms(run);

		if (ms <= 0 || poll(p, 3, ms > 1000 ? 1000 : (int)ms) < 0) {
			rc = errno == EINTR && ms > 0 ? 0 : -1;
			continue;
		}
		if (p[2].revents) {
			ssize_t n = write(to, input + done, left - done);
			/* who does not read to the end has said why, or will: his output counts */
			done = n < 0 && errno != EAGAIN && errno != EINTR ? left : done + (size_t)(n > 0 ? n : 0);
			if (done == left && half_close)
				shutdown(to, SHUT_WR);
			else if (done == left)
				close(to);
		}
		rc = read_all(&from[0], &p[0]) || read_all(&from[1], &p[1]) ? -1 : 0;
	}
	if (done < left && !half_close)
		close(to);
	return rc;
}

static void begin_text(struct program_text *t)
{
	t->size = 0;
	need_room(t, 0);
	t->text[0] = '\0';
}

static void child(const char *const *argv, int in, int out, int errors)
{
	static const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	alarm(0);
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(errors, STDERR_FILENO) < 0)
		_exit(126);
	execve(argv[0], (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)environment);
	_exit(127);
}

/* Pipes for standard input, output and errors: pipes[i][0] is read, pipes[i][1] written. */
static bool make_pipes(int pipes[3][2])
{
	int i;

	for (i = 0; i < 3 && !pipe2(pipes[i], O_CLOEXEC); i++)
		;
	if (i == 3)
		return true;
	while (i-- > 0) {
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
	return false;
}

int program_run(const struct driver_run *run, const char *const *argv, const char *input, struct program_text *output, struct error *e)
{
	int pipes[3][2], status = 0;
	struct program_text said = {0};

	begin_text(output);
	if (access(argv[0], X_OK))
		return error_set(e, ERR_NOT_FOUND, run->object, "install its package on the balancer", "%s is not installed", argv[0]);
	if (!make_pipes(pipes))
		return error_set(e, ERR_NO_RESOURCE, run->object, "raise the limit of open files", "%s: no pipe", argv[0]);
	signal(SIGPIPE, SIG_IGN);
	pid_t pid = fork();
	if (pid == 0)
		child(argv, pipes[0][0], pipes[1][1], pipes[2][1]);
	close(pipes[0][0]);
	close(pipes[1][1]);
	close(pipes[2][1]);
	if (!*input || pid < 0)
		close(pipes[0][1]);
	fcntl(pipes[0][1], F_SETFL, O_NONBLOCK);
	struct reading from[2] = {{pipes[1][0], output}, {pipes[2][0], &said}};
	int rc = pid < 0 ? -1 : converse(run, pipes[0][1], input, false, from);
	close(pipes[1][0]);
	close(pipes[2][0]);
	if (rc && pid > 0)
		kill(pid, SIGKILL);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	/* what it has to say beside its output would stand somewhere in its middle */
	if (status && said.size)
		program_text_add(output, "%s", said.text);
	program_text_clear(&said);
	if (pid < 0)
		return error_set(e, ERR_NO_RESOURCE, run->object, "see the limits of this machine", "%s cannot be started", argv[0]);
	if (rc || !WIFEXITED(status))
		return error_set(e, ERR_REMOTE, run->object, "run it by hand to see why", "%s: too late, too much output, or killed", argv[0]);
	return WEXITSTATUS(status);
}

int program_ask(const struct driver_run *run, const char *socket_path, const char *command, struct program_text *output, struct error *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char line[1024];

	begin_text(output);
	if (!text_copy(a.sun_path, sizeof a.sun_path, socket_path) || !text_format(line, sizeof line, "%s\n", command))
		return error_set(e, ERR_CONFIG, run->object, "shorten it", "the path of the socket, or a name, is too long");
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a)) {
		int why = errno;
		if (fd >= 0)
			close(fd);
		return error_set(e, ERR_REMOTE, run->object, "see whether it runs and the option socket names its socket", "socket %.100s: %s", socket_path, strerror(why));
	}
	signal(SIGPIPE, SIG_IGN);
	struct reading from[2] = {{fd, output}, {-1, NULL}};
	int rc = converse(run, fd, line, true, from);
	close(fd);
	return rc ? error_set(e, ERR_REMOTE, run->object, "see whether it hangs", "socket %.100s: no answer, or one without end", socket_path) : 0;
}

int program_read_file(const struct driver_run *run, const char *path, size_t most, struct program_text *output, struct error *e)
{
	int rc = 1, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	begin_text(output);
	if (fd < 0)
		return error_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_CONFIG, run->object, "see its rights and the balancer's options", "%s: %s", path, strerror(errno));
	while (rc > 0 && output->size <= most)
		rc = take(fd, output);
	close(fd);
	if (rc || memchr(output->text, '\0', output->size))
		return error_set(e, ERR_CONFIG, run->object, "see whether the option names the right file", "%s is no text, or too long", path);
	return 0;
}

const char *program_last_line(const struct program_text *output, char *out, size_t size)
{
	const char *end = output->text ? output->text + output->size : NULL, *begin;

	while (end && end > output->text && (end[-1] == '\n' || end[-1] == ' '))
		end--;
	for (begin = end; begin && begin > output->text && begin[-1] != '\n';)
		begin--;
	size_t length = begin ? (size_t)(end - begin) : 0;
	if (length >= size)
		length = size - 1;
	if (length)
		memcpy(out, begin, length);
	out[length] = '\0';
	text_make_printable(out);
	return *out ? out : "it says nothing";
}
