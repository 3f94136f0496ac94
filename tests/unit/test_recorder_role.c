/* SPDX-License-Identifier: GPL-3.0-or-later */
/* glory-recorder as the supervisor starts it, sandbox and all: rows put into the ring are in the file when the flush is
 * answered, and a recorder that was killed goes on with the same ring and journal. The program is looked for beside the
 * test's own directory. */
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <poll.h>
#include <rrd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "board/messages.h"
#include "board/ring.h"
#include "proc/role.h"
#include "tests/unit/unit.h"

#define BEGIN 1700000000
#define EPOCH 5
#define DEADLINE_MS 20000
#define TEST_UID 64104

static char directory[64], program[512];
static struct ring *ring;

struct process {
	pid_t pid;
	int supervisor, engine;
	uint64_t sequence;
};

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st, (void)kind, (void)walk;
	return remove(path);
}

static void tell(struct process *p, int to, uint16_t type, const void *body, size_t size, int fd)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {.room = {0}};
	struct message_header h = {
	    .version = CHANNEL_VERSION, .type = type, .epoch = to == p->engine ? EPOCH : 0, .sequence = ++p->sequence};
	struct iovec parts[2] = {{&h, sizeof h}, {(void *)(uintptr_t)body, size}};
	struct msghdr m = {.msg_iov = parts, .msg_iovlen = 2};

	if (fd >= 0) {
		m.msg_control = control.room;
		m.msg_controllen = sizeof control.room;
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	CU_ASSERT_EQUAL(sendmsg(to, &m, MSG_NOSIGNAL), (ssize_t)(sizeof h + size));
}

/* Waits for a message of the type on fd; its body in *body. False at the deadline or when the other end is gone. */
static bool await(int fd, uint16_t type, void *body, size_t room)
{
	int64_t until = clock_mono_ms() + DEADLINE_MS;

	for (;;) {
		struct {
			struct message_header h;
			uint8_t body[8192];
		} packet;
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = until - clock_mono_ms();

		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			return false;
		ssize_t n = recv(fd, &packet, sizeof packet, 0);
		if (n < (ssize_t)sizeof packet.h)
			return false;
		if (packet.h.type != type)
			continue;
		if ((size_t)n - sizeof packet.h != room)
			return false;
		if (room)
			memcpy(body, packet.body, room);
		return true;
	}
}

static void start(struct process *p)
{
	int up[2], side[2];
	struct role_start s = {.role = ROLE_RECORDER,
			       .epoch = EPOCH,
			       .life = 1,
			       .log_level = 4,
			       .uid = getuid() ? 0 : TEST_UID,
			       .gid = getuid() ? 0 : TEST_UID};

	text_copy(s.directory, sizeof s.directory, directory);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, up) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, side))
		abort();
	p->pid = fork();
	if (p->pid == 0) {
		char *const nothing[] = {NULL}, *const arguments[] = {program, NULL};
		int a = fcntl(up[1], F_DUPFD, 10), b = fcntl(side[1], F_DUPFD, 10);

		dup2(a, ROLE_SUPERVISOR_FD);
		dup2(b, ROLE_ENGINE_FD);
		close(a);
		close(b);
		execve(program, arguments, nothing);
		_exit(127);
	}
	close(up[1]);
	close(side[1]);
	p->supervisor = up[0];
	p->engine = side[0];
	tell(p, p->supervisor, MSG_START, &s, sizeof s, -1);
	CU_ASSERT_TRUE(await(p->engine, MSG_READY, NULL, 0));
	tell(p, p->engine, MSG_RING, NULL, 0, ring_fd(ring));
}

static int end(struct process *p, int number)
{
	int status = -1;

	kill(p->pid, number);
	waitpid(p->pid, &status, 0);
	close(p->supervisor);
	close(p->engine);
	return status;
}

static void describe(struct process *p, uint32_t id)
{
	struct msg_series m = {.series = id,
			       .slot = id,
			       .step_s = 10,
			       .count = 2,
			       .site = "s",
			       .group = "g",
			       .source = "snmp",
			       .file = "base",
			       .names = {"cpu", "mem"}};

	text_format(m.node, sizeof m.node, "n%u", id);
	tell(p, p->engine, MSG_SERIES_ADD, &m, sizeof m, -1);
}

static void put(uint32_t id, int from, int to)
{
	for (int i = from; i <= to; i++) {
		double values[2] = {i, 100};
		CU_ASSERT_TRUE(ring_put(ring, id, BEGIN + i * 10, values, 2));
	}
}

static bool flush(struct process *p, uint32_t slot)
{
	struct msg_flush f = {.request = 42, .slot = slot}, answer;

	tell(p, p->engine, MSG_FLUSH, &f, sizeof f, -1);
	return await(p->engine, MSG_FLUSHED, &answer, sizeof answer) && answer.request == 42;
}

/* How many of the rows [1, to] of a node's cpu are right. */
static int right(uint32_t id, int to)
{
	char path[200];
	time_t from = BEGIN, until = BEGIN + to * 10;
	unsigned long step = 10, count;
	char **names;
	rrd_value_t *data;
	int good = 0;

	text_format(path, sizeof path, "%s/rrd/s/g/n%u/snmp/base.rrd", directory, id);
	if (rrd_fetch_r(path, "AVERAGE", &from, &until, &step, &count, &names, &data) != 0) {
		rrd_clear_error();
		return -1;
	}
	for (int i = 1; i <= to; i++)
		good += data[(size_t)(i - 1) * count] == i;
	for (unsigned long i = 0; i < count; i++)
		rrd_freemem(names[i]);
	rrd_freemem(names);
	rrd_freemem(data);
	return good;
}

static void rows_reach_their_file_on_request(void)
{
	struct process p = {.pid = 0};

	start(&p);
	describe(&p, 1);
	put(1, 1, 50);
	CU_ASSERT_TRUE(flush(&p, 1));
	CU_ASSERT_EQUAL(right(1, 50), 50);
	struct msg_recorder_state state;
	CU_ASSERT_TRUE(await(p.engine, MSG_RECORDER_STATE, &state, sizeof state));
	CU_ASSERT_EQUAL(state.journal_failing, 0);
	CU_ASSERT(state.free_bytes > 0);
	int status = end(&p, SIGTERM);
	CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void a_regular_end_writes_everything(void)
{
	struct process p = {.pid = 0};

	start(&p);
	describe(&p, 2);
	CU_ASSERT_TRUE(flush(&p, NO_SLOT)); /* the description has arrived */
	put(2, 1, 20);
	int status = end(&p, SIGTERM);
	CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CU_ASSERT_EQUAL(right(2, 20), 20);
}

static void a_killed_recorder_loses_nothing(void)
{
	struct process p = {.pid = 0};

	for (int round = 0; round < 5; round++) {
		start(&p);
		describe(&p, 3);
		put(3, round * 40 + 1, round * 40 + 20);
		int64_t until = clock_mono_ms() + DEADLINE_MS;
		while (round % 2 && ring_waiting(ring) &&
		       clock_mono_ms() < until) /* in odd rounds the rows are in the journal already */
			poll(NULL, 0, 5);
		put(3, round * 40 + 21, round * 40 + 40);
		end(&p, SIGKILL);
	}
	start(&p);
	describe(&p, 3);
	CU_ASSERT_TRUE(flush(&p, 3));
	CU_ASSERT_EQUAL(right(3, 200), 200);
	CU_ASSERT_EQUAL(ring_lost(ring), 0);
	end(&p, SIGTERM);
}

static void strange_messages_do_no_harm(void)
{
	struct process p = {.pid = 0};
	struct msg_series m = {.series = 9, .count = 60000};
	int pipes[2];

	start(&p);
	tell(&p, p.engine, MSG_SERIES_ADD, &m, sizeof m, -1);
	memset(&m, 'x', sizeof m);
	tell(&p, p.engine, MSG_SERIES_ADD, &m, sizeof m, -1);
	tell(&p, p.engine, MSG_HOLD, &(struct msg_domain){.domain = 1}, sizeof(struct msg_domain), -1);
	CU_ASSERT_EQUAL_FATAL(pipe(pipes), 0);
	tell(&p, p.engine, MSG_RING, NULL, 0, pipes[0]);
	tell(&p, p.engine, MSG_RING, NULL, 0, -1);
	CU_ASSERT_TRUE(flush(&p, 9));
	close(pipes[0]);
	close(pipes[1]);
	int status = end(&p, SIGTERM);
	CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static const struct unit_test tests[] = {
    {"rows reach their file on request", rows_reach_their_file_on_request},
    {"a regular end writes everything", a_regular_end_writes_everything},
    {"a killed recorder loses nothing", a_killed_recorder_loses_nothing},
    {"strange messages do no harm", strange_messages_do_no_harm},
};

static bool prepare(void)
{
	char self[400], path[100];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	if (n <= 0)
		return false;
	self[n] = 0;
	*strrchr(self, '/') = 0;
	text_format(program, sizeof program, "%s/../libexec/glory/glory-recorder", self);
	if (access(program, X_OK) != 0)
		return false;
	text_copy(directory, sizeof directory, "/tmp/glory-test-role-XXXXXX");
	if (!mkdtemp(directory))
		return false;
	chmod(directory, 0755);
	static const char *const parts[] = {"rrd", "journal"};
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		text_format(path, sizeof path, "%s/%s", directory, parts[i]);
		if (mkdir(path, 0750) != 0 || (getuid() == 0 && chown(path, TEST_UID, TEST_UID) != 0))
			return false;
	}
	ring = ring_create(1 << 20);
	return ring != NULL;
}

int main(void)
{
	if (!prepare()) {
		printf("skipped: %s is not built, or no directory can be made\n", program);
		return 77;
	}
	int status = unit_run("recorder role", tests, COUNT_OF(tests));
	nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	ring_free(ring);
	return status;
}
