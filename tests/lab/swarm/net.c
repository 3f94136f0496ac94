/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recvmmsg and sendmmsg of 64 with IP_PKTINFO turned round, and a heap of answers that leave later; driven by the loop
 * in main.c. */
#include "tests/lab/swarm/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <linux/icmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { IN_SIZE = 4096, RECEIVE_BUFFER = 64 << 20, LATE_MAX = 200000, ROUNDS = 8, REORDER_MS = 30 };

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(uint32_t))];
};

struct port {
	int fd;
	void (*handle)(struct swarm *swarm, struct packet *packet);
	uint32_t dropped; /* the kernel's last count of datagrams lost at this socket */
	struct mmsghdr in[NET_BATCH], out[NET_BATCH];
	struct iovec in_vec[NET_BATCH], out_vec[NET_BATCH];
	struct sockaddr_in in_peer[NET_BATCH], out_peer[NET_BATCH];
	union control in_control[NET_BATCH], out_control[NET_BATCH];
	uint32_t owner[NET_BATCH];
	unsigned queued;
	uint8_t (*in_data)[IN_SIZE];
	uint8_t (*out_data)[NET_SLOT];
};

/* An answer that waits. */
struct late {
	int64_t due_ms;
	uint64_t order; /* equal times leave in the order they came */
	struct sockaddr_in peer;
	struct in_addr source;
	enum port_kind port;
	uint32_t owner, size;
	uint8_t data[];
};

struct net {
	struct port port[PORTS];
	struct late **heap;
	unsigned late;
	uint64_t order;
	void (*sent)(struct swarm *swarm, uint32_t owner);
};

static int fail(const char *what)
{
	fprintf(stderr, "swarm: %s: %s\n", what, strerror(errno));
	return -1;
}

static void init_batches(struct port *p)
{
	p->in_data = calloc(NET_BATCH, sizeof(*p->in_data));
	p->out_data = calloc(NET_BATCH, sizeof(*p->out_data));
	for (unsigned i = 0; p->in_data && p->out_data && i < NET_BATCH; i++) {
		p->in_vec[i] = (struct iovec){p->in_data[i], IN_SIZE};
		p->in[i].msg_hdr =
		    (struct msghdr){.msg_name = &p->in_peer[i], .msg_iov = &p->in_vec[i], .msg_iovlen = 1};
		p->out[i].msg_hdr = (struct msghdr){.msg_name = &p->out_peer[i],
						    .msg_namelen = sizeof(p->out_peer[i]),
						    .msg_iov = &p->out_vec[i],
						    .msg_iovlen = 1,
						    .msg_control = &p->out_control[i]};
	}
}

static int open_socket(struct port *p, enum port_kind kind, uint16_t number)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(number)};
	struct icmp_filter only_echo = {~(1u << ICMP_ECHO)};
	int on = 1, size = RECEIVE_BUFFER;

	p->fd = kind == PORT_ECHO ? socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMP)
				  : socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd < 0)
		return fail("cannot open a socket, run as root");
	if (setsockopt(p->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(p->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(p->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (setsockopt(p->fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) < 0 ||
	    setsockopt(p->fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on)) < 0)
		return fail("cannot ask for packet information");
	if (kind == PORT_ECHO)
		return setsockopt(p->fd, SOL_RAW, ICMP_FILTER, &only_echo, sizeof(only_echo)) < 0 ? fail("icmp filter")
												  : 0;
	return bind(p->fd, (struct sockaddr *)&any, sizeof(any)) < 0
		   ? fail("cannot bind the port, is another swarm there")
		   : 0;
}

int net_open(struct swarm *swarm, uint16_t snmp_port, uint16_t bmc_port, bool echo)
{
	const bool wanted[PORTS] = {snmp_port != 0, echo, bmc_port != 0};
	const uint16_t numbers[PORTS] = {snmp_port, 0, bmc_port};
	struct net *net = swarm->net = calloc(1, sizeof(*net));

	if (!net || !(net->heap = calloc(LATE_MAX, sizeof(*net->heap))))
		return fail("memory");
	for (int i = 0; i < PORTS; i++)
		net->port[i].fd = -1;
	for (int i = 0; i < PORTS; i++) {
		init_batches(&net->port[i]);
		if (!net->port[i].in_data || !net->port[i].out_data)
			return fail("memory");
		if (wanted[i] && open_socket(&net->port[i], (enum port_kind)i, numbers[i]) < 0)
			return -1;
	}
	return 0;
}

void net_close(struct swarm *swarm)
{
	struct net *net = swarm->net;

	for (int i = 0; net && i < PORTS; i++) {
		if (net->port[i].fd >= 0)
			close(net->port[i].fd);
		free(net->port[i].in_data);
		free(net->port[i].out_data);
	}
	while (net && net->late > 0)
		free(net->heap[--net->late]);
	if (net)
		free(net->heap);
	free(net);
	swarm->net = NULL;
}

int net_fd(const struct swarm *swarm, enum port_kind port)
{
	return swarm->net->port[port].fd;
}

void net_set_handler(struct swarm *swarm, enum port_kind port, void (*handle)(struct swarm *, struct packet *))
{
	swarm->net->port[port].handle = handle;
}

void net_set_sent(struct swarm *swarm, void (*sent)(struct swarm *, uint32_t))
{
	swarm->net->sent = sent;
}

static void was_sent(struct swarm *swarm, uint32_t owner)
{
	if (owner && swarm->net->sent)
		swarm->net->sent(swarm, owner);
}

static void flush(struct swarm *swarm, struct port *p)
{
	unsigned done = 0;

	while (done < p->queued) {
		int n = sendmmsg(p->fd, p->out + done, p->queued - done, 0);
		if (n <= 0) { /* the first of them cannot be sent */
			swarm->sums.send_failed++;
			n = 1;
		}
		done += (unsigned)n;
	}
	swarm->sums.answers += p->queued;
	for (unsigned i = 0; i < p->queued; i++)
		was_sent(swarm, p->owner[i]);
	p->queued = 0;
}

static void put_source(union control *c, struct msghdr *h, struct in_addr source)
{
	struct in_pktinfo info = {.ipi_spec_dst = source};

	c->header =
	    (struct cmsghdr){.cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO, .cmsg_len = CMSG_LEN(sizeof(info))};
	memcpy(CMSG_DATA(&c->header), &info, sizeof(info));
	h->msg_controllen = CMSG_SPACE(sizeof(info));
}

uint8_t *net_slot(struct swarm *swarm, enum port_kind port)
{
	struct port *p = &swarm->net->port[port];

	if (p->queued == NET_BATCH)
		flush(swarm, p);
	return p->out_data[p->queued];
}

static void queue(struct swarm *swarm, enum port_kind kind, const struct sockaddr_in *peer, struct in_addr source,
		  const uint8_t *data, size_t size, uint32_t owner)
{
	struct port *p = &swarm->net->port[kind];
	uint8_t *slot = net_slot(swarm, kind);
	unsigned i = p->queued++;

	if (data >= slot && data < slot + NET_SLOT) {
		p->out_vec[i].iov_base = slot + (data - slot);
	} else {
		memcpy(slot, data, size);
		p->out_vec[i].iov_base = slot;
	}
	p->out_vec[i].iov_len = size;
	p->out_peer[i] = *peer;
	p->owner[i] = owner;
	put_source(&p->out_control[i], &p->out[i].msg_hdr, source);
}

static bool earlier(const struct late *a, const struct late *b)
{
	return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

static void push_late(struct net *net, struct late *l)
{
	unsigned at = net->late++;

	while (at > 0 && earlier(l, net->heap[(at - 1) / 2])) {
		net->heap[at] = net->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	net->heap[at] = l;
}

static struct late *pop_late(struct net *net)
{
	struct late *first = net->heap[0], *last = net->heap[--net->late];
	unsigned at = 0, child;

	while ((child = at * 2 + 1) < net->late) {
		if (child + 1 < net->late && earlier(net->heap[child + 1], net->heap[child]))
			child++;
		if (!earlier(net->heap[child], last))
			break;
		net->heap[at] = net->heap[child];
		at = child;
	}
	net->heap[at] = last;
	return first;
}

static void send_later(struct swarm *swarm, const struct packet *asked, struct in_addr source, const uint8_t *data,
		       size_t size, uint32_t owner, uint32_t delay_ms)
{
	struct net *net = swarm->net;
	struct late *l = net->late < LATE_MAX ? malloc(sizeof(*l) + size) : NULL;

	if (!l) { /* as a full queue of a router: lost */
		swarm->sums.send_failed++;
		was_sent(swarm, owner);
		return;
	}
	*l = (struct late){
	    swarm->now_ms + delay_ms, net->order++, asked->peer, source, asked->port, owner, (uint32_t)size};
	memcpy(l->data, data, size);
	push_late(net, l);
}

static void send_one(struct swarm *swarm, const struct packet *asked, const uint8_t *data, size_t size,
		     const struct knobs *k, uint32_t owner)
{
	struct in_addr source = asked->asked;
	uint32_t delay_ms = k->delay_ms;

	if (asked->port != PORT_ECHO)
		delay_ms += k->slow_ms;
	if (k->jitter_ms)
		delay_ms += (uint32_t)(swarm_random(swarm) * (k->jitter_ms + 1));
	if (swarm_chance(swarm, k->reorder))
		delay_ms += 1 + (uint32_t)(swarm_random(swarm) * REORDER_MS);
	if (swarm_chance(swarm, k->wrong_source)) /* x.y.254.1 is local and belongs to no machine */
		source.s_addr = htonl((ntohl(source.s_addr) & 0xffff0000) | 0xfe01);
	if (delay_ms)
		send_later(swarm, asked, source, data, size, owner, delay_ms);
	else
		queue(swarm, asked->port, &asked->peer, source, data, size, owner);
}

void net_reply(struct swarm *swarm, const struct packet *asked, const uint8_t *data, size_t size, const struct knobs *k,
	       uint32_t owner)
{
	if (swarm_chance(swarm, k->drop_out)) {
		was_sent(swarm, owner);
		return;
	}
	if (swarm_chance(swarm, k->truncate))
		size /= 2;
	if (swarm_chance(swarm, k->dup)) {
		uint8_t copy[2048];
		size_t part = size < sizeof(copy) ? size : sizeof(copy);
		memcpy(copy, data, part);
		send_one(swarm, asked, data, size, k, owner);
		send_one(swarm, asked, copy, part, k, 0);
		return;
	}
	send_one(swarm, asked, data, size, k, owner);
}

int net_send_due(struct swarm *swarm)
{
	struct net *net = swarm->net;

	while (net->late > 0 && net->heap[0]->due_ms <= swarm->now_ms) {
		struct late *l = pop_late(net);
		queue(swarm, l->port, &l->peer, l->source, l->data, l->size, l->owner);
		free(l);
	}
	for (int i = 0; i < PORTS; i++)
		if (net->port[i].fd >= 0)
			flush(swarm, &net->port[i]);
	return net->late > 0 ? (int)(net->heap[0]->due_ms - swarm->now_ms) : -1;
}

/* Reads the asked address and the loss count; false when the kernel gave no address. */
static bool read_control(struct swarm *swarm, struct port *p, struct msghdr *h, struct in_addr *asked)
{
	bool found = false;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			*asked = info.ipi_addr;
			found = true;
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
			uint32_t dropped;
			memcpy(&dropped, CMSG_DATA(c), sizeof(dropped));
			swarm->sums.receive_dropped += dropped - p->dropped;
			p->dropped = dropped;
		}
	}
	return found;
}

static void take(struct swarm *swarm, enum port_kind kind, unsigned i)
{
	struct port *p = &swarm->net->port[kind];
	struct packet packet = {p->in_data[i], p->in[i].msg_len, p->in_peer[i], {0}, kind};

	if (!read_control(swarm, p, &p->in[i].msg_hdr, &packet.asked))
		return;
	if (kind == PORT_ECHO) { /* a raw socket delivers the IP header too */
		size_t header = packet.size > 0 ? (packet.data[0] & 0xfu) * 4 : 0;
		if (header < sizeof(struct iphdr) || packet.size < header + 8)
			return;
		packet.data += header;
		packet.size -= header;
	}
	p->handle(swarm, &packet);
}

void net_ready(struct swarm *swarm, enum port_kind kind)
{
	struct port *p = &swarm->net->port[kind];
	struct timespec now;
	int n = NET_BATCH;

	for (int round = 0; n == NET_BATCH && round < ROUNDS; round++) {
		for (unsigned i = 0; i < NET_BATCH; i++) {
			p->in[i].msg_hdr.msg_namelen = sizeof(p->in_peer[i]);
			p->in[i].msg_hdr.msg_control = &p->in_control[i];
			p->in[i].msg_hdr.msg_controllen = sizeof(p->in_control[i]);
		}
		n = recvmmsg(p->fd, p->in, NET_BATCH, MSG_DONTWAIT, NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
		swarm->now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
		for (int i = 0; i < n; i++)
			take(swarm, kind, (unsigned)i);
		flush(swarm, p);
	}
}
