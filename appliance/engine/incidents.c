/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a silence turns out to have been once its node is back: path, agent restarted, rebooted and by what. Fed by the judge, the
 * up-times of the collector and the BMC; makes one event for each and tells the statistics. */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "engine/engine.h"
#include "engine/silences.h"

enum { WHY_WAIT_MS = 3000 }; /* for the BMC to say why; the event comes without it then */

static const char *const HOW[] = {[RETURN_UNKNOWN] = "returned", [RETURN_PATH] = "path", [RETURN_REBOOTED] = "rebooted",
				  [RETURN_AGENT_RESTARTED] = "agent-restarted"};

static void describe(const struct incident_wait *w, char *out, size_t size)
{
	char why[48] = "", was[40] = "";

	if (w->job)
		text_format(why, sizeof why, ": by job %" PRIu64, w->job);
	else if (w->why[0])
		text_format(why, sizeof why, ": %s", w->why);
	if (w->is.verdict)
		text_format(was, sizeof was, "%s was %s for %.1f s", why[0] ? "," : ":", verdict_name((int)w->is.verdict),
			    (double)(w->is.ended_wall_ms - w->is.began_wall_ms) / 1000);
	text_format(out, size, "%s%s%s", HOW[w->is.how], why, was);
}

static void finish(struct engine *e, uint32_t slot)
{
	struct node_state *s = e->nodes[slot];
	struct incident_wait *w = &s->incident;
	struct event_facts facts = {.kind = NOTIFY_VERDICT, .object = e->model.nodes[slot].config.head.name, .cause = w->is.cause,
				    .slot = slot, .verdict = s->judged ? (uint8_t)s->verdict.verdict : VERDICT_UP,
				    .certainty = s->judged ? (uint8_t)s->verdict.certainty : CERTAINTY_NONE, .level = (uint8_t)s->level};

	describe(w, w->is.cause, sizeof w->is.cause);
	w->open = false;
	if (!s->flapping && !silences_until(e, e->model.nodes[slot].config.head.name, slot, "verdict")) /* one word for the whole, not one for each turn */
		outbox_event(e, &facts);
	if (e->incident_told)
		e->incident_told(e->incident_arg, &w->is);
	if (w->is.how == RETURN_REBOOTED)
		s->boot_job = 0;
}

static void begin(struct engine *e, uint32_t slot, const struct incident *is)
{
	struct node_state *s = e->nodes[slot];
	int64_t now = clock_mono_ms();

	if (s->incident.open)
		finish(e, slot);
	s->incident = (struct incident_wait){.open = true, .known_ms = now, .until_ms = now, .is = *is};
	if (is->how != RETURN_REBOOTED) {
		finish(e, slot);
		return;
	}
	s->incident.job = s->boot_job;
	if (s->boot_job || !e->model.nodes[slot].config.bmc.family) {
		finish(e, slot);
		return;
	}
	struct msg_bmc_read m = {.slot = slot, .generation = e->model.nodes[slot].generation, .urgent = 1, .what = BMC_READ_CAUSE};
	engine_send(e, ROLE_BMC, MSG_BMC_READ, &m, sizeof m);
	s->incident.until_ms = now + WHY_WAIT_MS;
	e->incidents_open++;
}

void incidents_closed(struct engine *e, const struct judge_closed *c)
{
	int64_t wall = clock_wall_ms(), mono = clock_mono_ms();

	if (!engine_node(e, c->slot, c->generation))
		return;
	const struct incident_wait *w = &e->nodes[c->slot]->incident;
	struct incident is = {.slot = c->slot, .generation = c->generation, .verdict = c->verdict, .certainty = c->certainty, .how = c->how,
			      .ended_wall_ms = wall - (mono - c->ended)};

	/* the agent's own facts were quicker and told the same; what the judge adds is how long it was */
	if (w->open && w->is.how == c->how && !w->is.verdict)
		e->nodes[c->slot]->incident.open = false;
	is.began_wall_ms = is.ended_wall_ms - c->dark_ms;
	begin(e, c->slot, &is);
}

void incidents_facts(struct engine *e, uint32_t slot, enum judge_return how, int64_t agent_ms)
{
	const struct incident_wait *w = &e->nodes[slot]->incident;
	int64_t wall = clock_wall_ms();

	/* the judge tells of it, or has: this agent began before that was known */
	if (judge_incident(e->judge, slot) || (w->is.how > RETURN_PATH && clock_mono_ms() - agent_ms < w->known_ms))
		return;
	struct incident is = {.slot = slot, .generation = e->model.nodes[slot].generation, .how = how, .began_wall_ms = wall,
			      .ended_wall_ms = wall};
	begin(e, slot, &is);
}

void incidents_why(struct engine *e, uint32_t slot, const char *why)
{
	struct incident_wait *w = &e->nodes[slot]->incident;

	if (!w->open)
		return;
	text_copy(w->why, sizeof w->why, why);
	finish(e, slot);
}

void incidents_tick(struct engine *e)
{
	int64_t now = clock_mono_ms();
	uint32_t open = 0;

	if (!e->incidents_open)
		return;
	for (uint32_t slot = 0; slot < e->model.node_top; slot++) {
		if (!e->nodes[slot] || !e->nodes[slot]->incident.open)
			continue;
		if (now >= e->nodes[slot]->incident.until_ms)
			finish(e, slot);
		else
			open++;
	}
	e->incidents_open = open;
}

void incidents_listen(struct engine *e, incident_told *told, void *arg)
{
	e->incident_told = told;
	e->incident_arg = arg;
}
