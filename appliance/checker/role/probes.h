/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The role's service probes: which there are, when each is looked at, what it is found to be, and what the engine is told of it. Called by
 * main.c of the role. */
#ifndef GLORY_CHECKER_PROBES_H
#define GLORY_CHECKER_PROBES_H

#include "board/messages.h"
#include "checker/role/run.h"
#include "proc/role.h"

struct probes;

/* Before the sandbox closes. */
struct probes *probes_new(struct role_context *context);
void probes_begin(struct probes *all, struct runner *runner); /* in the loop */
void probes_take(struct probes *all, const struct msg_member_probe *m, size_t count);   /* MSG_PROBES */
void probes_change(struct probes *all, const struct msg_member_probe *m, size_t count); /* MSG_PROBE_CHANGE */
void probes_second(struct probes *all); /* once a second */
void probes_free(struct probes *all);

/* Ids of the runner that are ours have this bit. */
#define PROBE_RUN (UINT64_C(1) << 63)
void probes_plugin_done(struct probes *all, uint64_t id, const struct run_result *result, const char *text);

uint64_t probes_done(const struct probes *all); /* looks since the start */
unsigned probes_open(const struct probes *all); /* looks under way */

#endif
