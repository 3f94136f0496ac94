/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests to the runner: queue, window, answers; see runs.h. */
#include "engine/runs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uthash.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

enum { OVERDUE_MS = 15000, QUEUE_MS = 600000, NO_RUNNER_MS = 30000, SSH_PORT = 22 };

struct request {
	uint64_t number;
	struct msg_run run;
	int input;
	bool sent, helper; /* helper: the supervisor runs it */
	bool told;         /* it has its end already: told in the next round of the loop */
	enum run_ended end;
	const char *why;
	int64_t at_ms;     /* queued, then sent */
	run_done *done;
	run_line *line;
	void *arg;
	struct engine *e;
	struct request *next, *before; /* queue, in order */
	UT_hash_handle hh;
};

struct runs {
	uint64_t last, token; /* token: of this life, 0 not yet */
	struct request *all; /* by number */
	struct request *first, *newest; /* waiting */
	struct request *sent[RUNS_AT_ONCE]; /* with the runner; NULL: free */
	unsigned sent_count, waiting, urgent; /* urgent: of those that wait, what needs no room in the window */
	struct loop_timer *turn;
};

/* --- the queue ------------------------------------------------------------------------------------------- */
static bool is_urgent(const struct request *q)
{
	return q->told || q->helper;
}

static void push(struct runs *r, struct request *q)
{
	r->urgent += is_urgent(q);
	q->before = r->newest;
	q->next = NULL;
	*(r->newest ? &r->newest->next : &r->first) = q;
	r->newest = q;
	r->waiting++;
}

static void take_out(struct runs *r, struct request *q)
{
	*(q->before ? &q->before->next : &r->first) = q->next;
	*(q->next ? &q->next->before : &r->newest) = q->before;
	r->urgent -= is_urgent(q);
	r->waiting--;
}

static void enter_window(struct runs *r, struct request *q)
{
	for (int i = 0; i < RUNS_AT_ONCE; i++)
		if (!r->sent[i]) {
			r->sent[i] = q;
			r->sent_count++;
			break;
		}
	q->sent = true;
}

static void leave_window(struct runs *r, struct request *q)
{
	for (int i = 0; i < RUNS_AT_ONCE; i++)
		if (r->sent[i] == q) {
			r->sent[i] = NULL;
			r->sent_count--;
		}
	q->sent = false;
}

/* Told in the next round of the loop: callers of ours are never called from within their own call. */
static void tell_later(struct request *q, enum run_ended end, const char *why)
{
	struct runs *r = q->e->runs;

	if (q->sent)
		leave_window(r, q);
	else
		take_out(r, q);
	q->told = true;
	q->end = end;
	q->why = why;
	push(r, q);
	loop_timer_set(r->turn, 0);
}

static struct request *find(const struct runs *r, uint64_t number)
{
	struct request *q;

	HASH_FIND(hh, r->all, &number, sizeof number, q);
	return q;
}

static void finish(struct request *q, const struct msg_run_result *result, const char *output, size_t size)
{
	struct runs *r = q->e->runs;

	if (q->sent)
		leave_window(r, q);
	else
		take_out(r, q);
	HASH_DEL(r->all, q);
	if (q->input >= 0)
		close(q->input);
	if (q->done)
		q->done(q->arg, result, output, size);
	loop_timer_set(r->turn, 0);
	free(q);
}

static void finish_as(struct request *q, enum run_ended end, const char *why)
{
	struct msg_run_result m = {.request = q->number, .end = end, .code = -1, .took_ms = (uint32_t)(clock_mono_ms() - q->at_ms)};

	text_copy(m.text, sizeof m.text, why);
	finish(q, &m, "", 0);
}

/* One at a time for each node and for each host of a balancer; what runs here is not held up. */
static bool same_place(const struct msg_run *a, const struct msg_run *b)
{
	return a->kind != RUN_DRIVER && b->kind != RUN_DRIVER && a->slot == b->slot && a->generation == b->generation && !strcmp(a->host, b->host);
}

static bool place_is_free(const struct runs *r, const struct request *q)
{
	for (int i = 0; i < RUNS_AT_ONCE; i++)
		if (r->sent[i] && same_place(&r->sent[i]->run, &q->run))
			return false;
	return true;
}

/* --- glory-ipvs: the supervisor's, because of its right ------------------------------------------------------- */
static void on_helper(void *arg, int status, const char *output, size_t size)
{
	struct request *q = arg;
	struct msg_run_result m = {.request = q->number, .took_ms = (uint32_t)(clock_mono_ms() - q->at_ms), .size = (uint32_t)size};

	m.end = status == 0 && size ? ENDED_DONE : status == 0 ? ENDED_BAD : status == ERR_NO_RESOURCE ? ENDED_BAD : ENDED_FAILED;
	m.code = status == 0 ? 0 : -1;
	if (m.end == ENDED_DONE && size < sizeof m.text) {
		memcpy(m.text, output, size);
		m.text[size] = '\0';
	} else if (m.end != ENDED_DONE) {
		text_copy(m.text, sizeof m.text, status == 0 ? "glory-ipvs printed no result" : status == ERR_NOT_FOUND ? "glory-ipvs is not installed"
					: "glory-ipvs could not be run, or did not end in time");
	}
	char *whole = mem_zalloc(size + 1);
	if (size)
		memcpy(whole, output, size);
	finish(q, &m, whole, size);
	free(whole);
}

static void send_helper(struct request *q)
{
	int input = q->input >= 0 ? q->input : bytes_memory("input", "", 0);

	q->input = -1;
	helpers_run(q->e, HELPER_IPVS, input, q->run.deadline_ms, RUN_OUTPUT_MAX, on_helper, q);
}

/* --- sending -------------------------------------------------------------------------------------------------- */
static void send_one(struct request *q)
{
	struct runs *r = q->e->runs;

	take_out(r, q);
	q->at_ms = clock_mono_ms();
	if (q->helper) {
		q->sent = true;
		send_helper(q);
		return;
	}
	enter_window(r, q);
	q->run.token = r->token;
	channel_send_fd(q->e->roles[ROLE_RUNNER].channel, MSG_RUN, &q->run, sizeof q->run, q->input);
	if (q->input >= 0)
		close(q->input);
	q->input = -1;
}

static void on_turn(void *arg)
{
	struct engine *e = arg;
	struct runs *r = e->runs;
	bool runner = e->roles[ROLE_RUNNER].channel != NULL && r->token;

	for (struct request *q = r->first, *next; q && (r->urgent || (runner && r->sent_count < RUNS_AT_ONCE)); q = next) {
		next = q->next;
		if (q->told) {
			finish_as(q, q->end, q->why);
			next = r->first; /* whoever was told may have asked, cancelled or forgotten others */
			continue;
		}
		if (q->helper || (runner && r->sent_count < RUNS_AT_ONCE && place_is_free(r, q)))
			send_one(q);
	}
}

uint64_t runs_ask(struct engine *e, const struct msg_run *run, int input, run_done *done, run_line *line, void *arg)
{
	struct runs *r = e->runs;
	struct request *q = mem_zalloc(sizeof *q);

	*q = (struct request){.number = ++r->last, .run = *run, .input = input, .at_ms = clock_mono_ms(), .done = done, .line = line, .arg = arg, .e = e};
	q->run.request = q->number;
	q->helper = run->kind == RUN_DRIVER && !strcmp(run->driver, balancer_driver_name(DRIVER_IPVS));
	HASH_ADD(hh, r->all, number, sizeof q->number, q);
	push(r, q);
	if (r->waiting > RUNS_QUEUED_MAX)
		tell_later(q, ENDED_BUSY, "too many requests wait for their turn already");
	loop_timer_set(r->turn, 0);
	return q->number;
}

void runs_token(struct engine *e, uint64_t token)
{
	e->runs->token = token;
	loop_timer_set(e->runs->turn, 0);
}

bool runs_has_token(const struct engine *e)
{
	return e->runs->token != 0;
}

void runs_cancel(struct engine *e, uint64_t request)
{
	struct request *q = find(e->runs, request);
	struct msg_run_id m = {.request = request};

	if (!q || q->told)
		return;
	if (q->sent && !q->helper) {
		engine_send(e, ROLE_RUNNER, MSG_RUN_CANCEL, &m, sizeof m);
	} else if (!q->sent) {
		tell_later(q, ENDED_CANCELLED, "cancelled before its turn came");
	}
}

void runs_forget(struct engine *e, uint64_t request)
{
	struct request *q = find(e->runs, request);

	if (!q)
		return;
	q->done = NULL;
	q->line = NULL;
}

/* --- answers -------------------------------------------------------------------------------------------------- */
/* All of the sealed output; NULL: it cannot be what the runner says it is. */
static char *read_output(int fd, size_t size)
{
	enum { WANTED = F_SEAL_SHRINK | F_SEAL_WRITE };
	struct stat st;

	if (size > RUN_OUTPUT_MAX || fstat(fd, &st) || st.st_size != (off_t)size || (fcntl(fd, F_GET_SEALS) & WANTED) != WANTED)
		return NULL;
	char *bytes = mem_zalloc(size + 1);
	for (size_t at = 0; at < size;) {
		ssize_t n = pread(fd, bytes + at, size - at, (off_t)at);
		if (n <= 0) {
			free(bytes);
			return NULL;
		}
		at += (size_t)n;
	}
	return bytes;
}

void runs_result(struct engine *e, const struct msg_run_result *m, int fd)
{
	struct request *q = find(e->runs, m->request);
	struct msg_run_result copy = *m;
	char *output = NULL;

	if (!q || !q->sent || q->helper || m->end == 0 || m->end >= ENDED_COUNT || !text_terminated(m->text, sizeof m->text))
		return;
	if (fd >= 0) {
		output = read_output(fd, m->size);
		if (!output) {
			copy.end = ENDED_BAD;
			text_copy(copy.text, sizeof copy.text, "its output could not be read");
		}
	}
	if (copy.end != ENDED_DONE)
		text_make_printable(copy.text);
	finish(q, &copy, output ? output : copy.end == ENDED_DONE ? copy.text : "", output ? m->size : copy.end == ENDED_DONE ? strlen(copy.text) : 0);
	free(output);
}

void runs_say(struct engine *e, const struct msg_run_line *m)
{
	struct request *q = find(e->runs, m->request);
	char text[sizeof m->text];

	if (!q || !q->line || !text_terminated(m->text, sizeof m->text))
		return;
	text_copy(text, sizeof text, m->text);
	text_make_printable(text);
	q->line(q->arg, text);
}

void runs_runner(struct engine *e, bool up)
{
	for (int i = 0; !up && i < RUNS_AT_ONCE; i++)
		if (e->runs->sent[i])
			tell_later(e->runs->sent[i], ENDED_CUT, "the runner ended while it worked: what it did is not known");
	loop_timer_set(e->runs->turn, 0);
}

void runs_tick(struct engine *e)
{
	struct request *q, *next;
	int64_t now = clock_mono_ms();

	HASH_ITER(hh, e->runs->all, q, next)
	{
		if (q->told || q->helper)
			continue;
		if (q->sent && now - q->at_ms > (int64_t)q->run.deadline_ms + OVERDUE_MS)
			tell_later(q, ENDED_CUT, "the runner gave no result");
		else if (!q->sent && now - q->at_ms > (e->roles[ROLE_RUNNER].channel ? QUEUE_MS : NO_RUNNER_MS))
			tell_later(q, ENDED_LATE, "its turn did not come");
	}
}

/* --- for callers ------------------------------------------------------------------------------------------------ */
void runs_node(const struct model_node *n, struct msg_run *out)
{
	out->slot = n->slot;
	out->generation = n->generation;
	out->kind = RUN_NODE;
	out->address = n->config.address;
	out->address.port = SSH_PORT;
	text_copy(out->host, sizeof out->host, n->config.head.name);
	text_copy(out->credential, sizeof out->credential, "control");
}

unsigned runs_open(const struct engine *e)
{
	return HASH_COUNT(e->runs->all);
}

void runs_start(struct engine *e)
{
	e->runs = mem_zalloc(sizeof *e->runs);
	e->runs->turn = loop_timer_new(e->loop, on_turn, e);
}
