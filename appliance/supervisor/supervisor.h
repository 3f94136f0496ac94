/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gloryd: the small privileged parent. It starts the roles, restarts them, opens sockets, reads secrets, starts helpers.
 * It has no network input and parses nothing: even its own settings come from the child glory-xml. */
#ifndef GLORY_SUPERVISOR_SUPERVISOR_H
#define GLORY_SUPERVISOR_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "board/messages.h"
#include "config/settings.h"
#include "loop/loop.h"
#include "proc/channel.h"
#include "proc/role_table.h"

struct supervisor;

struct role_run {
	struct supervisor *supervisor;
	const struct role_entry *entry;
	pid_t pid; /* 0: not running */
	struct channel *channel;
	struct loop_timer *restart;
	int engine_end; /* kept until the engine has been told; -1 */
	uint32_t life;
	bool ready;
	int64_t started_ms, last_sign_ms, delay_ms;
};

#define SOCKET_USES 10
struct supervisor {
	struct loop *loop;
	struct settings settings;
	char config_path[256];
	char programs[256]; /* libexec/glory */
	uint32_t epoch;
	struct role_run roles[ROLE_COUNT];
	int sockets[SOCKET_USES]; /* by enum socket_use; -1 */
	struct address socket_address[SOCKET_USES];
	struct loop_timer *watchdog;
	int first_cluster; /* the cluster.xml for an empty store, -1 none */
	bool stopping, root, announced;
	int exit_code;
	int64_t stop_deadline_ms;
};

/* sockets.c: opens what settings ask for; 0 or a negative error (logged with the remedy). Without root it opens what it may. */
int sockets_open(struct supervisor *s);
void sockets_close(struct supervisor *s);
/* Opens the TLS listener's certificate for its role; out says how it went. The descriptor, or -1. */
int do_privileged_certificate(const struct settings *settings, struct msg_https *out);

/* secrets.c: answers a role's MSG_SECRET_ASK; refuses another class, a bad name, a file others could read. The struct is wiped by the caller. */
void do_privileged_secret(const struct supervisor *s, const struct role_entry *asker, const struct msg_secret_ask *ask, struct msg_secret *out);

/* spawn.c: starts a program of ours with the given descriptors as 0, 1, 3, 4 (-1: /dev/null or none). Becomes uid/gid first when not 0.
 * Returns the pid or a negative error. */
struct spawn {
	const char *directory, *program;
	char *arguments[4]; /* after argv[0], NULL ends */
	int in, out, third, fourth;
	uint32_t uid, gid;
	int nice; /* as the kernel lets us: a supervisor without the right leaves it as it is */
	bool net_admin; /* it keeps CAP_NET_ADMIN, and nothing else */
};
pid_t spawn_program(const struct spawn *what);
/* Identity of a role or helper: 0 when not root. */
uint32_t spawn_role_uid(const struct supervisor *s, const struct role_entry *entry);

/* accounts.c: in a run with numeric users, gives them names in a private /etc/passwd: programs like ssh refuse to work for a user without one.
 * Needs the private mount namespace of --root. 0 or a negative error (logged). */
int accounts_bind(const struct supervisor *s);

/* helpers.c */
void do_privileged_helper(struct supervisor *s, const struct msg_helper_run *ask, int input);
bool helper_reaped(pid_t pid, int status); /* true: it was one of ours */
void helpers_tick(int64_t now_ms);         /* ends those past their deadline */
void helpers_end(void);

#endif
