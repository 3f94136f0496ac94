/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The SNMP engine: asks up to 20,000 agents over one UDP socket (and one for IPv6), matches and decodes what comes
 * back. It decides neither when to ask (watch.h) nor what an answer means; it repeats a lost poll or walk, nothing
 * else.
 *
 * An exchange is one request and its answer. Its request id is a permutation, under a secret, of slot (20 bits) and
 * generation (10 bits) with bit 30 set; an answer counts only when the id, the source address and the port agree, and
 * up to ENGINE_VALID_MS after the sending. With SNMPv3 the message id is the same number. Nothing here blocks; times
 * are monotonic ms.
 */
#ifndef GLORY_COLLECTOR_ENGINE_H
#define GLORY_COLLECTOR_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "board/messages.h"
#include "mibs/collector/batch.h"
#include "mibs/snmp/credential.h"
#include "mibs/collector/template.h"
#include "mibs/collector/watch.h"

struct engine;
struct usm_peer;

enum {
	ENGINE_VALID_MS = 5000,
	ENGINE_RETRY_MS = 1000,
	ENGINE_ROWS_MAX = 256,
	ENGINE_PARTS_MAX = 16,
	ENGINE_ROW_NAME = 48
};

struct engine_facts {
	uint32_t sys_uptime_cs, host_uptime_cs; /* 0 unknown */
	bool agent_restarted, rebooted;         /* since the facts before */
	bool clone;                             /* engine id is that of clone_slot */
	uint32_t clone_slot;
	uint8_t engine_id_size;
	uint8_t engine_id[32];
	char sys_name[NAME_SIZE];
};

struct engine_ops {
	/* The exchange of this token was answered; once per token. kind: WATCH_S_REPLY, _REPORT or _REFUSED. */
	void (*answer)(void *arg, uint32_t slot, uint32_t token, enum watch_answer_kind kind, int64_t now);
	/* Values of one poll request: values[i] belongs to query->items[i] (object id, instance id), item 0 is
	 * sysUpTime. */
	void (*values)(void *arg, uint32_t slot, const struct query *query, const struct query_value *values,
		       uint32_t uptime_cs, int64_t now);
	/* A row of a table was found (also when its index changed) or is gone. The id stays with the name. */
	void (*row)(void *arg, uint32_t slot, uint16_t table, uint16_t instance, const char *name, bool gone);
	void (*facts)(void *arg, uint32_t slot, const struct engine_facts *facts);
	/* Answer to engine_ask(); values is NULL when it was not answered after three tries. */
	void (*asked)(void *arg, uint32_t slot, const struct query *query, const struct query_value *values,
		      int64_t now);
	/* Requests had to be given up unsent, or the kernel dropped datagrams we had not read. */
	void (*overflow)(void *arg, int64_t now);
	/* An answer of the agent follows in a moment: its memory is fetched, first what needs no look (token 0), then what belongs to the
	 * exchange. May be NULL. */
	void (*ahead)(void *arg, uint32_t slot, uint32_t token);
	/* The agent refuses our user, keys or security level (enum target_state). May be NULL. */
	void (*refused)(void *arg, uint32_t slot, enum target_state why);
};

struct engine_stats {
	uint64_t requests, polls, poll_requests, late_polls,
	    retries; /* sent; late: over 1.2 intervals after the one before */
	uint64_t answers, values, late_answers, duplicates;
	uint64_t garbage; /* not decodable */
	uint64_t foreign; /* wrong id, source, user or engine id */
	uint64_t forged;  /* wrong MAC or time window */
	uint64_t reports, resyncs, slow_decodes, too_big, walks, unsent;
};

struct engine_agent {
	struct address address;
	const struct credential *credential; /* outlives the agent, or is exchanged by another engine_agent_set() */
	uint32_t generation;                 /* of the node: a new one forgets everything learnt */
	uint32_t hash;                       /* spreads walks and facts over time */
	bool bare;                           /* no walks, no facts: only what is asked (a switch) */
};

/* fds: sockets of batch_udp_socket() for IPv4 and IPv6, taken; -1 = none. secret: 16 random bytes. */
struct engine *engine_new(const struct engine_ops *ops, void *arg, uint32_t slots, const int fds[2],
			  const uint8_t secret[16]);
void engine_free(struct engine *engine);

/* What is polled, and every how many ms: the smallest interval among the objects, 0 when there are none. Copies. */
void engine_objects(struct engine *engine, const struct msg_object *objects, size_t count);
uint32_t engine_poll_ms(const struct engine *engine);

/* Adds or changes; -1: the address has no usable family or the slot is out of range. */
int engine_agent_set(struct engine *engine, uint32_t slot, const struct engine_agent *agent, int64_t now);
void engine_agent_remove(struct engine *engine, uint32_t slot);
/* The secret behind a credential is another one now: keys that were made of the old one are forgotten. */
void engine_credential_changed(struct engine *engine, const struct credential *credential);
/* What was known of the agent's SNMPv3 engine in an earlier life of ours: spares its discovery; only a first guess. */
void engine_seed(struct engine *engine, const struct msg_snmp_engine *known, int64_t now);
/* Keys and clock of the SNMPv3 engine of the agent; NULL: none, not discovered yet. */
struct usm_peer *engine_peer(const struct engine *engine, uint32_t slot);
/* Where the agent is; NULL: no such agent. */
const union endpoint *engine_endpoint(const struct engine *engine, uint32_t slot);

/* GET of sysUpTime; the poll that is due; a query of the owner's. False: cannot be sent now. */
bool engine_get(struct engine *engine, uint32_t slot, uint32_t token, int64_t now);
bool engine_poll(struct engine *engine, uint32_t slot, uint32_t token, int64_t now);
bool engine_ask(struct engine *engine, uint32_t slot, struct query *query, int64_t now);
/* A poll follows in a moment: the agent's memory is fetched (near: also what is found by reading the first). */
void engine_ahead(const struct engine *engine, uint32_t slot, bool near);
/* For queries given to engine_ask(): as query_get() and query_release(), with sysUpTime in front. */
struct query *engine_query(struct engine *engine, const struct query_want *wants, size_t count);
void engine_query_release(struct engine *engine, struct query *query);

/* Reads both sockets empty. */
void engine_receive(struct engine *engine, int64_t now);
/* Repeats, walks, what waits for the window; flushes. Call it after sending or receiving, and no later than
 * engine_next() says. */
void engine_turn(struct engine *engine, int64_t now);
int64_t engine_next(const struct engine *engine, int64_t now);
int engine_fd(const struct engine *engine, int family);
unsigned engine_window(const struct engine *engine);
struct engine_stats engine_stats(const struct engine *engine);
struct batch_stats engine_socket_stats(const struct engine *engine);

/* The outermost entry: one datagram as it came. Called by the batch; tests and the fuzzer call it, too. */
void engine_datagram(void *engine, uint8_t *bytes, size_t size, const union endpoint *from, int64_t now);
/* The memory behind a datagram that comes later in this batch is fetched; bytes NULL: the second look. Changes nothing. */
void engine_coming(void *engine, unsigned at, const uint8_t *bytes, size_t size);

#endif
