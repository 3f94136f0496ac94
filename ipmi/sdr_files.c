/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The worker at the cache files; see sdr_files.h. One lock guards the queue and what the worker is at; no file is touched under it. */
#include "ipmi/sdr_files.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

#define END_MS 1000

struct sdr_load { /* an order to read, or to write */
	struct sdr_files *files;
	struct sdr_load *next;
	struct sdr_key key;
	uint8_t *content; /* to be written; or what was read */
	size_t size;
	bool write;
	bool done, abandoned; /* under the lock */
};

struct sdr_files {
	char directory[256];
	bool started;
	unsigned loads;  /* open ones; the loop's */
	struct log_damper damper;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ordered, ended;
	/* under the lock */
	struct sdr_load *first, **last;
	unsigned saves;       /* waiting or at work */
	int64_t busy_since_ms; /* at one file; 0: at none */
	bool stopping, gone;
	bool left; /* the loop waits for it no more: it frees all when it ends */
};

struct sdr_files *sdr_files_new(const char *directory)
{
	struct sdr_files *f = mem_zalloc(sizeof(*f));
	pthread_condattr_t attr;

	text_copy(f->directory, sizeof(f->directory), directory);
	f->last = &f->first;
	pthread_mutex_init(&f->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&f->ordered, NULL);
	pthread_cond_init(&f->ended, &attr);
	pthread_condattr_destroy(&attr);
	return f;
}

static void order_free(struct sdr_load *o)
{
	free(o->content);
	free(o);
}

static void files_free(struct sdr_files *f)
{
	pthread_mutex_destroy(&f->lock);
	pthread_cond_destroy(&f->ordered);
	pthread_cond_destroy(&f->ended);
	free(f);
}

/* --- the disk's side ------------------------------------------------------------------------------- */

static void carry_out(const struct sdr_files *f, struct sdr_load *o)
{
	if (o->write)
		sdr_file_write(f->directory, &o->key, o->content, o->size);
	else
		o->content = sdr_file_read(f->directory, &o->key, &o->size);
}

/* Waits for an order; NULL: it is to end, and there is none left. */
static struct sdr_load *next_order(struct sdr_files *f)
{
	pthread_mutex_lock(&f->lock);
	while (!f->first && !f->stopping)
		pthread_cond_wait(&f->ordered, &f->lock);
	struct sdr_load *o = f->first;
	if (o) {
		f->first = o->next;
		if (!f->first)
			f->last = &f->first;
		f->busy_since_ms = clock_mono_ms();
	}
	pthread_mutex_unlock(&f->lock);
	return o;
}

static void *work(void *arg)
{
	struct sdr_files *f = arg;
	struct sdr_load *o;

	while ((o = next_order(f))) {
		carry_out(f, o);
		pthread_mutex_lock(&f->lock);
		f->busy_since_ms = 0;
		f->saves -= o->write;
		o->done = true;
		bool mine = o->write || o->abandoned;
		pthread_mutex_unlock(&f->lock);
		if (mine)
			order_free(o);
	}
	pthread_mutex_lock(&f->lock);
	bool left = f->left;
	f->gone = true;
	pthread_cond_signal(&f->ended);
	pthread_mutex_unlock(&f->lock);
	if (left)
		files_free(f);
	return NULL;
}

/* --- the loop's side ------------------------------------------------------------------------------- */

bool sdr_files_start(struct sdr_files *f)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals belong to the loop's thread */
	int rc = pthread_create(&f->thread, NULL, work, f);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	f->started = rc == 0;
	if (rc)
		log_error("sensor records: no thread can be made for their files: %s", strerror(rc));
	return f->started;
}

/* True: the worker has ended, all is done. A disk that stands still keeps it: it is left behind. */
static bool wait_for_end(struct sdr_files *f)
{
	int64_t until = clock_mono_ms() + END_MS;
	struct timespec ts = {.tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000};
	int rc = 0;

	pthread_mutex_lock(&f->lock);
	f->stopping = true;
	pthread_cond_signal(&f->ordered);
	while (!f->gone && rc == 0)
		rc = pthread_cond_timedwait(&f->ended, &f->lock, &ts);
	bool gone = f->gone;
	f->left = !gone;
	if (!gone) {
		pthread_detach(f->thread);
		log_warning("%s/sdr: the disk stands still: sensor records that wait for it are not kept", f->directory);
	}
	pthread_mutex_unlock(&f->lock);
	return gone;
}

void sdr_files_free(struct sdr_files *f)
{
	if (!f)
		return;
	if (f->started && !wait_for_end(f))
		return;
	if (f->started)
		pthread_join(f->thread, NULL);
	files_free(f);
}

static void give(struct sdr_files *f, struct sdr_load *o)
{
	if (!f->started) {
		carry_out(f, o);
		o->done = true;
		if (o->write)
			order_free(o);
		return;
	}
	pthread_mutex_lock(&f->lock);
	f->saves += o->write;
	*f->last = o;
	f->last = &o->next;
	pthread_cond_signal(&f->ordered);
	pthread_mutex_unlock(&f->lock);
}

enum sdr_loading sdr_files_load(struct sdr_files *f, const struct sdr_key *key, struct sdr_load **load)
{
	pthread_mutex_lock(&f->lock);
	bool done = *load && (*load)->done;
	bool stalled = f->busy_since_ms && clock_mono_ms() - f->busy_since_ms >= SDR_STALLED_MS;
	pthread_mutex_unlock(&f->lock);
	if (done || stalled)
		return done ? SDR_LOADED : SDR_STALLED;
	if (*load || f->loads >= SDR_LOADS_MAX)
		return SDR_WAIT;
	*load = mem_zalloc(sizeof(**load));
	(*load)->files = f;
	(*load)->key = *key;
	f->loads++;
	give(f, *load);
	return f->started ? SDR_WAIT : SDR_LOADED;
}

const uint8_t *sdr_load_content(const struct sdr_load *load, size_t *size)
{
	*size = load->size;
	return load->content;
}

void sdr_load_end(struct sdr_load **load)
{
	struct sdr_load *l = *load;

	*load = NULL;
	if (!l)
		return;
	struct sdr_files *f = l->files;
	f->loads--;
	pthread_mutex_lock(&f->lock);
	bool mine = l->done;
	l->abandoned = true;
	pthread_mutex_unlock(&f->lock);
	if (mine)
		order_free(l);
}

bool sdr_files_save(struct sdr_files *f, const struct sdr_key *key, const uint8_t *content, size_t size)
{
	unsigned held;

	pthread_mutex_lock(&f->lock);
	bool room = f->saves < SDR_SAVES_MAX;
	pthread_mutex_unlock(&f->lock);
	if (!room) {
		if (log_damper_pass(&f->damper, clock_mono_ms(), &held))
			log_warning("%s/sdr: the disk does not keep up: sensor records are not kept, and read from BMCs again next time (%u before)",
				    f->directory, held);
		return false;
	}
	struct sdr_load *o = mem_zalloc(sizeof(*o));
	o->files = f;
	o->key = *key;
	o->write = true;
	o->size = size;
	o->content = mem_zalloc(size + 1);
	memcpy(o->content, content, size);
	give(f, o);
	return true;
}
