/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TCP banners as witness of userland; see userland.h. */
#include "mibs/collector/userland.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

struct question {
	uint32_t slot, token;
	union endpoint to;
};

struct call {
	struct userland *owner;
	struct question question;
	int fd; /* -1: free */
	bool connected;
	struct loop_fd *watch;
	struct loop_timer *timer;
};

struct userland {
	struct loop *loop;
	uint32_t timeout_ms;
	userland_answer_fn *on_answer;
	void *arg;
	struct call calls[USERLAND_AT_ONCE];
	struct question waiting[USERLAND_WAITING];
	unsigned head, count;
};

static void start_waiting(struct userland *u);

static void close_call(struct call *c)
{
	loop_fd_remove(c->watch);
	c->watch = NULL;
	loop_timer_stop(c->timer);
	close(c->fd);
	c->fd = -1;
}

static void tell(struct call *c, enum watch_answer_kind kind)
{
	c->owner->on_answer(c->owner->arg, c->question.slot, c->question.token, kind, loop_now(c->owner->loop));
}

static void end_call(struct call *c)
{
	close_call(c);
	start_waiting(c->owner);
}

static void on_timeout(void *arg)
{
	end_call(arg);
}

static void on_connected(struct call *c)
{
	int error = 0;
	socklen_t size = sizeof error;

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size) || error) {
		if (error == ECONNREFUSED)
			tell(c, WATCH_U_REFUSED);
		end_call(c);
		return;
	}
	c->connected = true;
	tell(c, WATCH_K_OTHER);
	loop_fd_change(c->watch, LOOP_READ);
}

static void on_ready(void *arg, int what)
{
	struct call *c = arg;
	char bytes[64];

	(void)what;
	if (!c->connected) {
		on_connected(c);
		return;
	}
	ssize_t n = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		tell(c, WATCH_U_BANNER);
	end_call(c); /* an end without a word proves nothing about userland */
}

/* False: the question is done with already. */
static bool start_call(struct call *c, const struct question *q)
{
	c->question = *q;
	c->connected = false;
	c->fd = socket(q->to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return false;
	if (connect(c->fd, &q->to.any, endpoint_size(&q->to)) && errno != EINPROGRESS) {
		if (errno == ECONNREFUSED)
			tell(c, WATCH_U_REFUSED);
		close(c->fd);
		c->fd = -1;
		return false;
	}
	c->watch = loop_fd_add(c->owner->loop, c->fd, LOOP_WRITE, on_ready, c);
	loop_timer_set(c->timer, c->owner->timeout_ms);
	return true;
}

static void start_waiting(struct userland *u)
{
	for (unsigned i = 0; i < USERLAND_AT_ONCE && u->count; i++)
		while (u->calls[i].fd < 0 && u->count) {
			struct question q = u->waiting[u->head];
			u->head = (u->head + 1) % USERLAND_WAITING;
			u->count--;
			start_call(&u->calls[i], &q);
		}
}

static void on_kick(void *arg)
{
	start_waiting(arg);
}

bool userland_ask(struct userland *u, uint32_t slot, uint32_t token, const union endpoint *to)
{
	if (u->count == USERLAND_WAITING)
		return false;
	u->waiting[(u->head + u->count++) % USERLAND_WAITING] = (struct question){slot, token, *to};
	/* from the loop, not from here: the asker may not be called back while it asks */
	return u->count > 1 || loop_wake(u->loop, on_kick, u);
}

struct userland *userland_new(struct loop *loop, uint32_t timeout_ms, userland_answer_fn *on_answer, void *arg)
{
	struct userland *u = mem_zalloc(sizeof *u);

	u->loop = loop;
	u->timeout_ms = timeout_ms;
	u->on_answer = on_answer;
	u->arg = arg;
	for (unsigned i = 0; i < USERLAND_AT_ONCE; i++) {
		u->calls[i].owner = u;
		u->calls[i].fd = -1;
		u->calls[i].timer = loop_timer_new(loop, on_timeout, &u->calls[i]);
	}
	return u;
}

void userland_free(struct userland *u)
{
	if (!u)
		return;
	for (unsigned i = 0; i < USERLAND_AT_ONCE; i++) {
		if (u->calls[i].fd >= 0)
			close_call(&u->calls[i]);
		loop_timer_free(u->calls[i].timer);
	}
	free(u);
}
