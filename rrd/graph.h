/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What glory-grapher is asked for: one picture of one to twelve lines, each a data source, such a source with its newest values
 * as they stand in the engine's memory, or many sources folded into one. The engine writes a struct graph_request, then its
 * source_count sources, then its point_count points into a memfd and has the supervisor start the program with it as standard
 * input (MSG_HELPER_RUN); the picture comes out of the passed pipe, nothing comes when it failed (the reason is in the log).
 * Zero everything first. */
#ifndef GLORY_RRD_GRAPH_H
#define GLORY_RRD_GRAPH_H

#include <stdint.h>

#include "base/words.h"

#define GRAPH_MAGIC 0x32677267u /* "grg2" */
#define GRAPH_LINES 12
#define GRAPH_SOURCES 10000
#define GRAPH_POINTS 8000
#define GRAPH_TOP 3         /* sources with the highest mean that are drawn beside a median */
#define GRAPH_MEDIANS (GRAPH_LINES / (1 + GRAPH_TOP))
#define GRAPH_THRESHOLDS 6
#define GRAPH_TEXT 64

enum graph_format { GRAPH_PNG = 1, GRAPH_SVG = 2 };
/* How the sources of a line become one. MEDIAN: with a band from the least to the most, and the three highest by name. */
enum graph_fold { GRAPH_ONE = 0, GRAPH_MEAN, GRAPH_SUM, GRAPH_MEDIAN };

struct graph_source { /* one node's part of a folded line */
	char group[GRAPH_TEXT], node[GRAPH_TEXT], file[GRAPH_TEXT];
};
struct graph_point {
	int64_t time_ms; /* wall clock */
	double value;    /* NAN: unknown */
};

struct graph_threshold {
	double value;
	uint32_t level; /* enum level: warning, major, critical */
	uint32_t below; /* 1: it is crossed downwards */
};

struct graph_line {
	char site[GRAPH_TEXT], group[GRAPH_TEXT], node[GRAPH_TEXT]; /* as in struct msg_series; group, node, file: not of a folded one */
	char file[GRAPH_TEXT];
	char source[8];         /* "snmp", "bmc", "check", "service" */
	char name[20];          /* data source; folded as the recorder does */
	char unit[12];          /* "percent", "B/s", "C"; "" none */
	char label[GRAPH_TEXT]; /* in the legend; "" takes the name */
	uint32_t threshold_count;
	uint32_t fold;          /* enum graph_fold */
	uint32_t source_first, source_count; /* folded: at least one */
	uint32_t point_first, point_count;   /* ONE: its newest values, oldest first; they stand above what the file has of that time */
	uint32_t pad;
	struct graph_threshold thresholds[GRAPH_THRESHOLDS];
};

struct graph_request {
	uint32_t magic;
	uint32_t format;        /* enum graph_format */
	int64_t from_s, to_s;   /* wall clock, seconds */
	uint32_t width, height; /* of the whole picture in pixels; 0: 800 x 300 */
	uint32_t local_time;    /* 0: the time axis is UTC */
	uint32_t line_count;
	uint32_t source_count, point_count;
	char title[96];
	struct graph_line lines[GRAPH_LINES];
};
#define GRAPH_REQUEST_MAX \
	(sizeof(struct graph_request) + GRAPH_SOURCES * sizeof(struct graph_source) + GRAPH_POINTS * sizeof(struct graph_point))

static inline struct graph_source *graph_sources(struct graph_request *r)
{
	return (struct graph_source *)(r + 1);
}

static inline struct graph_point *graph_points(struct graph_request *r)
{
	return (struct graph_point *)(graph_sources(r) + r->source_count);
}

_Static_assert(sizeof(struct graph_request) % 8 == 0 && sizeof(struct graph_source) % 8 == 0, "what stands behind is aligned");

#endif
