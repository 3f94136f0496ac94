/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The public face of the store: requests go to one thread, which takes all that wait at once; their replies come back
 * to the loop in the order of the calls. The engine and the jobs call it through store.h. */
#include "store/store.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/queue.h"
#include "store/sqlite.h"

#define TROUBLE_MAX 4400

struct store {
	/* the loop's own */
	struct loop_fd *watch;
	size_t pending;
	bool closing;
	struct request_list ready;
	char trouble[TROUBLE_MAX];
	bool takes_writes;
	/* the thread's own */
	struct sqlite_engine *engine;
	/* shared under the lock */
	pthread_mutex_t lock;
	pthread_cond_t work, done;
	struct request_list waiting, finished;
	char new_trouble[TROUBLE_MAX];
	bool new_takes_writes;
	bool stop;
	/* fixed */
	int wake_fd;
	pthread_t thread;
};

static void *store_thread(void *arg)
{
	struct store *s = arg;
	uint64_t one = 1;

	for (;;) {
		struct request_list batch = {0};
		pthread_mutex_lock(&s->lock);
		while (!s->waiting.first && !s->stop)
			pthread_cond_wait(&s->work, &s->lock);
		request_move(&batch, &s->waiting);
		pthread_mutex_unlock(&s->lock);
		if (!batch.first)
			return NULL;
		sqlite_engine_run(s->engine, batch.first);
		pthread_mutex_lock(&s->lock);
		request_move(&s->finished, &batch);
		text_copy(s->new_trouble, sizeof s->new_trouble, sqlite_engine_trouble(s->engine));
		s->new_takes_writes = sqlite_engine_takes_writes(s->engine);
		pthread_cond_signal(&s->done);
		pthread_mutex_unlock(&s->lock);
		if (write(s->wake_fd, &one, sizeof one) < 0)
			continue; /* the counter is full, so the loop is awake already */
	}
}

/* Callbacks may call the store again: each request leaves the list before it is answered. */
static void deliver(struct store *s)
{
	struct request *r;

	pthread_mutex_lock(&s->lock);
	request_move(&s->ready, &s->finished);
	text_copy(s->trouble, sizeof s->trouble, s->new_trouble);
	s->takes_writes = s->new_takes_writes;
	pthread_mutex_unlock(&s->lock);
	while ((r = request_take(&s->ready))) {
		s->pending--;
		if (r->done)
			r->done(r->arg, &r->reply);
		request_free(r);
	}
}

static void on_finished(void *arg, int what)
{
	struct store *s = arg;
	uint64_t count;

	(void)what;
	if (read(s->wake_fd, &count, sizeof count) == sizeof count)
		deliver(s);
}

/* Signals belong to the loop's thread. */
static int start_thread(struct store *s)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&s->thread, NULL, store_thread, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

struct store *store_open(struct loop *loop, const char *url)
{
	static const char scheme[] = "sqlite:";
	struct store *s;
	int rc;

	if (strncmp(url, scheme, sizeof scheme - 1) != 0 || url[sizeof scheme - 1] != '/') {
		log_error("store %s: not an address of a store: write sqlite:/absolute/path", url);
		return NULL;
	}
	s = mem_zalloc(sizeof *s);
	s->engine = sqlite_engine_open(url + sizeof scheme - 1);
	if (!s->engine) {
		free(s);
		return NULL;
	}
	text_copy(s->trouble, sizeof s->trouble, sqlite_engine_trouble(s->engine));
	s->takes_writes = sqlite_engine_takes_writes(s->engine);
	s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->work, NULL);
	pthread_cond_init(&s->done, NULL);
	rc = s->wake_fd < 0 ? errno : start_thread(s);
	if (rc) {
		log_error("store %s: no descriptor or thread (%s): raise the limits", url, strerror(rc));
		if (s->wake_fd >= 0)
			close(s->wake_fd);
		sqlite_engine_close(s->engine);
		free(s);
		return NULL;
	}
	s->watch = loop_fd_add(loop, s->wake_fd, LOOP_READ, on_finished, s);
	return s;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	s->closing = true;
	while (s->pending) {
		pthread_mutex_lock(&s->lock);
		while (!s->finished.first)
			pthread_cond_wait(&s->done, &s->lock);
		pthread_mutex_unlock(&s->lock);
		deliver(s);
	}
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	loop_fd_remove(s->watch);
	close(s->wake_fd);
	sqlite_engine_close(s->engine);
	pthread_cond_destroy(&s->work);
	pthread_cond_destroy(&s->done);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static void submit(struct store *s, struct request *r, store_done *done, void *arg)
{
	r->done = done;
	r->arg = arg;
	if (s->closing && r->refused == STORE_OK)
		r->refused = STORE_UNAVAILABLE;
	s->pending++;
	pthread_mutex_lock(&s->lock);
	request_append(&s->waiting, r);
	pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->lock);
}

void store_get(struct store *s, const char *key, store_done *done, void *arg)
{
	submit(s, request_get(key), done, arg);
}

void store_list(struct store *s, const char *prefix, const char *after, size_t limit, store_done *done, void *arg)
{
	submit(s, request_prefix(prefix, after, limit), done, arg);
}

void store_transact(struct store *s, const struct store_op *ops, size_t count, store_done *done, void *arg)
{
	submit(s, request_transact(ops, count), done, arg);
}

void store_put(struct store *s, const char *key, const char *value, store_done *done, void *arg)
{
	struct store_op op = {.key = key, .value = value ? value : "", .expect = STORE_ANY};

	store_transact(s, &op, 1, done, arg);
}

void store_delete(struct store *s, const char *key, store_done *done, void *arg)
{
	struct store_op op = {.key = key, .expect = STORE_ANY};

	store_transact(s, &op, 1, done, arg);
}

bool store_takes_commands(const struct store *s)
{
	return s->takes_writes;
}

const char *store_trouble(const struct store *s)
{
	return s->trouble;
}

size_t store_pending(const struct store *s)
{
	return s->pending;
}
