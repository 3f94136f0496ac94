/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words for entries of event logs and for platform event traps, by libfreeipmi's tables. Called by sel.c. */
#ifndef GLORY_IPMI_SEL_DECODE_H
#define GLORY_IPMI_SEL_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "board/messages.h"

struct sdr_repository;
struct sel_words;

struct sel_words *sel_words_new(void); /* NULL: no memory, or libfreeipmi refuses */
void sel_words_free(struct sel_words *w); /* NULL is fine */

/* Fills everything of *out but slot and generation. The repository (NULL: none) gives names and units of sensors. */
void sel_decode(struct sel_words *w, const struct sdr_repository *r, const uint8_t raw[SEL_RAW],
		struct msg_sel_entry *out);

/* A trap as the entry it stands for (PET 1.0, 3.1: specific trap and the variable's octets). The record id is 0. False:
 * its octets are too few or its specific trap is none. The trap is not authenticated: a hint, no evidence. */
bool pet_to_record(uint32_t specific, const uint8_t *octets, unsigned size, uint8_t raw[SEL_RAW]);

#endif
