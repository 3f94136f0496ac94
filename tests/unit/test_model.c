/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The model: slots stay with their names, over changes and restarts; domains count their members; selections are right and refuse what is none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/model.h"
#include "tests/unit/unit.h"

static struct model m;
static struct cluster next;
static struct model_changes changes;

static void group(const char *name)
{
	struct config_group g = {.policy = POLICY_REPAIR};

	text_copy(g.head.name, sizeof g.head.name, name);
	cluster_set(&next, CONFIG_GROUP, &g);
}

static void node(const char *name, const char *in, const char *rack)
{
	struct config_node n = {.wanted_power = POWER_ON};

	text_copy(n.head.name, sizeof n.head.name, name);
	text_copy(n.group, sizeof n.group, in);
	text_copy(n.rack, sizeof n.rack, rack);
	cluster_set(&next, CONFIG_NODE, &n);
}

static void begin(void)
{
	model_init(&m);
	cluster_init(&next);
	text_copy(next.site, sizeof next.site, "site1");
}

static void apply(void)
{
	free(changes.changes);
	memset(&changes, 0, sizeof changes);
	model_apply(&m, &next, &changes);
	text_copy(next.site, sizeof next.site, "site1");
}

static void four(void)
{
	group("a");
	group("b");
	node("n1", "a", "r1");
	node("n2", "a", "r1");
	node("n3", "b", "r2");
}

static void end(void)
{
	free(changes.changes);
	memset(&changes, 0, sizeof changes);
	cluster_clear(&next);
	model_free(&m);
}

static void slots_stay(void)
{
	begin();
	four();
	apply();
	CU_ASSERT_EQUAL(changes.count, 5);
	uint32_t two = model_node(&m, "n2")->slot, generation = model_node(&m, "n2")->generation;
	four();
	apply();
	CU_ASSERT_EQUAL(changes.count, 0);
	four();
	cluster_remove(&next, CONFIG_NODE, "n1");
	apply();
	CU_ASSERT_TRUE(changes.count == 1 && changes.changes[0].what == CONFIG_REMOVED && !strcmp(changes.changes[0].name, "n1"));
	CU_ASSERT_PTR_NULL(model_node(&m, "n1"));
	CU_ASSERT_EQUAL(model_node(&m, "n2")->slot, two);
	four();
	cluster_remove(&next, CONFIG_NODE, "n1");
	node("new", "b", "");
	apply();
	CU_ASSERT_EQUAL(model_node(&m, "new")->slot, 0); /* the free place, under another generation */
	CU_ASSERT_TRUE(model_node(&m, "new")->generation > generation);
	CU_ASSERT_PTR_NOT_NULL(model_node_at(&m, two, generation));
	CU_ASSERT_PTR_NULL(model_node_at(&m, two, generation + 1));
	CU_ASSERT_PTR_NULL(model_node_at(&m, two, 0));
	CU_ASSERT_PTR_NULL(model_node_at(&m, NODE_MAX, generation));
	CU_ASSERT_PTR_NULL(model_node_at(&m, UINT32_MAX, generation));
	end();
}

static void slots_survive(void)
{
	begin();
	CU_ASSERT_TRUE(model_restore_slot(&m, CONFIG_NODE, "n3", 7, 40));
	CU_ASSERT_TRUE(model_restore_slot(&m, CONFIG_NODE, "gone", 0, 41));
	CU_ASSERT_FALSE(model_restore_slot(&m, CONFIG_NODE, "n3", 8, 42));       /* the name has one */
	CU_ASSERT_FALSE(model_restore_slot(&m, CONFIG_NODE, "twin", 7, 43));     /* the place is taken */
	CU_ASSERT_FALSE(model_restore_slot(&m, CONFIG_NODE, "far", NODE_MAX, 1));
	CU_ASSERT_FALSE(model_restore_slot(&m, CONFIG_GROUP, "far", MODEL_GROUPS, 1));
	CU_ASSERT_FALSE(model_restore_slot(&m, CONFIG_NODE, "zero", 3, 0));
	four();
	apply();
	CU_ASSERT_TRUE(model_node(&m, "n3")->slot == 7 && model_node(&m, "n3")->generation == 40);
	CU_ASSERT_TRUE(model_node(&m, "n1")->generation > 41);
	CU_ASSERT_EQUAL(m.node_top, 8);
	CU_ASSERT_TRUE(changes.count == 6 && changes.changes[0].what == CONFIG_REMOVED && !strcmp(changes.changes[0].name, "gone"));
	end();
}

static void domains_count(void)
{
	begin();
	four();
	apply();
	CU_ASSERT_EQUAL(model_group(&m, "a")->members, 2);
	const struct model_node *n = model_node(&m, "n1");
	CU_ASSERT_EQUAL(m.domains[n->domains[0]].members, 2);
	CU_ASSERT_TRUE(m.domains[n->domains[0]].kind == DOMAIN_GROUP && !strcmp(m.domains[n->domains[0]].name, "a"));
	CU_ASSERT_EQUAL(n->domains[1], NO_SLOT); /* no switch */
	CU_ASSERT_TRUE(m.domains[n->domains[2]].kind == DOMAIN_RACK && m.domains[n->domains[2]].members == 2);
	CU_ASSERT_EQUAL(m.domains[n->domains[4]].members, 3);
	uint32_t rack = model_node(&m, "n3")->domains[2];
	group("a");
	node("n1", "a", "r1");
	apply();
	CU_ASSERT_FALSE(m.domains[rack].used);
	CU_ASSERT_EQUAL(model_group(&m, "a")->members, 1);
	end();
}

/* a rack that is gone gives its place to another, but not in the change that took it away: everyone must have heard of it */
static void domain_places_come_back(void)
{
	uint32_t top = 0, last = NO_SLOT;
	char rack[NAME_SIZE];

	begin();
	for (unsigned i = 0; i < 100; i++) {
		four();
		text_format(rack, sizeof rack, "rack%u", i);
		node("extra", "b", rack);
		apply();
		uint32_t d = model_node(&m, "extra")->domains[2];
		CU_ASSERT_NOT_EQUAL(d, last);
		CU_ASSERT_TRUE(!strcmp(m.domains[d].name, rack) && m.domains[d].members == 1);
		last = d;
		top = i == 3 ? m.domain_top : top;
	}
	CU_ASSERT_EQUAL(m.domain_top, top);
	end();
}

static bool third_is_down(void *arg, uint32_t slot)
{
	return slot == *(uint32_t *)arg;
}

static void selections(void)
{
	static const struct {
		const char *range;
		int rc;
		size_t count;
	} cases[] = {{"n1", 0, 1}, {"n[1-3]", 0, 3}, {"n1,n1,n[1-2]", 0, 2}, {"@a", 0, 2}, {"@site", 0, 3}, {"@down", 0, 1}, {"@down,@b,n1", 0, 2},
		     {"n4", ERR_NOT_FOUND, 0}, {"@c", ERR_NOT_FOUND, 0}, {"@", ERR_NOT_FOUND, 0}, {"n[1-", ERR_CONFIG, 0}, {"n]1[", ERR_CONFIG, 0},
		     {"n[1-99999999]", ERR_CONFIG, 0}};
	uint32_t down;

	begin();
	four();
	apply();
	down = model_node(&m, "n3")->slot;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct model_selection s = {0};
		struct error e = {0};
		int rc = model_select(&m, cases[i].range, third_is_down, &down, &s, &e);
		if (rc != cases[i].rc || s.count != cases[i].count)
			printf("%s: %d %zu %s\n", cases[i].range, rc, s.count, e.text);
		CU_ASSERT_TRUE(rc == cases[i].rc && s.count == cases[i].count);
		free(s.slots);
	}
	end();
}

static const struct unit_test tests[] = {
	{"slots stay", slots_stay}, {"slots survive", slots_survive}, {"domains count", domains_count}, {"domain places come back", domain_places_come_back}, {"selections", selections},
};
UNIT_MAIN("model", tests)
