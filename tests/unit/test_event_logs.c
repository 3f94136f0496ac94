/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine keeps event logs: what comes while something else of the same log is being written is kept after it, once. */
#include "tests/fuzz/engine_alone.h"

#include "tests/unit/unit.h"

enum { SLOT = 0 };

static void make_site(void)
{
	struct cluster c;
	struct config_group g = {.policy = POLICY_REPAIR};
	struct config_snmp credential = {.version = 2};
	struct config_node n = {.wanted_power = POWER_ON};

	cluster_init(&c);
	text_copy(c.site, sizeof c.site, "alone");
	text_copy(g.head.name, sizeof g.head.name, "g01");
	text_copy(credential.head.name, sizeof credential.head.name, "old");
	cluster_set(&c, CONFIG_GROUP, &g);
	cluster_set(&c, CONFIG_SNMP, &credential);
	text_copy(n.head.name, sizeof n.head.name, "n001");
	text_copy(n.group, sizeof n.group, "g01");
	text_copy(n.snmp, sizeof n.snmp, "old");
	address_parse("10.0.0.1", 161, &n.address);
	cluster_set(&c, CONFIG_NODE, &n);
	engine_alone_commit(&c);
	drain();
}

static struct msg_sel_entry entry(uint16_t id)
{
	struct msg_sel_entry m = {.slot = SLOT, .generation = engine.model.nodes[SLOT].generation, .record_id = id, .record_type = 2, .raw = {[0] = (uint8_t)id}};

	return m;
}

static void batch(uint16_t id)
{
	struct msg_sel_entry m = entry(id);

	records_sel(&engine, &m, 1);
}

static void state(uint32_t added)
{
	struct msg_sel_state m = {.slot = SLOT, .generation = engine.model.nodes[SLOT].generation, .added = added, .entries = 1, .error = BMC_OK};

	records_sel_state(&engine, &m);
}

static const struct node_records *kept(void)
{
	return records_of(&engine, SLOT);
}

static void test_behind_a_stamp(void)
{
	uint64_t before = kept()->last;

	state(1);
	batch(7);
	CU_ASSERT(kept()->busy && kept()->last == before);
	deliver();
	CU_ASSERT(!kept()->busy && kept()->known.added == 1);
	CU_ASSERT(kept()->last == before + 1 && kept()->known.last_id == 7);
}

static void test_sent_again(void)
{
	uint64_t before = kept()->last;

	batch(8);
	batch(8);
	deliver();
	CU_ASSERT(!kept()->busy && kept()->last == before + 1 && kept()->known.last_id == 8);
	batch(9);
	deliver();
	CU_ASSERT(kept()->last == before + 2 && kept()->known.last_id == 9);
}

static void test_sent_again_with_more(void)
{
	struct msg_sel_entry both[] = {entry(20), entry(21)};
	uint64_t before = kept()->last;

	batch(20);
	records_sel(&engine, both, 2);
	deliver();
	CU_ASSERT(!kept()->busy && kept()->last == before + 2 && kept()->known.last_id == 21);
}

static void test_store_refuses(void)
{
	uint64_t before = kept()->last;

	write_status = STORE_UNAVAILABLE;
	state(2);
	write_status = STORE_OK;
	batch(10);
	deliver();
	CU_ASSERT(!kept()->busy && kept()->known.added == 1 && kept()->last == before + 1 && kept()->known.last_id == 10);
}

static void test_node_goes(void)
{
	state(3);
	batch(11);
	records_removed(&engine, SLOT);
	CU_ASSERT(kept()->last == 0 && !kept()->busy);
	deliver();
}

static void test_event_logs(void)
{
	engine_alone_begin();
	make_site();
	test_behind_a_stamp();
	test_sent_again();
	test_sent_again_with_more();
	test_store_refuses();
	test_node_goes();
}

static const struct unit_test tests[] = {
    {"kept one after the other", test_event_logs},
};
UNIT_MAIN("event logs", tests)
