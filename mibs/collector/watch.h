/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The collector's scheduler and suspicion machine: when each node is asked what, which answers count, which are missed,
 * and when the engine is told. Pure: no socket, no clock, no global; the SNMP and echo engine drives it and sends for it.
 * The same code runs in virtual time in tests/sim.
 *
 * How it is driven, in this order at every turn of the loop:
 *   1. read every socket empty; watch_answer() for each packet that matched a token;
 *   2. watch_drops(), watch_carrier(), watch_resumed() when there is something to tell;
 *   3. watch_tick(now); it calls the callbacks, and returns when it wants to be called next.
 * A turn that is more than 100 ms later than the time tick asked for is noticed by watch itself (verdicts 4.5): answers
 * read in it count, misses and lateness of answers do not.
 *
 * Callbacks may not call back into watch, except watch_view() and watch_stats(). Memory is allocated by watch_create()
 * and freed by watch_free(), never in between. Times are monotonic milliseconds, resolution of the wheel 10 ms.
 */
#ifndef GLORY_COLLECTOR_WATCH_H
#define GLORY_COLLECTOR_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/witness.h"

struct watch;

/*
 * Parameters of verdicts 4.1. watch_params_default() fills in the defaults; zero is never "default".
 */
struct watch_params {
	uint32_t heartbeat_ms;	   /* h: 1000; a multiple of 10 */
	uint32_t first_wait_ms;	   /* w: 200; a node may have its own */
	uint32_t window_ms;	   /* W: 1600; a call comes no sooner than w + W after the first lost probe was sent */
	uint32_t guard_max_ms;	   /* burst guard: a node's own W, at most 6000 */
	uint32_t agent_ms;	   /* silence of the agent while the kernel answers: 4000 */
	uint32_t agent_probe_ms;   /* GETs of that phase: 300; echoes come at three times that */
	uint32_t userland_ms;	   /* wait for the banner: 3000 */
	uint32_t slow_ms;	   /* an answer older than this is late: 1000 */
	uint32_t answer_ms;	   /* tokens stay valid for so long: 5000 */
	uint32_t confirm_ms;	   /* probing slows down so long after the first lost probe: 10000 */
	uint32_t late_ms;	   /* the loop is disturbed when it is later than this: 100 */
	uint32_t stall_ms;	   /* ... and suspended when later than this: 3000 */
	uint32_t carrier_hold_ms;  /* after the carrier is back nothing is missed for 2000 */
	uint32_t echo_baseline_ms; /* echo to a node whose echo is known to pass: 120000; else every 10 s */
	uint32_t misses_max;	   /* needed misses never exceed 40 */
	uint32_t flag_misses;	   /* 4 */
	uint32_t return_beats;	   /* 3 answered heartbeats end a call */
	double evidence;	   /* 27: ln(nodes x seconds a day / 0.01) + 2; needed = ceil(evidence / -ln q) */
};

/* What an answer was. */
enum watch_answer_kind {
	WATCH_S_REPLY = 1,   /* a matched SNMP response */
	WATCH_S_REPORT = 2,  /* a matched SNMPv3 Report: the agent lives */
	WATCH_S_REFUSED = 3, /* ICMP port unreachable for a request of ours */
	WATCH_K_ECHO = 4,    /* echo reply */
	WATCH_K_OTHER = 5,   /* SYN-ACK or RST of TCP 22, or (same segment) an ARP or ND reply of the right MAC */
	WATCH_U_BANNER = 6,  /* bytes of a banner */
	WATCH_U_REFUSED = 7, /* TCP 22 is closed (RST): the kernel lives, userland cannot be asked */
	WATCH_S_FROZEN = 8,  /* an SNMP response whose sysUpTime stands still: a kernel, no agent */
};

/*
 * What the SNMP and echo engine does for watch. `token` names the exchange: hand it back with the answer. Tokens are
 * never 0, unique per node for 64 exchanges, and predictable: make request ids and echo payloads of your own from a
 * secret and the token, and drop what does not match. A callback that cannot send (buffer full) returns false: the
 * exchange is then void and never counts as missed.
 */
struct watch_ops {
	/* GET of sysUpTime */
	bool (*send_heartbeat)(void *arg, uint32_t slot, uint32_t token);
	/* the poll that is due; takes the place of the heartbeat. The first answered request of the poll answers the token */
	bool (*send_poll)(void *arg, uint32_t slot, uint32_t token);
	/* ICMP echo */
	bool (*send_echo)(void *arg, uint32_t slot, uint32_t token);
	/* small GET of a suspicion (sysUpTime); may be the same packet as a heartbeat */
	bool (*send_get)(void *arg, uint32_t slot, uint32_t token);
	/*
	 * connect to TCP 22 (or the node's configured port), wait for a banner for userland_ms, close. Tell WATCH_K_OTHER at the
	 * SYN-ACK (needed: silence after it is what accuses), WATCH_U_BANNER at the first bytes, WATCH_U_REFUSED at RST; say nothing
	 * on time-out.
	 */
	bool (*ask_userland)(void *arg, uint32_t slot, uint32_t token);
	/* tell the engine; copy it before returning */
	void (*report)(void *arg, const struct witness_report *report);
	/* the node is asked in a moment: what the request needs can be fetched into the cache, near = by a second look. May be NULL */
	void (*ahead)(void *arg, uint32_t slot, bool near);
	/* judgement of this collector is suspended for these reasons (bits of enum suspend_reason), 0 = no longer */
	void (*suspended)(void *arg, unsigned reasons, int64_t since);
	/* more than half of the exchanges of a group are lost (true), or no longer (false): judge_lossy(). May be NULL */
	void (*lossy)(void *arg, uint32_t domain, bool lossy);
};

/* One node as watch needs it. */
struct watch_node {
	uint32_t generation;
	uint32_t hash;		/* stable hash of the node's name: spreads heartbeats and polls */
	uint32_t poll_ms;	/* poll interval, a multiple of heartbeat_ms; 0 = no polls */
	uint32_t first_wait_ms; /* w of this node; 0 = the default. Remote sites: 4 x smoothed echo time */
	bool snmp;		/* false: no credential, S is na, echo is the heartbeat */
	bool echo;		/* false: never send echo */
	bool userland;		/* false: never ask TCP 22 */
	uint8_t ndomains;
	uint32_t domains[NODE_DOMAINS]; /* ids below max_domains; the first one is the group whose loss is estimated */
};

/* Counters since creation; for the appliance row and the simulator. */
struct watch_stats {
	uint64_t heartbeats, polls, echoes, gets, userland; /* sent */
	uint64_t baselines;		      /* of the echoes and userland questions: asked of healthy nodes, to learn */
	uint64_t answers, late, stale;	      /* stale: no live token */
	uint64_t suspicions, flags, enough, agent_dead;
	uint64_t disturbed, skipped;	      /* disturbances; heartbeat slots that were skipped, not caught up */
	uint64_t rechecks_raised;	      /* calls put off because the group's loss had risen */
};

/* What watch thinks of one node, for tests and for the board. */
struct watch_view {
	bool known;
	uint8_t s, k, u; /* enum witness_state */
	uint16_t misses, needed;
	bool flagged, enough, held, echo_passes, userland_seen;
	uint32_t window_ms;	/* W of this node now */
	double loss, group_loss; /* share of exchanges lost */
	int64_t first, last;
};

void watch_params_default(struct watch_params *params);

/* NULL = no memory. params and ops are copied; arg goes to every callback. now starts the wheel. */
struct watch *watch_create(const struct watch_params *params, const struct watch_ops *ops, void *arg, uint32_t max_nodes,
			   uint32_t max_domains, int64_t now);
void watch_free(struct watch *watch);

/*
 * Add or change a node. A known slot of the same generation keeps what was learnt (phase follows the hash); a new generation
 * starts anew. Returns 0, or -1 for a slot or domain id out of range or an interval that is no multiple.
 */
int watch_add(struct watch *watch, uint32_t slot, const struct watch_node *node, int64_t now);
int watch_change(struct watch *watch, uint32_t slot, const struct watch_node *node, int64_t now);
void watch_remove(struct watch *watch, uint32_t slot);

/* An answer was read. Answers without a live token (sent in the last answer_ms, at most 64 back) change nothing. */
void watch_answer(struct watch *watch, uint32_t slot, uint32_t token, enum watch_answer_kind kind, int64_t now);

/* An answer follows in a moment: fetches the node's memory into the cache, or with its token that of the exchange. Changes nothing. */
void watch_ahead(const struct watch *watch, uint32_t slot, uint32_t token);

/* Do what is due. Returns the monotonic ms at which it wants to be called again. */
int64_t watch_tick(struct watch *watch, int64_t now);

/* A domain is held or released by the engine. Release restarts the suspicion of every member that is still silent. */
void watch_hold(struct watch *watch, uint32_t domain, int64_t now);
void watch_release(struct watch *watch, uint32_t domain, int64_t now);

/* Poll now (within 10 ms; with the node suspect, as soon as it answers). */
void watch_probe(struct watch *watch, uint32_t slot, int64_t now);

/* The receive drop counter of a socket rose. */
void watch_drops(struct watch *watch, int64_t now);
/* Own link. While it is down nothing is sent. */
void watch_carrier(struct watch *watch, bool up, int64_t now);
/* The machine slept (boottime ran on without monotonic time), or the whole judge was stopped: suspended for a sweep. */
void watch_resumed(struct watch *watch, int64_t now);

/* Bits of enum suspend_reason that hold now. */
unsigned watch_suspended(const struct watch *watch);
void watch_view(const struct watch *watch, uint32_t slot, struct watch_view *view);
const struct watch_stats *watch_stats(const struct watch *watch);

#endif
