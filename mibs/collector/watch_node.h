/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside of watch, shared by watch.c (scheduler), suspicion.c (state machine) and loss.c (estimates) alone. */
#ifndef GLORY_COLLECTOR_WATCH_NODE_H
#define GLORY_COLLECTOR_WATCH_NODE_H

#include <stddef.h>

#include "base/memory.h"
#include "base/wheel.h"
#include "mibs/collector/watch.h"

enum { PROBES = 64, SPELLS = 3, LOSS_SECONDS = 16, COMMON_SPELLS = 64, NO_GROUP = -1 };

enum probe_kind { PROBE_NONE, PROBE_BEAT, PROBE_POLL, PROBE_ECHO, PROBE_GET, PROBE_USER };

enum probe_bit {
	PROBE_ANSWERED = 1, /* by the witness it was for, or a better one */
	PROBE_VOID = 2,	    /* never sent */
	PROBE_LEARN = 4,    /* baseline of a healthy node: a miss teaches, it does not accuse */
	PROBE_COUNTED = 8,  /* counted as lost in the estimates */
	PROBE_KERNEL = 16,  /* some packet of the kernel answered it */
};

struct probe {
	uint32_t sent; /* low bits of the ms; compared by difference */
	uint8_t kind, bits;
	uint16_t pad;
};

enum phase {
	PHASE_NONE,   /* no such node */
	PHASE_UP,     /* heartbeats; a node that has never answered begins here too */
	PHASE_PATH,   /* suspect: the kernel is dark */
	PHASE_AGENT,  /* the kernel answers, the agent does not (yet) */
	PHASE_DARK,   /* enough misses were reported */
	PHASE_MUTE,   /* the agent was reported silent, the kernel lives */
	PHASE_RETURN, /* answers again after DARK or MUTE; three heartbeats in a row end it */
};

struct spell {
	uint32_t at_s;
	uint32_t ms;
};

/* A heartbeat touches the first two cache lines; the rest belongs to suspicions. */
struct node {
	_Alignas(CACHE_LINE) int64_t next_send;
	int64_t next_beat; /* heartbeat slot to come, kept through suspicions */
	int64_t next_learn;
	int64_t next_user;
	int64_t user_asked;   /* outstanding question for the banner, 0 = none */
	int64_t last;	      /* any packet */
	uint32_t seq, judged; /* last token given; last token judged */
	uint8_t phase, ndomains, beats, pace; /* pace: ms that three of four answers of its agent stay below */
	uint8_t s, k, u; /* as reported: enum witness_state */
	bool has_snmp;

	uint32_t hash, poll_beats, wait;
	uint32_t poll_token; /* last poll sent, 0 = answered */
	uint32_t miss_second; /* second in which its first miss was counted in the group */
	float loss;
	bool may_echo, may_user, echo_passes, echo_filtered, user_passes, user_na, user_seen, user_accepted;
	bool ever, slow, retried, poll_now, large_lost, called, flagged, held, frozen, refused;
	uint8_t poll_lost, prompt;
	uint32_t domains[NODE_DOMAINS]; /* the first is the one that is wanted always */

	int64_t late_at; /* first late answer of late, 0 = none */

	int64_t first;	     /* first lost probe of the dark spell, 0 = none yet */
	int64_t agent_first; /* agent clock, 0 = not running */
	int64_t restarted;   /* suspicion began (again) at */
	int64_t since;	     /* of the state reported last */
	uint32_t generation, epoch;
	struct spell spells[SPELLS];
	uint16_t misses, agent_misses, needed, window;
	uint8_t step, learn_lost, user_lost, user_mute; /* user_mute: connections taken in a row without a banner */
	bool six, mute, tainted, settled;

	struct probe probes[PROBES]; /* one cache line each time, on the page of the first two */
};

_Static_assert(offsetof(struct node, domains) + sizeof(uint32_t) <= 2 * CACHE_LINE, "what a heartbeat touches stands together");

struct loss_second {
	uint32_t second;
	uint32_t sent, lost, back; /* back: members that were flagged and answered */
};

struct domain {
	bool held, lossy;
	int64_t released; /* suspicions that began before this start again */
	uint32_t evaluated, lossy_for;
	struct loss_second seconds[LOSS_SECONDS];
};

struct watch {
	struct watch_params p;
	struct watch_ops ops;
	void *arg;
	uint32_t max_nodes, max_domains, max_wait;
	void *node_room; /* nodes are in it, from the first cache line on */
	struct node *nodes;
	struct domain *domains;
	struct wheel wheel;
	struct watch_stats stats;
	int64_t due;	    /* when tick wanted to be called */
	int64_t void_before; /* probes sent before this are never missed */
	int64_t punctual_at; /* end of the stall suspension */
	int64_t carrier_at; /* end of the carrier suspension */
	int64_t suspended_since;
	uint32_t epoch; /* of disturbances */
	unsigned reasons;
	uint32_t known, flagged; /* nodes */
	uint32_t spell_second, spell_count, common_next, common[COMMON_SPELLS]; /* seconds in which many nodes' dark spells ended */
	bool no_carrier;
	bool late_now; /* answers are being drained by a loop that is late */
	uint16_t needed[1001]; /* by loss in thousandths */
};

static inline struct probe *probe_of(struct watch *w, uint32_t slot, uint32_t token)
{
	return &w->nodes[slot].probes[token & (PROBES - 1)];
}

/* Both lines of a node that a heartbeat touches, into the cache. */
static inline void node_fetch(const struct node *n)
{
	mem_expect(n, 2 * CACHE_LINE);
}

static inline int64_t probe_age(const struct probe *p, int64_t now)
{
	return (int64_t)(uint32_t)((uint32_t)now - p->sent);
}

/* A regular exchange: it alone begins a suspicion and is counted in the estimates. */
static inline bool probe_regular(const struct node *n, const struct probe *p)
{
	return p->kind == PROBE_BEAT || p->kind == PROBE_POLL || (!n->has_snmp && p->kind == PROBE_ECHO);
}

/* loss.c: estimates of lost exchanges, needed misses, the burst guard */
void loss_init(struct watch *w);
void loss_count(struct watch *w, struct node *n, bool lost, int64_t now);
void loss_take_back(struct watch *w, struct node *n, int64_t sent);
void loss_leave_out(struct watch *w, struct node *n);
double loss_of_group(const struct watch *w, uint32_t domain, int64_t now, uint32_t seconds);
double loss_of_late(const struct watch *w, uint32_t domain, int64_t now, uint32_t seconds);
void loss_come_back(struct watch *w, struct node *n, int64_t now);
uint32_t loss_comebacks(const struct watch *w, uint32_t domain, int64_t now, uint32_t seconds);
uint16_t loss_needed(const struct watch *w, double q);
double loss_of_node(const struct watch *w, const struct node *n, int64_t now);
void guard_learn(struct watch *w, struct node *n, int64_t dark_ms, int64_t now);
uint16_t guard_window(const struct watch *w, const struct node *n, int64_t now);

/* suspicion.c: what a missed or answered probe means */
void suspect_missed(struct watch *w, uint32_t slot, struct node *n, struct probe *p, int64_t now);
void suspect_answered(struct watch *w, uint32_t slot, struct node *n, struct probe *p, enum watch_answer_kind kind, int64_t now);
void suspect_restart(struct watch *w, uint32_t slot, struct node *n, int64_t now);
void suspect_learned(struct watch *w, uint32_t slot, struct node *n, struct probe *p, bool answered, int64_t now);
void suspect_userland(struct watch *w, uint32_t slot, struct node *n, int64_t now);
void suspect_forget(struct watch *w, struct node *n); /* it is no longer there */
bool node_held(const struct watch *w, const struct node *n);
bool node_kernel_na(const struct node *n);
void node_report(struct watch *w, uint32_t slot, struct node *n, enum witness which, enum witness_state state, unsigned flags,
		 int64_t now);

#endif
