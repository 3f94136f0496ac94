/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Series worked out of files and points; see fold.h. */
#include "rrd/grapher/fold.h"

#include <math.h>
#include <rrd.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "rrd/grapher/picture.h"

#define WIDTH 800       /* points a line is worth */
#define HOLD_S 15       /* a point stands for the time before it, back to the one before, at most so long: items come every 10 s or faster */
#define POINTS_SPAN_S 21600 /* a longer picture has no room for seconds */

/* One data source of a file over the time asked for. */
struct fetched {
	time_t start, end;
	unsigned long step, columns, at;
	rrd_value_t *data;
};

static bool fetch(const char *file, const char *name, const char *function, const struct graph_request *r, struct fetched *f)
{
	char **names = NULL, ds[NAMES_SOURCE_SIZE];
	uint32_t width = r->width ? r->width : WIDTH;

	*f = (struct fetched){.start = (time_t)r->from_s, .end = (time_t)r->to_s, .step = (unsigned long)((r->to_s - r->from_s) / width + 1)};
	if (!file || rrd_fetch_r(file, function, &f->start, &f->end, &f->step, &f->columns, &names, &f->data) != 0) {
		rrd_clear_error();
		return false;
	}
	names_data_source(name, ds);
	while (f->at < f->columns && strcmp(names[f->at], ds) != 0)
		f->at++;
	for (unsigned long i = 0; i < f->columns; i++)
		rrd_freemem(names[i]);
	rrd_freemem(names);
	if (f->at < f->columns && f->step > 0 && f->end > f->start)
		return true;
	rrd_freemem(f->data);
	return false;
}

/* The value of the step that holds the second before t. */
static double value_at(const struct fetched *f, int64_t t)
{
	if (t <= f->start || t > f->end)
		return NAN;
	return f->data[(uint64_t)(t - 1 - f->start) / f->step * f->columns + f->at];
}

static void make(struct folded *out, int64_t start_s, int64_t end_s, uint32_t step_s)
{
	*out = (struct folded){.start_s = start_s, .step_s = step_s, .rows = (uint32_t)((end_s - start_s) / step_s)};
	double **arrays[] = {&out->mean, &out->least, &out->most};
	for (size_t a = 0; a < COUNT_OF(arrays); a++) {
		*arrays[a] = mem_array(out->rows + 1, sizeof(double));
		for (uint32_t i = 0; i < out->rows; i++)
			(*arrays[a])[i] = NAN;
	}
}

void folded_free(struct folded *f)
{
	free(f->mean);
	free(f->least);
	free(f->most);
	*f = (struct folded){.rows = 0};
}

static bool known(const struct folded *f)
{
	for (uint32_t i = 0; i < f->rows; i++)
		if (isfinite(f->mean[i]))
			return true;
	return false;
}

/* --- a file and the newest values ------------------------------------------------------------------------ */
static void copy_in(struct folded *out, double *to, const char *file, const char *name, const char *function, const struct graph_request *r)
{
	struct fetched f;

	if (!fetch(file, name, function, r, &f))
		return;
	for (uint32_t i = 0; i < out->rows; i++)
		to[i] = value_at(&f, out->start_s + (int64_t)(i + 1) * out->step_s);
	rrd_freemem(f.data);
}

static int64_t seconds_up(int64_t ms)
{
	return ms > 0 ? ms / 1000 + (ms % 1000 != 0) : 0;
}

static void lay_over(struct folded *out, const struct graph_point *points, uint32_t count)
{
	int64_t before = INT64_MIN;

	for (uint32_t k = 0; k < count; k++) {
		int64_t end = seconds_up(points[k].time_ms), from = end - HOLD_S > before ? end - HOLD_S : before;
		for (int64_t t = from + 1; t <= end; t++) {
			int64_t row = t - out->start_s - 1;
			if (row < 0 || row >= out->rows)
				continue;
			out->mean[row] = out->least[row] = out->most[row] = points[k].value;
		}
		before = end > before ? end : before;
	}
}

bool fold_points(struct graph_request *r, uint32_t line, const char *directory, struct folded *out)
{
	const struct graph_line *l = &r->lines[line];
	char *file = picture_file(l, directory);

	if (r->to_s - r->from_s > POINTS_SPAN_S) {
		free(file);
		return false;
	}
	make(out, r->from_s, r->to_s, 1);
	copy_in(out, out->mean, file, l->name, "AVERAGE", r);
	copy_in(out, out->least, file, l->name, "MIN", r);
	copy_in(out, out->most, file, l->name, "MAX", r);
	lay_over(out, graph_points(r) + l->point_first, l->point_count);
	free(file);
	if (known(out))
		return true;
	folded_free(out);
	return false;
}

/* --- many files ------------------------------------------------------------------------------------------ */
struct many {
	float *values; /* source by source, rows of each */
	uint32_t rows, sources;
};

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

/* The known values of a row, in order; how many. */
static uint32_t row_of(const struct many *m, uint32_t row, float *out)
{
	uint32_t n = 0;

	for (uint32_t s = 0; s < m->sources; s++)
		if (isfinite(m->values[(size_t)s * m->rows + row]))
			out[n++] = m->values[(size_t)s * m->rows + row];
	if (n)
		qsort(out, n, sizeof *out, by_value);
	return n;
}

static void fold_row(enum graph_fold fold, const float *sorted, uint32_t n, uint32_t row, struct folded *out)
{
	double sum = 0;

	if (!n)
		return;
	for (uint32_t i = 0; i < n; i++)
		sum += (double)sorted[i];
	out->mean[row] = fold == GRAPH_SUM ? sum : fold == GRAPH_MEAN ? sum / n : ((double)sorted[(n - 1) / 2] + (double)sorted[n / 2]) / 2;
	out->least[row] = fold == GRAPH_SUM ? sum : (double)sorted[0];
	out->most[row] = fold == GRAPH_SUM ? sum : (double)sorted[n - 1];
}

/* All sources on the steps of the first that has a file. False: none has. */
static bool fetch_all(struct graph_request *r, const struct graph_line *l, const char *directory, struct many *m, struct folded *out)
{
	struct graph_line one = *l;
	bool begun = false;

	for (uint32_t s = 0; s < l->source_count; s++) {
		const struct graph_source *source = &graph_sources(r)[l->source_first + s];
		struct fetched f;
		text_copy(one.group, sizeof one.group, source->group);
		text_copy(one.node, sizeof one.node, source->node);
		text_copy(one.file, sizeof one.file, source->file);
		char *file = picture_file(&one, directory);
		bool there = fetch(file, l->name, "AVERAGE", r, &f);
		free(file);
		if (there && !begun) {
			make(out, f.start, f.end, (uint32_t)f.step);
			*m = (struct many){mem_array((size_t)out->rows * l->source_count + 1, sizeof(float)), out->rows, l->source_count};
			for (size_t i = 0; i < (size_t)m->rows * m->sources; i++)
				m->values[i] = NAN;
			begun = true;
		}
		for (uint32_t i = 0; there && i < m->rows; i++)
			m->values[(size_t)s * m->rows + i] = (float)value_at(&f, out->start_s + (int64_t)(i + 1) * out->step_s);
		if (there)
			rrd_freemem(f.data);
	}
	return begun;
}

static double mean_of(const struct many *m, uint32_t source)
{
	double sum = 0;
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->rows; i++) {
		double v = (double)m->values[(size_t)source * m->rows + i];
		if (isfinite(v)) {
			sum += v;
			n++;
		}
	}
	return n ? sum / n : NAN;
}

static uint32_t highest(const struct many *m, uint32_t *sources)
{
	double means[GRAPH_TOP];
	uint32_t count = 0;

	for (uint32_t s = 0; s < m->sources; s++) {
		double mean = mean_of(m, s);
		uint32_t at = count < GRAPH_TOP ? count : GRAPH_TOP - 1;
		if (isnan(mean) || (count == GRAPH_TOP && mean <= means[at]))
			continue;
		for (; at > 0 && means[at - 1] < mean; at--) {
			means[at] = means[at - 1];
			sources[at] = sources[at - 1];
		}
		means[at] = mean;
		sources[at] = s;
		count += count < GRAPH_TOP;
	}
	return count;
}

static void take_source(const struct many *m, uint32_t source, const struct folded *like, struct folded *out)
{
	make(out, like->start_s, like->start_s + (int64_t)like->rows * like->step_s, like->step_s);
	for (uint32_t i = 0; i < m->rows; i++)
		out->mean[i] = out->least[i] = out->most[i] = (double)m->values[(size_t)source * m->rows + i];
}

bool fold_sources(struct graph_request *r, uint32_t line, const char *directory, struct folded *out, struct folded *top, uint32_t *top_source,
		  uint32_t *top_count)
{
	const struct graph_line *l = &r->lines[line];
	struct many m = {NULL, 0, 0};

	*top_count = 0;
	if (!fetch_all(r, l, directory, &m, out))
		return false;
	float *row = mem_array(m.sources, sizeof *row);
	for (uint32_t i = 0; i < m.rows; i++)
		fold_row((enum graph_fold)l->fold, row, row_of(&m, i, row), i, out);
	free(row);
	if (top)
		*top_count = highest(&m, top_source);
	for (uint32_t i = 0; i < *top_count; i++)
		take_source(&m, top_source[i], out, &top[i]);
	free(m.values);
	if (known(out))
		return true;
	folded_free(out);
	return false;
}
