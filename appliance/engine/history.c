/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hours and days in the file of summaries; see history.h. */
#include "engine/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

#define TRIES 4 /* a full disk gives up a day of hours each time */

struct history_entry *history_add(struct history_batch *b, const char *name, const char *group)
{
	if (b->count == b->room) {
		b->room = b->room ? b->room * 2 : 64;
		b->entries = mem_grow(b->entries, b->room, sizeof b->entries[0]);
	}
	struct history_entry *e = &b->entries[b->count++];
	memset(e, 0, sizeof *e);
	text_copy(e->name, sizeof e->name, name);
	text_copy(e->group, sizeof e->group, group);
	return e;
}

void history_free(struct history_batch *b)
{
	for (size_t i = 0; i < b->count; i++)
		summary_free(&b->entries[i].summary);
	free(b->entries);
	*b = (struct history_batch){.status = b->status};
}

/* --- one row ------------------------------------------------------------------------------------------- */
static void put(struct summaries_db *db, const struct summaries_key *key, const struct summary *s)
{
	static _Thread_local uint8_t bytes[SUMMARY_PACKED_MAX];

	summaries_put(db, key, bytes, summary_pack(s, bytes));
}

/* To what stands under the key already: an hour may be written in two parts, before and after a restart. */
static void put_more(struct summaries_db *db, const struct summaries_key *key, const struct summary *s)
{
	static _Thread_local uint8_t bytes[SUMMARY_PACKED_MAX];
	size_t size = summaries_get(db, key, bytes, sizeof bytes);
	struct summary sum = {.energy_wh = 0};

	if (size && !summary_unpack(&sum, bytes, size))
		log_warning("statistics of %s: a row cannot be read: it is written anew", key->name);
	summary_merge(&sum, s);
	put(db, key, &sum);
	summary_free(&sum);
}

static struct summaries_key key_of(uint32_t period_s, enum summaries_kind kind, int64_t start_s, const char *name)
{
	struct summaries_key key = {.period_s = period_s, .kind = kind, .start_s = start_s};

	text_copy(key.name, sizeof key.name, name);
	return key;
}

/* --- an hour ------------------------------------------------------------------------------------------- */
static int by_group(const void *a, const void *b)
{
	return strcmp(((const struct history_entry *)a)->group, ((const struct history_entry *)b)->group);
}

static void put_hour(struct summaries_db *db, const struct history_batch *b)
{
	struct summary group = {.energy_wh = 0}, site = {.energy_wh = 0};

	for (size_t i = 0; i < b->count; i++) {
		const struct history_entry *e = &b->entries[i];
		struct summaries_key node = key_of(HISTORY_HOUR_S, SUMMARIES_NODE, b->hour_s, e->name);
		put_more(db, &node, &e->summary);
		summary_merge(&group, &e->summary);
		if (i + 1 == b->count || strcmp(e->group, e[1].group) != 0) {
			struct summaries_key key = key_of(HISTORY_HOUR_S, SUMMARIES_GROUP, b->hour_s, e->group);
			put_more(db, &key, &group);
			summary_merge(&site, &group);
			summary_free(&group);
		}
	}
	struct summaries_key key = key_of(HISTORY_HOUR_S, SUMMARIES_SITE, b->hour_s, HISTORY_SITE);
	put_more(db, &key, &site);
	summary_free(&site);
	summaries_drop(db, 0, b->hour_s + HISTORY_HOUR_S);
}

static void put_running(struct summaries_db *db, const struct history_batch *b)
{
	for (size_t i = 0; i < b->count; i++) {
		struct summaries_key key = key_of(0, SUMMARIES_NODE, b->hour_s, b->entries[i].name);
		put(db, &key, &b->entries[i].summary);
	}
}

static int write_with(struct summaries_db *db, void (*fill)(struct summaries_db *db, const struct history_batch *b), const struct history_batch *b)
{
	int rc = ERR_NO_RESOURCE;
	bool again = true;

	for (int i = 0; db && rc && again && i < TRIES; i++) {
		again = summaries_begin(db);
		if (!again)
			break;
		fill(db, b);
		rc = summaries_commit(db, &again);
	}
	return rc;
}

void history_write_hour(struct summaries_db *db, struct history_batch *b)
{
	if (b->count)
		qsort(b->entries, b->count, sizeof b->entries[0], by_group);
	b->status = write_with(db, put_hour, b);
}

void history_write_running(struct summaries_db *db, struct history_batch *b)
{
	b->status = write_with(db, put_running, b);
}

/* --- days ---------------------------------------------------------------------------------------------- */
struct day {
	struct summaries_db *db;
	struct summaries_key key; /* of the row in the making; name "": none yet */
	struct summary sum;
};

static void end_name(struct day *d)
{
	if (d->key.name[0])
		put(d->db, &d->key, &d->sum);
	summary_free(&d->sum);
}

static bool add_hour(void *arg, const struct summaries_key *key, const uint8_t *bytes, size_t size)
{
	struct day *d = arg;
	struct summary hour = {.energy_wh = 0};

	if (strcmp(key->name, d->key.name) != 0) {
		end_name(d);
		text_copy(d->key.name, sizeof d->key.name, key->name);
		d->key.kind = key->kind;
	}
	if (summary_unpack(&hour, bytes, size))
		summary_merge(&d->sum, &hour);
	summary_free(&hour);
	return true;
}

static int make_day(struct summaries_db *db, int64_t day_s)
{
	int rc = 0;
	bool again;

	if (!summaries_begin(db))
		return ERR_NO_RESOURCE;
	for (uint32_t kind = SUMMARIES_SITE; kind <= SUMMARIES_NODE && !rc; kind++) {
		struct day d = {.db = db, .key = {.period_s = HISTORY_DAY_S, .start_s = day_s}};
		const struct summaries_range hours = {HISTORY_HOUR_S, kind, NULL, day_s, day_s + HISTORY_DAY_S};
		rc = summaries_each(db, &hours, add_hour, &d);
		end_name(&d);
	}
	int committed = summaries_commit(db, &again);
	return rc ? rc : committed;
}

static bool note_start(void *arg, const struct summaries_key *key, const uint8_t *bytes, size_t size)
{
	int64_t *newest = arg;

	(void)bytes;
	(void)size;
	if (key->start_s > *newest)
		*newest = key->start_s;
	return true;
}

static bool note_first(void *arg, const struct summaries_key *key, const uint8_t *bytes, size_t size)
{
	(void)bytes;
	(void)size;
	*(int64_t *)arg = key->start_s;
	return false;
}

int history_make_days(struct summaries_db *db, int64_t now_s)
{
	int64_t today = now_s / HISTORY_DAY_S * HISTORY_DAY_S, made = INT64_MIN, first = INT64_MAX;
	const struct summaries_range days = {HISTORY_DAY_S, SUMMARIES_SITE, HISTORY_SITE, today - HISTORY_HOURS_KEPT_S, today};
	const struct summaries_range hours = {HISTORY_HOUR_S, SUMMARIES_SITE, HISTORY_SITE, today - HISTORY_HOURS_KEPT_S, today};
	int rc = summaries_each(db, &days, note_start, &made);
	bool again, any = false;

	if (!rc)
		rc = summaries_each(db, &hours, note_first, &first);
	if (rc || first == INT64_MAX)
		return rc;
	for (int64_t day = first / HISTORY_DAY_S * HISTORY_DAY_S; day < today && !rc; day += HISTORY_DAY_S)
		if (day > made) {
			rc = make_day(db, day);
			any = true;
		}
	if (rc || !any || !summaries_begin(db))
		return rc;
	summaries_drop(db, HISTORY_HOUR_S, now_s - HISTORY_HOURS_KEPT_S);
	summaries_drop(db, HISTORY_DAY_S, now_s - HISTORY_DAYS_KEPT_S);
	return summaries_commit(db, &again);
}

/* --- what a life before left --------------------------------------------------------------------------- */
struct running {
	history_visit *visit;
	void *arg;
};

static bool running_row(void *arg, const struct summaries_key *key, const uint8_t *bytes, size_t size)
{
	const struct running *r = arg;
	struct summary s = {.energy_wh = 0};
	bool on = !summary_unpack(&s, bytes, size) || r->visit(r->arg, key->name, key->start_s, &s);

	summary_free(&s);
	return on;
}

int history_read_running(struct summaries_db *db, history_visit *visit, void *arg)
{
	struct running r = {visit, arg};
	const struct summaries_range all = {0, SUMMARIES_NODE, NULL, INT64_MIN, INT64_MAX};

	return summaries_each(db, &all, running_row, &r);
}
