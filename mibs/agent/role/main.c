/* SPDX-License-Identifier: GPL-3.0-or-later */
/* glory-agent: the SNMP face of the appliance. Glues the role's channels to the agent (serve), its users (access) and the
 * notifications (notify). Started by gloryd. */
#include "mibs/agent/serve.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "board/board.h"
#include "mibs/agent/engine.h"
#include "mibs/agent/notify.h"
#include "mibs/agent/own.h"
#include "proc/role.h"

#define TICK_MS 250
#define SECRETS_EACH 30 /* times the statistics were told */
#define STATS_MS 1000
#define AGAIN_MS 5
#define USERS_MAX 32

static struct agent {
	struct role_context *context;
	int fd;
	struct walk walk;
	struct own own;
	struct serve *serve;
	struct notify *notify;
	struct loop_fd *watch;
	struct loop_timer *tick, *stats, *again;
	struct msg_user wanted[USERS_MAX]; /* whose secret is on its way, or was not to be had */
	size_t wanted_count;
	unsigned stats_told;
} agent = {.fd = -1};

static void ask_secret(void *arg, uint32_t class, const char *name)
{
	struct msg_secret_ask ask = {.secret_class = class};
	(void)arg;

	text_copy(ask.name, sizeof ask.name, name);
	channel_send(agent.context->supervisor, MSG_SECRET_ASK, &ask, sizeof ask);
}

/* --- users ------------------------------------------------------------------------------------------ */

/* The list may come again because a passphrase changed, so every secret is asked for anew. */
static void on_users(const struct msg_user *users, size_t count)
{
	for (size_t i = 0; i < count && i < USERS_MAX; i++)
		if (!text_terminated(users[i].name, sizeof users[i].name))
			return;
	if (count > USERS_MAX) {
		log_warning("agent: %zu snmp users: only the first %d are taken", count, USERS_MAX);
		count = USERS_MAX;
	}
	access_retain_users(users, count);
	agent.wanted_count = 0;
	for (size_t i = 0; i < count; i++) {
		agent.wanted[agent.wanted_count++] = users[i];
		ask_secret(NULL, SECRET_USM, users[i].name);
	}
}

static void on_user_secret(const struct msg_secret *secret)
{
	struct error e;

	for (size_t i = 0; i < agent.wanted_count; i++) {
		if (strcmp(agent.wanted[i].name, secret->name) != 0)
			continue;
		if (secret->status)
			log_warning("snmp user %s: its secret cannot be had (%s): write secrets/usm/%s, mode 0600", secret->name,
				    error_name(secret->status), secret->name);
		else if (access_add_user(&agent.wanted[i], secret->text, &e))
			log_warning("%s: %s: %s", e.object, e.text, e.remedy);
		else
			agent.wanted[i] = agent.wanted[--agent.wanted_count];
		return;
	}
}

/* Mending the file is enough: what was not to be had is asked for again. */
static void ask_missing(void)
{
	if (++agent.stats_told % SECRETS_EACH != 0)
		return;
	for (size_t i = 0; i < agent.wanted_count; i++)
		ask_secret(NULL, SECRET_USM, agent.wanted[i].name);
}

static void on_secret(const struct msg_secret *secret)
{
	if (!text_terminated(secret->name, sizeof secret->name) || !text_terminated(secret->text, sizeof secret->text))
		return;
	if (secret->secret_class == SECRET_USM)
		on_user_secret(secret);
	else if (secret->secret_class == SECRET_NOTIFY)
		notify_secret(agent.notify, secret);
}

/* --- channels --------------------------------------------------------------------------------------- */

static void on_board(int fd)
{
	struct board_reader *board = board_map(fd);

	if (!board)
		return; /* said by board_map */
	if (agent.walk.board)
		board_unmap((struct board_reader *)(uintptr_t)agent.walk.board);
	agent.walk.board = board;
}

static void on_engine(struct role_context *context, const struct message_header *h, const void *body, size_t size, int fd)
{
	(void)context;
	if (h->type == MSG_BOARD && fd >= 0) {
		on_board(fd);
		return;
	}
	if (fd >= 0)
		close(fd);
	switch (h->type) {
	case MSG_REPLY:
		serve_reply(agent.serve, body);
		break;
	case MSG_USER:
		on_users(body, size / sizeof(struct msg_user));
		break;
	case MSG_NOTIFY:
		notify_event(agent.notify, body);
		break;
	case MSG_RECEIVER:
		notify_receivers(agent.notify, body, size / sizeof(struct msg_receiver));
		break;
	default:
		break;
	}
}

static void on_supervisor(struct role_context *context, const struct message_header *h, const void *body, size_t size, int fd)
{
	(void)context;
	if (fd >= 0)
		close(fd);
	if (h->type == MSG_SECRET) {
		on_secret(body);
		explicit_bzero((void *)(uintptr_t)body, size); /* the channel's buffer, not to keep a secret until the next packet */
	} else if (h->type == MSG_USER) {
		on_users(body, size / sizeof(struct msg_user));
	}
}

static void on_socket(struct role_context *context, const void *body, int fd)
{
	const struct msg_socket *what = body;
	(void)context;

	if (what->use == SOCKET_AGENT && agent.fd < 0)
		agent.fd = fd;
	else
		close(fd);
}

static void send_command(void *arg, const struct msg_command *command, const char *arguments)
{
	(void)arg;
	channel_send2(agent.context->engine, MSG_COMMAND, command, sizeof *command, arguments, command->argument_size);
}

static void send_done(void *arg, const struct msg_notify_done *done)
{
	(void)arg;
	channel_send(agent.context->engine, MSG_NOTIFY_DONE, done, sizeof *done);
}

/* --- loop ------------------------------------------------------------------------------------------- */

static void on_readable(void *arg, int what)
{
	(void)arg;
	(void)what;
	serve_ready(agent.serve, loop_now(agent.context->loop));
	if (serve_waits(agent.serve))
		loop_timer_set(agent.again, AGAIN_MS);
}

static void on_again(void *arg)
{
	(void)arg;
	serve_again(agent.serve, loop_now(agent.context->loop));
	if (serve_waits(agent.serve))
		loop_timer_set(agent.again, AGAIN_MS);
}

static void on_tick(void *arg)
{
	int64_t now = loop_now(agent.context->loop);
	(void)arg;

	serve_tick(agent.serve, now);
	notify_tick(agent.notify, now);
}

static void on_stats(void *arg)
{
	struct msg_stats stats = {
		.handled = serve_handled(agent.serve),
		.garbage = serve_garbage(),
		.queued = notify_waiting(agent.notify),
		.worst_lateness_ms = (int32_t)loop_lateness_ms(agent.context->loop),
	};
	(void)arg;
	channel_send_lossy(agent.context->engine, MSG_STATS, &stats, sizeof stats);
	ask_missing();
}

static int start_engine(const struct role_start *start)
{
	struct engine_state state;
	char path[320];

	text_format(path, sizeof path, "%s/agent/engine", start->directory);
	int rc = engine_state_begin(path, &state);
	if (!rc)
		rc = engine_start(&state);
	if (!rc)
		access_begin();
	return rc;
}

static int run(struct role_context *context)
{
	agent.context = context;
	if (agent.fd < 0) {
		log_error("agent: no socket was handed over: give gloryd.xml an snmp-agent element");
		return ERR_CONFIG;
	}
	agent.own = (struct own){.walk = &agent.walk, .start_ms = clock_mono_ms(), .name = context->start.appliance};
	agent.walk = (struct walk){.own = own_value, .arg = &agent.own};
	int rc = start_engine(&context->start);
	if (rc)
		return rc;
	agent.serve = serve_new(agent.fd, &agent.walk, send_command, NULL);
	if (!agent.serve)
		return ERR_BUG;
	struct notify_owner owner = {.ask_secret = ask_secret, .done = send_done, .own = &agent.own};
	agent.notify = notify_new(context->loop, &owner);
	agent.watch = loop_fd_add(context->loop, agent.fd, LOOP_READ, on_readable, NULL);
	agent.tick = loop_timer_new(context->loop, on_tick, NULL);
	agent.again = loop_timer_new(context->loop, on_again, NULL);
	agent.stats = loop_timer_new(context->loop, on_stats, NULL);
	loop_timer_every(agent.tick, TICK_MS);
	loop_timer_every(agent.stats, STATS_MS);
	return 0;
}

static void stop(struct role_context *context)
{
	(void)context;
	loop_fd_remove(agent.watch);
	loop_timer_free(agent.tick);
	loop_timer_free(agent.stats);
	loop_timer_free(agent.again);
	notify_free(agent.notify);
	serve_free(agent.serve);
}

int main(void)
{
	static const struct role_definition definition = {
		.role = ROLE_AGENT, .on_socket = on_socket, .on_engine = on_engine, .on_supervisor = on_supervisor, .run = run, .stop = stop};

	return role_main(&definition);
}
