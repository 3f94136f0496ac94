/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The loop: timers run once or until stopped, may free themselves; descriptors and calls of other threads are served in it. */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "loop/loop.h"
#include "tests/unit/unit.h"

static struct {
	struct loop *loop;
	struct loop_timer *timer, *guard;
	struct loop_fd *watch;
	int runs, reads, wakes, signals, late;
} t;

static void too_long(void *arg)
{
	(void)arg;
	t.late = 1;
	loop_stop(t.loop);
}

static void begin(void)
{
	memset(&t, 0, sizeof t);
	t.loop = loop_new();
	t.guard = loop_timer_new(t.loop, too_long, NULL);
	loop_timer_set(t.guard, 20000);
}

static void end(void)
{
	CU_ASSERT_FALSE(t.late);
	loop_timer_free(t.guard);
	loop_free(t.loop);
}

static void count_to_five(void *arg)
{
	(void)arg;
	if (++t.runs == 5) {
		loop_timer_stop(t.timer);
		loop_stop(t.loop);
	}
}

static void repeats_until_stopped(void)
{
	int64_t began = clock_mono_ms();

	begin();
	t.timer = loop_timer_new(t.loop, count_to_five, NULL);
	loop_timer_every(t.timer, 3);
	CU_ASSERT_EQUAL(loop_run(t.loop), 0);
	CU_ASSERT_EQUAL(t.runs, 5);
	CU_ASSERT_TRUE(clock_mono_ms() - began >= 15);
	loop_timer_free(t.timer);
	end();
}

static void keep_slow(void *arg)
{
	loop_timer_keep(arg, 30);
}

/* Kept more often than it is due, it comes all the same; stopped, it begins anew. */
static void kept_keeps_its_time(void)
{
	struct loop_timer *often;

	begin();
	t.timer = loop_timer_new(t.loop, count_to_five, NULL);
	often = loop_timer_new(t.loop, keep_slow, t.timer);
	loop_timer_every(often, 3);
	CU_ASSERT_EQUAL(loop_run(t.loop), 0);
	CU_ASSERT_EQUAL(t.runs, 5);
	t.runs = 4;
	CU_ASSERT_EQUAL(loop_run(t.loop), 0);
	CU_ASSERT_EQUAL(t.runs, 5);
	loop_timer_free(often);
	loop_timer_free(t.timer);
	end();
}

static void free_itself(void *arg)
{
	(void)arg;
	t.runs++;
	loop_timer_free(t.timer);
	loop_stop(t.loop);
}

static void timer_frees_itself(void)
{
	begin();
	t.timer = loop_timer_new(t.loop, free_itself, NULL);
	loop_timer_every(t.timer, 1);
	loop_run(t.loop);
	CU_ASSERT_EQUAL(t.runs, 1);
	end();
}

static void set_again(void *arg)
{
	(void)arg;
	t.runs++;
	if (t.runs < 3)
		loop_timer_set(t.timer, -5); /* past: as soon as possible */
	else
		loop_stop(t.loop);
}

static void one_setting_one_run(void)
{
	begin();
	t.timer = loop_timer_new(t.loop, set_again, NULL);
	loop_timer_set(t.timer, 1000000);
	loop_timer_set(t.timer, 0); /* the later setting counts */
	loop_run(t.loop);
	CU_ASSERT_EQUAL(t.runs, 3);
	loop_timer_free(t.timer);
	end();
}

static void on_ready(void *arg, int what)
{
	char byte;

	t.reads += what & LOOP_READ ? (int)read(*(int *)arg, &byte, 1) : 0;
	if (t.reads < 2)
		return;
	loop_fd_remove(t.watch); /* inside its own call */
	loop_stop(t.loop);
}

static void descriptors(void)
{
	int ends[2];

	begin();
	CU_ASSERT_FATAL(pipe(ends) == 0);
	t.watch = loop_fd_add(t.loop, ends[0], LOOP_READ, on_ready, &ends[0]);
	loop_fd_change(t.watch, 0);
	loop_fd_change(t.watch, LOOP_READ);
	CU_ASSERT_EQUAL(write(ends[1], "xy", 2), 2);
	loop_run(t.loop);
	CU_ASSERT_EQUAL(t.reads, 2);
	loop_fd_remove(NULL);
	close(ends[0]);
	close(ends[1]);
	end();
}

static void on_wake(void *arg)
{
	(void)arg;
	if (++t.wakes == 1024)
		loop_stop(t.loop);
}

static void *other_thread(void *arg)
{
	int taken = 0;

	for (int i = 0; i < 2000; i++)
		taken += loop_wake(t.loop, on_wake, NULL);
	*(int *)arg = taken;
	return NULL;
}

static void wakes_of_threads(void)
{
	pthread_t thread;
	int taken = 0;

	begin();
	CU_ASSERT_FATAL(pthread_create(&thread, NULL, other_thread, &taken) == 0);
	pthread_join(thread, NULL);
	CU_ASSERT_EQUAL(taken, 1024); /* the queue's size: the rest is refused, not lost in silence */
	loop_run(t.loop);
	CU_ASSERT_EQUAL(t.wakes, 1024);
	CU_ASSERT_TRUE(loop_wake(t.loop, on_wake, NULL));
	end();
}

static void on_signal(void *arg, int number)
{
	(void)arg;
	t.signals = number;
	loop_stop(t.loop);
}

static void signals_come_in_the_loop(void)
{
	begin();
	loop_signal(t.loop, SIGUSR1, on_signal, NULL);
	raise(SIGUSR1);
	CU_ASSERT_EQUAL(t.signals, 0);
	loop_run(t.loop);
	CU_ASSERT_EQUAL(t.signals, SIGUSR1);
	end();
}

static const struct unit_test tests[] = {
	{"repeats until stopped", repeats_until_stopped}, {"kept keeps its time", kept_keeps_its_time}, {"a timer frees itself", timer_frees_itself}, {"one setting, one run", one_setting_one_run},
	{"descriptors", descriptors}, {"wakes of threads", wakes_of_threads}, {"signals come in the loop", signals_come_in_the_loop},
};
UNIT_MAIN("loop", tests)
