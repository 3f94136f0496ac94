/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The swarm's whole state: N simulated machines, each an SNMP agent that also answers echo, and its BMC. One thread,
 * one loop. */
#ifndef SWARM_SWARM_H
#define SWARM_SWARM_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/lab/swarm/knobs.h"

enum { SWARM_MAX = 20000, SECRET_MAX = 64, PER_NET = 250 };

/* What one agent has heard since the last reset. A poll is a GET of more than one object, the engine's id not among them; one
 * that comes less than half an interval after the last counted poll is a repeat (a second request of the same sweep, or a
 * resend). */
struct agent_count {
	uint32_t polls, repeats, heartbeats, echoes, walks;
	int64_t last_poll_ms, last_any_ms;
	uint32_t max_poll_gap_ms, max_any_gap_ms;
	uint32_t window, windows_empty, windows_double;
	bool excluded; /* was not alive and undisturbed all the time: no claim is made about it */
};

struct agent {
	struct knobs knobs;
	struct agent_count count;
	int64_t boot_ms;      /* monotonic; before the swarm's own start for most */
	int64_t frozen_ms;    /* the moment it lies about, or -1 */
	uint32_t hash, boots; /* boots as SNMPv3 counts them, less one */
	bool off;             /* its BMC took the power away */
	bool skips;           /* the state of "every second request only" */
	struct v3_agent *v3;  /* NULL where only v2c is spoken */
};

/* Sums over all agents and BMCs since the last reset. */
struct sums {
	uint64_t gets, heartbeats, getnexts, getbulks, sets, v3_messages, v3_reports, echoes, answers, cache_hits;
	uint64_t unknown_address, not_heard, bad_community, garbage, send_failed, receive_dropped;
	uint64_t bmc_packets, bmc_opened, bmc_established, bmc_failed, bmc_closed, bmc_commands, bmc_garbage,
	    bmc_repeats;
	uint64_t power_commands, connections;
	uint32_t max_loop_ms, max_requests_per_bmc, max_sessions_per_bmc;
	uint64_t gap_bins[512]; /* poll gaps in hundredths of the interval; the last bin takes all above */
};

struct bmc;
struct net;

struct swarm {
	unsigned agents, bmcs;         /* how many of each */
	uint32_t agents_net, bmcs_net; /* host byte order, /16 */
	uint32_t seed;
	uint32_t interval_ms;
	uint16_t snmp_port;
	uint32_t max_size; /* of an SNMP answer */
	unsigned suite;    /* 3 or 17, or 0 for both */
	char community[SECRET_MAX], bmc_user[17], bmc_password[21];
	char v3_user[33], v3_auth[SECRET_MAX], v3_priv[SECRET_MAX];
	unsigned v3_first, v3_count; /* agents that speak v3 as well */
	struct agent *agent;
	struct bmc *bmc;
	struct net *net;
	int64_t now_ms;   /* monotonic, read once per batch */
	int64_t reset_ms; /* start of the counting window */
	uint64_t random;
	struct sums sums;
	bool stop;
};

/* Makes the machines from the options and `now_ms`: booted between a minute and 300 days ago. 0, or -1 after a message
 * on stderr. */
int swarm_start(struct swarm *swarm);
void swarm_stop(struct swarm *swarm);

/* A number in [0, 1), or true with a probability, from the seeded generator. */
double swarm_random(struct swarm *swarm);
bool swarm_chance(struct swarm *swarm, float probability);

/* The agent or BMC that an address (network byte order) belongs to, or -1. */
int swarm_agent_of(const struct swarm *swarm, in_addr_t address);
int swarm_bmc_of(const struct swarm *swarm, in_addr_t address);

/* Whether a request reaches the agent's software: not dead, not off, not lost on the way in. Counts those that do not.
 */
bool swarm_hears(struct swarm *swarm, struct agent *agent);

/* A well-mixed hash of (seed, number). */
uint32_t swarm_hash(uint32_t seed, uint32_t number);

#endif
