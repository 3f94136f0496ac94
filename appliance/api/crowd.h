/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who holds which connection: room for each kind of peer, and an end for those who take their time. The local socket always has room; an
 * address of the network has its own small part. Used by the server; knows nothing of HTTP. */
#ifndef GLORY_API_CROWD_H
#define GLORY_API_CROWD_H

#include "api/server.h"

#define CONNECTIONS_MAX 96
#define CONNECTIONS_PER_UID 16     /* not for uid 0 */
#define CONNECTIONS_HTTP 40        /* of the TCP listener */
#define CONNECTIONS_HTTPS 32       /* of the TLS listener */
#define CONNECTIONS_PER_ADDRESS 12 /* of the TLS listener: an IPv4 address, or a network of 64 bits of IPv6 */
#define ASKING_MS 10000            /* handshake and headers, or the pause between two requests, over TCP */
#define ANSWERING_MS 300000        /* a whole answer over TCP, streams apart */

struct connection {
	struct peer peer;
	int fd; /* not owned */
	bool asked, endless; /* a request is being answered; it is a stream */
	int64_t since_ms; /* of the last change of asked */
	uint64_t certificate; /* number of the one in force when it came */
	struct connection *next, *previous;
};

struct crowd {
	struct connection *first;
	unsigned count, of_face[FACE_COUNT];
};

/* True: one more of this kind may come. */
bool crowd_has_room(const struct crowd *crowd, const struct peer *peer);
struct connection *crowd_add(struct crowd *crowd, const struct peer *peer, int fd, int64_t now_ms);
void crowd_remove(struct crowd *crowd, struct connection *connection); /* frees it */
/* A request has begun, or ended, on this connection. */
void crowd_asked(struct connection *connection, bool asked, bool endless, int64_t now_ms);
/* Shuts the sockets of those over TCP whose time is over; their owner sees the end of the connection. How many. */
unsigned crowd_end_slow(struct crowd *crowd, int64_t now_ms);
/* Ends the streams over TLS: who may read has changed, and a stream would never ask again. */
void crowd_end_streams(struct crowd *crowd);
/* The lowest number of a certificate that a connection of the TLS listener came under; UINT64_MAX when there is none. */
uint64_t crowd_oldest_certificate(const struct crowd *crowd);
/* The address of the other end; an IPv4 one also where the listener is IPv6's. */
bool crowd_origin(const struct sockaddr_storage *from, struct address *out);
/* True when both count as one: equal IPv4 addresses, or equal first 64 bits. */
bool crowd_same_origin(const struct address *a, const struct address *b);

#endif
