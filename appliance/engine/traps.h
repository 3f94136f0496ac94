/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Traps as hints: what was heard of a node, for whoever judges it. A trap never proves anything alone; it starts a targeted read
 * (see the table in traps.c) and may be named beside the evidence. All traps here have a proved sender, except platform events
 * of BMCs, which carry no proof but the address. Shared by the engine's files; times are monotonic ms. */
#ifndef GLORY_ENGINE_TRAPS_H
#define GLORY_ENGINE_TRAPS_H

#include "engine/engine.h"

#define TRAPS_KEPT 512        /* newest of the site, in memory */
#define TRAP_EVENT_TEXT 200   /* with the zero */
#define TRAP_HINT_MS 60000    /* older ones are no evidence any more */

void traps_start(struct engine *e);
/* Switches, PDUs or BMCs have changed: who may send traps. */
void traps_sources_changed(struct engine *e);
void traps_take(struct engine *e, const struct msg_trap *traps, size_t count);
/* The words of a node's newest platform event trap that has none yet. */
void traps_words(struct engine *e, uint32_t slot, uint32_t generation, const char *event);
void traps_counts(struct engine *e, const struct msg_trap_counts *counts);
/* What became of the datagrams since the collector's start, indexed by enum trap_fate. */
const uint64_t *traps_fates(const struct engine *e);
/* QUERY_TRAPS, QUERY_TRAP_SENDERS */
void traps_query(struct engine *e, enum role face, const struct msg_query *query);

/* When the newest trap of this kind came from the node (or, a platform event, from its BMC); 0: none since the engine's start. */
int64_t traps_heard(const struct engine *e, uint32_t slot, enum trap_kind kind);
/* "shutdown trap 2 s ago": the newest within TRAP_HINT_MS, for a person to read beside the evidence. False (and ""): none. */
bool traps_evidence(const struct engine *e, uint32_t slot, int64_t now, char *out, size_t size);

#endif
