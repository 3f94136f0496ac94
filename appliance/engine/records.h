/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the BMCs have written down: event logs and inventories, kept in the store and bounded by node. The log's keys are
 * "/sel/SLOT/NUMBER" (entries, newest RECORDS_MAX of a node) and "/selstate/SLOT" (how far it has been read); an entry
 * and how far it has been read are one transaction, and the BMC role goes on only behind what is committed. */
#ifndef GLORY_ENGINE_RECORDS_H
#define GLORY_ENGINE_RECORDS_H

#include "engine/engine.h"

#define RECORDS_MAX 512

/* Of one node. */
struct node_records {
	struct msg_sel_known known; /* as the store has it */
	uint64_t first, last;       /* numbers of the entries that are kept; last 0: none yet */
	bool busy;                  /* a transaction is under way */
	struct msg_sel_entry *held; /* a batch that came meanwhile; NULL none */
	size_t held_count;
	struct msg_sel_entry newest; /* the newest entry of level warning or worse that asserted something in this life of the engine */
	int64_t newest_ms;           /* monotonic, when it was told; 0 none */
	uint64_t inventory;          /* what its inventory was read of: hash of GUID and firmware; 0: it has not been read */
	uint64_t wanted;             /* the same, of what the BMC says now and was asked for */
};

struct node_records *records_of(struct engine *e, uint32_t slot); /* made when there are none */

/* --- findings.c: weaknesses of a BMC as alarms of kind bmc-finding, but those that its model's row accepts */
void records_findings(struct engine *e, const struct msg_bmc_facts *facts);
void records_findings_clear(struct engine *e, uint32_t slot); /* it has no BMC any more */

/* --- sel.c */
void records_restore(struct engine *e, const char *key, const char *json); /* /selstate/SLOT */
void records_told(struct engine *e, uint32_t slot); /* the BMC role was given this target: tell it what is kept */
void records_removed(struct engine *e, uint32_t slot); /* the node goes: before its state does */
void records_sel(struct engine *e, const struct msg_sel_entry *entries, size_t count);
void records_sel_state(struct engine *e, const struct msg_sel_state *state);
/* A trap in words, unauthenticated: logged; what it hints at comes by records_sel(). */
void records_pet(struct engine *e, const struct msg_sel_entry *event);
/* The log is empty now: nothing of it has been read. */
void records_emptied(struct engine *e, uint32_t slot, uint32_t added, uint32_t erased, store_done *done, void *arg);
/* The newest bad news of the event log that was told after since_ms (monotonic), or NULL: evidence for verdicts. */
const struct msg_sel_entry *records_newest(struct engine *e, uint32_t slot, int64_t since_ms);

/* --- sel_clear.c: one clear of the logs of some nodes; done is called once, with the outcome or an error */
typedef void records_cleared(void *arg, json_t *outcome, const struct error *err); /* takes outcome */
void records_clear(struct engine *e, const struct model_selection *nodes, records_cleared *done, void *arg);
void records_clear_answer(struct engine *e, const struct msg_sel_cleared *answer);

/* --- inventory.c: "/fru/SLOT", read at first contact and when GUID or firmware is another */
void inventory_restore(struct engine *e, const char *key, const char *json);
void inventory_facts(struct engine *e, const struct msg_bmc_facts *facts);
void inventory_take(struct engine *e, const struct msg_fru *fru);
void inventory_removed(struct engine *e, uint32_t slot);
void inventory_query(struct engine *e, enum role face, const struct msg_query *query);

/* --- records_query.c: pages for the faces; from = QUERY_NEWEST or 0: the newest `limit` entries of each node */
void records_query(struct engine *e, enum role face, const struct msg_query *query);

#endif
