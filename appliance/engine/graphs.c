/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A graph: the files of its nodes are brought up to date, the grapher is started, its pipe goes to the face that asked. Few nodes are a line
 * each, with the newest values from memory; many are folded into one. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/services_series.h"
#include "engine/values.h"
#include "rrd/graph.h"

#define FLUSH_MS 3000
#define DRAW_MS 20000
#define DRAW_MANY_MS 55000
#define PENDING_MAX 64
#define MANY 500        /* files */
#define FLUSHED_MAX 256 /* nodes */
#define POINTS_SPAN_S 7200

struct pending_graph {
	struct pending_graph *next;
	struct engine *e;
	uint64_t request, flush;
	uint32_t life;
	size_t unflushed; /* nodes whose files are not up to date yet */
	struct graph_request picture;
	struct graph_source *sources; /* picture.source_count of them, picture.point_count points */
	struct graph_point *points;
	struct loop_timer *deadline;
};

struct graphs {
	struct pending_graph *all;
	uint64_t last;
	unsigned count;
};

static void add_rules(struct engine *e, const struct model_node *n, const struct item_definition *item, struct graph_line *line)
{
	const struct level_rules *rules = samples_rules(e, item, n->config.head.name, n->config.group);

	for (unsigned i = 0; i < rules->count && i < GRAPH_THRESHOLDS; i++)
		line->thresholds[line->threshold_count++] = (struct graph_threshold){
			.value = rules->rule[i].value, .level = rules->rule[i].level, .below = !rules->rule[i].above};
}

static int make_line(struct engine *e, const struct model_node *n, const char *what, struct graph_line *line, struct error *err)
{
	struct series_ref ref;
	int rc = series_find(e, n, what, &ref, err);

	if (rc)
		return rc;
	memset(line, 0, sizeof *line);
	text_copy(line->site, sizeof line->site, e->model.wanted.site);
	text_copy(line->group, sizeof line->group, n->config.group);
	text_copy(line->node, sizeof line->node, n->config.head.name);
	text_copy(line->source, sizeof line->source, ref.source);
	text_copy(line->file, sizeof line->file, ref.file);
	text_copy(line->name, sizeof line->name, ref.name);
	text_copy(line->unit, sizeof line->unit, ref.unit);
	text_copy(line->label, sizeof line->label, ref.label);
	if (ref.item)
		add_rules(e, n, ref.item, line);
	return 0;
}

/* --- what is drawn ------------------------------------------------------------------------------------- */
/* The newest values of a line that stands for one node or service; a longer picture has no room for them. */
static void add_points(const struct recent *recent, unsigned column, struct pending_graph *g, struct graph_line *line)
{
	int64_t span_s = g->picture.to_s - g->picture.from_s;
	unsigned count = recent_count(recent);

	if (span_s > POINTS_SPAN_S || clock_wall_ms() / 1000 - g->picture.to_s > RECENT_LOOKED_S)
		return;
	if (g->picture.point_count + count > GRAPH_POINTS)
		return;
	g->points = mem_grow(g->points, g->picture.point_count + count + 1, sizeof *g->points);
	line->point_first = g->picture.point_count;
	line->point_count = count;
	for (unsigned i = 0; i < count; i++) {
		struct graph_point *p = &g->points[g->picture.point_count++];
		p->time_ms = recent_at(recent, i, column, &p->value);
	}
}

/* Percentages, temperatures, loads of many nodes make a mean, what flows makes a sum. */
static enum graph_fold one_of_many(const struct graph_line *line)
{
	static const char *const sums[] = {"B", "B/s", "1/s", "W"};

	for (size_t i = 0; i < COUNT_OF(sums); i++)
		if (!strcmp(line->unit, sums[i]))
			return GRAPH_SUM;
	return GRAPH_MEAN;
}

static const char *fold_name(enum graph_fold fold)
{
	return fold == GRAPH_SUM ? "sum" : fold == GRAPH_MEAN ? "mean" : "median";
}

/* One line for all nodes that have the item; the first of them says what it is. */
static int folded_line(struct engine *e, const struct model_selection *nodes, const char *what, enum graph_fold fold, struct pending_graph *g,
		       struct error *err)
{
	struct graph_line *line = &g->picture.lines[g->picture.line_count], one;
	uint32_t first = g->picture.source_count;
	int rc = ERR_NOT_FOUND;

	g->sources = mem_grow(g->sources, first + nodes->count, sizeof *g->sources);
	for (size_t i = 0; i < nodes->count; i++) {
		const struct model_node *n = &e->model.nodes[nodes->slots[i]];
		if (!e->nodes[n->slot] || make_line(e, n, what, &one, err))
			continue;
		if (rc)
			*line = one;
		rc = 0;
		struct graph_source *s = &g->sources[g->picture.source_count++];
		memset(s, 0, sizeof *s);
		text_copy(s->group, sizeof s->group, one.group);
		text_copy(s->node, sizeof s->node, one.node);
		text_copy(s->file, sizeof s->file, one.file);
	}
	if (rc)
		return rc; /* *err says what the last one lacks */
	line->fold = fold ? fold : one_of_many(line);
	line->source_first = first;
	line->source_count = g->picture.source_count - first;
	text_format(line->label, sizeof line->label, "%.20s %s of %u", what, fold_name((enum graph_fold)line->fold), line->source_count);
	g->picture.line_count++;
	return 0;
}

static int node_lines(struct engine *e, const struct model_selection *nodes, const char *what, struct pending_graph *g, struct error *err)
{
	uint32_t before = g->picture.line_count;
	struct series_ref ref;
	struct error ignored;
	char label[GRAPH_TEXT];
	int rc = 0;

	for (size_t i = 0; i < nodes->count; i++) {
		const struct model_node *n = &e->model.nodes[nodes->slots[i]];
		struct graph_line *line = &g->picture.lines[g->picture.line_count];
		if (!e->nodes[n->slot] || (rc = make_line(e, n, what, line, err)))
			continue;
		if (!series_find(e, n, what, &ref, &ignored))
			add_points(ref.recent, ref.column, g, line);
		text_copy(label, sizeof label, line->label);
		if (nodes->count > 1)
			text_format(line->label, sizeof line->label, "%.30s %.30s", n->config.head.name, label);
		g->picture.line_count++;
	}
	return g->picture.line_count == before ? rc ? rc : ERR_NOT_FOUND : 0;
}

/* What is to be made of so many nodes and items: GRAPH_ONE for a line of each node. */
static int choose_fold(const struct msg_graph *m, size_t nodes, size_t items, bool as_one, enum graph_fold *fold, struct error *err)
{
	static const enum graph_fold folds[GRAPH_FOLD_COUNT] = {[GRAPH_FOLD_LINES] = GRAPH_ONE, [GRAPH_FOLD_MEDIAN] = GRAPH_MEDIAN,
								[GRAPH_FOLD_MEAN] = GRAPH_MEAN, [GRAPH_FOLD_SUM] = GRAPH_SUM};
	bool lines = m->fold == GRAPH_FOLD_LINES || (m->fold == GRAPH_FOLD_AUTO && !as_one && (nodes == 1 || nodes * items <= GRAPH_LINES));

	*fold = lines ? GRAPH_ONE : m->fold ? folds[m->fold] : GRAPH_MEDIAN;
	if (lines && nodes * items > GRAPH_LINES)
		return error_set(err, ERR_CONFIG, "graph", "name fewer, or let them be folded: --fold median, mean, sum",
				 "%zu lines do not fit, only %d", nodes * items, GRAPH_LINES);
	if (*fold == GRAPH_MEDIAN && !(as_one && !m->fold) && items > GRAPH_MEDIANS)
		return error_set(err, ERR_CONFIG, "graph", "name fewer items, or fewer nodes", "of so many nodes at most %d items fit", GRAPH_MEDIANS);
	return 0;
}

static size_t count_items(const struct msg_graph *m)
{
	size_t items = 0;

	while (items < COUNT_OF(m->items) && text_terminated(m->items[items], sizeof m->items[items]) && m->items[items][0])
		items++;
	return items;
}

static int add_lines(struct engine *e, const struct msg_graph *m, const struct model_selection *nodes, bool as_one, struct pending_graph *g,
		     struct error *err)
{
	enum graph_fold fold;
	size_t items = count_items(m);
	int rc;

	if (items == 0)
		return error_set(err, ERR_CONFIG, "graph", "name one: gloryctl graph NODE cpu", "no item is named");
	rc = choose_fold(m, nodes->count, items, as_one, &fold, err);
	for (size_t i = 0; i < items && !rc; i++) {
		if (g->picture.source_count + nodes->count > GRAPH_SOURCES)
			return error_set(err, ERR_CONFIG, "graph", "name fewer nodes or items", "it would read more than %d files", GRAPH_SOURCES);
		if (fold == GRAPH_ONE)
			rc = node_lines(e, nodes, m->items[i], g, err);
		else /* as one: percentages as their mean, flows as their sum */
			rc = folded_line(e, nodes, m->items[i], as_one && m->fold == GRAPH_FOLD_AUTO ? GRAPH_ONE : fold, g, err);
	}
	return rc;
}

static void set_title(struct engine *e, const char *range, const struct model_selection *nodes, struct graph_request *p)
{
	const struct config_node *c = &e->model.nodes[nodes->slots[0]].config;

	if (nodes->count == 1)
		text_format(p->title, sizeof p->title, "%.60s (%.30s)", c->head.name, c->group);
	else
		text_format(p->title, sizeof p->title, "%.60s (%zu nodes)", strcmp(range, "site") ? range : e->model.wanted.site, nodes->count);
}

static int begin_picture(const struct msg_graph *m, struct graph_request *p, struct error *err)
{
	if (!text_terminated(m->range, sizeof m->range) || m->fold >= GRAPH_FOLD_COUNT)
		return error_set(err, ERR_BUG, "graph", "report this", "the request cannot be read");
	p->magic = GRAPH_MAGIC;
	p->format = m->format == GRAPH_SVG ? GRAPH_SVG : GRAPH_PNG;
	p->to_s = m->to_wall_ms ? m->to_wall_ms / 1000 : clock_wall_ms() / 1000;
	p->from_s = m->from_wall_ms ? m->from_wall_ms / 1000 : p->to_s - 3600;
	p->width = m->width;
	p->height = m->height;
	if (p->from_s >= p->to_s)
		return error_set(err, ERR_CONFIG, "graph", "give a beginning before the end", "the time range is empty");
	return 0;
}

/* --- a service: "service/NAME" ----------------------------------------------------------------------------- */
static const char service_prefix[] = "service/";

static int service_line(struct engine *e, const char *service, const char *item, struct pending_graph *g, struct error *err)
{
	struct graph_line *line = &g->picture.lines[g->picture.line_count];
	const struct recent *recent;
	const char *unit, *label;
	unsigned column;
	int rc = services_series_find(item, &unit, &label, err);

	if (rc)
		return rc;
	text_copy(line->site, sizeof line->site, e->model.wanted.site);
	text_copy(line->group, sizeof line->group, "_service");
	text_copy(line->node, sizeof line->node, service);
	text_copy(line->source, sizeof line->source, "service");
	text_copy(line->file, sizeof line->file, "base");
	text_copy(line->name, sizeof line->name, item);
	text_copy(line->unit, sizeof line->unit, unit);
	text_copy(line->label, sizeof line->label, label);
	recent = services_series_recent(e, service, item, &column);
	if (recent)
		add_points(recent, column, g, line);
	g->picture.line_count++;
	return 0;
}

static int make_service_picture(struct engine *e, const struct msg_graph *m, struct pending_graph *g, struct error *err)
{
	const char *service = m->range + sizeof service_prefix - 1;
	size_t items = count_items(m);
	int rc = 0;

	if (!cluster_find(&e->model.wanted, CONFIG_SERVICE, service))
		return error_set(err, ERR_NOT_FOUND, service, "see: gloryctl service list", "there is no such service");
	if (items == 0)
		return error_set(err, ERR_CONFIG, "graph", "name one: gloryctl graph service/NAME wanted ready", "no item is named");
	if (m->fold > GRAPH_FOLD_LINES)
		return error_set(err, ERR_CONFIG, "graph", "leave --fold out", "the history of a service is not folded");
	text_format(g->picture.title, sizeof g->picture.title, "service %.60s", service);
	for (size_t i = 0; i < items && !rc; i++)
		rc = service_line(e, service, m->items[i], g, err);
	return rc;
}

static void flush_service(struct engine *e, struct pending_graph *g, const char *service)
{
	struct msg_flush flush = {.request = g->flush};

	if (services_series_flush(e, service, &flush.slot)) {
		engine_send(e, ROLE_RECORDER, MSG_FLUSH, &flush, sizeof flush);
		g->unflushed++;
	}
	loop_timer_set(g->deadline, g->unflushed ? FLUSH_MS : 0);
}

static int make_picture(struct engine *e, const struct msg_graph *m, struct pending_graph *g, struct model_selection *nodes, struct error *err)
{
	bool as_one = !strcmp(m->range, "site") && !model_node(&e->model, "site");
	int rc = model_select(&e->model, as_one ? "@site" : m->range, judgement_is_down, e, nodes, err);
	if (rc)
		return rc;
	if (nodes->count == 0)
		return error_set(err, ERR_NOT_FOUND, "nodes", "see: gloryctl node list", "there are none in this range");
	set_title(e, m->range, nodes, &g->picture);
	return add_lines(e, m, nodes, as_one, g, err);
}

/* --- drawing it ------------------------------------------------------------------------------------------ */
static void finish(struct pending_graph *g)
{
	struct pending_graph **at = &g->e->graphs->all;

	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
	g->e->graphs->count--;
	loop_timer_free(g->deadline);
	free(g->sources);
	free(g->points);
	free(g);
}

static void on_pipe(void *arg, int status, int fd)
{
	struct pending_graph *g = arg;
	struct error err;

	if (status) {
		error_set(&err, status, "graph", "see the appliance's log", "the grapher could not be started");
		reply_error(g->e, ROLE_API, g->life, g->request, &err);
	} else {
		reply_fd(g->e, ROLE_API, g->life, g->request, fd);
		close(fd);
	}
	finish(g);
}

static void draw(struct pending_graph *g)
{
	int fd = memfd_create("graph", MFD_CLOEXEC);

	loop_timer_stop(g->deadline);
	g->flush = 0;
	if (fd < 0 || !bytes_write(fd, &g->picture, sizeof g->picture) ||
	    !bytes_write(fd, g->sources, g->picture.source_count * sizeof *g->sources) ||
	    !bytes_write(fd, g->points, g->picture.point_count * sizeof *g->points)) {
		if (fd >= 0)
			close(fd);
		on_pipe(g, ERR_NO_RESOURCE, -1);
		return;
	}
	helpers_run_pipe(g->e, HELPER_GRAPHER, fd, g->picture.source_count > MANY ? DRAW_MANY_MS : DRAW_MS, on_pipe, g);
}

static void on_flush_late(void *arg)
{
	draw(arg); /* the recorder is busy: the picture lacks the newest minutes, which is better than none */
}

/* Who is in the picture is looked at, and its files are brought up to date; of very many the newest minutes may be missing. */
static void flush_all(struct engine *e, struct pending_graph *g, const struct model_selection *nodes)
{
	struct msg_flush flush = {.request = g->flush};

	for (size_t i = 0; i < nodes->count && nodes->count <= FLUSHED_MAX; i++) {
		flush.slot = nodes->slots[i];
		if (!e->nodes[flush.slot])
			continue;
		if (nodes->count <= GRAPH_LINES)
			series_look(e, &e->model.nodes[flush.slot]);
		samples_flush(e, flush.slot);
		engine_send(e, ROLE_RECORDER, MSG_FLUSH, &flush, sizeof flush);
		g->unflushed++;
	}
	loop_timer_set(g->deadline, g->unflushed ? FLUSH_MS : 0);
}

void graphs_take(struct engine *e, const struct msg_graph *m)
{
	struct pending_graph *g = mem_zalloc(sizeof *g);
	struct model_selection nodes = {NULL, 0};
	struct error err = {.kind = 0};

	if (!e->graphs)
		e->graphs = mem_zalloc(sizeof *e->graphs);
	*g = (struct pending_graph){.next = e->graphs->all, .e = e, .request = m->request, .life = e->roles[ROLE_API].life,
				    .flush = ++e->graphs->last};
	e->graphs->all = g;
	e->graphs->count++;
	g->deadline = loop_timer_new(e->loop, on_flush_late, g);
	if (!e->loaded || e->graphs->count > PENDING_MAX)
		error_set(&err, ERR_BUSY, "graph", "try again in a moment", "too many pictures are being drawn");
	else
		err.kind = begin_picture(m, &g->picture, &err);
	bool service = !err.kind && !strncmp(m->range, service_prefix, sizeof service_prefix - 1);
	if (!err.kind)
		err.kind = service ? make_service_picture(e, m, g, &err) : make_picture(e, m, g, &nodes, &err);
	if (err.kind) {
		reply_error(e, ROLE_API, g->life, m->request, &err);
		finish(g);
	} else if (service) {
		flush_service(e, g, m->range + sizeof service_prefix - 1);
	} else {
		flush_all(e, g, &nodes);
	}
	free(nodes.slots);
}

void graphs_flushed(struct engine *e, const struct msg_flush *f)
{
	struct pending_graph *g = e->graphs ? e->graphs->all : NULL;

	while (g && (g->flush != f->request || !g->flush))
		g = g->next;
	if (g && g->unflushed && --g->unflushed == 0)
		draw(g);
}
