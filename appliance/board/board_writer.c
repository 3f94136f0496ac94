/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine's side of the board: makes the segment, publishes rows under their sequence counts, flips the sorted
 * indexes. */
#include "board/board.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "board/board_index.h"
#include "board/board_layout.h"
#include "board/board_pack.h"
#include "board/board_texts.h"

#define PEEKS 8 /* unpacked rows that board_peek() keeps */

struct board_writer {
	int fd;
	uint8_t *base;
	struct board_header *header;
	struct board_layout layout;
	struct board_index index[BOARD_TABLE_COUNT];
	struct board_texts *texts;
	union board_any_row peeked[PEEKS];
	unsigned next_peek;
};

static void *place(const struct board_writer *b, size_t offset)
{
	return b->base + offset;
}

static _Atomic uint64_t *row_words(const struct board_writer *b, enum board_table table, uint32_t slot)
{
	const struct board_place *p = &b->layout.tables[table];

	return place(b, p->row + (size_t)slot * p->row_bytes);
}

static uint32_t texts_for(const struct board_limits *limits)
{
	uint64_t rows = (uint64_t)limits->rows[BOARD_VALUE] + limits->rows[BOARD_SENSOR];
	uint64_t texts = 1024 + rows / 8;

	return texts < BOARD_TEXTS_MAX ? (uint32_t)texts : BOARD_TEXTS_MAX;
}

/* A sealed memfd of `bytes`, mapped writable before the seal that forbids further writable maps. */
static int make_segment(size_t bytes, uint8_t **base)
{
	int fd = memfd_create("glory-board", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	*base = MAP_FAILED;
	if (ftruncate(fd, (off_t)bytes) == 0)
		*base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*base != MAP_FAILED && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE) == 0)
		return fd;
	int error = errno;
	if (*base != MAP_FAILED)
		munmap(*base, bytes);
	close(fd);
	errno = error;
	return -1;
}

struct board_writer *board_create(uint32_t epoch, const struct board_limits *limits)
{
	struct board_layout layout;
	uint8_t *base;

	if (!board_layout_for(limits->rows, texts_for(limits), &layout)) {
		log_error("board: limits are out of range");
		return NULL;
	}
	int fd = make_segment(layout.bytes, &base);
	if (fd < 0) {
		log_error("board: cannot make a segment of %zu bytes: %s: give the engine more memory", layout.bytes,
			  strerror(errno));
		return NULL;
	}
	struct board_writer *b = mem_zalloc(sizeof *b);
	b->fd = fd;
	b->base = base;
	b->layout = layout;
	b->header = place(b, 0);
	b->header->bytes = layout.bytes;
	b->header->epoch = epoch;
	b->header->texts = layout.texts;
	for (int t = 0; t < BOARD_TABLE_COUNT; t++) {
		const struct board_place *p = &layout.tables[t];

		b->header->tables[t].rows = p->rows;
		board_index_init(&b->index[t], p->rows, place(b, p->index[0]), place(b, p->index[1]));
	}
	b->texts = board_texts_new(place(b, layout.text), layout.texts);
	b->header->magic = BOARD_MAGIC;
	return b;
}

int board_fd(const struct board_writer *b)
{
	return b->fd;
}

size_t board_bytes(const struct board_writer *b)
{
	return b->layout.bytes;
}

uint64_t board_texts_lost(const struct board_writer *b)
{
	return board_texts_refused(b->texts);
}

void board_free(struct board_writer *b)
{
	if (!b)
		return;
	for (int t = 0; t < BOARD_TABLE_COUNT; t++)
		board_index_clear(&b->index[t]);
	board_texts_free(b->texts);
	munmap(b->base, b->layout.bytes);
	close(b->fd);
	free(b);
}

static _Atomic uint32_t *begin(struct board_writer *b, enum board_table table, uint32_t slot)
{
	_Atomic uint32_t *sequence = (_Atomic uint32_t *)place(b, b->layout.tables[table].sequence) + slot;

	atomic_store_explicit(sequence, atomic_load_explicit(sequence, memory_order_relaxed) + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	return sequence;
}

static void end(struct board_writer *b, enum board_table table, _Atomic uint32_t *sequence)
{
	struct board_table_header *h = &b->header->tables[table];

	atomic_store_explicit(sequence, atomic_load_explicit(sequence, memory_order_relaxed) + 1, memory_order_release);
	atomic_store_explicit(&h->version, atomic_load_explicit(&h->version, memory_order_relaxed) + 1,
			      memory_order_release);
}

/* Told behind the row, so that who sees it finds the row as it is now. */
static void tell_news(struct board_writer *b, enum board_table table)
{
	struct board_table_header *h = &b->header->tables[table];

	atomic_store_explicit(&h->news, atomic_load_explicit(&h->news, memory_order_relaxed) + 1, memory_order_release);
}

#define HEAD_WORD(member) (offsetof(struct row_head, member) / 8)

static void publish(struct board_writer *b, enum board_table table, uint32_t slot, const void *stored)
{
	_Atomic uint64_t *words = row_words(b, table, slot);
	const struct row_head *head = stored;
	bool news = (uint32_t)atomic_load_explicit(&words[0], memory_order_relaxed) != head->generation ||
		    (int64_t)atomic_load_explicit(&words[HEAD_WORD(last_change_wall_ms)], memory_order_relaxed) != head->last_change_wall_ms;
	_Atomic uint32_t *sequence = begin(b, table, slot);

	board_copy_in(words, stored, b->layout.tables[table].row_bytes);
	end(b, table, sequence);
	if (news)
		tell_news(b, table);
}

void board_put_expect(const struct board_writer *b, enum board_table table, uint32_t slot, size_t offset, size_t size)
{
	const struct board_place *p = &b->layout.tables[table];

	if (slot >= p->rows || offset >= p->row_bytes)
		return;
	mem_expect(place(b, p->row + (size_t)slot * p->row_bytes + offset), size < p->row_bytes - offset ? size : p->row_bytes - offset);
	mem_expect(place(b, p->sequence + (size_t)slot * sizeof(uint32_t)), 1);
}

/* One member of a packed value; it is a word of its own. */
#define WORD_OF(member) (offsetof(struct packed_value, member) / 8)

bool board_put_reading(struct board_writer *b, uint32_t slot, uint64_t order, int64_t wall_ms, double value, uint8_t level)
{
	_Atomic uint64_t *words;
	uint64_t number, last;
	const size_t at = WORD_OF(level);

	if (slot >= b->layout.tables[BOARD_VALUE].rows)
		return false;
	words = row_words(b, BOARD_VALUE, slot);
	if (!(uint32_t)atomic_load_explicit(&words[0], memory_order_relaxed) ||
	    atomic_load_explicit(&words[WORD_OF(head.order)], memory_order_relaxed) != order)
		return false;
	last = atomic_load_explicit(&words[at], memory_order_relaxed);
	memcpy((uint8_t *)&last + offsetof(struct packed_value, level) % 8, &level, 1);
	memcpy(&number, &value, sizeof number);
	_Atomic uint32_t *sequence = begin(b, BOARD_VALUE, slot);
	atomic_store_explicit(&words[WORD_OF(head.last_change_wall_ms)], (uint64_t)wall_ms, memory_order_relaxed);
	atomic_store_explicit(&words[WORD_OF(value)], number, memory_order_relaxed);
	atomic_store_explicit(&words[at], last, memory_order_relaxed);
	end(b, BOARD_VALUE, sequence);
	return true;
}

bool board_put_part(struct board_writer *b, enum board_table table, uint32_t slot, uint32_t generation, size_t offset, const void *part,
		    size_t size)
{
	_Atomic uint64_t *words = row_words(b, table, slot);

	assert(!board_is_packed(table) && slot < b->layout.tables[table].rows && offset % 8 == 0 && size % 8 == 0);
	if ((uint32_t)atomic_load_explicit(&words[0], memory_order_relaxed) != generation)
		return false;
	_Atomic uint32_t *sequence = begin(b, table, slot);
	board_copy_in(words + offset / 8, part, size);
	end(b, table, sequence);
	return true;
}

/* Texts of the new row are taken before it is shown, those of the old one given back after: that is what lets a reader
 * trust both. */
static void publish_packed(struct board_writer *b, enum board_table table, uint32_t slot, const void *row)
{
	union board_any_row old, packed;

	board_copy_out(&old, row_words(b, table, slot), b->layout.tables[table].row_bytes);
	board_pack(table, row, &old, b->texts, &packed);
	publish(b, table, slot, &packed);
	board_pack_release(table, &old, b->texts);
}

void board_put(struct board_writer *b, enum board_table table, const void *row)
{
	const struct row_head *head = row;

	assert((unsigned)table < BOARD_TABLE_COUNT && head->slot < b->layout.tables[table].rows);
	if (board_is_packed(table))
		publish_packed(b, table, head->slot, row);
	else
		publish(b, table, head->slot, row);
	board_index_note(&b->index[table], head->slot, head->generation != 0, head->order);
}

const void *board_peek(const struct board_writer *board, enum board_table table, uint32_t slot)
{
	struct board_writer *b =
	    (struct board_writer *)(uintptr_t)board; /* the ring of peeked rows is no part of its value */
	union board_any_row packed, *out;

	if ((unsigned)table >= BOARD_TABLE_COUNT || slot >= b->layout.tables[table].rows)
		return NULL;
	if (!board_is_packed(table))
		return (const void *)(uintptr_t)row_words(b, table, slot);
	out = &b->peeked[b->next_peek++ % PEEKS];
	board_copy_out(&packed, row_words(b, table, slot), b->layout.tables[table].row_bytes);
	board_unpack(table, &packed, place(b, b->layout.text), b->layout.texts, out);
	return out;
}

uint32_t board_free_slot(const struct board_writer *b, enum board_table table)
{
	if ((unsigned)table >= BOARD_TABLE_COUNT)
		return NO_SLOT;
	/* only the hint where to begin changes */
	return board_index_free_slot((struct board_index *)(uintptr_t)&b->index[table]);
}

void board_flip(struct board_writer *b)
{
	for (int t = 0; t < BOARD_TABLE_COUNT; t++)
		if (board_index_flip(&b->index[t], &b->header->tables[t]))
			tell_news(b, t);
}
