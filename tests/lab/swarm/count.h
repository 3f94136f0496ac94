/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The swarm's count of what reached it: the truth about polls being on time. */
#ifndef SWARM_COUNT_H
#define SWARM_COUNT_H

#include <stdio.h>

#include "tests/lab/swarm/swarm.h"

/* A request of `type` (pdu.h) with `names` names was heard by the agent; 0 names for a GET that is no poll whatever its size. */
void count_request(struct swarm *swarm, struct agent *agent, uint8_t type, int names);
void count_echo(struct swarm *swarm, struct agent *agent);

/* Starts a measuring window: forgets all counts. */
void count_reset(struct swarm *swarm);

/* Notes that an agent is not expected to be polled on time in this window. */
void count_exclude(struct agent *agent);

/* Writes the JSON report of the window so far. Gaps are those between polls that are not repeats, with the open ones at
 * both ends. */
void count_report(struct swarm *swarm, FILE *out);

#endif
