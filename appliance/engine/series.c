/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where an item of a node is recorded and where its newest values stand in memory. graphs.c draws them; the API asks for them as points. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/items.h"
#include "engine/services_series.h"
#include "engine/watches.h"

#define LOOKED_MAX 64    /* nodes at once: 64 times 24 kB, and as much for their disks and interfaces */
#define POINTS_PER_PAGE 400 /* of at most 70 bytes */

struct looked {
	struct {
		uint32_t slot, generation;
		int64_t until_ms;
	} nodes[LOOKED_MAX];
	unsigned count;
};

/* --- finding ------------------------------------------------------------------------------------------- */
static void describe(struct series_ref *out, const char *source, const char *file, const char *name, const char *unit, const char *label)
{
	text_copy(out->source, sizeof out->source, source);
	text_copy(out->file, sizeof out->file, file);
	text_copy(out->name, sizeof out->name, name);
	text_copy(out->unit, sizeof out->unit, unit);
	text_copy(out->label, sizeof out->label, label);
}

/* "disk_fill/root", "if_in/eth0": the instance must be one the node has; without one the first is taken. */
static const struct table_row *find_row(const struct node_state *s, unsigned table, const char *instance)
{
	for (uint32_t i = 0; i < s->row_count; i++) {
		const struct table_row *r = &s->rows[i];
		if (r->table == table && (!instance[0] || !strcmp(r->name, instance) || (!strcmp(instance, "root") && !strcmp(r->name, "/"))))
			return r;
	}
	return NULL;
}

static bool find_sensor(struct engine *e, const struct node_state *s, const char *what, struct series_ref *out)
{
	unsigned column = 0;

	for (uint32_t i = 0; i < s->sensor_count; i++) {
		const struct node_sensor *n = &s->sensors[i];
		if (!strcmp(n->name, what) || !strcmp(n->ds, what)) {
			const struct sensor_row *row = n->board_slot == NO_SLOT ? NULL : board_peek(e->board, BOARD_SENSOR, n->board_slot);
			describe(out, "bmc", "sensors", n->ds, row ? row->unit : "", n->name);
			out->recent = &s->sensor_average.recent;
			out->column = isnan(n->reading) ? SERIES_DS_MAX : column; /* those without a reading are not recorded */
			return true;
		}
		column += !isnan(n->reading);
	}
	return false;
}

static const char *first_row(const struct node_state *s, unsigned item)
{
	for (uint32_t i = 0; i < s->cell_count; i++)
		if (s->cells[i].item == item)
			return s->cells[i].name;
	return "";
}

/* A row that is not there now may have been once: its file is looked for all the same. */
static void find_value(struct engine *e, uint32_t slot, const struct value_item *v, const char *instance, struct series_ref *out)
{
	char file[NAME_SIZE];

	if (!instance[0] && v->definition.table != TABLE_NONE)
		instance = first_row(e->nodes[slot], v->definition.item);
	const struct value_cell *c = values_cell(e, slot, v->definition.item, instance, false);
	if (!watches_file(v->name, instance, file, sizeof file))
		values_file(v, instance, file, sizeof file);
	describe(out, v->source[0] ? v->source : "snmp", file, v->name, v->unit, "");
	text_format(out->label, sizeof out->label, "%s%s%s", v->name, instance[0] ? " " : "", instance);
	if (c)
		out->recent = &c->recent;
}

int series_find(struct engine *e, const struct model_node *n, const char *what, struct series_ref *out, struct error *err)
{
	static const struct recent nothing;
	const struct node_state *s = e->nodes[n->slot];
	char name[72], file[NAME_SIZE];
	const char *instance = "";

	memset(out, 0, sizeof *out);
	out->recent = &nothing;
	text_copy(name, sizeof name, what);
	char *slash = strchr(name, '/');
	if (slash) {
		*slash = '\0';
		instance = slash + 1;
	}
	const struct item_definition *d = values_find(e, name);
	struct value_item former;
	if (!d && items_former(e, name, &former)) { /* its history is there still */
		find_value(e, n->slot, &former, instance, out);
		return 0;
	}
	if (!d)
		return find_sensor(e, s, what, out) ? 0
						    : error_set(err, ERR_NOT_FOUND, what, "see: gloryctl item list, gloryctl sensor list NODE",
								"there is no such item or sensor on %s", n->config.head.name);
	out->item = d;
	if (d->item >= VALUES_WANTED) {
		find_value(e, n->slot, values_item_at(e, d->item), instance, out);
		return 0;
	}
	if (d->table == TABLE_NONE) {
		describe(out, "snmp", "base", d->name, d->unit, d->name);
		out->recent = &s->average.recent;
		out->column = d->item - 1u;
		return 0;
	}
	const struct table_row *r = find_row(s, d->table, instance);
	if (!r)
		return error_set(err, ERR_NOT_FOUND, what, "see: gloryctl node show", "%s has no such instance", n->config.head.name);
	samples_row_file(r, file, sizeof file);
	describe(out, "snmp", file, d->name, d->unit, "");
	text_format(out->label, sizeof out->label, "%s %s", d->name, r->name);
	out->recent = &r->average.recent;
	out->column = d->item - items_first_of_table(d->table);
	return 0;
}

/* --- who is looked at ------------------------------------------------------------------------------------ */
static void set_span(struct node_state *s, unsigned span_s)
{
	recent_look(&s->average.recent, span_s);
	recent_look(&s->sensor_average.recent, span_s);
	for (uint32_t i = 0; i < s->row_count; i++)
		recent_look(&s->rows[i].average.recent, span_s);
	for (uint32_t i = 0; i < s->cell_count; i++)
		recent_look(&s->cells[i].recent, span_s);
}

static void forget(struct engine *e, unsigned at)
{
	struct looked *l = e->looked;

	if (engine_node(e, l->nodes[at].slot, l->nodes[at].generation))
		set_span(e->nodes[l->nodes[at].slot], RECENT_SPAN_S);
	l->nodes[at] = l->nodes[--l->count];
}

void series_look(struct engine *e, const struct model_node *n)
{
	unsigned at = 0, oldest = 0;

	if (!e->looked)
		e->looked = mem_zalloc(sizeof *e->looked);
	struct looked *l = e->looked;
	for (; at < l->count && (l->nodes[at].slot != n->slot || l->nodes[at].generation != n->generation); at++)
		if (l->nodes[at].until_ms < l->nodes[oldest].until_ms)
			oldest = at;
	if (at == LOOKED_MAX) {
		forget(e, oldest);
		at = l->count;
	}
	if (at == l->count)
		l->count++;
	l->nodes[at].slot = n->slot;
	l->nodes[at].generation = n->generation;
	l->nodes[at].until_ms = clock_mono_ms() + SERIES_LOOKED_MS;
	set_span(e->nodes[n->slot], RECENT_LOOKED_S); /* each time: it may have got a new disk since */
}

void series_unlook(struct engine *e)
{
	int64_t now = clock_mono_ms();

	for (unsigned i = 0; e->looked && i < e->looked->count;)
		if (e->looked->nodes[i].until_ms < now)
			forget(e, i);
		else
			i++;
	services_series_unlook(e);
}

/* --- points -------------------------------------------------------------------------------------------- */
static json_t *page_of(const struct series_ref *ref, unsigned *at)
{
	json_t *page = json_array();
	unsigned count = recent_count(ref->recent);

	for (unsigned n = 0; *at < count && n < POINTS_PER_PAGE; n++, ++*at) {
		double value;
		int64_t time = recent_at(ref->recent, *at, ref->column, &value);
		json_array_append_new(page, json_pack("{s:I,s:o}", "at", (json_int_t)time, "value", isnan(value) ? json_null() : json_real(value)));
	}
	return page;
}

static int node_series(struct engine *e, const char *node, const char *item, struct series_ref *ref, struct error *err)
{
	struct model_node *n = node[0] ? model_node(&e->model, node) : NULL;
	int rc;

	if (!n || !e->nodes[n->slot])
		return error_set(err, ERR_NOT_FOUND, "node", "see: gloryctl node list", "there is no such node");
	rc = series_find(e, n, item, ref, err);
	if (!rc)
		series_look(e, n);
	return rc;
}

static int service_series(struct engine *e, const char *service, const char *item, struct series_ref *ref, struct error *err)
{
	const char *unit, *label;
	int rc;

	if (!cluster_find(&e->model.wanted, CONFIG_SERVICE, service))
		return error_set(err, ERR_NOT_FOUND, service, "see: gloryctl service list", "there is no such service");
	rc = services_series_find(item, &unit, &label, err);
	if (!rc)
		ref->recent = services_series_recent(e, service, item, &ref->column);
	return rc;
}

/* target: "NODE ITEM", or "service/NAME ITEM"; names have no blanks and no slashes, sensors may. */
void series_query(struct engine *e, const struct msg_query *q)
{
	static const struct recent nothing;
	static const char prefix[] = "service/";
	uint32_t life = e->roles[ROLE_API].life;
	struct series_ref ref = {.recent = NULL};
	struct error err;
	char what[sizeof prefix + NAME_SIZE] = "";
	const char *blank = text_terminated(q->target, sizeof q->target) ? strchr(q->target, ' ') : NULL;
	const char *item = blank ? blank + 1 : "";
	unsigned at = 0;

	if (blank && (size_t)(blank - q->target) < sizeof what)
		text_format(what, sizeof what, "%.*s", (int)(blank - q->target), q->target);
	bool service = !strncmp(what, prefix, sizeof prefix - 1);
	int rc = service ? service_series(e, what + sizeof prefix - 1, item, &ref, &err) : node_series(e, what, item, &ref, &err);
	if (rc) {
		reply_error(e, ROLE_API, life, q->request, &err);
		return;
	}
	if (!ref.recent)
		ref.recent = &nothing; /* a service that is quite new */
	do {
		json_t *page = page_of(&ref, &at);
		reply_json(e, ROLE_API, life, q->request, 0, page, at < recent_count(ref.recent));
	} while (at < recent_count(ref.recent));
}
