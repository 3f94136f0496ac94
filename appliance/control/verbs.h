/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What may be done on a node over the node-control channel: one table of verbs, which the engine, the runner and gloryctl read, and which the
 * node's own script (glory-node) carries again as its table; test_verbs compares the two. A line is "VERB key=value ...", one blank between
 * words, values percent-encoded, at most CONTROL_LINE - 1 bytes. Pure. */
#ifndef GLORY_CONTROL_VERBS_H
#define GLORY_CONTROL_VERBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/words.h"

#define CONTROL_LINE 1024       /* with the zero: the text of struct msg_run */
#define CONTROL_VALUE 256       /* longest value, decoded, with the zero */
#define CONTROL_PARAMETERS 32   /* p.KEY=VALUE of one line */

/* What the node's script ends with; its own words, beside what a program it ran gave. */
enum control_exit { CONTROL_DONE = 0, CONTROL_FAILED = 1, CONTROL_NOT_RUNNING = 7, CONTROL_USAGE = 64, CONTROL_UNAVAILABLE = 69,
		    CONTROL_NO_SPACE = 73, CONTROL_BUSY = 75, CONTROL_LATE = 124 };

/* Which characters a value may have; the script has the same names. */
enum control_kind {
	CONTROL_NAME = 1, /* "name": an object's name, as text_is_name() */
	CONTROL_AGENT,    /* "agent": systemd:UNIT or ocf:PROVIDER:NAME */
	CONTROL_WORD,     /* "word": a-z, 0-9 and '-' */
	CONTROL_PACKAGE,  /* "package": as dpkg has it */
	CONTROL_VERSION,  /* "version": as dpkg has it */
	CONTROL_SOURCE,   /* "source": an apt source line, a URL or a path */
	CONTROL_DIGEST,   /* "digest": 64 hexadecimal digits */
	CONTROL_PATH,     /* "path": absolute, without "..", not "/" */
	CONTROL_TEXT,     /* "text": printable ASCII */
	CONTROL_NUMBER,   /* "number": 1 to 86400 */
	CONTROL_TOKEN,    /* "token": 1 to 999999999999999 */
	CONTROL_KIND_COUNT
};
const char *control_kind_name(int kind);

struct control_argument {
	const char *name; /* "p." : any p.KEY, KEY a shell variable's name */
	enum control_kind kind;
	bool required;
};

#define CONTROL_ARGUMENTS 8
struct control_verb {
	const char *word, *help;
	uint32_t deadline_s;  /* when nobody says another */
	enum right right;     /* an actor needs */
	bool people;          /* may be typed: gloryctl node run */
	bool repeatable;      /* doing it twice does no harm: an interrupted job does it again */
	bool input;           /* reads its standard input */
	struct control_argument arguments[CONTROL_ARGUMENTS]; /* name NULL ends */
};

/* The table, in the order of the script; index from 0, NULL behind the last. */
const struct control_verb *control_verb_at(size_t index);
const struct control_verb *control_verb_find(const char *word); /* NULL: no such verb */

/* --- building: begin, then add each argument, in any order. False: not allowed or too long; the line is not to be used then. */
bool control_line_begin(char line[CONTROL_LINE], const char *verb);
bool control_line_add(char line[CONTROL_LINE], const char *key, const char *value);

/* --- checking: a whole line against the table. 0, or ERR_CONFIG with object, cause and remedy. *verb (may be NULL) is what it asks for. "deadline"
 * (seconds) and "token" (of the engine's life) are arguments of every verb. */
int control_line_check(const char *line, const struct control_verb **verb, struct error *e);
/* The decoded value of a key of a checked line into out; false: it has none. */
bool control_line_value(const char *line, const char *key, char *out, size_t size);

/* The table as the script prints it with --table: a line per verb, "hello 15" or "service-start 120 agent=agent! name=name! p.=text". malloc'd. */
char *control_table_text(void);

#endif
