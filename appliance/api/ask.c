/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What only the engine knows or does: events, audit, commands, apply, export. See routes.h and ask.h. */
#include "api/ask.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/routes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

#define TIMEOUT_MS 10000
#define APPLY_TIMEOUT_MS 60000
#define SEL_CLEAR_TIMEOUT_MS 70000 /* a BMC may take a minute to erase its log */
#define TOP_TIMEOUT_MS 82000
#define EVENTS_DEFAULT 1000
#define PAGES_MAX (16u << 20)
#define EXPORT_MAX (64u << 20)

/* --- pages ------------------------------------------------------------------------------------------- */

/* "at" is stored in ms and shown as RFC 3339 under "time"; 0 ids are null; version and slots are the store's own. */
static void polish(json_t *o)
{
	static const char *const ids[] = {"alarm", "job"};
	json_t *at = json_object_get(o, "at");
	char text[32];

	if (json_is_integer(at)) {
		int64_t ms = json_integer_value(at);
		json_object_set_new(o, "time", ms ? json_string(clock_text(ms, text, sizeof text)) : json_null());
		json_object_del(o, "at");
	}
	for (size_t i = 0; i < COUNT_OF(ids); i++)
		if (json_is_integer(json_object_get(o, ids[i])) && json_integer_value(json_object_get(o, ids[i])) == 0)
			json_object_set_new(o, ids[i], json_null());
	json_object_del(o, "v");
	json_object_del(o, "slot");
	json_object_del(o, "generation");
}

static bool wanted(const struct request *r, const json_t *o)
{
	const char *object = json_string_value(json_object_get(o, "object"));

	return !r->query.object[0] || (object && !strcmp(object, r->query.object));
}

bool ask_add_page(struct request *r, const struct pending_reply *reply)
{
	json_t *list = json_loadb(reply->text, reply->head->text_size, 0, NULL), *o;
	size_t i;

	if (!json_is_array(list) || r->page.used > PAGES_MAX) {
		json_decref(list);
		request_fail(r, ERR_BUG, "engine", "ask for less, and report this", "its answer cannot be used");
		return false;
	}
	json_array_foreach(list, i, o)
	{
		if (!json_is_object(o) || !wanted(r, o))
			continue;
		polish(o);
		char *text = json_dumps(o, JSON_COMPACT);
		if (r->page.comma)
			emit_bytes(&r->page, "\n", 1);
		if (text)
			emit_json(&r->page, text, strlen(text));
		free(text);
	}
	json_decref(list);
	return true;
}

static void on_page(struct request *r, const struct pending_reply *reply)
{
	struct emit out = {0};

	if (reply->fd >= 0)
		close(reply->fd);
	if (!ask_add_page(r, reply))
		return;
	if (reply->head->more) {
		request_wait_more(r, TIMEOUT_MS);
		return;
	}
	emit_open(&out, '[');
	emit_bytes(&out, r->page.text, r->page.used);
	emit_close(&out, ']');
	emit_bytes(&out, "\n", 1);
	request_answer(r, 200, "application/json", &out);
}

void series_run(struct request *r, const struct route *route)
{
	struct msg_query q = {.kind = QUERY_SERIES};
	bool service = route->table == BOARD_SERVICE;

	if (!text_is_name(r->tail, NAME_SIZE - 1) || !r->query.item[0]) {
		request_fail(r, ERR_CONFIG, "series", service ? "ask for /v1/services/SERVICE/series?item=ready" : "ask for /v1/nodes/NODE/series?item=cpu",
			     service ? "service or item is missing or no name" : "node or item is missing or no name");
		return;
	}
	text_format(q.target, sizeof q.target, "%s%s %s", service ? "service/" : "", r->tail, r->query.item);
	q.request = request_wait(r, TIMEOUT_MS, on_page);
	channel_send(server_engine(r->server), MSG_QUERY, &q, sizeof q);
}

void ask_pages(struct request *r, uint32_t kind, const char *target)
{
	struct msg_query q = {.kind = kind, .limit = r->query.limit ? (uint32_t)r->query.limit : EVENTS_DEFAULT};

	if (!text_copy(q.target, sizeof q.target, target)) {
		request_fail(r, ERR_CONFIG, "range", "ask for fewer, or for all", "longer than 255 characters");
		return;
	}
	q.from = r->query.newest ? QUERY_NEWEST : (uint64_t)r->query.from;
	q.request = request_wait(r, TIMEOUT_MS, on_page);
	channel_send(server_engine(r->server), MSG_QUERY, &q, sizeof q);
}

void events_run(struct request *r, const struct route *route)
{
	(void)route;
	ask_pages(r, QUERY_EVENTS, "");
}

void silences_run(struct request *r, const struct route *route)
{
	(void)route;
	ask_pages(r, QUERY_SILENCES, "");
}

/* What is asked by a range of nodes. */
static void ask_of_nodes(struct request *r, uint32_t kind)
{
	struct msg_query q = {.kind = kind, .limit = (uint32_t)r->query.limit};

	if (!text_copy(q.target, sizeof q.target, r->query.range)) {
		request_fail(r, ERR_CONFIG, "range", "ask for fewer nodes at once", "is longer than 255 bytes");
		return;
	}
	q.request = request_wait(r, TIMEOUT_MS, on_page);
	channel_send(server_engine(r->server), MSG_QUERY, &q, sizeof q);
}

void sel_run(struct request *r, const struct route *route)
{
	(void)route;
	ask_of_nodes(r, QUERY_SEL);
}

void inventory_run(struct request *r, const struct route *route)
{
	(void)route;
	ask_of_nodes(r, QUERY_INVENTORY);
}

void software_run(struct request *r, const struct route *route)
{
	(void)route;
	ask_of_nodes(r, QUERY_SOFTWARE);
}

void audit_run(struct request *r, const struct route *route)
{
	(void)route;
	if (r->peer->right < RIGHT_ADMIN)
		request_fail(r, ERR_REFUSED, r->peer->actor, "ask an administrator for the group glory-admin",
			     "may not read the audit records");
	else
		ask_pages(r, QUERY_AUDIT, "");
}

/* --- commands ---------------------------------------------------------------------------------------- */

static void on_done(struct request *r, const struct pending_reply *reply)
{
	struct emit out = {0};

	if (reply->fd >= 0)
		close(reply->fd);
	emit_bytes(&out, reply->text, reply->head->text_size);
	if (reply->head->text_size == 0 && reply->head->job)
		emit_text(&out, "{\"job\":%llu}", (unsigned long long)reply->head->job);
	else if (reply->head->text_size == 0)
		emit_text(&out, "{\"done\":true}");
	emit_bytes(&out, "\n", 1);
	request_answer(r, 200, "application/json", &out);
}

static void sign(const struct request *r, struct msg_command *c)
{
	c->right = (uint8_t)r->peer->right;
	text_copy(c->actor, sizeof c->actor, r->peer->actor);
}

void command_run(struct request *r, const struct route *route)
{
	static struct msg_command c;
	char *arguments;
	struct error e;
	(void)route;

	if (command_parse(r->body, r->body_size, &c, &arguments, &e)) {
		request_error(r, &e);
		return;
	}
	sign(r, &c);
	c.request = request_wait(r, c.verb == COMMAND_SEL_CLEAR ? SEL_CLEAR_TIMEOUT_MS : TIMEOUT_MS, on_done);
	channel_send2(server_engine(r->server), MSG_COMMAND, &c, sizeof c, arguments, c.argument_size);
	free(arguments);
}

void checks_run(struct request *r, const struct route *route)
{
	struct msg_query q = {.kind = route->parameters ? QUERY_CHECK_RESULTS : QUERY_CHECKS};

	text_copy(q.target, sizeof q.target, r->query.object);
	r->query.object[0] = '\0'; /* the engine chooses */
	q.request = request_wait(r, TIMEOUT_MS, on_page);
	channel_send(server_engine(r->server), MSG_QUERY, &q, sizeof q);
}

/* The collector waits for up to 70 s until the node's agent has looked at its processes again. */
void top_run(struct request *r, const struct route *route)
{
	struct msg_query q = {.kind = QUERY_TOP, .limit = (uint32_t)r->query.limit};
	(void)route;

	if (!r->query.node[0]) {
		request_fail(r, ERR_CONFIG, "node", "add node=NAME", "no node is named");
		return;
	}
	text_copy(q.target, sizeof q.target, r->query.node);
	q.request = request_wait(r, TOP_TIMEOUT_MS, on_done);
	channel_send(server_engine(r->server), MSG_QUERY, &q, sizeof q);
}

void apply_run(struct request *r, const struct route *route)
{
	static const char prune[] = "{\"prune\":true}", keep[] = "{\"prune\":false}";
	static struct {
		struct msg_command c;
		char arguments[sizeof keep];
	} packet;
	const char *arguments = r->query.prune ? prune : keep;
	(void)route;

	if (r->body_fd < 0) {
		request_fail(r, ERR_CONFIG, "apply", "send the text of cluster.xml", "the body is empty");
		return;
	}
	if (lseek(r->body_fd, 0, SEEK_SET) ||
	    fcntl(r->body_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)) {
		request_fail(r, ERR_NO_RESOURCE, "apply", "try again", "the text could not be sealed");
		return;
	}
	memset(&packet, 0, sizeof packet);
	packet.c.verb = COMMAND_APPLY;
	packet.c.dry_run = r->query.dry_run != 0;
	packet.c.argument_size = (uint32_t)strlen(arguments);
	sign(r, &packet.c);
	memcpy(packet.arguments, arguments, packet.c.argument_size);
	packet.c.request = request_wait(r, APPLY_TIMEOUT_MS, on_done);
	channel_send_fd(server_engine(r->server), MSG_COMMAND, &packet, sizeof packet.c + packet.c.argument_size,
			r->body_fd);
}

/* --- export ------------------------------------------------------------------------------------------ */

void ask_answer_text(struct request *r, const struct pending_reply *reply, const char *type, const char *what)
{
	struct stat st;
	char *text = NULL;
	size_t used = 0;
	ssize_t n = 0;

	if (reply->fd >= 0 && fstat(reply->fd, &st) == 0 && st.st_size > 0 && st.st_size <= (off_t)EXPORT_MAX &&
	    lseek(reply->fd, 0, SEEK_SET) == 0) {
		text = mem_zalloc((size_t)st.st_size);
		while (used < (size_t)st.st_size && (n = read(reply->fd, text + used, (size_t)st.st_size - used)) > 0)
			used += (size_t)n;
	}
	if (reply->fd >= 0)
		close(reply->fd);
	if (text && used == (size_t)st.st_size) {
		request_bytes(r, 200, type, text, used);
		return;
	}
	free(text);
	request_fail(r, ERR_NO_RESOURCE, what, "ask for less", "the engine's text could not be read");
}

static void on_export(struct request *r, const struct pending_reply *reply)
{
	ask_answer_text(r, reply, "application/xml", "export");
}

void export_run(struct request *r, const struct route *route)
{
	struct msg_query q = {.kind = QUERY_EXPORT};
	(void)route;

	q.request = request_wait(r, TIMEOUT_MS, on_export);
	channel_send(server_engine(r->server), MSG_QUERY, &q, sizeof q);
}
