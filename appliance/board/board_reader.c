/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The faces' side of the board: maps the sealed segment read-only and copies rows out of it without locks. Nothing in
 * the segment is believed beyond the number of rows, which is checked once; slots are checked at every use, texts end
 * where their fields end. */
#include "board/board.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "board/board_layout.h"
#include "board/board_pack.h"

#define TRIES 64 /* a row is written in well under a microsecond: far beyond any honest writer */

struct board_reader {
	const uint8_t *base;
	const struct board_header *header;
	struct board_layout layout;
	uint32_t epoch;
};

static const char *check_header(const struct board_header *h, size_t bytes, struct board_layout *layout)
{
	uint32_t rows[BOARD_TABLE_COUNT];

	if (h->magic != BOARD_MAGIC)
		return "it is no board of this version";
	for (int t = 0; t < BOARD_TABLE_COUNT; t++)
		rows[t] = h->tables[t].rows;
	if (!board_layout_for(rows, h->texts, layout))
		return "its number of rows is out of range";
	if (layout->bytes != bytes || h->bytes != bytes)
		return "its size does not fit its number of rows";
	return NULL;
}

static const char *check_descriptor(int fd, size_t *bytes)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & (F_SEAL_SHRINK | F_SEAL_GROW)) != (F_SEAL_SHRINK | F_SEAL_GROW))
		return "its size is not sealed";
	if (fstat(fd, &st) != 0 || st.st_size < (off_t)sizeof(struct board_header) || st.st_size > INT64_C(1) << 36)
		return "its size is none of a board";
	*bytes = (size_t)st.st_size;
	return NULL;
}

struct board_reader *board_map(int fd)
{
	struct board_layout layout;
	size_t bytes = 0;
	void *base = MAP_FAILED;
	const char *why = check_descriptor(fd, &bytes);

	if (!why && (base = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0)) == MAP_FAILED)
		why = strerror(errno);
	if (!why)
		why = check_header(base, bytes, &layout);
	close(fd);
	if (why) {
		log_error("board: cannot use the segment: %s", why);
		if (base != MAP_FAILED)
			munmap(base, bytes);
		return NULL;
	}
	struct board_reader *b = mem_zalloc(sizeof *b);
	b->base = base;
	b->header = base;
	b->layout = layout;
	b->epoch = b->header->epoch;
	return b;
}

void board_unmap(struct board_reader *b)
{
	if (!b)
		return;
	munmap((void *)(uintptr_t)b->base, b->layout.bytes);
	free(b);
}

uint32_t board_epoch(const struct board_reader *b)
{
	return b->epoch;
}

static const void *place(const struct board_reader *b, size_t offset)
{
	return b->base + offset;
}

static bool has_slot(const struct board_reader *b, enum board_table table, uint32_t slot)
{
	return (unsigned)table < BOARD_TABLE_COUNT && slot < b->layout.tables[table].rows;
}

static const _Atomic uint64_t *row_words(const struct board_reader *b, enum board_table table, uint32_t slot)
{
	const struct board_place *p = &b->layout.tables[table];

	return place(b, p->row + (size_t)slot * p->row_bytes);
}

static uint32_t sequence_of(const struct board_reader *b, enum board_table table, uint32_t slot, memory_order order)
{
	const _Atomic uint32_t *s = place(b, b->layout.tables[table].sequence);

	return atomic_load_explicit(&s[slot], order);
}

/* Words [first, last) of a row, or for packed rows the whole row unpacked, as they stand now: torn when the sequence
 * moves. */
static void copy_row(const struct board_reader *b, enum board_table table, uint32_t slot, size_t first, size_t last,
		     void *row)
{
	const _Atomic uint64_t *words = row_words(b, table, slot);

	if (!board_is_packed(table)) {
		board_copy_out((uint64_t *)row + first, words + first, (last - first) * 8);
		return;
	}
	union board_any_row packed;
	board_copy_out(&packed, words, b->layout.tables[table].row_bytes);
	board_unpack(table, &packed, place(b, b->layout.text), b->layout.texts, row);
}

/* The head and words [first, last) of a row, both of one moment, at their places in `row`. */
static int read_words(const struct board_reader *b, enum board_table table, uint32_t slot, size_t first, size_t last,
		      void *row)
{
	const struct row_head *head = row;

	if (!has_slot(b, table, slot))
		return ERR_NOT_FOUND;
	for (int i = 0; i < TRIES; i++) {
		uint32_t before = sequence_of(b, table, slot, memory_order_acquire);

		if (before & 1)
			continue;
		if (first >= sizeof *head / 8 && !board_is_packed(table))
			copy_row(b, table, slot, 0, sizeof *head / 8, row);
		copy_row(b, table, slot, first, last, row);
		atomic_thread_fence(memory_order_acquire);
		if (sequence_of(b, table, slot, memory_order_relaxed) == before)
			return head->generation ? 0 : ERR_NOT_FOUND;
	}
	return ERR_BUSY;
}

int board_read(const struct board_reader *b, enum board_table table, uint32_t slot, void *row)
{
	union board_any_row copy;
	int status = read_words(b, table, slot, 0, board_row_size(table) / 8, &copy);

	if (status)
		return status;
	board_terminate(table, &copy);
	copy.head.slot = slot;
	memcpy(row, &copy, board_row_size(table));
	return 0;
}

int board_read_field(const struct board_reader *b, enum board_table table, uint32_t slot, size_t offset, size_t size,
		     struct row_head *head, void *field)
{
	union board_any_row copy;
	size_t row_size = board_row_size(table);

	if (offset > row_size || size > row_size - offset)
		return ERR_BUG;
	size_t first = offset < sizeof *head ? 0 : offset / 8, last = (offset + size + 7) / 8;
	if (first == 0 && last < sizeof *head / 8)
		last = sizeof *head / 8;
	int status = read_words(b, table, slot, first, last, &copy);
	if (status)
		return status;
	copy.head.slot = slot;
	*head = copy.head;
	memcpy(field, (const uint8_t *)&copy + offset, size);
	return 0;
}

void board_expect(const struct board_reader *b, enum board_table table, uint32_t slot, size_t offset)
{
	if (!has_slot(b, table, slot))
		return;
	const struct board_place *p = &b->layout.tables[table];
	size_t row = p->row + (size_t)slot * p->row_bytes;

	__builtin_prefetch(place(b, row));
	if (offset < p->row_bytes)
		__builtin_prefetch(place(b, row + offset));
}

/* The good index buffer and its number of entries, never beyond the table. */
static const _Atomic uint32_t *index_of(const struct board_reader *b, enum board_table table, uint32_t *count)
{
	const struct board_table_header *h = &b->header->tables[table];
	uint32_t active = atomic_load_explicit(&h->active, memory_order_acquire) & 1;
	uint32_t n = atomic_load_explicit(&h->count[active], memory_order_relaxed);

	*count = n < b->layout.tables[table].rows ? n : b->layout.tables[table].rows;
	return place(b, b->layout.tables[table].index[active]);
}

uint32_t board_count(const struct board_reader *b, enum board_table table)
{
	uint32_t count = 0;

	if ((unsigned)table < BOARD_TABLE_COUNT)
		index_of(b, table, &count);
	return count;
}

static uint32_t entry(const struct board_reader *b, enum board_table table, const _Atomic uint32_t *index,
		      uint32_t position)
{
	uint32_t slot = atomic_load_explicit(&index[position], memory_order_relaxed);

	return slot < b->layout.tables[table].rows ? slot : NO_SLOT;
}

uint32_t board_at(const struct board_reader *b, enum board_table table, uint32_t position)
{
	uint32_t count;

	if ((unsigned)table >= BOARD_TABLE_COUNT)
		return NO_SLOT;
	const _Atomic uint32_t *index = index_of(b, table, &count);
	return position < count ? entry(b, table, index, position) : NO_SLOT;
}

/* One aligned word is never torn, so a search needs no sequence. */
uint64_t board_order(const struct board_reader *b, enum board_table table, uint32_t slot)
{
	if (!has_slot(b, table, slot))
		return UINT64_MAX;
	return atomic_load_explicit(row_words(b, table, slot) + offsetof(struct row_head, order) / 8,
				    memory_order_relaxed);
}

uint32_t board_seek(const struct board_reader *b, enum board_table table, uint64_t order)
{
	uint32_t low = 0, high;

	if ((unsigned)table >= BOARD_TABLE_COUNT)
		return 0;
	const _Atomic uint32_t *index = index_of(b, table, &high);
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (board_order(b, table, entry(b, table, index, middle)) < order)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t board_version(const struct board_reader *b, enum board_table table)
{
	return (unsigned)table < BOARD_TABLE_COUNT
		   ? atomic_load_explicit(&b->header->tables[table].version, memory_order_acquire)
		   : 0;
}

uint64_t board_news(const struct board_reader *b, enum board_table table)
{
	return (unsigned)table < BOARD_TABLE_COUNT ? atomic_load_explicit(&b->header->tables[table].news, memory_order_acquire) : 0;
}

const void *board_live(const struct board_reader *b, enum board_table table, uint32_t slot)
{
	if (!has_slot(b, table, slot) || board_is_packed(table))
		return NULL;
	return (const void *)(uintptr_t)row_words(b, table, slot);
}

uint32_t board_row_sequence(const struct board_reader *b, enum board_table table, uint32_t slot)
{
	return has_slot(b, table, slot) ? sequence_of(b, table, slot, memory_order_acquire) : 1;
}
