/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures: the engine starts the grapher and passes the pipe it writes to; what comes through is collected, looked at,
 * and sent. */
#include "api/routes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

#define TIMEOUT_MS 60000 /* of a site with cold files */
#define PICTURE_MAX (8u << 20)

struct picture {
	struct request *request;
	struct loop_fd *watch;
	int fd;
	struct emit bytes;
	bool svg;
};

static void free_picture(void *arg)
{
	struct picture *p = arg;

	loop_fd_remove(p->watch);
	if (p->fd >= 0)
		close(p->fd);
	emit_free(&p->bytes);
	free(p);
}

static void hang_up(struct picture *p)
{
	loop_fd_remove(p->watch);
	close(p->fd);
	p->watch = NULL;
	p->fd = -1;
}

/* A picture begins as its format says; anything else is what the grapher had to complain about. */
static void finish(struct picture *p)
{
	static const char png[] = "\x89PNG\r\n\x1a\n";
	struct request *r = p->request;
	bool good = p->svg
			? p->bytes.used > 5 && (!memcmp(p->bytes.text, "<?xml", 5) || !memcmp(p->bytes.text, "<svg", 4))
			: p->bytes.used > 8 && !memcmp(p->bytes.text, png, 8);
	char why[160] = "";

	hang_up(p);
	if (good) {
		request_answer(r, 200, p->svg ? "image/svg+xml" : "image/png", &p->bytes);
		return;
	}
	if (p->bytes.used)
		text_format(why, sizeof why, "%.*s", (int)(p->bytes.used < 150 ? p->bytes.used : 150), p->bytes.text);
	why[strcspn(why, "\r\n")] = '\0';
	text_make_printable(why);
	request_fail(r, ERR_REMOTE, r->query.node[0] ? r->query.node : "graph", "see the items of the node, and the appliance's log",
		     why[0] ? why : "no picture came: there may be no history yet");
}

static void on_pipe(void *arg, int what)
{
	struct picture *p = arg;
	char bytes[32768];
	(void)what;

	for (;;) {
		ssize_t n = read(p->fd, bytes, sizeof bytes);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0 || p->bytes.used + (size_t)n > PICTURE_MAX)
			break;
		emit_bytes(&p->bytes, bytes, (size_t)n);
	}
	finish(p);
}

static void on_graph(struct request *r, const struct pending_reply *reply)
{
	struct picture *p = r->state;

	if (reply->fd < 0 || p->fd >= 0) {
		if (reply->fd >= 0)
			close(reply->fd);
		else
			request_fail(r, ERR_REMOTE, r->query.node[0] ? r->query.node : "graph", "see the appliance's log",
				     "the engine gave no picture");
		return;
	}
	p->fd = reply->fd;
	fcntl(p->fd, F_SETFL, fcntl(p->fd, F_GETFL) | O_NONBLOCK);
	p->watch = loop_fd_add(server_loop(r->server), p->fd, LOOP_READ, on_pipe, p);
	request_wait_more(r, TIMEOUT_MS);
}

/* "cpu,disk_fill/root" into the message; false: too many, too long, or no name. */
static bool split_items(const char *text, struct msg_graph *g)
{
	char list[sizeof((struct query *)0)->items], *save = NULL;
	size_t n = 0;

	text_copy(list, sizeof list, text);
	for (char *one = strtok_r(list, ",", &save); one; one = strtok_r(NULL, ",", &save), n++) {
		if (n == COUNT_OF(g->items) || !text_copy(g->items[n], sizeof g->items[n], one))
			return false;
	}
	return n > 0;
}

static bool find_fold(const char *word, uint32_t *fold)
{
	static const char *const words[GRAPH_FOLD_COUNT] = {[GRAPH_FOLD_AUTO] = "auto", [GRAPH_FOLD_LINES] = "lines", [GRAPH_FOLD_MEDIAN] = "median",
							    [GRAPH_FOLD_MEAN] = "mean", [GRAPH_FOLD_SUM] = "sum"};

	for (*fold = 0; *fold < GRAPH_FOLD_COUNT; ++*fold)
		if (!strcmp(words[*fold], word[0] ? word : words[0]))
			return true;
	return false;
}

void graph_run(struct request *r, const struct route *route)
{
	const struct query *q = &r->query;
	struct msg_graph g = {.from_wall_ms = q->from_ms,
			      .to_wall_ms = q->to_ms,
			      .width = (uint32_t)q->width,
			      .height = (uint32_t)q->height};
	const char *range = q->node[0] ? q->node : q->range;
	(void)route;

	g.format = !strcmp(q->format, "svg") ? 2 : 1;
	if (strcmp(q->format, "png") && strcmp(q->format, "svg")) {
		request_fail(r, ERR_CONFIG, "format", "use png or svg", "is no picture format");
	} else if (!range[0] || !text_copy(g.range, sizeof g.range, range)) {
		request_fail(r, ERR_CONFIG, "range", "name some nodes: n001, n[001-004], @g01, site", "is missing or too long");
	} else if (!find_fold(q->fold, &g.fold)) {
		request_fail(r, ERR_CONFIG, "fold", "use auto lines median mean sum", "has another value");
	} else if (!split_items(q->items, &g)) {
		request_fail(r, ERR_CONFIG, "items", "give one to eight: cpu,disk_fill/root",
			     "are missing, too many or too long");
	} else if (q->from_ms >= q->to_ms) {
		request_fail(r, ERR_CONFIG, "from", "give a time before the other", "is not before \"to\"");
	} else {
		struct picture *p = mem_zalloc(sizeof *p);
		*p = (struct picture){.request = r, .fd = -1, .svg = g.format == 2};
		r->state = p;
		r->free_state = free_picture;
		g.request = request_wait(r, TIMEOUT_MS, on_graph);
		channel_send(server_engine(r->server), MSG_GRAPH, &g, sizeof g);
	}
}
