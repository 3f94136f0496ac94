/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The engine's judge: combines the collector's reports with BMC answers, ports, domains and wanted state into verdicts
 * with a certainty (called, cause, confirmed), and decides which domains are held (verdicts, sections 2 and 4).
 * Pure: no socket, no clock, no global. The engine's loop feeds it and does what its callbacks ask; tests/sim does the same
 * in virtual time. Times are monotonic ms; ages and holds run on the judge clock, which stands still while suspended.
 *
 * Driven: one input function per thing that happened, then judge_tick(now) at the latest at the time it returned.
 * Callbacks come from inside the inputs and from judge_tick(); they may call judge_view() and judge_domain_view(), nothing else.
 * Memory is allocated by judge_create() and freed by judge_free().
 */
#ifndef GLORY_MONITOR_JUDGE_H
#define GLORY_MONITOR_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/witness.h"
#include "base/words.h"
#include "monitor/verdict.h"

struct judge;

#define JUDGE_NO_DOMAIN UINT32_MAX
enum { JUDGE_CAUSE_SIZE = 64 };

/* Why a BMC is asked. The answer comes by judge_bmc(); nothing for 2.5 s after the first question = silent. */
enum bmc_question {
	BMC_ASK_POWER = 1, /* chassis status in the session, ahead of sensor reads; one in flight per BMC. A repeat while one is
			      in flight is to be sent as a retransmission or ignored, never queued */
	BMC_ASK_ALIVE = 2, /* anything cheap: power if the session is up, else one sessionless query */
	BMC_ASK_WHY = 3,   /* cause: restart cause, watchdog, POST progress, newest SEL; answered by judge_why(), or not */
};

/* State and time of each witness behind a verdict; `at` = when it was last heard or asked, 0 = never. */
struct judge_evidence {
	struct verdict_input in;
	uint16_t misses, needed;
	int64_t first;	/* the first lost probe was sent; 0 = no suspicion */
	int64_t last;	/* last packet of the node */
	int64_t s_at, k_at, u_at, b_at, p_at, m_at;
	uint8_t row; /* of the verdict function */
	bool link_not_excluded;
	bool large_lost; /* polls go unanswered, small requests do not */
};

struct judge_verdict {
	uint32_t slot, generation;
	enum verdict verdict;
	enum certainty certainty; /* NONE for up and its like; agent-dead, agent-slow, bmc-lost: CALLED at once, never more */
	enum level level;
	int64_t since;		/* monotonic ms since which this verdict holds */
	int64_t not_judged;	/* judgement is suspended since; 0 = judged */
	uint32_t root;		/* domain under whose root alarm the node stands, or JUDGE_NO_DOMAIN */
	bool held;		/* no alarm of its own */
	bool flapping;
	enum power power;	/* last read of the BMC */
	char cause[JUDGE_CAUSE_SIZE]; /* one line; never empty once a verdict stands */
	struct judge_evidence evidence;
};

struct judge_domain {
	uint32_t id;
	enum domain_kind kind;
	enum domain_state state;
	enum certainty certainty; /* NONE = held only; CALLED = root alarm; CAUSE = its cause is known */
	bool is_root;		  /* false: another domain explains it, no alarm of its own */
	bool common_onset;	  /* below the hold, but many members were called within 3 s: root alarm, nodes keep verdicts */
	uint32_t root;		  /* the domain that explains it, itself when is_root */
	uint32_t members, flagged, held; /* held: members whose verdict waits */
	int64_t since;
	char cause[JUDGE_CAUSE_SIZE];
};

/* How an incident ended, by the up-times. */
enum judge_return { RETURN_UNKNOWN = 1, RETURN_PATH = 2, RETURN_REBOOTED = 3, RETURN_AGENT_RESTARTED = 4 };

struct judge_closed {
	uint32_t slot, generation;
	enum verdict verdict;	  /* the last one before the return */
	enum certainty certainty; /* the highest it reached */
	enum judge_return how;
	int64_t dark_ms; /* from the first lost probe to the first packet again */
	int64_t ended;	 /* monotonic ms of that packet */
	char cause[JUDGE_CAUSE_SIZE];
};

struct judge_ops {
	void (*ask_bmc)(void *arg, uint32_t slot, enum bmc_question what);
	/* read ifOperStatus and in-octets (twice, 0.3 s apart: moving?) of the node's port now; answer by judge_port() */
	void (*ask_port)(void *arg, uint32_t slot);
	/* ask the domain's reference targets (echo and SNMP); answer by judge_reference(). Asked up to 3 times, 0.2 s apart */
	void (*ask_reference)(void *arg, uint32_t domain);
	void (*hold)(void *arg, uint32_t domain);    /* HOLD to the collector */
	void (*release)(void *arg, uint32_t domain); /* RELEASE to the collector */
	void (*probe)(void *arg, uint32_t slot);     /* PROBE to the collector: the up-times are wanted */
	void (*verdict_changed)(void *arg, const struct judge_verdict *verdict); /* verdict, certainty, level, cause or root */
	void (*domain_changed)(void *arg, const struct judge_domain *domain);
	void (*closed)(void *arg, const struct judge_closed *closed); /* once per incident that reached CALLED */
	void (*suspended)(void *arg, unsigned reasons, int64_t since); /* bits of enum suspend_reason, 0 = judging again */
};

struct judge_params {
	uint32_t bmc_first_ms;	  /* BMC asked so long after the first lost probe was sent: 800 (0.6 s after the first miss) */
	uint32_t bmc_repeat_ms;	  /* again every 500 */
	uint32_t bmc_silent_ms;	  /* 2500 */
	uint32_t bmc_fresh_ms;	  /* an answer no older than the suspicion counts, and never one older than this: 30000 */
	uint32_t cause_ms;	  /* 3800 after the first lost probe was sent */
	uint32_t confirm_ms;	  /* 10000 */
	uint32_t second_read_ms;  /* the second read comes at least so long after the first: 1000 */
	uint32_t alive_ms;	  /* BMC liveness: 10000 */
	uint32_t dead_bmc_ms;	  /* BMC of a confirmed node is read every: 10000 */
	uint32_t off_misses;	  /* with the BMC off, powered-off is called at 6 misses */
	uint32_t off_ms;	  /* but not before the others of its domains would be flagged, too: a heartbeat, 4 misses, a margin */
	uint32_t root_ms;	  /* root alarm so long after half the members were first missed: 1800 */
	uint32_t root_cause_ms;	  /* its cause at the latest so long after the first member's first lost probe: 5000 */
	uint32_t reference_ms;	  /* a reference that does not answer for so long is silent: 600 */
	uint32_t release_ms;	  /* below 20 % flagged for so long: 3000 */
	uint32_t onset_ms;	  /* common onset: 3000 */
	uint32_t late_ms, stall_ms; /* own loop: 100, 3000 */
	uint32_t settle_ms;	  /* after a suspension nothing is called for so long: 1500 */
};

struct judge_node {
	uint32_t generation;
	bool bmc;	   /* has a BMC with a credential */
	bool port;	   /* its switch port can be asked */
	bool poll_bmc;	   /* the judge keeps BMC liveness (4.1); false where the caller tells every answer anyway */
	uint32_t hash;	   /* stable, spreads the BMC questions */
	uint8_t ndomains;
	uint32_t domains[NODE_DOMAINS]; /* ids below max_domains; include the site */
};

void judge_params_default(struct judge_params *params);
struct judge *judge_create(const struct judge_params *params, const struct judge_ops *ops, void *arg, uint32_t max_nodes,
			   uint32_t max_domains, int64_t now);
void judge_free(struct judge *judge);

/* Domains first, then nodes. Returns 0, or -1 for an id out of range. references = number of reference targets, 0 = none. */
int judge_domain_set(struct judge *judge, uint32_t domain, enum domain_kind kind, uint32_t references);
void judge_domain_remove(struct judge *judge, uint32_t domain, int64_t now);
/* Adds or changes; the verdict is kept while the generation stays. A new node is unknown until its first answer. */
int judge_node_set(struct judge *judge, uint32_t slot, const struct judge_node *node, int64_t now);
void judge_node_remove(struct judge *judge, uint32_t slot, int64_t now);

/* What happened. Unknown slots and old generations are ignored. */
void judge_report(struct judge *judge, const struct witness_report *report, int64_t now);
/*
 * An answer of the BMC (BMC_ON, BMC_OFF), that it cannot be asked (BMC_NA), or that a question was never answered
 * (BMC_SILENT: the bmc role's own verdict after retries and one sessionless query). at = when the answer was made.
 */
void judge_bmc(struct judge *judge, uint32_t slot, enum bmc_state state, int64_t at, int64_t now);
/* Facts for the cause ("watchdog reset", "thermal trip"), at most 40 bytes are used; NULL or "" = nothing found. */
void judge_why(struct judge *judge, uint32_t slot, const char *text, int64_t now);
void judge_port(struct judge *judge, uint32_t slot, enum port_state state, int64_t now);
/*
 * A reference target of the domain answered (true), or all of them were asked and none did (false). Saying nothing is also
 * "silent" 0.6 s after the question.
 */
void judge_reference(struct judge *judge, uint32_t domain, bool answered, int64_t now);
/* The collector loses more than half of its exchanges with a group: held, root alarm "path loss". */
void judge_lossy(struct judge *judge, uint32_t domain, bool lossy, int64_t now);
/* until: deadline of WANTED_BOOT and WANTED_INSTALL, monotonic ms. A job sets it before it acts. */
void judge_wanted(struct judge *judge, uint32_t slot, enum wanted wanted, int64_t until, int64_t now);
/* Up-times of a sample that arrived now, in ms; -1 = not known. agent = sysUpTime, host = hrSystemUptime. */
void judge_uptime(struct judge *judge, uint32_t slot, int64_t agent_ms, int64_t host_ms, int64_t now);
void judge_uptime_expect(const struct judge *judge, uint32_t slot); /* that is near: asks the memory for what it touches */
/* Reasons of the collector (STALL, CARRIER) as its suspended() callback told them; replaces what it said before. */
void judge_collector_suspended(struct judge *judge, unsigned reasons, int64_t now);
/*
 * Age of the oldest message from the collector still unread; > 500 ms suspends, until settle_ms after it was last so. Tell the
 * time since its last message instead when it has been quiet for 2 s (it owes STATS each second): a stopped collector looks so.
 * collector_up false = it is restarting.
 */
void judge_queue(struct judge *judge, int64_t age_ms, bool collector_up, int64_t now);

/* Do what is due; notices its own lateness. Returns when it wants to be called next. */
int64_t judge_tick(struct judge *judge, int64_t now);

/* Rows as they stand. False = no such slot or domain. */
bool judge_view(const struct judge *judge, uint32_t slot, struct judge_verdict *out);
bool judge_domain_view(const struct judge *judge, uint32_t domain, struct judge_domain *out);
/* An incident of the node is open, or over but for its up-times: closed() will tell of it. */
bool judge_incident(const struct judge *judge, uint32_t slot);
unsigned judge_suspended(const struct judge *judge);
/* Judge clock: ms it has run since judge_create(). */
int64_t judge_clock(const struct judge *judge, int64_t now);

#endif
