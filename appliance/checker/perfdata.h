/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a check plugin prints (Monitoring Plugins Development Guidelines, sections 2.2 to 2.6): the first line's text, and performance
 * data: 'label'=value[unit];[warn];[crit];[min];[max], with blanks between. Pure; eats any bytes. Called by the checker. */
#ifndef GLORY_CHECKER_PERFDATA_H
#define GLORY_CHECKER_PERFDATA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/words.h"

#define PERF_LABEL 64

/* "10", "10:", "~:10", "10:20", "@10:20": a value outside is an alert, with '@' one inside. */
struct perf_range {
	bool set, inside;
	double low, high; /* -INFINITY and INFINITY where open */
};

struct perf_value {
	char label[PERF_LABEL];
	char unit[8];   /* "s", "percent", "B", "" or the plugin's own; ms, us, KB and so on are worked out */
	double value;   /* NAN: "U" */
	enum level level; /* by its own ranges: normal, warning, critical; unknown for "U" */
};

/* Reads a range, the whole text. False: it is none. "" is one that is not set. */
bool perf_range_parse(const char *text, struct perf_range *out);
bool perf_range_alerts(const struct perf_range *range, double value);
/* Takes performance data apart; what is not right is left out. Returns how many of at most `most` values. */
size_t perfdata_parse(const char *text, struct perf_value *out, size_t most);
/* The first line of the output, without its performance data, printable; and where that begins (NULL: none). Changes output. */
const char *perfdata_split(char *output, char **data);

/* Words of a plugin's arguments: blanks part them, '...' and "..." keep them together; no other character means anything.
 * $ADDRESS$ and $NAME$ are put in afterwards, so that they cannot make words. Returns the count, -1 when there are too many, they do
 * not fit, or a quotation is not ended. words point into room. */
int check_arguments(const char *arguments, const char *address, const char *name, char *room, size_t size, char **words, int most);

#endif
