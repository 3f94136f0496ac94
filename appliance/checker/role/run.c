/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Check plugins as child processes; see run.h. */
#include "checker/role/run.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

enum {
	GRACE_MS = 1000,         /* between SIGTERM and SIGKILL */
	DRAINED_MAX = 1 << 20,   /* a plugin that prints more is ended */
	PROGRAM_FD = 3,          /* of the plugin itself, in the child: scripts are read through it */
	CPU_S = 30,
	BEHIND = 5,              /* nice */
	MEMORY = 512 << 20,
	FILES = 64,
	PROCESSES = 256 /* of all plugins together: the limit counts the user */
};

struct run {
	bool used, ended, killed; /* ended: reaped */
	pid_t pid;
	int fd, status;
	uint64_t id;
	int64_t begun, deadline, kill_at;
	enum run_end why;         /* killed: for this */
	size_t size, drained;
	struct loop_fd *watch;
	struct runner *owner;
	char output[RUN_OUTPUT];
};

struct runner {
	struct loop *loop;
	int directories[ROLE_CHECKS];
	run_done *done;
	void *arg;
	unsigned running;
	struct run runs[RUN_AT_ONCE];
};

/* --- ending -------------------------------------------------------------------------------------------- */
/* Reads what is there, keeps the beginning; true when no more will come. */
static bool drain(struct run *r)
{
	char waste[16384];
	ssize_t n = 1;

	while (n > 0 && r->drained <= DRAINED_MAX) {
		size_t room = sizeof r->output - 1 - r->size;
		n = room ? read(r->fd, r->output + r->size, room) : read(r->fd, waste, sizeof waste);
		if (n > 0 && room)
			r->size += (size_t)n;
		if (n > 0)
			r->drained += (size_t)n;
	}
	return n == 0;
}

static void finish(struct run *r)
{
	struct runner *owner = r->owner;
	struct run_result result = {.how = r->killed ? r->why : WIFSIGNALED(r->status) ? RUN_SIGNALLED : RUN_EXITED,
				    .code = WIFSIGNALED(r->status) ? WTERMSIG(r->status) : WEXITSTATUS(r->status),
				    .output = r->output,
				    .took_ms = (uint32_t)(clock_mono_ms() - r->begun)};

	(void)drain(r);
	r->output[r->size] = '\0';
	kill(-r->pid, SIGKILL); /* what it left in its session goes with it */
	loop_fd_remove(r->watch);
	close(r->fd);
	r->used = false;
	owner->running--;
	owner->done(owner->arg, r->id, &result);
}

static void put_down(struct run *r, enum run_end why, int64_t now)
{
	if (r->killed)
		return;
	r->killed = true;
	r->why = why;
	r->kill_at = now + GRACE_MS;
	kill(-r->pid, SIGTERM);
}

static void on_output(void *arg, int what)
{
	struct run *r = arg;

	(void)what;
	bool closed = drain(r);
	if (r->drained > DRAINED_MAX)
		put_down(r, RUN_ENDLESS, clock_mono_ms());
	if (closed || r->drained > DRAINED_MAX)
		loop_fd_change(r->watch, 0); /* its end is told by SIGCHLD */
}

static void reap(struct runner *owner)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (int i = 0; i < RUN_AT_ONCE; i++) {
			struct run *r = &owner->runs[i];
			if (!r->used || r->pid != pid)
				continue;
			r->status = status;
			finish(r);
		}
}

static void on_child(void *arg, int number)
{
	(void)number;
	reap(arg);
}

/* --- what plugins leave behind: whoever left its session becomes our child when its parent ends ------------- */
static bool is_ours(const struct runner *owner, pid_t pid)
{
	pid_t session = getsid(pid);

	for (int i = 0; i < RUN_AT_ONCE; i++)
		if (owner->runs[i].used && (owner->runs[i].pid == pid || owner->runs[i].pid == session))
			return true;
	return false;
}

static void kill_orphans(const struct runner *owner)
{
	char path[64], text[8192];
	int fd;

	text_format(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0)
		return;
	text[n] = '\0';
	for (char *at = text, *end; *at; at = end) {
		pid_t pid = (pid_t)strtol(at, &end, 10);
		if (end == at)
			break;
		if (pid > 0 && !is_ours(owner, pid))
			kill(pid, SIGKILL);
	}
}

void runner_tick(struct runner *owner, int64_t now)
{
	reap(owner);
	for (int i = 0; i < RUN_AT_ONCE; i++) {
		struct run *r = &owner->runs[i];
		if (!r->used)
			continue;
		if (now >= r->deadline)
			put_down(r, RUN_LATE, now);
		if (r->killed && now >= r->kill_at) {
			kill(-r->pid, SIGKILL);
			r->kill_at = now + GRACE_MS;
		}
	}
	kill_orphans(owner);
}

/* --- beginning ------------------------------------------------------------------------------------------- */

/* A plugin is one file of a check directory: no path, no link that leads out of it. */
static int find_program(const struct runner *owner, const char *name)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	struct stat st;
	int wrong = ENOENT;

	if (!text_is_name(name, 63))
		return -EINVAL;
	for (int i = 0; i < ROLE_CHECKS; i++) {
		if (owner->directories[i] < 0)
			continue;
		int fd = (int)syscall(SYS_openat2, owner->directories[i], name, &how, sizeof how);
		if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && (st.st_mode & 0111))
			return fd;
		wrong = fd < 0 ? errno : EACCES;
		if (fd >= 0)
			close(fd);
		if (wrong != ENOENT)
			break;
	}
	return -wrong;
}

static void limit(int which, rlim_t value)
{
	struct rlimit l = {value, value};

	setrlimit((__rlimit_resource_t)which, &l);
}

/* In the child: only calls that are safe after fork. */
static void become(int program, int out, char *const words[])
{
	static char *const environment[] = {(char *)(uintptr_t) "PATH=/usr/bin:/bin", (char *)(uintptr_t) "LC_ALL=C", NULL};
	int null = open("/dev/null", O_RDWR), parked = fcntl(program, F_DUPFD, 16);
	sigset_t none;

	setsid();
	setpriority(PRIO_PROCESS, 0, BEHIND); /* the role looks at members by the clock; plugins can wait */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* a checker that is killed leaves nothing running */
	dup2(null, 0);
	dup2(out, 1);
	dup2(null, 2);
	dup2(parked, PROGRAM_FD);
	syscall(SYS_close_range, (unsigned)PROGRAM_FD + 1, ~0u, 0u);
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	limit(RLIMIT_CPU, CPU_S);
	limit(RLIMIT_AS, MEMORY);
	limit(RLIMIT_FSIZE, 0);
	limit(RLIMIT_NOFILE, FILES);
	limit(RLIMIT_NPROC, PROCESSES);
	limit(RLIMIT_CORE, 0);
	syscall(SYS_execveat, PROGRAM_FD, "", words, environment, AT_EMPTY_PATH);
	dprintf(1, "cannot be executed: %s", strerror(errno));
	_exit(126);
}

static void refuse(struct runner *owner, uint64_t id, int error)
{
	struct run_result result = {.how = RUN_REFUSED, .code = error, .output = ""};

	owner->done(owner->arg, id, &result);
}

void runner_start(struct runner *owner, uint64_t id, char *const words[], uint32_t timeout_ms, int64_t now)
{
	struct run *r = owner->runs;
	int program = find_program(owner, words[0]), out[2];

	while (r < owner->runs + RUN_AT_ONCE && r->used)
		r++;
	if (program < 0 || r == owner->runs + RUN_AT_ONCE || pipe2(out, O_CLOEXEC | O_NONBLOCK)) {
		int error = program < 0 ? -program : r == owner->runs + RUN_AT_ONCE ? EBUSY : errno;
		if (program >= 0)
			close(program);
		refuse(owner, id, error);
		return;
	}
	fcntl(out[1], F_SETFL, 0); /* the plugin's end blocks, as programs expect */
	pid_t pid = fork();
	if (pid == 0)
		become(program, out[1], words);
	int error = errno;
	close(program);
	close(out[1]);
	if (pid < 0) {
		close(out[0]);
		refuse(owner, id, error);
		return;
	}
	*r = (struct run){.used = true, .pid = pid, .fd = out[0], .id = id, .begun = now, .deadline = now + timeout_ms, .owner = owner};
	r->watch = loop_fd_add(owner->loop, r->fd, LOOP_READ, on_output, r);
	owner->running++;
}

/* --- the runner itself ------------------------------------------------------------------------------------ */
struct runner *runner_new(struct loop *loop, const int directories[ROLE_CHECKS], run_done *done, void *arg)
{
	struct runner *owner = mem_zalloc(sizeof *owner);

	owner->loop = loop;
	owner->done = done;
	owner->arg = arg;
	memcpy(owner->directories, directories, sizeof owner->directories);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	loop_signal(loop, SIGCHLD, on_child, owner);
	return owner;
}

unsigned runner_running(const struct runner *owner)
{
	return owner->running;
}

void runner_end(struct runner *owner)
{
	for (int i = 0; i < RUN_AT_ONCE; i++)
		if (owner->runs[i].used)
			kill(-owner->runs[i].pid, SIGKILL);
}
