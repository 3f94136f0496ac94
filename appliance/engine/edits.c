/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changes of the wanted state: one at a time, each one transaction guarded by the pointer /config/gen, then taken over by the model.
 * Few changes are written into the generation in force together with the pointer; many make a new generation, written in batches that
 * count for nothing until the pointer is swapped. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/xml_child.h"
#include "engine/items.h"
#include "engine/checks.h"
#include "engine/services.h"
#include "engine/watches.h"

#define IN_PLACE_MAX 100
#define BATCH 100
#define WAITING_MAX 64 /* changes in the queue; each may hold a whole wanted state */

struct edit {
	struct edit *next;
	struct engine *e;
	struct cluster wanted;  /* as asked for */
	struct cluster result;  /* what will be in force */
	struct config_diff diff;
	bool prune, dry_run;
	edit_make *make; /* NULL: wanted is given, objects missing from it stay unless prune */
	edit_done *done;
	void *arg;
	/* a new generation being written */
	uint64_t base;
	enum config_kind kind;
	size_t at;
};

struct edits {
	struct edit *head, **tail; /* the first one is being worked on */
	unsigned count;
	uint64_t base, generation;
	int64_t revision; /* of /config/gen; 0: does not exist */
	char prefix[48];
};

static void work(struct engine *e);

void edits_start(struct engine *e)
{
	e->edits = mem_zalloc(sizeof *e->edits);
	e->edits->tail = &e->edits->head;
	e->edits->base = 1;
}

const char *edits_prefix(struct engine *e)
{
	text_format(e->edits->prefix, sizeof e->edits->prefix, "/config/%" PRIu64, e->edits->base);
	return e->edits->prefix;
}

void edits_config_pointer(struct engine *e, const char *json, int64_t revision)
{
	json_t *o = json_loads(json, 0, NULL);
	json_int_t base, generation;

	if (o && !json_unpack(o, "{s:I,s:I}", "base", &base, "gen", &generation)) {
		e->edits->base = (uint64_t)base;
		e->edits->generation = (uint64_t)generation;
		e->model.config_generation = e->edits->generation;
	}
	e->edits->revision = revision;
	json_decref(o);
}

static void copy_wanted(struct engine *e, struct cluster *out)
{
	cluster_init(out);
	text_copy(out->site, sizeof out->site, e->model.wanted.site);
	for (int k = 1; k < CONFIG_KIND_COUNT; k++)
		for (size_t i = 0; i < e->model.wanted.count[k]; i++)
			cluster_set(out, (enum config_kind)k, (const char *)e->model.wanted.objects[k] + i * config_size[k]);
}

static void finish(struct edit *x, const struct error *err)
{
	struct engine *e = x->e;

	x->done(x->arg, err, err ? NULL : &x->diff);
	e->edits->head = x->next;
	e->edits->count--;
	if (!x->next)
		e->edits->tail = &e->edits->head;
	cluster_clear(&x->wanted);
	cluster_clear(&x->result);
	config_diff_clear(&x->diff);
	free(x);
	work(e);
}

static void sweep_generation(struct engine *e, uint64_t base, struct edit *then);

/* What stands has no lines: of two objects that contradict each other the one of the next change is then the later one. */
static void forget_lines(struct cluster *c)
{
	for (int k = 1; k < CONFIG_KIND_COUNT; k++)
		for (size_t i = 0; i < c->count[k]; i++)
			((struct config_head *)(void *)((char *)c->objects[k] + i * config_size[k]))->line = 0;
}

static void take_over(struct edit *x)
{
	struct engine *e = x->e;
	struct model_changes changes = {0};
	uint64_t old = e->edits->base;

	e->edits->base = x->base;
	e->edits->generation++;
	e->model.config_generation = e->edits->generation;
	forget_lines(&x->result);
	model_apply(&e->model, &x->result, &changes);
	states_apply(e, &changes);
	watches_apply(e);
	checks_apply(e);
	services_apply(e);
	free(changes.changes);
	outbox_receivers_changed(e);
	publish_now(e);
	targets_credentials_changed(e, &x->diff);
	log_info("generation %" PRIu64 ": %zu changes", e->edits->generation, x->diff.count);
	if (old != x->base)
		sweep_generation(e, old, NULL);
	finish(x, NULL);
}

static void on_committed(void *arg, const struct store_reply *r)
{
	struct edit *x = arg;
	struct error err;

	if (r->status == STORE_OK) {
		x->e->edits->revision = r->revision;
		take_over(x);
		return;
	}
	error_set(&err, r->status == STORE_CONFLICT ? ERR_NOT_NOW : ERR_NO_RESOURCE, "store",
		  r->status == STORE_CONFLICT ? "try again" : "mend the disk first", "the change was not committed: %s",
		  r->status == STORE_CONFLICT ? "another one came first" : store_trouble(x->e->store));
	finish(x, &err);
}

static struct store_op pointer_op(struct edit *x, char *value, size_t size)
{
	struct edits *s = x->e->edits;

	text_format(value, size, "{\"v\":1,\"base\":%" PRIu64 ",\"gen\":%" PRIu64 "}", x->base, s->generation + 1);
	return (struct store_op){"/config/gen", value, s->revision};
}

static void object_key(char *out, size_t size, uint64_t base, enum config_kind kind, const char *name)
{
	text_format(out, size, "/config/%" PRIu64 "/%s/%s", base, config_kind_name[kind], name);
}

static void site_op(struct edit *x, char *key, size_t key_size, char *value, size_t size)
{
	text_format(key, key_size, "/config/%" PRIu64 "/site", x->base);
	text_format(value, size, "{\"v\":1,\"name\":\"%s\"}", x->result.site);
}

static void commit_in_place(struct edit *x)
{
	struct store_op ops[IN_PLACE_MAX + 2];
	char keys[IN_PLACE_MAX][200], pointer[96], site_key[64], site[160];
	char *values[IN_PLACE_MAX];
	size_t n = 0;

	x->base = x->e->edits->base;
	for (; n < x->diff.count; n++) {
		const struct config_change *c = &x->diff.changes[n];
		const void *object = cluster_find(&x->result, c->kind, c->name);
		object_key(keys[n], sizeof keys[n], x->base, c->kind, c->name);
		values[n] = c->what == CONFIG_REMOVED || !object ? NULL : config_to_json(c->kind, object);
		ops[n] = (struct store_op){keys[n], values[n], STORE_ANY};
	}
	site_op(x, site_key, sizeof site_key, site, sizeof site);
	ops[n] = (struct store_op){site_key, site, STORE_ANY};
	ops[n + 1] = pointer_op(x, pointer, sizeof pointer);
	store_transact(x->e->store, ops, n + 2, on_committed, x);
	for (size_t i = 0; i < n; i++)
		free(values[i]);
}

static void write_batch(struct edit *x);

static void on_batch(void *arg, const struct store_reply *r)
{
	struct edit *x = arg;
	struct error err;

	if (r->status == STORE_OK) {
		write_batch(x);
		return;
	}
	error_set(&err, ERR_NO_RESOURCE, "store", "mend the disk first", "the change was not committed: %s", store_trouble(x->e->store));
	finish(x, &err);
}

static void swap_pointer(struct edit *x)
{
	char pointer[96], site_key[64], site[160];
	struct store_op ops[2];

	site_op(x, site_key, sizeof site_key, site, sizeof site);
	ops[0] = (struct store_op){site_key, site, STORE_ANY};
	ops[1] = pointer_op(x, pointer, sizeof pointer);
	store_transact(x->e->store, ops, 2, on_committed, x);
}

static void write_batch(struct edit *x)
{
	struct store_op ops[BATCH];
	char keys[BATCH][200];
	char *values[BATCH];
	size_t n = 0;

	while (n < BATCH && x->kind < CONFIG_KIND_COUNT) {
		if (x->at == x->result.count[x->kind]) {
			x->kind = (enum config_kind)(x->kind + 1);
			x->at = 0;
			continue;
		}
		const char *object = (const char *)x->result.objects[x->kind] + x->at++ * config_size[x->kind];
		object_key(keys[n], sizeof keys[n], x->base, x->kind, ((const struct config_head *)(const void *)object)->name);
		values[n] = config_to_json(x->kind, object);
		ops[n] = (struct store_op){keys[n], values[n], STORE_ANY};
		n++;
	}
	if (n)
		store_transact(x->e->store, ops, n, on_batch, x);
	else
		swap_pointer(x);
	for (size_t i = 0; i < n; i++)
		free(values[i]);
}

/* The generation before is deleted page by page; if that is interrupted, what is left harms nobody and goes with the next time. */
struct sweep {
	struct engine *e;
	char prefix[48];
	struct edit *then; /* what may begin when nothing is left; NULL none */
};

static void sweep_ended(struct sweep *s, bool clean)
{
	struct edit *x = s->then;
	struct error err;

	if (x && clean)
		write_batch(x);
	else if (x)
		finish(x, (error_set(&err, ERR_NO_RESOURCE, "store", "mend the disk first", "the change was not committed: %s",
				     store_trouble(s->e->store)), &err));
	free(s);
}

static void on_old_page(void *arg, const struct store_reply *r)
{
	struct sweep *s = arg;

	if ((r->status != STORE_OK && r->status != STORE_NOT_FOUND) || r->count == 0) {
		sweep_ended(s, r->status == STORE_OK || r->status == STORE_NOT_FOUND);
		return;
	}
	struct store_op *ops = mem_array(r->count, sizeof *ops);
	for (size_t i = 0; i < r->count; i++)
		ops[i] = (struct store_op){.key = r->pairs[i].key, .expect = STORE_ANY};
	store_transact(s->e->store, ops, r->count, NULL, NULL);
	free(ops);
	store_list(s->e->store, s->prefix, NULL, 500, on_old_page, s);
}

static void sweep_generation(struct engine *e, uint64_t base, struct edit *then)
{
	struct sweep *s = mem_zalloc(sizeof *s);

	s->e = e;
	s->then = then;
	text_format(s->prefix, sizeof s->prefix, "/config/%" PRIu64 "/", base);
	store_list(e->store, s->prefix, NULL, 500, on_old_page, s);
}

static int prepare(struct edit *x, struct error *err)
{
	struct engine *e = x->e;

	if (x->make) { /* only now: the changes before it are in force */
		copy_wanted(e, &x->wanted);
		int rc = x->make(x->arg, &x->wanted, err);
		if (rc)
			return rc;
	}
	if (!x->wanted.site[0])
		text_copy(x->wanted.site, sizeof x->wanted.site, e->model.wanted.site);
	if (strcmp(x->wanted.site, e->model.wanted.site) && e->model.node_count)
		return error_set(err, ERR_CONFIG, "site", "apply the file to its own appliance", "this site is \"%s\", the file is of \"%s\"",
				 e->model.wanted.site, x->wanted.site);
	cluster_init(&x->result);
	cluster_diff(&e->model.wanted, &x->wanted, x->prune || x->make, &x->result, &x->diff);
	text_copy(x->result.site, sizeof x->result.site, x->wanted.site);
	int rc = cluster_check(&x->result, err);
	return rc ? rc : items_check(e, &x->result, &x->diff, err);
}

static void work(struct engine *e)
{
	struct edit *x = e->edits->head;
	struct error err;

	if (!x)
		return;
	if (prepare(x, &err)) {
		finish(x, &err);
		return;
	}
	if (x->dry_run || x->diff.count == 0) {
		finish(x, NULL);
		return;
	}
	if (x->diff.count <= IN_PLACE_MAX) {
		commit_in_place(x);
		return;
	}
	x->base = e->edits->base + 1;
	x->kind = (enum config_kind)1;
	sweep_generation(e, x->base, x); /* what a change that was cut off has left there would come into force with this one */
}

/* Takes its place in the queue, or refuses by done(). */
static void enqueue(struct engine *e, const struct edit *edit)
{
	bool idle = !e->edits->head;
	struct error err;

	if (e->edits->count == WAITING_MAX) {
		struct cluster given = edit->wanted;
		cluster_clear(&given);
		error_set(&err, ERR_BUSY, "change", "try again in a moment", "%u changes are waiting already", WAITING_MAX);
		edit->done(edit->arg, &err, NULL);
		return;
	}
	struct edit *x = mem_zalloc(sizeof *x);
	*x = *edit;
	x->e = e;
	cluster_init(&x->result);
	*e->edits->tail = x;
	e->edits->tail = &x->next;
	e->edits->count++;
	if (idle)
		work(e);
}

void edits_commit(struct engine *e, struct cluster *next, bool prune, bool dry_run, edit_done *done, void *arg)
{
	struct edit x = {.wanted = *next, .prune = prune, .dry_run = dry_run, .done = done, .arg = arg};

	cluster_init(next);
	enqueue(e, &x);
}

void edits_change(struct engine *e, edit_make *make, bool dry_run, edit_done *done, void *arg)
{
	struct edit x = {.make = make, .dry_run = dry_run, .done = done, .arg = arg};

	cluster_init(&x.wanted);
	enqueue(e, &x);
}

/* --- the cluster.xml of a new appliance --------------------------------------------------------------- */
static void on_first_edit(void *arg, const struct error *err, const struct config_diff *diff)
{
	struct engine *e = arg;

	if (err)
		log_error("%s: %s: %s: %s", e->settings.first_cluster, err->object, err->text, err->remedy);
	else
		log_info("%s: read into the empty store: %zu objects", e->settings.first_cluster, diff->count);
}

static void on_first_xml(void *arg, int status, const char *output, size_t size)
{
	struct engine *e = arg;
	struct cluster wanted;
	struct error err;

	cluster_init(&wanted);
	if (status)
		error_set(&err, status, "glory-xml", "see the log", "the file could not be read");
	else
		status = xml_output_decode(output, size, &wanted, &err);
	if (status) {
		log_error("%s: %s: %s", err.object, err.text, err.remedy);
		cluster_clear(&wanted);
		return;
	}
	edits_commit(e, &wanted, false, false, on_first_edit, e);
}

void edits_first_cluster(struct engine *e)
{
	int fd = e->first_cluster;

	e->first_cluster = -1;
	if (e->edits->revision)
		close(fd); /* the store is the truth: the file is read once */
	else
		helpers_run(e, HELPER_XML, fd, 30000, XML_OUTPUT_MAX, on_first_xml, e);
}
