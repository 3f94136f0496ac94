/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shell patterns over names: '*' any text, '?' any character, '[a-z]' and '[!a-z]' one of a set. Own, because fnmatch(3) takes
 * exponential time on some patterns; this one takes at most pattern times text steps. Bytes, not characters; nothing is quoted. */
#ifndef GLORY_BASE_GLOB_H
#define GLORY_BASE_GLOB_H

#include <stdbool.h>
#include <stddef.h>

/* A list is patterns with commas between ("eth*,bond?"); blanks belong to the patterns. False: an empty pattern, or a set without end. */
bool glob_list_valid(const char *list);
/* True when one of the patterns matches the whole text; "" matches nothing. */
bool glob_list_match(const char *list, const char *text);
/* One pattern, in which a comma stands for itself. */
bool glob_match(const char *pattern, const char *text);
/* The rule of a row filter: in the include list (or that is empty), and not in the exclude list. */
bool glob_wanted(const char *include, const char *exclude, const char *text);

#endif
