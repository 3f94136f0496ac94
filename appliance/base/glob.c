/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shell patterns; see glob.h. */
#include "base/glob.h"

#include <string.h>

/* One position of a pattern: how many bytes it takes, and whether the character fits. 0: a set without end. */
static size_t one(const char *p, size_t size, unsigned char c, bool *fits)
{
	bool inverted = size > 1 && (p[1] == '!' || p[1] == '^');
	size_t at = inverted ? 2 : 1, first = at;

	if (*p != '[') {
		*fits = *p == '?' || (unsigned char)*p == c;
		return 1;
	}
	*fits = false;
	for (; at < size && (p[at] != ']' || at == first); at++) {
		unsigned char low = (unsigned char)p[at], high = low;
		if (at + 2 < size && p[at + 1] == '-' && p[at + 2] != ']') {
			high = (unsigned char)p[at + 2];
			at += 2;
		}
		*fits |= low <= c && c <= high;
	}
	*fits ^= inverted;
	return at < size ? at + 1 : 0;
}

static bool match(const char *p, size_t size, const char *text)
{
	const char *star = NULL, *from = NULL, *end = p + size; /* back to the last star only: an earlier one can do no better */

	while (*text) {
		bool fits = false;
		size_t n = p < end && *p != '*' ? one(p, (size_t)(end - p), (unsigned char)*text, &fits) : 0;
		if (n && fits) {
			p += n;
			text++;
		} else if (p < end && *p == '*') {
			star = ++p;
			from = text;
		} else if (star) {
			p = star;
			text = ++from;
		} else {
			return false;
		}
	}
	while (p < end && *p == '*')
		p++;
	return p == end;
}

bool glob_match(const char *pattern, const char *text)
{
	return match(pattern, strlen(pattern), text);
}

bool glob_list_valid(const char *list)
{
	for (;; list++) {
		size_t size = strcspn(list, ",");
		bool fits;
		for (size_t at = 0, n; at < size; at += n)
			if (!(n = one(list + at, size - at, 'x', &fits)))
				return false;
		if (size == 0)
			return false;
		list += size;
		if (!*list)
			return true;
	}
}

bool glob_list_match(const char *list, const char *text)
{
	while (*list) {
		size_t size = strcspn(list, ",");
		if (size && match(list, size, text))
			return true;
		list += size + (list[size] == ',');
	}
	return false;
}

bool glob_wanted(const char *include, const char *exclude, const char *text)
{
	return (!include[0] || glob_list_match(include, text)) && !glob_list_match(exclude, text);
}
