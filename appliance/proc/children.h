/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Programs as child processes of a role that may execute (checker, runner): no shell, a clean environment, a session of its own each, a
 * deadline, bounded output, and its end told once. What a program leaves behind in its session goes with it. */
#ifndef GLORY_PROC_CHILDREN_H
#define GLORY_PROC_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "loop/loop.h"

enum child_end { CHILD_EXITED = 1, CHILD_SIGNALLED, CHILD_LATE, CHILD_ENDLESS, CHILD_CANCELLED };

struct child_limits { /* 0: as the role itself has it */
	uint64_t cpu_s, memory, files, processes; /* processes: of the user, all its programs together */
	bool writes_nothing;                      /* no file grows by it */
	int nice;                                 /* it runs behind the others */
};

struct child_plan {
	int program;              /* descriptor of it (O_PATH will do); stays the caller's */
	char *const *words;       /* argv; NULL ends it */
	char *const *environment; /* NULL ends it */
	int input;                /* its standard input; -1: /dev/null; stays the caller's */
	bool errors;              /* its standard error is wanted, too; otherwise it is thrown away */
	uint32_t timeout_ms;
	size_t output_max;        /* whoever prints more is ended */
	const struct child_limits *limits;
	/* stream: 1 or 2; before on_end */
	void (*on_bytes)(void *arg, int stream, const char *bytes, size_t size);
	/* code: exit code; CHILD_SIGNALLED: the signal; meaningless when we ended it. The child is forgotten when this returns. */
	void (*on_end)(void *arg, enum child_end how, int code, uint32_t took_ms);
	void *arg;
};

struct children;
struct child;

/* keep_orphans: processes that have left their session and lost their parent stay (ssh's shared connections do so); otherwise they are killed. */
struct children *children_new(struct loop *loop, unsigned most, bool keep_orphans);
unsigned children_running(const struct children *all);
/* Starts a program. NULL: *error is an errno (EBUSY: `most` are running), and nothing will be told. */
struct child *children_start(struct children *all, const struct child_plan *plan, int64_t now, int *error);
/* Ends it early: SIGTERM, a second later SIGKILL; told as CHILD_CANCELLED. */
void children_cancel(struct child *child, int64_t now);
/* How many processes live on that have left their session: those that are kept. */
unsigned children_orphans(const struct children *all);
/* Kills all, orphans too, and tells nobody: the role ends. */
void children_end(struct children *all);

#endif
