/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A datagram socket that is written and read in batches of 64 (sendmmsg, recvmmsg), with what it needs to be trusted:
 * the receive buffer that was really granted, the datagrams the kernel had to drop, and port-unreachable errors. Used
 * for SNMP and for echo. */
#ifndef GLORY_COLLECTOR_BATCH_H
#define GLORY_COLLECTOR_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <netinet/in.h>

enum { BATCH = 64, BATCH_OUT = 1472, BATCH_IN = 65536, BATCH_BUFFER = 16 << 20 };

/* Room for any address; sockaddr_storage would be four times as large in every agent. */
union endpoint {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};
socklen_t endpoint_size(const union endpoint *e);
bool endpoint_same(const union endpoint *a, const union endpoint *b, bool with_port);

struct batch;

struct batch_owner {
	/* One datagram; bytes may be changed by the callee. */
	void (*on_datagram)(void *arg, uint8_t *bytes, size_t size, const union endpoint *from, int64_t now);
	/* Some places before one of a batch is told it is shown, and nearer, with bytes NULL, once more: what it needs can be fetched into
	 * the cache. at: its place, below BATCH. May be NULL. */
	void (*on_ahead)(void *arg, unsigned at, const uint8_t *bytes, size_t size);
	/* ICMP said that nobody listens at `to`; bytes are the start of what we had sent. May be NULL. */
	void (*on_refused)(void *arg, const uint8_t *bytes, size_t size, const union endpoint *to, int64_t now);
	void *arg;
};

struct batch_stats {
	uint64_t sent, received, send_failed, truncated, overflowed;
};

/* A UDP socket of family, bound to an ephemeral port, as large a receive buffer as is granted. Negative: -errno. */
int batch_udp_socket(int family);
/* Asks for BATCH_BUFFER bytes, by force where permitted; returns what was granted, in the kernel's double counting. */
int batch_grow_buffer(int fd);
/* Takes fd (-1: everything sent vanishes, for tests and fuzzing). */
struct batch *batch_new(int fd, const struct batch_owner *owner);
void batch_free(struct batch *batch);
int batch_fd(const struct batch *batch);
/* Datagrams that surely fit into the receive buffer at once, at most 4,096. */
unsigned batch_window(const struct batch *batch);

/* Room for BATCH_OUT bytes of the next datagram; fill it and call batch_commit() with the part that is to be sent. */
uint8_t *batch_room(struct batch *batch);
void batch_commit(struct batch *batch, const uint8_t *start, size_t size, const union endpoint *to);
void batch_flush(struct batch *batch);
/* Reads everything that is there (errors, too), calling the owner. Returns the number of datagrams. */
unsigned batch_receive(struct batch *batch, int64_t now);
const struct batch_stats *batch_stats(const struct batch *batch);

#endif
