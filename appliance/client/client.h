/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client library: one connection to the appliance's API on its UNIX socket, requests that block, JSON back or a
 * struct error. Behind gloryctl, the console and the tests. One struct client per thread. */
#ifndef GLORY_CLIENT_CLIENT_H
#define GLORY_CLIENT_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define CLIENT_SOCKET "/run/glory/api.sock"
#define CLIENT_ANSWER_MAX (256u << 20)

struct client;

/* socket: path; NULL: $GLORY_SOCKET, else CLIENT_SOCKET. Nothing is connected before the first request. NULL: out of
 * memory. */
struct client *client_open(const char *socket);
void client_close(struct client *client); /* NULL is fine */
const char *client_socket(const struct client *client);

/* A path with parameters: "/v1/nodes?range=n%5B1-2%5D". begin, then any number of adds (value NULL: left out); free()
 * it. */
char *client_path(const char *path);
char *client_path_add(struct client *client, char *path, const char *name,
		      const char *value); /* takes path, returns it longer */
/* Appends a value as one part of the path itself ("/v1/nodes/" + name). */
char *client_path_part(struct client *client, char *path, const char *value);

/* GET. *answer: a JSON value to json_decref(). 0 or a negative error: the appliance's own, or what kept us from asking.
 */
int client_get(struct client *client, const char *path, json_t **answer, struct error *error);
/* GET of something that is no JSON (picture, XML): *bytes to free(), one zero byte behind them. */
int client_get_bytes(struct client *client, const char *path, char **bytes, size_t *size, struct error *error);
/* POST of a body; the answer is JSON. */
int client_post(struct client *client, const char *path, const char *body, size_t size, json_t **answer,
		struct error *error);
/* POST /v1/commands. arguments (may be NULL) is taken. yes: the list was shown and confirmed. */
int client_command(struct client *client, const char *verb, const char *target, json_t *arguments, bool yes,
		   json_t **answer, struct error *error);

#endif
