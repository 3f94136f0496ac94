/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Varbinds as bytes, written forward into an answer: names from the places of the MIB, values from cells. Pure. Called by respond. */
#ifndef GLORY_MIBS_AGENT_ENCODE_H
#define GLORY_MIBS_AGENT_ENCODE_H

#include "mibs/agent/cell.h"

#define ENCODE_NAME_MAX (5 * MIB_OID_MAX)

/* A list of varbinds that grows; full stays true once one did not fit. */
struct encode_list {
	uint8_t *at, *end;
	bool full;
};

/* The encoded name of a column, kept from row to row. */
struct encode_column {
	const struct mib_column *column; /* NULL: none yet */
	uint8_t size, bytes[ENCODE_NAME_MAX];
};

/* Content of the OBJECT IDENTIFIER of a place, at most ENCODE_NAME_MAX bytes; returns its size. */
size_t encode_name(struct encode_column *kept, const struct mib_place *place, uint8_t *out);
/* Appends a varbind; false: it does not fit. */
bool encode_cell(struct encode_list *list, const uint8_t *name, size_t size, const struct cell *cell);
/* The same with an exception (noSuchObject, noSuchInstance, endOfMibView) in the place of a value. */
bool encode_exception(struct encode_list *list, const uint8_t *name, size_t size, uint8_t exception);

#endif
