/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Buckets of handshakes; see toll.h. */
#include "api/toll.h"

#include <stdbool.h>
#include <string.h>

#include "api/crowd.h"

#define ONE 1000 /* thousandths: PER_S a second are PER_S of these a millisecond */

_Static_assert(TOLL_WHOLE_BURST + TOLL_WHOLE_PER_S * TOLL_ADDRESS_BURST / TOLL_ADDRESS_PER_S < TOLL_ADDRESSES / 2,
	       "one that is short of its burst is never forgotten, and half of the places is left to the known ones");

static void refill(int64_t *left, int64_t *since_ms, int64_t burst, int64_t per_s, int64_t now_ms)
{
	int64_t passed = now_ms - *since_ms;

	if (passed <= 0)
		return;
	*left = passed >= burst * ONE / per_s ? burst * ONE : *left + passed * per_s;
	if (*left > burst * ONE)
		*left = burst * ONE;
	*since_ms = now_ms;
}

void toll_begin(struct tolls *t, int64_t now_ms)
{
	memset(t, 0, sizeof *t);
	t->left = (int64_t)TOLL_WHOLE_BURST * ONE;
	t->since_ms = now_ms;
}

/* Whose place is given away first: nobody's, that of a stranger whose bucket is full, that of the known one with a full bucket who logged in
 * longest ago. Strangers whose buckets are not full come last, the fullest of them first. */
static int64_t worth(const struct toll_source *s)
{
	bool full = s->left == (int64_t)TOLL_ADDRESS_BURST * ONE;

	return !s->from.family ? -1 : full ? s->known_until_ms : INT64_MAX - s->left;
}

/* His place, with a bucket as it is now; one that is made begins full. */
static struct toll_source *source_of(struct tolls *t, const struct address *from, int64_t now_ms)
{
	struct toll_source *least = &t->sources[0];

	for (size_t i = 0; i < TOLL_ADDRESSES; i++) {
		struct toll_source *s = &t->sources[i];
		if (s->from.family)
			refill(&s->left, &s->since_ms, TOLL_ADDRESS_BURST, TOLL_ADDRESS_PER_S, now_ms);
		if (s->known_until_ms <= now_ms)
			s->known_until_ms = 0;
		if (s->from.family && crowd_same_origin(&s->from, from))
			return s;
		if (worth(s) < worth(least))
			least = s;
	}
	*least = (struct toll_source){.from = *from, .left = (int64_t)TOLL_ADDRESS_BURST * ONE, .since_ms = now_ms};
	return least;
}

enum toll toll_take(struct tolls *t, const struct address *from, int64_t now_ms)
{
	struct toll_source *s = source_of(t, from, now_ms);
	int64_t kept = s->known_until_ms ? 0 : (int64_t)TOLL_KNOWN_ONLY * ONE;

	refill(&t->left, &t->since_ms, TOLL_WHOLE_BURST, TOLL_WHOLE_PER_S, now_ms);
	if (s->left < ONE)
		return TOLL_ADDRESS;
	if (t->left < kept + ONE)
		return TOLL_WHOLE;
	s->left -= ONE;
	t->left -= ONE;
	return TOLL_PASS;
}

void toll_know(struct tolls *t, const struct address *from, int64_t now_ms)
{
	source_of(t, from, now_ms)->known_until_ms = now_ms + TOLL_KNOWN_MS;
}
