/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bounded text: copies that always terminate, numbers that are really numbers, names that are really names. */
#ifndef GLORY_BASE_TEXT_H
#define GLORY_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies from into to (of size bytes), cutting and always terminating. Returns true when nothing was cut. */
bool text_copy(char *to, size_t size, const char *from);
/* snprintf that returns true when all of it fitted. */
bool text_format(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Appends formatted text at *used; false (and *used == size - 1) when it was cut. */
bool text_append(char *to, size_t size, size_t *used, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* True when the fixed-size field is terminated inside itself: the first check on any text that came in a message. */
bool text_terminated(const char *field, size_t size);
/* Decimal integer, the whole string, within [low, high]. False otherwise; *out untouched. */
bool text_integer(const char *text, int64_t low, int64_t high, int64_t *out);
/* Decimal number with fraction, the whole string, finite. */
bool text_number(const char *text, double *out);
/* "90", "90s", "15m", "6h", "3d", "2w": a time in seconds within [low, high]. False otherwise; *out untouched. */
bool text_seconds(const char *text, int64_t low, int64_t high, int64_t *out);
/* The shortest such text: 5400 is "90m". */
void text_of_seconds(int64_t seconds, char *out, size_t size);
/* Object names: [A-Za-z0-9][A-Za-z0-9_.-]{0,max-1}, no "..". */
bool text_is_name(const char *text, size_t max);
/* Item names, which are RRD data-source names: [a-z][a-z0-9_]{0,18}. */
bool text_is_item_name(const char *text);
/* Replaces bytes below 0x20, 0x7f and invalid UTF-8 by '?', in place: for text of the outside that will be shown. */
void text_make_printable(char *text);
/* Bytes as lower-case hexadecimal digits, cut to whole bytes; returns out. And back: how many bytes, 0 when it is none or does not
 * fit into room. */
const char *text_hex(const uint8_t *bytes, size_t count, char *out, size_t size);
size_t text_hex_bytes(const char *text, uint8_t *out, size_t room);
/* FNV-1a, 64 bit: stable hash of a name (spreading polls, repeat keys). */
uint64_t text_hash(const void *data, size_t size);

#endif
