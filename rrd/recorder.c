/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The journal thread and its queue; see recorder.h. */
#include "rrd/recorder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "rrd/journal.h"
#include "rrd/layout.h"
#include "rrd/undo.h"

#define SYNC_MS 1000
#define ROWS_PER_LOCK 256
#define REPLAY_WAITS 300 /* of at most 100 ms */

enum order_kind { ORDER_SERIES, ORDER_BATCH, ORDER_FLUSH };
struct order { /* from the loop to the journal thread, in the order of the engine's messages */
	struct order *next;
	enum order_kind kind;
	uint32_t id, slot;
	uint64_t request;
	struct series_definition *definition;
	uint8_t *rows;
	size_t bytes;
};

struct event {
	struct event *next;
	struct recorder_event event;
};

struct recorder {
	struct recorder_setup setup;
	struct cache *cache;
	struct writer *writer;
	struct journal *journal;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ordered;
	/* under the lock */
	struct order *orders, **order_tail;
	struct event *events, **event_tail;
	bool stopping, journal_failing, replaying;
	uint64_t rows_unknown, journal_lost;
};

/* --- events --- */
static void tell(struct recorder *r, enum recorder_event_kind kind, uint64_t request)
{
	struct event *e = mem_zalloc(sizeof *e);

	e->event = (struct recorder_event){.kind = kind, .request = request};
	pthread_mutex_lock(&r->lock);
	*r->event_tail = e;
	r->event_tail = &e->next;
	pthread_mutex_unlock(&r->lock);
	r->setup.wake(r->setup.arg);
}

static void on_flushed(void *arg, uint64_t request)
{
	tell(arg, RECORDER_FLUSHED, request);
}

struct recorder_event recorder_event(struct recorder *r)
{
	struct recorder_event none = {.kind = RECORDER_NOTHING};

	pthread_mutex_lock(&r->lock);
	struct event *e = r->events;
	if (e) {
		none = e->event;
		r->events = e->next;
		if (!r->events)
			r->event_tail = &r->events;
	}
	pthread_mutex_unlock(&r->lock);
	free(e);
	return none;
}

/* --- journal thread: rows --- */
static void define(struct recorder *r, struct series *s)
{
	struct series_definition d = {.slot = s->slot, .step_s = s->step_s, .count = s->count};

	text_copy(d.path, sizeof d.path, s->path);
	memcpy(d.names, s->names, s->count * sizeof d.names[0]);
	journal_add_series(r->journal, s->number, &d);
	s->defined_in = journal_segment(r->journal);
}

static bool take_row(struct recorder *r, const struct ring_row *row, int64_t now_ms)
{
	struct series *s = cache_find(r->cache, row->series);
	uint32_t segment = journal_segment(r->journal);

	if (!s || s->count != row->count)
		return false;
	int64_t due_ms = cache_is_idle(r->cache, s) ? writer_first_due_ms(r->cache, s, now_ms) : 0;
	if (!cache_put(r->cache, s, row->time_s, segment, row->values, due_ms))
		return true;
	if (s->defined_in != segment)
		define(r, s);
	journal_add_row(r->journal, s->number, row);
	return true;
}

static void take_batch(struct recorder *r, const struct order *o)
{
	uint64_t unknown = 0;
	size_t at = 0;
	int64_t now_ms = clock_mono_ms();

	journal_turn(r->journal, now_ms);
	while (at < o->bytes) {
		pthread_mutex_lock(&r->cache->lock);
		for (int i = 0; i < ROWS_PER_LOCK && at < o->bytes; i++) {
			const struct ring_row *row = (const void *)(o->rows + at); /* the ring has checked it */

			unknown += !take_row(r, row, now_ms);
			at += sizeof *row + row->count * sizeof(double);
		}
		pthread_mutex_unlock(&r->cache->lock);
	}
	int rc = journal_commit(r->journal);
	pthread_mutex_lock(&r->lock);
	r->rows_unknown += unknown;
	r->journal_failing = rc != 0;
	r->journal_lost = journal_lost(r->journal);
	pthread_mutex_unlock(&r->lock);
	tell(r, RECORDER_BATCH_SAFE, 0);
}

static void carry_out(struct recorder *r, struct order *o)
{
	struct series *s;

	switch (o->kind) {
	case ORDER_SERIES:
		pthread_mutex_lock(&r->cache->lock);
		s = cache_series(r->cache, o->definition);
		if (s)
			cache_bind(r->cache, s, o->id);
		pthread_mutex_unlock(&r->cache->lock);
		break;
	case ORDER_BATCH:
		take_batch(r, o);
		break;
	case ORDER_FLUSH:
		writer_flush(r->writer, o->request, o->slot);
		break;
	}
}

static void order_free(struct order *o)
{
	free(o->definition);
	free(o->rows);
	free(o);
}

/* --- journal thread: replay --- */
struct replay {
	struct recorder *recorder;
	struct series **series; /* by their number in the segment */
	uint32_t room;
	int patience; /* waits for memory that are left */
	uint64_t rows;
};

static void replay_series(void *arg, uint32_t number, const struct series_definition *d)
{
	struct replay *p = arg;

	if (number >= p->room) {
		uint32_t room = (number + 1) * 2;

		p->series = mem_grow(p->series, room, sizeof *p->series);
		memset(p->series + p->room, 0, (room - p->room) * sizeof *p->series);
		p->room = room;
	}
	pthread_mutex_lock(&p->recorder->cache->lock);
	p->series[number] = cache_series(p->recorder->cache, d);
	if (p->series[number] && !p->series[number]->bound)
		p->series[number]->slot = NO_SLOT; /* slots of an earlier engine mean nothing now */
	pthread_mutex_unlock(&p->recorder->cache->lock);
}

static void replay_row(void *arg, uint32_t segment, const struct ring_row *row)
{
	struct replay *p = arg;
	struct cache *c = p->recorder->cache;
	struct series *s = p->series[row->series];

	if (!s || s->count != row->count)
		return;
	pthread_mutex_lock(&c->lock);
	/* the writer empties the cache meanwhile; when its disk does not take rows, they are better dropped than waited
	 * for */
	for (; p->patience > 0 && c->bytes > c->bytes_max / 2; p->patience--) {
		int64_t until = clock_mono_ms() + 100;
		struct timespec ts = {.tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000};
		pthread_cond_timedwait(&c->changed, &c->lock, &ts);
	}
	p->rows += cache_put(c, s, row->time_s, segment, row->values, clock_mono_ms());
	pthread_mutex_unlock(&c->lock);
}

static void replay(struct recorder *r)
{
	struct replay p = {.recorder = r, .patience = REPLAY_WAITS};
	struct journal_reader reader = {replay_series, replay_row, &p};

	while (journal_replay(r->journal, &reader))
		;
	free(p.series);
	if (p.rows)
		log_info("journal: %llu rows of the last life are written", (unsigned long long)p.rows);
	pthread_mutex_lock(&r->lock);
	r->replaying = false;
	pthread_mutex_unlock(&r->lock);
}

/* --- journal thread --- */
static uint64_t segment_waiting(void *arg, uint32_t segment)
{
	struct recorder *r = arg;

	pthread_mutex_lock(&r->cache->lock);
	uint64_t n = cache_segment_waiting(r->cache, segment);
	pthread_mutex_unlock(&r->cache->lock);
	return n;
}

static void segment_forget(void *arg, uint32_t segment)
{
	struct recorder *r = arg;

	pthread_mutex_lock(&r->cache->lock);
	cache_segment_forget(r->cache, segment);
	pthread_mutex_unlock(&r->cache->lock);
}

/* Once a second, also without rows. */
static void look_after_disk(struct recorder *r, int64_t now_ms)
{
	int rc = journal_commit(r->journal); /* what an earlier commit could not write */

	rc |= journal_sync(r->journal);
	journal_turn(r->journal, now_ms);
	journal_reap(r->journal, now_ms, segment_waiting, segment_forget, r);
	pthread_mutex_lock(&r->lock);
	r->journal_failing = rc != 0;
	pthread_mutex_unlock(&r->lock);
}

static struct order *next_order(struct recorder *r, int64_t until_ms)
{
	struct timespec ts = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};

	pthread_mutex_lock(&r->lock);
	if (!r->orders && !r->stopping)
		pthread_cond_timedwait(&r->ordered, &r->lock, &ts);
	struct order *o = r->orders;
	if (o) {
		r->orders = o->next;
		if (!r->orders)
			r->order_tail = &r->orders;
	}
	pthread_mutex_unlock(&r->lock);
	return o;
}

static void *run(void *arg)
{
	struct recorder *r = arg;
	int64_t sync_ms;
	bool stopping = false;

	replay(r);
	sync_ms = clock_mono_ms() + SYNC_MS;
	for (;;) {
		struct order *o = next_order(r, sync_ms);

		if (!o && stopping)
			break;
		if (o) {
			carry_out(r, o);
			order_free(o);
		}
		if (clock_mono_ms() >= sync_ms) {
			look_after_disk(r, clock_mono_ms());
			sync_ms = clock_mono_ms() + SYNC_MS;
		}
		pthread_mutex_lock(&r->lock);
		stopping = r->stopping;
		pthread_mutex_unlock(&r->lock);
	}
	look_after_disk(r, clock_mono_ms());
	return NULL;
}

/* --- the loop's side --- */
static void give_order(struct recorder *r, struct order order)
{
	struct order *o = mem_zalloc(sizeof *o);

	*o = order;
	o->next = NULL;
	pthread_mutex_lock(&r->lock);
	*r->order_tail = o;
	r->order_tail = &o->next;
	pthread_cond_signal(&r->ordered);
	pthread_mutex_unlock(&r->lock);
}

static bool sound(const struct msg_series *m)
{
	struct layout_arguments *a = mem_zalloc(sizeof *a);
	bool good = m->count > 0 && m->count <= SERIES_DS_MAX && text_terminated(m->site, sizeof m->site) &&
		    text_terminated(m->group, sizeof m->group) && text_terminated(m->node, sizeof m->node) &&
		    text_terminated(m->source, sizeof m->source) && text_terminated(m->file, sizeof m->file);

	for (uint32_t i = 0; good && i < m->count; i++)
		good = text_terminated(m->names[i], sizeof m->names[i]);
	good = good && layout_arguments(m->step_s, m->names, m->count, a);
	free(a);
	return good;
}

bool recorder_series(struct recorder *r, const struct msg_series *m)
{
	struct series_definition *d = mem_zalloc(sizeof *d);

	if (!sound(m) || !names_path(m->site, m->group, m->node, m->source, m->file, d->path)) {
		free(d);
		return false;
	}
	d->slot = m->slot;
	d->step_s = m->step_s;
	d->count = m->count;
	names_data_sources(m->names, m->count, d->names);
	give_order(r, (struct order){.kind = ORDER_SERIES, .id = m->series, .definition = d});
	return true;
}

void recorder_batch(struct recorder *r, uint8_t *rows, size_t bytes)
{
	give_order(r, (struct order){.kind = ORDER_BATCH, .rows = rows, .bytes = bytes});
}

void recorder_flush(struct recorder *r, uint64_t request, uint32_t slot)
{
	give_order(r, (struct order){.kind = ORDER_FLUSH, .request = request, .slot = slot});
}

void recorder_stats(struct recorder *r, struct recorder_stats *out)
{
	*out = (struct recorder_stats){.series = 0};
	writer_stats(r->writer, &out->writer);
	pthread_mutex_lock(&r->cache->lock);
	out->rows_waiting = r->cache->rows_waiting;
	out->rows_dropped = r->cache->rows_dropped;
	out->rows_old = r->cache->rows_old;
	out->series = r->cache->count;
	pthread_mutex_unlock(&r->cache->lock);
	pthread_mutex_lock(&r->lock);
	out->rows_unknown = r->rows_unknown;
	out->journal_lost_bytes = r->journal_lost;
	out->journal_failing = r->journal_failing;
	out->replaying = r->replaying;
	pthread_mutex_unlock(&r->lock);
}

static bool open_parts(struct recorder *r)
{
	struct writer_setup w = {.directory = r->setup.rrd,
				 .cache = r->cache,
				 .reserve_bytes = r->setup.reserve_bytes,
				 .calm_bytes = r->setup.memory_bytes / 2,
				 .on_flushed = on_flushed,
				 .arg = r};

	if (mkdir(r->setup.rrd, 0750) != 0 && errno != EEXIST) {
		log_error("rrd: %s: cannot be made: %s: give it to the recorder's user", r->setup.rrd, strerror(errno));
		return false;
	}
	r->journal = journal_open(r->setup.journal);
	if (r->journal)
		undo_open(r->setup.journal);
	if (r->journal)
		r->writer = writer_start(&w);
	return r->writer != NULL;
}

struct recorder *recorder_start(const struct recorder_setup *setup)
{
	struct recorder *r = mem_zalloc(sizeof *r);
	pthread_condattr_t attr;

	r->setup = *setup;
	r->replaying = true;
	r->order_tail = &r->orders;
	r->event_tail = &r->events;
	r->cache = cache_new(setup->memory_bytes);
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->ordered, &attr);
	pthread_condattr_destroy(&attr);
	bool open = open_parts(r);
	int error = open ? pthread_create(&r->thread, NULL, run, r) : 0;
	if (open && !error)
		return r;
	if (error)
		log_error("journal: its thread cannot be made: %s", strerror(error));
	if (r->writer)
		writer_stop(r->writer, 0);
	undo_close();
	journal_close(r->journal);
	cache_free(r->cache);
	free(r);
	return NULL;
}

void recorder_stop(struct recorder *r, int64_t deadline_ms)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	pthread_cond_signal(&r->ordered);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	uint64_t waiting = r->cache->rows_waiting;
	if (!writer_stop(r->writer, deadline_ms))
		log_info("rrd: %llu of %llu rows are left to the journal", (unsigned long long)r->cache->rows_waiting,
			 (unsigned long long)waiting);
	while (recorder_event(r).kind != RECORDER_NOTHING)
		;
	undo_close();
	journal_close(r->journal);
	cache_free(r->cache);
	pthread_cond_destroy(&r->ordered);
	pthread_mutex_destroy(&r->lock);
	free(r);
}
