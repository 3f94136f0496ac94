/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Heads of RRD files kept aside while they are changed; see undo.h. */
#include "rrd/undo.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "rrd/sum.h"

enum { HEAD_MAX = 131072, MAGIC = 0x6f646e55 };

/* A head on disk, rrd_format.h of RRDtool 1.x on 64-bit machines: sizes of its parts in bytes. */
enum { STAT_HEAD = 128, DS_DEF = 120, RRA_DEF = 120, LIVE_HEAD = 16, PDP_PREP = 112, CDP_PREP = 80, RRA_PTR = 8 };
enum { AT_DS_COUNT = 24, AT_RRA_COUNT = 32, AT_ROW_COUNT = 24 /* within an RRA_DEF */ };

struct kept {
	uint32_t magic, path_size; /* path_size: with the zero */
	uint32_t head_size, pad;
	uint64_t inode, sum; /* sum: of path and head */
};

static int undo_fd = -1;
static uint8_t *buffer; /* struct kept, path, head */

static uint64_t number_at(const uint8_t *head, size_t at)
{
	uint64_t number;

	memcpy(&number, head + at, sizeof number);
	return number;
}

size_t undo_head_size(const uint8_t *start, size_t got, off_t file_size)
{
	uint64_t sources, archives, rows = 0;

	if (got < STAT_HEAD || memcmp(start, "RRD", 4) != 0)
		return 0;
	sources = number_at(start, AT_DS_COUNT);
	archives = number_at(start, AT_RRA_COUNT);
	if (!sources || sources > 256 || !archives || archives > 64)
		return 0;
	size_t size = STAT_HEAD + DS_DEF * sources + RRA_DEF * archives + LIVE_HEAD + PDP_PREP * sources + CDP_PREP * sources * archives + RRA_PTR * archives;
	if (size > got)
		return 0;
	for (uint64_t i = 0; i < archives; i++)
		rows += number_at(start, STAT_HEAD + DS_DEF * sources + RRA_DEF * i + AT_ROW_COUNT);
	return rows < (uint64_t)file_size && (off_t)(size + rows * sources * sizeof(double)) == file_size ? size : 0;
}

void undo_close(void)
{
	if (undo_fd >= 0)
		close(undo_fd);
	undo_fd = -1;
	free(buffer);
	buffer = NULL;
}

void undo_done(void)
{
	static const struct kept none;

	if (undo_fd >= 0 && pwrite(undo_fd, &none, sizeof none, 0) < 0)
		undo_close(); /* what stands in it must not be put back */
}

void undo_write(void)
{
	struct kept k;

	if (undo_fd < 0)
		return;
	memcpy(&k, buffer, sizeof k);
	/* a short write has a wrong sum: then the update has not begun either, or goes on unguarded */
	if (k.head_size && pwrite(undo_fd, buffer, sizeof k + k.path_size + k.head_size, 0) < 0)
		undo_done(); /* a full disk: nothing is kept rather than half of it */
}

/* Path and head stand in the buffer: what goes before them. No head: nothing is kept. */
static void describe(size_t path_size, ino_t inode, size_t head_size)
{
	struct kept k = {.magic = MAGIC, .path_size = (uint32_t)path_size, .head_size = (uint32_t)head_size, .inode = inode};

	if (head_size)
		k.sum = sum_of(buffer + sizeof k, path_size + head_size);
	memcpy(buffer, &k, sizeof k);
}

void undo_prepare(const char *path, ino_t inode, const uint8_t *head, size_t head_size)
{
	size_t path_size = strlen(path) + 1;

	if (undo_fd < 0)
		return;
	if (path_size > PATH_MAX || head_size > HEAD_MAX) {
		describe(0, 0, 0);
		return;
	}
	memcpy(buffer + sizeof(struct kept), path, path_size);
	memcpy(buffer + sizeof(struct kept) + path_size, head, head_size);
	describe(path_size, inode, head_size);
}

void undo_keep(const char *path)
{
	size_t path_size = strlen(path) + 1, size = 0;
	struct stat st = {.st_ino = 0};
	int fd = undo_fd >= 0 && path_size <= PATH_MAX ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;

	if (fd < 0)
		return;
	uint8_t *at = buffer + sizeof(struct kept);
	memcpy(at, path, path_size);
	ssize_t got = pread(fd, at + path_size, HEAD_MAX, 0);
	if (got > 0 && !fstat(fd, &st))
		size = undo_head_size(at + path_size, (size_t)got, st.st_size);
	close(fd);
	describe(path_size, st.st_ino, size);
	undo_write();
}

bool undo_now(int fd)
{
	struct kept k;

	if (undo_fd < 0)
		return false;
	memcpy(&k, buffer, sizeof k);
	if (!k.head_size || pwrite(fd, buffer + sizeof k + k.path_size, k.head_size, 0) != (ssize_t)k.head_size)
		return false;
	undo_done();
	return true;
}

static bool put_back(const char *path, const uint8_t *head, const struct kept *k)
{
	struct stat st;
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	bool done = false;

	if (fd < 0)
		return false;
	if (!fstat(fd, &st) && st.st_ino == k->inode && undo_head_size(head, k->head_size, st.st_size) == k->head_size)
		done = pwrite(fd, head, k->head_size, 0) == (ssize_t)k->head_size;
	close(fd);
	return done;
}

static void restore(void)
{
	struct kept k;
	uint8_t *at = buffer + sizeof k;
	ssize_t got = pread(undo_fd, buffer, sizeof k + PATH_MAX + HEAD_MAX, 0);

	if (got < (ssize_t)sizeof k)
		return;
	memcpy(&k, buffer, sizeof k);
	if (k.magic != MAGIC || !k.path_size || k.path_size > PATH_MAX || !k.head_size || k.head_size > HEAD_MAX ||
	    (size_t)got < sizeof k + k.path_size + k.head_size || at[k.path_size - 1] || sum_of(at, k.path_size + k.head_size) != k.sum)
		return;
	if (put_back((const char *)at, at + k.path_size, &k))
		log_info("rrd: %s: the update that a kill cut off is undone, its rows follow from the journal", (const char *)at);
}

void undo_open(const char *directory)
{
	char *path = mem_format("%s/undo", directory);

	undo_close();
	undo_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	free(path);
	if (undo_fd < 0) {
		log_warning("rrd: %s/undo: cannot be opened: updates are not guarded against a kill", directory);
		return;
	}
	buffer = mem_zalloc(sizeof(struct kept) + PATH_MAX + HEAD_MAX);
	restore();
	undo_done();
}
