/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reports of statistics for the API: which nodes, from when to when, what of the running hour; the file's thread writes the text. */
#include "engine/report.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/stats.h"

#define LIVE_MAX 500 /* nodes whose running hour is copied for one report; of more, what was kept last is shown */
#define REPORTS_MAX 8

struct asked { /* arg of the thread's work */
	struct report report;
	struct engine *e;
	uint32_t life;
};
static unsigned running; /* reports */

static int check(const struct msg_report *m, struct error *err)
{
	double ignored;
	struct summary none = {.energy_wh = 0};

	if (!text_terminated(m->range, sizeof m->range) || !text_terminated(m->item, sizeof m->item))
		return error_set(err, ERR_BUG, "report", "report this", "a text does not end");
	if ((m->kind != REPORT_STATS && m->kind != REPORT_IDLE) || m->by < REPORT_BY_NODE || m->by > REPORT_BY_SITE ||
	    (m->format != REPORT_JSON && m->format != REPORT_CSV) ||
	    (m->period_s != 0 && m->period_s != HISTORY_HOUR_S && m->period_s != HISTORY_DAY_S) || m->top > REPORT_TOP_MAX)
		return error_set(err, ERR_CONFIG, "report", "see gloryctl stats --help", "there is no such report");
	if (m->from_wall_ms < 0 || m->from_wall_ms >= m->to_wall_ms || m->to_wall_ms > INT64_C(1) << 46)
		return error_set(err, ERR_CONFIG, "report", "give a beginning before the end", "the time range is empty");
	if (m->top && !report_figure(m->item, &none, &ignored))
		return error_set(err, ERR_CONFIG, "item", "use cpu mem load1 disk_fill if_in if_out power_draw lost incidents energy",
				 "\"%s\" is not counted", m->item);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct report_node *)a)->name, ((const struct report_node *)b)->name);
}

static void add_running(struct engine *e, uint32_t slot, struct report_node *n)
{
	static uint8_t bytes[SUMMARY_PACKED_MAX];

	n->running_size = stats_pack_running(e, slot, bytes);
	n->running = mem_zalloc(n->running_size + 1);
	memcpy(n->running, bytes, n->running_size);
}

static int choose(struct engine *e, struct report *r)
{
	struct model_selection chosen;
	int rc = model_select(&e->model, r->ask.range[0] ? r->ask.range : "@site", judgement_is_down, e, &chosen, &r->err);

	if (rc)
		return rc;
	r->nodes = mem_array(chosen.count, sizeof *r->nodes);
	for (size_t i = 0; i < chosen.count; i++) {
		const struct config_node *c = &e->model.nodes[chosen.slots[i]].config;
		struct report_node *n = &r->nodes[r->count++];
		text_copy(n->name, sizeof n->name, c->head.name);
		text_copy(n->group, sizeof n->group, c->group);
		if (r->ask.now && chosen.count <= LIVE_MAX && e->nodes[chosen.slots[i]])
			add_running(e, chosen.slots[i], n);
	}
	free(chosen.slots);
	if (r->count)
		qsort(r->nodes, r->count, sizeof *r->nodes, by_name);
	return 0;
}

static void end(struct asked *a)
{
	report_free(&a->report);
	free(a);
}

static void written(void *arg)
{
	struct asked *a = arg;

	running--;
	if (a->report.err.kind)
		reply_error(a->e, ROLE_API, a->life, a->report.ask.request, &a->report.err);
	else
		reply_fd(a->e, ROLE_API, a->life, a->report.ask.request, a->report.fd);
	end(a);
}

void report_take(struct engine *e, const struct msg_report *m)
{
	struct asked *a = mem_zalloc(sizeof *a);
	struct report *r = &a->report;

	*a = (struct asked){.e = e, .life = e->roles[ROLE_API].life, .report = {.ask = *m, .now_s = clock_wall_ms() / 1000, .fd = -1}};
	if (!e->loaded || !e->statistics || !e->statistics->file || running >= REPORTS_MAX)
		error_set(&r->err, ERR_BUSY, "report", "try again in a moment", "the appliance is starting, or many reports are being written");
	else if (check(m, &r->err) == 0 && choose(e, r) == 0 && (r->fd = memfd_create("report", MFD_CLOEXEC)) < 0)
		error_set(&r->err, ERR_NO_RESOURCE, "report", "try again", "no memory for it");
	if (!r->err.kind && !summaries_run(e->statistics->file, report_write, written, a))
		error_set(&r->err, ERR_BUSY, "report", "try again in a moment", "the disk has too much to do");
	running++;
	if (r->err.kind)
		written(a);
}
