/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Balancers on the board, and as they were read back (QUERY_BALANCER). */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "engine/balancers_own.h"

#define TELL_HANDS_MS 60000

enum balancer_state balancer_trouble(int status)
{
	return status == ERR_REMOTE || status == ERR_NO_RESOURCE ? BALANCER_UNREACHABLE : status ? BALANCER_REFUSED : BALANCER_IN_STEP;
}

static enum balancer_state director_state(const struct balancer *b, const struct director *d)
{
	return d->status ? balancer_trouble(d->status)
	       : !d->read ? BALANCER_UNKNOWN
	       : d->wanted_hash == b->hash ? BALANCER_IN_STEP : BALANCER_CHANGING;
}

static enum balancer_state state_of(const struct balancer *b, const char **why)
{
	enum balancer_state state = BALANCER_IN_STEP;

	*why = "";
	for (size_t i = 0; i < balancer_directors(b); i++) {
		const struct director *d = &b->at[i];
		enum balancer_state one = director_state(b, d);
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

void balancer_tell_hands(struct balancer *b, int64_t now_ms)
{
	enum balancer_state state;
	char cause[CAUSE_SIZE];
	const char *why;

	if (!b->hands || (b->hands_told_ms && now_ms - b->hands_told_ms < TELL_HANDS_MS))
		return;
	state = state_of(b, &why);
	text_format(cause, sizeof cause, "%u by hand, set right: %s", b->hands, b->hand);
	outbox_balancer(b->e, b->config.head.name, state, state >= BALANCER_REFUSED ? LEVEL_MAJOR : LEVEL_NORMAL, cause);
	b->hands = 0;
	b->hands_told_ms = now_ms;
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

/* One of a director's virtual servers with a part of its real ones; v NULL: it has told none. */
static json_t *virtual_json(const struct balancer *b, size_t which, const struct picture_virtual *v, json_t *reals)
{
	static const struct picture_virtual none = {.forwarding = FORWARD_NAT};
	const struct address *address = which == 0 ? &b->config.address : &b->config.peer;
	char at[ADDRESS_TEXT], director[ADDRESS_TEXT];

	address_text(address, 0, director);
	return json_pack("{s:s,s:s,s:i,s:s,s:s,s:i,s:s,s:s,s:s,s:o}", "virtual", v ? v->name : "", "address",
			 v ? address_text(&v->address, 0, at) : "", "mark", v ? (int)v->fwmark : 0, "scheduler", v ? v->scheduler : "", "forwarding",
			 forwarding_name((v ? v : &none)->forwarding), "persistence_s", v ? (int)v->persistence_s : 0, "director",
			 address->family ? director : "here", "state", balancer_state_name((int)director_state(b, &b->at[which])), "cause",
			 b->at[which].status ? b->at[which].why : "", "reals", reals);
}

struct pages { /* one is kept back until it is known whether another follows */
	struct engine *e;
	enum role face;
	uint64_t request;
	json_t *page;
};

static void send_page(struct pages *p, json_t *next, bool more)
{
	if (p->page || !more)
		reply_json(p->e, p->face, p->e->roles[p->face].life, p->request, 0, p->page ? p->page : json_array(), more);
	p->page = next;
}

/* A virtual server and some of its real servers a page: thousands do not fit into one message. */
static void send_virtual(struct pages *p, const struct balancer *b, size_t which, const struct picture_virtual *v)
{
	for (size_t at = 0; at < (v ? v->count : 0) || at == 0; at += REALS_A_PAGE) {
		json_t *reals = json_array(), *page = json_array();
		for (size_t k = at; v && k < v->count && k < at + REALS_A_PAGE; k++)
			json_array_append_new(reals, real_json(&v->reals[k]));
		json_array_append_new(page, virtual_json(b, which, v, reals));
		send_page(p, page, true);
	}
}

/* All directors, the first one first; one of a pair that has not answered is there all the same, with nothing but its state. */
static void send_have(struct engine *e, enum role face, const struct msg_query *q, const struct balancer *b)
{
	struct pages p = {e, face, q->request, NULL};

	for (size_t which = 0; which < balancer_directors(b); which++) {
		const struct director *d = &b->at[which];
		for (size_t i = 0; i < d->have.count; i++)
			send_virtual(&p, b, which, &d->have.virtuals[i]);
		if (!d->have.count && balancer_directors(b) > 1 && (d->status || !d->read))
			send_virtual(&p, b, which, NULL);
	}
	send_page(&p, NULL, false);
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
