/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The row ring between engine and recorder. Both ends keep their own position and take the other's only when it can be
 * true, so neither can lead the other outside the segment or into an endless loop. */
#include "board/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "board/messages.h"

#define RING_MAGIC 0x31676e6972796c67u /* "glyring1" */
#define RING_BYTES_MIN (size_t)4096
#define RING_BYTES_MAX ((size_t)1 << 32)
#define ROW_WORDS_MAX (sizeof(struct ring_row) / 8 + SERIES_DS_MAX)

/* At the start of the segment; positions count words since the ring was made and never fall. */
struct ring_header {
	uint64_t magic;
	uint64_t words; /* of data, a power of two */
	uint64_t pad[6];
	_Atomic uint64_t head; /* written by the producer alone */
	_Atomic uint64_t lost;
	uint64_t pad2[6];
	_Atomic uint64_t tail; /* written by the consumer alone */
	uint64_t pad3[7];
	_Atomic uint64_t data[];
};

struct ring {
	int fd;
	struct ring_header *header;
	size_t bytes; /* of the map */
	uint64_t words;
	uint64_t own;  /* producer: head. consumer: position after the row given last */
	uint64_t peer; /* producer: the consumer's tail as last believed */
	uint64_t row[ROW_WORDS_MAX];
};

_Static_assert(sizeof(struct ring_row) == 16, "a row's head is two words");

static struct ring *ring_new(int fd, void *base, size_t bytes, uint64_t words)
{
	struct ring *r = mem_zalloc(sizeof *r);

	r->fd = fd;
	r->header = base;
	r->bytes = bytes;
	r->words = words;
	return r;
}

struct ring *ring_create(size_t bytes)
{
	size_t room = RING_BYTES_MIN;

	if (bytes > RING_BYTES_MAX)
		return NULL;
	while (room < bytes)
		room *= 2;
	size_t whole = sizeof(struct ring_header) + room;
	int fd = memfd_create("glory-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return NULL;
	void *base = MAP_FAILED;
	if (ftruncate(fd, (off_t)whole) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		base = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED) {
		log_error("row ring: cannot make %zu bytes: %s", whole, strerror(errno));
		close(fd);
		return NULL;
	}
	struct ring *r = ring_new(fd, base, whole, room / 8);
	r->header->words = r->words;
	r->header->magic = RING_MAGIC;
	return r;
}

static const char *check(int fd, size_t *bytes)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & (F_SEAL_SHRINK | F_SEAL_GROW)) != (F_SEAL_SHRINK | F_SEAL_GROW))
		return "its size is not sealed";
	if (fstat(fd, &st) != 0 || st.st_size < (off_t)(sizeof(struct ring_header) + RING_BYTES_MIN) ||
	    st.st_size > (off_t)(sizeof(struct ring_header) + RING_BYTES_MAX))
		return "its size is none of a ring";
	*bytes = (size_t)st.st_size;
	return NULL;
}

struct ring *ring_map(int fd, int writable)
{
	size_t bytes = 0;
	void *base = MAP_FAILED;
	const struct ring_header *h;
	const char *why = check(fd, &bytes);

	if (!why &&
	    (base = mmap(NULL, bytes, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED, fd, 0)) == MAP_FAILED)
		why = strerror(errno);
	h = base;
	uint64_t words = why ? 0 : h->words; /* read once: the other side may change it */
	if (!why && (h->magic != RING_MAGIC || words == 0 || (words & (words - 1)) || words > RING_BYTES_MAX / 8 ||
		     sizeof *h + words * 8 != bytes))
		why = "it is no row ring of this version";
	if (why) {
		log_error("row ring: cannot use the segment: %s", why);
		if (base != MAP_FAILED)
			munmap(base, bytes);
		close(fd);
		return NULL;
	}
	struct ring *r = ring_new(fd, base, bytes, words);
	r->own = atomic_load_explicit(&r->header->tail, memory_order_acquire);
	return r;
}

int ring_fd(const struct ring *r)
{
	return r->fd;
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	munmap(r->header, r->bytes);
	close(r->fd);
	free(r);
}

static _Atomic uint64_t *word(struct ring *r, uint64_t position)
{
	return &r->header->data[position & (r->words - 1)];
}

bool ring_put(struct ring *r, uint32_t series, int64_t time_s, const double *values, uint32_t count)
{
	uint64_t need = sizeof(struct ring_row) / 8 + count, row[2];
	struct ring_row head = {.series = series, .count = count, .time_s = time_s};
	uint64_t tail = atomic_load_explicit(&r->header->tail, memory_order_acquire);

	if (tail >= r->peer && tail <= r->own)
		r->peer = tail; /* else it cannot be true: the ring stays as full as it was */
	if (count > SERIES_DS_MAX || r->own - r->peer + need > r->words) {
		atomic_fetch_add_explicit(&r->header->lost, 1, memory_order_relaxed);
		return false;
	}
	memcpy(row, &head, sizeof row);
	atomic_store_explicit(word(r, r->own), row[0], memory_order_relaxed);
	atomic_store_explicit(word(r, r->own + 1), row[1], memory_order_relaxed);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t bits;
		memcpy(&bits, &values[i], sizeof bits);
		atomic_store_explicit(word(r, r->own + 2 + i), bits, memory_order_relaxed);
	}
	r->own += need;
	atomic_store_explicit(&r->header->head, r->own, memory_order_release);
	return true;
}

/* What stands in the ring cannot be rows: everything up to the producer's position is given up. */
static const struct ring_row *give_up(struct ring *r, uint64_t head, const char *why)
{
	log_error("row ring: %s: %llu bytes of rows skipped", why, (unsigned long long)(head - r->own) * 8);
	r->own = head;
	return NULL;
}

const struct ring_row *ring_next(struct ring *r)
{
	uint64_t head = atomic_load_explicit(&r->header->head, memory_order_acquire), here = head - r->own;
	struct ring_row row;

	if (here == 0)
		return NULL;
	if (here > r->words)
		return give_up(r, head, "positions contradict each other");
	if (here < sizeof row / 8)
		return give_up(r, head, "half a row");
	for (size_t i = 0; i < sizeof row / 8; i++)
		r->row[i] = atomic_load_explicit(word(r, r->own + i), memory_order_relaxed);
	memcpy(&row, r->row, sizeof row);
	if (row.count > SERIES_DS_MAX || row.count + sizeof row / 8 > here)
		return give_up(r, head, "a row is longer than it can be");
	for (uint32_t i = 0; i < row.count; i++)
		r->row[2 + i] = atomic_load_explicit(word(r, r->own + 2 + i), memory_order_relaxed);
	r->own += sizeof row / 8 + row.count;
	return (const struct ring_row *)(const void *)r->row;
}

void ring_done(struct ring *r)
{
	atomic_store_explicit(&r->header->tail, r->own, memory_order_release);
}

uint64_t ring_waiting(const struct ring *r)
{
	uint64_t head = atomic_load_explicit(&r->header->head, memory_order_acquire);
	uint64_t tail = atomic_load_explicit(&r->header->tail, memory_order_acquire);

	return head >= tail && head - tail <= r->words ? (head - tail) * 8 : 0;
}

uint64_t ring_lost(const struct ring *r)
{
	return atomic_load_explicit(&r->header->lost, memory_order_relaxed);
}
