/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events and their notifications, at least once: an event and its outbox entry are one transaction; the entry goes when every receiver
 * has it. The agent role holds a window per receiver; a receiver that is down for hours gets everything later, in order. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/engine.h"

#define EVENTS_KEPT 100000
#define PRUNE_BATCH 100
#define RECEIVERS_MAX 16

struct entry { /* one event that somebody still waits for */
	struct entry *next;
	struct msg_notify notify;
	uint32_t waiting;   /* bit per receiver */
	uint32_t in_flight; /* bit per receiver: handed to the agent */
};

struct outbox {
	struct entry *head, **tail;
	char receivers[RECEIVERS_MAX][NAME_SIZE];
	uint32_t receiver_count;
	uint32_t flying[RECEIVERS_MAX];
};

void outbox_start(struct engine *e)
{
	e->outbox = mem_zalloc(sizeof *e->outbox);
	e->outbox->tail = &e->outbox->head;
}

static void append(struct outbox *o, const struct msg_notify *n, uint32_t waiting)
{
	struct entry *x = mem_zalloc(sizeof *x);

	x->notify = *n;
	x->waiting = waiting;
	*o->tail = x;
	o->tail = &x->next;
}

/* Hands over what fits into each receiver's window, oldest first. */
static void pump(struct engine *e)
{
	struct outbox *o = e->outbox;

	if (!e->roles[ROLE_AGENT].channel || !e->loaded)
		return;
	for (uint32_t r = 0; r < o->receiver_count; r++) {
		for (struct entry *x = o->head; x && o->flying[r] < NOTIFY_WINDOW; x = x->next) {
			if (!(x->waiting & (1u << r)) || (x->in_flight & (1u << r)))
				continue;
			x->in_flight |= 1u << r;
			o->flying[r]++;
			text_copy(x->notify.receiver, sizeof x->notify.receiver, o->receivers[r]);
			engine_send(e, ROLE_AGENT, MSG_NOTIFY, &x->notify, sizeof x->notify);
		}
	}
}

static const char *const kinds[NOTIFY_KIND_COUNT] = {"?", "verdict", "level", "alarm-raise", "alarm-clear", "job-end", "service", "balancer"};

static json_t *event_json(const struct msg_notify *n)
{
	json_t *o = json_pack("{s:i,s:I,s:I,s:s,s:s,s:s,s:i,s:I,s:I,s:s,s:s,s:s,s:s,s:s}", "v", 1, "id", (json_int_t)n->event, "at",
			 (json_int_t)n->at_wall_ms, "kind", kinds[n->kind < NOTIFY_KIND_COUNT ? n->kind : 0], "object", n->object, "cause",
			 n->cause, "slot", (int)n->slot, "alarm", (json_int_t)n->alarm, "job", (json_int_t)n->job, "verdict",
			 verdict_name(n->verdict), "certainty", certainty_name(n->certainty), "level", level_name(n->level), "severity",
			 level_name(n->severity), "job_state", job_state_name(n->job_state));
	if (o && n->service_state)
		json_object_set_new(o, "service_state", json_string(service_state_name(n->service_state)));
	if (o && n->balancer_state)
		json_object_set_new(o, "balancer_state", json_string(balancer_state_name(n->balancer_state)));
	return o;
}

static void keys(uint64_t id, char *event, char *outbox, size_t size)
{
	text_format(event, size, "/event/%016" PRIu64, id);
	text_format(outbox, size, "/outbox/%016" PRIu64, id);
}

void outbox_prune(struct engine *e, const char *prefix, uint64_t *first, uint64_t last)
{
	struct store_op ops[PRUNE_BATCH];
	char names[PRUNE_BATCH][40];

	if (!*first)
		*first = 1;
	if (last < *first + EVENTS_KEPT + PRUNE_BATCH)
		return;
	for (int i = 0; i < PRUNE_BATCH; i++) {
		text_format(names[i], sizeof names[i], "%s%016" PRIu64, prefix, (*first)++);
		ops[i] = (struct store_op){.key = names[i], .expect = STORE_ANY};
	}
	store_transact(e->store, ops, PRUNE_BATCH, NULL, NULL);
}

static void drop_settled(struct engine *e);

/* What has left the event log is waited for no more: a receiver that is down for ever must not fill our memory. */
static void prune(struct engine *e)
{
	struct outbox *o = e->outbox;
	uint64_t before = e->event_first;

	outbox_prune(e, "/event/", &e->event_first, e->event_last);
	if (e->event_first == before)
		return;
	for (struct entry *x = o->head; x && x->notify.event < e->event_first; x = x->next) {
		for (uint32_t r = 0; r < o->receiver_count; r++)
			o->flying[r] -= x->in_flight >> r & 1;
		x->waiting = x->in_flight = 0;
	}
	drop_settled(e);
}

static json_t *receivers_json(const struct outbox *o, uint32_t waiting)
{
	json_t *list = json_array();

	for (uint32_t r = 0; r < o->receiver_count; r++)
		if (waiting & (1u << r))
			json_array_append_new(list, json_string(o->receivers[r]));
	return list;
}

void outbox_event(struct engine *e, const struct event_facts *f)
{
	struct outbox *o = e->outbox;
	struct msg_notify n = {.event = ++e->event_last, .at_wall_ms = clock_wall_ms(), .alarm = f->alarm, .job = f->job, .kind = f->kind,
			       .slot = f->slot, .verdict = f->verdict, .certainty = f->certainty, .level = f->level, .severity = f->severity,
			       .job_state = f->job_state, .service_state = f->service_state, .balancer_state = f->balancer_state};
	uint32_t waiting = (uint32_t)((1ull << o->receiver_count) - 1);
	char event[64], outbox[64];

	text_copy(n.object, sizeof n.object, f->object);
	text_copy(n.cause, sizeof n.cause, f->cause ? f->cause : "");
	text_make_printable(n.cause);
	json_t *j = event_json(&n), *with = json_deep_copy(j);
	json_object_set_new(with, "receivers", receivers_json(o, waiting));
	char *text = json_dumps(j, JSON_COMPACT), *waits = json_dumps(with, JSON_COMPACT);
	keys(n.event, event, outbox, sizeof event);
	struct store_op ops[2] = {{event, text, STORE_ANY}, {outbox, waits, STORE_ANY}};
	store_transact(e->store, ops, waiting ? 2 : 1, NULL, NULL);
	json_decref(j);
	json_decref(with);
	free(text);
	free(waits);
	if (waiting) {
		append(o, &n, waiting);
		pump(e);
	}
	prune(e);
}

static int receiver_index(struct outbox *o, const char *name)
{
	for (uint32_t r = 0; r < o->receiver_count; r++)
		if (!strcmp(o->receivers[r], name))
			return (int)r;
	return -1;
}

/* A receiver known by name: those of the configuration, and at start those that entries still wait for. */
static int receiver_add(struct outbox *o, const char *name)
{
	int r = receiver_index(o, name);

	if (r >= 0 || o->receiver_count == RECEIVERS_MAX)
		return r;
	text_copy(o->receivers[o->receiver_count], NAME_SIZE, name);
	return (int)o->receiver_count++;
}

static enum notify_kind kind_value(const char *word)
{
	for (int k = 1; k < NOTIFY_KIND_COUNT; k++)
		if (!strcmp(kinds[k], word))
			return (enum notify_kind)k;
	return NOTIFY_VERDICT;
}

void outbox_service(struct engine *e, const char *service, enum service_state state, enum level level, const char *cause)
{
	struct event_facts facts = {.kind = NOTIFY_SERVICE, .object = service, .cause = cause, .slot = NO_SLOT, .level = (uint8_t)level,
				    .service_state = (uint8_t)state};

	outbox_event(e, &facts);
}

void outbox_balancer(struct engine *e, const char *balancer, enum balancer_state state, enum level level, const char *cause)
{
	struct event_facts facts = {.kind = NOTIFY_BALANCER, .object = balancer, .cause = cause, .slot = NO_SLOT, .level = (uint8_t)level,
				    .balancer_state = (uint8_t)state};

	outbox_event(e, &facts);
}

/* The value of a member that events of other kinds do not have; 0: it is not there. */
static uint8_t stored_word(const json_t *o, const char *member, enum word_set words)
{
	const char *word = json_string_value(json_object_get(o, member));

	return word ? (uint8_t)words_value(words, word) : 0;
}

void outbox_restore(struct engine *e, const char *key, const char *json)
{
	json_t *j = json_loads(json, 0, NULL), *list, *one;
	const char *kind, *object, *cause, *verdict, *certainty, *level, *severity, *job_state;
	json_int_t id, at, alarm, job;
	struct msg_notify n = {0};
	uint32_t waiting = 0;
	size_t i;
	int slot;

	if (!j || json_unpack(j, "{s:I,s:I,s:s,s:s,s:s,s:i,s:I,s:I,s:s,s:s,s:s,s:s,s:s,s:o}", "id", &id, "at", &at, "kind", &kind, "object", &object,
			      "cause", &cause, "slot", &slot, "alarm", &alarm, "job", &job, "verdict", &verdict, "certainty", &certainty, "level",
			      &level, "severity", &severity, "job_state", &job_state, "receivers", &list)) {
		log_error("store: %s is not readable: it is left out", key);
		json_decref(j);
		return;
	}
	n = (struct msg_notify){.event = (uint64_t)id, .at_wall_ms = at, .alarm = (uint64_t)alarm, .job = (uint64_t)job,
				.kind = kind_value(kind), .slot = (uint32_t)slot, .verdict = (uint8_t)words_value(WORDS_VERDICT, verdict),
				.certainty = (uint8_t)words_value(WORDS_CERTAINTY, certainty), .level = (uint8_t)words_value(WORDS_LEVEL, level),
				.severity = (uint8_t)words_value(WORDS_LEVEL, severity),
				.job_state = (uint8_t)words_value(WORDS_JOB_STATE, job_state),
				.service_state = stored_word(j, "service_state", WORDS_SERVICE_STATE),
				.balancer_state = stored_word(j, "balancer_state", WORDS_BALANCER_STATE)};
	text_copy(n.object, sizeof n.object, object);
	text_copy(n.cause, sizeof n.cause, cause);
	json_array_foreach(list, i, one)
	{
		int r = json_is_string(one) ? receiver_add(e->outbox, json_string_value(one)) : -1;
		if (r >= 0)
			waiting |= 1u << r;
	}
	append(e->outbox, &n, waiting);
	json_decref(j);
}

static void drop_settled(struct engine *e)
{
	struct outbox *o = e->outbox;
	char event[64], outbox[64];

	for (struct entry **at = &o->head; *at;) {
		struct entry *x = *at;
		if (x->waiting) {
			at = &x->next;
			continue;
		}
		keys(x->notify.event, event, outbox, sizeof event);
		store_delete(e->store, outbox, NULL, NULL);
		*at = x->next;
		if (!x->next)
			o->tail = at;
		free(x);
	}
}

void outbox_done(struct engine *e, const struct msg_notify_done *done)
{
	struct outbox *o = e->outbox;
	int r = text_terminated(done->receiver, sizeof done->receiver) ? receiver_index(o, done->receiver) : -1;

	if (r < 0)
		return;
	for (struct entry *x = o->head; x; x = x->next) {
		if (x->notify.event != done->event || !(x->waiting & (1u << r)))
			continue;
		if (x->in_flight & (1u << r))
			o->flying[r]--;
		x->in_flight &= ~(1u << r);
		x->waiting &= ~(1u << r);
		break;
	}
	drop_settled(e);
	pump(e);
}

void outbox_forget(struct engine *e)
{
	struct outbox *o = e->outbox;

	memset(o->flying, 0, sizeof o->flying);
	for (struct entry *x = o->head; x; x = x->next)
		x->in_flight = 0;
}

static void send_receivers(struct engine *e)
{
	const struct config_notify *list = e->model.wanted.objects[CONFIG_NOTIFY];
	struct msg_receiver out[RECEIVERS_MAX];
	size_t count = 0;

	memset(out, 0, sizeof out);
	for (size_t i = 0; i < e->model.wanted.count[CONFIG_NOTIFY] && count < RECEIVERS_MAX; i++) {
		const struct config_snmp *c = cluster_find(&e->model.wanted, CONFIG_SNMP, list[i].snmp);
		struct msg_receiver *m = &out[count++];
		m->address = list[i].address;
		m->kind = list[i].kind;
		m->version = c && c->version == 3 ? SNMP_V3 : SNMP_V2C;
		m->auth = c ? c->auth : 0;
		m->priv = c ? c->priv : 0;
		text_copy(m->name, sizeof m->name, list[i].head.name);
		text_copy(m->credential, sizeof m->credential, list[i].snmp);
		text_copy(m->user, sizeof m->user, c ? c->user : "");
	}
	engine_send(e, ROLE_AGENT, MSG_RECEIVER, out, count * sizeof out[0]);
}

/* The agent's users and communities; or the UNIX users whom the API lets in beside the groups' members, and the users of its TLS listener. */
void outbox_users(struct engine *e, enum role face)
{
	struct msg_user users[SETTINGS_USERS];
	size_t count = 0;

	memset(users, 0, sizeof users);
	for (uint32_t i = 0; i < e->settings.users && i < SETTINGS_USERS; i++) {
		const struct settings_user *u = &e->settings.user[i];
		if ((u->kind == SETTINGS_USER_UNIX || u->kind == SETTINGS_USER_HTTPS) != (face == ROLE_API))
			continue;
		text_copy(users[count].name, sizeof users[count].name, u->name);
		users[count].right = u->right;
		users[count].version = u->kind == SETTINGS_USER_COMMUNITY ? SNMP_V2C : SNMP_V3;
		users[count].auth = u->auth;
		users[count].priv = u->priv;
		users[count].https = u->kind == SETTINGS_USER_HTTPS;
		count++;
	}
	engine_send(e, face, MSG_USER, users, count * sizeof users[0]);
}

/* Receivers that are gone from the configuration are waited for no more; new ones get what comes from now on. */
void outbox_receivers_changed(struct engine *e)
{
	struct outbox *o = e->outbox;
	char names[RECEIVERS_MAX][NAME_SIZE];
	uint32_t old = o->receiver_count;

	if (!e->loaded)
		return;
	memcpy(names, o->receivers, sizeof names);
	const struct config_notify *list = e->model.wanted.objects[CONFIG_NOTIFY];
	o->receiver_count = 0;
	for (size_t i = 0; i < e->model.wanted.count[CONFIG_NOTIFY]; i++)
		receiver_add(o, list[i].head.name);
	for (struct entry *x = o->head; x; x = x->next) {
		uint32_t waiting = 0;
		for (uint32_t r = 0; r < old; r++)
			if ((x->waiting & (1u << r)) && receiver_index(o, names[r]) >= 0)
				waiting |= 1u << receiver_index(o, names[r]);
		x->waiting = waiting;
		x->in_flight = 0;
	}
	memset(o->flying, 0, sizeof o->flying);
	drop_settled(e);
	send_receivers(e);
	outbox_users(e, ROLE_AGENT);
	pump(e);
}

void outbox_agent_up(struct engine *e)
{
	outbox_forget(e);
	outbox_receivers_changed(e);
}
