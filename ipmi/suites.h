/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cipher suites a BMC offers, out of the records of Get Channel Cipher Suites (IPMI 2.0, 22.15.1). Pure; called by
 * probe.c. */
#ifndef GLORY_IPMI_SUITES_H
#define GLORY_IPMI_SUITES_H

#include <stddef.h>
#include <stdint.h>

enum { SUITE_CHUNK = 16, SUITE_RECORDS_MAX = 64 * SUITE_CHUNK };

/* Those of table 22-20 that sign or encrypt nothing, or encrypt by RC4: all that is offered beside 3, 8, 12 and 17. Suite
 * 0 has a finding of its own, when it is not only offered but taken. */
#define SUITES_WEAK (1u << 1 | 1u << 2 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 9 | 1u << 10 | 1u << 11 | 1u << 13 | \
		     1u << 14 | 1u << 15 | 1u << 16 | 1u << 18 | 1u << 19)

/* One bit for each suite 0 to 31; makers' own suites and malformed records are left out. */
uint32_t suites_parse(const uint8_t *records, size_t size);

#endif
