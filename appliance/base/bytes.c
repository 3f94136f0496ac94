/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole blocks of bytes into descriptors; see bytes.h. */
#include "base/bytes.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

bool bytes_write(int fd, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size) {
		ssize_t n = write(fd, at, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		size -= (size_t)n;
	}
	return true;
}

int bytes_memory(const char *name, const void *bytes, size_t size)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && (!bytes_write(fd, bytes, size) || lseek(fd, 0, SEEK_SET) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}
