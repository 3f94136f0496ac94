/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Service probes: which ports of which members the checker role looks at, and what it saw last. A probe is named by (service, member,
 * port); it keeps its number and generation as long as nothing of it changes. What was seen lives as long as the engine: it outlives the
 * checker, and becomes unknown when nobody has looked for too long, never by itself bad or good. Engine only; nothing here blocks. */
#ifndef GLORY_ENGINE_PROBES_H
#define GLORY_ENGINE_PROBES_H

#include "engine/engine.h"

struct probe_view {
	enum probe_state state;
	int64_t since_ms;  /* monotonic, of the state; 0: nothing heard yet */
	int64_t heard_ms;  /* monotonic, of the last report; 0 none */
	uint32_t took_ms;  /* of the last look */
	uint32_t streak;   /* looks of the same outcome in a row */
	char text[NAME_SIZE]; /* "200 in 3 ms", "connection refused"; one printable line, "not yet looked at" */
};

/* Wants the port looked at as *what says; its numbers are given here: what->probe and what->generation do not count. The same again changes
 * nothing, another *what begins a new generation whose state is unknown until the checker has judged it. 0, ERR_NO_RESOURCE (there are
 * PROBES_MAX), ERR_CONFIG (*what cannot be looked at); *err says it. */
int probes_set(struct engine *e, const char *service, const char *member, uint16_t port, const struct msg_member_probe *what, struct error *err);
/* Forgets them; nothing when there are none. port 0: all of the member; member "": all of the service. Tells nobody. */
void probes_remove(struct engine *e, const char *service, const char *member, uint16_t port);
/* False: there is no such probe; *out is unknown then. port 0: the worst of all ports of the member (bad before unknown before good). */
bool probes_get(const struct engine *e, const char *service, const char *member, uint16_t port, struct probe_view *out);

/* One listener: told after a state has changed (unknown, good, bad), with how it is now. It may set and remove probes. */
typedef void probe_told(void *arg, struct engine *e, const char *service, const char *member, uint16_t port, const struct probe_view *now);
void probes_listen(struct engine *e, probe_told *told, void *arg);

void probes_send(struct engine *e); /* the checker is new: it gets the whole list */
/* From the checker: numbers, generations and text are checked here. While the appliance cannot judge (its own cable, suspension) nothing is
 * taken: the checker says everything again within 10 s. */
void probes_take(struct engine *e, const struct msg_probe_state *states, size_t count);
void probes_tick(struct engine *e); /* once a second: what nobody looks at is unknown */
void probes_stop(struct engine *e); /* frees all */

#endif
