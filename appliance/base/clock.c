/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The three clocks; see clock.h. */
#include "base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
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

/* Days since the epoch of a date of the Gregorian calendar, by the system's own arithmetic (UTC). */
static bool date_ms(int year, int month, int day, int64_t *out)
{
	struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
	struct tm same = tm;
	time_t t = timegm(&tm);

	/* timegm() takes a 31st of February for the 3rd of March: what it made must be what was said */
	if (tm.tm_mon != same.tm_mon || tm.tm_mday != same.tm_mday)
		return false;
	*out = (int64_t)t * 1000;
	return true;
}

/* The digits at *at, exactly n of them, within [low, high]; moves on. */
static bool digits(const char **at, int n, int low, int high, int *out)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (!isdigit((unsigned char)(*at)[i]))
			return false;
		v = v * 10 + ((*at)[i] - '0');
	}
	*at += n;
	*out = v;
	return v >= low && v <= high;
}

static bool one_of(const char **at, const char *set)
{
	return **at && strchr(set, **at) && (*at)++ != NULL;
}

static bool zone(const char **at, int *minutes)
{
	int sign = **at == '-' ? -1 : 1, hour, minute;

	*minutes = 0;
	if (one_of(at, "Zz"))
		return true;
	if (!one_of(at, "+-") || !digits(at, 2, 0, 23, &hour) || !one_of(at, ":") || !digits(at, 2, 0, 59, &minute))
		return false;
	*minutes = sign * (hour * 60 + minute);
	return true;
}

bool clock_parse(const char *at, int64_t *out)
{
	int year, month, day, hour, minute, second, offset, fraction = 0;
	int64_t ms;

	if (!digits(&at, 4, 1970, 2999, &year) || !one_of(&at, "-") || !digits(&at, 2, 1, 12, &month) ||
	    !one_of(&at, "-") || !digits(&at, 2, 1, 31, &day) || !one_of(&at, "Tt ") || !digits(&at, 2, 0, 23, &hour) ||
	    !one_of(&at, ":") || !digits(&at, 2, 0, 59, &minute) || !one_of(&at, ":") ||
	    !digits(&at, 2, 0, 60, &second) || !date_ms(year, month, day, &ms))
		return false;
	if (one_of(&at, "."))
		for (int scale = 100; isdigit((unsigned char)*at); at++, scale /= 10)
			fraction += (*at - '0') * scale;
	if (!zone(&at, &offset) || *at)
		return false;
	*out = ms + ((hour * 60 + minute - offset) * 60 + second) * INT64_C(1000) + fraction;
	return true;
}
