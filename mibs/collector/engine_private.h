/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the SNMP engine share among themselves: agents, exchanges, and who does what. */
#ifndef GLORY_COLLECTOR_ENGINE_PRIVATE_H
#define GLORY_COLLECTOR_ENGINE_PRIVATE_H

#include "base/memory.h"
#include "mibs/collector/engine.h"
#include "mibs/snmp/usm.h"

enum {
	RING = 32,
	TABLES_MAX = 8,
	EXCLUDED_MAX = 64,
	PENDING_MAX = 32768,
	RETRIES_MAX = 65536,
	INFLIGHT_SLOTS = 6,
	INFLIGHT_MS = 10,
	WALKS_AT_ONCE = 128,
	WALKS_PER_TURN = 10,
	WALK_STEPS_MAX = 600,
	WALK_REPETITIONS = 16,
	ID_BUCKETS = 16384,
	REFRESH_MS = 300000,
	FACTS_SPREAD_MS = 60000, /* on top of it for facts, by address */
	REWALK_MS = 30000,
	TRIES_MAX = 3,
	FIRST_ITEMS = 25, /* all built-in scalars in one request */
	GENERATIONS = 1024,
	SUFFIX_MAX = 4
};

enum exchange_kind { EXCHANGE_NONE, EXCHANGE_GET, EXCHANGE_POLL, EXCHANGE_WALK, EXCHANGE_FACTS, EXCHANGE_ASK, EXCHANGE_PROCESS, EXCHANGE_ITEM };

/* One request that was sent; kept in a ring per agent until ENGINE_VALID_MS or 32 later requests. */
struct exchange {
	uint32_t token;
	uint32_t sent; /* low bits of the monotonic ms */
	uint32_t generation : 10, kind : 3, part : 5, attempt : 2, answered : 1, resent : 1, serial : 10;
};

struct row {
	char name[ENGINE_ROW_NAME];
	uint32_t suffix[SUFFIX_MAX];
	uint16_t instance;
	uint8_t suffix_length;
	bool gone, seen;
};

struct table {
	uint16_t number, count, next_instance;
	struct row *rows; /* in the order of their finding */
};

struct walk {
	uint8_t table;       /* index into engine->tables, those of the agent's items behind them */
	uint16_t generation; /* of the request that is out: an answer to an earlier try is not counted */
	uint16_t steps, found;
	uint32_t requests, bytes; /* for this table */
	uint8_t length;
	uint32_t oid[QUERY_OID_MAX]; /* asked: names behind this one */
	struct row rows[ENGINE_ROWS_MAX];
};

struct excluded {
	uint16_t object, instance;
};

struct seed { /* of a peer whose keys cannot be made before its secret is here */
	uint8_t id[USM_ENGINE_ID_MAX], id_size;
	uint32_t boots, time_s;
	int64_t at;
};

struct agent {
	/* a poll and its answer touch the first three cache lines and one place of the ring: at 10,000 agents none of them is cached */
	_Alignas(CACHE_LINE) union endpoint to;
	uint32_t slot;
	const struct credential *credential;
	uint16_t sequence;
	uint16_t serial; /* of the plan; an answer to an older plan gives no values */
	uint32_t hash;
	uint32_t polls, poll_token;
	uint8_t part_count;
	uint8_t unanswered_polls;
	uint8_t still; /* answers in which sysUpTime has been the same */
	bool stale;    /* the plan must be made anew before the next poll */
	bool poll_told;
	bool small_answered; /* since the poll that was not */
	bool known, bare;

	int64_t polled, answered; /* when last */
	int64_t still_since;	  /* sysUpTime has been the same since; 0 = it runs */
	int64_t uptime_at, facts_at, walked;
	uint32_t uptime_cs;
	bool facts_wait, facts_tell, uptime_fell;
	bool clone;		     /* another agent has its engine id */
	struct processes *processes; /* process.c; NULL: none are watched */

	struct agent_items *items; /* items.c; NULL: none */
	struct query *parts[ENGINE_PARTS_MAX];

	struct exchange ring[RING];
	struct usm_peer *peer; /* v3: keys and clock of its engine; NULL until discovered */
	struct seed *seed;     /* v3: what was known of it before, until the first request */
	uint32_t generation;
	uint8_t most_items, excluded_count;
	struct excluded *excluded;
	struct table tables[TABLES_MAX];
	/* walk and facts */
	struct walk *walk;
	bool walk_waits, walk_items_only, other_id;
	int64_t host_uptime_at;
	int64_t host_began; /* at the latest */
	int64_t alive_at;   /* the last answer before its up-time fell */
	uint32_t host_uptime_cs;
	struct engine_facts facts;
	uint32_t next_same_id;    /* chain of engine id hash bucket: slot + 1 */
	uint32_t next_same_place; /* the same of the endpoint's */
	bool id_known;
	struct query *asked;       /* EXCHANGE_ASK: of the owner */
	uint16_t asked_generation; /* of the request that is out */
};

_Static_assert(offsetof(struct agent, items) == 2 * CACHE_LINE, "what is always touched stands together");

/* An answer that was received and waits for its turn. */
struct coming {
	uint32_t slot, generation; /* slot: NO_SLOT when it is none of ours */
};

struct pending {
	uint32_t slot, token;
	uint8_t kind, part, attempt;
	int64_t since;
};

struct retry {
	uint32_t slot, sent;
	uint16_t generation;
};

struct engine {
	struct engine_ops ops;
	void *arg;
	uint32_t slots;
	struct agent **agents;
	struct batch *batches[2];
	uint32_t keys[4];
	struct query_set *queries;
	struct query *get_query, *facts_query;
	struct processes_engine *processes; /* process.c */
	struct items_engine *items; /* items.c */
	size_t datagram_bytes;      /* of the one that is being looked at */
	/* objects */
	struct msg_object *objects;
	size_t object_count;
	struct msg_object *tables[TABLES_MAX]; /* name columns */
	uint8_t table_count;
	uint32_t poll_ms;
	/* window */
	uint32_t inflight[INFLIGHT_SLOTS];
	int64_t inflight_tick;
	unsigned window;
	struct pending *pending;
	uint32_t pending_head, pending_count;
	struct retry *retries;
	uint32_t retry_head, retry_count;
	uint32_t *walk_queue;
	uint32_t walk_head, walk_count, walks_active;
	uint32_t *id_heads, *place_heads; /* ID_BUCKETS each */
	uint64_t overflowed;
	struct coming coming[BATCH];
	int64_t looked; /* when the periodic look over all agents was */
	uint32_t look_at;
	struct engine_stats stats;
};

/* The lines of an agent that a poll touches, into the cache. */
static inline void agent_fetch(const struct agent *a)
{
	mem_expect(a, 3 * CACHE_LINE);
}

/* exchange.c: requests on their way */
uint32_t exchange_id(const struct engine *e, uint32_t slot, uint32_t generation);
bool exchange_id_back(const struct engine *e, int64_t id, uint32_t *slot,
		      uint32_t *generation); /* false: none of ours */
bool engine_request(struct engine *e, struct agent *a, enum exchange_kind kind, unsigned part, uint32_t token,
		    unsigned attempt, int64_t now);
const struct query *exchange_query(const struct engine *e, const struct agent *a, enum exchange_kind kind,
				   unsigned part);
void engine_again(struct engine *e, struct agent *a, struct exchange *x,
		  int64_t now); /* the same exchange once more, at once */
/* what hangs on an exchange that brings nothing: a walk, facts, a question */
void engine_give_up(struct engine *e, struct agent *a, const struct exchange *x, int64_t now);
void exchange_left_window(struct engine *e, int64_t sent, int64_t now);
void exchange_pump(struct engine *e, int64_t now);
void exchange_repeat_lost(struct engine *e, int64_t now);
static inline int64_t exchange_sent(const struct exchange *x, int64_t now)
{
	return now - (int64_t)(uint32_t)((uint32_t)now - x->sent);
}
/* answer.c: the exchange an id belongs to, or NULL (counted); what is done with a response whose sender is proved */
struct exchange *engine_match(struct engine *e, int64_t id, const union endpoint *from, int64_t now,
			      struct agent **agent);
void engine_answered(struct engine *e, struct agent *a, struct exchange *x, enum watch_answer_kind kind, int64_t now);
void engine_response(struct engine *e, struct agent *a, struct exchange *x, const struct response *response,
		     int64_t now);
void engine_refused(void *engine, const uint8_t *bytes, size_t size, const union endpoint *to, int64_t now);
void place_enter(struct engine *e, struct agent *a);
void place_leave(struct engine *e, struct agent *a);
/* engine.c */
void engine_asked_done(struct engine *e, struct agent *a, const struct query_value *values, int64_t now);
/* plan.c: what is asked of an agent, cut into requests */
void plan_make(struct engine *e, struct agent *a);
void plan_drop(struct engine *e, struct agent *a);
void plan_exclude(struct agent *a, uint16_t object, uint16_t instance);
void plan_halve(struct engine *e, struct agent *a);
/* walk.c */
void walk_want(struct engine *e, struct agent *a);
void walk_want_items(struct engine *e, struct agent *a); /* only the tables of its items */
void walk_start_some(struct engine *e, int64_t now);
bool walk_pdu(struct engine *e, const struct agent *a, uint8_t *out, size_t room, size_t *size, size_t *id_at);
void walk_answer(struct engine *e, struct agent *a, const struct response *response, int64_t now);
void walk_end(struct engine *e, struct agent *a);
void walk_forget(struct agent *a);
/* facts.c */
void facts_uptime(struct engine *e, struct agent *a, uint32_t uptime_cs, int64_t sent, int64_t now);
void facts_answer(struct engine *e, struct agent *a, const struct query_value *values, int64_t sent, int64_t now);
void facts_failed(struct agent *a, int64_t now); /* no answer: they are asked for again, never known ones in ten seconds */
void facts_engine_id(struct engine *e, struct agent *a, const uint8_t *id, size_t size);
/* The agent answers, but its sysUpTime does not move. */
bool facts_frozen(const struct agent *a, int64_t now);
void facts_forget(struct engine *e, struct agent *a);
/* v3.c */
void v3_seed(struct agent *a, const struct msg_snmp_engine *known, int64_t now);
void v3_forget(struct agent *a); /* keys and clock */
size_t v3_build(struct engine *e, struct agent *a, uint32_t id, const uint8_t *pdu, size_t size, size_t id_at,
		uint8_t *room, size_t room_size, const uint8_t **start, int64_t now);
void v3_datagram(struct engine *e, uint8_t *bytes, size_t size, const union endpoint *from, int64_t now);

#endif
