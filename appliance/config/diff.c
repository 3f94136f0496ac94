/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an apply would change: a merge of two sorted states; see cluster.h. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/fields.h"

static struct config_change *add_change(struct config_diff *diff, enum config_kind kind, enum config_change_what what,
					const char *name)
{
	if (diff->count == diff->room) {
		diff->room = diff->room ? diff->room * 2 : 64;
		diff->changes = mem_grow(diff->changes, diff->room, sizeof *diff->changes);
	}
	struct config_change *change = &diff->changes[diff->count++];
	memset(change, 0, sizeof *change);
	change->kind = kind;
	change->what = what;
	text_copy(change->name, sizeof change->name, name);
	return change;
}

static void compare(enum config_kind kind, const void *old, const void *new, struct config_diff *diff)
{
	struct config_change *change = NULL;
	size_t used = 0;

	for (const struct config_field *f = config_fields[kind]; f->name; f++) {
		if (field_equal(f, old, new))
			continue;
		if (!change)
			change = add_change(diff, kind, CONFIG_CHANGED, ((const struct config_head *)old)->name);
		text_append(change->fields, sizeof change->fields, &used, "%s%s", used ? " " : "", f->name);
	}
}

static void diff_kind(const struct cluster *old, const struct cluster *wanted, enum config_kind kind, bool prune,
		      struct cluster *result, struct config_diff *diff)
{
	size_t size = config_size[kind], i = 0, j = 0;

	while (i < old->count[kind] || j < wanted->count[kind]) {
		const char *a = i < old->count[kind] ? (const char *)old->objects[kind] + i * size : NULL;
		const char *b = j < wanted->count[kind] ? (const char *)wanted->objects[kind] + j * size : NULL;
		int c = !a ? 1 : !b ? -1 : strcmp(a, b);
		if (c > 0)
			add_change(diff, kind, CONFIG_ADDED, b);
		else if (c == 0)
			compare(kind, a, b, diff);
		else if (prune)
			add_change(diff, kind, CONFIG_REMOVED, a);
		if (c >= 0)
			cluster_add(result, kind, b);
		else if (!prune)
			cluster_add(result, kind, a);
		i += c <= 0;
		j += c >= 0;
	}
}

void cluster_diff(const struct cluster *old_state, const struct cluster *wanted, bool prune, struct cluster *result,
		  struct config_diff *diff)
{
	cluster_init(result);
	memset(diff, 0, sizeof *diff);
	text_copy(result->site, sizeof result->site, wanted->site[0] ? wanted->site : old_state->site);
	for (enum config_kind k = CONFIG_SNMP; k < CONFIG_KIND_COUNT; k++)
		diff_kind(old_state, wanted, k, prune, result, diff);
}

void config_diff_clear(struct config_diff *diff)
{
	free(diff->changes);
	memset(diff, 0, sizeof *diff);
}
