/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Batched datagrams on wildcard sockets: answers leave from the address that was asked, at once or late as the knobs
 * say. */
#ifndef SWARM_NET_H
#define SWARM_NET_H

#include "tests/lab/swarm/swarm.h"

enum port_kind { PORT_SNMP, PORT_ECHO, PORT_BMC, PORTS };
enum { NET_BATCH = 64, NET_SLOT = 16384, NET_HEAD = 1024 };

/* A received datagram; valid until its handler returns. For PORT_ECHO the data starts at the ICMP header. */
struct packet {
	uint8_t *data;
	size_t size;
	struct sockaddr_in peer;
	struct in_addr asked;
	enum port_kind port;
};

/* Opens the three ports (a port number 0 leaves that one out). 0, or -1 after a message on stderr. */
int net_open(struct swarm *swarm, uint16_t snmp_port, uint16_t bmc_port, bool echo);
void net_close(struct swarm *swarm);

/* The buffer to build the next answer in: NET_SLOT bytes. The answer may start anywhere in it. */
uint8_t *net_slot(struct swarm *swarm, enum port_kind port);

/* Sends an answer built in the slot (or elsewhere), as the knobs want it: lost, late, twice, cut, from elsewhere.
 * `owner` (0 = none) is handed to net_set_sent()'s function once per call, when the answer has left or is lost. */
void net_reply(struct swarm *swarm, const struct packet *asked, const uint8_t *data, size_t size,
	       const struct knobs *knobs, uint32_t owner);
void net_set_sent(struct swarm *swarm, void (*sent)(struct swarm *swarm, uint32_t owner));

/* Sets a function that gets each datagram of a port. */
void net_set_handler(struct swarm *swarm, enum port_kind port,
		     void (*handle)(struct swarm *swarm, struct packet *packet));

/* Descriptor of a port, or -1; reads all that waits there (bounded), and answers. */
int net_fd(const struct swarm *swarm, enum port_kind port);
void net_ready(struct swarm *swarm, enum port_kind port);

/* Sends what is due; returns ms until the next is due, or -1. */
int net_send_due(struct swarm *swarm);

#endif
