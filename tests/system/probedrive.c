/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plays supervisor and engine for one glory-checker, for tests of its service probes: a line of JSON on standard input is a message to it, each
 * state it tells is a line of JSON on standard output.
 *
 *   probedrive PATH-OF-GLORY-CHECKER UID [DIRECTORY OF PLUGINS]
 *   {"list": [PROBE...]}       MSG_PROBES, in as many packets as it takes        {"change": [PROBE...]}     MSG_PROBE_CHANGE
 * PROBE: {"probe", "generation", "address", "kind", "interval_ms", "timeout_ms", "rise", "fall", "name", "host", "path", "expect", "plugin",
 * "arguments", "status_low", "status_high"}, all but the first three may be missing. Ends with the end of its input. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "base/memory.h"
#include "base/text.h"
#include "board/messages.h"
#include "proc/role.h"

enum { EPOCH = 7, LINE = 8 << 20 };

static struct {
	int supervisor, engine;
	uint64_t sequence;
	char *line;
	size_t line_size;
} w;

static void send_message(int fd, uint16_t type, const void *body, size_t size)
{
	uint8_t packet[CHANNEL_PACKET_MAX];
	struct message_header h = {CHANNEL_VERSION, type, fd == w.supervisor ? 0 : EPOCH, ++w.sequence};

	memcpy(packet, &h, sizeof h);
	if (size)
		memcpy(packet + sizeof h, body, size);
	if (send(fd, packet, sizeof h + size, MSG_NOSIGNAL) < 0)
		perror("probedrive: send");
}

/* --- to it ------------------------------------------------------------------------------------------------- */
static void text_of(const json_t *o, const char *name, char *out, size_t size)
{
	const char *text = json_string_value(json_object_get(o, name));

	text_copy(out, size, text ? text : "");
}

static uint32_t number_of(const json_t *o, const char *name, uint32_t otherwise)
{
	const json_t *v = json_object_get(o, name);

	return json_is_integer(v) ? (uint32_t)json_integer_value(v) : otherwise;
}

static void fill(struct msg_member_probe *m, const json_t *o)
{
	static const char *const kinds[] = {"", "tcp", "http", "tls", "https", "plugin"};
	char word[64];

	memset(m, 0, sizeof *m);
	m->probe = number_of(o, "probe", 0);
	m->generation = number_of(o, "generation", 1);
	m->interval_ms = number_of(o, "interval_ms", 1000);
	m->timeout_ms = number_of(o, "timeout_ms", 500);
	m->rise = (uint16_t)number_of(o, "rise", 2);
	m->fall = (uint16_t)number_of(o, "fall", 2);
	m->status_low = (uint16_t)number_of(o, "status_low", 0);
	m->status_high = (uint16_t)number_of(o, "status_high", 0);
	text_of(o, "kind", word, sizeof word);
	for (uint16_t k = PROBE_TCP; k <= PROBE_PLUGIN; k++)
		if (strcmp(word, kinds[k]) == 0)
			m->kind = k;
	text_of(o, "address", word, sizeof word);
	address_parse(word, 0, &m->address);
	text_of(o, "name", m->name, sizeof m->name);
	text_of(o, "host", m->host, sizeof m->host);
	text_of(o, "path", m->path, sizeof m->path);
	text_of(o, "expect", m->expect, sizeof m->expect);
	text_of(o, "plugin", m->plugin, sizeof m->plugin);
	text_of(o, "arguments", m->arguments, sizeof m->arguments);
}

static void send_probes(const json_t *array, uint16_t type)
{
	static struct msg_member_probe m[CHANNEL_BODY_MAX / sizeof(struct msg_member_probe)];
	size_t at = 0, total = json_array_size(array), n;

	do {
		for (n = 0; n < COUNT_OF(m) && at < total; n++)
			fill(&m[n], json_array_get(array, at++));
		send_message(w.engine, type, m, n * sizeof m[0]);
	} while (n == COUNT_OF(m));
}

static void take_line(const char *line, size_t size)
{
	json_t *o = json_loadb(line, size, 0, NULL);

	if (json_object_get(o, "list"))
		send_probes(json_object_get(o, "list"), MSG_PROBES);
	else if (json_object_get(o, "change"))
		send_probes(json_object_get(o, "change"), MSG_PROBE_CHANGE);
	else
		fprintf(stderr, "probedrive: what is this: %.*s\n", (int)size, line);
	json_decref(o);
}

/* False: there is no more. */
static bool read_input(void)
{
	ssize_t n = read(0, w.line + w.line_size, LINE - w.line_size);
	char *end;

	if (n <= 0)
		return false;
	w.line_size += (size_t)n;
	while ((end = memchr(w.line, '\n', w.line_size))) {
		size_t size = (size_t)(end - w.line);
		take_line(w.line, size);
		w.line_size -= size + 1;
		memmove(w.line, end + 1, w.line_size);
	}
	return w.line_size < LINE;
}

/* --- from it ------------------------------------------------------------------------------------------------- */
static void say(json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);

	puts(text);
	fflush(stdout);
	free(text);
	json_decref(o);
}

static void take_message(uint16_t type, const void *body, size_t size)
{
	const struct msg_probe_state *s = body;
	const struct msg_stats *stats = body;

	if (type == MSG_READY)
		say(json_pack("{s:b}", "ready", 1));
	else if (type == MSG_STATS)
		say(json_pack("{s:I,s:I}", "handled", (json_int_t)stats->handled, "late_ms", (json_int_t)stats->worst_lateness_ms));
	else if (type == MSG_PROBE_STATE)
		for (size_t i = 0; i < size / sizeof *s; i++)
			say(json_pack("{s:i,s:i,s:s,s:i,s:i,s:I,s:s}", "probe", (int)s[i].probe, "generation", (int)s[i].generation, "state",
				      probe_state_name(s[i].state), "streak", s[i].streak, "took_ms", (int)s[i].took_ms, "since_ms",
				      (json_int_t)s[i].since_ms, "text", s[i].text));
}

/* False: the role is gone. */
static bool receive(int fd)
{
	static uint64_t aligned[CHANNEL_PACKET_MAX / 8];
	struct message_header h;
	ssize_t n = recv(fd, aligned, sizeof aligned, MSG_DONTWAIT);

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	if (n >= (ssize_t)sizeof h) {
		memcpy(&h, aligned, sizeof h);
		take_message(h.type, (uint8_t *)aligned + sizeof h, (size_t)n - sizeof h);
	}
	return true;
}

static pid_t start_role(const char *path, uint32_t uid, const char *plugins)
{
	struct role_start start = {.role = ROLE_CHECKER, .epoch = EPOCH, .life = 1, .log_level = 7, .uid = uid, .gid = uid, .site = "test", .appliance = "test"};
	int above[2], beside[2];

	text_copy(start.checks[0], sizeof start.checks[0], plugins);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, above) < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, beside) < 0)
		exit(1);
	pid_t pid = fork();
	if (pid == 0) {
		int a = fcntl(above[1], F_DUPFD, 10), b = fcntl(beside[1], F_DUPFD, 10);
		dup2(a, ROLE_SUPERVISOR_FD);
		dup2(b, ROLE_ENGINE_FD);
		close(a);
		close(b);
		execl(path, "glory-checker", (char *)NULL);
		_exit(127);
	}
	close(above[1]);
	close(beside[1]);
	w.supervisor = above[0];
	w.engine = beside[0];
	send_message(w.supervisor, MSG_START, &start, sizeof start);
	return pid;
}

int main(int argc, char **argv)
{
	int64_t uid = 0;
	int status;

	if (argc < 3 || !text_integer(argv[2], 0, UINT32_MAX, &uid)) {
		fprintf(stderr, "usage: probedrive CHECKER UID [DIRECTORY OF PLUGINS]\n");
		return 2;
	}
	w.line = mem_zalloc(LINE);
	pid_t pid = start_role(argv[1], (uint32_t)uid, argc > 3 ? argv[3] : "");
	for (bool more = true; more;) {
		struct pollfd p[] = {{0, POLLIN, 0}, {w.supervisor, POLLIN, 0}, {w.engine, POLLIN, 0}};
		if (poll(p, 3, -1) < 0)
			continue;
		if (p[0].revents)
			more = read_input();
		for (int i = 1; i < 3; i++)
			if (p[i].revents && !receive(p[i].fd))
				more = false;
	}
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	free(w.line);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}
