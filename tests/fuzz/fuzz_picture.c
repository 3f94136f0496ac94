/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any text as a picture and as a result; what is taken is written and read back the same, differs from itself in nothing, and differs from an
 * empty one without harm. */
#include <stdlib.h>
#include <string.h>

#include "balance/picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void as_picture(const char *text, size_t size)
{
	struct picture p, again;
	struct picture nothing = {0};
	struct picture_result r = {0};
	struct error e;

	if (picture_from_json(text, size, &p, &e)) {
		if (e.kind != ERR_CONFIG || !e.text[0] || !e.object[0] || !e.remedy[0] || p.virtuals)
			abort();
		return;
	}
	char *first = picture_to_json(&p, true);
	if (picture_from_json(first, strlen(first), &again, &e))
		abort();
	char *second = picture_to_json(&again, true);
	if (strcmp(first, second) != 0)
		abort();
	picture_diff(&p, &again, NULL, NULL, &r);
	if (r.change_count)
		abort();
	picture_diff(&p, &nothing, NULL, NULL, &r);
	picture_diff(&nothing, &p, NULL, NULL, &r);
	picture_result_clear(&r);
	picture_free_text(first);
	picture_free_text(second);
	picture_clear(&again);
	picture_clear(&p);
}

static void as_result(const char *text, size_t size)
{
	struct picture_result r, again;
	struct error e;

	if (picture_result_from_json(text, size, &r, &e)) {
		if (e.kind != ERR_CONFIG || !e.text[0])
			abort();
		return;
	}
	char *first = picture_result_to_json(&r);
	if (picture_result_from_json(first, strlen(first), &again, &e))
		abort();
	free(first);
	picture_result_clear(&again);
	picture_result_clear(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	as_picture((const char *)data, size);
	as_result((const char *)data, size);
	return 0;
}
