/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random clusters of a fixed seed that pass cluster_check(): for properties that hold for all of them. */
#ifndef GLORY_TESTS_RANDOM_CLUSTER_H
#define GLORY_TESTS_RANDOM_CLUSTER_H

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "board/messages.h"
#include "config/cluster.h"
#include "config/threshold.h"

struct chance {
	unsigned seed;
};

static inline int chance_below(struct chance *c, int n)
{
	return (int)((unsigned)rand_r(&c->seed) % (unsigned)n);
}

static inline void random_address(struct chance *c, int i, bool port, uint16_t usual, struct address *out)
{
	char text[ADDRESS_TEXT];

	if (chance_below(c, 12))
		text_format(text, sizeof text, "10.%d.%d.%d", usual % 250, i / 200, 1 + i % 200);
	else
		text_format(text, sizeof text, "fd00:%x::%x", usual, i + 1);
	address_parse(text, port && !chance_below(c, 9) ? (uint16_t)(1 + i % 60000) : usual, out);
}

static inline void random_credentials(struct chance *c, struct cluster *out)
{
	for (int i = 0; i < 3; i++) {
		struct config_snmp snmp = {.version = i ? 3 : 2};
		struct config_bmc bmc = {.suite = i ? 17 : 3, .privilege = (uint8_t)(2 + chance_below(c, 3))};
		struct config_bmcmodel model = {.suite = i == 1 ? 3 : 0, .workarounds = (uint32_t)chance_below(c, 64), .gap_ms = (uint32_t)chance_below(c, 2000), .accepted = (uint32_t)chance_below(c, 32)};
		text_format(snmp.head.name, CONFIG_NAME, "s%d", i);
		text_format(bmc.head.name, CONFIG_NAME, "b%d", i);
		text_format(model.head.name, CONFIG_NAME, "m%d", i);
		text_copy(bmc.user, sizeof bmc.user, i ? "operator" : "a&<\"> b");
		if (i) {
			text_copy(snmp.user, CONFIG_NAME, "glory");
			snmp.auth = (uint8_t)i;
			snmp.priv = (uint8_t)chance_below(c, 2);
		}
		cluster_set(out, CONFIG_SNMP, &snmp);
		cluster_set(out, CONFIG_BMC, &bmc);
		cluster_set(out, CONFIG_BMCMODEL, &model);
	}
}

static inline void random_threshold(struct chance *c, struct config_threshold *out)
{
	static const char *const kinds[] = {"value", "rate", "no-data", "forecast", "deviation"};
	static const char *const times[] = {"10m", "90s", "3d", "2w", "6h"};
	struct threshold_draft d = {0};
	char value[40], clear[40];
	int kind = chance_below(c, 5), below = chance_below(c, 2);
	double limit = rand_r(&c->seed) / 977.0 + 3;
	struct error e;

	text_format(value, sizeof value, "%.17g", limit);
	text_format(clear, sizeof clear, "%.17g", limit + (below && kind != 4 ? 1 : -1) * chance_below(c, 3));
	threshold_set(&d, "level", chance_below(c, 2) ? "warning" : "critical", &e);
	threshold_set(&d, "kind", kinds[kind], &e);
	if (kind != 2)
		threshold_set(&d, below ? "below" : "above", value, &e);
	if (kind == 1 || kind == 2 || kind == 3)
		threshold_set(&d, "window", times[chance_below(c, 5)], &e);
	if (kind == 3)
		threshold_set(&d, "within", times[chance_below(c, 5)], &e);
	if (kind == 1)
		threshold_set(&d, "per", chance_below(c, 2) ? "hour" : "second", &e);
	if (kind < 2 || kind == 4) {
		threshold_set(&d, "clear", clear, &e);
		threshold_set(&d, "of", "3", &e);
		threshold_set(&d, "in", chance_below(c, 2) ? "3" : "9", &e);
	}
	if (threshold_finish(&d, &e))
		abort();
	*out = d.t;
}

static inline void random_items(struct chance *c, struct cluster *out)
{
	for (int i = 0; i < 6; i++) {
		struct config_item item = {.interval_s = (uint32_t)(1 + chance_below(c, 600)), .counter = (uint8_t)chance_below(c, 2)};
		text_format(item.head.name, CONFIG_NAME, "item_%d", i);
		text_copy(item.scope, CONFIG_NAME, i == 0 ? "@site" : i == 1 ? "@g0" : "n[001-300]");
		text_copy(item.unit, sizeof item.unit, "<&\"'> x");
		item.oid_length = (uint8_t)(2 + chance_below(c, 23));
		for (int k = 0; k < item.oid_length; k++)
			item.oid[k] = k == 0 ? 1 : k == 1 ? 3 : (uint32_t)rand_r(&c->seed) * 2;
		item.oid[item.oid_length - 1] = i % 2;
		if (i % 2)
			text_copy(item.instances, CONFIG_NAME, "1.3.6.1.2");
		if (i == 3)
			text_copy(item.include, sizeof item.include, "sd*,<&\"'>[!a-c]?");
		if (i == 4) {
			memset(item.oid, 0, sizeof item.oid);
			item.oid_length = item.counter = 0;
			text_copy(item.expression, sizeof item.expression, "max(item_1, 2) / item_0 - 0.5");
		}
		item.thresholds = (uint8_t)chance_below(c, CONFIG_THRESHOLDS + 1);
		for (int k = 0; k < item.thresholds; k++) {
			random_threshold(c, &item.threshold[k]);
		}
		config_set_field(CONFIG_ITEM, &item, "unit", item.unit, NULL); /* and with it what follows from other fields */
		cluster_set(out, CONFIG_ITEM, &item);
	}
}

static inline void random_others(struct chance *c, struct cluster *out, int groups)
{
	static const char *const brakes[] = {"power-on-per-second", "destructive-per-minute", "repair-percent"};
	static const char *const credentials[] = {"", "s1", "s0", "s2", ""};

	for (int i = 0; i < groups; i++) {
		struct config_group group = {.policy = (uint8_t)(1 + chance_below(c, 3))};
		struct config_switch sw = {.snmp = "s0"};
		struct config_pdu pdu = {.snmp = "s1"};
		text_format(group.head.name, CONFIG_NAME, "g%d", i);
		text_format(sw.head.name, CONFIG_NAME, "sw%d", i);
		text_format(pdu.head.name, CONFIG_NAME, "pdu%d", i);
		if (chance_below(c, 2))
			text_format(sw.group, CONFIG_NAME, "g%d", i);
		if (chance_below(c, 2))
			random_address(c, i, true, 161, &group.reference);
		random_address(c, i, true, 161, &sw.address);
		random_address(c, i, true, 161, &pdu.address);
		cluster_set(out, CONFIG_GROUP, &group);
		cluster_set(out, CONFIG_SWITCH, &sw);
		cluster_set(out, CONFIG_PDU, &pdu);
	}
	for (int i = 0; i < 3; i++) {
		struct config_watch watch = {.min = (uint32_t)chance_below(c, 3), .max = (uint32_t)(3 + chance_below(c, 9)),
					     .interval_s = (uint32_t)(10 + chance_below(c, 600))};
		text_format(watch.head.name, CONFIG_NAME, "w%d", i);
		text_copy(watch.process, sizeof watch.process, i ? "s*d <&\"'>" : "sshd");
		text_copy(watch.arguments, sizeof watch.arguments, i == 2 ? "*-D ?&x" : "");
		text_copy(watch.scope, sizeof watch.scope, i ? "@g0" : "@site");
		cluster_set(out, CONFIG_WATCH, &watch);
	}
	for (int i = 0; i < 3; i++) {
		struct config_check check = {.interval_s = (uint32_t)(10 + chance_below(c, 600)), .timeout_s = (uint32_t)(1 + chance_below(c, 9))};
		text_format(check.head.name, CONFIG_NAME, "c%d", i);
		text_copy(check.plugin, sizeof check.plugin, "check_tcp");
		text_copy(check.arguments, sizeof check.arguments, i ? "-H $ADDRESS$ 'a b' \"<&>\"" : "");
		text_copy(check.scope, sizeof check.scope, i ? "@g0" : "@site");
		cluster_set(out, CONFIG_CHECK, &check);
	}
	for (int i = 1; i < 5; i++) {
		struct config_notify n = {.kind = (uint8_t)i};
		text_format(n.head.name, CONFIG_NAME, "noc%d", i);
		text_copy(n.snmp, CONFIG_NAME, credentials[i]);
		random_address(c, i, true, i == RECEIVER_SYSLOG ? 514 : 162, &n.address);
		cluster_set(out, CONFIG_NOTIFY, &n);
	}
	for (int i = 0; i < 3; i++) {
		struct config_brake b = {.value = (uint32_t)(1 + chance_below(c, 99))};
		text_copy(b.head.name, CONFIG_NAME, brakes[i]);
		cluster_set(out, CONFIG_BRAKE, &b);
	}
}

static inline void random_node(struct chance *c, struct config_node *n, int i, int groups, bool plain)
{
	static const char *const forms[] = {"n%03d", "n%d", "x%da", "r1n%02d.site"};

	memset(n, 0, sizeof *n);
	n->wanted_power = POWER_ON;
	text_format(n->head.name, CONFIG_NAME, plain ? forms[0] : forms[chance_below(c, 4)], i);
	text_format(n->group, CONFIG_NAME, "g%d", plain ? i / 40 % groups : chance_below(c, groups));
	random_address(c, i, !plain, 161, &n->address);
	text_copy(n->snmp, CONFIG_NAME, "s0");
	if (plain || chance_below(c, 2)) {
		random_address(c, i, !plain, 623, &n->bmc);
		text_copy(n->bmc_credential, CONFIG_NAME, "b1");
		n->bmc.port = n->bmc.port ? n->bmc.port : 623;
	}
	if (!chance_below(c, 10))
		text_copy(n->bmc_model, CONFIG_NAME, "m1");
	if (chance_below(c, 10)) {
		text_format(n->switch_name, CONFIG_NAME, "sw%d", i / 40 % groups);
		n->switch_port = chance_below(c, 10) ? (uint32_t)i + 1 : 0;
	}
	text_format(n->rack, sizeof n->rack, "r%d", i / 40);
	if (!chance_below(c, 5))
		text_copy(n->pdu, CONFIG_NAME, "pdu0");
	for (int k = 0; k < 16 && !plain && i % 7 == 0; k++)
		n->uuid[k] = (uint8_t)(chance_below(c, 255) + 1);
	n->maintenance = !chance_below(c, 20);
	if (!chance_below(c, 20))
		n->wanted_power = POWER_OFF;
	if (!chance_below(c, 20))
		n->policy = POLICY_TELL;
}

/* The first few nodes outside of group g0, for a pool that is a range. How many. */
static inline uint32_t random_pool_range(const struct cluster *cluster, char *out, size_t size)
{
	const struct config_node *nodes = cluster->objects[CONFIG_NODE];
	uint32_t count = 0;
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < cluster->count[CONFIG_NODE] && count < 6; i++)
		if (strcmp(nodes[i].group, "g0") != 0)
			text_append(out, size, &used, "%s%s", count++ ? "," : "", nodes[i].head.name);
	return count;
}

static inline uint32_t random_pools(struct cluster *out, uint32_t sizes[2])
{
	const struct config_node *nodes = out->objects[CONFIG_NODE];
	struct config_pool pools[2] = {{.nodes = "@g0"}, {.reserve = 1}};
	uint32_t count = 0;

	sizes[0] = 0;
	for (size_t i = 0; i < out->count[CONFIG_NODE]; i++)
		sizes[0] += !strcmp(nodes[i].group, "g0");
	sizes[1] = random_pool_range(out, pools[1].nodes, sizeof pools[1].nodes);
	for (unsigned i = 0; i < 2; i++) {
		text_format(pools[i].head.name, CONFIG_NAME, "pool%u", i);
		if (sizes[i] < 4)
			break; /* too small for a service of two */
		cluster_set(out, CONFIG_POOL, &pools[i]);
		count++;
	}
	return count;
}

static inline void random_balancers(struct chance *c, struct cluster *out)
{
	for (int i = 0; i < 4; i++) {
		struct config_balancer b = {.driver = (uint8_t)(i == 3 ? DRIVER_ALTEON : i ? DRIVER_IPVS : DRIVER_HAPROXY)};
		text_format(b.head.name, CONFIG_NAME, "lb%d", i);
		if (i)
			random_address(c, i, true, i == 3 ? 161 : 22, &b.address);
		if (i == 1 || i == 2)
			text_copy(b.ssh, CONFIG_NAME, "control");
		if (i == 2) {
			random_address(c, 60 + i, true, 22, &b.peer);
			text_copy(b.interface, sizeof b.interface, "eth0");
			b.router = (uint32_t)chance_below(c, 256);
		}
		if (i == 3)
			text_copy(b.snmp, CONFIG_NAME, "s1");
		if (i == 0)
			text_copy(b.options, sizeof b.options, "socket=/run/haproxy/<&\"'>.sock config=/etc/haproxy/glory.cfg");
		cluster_set(out, CONFIG_BALANCER, &b);
	}
}

static inline void random_software(struct chance *c, struct cluster *out)
{
	struct config_software package = {.head.name = "nginx", .kind = SOFTWARE_PACKAGE, .package = "libstdc++6", .version = "1:1.22.1-9~x",
					  .batch = (uint32_t)chance_below(c, 9)};
	struct config_software bundle = {.head.name = "site", .kind = SOFTWARE_BUNDLE, .source = "https://images.example/web-3.tar?a&b=<.tar",
					 .target = "/opt/site"};

	for (int i = 0; i < 64; i++)
		bundle.digest[i] = "0123456789abcdef"[chance_below(c, 16)];
	if (chance_below(c, 2))
		text_copy(package.source, sizeof package.source, "deb [trusted=yes] http://10.0.0.1/debian stable main");
	cluster_set(out, CONFIG_SOFTWARE, &package);
	cluster_set(out, CONFIG_SOFTWARE, &bundle);
}

/* Only where there are pools that can carry them. */
static inline void random_services(struct chance *c, struct cluster *out)
{
	static const char *const probes[] = {"tcp", "http /a?b=<&> status 200-299 text \"it works\"", "plugin check_http -H $ADDRESS$ \"a b\"", "tls"};
	static const char *const virtuals[] = {"10.200.0.%d:80, [fd00:99::%d]:53/udp, mark %d>80", "10.200.1.%d:80, [fd00:98::%d]:443>8443"};
	uint32_t sizes[2], pools = random_pools(out, sizes);

	random_balancers(c, out);
	random_software(c, out);
	for (int i = 0; pools && i < 8; i++) {
		bool tunnel = chance_below(c, 2);
		struct config_service s;
		char name[16];
		text_format(name, sizeof name, "web%d", i);
		config_object_init(CONFIG_SERVICE, name, &s, NULL);
		text_copy(s.balancer, CONFIG_NAME, tunnel ? i % 2 ? "lb1" : "lb2" : "lb0");
		s.forwarding = tunnel ? FORWARD_TUNNEL : FORWARD_NAT;
		text_format(s.virtuals, sizeof s.virtuals, virtuals[!tunnel], i + 1, i + 1, i + 1);
		text_format(s.pool, CONFIG_NAME, "pool%d", chance_below(c, (int)pools));
		text_copy(s.software, CONFIG_NAME, i % 3 == 0 ? "" : i % 3 == 1 ? "nginx" : "site");
		text_copy(s.agent, sizeof s.agent, i % 2 ? "systemd:nginx" : "ocf:heartbeat:nginx");
		text_copy(s.parameters, sizeof s.parameters, i % 2 ? "" : "configfile=/srv/web.conf options=\"-g <&'>\"");
		text_copy(s.probe, sizeof s.probe, probes[i % 4]);
		text_copy(s.schedule, sizeof s.schedule, i % 3 ? "" : "mon-fri 08:00-18:00 4; daily 12:00-13:00 6");
		s.max = (uint32_t)(6 + chance_below(c, 9));
		s.pin = (uint32_t)chance_below(c, 7);
		s.pin_until_ms = s.pin && chance_below(c, 2) ? 1893456000000 + chance_below(c, 1000000) : 0;
		s.warm_s = (uint32_t)chance_below(c, 3);
		s.enabled = (uint8_t)chance_below(c, 2);
		s.spare = (uint8_t)chance_below(c, 2);
		s.policy = (uint8_t)chance_below(c, 4);
		cluster_set(out, CONFIG_SERVICE, &s);
	}
}

/* About `nodes` nodes: half of the seeds make orderly ones that compress into ranges, half wild ones. */
static inline void random_cluster(unsigned seed, int nodes, struct cluster *out)
{
	struct chance c = {seed * 7919 + 1};
	int groups = 1 + chance_below(&c, 12);

	cluster_init(out);
	text_format(out->site, sizeof out->site, "site%u", seed);
	random_credentials(&c, out);
	random_others(&c, out, groups);
	random_items(&c, out);
	for (int i = 0; i < nodes; i++) {
		struct config_node node;
		random_node(&c, &node, i, groups, seed % 2 == 0);
		cluster_set(out, CONFIG_NODE, &node);
	}
	random_services(&c, out);
}

#endif
