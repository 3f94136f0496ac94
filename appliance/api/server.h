/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The HTTP side of the api role: connections and who made them, requests, answers whole or in pieces, requests that
 * wait for the engine. One libmicrohttpd daemon without threads, driven by the role's loop; it never opens or accepts a
 * socket itself. */
#ifndef GLORY_API_SERVER_H
#define GLORY_API_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "api/emit.h"
#include "api/query.h"
#include "base/address.h"
#include "base/error.h"
#include "loop/loop.h"
#include "proc/channel.h"

#define STREAMS_MAX 16
#define STREAMS_TCP 8 /* of them over TCP */
#define APPLY_BODY_MAX (16u << 20)

/* UNIX socket; TCP, which only reads and asks nobody who he is; TLS, which only reads and does ask. */
enum face { FACE_LOCAL, FACE_HTTP, FACE_HTTPS, FACE_COUNT };

/* Who stands at the other end. */
struct peer {
	enum face face;
	uint32_t uid;        /* local */
	struct address from; /* TCP and TLS */
	enum right right;    /* over TLS that of the request: each proves itself */
	char actor[NAME_SIZE]; /* "uid:1000", "http", "https:viewer" */
};
/* Reads SO_PEERCRED and SO_PEERGROUPS of a connection of the UNIX socket. False: the kernel does not say. */
bool peer_of_socket(int fd, struct peer *out);
/* The right of root or of a member of the groups glory-view, glory-operate, glory-admin (looked up again after 10 s).
 */
enum right peer_right(uint32_t uid, const uint32_t *gids, size_t count, int64_t now_ms);
/* UNIX users whom gloryd.xml names; replaces the list. */
void peer_users(const struct msg_user *users, size_t count);

struct server;
struct request;

/* Makes an answer in pieces. more() appends at least a byte to out, or sets done, or failed (the connection is then
 * cut, which the client notices), or sets idle: nothing to say now; request_wake() goes on. */
struct producer {
	struct emit out;
	size_t sent;
	bool done, failed, idle;
	void (*more)(struct producer *producer, struct request *request);
	void (*free)(struct producer *producer); /* frees the struct around it; out is freed by the server */
};

struct route {
	const char *path; /* "/v1/nodes"; with tail: "/v1/nodes/" */
	const char *suffix; /* behind the tail: "/series"; NULL: nothing */
	bool tail, post;
	bool stream; /* counts against STREAMS_MAX */
	bool apply;  /* body goes into a memfd, not into memory */
	enum board_table table;
	const struct parameter *parameters;
	size_t parameter_count;
	void (*run)(struct request *request, const struct route *route);
};
extern const struct route routes[];
extern const size_t route_count;

struct pending_reply { /* what the engine said: text is its JSON, fd is taken */
	const struct msg_reply *head;
	const char *text;
	int fd;
};

struct request {
	struct server *server;
	const struct route *route;
	const struct peer *peer;
	struct query query;
	char tail[NAME_SIZE]; /* what stands behind a path with a tail */
	char *body;           /* POST: not terminated */
	size_t body_size;
	int body_fd; /* apply; -1 */
	/* waiting for the engine */
	uint64_t id; /* 0: not waiting */
	int64_t deadline_ms;
	void (*on_reply)(struct request *request, const struct pending_reply *reply);
	struct emit page; /* what pages have brought so far */
	void *state;      /* of the route; freed by free_state */
	void (*free_state)(void *state);
	/* the server's own */
	struct connection *by;
	void *connection, *answer;
	unsigned status;
	struct producer *producer;
	bool suspended, streaming, begun;
	struct request *next;
};

struct server *server_new(struct loop *loop, struct channel *engine);
void server_free(struct server *server);
/* Takes a listening socket. */
void server_listen(struct server *server, int fd, enum face face);
void server_board(struct server *server, struct board_reader *board);     /* taken */
const struct board_reader *server_get_board(const struct server *server); /* NULL: not yet there */
uint64_t server_board_life(
    const struct server *server); /* changes with each new board: a producer that sees another one has to fail */
void server_reply(struct server *server, const struct msg_reply *reply, size_t size,
		  int fd); /* from the engine; fd is taken */
struct loop *server_loop(const struct server *server);
struct channel *server_engine(const struct server *server);
void server_stats(const struct server *server, struct msg_stats *stats);
/* The users of the TLS listener may be others now: streams of theirs end, and are asked for anew by those who may. */
void server_users_changed(struct server *server);
bool server_has_streams(const struct server *server);
/* Calls visit for every request whose route streams. */
void server_each_stream(struct server *server, void (*visit)(struct request *request));

/* Answers. Exactly one per request. */
void request_answer(struct request *r, unsigned status, const char *type,
		    struct emit *text); /* takes what is in text */
void request_bytes(struct request *r, unsigned status, const char *type, char *bytes,
		   size_t size); /* takes bytes (malloc'd) */
void request_error(struct request *r, const struct error *e);
void request_fail(struct request *r, int kind, const char *object, const char *remedy, const char *text);
void request_produce(struct request *r, const char *type, struct producer *producer); /* takes producer */
void request_wake(struct request *r); /* an idle producer has something to say */
/* The board, or NULL after having answered that it is not there yet. */
const struct board_reader *request_board(struct request *r);
/* Waits for the engine's reply to the returned id, which is to be put in the message; on_reply answers, or waits on. */
uint64_t request_wait(struct request *r, int64_t timeout_ms,
		      void (*on_reply)(struct request *r, const struct pending_reply *reply));
void request_wait_more(struct request *r, int64_t timeout_ms);
/* Parks a request that waits for something of its own (a pipe); request_resume() after it was answered. */
void request_park(struct request *r, int64_t timeout_ms);

/* HTTP status of an error kind. */
unsigned server_status(int kind);

#endif
