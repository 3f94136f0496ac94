/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Event logs for the faces: node after node, page after page, out of the store. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "engine/records.h"

#define PAGE 40 /* entries: fits into a reply */

struct reading {
	struct engine *e;
	enum role face;
	uint32_t life;
	struct msg_query q;
	struct model_selection nodes;
	size_t at;
};

static void next_node(struct reading *p);

static void end(struct reading *p)
{
	free(p->nodes.slots);
	free(p);
}

static const char *node_name(const struct reading *p)
{
	const struct model_node *n = &p->e->model.nodes[p->nodes.slots[p->at]];

	return n->generation ? n->config.head.name : "";
}

static void read_page(struct reading *p, const char *after);

static void on_page(void *arg, const struct store_reply *r)
{
	struct reading *p = arg;
	json_t *list = json_array();
	char last[STORE_KEY_MAX + 1] = "";

	for (size_t i = 0; i < r->count; i++) {
		json_t *o = json_loads(r->pairs[i].value, 0, NULL);
		text_copy(last, sizeof last, r->pairs[i].key);
		if (json_is_object(o) && json_object_set_new(o, "node", json_string(node_name(p))) == 0)
			json_array_append(list, o);
		json_decref(o);
	}
	bool goes_on = r->status == STORE_OK && r->more && r->count;
	if (!goes_on)
		p->at++;
	bool over = !goes_on && p->at == p->nodes.count;
	reply_json(p->e, p->face, p->life, p->q.request, 0, list, !over);
	if (over)
		end(p);
	else if (goes_on)
		read_page(p, last);
	else
		next_node(p);
}

static void read_page(struct reading *p, const char *after)
{
	char prefix[32];

	text_format(prefix, sizeof prefix, "/sel/%05u/", p->nodes.slots[p->at]);
	store_list(p->e->store, prefix, after, PAGE, on_page, p);
}

/* The next node that has entries; those behind the newest `limit` of it are left out. */
static void next_node(struct reading *p)
{
	char after[STORE_KEY_MAX];

	for (; p->at < p->nodes.count; p->at++) {
		const struct node_state *s = engine_state(p->e, p->nodes.slots[p->at]);
		uint64_t last = s && s->records ? s->records->last : 0;
		if (last == 0)
			continue;
		text_format(after, sizeof after, "/sel/%05u/%016" PRIu64, p->nodes.slots[p->at], last > p->q.limit ? last - p->q.limit : 0);
		read_page(p, after);
		return;
	}
	reply_json(p->e, p->face, p->life, p->q.request, 0, json_array(), false);
	end(p);
}

void records_query(struct engine *e, enum role face, const struct msg_query *q)
{
	struct reading *p = mem_zalloc(sizeof *p);
	struct error err;

	*p = (struct reading){.e = e, .face = face, .life = e->roles[face].life, .q = *q};
	if (p->q.limit == 0 || p->q.limit > RECORDS_MAX)
		p->q.limit = RECORDS_MAX;
	if (model_select(&e->model, q->target[0] ? q->target : "@site", judgement_is_down, e, &p->nodes, &err)) {
		reply_error(e, face, p->life, q->request, &err);
		end(p);
		return;
	}
	next_node(p);
}
