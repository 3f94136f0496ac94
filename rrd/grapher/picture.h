/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a graph request to the arguments of rrd_graph_v(). Pure: no file is touched, librrd is not called. */
#ifndef GLORY_RRD_GRAPHER_PICTURE_H
#define GLORY_RRD_GRAPHER_PICTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "rrd/graph.h"
#include "rrd/names.h"

/* Checks a request of `size` bytes from outside (at least sizeof *request of room; what follows it is checked as well) and makes its texts
 * printable. 0, or ERR_CONFIG with the reason in why. */
int picture_check(struct graph_request *request, size_t size, char *why, size_t why_size);
/* The file of a line under the RRD directory, malloc'd; NULL when its names make none. */
char *picture_file(const struct graph_line *line, const char *directory);

struct picture {
	char **arguments; /* count of them, then NULL; owned */
	int count, room;
};
/* Where line i has data of the time asked for: nowhere, in its file, or in memory, where librrd asks for it as "cb//I" with the data
 * sources a, n, x (mean, least, most). Without any the picture says so. request is checked. */
enum picture_data { PICTURE_NOTHING, PICTURE_FILE, PICTURE_MEMORY };
void picture_build(const struct graph_request *request, const char *directory, const enum picture_data data[GRAPH_LINES],
		   struct picture *out);
void picture_free(struct picture *picture);

#endif
