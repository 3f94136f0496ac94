/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads recorded loads; see trace_file.h. replay.c runs the sizing rule on them. */
#include "tests/sim/trace_file.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { DAY_S = 86400, BINS = TRACE_DAYS * DAY_S / TRACE_FILE_BIN_S, TICK_S = DAY_S / TRACE_DAY_TICKS, LINE = 128, NOISE_SEED = 1012 };
#define SECONDS_MOST 1e12

struct reading {
	double sum[BINS];
	uint32_t count[BINS], lines, points;
	double first_s, last_s;
};

static int wrong(struct error *e, uint32_t line, const char *why)
{
	char object[64];

	text_format(object, sizeof object, "trace, line %u", line);
	return error_set(e, ERR_CONFIG, object, "each line is seconds,requests; both numbers, seconds growing", "%s: %s", object, why);
}

static bool two_numbers(char *line, double *seconds, double *requests)
{
	char *comma = strchr(line, ',');

	if (!comma)
		return false;
	*comma = '\0';
	return text_number(line, seconds) && text_number(comma + 1, requests);
}

static int take_line(struct reading *r, char *line, struct error *e)
{
	double seconds, requests;

	r->lines++;
	if (!line[0] || line[0] == '#')
		return 0;
	if (!two_numbers(line, &seconds, &requests))
		return r->lines == 1 ? 0 : wrong(e, r->lines, "it is not two numbers");
	if (!(requests >= 0 && requests <= SECONDS_MOST && fabs(seconds) <= SECONDS_MOST))
		return wrong(e, r->lines, "a number is out of range");
	if (r->points && seconds <= r->last_s)
		return wrong(e, r->lines, "it is not later than the line before");
	if (!r->points++)
		r->first_s = seconds;
	r->last_s = seconds;
	if (seconds - r->first_s >= (double)BINS * TRACE_FILE_BIN_S)
		return 0;
	uint32_t bin = (uint32_t)((seconds - r->first_s) / TRACE_FILE_BIN_S);
	r->sum[bin] += requests;
	r->count[bin]++;
	return 0;
}

static int take_lines(struct reading *r, const char *text, size_t size, struct error *e)
{
	char line[LINE];

	for (size_t at = 0; at < size;) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t n = end ? (size_t)(end - text) - at : size - at;
		if (n >= sizeof line || memchr(text + at, '\0', n))
			return wrong(e, r->lines + 1, "it is no line of text of less than 128 characters");
		memcpy(line, text + at, n);
		line[n] = '\0';
		if (n && line[n - 1] == '\r')
			line[n - 1] = '\0';
		int rc = take_line(r, line, e);
		if (rc)
			return rc;
		at += n + 1;
	}
	return 0;
}

/* How many bins the lines are about: the last stands for as long as the others do, at most an hour. */
static uint32_t bins_of(const struct reading *r)
{
	double span = r->last_s - r->first_s;
	double bins = r->points < 2 ? r->points : floor((span + fmin(3600, span / (r->points - 1))) / TRACE_FILE_BIN_S);

	return bins < BINS ? (uint32_t)bins : BINS;
}

/* The mean of each bin; one without a line lies between its neighbours, behind the last it is as the last. */
static void bridge(const struct reading *r, double mean[BINS])
{
	uint32_t left = 0;

	for (uint32_t b = 0; b < BINS; b++) {
		if (!r->count[b])
			continue;
		mean[b] = r->sum[b] / r->count[b];
		for (uint32_t gap = left + 1; gap < b; gap++)
			mean[gap] = mean[left] + (mean[b] - mean[left]) * (gap - left) / (b - left);
		left = b;
	}
	for (uint32_t b = left + 1; b < BINS; b++)
		mean[b] = mean[left];
}

static double between(const double mean[BINS], double t)
{
	double at = t / TRACE_FILE_BIN_S - .5;
	uint32_t left = at < 0 ? 0 : (uint32_t)at;

	if (at <= 0 || left + 1 >= BINS)
		return mean[at <= 0 ? 0 : BINS - 1];
	return mean[left] + (mean[left + 1] - mean[left]) * (at - left);
}

static int fill(const struct reading *r, unsigned throw, double *out, struct error *e)
{
	uint32_t days = bins_of(r) / (DAY_S / TRACE_FILE_BIN_S);
	uint64_t ticks = (uint64_t)days * TRACE_DAY_TICKS;
	double mean[BINS] = {0}, most = 0;

	if (days < TRACE_FILE_DAYS_LEAST)
		return error_set(e, ERR_CONFIG, "trace", "record for two days at least: a day to learn, a day to count", "trace: it is of %u whole days", days);
	bridge(r, mean);
	for (uint64_t k = 0; k < ticks; k++) {
		out[k] = between(mean, (double)(k * TICK_S)) * (1 + .03 * trace_white(NOISE_SEED + 100 * (uint64_t)throw, k));
		most = fmax(most, out[k]);
	}
	if (!(most > 0))
		return error_set(e, ERR_CONFIG, "trace", "name another file", "trace: it has no request");
	for (uint64_t k = 0; k < TRACE_TICKS; k++)
		out[k] = k < ticks ? out[k] / most : 0;
	return (int)days;
}

int trace_file_parse(const char *text, size_t size, unsigned throw, double out[TRACE_TICKS], struct error *e)
{
	struct reading *r = mem_zalloc(sizeof *r);
	int rc = take_lines(r, text, size, e);

	if (!rc)
		rc = fill(r, throw, out, e);
	free(r);
	return rc;
}

int trace_file_read(const char *path, unsigned throw, double out[TRACE_TICKS], struct error *e)
{
	FILE *f = fopen(path, "re");
	char *text = mem_array(TRACE_FILE_BYTES_MOST + 1, 1);
	size_t size = f ? fread(text, 1, TRACE_FILE_BYTES_MOST + 1, f) : 0;
	int rc;

	if (!f || ferror(f))
		rc = error_set(e, ERR_NOT_FOUND, path, "name a file that can be read", "%s: cannot be read: %s", path, strerror(errno));
	else if (size > TRACE_FILE_BYTES_MOST)
		rc = error_set(e, ERR_CONFIG, path, "cut it to 14 days, or to a line for each five minutes", "%s: it is larger than 64 MiB", path);
	else
		rc = trace_file_parse(text, size, throw, out, e);
	if (f)
		fclose(f);
	free(text);
	return rc;
}
