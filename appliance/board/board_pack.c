/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Packing of rows and the places of all texts in them; see board_pack.h. */
#include "board/board_pack.h"

#include <string.h>

#include "base/memory.h"

struct text_place {
	uint16_t offset, size; /* in the row that is shown */
	uint16_t number;       /* offset of its number in the packed row, where there is one */
};

#define TEXT(row, member)                                                          \
	{                                                                          \
		offsetof(struct row, member), sizeof(((struct row *)0)->member), 0 \
	}
#define PACKED(row, packed, member)                                                                              \
	{                                                                                                        \
		offsetof(struct row, member), sizeof(((struct row *)0)->member), offsetof(struct packed, member) \
	}
static const struct text_place appliance_texts[] = {TEXT(appliance_row, name), TEXT(appliance_row, version),
						    TEXT(appliance_row, role), TEXT(appliance_row, suspended_why),
						    TEXT(appliance_row, store_trouble)};
static const struct text_place cluster_texts[] = {TEXT(cluster_row, name), TEXT(cluster_row, cause)};
static const struct text_place group_texts[] = {TEXT(group_row, name), TEXT(group_row, cause)};
static const struct text_place domain_texts[] = {TEXT(domain_row, name), TEXT(domain_row, cause)};
static const struct text_place node_texts[] = {
    TEXT(node_row, name),        TEXT(node_row, group), TEXT(node_row, cause),          TEXT(node_row, bmc_finding),
    TEXT(node_row, switch_name), TEXT(node_row, rack),  TEXT(node_row, snmp_credential),
    TEXT(node_row, snmp_finding)};
static const struct text_place item_texts[] = {TEXT(item_row, name), TEXT(item_row, unit), TEXT(item_row, describes),
					       TEXT(item_row, oid), TEXT(item_row, instances),
					       TEXT(item_row, include), TEXT(item_row, exclude), TEXT(item_row, expression),
					       TEXT(item_row, thresholds), TEXT(item_row, scope), TEXT(item_row, kind)};
static const struct text_place value_texts[] = {PACKED(value_row, packed_value, item),
						PACKED(value_row, packed_value, unit),
						PACKED(value_row, packed_value, instance_name)};
static const struct text_place sensor_texts[] = {PACKED(sensor_row, packed_sensor, name),
						 PACKED(sensor_row, packed_sensor, unit),
						 PACKED(sensor_row, packed_sensor, text)};
static const struct text_place alarm_texts[] = {TEXT(alarm_row, object), TEXT(alarm_row, kind), TEXT(alarm_row, cause),
						TEXT(alarm_row, acknowledged_by)};
static const struct text_place job_texts[] = {TEXT(job_row, actor), TEXT(job_row, target), TEXT(job_row, reason),
					      TEXT(job_row, result)};
static const struct text_place watch_texts[] = {TEXT(watch_row, name), TEXT(watch_row, process), TEXT(watch_row, arguments),
						TEXT(watch_row, scope)};
static const struct text_place watch_state_texts[] = {TEXT(watch_state_row, name)};
static const struct text_place pool_texts[] = {TEXT(pool_row, name), TEXT(pool_row, scope)};
static const struct text_place service_texts[] = {TEXT(service_row, name), TEXT(service_row, balancer), TEXT(service_row, pool),
						  TEXT(service_row, software), TEXT(service_row, virtuals), TEXT(service_row, reason),
						  TEXT(service_row, cause), TEXT(service_row, agent)};
static const struct text_place member_texts[] = {TEXT(member_row, reason)};
static const struct text_place balancer_texts[] = {TEXT(balancer_row, name), TEXT(balancer_row, cause), TEXT(balancer_row, ssh),
						   TEXT(balancer_row, snmp), TEXT(balancer_row, options)};

#define ALL(places)                      \
	{                                \
		places, COUNT_OF(places) \
	}
static const struct {
	const struct text_place *places;
	size_t count;
} texts_of[BOARD_TABLE_COUNT] = {
    [BOARD_APPLIANCE] = ALL(appliance_texts), [BOARD_CLUSTER] = ALL(cluster_texts),
    [BOARD_GROUP] = ALL(group_texts),         [BOARD_DOMAIN] = ALL(domain_texts),
    [BOARD_NODE] = ALL(node_texts),           [BOARD_ITEM] = ALL(item_texts),
    [BOARD_VALUE] = ALL(value_texts),         [BOARD_SENSOR] = ALL(sensor_texts),
    [BOARD_ALARM] = ALL(alarm_texts),         [BOARD_JOB] = ALL(job_texts),
    [BOARD_WATCH] = ALL(watch_texts),         [BOARD_WATCH_STATE] = ALL(watch_state_texts),
    [BOARD_POOL] = ALL(pool_texts),           [BOARD_SERVICE] = ALL(service_texts),
    [BOARD_MEMBER] = ALL(member_texts),       [BOARD_BALANCER] = ALL(balancer_texts),
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
	*p = (struct packed_value){.head = r->head, .value = r->value, .level = r->level};
}

static void unpack_value(const struct packed_value *p, struct value_row *r)
{
	*r = (struct value_row){.head = p->head,
				.node_slot = (uint32_t)(p->head.order >> 32),
				.item_slot = (uint16_t)(p->head.order >> 16),
				.instance = (uint16_t)p->head.order,
				.value = p->value,
				.level = p->level};
}

static void pack_sensor(const struct sensor_row *r, struct packed_sensor *p)
{
	*p = (struct packed_sensor){.head = r->head,
				    .bits = r->bits,
				    .reading = r->reading,
				    .warning_low = (float)r->warning_low,
				    .warning_high = (float)r->warning_high,
				    .critical_low = (float)r->critical_low,
				    .critical_high = (float)r->critical_high,
				    .at_wall_ms = r->at_wall_ms,
				    .type = r->type,
				    .state = r->state,
				    .level = r->level,
				    .number = r->number};
}

static void unpack_sensor(const struct packed_sensor *p, struct sensor_row *r)
{
	*r = (struct sensor_row){.head = p->head,
				 .node_slot = (uint32_t)(p->head.order >> 32),
				 .record_id = (uint16_t)p->head.order,
				 .bits = p->bits,
				 .reading = p->reading,
				 .warning_low = (double)p->warning_low,
				 .warning_high = (double)p->warning_high,
				 .critical_low = (double)p->critical_low,
				 .critical_high = (double)p->critical_high,
				 .at_wall_ms = p->at_wall_ms,
				 .type = p->type,
				 .state = p->state,
				 .level = p->level,
				 .number = p->number};
}

void board_pack(enum board_table table, const void *row, const union board_any_row *old, struct board_texts *texts,
		union board_any_row *packed)
{
	const struct row_head *head = row;

	if (table == BOARD_VALUE)
		pack_value(row, &packed->packed_value);
	else
		pack_sensor(row, &packed->packed_sensor);
	for (size_t i = 0; i < texts_of[table].count && head->generation != 0; i++) {
		const struct text_place *p = &texts_of[table].places[i];
		uint16_t number = board_texts_take(texts, (const char *)row + p->offset, p->size, number_at(old, p));
		memcpy((uint8_t *)packed + p->number, &number, sizeof number);
	}
}

void board_pack_release(enum board_table table, const union board_any_row *packed, struct board_texts *texts)
{
	for (size_t i = 0; i < texts_of[table].count; i++)
		board_texts_drop(texts, number_at(packed, &texts_of[table].places[i]));
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

void board_unpack(enum board_table table, const union board_any_row *packed, const _Atomic uint64_t *texts,
		  uint32_t text_count, void *row)
{
	if (table == BOARD_VALUE)
		unpack_value(&packed->packed_value, row);
	else
		unpack_sensor(&packed->packed_sensor, row);
	for (size_t i = 0; i < texts_of[table].count; i++) {
		const struct text_place *p = &texts_of[table].places[i];

		copy_text((char *)row + p->offset, p->size, texts, text_count, number_at(packed, p));
	}
}

void board_terminate(enum board_table table, void *row)
{
	for (size_t i = 0; i < texts_of[table].count; i++)
		((char *)row)[texts_of[table].places[i].offset + texts_of[table].places[i].size - 1] = 0;
}
