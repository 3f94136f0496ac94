/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The event loop of every role over libevent; see loop.h. */
#include "loop/loop.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"

#define WAKE_MAX 1024
#define SIGNAL_MAX 8

struct wake_call {
	void (*fn)(void *arg);
	void *arg;
};

struct signal_watch {
	struct loop *loop;
	struct event *event;
	void (*on_signal)(void *arg, int number);
	void *arg;
};

struct loop {
	struct event_base *base;
	int64_t worst_ms;
	struct signal_watch signals[SIGNAL_MAX];
	size_t signal_count;
	int wake_fd;
	struct event *wake_event;
	pthread_mutex_t wake_lock;
	struct wake_call wakes[WAKE_MAX];
	size_t wake_count;
};

struct loop_fd {
	struct loop *loop;
	struct event *event;
	int fd;
	void (*on_ready)(void *arg, int what);
	void *arg;
};

struct loop_timer {
	struct loop *loop;
	struct event *event;
	int64_t due_ms, every_ms;
	void (*on_due)(void *arg);
	void *arg;
};

static void note_duration(struct loop *loop, int64_t began_ms)
{
	int64_t took = clock_mono_ms() - began_ms;

	if (took > loop->worst_ms)
		loop->worst_ms = took;
	if (took > 1000)
		log_warning("loop: one handler took %lld ms", (long long)took);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;
	struct wake_call calls[WAKE_MAX];
	uint64_t unused;
	size_t count;

	(void)what;
	if (read(fd, &unused, sizeof unused) < 0)
		return;
	pthread_mutex_lock(&loop->wake_lock);
	count = loop->wake_count;
	memcpy(calls, loop->wakes, count * sizeof calls[0]);
	loop->wake_count = 0;
	pthread_mutex_unlock(&loop->wake_lock);
	for (size_t i = 0; i < count; i++)
		calls[i].fn(calls[i].arg);
}

struct loop *loop_new(void)
{
	struct loop *loop = mem_zalloc(sizeof *loop);
	struct event_config *config = event_config_new();

	if (config)
		event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	loop->base = config ? event_base_new_with_config(config) : NULL;
	if (config)
		event_config_free(config);
	loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (!loop->base || loop->wake_fd < 0) {
		log_error("loop: no event base or descriptor: is the descriptor limit too low?");
		abort();
	}
	pthread_mutex_init(&loop->wake_lock, NULL);
	loop->wake_event = event_new(loop->base, loop->wake_fd, EV_READ | EV_PERSIST, on_wake, loop);
	event_add(loop->wake_event, NULL);
	return loop;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	for (size_t i = 0; i < loop->signal_count; i++)
		event_free(loop->signals[i].event);
	event_free(loop->wake_event);
	close(loop->wake_fd);
	event_base_free(loop->base);
	pthread_mutex_destroy(&loop->wake_lock);
	free(loop);
}

int loop_run(struct loop *loop)
{
	return event_base_dispatch(loop->base) < 0 ? ERR_BUG : 0;
}

void loop_stop(struct loop *loop)
{
	event_base_loopbreak(loop->base);
}

int64_t loop_now(struct loop *loop)
{
	(void)loop;
	return clock_mono_ms();
}

int64_t loop_lateness_ms(struct loop *loop)
{
	int64_t worst = loop->worst_ms;

	loop->worst_ms = 0;
	return worst;
}

struct event_base *loop_base(struct loop *loop)
{
	return loop->base;
}

static void on_fd(evutil_socket_t fd, short what, void *arg)
{
	struct loop_fd *w = arg;
	struct loop *loop = w->loop;
	int64_t began = clock_mono_ms();

	(void)fd;
	w->on_ready(w->arg, (what & EV_READ ? LOOP_READ : 0) | (what & EV_WRITE ? LOOP_WRITE : 0));
	note_duration(loop, began);
}

static short event_bits(int what)
{
	return (short)((what & LOOP_READ ? EV_READ : 0) | (what & LOOP_WRITE ? EV_WRITE : 0) | EV_PERSIST);
}

struct loop_fd *loop_fd_add(struct loop *loop, int fd, int what, void (*on_ready)(void *arg, int what), void *arg)
{
	struct loop_fd *w = mem_zalloc(sizeof *w);

	*w = (struct loop_fd){.loop = loop, .fd = fd, .on_ready = on_ready, .arg = arg};
	w->event = event_new(loop->base, fd, event_bits(what), on_fd, w);
	event_add(w->event, NULL);
	return w;
}

void loop_fd_change(struct loop_fd *w, int what)
{
	event_del(w->event);
	event_assign(w->event, w->loop->base, w->fd, event_bits(what), on_fd, w);
	if (what)
		event_add(w->event, NULL);
}

void loop_fd_remove(struct loop_fd *w)
{
	if (!w)
		return;
	event_free(w->event);
	free(w);
}

static void arm(struct loop_timer *t, int64_t after_ms)
{
	if (after_ms < 0)
		after_ms = 0;
	struct timeval tv = {after_ms / 1000, (after_ms % 1000) * 1000};

	event_add(t->event, &tv);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *t = arg;
	struct loop *loop = t->loop;
	int64_t now = clock_mono_ms();

	(void)fd;
	(void)what;
	if (now - t->due_ms > loop->worst_ms)
		loop->worst_ms = now - t->due_ms;
	if (t->every_ms > 0) {
		/* missed rounds are skipped, never caught up */
		t->due_ms += t->every_ms * ((now - t->due_ms) / t->every_ms + 1);
		arm(t, t->due_ms - now);
	}
	t->on_due(t->arg);
	note_duration(loop, now);
}

struct loop_timer *loop_timer_new(struct loop *loop, void (*on_due)(void *arg), void *arg)
{
	struct loop_timer *t = mem_zalloc(sizeof *t);

	*t = (struct loop_timer){.loop = loop, .on_due = on_due, .arg = arg};
	t->event = event_new(loop->base, -1, 0, on_timer, t);
	return t;
}

void loop_timer_set(struct loop_timer *t, int64_t after_ms)
{
	t->every_ms = 0;
	t->due_ms = clock_mono_ms() + (after_ms > 0 ? after_ms : 0);
	arm(t, after_ms);
}

void loop_timer_every(struct loop_timer *t, int64_t every_ms)
{
	t->every_ms = every_ms;
	t->due_ms = clock_mono_ms() + every_ms;
	arm(t, every_ms);
}

void loop_timer_keep(struct loop_timer *t, int64_t every_ms)
{
	if (t->every_ms != every_ms)
		loop_timer_every(t, every_ms);
}

void loop_timer_stop(struct loop_timer *t)
{
	t->every_ms = 0;
	event_del(t->event);
}

void loop_timer_free(struct loop_timer *t)
{
	if (!t)
		return;
	event_free(t->event);
	free(t);
}

static void on_signal_event(evutil_socket_t number, short what, void *arg)
{
	struct signal_watch *s = arg;

	(void)what;
	s->on_signal(s->arg, (int)number);
}

void loop_signal(struct loop *loop, int number, void (*on_signal)(void *arg, int number), void *arg)
{
	if (loop->signal_count == SIGNAL_MAX)
		abort();
	struct signal_watch *s = &loop->signals[loop->signal_count++];

	*s = (struct signal_watch){.loop = loop, .on_signal = on_signal, .arg = arg};
	s->event = evsignal_new(loop->base, number, on_signal_event, s);
	event_add(s->event, NULL);
}

bool loop_wake(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	uint64_t one = 1;
	bool room;

	pthread_mutex_lock(&loop->wake_lock);
	room = loop->wake_count < WAKE_MAX;
	if (room)
		loop->wakes[loop->wake_count++] = (struct wake_call){fn, arg};
	pthread_mutex_unlock(&loop->wake_lock);
	if (room && write(loop->wake_fd, &one, sizeof one) < 0)
		return true; /* the counter is full, so the loop is awake already */
	return room;
}
