/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GET /: site, groups, services and nodes as one plain page without a script; takes the same filters as /v1/nodes. */
#include "api/routes.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"

#define PIECE 16384
#define REFRESH_S 15

struct page {
	struct producer producer;
	struct list_walk walk;
	bool begun;
};

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
    "content=\"width=device-width\">"
    "<meta http-equiv=\"refresh\" content=\"15\"><title>GLORY-CL</title><style>"
    "body{font:14px/1.4 sans-serif;margin:1em auto;max-width:75em;padding:0 1em;color:#222;background:#fff}"
    "table{border-collapse:collapse;margin:0 0 1.5em}th,td{text-align:left;padding:.15em .8em .15em "
    "0;border-bottom:1px solid #ddd}"
    "td.n{text-align:right}h1{font-size:1.4em}h2{font-size:1.1em}.normal{color:#1a6e1a}.warning{color:#8a6d00}.major{"
    "color:#b34700}"
    ".critical{color:#b00020;font-weight:bold}.unknown{color:#666}"
    "@media(prefers-color-scheme:dark){body{color:#ddd;background:#1a1a1a}th,td{border-color:#444}.normal{color:#7c7}."
    "warning{color:#dc5}"
    ".major{color:#f95}.critical{color:#f67}.unknown{color:#999}a{color:#9cf}}</style></head><body>\n";
_Static_assert(REFRESH_S == 15, "the page says it too");

static void cell(struct emit *out, const char *text)
{
	emit_bytes(out, "<td>", 4);
	emit_html(out, text);
	emit_bytes(out, "</td>", 5);
}

/* A cell in the colour of its level; link: "/?group=" and so on, NULL none. Names hold no byte that a URL would have to
 * escape. */
static void mark(struct emit *out, unsigned level, const char *link, const char *text)
{
	emit_text(out, "<td class=\"%s\">", level_name((int)level)[0] == '?' ? "unknown" : level_name((int)level));
	if (link) {
		emit_text(out, "<a href=\"%s", link);
		emit_html(out, text);
		emit_bytes(out, "\">", 2);
	}
	emit_html(out, text);
	emit_text(out, "%s</td>", link ? "</a>" : "");
}

static void emit_site(struct emit *out, const struct board_reader *board)
{
	union any_row site, own;
	char now[32];

	if (board_read(board, BOARD_CLUSTER, 0, &site) || board_read(board, BOARD_APPLIANCE, 0, &own))
		return;
	emit_bytes(out, "<h1>", 4);
	emit_html(out, site.cluster.name);
	emit_text(out, ": <span class=\"%s\">%s</span></h1>\n<p>", level_name((int)site.cluster.level),
		  level_name((int)site.cluster.level));
	if (site.cluster.cause[0]) {
		emit_html(out, site.cluster.cause);
		emit_bytes(out, "<br>", 4);
	}
	emit_text(out, "%u nodes in %u groups, %u up; alarms: %u critical, %u major, %u warning; %u polls a second; ",
		  site.cluster.nodes, site.cluster.groups, site.cluster.by_verdict[VERDICT_UP],
		  site.cluster.alarms_by_severity[LEVEL_CRITICAL], site.cluster.alarms_by_severity[LEVEL_MAJOR],
		  site.cluster.alarms_by_severity[LEVEL_WARNING], own.appliance.polls_per_second);
	emit_html(out, own.appliance.name);
	emit_text(out, ", %s</p>\n", clock_text(clock_wall_ms(), now, sizeof now));
	if (own.appliance.suspended)
		emit_text(out, "<p class=\"critical\">judgement is suspended: verdicts are old</p>\n");
}

/* Only where there are any. */
static void emit_services(struct emit *out, const struct board_reader *board)
{
	struct cursor cursor = {0};
	union any_row row;
	bool any = false;

	for (; cursor_next(&cursor, board, BOARD_SERVICE, &row) == 0; any = true) {
		const struct service_row *s = &row.service;
		if (!any)
			emit_text(out, "<h2>Services</h2><table><tr><th>service<th>level<th>state<th>wanted<th>in service<th>coming"
				       "<th>going<th>failed<th>busy %%<th>connections<th>size</tr>\n");
		emit_bytes(out, "<tr>", 4);
		mark(out, s->level, "/v1/services/", s->name);
		mark(out, s->level, NULL, level_name(s->level));
		cell(out, service_state_name(s->state));
		emit_text(out, "<td class=n>%u</td><td class=n>%u</td><td class=n>%u</td><td class=n>%u</td><td class=n>%u</td>", s->wanted,
			  s->in_service, s->coming, s->going, s->failed);
		if (isnan(s->utilisation))
			emit_text(out, "<td class=n>-</td>");
		else
			emit_text(out, "<td class=n>%.0f</td>", s->utilisation * 100);
		emit_text(out, "<td class=n>%llu</td>", (unsigned long long)s->connections);
		cell(out, s->cause[0] ? s->cause : s->reason);
		emit_bytes(out, "</tr>\n", 6);
	}
	if (any)
		emit_bytes(out, "</table>", 8);
}

static void emit_groups(struct emit *out, const struct board_reader *board)
{
	struct cursor cursor = {0};
	union any_row row;

	emit_text(out, "<h2>Groups</h2><table><tr><th>group<th>level<th>nodes<th>up<th>cause</tr>\n");
	while (cursor_next(&cursor, board, BOARD_GROUP, &row) == 0) {
		emit_bytes(out, "<tr>", 4);
		mark(out, row.group.level, "/?group=", row.group.name);
		mark(out, row.group.level, NULL, level_name((int)row.group.level));
		emit_text(out, "<td class=n>%u</td><td class=n>%u</td>", row.group.nodes, row.group.up);
		cell(out, row.group.cause);
		emit_bytes(out, "</tr>\n", 6);
	}
	emit_text(out, "</table>");
	emit_services(out, board);
	emit_text(out, "<h2>Nodes</h2><p><a href=\"/\">all</a> <a "
		       "href=\"/?level=warning,major,critical,unknown\">not normal</a></p>"
		       "<table><tr><th>node<th>group<th>level<th>verdict<th>certainty<th>power<th>cpu %%<th>mem "
		       "%%<th>load<th>cause</tr>\n");
}

static void number(struct emit *out, int32_t x100)
{
	if (x100 < 0)
		emit_text(out, "<td class=n>-</td>");
	else
		emit_text(out, "<td class=n>%d.%02d</td>", x100 / 100, x100 % 100);
}

static void emit_node(struct emit *out, const struct node_row *n)
{
	emit_bytes(out, "<tr>", 4);
	mark(out, n->level, "/v1/nodes/", n->name);
	cell(out, n->group);
	mark(out, n->level, NULL, level_name(n->level));
	cell(out, verdict_name(n->verdict));
	cell(out, certainty_name(n->certainty));
	cell(out, power_name(n->power));
	number(out, n->cpu_percent_x100);
	number(out, n->mem_percent_x100);
	number(out, n->load1_x100);
	cell(out, n->cause);
	emit_bytes(out, "</tr>\n", 6);
}

static void more(struct producer *p, struct request *r)
{
	struct page *page = (struct page *)p;
	union any_row row;
	int rc = 0;

	if (!page->begun) {
		emit_bytes(&p->out, head, sizeof head - 1);
		emit_site(&p->out, server_get_board(r->server));
		emit_groups(&p->out, server_get_board(r->server));
		page->begun = true;
	}
	while (p->out.used < PIECE && (rc = list_next(r, BOARD_NODE, &page->walk, &row)) == 0)
		emit_node(&p->out, &row.node);
	if (rc == ERR_NOT_FOUND) {
		emit_text(&p->out, "</table></body></html>\n");
		p->done = true;
	} else if (rc) {
		p->failed = true;
	}
}

static void free_page(struct producer *p)
{
	list_end(&((struct page *)p)->walk);
	free(p);
}

void page_run(struct request *r, const struct route *route)
{
	struct list_walk walk;

	if (list_begin(r, route->table, &walk))
		return;
	struct page *page = mem_zalloc(sizeof *page);
	*page = (struct page){.producer = {.more = more, .free = free_page}, .walk = walk};
	request_produce(r, "text/html; charset=utf-8", &page->producer);
}
