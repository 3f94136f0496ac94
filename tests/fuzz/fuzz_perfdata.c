/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fuzzes what a check plugin prints: the whole output as the checker takes it, and the arguments it is given. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "checker/perfdata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct perf_value values[8];
	char *output = malloc(size + 1), room[128], *words[6], *perf;

	memcpy(output, data, size);
	output[size] = '\0';
	int count = check_arguments(output, "10.0.0.1", "n001", room, sizeof room, words, 6);
	for (int i = 0; i < count; i++)
		if (words[i] < room || words[i] + strlen(words[i]) >= room + sizeof room)
			abort();
	const char *text = perfdata_split(output, &perf);
	if (strlen(text) > size)
		abort();
	size_t n = perf ? perfdata_parse(perf, values, 8) : 0;
	for (size_t i = 0; i < n; i++)
		if (!values[i].label[0] || isinf(values[i].value) || memchr(values[i].unit, 0, sizeof values[i].unit) == NULL)
			abort();
	free(output);
	return 0;
}
