/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One-shot children that the supervisor starts for the engine: asked for, and their output collected, without ever blocking. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/engine.h"

struct asked {
	struct asked *next;
	struct engine *e;
	uint64_t request;
	size_t limit, size, room;
	char *output;
	int fd;
	struct loop_fd *watch;
	struct loop_timer *deadline;
	helper_done *done;
	helper_pipe *pipe;
	void *arg;
};

struct helpers {
	struct asked *all;
	uint64_t last;
};

void helpers_start(struct engine *e)
{
	e->helpers = mem_zalloc(sizeof *e->helpers);
}

static void end(struct asked *a, int status)
{
	struct asked **at = &a->e->helpers->all;

	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	loop_fd_remove(a->watch);
	loop_timer_free(a->deadline);
	if (a->fd >= 0)
		close(a->fd);
	if (a->done)
		a->done(a->arg, status, a->output, a->size);
	else if (status)
		a->pipe(a->arg, status, -1);
	free(a->output);
	free(a);
}

static void on_output(void *arg, int what)
{
	struct asked *a = arg;

	(void)what;
	if (a->size == a->room) {
		a->room = a->room ? a->room * 2 : 65536;
		a->output = mem_grow(a->output, a->room, 1);
	}
	ssize_t n = read(a->fd, a->output + a->size, a->room - a->size);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end(a, n < 0 ? ERR_REMOTE : 0);
		return;
	}
	a->size += (size_t)n;
	if (a->size > a->limit)
		end(a, ERR_NO_RESOURCE);
}

static void on_deadline(void *arg)
{
	end(arg, ERR_REMOTE);
}

static struct asked *ask(struct engine *e, enum helper which, int input, uint32_t deadline_ms)
{
	struct asked *a = mem_zalloc(sizeof *a);
	struct msg_helper_run m = {.helper = which, .deadline_ms = deadline_ms, .request = ++e->helpers->last};

	*a = (struct asked){.next = e->helpers->all, .e = e, .request = m.request, .fd = -1};
	e->helpers->all = a;
	a->deadline = loop_timer_new(e->loop, on_deadline, a);
	loop_timer_set(a->deadline, deadline_ms + 2000);
	channel_send_fd(e->role->supervisor, MSG_HELPER_RUN, &m, sizeof m, input);
	close(input);
	return a;
}

void helpers_run(struct engine *e, enum helper which, int input, uint32_t deadline_ms, size_t limit, helper_done *done, void *arg)
{
	struct asked *a = ask(e, which, input, deadline_ms);

	a->limit = limit;
	a->done = done;
	a->arg = arg;
}

void helpers_run_pipe(struct engine *e, enum helper which, int input, uint32_t deadline_ms, helper_pipe *done, void *arg)
{
	struct asked *a = ask(e, which, input, deadline_ms);

	a->pipe = done;
	a->arg = arg;
}

void helpers_answer(struct engine *e, const struct msg_helper_out *out, int fd)
{
	struct asked *a = e->helpers->all;

	while (a && a->request != out->request)
		a = a->next;
	if (!a || out->status || fd < 0) {
		if (fd >= 0)
			close(fd);
		if (a)
			end(a, out->status ? out->status : ERR_BUG);
		return;
	}
	if (a->pipe) {
		a->pipe(a->arg, 0, fd);
		end(a, 0);
		return;
	}
	a->fd = fd;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	a->watch = loop_fd_add(e->loop, fd, LOOP_READ, on_output, a);
}
