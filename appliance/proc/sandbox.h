/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a role gives away before it reads its first byte from outside: identity, capabilities, system calls, files. */
#ifndef GLORY_PROC_SANDBOX_H
#define GLORY_PROC_SANDBOX_H

#include <stdint.h>

#include "proc/role_table.h"

/* Becomes uid/gid (0: stays who it is, for a development run), drops every capability and supplementary group, sets no_new_privs,
 * no core dumps, dies with its parent. 0 or ERR_REFUSED (logged). */
int sandbox_drop_privileges(uint32_t uid, uint32_t gid);
/* Landlock (where the kernel has it): only the role's own directories under data may be written, system paths read, and by a role that
 * may the programs of ROLE_CHECKS directories executed (programs: their descriptors, which stay the caller's; -1 none). Then the
 * seccomp filter of the role. Says in the log what the kernel could not give. 0 or ERR_BUG. */
int sandbox_close(const struct role_entry *entry, const char *data, const int *programs);

#endif
