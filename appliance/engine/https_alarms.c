/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Alarms of the TLS listener; see https_alarms.h. */
#include "engine/https_alarms.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

/* %s: the day, or the user's name; what there is to be done with the files ends with a reload. */
static const struct {
	const char *cause;
	enum level served, unserved; /* severity while the one before is served all the same, and while nothing is that clients take */
} sayings[HTTPS_TROUBLE_COUNT] = {
	[HTTPS_NO_FILE] = {"certificate cannot be opened: put it there, reload glory", LEVEL_WARNING, LEVEL_MAJOR},
	[HTTPS_NO_CHAIN] = {"certificate file is no chain in PEM: mend it, reload glory", LEVEL_WARNING, LEVEL_MAJOR},
	[HTTPS_WEAK] = {"certificate has too weak a key: renew both, reload glory", LEVEL_WARNING, LEVEL_MAJOR},
	[HTTPS_ENDED] = {"certificate ended %.10s: renew it and key, reload glory", LEVEL_WARNING, LEVEL_MAJOR},
	[HTTPS_ENDS_SOON] = {"certificate ends %.10s: renew it and key, reload glory", LEVEL_WARNING, LEVEL_WARNING},
	[HTTPS_NOT_YET] = {"certificate begins %.10s: is this machine's clock right?", LEVEL_WARNING, LEVEL_WARNING},
	[HTTPS_NO_KEY] = {"key missing or open to others: root's, 0600, reload glory", LEVEL_WARNING, LEVEL_MAJOR},
	[HTTPS_BAD_KEY] = {"key file is no plain PEM key: write it anew, reload glory", LEVEL_WARNING, LEVEL_MAJOR},
	[HTTPS_OTHER_KEY] = {"key is not the certificate's: put both anew, reload glory", LEVEL_WARNING, LEVEL_MAJOR},
	[HTTPS_NO_PASSWORD] = {"%.12s: secret missing or open to others: mend, reload", LEVEL_WARNING, LEVEL_WARNING},
	[HTTPS_BAD_PASSWORD] = {"%.12s: no password= of 8 to 256 bytes: mend it, reload", LEVEL_WARNING, LEVEL_WARNING},
};

void https_alarms_take(struct engine *e, const struct msg_https_state *m)
{
	char cause[CAUSE_SIZE], day[32];

	if (m->trouble < HTTPS_WELL || m->trouble >= HTTPS_TROUBLE_COUNT || !text_terminated(m->name, sizeof m->name))
		return;
	if (m->trouble == HTTPS_WELL) {
		alarms_clear(e, e->settings.appliance, "https", m->name);
		return;
	}
	text_format(cause, sizeof cause, sayings[m->trouble].cause, m->name[0] ? m->name : clock_text(m->when_wall_ms, day, sizeof day));
	alarms_raise(e, e->settings.appliance, "https", m->name, m->served ? sayings[m->trouble].served : sayings[m->trouble].unserved, cause, NO_SLOT,
		     0, 0);
}

bool https_alarm_is_there(const struct engine *e, const char *part)
{
	for (uint32_t i = 0; part[0] && i < e->settings.users && i < SETTINGS_USERS; i++)
		if (e->settings.user[i].kind == SETTINGS_USER_HTTPS && !strcmp(e->settings.user[i].name, part))
			return true;
	return !part[0] && e->settings.https.family != 0;
}
