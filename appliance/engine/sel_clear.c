/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clearing event logs on request: every BMC is asked at once (the BMC role reads everything before it clears, one request
 * at a time for each BMC), and the answer is given when all have answered or the time is over. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/records.h"

#define CLEAR_DEADLINE_MS 65000

enum clear_state { CLEAR_ASKED, CLEAR_STORING, CLEAR_ENDED };
struct clear {
	struct clear *next;
	struct engine *e;
	uint64_t id;
	struct loop_timer *timer;
	size_t count, left, cleared;
	uint32_t *slots;
	uint8_t *states; /* enum clear_state */
	json_t *failed;
	records_cleared *done;
	void *arg;
};
static struct clear *clears;
static uint64_t last_id;

static void end(struct clear *c)
{
	for (struct clear **at = &clears; *at; at = &(*at)->next)
		if (*at == c) {
			*at = c->next;
			break;
		}
	loop_timer_free(c->timer);
	c->done(c->arg, json_pack("{s:b,s:I,s:o}", "done", c->cleared == c->count, "cleared", (json_int_t)c->cleared, "failed", c->failed), NULL);
	free(c->slots);
	free(c->states);
	free(c);
}

static void end_one(struct clear *c, size_t i, const char *why)
{
	const struct model_node *n = &c->e->model.nodes[c->slots[i]];

	if (c->states[i] == CLEAR_ENDED)
		return;
	c->states[i] = CLEAR_ENDED;
	c->left--;
	if (why)
		json_array_append_new(c->failed, json_pack("{s:s,s:s}", "node", n->generation ? n->config.head.name : "?", "text", why));
	else
		c->cleared++;
}

static void on_late(void *arg)
{
	struct clear *c = arg;

	for (size_t i = 0; i < c->count; i++)
		end_one(c, i, "its bmc has not answered in time");
	end(c);
}

static struct clear *find(uint64_t id)
{
	struct clear *c = clears;

	while (c && c->id != id)
		c = c->next;
	return c;
}

/* The store's answer for one node; the clear may have ended meanwhile. */
struct storing {
	uint64_t id;
	size_t index;
};

static void on_stored(void *arg, const struct store_reply *reply)
{
	struct storing *s = arg;
	struct clear *c = find(s->id);

	if (c) {
		end_one(c, s->index, reply->status == STORE_OK ? NULL : "cleared, but the store could not note it");
		if (c->left == 0)
			end(c);
	}
	free(s);
}

void records_clear_answer(struct engine *e, const struct msg_sel_cleared *m)
{
	struct clear *c = find(m->request);
	size_t i = 0;

	if (!c || !text_terminated(m->text, sizeof m->text))
		return;
	while (i < c->count && c->slots[i] != m->slot)
		i++;
	if (i == c->count || c->states[i] != CLEAR_ASKED)
		return;
	if (m->error == BMC_OK && engine_node(e, m->slot, m->generation)) {
		struct storing *s = mem_zalloc(sizeof *s);
		*s = (struct storing){c->id, i};
		c->states[i] = CLEAR_STORING;
		alarms_level(e, m->slot, "bmc-finding", "event-log", LEVEL_NORMAL, "");
		records_emptied(e, m->slot, m->added, m->erased, on_stored, s);
		return;
	}
	end_one(c, i, m->text);
	if (c->left == 0)
		end(c);
}

void records_clear(struct engine *e, const struct model_selection *nodes, records_cleared *done, void *arg)
{
	struct clear *c = mem_zalloc(sizeof *c);

	*c = (struct clear){.next = clears, .e = e, .id = (uint64_t)clock_wall_ms() << 16 | (++last_id & 0xffff), .count = nodes->count,
			    .left = nodes->count, .done = done, .arg = arg, .failed = json_array()};
	c->slots = mem_array(nodes->count + 1, sizeof *c->slots);
	c->states = mem_zalloc(nodes->count + 1);
	c->timer = loop_timer_new(e->loop, on_late, c);
	loop_timer_set(c->timer, CLEAR_DEADLINE_MS);
	clears = c;
	for (size_t i = 0; i < nodes->count; i++) {
		struct msg_sel_clear m = {.request = c->id, .slot = nodes->slots[i], .generation = e->model.nodes[nodes->slots[i]].generation};
		c->slots[i] = nodes->slots[i];
		if (!e->model.nodes[nodes->slots[i]].config.bmc.family)
			end_one(c, i, "the node has no bmc");
		else
			engine_send(e, ROLE_BMC, MSG_SEL_CLEAR, &m, sizeof m);
	}
	if (c->left == 0)
		loop_timer_set(c->timer, 0); /* answered from the loop, as always */
}
