/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Process watches: searching, counting, and reading by index; see process.h. */
#include "mibs/collector/process.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mibs/collector/engine_private.h"

enum {
	SEARCHES_AT_ONCE = 32,
	SEARCHES_PER_TICK = 10, /* begun in SEARCH_TICK_MS, over all agents */
	SEARCH_TICK_MS = 100,
	SEARCH_MS = 30000,
	SILENT_MS = 6000, /* an answer that has not come by then does not come */
	AGAIN_MS = 10000, /* too few or too many, or it failed: look again */
	BEYOND_MS = 30000,
	FAILURES_MAX = 3,
	FOUND_MAX = 1024,
	TRACKED_MAX = 32, /* processes of an agent that are read by index; the rest are counted by searching */
	READ_COLUMNS = 4
};

static const enum process_column read_columns[READ_COLUMNS] = {PROCESS_NAME, PROCESS_STATUS, PROCESS_CPU, PROCESS_MEM};

struct process {
	uint32_t index;
	uint16_t id;
	bool heard, gone, invalid, seen;
	uint64_t watches;
	int64_t cpu_cs, mem_kib;
	char name[ENGINE_ROW_NAME];
};

struct tally { /* of one watch on one agent */
	uint8_t watch;
	uint32_t beyond;   /* found but not read by index */
	uint32_t lost;     /* went, and none has come in their place */
	uint32_t restarts; /* since told */
	uint64_t cpu_cs;   /* used since the watch began here */
};

struct found {
	uint32_t index;
	uint64_t watches, asks; /* asks: those that still depend on the arguments */
	char name[ENGINE_ROW_NAME];
};

struct search {
	struct process_walk walk;
	struct found *found;
	unsigned count, at; /* at: arguments are asked from here on */
	uint16_t generation;
	bool arguments, cut;
	int64_t begun, sent;
};

struct processes {
	uint64_t watches;
	struct process *list;
	unsigned count;
	uint16_t next_id;
	struct tally tallies[WATCHES_MAX];
	unsigned tally_count;
	struct search *search;
	uint8_t found;    /* enum processes_found of the last search */
	bool searched, fresh; /* fresh: something was read since it was told */
	uint8_t failures;
	int64_t due, heard;
};

struct processes_engine *processes_new(void)
{
	struct processes_engine *all = mem_zalloc(sizeof *all);

	all->tops = tops_new();
	return all;
}

void processes_free(struct processes_engine *all)
{
	tops_free(all->tops);
	free(all);
}

void engine_process_owner(struct engine *e, const struct process_ops *ops, void *arg)
{
	e->processes->ops = *ops;
	e->processes->arg = arg;
}

/* --- who is watched ----------------------------------------------------------------------------------- */

static void search_end(struct engine *e, struct processes *p)
{
	if (!p->search)
		return;
	free(p->search->found);
	free(p->search);
	p->search = NULL;
	e->processes->searches--;
}

void processes_forget(struct engine *e, struct agent *a)
{
	tops_forget(e, a);
	if (!a->processes)
		return;
	search_end(e, a->processes);
	free(a->processes->list);
	free(a->processes);
	a->processes = NULL;
	a->stale = true;
}

static struct tally *tally_of(struct processes *p, unsigned watch)
{
	for (unsigned i = 0; i < p->tally_count; i++)
		if (p->tallies[i].watch == watch)
			return &p->tallies[i];
	return NULL;
}

/* Watches that are not `kept` any more go with what was found for them alone; new ones begin with nothing. */
static void set_watches(struct processes *p, uint64_t watches, uint64_t kept)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->tally_count; i++)
		if (kept >> p->tallies[i].watch & 1)
			p->tallies[n++] = p->tallies[i];
	p->tally_count = n;
	for (unsigned w = 0; w < WATCHES_MAX; w++)
		if ((watches >> w & 1) && !tally_of(p, w))
			p->tallies[p->tally_count++] = (struct tally){.watch = (uint8_t)w};
	n = 0;
	for (unsigned i = 0; i < p->count; i++) {
		p->list[i].watches &= kept;
		if (p->list[i].watches)
			p->list[n++] = p->list[i];
	}
	p->count = n;
	p->watches = watches;
}

static void scope(struct engine *e, struct agent *a, uint64_t watches, uint64_t changed, int64_t now)
{
	struct processes *p = a->processes;

	watches &= e->processes->defined;
	if (p ? p->watches == watches && !(watches & changed) : !watches)
		return;
	if (!watches) {
		search_end(e, p);
		free(p->list);
		free(p);
		a->processes = NULL;
	} else {
		if (!p)
			p = a->processes = mem_zalloc(sizeof *p);
		search_end(e, p); /* it looked for others */
		set_watches(p, watches, p->watches & watches & ~changed);
		p->due = now;
	}
	a->stale = true;
}

void engine_watch_scope(struct engine *e, uint32_t slot, uint64_t watches, int64_t now)
{
	if (slot < e->slots && e->agents[slot])
		scope(e, e->agents[slot], watches, 0, now);
}

void engine_watches(struct engine *e, const struct msg_watch *watches, size_t count, int64_t now)
{
	struct msg_watch before[WATCHES_MAX];
	uint64_t changed = 0;

	memcpy(before, e->processes->watches, sizeof before);
	memset(e->processes->watches, 0, sizeof e->processes->watches);
	e->processes->defined = 0;
	for (size_t i = 0; i < count; i++)
		if (watches[i].watch < WATCHES_MAX) {
			e->processes->watches[watches[i].watch] = watches[i];
			e->processes->defined |= UINT64_C(1) << watches[i].watch;
		}
	for (unsigned w = 0; w < WATCHES_MAX; w++)
		if (memcmp(&before[w], &e->processes->watches[w], sizeof before[w]) != 0)
			changed |= UINT64_C(1) << w;
	for (uint32_t slot = 0; changed && slot < e->slots; slot++)
		if (e->agents[slot] && e->agents[slot]->processes)
			scope(e, e->agents[slot], e->agents[slot]->processes->watches, changed, now);
}

/* --- telling ---------------------------------------------------------------------------------------------- */

static void count_tally(const struct processes *p, const struct tally *t, struct msg_watch_state *m)
{
	bool whole = true;

	m->count = t->beyond;
	for (unsigned i = 0; i < p->count; i++) {
		const struct process *one = &p->list[i];
		if (!(one->watches >> t->watch & 1) || one->gone || one->invalid)
			continue;
		m->count++;
		m->mem_kib += (uint64_t)one->mem_kib;
		whole &= one->heard;
	}
	if (!whole || t->beyond)
		m->mem_kib = WATCH_MEM_UNKNOWN;
}

static void tell(struct engine *e, struct agent *a, int64_t now)
{
	struct processes *p = a->processes;

	p->fresh = false;
	for (unsigned i = 0; i < p->tally_count; i++) {
		struct tally *t = &p->tallies[i];
		struct msg_watch_state m = {.slot = a->slot,
					    .watch = t->watch,
					    .watch_generation = e->processes->watches[t->watch].generation,
					    .found = p->found,
					    .restarts = t->restarts,
					    .cpu_cs = t->cpu_cs,
					    .at_ms = p->heard ? p->heard : now};
		count_tally(p, t, &m);
		t->restarts = 0;
		e->processes->ops.state(e->processes->arg, &m);
	}
}

static bool any_gone(const struct processes *p)
{
	for (unsigned i = 0; i < p->count; i++)
		if (p->list[i].gone)
			return true;
	return false;
}

/* --- the search ------------------------------------------------------------------------------------------------ */

static bool search_send(struct engine *e, struct agent *a, int64_t now)
{
	a->processes->search->sent = now;
	if (engine_request(e, a, EXCHANGE_PROCESS, 0, 0, 0, now))
		return true;
	search_end(e, a->processes);
	a->processes->due = now + AGAIN_MS;
	return false;
}

static void search_begin(struct engine *e, struct agent *a, int64_t now)
{
	struct processes_engine *all = e->processes;

	if (now - all->counted_at >= SEARCH_TICK_MS) {
		all->counted_at = now;
		all->begun = 0;
	}
	if (all->searches >= SEARCHES_AT_ONCE || all->begun >= SEARCHES_PER_TICK)
		return;
	all->begun++;
	all->searches++;
	a->processes->search = mem_zalloc(sizeof *a->processes->search);
	*a->processes->search = (struct search){.walk.column = PROCESS_NAME, .begun = now};
	search_send(e, a, now);
}

struct taking { /* rows of one answer */
	struct engine *e;
	struct processes *p;
};

static void take_name(void *arg, const struct process_cell *cell)
{
	struct taking *t = arg;
	struct search *s = t->p->search;
	struct found f = {.index = cell->index};

	process_text(&cell->value, f.name, sizeof f.name);
	for (unsigned w = 0; w < WATCHES_MAX; w++) {
		const struct msg_watch *watch = &t->e->processes->watches[w];
		if (!(t->p->watches >> w & 1) || !process_name_matches(watch->process, f.name))
			continue;
		*(watch->arguments[0] ? &f.asks : &f.watches) |= UINT64_C(1) << w;
	}
	if (!f.watches && !f.asks)
		return;
	if (s->count == FOUND_MAX) {
		s->cut = true;
		return;
	}
	s->found = mem_grow(s->found, s->count + 1u, sizeof s->found[0]);
	s->found[s->count++] = f;
}

static void take_arguments(void *arg, const struct process_cell *cell)
{
	struct taking *t = arg;
	struct search *s = t->p->search;
	char text[160];

	if (cell->column != PROCESS_ARGUMENTS || cell->value.type == VALUE_MISSING)
		return;
	process_text(&cell->value, text, sizeof text);
	for (unsigned i = 0; i < s->count; i++)
		for (unsigned w = 0; s->found[i].index == cell->index && w < WATCHES_MAX; w++)
			if ((s->found[i].asks >> w & 1) && process_arguments_match(t->e->processes->watches[w].arguments, text))
				s->found[i].watches |= UINT64_C(1) << w;
}

/* Those of the next request for arguments, from s->at on; *next is where the one after it begins. */
static size_t asked(const struct search *s, struct process_cell *cells, unsigned *next)
{
	size_t n = 0;
	unsigned i = s->at;

	for (; i < s->count && n < PROCESS_GET_MAX; i++)
		if (s->found[i].asks)
			cells[n++] = (struct process_cell){.column = PROCESS_ARGUMENTS, .index = s->found[i].index};
	*next = i;
	return n;
}

static const struct found *found_index(const struct search *s, uint32_t index)
{
	for (unsigned i = 0; i < s->count; i++)
		if (s->found[i].index == index)
			return &s->found[i];
	return NULL;
}

static void lose(struct processes *p, uint64_t watches)
{
	for (unsigned i = 0; i < p->tally_count; i++)
		if (watches >> p->tallies[i].watch & 1)
			p->tallies[i].lost++;
}

/* A process that came after one had gone is that one, started again. */
static void gain(struct processes *p, uint64_t watches)
{
	for (unsigned i = 0; p->searched && i < p->tally_count; i++) {
		struct tally *t = &p->tallies[i];
		if ((watches >> t->watch & 1) && t->lost) {
			t->lost--;
			t->restarts++;
		}
	}
}

/* Keeps of the list what was found again under the same index and name. */
static void drop_lost(struct processes *p, const struct search *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->count; i++) {
		struct process *one = &p->list[i];
		const struct found *f = found_index(s, one->index);
		if (f && f->watches && !one->gone && !strcmp(f->name, one->name)) {
			one->watches = f->watches;
			one->seen = true;
			p->list[n++] = *one;
		} else {
			lose(p, one->watches);
		}
	}
	p->count = n;
}

static bool tracked(const struct processes *p, uint32_t index)
{
	for (unsigned i = 0; i < p->count; i++)
		if (p->list[i].index == index)
			return true;
	return false;
}

static void add_found(struct processes *p, const struct search *s)
{
	for (unsigned i = 0; i < p->tally_count; i++)
		p->tallies[i].beyond = 0;
	for (unsigned i = 0; i < s->count; i++) {
		const struct found *f = &s->found[i];
		if (!f->watches || tracked(p, f->index))
			continue;
		if (p->count == TRACKED_MAX) {
			for (unsigned t = 0; t < p->tally_count; t++)
				p->tallies[t].beyond += f->watches >> p->tallies[t].watch & 1;
			continue;
		}
		gain(p, f->watches);
		p->list = mem_grow(p->list, p->count + 1u, sizeof p->list[0]);
		struct process *one = &p->list[p->count++];
		*one = (struct process){.index = f->index, .id = ++p->next_id, .watches = f->watches};
		memcpy(one->name, f->name, sizeof one->name);
	}
}

/* When to search next: soon when a count is not as it should be, else at the shortest of the watches' intervals. */
static int64_t next_search(const struct engine *e, const struct agent *a, int64_t now)
{
	const struct processes *p = a->processes;
	uint32_t wait = UINT32_MAX;

	for (unsigned i = 0; i < p->tally_count; i++) {
		const struct msg_watch *w = &e->processes->watches[p->tallies[i].watch];
		struct msg_watch_state m = {0};
		count_tally(p, &p->tallies[i], &m);
		uint32_t ms = w->interval_s * 1000u;
		if (m.count < w->min || m.count > w->max)
			ms = AGAIN_MS;
		else if (p->tallies[i].beyond && ms > BEYOND_MS)
			ms = BEYOND_MS;
		wait = ms < wait ? ms : wait;
	}
	return now + wait + a->hash % (wait / 8 + 1);
}

static void search_done(struct engine *e, struct agent *a, int64_t now)
{
	struct processes *p = a->processes;
	struct search *s = p->search;

	s->cut |= s->walk.cut;
	p->found = !s->walk.rows ? PROCESSES_NOT_SHOWN : s->cut ? PROCESSES_CUT : PROCESSES_COUNTED;
	if (p->found == PROCESSES_COUNTED) {
		drop_lost(p, s);
		add_found(p, s);
		p->searched = true;
	}
	p->failures = 0;
	a->stale = true;
	p->due = next_search(e, a, now);
	search_end(e, p);
	tell(e, a, now);
}

static void search_failed(struct engine *e, struct agent *a, int64_t now)
{
	struct processes *p = a->processes;

	search_end(e, p);
	p->due = now + AGAIN_MS;
	if (++p->failures < FAILURES_MAX)
		return;
	p->failures = FAILURES_MAX;
	p->found = PROCESSES_NOT_SHOWN;
	tell(e, a, now);
}

static void search_answer(struct engine *e, struct agent *a, const struct response *r, int64_t now)
{
	struct search *s = a->processes->search;
	struct process_cell cells[PROCESS_GET_MAX];
	struct taking t = {e, a->processes};
	unsigned next;

	if (!s->arguments) {
		enum process_step step = process_walk_take(&s->walk, r, take_name, &t);
		if (step == PROCESS_BAD) {
			search_failed(e, a, now);
			return;
		}
		s->arguments = step == PROCESS_ENDS;
	} else {
		process_get_take(r, take_arguments, &t);
		asked(s, cells, &next);
		s->at = next;
	}
	if (s->arguments && !asked(s, cells, &next))
		search_done(e, a, now);
	else if (now - s->begun > SEARCH_MS)
		search_failed(e, a, now);
	else
		search_send(e, a, now);
}

bool processes_pdu(struct engine *e, struct agent *a, unsigned part, uint16_t generation, uint8_t *out, size_t room, size_t *size,
		   size_t *id_at)
{
	struct search *s = a->processes ? a->processes->search : NULL;
	struct process_cell cells[PROCESS_GET_MAX];
	unsigned next;

	if (part)
		return tops_pdu(e->processes->tops, a, part, generation, out, room, size, id_at);
	if (!s)
		return false;
	s->generation = generation;
	if (!s->arguments)
		*size = process_walk_pdu(&s->walk, a->credential->version != SNMP_V1, out, room, id_at);
	else
		*size = process_get_pdu(cells, asked(s, cells, &next), out, room, id_at);
	return *size > 0;
}

static bool is_out(const struct agent *a, uint16_t generation)
{
	return a->processes && a->processes->search && a->processes->search->generation == generation;
}

void processes_answer(struct engine *e, struct agent *a, unsigned part, uint16_t generation, const struct response *r, int64_t now)
{
	if (part)
		tops_answer(e, a, part, generation, r, now);
	else if (is_out(a, generation))
		search_answer(e, a, r, now);
}

void processes_failed(struct engine *e, struct agent *a, unsigned part, uint16_t generation, int64_t now)
{
	if (part)
		tops_failed(e, a, part, generation, now);
	else if (is_out(a, generation))
		search_failed(e, a, now);
}

/* --- reading by index ---------------------------------------------------------------------------------------- */

bool processes_wish(const struct agent *a, unsigned i, struct query_want *want)
{
	const struct processes *p = a->processes;
	unsigned at = 0;

	for (; p && at < p->count; at++)
		if (!p->list[at].gone && i < READ_COLUMNS)
			break;
		else if (!p->list[at].gone)
			i -= READ_COLUMNS;
	if (!p || at == p->count)
		return false;
	*want = (struct query_want){
	    .object = (uint16_t)(OBJECT_PROCESS + read_columns[i]), .instance = p->list[at].id, .oid_length = PROCESS_OID_LENGTH};
	process_oid(read_columns[i], p->list[at].index, want->oid);
	return true;
}

static struct process *process_at(struct processes *p, uint16_t id)
{
	for (unsigned i = 0; p && i < p->count; i++)
		if (p->list[i].id == id)
			return &p->list[i];
	return NULL;
}

static void is_gone(struct agent *a, struct process *one, int64_t now)
{
	if (one->gone)
		return;
	one->gone = true;
	a->processes->due = now;
	a->stale = true;
}

void processes_missing(struct engine *e, struct agent *a, uint16_t id, int64_t now)
{
	struct process *one = process_at(a->processes, id);

	(void)e;
	if (one)
		is_gone(a, one, now);
}

/* Processor time that falls under the same index and name: the number was used again by another of its kind. */
static void take_cpu(struct processes *p, struct process *one, int64_t cpu_cs)
{
	for (unsigned i = 0; one->heard && i < p->tally_count; i++) {
		struct tally *t = &p->tallies[i];
		if (!(one->watches >> t->watch & 1))
			continue;
		if (cpu_cs < one->cpu_cs)
			t->restarts++;
		else
			t->cpu_cs += (uint64_t)(cpu_cs - one->cpu_cs);
	}
	one->cpu_cs = cpu_cs;
}

static void take_value(struct agent *a, struct process *one, enum process_column column, const struct query_value *v, int64_t now)
{
	struct processes *p = a->processes;
	char name[ENGINE_ROW_NAME];

	if (v->exception) {
		is_gone(a, one, now);
	} else if (column == PROCESS_NAME && v->type == VALUE_TEXT) {
		process_text(v, name, sizeof name);
		if (strcmp(name, one->name) != 0)
			is_gone(a, one, now);
	} else if (column == PROCESS_STATUS && v->type == VALUE_INTEGER) {
		if (one->invalid != (v->value == PROCESS_INVALID))
			p->due = now; /* a zombie: its successor may be there already */
		one->invalid = v->value == PROCESS_INVALID;
	} else if (column == PROCESS_CPU && v->type == VALUE_INTEGER && v->value >= 0) {
		take_cpu(p, one, v->value);
	} else if (column == PROCESS_MEM && v->type == VALUE_INTEGER && v->value >= 0) {
		one->mem_kib = v->value;
		one->heard = true; /* the last of its columns */
	}
}

void processes_values(struct engine *e, struct agent *a, const struct query *q, const struct query_value *v, int64_t now)
{
	(void)e;
	for (size_t i = 1; a->processes && i < q->count; i++) {
		if (q->items[i].object < OBJECT_PROCESS || !v[i].type)
			continue;
		struct process *one = process_at(a->processes, q->items[i].instance);
		if (!one || one->gone)
			continue;
		take_value(a, one, (enum process_column)(q->items[i].object - OBJECT_PROCESS), &v[i], now);
		a->processes->heard = now;
		a->processes->fresh = true;
	}
}

void processes_look(struct engine *e, struct agent *a, int64_t now)
{
	struct processes *p = a->processes;

	if (!p)
		return;
	if (p->search && now - p->search->sent > SILENT_MS)
		search_failed(e, a, now);
	if (!p->search && now >= p->due)
		search_begin(e, a, now);
	/* a count with a gap in it is told when the search that follows has ended */
	if (p->fresh && p->searched && p->found == PROCESSES_COUNTED && (!any_gone(p) || p->failures))
		tell(e, a, now);
}
