/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Alarms that are true but not raised: silenced, or of a node whose trouble hangs under a root alarm (its items, sensors, BMC). They are
 * remembered here and raised when the reason has gone, if they are still true then. alarms.c asks before it raises. Engine only. */
#ifndef GLORY_ENGINE_WITHHELD_H
#define GLORY_ENGINE_WITHHELD_H

#include "engine/engine.h"

/* True when it is not to be raised now: it is remembered. */
bool withheld_take(struct engine *e, const struct alarm_raise *what);
/* It is true no more. part NULL: everything on the object. */
void withheld_drop(const char *object, const char *kind, const char *part);
/* A silence has begun: what is raised and falls under it is withdrawn and remembered. */
void withheld_begin(struct engine *e);
/* A reason may have gone: raises what nothing holds back any more. slot: of one node; NO_SLOT all. */
void withheld_review(struct engine *e, uint32_t slot);
/* How many hang under this domain's root alarm. */
unsigned withheld_under(struct engine *e, uint32_t domain);
void withheld_tick(struct engine *e); /* several times a second: root alarms say how many they hold back */

#endif
