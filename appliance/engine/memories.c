/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memories of values, by the hash of their names; see memories.h. */
#include "engine/memories.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uthash.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

#define MAGIC 0x474c4f5259304c4dull
#define FILE_MAX (256u << 20)
#define SAVE_MS 900000
#define SAY_AGAIN_MS 600000
#define FORGOTTEN_MS (8ll * 86400000) /* a value that was not seen for so long has no memory */

struct entry {
	uint64_t key;
	struct level_memory *memory;
	int64_t last_ms;  /* monotonic: the newest value, or when it was first looked for */
	int64_t told_ms;
	int64_t wall_ms;  /* of the newest value */
	UT_hash_handle hh;
};

struct head {
	uint64_t magic, size, hash; /* size of all behind the head, and its FNV-1a */
	uint32_t count, version;
};

struct record {
	uint64_t key;
	int64_t wall_ms;
	uint64_t size; /* of the memory behind it */
};

/* One writing: made by the engine, done by a thread of its own, so that a slow disk delays nothing. */
struct writing {
	pthread_t thread;
	atomic_bool done;
	char path[PATH_MAX];
	char *bytes;
	size_t size;
	int error;
};

struct memories {
	struct entry *all;
	struct writing *writing;
	int64_t saved_ms;
};
static struct memories memories;

/* --- which --------------------------------------------------------------------------------------------- */
static uint64_t key_of(const struct engine *e, uint32_t slot, const char *item, const char *instance)
{
	char name[3 * NAME_SIZE];

	text_format(name, sizeof name, "%s\n%s\n%s", e->model.nodes[slot].config.head.name, item, instance);
	return text_hash(name, strlen(name));
}

static struct entry *entry_of(struct engine *e, uint32_t slot, const char *item, const char *instance, bool add)
{
	uint64_t key = key_of(e, slot, item, instance);
	struct entry *x;

	HASH_FIND(hh, memories.all, &key, sizeof key, x);
	if (x || !add)
		return x;
	x = mem_zalloc(sizeof *x);
	x->key = key;
	x->memory = level_memory_new();
	x->last_ms = clock_mono_ms();
	HASH_ADD(hh, memories.all, key, sizeof x->key, x);
	return x;
}

struct level_memory *memories_of(struct engine *e, uint32_t slot, const char *item, const char *instance, const struct level_rules *rules,
				 bool value)
{
	struct entry *x = level_remembers(rules) ? entry_of(e, slot, item, instance, true) : NULL;

	if (x && value) {
		x->last_ms = clock_mono_ms();
		x->wall_ms = clock_wall_ms();
	}
	return x ? x->memory : NULL;
}

int64_t memories_quiet_ms(struct engine *e, uint32_t slot, const char *item, const char *instance, const struct level_rules *rules)
{
	const struct node_state *s = e->nodes[slot];
	const struct judge_verdict *v = &s->verdict;
	bool answers = s->judged && !e->suspended && !s->booting &&
		       (v->verdict == VERDICT_UP || v->verdict == VERDICT_AGENT_SLOW || v->verdict == VERDICT_BMC_LOST);
	struct entry *x = answers && level_no_data_ms(rules) ? entry_of(e, slot, item, instance, true) : NULL;

	if (!x)
		return 0;
	int64_t since = x->last_ms > v->since ? x->last_ms : v->since;
	return clock_mono_ms() - (since > e->hearing_since_ms ? since : e->hearing_since_ms);
}

bool memories_say_again(struct engine *e, uint32_t slot, const char *item, const char *instance)
{
	struct entry *x = entry_of(e, slot, item, instance, false);
	int64_t now = clock_mono_ms();

	if (!x || now - x->told_ms < SAY_AGAIN_MS)
		return false;
	x->told_ms = now;
	return true;
}

/* --- the file ------------------------------------------------------------------------------------------ */
static void path_of(const struct engine *e, char out[PATH_MAX])
{
	const char *path = strstr(e->settings.store_url, ":/"), *slash;

	path = path ? path + 1 : e->settings.store_url;
	slash = strrchr(path, '/');
	text_format(out, PATH_MAX, "%.*slevels.memory", slash ? (int)(slash - path + 1) : 0, path);
}

static void put(char **at, const void *bytes, size_t size)
{
	memcpy(*at, bytes, size);
	*at += size;
}

static char *gather(size_t *size)
{
	struct head head = {.magic = MAGIC, .version = 1};
	struct entry *x, *next;

	HASH_ITER(hh, memories.all, x, next)
	{
		head.size += sizeof(struct record) + level_memory_saved(x->memory);
		head.count++;
	}
	char *bytes = mem_zalloc(sizeof head + head.size), *at = bytes + sizeof head;
	HASH_ITER(hh, memories.all, x, next)
	{
		struct record r = {x->key, x->wall_ms, level_memory_saved(x->memory)};
		put(&at, &r, sizeof r);
		level_memory_save(x->memory, at);
		at += r.size;
	}
	*size = sizeof head + head.size;
	head.hash = text_hash(bytes + sizeof head, head.size);
	memcpy(bytes, &head, sizeof head);
	return bytes;
}

/* Beside the old one first: a crash leaves one of them whole. */
static void *write_file(void *arg)
{
	struct writing *w = arg;
	char temporary[PATH_MAX];
	int fd = -1;

	if (!text_format(temporary, sizeof temporary, "%s.new", w->path))
		w->error = ENAMETOOLONG;
	else if ((fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600)) < 0)
		w->error = errno;
	else
		w->error = !bytes_write(fd, w->bytes, w->size) || fsync(fd) ? (errno ? errno : ENOSPC) : 0;
	if (fd >= 0)
		close(fd);
	if (!w->error && rename(temporary, w->path))
		w->error = errno;
	if (w->error && fd >= 0)
		unlink(temporary);
	atomic_store(&w->done, true);
	return NULL;
}

static void finish_writing(void)
{
	struct writing *w = memories.writing;

	pthread_join(w->thread, NULL);
	if (w->error)
		log_warning("%s: cannot be written (%s): trends of values would begin anew after a restart", w->path, strerror(w->error));
	free(w->bytes);
	free(w);
	memories.writing = NULL;
}

static void forget_old(void)
{
	int64_t now = clock_mono_ms();
	struct entry *x, *next;

	HASH_ITER(hh, memories.all, x, next)
	{
		if (now - x->last_ms < FORGOTTEN_MS)
			continue;
		HASH_DEL(memories.all, x);
		level_memory_free(x->memory);
		free(x);
	}
}

static void begin_writing(struct engine *e)
{
	struct writing *w;

	memories.saved_ms = clock_mono_ms();
	forget_old();
	if (!memories.all)
		return;
	w = mem_zalloc(sizeof *w);
	path_of(e, w->path);
	w->bytes = gather(&w->size);
	if (w->size <= FILE_MAX && pthread_create(&w->thread, NULL, write_file, w) == 0) {
		memories.writing = w;
		return;
	}
	free(w->bytes);
	free(w);
}

void memories_tick(struct engine *e)
{
	if (memories.writing && atomic_load(&memories.writing->done))
		finish_writing();
	if (!memories.writing && clock_mono_ms() - memories.saved_ms >= SAVE_MS)
		begin_writing(e);
}

void memories_stop(struct engine *e)
{
	if (memories.writing)
		finish_writing();
	begin_writing(e);
	if (memories.writing)
		finish_writing();
}

/* --- at start ------------------------------------------------------------------------------------------ */
static bool take_records(const char *at, size_t size, uint32_t count)
{
	int64_t mono = clock_mono_ms(), wall = clock_wall_ms();

	for (uint32_t i = 0; i < count; i++) {
		struct record r;
		struct level_memory *m;
		struct entry *x;
		if (size < sizeof r)
			return false;
		memcpy(&r, at, sizeof r);
		if (r.size > size - sizeof r || !(m = level_memory_load(at + sizeof r, r.size)))
			return false;
		at += sizeof r + r.size;
		size -= sizeof r + r.size;
		HASH_FIND(hh, memories.all, &r.key, sizeof r.key, x);
		if (x || (wall > r.wall_ms && wall - r.wall_ms > FORGOTTEN_MS)) {
			level_memory_free(m);
			continue;
		}
		x = mem_zalloc(sizeof *x);
		*x = (struct entry){.key = r.key, .memory = m, .last_ms = mono, .wall_ms = r.wall_ms};
		HASH_ADD(hh, memories.all, key, sizeof x->key, x);
	}
	return size == 0;
}

static char *read_file(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char *bytes = NULL;
	struct stat st;

	*size = 0;
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= (off_t)sizeof(struct head) && st.st_size <= (off_t)FILE_MAX) {
		bytes = mem_zalloc((size_t)st.st_size);
		while (*size < (size_t)st.st_size) {
			ssize_t n = read(fd, bytes + *size, (size_t)st.st_size - *size);
			if (n <= 0)
				break;
			*size += (size_t)n;
		}
	}
	close(fd);
	return bytes;
}

void memories_load(struct engine *e)
{
	char path[PATH_MAX];
	struct head head = {0};
	struct stat st;
	size_t size;

	path_of(e, path);
	memories.saved_ms = clock_mono_ms();
	char *bytes = read_file(path, &size);
	if (!bytes && lstat(path, &st) && errno == ENOENT)
		return; /* the first start */
	bool sound = bytes && size >= sizeof head;
	if (sound)
		memcpy(&head, bytes, sizeof head);
	sound = sound && head.magic == MAGIC && head.version == 1 && head.size == size - sizeof head &&
		head.hash == text_hash(bytes + sizeof head, head.size) && take_records(bytes + sizeof head, head.size, head.count);
	if (sound)
		log_info("%s: trends of %u values, %zu bytes", path, HASH_COUNT(memories.all), size);
	else
		log_warning("%s: is not readable: trends of values begin anew", path);
	free(bytes);
}
