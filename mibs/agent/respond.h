/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GET, GETNEXT and GETBULK (RFC 3416, sections 4.2.1 to 4.2.3) over the walk. The library's agent part is not used: its
 * registry, its one-SET-at-a-time queue and its baggage (perl, kerberos) serve an extensible agent, and this one has a single
 * list of columns. Called by serve. */
#ifndef GLORY_MIBS_AGENT_RESPOND_H
#define GLORY_MIBS_AGENT_RESPOND_H

#include "mibs/agent/access.h"
#include "mibs/agent/walk.h"

/* The response to a read, NULL without memory. room: most bytes of its varbinds. The caller sends or frees it. *busy: a row stayed
 * under the writer's hands (it was stopped in mid-write); the response then says genErr, and asking again soon is better. */
netsnmp_pdu *respond_read(const netsnmp_pdu *request, const struct walk *walk, const struct access *access, size_t room, bool *busy);
/* A response with the request's own varbinds and an error (or SNMP_ERR_NOERROR). */
netsnmp_pdu *respond_status(const netsnmp_pdu *request, long status, long index);

#endif
