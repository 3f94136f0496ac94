/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of paths and of the parameters each of them takes. */
#include "api/routes.h"

#include "base/memory.h"

#define RANGE                                            \
	{                                                \
		.name = "range", .kind = PARAMETER_RANGE \
	}
#define FILTER(n)                                   \
	{                                           \
		.name = n, .kind = PARAMETER_FILTER \
	}
#define NUMBER(n, least, most, member)                                           \
	{                                                                        \
		.name = n, .kind = PARAMETER_NUMBER, .low = least, .high = most, \
		.offset = offsetof(struct query, member)                         \
	}
#define TEXT(n, member)                                                                       \
	{                                                                                     \
		.name = n, .kind = PARAMETER_TEXT, .high = sizeof((struct query *)0)->member, \
		.offset = offsetof(struct query, member)                                      \
	}
#define TIME(n, member)                                                                     \
	{                                                                                   \
		.name = n, .kind = PARAMETER_TIME, .offset = offsetof(struct query, member) \
	}
#define LIMIT NUMBER("limit", 1, 1000000, limit)

static const struct parameter node_parameters[] = {
    RANGE,
    FILTER("group"),
    FILTER("verdict"),
    FILTER("certainty"),
    FILTER("level"),
    FILTER("power"),
    FILTER("life"),
    FILTER("switch"),
    FILTER("rack"),
    {.name = "maintenance", .kind = PARAMETER_SET},
    {.name = "power_locked", .kind = PARAMETER_SET},
    LIMIT,
};
static const struct parameter group_parameters[] = {FILTER("name"), FILTER("level"), FILTER("policy"), LIMIT};
static const struct parameter domain_parameters[] = {FILTER("kind"), FILTER("state"), LIMIT};
static const struct parameter item_parameters[] = {FILTER("name"), FILTER("unit"), FILTER("kind"), LIMIT};
static const struct parameter value_parameters[] = {RANGE, FILTER("item"), FILTER("instance"), FILTER("level"), LIMIT};
static const struct parameter sensor_parameters[] = {RANGE,           FILTER("name"),  FILTER("type"),
						     FILTER("level"), FILTER("state"), LIMIT};
static const struct parameter alarm_parameters[] = {
    RANGE,
    FILTER("object"),
    FILTER("kind"),
    FILTER("severity"),
    {.name = "active", .kind = PARAMETER_UNSET, .column = "cleared"},
    {.name = "acknowledged", .kind = PARAMETER_SET},
    NUMBER("from", 0, INT64_MAX, from),
    LIMIT,
};
static const struct parameter job_parameters[] = {
    FILTER("state"), FILTER("verb"), FILTER("target"), FILTER("actor"), NUMBER("from", 0, INT64_MAX, from), LIMIT,
};
static const struct parameter event_parameters[] = {
    NUMBER("from", 0, INT64_MAX, from),
    NUMBER("newest", 0, 1, newest),
    TEXT("object", object),
    NUMBER("limit", 1, 10000, limit),
};
static const struct parameter inventory_parameters[] = {RANGE};
static const struct parameter sel_parameters[] = {RANGE, NUMBER("limit", 1, 512, limit)};
static const struct parameter trap_parameters[] = {
    RANGE,
    NUMBER("from", 0, INT64_MAX, from),
    NUMBER("newest", 0, 1, newest),
    TEXT("object", object),
    NUMBER("limit", 1, 10000, limit),
};
static const struct parameter watch_parameters[] = {FILTER("name"), FILTER("process"), LIMIT};
static const struct parameter watch_state_parameters[] = {RANGE, FILTER("watch"), FILTER("state"), FILTER("level"), LIMIT};
static const struct parameter pool_parameters[] = {FILTER("name"), LIMIT};
static const struct parameter service_parameters[] = {FILTER("name"), FILTER("state"), FILTER("level"), FILTER("pool"), FILTER("balancer"), LIMIT};
static const struct parameter member_parameters[] = {
    RANGE, TEXT("service", object), FILTER("state"), FILTER("probe"), FILTER("level"), {.name = "stuck", .kind = PARAMETER_SET}, LIMIT,
};
static const struct parameter balancer_parameters[] = {FILTER("name"), FILTER("state"), FILTER("driver"), FILTER("level"), LIMIT};
static const struct parameter wanted_parameters[] = {TEXT("kind", item), TEXT("name", object)};
static const struct parameter check_parameters[] = {TEXT("check", object)};
static const struct parameter top_parameters[] = {TEXT("node", node), NUMBER("limit", 1, TOP_ROWS_MAX, limit)};
static const struct parameter graph_parameters[] = {
    TEXT("node", node),
    RANGE,
    TEXT("items", items),
    TEXT("fold", fold),
    TIME("from", from_ms),
    TIME("to", to_ms),
    NUMBER("width", 100, 4000, width),
    NUMBER("height", 50, 3000, height),
    TEXT("format", format),
};
static const struct parameter series_parameters[] = {TEXT("item", item)};
static const struct parameter stats_parameters[] = {
    RANGE,
    TIME("from", from_ms),
    TIME("to", to_ms),
    TEXT("by", by),
    TEXT("period", period),
    NUMBER("top", 1, REPORT_TOP_MAX, top),
    TEXT("item", item),
    NUMBER("now", 0, 1, now),
    TEXT("format", format),
};
static const struct parameter idle_parameters[] = {
    RANGE, TIME("from", from_ms), TIME("to", to_ms), TEXT("cpu", cpu), TEXT("load", load), TEXT("net", net), NUMBER("now", 0, 1, now), TEXT("format", format),
};
static const struct parameter apply_parameters[] = {NUMBER("prune", 0, 1, prune), NUMBER("dry_run", 0, 1, dry_run)};

#define LIST(p) .parameters = p, .parameter_count = COUNT_OF(p)
const struct route routes[] = {
    {.path = "/", .table = BOARD_NODE, LIST(node_parameters), .run = page_run},
    {.path = "/metrics", .run = metrics_run},
    {.path = "/v1/site", .table = BOARD_CLUSTER, .run = site_run},
    {.path = "/v1/groups", .table = BOARD_GROUP, LIST(group_parameters), .run = list_run},
    {.path = "/v1/domains", .table = BOARD_DOMAIN, LIST(domain_parameters), .run = list_run},
    {.path = "/v1/nodes", .table = BOARD_NODE, LIST(node_parameters), .run = list_run},
    {.path = "/v1/nodes/", .tail = true, .table = BOARD_NODE, .run = node_run},
    {.path = "/v1/nodes/", .suffix = "/series", .tail = true, .table = BOARD_NODE, LIST(series_parameters), .run = series_run},
    {.path = "/v1/items", .table = BOARD_ITEM, LIST(item_parameters), .run = list_run},
    {.path = "/v1/values", .table = BOARD_VALUE, LIST(value_parameters), .run = list_run},
    {.path = "/v1/sensors", .table = BOARD_SENSOR, LIST(sensor_parameters), .run = list_run},
    {.path = "/v1/watches", .table = BOARD_WATCH, LIST(watch_parameters), .run = list_run},
    {.path = "/v1/watch-states", .table = BOARD_WATCH_STATE, LIST(watch_state_parameters), .run = list_run},
    {.path = "/v1/pools", .table = BOARD_POOL, LIST(pool_parameters), .run = list_run},
    {.path = "/v1/services", .table = BOARD_SERVICE, LIST(service_parameters), .run = list_run},
    {.path = "/v1/services/", .tail = true, .table = BOARD_SERVICE, .run = service_run},
    {.path = "/v1/services/", .suffix = "/series", .tail = true, .table = BOARD_SERVICE, LIST(series_parameters), .run = series_run},
    {.path = "/v1/services/", .suffix = "/explain", .tail = true, .run = service_explain_run},
    {.path = "/v1/members", .table = BOARD_MEMBER, LIST(member_parameters), .run = members_run},
    {.path = "/v1/balancers", .table = BOARD_BALANCER, LIST(balancer_parameters), .run = list_run},
    {.path = "/v1/balancers/", .tail = true, .table = BOARD_BALANCER, .run = balancer_run},
    {.path = "/v1/wanted", LIST(wanted_parameters), .run = wanted_run},
    {.path = "/v1/checks", .run = checks_run},
    {.path = "/v1/check-results", LIST(check_parameters), .run = checks_run},
    {.path = "/v1/top", LIST(top_parameters), .run = top_run},
    {.path = "/v1/alarms", .table = BOARD_ALARM, LIST(alarm_parameters), .run = list_run},
    {.path = "/v1/jobs", .table = BOARD_JOB, LIST(job_parameters), .run = list_run},
    {.path = "/v1/jobs/", .tail = true, .table = BOARD_JOB, .run = job_run},
    {.path = "/v1/events", LIST(event_parameters), .run = events_run},
    {.path = "/v1/audit", LIST(event_parameters), .run = audit_run},
    {.path = "/v1/silences", .run = silences_run},
    {.path = "/v1/inventory", .table = BOARD_NODE, LIST(inventory_parameters), .run = inventory_run},
    {.path = "/v1/software-states", .table = BOARD_NODE, LIST(inventory_parameters), .run = software_run},
    {.path = "/v1/sel", .table = BOARD_NODE, LIST(sel_parameters), .run = sel_run},
    {.path = "/v1/traps", LIST(trap_parameters), .run = traps_run},
    {.path = "/v1/traps/senders", .run = trap_senders_run},
    {.path = "/v1/graph", LIST(graph_parameters), .run = graph_run},
    {.path = "/v1/stats", LIST(stats_parameters), .run = stats_run},
    {.path = "/v1/stats/idle", LIST(idle_parameters), .run = idle_run},
    {.path = "/v1/stream", .stream = true, .run = stream_run},
    {.path = "/v1/export", .run = export_run},
    {.path = "/v1/commands", .post = true, .run = command_run},
    {.path = "/v1/apply", .post = true, .apply = true, LIST(apply_parameters), .run = apply_run},
};
const size_t route_count = COUNT_OF(routes);
