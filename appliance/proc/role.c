/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The common beginning and end of every role program; see role.h. */
#include "proc/role.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "board/messages.h"
#include "proc/role_table.h"
#include "proc/sandbox.h"

#define START_TIMEOUT_MS 10000
#define SIGN_OF_LIFE_MS 5000

struct running {
	const struct role_definition *definition;
	struct role_context context;
	struct loop_timer *life;
	int exit_code;
};

static void on_supervisor_message(void *arg, const struct message_header *h, const void *body, size_t size, int fd)
{
	struct running *r = arg;

	if (r->definition->on_supervisor)
		r->definition->on_supervisor(&r->context, h, body, size, fd);
	else if (fd >= 0)
		close(fd);
}

static void on_engine_message(void *arg, const struct message_header *h, const void *body, size_t size, int fd)
{
	struct running *r = arg;

	if (r->definition->on_engine)
		r->definition->on_engine(&r->context, h, body, size, fd);
	else if (fd >= 0)
		close(fd);
}

static void end(struct running *r, int code)
{
	r->exit_code = code;
	loop_stop(r->context.loop);
}

static void on_supervisor_broken(void *arg, const char *why)
{
	(void)why; /* the supervisor is gone: so are we */
	end(arg, 0);
}

static void on_engine_broken(void *arg, const char *why)
{
	log_warning("role: the engine's channel broke (%s): waiting to be started again", why);
	end(arg, 1);
}

static void on_terminate(void *arg, int number)
{
	(void)number;
	end(arg, 0);
}

static void on_life_due(void *arg)
{
	struct running *r = arg;

	channel_send(r->context.supervisor, MSG_HEARTBEAT, NULL, 0);
}

static int take_sockets(struct running *r)
{
	struct msg_socket what;
	size_t size;
	int fd;

	for (uint32_t i = 0; i < r->context.start.sockets; i++) {
		int rc = channel_wait(ROLE_SUPERVISOR_FD, 0, MSG_SOCKET, &what, sizeof what, &size, &fd, START_TIMEOUT_MS);
		if (rc)
			return rc;
		if (r->definition->on_socket && fd >= 0)
			r->definition->on_socket(&r->context, &what, fd);
		else if (fd >= 0)
			close(fd);
	}
	return 0;
}

static bool start_is_sound(const struct role_start *s, size_t size, enum role role)
{
	return size == sizeof *s && s->role == role && memchr(s->directory, 0, sizeof s->directory) &&
	       memchr(s->config_path, 0, sizeof s->config_path) && memchr(s->site, 0, sizeof s->site) &&
	       memchr(s->appliance, 0, sizeof s->appliance) && memchr(s->checks[0], 0, sizeof s->checks[0]) &&
	       memchr(s->checks[1], 0, sizeof s->checks[1]) && s->sockets <= 16;
}

static int begin(struct running *r)
{
	const struct role_definition *d = r->definition;
	struct role_start *s = &r->context.start;
	size_t size;
	int fd, rc = channel_wait(ROLE_SUPERVISOR_FD, 0, MSG_START, s, sizeof *s, &size, &fd, START_TIMEOUT_MS);

	if (rc || !start_is_sound(s, size, d->role)) {
		log_error("%s: this program is started by gloryd, not by hand", role_table[d->role].program);
		return ERR_NOT_NOW;
	}
	log_open(role_name((int)d->role), s->log_level, s->log_to_syslog);
	r->context.loop = loop_new();
	rc = take_sockets(r);
	/* the role's user may not reach them by their path */
	for (int i = 0; i < ROLE_CHECKS; i++)
		r->context.checks[i] = s->checks[i][0] ? open(s->checks[i], O_PATH | O_CLOEXEC | (role_table[d->role].exec == EXEC_PLUGINS ? O_DIRECTORY : 0)) : -1;
	if (!rc && d->prepare)
		rc = d->prepare(&r->context);
	if (!rc)
		rc = sandbox_drop_privileges(s->uid, s->gid);
	if (!rc)
		rc = sandbox_close(&role_table[d->role], s->directory, r->context.checks);
	return rc;
}

int role_main(const struct role_definition *definition)
{
	struct running r = {.definition = definition};

	log_open(role_name((int)definition->role), LOG_LEVEL_INFO, false);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN); /* Ctrl-C at a terminal is the supervisor's to hear */
	umask(027);
	int rc = begin(&r);
	if (rc)
		return 2;
	struct role_context *c = &r.context;
	struct channel_owner above = {on_supervisor_message, on_supervisor_broken, &r};
	struct channel_owner beside = {on_engine_message, on_engine_broken, &r};

	loop_signal(c->loop, SIGTERM, on_terminate, &r);
	c->supervisor = channel_open(c->loop, ROLE_SUPERVISOR_FD, 0, message_shapes, MSG_TYPE_COUNT, &above);
	if (definition->role != ROLE_ENGINE)
		c->engine = channel_open(c->loop, ROLE_ENGINE_FD, c->start.epoch, message_shapes, MSG_TYPE_COUNT, &beside);
	r.life = loop_timer_new(c->loop, on_life_due, &r);
	rc = definition->run(c);
	if (rc == 0) {
		channel_send(c->supervisor, MSG_READY, NULL, 0);
		if (c->engine)
			channel_send(c->engine, MSG_READY, NULL, 0);
		loop_timer_every(r.life, SIGN_OF_LIFE_MS);
		rc = loop_run(c->loop);
		if (definition->stop)
			definition->stop(c);
	}
	loop_timer_free(r.life);
	channel_free(c->engine);
	channel_free(c->supervisor);
	loop_free(c->loop);
	return rc ? 2 : r.exit_code;
}
