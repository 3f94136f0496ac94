/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Top lists: a node's processes by the processor time they use now. The column of times is read every 2 s; between two readings
 * that differ lies the time that is divided by. Agents show their table as it was up to 30 s ago (net-snmp), so when a first
 * difference is seen its beginning is not known, and a second one is waited for. See process.h. */
#include "mibs/collector/process.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "mibs/collector/engine_private.h"

enum { TOPS = 4, AGAIN_MS = 2000, DEADLINE_MS = 66000, SILENT_MS = 6000, DETAILS = 4, PER_REQUEST = PROCESS_GET_MAX / DETAILS };

static const enum process_column details[DETAILS] = {PROCESS_NAME, PROCESS_ARGUMENTS, PROCESS_STATUS, PROCESS_MEM};

struct reading {
	struct top_time {
		uint32_t index;
		int64_t cpu_cs;
	} *times;
	unsigned count, room;
	int64_t at;
};

enum stage { TOP_FREE, TOP_READING, TOP_PAUSE, TOP_DETAILS };

struct top {
	enum stage stage;
	struct msg_top_ask ask;
	struct process_walk walk;
	uint16_t generation; /* of the request that is out */
	int64_t begun, sent, again;
	struct reading now, before, base; /* being read; as it was last; as it was when it last changed */
	struct msg_top_row rows[TOP_ROWS_MAX];
	unsigned count, asked; /* rows chosen; whose details are there */
	uint32_t over_ms;
};

struct tops {
	struct top list[TOPS];
};

struct tops *tops_new(void)
{
	return mem_zalloc(sizeof(struct tops));
}

static void top_free(struct top *t)
{
	free(t->now.times);
	free(t->before.times);
	free(t->base.times);
	*t = (struct top){.stage = TOP_FREE};
}

void tops_free(struct tops *tops)
{
	for (int i = 0; i < TOPS; i++)
		top_free(&tops->list[i]);
	free(tops);
}

static void answer(struct engine *e, const struct msg_top_ask *ask, int32_t status, const struct top *t)
{
	struct msg_top m = {.request = ask->request, .slot = ask->slot, .generation = ask->generation, .status = status};

	if (t) {
		m.rows = t->count;
		m.processes = t->before.count;
		m.over_ms = t->over_ms;
	}
	e->processes->ops.top(e->processes->arg, &m, t ? t->rows : NULL);
}

static void end(struct engine *e, struct top *t, int32_t status)
{
	answer(e, &t->ask, status, status ? NULL : t);
	top_free(t);
}

static void ask_next(struct engine *e, struct top *t, int64_t now)
{
	struct agent *a = e->agents[t->ask.slot];

	t->sent = now;
	if (!a || !engine_request(e, a, EXCHANGE_PROCESS, (unsigned)(t - e->processes->tops->list) + 1, 0, 0, now))
		end(e, t, ERR_REMOTE);
}

static void read_again(struct engine *e, struct top *t, int64_t now)
{
	t->stage = TOP_READING;
	t->walk = (struct process_walk){.column = PROCESS_CPU};
	t->now.count = 0;
	t->now.at = now;
	ask_next(e, t, now);
}

void engine_top(struct engine *e, const struct msg_top_ask *ask, int64_t now)
{
	struct top *t = e->processes->tops->list;

	while (t < e->processes->tops->list + TOPS && t->stage != TOP_FREE)
		t++;
	if (t == e->processes->tops->list + TOPS || ask->slot >= e->slots || !e->agents[ask->slot]) {
		answer(e, ask, t == e->processes->tops->list + TOPS ? ERR_BUSY : ERR_NOT_FOUND, NULL);
		return;
	}
	t->ask = *ask;
	t->ask.rows = ask->rows < TOP_ROWS_MAX ? ask->rows : TOP_ROWS_MAX;
	t->begun = now;
	read_again(e, t, now);
}

/* --- readings ------------------------------------------------------------------------------------------- */

static void take_time(void *arg, const struct process_cell *cell)
{
	struct reading *r = arg;

	if (cell->value.type != VALUE_INTEGER)
		return;
	if (r->count == r->room) {
		r->room = r->room ? 2 * r->room : 256;
		r->times = mem_grow(r->times, r->room, sizeof r->times[0]);
	}
	r->times[r->count++] = (struct top_time){cell->index, cell->value.value};
}

static bool differs(const struct reading *a, const struct reading *b)
{
	if (a->count != b->count)
		return true;
	for (unsigned i = 0; i < a->count; i++)
		if (a->times[i].index != b->times[i].index || a->times[i].cpu_cs != b->times[i].cpu_cs)
			return true;
	return false;
}

static void swap(struct reading *a, struct reading *b)
{
	struct reading kept = *a;

	*a = *b;
	*b = kept;
}

static int by_index(const void *left, const void *right)
{
	const struct top_time *a = left, *b = right;

	return (a->index > b->index) - (a->index < b->index);
}

/* Used since the base; all of its time for one that is newer. Without a base all that it ever used. */
static int64_t used(const struct top *t, const struct top_time *one)
{
	const struct top_time *old =
	    t->over_ms ? bsearch(one, t->base.times, t->base.count, sizeof *old, by_index) : NULL;

	return old && old->cpu_cs <= one->cpu_cs ? one->cpu_cs - old->cpu_cs : one->cpu_cs;
}

static void choose(struct top *t)
{
	for (unsigned i = 0; i < t->before.count; i++) {
		const struct top_time *one = &t->before.times[i];
		struct msg_top_row row = {.index = one->index, .total_cs = one->cpu_cs, .used_cs = used(t, one)};
		unsigned at = t->count;
		while (at && t->rows[at - 1].used_cs < row.used_cs)
			at--;
		if (at == t->ask.rows)
			continue;
		if (t->count < t->ask.rows)
			t->count++;
		memmove(&t->rows[at + 1], &t->rows[at], (t->count - at - 1) * sizeof row);
		t->rows[at] = row;
	}
}

static void begin_details(struct engine *e, struct top *t, int64_t now)
{
	choose(t);
	t->stage = TOP_DETAILS;
	if (!t->count)
		end(e, t, ERR_NOT_FOUND);
	else
		ask_next(e, t, now);
}

static void reading_done(struct engine *e, struct top *t, int64_t now)
{
	bool first = !t->before.at, changed = !first && differs(&t->now, &t->before);

	swap(&t->now, &t->before);
	if (changed && t->base.at) {
		t->over_ms = (uint32_t)(t->before.at - t->base.at);
	} else if (changed) {
		t->base.count = 0;
		for (unsigned i = 0; i < t->before.count; i++) {
			struct process_cell cell = {.index = t->before.times[i].index,
						    .value = {.type = VALUE_INTEGER, .value = t->before.times[i].cpu_cs}};
			take_time(&t->base, &cell);
		}
		t->base.at = t->before.at;
	}
	if (t->over_ms || now - t->begun > DEADLINE_MS || !t->before.count) {
		begin_details(e, t, now);
		return;
	}
	t->stage = TOP_PAUSE;
	t->again = t->before.at + AGAIN_MS;
}

/* --- details ---------------------------------------------------------------------------------------------- */

static size_t cells_of(const struct top *t, struct process_cell *cells)
{
	size_t n = 0;

	for (unsigned i = t->asked; i < t->count && i < t->asked + PER_REQUEST; i++)
		for (int d = 0; d < DETAILS; d++)
			cells[n++] = (struct process_cell){.column = details[d], .index = t->rows[i].index};
	return n;
}

static void take_detail(void *arg, const struct process_cell *cell)
{
	struct top *t = arg;

	for (unsigned i = 0; i < t->count; i++) {
		struct msg_top_row *row = &t->rows[i];
		if (row->index != cell->index)
			continue;
		if (cell->column == PROCESS_NAME)
			process_text(&cell->value, row->name, sizeof row->name);
		else if (cell->column == PROCESS_ARGUMENTS)
			process_text(&cell->value, row->arguments, sizeof row->arguments);
		else if (cell->column == PROCESS_STATUS && cell->value.type == VALUE_INTEGER)
			row->status = (uint32_t)cell->value.value;
		else if (cell->column == PROCESS_MEM && cell->value.type == VALUE_INTEGER)
			row->mem_kib = cell->value.value;
	}
}

static struct top *top_at(struct tops *tops, const struct agent *a, unsigned part)
{
	struct top *t = part && part <= TOPS ? &tops->list[part - 1] : NULL;

	return t && t->stage != TOP_FREE && t->ask.slot == a->slot ? t : NULL;
}

bool tops_pdu(struct tops *tops, const struct agent *a, unsigned part, uint16_t generation, uint8_t *out, size_t room, size_t *size,
	      size_t *id_at)
{
	struct process_cell cells[PROCESS_GET_MAX];
	struct top *t = top_at(tops, a, part);

	if (!t)
		return false;
	t->generation = generation;
	*size = t->stage == TOP_DETAILS ? process_get_pdu(cells, cells_of(t, cells), out, room, id_at)
					: process_walk_pdu(&t->walk, a->credential->version != SNMP_V1, out, room, id_at);
	return *size > 0;
}

void tops_answer(struct engine *e, struct agent *a, unsigned part, uint16_t generation, const struct response *r, int64_t now)
{
	struct top *t = top_at(e->processes->tops, a, part);

	if (!t || t->generation != generation)
		return;
	if (t->stage == TOP_DETAILS) {
		process_get_take(r, take_detail, t);
		t->asked += PER_REQUEST;
		if (t->asked >= t->count)
			end(e, t, 0);
		else
			ask_next(e, t, now);
		return;
	}
	if (t->stage != TOP_READING)
		return;
	enum process_step step = process_walk_take(&t->walk, r, take_time, &t->now);
	if (step == PROCESS_BAD)
		end(e, t, ERR_REMOTE);
	else if (step == PROCESS_ENDS)
		reading_done(e, t, now);
	else
		ask_next(e, t, now);
}

void tops_failed(struct engine *e, const struct agent *a, unsigned part, uint16_t generation, int64_t now)
{
	struct top *t = top_at(e->processes->tops, a, part);

	(void)now;
	if (t && t->generation == generation)
		end(e, t, ERR_REMOTE);
}

void tops_forget(struct engine *e, const struct agent *a)
{
	for (int i = 0; i < TOPS; i++) {
		struct top *t = &e->processes->tops->list[i];
		if (t->stage != TOP_FREE && t->ask.slot == a->slot)
			end(e, t, ERR_NOT_FOUND);
	}
}

void tops_turn(struct engine *e, int64_t now)
{
	for (int i = 0; i < TOPS; i++) {
		struct top *t = &e->processes->tops->list[i];
		if (t->stage == TOP_PAUSE && now >= t->again)
			read_again(e, t, now);
		else if ((t->stage == TOP_READING || t->stage == TOP_DETAILS) && now - t->sent > SILENT_MS)
			end(e, t, ERR_REMOTE);
	}
}
