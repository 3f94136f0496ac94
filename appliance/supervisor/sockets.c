/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sockets that need rights: low ports, raw ICMP behind a locked filter, big receive buffers. Opened once, handed to each
 * life of the role that owns them, so that a restart loses no datagram and no connection. */
#include "supervisor/supervisor.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

#define BIG_BUFFER (16 << 20)

static void big_receive_buffer(int fd)
{
	int bytes = BIG_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

static int bound_socket(const struct address *a, int type, const char *what)
{
	struct sockaddr_storage to;
	char text[ADDRESS_TEXT];
	socklen_t length = address_to_sockaddr(a, &to);
	int one = 1, fd = socket(to.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (fd < 0 || bind(fd, (struct sockaddr *)&to, length) || (type == SOCK_STREAM && listen(fd, 64))) {
		log_error("%s: %s: %s: choose another address in gloryd.xml or end what stands there", what, address_text(a, 0, text), strerror(errno));
		if (fd >= 0)
			close(fd);
		return ERR_NO_RESOURCE;
	}
	if (type == SOCK_DGRAM)
		big_receive_buffer(fd);
	return fd;
}

static int unix_socket(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (!text_copy(to.sun_path, sizeof to.sun_path, path)) {
		log_error("api socket: %s is longer than %zu bytes: choose a shorter path", path, sizeof to.sun_path - 1);
		return ERR_CONFIG;
	}
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof to) || chmod(path, 0666) || listen(fd, 64)) {
		log_error("api socket: %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return ERR_NO_RESOURCE;
	}
	return fd;
}

/* Raw ICMP that lets only echo replies and unreachables in; the filter is locked, so the role cannot widen it. */
static int echo_socket(int family)
{
	/* IPv4 raw sockets begin with the IP header: X = 4 * (byte 0 & 15), then the ICMP type; IPv6 ones begin with ICMPv6 */
	struct sock_filter v4[] = {
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP_ECHOREPLY, 1, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP_DEST_UNREACH, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 2048), BPF_STMT(BPF_RET | BPF_K, 0)};
	struct sock_filter v6[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP6_ECHO_REPLY, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP6_DST_UNREACH, 0, 1), BPF_STMT(BPF_RET | BPF_K, 2048), BPF_STMT(BPF_RET | BPF_K, 0)};
	struct sock_fprog program = {family == AF_INET ? COUNT_OF(v4) : COUNT_OF(v6), family == AF_INET ? v4 : v6};
	int one = 1, fd = socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) || setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof one)) {
		close(fd);
		return -1;
	}
	big_receive_buffer(fd);
	return fd;
}

static int open_bound(struct supervisor *s, enum socket_use use, const struct address *a, int type, const char *what)
{
	if (a->family == 0)
		return 0;
	s->sockets[use] = bound_socket(a, type, what);
	s->socket_address[use] = *a;
	return s->sockets[use] < 0 ? ERR_NO_RESOURCE : 0;
}

int sockets_open(struct supervisor *s)
{
	int rc = open_bound(s, SOCKET_AGENT, &s->settings.agent, SOCK_DGRAM, "snmp agent");

	if (!rc)
		rc = open_bound(s, SOCKET_HTTP, &s->settings.http, SOCK_STREAM, "http");
	if (!rc)
		rc = open_bound(s, SOCKET_HTTPS, &s->settings.https, SOCK_STREAM, "https");
	if (!rc)
		rc = open_bound(s, SOCKET_TRAP, &s->settings.trap_listener, SOCK_DGRAM, "trap listener");
	if (rc)
		return rc;
	if (s->settings.api_socket[0]) {
		s->sockets[SOCKET_API] = unix_socket(s->settings.api_socket);
		if (s->sockets[SOCKET_API] < 0)
			return s->sockets[SOCKET_API];
	}
	s->sockets[SOCKET_ECHO4] = echo_socket(AF_INET);
	s->sockets[SOCKET_ECHO6] = echo_socket(AF_INET6);
	if (s->sockets[SOCKET_ECHO4] < 0)
		log_warning("echo: no raw socket (%s): nodes are told from dead agents by TCP alone: start as root", strerror(errno));
	return 0;
}

void sockets_close(struct supervisor *s)
{
	for (int i = 0; i < SOCKET_USES; i++)
		if (s->sockets[i] >= 0)
			close(s->sockets[i]);
	if (s->sockets[SOCKET_API] >= 0)
		unlink(s->settings.api_socket);
}
