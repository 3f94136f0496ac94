/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GET, GETNEXT and GETBULK (RFC 3416, sections 4.2.1 to 4.2.3): from the varbinds of a request, as they came, to those of the answer,
 * as they go, with no list of objects between. The library's agent part is not used: its registry, its one-SET-at-a-time queue and
 * its baggage (perl, kerberos) serve an extensible agent, and this one has a single list of columns. Called by message. */
#ifndef GLORY_MIBS_AGENT_RESPOND_H
#define GLORY_MIBS_AGENT_RESPOND_H

#include "mibs/agent/access.h"
#include "mibs/agent/walk.h"
#include "mibs/snmp/ber.h"

/* A request that reads. */
struct respond_request {
	uint8_t type; /* BER_GET, BER_GETNEXT, BER_GETBULK */
	int64_t id, non_repeaters, max_repetitions;
	struct ber varbinds; /* content of the list, checked by respond_parse() */
};

/* The PDU of a message. False: it does not read, or is not one. */
bool respond_parse(struct ber pdu, struct respond_request *out);
/* Writes the answer's varbinds into [room, room + size); returns their size. *status: 0 or the SNMP error, with the number of the
 * varbind in *index; nothing is written then. SNMP_ERR_GENERR: a row stayed under the writer's hands (it was stopped in mid-write):
 * asking again soon is better. */
size_t respond_read(const struct respond_request *request, const struct walk *walk, const struct access *access, uint8_t *room,
		    size_t size, long *status, long *index);
/* A response of the library's with the request's own varbinds and an error (or SNMP_ERR_NOERROR). */
netsnmp_pdu *respond_status(const netsnmp_pdu *request, long status, long index);

#endif
