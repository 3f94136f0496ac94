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

enum { BATCH = 32, BATCHES = 32, BUFFER_BYTES = 4 << 20, OUT_BYTES = 16384 };
/* Busy: more than BUSY datagrams in WINDOW_MS, until there are fewer than CALM. Then one timer does all the work in turns,
 * and the sockets are not watched; turns follow at once while there is much to read. */
enum { WINDOW_MS = 100, BUSY = 20, CALM = 10, TURN_MS = 40, SOON_MS = 1, MUCH = 2 * BATCH };

/* What was said in one turn and is not sent yet, to one family of addresses. */
struct out {
	unsigned count;
	size_t used;
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	struct sockaddr_storage to[BATCH];
	uint8_t bytes[OUT_BYTES];
};

struct bmc_udp {
	int fd[2]; /* IPv4, IPv6; -1 where the machine has none */
	struct loop_fd *watch[2];
	struct loop_timer *timer;
	int64_t window_ms;
	unsigned in_window;
	bool busy, used[2]; /* used: something was sent, so something may come */
	struct bmc_engine *engine;
	int64_t armed_ms;
	struct out out[2];
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

static void flush_to(struct bmc_udp *u, int family)
{
	struct out *o = &u->out[family];

	for (unsigned done = 0; done < o->count;) {
		int n = sendmmsg(u->fd[family], o->messages + done, o->count - done, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		/* what cannot be sent is a lost datagram: the engine's timers see to it */
		done += n > 0 ? (unsigned)n : 1;
	}
	o->count = 0;
	o->used = 0;
}

static void flush(struct bmc_udp *u)
{
	flush_to(u, 0);
	flush_to(u, 1);
}

void bmc_udp_send(struct bmc_udp *u, const struct address *to, const void *data, size_t size)
{
	int family = to->family == 6;
	struct out *o = &u->out[family];

	if (u->fd[family] < 0 || size > PACKET_MAX)
		return;
	if (o->count == BATCH || o->used + size > sizeof(o->bytes))
		flush_to(u, family);
	unsigned i = o->count;
	socklen_t length = address_to_sockaddr(to, &o->to[i]);
	if (length == 0)
		return;
	u->used[family] = true;
	memcpy(o->bytes + o->used, data, size);
	o->parts[i] = (struct iovec){o->bytes + o->used, size};
	o->messages[i].msg_hdr = (struct msghdr){
	    .msg_name = &o->to[i], .msg_namelen = length, .msg_iov = &o->parts[i], .msg_iovlen = 1};
	o->used += size;
	o->count++;
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

/* All that has come, so that nothing is given up whose answer is here; what it leads to leaves batch by batch: the next
 * answer may lead to a file, and that may take its time. */
static unsigned read_all(struct bmc_udp *u)
{
	unsigned total = 0;

	for (int i = 0; i < 2; i++)
		for (int n = 0; u->used[i] && n < BATCHES; n++) {
			int count = receive(u, u->fd[i]);
			flush(u);
			total += count > 0 ? (unsigned)count : 0;
			if (count != BATCH)
				break;
		}
	return total;
}

/* The end of a turn: sends what was said, sets the timer for what is due next. While it is busy the next turn has been
 * set. */
void bmc_udp_rearm(struct bmc_udp *u)
{
	flush(u);
	bmc_engine_turn(u->engine);
	if (u->busy)
		return;
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

static void set_busy(struct bmc_udp *u, bool busy)
{
	u->busy = busy;
	u->armed_ms = 0;
	for (int i = 0; i < 2; i++)
		if (u->watch[i])
			loop_fd_change(u->watch[i], busy ? 0 : LOOP_READ);
}

static unsigned take_answers(struct bmc_udp *u)
{
	unsigned count = read_all(u);
	int64_t now = clock_mono_ms();

	u->in_window += count;
	if (now - u->window_ms >= WINDOW_MS) {
		if (u->busy ? u->in_window < CALM : u->in_window > BUSY)
			set_busy(u, !u->busy);
		u->in_window = 0;
		u->window_ms = now;
	}
	return count;
}

static void on_ready(void *arg, int what)
{
	struct bmc_udp *u = arg;

	(void)what;
	take_answers(u);
	if (u->busy)
		loop_timer_set(u->timer, TURN_MS);
	bmc_udp_rearm(u);
}

static void on_due(void *arg)
{
	struct bmc_udp *u = arg;
	unsigned count = u->busy ? take_answers(u) : 0;

	u->armed_ms = 0;
	bmc_engine_tick(u->engine, clock_mono_ms());
	if (u->busy)
		loop_timer_set(u->timer, count > MUCH ? SOON_MS : TURN_MS);
	bmc_udp_rearm(u);
}

void bmc_udp_attach(struct bmc_udp *u, struct loop *loop, struct bmc_engine *engine)
{
	u->engine = engine;
	u->timer = loop_timer_new(loop, on_due, u);
	for (int i = 0; i < 2; i++)
		if (u->fd[i] >= 0)
			u->watch[i] = loop_fd_add(loop, u->fd[i], LOOP_READ, on_ready, u);
	u->armed_ms = 0;
	bmc_udp_rearm(u);
}

void bmc_udp_free(struct bmc_udp *u)
{
	flush(u); /* what closes the sessions */
	for (int i = 0; i < 2; i++) {
		loop_fd_remove(u->watch[i]);
		if (u->fd[i] >= 0)
			close(u->fd[i]);
	}
	if (u->timer)
		loop_timer_free(u->timer);
	free(u);
}
