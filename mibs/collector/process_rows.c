/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of an agent's process table and what matches them; see process_rows.h. */
#include "mibs/collector/process_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/glob.h"
#include "base/memory.h"
#include "base/text.h"

enum { KERNEL_NAME = 15 };

/* hrSWRunEntry and hrSWRunPerfEntry, and the column in it */
static const uint32_t columns[PROCESS_COLUMNS][PROCESS_OID_LENGTH - 1] = {
    [PROCESS_NAME] = {1, 3, 6, 1, 2, 1, 25, 4, 2, 1, 2},   [PROCESS_ARGUMENTS] = {1, 3, 6, 1, 2, 1, 25, 4, 2, 1, 5},
    [PROCESS_STATUS] = {1, 3, 6, 1, 2, 1, 25, 4, 2, 1, 7}, [PROCESS_CPU] = {1, 3, 6, 1, 2, 1, 25, 5, 1, 1, 1},
    [PROCESS_MEM] = {1, 3, 6, 1, 2, 1, 25, 5, 1, 1, 2},
};

void process_oid(enum process_column column, uint32_t index, uint32_t *out)
{
	memcpy(out, columns[column], sizeof columns[column]);
	out[PROCESS_OID_LENGTH - 1] = index;
}

/* One varbind; *column is PROCESS_COLUMNS for a name that is no cell of a process. False: not decodable. */
static bool take_varbind(struct ber *list, struct process_cell *cell, uint8_t *type)
{
	struct ber varbind, oid, content;
	uint32_t name[QUERY_OID_MAX];

	if (!ber_take(list, BER_SEQUENCE, &varbind) || !ber_take(&varbind, BER_OID, &oid) || !ber_any(&varbind, type, &content) ||
	    !value_decode(*type, content, &cell->value))
		return false;
	size_t length = ber_oid_value(oid, name, QUERY_OID_MAX);
	cell->column = PROCESS_COLUMNS;
	for (int c = 0; c < PROCESS_COLUMNS && length == PROCESS_OID_LENGTH; c++)
		if (!memcmp(name, columns[c], sizeof columns[c]))
			cell->column = (enum process_column)c;
	cell->index = length == PROCESS_OID_LENGTH ? name[PROCESS_OID_LENGTH - 1] : 0;
	return true;
}

size_t process_walk_pdu(const struct process_walk *w, bool bulk, uint8_t *out, size_t room, size_t *id_at)
{
	uint32_t oid[PROCESS_OID_LENGTH];

	process_oid(w->column, w->last, oid);
	return query_walk_pdu(oid, w->begun ? PROCESS_OID_LENGTH : PROCESS_OID_LENGTH - 1, bulk ? PROCESS_REPETITIONS : 0, out, room,
			      id_at);
}

enum process_step process_walk_take(struct process_walk *w, const struct response *r, process_cell_taken *taken, void *arg)
{
	struct ber list = r->varbinds;
	struct process_cell cell;
	bool any = false;
	uint8_t type;

	if (r->error_status)
		return r->error_status == 2 ? PROCESS_ENDS : PROCESS_BAD; /* noSuchName: version 1's end of the view */
	for (; ber_left(&list); any = true) {
		if (!take_varbind(&list, &cell, &type))
			return PROCESS_BAD;
		if (type == BER_END_OF_VIEW || cell.column != w->column)
			return PROCESS_ENDS;
		if (w->begun && cell.index <= w->last)
			return PROCESS_BAD; /* in circles */
		w->begun = true;
		w->last = cell.index;
		if (w->rows == PROCESS_ROWS_MAX) {
			w->cut = true;
			return PROCESS_ENDS;
		}
		w->rows++;
		taken(arg, &cell);
	}
	if (++w->steps == PROCESS_STEPS_MAX)
		w->cut = true;
	return !any || w->cut ? PROCESS_ENDS : PROCESS_MORE;
}

size_t process_get_pdu(const struct process_cell *cells, size_t count, uint8_t *out, size_t room, size_t *id_at)
{
	struct query_want wants[PROCESS_GET_MAX] = {0};
	size_t size = 0;

	for (size_t i = 0; i < count; i++) {
		wants[i].oid_length = PROCESS_OID_LENGTH;
		process_oid(cells[i].column, cells[i].index, wants[i].oid);
	}
	struct query *q = query_new(wants, count);
	if (q && q->size <= room) {
		size = q->size;
		memcpy(out, q->pdu, size);
		*id_at = q->id_at;
	}
	free(q);
	return size;
}

bool process_get_take(const struct response *r, process_cell_taken *taken, void *arg)
{
	struct ber list = r->varbinds;
	struct process_cell cell;
	uint8_t type;

	while (ber_left(&list)) {
		if (!take_varbind(&list, &cell, &type))
			return false;
		if (cell.column != PROCESS_COLUMNS)
			taken(arg, &cell);
	}
	return r->error_status == 0;
}

void process_text(const struct query_value *v, char *out, size_t size)
{
	size_t n = v->type == VALUE_TEXT ? ber_left(&v->text) : 0;

	n = n < size - 1 ? n : size - 1;
	if (n)
		memcpy(out, v->text.at, n);
	out[n] = '\0';
	text_make_printable(out);
}

bool process_name_matches(const char *wanted, const char *name)
{
	if (strlen(name) == KERNEL_NAME && strlen(wanted) > KERNEL_NAME && !strpbrk(wanted, "*?["))
		return !strncmp(wanted, name, KERNEL_NAME);
	return glob_match(wanted, name);
}

bool process_arguments_match(const char *wanted, const char *arguments)
{
	char pattern[128];

	if (!*wanted)
		return true;
	return text_format(pattern, sizeof pattern, "*%s*", wanted) && glob_match(pattern, arguments);
}
