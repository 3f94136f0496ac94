/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines that no file has as they are drawn: a file's data with the engine's newest values in its place, and many files folded into one
 * line. Worked out here into arrays, which draw.c hands to librrd. */
#ifndef GLORY_RRD_GRAPHER_FOLD_H
#define GLORY_RRD_GRAPHER_FOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "rrd/graph.h"

struct folded { /* row k is of the step that ends at start_s + (k + 1) * step_s; NAN: unknown */
	int64_t start_s;
	uint32_t step_s, rows;
	double *mean, *least, *most; /* owned */
};
/* A file with its line's newest points: at one second, since that is how they may come. False: nothing of that time is known. */
bool fold_points(struct graph_request *r, uint32_t line, const char *directory, struct folded *out);
/* The line's sources as one. top (room for GRAPH_TOP; NULL: not wanted) gets the sources with the highest mean, highest first, as lines of
 * their own; their number is returned in *top_count, their indexes in top_source. */
bool fold_sources(struct graph_request *r, uint32_t line, const char *directory, struct folded *out, struct folded *top, uint32_t *top_source,
		  uint32_t *top_count);
void folded_free(struct folded *f);

#endif
