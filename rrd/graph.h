/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What glory-grapher is asked for: one picture of one to eight data sources. The engine fills the struct into a memfd
 * and has the supervisor start the program with it as standard input (MSG_HELPER_RUN); the picture comes out of the
 * passed pipe, nothing comes when it failed (the reason is in the log). Zero the struct first. */
#ifndef GLORY_RRD_GRAPH_H
#define GLORY_RRD_GRAPH_H

#include <stdint.h>

#include "base/words.h"

#define GRAPH_MAGIC 0x31677267u /* "grg1" */
#define GRAPH_LINES 8
#define GRAPH_THRESHOLDS 6
#define GRAPH_TEXT 64

enum graph_format { GRAPH_PNG = 1, GRAPH_SVG = 2 };

struct graph_threshold {
	double value;
	uint32_t level; /* enum level: warning, major, critical */
	uint32_t below; /* 1: it is crossed downwards */
};

struct graph_line {
	char site[GRAPH_TEXT], group[GRAPH_TEXT], node[GRAPH_TEXT]; /* as in struct msg_series */
	char file[GRAPH_TEXT];
	char source[8];         /* "snmp", "bmc", "check" */
	char name[20];          /* data source; folded as the recorder does */
	char unit[12];          /* "percent", "B/s", "C"; "" none */
	char label[GRAPH_TEXT]; /* in the legend; "" takes the name */
	uint32_t threshold_count;
	uint32_t pad[2];
	struct graph_threshold thresholds[GRAPH_THRESHOLDS];
};

struct graph_request {
	uint32_t magic;
	uint32_t format;        /* enum graph_format */
	int64_t from_s, to_s;   /* wall clock, seconds */
	uint32_t width, height; /* of the whole picture in pixels; 0: 800 x 300 */
	uint32_t local_time;    /* 0: the time axis is UTC */
	uint32_t line_count;
	char title[96];
	struct graph_line lines[GRAPH_LINES];
};

#endif
