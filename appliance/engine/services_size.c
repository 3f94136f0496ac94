/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sizes, weights, shares of pools and moves of services: what is seen is put into the pure deciders' words, their answers are taken over. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/balancers.h"
#include "engine/pools.h"
#include "engine/repair.h"
#include "engine/services_own.h"
#include "engine/values.h"
#include "service/arbiter.h"
#include "service/weights.h"

#define WEIGH_DELAY_S 10
#define WEIGH_WINDOW_S (2 * SIZING_TICK_S) /* over_window() */
#define SHORT_SESSION_S 30
#define HOT_OFFERS 8

int64_t services_clock_s(const struct engine *e)
{
	/* divided and not counted from the start, so that it goes on where it was when the engine is new */
	double scale = e->settings.time_scale > 0 ? e->settings.time_scale : 1;

	return (int64_t)((double)clock_wall_ms() / 1000 / scale);
}

static bool serves(const struct service_member *m)
{
	return !m->m.out && (m->m.state == MEMBER_IN_SERVICE || (m->m.state == MEMBER_WARMING && m->m.weight));
}

/* --- size ------------------------------------------------------------------------------------------------------ */
static double value_of(struct engine *e, const struct service *s, const struct service_member *m)
{
	return m->slot == NO_SLOT || !e->nodes[m->slot] ? NAN : values_read(e, m->slot, s->config.item[0] ? s->config.item : "cpu", "") / 100;
}

static size_t take_samples(struct service *s, struct sizing_sample *out, uint32_t *in_service, uint32_t *coming)
{
	int64_t now = clock_mono_ms();
	size_t n = 0;

	*in_service = *coming = 0;
	for (size_t i = 0; i < s->count; i++) {
		struct service_member *m = s->members[i];
		if (!serves(m)) {
			*coming += member_is_coming(&m->m);
			m->value_ms = 0;
			continue;
		}
		double v = value_of(s->e, s, m);
		m->value_before = m->value_ms ? m->value : NAN;
		if (!m->value_ms || isnan(v) || isnan(m->value) || fabs(v - m->value) > 1e-9)
			m->value_ms = now;
		m->value = v;
		(*in_service)++;
		out[n++] = (struct sizing_sample){.utilisation = (float)v, .age_s = 0, .unchanged_s = (uint32_t)((now - m->value_ms) / 1000)};
	}
	return n;
}

static double mean_of(const struct sizing_sample *samples, size_t count)
{
	double sum = 0;
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (!isnan(samples[i].utilisation)) {
			sum += samples[i].utilisation;
			n++;
		}
	return n ? sum / (double)n : NAN;
}

static void take_size(struct service *s, const struct sizing_decision *d)
{
	sizing_reason(d, s->reason);
	s->decision = *d;
	if (d->wanted == s->wanted)
		return;
	log_info("service %s: %s", s->config.head.name, s->reason);
	s->wanted = d->wanted;
	s->changed_wall_ms = clock_wall_ms();
	services_save(s);
}

static void size_one(struct service *s)
{
	struct sizing_sample *samples = mem_array(s->count + 1, sizeof *samples);
	double scale = s->e->settings.time_scale > 0 ? s->e->settings.time_scale : 1;
	int64_t now_s = services_clock_s(s->e);
	struct sizing_view v = {.now_s = now_s, .wanted = s->wanted, .min = s->config.min, .max = s->config.max, .samples = samples,
				.poll_s = 10, .rate = s->requests, .lead_s = sizing_lead(&s->sizing, s->config.start_s), .budget = s->config.budget,
				.spare = s->config.spare, .pin = s->config.pin, .pin_until_s = (int64_t)((double)s->config.pin_until_ms / 1000 / scale),
				.schedule = s->schedule.count ? &s->schedule : NULL};
	struct sizing_decision d;

	v.sample_count = take_samples(s, samples, &v.in_service, &v.starting);
	s->utilisation = mean_of(samples, v.sample_count);
	/* one tick; a lab's faster clock has had more of them, all with what is seen now */
	v.now_s -= scale < 1 ? (int64_t)((double)SIZING_TICK_S / scale) - SIZING_TICK_S : 0;
	for (; v.now_s <= now_s; v.now_s += SIZING_TICK_S) {
		v.wanted = s->wanted;
		sizing_step(&s->sizing, &v, &d);
		v.starting += d.wanted > v.wanted && v.wanted ? d.wanted - v.wanted : 0;
		take_size(s, &d);
	}
	services_save_sizing(s);
	free(samples);
}

void services_size(struct engine *e)
{
	for (uint32_t i = 0; i < SERVICES_MAX; i++) {
		struct service *s = e->services->at[i];
		if (!s || !service_runs(s) || service_policy(s) == POLICY_HANDS_OFF)
			continue;
		size_one(s);
		services_weigh(s);
	}
}

/* --- weights ------------------------------------------------------------------------------------------------------ */
/* The mean of the last 20 s; NAN: unknown. */
static float over_window(const struct service_member *m)
{
	return (float)(isnan(m->value_before) ? m->value : (m->value + m->value_before) / 2);
}

static bool settled(const struct service_member *m)
{
	return m->m.state == MEMBER_IN_SERVICE && !m->m.out;
}

void services_weigh(struct service *s)
{
	int64_t now = clock_mono_ms();
	double session = s->config.persistence_s ? s->config.persistence_s : SHORT_SESSION_S;
	struct weights_member *w = mem_array(s->count + 1, sizeof *w);

	if (s->weighed_ms && (double)(now - s->weighed_ms) < 1000 * weights_interval(session, WEIGH_DELAY_S, WEIGH_WINDOW_S)) {
		free(w);
		return;
	}
	s->weighed_ms = now;
	for (size_t i = 0; i < s->count; i++) {
		const struct service_member *m = s->members[i];
		w[i] = (struct weights_member){.utilisation = over_window(m), .settled = settled(m),
					       .weight = m->weight, .written = m->written};
	}
	if (weights_step(w, s->count))
		balancers_changed(s->e, s->config.balancer);
	for (size_t i = 0; i < s->count; i++) {
		s->members[i]->weight = w[i].weight;
		s->members[i]->written = w[i].written;
	}
	free(w);
}

/* --- one pool, many services ----------------------------------------------------------------------------------------- */
/* What it has, without what drains or has failed; and of its shortage, what died. */
static struct arbiter_service ask_of(const struct service *s)
{
	struct arbiter_service a = {.class = s->config.priority ? s->config.priority : 2, .wanted = s->wanted ? s->wanted : s->config.min,
				    .min = s->config.min, .demand = s->decision.demand, .received_s = s->received_s, .given_s = s->given_s};
	uint32_t lost = 0;

	if (!service_runs(s))
		a.wanted = a.min = 0;
	if (a.wanted > s->config.max)
		a.wanted = s->config.max;
	for (size_t i = 0; i < s->count; i++) {
		const struct service_member *m = s->members[i];
		bool leaves = m->moving || m->slot == NO_SLOT || !pools_has(s->e, s->config.pool, m->slot) ||
			      s->e->model.nodes[m->slot].config.maintenance;
		bool gone = m->m.state == MEMBER_FAILED || (m->m.out_ms && clock_mono_ms() - m->m.out_ms >= PLAN_REPLACE_MS) || leaves;
		bool going = (m->m.state == MEMBER_DRAINING || m->m.state == MEMBER_RELEASING) && !m->m.again;
		lost += gone && !going;
		a.have += !gone && !going;
	}
	uint32_t missing = a.wanted > a.have ? a.wanted - a.have : 0;
	a.replacements = lost < missing ? lost : missing;
	return a;
}

static void take_share(struct service *s, const struct arbiter_service *a)
{
	s->granted = a->granted;
	if (a->taken) {
		s->cap = a->have > a->taken ? a->have - a->taken : 1;
		s->given_s = services_clock_s(s->e);
		log_info("service %s: gives %u nodes to services that need them more: at most %u for now", s->config.head.name, a->taken, s->cap);
		services_save(s);
	} else if (s->cap && (a->granted || a->wanted <= s->cap)) {
		s->cap = 0;
		services_save(s);
	}
	uint32_t missing = a->wanted > a->have ? a->wanted - a->have : 0, least = a->min > a->have ? a->min - a->have : 0;
	if (s->granted == 0 && missing && least)
		s->granted = least; /* nodes that carry others, when there are no free ones: pools_offers() */
}

static void share_pool(struct engine *e, const char *pool)
{
	struct arbiter_service asks[SERVICES_MAX];
	struct service *who[SERVICES_MAX];
	struct pool_counts counts;
	size_t n = 0;
	bool asked = false;

	for (uint32_t i = 0; i < SERVICES_MAX; i++) {
		struct service *s = e->services->at[i];
		if (!s || strcmp(s->config.pool, pool) != 0)
			continue;
		who[n] = s;
		asks[n] = ask_of(s);
		asked = asked || asks[n].wanted > asks[n].have || s->cap;
		s->granted = 0;
		n++;
	}
	if (!asked) {
		pools_wanted(e, pool, 0, arbiter_spares(asks, n));
		return;
	}
	pools_count(e, pool, &counts);
	struct arbiter_pool p = {.free = counts.free, .coming_back = counts.coming_back, .nodes = counts.nodes, .reserve = counts.reserve};
	pools_wanted(e, pool, arbiter_share(&p, asks, n, services_clock_s(e)), arbiter_spares(asks, n));
	for (size_t i = 0; i < n; i++)
		take_share(who[i], &asks[i]);
}

void services_share(struct engine *e)
{
	const struct config_pool *pools = e->model.wanted.objects[CONFIG_POOL];

	for (size_t i = 0; i < e->model.wanted.count[CONFIG_POOL] && e->services->count; i++)
		share_pool(e, pools[i].head.name);
}

/* --- hot nodes ---------------------------------------------------------------------------------------------------------- */
static bool is_thermal(const struct engine *e, uint32_t slot)
{
	const struct node_state *n = e->nodes[slot];

	for (uint32_t i = 0; i < n->sensor_count; i++)
		if (n->sensors[i].level >= LEVEL_MAJOR && strstr(n->sensors[i].name, "emp"))
			return true;
	return false;
}

struct on_hot { /* what is on one node */
	struct service *s[HOT_LEFT];
	struct service_member *m[HOT_LEFT];
	size_t count;
};

static bool has_move(const struct service *s)
{
	for (size_t k = 0; k < s->count; k++)
		if (s->members[k]->moving)
			return true;
	return false;
}

/* What the settled members of a service have together. */
struct settled_sum {
	double value, weight;
	uint32_t count;
};

static bool is_counted(const struct service_member *m)
{
	return settled(m) && m->value_ms && !isnan(m->value);
}

static void sum_up(const struct service *s, struct settled_sum *sum)
{
	for (size_t k = 0; k < s->count; k++)
		if (is_counted(s->members[k])) {
			sum->value += s->members[k]->value;
			sum->weight += s->members[k]->written;
			sum->count++;
		}
}

/* The part of the load of each service on the node; true when they are to blame for it. */
static bool list_parts(const struct settled_sum *sums, double cpu, const struct on_hot *on, struct hot_part *out)
{
	for (size_t i = 0; i < on->count; i++) {
		const struct service_member *m = on->m[i];
		struct settled_sum others = sums[on->s[i]->slot];
		if (is_counted(m)) {
			others.value -= m->value;
			others.weight -= m->written;
			others.count--;
		}
		out[i] = (struct hot_part){.others = others.count ? others.value / others.count : NAN,
					   .weight = serves(m) && others.weight > 0 ? m->written / (others.weight / others.count) : 0};
	}
	return hot_parts(cpu, out, on->count);
}

static void list_services(const struct hot_part *parts, const struct on_hot *on, struct hot_service *out)
{
	for (size_t i = 0; i < on->count; i++)
		out[i] = (struct hot_service){.service = on->s[i]->slot + 1, .load = parts[i].load, .moved_s = on->s[i]->moved_s,
					      .movable = service_runs(on->s[i]) && !has_move(on->s[i]) && on->m[i]->m.state == MEMBER_IN_SERVICE};
}

static size_t list_targets(struct engine *e, const struct on_hot *on, struct hot_target *out, size_t room)
{
	size_t n = 0, offered;

	for (size_t i = 0; i < on->count; i++) {
		struct plan_offer *offers = pools_offers(e, on->s[i], HOT_OFFERS, &offered);
		for (size_t k = 0; k < offered && n < room; k++) {
			const struct model_node *t = model_node(&e->model, offers[k].node);
			if (t && e->nodes[t->slot])
				out[n++] = (struct hot_target){.service = on->s[i]->slot + 1, .node = t->slot,
							       .utilisation = values_read(e, t->slot, "cpu", "") / 100,
							       .seen = &e->services->hot[t->slot]};
		}
		free(offers);
	}
	return n;
}

static uint32_t moves_in(const struct engine *e, uint32_t group_slot)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < SERVICES_MAX; i++)
		for (size_t k = 0; e->services->at[i] && k < e->services->at[i]->count; k++) {
			const struct service_member *m = e->services->at[i]->members[k];
			n += m->moving && m->slot != NO_SLOT && e->model.nodes[m->slot].group_slot == group_slot;
		}
	return n;
}

/* Another one is taken, then the one on the hot node drains: no change of size. */
static void move_away(struct engine *e, uint32_t slot, struct service *s, uint32_t to)
{
	struct service_member *m = member_find(s, e->model.nodes[slot].config.head.name);

	if (!m)
		return;
	hot_moved(&e->services->hot[slot], s->slot + 1, services_clock_s(e));
	s->moved_s = services_clock_s(e);
	s->move_to = to;
	m->moving = true;
	log_info("service %s: leaves the hot node %s", s->config.head.name, m->m.node);
	services_save(s);
}

static void cool(struct engine *e, uint32_t slot, double cpu, const struct on_hot *on, const struct hot_part *parts)
{
	const struct model_node *node = &e->model.nodes[slot];
	struct hot_service services[HOT_LEFT];
	struct hot_target targets[HOT_LEFT * HOT_OFFERS];
	struct hot_limits limits = {.group_nodes = node->group_slot < MODEL_GROUPS ? e->model.groups[node->group_slot].members : 1,
				    .group_moving = moves_in(e, node->group_slot)};
	size_t t = list_targets(e, on, targets, COUNT_OF(targets));
	list_services(parts, on, services);
	struct hot_move move = hot_decide(&e->services->hot[slot], cpu, &limits, services, on->count, targets, t, services_clock_s(e));

	if (move.answer == HOT_SICK)
		repair_want_list(e, slot, "hot again and again, and no service of ours to blame");
	if (move.answer == HOT_MOVE && move.service && move.service <= SERVICES_MAX && e->services->at[move.service - 1])
		move_away(e, slot, e->services->at[move.service - 1], move.node);
}

static void look_at_node(struct engine *e, uint32_t slot, const struct on_hot *on, const struct settled_sum *sums)
{
	struct hot_node *hot = &e->services->hot[slot];
	struct hot_part parts[HOT_LEFT];
	struct hot_seen seen = {.utilisation = hot_mean(hot, values_read(e, slot, "cpu", "") / 100), .thermal = is_thermal(e, slot)};

	seen.owned = list_parts(sums, seen.utilisation, on, parts);
	for (size_t i = 0; i < on->count; i++)
		seen.at_floor = seen.at_floor || on->m[i]->written <= WEIGHTS_FLOOR;
	if (hot_look(hot, &seen, services_clock_s(e)))
		log_info("node %s: is hot at %.0f %%", e->model.nodes[slot].config.head.name, seen.utilisation * 100);
	if (hot->hot)
		cool(e, slot, seen.utilisation, on, parts);
}

void services_move_hot(struct engine *e)
{
	struct on_hot *all = mem_array(e->model.node_top + 1, sizeof *all);
	struct settled_sum *sums = mem_array(SERVICES_MAX, sizeof *sums);

	for (uint32_t i = 0; i < SERVICES_MAX; i++) {
		struct service *s = e->services->at[i];
		if (s)
			sum_up(s, &sums[i]);
		for (size_t k = 0; s && k < s->count; k++) {
			struct on_hot *on = s->members[k]->slot < e->model.node_top ? &all[s->members[k]->slot] : NULL;
			if (!on || on->count == HOT_LEFT)
				continue;
			on->s[on->count] = s;
			on->m[on->count++] = s->members[k];
		}
	}
	for (uint32_t slot = 0; slot < e->model.node_top; slot++)
		if (all[slot].count && e->nodes[slot])
			look_at_node(e, slot, &all[slot], sums);
	free(sums);
	free(all);
}
