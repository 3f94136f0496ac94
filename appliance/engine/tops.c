/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Top lists between a face and the collector; see tops.h. */
#include "engine/tops.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

#define WAITING 8
#define DEADLINE_MS 76000 /* longer than the collector takes at most */

struct tops {
	struct waiting {
		bool used;
		enum role face;
		uint32_t life, slot, generation;
		uint64_t request, id;
		int64_t until_ms;
	} list[WAITING];
	uint64_t last;
};

static void refuse(struct engine *e, enum role face, uint32_t life, uint64_t request, int kind, const char *node, const char *remedy,
		   const char *text)
{
	struct error err;

	error_set(&err, kind, node, remedy, "%s", text);
	reply_error(e, face, life, request, &err);
}

static struct waiting *place(struct engine *e)
{
	if (!e->tops)
		e->tops = mem_zalloc(sizeof *e->tops);
	for (int i = 0; i < WAITING; i++)
		if (!e->tops->list[i].used)
			return &e->tops->list[i];
	return NULL;
}

void tops_query(struct engine *e, enum role face, const struct msg_query *q)
{
	uint32_t life = e->roles[face].life;
	const struct model_node *n = model_node(&e->model, q->target);
	const struct node_state *s = n ? e->nodes[n->slot] : NULL;
	struct waiting *w = place(e);

	if (!s)
		refuse(e, face, life, q->request, ERR_NOT_FOUND, q->target, "see: gloryctl node list", "there is no such node");
	else if (!e->roles[ROLE_COLLECTOR].channel || judgement_is_down(e, n->slot))
		refuse(e, face, life, q->request, ERR_NOT_NOW, q->target, "try again when it answers", "the node's agent cannot be asked now");
	else if (!w)
		refuse(e, face, life, q->request, ERR_BUSY, q->target, "try again in a minute", "other top lists are being made");
	if (!s || !w || !e->roles[ROLE_COLLECTOR].channel || judgement_is_down(e, n->slot))
		return;
	*w = (struct waiting){.used = true, .face = face, .life = life, .slot = n->slot, .generation = n->generation, .request = q->request,
			      .id = ++e->tops->last, .until_ms = clock_mono_ms() + DEADLINE_MS};
	struct msg_top_ask ask = {.request = w->id, .slot = n->slot, .generation = n->generation, .rows = q->limit ? q->limit : TOP_ROWS_MAX};
	engine_send(e, ROLE_COLLECTOR, MSG_TOP_ASK, &ask, sizeof ask);
}

static json_t *row(const struct msg_top_row *r, uint32_t over_ms)
{
	static const char *const states[] = {"unknown", "running", "runnable", "not-runnable", "invalid"};
	char name[sizeof r->name], arguments[sizeof r->arguments];

	text_copy(name, sizeof name, r->name);
	text_copy(arguments, sizeof arguments, r->arguments);
	text_make_printable(name);
	text_make_printable(arguments);
	return json_pack("{s:I,s:s,s:s,s:s,s:o,s:f,s:I}", "process", (json_int_t)r->index, "name", name, "arguments", arguments, "state",
			 states[r->status < COUNT_OF(states) ? r->status : 0], "cpu_percent",
			 over_ms ? json_real((double)r->used_cs * 1000 / over_ms) : json_null(), "cpu_s", (double)r->total_cs / 100,
			 "mem_bytes", (json_int_t)(r->mem_kib < INT64_MAX / 1024 ? r->mem_kib * 1024 : 0));
}

static void answer(struct engine *e, const struct waiting *w, const struct msg_top *top, const struct msg_top_row *rows)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < top->rows; i++)
		if (text_terminated(rows[i].name, sizeof rows[i].name) && text_terminated(rows[i].arguments, sizeof rows[i].arguments))
			json_array_append_new(list, row(&rows[i], top->over_ms));
	reply_json(e, w->face, w->life, w->request, 0,
		   json_pack("{s:s,s:i,s:o,s:o}", "node", e->model.nodes[w->slot].config.head.name, "processes", (int)top->processes, "over_s",
			     top->over_ms ? json_real(top->over_ms / 1000.0) : json_null(), "top", list),
		   false);
}

void tops_take(struct engine *e, const struct msg_top *top, size_t size)
{
	const struct msg_top_row *rows = (const void *)(top + 1);

	if (!e->tops || size != sizeof *top + (size_t)top->rows * sizeof *rows || top->rows > TOP_ROWS_MAX)
		return;
	for (int i = 0; i < WAITING; i++) {
		struct waiting *w = &e->tops->list[i];
		if (!w->used || w->id != top->request)
			continue;
		w->used = false;
		if (top->status || !engine_node(e, w->slot, w->generation))
			refuse(e, w->face, w->life, w->request, top->status == ERR_BUSY ? ERR_BUSY : ERR_REMOTE, "top",
			       top->status == ERR_BUSY ? "try again in a minute" : "see that its agent shows hrSWRunTable",
			       top->status == ERR_BUSY ? "other top lists are being made" : "the node's agent did not show its processes");
		else
			answer(e, w, top, rows);
	}
}

void tops_tick(struct engine *e)
{
	int64_t now = clock_mono_ms();

	for (int i = 0; e->tops && i < WAITING; i++) {
		struct waiting *w = &e->tops->list[i];
		if (!w->used || (now < w->until_ms && e->roles[ROLE_COLLECTOR].channel))
			continue;
		w->used = false;
		refuse(e, w->face, w->life, w->request, ERR_REMOTE, "top", "try again", "the collector did not answer");
	}
}
