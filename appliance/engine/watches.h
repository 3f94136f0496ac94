/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Process watches on nodes: "N processes named X with arguments matching Y run there". The collector searches and counts, this judges.
 * A watch has a number below WATCHES_MAX that stays with its name (store: /slot/watch/NAME); its slot on the board is the same.
 * Engine only; nothing here blocks. */
#ifndef GLORY_ENGINE_WATCHES_H
#define GLORY_ENGINE_WATCHES_H

#include "engine/engine.h"

/* At start, before the model is built: a number as the store has it. */
void watches_restore(struct engine *e, const char *name, uint32_t slot, uint32_t generation);
/* The wanted state is another one, or nodes have come. */
void watches_apply(struct engine *e);
/* The collector is new. */
void watches_send(struct engine *e);
void watches_take(struct engine *e, const struct msg_watch_state *states, size_t count);
void watches_tick(struct engine *e); /* once a second */

void watches_silence(struct engine *e, uint32_t slot); /* the node stopped answering */
void watches_forget_node(struct engine *e, uint32_t slot); /* the node goes */
/* The worst level of a node's watches, LEVEL_UNKNOWN when there are none or nothing is known; *name: whose, when it is above that. */
enum level watches_worst(struct engine *e, uint32_t slot, const char **name);
void watches_alarms(struct engine *e, uint32_t slot); /* says again what is wrong */
bool watches_has(struct engine *e, uint32_t slot, const char *name);

/* The file of history an item of a watch is in ("watch-sshd"); false: no item of watches. */
bool watches_file(const char *item, const char *watch, char *file, size_t size);
void watches_flush(struct engine *e, uint32_t slot);
void watches_series_forget(struct engine *e, uint32_t slot);

#endif
