/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the engine lets run outside of itself: a verb on a node, a driver program here (the runner), or glory-ipvs (the supervisor's helper). Each
 * request is answered exactly once, whatever dies meanwhile. At most RUNS_AT_ONCE are with the runner and one for each node or balancer's host; the
 * others wait for their turn in the order they came. */
#ifndef GLORY_ENGINE_RUNS_H
#define GLORY_ENGINE_RUNS_H

#include "engine/engine.h"

#define RUNS_AT_ONCE 64
#define RUNS_QUEUED_MAX 20000

/* result->end is the word for it; output is all it printed, terminated (valid during the call), size without the zero; "" when there is none.
 * result->text is one line (or the whole output when that is short and the run is done). */
typedef void run_done(void *arg, const struct msg_run_result *result, const char *output, size_t size);
/* A line it printed meanwhile; only when run->stream was set. */
typedef void run_line(void *arg, const char *text);

void runs_start(struct engine *e);
/* Queues a request; its .request is chosen here and returned (never 0). input: a memfd for its standard input, taken; -1 none. done is called once,
 * later, never from within this call; line may be NULL. deadline_ms counts from when it is sent. */
uint64_t runs_ask(struct engine *e, const struct msg_run *run, int input, run_done *done, run_line *line, void *arg);
/* Ends a request: it is told as ENDED_CANCELLED, unless it ends otherwise before. Unknown numbers are ignored. */
void runs_cancel(struct engine *e, uint64_t request);
/* Forgets who asked: nobody is told any more. For callers that go away. */
void runs_forget(struct engine *e, uint64_t request);
/* What a run of a node needs beside its line: slot, name, address with the port of its sshd, credential "control". */
void runs_node(const struct model_node *n, struct msg_run *out);
unsigned runs_open(const struct engine *e); /* sent and waiting */

/* Until there is a token no order goes out (token.c). */
void runs_token(struct engine *e, uint64_t token);
bool runs_has_token(const struct engine *e);

/* --- main.c calls these */
void runs_result(struct engine *e, const struct msg_run_result *result, int fd); /* fd stays the caller's */
void runs_say(struct engine *e, const struct msg_run_line *line);
void runs_runner(struct engine *e, bool up);
void runs_tick(struct engine *e); /* once a second: what nobody answers */

#endif
