/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TCP 22 of the agents: a banner where programs live, silence after the handshake where they hang, nothing at all where
 * the machine is dead. */
#ifndef SWARM_TCP_H
#define SWARM_TCP_H

#include "tests/lab/swarm/swarm.h"

/* Listens on all addresses, with a filter in the kernel that drops what is for dead machines (else the kernel would
 * refuse for them). The descriptor, or -1 after a message on stderr. */
int tcp_open(struct swarm *swarm, uint16_t port);
void tcp_close(void);

/* Takes the connections that wait. */
void tcp_ready(struct swarm *swarm, int listener);

/* Tells the filter what has become of an agent. Nothing without tcp_open(). */
void tcp_update(const struct swarm *swarm, unsigned agent);

#endif
