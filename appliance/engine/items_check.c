/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What items of a wanted state must agree on among each other: names that exist, no circles, rows of one table; see items.h. */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "engine/items.h"

enum { DEPTH_MAX = 16 }; /* expressions over expressions */

static bool is_own(const struct config_item *c)
{
	return c && (c->oid_length || c->expression[0]);
}

static const struct config_item *find(const struct cluster *wanted, const char *name)
{
	const struct config_item *c = cluster_find(wanted, CONFIG_ITEM, name);

	return is_own(c) ? c : NULL;
}

static int refuse(struct error *err, const char *name, const char *remedy, const char *text, const char *other)
{
	char object[48];

	text_format(object, sizeof object, "item %s", name);
	return error_set(err, ERR_CONFIG, object, remedy, text, other);
}

/* --- kinds of rows: 0 none, else a number that two items share when their rows have the same names ---------------------------------- */
static uint64_t rows_by_names(const uint32_t *oid, size_t length)
{
	return text_hash(oid, length * sizeof *oid) | 1;
}

static uint64_t rows_of_table(unsigned table)
{
	for (unsigned i = 0; i < item_object_count; i++)
		if (item_objects[i].table == table && item_objects[i].name_column)
			return rows_by_names(item_objects[i].oid, item_objects[i].oid_length);
	return 0;
}

static uint64_t rows_of_oid_text(const char *text)
{
	struct config_item reader;

	if (config_object_init(CONFIG_ITEM, "x", &reader, NULL) || config_set_field(CONFIG_ITEM, &reader, "oid", text, NULL))
		return 1;
	return rows_by_names(reader.oid, reader.oid_length);
}

static int rows_of(struct engine *e, const struct cluster *wanted, const char *name, int depth, uint64_t *rows, struct error *err);

/* All operands that have rows must have the same. */
static int rows_of_expression(struct engine *e, const struct cluster *wanted, const struct config_item *c, int depth, uint64_t *rows,
			      struct error *err)
{
	struct expression x;
	const char *first = "";

	*rows = 0;
	if (depth == DEPTH_MAX)
		return refuse(err, c->head.name, "take one of them out", "its expression goes in a circle, or is over too many others%s", "");
	if (expression_parse(c->expression, &x, err))
		return ERR_CONFIG;
	for (unsigned i = 0; i < x.names; i++) {
		uint64_t one;
		char both[64];
		int rc = rows_of(e, wanted, x.name[i], depth + 1, &one, err);
		if (rc)
			return rc;
		text_format(both, sizeof both, "%s and %s", first, x.name[i]);
		if (one && *rows && one != *rows)
			return refuse(err, c->head.name, "use items of one table, or ones without rows", "%s have rows of different tables", both);
		if (one && !*rows) {
			*rows = one;
			first = x.name[i];
		}
	}
	return 0;
}

static int rows_of(struct engine *e, const struct cluster *wanted, const char *name, int depth, uint64_t *rows, struct error *err)
{
	const struct item_definition *d = item_find(name);
	const struct config_item *c = d ? NULL : find(wanted, name);

	*rows = 0;
	if (d && d->table != TABLE_NONE)
		*rows = rows_of_table(d->table);
	else if (c && c->expression[0])
		return rows_of_expression(e, wanted, c, depth, rows, err);
	else if (c && c->instances[0])
		*rows = rows_of_oid_text(c->instances);
	return 0;
}

bool items_has_rows(struct engine *e, const struct cluster *wanted, const struct config_item *item)
{
	struct error err;
	uint64_t rows = 0;

	return rows_of(e, wanted, item->head.name, 0, &rows, &err) == 0 && rows;
}

/* --- names --------------------------------------------------------------------------------------------- */
static bool touches(const struct config_diff *changed, enum config_kind kind, const char *name, enum config_change_what what)
{
	for (size_t i = 0; i < changed->count; i++)
		if (changed->changes[i].kind == kind && !strcmp(changed->changes[i].name, name) &&
		    (changed->changes[i].what == CONFIG_REMOVED) == (what == CONFIG_REMOVED))
			return true;
	return false;
}

static bool is_about(const struct config_diff *changed, const char *name, enum config_change_what what)
{
	return touches(changed, CONFIG_ITEM, name, what);
}

static int check_names(struct engine *e, const struct cluster *next, const struct config_diff *changed, const struct config_item *c,
		       struct error *err)
{
	struct expression x;

	if (expression_parse(c->expression, &x, err))
		return ERR_CONFIG;
	for (unsigned i = 0; i < x.names; i++) {
		const struct item_definition *d = values_find(e, x.name[i]);
		if (find(next, x.name[i]) || (d && (d->item < VALUES_WANTED || d->item >= VALUES_MADE)))
			continue;
		if (is_about(changed, x.name[i], CONFIG_REMOVED))
			return refuse(err, x.name[i], "change or remove that item first", "item %s is worked out from it", c->head.name);
		if (is_about(changed, c->head.name, CONFIG_ADDED))
			return refuse(err, c->head.name, "see: gloryctl item list", "expression: there is no item %s", x.name[i]);
	}
	return 0;
}

static int check_one(struct engine *e, const struct cluster *next, const struct config_diff *changed, const struct config_item *c,
		     struct error *err)
{
	const char *name = c->head.name;
	const struct item_definition *d = values_find(e, name);
	uint64_t rows;
	int rc = 0;

	if (item_find(name))
		return refuse(err, name, "leave oid and expression out to change its thresholds, or choose another name",
			      "is built in and brings its own oid%s", "");
	if (d && d->item >= VALUES_MADE)
		return refuse(err, name, "choose another name", "a check or a watch brings an item of this name%s", "");
	if (c->expression[0])
		rc = check_names(e, next, changed, c, err);
	return rc ? rc : rows_of(e, next, name, 0, &rows, err);
}

/* A service is sized by an item that is one number of a node, in percent. What a check brings may not have come yet: it is looked at when
 * the service or the item is changed, not at each change of something else. */
static int check_service_item(struct engine *e, const struct cluster *next, const struct config_diff *changed, const struct config_service *s,
			      struct error *err)
{
	const struct item_definition *d = values_find(e, s->item);
	const struct config_item *own = find(next, s->item);
	bool removed = is_about(changed, s->item, CONFIG_REMOVED), there = own || (d && !removed);
	const char *unit = own ? own->unit : d ? d->unit : "";
	uint64_t rows = 0;
	char object[CONFIG_NAME + 16];

	if (!removed && !is_about(changed, s->item, CONFIG_ADDED) && !touches(changed, CONFIG_SERVICE, s->head.name, CONFIG_ADDED))
		return 0;
	text_format(object, sizeof object, "service %s", s->head.name);
	if (!there)
		return error_set(err, ERR_CONFIG, object, "see: gloryctl item list", "item: there is no item %s", s->item);
	if (rows_of(e, next, s->item, 0, &rows, err))
		return ERR_CONFIG;
	if (rows || strcmp(unit, "percent") != 0)
		return error_set(err, ERR_CONFIG, object, "use cpu, mem or another of one value in percent",
				 "item %s is not one value of a node in percent", s->item);
	return 0;
}

int items_check(struct engine *e, const struct cluster *next, const struct config_diff *changed, struct error *err)
{
	const struct config_item *all = next->objects[CONFIG_ITEM];
	int rc = 0;

	for (size_t i = 0; i < next->count[CONFIG_ITEM] && !rc; i++)
		if (is_own(&all[i]))
			rc = check_one(e, next, changed, &all[i], err);
	const struct config_service *services = next->objects[CONFIG_SERVICE];
	for (size_t i = 0; i < next->count[CONFIG_SERVICE] && !rc; i++)
		rc = check_service_item(e, next, changed, &services[i], err);
	return rc;
}

/* --- order --------------------------------------------------------------------------------------------- */
static bool needs_met(const struct cluster *wanted, const struct config_item *c, const struct config_item *const *done, unsigned count)
{
	struct expression x;
	struct error err;

	if (expression_parse(c->expression, &x, &err))
		return false;
	for (unsigned i = 0; i < x.names; i++) {
		const struct config_item *needed = find(wanted, x.name[i]);
		unsigned n = 0;
		if (!needed || !needed->expression[0])
			continue;
		while (n < count && done[n] != needed)
			n++;
		if (n == count)
			return false;
	}
	return true;
}

unsigned items_order(const struct cluster *wanted, const struct config_item *out[ITEMS_MAX])
{
	const struct config_item *all = wanted->objects[CONFIG_ITEM];
	uint8_t taken[256] = {0};
	unsigned count = 0;

	for (bool more = true; more;) {
		more = false;
		for (size_t i = 0; i < wanted->count[CONFIG_ITEM] && i < sizeof taken && count < ITEMS_MAX; i++)
			if (all[i].expression[0] && !taken[i] && needs_met(wanted, &all[i], out, count)) {
				taken[i] = more = true;
				out[count++] = &all[i];
			}
	}
	return count;
}
