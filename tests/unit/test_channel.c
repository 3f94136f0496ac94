/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The channel: what fits its shape arrives, with its descriptor; rubbish is dropped and in the end breaks it; lossy messages give
 * way, others never. */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "proc/channel.h"
#include "tests/unit/unit.h"

enum { FIXED = 1, MANY = 2, EMPTY = 3, BIG = 4, TYPES = 5 };
static const struct message_shape shapes[TYPES] = {[FIXED] = {8, 0}, [MANY] = {0, 4}, [EMPTY] = {0, 0}, [BIG] = {0, 1}};

static struct {
	struct loop *loop;
	struct channel *channel;
	int peer, messages, broken, fd;
	size_t size;
	uint16_t type;
	bool free_inside;
	char why[64];
} t;

static void on_message(void *arg, const struct message_header *h, const void *body, size_t size, int fd)
{
	(void)arg;
	(void)body;
	t.messages++;
	t.size = size;
	t.type = h->type;
	t.fd = fd;
	if (t.free_inside) {
		channel_free(t.channel);
		t.channel = NULL;
	}
}

static void on_broken(void *arg, const char *why)
{
	(void)arg;
	t.broken++;
	strncpy(t.why, why, sizeof t.why - 1);
	loop_stop(t.loop);
}

static void stop(void *arg)
{
	loop_stop(arg);
}

/* Lets the loop do what is ready: what lies in the socket comes before the call that ends the round. */
static void turn(void)
{
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_TRUE(loop_wake(t.loop, stop, t.loop));
		loop_run(t.loop);
	}
}

static void begin(void)
{
	int ends[2];
	struct channel_owner owner = {on_message, on_broken, NULL};

	memset(&t, 0, sizeof t);
	CU_ASSERT_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
	t.loop = loop_new();
	t.channel = channel_open(t.loop, ends[0], 7, shapes, TYPES, &owner);
	t.peer = ends[1];
	t.fd = -1;
}

static void end(void)
{
	channel_free(t.channel);
	close(t.peer);
	loop_free(t.loop);
}

static void put(uint16_t version, uint16_t type, uint32_t epoch, size_t body)
{
	struct {
		struct message_header h;
		uint8_t body[64];
	} p = {.h = {.version = version, .type = type, .epoch = epoch}};

	CU_ASSERT_EQUAL(send(t.peer, &p, sizeof p.h + body, 0), (ssize_t)(sizeof p.h + body));
}

static void what_fits_arrives(void)
{
	begin();
	put(CHANNEL_VERSION, FIXED, 7, 8);
	turn();
	CU_ASSERT_TRUE(t.messages == 1 && t.type == FIXED && t.size == 8 && t.fd == -1);
	put(CHANNEL_VERSION, MANY, 7, 12);
	put(CHANNEL_VERSION, MANY, 7, 0);
	put(CHANNEL_VERSION, EMPTY, 7, 0);
	turn();
	CU_ASSERT_EQUAL(t.messages, 4);
	CU_ASSERT_EQUAL(channel_dropped(t.channel), 0);
	end();
}

static void rubbish_is_dropped(void)
{
	static const struct {
		uint16_t version, type;
		uint32_t epoch;
		size_t body;
	} bad[] = {{CHANNEL_VERSION, FIXED, 7, 7}, {CHANNEL_VERSION, FIXED, 7, 9}, {CHANNEL_VERSION, MANY, 7, 6}, {CHANNEL_VERSION, TYPES, 7, 0},
		   {CHANNEL_VERSION, 0, 7, 0}, {CHANNEL_VERSION, 65535, 7, 0}, {CHANNEL_VERSION + 1, FIXED, 7, 8}, {CHANNEL_VERSION, FIXED, 6, 8}};

	begin();
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		put(bad[i].version, bad[i].type, bad[i].epoch, bad[i].body);
		put(CHANNEL_VERSION, EMPTY, 7, 0); /* a good one between them: never three in a row */
		turn();
		CU_ASSERT_EQUAL(channel_dropped(t.channel), i + 1);
		CU_ASSERT_EQUAL(t.messages, (int)i + 1);
	}
	CU_ASSERT_EQUAL(t.broken, 0);
	CU_ASSERT_EQUAL(send(t.peer, "x", 1, 0), 1); /* shorter than a header */
	turn();
	CU_ASSERT_EQUAL(channel_dropped(t.channel), COUNT_OF(bad) + 1);
	end();
}

static void three_in_a_row_break(void)
{
	begin();
	for (int i = 0; i < 3; i++)
		put(CHANNEL_VERSION, FIXED, 7, 1);
	put(CHANNEL_VERSION, FIXED, 7, 8);
	turn();
	CU_ASSERT_EQUAL(t.broken, 1);
	CU_ASSERT_EQUAL(t.messages, 0);
	channel_send(t.channel, EMPTY, NULL, 0); /* goes nowhere, harms nothing */
	end();
}

static void closed_peer_is_told_once(void)
{
	begin();
	put(CHANNEL_VERSION, EMPTY, 7, 0);
	close(t.peer);
	t.peer = -1;
	turn();
	CU_ASSERT_EQUAL(t.messages, 1);
	CU_ASSERT_EQUAL(t.broken, 1);
	CU_ASSERT_STRING_EQUAL(t.why, "closed");
	end();
}

static void send_descriptor(const void *bytes, size_t size, int fd)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {.room = {0}};
	uint8_t copy[64] = {0};
	struct iovec iov = {copy, size};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	if (size)
		memcpy(copy, bytes, size);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &fd, sizeof fd);
	CU_ASSERT_EQUAL(sendmsg(t.peer, &m, 0), (ssize_t)size);
}

/* The other end sees the end of file once nobody here holds the descriptor. */
static bool is_closed_everywhere(int read_end)
{
	char byte;

	return read(read_end, &byte, 1) == 0;
}

static void descriptors_pass_or_close(void)
{
	struct message_header good = {.version = CHANNEL_VERSION, .type = EMPTY, .epoch = 7}, bad = {.version = 9};
	int ends[2];

	begin();
	for (int i = 0; i < 3; i++) { /* a good packet, a bad one, an empty one */
		CU_ASSERT_FATAL(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
		send_descriptor(i == 0 ? &good : &bad, i == 2 ? 0 : sizeof good, ends[1]);
		close(ends[1]);
		turn();
		if (i == 0) {
			CU_ASSERT_FATAL(t.fd >= 0);
			CU_ASSERT_TRUE(fcntl(t.fd, F_GETFD) & FD_CLOEXEC);
			CU_ASSERT_EQUAL(write(t.fd, "k", 1), 1);
			CU_ASSERT_EQUAL(read(ends[0], (char[1]){0}, 1), 1);
			close(t.fd);
		}
		CU_ASSERT_TRUE(is_closed_everywhere(ends[0]));
		close(ends[0]);
	}
	end();
}

static void lossy_give_way(void)
{
	static uint8_t big[CHANNEL_BODY_MAX];
	size_t kept = 0, certain = 0;
	static uint8_t got[CHANNEL_PACKET_MAX];
	uint64_t last = 0;

	begin();
	for (int i = 0; i < 400; i++) { /* 13 MB into a peer that does not read, every tenth must arrive */
		if (i % 10)
			channel_send_lossy(t.channel, BIG, big, sizeof big);
		else
			channel_send(t.channel, MANY, big, 400);
	}
	CU_ASSERT_TRUE(channel_queued(t.channel) <= (4u << 20) + 40 * 512 + CHANNEL_PACKET_MAX);
	CU_ASSERT_TRUE(channel_dropped(t.channel) > 100);
	for (int idle = 0; idle < 50; idle++) {
		ssize_t n;
		while ((n = recv(t.peer, got, sizeof got, MSG_DONTWAIT)) > 0) {
			struct message_header h;
			memcpy(&h, got, sizeof h);
			CU_ASSERT_TRUE(h.sequence > last); /* in order, whatever was left out */
			last = h.sequence;
			kept++;
			certain += h.type == MANY;
			idle = 0;
		}
		turn();
	}
	CU_ASSERT_EQUAL(certain, 40);
	CU_ASSERT_EQUAL(kept + channel_dropped(t.channel), 400);
	CU_ASSERT_EQUAL(channel_queued(t.channel), 0);
	end();
}

static void what_nobody_reads_breaks(void)
{
	static uint8_t big[CHANNEL_BODY_MAX];

	begin();
	for (int i = 0; i < 2200; i++)
		channel_send(t.channel, BIG, big, sizeof big);
	turn();
	CU_ASSERT_EQUAL(t.broken, 1);
	end();
}

static void own_mistakes_stay_home(void)
{
	begin();
	channel_send(t.channel, FIXED, "short", 5);
	channel_send(t.channel, TYPES, NULL, 0);
	CU_ASSERT_EQUAL(recv(t.peer, (uint8_t[64]){0}, 64, MSG_DONTWAIT), -1);
	CU_ASSERT_EQUAL(t.broken, 0);
	end();
}

static void freed_by_its_own_message(void)
{
	begin();
	t.free_inside = true;
	put(CHANNEL_VERSION, EMPTY, 7, 0);
	put(CHANNEL_VERSION, EMPTY, 7, 0);
	turn();
	CU_ASSERT_EQUAL(t.messages, 1);
	end();
}

static void waiting_at_start(void)
{
	uint8_t body[8];
	size_t size;
	int fd, own;

	begin();
	own = dup(t.peer);
	channel_send(t.channel, FIXED, "12345678", 8);
	CU_ASSERT_EQUAL(channel_wait(own, 7, FIXED, body, sizeof body, &size, &fd, 1000), 0);
	CU_ASSERT_TRUE(size == 8 && fd == -1 && memcmp(body, "12345678", 8) == 0);
	channel_send(t.channel, EMPTY, NULL, 0);
	CU_ASSERT_EQUAL(channel_wait(own, 7, FIXED, body, sizeof body, &size, &fd, 1000), ERR_REMOTE);
	channel_send(t.channel, MANY, "123456789012", 12);
	CU_ASSERT_EQUAL(channel_wait(own, 7, MANY, body, sizeof body, &size, &fd, 1000), ERR_REMOTE); /* no room */
	CU_ASSERT_EQUAL(channel_wait(own, 7, FIXED, body, sizeof body, &size, &fd, 1), ERR_REMOTE);
	close(own);
	end();
}

/* The type of the next packet at the peer, 0: there is none. */
static unsigned next_at_peer(void)
{
	struct message_header h[4];

	return recv(t.peer, h, sizeof h, MSG_DONTWAIT) >= (ssize_t)sizeof h[0] ? h[0].type : 0;
}

static void what_can_wait_goes_together(void)
{
	begin();
	channel_send_later(t.channel, FIXED, "12345678", 8, 60000);
	channel_send_later(t.channel, EMPTY, NULL, 0, 60000);
	turn();
	CU_ASSERT_EQUAL(next_at_peer(), 0);
	channel_send(t.channel, MANY, "1234", 4); /* takes them along, behind them */
	CU_ASSERT_EQUAL(next_at_peer(), FIXED);
	CU_ASSERT_EQUAL(next_at_peer(), EMPTY);
	CU_ASSERT_EQUAL(next_at_peer(), MANY);
	CU_ASSERT_EQUAL(channel_queued(t.channel), 0);
	channel_send_later(t.channel, EMPTY, NULL, 0, 10);
	for (int i = 0; i < 1000 && channel_queued(t.channel); i++) {
		(void)poll(NULL, 0, 1);
		turn();
	}
	CU_ASSERT_EQUAL(next_at_peer(), EMPTY);
	put(CHANNEL_VERSION, FIXED, 7, 8); /* it is read as before */
	turn();
	CU_ASSERT_EQUAL(t.messages, 1);
	channel_send_later(t.channel, EMPTY, NULL, 0, 60000); /* freed with it waiting */
	end();
}

static const struct unit_test tests[] = {
	{"what fits arrives", what_fits_arrives}, {"rubbish is dropped", rubbish_is_dropped}, {"three in a row break", three_in_a_row_break},
	{"closed peer is told once", closed_peer_is_told_once}, {"descriptors pass or close", descriptors_pass_or_close},
	{"lossy messages give way", lossy_give_way}, {"what nobody reads breaks", what_nobody_reads_breaks},
	{"own mistakes stay home", own_mistakes_stay_home}, {"freed by its own message", freed_by_its_own_message},
	{"waiting at start", waiting_at_start}, {"what can wait goes together", what_can_wait_goes_together},
};
UNIT_MAIN("channel", tests)
