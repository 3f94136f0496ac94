/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole blocks of bytes into descriptors. */
#ifndef GLORY_BASE_BYTES_H
#define GLORY_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>

/* Writes all of it, however many calls that takes (files, pipes that block). False: it failed, errno says why; some may be written. */
bool bytes_write(int fd, const void *bytes, size_t size);
/* A memfd that holds the bytes and stands at its beginning, close-on-exec, not sealed yet; the caller's. -1: no memory. */
int bytes_memory(const char *name, const void *bytes, size_t size);

#endif
