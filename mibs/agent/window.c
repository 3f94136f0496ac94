/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See window.h. */
#include "mibs/agent/window.h"

#include <string.h>

void window_begin(struct window *w)
{
	w->count = 0;
	w->open = NOTIFY_WINDOW;
	w->next_try = 1;
	w->retry_ms = 0;
	w->gap_ms = WINDOW_GAP_FIRST_MS;
}

bool window_add(struct window *w, const struct msg_notify *event)
{
	if (w->count == NOTIFY_WINDOW)
		return false;
	for (size_t i = 0; i < w->count; i++)
		if (w->entries[i].event.event == event->event)
			return false;
	w->entries[w->count].event = *event;
	w->entries[w->count++].tries = 0;
	return true;
}

const struct msg_notify *window_next(struct window *w, int64_t now_ms, uint32_t *try)
{
	size_t on_the_way = 0, at = NOTIFY_WINDOW;

	for (size_t i = 0; i < w->count; i++) {
		if (w->entries[i].tries)
			on_the_way++;
		else if (at == NOTIFY_WINDOW)
			at = i;
	}
	if (now_ms < w->retry_ms || at == NOTIFY_WINDOW || on_the_way >= w->open)
		return NULL;
	*try = w->entries[at].tries = w->next_try++;
	if (!w->next_try)
		w->next_try = 1;
	return &w->entries[at].event;
}

static struct window_entry *find(struct window *w, uint32_t try)
{
	for (size_t i = 0; i < w->count; i++)
		if (try && w->entries[i].tries == try)
			return &w->entries[i];
	return NULL;
}

bool window_done(struct window *w, uint32_t try, struct msg_notify *event)
{
	struct window_entry *e = find(w, try);

	if (!e)
		return false;
	*event = e->event;
	w->count--;
	memmove(e, e + 1, (size_t)(w->entries + w->count - e) * sizeof *e);
	w->open = w->open < NOTIFY_WINDOW / 2 ? w->open * 2 : NOTIFY_WINDOW;
	w->retry_ms = 0;
	w->gap_ms = WINDOW_GAP_FIRST_MS;
	return true;
}

void window_lost(struct window *w, uint32_t try, int64_t now_ms)
{
	struct window_entry *e = find(w, try);

	if (!e)
		return;
	e->tries = 0;
	w->open = 1;
	if (now_ms < w->retry_ms)
		return; /* one of many that were lost together: the gap grows once */
	w->retry_ms = now_ms + w->gap_ms;
	w->gap_ms = w->gap_ms * 2 < WINDOW_GAP_MAX_MS ? w->gap_ms * 2 : WINDOW_GAP_MAX_MS;
}
