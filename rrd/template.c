/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Heads of RRD files, kept and written again; see template.h. */
#include "rrd/template.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/memory.h"
#include "board/messages.h"
#include "rrd/layout.h"

enum { TEMPLATES = 32, HEAD_MAX = 65536, BLOCK = 8192, PARTS = 512 };

static struct template {
	int64_t start_s;
	uint32_t step_s, count;
	char names[SERIES_DS_MAX][NAMES_SOURCE_SIZE];
	mode_t mode;
	uint8_t *head; /* NULL: this place is empty */
	size_t head_size, values;
	uint64_t used;
} templates[TEMPLATES];
static uint64_t uses;
static double unknown[BLOCK];

static struct template *find(const struct file_series *s, int64_t start_s)
{
	for (int i = 0; i < TEMPLATES; i++) {
		struct template *t = &templates[i];
		if (t->head && t->start_s == start_s && t->step_s == s->step_s && t->count == s->count &&
		    !memcmp(t->names, s->names, s->count * sizeof s->names[0]))
			return t;
	}
	return NULL;
}

static void forget(struct template *t)
{
	free(t->head);
	*t = (struct template){.head = NULL};
}

void template_forget(void)
{
	for (int i = 0; i < TEMPLATES; i++)
		forget(&templates[i]);
}

static struct template *oldest(void)
{
	struct template *best = &templates[0];

	for (int i = 1; i < TEMPLATES; i++)
		if (templates[i].used < best->used)
			best = &templates[i];
	return best;
}

/* The head of a file of `values` values, all of them librrd's own "unknown". */
static bool read_head(int fd, struct template *t)
{
	struct stat st;
	double last;

	if (fstat(fd, &st) || st.st_size <= (off_t)(t->values * sizeof(double)))
		return false;
	t->head_size = (size_t)st.st_size - t->values * sizeof(double);
	t->mode = st.st_mode & 0777;
	if (t->head_size > HEAD_MAX || pread(fd, &last, sizeof last, st.st_size - (off_t)sizeof last) != (ssize_t)sizeof last ||
	    !isnan(last))
		return false;
	if (memcmp(&unknown[0], &last, sizeof last) != 0)
		for (int i = 0; i < BLOCK; i++)
			memcpy(&unknown[i], &last, sizeof last);
	t->head = mem_zalloc(t->head_size);
	return pread(fd, t->head, t->head_size, 0) == (ssize_t)t->head_size;
}

void template_learn(const struct file_series *s, int64_t start_s)
{
	struct template fresh = {.start_s = start_s, .step_s = s->step_s, .count = s->count, .used = ++uses};
	int fd = s->count <= SERIES_DS_MAX && !find(s, start_s) ? open(s->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;

	if (fd < 0)
		return;
	memcpy(fresh.names, s->names, s->count * sizeof s->names[0]);
	fresh.values = (size_t)layout_rows(s->step_s) * s->count;
	if (read_head(fd, &fresh)) {
		forget(oldest());
		*oldest() = fresh;
	} else {
		free(fresh.head);
	}
	close(fd);
}

/* Writes the head and the unknown values behind it; one call for a file of any usual size. */
static int fill(int fd, const struct template *t)
{
	struct iovec parts[PARTS];
	size_t left = t->values * sizeof(double);
	ssize_t wanted = (ssize_t)t->head_size;
	int n = 1;

	parts[0] = (struct iovec){t->head, t->head_size};
	while (left) {
		for (; left && n < PARTS; n++) {
			size_t part = left < sizeof unknown ? left : sizeof unknown;
			parts[n] = (struct iovec){unknown, part};
			wanted += (ssize_t)part;
			left -= part;
		}
		errno = ENOSPC; /* of a write that ends short */
		if (writev(fd, parts, n) != wanted)
			return -1;
		wanted = n = 0;
	}
	return 0;
}

int template_make(const struct file_series *s, int64_t start_s)
{
	struct template *t = find(s, start_s);

	if (!t)
		return 1;
	t->used = ++uses;
	char *fresh = mem_format("%s.new", s->path);
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, t->mode), error = 0;

	if (fd < 0 || fill(fd, t) || fchmod(fd, t->mode))
		error = errno;
	if (fd >= 0 && close(fd) && !error)
		error = errno;
	if (!error && rename(fresh, s->path))
		error = errno;
	if (error && fd >= 0)
		unlink(fresh);
	free(fresh);
	errno = error;
	return error ? -1 : 0;
}
