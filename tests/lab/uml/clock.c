/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clock of a user-mode Linux that does not depend on how busy this machine is; boot(1) preloads it. While the guest has work, its time passes
 * GLORY_UML_FASTER times more slowly than ours, which makes its one processor so much faster; when all in it sleep, nothing is waited for: its time
 * jumps to the next timer. So seconds in there mean what they mean on a machine that is fast enough, and long waits are short out here.
 *
 * linux.uml asks these functions and no others: it has one timer, whose signal is SIGALRM, and sleeps in sigsuspend() alone. */
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#define SECOND 1000000000LL
#define FASTER_MAX 1000

static struct {
	int (*clock_gettime)(clockid_t id, struct timespec *out);
	int (*timer_gettime)(timer_t timer, struct itimerspec *out);
	int (*timer_settime)(timer_t timer, int flags, const struct itimerspec *set, struct itimerspec *old);
	int (*sigsuspend)(const sigset_t *mask);
} real;

static int64_t faster = 1;
static int64_t begun;   /* of our monotonic clock */
static int64_t jumped;  /* what the guest's is ahead of its pace */
static int64_t ahead;   /* of the wall's clock to the monotonic one, at the begin */
static timer_t the_timer;
static int has_timer;

static int64_t of(const struct timespec *t)
{
	return (int64_t)t->tv_sec * SECOND + t->tv_nsec;
}

static struct timespec as(int64_t ns)
{
	return (struct timespec){.tv_sec = ns / SECOND, .tv_nsec = ns % SECOND};
}

static int64_t really(clockid_t id)
{
	struct timespec t = {0, 0};

	real.clock_gettime(id, &t);
	return of(&t);
}

static int64_t now(void)
{
	return begun + (really(CLOCK_MONOTONIC) - begun) / faster + jumped;
}

__attribute__((constructor)) static void begin(void)
{
	const char *text = getenv("GLORY_UML_FASTER");
	long wanted = text ? strtol(text, NULL, 10) : 1;

	*(void **)&real.clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
	*(void **)&real.timer_gettime = dlsym(RTLD_NEXT, "timer_gettime");
	*(void **)&real.timer_settime = dlsym(RTLD_NEXT, "timer_settime");
	*(void **)&real.sigsuspend = dlsym(RTLD_NEXT, "sigsuspend");
	faster = wanted < 1 ? 1 : wanted > FASTER_MAX ? FASTER_MAX : wanted;
	begun = really(CLOCK_MONOTONIC);
	ahead = really(CLOCK_REALTIME) - begun;
}

int clock_gettime(clockid_t id, struct timespec *out)
{
	if (id != CLOCK_MONOTONIC && id != CLOCK_REALTIME)
		return real.clock_gettime(id, out);
	*out = as(now() + (id == CLOCK_REALTIME ? ahead : 0));
	return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	int64_t t = now() + ahead;

	(void)zone;
	*out = (struct timeval){.tv_sec = t / SECOND, .tv_usec = t % SECOND / 1000};
	return 0;
}

/* Of a timer's time, which is never absolute there. */
int timer_settime(timer_t timer, int flags, const struct itimerspec *set, struct itimerspec *old)
{
	struct itimerspec slow = {.it_value = as(of(&set->it_value) * faster), .it_interval = as(of(&set->it_interval) * faster)};

	the_timer = timer;
	has_timer = 1;
	return real.timer_settime(timer, flags, &slow, old);
}

int timer_gettime(timer_t timer, struct itimerspec *out)
{
	int r = real.timer_gettime(timer, out);
	int64_t left = of(&out->it_value);

	/* the rest of a nanosecond is not nothing: that would say that it has rung */
	out->it_value = as((left + faster - 1) / faster);
	out->it_interval = as(of(&out->it_interval) / faster);
	return r;
}

/* All in the guest sleep: the timer rings now, and now is when it had to. SIGALRM is blocked here, but not by the mask. */
int sigsuspend(const sigset_t *mask)
{
	struct itimerspec left;

	if (has_timer && !real.timer_gettime(the_timer, &left) && of(&left.it_value) > 0) {
		jumped += (of(&left.it_value) + faster - 1) / faster;
		left.it_value = as(1);
		real.timer_settime(the_timer, 0, &left, NULL);
	}
	return real.sigsuspend(mask);
}
