/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How our graphs look; see picture.h. Colours are told apart by people who are colour-blind: lines after Okabe and
 * Ito's set, thresholds by dashes as well. */
#include "rrd/grapher/picture.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

#define WIDTH 800
#define HEIGHT 300
#define SPAN_MAX_S (INT64_C(20) * 366 * 86400)
#define LABEL_MAX 40

static const char *const line_colours[GRAPH_LINES] = {"0072B2", "D08A00", "009E73", "CC79A7",
						      "56B4E9", "6F4E9C", "8C6D31", "5A5A5A",
						      "D55E00", "3C8D2F", "A0355C", "1F4E79"};
#define SOFT "26" /* alpha of a band */

static const struct {
	const char *value, *head;
} figures[] = {{"last", "last"}, {"average", "average"}, {"least", "min"}, {"most", "max"}};
#define FIGURE_COLUMNS 11

static const struct look {
	const char *option, *value;
} looks[] = {
    {"--font", "DEFAULT:8:DejaVu Sans Mono"},
    {"--font", "TITLE:11:DejaVu Sans"},
    {"--font", "AXIS:8:DejaVu Sans"},
    {"--font", "UNIT:8:DejaVu Sans"},
    {"--border", "0"},
    {"--color", "BACK#FFFFFF"},
    {"--color", "CANVAS#FFFFFF"},
    {"--color", "FONT#333333"},
    {"--color", "AXIS#888888"},
    {"--color", "ARROW#FFFFFF00"},
    {"--color", "GRID#E4E4E4"},
    {"--color", "MGRID#C8C8C8"},
    {"--color", "FRAME#888888"},
    {"--grid-dash", "1:0"},
};

/* --- checking --- */
static bool level_is_drawn(uint32_t level)
{
	return level == LEVEL_WARNING || level == LEVEL_MAJOR || level == LEVEL_CRITICAL;
}

static bool within(uint32_t first, uint32_t count, uint32_t all)
{
	return first <= all && count <= all - first;
}

/* What stands behind the request and belongs to the line. */
static const char *check_parts(const struct graph_request *r, const struct graph_line *l)
{
	if (l->fold > GRAPH_MEDIAN || !within(l->source_first, l->source_count, r->source_count) ||
	    !within(l->point_first, l->point_count, r->point_count))
		return "a line's sources or points are not there";
	if (l->fold == GRAPH_ONE ? l->source_count != 0 : l->source_count == 0 || l->point_count != 0)
		return "a line has sources or points that it cannot have";
	return NULL;
}

static const char *check_sources(struct graph_request *r)
{
	for (uint32_t i = 0; i < r->source_count; i++) {
		const struct graph_source *s = &graph_sources(r)[i];
		if (!text_terminated(s->group, sizeof s->group) || !text_terminated(s->node, sizeof s->node) ||
		    !text_terminated(s->file, sizeof s->file))
			return "a text of a source does not end";
	}
	return NULL;
}

static const char *check_line(struct graph_line *l)
{
	if (!text_terminated(l->site, sizeof l->site) || !text_terminated(l->group, sizeof l->group) ||
	    !text_terminated(l->node, sizeof l->node) || !text_terminated(l->file, sizeof l->file) ||
	    !text_terminated(l->source, sizeof l->source) || !text_terminated(l->name, sizeof l->name) ||
	    !text_terminated(l->unit, sizeof l->unit) || !text_terminated(l->label, sizeof l->label))
		return "a text of a line does not end";
	if (l->threshold_count > GRAPH_THRESHOLDS)
		return "a line has too many thresholds";
	for (uint32_t i = 0; i < l->threshold_count; i++) {
		if (!isfinite(l->thresholds[i].value) || !level_is_drawn(l->thresholds[i].level))
			return "a threshold has no value or no level";
	}
	text_make_printable(l->unit);
	text_make_printable(l->label);
	text_make_printable(l->name); /* folded for the file, shown as it is */
	return l->name[0] ? NULL : "a line has no data source";
}

int picture_check(struct graph_request *r, size_t size, char *why, size_t why_size)
{
	const char *reason = NULL;
	uint32_t medians = 0;

	if (size < sizeof *r || r->magic != GRAPH_MAGIC)
		reason = "it is no graph request of this version";
	else if (r->source_count > GRAPH_SOURCES || r->point_count > GRAPH_POINTS ||
		 size != sizeof *r + r->source_count * sizeof(struct graph_source) + r->point_count * sizeof(struct graph_point))
		reason = "it is longer or shorter than what it says of itself";
	else if (r->format != GRAPH_PNG && r->format != GRAPH_SVG)
		reason = "the format is neither png nor svg";
	else if (r->from_s < 0 || r->to_s <= r->from_s || r->to_s - r->from_s > SPAN_MAX_S ||
		 r->to_s > INT64_C(1) << 40)
		reason = "the time range is empty or too long: give an end after the start, at most 20 years";
	else if ((r->width && (r->width < 200 || r->width > 4000)) ||
		 (r->height && (r->height < 120 || r->height > 3000)))
		reason = "the size is out of range: 200 to 4000 by 120 to 3000";
	else if (r->line_count == 0 || r->line_count > GRAPH_LINES)
		reason = "it has no line, or more than 12";
	else if (!text_terminated(r->title, sizeof r->title))
		reason = "the title does not end";
	for (uint32_t i = 0; !reason && i < r->line_count; i++) {
		medians += r->lines[i].fold == GRAPH_MEDIAN;
		reason = check_line(&r->lines[i]);
		if (!reason)
			reason = check_parts(r, &r->lines[i]);
	}
	if (!reason && medians && (medians > GRAPH_MEDIANS || medians != r->line_count))
		reason = "medians come with their highest sources: only three of them, and nothing else";
	if (!reason)
		reason = check_sources(r);
	if (reason) {
		text_copy(why, why_size, reason);
		return ERR_CONFIG;
	}
	text_make_printable(r->title);
	return 0;
}

char *picture_file(const struct graph_line *l, const char *directory)
{
	char path[NAMES_PATH_SIZE];

	return names_path(l->site, l->group, l->node, l->source, l->file, path) ? mem_format("%s/%s", directory, path)
										: NULL;
}

/* --- arguments --- */
static void add(struct picture *p, char *argument)
{
	if (p->count + 2 > p->room) {
		p->room = p->room ? p->room * 2 : 64;
		p->arguments = mem_grow(p->arguments, (size_t)p->room, sizeof *p->arguments);
	}
	p->arguments[p->count++] = argument;
	p->arguments[p->count] = NULL;
}

__attribute__((format(printf, 2, 3))) static void addf(struct picture *p, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	add(p, text);
}

/* Text as it may stand inside an argument: ':' and '\' escaped, cut to `columns` characters of UTF-8 and filled up to
 * them; malloc'd. */
static char *escaped(const char *text, size_t columns, bool fill)
{
	char *out = mem_zalloc(strlen(text) * 2 + columns + 1);
	size_t n = 0, seen = 0;

	for (; *text; text++) {
		if (((unsigned char)*text & 0xc0) != 0x80 && seen++ == columns)
			break;
		if (*text == ':' || *text == '\\')
			out[n++] = '\\';
		out[n++] = *text;
	}
	for (; fill && seen < columns; seen++)
		out[n++] = ' ';
	return out;
}

static bool same_unit(const struct graph_request *r)
{
	for (uint32_t i = 1; i < r->line_count; i++) {
		if (strcmp(r->lines[i].unit, r->lines[0].unit) != 0)
			return false;
	}
	return true;
}

static void line_label(const struct graph_request *r, const struct graph_line *l, char *out, size_t size)
{
	const char *label = l->label[0] ? l->label : l->name;

	if (same_unit(r) || !l->unit[0])
		text_copy(out, size, label);
	else
		text_format(out, size, "%s (%s)", label, l->unit);
}

static size_t characters(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static size_t label_columns(const struct graph_request *r)
{
	size_t most = 8;
	char label[GRAPH_TEXT + 16];

	for (uint32_t i = 0; i < r->line_count; i++) {
		line_label(r, &r->lines[i], label, sizeof label);
		size_t n = characters(label);
		most = n > most ? n : most;
	}
	return most < LABEL_MAX ? most : LABEL_MAX;
}

/* Percentages span 0 to 100; what lives far from zero (temperatures, voltages) gets a close scale; the rest stands on
 * zero. */
static void add_scale(struct picture *p, const struct graph_request *r)
{
	const char *unit = same_unit(r) ? r->lines[0].unit : "";

	if (strcmp(unit, "percent") == 0) {
		addf(p, "--lower-limit=0");
		addf(p, "--upper-limit=100");
		addf(p, "--units-exponent=0");
	} else if (strcmp(unit, "C") == 0 || strcmp(unit, "V") == 0) {
		addf(p, "--alt-autoscale");
		addf(p, "--units-exponent=0");
	} else {
		addf(p, "--lower-limit=0");
	}
	if (unit[0])
		addf(p, "--vertical-label=%s", unit);
}

static void add_options(struct picture *p, const struct graph_request *r, bool any)
{
	addf(p, "graphv");
	addf(p, "-");
	addf(p, "--imgformat=%s", r->format == GRAPH_SVG ? "SVG" : "PNG");
	addf(p, "--start=%lld", (long long)r->from_s);
	addf(p, "--end=%lld", (long long)r->to_s);
	addf(p, "--width=%u", r->width ? r->width : WIDTH);
	addf(p, "--height=%u", r->height ? r->height : HEIGHT);
	addf(p, "--full-size-mode");
	addf(p, "--slope-mode");
	for (size_t i = 0; i < COUNT_OF(looks); i++) {
		addf(p, "%s", looks[i].option);
		addf(p, "%s", looks[i].value);
	}
	addf(p, "--disable-rrdtool-tag");
	addf(p, "--title=%s%s", r->title, any ? "" : r->title[0] ? " (no data in this time)" : "no data in this time");
	add_scale(p, r);
}

/* a: average, n: minimum, x: maximum; the two last fall back on the average where their archive has nothing yet. */
static void add_values(struct picture *p, const struct graph_line *l, uint32_t i, const char *directory, bool from_memory)
{
	static const char *const functions[][2] = {{"a", "AVERAGE"}, {"rn", "MIN"}, {"rx", "MAX"}};
	static const char columns[] = "anx";
	char *file = picture_file(l, directory), *path = escaped(file ? file : "", file ? strlen(file) : 0, false), name[NAMES_SOURCE_SIZE];

	names_data_source(l->name, name);
	for (size_t f = 0; f < COUNT_OF(functions); f++)
		if (from_memory)
			addf(p, "DEF:%s%u=cb//%u:%c:%s", functions[f][0], i, i, columns[f], functions[f][1]);
		else
			addf(p, "DEF:%s%u=%s:%s:%s", functions[f][0], i, path, name, functions[f][1]);
	addf(p, "CDEF:n%u=rn%u,UN,a%u,rn%u,IF", i, i, i, i);
	addf(p, "CDEF:x%u=rx%u,UN,a%u,rx%u,IF", i, i, i, i);
	addf(p, "CDEF:w%u=rx%u,rn%u,-", i, i, i);
	addf(p, "VDEF:last%u=a%u,LAST", i, i);
	addf(p, "VDEF:average%u=a%u,AVERAGE", i, i);
	addf(p, "VDEF:least%u=n%u,MINIMUM", i, i);
	addf(p, "VDEF:most%u=x%u,MAXIMUM", i, i);
	free(path);
	free(file);
}

static void add_band(struct picture *p, uint32_t i)
{
	addf(p, "AREA:rn%u#00000000", i);
	addf(p, "AREA:w%u#%s" SOFT "::STACK", i, line_colours[i]);
}

static void add_line(struct picture *p, const struct graph_request *r, uint32_t i, size_t columns, bool present)
{
	const char *unit = r->lines[i].unit;
	bool plain = strcmp(unit, "percent") == 0 || strcmp(unit, "C") == 0 || strcmp(unit, "V") == 0;
	char label[GRAPH_TEXT + 16];

	line_label(r, &r->lines[i], label, sizeof label);
	char *text = escaped(label, columns, true);
	if (present) {
		addf(p, "LINE1.5:a%u#%s:%s", i, line_colours[i], text);
		for (size_t f = 0; f < COUNT_OF(figures); f++)
			addf(p, "GPRINT:%s%u:%s%s", figures[f].value, i, plain ? "%11.2lf" : "%10.2lf%s",
			     f + 1 == COUNT_OF(figures) ? "\\l" : "");
	} else {
		addf(p, "COMMENT:  %s    no data in this time\\l", text);
	}
	free(text);
}

static bool drawn_before(const struct graph_request *r, uint32_t line, uint32_t threshold)
{
	const struct graph_threshold *t = &r->lines[line].thresholds[threshold];

	for (uint32_t i = 0; i <= line; i++) {
		for (uint32_t k = 0; k < (i == line ? threshold : r->lines[i].threshold_count); k++) {
			const struct graph_threshold *o = &r->lines[i].thresholds[k];
			if (o->value == t->value && o->level == t->level)
				return true;
		}
	}
	return false;
}

static void add_thresholds(struct picture *p, const struct graph_request *r)
{
	static const struct {
		const char *colour, *dashes;
	} level_looks[LEVEL_COUNT] = {[LEVEL_WARNING] = {"E6A700", "3,3"},
				      [LEVEL_MAJOR] = {"D55E00", "6,3"},
				      [LEVEL_CRITICAL] = {"B00020", "10,3"}};
	bool any = false;

	for (uint32_t i = 0; i < r->line_count; i++) {
		for (uint32_t k = 0; k < r->lines[i].threshold_count; k++) {
			const struct graph_threshold *t = &r->lines[i].thresholds[k];

			if (drawn_before(r, i, k))
				continue;
			addf(p, "HRULE:%.10g#%s:%s %s %.6g  :dashes=%s", t->value, level_looks[t->level].colour,
			     level_name((int)t->level), t->below ? "below" : "above", t->value,
			     level_looks[t->level].dashes);
			any = true;
		}
	}
	if (any)
		addf(p, "COMMENT:\\l");
}

static void add_time(struct picture *p, const struct graph_request *r)
{
	char from[32], to[32];
	time_t times[2] = {(time_t)r->from_s, (time_t)r->to_s};
	struct tm tm[2];

	for (int i = 0; i < 2; i++) {
		if (!(r->local_time ? localtime_r(&times[i], &tm[i]) : gmtime_r(&times[i], &tm[i])))
			return;
	}
	strftime(from, sizeof from, "%Y-%m-%d %H\\:%M", &tm[0]);
	strftime(to, sizeof to, "%Y-%m-%d %H\\:%M", &tm[1]);
	addf(p, "COMMENT:%s to %s %s\\r", from, to, r->local_time ? "local time" : "UTC");
}

/* Items as wide as those of add_line(), so that the gaps between them are the same. */
static void add_heads(struct picture *p, size_t columns)
{
	addf(p, "COMMENT:  %*s", (int)columns, "");
	for (size_t i = 0; i < COUNT_OF(figures); i++)
		addf(p, "COMMENT:%*s%s", FIGURE_COLUMNS, figures[i].head, i + 1 == COUNT_OF(figures) ? "\\l" : "");
}

void picture_build(const struct graph_request *r, const char *directory, const enum picture_data data[GRAPH_LINES],
		   struct picture *p)
{
	size_t columns = label_columns(r);
	bool any = false;

	*p = (struct picture){.count = 0};
	for (uint32_t i = 0; i < r->line_count; i++)
		any |= data[i] != PICTURE_NOTHING;
	add_options(p, r, any);
	for (uint32_t i = 0; i < r->line_count; i++) {
		if (data[i])
			add_values(p, &r->lines[i], i, directory, data[i] == PICTURE_MEMORY);
	}
	for (uint32_t i = 0; i < r->line_count; i++) {
		if (data[i])
			add_band(p, i);
	}
	if (any)
		add_heads(p, columns);
	else
		addf(p, "HRULE:0#00000000"); /* librrd draws no empty canvas */
	for (uint32_t i = 0; i < r->line_count; i++)
		add_line(p, r, i, columns, data[i] != PICTURE_NOTHING);
	if (any)
		add_thresholds(p, r);
	add_time(p, r);
}

void picture_free(struct picture *p)
{
	for (int i = 0; i < p->count; i++)
		free(p->arguments[i]);
	free(p->arguments);
	*p = (struct picture){.count = 0};
}
