/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The nodes of a pool as text, when one comes or goes. Pure. */
#ifndef GLORY_CONFIG_POOL_TEXT_H
#define GLORY_CONFIG_POOL_TEXT_H

#include <stdbool.h>

#include "base/error.h"
#include "config/cluster.h"

/* By a range, not by a scope ("@GROUP"): only such a pool can be changed by a node. */
bool pool_names_nodes(const struct config_pool *pool);
bool pool_has_node(const struct config_pool *pool, const char *node);
/* Adds the node to the pool's range, or takes it out; nothing is done when that is so already. 0, or ERR_CONFIG: the pool is a scope, the text does
 * not fit, or nobody would be left; the pool is then as it was. */
int pool_change_node(struct config_pool *pool, const char *node, bool in, struct error *e);

#endif
