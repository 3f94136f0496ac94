/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spellings of the error kinds, and the one way to fill a struct error. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const char *const names[] = {"ok",     "bug",         "config",    "not-now", "refused",
				    "remote", "no-resource", "not-found", "exists",  "busy"};

const char *error_name(int kind)
{
	if (kind >= 0)
		return names[0];
	if (-kind >= (int)(sizeof names / sizeof names[0]))
		return names[1];
	return names[-kind];
}

int error_value(const char *name)
{
	for (int i = 0; i < (int)(sizeof names / sizeof names[0]); i++)
		if (!strcmp(names[i], name))
			return -i;
	return ERR_BUG;
}

int error_set(struct error *e, int kind, const char *object, const char *remedy, const char *format, ...)
{
	va_list ap;

	if (!e)
		return kind;
	e->kind = kind;
	text_copy(e->object, sizeof e->object, object ? object : "");
	text_copy(e->remedy, sizeof e->remedy, remedy ? remedy : "");
	va_start(ap, format);
	vsnprintf(e->text, sizeof e->text, format, ap);
	va_end(ap);
	return kind;
}
