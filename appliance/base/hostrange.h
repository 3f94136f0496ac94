/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Host ranges: "n[001-250,300]", "10.1.0.[1-250]", several of them with commas; the type every command speaks.
 * Expansion keeps order and leading zeros. Bracket groups multiply: "r[1-2]n[1-3]" has six names, the last group fastest. */
#ifndef GLORY_BASE_HOSTRANGE_H
#define GLORY_BASE_HOSTRANGE_H

#include <stddef.h>

#include "base/error.h"

#define HOSTRANGE_MAX 20000 /* names one range may stand for */

struct name_list {
	char **names; /* owned */
	size_t count;
	size_t room;
};

/* Appends what text stands for to *list. ERR_CONFIG with the reason in *e: unbalanced bracket, end before start, too many,
 * a name that is none. *list keeps what was in it before; nothing half-added. */
int hostrange_expand(const char *text, struct name_list *list, struct error *e);
/* The shortest range text for the names (sorted, duplicates dropped), malloc'd: "n[001-004],sw1". */
char *hostrange_compress(const struct name_list *list);
void name_list_add(struct name_list *list, const char *name);
void name_list_free(struct name_list *list);

#endif
