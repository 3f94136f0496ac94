/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The agent's UDP socket: taking datagrams and giving answers, which leave from the address that was asked; and the same as a
 * net-snmp transport, for what the library is to handle. The socket was opened by the supervisor and is never closed by the
 * library. Called by serve and notify. */
#ifndef GLORY_MIBS_AGENT_TRANSPORT_H
#define GLORY_MIBS_AGENT_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "mibs/agent/snmp.h"

#include "base/address.h"

/* Who sent a datagram, and to which of our addresses. */
struct transport_peer {
	struct sockaddr_storage remote;
	socklen_t remote_length; /* 0: nobody, an answer goes nowhere (the fuzzer) */
	uint8_t local[16];       /* all zero: unknown */
	uint32_t if_index;
};

/* Makes the socket nonblocking and asks it for the addresses its datagrams were sent to. False: it is no UDP socket. */
bool transport_prepare(int fd);
#define TRANSPORT_BATCH 8
#define TRANSPORT_DATAGRAM_MAX 65507

struct transport_batch {
	struct transport_datagram {
		struct transport_peer peer;
		size_t size;
		uint8_t bytes[TRANSPORT_DATAGRAM_MAX];
	} datagrams[TRANSPORT_BATCH];
};

/* What waits at the socket, up to a batch, by one call: how many datagrams. */
size_t transport_take(int fd, struct transport_batch *out);
/* Sends an answer. False: the kernel refuses it. */
bool transport_give(int fd, const void *bytes, size_t size, const struct transport_peer *peer);

/* A transport whose reads find what transport_feed() was given, and whose answers go out through fd. NULL without memory. The
 * library frees it with its session. */
netsnmp_transport *transport_fed(int fd);
/* The bytes of one datagram for the next read of a fed transport; they stay the caller's. */
void transport_feed(const void *bytes, size_t size, const struct transport_peer *peer);
/* A transport over a socket that is connected to a receiver of notifications: the kernel drops what comes from anybody else.
 * drained (the caller's) is set whenever a read found nothing. */
netsnmp_transport *transport_connected(int fd, bool *drained);
/* Who sent the datagram of this PDU. False: not one of a fed transport's. */
bool transport_source(const netsnmp_pdu *pdu, struct address *out);

#endif
