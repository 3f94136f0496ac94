/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pools, software, balancers and services of the wanted state: what is refused, with which words, and what is not. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/cluster.h"
#include "config/pool_text.h"
#include "tests/unit/unit.h"

union any_object {
	struct config_head head;
	struct config_node node;
	struct config_service service;
	char room[4096];
};

static void set(struct cluster *c, enum config_kind kind, const char *name, const char *json, uint32_t line)
{
	union any_object object;
	struct error e = {0};
	json_t *merged = json_loads(json, 0, NULL); /* of a member that is there twice the last one counts */
	char *text = json_dumps(merged, 0);

	int rc = config_from_json(kind, name, text, &object, &e);
	json_decref(merged);
	free(text);
	if (rc)
		printf("%s %s: %s\n", config_kind_name[kind], name, e.text);
	CU_ASSERT_EQUAL_FATAL(rc, 0);
	object.head.line = line;
	cluster_set(c, kind, &object);
}

#define WEB "\"balancer\":\"lb1\",\"pool\":\"web\",\"agent\":\"systemd:nginx\""

/* Eight nodes of two groups, one of them with IPv6, and a service that keeps every rule. */
static void sound_cluster(struct cluster *c)
{
	char name[16], json[160];

	cluster_init(c);
	set(c, CONFIG_SNMP, "old", "{\"version\":\"2c\"}", 1);
	set(c, CONFIG_GROUP, "g1", "{}", 1);
	set(c, CONFIG_GROUP, "g2", "{}", 1);
	for (int i = 1; i <= 8; i++) {
		text_format(name, sizeof name, "n%d", i);
		text_format(json, sizeof json, "{\"group\":\"%s\",\"snmp\":\"old\",\"address\":\"%s%d\"}", i <= 6 ? "g1" : "g2", i < 8 ? "10.1.0." : "fd00::", i);
		set(c, CONFIG_NODE, name, json, 1);
	}
	set(c, CONFIG_POOL, "web", "{\"nodes\":\"n[1-6]\"}", 1);
	set(c, CONFIG_SOFTWARE, "nginx", "{\"package\":\"nginx-light\"}", 1);
	set(c, CONFIG_BALANCER, "lb1", "{\"driver\":\"haproxy\"}", 1);
	set(c, CONFIG_BALANCER, "lvs", "{\"driver\":\"ipvs\",\"address\":\"10.1.1.1\",\"ssh\":\"control\"}", 1);
	set(c, CONFIG_BALANCER, "f5", "{\"driver\":\"f5\",\"address\":\"10.1.1.5\",\"snmp\":\"old\"}", 1);
	set(c, CONFIG_SERVICE, "first", "{" WEB ",\"virtuals\":\"10.9.0.1:80, 10.9.0.1:53/udp>5353\",\"balancer\":\"lvs\"}", 1);
}

static const struct rule {
	enum config_kind kind;
	const char *name, *json, *why, *remedy; /* why NULL: it is taken */
} rules[] = {
	{CONFIG_POOL, "p", "{\"nodes\":\"n[7-8]\"}", NULL, NULL},
	{CONFIG_POOL, "p", "{\"nodes\":\"@g2\",\"reserve\":1}", NULL, NULL},
	{CONFIG_POOL, "p", "{}", "has no nodes", "n[001-008]"},
	{CONFIG_POOL, "p", "{\"nodes\":\"@nix\"}", "names no group", "@GROUP"},
	{CONFIG_POOL, "p", "{\"nodes\":\"n[8-9]\"}", "node n9 does not exist", "add that node"},
	{CONFIG_POOL, "p", "{\"nodes\":\"n[6-7]\"}", "node n6 is in pool web too", "one pool only"},
	{CONFIG_POOL, "p", "{\"nodes\":\"@site\"}", "is in pool web too", "one pool only"},
	{CONFIG_POOL, "p", "{\"nodes\":\"n7,n8,n7\",\"reserve\":2}", "reserve 2 leaves none of its 2 nodes", "add nodes"},
	{CONFIG_SOFTWARE, "s", "{\"package\":\"libstdc++6\",\"version\":\"1:1.22.1-9~deb12u1\"}", NULL, NULL},
	{CONFIG_SOFTWARE, "s", "{}", "has no package", "nginx"},
	{CONFIG_SOFTWARE, "s", "{\"package\":\"Nginx\"}", "no name of a Debian package", "apt"},
	{CONFIG_SOFTWARE, "s", "{\"package\":\"a;reboot\"}", "no name of a Debian package", "apt"},
	{CONFIG_SOFTWARE, "s", "{\"package\":\"ab\",\"version\":\"-1\"}", "version -1 is none", "apt"},
	{CONFIG_SOFTWARE, "s", "{\"package\":\"ab\",\"source\":\"http://x/\"}", "no line of apt's sources", "deb "},
	{CONFIG_SOFTWARE, "s", "{\"package\":\"ab\",\"target\":\"/opt/x\"}", "no digest and no target", "bundle"},
#define SHA "\"digest\":\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\""
#define BUNDLE "\"kind\":\"bundle\",\"source\":\"/srv/site.tar\",\"target\":\"/opt/site\""
	{CONFIG_SOFTWARE, "s", "{" BUNDLE "," SHA "}", NULL, NULL},
	{CONFIG_SOFTWARE, "s", "{\"kind\":\"bundle\",\"source\":\"https://i/w.squashfs\",\"target\":\"/opt/w\"," SHA "}", NULL, NULL},
	{CONFIG_SOFTWARE, "s", "{" BUNDLE "}", "a bundle needs a digest", "digest="},
	{CONFIG_SOFTWARE, "s", "{" BUNDLE ",\"digest\":\"9F86\"}", "no sha256", "sha256sum"},
	{CONFIG_SOFTWARE, "s", "{" BUNDLE "," SHA ",\"package\":\"ab\"}", "has no package", "leave it out"},
	{CONFIG_SOFTWARE, "s", "{\"kind\":\"bundle\",\"target\":\"/opt/site\"," SHA "}", "needs a source", "source="},
	{CONFIG_SOFTWARE, "s", "{\"kind\":\"bundle\",\"source\":\"/srv/site.tar\"," SHA "}", "needs a target", "target="},
	{CONFIG_SOFTWARE, "s", "{\"kind\":\"bundle\",\"source\":\"/srv/site.zip\",\"target\":\"/opt/site\"," SHA "}", "neither in .tar", "squashfs"},
	{CONFIG_SOFTWARE, "s", "{\"kind\":\"bundle\",\"source\":\"ftp://x/site.tar\",\"target\":\"/opt/site\"," SHA "}", "neither a URL nor a path", ""},
	{CONFIG_SOFTWARE, "s", "{\"kind\":\"bundle\",\"source\":\"/a$(b).tar\",\"target\":\"/opt/site\"," SHA "}", "neither a URL nor a path", ""},
	{CONFIG_SOFTWARE, "s", "{\"kind\":\"bundle\",\"source\":\"/srv/site.tar\",\"target\":\"/\"," SHA "}", "no directory of its own", "/opt/web"},
	{CONFIG_SOFTWARE, "s", "{\"kind\":\"bundle\",\"source\":\"/srv/site.tar\",\"target\":\"/opt/..\"," SHA "}", "no directory of its own", ""},
	{CONFIG_BALANCER, "b", "{\"driver\":\"nftables\",\"address\":\"10.1.1.7\",\"ssh\":\"control\"}", NULL, NULL},
	{CONFIG_BALANCER, "b", "{\"driver\":\"nftables\"}", "of this machine may not", "of a director"},
	{CONFIG_BALANCER, "b", "{\"driver\":\"haproxy\",\"options\":\"socket=/run/two.sock\"}", NULL, NULL},
	{CONFIG_BALANCER, "b", "{}", "has no driver", "haproxy"},
	{CONFIG_BALANCER, "b", "{\"driver\":\"haproxy\"}", "is the same as balancer lb1", "one of them"},
	{CONFIG_BALANCER, "b", "{\"driver\":\"haproxy\",\"address\":\"10.1.1.9\"}", "has an address but no ssh", "ssh="},
	{CONFIG_BALANCER, "b", "{\"driver\":\"haproxy\",\"ssh\":\"control\"}", "has an ssh credential but no address", "this machine"},
	{CONFIG_BALANCER, "b", "{\"driver\":\"haproxy\",\"snmp\":\"old\"}", "takes no snmp", "leave snmp out"},
	{CONFIG_BALANCER, "b", "{\"driver\":\"alteon\"}", "needs the switch's address", "address="},
	{CONFIG_BALANCER, "b", "{\"driver\":\"alteon\",\"address\":\"10.1.1.9\"}", "needs an snmp credential", "snmp="},
	{CONFIG_BALANCER, "b", "{\"driver\":\"cisco-slb\",\"address\":\"10.1.1.9\",\"snmp\":\"old\",\"ssh\":\"control\"}", "not over ssh", "leave ssh"},
	{CONFIG_BALANCER, "b", "{\"driver\":\"alteon\",\"address\":\"10.1.1.9\",\"snmp\":\"nix\"}", "snmp nix does not exist", "add a <snmp"},
	{CONFIG_BALANCER, "b", "{\"driver\":\"haproxy\",\"router\":7}", "only directors of driver ipvs", "leave peer"},
	{CONFIG_BALANCER, "b", "{\"driver\":\"ipvs\",\"peer\":\"10.1.1.8\",\"ssh\":\"control\"}", "a peer but no interface", "eth0"},
	{CONFIG_BALANCER, "b", "{\"driver\":\"ipvs\",\"router\":7}", "a router but no interface", "eth0"},
	{CONFIG_BALANCER, "b", "{\"driver\":\"ipvs\",\"peer\":\"10.1.1.8\",\"interface\":\"eth0\"}", "a peer but no ssh", "ssh="},
	{CONFIG_BALANCER, "b", "{\"driver\":\"ipvs\",\"peer\":\"10.1.1.8\",\"interface\":\"eth0\",\"ssh\":\"control\"}", NULL, NULL},
	{CONFIG_BALANCER, "b", "{\"driver\":\"ipvs\",\"address\":\"10.1.1.8\",\"peer\":\"10.1.1.8:222\",\"interface\":\"eth0\",\"ssh\":\"control\"}",
	 "its own address", "other director"},
	{CONFIG_BALANCER, "b", "{\"driver\":\"haproxy\",\"options\":\"table\"}", "option table is not NAME=VALUE", "socket="},
	{CONFIG_BALANCER, "b", "{\"driver\":\"haproxy\",\"options\":\"a=1 b=2 a=3\"}", "option a is there twice", "one of them"},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"10.9.0.2:80\",\"software\":\"nginx\",\"min\":3,\"max\":5,\"pin\":4}", NULL, NULL},
	{CONFIG_SERVICE, "s", "{\"virtuals\":\"10.9.0.2:80\",\"pool\":\"web\",\"agent\":\"systemd:x\"}", "has no balancer", "lb1"},
	{CONFIG_SERVICE, "s", "{" WEB "}", "has no virtuals", "10.1.0.100:80"},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"10.9.0.2:80\",\"balancer\":\"lb9\"}", "balancer lb9 does not exist", "add a <balancer"},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"10.9.0.2:80\",\"pool\":\"nix\"}", "pool nix does not exist", "add a <pool"},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"10.9.0.2:80\",\"software\":\"nix\"}", "software nix does not exist", "add a <software"},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"10.9.0.2:80\",\"min\":5,\"max\":4}", "min 5 is more than max 4", "max"},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"10.9.0.2:80\",\"min\":6}", "min 6 is more than pool web can give: 6 nodes, 1 of them", "add nodes"},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"10.9.0.2:80\",\"pin\":9}", "pin 9 is more than max 8", "raise max"},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"10.9.0.2:80\",\"pin_until\":\"2026-12-31T00:00:00Z\"}", "a pin-until but no pin", "pin="},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"10.9.0.2:80\",\"probe_timeout_ms\":2000}", "is longer than probe-interval-ms", "or less"},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"10.9.0.2:80\",\"schedule\":\"daily 08:00-09:00 9\"}", "schedule asks for 9", "raise max"},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"10.9.0.2:80\",\"schedule\":\"someday\"}", "schedule: ", ""},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"10.9.0.2:80\",\"probe\":\"ask nicely\"}", "probe: ", ""},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"10.9.0.2:80\",\"parameters\":\"x\"}", "parameters: ", ""},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"10.9.0.2:80\",\"agent\":\"/etc/init.d/x\"}", "agent: ", ""},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"10.9.0.2\"}", "virtuals: ", ""},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"10.9.0.2:80\",\"scheduler\":\"wllc\"}", "scheduler wllc is none", "did you mean wlc"},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"10.9.0.2:80\",\"forwarding\":\"direct\"}", "does not do forwarding direct", "ipvs"},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"mark 7>80\"}", "knows no firewall marks", "ipvs"},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"10.9.0.2:53/udp\"}", "carries no udp", "nftables"},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"10.9.0.2:80>8080\",\"forwarding\":\"direct\",\"balancer\":\"lvs\"}", "leaves port 80 as it is", "nat"},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"mark 7>80\",\"forwarding\":\"direct\",\"balancer\":\"lvs\"}", NULL, NULL},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"[fd00::2]:80\"}", NULL, NULL},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"[fd00::2]:80\",\"balancer\":\"lvs\"}", "a virtual address is IPv6, node n1 of pool web is IPv4", "haproxy"},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"[fd00::2]:80\",\"balancer\":\"lvs\",\"forwarding\":\"tunnel\"}", NULL, NULL},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"10.9.0.2:80\",\"balancer\":\"f5\"}", NULL, NULL},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"10.9.0.2:80\",\"balancer\":\"f5\",\"persistence\":60}", "only enables and disables", "on the switch"},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"10.9.0.2:80, 10.9.0.1:80\"}", "virtual 10.9.0.1:80 is that of service first too", "its own"},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"10.9.0.1:53/udp\",\"balancer\":\"lvs\"}", "virtual 10.9.0.1:53/udp is that of service first", ""},
	{CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"10.9.0.1:53\"}", NULL, NULL}, /* tcp, beside another's udp */
};

static void test_rules(void)
{
	for (size_t i = 0; i < COUNT_OF(rules); i++) {
		const struct rule *r = &rules[i];
		struct error e = {0};
		struct cluster c;
		uint32_t line = 0;
		sound_cluster(&c);
		CU_ASSERT_EQUAL(cluster_check(&c, &e), 0);
		set(&c, r->kind, r->name, r->json, 7);
		int rc = cluster_check_line(&c, &e, &line);
		bool right = r->why ? rc == ERR_CONFIG && line == 7 && strstr(e.text, r->why) && strstr(e.remedy, r->remedy) && e.remedy[0] : rc == 0;
		if (!right)
			printf("%s %s: %d line %u \"%s\" \"%s\" \"%s\"\n", r->name, r->json, rc, line, e.object, e.text, e.remedy);
		CU_ASSERT_TRUE(right);
		cluster_clear(&c);
	}
}

/* What others lean on cannot be taken away. */
static void test_removal(void)
{
	static const struct {
		enum config_kind kind;
		const char *name, *object, *why;
	} leaned_on[] = {
		{CONFIG_POOL, "web", "service first", "pool web does not exist"},
		{CONFIG_BALANCER, "lvs", "service first", "balancer lvs does not exist"},
		{CONFIG_NODE, "n3", "pool web", "node n3 does not exist"},
	};

	for (size_t i = 0; i < COUNT_OF(leaned_on); i++) {
		struct cluster c;
		struct error e = {0};
		sound_cluster(&c);
		CU_ASSERT_TRUE(cluster_remove(&c, leaned_on[i].kind, leaned_on[i].name));
		CU_ASSERT_EQUAL(cluster_check(&c, &e), ERR_CONFIG);
		CU_ASSERT_STRING_EQUAL(e.object, leaned_on[i].object);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, leaned_on[i].why));
		cluster_clear(&c);
	}
}

static void test_same_mark(void)
{
	struct error e = {0};
	struct cluster c;

	sound_cluster(&c);
	set(&c, CONFIG_BALANCER, "two", "{\"driver\":\"ipvs\"}", 2);
	set(&c, CONFIG_SERVICE, "a", "{" WEB ",\"virtuals\":\"mark 7>80\",\"balancer\":\"lvs\"}", 2);
	set(&c, CONFIG_SERVICE, "b", "{" WEB ",\"virtuals\":\"mark 7>80\",\"balancer\":\"two\"}", 2);
	CU_ASSERT_EQUAL(cluster_check(&c, &e), 0); /* each balancer has marks of its own */
	set(&c, CONFIG_SERVICE, "b", "{" WEB ",\"virtuals\":\"mark 7>81\",\"balancer\":\"lvs\"}", 3);
	CU_ASSERT_EQUAL(cluster_check(&c, &e), ERR_CONFIG);
	CU_ASSERT_STRING_EQUAL(e.object, "service b");
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "virtual mark 7 is that of service a too"));
	cluster_clear(&c);
}

static void test_forms(void)
{
	union any_object o;
	struct error e;

	/* what is true unless it is said has to be said when it is false */
	CU_ASSERT_EQUAL(config_from_json(CONFIG_SERVICE, "s", "{" WEB ",\"virtuals\":\"10.9.0.2:80\",\"enabled\":false}", &o, &e), 0);
	char *text = config_to_json(CONFIG_SERVICE, &o);
	json_t *j = json_loads(text, 0, NULL);
	CU_ASSERT_TRUE(json_is_false(json_object_get(j, "enabled")));
	CU_ASSERT_PTR_NULL(json_object_get(j, "spare"));
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(j, "warm_s")), 60);
	json_decref(j);
	free(text);
	/* an address without a port has that of its driver, in whichever order they come */
	struct config_balancer b;
	CU_ASSERT_EQUAL(config_object_init(CONFIG_BALANCER, "b", &b, &e), 0);
	CU_ASSERT_EQUAL(config_set_field(CONFIG_BALANCER, &b, "address", "10.1.1.1", &e), 0);
	CU_ASSERT_EQUAL(config_set_field(CONFIG_BALANCER, &b, "driver", "alteon", &e), 0);
	CU_ASSERT_EQUAL(b.address.port, 161);
	CU_ASSERT_EQUAL(config_from_json(CONFIG_BALANCER, "b", "{\"peer\":\"fd00::1\",\"driver\":\"ipvs\",\"address\":\"10.1.1.1:2222\"}", &o, &e), 0);
	CU_ASSERT_EQUAL(((struct config_balancer *)&o)->address.port, 2222);
	CU_ASSERT_EQUAL(((struct config_balancer *)&o)->peer.port, 22);
	CU_ASSERT_EQUAL(config_set_field(CONFIG_SERVICE, &o, "virtualz", "x", &e), ERR_CONFIG);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.remedy, "virtuals"));
}

/* A node leaves a pool and comes to another one; what cannot be written so is left as it was. */
static void test_pool_text(void)
{
	static const struct {
		const char *before, *node;
		bool in;
		const char *after; /* NULL: refused */
	} cases[] = {
		{"n[001-004]", "n002", false, "n[001,003-004]"}, {"n[001,003-004]", "n002", true, "n[001-004]"}, {"n[001-004]", "n009", false, "n[001-004]"},
		{"n[001-004]", "n003", true, "n[001-004]"}, {"n001", "n001", false, NULL}, {"@g01", "n001", false, NULL}, {"@site", "n001", true, NULL},
		{"", "n001", true, NULL}, {"n001", "db1", true, "db1,n001"}, {"n[1-3", "n2", false, "n[1-3"}, {"n[1-3", "n4", true, NULL},
	};
	struct config_pool pool;
	struct error e;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		memset(&pool, 0, sizeof pool);
		text_copy(pool.nodes, sizeof pool.nodes, cases[i].before);
		int rc = pool_change_node(&pool, cases[i].node, cases[i].in, &e);
		if ((rc == 0) != (cases[i].after != NULL) || strcmp(pool.nodes, cases[i].after ? cases[i].after : cases[i].before) != 0)
			printf("\n  %s %s: %d %s\n", cases[i].before, cases[i].node, rc, pool.nodes);
		CU_ASSERT_EQUAL(rc, cases[i].after ? 0 : ERR_CONFIG);
		CU_ASSERT_STRING_EQUAL(pool.nodes, cases[i].after ? cases[i].after : cases[i].before);
	}
	/* a text that would be too long is refused, and nothing of it is kept */
	memset(&pool, 0, sizeof pool);
	size_t used = 0;
	for (int n = 0; n < 35; n++)
		text_append(pool.nodes, sizeof pool.nodes, &used, "%snode%c%c", n ? "," : "", 'a' + n % 26, 'a' + n / 26);
	char before[sizeof pool.nodes];
	memcpy(before, pool.nodes, sizeof before);
	CU_ASSERT_EQUAL(pool_change_node(&pool, "a-node-of-a-long-name", true, &e), ERR_CONFIG);
	CU_ASSERT_STRING_EQUAL(pool.nodes, before);
	CU_ASSERT(!pool_has_node(&pool, "node") && pool_names_nodes(&pool));
}

static const struct unit_test tests[] = {
	{"rules", test_rules},
	{"removal", test_removal},
	{"marks", test_same_mark},
	{"forms", test_forms},
	{"pool text", test_pool_text},
};
UNIT_MAIN("config service", tests)
