/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of archives; see layout.h. */
#include "rrd/layout.h"

#include "base/text.h"

#define HOUR 3600u
#define DAY (24 * HOUR)

const struct layout_archive layout_archives[LAYOUT_ARCHIVES] = {
    {10, 2 * HOUR, false}, {60, DAY, true}, {600, 7 * DAY, true}, {HOUR, 31 * DAY, true}, {6 * HOUR, 365 * DAY, true},
};

static bool fits(const struct layout_archive *a, uint32_t step_s)
{
	return a->resolution_s % step_s == 0;
}

bool layout_arguments(uint32_t step_s, const char (*names)[NAMES_SOURCE_SIZE], uint32_t count,
		      struct layout_arguments *out)
{
	static const char *const functions[] = {"AVERAGE", "MIN", "MAX"};
	int n = 0;

	if (step_s == 0 || count == 0 || count > 48)
		return false;
	/* a heartbeat of one step and a half: a row that is missing stays unknown instead of being bridged by the next
	 */
	for (uint32_t i = 0; i < count; i++)
		text_format(out->text[n++], sizeof out->text[0], "DS:%s:GAUGE:%u:U:U", names[i], step_s + step_s / 2);
	for (int i = 0; i < LAYOUT_ARCHIVES; i++) {
		const struct layout_archive *a = &layout_archives[i];

		for (int f = 0; fits(a, step_s) && f < (a->min_max ? 3 : 1); f++)
			text_format(out->text[n++], sizeof out->text[0], "RRA:%s:0.5:%u:%u", functions[f],
				    a->resolution_s / step_s, a->span_s / a->resolution_s);
	}
	out->count = n;
	for (int i = 0; i < n; i++)
		out->pointers[i] = out->text[i];
	return n > (int)count;
}

uint64_t layout_rows(uint32_t step_s)
{
	uint64_t rows = 0;

	for (int i = 0; i < LAYOUT_ARCHIVES && step_s; i++) {
		if (fits(&layout_archives[i], step_s))
			rows += (uint64_t)layout_archives[i].span_s / layout_archives[i].resolution_s *
				(layout_archives[i].min_max ? 3 : 1);
	}
	return rows;
}

uint64_t layout_bytes(uint32_t step_s, uint32_t count)
{
	/* values, then the header's counters: 120 bytes per source and per source and archive */
	return (layout_rows(step_s) * 8 + (1 + 3 * LAYOUT_ARCHIVES) * 120) * count + 4096;
}
