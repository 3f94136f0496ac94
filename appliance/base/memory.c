/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Allocation that never returns NULL; see memory.h. */
#include "base/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static void *must(void *p)
{
	if (!p) {
		log_error("memory: the process has no memory left: it ends and is started again");
		abort();
	}
	return p;
}

void *mem_zalloc(size_t size)
{
	return must(calloc(1, size ? size : 1));
}

void *mem_zalloc_lines(size_t size)
{
	size_t whole = ((size ? size : 1) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;

	return memset(must(aligned_alloc(CACHE_LINE, whole)), 0, whole);
}

void *mem_array(size_t count, size_t size)
{
	return must(calloc(count ? count : 1, size ? size : 1));
}

void *mem_grow(void *old, size_t count, size_t size)
{
	return must(reallocarray(old, count ? count : 1, size ? size : 1));
}

char *mem_strdup(const char *text)
{
	return must(strdup(text));
}

char *mem_format(const char *format, ...)
{
	va_list ap;
	char *out = NULL;

	va_start(ap, format);
	int n = vasprintf(&out, format, ap);
	va_end(ap);
	return must(n < 0 ? NULL : out);
}
