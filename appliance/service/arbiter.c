/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shares one pool among services; see arbiter.h. The engine's pools call it; tests/sim/shares.c holds it to what it is for. */
#include "service/arbiter.h"

#include <math.h>

enum { RECEIVED_REST_S = 600, GIVEN_REST_S = 300, MEMBERS_PER_SPARE = 20, RESERVE_PERCENT = 2 };
#define DANGER .90     /* of what it has and what is coming */
#define MAY_TAKE .85   /* above it a service may have others shrunk */
#define VICTIM_FULL .95 /* a service of the next class is left so full at most */

uint32_t arbiter_reserve(uint32_t nodes, uint32_t configured)
{
	uint32_t percent = nodes * RESERVE_PERCENT / 100;

	return configured ? configured : percent ? percent : 1;
}

uint32_t arbiter_spares(const struct arbiter_service *services, size_t count)
{
	uint32_t largest = 0;

	for (size_t i = 0; i < count; i++)
		if (services[i].class == 1 && services[i].wanted > largest)
			largest = services[i].wanted;
	return (largest + MEMBERS_PER_SPARE - 1) / MEMBERS_PER_SPARE;
}

/* Demand per member it has, with what it is given now. */
static double fullness(const struct arbiter_service *s)
{
	double has = s->have + s->granted, demand = isnan(s->demand) ? s->have : s->demand;

	return demand / (has > 0 ? has : .5);
}

static uint32_t short_of(const struct arbiter_service *s)
{
	uint32_t has = s->have + s->granted;

	return s->wanted > has ? s->wanted - has : 0;
}

static bool in_danger(const struct arbiter_service *s)
{
	return !isnan(s->demand) && fullness(s) > DANGER;
}

/* --- who is given ---------------------------------------------------------------------------------------- */
enum round { ROUND_MINIMUM, ROUND_DANGER, ROUND_REST };

static bool asks(const struct arbiter_service *s, enum round round)
{
	if (!short_of(s))
		return false;
	switch (round) {
	case ROUND_MINIMUM:
		return s->have + s->granted < s->min || s->granted < s->replacements;
	case ROUND_DANGER:
		return in_danger(s);
	case ROUND_REST:
		return true;
	}
	return false;
}

/* The one a node goes to: the first class, in it the fullest. */
static struct arbiter_service *neediest(struct arbiter_service *services, size_t count, enum round round)
{
	struct arbiter_service *best = NULL;

	for (size_t i = 0; i < count; i++) {
		struct arbiter_service *s = &services[i];
		if (!asks(s, round))
			continue;
		if (!best || s->class < best->class || (s->class == best->class && fullness(s) > fullness(best)))
			best = s;
	}
	return best;
}

static uint32_t give(struct arbiter_service *services, size_t count, enum round round, uint32_t nodes)
{
	struct arbiter_service *s;

	while (nodes && (s = neediest(services, count, round))) {
		s->granted++;
		nodes--;
	}
	return nodes;
}

/* --- who is taken from ----------------------------------------------------------------------------------- */
/* How many nodes the victim can do without for a service of that class. */
static uint32_t spare_of(const struct arbiter_service *victim, uint32_t taker_class, int64_t now_s)
{
	double keep = victim->min, has = victim->have - victim->taken;

	if (victim->class <= taker_class || victim->granted || (victim->received_s && now_s - victim->received_s < RECEIVED_REST_S) ||
	    (victim->given_s && now_s - victim->given_s < GIVEN_REST_S))
		return 0;
	if (victim->class == taker_class + 1)
		keep = fmax(keep, isnan(victim->demand) ? victim->have : ceil(victim->demand / VICTIM_FULL));
	return has > keep ? (uint32_t)(has - keep) : 0;
}

/* The lowest class first, in it the one that is least full. */
static struct arbiter_service *next_victim(struct arbiter_service *services, size_t count, uint32_t taker_class, int64_t now_s)
{
	struct arbiter_service *best = NULL;

	for (size_t i = 0; i < count; i++) {
		struct arbiter_service *s = &services[i];
		if (!spare_of(s, taker_class, now_s))
			continue;
		if (!best || s->class > best->class || (s->class == best->class && fullness(s) < fullness(best)))
			best = s;
	}
	return best;
}

static void take_for(struct arbiter_service *taker, struct arbiter_service *services, size_t count, uint32_t *covered, int64_t now_s)
{
	uint32_t needs = short_of(taker);
	uint32_t soon = *covered < needs ? *covered : needs;
	struct arbiter_service *victim;

	*covered -= soon;
	for (needs -= soon; needs && (victim = next_victim(services, count, taker->class, now_s)); needs--)
		victim->taken++;
}

static void take_all(const struct arbiter_pool *pool, struct arbiter_service *services, size_t count, int64_t now_s)
{
	uint32_t covered = pool->coming_back;

	for (uint32_t class = 1; class < ARBITER_CLASSES; class++)
		for (size_t i = 0; i < count; i++) {
			struct arbiter_service *s = &services[i];
			if (s->class == class && short_of(s) && !isnan(s->demand) && fullness(s) > MAY_TAKE)
				take_for(s, services, count, &covered, now_s);
		}
}

uint32_t arbiter_share(const struct arbiter_pool *pool, struct arbiter_service *services, size_t count, int64_t now_s)
{
	uint32_t reserve = arbiter_reserve(pool->nodes, pool->reserve), left, missing = 0;

	for (size_t i = 0; i < count; i++)
		services[i].granted = services[i].taken = 0;
	left = give(services, count, ROUND_MINIMUM, pool->free);
	left = left > reserve ? left - reserve : 0;
	left = give(services, count, ROUND_DANGER, left);
	left = give(services, count, ROUND_REST, left);
	if (!left)
		take_all(pool, services, count, now_s);
	for (size_t i = 0; i < count; i++) {
		services[i].danger = in_danger(&services[i]);
		missing += short_of(&services[i]);
	}
	return missing;
}
