/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Output and arguments of check plugins; see perfdata.h. */
#include "checker/perfdata.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static const struct {
	const char *printed, *unit;
	double factor;
} units[] = {{"", "", 1},      {"s", "s", 1},       {"ms", "s", 1e-3},       {"us", "s", 1e-6},          {"%", "percent", 1},
	     {"B", "B", 1},    {"KB", "B", 1024},   {"MB", "B", 1048576},    {"GB", "B", 1073741824},    {"TB", "B", 1099511627776},
	     {"KiB", "B", 1024}, {"MiB", "B", 1048576}, {"GiB", "B", 1073741824}};

/* --- ranges ------------------------------------------------------------------------------------------ */
static bool bound(const char *text, size_t size, double open, double *out)
{
	char number[40];

	if (size == 0) {
		*out = open;
		return true;
	}
	if (size >= sizeof number)
		return false;
	memcpy(number, text, size);
	number[size] = '\0';
	return text_number(number, out);
}

bool perf_range_parse(const char *text, struct perf_range *out)
{
	const char *colon;

	*out = (struct perf_range){.set = *text != '\0', .inside = *text == '@'};
	if (!out->set)
		return true;
	text += out->inside;
	colon = strchr(text, ':');
	if (!colon) /* "10" is 0 to 10 */
		return *text && bound(text, strlen(text), 0, &out->high);
	if (*text == '~' && colon == text + 1)
		out->low = -INFINITY;
	else if (!bound(text, (size_t)(colon - text), 0, &out->low))
		return false;
	return bound(colon + 1, strlen(colon + 1), INFINITY, &out->high) && out->low <= out->high;
}

bool perf_range_alerts(const struct perf_range *r, double value)
{
	bool within = value >= r->low && value <= r->high;

	return r->set && within == r->inside;
}

/* --- values ------------------------------------------------------------------------------------------- */
/* A label up to its '='; quoted ones may hold anything, '' stands for a quote. NULL: there is none. */
static const char *take_label(const char *at, char *label, size_t size)
{
	bool quoted = *at == '\'';
	size_t n = 0;

	for (at += quoted; *at; at++) {
		if (quoted && at[0] == '\'' && at[1] == '\'')
			at++;
		else if (quoted ? *at == '\'' : *at == '=' || *at == ' ')
			break;
		if (n + 1 < size)
			label[n++] = *at;
	}
	label[n] = '\0';
	text_make_printable(label);
	at += quoted && *at == '\'';
	return n && *at == '=' ? at + 1 : NULL;
}

/* One of the parts between semicolons. */
static const char *take_part(const char *at, const char *end, char *part, size_t size)
{
	const char *stop = at;

	while (stop < end && *stop != ';')
		stop++;
	size_t n = (size_t)(stop - at) < size - 1 ? (size_t)(stop - at) : size - 1;
	memcpy(part, at, n);
	part[n] = '\0';
	return stop < end ? stop + 1 : end;
}

static bool take_number(const char *part, struct perf_value *out, double *factor)
{
	size_t digits = strspn(part, "+-.0123456789");
	char number[40];

	*factor = 1;
	if (!strcmp(part, "U")) {
		out->value = NAN;
		return true;
	}
	if (digits >= sizeof number || strpbrk(part + digits, "0123456789"))
		return false;
	memcpy(number, part, digits);
	number[digits] = '\0';
	if (!text_number(number, &out->value))
		return false;
	text_copy(out->unit, sizeof out->unit, part + digits);
	text_make_printable(out->unit);
	for (size_t i = 0; i < COUNT_OF(units); i++)
		if (!strcmp(units[i].printed, part + digits)) {
			text_copy(out->unit, sizeof out->unit, units[i].unit);
			*factor = units[i].factor;
		}
	return true;
}

static bool take_value(const char *at, const char *end, struct perf_value *out)
{
	struct perf_range warn, crit;
	char part[96];
	double factor;

	at = take_part(at, end, part, sizeof part);
	if (!take_number(part, out, &factor))
		return false;
	at = take_part(at, end, part, sizeof part);
	if (!perf_range_parse(part, &warn))
		warn.set = false;
	take_part(at, end, part, sizeof part);
	if (!perf_range_parse(part, &crit))
		crit.set = false;
	out->level = isnan(out->value)				? LEVEL_UNKNOWN
		     : perf_range_alerts(&crit, out->value) ? LEVEL_CRITICAL
		     : perf_range_alerts(&warn, out->value) ? LEVEL_WARNING
							    : LEVEL_NORMAL;
	out->value *= factor;
	return true;
}

size_t perfdata_parse(const char *text, struct perf_value *out, size_t most)
{
	size_t count = 0;

	while (count < most && *(text += strspn(text, " \t"))) {
		struct perf_value *v = &out[count];
		memset(v, 0, sizeof *v);
		const char *value = take_label(text, v->label, sizeof v->label);
		const char *end = value ? value + strcspn(value, " \t") : text + strcspn(text, " \t");
		if (value && take_value(value, end, v))
			count++;
		text = end;
	}
	return count;
}

const char *perfdata_split(char *output, char **data)
{
	output[strcspn(output, "\r\n")] = '\0';
	*data = strchr(output, '|');
	if (*data)
		*(*data)++ = '\0';
	output += strspn(output, " \t");
	for (size_t n = strlen(output); n && (output[n - 1] == ' ' || output[n - 1] == '\t'); n--)
		output[n - 1] = '\0';
	text_make_printable(output);
	return output;
}

/* --- arguments ------------------------------------------------------------------------------------------- */
struct filling {
	char *room;
	size_t used, size;
};

static bool put(struct filling *f, const char *text, size_t size)
{
	if (f->used + size + 1 > f->size)
		return false;
	memcpy(f->room + f->used, text, size);
	f->used += size;
	f->room[f->used] = '\0';
	return true;
}

/* What stands at a '$': a macro, whose length is returned, or a plain character. */
static bool put_at(struct filling *f, const char **at, const char *address, const char *name)
{
	const struct {
		const char *macro, *text;
	} macros[] = {{"$ADDRESS$", address}, {"$NAME$", name}};

	for (size_t i = 0; i < COUNT_OF(macros); i++)
		if (!strncmp(*at, macros[i].macro, strlen(macros[i].macro))) {
			*at += strlen(macros[i].macro);
			return put(f, macros[i].text, strlen(macros[i].text));
		}
	return put(f, (*at)++, 1);
}

int check_arguments(const char *at, const char *address, const char *name, char *room, size_t size, char **words, int most)
{
	struct filling f = {room, 0, size};
	int count = 0;

	while (*(at += strspn(at, " \t"))) {
		char quote = '\0';
		if (count == most || f.used >= size)
			return -1;
		words[count++] = room + f.used;
		room[f.used] = '\0';
		for (; *at && (quote || (*at != ' ' && *at != '\t'));) {
			if (quote ? *at == quote : *at == '\'' || *at == '"') {
				quote = quote ? '\0' : *at;
				at++;
			} else if (!put_at(&f, &at, address, name)) {
				return -1;
			}
		}
		if (quote)
			return -1;
		f.used++;
	}
	return count;
}
