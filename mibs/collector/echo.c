/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ICMP echo in batches; see echo.h. */
#include "mibs/collector/echo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct packet { /* ICMP and ICMPv6 echo have one form */
	uint8_t type, code;
	uint16_t checksum, id, sequence;
	uint32_t slot, token;
	uint64_t check;
};
_Static_assert(sizeof(struct packet) == 24, "goes over the wire");

struct echo {
	struct batch *batches[2];
	bool raw[2];
	uint64_t keys[2];
	uint16_t id;
	echo_answer_fn *on_answer;
	void *arg;
	struct echo_stats stats;
};

int echo_socket(int family)
{
	int protocol = family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	int fd = socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	return fd < 0 ? -errno : fd;
}

static uint64_t check_of(const struct echo *e, uint32_t slot, uint32_t token)
{
	uint64_t h = ((uint64_t)slot << 32 | token) ^ e->keys[0];

	for (int i = 0; i < 3; i++) {
		h = (h ^ h >> 29) * 0xbf58476d1ce4e5b9u + e->keys[1];
		h = (h ^ h >> 32) * 0x94d049bb133111ebu;
	}
	return h ^ h >> 31;
}

static uint16_t checksum(const void *bytes, size_t size)
{
	uint32_t sum = 0;
	uint16_t word;

	for (size_t i = 0; i + 1 < size; i += 2) {
		memcpy(&word, (const uint8_t *)bytes + i, 2);
		sum += word;
	}
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t) ~(sum + (sum >> 16));
}

static void on_datagram(void *arg, uint8_t *bytes, size_t size, const union endpoint *from, int64_t now)
{
	struct echo *e = arg;
	bool v6 = from->any.sa_family == AF_INET6;
	struct packet p;
	size_t skip = 0;

	if (e->raw[v6] && !v6) {
		if (size < sizeof(struct iphdr))
			return;
		skip = (bytes[0] & 15u) * 4;
	}
	if (size < skip + sizeof p)
		return;
	memcpy(&p, bytes + skip, sizeof p);
	if (p.type != (v6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY) || (e->raw[v6] && p.id != e->id))
		return; /* a raw socket hears everybody's */
	if (p.check != check_of(e, p.slot, p.token)) {
		e->stats.foreign++;
		return;
	}
	e->stats.answers++;
	e->on_answer(e->arg, p.slot, p.token, from, now);
}

static void prepare(struct echo *e, int fd, bool v6)
{
	int type = 0;
	socklen_t size = sizeof type;

	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
	e->raw[v6] = type == SOCK_RAW;
	if (e->raw[v6] && !v6) {
		struct icmp_filter filter = {.data = ~(1u << ICMP_ECHOREPLY)};
		setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, sizeof filter);
	} else if (e->raw[v6]) {
		struct icmp6_filter filter;
		ICMP6_FILTER_SETBLOCKALL(&filter);
		ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
		setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter);
	}
	batch_grow_buffer(fd);
}

struct echo *echo_new(const int fds[2], const uint8_t secret[16], echo_answer_fn *on_answer, void *arg)
{
	struct echo *e = mem_zalloc(sizeof *e);
	struct batch_owner owner = {.on_datagram = on_datagram, .arg = e};

	e->on_answer = on_answer;
	e->arg = arg;
	memcpy(e->keys, secret, sizeof e->keys);
	e->id = (uint16_t)(e->keys[0] ^ e->keys[1] >> 17);
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0) {
			prepare(e, fds[i], i == 1);
			e->batches[i] = batch_new(fds[i], &owner);
		}
	return e;
}

void echo_free(struct echo *e)
{
	if (!e)
		return;
	batch_free(e->batches[0]);
	batch_free(e->batches[1]);
	free(e);
}

bool echo_send(struct echo *e, uint32_t slot, uint32_t token, const union endpoint *to)
{
	bool v6 = to->any.sa_family == AF_INET6;
	struct batch *b = e->batches[v6];
	union endpoint host = *to;
	struct packet p = {.type = v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO,
			   .id = e->id,
			   .sequence = htons((uint16_t)token),
			   .slot = slot,
			   .token = token};

	if (!b)
		return false;
	p.check = check_of(e, slot, token);
	p.checksum = v6 ? 0 : checksum(&p, sizeof p); /* the kernel does it for ICMPv6 */
	if (v6)
		host.v6.sin6_port = 0;
	else
		host.v4.sin_port = 0;
	uint8_t *room = batch_room(b);
	memcpy(room, &p, sizeof p);
	batch_commit(b, room, sizeof p, &host);
	e->stats.sent++;
	return true;
}

void echo_flush(struct echo *e)
{
	for (int i = 0; i < 2; i++)
		if (e->batches[i])
			batch_flush(e->batches[i]);
}

void echo_receive(struct echo *e, int64_t now)
{
	for (int i = 0; i < 2; i++)
		if (e->batches[i])
			batch_receive(e->batches[i], now);
}

int echo_fd(const struct echo *e, int family)
{
	const struct batch *b = e->batches[family == AF_INET6];

	return b ? batch_fd(b) : -1;
}

uint64_t echo_overflowed(const struct echo *e)
{
	return (e->batches[0] ? batch_stats(e->batches[0])->overflowed : 0) +
	       (e->batches[1] ? batch_stats(e->batches[1])->overflowed : 0);
}

struct echo_stats echo_stats(const struct echo *e)
{
	return e->stats;
}
