/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connections, requests and answers on libmicrohttpd; see server.h. Called by the role's main and by the routes. */
#include "api/server.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/certificate.h"
#include "api/crowd.h"
#include "api/login.h"
#include "api/toll.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

#define IDLE_S 30
#define DEADLINE_TICK_MS 500
#define BLOCK 32768
#define ACCEPTS_A_TURN 64 /* of a listener: a flood of what is refused at once must not hold the loop */
#define HEADERS_MAX 65536 /* request line, headers and one block of the answer */
/* TLS 1.2 and 1.3, keys of one session only, no CBC, no SHA-1 */
#define CIPHERS "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-RSA:+ECDHE-ECDSA:-AES-128-CBC:-AES-256-CBC:-SHA1:%SERVER_PRECEDENCE"

struct listener {
	struct server *server;
	struct loop_fd *watch;
	int fd;
	enum face face;
};

/* One of libmicrohttpd's daemons: that of plain connections, that of TLS. */
enum { PLAIN, TLS, DAEMONS };

struct server {
	struct loop *loop;
	struct channel *engine;
	struct MHD_Daemon *daemons[DAEMONS];
	struct loop_fd *watches[DAEMONS];
	struct loop_timer *due, *deadlines;
	struct listener listeners[FACE_COUNT];
	size_t listener_count;
	struct board_reader *board;
	uint64_t board_life;
	struct request *requests;
	struct crowd crowd;
	struct tolls toll;
	unsigned streams, tcp_streams;
	bool full; /* the listeners are not watched */
	uint64_t last_id, handled, garbage;
	struct peer arriving; /* of the connection that is being added */
	int arriving_fd;
	struct log_damper damper, refusals, tolls;
};

unsigned server_status(int kind)
{
	switch (kind) {
	case ERR_CONFIG:
		return MHD_HTTP_BAD_REQUEST;
	case ERR_NOT_NOW:
		return MHD_HTTP_CONFLICT;
	case ERR_REFUSED:
		return MHD_HTTP_FORBIDDEN;
	case ERR_REMOTE:
		return MHD_HTTP_BAD_GATEWAY;
	case ERR_NO_RESOURCE:
		return MHD_HTTP_SERVICE_UNAVAILABLE;
	case ERR_NOT_FOUND:
		return MHD_HTTP_NOT_FOUND;
	case ERR_EXISTS:
		return MHD_HTTP_CONFLICT;
	case ERR_BUSY:
		return MHD_HTTP_SERVICE_UNAVAILABLE;
	default:
		return MHD_HTTP_INTERNAL_SERVER_ERROR;
	}
}

/* --- the daemon in our loop -------------------------------------------------------------------------- */

static void drive(struct server *s)
{
	MHD_UNSIGNED_LONG_LONG after;
	int64_t least = -1;

	for (int i = 0; i < DAEMONS; i++) {
		MHD_run(s->daemons[i]);
		if (MHD_get_timeout(s->daemons[i], &after) == MHD_YES) {
			int64_t wait = after > 60000 ? 60000 : (int64_t)after;
			least = least < 0 || wait < least ? wait : least;
		}
	}
	if (least >= 0)
		loop_timer_set(s->due, least);
	else
		loop_timer_stop(s->due);
}

static void on_daemon(void *arg, int what)
{
	(void)what;
	drive(arg);
}

static void on_due(void *arg)
{
	drive(arg);
}

/* --- answers ----------------------------------------------------------------------------------------- */

static void resume(struct request *r)
{
	if (!r->suspended)
		return;
	r->suspended = false;
	MHD_resume_connection(r->connection);
	loop_timer_set(r->server->due, 0);
}

static void set_answer(struct request *r, unsigned status, const char *type, struct MHD_Response *answer)
{
	static const char *const headers[][2] = {
	    {"Cache-Control", "no-store"},
	    {"X-Content-Type-Options", "nosniff"},
	    {"X-Frame-Options", "DENY"},
	    {"Referrer-Policy", "no-referrer"},
	    {"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri "
					"'none'; form-action 'none'; frame-ancestors 'none'"},
	};

	if (!answer || r->answer) {
		if (answer)
			MHD_destroy_response(answer);
		return;
	}
	MHD_add_response_header(answer, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	for (size_t i = 0; i < COUNT_OF(headers); i++)
		MHD_add_response_header(answer, headers[i][0], headers[i][1]);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(answer, MHD_HTTP_HEADER_ALLOW,
					r->route && r->route->post && r->peer->face == FACE_LOCAL ? "POST" : "GET, HEAD");
	if (status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(answer, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Basic realm=\"GLORY-CL\", charset=\"UTF-8\"");
	if (status == MHD_HTTP_TOO_MANY_REQUESTS)
		MHD_add_response_header(answer, MHD_HTTP_HEADER_RETRY_AFTER, "10");
	r->answer = answer;
	r->status = status;
	r->id = 0;
	resume(r);
}

void request_bytes(struct request *r, unsigned status, const char *type, char *bytes, size_t size)
{
	set_answer(r, status, type,
		   MHD_create_response_from_buffer(size, bytes ? bytes : mem_strdup(""), MHD_RESPMEM_MUST_FREE));
}

void request_answer(struct request *r, unsigned status, const char *type, struct emit *text)
{
	request_bytes(r, status, type, text->text, text->used);
	*text = (struct emit){0};
}

static void answer_error(struct request *r, unsigned status, const struct error *e)
{
	struct emit out = {0};

	emit_open(&out, '{');
	emit_key(&out, "error");
	emit_open(&out, '{');
	emit_key(&out, "kind");
	emit_string(&out, error_name(e->kind));
	emit_key(&out, "object");
	emit_string(&out, e->object);
	emit_key(&out, "text");
	emit_string(&out, e->text);
	emit_key(&out, "remedy");
	emit_string(&out, e->remedy);
	emit_close(&out, '}');
	emit_close(&out, '}');
	emit_bytes(&out, "\n", 1);
	request_answer(r, status, "application/json", &out);
}

void request_error(struct request *r, const struct error *e)
{
	answer_error(r, server_status(e->kind), e);
}

void request_fail(struct request *r, int kind, const char *object, const char *remedy, const char *text)
{
	struct error e;

	error_set(&e, kind, object, remedy, "%s", text);
	request_error(r, &e);
}

static void fail_status(struct request *r, unsigned status, int kind, const char *object, const char *remedy,
			const char *text)
{
	struct error e;

	error_set(&e, kind, object, remedy, "%s", text);
	answer_error(r, status, &e);
}

static ssize_t read_producer(void *arg, uint64_t position, char *to, size_t room)
{
	struct request *r = arg;
	struct producer *p = r->producer;
	(void)position;

	if (p->sent == p->out.used) {
		p->sent = p->out.used = 0;
		p->idle = false;
		while (!p->done && !p->failed && !p->idle && p->out.used == 0)
			p->more(p, r);
	}
	if (p->sent == p->out.used) {
		if (p->failed)
			return MHD_CONTENT_READER_END_WITH_ERROR;
		if (p->done)
			return MHD_CONTENT_READER_END_OF_STREAM;
		r->suspended = true;
		MHD_suspend_connection(r->connection);
		return 0;
	}
	size_t n = p->out.used - p->sent < room ? p->out.used - p->sent : room;
	memcpy(to, p->out.text + p->sent, n);
	p->sent += n;
	return (ssize_t)n;
}

void request_produce(struct request *r, const char *type, struct producer *producer)
{
	r->producer = producer;
	set_answer(r, MHD_HTTP_OK, type,
		   MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_producer, r, NULL));
}

void request_wake(struct request *r)
{
	resume(r);
}

const struct board_reader *request_board(struct request *r)
{
	if (!r->server->board)
		request_fail(r, ERR_BUSY, "appliance", "try again in a moment", "the appliance is starting");
	return r->server->board;
}

/* --- waiting ----------------------------------------------------------------------------------------- */

void request_wait_more(struct request *r, int64_t timeout_ms)
{
	r->deadline_ms = clock_mono_ms() + timeout_ms;
}

void request_park(struct request *r, int64_t timeout_ms)
{
	request_wait_more(r, timeout_ms);
	if (r->suspended)
		return;
	r->suspended = true;
	MHD_suspend_connection(r->connection);
}

uint64_t request_wait(struct request *r, int64_t timeout_ms,
		      void (*on_reply)(struct request *r, const struct pending_reply *reply))
{
	r->id = ++r->server->last_id;
	r->on_reply = on_reply;
	request_park(r, timeout_ms);
	return r->id;
}

static void on_deadlines(void *arg)
{
	struct server *s = arg;
	int64_t now = clock_mono_ms();

	s->garbage += crowd_end_slow(&s->crowd, now);
	for (struct request *r = s->requests, *next; r; r = next) {
		next = r->next;
		if (r->suspended && !r->answer && now >= r->deadline_ms)
			fail_status(
			    r, MHD_HTTP_GATEWAY_TIMEOUT, ERR_REMOTE, "engine",
			    "look at the job or event list before trying again: the command may still be carried out",
			    "did not answer in time");
	}
}

/* The engine's error object, or one of ours when it has none. */
static void pass_error(struct request *r, const struct msg_reply *reply, const char *text)
{
	json_t *o = json_loadb(text, reply->text_size, 0, NULL);
	const char *object = "", *what = "", *remedy = "";
	struct error e;

	json_unpack(o, "{s?s,s?s,s?s}", "object", &object, "text", &what, "remedy", &remedy);
	error_set(&e, reply->status, object[0] ? object : "command", remedy, "%s",
		  what[0] ? what : error_name(reply->status));
	json_decref(o);
	request_error(r, &e);
}

void server_reply(struct server *s, const struct msg_reply *reply, size_t size, int fd)
{
	struct request *r = s->requests;
	struct pending_reply p = {.head = reply, .text = (const char *)(reply + 1), .fd = fd};

	while (r && (r->id != reply->request || r->answer))
		r = r->next;
	if (!r || r->id == 0 || size - sizeof *reply != reply->text_size) {
		if (fd >= 0)
			close(fd);
		return; /* its client has gone, or its time was over */
	}
	if (reply->status) {
		if (fd >= 0)
			close(fd);
		pass_error(r, reply, p.text);
		return;
	}
	r->on_reply(r, &p);
}

/* --- requests ---------------------------------------------------------------------------------------- */

/* "/v1/nodes/n001/series" of "/v1/nodes/" and "/series": what stands between them, which is one part of a path. */
static bool take_tail(const struct route *route, const char *path, char tail[NAME_SIZE])
{
	size_t n = strlen(route->path), k = route->suffix ? strlen(route->suffix) : 0, size = strlen(path);

	if (size <= n + k || size - n - k >= NAME_SIZE || strncmp(path, route->path, n) != 0 ||
	    (k && strcmp(path + size - k, route->suffix) != 0) || memchr(path + n, '/', size - n - k))
		return false;
	text_format(tail, NAME_SIZE, "%.*s", (int)(size - n - k), path + n);
	text_make_printable(tail);
	return true;
}

static const struct route *find_route(const char *path, char tail[NAME_SIZE])
{
	for (size_t i = 0; i < route_count; i++)
		if (routes[i].tail ? take_tail(&routes[i], path, tail) : !strcmp(path, routes[i].path))
			return &routes[i];
	return NULL;
}

struct taking {
	struct request *request;
	struct error error;
	int64_t now_wall_ms;
	int rc;
};

static enum MHD_Result take_parameter(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_size,
				      const char *value, size_t size)
{
	struct taking *t = arg;
	const struct route *route = t->request->route;
	(void)kind;

	if (strlen(name) != name_size)
		t->rc = error_set(&t->error, ERR_CONFIG, "parameters", "use printable names", "a name has a zero byte");
	else
		t->rc = query_add(&t->request->query, route->parameters, route->parameter_count, route->table, name,
				  value ? value : "", value ? size : 0, t->now_wall_ms, &t->error);
	return t->rc ? MHD_NO : MHD_YES;
}

static bool method_is(const struct route *route, const char *method)
{
	return route->post ? !strcmp(method, "POST") : !strcmp(method, "GET") || !strcmp(method, "HEAD");
}

static size_t body_limit(const struct request *r)
{
	return r->route->apply ? APPLY_BODY_MAX : COMMAND_BODY_MAX;
}

static uint64_t announced_size(const struct request *r)
{
	const char *text = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	int64_t size = 0;

	/* libmicrohttpd has refused what is no number */
	return text && text_integer(text, 0, INT64_MAX, &size) ? (uint64_t)size : 0;
}

/* Over TLS each request proves who it is; without that it learns nothing, not even which paths there are. */
static bool log_in(struct request *r)
{
	const char *header = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
	struct peer *p = &r->by->peer;
	char name[NAME_SIZE], from[ADDRESS_TEXT];
	enum login is = login_check(header, &p->from, clock_mono_ms(), name);
	unsigned held;

	p->right = is == LOGIN_GOOD ? RIGHT_VIEW : RIGHT_NONE;
	text_format(p->actor, sizeof p->actor, "https:%.50s", is == LOGIN_GOOD ? name : "");
	if (is == LOGIN_GOOD)
		toll_know(&r->server->toll, &p->from, clock_mono_ms());
	if (is == LOGIN_BAD && log_damper_pass(&r->server->refusals, clock_mono_ms(), &held))
		log_warning("https: %s: a wrong user or password (%u before)", address_text(&p->from, p->from.port, from), held);
	if (is == LOGIN_WAIT)
		fail_status(r, MHD_HTTP_TOO_MANY_REQUESTS, ERR_REFUSED, "https", "wait ten seconds, then send the right ones",
			    "too many wrong passwords came from your address");
	else if (is != LOGIN_GOOD)
		fail_status(r, MHD_HTTP_UNAUTHORIZED, ERR_REFUSED, "https", "send those of a user of kind https in gloryd.xml",
			    is == LOGIN_NONE ? "wants a user and a password" : "user or password is wrong");
	return is == LOGIN_GOOD;
}

/* Everything that can be said before the body. True: the request may go on. */
static bool admit(struct request *r, const char *path, const char *method)
{
	struct taking t = {.request = r, .now_wall_ms = clock_wall_ms()};
	bool local = r->peer->face == FACE_LOCAL;
	char shown[128];

	if (r->peer->face == FACE_HTTPS && !log_in(r))
		return false;
	if (r->peer->right < RIGHT_VIEW) {
		request_fail(r, ERR_REFUSED, r->peer->actor,
			     "ask an administrator for the group glory-view, glory-operate or glory-admin",
			     "may not use the appliance");
		return false;
	}
	r->route = find_route(path, r->tail);
	if (!r->route) {
		text_copy(shown, sizeof shown, path);
		text_make_printable(shown);
		request_fail(r, ERR_NOT_FOUND, shown, "see gloryd(8) for the list", "there is no such path");
		return false;
	}
	if (!method_is(r->route, method) || (r->route->post && !local)) {
		fail_status(r, MHD_HTTP_METHOD_NOT_ALLOWED, ERR_REFUSED, r->route->path,
			    local ? "see gloryd(8) for the list" : "use the local socket: this listener only reads",
			    "does not take this method");
		return false;
	}
	if (r->route->stream && (r->server->streams >= STREAMS_MAX || (!local && r->server->tcp_streams >= STREAMS_TCP))) {
		request_fail(r, ERR_BUSY, r->route->path, "close another one", "too many streams are open");
		return false;
	}
	/* a little too much is drained first, so that the client, who sends, hears the answer */
	if (r->route->post && announced_size(r) >= 2 * (uint64_t)body_limit(r)) {
		fail_status(r, MHD_HTTP_CONTENT_TOO_LARGE, ERR_CONFIG, r->route->path, "send it in several parts",
			    "the body is too long");
		return false;
	}
	query_begin(&r->query, t.now_wall_ms);
	MHD_get_connection_values_n(r->connection, MHD_GET_ARGUMENT_KIND, take_parameter, &t);
	if (t.rc)
		request_error(r, &t.error);
	return t.rc == 0;
}

/* A text of an apply is written to a memfd as it comes: the engine's child reads it there. */
static bool add_to_memfd(struct request *r, const char *data, size_t size)
{
	if (r->body_fd < 0)
		r->body_fd = memfd_create("apply", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return r->body_fd >= 0 && bytes_write(r->body_fd, data, size);
}

/* False: the client goes on sending what was refused. */
static bool take_body(struct request *r, const char *data, size_t size)
{
	r->body_size += size;
	if (r->answer)
		return r->body_size <
		       2 * body_limit(r); /* an answer can be given behind the body only: some of it is drained */
	if (r->body_size > body_limit(r)) {
		fail_status(r, MHD_HTTP_CONTENT_TOO_LARGE, ERR_CONFIG, r->route->path, "send it in several parts",
			    "the body is too long");
	} else if (r->route->apply) {
		if (!add_to_memfd(r, data, size))
			request_fail(r, ERR_NO_RESOURCE, "apply", "free some memory", "there is no room for the text");
	} else {
		r->body = mem_grow(r->body, r->body_size, 1);
		memcpy(r->body + r->body_size - size, data, size);
	}
	return true;
}

static struct request *begin(struct server *s, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct request *r = mem_zalloc(sizeof *r);

	r->server = s;
	r->connection = connection;
	r->by = info->socket_context;
	r->peer = &r->by->peer;
	r->body_fd = -1;
	r->next = s->requests;
	s->requests = r;
	s->handled++;
	crowd_asked(r->by, true, false, clock_mono_ms());
	return r;
}

static enum MHD_Result give_answer(struct request *r)
{
	if (r->begun)
		return MHD_YES;
	r->begun = true;
	if (r->status >= 400)
		r->server->garbage++;
	return MHD_queue_response(r->connection, r->status, r->answer);
}

static void count_stream(struct request *r, unsigned step)
{
	if (!r->streaming)
		return;
	r->server->streams += step;
	if (r->peer->face != FACE_LOCAL)
		r->server->tcp_streams += step;
	r->by->endless = true;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *path, const char *method,
				  const char *version, const char *upload, size_t *upload_size, void **state)
{
	struct request *r = *state;
	(void)version;

	if (!r) {
		r = *state = begin(arg, connection);
		if (!admit(r, path, method))
			return give_answer(r); /* before the body: it is not wanted */
		r->streaming = r->route->stream;
		count_stream(r, 1);
		return MHD_YES;
	}
	if (*upload_size) {
		bool more = r->route && r->route->post && take_body(r, upload, *upload_size);
		*upload_size = 0;
		return more ? MHD_YES : MHD_NO;
	}
	if (!r->answer && !r->suspended)
		r->route->run(r, r->route);
	return r->answer && !r->suspended ? give_answer(r) : MHD_YES;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **state,
			 enum MHD_RequestTerminationCode why)
{
	struct request *r = *state, **at = &((struct server *)arg)->requests;
	(void)connection;
	(void)why;

	if (!r)
		return;
	while (*at && *at != r)
		at = &(*at)->next;
	if (*at)
		*at = r->next;
	count_stream(r, -1u);
	crowd_asked(r->by, false, false, clock_mono_ms());
	if (r->producer) {
		emit_free(&r->producer->out);
		r->producer->free(r->producer);
	}
	if (r->free_state)
		r->free_state(r->state);
	if (r->answer)
		MHD_destroy_response(r->answer);
	if (r->body_fd >= 0)
		close(r->body_fd);
	emit_free(&r->page);
	free(r->body);
	free(r);
	*state = NULL;
}

/* --- connections ------------------------------------------------------------------------------------- */

static void watch_listeners(struct server *s)
{
	bool full = s->crowd.count >= CONNECTIONS_MAX;

	if (full == s->full)
		return;
	s->full = full;
	for (size_t i = 0; i < s->listener_count; i++)
		loop_fd_change(s->listeners[i].watch, full ? 0 : LOOP_READ);
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode what)
{
	struct server *s = arg;
	struct connection *c = *context;
	(void)connection;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		c = *context = crowd_add(&s->crowd, &s->arriving, s->arriving_fd, clock_mono_ms());
		c->certificate = certificate_number();
	} else {
		crowd_remove(&s->crowd, c);
		*context = NULL;
		certificate_forget(crowd_oldest_certificate(&s->crowd));
	}
	watch_listeners(s);
}

static bool know_peer(struct listener *l, int fd, const struct sockaddr_storage *from)
{
	struct peer *p = &l->server->arriving;

	*p = (struct peer){.face = l->face};
	text_copy(p->actor, sizeof p->actor, l->face == FACE_HTTPS ? "https" : "http");
	if (l->face == FACE_LOCAL)
		return peer_of_socket(fd, p);
	p->right = l->face == FACE_HTTP ? RIGHT_VIEW : RIGHT_NONE;
	return crowd_origin(from, &p->from) && (l->face == FACE_HTTP || certificate_number());
}

/* Over TLS: whether its handshake may be made. The processor that it takes is ours, and whoever wants it has proved nothing yet. */
static bool may_shake_hands(struct server *s)
{
	enum toll is = toll_take(&s->toll, &s->arriving.from, clock_mono_ms());
	char from[ADDRESS_TEXT];
	unsigned held;

	if (is == TOLL_PASS)
		return true;
	s->garbage++;
	if (log_damper_pass(&s->tolls, clock_mono_ms(), &held))
		log_warning("https: %s: more than %d connections a second %s: further ones are closed (%u before)",
			    address_text(&s->arriving.from, s->arriving.from.port, from), is == TOLL_ADDRESS ? TOLL_ADDRESS_PER_S : TOLL_WHOLE_PER_S,
			    is == TOLL_ADDRESS ? "come from there" : "come in all", held);
	return false;
}

static void add_connection(struct listener *l, int fd, const struct sockaddr_storage *from, socklen_t length)
{
	struct server *s = l->server;
	unsigned held;

	if (!know_peer(l, fd, from)) {
		close(fd);
		return;
	}
	if (!crowd_has_room(&s->crowd, &s->arriving)) {
		s->garbage++;
		if (log_damper_pass(&s->damper, clock_mono_ms(), &held))
			log_warning("api: %s holds too many connections: further ones are closed (%u before)",
				    s->arriving.actor, held);
		close(fd);
		return;
	}
	if (l->face == FACE_HTTPS && !may_shake_hands(s)) {
		close(fd);
		return;
	}
	s->arriving_fd = fd;
	MHD_add_connection(s->daemons[l->face == FACE_HTTPS ? TLS : PLAIN], fd, (const struct sockaddr *)from, length); /* closes fd itself when it refuses */
}

static void on_listener(void *arg, int what)
{
	struct listener *l = arg;
	(void)what;

	for (int i = 0; i < ACCEPTS_A_TURN && l->server->crowd.count < CONNECTIONS_MAX; i++) {
		struct sockaddr_storage from = {0};
		socklen_t length = sizeof from;
		int fd = accept4(l->fd, (struct sockaddr *)&from, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			break;
		add_connection(l, fd, &from, length);
	}
	drive(l->server);
}

void server_listen(struct server *s, int fd, enum face face)
{
	struct listener *l = &s->listeners[s->listener_count];

	if (s->listener_count == COUNT_OF(s->listeners)) {
		close(fd);
		return;
	}
	s->listener_count++;
	*l = (struct listener){.server = s, .fd = fd, .face = face};
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	l->watch = loop_fd_add(s->loop, fd, LOOP_READ, on_listener, l);
}

/* --- life -------------------------------------------------------------------------------------------- */

static void log_daemon(void *arg, const char *format, va_list ap)
{
	char text[256];
	(void)arg;

	vsnprintf(text, sizeof text, format, ap);
	text_make_printable(text);
	log_debug("api: http: %s", text);
}

#define FLAGS (MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG)
#define OPTIONS(s)                                                                                                                                 \
	MHD_OPTION_EXTERNAL_LOGGER, log_daemon, NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,       \
	    (unsigned)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADERS_MAX, MHD_OPTION_NOTIFY_COMPLETED, on_completed, (s),             \
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, (s), MHD_OPTION_STRICT_FOR_CLIENT, 1

static bool start_daemons(struct server *s)
{
	s->daemons[PLAIN] = MHD_start_daemon(FLAGS, 0, NULL, NULL, on_request, s, OPTIONS(s), MHD_OPTION_END);
	s->daemons[TLS] = MHD_start_daemon(FLAGS | MHD_USE_TLS, 0, NULL, NULL, on_request, s, OPTIONS(s), MHD_OPTION_HTTPS_CERT_CALLBACK,
					   certificate_retrieve, MHD_OPTION_HTTPS_PRIORITIES, CIPHERS, MHD_OPTION_END);
	for (int i = 0; i < DAEMONS; i++) {
		const union MHD_DaemonInfo *info = s->daemons[i] ? MHD_get_daemon_info(s->daemons[i], MHD_DAEMON_INFO_EPOLL_FD) : NULL;
		if (!info || info->epoll_fd < 0)
			return false;
		s->watches[i] = loop_fd_add(s->loop, info->epoll_fd, LOOP_READ, on_daemon, s);
	}
	return true;
}

static void stop_daemons(struct server *s)
{
	for (int i = 0; i < DAEMONS; i++) {
		loop_fd_remove(s->watches[i]);
		if (s->daemons[i])
			MHD_stop_daemon(s->daemons[i]);
	}
}

struct server *server_new(struct loop *loop, struct channel *engine)
{
	struct server *s = mem_zalloc(sizeof *s);

	s->loop = loop;
	s->engine = engine;
	toll_begin(&s->toll, clock_mono_ms());
	if (!start_daemons(s)) {
		log_error("api: the http library could not be started: %s", strerror(errno));
		stop_daemons(s);
		free(s);
		return NULL;
	}
	s->due = loop_timer_new(loop, on_due, s);
	s->deadlines = loop_timer_new(loop, on_deadlines, s);
	loop_timer_every(s->deadlines, DEADLINE_TICK_MS);
	return s;
}

void server_free(struct server *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->listener_count; i++) {
		loop_fd_remove(s->listeners[i].watch);
		close(s->listeners[i].fd);
	}
	s->listener_count = 0;
	for (struct request *r = s->requests; r; r = r->next) {
		if (r->producer)
			r->producer->failed = true;
		resume(r);
	}
	loop_timer_free(s->due);
	loop_timer_free(s->deadlines);
	stop_daemons(s);
	board_unmap(s->board);
	free(s);
}

void server_board(struct server *s, struct board_reader *board)
{
	if (s->board)
		board_unmap(s->board);
	s->board = board;
	s->board_life++;
}

const struct board_reader *server_get_board(const struct server *s)
{
	return s->board;
}

uint64_t server_board_life(const struct server *s)
{
	return s->board_life;
}

struct loop *server_loop(const struct server *s)
{
	return s->loop;
}

struct channel *server_engine(const struct server *s)
{
	return s->engine;
}

void server_stats(const struct server *s, struct msg_stats *stats)
{
	stats->handled = s->handled;
	stats->garbage = s->garbage;
	stats->queued = s->crowd.count;
}

void server_users_changed(struct server *s)
{
	crowd_end_streams(&s->crowd);
}

bool server_has_streams(const struct server *s)
{
	for (const struct request *r = s->requests; r; r = r->next)
		if (r->streaming)
			return true;
	return false;
}

void server_each_stream(struct server *s, void (*visit)(struct request *request))
{
	for (struct request *r = s->requests, *next; r; r = next) {
		next = r->next;
		if (r->streaming)
			visit(r);
	}
}
