/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Start: everything the store knows is read, section by section, before anything is said or done. main.c calls it once the settings
 * are there; it ends in start_finished(). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/items.h"
#include "engine/records.h"
#include "engine/services.h"
#include "engine/silences.h"
#include "engine/software.h"
#include "engine/watches.h"

#define PAGE 500

static void take_config(struct engine *e, const char *key, const char *json);
static void take_slot(struct engine *e, const char *key, const char *json);
static void take_life(struct engine *e, const char *key, const char *json);
static void take_event(struct engine *e, const char *key, const char *json);
static void take_audit(struct engine *e, const char *key, const char *json);

/* The order matters: slots before the model is built of the configuration, the model before lives, alarms before the outbox. */
static const struct {
	const char *prefix; /* NULL: the active generation's */
	void (*take)(struct engine *e, const char *key, const char *json);
	bool build_after;   /* the model is built when this section is read */
} sections[] = {
	{"/slot/", take_slot, false}, {NULL, take_config, true},      {"/life/node/", take_life, false},
	{"/selstate/", records_restore, false}, {"/fru/", inventory_restore, false},
	{"/silence/", silences_restore, false}, {"/software/", software_restore, false},
	{"/service/", services_restore, false}, {"/repair/", services_restore, false}, {"/balancer/", services_restore, false},
	{"/alarm/", alarms_restore, false}, {"/job/", jobs_restore, false}, {"/event/", take_event, false},
	{"/outbox/", outbox_restore, false}, {"/audit/", take_audit, false}, {"/set/", commands_restore, false},
};

struct loader {
	size_t section;
	struct cluster cluster;
	char prefix[64];
};

static void read_page(struct engine *e, const char *after);

/* "/slot/node/n001" */
static void take_slot(struct engine *e, const char *key, const char *json)
{
	json_t *o = json_loads(json, 0, NULL);
	int slot, generation;
	const char *kind = key + strlen("/slot/"), *name = strchr(kind, '/');

	bool sound = o && name && !json_unpack(o, "{s:i,s:i}", "slot", &slot, "generation", &generation);
	if (o && !strncmp(kind, "item/", 5))
		items_restore(e, kind + 5, o);
	else if (sound && !strncmp(kind, "watch/", 6))
		watches_restore(e, name + 1, (uint32_t)slot, (uint32_t)generation);
	else if (sound && services_has_slots(kind))
		services_restore_slot(e, kind, (uint32_t)slot, (uint32_t)generation);
	else if (sound)
		model_restore_slot(&e->model, !strncmp(kind, "node/", 5) ? CONFIG_NODE : CONFIG_GROUP, name + 1, (uint32_t)slot,
				   (uint32_t)generation);
	json_decref(o);
}

static enum config_kind kind_of(const char *word, size_t length)
{
	for (int k = 1; k < CONFIG_KIND_COUNT; k++)
		if (config_kind_name[k] && strlen(config_kind_name[k]) == length && !strncmp(config_kind_name[k], word, length))
			return (enum config_kind)k;
	return (enum config_kind)0;
}

/* "/config/12/node/n001"; "/config/12/site" holds the site's name */
static void take_config(struct engine *e, const char *key, const char *json)
{
	const char *rest = key + strlen(e->loader->prefix), *slash = strchr(rest, '/');
	union {
		struct config_node node;
		struct config_item item;
		char room[4096];
	} object;
	struct error err;

	if (!strcmp(rest, "site")) {
		json_t *o = json_loads(json, 0, NULL);
		const char *name = NULL;
		if (o && !json_unpack(o, "{s:s}", "name", &name))
			text_copy(e->loader->cluster.site, sizeof e->loader->cluster.site, name);
		json_decref(o);
		return;
	}
	enum config_kind kind = slash ? kind_of(rest, (size_t)(slash - rest)) : (enum config_kind)0;
	memset(&object, 0, sizeof object);
	if (!kind || config_size[kind] > sizeof object || config_from_json(kind, slash + 1, json, &object, &err)) {
		log_error("store: %s is not readable: it is left out", key);
		return;
	}
	cluster_set(&e->loader->cluster, kind, &object);
}

static void take_life(struct engine *e, const char *key, const char *json)
{
	int64_t slot;

	if (text_integer(key + strlen("/life/node/"), 0, NODE_MAX - 1, &slot) && e->nodes[slot])
		life_read(e, (uint32_t)slot, json);
}

static void take_event(struct engine *e, const char *key, const char *json)
{
	uint64_t id = strtoull(key + strlen("/event/"), NULL, 10);

	(void)json;
	if (!e->event_first)
		e->event_first = id;
	if (id > e->event_last)
		e->event_last = id;
}

static void take_audit(struct engine *e, const char *key, const char *json)
{
	uint64_t id = strtoull(key + strlen("/audit/"), NULL, 10);

	(void)json;
	if (!e->audit_first)
		e->audit_first = id;
	if (id > e->audit_last)
		e->audit_last = id;
}

static void build_model(struct engine *e)
{
	struct model_changes changes = {0};

	if (!e->loader->cluster.site[0])
		text_copy(e->loader->cluster.site, sizeof e->loader->cluster.site, e->settings.site);
	model_apply(&e->model, &e->loader->cluster, &changes);
	states_apply(e, &changes);
	free(changes.changes);
}

static void next_section(struct engine *e)
{
	struct loader *l = e->loader;

	if (sections[l->section].build_after)
		build_model(e);
	if (++l->section == COUNT_OF(sections)) {
		cluster_clear(&l->cluster);
		free(l);
		e->loader = NULL;
		start_finished(e);
		return;
	}
	read_page(e, NULL);
}

static void on_page(void *arg, const struct store_reply *r)
{
	struct engine *e = arg;
	char last[STORE_KEY_MAX + 1];

	if (r->status != STORE_OK && r->status != STORE_NOT_FOUND) {
		log_error("store: cannot be read (%s): the engine ends and tries again", store_trouble(e->store));
		exit(2);
	}
	for (size_t i = 0; i < r->count; i++)
		sections[e->loader->section].take(e, r->pairs[i].key, r->pairs[i].value);
	if (r->more && r->count) {
		text_copy(last, sizeof last, r->pairs[r->count - 1].key);
		read_page(e, last);
		return;
	}
	next_section(e);
}

static void read_page(struct engine *e, const char *after)
{
	const char *prefix = sections[e->loader->section].prefix;

	store_list(e->store, prefix ? prefix : e->loader->prefix, after, PAGE, on_page, e);
}

static void on_pointer(void *arg, const struct store_reply *r)
{
	struct engine *e = arg;

	if (r->status != STORE_OK && r->status != STORE_NOT_FOUND) { /* never an empty cluster for want of reading */
		log_error("store: cannot be read (%s): the engine ends and tries again", store_trouble(e->store));
		exit(2);
	}
	if (r->status == STORE_OK && r->count == 1)
		edits_config_pointer(e, r->pairs[0].value, r->pairs[0].revision);
	text_format(e->loader->prefix, sizeof e->loader->prefix, "%s/", edits_prefix(e));
	read_page(e, NULL);
}

void start_load(struct engine *e)
{
	e->store = store_open(e->loop, e->settings.store_url);
	if (!e->store) {
		log_error("store: %s: cannot be opened: the engine ends and tries again", e->settings.store_url);
		exit(2);
	}
	e->loader = mem_zalloc(sizeof *e->loader);
	cluster_init(&e->loader->cluster);
	store_get(e->store, "/config/gen", on_pointer, e);
}
