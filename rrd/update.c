/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An RRD file's steps and archives brought on, row by row; see update.h. The file's structures are librrd's own. */
#include "rrd/update.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#define RRD_EXPORT_DEPRECATED /* its structures, which are the file's */
#include <rrd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "board/messages.h"
#include "rrd/layout.h"
#include "rrd/undo.h"

enum { AHEAD = 16384 };
enum { ARCHIVES_MAX = 3 * LAYOUT_ARCHIVES };
enum { PER_SOURCE = sizeof(ds_def_t) + sizeof(pdp_prep_t) + ARCHIVES_MAX * sizeof(cdp_prep_t) };
enum { HEAD_MAX = sizeof(stat_head_t) + sizeof(live_head_t) + SERIES_DS_MAX * PER_SOURCE + ARCHIVES_MAX * (sizeof(rra_def_t) + sizeof(rra_ptr_t)) };

struct head {
	union {
		stat_head_t start;
		uint8_t bytes[HEAD_MAX];
	} room;
	size_t size, fixed; /* fixed: of it, what no update changes */
	ds_def_t *sources;
	rra_def_t *archives;
	live_head_t *live;
	pdp_prep_t *steps;
	cdp_prep_t *parts;
	rra_ptr_t *places;
	off_t file_size;
	ino_t inode;
};

static struct head head;
static double known[UPDATE_ROWS_MAX * SERIES_DS_MAX];	/* the steps' values, by row */
static double consolidated[UPDATE_ROWS_MAX * SERIES_DS_MAX]; /* rows of one archive on their way to it */

size_t update_value_text(char out[UPDATE_VALUE_TEXT], double value)
{
	double size = fabs(value);
	int places = size < 1e3 ? 9 : 6, n = 0, least = 0;
	char digits[24];

	if (size >= 1e9 || (size < 1e-3 && size > 0))
		return (size_t)snprintf(out, UPDATE_VALUE_TEXT, ":%.10g", value);
	uint64_t rest = (uint64_t)(size * (places == 9 ? 1e9 : 1e6) + 0.5);
	char *at = out;
	*at++ = ':';
	if (value < 0)
		*at++ = '-';
	for (; n <= places || rest; rest /= 10)
		digits[n++] = (char)('0' + rest % 10);
	while (least < places && digits[least] == '0')
		least++;
	for (int i = n - 1; i >= places; i--)
		*at++ = digits[i];
	if (least < places)
		*at++ = '.';
	for (int i = places - 1; i >= least; i--)
		*at++ = digits[i];
	*at = 0;
	return (size_t)(at - out);
}

/* --- is it ours --- */
static unsigned archives_of(uint32_t step_s)
{
	unsigned n = 0;

	for (int i = 0; i < LAYOUT_ARCHIVES; i++)
		if (layout_archives[i].resolution_s % step_s == 0)
			n += layout_archives[i].min_max ? 3 : 1;
	return n;
}

static void *part(size_t *at, size_t bytes)
{
	void *p = head.room.bytes + *at;

	*at += bytes;
	return p;
}

/* Reads the head a file of this step and count has. */
static bool read_head(int fd, uint32_t step_s, uint32_t count)
{
	unsigned archives = archives_of(step_s);
	struct stat st;
	size_t at = sizeof(stat_head_t);

	head.sources = part(&at, count * sizeof(ds_def_t));
	head.archives = part(&at, archives * sizeof(rra_def_t));
	head.fixed = at;
	head.live = part(&at, sizeof(live_head_t));
	head.steps = part(&at, count * sizeof(pdp_prep_t));
	head.parts = part(&at, (size_t)count * archives * sizeof(cdp_prep_t));
	head.places = part(&at, archives * sizeof(rra_ptr_t));
	head.size = at;
	if (fstat(fd, &st) || pread(fd, head.room.bytes, at, 0) != (ssize_t)at)
		return false;
	head.file_size = st.st_size;
	head.inode = st.st_ino;
	const stat_head_t *s = &head.room.start;
	return memcmp(s->cookie, RRD_COOKIE, sizeof s->cookie) == 0 && s->version[3] >= '3' && s->float_cookie == FLOAT_COOKIE &&
	       s->ds_cnt == count && s->rra_cnt == archives && s->pdp_step == step_s &&
	       undo_head_size(head.room.bytes, at, st.st_size) == at;
}

static bool kind_of(const rra_def_t *a, int *kind)
{
	static const char *const kinds[] = {"AVERAGE", "MIN", "MAX"};

	for (*kind = 0; *kind < 3; ++*kind)
		if (strncmp(a->cf_nam, kinds[*kind], sizeof a->cf_nam) == 0)
			return true;
	return false;
}

static bool sources_are_plain(uint32_t step_s, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const ds_def_t *d = &head.sources[i];

		if (strncmp(d->dst, "GAUGE", sizeof d->dst) != 0 || d->par[DS_mrhb_cnt].u_cnt < step_s ||
		    d->par[DS_mrhb_cnt].u_cnt >= 2 * (unsigned long)step_s || !isnan(d->par[DS_min_val].u_val) || !isnan(d->par[DS_max_val].u_val))
			return false;
	}
	return true;
}

static bool archives_are_plain(void)
{
	unsigned long rows = (unsigned long)head.file_size / sizeof(rrd_value_t); /* an archive has less */
	int kind;

	for (unsigned long i = 0; i < head.room.start.rra_cnt; i++) {
		const rra_def_t *a = &head.archives[i];

		if (!kind_of(a, &kind) || a->pdp_cnt == 0 || a->row_cnt == 0 || a->row_cnt > rows || head.places[i].cur_row >= a->row_cnt)
			return false;
	}
	return true;
}

static bool rows_follow(uint32_t step_s, const struct update_row *rows, int count)
{
	int64_t last = head.live->last_up;

	if (last <= 0 || last % step_s || head.live->last_up_usec)
		return false;
	for (int i = 0; i < count; i++, last += step_s)
		if (rows[i].time_s != last + step_s)
			return false;
	return true;
}

/* --- steps --- */
/* What librrd makes of one value that came exactly at a step's end, in its order of arithmetic. */
static double close_step(pdp_prep_t *p, double value, uint32_t step_s)
{
	double interval = step_s, unknown = 0, closed;
	double sum = isfinite(value) ? (value + 0.0) * interval : rrd_set_to_DNAN(); /* + 0.0: no zero is negative in a text either */
	unival *val = &p->scratch[PDP_val], *unknown_s = &p->scratch[PDP_unkn_sec_cnt];

	if (isnan(sum)) {
		unknown = interval;
	} else {
		if (isnan(val->u_val))
			val->u_val = 0;
		val->u_val += sum / interval * interval;
	}
	if (interval / 2 < (double)(signed)unknown_s->u_cnt)
		closed = rrd_set_to_DNAN();
	else
		closed = val->u_val / ((double)(step_s - unknown_s->u_cnt) - unknown);
	unknown_s->u_cnt = 0;
	val->u_val = isnan(sum) ? sum : sum / interval * 0.0;
	return closed;
}

static void close_steps(uint32_t step_s, uint32_t count, const struct update_row *rows, int row_count)
{
	for (int r = 0; r < row_count; r++)
		for (uint32_t i = 0; i < count; i++)
			known[(uint32_t)r * count + i] = close_step(&head.steps[i], rows[r].values ? rows[r].values[i] : NAN, step_s);
	const double *newest = rows[row_count - 1].values;
	for (uint32_t i = 0; i < count; i++) {
		char text[UPDATE_VALUE_TEXT] = ":U", *out = head.steps[i].last_ds;

		if (newest && isfinite(newest[i]))
			update_value_text(text, newest[i]);
		memset(out, 0, LAST_DS_LEN);
		memcpy(out, text + 1, strlen(text + 1));
	}
	head.live->last_up = rows[row_count - 1].time_s;
}

/* --- archives --- */
static double better(int kind, double l, double r)
{
	return kind == 1 ? (r < l ? r : l) : r > l ? r : l;
}

/* A step within a row of the archive. */
static void gather(unival *u, int kind, double value)
{
	double *sum = &u[CDP_val].u_val;

	if (isnan(value))
		u[CDP_unkn_pdp_cnt].u_cnt++;
	else if (isnan(*sum))
		*sum = value;
	else
		*sum = kind == 0 ? *sum + value : better(kind, *sum, value);
}

/* The last step of a row of the archive: the row's value. */
static double finish(unival *u, int kind, double value, const rra_def_t *a)
{
	double none = kind == 0 ? 0 : kind == 1 ? (double)INFINITY : -(double)INFINITY;
	double *sum = &u[CDP_val].u_val, *row = &u[CDP_primary_val].u_val;
	unsigned long *unknown = &u[CDP_unkn_pdp_cnt].u_cnt;

	*unknown += isnan(value) != 0;
	u[CDP_secondary_val].u_val = isnan(value) ? rrd_set_to_DNAN() : value;
	if ((double)*unknown > (double)a->pdp_cnt * a->par[RRA_cdp_xff_val].u_val) {
		*row = rrd_set_to_DNAN();
	} else {
		double l = isnan(*sum) ? none : *sum, r = isnan(value) ? none : value;

		*row = kind == 0 ? (l + r) / (double)(a->pdp_cnt - *unknown) : better(kind, l, r);
	}
	*sum = none;
	*unknown = 0;
	return *row;
}

static int write_whole(int fd, const void *bytes, size_t size, off_t at)
{
	errno = ENOSPC; /* of a write that ends short */
	return pwrite(fd, bytes, size, at) == (ssize_t)size ? 0 : -1;
}

/* Takes one step's values into an archive; true when that ends a row, whose values are then in *out. */
static bool take_step(unsigned long archive, int kind, uint32_t count, const double *values, uint64_t step, double *out)
{
	const rra_def_t *a = &head.archives[archive];
	cdp_prep_t *p = &head.parts[archive * count];
	bool ends = (step + 1) % a->pdp_cnt == 0;

	for (uint32_t i = 0; i < count; i++) {
		if (a->pdp_cnt == 1)
			out[i] = p[i].scratch[CDP_primary_val].u_val = values[i];
		else if (ends)
			out[i] = finish(p[i].scratch, kind, values[i], a);
		else
			gather(p[i].scratch, kind, values[i]);
	}
	return ends;
}

/* A page that is written in part must be read before, and whoever writes waits for the disk. So the next part of an archive is asked for while its
 * rows still go into the part before: one reading of four pages that nobody waits for, in place of four. */
static void read_ahead(int fd, off_t archive, off_t end, off_t before, off_t now)
{
	off_t next = (now / AHEAD + 1) * AHEAD;

	if (now >= before && now / AHEAD == before / AHEAD)
		return;
	posix_fadvise(fd, next < end ? next : archive, AHEAD, POSIX_FADV_WILLNEED);
}

/* All rows into one archive, which begins at `at`: what is next to each other goes in one write. */
static int write_archive(int fd, unsigned long archive, uint64_t step, uint32_t count, int row_count, off_t at)
{
	const rra_def_t *a = &head.archives[archive];
	unsigned long *place = &head.places[archive].cur_row, before = *place, first = 0, n = 0;
	size_t row_bytes = count * sizeof(rrd_value_t);
	int kind;

	kind_of(a, &kind);
	for (int r = 0; r < row_count; r++) {
		if (!take_step(archive, kind, count, known + (size_t)r * count, step + (uint64_t)r, consolidated + n * count))
			continue;
		*place = *place + 1 < a->row_cnt ? *place + 1 : 0;
		if (n && *place == 0) { /* its end was reached: this row is the first of the next write */
			if (write_whole(fd, consolidated, n * row_bytes, at + (off_t)(first * row_bytes)))
				return -1;
			memmove(consolidated, consolidated + n * count, row_bytes);
			n = 0;
		}
		if (n++ == 0)
			first = *place;
	}
	if (n == 0)
		return 0;
	read_ahead(fd, at, at + (off_t)(a->row_cnt * row_bytes), at + (off_t)(before * row_bytes), at + (off_t)(*place * row_bytes));
	return write_whole(fd, consolidated, n * row_bytes, at + (off_t)(first * row_bytes));
}

/* The head is the last that changes: until then the file is the old one, with values behind its newest row that nobody asks for. */
static enum update_result write_head(int fd)
{
	if (!write_whole(fd, head.room.bytes + head.fixed, head.size - head.fixed, (off_t)head.fixed)) {
		undo_done();
		return UPDATE_DONE;
	}
	int error = errno;
	bool back = undo_now(fd);
	errno = error;
	return back ? UPDATE_FAILED : UPDATE_TORN;
}

static enum update_result update(int fd, const char *path, uint32_t step_s, uint32_t count, const struct update_row *rows, int row_count)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	off_t at = 0;

	/* librrd's lock too */
	if (fcntl(fd, F_SETLK, &whole) || !read_head(fd, step_s, count) || !sources_are_plain(step_s, count) || !archives_are_plain() ||
	    !rows_follow(step_s, rows, row_count))
		return UPDATE_NOT_OURS;
	uint64_t step = (uint64_t)head.live->last_up / step_s;
	undo_prepare(path, head.inode, head.room.bytes, head.size);
	close_steps(step_s, count, rows, row_count);
	at = (off_t)head.size;
	for (unsigned long i = 0; i < head.room.start.rra_cnt; i++) {
		if (write_archive(fd, i, step, count, row_count, at))
			return UPDATE_FAILED;
		at += (off_t)(head.archives[i].row_cnt * count * sizeof(rrd_value_t));
	}
	undo_write();
	return write_head(fd);
}

enum update_result update_direct(const char *path, uint32_t step_s, uint32_t count, const struct update_row *rows, int row_count)
{
	if (count == 0 || count > SERIES_DS_MAX || row_count < 1 || row_count > UPDATE_ROWS_MAX || step_s == 0)
		return UPDATE_NOT_OURS;
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return UPDATE_NOT_OURS;
	enum update_result result = update(fd, path, step_s, count, rows, row_count);
	int error = errno;
	close(fd);
	errno = error;
	return result;
}
