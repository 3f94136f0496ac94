/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Datagrams in and out, and net-snmp transports over descriptors that are not the library's; see transport.h. */
#include "mibs/agent/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <net-snmp/library/snmpUDPDomain.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct handed { /* transport->data */
	bool *drained; /* of a connected one; NULL: fed */
};

static struct {
	const void *bytes; /* NULL: nothing to be read */
	size_t size;
	struct transport_peer peer;
} fed;

static void note_local(struct transport_peer *peer, struct cmsghdr *c)
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

size_t transport_take(int fd, struct transport_batch *out)
{
	static union {
		char room[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo))];
		struct cmsghdr align;
	} control[TRANSPORT_BATCH];
	struct iovec iov[TRANSPORT_BATCH];
	struct mmsghdr m[TRANSPORT_BATCH];
	int n;

	for (size_t i = 0; i < TRANSPORT_BATCH; i++) {
		struct transport_datagram *d = &out->datagrams[i];
		iov[i] = (struct iovec){d->bytes, sizeof d->bytes};
		m[i].msg_hdr = (struct msghdr){.msg_name = &d->peer.remote, .msg_namelen = sizeof d->peer.remote, .msg_iov = &iov[i],
					       .msg_iovlen = 1, .msg_control = control[i].room, .msg_controllen = sizeof control[i].room};
	}
	do {
		n = recvmmsg(fd, m, TRANSPORT_BATCH, MSG_DONTWAIT, NULL);
	} while (n < 0 && errno == EINTR);
	for (int i = 0; i < n; i++) {
		struct transport_datagram *d = &out->datagrams[i];
		d->size = m[i].msg_len;
		d->peer.remote_length = m[i].msg_hdr.msg_namelen;
		memset(d->peer.local, 0, sizeof d->peer.local);
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&m[i].msg_hdr); c; c = CMSG_NXTHDR(&m[i].msg_hdr, c))
			note_local(&d->peer, c);
	}
	return n < 0 ? 0 : (size_t)n;
}

/* Hands over what was fed; net-snmp keeps the peer with the PDU (its "opaque": malloc'd, freed by the library) for the answer. */
static ssize_t take_fed(void *buffer, size_t room, void **opaque, int *opaque_length)
{
	if (!fed.bytes || fed.size > room || !(*opaque = malloc(sizeof fed.peer)))
		return -1;
	memcpy(*opaque, &fed.peer, sizeof fed.peer);
	*opaque_length = sizeof fed.peer;
	memcpy(buffer, fed.bytes, fed.size);
	fed.bytes = NULL;
	return (ssize_t)fed.size;
}

void transport_feed(const void *bytes, size_t size, const struct transport_peer *peer)
{
	fed.bytes = bytes;
	fed.size = size;
	fed.peer = *peer;
}

static int on_receive(netsnmp_transport *t, void *buffer, int room, void **opaque, int *opaque_length)
{
	struct handed *handed = t->data;
	ssize_t n;

	*opaque = NULL;
	*opaque_length = 0;
	if (!handed->drained)
		return (int)take_fed(buffer, (size_t)room, opaque, opaque_length);
	do {
		n = recv(t->sock, buffer, (size_t)room, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		*handed->drained = true;
	return (int)n;
}

/* Puts the asked address into the control message, so that a host with several addresses answers from the right one. */
static void answer_from(struct msghdr *m, const struct transport_peer *peer)
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

bool transport_give(int fd, const void *bytes, size_t size, const struct transport_peer *peer)
{
	union {
		char room[CMSG_SPACE(sizeof(struct in6_pktinfo))];
		struct cmsghdr align;
	} control = {{0}};
	struct sockaddr_storage remote = peer->remote;
	union {
		const void *from;
		void *base;
	} data = {.from = bytes};
	struct iovec iov = {data.base, size};
	struct msghdr m = {.msg_name = &remote, .msg_namelen = peer->remote_length, .msg_iov = &iov, .msg_iovlen = 1,
			   .msg_control = control.room, .msg_controllen = sizeof control.room};

	ssize_t n;

	if (!peer->remote_length)
		return true;
	answer_from(&m, peer);
	do {
		n = sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n >= 0;
}

static int on_send(netsnmp_transport *t, const void *bytes, int size, void **opaque, int *opaque_length)
{
	struct transport_peer peer;

	if (((const struct handed *)t->data)->drained)
		return (int)send(t->sock, bytes, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (!opaque || !*opaque || *opaque_length != (int)sizeof peer)
		return -1;
	memcpy(&peer, *opaque, sizeof peer);
	return transport_give(t->sock, bytes, (size_t)size, &peer) ? size : -1;
}

static int on_close(netsnmp_transport *t)
{
	t->sock = -1; /* the descriptor belongs to the role */
	return 0;
}

static char *on_format(netsnmp_transport *t, const void *data, int size)
{
	struct address a;
	struct transport_peer peer;
	char text[ADDRESS_TEXT] = "unknown";
	(void)t;

	if (data && size == (int)sizeof peer) {
		memcpy(&peer, data, sizeof peer);
		if (address_from_sockaddr(&peer.remote, &a))
			address_text(&a, 0, text);
	}
	return strdup(text);
}

static netsnmp_transport *make(int fd, bool *drained)
{
	netsnmp_transport *t = calloc(1, sizeof *t);
	struct handed *handed = calloc(1, sizeof *handed);
	if (!t || !handed) {
		free(t);
		free(handed);
		return NULL;
	}
	handed->drained = drained;
	t->domain = netsnmpUDPDomain;
	t->domain_length = (int)netsnmpUDPDomain_len;
	t->sock = fd;
	t->msgMaxSize = TRANSPORT_DATAGRAM_MAX;
	t->data = handed;
	t->data_length = sizeof *handed;
	t->f_recv = on_receive;
	t->f_send = on_send;
	t->f_close = on_close;
	t->f_fmtaddr = on_format;
	return t;
}

bool transport_prepare(int fd)
{
	int type = 0, one = 1;
	socklen_t size = sizeof type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) || type != SOCK_DGRAM)
		return false;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof one);
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof one);
	return true;
}

netsnmp_transport *transport_fed(int fd)
{
	return make(fd, NULL);
}

netsnmp_transport *transport_connected(int fd, bool *drained)
{
	return make(fd, drained);
}

bool transport_source(const netsnmp_pdu *pdu, struct address *out)
{
	struct transport_peer peer;

	if (!pdu->transport_data || pdu->transport_data_length != (int)sizeof peer)
		return false;
	memcpy(&peer, pdu->transport_data, sizeof peer);
	return address_from_sockaddr(&peer.remote, out);
}
