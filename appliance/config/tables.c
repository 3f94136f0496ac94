/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables of all kinds and their fields; see fields.h. */
#include "base/memory.h"
#include "board/messages.h"
#include "config/fields.h"

const size_t config_size[CONFIG_KIND_COUNT] = {
    [CONFIG_SNMP] = sizeof(struct config_snmp),         [CONFIG_BMC] = sizeof(struct config_bmc),
    [CONFIG_BMCMODEL] = sizeof(struct config_bmcmodel), [CONFIG_SWITCH] = sizeof(struct config_switch),
    [CONFIG_PDU] = sizeof(struct config_pdu),           [CONFIG_GROUP] = sizeof(struct config_group),
    [CONFIG_NODE] = sizeof(struct config_node),         [CONFIG_ITEM] = sizeof(struct config_item),
    [CONFIG_NOTIFY] = sizeof(struct config_notify),     [CONFIG_BRAKE] = sizeof(struct config_brake),
    [CONFIG_WATCH] = sizeof(struct config_watch),       [CONFIG_CHECK] = sizeof(struct config_check),
    [CONFIG_POOL] = sizeof(struct config_pool),         [CONFIG_SOFTWARE] = sizeof(struct config_software),
    [CONFIG_BALANCER] = sizeof(struct config_balancer), [CONFIG_SERVICE] = sizeof(struct config_service),
};

const char *const config_kind_name[CONFIG_KIND_COUNT] = {
    [CONFIG_SNMP] = "snmp",     [CONFIG_BMC] = "bmc",     [CONFIG_BMCMODEL] = "bmcmodel", [CONFIG_SWITCH] = "switch",
    [CONFIG_PDU] = "pdu",       [CONFIG_GROUP] = "group", [CONFIG_NODE] = "node",         [CONFIG_ITEM] = "item",
    [CONFIG_NOTIFY] = "notify", [CONFIG_BRAKE] = "brake",   [CONFIG_WATCH] = "watch",       [CONFIG_CHECK] = "check",
    [CONFIG_POOL] = "pool",     [CONFIG_SOFTWARE] = "software", [CONFIG_BALANCER] = "balancer", [CONFIG_SERVICE] = "service",
};

static const struct choice versions[] = {{"2c", 2}, {"3", 3}, {NULL, 0}};
static const struct choice auths[] = {{"SHA-256", 1}, {"SHA", 2}, {NULL, 0}};
static const struct choice privs[] = {{"AES-128", 1}, {NULL, 0}};
static const struct choice suites[] = {{"17", 17}, {"3", 3}, {NULL, 0}};
static const struct choice privileges[] = {{"user", 2}, {"operator", 3}, {"admin", 4}, {NULL, 0}};
static const struct choice policies[] = {
    {"repair", POLICY_REPAIR}, {"tell", POLICY_TELL}, {"hands-off", POLICY_HANDS_OFF}, {NULL, 0}};
static const struct choice powers[] = {{"on", POWER_ON}, {"off", POWER_OFF}, {NULL, 0}};
static const struct choice receivers[] = {{"inform", RECEIVER_INFORM},
					  {"trap-v2c", RECEIVER_TRAP_V2C},
					  {"trap", RECEIVER_TRAP_V3},
					  {"syslog", RECEIVER_SYSLOG},
					  {NULL, 0}};
static const struct choice workarounds[] = {{"opensesspriv", BMC_WORKAROUND_OPENSESSPRIV},
					    {"authcap", BMC_WORKAROUND_AUTHCAP},
					    {"intel20", BMC_WORKAROUND_INTEL20},
					    {"supermicro20", BMC_WORKAROUND_SUPERMICRO20},
					    {"sun20", BMC_WORKAROUND_SUN20},
					    {"nonemptyseq", BMC_WORKAROUND_NONEMPTYSEQ},
					    {NULL, 0}};

static const struct choice findings[] = {{"suite-0", BMC_FINDING_SUITE0},
					 {"weak-suites", BMC_FINDING_WEAK_SUITE},
					 {"anonymous", BMC_FINDING_ANONYMOUS},
					 {"default-password", BMC_FINDING_DEFAULT_PASSWORD},
					 {"slots-full", BMC_FINDING_SLOTS},
					 {NULL, 0}};

static const struct choice software_kinds[] = {{"package", SOFTWARE_PACKAGE}, {"bundle", SOFTWARE_BUNDLE}, {NULL, 0}};
static const struct choice forwardings[] = {{"nat", FORWARD_NAT}, {"direct", FORWARD_DIRECT}, {"tunnel", FORWARD_TUNNEL}, {NULL, 0}};
static const struct choice drivers[] = {{"ipvs", DRIVER_IPVS}, {"haproxy", DRIVER_HAPROXY}, {"alteon", DRIVER_ALTEON},
					{"serveriron", DRIVER_SERVERIRON}, {"cisco-slb", DRIVER_CISCO_SLB}, {"nftables", DRIVER_NFTABLES},
					{"f5", DRIVER_F5}, {NULL, 0}};

#define AT(structure, member) \
	.offset = offsetof(struct structure, member), .size = sizeof(((struct structure *)0)->member)

static const struct config_field snmp_fields[] = {
    {"version", FIELD_CHOICE, AT(config_snmp, version), .required = true, .choices = versions},
    {"user", FIELD_NAME, AT(config_snmp, user), .example = "glory"},
    {"auth", FIELD_CHOICE, AT(config_snmp, auth), .choices = auths},
    {"priv", FIELD_CHOICE, AT(config_snmp, priv), .choices = privs},
    {NULL},
};
static const struct config_field bmc_fields[] = {
    {"user", FIELD_USER, AT(config_bmc, user), .required = true, .high = 16, .example = "operator"},
    {"suite", FIELD_CHOICE, AT(config_bmc, suite), .choices = suites, .fallback = "17"},
    {"privilege", FIELD_CHOICE, AT(config_bmc, privilege), .choices = privileges, .fallback = "operator"},
    {"probe-defaults", FIELD_BOOL, AT(config_bmc, probe_defaults)},
    {NULL},
};
static const struct config_field bmcmodel_fields[] = {
    {"suite", FIELD_CHOICE, AT(config_bmcmodel, suite), .choices = suites},
    {"workarounds", FIELD_FLAGS, AT(config_bmcmodel, workarounds), .choices = workarounds},
    {"gap-ms", FIELD_NUMBER, AT(config_bmcmodel, gap_ms), .low = 1, .high = 2000, .example = "20"},
    {"accepted", FIELD_FLAGS, AT(config_bmcmodel, accepted), .choices = findings},
    {NULL},
};
static const struct config_field switch_fields[] = {
    {"address", FIELD_ADDRESS, AT(config_switch, address), .required = true, .low = 161, .example = "10.1.0.254"},
    {"snmp", FIELD_NAME, AT(config_switch, snmp), .refers = CONFIG_SNMP},
    {"group", FIELD_NAME, AT(config_switch, group), .refers = CONFIG_GROUP},
    {NULL},
};
static const struct config_field pdu_fields[] = {
    {"address", FIELD_ADDRESS, AT(config_pdu, address), .required = true, .low = 161, .example = "10.1.9.1"},
    {"snmp", FIELD_NAME, AT(config_pdu, snmp), .refers = CONFIG_SNMP},
    {NULL},
};
static const struct config_field group_fields[] = {
    {"reference", FIELD_ADDRESS, AT(config_group, reference), .low = 161, .example = "10.1.0.254"},
    {"policy", FIELD_CHOICE, AT(config_group, policy), .choices = policies, .fallback = "repair"},
    {NULL},
};
static const struct config_field node_fields[] = {
    {"group", FIELD_NAME, AT(config_node, group), .required = true, .refers = CONFIG_GROUP, .example = "g01"},
    {"address", FIELD_ADDRESS, AT(config_node, address), .required = true, .low = 161, .example = "10.1.0.3"},
    {"snmp", FIELD_NAME, AT(config_node, snmp), .required = true, .refers = CONFIG_SNMP, .example = "nodes"},
    {"bmc", FIELD_ADDRESS, AT(config_node, bmc), .low = 623, .example = "10.2.0.3"},
    {"bmc-credential", FIELD_NAME, AT(config_node, bmc_credential), .refers = CONFIG_BMC, .example = "bmc"},
    {"bmc-model", FIELD_NAME, AT(config_node, bmc_model), .refers = CONFIG_BMCMODEL},
    {"switch", FIELD_NAME, AT(config_node, switch_name), .refers = CONFIG_SWITCH},
    {"switch-port", FIELD_NUMBER, AT(config_node, switch_port), .low = 1, .high = INT32_MAX, .example = "3"},
    {"rack", FIELD_NAME, AT(config_node, rack), .example = "r1"},
    {"pdu", FIELD_NAME, AT(config_node, pdu), .refers = CONFIG_PDU},
    {"uuid", FIELD_UUID, AT(config_node, uuid), .example = "4c4c4544-0032-3010-8058-b4c04f4d4e32"},
    {"wanted-power", FIELD_CHOICE, AT(config_node, wanted_power), .choices = powers, .fallback = "on"},
    {"maintenance", FIELD_BOOL, AT(config_node, maintenance)},
    {"maintenance-until", FIELD_TIME, AT(config_node, maintenance_until_ms), .example = "2026-01-31T12:00:00Z"},
    {"policy", FIELD_CHOICE, AT(config_node, policy), .choices = policies},
    {NULL},
};
static const struct config_field item_fields[] = {
    {"oid", FIELD_OID, AT(config_item, oid), .example = "1.3.6.1.2.1.25.2.3.1.6"},
    {"instances", FIELD_OIDTEXT, AT(config_item, instances), .example = "1.3.6.1.2.1.25.2.3.1.3"},
    {"include", FIELD_TEXT, AT(config_item, include), .example = "sd*,nvme*"},
    {"exclude", FIELD_TEXT, AT(config_item, exclude), .example = "loop*"},
    {"expression", FIELD_TEXT, AT(config_item, expression), .example = "if_in + if_out"},
    {"counter", FIELD_BOOL, AT(config_item, counter)},
    {"unit", FIELD_TEXT, AT(config_item, unit), .example = "percent"},
    {"interval", FIELD_NUMBER, AT(config_item, interval_s), .low = 1, .high = 86400, .fallback = "10", .example = "10"},
    {"scope", FIELD_SCOPE, AT(config_item, scope), .fallback = "@site", .example = "@site"},
    {"thresholds", FIELD_THRESHOLDS, AT(config_item, threshold)},
    {NULL},
};
static const struct config_field notify_fields[] = {
    {"address", FIELD_ADDRESS, AT(config_notify, address), .required = true, .example = "10.0.0.2:162"},
    {"snmp", FIELD_NAME, AT(config_notify, snmp), .refers = CONFIG_SNMP},
    {"kind", FIELD_CHOICE, AT(config_notify, kind), .choices = receivers, .fallback = "inform"},
    {NULL},
};
static const struct config_field brake_fields[] = {
    {"value", FIELD_NUMBER, AT(config_brake, value), .required = true, .low = 1, .high = 100000, .example = "10"},
    {NULL},
};

static const struct config_field watch_fields[] = {
    {"process", FIELD_TEXT, AT(config_watch, process), .required = true, .example = "sshd"},
    {"arguments", FIELD_TEXT, AT(config_watch, arguments), .example = "*listener*"},
    {"min", FIELD_NUMBER, AT(config_watch, min), .low = 0, .high = CONFIG_WATCH_ANY, .fallback = "1", .example = "1"},
    {"max", FIELD_NUMBER, AT(config_watch, max), .low = 0, .high = CONFIG_WATCH_ANY, .fallback = "100000", .example = "10"},
    {"interval", FIELD_NUMBER, AT(config_watch, interval_s), .low = 10, .high = 86400, .fallback = "300", .example = "300"},
    {"scope", FIELD_SCOPE, AT(config_watch, scope), .fallback = "@site", .example = "@site"},
    {NULL},
};

static const struct config_field check_fields[] = {
    {"plugin", FIELD_NAME, AT(config_check, plugin), .required = true, .example = "check_tcp"},
    {"arguments", FIELD_TEXT, AT(config_check, arguments), .example = "-H $ADDRESS$ -p 22"},
    {"interval", FIELD_NUMBER, AT(config_check, interval_s), .low = 1, .high = 86400, .fallback = "60", .example = "60"},
    {"timeout", FIELD_NUMBER, AT(config_check, timeout_s), .low = 1, .high = 300, .fallback = "10", .example = "10"},
    {"scope", FIELD_SCOPE, AT(config_check, scope), .fallback = "@site", .example = "@site"},
    {NULL},
};

static const struct config_field pool_fields[] = {
    {"nodes", FIELD_SCOPE, AT(config_pool, nodes), .required = true, .example = "n[001-008]"},
    {"reserve", FIELD_NUMBER, AT(config_pool, reserve), .high = CONFIG_NODES_MAX, .example = "2"},
    {NULL},
};
static const struct config_field software_fields[] = {
    {"kind", FIELD_CHOICE, AT(config_software, kind), .choices = software_kinds, .fallback = "package"},
    {"package", FIELD_TEXT, AT(config_software, package), .example = "nginx"},
    {"version", FIELD_TEXT, AT(config_software, version), .example = "1.22.1-9"},
    {"source", FIELD_TEXT, AT(config_software, source), .example = "https://images.example/web-3.tar"},
    {"digest", FIELD_TEXT, AT(config_software, digest), .example = "64 hexadecimal digits of sha256sum"},
    {"target", FIELD_PATH, AT(config_software, target), .example = "/opt/web"},
    {"batch", FIELD_NUMBER, AT(config_software, batch), .high = CONFIG_NODES_MAX, .example = "2"},
    {NULL},
};
static const struct config_field balancer_fields[] = {
    {"driver", FIELD_CHOICE, AT(config_balancer, driver), .required = true, .choices = drivers, .example = "haproxy"},
    {"address", FIELD_ADDRESS, AT(config_balancer, address), .example = "10.1.0.250"},
    {"peer", FIELD_ADDRESS, AT(config_balancer, peer), .example = "10.1.0.251"},
    {"ssh", FIELD_NAME, AT(config_balancer, ssh), .example = "control"},
    {"snmp", FIELD_NAME, AT(config_balancer, snmp), .refers = CONFIG_SNMP},
    {"interface", FIELD_NAME, AT(config_balancer, interface), .example = "eth0"},
    {"router", FIELD_NUMBER, AT(config_balancer, router), .high = 255, .example = "77"},
    {"options", FIELD_TEXT, AT(config_balancer, options), .example = "socket=/run/haproxy/admin.sock"},
    {NULL},
};
static const struct config_field service_fields[] = {
    {"balancer", FIELD_NAME, AT(config_service, balancer), .required = true, .refers = CONFIG_BALANCER, .example = "lb1"},
    {"virtuals", FIELD_TEXT, AT(config_service, virtuals), .required = true, .example = "10.1.0.100:80"},
    {"pool", FIELD_NAME, AT(config_service, pool), .required = true, .refers = CONFIG_POOL, .example = "web"},
    {"software", FIELD_NAME, AT(config_service, software), .refers = CONFIG_SOFTWARE},
    {"scheduler", FIELD_NAME, AT(config_service, scheduler), .fallback = "wrr", .example = "wlc"},
    {"forwarding", FIELD_CHOICE, AT(config_service, forwarding), .choices = forwardings, .fallback = "nat"},
    {"persistence", FIELD_NUMBER, AT(config_service, persistence_s), .high = 86400, .example = "300"},
    {"agent", FIELD_TEXT, AT(config_service, agent), .required = true, .example = "systemd:nginx"},
    {"parameters", FIELD_TEXT, AT(config_service, parameters), .example = "configfile=/etc/nginx/nginx.conf"},
    {"probe", FIELD_TEXT, AT(config_service, probe), .fallback = "tcp", .example = "http /health"},
    {"probe-interval-ms", FIELD_NUMBER, AT(config_service, probe_interval_ms), .low = 200, .high = 3600000, .fallback = "1000"},
    {"probe-timeout-ms", FIELD_NUMBER, AT(config_service, probe_timeout_ms), .low = 50, .high = 60000, .fallback = "1000"},
    {"rise", FIELD_NUMBER, AT(config_service, rise), .low = 1, .high = 100, .fallback = "3"},
    {"fall", FIELD_NUMBER, AT(config_service, fall), .low = 1, .high = 100, .fallback = "2"},
    {"min", FIELD_NUMBER, AT(config_service, min), .low = 1, .high = 4000, .fallback = "2"},
    {"max", FIELD_NUMBER, AT(config_service, max), .low = 1, .high = 4000, .fallback = "8"},
    {"target", FIELD_NUMBER, AT(config_service, target), .low = 10, .high = 95, .fallback = "60"},
    {"priority", FIELD_NUMBER, AT(config_service, priority), .low = 1, .high = 3, .fallback = "2"},
    {"start-s", FIELD_NUMBER, AT(config_service, start_s), .low = 1, .high = 7200, .fallback = "60"},
    {"warm-s", FIELD_NUMBER, AT(config_service, warm_s), .high = 3600, .fallback = "60"},
    {"drain-s", FIELD_NUMBER, AT(config_service, drain_s), .low = 1, .high = 86400, .fallback = "60"},
    {"budget", FIELD_NUMBER, AT(config_service, budget), .high = 1000, .example = "12"},
    {"item", FIELD_NAME, AT(config_service, item), .fallback = "cpu"},
    {"schedule", FIELD_TEXT, AT(config_service, schedule), .example = "mon-fri 08:00-18:00 6"},
    {"pin", FIELD_NUMBER, AT(config_service, pin), .high = 4000, .example = "4"},
    {"pin-until", FIELD_TIME, AT(config_service, pin_until_ms), .example = "2026-01-31T12:00:00Z"},
    {"enabled", FIELD_BOOL, AT(config_service, enabled), .fallback = "true"},
    {"spare", FIELD_BOOL, AT(config_service, spare)},
    {"policy", FIELD_CHOICE, AT(config_service, policy), .choices = policies},
    {NULL},
};

const struct config_field *const config_fields[CONFIG_KIND_COUNT] = {
    [CONFIG_SNMP] = snmp_fields,     [CONFIG_BMC] = bmc_fields,   [CONFIG_BMCMODEL] = bmcmodel_fields,
    [CONFIG_SWITCH] = switch_fields, [CONFIG_PDU] = pdu_fields,   [CONFIG_GROUP] = group_fields,
    [CONFIG_NODE] = node_fields,     [CONFIG_ITEM] = item_fields, [CONFIG_NOTIFY] = notify_fields,
    [CONFIG_BRAKE] = brake_fields,   [CONFIG_WATCH] = watch_fields, [CONFIG_CHECK] = check_fields,
    [CONFIG_POOL] = pool_fields,     [CONFIG_SOFTWARE] = software_fields, [CONFIG_BALANCER] = balancer_fields,
    [CONFIG_SERVICE] = service_fields,
};

/* lists of a kind's fields are kept in arrays of this size */
_Static_assert(COUNT_OF(service_fields) <= CONFIG_FIELDS_MAX && COUNT_OF(node_fields) <= CONFIG_FIELDS_MAX, "CONFIG_FIELDS_MAX is too small");
