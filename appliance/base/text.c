/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bounded text helpers; see text.h. */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Cut text must not end inside a character: half of one is no text any more, for JSON and for every face. */
static void drop_half_character(char *to, size_t length)
{
	size_t at = length, needs;

	while (at && length - at < 3 && ((unsigned char)to[at - 1] & 0xc0) == 0x80)
		at--;
	if (!at || (unsigned char)to[at - 1] < 0xc0)
		return;
	needs = (unsigned char)to[at - 1] < 0xe0 ? 2 : (unsigned char)to[at - 1] < 0xf0 ? 3 : 4;
	if (length - at + 1 < needs)
		to[at - 1] = '\0';
}

bool text_copy(char *to, size_t size, const char *from)
{
	size_t n = strnlen(from, size);

	if (!size)
		return false;
	if (n == size) {
		memcpy(to, from, size - 1);
		to[size - 1] = '\0';
		drop_half_character(to, size - 1);
		return false;
	}
	memcpy(to, from, n + 1);
	return true;
}

bool text_format(char *to, size_t size, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	int n = vsnprintf(to, size, format, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n >= size && size)
		drop_half_character(to, size - 1);
	return n >= 0 && (size_t)n < size;
}

bool text_append(char *to, size_t size, size_t *used, const char *format, ...)
{
	va_list ap;

	if (*used + 1 >= size)
		return false;
	va_start(ap, format);
	int n = vsnprintf(to + *used, size - *used, format, ap);
	va_end(ap);
	if (n < 0)
		return false;
	if ((size_t)n >= size - *used) {
		*used = size - 1;
		return false;
	}
	*used += (size_t)n;
	return true;
}

bool text_terminated(const char *field, size_t size)
{
	return memchr(field, '\0', size) != NULL;
}

bool text_integer(const char *text, int64_t low, int64_t high, int64_t *out)
{
	char *end;

	if (!text || !*text || isspace((unsigned char)*text))
		return false;
	errno = 0;
	long long v = strtoll(text, &end, 10);
	if (errno || *end || v < low || v > high)
		return false;
	*out = v;
	return true;
}

static const struct {
	char letter;
	int32_t seconds;
} time_units[] = {{'w', 604800}, {'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

bool text_seconds(const char *text, int64_t low, int64_t high, int64_t *out)
{
	size_t length = strlen(text);
	int64_t count, unit = 1;
	char number[16];

	if (length == 0 || length >= sizeof number)
		return false;
	text_copy(number, sizeof number, text);
	for (size_t i = 0; i < sizeof time_units / sizeof time_units[0]; i++)
		if (number[length - 1] == time_units[i].letter) {
			unit = time_units[i].seconds;
			number[length - 1] = '\0';
			break;
		}
	if (!text_integer(number, 0, INT64_MAX / 604800, &count) || count * unit < low || count * unit > high)
		return false;
	*out = count * unit;
	return true;
}

void text_of_seconds(int64_t seconds, char *out, size_t size)
{
	size_t i = 1; /* weeks are read, and shown as days */

	while (seconds % time_units[i].seconds)
		i++;
	text_format(out, size, "%" PRId64 "%c", seconds / time_units[i].seconds, seconds ? time_units[i].letter : 's');
}

bool text_number(const char *text, double *out)
{
	char *end;

	if (!text || !*text || isspace((unsigned char)*text))
		return false;
	double v = strtod(text, &end);
	if (*end || !isfinite(v))
		return false;
	*out = v;
	return true;
}

bool text_is_name(const char *text, size_t max)
{
	size_t n = text ? strlen(text) : 0;

	if (n < 1 || n > max || !isalnum((unsigned char)text[0]) || strstr(text, ".."))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("_.-", text[i]))
			return false;
	return true;
}

bool text_is_item_name(const char *text)
{
	size_t n = text ? strlen(text) : 0;

	if (n < 1 || n > 19 || text[0] < 'a' || text[0] > 'z')
		return false;
	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

/* Length of the valid UTF-8 sequence at s (RFC 3629), 0 when there is none. */
static size_t utf8_length(const unsigned char *s)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

void text_make_printable(char *text)
{
	unsigned char *s = (unsigned char *)text;

	while (*s) {
		size_t n = utf8_length(s);
		if (n == 0 || *s < 0x20 || *s == 0x7f) {
			*s++ = '?';
			continue;
		}
		s += n;
	}
}

uint64_t text_hash(const void *data, size_t size)
{
	const unsigned char *p = data;
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < size; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h;
}

const char *text_hex(const uint8_t *bytes, size_t count, char *out, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	size_t used = 0;

	for (size_t i = 0; i < count && used + 2 < size; i++) {
		out[used++] = digits[bytes[i] >> 4];
		out[used++] = digits[bytes[i] & 15];
	}
	if (size)
		out[used] = '\0';
	return out;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t text_hex_bytes(const char *text, uint8_t *out, size_t room)
{
	size_t count = strlen(text) / 2;

	if (strlen(text) % 2 || count > room)
		return 0;
	for (size_t i = 0; i < count; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return 0;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return count;
}
