/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Edits of the wanted state that commands ask for: each is made when its turn has come, then checked and committed as a whole by edits.c. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "engine/command.h"

static int make_node_add(void *arg, struct cluster *next, struct error *err)
{
	struct pending_command *p = arg;

	return edit_node_fields(next, p->c.target, true, p->arguments, err);
}

static int make_node_set(void *arg, struct cluster *next, struct error *err)
{
	struct pending_command *p = arg;
	struct model_selection nodes = {0};
	int rc = model_select(&p->e->model, p->c.target, judgement_is_down, p->e, &nodes, err);

	for (size_t i = 0; i < nodes.count && rc == 0; i++)
		rc = edit_node_fields(next, p->e->model.nodes[nodes.slots[i]].config.head.name, false, p->arguments, err);
	free(nodes.slots);
	return rc;
}

static int make_node_remove(void *arg, struct cluster *next, struct error *err)
{
	struct pending_command *p = arg;
	struct model_selection nodes = {0};
	int rc = model_select(&p->e->model, p->c.target, judgement_is_down, p->e, &nodes, err);

	if (rc == 0 && nodes.count > 1 && !p->c.yes)
		rc = error_set(err, ERR_REFUSED, "node remove", "look at the list, then repeat with --yes",
			       "more than one node wants a confirmation");
	for (size_t i = 0; i < nodes.count && rc == 0; i++)
		cluster_remove(next, CONFIG_NODE, p->e->model.nodes[nodes.slots[i]].config.head.name);
	free(nodes.slots);
	return rc;
}

static int make_group_add(void *arg, struct cluster *next, struct error *err)
{
	struct pending_command *p = arg;

	return edit_group_fields(next, p->c.target, true, p->arguments, err);
}

static int make_group_set(void *arg, struct cluster *next, struct error *err)
{
	struct pending_command *p = arg;

	return edit_group_fields(next, p->c.target, false, p->arguments, err);
}

static int make_group_remove(void *arg, struct cluster *next, struct error *err)
{
	struct pending_command *p = arg;

	if (cluster_remove(next, CONFIG_GROUP, p->c.target))
		return 0; /* cluster_check() refuses it while nodes are in the group */
	return error_set(err, ERR_NOT_FOUND, p->c.target, "see: gloryctl group list", "there is no such group");
}

/* Kinds whose edits need nothing but their fields. */
static const struct plain_edit {
	enum config_kind kind;
	enum { EDIT_ADD, EDIT_SET, EDIT_REMOVE } what;
} plain_edits[COMMAND_VERB_COUNT] = {
	[COMMAND_CHECK_ADD] = {CONFIG_CHECK, EDIT_ADD},
	[COMMAND_CHECK_SET] = {CONFIG_CHECK, EDIT_SET},
	[COMMAND_CHECK_REMOVE] = {CONFIG_CHECK, EDIT_REMOVE},
	[COMMAND_WATCH_ADD] = {CONFIG_WATCH, EDIT_ADD},
	[COMMAND_WATCH_SET] = {CONFIG_WATCH, EDIT_SET},
	[COMMAND_WATCH_REMOVE] = {CONFIG_WATCH, EDIT_REMOVE},
	[COMMAND_POOL_ADD] = {CONFIG_POOL, EDIT_ADD},
	[COMMAND_POOL_SET] = {CONFIG_POOL, EDIT_SET},
	[COMMAND_POOL_REMOVE] = {CONFIG_POOL, EDIT_REMOVE},
	[COMMAND_SOFTWARE_ADD] = {CONFIG_SOFTWARE, EDIT_ADD},
	[COMMAND_SOFTWARE_SET] = {CONFIG_SOFTWARE, EDIT_SET},
	[COMMAND_SOFTWARE_REMOVE] = {CONFIG_SOFTWARE, EDIT_REMOVE},
	[COMMAND_BALANCER_ADD] = {CONFIG_BALANCER, EDIT_ADD},
	[COMMAND_BALANCER_SET] = {CONFIG_BALANCER, EDIT_SET},
	[COMMAND_BALANCER_REMOVE] = {CONFIG_BALANCER, EDIT_REMOVE},
	[COMMAND_SERVICE_ADD] = {CONFIG_SERVICE, EDIT_ADD},
	[COMMAND_SERVICE_SET] = {CONFIG_SERVICE, EDIT_SET},
	[COMMAND_SERVICE_REMOVE] = {CONFIG_SERVICE, EDIT_REMOVE},
};

/* Size and running of a service are its operators'; the rest of it is the wanted state. */
static int check_right(const struct pending_command *p, struct error *err)
{
	static const char *const operated[] = {"pin", "pin_until", "enabled"};
	json_t *value;
	const char *key;

	if (p->right >= RIGHT_ADMIN)
		return 0;
	json_object_foreach(p->arguments, key, value)
	{
		size_t i = 0;
		while (i < COUNT_OF(operated) && strcmp(key, operated[i]) != 0)
			i++;
		if (i == COUNT_OF(operated))
			return error_set(err, ERR_REFUSED, p->c.actor, "ask an administrator for the group", "to change %.40s of a service wants the right %s",
					 key, words_name(WORDS_RIGHT, RIGHT_ADMIN));
	}
	return 0;
}

static int make_plain(void *arg, struct cluster *next, struct error *err)
{
	struct pending_command *p = arg;
	const struct plain_edit *edit = &plain_edits[p->c.verb];
	char remedy[64];

	if (edit->kind == CONFIG_SERVICE && check_right(p, err))
		return ERR_REFUSED;
	if (edit->what != EDIT_REMOVE)
		return edit_object_fields(next, edit->kind, p->c.target, edit->what == EDIT_ADD, p->arguments, err);
	if (cluster_remove(next, edit->kind, p->c.target))
		return 0;
	text_format(remedy, sizeof remedy, "see: gloryctl %s list", config_kind_name[edit->kind]);
	return error_set(err, ERR_NOT_FOUND, p->c.target, remedy, "there is no such %s", config_kind_name[edit->kind]);
}

static int make_item_add(void *arg, struct cluster *next, struct error *err)
{
	struct pending_command *p = arg;

	return edit_item_fields(next, p->c.target, true, p->arguments, err);
}

static int make_item_set(void *arg, struct cluster *next, struct error *err)
{
	struct pending_command *p = arg;

	/* what is built in is always there: its first change makes the row of its thresholds */
	bool first = item_find(p->c.target) && !cluster_find(next, CONFIG_ITEM, p->c.target);
	return edit_item_fields(next, p->c.target, first, p->arguments, err);
}

static int make_item_remove(void *arg, struct cluster *next, struct error *err)
{
	struct pending_command *p = arg;

	if (cluster_remove(next, CONFIG_ITEM, p->c.target))
		return 0;
	return error_set(err, ERR_NOT_FOUND, p->c.target, "see: gloryctl item list", "there is no such item in the wanted state");
}

int command_edit(void *command, struct cluster *next, struct error *err)
{
	static edit_make *const makes[COMMAND_VERB_COUNT] = {
		[COMMAND_NODE_ADD] = make_node_add, [COMMAND_NODE_SET] = make_node_set, [COMMAND_NODE_REMOVE] = make_node_remove,
		[COMMAND_ITEM_ADD] = make_item_add, [COMMAND_ITEM_SET] = make_item_set, [COMMAND_ITEM_REMOVE] = make_item_remove,
		[COMMAND_GROUP_ADD] = make_group_add, [COMMAND_GROUP_SET] = make_group_set, [COMMAND_GROUP_REMOVE] = make_group_remove};

	struct pending_command *p = command;

	return (makes[p->c.verb] ? makes[p->c.verb] : make_plain)(p, next, err);
}
