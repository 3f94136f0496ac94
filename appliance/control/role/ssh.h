/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The arguments of one ssh: nothing in them is secret. */
#ifndef GLORY_CONTROL_SSH_H
#define GLORY_CONTROL_SSH_H

#include <stdbool.h>
#include <stddef.h>

#include "board/messages.h"

enum { SSH_WORDS = 96, SSH_ROOM = 8192 };
struct ssh_command {
	char *words[SSH_WORDS];
	char room[SSH_ROOM];
	size_t count, used;
	bool full;
};

struct ssh_target {
	const char *keys;    /* directory with NAME, NAME-cert.pub, NAME.known */
	const char *socket;  /* of the shared connection; "" none */
	const char *credential, *host, *line;
	struct address address;
	const char *user;
};

/* False: it does not fit. words[] point into room. */
bool ssh_command(struct ssh_command *out, const struct ssh_target *target);
/* ssh -O exit: ends a shared connection of an earlier life. */
bool ssh_command_end(struct ssh_command *out, const char *socket);

#endif
