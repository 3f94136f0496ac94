/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The BMC engine's sockets and clock: one UDP socket for IPv4, one for IPv6, and one timer in the role's loop. Used by
 * the bmc role and by the tool of the tests. */
#ifndef GLORY_IPMI_UDP_H
#define GLORY_IPMI_UDP_H

#include "ipmi/engine.h"
#include "loop/loop.h"

struct bmc_udp;

/* Opens the sockets (no rights needed; with CAP_NET_ADMIN the receive buffer is larger). NULL: not even IPv4 was there.
 */
struct bmc_udp *bmc_udp_open(void);
/* For struct bmc_hands: arg is the struct bmc_udp. What is sent leaves at the end of a turn of the loop, or with
 * bmc_udp_rearm(): all of it by one call of the kernel. */
void bmc_udp_send(struct bmc_udp *u, const struct address *to, const void *data, size_t size);
void bmc_udp_random(void *arg, void *out, size_t size);
/* From now on datagrams reach the engine and its timers run. */
void bmc_udp_attach(struct bmc_udp *u, struct loop *loop, struct bmc_engine *engine);
/* Sends what the engine said and sets the timer anew: to be called after something was given to the engine. */
void bmc_udp_rearm(struct bmc_udp *u);
void bmc_udp_free(struct bmc_udp *u);

#endif
