/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SNMPv2c messages (RFC 1901): checks the community, lets pdu.c answer, and puts the header back before the answer. */
#include "tests/lab/swarm/agent.h"

#include <string.h>

#include "tests/lab/swarm/pdu.h"

enum { V2C = 1, V3 = 3 };

void agent_v2_message(struct swarm *swarm, unsigned agent, const struct packet *packet, struct ber rest)
{
	struct ber community;
	struct answer answer;
	uint8_t *slot = net_slot(swarm, PORT_SNMP), *p;
	size_t size;

	if (!ber_expect(&rest, BER_OCTETS, &community)) {
		swarm->sums.garbage++;
		return;
	}
	size = ber_left(community);
	if (size != strlen(swarm->community) || memcmp(community.at, swarm->community, size) != 0) {
		swarm->sums.bad_community++;
		return;
	}
	if (!pdu_answer(swarm, agent, rest, slot, &answer))
		return;
	p = answer.at - size;
	memcpy(p, community.at, size);
	p = ber_wrap(p, BER_OCTETS, size);
	*--p = V2C;
	p = ber_wrap(p, BER_INTEGER, 1);
	size = (size_t)(answer.at + answer.size - p);
	p = ber_wrap(p, BER_SEQUENCE, size);
	net_reply(swarm, packet, p, (size_t)(answer.at + answer.size - p), &swarm->agent[agent].knobs, 0);
}

void agent_handle(struct swarm *swarm, struct packet *packet)
{
	int agent = swarm_agent_of(swarm, packet->asked.s_addr);
	struct ber in = ber_over(packet->data, packet->size), message;
	const struct knobs *knobs;
	int32_t version;

	if (agent < 0) {
		swarm->sums.unknown_address++;
		return;
	}
	knobs = &swarm->agent[agent].knobs;
	if (!swarm_hears(swarm, &swarm->agent[agent]) || knobs->half_dead || knobs->hung)
		return;
	if (knobs->refused) {
		agent_unreachable(swarm, packet, swarm->snmp_port);
		return;
	}
	if (!ber_expect(&in, BER_SEQUENCE, &message) || ber_left(in) > 0 || !ber_take_int32(&message, &version)) {
		swarm->sums.garbage++;
		return;
	}
	if (version == V2C)
		agent_v2_message(swarm, (unsigned)agent, packet, message);
	else if (version == V3)
		agent_v3_message(swarm, (unsigned)agent, packet, message);
	else
		swarm->sums.garbage++;
}

void agent_reboot(struct swarm *swarm, unsigned agent)
{
	swarm->agent[agent].boot_ms = swarm->now_ms;
	swarm->agent[agent].boots++;
}
