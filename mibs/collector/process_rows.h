/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading an agent's running processes (hrSWRunTable and hrSWRunPerfTable, RFC 2790, sections 6.4 and 6.5): a bounded walk
 * of one column, requests for some columns of known indexes, and the taking apart of what comes back; and what it takes
 * for a process to be one that is meant. Pure. Called by process.c and top.c. */
#ifndef GLORY_COLLECTOR_PROCESS_ROWS_H
#define GLORY_COLLECTOR_PROCESS_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mibs/collector/template.h"

enum process_column {
	PROCESS_NAME,      /* hrSWRunName, text */
	PROCESS_ARGUMENTS, /* hrSWRunParameters, text; net-snmp cuts it at 128 bytes */
	PROCESS_STATUS,    /* hrSWRunStatus: 1 running, 2 runnable, 3 not runnable, 4 invalid */
	PROCESS_CPU,       /* hrSWRunPerfCPU, 1/100 s since it started */
	PROCESS_MEM,       /* hrSWRunPerfMem, KiB */
	PROCESS_COLUMNS
};
enum { PROCESS_INVALID = 4, PROCESS_OID_LENGTH = 12 };

/* The object identifier of a cell: PROCESS_OID_LENGTH numbers. */
void process_oid(enum process_column column, uint32_t index, uint32_t *out);

/* What one answer says of one process. */
struct process_cell {
	enum process_column column;
	uint32_t index;
	struct query_value value; /* type VALUE_MISSING: there is no such process */
};
typedef void process_cell_taken(void *arg, const struct process_cell *cell);

/* A column on its way. Bounded by rows, requests and, by its owner, time. */
enum { PROCESS_ROWS_MAX = 8192, PROCESS_STEPS_MAX = 600, PROCESS_REPETITIONS = 24, PROCESS_GET_MAX = 20 };
struct process_walk {
	enum process_column column;
	bool begun;          /* rows behind `last` are asked for */
	bool cut;            /* it was ended by a bound: there may be more */
	uint32_t last;
	unsigned rows, steps;
};
enum process_step { PROCESS_MORE, PROCESS_ENDS, PROCESS_BAD };

/* The request for the next rows into out; its size, 0 when it cannot be. bulk: GETBULK, which version 1 lacks. */
size_t process_walk_pdu(const struct process_walk *walk, bool bulk, uint8_t *out, size_t room, size_t *id_at);
/* Takes the rows of an answer. PROCESS_BAD: not decodable, or in circles. */
enum process_step process_walk_take(struct process_walk *walk, const struct response *response, process_cell_taken *taken, void *arg);

/* A GET of cells (at most PROCESS_GET_MAX) into out, and the taking of its answer; false: not decodable. */
size_t process_get_pdu(const struct process_cell *cells, size_t count, uint8_t *out, size_t room, size_t *id_at);
bool process_get_take(const struct response *response, process_cell_taken *taken, void *arg);

/* Text of a cell as a terminated, printable one. */
void process_text(const struct query_value *value, char *out, size_t size);

/* wanted: a pattern (base/glob.h). A name that the agent cut at 15 bytes, as the Linux kernel does, is one that begins so. */
bool process_name_matches(const char *wanted, const char *name);
/* Without a pattern all arguments are right; a pattern need not match all of the text, but a part of it. */
bool process_arguments_match(const char *wanted, const char *arguments);

#endif
