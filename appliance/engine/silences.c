/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Silences and maintenance, until their ends; see silences.h. */
#include "engine/silences.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/withheld.h"

#define LONGEST_S (366 * 86400)
#define LOOK_MS 200 /* for ends: a wall clock may jump */
#define PAGE 50

struct silence {
	struct silence *next;
	uint64_t id;
	int64_t from_ms, until_ms;
	char target[256], kind[24], reason[CAUSE_SIZE], actor[NAME_SIZE];
	bool *covers;      /* by slot of a node, as of `generation`; NULL: not worked out */
	uint64_t generation;
};

static struct {
	struct silence *all;
	uint64_t last;
	unsigned count;
	struct loop_timer *timer;
	bool ending; /* a change of the wanted state that ends maintenance is under way */
	bool looked;  /* end_ms is the next end of maintenance as of looked_generation */
	uint64_t looked_generation;
	int64_t end_ms;
} silences;

/* --- whom it covers -------------------------------------------------------------------------------------- */
static void work_out(struct engine *e, struct silence *s)
{
	struct model_selection nodes = {0};
	struct error err;

	if (s->covers && s->generation == e->model.config_generation)
		return;
	if (!s->covers)
		s->covers = mem_array(NODE_MAX, sizeof s->covers[0]);
	memset(s->covers, 0, NODE_MAX * sizeof s->covers[0]);
	s->generation = e->model.config_generation;
	if (model_select(&e->model, s->target, NULL, NULL, &nodes, &err))
		return; /* other objects, or nodes that are gone */
	for (size_t i = 0; i < nodes.count; i++)
		s->covers[nodes.slots[i]] = true;
	free(nodes.slots);
}

/* Kind "item" silences "item:cpu" as well. */
static bool kind_fits(const char *silenced, const char *kind)
{
	size_t n = strlen(silenced);

	return n == 0 || (kind && !strncmp(silenced, kind, n) && (kind[n] == '\0' || kind[n] == ':' || silenced[n - 1] == ':'));
}

static bool object_fits(struct engine *e, struct silence *s, const char *object, uint32_t slot)
{
	if (slot < NODE_MAX) {
		work_out(e, s);
		return s->covers[slot];
	}
	return !strcmp(s->target, "@site") || !strcmp(s->target, object) || (s->target[0] == '@' && !strcmp(s->target + 1, object));
}

int64_t silences_until(struct engine *e, const char *object, uint32_t slot, const char *kind)
{
	int64_t until = 0, now = silences.all ? clock_wall_ms() : 0;

	for (struct silence *s = silences.all; s; s = s->next)
		if (s->until_ms > now && s->until_ms > until && kind_fits(s->kind, kind) && object_fits(e, s, object, slot))
			until = s->until_ms;
	return until;
}

static void publish_covered(struct engine *e, struct silence *s)
{
	work_out(e, s);
	for (uint32_t slot = 0; slot < e->model.node_top; slot++)
		if (s->covers[slot] && e->nodes[slot]) {
			e->nodes[slot]->changed = true;
			publish_node(e, slot);
		}
}

/* --- the store ------------------------------------------------------------------------------------------- */
static void make_key(char *key, size_t size, uint64_t id)
{
	text_format(key, size, "/silence/%016" PRIu64, id);
}

static json_t *to_json(const struct silence *s)
{
	return json_pack("{s:i,s:I,s:s,s:s,s:s,s:s,s:I,s:I}", "v", 1, "id", (json_int_t)s->id, "target", s->target, "kind", s->kind, "reason",
			 s->reason, "actor", s->actor, "from", (json_int_t)s->from_ms, "until", (json_int_t)s->until_ms);
}

static void insert(struct silence *s)
{
	s->next = silences.all;
	silences.all = s;
	silences.count++;
	if (s->id > silences.last)
		silences.last = s->id;
}

static void take_out(struct silence *s)
{
	for (struct silence **p = &silences.all; *p; p = &(*p)->next)
		if (*p == s) {
			*p = s->next;
			silences.count--;
			return;
		}
}

void silences_restore(struct engine *e, const char *key, const char *json)
{
	json_t *o = json_loads(json, 0, NULL);
	const char *target, *kind, *reason, *actor;
	json_int_t id, from, until;

	if (o && silences.count < SILENCES_MAX &&
	    !json_unpack(o, "{s:I,s:s,s:s,s:s,s:s,s:I,s:I}", "id", &id, "target", &target, "kind", &kind, "reason", &reason, "actor", &actor, "from",
			 &from, "until", &until)) {
		struct silence *s = mem_zalloc(sizeof *s);
		*s = (struct silence){.id = (uint64_t)id, .from_ms = from, .until_ms = until};
		text_copy(s->target, sizeof s->target, target);
		text_copy(s->kind, sizeof s->kind, kind);
		text_copy(s->reason, sizeof s->reason, reason);
		text_copy(s->actor, sizeof s->actor, actor);
		insert(s);
	} else {
		log_error("store: %s is not readable: it is left out", key);
	}
	json_decref(o);
	(void)e;
}

/* --- one begins, one ends -------------------------------------------------------------------------------- */
struct change {
	struct engine *e;
	struct silence *silence;
	edit_done *done;
	void *arg;
};

static bool refused(struct change *c, const struct store_reply *r)
{
	struct error err;

	if (r->status == STORE_OK)
		return false;
	error_set(&err, ERR_NO_RESOURCE, "store", "mend the disk first", "the silence was not committed: %s", store_trouble(c->e->store));
	c->done(c->arg, &err, NULL);
	return true;
}

static void on_added(void *arg, const struct store_reply *r)
{
	struct change *c = arg;

	if (refused(c, r)) {
		free(c->silence);
	} else {
		insert(c->silence);
		withheld_begin(c->e);
		publish_covered(c->e, c->silence);
		c->done(c->arg, NULL, NULL);
	}
	free(c);
}

static void end(struct engine *e, struct silence *s)
{
	take_out(s);
	publish_covered(e, s);
	free(s->covers);
	free(s);
	withheld_review(e, NO_SLOT);
}

static struct silence *by_id(uint64_t id)
{
	struct silence *s = silences.all;

	while (s && s->id != id)
		s = s->next;
	return s;
}

static void on_removed(void *arg, const struct store_reply *r)
{
	struct change *c = arg;

	if (!refused(c, r)) {
		struct silence *s = by_id((uint64_t)(uintptr_t)c->silence); /* its time may have come meanwhile */
		if (s)
			end(c->e, s);
		c->done(c->arg, NULL, NULL);
	}
	free(c);
}

static int read_end(json_t *arguments, int64_t now, int64_t *until, struct error *err)
{
	const char *lasts = json_string_value(json_object_get(arguments, "for")), *at = json_string_value(json_object_get(arguments, "until"));
	int64_t seconds;

	if (lasts && !at && text_seconds(lasts, 1, LONGEST_S, &seconds))
		*until = now + seconds * 1000;
	else if (lasts || !at || !clock_parse(at, until))
		return error_set(err, ERR_CONFIG, "silence", "write --for 2h or --until 2026-01-31T12:00:00Z", "it needs an end");
	if (*until <= now || *until - now > LONGEST_S * 1000ll)
		return error_set(err, ERR_CONFIG, "silence", "let it end within a year", "its end is past, or too far away");
	return 0;
}

static int check_target(struct engine *e, const char *target, struct error *err)
{
	const char *name = target[0] == '@' ? target + 1 : target;
	struct model_selection nodes = {0};

	for (uint32_t d = 0; d < e->model.domain_top; d++)
		if (e->model.domains[d].used && !strcmp(e->model.domains[d].name, name))
			return 0;
	if (model_group(&e->model, name) || !strcmp(name, e->settings.appliance) || !strcmp(target, "@site"))
		return 0;
	int rc = model_select(&e->model, target, NULL, NULL, &nodes, err);
	free(nodes.slots);
	return rc;
}

int silences_add(struct engine *e, const char *actor, const char *target, json_t *arguments, edit_done *done, void *arg, struct error *err)
{
	const char *kind = json_string_value(json_object_get(arguments, "kind"));
	const char *reason = json_string_value(json_object_get(arguments, "reason"));
	struct silence *s = mem_zalloc(sizeof *s);
	char key[64];
	int rc = silences.count < SILENCES_MAX ? 0
					       : error_set(err, ERR_NO_RESOURCE, "silence", "remove some", "there are %d already", SILENCES_MAX);

	s->from_ms = clock_wall_ms();
	if (!rc && (!text_copy(s->target, sizeof s->target, target) || !target[0]))
		rc = error_set(err, ERR_CONFIG, "silence", "name nodes, @GROUP or @site, in at most 255 bytes", "the target does not fit");
	if (!rc && kind && (!text_copy(s->kind, sizeof s->kind, kind) || strspn(kind, "abcdefghijklmnopqrstuvwxyz0123456789_:-") != strlen(kind)))
		rc = error_set(err, ERR_CONFIG, "silence", "see the kinds in: gloryctl alarm list", "the kind is none");
	if (!rc)
		rc = check_target(e, target, err);
	if (!rc)
		rc = read_end(arguments, s->from_ms, &s->until_ms, err);
	if (rc) {
		free(s);
		return rc;
	}
	s->id = ++silences.last;
	text_copy(s->reason, sizeof s->reason, reason ? reason : "");
	text_make_printable(s->reason);
	text_copy(s->actor, sizeof s->actor, actor);
	struct change *c = mem_zalloc(sizeof *c);
	*c = (struct change){e, s, done, arg};
	json_t *o = to_json(s);
	char *text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	make_key(key, sizeof key, s->id);
	store_put(e->store, key, text, on_added, c);
	free(text);
	return 0;
}

int silences_remove(struct engine *e, const char *id, edit_done *done, void *arg, struct error *err)
{
	int64_t number;
	char key[64];

	if (!text_integer(id, 1, INT64_MAX, &number) || !by_id((uint64_t)number))
		return error_set(err, ERR_NOT_FOUND, id, "see: gloryctl silence list", "there is no such silence");
	struct change *c = mem_zalloc(sizeof *c);
	*c = (struct change){e, (struct silence *)(uintptr_t)number, done, arg};
	make_key(key, sizeof key, (uint64_t)number);
	store_delete(e->store, key, on_removed, c);
	return 0;
}

/* --- time ------------------------------------------------------------------------------------------------ */
static void end_past(struct engine *e, int64_t now)
{
	struct silence *next;
	char key[64];

	for (struct silence *s = silences.all; s; s = next) {
		next = s->next;
		if (s->until_ms > now)
			continue;
		make_key(key, sizeof key, s->id);
		store_delete(e->store, key, NULL, NULL);
		audit(e, "policy:silence", "silence-end", s->target, "done");
		end(e, s);
	}
}

static int make_maintenance_end(void *arg, struct cluster *next, struct error *err)
{
	const struct config_node *nodes = next->objects[CONFIG_NODE];
	int64_t now = clock_wall_ms();

	(void)arg;
	(void)err;
	for (size_t i = 0; i < next->count[CONFIG_NODE]; i++)
		if (nodes[i].maintenance_until_ms && nodes[i].maintenance_until_ms <= now) {
			struct config_node n = nodes[i];
			n.maintenance = 0;
			n.maintenance_until_ms = 0;
			cluster_set(next, CONFIG_NODE, &n);
		}
	return 0;
}

static void on_maintenance_ended(void *arg, const struct error *err, const struct config_diff *diff)
{
	struct engine *e = arg;

	silences.ending = false;
	for (size_t i = 0; diff && i < diff->count; i++)
		audit(e, "policy:maintenance", "maintenance-end", diff->changes[i].name, "done");
	if (err)
		log_warning("maintenance: its end is not committed yet: %s", err->text);
}

/* When the next maintenance ends, as the wanted state in force says; INT64_MAX: none does. */
static int64_t maintenance_end_ms(struct engine *e)
{
	if (silences.looked && silences.looked_generation == e->model.config_generation)
		return silences.end_ms;
	silences.looked = true;
	silences.looked_generation = e->model.config_generation;
	silences.end_ms = INT64_MAX;
	for (uint32_t s = 0; s < e->model.node_top; s++) {
		const struct config_node *n = &e->model.nodes[s].config;
		if (e->nodes[s] && e->model.nodes[s].generation && n->maintenance_until_ms && n->maintenance_until_ms < silences.end_ms)
			silences.end_ms = n->maintenance_until_ms;
	}
	return silences.end_ms;
}

static void end_maintenance(struct engine *e, int64_t now)
{
	if (maintenance_end_ms(e) > now || silences.ending || !store_takes_commands(e->store))
		return;
	silences.ending = true;
	edits_change(e, make_maintenance_end, false, on_maintenance_ended, e);
}

static void on_look(void *arg)
{
	struct engine *e = arg;
	int64_t now = clock_wall_ms();

	end_past(e, now);
	end_maintenance(e, now);
	withheld_tick(e);
}

void silences_loaded(struct engine *e)
{
	silences.timer = loop_timer_new(e->loop, on_look, e);
	loop_timer_every(silences.timer, LOOK_MS);
}

/* --- the faces ------------------------------------------------------------------------------------------- */
void silences_query(struct engine *e, enum role face, const struct msg_query *q)
{
	json_t *page = json_array();
	char time[32];

	for (uint64_t id = 1; id <= silences.last; id++) { /* in the order they were made */
		struct silence *s = by_id(id);
		if (!s)
			continue;
		json_t *o = to_json(s);
		json_object_set_new(o, "from", json_string(clock_text(s->from_ms, time, sizeof time)));
		json_object_set_new(o, "until", json_string(clock_text(s->until_ms, time, sizeof time)));
		json_array_append_new(page, o);
		if (json_array_size(page) < PAGE)
			continue;
		reply_json(e, face, e->roles[face].life, q->request, 0, page, true);
		page = json_array();
	}
	reply_json(e, face, e->roles[face].life, q->request, 0, page, false);
}
