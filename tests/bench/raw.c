/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The denominator of the bench: the least a client can do. One socket, one template, sendmmsg and recvmmsg of 64; of an
 * answer only the request-id (or the echo's sequence) is looked at. Prints one line of JSON per sweep round. Called by
 * tests/bench/run and by tests. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/icmp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/oids.h"
#include "tests/lab/swarm/ber.h"

enum {
	BATCH = 64,
	ANSWER_MAX = 2048,
	TEMPLATE_MAX = 1400,
	LOST_AFTER_MS = 500,
	TICK_MS = 10,
	PER_NET = 250,
	AGENTS_MAX = 60000
};
enum { ID_BASE = 0x40000000 };

struct client {
	unsigned agents, window, sweeps, interval_ms, oids, port;
	in_addr_t net;
	bool echo;
	const char *community;
	int fd;
	uint8_t template[TEMPLATE_MAX];
	size_t template_size, id_at;
	uint8_t out_data[BATCH][TEMPLATE_MAX], in_data[BATCH][ANSWER_MAX];
	struct mmsghdr out[BATCH], in[BATCH];
	struct iovec out_vec[BATCH], in_vec[BATCH];
	struct sockaddr_in to[BATCH];
	uint32_t sweep; /* part of the request-id, so that a late answer counts as late */
	unsigned sent, answered;
	unsigned long late, bytes;
	uint8_t *seen;
};

static const char usage[] = "usage: raw [--agents N] [--net A.B.0.0] [--port P] [--window W] [--sweeps K] [--oids "
			    "1..20] [--interval MS] [--community C] [--echo]\n"
			    "with --interval the agents are spread over it, as a steady poller does; else each sweep "
			    "goes as fast as the window lets it\n";

static int fail(const char *what)
{
	fprintf(stderr, "raw: %s: %s\n", what, strerror(errno));
	return -1;
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static size_t put_varbind(uint8_t *out, const char *text)
{
	uint32_t ids[32];
	int n = 0;
	char *end;
	size_t size;

	do {
		ids[n++] = (uint32_t)strtoul(text, &end, 10);
		text = end + 1;
	} while (*end == '.' && n < 32);
	size = ber_put_oid(out + 4, 64, ids, n);
	memcpy(out, (uint8_t[]){BER_SEQUENCE, (uint8_t)(size + 4), BER_OID, (uint8_t)size}, 4);
	memcpy(out + 4 + size, (uint8_t[]){BER_NULL, 0}, 2);
	return size + 6;
}

/* A v2c GET of the first `oids` names, with a request-id of four bytes to be replaced. */
static void make_get(struct client *c)
{
	uint8_t room[TEMPLATE_MAX], *body = room + 128, *at = body, *p;
	size_t size = strlen(c->community);

	for (unsigned i = 0; i < c->oids; i++)
		at += put_varbind(at, bench_oids[i]);
	p = ber_wrap(body, BER_SEQUENCE, (size_t)(at - body));
	p -= 12;
	memcpy(p, (uint8_t[]){BER_INTEGER, 4, 0, 0, 0, 0, BER_INTEGER, 1, 0, BER_INTEGER, 1, 0}, 12);
	uint8_t *id = p + 2;
	p = ber_wrap(p, 0xa0, (size_t)(at - p));
	p -= size;
	memcpy(p, c->community, size);
	p = ber_wrap(p, BER_OCTETS, size);
	p -= 3;
	memcpy(p, (uint8_t[]){BER_INTEGER, 1, 1}, 3);
	p = ber_wrap(p, BER_SEQUENCE, (size_t)(at - p));
	c->template_size = (size_t)(at - p);
	c->id_at = (size_t)(id - p);
	memcpy(c->template, p, c->template_size);
}

static void make_echo(struct client *c)
{
	c->template_size = sizeof(struct icmphdr) + 16;
	c->id_at = sizeof(struct icmphdr);
	memset(c->template, 0, c->template_size);
	c->template[0] = ICMP_ECHO;
}

static int open_socket(struct client *c)
{
	struct icmp_filter only_replies = {~(1u << ICMP_ECHOREPLY)};
	int size = 32 << 20;

	c->fd = c->echo ? socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ICMP)
			: socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		return fail("socket, run as root");
	if (setsockopt(c->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (c->echo && setsockopt(c->fd, SOL_RAW, ICMP_FILTER, &only_replies, sizeof(only_replies)) < 0)
		return fail("icmp filter");
	for (unsigned i = 0; i < BATCH; i++) {
		c->out_vec[i] = (struct iovec){c->out_data[i], c->template_size};
		c->in_vec[i] = (struct iovec){c->in_data[i], ANSWER_MAX};
		memcpy(c->out_data[i], c->template, c->template_size);
		c->to[i] =
		    (struct sockaddr_in){.sin_family = AF_INET, .sin_port = c->echo ? 0 : htons((uint16_t)c->port)};
		c->out[i].msg_hdr = (struct msghdr){&c->to[i], sizeof(c->to[i]), &c->out_vec[i], 1, NULL, 0, 0};
		c->in[i].msg_hdr = (struct msghdr){NULL, 0, &c->in_vec[i], 1, NULL, 0, 0};
	}
	return 0;
}

static void set_echo_checksum(uint8_t *p, size_t size)
{
	uint32_t sum = 0;

	memset(p + 2, 0, 2);
	for (size_t i = 0; i < size; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	p[2] = (uint8_t)(~sum >> 8);
	p[3] = (uint8_t)~sum;
}

/* Sends to the next `count` agents (at most a batch); false on a socket error. */
static bool send_some(struct client *c, unsigned count)
{
	unsigned done = 0;

	for (unsigned i = 0; i < count; i++) {
		unsigned agent = c->sent + i;
		uint32_t id = htonl(ID_BASE | (c->sweep & 0x3fff) << 16 | agent);
		memcpy(c->out_data[i] + c->id_at, &id, 4);
		if (c->echo)
			set_echo_checksum(c->out_data[i], c->template_size);
		c->to[i].sin_addr.s_addr = htonl(c->net + (agent / PER_NET << 8) + agent % PER_NET + 1);
	}
	while (done < count) {
		int n = sendmmsg(c->fd, c->out + done, count - done, 0);
		if (n < 0)
			return fail("cannot send") == 0;
		done += (unsigned)n;
	}
	c->sent += count;
	return true;
}

/* The request-id of an answer: skips version, community and PDU header; or the echo's data. False when it is no answer
 * of ours. */
static bool read_id(const struct client *c, const uint8_t *data, size_t size, uint32_t *id)
{
	struct ber in = ber_over(data, size), message, content;
	uint8_t tag;

	if (c->echo) {
		size_t at = size ? (data[0] & 0xfu) * 4 + c->id_at : 0;
		if (at + 4 > size)
			return false;
		memcpy(id, data + at, 4);
		*id = ntohl(*id);
		return true;
	}
	if (!ber_expect(&in, BER_SEQUENCE, &message) || !ber_take(&message, &tag, &content) ||
	    !ber_take(&message, &tag, &content) || !ber_take(&message, &tag, &content) || ber_left(content) < 6)
		return false;
	memcpy(id, content.at + 2, 4);
	*id = ntohl(*id);
	return true;
}

static void receive(struct client *c)
{
	int n;

	do {
		n = recvmmsg(c->fd, c->in, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++) {
			uint32_t id;
			if (!read_id(c, c->in_data[i], c->in[i].msg_len, &id) ||
			    (id >> 16 & 0x3fff) != (c->sweep & 0x3fff) || (id & 0xffff) >= c->agents ||
			    c->seen[id & 0xffff]) {
				c->late++;
				continue;
			}
			c->seen[id & 0xffff] = 1;
			c->answered++;
			c->bytes += c->in[i].msg_len;
		}
	} while (n == BATCH);
}

/* How many may be sent now: what the window leaves, or what the pace has reached. */
static unsigned allowed(const struct client *c, int64_t since_us)
{
	unsigned open = c->sent - c->answered, left = c->agents - c->sent;
	unsigned may = c->window > open ? c->window - open : 0;

	if (c->interval_ms) {
		int64_t ticks = since_us / (TICK_MS * 1000) + 1;
		uint64_t due = (uint64_t)c->agents * (uint64_t)ticks * TICK_MS / c->interval_ms;
		may = due > c->sent ? (unsigned)(due - c->sent) : 0;
	}
	may = may < left ? may : left;
	return may < BATCH ? may : BATCH;
}

/* One sweep; false on a socket error. Ends when all have answered, or nothing has come for LOST_AFTER_MS. */
static bool sweep(struct client *c)
{
	int64_t start_us = now_us(), last_us = start_us;
	struct pollfd p = {.fd = c->fd, .events = POLLIN};

	c->sweep++;
	c->sent = c->answered = 0;
	memset(c->seen, 0, c->agents);
	while (c->answered < c->agents || (c->interval_ms && now_us() - start_us < (int64_t)c->interval_ms * 1000)) {
		int64_t now = now_us();
		unsigned before = c->answered, may = allowed(c, now - start_us);
		if (may > 0 && !send_some(c, may))
			return false;
		if (may == 0 || c->sent == c->agents)
			poll(&p, 1, c->interval_ms ? TICK_MS : LOST_AFTER_MS / 4);
		receive(c);
		if (c->answered > before || may > 0)
			last_us = now;
		if (c->sent == c->agents && now - last_us > LOST_AFTER_MS * 1000 &&
		    now - start_us >= (int64_t)c->interval_ms * 1000)
			break;
		if (may == 0 && !c->interval_ms &&
		    now - last_us > LOST_AFTER_MS * 1000) /* the window is full of lost ones */
			c->answered = c->sent;
	}
	return true;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static int run(struct client *c)
{
	for (unsigned i = 0; i < c->sweeps; i++) {
		struct rusage before, after;
		int64_t start_us = now_us();
		unsigned real = 0;
		getrusage(RUSAGE_SELF, &before);
		if (!sweep(c))
			return 1;
		getrusage(RUSAGE_SELF, &after);
		for (unsigned a = 0; a < c->agents; a++)
			real += c->seen[a];
		printf("{\"kind\": \"%s\", \"agents\": %u, \"answered\": %u, \"late\": %lu, \"wall_s\": %.6f, "
		       "\"user_s\": %.6f, \"system_s\": %.6f, "
		       "\"cpu_s\": %.6f, \"bytes\": %lu}\n",
		       c->echo ? "echo" : "get", c->agents, real, c->late, (double)(now_us() - start_us) / 1e6,
		       seconds(after.ru_utime) - seconds(before.ru_utime),
		       seconds(after.ru_stime) - seconds(before.ru_stime),
		       seconds(after.ru_utime) - seconds(before.ru_utime) + seconds(after.ru_stime) -
			   seconds(before.ru_stime),
		       c->bytes);
		fflush(stdout);
	}
	return 0;
}

static bool read_options(int argc, char **argv, struct client *c)
{
	static const struct option longs[] = {
	    {"agents", 1, NULL, 'a'}, {"net", 1, NULL, 'n'},  {"port", 1, NULL, 'p'},     {"window", 1, NULL, 'w'},
	    {"sweeps", 1, NULL, 's'}, {"oids", 1, NULL, 'o'}, {"interval", 1, NULL, 'i'}, {"community", 1, NULL, 'c'},
	    {"echo", 0, NULL, 'e'},   {NULL, 0, NULL, 0}};
	int o;

	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		unsigned v = optarg ? (unsigned)strtoul(optarg, NULL, 10) : 0;
		struct in_addr net;
		switch (o) {
		case 'a':
			c->agents = v;
			break;
		case 'p':
			c->port = v;
			break;
		case 'w':
			c->window = v;
			break;
		case 's':
			c->sweeps = v;
			break;
		case 'o':
			c->oids = v;
			break;
		case 'i':
			c->interval_ms = v;
			break;
		case 'c':
			c->community = optarg;
			break;
		case 'e':
			c->echo = true;
			break;
		case 'n':
			if (inet_pton(AF_INET, optarg, &net) != 1)
				return false;
			c->net = ntohl(net.s_addr);
			break;
		default:
			return false;
		}
	}
	return optind == argc && c->agents > 0 && c->agents <= AGENTS_MAX && c->oids > 0 && c->oids <= 20 &&
	       c->window > 0 && strlen(c->community) < 64;
}

int main(int argc, char **argv)
{
	static struct client c = {.agents = 10000,
				  .window = 1024,
				  .sweeps = 1,
				  .oids = 20,
				  .port = 161,
				  .net = 0x0a800000,
				  .community = "lab"};
	int code = 1;

	if (!read_options(argc, argv, &c)) {
		fputs(usage, stderr);
		return 2;
	}
	c.echo ? make_echo(&c) : make_get(&c);
	c.seen = malloc(c.agents);
	if (c.seen && open_socket(&c) == 0)
		code = run(&c);
	free(c.seen);
	return code;
}
