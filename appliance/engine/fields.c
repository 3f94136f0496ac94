/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The JSON arguments of node and group edits into the wanted state, by one table of fields. commands.c calls it. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "engine/engine.h"

enum field_type { FIELD_NAME, FIELD_SNMP_ADDRESS, FIELD_BMC_ADDRESS, FIELD_ADDRESS, FIELD_NUMBER, FIELD_FLAG, FIELD_POWER, FIELD_POLICY, FIELD_UUID };

struct field {
	const char *name;
	enum field_type type;
	size_t offset, size;
};

#define NODE(member) offsetof(struct config_node, member), sizeof(((struct config_node *)0)->member)
static const struct field node_fields[] = {
	{"group", FIELD_NAME, NODE(group)},
	{"address", FIELD_SNMP_ADDRESS, NODE(address)},
	{"bmc", FIELD_BMC_ADDRESS, NODE(bmc)},
	{"snmp", FIELD_NAME, NODE(snmp)},
	{"bmc_credential", FIELD_NAME, NODE(bmc_credential)},
	{"bmc_model", FIELD_NAME, NODE(bmc_model)},
	{"switch", FIELD_NAME, NODE(switch_name)},
	{"switch_port", FIELD_NUMBER, NODE(switch_port)},
	{"rack", FIELD_NAME, NODE(rack)},
	{"pdu", FIELD_NAME, NODE(pdu)},
	{"uuid", FIELD_UUID, NODE(uuid)},
	{"maintenance", FIELD_FLAG, NODE(maintenance)},
	{"wanted_power", FIELD_POWER, NODE(wanted_power)},
	{"policy", FIELD_POLICY, NODE(policy)},
};
#define GROUP(member) offsetof(struct config_group, member), sizeof(((struct config_group *)0)->member)
static const struct field group_fields[] = {
	{"reference", FIELD_ADDRESS, GROUP(reference)},
	{"policy", FIELD_POLICY, GROUP(policy)},
};

static bool set_uuid(const char *text, uint8_t *out)
{
	char digits[33];
	size_t n = 0;

	for (; *text; text++) {
		if (*text == '-')
			continue;
		if (n == 32 || !strchr("0123456789abcdefABCDEF", *text))
			return false;
		digits[n++] = *text;
	}
	digits[n] = '\0';
	for (size_t i = 0; n == 32 && i < 16; i++) {
		char pair[3] = {digits[2 * i], digits[2 * i + 1], 0};
		out[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return n == 32;
}

static bool set_address(const char *text, uint16_t port, void *out)
{
	struct address a = {0};

	if (text[0] && !address_parse(text, port, &a))
		return false;
	memcpy(out, &a, sizeof a);
	return true;
}

static bool set_byte(enum word_set words, const char *text, uint8_t *out)
{
	int value = words_value(words, text);

	if (value)
		*out = (uint8_t)value;
	return value != 0;
}

static bool set_field(const struct field *f, json_t *value, char *object)
{
	const char *text = json_is_string(value) ? json_string_value(value) : NULL;
	char *at = object + f->offset;

	switch (f->type) {
	case FIELD_NUMBER:
		if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > INT32_MAX)
			return false;
		memcpy(at, &(uint32_t){(uint32_t)json_integer_value(value)}, sizeof(uint32_t));
		return true;
	case FIELD_FLAG:
		if (!json_is_boolean(value))
			return false;
		*at = json_is_true(value);
		return true;
	case FIELD_NAME:
		if (!text || strlen(text) >= f->size || (text[0] && !text_is_name(text, f->size - 1)))
			return false;
		memset(at, 0, f->size);
		return text_copy(at, f->size, text);
	case FIELD_SNMP_ADDRESS:
		return text && set_address(text, 161, at);
	case FIELD_BMC_ADDRESS:
		return text && set_address(text, 623, at);
	case FIELD_ADDRESS:
		return text && set_address(text, 0, at);
	case FIELD_POWER:
		return text && set_byte(WORDS_POWER, text, (uint8_t *)at);
	case FIELD_POLICY:
		return text && set_byte(WORDS_POLICY, text, (uint8_t *)at);
	case FIELD_UUID:
		return text && set_uuid(text, (uint8_t *)at);
	}
	return false;
}

static int set_fields(const struct field *fields, size_t count, const char *name, json_t *arguments, char *object, struct error *err)
{
	const char *key;
	json_t *value;

	json_object_foreach(arguments, key, value)
	{
		size_t i = 0;
		while (i < count && strcmp(fields[i].name, key))
			i++;
		if (i == count)
			return error_set(err, ERR_CONFIG, name, "see gloryctl node set --help", "there is no field \"%.40s\"", key);
		if (!set_field(&fields[i], value, object))
			return error_set(err, ERR_CONFIG, name, "see cluster.xml(5) for what it may hold", "the value of \"%s\" is not right", key);
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

static int refuse_name(enum config_kind kind, const char *name, bool add, bool exists, struct error *err)
{
	if (!text_is_name(name, CONFIG_NAME - 1))
		return error_set(err, ERR_CONFIG, "name", "use letters, digits, dot, dash, underscore", "\"%.60s\" is not a name", name);
	if (add && exists)
		return error_set(err, ERR_EXISTS, name, "choose another name", "a %s of this name exists", config_kind_name[kind]);
	if (!add && !exists)
		return error_set(err, ERR_NOT_FOUND, name, "add it first", "there is no such %s", config_kind_name[kind]);
	return 0;
}

int edit_node_fields(struct cluster *next, const char *name, bool add, json_t *arguments, struct error *err)
{
	const struct config_node *old = cluster_find(next, CONFIG_NODE, name);
	struct config_node n = {.wanted_power = POWER_ON};
	int rc = refuse_name(CONFIG_NODE, name, add, old != NULL, err);

	if (rc)
		return rc;
	if (old)
		n = *old;
	text_copy(n.head.name, sizeof n.head.name, name);
	rc = set_fields(node_fields, COUNT_OF(node_fields), name, arguments, (char *)&n, err);
	if (rc)
		return rc;
	if (add)
		inherit(next, &n);
	cluster_set(next, CONFIG_NODE, &n);
	return 0;
}

int edit_group_fields(struct cluster *next, const char *name, bool add, json_t *arguments, struct error *err)
{
	const struct config_group *old = cluster_find(next, CONFIG_GROUP, name);
	struct config_group g = {.policy = POLICY_REPAIR};
	int rc = refuse_name(CONFIG_GROUP, name, add, old != NULL, err);

	if (rc)
		return rc;
	if (old)
		g = *old;
	text_copy(g.head.name, sizeof g.head.name, name);
	rc = set_fields(group_fields, COUNT_OF(group_fields), name, arguments, (char *)&g, err);
	if (rc)
		return rc;
	cluster_set(next, CONFIG_GROUP, &g);
	return 0;
}
