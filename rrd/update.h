/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows into an RRD file without librrd, for the one case nearly all rows of ours are: gauges without limits, AVERAGE, MIN and MAX, one
 * row for each step and none missing. The bytes are those that rrd_update_r() would leave; it costs a fifth, as the file is neither
 * mapped nor the rows turned into text, and the head is one write. Whatever is not exactly so is left to librrd. Called by file.c;
 * belongs to the writer thread. */
#ifndef GLORY_RRD_UPDATE_H
#define GLORY_RRD_UPDATE_H

#include <stddef.h>
#include <stdint.h>

enum { UPDATE_VALUE_TEXT = 26, UPDATE_ROWS_MAX = 64 }; /* ":-1.2345678901e+300" and then some */

struct update_row {
	int64_t time_s;
	const double *values; /* NULL: all unknown */
};

enum update_result {
	UPDATE_DONE = 0,
	UPDATE_NOT_OURS, /* the file or the rows are of another kind, or it cannot be opened: untouched */
	UPDATE_FAILED,	 /* errno; the file is as before but for rows that had reached their end */
	UPDATE_TORN,	 /* errno; its head is half written and could not be put back */
};

/* `rows` rows, at most UPDATE_ROWS_MAX, of `count` values each. */
enum update_result update_direct(const char *path, uint32_t step_s, uint32_t count, const struct update_row *rows, int row_count);
/* ":" and a number as librrd's parser takes it, to a millionth of itself or better; returns its length. */
size_t update_value_text(char out[UPDATE_VALUE_TEXT], double value);

#endif
