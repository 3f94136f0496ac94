/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What software stands on which node through the appliance: /software/NODE/NAME in the store, and the same in memory. */
#ifndef GLORY_ENGINE_SOFTWARE_H
#define GLORY_ENGINE_SOFTWARE_H

#include "control/verbs.h"
#include "engine/engine.h"

/* uncertain: a run that should have changed it was cut off */
enum software_state { SOFTWARE_INSTALLED = 1, SOFTWARE_FAILED, SOFTWARE_UNCERTAIN, SOFTWARE_STATE_COUNT };

void software_start(struct engine *e);
void software_restore(struct engine *e, const char *key, const char *json);
/* How an action of enum job_verb (JOB_VERB_SOFTWARE_...) on a node ended, with the script's last line or why not; stored. */
void software_ended(struct engine *e, const char *node, const char *software, enum job_verb action, enum run_ended end, const char *text);
void software_forget_node(struct engine *e, const char *node);
/* It stands there in the version that is wanted (any, where none is). */
bool software_is_there(struct engine *e, const char *node, const struct config_software *wanted);
/* The line that does it ("software-install name=... ..."): false when it does not fit. */
bool software_line(const struct config_software *software, enum job_verb action, char line[CONTROL_LINE]);
/* "@pool/web" stands for the pool's nodes, "@service/web" for those that carry members of it now; anything else is a range. 0 or a negative error. */
int software_nodes(struct engine *e, const char *target, struct model_selection *out, struct error *err);
void software_query(struct engine *e, enum role face, const struct msg_query *query);

#endif
