/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SNMPv3 messages: refused until keys are given. */
#include "tests/lab/swarm/agent.h"

#include <stdio.h>

int agent_v3_start(struct swarm *swarm, unsigned first, unsigned count)
{
	(void)swarm, (void)first, (void)count;
	fprintf(stderr, "swarm: option --v3: this swarm speaks v2c only\n");
	return -1;
}

void agent_v3_stop(struct swarm *swarm)
{
	(void)swarm;
}

void agent_v3_message(struct swarm *swarm, unsigned agent, const struct packet *packet, struct ber rest)
{
	(void)agent, (void)packet, (void)rest;
	swarm->sums.garbage++;
}
