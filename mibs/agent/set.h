/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a SET asks for: all its varbinds are checked together, then each row becomes one command for the engine. Pure but for the
 * rows it looks up on the board. Called by edit, the unit test and the fuzzer. */
#ifndef GLORY_MIBS_AGENT_SET_H
#define GLORY_MIBS_AGENT_SET_H

#include "board/messages.h"
#include "mibs/agent/table.h"

#define SET_VARBINDS_MAX 128
#define SET_ROWS_MAX 64
#define SET_ARGUMENTS_MAX 1536

/* One varbind, value borrowed from the request. */
struct set_varbind {
	const mib_arc *name;
	size_t length;
	uint8_t asn;
	long integer;         /* of an INTEGER */
	const uint8_t *bytes; /* of an OCTET STRING */
	size_t size;
};

struct set_command {
	uint32_t verb;             /* enum command_verb */
	size_t varbind;            /* first varbind of the row: index - 1 of an error the engine answers with */
	char target[NAME_SIZE];
	char arguments[SET_ARGUMENTS_MAX]; /* one JSON object */
};

struct set_plan {
	struct set_command commands[SET_ROWS_MAX];
	size_t count;
	long status;  /* 0 or the SNMP error */
	size_t index; /* varbind it is about, from 1 */
};

/* Finds what a row is called: 0, ERR_NOT_FOUND, ERR_BUSY. */
typedef int set_row_name(void *arg, const struct mib_place *place, char *name, size_t size);
/* Index at which the next row of a table will be made; 0: none. A row is made there and nowhere else, because the engine, which keeps
 * indexes for ever, hands them out. */
typedef uint32_t set_next_index(void *arg, enum board_table table);
/* May the actor write this instance? */
typedef bool set_may_write(void *arg, const mib_arc *name, size_t length);

struct set_questions {
	set_may_write *may_write;
	set_row_name *row_name;
	set_next_index *next_index;
	void *arg;
};

void set_plan_make(const struct set_varbind *varbinds, size_t count, const struct set_questions *ask, struct set_plan *out);
/* SNMP error for an error kind the engine answered with. */
long set_status_of(int error_kind);

#endif
