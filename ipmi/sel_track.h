/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where to go on in a BMC's event log (SEL, IPMI 2.0 chapter 31), as pure decisions: what the BMC answers goes in, the
 * next record id to ask for and "this one is new" come out. Called by sel.c; tests call it with invented logs.
 *
 * The newest entry that is kept is looked for by its id first. Where it stands there as it was, what follows it is new.
 * Otherwise ids were given anew (the log was cleared, or it overwrites its oldest entries and counts from 1): the whole
 * log is searched for that entry without its id, and when it is in none, all of the log is new. The log's time stamps
 * decide nothing but the notice, because two entries of one second have the same stamp. */
#ifndef GLORY_IPMI_SEL_TRACK_H
#define GLORY_IPMI_SEL_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#define SEL_RECORD 16
#define SEL_FIRST 0x0000
#define SEL_END 0xffff

/* What is kept of the log: id 0 = nothing. */
struct sel_kept {
	uint32_t added, erased;
	uint16_t id;
	uint8_t raw[SEL_RECORD];
};

/* Get SEL Info (31.2). */
struct sel_info {
	uint32_t added, erased;
	uint16_t entries, free_bytes;
	bool overflow;
};
/* False: too short to be one. data: behind the completion code. */
bool sel_info_parse(const uint8_t *data, unsigned size, struct sel_info *out);

enum sel_phase { SEL_CHECK, SEL_SEARCH, SEL_NEW, SEL_DONE };
struct sel_track {
	struct sel_kept kept;
	struct sel_info info;
	enum sel_phase phase;
	uint16_t ask;     /* record id to ask for while phase is not SEL_DONE */
	uint32_t asked;   /* in this phase: a log that leads in a circle ends too */
	uint8_t notices;  /* enum sel_notice bits */
};

void sel_track_begin(struct sel_track *t, const struct sel_kept *kept, const struct sel_info *info);
/* The entry that was asked for, and the id that follows. True: it is new. */
bool sel_track_take(struct sel_track *t, uint16_t next, const uint8_t raw[SEL_RECORD]);
/* There is no entry with the id that was asked for. */
void sel_track_missing(struct sel_track *t);

#endif
