/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The columns of table.h, and the arithmetic between object identifiers and the order of rows. Called by walk, set and access. */
#include "mibs/agent/table.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

/* BER tags (RFC 2578, section 7.1) */
enum { INT = 0x02, OCTETS = 0x04, OID = 0x06, GAUGE = 0x42, TICKS = 0x43, C64 = 0x46 };

#define COL(n, label, tag, cell, row, member) \
	{.name = label, .number = n, .asn = tag, .kind = cell, FIELD_INIT(row, member), .write = RIGHT_NONE}
#define FIELD_INIT(row, member) .offset = offsetof(struct row, member), .size = sizeof(((struct row *)0)->member)
#define ENUM(n, label, cell, row, member, set) \
	{.name = label, .number = n, .asn = INT, .kind = cell, FIELD_INIT(row, member), .write = RIGHT_NONE, .words = 1 + (set)}
#define SET(n, label, tag, cell, row, member, right) \
	{.name = label, .number = n, .asn = tag, .kind = cell, FIELD_INIT(row, member), .write = right}
#define SET_ENUM(n, label, cell, row, member, set, right) \
	{.name = label, .number = n, .asn = INT, .kind = cell, FIELD_INIT(row, member), .write = right, .words = 1 + (set)}
#define OWN(n, label, tag, what) {.name = label, .number = n, .asn = tag, .kind = CELL_OWN, .offset = what, .write = RIGHT_NONE}
#define STATUS(n, label) {.name = label, .number = n, .asn = INT, .kind = CELL_ACTIVE, .write = RIGHT_ADMIN}
/* the I-th counter of an array that is indexed by words */
#define COUNT(n, row, member, i, set) \
	{.number = n, .asn = GAUGE, .kind = CELL_U32, .offset = offsetof(struct row, member) + 4 * (i), .size = 4, \
	 .write = RIGHT_NONE, .words = 1 + (set)}

static const struct mib_column system_columns[] = {
	OWN(1, "sysDescr", OCTETS, OWN_DESCRIPTION), OWN(2, "sysObjectID", OID, OWN_OBJECT_ID), OWN(3, "sysUpTime", TICKS, OWN_UPTIME),
	OWN(4, "sysContact", OCTETS, OWN_EMPTY),     OWN(5, "sysName", OCTETS, OWN_NAME),	OWN(6, "sysLocation", OCTETS, OWN_EMPTY),
	OWN(7, "sysServices", INT, OWN_SERVICES),
};

static const struct mib_column engine_columns[] = {
	OWN(1, "snmpEngineID", OCTETS, OWN_ENGINE_ID), OWN(2, "snmpEngineBoots", INT, OWN_ENGINE_BOOTS),
	OWN(3, "snmpEngineTime", INT, OWN_ENGINE_TIME), OWN(4, "snmpEngineMaxMessageSize", INT, OWN_MESSAGE_SIZE),
};

static const struct mib_column appliance_columns[] = {
	COL(1, "gloryApplianceName", OCTETS, CELL_TEXT, appliance_row, name),
	COL(2, "gloryApplianceVersion", OCTETS, CELL_TEXT, appliance_row, version),
	COL(3, "gloryApplianceRole", OCTETS, CELL_TEXT, appliance_row, role),
	COL(4, "gloryApplianceStart", OCTETS, CELL_TIME, appliance_row, start_wall_ms),
	COL(5, "gloryAppliancePollsPerSecond", GAUGE, CELL_U32, appliance_row, polls_per_second),
	COL(6, "gloryAppliancePolls", C64, CELL_U64, appliance_row, polls),
	COL(7, "gloryApplianceLatePolls", C64, CELL_U64, appliance_row, late_polls),
	COL(8, "gloryApplianceDroppedSamples", C64, CELL_U64, appliance_row, dropped_samples),
	COL(9, "gloryApplianceRecordQueue", GAUGE, CELL_U64_LOW, appliance_row, record_queue),
	OWN(10, "gloryApplianceEngineId", OCTETS, OWN_ENGINE_ID),
	COL(11, "gloryApplianceSuspended", INT, CELL_TRUTH32, appliance_row, suspended),
	COL(12, "gloryApplianceSuspendedWhy", OCTETS, CELL_TEXT, appliance_row, suspended_why),
	COL(13, "gloryApplianceStoreTrouble", OCTETS, CELL_TEXT, appliance_row, store_trouble),
	COL(14, "gloryApplianceConfigGeneration", GAUGE, CELL_U64_LOW, appliance_row, config_generation),
	COL(15, "gloryApplianceGarbage", C64, CELL_U64, appliance_row, garbage),
#define X(s, n, w) COUNT(30 + n, appliance_row, traps, n, WORDS_TRAP_FATE),
	GLORY_TRAP_FATES(X)
#undef X
};

static const struct mib_column cluster_columns[] = {
	COL(1, "gloryClusterName", OCTETS, CELL_TEXT, cluster_row, name),
	ENUM(2, "gloryClusterLevel", CELL_WORD, cluster_row, level, WORDS_LEVEL),
	COL(3, "gloryClusterCause", OCTETS, CELL_TEXT, cluster_row, cause),
	COL(4, "gloryClusterNodes", GAUGE, CELL_U32, cluster_row, nodes),
	COL(5, "gloryClusterGroups", GAUGE, CELL_U32, cluster_row, groups),
	COL(6, "gloryClusterLastChange", OCTETS, CELL_TIME, cluster_row, head.last_change_wall_ms),
#define X(s, n, w) COUNT(10 + n, cluster_row, by_verdict, n, WORDS_VERDICT),
	GLORY_VERDICTS(X)
#undef X
#define X(s, n, w) COUNT(30 + n, cluster_row, by_level, n, WORDS_LEVEL),
	GLORY_LEVELS(X)
#undef X
#define X(s, n, w) COUNT(40 + n, cluster_row, alarms_by_severity, n, WORDS_LEVEL),
	GLORY_LEVELS(X)
#undef X
};

static const struct mib_column group_columns[] = {
	SET(2, "gloryGroupName", OCTETS, CELL_TEXT, group_row, name, RIGHT_ADMIN),
	COL(3, "gloryGroupNodes", GAUGE, CELL_U32, group_row, nodes),
	COL(4, "gloryGroupUp", GAUGE, CELL_U32, group_row, up),
	ENUM(5, "gloryGroupLevel", CELL_WORD, group_row, level, WORDS_LEVEL),
	COL(6, "gloryGroupCause", OCTETS, CELL_TEXT, group_row, cause),
	SET_ENUM(7, "gloryGroupPolicy", CELL_WORD, group_row, policy, WORDS_POLICY, RIGHT_ADMIN),
	ENUM(8, "gloryGroupDomainState", CELL_WORD, group_row, domain_state, WORDS_DOMAIN_STATE),
	COL(9, "gloryGroupLastChange", OCTETS, CELL_TIME, group_row, head.last_change_wall_ms),
	STATUS(10, "gloryGroupRowStatus"),
};

static const struct mib_column group_scalars[] = {OWN(2, "gloryGroupNextIndex", GAUGE, OWN_GROUP_NEXT)};

static const struct mib_column node_columns[] = {
	SET(2, "gloryNodeName", OCTETS, CELL_TEXT, node_row, name, RIGHT_ADMIN),
	SET(3, "gloryNodeGroup", OCTETS, CELL_TEXT, node_row, group, RIGHT_ADMIN),
	SET(4, "gloryNodeAddress", OCTETS, CELL_AGENT_ADDRESS, node_row, address, RIGHT_ADMIN),
	SET(5, "gloryNodeBmcAddress", OCTETS, CELL_BMC_ADDRESS, node_row, bmc, RIGHT_ADMIN),
	ENUM(6, "gloryNodeVerdict", CELL_U8, node_row, verdict, WORDS_VERDICT),
	ENUM(7, "gloryNodeCertainty", CELL_U8, node_row, certainty, WORDS_CERTAINTY),
	COL(8, "gloryNodeCause", OCTETS, CELL_TEXT, node_row, cause),
	ENUM(9, "gloryNodeLevel", CELL_U8, node_row, level, WORDS_LEVEL),
	ENUM(10, "gloryNodePowerState", CELL_U8, node_row, power, WORDS_POWER),
	SET_ENUM(11, "gloryNodePowerAction", CELL_U8, node_row, last_verb, WORDS_POWER_VERB, RIGHT_OPERATE),
	COL(12, "gloryNodePowerJob", GAUGE, CELL_U64_LOW, node_row, power_job),
	COL(13, "gloryNodeCpuPercent", INT, CELL_PERCENT, node_row, cpu_percent_x100),
	COL(14, "gloryNodeMemPercent", INT, CELL_PERCENT, node_row, mem_percent_x100),
	COL(15, "gloryNodeLoad", INT, CELL_HUNDREDTHS, node_row, load1_x100),
	COL(16, "gloryNodeLastSeen", OCTETS, CELL_TIME, node_row, last_seen_wall_ms),
	ENUM(17, "gloryNodeLife", CELL_U8, node_row, life, WORDS_LIFE),
	STATUS(18, "gloryNodeRowStatus"),
	COL(19, "gloryNodeSince", OCTETS, CELL_TIME, node_row, since_wall_ms),
	SET_ENUM(20, "gloryNodeWantedPower", CELL_U8, node_row, wanted_power, WORDS_POWER, RIGHT_ADMIN),
	SET(21, "gloryNodeMaintenance", INT, CELL_TRUTH8, node_row, maintenance, RIGHT_ADMIN),
	COL(22, "gloryNodePowerLocked", INT, CELL_TRUTH32, node_row, power_locked),
	COL(23, "gloryNodeRootAlarm", GAUGE, CELL_U64_LOW, node_row, root_alarm),
	COL(24, "gloryNodeBmcFinding", OCTETS, CELL_TEXT, node_row, bmc_finding),
	COL(25, "gloryNodeLastChange", OCTETS, CELL_TIME, node_row, head.last_change_wall_ms),
	COL(26, "gloryNodeFlapping", INT, CELL_TRUTH32, node_row, flapping),
	COL(27, "gloryNodeMaintenanceUntil", OCTETS, CELL_TIME, node_row, maintenance_until_wall_ms),
	COL(28, "gloryNodeSilencedUntil", OCTETS, CELL_TIME, node_row, silenced_until_wall_ms),
	COL(40, "gloryNodeSnmpFinding", OCTETS, CELL_TEXT, node_row, snmp_finding),
};

static const struct mib_column node_scalars[] = {OWN(2, "gloryNodeNextIndex", GAUGE, OWN_NODE_NEXT)};

static const struct mib_column item_columns[] = {
	SET(2, "gloryItemName", OCTETS, CELL_TEXT, item_row, name, RIGHT_ADMIN),
	SET(3, "gloryItemUnit", OCTETS, CELL_TEXT, item_row, unit, RIGHT_ADMIN),
	SET(4, "gloryItemInterval", GAUGE, CELL_U32, item_row, interval_s, RIGHT_ADMIN),
	COL(5, "gloryItemDescribes", OCTETS, CELL_TEXT, item_row, describes),
	SET(6, "gloryItemSource", OCTETS, CELL_TEXT, item_row, oid, RIGHT_ADMIN),
	SET(7, "gloryItemInstances", OCTETS, CELL_TEXT, item_row, instances, RIGHT_ADMIN),
	SET(8, "gloryItemInclude", OCTETS, CELL_TEXT, item_row, include, RIGHT_ADMIN),
	SET(9, "gloryItemExclude", OCTETS, CELL_TEXT, item_row, exclude, RIGHT_ADMIN),
	SET(10, "gloryItemCounter", INT, CELL_TRUTH8, item_row, counter, RIGHT_ADMIN),
	SET(11, "gloryItemScope", OCTETS, CELL_TEXT, item_row, scope, RIGHT_ADMIN),
	SET(12, "gloryItemExpression", OCTETS, CELL_TEXT, item_row, expression, RIGHT_ADMIN),
	SET(13, "gloryItemThresholds", OCTETS, CELL_TEXT, item_row, thresholds, RIGHT_ADMIN),
	COL(14, "gloryItemKind", OCTETS, CELL_TEXT, item_row, kind),
	COL(15, "gloryItemNodes", GAUGE, CELL_U32, item_row, nodes),
	COL(16, "gloryItemRequests", GAUGE, CELL_U32, item_row, requests_x100),
	COL(17, "gloryItemBytes", GAUGE, CELL_U32, item_row, bytes),
	STATUS(18, "gloryItemRowStatus"),
};

static const struct mib_column item_scalars[] = {OWN(3, "gloryItemNextIndex", GAUGE, OWN_ITEM_NEXT)};

static const struct mib_column value_columns[] = {
	COL(2, "gloryNodeValueItem", OCTETS, CELL_TEXT, value_row, item),
	COL(3, "gloryNodeValueInstanceName", OCTETS, CELL_TEXT, value_row, instance_name),
	COL(4, "gloryNodeValueText", OCTETS, CELL_DECIMAL, value_row, value),
	COL(5, "gloryNodeValueInteger", INT, CELL_ROUNDED, value_row, value),
	COL(6, "gloryNodeValueUnit", OCTETS, CELL_TEXT, value_row, unit),
	ENUM(7, "gloryNodeValueLevel", CELL_U8, value_row, level, WORDS_LEVEL),
	COL(8, "gloryNodeValueTime", OCTETS, CELL_TIME, value_row, head.last_change_wall_ms),
};

static const struct mib_column sensor_columns[] = {
	COL(2, "glorySensorName", OCTETS, CELL_TEXT, sensor_row, name),
	COL(3, "glorySensorType", GAUGE, CELL_OCTET, sensor_row, type),
	COL(4, "glorySensorReading", OCTETS, CELL_DECIMAL, sensor_row, reading),
	COL(5, "glorySensorUnit", OCTETS, CELL_TEXT, sensor_row, unit),
	ENUM(6, "glorySensorState", CELL_U8, sensor_row, state, WORDS_SENSOR_STATE),
	ENUM(7, "glorySensorLevel", CELL_U8, sensor_row, level, WORDS_LEVEL),
	COL(8, "glorySensorText", OCTETS, CELL_TEXT, sensor_row, text),
	COL(9, "glorySensorWarningLow", OCTETS, CELL_DECIMAL, sensor_row, warning_low),
	COL(10, "glorySensorWarningHigh", OCTETS, CELL_DECIMAL, sensor_row, warning_high),
	COL(11, "glorySensorCriticalLow", OCTETS, CELL_DECIMAL, sensor_row, critical_low),
	COL(12, "glorySensorCriticalHigh", OCTETS, CELL_DECIMAL, sensor_row, critical_high),
	COL(13, "glorySensorTime", OCTETS, CELL_TIME, sensor_row, at_wall_ms),
};

static const struct mib_column watch_columns[] = {
	SET(2, "gloryWatchName", OCTETS, CELL_TEXT, watch_row, name, RIGHT_ADMIN),
	SET(3, "gloryWatchProcess", OCTETS, CELL_TEXT, watch_row, process, RIGHT_ADMIN),
	SET(4, "gloryWatchArguments", OCTETS, CELL_TEXT, watch_row, arguments, RIGHT_ADMIN),
	SET(5, "gloryWatchMin", GAUGE, CELL_U32, watch_row, min, RIGHT_ADMIN),
	SET(6, "gloryWatchMax", GAUGE, CELL_U32, watch_row, max, RIGHT_ADMIN),
	SET(7, "gloryWatchInterval", GAUGE, CELL_U32, watch_row, interval_s, RIGHT_ADMIN),
	SET(8, "gloryWatchScope", OCTETS, CELL_TEXT, watch_row, scope, RIGHT_ADMIN),
	COL(9, "gloryWatchNodes", GAUGE, CELL_U32, watch_row, nodes),
	COL(10, "gloryWatchOk", GAUGE, CELL_U32, watch_row, by_state[WATCH_STATE_OK]),
	COL(11, "gloryWatchTooFew", GAUGE, CELL_U32, watch_row, by_state[WATCH_STATE_TOO_FEW]),
	COL(12, "gloryWatchTooMany", GAUGE, CELL_U32, watch_row, by_state[WATCH_STATE_TOO_MANY]),
	COL(13, "gloryWatchUnknown", GAUGE, CELL_U32, watch_row, by_state[WATCH_STATE_UNKNOWN]),
	STATUS(14, "gloryWatchRowStatus"),
};

static const struct mib_column watch_scalars[] = {OWN(2, "gloryWatchNextIndex", GAUGE, OWN_WATCH_NEXT)};

static const struct mib_column watch_node_columns[] = {
	COL(2, "gloryWatchNodeCount", GAUGE, CELL_U32, watch_state_row, count),
	COL(3, "gloryWatchNodeName", OCTETS, CELL_TEXT, watch_state_row, name),
	ENUM(4, "gloryWatchNodeState", CELL_U8, watch_state_row, state, WORDS_WATCH_STATE),
	ENUM(5, "gloryWatchNodeLevel", CELL_U8, watch_state_row, level, WORDS_LEVEL),
	COL(6, "gloryWatchNodeCpu", OCTETS, CELL_DECIMAL, watch_state_row, cpu_percent),
	COL(7, "gloryWatchNodeMem", OCTETS, CELL_DECIMAL, watch_state_row, mem_bytes),
	COL(8, "gloryWatchNodeRestarts", C64, CELL_U64, watch_state_row, restarts),
	COL(9, "gloryWatchNodeTime", OCTETS, CELL_TIME, watch_state_row, at_wall_ms),
};

static const struct mib_column pool_columns[] = {
	SET(2, "gloryPoolName", OCTETS, CELL_TEXT, pool_row, name, RIGHT_ADMIN),
	SET(3, "gloryPoolScope", OCTETS, CELL_TEXT, pool_row, scope, RIGHT_ADMIN),
	COL(4, "gloryPoolSize", GAUGE, CELL_U32, pool_row, nodes),
	COL(5, "gloryPoolFree", GAUGE, CELL_U32, pool_row, free),
	COL(6, "gloryPoolAllocated", GAUGE, CELL_U32, pool_row, allocated),
	COL(7, "gloryPoolUnfit", GAUGE, CELL_U32, pool_row, unfit),
	SET(8, "gloryPoolReserve", GAUGE, CELL_U32, pool_row, reserve, RIGHT_ADMIN),
	COL(9, "gloryPoolMissing", GAUGE, CELL_U32, pool_row, wanted_more),
	COL(10, "gloryPoolLastChange", OCTETS, CELL_TIME, pool_row, head.last_change_wall_ms),
	STATUS(11, "gloryPoolRowStatus"),
};

static const struct mib_column pool_scalars[] = {OWN(2, "gloryPoolNextIndex", GAUGE, OWN_POOL_NEXT)};

static const struct mib_column service_columns[] = {
	SET(2, "gloryServiceName", OCTETS, CELL_TEXT, service_row, name, RIGHT_ADMIN),
	SET(3, "gloryServiceBalancer", OCTETS, CELL_TEXT, service_row, balancer, RIGHT_ADMIN),
	SET(4, "gloryServiceVirtuals", OCTETS, CELL_TEXT, service_row, virtuals, RIGHT_ADMIN),
	SET(5, "gloryServicePool", OCTETS, CELL_TEXT, service_row, pool, RIGHT_ADMIN),
	SET(6, "gloryServiceSoftware", OCTETS, CELL_TEXT, service_row, software, RIGHT_ADMIN),
	SET(7, "gloryServiceAgent", OCTETS, CELL_TEXT, service_row, agent, RIGHT_ADMIN),
	SET(8, "gloryServiceMin", GAUGE, CELL_U32, service_row, min, RIGHT_ADMIN),
	SET(9, "gloryServiceMax", GAUGE, CELL_U32, service_row, max, RIGHT_ADMIN),
	SET(10, "gloryServiceWantedSize", GAUGE, CELL_U32, service_row, wanted, RIGHT_OPERATE),
	COL(11, "gloryServicePin", GAUGE, CELL_U32, service_row, pin),
	SET(12, "gloryServicePinUntil", OCTETS, CELL_TIME, service_row, pin_until_wall_ms, RIGHT_OPERATE),
	SET(13, "gloryServiceAdminState", INT, CELL_TRUTH8, service_row, enabled, RIGHT_OPERATE),
	ENUM(14, "gloryServiceState", CELL_U8, service_row, state, WORDS_SERVICE_STATE),
	ENUM(15, "gloryServiceLevel", CELL_U8, service_row, level, WORDS_LEVEL),
	COL(16, "gloryServiceCause", OCTETS, CELL_TEXT, service_row, cause),
	COL(17, "gloryServiceReason", OCTETS, CELL_TEXT, service_row, reason),
	COL(18, "gloryServiceInService", GAUGE, CELL_U32, service_row, in_service),
	COL(19, "gloryServiceComing", GAUGE, CELL_U32, service_row, coming),
	COL(20, "gloryServiceGoing", GAUGE, CELL_U32, service_row, going),
	COL(21, "gloryServiceFailed", GAUGE, CELL_U32, service_row, failed),
	COL(22, "gloryServiceUtilisation", INT, CELL_SHARE, service_row, utilisation),
	COL(23, "gloryServiceDemand", OCTETS, CELL_DECIMAL, service_row, demand),
	COL(24, "gloryServiceHeadroom", OCTETS, CELL_DECIMAL, service_row, headroom),
	COL(25, "gloryServiceConnections", GAUGE, CELL_U64_LOW, service_row, connections),
	COL(26, "gloryServiceRequests", OCTETS, CELL_DECIMAL, service_row, requests_per_second),
	COL(27, "gloryServiceBytes", OCTETS, CELL_DECIMAL, service_row, bytes_per_second),
	COL(28, "gloryServicePlannedChanges", GAUGE, CELL_U32, service_row, planned_changes),
	COL(29, "gloryServiceEmergencies", GAUGE, CELL_U32, service_row, emergencies),
	SET(30, "gloryServicePriority", GAUGE, CELL_U32, service_row, priority, RIGHT_ADMIN),
	SET_ENUM(31, "gloryServicePolicy", CELL_U8, service_row, policy, WORDS_POLICY, RIGHT_ADMIN),
	COL(32, "gloryServiceChanged", OCTETS, CELL_TIME, service_row, changed_wall_ms),
	COL(33, "gloryServiceLastChange", OCTETS, CELL_TIME, service_row, head.last_change_wall_ms),
	STATUS(34, "gloryServiceRowStatus"),
};

static const struct mib_column service_scalars[] = {OWN(2, "gloryServiceNextIndex", GAUGE, OWN_SERVICE_NEXT)};

static const struct mib_column member_columns[] = {
	ENUM(2, "gloryServiceMemberState", CELL_U8, member_row, state, WORDS_MEMBER_STATE),
	ENUM(3, "gloryServiceMemberLevel", CELL_U8, member_row, level, WORDS_LEVEL),
	COL(4, "gloryServiceMemberSince", OCTETS, CELL_TIME, member_row, since_wall_ms),
	COL(5, "gloryServiceMemberDeadline", OCTETS, CELL_TIME, member_row, deadline_wall_ms),
	COL(6, "gloryServiceMemberStuck", INT, CELL_TRUTH8, member_row, stuck),
	COL(7, "gloryServiceMemberReason", OCTETS, CELL_TEXT, member_row, reason),
	ENUM(8, "gloryServiceMemberProbe", CELL_U8, member_row, probe, WORDS_PROBE_STATE),
	COL(9, "gloryServiceMemberWeight", GAUGE, CELL_U32, member_row, weight),
	COL(10, "gloryServiceMemberUtilisation", INT, CELL_SHARE, member_row, utilisation),
	COL(11, "gloryServiceMemberConnections", GAUGE, CELL_U64_LOW, member_row, connections),
	COL(12, "gloryServiceMemberTotalConnections", C64, CELL_U64, member_row, total_connections),
	COL(13, "gloryServiceMemberBytes", C64, CELL_U64, member_row, bytes),
	COL(14, "gloryServiceMemberLastChange", OCTETS, CELL_TIME, member_row, head.last_change_wall_ms),
};

static const struct mib_column balancer_columns[] = {
	SET(2, "gloryBalancerName", OCTETS, CELL_TEXT, balancer_row, name, RIGHT_ADMIN),
	SET_ENUM(3, "gloryBalancerDriver", CELL_WORD, balancer_row, driver, WORDS_BALANCER_DRIVER, RIGHT_ADMIN),
	SET(4, "gloryBalancerAddress", OCTETS, CELL_ENDPOINT, balancer_row, address, RIGHT_ADMIN),
	SET(5, "gloryBalancerSsh", OCTETS, CELL_TEXT, balancer_row, ssh, RIGHT_ADMIN),
	SET(6, "gloryBalancerSnmp", OCTETS, CELL_TEXT, balancer_row, snmp, RIGHT_ADMIN),
	SET(7, "gloryBalancerOptions", OCTETS, CELL_TEXT, balancer_row, options, RIGHT_ADMIN),
	ENUM(8, "gloryBalancerState", CELL_WORD, balancer_row, state, WORDS_BALANCER_STATE),
	ENUM(9, "gloryBalancerLevel", CELL_WORD, balancer_row, level, WORDS_LEVEL),
	COL(10, "gloryBalancerCause", OCTETS, CELL_TEXT, balancer_row, cause),
	COL(11, "gloryBalancerVirtuals", GAUGE, CELL_U32, balancer_row, virtuals),
	COL(12, "gloryBalancerReals", GAUGE, CELL_U32, balancer_row, reals),
	COL(13, "gloryBalancerForeign", GAUGE, CELL_U32, balancer_row, foreign),
	COL(14, "gloryBalancerCommands", C64, CELL_U64, balancer_row, commands),
	COL(15, "gloryBalancerRepairs", C64, CELL_U64, balancer_row, repairs),
	COL(16, "gloryBalancerRead", OCTETS, CELL_TIME, balancer_row, read_wall_ms),
	COL(17, "gloryBalancerLastChange", OCTETS, CELL_TIME, balancer_row, head.last_change_wall_ms),
	STATUS(18, "gloryBalancerRowStatus"),
};

static const struct mib_column balancer_scalars[] = {OWN(2, "gloryBalancerNextIndex", GAUGE, OWN_BALANCER_NEXT)};

static const struct mib_column alarm_columns[] = {
	COL(2, "gloryAlarmObject", OCTETS, CELL_TEXT, alarm_row, object),
	COL(3, "gloryAlarmKind", OCTETS, CELL_TEXT, alarm_row, kind),
	COL(4, "gloryAlarmCause", OCTETS, CELL_TEXT, alarm_row, cause),
	ENUM(5, "gloryAlarmSeverity", CELL_WORD, alarm_row, severity, WORDS_LEVEL),
	COL(6, "gloryAlarmFirst", OCTETS, CELL_TIME, alarm_row, first_wall_ms),
	COL(7, "gloryAlarmLast", OCTETS, CELL_TIME, alarm_row, last_wall_ms),
	COL(8, "gloryAlarmCount", GAUGE, CELL_U32, alarm_row, count),
	SET(9, "gloryAlarmAcknowledged", INT, CELL_TRUTH64, alarm_row, acknowledged_wall_ms, RIGHT_OPERATE),
	COL(10, "gloryAlarmAcknowledgedBy", OCTETS, CELL_TEXT, alarm_row, acknowledged_by),
	COL(11, "gloryAlarmAcknowledgedTime", OCTETS, CELL_TIME, alarm_row, acknowledged_wall_ms),
	COL(12, "gloryAlarmCleared", OCTETS, CELL_TIME, alarm_row, cleared_wall_ms),
	COL(13, "gloryAlarmParent", GAUGE, CELL_U64_LOW, alarm_row, parent),
	COL(14, "gloryAlarmHeld", GAUGE, CELL_U32, alarm_row, held),
	COL(15, "gloryAlarmNodeIndex", GAUGE, CELL_INDEX, alarm_row, node_slot),
	COL(16, "gloryAlarmFlapping", INT, CELL_TRUTH32, alarm_row, flapping),
};

static const struct mib_column job_columns[] = {
	COL(2, "gloryJobActor", OCTETS, CELL_TEXT, job_row, actor),
	ENUM(3, "gloryJobVerb", CELL_WORD, job_row, verb, WORDS_JOB_VERB),
	COL(4, "gloryJobTarget", OCTETS, CELL_TEXT, job_row, target),
	COL(5, "gloryJobReason", OCTETS, CELL_TEXT, job_row, reason),
	ENUM(6, "gloryJobState", CELL_WORD, job_row, state, WORDS_JOB_STATE),
	COL(7, "gloryJobResult", OCTETS, CELL_TEXT, job_row, result),
	COL(8, "gloryJobQueued", OCTETS, CELL_TIME, job_row, queued_wall_ms),
	COL(9, "gloryJobStarted", OCTETS, CELL_TIME, job_row, started_wall_ms),
	COL(10, "gloryJobEnded", OCTETS, CELL_TIME, job_row, ended_wall_ms),
	COL(11, "gloryJobDone", GAUGE, CELL_U32, job_row, done),
	COL(12, "gloryJobTotal", GAUGE, CELL_U32, job_row, total),
	COL(13, "gloryJobNodeIndex", GAUGE, CELL_INDEX, job_row, node_slot),
};

#define GLORY_ROOT 1, 3, 6, 1, 4, 1, GLORY_PEN, 1
const mib_arc glory_root[8] = {GLORY_ROOT};

#define COLUMNS(c) .columns = c, .column_count = COUNT_OF(c)
#define SCALARS(label, arc, where, c) \
	{.name = label, .prefix = {GLORY_ROOT, 1, arc}, .prefix_length = 10, .board = where, COLUMNS(c)}
#define TABLE(label, arc, number, where, c, count, ...) \
	{.name = label, .prefix = {GLORY_ROOT, 1, arc, number, 1}, .prefix_length = 12, .board = where, .part_count = count, \
	 .parts = {__VA_ARGS__}, COLUMNS(c)}
#define BY_SLOT {0, 32, 1}
#define BY_ID {0, 32, 0}

const struct mib_table mib_tables[] = {
	{.name = "system", .prefix = {1, 3, 6, 1, 2, 1, 1}, .prefix_length = 7, .board = BOARD_TABLE_COUNT, COLUMNS(system_columns)},
	SCALARS("gloryAppliance", 1, BOARD_APPLIANCE, appliance_columns),
	SCALARS("gloryCluster", 2, BOARD_CLUSTER, cluster_columns),
	TABLE("gloryGroup", 3, 1, BOARD_GROUP, group_columns, 1, BY_SLOT),
	SCALARS("gloryGroupScalars", 3, BOARD_TABLE_COUNT, group_scalars),
	TABLE("gloryNode", 4, 1, BOARD_NODE, node_columns, 1, BY_SLOT),
	SCALARS("gloryNodeScalars", 4, BOARD_TABLE_COUNT, node_scalars),
	TABLE("gloryItem", 5, 1, BOARD_ITEM, item_columns, 1, BY_SLOT),
	TABLE("gloryNodeValue", 5, 2, BOARD_VALUE, value_columns, 3, {32, 32, 1}, {16, 16, 1}, {0, 16, 0}),
	SCALARS("gloryItemScalars", 5, BOARD_TABLE_COUNT, item_scalars),
	TABLE("glorySensor", 6, 1, BOARD_SENSOR, sensor_columns, 2, {32, 32, 1}, {0, 32, 0}),
	TABLE("gloryWatch", 7, 1, BOARD_WATCH, watch_columns, 1, BY_SLOT),
	SCALARS("gloryWatchScalars", 7, BOARD_TABLE_COUNT, watch_scalars),
	TABLE("gloryWatchNode", 7, 3, BOARD_WATCH_STATE, watch_node_columns, 2, {32, 32, 1}, {0, 32, 1}),
	TABLE("gloryPool", 8, 1, BOARD_POOL, pool_columns, 1, BY_SLOT),
	SCALARS("gloryPoolScalars", 8, BOARD_TABLE_COUNT, pool_scalars),
	TABLE("gloryService", 10, 1, BOARD_SERVICE, service_columns, 1, BY_SLOT),
	SCALARS("gloryServiceScalars", 10, BOARD_TABLE_COUNT, service_scalars),
	TABLE("gloryServiceMember", 10, 3, BOARD_MEMBER, member_columns, 2, {32, 32, 1}, {0, 32, 1}),
	TABLE("gloryBalancer", 11, 1, BOARD_BALANCER, balancer_columns, 1, BY_SLOT),
	SCALARS("gloryBalancerScalars", 11, BOARD_TABLE_COUNT, balancer_scalars),
	TABLE("gloryAlarm", 13, 1, BOARD_ALARM, alarm_columns, 1, BY_ID),
	TABLE("gloryJob", 14, 1, BOARD_JOB, job_columns, 1, BY_ID),
	{.name = "snmpEngine", .prefix = {1, 3, 6, 1, 6, 3, 10, 2, 1}, .prefix_length = 9, .board = BOARD_TABLE_COUNT, COLUMNS(engine_columns)},
};
const size_t mib_table_count = COUNT_OF(mib_tables);

uint64_t mib_key_limit(const struct mib_table *t)
{
	const struct index_part *first = &t->parts[0];

	if (!t->part_count)
		return 0;
	/* an arc has 32 bits: slot 0xffffffff + 1 has no index */
	uint64_t most = UINT32_MAX - first->bias;
	return most << first->shift | (first->shift ? (UINT64_C(1) << first->shift) - 1 : 0);
}

/* Order the index stands for, when it is one exactly; arcs beyond a part's width are none. */
static bool key_exact(const struct mib_table *t, const mib_arc *index, size_t length, uint64_t *key)
{
	if (!t->part_count) {
		*key = 0;
		return length == 1 && index[0] == 0;
	}
	if (length != t->part_count)
		return false;
	*key = 0;
	for (size_t i = 0; i < length; i++) {
		const struct index_part *p = &t->parts[i];
		if (index[i] < p->bias || index[i] > UINT32_MAX || (index[i] - p->bias) >> p->width)
			return false;
		*key |= (uint64_t)(index[i] - p->bias) << p->shift;
	}
	return true;
}

/* Lowest order whose index comes after the given arcs, which may be too few, too many or out of range. False: none does. */
static bool key_after(const struct mib_table *t, const mib_arc *index, size_t length, uint64_t *key)
{
	*key = 0;
	if (!t->part_count)
		return length == 0;
	for (size_t i = 0; i < t->part_count; i++) {
		const struct index_part *p = &t->parts[i];
		if (i >= length || index[i] < p->bias)
			return true; /* what is left out, or lies before the first value, is smaller than any */
		if (index[i] > UINT32_MAX || (index[i] - p->bias) >> p->width) {
			/* past the end of this part: the next value of the part before it, when there is one */
			uint64_t step = UINT64_C(1) << p->shift << p->width;
			if (i == 0 || !step || (*key | (step - 1)) == UINT64_MAX)
				return false;
			*key = (*key | (step - 1)) + 1;
			return *key <= mib_key_limit(t);
		}
		*key |= (uint64_t)(index[i] - p->bias) << p->shift;
	}
	if (*key >= mib_key_limit(t))
		return false;
	(*key)++; /* all parts given, perhaps with more arcs behind them: the row itself is not after it */
	return true;
}

static int compare(const mib_arc *a, size_t a_length, const mib_arc *b, size_t b_length)
{
	for (size_t i = 0; i < a_length && i < b_length; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return a_length == b_length ? 0 : a_length < b_length ? -1 : 1;
}

static bool under(const struct mib_table *t, const mib_arc *name, size_t length)
{
	return length >= t->prefix_length && !compare(t->prefix, t->prefix_length, name, t->prefix_length);
}

int mib_locate(const mib_arc *name, size_t length, struct mib_place *out, bool *known_object)
{
	*known_object = false;
	for (size_t i = 0; i < mib_table_count; i++) {
		const struct mib_table *t = &mib_tables[i];
		if (!under(t, name, length) || length == t->prefix_length)
			continue;
		for (size_t c = 0; c < t->column_count; c++) {
			if (t->columns[c].number != name[t->prefix_length])
				continue;
			*known_object = true;
			*out = (struct mib_place){.table = t, .column = &t->columns[c]};
			size_t skip = t->prefix_length + 1u;
			return key_exact(t, name + skip, length - skip, &out->key) ? 0 : ERR_NOT_FOUND;
		}
	}
	return ERR_NOT_FOUND;
}

/* First place of a table after the name, the name being somewhere before or in it. */
static bool after_in(const struct mib_table *t, const mib_arc *name, size_t length, struct mib_place *out)
{
	bool inside = under(t, name, length) && length > t->prefix_length;
	mib_arc number = inside ? name[t->prefix_length] : 0;
	size_t skip = t->prefix_length + 1u;

	for (size_t c = 0; c < t->column_count; c++) {
		const struct mib_column *column = &t->columns[c];
		*out = (struct mib_place){.table = t, .column = column};
		if (column->number > number)
			return true;
		if (column->number == number && key_after(t, name + skip, length - skip, &out->key))
			return true;
	}
	return false;
}

bool mib_after(const mib_arc *name, size_t length, struct mib_place *out)
{
	for (size_t i = 0; i < mib_table_count; i++) {
		const struct mib_table *t = &mib_tables[i];
		if (!under(t, name, length) && compare(name, length, t->prefix, t->prefix_length) > 0)
			continue;
		if (after_in(t, name, length, out))
			return true;
	}
	return false;
}

bool mib_next_column(struct mib_place *place)
{
	const struct mib_table *t = place->table;

	place->key = 0;
	if (++place->column < t->columns + t->column_count)
		return true;
	if (++place->table >= mib_tables + mib_table_count)
		return false;
	place->column = place->table->columns;
	return true;
}

size_t mib_column_name(const struct mib_table *t, const struct mib_column *column, mib_arc *out)
{
	memcpy(out, t->prefix, t->prefix_length * sizeof *out);
	out[t->prefix_length] = column->number;
	return t->prefix_length + 1u;
}

size_t mib_index(const struct mib_place *place, mib_arc *out)
{
	const struct mib_table *t = place->table;

	if (!t->part_count) {
		out[0] = 0;
		return 1;
	}
	for (size_t i = 0; i < t->part_count; i++) {
		const struct index_part *p = &t->parts[i];
		out[i] = (place->key >> p->shift & ((UINT64_C(1) << p->width) - 1)) + p->bias;
	}
	return t->part_count;
}

size_t mib_name(const struct mib_place *place, mib_arc *out)
{
	size_t n = mib_column_name(place->table, place->column, out);

	return n + mib_index(place, out + n);
}

const char *mib_column_label(const struct mib_column *column, char *room, size_t size)
{
	static const struct {
		const char *stem;
		enum word_set words;
		unsigned base; /* the number of word N is base + N */
	} blocks[] = {{"gloryApplianceTraps", WORDS_TRAP_FATE, 30}, {"gloryClusterVerdict", WORDS_VERDICT, 10},
		      {"gloryClusterAlarms", WORDS_LEVEL, 40}, {"gloryClusterLevel", WORDS_LEVEL, 30}};
	char label[32];
	size_t b = 0;

	if (column->name)
		return column->name;
	while (b + 1 < COUNT_OF(blocks) && (blocks[b].words != (enum word_set)(column->words - 1) || column->number <= blocks[b].base))
		b++;
	words_label(blocks[b].words, (int)(column->number - blocks[b].base), label, sizeof label);
	if (label[0] >= 'a' && label[0] <= 'z')
		label[0] = (char)(label[0] - 'a' + 'A');
	text_format(room, size, "%s%s", blocks[b].stem, label);
	return room;
}
