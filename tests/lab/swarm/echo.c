/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ICMP echo (RFC 792) for the agents' addresses, and for x.y.255.z, which stand for reference addresses such as
 * gateways and always answer. */
#include "tests/lab/swarm/agent.h"

#include <arpa/inet.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "tests/lab/swarm/count.h"

static uint16_t checksum(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;

	for (; n > 1; n -= 2, p += 2)
		sum += (uint32_t)p[0] << 8 | p[1];
	if (n)
		sum += (uint32_t)p[0] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static bool is_reference(const struct swarm *swarm, in_addr_t address)
{
	return (ntohl(address) & 0xffffff00) == (swarm->agents_net | 0xff00);
}

void agent_echo(struct swarm *swarm, struct packet *packet)
{
	static const struct knobs none;
	int agent = swarm_agent_of(swarm, packet->asked.s_addr);
	const struct knobs *knobs = agent < 0 ? &none : &swarm->agent[agent].knobs;
	uint16_t sum;

	if (packet->data[0] != ICMP_ECHO || checksum(packet->data, packet->size) != 0) {
		swarm->sums.garbage++;
		return;
	}
	if (agent < 0 && !is_reference(swarm, packet->asked.s_addr)) {
		swarm->sums.unknown_address++;
		return;
	}
	if (agent >= 0) {
		if (!swarm_hears(swarm, &swarm->agent[agent]) || knobs->no_echo)
			return;
		count_echo(swarm, &swarm->agent[agent]);
	}
	packet->data[0] = ICMP_ECHOREPLY;
	memset(packet->data + 2, 0, 2);
	sum = htons(checksum(packet->data, packet->size));
	memcpy(packet->data + 2, &sum, 2);
	net_reply(swarm, packet, packet->data, packet->size, knobs, 0);
}
