/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The product's words: every enumeration that is logged, sent, stored or shown, with its one spelling.
 * Numbers are append-only (they are in the MIB and in the store); 0 is never a value. */
#ifndef GLORY_BASE_WORDS_H
#define GLORY_BASE_WORDS_H

#include <stddef.h>

/* X(symbol, number, "spelling"); the MIB label is the spelling in camelCase */
#define GLORY_LEVELS(X) X(UNKNOWN, 1, "unknown") X(NORMAL, 2, "normal") X(WARNING, 3, "warning") \
	X(MAJOR, 4, "major") X(CRITICAL, 5, "critical")
#define GLORY_POWERS(X) X(UNKNOWN, 1, "unknown") X(OFF, 2, "off") X(ON, 3, "on")
#define GLORY_VERDICTS(X) X(UNKNOWN, 1, "unknown") X(UP, 2, "up") X(AGENT_SLOW, 3, "agent-slow") \
	X(AGENT_DEAD, 4, "agent-dead") X(BMC_LOST, 5, "bmc-lost") X(BMC_MISMATCH, 6, "bmc-mismatch") \
	X(UNREACHABLE, 7, "unreachable") X(OS_HUNG, 8, "os-hung") X(LINK_LOST, 9, "link-lost") \
	X(PATH_BLOCKED, 10, "path-blocked") X(POWERED_OFF, 11, "powered-off") X(POWER_LOST, 12, "power-lost") \
	X(ISOLATED, 13, "isolated") X(GROUP_PATH_LOST, 14, "group-path-lost") X(BOOTING, 15, "booting") \
	X(BOOT_FAILED, 16, "boot-failed")
#define GLORY_CERTAINTIES(X) X(NONE, 1, "none") X(CALLED, 2, "called") X(CAUSE, 3, "cause") X(CONFIRMED, 4, "confirmed")
#define GLORY_LIVES(X) X(DISCOVERED, 1, "discovered") X(REGISTERED, 2, "registered") X(READY, 3, "ready") \
	X(ALLOCATED, 4, "allocated") X(DRAINING, 5, "draining") X(FAILED, 6, "failed") \
	X(MAINTENANCE, 7, "maintenance") X(RETIRED, 8, "retired")
#define GLORY_JOB_STATES(X) X(QUEUED, 1, "queued") X(RUNNING, 2, "running") X(WAITING, 3, "waiting") \
	X(DONE, 4, "done") X(FAILED, 5, "failed") X(UNKNOWN, 6, "unknown") X(CANCELLED, 7, "cancelled")
#define GLORY_POWER_VERBS(X) X(NONE, 1, "none") X(ON, 2, "on") X(OFF, 3, "off") X(SOFT, 4, "soft") \
	X(CYCLE, 5, "cycle") X(RESET, 6, "reset") X(IDENTIFY, 7, "identify")
/* what a job does: the power verbs under their own numbers, and what goes over node control */
#define GLORY_JOB_VERBS(X) GLORY_POWER_VERBS(X) X(RUN, 8, "run") X(SOFTWARE_INSTALL, 9, "software-install") \
	X(SOFTWARE_UPGRADE, 10, "software-upgrade") X(SOFTWARE_REMOVE, 11, "software-remove") X(ROLE, 12, "role")
/* who may do what: UNIX groups, VACM groups and API rights are the same three */
#define GLORY_RIGHTS(X) X(NONE, 1, "none") X(VIEW, 2, "glory-view") X(OPERATE, 3, "glory-operate") X(ADMIN, 4, "glory-admin")
#define GLORY_POLICIES(X) X(REPAIR, 1, "repair") X(TELL, 2, "tell") X(HANDS_OFF, 3, "hands-off")
#define GLORY_DOMAIN_KINDS(X) X(GROUP, 1, "group") X(SWITCH, 2, "switch") X(RACK, 3, "rack") X(PDU, 4, "pdu") X(SITE, 5, "site")
#define GLORY_DOMAIN_STATES(X) X(OK, 1, "ok") X(HOLD, 2, "hold") X(PATH, 3, "path") X(POWER, 4, "power") X(HANG, 5, "hang")
#define GLORY_SENSOR_STATES(X) X(NOMINAL, 1, "nominal") X(NOT_PRESENT, 2, "not-present") X(NOT_READABLE, 3, "not-readable") \
	X(NOT_JUDGED, 4, "not-judged") X(FINDING, 5, "finding")
#define GLORY_ROLES(X) X(SUPERVISOR, 1, "supervisor") X(ENGINE, 2, "engine") X(COLLECTOR, 3, "collector") X(BMC, 4, "bmc") \
	X(RECORDER, 5, "recorder") X(AGENT, 6, "agent") X(API, 7, "api") X(CHECKER, 8, "checker") X(RUNNER, 9, "runner")
#define GLORY_TRAP_SOURCES(X) X(NODE, 1, "node") X(BMC, 2, "bmc") X(SWITCH, 3, "switch") X(PDU, 4, "pdu")
#define GLORY_TRAP_KINDS(X) X(GENERIC, 1, "generic") X(COLD_START, 2, "cold-start") X(WARM_START, 3, "warm-start") \
	X(LINK_DOWN, 4, "link-down") X(LINK_UP, 5, "link-up") X(AUTHENTICATION_FAILURE, 6, "authentication-failure") \
	X(SHUTDOWN, 7, "shutdown") X(RESTART, 8, "restart") X(PLATFORM_EVENT, 9, "platform-event")
/* what becomes of a datagram at the trap listener; all but the first are never acted on */
#define GLORY_TRAP_FATES(X) X(TAKEN, 1, "taken") X(GARBAGE, 2, "garbage") X(UNKNOWN_SOURCE, 3, "unknown-source") \
	X(COMMUNITY, 4, "wrong-community") X(USER, 5, "unknown-user") X(DIGEST, 6, "wrong-digest") X(LEVEL, 7, "weak-level") \
	X(WINDOW, 8, "time-window") X(RATE, 9, "rate") X(REPEAT, 10, "repeated") X(AMBIGUOUS, 11, "ambiguous") \
	X(NOT_READY, 12, "no-secret") X(DISCOVERY, 13, "discovery") X(OVERFLOW, 14, "overflow")

/* of a process watch on a node */
#define GLORY_WATCH_STATES(X) X(UNKNOWN, 1, "unknown") X(OK, 2, "ok") X(TOO_FEW, 3, "too-few") X(TOO_MANY, 4, "too-many")

/* of a service: what its members are doing together */
#define GLORY_SERVICE_STATES(X) X(UNKNOWN, 1, "unknown") X(STOPPED, 2, "stopped") X(STARTING, 3, "starting") X(WELL, 4, "well") \
	X(SHORT, 5, "short") X(DOWN, 6, "down") X(STOPPING, 7, "stopping") X(REMOVING, 8, "removing")
/* of one member (a node that carries a service) */
#define GLORY_MEMBER_STATES(X) X(ALLOCATING, 1, "allocating") X(INSTALLING, 2, "installing") X(STARTING, 3, "starting") \
	X(WARMING, 4, "warming") X(IN_SERVICE, 5, "in-service") X(DRAINING, 6, "draining") X(RELEASING, 7, "releasing") X(FAILED, 8, "failed")
/* of a probe of a member */
#define GLORY_PROBE_STATES(X) X(UNKNOWN, 1, "unknown") X(GOOD, 2, "good") X(BAD, 3, "bad")
/* of a balancer: in-step = reads back as wanted */
#define GLORY_BALANCER_STATES(X) X(UNKNOWN, 1, "unknown") X(IN_STEP, 2, "in-step") X(CHANGING, 3, "changing") X(REFUSED, 4, "refused") \
	X(UNREACHABLE, 5, "unreachable")
#define GLORY_BALANCER_DRIVERS(X) X(IPVS, 1, "ipvs") X(HAPROXY, 2, "haproxy") X(ALTEON, 3, "alteon") X(SERVERIRON, 4, "serveriron") \
	X(CISCO_SLB, 5, "cisco-slb") X(NFTABLES, 6, "nftables") X(F5, 7, "f5")
#define GLORY_FORWARDINGS(X) X(NAT, 1, "nat") X(DIRECT, 2, "direct") X(TUNNEL, 3, "tunnel")
/* how something that was run on a node, or a driver program, ended */
#define GLORY_RUN_ENDS(X) X(DONE, 1, "done") X(FAILED, 2, "failed") X(CONNECTION_REFUSED, 3, "connection-refused") X(HOST_KEY, 4, "wrong-host-key") \
	X(PERMISSION, 5, "permission-denied") X(NO_ANSWER, 6, "no-answer") X(LATE, 7, "too-late") X(CUT, 8, "cut-off") X(NO_SPACE, 9, "no-space") \
	X(BUSY, 10, "busy") X(CANCELLED, 11, "cancelled") X(BAD, 12, "bad-output")

#define GLORY_WORD_MEMBER_(prefix, symbol, number) prefix##_##symbol = number,
#define X(s, n, w) GLORY_WORD_MEMBER_(LEVEL, s, n)
enum level { GLORY_LEVELS(X) LEVEL_COUNT = 6 };
#undef X
#define X(s, n, w) GLORY_WORD_MEMBER_(POWER, s, n)
enum power { GLORY_POWERS(X) POWER_COUNT = 4 };
#undef X
#define X(s, n, w) GLORY_WORD_MEMBER_(VERDICT, s, n)
enum verdict { GLORY_VERDICTS(X) VERDICT_COUNT = 17 };
#undef X
#define X(s, n, w) GLORY_WORD_MEMBER_(CERTAINTY, s, n)
enum certainty { GLORY_CERTAINTIES(X) CERTAINTY_COUNT = 5 };
#undef X
#define X(s, n, w) GLORY_WORD_MEMBER_(LIFE, s, n)
enum life { GLORY_LIVES(X) LIFE_COUNT = 9 };
#undef X
#define X(s, n, w) GLORY_WORD_MEMBER_(JOB, s, n)
enum job_state { GLORY_JOB_STATES(X) JOB_STATE_COUNT = 8 };
#undef X
#define X(s, n, w) GLORY_WORD_MEMBER_(POWER_VERB, s, n)
enum power_verb { GLORY_POWER_VERBS(X) POWER_VERB_COUNT = 8 };
#undef X
#define X(s, n, w) GLORY_WORD_MEMBER_(JOB_VERB, s, n)
enum job_verb { GLORY_JOB_VERBS(X) JOB_VERB_COUNT = 13 };
#undef X
#define X(s, n, w) GLORY_WORD_MEMBER_(RIGHT, s, n)
enum right { GLORY_RIGHTS(X) RIGHT_COUNT = 5 };
#undef X
#define X(s, n, w) GLORY_WORD_MEMBER_(POLICY, s, n)
enum policy { GLORY_POLICIES(X) POLICY_COUNT = 4 };
#undef X
#define X(s, n, w) GLORY_WORD_MEMBER_(DOMAIN, s, n)
enum domain_kind { GLORY_DOMAIN_KINDS(X) DOMAIN_KIND_COUNT = 6 };
#undef X
#define X(s, n, w) GLORY_WORD_MEMBER_(DOMAIN_STATE, s, n)
enum domain_state { GLORY_DOMAIN_STATES(X) DOMAIN_STATE_COUNT = 6 };
#undef X
#define X(s, n, w) GLORY_WORD_MEMBER_(SENSOR, s, n)
enum sensor_state { GLORY_SENSOR_STATES(X) SENSOR_STATE_COUNT = 6 };
#undef X
#define X(s, n, w) GLORY_WORD_MEMBER_(WATCH_STATE, s, n)
enum watch_state { GLORY_WATCH_STATES(X) WATCH_STATE_COUNT = 5 };
#undef X
#define X(s, n, w) GLORY_WORD_MEMBER_(SERVICE, s, n)
enum service_state { GLORY_SERVICE_STATES(X) SERVICE_STATE_COUNT = 9 };
#undef X
#define X(s, n, w) GLORY_WORD_MEMBER_(MEMBER, s, n)
enum member_state { GLORY_MEMBER_STATES(X) MEMBER_STATE_COUNT = 9 };
#undef X
#define X(s, n, w) GLORY_WORD_MEMBER_(PROBE, s, n)
enum probe_state { GLORY_PROBE_STATES(X) PROBE_STATE_COUNT = 4 };
#undef X
#define X(s, n, w) GLORY_WORD_MEMBER_(BALANCER, s, n)
enum balancer_state { GLORY_BALANCER_STATES(X) BALANCER_STATE_COUNT = 6 };
#undef X
#define X(s, n, w) GLORY_WORD_MEMBER_(DRIVER, s, n)
enum balancer_driver { GLORY_BALANCER_DRIVERS(X) DRIVER_COUNT = 8 };
#undef X
#define X(s, n, w) GLORY_WORD_MEMBER_(FORWARD, s, n)
enum forwarding { GLORY_FORWARDINGS(X) FORWARD_COUNT = 4 };
#undef X
#define X(s, n, w) GLORY_WORD_MEMBER_(ENDED, s, n)
enum run_ended { GLORY_RUN_ENDS(X) ENDED_COUNT = 13 };
#undef X
#define X(s, n, w) GLORY_WORD_MEMBER_(ROLE, s, n)
enum role { GLORY_ROLES(X) ROLE_COUNT = 10 };
#undef X
#define X(s, n, w) GLORY_WORD_MEMBER_(TRAP_FROM, s, n)
enum trap_source_kind { GLORY_TRAP_SOURCES(X) TRAP_FROM_COUNT = 5 };
#undef X
#define X(s, n, w) GLORY_WORD_MEMBER_(TRAP_KIND, s, n)
enum trap_kind { GLORY_TRAP_KINDS(X) TRAP_KIND_COUNT = 10 };
#undef X
#define X(s, n, w) GLORY_WORD_MEMBER_(TRAP_FATE, s, n)
enum trap_fate { GLORY_TRAP_FATES(X) TRAP_FATE_COUNT = 15 };
#undef X

/* One vocabulary per enumeration, so that tables can refer to it. */
enum word_set {
	WORDS_LEVEL, WORDS_POWER, WORDS_VERDICT, WORDS_CERTAINTY, WORDS_LIFE, WORDS_JOB_STATE, WORDS_POWER_VERB,
	WORDS_RIGHT, WORDS_POLICY, WORDS_DOMAIN_KIND, WORDS_DOMAIN_STATE, WORDS_SENSOR_STATE, WORDS_ROLE,
	WORDS_TRAP_SOURCE, WORDS_TRAP_KIND, WORDS_TRAP_FATE, WORDS_WATCH_STATE, WORDS_SERVICE_STATE,
	WORDS_MEMBER_STATE, WORDS_PROBE_STATE, WORDS_BALANCER_STATE, WORDS_BALANCER_DRIVER, WORDS_FORWARDING, WORDS_RUN_ENDED,
	WORDS_JOB_VERB, WORDS_SET_COUNT
};

/* The spelling of a value ("os-hung"); "?" for a number that is none. Never NULL. */
const char *words_name(enum word_set set, int value);
/* The value of a spelling; 0 when there is none. */
int words_value(enum word_set set, const char *word);
/* The MIB label of a value ("osHung") into out; returns out. */
const char *words_label(enum word_set set, int value, char *out, size_t size);

static inline const char *level_name(int v) { return words_name(WORDS_LEVEL, v); }
static inline const char *power_name(int v) { return words_name(WORDS_POWER, v); }
static inline const char *verdict_name(int v) { return words_name(WORDS_VERDICT, v); }
static inline const char *certainty_name(int v) { return words_name(WORDS_CERTAINTY, v); }
static inline const char *life_name(int v) { return words_name(WORDS_LIFE, v); }
static inline const char *job_state_name(int v) { return words_name(WORDS_JOB_STATE, v); }
static inline const char *power_verb_name(int v) { return words_name(WORDS_POWER_VERB, v); }
static inline const char *job_verb_name(int v) { return words_name(WORDS_JOB_VERB, v); }
static inline const char *trap_kind_name(int v) { return words_name(WORDS_TRAP_KIND, v); }
static inline const char *trap_fate_name(int v) { return words_name(WORDS_TRAP_FATE, v); }
static inline const char *service_state_name(int v) { return words_name(WORDS_SERVICE_STATE, v); }
static inline const char *member_state_name(int v) { return words_name(WORDS_MEMBER_STATE, v); }
static inline const char *probe_state_name(int v) { return words_name(WORDS_PROBE_STATE, v); }
static inline const char *balancer_state_name(int v) { return words_name(WORDS_BALANCER_STATE, v); }
static inline const char *balancer_driver_name(int v) { return words_name(WORDS_BALANCER_DRIVER, v); }
static inline const char *forwarding_name(int v) { return words_name(WORDS_FORWARDING, v); }
static inline const char *run_ended_name(int v) { return words_name(WORDS_RUN_ENDED, v); }
static inline const char *role_name(int v) { return words_name(WORDS_ROLE, v); }

#endif
