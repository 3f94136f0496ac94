/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The text of a report, JSON or CSV, from the file of summaries; runs in that file's thread. See report.h. Names are names
 * ([A-Za-z0-9_.-]), so that nothing needs to be escaped. */
#include "engine/report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

#define MONTH_H 730

struct row {
	char name[NAME_SIZE];
	int64_t from_s, to_s;
	bool running;
	struct summary sum;
};

struct writing {
	struct summaries_db *db;
	struct report *r;
	FILE *out;
	size_t rows;      /* written */
	struct row *best; /* of a top list, highest first; owned */
	size_t best_count;
	struct row row;   /* in the making */
	uint32_t period_s;
	int64_t first_s, last_s; /* what was found */
	/* idle */
	size_t considered, without_power;
	double saved_kwh;
};

/* --- figures ------------------------------------------------------------------------------------------- */
bool report_figure(const char *name, const struct summary *s, double *value)
{
	int item = summary_item_find(name);

	if (item >= 0)
		*value = sketch_quantile(&s->items[item], 0.95);
	else if (!strcmp(name, "lost"))
		*value = (double)summary_class_ms(s, SUMMARY_LOST);
	else if (!strcmp(name, "incidents"))
		*value = summary_incidents(s);
	else if (!strcmp(name, "energy"))
		*value = s->energy_ms ? s->energy_wh : (double)NAN;
	else
		return false;
	return true;
}

static void number(FILE *out, double v, bool json)
{
	if (isfinite(v))
		fprintf(out, "%.6g", v);
	else
		fputs(json ? "null" : "", out);
}

static void seconds(FILE *out, uint64_t ms)
{
	fprintf(out, "%" PRIu64 ".%03u", ms / 1000, (unsigned)(ms % 1000));
}

static const char *time_text(int64_t s, char *out, size_t size)
{
	return clock_text(s * 1000, out, size);
}

/* --- JSON ---------------------------------------------------------------------------------------------- */
static void json_states(FILE *out, const struct summary *s)
{
	const char *comma = "";

	fputs(",\"state_s\":{", out);
	for (unsigned i = 1; i < SUMMARY_STATES; i++)
		if (s->ms[i]) {
			fprintf(out, "%s\"%s\":", comma, summary_state_name(i));
			seconds(out, s->ms[i]);
			comma = ",";
		}
	comma = "";
	fputs("},\"incidents\":{", out);
	for (unsigned i = 1; i < SUMMARY_STATES; i++)
		if (s->incidents[i]) {
			fprintf(out, "%s\"%s\":%" PRIu32, comma, summary_state_name(i), s->incidents[i]);
			comma = ",";
		}
	fputs("}", out);
}

static void json_item(FILE *out, const char *name, const struct sketch *k, const char *comma)
{
	const struct {
		const char *name;
		double value;
	} figures[] = {{"mean", sketch_mean(k)}, {"min", (double)k->least}, {"p50", sketch_quantile(k, 0.5)},
		       {"p95", sketch_quantile(k, 0.95)}, {"max", (double)k->most}};

	fprintf(out, "%s\"%s\":{\"samples\":%" PRIu32, comma, name, k->count);
	for (size_t i = 0; i < COUNT_OF(figures); i++) {
		fprintf(out, ",\"%s\":", figures[i].name);
		number(out, figures[i].value, true);
	}
	fputs("}", out);
}

static void json_row(struct writing *w, const struct row *row)
{
	static const char *const kinds[] = {[REPORT_BY_NODE] = "node", [REPORT_BY_GROUP] = "group", [REPORT_BY_SITE] = "site"};
	const struct summary *s = &row->sum;
	const char *comma = "";
	char from[32], to[32];

	fprintf(w->out, "%s{\"object\":\"%s\",\"kind\":\"%s\",\"from\":\"%s\",\"to\":\"%s\",\"running\":%s,\"watched_s\":", w->rows ? ",\n" : "",
		row->name, kinds[w->r->ask.by], time_text(row->from_s, from, sizeof from), time_text(row->to_s, to, sizeof to),
		row->running ? "true" : "false");
	seconds(w->out, summary_watched_ms(s));
	fputs(",\"up_s\":", w->out);
	seconds(w->out, summary_class_ms(s, SUMMARY_UP));
	fputs(",\"lost_s\":", w->out);
	seconds(w->out, summary_class_ms(s, SUMMARY_LOST));
	fputs(",\"availability_percent\":", w->out);
	number(w->out, summary_availability(s), true);
	json_states(w->out, s);
	fputs(",\"items\":{", w->out);
	for (unsigned i = 0; i < SUMMARY_ITEMS; i++)
		if (s->items[i].count) {
			json_item(w->out, summary_item_names[i], &s->items[i], comma);
			comma = ",";
		}
	fputs("},\"energy_kwh\":", w->out);
	number(w->out, s->energy_ms ? s->energy_wh / 1000 : (double)NAN, true);
	fputs(",\"energy_known_s\":", w->out);
	seconds(w->out, s->energy_ms);
	fputs("}", w->out);
}

/* --- CSV ----------------------------------------------------------------------------------------------- */
static void csv_head(struct writing *w)
{
	fputs("object,from,to,watched_s,up_s,lost_s,availability_percent,incidents", w->out);
	for (unsigned i = 0; i < SUMMARY_ITEMS; i++)
		fprintf(w->out, ",%s_mean,%s_p50,%s_p95,%s_max", summary_item_names[i], summary_item_names[i], summary_item_names[i],
			summary_item_names[i]);
	fputs(",energy_kwh,energy_known_s\r\n", w->out);
}

static void csv_row(struct writing *w, const struct row *row)
{
	const struct summary *s = &row->sum;
	char from[32], to[32];

	fprintf(w->out, "%s,%s,%s,", row->name, time_text(row->from_s, from, sizeof from), time_text(row->to_s, to, sizeof to));
	seconds(w->out, summary_watched_ms(s));
	fputs(",", w->out);
	seconds(w->out, summary_class_ms(s, SUMMARY_UP));
	fputs(",", w->out);
	seconds(w->out, summary_class_ms(s, SUMMARY_LOST));
	fputs(",", w->out);
	number(w->out, summary_availability(s), false);
	fprintf(w->out, ",%" PRIu32, summary_incidents(s));
	for (unsigned i = 0; i < SUMMARY_ITEMS; i++) {
		const struct sketch *k = &s->items[i];
		const double figures[] = {sketch_mean(k), sketch_quantile(k, 0.5), sketch_quantile(k, 0.95), k->count ? (double)k->most : (double)NAN};
		for (size_t f = 0; f < COUNT_OF(figures); f++) {
			fputs(",", w->out);
			number(w->out, figures[f], false);
		}
	}
	fputs(",", w->out);
	number(w->out, s->energy_ms ? s->energy_wh / 1000 : (double)NAN, false);
	fputs(",", w->out);
	seconds(w->out, s->energy_ms);
	fputs("\r\n", w->out);
}

/* --- idle nodes ----------------------------------------------------------------------------------------- */
static const enum summary_item idle_items[] = {SUMMARY_CPU, SUMMARY_LOAD1, SUMMARY_IF_IN, SUMMARY_IF_OUT};

static int by_node_name(const void *name, const void *node)
{
	return strcmp(name, ((const struct report_node *)node)->name);
}

static void idle_row(struct writing *w, const struct row *row)
{
	const struct report *r = w->r;
	const struct summary_limits limits = {r->ask.cpu_percent, r->ask.load1, r->ask.net_bytes_s};
	double watts = summary_mean_watts(&row->sum), kwh = watts * MONTH_H / 1000;
	bool json = r->ask.format == REPORT_JSON;
	const struct report_node *n = bsearch(row->name, r->nodes, r->count, sizeof *r->nodes, by_node_name);

	w->considered++;
	if (!summary_is_idle(&row->sum, &limits, r->ask.to_wall_ms - r->ask.from_wall_ms))
		return;
	fprintf(w->out, json ? "%s{\"object\":\"%s\",\"group\":\"%s\"" : "%s%s,%s", json && w->rows ? ",\n" : "", row->name, n ? n->group : "");
	for (size_t i = 0; i < COUNT_OF(idle_items); i++) {
		fprintf(w->out, json ? ",\"%s_p95\":" : ",", summary_item_names[idle_items[i]]);
		number(w->out, sketch_quantile(&row->sum.items[idle_items[i]], 0.95), json);
	}
	fputs(json ? ",\"mean_w\":" : ",", w->out);
	number(w->out, watts, json);
	fputs(json ? ",\"saved_kwh_month\":" : ",", w->out);
	number(w->out, kwh, json);
	fputs(json ? "}" : "\r\n", w->out);
	w->rows++;
	w->without_power += isnan(watts);
	w->saved_kwh += isnan(watts) ? 0 : kwh;
}

static void idle_head(struct writing *w)
{
	const struct msg_report *m = &w->r->ask;
	char from[32], to[32];

	if (m->format == REPORT_CSV) {
		fputs("object,group,cpu_p95,load1_p95,if_in_p95,if_out_p95,mean_w,saved_kwh_month\r\n", w->out);
		return;
	}
	fprintf(w->out, "{\"from\":\"%s\",\"to\":\"%s\",\"limits\":{\"cpu_percent\":%.6g,\"load1\":%.6g,\"net_bytes_s\":%.6g},\"nodes\":[",
		clock_text(m->from_wall_ms, from, sizeof from), clock_text(m->to_wall_ms, to, sizeof to), m->cpu_percent, m->load1, m->net_bytes_s);
}

static void idle_tail(struct writing *w)
{
	if (w->r->ask.format == REPORT_JSON)
		fprintf(w->out, "],\"considered\":%zu,\"without_power\":%zu,\"saved_kwh_month\":%.6g}\n", w->considered, w->without_power, w->saved_kwh);
}

/* --- rows ---------------------------------------------------------------------------------------------- */
static void put_row(struct writing *w, const struct row *row)
{
	if (w->r->ask.format == REPORT_JSON)
		json_row(w, row);
	else
		csv_row(w, row);
	w->rows++;
}

/* Into the list of the highest; takes the sketches out of the row when it belongs there. */
static void put_top(struct writing *w, struct row *row)
{
	double value = NAN, other = NAN;
	size_t at = w->best_count, most = w->r->ask.top;

	report_figure(w->r->ask.item, &row->sum, &value);
	if (isnan(value))
		return;
	while (at > 0 && report_figure(w->r->ask.item, &w->best[at - 1].sum, &other) && other < value)
		at--;
	if (at == most)
		return;
	if (w->best_count == most)
		summary_free(&w->best[--w->best_count].sum);
	memmove(&w->best[at + 1], &w->best[at], (w->best_count - at) * sizeof w->best[0]);
	w->best[at] = *row;
	w->best_count++;
	row->sum = (struct summary){.energy_wh = 0};
}

static void end_row(struct writing *w)
{
	struct report *r = w->r;

	if (!w->row.name[0] || summary_watched_ms(&w->row.sum) == 0)
		;
	else if (r->ask.kind == REPORT_IDLE)
		idle_row(w, &w->row);
	else if (r->ask.top)
		put_top(w, &w->row);
	else if (w->rows < REPORT_ROWS_MAX)
		put_row(w, &w->row);
	else
		error_set(&r->err, ERR_NO_RESOURCE, "report", "ask for fewer nodes or a shorter time", "it has more than %d rows", REPORT_ROWS_MAX);
	summary_free(&w->row.sum);
	w->row = (struct row){.from_s = 0};
}

static bool add_bytes(struct writing *w, const char *name, int64_t from_s, int64_t to_s, const uint8_t *bytes, size_t size)
{
	struct summary s = {.energy_wh = 0};
	struct row *row = &w->row;

	if (row->name[0] && (w->r->ask.period_s || strcmp(row->name, name) != 0))
		end_row(w);
	if (summary_unpack(&s, bytes, size)) {
		if (!row->name[0] || from_s < row->from_s)
			row->from_s = from_s;
		if (to_s > row->to_s)
			row->to_s = to_s;
		text_copy(row->name, sizeof row->name, name);
		summary_merge(&row->sum, &s);
	}
	summary_free(&s);
	return w->r->err.kind == 0;
}

static bool add_found(void *arg, const struct summaries_key *key, const uint8_t *bytes, size_t size)
{
	struct writing *w = arg;

	return add_bytes(w, key->name, key->start_s, key->start_s + key->period_s, bytes, size);
}

/* Hours as far back as they are kept; beyond that days, with the hours of today behind them. */
static int add_stored(struct writing *w, uint32_t kind, const char *name)
{
	const struct msg_report *m = &w->r->ask;
	int64_t from = m->from_wall_ms / 1000, to = m->to_wall_ms / 1000, today = w->r->now_s / HISTORY_DAY_S * HISTORY_DAY_S;
	bool days = m->period_s ? m->period_s == HISTORY_DAY_S : from < w->r->now_s - HISTORY_HOURS_KEPT_S;
	uint32_t first_period = days ? HISTORY_DAY_S : HISTORY_HOUR_S;
	/* a period that has begun before `from` counts when more than half of it is wanted */
	struct summaries_range range = {first_period, kind, name, from - first_period / 2 + 1, to};
	int rc = summaries_each(w->db, &range, add_found, w);

	if (rc || !days || m->period_s || to <= today)
		return rc;
	range = (struct summaries_range){HISTORY_HOUR_S, kind, name, today > from ? today : from, to};
	return summaries_each(w->db, &range, add_found, w);
}

static void add_running(struct writing *w, uint32_t kind, const char *name)
{
	static _Thread_local uint8_t bytes[SUMMARY_PACKED_MAX];
	int64_t hour = w->r->now_s / HISTORY_HOUR_S * HISTORY_HOUR_S;

	if (w->r->ask.period_s)
		end_row(w);
	for (size_t i = 0; i < w->r->count; i++) {
		const struct report_node *n = &w->r->nodes[i];
		if (kind != SUMMARIES_SITE && strcmp(kind == SUMMARIES_NODE ? n->name : n->group, name) != 0)
			continue;
		struct summaries_key key = {.period_s = 0, .kind = SUMMARIES_NODE, .start_s = hour};
		text_copy(key.name, sizeof key.name, n->name);
		size_t size = n->running ? n->running_size : summaries_get(w->db, &key, bytes, sizeof bytes);
		struct summary s = {.energy_wh = 0};
		if (size && summary_unpack(&s, n->running ? n->running : bytes, size)) {
			if (!w->row.name[0])
				w->row.from_s = hour;
			text_copy(w->row.name, sizeof w->row.name, name);
			w->row.to_s = w->r->now_s;
			w->row.running = true;
			summary_merge(&w->row.sum, &s);
		}
		summary_free(&s);
	}
}

static int add_object(struct writing *w, uint32_t kind, const char *name)
{
	int rc = add_stored(w, kind, name);

	if (!rc && w->r->ask.now)
		add_running(w, kind, name);
	end_row(w);
	return rc ? rc : w->r->err.kind;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int add_groups(struct writing *w)
{
	const char **groups = mem_array(w->r->count + 1, sizeof *groups);
	int rc = 0;

	for (size_t i = 0; i < w->r->count; i++)
		groups[i] = w->r->nodes[i].group;
	if (w->r->count)
		qsort(groups, w->r->count, sizeof *groups, by_text);
	for (size_t i = 0; i < w->r->count && !rc; i++)
		if (i == 0 || strcmp(groups[i], groups[i - 1]) != 0)
			rc = add_object(w, SUMMARIES_GROUP, groups[i]);
	free(groups);
	return rc;
}

static int add_all(struct writing *w)
{
	int rc = 0;

	if (w->r->ask.by == REPORT_BY_SITE)
		return add_object(w, SUMMARIES_SITE, HISTORY_SITE);
	if (w->r->ask.by == REPORT_BY_GROUP)
		return add_groups(w);
	for (size_t i = 0; i < w->r->count && !rc; i++)
		rc = add_object(w, SUMMARIES_NODE, w->r->nodes[i].name);
	return rc;
}

static void write_text(struct writing *w)
{
	struct report *r = w->r;
	bool json = r->ask.format == REPORT_JSON, idle = r->ask.kind == REPORT_IDLE;

	if (idle)
		idle_head(w);
	else if (json)
		fputs("[", w->out);
	else
		csv_head(w);
	int rc = add_all(w);
	for (size_t i = 0; i < w->best_count; i++) {
		put_row(w, &w->best[i]);
		summary_free(&w->best[i].sum);
	}
	if (idle)
		idle_tail(w);
	else if (json)
		fputs("]\n", w->out);
	if (rc && !r->err.kind)
		error_set(&r->err, rc, "report", "see: gloryctl alarm list", "the file of statistics cannot be read");
}

void report_write(struct summaries_db *db, void *arg)
{
	struct report *r = arg;
	struct writing w = {.db = db, .r = r};
	int fd = dup(r->fd);

	if (r->ask.kind == REPORT_IDLE) {
		r->ask.by = REPORT_BY_NODE;
		r->ask.period_s = r->ask.top = 0;
	}
	w.out = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!w.out || !db) {
		error_set(&r->err, ERR_NO_RESOURCE, "report", "see: gloryctl alarm list", "the file of statistics cannot be used");
		if (fd >= 0 && !w.out)
			close(fd);
	} else {
		w.best = mem_array(r->ask.top + 1, sizeof *w.best);
		write_text(&w);
		free(w.best);
	}
	if (w.out && (ferror(w.out) | fclose(w.out)) && !r->err.kind)
		error_set(&r->err, ERR_NO_RESOURCE, "report", "ask for less", "no memory for its text");
	lseek(r->fd, 0, SEEK_SET);
}

void report_free(struct report *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->nodes[i].running);
	free(r->nodes);
	if (r->fd >= 0)
		close(r->fd);
}
