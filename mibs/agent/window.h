/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The window of notifications of one receiver: what is to be sent, what is on its way, what is done, and when to try again. Pure:
 * time comes in, nothing is sent here. While a receiver answers, many are on their way; when one is lost, all go back and the
 * oldest alone is tried, at growing gaps, until it is acknowledged: so a receiver that was away gets everything, in order. */
#ifndef GLORY_MIBS_AGENT_WINDOW_H
#define GLORY_MIBS_AGENT_WINDOW_H

#include "board/messages.h"

#define WINDOW_GAP_FIRST_MS 500
#define WINDOW_GAP_MAX_MS 5000

struct window {
	struct window_entry {
		struct msg_notify event;
		uint32_t tries; /* sending number, 0: waits to be sent */
	} entries[NOTIFY_WINDOW]; /* oldest first */
	size_t count;
	size_t open;         /* how many may be on their way: 1..NOTIFY_WINDOW */
	uint32_t next_try;
	int64_t retry_ms;    /* nothing is sent before */
	int64_t gap_ms;
};

void window_begin(struct window *window);
/* False: no room, or it is there already. */
bool window_add(struct window *window, const struct msg_notify *event);
/* The next event to send now, marked as sent with a number of this sending in *try; NULL: none now. */
const struct msg_notify *window_next(struct window *window, int64_t now_ms, uint32_t *try);
/* That sending was acknowledged: copies the event out and forgets it. False: it is not of the window any more. */
bool window_done(struct window *window, uint32_t try, struct msg_notify *event);
/* That sending was not acknowledged in time, or was refused. */
void window_lost(struct window *window, uint32_t try, int64_t now_ms);

#endif
