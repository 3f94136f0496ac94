/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HTTP, HTTPS and TLS as looks, by libcurl's multi socket interface; see looks.h. Each look is a connection of its own, as a client's would
 * be: a member whose old connections live but which accepts no new ones is bad. Names are never resolved: the address is numeric, a host name
 * goes into Host and SNI only (CURLOPT_CONNECT_TO; CURLOPT_RESOLVE would fill one cache for all members of the same name).
 *
 * Certificates: without a host name a probe asks whether TLS is spoken, and nothing is verified (a member's certificate does not prove an
 * address). With one, the certificate must prove that name to the machine's own list of authorities, as it must to clients. */
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "checker/role/looks.h"

enum { IDLE_MAX = 256, BACKSTOP_MS = 70000 };

struct http_looks {
	struct loop *loop;
	CURLM *multi;
	struct loop_timer *timer;
	CURL *idle[IDLE_MAX]; /* with everything set that is the same for all */
	size_t idle_count;
	struct curl_slist *headers;
};

struct http_look {
	struct http_looks *all;
	const struct msg_member_probe *m;
	CURL *easy;
	struct curl_slist *connect;
	look_done *done;
	void *arg;
	size_t header_bytes;
	bool enough, endless;
	struct probe_body *body; /* when a text is wanted, else only its size counts */
	size_t body_bytes;
	char trouble[CURL_ERROR_SIZE];
};

/* --- what the library asks of us ------------------------------------------------------------------------- */
static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct http_look *h = arg;
	size_t n = size * count;

	h->body_bytes += n;
	h->enough = h->body ? probe_body_take(h->body, true, bytes, n) : h->body_bytes >= PROBE_BODY_MAX;
	return h->enough ? CURL_WRITEFUNC_ERROR : n;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *arg)
{
	struct http_look *h = arg;

	(void)bytes;
	h->header_bytes += size * count;
	h->endless = h->header_bytes > PROBE_HEADER_MAX;
	return h->endless ? CURL_WRITEFUNC_ERROR : size * count;
}

static int on_socket_made(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	struct linger drop = {.l_onoff = 1, .l_linger = 0};

	(void)arg;
	(void)purpose;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &drop, sizeof drop);
	return CURL_SOCKOPT_OK;
}

/* --- ends ---------------------------------------------------------------------------------------------------- */
static enum look_end end_of_code(struct http_look *h, CURLcode code, int *number)
{
	curl_off_t connected = 0;
	long system = 0;

	switch (code) {
	case CURLE_COULDNT_CONNECT:
		curl_easy_getinfo(h->easy, CURLINFO_OS_ERRNO, &system);
		*number = (int)system;
		return system ? look_of_errno((int)system) : LOOK_UNREACHABLE;
	case CURLE_OPERATION_TIMEDOUT:
		return LOOK_LATE;
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE:
		return LOOK_CLOSED;
	case CURLE_SSL_CONNECT_ERROR:
		return LOOK_TLS;
	case CURLE_PEER_FAILED_VERIFICATION:
		return LOOK_CERTIFICATE;
	case CURLE_OUT_OF_MEMORY:
		/* the library's word for a header line that is too long, too: once connected it is the member's doing */
		curl_easy_getinfo(h->easy, CURLINFO_CONNECT_TIME_T, &connected);
		*number = ENOMEM;
		return connected > 0 ? LOOK_TOO_LONG : LOOK_BLIND;
	case CURLE_FAILED_INIT:
	case CURLE_SSL_CACERT_BADFILE:
		*number = ENOMEM;
		return LOOK_BLIND;
	default:
		return LOOK_GARBAGE;
	}
}

static void finish(struct http_look *h, CURLcode code)
{
	static const struct probe_body nothing;
	struct look look = {.text = h->trouble};
	long status = 0;

	curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_OK && h->m->kind == PROBE_TLS)
		look.end = LOOK_GOOD;
	else if (h->endless)
		look.end = LOOK_TOO_LONG;
	else if (code == CURLE_OK || h->enough) {
		look.code = (int)status;
		look.end = probe_answer(h->m, look.code, h->body ? h->body : &nothing);
	} else
		look.end = end_of_code(h, code, &look.code);
	h->done(h->arg, &look);
}

static void collect(struct http_looks *all)
{
	struct CURLMsg *message;
	struct http_look *h;
	int left;

	while ((message = curl_multi_info_read(all->multi, &left))) {
		CURLcode code = message->data.result;
		if (message->msg == CURLMSG_DONE && curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&h) == CURLE_OK)
			finish(h, code);
	}
}

/* --- the loop ------------------------------------------------------------------------------------------------ */
struct socket_watch { /* one descriptor of the library's */
	struct http_looks *all;
	struct loop_fd *watch;
	curl_socket_t fd;
};

static void on_ready(void *arg, int what)
{
	struct socket_watch *w = arg;
	struct http_looks *all = w->all;
	int running;

	curl_multi_socket_action(all->multi, w->fd, (what & LOOP_READ ? CURL_CSELECT_IN : 0) | (what & LOOP_WRITE ? CURL_CSELECT_OUT : 0), &running);
	collect(all);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *of_socket)
{
	struct http_looks *all = arg;
	struct socket_watch *w = of_socket;
	int wanted = (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (w)
			loop_fd_remove(w->watch);
		free(w);
		return 0;
	}
	if (w) {
		loop_fd_change(w->watch, wanted);
		return 0;
	}
	w = mem_zalloc(sizeof *w);
	*w = (struct socket_watch){.all = all, .fd = fd};
	w->watch = loop_fd_add(all->loop, fd, wanted, on_ready, w);
	curl_multi_assign(all->multi, fd, w);
	return 0;
}

static int on_timer(CURLM *multi, long after_ms, void *arg)
{
	struct http_looks *all = arg;

	(void)multi;
	if (after_ms < 0)
		loop_timer_stop(all->timer);
	else
		loop_timer_set(all->timer, after_ms);
	return 0;
}

static void on_due(void *arg)
{
	struct http_looks *all = arg;
	int running;

	curl_multi_socket_action(all->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(all);
}

/* --- beginning ------------------------------------------------------------------------------------------------- */
/* What is the same for every look: nothing is followed, kept, decoded, stored, taken from the environment or from files. */
static CURL *easy_new(struct http_looks *all)
{
	CURL *c = curl_easy_init();

	if (!c)
		return NULL;
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_HTTP09_ALLOWED, 0L);
	curl_easy_setopt(c, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	curl_easy_setopt(c, CURLOPT_SSL_ENABLE_ALPN, 0L);
	curl_easy_setopt(c, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	/* one file of authorities, read once an hour; a directory would be searched for each look */
	curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(c, CURLOPT_CA_CACHE_TIMEOUT, 3600L);
	curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(c, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)BACKSTOP_MS);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, (long)PROBE_BODY_MAX);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "glory-cl-probe");
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, all->headers);
	curl_easy_setopt(c, CURLOPT_SOCKOPTFUNCTION, on_socket_made);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	return c;
}

struct http_looks *http_looks_new(struct loop *loop)
{
	struct http_looks *all;
	CURLM *multi;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) || !(multi = curl_multi_init())) {
		log_error("checker: libcurl cannot be started: HTTP and TLS probes are not possible");
		return NULL;
	}
	all = mem_zalloc(sizeof *all);
	all->loop = loop;
	all->multi = multi;
	all->timer = loop_timer_new(loop, on_due, all);
	all->headers = curl_slist_append(NULL, "Connection: close");
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, all);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, all);
	curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	return all;
}

void http_looks_free(struct http_looks *all)
{
	if (!all)
		return;
	while (all->idle_count)
		curl_easy_cleanup(all->idle[--all->idle_count]);
	curl_multi_cleanup(all->multi);
	curl_slist_free_all(all->headers);
	loop_timer_free(all->timer);
	free(all);
	curl_global_cleanup();
}

static void aim(struct http_look *h)
{
	const struct msg_member_probe *m = h->m;
	long verify = m->host[0] != '\0';
	char url[PROBE_TARGET], connect[PROBE_TARGET];

	probe_url(m, url, connect);
	h->connect = connect[0] ? curl_slist_append(NULL, connect) : NULL;
	curl_easy_setopt(h->easy, CURLOPT_URL, url);
	curl_easy_setopt(h->easy, CURLOPT_CONNECT_TO, h->connect);
	/* the path as it is: an URL would be taken apart and tidied */
	curl_easy_setopt(h->easy, CURLOPT_REQUEST_TARGET, m->path[0] ? m->path : "/");
	curl_easy_setopt(h->easy, CURLOPT_CONNECT_ONLY, m->kind == PROBE_TLS ? 1L : 0L);
	curl_easy_setopt(h->easy, CURLOPT_SSL_VERIFYPEER, verify);
	curl_easy_setopt(h->easy, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
	curl_easy_setopt(h->easy, CURLOPT_PRIVATE, h);
	curl_easy_setopt(h->easy, CURLOPT_WRITEDATA, h);
	curl_easy_setopt(h->easy, CURLOPT_HEADERDATA, h);
	curl_easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->trouble);
}

struct http_look *http_look_start(struct http_looks *all, const struct msg_member_probe *m, look_done *done, void *arg)
{
	CURL *easy = all->idle_count ? all->idle[--all->idle_count] : easy_new(all);
	struct http_look *h;

	if (!easy)
		return NULL;
	h = mem_zalloc(sizeof *h);
	*h = (struct http_look){.all = all, .m = m, .easy = easy, .done = done, .arg = arg};
	h->body = m->expect[0] ? mem_zalloc(sizeof *h->body) : NULL;
	aim(h);
	if (curl_multi_add_handle(all->multi, easy) == CURLM_OK)
		return h;
	http_look_free(h);
	return NULL;
}

void http_look_free(struct http_look *h)
{
	struct http_looks *all;

	if (!h)
		return;
	all = h->all;
	curl_multi_remove_handle(all->multi, h->easy);
	curl_easy_setopt(h->easy, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_setopt(h->easy, CURLOPT_CONNECT_TO, NULL);
	curl_slist_free_all(h->connect);
	if (all->idle_count < IDLE_MAX)
		all->idle[all->idle_count++] = h->easy;
	else
		curl_easy_cleanup(h->easy);
	free(h->body);
	free(h);
}
