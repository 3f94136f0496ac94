/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The agent's UDP socket as a net-snmp transport: the socket was opened by the supervisor and is never closed by the library;
 * replies leave from the address that was asked. Called by serve. */
#ifndef GLORY_MIBS_AGENT_TRANSPORT_H
#define GLORY_MIBS_AGENT_TRANSPORT_H

#include <stdbool.h>

#include "mibs/agent/snmp.h"

#include "base/address.h"

/* Makes the socket nonblocking and asks it for the addresses its datagrams were sent to. NULL: it is no UDP socket. The library
 * frees the transport with its session. drained (the caller's) is set whenever a read found nothing. */
netsnmp_transport *transport_over(int fd, bool *drained);
/* The same for a socket that is connected to a receiver of notifications: the kernel drops what comes from anybody else. */
netsnmp_transport *transport_connected(int fd, bool *drained);
/* Who sent the datagram of this PDU. False: not one of our transport's. */
bool transport_source(const netsnmp_pdu *pdu, struct address *out);
/* For the fuzzer: hands bytes to the next read instead of the socket, and lets nothing out. */
void transport_feed(const void *bytes, size_t size);

#endif
