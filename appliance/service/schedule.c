/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a schedule says at a time; see schedule.h. The sizing rule calls it. */
#include "service/schedule.h"

enum { DAY_S = 86400, WEEK_S = 7 * DAY_S, THURSDAY = 3 }; /* 1970 began on a thursday */

/* Seconds since monday 00:00 UTC. */
static int64_t week_second(int64_t now_s)
{
	int64_t s = (now_s + (int64_t)THURSDAY * DAY_S) % WEEK_S;

	return s < 0 ? s + WEEK_S : s;
}

static int64_t length_s(const struct service_schedule_entry *e)
{
	return (e->until > e->from ? e->until - e->from : e->until + 1440 - e->from) * 60;
}

/* Whether the entry that begins on that day covers the time. */
static bool runs(const struct service_schedule_entry *e, int day, int64_t second)
{
	int64_t into = (second - (int64_t)day * DAY_S - e->from * 60 + 2 * (int64_t)WEEK_S) % WEEK_S;

	return (e->days & 1u << day) && into < length_s(e);
}

uint32_t schedule_least(const struct service_schedule *schedule, int64_t now_s)
{
	int64_t second = week_second(now_s);
	uint32_t least = 0;

	for (size_t i = 0; i < schedule->count; i++)
		for (int day = 0; day < 7; day++)
			if (schedule->at[i].least > least && runs(&schedule->at[i], day, second))
				least = schedule->at[i].least;
	return least;
}

/* The first edge behind now_s, or now_s + WEEK_S when there is none. */
static int64_t next_edge(const struct service_schedule *schedule, int64_t now_s)
{
	int64_t second = week_second(now_s), nearest = WEEK_S;

	for (size_t i = 0; i < schedule->count; i++) {
		const struct service_schedule_entry *e = &schedule->at[i];
		for (int day = 0; day < 7; day++) {
			int64_t begins = (int64_t)day * DAY_S + e->from * 60, ends = begins + length_s(e);
			int64_t to_begin = (begins - second + WEEK_S) % WEEK_S, to_end = (ends - second + WEEK_S) % WEEK_S;
			if (!(e->days & 1u << day))
				continue;
			if (to_begin > 0 && to_begin < nearest)
				nearest = to_begin;
			if (to_end > 0 && to_end < nearest)
				nearest = to_end;
		}
	}
	return now_s + nearest;
}

uint32_t schedule_least_within(const struct service_schedule *schedule, int64_t now_s, int64_t ahead_s)
{
	uint32_t least = schedule_least(schedule, now_s);

	for (int64_t t = next_edge(schedule, now_s); t <= now_s + ahead_s && t <= now_s + WEEK_S; t = next_edge(schedule, t)) {
		uint32_t then = schedule_least(schedule, t);
		least = then > least ? then : least;
	}
	return least;
}

int64_t schedule_next_change(const struct service_schedule *schedule, int64_t now_s)
{
	uint32_t least = schedule_least(schedule, now_s);

	for (int64_t t = next_edge(schedule, now_s); t < now_s + WEEK_S; t = next_edge(schedule, t))
		if (schedule_least(schedule, t) != least)
			return t;
	return 0;
}
