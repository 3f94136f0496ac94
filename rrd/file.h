/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One RRD file, through librrd but for rows that need none of its choices (update.h): make it, learn what it holds, hand it
 * many rows in one call. Everything here blocks and belongs to the writer thread. */
#ifndef GLORY_RRD_FILE_H
#define GLORY_RRD_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "rrd/names.h"

struct cached_row;

enum file_result {
	FILE_WRITTEN = 0,
	FILE_FULL,    /* no space on the disk */
	FILE_FAILED,  /* another error: try again later */
	FILE_HOPELESS /* reading or writing the map of the file raised SIGBUS: not touched again in this life */
};

/* What is known of a file; zero: nothing yet. */
struct file_state {
	bool known; /* it exists and was looked at */
	bool hopeless;
	int64_t last_s;    /* time of its newest row */
	char *order;       /* "-t" argument when its data sources are not ours in our order, else NULL */
	uint64_t left_out; /* with order: bit set for a source of ours the file has not */
};
void file_forget(struct file_state *state);

struct file_series {      /* what a series tells about its file */
	const char *path; /* absolute */
	uint32_t step_s, count;
	const char (*names)[NAMES_SOURCE_SIZE];
};

/* Installs the handler that turns a SIGBUS inside librrd into FILE_HOPELESS. Call once, before the writer thread
 * starts. */
void file_guard(void);
bool file_exists(const char *path);
/* Makes the file (and its directories) so that a row of first_s fits; fills in *state where it is known then, or file_look() does. */
enum file_result file_create(const struct file_series *series, int64_t first_s, struct file_state *state, char *why, size_t why_size);
/* Looks at a file that exists. One that is no RRD, has none of our sources, or ends more than a day behind first_s's
 * future is moved aside with a word in the log and FILE_FAILED is returned with *moved true: create it then. */
enum file_result file_look(const struct file_series *series, int64_t first_s, struct file_state *state, bool *moved,
			   char *why, size_t why_size);
/* Writes the rows that are later than the file's newest. *written: how many of the rows are in the file or too old for
 * it. */
enum file_result file_write(const struct file_series *series, struct file_state *state, const struct cached_row *rows,
			    const double *values, uint32_t count, uint32_t *written, char *why, size_t why_size);

#endif
