/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who answers at a node's address: a cloned engine id, another node's name, or two machines in turn. The node is up all the while; one
 * alarm names both. Fed with the collector's facts. */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "engine/engine.h"

enum { TURN_MS = 600000, QUIET_MS = 20000 };

static bool same(const struct identity_seen *a, const struct identity_seen *b)
{
	bool names = !a->name[0] || !b->name[0] || !strcmp(a->name, b->name);

	return names && (!a->engine_id_size || !b->engine_id_size ||
			 (a->engine_id_size == b->engine_id_size && !memcmp(a->engine_id, b->engine_id, a->engine_id_size)));
}

static struct identity_seen seen(const struct msg_node_facts *f)
{
	struct identity_seen s = {.engine_id_size = f->engine_id_length <= sizeof f->engine_id ? f->engine_id_length : 0};

	text_copy(s.name, sizeof s.name, f->sys_name);
	memcpy(s.engine_id, f->engine_id, s.engine_id_size);
	return s;
}

/* What is wrong as these facts say; "" = nothing. *other: the other node, where it is one of ours. */
static void conflict(struct engine *e, const struct msg_node_facts *f, bool turns, char *out, size_t size, uint32_t *other)
{
	const struct model_node *n = &e->model.nodes[f->slot], *named = model_node(&e->model, f->sys_name);
	const struct identity *i = &e->nodes[f->slot]->identity;

	out[0] = '\0';
	*other = NO_SLOT;
	if (f->clone_of_known && f->clone_slot != f->slot && engine_state(e, f->clone_slot)) {
		*other = f->clone_slot;
		text_format(out, size, "same engine id as %.40s", e->model.nodes[f->clone_slot].config.head.name);
	} else if (named && named->slot != f->slot) {
		*other = named->slot;
		text_format(out, size, "%.20s's address answers as %.20s", n->config.head.name, named->config.head.name);
	} else if (turns) {
		text_format(out, size, "two machines in turn: %.18s and %.18s", i->home.name[0] ? i->home.name : "?",
			    f->sys_name[0] ? f->sys_name : "?");
	}
}

static void raise(struct engine *e, uint32_t slot, const char *text, uint32_t other)
{
	struct identity *i = &e->nodes[slot]->identity;
	const struct node_state *o = other == NO_SLOT ? NULL : engine_state(e, other);

	i->other = other;
	i->seen_ms = clock_mono_ms();
	if (o && o->identity.raised && o->identity.other == slot)
		return; /* the other one has said it already */
	i->raised = true;
	e->identities_open = true;
	text_copy(i->conflict, sizeof i->conflict, text);
	alarms_level(e, slot, "identity", "conflict", LEVEL_MAJOR, text);
	judgement_level(e, slot);
}

static void settle(struct engine *e, uint32_t slot)
{
	struct identity *i = &e->nodes[slot]->identity;

	i->conflict[0] = '\0';
	i->raised = false;
	alarms_level(e, slot, "identity", "conflict", LEVEL_NORMAL, "");
	judgement_level(e, slot);
}

void identity_facts(struct engine *e, const struct msg_node_facts *f)
{
	struct identity *i = &e->nodes[f->slot]->identity;
	struct identity_seen now = seen(f);
	int64_t ms = clock_mono_ms();
	char text[CAUSE_SIZE];
	uint32_t other;

	/* whoever has stood here long enough is at home; who comes back home ends the story, who leaves it again takes turns */
	if (!i->conflict[0] && (!i->changed_ms || ms - i->changed_ms > TURN_MS))
		i->home = i->now;
	bool change = !same(&i->now, &now), home = same(&i->home, &now), turns = change && !home && i->changed_ms && ms - i->changed_ms < TURN_MS;
	conflict(e, f, turns, text, sizeof text, &other);
	i->stands = other != NO_SLOT;
	if (text[0])
		raise(e, f->slot, text, other);
	if (change)
		i->changed_ms = ms;
	i->now = now;
}

void identity_tick(struct engine *e)
{
	int64_t now = clock_mono_ms();
	bool open = false;

	if (!e->identities_open)
		return;
	for (uint32_t slot = 0; slot < e->model.node_top; slot++) {
		struct identity *i = e->nodes[slot] ? &e->nodes[slot]->identity : NULL;

		if (!i || !i->raised)
			continue;
		/* machines that answer in turn are seen again each time the turn changes */
		if (!i->stands && same(&i->now, &i->home) && now - i->seen_ms > QUIET_MS)
			settle(e, slot);
		else
			open = true;
	}
	e->identities_open = open;
}
