/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An inventory's bytes taken apart; called by the procedure in the same file, by tests and by the fuzzer. */
#ifndef GLORY_IPMI_FRU_H
#define GLORY_IPMI_FRU_H

#include <stdbool.h>
#include <stdint.h>

#include "board/messages.h"

enum { FRU_SIZE_MAX = 4096, FRU_AREAS_MAX = 64 };

/* Fills out->fields: printable, cut to FRU_TEXT. False: it has no common header that holds. */
bool fru_parse(const uint8_t *content, unsigned size, struct msg_fru *out);

#endif
