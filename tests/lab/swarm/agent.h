/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What answers on an agent's address: SNMP messages by version, and ICMP echo. */
#ifndef SWARM_AGENT_H
#define SWARM_AGENT_H

#include "tests/lab/swarm/ber.h"
#include "tests/lab/swarm/net.h"

/* Handler of the SNMP port: finds the agent, lets its knobs decide whether it hears, hands the message on by version.
 */
void agent_handle(struct swarm *swarm, struct packet *packet);

/* A v2c message after its version (`rest` is at the community); `head` is where the message's content starts. */
void agent_v2_message(struct swarm *swarm, unsigned agent, const struct packet *packet, struct ber rest);

/* A v3 message after its version. */
void agent_v3_message(struct swarm *swarm, unsigned agent, const struct packet *packet, struct ber rest);

/* Gives agents first .. first + count - 1 a v3 engine each, with keys localised from the swarm's passphrases (RFC
 * 3414, 2.6). 0, or -1 after a message on stderr. */
int agent_v3_start(struct swarm *swarm, unsigned first, unsigned count);
void agent_v3_stop(struct swarm *swarm);

/* Handler of the echo socket. */
void agent_echo(struct swarm *swarm, struct packet *packet);

/* Says by ICMP that nobody listens on the port that an SNMP packet was for. */
void agent_unreachable(struct swarm *swarm, const struct packet *packet, uint16_t port);

/* The agent restarts now: its up-time begins again. */
void agent_reboot(struct swarm *swarm, unsigned agent);

#endif
