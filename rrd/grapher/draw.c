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

uint8_t *draw_request(const struct graph_request *r, const char *directory, size_t *size, char *why, size_t why_size)
{
	bool present[GRAPH_LINES] = {false};
	struct picture picture;
	uint8_t *image = NULL;

	for (uint32_t i = 0; i < r->line_count; i++)
		present[i] = line_has_data(r, &r->lines[i], directory);
	if (!r->local_time)
		setenv("TZ", "UTC", 1);
	picture_build(r, directory, present, &picture);
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
	return image;
}
