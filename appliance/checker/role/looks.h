/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The looks of service probes that need no program: a TCP connect of our own, and HTTP, HTTPS and TLS by libcurl's multi socket interface,
 * both on the role's loop. Deadlines are the caller's: it cancels a look that lasts too long. Driven by probes.c. */
#ifndef GLORY_CHECKER_LOOKS_H
#define GLORY_CHECKER_LOOKS_H

#include "checker/probe.h"
#include "loop/loop.h"

/* Called from the loop, never from within start; took_ms is left to the caller. look->text is valid during the call. */
typedef void look_done(void *arg, const struct look *look);

struct tcp_look;
/* NULL when it ended at once, *end says how (a refusal, or our own want of descriptors or ports: LOOK_BLIND with its errno in *code). */
struct tcp_look *tcp_look_start(struct loop *loop, const struct address *address, look_done *done, void *arg, enum look_end *end, int *code);
void tcp_look_free(struct tcp_look *look); /* ends it without done(), or after it */
/* What an errno of connecting says: LOOK_BLIND when it is ours. */
enum look_end look_of_errno(int number);

struct http_looks;
struct http_look;
/* NULL: the library cannot be started. Once, before the sandbox closes: it reads its files then. */
struct http_looks *http_looks_new(struct loop *loop);
void http_looks_free(struct http_looks *all); /* none may be open */
/* m: PROBE_HTTP, PROBE_HTTPS or PROBE_TLS; it must stay until the end. NULL: no resource. */
struct http_look *http_look_start(struct http_looks *all, const struct msg_member_probe *m, look_done *done, void *arg);
void http_look_free(struct http_look *look); /* ends it without done(), or after it */

#endif
