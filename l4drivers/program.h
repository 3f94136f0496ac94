/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Programs and UNIX sockets that drivers beside the balancer talk to: text in, text out, bounded, below the run's deadline. */
#ifndef GLORY_L4_PROGRAM_H
#define GLORY_L4_PROGRAM_H

#include "l4drivers/driver.h"

#define PROGRAM_OUTPUT_MAX (16u << 20)

struct program_text { /* grows; terminated with a zero that is not counted */
	char *text;
	size_t size, room;
};
void program_text_clear(struct program_text *t);
void program_text_add(struct program_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Runs argv[0] (an absolute path) with an empty environment but PATH, `input` on its standard input and its standard output into *output
 * (cleared before); when it fails, what it said on its standard error follows. The exit status; ERR_REMOTE (late, more than
 * PROGRAM_OUTPUT_MAX, killed), ERR_NOT_FOUND (not installed) or ERR_NO_RESOURCE (no pipe, no process) with *e. */
int program_run(const struct driver_run *run, const char *const *argv, const char *input, struct program_text *output, struct error *e);
/* One command over a UNIX stream socket that answers and closes. 0, ERR_REMOTE or ERR_CONFIG (the path) with *e. */
int program_ask(const struct driver_run *run, const char *socket_path, const char *command, struct program_text *output, struct error *e);
/* A whole file of at most `most` bytes; ERR_NOT_FOUND, ERR_CONFIG, ERR_NO_RESOURCE with *e. */
int program_read_file(const struct driver_run *run, const char *path, size_t most, struct program_text *output, struct error *e);
/* The last line that says something, printable, for an error's text. */
const char *program_last_line(const struct program_text *output, char *out, size_t size);

#endif
