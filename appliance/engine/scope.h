/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scopes of watches and checks: "@site" (or ""), "@GROUP", a range of nodes. */
#ifndef GLORY_ENGINE_SCOPE_H
#define GLORY_ENGINE_SCOPE_H

#include "engine/engine.h"

/* Sets the bit in the mask of every node there is that the scope names; masks: NODE_MAX of them, by slot. */
void scope_mark(struct engine *e, const char *scope, uint64_t bit, uint64_t *masks);

#endif
