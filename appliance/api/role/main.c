/* SPDX-License-Identifier: GPL-3.0-or-later */
/* glory-api: HTTP and JSON, the web page, metrics. Glues the role's channels to the server. Started by gloryd. */
#include <stdlib.h>
#include <unistd.h>

#include "api/https.h"
#include "api/routes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "proc/role.h"

#define STATS_MS 1000
#define HOUR_MS 3600000

static struct api {
	struct role_context *context;
	struct server *server;
	struct {
		int fd;
		enum face face;
	} sockets[FACE_COUNT];
	size_t socket_count;
	struct loop_timer *stats, *hour;
} api;

static void on_socket(struct role_context *context, const void *body, int fd)
{
	static const enum socket_use uses[FACE_COUNT] = {SOCKET_API, SOCKET_HTTP, SOCKET_HTTPS};
	const struct msg_socket *what = body;
	(void)context;

	for (size_t face = 0; face < FACE_COUNT; face++)
		if (what->use == uses[face] && api.socket_count < COUNT_OF(api.sockets)) {
			api.sockets[api.socket_count].fd = fd;
			api.sockets[api.socket_count++].face = (enum face)face;
			return;
		}
	close(fd);
}

/* The C library's group look-up reads its configuration and may load a library: once before the sandbox closes. */
static int prepare(struct role_context *context)
{
	uint32_t none = UINT32_MAX;
	(void)context;

	peer_right(1, &none, 1, clock_mono_ms());
	return 0;
}

static void on_engine(struct role_context *context, const struct message_header *h, const void *body, size_t size,
		      int fd)
{
	(void)context;
	if (h->type == MSG_BOARD && fd >= 0) {
		struct board_reader *board = board_map(fd);
		if (board)
			server_board(api.server, board);
		https_tell_again();
	} else if (h->type == MSG_REPLY) {
		server_reply(api.server, body, size, fd);
	} else {
		if (h->type == MSG_USER) {
			peer_users(body, size / sizeof(struct msg_user));
			https_users(body, size / sizeof(struct msg_user));
			server_users_changed(api.server);
		}
		if (fd >= 0)
			close(fd);
	}
}

static void on_supervisor(struct role_context *context, const struct message_header *h, const void *body, size_t size, int fd)
{
	(void)context;
	(void)size;

	if (h->type == MSG_HTTPS) {
		https_offer(body, fd);
		return;
	}
	if (h->type == MSG_SECRET)
		https_secret(body);
	if (fd >= 0)
		close(fd);
}

static void ask_secret(const struct msg_secret_ask *m)
{
	channel_send(api.context->supervisor, MSG_SECRET_ASK, m, sizeof *m);
}

static void tell_state(const struct msg_https_state *m)
{
	channel_send(api.context->engine, MSG_HTTPS_STATE, m, sizeof *m);
}

static void on_hour(void *arg)
{
	(void)arg;
	https_tick(clock_wall_ms());
}

static void on_stats(void *arg)
{
	struct msg_stats stats = {.worst_lateness_ms = (int32_t)loop_lateness_ms(api.context->loop)};
	(void)arg;

	server_stats(api.server, &stats);
	channel_send_lossy(api.context->engine, MSG_STATS, &stats, sizeof stats);
}

static int run(struct role_context *context)
{
	api.context = context;
	if (api.socket_count == 0) {
		log_error("api: no socket was handed over: give gloryd.xml an api, http or https element");
		return ERR_CONFIG;
	}
	api.server = server_new(context->loop, context->engine);
	if (!api.server)
		return ERR_BUG;
	for (size_t i = 0; i < api.socket_count; i++)
		server_listen(api.server, api.sockets[i].fd, api.sockets[i].face);
	https_begin(ask_secret, tell_state);
	api.hour = loop_timer_new(context->loop, on_hour, NULL);
	loop_timer_every(api.hour, HOUR_MS);
	api.stats = loop_timer_new(context->loop, on_stats, NULL);
	loop_timer_every(api.stats, STATS_MS);
	return 0;
}

static void stop(struct role_context *context)
{
	(void)context;
	loop_timer_free(api.stats);
	stream_end();
	loop_timer_free(api.hour);
	server_free(api.server);
	https_end();
}

int main(void)
{
	static const struct role_definition definition = {.role = ROLE_API,
							  .prepare = prepare,
							  .on_socket = on_socket,
							  .on_engine = on_engine,
							  .on_supervisor = on_supervisor,
							  .run = run,
							  .stop = stop};

	return role_main(&definition);
}
