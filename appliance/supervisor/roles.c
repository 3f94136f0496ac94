/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starting, watching and restarting the roles. The engine's death restarts all (the board and the epoch are its own); another
 * role's death restarts that role at once, or with a doubling delay when it died before it was READY. */
#include "supervisor/roles.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "proc/role.h"

#define WATCHDOG_MS 60000
#define DELAY_FIRST_MS 250
#define DELAY_MAX_MS 60000

static int role_start(struct role_run *r);

static void announce_when_ready(struct supervisor *s)
{
	for (int i = ROLE_ENGINE; i < ROLE_COUNT; i++)
		if (!s->roles[i].ready)
			return;
	if (!s->announced) {
		s->announced = true;
		sd_notify(0, "READY=1");
		log_info("all roles are ready");
	}
}

static void answer_secret(struct role_run *r, const struct msg_secret_ask *ask)
{
	struct msg_secret secret;

	do_privileged_secret(r->supervisor, r->entry, ask, &secret);
	channel_send(r->channel, MSG_SECRET, &secret, sizeof secret);
	explicit_bzero(&secret, sizeof secret);
}

static void on_message(void *arg, const struct message_header *h, const void *body, size_t size, int fd)
{
	struct role_run *r = arg;

	(void)size;
	r->last_sign_ms = clock_mono_ms();
	if (h->type == MSG_READY) {
		r->ready = true;
		r->delay_ms = 0;
		log_debug("%s is ready", role_name((int)r->entry->role));
		announce_when_ready(r->supervisor);
	} else if (h->type == MSG_SECRET_ASK) {
		answer_secret(r, body);
	} else if (h->type == MSG_HELPER_RUN && r->entry->role == ROLE_ENGINE) {
		do_privileged_helper(r->supervisor, body, fd);
		return;
	}
	if (fd >= 0)
		close(fd);
}

static void on_broken(void *arg, const char *why)
{
	struct role_run *r = arg;

	log_debug("%s: channel %s", role_name((int)r->entry->role), why);
	if (r->pid > 0)
		kill(r->pid, SIGKILL); /* it is reaped, and started again, by SIGCHLD */
}

static void send_settings(struct role_run *engine)
{
	struct supervisor *s = engine->supervisor;

	if (engine->channel)
		channel_send(engine->channel, MSG_SETTINGS, &s->settings, sizeof s->settings);
}

static void send_certificate(struct role_run *api)
{
	struct msg_https m;

	if (!api->channel)
		return;
	int fd = do_privileged_certificate(&api->supervisor->settings, &m);
	if (fd < 0) {
		channel_send(api->channel, MSG_HTTPS, &m, sizeof m);
		return;
	}
	channel_send_fd(api->channel, MSG_HTTPS, &m, sizeof m, fd);
	close(fd);
}

static void send_start(struct role_run *r, uint32_t uid)
{
	struct supervisor *s = r->supervisor;
	struct role_start start = {.role = r->entry->role, .epoch = s->epoch, .life = r->life, .uid = uid, .gid = uid,
				   .log_level = s->settings.log_level, .log_to_syslog = s->settings.log_to_syslog};

	for (int i = 0; i < ROLE_COUNT; i++)
		start.restarts[i] = s->roles[i].life ? s->roles[i].life - 1 : 0;
	text_copy(start.directory, sizeof start.directory, s->settings.data);
	text_copy(start.site, sizeof start.site, s->settings.site);
	text_copy(start.appliance, sizeof start.appliance, s->settings.appliance);
	if (r->entry->exec == EXEC_PLUGINS) {
		text_format(start.checks[0], sizeof start.checks[0], "%.240s/plugins", s->programs);
		text_copy(start.checks[1], sizeof start.checks[1], s->settings.checks);
	}
	for (int i = 0; r->entry->exec == EXEC_PROGRAMS && i < ROLE_CHECKS && r->entry->programs[i]; i++)
		text_format(start.checks[i], sizeof start.checks[i], "%s%s%s", r->entry->programs[i][0] == '/' ? "" : s->programs,
			    r->entry->programs[i][0] == '/' ? "" : "/", r->entry->programs[i]);
	for (int use = 1; use < SOCKET_USES; use++)
		start.sockets += (r->entry->sockets & (1u << use)) && s->sockets[use] >= 0;
	channel_send(r->channel, MSG_START, &start, sizeof start);
	for (uint32_t use = 1; use < SOCKET_USES; use++) {
		struct msg_socket m = {.use = use, .bound = s->socket_address[use]};
		if ((r->entry->sockets & (1u << use)) && s->sockets[use] >= 0)
			channel_send_fd(r->channel, MSG_SOCKET, &m, sizeof m, s->sockets[use]);
	}
	if (r->entry->role == ROLE_API)
		send_certificate(r);
	if (r->entry->role != ROLE_ENGINE)
		return;
	send_settings(r);
	if (s->first_cluster >= 0)
		channel_send_fd(r->channel, MSG_FIRST_CLUSTER, NULL, 0, s->first_cluster);
}

static void tell_engine(struct role_run *r)
{
	struct role_run *engine = &r->supervisor->roles[ROLE_ENGINE];
	struct msg_endpoint m = {.role = r->entry->role, .life = r->life};

	if (r->engine_end < 0 || !engine->channel)
		return;
	channel_send_fd(engine->channel, MSG_ENDPOINT, &m, sizeof m, r->engine_end);
	close(r->engine_end);
	r->engine_end = -1;
}

static int launch(struct role_run *r, int supervisor_end, int engine_end)
{
	struct supervisor *s = r->supervisor;
	struct spawn what = {.directory = s->programs, .program = r->entry->program, .in = -1, .out = -1,
			     .third = supervisor_end, .fourth = engine_end, .nice = r->entry->nice};

	r->pid = spawn_program(&what);
	return r->pid > 0 ? 0 : (int)r->pid;
}

static void wait_longer(struct role_run *r)
{
	r->delay_ms = r->delay_ms ? (r->delay_ms * 2 > DELAY_MAX_MS ? DELAY_MAX_MS : r->delay_ms * 2) : DELAY_FIRST_MS;
}

static int role_start(struct role_run *r)
{
	struct supervisor *s = r->supervisor;
	struct channel_owner owner = {on_message, on_broken, r};
	int up[2], beside[2] = {-1, -1};
	uint32_t uid = spawn_role_uid(s, r->entry);

	if (s->root && uid == 0) {
		log_error("%s: there is no user %s: create it (systemd-sysusers) or set first-uid", r->entry->program, r->entry->account);
		return ERR_CONFIG;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, up))
		return ERR_NO_RESOURCE;
	if (r->entry->role != ROLE_ENGINE && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, beside)) {
		close(up[0]);
		close(up[1]);
		return ERR_NO_RESOURCE;
	}
	int rc = launch(r, up[1], beside[1]);
	close(up[1]);
	if (beside[1] >= 0)
		close(beside[1]);
	if (r->engine_end >= 0)
		close(r->engine_end);
	r->engine_end = beside[0];
	r->life++;
	r->ready = false;
	r->started_ms = r->last_sign_ms = clock_mono_ms();
	if (rc) { /* tried again, later and later: the others go on meanwhile */
		close(up[0]);
		r->pid = 0;
		wait_longer(r);
		loop_timer_set(r->restart, r->delay_ms);
		return 0;
	}
	r->channel = channel_open(s->loop, up[0], 0, message_shapes, MSG_TYPE_COUNT, &owner);
	send_start(r, uid);
	if (r->entry->role != ROLE_ENGINE) {
		tell_engine(r);
		return 0;
	}
	for (int i = ROLE_COLLECTOR; i < ROLE_COUNT; i++) /* those that were started while the engine was away */
		if (s->roles[i].supervisor)
			tell_engine(&s->roles[i]);
	return 0;
}

static void on_restart_due(void *arg)
{
	struct role_run *r = arg;

	if (!r->supervisor->stopping && r->pid <= 0)
		role_start(r);
}

static void restart_everything(struct supervisor *s)
{
	s->epoch++;
	for (int i = ROLE_COLLECTOR; i < ROLE_COUNT; i++)
		if (s->roles[i].pid > 0)
			kill(s->roles[i].pid, SIGKILL);
}

static void role_ended(struct role_run *r, int status)
{
	struct supervisor *s = r->supervisor;
	const char *name = role_name((int)r->entry->role);

	r->pid = 0;
	channel_free(r->channel);
	r->channel = NULL;
	if (s->stopping)
		return;
	if (WIFSIGNALED(status))
		log_warning("%s: ended by signal %d: starting it again", name, WTERMSIG(status));
	else
		log_warning("%s: ended with code %d: starting it again", name, WEXITSTATUS(status));
	if (r->ready)
		r->delay_ms = 0;
	else
		wait_longer(r);
	r->ready = false;
	if (r->entry->role == ROLE_ENGINE)
		restart_everything(s);
	loop_timer_set(r->restart, r->delay_ms);
}

static void on_child(void *arg, int number)
{
	struct supervisor *s = arg;
	int status;
	pid_t pid;

	(void)number;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (helper_reaped(pid, status))
			continue;
		for (int i = ROLE_ENGINE; i < ROLE_COUNT; i++)
			if (s->roles[i].pid == pid)
				role_ended(&s->roles[i], status);
	}
}

static void on_watchdog(void *arg)
{
	struct supervisor *s = arg;
	int64_t now = clock_mono_ms();

	sd_notify(0, "WATCHDOG=1");
	helpers_tick(now);
	for (int i = ROLE_ENGINE; i < ROLE_COUNT; i++) {
		struct role_run *r = &s->roles[i];
		if (r->pid > 0 && now - r->last_sign_ms > WATCHDOG_MS) {
			log_error("%s: no sign of life for %d s: killed", role_name(i), WATCHDOG_MS / 1000);
			r->last_sign_ms = now;
			kill(r->pid, SIGKILL);
		}
	}
}

void roles_send_settings(struct supervisor *s)
{
	send_certificate(&s->roles[ROLE_API]); /* first: those who are let in come by the engine */
	send_settings(&s->roles[ROLE_ENGINE]);
}

int roles_start(struct supervisor *s)
{
	loop_signal(s->loop, SIGCHLD, on_child, s);
	s->watchdog = loop_timer_new(s->loop, on_watchdog, s);
	loop_timer_every(s->watchdog, 1000);
	for (int i = ROLE_ENGINE; i < ROLE_COUNT; i++) {
		struct role_run *r = &s->roles[i];

		*r = (struct role_run){.supervisor = s, .entry = &role_table[i], .engine_end = -1};
		r->restart = loop_timer_new(s->loop, on_restart_due, r);
		int rc = role_start(r);
		if (rc)
			return rc;
	}
	return 0;
}

/* Ends one role: SIGTERM, then SIGKILL at the deadline. The engine stays to the end of the others, the recorder writes what it has. */
static void end_role(struct role_run *r, int64_t deadline_ms)
{
	int status;

	if (r->pid <= 0)
		return;
	kill(r->pid, SIGTERM);
	while (waitpid(r->pid, &status, WNOHANG) == 0) {
		if (clock_mono_ms() > deadline_ms) {
			kill(r->pid, SIGKILL);
			waitpid(r->pid, &status, 0);
			break;
		}
		struct timespec pause = {0, 5000000};
		nanosleep(&pause, NULL);
	}
	r->pid = 0;
}

void roles_stop(struct supervisor *s)
{
	static const enum role order[] = {ROLE_COLLECTOR, ROLE_CHECKER, ROLE_RUNNER, ROLE_BMC, ROLE_API, ROLE_AGENT, ROLE_ENGINE, ROLE_RECORDER};

	s->stopping = true;
	sd_notify(0, "STOPPING=1");
	helpers_end();
	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
		end_role(&s->roles[order[i]], clock_mono_ms() + (order[i] == ROLE_RECORDER ? 15000 : 5000));
}
