/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A net-snmp transport over a descriptor that is not the library's; see transport.h. */
#include "mibs/agent/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <net-snmp/library/snmpUDPDomain.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_MAX 65507

/* What net-snmp keeps with a PDU and hands back for the reply (its "opaque"): allocated with malloc, freed by the library. */
struct peer {
	struct sockaddr_storage remote;
	socklen_t remote_length;
	uint8_t local[16]; /* the address that was asked; all zero: unknown */
	uint32_t if_index;
};

struct handed { /* transport->data */
	bool *drained;
	bool connected;
};

static struct {
	const void *bytes;
	size_t size;
	bool on;
} fed;

void transport_feed(const void *bytes, size_t size)
{
	fed.bytes = bytes;
	fed.size = size;
	fed.on = true;
}

static void note_local(struct peer *peer, struct cmsghdr *c)
{
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo info;
		memcpy(&info, CMSG_DATA(c), sizeof info);
		memcpy(peer->local, &info.ipi_spec_dst, 4);
	} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo info;
		memcpy(&info, CMSG_DATA(c), sizeof info);
		memcpy(peer->local, &info.ipi6_addr, 16);
		peer->if_index = info.ipi6_ifindex;
	}
}

static ssize_t receive(int fd, void *buffer, size_t room, struct peer *peer)
{
	union {
		char room[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {buffer, room};
	struct msghdr m = {.msg_name = &peer->remote, .msg_namelen = sizeof peer->remote, .msg_iov = &iov, .msg_iovlen = 1,
			   .msg_control = control.room, .msg_controllen = sizeof control.room};
	ssize_t n;

	if (fed.on) {
		if (!fed.bytes)
			return -1;
		n = (ssize_t)(fed.size < room ? fed.size : room);
		memcpy(buffer, fed.bytes, (size_t)n);
		fed.bytes = NULL;
		peer->remote.ss_family = AF_INET;
		peer->remote_length = sizeof(struct sockaddr_in);
		return n;
	}
	do {
		n = recvmsg(fd, &m, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return n;
	peer->remote_length = m.msg_namelen;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		note_local(peer, c);
	return n;
}

static int on_receive(netsnmp_transport *t, void *buffer, int room, void **opaque, int *opaque_length)
{
	struct handed *handed = t->data;
	struct peer *peer = calloc(1, sizeof *peer);

	*opaque = NULL;
	*opaque_length = 0;
	if (!peer)
		return -1;
	ssize_t n = receive(t->sock, buffer, (size_t)room, peer);
	if (n < 0) {
		*handed->drained = true;
		free(peer);
		return -1;
	}
	*opaque = peer;
	*opaque_length = sizeof *peer;
	return (int)n;
}

/* Puts the asked address into the control message, so that a host with several addresses answers from the right one. */
static void answer_from(struct msghdr *m, const struct peer *peer)
{
	static const uint8_t unknown[16];
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	if (!memcmp(peer->local, unknown, sizeof unknown)) {
		m->msg_control = NULL;
		m->msg_controllen = 0;
	} else if (peer->remote.ss_family == AF_INET6) {
		struct in6_pktinfo info = {.ipi6_ifindex = peer->if_index};
		memcpy(&info.ipi6_addr, peer->local, 16);
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof info);
		memcpy(CMSG_DATA(c), &info, sizeof info);
		m->msg_controllen = CMSG_SPACE(sizeof info);
	} else {
		struct in_pktinfo info = {0};
		memcpy(&info.ipi_spec_dst, peer->local, 4);
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof info);
		memcpy(CMSG_DATA(c), &info, sizeof info);
		m->msg_controllen = CMSG_SPACE(sizeof info);
	}
}

static int on_send(netsnmp_transport *t, const void *bytes, int size, void **opaque, int *opaque_length)
{
	union {
		char room[CMSG_SPACE(sizeof(struct in6_pktinfo))];
		struct cmsghdr align;
	} control = {{0}};
	struct peer peer;
	union {
		const void *from;
		void *base;
	} data = {.from = bytes};
	struct iovec iov = {data.base, (size_t)size};

	if (fed.on)
		return size;
	if (((const struct handed *)t->data)->connected)
		return (int)send(t->sock, bytes, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (!opaque || !*opaque || *opaque_length != (int)sizeof peer)
		return -1;
	memcpy(&peer, *opaque, sizeof peer);
	struct msghdr m = {.msg_name = &peer.remote, .msg_namelen = peer.remote_length, .msg_iov = &iov, .msg_iovlen = 1,
			   .msg_control = control.room, .msg_controllen = sizeof control.room};
	answer_from(&m, &peer);
	ssize_t n;
	do {
		n = sendmsg(t->sock, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return (int)n;
}

static int on_close(netsnmp_transport *t)
{
	t->sock = -1; /* the descriptor belongs to the role */
	return 0;
}

static char *on_format(netsnmp_transport *t, const void *data, int size)
{
	struct address a;
	struct peer peer;
	char text[ADDRESS_TEXT] = "unknown";
	(void)t;

	if (data && size == (int)sizeof peer) {
		memcpy(&peer, data, sizeof peer);
		if (address_from_sockaddr(&peer.remote, &a))
			address_text(&a, 0, text);
	}
	return strdup(text);
}

static netsnmp_transport *make(int fd, bool *drained, bool connected)
{
	netsnmp_transport *t = calloc(1, sizeof *t);
	struct handed *handed = calloc(1, sizeof *handed);
	if (!t || !handed) {
		free(t);
		free(handed);
		return NULL;
	}
	handed->drained = drained;
	handed->connected = connected;
	t->domain = netsnmpUDPDomain;
	t->domain_length = (int)netsnmpUDPDomain_len;
	t->sock = fd;
	t->msgMaxSize = MESSAGE_MAX;
	t->data = handed;
	t->data_length = sizeof *handed;
	t->f_recv = on_receive;
	t->f_send = on_send;
	t->f_close = on_close;
	t->f_fmtaddr = on_format;
	return t;
}

netsnmp_transport *transport_over(int fd, bool *drained)
{
	int type = 0, one = 1;
	socklen_t size = sizeof type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) || type != SOCK_DGRAM)
		return NULL;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof one);
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof one);
	return make(fd, drained, false);
}

netsnmp_transport *transport_connected(int fd, bool *drained)
{
	return make(fd, drained, true);
}

bool transport_source(const netsnmp_pdu *pdu, struct address *out)
{
	struct peer peer;

	if (!pdu->transport_data || pdu->transport_data_length != (int)sizeof peer)
		return false;
	memcpy(&peer, pdu->transport_data, sizeof peer);
	return address_from_sockaddr(&peer.remote, out);
}
