/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Silences: alarms of some objects, of all kinds or one, are not raised until a time. The true verdict and level are shown meanwhile; what
 * is still wrong at the end is raised then. In the store as /silence/ID, so they outlive a restart; the end needs nobody. Also the end of
 * maintenance with an end. Engine only. */
#ifndef GLORY_ENGINE_SILENCES_H
#define GLORY_ENGINE_SILENCES_H

#include "engine/engine.h"

#define SILENCES_MAX 1000

void silences_restore(struct engine *e, const char *key, const char *json);
void silences_loaded(struct engine *e); /* everything is read: ends are watched from here */
/* The wall clock's time until which alarms of this kind on this object are silenced; 0: they are not. slot: of a node, or NO_SLOT. kind
 * NULL: those that silence everything. */
int64_t silences_until(struct engine *e, const char *object, uint32_t slot, const char *kind);
/* Makes one: arguments {"for":"2h" or "until":"2026-01-31T12:00:00Z", "kind":"item:disk_fill", "reason":"..."}. done as for edits, when it
 * is in the store and in force. Returns 0, or a negative error with *err, and done is not called then. */
int silences_add(struct engine *e, const char *actor, const char *target, json_t *arguments, edit_done *done, void *arg, struct error *err);
/* Ends one before its time; id in decimal. */
int silences_remove(struct engine *e, const char *id, edit_done *done, void *arg, struct error *err);
void silences_query(struct engine *e, enum role face, const struct msg_query *query);

#endif
