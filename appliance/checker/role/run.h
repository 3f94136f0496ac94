/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running check plugins: programs in the check directories and nothing else, without a shell, each in a session of its own with limits
 * and a deadline, its output bounded. Driven by main.c of the role. */
#ifndef GLORY_CHECKER_RUN_H
#define GLORY_CHECKER_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "loop/loop.h"
#include "proc/role_table.h"

enum { RUN_OUTPUT = 4096, RUN_AT_ONCE = 32 };

enum run_end { RUN_EXITED = 1, RUN_SIGNALLED, RUN_LATE, RUN_ENDLESS, RUN_REFUSED };
struct run_result {
	enum run_end how;
	int code;            /* exit code, signal, or errno of a program that could not be started */
	const char *output;  /* terminated, at most RUN_OUTPUT - 1 bytes; the rest was thrown away */
	uint32_t took_ms;
};
typedef void run_done(void *arg, uint64_t id, const struct run_result *result);

struct runner;
/* directories: descriptors of the check directories, -1 none; a plugin is looked for in this order. */
struct runner *runner_new(struct loop *loop, const int directories[ROLE_CHECKS], run_done *done, void *arg);
unsigned runner_running(const struct runner *runner);
/* words[0] is the plugin's file name, NULL ends the list. Told by done(), maybe before this returns. */
void runner_start(struct runner *runner, uint64_t id, char *const words[], uint32_t timeout_ms, int64_t now);
void runner_end(struct runner *runner); /* kills all */

#endif
