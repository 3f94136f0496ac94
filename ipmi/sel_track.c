/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pure decisions about an event log; see sel_track.h. */
#include "ipmi/sel_track.h"

#include <string.h>

#include "board/messages.h"

enum { MARGIN = 64 };

_Static_assert(SEL_RECORD == SEL_RAW, "an entry has one size everywhere");

static uint16_t little16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t little32(const uint8_t *p)
{
	return little16(p) | (uint32_t)little16(p + 2) << 16;
}

bool sel_info_parse(const uint8_t *data, unsigned size, struct sel_info *out)
{
	if (size < 14)
		return false;
	*out = (struct sel_info){.entries = little16(data + 1),
				 .free_bytes = little16(data + 3),
				 .added = little32(data + 5),
				 .erased = little32(data + 9),
				 .overflow = data[13] & 0x80};
	return true;
}

static void go(struct sel_track *t, enum sel_phase phase, uint16_t ask)
{
	t->phase = phase;
	t->ask = ask;
	t->asked = 0;
}

static uint8_t room(const struct sel_info *info)
{
	return (uint8_t)((info->overflow ? SEL_OVERFLOW : 0) |
			 (info->entries && info->free_bytes < SEL_RECORD ? SEL_FULL : 0));
}

void sel_track_begin(struct sel_track *t, const struct sel_kept *kept, const struct sel_info *info)
{
	*t = (struct sel_track){.kept = *kept, .info = *info, .notices = room(info)};
	if (info->entries == 0) {
		if (kept->id)
			t->notices |= SEL_CLEARED_BY_OTHERS;
		go(t, SEL_DONE, SEL_END);
	} else if (kept->id)
		go(t, SEL_CHECK, kept->id);
	else
		go(t, SEL_NEW, SEL_FIRST);
}

/* The next of this phase, or SEL_DONE. A list that leads back or goes on for ever ends here; the next read goes on. */
static bool go_on(struct sel_track *t, uint16_t next)
{
	if (next == SEL_END || next == t->ask || next == SEL_FIRST || ++t->asked > (uint32_t)t->info.entries + MARGIN)
		return false;
	t->ask = next;
	return true;
}

static void lost(struct sel_track *t)
{
	t->notices |= t->info.erased != t->kept.erased ? SEL_CLEARED_BY_OTHERS : SEL_OVERWRITTEN;
	go(t, SEL_NEW, SEL_FIRST);
}

static void found(struct sel_track *t, uint16_t next)
{
	t->asked = 0;
	t->phase = go_on(t, next) ? SEL_NEW : SEL_DONE;
}

bool sel_track_take(struct sel_track *t, uint16_t next, const uint8_t raw[SEL_RECORD])
{
	switch (t->phase) {
	case SEL_CHECK:
		if (memcmp(raw, t->kept.raw, SEL_RECORD) == 0)
			found(t, next);
		else
			go(t, SEL_SEARCH, SEL_FIRST);
		return false;
	case SEL_SEARCH: /* the same entry under another id */
		if (memcmp(raw + 2, t->kept.raw + 2, SEL_RECORD - 2) == 0)
			found(t, next);
		else if (!go_on(t, next))
			lost(t);
		return false;
	case SEL_NEW:
		if (!go_on(t, next))
			t->phase = SEL_DONE;
		return true;
	default:
		return false;
	}
}

void sel_track_missing(struct sel_track *t)
{
	if (t->phase == SEL_CHECK)
		go(t, SEL_SEARCH, SEL_FIRST);
	else if (t->phase == SEL_SEARCH && t->asked > 0)
		lost(t); /* the log changes while it is read */
	else
		t->phase = SEL_DONE;
}
