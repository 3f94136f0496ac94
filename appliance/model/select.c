/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a person writes for "these nodes": ranges, @GROUP, @site, @down, joined by commas. */
#include <stdlib.h>
#include <string.h>

#include "base/hostrange.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/model.h"

struct chosen {
	bool *is;
	size_t count;
};

static void choose(struct chosen *c, uint32_t slot)
{
	if (!c->is[slot]) {
		c->is[slot] = true;
		c->count++;
	}
}

/* "@site", "@down", "@GROUP". False: there is no such group. */
static bool choose_set(struct model *m, const char *name, bool (*is_down)(void *arg, uint32_t slot), void *arg, struct chosen *c)
{
	bool all = !strcmp(name, "site"), down = !strcmp(name, "down");
	struct model_group *g = all || down ? NULL : model_group(m, name);

	if (!all && !down && !g)
		return false;
	for (uint32_t s = 0; s < m->node_top; s++) {
		const struct model_node *n = &m->nodes[s];
		if (n->generation && (all || (down && is_down && is_down(arg, s)) || (g && n->group_slot == g->slot)))
			choose(c, s);
	}
	return true;
}

static int choose_names(struct model *m, const struct name_list *names, struct chosen *c, struct error *e)
{
	for (size_t i = 0; i < names->count; i++) {
		struct model_node *n = model_node(m, names->names[i]);
		if (!n)
			return error_set(e, ERR_NOT_FOUND, names->names[i], "see: gloryctl node list", "there is no such node");
		choose(c, n->slot);
	}
	return 0;
}

/* Splits at commas that stand outside brackets; each part is a set or a range. */
static int choose_parts(struct model *m, char *text, bool (*is_down)(void *arg, uint32_t slot), void *arg, struct chosen *c, struct error *e)
{
	struct name_list names = {0};
	int depth = 0, rc = 0;
	char *part = text;

	for (char *p = text; rc == 0; p++) {
		depth += *p == '[' ? 1 : *p == ']' ? -1 : 0;
		if (*p && (*p != ',' || depth > 0))
			continue;
		bool last = *p == '\0';
		*p = '\0';
		if (part[0] == '@' && !choose_set(m, part + 1, is_down, arg, c))
			rc = error_set(e, ERR_NOT_FOUND, part, "see: gloryctl group list; @site is all, @down what does not answer",
				       "there is no such group");
		else if (part[0] != '@')
			rc = hostrange_expand(part, &names, e);
		part = p + 1;
		if (last)
			break;
	}
	if (rc == 0)
		rc = choose_names(m, &names, c, e);
	name_list_free(&names);
	return rc;
}

int model_select(struct model *m, const char *range, bool (*is_down)(void *arg, uint32_t slot), void *arg, struct model_selection *out,
		 struct error *e)
{
	struct chosen c = {.is = mem_array(NODE_MAX, sizeof(bool))};
	char *text = mem_strdup(range);
	int rc = choose_parts(m, text, is_down, arg, &c, e);

	out->slots = NULL;
	out->count = 0;
	if (rc == 0) {
		out->slots = mem_array(c.count, sizeof out->slots[0]);
		for (uint32_t s = 0; s < NODE_MAX; s++)
			if (c.is[s])
				out->slots[out->count++] = s;
	}
	free(text);
	free(c.is);
	return rc;
}
