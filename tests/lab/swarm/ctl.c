/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands that change knobs and ask for counts while the swarm runs; called by main.c. */
#include "tests/lab/swarm/ctl.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lab/swarm/agent.h"
#include "tests/lab/swarm/bmc.h"
#include "tests/lab/swarm/count.h"
#include "tests/lab/swarm/tcp.h"

enum { LINE_MAX_SIZE = 4096, ANSWER_MAX = 65536, ANSWER_TIMEOUT_MS = 10000 };

struct job {
	struct swarm *swarm;
	bool bmcs;
	const char *name, *value;
	FILE *out;
};

static struct knobs *knobs_of(const struct job *j, unsigned i)
{
	return j->bmcs ? bmc_knobs(j->swarm, i) : &j->swarm->agent[i].knobs;
}

/* A changed agent is no longer one whose polls are counted on; `frozen` fixes the moment. */
static void changed(const struct job *j, unsigned i)
{
	struct agent *a = &j->swarm->agent[i];

	if (j->bmcs)
		return;
	if (!a->knobs.frozen)
		a->frozen_ms = -1;
	else if (a->frozen_ms < 0)
		a->frozen_ms = j->swarm->now_ms;
	tcp_update(j->swarm, i);
	if (knobs_disturb(&a->knobs))
		count_exclude(a);
}

static void set_one(void *context, unsigned i)
{
	const struct job *j = context;

	knobs_set(knobs_of(j, i), j->bmcs ? FOR_BMCS : FOR_AGENTS, j->name, j->value);
	changed(j, i);
}

static void clear_one(void *context, unsigned i)
{
	const struct job *j = context;

	*knobs_of(j, i) = (struct knobs){0};
	changed(j, i);
}

static void do_one(void *context, unsigned i)
{
	const struct job *j = context;

	if (strcmp(j->name, "reboot") == 0) {
		agent_reboot(j->swarm, i);
		count_exclude(&j->swarm->agent[i]);
	} else if (strcmp(j->name, "forget") == 0) {
		bmc_forget(j->swarm, i);
	} else {
		bmc_power(j->swarm, i, strcmp(j->name, "power-on") == 0);
	}
}

static void show_one(void *context, unsigned i)
{
	const struct job *j = context;
	const struct agent *a = &j->swarm->agent[i];
	char text[256] = "";

	if (j->bmcs) {
		bmc_show(j->swarm, i, text, sizeof(text));
		fprintf(j->out, "bmc %u %s\n", i, text);
		return;
	}
	fprintf(j->out,
		"agent %u off %d excluded %d up_ms %lld polls %u repeats %u heartbeats %u echoes %u walks %u "
		"max_poll_gap_ms %u\n",
		i, a->off, a->count.excluded, (long long)(j->swarm->now_ms - a->boot_ms), a->count.polls,
		a->count.repeats, a->count.heartbeats, a->count.echoes, a->count.walks, a->count.max_poll_gap_ms);
}

static bool refuse(FILE *out, const char *why)
{
	fprintf(out, "%s\n", why);
	return false;
}

/* Runs `each` over the machines of a command whose words are KIND RANGE. */
static bool over(struct job *j, char **words, void (*each)(void *, unsigned))
{
	unsigned limit = j->bmcs ? j->swarm->bmcs : j->swarm->agents;

	return knobs_each(words[2], limit, each, j) ||
	       refuse(j->out,
		      "no such range: all, 7, 0-499, 0-9999/20 or a list of these, below the number of machines");
}

static bool set_knobs(struct job *j, char **words, int count)
{
	struct knobs trial = {0};
	const char *why;

	if (count < 5 || count % 2 == 0)
		return refuse(j->out, "usage: set agents|bmcs RANGE KNOB VALUE [KNOB VALUE]...");
	for (int i = 3; i < count; i += 2)
		if ((why = knobs_set(&trial, j->bmcs ? FOR_BMCS : FOR_AGENTS, words[i], words[i + 1])))
			return refuse(j->out, why);
	for (int i = 3; i < count; i += 2) {
		j->name = words[i];
		j->value = words[i + 1];
		if (!over(j, words, set_one))
			return false;
	}
	return true;
}

static bool do_action(struct job *j, char **words, int count)
{
	static const char *const actions[] = {"reboot", "forget", "power-on", "power-off"};

	if (count != 4)
		return refuse(j->out, "usage: do agents RANGE reboot, or do bmcs RANGE forget|power-on|power-off");
	for (unsigned i = 0; i < 4; i++)
		if (strcmp(words[3], actions[i]) == 0 && j->bmcs == (i > 0)) {
			j->name = actions[i];
			return over(j, words, do_one);
		}
	return refuse(j->out, "no such action: do agents RANGE reboot, or do bmcs RANGE forget|power-on|power-off");
}

static bool machines_command(struct swarm *swarm, char **words, int count, FILE *out)
{
	struct job j = {.swarm = swarm, .out = out};

	if (count < 3 || (strcmp(words[1], "agents") != 0 && strcmp(words[1], "bmcs") != 0))
		return refuse(out, "usage: set|clear|do|show agents|bmcs RANGE ...");
	j.bmcs = strcmp(words[1], "bmcs") == 0;
	if (strcmp(words[0], "set") == 0)
		return set_knobs(&j, words, count);
	if (strcmp(words[0], "do") == 0)
		return do_action(&j, words, count);
	return over(&j, words, strcmp(words[0], "clear") == 0 ? clear_one : show_one);
}

static void list_knobs(FILE *out)
{
	unsigned count;
	const struct knob *table = knobs_table(&count);

	for (unsigned i = 0; i < count; i++)
		fprintf(out, "%-13s %s%s  %s\n", table[i].name, table[i].whose & FOR_AGENTS ? "agents " : "       ",
			table[i].whose & FOR_BMCS ? "bmcs" : "    ", table[i].help);
}

static bool other_command(struct swarm *swarm, char **words, int count, FILE *out)
{
	char *end;
	unsigned long ms;

	if (strcmp(words[0], "report") == 0) {
		count_report(swarm, out);
	} else if (strcmp(words[0], "reset") == 0) {
		count_reset(swarm);
	} else if (strcmp(words[0], "knobs") == 0) {
		list_knobs(out);
	} else if (strcmp(words[0], "quit") == 0) {
		swarm->stop = true;
	} else if (strcmp(words[0], "interval") == 0 && count == 2) {
		ms = strtoul(words[1], &end, 10);
		if (*end || ms < 10 || ms > 3600000)
			return refuse(out, "interval out of range: 10..3600000 ms");
		swarm->interval_ms = (uint32_t)ms;
		count_reset(swarm);
	} else if (strcmp(words[0], "ping") != 0) {
		return refuse(out, "no such command: set clear do show report reset interval knobs ping quit");
	}
	return true;
}

bool ctl_command(struct swarm *swarm, char *line, FILE *out)
{
	static const char *const machines[] = {"set", "clear", "do", "show"};
	char *words[64], *save = NULL;
	int count = 0;

	for (char *w = strtok_r(line, " \n", &save); w && count < 64; w = strtok_r(NULL, " \n", &save))
		words[count++] = w;
	if (count == 0)
		return refuse(out, "empty command");
	for (unsigned i = 0; i < 4; i++)
		if (strcmp(words[0], machines[i]) == 0)
			return machines_command(swarm, words, count, out);
	return other_command(swarm, words, count, out);
}

static int open_unix(const char *path, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address->sun_path)) {
		fprintf(stderr, "swarm: control socket %s: path too long, use a shorter one\n", path);
		return -1;
	}
	memcpy(address->sun_path, path, strlen(path));
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
}

int ctl_listen(const char *path)
{
	struct sockaddr_un address;
	int fd = open_unix(path, &address);

	if (fd < 0)
		return -1;
	unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 16) < 0) {
		fprintf(stderr, "swarm: control socket %s: %s, is its directory there\n", path, strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

void ctl_ready(struct swarm *swarm, int listener)
{
	struct timeval limit = {.tv_sec = 1};
	char line[LINE_MAX_SIZE], *text = NULL;
	size_t size = 0;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ssize_t n;
	FILE *out;

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	n = recv(fd, line, sizeof(line) - 1, 0);
	out = n > 0 ? open_memstream(&text, &size) : NULL;
	if (out) {
		long at;
		line[n] = 0;
		fputc('0', out);
		bool ok = ctl_command(swarm, line, out);
		at = ftell(out);
		fclose(out);
		text[0] = ok ? '0' : '1';
		send(fd, text, at < ANSWER_MAX ? (size_t)at : ANSWER_MAX, MSG_NOSIGNAL);
		free(text);
	}
	close(fd);
}

int ctl_call(const char *path, const char *line)
{
	static char answer[ANSWER_MAX + 1];
	struct sockaddr_un address;
	int fd = open_unix(path, &address);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n = -1;

	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    send(fd, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line) && poll(&p, 1, ANSWER_TIMEOUT_MS) == 1)
		n = recv(fd, answer, ANSWER_MAX, 0);
	if (fd >= 0)
		close(fd);
	if (n < 1) {
		fprintf(stderr, "swarm: no swarm answers at %s, start one with --ctl %s\n", path, path);
		return 2;
	}
	answer[n] = 0;
	fputs(answer + 1, answer[0] == '0' ? stdout : stderr);
	return answer[0] == '0' ? 0 : 1;
}
