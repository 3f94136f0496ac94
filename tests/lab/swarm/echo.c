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

void agent_unreachable(struct swarm *swarm, const struct packet *packet, uint16_t port)
{
	enum { ICMP_SIZE = 8, IP_SIZE = 20, UDP_SIZE = 8, TTL = 64, UDP = 17, PORT_UNREACHABLE = 3 };
	static const struct knobs none;
	struct packet icmp = *packet;
	uint8_t *p = net_slot(swarm, PORT_ECHO), *ip = p + ICMP_SIZE, *udp = ip + IP_SIZE;
	uint16_t size = htons((uint16_t)(packet->size + UDP_SIZE)), sum;
	uint16_t whole = htons((uint16_t)(packet->size + UDP_SIZE + IP_SIZE));

	swarm->sums.not_heard++;
	memset(p, 0, ICMP_SIZE + IP_SIZE + UDP_SIZE);
	memcpy(p, (uint8_t[]){ICMP_DEST_UNREACH, PORT_UNREACHABLE}, 2);
	memcpy(ip, (uint8_t[]){0x45, 0, 0, 0, 0, 0, 0, 0, TTL, UDP}, 10);
	memcpy(ip + 2, &whole, 2);
	memcpy(ip + 12, &packet->peer.sin_addr, 4);
	memcpy(ip + 16, &packet->asked, 4);
	sum = htons(checksum(ip, IP_SIZE));
	memcpy(ip + 10, &sum, 2);
	port = htons(port);
	memcpy(udp, &packet->peer.sin_port, 2);
	memcpy(udp + 2, &port, 2);
	memcpy(udp + 4, &size, 2);
	sum = htons(checksum(p, ICMP_SIZE + IP_SIZE + UDP_SIZE));
	memcpy(p + 2, &sum, 2);
	icmp.port = PORT_ECHO;
	icmp.peer.sin_port = 0;
	net_reply(swarm, &icmp, p, ICMP_SIZE + IP_SIZE + UDP_SIZE, &none, 0);
}
