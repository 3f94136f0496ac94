/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The schedule of a service from and to text; see service_text.h. What it means at a time is in service/schedule.c. */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/service_text.h"
#include "config/service_words.h"

static const char remedy[] = "write mon-fri 08:00-18:00 6; sat,sun 00:00-24:00 2 or daily 12:00-13:00 8 (UTC)";
static const char *const day_names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
enum { DAYS = 7, ALL_DAYS = 0x7f, DAY_MINUTES = 1440 };

static int day_of(const char *text, size_t n)
{
	for (int d = 0; d < DAYS; d++)
		if (n == 3 && !strncmp(text, day_names[d], 3))
			return d;
	return -1;
}

/* "mon", "mon-fri", "sat-mon" */
static bool add_days(const char *text, size_t n, uint8_t *days)
{
	int first = day_of(text, n > 3 ? 3 : n), last = first;

	if (n == 7 && text[3] == '-')
		last = day_of(text + 4, 3);
	else if (n != 3)
		return false;
	if (first < 0 || last < 0)
		return false;
	for (int d = first;; d = (d + 1) % DAYS) {
		*days |= (uint8_t)(1u << d);
		if (d == last)
			return true;
	}
}

static int parse_days(const char *text, uint8_t *days, struct error *e)
{
	*days = 0;
	if (!strcmp(text, "daily")) {
		*days = ALL_DAYS;
		return 0;
	}
	for (const char *p = text;; p++) {
		size_t n = strcspn(p, ",");
		if (!add_days(p, n, days))
			return service_words_refuse(e, remedy, "schedule", text, "days like mon-fri or sat,sun, or daily");
		p += n;
		if (!*p)
			return 0;
	}
}

/* "08:00", to "24:00" */
static bool parse_time(const char *text, size_t n, uint16_t *minute)
{
	int64_t hours, minutes;
	char part[3] = "";

	if (n != 5 || text[2] != ':')
		return false;
	memcpy(part, text, 2);
	if (!service_words_digits(part, 0, 24, &hours))
		return false;
	memcpy(part, text + 3, 2);
	if (!service_words_digits(part, 0, hours == 24 ? 0 : 59, &minutes))
		return false;
	*minute = (uint16_t)(hours * 60 + minutes);
	return true;
}

static int parse_entry(const char *p, struct service_schedule_entry *entry, struct error *e)
{
	char days[64], times[16], size[16], more[16];
	int64_t least;

	if (service_words_next(&p, days, sizeof days) <= 0)
		return error_set(e, ERR_CONFIG, "service", remedy, "schedule: an entry has no days that can be read");
	if (parse_days(days, &entry->days, e))
		return ERR_CONFIG;
	if (service_words_next(&p, times, sizeof times) <= 0 || strlen(times) != 11 || times[5] != '-' || !parse_time(times, 5, &entry->from) ||
	    !parse_time(times + 6, 5, &entry->until) || entry->from == DAY_MINUTES || entry->from == entry->until)
		return error_set(e, ERR_CONFIG, "service", remedy, "schedule: times like 08:00-18:00 are expected behind %s", days);
	if (service_words_next(&p, size, sizeof size) <= 0 || !service_words_digits(size, 1, SERVICE_SIZE_MAX, &least))
		return error_set(e, ERR_CONFIG, "service", remedy, "schedule: a size from 1 to %d is expected behind %s", SERVICE_SIZE_MAX, times);
	if (service_words_next(&p, more, sizeof more) != 0)
		return error_set(e, ERR_CONFIG, "service", remedy, "schedule: the end or ; is expected behind %s %s", times, size);
	entry->least = (uint16_t)least;
	return 0;
}

int service_schedule_parse(const char *text, struct service_schedule *out, struct error *e)
{
	const char *p = text;
	char one[128];

	memset(out, 0, sizeof *out);
	for (;; p++) {
		size_t n = strcspn(p, ";");
		if (n >= sizeof one)
			return error_set(e, ERR_CONFIG, "service", remedy, "schedule: an entry of %zu bytes is too long", n);
		text_format(one, sizeof one, "%.*s", (int)n, p);
		p += n;
		if (one[strspn(one, " \t")]) {
			if (out->count == SERVICE_SCHEDULE_MAX)
				return error_set(e, ERR_CONFIG, "service", "join entries", "schedule: more than %d entries", SERVICE_SCHEDULE_MAX);
			if (parse_entry(one, &out->at[out->count++], e))
				return ERR_CONFIG;
		}
		if (!*p)
			return 0;
	}
}

static void days_text(uint8_t days, char *out, size_t size)
{
	size_t used = 0;

	text_copy(out, size, days == ALL_DAYS ? "daily" : "");
	for (int d = 0; d < DAYS && days != ALL_DAYS; d++) {
		int last = d;
		if (!(days & 1u << d))
			continue;
		while (last + 1 < DAYS && (days & 1u << (last + 1)))
			last++;
		text_append(out, size, &used, last == d ? "%s%s" : last == d + 1 ? "%s%s,%s" : "%s%s-%s", used ? "," : "", day_names[d],
			    day_names[last]);
		d = last;
	}
}

void service_schedule_text(const struct service_schedule *schedule, char *out, size_t size)
{
	size_t used = 0;
	char days[40];

	text_copy(out, size, "");
	for (size_t i = 0; i < schedule->count; i++) {
		const struct service_schedule_entry *s = &schedule->at[i];
		days_text(s->days, days, sizeof days);
		text_append(out, size, &used, "%s%s %02u:%02u-%02u:%02u %u", i ? "; " : "", days, s->from / 60, s->from % 60, s->until / 60,
			    s->until % 60, s->least);
	}
}
