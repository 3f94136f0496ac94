/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The three clocks; see clock.h. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t wall_offset_ms;

static int64_t read_ms(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_mono_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(void)
{
	return read_ms(CLOCK_REALTIME) + wall_offset_ms;
}

void clock_wall_offset(int64_t ms)
{
	wall_offset_ms = ms;
}

int64_t clock_boot_ms(void)
{
	return read_ms(CLOCK_BOOTTIME);
}

const char *clock_text(int64_t wall_ms, char *out, size_t size)
{
	time_t s = (time_t)(wall_ms / 1000);
	struct tm tm;
	char date[32];

	if (wall_ms < 0 || !gmtime_r(&s, &tm) || !strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm))
		date[0] = '\0';
	snprintf(out, size, "%s.%03dZ", date, (int)(wall_ms < 0 ? 0 : wall_ms % 1000));
	return out;
}
