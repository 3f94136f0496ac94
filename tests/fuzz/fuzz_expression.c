/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any text as an expression over items, and as a list of patterns over itself: what is taken stays within its bounds, and its value is a
 * finite number or unknown, whatever the items are. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/glob.h"
#include "config/expression.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void evaluate(const char *text)
{
	static const double some[] = {0, 1, -1, 1e308, -1e-308, 100, __builtin_nan("")};
	double values[EXPRESSION_NAMES];
	struct expression x;
	struct error e = {.kind = 0};

	if (expression_parse(text, &x, &e)) {
		if (e.kind != ERR_CONFIG || !e.text[0] || !e.remedy[0])
			abort();
		return;
	}
	if (x.steps == 0 || x.steps > EXPRESSION_STEPS || x.names == 0 || x.names > EXPRESSION_NAMES)
		abort();
	for (size_t round = 0; round < 7; round++) {
		for (unsigned i = 0; i < x.names; i++) {
			if (!memchr(x.name[i], 0, EXPRESSION_NAME) || !x.name[i][0])
				abort();
			values[i] = some[(i + round) % 7];
		}
		if (isinf(expression_value(&x, values)))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	evaluate(text);
	char *half = strchr(text, '\n');
	if (half)
		*half++ = '\0';
	glob_list_valid(text);
	glob_list_match(text, half ? half : text);
	free(text);
	return 0;
}
