/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Interning of texts with reference counts: a chained hash over places in the segment; see board_texts.h. */
#include "board/board_texts.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "board/board_layout.h"

#define BUCKETS 16384u /* a power of two */
#define NONE 0         /* text 0 is never in a chain */

union text {
	char bytes[BOARD_TEXT_SIZE];
	uint64_t words[BOARD_TEXT_SIZE / 8];
};

struct entry {
	uint32_t references;
	uint16_t next; /* in the bucket, or in the list of free places */
	uint16_t bucket;
};

struct board_texts {
	_Atomic uint64_t *place;
	union text *copy; /* the writer's own, for comparing without atomics */
	struct entry *entries;
	uint32_t count, used; /* used: places ever used; those above are free and untouched */
	uint16_t free_list;
	uint64_t refused;
	uint16_t buckets[BUCKETS];
};

struct board_texts *board_texts_new(_Atomic uint64_t *place, uint32_t count)
{
	struct board_texts *t = mem_zalloc(sizeof *t);

	t->place = place;
	t->count = count;
	t->used = 1;
	t->copy = mem_array(count, sizeof *t->copy);
	t->entries = mem_array(count, sizeof *t->entries);
	return t;
}

void board_texts_free(struct board_texts *t)
{
	if (!t)
		return;
	free(t->copy);
	free(t->entries);
	free(t);
}

static uint16_t new_place(struct board_texts *t)
{
	uint16_t n = t->free_list;

	if (n) {
		t->free_list = t->entries[n].next;
		return n;
	}
	if (t->used == t->count)
		return NONE;
	return (uint16_t)t->used++;
}

static uint16_t add(struct board_texts *t, const union text *text, uint16_t bucket)
{
	uint16_t n = new_place(t);

	if (n == NONE) {
		t->refused++;
		return NONE;
	}
	t->copy[n] = *text;
	board_copy_in(t->place + (size_t)n * (BOARD_TEXT_SIZE / 8), text, BOARD_TEXT_SIZE);
	t->entries[n] = (struct entry){.references = 1, .next = t->buckets[bucket], .bucket = bucket};
	t->buckets[bucket] = n;
	return n;
}

uint16_t board_texts_take(struct board_texts *t, const char *text, size_t size, uint16_t likely)
{
	union text key = {.bytes = ""};
	size_t room = size < sizeof key.bytes ? size : sizeof key.bytes - 1, length = strnlen(text, room);

	if (length == 0)
		return NONE;
	memcpy(key.bytes, text, length);
	if (likely != NONE && memcmp(&t->copy[likely], &key, sizeof key) == 0) {
		t->entries[likely].references++;
		return likely;
	}
	uint16_t bucket = (uint16_t)(text_hash(&key, length) % BUCKETS);
	for (uint16_t n = t->buckets[bucket]; n != NONE; n = t->entries[n].next) {
		if (memcmp(&t->copy[n], &key, sizeof key) == 0) {
			t->entries[n].references++;
			return n;
		}
	}
	return add(t, &key, bucket);
}

void board_texts_drop(struct board_texts *t, uint16_t number)
{
	struct entry *e = &t->entries[number];

	if (number == NONE || --e->references > 0)
		return;
	uint16_t *at = &t->buckets[e->bucket];
	while (*at != number)
		at = &t->entries[*at].next;
	*at = e->next;
	e->next = t->free_list;
	t->free_list = number;
}

uint64_t board_texts_refused(const struct board_texts *t)
{
	return t->refused;
}
