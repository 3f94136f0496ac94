/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The judge's hands and ears: what roles tell goes in, what it asks and decides goes out; levels of nodes from verdict, items, sensors. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/silences.h"
#include "engine/records.h"
#include "engine/values.h"
#include "engine/checks.h"
#include "engine/services.h"
#include "engine/watches.h"
#include "engine/withheld.h"

#define STORED_TICK_MS 20 /* inputs of one burst share a tick */
#define SETTLED_MAX 1024
#define BOOT_SEEN_MS 60000 /* up and answering so long after the order to start: it has started, or never stopped */
#define SEEN_MS 3000
#define SWEEP_MS 600000
#define HEARING_MS 15000 /* after a suspension: a BMC is asked at least once in 10 s */
#define COLLECTOR_QUIET_MS 2000 /* it tells its statistics every second, so it is stopped or gone */
#define SETTLED_MS 30000 /* after a start: what is wrong has been called again by then */

/* Nodes that came up while they were expected to boot: the judge is told after its own call has returned. */
static struct {
	uint32_t slots[SETTLED_MAX];
	size_t count;
} settled;

/* --- what the judge asks ------------------------------------------------------------------------------ */
static void ask_bmc(void *arg, uint32_t slot, enum bmc_question what)
{
	struct engine *e = arg;
	struct msg_bmc_read m = {.slot = slot, .generation = e->model.nodes[slot].generation, .urgent = 1,
				 .what = what == BMC_ASK_WHY ? BMC_READ_CAUSE : BMC_READ_POWER};

	engine_send(e, ROLE_BMC, MSG_BMC_READ, &m, sizeof m);
}

static void ask_port(void *arg, uint32_t slot)
{
	struct engine *e = arg;
	struct msg_slot m = {slot, e->model.nodes[slot].generation};

	engine_send(e, ROLE_COLLECTOR, MSG_PORT_ASK, &m, sizeof m);
}

static void send_domain(struct engine *e, uint16_t type, uint32_t domain)
{
	struct msg_domain m = {.domain = domain};

	engine_send(e, ROLE_COLLECTOR, type, &m, sizeof m);
}

static void ask_reference(void *arg, uint32_t domain)
{
	send_domain(arg, MSG_REFERENCE_ASK, domain);
}

static void hold(void *arg, uint32_t domain)
{
	send_domain(arg, MSG_HOLD, domain);
}

static void release(void *arg, uint32_t domain)
{
	send_domain(arg, MSG_RELEASE, domain);
}

static void probe(void *arg, uint32_t slot)
{
	struct engine *e = arg;
	struct msg_slot m = {slot, e->model.nodes[slot].generation};

	engine_send(e, ROLE_COLLECTOR, MSG_PROBE, &m, sizeof m);
}

/* --- what the judge decides --------------------------------------------------------------------------- */
static bool worth_an_event(const struct judge_verdict *before, bool judged, const struct judge_verdict *v)
{
	if (v->held || (judged && before->held))
		return false; /* the domain's root alarm speaks for it */
	if (!judged || before->verdict == VERDICT_UNKNOWN)
		return v->verdict != VERDICT_UP && v->verdict != VERDICT_UNKNOWN;
	return before->verdict != v->verdict || (before->certainty != v->certainty && v->certainty > CERTAINTY_CALLED);
}

static void verdict_event(struct engine *e, uint32_t slot, const struct judge_verdict *v)
{
	struct event_facts facts = {.kind = NOTIFY_VERDICT, .object = e->model.nodes[slot].config.head.name, .cause = v->cause, .slot = slot,
				    .alarm = e->nodes[slot]->alarm, .verdict = (uint8_t)v->verdict, .certainty = (uint8_t)v->certainty,
				    .level = (uint8_t)e->nodes[slot]->level};

	outbox_event(e, &facts);
}

static void verdict_alarm(struct engine *e, uint32_t slot, const struct judge_verdict *v)
{
	const char *name = e->model.nodes[slot].config.head.name;
	struct node_state *s = e->nodes[slot];
	uint64_t parent = v->root < MODEL_DOMAINS ? e->domain_alarm[v->root] : 0;
	char cause[CAUSE_SIZE];

	if (v->verdict == VERDICT_UNKNOWN && !v->held)
		return; /* neither good news nor bad: an alarm of the life before stands until something is seen */
	if (v->held || (v->level < LEVEL_WARNING && e->model.nodes[slot].config.maintenance)) {
		alarms_withdraw(e, name, "verdict", "");
		s->alarm = 0;
		return;
	}
	if (v->level < LEVEL_WARNING) {
		alarms_clear(e, name, "verdict", "");
		s->alarm = 0;
		return;
	}
	text_format(cause, sizeof cause, "%s: %.40s", verdict_name((int)v->verdict), v->cause);
	s->alarm = alarms_raise(e, name, "verdict", "", v->level, cause, slot, parent, 0);
}

static void verdict_changed(void *arg, const struct judge_verdict *v)
{
	struct engine *e = arg;
	struct node_state *s = engine_state(e, v->slot);

	if (!s || e->model.nodes[v->slot].generation != v->generation)
		return;
	struct judge_verdict before = s->verdict;
	bool judged = s->judged, other = !judged || before.verdict != v->verdict;

	s->verdict = *v;
	s->judged = true;
	stats_state(e, v->slot);
	s->mismatch = v->verdict == VERDICT_BMC_MISMATCH;
	if (other)
		s->since_wall_ms = clock_wall_ms() - (clock_mono_ms() - v->since);
	if (other && (verdict_is_dead(v->verdict) || v->verdict == VERDICT_AGENT_DEAD) && v->verdict != VERDICT_GROUP_PATH_LOST)
		samples_silence(e, v->slot);
	if (other && v->verdict == VERDICT_UP && s->booting && settled.count < SETTLED_MAX)
		settled.slots[settled.count++] = v->slot;
	verdict_alarm(e, v->slot, v);
	if (judged && (before.held != v->held || before.root != v->root))
		withheld_review(e, v->slot);
	judgement_level(e, v->slot);
	if (worth_an_event(&before, judged, v) && !s->flapping && !silences_until(e, e->model.nodes[v->slot].config.head.name, v->slot, "verdict"))
		verdict_event(e, v->slot, v);
	e->last_change_wall_ms = clock_wall_ms();
	s->changed = true;
	publish_node(e, v->slot);
	services_verdict(e, v->slot);
}

static void domain_changed(void *arg, const struct judge_domain *d)
{
	struct engine *e = arg;
	const char *name = e->model.domains[d->id].name;
	bool speaks = d->is_root && (d->certainty >= CERTAINTY_CALLED || d->common_onset);
	char kind[24], cause[CAUSE_SIZE];

	e->domain_views[d->id] = *d;
	text_format(kind, sizeof kind, "domain-%s", words_name(WORDS_DOMAIN_KIND, (int)d->kind));
	if (speaks) {
		const char *why = d->cause[0] ? d->cause : words_name(WORDS_DOMAIN_STATE, (int)d->state);
		unsigned nodes = d->common_onset ? d->flagged : d->held, more = withheld_under(e, d->id);
		if (more)
			text_format(cause, sizeof cause, "%.30s: %u nodes, %u more alarms", why, nodes, more);
		else
			text_format(cause, sizeof cause, "%.40s: %u nodes", why, nodes);
		e->domain_alarm[d->id] = alarms_raise(e, name, kind, "", LEVEL_CRITICAL, cause, NO_SLOT, 0, d->held);
	} else if (e->domain_alarm[d->id]) {
		alarms_clear(e, name, kind, "");
		e->domain_alarm[d->id] = 0;
	}
	publish_cluster(e);
}

static void closed(void *arg, const struct judge_closed *c)
{
	incidents_closed(arg, c);
}

void judgement_domain_again(struct engine *e, uint32_t domain)
{
	const struct judge_domain d = e->domain_views[domain];

	domain_changed(e, &d);
}

static const char *suspension_text(unsigned reasons)
{
	if (reasons & SUSPEND_CARRIER)
		return "own link has no carrier";
	if (reasons & SUSPEND_OWN_LINK)
		return "own link suspected: nobody answers";
	if (reasons & SUSPEND_STALL)
		return "the appliance stood still";
	return reasons ? "the collector is not heard" : "";
}

static void suspended(void *arg, unsigned reasons, int64_t since)
{
	struct engine *e = arg;
	const char *self = e->settings.appliance;

	if (e->suspended && !reasons)
		e->hearing_since_ms = clock_mono_ms();
	e->suspended = reasons;
	stats_states(e);
	e->suspended_since_wall_ms = reasons ? clock_wall_ms() - (clock_mono_ms() - since) : 0;
	/* a role that is being restarted is heard again in a moment: not worth a person's eyes */
	if (reasons & ~(unsigned)SUSPEND_QUEUE)
		alarms_raise(e, self, "judge", "", LEVEL_MAJOR, suspension_text(reasons), NO_SLOT, 0, 0);
	else
		alarms_clear(e, self, "judge", "");
	for (uint32_t s = 0; s < e->model.node_top; s++)
		if (e->nodes[s])
			publish_node(e, s);
	publish_cluster(e);
}

/* --- time ---------------------------------------------------------------------------------------------- */
static void settle_boots(struct engine *e)
{
	for (size_t i = 0; i < settled.count; i++) {
		struct node_state *s = engine_state(e, settled.slots[i]);
		if (!s)
			continue;
		s->booting = false;
		judgement_wanted(e, settled.slots[i]);
	}
	settled.count = 0;
}

static void on_judge_due(void *arg)
{
	struct engine *e = arg;
	int64_t now = clock_mono_ms(), next = judge_tick(e->judge, now);

	if (settled.count) {
		settle_boots(e);
		next = now + STORED_TICK_MS;
	}
	loop_timer_set(e->judge_timer, next > now ? next - now : STORED_TICK_MS);
}

void judgement_kick(struct engine *e)
{
	if (e->judge_timer)
		loop_timer_set(e->judge_timer, 0);
}

/* Root alarms of the life before that this life does not see again. */
static void on_settled(void *arg)
{
	struct engine *e = arg;
	char kind[24];

	for (uint32_t d = 0; d < e->model.domain_top; d++) {
		const struct model_domain *m = &e->model.domains[d];
		text_format(kind, sizeof kind, "domain-%s", words_name(WORDS_DOMAIN_KIND, (int)m->kind));
		if (m->used && !e->domain_alarm[d])
			alarms_clear(e, m->name, kind, "");
	}
}

static void on_sweep(void *arg)
{
	alarms_sweep(arg);
}

void judgement_start(struct engine *e)
{
	static const struct judge_ops ops = {.ask_bmc = ask_bmc, .ask_port = ask_port, .ask_reference = ask_reference, .hold = hold,
					     .release = release, .probe = probe, .verdict_changed = verdict_changed,
					     .domain_changed = domain_changed, .closed = closed, .suspended = suspended};
	struct judge_params params;

	judge_params_default(&params);
	e->judge = judge_create(&params, &ops, e, NODE_MAX, MODEL_DOMAINS, clock_mono_ms());
	e->judge_timer = loop_timer_new(e->loop, on_judge_due, e);
	judge_queue(e->judge, 0, false, clock_mono_ms());
	e->settled_timer = loop_timer_new(e->loop, on_settled, e);
	loop_timer_set(e->settled_timer, SETTLED_MS);
	e->sweep_timer = loop_timer_new(e->loop, on_sweep, e);
	loop_timer_every(e->sweep_timer, SWEEP_MS);
	judgement_kick(e);
}

/* --- what roles tell ----------------------------------------------------------------------------------- */
/* No time lies ahead of us, none before the machine's start: differences of them cannot overflow. */
static bool sound_times(const struct witness_report *r, int64_t now)
{
	int64_t latest = now + 1000;

	return r->at >= 0 && r->at <= latest && r->first >= 0 && r->first <= latest && r->last >= 0 && r->last <= latest;
}

void judgement_report(struct engine *e, const struct witness_report *r, size_t count)
{
	int64_t now = clock_mono_ms();

	for (size_t i = 0; i < count; i++) {
		if (!engine_node(e, r[i].slot, r[i].generation))
			continue;
		struct node_state *s = e->nodes[r[i].slot];
		if (!sound_times(&r[i], now))
			continue;
		if (r[i].last)
			s->last_seen_wall_ms = clock_wall_ms() - (now - r[i].last);
		judge_report(e->judge, &r[i], now);
		s->changed = true;
		publish_node(e, r[i].slot);
	}
	judgement_kick(e);
}

static const struct {
	uint8_t error;
	const char *finding;
} bmc_findings[] = {
	{BMC_PASSWORD, "BMC refuses the password"}, {BMC_USER, "BMC does not know the user"}, {BMC_KG, "BMC wants another K_g"},
	{BMC_SUITE, "BMC refuses the cipher suite"}, {BMC_PRIVILEGE, "BMC user lacks the privilege"}, {BMC_BUSY, "BMC is busy"},
	{BMC_SLOTS_FULL, "BMC has no free session"}, {BMC_GUID_CHANGED, "BMC is not the one recorded (GUID)"},
	{BMC_GARBAGE, "BMC answers rubbish"},
};

static void bmc_finding(struct engine *e, uint32_t slot, uint8_t error)
{
	const char *text = "";
	struct node_state *s = e->nodes[slot];

	for (size_t i = 0; i < COUNT_OF(bmc_findings); i++)
		if (bmc_findings[i].error == error)
			text = bmc_findings[i].finding;
	if (!strcmp(text, s->bmc_finding) && s->bmc_heard)
		return;
	s->bmc_heard = true;
	text_copy(s->bmc_finding, sizeof s->bmc_finding, text);
	alarms_clear(e, e->model.nodes[slot].config.head.name, "bmc", "session"); /* of a release before: the facts' alarm tells it */
	judgement_level(e, slot);
}

static void power_seen(struct engine *e, uint32_t slot, enum power power)
{
	struct node_state *s = e->nodes[slot];

	if (s->power == power)
		return;
	s->power = power;
	s->changed = true;
	publish_node(e, slot);
}

/* Get System Restart Cause, IPMI 2.0 section 28.11. */
static const char *restart_cause(uint8_t code)
{
	static const char *const causes[] = {"unknown", "chassis control", "reset button", "power button", "watchdog", "OEM",
					     "automatic power-up", "restored power state", "PEF reset", "PEF power cycle", "soft reset", "clock wake-up"};

	return code && code <= COUNT_OF(causes) ? causes[code - 1] : "";
}

/* Whoever could not hear anything a moment ago cannot call a BMC silent. */
static bool blinded(const struct engine *e, int64_t now)
{
	return e->suspended || (e->hearing_since_ms && now - e->hearing_since_ms < HEARING_MS);
}

/* Those that were silent while we heard nothing, and have not answered since. */
static void tell_silent(struct engine *e, int64_t now)
{
	if (blinded(e, now))
		return;
	for (uint32_t slot = 0; slot < e->model.node_top; slot++) {
		struct node_state *s = e->nodes[slot];
		if (!s || !s->silent_later)
			continue;
		s->silent_later = false;
		judge_bmc(e->judge, slot, BMC_SILENT, now, now);
	}
}

void judgement_power(struct engine *e, const struct msg_power_state *p, size_t count)
{
	int64_t now = clock_mono_ms();

	for (size_t i = 0; i < count; i++) {
		if (!engine_node(e, p[i].slot, p[i].generation) || p[i].state < BMC_NA || p[i].state >= BMC_STATE_END ||
		    p[i].at_ms < 0 || p[i].at_ms > now + 1000)
			continue;
		struct node_state *s = e->nodes[p[i].slot];

		s->bmc_state = p[i].state;
		s->bmc_error = p[i].error;
		if (p[i].state == BMC_ON || p[i].state == BMC_OFF)
			power_seen(e, p[i].slot, p[i].state == BMC_ON ? POWER_ON : POWER_OFF);
		else if (p[i].state == BMC_SILENT)
			power_seen(e, p[i].slot, POWER_UNKNOWN);
		if (p[i].state != BMC_PEND)
			bmc_finding(e, p[i].slot, p[i].state == BMC_NA ? p[i].error : 0);
		s->silent_later = p[i].state == BMC_SILENT && blinded(e, now);
		if (!s->silent_later)
			judge_bmc(e->judge, p[i].slot, (enum bmc_state)p[i].state, p[i].at_ms, now);
		const char *why = p[i].restart_cause > 1 ? restart_cause(p[i].restart_cause) : "";
		if (p[i].restart_cause)
			incidents_why(e, p[i].slot, why);
		if (why[0])
			judge_why(e->judge, p[i].slot, why, now);
	}
	judgement_kick(e);
}

void judgement_ports(struct engine *e, const struct msg_port_state *p, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!engine_node(e, p[i].slot, p[i].generation) || p[i].state < PORT_NA || p[i].state >= PORT_STATE_END)
			continue;
		struct judge_verdict view;
		e->nodes[p[i].slot]->port_state = p[i].state;
		/* octets that may have been counted before the silence prove nothing about it */
		if (p[i].state == PORT_MOVING && judge_view(e->judge, p[i].slot, &view) && view.evidence.first && p[i].at_ms < view.evidence.first)
			continue;
		judge_port(e->judge, p[i].slot, (enum port_state)p[i].state, clock_mono_ms());
	}
	judgement_kick(e);
}

void judgement_references(struct engine *e, const struct msg_reference_state *r, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (r[i].domain < e->model.domain_top && e->model.domains[r[i].domain].used)
			judge_reference(e->judge, r[i].domain, r[i].answers != 0, clock_mono_ms());
	judgement_kick(e);
}

void judgement_collector(struct engine *e, const struct msg_judge *j)
{
	judge_collector_suspended(e->judge, j->reasons & SUSPEND_ALL, clock_mono_ms());
	judgement_kick(e);
}

void judgement_collector_up(struct engine *e, bool up)
{
	e->collector_heard_ms = clock_mono_ms();
	judge_queue(e->judge, 0, up, e->collector_heard_ms);
	judgement_kick(e);
}

void judgement_collector_age(struct engine *e)
{
	int64_t age = clock_mono_ms() - e->collector_heard_ms;

	tell_silent(e, clock_mono_ms());
	if (!e->roles[ROLE_COLLECTOR].channel)
		return;
	judge_queue(e->judge, age > COLLECTOR_QUIET_MS ? age : 0, true, clock_mono_ms());
	judgement_kick(e);
}

void judgement_lossy(struct engine *e, const struct msg_lossy *l)
{
	if (l->domain < e->model.domain_top)
		judge_lossy(e->judge, l->domain, l->lossy != 0, clock_mono_ms());
	judgement_kick(e);
}

void judgement_bmc_facts(struct engine *e, const struct msg_bmc_facts *f)
{
	if (!engine_node(e, f->slot, f->generation) || !text_terminated(f->finding, sizeof f->finding))
		return;
	struct node_state *s = e->nodes[f->slot];
	bool locked = f->guid_known && f->guid_changed;

	bool told = f->guid_known && f->guid_changed; /* by the alarm below */
	alarms_level(e, f->slot, "bmc", "security", f->finding[0] && !told ? LEVEL_WARNING : LEVEL_NORMAL, f->finding);
	records_findings(e, f);
	inventory_facts(e, f);
	if (f->guid_known && !f->guid_changed && !s->guid_known) {
		memcpy(s->guid, f->guid, sizeof s->guid);
		s->guid_known = true;
		life_save(e, f->slot);
	}
	if (f->guid_known && locked != s->locked) {
		s->locked = locked;
		text_copy(s->locked_why, sizeof s->locked_why, locked ? "BMC GUID is not the recorded one: check the wiring" : "");
		life_save(e, f->slot);
		log_warning("node %s: power %s", e->model.nodes[f->slot].config.head.name,
			    locked ? "locked: the BMC's GUID is not the recorded one: check the wiring, then gloryctl node confirm-bmc NODE"
				   : "unlocked: the recorded BMC is back");
	}
	alarms_level(e, f->slot, "bmc", "identity", s->locked ? LEVEL_MAJOR : LEVEL_NORMAL, s->locked_why);
	judgement_level(e, f->slot);
	s->changed = true;
	publish_node(e, f->slot);
}

/* --- wanted state -------------------------------------------------------------------------------------- */
void judgement_wanted(struct engine *e, uint32_t slot)
{
	struct node_state *s = e->nodes[slot];
	const struct config_node *c = &e->model.nodes[slot].config;
	enum power wanted = s->wanted_power != POWER_UNKNOWN ? s->wanted_power : (enum power)c->wanted_power;

	if (!e->judge)
		return;
	stats_state(e, slot);
	if (c->maintenance)
		judge_wanted(e->judge, slot, WANTED_MAINT, 0, clock_mono_ms());
	else if (wanted == POWER_OFF)
		judge_wanted(e->judge, slot, WANTED_OFF, 0, clock_mono_ms());
	else if (s->booting)
		judge_wanted(e->judge, slot, WANTED_BOOT, s->boot_until_ms, clock_mono_ms());
	else
		judge_wanted(e->judge, slot, WANTED_ON, 0, clock_mono_ms());
	judgement_kick(e);
}

void judgement_booting(struct engine *e, uint32_t slot, int64_t for_ms)
{
	int64_t now = clock_mono_ms();

	e->boots_open = e->nodes[slot]->booting = true;
	e->nodes[slot]->boot_job = e->nodes[slot]->power_job;
	e->nodes[slot]->boot_until_ms = now + for_ms;
	if (!e->model.nodes[slot].config.maintenance)
		judge_wanted(e->judge, slot, WANTED_BOOT, now + for_ms, now);
	judgement_kick(e);
}

/* Power on of a machine that was up, a reset it took no notice of: no verdict changes, and its next crash must not pass for a boot. */
void judgement_boots(struct engine *e)
{
	int64_t now = clock_mono_ms(), wall = clock_wall_ms();
	bool open = false;

	for (uint32_t slot = 0; slot < e->model.node_top && e->boots_open; slot++) {
		struct node_state *s = e->nodes[slot];
		open |= s && s->booting;
		if (!s || !s->booting || !s->judged || s->verdict.verdict != VERDICT_UP || wall - s->last_seen_wall_ms > SEEN_MS ||
		    (double)(s->boot_until_ms - now) > (BOOT_GRACE_MS - BOOT_SEEN_MS) * e->settings.time_scale)
			continue;
		s->booting = false;
		s->boot_job = 0;
		judgement_wanted(e, slot);
	}
	e->boots_open = open;
}

/* --- levels -------------------------------------------------------------------------------------------- */
struct worst {
	enum level level;
	char cause[CAUSE_SIZE];
};

static void consider(struct worst *w, enum level level, const char *format, const char *a, const char *b)
{
	if (level <= w->level || level < LEVEL_WARNING)
		return;
	w->level = level;
	text_format(w->cause, sizeof w->cause, format, a, b);
}

static void consider_values(struct engine *e, uint32_t slot, struct worst *w)
{
	const struct node_state *s = e->nodes[slot];

	for (unsigned i = 0; i < item_definition_count; i++) {
		const struct item_definition *d = &item_definitions[i];
		if (d->item < ITEM_SCALARS)
			consider(w, (enum level)s->levels[d->item].level, "%s%s", d->name, "");
		for (uint32_t r = 0; d->item >= ITEM_SCALARS && r < s->row_count; r++)
			if (s->rows[r].table == d->table)
				consider(w, (enum level)s->rows[r].levels[d->item - items_first_of_table(d->table)].level, "%s %s", d->name,
					 s->rows[r].name);
	}
	for (uint32_t i = 0; i < s->cell_count; i++)
		consider(w, (enum level)s->cells[i].levels.level, s->cells[i].name[0] ? "%s %s" : "%s%s",
			 values_item_at(e, s->cells[i].item)->name, s->cells[i].name);
	const char *watch = "";
	enum level watched = watches_worst(e, slot, &watch);
	consider(w, watched, "watch %s%s", watch, "");
	const char *check = "";
	enum level checked = checks_worst(e, slot, &check);
	consider(w, checked, "check %s%s", check, "");
	for (uint32_t i = 0; i < s->sensor_count; i++)
		consider(w, (enum level)s->sensors[i].level, "sensor %s%s", s->sensors[i].name, "");
	consider(w, s->bmc_finding[0] ? LEVEL_WARNING : LEVEL_NORMAL, "%s%s", s->bmc_finding, "");
	consider(w, s->identity.conflict[0] ? LEVEL_MAJOR : LEVEL_NORMAL, "%s%s", s->identity.conflict, "");
	consider(w, s->snmp_finding[0] ? LEVEL_WARNING : LEVEL_NORMAL, "%s%s", s->snmp_finding, "");
	consider(w, s->locked ? LEVEL_MAJOR : LEVEL_NORMAL, "%s%s", s->locked_why, "");
}

void judgement_level(struct engine *e, uint32_t slot)
{
	struct node_state *s = e->nodes[slot];
	struct worst w = {.level = s->judged ? s->verdict.level : LEVEL_UNKNOWN};
	enum level before = s->level;

	bool unseen = !s->judged || s->verdict.verdict == VERDICT_UNKNOWN;
	text_copy(w.cause, sizeof w.cause, unseen && s->snmp_finding[0] ? s->snmp_finding : s->judged ? s->verdict.cause : "not yet observed");
	if (s->judged && !verdict_is_dead(s->verdict.verdict) && s->verdict.verdict != VERDICT_UNKNOWN &&
	    !e->model.nodes[slot].config.maintenance)
		consider_values(e, slot, &w);
	s->level = w.level;
	text_copy(s->cause, sizeof s->cause, w.cause);
	if (before == w.level)
		return;
	s->changed = true;
	publish_node(e, slot);
	if (before == LEVEL_UNKNOWN || w.level == LEVEL_UNKNOWN || !s->judged || s->verdict.held || w.level == s->verdict.level || s->flapping_alarms ||
	    silences_until(e, e->model.nodes[slot].config.head.name, slot, NULL))
		return; /* the verdict's own event tells it, or nobody wants to hear each turn */
	struct event_facts facts = {.kind = NOTIFY_LEVEL, .object = e->model.nodes[slot].config.head.name, .cause = s->cause, .slot = slot,
				    .verdict = (uint8_t)s->verdict.verdict, .certainty = (uint8_t)s->verdict.certainty, .level = (uint8_t)w.level};
	outbox_event(e, &facts);
}

bool judgement_is_down(void *engine, uint32_t slot)
{
	struct engine *e = engine;
	const struct node_state *s = engine_state(e, slot);

	return s && s->judged && verdict_is_dead(s->verdict.verdict);
}
