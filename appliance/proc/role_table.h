/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fixed list of roles and helpers: program, identity, directories, secrets, sockets. The supervisor acts on it; the sandbox
 * reads it; nothing that arrives in a message can widen it. */
#ifndef GLORY_PROC_ROLE_TABLE_H
#define GLORY_PROC_ROLE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/words.h"

#define ROLE_DIRECTORIES 2
#define ROLE_SECRETS 2
#define ROLE_CHECKS 2 /* what a role may execute: directories of plugins, or single programs */

enum role_exec { EXEC_NOTHING, EXEC_PLUGINS, EXEC_PROGRAMS };

struct role_entry {
	enum role role;
	const char *program;                        /* under libexec/glory/ */
	const char *account;                        /* user name on an installed appliance */
	uint32_t uid_offset;                        /* added to settings.first_uid in a run */
	const char *directories[ROLE_DIRECTORIES];  /* under the data directory: made, owned by the role, the only ones it may write */
	uint32_t secret_classes[ROLE_SECRETS];      /* enum secret_class it may ask for; 0 = none */
	uint32_t sockets;                           /* bits of 1 << enum socket_use it is given at start */
	bool network;                               /* may make sockets of its own */
	bool files;                                 /* opens files after start */
	bool threads;
	enum role_exec exec;                        /* EXEC_PLUGINS: whatever stands in the check directories; EXEC_PROGRAMS: these files alone */
	const char *programs[ROLE_CHECKS];          /* EXEC_PROGRAMS: absolute, or under libexec/glory/ */
	int8_t nice;                                /* among the roles: who polls and judges must not wait for who writes files */
};

extern const struct role_entry role_table[ROLE_COUNT];

enum { HELPER_COUNT = 4 };
struct helper_entry {
	const char *program;
	uint32_t uid_offset;
	enum role group_of; /* runs in the group of this role (reads its files); 0 none */
	bool data;          /* gets the data directory as descriptor 4 */
	bool net_admin;     /* keeps CAP_NET_ADMIN, and nothing else */
};
extern const struct helper_entry helper_table[HELPER_COUNT];

#endif
