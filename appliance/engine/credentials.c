/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Secrets that are missing, malformed, or refused by the agents they are for: said at each node, and by one alarm for each
 * credential, so that a wrong password of a whole site is one alarm and not ten thousand. That a community is wrong cannot be told:
 * such an agent is silent. */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "engine/engine.h"

static bool dirty; /* something changed since the alarms were worked out */

static const struct saying {
	const char *node, *site; /* site: printed behind the credential's name */
} sayings[] = {
	[TARGET_SECRET_MISSING] = {"snmp: the secret is missing", "the secret is missing"},
	[TARGET_SECRET_BAD] = {"snmp: the secret is malformed", "the secret is malformed"},
	[TARGET_LEVEL] = {"snmp: refused: security level", "refused: security level"},
	[TARGET_USER] = {"snmp: refused: unknown user", "refused: unknown user"},
	[TARGET_DIGEST] = {"snmp: refused: wrong auth passphrase", "refused: wrong auth"},
	[TARGET_DECRYPTION] = {"snmp: refused: wrong priv passphrase", "refused: wrong priv"},
};

const char *credentials_finding(enum target_state state)
{
	return state < COUNT_OF(sayings) && sayings[state].node ? sayings[state].node : "";
}

void credentials_take(struct engine *e, const struct msg_target_state *m, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!engine_node(e, m[i].slot, m[i].generation) || m[i].state >= COUNT_OF(sayings))
			continue;
		struct node_state *s = e->nodes[m[i].slot];
		if (s->target_state == m[i].state)
			continue;
		dirty = dirty || s->target_state > TARGET_WELL || m[i].state > TARGET_WELL;
		s->target_state = (uint8_t)m[i].state;
		text_copy(s->snmp_finding, sizeof s->snmp_finding, credentials_finding((enum target_state)m[i].state));
		judgement_level(e, m[i].slot);
		publish_node(e, m[i].slot);
	}
}

struct tally {
	uint32_t nodes;
	enum target_state state;
};

static void tell(struct engine *e, const char *name, const struct tally *t)
{
	char cause[CAUSE_SIZE];

	if (!t->nodes) {
		alarms_clear(e, e->settings.appliance, "credential", name);
		return;
	}
	text_format(cause, sizeof cause, "snmp %.20s: %s: %u nodes", name, sayings[t->state].site, t->nodes);
	alarms_raise(e, e->settings.appliance, "credential", name, LEVEL_MAJOR, cause, NO_SLOT, 0, 0);
}

/* Nodes in maintenance are shown, and raise nothing. */
void credentials_second(struct engine *e)
{
	const struct config_snmp *all = e->model.wanted.objects[CONFIG_SNMP];

	if (!dirty)
		return;
	dirty = false;
	for (size_t i = 0; i < e->model.wanted.count[CONFIG_SNMP]; i++) {
		struct tally t = {.nodes = 0};
		for (uint32_t slot = 0; slot < e->model.node_top; slot++) {
			const struct model_node *n = &e->model.nodes[slot];
			const struct node_state *s = e->nodes[slot];
			if (!n->generation || !s || s->target_state <= TARGET_WELL || n->config.maintenance ||
			    strcmp(n->config.snmp, all[i].head.name) != 0)
				continue;
			t.nodes++;
			t.state = (enum target_state)s->target_state;
		}
		tell(e, all[i].head.name, &t);
	}
}
