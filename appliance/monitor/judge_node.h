/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside of the judge, shared by judge.c, judge_bmc.c, incident.c and domains.c alone. */
#ifndef GLORY_MONITOR_JUDGE_NODE_H
#define GLORY_MONITOR_JUDGE_NODE_H

#include <stddef.h>

#include "base/wheel.h"
#include "monitor/judge.h"

enum { JUDGE_SAMPLE = 8, JUDGE_CONTROL = 2, FLAP_CALLS = 3, FLAP_MS = 900000 };
#define MEMBER_NONE UINT32_MAX
#define JUDGE_NEVER INT64_MIN

struct jnode {
	bool known, bmc, port, poll_bmc;
	bool flagged, enough, returning, large_lost, frozen, reported_held;
	bool settled, second;	/* the BMC has answered (or is silent) since the suspicion began; twice */
	bool asked_port, off_twice, why_asked, flapping, told_flapping, held;
	uint8_t s, k, u, b, p, m;
	uint8_t ask_n, row, power, ndomains, silent_rounds;
	uint16_t misses, needed;
	uint32_t generation, hash, root;
	uint32_t onset_root; /* domain of a common onset this call belongs to */
	enum verdict verdict;
	enum certainty certainty;
	enum level level;
	int64_t since, first, last;
	int64_t paused_at_first; /* judge clock: pauses that had passed when the suspicion began */
	int64_t s_at, k_at, u_at, b_at, p_at, m_at;
	int64_t boot_until;
	int64_t asked_at, read_at;    /* BMC questions of this suspicion */
	int64_t off_at;		      /* first time a living node's BMC said off */
	int64_t alive_next, alive_asked, alive_missed_at, bmc_silent_since;
	uint8_t alive_misses, alive_turn;
	int64_t calls[FLAP_CALLS];
	/* the incident that is open, or closed but for its up-times */
	int64_t inc_first, inc_ended;
	enum verdict inc_verdict;
	enum certainty inc_certainty;
	int64_t agent_up, host_up, up_at;
	int64_t agent_began, host_began; /* as known before the incident; JUDGE_NEVER = not known */
	uint32_t domains[NODE_DOMAINS];
	uint32_t next[NODE_DOMAINS]; /* member lists: slot * NODE_DOMAINS + place */
	char cause[JUDGE_CAUSE_SIZE];
	char why[JUDGE_CAUSE_SIZE];  /* what the BMC knows about the reason */
	char back[JUDGE_CAUSE_SIZE]; /* how the last incident ended */
};

struct jdomain {
	bool known, held, is_root, common_onset, lossy, ref_ok, own_link, counted;
	uint8_t ref_asked_n, nsample, ncontrol;
	enum domain_kind kind;
	enum domain_state state;
	enum certainty certainty;
	uint32_t references, members, flagged, flagged_before, answered, root, head; /* answered: times a silent member did, since the hold */
	int64_t since, below_since, ref_asked, ref_at, first;
	uint32_t sample[JUDGE_SAMPLE], control[JUDGE_CONTROL];
	char cause[JUDGE_CAUSE_SIZE];
};

struct judge {
	struct judge_params p;
	struct judge_ops ops;
	void *arg;
	uint32_t max_nodes, max_domains, active; /* active: domains that are held or carry a root alarm */
	struct jnode *nodes;
	struct jdomain *domains;
	uint32_t *tally;
	struct wheel wheel;
	int64_t created, due, domain_due;
	int64_t paused, paused_since; /* judge clock */
	int64_t suspended_since, queue_until;
	unsigned reasons;
	uint32_t cursor; /* re-evaluation of all nodes after a suspension */
};

/* judge.c */
void judge_evaluate(struct judge *j, uint32_t slot, int64_t now);
void judge_input(struct judge *j, struct jnode *n, struct verdict_input *in, int64_t now);
int64_t judge_elapsed(const struct judge *j, const struct jnode *n, int64_t now);
void judge_set_reasons(struct judge *j, unsigned reasons, int64_t now);
void judge_schedule(struct judge *j, uint32_t slot, int64_t now);
bool jnode_alive(const struct jnode *n);

/* judge_bmc.c: questions to the BMC of a suspicion, and its liveness */
void bmc_turn(struct judge *j, uint32_t slot, struct jnode *n, int64_t now);
int64_t bmc_due(const struct judge *j, const struct jnode *n, int64_t now);
void bmc_sample(struct judge *j, uint32_t slot, int64_t now);
void bmc_suspicion_ends(struct jnode *n, int64_t now);
enum bmc_state bmc_effective(const struct jnode *n);

/* incident.c: texts, calls, returns */
void incident_cause(const struct judge *j, const struct jnode *n, const struct verdict_input *in, char *out, size_t size);
void incident_called(struct judge *j, uint32_t slot, struct jnode *n, int64_t now);
void incident_turn(struct judge *j, uint32_t slot, struct jnode *n, int64_t now);
void incident_uptime(struct jnode *n, int64_t agent_ms, int64_t host_ms, int64_t now);
int64_t incident_due(const struct jnode *n, int64_t now);
const char *incident_return_text(enum judge_return how);

/* domains.c */
void domains_flag(struct judge *j, uint32_t slot, bool flagged, int64_t now);
void domains_called(struct judge *j, uint32_t slot, int64_t now);
void domains_consider(struct judge *j, int64_t now);
void domains_turn(struct judge *j, int64_t now);
enum domain_state domains_state_of(const struct judge *j, const struct jnode *n, uint32_t *root);
bool domains_in_company(const struct judge *j, const struct jnode *n);
void domains_drop(struct judge *j, uint32_t domain, int64_t now);

#endif
