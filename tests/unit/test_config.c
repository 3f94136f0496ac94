/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The wanted state without XML: arrays, rules, JSON, differences, packing, fields by name; the rules of the settings. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/cluster.h"
#include "config/settings.h"
#include "config/xml_child.h"
#include "tests/unit/random_cluster.h"
#include "tests/unit/unit.h"

union any_object {
	struct config_node node;
	struct config_item item;
	char room[4096];
};

static const char *object_at(const struct cluster *c, enum config_kind kind, size_t i)
{
	return (const char *)c->objects[kind] + i * config_size[kind];
}

static size_t differences(const struct cluster *a, const struct cluster *b)
{
	struct cluster result;
	struct config_diff diff;

	cluster_diff(a, b, true, &result, &diff);
	size_t count = diff.count;
	for (size_t i = 0; i < count && i < 3; i++)
		printf("differs: %s %s: %s\n", config_kind_name[diff.changes[i].kind], diff.changes[i].name, diff.changes[i].fields);
	config_diff_clear(&diff);
	cluster_clear(&result);
	return count;
}

static void test_arrays(void)
{
	struct cluster c;
	struct config_group g = {0};
	unsigned seed = 3;
	int present = 0;

	cluster_init(&c);
	for (int i = 0; i < 5000; i++) {
		int n = rand_r(&seed) % 100;
		text_format(g.head.name, CONFIG_NAME, "g%d", n);
		bool there = cluster_find(&c, CONFIG_GROUP, g.head.name) != NULL;
		if (rand_r(&seed) % 3) {
			g.policy = (uint8_t)(1 + n % 3);
			cluster_set(&c, CONFIG_GROUP, &g);
			present += !there;
		} else {
			CU_ASSERT_EQUAL(cluster_remove(&c, CONFIG_GROUP, g.head.name), there);
			present -= there;
		}
		CU_ASSERT_EQUAL(c.count[CONFIG_GROUP], (size_t)present);
	}
	for (size_t i = 0; i < c.count[CONFIG_GROUP]; i++) {
		const struct config_group *found = (const void *)object_at(&c, CONFIG_GROUP, i);
		CU_ASSERT_PTR_EQUAL(cluster_find(&c, CONFIG_GROUP, found->head.name), found);
		CU_ASSERT_EQUAL(found->policy, 1 + (int)strtol(found->head.name + 1, NULL, 10) % 3);
		CU_ASSERT(i == 0 || strcmp(object_at(&c, CONFIG_GROUP, i - 1), found->head.name) < 0);
	}
	CU_ASSERT_PTR_NULL(cluster_find(&c, CONFIG_NODE, "g1"));
	cluster_clear(&c);
}

/* --- rules ------------------------------------------------------------------------------------------------ */

static const struct {
	enum config_kind kind;
	const char *name, *json, *object, *why;
} wrong[] = {
	{CONFIG_NODE, "n9", "{\"v\":1,\"address\":\"10.9.9.9\",\"snmp\":\"s0\"}", "node n9", "has no group"},
	{CONFIG_NODE, "n9", "{\"v\":1,\"group\":\"g0\",\"snmp\":\"s0\"}", "node n9", "has no address"},
	{CONFIG_NODE, "n9", "{\"v\":1,\"group\":\"g0\",\"address\":\"10.9.9.9\"}", "node n9", "has no snmp"},
	{CONFIG_NODE, "n9", "{\"v\":1,\"group\":\"nix\",\"address\":\"10.9.9.9\",\"snmp\":\"s0\"}", "node n9", "group nix does not exist"},
	{CONFIG_NODE, "n9", "{\"v\":1,\"group\":\"g0\",\"address\":\"10.9.9.9\",\"snmp\":\"zz\"}", "node n9", "snmp zz does not exist"},
	{CONFIG_NODE, "n9", "{\"v\":1,\"group\":\"g0\",\"address\":\"10.9.9.9\",\"snmp\":\"s0\",\"bmc\":\"10.9.9.8\"}", "node n9",
	 "no bmc-credential"},
	{CONFIG_NODE, "n9", "{\"v\":1,\"group\":\"g0\",\"address\":\"10.9.9.9\",\"snmp\":\"s0\",\"switch_port\":5}", "node n9", "no switch"},
	{CONFIG_NODE, "zz", "{\"v\":1,\"group\":\"g0\",\"address\":\"10.161.0.1\",\"snmp\":\"s0\"}", "node zz", "that of node n000 too"},
	{CONFIG_SNMP, "x", "{\"v\":1}", "snmp x", "has no version"},
	{CONFIG_SNMP, "x", "{\"v\":1,\"version\":\"3\"}", "snmp x", "needs a user"},
	{CONFIG_SNMP, "x", "{\"v\":1,\"version\":\"3\",\"user\":\"u\"}", "snmp x", "without authentication"},
	{CONFIG_SNMP, "x", "{\"v\":1,\"version\":\"2c\",\"user\":\"u\"}", "snmp x", "has no user"},
	{CONFIG_BMC, "x", "{\"v\":1}", "bmc x", "has no user"},
	{CONFIG_ITEM, "x", "{\"v\":1,\"scope\":\"@nogroup\"}", "item x", "names no group"},
	{CONFIG_ITEM, "x", "{\"v\":1,\"oid\":\"1.3.6.1\"}", "item x", "does not end in .0"},
	{CONFIG_ITEM, "x", "{\"v\":1,\"oid\":\"1.3.6.1.0\",\"instances\":\"1.3.6.2\"}", "item x", "oid of a scalar"},
	{CONFIG_ITEM, "x", "{\"v\":1,\"oid\":\"1.3.6.1.0\",\"include\":\"sd*\"}", "item x", "a filter but no rows"},
	{CONFIG_ITEM, "x", "{\"v\":1,\"oid\":\"1.3.6.1\",\"instances\":\"1.3.6.2\",\"include\":\"sd[a-\"}", "item x", "no list of patterns"},
	{CONFIG_ITEM, "x", "{\"v\":1,\"oid\":\"1.3.6.1\",\"instances\":\"1.3.6.2\",\"exclude\":\"a,,b\"}", "item x", "no list of patterns"},
	{CONFIG_ITEM, "x", "{\"v\":1,\"include\":\"sd*\"}", "item x", "brings its own oid"},
	{CONFIG_ITEM, "x", "{\"v\":1,\"counter\":true}", "item x", "brings its own oid"},
	{CONFIG_ITEM, "x", "{\"v\":1,\"expression\":\"a + b\",\"oid\":\"1.3.6.1.0\"}", "item x", "needs no oid"},
	{CONFIG_ITEM, "x", "{\"v\":1,\"expression\":\"a + b\",\"exclude\":\"x\"}", "item x", "no rows of its own"},
	{CONFIG_ITEM, "x", "{\"v\":1,\"expression\":\"a + (b\"}", "item x", "a ) is missing"},
	{CONFIG_NOTIFY, "x", "{\"v\":1,\"address\":\"10.0.0.1\"}", "notify x", "no snmp credential"},
	{CONFIG_NOTIFY, "x", "{\"v\":1,\"address\":\"10.0.0.1\",\"snmp\":\"s1\",\"kind\":\"trap-v2c\"}", "notify x", "of version 3"},
	{CONFIG_NOTIFY, "x", "{\"v\":1,\"address\":\"10.0.0.1\",\"snmp\":\"s0\",\"kind\":\"trap\"}", "notify x", "of version 2c"},
	{CONFIG_NOTIFY, "x", "{\"v\":1,\"address\":\"10.0.0.1\",\"snmp\":\"s0\",\"kind\":\"syslog\"}", "notify x", "takes no snmp"},
	{CONFIG_BRAKE, "repair-percnt", "{\"v\":1,\"value\":5}", "brake repair-percnt", "is no brake"},
	{CONFIG_BRAKE, "repair-percent", "{\"v\":1,\"value\":101}", "brake repair-percent", "no percentage"},
};

static void test_rules(void)
{
	struct error e;

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct cluster c;
		union any_object object;
		random_cluster(0, 60, &c);
		CU_ASSERT_EQUAL_FATAL(cluster_check(&c, &e), 0);
		CU_ASSERT_EQUAL(config_from_json(wrong[i].kind, wrong[i].name, wrong[i].json, &object, &e), 0);
		((struct config_head *)&object)->line = 7;
		cluster_set(&c, wrong[i].kind, &object);
		uint32_t line = 0;
		CU_ASSERT_EQUAL(cluster_check_line(&c, &e, &line), ERR_CONFIG);
		CU_ASSERT_EQUAL(line, 7);
		CU_ASSERT_STRING_EQUAL(e.object, wrong[i].object);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, wrong[i].why));
		CU_ASSERT(e.remedy[0] != '\0');
		cluster_clear(&c);
	}
}

static void test_too_many(void)
{
	struct cluster c;
	struct config_group g = {.policy = 1};
	struct error e;

	cluster_init(&c);
	for (int i = 0; i < CONFIG_GROUPS_MAX + 1; i++) {
		text_format(g.head.name, CONFIG_NAME, "g%d", i);
		cluster_set(&c, CONFIG_GROUP, &g);
	}
	CU_ASSERT_EQUAL(cluster_check(&c, &e), ERR_CONFIG);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "has 1001 of kind group"));
	CU_ASSERT_TRUE(cluster_remove(&c, CONFIG_GROUP, "g500"));
	CU_ASSERT_EQUAL(cluster_check(&c, &e), 0);
	cluster_clear(&c);
}

/* --- JSON --------------------------------------------------------------------------------------------------- */

static void test_json_round_trip(void)
{
	for (unsigned seed = 0; seed < 20; seed++) {
		struct cluster before, after;
		struct error e = {0};
		random_cluster(seed, 80, &before);
		CU_ASSERT_EQUAL(cluster_check(&before, &e), 0);
		CU_ASSERT_STRING_EQUAL(e.text, "");
		cluster_init(&after);
		for (enum config_kind k = CONFIG_SNMP; k < CONFIG_KIND_COUNT; k++)
			for (size_t i = 0; i < before.count[k]; i++) {
				union any_object object;
				char *text = config_to_json(k, object_at(&before, k, i));
				CU_ASSERT(strlen(text) < 4096);
				CU_ASSERT_EQUAL(config_from_json(k, object_at(&before, k, i), text, &object, &e), 0);
				cluster_set(&after, k, &object);
				free(text);
			}
		CU_ASSERT_EQUAL(differences(&before, &after), 0);
		cluster_clear(&before);
		cluster_clear(&after);
	}
}

static void test_json_form(void)
{
	union any_object o;
	struct error e;
	const char *json = "{\"v\":1,\"group\":\"g1\",\"address\":\"10.0.0.1:1161\",\"snmp\":\"s\",\"bmc\":\"10.0.0.2\",\"bmc_credential\":\"b\","
			   "\"switch_port\":3,\"wanted_power\":\"off\",\"maintenance\":true}";

	CU_ASSERT_EQUAL(config_from_json(CONFIG_NODE, "n1", json, &o, &e), 0);
	CU_ASSERT_EQUAL(o.node.address.port, 1161);
	CU_ASSERT_EQUAL(o.node.bmc.port, 623);
	CU_ASSERT_EQUAL(o.node.switch_port, 3);
	CU_ASSERT_EQUAL(o.node.wanted_power, POWER_OFF);
	char *text = config_to_json(CONFIG_NODE, &o);
	json_t *parsed = json_loads(text, 0, NULL), *given = json_loads(json, 0, NULL);
	CU_ASSERT_TRUE(json_equal(parsed, given));
	json_decref(parsed);
	json_decref(given);
	free(text);
}

static const struct {
	enum config_kind kind;
	const char *name, *json, *why;
} bad_json[] = {
	{CONFIG_NODE, "n1", "", "is not json"},
	{CONFIG_NODE, "n1", "[]", "is not json"},
	{CONFIG_NODE, "n1", "{\"v\":2}", "newer form"},
	{CONFIG_NODE, "n1", "{\"v\":1,\"v\":1}", "is not json"},
	{CONFIG_NODE, "n1", "{\"adress\":\"10.0.0.1\"}", "has no field adress"},
	{CONFIG_NODE, "n1", "{\"address\":\"n1.example\"}", "is not an IPv4 or IPv6 address"},
	{CONFIG_NODE, "n1", "{\"address\":5}", "is not an IPv4 or IPv6 address"},
	{CONFIG_NODE, "n1", "{\"address\":{}}", "not of a form"},
	{CONFIG_NODE, "n1", "{\"address\":\"10.0.0.1\\u0000\"}", "is not json"},
	{CONFIG_NODE, "n1", "{\"name\":\"n2\"}", "has no field name"},
	{CONFIG_NODE, "n1", "{\"uuid\":\"4c4c4544-0032-3010-8058-b4c04f4d4e3\"}", "is not a UUID"},
	{CONFIG_NODE, "n1", "{\"switch_port\":-1}", "whole number"},
	{CONFIG_NODE, "n1", "{\"switch_port\":1.5}", "not of a form"},
	{CONFIG_NODE, "n1", "{\"maintenance\":\"maybe\"}", "true or false"},
	{CONFIG_NODE, "n1", "{\"policy\":\"kill\"}", "repair, tell or hands-off"},
	{CONFIG_NODE, "a/b", "{}", "the name must be"},
	{CONFIG_NODE, "..", "{}", "the name must be"},
	{CONFIG_ITEM, "Item", "{}", "small letters"},
	{CONFIG_ITEM, "item", "{\"oid\":\"1.3.x\"}", "object identifier"},
	{CONFIG_ITEM, "item", "{\"oid\":\"3.1\"}", "object identifier"},
	{CONFIG_ITEM, "item", "{\"oid\":\"1.3.4294967296\"}", "object identifier"},
	{CONFIG_ITEM, "item", "{\"oid\":\"1.3.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1\"}", "object identifier"},
	{CONFIG_ITEM, "item", "{\"scope\":\"n[1-\"}", "scope"},
	{CONFIG_ITEM, "item", "{\"thresholds\":5}", "not a list"},
	{CONFIG_ITEM, "item", "{\"thresholds\":[{}]}", "needs a level"},
	{CONFIG_ITEM, "item", "{\"thresholds\":[{\"level\":\"normal\",\"above\":1}]}", "not one that is raised"},
	{CONFIG_ITEM, "item", "{\"thresholds\":[{\"level\":\"major\",\"above\":1,\"below\":1}]}", "one of above and below"},
	{CONFIG_ITEM, "item", "{\"thresholds\":[{\"level\":\"major\",\"above\":1,\"of\":3,\"in\":2}]}", "3 of 2 samples"},
	{CONFIG_ITEM, "item", "{\"thresholds\":[{\"level\":\"major\",\"above\":1,\"of\":257,\"in\":300}]}", "not a number from 1 to 32"},
	{CONFIG_ITEM, "item", "{\"thresholds\":[{\"level\":\"major\",\"above\":1,\"clear\":2}]}", "would clear at once"},
	{CONFIG_ITEM, "item", "{\"thresholds\":[1,2,3,4,5,6,7]}", "not a list"},
	{CONFIG_BMC, "b", "{\"suite\":0}", "accepts any password"},
	{CONFIG_BMC, "b", "{\"suite\":\"12\"}", "MD5"},
	{CONFIG_BMC, "b", "{\"suite\":5}", "17 or 3"},
	{CONFIG_BMC, "b", "{\"user\":\"seventeen-letters\"}", "at most 16"},
	{CONFIG_BMCMODEL, "b", "{\"workarounds\":[\"opensesspriv\",\"x\"]}", "workarounds x is not"},
	{CONFIG_BMCMODEL, "b", "{\"workarounds\":[1]}", "not of a form"},
};

static void test_json_refuses(void)
{
	for (size_t i = 0; i < COUNT_OF(bad_json); i++) {
		union any_object o;
		struct error e = {0};
		CU_ASSERT_EQUAL(config_from_json(bad_json[i].kind, bad_json[i].name, bad_json[i].json, &o, &e), ERR_CONFIG);
		if (!strstr(e.text, bad_json[i].why))
			printf("%s: %s\n", bad_json[i].json, e.text);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, bad_json[i].why));
		CU_ASSERT(e.object[0] && e.remedy[0]);
	}
}

static void test_set_field(void)
{
	struct config_node n;
	struct error e;

	CU_ASSERT_EQUAL(config_object_init(CONFIG_NODE, "n1", &n, &e), 0);
	CU_ASSERT_EQUAL(n.wanted_power, POWER_ON);
	CU_ASSERT_EQUAL(config_set_field(CONFIG_NODE, &n, "bmc-model", "dell", &e), 0);
	CU_ASSERT_EQUAL(config_set_field(CONFIG_NODE, &n, "bmc_credential", "c", &e), 0);
	CU_ASSERT_STRING_EQUAL(n.bmc_model, "dell");
	CU_ASSERT_STRING_EQUAL(n.bmc_credential, "c");
	CU_ASSERT_EQUAL(config_set_field(CONFIG_NODE, &n, "bmc-model", "", &e), 0);
	CU_ASSERT_STRING_EQUAL(n.bmc_model, "");
	CU_ASSERT_EQUAL(config_set_field(CONFIG_NODE, &n, "wanted-power", "off", &e), 0);
	CU_ASSERT_EQUAL(config_set_field(CONFIG_NODE, &n, "wanted-power", "", &e), 0);
	CU_ASSERT_EQUAL(n.wanted_power, POWER_ON);
	CU_ASSERT_EQUAL(config_set_field(CONFIG_NODE, &n, "wanted-powr", "off", &e), ERR_CONFIG);
	CU_ASSERT_STRING_EQUAL(e.object, "node n1");
	CU_ASSERT_PTR_NOT_NULL(strstr(e.remedy, "did you mean wanted-power"));
	CU_ASSERT_EQUAL(config_set_field(CONFIG_NODE, &n, "address", "10.0.0", &e), ERR_CONFIG);
	CU_ASSERT_EQUAL(n.address.family, 0);
	CU_ASSERT_EQUAL(config_kind_value("node"), CONFIG_NODE);
	CU_ASSERT_EQUAL(config_kind_value("nodes"), 0);
}

/* --- differences --------------------------------------------------------------------------------------------- */

static void test_diff(void)
{
	struct cluster a, b, result;
	struct config_diff diff;

	random_cluster(2, 50, &a);
	random_cluster(2, 50, &b);
	struct config_node n = *(const struct config_node *)cluster_find(&b, CONFIG_NODE, "n010");
	text_copy(n.rack, sizeof n.rack, "elsewhere");
	n.address.port = 1161;
	cluster_set(&b, CONFIG_NODE, &n);
	CU_ASSERT_TRUE(cluster_remove(&b, CONFIG_NODE, "n020"));
	text_copy(n.head.name, CONFIG_NAME, "new");
	cluster_set(&b, CONFIG_NODE, &n);
	cluster_diff(&a, &b, false, &result, &diff);
	CU_ASSERT_EQUAL_FATAL(diff.count, 2);
	CU_ASSERT_EQUAL(diff.changes[0].what, CONFIG_CHANGED);
	CU_ASSERT_STRING_EQUAL(diff.changes[0].name, "n010");
	CU_ASSERT_STRING_EQUAL(diff.changes[0].fields, "address rack");
	CU_ASSERT_EQUAL(diff.changes[1].what, CONFIG_ADDED);
	CU_ASSERT_STRING_EQUAL(diff.changes[1].name, "new");
	CU_ASSERT_PTR_NOT_NULL(cluster_find(&result, CONFIG_NODE, "n020"));
	CU_ASSERT_EQUAL(result.count[CONFIG_NODE], 51);
	config_diff_clear(&diff);
	cluster_clear(&result);
	cluster_diff(&a, &b, true, &result, &diff);
	CU_ASSERT_EQUAL(diff.count, 3);
	CU_ASSERT_EQUAL(diff.changes[1].what, CONFIG_REMOVED);
	CU_ASSERT_PTR_NULL(cluster_find(&result, CONFIG_NODE, "n020"));
	CU_ASSERT_EQUAL(differences(&result, &b), 0);
	config_diff_clear(&diff);
	cluster_clear(&result);
	cluster_clear(&a);
	cluster_clear(&b);
}

/* --- packing -------------------------------------------------------------------------------------------------- */

static void test_pack(void)
{
	struct cluster a, b;
	struct error e;
	size_t size;

	random_cluster(3, 100, &a);
	char *bytes = cluster_pack(&a, &size);
	CU_ASSERT_EQUAL(cluster_unpack(bytes, size, &b, &e), 0);
	CU_ASSERT_EQUAL(differences(&a, &b), 0);
	CU_ASSERT_STRING_EQUAL(a.site, b.site);
	cluster_clear(&b);
	for (size_t cut = 0; cut < size; cut += 97)
		CU_ASSERT(cluster_unpack(bytes, cut, &b, &e) != 0);
	/* any byte may be anything: refused, or a cluster that passes every rule */
	unsigned seed = 11;
	for (int round = 0; round < 600; round++) {
		size_t at = (size_t)rand_r(&seed) % (round % 2 ? 200 : size);
		char was = bytes[at];
		bytes[at] = (char)rand_r(&seed);
		if (cluster_unpack(bytes, size, &b, &e) == 0) {
			CU_ASSERT_EQUAL(cluster_check(&b, &e), 0);
			cluster_clear(&b);
		}
		bytes[at] = was;
	}
	free(bytes);
	cluster_clear(&a);
}

static void test_output_records(void)
{
	struct error e = {0}, said;
	struct cluster c;
	struct settings s;
	size_t size;

	error_set(&e, ERR_CONFIG, "cluster.xml:12", "mend it", "is wrong");
	char *bytes = xml_output_error(&e, &size);
	CU_ASSERT_EQUAL(xml_output_decode(bytes, size, &c, &said), ERR_CONFIG);
	CU_ASSERT_STRING_EQUAL(said.object, "cluster.xml:12");
	CU_ASSERT_EQUAL(xml_output_decode_settings(bytes, size, &s, &said), ERR_CONFIG);
	CU_ASSERT_STRING_EQUAL(said.text, "is wrong");
	CU_ASSERT_EQUAL(xml_output_decode(bytes, size - 1, &c, &said), ERR_REMOTE);
	CU_ASSERT_EQUAL(xml_output_decode(NULL, 0, &c, &said), ERR_REMOTE);
	memset(bytes + 16, 'x', size - 16);
	CU_ASSERT_EQUAL(xml_output_decode(bytes, size, &c, &said), ERR_REMOTE);
	free(bytes);
	settings_default(&s);
	bytes = xml_output_settings(&s, &size);
	CU_ASSERT_EQUAL(xml_output_decode(bytes, size, &c, &said), ERR_REMOTE); /* of the other kind */
	CU_ASSERT_EQUAL(xml_output_decode_settings(bytes, size, &s, &said), ERR_CONFIG); /* no name */
	free(bytes);
}

/* --- settings --------------------------------------------------------------------------------------------------- */

static void test_settings(void)
{
	struct settings s, bent;
	struct error e;

	settings_default(&s);
	text_copy(s.appliance, sizeof s.appliance, "a");
	text_copy(s.site, sizeof s.site, "b");
	settings_complete(&s);
	CU_ASSERT_EQUAL(settings_check(&s, &e), 0);
	CU_ASSERT_STRING_EQUAL(s.store_url, "sqlite:/var/lib/glory/store/glory.db");
	CU_ASSERT_STRING_EQUAL(s.rrd, "/var/lib/glory/rrd");
	CU_ASSERT_EQUAL(s.agent.port, 161);
	CU_ASSERT_EQUAL(s.trap_listener.port, 162);
	CU_ASSERT_EQUAL(s.http.family, 0);
	CU_ASSERT_EQUAL(s.time_scale, 1);
	settings_complete(&s); /* twice is once */
	CU_ASSERT_STRING_EQUAL(s.store_url, "sqlite:/var/lib/glory/store/glory.db");
	bent = s;
	bent.users = SETTINGS_USERS + 1;
	CU_ASSERT_EQUAL(settings_check(&bent, &e), ERR_CONFIG);
	bent = s;
	memset(bent.data, 'x', sizeof bent.data);
	CU_ASSERT_EQUAL(settings_check(&bent, &e), ERR_CONFIG);
	bent = s;
	memset(bent.store_url, 'x', sizeof bent.store_url);
	CU_ASSERT_EQUAL(settings_check(&bent, &e), ERR_CONFIG);
	bent = s;
	bent.agent.family = 9;
	CU_ASSERT_EQUAL(settings_check(&bent, &e), ERR_CONFIG);
	bent = s;
	bent.time_scale = 0.0 / strlen("");
	CU_ASSERT_EQUAL(settings_check(&bent, &e), ERR_CONFIG);
	bent = s;
	bent.users = 1;
	bent.user[0] = (struct settings_user){.name = "c", .kind = SETTINGS_USER_COMMUNITY, .right = RIGHT_ADMIN};
	CU_ASSERT_EQUAL(settings_check(&bent, &e), ERR_CONFIG);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "may only read"));
	bent.user[0].kind = SETTINGS_USER_HTTPS;
	CU_ASSERT_EQUAL(settings_check(&bent, &e), ERR_CONFIG);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "an https user may only read"));
	bent.user[0].right = RIGHT_VIEW;
	CU_ASSERT_EQUAL(settings_check(&bent, &e), 0);
	memset(bent.https_certificate, 'x', sizeof bent.https_certificate);
	CU_ASSERT_EQUAL(settings_check(&bent, &e), ERR_CONFIG);
	bent = s;
	memset(bent.https_key, 'x', sizeof bent.https_key);
	CU_ASSERT_EQUAL(settings_check(&bent, &e), ERR_CONFIG);
}

static const struct unit_test tests[] = {
	{"sorted arrays", test_arrays},
	{"rules", test_rules},
	{"too many", test_too_many},
	{"json: there and back", test_json_round_trip},
	{"json: the form", test_json_form},
	{"json: refuses", test_json_refuses},
	{"fields by name", test_set_field},
	{"differences", test_diff},
	{"packing", test_pack},
	{"records of glory-xml", test_output_records},
	{"settings", test_settings},
};
UNIT_MAIN("config", tests)
