/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IPVS netlink messages: attributes from and to plain structs. Pure; kernel.c sends and receives them. */
#ifndef GLORY_LVS_MESSAGE_H
#define GLORY_LVS_MESSAGE_H

#include <netlink/msg.h>

#include "lvs/kernel.h"

/* A request without attributes; nlmsg_free() it. flags: NLM_F_DUMP, NLM_F_ACK. */
struct nl_msg *message_new(int family, uint32_t sequence, int flags, uint8_t verb);
/* full: with what is set; else only what names it. */
void message_put_service(struct nl_msg *m, const struct picture_virtual *v, uint32_t flags, bool full);
void message_put_dest(struct nl_msg *m, const struct picture_virtual *v, const struct picture_real *r, bool full);
void message_put_service_key(struct nl_msg *m, const struct kernel_service *s);
void message_put_daemon(struct nl_msg *m, const struct kernel_daemon *d, bool full);
/* A whole command. */
struct nl_msg *message_command(int family, uint32_t sequence, const struct kernel_command *c);

/* False: it is none, or its attributes are not as they must be. family: of the service (4 or 6), for kernels that tell none of a real server. */
bool message_read_service(const struct nlmsghdr *h, struct kernel_service *out);
bool message_read_dest(const struct nlmsghdr *h, uint8_t family, struct kernel_dest *out);
bool message_read_daemon(const struct nlmsghdr *h, struct kernel_daemon *out);

#endif
