/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inventories of nodes (FRU) into the store and out of it; see records.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/records.h"

#define PAGE 15 /* inventories: fits into a reply */

static const char *const fields[FRU_FIELD_COUNT] = {
	[FRU_CHASSIS_TYPE] = "chassis_type", [FRU_CHASSIS_PART] = "chassis_part", [FRU_CHASSIS_SERIAL] = "chassis_serial",
	[FRU_BOARD_MAKER] = "board_maker", [FRU_BOARD_PRODUCT] = "board_product", [FRU_BOARD_SERIAL] = "board_serial",
	[FRU_BOARD_PART] = "board_part", [FRU_PRODUCT_MAKER] = "product_maker", [FRU_PRODUCT_NAME] = "product_name",
	[FRU_PRODUCT_PART] = "product_part", [FRU_PRODUCT_VERSION] = "product_version", [FRU_PRODUCT_SERIAL] = "product_serial",
	[FRU_ASSET_TAG] = "asset_tag",
};

static void make_key(char *key, size_t size, uint32_t slot)
{
	text_format(key, size, "/fru/%05u", slot);
}

void inventory_restore(struct engine *e, const char *key, const char *json)
{
	json_t *o = json_loads(json, 0, NULL);
	json_int_t generation, of;
	int64_t slot;

	if (o && text_integer(key + strlen("/fru/"), 0, NODE_MAX - 1, &slot) &&
	    !json_unpack(o, "{s:I,s:I}", "generation", &generation, "of", &of) && engine_node(e, (uint32_t)slot, (uint32_t)generation))
		records_of(e, (uint32_t)slot)->inventory = (uint64_t)of;
	else
		store_delete(e->store, key, NULL, NULL); /* it is read again */
	json_decref(o);
}

void inventory_facts(struct engine *e, const struct msg_bmc_facts *f)
{
	struct {
		uint8_t guid[16];
		char firmware[16];
	} of = {{0}, ""};

	if (!f->guid_known || !f->firmware[0] || !text_terminated(f->firmware, sizeof f->firmware))
		return;
	memcpy(of.guid, f->guid, sizeof of.guid);
	text_copy(of.firmware, sizeof of.firmware, f->firmware);
	uint64_t now = text_hash(&of, sizeof of) >> 1; /* JSON's integers have a sign */
	struct node_records *r = records_of(e, f->slot);
	if (now == r->inventory || now == r->wanted)
		return;
	struct msg_bmc_read m = {.slot = f->slot, .generation = f->generation, .what = BMC_READ_FRU};
	r->wanted = now;
	engine_send(e, ROLE_BMC, MSG_BMC_READ, &m, sizeof m);
}

void inventory_take(struct engine *e, const struct msg_fru *m)
{
	char key[32], at[32];

	if (!engine_node(e, m->slot, m->generation))
		return;
	struct node_records *r = records_of(e, m->slot);
	json_t *o = json_pack("{s:i,s:I,s:I,s:s}", "v", 1, "generation", (json_int_t)m->generation, "of", (json_int_t)r->wanted, "read",
			      clock_text(clock_wall_ms(), at, sizeof at));
	for (int i = 0; o && i < FRU_FIELD_COUNT; i++)
		if (text_terminated(m->fields[i], FRU_TEXT))
			json_object_set_new(o, fields[i], m->fields[i][0] ? json_string(m->fields[i]) : json_null());
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	make_key(key, sizeof key, m->slot);
	if (text)
		store_put(e->store, key, text, NULL, NULL);
	free(text);
	r->inventory = r->wanted;
}

void inventory_removed(struct engine *e, uint32_t slot)
{
	char key[32];

	make_key(key, sizeof key, slot);
	store_delete(e->store, key, NULL, NULL);
}

/* --- for the faces --------------------------------------------------------------------------------------- */
struct reading {
	struct engine *e;
	enum role face;
	uint32_t life;
	uint64_t request;
	bool *chosen; /* by slot */
};

static void add_one(struct reading *p, json_t *list, const struct store_pair *pair)
{
	int64_t slot;
	json_t *o = json_loads(pair->value, 0, NULL);

	if (json_is_object(o) && text_integer(pair->key + strlen("/fru/"), 0, NODE_MAX - 1, &slot) && p->chosen[slot] &&
	    engine_state(p->e, (uint32_t)slot)) {
		json_object_del(o, "of");
		json_object_set_new(o, "node", json_string(p->e->model.nodes[slot].config.head.name));
		json_array_append(list, o);
	}
	json_decref(o);
}

static void on_page(void *arg, const struct store_reply *r)
{
	struct reading *p = arg;
	json_t *list = json_array();
	bool more = r->status == STORE_OK && r->more && r->count;

	for (size_t i = 0; i < r->count; i++)
		add_one(p, list, &r->pairs[i]);
	if (json_array_size(list) || !more)
		reply_json(p->e, p->face, p->life, p->request, 0, list, more);
	else
		json_decref(list);
	if (more) {
		store_list(p->e->store, "/fru/", r->pairs[r->count - 1].key, PAGE, on_page, p);
		return;
	}
	free(p->chosen);
	free(p);
}

void inventory_query(struct engine *e, enum role face, const struct msg_query *q)
{
	struct model_selection nodes = {0};
	struct error err;

	if (model_select(&e->model, q->target[0] ? q->target : "@site", judgement_is_down, e, &nodes, &err)) {
		reply_error(e, face, e->roles[face].life, q->request, &err);
		free(nodes.slots);
		return;
	}
	struct reading *p = mem_zalloc(sizeof *p);
	*p = (struct reading){.e = e, .face = face, .life = e->roles[face].life, .request = q->request};
	p->chosen = mem_array(NODE_MAX, sizeof *p->chosen);
	for (size_t i = 0; i < nodes.count; i++)
		p->chosen[nodes.slots[i]] = true;
	free(nodes.slots);
	store_list(e->store, "/fru/", NULL, PAGE, on_page, p);
}
