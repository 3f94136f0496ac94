/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reports of statistics: parameters into the engine's message, its text passed on. See routes.h. */
#include <string.h>

#include "api/ask.h"
#include "api/routes.h"
#include "base/memory.h"
#include "base/text.h"

#define TIMEOUT_MS 60000
#define DAY_MS INT64_C(86400000)

struct word {
	const char *word;
	uint32_t value;
};
static const struct word groupings[] = {{"node", REPORT_BY_NODE}, {"group", REPORT_BY_GROUP}, {"site", REPORT_BY_SITE}};
static const struct word periods[] = {{"", 0}, {"all", 0}, {"hour", 3600}, {"day", 86400}};
static const struct word formats[] = {{"json", REPORT_JSON}, {"csv", REPORT_CSV}};

/* False: no such word, and the request is answered. */
static bool find(struct request *r, const char *name, const char *text, const struct word *words, size_t count, uint32_t *value)
{
	char choices[64] = "use";
	size_t used = 3;

	for (size_t i = 0; i < count; i++) {
		if (!strcmp(words[i].word, text)) {
			*value = words[i].value;
			return true;
		}
		text_append(choices, sizeof choices, &used, " %s", words[i].word);
	}
	request_fail(r, ERR_CONFIG, name, choices, "has another value");
	return false;
}

static bool given(const struct query *q, const char *name)
{
	for (size_t i = 0; i < q->seen_count; i++)
		if (!strcmp(q->seen[i]->name, name))
			return true;
	return false;
}

static bool number(struct request *r, const char *name, const char *text, double *value)
{
	if (!text[0] || (text_number(text, value) && *value >= 0))
		return true;
	request_fail(r, ERR_CONFIG, name, "give a number", "is none");
	return false;
}

static void on_text(struct request *r, const struct pending_reply *reply)
{
	ask_answer_text(r, reply, !strcmp(r->query.format, "csv") ? "text/csv" : "application/json", "statistics");
}

static void ask(struct request *r, struct msg_report *m, int64_t span_ms)
{
	const struct query *q = &r->query;

	m->to_wall_ms = q->to_ms;
	m->from_wall_ms = given(q, "from") ? q->from_ms : q->to_ms - span_ms;
	m->now = q->now != 0;
	text_copy(m->range, sizeof m->range, q->range);
	if (!find(r, "format", given(q, "format") ? q->format : "json", formats, COUNT_OF(formats), &m->format))
		return;
	if (m->from_wall_ms < 0 || m->from_wall_ms >= m->to_wall_ms) {
		request_fail(r, ERR_CONFIG, "from", "give a time before the other", "is not before \"to\"");
		return;
	}
	m->request = request_wait(r, TIMEOUT_MS, on_text);
	channel_send(server_engine(r->server), MSG_REPORT, m, sizeof *m);
}

void stats_run(struct request *r, const struct route *route)
{
	const struct query *q = &r->query;
	struct msg_report m = {.kind = REPORT_STATS, .top = (uint32_t)q->top};
	(void)route;

	if (!find(r, "by", given(q, "by") ? q->by : "node", groupings, COUNT_OF(groupings), &m.by) ||
	    !find(r, "period", q->period, periods, COUNT_OF(periods), &m.period_s))
		return;
	if (!text_copy(m.item, sizeof m.item, q->item[0] ? q->item : "cpu"))
		request_fail(r, ERR_CONFIG, "item", "use an item's name", "is too long");
	else
		ask(r, &m, DAY_MS);
}

void idle_run(struct request *r, const struct route *route)
{
	const struct query *q = &r->query;
	struct msg_report m = {.kind = REPORT_IDLE, .by = REPORT_BY_NODE, .cpu_percent = 10, .load1 = 1, .net_bytes_s = 1e6};
	(void)route;

	if (number(r, "cpu", q->cpu, &m.cpu_percent) && number(r, "load", q->load, &m.load1) && number(r, "net", q->net, &m.net_bytes_s))
		ask(r, &m, 7 * DAY_MS);
}
