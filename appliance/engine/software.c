/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Software of nodes; see software.h. */
#include "engine/software.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/services_own.h"

#define PREFIX "/software/"
#define DIGEST_SHOWN 16 /* so much of a bundle's digest is its version; the script's, too */
#define ROWS_PER_PAGE 60

struct cell {
	char key[2 * NAME_SIZE]; /* "n001/nginx" */
	uint8_t state;
	char version[NAME_SIZE], text[128];
	int64_t at_wall_ms;
	UT_hash_handle hh;
};

struct software {
	struct cell *all;
};

static const char *const states[SOFTWARE_STATE_COUNT] = {"?", "installed", "failed", "uncertain"};

static uint8_t state_value(const char *word)
{
	for (uint8_t i = 1; i < SOFTWARE_STATE_COUNT; i++)
		if (!strcmp(states[i], word))
			return i;
	return 0;
}

void software_start(struct engine *e)
{
	e->software = mem_zalloc(sizeof *e->software);
}

static struct cell *find(struct engine *e, const char *node, const char *software)
{
	char key[2 * NAME_SIZE];
	struct cell *c;

	text_format(key, sizeof key, "%s/%s", node, software);
	HASH_FIND_STR(e->software->all, key, c);
	return c;
}

static struct cell *make(struct engine *e, const char *key)
{
	struct cell *c;

	HASH_FIND_STR(e->software->all, key, c);
	if (c)
		return c;
	c = mem_zalloc(sizeof *c);
	text_copy(c->key, sizeof c->key, key);
	HASH_ADD_STR(e->software->all, key, c);
	return c;
}

static void save(struct engine *e, const struct cell *c)
{
	char key[2 * NAME_SIZE + sizeof PREFIX];
	json_t *o = json_pack("{s:i,s:s,s:s,s:s,s:I}", "v", 1, "state", states[c->state], "version", c->version, "text", c->text, "at",
			      (json_int_t)c->at_wall_ms);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	json_decref(o);
	text_format(key, sizeof key, PREFIX "%s", c->key);
	if (text)
		store_put(e->store, key, text, NULL, NULL);
	free(text);
}

static void drop(struct engine *e, struct cell *c)
{
	char key[2 * NAME_SIZE + sizeof PREFIX];

	text_format(key, sizeof key, PREFIX "%s", c->key);
	store_delete(e->store, key, NULL, NULL);
	HASH_DEL(e->software->all, c);
	free(c);
}

void software_restore(struct engine *e, const char *key, const char *json)
{
	json_t *o = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	const char *state, *version, *text, *name = key + strlen(PREFIX), *slash = strchr(name, '/');
	char node[NAME_SIZE];
	json_int_t at;

	bool sound = o && slash && strlen(name) < 2 * NAME_SIZE && text_format(node, sizeof node, "%.*s", (int)(slash - name), name) &&
		     !json_unpack(o, "{s:s,s:s,s:s,s:I}", "state", &state, "version", &version, "text", &text, "at", &at) && state_value(state);
	if (sound && model_node(&e->model, node)) {
		struct cell *c = make(e, name);
		c->state = state_value(state);
		c->at_wall_ms = at;
		text_copy(c->version, sizeof c->version, version);
		text_copy(c->text, sizeof c->text, text);
	} else {
		store_delete(e->store, key, NULL, NULL); /* of a node that is no more */
	}
	json_decref(o);
}

/* "nginx-light 1.22.1-9: installed" > "1.22.1-9"; a bundle's version is known beforehand. */
static void version_of(struct engine *e, const char *software, const char *text, char *out, size_t size)
{
	const struct config_software *s = cluster_find(&e->model.wanted, CONFIG_SOFTWARE, software);
	const char *blank = strchr(text, ' '), *end = strstr(text, ": ");

	out[0] = '\0';
	if (s && s->kind == SOFTWARE_BUNDLE)
		text_format(out, size, "%.*s", DIGEST_SHOWN, s->digest);
	else if (blank && end && end > blank)
		text_format(out, size, "%.*s", (int)(end - blank - 1), blank + 1);
	text_make_printable(out);
}

void software_ended(struct engine *e, const char *node, const char *software, enum job_verb action, enum run_ended end, const char *text)
{
	char key[2 * NAME_SIZE];

	text_format(key, sizeof key, "%s/%s", node, software);
	struct cell *c = make(e, key);
	if (action == JOB_VERB_SOFTWARE_REMOVE && end == ENDED_DONE) {
		drop(e, c);
		return;
	}
	c->state = end == ENDED_DONE ? SOFTWARE_INSTALLED : end == ENDED_CUT || end == ENDED_LATE ? SOFTWARE_UNCERTAIN : SOFTWARE_FAILED;
	c->at_wall_ms = clock_wall_ms();
	text_copy(c->text, sizeof c->text, text);
	text_make_printable(c->text);
	if (end == ENDED_DONE)
		version_of(e, software, text, c->version, sizeof c->version);
	save(e, c);
}

void software_forget_node(struct engine *e, const char *node)
{
	struct cell *c, *next;
	size_t length = strlen(node);

	HASH_ITER(hh, e->software->all, c, next)
	if (!strncmp(c->key, node, length) && c->key[length] == '/')
		drop(e, c);
}

bool software_is_there(struct engine *e, const char *node, const struct config_software *wanted)
{
	const struct cell *c = find(e, node, wanted->head.name);

	if (!c || c->state != SOFTWARE_INSTALLED)
		return false;
	if (wanted->kind == SOFTWARE_BUNDLE)
		return !strncmp(c->version, wanted->digest, DIGEST_SHOWN);
	return !wanted->version[0] || !strcmp(c->version, wanted->version);
}

bool software_line(const struct config_software *s, enum job_verb action, char line[CONTROL_LINE])
{
	const struct {
		const char *key, *value;
	} words[] = {{"name", s->head.name}, {"kind", s->kind == SOFTWARE_BUNDLE ? "bundle" : "package"}, {"package", s->kind == SOFTWARE_BUNDLE ? "" : s->package},
		     {"version", s->version}, {"source", s->source}, {"digest", s->digest}, {"target", s->target}};
	bool good = control_line_begin(line, job_verb_name((int)action));

	for (size_t i = 0; i < COUNT_OF(words) && good; i++)
		good = !words[i].value[0] || control_line_add(line, words[i].key, words[i].value);
	return good;
}

/* --- which nodes are meant -------------------------------------------------------------------------------------- */
static int by_slot(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Nodes that carry members of a service now. */
static int service_nodes(struct engine *e, const char *target, const char *name, struct model_selection *out, struct error *err)
{
	const struct service *s = service_find(e, name);

	if (!s)
		return error_set(err, ERR_NOT_FOUND, target, "see: gloryctl service list", "there is no such service");
	out->slots = mem_array(s->count + 1, sizeof *out->slots);
	for (size_t i = 0; i < s->count; i++)
		if (s->members[i]->slot != NO_SLOT)
			out->slots[out->count++] = s->members[i]->slot;
	if (out->count == 0)
		return error_set(err, ERR_NOT_FOUND, target, "see: gloryctl service show", "no node carries the service now");
	qsort(out->slots, out->count, sizeof *out->slots, by_slot);
	return 0;
}

int software_nodes(struct engine *e, const char *target, struct model_selection *out, struct error *err)
{
	static const char pool[] = "@pool/", service[] = "@service/";
	const struct config_pool *c = NULL;

	if (!strncmp(target, service, sizeof service - 1))
		return service_nodes(e, target, target + sizeof service - 1, out, err);
	if (!strncmp(target, pool, sizeof pool - 1)) {
		c = cluster_find(&e->model.wanted, CONFIG_POOL, target + sizeof pool - 1);
		if (!c)
			return error_set(err, ERR_NOT_FOUND, target, "see: gloryctl pool list", "there is no such pool");
	}
	return model_select(&e->model, c ? c->nodes : target, judgement_is_down, e, out, err);
}

/* --- to the faces --------------------------------------------------------------------------------------------- */
static json_t *row(const struct cell *c)
{
	const char *slash = strchr(c->key, '/');

	return json_pack("{s:s%,s:s,s:s,s:s,s:s,s:I}", "node", c->key, (size_t)(slash - c->key), "software", slash + 1, "state", states[c->state],
			 "version", c->version, "text", c->text, "at", (json_int_t)c->at_wall_ms);
}

void software_query(struct engine *e, enum role face, const struct msg_query *q)
{
	uint32_t life = e->roles[face].life;
	struct model_selection nodes = {0};
	json_t *page = json_array();
	struct cell *c, *next;
	struct error err;

	if (software_nodes(e, q->target[0] ? q->target : "@site", &nodes, &err)) {
		json_decref(page);
		reply_error(e, face, life, q->request, &err);
		return;
	}
	uint8_t *wanted = mem_array(NODE_MAX, 1);
	for (size_t i = 0; i < nodes.count; i++)
		wanted[nodes.slots[i]] = 1;
	free(nodes.slots);
	HASH_ITER(hh, e->software->all, c, next)
	{
		char node[NAME_SIZE];
		text_format(node, sizeof node, "%.*s", (int)strcspn(c->key, "/"), c->key);
		const struct model_node *n = model_node(&e->model, node);
		if (!n || !wanted[n->slot])
			continue;
		if (json_array_size(page) == ROWS_PER_PAGE) {
			reply_json(e, face, life, q->request, 0, page, true);
			page = json_array();
		}
		json_array_append_new(page, row(c));
	}
	free(wanted);
	reply_json(e, face, life, q->request, 0, page, false);
}
