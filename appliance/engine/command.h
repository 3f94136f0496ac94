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

/* An edit_make of a struct pending_command: what its verb asks for, on the wanted state as it stands when its turn comes. */
int command_edit(void *command, struct cluster *next, struct error *err);

#endif
