/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Node control's lines: whatever is taken decodes, and is taken again when it is built anew from what it says. */
#include "control/verbs.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const char *line, const struct control_verb *v)
{
	char built[CONTROL_LINE], value[CONTROL_VALUE];

	if (!control_line_begin(built, v->word))
		abort();
	for (int i = 0; i < CONTROL_ARGUMENTS && v->arguments[i].name; i++)
		if (strcmp(v->arguments[i].name, "p.") != 0 && control_line_value(line, v->arguments[i].name, value, sizeof value) && !control_line_add(built, v->arguments[i].name, value))
			abort();
	if (control_line_check(built, NULL, NULL))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char line[CONTROL_LINE + 1];
	const struct control_verb *v;
	struct error e;

	if (size >= sizeof line)
		size = sizeof line - 1;
	memcpy(line, data, size);
	line[size] = '\0';
	if (control_line_check(line, &v, &e) == 0)
		again(line, v);
	return 0;
}
