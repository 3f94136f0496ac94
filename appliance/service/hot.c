/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hot nodes and moves away from them; see hot.h. The engine's services call it. */
#include "service/hot.h"

#include <math.h>
#include <string.h>

enum { HOT_AFTER_S = 300, COLD_AFTER_S = 600, NODE_REST_S = 1800, SERVICE_REST_S = 600, AWAY_S = 21600, DAY_S = 86400, GROUP_PERCENT = 2 };
#define HOT_ABOVE .90
#define COLD_BELOW .75
#define MOVE_TO .80   /* what the node is to come down to */
#define THERMAL_PART .2
#define TARGET_BELOW .60 /* what the other node may have after the move */
#define OWNED .5      /* of a node's load: then services of ours are to blame */

/* --- is it hot ------------------------------------------------------------------------------------------ */
/* Notes since when it is so, 0 when it is not. */
static void since(int64_t *since_s, bool is, int64_t now_s)
{
	if (!is)
		*since_s = 0;
	else if (!*since_s)
		*since_s = now_s;
}

static void blame(struct hot_node *node, int64_t now_s)
{
	memmove(node->spells, node->spells + 1, sizeof node->spells - sizeof node->spells[0]);
	node->spells[HOT_SPELLS - 1] = now_s;
	node->sick = node->spells[0] && now_s - node->spells[0] < DAY_S;
}

double hot_mean(struct hot_node *node, double utilisation)
{
	double sum = 0;
	uint32_t count;

	if (!(utilisation >= 0)) {
		node->looks = 0;
		return NAN;
	}
	node->recent[node->looks++ % HOT_LOOKS] = (float)utilisation;
	count = node->looks < HOT_LOOKS ? node->looks : HOT_LOOKS;
	for (uint32_t i = 0; i < count; i++)
		sum += (double)node->recent[i];
	if (node->looks == 2 * HOT_LOOKS)
		node->looks = HOT_LOOKS; /* the ring goes on where it was, and the count never ends */
	return sum / count;
}

bool hot_look(struct hot_node *node, const struct hot_seen *seen, int64_t now_s)
{
	bool hot = seen->thermal || (seen->at_floor && seen->utilisation > HOT_ABOVE);
	bool cold = !seen->thermal && seen->utilisation < COLD_BELOW;

	if (!(seen->utilisation >= 0) && !seen->thermal)
		return false;
	since(&node->above_since_s, hot, now_s);
	since(&node->below_since_s, cold, now_s);
	if (node->spells[0] && now_s - node->spells[0] >= DAY_S)
		node->sick = false;
	if (node->hot) {
		node->hot = !(node->below_since_s && now_s - node->below_since_s >= COLD_AFTER_S);
		return false;
	}
	if (!node->above_since_s || now_s - node->above_since_s < HOT_AFTER_S)
		return false;
	node->hot = true;
	if (!seen->owned)
		blame(node, now_s);
	return true;
}

bool hot_parts(double utilisation, struct hot_part *parts, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++) {
		struct hot_part *p = &parts[i];
		p->load = p->others >= 0 && p->weight >= 0 ? p->others * p->weight : utilisation / (double)count;
		sum += p->load;
	}
	for (size_t i = 0; i < count && sum > utilisation; i++)
		parts[i].load *= utilisation / sum;
	return count && !(sum < OWNED * utilisation); /* of a load that is not known nobody else is suspected */
}

/* --- what moves ----------------------------------------------------------------------------------------- */
bool hot_barred(const struct hot_node *node, uint32_t service, int64_t now_s)
{
	for (int i = 0; i < HOT_LEFT; i++)
		if (node->left[i].service == service && service && now_s - node->left[i].at_s < AWAY_S)
			return true;
	return false;
}

void hot_moved(struct hot_node *node, uint32_t service, int64_t now_s)
{
	int oldest = 0;

	for (int i = 0; i < HOT_LEFT; i++) {
		if (node->left[i].service == service || !node->left[i].service) {
			oldest = i;
			break;
		}
		if (node->left[i].at_s < node->left[oldest].at_s)
			oldest = i;
	}
	node->left[oldest].service = service;
	node->left[oldest].at_s = now_s;
	node->moved_s = now_s;
}

/* The coolest node that has room for it. */
static const struct hot_target *place_for(const struct hot_service *s, const struct hot_target *targets, size_t count, int64_t now_s)
{
	const struct hot_target *best = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct hot_target *t = &targets[i];
		if (t->service != s->service || !(t->utilisation + s->load < TARGET_BELOW))
			continue;
		if (t->seen && (t->seen->hot || t->seen->sick || hot_barred(t->seen, s->service, now_s)))
			continue;
		if (!best || t->utilisation < best->utilisation)
			best = t;
	}
	return best;
}

/* How much load has to leave: down to 80 %, and of a node that is hot by its thermometer a fifth. */
static double excess(double utilisation)
{
	return utilisation > MOVE_TO ? utilisation - MOVE_TO : utilisation * THERMAL_PART;
}

/* Of two that bring the node down far enough the one with less load; of two that do not, the one that brings more. */
static bool better(const struct hot_service *a, const struct hot_service *b, double needed)
{
	bool enough = a->load >= needed;

	if (!b)
		return true;
	if (enough != (b->load >= needed))
		return enough;
	return enough ? a->load < b->load : a->load > b->load;
}

static struct hot_move stay(const char *reason)
{
	return (struct hot_move){.answer = HOT_STAY, .reason = reason};
}

static bool rests(int64_t moved_s, int64_t rest_s, int64_t now_s)
{
	return moved_s && now_s - moved_s < rest_s;
}

/* Two percent of a group, and one where that is less. */
static bool group_full(const struct hot_limits *limits)
{
	uint32_t most = limits->group_nodes * GROUP_PERCENT / 100;

	return limits->group_moving >= (most ? most : 1);
}

struct hot_move hot_decide(const struct hot_node *node, double utilisation, const struct hot_limits *limits, const struct hot_service *services,
			   size_t service_count, const struct hot_target *targets, size_t target_count, int64_t now_s)
{
	const struct hot_service *chosen = NULL;
	const struct hot_target *place = NULL;
	bool movable = false;

	if (!node->hot)
		return stay("the node is not hot");
	if (node->sick)
		return (struct hot_move){.answer = HOT_SICK, .reason = "hot three times in a day without a service to blame"};
	if (rests(node->moved_s, NODE_REST_S, now_s))
		return stay("a service was moved away within 30 min");
	if (group_full(limits))
		return stay("2 % of the group are moving already");
	for (size_t i = 0; i < service_count; i++) {
		const struct hot_service *s = &services[i];
		const struct hot_target *t;
		if (!s->movable || !(s->load > 0) || rests(s->moved_s, SERVICE_REST_S, now_s))
			continue;
		movable = true;
		t = better(s, chosen, excess(utilisation)) ? place_for(s, targets, target_count, now_s) : NULL;
		if (t) {
			chosen = s;
			place = t;
		}
	}
	if (!chosen)
		return stay(movable ? "no node below 60 % after the move" : "no service that can move");
	return (struct hot_move){.answer = HOT_MOVE, .service = chosen->service, .node = place->node};
}
