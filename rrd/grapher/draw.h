/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Draws a checked request with librrd; glory-grapher and its test. */
#ifndef GLORY_RRD_GRAPHER_DRAW_H
#define GLORY_RRD_GRAPHER_DRAW_H

#include <stddef.h>
#include <stdint.h>

#include "rrd/graph.h"

/* The picture, malloc'd, its size in *size. NULL with the reason in why. A line without a file or data is said so in
 * the picture. */
uint8_t *draw_request(struct graph_request *request, const char *directory, size_t *size, char *why,
		      size_t why_size);

#endif
