/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A graph request from anybody: refused with a reason, or made into arguments that stay one per line and inside the RRD
 * directory. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rrd/grapher/picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum picture_data present[GRAPH_LINES];
	struct graph_request *r;
	struct picture p;
	char why[100];
	size_t room = size < sizeof *r ? sizeof *r : size;

	if (room > GRAPH_REQUEST_MAX || !(r = calloc(1, room)))
		return 0;
	memcpy(r, data, size);
	r->magic = GRAPH_MAGIC;
	if (size < sizeof *r)
		r->source_count = r->point_count = 0;
	if (picture_check(r, room, why, sizeof why)) {
		free(r);
		return 0;
	}
	for (uint32_t i = 0; i < GRAPH_LINES; i++) {
		char *file = i < r->line_count ? picture_file(&r->lines[i], "/rrd") : NULL;

		present[i] = file && (size & 1 << i) == 0 ? PICTURE_FILE : i % 2 ? PICTURE_MEMORY : PICTURE_NOTHING;
		if (file && (strncmp(file, "/rrd/", 5) != 0 || !names_path_is_sound(file + 5)))
			abort();
		free(file);
	}
	picture_build(r, "/rrd", present, &p);
	for (int i = 0; i < p.count; i++) {
		if (strpbrk(p.arguments[i], "\n\r"))
			abort();
	}
	picture_free(&p);
	free(r);
	return 0;
}
