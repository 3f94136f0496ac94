/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The event loop of every role: a thin face over libevent with our clock, timers, and a watch for handlers that take too long.
 * One loop per process; nothing here is thread-safe but loop_wake(). */
#ifndef GLORY_LOOP_LOOP_H
#define GLORY_LOOP_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct loop;
struct loop_fd;
struct loop_timer;

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

struct loop *loop_new(void);
void loop_free(struct loop *loop);
/* Runs until loop_stop(). Returns 0, or ERR_BUG when the back end failed. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* Monotonic ms, read once per round of events. */
int64_t loop_now(struct loop *loop);
/* How late (ms) the worst handler of the last round made us, and the worst since the call before: for the judge's self-check. */
int64_t loop_lateness_ms(struct loop *loop);
struct event_base *loop_base(struct loop *loop); /* for libraries that bring libevent code of their own */

/* Calls on_ready(arg, LOOP_READ/LOOP_WRITE bits) whenever fd is ready for `what`. The fd stays the caller's. */
struct loop_fd *loop_fd_add(struct loop *loop, int fd, int what, void (*on_ready)(void *arg, int what), void *arg);
void loop_fd_change(struct loop_fd *watch, int what);
void loop_fd_remove(struct loop_fd *watch); /* NULL is fine */

/* A timer that is made once and set as often as wanted; on_due runs once per setting. */
struct loop_timer *loop_timer_new(struct loop *loop, void (*on_due)(void *arg), void *arg);
void loop_timer_set(struct loop_timer *timer, int64_t after_ms);
void loop_timer_every(struct loop_timer *timer, int64_t every_ms); /* until stopped or set anew */
void loop_timer_keep(struct loop_timer *timer, int64_t every_ms);  /* the same; one that runs so already keeps its time */
void loop_timer_stop(struct loop_timer *timer);
void loop_timer_free(struct loop_timer *timer);

/* Calls on_signal in the loop, never in signal context. */
void loop_signal(struct loop *loop, int number, void (*on_signal)(void *arg, int number), void *arg);
/* For another thread: makes the loop run fn(arg) soon. Returns false when the queue (1,024) is full. */
bool loop_wake(struct loop *loop, void (*fn)(void *arg), void *arg);

#endif
