/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checks on nodes: programs that the checker role runs. Their ends become levels and alarms, what they measure becomes values. Results
 * live as long as the engine; a check that has not answered yet is unknown. Engine only; nothing here blocks. */
#ifndef GLORY_ENGINE_CHECKS_H
#define GLORY_ENGINE_CHECKS_H

#include "engine/engine.h"

void checks_apply(struct engine *e); /* the wanted state is another one */
void checks_send(struct engine *e);  /* the checker is new */
void checks_take(struct engine *e, const struct msg_check_result *result, size_t size);
void checks_tick(struct engine *e);  /* once a second */
/* QUERY_CHECKS: what is checked; QUERY_CHECK_RESULTS: how it stands, of the check that target names or of all. */
void checks_query(struct engine *e, enum role face, const struct msg_query *q);

void checks_forget_node(struct engine *e, uint32_t slot); /* the node goes */
/* The worst level of a node's checks, LEVEL_UNKNOWN when nothing is known; *name: whose. */
enum level checks_worst(struct engine *e, uint32_t slot, const char **name);
void checks_alarms(struct engine *e, uint32_t slot); /* says again what is wrong */
bool checks_has(struct engine *e, uint32_t slot, const char *name);

#endif
