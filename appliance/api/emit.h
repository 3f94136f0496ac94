/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes text for a response, JSON above all, into one growing buffer that is emptied piece by piece, so that a list of
 * 10,000 rows never stands in memory as a whole. Commas are put by the writer. */
#ifndef GLORY_API_EMIT_H
#define GLORY_API_EMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct emit {
	char *text; /* not terminated; owned */
	size_t used, room;
	bool comma; /* a value stands before this place in the same array or object */
};

void emit_free(struct emit *e);
/* Bytes as they are, and formatted text as it is. */
void emit_bytes(struct emit *e, const char *bytes, size_t size);
void emit_text(struct emit *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* JSON (RFC 8259) */
void emit_open(struct emit *e, char bracket);  /* '{' or '[' */
void emit_close(struct emit *e, char bracket); /* '}' or ']' */
void emit_key(struct emit *e, const char *key);
void emit_string(struct emit *e, const char *text);         /* control bytes and invalid UTF-8 become '?' */
void emit_string_or_null(struct emit *e, const char *text); /* "" is null */
void emit_integer(struct emit *e, int64_t value);
void emit_unsigned(struct emit *e, uint64_t value);
void emit_number(struct emit *e, double value); /* not finite: null */
void emit_bool(struct emit *e, bool value);
void emit_null(struct emit *e);
void emit_time(struct emit *e, int64_t wall_ms);               /* RFC 3339; 0: null */
void emit_json(struct emit *e, const char *json, size_t size); /* one value that is JSON already */

/* Text inside HTML, and inside a label value of the metrics format. */
void emit_html(struct emit *e, const char *text);
void emit_label(struct emit *e, const char *text);

#endif
