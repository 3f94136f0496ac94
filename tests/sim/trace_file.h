/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A recorded load as a file: lines of "seconds,requests", for replay.c. */
#ifndef GLORY_SIM_TRACE_FILE_H
#define GLORY_SIM_TRACE_FILE_H

#include <stddef.h>

#include "base/error.h"
#include "tests/sim/traces.h"

enum { TRACE_FILE_DAYS_LEAST = 2, TRACE_FILE_BYTES_MOST = 64 << 20, TRACE_FILE_BIN_S = 300 };

/* Reads text (size bytes, any bytes) into the load of each tick, its maximum 1: means of 5 minutes, linear between their middles, times 1 + .03 white
 * noise, which five minutes hide. Each line is the seconds since any beginning, a comma, and how many requests came then, in any unit that is the
 * same for all lines; seconds grow from line to line, best evenly. A first line without numbers is a heading; empty ones and those that begin with # do
 * not count. What is missing is bridged, linear. throw: 0, 1, ... of the noise's dice. Returns the number of whole days, 2 to 14 (what is longer is
 * cut), or ERR_CONFIG, the line that is wrong in *e. */
int trace_file_parse(const char *text, size_t size, unsigned throw, double out[TRACE_TICKS], struct error *e);
/* The same of a file of at most 64 MiB; ERR_NOT_FOUND when it cannot be read. */
int trace_file_read(const char *path, unsigned throw, double out[TRACE_TICKS], struct error *e);

#endif
