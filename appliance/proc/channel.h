/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One end of a SOCK_SEQPACKET socketpair between two roles: typed, length-checked messages with an optional descriptor.
 * Every packet is a struct message_header and then a fixed struct, an array of fixed structs, or a struct with text behind it,
 * as the table in board/messages.c says. A packet of wrong version, type, length or epoch is dropped and counted; three in a
 * row make the channel report CHANNEL_BROKEN to its owner. */
#ifndef GLORY_PROC_CHANNEL_H
#define GLORY_PROC_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/loop.h"

#define CHANNEL_VERSION 1
#define CHANNEL_PACKET_MAX 32768

struct message_header {
	uint16_t version;
	uint16_t type; /* enum message_type, board/messages.h */
	uint32_t epoch; /* life of the engine; 0 between supervisor and role */
	uint64_t sequence;
};

#define CHANNEL_BODY_MAX (CHANNEL_PACKET_MAX - sizeof(struct message_header))

/* How long a body of a type may be. element 0: exactly `fixed` bytes. element > 0: `fixed` plus any number of elements. */
struct message_shape {
	uint16_t fixed;
	uint16_t element;
};

struct channel;

struct channel_owner {
	/* body is aligned for any struct, valid during the call. fd is -1 or a descriptor the callee now owns. */
	void (*on_message)(void *arg, const struct message_header *header, const void *body, size_t size, int fd);
	/* The peer is gone (text "closed") or sends rubbish; called once. The channel stays to be freed by its owner. */
	void (*on_broken)(void *arg, const char *why);
	void *arg;
};

/* Takes fd. shapes: table indexed by type. Nothing is read before the loop runs. */
struct channel *channel_open(struct loop *loop, int fd, uint32_t epoch, const struct message_shape *shapes, size_t shape_count,
			     const struct channel_owner *owner);
void channel_free(struct channel *channel);
/* Queues a message and sends what the socket takes. lossy messages (samples, stats) are dropped, oldest first, beyond
 * 4 MiB of queue and counted; the others are queued to 64 MiB and then break the channel. fd (-1: none) is duplicated. */
void channel_send(struct channel *channel, uint16_t type, const void *body, size_t size);
void channel_send_lossy(struct channel *channel, uint16_t type, const void *body, size_t size);
void channel_send_fd(struct channel *channel, uint16_t type, const void *body, size_t size, int fd);
/* One that can wait: it leaves within so many ms together with what comes meanwhile, or in front of the next that cannot, so that the peer
 * wakes once for many. The order is kept. */
void channel_send_later(struct channel *channel, uint16_t type, const void *body, size_t size, int64_t within_ms);
/* Body in two pieces: a fixed struct and the text or array behind it. */
void channel_send2(struct channel *channel, uint16_t type, const void *fixed, size_t fixed_size, const void *rest, size_t rest_size);
uint64_t channel_dropped(const struct channel *channel);
size_t channel_queued(const struct channel *channel); /* bytes waiting to be sent */
/* One blocking exchange for start-up code that has no loop yet: waits for a packet of the type. 0 or a negative error. */
int channel_wait(int fd, uint32_t epoch, uint16_t type, void *body, size_t room, size_t *size, int *passed_fd, int timeout_ms);

#endif
