/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes of a file of statistics that somebody has been at: refused, or a summary whose figures make sense and which packs again. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/summary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t packed[SUMMARY_PACKED_MAX];
	static const struct summary_limits limits = SUMMARY_LIMITS;
	struct summary s = {.energy_wh = 0}, twice = {.energy_wh = 0}, again = {.energy_wh = 0};

	if (!summary_unpack(&s, data, size)) {
		if (summary_watched_ms(&s) || s.items[0].counts)
			abort();
		return 0;
	}
	double share = summary_availability(&s);
	if (share < 0 || share > 100)
		abort();
	for (unsigned i = 0; i < SUMMARY_ITEMS; i++) {
		double half = sketch_quantile(&s.items[i], 0.5);
		if (s.items[i].count && !(half >= (double)s.items[i].least && half <= (double)s.items[i].most))
			abort();
	}
	summary_is_idle(&s, &limits, 3600000);
	summary_merge(&twice, &s);
	summary_merge(&twice, &s);
	if (!summary_unpack(&again, packed, summary_pack(&s, packed)))
		abort();
	summary_incident(&twice, (enum verdict)data[0], data[size - 1], INT64_MAX);
	summary_free(&s);
	summary_free(&twice);
	summary_free(&again);
	return 0;
}
