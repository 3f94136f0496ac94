/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests to the API by libcurl; see client.h. */
#include "client/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

#define CONNECT_MS 5000L
#define ANSWER_S 90L /* longer than the appliance's own longest deadline */

struct client {
	CURL *curl;
	char *socket;
	char *bytes; /* of the answer, so far */
	size_t used, room;
	bool too_long;
	char reason[CURL_ERROR_SIZE];
};

struct client *client_open(const char *path)
{
	struct client *c = mem_zalloc(sizeof *c);
	const char *from = path ? path : getenv("GLORY_SOCKET");

	c->socket = mem_strdup(from && from[0] ? from : CLIENT_SOCKET);
	c->curl = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;
	if (!c->curl) {
		free(c->socket);
		free(c);
		return NULL;
	}
	return c;
}

void client_close(struct client *c)
{
	if (!c)
		return;
	curl_easy_cleanup(c->curl);
	free(c->bytes);
	free(c->socket);
	free(c);
}

const char *client_socket(const struct client *c)
{
	return c->socket;
}

/* --- paths ------------------------------------------------------------------------------------------- */

char *client_path(const char *path)
{
	return mem_strdup(path);
}

static char *append(struct client *c, char *path, const char *between, const char *value)
{
	char *escaped = curl_easy_escape(c->curl, value, (int)strlen(value));
	char *longer = mem_format("%s%s%s", path, between, escaped ? escaped : "");

	curl_free(escaped);
	free(path);
	return longer;
}

char *client_path_part(struct client *c, char *path, const char *value)
{
	return append(c, path, "", value);
}

char *client_path_add(struct client *c, char *path, const char *name, const char *value)
{
	char between[64];

	if (!value)
		return path;
	text_format(between, sizeof between, "%c%s=", strchr(path, '?') ? '&' : '?', name);
	return append(c, path, between, value);
}

/* --- one exchange ------------------------------------------------------------------------------------ */

static size_t on_bytes(char *bytes, size_t size, size_t count, void *arg)
{
	struct client *c = arg;
	size_t n = size * count;

	if (c->used + n > CLIENT_ANSWER_MAX) {
		c->too_long = true;
		return 0;
	}
	if (c->room - c->used < n + 1) {
		c->room = (c->used + n + 1) * 2;
		c->bytes = mem_grow(c->bytes, c->room, 1);
	}
	memcpy(c->bytes + c->used, bytes, n);
	c->used += n;
	c->bytes[c->used] = '\0';
	return n;
}

/* What connect(2) says of the socket: libcurl only says that it could not. */
static const char *why_not(const struct client *c)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const char *why = "the path is too long";

	if (fd >= 0 && text_copy(to.sun_path, sizeof to.sun_path, c->socket))
		why = connect(fd, (struct sockaddr *)&to, sizeof to) ? strerror(errno)
								     : "the appliance closed the connection";
	if (fd >= 0)
		close(fd);
	return why;
}

static int transport_error(struct client *c, CURLcode code, struct error *e)
{
	if (c->too_long)
		return error_set(e, ERR_REMOTE, c->socket, "ask for less", "the answer is too long");
	switch (code) {
	case CURLE_COULDNT_CONNECT:
		return error_set(e, ERR_NOT_NOW, c->socket, "is gloryd running? see --socket and $GLORY_SOCKET",
				 "no appliance answers: %s", why_not(c));
	case CURLE_OPERATION_TIMEDOUT:
		return error_set(e, ERR_REMOTE, c->socket, "see the appliance's log", "no answer in time");
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
		return error_set(e, ERR_REMOTE, c->socket,
				 "try again: the appliance may just have restarted a part of itself",
				 "the connection broke before the answer was complete");
	default:
		return error_set(e, ERR_REMOTE, c->socket, "see the appliance's log", "%.200s",
				 c->reason[0] ? c->reason : curl_easy_strerror(code));
	}
}

/* {"error":{"kind","object","text","remedy"}} */
static int answered_error(struct client *c, long status, struct error *e)
{
	json_t *o = json_loadb(c->bytes ? c->bytes : "", c->used, 0, NULL);
	const char *kind = "remote", *object = "", *text = "", *remedy = "";

	if (json_unpack(o, "{s:{s:s,s:s,s:s,s:s}}", "error", "kind", &kind, "object", &object, "text", &text, "remedy",
			&remedy))
		error_set(e, ERR_REMOTE, c->socket, "is this the appliance's socket?", "http status %ld", status);
	else
		error_set(e, error_value(kind), object, remedy, "%s", text);
	json_decref(o);
	return e->kind ? e->kind : ERR_REMOTE;
}

static int exchange(struct client *c, const char *path, const char *body, size_t size, struct error *e)
{
	struct curl_slist *headers = body ? curl_slist_append(NULL, "Expect:") : NULL;
	char *url = mem_format("http://glory%s", path);
	long status = 0;

	c->used = 0;
	c->too_long = false;
	c->reason[0] = '\0';
	curl_easy_reset(c->curl); /* keeps the connection */
	curl_easy_setopt(c->curl, CURLOPT_URL, url);
	curl_easy_setopt(c->curl, CURLOPT_UNIX_SOCKET_PATH, c->socket);
	curl_easy_setopt(c->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, ANSWER_S);
	curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, c->reason);
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, c);
	if (body) {
		headers = curl_slist_append(headers, "Content-Type: application/octet-stream");
		curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, body);
	}
	CURLcode code = curl_easy_perform(c->curl);
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(headers);
	free(url);
	if (code != CURLE_OK)
		return transport_error(c, code, e);
	return status / 100 == 2 ? 0 : answered_error(c, status, e);
}

static int decode(struct client *c, json_t **answer, struct error *e)
{
	json_error_t where;

	*answer = json_loadb(c->bytes ? c->bytes : "", c->used, 0, &where);
	if (*answer)
		return 0;
	return error_set(e, ERR_REMOTE, c->socket, "is this the appliance's socket?", "the answer is no JSON: %.100s",
			 where.text);
}

int client_get(struct client *c, const char *path, json_t **answer, struct error *e)
{
	*answer = NULL;
	int rc = exchange(c, path, NULL, 0, e);
	return rc ? rc : decode(c, answer, e);
}

int client_get_bytes(struct client *c, const char *path, char **bytes, size_t *size, struct error *e)
{
	*bytes = NULL;
	int rc = exchange(c, path, NULL, 0, e);
	if (rc)
		return rc;
	if (c->used == 0)
		return error_set(e, ERR_REMOTE, path, "see the appliance's log", "the answer is empty");
	*bytes = c->bytes;
	*size = c->used;
	c->bytes = NULL;
	c->used = c->room = 0;
	return 0;
}

int client_post(struct client *c, const char *path, const char *body, size_t size, json_t **answer, struct error *e)
{
	*answer = NULL;
	int rc = exchange(c, path, body, size, e);
	return rc ? rc : decode(c, answer, e);
}

int client_command(struct client *c, const char *verb, const char *target, json_t *arguments, bool yes, json_t **answer,
		   struct error *e)
{
	json_t *o = json_pack("{s:s,s:s,s:o,s:b}", "verb", verb, "target", target, "args",
			      arguments ? arguments : json_object(), "yes", yes);
	char *body = o ? json_dumps(o, JSON_COMPACT) : NULL;
	int rc;

	json_decref(o);
	*answer = NULL;
	if (!body)
		return error_set(e, ERR_CONFIG, verb, "use UTF-8", "the command has text that is none");
	rc = client_post(c, "/v1/commands", body, strlen(body), answer, e);
	free(body);
	return rc;
}
