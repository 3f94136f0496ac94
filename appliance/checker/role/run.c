/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Check plugins as child processes; see run.h. */
#include "checker/role/run.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "proc/children.h"

enum { DRAINED_MAX = 1 << 20 }; /* a plugin that prints more is ended */

static const struct child_limits limits = {.cpu_s = 30, .memory = 512u << 20, .files = 64, .processes = 256, .writes_nothing = true,
					   .nice = 5}; /* the role looks at members by the clock; plugins can wait */

struct run {
	bool used;
	uint64_t id;
	struct runner *owner;
	size_t size;
	char output[RUN_OUTPUT];
};

struct runner {
	struct children *children;
	int directories[ROLE_CHECKS];
	run_done *done;
	void *arg;
	struct run runs[RUN_AT_ONCE];
};

/* The beginning is kept. */
static void on_bytes(void *arg, int stream, const char *bytes, size_t size)
{
	struct run *r = arg;
	size_t room = sizeof r->output - 1 - r->size, take = size < room ? size : room;

	(void)stream;
	memcpy(r->output + r->size, bytes, take);
	r->size += take;
}

static void on_end(void *arg, enum child_end how, int code, uint32_t took_ms)
{
	static const enum run_end ends[] = {[CHILD_EXITED] = RUN_EXITED, [CHILD_SIGNALLED] = RUN_SIGNALLED, [CHILD_LATE] = RUN_LATE,
					    [CHILD_ENDLESS] = RUN_ENDLESS, [CHILD_CANCELLED] = RUN_LATE};
	struct run *r = arg;
	struct run_result result = {.how = ends[how], .code = code, .output = r->output, .took_ms = took_ms};

	r->output[r->size] = '\0';
	r->used = false;
	r->owner->done(r->owner->arg, r->id, &result);
}

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

static void refuse(struct runner *owner, uint64_t id, int error)
{
	struct run_result result = {.how = RUN_REFUSED, .code = error, .output = ""};

	owner->done(owner->arg, id, &result);
}

void runner_start(struct runner *owner, uint64_t id, char *const words[], uint32_t timeout_ms, int64_t now)
{
	static char *const environment[] = {(char *)(uintptr_t) "PATH=/usr/bin:/bin", (char *)(uintptr_t) "LC_ALL=C", NULL};
	struct run *r = owner->runs;
	int program = find_program(owner, words[0]), error = program < 0 ? -program : EBUSY;

	while (r < owner->runs + RUN_AT_ONCE && r->used)
		r++;
	struct child_plan plan = {.program = program, .words = words, .environment = environment, .input = -1, .timeout_ms = timeout_ms,
				  .output_max = DRAINED_MAX, .limits = &limits, .on_bytes = on_bytes, .on_end = on_end, .arg = r};
	if (program < 0 || r == owner->runs + RUN_AT_ONCE || !children_start(owner->children, &plan, now, &error)) {
		if (program >= 0)
			close(program);
		refuse(owner, id, error);
		return;
	}
	close(program);
	*r = (struct run){.used = true, .id = id, .owner = owner};
}

struct runner *runner_new(struct loop *loop, const int directories[ROLE_CHECKS], run_done *done, void *arg)
{
	struct runner *owner = mem_zalloc(sizeof *owner);

	owner->done = done;
	owner->arg = arg;
	memcpy(owner->directories, directories, sizeof owner->directories);
	owner->children = children_new(loop, RUN_AT_ONCE, false);
	return owner;
}

unsigned runner_running(const struct runner *owner)
{
	return children_running(owner->children);
}

void runner_end(struct runner *owner)
{
	children_end(owner->children);
}
