/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The BMC engine's sockets on loopback: what is said in a turn leaves at its end, whole and in order; a flood turns
 * them to turns by the timer, silence turns them back, and nothing is left unread. */
#include "ipmi/udp.c"

#include <arpa/inet.h>

#include "base/text.h"
#include "unit.h"

enum { MANY = 100, LIMIT_MS = 5000 };

static struct {
	struct loop *loop;
	struct bmc_udp *udp;
	struct bmc_engine *engine;
	struct loop_timer *look;
	struct address here[2]; /* of the test's own sockets, IPv4 and IPv6 */
	int fd[2];
	unsigned turns;
	int64_t end_ms;
	bool (*wanted)(void);
} w;

static void on_turn(void *arg)
{
	(void)arg;
	w.turns++;
}

static void ignore_send(void *arg, const struct address *to, const void *data, size_t size)
{
	(void)arg;
	(void)to;
	(void)data;
	(void)size;
}

static int own_socket(int family, struct address *here)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_storage bound;
	socklen_t size = sizeof(bound);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int bad = family == AF_INET ? bind(fd, (struct sockaddr *)&four, sizeof(four))
				    : bind(fd, (struct sockaddr *)&six, sizeof(six));

	if (fd < 0 || bad || getsockname(fd, (struct sockaddr *)&bound, &size) < 0 || !address_from_sockaddr(&bound, here)) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

static void on_look(void *arg)
{
	(void)arg;
	if (w.wanted() || clock_mono_ms() > w.end_ms)
		loop_stop(w.loop);
}

/* Runs the loop until it is so. */
static bool until(bool (*wanted)(void))
{
	w.wanted = wanted;
	w.end_ms = clock_mono_ms() + LIMIT_MS;
	loop_timer_every(w.look, 5);
	loop_run(w.loop);
	loop_timer_stop(w.look);
	return wanted();
}

static void start(void)
{
	struct bmc_hands hands = {.send = ignore_send, .random = bmc_udp_random};
	struct bmc_settings settings = {.turn = on_turn};

	memset(&w, 0, sizeof(w));
	w.fd[0] = own_socket(AF_INET, &w.here[0]);
	w.fd[1] = own_socket(AF_INET6, &w.here[1]);
	CU_ASSERT_FATAL(w.fd[0] >= 0);
	w.loop = loop_new();
	w.look = loop_timer_new(w.loop, on_look, NULL);
	w.udp = bmc_udp_open();
	w.engine = bmc_engine_new(&settings, &hands, clock_mono_ms());
	CU_ASSERT_FATAL(w.udp && w.engine);
	bmc_udp_attach(w.udp, w.loop, w.engine);
}

static void end(void)
{
	bmc_udp_free(w.udp);
	bmc_engine_free(w.engine);
	loop_timer_free(w.look);
	loop_free(w.loop);
	for (int i = 0; i < 2; i++)
		if (w.fd[i] >= 0)
			close(w.fd[i]);
}

/* Datagram i has a size and bytes of its own. */
static size_t make(unsigned i, uint8_t *out)
{
	size_t size = i % 10 ? 40 + i : PACKET_MAX;

	for (size_t k = 0; k < size; k++)
		out[k] = (uint8_t)(i + k);
	return size;
}

static unsigned arrived(int family)
{
	uint8_t got[PACKET_MAX + 1], right[PACKET_MAX];
	unsigned count = 0;

	for (ssize_t n; (n = recv(w.fd[family], got, sizeof(got), 0)) >= 0; count++) {
		size_t size = make(count, right);
		CU_ASSERT((size_t)n == size && memcmp(got, right, size) == 0);
	}
	return count;
}

static void say(int family, unsigned count)
{
	uint8_t data[PACKET_MAX];

	for (unsigned i = 0; i < count; i++)
		bmc_udp_send(w.udp, &w.here[family], data, make(i, data));
}

static void test_batches(void)
{
	for (int family = 0; family < 2; family++) {
		start();
		if (w.fd[family] >= 0 && w.udp->fd[family] >= 0) {
			unsigned turns = w.turns;
			say(family, 5);
			CU_ASSERT(arrived(family) == 0 && w.turns == turns);
			bmc_udp_rearm(w.udp);
			CU_ASSERT(arrived(family) == 5 && w.turns == turns + 1);
			bmc_udp_rearm(w.udp);
			CU_ASSERT(arrived(family) == 0);
			say(family, MANY); /* more than fit: those before leave at once */
			bmc_udp_rearm(w.udp);
			CU_ASSERT(arrived(family) == MANY);
			uint8_t big[PACKET_MAX + 1] = {0};
			bmc_udp_send(w.udp, &w.here[family], big, sizeof(big));
			bmc_udp_rearm(w.udp);
			CU_ASSERT(arrived(family) == 0);
		}
		end();
	}
}

/* One that cannot be sent takes no other with it, and what is left at the end is sent. */
static void test_lost_one(void)
{
	struct address nowhere;
	uint8_t data[PACKET_MAX];

	start();
	CU_ASSERT_FATAL(address_parse("255.255.255.255", 623, &nowhere)); /* not without SO_BROADCAST */
	for (unsigned i = 0; i < 3; i++) {
		size_t size = make(i, data);
		bmc_udp_send(w.udp, &nowhere, data, size);
		bmc_udp_send(w.udp, &w.here[0], data, size);
	}
	bmc_udp_free(w.udp);
	w.udp = bmc_udp_open();
	CU_ASSERT(arrived(0) == 3);
	end();
}

/* --- turns ------------------------------------------------------------------------------------------- */

static uint64_t received(void)
{
	struct bmc_counts c;

	bmc_engine_counts(w.engine, &c);
	return c.received;
}

static struct sockaddr_storage ours;
static socklen_t ours_size;
static uint64_t sent;

/* The engine's port, known once it has said something. */
static void find_port(void)
{
	uint8_t data[PACKET_MAX];

	say(0, 1);
	bmc_udp_rearm(w.udp);
	ours_size = sizeof(ours);
	CU_ASSERT_FATAL(recvfrom(w.fd[0], data, sizeof(data), 0, (struct sockaddr *)&ours, &ours_size) > 0);
	sent = 0;
}

static void flood(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		sent += sendto(w.fd[0], "x", 1, 0, (struct sockaddr *)&ours, ours_size) == 1;
}

static bool all_read(void)
{
	return received() == sent;
}

static bool is_busy(void)
{
	flood(20);
	return w.udp->busy;
}

static bool is_calm(void)
{
	return !w.udp->busy;
}

static void test_turns(void)
{
	start();
	find_port();
	flood(1);
	CU_ASSERT(until(all_read) && !w.udp->busy);
	for (int round = 0; round < 2; round++) {
		CU_ASSERT(until(is_busy));
		CU_ASSERT(until(all_read));
		CU_ASSERT(until(is_calm));
		flood(1);
		CU_ASSERT(until(all_read));
	}
	end();
}

static const struct unit_test tests[] = {
    {"batches", test_batches},
    {"one that is lost", test_lost_one},
    {"turns", test_turns},
};

UNIT_MAIN("bmc udp", tests)
