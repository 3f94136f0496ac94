/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Event logs of BMCs into the store; see records.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/records.h"
#include "engine/traps.h"

#define BATCH_MAX 64 /* entries of one message that are taken */
#define KEY_SIZE 48
#define HEX_SIZE (2 * SEL_RAW + 1)

/* A batch between its arrival and its commit. */
struct keeping {
	struct engine *e;
	struct msg_sel_known known;
	uint64_t first, last;
	store_done *done; /* of records_emptied() */
	void *arg;
};

static void entry_key(char *key, uint32_t slot, uint64_t number)
{
	text_format(key, KEY_SIZE, "/sel/%05u/%016" PRIu64, slot, number);
}

static void state_key(char *key, uint32_t slot)
{
	text_format(key, KEY_SIZE, "/selstate/%05u", slot);
}

struct node_records *records_of(struct engine *e, uint32_t slot)
{
	struct node_state *s = e->nodes[slot];

	if (!s->records)
		s->records = mem_zalloc(sizeof *s->records);
	return s->records;
}

static void to_hex(const uint8_t *raw, char out[HEX_SIZE])
{
	for (int i = 0; i < SEL_RAW; i++)
		text_format(out + 2 * i, 3, "%02x", raw[i]);
}

static bool from_hex(const char *text, uint8_t *out)
{
	if (strlen(text) != 2 * SEL_RAW || strspn(text, "0123456789abcdef") != 2 * SEL_RAW)
		return false;
	for (int i = 0; i < SEL_RAW; i++) {
		char pair[3] = {text[2 * i], text[2 * i + 1], 0};
		out[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return true;
}

/* --- as JSON ------------------------------------------------------------------------------------------- */
static char *entry_json(const struct msg_sel_entry *m, uint64_t number, const char *seen)
{
	char raw[HEX_SIZE], at[32];
	bool told = m->time_s != UINT32_MAX, dated = told && m->time_s >= SEL_SINCE_START;
	json_t *o = json_pack("{s:i,s:I,s:i,s:s?,s:s,s:s,s:s,s:s,s:s,s:s}", "v", 1, "number", (json_int_t)number, "record", m->record_id, "time",
			      dated ? clock_text((int64_t)m->time_s * 1000, at, sizeof at) : NULL, "seen", seen, "sensor", m->sensor, "type",
			      m->type, "event", m->event, "level", level_name(m->level), "direction",
			      m->record_type != 2 ? "" : m->deasserted ? "deasserted" : "asserted");
	char *text = NULL;

	to_hex(m->raw, raw);
	if (o && told && !dated)
		json_object_set_new(o, "since_start_s", json_integer(m->time_s));
	if (o && json_object_set_new(o, "raw", json_string(raw)) == 0)
		text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return text;
}

static char *state_json(const struct keeping *k)
{
	char raw[HEX_SIZE];

	to_hex(k->known.last, raw);
	json_t *o = json_pack("{s:i,s:I,s:I,s:I,s:I,s:I,s:i,s:s}", "v", 1, "generation", (json_int_t)k->known.generation, "first",
			      (json_int_t)k->first, "last", (json_int_t)k->last, "added", (json_int_t)k->known.added, "erased",
			      (json_int_t)k->known.erased, "id", k->known.last_id, "raw", raw);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	json_decref(o);
	return text;
}

/* Entries first to last of a slot that has, or had, them. */
static void delete_entries(struct engine *e, uint32_t slot, uint64_t first, uint64_t last)
{
	struct store_op *ops = mem_array(RECORDS_MAX + 1, sizeof *ops);
	char (*keys)[KEY_SIZE] = mem_array(RECORDS_MAX + 1, sizeof *keys);
	size_t n = 0;

	state_key(keys[n], slot);
	ops[n] = (struct store_op){keys[n], NULL, STORE_ANY};
	for (n = 1; first && first <= last && n <= RECORDS_MAX; first++, n++) {
		entry_key(keys[n], slot, first);
		ops[n] = (struct store_op){keys[n], NULL, STORE_ANY};
	}
	store_transact(e->store, ops, n, NULL, NULL);
	free(ops);
	free(keys);
}

void records_restore(struct engine *e, const char *key, const char *json)
{
	json_t *o = json_loads(json, 0, NULL);
	json_int_t generation, first, last, added, erased;
	struct msg_sel_known k = {0};
	const char *raw;
	int64_t slot;
	int id;

	if (o && text_integer(key + strlen("/selstate/"), 0, NODE_MAX - 1, &slot) &&
	    !json_unpack(o, "{s:I,s:I,s:I,s:I,s:I,s:i,s:s}", "generation", &generation, "first", &first, "last", &last, "added", &added, "erased",
			 &erased, "id", &id, "raw", &raw) &&
	    from_hex(raw, k.last)) {
		k.slot = (uint32_t)slot;
		k.generation = (uint32_t)generation;
		k.added = (uint32_t)added;
		k.erased = (uint32_t)erased;
		k.last_id = (uint16_t)id;
		if (!engine_node(e, k.slot, k.generation)) {
			delete_entries(e, k.slot, (uint64_t)first, (uint64_t)last);
		} else {
			struct node_records *r = records_of(e, k.slot);
			r->known = k;
			r->first = (uint64_t)first;
			r->last = (uint64_t)last;
		}
	} else {
		log_error("store: %s is not readable: that event log is read again", key);
	}
	json_decref(o);
}

/* --- keeping ------------------------------------------------------------------------------------------- */
static void tell(struct engine *e, uint32_t slot)
{
	struct msg_sel_known m = records_of(e, slot)->known;

	m.slot = slot;
	m.generation = e->model.nodes[slot].generation;
	engine_send(e, ROLE_BMC, MSG_SEL_KNOWN, &m, sizeof m);
}

void records_told(struct engine *e, uint32_t slot)
{
	struct node_records *r = records_of(e, slot);

	r->wanted = 0; /* a new BMC role knows of no question */
	if (!r->busy)  /* else the commit tells it */
		tell(e, slot);
}

/* The batch that came meanwhile, without what was kept just now: a BMC role that waited too long for a slow store sends it again. */
static void take_held(struct engine *e, struct node_records *r)
{
	struct msg_sel_entry *m = r->held;
	size_t count = m ? r->held_count : 0, kept = count;

	r->held = NULL;
	while (kept > 0 && memcmp(m[kept - 1].raw, r->known.last, SEL_RAW) != 0)
		kept--;
	if (kept < count)
		records_sel(e, m + kept, count - kept);
	free(m);
}

static void on_kept(void *arg, const struct store_reply *reply)
{
	struct keeping *k = arg;
	struct engine *e = k->e;

	if (engine_node(e, k->known.slot, k->known.generation)) {
		struct node_records *r = records_of(e, k->known.slot);
		r->busy = false;
		if (reply->status == STORE_OK) {
			r->known = k->known;
			r->first = k->first;
			r->last = k->last;
			tell(e, k->known.slot);
		} /* else the BMC role sends it again; the store's own alarm says why */
		take_held(e, r);
	}
	if (k->done)
		k->done(k->arg, reply);
	free(k);
}

static struct keeping *keeping_new(struct engine *e, uint32_t slot)
{
	const struct node_records *r = records_of(e, slot);
	struct keeping *k = mem_zalloc(sizeof *k);

	*k = (struct keeping){.e = e, .known = r->known, .first = r->first, .last = r->last};
	k->known.slot = slot;
	k->known.generation = e->model.nodes[slot].generation;
	return k;
}

/* Writes entries and state in one transaction; what is more than RECORDS_MAX goes. */
static void keep(struct keeping *k, const struct msg_sel_entry *entries, size_t count)
{
	struct store_op ops[2 * BATCH_MAX + 1];
	char keys[2 * BATCH_MAX + 1][KEY_SIZE], *values[BATCH_MAX + 1], seen[32];
	uint32_t slot = k->known.slot;
	size_t n = 0, made = 0;

	clock_text(clock_wall_ms(), seen, sizeof seen);
	for (size_t i = 0; i < count; i++) {
		values[made] = entry_json(&entries[i], ++k->last, seen);
		entry_key(keys[n], slot, k->last);
		ops[n] = (struct store_op){keys[n], values[made++], STORE_ANY};
		n++;
	}
	if (!k->first && k->last)
		k->first = 1;
	for (; k->last - k->first >= RECORDS_MAX && n < 2 * BATCH_MAX; k->first++, n++) {
		entry_key(keys[n], slot, k->first);
		ops[n] = (struct store_op){keys[n], NULL, STORE_ANY};
	}
	values[made] = state_json(k);
	state_key(keys[n], slot);
	ops[n] = (struct store_op){keys[n], values[made++], STORE_ANY};
	n++;
	records_of(k->e, slot)->busy = true;
	store_transact(k->e->store, ops, n, on_kept, k);
	while (made > 0)
		free(values[--made]);
}

static bool sound(const struct msg_sel_entry *m)
{
	return text_terminated(m->sensor, sizeof m->sensor) && text_terminated(m->type, sizeof m->type) &&
	       text_terminated(m->event, sizeof m->event) && m->level < LEVEL_COUNT;
}

static void remember_newest(struct node_records *r, const struct msg_sel_entry *m)
{
	if (m->level < LEVEL_WARNING || m->deasserted)
		return;
	r->newest = *m;
	r->newest_ms = clock_mono_ms();
}

void records_sel(struct engine *e, const struct msg_sel_entry *m, size_t count)
{
	if (count == 0 || count > BATCH_MAX || !engine_node(e, m->slot, m->generation))
		return;
	struct node_records *r = records_of(e, m->slot);
	for (size_t i = 0; i < count; i++)
		if (m[i].slot != m->slot || m[i].generation != m->generation || !sound(&m[i]))
			return;
	if (r->busy) { /* something else of this log is being written: the BMC role sends one batch and waits for it */
		free(r->held);
		r->held = mem_array(count, sizeof *m);
		memcpy(r->held, m, count * sizeof *m);
		r->held_count = count;
		return;
	}
	for (size_t i = 0; i < count; i++)
		remember_newest(r, &m[i]);
	struct keeping *k = keeping_new(e, m->slot);
	k->known.last_id = m[count - 1].record_id;
	memcpy(k->known.last, m[count - 1].raw, SEL_RAW);
	keep(k, m, count);
}

void records_emptied(struct engine *e, uint32_t slot, uint32_t added, uint32_t erased, store_done *done, void *arg)
{
	struct keeping *k = keeping_new(e, slot);

	k->known.added = added;
	k->known.erased = erased;
	k->known.last_id = 0;
	memset(k->known.last, 0, SEL_RAW);
	k->done = done;
	k->arg = arg;
	keep(k, NULL, 0);
}

/* --- what the log says of itself ------------------------------------------------------------------------ */
void records_sel_state(struct engine *e, const struct msg_sel_state *m)
{
	if (!engine_node(e, m->slot, m->generation) || m->error != BMC_OK)
		return;
	struct node_records *r = records_of(e, m->slot);
	const char *name = e->model.nodes[m->slot].config.head.name;
	bool emptied = m->entries == 0 && r->known.last_id;

	alarms_level(e, m->slot, "bmc-finding", "event-log", m->notices & (SEL_FULL | SEL_OVERFLOW) ? LEVEL_WARNING : LEVEL_NORMAL,
		     m->notices & SEL_OVERFLOW ? "event log is full, events are lost: gloryctl sel clear"
					       : "event log is full: gloryctl sel clear");
	if (m->notices & SEL_CLEARED_BY_OTHERS)
		log_info("node %s: its BMC's event log was cleared by somebody else", name);
	if (m->notices & SEL_OVERWRITTEN)
		log_warning("node %s: its BMC's event log was overwritten before it was read: entries are missing", name);
	if (r->busy || (!emptied && r->known.added == m->added && r->known.erased == m->erased))
		return;
	if (emptied) {
		records_emptied(e, m->slot, m->added, m->erased, NULL, NULL);
		return;
	}
	struct keeping *k = keeping_new(e, m->slot);
	k->known.added = m->added;
	k->known.erased = m->erased;
	keep(k, NULL, 0);
}

void records_pet(struct engine *e, const struct msg_sel_entry *m)
{
	char words[TRAP_EVENT_TEXT];

	if (!engine_node(e, m->slot, m->generation) || !sound(m))
		return;
	text_format(words, sizeof words, "%s%s%s: %s%s", m->type, m->sensor[0] ? " " : "", m->sensor, m->event, m->deasserted ? " (ended)" : "");
	traps_words(e, m->slot, m->generation, words);
}

void records_removed(struct engine *e, uint32_t slot)
{
	struct node_records *r = e->nodes[slot]->records;

	if (r && (r->last || r->known.erased))
		delete_entries(e, slot, r->first, r->last + BATCH_MAX); /* a batch may be under way */
	inventory_removed(e, slot);
	if (r)
		free(r->held);
	free(r);
	e->nodes[slot]->records = NULL;
}

const struct msg_sel_entry *records_newest(struct engine *e, uint32_t slot, int64_t since_ms)
{
	const struct node_state *s = engine_state(e, slot);

	return s && s->records && s->records->newest_ms > since_ms ? &s->records->newest : NULL;
}
