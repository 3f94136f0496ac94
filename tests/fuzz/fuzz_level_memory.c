/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A record of the file of memories, and a threshold row in words, from anybody: refused, or judged by without harm for as long as values
 * come. The first line is the row, the rest is the memory. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/threshold.h"
#include "monitor/levels.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	size_t length = end ? (size_t)(end - data) : size;
	struct level_rules rules = {.count = 1};
	struct level_state state = {.level = 0};
	char row[200], text[64] = "x";
	struct level_seen seen;
	struct error e;

	if (length >= sizeof row)
		return 0;
	memcpy(row, data, length);
	row[length] = '\0';
	if (threshold_parse(row, &rules.rule[0], &e))
		return 0;
	if (!threshold_valid(&rules.rule[0]))
		abort();
	struct level_memory *m = end ? level_memory_load(end + 1, size - length - 1) : NULL;
	if (!m)
		m = level_memory_new();
	for (int i = 0; i < 400; i++) {
		struct level_sample s = {.value = i % 11 ? 40 + i * 0.1 : NAN, .wall_ms = 1700000000000 + i * 977000ll, .quiet_ms = i * 1000};
		if (level_judge(&rules, &state, m, &s, &seen) >= LEVEL_COUNT)
			abort();
		level_reason(&seen, text, sizeof text);
	}
	void *bytes = malloc(level_memory_saved(m));
	if (bytes)
		level_memory_save(m, bytes);
	free(bytes);
	level_memory_free(m);
	return 0;
}
