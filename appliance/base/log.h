/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Log lines: one line each, lower case, "object: what happened: what to do". Never a secret. To stderr (a terminal or journald,
 * with the "<N>" priority prefix of sd-daemon(3) when JOURNAL_STREAM is set) or to syslog. */
#ifndef GLORY_BASE_LOG_H
#define GLORY_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING = 4, LOG_LEVEL_INFO = 6, LOG_LEVEL_DEBUG = 7 };

/* who: the role's name in front of every line (kept by pointer). to_syslog: syslog(3) instead of stderr. */
void log_open(const char *who, enum log_level most_verbose, bool to_syslog);
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* Damping of a complaint that may repeat thousands of times: true when this one should be written, at growing gaps
 * (1 s doubling to 5 min); *held then says how many were held back since. Zero-initialise. */
struct log_damper {
	int64_t next_ms;
	int64_t gap_ms;
	unsigned held;
};
bool log_damper_pass(struct log_damper *damper, int64_t now_ms, unsigned *held);

#endif
