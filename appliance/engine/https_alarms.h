/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is wrong with the files of the TLS listener, as alarms of the appliance: one for certificate and key, one for each user without a
 * password. Cause and remedy stand in the alarm's one line; the log has the names of the files. */
#ifndef GLORY_ENGINE_HTTPS_ALARMS_H
#define GLORY_ENGINE_HTTPS_ALARMS_H

#include "engine/engine.h"

/* From the api role: raises, changes or clears the alarm (kind "https", part "" or the user). */
void https_alarms_take(struct engine *e, const struct msg_https_state *m);
/* False: gloryd.xml names the listener, or this user, no more. */
bool https_alarm_is_there(const struct engine *e, const char *part);

#endif
