/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The appliance's own link: which interfaces carry the routes to the nodes (asked of the kernel for a sample of them),
 * and whether any of these has a carrier (told by the kernel, rtnetlink(7)). */
#include <errno.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "mibs/collector/role/role.h"

enum { HOSTS = 256, INTERFACES = 64, ROUTES_MS = 5000, ROUTES_DOWN_MS = 500 };

struct interface {
	int index;
	bool up, seen;
};

struct link {
	int fd;  /* -1: cannot be watched, taken for up */
	int ask; /* a second socket, for questions: their answers never mix with what is told */
	size_t host_count, interface_count, offered;
	struct address hosts[HOSTS];
	struct interface interfaces[INTERFACES];
	int64_t routes_due;
	uint32_t sequence;
	bool was_up;
};

static int netlink_socket(uint32_t groups)
{
	struct sockaddr_nl local = {.nl_family = AF_NETLINK, .nl_groups = groups};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (void *)&local, sizeof local)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

struct link *link_new(void)
{
	struct link *l = mem_zalloc(sizeof *l);

	l->fd = netlink_socket(RTMGRP_LINK);
	l->ask = netlink_socket(0);
	l->was_up = true;
	if (l->fd < 0 || l->ask < 0)
		log_warning("collector: no netlink socket (%s): the own link's carrier is not watched",
			    strerror(errno));
	return l;
}

void link_free(struct link *l)
{
	if (!l)
		return;
	if (l->fd >= 0)
		close(l->fd);
	if (l->ask >= 0)
		close(l->ask);
	free(l);
}

int link_fd(const struct link *l)
{
	return l->fd;
}

void link_forget_hosts(struct link *l)
{
	l->host_count = l->offered = 0;
	l->routes_due = 0;
}

/* A sample over all that are offered: the n-th takes the place of an older one when the list is full. */
void link_host(struct link *l, const struct address *host)
{
	size_t at = l->host_count < HOSTS ? l->host_count++ : (l->offered * 2654435761u) % HOSTS;

	l->hosts[at] = *host;
	l->offered++;
	l->routes_due = 0;
}

static void take_link(struct link *l, const struct nlmsghdr *h)
{
	const struct ifinfomsg *i = NLMSG_DATA(h);

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof *i))
		return;
	for (size_t n = 0; n < l->interface_count; n++)
		if (l->interfaces[n].index == i->ifi_index)
			l->interfaces[n].up =
			    h->nlmsg_type == RTM_NEWLINK && (i->ifi_flags & IFF_UP) && (i->ifi_flags & IFF_LOWER_UP);
}

/* Outgoing interface in the answer to RTM_GETROUTE; 0 = no route. */
static int route_interface(const struct nlmsghdr *h)
{
	const struct rtmsg *r = NLMSG_DATA(h);
	int left = (int)h->nlmsg_len - (int)NLMSG_LENGTH(sizeof *r), index = 0;

	if (h->nlmsg_type != RTM_NEWROUTE || left < 0)
		return 0;
	for (const struct rtattr *a = RTM_RTA(r); RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == RTA_OIF && RTA_PAYLOAD(a) == sizeof index)
			memcpy(&index, RTA_DATA(a), sizeof index);
	return index;
}

/* Sends a question and reads its answer, which the kernel has ready when send() returns. */
static bool question(struct link *l, struct nlmsghdr *h, void *answer, size_t room, size_t *size)
{
	h->nlmsg_seq = ++l->sequence;
	if (send(l->ask, h, h->nlmsg_len, 0) < 0)
		return false;
	for (int tries = 0; tries < 8; tries++) {
		ssize_t n = recv(l->ask, answer, room, 0);
		if (n < (ssize_t)sizeof(struct nlmsghdr))
			return false;
		*size = (size_t)n;
		if (((struct nlmsghdr *)answer)->nlmsg_seq == l->sequence)
			return true;
	}
	return false;
}

static int ask_route(struct link *l, const struct address *host)
{
	struct {
		struct nlmsghdr h;
		struct rtmsg r;
		struct rtattr a;
		uint8_t to[16];
	} q = {.h = {.nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST}};
	size_t bytes = host->family == 6 ? 16 : 4, size;
	_Alignas(struct nlmsghdr) uint8_t answer[4096];

	q.r.rtm_family = host->family == 6 ? AF_INET6 : AF_INET;
	q.r.rtm_dst_len = (unsigned char)(bytes * 8);
	q.a.rta_type = RTA_DST;
	q.a.rta_len = (unsigned short)RTA_LENGTH(bytes);
	memcpy(q.to, host->bytes, bytes);
	q.h.nlmsg_len = (uint32_t)(NLMSG_LENGTH(sizeof q.r) + q.a.rta_len);
	if (!question(l, &q.h, answer, sizeof answer, &size) || !NLMSG_OK((struct nlmsghdr *)answer, size))
		return 0;
	return route_interface((struct nlmsghdr *)answer);
}

static void ask_state(struct link *l, struct interface *i)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg i;
	} q = {.h = {.nlmsg_len = NLMSG_LENGTH(sizeof q.i), .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST},
	       .i = {.ifi_index = i->index}};
	_Alignas(struct nlmsghdr) uint8_t answer[16384];
	size_t size;

	if (question(l, &q.h, answer, sizeof answer, &size) && NLMSG_OK((struct nlmsghdr *)answer, size) &&
	    ((struct nlmsghdr *)answer)->nlmsg_type == RTM_NEWLINK)
		take_link(l, (struct nlmsghdr *)answer);
}

static void note_interface(struct link *l, int index)
{
	for (size_t n = 0; n < l->interface_count; n++)
		if (l->interfaces[n].index == index) {
			l->interfaces[n].seen = true;
			return;
		}
	if (l->interface_count == INTERFACES)
		return;
	struct interface *i = &l->interfaces[l->interface_count++];
	*i = (struct interface){.index = index, .seen = true};
	ask_state(l, i);
}

static bool any_up(const struct link *l)
{
	for (size_t n = 0; n < l->interface_count; n++)
		if (l->interfaces[n].up)
			return true;
	return l->interface_count == 0;
}

/* Interfaces that carry no route any more are forgotten only while another one is up: a link that goes down takes its
 * routes along, and a default route elsewhere must not make it look healthy. */
static void look_at_routes(struct link *l)
{
	bool found = false;

	for (size_t n = 0; n < l->interface_count; n++)
		l->interfaces[n].seen = false;
	if (!any_up(l)) {
		for (size_t n = 0; n < l->interface_count; n++)
			ask_state(l, &l->interfaces[n]);
		if (!any_up(l))
			return;
	}
	for (size_t i = 0; i < l->host_count; i++) {
		int index = ask_route(l, &l->hosts[i]);
		if (index) {
			note_interface(l, index);
			found = true;
		}
	}
	for (size_t n = 0; found && n < l->interface_count;)
		if (!l->interfaces[n].seen)
			l->interfaces[n] = l->interfaces[--l->interface_count];
		else
			n++;
}

static void read_news(struct link *l)
{
	_Alignas(struct nlmsghdr) uint8_t bytes[16384];
	ssize_t n;

	while ((n = recv(l->fd, bytes, sizeof bytes, 0)) > 0 || errno == ENOBUFS) {
		if (n < 0) {
			l->routes_due = 0; /* news were lost: ask */
			for (size_t i = 0; i < l->interface_count; i++)
				ask_state(l, &l->interfaces[i]);
			errno = 0;
			continue;
		}
		size_t left = (size_t)n;
		for (struct nlmsghdr *h = (struct nlmsghdr *)bytes; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left))
			if (h->nlmsg_type == RTM_NEWLINK || h->nlmsg_type == RTM_DELLINK)
				take_link(l, h);
	}
}

bool link_up(struct link *l, int64_t now)
{
	if (l->fd < 0 || l->ask < 0)
		return true;
	read_news(l);
	if (now >= l->routes_due) {
		look_at_routes(l);
		l->routes_due = now + (any_up(l) ? ROUTES_MS : ROUTES_DOWN_MS);
	}
	bool up = any_up(l);
	if (up != l->was_up)
		log_warning("collector: own link %s",
			    up ? "has its carrier back"
			       : "has no carrier: judgement is suspended: check the appliance's cable");
	l->was_up = up;
	return up;
}
