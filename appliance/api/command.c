/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The body of POST /v1/commands into the message that goes to the engine; see query.h. */
#include "api/query.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static const char *const words[COMMAND_VERB_COUNT] = {
    [COMMAND_POWER] = "power",
    [COMMAND_ALARM_ACK] = "alarm-ack",
    [COMMAND_NODE_ADD] = "node-add",
    [COMMAND_NODE_REMOVE] = "node-remove",
    [COMMAND_NODE_SET] = "node-set",
    [COMMAND_GROUP_ADD] = "group-add",
    [COMMAND_GROUP_REMOVE] = "group-remove",
    [COMMAND_GROUP_SET] = "group-set",
    [COMMAND_ITEM_ADD] = "item-add",
    [COMMAND_ITEM_REMOVE] = "item-remove",
    [COMMAND_ITEM_SET] = "item-set",
    [COMMAND_JOB_CANCEL] = "job-cancel",
    [COMMAND_SEL_READ] = "sel-read",
    [COMMAND_SEL_CLEAR] = "sel-clear",
    [COMMAND_CONFIRM_BMC] = "confirm-bmc",
    [COMMAND_CHECK_ADD] = "check-add",
    [COMMAND_CHECK_REMOVE] = "check-remove",
    [COMMAND_CHECK_SET] = "check-set",
    [COMMAND_WATCH_ADD] = "watch-add",
    [COMMAND_WATCH_REMOVE] = "watch-remove",
    [COMMAND_WATCH_SET] = "watch-set",
    [COMMAND_RUN] = "run",
    [COMMAND_SOFTWARE] = "software",
    [COMMAND_POOL_ADD] = "pool-add",
    [COMMAND_POOL_REMOVE] = "pool-remove",
    [COMMAND_POOL_SET] = "pool-set",
    [COMMAND_SOFTWARE_ADD] = "software-add",
    [COMMAND_SOFTWARE_REMOVE] = "software-remove",
    [COMMAND_SOFTWARE_SET] = "software-set",
    [COMMAND_BALANCER_ADD] = "balancer-add",
    [COMMAND_BALANCER_REMOVE] = "balancer-remove",
    [COMMAND_BALANCER_SET] = "balancer-set",
    [COMMAND_SERVICE_ADD] = "service-add",
    [COMMAND_SERVICE_REMOVE] = "service-remove",
    [COMMAND_SERVICE_SET] = "service-set",
    [COMMAND_SERVICE_ACT] = "service-act",
    [COMMAND_SILENCE_ADD] = "silence-add",
    [COMMAND_SILENCE_REMOVE] = "silence-remove",
    [COMMAND_NODE_ROLE] = "node-role",
};

const char *command_word(uint32_t verb)
{
	return verb < COMMAND_VERB_COUNT && words[verb] ? words[verb] : "?";
}

static int take_verb(struct msg_command *c, const json_t *value, struct error *e)
{
	const char *word = json_string_value(value);

	for (uint32_t v = 1; word && v < COMMAND_VERB_COUNT; v++)
		if (words[v] && !strcmp(words[v], word))
			c->verb = v;
	if (!c->verb)
		return error_set(e, ERR_CONFIG, "verb",
				 "use power, alarm-ack, node-add, node-set, node-remove, group-add and so on",
				 "\"%.40s\" is no command", word ? word : "?");
	return 0;
}

static int take_target(struct msg_command *c, const json_t *value, struct error *e)
{
	const char *text = json_string_value(value);

	if (json_is_integer(value) && json_integer_value(value) > 0) {
		text_format(c->target, sizeof c->target, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return 0;
	}
	if (!text || strlen(text) != json_string_length(value))
		return error_set(e, ERR_CONFIG, "target", "give the text of a range, a name or a number",
				 "is not text");
	if (!text_copy(c->target, sizeof c->target, text))
		return error_set(e, ERR_CONFIG, "target", "write a range (n[001-250]) or give several commands",
				 "is longer than %zu bytes", sizeof c->target - 1);
	return 0;
}

static int take_flag(uint8_t *flag, const char *name, const json_t *value, struct error *e)
{
	if (!json_is_boolean(value))
		return error_set(e, ERR_CONFIG, name, "use true or false", "is neither true nor false");
	*flag = json_is_true(value);
	return 0;
}

static int take_arguments(char **arguments, const json_t *value, struct error *e)
{
	if (!json_is_object(value))
		return error_set(e, ERR_CONFIG, "args", "send {\"name\": value}", "is no JSON object");
	free(*arguments);
	*arguments = json_dumps(value, JSON_COMPACT);
	if (!*arguments || strlen(*arguments) > COMMAND_ARGUMENTS_MAX)
		return error_set(e, ERR_CONFIG, "args", "send less", "is longer than %d bytes", COMMAND_ARGUMENTS_MAX);
	return 0;
}

static int take(struct msg_command *c, char **arguments, const char *key, const json_t *value, struct error *e)
{
	char shown[41];

	if (!strcmp(key, "verb"))
		return take_verb(c, value, e);
	if (!strcmp(key, "target"))
		return take_target(c, value, e);
	if (!strcmp(key, "args"))
		return take_arguments(arguments, value, e);
	if (!strcmp(key, "yes"))
		return take_flag(&c->yes, key, value, e);
	if (!strcmp(key, "dry_run"))
		return take_flag(&c->dry_run, key, value, e);
	text_copy(shown, sizeof shown, key);
	text_make_printable(shown);
	return error_set(e, ERR_CONFIG, shown, "use verb, target, args, yes, dry_run",
			 "there is no such member of a command");
}

int command_parse(const char *body, size_t size, struct msg_command *command, char **arguments, struct error *e)
{
	json_error_t where;
	json_t *value, *o = json_loadb(body, size, JSON_REJECT_DUPLICATES, &where);
	const char *key;
	int rc = 0;

	memset(command, 0, sizeof *command);
	*arguments = NULL;
	if (!json_is_object(o)) {
		json_decref(o);
		text_make_printable(where.text);
		return error_set(e, ERR_CONFIG, "body", "send {\"verb\", \"target\", \"args\"}",
				 "is no JSON object: %.100s", o ? "it is another value" : where.text);
	}
	json_object_foreach(o, key, value)
	{
		rc = take(command, arguments, key, value, e);
		if (rc)
			break;
	}
	json_decref(o);
	if (rc == 0 && !command->verb)
		rc = error_set(e, ERR_CONFIG, "verb", "send {\"verb\", \"target\", \"args\"}", "is missing");
	if (rc == 0 && !*arguments)
		*arguments = mem_strdup("{}");
	if (rc == 0)
		command->argument_size = (uint32_t)strlen(*arguments);
	if (rc) {
		free(*arguments);
		*arguments = NULL;
	}
	return rc;
}
