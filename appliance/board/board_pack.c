/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Packing of rows and the places of all texts in them; see board_pack.h. */
#include "board/board_pack.h"

#include <string.h>

#include "base/memory.h"

struct text_place {
	uint8_t table;
	uint16_t offset, size; /* in the row that is shown */
	uint16_t number;       /* offset of its number in the packed row, where there is one */
};

#define TEXT(t, row, member) {t, offsetof(struct row, member), sizeof(((struct row *)0)->member), 0}
#define PACKED(t, row, packed, member) \
	{t, offsetof(struct row, member), sizeof(((struct row *)0)->member), offsetof(struct packed, member)}
static const struct text_place text_places[] = {
	TEXT(BOARD_APPLIANCE, appliance_row, name), TEXT(BOARD_APPLIANCE, appliance_row, version),
	TEXT(BOARD_APPLIANCE, appliance_row, role), TEXT(BOARD_APPLIANCE, appliance_row, suspended_why),
	TEXT(BOARD_APPLIANCE, appliance_row, store_trouble),
	TEXT(BOARD_CLUSTER, cluster_row, name), TEXT(BOARD_CLUSTER, cluster_row, cause),
	TEXT(BOARD_GROUP, group_row, name), TEXT(BOARD_GROUP, group_row, cause),
	TEXT(BOARD_DOMAIN, domain_row, name), TEXT(BOARD_DOMAIN, domain_row, cause),
	TEXT(BOARD_NODE, node_row, name), TEXT(BOARD_NODE, node_row, group), TEXT(BOARD_NODE, node_row, cause),
	TEXT(BOARD_NODE, node_row, bmc_finding), TEXT(BOARD_NODE, node_row, switch_name), TEXT(BOARD_NODE, node_row, rack),
	TEXT(BOARD_NODE, node_row, snmp_credential),
	TEXT(BOARD_ITEM, item_row, name), TEXT(BOARD_ITEM, item_row, unit), TEXT(BOARD_ITEM, item_row, describes),
	TEXT(BOARD_ITEM, item_row, oid),
	PACKED(BOARD_VALUE, value_row, packed_value, item), PACKED(BOARD_VALUE, value_row, packed_value, unit),
	PACKED(BOARD_VALUE, value_row, packed_value, instance_name),
	PACKED(BOARD_SENSOR, sensor_row, packed_sensor, name), PACKED(BOARD_SENSOR, sensor_row, packed_sensor, unit),
	PACKED(BOARD_SENSOR, sensor_row, packed_sensor, text),
	TEXT(BOARD_ALARM, alarm_row, object), TEXT(BOARD_ALARM, alarm_row, kind), TEXT(BOARD_ALARM, alarm_row, cause),
	TEXT(BOARD_ALARM, alarm_row, acknowledged_by),
	TEXT(BOARD_JOB, job_row, actor), TEXT(BOARD_JOB, job_row, target), TEXT(BOARD_JOB, job_row, reason),
	TEXT(BOARD_JOB, job_row, result),
};

bool board_is_packed(enum board_table table)
{
	return table == BOARD_VALUE || table == BOARD_SENSOR;
}

static uint16_t number_at(const union board_any_row *packed, const struct text_place *p)
{
	uint16_t number;

	memcpy(&number, (const uint8_t *)packed + p->number, sizeof number);
	return number;
}

static void pack_value(const struct value_row *r, struct packed_value *p)
{
	*p = (struct packed_value){.head = r->head, .node_slot = r->node_slot, .item_slot = r->item_slot, .instance = r->instance,
				   .at_wall_ms = r->at_wall_ms, .value = r->value, .level = r->level};
}

static void unpack_value(const struct packed_value *p, struct value_row *r)
{
	*r = (struct value_row){.head = p->head, .node_slot = p->node_slot, .item_slot = p->item_slot, .instance = p->instance,
				.at_wall_ms = p->at_wall_ms, .value = p->value, .level = p->level};
}

static void pack_sensor(const struct sensor_row *r, struct packed_sensor *p)
{
	*p = (struct packed_sensor){
		.head = r->head, .node_slot = r->node_slot, .record_id = r->record_id, .bits = r->bits, .reading = r->reading,
		.warning_low = (float)r->warning_low, .warning_high = (float)r->warning_high, .critical_low = (float)r->critical_low,
		.critical_high = (float)r->critical_high, .at_wall_ms = r->at_wall_ms, .type = r->type, .state = r->state,
		.level = r->level, .number = r->number};
}

static void unpack_sensor(const struct packed_sensor *p, struct sensor_row *r)
{
	*r = (struct sensor_row){
		.head = p->head, .node_slot = p->node_slot, .record_id = p->record_id, .bits = p->bits, .reading = p->reading,
		.warning_low = (double)p->warning_low, .warning_high = (double)p->warning_high, .critical_low = (double)p->critical_low,
		.critical_high = (double)p->critical_high, .at_wall_ms = p->at_wall_ms, .type = p->type, .state = p->state,
		.level = p->level, .number = p->number};
}

void board_pack(enum board_table table, const void *row, const union board_any_row *old, struct board_texts *texts,
		union board_any_row *packed)
{
	const struct row_head *head = row;

	if (table == BOARD_VALUE)
		pack_value(row, &packed->packed_value);
	else
		pack_sensor(row, &packed->packed_sensor);
	for (size_t i = 0; i < COUNT_OF(text_places) && head->generation != 0; i++) {
		const struct text_place *p = &text_places[i];

		if (p->table != table)
			continue;
		uint16_t number = board_texts_take(texts, (const char *)row + p->offset, p->size, number_at(old, p));
		memcpy((uint8_t *)packed + p->number, &number, sizeof number);
	}
}

void board_pack_release(enum board_table table, const union board_any_row *packed, struct board_texts *texts)
{
	for (size_t i = 0; i < COUNT_OF(text_places); i++) {
		if (text_places[i].table == table)
			board_texts_drop(texts, number_at(packed, &text_places[i]));
	}
}

static void copy_text(char *to, size_t size, const _Atomic uint64_t *texts, uint32_t text_count, uint16_t number)
{
	uint64_t text[BOARD_TEXT_SIZE / 8];

	if (number == 0 || number >= text_count)
		return; /* the row is zeroed: "" */
	board_copy_out(text, texts + (size_t)number * (BOARD_TEXT_SIZE / 8), sizeof text);
	memcpy(to, text, size < sizeof text ? size : sizeof text);
	to[size - 1] = 0;
}

void board_unpack(enum board_table table, const union board_any_row *packed, const _Atomic uint64_t *texts, uint32_t text_count, void *row)
{
	if (table == BOARD_VALUE)
		unpack_value(&packed->packed_value, row);
	else
		unpack_sensor(&packed->packed_sensor, row);
	for (size_t i = 0; i < COUNT_OF(text_places); i++) {
		const struct text_place *p = &text_places[i];

		if (p->table == table)
			copy_text((char *)row + p->offset, p->size, texts, text_count, number_at(packed, p));
	}
}

void board_terminate(enum board_table table, void *row)
{
	for (size_t i = 0; i < COUNT_OF(text_places); i++) {
		if (text_places[i].table == table)
			((char *)row)[text_places[i].offset + text_places[i].size - 1] = 0;
	}
}
