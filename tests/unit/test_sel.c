/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where to go on in an event log, entries in words, and platform event traps. A log is invented, read by the tracker as
 * sel.c would, and what is called new is compared with what has really been added. */
#include <freeipmi/freeipmi.h>
#include <string.h>

#include "base/memory.h"
#include "ipmi/sel_decode.h"
#include "ipmi/sel_track.h"
#include "tests/unit/unit.h"

enum { ROOM = 64 };
static struct {
	uint8_t entries[ROOM][SEL_RECORD];
	unsigned count;
	uint16_t next_id;
	uint8_t next_tag;
	uint32_t added, erased;
	bool by_place; /* ids are places, counted from 1 */
	bool circle;   /* the last entry names the first as the one that follows */
} book;
static struct sel_kept kept;
static uint8_t seen[256];
static unsigned seen_count, asked_count;
static uint8_t notices;

static uint16_t id_of(unsigned i)
{
	return book.by_place ? (uint16_t)(i + 1) : (uint16_t)(book.entries[i][0] | book.entries[i][1] << 8);
}

static void add(unsigned n)
{
	while (n-- > 0) {
		uint8_t *r;
		if (book.count == ROOM)
			memmove(book.entries[0], book.entries[1], sizeof(book.entries[0]) * --book.count);
		r = book.entries[book.count++];
		memset(r, 0, SEL_RECORD);
		book.next_id = book.next_id == 0xfffe ? 1 : (uint16_t)(book.next_id + 1);
		r[0] = (uint8_t)book.next_id;
		r[1] = (uint8_t)(book.next_id >> 8);
		r[2] = 2;
		r[15] = ++book.next_tag;
		book.added++;
	}
}

static void wipe(void)
{
	book.count = 0;
	book.erased++;
	book.next_id = 0;
}

static void begin(void)
{
	memset(&book, 0, sizeof(book));
	memset(&kept, 0, sizeof(kept));
	book.added = book.erased = 100;
}

/* One read of the log; what is new is kept, as the store would. */
static void read_log(void)
{
	struct sel_info info = {book.added, book.erased, (uint16_t)book.count, 0x1000, false};
	struct sel_track t;

	sel_track_begin(&t, &kept, &info);
	seen_count = 0;
	for (asked_count = 0; t.phase != SEL_DONE && asked_count < 1000; asked_count++) {
		unsigned i = 0;
		while (i < book.count && id_of(i) != t.ask)
			i++;
		if (t.ask == SEL_FIRST && book.count)
			i = 0;
		if (i == book.count) {
			sel_track_missing(&t);
			continue;
		}
		uint8_t raw[SEL_RECORD];
		memcpy(raw, book.entries[i], SEL_RECORD);
		raw[0] = (uint8_t)id_of(i);
		raw[1] = (uint8_t)(id_of(i) >> 8);
		uint16_t next = i + 1 < book.count ? id_of(i + 1) : book.circle ? id_of(0) : SEL_END;
		if (sel_track_take(&t, next, raw)) {
			seen[seen_count++] = raw[15];
			kept.id = (uint16_t)(raw[0] | raw[1] << 8);
			memcpy(kept.raw, raw, SEL_RECORD);
		}
	}
	kept.added = book.added;
	kept.erased = book.erased;
	if (book.count == 0)
		kept.id = 0;
	notices = t.notices;
	CU_ASSERT(asked_count < 1000);
}

static void expect_new(unsigned first_tag, unsigned count)
{
	CU_ASSERT_EQUAL(seen_count, count);
	for (unsigned i = 0; i < seen_count; i++)
		CU_ASSERT_EQUAL(seen[i], (uint8_t)(first_tag + i));
}

static void test_added(void)
{
	begin();
	read_log();
	expect_new(0, 0);
	add(5);
	read_log();
	expect_new(1, 5);
	read_log();
	expect_new(0, 0);
	CU_ASSERT_EQUAL(asked_count, 1); /* nothing new costs one question */
	add(1);
	book.added--; /* within the same second: the stamp is the same */
	read_log();
	expect_new(6, 1);
	CU_ASSERT_EQUAL(notices, 0);
}

static void test_cleared_by_others(void)
{
	begin();
	add(5);
	read_log();
	wipe();
	read_log();
	expect_new(0, 0);
	CU_ASSERT_EQUAL(notices, SEL_CLEARED_BY_OTHERS);
	add(3);
	read_log();
	expect_new(6, 3);
	CU_ASSERT_EQUAL(notices, 0);
	wipe();
	add(4); /* the newest kept id is there again, and is another entry */
	read_log();
	expect_new(9, 4);
	CU_ASSERT_EQUAL(notices, SEL_CLEARED_BY_OTHERS);
}

static void test_overwritten(void)
{
	begin();
	add(ROOM);
	read_log();
	expect_new(1, ROOM);
	add(10);
	read_log();
	expect_new(ROOM + 1, 10);
	CU_ASSERT_EQUAL(notices, 0);
	add(ROOM + 7);
	read_log();
	expect_new(ROOM + 10 + 7 + 1, ROOM);
	CU_ASSERT_EQUAL(notices, SEL_OVERWRITTEN);
}

static void test_ids_are_places(void)
{
	begin();
	book.by_place = true;
	add(ROOM);
	read_log();
	expect_new(1, ROOM);
	add(4);
	read_log();
	expect_new(ROOM + 1, 4);
	read_log();
	expect_new(0, 0);
}

static void test_ids_wrap(void)
{
	begin();
	book.next_id = 0xfffb;
	add(2);
	read_log();
	add(3);
	read_log();
	expect_new(3, 3);
}

static void test_circle(void)
{
	begin();
	add(9);
	book.circle = true;
	read_log(); /* ends, whatever it calls new the second time round */
	CU_ASSERT(seen_count >= 9);
	CU_ASSERT(asked_count < 200);
}

static void test_info(void)
{
	const uint8_t good[14] = {0x51, 3, 0, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x82};
	struct sel_info i;
	struct sel_track t;
	struct sel_kept none = {0};

	CU_ASSERT_FALSE(sel_info_parse(good, 13, &i));
	CU_ASSERT_TRUE(sel_info_parse(good, 14, &i));
	CU_ASSERT_EQUAL(i.entries, 3);
	CU_ASSERT_EQUAL(i.free_bytes, 8);
	CU_ASSERT_EQUAL(i.added, 0x04030201);
	CU_ASSERT_EQUAL(i.erased, 0x08070605);
	CU_ASSERT_TRUE(i.overflow);
	sel_track_begin(&t, &none, &i);
	CU_ASSERT_EQUAL(t.notices, SEL_FULL | SEL_OVERFLOW);
}

static void test_words(void)
{
	static const uint8_t temperature[SEL_RAW] = {1, 0, 2, 0, 0, 0, 0x60, 0x20, 0, 4, 1, 1, 0x01, 0x59, 0x5f, 0x5a};
	static const uint8_t supply[SEL_RAW] = {2, 0, 2, 9, 0, 0, 0, 0x20, 0, 4, 8, 4, 0xef, 0x03, 0xff, 0xff};
	static const uint8_t oem[SEL_RAW] = {3, 0, 0xe0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
	struct sel_words *w = sel_words_new();
	struct msg_sel_entry m = {.slot = 7, .generation = 9};

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	sel_decode(w, NULL, temperature, &m);
	CU_ASSERT_STRING_EQUAL(m.type, "Temperature");
	CU_ASSERT_PTR_NOT_NULL(strstr(m.event, "Upper Critical - going high"));
	CU_ASSERT_EQUAL(m.level, LEVEL_MAJOR);
	CU_ASSERT_EQUAL(m.time_s, 0x60000000);
	CU_ASSERT_EQUAL(m.deasserted, 0);
	CU_ASSERT_EQUAL(m.slot, 7);
	sel_decode(w, NULL, supply, &m);
	CU_ASSERT_STRING_EQUAL(m.type, "Power Supply");
	CU_ASSERT_PTR_NOT_NULL(strstr(m.event, "input lost"));
	CU_ASSERT_EQUAL(m.deasserted, 1);
	CU_ASSERT(m.time_s < SEL_SINCE_START);
	sel_decode(w, NULL, oem, &m);
	CU_ASSERT_STRING_EQUAL(m.type, "OEM");
	CU_ASSERT_STRING_EQUAL(m.event, "0102030405060708090a0b0c0d");
	CU_ASSERT_EQUAL(m.time_s, UINT32_MAX);
	for (unsigned i = 0; i < 20000; i++) { /* whatever a BMC writes there */
		uint8_t raw[SEL_RAW];
		for (unsigned k = 0; k < SEL_RAW; k++)
			raw[k] = (uint8_t)(i * 2654435761u >> (k % 25) ^ i >> k);
		raw[2] = i % 3 ? 2 : raw[2];
		sel_decode(w, NULL, raw, &m);
		CU_ASSERT(m.level < LEVEL_COUNT);
	}
	sel_words_free(w);
}

static void test_pet(void)
{
	static const uint8_t octets[47] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc,
					   0xdd, 0xee, 0xff, 0x00, 0x00, 0x01, 0x30, 0x00, 0x00, 0x00, 0xff, 0xff,
					   0x20, 0x20, 0x10, 0x20, 0x01, 0x07, 0x01, 0x59, 0x5f, 0x5a, 0xff, 0xff,
					   0xff, 0xff, 0xff, 0x19, 0x00, 0x00, 0x12, 0x91, 0x0f, 0x02, 0xc1};
	struct sel_words *w = sel_words_new();
	struct msg_sel_entry m = {0};
	uint8_t raw[SEL_RAW];

	CU_ASSERT_TRUE(pet_to_record(65801, octets, sizeof(octets), raw));
	sel_decode(w, NULL, raw, &m);
	CU_ASSERT_STRING_EQUAL(m.type, "Temperature");
	CU_ASSERT_EQUAL(m.number, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(m.event, "Upper Critical - going high"));
	CU_ASSERT_EQUAL(m.deasserted, 0);
	CU_ASSERT_EQUAL(m.time_s, 0x30000000 + 883612800u);
	CU_ASSERT_TRUE(pet_to_record(65801 | 0x80, octets, sizeof(octets), raw));
	sel_decode(w, NULL, raw, &m);
	CU_ASSERT_EQUAL(m.deasserted, 1);
	CU_ASSERT_FALSE(pet_to_record(65801, octets, 38, raw));
	CU_ASSERT_FALSE(pet_to_record(0, octets, sizeof(octets), raw));
	CU_ASSERT_FALSE(pet_to_record(0x1000000, octets, sizeof(octets), raw));
	sel_words_free(w);
}

static const struct unit_test tests[] = {
    {"what was added", test_added},
    {"cleared by others", test_cleared_by_others},
    {"overwritten", test_overwritten},
    {"ids that are places", test_ids_are_places},
    {"ids that wrap", test_ids_wrap},
    {"a log that leads in a circle", test_circle},
    {"the log's own state", test_info},
    {"entries in words", test_words},
    {"platform event traps", test_pet},
};

UNIT_MAIN("event logs", tests)
