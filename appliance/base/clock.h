/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The three clocks (contracts, section 2), all int64 milliseconds. Deciders never read them: `now` is an argument. */
#ifndef GLORY_BASE_CLOCK_H
#define GLORY_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int64_t clock_mono_ms(void); /* deadlines, ages, arrival: CLOCK_MONOTONIC */
int64_t clock_wall_ms(void); /* stored, shown, sent: UTC since the epoch */
/* Lab only: from now on this process takes the wall clock to be so far off, as after a person has set it. */
void clock_wall_offset(int64_t ms);
int64_t clock_boot_ms(void); /* leases, suspend: CLOCK_BOOTTIME */
/* "2026-01-31T12:00:00.123Z" (RFC 3339) into out (at least 25 bytes); returns out. */
const char *clock_text(int64_t wall_ms, char *out, size_t size);
/* RFC 3339, the whole string, years 1970 to 2999; false otherwise, *wall_ms untouched. */
bool clock_parse(const char *text, int64_t *wall_ms);

#endif
