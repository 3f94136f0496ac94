/* SPDX-License-Identifier: GPL-3.0-or-later */
/* QUERY_WANTED: objects of the wanted state as they stand in the store. commands.c calls it. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "engine/engine.h"

#define PAGE_BYTES (CHANNEL_BODY_MAX / 2)

/* An object with its name, and how long it is as text. */
static json_t *object_of(enum config_kind kind, const void *object, size_t *size)
{
	char *text = config_to_json(kind, object);
	json_t *o = json_loads(text, 0, NULL);

	*size = strlen(text) + CONFIG_NAME + 16;
	free(text);
	json_object_set_new(o, "name", json_string(((const struct config_head *)object)->name));
	return o;
}

static void send_all(struct engine *e, enum role face, const struct msg_query *q, enum config_kind kind, const char *name)
{
	const struct cluster *wanted = &e->model.wanted;
	json_t *page = json_array();
	size_t used = 0, size;

	for (size_t i = 0; i < wanted->count[kind]; i++) {
		const void *object = (const char *)wanted->objects[kind] + i * config_size[kind];
		if (*name && strcmp(name, ((const struct config_head *)object)->name) != 0)
			continue;
		json_t *o = object_of(kind, object, &size);
		if (used + size > PAGE_BYTES) {
			reply_json(e, face, e->roles[face].life, q->request, 0, page, true);
			page = json_array();
			used = 0;
		}
		json_array_append_new(page, o);
		used += size;
	}
	reply_json(e, face, e->roles[face].life, q->request, 0, page, false);
}

void wanted_query(struct engine *e, enum role face, const struct msg_query *q)
{
	char word[sizeof q->target], *name;
	struct error err;

	text_copy(word, sizeof word, q->target);
	name = strchr(word, ' ');
	if (name)
		*name++ = '\0';
	enum config_kind kind = config_kind_value(word);
	if (!kind || !name) {
		error_set(&err, ERR_CONFIG, "wanted", "ask for pool, software, balancer, service and so on", "\"%.40s\" is no kind of object", word);
		reply_error(e, face, e->roles[face].life, q->request, &err);
	} else if (*name && !cluster_find(&e->model.wanted, kind, name)) {
		error_set(&err, ERR_NOT_FOUND, name, "see: gloryctl export", "there is no such %s", word);
		reply_error(e, face, e->roles[face].life, q->request, &err);
	} else {
		send_all(e, face, q, kind, name);
	}
}
