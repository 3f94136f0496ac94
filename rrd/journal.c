/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Segments, records, replay; see journal.h. */
#include "rrd/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "rrd/sum.h"

#define MAGIC 0x316c6e6au /* "jnl1" */
#define PENDING_MAX (16u << 20)
#define IDLE_MS 60000
#define SEGMENTS_MAX 4096
#define FILE_FORMAT "rows-%08x.journal"

enum record_kind { RECORD_HEAD = 1, RECORD_SERIES, RECORD_ROW };
struct record { /* before each body; bodies are multiples of 8 bytes */
	uint32_t magic;
	uint16_t kind, pad;
	uint32_t length; /* of the body */
	uint32_t check;
};
struct head_body {
	uint32_t segment, version;
};
enum {
	VERSION_WIDE = 1, /* read only: a path takes NAMES_PATH_SIZE bytes and path_size is 0; the check goes byte by byte */
	VERSION = 2,
};
struct series_body {
	uint32_t number, slot;
	uint16_t step_s, count;
	uint32_t path_size; /* with the zero */
	char texts[];	    /* the path, the names of NAMES_SOURCE_SIZE bytes each, zeros up to 8 bytes */
};
enum { SERIES_BODY_MAX = sizeof(struct series_body) + NAMES_PATH_SIZE + SERIES_DS_MAX * NAMES_SOURCE_SIZE + 8 };

#define HEAD_BYTES (off_t)(sizeof(struct record) + sizeof(struct head_body))

struct segment {
	uint32_t id;
	bool replayed;
	int64_t idle_since_ms; /* -1: rows of it wait */
};

struct journal {
	int directory, fd;
	char *path;
	struct segment *segments; /* by id; the last is the one being written when fd >= 0 */
	unsigned count;
	uint8_t *pending; /* records that are not written yet */
	size_t pending_size, pending_room;
	off_t size;
	int64_t begun_ms;
	bool unsynced, complained;
	uint64_t lost;
};

/* A head has always the first version's: it is what tells the version. */
static uint32_t check_of(uint32_t version, const struct record *r, const void *body)
{
	uint64_t what = (uint64_t)r->kind << 32 | r->length;

	if (version != VERSION_WIDE && r->kind != RECORD_HEAD) /* the upper half of a product depends on all of its bits */
		return (uint32_t)((sum_of(body, r->length) ^ what) * 0xff51afd7ed558ccdu >> 32);
	uint64_t h = text_hash(body, r->length) ^ what;
	return (uint32_t)(h ^ h >> 32);
}

/* --- reading --- */
static size_t series_bytes(size_t path_size, size_t count)
{
	return sizeof(struct series_body) + ((path_size + count * NAMES_SOURCE_SIZE + 7) & ~(size_t)7);
}

static bool read_series(uint32_t version, const void *body, size_t length, uint32_t *number, struct series_definition *d)
{
	const struct series_body *b = body;

	if (length < sizeof *b || b->count == 0 || b->count > SERIES_DS_MAX || b->step_s == 0 || b->path_size > NAMES_PATH_SIZE)
		return false;
	size_t path_size = version == VERSION_WIDE ? NAMES_PATH_SIZE : b->path_size;
	if (length != series_bytes(path_size, b->count) || !text_terminated(b->texts, path_size) || !names_path_is_sound(b->texts))
		return false;
	*d = (struct series_definition){.slot = b->slot, .step_s = b->step_s, .count = b->count};
	text_copy(d->path, sizeof d->path, b->texts);
	memcpy(d->names, b->texts + path_size, (size_t)b->count * NAMES_SOURCE_SIZE);
	for (uint32_t i = 0; i < b->count; i++) {
		char folded[NAMES_SOURCE_SIZE];

		if (!text_terminated(d->names[i], sizeof d->names[i]) ||
		    strcmp(names_data_source(d->names[i], folded), d->names[i]) != 0)
			return false;
	}
	*number = b->number;
	return true;
}

/* What a segment has told so far. */
struct known {
	uint8_t *counts; /* of its series, by number: a row must agree */
	uint32_t room;
	uint32_t version;
};

static bool know_version(struct known *k, const struct head_body *head)
{
	k->version = head->version;
	return k->version == VERSION_WIDE || k->version == VERSION;
}

static void know(struct known *k, uint32_t number, uint16_t count)
{
	if (number >= k->room) {
		uint32_t room = k->room ? k->room : 1024;

		while (room <= number)
			room *= 2;
		k->counts = mem_grow(k->counts, room, 1);
		memset(k->counts + k->room, 0, room - k->room);
		k->room = room;
	}
	k->counts[number] = (uint8_t)count;
}

static bool read_body(const struct record *r, const void *body, uint32_t segment, struct known *known,
		      const struct journal_reader *reader)
{
	struct series_definition definition;
	const struct ring_row *row = body;
	uint32_t number;

	switch (r->kind) {
	case RECORD_HEAD:
		return r->length == sizeof(struct head_body) && know_version(known, body);
	case RECORD_SERIES:
		if (!read_series(known->version, body, r->length, &number, &definition) || number >= 1u << 21)
			return false;
		know(known, number, definition.count);
		reader->on_series(reader->arg, number, &definition);
		return true;
	case RECORD_ROW:
		if (r->length < sizeof *row || row->count == 0 || row->count > SERIES_DS_MAX ||
		    row->series >= known->room || known->counts[row->series] != row->count ||
		    r->length != sizeof *row + row->count * sizeof(double))
			return false;
		reader->on_row(reader->arg, segment, row);
		return true;
	default:
		return false;
	}
}

size_t journal_read(const uint8_t *bytes, size_t size, uint32_t segment, const struct journal_reader *reader)
{
	struct known known = {.counts = NULL};
	size_t at = 0;
	union {
		uint64_t align[1];
		uint8_t bytes[SERIES_BODY_MAX];
	} body;

	while (size - at >= sizeof(struct record)) {
		struct record r;

		memcpy(&r, bytes + at, sizeof r);
		if (r.magic != MAGIC || r.length > sizeof body || r.length > size - at - sizeof r || r.length % 8)
			break;
		memcpy(&body, bytes + at + sizeof r, r.length); /* the file may be anything: copied once, aligned */
		if (check_of(known.version, &r, &body) != r.check || (at == 0) != (r.kind == RECORD_HEAD) ||
		    !read_body(&r, &body, segment, &known, reader))
			break;
		at += sizeof r + r.length;
	}
	free(known.counts);
	return at;
}

static void keep_aside(struct journal *j, const char *name, int fd, const uint8_t *bad, size_t size)
{
	char aside[64];

	text_format(aside, sizeof aside, "%s.bad", name);
	int out = openat(j->directory, aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	bool kept = out >= 0 && write(out, bad, size) == (ssize_t)size;
	if (out >= 0)
		close(out);
	log_warning(
	    "journal: %s/%s: the last %zu bytes are no records (a write was cut off, or the disk is bad): %s %s",
	    j->path, name, size, kept ? "kept in" : "could not be kept in", aside);
	struct stat st;
	if (kept && fstat(fd, &st) == 0 && ftruncate(fd, st.st_size - (off_t)size) != 0)
		log_warning("journal: %s/%s: cannot be cut: %s", j->path, name, strerror(errno));
}

bool journal_replay(struct journal *j, const struct journal_reader *reader)
{
	char name[32];
	unsigned i = 0;
	struct stat st;

	while (i < j->count && j->segments[i].replayed)
		i++;
	if (i == j->count)
		return false;
	j->segments[i].replayed = true;
	text_format(name, sizeof name, FILE_FORMAT, j->segments[i].id);
	int fd = openat(j->directory, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) != 0) {
		log_warning("journal: %s/%s: cannot be read: %s", j->path, name, strerror(errno));
	} else if (st.st_size > 0) {
		size_t size = (size_t)st.st_size;
		void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);

		if (bytes != MAP_FAILED) {
			size_t good = journal_read(bytes, size, j->segments[i].id, reader);
			if (good < size)
				keep_aside(j, name, fd, (const uint8_t *)bytes + good, size - good);
			munmap(bytes, size);
		}
	}
	if (fd >= 0)
		close(fd);
	return true;
}

/* --- directory --- */
static int compare_segments(const void *a, const void *b)
{
	const struct segment *l = a, *r = b;

	return l->id < r->id ? -1 : l->id > r->id;
}

static void list_segments(struct journal *j)
{
	int fd = openat(j->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	char name[32];

	for (struct dirent *e; d && (e = readdir(d)) && j->count < SEGMENTS_MAX;) {
		unsigned id;

		if (sscanf(e->d_name, "rows-%8x.journal", &id) != 1 || id == 0)
			continue;
		text_format(name, sizeof name, FILE_FORMAT, id);
		if (strcmp(name, e->d_name) != 0)
			continue;
		j->segments = mem_grow(j->segments, j->count + 1, sizeof *j->segments);
		j->segments[j->count++] = (struct segment){.id = id, .idle_since_ms = -1};
	}
	if (d)
		closedir(d);
	if (j->count)
		qsort(j->segments, j->count, sizeof *j->segments, compare_segments);
}

struct journal *journal_open(const char *directory)
{
	if (mkdir(directory, 0750) != 0 && errno != EEXIST) {
		log_error("journal: %s: cannot be made: %s", directory, strerror(errno));
		return NULL;
	}
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		log_error("journal: %s: cannot be opened: %s: give it to the recorder's user", directory,
			  strerror(errno));
		return NULL;
	}
	struct journal *j = mem_zalloc(sizeof *j);
	j->directory = fd;
	j->fd = -1;
	j->path = mem_strdup(directory);
	list_segments(j);
	return j;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	if (j->fd >= 0)
		close(j->fd);
	close(j->directory);
	free(j->pending);
	free(j->segments);
	free(j->path);
	free(j);
}

unsigned journal_segments(const struct journal *j)
{
	return j->count;
}

/* --- writing --- */
static void add(struct journal *j, enum record_kind kind, const void *body, uint32_t length)
{
	struct record r = {.magic = MAGIC, .kind = (uint16_t)kind, .length = length};

	r.check = check_of(VERSION, &r, body);
	if (j->pending_room - j->pending_size < sizeof r + length) {
		j->pending_room = (j->pending_room + sizeof r + length) * 2;
		j->pending = mem_grow(j->pending, j->pending_room, 1);
	}
	memcpy(j->pending + j->pending_size, &r, sizeof r);
	memcpy(j->pending + j->pending_size + sizeof r, body, length);
	j->pending_size += sizeof r + length;
}

void journal_add_series(struct journal *j, uint32_t number, const struct series_definition *d)
{
	_Alignas(struct series_body) uint8_t bytes[SERIES_BODY_MAX];
	struct series_body *b = (void *)bytes;
	size_t path_size = strlen(d->path) + 1, names = (size_t)d->count * NAMES_SOURCE_SIZE, length = series_bytes(path_size, d->count);

	*b = (struct series_body){
	    .number = number, .slot = d->slot, .step_s = d->step_s, .count = d->count, .path_size = (uint32_t)path_size};
	memcpy(b->texts, d->path, path_size);
	memcpy(b->texts + path_size, d->names, names);
	memset(b->texts + path_size + names, 0, length - sizeof *b - path_size - names);
	add(j, RECORD_SERIES, b, (uint32_t)length);
}

void journal_add_row(struct journal *j, uint32_t number, const struct ring_row *row)
{
	union {
		struct ring_row row;
		uint8_t bytes[sizeof(struct ring_row) + SERIES_DS_MAX * sizeof(double)];
	} copy;
	size_t length = sizeof *row + row->count * sizeof(double);

	memcpy(&copy, row, length);
	copy.row.series = number;
	add(j, RECORD_ROW, &copy, (uint32_t)length);
}

uint32_t journal_segment(const struct journal *j)
{
	return j->count ? j->segments[j->count - 1].id : 0;
}

static void begin_segment(struct journal *j, int64_t now_ms)
{
	uint32_t id = journal_segment(j) + 1;
	struct head_body head = {.segment = id, .version = VERSION};

	if (j->fd >= 0) {
		journal_sync(j);
		close(j->fd);
	}
	j->fd = -1; /* made at the next commit: a full disk may not let us now */
	j->size = 0;
	j->begun_ms = now_ms;
	j->segments = mem_grow(j->segments, j->count + 1, sizeof *j->segments);
	j->segments[j->count++] = (struct segment){.id = id, .replayed = true, .idle_since_ms = -1};
	add(j, RECORD_HEAD, &head, sizeof head);
}

void journal_turn(struct journal *j, int64_t now_ms)
{
	bool ours = j->begun_ms != 0;

	if (!ours || (j->pending_size == 0 && j->size > HEAD_BYTES &&
		      (j->size >= JOURNAL_SEGMENT_BYTES || now_ms - j->begun_ms >= JOURNAL_SEGMENT_MS)))
		begin_segment(j, now_ms ? now_ms : 1);
}

static int commit_failed(struct journal *j, const char *what)
{
	int error = errno;

	if (!j->complained)
		log_error("journal: %s: cannot %s: %s: rows are kept in memory until the disk takes them again",
			  j->path, what, strerror(error));
	j->complained = true;
	if (j->pending_size >
	    PENDING_MAX) { /* with definitions among them: what comes next needs a segment of its own */
		j->lost += j->pending_size;
		j->pending_size = 0;
		j->begun_ms = 0;
	}
	return error == ENOSPC || error == EDQUOT ? ERR_NO_RESOURCE : ERR_REMOTE;
}

static int open_segment(struct journal *j)
{
	char name[32];

	text_format(name, sizeof name, FILE_FORMAT, journal_segment(j));
	j->fd = openat(j->directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	return j->fd < 0 ? commit_failed(j, "begin a segment") : 0;
}

int journal_commit(struct journal *j)
{
	size_t done = 0;

	if (j->pending_size == 0)
		return 0;
	if (j->fd < 0) {
		int rc = open_segment(j);
		if (rc)
			return rc;
	}
	while (done < j->pending_size) {
		ssize_t n = pwrite(j->fd, j->pending + done, j->pending_size - done, j->size + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int rc = commit_failed(j, "write");
			if (ftruncate(j->fd, j->size) !=
			    0) /* half a record would end the replay there; the next try writes over it anyway */
				log_debug("journal: %s: cannot cut a half-written record: %s", j->path,
					  strerror(errno));
			return rc;
		}
		done += (size_t)n;
	}
	if (j->complained)
		log_info("journal: %s: takes rows again", j->path);
	j->complained = false;
	j->size += (off_t)done;
	j->pending_size = 0;
	j->unsynced = true;
	return 0;
}

int journal_sync(struct journal *j)
{
	if (!j->unsynced || j->fd < 0)
		return 0;
	j->unsynced = false;
	if (fdatasync(j->fd) == 0)
		return 0;
	if (!j->complained)
		log_error("journal: %s: fdatasync: %s: is the disk dying", j->path, strerror(errno));
	j->complained = true;
	return ERR_REMOTE;
}

uint64_t journal_lost(const struct journal *j)
{
	return j->lost;
}

static void drop_segment(struct journal *j, unsigned at)
{
	char name[32];

	text_format(name, sizeof name, FILE_FORMAT, j->segments[at].id);
	if (unlinkat(j->directory, name, 0) != 0 && errno != ENOENT)
		log_warning("journal: %s/%s: cannot be removed: %s", j->path, name, strerror(errno));
	memmove(&j->segments[at], &j->segments[at + 1], (j->count - at - 1) * sizeof *j->segments);
	j->count--;
}

void journal_reap(struct journal *j, int64_t now_ms, uint64_t (*waiting)(void *arg, uint32_t segment),
		  void (*forget)(void *arg, uint32_t segment), void *arg)
{
	for (unsigned i = 0; i + 1 < j->count;) {
		struct segment *s = &j->segments[i];

		if (!s->replayed || waiting(arg, s->id) > 0) {
			s->idle_since_ms = -1;
			i++;
		} else if (s->idle_since_ms < 0) {
			s->idle_since_ms = now_ms;
			i++;
		} else if (now_ms - s->idle_since_ms < IDLE_MS) {
			i++;
		} else {
			forget(arg, s->id);
			drop_segment(j, i);
		}
	}
}
