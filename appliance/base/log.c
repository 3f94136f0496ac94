/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Log lines; see log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

#include "base/text.h"

static struct {
	const char *who;
	enum log_level most_verbose;
	bool to_syslog;
	bool prefix;
} state = {"glory", LOG_LEVEL_INFO, false, false};

void log_open(const char *who, enum log_level most_verbose, bool to_syslog)
{
	state.who = who;
	state.most_verbose = most_verbose;
	state.to_syslog = to_syslog;
	state.prefix = getenv("JOURNAL_STREAM") != NULL;
	if (to_syslog)
		openlog(who, LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void log_line(enum log_level level, const char *format, ...)
{
	char text[1024], line[1200];
	va_list ap;

	if (level > state.most_verbose)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	text_make_printable(text);
	if (state.to_syslog) {
		syslog((int)level, "%s", text);
		return;
	}
	int n = state.prefix ? snprintf(line, sizeof line, "<%d>%s: %s\n", (int)level, state.who, text)
			     : snprintf(line, sizeof line, "%s%s: %s\n", level <= LOG_LEVEL_WARNING ? "! " : "", state.who, text);
	if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
		return; /* nobody reads the log; there is nowhere to say so */
}

bool log_damper_pass(struct log_damper *damper, int64_t now_ms, unsigned *held)
{
	if (now_ms < damper->next_ms) {
		damper->held++;
		return false;
	}
	if (now_ms > damper->next_ms + 2 * damper->gap_ms)
		damper->gap_ms = 500;
	damper->gap_ms = damper->gap_ms >= 150000 ? 300000 : damper->gap_ms * 2;
	damper->next_ms = now_ms + damper->gap_ms;
	*held = damper->held;
	damper->held = 0;
	return true;
}
