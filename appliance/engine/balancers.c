/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Balancers: what is wanted, when it is brought there, and what came of it; see balancers.h. */
#include "engine/balancers_own.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/runs.h"

#define READ_MS 30000        /* between two reads back when nothing happens */
#define READ_COUNTS_MS 10000 /* of balancers that tell loads, as often as sizes are decided */
#define READ_DRAIN_MS 2000   /* while something drains */
#define PENDING_MS 2000
#define RUN_MS 20000         /* a run may take so long, unless its option deadline says another time ... */
#define RUN_MORE_MS 6000     /* ... which is the driver's own: it ends before it is ended */
#define AGAIN_MS 1000        /* after a failure, doubled up to READ_MS */

struct answer { /* finds its balancer again */
	struct engine *e;
	uint32_t slot, generation, director;
	bool later;              /* it was told to leave out a reload */
	uint64_t hash;
};

struct balancer *balancer_find(const struct engine *e, const char *name)
{
	for (uint32_t i = 0; e->balancers && i < SERVICES_MAX; i++)
		if (e->balancers->at[i] && !strcmp(e->balancers->at[i]->config.head.name, name))
			return e->balancers->at[i];
	return NULL;
}

bool balancers_has(struct engine *e, const char *name)
{
	return balancer_find(e, name) != NULL;
}

bool balancers_is_gone(struct engine *e, const char *name)
{
	return !balancer_find(e, name);
}

bool balancers_counts(struct engine *e, const char *name)
{
	const struct balancer *b = balancer_find(e, name);

	return b && b->counts;
}

size_t balancer_directors(const struct balancer *b)
{
	return b->config.peer.family ? 2 : 1;
}

/* --- what stands there is remembered, so that another life knows what to take away ------------------------------------- */
static void save_set(struct balancer *b)
{
	char key[STORE_KEY_MAX];
	json_t *list = json_array();

	for (size_t i = 0; i < b->set_count; i++)
		json_array_append_new(list, json_string(b->set[i]));
	json_t *o = json_pack("{s:i,s:o}", "v", 1, "set", list);
	char *text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	text_format(key, sizeof key, "/balancer/%s", b->config.head.name);
	store_put(b->e->store, key, text, NULL, NULL);
	free(text);
}

static void remember(struct balancer *b)
{
	bool more = false;

	for (uint32_t i = 0; i < SERVICES_MAX && b->e->services->count; i++) {
		const struct service *s = b->e->services->at[i];
		if (!s || !balancer_carries(b, s))
			continue;
		for (size_t v = 0; v < s->virtuals.count; v++) {
			char text[PICTURE_NAME + 16];
			bool known = false;
			balancer_key(b, s, v, text, sizeof text);
			for (size_t k = 0; k < b->set_count; k++)
				known = known || !strcmp(b->set[k], text);
			if (known || b->set_count == SET_MAX)
				continue;
			text_copy(b->set[b->set_count++], sizeof b->set[0], text);
			more = true;
		}
	}
	if (more)
		save_set(b); /* before it is set: stored in order with everything else */
}

/* All directors have been read back with what is wanted now: nothing else of ours stands there. */
static void forget_unwanted(struct balancer *b)
{
	size_t kept = 0, before = b->set_count;

	for (size_t d = 0; d < balancer_directors(b); d++)
		if (b->at[d].status || b->at[d].wanted_hash != b->hash || b->at[d].pending)
			return;
	for (size_t i = 0; i < b->set_count; i++)
		if (balancer_wants(b, b->set[i])) {
			if (kept != i)
				memcpy(b->set[kept], b->set[i], sizeof b->set[0]);
			kept++;
		}
	b->set_count = kept;
	if (kept != before)
		save_set(b);
}

static struct balancer *make(struct engine *e, const char *name)
{
	struct balancer *b = balancer_find(e, name);
	uint32_t generation, slot;

	if (b)
		return b;
	slot = slots_take(e, SLOT_BALANCER, name, &generation);
	if (slot == NO_SLOT)
		return NULL;
	if (!e->balancers)
		e->balancers = mem_zalloc(sizeof *e->balancers);
	b = mem_zalloc(sizeof *b);
	b->e = e;
	b->slot = slot;
	b->generation = generation;
	b->alarm = -1;
	b->told = BALANCER_IN_STEP;
	text_copy(b->config.head.name, sizeof b->config.head.name, name);
	e->balancers->at[slot] = b;
	e->balancers->count++;
	return b;
}

void balancers_restore(struct engine *e, const char *name, const char *json)
{
	json_t *o = json_loads(json, 0, NULL), *list = json_object_get(o, "set"), *one;
	struct balancer *b = json_is_array(list) ? make(e, name) : NULL;
	size_t i;

	json_array_foreach(list, i, one)
	if (b && b->set_count < SET_MAX && json_is_string(one))
		text_copy(b->set[b->set_count++], sizeof b->set[0], json_string_value(one));
	json_decref(o);
}

/* --- what came of a run ------------------------------------------------------------------------------------------------ */
static void alarm_of(struct balancer *b)
{
	const char *why = NULL;
	int status = 0;
	char cause[CAUSE_SIZE];

	for (size_t d = 0; d < balancer_directors(b); d++)
		if (b->at[d].status) {
			status = b->at[d].status;
			why = b->at[d].brief;
		}
	if (status) {
		text_format(cause, sizeof cause, "%s: %.48s", balancer_trouble(status) == BALANCER_UNREACHABLE ? "no answer" : "refused", why);
		alarms_raise(b->e, b->config.head.name, "balancer", "", LEVEL_MAJOR, cause, NO_SLOT, 0, 0);
		b->alarm = 1;
	} else if (b->alarm) {
		alarms_clear(b->e, b->config.head.name, "balancer", "");
		b->alarm = 0;
	}
}

struct at_address {
	const struct address *address;
	struct service_member *m;
	size_t index;
};

static int by_host(const void *a, const void *b)
{
	const struct at_address *x = a, *y = b;

	if (x->address->family != y->address->family)
		return x->address->family < y->address->family ? -1 : 1;
	return x->address->family ? memcmp(x->address->bytes, y->address->bytes, x->address->family == 4 ? 4 : 16) : 0;
}

static int by_host_and_index(const void *a, const void *b)
{
	const struct at_address *x = a, *y = b;
	int order = by_host(a, b);

	return order ? order : x->index < y->index ? -1 : x->index > y->index;
}

/* The members of a service by their address, each host once, the first that has it; caller frees. */
static struct at_address *members_by_address(struct service *s, size_t *count)
{
	struct at_address *list = mem_array(s->count + 1, sizeof *list);
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < s->count; i++)
		if (s->members[i]->slot != NO_SLOT)
			list[n++] = (struct at_address){&s->e->model.nodes[s->members[i]->slot].config.address, s->members[i], i};
	qsort(list, n, sizeof *list, by_host_and_index);
	for (size_t i = 0; i < n; i++)
		if (!kept || by_host(&list[kept - 1], &list[i]))
			list[kept++] = list[i];
	*count = kept;
	return list;
}

static struct service_member *member_at(const struct at_address *list, size_t count, const struct address *address)
{
	struct at_address key = {.address = address};
	const struct at_address *found = bsearch(&key, list, count, sizeof *list, by_host);

	return found ? found->m : NULL;
}

static const struct picture_virtual *virtual_in(const struct director *d, const struct service_virtual *v)
{
	for (size_t i = 0; i < d->have.count; i++) {
		const struct picture_virtual *h = &d->have.virtuals[i];
		if (v->fwmark ? h->fwmark == v->fwmark && h->family == v->family
			      : h->protocol == v->protocol && address_equal(&h->address, &v->address))
			return h;
	}
	return NULL;
}

static void rates(struct service *s, uint64_t total, uint64_t bytes, int64_t at_ms, bool whole)
{
	double seconds = (double)(at_ms - s->counted_ms) / 1000;

	if (whole && s->counted_ms && seconds >= 1 && total >= s->total && bytes >= s->total_bytes) {
		s->requests = (double)(total - s->total) / seconds;
		s->bytes = (double)(bytes - s->total_bytes) / seconds;
	} else if (!whole || (s->counted_ms && seconds >= 1)) {
		s->requests = s->bytes = NAN; /* counters began anew, or nobody counts */
	}
	if (s->counted_ms && seconds < 1 && seconds >= 0)
		return;
	s->total = total;
	s->total_bytes = bytes;
	s->counted_ms = whole ? at_ms : 0;
}

/* The members of one service as they stand in what was read back at a director. */
static void see_service(struct balancer *b, struct service *s, const struct director *d)
{
	uint64_t total = 0, bytes = 0;
	size_t hosts;
	struct at_address *by_address = members_by_address(s, &hosts);

	for (size_t i = 0; i < s->count; i++) {
		struct service_member *m = s->members[i];
		m->at_balancer = m->weightless = false;
		m->connections = m->total = m->bytes = 0;
		m->read_ms = d->sent_ms;
	}
	s->connections = 0;
	for (size_t i = 0; i < s->virtuals.count; i++) {
		const struct picture_virtual *h = virtual_in(d, &s->virtuals.at[i]);
		uint64_t of_reals = 0;
		for (size_t k = 0; h && k < h->count; k++) {
			struct service_member *m = member_at(by_address, hosts, &h->reals[k].address);
			of_reals += h->reals[k].counts.connections;
			if (!m)
				continue;
			m->weightless = h->reals[k].weight == 0 && (m->weightless || !m->at_balancer);
			m->at_balancer = true;
			m->connections += h->reals[k].counts.active;
			m->total += h->reals[k].counts.connections;
			m->bytes += h->reals[k].counts.bytes_in + h->reals[k].counts.bytes_out;
			s->connections += h->reals[k].counts.active;
		}
		if (h) {
			total += h->counts.connections ? h->counts.connections : of_reals;
			bytes += h->counts.bytes_in + h->counts.bytes_out;
		}
	}
	free(by_address);
	b->counts = b->counts || total > 0;
	rates(s, total, bytes, d->sent_ms, b->counts);
}

static void take_have(struct director *d, struct picture *have)
{
	picture_clear(&d->have);
	d->have = *have;
	memset(have, 0, sizeof *have);
}

static void see_services(struct balancer *b, const struct director *d)
{
	b->virtuals = (uint32_t)d->have.count;
	b->reals = 0;
	for (size_t i = 0; i < d->have.count; i++)
		b->reals += (uint32_t)d->have.virtuals[i].count;
	for (uint32_t i = 0; i < SERVICES_MAX && b->e->services->count; i++) {
		struct service *s = b->e->services->at[i];
		if (s && !strcmp(s->config.balancer, b->config.head.name))
			see_service(b, s, d);
	}
}

/* Whose a change is: of a picture that was there already each one mends what somebody else did; of another picture those whose row is not as it was
 * read back last. */
static bool by_hand(const struct director *d, const struct answer *a, const struct picture_result *r, size_t change)
{
	return d->wanted_hash == a->hash || (d->have_stands && picture_found_changed(&d->have, r, change));
}

/* Counts what was changed by hand and is set right, and has it told. */
static void see_hands(struct balancer *b, const struct director *d, const struct answer *a, const struct picture_result *r)
{
	for (size_t i = 0; i < r->change_count; i++) {
		const struct picture_change *c = &r->changes[i];
		bool hand = by_hand(d, a, r, i);
		if (i < 20)
			log_info("balancer %s: %s%s %s%s%s: %s", b->config.head.name, hand ? "set right: " : "", picture_verb_name((int)c->verb),
				 c->virtual_name, c->real[0] ? " " : "", c->real, c->what);
		if (hand && !b->hands++)
			text_format(b->hand, sizeof b->hand, "%s %s %s", picture_verb_name((int)c->verb), c->virtual_name, c->real);
		b->repairs += hand;
	}
}

/* Why it is not as wanted. What is wrong with the machine itself is told of a balancer by its name: its address would take up an alarm's short line. */
static void take_why(struct balancer *b, struct director *d, const struct error *error)
{
	const char *driver = balancer_driver_name(b->config.driver);
	bool itself = !strncmp(error->object, driver, strlen(driver));

	text_format(d->why, sizeof d->why, "%.90s: %.150s", error->object, error->text);
	text_copy(d->brief, sizeof d->brief, itself ? error->text : d->why);
}

/* Of a pair the connections count that the first one tells; the other one is kept in step. */
static void take_result(struct balancer *b, size_t which, const struct answer *a, struct picture_result *r)
{
	struct director *d = &b->at[which];

	b->commands += r->commands;
	see_hands(b, d, a, r);
	d->pending = r->pending;
	d->left = r->left;
	d->unsaved = r->unsaved;
	if (!a->later || r->status != ERR_NOT_NOW) { /* else it is as refused as it was */
		d->status = r->status;
		if (r->status)
			take_why(b, d, &r->error);
	}
	if (r->status && d->wanted_hash != a->hash)
		d->wanted_hash = 0; /* some of another one may be there */
	else if (!r->status)
		d->wanted_hash = r->pending ? 0 : a->hash;
	d->have_stands = r->read || (d->have_stands && !r->commands);
	if (r->status && !r->read)
		return;
	d->read = true;
	d->read_ms = clock_wall_ms();
	b->foreign = r->foreign;
	take_have(d, &r->have);
	if (which == 0)
		see_services(b, d);
}

static void read_answer(struct balancer *b, size_t which, const struct answer *a, const struct msg_run_result *m, const char *output, size_t size)
{
	struct director *d = &b->at[which];
	struct picture_result r;
	struct error err;

	memset(&r, 0, sizeof r);
	if (m->end != ENDED_DONE) {
		d->status = m->end == ENDED_BAD || m->end == ENDED_PERMISSION || m->end == ENDED_HOST_KEY ? ERR_REFUSED : ERR_REMOTE;
		text_format(d->why, sizeof d->why, "%s: %.200s", run_ended_name((int)m->end), m->text);
		text_make_printable(d->why);
		text_copy(d->brief, sizeof d->brief, d->why);
		d->have_stands = false; /* it may have done something */
		return;
	}
	if (picture_result_from_json(output, size, &r, &err)) {
		d->status = ERR_REFUSED;
		text_format(d->why, sizeof d->why, "the driver's answer is not readable: %.150s", err.text);
		text_copy(d->brief, sizeof d->brief, d->why);
		d->have_stands = false;
		return;
	}
	take_result(b, which, a, &r);
	picture_result_clear(&r);
}

static void send_picture(struct balancer *b, size_t which);

/* A run that left out what was refused does not put off the next one that does not. */
static void set_next(struct director *d, const struct answer *a, int64_t now_ms)
{
	if (d->status && a->later)
		return;
	d->gap_ms = d->status ? (d->gap_ms ? d->gap_ms * 2 : AGAIN_MS) : 0;
	if (d->gap_ms > READ_MS)
		d->gap_ms = READ_MS;
	d->next_ms = now_ms + (d->status ? d->gap_ms : d->pending ? PENDING_MS : READ_MS);
}

static void on_answer(void *arg, const struct msg_run_result *m, const char *output, size_t size)
{
	struct answer *a = arg;
	struct balancer *b = a->e->balancers && a->slot < SERVICES_MAX ? a->e->balancers->at[a->slot] : NULL;
	int64_t now = clock_mono_ms();

	if (b && b->generation == a->generation && b->at[a->director].request == m->request) {
		struct director *d = &b->at[a->director];
		int before = d->status;
		d->request = 0;
		read_answer(b, a->director, a, m, output, size);
		if (d->status && d->status != before)
			log_warning("balancer %s: %s", b->config.head.name, d->why);
		set_next(d, a, now);
		alarm_of(b);
		balancer_tell_hands(b, now);
		balancers_publish(b->e);
		forget_unwanted(b);
		if (d->sent_hash != b->hash) /* wanted meanwhile: a dead member does not wait for what was refused of the older one */
			send_picture(b, a->director);
		services_kick(b->e);
	}
	free(a);
}

/* --- runs --------------------------------------------------------------------------------------------------------------- */
static void fill_run(const struct balancer *b, size_t which, const struct picture *p, struct msg_run *run)
{
	int64_t seconds;

	memset(run, 0, sizeof *run);
	run->slot = NO_SLOT;
	run->deadline_ms = text_integer(picture_option(p, "deadline", ""), 1, 600, &seconds) ? (uint32_t)seconds * 1000 + RUN_MORE_MS : RUN_MS;
	text_copy(run->driver, sizeof run->driver, balancer_driver_name(b->config.driver));
	run->address = which == 0 ? b->config.address : b->config.peer;
	if (b->config.ssh[0] && run->address.family) {
		run->kind = RUN_DRIVER_REMOTE;
		if (!run->address.port)
			run->address.port = 22;
		text_copy(run->credential, sizeof run->credential, b->config.ssh);
		text_format(run->host, sizeof run->host, which == 0 ? "%.50s" : "%.50s-peer", b->config.head.name);
		text_format(run->line, sizeof run->line, "balance driver=%s", run->driver);
	} else {
		run->kind = RUN_DRIVER;
		text_copy(run->credential, sizeof run->credential, b->config.snmp);
		text_copy(run->host, sizeof run->host, b->config.head.name);
	}
}

/* What only a reload of HAProxy brings: its virtual servers and options, without members. */
static uint64_t frame_of(const struct picture *p)
{
	uint64_t hash = text_hash(p->options, p->option_count * sizeof p->options[0]);

	for (size_t i = 0; i < p->count; i++) {
		const uint64_t facts[] = {hash, text_hash(p->virtuals[i].name, strlen(p->virtuals[i].name)), picture_virtual_mark(&p->virtuals[i])};
		hash = text_hash(facts, sizeof facts);
	}
	return hash;
}

/* A picture that comes before its time because members have changed brings no reload that was refused a moment ago: each one costs HAProxy a process.
 * Other virtual servers may be what it takes: they are tried at once. */
static bool hold_reload(const struct balancer *b, struct director *d, struct picture *p)
{
	uint64_t before = d->frame;

	if (b->config.driver != DRIVER_HAPROXY)
		return false;
	d->frame = frame_of(p);
	return d->status == ERR_REFUSED && d->frame == before && clock_mono_ms() < d->next_ms && picture_set_option(p, "reload", "later");
}

static void send_picture(struct balancer *b, size_t which)
{
	struct director *d = &b->at[which];
	struct picture p;
	struct msg_run run;

	balancer_picture(b, which, &p);
	remember(b);
	bool later = hold_reload(b, d, &p);
	if (d->left && !picture_option(&p, "pending", NULL))
		picture_set_option(&p, "pending", "ours");
	if (d->unsaved)
		picture_set_option(&p, "unsaved", "1");
	fill_run(b, which, &p, &run);
	char *text = picture_to_json(&p, false);
	picture_clear(&p);
	int input = text ? bytes_memory("input", text, strlen(text)) : -1;
	free(text);
	if (input < 0) {
		d->next_ms = clock_mono_ms() + READ_MS;
		return;
	}
	struct answer *a = mem_zalloc(sizeof *a);
	*a = (struct answer){.e = b->e, .slot = b->slot, .generation = b->generation, .director = (uint32_t)which, .later = later, .hash = b->hash};
	d->sent_hash = b->hash;
	d->sent_ms = clock_mono_ms();
	d->request = runs_ask(b->e, &run, input, on_answer, NULL, a);
}

static uint64_t picture_hash(const struct balancer *b)
{
	struct picture p;

	balancer_picture(b, 0, &p);
	char *text = picture_to_json(&p, false);
	uint64_t hash = text ? text_hash(text, strlen(text)) | 1 : 0;
	free(text);
	picture_clear(&p);
	return hash;
}

void balancers_changed(struct engine *e, const char *name)
{
	struct balancer *b = balancer_find(e, name);
	uint64_t hash;

	if (!b || !e->balancers->started)
		return;
	hash = picture_hash(b);
	if (hash == b->hash)
		return;
	b->hash = hash;
	for (size_t d = 0; d < balancer_directors(b); d++)
		if (!b->at[d].request) /* else the answer sends the newest */
			send_picture(b, d);
}

static bool something_drains(const struct balancer *b)
{
	for (uint32_t i = 0; i < SERVICES_MAX && b->e->services->count; i++) {
		const struct service *s = b->e->services->at[i];
		for (size_t k = 0; s && k < s->count && !strcmp(s->config.balancer, b->config.head.name); k++)
			if (s->members[k]->m.state == MEMBER_DRAINING || s->members[k]->m.state == MEMBER_RELEASING)
				return true;
	}
	return false;
}

static void drop(struct balancer *b)
{
	struct balancer_row row = {.head = {.slot = b->slot}};
	struct engine *e = b->e;
	char key[STORE_KEY_MAX];

	alarms_gone(e, b->config.head.name);
	board_put(e->board, BOARD_BALANCER, &row);
	text_format(key, sizeof key, "/balancer/%s", b->config.head.name);
	store_delete(e->store, key, NULL, NULL);
	slots_drop(e, SLOT_BALANCER, b->config.head.name);
	e->balancers->at[b->slot] = NULL;
	e->balancers->count--;
	for (size_t d = 0; d < DIRECTORS; d++)
		picture_clear(&b->at[d].have);
	free(b);
}

/* Why what stands at a balancer cannot be taken away now; NULL: it can, or nothing does. */
static const char *unanswered(const struct balancer *b)
{
	for (size_t d = 0; b->set_count && d < balancer_directors(b); d++)
		if (b->at[d].status)
			return b->at[d].why;
	return NULL;
}

int balancers_removal(struct engine *e, const char *name, bool yes, struct error *err)
{
	const struct balancer *b = balancer_find(e, name);
	const char *why = b ? unanswered(b) : NULL;

	if (!b || yes)
		return 0;
	if (why)
		return error_set(err, ERR_NOT_NOW, name, "bring it back; or repeat with --yes: it is forgotten then, and what stands there stays",
				 "%s: what stands there cannot be taken away: %.100s", b->there ? "it does not answer" : "it is being removed and does not answer", why);
	return b->there ? 0 : error_set(err, ERR_NOT_NOW, name, "wait a moment", "it is being removed: what stands there is taken away first");
}

size_t balancers_forget(struct engine *e, const char *name)
{
	struct balancer *b = balancer_find(e, name);
	size_t left = b && !b->there && unanswered(b) ? b->set_count : 0;

	if (!left)
		return 0;
	log_warning("balancer %s: forgotten while it does not answer (%s): %zu virtual servers may still stand there", name, unanswered(b), left);
	drop(b);
	return left;
}

void balancers_tick(struct engine *e)
{
	int64_t now = clock_mono_ms();

	for (uint32_t i = 0; e->balancers && e->balancers->started && e->balancers->count && i < SERVICES_MAX; i++) {
		struct balancer *b = e->balancers->at[i];
		if (!b)
			continue;
		b->hash = picture_hash(b);
		balancer_tell_hands(b, now);
		int64_t every = something_drains(b) ? READ_DRAIN_MS : b->config.snmp[0] ? READ_MS : READ_COUNTS_MS;
		for (size_t d = 0; d < balancer_directors(b); d++) {
			struct director *one = &b->at[d];
			bool due = now >= one->next_ms || (one->status == 0 && (now - one->sent_ms >= every || one->sent_hash != b->hash));
			if (!one->request && due)
				send_picture(b, d);
		}
		if (!b->there && b->set_count == 0)
			drop(b);
	}
	balancers_publish(e);
}

static void begin_anew(struct balancer *b)
{
	for (size_t d = 0; d < DIRECTORS; d++) {
		b->at[d].sent_hash = b->at[d].wanted_hash = 0;
		b->at[d].next_ms = b->at[d].gap_ms = 0;
		b->at[d].read = b->at[d].have_stands = false;
	}
	b->hash = 0;
}

/* --- the wanted state ------------------------------------------------------------------------------------------------------- */
void balancers_apply(struct engine *e)
{
	const struct config_balancer *wanted = e->model.wanted.objects[CONFIG_BALANCER];

	for (uint32_t i = 0; e->balancers && i < SERVICES_MAX; i++) {
		struct balancer *b = e->balancers->at[i];
		if (b && !cluster_find(&e->model.wanted, CONFIG_BALANCER, b->config.head.name))
			b->there = false; /* what stands there is taken away first */
	}
	for (size_t i = 0; i < e->model.wanted.count[CONFIG_BALANCER]; i++) {
		struct balancer *b = make(e, wanted[i].head.name);
		if (!b)
			continue;
		b->there = true;
		struct config_balancer config = wanted[i];
		config.head.line = 0;
		if (memcmp(&b->config, &config, sizeof config) != 0)
			begin_anew(b); /* elsewhere, or by other options */
		b->config = config;
	}
}

void balancers_loaded(struct engine *e)
{
	if (!e->balancers)
		e->balancers = mem_zalloc(sizeof *e->balancers);
	e->balancers->started = true;
	for (uint32_t i = 0; i < SERVICES_MAX; i++) {
		struct balancer *b = e->balancers->at[i];
		if (b && !b->there && !b->config.driver) {
			b->set_count = 0; /* removed while we were away: how it was managed is not known any more */
			drop(b);
		}
	}
}
