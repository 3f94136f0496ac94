/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A TCP connect as a look: no byte is sent, the connection is dropped by a reset, so that thousands of looks a second leave no ports behind
 * in TIME_WAIT on either side. See looks.h. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "checker/role/looks.h"

struct tcp_look {
	int fd;
	struct loop_fd *watch;
	look_done *done;
	void *arg;
};

enum look_end look_of_errno(int number)
{
	switch (number) {
	case 0:
		return LOOK_GOOD;
	case ECONNREFUSED:
		return LOOK_REFUSED;
	case ETIMEDOUT:
		return LOOK_LATE;
	case ECONNRESET:
	case EPIPE:
		return LOOK_CLOSED;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EADDRNOTAVAIL:
	case EPERM:
	case EACCES:
	case EAFNOSUPPORT:
		return LOOK_BLIND;
	default:
		return LOOK_UNREACHABLE;
	}
}

static void on_ready(void *arg, int what)
{
	struct tcp_look *t = arg;
	int wrong = 0;
	socklen_t size = sizeof wrong;

	(void)what;
	if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &wrong, &size))
		wrong = errno;
	struct look look = {.end = look_of_errno(wrong), .code = wrong};
	t->done(t->arg, &look);
}

struct tcp_look *tcp_look_start(struct loop *loop, const struct address *address, look_done *done, void *arg, enum look_end *end, int *code)
{
	struct sockaddr_storage to;
	socklen_t size = address_to_sockaddr(address, &to);
	struct linger drop = {.l_onoff = 1, .l_linger = 0};
	int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &drop, sizeof drop);
	if (fd < 0 || (connect(fd, (const struct sockaddr *)&to, size) && errno != EINPROGRESS)) {
		*code = errno;
		*end = look_of_errno(*code);
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	struct tcp_look *t = mem_zalloc(sizeof *t);
	*t = (struct tcp_look){.fd = fd, .done = done, .arg = arg};
	t->watch = loop_fd_add(loop, fd, LOOP_WRITE, on_ready, t);
	return t;
}

void tcp_look_free(struct tcp_look *t)
{
	if (!t)
		return;
	loop_fd_remove(t->watch);
	close(t->fd);
	free(t);
}
