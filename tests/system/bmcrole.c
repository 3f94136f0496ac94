/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plays supervisor, engine and BMC for one glory-bmc: starts it, hands it a secret and a target, and checks each
 * message it sends. bmcrole PATH-OF-GLORY-BMC DIRECTORY */
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

#include "base/clock.h"
#include "base/text.h"
#include "base/witness.h"
#include "board/messages.h"
#include "proc/role.h"
#include "tests/sim/fake_bmc.h"

enum { EPOCH = 7, LIMIT_MS = 20000, LATE_MS = 1000, QUIET = 100, QUIET_FIRST = 1000 };

static struct {
	struct fake_bmc bmc;
	int udp, supervisor, engine;
	struct address address;
	uint64_t sequence;
	unsigned ready, asked, on, off, results, sensors, stats, facts;
	unsigned silent, silent_messages, off_before_result;
	uint8_t silent_of[QUIET];
	int32_t late_ms; /* its loop, at the worst */
	struct msg_power_result result;
} w;

static void send_message(int fd, uint16_t type, const void *body, size_t size)
{
	uint8_t packet[CHANNEL_PACKET_MAX];
	struct message_header h = {CHANNEL_VERSION, type, fd == w.supervisor ? 0 : EPOCH, ++w.sequence};

	memcpy(packet, &h, sizeof(h));
	if (size)
		memcpy(packet + sizeof(h), body, size);
	if (send(fd, packet, sizeof(h) + size, MSG_NOSIGNAL) < 0)
		perror("send");
}

/* Those of the BMCs that never answer: each counts once. */
static void take_silent(const struct msg_power_state *power, size_t count)
{
	unsigned before = w.silent;

	for (size_t i = 0; i < count; i++)
		if (power[i].state == BMC_SILENT && power[i].slot >= QUIET_FIRST && power[i].slot < QUIET_FIRST + QUIET)
			w.silent += !w.silent_of[power[i].slot - QUIET_FIRST]++;
	w.silent_messages += w.silent != before;
}

static void take_message(const struct message_header *h, const uint8_t *body, size_t size)
{
	const struct msg_power_state *power = (const void *)body;
	struct msg_secret secret = {.secret_class = SECRET_BMC, .name = "bmc", .text = "password=secret\n"};

	switch (h->type) {
	case MSG_READY:
		w.ready++;
		break;
	case MSG_SECRET_ASK:
		w.asked++;
		send_message(w.supervisor, MSG_SECRET, &secret, sizeof(secret));
		break;
	case MSG_POWER_STATE:
		for (size_t i = 0; i < size / sizeof(*power); i++) {
			w.on += power[i].state == BMC_ON && power[i].slot == 5;
			w.off += power[i].state == BMC_OFF;
		}
		take_silent(power, size / sizeof(*power));
		break;
	case MSG_POWER_RESULT:
		w.results++;
		w.off_before_result = w.off;
		memcpy(&w.result, body, sizeof(w.result));
		break;
	case MSG_SENSORS:
		w.sensors += (unsigned)(size / sizeof(struct msg_sensor));
		break;
	case MSG_STATS:
		w.stats++;
		if (((const struct msg_stats *)(const void *)body)->worst_lateness_ms > w.late_ms)
			w.late_ms = ((const struct msg_stats *)(const void *)body)->worst_lateness_ms;
		break;
	case MSG_BMC_FACTS:
		w.facts++;
		break;
	default:
		break;
	}
}

static void receive(int fd)
{
	static uint64_t aligned[CHANNEL_PACKET_MAX / 8];
	uint8_t *packet = (uint8_t *)aligned;
	struct message_header h;
	ssize_t n = recv(fd, packet, sizeof(aligned), MSG_DONTWAIT);

	if (n < (ssize_t)sizeof(h))
		return;
	memcpy(&h, packet, sizeof(h));
	take_message(&h, packet + sizeof(h), (size_t)n - sizeof(h));
}

static void serve_bmc(void)
{
	uint8_t in[1024], out[1024];
	struct sockaddr_storage from;
	socklen_t length = sizeof(from);
	ssize_t n = recvfrom(w.udp, in, sizeof(in), MSG_DONTWAIT, (struct sockaddr *)&from, &length);

	if (n <= 0)
		return;
	size_t size = fake_bmc_answer(&w.bmc, in, (size_t)n, out);
	if (size)
		(void)!sendto(w.udp, out, size, 0, (struct sockaddr *)&from, length);
}

/* Serves everybody until *count reaches wanted. */
static void until(const char *what, const unsigned *count, unsigned wanted)
{
	int64_t end = clock_mono_ms() + LIMIT_MS;

	while (*count < wanted && clock_mono_ms() < end) {
		struct pollfd p[] = {{w.udp, POLLIN, 0}, {w.supervisor, POLLIN, 0}, {w.engine, POLLIN, 0}};
		if (poll(p, 3, 100) <= 0)
			continue;
		if (p[0].revents)
			serve_bmc();
		for (int i = 1; i < 3; i++) {
			if (p[i].revents & POLLIN)
				receive(p[i].fd);
			else if (p[i].revents) {
				printf("FAIL %s: the role is gone\n", what);
				exit(1);
			}
		}
	}
	printf("%s %s\n", *count >= wanted ? "ok  " : "FAIL", what);
	if (*count < wanted)
		exit(1);
}

static pid_t start_role(const char *path)
{
	int above[2], beside[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, above) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, beside) < 0)
		exit(1);
	pid_t pid = fork();
	if (pid == 0) {
		int a = fcntl(above[1], F_DUPFD, 10), b = fcntl(beside[1], F_DUPFD, 10);
		dup2(a, ROLE_SUPERVISOR_FD);
		dup2(b, ROLE_ENGINE_FD);
		close(a);
		close(b);
		execl(path, "glory-bmc", (char *)NULL);
		_exit(127);
	}
	close(above[1]);
	close(beside[1]);
	w.supervisor = above[0];
	w.engine = beside[0];
	return pid;
}

static void make_bmc(uint8_t *records)
{
	static const uint8_t record[] = {1,    0, 0x51, 2, 31, 0x20, 0, 40, 10, 1, 0, 0, 8, 0x6f, 0,   0,   0,   0,
					 0x4f, 0, 0,    0, 0,  0,    0, 0,  0,  0, 0, 0, 0, 0xc4, 'P', 'S', 'U', '1'};
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_storage bound;
	socklen_t length = sizeof(bound);

	w.udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (w.udp < 0 || bind(w.udp, (struct sockaddr *)&any, sizeof(any)) < 0 ||
	    getsockname(w.udp, (struct sockaddr *)&bound, &length) < 0)
		exit(1);
	address_from_sockaddr(&bound, &w.address);
	fake_bmc_init(&w.bmc, true);
	memcpy(records, record, sizeof(record));
	w.bmc.records = records;
	w.bmc.records_size = sizeof(record);
	memcpy(w.bmc.reading[40], (uint8_t[]){0, 0xc0, 1, 0x80}, 4);
}

/* States that are known in the same turn of the role's loop come together, and each of them does. */
static bool many_silent(struct msg_bmc_target t)
{
	struct sockaddr_storage bound;
	socklen_t length = sizeof(bound);
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int deaf = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (deaf < 0 || bind(deaf, (struct sockaddr *)&any, sizeof(any)) < 0 ||
	    getsockname(deaf, (struct sockaddr *)&bound, &length) < 0)
		exit(1);
	address_from_sockaddr(&bound, &t.address);
	for (t.slot = QUIET_FIRST; t.slot < QUIET_FIRST + QUIET; t.slot++)
		send_message(w.engine, MSG_BMC_TARGET, &t, sizeof(t));
	for (uint32_t i = 0; i < QUIET; i++) {
		struct msg_bmc_read read = {
		    .slot = QUIET_FIRST + i, .generation = t.generation, .what = BMC_READ_POWER, .urgent = 1};
		send_message(w.engine, MSG_BMC_READ, &read, sizeof(read));
	}
	until("bmcs that never answer are silent", &w.silent, QUIET);
	close(deaf);
	printf("%s their %u states came in %u messages\n", w.silent_messages <= QUIET / 2 ? "ok  " : "FAIL", w.silent,
	       w.silent_messages);
	return w.silent_messages <= QUIET / 2;
}

int main(int argc, char **argv)
{
	static uint8_t records[64];
	struct role_start start = {.role = ROLE_BMC,
				   .epoch = EPOCH,
				   .life = 1,
				   .log_level = 6,
				   .uid = 64199,
				   .gid = 64199,
				   .site = "test",
				   .appliance = "test"};
	struct msg_bmc_target t = {.slot = 5,
				   .generation = 2,
				   .power_interval_s = 2,
				   .sensor_interval_s = 3,
				   .suite = 17,
				   .privilege = 3,
				   .name = "n1",
				   .credential = "bmc",
				   .user = "operator"};
	struct msg_power power = {.job = 9, .slot = 5, .generation = 2, .verb = POWER_VERB_OFF, .deadline_ms = 10000};
	struct msg_targets begin = {1, 0};
	int status;

	if (argc != 3 || !text_copy(start.directory, sizeof(start.directory), argv[2]))
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	make_bmc(records);
	t.address = w.address;
	pid_t pid = start_role(argv[1]);
	send_message(w.supervisor, MSG_START, &start, sizeof(start));
	until("it is ready", &w.ready, 2);
	send_message(w.engine, MSG_BMC_TARGETS_BEGIN, &begin, sizeof(begin));
	send_message(w.engine, MSG_BMC_TARGET, &t, sizeof(t));
	send_message(w.engine, MSG_BMC_TARGETS_END, NULL, 0);
	until("it asks for the secret", &w.asked, 1);
	until("it says on", &w.on, 2);
	until("it says what the bmc is", &w.facts, 1);
	send_message(w.engine, MSG_POWER, &power, sizeof(power));
	until("it answers the power command", &w.results, 1);
	bool good = w.result.job == 9 && w.result.error == BMC_OK && w.result.state == POWER_OFF && w.bmc.controls == 1 &&
		    w.off_before_result > 0; /* the state that the result speaks of is told first */
	printf("%s off was read back: %s\n", good ? "ok  " : "FAIL", w.result.text);
	until("it says off", &w.off, 2);
	until("it sends sensors", &w.sensors, 2);
	until("it counts", &w.stats, 2);
	good = many_silent(t) && good;
	printf("%s its loop was late by %d ms at the most\n", w.late_ms < LATE_MS ? "ok  " : "FAIL", (int)w.late_ms);
	good = good && w.late_ms < LATE_MS;
	kill(pid, SIGTERM);
	for (int64_t end = clock_mono_ms() + LIMIT_MS; waitpid(pid, &status, WNOHANG) == 0 && clock_mono_ms() < end;) {
		struct pollfd p = {w.udp, POLLIN, 0};
		if (poll(&p, 1, 50) > 0)
			serve_bmc();
	}
	bool ended = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	printf("%s it ends when it is told to\n", ended ? "ok  " : "FAIL");
	return good && ended ? 0 : 1;
}
