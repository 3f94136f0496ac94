/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parameters behind the "?"; see query.h. Called by the server for every request. */
#include "api/query.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS INT64_C(86400000)

void query_begin(struct query *q, int64_t now_wall_ms)
{
	*q = (struct query){.from_ms = now_wall_ms - HOUR_MS, .to_ms = now_wall_ms, .width = 900, .height = 300};
	text_copy(q->format, sizeof q->format, "png");
}

bool query_time(const char *text, int64_t now_wall_ms, int64_t *out)
{
	static const struct {
		char unit;
		int64_t ms;
	} units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', DAY_MS}, {'w', 7 * DAY_MS}};
	char number[16];
	size_t n = strlen(text);
	int64_t count;

	if (!strcmp(text, "now")) {
		*out = now_wall_ms;
		return true;
	}
	if (text[0] != '-')
		return clock_parse(text, out);
	if (n < 3 || n > sizeof number)
		return false;
	memcpy(number, text + 1, n - 2);
	number[n - 2] = '\0';
	if (!text_integer(number, 0, 1000000, &count))
		return false;
	for (size_t i = 0; i < COUNT_OF(units); i++)
		if (units[i].unit == text[n - 1]) {
			*out = now_wall_ms - count * units[i].ms;
			return true;
		}
	return false;
}

/* --- filters ---------------------------------------------------------------------------------------- */

static int add_words(struct filter *f, const char *name, char *list, struct error *e)
{
	char *save = NULL;

	for (char *word = strtok_r(list, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		int value = words_value(f->column->extra, word);
		if (!value)
			return error_set(e, ERR_CONFIG, name, "use the words that the answers use",
					 "\"%.40s\" is no %s", word, f->column->name);
		f->words |= UINT64_C(1) << value;
	}
	if (!f->words)
		return error_set(e, ERR_CONFIG, name, "leave it out or give it a word", "has no value");
	return 0;
}

static int add_filter(struct query *q, const struct parameter *p, enum board_table table, const char *value,
		      struct error *e)
{
	struct filter *f = &q->filters[q->filter_count];
	char list[sizeof f->texts - 2];

	*f = (struct filter){.column = columns_find(table, p->column ? p->column : p->name), .kind = p->kind};
	if (!f->column || q->filter_count == QUERY_FILTERS)
		return error_set(e, ERR_BUG, p->name, "report this", "the table of parameters is wrong");
	if (!text_copy(list, sizeof list, value))
		return error_set(e, ERR_CONFIG, p->name, "ask for less at once", "is longer than %zu bytes",
				 sizeof list - 1);
	if (p->kind != PARAMETER_FILTER) {
		if (strcmp(value, "0") && strcmp(value, "1"))
			return error_set(e, ERR_CONFIG, p->name, "use 0 or 1", "\"%.40s\" is neither 0 nor 1", value);
		f->wanted = (value[0] == '1') == (p->kind == PARAMETER_SET);
	} else if (f->column->kind == COLUMN_WORD8 || f->column->kind == COLUMN_WORD32) {
		int rc = add_words(f, p->name, list, e);
		if (rc)
			return rc;
	} else {
		text_format(f->texts, sizeof f->texts, ",%s,", list);
	}
	q->filter_count++;
	return 0;
}

static bool contains(const char *texts, const char *text)
{
	size_t n = strlen(text);

	for (const char *at = strchr(texts, ','); at && at[1]; at = strchr(at + 1, ','))
		if (!strncmp(at + 1, text, n) && at[1 + n] == ',')
			return true;
	return false;
}

static bool filter_matches(const struct filter *f, const void *row)
{
	const char *at = (const char *)row + f->column->offset;
	uint32_t word;
	int64_t time;

	switch ((enum column_kind)f->column->kind) {
	case COLUMN_WORD8:
		return f->words >> (*(const uint8_t *)at & 63) & 1;
	case COLUMN_WORD32:
		memcpy(&word, at, sizeof word);
		return f->words >> (word & 63) & 1;
	case COLUMN_FLAG8:
		return (*at != 0) == f->wanted;
	case COLUMN_FLAG32:
		memcpy(&word, at, sizeof word);
		return (word != 0) == f->wanted;
	case COLUMN_TIME:
		memcpy(&time, at, sizeof time);
		return (time != 0) == f->wanted;
	case COLUMN_SENSOR_TYPE:
		return contains(f->texts, columns_sensor_type(*(const uint8_t *)at));
	case COLUMN_TEXT:
	case COLUMN_TEXT_OR_NULL:
		return contains(f->texts, at);
	default:
		return false;
	}
}

bool query_matches(const struct query *q, const void *row)
{
	for (size_t i = 0; i < q->filter_count; i++)
		if (!filter_matches(&q->filters[i], row))
			return false;
	return true;
}

/* --- parameters ------------------------------------------------------------------------------------- */

static int add_plain(struct query *q, const struct parameter *p, const char *value, int64_t now, struct error *e)
{
	char *at = (char *)q + p->offset;
	int64_t number;

	switch (p->kind) {
	case PARAMETER_NUMBER:
		if (!text_integer(value, p->low, p->high, &number))
			return error_set(e, ERR_CONFIG, p->name, "use a whole number in that range",
					 "\"%.40s\" is not within %lld to %lld", value, (long long)p->low,
					 (long long)p->high);
		memcpy(at, &number, sizeof number);
		return 0;
	case PARAMETER_TIME:
		if (!query_time(value, now, &number))
			return error_set(e, ERR_CONFIG, p->name, "use 2026-01-31T12:00:00Z, now, or -90m (s m h d w)",
					 "\"%.40s\" is no time", value);
		memcpy(at, &number, sizeof number);
		return 0;
	default:
		if (!text_copy(at, (size_t)p->high, value))
			return error_set(e, ERR_CONFIG, p->name, "shorten it", "is longer than %lld bytes",
					 (long long)p->high - 1);
		return 0;
	}
}

static int add_known(struct query *q, const struct parameter *p, enum board_table table, const char *value, int64_t now,
		     struct error *e)
{
	for (size_t i = 0; i < q->seen_count; i++)
		if (q->seen[i] == p)
			return error_set(e, ERR_CONFIG, p->name, "give it once, several words with commas",
					 "stands there twice");
	if (q->seen_count < COUNT_OF(q->seen))
		q->seen[q->seen_count++] = p;
	switch (p->kind) {
	case PARAMETER_RANGE:
		text_copy(q->range, sizeof q->range, value);
		return q->range[0] ? 0
				   : error_set(e, ERR_CONFIG, p->name,
					       "name some nodes: n[001-004], @g01, @down, @site", "has no value");
	case PARAMETER_FILTER:
	case PARAMETER_SET:
	case PARAMETER_UNSET:
		return add_filter(q, p, table, value, e);
	default:
		return add_plain(q, p, value, now, e);
	}
}

int query_add(struct query *q, const struct parameter *parameters, size_t count, enum board_table table,
	      const char *name, const char *value, size_t size, int64_t now_wall_ms, struct error *e)
{
	char shown[41];

	text_copy(shown, sizeof shown, name);
	text_make_printable(shown);
	if (size >= QUERY_TEXT || strlen(value) != size)
		return error_set(e, ERR_CONFIG, shown, "shorten it",
				 "its value is longer than %d bytes or has a zero byte", QUERY_TEXT - 1);
	char *printable = mem_strdup(value);
	text_make_printable(printable);
	bool same = !strcmp(printable, value);
	free(printable);
	if (!same)
		return error_set(e, ERR_CONFIG, shown, "use printable UTF-8", "its value has bytes that are no text");
	for (size_t i = 0; i < count; i++)
		if (!strcmp(parameters[i].name, name))
			return add_known(q, &parameters[i], table, value, now_wall_ms, e);
	return error_set(e, ERR_CONFIG, shown, "see the list of parameters in gloryd(8)",
			 "there is no such parameter here");
}
