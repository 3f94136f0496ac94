/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Just enough of SMIv2 to hold the text of GLORY-CL-MIB against our tables: finds a definition by name and reads its parts.
 * Included by test_mib_words.c and test_agent_tables.c. */
#ifndef GLORY_TESTS_MIB_TEXT_H
#define GLORY_TESTS_MIB_TEXT_H

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB_PATH "mibs/GLORY-CL-MIB.txt"

static char mib_text[256 * 1024];

/* Reads the text once; comments are blanked. Run from the top of the source tree, as `make check` does. */
static inline bool mib_load(void)
{
	FILE *f = fopen(MIB_PATH, "r");
	size_t n = f ? fread(mib_text, 1, sizeof mib_text - 1, f) : 0;

	if (f)
		fclose(f);
	mib_text[n] = '\0';
	for (char *c = mib_text; (c = strstr(c, "--"));)
		while (*c && *c != '\n')
			*c++ = ' ';
	return n > 0 && n < sizeof mib_text - 1;
}

/* The body of "NAME KEYWORD" at the beginning of a line; NULL when there is none. */
static inline const char *mib_find(const char *name, const char *keyword)
{
	size_t n = strlen(name);

	for (const char *c = mib_text; (c = strstr(c, name)); c += n) {
		if (c != mib_text && c[-1] != '\n')
			continue;
		const char *k = c + n;
		if (!isspace((unsigned char)*k))
			continue;
		k += strspn(k, " \t\n");
		if (!strncmp(k, keyword, strlen(keyword)))
			return k + strlen(keyword);
	}
	return NULL;
}

/* The word behind `clause` in a definition, into out. False: the definition ends before. */
static inline bool mib_clause(const char *body, const char *clause, char *out, size_t size)
{
	const char *end = strstr(body, "::= {"), *c = strstr(body, clause);

	if (!c || !end || c > end)
		return false;
	c += strlen(clause);
	c += strspn(c, " \t\n");
	size_t n = strcspn(c, " \t\n(");
	if (!strncmp(c, "OCTET STRING", 12))
		n = 12;
	if (n >= size)
		return false;
	memcpy(out, c, n);
	out[n] = '\0';
	return true;
}

/* "::= { PARENT NUMBER }" of a definition. */
static inline bool mib_place_of(const char *body, char *parent, size_t size, unsigned *number)
{
	const char *c = strstr(body, "::= {");
	char format[32];

	snprintf(format, sizeof format, " %%%zus %%u }", size - 1);
	return c && sscanf(c + 5, format, parent, number) == 2;
}

#endif
