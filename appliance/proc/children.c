/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Programs as child processes; see children.h. */
#include "proc/children.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

enum {
	GRACE_MS = 1000, /* between SIGTERM and SIGKILL */
	TICK_MS = 100,   /* while something runs: deadlines, and orphans */
	PARKED = 16,
	PROGRAM_FD = 3   /* of the program itself, in the child: scripts are read through it */
};

struct stream {
	struct child *child;
	int fd, number;
	struct loop_fd *watch;
};

struct child {
	bool used, killed;
	pid_t pid;
	int status;
	int64_t begun, deadline, kill_at;
	enum child_end why; /* killed: for this */
	size_t printed, most;
	struct stream streams[2];
	struct children *owner;
	void (*on_bytes)(void *arg, int stream, const char *bytes, size_t size);
	void (*on_end)(void *arg, enum child_end how, int code, uint32_t took_ms);
	void *arg;
};

struct children {
	struct loop *loop;
	struct loop_timer *tick;
	bool keep_orphans;
	unsigned running, most;
	struct child *list;
};

/* --- ending -------------------------------------------------------------------------------------------- */
/* Hands on what is there; true when no more will come. */
static bool drain(struct stream *s)
{
	struct child *c = s->child;
	char bytes[16384];
	ssize_t n = 1;

	while (n > 0 && c->printed <= c->most) {
		n = read(s->fd, bytes, sizeof bytes);
		if (n <= 0)
			break;
		c->printed += (size_t)n;
		c->on_bytes(c->arg, s->number, bytes, (size_t)n);
	}
	return n == 0;
}

static void close_streams(struct child *c)
{
	for (int i = 0; i < 2; i++) {
		if (c->streams[i].fd < 0)
			continue;
		loop_fd_remove(c->streams[i].watch);
		close(c->streams[i].fd);
		c->streams[i].fd = -1;
	}
}

static void finish(struct child *c)
{
	struct children *all = c->owner;
	enum child_end how = c->killed ? c->why : WIFSIGNALED(c->status) ? CHILD_SIGNALLED : CHILD_EXITED;
	int code = WIFSIGNALED(c->status) ? WTERMSIG(c->status) : WEXITSTATUS(c->status);

	for (int i = 0; i < 2; i++)
		if (c->streams[i].fd >= 0)
			(void)drain(&c->streams[i]);
	kill(-c->pid, SIGKILL); /* what it left in its session goes with it */
	close_streams(c);
	c->used = false;
	all->running--;
	c->on_end(c->arg, how, code, (uint32_t)(clock_mono_ms() - c->begun));
}

static void put_down(struct child *c, enum child_end why, int64_t now)
{
	if (c->killed)
		return;
	c->killed = true;
	c->why = why;
	c->kill_at = now + GRACE_MS;
	kill(-c->pid, SIGTERM);
}

void children_cancel(struct child *c, int64_t now)
{
	put_down(c, CHILD_CANCELLED, now);
}

static void on_output(void *arg, int what)
{
	struct stream *s = arg;

	(void)what;
	bool closed = drain(s);
	if (s->child->printed > s->child->most)
		put_down(s->child, CHILD_ENDLESS, clock_mono_ms());
	if (closed || s->child->printed > s->child->most)
		loop_fd_change(s->watch, 0); /* its end is told by SIGCHLD */
}

static void reap(struct children *all)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (unsigned i = 0; i < all->most; i++) {
			struct child *c = &all->list[i];
			if (!c->used || c->pid != pid)
				continue;
			c->status = status;
			finish(c);
		}
}

static void on_child(void *arg, int number)
{
	struct children *all = arg;

	(void)number;
	reap(all);
	loop_timer_keep(all->tick, TICK_MS); /* it may have left orphans */
}

/* --- what programs leave behind: whoever left its session becomes our child when its parent ends ------------ */
static bool is_ours(const struct children *all, pid_t pid)
{
	pid_t session = getsid(pid);

	for (unsigned i = 0; i < all->most; i++)
		if (all->list[i].used && (all->list[i].pid == pid || all->list[i].pid == session))
			return true;
	return false;
}

static unsigned each_orphan(const struct children *all, bool end)
{
	char path[64], text[8192];
	unsigned count = 0;

	text_format(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	for (char *at = text, *stop; *at; at = stop) {
		pid_t pid = (pid_t)strtol(at, &stop, 10);
		if (stop == at)
			break;
		if (pid <= 0 || is_ours(all, pid))
			continue;
		count++;
		if (end)
			kill(pid, SIGKILL);
	}
	return count;
}

unsigned children_orphans(const struct children *all)
{
	return each_orphan(all, false);
}

static void on_tick(void *arg)
{
	struct children *all = arg;
	int64_t now = clock_mono_ms();

	reap(all);
	for (unsigned i = 0; i < all->most; i++) {
		struct child *c = &all->list[i];
		if (!c->used)
			continue;
		if (now >= c->deadline)
			put_down(c, CHILD_LATE, now);
		if (c->killed && now >= c->kill_at) {
			kill(-c->pid, SIGKILL);
			c->kill_at = now + GRACE_MS;
		}
	}
	if ((all->keep_orphans || !each_orphan(all, true)) && !all->running)
		loop_timer_stop(all->tick);
}

void children_end(struct children *all)
{
	for (unsigned i = 0; i < all->most; i++)
		if (all->list[i].used)
			kill(-all->list[i].pid, SIGKILL);
	each_orphan(all, true);
}

/* --- beginning ------------------------------------------------------------------------------------------- */
static void limit(int which, uint64_t value)
{
	struct rlimit l = {value, value};

	if (value)
		setrlimit((__rlimit_resource_t)which, &l);
}

/* In the child: only calls that are safe after fork. */
static void become(const struct child_plan *plan, int out, int errors)
{
	static const struct child_limits none_given;
	const struct child_limits *l = plan->limits ? plan->limits : &none_given;
	int null = open("/dev/null", O_RDWR), parked = fcntl(plan->program, F_DUPFD, PARKED);
	struct rlimit zero = {0, 0};
	sigset_t none;

	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* a role that is killed leaves nothing running */
	int in = fcntl(plan->input >= 0 ? plan->input : null, F_DUPFD, PARKED);
	dup2(in, 0);
	dup2(out, 1);
	dup2(plan->errors ? errors : null, 2);
	dup2(parked, PROGRAM_FD);
	syscall(SYS_close_range, (unsigned)PROGRAM_FD + 1, ~0u, 0u);
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (l->nice)
		setpriority(PRIO_PROCESS, 0, l->nice);
	limit(RLIMIT_CPU, l->cpu_s);
	limit(RLIMIT_AS, l->memory);
	limit(RLIMIT_NOFILE, l->files);
	limit(RLIMIT_NPROC, l->processes);
	if (l->writes_nothing)
		setrlimit(RLIMIT_FSIZE, &zero);
	setrlimit(RLIMIT_CORE, &zero);
	syscall(SYS_execveat, PROGRAM_FD, "", plan->words, plan->environment, AT_EMPTY_PATH);
	dprintf(1, "cannot be executed: %s", strerror(errno));
	_exit(126);
}

static bool make_pipes(int out[2], int errors[2], bool both)
{
	if (pipe2(out, O_CLOEXEC | O_NONBLOCK))
		return false;
	fcntl(out[1], F_SETFL, 0); /* the program's end blocks, as programs expect */
	if (!both)
		return true;
	if (pipe2(errors, O_CLOEXEC | O_NONBLOCK)) {
		close(out[0]);
		close(out[1]);
		return false;
	}
	fcntl(errors[1], F_SETFL, 0);
	return true;
}

static void watch(struct child *c, int i, int fd)
{
	c->streams[i] = (struct stream){.child = c, .fd = fd, .number = i + 1};
	if (fd >= 0)
		c->streams[i].watch = loop_fd_add(c->owner->loop, fd, LOOP_READ, on_output, &c->streams[i]);
}

struct child *children_start(struct children *all, const struct child_plan *plan, int64_t now, int *error)
{
	struct child *c = all->list;
	int out[2], errors[2] = {-1, -1};

	while (c < all->list + all->most && c->used)
		c++;
	if (c == all->list + all->most || !make_pipes(out, errors, plan->errors)) {
		*error = c == all->list + all->most ? EBUSY : errno;
		return NULL;
	}
	pid_t pid = fork();
	if (pid == 0)
		become(plan, out[1], errors[1]);
	*error = errno;
	close(out[1]);
	if (errors[1] >= 0)
		close(errors[1]);
	if (pid < 0) {
		close(out[0]);
		if (errors[0] >= 0)
			close(errors[0]);
		return NULL;
	}
	*c = (struct child){.used = true, .pid = pid, .begun = now, .deadline = now + plan->timeout_ms, .most = plan->output_max, .owner = all,
			    .on_bytes = plan->on_bytes, .on_end = plan->on_end, .arg = plan->arg};
	watch(c, 0, out[0]);
	watch(c, 1, errors[0]);
	all->running++;
	loop_timer_keep(all->tick, TICK_MS);
	return c;
}

/* --- all of them -------------------------------------------------------------------------------------------- */
struct children *children_new(struct loop *loop, unsigned most, bool keep_orphans)
{
	struct children *all = mem_zalloc(sizeof *all);

	all->loop = loop;
	all->most = most;
	all->keep_orphans = keep_orphans;
	all->list = mem_array(most, sizeof all->list[0]);
	all->tick = loop_timer_new(loop, on_tick, all);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	loop_signal(loop, SIGCHLD, on_child, all);
	return all;
}

unsigned children_running(const struct children *all)
{
	return all->running;
}
