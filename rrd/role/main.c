/* SPDX-License-Identifier: GPL-3.0-or-later */
/* glory-recorder: takes rows from the engine's ring and hands them to the recorder's threads; the loop itself never
 * touches a disk. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "board/messages.h"
#include "board/ring.h"
#include "proc/role.h"
#include "rrd/recorder.h"

#define DRAIN_MS 200
#define SECOND_MS 1000
#define REPEAT_MS 60000
#define BATCH_MAX (8u << 20)
#define MEMORY_BYTES ((size_t)208 << 20) /* of rows, which no site of 10,000 nodes reaches while its disk takes them */
#define RESERVE_BYTES (64u << 20)
#define STOP_MS 10000

struct waiting_flush {
	struct waiting_flush *next;
	struct msg_flush flush;
};

struct state {
	struct role_context *context;
	struct recorder *recorder;
	struct ring *ring;
	struct loop_timer *drain, *second;
	bool batch_out;                     /* a batch is on its way to the journal */
	uint64_t refused;                   /* series that were not sound */
	uint64_t last_written, lost_before; /* lost_before: in rings of earlier lives of the engine */
	struct waiting_flush *flushes;      /* until all rows of the ring are handed over */
	struct msg_recorder_state said;
	int64_t say_again_ms; /* trouble is repeated: the engine may not have been able to hear it */
	bool said_any;
};

/* Everything the ring holds, up to BATCH_MAX, as one block. */
static uint8_t *collect(struct ring *ring, size_t *size)
{
	uint8_t *rows = NULL;
	size_t room = 0;
	const struct ring_row *row;

	*size = 0;
	while (*size < BATCH_MAX && (row = ring_next(ring))) {
		size_t bytes = sizeof *row + row->count * sizeof row->values[0];

		if (room - *size < bytes) {
			room = (room + bytes) * 2;
			rows = mem_grow(rows, room, 1);
		}
		memcpy(rows + *size, row, bytes);
		*size += bytes;
	}
	return rows;
}

static void pass_flushes(struct state *s)
{
	while (s->flushes) {
		struct waiting_flush *f = s->flushes;

		s->flushes = f->next;
		recorder_flush(s->recorder, f->flush.request, f->flush.slot);
		free(f);
	}
}

static void drain(struct state *s)
{
	size_t size = 0;

	if (s->batch_out)
		return;
	uint8_t *rows = s->ring ? collect(s->ring, &size) : NULL;
	if (rows) {
		s->batch_out = true;
		recorder_batch(s->recorder, rows, size);
	}
	if (size < BATCH_MAX)
		pass_flushes(s);
}

static void on_drain(void *arg)
{
	drain(arg);
}

static void flushed(struct state *s, uint64_t request)
{
	struct msg_flush answer = {.request = request, .slot = NO_SLOT};

	channel_send(s->context->engine, MSG_FLUSHED, &answer, sizeof answer);
}

static void on_events(void *arg)
{
	struct state *s = arg;
	struct recorder_event e;

	while ((e = recorder_event(s->recorder)).kind != RECORDER_NOTHING) {
		if (e.kind == RECORDER_FLUSHED) {
			flushed(s, e.request);
		} else {
			s->batch_out = false;
			if (s->ring)
				ring_done(s->ring);
		}
	}
	if (s->flushes)
		drain(s);
}

/* In one of the recorder's threads. A wake that is refused is made good by the next second. */
static void wake(void *arg)
{
	struct state *s = arg;

	loop_wake(s->context->loop, on_events, s);
}

static void tell_state(struct state *s, const struct recorder_stats *st)
{
	struct msg_recorder_state now = {.disk = (uint32_t)st->writer.disk,
					 .journal_failing = st->journal_failing,
					 .files_waiting = st->writer.files_waiting,
					 .series = st->series,
					 .free_bytes = st->writer.free_bytes,
					 .rows_lost = st->rows_dropped};

	text_copy(now.trouble, sizeof now.trouble, st->writer.trouble);
	if (!now.trouble[0] && now.journal_failing)
		text_copy(now.trouble, sizeof now.trouble, "the journal cannot be written");
	bool trouble = now.disk != RECORDER_DISK_WELL || now.journal_failing;
	int64_t now_ms = loop_now(s->context->loop);
	if (s->said_any && !(trouble && now_ms >= s->say_again_ms) && now.disk == s->said.disk &&
	    now.journal_failing == s->said.journal_failing &&
	    (now.files_waiting == 0) == (s->said.files_waiting == 0) &&
	    (now.rows_lost == 0) == (s->said.rows_lost == 0))
		return;
	s->said = now;
	s->said_any = true;
	s->say_again_ms = now_ms + REPEAT_MS;
	channel_send(s->context->engine, MSG_RECORDER_STATE, &now, sizeof now);
}

static void on_second(void *arg)
{
	struct state *s = arg;
	struct recorder_stats st;
	struct msg_stats out = {.garbage = s->refused};

	on_events(s);
	recorder_stats(s->recorder, &st);
	out.handled = st.writer.rows_written;
	out.dropped = st.rows_dropped + st.rows_unknown + s->lost_before + (s->ring ? ring_lost(s->ring) : 0);
	out.queued = st.rows_waiting;
	out.per_second = (uint32_t)(st.writer.rows_written - s->last_written);
	out.worst_lateness_ms = (int32_t)loop_lateness_ms(s->context->loop);
	s->last_written = st.writer.rows_written;
	channel_send_lossy(s->context->engine, MSG_STATS, &out, sizeof out);
	tell_state(s, &st);
}

static void take_ring(struct state *s, int fd)
{
	if (fd < 0) {
		log_error("recorder: the engine's ring came without a descriptor");
		return;
	}
	if (s->ring)
		s->lost_before += ring_lost(s->ring);
	ring_free(s->ring);
	s->ring = ring_map(fd, 1);
}

static void on_engine(struct role_context *c, const struct message_header *h, const void *body, size_t size, int fd)
{
	struct state *s = c->state;
	struct waiting_flush *f;

	(void)size;
	switch (h->type) {
	case MSG_RING:
		take_ring(s, fd);
		return;
	case MSG_SERIES_ADD:
		if (!recorder_series(s->recorder, body) && s->refused++ == 0)
			log_error("recorder: the engine describes a series that cannot be: it is not recorded");
		break;
	case MSG_FLUSH:
		f = mem_zalloc(sizeof *f);
		memcpy(&f->flush, body, sizeof f->flush);
		f->next = s->flushes;
		s->flushes = f;
		drain(s);
		break;
	default:
		log_debug("recorder: %s is not for this role", message_name(h->type));
		break;
	}
	if (fd >= 0)
		close(fd);
}

static int run(struct role_context *c)
{
	struct state *s = c->state;
	char rrd[300], journal[300];
	struct recorder_setup setup = {.rrd = rrd,
				       .journal = journal,
				       .reserve_bytes = RESERVE_BYTES,
				       .memory_bytes = MEMORY_BYTES,
				       .wake = wake,
				       .arg = s};

	text_format(rrd, sizeof rrd, "%s/rrd", c->start.directory);
	text_format(journal, sizeof journal, "%s/journal", c->start.directory);
	s->recorder = recorder_start(&setup);
	if (!s->recorder)
		return ERR_NO_RESOURCE;
	s->drain = loop_timer_new(c->loop, on_drain, s);
	s->second = loop_timer_new(c->loop, on_second, s);
	loop_timer_every(s->drain, DRAIN_MS);
	loop_timer_every(s->second, SECOND_MS);
	return 0;
}

static int prepare(struct role_context *c)
{
	struct state *s = mem_zalloc(sizeof *s);

	s->context = c;
	c->state = s;
	return 0;
}

/* The loop has ended: what the ring still holds goes to the journal, what waits goes to the files. */
static void stop(struct role_context *c)
{
	struct state *s = c->state;
	size_t size = 0;
	uint8_t *rows = s->ring ? collect(s->ring, &size) : NULL;

	if (rows)
		recorder_batch(s->recorder, rows, size);
	recorder_stop(s->recorder, clock_mono_ms() + STOP_MS);
	if (s->ring)
		ring_done(s->ring);
	ring_free(s->ring);
	loop_timer_free(s->drain);
	loop_timer_free(s->second);
	free(s);
}

int main(void)
{
	static const struct role_definition definition = {
	    .role = ROLE_RECORDER, .prepare = prepare, .on_engine = on_engine, .run = run, .stop = stop};

	return role_main(&definition);
}
