/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The machines themselves: made from the seed, found by address, deaf when their knobs say so; called by all of the
 * swarm. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lab/swarm/agent.h"
#include "tests/lab/swarm/bmc.h"
#include "tests/lab/swarm/count.h"
#include "tests/lab/swarm/crypto.h"
#include "tests/lab/swarm/pdu.h"

enum { LEAST_UP_MS = 60000, MOST_UP_S = 25920000 };

uint32_t swarm_hash(uint32_t seed, uint32_t number)
{
	uint64_t h = ((uint64_t)seed << 32 | number) + 0x9e3779b97f4a7c15u;

	h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9u;
	h = (h ^ h >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)(h ^ h >> 31);
}

double swarm_random(struct swarm *swarm)
{
	uint64_t x = swarm->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	swarm->random = x;
	return (double)(x >> 11) / 9007199254740992.0;
}

bool swarm_chance(struct swarm *swarm, float probability)
{
	return probability > 0 && swarm_random(swarm) < (double)probability;
}

static int number_of(uint32_t net, unsigned count, in_addr_t address)
{
	uint32_t a = ntohl(address), low = a & 0xff, number = (a >> 8 & 0xff) * PER_NET + low - 1;

	if ((a & 0xffff0000) != net || low < 1 || low > PER_NET || number >= count)
		return -1;
	return (int)number;
}

int swarm_agent_of(const struct swarm *swarm, in_addr_t address)
{
	return number_of(swarm->agents_net, swarm->agents, address);
}

int swarm_bmc_of(const struct swarm *swarm, in_addr_t address)
{
	return number_of(swarm->bmcs_net, swarm->bmcs, address);
}

bool swarm_hears(struct swarm *swarm, struct agent *agent)
{
	if (!agent->off && !agent->knobs.dead && !swarm_chance(swarm, agent->knobs.drop_in))
		return true;
	swarm->sums.not_heard++;
	return false;
}

int swarm_start(struct swarm *s)
{
	s->random = swarm_hash(s->seed, UINT32_MAX) | 1;
	s->agent = calloc(s->agents ? s->agents : 1, sizeof(*s->agent));
	if (!s->agent) {
		fprintf(stderr, "swarm: no memory for %u agents, ask for fewer\n", s->agents);
		return -1;
	}
	if (bmc_start(s) < 0)
		return -1;
	for (unsigned i = 0; i < s->agents; i++) {
		s->agent[i].hash = swarm_hash(s->seed, i);
		s->agent[i].boot_ms =
		    s->now_ms - LEAST_UP_MS - (int64_t)(swarm_hash(s->seed ^ 1, i) % MOST_UP_S) * 1000;
		s->agent[i].frozen_ms = -1;
	}
	count_reset(s);
	return 0;
}

void swarm_stop(struct swarm *s)
{
	agent_v3_stop(s);
	bmc_stop(s);
	crypto_stop();
	pdu_close();
	free(s->agent);
	s->agent = NULL;
}
