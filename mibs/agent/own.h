/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values of the MIB that are not on the board: the agent's own engine, the system group, free indexes. Called by walk through main. */
#ifndef GLORY_MIBS_AGENT_OWN_H
#define GLORY_MIBS_AGENT_OWN_H

#include "mibs/agent/walk.h"

struct own {
	const struct walk *walk; /* for the board */
	int64_t start_ms;        /* monotonic: sysUpTime counts from here */
	const char *name;        /* of the appliance */
};

/* As walk.own, arg is a struct own. */
bool own_value(void *arg, enum own_value what, struct cell *out);
/* sysUpTime, 1/100 s. */
uint32_t own_uptime_cs(const struct own *own);
/* 1 + lowest slot of a table (ordered by slot) that no row has; 0: it is full, or there is no board. */
uint32_t own_next_index(const struct board_reader *board, enum board_table table);

#endif
