/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ICMP echo to many hosts in batches. Nothing is remembered per request: slot and token travel in the payload under a
 * keyed check, so an answer that nobody was asked for is not taken. Works on raw sockets and on the kernel's
 * unprivileged ping sockets. */
#ifndef GLORY_COLLECTOR_ECHO_H
#define GLORY_COLLECTOR_ECHO_H

#include <stdbool.h>
#include <stdint.h>

#include "mibs/collector/batch.h"

struct echo;

/* A genuine answer. The callee checks that `from` is the host of the slot. */
typedef void echo_answer_fn(void *arg, uint32_t slot, uint32_t token, const union endpoint *from, int64_t now);

struct echo_stats {
	uint64_t sent, answers, foreign;
};

/* Opens a socket of its own for AF_INET or AF_INET6: raw where permitted, else a ping socket; -errno. */
int echo_socket(int family);
/* fds: IPv4 and IPv6, taken, -1 = none. secret: 16 random bytes. */
struct echo *echo_new(const int fds[2], const uint8_t secret[16], echo_answer_fn *on_answer, void *arg);
void echo_free(struct echo *echo);
/* Queues one request (sent at the latest by echo_flush()). False: no socket of that family. The port of `to` does not
 * matter. */
bool echo_send(struct echo *echo, uint32_t slot, uint32_t token, const union endpoint *to);
void echo_flush(struct echo *echo);
void echo_receive(struct echo *echo, int64_t now);
int echo_fd(const struct echo *echo, int family);
uint64_t echo_overflowed(const struct echo *echo);
struct echo_stats echo_stats(const struct echo *echo);

#endif
