/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The nodes of a pool as text; see pool_text.h. */
#include "config/pool_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/hostrange.h"
#include "base/text.h"

bool pool_names_nodes(const struct config_pool *pool)
{
	return pool->nodes[0] && pool->nodes[0] != '@';
}

bool pool_has_node(const struct config_pool *pool, const char *node)
{
	struct name_list names = {0};
	bool has = false;

	if (!pool_names_nodes(pool) || hostrange_expand(pool->nodes, &names, NULL))
		return false;
	for (size_t i = 0; i < names.count && !has; i++)
		has = !strcmp(names.names[i], node);
	name_list_free(&names);
	return has;
}

/* The names but for this one. */
static int others(const struct config_pool *pool, const char *node, struct name_list *out, struct error *e)
{
	struct name_list names = {0};
	int rc = hostrange_expand(pool->nodes, &names, e);

	for (size_t i = 0; rc == 0 && i < names.count; i++)
		if (strcmp(names.names[i], node) != 0)
			name_list_add(out, names.names[i]);
	name_list_free(&names);
	return rc;
}

int pool_change_node(struct config_pool *pool, const char *node, bool in, struct error *e)
{
	struct name_list names = {0};
	char *text = NULL;
	int rc;

	if (!pool_names_nodes(pool))
		return error_set(e, ERR_CONFIG, pool->head.name, "give the pool's nodes as a range", "the pool is all nodes of \"%.64s\": none can come or go alone",
				 pool->nodes);
	if (pool_has_node(pool, node) == in)
		return 0;
	rc = others(pool, node, &names, e);
	if (rc == 0 && in)
		name_list_add(&names, node);
	if (rc == 0 && names.count == 0)
		rc = error_set(e, ERR_CONFIG, pool->head.name, "remove the pool, or keep a node in it", "nobody would be left in the pool");
	if (rc == 0) {
		text = hostrange_compress(&names);
		if (strlen(text) >= sizeof pool->nodes)
			rc = error_set(e, ERR_CONFIG, pool->head.name, "number the nodes so that ranges are few", "the pool's nodes make a text longer than %zu bytes",
				       sizeof pool->nodes - 1);
	}
	if (rc == 0) {
		memset(pool->nodes, 0, sizeof pool->nodes); /* objects are compared by their bytes */
		text_copy(pool->nodes, sizeof pool->nodes, text);
	}
	free(text);
	name_list_free(&names);
	return rc;
}
