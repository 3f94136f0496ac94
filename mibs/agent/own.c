/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See own.h. */
#include "mibs/agent/snmp.h"

#include "mibs/agent/own.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define MESSAGE_MAX 65507
#define SERVICES 72 /* layers 4 and 7 (RFC 1213, sysServices) */

uint32_t own_next_index(const struct board_reader *board, enum board_table table)
{
	/* what is built in keeps the slots below, what checks bring those above */
	uint32_t first = table == BOARD_ITEM ? ITEM_SLOT_WANTED : 0, end = table == BOARD_ITEM ? ITEM_SLOT_WANTED + ITEMS_MAX : UINT32_MAX;
	uint32_t base = board && first ? board_seek(board, table, first) : 0;
	uint32_t low = 0, high = board ? board_count(board, table) - base : 0;

	/* slots rise, so the first position whose slot is larger than itself is free */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (board_at(board, table, base + middle) - first > middle)
			high = middle;
		else
			low = middle + 1;
	}
	low += first;
	return board && low < end && board_live(board, table, low) ? low + 1 : 0;
}

uint32_t own_uptime_cs(const struct own *own)
{
	return (uint32_t)((clock_mono_ms() - own->start_ms) / 10);
}

static void integer(struct cell *out, long value)
{
	out->value.integer = value;
	out->size = sizeof out->value.integer;
}

bool own_value(void *arg, enum own_value what, struct cell *out)
{
	const struct own *own = arg;

	switch (what) {
	case OWN_ENGINE_ID:
		out->size = snmpv3_get_engineID(out->value.bytes, sizeof out->value.bytes);
		break;
	case OWN_ENGINE_BOOTS:
		integer(out, (long)snmpv3_local_snmpEngineBoots());
		break;
	case OWN_ENGINE_TIME:
		integer(out, (long)snmpv3_local_snmpEngineTime());
		break;
	case OWN_MESSAGE_SIZE:
		integer(out, MESSAGE_MAX);
		break;
	case OWN_NODE_NEXT:
		integer(out, own_next_index(own->walk->board, BOARD_NODE));
		break;
	case OWN_GROUP_NEXT:
		integer(out, own_next_index(own->walk->board, BOARD_GROUP));
		break;
	case OWN_WATCH_NEXT:
		integer(out, own_next_index(own->walk->board, BOARD_WATCH));
		break;
	case OWN_ITEM_NEXT:
		integer(out, own_next_index(own->walk->board, BOARD_ITEM));
		break;
	case OWN_POOL_NEXT:
		integer(out, own_next_index(own->walk->board, BOARD_POOL));
		break;
	case OWN_SERVICE_NEXT:
		integer(out, own_next_index(own->walk->board, BOARD_SERVICE));
		break;
	case OWN_BALANCER_NEXT:
		integer(out, own_next_index(own->walk->board, BOARD_BALANCER));
		break;
	case OWN_DESCRIPTION:
		cell_text(out, "GLORY-CL cluster operations appliance");
		break;
	case OWN_OBJECT_ID:
		memcpy(out->value.oid, glory_root, sizeof glory_root);
		out->size = sizeof glory_root;
		break;
	case OWN_UPTIME:
		integer(out, (long)own_uptime_cs(own));
		break;
	case OWN_NAME:
		cell_text(out, own->name);
		break;
	case OWN_EMPTY:
		cell_text(out, "");
		break;
	case OWN_SERVICES:
		integer(out, SERVICES);
		break;
	}
	return true;
}
