/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One event as the varbinds of a notification, or as a syslog line. Pure. Called by notify. */
#ifndef GLORY_MIBS_AGENT_EVENT_H
#define GLORY_MIBS_AGENT_EVENT_H

#include "mibs/agent/snmp.h"

#include "board/messages.h"

/* False: fields that are out of range or not terminated; such an event is not sent. */
bool event_is_sound(const struct msg_notify *event);
/* A PDU of the command (SNMP_MSG_INFORM, SNMP_MSG_TRAP2) with sysUpTime, snmpTrapOID and the objects of the notification. */
netsnmp_pdu *event_pdu(const struct msg_notify *event, int command, uint32_t uptime_cs);
/* RFC 5424 line without a newline; returns its length. host: the appliance's name. */
size_t event_syslog(const struct msg_notify *event, const char *host, char *out, size_t size);

#endif
