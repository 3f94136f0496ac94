/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Typed packets over SOCK_SEQPACKET; see channel.h. */
#include "proc/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"

#define LOSSY_QUEUE_MAX (4u << 20)
#define QUEUE_MAX (64u << 20)
#define BAD_IN_A_ROW 3
#define PACKETS_A_ROUND 64 /* so that one busy peer does not starve the others */

struct packet {
	struct packet *next;
	size_t size;
	int fd;
	bool lossy;
	uint8_t bytes[];
};

struct channel {
	struct loop *loop;
	struct loop_fd *watch;
	int fd;
	uint32_t epoch;
	const struct message_shape *shapes;
	size_t shape_count;
	struct channel_owner owner;
	uint64_t sequence, dropped;
	unsigned bad;
	bool broken, *freed; /* freed: set while a callback runs, so that the callback may free us */
	struct packet *head, **tail;
	size_t queued, queued_lossy;
	bool held; /* what is queued waits for later_timer or for the next message that cannot wait; otherwise for the socket */
	struct loop_timer *break_timer, *later_timer;
	const char *break_why;
};

static union {
	uint8_t bytes[CHANNEL_PACKET_MAX];
	struct message_header header;
	max_align_t align;
} receive_buffer;

static void on_break_due(void *arg)
{
	struct channel *c = arg;

	c->owner.on_broken(c->owner.arg, c->break_why);
}

/* Tells the owner from the loop, never from inside one of its own calls to us. */
static void declare_broken(struct channel *c, const char *why)
{
	if (c->broken)
		return;
	c->broken = true;
	c->break_why = why;
	loop_fd_remove(c->watch);
	c->watch = NULL;
	loop_timer_set(c->break_timer, 0);
}

static bool shape_fits(const struct channel *c, unsigned type, size_t size)
{
	if (type == 0 || type >= c->shape_count)
		return false;
	const struct message_shape *s = &c->shapes[type];

	if (s->element == 0)
		return size == s->fixed;
	return size >= s->fixed && (size - s->fixed) % s->element == 0;
}

static int passed_descriptor(struct msghdr *m)
{
	int fd = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
			int got;
			memcpy(&got, CMSG_DATA(c) + i * sizeof got, sizeof got);
			if (fd < 0)
				fd = got;
			else
				close(got);
		}
	}
	return fd;
}

/* One packet into the buffer. Size, 0 for the end, -1 with errno. */
static ssize_t receive(int fd, void *buffer, size_t room, int *passed, int *flags)
{
	union {
		char room[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {buffer, room};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
	ssize_t n;

	do {
		n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	*passed = n >= 0 ? passed_descriptor(&m) : -1; /* an empty packet may carry one too */
	*flags = m.msg_flags;
	return n;
}

/* Hands one packet to the owner. False when the channel was freed or broke meanwhile. */
static bool accept_packet(struct channel *c, size_t size, int fd, int flags)
{
	struct message_header *h = &receive_buffer.header;
	bool freed = false;

	if (size < sizeof *h || (flags & MSG_TRUNC) || h->version != CHANNEL_VERSION || h->epoch != c->epoch ||
	    !shape_fits(c, h->type, size - sizeof *h)) {
		if (fd >= 0)
			close(fd);
		c->dropped++;
		log_warning("channel: packet of type %u, %zu bytes, epoch %u refused", size >= sizeof *h ? h->type : 0, size,
			    size >= sizeof *h ? h->epoch : 0);
		if (++c->bad >= BAD_IN_A_ROW)
			declare_broken(c, "peer sends packets that are none of ours");
		return !c->broken;
	}
	c->bad = 0;
	c->freed = &freed; /* cppcheck-suppress autoVariables ; taken back below, before it goes */
	c->owner.on_message(c->owner.arg, h, h + 1, size - sizeof *h, fd);
	if (freed)
		return false;
	c->freed = NULL;
	return !c->broken;
}

static bool flush_queue(struct channel *c);

/* What was held goes as far as the socket takes it. */
static void release(struct channel *c)
{
	if (!c->held)
		return;
	c->held = false;
	loop_timer_stop(c->later_timer);
	if (!c->broken && flush_queue(c) && c->head)
		loop_fd_change(c->watch, LOOP_READ | LOOP_WRITE);
}

static void on_later(void *arg)
{
	release(arg);
}

static void on_ready(void *arg, int what)
{
	struct channel *c = arg;

	if ((what & LOOP_WRITE) && !flush_queue(c))
		return;
	for (int i = 0; i < PACKETS_A_ROUND && (what & LOOP_READ); i++) {
		int fd, flags;
		ssize_t n = receive(c->fd, receive_buffer.bytes, sizeof receive_buffer.bytes, &fd, &flags);

		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n <= 0) {
			if (fd >= 0)
				close(fd);
			declare_broken(c, n == 0 ? "closed" : strerror(errno));
			return;
		}
		if (!accept_packet(c, (size_t)n, fd, flags))
			return;
	}
}

struct channel *channel_open(struct loop *loop, int fd, uint32_t epoch, const struct message_shape *shapes, size_t shape_count,
			     const struct channel_owner *owner)
{
	struct channel *c = mem_zalloc(sizeof *c);
	int big = 1 << 20;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &big, sizeof big);
	*c = (struct channel){.loop = loop, .fd = fd, .epoch = epoch, .shapes = shapes, .shape_count = shape_count, .owner = *owner};
	c->tail = &c->head;
	c->break_timer = loop_timer_new(loop, on_break_due, c);
	c->later_timer = loop_timer_new(loop, on_later, c);
	c->watch = loop_fd_add(loop, fd, LOOP_READ, on_ready, c);
	return c;
}

static void packet_free(struct packet *p)
{
	if (p->fd >= 0)
		close(p->fd);
	free(p);
}

void channel_free(struct channel *c)
{
	if (!c)
		return;
	if (c->freed)
		*c->freed = true;
	for (struct packet *p = c->head, *next; p; p = next) {
		next = p->next;
		packet_free(p);
	}
	loop_fd_remove(c->watch);
	loop_timer_free(c->break_timer);
	loop_timer_free(c->later_timer);
	close(c->fd);
	free(c);
}

/* 1 sent, 0 would block, -1 broken. */
static int transmit_parts(struct channel *c, struct iovec *parts, size_t count, int fd)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr m = {.msg_iov = parts, .msg_iovlen = count};

	if (fd >= 0) {
		memset(&control, 0, sizeof control);
		m.msg_control = control.room;
		m.msg_controllen = sizeof control.room;
		struct cmsghdr *h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &fd, sizeof(int));
	}
	while (sendmsg(c->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
			return 0;
		declare_broken(c, strerror(errno));
		return -1;
	}
	return 1;
}

static struct iovec part_of(const void *bytes, size_t size)
{
	union {
		const void *from;
		void *base;
	} u = {.from = bytes};

	return (struct iovec){u.base, size};
}

static int transmit(struct channel *c, const struct packet *p)
{
	struct iovec whole = part_of(p->bytes, p->size);

	return transmit_parts(c, &whole, 1, p->fd);
}

static bool flush_queue(struct channel *c)
{
	while (c->head) {
		struct packet *p = c->head;
		int sent = transmit(c, p);

		if (sent < 0)
			return false;
		if (sent == 0)
			return true;
		c->head = p->next;
		if (!c->head)
			c->tail = &c->head;
		c->queued -= p->size;
		if (p->lossy)
			c->queued_lossy -= p->size;
		packet_free(p);
	}
	if (c->watch)
		loop_fd_change(c->watch, LOOP_READ);
	return true;
}

static void drop_oldest_lossy(struct channel *c)
{
	for (struct packet **at = &c->head; *at; at = &(*at)->next) {
		struct packet *p = *at;

		if (!p->lossy)
			continue;
		*at = p->next;
		if (c->tail == &p->next)
			c->tail = at;
		c->queued -= p->size;
		c->queued_lossy -= p->size;
		c->dropped++;
		packet_free(p);
		return;
	}
}

static void enqueue(struct channel *c, struct packet *p)
{
	bool was_empty = !c->head;

	*c->tail = p;
	c->tail = &p->next;
	c->queued += p->size;
	if (p->lossy)
		c->queued_lossy += p->size;
	while (c->queued_lossy > LOSSY_QUEUE_MAX)
		drop_oldest_lossy(c);
	if (c->queued - c->queued_lossy > QUEUE_MAX)
		declare_broken(c, "peer does not read: 64 MiB wait for it");
	else if (was_empty && !c->held)
		loop_fd_change(c->watch, LOOP_READ | LOOP_WRITE);
}

static void queue_packet(struct channel *c, uint16_t type, const void *a, size_t a_size, const void *b, size_t b_size, int fd, bool lossy)
{
	size_t size = sizeof(struct message_header) + a_size + b_size;

	if (c->broken)
		return;
	if (size > CHANNEL_PACKET_MAX || !shape_fits(c, type, a_size + b_size)) {
		log_error("channel: our own message of type %u has %zu bytes, which is not its shape", type, a_size + b_size);
		return;
	}
	struct message_header h = {.version = CHANNEL_VERSION, .type = type, .epoch = c->epoch, .sequence = ++c->sequence};
	struct iovec parts[3] = {part_of(&h, sizeof h), part_of(a, a_size), part_of(b, b_size)};

	/* copied only when it must wait */
	if (!c->head && !c->held && transmit_parts(c, parts, 3, fd) != 0)
		return;
	struct packet *p = mem_zalloc(sizeof *p + size);

	p->size = size;
	p->lossy = lossy;
	p->fd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	if (fd >= 0 && p->fd < 0)
		log_error("channel: no descriptor for a message of type %u: raise the limit: %s", type, strerror(errno));
	memcpy(p->bytes, &h, sizeof h);
	if (a_size)
		memcpy(p->bytes + sizeof h, a, a_size);
	if (b_size)
		memcpy(p->bytes + sizeof h + a_size, b, b_size);
	enqueue(c, p);
}

static void send_packet(struct channel *c, uint16_t type, const void *a, size_t a_size, const void *b, size_t b_size, int fd, bool lossy)
{
	release(c);
	queue_packet(c, type, a, a_size, b, b_size, fd, lossy);
}

void channel_send_later(struct channel *c, uint16_t type, const void *body, size_t size, int64_t within_ms)
{
	if (!c->head && !c->held && !c->broken) {
		c->held = true;
		loop_timer_set(c->later_timer, within_ms);
	}
	queue_packet(c, type, body, size, NULL, 0, -1, false);
}

void channel_send(struct channel *c, uint16_t type, const void *body, size_t size)
{
	send_packet(c, type, body, size, NULL, 0, -1, false);
}

void channel_send_lossy(struct channel *c, uint16_t type, const void *body, size_t size)
{
	send_packet(c, type, body, size, NULL, 0, -1, true);
}

void channel_send_fd(struct channel *c, uint16_t type, const void *body, size_t size, int fd)
{
	send_packet(c, type, body, size, NULL, 0, fd, false);
}

void channel_send2(struct channel *c, uint16_t type, const void *fixed, size_t fixed_size, const void *rest, size_t rest_size)
{
	send_packet(c, type, fixed, fixed_size, rest, rest_size, -1, false);
}

uint64_t channel_dropped(const struct channel *c)
{
	return c->dropped;
}

size_t channel_queued(const struct channel *c)
{
	return c->queued;
}

int channel_wait(int fd, uint32_t epoch, uint16_t type, void *body, size_t room, size_t *size, int *passed_fd, int timeout_ms)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int got, flags;

		if (poll(&p, 1, timeout_ms) <= 0)
			return ERR_REMOTE;
		ssize_t n = receive(fd, receive_buffer.bytes, sizeof receive_buffer.bytes, &got, &flags);
		if (n < (ssize_t)sizeof(struct message_header)) {
			if (got >= 0)
				close(got);
			return ERR_REMOTE;
		}
		const struct message_header *h = &receive_buffer.header;
		*size = (size_t)n - sizeof *h;
		if (h->version != CHANNEL_VERSION || h->epoch != epoch || h->type != type || *size > room) {
			if (got >= 0)
				close(got);
			return ERR_REMOTE;
		}
		memcpy(body, h + 1, *size);
		*passed_fd = got;
		return 0;
	}
}
