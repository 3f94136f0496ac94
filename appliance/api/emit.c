/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The response writer; see emit.h. Called by everything in the api role that answers. */
#include "api/emit.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

static void reserve(struct emit *e, size_t more)
{
	if (e->room - e->used >= more)
		return;
	size_t room = e->room ? e->room * 2 : 4096;
	while (room - e->used < more)
		room *= 2;
	e->text = mem_grow(e->text, room, 1);
	e->room = room;
}

void emit_free(struct emit *e)
{
	free(e->text);
	*e = (struct emit){0};
}

void emit_bytes(struct emit *e, const char *bytes, size_t size)
{
	if (size == 0)
		return;
	reserve(e, size);
	memcpy(e->text + e->used, bytes, size);
	e->used += size;
}

void emit_text(struct emit *e, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	int n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (n <= 0)
		return;
	reserve(e, (size_t)n + 1);
	va_start(ap, format);
	vsnprintf(e->text + e->used, (size_t)n + 1, format, ap);
	va_end(ap);
	e->used += (size_t)n;
}

static void begin_value(struct emit *e)
{
	if (e->comma)
		emit_bytes(e, ",", 1);
	e->comma = true;
}

void emit_open(struct emit *e, char bracket)
{
	begin_value(e);
	emit_bytes(e, &bracket, 1);
	e->comma = false;
}

void emit_close(struct emit *e, char bracket)
{
	emit_bytes(e, &bracket, 1);
	e->comma = true;
}

/* How far the text is plain ASCII that no writer has to escape: nearly always all of it. */
static size_t plain_length(const char *text)
{
	size_t n = 0;

	while (text[n] >= ' ' && text[n] < 0x7f && !strchr("\"\\<>&'", text[n]))
		n++;
	return n;
}

/* Writes a printable copy of the text, each byte either itself or as `escape` says. */
static void escaped(struct emit *e, const char *text, const char *(*escape)(char c))
{
	size_t plain = plain_length(text);

	if (text[plain] == '\0') {
		emit_bytes(e, text, plain);
		return;
	}
	char *copy = mem_strdup(text);

	text_make_printable(copy);
	for (const char *p = copy, *from = p;; p++) {
		const char *other = *p ? escape(*p) : NULL;
		if (*p && !other)
			continue;
		emit_bytes(e, from, (size_t)(p - from));
		if (!*p)
			break;
		emit_bytes(e, other, strlen(other));
		from = p + 1;
	}
	free(copy);
}

static const char *json_escape(char c)
{
	return c == '"' ? "\\\"" : c == '\\' ? "\\\\" : NULL;
}

static const char *html_escape(char c)
{
	return c == '<'    ? "&lt;"
	       : c == '>'  ? "&gt;"
	       : c == '&'  ? "&amp;"
	       : c == '"'  ? "&quot;"
	       : c == '\'' ? "&#39;"
			   : NULL;
}

void emit_string(struct emit *e, const char *text)
{
	begin_value(e);
	emit_bytes(e, "\"", 1);
	escaped(e, text, json_escape);
	emit_bytes(e, "\"", 1);
}

void emit_string_or_null(struct emit *e, const char *text)
{
	if (text && text[0])
		emit_string(e, text);
	else
		emit_null(e);
}

void emit_key(struct emit *e, const char *key)
{
	emit_string(e, key);
	emit_bytes(e, ":", 1);
	e->comma = false;
}

void emit_integer(struct emit *e, int64_t value)
{
	begin_value(e);
	emit_text(e, "%" PRId64, value);
}

void emit_unsigned(struct emit *e, uint64_t value)
{
	begin_value(e);
	emit_text(e, "%" PRIu64, value);
}

void emit_number(struct emit *e, double value)
{
	if (!isfinite(value)) {
		emit_null(e);
		return;
	}
	begin_value(e);
	emit_text(e, "%.12g", value);
}

void emit_bool(struct emit *e, bool value)
{
	begin_value(e);
	emit_text(e, "%s", value ? "true" : "false");
}

void emit_null(struct emit *e)
{
	begin_value(e);
	emit_bytes(e, "null", 4);
}

void emit_time(struct emit *e, int64_t wall_ms)
{
	char text[32];

	if (wall_ms == 0)
		emit_null(e);
	else
		emit_string(e, clock_text(wall_ms, text, sizeof text));
}

void emit_json(struct emit *e, const char *json, size_t size)
{
	begin_value(e);
	emit_bytes(e, json, size);
}

void emit_html(struct emit *e, const char *text)
{
	escaped(e, text, html_escape);
}

void emit_label(struct emit *e, const char *text)
{
	escaped(e, text, json_escape); /* the same two bytes need a backslash there */
}
