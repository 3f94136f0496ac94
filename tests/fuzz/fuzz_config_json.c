/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any text as the JSON of a configured object, and as name and value of one field: the first byte chooses the kind. What is taken
 * is written and read back the same. */
#include <stdlib.h>
#include <string.h>

#include "config/cluster.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

union any_object {
	struct config_head head;
	struct config_node node;
	struct config_item item;
	char room[4096];
};

static void round_trip(enum config_kind kind, const char *name, const char *json)
{
	static union any_object object, again;
	struct error e;

	if (config_from_json(kind, name, json, &object, &e)) {
		if (e.kind != ERR_CONFIG || !e.text[0] || !e.object[0])
			abort();
		return;
	}
	char *text = config_to_json(kind, &object);
	if (config_from_json(kind, name, text, &again, &e))
		abort();
	char *second = config_to_json(kind, &again);
	if (strcmp(text, second) != 0)
		abort();
	free(text);
	free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static union any_object object;
	struct error e;

	if (size < 2)
		return 0;
	enum config_kind kind = (enum config_kind)(1 + data[0] % (CONFIG_KIND_COUNT - 1));
	char *text = malloc(size);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	round_trip(kind, kind == CONFIG_ITEM ? "item" : "object", text);
	char *value = strchr(text, '=');
	if (value && config_object_init(kind, kind == CONFIG_ITEM ? "item" : "object", &object, &e) == 0) {
		*value++ = '\0';
		config_set_field(kind, &object, text, value, &e);
		free(config_to_json(kind, &object));
	}
	free(text);
	return 0;
}
