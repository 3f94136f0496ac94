/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sockets and timer of the BMC engine; see udp.h. */
#include "ipmi/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "ipmi/packets.h"

enum { BATCH = 32, BATCHES = 8, BUFFER_BYTES = 4 << 20, WINDOW_MS = 100, BUSY = 50, GATHER_MS = 5 };

struct bmc_udp {
	int fd[2]; /* IPv4, IPv6; -1 where the machine has none */
	struct loop_fd *watch[2];
	struct loop_timer *timer, *gather;
	int64_t window_ms;
	unsigned in_window;
	bool busy; /* many datagrams in the last window */
	struct bmc_engine *engine;
	int64_t armed_ms;
	uint8_t buffer[BATCH][PACKET_MAX + 1];
};

static int open_socket(int family)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int bytes = BUFFER_BYTES, one = 1;

	if (fd < 0)
		return -1;
	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) < 0) {
		close(fd);
		return -1;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	return fd;
}

struct bmc_udp *bmc_udp_open(void)
{
	struct bmc_udp *u = mem_zalloc(sizeof(*u));

	u->fd[0] = open_socket(AF_INET);
	u->fd[1] = open_socket(AF_INET6);
	if (u->fd[0] < 0) {
		bmc_udp_free(u);
		return NULL;
	}
	return u;
}

void bmc_udp_send(struct bmc_udp *u, const struct address *to, const void *data, size_t size)
{
	struct sockaddr_storage s;
	socklen_t length = address_to_sockaddr(to, &s);
	int fd = u->fd[to->family == 6];

	/* what cannot be sent is a lost datagram: the engine's timers see to it */
	if (fd >= 0 && length > 0)
		(void)!sendto(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&s, length);
}

void bmc_udp_random(void *arg, void *out, size_t size)
{
	(void)arg;
	for (size_t done = 0; done < size;) {
		ssize_t n = getrandom((char *)out + done, size - done, 0);
		if (n < 0 && errno != EINTR)
			abort(); /* a session on guessable numbers is worse than none */
		done += n > 0 ? (size_t)n : 0;
	}
}

static int receive(struct bmc_udp *u, int fd)
{
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	struct sockaddr_storage from[BATCH];

	memset(messages, 0, sizeof(messages));
	for (int i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){u->buffer[i], sizeof(u->buffer[i])};
		messages[i].msg_hdr = (struct msghdr){
		    .msg_name = &from[i], .msg_namelen = sizeof(from[i]), .msg_iov = &parts[i], .msg_iovlen = 1};
	}
	int count = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++) {
		struct address a;
		if (address_from_sockaddr(&from[i], &a))
			bmc_engine_datagram(u->engine, &a, u->buffer[i], messages[i].msg_len, clock_mono_ms());
	}
	return count;
}

void bmc_udp_rearm(struct bmc_udp *u)
{
	int64_t next = bmc_engine_next(u->engine);

	if (next == u->armed_ms)
		return;
	u->armed_ms = next;
	if (next == INT64_MAX) {
		loop_timer_stop(u->timer);
		return;
	}
	int64_t wait = next - clock_mono_ms();
	loop_timer_set(u->timer, wait > 0 ? wait : 0);
}

static unsigned read_all(struct bmc_udp *u)
{
	unsigned total = 0;

	for (int i = 0; i < 2; i++)
		for (int n = 0; u->fd[i] >= 0 && n < BATCHES; n++) {
			int count = receive(u, u->fd[i]);
			total += count > 0 ? (unsigned)count : 0;
			if (count != BATCH)
				break;
		}
	return total;
}

static void watch_for(struct bmc_udp *u, int what)
{
	for (int i = 0; i < 2; i++)
		if (u->watch[i])
			loop_fd_change(u->watch[i], what);
}

/* While many answers come, they are let gather for some ms: one wake-up reads them all. */
static void on_ready(void *arg, int what)
{
	struct bmc_udp *u = arg;
	int64_t now = clock_mono_ms();

	(void)what;
	if (now - u->window_ms >= WINDOW_MS) {
		u->busy = u->in_window > BUSY;
		u->in_window = 0;
		u->window_ms = now;
	}
	u->in_window += read_all(u);
	if (u->busy) {
		watch_for(u, 0);
		loop_timer_set(u->gather, GATHER_MS);
	}
	bmc_udp_rearm(u);
}

static void on_gathered(void *arg)
{
	struct bmc_udp *u = arg;

	watch_for(u, LOOP_READ);
	on_ready(u, LOOP_READ);
}

static void on_due(void *arg)
{
	struct bmc_udp *u = arg;

	u->armed_ms = 0;
	bmc_engine_tick(u->engine, clock_mono_ms());
	bmc_udp_rearm(u);
}

void bmc_udp_attach(struct bmc_udp *u, struct loop *loop, struct bmc_engine *engine)
{
	u->engine = engine;
	u->timer = loop_timer_new(loop, on_due, u);
	u->gather = loop_timer_new(loop, on_gathered, u);
	for (int i = 0; i < 2; i++)
		if (u->fd[i] >= 0)
			u->watch[i] = loop_fd_add(loop, u->fd[i], LOOP_READ, on_ready, u);
	u->armed_ms = 0;
	bmc_udp_rearm(u);
}

void bmc_udp_free(struct bmc_udp *u)
{
	for (int i = 0; i < 2; i++) {
		loop_fd_remove(u->watch[i]);
		if (u->fd[i] >= 0)
			close(u->fd[i]);
	}
	if (u->timer)
		loop_timer_free(u->timer);
	if (u->gather)
		loop_timer_free(u->gather);
	free(u);
}
