/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Process watches and top lists between the engine role and the SNMP engine. */
#include "base/error.h"
#include "base/text.h"
#include "mibs/collector/process.h"
#include "mibs/collector/role/role.h"

static void on_state(void *arg, const struct msg_watch_state *state)
{
	struct collector *c = arg;
	const struct target *t = target_at(c, state->slot);
	struct msg_watch_state m = *state;

	if (!t)
		return;
	m.generation = t->generation;
	outbox_watch(c->outbox, &m);
}

static void on_top(void *arg, const struct msg_top *top, const struct msg_top_row *rows)
{
	struct collector *c = arg;

	channel_send2(c->context->engine, MSG_TOP, top, sizeof *top, rows, top->rows * sizeof *rows);
}

void processes_start(struct collector *c)
{
	static const struct process_ops ops = {.state = on_state, .top = on_top};

	engine_process_owner(c->engine, &ops, c);
}

void processes_watches(struct collector *c, const struct msg_watch *watches, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!text_terminated(watches[i].process, sizeof watches[i].process) ||
		    !text_terminated(watches[i].arguments, sizeof watches[i].arguments) || !watches[i].interval_s)
			return;
	engine_watches(c->engine, watches, count, c->now);
}

void processes_scope(struct collector *c, const struct msg_watch_scope *scopes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct target *t = target_at(c, scopes[i].slot);
		if (t && t->generation == scopes[i].generation)
			engine_watch_scope(c->engine, scopes[i].slot, scopes[i].watches, c->now);
	}
}

void processes_top(struct collector *c, const struct msg_top_ask *ask)
{
	const struct target *t = target_at(c, ask->slot);
	struct msg_top none = {.request = ask->request, .slot = ask->slot, .generation = ask->generation, .status = ERR_NOT_FOUND};

	if (t && t->generation == ask->generation)
		engine_top(c->engine, ask, c->now);
	else
		on_top(c, &none, NULL);
}
