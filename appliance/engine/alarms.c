/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Alarms into the store, onto the board, and out as notifications. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/engine.h"
#include "engine/checks.h"
#include "engine/https_alarms.h"
#include "engine/repair.h"
#include "engine/services.h"
#include "engine/watches.h"
#include "engine/withheld.h"

static void make_key(char *key, size_t size, uint64_t id)
{
	text_format(key, size, "/alarm/%016" PRIu64, id); /* zero-padded: the store lists in order of id */
}

static void save(struct engine *e, const struct alarm *a)
{
	char key[64];
	json_t *o = json_pack("{s:i,s:I,s:I,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:i,s:i,s:s,s:i,s:b,s:b}", "v", 1, "id", (json_int_t)a->id, "parent",
			      (json_int_t)a->parent, "object", a->object, "kind", a->kind, "part", a->part, "cause", a->cause, "by",
			      a->acknowledged_by, "first", (json_int_t)a->first_ms, "last", (json_int_t)a->last_ms, "acknowledged",
			      (json_int_t)a->acknowledged_ms, "cleared", (json_int_t)a->cleared_ms, "count", (int)a->count, "held",
			      (int)a->held, "severity", level_name((int)a->severity), "slot", (int)a->node_slot, "flapping", (int)a->flapping,
			      "told", (int)a->told);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	json_decref(o);
	make_key(key, sizeof key, a->id);
	if (text)
		store_put(e->store, key, text, NULL, NULL);
	free(text);
}

static struct alarm_now now(void)
{
	return (struct alarm_now){clock_wall_ms(), clock_mono_ms()};
}

/* A node is flapping while its verdict's alarm is; its level's events are not worth a word while any alarm of it is. */
static void flapping_seen(struct engine *e, struct alarm *a)
{
	struct node_state *s = engine_state(e, a->node_slot);

	if (a->flapping == a->seen_flapping || !s)
		return;
	a->seen_flapping = a->flapping;
	s->flapping_alarms += a->flapping ? 1 : -1;
	if (!strcmp(a->kind, "verdict"))
		s->flapping = a->flapping;
	s->changed = true;
	publish_node(e, a->node_slot);
}

void alarms_restore(struct engine *e, const char *key, const char *json)
{
	struct alarm a = {0};
	json_t *o = json_loads(json, 0, NULL);
	const char *object, *kind, *part, *cause, *by, *severity;
	json_int_t id, parent, first, last, acknowledged, cleared;
	int count, held, slot, flapping = 0, told = -1; /* the last two are younger than the rest */

	if (o && !json_unpack(o, "{s:I,s:I,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:i,s:i,s:s,s:i,s?b,s?b}", "id", &id, "parent", &parent, "object",
			      &object, "kind", &kind, "part", &part, "cause", &cause, "by", &by, "first", &first, "last", &last,
			      "acknowledged", &acknowledged, "cleared", &cleared, "count", &count, "held", &held, "severity", &severity, "slot",
			      &slot, "flapping", &flapping, "told", &told)) {
		a = (struct alarm){.id = (uint64_t)id, .parent = (uint64_t)parent, .first_ms = first, .last_ms = last,
				   .acknowledged_ms = acknowledged, .cleared_ms = cleared, .count = (uint32_t)count, .held = (uint32_t)held,
				   .severity = (uint32_t)words_value(WORDS_LEVEL, severity), .node_slot = (uint32_t)slot, .board_slot = NO_SLOT,
				   .flapping = flapping && !cleared, .told = told < 0 ? !cleared : told};
		text_copy(a.object, sizeof a.object, object);
		text_copy(a.kind, sizeof a.kind, kind);
		text_copy(a.part, sizeof a.part, part);
		text_copy(a.cause, sizeof a.cause, cause);
		text_copy(a.acknowledged_by, sizeof a.acknowledged_by, by);
		alarm_restore(e->alarms, &a, clock_mono_ms());
		struct alarm *there = alarm_by_id(e->alarms, a.id);
		if (there)
			flapping_seen(e, there);
		publish_alarm(e, there);
	} else {
		log_error("store: %s is not readable: it is left out", key);
	}
	json_decref(o);
}

static void notify(struct engine *e, const struct alarm *a, enum notify_kind kind)
{
	const struct node_state *s = engine_state(e, a->node_slot);
	struct event_facts facts = {.kind = kind, .object = a->object, .cause = a->cause, .slot = a->node_slot, .alarm = a->id,
				    .severity = (uint8_t)a->severity};

	if (s) {
		facts.verdict = (uint8_t)s->verdict.verdict;
		facts.certainty = (uint8_t)s->verdict.certainty;
		facts.level = (uint8_t)s->level;
	}
	outbox_event(e, &facts);
}

static void changed(void *arg, struct alarm *a, enum alarm_change what)
{
	struct engine *e = arg;
	char key[64];

	if (what == ALARM_FORGOTTEN) {
		make_key(key, sizeof key, a->id);
		store_delete(e->store, key, NULL, NULL);
		publish_alarm_gone(e, a);
		return;
	}
	if (what == ALARM_RAISED)
		a->board_slot = NO_SLOT;
	save(e, a);
	flapping_seen(e, a);
	publish_alarm(e, a);
	publish_cluster(e);
	if (what == ALARM_RAISED || what == ALARM_REOPENED)
		notify(e, a, NOTIFY_ALARM_RAISE);
	else if (what == ALARM_END)
		notify(e, a, NOTIFY_ALARM_CLEAR);
}

void alarms_start(struct engine *e)
{
	e->alarms = alarm_set_new(changed, e);
}

uint64_t alarms_raise(struct engine *e, const char *object, const char *kind, const char *part, enum level severity, const char *cause,
		      uint32_t slot, uint64_t parent, uint32_t held)
{
	char said[CAUSE_SIZE];
	struct alarm_raise what = {.object = object, .kind = kind, .part = part, .cause = said, .severity = severity, .node_slot = slot,
				   .parent = parent, .held = held};

	text_copy(said, sizeof said, cause);
	text_make_printable(said); /* a sensor's or a disk's own words may be in it */
	if (withheld_take(e, &what)) {
		alarm_withdraw(e->alarms, object, kind, part, now());
		return 0;
	}
	return alarm_raise(e->alarms, &what, now());
}

void alarms_clear(struct engine *e, const char *object, const char *kind, const char *part)
{
	withheld_drop(object, kind, part ? part : "");
	alarm_clear(e->alarms, object, kind, part, now());
}

void alarms_withdraw(struct engine *e, const char *object, const char *kind, const char *part)
{
	withheld_drop(object, kind, part ? part : "");
	alarm_withdraw(e->alarms, object, kind, part, now());
}

void alarms_gone(struct engine *e, const char *object)
{
	withheld_drop(object, NULL, NULL);
	alarm_clear_object(e->alarms, object, now());
}

void alarms_tick(struct engine *e)
{
	alarm_tick(e->alarms, now());
}

void alarms_settings(struct engine *e)
{
	struct damp_rule rule = damp_rule_usual(e->settings.time_scale);

	alarm_set_damping(e->alarms, &rule);
}

/* --- the store's own ------------------------------------------------------------------------------------ */
static void save_again(void *arg, struct alarm *a)
{
	save(arg, a);
}

void alarms_store(struct engine *e)
{
	const char *trouble = store_trouble(e->store), *what = strstr(trouble, ": "); /* "store PATH: what is wrong" */
	char cause[CAUSE_SIZE];

	if (!store_takes_commands(e->store) && store_pending(e->store) == 0)
		store_delete(e->store, "/probe", NULL, NULL); /* only a write finds out that there is room again */
	if (trouble[0]) {
		text_copy(cause, sizeof cause, what ? what + 2 : trouble);
		if (!e->store_ailing)
			alarms_raise(e, e->settings.appliance, "store", "", LEVEL_CRITICAL, cause, NO_SLOT, 0, 0);
	} else {
		if (e->store_ailing)
			alarm_each(e->alarms, save_again, e);
		alarms_clear(e, e->settings.appliance, "store", ""); /* also the one of a life before */
	}
	e->store_ailing = trouble[0] != '\0';
}

/* --- alarms nobody would clear any more ----------------------------------------------------------------- */
static bool part_is_there(struct engine *e, const struct alarm *a, uint32_t slot)
{
	const struct node_state *s = e->nodes[slot];

	if (!strncmp(a->kind, "item:", 5)) /* judged by what an agent says that answers */
		return !s->judged || s->verdict.verdict != VERDICT_UP || s->row_count == 0 || samples_has(e, slot, a->kind + 5, a->part);
	if (!strcmp(a->kind, "identity"))
		return s->identity.raised;
	if (!strcmp(a->kind, "repair"))
		return repair_is_listed(e, slot);
	if (!strcmp(a->kind, "check"))
		return checks_has(e, slot, a->part);
	if (!strcmp(a->kind, "watch"))
		return watches_has(e, slot, a->part);
	if (!strcmp(a->kind, "bmc") || !strcmp(a->kind, "bmc-finding"))
		return e->model.nodes[slot].config.bmc.family != 0;
	if (strcmp(a->kind, "sensor"))
		return true;
	for (uint32_t i = 0; i < s->sensor_count; i++)
		if (!strcmp(s->sensors[i].name, a->part))
			return true;
	return s->sensor_count == 0 && e->model.nodes[slot].config.bmc.family;
}

static bool is_there(struct engine *e, const struct alarm *a)
{
	const struct model_node *n = model_node(&e->model, a->object);

	if (!strcmp(a->kind, "service") || !strcmp(a->kind, "member") || !strcmp(a->kind, "balancer"))
		return services_alarm_is_there(e, a->object, a->kind, a->part);
	if (!strcmp(a->kind, "https"))
		return https_alarm_is_there(e, a->part);
	if (!strcmp(a->kind, "credential"))
		return cluster_find(&e->model.wanted, CONFIG_SNMP, a->part) != NULL;
	if (n && e->nodes[n->slot])
		return part_is_there(e, a, n->slot);
	if (model_group(&e->model, a->object) || !strcmp(a->object, e->settings.appliance))
		return true;
	for (uint32_t d = 0; d < e->model.domain_top; d++)
		if (e->model.domains[d].used && !strcmp(e->model.domains[d].name, a->object))
			return true;
	return false;
}

struct gone {
	struct engine *e;
	struct alarm *found;
};

static void find_gone(void *arg, struct alarm *a)
{
	struct gone *g = arg;

	if (!g->found && a->cleared_ms == 0 && !is_there(g->e, a))
		g->found = a;
}

void alarms_sweep(struct engine *e)
{
	struct gone g = {.e = e};

	do { /* one at a time: clearing changes the set */
		g.found = NULL;
		alarm_each(e->alarms, find_gone, &g);
		if (g.found) {
			const struct alarm a = *g.found;
			log_info("alarm %" PRIu64 ": %s %s %s is there no more: cleared", a.id, a.object, a.kind, a.part);
			alarms_withdraw(e, a.object, a.kind, a.part);
		}
	} while (g.found);
}

void alarms_level(struct engine *e, uint32_t slot, const char *kind, const char *part, enum level level, const char *cause)
{
	const char *name = e->model.nodes[slot].config.head.name;

	if (level >= LEVEL_WARNING && !e->model.nodes[slot].config.maintenance)
		alarms_raise(e, name, kind, part, level, cause, slot, 0, 0);
	else if (e->model.nodes[slot].config.maintenance)
		alarms_withdraw(e, name, kind, part); /* what is expected counts for nothing */
	else
		alarms_clear(e, name, kind, part);
}
