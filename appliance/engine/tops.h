/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Top lists: the busiest processes of a node, asked for by a face, found by the collector, answered when they are there. */
#ifndef GLORY_ENGINE_TOPS_H
#define GLORY_ENGINE_TOPS_H

#include "engine/engine.h"

/* QUERY_TOP: target is the node, limit how many rows. */
void tops_query(struct engine *e, enum role face, const struct msg_query *q);
void tops_take(struct engine *e, const struct msg_top *top, size_t size);
void tops_tick(struct engine *e); /* once a second: who has waited too long is told */

#endif
