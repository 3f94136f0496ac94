/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The life of the role processes, as main.c of gloryd uses it. */
#ifndef GLORY_SUPERVISOR_ROLES_H
#define GLORY_SUPERVISOR_ROLES_H

#include "supervisor/supervisor.h"

/* Starts the engine first, then the others, each with its end of a channel to the engine. 0 or a negative error. */
int roles_start(struct supervisor *s);
/* Ends all in order, waiting for each. Blocking: called when the loop has ended. */
void roles_stop(struct supervisor *s);
/* Hands the engine the present settings, and the api its certificate. */
void roles_send_settings(struct supervisor *s);

#endif
