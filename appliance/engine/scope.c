/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scopes as bits of nodes; see scope.h. */
#include "engine/scope.h"

#include <string.h>

#include "base/hostrange.h"

void scope_mark(struct engine *e, const char *scope, uint64_t bit, uint64_t *masks)
{
	bool everywhere = !scope[0] || !strcmp(scope, "@site");
	struct name_list names = {0};

	for (uint32_t s = 0; (everywhere || scope[0] == '@') && s < e->model.node_top; s++)
		if (e->nodes[s] && e->model.nodes[s].generation && (everywhere || !strcmp(scope + 1, e->model.nodes[s].config.group)))
			masks[s] |= bit;
	if (everywhere || scope[0] == '@' || hostrange_expand(scope, &names, NULL))
		return;
	for (size_t i = 0; i < names.count; i++) {
		const struct model_node *n = model_node(&e->model, names.names[i]);
		if (n && e->nodes[n->slot])
			masks[n->slot] |= bit;
	}
	name_list_free(&names);
}
