/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A command between its arrival and its answer; commands.c keeps it, command_edit.c makes the edits it asks for. */
#ifndef GLORY_ENGINE_COMMAND_H
#define GLORY_ENGINE_COMMAND_H

#include "engine/engine.h"

struct pending_command {
	struct engine *e;
	enum role face;
	uint32_t life;
	struct msg_command c;
	json_t *arguments;
	int fd;
	enum right right; /* of its actor */
	char set_key[64];
};

/* Each command ends by exactly one of these, which frees it. */
void answer_error(struct pending_command *p, const struct error *err);
void answer_done(struct pending_command *p);
void answer_job(void *pending, uint64_t id, const struct error *err);                     /* a job_accepted */
void answer_edit(void *pending, const struct error *err, const struct config_diff *diff); /* an edit_done */
/* The nodes of its target; 0 or a negative error. */
int command_nodes(struct pending_command *p, struct model_selection *out, struct error *err);

/* run_commands.c */
void command_run(struct pending_command *p);
void command_software(struct pending_command *p);
void command_role(struct pending_command *p);

/* An edit_make of a struct pending_command: what its verb asks for, on the wanted state as it stands when its turn comes. */
int command_edit(void *command, struct cluster *next, struct error *err);

#endif
