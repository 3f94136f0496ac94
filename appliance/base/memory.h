/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Allocation that never returns NULL: a role that runs out of memory logs it, dies, and is started again by the supervisor,
 * which is safer than a thousand paths that were never walked. Sizes that come from outside are bounded before they get here. */
#ifndef GLORY_BASE_MEMORY_H
#define GLORY_BASE_MEMORY_H

#include <stddef.h>

enum { CACHE_LINE = 64 };

void *mem_zalloc(size_t size);                                /* zeroed; free() it */
void *mem_zalloc_lines(size_t size);                          /* the same, beginning with a cache line */
void *mem_array(size_t count, size_t size);                   /* zeroed, overflow checked */
void *mem_grow(void *old, size_t count, size_t size);         /* realloc, overflow checked, new part not zeroed */
/* Asks for memory that is about to be read and written, so that it is in the cache by then; any address will do. */
static inline void mem_expect(const void *at, size_t size)
{
	for (size_t line = 0; line < size; line += CACHE_LINE)
		__builtin_prefetch((const char *)at + line, 1);
}
char *mem_strdup(const char *text);
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

#endif
