/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The writer thread; see writer.h. Holds the cache's lock for bookkeeping only, never over a call of librrd. */
#include "rrd/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "rrd/layout.h"

#define NICE 10 /* files can wait, whoever polls cannot */
#define MS_PER_FILE 50      /* up to the usual round: thirty rows of 10 s in each call */
#define MS_PER_FILE_MANY 5  /* the writer's pace beyond 60,000 files */
#define ROUND_USUAL_MS 300000
#define BASE_SHARE 8 /* the first eighth of the round makes the files of the machines, the rest those of their parts */
#define ROUND_MIN_MS 60000
#define ROUND_MAX_MS 600000
#define CREATIONS_PER_S 300
#define RETRY_MIN_MS 10000
#define RETRY_MAX_MS 600000
#define FEW_SERIES 1000 /* so many are looked at after each write, more once a second */
#define SPACE_CHECK_MS 2000
#define TICK_MS 100 /* what is due meanwhile is written together: hundreds of files a second are ten wakes */
#define HOPELESS_MS (INT64_C(1) << 40)

struct flush {
	struct flush *next;
	uint64_t request;
	uint32_t slot;
};

struct writer {
	struct writer_setup setup;
	char *directory;
	struct cache *cache;
	pthread_t thread;
	/* under the cache's lock */
	struct flush *flushes, **flush_tail;
	bool stopping;
	int64_t stop_ms;
	struct writer_stats stats;
	/* the thread's own */
	int64_t second_ms, space_checked_ms, failing_checked_ms;
	unsigned made_in_second;
	struct log_damper damper;
};

int64_t writer_round_ms(uint32_t files)
{
	int64_t few = (int64_t)files * MS_PER_FILE, many = (int64_t)files * MS_PER_FILE_MANY;
	int64_t round = many > ROUND_USUAL_MS ? many : few < ROUND_USUAL_MS ? few : ROUND_USUAL_MS;

	return round < ROUND_MIN_MS ? ROUND_MIN_MS : round > ROUND_MAX_MS ? ROUND_MAX_MS : round;
}

static int64_t round_of(const struct cache *c, const struct series *s)
{
	int64_t round = writer_round_ms(c->count), two = (int64_t)s->step_s * 2000;

	return round > two ? round : two;
}

int64_t writer_first_due_ms(const struct cache *c, const struct series *s, int64_t now_ms)
{
	int64_t round = round_of(c, s), first = round / BASE_SHARE;
	const char *file = strrchr(s->path, '/');
	uint64_t hash = text_hash(s->path, strlen(s->path));

	if (s->due_ms) { /* its place in the round stays */
		int64_t next = s->due_ms + round;
		return next < now_ms ? now_ms : next > now_ms + round ? now_ms + round : next;
	}
	if (file && !strcmp(file, "/base.rrd"))
		return now_ms + (int64_t)(hash % (uint64_t)first);
	return now_ms + first + (int64_t)(hash % (uint64_t)(round - first));
}

/* --- the disk --- */
static void check_space(struct writer *w, int64_t now_ms)
{
	struct statvfs v;

	if (w->space_checked_ms && now_ms - w->space_checked_ms < SPACE_CHECK_MS)
		return;
	w->space_checked_ms = now_ms;
	if (statvfs(w->directory, &v) == 0)
		w->stats.free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
}

static bool has_room(struct writer *w, const struct series *s, int64_t now_ms)
{
	check_space(w, now_ms);
	return w->stats.free_bytes > w->setup.reserve_bytes + layout_bytes(s->step_s, s->count);
}

static void complain(struct writer *w, const struct series *s, const char *why)
{
	unsigned held;

	w->stats.failures++;
	text_format(w->stats.trouble, sizeof w->stats.trouble, "%s: %s", s->path, why);
	if (log_damper_pass(&w->damper, clock_mono_ms(), &held))
		log_error("rrd: %s: %s: rows stay in memory and journal (%u more complaints held back)", s->path, why,
			  held);
}

static void all_well(struct writer *w)
{
	if (w->stats.disk == DISK_WELL)
		return;
	log_info("rrd: %s: takes rows again", w->directory);
	w->stats.disk = DISK_WELL;
	w->stats.trouble[0] = 0;
	w->damper = (struct log_damper){0};
}

/* While one file cannot be written, another one's success proves nothing about it. Under the lock. */
static bool none_fails(struct writer *w, int64_t now_ms)
{
	if (w->cache->count > FEW_SERIES && now_ms - w->failing_checked_ms < 1000)
		return false;
	w->failing_checked_ms = now_ms;
	for (uint32_t i = 0; i < w->cache->count; i++)
		if (w->cache->all[i]->retry_gap_ms)
			return false;
	return true;
}

/* --- one series --- */
struct outcome {
	enum file_result result;
	uint32_t written;
	bool created, no_file, later; /* later: this second has made its files */
	bool first;                   /* this life had not looked at the file before */
	char why[160];
};

static void prepare(struct writer *w, struct series *s, const struct file_series *f, int64_t first_s, int64_t now_ms,
		    struct outcome *o)
{
	bool moved = false;

	if (file_exists(f->path)) {
		o->result = file_look(f, first_s, &s->file, &moved, o->why, sizeof o->why);
		if (!moved)
			return;
	}
	o->no_file = true;
	if (now_ms - w->second_ms >= 1000) {
		w->second_ms = now_ms;
		w->made_in_second = 0;
	}
	o->later = w->made_in_second >= CREATIONS_PER_S && !w->stopping;
	if (o->later)
		return;
	if (!has_room(w, s, now_ms)) {
		text_copy(o->why, sizeof o->why, "the disk is full: no new files are begun: make room");
		o->result = FILE_FULL;
		return;
	}
	o->result = file_create(f, first_s, &s->file, o->why, sizeof o->why);
	if (o->result == FILE_WRITTEN) {
		w->made_in_second++;
		w->stats.free_bytes -= layout_bytes(
		    s->step_s, s->count); /* the disk is asked every other second only; has_room() saw to it */
		o->created = true;
		if (!s->file.known)
			o->result = file_look(f, first_s, &s->file, &moved, o->why, sizeof o->why);
	}
}

static void write_block(struct writer *w, struct series *s, const struct row_block *b, int64_t now_ms,
			struct outcome *o)
{
	char *path = mem_format("%s/%s", w->directory, s->path);
	struct file_series f = {
	    .path = path, .step_s = s->step_s, .count = s->count, .names = (const char(*)[NAMES_SOURCE_SIZE])s->names};

	*o = (struct outcome){.result = s->file.hopeless ? FILE_HOPELESS : FILE_WRITTEN};
	if (o->result == FILE_WRITTEN && !s->file.known) {
		file_forget(&s->file);
		o->first = true;
		prepare(w, s, &f, b->rows[0].time_s, now_ms, o);
	}
	if (o->result == FILE_WRITTEN && !o->later)
		o->result = file_write(&f, &s->file, b->rows, b->values, b->count, &o->written, o->why, sizeof o->why);
	free(path);
}

/* What was made in a hurry, the files of the machines before all others, spreads over the whole round. */
static int64_t second_due_ms(const struct cache *c, const struct series *s)
{
	int64_t round = round_of(c, s);

	return round / 2 + (int64_t)(text_hash(s->path, strlen(s->path)) % (uint64_t)round);
}

/* Under the lock: what the outcome means for the counts; returns when the rest is due. */
static int64_t account(struct writer *w, struct series *s, const struct outcome *o, int64_t now_ms)
{
	w->stats.rows_written += o->written;
	w->stats.files_made += o->created;
	w->stats.calls += o->result == FILE_WRITTEN && !o->later;
	if (o->later)
		return now_ms + 1000 + (int64_t)(s->number % 1000);
	if (o->result == FILE_WRITTEN) {
		s->retry_gap_ms = 0;
		if (w->stats.files_waiting && o->created)
			w->stats.files_waiting--;
		if ((w->stats.disk == DISK_FAILING && none_fails(w, now_ms)) ||
		    (w->stats.disk == DISK_FULL && (o->created || w->stats.files_waiting == 0)))
			all_well(w);
		return now_ms + (o->first ? second_due_ms(w->cache, s) : round_of(w->cache, s));
	}
	if (o->no_file && o->result == FILE_FULL && s->retry_gap_ms == 0)
		w->stats.files_waiting++;
	complain(w, s, o->why);
	w->stats.disk = o->result == FILE_FULL ? DISK_FULL : DISK_FAILING;
	s->retry_gap_ms = s->retry_gap_ms ? s->retry_gap_ms * 2 : RETRY_MIN_MS;
	if (s->retry_gap_ms > RETRY_MAX_MS)
		s->retry_gap_ms = RETRY_MAX_MS;
	return now_ms + (o->result == FILE_HOPELESS ? HOPELESS_MS : s->retry_gap_ms);
}

/* Called and returning with the lock held; releases it for the disk. */
static void write_series(struct writer *w, struct series *s)
{
	struct row_block block = cache_take(w->cache, s);
	struct outcome o;
	int64_t now_ms = clock_mono_ms();

	if (block.count == 0) {
		cache_done(w->cache, s, &block, 0, now_ms);
		return;
	}
	pthread_mutex_unlock(&w->cache->lock);
	write_block(w, s, &block, now_ms, &o);
	pthread_mutex_lock(&w->cache->lock);
	cache_done(w->cache, s, &block, o.written, account(w, s, &o, now_ms));
	pthread_cond_broadcast(&w->cache->changed); /* a replay may wait for memory */
}

/* --- the thread --- */
static void serve_flush(struct writer *w)
{
	struct flush *f = w->flushes;

	w->flushes = f->next;
	if (!w->flushes)
		w->flush_tail = &w->flushes;
	for (uint32_t i = 0; i < w->cache->count; i++) {
		struct series *s = w->cache->all[i];

		if (s->slot == f->slot && s->waiting.count > 0)
			write_series(w, s);
	}
	pthread_mutex_unlock(&w->cache->lock);
	w->setup.on_flushed(w->setup.arg, f->request);
	pthread_mutex_lock(&w->cache->lock);
	free(f);
}

static void wait_until(struct cache *c, int64_t until_ms)
{
	struct timespec ts = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};

	pthread_cond_timedwait(&c->changed, &c->lock, &ts);
}

static int64_t next_look_ms(const struct series *first, int64_t now_ms)
{
	int64_t due_ms = first && first->due_ms < now_ms + 1000 ? first->due_ms : now_ms + 1000;

	return due_ms < now_ms + TICK_MS ? now_ms + TICK_MS : due_ms;
}

static bool is_due(const struct writer *w, const struct series *first, int64_t now_ms)
{
	return first &&
	       (first->due_ms <= now_ms || (w->cache->bytes > w->setup.calm_bytes && first->retry_gap_ms == 0));
}

static void write_the_rest(struct writer *w)
{
	uint32_t tries = w->cache->heap_count;
	struct series *s;

	/* each once: one that fails is due again and stands behind the others */
	while (tries-- > 0 && (s = cache_first(w->cache)) && clock_mono_ms() < w->stop_ms) {
		cache_due(w->cache, s, INT64_MAX / 2);
		write_series(w, s);
	}
}

static void *run(void *arg)
{
	struct writer *w = arg;

	setpriority(PRIO_PROCESS, 0, NICE); /* of this thread alone, on Linux */
	pthread_mutex_lock(&w->cache->lock);
	while (!w->stopping) {
		int64_t now_ms = clock_mono_ms();
		struct series *first = cache_first(w->cache);

		if (w->flushes)
			serve_flush(w);
		else if (is_due(w, first, now_ms))
			write_series(w, first);
		else
			wait_until(w->cache, next_look_ms(first, now_ms));
	}
	while (w->flushes)
		serve_flush(w);
	write_the_rest(w);
	pthread_mutex_unlock(&w->cache->lock);
	return NULL;
}

struct writer *writer_start(const struct writer_setup *setup)
{
	struct writer *w = mem_zalloc(sizeof *w);

	w->setup = *setup;
	w->cache = setup->cache;
	w->directory = mem_strdup(setup->directory);
	w->flush_tail = &w->flushes;
	check_space(w, clock_mono_ms());
	file_guard();
	int error = pthread_create(&w->thread, NULL, run, w);
	if (error) {
		log_error("rrd: the writer's thread cannot be made: %s", strerror(error));
		free(w->directory);
		free(w);
		return NULL;
	}
	return w;
}

void writer_flush(struct writer *w, uint64_t request, uint32_t slot)
{
	struct flush *f = mem_zalloc(sizeof *f);

	f->request = request;
	f->slot = slot;
	pthread_mutex_lock(&w->cache->lock);
	*w->flush_tail = f;
	w->flush_tail = &f->next;
	pthread_cond_broadcast(&w->cache->changed);
	pthread_mutex_unlock(&w->cache->lock);
}

bool writer_stop(struct writer *w, int64_t deadline_ms)
{
	pthread_mutex_lock(&w->cache->lock);
	w->stopping = true;
	w->stop_ms = deadline_ms;
	pthread_cond_broadcast(&w->cache->changed);
	pthread_mutex_unlock(&w->cache->lock);
	pthread_join(w->thread, NULL);
	bool empty = w->cache->rows_waiting == 0;
	free(w->directory);
	free(w);
	return empty;
}

void writer_stats(struct writer *w, struct writer_stats *out)
{
	pthread_mutex_lock(&w->cache->lock);
	*out = w->stats;
	pthread_mutex_unlock(&w->cache->lock);
}
