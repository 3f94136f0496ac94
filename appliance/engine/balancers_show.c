/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Balancers on the board, and as they were read back (QUERY_BALANCER). */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "engine/balancers_own.h"

static enum balancer_state state_of(const struct balancer *b, const char **why)
{
	enum balancer_state state = BALANCER_IN_STEP;

	*why = "";
	for (size_t i = 0; i < balancer_directors(b); i++) {
		const struct director *d = &b->at[i];
		enum balancer_state one = d->status == ERR_REMOTE || d->status == ERR_NO_RESOURCE ? BALANCER_UNREACHABLE
					  : d->status ? BALANCER_REFUSED
					  : !d->read ? BALANCER_UNKNOWN
					  : d->wanted_hash == b->hash ? BALANCER_IN_STEP : BALANCER_CHANGING;
		if (d->status)
			*why = d->why;
		if (one > state || one == BALANCER_UNKNOWN)
			state = state > BALANCER_CHANGING && one == BALANCER_UNKNOWN ? state : one;
	}
	return state;
}

/* A change that is under way is no news; what it ends as is. */
static void tell_state(struct balancer *b, enum balancer_state state, const char *why)
{
	if (state == b->told || state == BALANCER_UNKNOWN || state == BALANCER_CHANGING)
		return;
	b->told = (uint8_t)state;
	outbox_balancer(b->e, b->config.head.name, state, state == BALANCER_IN_STEP ? LEVEL_NORMAL : LEVEL_MAJOR, why);
}

void balancers_publish(struct engine *e)
{
	for (uint32_t i = 0; e->balancers && e->balancers->count && i < SERVICES_MAX; i++) {
		struct balancer *b = e->balancers->at[i];
		const struct balancer_row *old = board_peek(e->board, BOARD_BALANCER, i);
		struct balancer_row row;
		const char *why;

		if (!b || !b->there)
			continue;
		memset(&row, 0, sizeof row);
		row.head = (struct row_head){.generation = b->generation, .slot = i, .order = i};
		row.address = b->config.address;
		row.state = state_of(b, &why);
		tell_state(b, (enum balancer_state)row.state, why);
		row.driver = b->config.driver;
		row.read_wall_ms = b->at[0].read_ms;
		row.commands = b->commands;
		row.repairs = b->repairs;
		row.virtuals = b->virtuals;
		row.reals = b->reals;
		row.foreign = b->foreign;
		row.level = row.state >= BALANCER_REFUSED ? LEVEL_MAJOR : row.state == BALANCER_UNKNOWN ? LEVEL_UNKNOWN : LEVEL_NORMAL;
		text_copy(row.name, sizeof row.name, b->config.head.name);
		text_copy(row.cause, sizeof row.cause, why);
		text_copy(row.ssh, sizeof row.ssh, b->config.ssh);
		text_copy(row.snmp, sizeof row.snmp, b->config.snmp);
		text_copy(row.options, sizeof row.options, b->config.options);
		row.head.last_change_wall_ms = old ? old->head.last_change_wall_ms : 0;
		if (old && old->head.generation == row.head.generation && !memcmp(old, &row, sizeof row))
			continue;
		row.head.last_change_wall_ms = clock_wall_ms();
		board_put(e->board, BOARD_BALANCER, &row);
		publish_cluster(e);
	}
}

static json_t *real_json(const struct picture_real *r)
{
	char address[ADDRESS_TEXT];

	return json_pack("{s:s,s:s,s:i,s:b,s:I,s:I,s:I,s:I}", "name", r->name, "address", address_text(&r->address, 0, address), "weight",
			 (int)r->weight, "failing", r->failing, "active", (json_int_t)r->counts.active, "connections",
			 (json_int_t)r->counts.connections, "bytes_in", (json_int_t)r->counts.bytes_in, "bytes_out",
			 (json_int_t)r->counts.bytes_out);
}

#define REALS_A_PAGE 80

/* A virtual server and some of its real servers a page: thousands do not fit into one message. */
static void send_have(struct engine *e, enum role face, const struct msg_query *q, const struct balancer *b)
{
	uint32_t life = e->roles[face].life;
	char address[ADDRESS_TEXT];

	for (size_t i = 0; i < b->have_count; i++) {
		const struct picture_virtual *v = &b->have[i];
		for (size_t at = 0; at < v->count || at == 0; at += REALS_A_PAGE) {
			json_t *reals = json_array(), *page = json_array();
			for (size_t k = at; k < v->count && k < at + REALS_A_PAGE; k++)
				json_array_append_new(reals, real_json(&v->reals[k]));
			bool more = at + REALS_A_PAGE < v->count || i + 1 < b->have_count;
			json_array_append_new(page, json_pack("{s:s,s:s,s:i,s:s,s:s,s:i,s:o}", "virtual", v->name, "address",
							      address_text(&v->address, 0, address), "mark", (int)v->fwmark, "scheduler", v->scheduler,
							      "forwarding", forwarding_name(v->forwarding), "persistence_s", (int)v->persistence_s,
							      "reals", reals));
			reply_json(e, face, life, q->request, 0, page, more);
		}
	}
	if (!b->have_count)
		reply_json(e, face, life, q->request, 0, json_array(), false);
}

void balancers_query(struct engine *e, enum role face, const struct msg_query *q)
{
	const struct balancer *b = balancer_find(e, q->target);
	struct error err;

	if (b) {
		send_have(e, face, q, b);
		return;
	}
	error_set(&err, ERR_NOT_FOUND, q->target, "see: gloryctl balancer list", "there is no such balancer");
	reply_error(e, face, e->roles[face].life, q->request, &err);
}
