/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a run over OpenSSH's client ended, from what is seen of it: exit status, what it said, whether it was inside already. Pure. */
#ifndef GLORY_CONTROL_ENDED_H
#define GLORY_CONTROL_ENDED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/words.h"
#include "proc/children.h"

struct run_seen {
	enum child_end how;
	int code;            /* exit code or signal */
	bool shared;         /* it went over a connection that was there before: what ssh says of logging in is missing */
	const char *errors;  /* what ssh said (LogLevel VERBOSE), terminated */
	const char *output;  /* the end of what the node's script said, terminated */
	const char *host;    /* for the text */
	unsigned deadline_s;
};
/* The end, and one line of why into text ("" for ENDED_DONE). */
enum run_ended control_ended(const struct run_seen *seen, char *text, size_t size);
/* The same for a driver program that ran here. empty: it printed nothing. */
enum run_ended control_ended_here(const struct run_seen *seen, bool empty, char *text, size_t size);

/* The last line of a text that is not blank, printable, into out; "" when there is none. */
void control_last_line(const char *text, char *out, size_t size);

#endif
