/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The board: rows come out as they went in, never torn beside a running writer; indexes stay sorted; hostile segments
 * are refused. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "board/board.h"
#include "board/board_layout.h"
#include "tests/unit/unit.h"

static struct board_writer *make(uint32_t nodes, uint32_t values, uint32_t sensors)
{
	struct board_limits limits;

	board_limits_for(nodes, values, sensors, &limits);
	return board_create(7, &limits);
}

/* One row in every table but one. */
static struct board_writer *make_with(enum board_table table, uint32_t rows)
{
	struct board_limits limits;

	for (int t = 0; t < BOARD_TABLE_COUNT; t++)
		limits.rows[t] = t == (int)table ? rows : 1;
	return board_create(1, &limits);
}

static struct board_reader *look_at(const struct board_writer *w)
{
	return board_map(dup(board_fd(w)));
}

static void put_node(struct board_writer *w, uint32_t slot, uint32_t generation, const char *name)
{
	struct node_row row = {.head = {.slot = slot, .generation = generation, .order = slot}, .level = LEVEL_NORMAL};

	text_copy(row.name, sizeof row.name, name);
	board_put(w, BOARD_NODE, &row);
}

static struct sensor_row sensor(uint32_t slot, uint32_t generation, const char *name, const char *text)
{
	struct sensor_row row = {.head = {.slot = slot, .generation = generation, .order = (uint64_t)slot << 32 | 5},
				 .node_slot = slot,
				 .record_id = 5,
				 .reading = 0.1 + slot,
				 .warning_high = 85.5,
				 .type = 1,
				 .level = LEVEL_MAJOR,
				 .number = 9};

	text_copy(row.name, sizeof row.name, name);
	text_copy(row.unit, sizeof row.unit, "C");
	text_copy(row.text, sizeof row.text, text);
	return row;
}

static void rows_come_out_as_put(void)
{
	struct board_writer *w = make(100, 20, 40);
	struct board_reader *r = look_at(w);
	struct node_row node;

	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	CU_ASSERT_EQUAL(board_epoch(r), 7);
	CU_ASSERT_EQUAL(board_count(r, BOARD_NODE), 0);
	CU_ASSERT_EQUAL(board_read(r, BOARD_NODE, 3, &node), ERR_NOT_FOUND);
	uint64_t version = board_version(r, BOARD_NODE);
	put_node(w, 3, 11, "n004");
	CU_ASSERT_EQUAL(board_read(r, BOARD_NODE, 3, &node), 0);
	CU_ASSERT_STRING_EQUAL(node.name, "n004");
	CU_ASSERT_EQUAL(node.head.generation, 11);
	CU_ASSERT_EQUAL(board_version(r, BOARD_NODE), version + 1);
	CU_ASSERT_STRING_EQUAL(((const struct node_row *)board_peek(w, BOARD_NODE, 3))->name, "n004");
	CU_ASSERT_EQUAL(board_count(r, BOARD_NODE), 0); /* until the flip */
	board_flip(w);
	CU_ASSERT_EQUAL(board_count(r, BOARD_NODE), 1);
	CU_ASSERT_EQUAL(board_at(r, BOARD_NODE, 0), 3);
	CU_ASSERT_EQUAL(board_at(r, BOARD_NODE, 1), NO_SLOT);
	CU_ASSERT_EQUAL(board_read(r, BOARD_NODE, 100, &node), ERR_NOT_FOUND);
	CU_ASSERT_PTR_NULL(board_peek(w, BOARD_NODE, 100));
	board_unmap(r);
	board_free(w);
}

static void news_are_rows_that_changed_not_readings(void)
{
	struct board_writer *w = make(100, 20, 40);
	struct board_reader *r = look_at(w);
	struct node_row node = {.head = {.slot = 3, .generation = 11, .last_change_wall_ms = 5}};
	const size_t at = offsetof(struct node_row, last_seen_wall_ms);
	int64_t seen = 77;

	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	uint64_t news = board_news(r, BOARD_NODE);
	board_put(w, BOARD_NODE, &node);
	CU_ASSERT_EQUAL(board_news(r, BOARD_NODE), ++news);
	board_flip(w); /* it is found in the index now */
	CU_ASSERT_EQUAL(board_news(r, BOARD_NODE), ++news);
	board_flip(w);
	board_put(w, BOARD_NODE, &node);
	CU_ASSERT(board_put_part(w, BOARD_NODE, 3, 11, at, &seen, sizeof seen));
	CU_ASSERT_EQUAL(board_news(r, BOARD_NODE), news);
	node.head.last_change_wall_ms = 6;
	board_put(w, BOARD_NODE, &node);
	CU_ASSERT_EQUAL(board_news(r, BOARD_NODE), ++news);
	node.head.generation = 0;
	board_put(w, BOARD_NODE, &node);
	CU_ASSERT_EQUAL(board_news(r, BOARD_NODE), ++news);
	CU_ASSERT_EQUAL(board_news(r, BOARD_TABLE_COUNT), 0);
	board_unmap(r);
	board_free(w);
}

static void packed_rows_come_out_as_put(void)
{
	struct board_writer *w = make(64, 20, 40);
	struct board_reader *r = look_at(w);
	const uint64_t order = UINT64_C(4) << 32 | 6 << 16 | 7;
	struct value_row v = {.head = {.slot = 8, .generation = 2, .order = order, .last_change_wall_ms = 1234},
			      .node_slot = 4,
			      .item_slot = 6,
			      .instance = 7,
			      .value = 0.1,
			      .level = LEVEL_WARNING},
			 got;
	struct sensor_row s = sensor(2, 3, "CPU1 Temp", "at or above upper critical"), sensor_got;

	text_copy(v.item, sizeof v.item, "disk_fill");
	text_copy(v.unit, sizeof v.unit, "percent");
	text_copy(v.instance_name, sizeof v.instance_name, "/var/lib/a-very-long-name-of-forty-seven-bytes");
	board_put(w, BOARD_VALUE, &v);
	board_put(w, BOARD_SENSOR, &s);
	CU_ASSERT_EQUAL_FATAL(board_read(r, BOARD_VALUE, 8, &got), 0);
	CU_ASSERT_EQUAL(memcmp(&got, &v, sizeof v), 0);
	CU_ASSERT_EQUAL(memcmp(board_peek(w, BOARD_VALUE, 8), &v, sizeof v), 0);
	CU_ASSERT_EQUAL_FATAL(board_read(r, BOARD_SENSOR, 2, &sensor_got), 0);
	CU_ASSERT_EQUAL(memcmp(&sensor_got, &s, sizeof s), 0);
	CU_ASSERT_PTR_NULL(board_live(r, BOARD_SENSOR, 2));
	CU_ASSERT_PTR_NOT_NULL(board_live(r, BOARD_NODE, 2));

	struct row_head head;
	double value;
	char item[sizeof v.item];
	CU_ASSERT_EQUAL(
	    board_read_field(r, BOARD_VALUE, 8, offsetof(struct value_row, value), sizeof value, &head, &value), 0);
	CU_ASSERT_EQUAL(value, 0.1);
	CU_ASSERT_EQUAL(head.order, order);
	CU_ASSERT_EQUAL(board_read_field(r, BOARD_VALUE, 8, offsetof(struct value_row, item), sizeof item, &head, item),
			0);
	CU_ASSERT_STRING_EQUAL(item, "disk_fill");
	CU_ASSERT_EQUAL(board_read_field(r, BOARD_VALUE, 8, sizeof v - 4, 8, &head, item), ERR_BUG);
	CU_ASSERT_EQUAL(board_read_field(r, BOARD_VALUE, 8, SIZE_MAX, 8, &head, item), ERR_BUG);
	CU_ASSERT_EQUAL(board_read_field(r, BOARD_VALUE, 9, 0, 8, &head, item), ERR_NOT_FOUND);
	board_unmap(r);
	board_free(w);
}

static void a_reading_changes_in_place(void)
{
	struct board_writer *w = make(10, 20, 4);
	struct board_reader *r = look_at(w);
	const uint64_t order = UINT64_C(2) << 32 | 9 << 16 | 4;
	struct value_row row = {.head = {.generation = 1, .slot = 3, .order = order, .last_change_wall_ms = 5}, .node_slot = 2,
				.item_slot = 9, .instance = 4, .value = 1.5, .level = LEVEL_NORMAL},
			 got;

	CU_ASSERT_FALSE(board_put_reading(w, 3, order, 6, 2.5, LEVEL_MAJOR)); /* not there yet */
	text_copy(row.item, sizeof row.item, "disk_fill");
	text_copy(row.instance_name, sizeof row.instance_name, "/srv");
	board_put(w, BOARD_VALUE, &row);
	uint64_t version = board_version(r, BOARD_VALUE);
	CU_ASSERT_FALSE(board_put_reading(w, 3, order + 1, 6, 2.5, LEVEL_MAJOR)); /* another row */
	CU_ASSERT_FALSE(board_put_reading(w, UINT32_MAX, order, 6, 2.5, LEVEL_MAJOR));
	CU_ASSERT_TRUE(board_put_reading(w, 3, order, 6, 2.5, LEVEL_MAJOR));
	CU_ASSERT_TRUE(board_version(r, BOARD_VALUE) > version);
	CU_ASSERT_EQUAL(board_read(r, BOARD_VALUE, 3, &got), 0);
	row.head.last_change_wall_ms = 6;
	row.value = 2.5;
	row.level = LEVEL_MAJOR;
	CU_ASSERT_EQUAL(memcmp(&got, &row, sizeof row), 0);
	row.head.generation = 0;
	board_put(w, BOARD_VALUE, &row);
	CU_ASSERT_FALSE(board_put_reading(w, 3, order, 7, 2.5, LEVEL_MAJOR)); /* gone */
	board_unmap(r);
	board_free(w);
}

static void parts_of_a_row_change_in_place(void)
{
	struct board_writer *w = make(64, 1, 1);
	struct board_reader *r = look_at(w);
	struct node_row before, after;
	const struct {
		int64_t seen;
		int32_t cpu, mem;
	} part = {77, 100, 200};
	const size_t at = offsetof(struct node_row, last_seen_wall_ms);

	CU_ASSERT_FALSE(board_put_part(w, BOARD_NODE, 63, 5, at, &part, sizeof part)); /* not there yet */
	put_node(w, 63, 5, "last");
	CU_ASSERT_EQUAL(board_read(r, BOARD_NODE, 63, &before), 0);
	uint64_t version = board_version(r, BOARD_NODE);
	CU_ASSERT_FALSE(board_put_part(w, BOARD_NODE, 63, 6, at, &part, sizeof part)); /* another node's life */
	CU_ASSERT_TRUE(board_put_part(w, BOARD_NODE, 63, 5, at, &part, sizeof part));
	CU_ASSERT_TRUE(board_version(r, BOARD_NODE) > version);
	CU_ASSERT_EQUAL(board_read(r, BOARD_NODE, 63, &after), 0);
	before.last_seen_wall_ms = 77;
	before.cpu_percent_x100 = 100;
	before.mem_percent_x100 = 200;
	CU_ASSERT_EQUAL(memcmp(&before, &after, sizeof after), 0);
	board_unmap(r);
	board_free(w);
}

static void single_fields_carry_their_head(void)
{
	struct board_writer *w = make(64, 1, 1);
	struct board_reader *r = look_at(w);
	struct row_head head;
	char name[NAME_SIZE];
	uint8_t level;

	put_node(w, 63, 5, "last");
	CU_ASSERT_EQUAL(board_read_field(r, BOARD_NODE, 63, offsetof(struct node_row, name), sizeof name, &head, name),
			0);
	CU_ASSERT_STRING_EQUAL(name, "last");
	CU_ASSERT_EQUAL(head.generation, 5);
	CU_ASSERT_EQUAL(head.slot, 63);
	CU_ASSERT_EQUAL(board_read_field(r, BOARD_NODE, 63, offsetof(struct node_row, level), 1, &head, &level), 0);
	CU_ASSERT_EQUAL(level, LEVEL_NORMAL);
	uint32_t generation;
	CU_ASSERT_EQUAL(board_read_field(r, BOARD_NODE, 63, 0, 4, &head, &generation), 0);
	CU_ASSERT_EQUAL(generation, 5);
	board_unmap(r);
	board_free(w);
}

static void check_sorted(const struct board_reader *r, enum board_table table, uint32_t expected)
{
	union board_any_row row;
	uint64_t last = 0;
	uint32_t wrong = 0, count = board_count(r, table);

	CU_ASSERT_EQUAL(count, expected);
	for (uint32_t i = 0; i < count; i++) {
		if (board_read(r, table, board_at(r, table, i), &row) != 0 || (i && row.head.order <= last))
			wrong++;
		last = row.head.order;
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

static void index_follows_random_changes(void)
{
	struct board_writer *w = make(500, 1, 4);
	struct board_reader *r = look_at(w);
	enum { SLOTS = 2000 };
	static bool live[SLOTS];
	uint32_t alive = 0;

	memset(live, 0, sizeof live);
	srandom(42);
	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < (round % 10 == 0 ? 800 : 5); i++) {
			uint32_t slot = (uint32_t)random() % SLOTS;
			bool now = random() % 3 != 0;
			struct sensor_row row = sensor(slot, now ? 1 : 0, "s", "t");

			row.head.order = (uint64_t)(random() % 1000) << 32 | slot; /* distinct, and it moves */
			board_put(w, BOARD_SENSOR, &row);
			alive += now - live[slot];
			live[slot] = now;
		}
		board_flip(w);
		check_sorted(r, BOARD_SENSOR, alive);
	}
	board_unmap(r);
	board_free(w);
}

static void seek_finds_the_first_not_below(void)
{
	struct board_writer *w = make(64, 1, 1);
	struct board_reader *r = look_at(w);

	CU_ASSERT_EQUAL(board_seek(r, BOARD_JOB, 0), 0);
	for (uint32_t i = 0; i < 50; i++) {
		struct job_row row = {.head = {.slot = 49 - i, .generation = 1, .order = i * 10 + 10}};
		board_put(w, BOARD_JOB, &row);
	}
	board_flip(w);
	CU_ASSERT_EQUAL(board_seek(r, BOARD_JOB, 0), 0);
	CU_ASSERT_EQUAL(board_seek(r, BOARD_JOB, 10), 0);
	CU_ASSERT_EQUAL(board_seek(r, BOARD_JOB, 11), 1);
	CU_ASSERT_EQUAL(board_seek(r, BOARD_JOB, 500), 49);
	CU_ASSERT_EQUAL(board_seek(r, BOARD_JOB, 501), 50);
	CU_ASSERT_EQUAL(board_at(r, BOARD_JOB, 0), 49);
	board_unmap(r);
	board_free(w);
}

static void free_slots_are_lowest_first(void)
{
	struct board_writer *w = make_with(BOARD_NODE, 70);

	for (uint32_t i = 0; i < 70; i++) {
		CU_ASSERT_EQUAL(board_free_slot(w, BOARD_NODE), i);
		put_node(w, i, 1, "x");
	}
	CU_ASSERT_EQUAL(board_free_slot(w, BOARD_NODE), NO_SLOT);
	put_node(w, 65, 0, "");
	put_node(w, 7, 0, "");
	CU_ASSERT_EQUAL(board_free_slot(w, BOARD_NODE), 7);
	put_node(w, 7, 2, "y");
	CU_ASSERT_EQUAL(board_free_slot(w, BOARD_NODE), 65);
	board_free(w);
}

static void texts_are_used_again(void)
{
	struct board_writer *w = make(64, 1, 4);
	struct board_reader *r = look_at(w);
	struct sensor_row row, got;
	char text[64];
	int wrong = 0;

	for (int i = 0; i < 100000; i++) { /* far more texts than places */
		text_format(text, sizeof text, "state number %d", i);
		row = sensor((uint32_t)i % 200, 1, "fan", text);
		board_put(w, BOARD_SENSOR, &row);
		wrong += board_read(r, BOARD_SENSOR, row.head.slot, &got) != 0 || strcmp(got.text, text) != 0;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(board_texts_lost(w), 0);
	for (uint32_t i = 0; i < 200; i++) {
		row = sensor(i, 0, "", "");
		board_put(w, BOARD_SENSOR, &row);
	}
	row = sensor(1, 1, "fan", "fine");
	board_put(w, BOARD_SENSOR, &row);
	CU_ASSERT_EQUAL(board_read(r, BOARD_SENSOR, 1, &got), 0);
	CU_ASSERT_STRING_EQUAL(got.text, "fine");
	board_unmap(r);
	board_free(w);
}

static void a_full_text_table_is_counted(void)
{
	struct board_writer *w = make_with(BOARD_SENSOR, 4000);
	struct board_reader *r = look_at(w);
	struct sensor_row row, got;
	char name[32];

	for (uint32_t i = 0; i < 4000; i++) {
		text_format(name, sizeof name, "sensor %u", i);
		row = sensor(i, 1, name, "t");
		board_put(w, BOARD_SENSOR, &row);
	}
	CU_ASSERT(board_texts_lost(w) > 0);
	CU_ASSERT_EQUAL(board_read(r, BOARD_SENSOR, 3999, &got), 0);
	CU_ASSERT_STRING_EQUAL(got.name, "");
	CU_ASSERT_STRING_EQUAL(got.text, "t");
	CU_ASSERT_EQUAL(got.record_id, 5);
	board_unmap(r);
	board_free(w);
}

/* All texts and numbers of a row follow from one number, so that a mixture of two rows shows. */
static void tell(uint32_t slot, unsigned n, struct sensor_row *s, struct node_row *node)
{
	char word[40];

	text_format(word, sizeof word, "%u", n);
	*s = sensor(slot, n, word, word);
	s->reading = n;
	s->at_wall_ms = n;
	*node = (struct node_row){
	    .head = {.slot = slot, .generation = n, .order = slot}, .since_wall_ms = n, .root_alarm = n};
	text_copy(node->name, sizeof node->name, word);
	text_copy(node->snmp_credential, sizeof node->snmp_credential, word);
}

static bool agrees(const struct sensor_row *s, const struct node_row *n)
{
	int64_t name, text;

	if (s && (!text_integer(s->name, 1, UINT32_MAX, &name) || !text_integer(s->text, 1, UINT32_MAX, &text) ||
		  name != text || name != s->at_wall_ms || (double)name != s->reading || name != s->head.generation))
		return false;
	return !n || (text_integer(n->name, 1, UINT32_MAX, &name) &&
		      text_integer(n->snmp_credential, 1, UINT32_MAX, &text) && name == text &&
		      name == n->since_wall_ms && name == (int64_t)n->root_alarm && name == n->head.generation);
}

#define HAMMERED 4 /* slots */
static int hammer(int fd, int64_t until_ms)
{
	struct board_reader *r = board_map(fd);
	unsigned good = 0, bad = 0;

	while (r && clock_mono_ms() < until_ms) {
		for (uint32_t slot = 0; slot < HAMMERED; slot++) {
			struct sensor_row s;
			struct node_row n;
			struct row_head head;
			char name[NAME_SIZE];

			if (board_read(r, BOARD_SENSOR, slot, &s) == 0)
				good++, bad += !agrees(&s, NULL);
			if (board_read(r, BOARD_NODE, slot, &n) == 0)
				good++, bad += !agrees(NULL, &n);
			if (board_read_field(r, BOARD_NODE, slot, offsetof(struct node_row, name), sizeof name, &head,
					     name) == 0)
				good++, bad += strtoul(name, NULL, 10) != head.generation;
			uint32_t at = board_at(r, BOARD_SENSOR, board_seek(r, BOARD_SENSOR, (uint64_t)slot << 32));
			bad += at >= HAMMERED && at != NO_SLOT;
		}
	}
	return bad ? 1 : good > 1000 ? 0 : 2;
}

static void no_row_is_ever_torn(void)
{
	struct board_writer *w = make(64, 1, 4);
	struct sensor_row s;
	struct node_row n;
	int status = -1;

	for (uint32_t slot = 0; slot < HAMMERED; slot++) {
		tell(slot, 1, &s, &n);
		board_put(w, BOARD_SENSOR, &s);
		board_put(w, BOARD_NODE, &n);
	}
	board_flip(w);
	int64_t until = clock_mono_ms() + 1000;
	pid_t child = fork();
	if (child == 0)
		_exit(hammer(dup(board_fd(w)), until));
	for (unsigned i = 2; waitpid(child, &status, WNOHANG) == 0; i++) {
		tell(i % HAMMERED, i, &s, &n);
		s.head.order = (uint64_t)(i % 7) << 32;
		board_put(w, BOARD_SENSOR, &s);
		board_put(w, BOARD_NODE, &n);
		if (i % 16 == 0)
			board_flip(w);
	}
	CU_ASSERT(WIFEXITED(status));
	CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
	board_free(w);
}

static void a_writer_that_died_in_a_row_says_busy(void)
{
	struct board_writer *w = make(64, 1, 1);
	struct board_reader *r = look_at(w);
	struct node_row row;
	struct board_layout layout;
	struct board_limits limits;

	put_node(w, 1, 1, "n1");
	board_limits_for(64, 1, 1, &limits);
	CU_ASSERT_FATAL(board_layout_for(limits.rows, 1024 + (64 + 64) / 8, &layout));
	/* the writer's map is the only writable one: its view of slot 0 leads to it */
	uint8_t *base = (uint8_t *)(uintptr_t)board_peek(w, BOARD_NODE, 0) - layout.tables[BOARD_NODE].row;
	((uint32_t *)(void *)(base + layout.tables[BOARD_NODE].sequence))[1]++;
	CU_ASSERT_EQUAL(board_read(r, BOARD_NODE, 1, &row), ERR_BUSY);
	CU_ASSERT_EQUAL(board_row_sequence(r, BOARD_NODE, 1) & 1, 1);
	board_unmap(r);
	board_free(w);
}

static void the_segment_is_sealed(void)
{
	struct board_writer *w = make(64, 1, 1);
	int fd = board_fd(w);

	CU_ASSERT_EQUAL(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	CU_ASSERT_EQUAL(ftruncate(fd, 0), -1);
	CU_ASSERT_EQUAL(write(fd, "x", 1), -1);
	board_free(w);
}

static int segment_of(const void *bytes, size_t size, unsigned seals)
{
	int fd = memfd_create("t", MFD_ALLOW_SEALING);

	if (write(fd, bytes, size) != (ssize_t)size || fcntl(fd, F_ADD_SEALS, seals) != 0)
		abort();
	return fd;
}

static void what_is_no_board_is_refused(void)
{
	enum { SIZE = 1 << 16, BOTH = F_SEAL_SHRINK | F_SEAL_GROW };
	static uint8_t junk[SIZE];
	struct board_header *h = (void *)junk;
	int pipes[2];

	CU_ASSERT_PTR_NULL(board_map(segment_of(junk, SIZE, BOTH)));
	*h = (struct board_header){.magic = BOARD_MAGIC, .bytes = SIZE, .texts = 1};
	CU_ASSERT_PTR_NULL(board_map(segment_of(junk, SIZE, BOTH))); /* no rows */
	for (int t = 0; t < BOARD_TABLE_COUNT; t++)
		h->tables[t].rows = 1;
	CU_ASSERT_PTR_NULL(board_map(segment_of(junk, SIZE, BOTH))); /* size does not fit */
	struct board_layout layout;
	uint32_t rows[BOARD_TABLE_COUNT];
	for (int t = 0; t < BOARD_TABLE_COUNT; t++)
		rows[t] = 1;
	CU_ASSERT_FATAL(board_layout_for(rows, 1, &layout) && layout.bytes <= SIZE);
	h->bytes = layout.bytes;
	CU_ASSERT_PTR_NULL(board_map(segment_of(junk, layout.bytes, 0))); /* not sealed */
	struct board_reader *r = board_map(segment_of(junk, layout.bytes, BOTH));
	CU_ASSERT_PTR_NOT_NULL(r);
	board_unmap(r);
	h->tables[BOARD_NODE].rows = UINT32_MAX;
	CU_ASSERT_PTR_NULL(board_map(segment_of(junk, layout.bytes, BOTH)));
	CU_ASSERT_EQUAL_FATAL(pipe(pipes), 0);
	CU_ASSERT_PTR_NULL(board_map(pipes[0]));
	close(pipes[1]);
	CU_ASSERT_PTR_NULL(board_map(segment_of(junk, 10, BOTH)));
}

static void ten_thousand_nodes_fit(void)
{
	struct board_writer *w = make(10000, 20, 40);

	printf("\n    10,000 nodes, 20 values, 40 sensors: %.1f MiB\n", (double)board_bytes(w) / (1 << 20));
	CU_ASSERT(board_bytes(w) < 64u << 20);
	board_free(w);
}

static const struct unit_test tests[] = {
    {"rows come out as they were put", rows_come_out_as_put},
    {"news are rows that changed, not readings", news_are_rows_that_changed_not_readings},
    {"packed rows come out as they were put", packed_rows_come_out_as_put},
    {"a reading changes in place", a_reading_changes_in_place},
    {"parts of a row change in place", parts_of_a_row_change_in_place},
    {"single fields carry their head", single_fields_carry_their_head},
    {"the index follows random changes", index_follows_random_changes},
    {"seek finds the first not below", seek_finds_the_first_not_below},
    {"free slots are lowest first", free_slots_are_lowest_first},
    {"places of texts are used again", texts_are_used_again},
    {"a full text table is counted", a_full_text_table_is_counted},
    {"no row is ever torn", no_row_is_ever_torn},
    {"a writer that died in a row: busy", a_writer_that_died_in_a_row_says_busy},
    {"the segment is sealed", the_segment_is_sealed},
    {"what is no board is refused", what_is_no_board_is_refused},
    {"10,000 nodes stay below 64 MiB", ten_thousand_nodes_fit},
};

UNIT_MAIN("board", tests)
