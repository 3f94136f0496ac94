/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A graph: the node's files are brought up to date, the grapher is started, its pipe goes to the face that asked. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/values.h"
#include "rrd/graph.h"

#define FLUSH_MS 3000
#define DRAW_MS 20000
#define PENDING_MAX 64

struct pending_graph {
	struct pending_graph *next;
	struct engine *e;
	uint64_t request, flush;
	uint32_t life;
	struct graph_request picture;
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

static int make_picture(struct engine *e, const struct msg_graph *g, struct graph_request *p, uint32_t *slot, struct error *err)
{
	struct model_node *n = text_terminated(g->node, sizeof g->node) ? model_node(&e->model, g->node) : NULL;
	int rc = 0;

	memset(p, 0, sizeof *p);
	if (!n || !e->nodes[n->slot])
		return error_set(err, ERR_NOT_FOUND, "node", "see: gloryctl node list", "there is no such node");
	*slot = n->slot;
	series_look(e, n);
	p->magic = GRAPH_MAGIC;
	p->format = g->format == GRAPH_SVG ? GRAPH_SVG : GRAPH_PNG;
	p->to_s = g->to_wall_ms ? g->to_wall_ms / 1000 : clock_wall_ms() / 1000;
	p->from_s = g->from_wall_ms ? g->from_wall_ms / 1000 : p->to_s - 3600;
	p->width = g->width;
	p->height = g->height;
	if (p->from_s >= p->to_s)
		return error_set(err, ERR_CONFIG, "graph", "give a beginning before the end", "the time range is empty");
	for (unsigned i = 0; i < GRAPH_LINES && rc == 0; i++)
		if (text_terminated(g->items[i], sizeof g->items[i]) && g->items[i][0])
			rc = make_line(e, n, g->items[i], &p->lines[p->line_count++], err);
	if (rc == 0 && p->line_count == 0)
		rc = error_set(err, ERR_CONFIG, "graph", "name one: gloryctl graph NODE cpu", "no item is named");
	text_format(p->title, sizeof p->title, "%.60s (%.30s)", n->config.head.name, n->config.group);
	return rc;
}

static void finish(struct pending_graph *g)
{
	struct pending_graph **at = &g->e->graphs->all;

	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
	g->e->graphs->count--;
	loop_timer_free(g->deadline);
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
	if (fd < 0 || write(fd, &g->picture, sizeof g->picture) != (ssize_t)sizeof g->picture) {
		if (fd >= 0)
			close(fd);
		on_pipe(g, ERR_NO_RESOURCE, -1);
		return;
	}
	helpers_run_pipe(g->e, HELPER_GRAPHER, fd, DRAW_MS, on_pipe, g);
}

static void on_flush_late(void *arg)
{
	draw(arg); /* the recorder is busy: the picture lacks the newest minutes, which is better than none */
}

void graphs_take(struct engine *e, const struct msg_graph *m)
{
	struct graph_request picture;
	struct msg_flush flush = {0};
	struct error err;

	if (!e->graphs)
		e->graphs = mem_zalloc(sizeof *e->graphs);
	if (!e->loaded || e->graphs->count >= PENDING_MAX)
		error_set(&err, ERR_BUSY, "graph", "try again in a moment", "too many pictures are being drawn");
	else
		err.kind = make_picture(e, m, &picture, &flush.slot, &err);
	if (err.kind) {
		reply_error(e, ROLE_API, e->roles[ROLE_API].life, m->request, &err);
		return;
	}
	struct pending_graph *g = mem_zalloc(sizeof *g);
	*g = (struct pending_graph){.next = e->graphs->all, .e = e, .request = m->request, .life = e->roles[ROLE_API].life, .picture = picture,
				    .flush = ++e->graphs->last};
	e->graphs->all = g;
	e->graphs->count++;
	g->deadline = loop_timer_new(e->loop, on_flush_late, g);
	flush.request = g->flush;
	samples_flush(e, flush.slot);
	engine_send(e, ROLE_RECORDER, MSG_FLUSH, &flush, sizeof flush);
	loop_timer_set(g->deadline, FLUSH_MS);
}

void graphs_flushed(struct engine *e, const struct msg_flush *f)
{
	struct pending_graph *g = e->graphs ? e->graphs->all : NULL;

	while (g && (g->flush != f->request || !g->flush))
		g = g->next;
	if (g)
		draw(g);
}
