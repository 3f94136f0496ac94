/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The JSON arguments of edits into the wanted state; what a field may hold is config's to know. commands.c calls it. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "engine/engine.h"

/* A JSON scalar as the text a field is set by. False: an array, an object, a number with a fraction. */
static bool field_text(const json_t *value, char *out, size_t size)
{
	if (json_is_boolean(value))
		return text_copy(out, size, json_is_true(value) ? "true" : "false");
	if (json_is_integer(value))
		return text_format(out, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	if (json_is_null(value))
		return text_copy(out, size, "");
	return json_is_string(value) && text_copy(out, size, json_string_value(value));
}

static int set_fields(enum config_kind kind, const char *name, json_t *arguments, void *object, struct error *err)
{
	char text[CONFIG_VIRTUALS + 1]; /* the longest text of a field */
	const char *key;
	json_t *value;
	int rc = 0;

	json_object_foreach(arguments, key, value)
	{
		if (!field_text(value, text, sizeof text))
			return error_set(err, ERR_CONFIG, name, "write it as text, a whole number, true or false", "the value of \"%.40s\" is not right", key);
		rc = config_set_field(kind, object, key, text, err);
		if (rc)
			return rc;
	}
	return 0;
}

/* A new node takes what its group's first node has where nothing is said: credentials and BMC model are a site's habit. */
static void inherit(const struct cluster *c, struct config_node *n)
{
	const struct config_node *all = c->objects[CONFIG_NODE];

	for (size_t i = 0; i < c->count[CONFIG_NODE]; i++) {
		if (strcmp(all[i].group, n->group))
			continue;
		if (!n->snmp[0])
			text_copy(n->snmp, sizeof n->snmp, all[i].snmp);
		if (!n->bmc_credential[0])
			text_copy(n->bmc_credential, sizeof n->bmc_credential, all[i].bmc_credential);
		if (!n->bmc_model[0])
			text_copy(n->bmc_model, sizeof n->bmc_model, all[i].bmc_model);
		return;
	}
}

#define EDITED 1 /* as a line: later than what stands, so that a contradiction is said of this object */

/* The object to work on: a copy of the one there is, or a new one with its kind's defaults. */
static int begin(struct cluster *next, enum config_kind kind, const char *name, bool add, void *object, struct error *err)
{
	const void *old = cluster_find(next, kind, name);

	if (add && old)
		return error_set(err, ERR_EXISTS, name, "choose another name", "a %s of this name exists", config_kind_name[kind]);
	if (!add && !old)
		return error_set(err, ERR_NOT_FOUND, name, "add it first", "there is no such %s", config_kind_name[kind]);
	int rc = old ? 0 : config_object_init(kind, name, object, err);
	if (old)
		memcpy(object, old, config_size[kind]);
	if (!rc)
		((struct config_head *)object)->line = EDITED;
	return rc;
}

int edit_node_fields(struct cluster *next, const char *name, bool add, json_t *arguments, struct error *err)
{
	struct config_node n;
	int rc = begin(next, CONFIG_NODE, name, add, &n, err);

	if (!rc)
		rc = set_fields(CONFIG_NODE, name, arguments, &n, err);
	if (rc)
		return rc;
	/* an end begins it; and what is switched by hand has no end unless one is named */
	if (json_object_get(arguments, "maintenance_until"))
		n.maintenance = n.maintenance_until_ms != 0;
	else if (json_object_get(arguments, "maintenance"))
		n.maintenance_until_ms = 0;
	if (add)
		inherit(next, &n);
	cluster_set(next, CONFIG_NODE, &n);
	return 0;
}

int edit_object_fields(struct cluster *next, enum config_kind kind, const char *name, bool add, json_t *arguments, struct error *err)
{
	union {
		struct config_head head;
		struct config_group group;
		struct config_watch watch;
		struct config_check check;
		struct config_pool pool;
		struct config_software software;
		struct config_balancer balancer;
		struct config_service service;
	} object;
	int rc = begin(next, kind, name, add, &object, err);

	if (!rc)
		rc = set_fields(kind, name, arguments, &object, err);
	if (rc)
		return rc;
	/* a pin has no end unless one is named, and none without a pin */
	if (kind == CONFIG_SERVICE && json_object_get(arguments, "pin") && (!json_object_get(arguments, "pin_until") || !object.service.pin))
		object.service.pin_until_ms = 0;
	cluster_set(next, kind, &object);
	return 0;
}

int edit_group_fields(struct cluster *next, const char *name, bool add, json_t *arguments, struct error *err)
{
	return edit_object_fields(next, CONFIG_GROUP, name, add, arguments, err);
}

/* "warning above 85; major above 92": a list in one text. */
static json_t *threshold_list(const char *text)
{
	json_t *list = json_array();

	while (*(text += strspn(text, " ;"))) {
		size_t size = strcspn(text, ";");
		json_array_append_new(list, json_stringn(text, size));
		text += size;
	}
	return list;
}

/* Arguments over the item's stored form; an empty one takes the member out, so that its default stands. */
int edit_item_fields(struct cluster *next, const char *name, bool add, json_t *arguments, struct error *err)
{
	struct config_item item;
	json_t *value, *o;
	const char *key;
	char *text;
	int rc = begin(next, CONFIG_ITEM, name, add, &item, err);

	if (rc)
		return rc;
	text = config_to_json(CONFIG_ITEM, &item);
	o = json_loads(text, 0, NULL);
	free(text);
	json_object_foreach(arguments, key, value)
	{
		const char *word = json_string_value(value);
		if (json_is_null(value) || (word && !*word))
			json_object_del(o, key);
		else if (word && !strcmp(key, "thresholds"))
			json_object_set_new(o, key, threshold_list(word));
		else
			json_object_set(o, key, value);
	}
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	rc = config_from_json(CONFIG_ITEM, name, text ? text : "", &item, err);
	free(text);
	if (!rc && add && !item.oid_length && !item.expression[0] && !item.thresholds)
		rc = error_set(err, ERR_CONFIG, name, "add an oid, an expression or a threshold", "nothing is said of this item");
	if (!rc)
		cluster_set(next, CONFIG_ITEM, &item);
	return rc;
}
