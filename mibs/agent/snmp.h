/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one place that includes net-snmp's headers, before anything of ours (they bring configuration macros of their own). */
#ifndef GLORY_MIBS_AGENT_SNMP_H
#define GLORY_MIBS_AGENT_SNMP_H

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/library/large_fd_set.h>
#include <net-snmp/library/snmp_transport.h>
#include <net-snmp/library/snmpusm.h>
#include <net-snmp/library/vacm.h>
#pragma GCC diagnostic pop
/* <syslog.h> comes with them; its LOG_* are numbers, ours are functions and enumerators of other names */

#endif
