/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A command between its arrival and its answer, for the files that carry commands out. Each ends by exactly one answer_*(), which frees it. */
#ifndef GLORY_ENGINE_COMMANDS_H
#define GLORY_ENGINE_COMMANDS_H

#include "engine/engine.h"

struct pending_command {
	struct engine *e;
	enum role face;
	uint32_t life;
	struct msg_command c;
	json_t *arguments;
	int fd;
	char set_key[64];
};

void answer_error(struct pending_command *p, const struct error *err);
void answer_done(struct pending_command *p);
void answer_job(void *pending, uint64_t id, const struct error *err);                            /* a job_accepted */
void answer_edit(void *pending, const struct error *err, const struct config_diff *diff);        /* an edit_done */
/* The nodes of its target; 0 or a negative error. */
int command_nodes(struct pending_command *p, struct model_selection *out, struct error *err);

/* --- run_commands.c */
void command_run(struct pending_command *p);
void command_software(struct pending_command *p);

#endif
