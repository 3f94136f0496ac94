/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernel's IPVS over generic netlink: reads all virtual servers, the real servers of those that matter, and the sync daemons; sends changes in
 * batches and tells for each how it ended. Nothing is ever flushed. What the kernel answers is input: lengths, types and counts are checked.
 * Attributes and commands: include/uapi/linux/ip_vs.h. Two reads that a change came between are repeated (NLM_F_DUMP_INTR). */
#ifndef GLORY_LVS_KERNEL_H
#define GLORY_LVS_KERNEL_H

#include <linux/ip_vs.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "balance/picture.h"
#include "base/error.h"

#define KERNEL_SERVICES_MAX 65536 /* virtual servers that are read, foreign ones included */

struct kernel_dest { /* a real server as the kernel has it: more than a picture can say */
	struct address address;
	uint32_t weight, upper, lower; /* connections at which it is left out and taken back; 0: none */
	uint8_t forwarding;            /* enum forwarding; 0: the director itself, which the kernel may say instead */
	uint8_t tunnel;                /* IP_VS_CONN_F_TUNNEL_TYPE_*; 0: IP in IP */
	struct picture_counts counts;
};
struct kernel_service {
	uint8_t family;    /* 4 or 6 */
	uint8_t protocol;  /* enum picture_protocol; 0: one that a picture cannot say */
	uint32_t fwmark;
	struct address address;
	char scheduler[32], engine[IP_VS_PENAME_MAXLEN]; /* engine: persistence engine ("sip"); "" none */
	uint32_t flags;    /* IP_VS_SVC_F_*, without HASHED */
	uint32_t timeout_s, prefix; /* of persistence; prefix 0: whole address */
	struct picture_counts counts;
	struct kernel_dest *dests; /* owned; sorted by address */
	size_t count, room;
};
struct kernel_table {
	struct kernel_service *services; /* owned */
	size_t count, room;
};
struct kernel_daemon { /* of the connection synchronisation; state IP_VS_STATE_MASTER or _BACKUP */
	uint32_t state, id;
	char interface[IP_VS_IFNAME_MAXLEN];
};
struct kernel_command {
	uint8_t verb;      /* IPVS_CMD_{NEW,SET,DEL}_{SERVICE,DEST} */
	const struct picture_virtual *virtual_server;
	const struct picture_real *real; /* of the three that are about one */
	uint32_t flags;    /* of a service */
	int status;        /* out: 0, or the errno that came back */
};

/* How bytes get to the kernel and back: a socket, or a test's idea of a kernel. receive: the datagram's size, or negative errno. */
struct kernel_link {
	int (*send)(void *arg, const void *bytes, size_t size); /* 0 or negative errno */
	ssize_t (*receive)(void *arg, void *bytes, size_t room);
	void *arg;
};
struct kernel {
	struct kernel_link link;
	int family;
	uint32_t sequence;
	uint32_t commands; /* writes sent so far */
	struct nl_sock *socket;
	unsigned char *bytes;
};

/* Connects and resolves the family; loads no module (the error says which is missing). kernel_close() also after a failure. */
int kernel_open(struct kernel *kernel, struct error *e);
void kernel_close(struct kernel *kernel);

/* wanted(arg, service): read its real servers, too. */
int kernel_read(struct kernel *kernel, bool (*wanted)(void *arg, const struct kernel_service *s), void *arg, struct kernel_table *out, struct error *e);
void kernel_table_clear(struct kernel_table *table);
/* Sends them in order, many in one datagram; each one's status is filled in. What is there already is set, what is missing is made, what is gone
 * stays gone. 0 when every command was answered (whatever the answer). */
int kernel_write(struct kernel *kernel, struct kernel_command *commands, size_t count, struct error *e);

/* At most one of each state; *count of them. */
int kernel_daemons(struct kernel *kernel, struct kernel_daemon out[2], size_t *count, struct error *e);
int kernel_daemon_start(struct kernel *kernel, const struct kernel_daemon *daemon, struct error *e);
int kernel_daemon_stop(struct kernel *kernel, const struct kernel_daemon *daemon, struct error *e);

/* What to do about an errno of the kernel's; "" when nothing better than its name is known. */
const char *kernel_remedy(int error);

#endif
