/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checks: the wanted state's checks and their share of each node go to the checker; results come back. See checks.h. */
#include "engine/checks.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/scope.h"
#include "engine/values.h"

#define RESULTS_PER_PAGE 60

struct node_check { /* one check on one node */
	uint8_t check, level;
	bool heard;
	int64_t heard_ms, at_wall_ms;
	uint32_t took_ms;
	char text[128];
};

struct check { /* by number */
	uint32_t generation; /* 0: free */
	struct config_check config;
	uint32_t nodes, by_level[LEVEL_COUNT];
};

struct checks {
	struct check list[CHECKS_MAX];
	uint64_t *masks;       /* by node slot */
	uint32_t generations;
};

static struct node_check *find(const struct node_state *s, unsigned check)
{
	for (uint32_t i = 0; i < s->check_count; i++)
		if (s->checks[i].check == check)
			return &s->checks[i];
	return NULL;
}

/* --- judging ------------------------------------------------------------------------------------------- */
static void say(struct engine *e, uint32_t slot, const struct node_check *n)
{
	const char *name = e->checks->list[n->check].config.head.name;
	char cause[CAUSE_SIZE];

	/* a node that is down fails its checks, too: its own alarm says so */
	if (n->level == LEVEL_UNKNOWN || judgement_is_down(e, slot))
		return;
	text_format(cause, sizeof cause, "%.24s: %s", name, n->text);
	alarms_level(e, slot, "check", name, (enum level)n->level, cause);
}

static void set_level(struct engine *e, uint32_t slot, struct node_check *n, enum level level)
{
	struct check *c = &e->checks->list[n->check];
	enum level before = (enum level)n->level;

	c->by_level[n->level]--;
	n->level = (uint8_t)level;
	c->by_level[n->level]++;
	if (before != level || level >= LEVEL_WARNING)
		say(e, slot, n);
	if (before != level)
		judgement_level(e, slot);
}

/* "Response time" > "response_time": letters, digits and '_', a letter first, at most 19. */
static void fold(const char *label, const char *prefix, char out[20])
{
	size_t n = strlen(prefix);

	text_copy(out, 20, prefix);
	for (; *label && n < 19; label++) {
		int c = tolower((unsigned char)*label);
		bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (n == 0 && (c < 'a' || c > 'z'))
			out[n++] = 'v';
		if (n < 19)
			out[n++] = (char)(good ? c : '_');
	}
	out[n] = '\0';
}

/* The item of a label, made when it is new; one that is built in or configured keeps its meaning, ours gets another name. */
static unsigned item_of(struct engine *e, const struct check *c, const struct msg_check_value *v)
{
	struct value_item item = {.definition = {.table = TABLE_CUSTOM}, .interval_s = c->config.interval_s};
	const struct item_definition *d;
	struct error err;

	fold(v->label, "", item.name);
	d = values_find(e, item.name);
	if (d && d->item < VALUES_MADE) {
		fold(v->label, "c_", item.name);
		d = values_find(e, item.name);
	}
	if (d)
		return values_item_at(e, d->item) && !strcmp(values_item_at(e, d->item)->source, "check") ? d->item : 0;
	text_copy(item.unit, sizeof item.unit, v->unit);
	text_format(item.describes, sizeof item.describes, "%.40s, as checks print it", v->label);
	text_make_printable(item.unit);
	text_make_printable(item.describes);
	text_copy(item.source, sizeof item.source, "check");
	text_copy(item.file_class, sizeof item.file_class, "check");
	unsigned id = values_item(e, &item, &err);
	if (!id)
		log_debug("checks: %s: %s", item.name, err.text);
	return id;
}

/* The plugin's own level stands where no thresholds are configured for the item. It raises no alarm: the end of the check does. */
static void put_value(struct engine *e, uint32_t slot, unsigned item, const char *instance, double value, enum level level)
{
	const struct value_item *v = values_item_at(e, item);
	const struct config_node *n = &e->model.nodes[slot].config;

	values_put(e, slot, item, instance, value);
	struct value_cell *c = v ? values_cell(e, slot, item, instance, false) : NULL;
	if (!c || isnan(value) || samples_rules(e, &v->definition, n->head.name, n->group)->count)
		return;
	c->levels.level = (uint8_t)level;
	publish_value(e, slot, &v->definition, c->instance, c->name, value, clock_wall_ms(), level, &c->board_slot);
}

static bool sound(const struct msg_check_result *m, size_t size)
{
	const struct msg_check_value *v = (const void *)(m + 1);

	if (m->values > CHECK_VALUES_MAX || size != sizeof *m + m->values * sizeof *v || m->check >= CHECKS_MAX ||
	    m->level < LEVEL_UNKNOWN || m->level >= LEVEL_COUNT || !text_terminated(m->text, sizeof m->text))
		return false;
	for (uint32_t i = 0; i < m->values; i++)
		if (!text_terminated(v[i].label, sizeof v[i].label) || !text_terminated(v[i].unit, sizeof v[i].unit) ||
		    v[i].level < LEVEL_UNKNOWN || v[i].level >= LEVEL_COUNT || !v[i].label[0])
			return false;
	return true;
}

void checks_take(struct engine *e, const struct msg_check_result *m, size_t size)
{
	const struct msg_check_value *values = (const void *)(m + 1);

	if (!e->checks || !sound(m, size) || !engine_node(e, m->slot, m->generation))
		return;
	const struct check *c = &e->checks->list[m->check];
	struct node_check *n = find(e->nodes[m->slot], m->check);
	if (!n || c->generation != m->check_generation)
		return;
	n->heard = true;
	n->heard_ms = clock_mono_ms();
	n->at_wall_ms = clock_wall_ms();
	n->took_ms = m->took_ms;
	text_copy(n->text, sizeof n->text, m->text);
	text_make_printable(n->text);
	for (uint32_t i = 0; i < m->values; i++) {
		unsigned item = item_of(e, c, &values[i]);
		if (item)
			put_value(e, m->slot, item, c->config.head.name, values[i].value, (enum level)values[i].level);
	}
	set_level(e, m->slot, n, (enum level)m->level);
}

/* A check that nobody runs any more says nothing about now. */
void checks_tick(struct engine *e)
{
	int64_t now = clock_mono_ms();

	for (uint32_t slot = 0; e->checks && slot < e->model.node_top; slot++)
		for (uint32_t i = 0; e->nodes[slot] && i < e->nodes[slot]->check_count; i++) {
			struct node_check *n = &e->nodes[slot]->checks[i];
			const struct config_check *c = &e->checks->list[n->check].config;
			if (!n->heard || now - n->heard_ms <= 3000 * (int64_t)c->interval_s + 1000 * (int64_t)c->timeout_s)
				continue;
			n->heard = false;
			text_copy(n->text, sizeof n->text, "no result for three intervals");
			set_level(e, slot, n, LEVEL_UNKNOWN);
		}
}

enum level checks_worst(struct engine *e, uint32_t slot, const char **name)
{
	const struct node_state *s = e->nodes[slot];
	enum level worst = LEVEL_UNKNOWN;

	for (uint32_t i = 0; i < s->check_count; i++)
		if (s->checks[i].level > worst) {
			worst = (enum level)s->checks[i].level;
			*name = e->checks->list[s->checks[i].check].config.head.name;
		}
	return worst;
}

void checks_alarms(struct engine *e, uint32_t slot)
{
	for (uint32_t i = 0; i < e->nodes[slot]->check_count; i++)
		say(e, slot, &e->nodes[slot]->checks[i]);
}

bool checks_has(struct engine *e, uint32_t slot, const char *name)
{
	const struct node_state *s = e->nodes[slot];

	for (uint32_t i = 0; i < s->check_count; i++)
		if (!strcmp(e->checks->list[s->checks[i].check].config.head.name, name))
			return true;
	return false;
}

/* --- coming and going ---------------------------------------------------------------------------------- */
static void forget_values(struct engine *e, uint32_t slot, const char *name)
{
	for (unsigned item = VALUES_MADE; item < VALUES_END; item++) {
		const struct value_item *v = values_item_at(e, item);
		if (v && !strcmp(v->source, "check"))
			values_gone(e, slot, item, name);
	}
}

static void drop(struct engine *e, uint32_t slot, uint32_t at, bool node_stays)
{
	struct node_state *s = e->nodes[slot];
	struct check *c = &e->checks->list[s->checks[at].check];

	c->nodes--;
	c->by_level[s->checks[at].level]--;
	s->checks[at] = s->checks[--s->check_count];
	if (!node_stays)
		return;
	alarms_withdraw(e, e->model.nodes[slot].config.head.name, "check", c->config.head.name);
	forget_values(e, slot, c->config.head.name);
	judgement_level(e, slot);
}

void checks_forget_node(struct engine *e, uint32_t slot)
{
	struct node_state *s = e->nodes[slot];

	while (s->check_count)
		drop(e, slot, s->check_count - 1, false);
	free(s->checks);
	s->checks = NULL;
	if (e->checks)
		e->checks->masks[slot] = 0;
}

static void set_node(struct engine *e, uint32_t slot, uint64_t mask)
{
	struct node_state *s = e->nodes[slot];

	for (uint32_t i = s->check_count; i-- > 0;)
		if (!(mask >> s->checks[i].check & 1))
			drop(e, slot, i, true);
	for (unsigned k = 0; k < CHECKS_MAX; k++) {
		if (!(mask >> k & 1) || find(s, k))
			continue;
		s->checks = mem_grow(s->checks, s->check_count + 1, sizeof s->checks[0]);
		s->checks[s->check_count++] = (struct node_check){.check = (uint8_t)k, .level = LEVEL_UNKNOWN, .text = "not yet run"};
		e->checks->list[k].nodes++;
		e->checks->list[k].by_level[LEVEL_UNKNOWN]++;
	}
}

static struct check *named(struct checks *all, const char *name)
{
	for (unsigned i = 0; i < CHECKS_MAX; i++)
		if (all->list[i].generation && !strcmp(all->list[i].config.head.name, name))
			return &all->list[i];
	return NULL;
}

static void remove_gone(struct engine *e)
{
	for (unsigned i = 0; i < CHECKS_MAX; i++) {
		struct check *c = &e->checks->list[i];
		if (!c->generation || cluster_find(&e->model.wanted, CONFIG_CHECK, c->config.head.name))
			continue;
		for (uint32_t slot = 0; slot < e->model.node_top; slot++)
			if (e->nodes[slot])
				set_node(e, slot, e->checks->masks[slot] & ~(UINT64_C(1) << i));
		*c = (struct check){0};
	}
}

static struct check *take_wanted(struct checks *all, const struct config_check *wanted)
{
	struct check *c = named(all, wanted->head.name);

	for (unsigned i = 0; !c && i < CHECKS_MAX; i++)
		if (!all->list[i].generation)
			c = &all->list[i];
	if (!c)
		return NULL; /* cluster_check() has counted them */
	if (!c->generation || strcmp(c->config.plugin, wanted->plugin) || strcmp(c->config.arguments, wanted->arguments) ||
	    c->config.interval_s != wanted->interval_s || c->config.timeout_s != wanted->timeout_s)
		c->generation = ++all->generations;
	c->config = *wanted;
	return c;
}

/* --- to the checker -------------------------------------------------------------------------------------- */
static void send_checks(struct engine *e)
{
	struct msg_check m[CHECKS_MAX];
	size_t count = 0;

	memset(m, 0, sizeof m);
	for (unsigned i = 0; i < CHECKS_MAX; i++) {
		const struct config_check *c = &e->checks->list[i].config;
		if (!e->checks->list[i].generation)
			continue;
		m[count].check = i;
		m[count].generation = e->checks->list[i].generation;
		m[count].interval_s = c->interval_s;
		m[count].timeout_s = c->timeout_s;
		text_copy(m[count].plugin, sizeof m[count].plugin, c->plugin);
		text_copy(m[count++].arguments, sizeof m[0].arguments, c->arguments);
	}
	engine_send(e, ROLE_CHECKER, MSG_CHECKS, m, count * sizeof m[0]);
}

/* Everybody who has checks, and whoever had some; a port other than SNMP's own is not the node's address. */
static void send_nodes(struct engine *e, const uint64_t *before)
{
	static struct msg_check_node m[CHANNEL_BODY_MAX / sizeof(struct msg_check_node)];
	size_t count = 0;

	for (uint32_t slot = 0; slot < e->model.node_top; slot++) {
		const struct model_node *n = &e->model.nodes[slot];
		char address[ADDRESS_TEXT];
		if (!n->generation || (!e->checks->masks[slot] && !before[slot]))
			continue;
		struct address plain = n->config.address;
		plain.port = 0;
		memset(&m[count], 0, sizeof m[0]);
		m[count].slot = slot;
		m[count].generation = n->generation;
		m[count].checks = e->checks->masks[slot];
		text_copy(m[count].name, sizeof m[0].name, n->config.head.name);
		text_copy(m[count++].address, sizeof m[0].address, address_text(&plain, 0, address));
		if (count == COUNT_OF(m)) {
			engine_send(e, ROLE_CHECKER, MSG_CHECK_NODES, m, sizeof m);
			count = 0;
		}
	}
	if (count)
		engine_send(e, ROLE_CHECKER, MSG_CHECK_NODES, m, count * sizeof m[0]);
}

void checks_send(struct engine *e)
{
	if (!e->checks)
		return;
	send_checks(e);
	send_nodes(e, e->checks->masks);
}

void checks_apply(struct engine *e)
{
	const struct config_check *wanted = e->model.wanted.objects[CONFIG_CHECK];
	uint64_t *masks = mem_array(NODE_MAX, sizeof *masks), *before;

	if (!e->checks) {
		e->checks = mem_zalloc(sizeof *e->checks);
		e->checks->masks = mem_array(NODE_MAX, sizeof *masks);
	}
	remove_gone(e);
	for (size_t i = 0; i < e->model.wanted.count[CONFIG_CHECK]; i++) {
		const struct check *c = take_wanted(e->checks, &wanted[i]);
		if (c)
			scope_mark(e, c->config.scope, UINT64_C(1) << (c - e->checks->list), masks);
	}
	for (uint32_t slot = 0; slot < e->model.node_top; slot++)
		if (e->nodes[slot])
			set_node(e, slot, masks[slot]);
	before = e->checks->masks;
	e->checks->masks = masks;
	send_checks(e);
	send_nodes(e, before);
	free(before);
}

/* --- to the faces ------------------------------------------------------------------------------------------ */
static json_t *definition(const struct check *c)
{
	json_t *by = json_object();

	for (int l = LEVEL_UNKNOWN; l < LEVEL_COUNT; l++)
		json_object_set_new(by, level_name(l), json_integer(c->by_level[l]));
	return json_pack("{s:s,s:s,s:s,s:i,s:i,s:s,s:i,s:o}", "name", c->config.head.name, "plugin", c->config.plugin, "arguments",
			 c->config.arguments, "interval_s", (int)c->config.interval_s, "timeout_s", (int)c->config.timeout_s, "scope",
			 c->config.scope, "nodes", (int)c->nodes, "by_level", by);
}

static json_t *result(struct engine *e, uint32_t slot, const struct node_check *n)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:i,s:I}", "node", e->model.nodes[slot].config.head.name, "check",
			 e->checks->list[n->check].config.head.name, "level", level_name(n->level), "text", n->text, "took_ms",
			 (int)n->took_ms, "at", (json_int_t)n->at_wall_ms);
}

static void send_results(struct engine *e, enum role face, const struct msg_query *q)
{
	uint32_t life = e->roles[face].life;
	json_t *page = json_array();

	for (uint32_t slot = 0; e->checks && slot < e->model.node_top; slot++)
		for (uint32_t i = 0; e->nodes[slot] && i < e->nodes[slot]->check_count; i++) {
			const struct node_check *n = &e->nodes[slot]->checks[i];
			if (q->target[0] && strcmp(q->target, e->checks->list[n->check].config.head.name) != 0)
				continue;
			if (json_array_size(page) == RESULTS_PER_PAGE) {
				reply_json(e, face, life, q->request, 0, page, true);
				page = json_array();
			}
			json_array_append_new(page, result(e, slot, n));
		}
	reply_json(e, face, life, q->request, 0, page, false);
}

void checks_query(struct engine *e, enum role face, const struct msg_query *q)
{
	json_t *list;

	if (q->kind == QUERY_CHECK_RESULTS) {
		send_results(e, face, q);
		return;
	}
	list = json_array();
	for (unsigned i = 0; e->checks && i < CHECKS_MAX; i++)
		if (e->checks->list[i].generation)
			json_array_append_new(list, definition(&e->checks->list[i]));
	reply_json(e, face, e->roles[face].life, q->request, 0, list, false);
}
