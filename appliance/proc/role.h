/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every role program begins and ends with: descriptors from the supervisor, loop, channels, privilege drop, sandbox.
 * main() of a role is role_main() with a table; the supervisor starts it as `glory-ROLE` with descriptor 3 = supervisor,
 * descriptor 4 = engine (for the engine itself: none), and nothing in argv or environment. */
#ifndef GLORY_PROC_ROLE_H
#define GLORY_PROC_ROLE_H

#include "base/words.h"
#include "loop/loop.h"
#include "proc/channel.h"
#include "proc/role_table.h"

#define ROLE_SUPERVISOR_FD 3
#define ROLE_ENGINE_FD 4

/* What the supervisor tells a role at start (first packet on descriptor 3, before anything else). No secrets. */
struct role_start {
	uint32_t role;   /* enum role */
	uint32_t epoch;
	uint32_t life;   /* 1 at first, counts restarts */
	uint32_t uid, gid; /* to become; 0 = stay (development run without root) */
	uint32_t log_level;
	uint32_t log_to_syslog;
	uint32_t sockets; /* MSG_SOCKET packets that follow before the role runs */
	uint32_t pad;
	uint64_t restarts[16]; /* by enum role */
	char directory[256]; /* base of the role's data: "/var/lib/glory" or build/run/var as bound; "" none */
	char config_path[256]; /* engine: gloryd.xml (read by the XML child), supervisor's own copy; others "" */
	char site[64], appliance[64];
	char checks[ROLE_CHECKS][256]; /* what it may execute: directories of plugins, in the order they are looked into, or programs; "" none */
};

struct role_context {
	struct role_start start;
	int checks[ROLE_CHECKS]; /* start.checks, opened (O_PATH) while the role still reaches everything; -1 none */
	struct loop *loop;
	struct channel *supervisor;
	struct channel *engine; /* NULL in the engine */
	void *state;            /* the role's own */
};

/* Rights a role keeps, as data (proc/sandbox.c holds the table of system calls). */
struct role_definition {
	enum role role;
	/* Opens files and sockets it needs while it still may; 0 or negative error. Called before the sandbox closes. */
	int (*prepare)(struct role_context *context);
	/* Socket handed over by the supervisor (taken). */
	void (*on_socket)(struct role_context *context, const void *msg_socket, int fd);
	/* Message from the engine (roles) or from the supervisor (all). body checked against message_shapes. fd is taken or -1. */
	void (*on_engine)(struct role_context *context, const struct message_header *h, const void *body, size_t size, int fd);
	void (*on_supervisor)(struct role_context *context, const struct message_header *h, const void *body, size_t size, int fd);
	/* Called in the loop once everything is open, before READY is sent. */
	int (*run)(struct role_context *context);
	/* Before a regular end (supervisor asked): flush, close. May be NULL. */
	void (*stop)(struct role_context *context);
};

/* Does all of it and returns the exit code. */
int role_main(const struct role_definition *definition);

#endif
