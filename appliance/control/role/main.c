/* SPDX-License-Identifier: GPL-3.0-or-later */
/* glory-runner: the role that carries out what the engine asks for outside: a verb on a node over OpenSSH, a driver program here. It decides
 * nothing; each request is answered once. Started by gloryd only. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "control/ended.h"
#include "control/role/credentials.h"
#include "control/role/picture.h"
#include "control/role/ssh.h"
#include "control/verbs.h"
#include "proc/children.h"
#include "proc/role.h"

enum { TICK_MS = 100, STATS_MS = 1000, ERRORS_KEPT = 4096, TAIL_KEPT = 1024, SHARED_MAX = 64, NODE_MARGIN_MS = 1500 };
enum { PROGRAM_SSH, PROGRAM_L4 }; /* role_entry.programs */

struct run {
	bool used, shared;
	struct msg_run m;
	int input, output; /* -1 none */
	size_t size;
	int64_t arrived;
	struct child *child; /* NULL: it waits for its credential */
	size_t errors_size, tail_size, line_size;
	char errors[ERRORS_KEPT], tail[TAIL_KEPT], line[sizeof((struct msg_run_line *)0)->text];
};

static struct runner {
	struct role_context *context;
	struct children *children;
	struct credentials *credentials;
	struct loop_timer *tick, *second; /* tick: while a run waits for its credential */
	char keys[320], sockets[320];
	uint64_t done, garbage;
	struct run *runs; /* RUNS_MAX */
} runner;

/* --- answers --------------------------------------------------------------------------------------------- */
static void forget(struct run *r)
{
	if (r->input >= 0)
		close(r->input);
	if (r->output >= 0)
		close(r->output);
	r->used = false;
}

static void answer(struct runner *me, struct run *r, enum run_ended end, int code, const char *text)
{
	struct msg_run_result m = {.request = r->m.request, .end = end, .code = code, .took_ms = (uint32_t)(clock_mono_ms() - r->arrived),
				   .size = (uint32_t)r->size};
	bool whole = end == ENDED_DONE && r->size < sizeof m.text && strlen(r->tail) == r->size;

	if (whole)
		text_copy(m.text, sizeof m.text, r->tail);
	else if (end == ENDED_DONE)
		control_last_line(r->tail, m.text, sizeof m.text);
	else
		text_copy(m.text, sizeof m.text, text);
	int fd = whole || !r->size ? -1 : r->output;
	if (fd >= 0) {
		fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
		lseek(fd, 0, SEEK_SET);
	}
	channel_send_fd(me->context->engine, MSG_RUN_RESULT, &m, sizeof m, fd);
	me->done++;
	forget(r);
}

static void send_line(const struct run *r)
{
	struct msg_run_line m = {.request = r->m.request};

	text_copy(m.text, sizeof m.text, r->line);
	text_make_printable(m.text);
	channel_send_lossy(runner.context->engine, MSG_RUN_LINE, &m, sizeof m);
}

/* Lines as they come; one that is too long comes in pieces. */
static void stream(struct run *r, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		bool ended = bytes[i] == '\n' || r->line_size == sizeof r->line - 1;
		if (ended && r->line_size) {
			r->line[r->line_size] = '\0';
			send_line(r);
			r->line_size = 0;
		}
		if (bytes[i] != '\n' && bytes[i] != '\0')
			r->line[r->line_size++] = bytes[i];
	}
}

/* Keeps the last bytes of a stream, terminated. */
static void keep(char *kept, size_t room, size_t *size, const char *bytes, size_t count)
{
	if (count >= room - 1) {
		memcpy(kept, bytes + count - (room - 1), room - 1);
		*size = room - 1;
	} else {
		size_t drop = *size + count > room - 1 ? *size + count - (room - 1) : 0;
		memmove(kept, kept + drop, *size - drop);
		memcpy(kept + *size - drop, bytes, count);
		*size = *size - drop + count;
	}
	kept[*size] = '\0';
}

static void on_bytes(void *arg, int which, const char *bytes, size_t size)
{
	struct run *r = arg;

	if (which == 2) { /* the beginning is kept, too: what ssh says of the login */
		size_t room = sizeof r->errors - 1 - r->errors_size, take = size < room ? size : room;
		memcpy(r->errors + r->errors_size, bytes, take);
		r->errors_size += take;
		r->errors[r->errors_size] = '\0';
		return;
	}
	keep(r->tail, sizeof r->tail, &r->tail_size, bytes, size);
	if (r->size + size <= RUN_OUTPUT_MAX && write(r->output, bytes, size) == (ssize_t)size)
		r->size += size;
	if (r->m.stream)
		stream(r, bytes, size);
}

static void on_end(void *arg, enum child_end how, int code, uint32_t took_ms)
{
	struct run *r = arg;
	struct run_seen seen = {.how = how, .code = code, .shared = r->shared, .errors = r->errors, .output = r->tail, .host = r->m.host,
				.deadline_s = (r->m.deadline_ms + 500) / 1000};
	char text[sizeof((struct msg_run_result *)0)->text];
	enum run_ended end;

	(void)took_ms;
	if (r->m.stream && r->line_size) {
		r->line[r->line_size] = '\0';
		send_line(r);
	}
	if (r->m.kind == RUN_DRIVER) {
		seen.host = r->m.driver;
		end = control_ended_here(&seen, r->size == 0, text, sizeof text);
	} else {
		end = control_ended(&seen, text, sizeof text);
	}
	r->child = NULL;
	answer(&runner, r, end, how == CHILD_EXITED ? code : -1, text);
}

/* --- beginning ------------------------------------------------------------------------------------------------- */
static bool socket_path(const struct runner *me, const struct run *r, char *out, size_t size)
{
	char what[ADDRESS_TEXT + 2 * NAME_SIZE + 4], address[ADDRESS_TEXT];

	text_format(what, sizeof what, "%s %s %s", r->m.host, r->m.credential, address_text(&r->m.address, 0, address));
	return text_format(out, size, "%s/%016llx", me->sockets, (unsigned long long)text_hash(what, strlen(what)));
}

static int make_output(void)
{
	return memfd_create("output", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

static void launch(struct runner *me, struct run *r, int program, char *const *words, int64_t now)
{
	static char *const environment[] = {(char *)(uintptr_t) "PATH=/usr/bin:/bin", (char *)(uintptr_t) "LC_ALL=C", (char *)(uintptr_t) "HOME=/nonexistent", NULL};
	static const struct child_limits limits = {.files = 256};
	int64_t left = r->arrived + r->m.deadline_ms - now;
	struct child_plan plan = {.program = program, .words = words, .environment = environment, .input = r->input, .errors = true,
				  .timeout_ms = left > 1 ? (uint32_t)left : 1, .output_max = RUN_OUTPUT_MAX, .limits = &limits,
				  .on_bytes = on_bytes, .on_end = on_end, .arg = r};
	char text[128];
	int error = 0;

	r->output = make_output();
	if (r->output >= 0)
		r->child = children_start(me->children, &plan, now, &error);
	if (r->child)
		return;
	text_format(text, sizeof text, "%s cannot be started: %s", words[0], strerror(error ? error : errno));
	answer(me, r, ENDED_BUSY, -1, text);
}

/* Both ends keep the deadline: the node's is earlier, so that its word of it still reaches us. */
static bool make_line(const struct run *r, char line[CONTROL_LINE])
{
	char seconds[16], token[24], given[16];
	uint32_t margin = r->m.deadline_ms > 4 * NODE_MARGIN_MS ? NODE_MARGIN_MS : r->m.deadline_ms / 4;

	text_format(seconds, sizeof seconds, "%u", (r->m.deadline_ms - margin) / 1000 ? (r->m.deadline_ms - margin) / 1000 : 1);
	if (r->m.kind == RUN_DRIVER_REMOTE && (!control_line_begin(line, "balance") || !control_line_add(line, "driver", r->m.driver)))
		return false;
	if (r->m.kind == RUN_NODE)
		text_copy(line, CONTROL_LINE, r->m.line);
	text_format(token, sizeof token, "%" PRIu64, r->m.token);
	if (r->m.token && !control_line_add(line, "token", token))
		return false;
	return control_line_value(line, "deadline", given, sizeof given) || control_line_add(line, "deadline", seconds);
}

static void start_ssh(struct runner *me, struct run *r, int64_t now)
{
	char line[CONTROL_LINE], socket[384];
	struct ssh_command command;
	struct stat st;

	if (!make_line(r, line) || !socket_path(me, r, socket, sizeof socket)) {
		answer(me, r, ENDED_FAILED, -1, "the line is too long");
		return;
	}
	r->shared = lstat(socket, &st) == 0;
	if (!r->shared && children_orphans(me->children) >= SHARED_MAX)
		socket[0] = '\0'; /* a connection of its own: kept ones cost memory */
	struct ssh_target target = {.keys = me->keys, .socket = socket, .credential = r->m.credential, .host = r->m.host, .line = line,
				    .address = r->m.address, .user = "glory"};
	if (!ssh_command(&command, &target))
		answer(me, r, ENDED_FAILED, -1, "the line is too long");
	else
		launch(me, r, me->context->checks[PROGRAM_SSH], command.words, now);
}

static void start_driver(struct runner *me, struct run *r, int64_t now)
{
	char program[] = "glory-l4", driver[sizeof r->m.driver];
	char *words[] = {program, driver, NULL};
	char text[160];

	text_copy(driver, sizeof driver, r->m.driver);
	if (r->m.credential[0]) {
		int spliced = picture_splice(r->input, credentials_snmp(me->credentials, r->m.credential), text, sizeof text);
		if (spliced < 0) {
			answer(me, r, ENDED_FAILED, -1, text);
			return;
		}
		close(r->input);
		r->input = spliced;
	}
	if (me->context->checks[PROGRAM_L4] < 0)
		answer(me, r, ENDED_FAILED, -1, "glory-l4 is not installed");
	else
		launch(me, r, me->context->checks[PROGRAM_L4], words, now);
}

/* Starts what has its credential; what cannot have it is answered. */
static void try(struct runner *me, struct run *r, int64_t now)
{
	const char *trouble = "";
	enum credential_state state = CREDENTIAL_READY;

	if (r->m.kind != RUN_DRIVER)
		state = credentials_want(me->credentials, SECRET_SSH, r->m.credential, now, &trouble);
	else if (r->m.credential[0])
		state = credentials_want(me->credentials, SECRET_SNMP, r->m.credential, now, &trouble);
	if (state == CREDENTIAL_MISSING)
		answer(me, r, ENDED_PERMISSION, -1, trouble);
	else if (state == CREDENTIAL_READY && r->m.kind == RUN_DRIVER)
		start_driver(me, r, now);
	else if (state == CREDENTIAL_READY)
		start_ssh(me, r, now);
}

static void try_waiting(struct runner *me, int64_t now)
{
	for (int i = 0; i < RUNS_MAX; i++)
		if (me->runs[i].used && !me->runs[i].child)
			try(me, &me->runs[i], now);
	credentials_forget_snmp(me->credentials);
}

/* --- messages --------------------------------------------------------------------------------------------------- */
static bool sound(const struct msg_run *m, struct error *e)
{
	error_set(e, ERR_CONFIG, "run", "", "the request is not well-formed");
	if (!text_terminated(m->host, sizeof m->host) || !text_terminated(m->credential, sizeof m->credential) ||
	    !text_terminated(m->driver, sizeof m->driver) || !text_terminated(m->line, sizeof m->line) || m->deadline_ms == 0 ||
	    m->deadline_ms > 86400000 || m->kind < RUN_NODE || m->kind > RUN_DRIVER_REMOTE)
		return false;
	if (m->kind != RUN_NODE && !words_value(WORDS_BALANCER_DRIVER, m->driver))
		return false;
	if (m->kind != RUN_DRIVER && (!m->address.family || !text_is_name(m->host, NAME_SIZE - 1)))
		return false;
	return m->kind != RUN_NODE || control_line_check(m->line, NULL, e) == 0;
}

static void take_run(struct runner *me, const struct msg_run *m, int fd)
{
	struct run *r = me->runs, refused = {.m = *m, .input = fd, .output = -1, .arrived = clock_mono_ms()};
	char text[512];
	struct error e;

	while (r < me->runs + RUNS_MAX && r->used)
		r++;
	if (!sound(m, &e)) {
		me->garbage++;
		text_format(text, sizeof text, "%s: %s", e.object, e.text);
		answer(me, &refused, ENDED_FAILED, CONTROL_USAGE, text);
	} else if (r == me->runs + RUNS_MAX) {
		answer(me, &refused, ENDED_BUSY, -1, "too much is being run already");
	} else {
		*r = refused;
		r->used = true;
		loop_timer_keep(me->tick, TICK_MS);
		try(me, r, r->arrived);
	}
}

static void cancel(struct runner *me, uint64_t request)
{
	for (int i = 0; i < RUNS_MAX; i++) {
		struct run *r = &me->runs[i];
		if (!r->used || r->m.request != request)
			continue;
		if (r->child)
			children_cancel(r->child, clock_mono_ms());
		else
			answer(me, r, ENDED_CANCELLED, -1, "cancelled");
	}
}

static void on_engine(struct role_context *context, const struct message_header *h, const void *body, size_t size, int fd)
{
	(void)context;
	(void)size;
	if (h->type == MSG_RUN) {
		take_run(&runner, body, fd);
		return;
	}
	if (h->type == MSG_RUN_CANCEL)
		cancel(&runner, ((const struct msg_run_id *)body)->request);
	if (fd >= 0)
		close(fd);
}

static void on_supervisor(struct role_context *context, const struct message_header *h, const void *body, size_t size, int fd)
{
	(void)context;
	(void)size;
	if (fd >= 0)
		close(fd);
	if (h->type != MSG_SECRET)
		return;
	struct msg_secret copy = *(const struct msg_secret *)body;
	if (credentials_take(runner.credentials, &copy, clock_mono_ms()))
		try_waiting(&runner, clock_mono_ms());
	explicit_bzero(&copy, sizeof copy);
}

static void ask_secret(void *arg, const struct msg_secret_ask *m)
{
	struct runner *me = arg;

	channel_send(me->context->supervisor, MSG_SECRET_ASK, m, sizeof *m);
}

/* --- the role --------------------------------------------------------------------------------------------------- */
static void on_tick(void *arg)
{
	struct runner *me = arg;
	int64_t now = clock_mono_ms();
	bool waits = false;

	for (int i = 0; i < RUNS_MAX; i++) {
		struct run *r = &me->runs[i];
		if (!r->used || r->child)
			continue;
		if (now - r->arrived >= r->m.deadline_ms)
			answer(me, r, ENDED_LATE, -1, "its credential did not come in time");
		else
			waits = true;
	}
	if (!waits)
		loop_timer_stop(me->tick);
}

static void on_second(void *arg)
{
	struct runner *me = arg;
	struct msg_stats m = {.handled = me->done, .garbage = me->garbage, .queued = children_running(me->children),
			      .worst_lateness_ms = (int32_t)loop_lateness_ms(me->context->loop)};
	channel_send_lossy(me->context->engine, MSG_STATS, &m, sizeof m);
}

static void ignore_bytes(void *arg, int which, const char *bytes, size_t size)
{
	(void)arg;
	(void)which;
	(void)bytes;
	(void)size;
}

static void ignore_end(void *arg, enum child_end how, int code, uint32_t took_ms)
{
	(void)arg;
	(void)how;
	(void)code;
	(void)took_ms;
}

/* Connections that a life before has kept are ended: nobody knows them any more. */
static void end_old_connections(struct runner *me)
{
	static char *const environment[] = {NULL};
	DIR *d = opendir(me->sockets);

	for (struct dirent *entry; d && (entry = readdir(d));) {
		struct ssh_command command;
		char path[640];
		int error;
		if (entry->d_name[0] == '.' || !text_format(path, sizeof path, "%s/%s", me->sockets, entry->d_name))
			continue;
		struct child_plan plan = {.program = me->context->checks[PROGRAM_SSH], .words = command.words, .environment = environment, .input = -1,
					  .timeout_ms = 5000, .output_max = 4096, .on_bytes = ignore_bytes, .on_end = ignore_end};
		if (!ssh_command_end(&command, path) || !children_start(me->children, &plan, clock_mono_ms(), &error))
			unlink(path);
	}
	if (d)
		closedir(d);
}

static int prepare(struct role_context *context)
{
	if (context->checks[PROGRAM_SSH] < 0)
		log_warning("runner: there is no %s: nodes cannot be controlled: install openssh-client", context->start.checks[PROGRAM_SSH]);
	return 0;
}

static int run(struct role_context *context)
{
	struct runner *me = &runner;

	me->context = context;
	text_format(me->keys, sizeof me->keys, "%s/runner/keys", context->start.directory);
	text_format(me->sockets, sizeof me->sockets, "%s/runner/m", context->start.directory);
	me->runs = mem_array(RUNS_MAX, sizeof me->runs[0]);
	me->credentials = credentials_new(me->keys, ask_secret, me);
	if (!me->credentials)
		return ERR_NO_RESOURCE;
	mkdir(me->sockets, 0700);
	me->children = children_new(context->loop, RUNS_MAX, true);
	end_old_connections(me);
	me->tick = loop_timer_new(context->loop, on_tick, me);
	me->second = loop_timer_new(context->loop, on_second, me);
	loop_timer_every(me->second, STATS_MS);
	return 0;
}

static void stop(struct role_context *context)
{
	(void)context;
	credentials_end(runner.credentials);
	children_end(runner.children);
}

int main(void)
{
	static const struct role_definition definition = {.role = ROLE_RUNNER, .prepare = prepare, .on_engine = on_engine,
							  .on_supervisor = on_supervisor, .run = run, .stop = stop};

	return role_main(&definition);
}
