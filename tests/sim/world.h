/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A site in virtual time: 10,000 machines, their BMCs, switches and the paths to them, around the real watch and the real
 * judge. Steps of 10 ms; fixed seeds; nothing of it sleeps. The scenarios (sim.c) break things and read the tally.
 */
#ifndef GLORY_TESTS_SIM_WORLD_H
#define GLORY_TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "mibs/collector/watch.h"
#include "monitor/judge.h"

enum { STEP_MS = 10, NEAR_STEPS = 2048, SMALL_GROUP = 25, LARGE_GROUP = 250, SOCKET_DATAGRAMS = 92 };

enum death { DEATH_NONE, DEATH_CRASH, DEATH_OFF, DEATH_AGENT, DEATH_KINDS };

enum strike { STRIKE_NONE, STRIKE_STOP, STRIKE_KILL, STRIKE_SLEEP, STRIKE_MASS, STRIKE_LOSS, STRIKE_ROLL };

struct scenario {
	const char *name;
	uint32_t nodes;
	double hours;	       /* in the short run */
	double long_hours;     /* in the whole run */
	double loss;	       /* of packets, each way */
	double slow_share;     /* agents with log-normal delays up to 2 s */
	double late_share;     /* agents that answer after 3 s */
	double deaths_a_day;
	double bursts_a_day, burst_min_s, burst_max_s;	/* per node */
	double darks_a_day, dark_min_s, dark_max_s;	/* per switch */
	double stalls_a_day, stall_min_s, stall_max_s;
	double own_a_day, own_min_s, own_max_s;		/* own link, seen by carrier */
	bool own_silent;	/* the own link's loss shows no carrier change */
	uint32_t domain_members; /* V7: domains of this many members die whole, one after the other */
	bool domain_off;         /* by losing their power: the BMCs say off */
	/* strike.c: what befalls the judge's own processes, or many at once; each comes every `strike_s` seconds */
	enum strike strike;
	double strike_s;
	double mass_percent;	/* STRIKE_MASS: of the site; whole small groups where mass_groups */
	bool mass_groups;
	double strike_loss;	/* STRIKE_LOSS: of packets, each way, on one small group for 60 s */
	double bmc_delay_s;	/* > 0: every BMC answers so late; < 0: never */
	bool crashes_only;
	double dup, disorder;	/* share of answers that come twice, or up to 0.3 s late */
	uint32_t forged;	/* answers a second that nobody asked for */
	/* bounds; 0 = none. Times in s after the event */
	double wrong_percent; /* of deaths whose BMC loss alone may silence: q^5 */
	double extra_percent, crash_p99, crash_max, cause_max, off_p99, agent_p99;
	bool (*check)(const struct scenario *s, const void *world); /* more than the columns can say */
};

struct span {
	uint32_t count, size;
	float *values;
};

struct tally {
	uint64_t false_calls, false_agent, false_confirmed, wrong_cause; /* of nodes that live */
	uint64_t taken_back, taken_back_path;	/* calls of a dark link that came back */
	uint64_t link_calls;			/* single calls of a link dark for more than 1.8 s: true when said */
	uint64_t domain_calls;			/* single calls while the node's switch is dark */
	uint64_t deaths, missed_deaths;
	uint64_t roots, roots_wanted, roots_missing, roots_forbidden; /* dark switches and their root alarms */
	uint64_t late_slow;			/* agent-slow verdicts */
	uint64_t suspended;
	uint64_t peak_second, normal_second;	/* packets sent in the busiest second after a stall, and in an ordinary one */
	struct span called[DEATH_KINDS], cause[DEATH_KINDS], confirmed;
	struct span suspended_after, called_after; /* own link: shown; deaths meanwhile called after its return */
	uint64_t sent, bmc_asks, deaths_in_trouble;
	uint64_t agents_just_back; /* agent-dead, and true until a moment ago: nobody had asked it yet */
	uint64_t strikes, suspended_strikes, settled_strikes; /* seen as suspended within 3 s; judging again 10 s after its end */
	uint64_t under_root, alone;	/* calls of the struck under a domain's alarm, and by themselves */
	uint64_t lossy_roots, onsets, hung_alive;
	uint64_t isolated, corrected, back_in_between; /* V14: late BMCs; verdicts that were taken back in the middle */
	uint64_t may_reset;		/* a reset would be permitted under a root alarm */
	struct span isolated_after;	/* the death */
};

struct machine {
	int64_t dark_until;	/* its link */
	int64_t dark_from;
	int64_t booted, agent_started;
	int64_t died;		/* 0 = lives */
	int64_t repaired;	/* when it lived again */
	int64_t asked;		/* its agent, alive, by a request that arrived */
	uint32_t hash;
	uint16_t small, large;	/* its switches */
	uint8_t death;
	bool slow, late, called, caused, confirmed, trouble, isolated, struck;
	uint8_t verdict, certainty; /* as told last */
};

struct switch_box {
	int64_t dark_from, dark_until;
	bool rooted, wide;
	uint64_t lost;		/* STRIKE_LOSS: threshold of 64 bits for an exchange, 0 = as everywhere */
	int64_t lossy_until;
};

struct event {
	uint32_t next, slot, token;
	uint8_t kind, what;
};

struct message { /* engine to collector */
	bool hold;
	uint32_t domain;
};

struct world {
	const struct scenario *s;
	struct watch *watch;
	struct judge *judge;
	int64_t now, end, stalled_until, own_dark_until, own_from, last_stall, own_back;
	uint64_t rng, exchange_lost; /* exchange_lost: threshold of 64 bits */
	struct machine *machines;
	struct switch_box *switches;
	uint32_t switches_small, switches_all;
	struct event *events;
	uint32_t event_count, event_free, near[NEAR_STEPS];
	struct witness_report *reports;
	uint32_t report_count, report_size;
	struct message messages[4096];
	uint32_t message_count;
	struct tally tally;
	uint64_t second_sent;
	int64_t second;
	uint32_t kept; /* datagrams waiting for a standing process */
	uint32_t next_victim;
	struct repair { int64_t at; uint32_t slot; } *repairs;
	uint32_t repair_count, repair_size;
	/* strike.c */
	int64_t next_strike, strike_at, strike_end, collector_until, engine_until, heard; /* heard: the collector, by the engine */
	uint32_t strike_turn;
	unsigned told_reasons;	/* by the watch while the engine was away */
	bool reasons_wait, shown, ended;
	bool own_dark;
	double next_death, next_burst, next_dark, next_stall, next_own, next_domain;
};

/* Runs one scenario with one seed; returns NULL when there is no memory. Free with world_free(). */
struct world *world_run(const struct scenario *s, double hours, uint64_t seed);
void world_free(struct world *w);
/* The p-th part of a span (0.5, 0.99, 1), in seconds; 0 when it is empty. Sorts it. */
double span_at(struct span *span, double p);

/* happen.c: deaths, bursts, darkness, stalls */
void happen(struct world *w);
double chance(struct world *w);
void world_event(struct world *w, int64_t at, uint8_t kind, uint32_t slot, uint32_t token, uint8_t what);

/* what an event of the near future is */
enum event_kind { EVENT_ANSWER = 1, EVENT_BMC, EVENT_PORT, EVENT_REFERENCE, EVENT_UPTIME };

/* strike.c: see enum strike. strike_collector(), strike_engine(): is it away now? */
void strike(struct world *w);
bool strike_collector(const struct world *w);
bool strike_engine(const struct world *w);
void strike_forget_answers(struct world *w);
/* world.c: the watch, or the judge, begins a new life */
void world_new_watch(struct world *w);
void world_new_judge(struct world *w);
void kill_machine(struct world *w, uint32_t slot, enum death kind, int64_t repair_ms);
uint32_t world_any(struct world *w, uint32_t count);

bool path_dark(const struct world *w, uint32_t slot);

void span_add(struct span *span, double value);
void measure_switch(struct world *w, uint32_t box);

/* measure.c: compares what the judge says with what is true */
void measure_verdict(void *arg, const struct judge_verdict *v);
void measure_domain(void *arg, const struct judge_domain *d);
void measure_closed(void *arg, const struct judge_closed *c);
void measure_end(struct world *w);

#endif
