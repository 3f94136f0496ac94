/* SPDX-License-Identifier: GPL-3.0-or-later */
/* librrd, with its errors told apart; see file.h. */
#include "rrd/file.h"

#include <errno.h>
#include <math.h>
#include <rrd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "board/messages.h"
#include "rrd/cache.h"
#include "rrd/layout.h"
#include "rrd/template.h"
#include "rrd/undo.h"
#include "rrd/update.h"

#define ROW_TEXT (24 + SERIES_DS_MAX * UPDATE_VALUE_TEXT)
#define FUTURE_MAX_S 86400

/* librrd maps files: a disk that fails to deliver a page raises SIGBUS in the middle of it */
static __thread sigjmp_buf bus_jump;
static __thread volatile sig_atomic_t bus_guarded;

static void on_bus(int number)
{
	if (bus_guarded)
		siglongjmp(bus_jump, 1);
	signal(number, SIG_DFL);
	raise(number);
}

void file_guard(void)
{
	struct sigaction action = {.sa_handler = on_bus};

	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, NULL);
}

void file_forget(struct file_state *state)
{
	free(state->order);
	*state = (struct file_state){.hopeless = state->hopeless};
}

bool file_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

static enum file_result failed(char *why, size_t why_size)
{
	const char *text = rrd_get_error();
	bool full = strstr(text, strerror(ENOSPC)) || strstr(text, strerror(EDQUOT));

	text_copy(why, why_size, text);
	text_make_printable(why);
	rrd_clear_error();
	if (!why[0]) { /* rrd_create_r() says nothing when a write ends short */
		text_copy(why, why_size, "it could not be written whole: the disk is full or bad");
		return FILE_FULL;
	}
	return full ? FILE_FULL : FILE_FAILED;
}

static enum file_result system_failed(const char *what, char *why, size_t why_size)
{
	int error = errno;

	text_format(why, why_size, "%s: %s", what, strerror(error));
	return error == ENOSPC || error == EDQUOT ? FILE_FULL : FILE_FAILED;
}

static enum file_result make_directories(const char *path, char *why, size_t why_size)
{
	char *copy = mem_strdup(path), *end = strrchr(copy, '/');
	enum file_result result = FILE_WRITTEN;

	*end = 0;
	if (access(copy, F_OK) == 0)
		goto out;
	for (char *at = strchr(copy + 1, '/');; at = strchr(at + 1, '/')) {
		if (at)
			*at = 0;
		if (mkdir(copy, 0750) != 0 && errno != EEXIST) {
			result = system_failed("cannot make its directory", why, why_size);
			break;
		}
		if (!at)
			break;
		*at = '/';
	}
out:
	free(copy);
	return result;
}

/* rrd_create_r() guarded: 0, -1 with librrd's error, 1 after SIGBUS. */
static int create(const struct file_series *s, int64_t first_s, struct layout_arguments *a)
{
	if (sigsetjmp(bus_jump, 1) != 0) {
		bus_guarded = 0;
		return 1;
	}
	bus_guarded = 1;
	int status = rrd_create_r(s->path, s->step_s, (time_t)(first_s - s->step_s), a->count, a->pointers);
	bus_guarded = 0;
	return status;
}

static enum file_result create_by_library(const struct file_series *s, int64_t first_s, char *why, size_t why_size)
{
	struct layout_arguments *a = mem_zalloc(sizeof *a);
	enum file_result result = FILE_WRITTEN;

	if (!layout_arguments(s->step_s, s->names, s->count, a)) {
		text_format(why, why_size, "a step of %u s fits no archive", s->step_s);
		result = FILE_FAILED;
	} else {
		int status = create(s, first_s, a);

		if (status > 0) { /* a sparse file on a disk without room */
			text_copy(why, why_size, "the disk did not take its pages");
			result = FILE_FULL;
		} else if (status < 0) {
			result = failed(why, why_size);
		}
	}
	free(a);
	return result;
}

enum file_result file_create(const struct file_series *s, int64_t first_s, struct file_state *state, char *why, size_t why_size)
{
	int64_t start_s = first_s - s->step_s;
	enum file_result result = make_directories(s->path, why, why_size);

	if (result != FILE_WRITTEN)
		return result;
	int status = template_make(s, start_s);
	if (status < 0)
		return system_failed("it could not be made", why, why_size);
	if (status == 0) { /* known as if it were looked at */
		state->known = true;
		state->last_s = start_s;
		return FILE_WRITTEN;
	}
	result = create_by_library(s, first_s, why, why_size);
	if (result == FILE_WRITTEN)
		template_learn(s, start_s);
	return result;
}

/* Finds our sources among the file's. False when it has none of them. */
static bool learn_order(const struct file_series *s, char **theirs, unsigned long count, struct file_state *state)
{
	bool exact = count == s->count;
	uint32_t found = 0;
	char order[SERIES_DS_MAX * NAMES_SOURCE_SIZE] = "";
	size_t used = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		unsigned long at = 0;

		while (at < count && strcmp(theirs[at], s->names[i]) != 0)
			at++;
		exact &= at == i;
		if (at == count) {
			state->left_out |= UINT64_C(1) << i;
			continue;
		}
		text_append(order, sizeof order, &used, found++ ? ":%s" : "%s", s->names[i]);
	}
	if (!exact && found)
		state->order = mem_strdup(order);
	return found > 0;
}

/* rrd_lastupdate_r() guarded: 0, -1 with librrd's error, 1 after SIGBUS. */
static int last_update(const char *path, time_t *last, unsigned long *count, char ***names)
{
	char **values = NULL;

	if (sigsetjmp(bus_jump, 1) != 0) {
		bus_guarded = 0;
		return 1;
	}
	bus_guarded = 1;
	int status = rrd_lastupdate_r(path, last, count, names, &values);
	bus_guarded = 0;
	for (unsigned long i = 0; status == 0 && i < *count; i++)
		free(values[i]);
	if (status == 0)
		free(values);
	return status;
}

static enum file_result move_aside(const char *path, const char *reason, bool *moved, char *why, size_t why_size)
{
	char *aside = mem_format("%s.aside", path);

	if (rename(path, aside) != 0) {
		enum file_result result = system_failed("cannot be moved aside", why, why_size);
		free(aside);
		return result;
	}
	log_warning("rrd: %s: %s: moved to %s, a new file is begun", path, reason, aside);
	free(aside);
	*moved = true;
	return FILE_FAILED;
}

enum file_result file_look(const struct file_series *s, int64_t first_s, struct file_state *state, bool *moved,
			   char *why, size_t why_size)
{
	time_t last = 0;
	unsigned long count = 0;
	char **names = NULL;
	const char *unfit = NULL;
	int status = last_update(s->path, &last, &count, &names);

	*moved = false;
	if (status > 0) {
		text_copy(why, why_size, "the disk does not deliver its pages");
		state->hopeless = true;
		return FILE_HOPELESS;
	}
	if (status < 0) {
		enum file_result result = failed(why, why_size);
		return strstr(why, "opening '") ? result : move_aside(s->path, why, moved, why, why_size);
	}
	if (last > first_s + FUTURE_MAX_S)
		unfit = "its newest row is more than a day ahead of now";
	else if (!learn_order(s, names, count, state))
		unfit = "it has none of the data sources that are recorded";
	for (unsigned long i = 0; i < count; i++)
		free(names[i]);
	free(names);
	if (unfit) {
		file_forget(state);
		return move_aside(s->path, unfit, moved, why, why_size);
	}
	state->known = true;
	state->last_s = last;
	return FILE_WRITTEN;
}

/* values NULL: all unknown. */
static void row_text(const struct file_series *s, const struct file_state *state, int64_t time_s, const double *values,
		     char text[ROW_TEXT])
{
	size_t used = 0;

	text_append(text, ROW_TEXT, &used, "%lld", (long long)time_s);
	for (uint32_t i = 0; i < s->count; i++) {
		if (state->left_out >> i & 1)
			continue;
		if (values && isfinite(values[i]))
			used += update_value_text(text + used, values[i]);
		else
			used += text_copy(text + used, 3, ":U") ? 2 : 0;
	}
}

/* rrd_update_r() guarded: 0, -1 with librrd's error, 1 after SIGBUS. */
static int update_by_library(const struct file_series *s, const struct file_state *state, int count, const char **rows)
{
	if (sigsetjmp(bus_jump, 1) != 0) {
		bus_guarded = 0;
		return 1;
	}
	bus_guarded = 1;
	undo_keep(s->path);
	int status = rrd_update_r(s->path, state->order, count, rows);
	undo_done();
	bus_guarded = 0;
	return status;
}

static enum file_result write_by_library(const struct file_series *s, struct file_state *state, const struct update_row *rows, int count,
					 char *why, size_t why_size)
{
	static __thread char text[UPDATE_ROWS_MAX][ROW_TEXT];
	const char *pointers[UPDATE_ROWS_MAX];

	for (int i = 0; i < count; i++) {
		row_text(s, state, rows[i].time_s, rows[i].values, text[i]);
		pointers[i] = text[i];
	}
	int status = update_by_library(s, state, count, pointers);
	if (status > 0)
		text_copy(why, why_size, "the disk does not take or deliver its pages");
	return status > 0 ? FILE_HOPELESS : status < 0 ? failed(why, why_size) : FILE_WRITTEN;
}

static enum file_result write_rows(const struct file_series *s, struct file_state *state, const struct update_row *rows, int count, char *why,
				   size_t why_size)
{
	enum update_result result = state->order ? UPDATE_NOT_OURS : update_direct(s->path, s->step_s, s->count, rows, count);
	enum file_result failure;

	switch (result) {
	case UPDATE_DONE:
		return FILE_WRITTEN;
	case UPDATE_NOT_OURS:
		return write_by_library(s, state, rows, count, why, why_size);
	default:
		failure = system_failed("it cannot be written", why, why_size);
		return result == UPDATE_TORN ? FILE_HOPELESS : failure;
	}
}

enum file_result file_write(const struct file_series *s, struct file_state *state, const struct cached_row *rows,
			    const double *values, uint32_t count, uint32_t *written, char *why, size_t why_size)
{
	struct update_row some[UPDATE_ROWS_MAX];
	uint32_t at = 0;

	while (at < count) {
		int n = 0;
		int64_t newest = state->last_s;

		for (; at < count && n < UPDATE_ROWS_MAX - 1; at++) {
			if (rows[at].time_s <= newest)
				continue;
			if (rows[at].time_s > newest + s->step_s) /* else the heartbeat would void this row with those that are missing */
				some[n++] = (struct update_row){.time_s = rows[at].time_s - s->step_s};
			some[n++] = (struct update_row){.time_s = rows[at].time_s, .values = values + (size_t)at * s->count};
			newest = rows[at].time_s;
		}
		enum file_result result = n ? write_rows(s, state, some, n, why, why_size) : FILE_WRITTEN;
		if (result != FILE_WRITTEN) {
			state->known = false; /* some rows of the call may be in: look again before the next try */
			state->hopeless = result == FILE_HOPELESS;
			return result;
		}
		state->last_s = newest;
		*written = at;
	}
	return FILE_WRITTEN;
}
