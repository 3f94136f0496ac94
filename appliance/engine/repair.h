/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The repair ladder's hands, and the repair list (/repair/NODE): for nodes that carry members of services. Each step is stored before it is
 * made; brakes per group and site; past them nothing is done and one alarm calls a person. */
#ifndef GLORY_ENGINE_REPAIR_H
#define GLORY_ENGINE_REPAIR_H

#include "engine/engine.h"

void repair_restore(struct engine *e, const char *node, const char *json);
void repair_tick(struct engine *e); /* once a second */
bool repair_is_listed(struct engine *e, uint32_t slot);   /* people see to it: it takes no member */
bool repair_in_trouble(struct engine *e, uint32_t slot);  /* listed, or on the ladder */
void repair_want_list(struct engine *e, uint32_t slot, const char *why); /* a member on it has failed for good */
void repair_forget(struct engine *e, uint32_t slot);      /* off the list, off the ladder */
void repair_node_gone(struct engine *e, uint32_t slot);

#endif
