/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The token of this life of the engine: larger than that of any life before, kept in the store before the first order carries it. Nodes refuse an order
 * with an older one than they have seen (glory-node), so that what a dead engine had sent cannot act late. */
#ifndef GLORY_ENGINE_TOKEN_H
#define GLORY_ENGINE_TOKEN_H

#include "engine/engine.h"

void token_take(struct engine *e); /* at start, and each second until there is one; it goes to runs_token() */
/* The next after what the store holds ("" nothing): its successor, or the wall clock's seconds where that is more, so that an appliance that begins with
 * an empty store is not older than itself. 0: what the store holds is no token of ours. */
int64_t token_next(const char *json, int64_t wall_s);

#endif
