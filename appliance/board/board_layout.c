/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sizes and places in the board's segment, the same for writer and reader; see board_layout.h. */
#include "board/board_layout.h"

#include "base/memory.h"

#define PAGE 4096u

static const struct {
	uint16_t shown, stored; /* bytes */
} row_sizes[BOARD_TABLE_COUNT] = {
    [BOARD_APPLIANCE] = {sizeof(struct appliance_row), sizeof(struct appliance_row)},
    [BOARD_CLUSTER] = {sizeof(struct cluster_row), sizeof(struct cluster_row)},
    [BOARD_GROUP] = {sizeof(struct group_row), sizeof(struct group_row)},
    [BOARD_DOMAIN] = {sizeof(struct domain_row), sizeof(struct domain_row)},
    [BOARD_NODE] = {sizeof(struct node_row), sizeof(struct node_row)},
    [BOARD_ITEM] = {sizeof(struct item_row), sizeof(struct item_row)},
    [BOARD_VALUE] = {sizeof(struct value_row), sizeof(struct packed_value)},
    [BOARD_SENSOR] = {sizeof(struct sensor_row), sizeof(struct packed_sensor)},
    [BOARD_ALARM] = {sizeof(struct alarm_row), sizeof(struct alarm_row)},
    [BOARD_JOB] = {sizeof(struct job_row), sizeof(struct job_row)},
    [BOARD_WATCH] = {sizeof(struct watch_row), sizeof(struct watch_row)},
    [BOARD_WATCH_STATE] = {sizeof(struct watch_state_row), sizeof(struct watch_state_row)},
    [BOARD_POOL] = {sizeof(struct pool_row), sizeof(struct pool_row)},
    [BOARD_SERVICE] = {sizeof(struct service_row), sizeof(struct service_row)},
    [BOARD_MEMBER] = {sizeof(struct member_row), sizeof(struct member_row)},
    [BOARD_BALANCER] = {sizeof(struct balancer_row), sizeof(struct balancer_row)},
};

size_t board_row_size(enum board_table table)
{
	return (unsigned)table < BOARD_TABLE_COUNT ? row_sizes[table].shown : 0;
}

size_t board_stored_size(enum board_table table)
{
	return (unsigned)table < BOARD_TABLE_COUNT ? row_sizes[table].stored : 0;
}

static size_t take(size_t *at, size_t bytes)
{
	size_t here = *at;

	*at += (bytes + 63) & ~(size_t)63;
	return here;
}

bool board_layout_for(const uint32_t rows[BOARD_TABLE_COUNT], uint32_t texts, struct board_layout *out)
{
	size_t at = 0;

	if (texts == 0 || texts > BOARD_TEXTS_MAX)
		return false;
	*out = (struct board_layout){.texts = texts};
	take(&at, sizeof(struct board_header));
	for (int t = 0; t < BOARD_TABLE_COUNT; t++) {
		struct board_place *p = &out->tables[t];

		if (rows[t] == 0 || rows[t] > BOARD_ROWS_MAX)
			return false;
		p->rows = rows[t];
		p->row_bytes = row_sizes[t].stored;
		p->sequence = take(&at, (size_t)rows[t] * sizeof(uint32_t));
		p->row = take(&at, (size_t)rows[t] * p->row_bytes);
		p->index[0] = take(&at, (size_t)rows[t] * sizeof(uint32_t));
		p->index[1] = take(&at, (size_t)rows[t] * sizeof(uint32_t));
	}
	out->text = take(&at, (size_t)texts * BOARD_TEXT_SIZE);
	out->bytes = (at + PAGE - 1) & ~(size_t)(PAGE - 1);
	return true;
}

void board_limits_for(uint32_t nodes, uint32_t values_per_node, uint32_t sensors_per_node, struct board_limits *out)
{
	uint32_t services = nodes < 1024 ? 32 : SERVICES_MAX;
	uint32_t few = nodes < 64 ? 64 : nodes; /* a small site may grow while it runs */

	*out = (struct board_limits){.rows = {
					 [BOARD_APPLIANCE] = 1,
					 [BOARD_CLUSTER] = 1,
					 [BOARD_GROUP] = 64 + few / 16,
					 [BOARD_DOMAIN] = 64 + few / 4,
					 [BOARD_NODE] = few,
					 [BOARD_ITEM] = 512,
					 [BOARD_VALUE] = few * values_per_node,
					 [BOARD_SENSOR] = few * sensors_per_node,
					 [BOARD_ALARM] = 1024 + few / 4,
					 [BOARD_JOB] = 1024 + few / 4,
					 [BOARD_WATCH] = WATCHES_MAX,
					 [BOARD_WATCH_STATE] = few * BOARD_WATCHES_PER_NODE / 2, /* a watch on every second node is the rule */
					 [BOARD_POOL] = services,
					 [BOARD_SERVICE] = services,
					 [BOARD_MEMBER] = few, /* a member on every node is the rule, several on some */
					 [BOARD_BALANCER] = services,
				     }};
	for (int t = 0; t < BOARD_TABLE_COUNT; t++) {
		if (out->rows[t] == 0)
			out->rows[t] = 1;
		if (out->rows[t] > BOARD_ROWS_MAX)
			out->rows[t] = BOARD_ROWS_MAX;
	}
}
