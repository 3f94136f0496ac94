/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who answers at a node's address: a cloned engine id, another node's name, or two machines in turn. The node is up all the while; one
 * alarm names both. Fed with the collector's facts. */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "engine/engine.h"

enum { TURN_MS = 600000, QUIET_MS = 10000 };

static bool has_id(const struct identity *i)
{
	return i->engine_id_size != 0;
}

static bool changed(const struct identity *i, const struct msg_node_facts *f)
{
	return (i->name[0] && f->sys_name[0] && strcmp(i->name, f->sys_name) != 0) ||
	       (has_id(i) && f->engine_id_length && (i->engine_id_size != f->engine_id_length ||
						     memcmp(i->engine_id, f->engine_id, f->engine_id_length) != 0));
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
		text_format(out, size, "two machines in turn: %.18s and %.18s", i->name[0] ? i->name : "?", f->sys_name[0] ? f->sys_name : "?");
	}
}

static void raise(struct engine *e, uint32_t slot, const char *text, uint32_t other)
{
	struct identity *i = &e->nodes[slot]->identity;
	const struct node_state *o = other == NO_SLOT ? NULL : engine_state(e, other);

	text_copy(i->conflict, sizeof i->conflict, text);
	i->other = other;
	i->seen_ms = clock_mono_ms();
	/* the other one has said it already */
	if (!o || !o->identity.raised || o->identity.other != slot) {
		i->raised = true;
		e->identities_open = true;
		alarms_level(e, slot, "identity", "conflict", LEVEL_MAJOR, text);
	}
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
	int64_t now = clock_mono_ms();
	char text[CAUSE_SIZE];
	uint32_t other;
	bool change = changed(i, f), turns = change && i->changed_ms && now - i->changed_ms < TURN_MS;

	conflict(e, f, turns, text, sizeof text, &other);
	i->stands = other != NO_SLOT;
	if (text[0])
		raise(e, f->slot, text, other);
	else if (!i->raised && i->conflict[0])
		settle(e, f->slot); /* the alarm was the other one's */
	if (change)
		i->changed_ms = now;
	if (f->sys_name[0])
		text_copy(i->name, sizeof i->name, f->sys_name);
	i->engine_id_size = f->engine_id_length <= sizeof i->engine_id ? f->engine_id_length : 0;
	memcpy(i->engine_id, f->engine_id, i->engine_id_size);
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
		if (!i->stands && now - i->seen_ms > (i->other == NO_SLOT ? TURN_MS : QUIET_MS))
			settle(e, slot);
		else
			open = true;
	}
	e->identities_open = open;
}
