/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The length every message may have, which the channel checks before a role sees it, and the names for the log.
 * This file also makes the compiler refuse a message or row with hidden padding, which would leak bytes of a role's memory. */
#include "base/address.h"
#include "base/words.h"
#include "base/witness.h"
#include "proc/channel.h"
#include "proc/role.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"
#include "board/messages.h"
#include "board/board.h"
#pragma GCC diagnostic pop

#include <stddef.h>

/* X(type, bytes of the fixed part, bytes of a repeated element or 0) */
#define EMPTY(type) X(type, 0, 0)
#define ONE(type, body) X(type, sizeof(struct body), 0)
#define MANY(type, body) X(type, 0, sizeof(struct body))
#define WITH_TEXT(type, body) X(type, sizeof(struct body), 1)
#define BYTES(type) X(type, 0, 1) /* struct of a higher folder: its receiver checks the size */
#define MESSAGES \
	EMPTY(READY) ONE(SECRET_ASK, msg_secret_ask) ONE(SECRET, msg_secret) ONE(ENDPOINT, msg_endpoint) \
	ONE(SOCKET, msg_socket) ONE(HELPER_RUN, msg_helper_run) ONE(HELPER_OUT, msg_helper_out) \
	EMPTY(HEARTBEAT) ONE(STATS, msg_stats) EMPTY(BOARD) EMPTY(RING) \
	ONE(START, role_start) BYTES(SETTINGS) EMPTY(FIRST_CLUSTER) ONE(HTTPS, msg_https) \
	ONE(TARGETS_BEGIN, msg_targets) MANY(OBJECTS, msg_object) ONE(TARGET, msg_target) EMPTY(TARGETS_END) \
	ONE(TARGET_REMOVE, msg_slot) ONE(PROBE, msg_slot) ONE(HOLD, msg_domain) ONE(RELEASE, msg_domain) \
	MANY(PORTS, msg_port) ONE(PORT_ASK, msg_slot) MANY(REFERENCE, msg_reference) ONE(REFERENCE_ASK, msg_domain) \
	X(SAMPLES, 0, SAMPLES_UNIT) MANY(WITNESS, witness_report) MANY(INSTANCES, msg_instance) ONE(JUDGE, msg_judge) \
	MANY(PORT_STATE, msg_port_state) MANY(REFERENCE_STATE, msg_reference_state) \
	MANY(WATCHES, msg_watch) MANY(WATCH_SCOPE, msg_watch_scope) ONE(TOP_ASK, msg_top_ask) \
	MANY(WATCH_STATE, msg_watch_state) X(TOP, sizeof(struct msg_top), sizeof(struct msg_top_row)) \
	MANY(CHECKS, msg_check) MANY(CHECK_NODES, msg_check_node) \
	X(CHECK_RESULT, sizeof(struct msg_check_result), sizeof(struct msg_check_value)) \
	ONE(LOSSY, msg_lossy) MANY(NODE_FACTS, msg_node_facts) \
	MANY(TRAP_SOURCES, msg_trap_source) MANY(SNMP_ENGINES, msg_snmp_engine) \
	MANY(TRAP, msg_trap) MANY(TARGET_STATE, msg_target_state) ONE(TRAP_COUNTS, msg_trap_counts) \
	MANY(ITEMS, msg_item) MANY(ITEM_SCOPE, msg_item_scope) MANY(ITEM_COST, msg_item_cost) \
	ONE(BMC_TARGETS_BEGIN, msg_targets) ONE(BMC_TARGET, msg_bmc_target) EMPTY(BMC_TARGETS_END) ONE(BMC_REMOVE, msg_slot) \
	ONE(POWER, msg_power) ONE(BMC_READ, msg_bmc_read) ONE(SEL_KNOWN, msg_sel_known) ONE(SEL_CLEAR, msg_sel_clear) ONE(PET, msg_pet) \
	MANY(POWER_STATE, msg_power_state) ONE(POWER_RESULT, msg_power_result) MANY(SENSORS, msg_sensor) ONE(BMC_FACTS, msg_bmc_facts) \
	MANY(SEL, msg_sel_entry) ONE(SEL_STATE, msg_sel_state) ONE(SEL_CLEARED, msg_sel_cleared) ONE(PET_EVENT, msg_sel_entry) \
	ONE(FRU, msg_fru) \
	ONE(SERIES_ADD, msg_series) ONE(FLUSH, msg_flush) ONE(FLUSHED, msg_flush) ONE(RECORDER_STATE, msg_recorder_state) \
	WITH_TEXT(COMMAND, msg_command) ONE(QUERY, msg_query) WITH_TEXT(REPLY, msg_reply) ONE(NOTIFY, msg_notify) \
	ONE(NOTIFY_DONE, msg_notify_done) MANY(RECEIVER, msg_receiver) ONE(GRAPH, msg_graph) MANY(USER, msg_user) \
	MANY(PROBES, msg_member_probe) MANY(PROBE_STATE, msg_probe_state) MANY(PROBE_CHANGE, msg_member_probe) \
	ONE(RUN, msg_run) ONE(RUN_CANCEL, msg_run_id) ONE(RUN_RESULT, msg_run_result) ONE(RUN_LINE, msg_run_line) \
	ONE(LOOK, msg_slot) ONE(REPORT, msg_report) ONE(HTTPS_STATE, msg_https_state)

/* a type without an entry has shape {0, 0}: only an empty packet passes, and no role has a handler for it */
#define X(type, fixed_bytes, element_bytes) [MSG_##type] = {.fixed = (fixed_bytes), .element = (element_bytes)},
const struct message_shape message_shapes[MSG_TYPE_COUNT] = {MESSAGES};
#undef X

#define X(type, fixed_bytes, element_bytes) \
	_Static_assert((fixed_bytes) + (element_bytes) <= CHANNEL_BODY_MAX, "MSG_" #type " does not fit into a packet");
MESSAGES
#undef X

_Static_assert(ITEMS_MAX * sizeof(struct msg_item) <= CHANNEL_BODY_MAX, "all items travel in one packet");
/* the whole text of an apply or a page of a reply must leave room beside its struct */
_Static_assert(sizeof(struct msg_reply) + 16384 < CHANNEL_BODY_MAX, "a reply carries a page of text");

#define X(type, fixed_bytes, element_bytes) [MSG_##type] = #type,
static const char *const names[MSG_TYPE_COUNT] = {MESSAGES};
#undef X

const char *message_name(unsigned type)
{
	return type < MSG_TYPE_COUNT && names[type] ? names[type] : "?";
}
