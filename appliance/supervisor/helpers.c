/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One-shot helpers (grapher, XML reader): started on the engine's typed request, each with its own user id, ended at its deadline. */
#include "supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

#define RUNNING_MAX 16
#define DEADLINE_MAX_MS 60000

static struct {
	pid_t pid;
	int64_t deadline_ms;
	const char *program;
} running[RUNNING_MAX];

static void answer(struct supervisor *s, uint64_t request, int status, int fd)
{
	struct msg_helper_out out = {.request = request, .status = status};

	if (s->roles[ROLE_ENGINE].channel)
		channel_send_fd(s->roles[ROLE_ENGINE].channel, MSG_HELPER_OUT, &out, sizeof out, fd);
}

static int free_place(void)
{
	for (int i = 0; i < RUNNING_MAX; i++)
		if (running[i].pid == 0)
			return i;
	return -1;
}

static char xml_cluster[] = "cluster", xml_label[] = "cluster.xml";

static pid_t start(struct supervisor *s, enum helper which, int input, int output)
{
	const struct helper_entry *e = &helper_table[which];
	struct spawn what = {.directory = s->programs, .program = e->program, .in = input, .out = output, .third = -1, .fourth = -1,
			     .net_admin = e->net_admin};

	if (s->root && s->settings.first_uid) {
		what.uid = s->settings.first_uid + e->uid_offset;
		what.gid = e->group_of ? spawn_role_uid(s, &role_table[e->group_of]) : what.uid;
	} else if (s->root) {
		what.uid = what.gid = 65534; /* nobody; the RRD tree is readable to the recorder's group */
		if (e->group_of)
			what.gid = spawn_role_uid(s, &role_table[e->group_of]);
	}
	if (which == HELPER_XML) {
		what.arguments[0] = xml_cluster;
		what.arguments[1] = xml_label;
	}
	char data[SETTINGS_PATH + 8];
	text_format(data, sizeof data, "%s", s->settings.rrd);
	if (e->data)
		what.arguments[0] = data;
	return spawn_program(&what);
}

void do_privileged_helper(struct supervisor *s, const struct msg_helper_run *ask, int input)
{
	int place = free_place(), ends[2];

	if (ask->helper < 1 || ask->helper >= HELPER_COUNT || input < 0) {
		answer(s, ask->request, ERR_BUG, -1);
	} else if (place < 0) {
		answer(s, ask->request, ERR_BUSY, -1);
	} else if (pipe2(ends, O_CLOEXEC)) {
		answer(s, ask->request, ERR_NO_RESOURCE, -1);
	} else {
		lseek(input, 0, SEEK_SET);
		pid_t pid = start(s, (enum helper)ask->helper, input, ends[1]);
		close(ends[1]);
		if (pid > 0) {
			uint32_t limit = ask->deadline_ms < DEADLINE_MAX_MS ? ask->deadline_ms : DEADLINE_MAX_MS;
			running[place].pid = pid;
			running[place].deadline_ms = clock_mono_ms() + limit;
			running[place].program = helper_table[ask->helper].program;
		}
		answer(s, ask->request, pid > 0 ? 0 : (int)pid, pid > 0 ? ends[0] : -1);
		close(ends[0]);
	}
	if (input >= 0)
		close(input);
}

bool helper_reaped(pid_t pid, int status)
{
	for (int i = 0; i < RUNNING_MAX; i++) {
		if (running[i].pid != pid)
			continue;
		if (!WIFEXITED(status))
			log_warning("%s: ended by signal %d", running[i].program, WTERMSIG(status));
		running[i].pid = 0;
		return true;
	}
	return false;
}

void helpers_tick(int64_t now_ms)
{
	for (int i = 0; i < RUNNING_MAX; i++)
		if (running[i].pid && now_ms > running[i].deadline_ms)
			kill(running[i].pid, SIGKILL);
}

void helpers_end(void)
{
	for (int i = 0; i < RUNNING_MAX; i++)
		if (running[i].pid)
			kill(running[i].pid, SIGKILL);
}
