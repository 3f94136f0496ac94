/* SPDX-License-Identifier: GPL-3.0-or-later */
/* librrd's half of the grapher; see draw.h. */
#include "rrd/grapher/draw.h"

#include <errno.h>
#include <math.h>
#include <rrd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "rrd/grapher/fold.h"
#include "rrd/grapher/picture.h"

/* Whether a file has a finite value of the data source in [from, to]. */
static bool has_data(const char *file, const char *name, int64_t from_s, int64_t to_s)
{
	time_t start = (time_t)from_s, end = (time_t)to_s;
	unsigned long step = 1, count = 0, at = 0;
	char **names = NULL;
	rrd_value_t *data = NULL;
	bool found = false;

	if (rrd_fetch_r(file, "AVERAGE", &start, &end, &step, &count, &names, &data) != 0) {
		rrd_clear_error();
		return false;
	}
	while (at < count && strcmp(names[at], name) != 0)
		at++;
	for (unsigned long i = at; at < count && i < (unsigned long)(end - start) / step * count && !found; i += count)
		found = isfinite(data[i]);
	for (unsigned long i = 0; i < count; i++)
		rrd_freemem(names[i]);
	rrd_freemem(names);
	rrd_freemem(data);
	return found;
}

static bool line_has_data(const struct graph_request *r, const struct graph_line *l, const char *directory)
{
	char *file = picture_file(l, directory), name[NAMES_SOURCE_SIZE];
	bool found = file && has_data(file, names_data_source(l->name, name), r->from_s, r->to_s);

	if (file && !found && access(file, R_OK) != 0 && errno != ENOENT &&
	    errno != ENOTDIR) /* a file that is not there yet is no trouble */
		log_warning("graph: %s: %s: is this program in the recorder's group", file, strerror(errno));
	free(file);
	return found;
}

static uint8_t *image_of(const rrd_info_t *info, size_t *size)
{
	for (; info; info = info->next) {
		if (strcmp(info->key, "image") == 0 && info->type == RD_I_BLO) {
			uint8_t *image = mem_zalloc(info->value.u_blo.size);

			memcpy(image, info->value.u_blo.ptr, info->value.u_blo.size);
			*size = info->value.u_blo.size;
			return image;
		}
	}
	return NULL;
}

/* --- lines in memory --- */
/* librrd's own way to give it data that no file has: DEF:x=cb//NAME (rrdgraph_data, "callback"). The function is exported, for
 * the language bindings; the header that declares it is not installed (function: an enumeration there). */
typedef int fetch_callback(const char *name, unsigned function, time_t *start, time_t *end, unsigned long *step, unsigned long *count,
			   char ***names, rrd_value_t **data);
int rrd_fetch_cb_register(fetch_callback *callback);

#define COLUMNS 3
static struct folded served[GRAPH_LINES];

static char *copy_of(const char *text)
{
	char *copy = malloc(strlen(text) + 1); /* librrd frees it */

	if (copy)
		memcpy(copy, text, strlen(text) + 1);
	return copy;
}

static int serve(const char *name, unsigned function, time_t *start, time_t *end, unsigned long *step, unsigned long *count, char ***names,
		 rrd_value_t **data)
{
	static const char *const columns[COLUMNS] = {"a", "n", "x"};
	int64_t line = -1;

	(void)function;
	if (strncmp(name, "cb//", 4) != 0 || !text_integer(name + 4, 0, GRAPH_LINES - 1, &line) || !served[line].rows)
		return -1;
	const struct folded *f = &served[line];
	*start = (time_t)f->start_s;
	*end = (time_t)(f->start_s + (int64_t)f->rows * f->step_s);
	*step = f->step_s;
	*count = COLUMNS;
	*names = calloc(COLUMNS, sizeof **names);
	*data = calloc((size_t)(f->rows + 1) * COLUMNS, sizeof **data);
	if (!*names || !*data)
		return -1;
	for (size_t c = 0; c < COLUMNS; c++)
		(*names)[c] = copy_of(columns[c]);
	for (uint32_t i = 0; i < f->rows; i++) {
		(*data)[i * COLUMNS] = f->mean[i];
		(*data)[i * COLUMNS + 1] = f->least[i];
		(*data)[i * COLUMNS + 2] = f->most[i];
	}
	return 0;
}

/* A median and the sources above it, as lines of `shown` from its line_count on. */
static void add_median(struct graph_request *r, uint32_t line, const char *directory, struct graph_request *shown, enum picture_data *data)
{
	const struct graph_line *l = &r->lines[line];
	struct folded top[GRAPH_TOP] = {{.rows = 0}};
	uint32_t sources[GRAPH_TOP], count, at = shown->line_count++;

	shown->lines[at] = *l;
	if (fold_sources(r, line, directory, &served[at], top, sources, &count))
		data[at] = PICTURE_MEMORY;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t own = shown->line_count++;
		const struct graph_source *source = &graph_sources(r)[l->source_first + sources[i]];
		shown->lines[own] = *l;
		shown->lines[own].threshold_count = 0;
		text_format(shown->lines[own].label, sizeof shown->lines[own].label, "%.40s %s", source->node, l->name);
		text_make_printable(shown->lines[own].label);
		served[own] = top[i];
		data[own] = PICTURE_MEMORY;
	}
}

static void add_plain(struct graph_request *r, uint32_t line, const char *directory, struct graph_request *shown, enum picture_data *data)
{
	const struct graph_line *l = &r->lines[line];
	uint32_t at = shown->line_count++, none;

	shown->lines[at] = *l;
	if (l->fold != GRAPH_ONE)
		data[at] = fold_sources(r, line, directory, &served[at], NULL, NULL, &none) ? PICTURE_MEMORY : PICTURE_NOTHING;
	else if (l->point_count && fold_points(r, line, directory, &served[at]))
		data[at] = PICTURE_MEMORY;
	else
		data[at] = line_has_data(r, l, directory) ? PICTURE_FILE : PICTURE_NOTHING;
}

uint8_t *draw_request(struct graph_request *r, const char *directory, size_t *size, char *why, size_t why_size)
{
	enum picture_data data[GRAPH_LINES] = {PICTURE_NOTHING};
	struct graph_request *shown = mem_zalloc(sizeof *shown);
	struct picture picture;
	uint8_t *image = NULL;

	*shown = *r;
	shown->line_count = 0;
	for (uint32_t i = 0; i < r->line_count; i++)
		(r->lines[i].fold == GRAPH_MEDIAN ? add_median : add_plain)(r, i, directory, shown, data);
	rrd_fetch_cb_register(serve);
	if (!r->local_time)
		setenv("TZ", "UTC", 1);
	picture_build(shown, directory, data, &picture);
	rrd_info_t *info = rrd_graph_v(picture.count, picture.arguments);
	if (info)
		image = image_of(info, size);
	if (!image) {
		text_copy(why, why_size, rrd_test_error() ? rrd_get_error() : "librrd made no picture");
		text_make_printable(why);
		rrd_clear_error();
	}
	rrd_info_free(info);
	picture_free(&picture);
	for (uint32_t i = 0; i < GRAPH_LINES; i++)
		folded_free(&served[i]);
	free(shown);
	return image;
}
