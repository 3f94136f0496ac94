/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The running hour of every node, fed by samples, verdicts and sensors, and handed to the file's thread; see stats.h. */
#include "engine/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/values.h"

#define TICK_MS 1000
#define SLICE_MS 20
#define SLICE 200 /* nodes: about half a millisecond */
#define KEEP_MS 60000
#define KEEP_LARGE_MS 300000
#define KEEP_AILING_MS 10000
#define LARGE 2000
#define CAUSE_PREFIX "statistics: "

static void on_tick(void *arg);

/* --- a node's hour -------------------------------------------------------------------------------------- */
static unsigned state_of(const struct engine *e, uint32_t slot)
{
	const struct node_state *s = e->nodes[slot];
	const struct config_node *c = &e->model.nodes[slot].config;
	enum power wanted = s->wanted_power != POWER_UNKNOWN ? s->wanted_power : (enum power)c->wanted_power;

	return summary_state_of(s->judged ? s->verdict.verdict : VERDICT_UNKNOWN, s->judged && s->verdict.held, e->suspended != 0, c->maintenance,
				wanted == POWER_OFF);
}

static void take_in(struct node_stats *n)
{
	for (unsigned item = 0; item < STATS_SAMPLED; item++)
		for (unsigned i = 0; i < n->waiting_count; i++)
			sketch_add(&n->hour.items[item], (double)n->waiting[i][item]);
	n->waiting_count = 0;
}

void stats_state(struct engine *e, uint32_t slot)
{
	struct node_state *s = e->nodes[slot];

	if (!e->statistics)
		return;
	if (!s->stats) {
		s->stats = mem_zalloc(sizeof *s->stats);
		s->stats->hour_s = e->statistics->hour_s;
	}
	take_in(s->stats);
	summary_account(&s->stats->hour, &s->stats->clock, state_of(e, slot), clock_mono_ms());
}

void stats_states(struct engine *e)
{
	for (uint32_t slot = 0; slot < e->model.node_top; slot++)
		if (e->nodes[slot])
			stats_state(e, slot);
}

/* What is shorter than a call is no incident, unless the node was started anew meanwhile. */
static void on_incident(void *arg, const struct incident *is)
{
	struct engine *e = arg;
	struct node_stats *n = e->nodes[is->slot]->stats;
	unsigned label = is->how == RETURN_PATH ? SUMMARY_PATH : is->how == RETURN_AGENT_RESTARTED ? VERDICT_AGENT_DEAD : is->verdict;

	if (!n || (!is->verdict && is->how != RETURN_REBOOTED) || n->clock.state == SUMMARY_MAINTENANCE)
		return;
	stats_state(e, is->slot);
	summary_incident(&n->hour, is->verdict, label ? label : VERDICT_BOOTING, is->ended_wall_ms - is->began_wall_ms);
}

void stats_expect(const struct node_state *s)
{
	if (s->stats)
		mem_expect(s->stats->waiting, sizeof s->stats->waiting + 1);
}

void stats_sample(struct engine *e, uint32_t slot, bool scalars, unsigned tables)
{
	const struct node_state *s = e->nodes[slot];
	double fill = NAN, in = NAN, out = NAN;

	if (!s->stats)
		return;
	if (!scalars && !(tables & (1u << TABLE_DISK | 1u << TABLE_IF)))
		return;
	for (uint32_t i = 0; i < s->row_count && tables; i++) {
		const struct table_row *r = &s->rows[i];
		if (r->table == TABLE_DISK && !(r->values[0] <= fill))
			fill = isnan(r->values[0]) ? fill : r->values[0];
		if (r->table == TABLE_IF && !isnan(r->values[0]))
			in = (isnan(in) ? 0 : in) + r->values[0];
		if (r->table == TABLE_IF && !isnan(r->values[1]))
			out = (isnan(out) ? 0 : out) + r->values[1];
	}
	const double values[STATS_SAMPLED] = {
		[SUMMARY_CPU] = scalars ? s->values[ITEM_CPU] : (double)NAN, [SUMMARY_MEM] = scalars ? s->values[ITEM_MEM] : (double)NAN,
		[SUMMARY_LOAD1] = scalars ? s->values[ITEM_LOAD1] : (double)NAN, [SUMMARY_DISK_FILL] = tables & 1u << TABLE_DISK ? fill : (double)NAN,
		[SUMMARY_IF_IN] = tables & 1u << TABLE_IF ? in : (double)NAN, [SUMMARY_IF_OUT] = tables & 1u << TABLE_IF ? out : (double)NAN};
	float *waiting = s->stats->waiting[s->stats->waiting_count++];
	for (unsigned i = 0; i < STATS_SAMPLED; i++)
		waiting[i] = (float)values[i];
	if (s->stats->waiting_count == STATS_WAITING)
		take_in(s->stats);
}

/* What the whole machine draws: the BMC's own figure for it (DCMI), else a sensor that says so, else its power supplies together. */
static double watts_of(struct engine *e, uint32_t slot)
{
	const struct node_state *s = e->nodes[slot];
	double watts = values_read(e, slot, "power_draw", "");
	uint8_t best = 0;

	if (!isnan(watts))
		return watts;
	for (uint32_t i = 0; i < s->sensor_count; i++) {
		const struct node_sensor *n = &s->sensors[i];
		if (!n->power_rank || n->power_rank < best || isnan(n->reading))
			continue;
		watts = n->power_rank > best || n->power_rank == POWER_RANK_WHOLE ? n->reading : watts + n->reading;
		best = n->power_rank;
	}
	return watts;
}

void stats_power(struct engine *e, uint32_t slot)
{
	struct node_stats *n = e->nodes[slot]->stats;

	if (!n)
		return;
	double watts = watts_of(e, slot);
	summary_energy(&n->hour, &n->meter, watts, clock_mono_ms());
	sketch_add(&n->hour.items[SUMMARY_POWER_DRAW], watts);
}

static bool is_empty(const struct summary *s)
{
	bool empty = summary_watched_ms(s) == 0 && s->energy_ms == 0;

	for (unsigned i = 0; i < SUMMARY_ITEMS; i++)
		empty = empty && s->items[i].count == 0;
	return empty;
}

static struct history_entry *add_entry(struct engine *e, uint32_t slot, struct history_batch *b)
{
	const struct config_node *c = &e->model.nodes[slot].config;

	return history_add(b, c->head.name, c->group);
}

void stats_gone(struct engine *e, uint32_t slot)
{
	struct node_stats *n = e->nodes[slot]->stats;

	if (!n)
		return;
	summary_free(&n->hour); /* who takes a node out of the wanted state does not ask for its last minutes */
	free(n);
	e->nodes[slot]->stats = NULL;
}

size_t stats_pack_running(struct engine *e, uint32_t slot, uint8_t *out)
{
	if (!e->nodes[slot]->stats)
		return 0;
	stats_state(e, slot);
	return summary_pack(&e->nodes[slot]->stats->hour, out);
}

/* --- handing over ---------------------------------------------------------------------------------------- */
static void batch_end(struct history_batch *b)
{
	history_free(b);
	free(b);
}

struct hour_work { /* arg of the thread's work */
	struct engine *e;
	struct history_batch *batch;
	int64_t now_s;
};

static void tell_trouble(struct engine *e)
{
	const char *trouble = summaries_trouble(e->statistics->file), *self = e->settings.appliance;
	char cause[CAUSE_SIZE];

	if (trouble[0]) {
		text_copy(cause, sizeof cause, trouble);
		alarms_raise(e, self, "statistics", "", LEVEL_WARNING, cause, NO_SLOT, 0, 0);
	} else {
		alarms_clear(e, self, "statistics", "");
	}
}

static void write_hour(struct summaries_db *db, void *arg)
{
	struct hour_work *w = arg;

	history_write_hour(db, w->batch);
	if (w->batch->status)
		return;
	history_make_days(db, w->now_s); /* a day that cannot be made now is made after the next hour */
	history_free(w->batch);
}

/* The disk did not take it: the newest three hours wait, what is older is lost and said. */
static void keep_refused(struct engine *e, struct history_batch *b)
{
	struct stats *st = e->statistics;
	size_t last = COUNT_OF(st->refused) - 1;

	for (size_t i = 0; i <= last; i++)
		if (!st->refused[i]) {
			st->refused[i] = b;
			return;
		}
	log_error(CAUSE_PREFIX "an hour of %zu nodes is lost: the disk does not take it", st->refused[0]->count);
	batch_end(st->refused[0]);
	memmove(&st->refused[0], &st->refused[1], last * sizeof st->refused[0]);
	st->refused[last] = b;
}

static void hour_written(void *arg)
{
	struct hour_work *w = arg;

	tell_trouble(w->e);
	if (w->batch->status)
		keep_refused(w->e, w->batch);
	else
		batch_end(w->batch);
	free(w);
}

static void hand_over(struct engine *e, struct history_batch *b)
{
	struct hour_work *w = mem_zalloc(sizeof *w);

	*w = (struct hour_work){e, b, clock_wall_ms() / 1000};
	if (e->statistics->file && summaries_run(e->statistics->file, write_hour, hour_written, w))
		return;
	keep_refused(e, b);
	free(w);
}

static void try_refused(struct engine *e)
{
	for (size_t i = 0; i < COUNT_OF(e->statistics->refused); i++) {
		struct history_batch *b = e->statistics->refused[i];
		e->statistics->refused[i] = NULL;
		if (b)
			hand_over(e, b);
	}
}

static void write_running(struct summaries_db *db, void *arg)
{
	struct hour_work *w = arg;

	history_write_running(db, w->batch);
}

static void running_written(void *arg)
{
	struct hour_work *w = arg;

	tell_trouble(w->e);
	batch_end(w->batch);
	free(w);
}

static void hand_over_running(struct engine *e, struct history_batch *b)
{
	struct hour_work *w = mem_zalloc(sizeof *w);

	*w = (struct hour_work){e, b, 0};
	if (e->statistics->file && summaries_run(e->statistics->file, write_running, running_written, w))
		return;
	batch_end(b); /* kept a minute later */
	free(w);
}

/* --- the hour is over, or is kept: a slice of the nodes at a time ------------------------------------------ */
/* When on the monotonic clock the hour ended; a wall clock that leapt ends it now, or before what was counted last. */
static int64_t end_mono_ms(const struct stats *st)
{
	int64_t since = clock_wall_ms() - (st->closing->hour_s + HISTORY_HOUR_S) * 1000, now = clock_mono_ms();

	return since > 0 ? now - since : now;
}

static void close_node(struct engine *e, uint32_t slot)
{
	struct node_stats *n = e->nodes[slot]->stats;

	if (!n || n->hour_s == e->statistics->hour_s)
		return;
	take_in(n);
	summary_account(&n->hour, &n->clock, n->clock.state, end_mono_ms(e->statistics));
	n->hour_s = e->statistics->hour_s;
	if (is_empty(&n->hour)) {
		summary_free(&n->hour);
		return;
	}
	add_entry(e, slot, e->statistics->closing)->summary = n->hour; /* the sketches move with it */
	n->hour = (struct summary){.energy_wh = 0};
}

static void keep_node(struct engine *e, uint32_t slot)
{
	struct node_stats *n = e->nodes[slot]->stats;

	if (!n)
		return;
	stats_state(e, slot);
	if (!is_empty(&n->hour))
		summary_merge(&add_entry(e, slot, e->statistics->keeping)->summary, &n->hour);
}

/* True: all nodes have had their turn. */
static bool slice(struct engine *e, void (*visit)(struct engine *e, uint32_t slot))
{
	uint32_t end = e->statistics->cursor + SLICE;

	for (; e->statistics->cursor < e->model.node_top && e->statistics->cursor < end; e->statistics->cursor++)
		if (e->nodes[e->statistics->cursor])
			visit(e, e->statistics->cursor);
	return e->statistics->cursor >= e->model.node_top;
}

static void begin_hour(struct engine *e, int64_t hour_s)
{
	struct stats *st = e->statistics;

	if (st->keeping)
		batch_end(st->keeping); /* the hour itself is written now */
	st->keeping = NULL;
	st->closing = mem_zalloc(sizeof *st->closing);
	st->closing->hour_s = st->hour_s;
	st->hour_s = hour_s;
	st->cursor = 0;
}

static void begin_keeping(struct engine *e, int64_t now_ms)
{
	struct stats *st = e->statistics;

	bool ailing = st->file && summaries_trouble(st->file)[0]; /* tried sooner: the alarm is to go when the disk is well */

	st->next_keep_ms = now_ms + (ailing ? KEEP_AILING_MS : e->model.node_count > LARGE ? KEEP_LARGE_MS : KEEP_MS);
	st->keeping = mem_zalloc(sizeof *st->keeping);
	st->keeping->hour_s = st->hour_s;
	st->cursor = 0;
	try_refused(e);
}

static void on_tick(void *arg)
{
	struct engine *e = arg;
	struct stats *st = e->statistics;
	int64_t hour_s = clock_wall_ms() / 1000 / HISTORY_HOUR_S * HISTORY_HOUR_S, now = clock_mono_ms();

	if (!st->closing && hour_s != st->hour_s)
		begin_hour(e, hour_s);
	else if (!st->closing && !st->keeping && st->read && now >= st->next_keep_ms)
		begin_keeping(e, now);
	if (st->closing && slice(e, close_node)) {
		hand_over(e, st->closing);
		st->closing = NULL;
	} else if (!st->closing && st->keeping && slice(e, keep_node)) {
		hand_over_running(e, st->keeping);
		st->keeping = NULL;
	}
	loop_timer_set(st->timer, st->closing || st->keeping ? SLICE_MS : TICK_MS);
}

/* --- start and end --------------------------------------------------------------------------------------- */
struct left { /* by the life before, brought from the thread */
	struct engine *e;
	struct {
		struct history_batch batch;
	} hours[4];
	size_t count;
};

static bool found(void *arg, const char *name, int64_t hour_s, const struct summary *s)
{
	struct left *l = arg;
	size_t i = 0;

	while (i < l->count && l->hours[i].batch.hour_s != hour_s)
		i++;
	if (i == COUNT_OF(l->hours))
		return false;
	if (i == l->count)
		l->hours[l->count++].batch.hour_s = hour_s;
	summary_merge(&history_add(&l->hours[i].batch, name, "")->summary, s);
	return true;
}

static void read_left(struct summaries_db *db, void *arg)
{
	if (db)
		history_read_running(db, found, arg);
}

/* The running hour goes on where it was left; hours that ended while nobody lived are written. */
static void left_read(void *arg)
{
	struct left *l = arg;
	struct engine *e = l->e;

	for (size_t i = 0; i < l->count; i++) {
		struct history_batch *b = &l->hours[i].batch, *over = NULL;
		for (size_t k = 0; k < b->count; k++) {
			const struct model_node *n = model_node(&e->model, b->entries[k].name);
			if (!n || !e->nodes[n->slot] || !e->nodes[n->slot]->stats)
				continue;
			if (b->hour_s == e->statistics->hour_s) {
				summary_merge(&e->nodes[n->slot]->stats->hour, &b->entries[k].summary);
				continue;
			}
			if (!over)
				over = mem_zalloc(sizeof *over);
			summary_merge(&add_entry(e, n->slot, over)->summary, &b->entries[k].summary);
			over->hour_s = b->hour_s;
		}
		if (over)
			hand_over(e, over);
		history_free(b);
	}
	e->statistics->read = true;
	tell_trouble(e);
	free(l);
}

void stats_start(struct engine *e)
{
	char path[sizeof e->settings.data + 32];
	struct left *l = mem_zalloc(sizeof *l);

	e->statistics = mem_zalloc(sizeof *e->statistics);
	e->statistics->hour_s = clock_wall_ms() / 1000 / HISTORY_HOUR_S * HISTORY_HOUR_S;
	e->statistics->next_keep_ms = clock_mono_ms() + KEEP_MS;
	text_format(path, sizeof path, "%s/stats/stats.db", e->settings.data);
	e->statistics->file = summaries_open(e->loop, path);
	e->statistics->timer = loop_timer_new(e->loop, on_tick, e);
	loop_timer_set(e->statistics->timer, TICK_MS);
	stats_states(e);
	incidents_listen(e, on_incident, e);
	l->e = e;
	if (!e->statistics->file || !summaries_run(e->statistics->file, read_left, left_read, l))
		free(l);
}

void stats_stop(struct engine *e)
{
	struct stats *st = e->statistics;

	if (!st || !st->file)
		return;
	if (!st->closing && st->read) {
		begin_keeping(e, clock_mono_ms());
		while (!slice(e, keep_node))
			;
		hand_over_running(e, st->keeping);
		st->keeping = NULL;
	}
	summaries_close(st->file);
	st->file = NULL;
}
