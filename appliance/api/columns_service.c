/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fields of pools, services, members and balancers; see columns.h. */
#include "api/columns.h"

#include "base/memory.h"

#define FIELD(row, member) offsetof(struct row, member)
#define POOL(n, k, x, m)                             \
	{                                            \
		n, COLUMN_##k, x, FIELD(pool_row, m) \
	}
static const struct column pool_columns[] = {
    POOL("name", TEXT, 0, name),
    POOL("scope", TEXT, 0, scope),
    POOL("nodes", U32, 0, nodes),
    POOL("free", U32, 0, free),
    POOL("allocated", U32, 0, allocated),
    POOL("unfit", U32, 0, unfit),
    POOL("reserve", U32, 0, reserve),
    POOL("wanted_more", U32, 0, wanted_more),
    POOL("spares", U32, 0, spares),
    POOL("last_change", TIME, 0, head.last_change_wall_ms),
    POOL("index", INDEX, 0, head.slot),
};
#define SERVICE(n, k, x, m)                             \
	{                                               \
		n, COLUMN_##k, x, FIELD(service_row, m) \
	}
static const struct column service_columns[] = {
    SERVICE("name", TEXT, 0, name),
    SERVICE("state", WORD8, WORDS_SERVICE_STATE, state),
    SERVICE("level", WORD8, WORDS_LEVEL, level),
    SERVICE("cause", TEXT_OR_NULL, 0, cause),
    SERVICE("wanted", U32, 0, wanted),
    SERVICE("in_service", U32, 0, in_service),
    SERVICE("coming", U32, 0, coming),
    SERVICE("going", U32, 0, going),
    SERVICE("failed", U32, 0, failed),
    SERVICE("reason", TEXT_OR_NULL, 0, reason),
    SERVICE("changed", TIME, 0, changed_wall_ms),
    SERVICE("min", U32, 0, min),
    SERVICE("max", U32, 0, max),
    SERVICE("pin", SOME, 0, pin),
    SERVICE("pin_until", TIME, 0, pin_until_wall_ms),
    SERVICE("enabled", FLAG8, 0, enabled),
    SERVICE("utilisation", NUMBER, 0, utilisation),
    SERVICE("demand", NUMBER, 0, demand),
    SERVICE("headroom", NUMBER, 0, headroom),
    SERVICE("connections", U64, 0, connections),
    SERVICE("requests_per_second", NUMBER, 0, requests_per_second),
    SERVICE("bytes_per_second", NUMBER, 0, bytes_per_second),
    SERVICE("planned_changes", U32, 0, planned_changes),
    SERVICE("emergencies", U32, 0, emergencies),
    SERVICE("priority", U32, 0, priority),
    SERVICE("policy", WORD8, WORDS_POLICY, policy),
    SERVICE("balancer", TEXT, 0, balancer),
    SERVICE("pool", TEXT, 0, pool),
    SERVICE("software", TEXT_OR_NULL, 0, software),
    SERVICE("virtuals", TEXT, 0, virtuals),
    SERVICE("last_change", TIME, 0, head.last_change_wall_ms),
    SERVICE("index", INDEX, 0, head.slot),
};
#define MEMBER(n, k, x, m)                             \
	{                                              \
		n, COLUMN_##k, x, FIELD(member_row, m) \
	}
static const struct column member_columns[] = {
    MEMBER("service", SERVICE, 0, service_slot),
    MEMBER("node", NODE, 0, node_slot),
    MEMBER("state", WORD8, WORDS_MEMBER_STATE, state),
    MEMBER("since", TIME, 0, since_wall_ms),
    MEMBER("deadline", TIME, 0, deadline_wall_ms),
    MEMBER("stuck", FLAG8, 0, stuck),
    MEMBER("reason", TEXT_OR_NULL, 0, reason),
    MEMBER("probe", WORD8, WORDS_PROBE_STATE, probe),
    MEMBER("level", WORD8, WORDS_LEVEL, level),
    MEMBER("weight", U32, 0, weight),
    MEMBER("utilisation", NUMBER, 0, utilisation),
    MEMBER("connections", U64, 0, connections),
    MEMBER("total_connections", U64, 0, total_connections),
    MEMBER("bytes", U64, 0, bytes),
    MEMBER("last_change", TIME, 0, head.last_change_wall_ms),
    MEMBER("index", INDEX, 0, head.slot),
};
#define BALANCER(n, k, x, m)                             \
	{                                                \
		n, COLUMN_##k, x, FIELD(balancer_row, m) \
	}
static const struct column balancer_columns[] = {
    BALANCER("name", TEXT, 0, name),
    BALANCER("driver", WORD32, WORDS_BALANCER_DRIVER, driver),
    BALANCER("address", ADDRESS, 0, address),
    BALANCER("state", WORD32, WORDS_BALANCER_STATE, state),
    BALANCER("level", WORD32, WORDS_LEVEL, level),
    BALANCER("cause", TEXT_OR_NULL, 0, cause),
    BALANCER("virtuals", U32, 0, virtuals),
    BALANCER("reals", U32, 0, reals),
    BALANCER("foreign", U32, 0, foreign),
    BALANCER("commands", U64, 0, commands),
    BALANCER("repairs", U64, 0, repairs),
    BALANCER("read", TIME, 0, read_wall_ms),
    BALANCER("last_change", TIME, 0, head.last_change_wall_ms),
    BALANCER("index", INDEX, 0, head.slot),
};

#define LIST(c)                \
	{                      \
		c, COUNT_OF(c) \
	}
struct columns columns_of_services(enum board_table table)
{
	static const struct columns tables[BOARD_TABLE_COUNT] = {
	    [BOARD_POOL] = LIST(pool_columns),
	    [BOARD_SERVICE] = LIST(service_columns),
	    [BOARD_MEMBER] = LIST(member_columns),
	    [BOARD_BALANCER] = LIST(balancer_columns),
	};

	return tables[table];
}
