/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Datagrams in batches; see batch.h. */
#include "mibs/collector/batch.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/sock_diag.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

enum { SKB_COST = 2304, WINDOW_MAX = 4096, ROUNDS_MAX = 256, CONTROL = 256 };
enum { SHOWN_FIRST = 8, SHOWN_AGAIN = 4 }; /* places ahead */
enum { ROOM_IN = BATCH_IN + 1088 }; /* starts of datagrams must not all fall into the same sets of the cache */

struct outgoing {
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	union endpoint to[BATCH];
	uint8_t bytes[BATCH][BATCH_OUT];
};

/* Any datagram fits; of the room only the pages are ever used that were once written. */
struct incoming {
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	union endpoint from[BATCH];
	union {
		char bytes[CONTROL];
		struct cmsghdr align;
	} control[BATCH];
	uint8_t bytes[BATCH][ROOM_IN];
};

struct batch {
	int fd;
	unsigned window, queued;
	bool cuts; /* a path is too narrow for a datagram of ours: larger ones are cut to pieces */
	uint32_t dropped; /* the kernel's count, as last told */
	struct batch_owner owner;
	struct batch_stats stats;
	struct outgoing out;
	struct incoming in;
};

socklen_t endpoint_size(const union endpoint *e)
{
	return e->any.sa_family == AF_INET6 ? sizeof e->v6 : sizeof e->v4;
}

bool endpoint_same(const union endpoint *a, const union endpoint *b, bool with_port)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET)
		return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr &&
		       (!with_port || a->v4.sin_port == b->v4.sin_port);
	return a->any.sa_family == AF_INET6 && !memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) &&
	       (!with_port || a->v6.sin6_port == b->v6.sin6_port);
}

int batch_grow_buffer(int fd)
{
	int wanted = BATCH_BUFFER, granted = 0;
	socklen_t size = sizeof granted;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
	return getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &granted, &size) ? 0 : granted;
}

/* As long as every path takes our datagrams whole the kernel need not number them for the case that it cuts one to pieces. */
static void set_whole(int fd, int family, bool whole)
{
	int how = whole ? IP_PMTUDISC_DO : IP_PMTUDISC_WANT;

	if (family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &how, sizeof how);
}

int batch_udp_socket(int family)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
	union endpoint any = {.any.sa_family = (sa_family_t)family};

	if (fd < 0)
		return -errno;
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (setsockopt(fd, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, family == AF_INET ? IP_RECVERR : IPV6_RECVERR,
		       &on, sizeof on) ||
	    bind(fd, &any.any, endpoint_size(&any))) {
		int rc = -errno;
		close(fd);
		return rc;
	}
	set_whole(fd, family, true);
	batch_grow_buffer(fd);
	return fd;
}

static unsigned window_of(int fd)
{
	int granted = 0;
	socklen_t size = sizeof granted;

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &granted, &size))
		return WINDOW_MAX;
	unsigned window = (unsigned)granted / 2 / SKB_COST; /* the kernel tells the double of what was asked */
	return window < 16 ? 16 : window > WINDOW_MAX ? WINDOW_MAX : window;
}

static void prepare(struct batch *b)
{
	for (unsigned i = 0; i < BATCH; i++) {
		b->out.messages[i].msg_hdr =
		    (struct msghdr){.msg_name = &b->out.to[i], .msg_iov = &b->out.parts[i], .msg_iovlen = 1};
		b->in.parts[i] = (struct iovec){b->in.bytes[i], BATCH_IN};
		b->in.messages[i].msg_hdr = (struct msghdr){.msg_name = &b->in.from[i],
							    .msg_iov = &b->in.parts[i],
							    .msg_iovlen = 1,
							    .msg_control = b->in.control[i].bytes};
	}
}

struct batch *batch_new(int fd, const struct batch_owner *owner)
{
	struct batch *b = mem_zalloc(sizeof *b);

	b->fd = fd;
	b->owner = *owner;
	b->window = window_of(fd);
	prepare(b);
	return b;
}

void batch_free(struct batch *b)
{
	if (!b)
		return;
	if (b->fd >= 0)
		close(b->fd);
	free(b);
}

int batch_fd(const struct batch *b)
{
	return b->fd;
}

unsigned batch_window(const struct batch *b)
{
	return b->window;
}

const struct batch_stats *batch_stats(const struct batch *b)
{
	return &b->stats;
}

uint8_t *batch_room(struct batch *b)
{
	return b->out.bytes[b->queued];
}

void batch_commit(struct batch *b, const uint8_t *start, size_t size, const union endpoint *to)
{
	b->out.parts[b->queued] = (struct iovec){b->out.bytes[b->queued] + (start - b->out.bytes[b->queued]), size};
	b->out.to[b->queued] = *to;
	b->out.messages[b->queued].msg_hdr.msg_namelen = endpoint_size(to);
	if (++b->queued == BATCH)
		batch_flush(b);
}

void batch_flush(struct batch *b)
{
	unsigned done = 0, failed_in_a_row = 0;

	while (b->fd >= 0 && done < b->queued) {
		int n = sendmmsg(b->fd, b->out.messages + done, b->queued - done, 0);
		if (n > 0) {
			done += (unsigned)n;
			b->stats.sent += (unsigned)n;
			failed_in_a_row = 0;
		} else if ((errno == ECONNREFUSED || errno == EHOSTUNREACH || errno == EINTR) &&
			   ++failed_in_a_row < 3) {
			/* a pending ICMP error of an earlier datagram is told here once; this one was not sent yet */
		} else if (errno == EMSGSIZE && !b->cuts) {
			b->cuts = true;
			set_whole(b->fd, b->out.to[done].any.sa_family, false);
		} else {
			done++; /* no route, no buffer: this datagram is lost, its exchange will be missed */
			b->stats.send_failed++;
			failed_in_a_row = 0;
		}
	}
	b->queued = 0;
}

/* Asked for once a round: told with each datagram it would cost with each. */
static void note_drops(struct batch *b)
{
	uint32_t memory[SK_MEMINFO_VARS] = {0};
	socklen_t size = sizeof memory;

	if (getsockopt(b->fd, SOL_SOCKET, SO_MEMINFO, memory, &size))
		return;
	b->stats.overflowed += memory[SK_MEMINFO_DROPS] - b->dropped;
	b->dropped = memory[SK_MEMINFO_DROPS];
}

static bool is_refusal(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		const struct sock_extended_err *e = (const void *)CMSG_DATA(c);
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR && e->ee_origin == SO_EE_ORIGIN_ICMP &&
		    e->ee_type == ICMP_DEST_UNREACH && e->ee_code == ICMP_PORT_UNREACH)
			return true;
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR &&
		    e->ee_origin == SO_EE_ORIGIN_ICMP6 && e->ee_type == ICMP6_DST_UNREACH &&
		    e->ee_code == ICMP6_DST_UNREACH_NOPORT)
			return true;
	}
	return false;
}

static int take(struct batch *b, int flags)
{
	for (unsigned i = 0; i < BATCH; i++) {
		b->in.messages[i].msg_hdr.msg_namelen = sizeof b->in.from[i];
		b->in.messages[i].msg_hdr.msg_controllen = flags & MSG_ERRQUEUE ? CONTROL : 0;
	}
	return recvmmsg(b->fd, b->in.messages, BATCH, flags | MSG_DONTWAIT, NULL);
}

static void receive_errors(struct batch *b, int64_t now)
{
	int n;

	for (unsigned round = 0; round < ROUNDS_MAX && (n = take(b, MSG_ERRQUEUE)) > 0; round++)
		for (int i = 0; i < n; i++)
			if (b->owner.on_refused && is_refusal(&b->in.messages[i].msg_hdr))
				b->owner.on_refused(b->owner.arg, b->in.bytes[i], b->in.messages[i].msg_len,
						    &b->in.from[i], now);
}

/* Before message `at` is handled: those a few places behind it are shown, each once to each end; the first of all bring theirs with them. More
 * at once would be more than a processor can wait for. */
static void show(struct batch *b, unsigned at, unsigned count)
{
	for (unsigned i = at ? at + SHOWN_FIRST : 0; i <= at + SHOWN_FIRST && i < count; i++)
		b->owner.on_ahead(b->owner.arg, i, b->in.bytes[i], b->in.messages[i].msg_len);
	for (unsigned i = at ? at + SHOWN_AGAIN : 0; i <= at + SHOWN_AGAIN && i < count; i++)
		b->owner.on_ahead(b->owner.arg, i, NULL, 0);
}

unsigned batch_receive(struct batch *b, int64_t now)
{
	unsigned total = 0, errors = 0;

	/* always: the one notice of an error may have gone to a sending call */
	if (b->fd >= 0 && b->owner.on_refused)
		receive_errors(b, now);
	for (unsigned round = 0; b->fd >= 0 && round < ROUNDS_MAX; round++) {
		int n = take(b, 0);
		if (n < 0 && errno != EAGAIN && errno != EINTR && ++errors <= BATCH) {
			receive_errors(b,
				       now); /* one error is told per call; what waits behind it is read by the next */
			continue;
		}
		if (n <= 0)
			break;
		for (int i = 0; i < n; i++) {
			if (b->owner.on_ahead)
				show(b, (unsigned)i, (unsigned)n);
			struct msghdr *m = &b->in.messages[i].msg_hdr;
			if (m->msg_flags & MSG_TRUNC)
				b->stats.truncated++;
			else
				b->owner.on_datagram(b->owner.arg, b->in.bytes[i], b->in.messages[i].msg_len,
						     &b->in.from[i], now);
		}
		b->stats.received += (unsigned)n;
		total += (unsigned)n;
		if (n < BATCH)
			break;
	}
	if (total)
		note_drops(b);
	return total;
}
