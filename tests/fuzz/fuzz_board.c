/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A face maps whatever a hostile engine gives it: bytes as a segment (first byte 0), or a good segment with bytes
 * changed (else, by triples of place and value). Every reader's call must stay inside and every text must end. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "board/board.h"
#include "board/board_layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t *good;
static size_t good_size;

static void make_good(void)
{
	struct board_limits limits;
	for (int i = 0; i < BOARD_TABLE_COUNT; i++)
		limits.rows[i] = 4;
	limits.rows[BOARD_APPLIANCE] = limits.rows[BOARD_CLUSTER] = 1;
	struct board_writer *w = board_create(1, &limits);
	struct sensor_row s = {.head = {.generation = 1, .slot = 1, .order = 5}, .name = "fan", .text = "fine"};
	struct node_row n = {.head = {.generation = 1, .slot = 2, .order = 2}, .name = "n1"};

	board_put(w, BOARD_SENSOR, &s);
	board_put(w, BOARD_NODE, &n);
	board_flip(w);
	good_size = board_bytes(w);
	good = malloc(good_size);
	if (!good || pread(board_fd(w), good, good_size, 0) != (ssize_t)good_size)
		abort();
	board_free(w);
}

static int segment(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_ALLOW_SEALING);
	uint8_t *copy = malloc(good_size);

	if (fd < 0 || !copy)
		abort();
	memcpy(copy, good, good_size);
	for (size_t i = 1; data[0] && i + 2 < size; i += 3) /* most of what matters stands in front */
		copy[((size_t)data[i] << 8 | data[i + 1]) % good_size] = data[i + 2];
	if (data[0] ? write(fd, copy, good_size) < 0 : write(fd, data + 1, size - 1) < 0)
		abort();
	free(copy);
	fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
	return fd;
}

static void read_row(const struct board_reader *r, enum board_table table, uint32_t slot)
{
	union board_any_row row;
	struct row_head head;
	uint8_t field[16];

	if (board_read(r, table, slot, &row) == 0 && table == BOARD_SENSOR &&
	    !text_terminated(row.sensor.text, sizeof row.sensor.text))
		abort();
	board_read_field(r, table, slot, board_row_size(table) - 16, 16, &head, field);
	board_live(r, table, slot);
	board_row_sequence(r, table, slot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!good) {
		log_open("fuzz", 0, false);
		make_good();
	}
	if (size < 2)
		return 0;
	struct board_reader *r = board_map(segment(data, size));
	for (int t = 0; r && t < BOARD_TABLE_COUNT; t++) {
		for (uint32_t i = 0; i < board_count(r, t) && i < 64; i++)
			read_row(r, t, board_at(r, t, i));
		for (uint32_t i = 0; i < 8; i++)
			read_row(r, t, i);
		board_seek(r, t, size);
		board_version(r, t);
		board_news(r, t);
	}
	board_unmap(r);
	return 0;
}
