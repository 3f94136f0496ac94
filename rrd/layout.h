/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stands in an RRD file: the table of archives (contracts, section 5) and the arguments that make a file of it. */
#ifndef GLORY_RRD_LAYOUT_H
#define GLORY_RRD_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rrd/names.h"

struct layout_archive {
	uint32_t resolution_s;
	uint32_t span_s;
	bool min_max; /* MIN and MAX beside AVERAGE */
};
#define LAYOUT_ARCHIVES 5
extern const struct layout_archive layout_archives[LAYOUT_ARCHIVES];

#define LAYOUT_ARGUMENTS_MAX (48 + 3 * LAYOUT_ARCHIVES)
struct layout_arguments {
	int count;
	const char *pointers[LAYOUT_ARGUMENTS_MAX];
	char text[LAYOUT_ARGUMENTS_MAX][64];
};
/* The DS and RRA arguments of rrd_create_r() for a file of gauges. An archive is made when its resolution is a multiple
 * of the step (so a file with a step of 300 s begins at 10 minutes). False for a step that fits no archive, or a count
 * that is 0 or above 48. */
bool layout_arguments(uint32_t step_s, const char (*names)[NAMES_SOURCE_SIZE], uint32_t count,
		      struct layout_arguments *out);
/* Rows of all archives together; each has a value for every source. */
uint64_t layout_rows(uint32_t step_s);
/* Size of the file, close enough to ask whether the disk has room. */
uint64_t layout_bytes(uint32_t step_s, uint32_t count);

#endif
