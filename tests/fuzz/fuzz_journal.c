/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The recorder reads a journal that the disk or somebody else changed. What it hands on must be sound. To get past the
 * check of a record, the input is taken as bodies (kind, length, bytes) that get a right check; with a first byte of 0
 * it is taken as it is. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../rrd/journal.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint16_t counts[1 << 12];

static void on_series(void *arg, uint32_t number, const struct series_definition *d)
{
	(void)arg;
	if (!names_path_is_sound(d->path) || strstr(d->path, "..") || d->count == 0 || d->count > SERIES_DS_MAX ||
	    d->step_s == 0)
		abort();
	for (uint32_t i = 0; i < d->count; i++) {
		if (strlen(d->names[i]) == 0 || strlen(d->names[i]) >= sizeof d->names[i])
			abort();
	}
	if (number < COUNT_OF(counts))
		counts[number] = d->count;
}

static void on_row(void *arg, uint32_t segment, const struct ring_row *row)
{
	double *sum = arg;

	(void)segment;
	if (row->series < COUNT_OF(counts) && counts[row->series] != row->count)
		abort();
	for (uint32_t i = 0; i < row->count; i++)
		*sum += row->values[i];
}

static size_t dress(uint32_t version, const uint8_t *data, size_t size, uint8_t *out, size_t room)
{
	struct head_body head = {.segment = 1, .version = version};
	struct record r = {.magic = MAGIC, .kind = RECORD_HEAD, .length = sizeof head};
	size_t at = 0, used;

	r.check = check_of(version, &r, &head);
	memcpy(out, &r, sizeof r);
	memcpy(out + sizeof r, &head, sizeof head);
	used = sizeof r + sizeof head;
	while (size - at >= 2) {
		size_t length = (size_t)data[at + 1] * 8;

		r.kind = data[at] % 4;
		at += 2;
		if (length > size - at)
			length = (size - at) / 8 * 8;
		if (room - used < sizeof r + length)
			break;
		r.length = (uint32_t)length;
		memcpy(out + used + sizeof r, data + at, length);
		r.check = check_of(version, &r, out + used + sizeof r);
		memcpy(out + used, &r, sizeof r);
		used += sizeof r + length;
		at += length;
		if (length == 0 && at >= size)
			break;
	}
	return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static _Alignas(8) uint8_t dressed[1 << 16];
	double sum = 0;
	struct journal_reader reader = {on_series, on_row, &sum};

	memset(counts, 0, sizeof counts);
	if (size == 0)
		return 0;
	if (data[0] == 0) {
		if (journal_read(data + 1, size - 1, 1, &reader) > size - 1)
			abort();
		return 0;
	}
	size_t used = dress(1 + data[0] % 2, data + 1, size - 1, dressed, sizeof dressed);
	if (journal_read(dressed, used, 1, &reader) > used)
		abort();
	return 0;
}
