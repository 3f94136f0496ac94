/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of the kernel's and userland's witnesses over loopback: echo in batches, answers nobody asked for, TCP banners.
 */
#include "mibs/collector/echo.c"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "mibs/collector/userland.h"
#include "tests/unit/unit.h"

enum { WAIT_MS = 5000, MANY = 200 };

static struct told {
	unsigned answers, banners, connected, refused;
	uint32_t slot, token;
} told;

static void on_echo(void *arg, uint32_t slot, uint32_t token, const union endpoint *from, int64_t now)
{
	(void)arg;
	(void)from;
	(void)now;
	told.answers++;
	told.slot = slot;
	told.token = token;
}

static struct echo *open_echo(void)
{
	int fds[2] = {echo_socket(AF_INET), -1};

	CU_ASSERT_FATAL(fds[0] >= 0);
	memset(&told, 0, sizeof told);
	return echo_new(fds, (const uint8_t *)"0123456789abcdef", on_echo, NULL);
}

static union endpoint loopback(uint16_t port)
{
	return (union endpoint){
	    .v4 = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
}

static void many_echoes_are_answered(void)
{
	struct echo *e = open_echo();
	union endpoint to = loopback(161);
	int64_t end = clock_mono_ms() + WAIT_MS;

	for (uint32_t i = 0; i < MANY; i++)
		CU_ASSERT(echo_send(e, i, i + 1000, &to));
	echo_flush(e);
	while (told.answers < MANY && clock_mono_ms() < end) {
		struct pollfd p = {echo_fd(e, AF_INET), POLLIN, 0};
		poll(&p, 1, 100);
		echo_receive(e, clock_mono_ms());
	}
	CU_ASSERT_EQUAL(told.answers, MANY);
	CU_ASSERT_EQUAL(told.token, told.slot + 1000);
	union endpoint v6 = {.v6 = {.sin6_family = AF_INET6}};
	CU_ASSERT_FALSE(echo_send(e, 1, 1, &v6)); /* no socket of that family */
	echo_free(e);
}

/* A packet as the kernel hands it over by the socket's kind. */
static void give(struct echo *e, const struct packet *p, size_t size)
{
	uint8_t bytes[20 + sizeof *p] = {0x45};
	union endpoint from = loopback(0);
	size_t skip = e->raw[0] ? 20 : 0;

	memcpy(bytes + skip, p, sizeof *p);
	on_datagram(e, bytes, size < skip + sizeof *p ? size : skip + sizeof *p, &from, 0);
}

static void answers_nobody_asked_for(void)
{
	struct echo *e = open_echo();

	struct packet good = {.type = ICMP_ECHOREPLY, .id = e->id, .slot = 5, .token = 6, .check = check_of(e, 5, 6)},
		      p;

	give(e, &good, 99);
	CU_ASSERT(told.answers == 1 && told.slot == 5 && told.token == 6);
	for (int bit = 0; bit < 64; bit++) {
		p = good;
		p.check ^= (uint64_t)1 << bit;
		give(e, &p, 99);
		p = good;
		p.token ^= 1u << bit % 32;
		give(e, &p, 99);
		p = good;
		p.slot ^= 1u << bit % 32;
		give(e, &p, 99);
	}
	CU_ASSERT_EQUAL(echo_stats(e).foreign, 192);
	p = good;
	p.type = ICMP_ECHO;
	give(e, &p, 99);
	for (size_t size = 0; size < 20 + sizeof p; size++)
		if (size < (e->raw[0] ? 20 : 0) + sizeof p)
			give(e, &good, size);
	CU_ASSERT_EQUAL(told.answers, 1);
	echo_free(e);
}

/* --- banners ---------------------------------------------------------------------------------------------- */

static struct loop *loop;

static void on_userland(void *arg, uint32_t slot, uint32_t token, enum watch_answer_kind kind, int64_t now)
{
	(void)arg;
	(void)now;
	(void)slot;
	told.token = token;
	told.connected += kind == WATCH_K_OTHER;
	told.banners += kind == WATCH_U_BANNER;
	told.refused += kind == WATCH_U_REFUSED;
}

struct until {
	const unsigned *counter;
	unsigned value;
	int64_t end;
};

static void look(void *arg)
{
	struct until *u = arg;

	if (*u->counter >= u->value || clock_mono_ms() > u->end)
		loop_stop(loop);
}

static void run_until(const unsigned *counter, unsigned value)
{
	struct until u = {counter, value, clock_mono_ms() + WAIT_MS};
	struct loop_timer *t = loop_timer_new(loop, look, &u);

	loop_timer_every(t, 5);
	loop_run(loop);
	loop_timer_free(t);
}

static int listener(uint16_t *port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	union endpoint at = loopback(0);
	socklen_t size = sizeof at;

	CU_ASSERT_FATAL(fd >= 0 && bind(fd, &at.any, sizeof at.v4) == 0 && listen(fd, 64) == 0 &&
			getsockname(fd, &at.any, &size) == 0);
	*port = ntohs(at.v4.sin_port);
	return fd;
}

static void serve(void *arg, int what)
{
	int server = *(int *)arg, fd = accept(server, NULL, NULL);

	(void)what;
	if (fd >= 0) {
		CU_ASSERT(write(fd, "SSH-2.0-test\r\n", 14) == 14);
		close(fd);
	}
}

static void banners(void)
{
	uint16_t port, mute_port;
	int server = listener(&port), mute = listener(&mute_port);

	loop = loop_new();
	memset(&told, 0, sizeof told);
	struct userland *u = userland_new(loop, 3000, on_userland, NULL);
	struct loop_fd *w = loop_fd_add(loop, server, LOOP_READ, serve, &server);
	union endpoint to = loopback(port), hung = loopback(mute_port);
	for (uint32_t i = 0; i < MANY; i++) /* more than are asked at once */
		CU_ASSERT(userland_ask(u, i, i + 1, &to));
	run_until(&told.banners, MANY);
	CU_ASSERT(told.banners == MANY && told.connected == MANY);
	CU_ASSERT(userland_ask(u, 1, 1, &hung)); /* the kernel takes the connection, the program says nothing */
	run_until(&told.connected, MANY + 1);
	CU_ASSERT(told.connected == MANY + 1 && told.banners == MANY);
	close(mute);
	loop_fd_remove(w);
	close(server);
	CU_ASSERT(userland_ask(u, 1, 1, &to));
	run_until(&told.refused, 1);
	CU_ASSERT_EQUAL(told.refused, 1);
	unsigned taken = 0;
	while (taken < USERLAND_WAITING + 1 && userland_ask(u, 2, 2, &to))
		taken++;
	CU_ASSERT_EQUAL(taken, USERLAND_WAITING);
	userland_free(u);
	loop_free(loop);
}

int main(void)
{
	static const struct unit_test tests[] = {
	    {"many echoes are answered", many_echoes_are_answered},
	    {"answers nobody asked for", answers_nobody_asked_for},
	    {"banners", banners},
	};
	int fd = echo_socket(AF_INET);

	if (fd < 0) {
		printf("skipped: no echo socket (%s): run as root\n", strerror(-fd));
		return 77;
	}
	close(fd);
	return unit_run("probe", tests, sizeof tests / sizeof tests[0]);
}
