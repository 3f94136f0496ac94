/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The api role's pure parts: the writer, parameters and filters, times, ranges over a board, bodies of commands. */
#include "api/query.h"
#include "api/server.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "tests/unit/unit.h"

#define NOW INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

static bool written(struct emit *e, const char *text)
{
	bool same = e->used == strlen(text) && !memcmp(e->text, text, e->used);

	if (!same)
		fprintf(stderr, "is     %.*s\nwanted %s\n", (int)e->used, e->text ? e->text : "", text);
	emit_free(e);
	return same;
}

static void test_writer(void)
{
	struct emit e = {0};

	emit_open(&e, '{');
	emit_key(&e, "a");
	emit_open(&e, '[');
	emit_integer(&e, -5);
	emit_unsigned(&e, UINT64_MAX);
	emit_number(&e, 0.5);
	emit_number(&e, (double)NAN);
	emit_number(&e, (double)INFINITY);
	emit_close(&e, ']');
	emit_key(&e, "b\"\\");
	emit_bool(&e, true);
	emit_key(&e, "c");
	emit_open(&e, '{');
	emit_close(&e, '}');
	emit_key(&e, "t");
	emit_time(&e, NOW + 7);
	emit_key(&e, "n");
	emit_time(&e, 0);
	emit_close(&e, '}');
	CU_ASSERT(written(&e, "{\"a\":[-5,18446744073709551615,0.5,null,null],\"b\\\"\\\\\":true,\"c\":{},"
			      "\"t\":\"2026-01-01T00:00:00.007Z\",\"n\":null}"));
}

static void test_writer_hostile_text(void)
{
	struct emit e = {0};

	emit_string(&e, "a\x01\n\"\\\xc3\x28\xff end \xc3\xa4");
	char *copy = mem_format("%.*s", (int)e.used, e.text);
	json_t *v = json_loads(copy, JSON_DECODE_ANY, NULL);
	CU_ASSERT_PTR_NOT_NULL(v);
	CU_ASSERT(json_is_string(v) && strstr(json_string_value(v), "end \xc3\xa4") != NULL);
	CU_ASSERT_PTR_NULL(strchr(copy, '\n'));
	json_decref(v);
	free(copy);
	emit_free(&e);
	emit_html(&e, "<a href='x'>&\"");
	CU_ASSERT(written(&e, "&lt;a href=&#39;x&#39;&gt;&amp;&quot;"));
	emit_label(&e, "a\"b\\c\nd");
	CU_ASSERT(written(&e, "a\\\"b\\\\c?d"));
}

/* Text far longer than the first buffer comes out whole. */
static void test_writer_grows(void)
{
	struct emit e = {0};
	char *long_text = mem_zalloc(100001);

	memset(long_text, 'x', 100000);
	for (int i = 0; i < 3; i++)
		emit_string(&e, long_text);
	CU_ASSERT_EQUAL(e.used, 3 * 100002 + 2);
	emit_free(&e);
	free(long_text);
}

static void test_row(void)
{
	struct alarm_row a = {.head = {.generation = 1, .order = 7},
			      .id = 7,
			      .first_wall_ms = NOW,
			      .last_wall_ms = NOW,
			      .count = 2,
			      .severity = LEVEL_MAJOR,
			      .node_slot = NO_SLOT};
	struct emit e = {0};

	text_copy(a.object, sizeof a.object, "g01");
	text_copy(a.kind, sizeof a.kind, "path");
	text_copy(a.cause, sizeof a.cause, "silent");
	columns_emit_row(&e, NULL, BOARD_ALARM, &a);
	CU_ASSERT(written(&e,
			  "{\"id\":7,\"object\":\"g01\",\"kind\":\"path\",\"cause\":\"silent\",\"severity\":\"major\","
			  "\"first\":\"2026-01-01T00:00:00.000Z\",\"last\":\"2026-01-01T00:00:00.000Z\",\"count\":2,"
			  "\"acknowledged\":null,"
			  "\"acknowledged_by\":null,\"cleared\":null,\"parent\":null,\"held\":0,\"node\":null,\"flapping\":false}"));
}

static json_t *row_as_json(const struct board_reader *board, enum board_table table, const void *row)
{
	struct emit e = {0};

	columns_emit_row(&e, board, table, row);
	json_t *o = json_loadb(e.text, e.used, 0, NULL);
	emit_free(&e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(o);
	return o;
}

/* Unknown numbers are null, what is not there is null, slots are names. */
static void test_service_rows(void)
{
	struct service_row s = {.head = {.generation = 1, .slot = 4, .order = 4}, .wanted = 5, .in_service = 3, .enabled = 1,
				.state = SERVICE_SHORT, .utilisation = (double)NAN, .demand = 2.5, .name = "web", .reason = "keep 5"};
	struct member_row m = {.head = {.generation = 1, .slot = 9, .order = (uint64_t)4 << 32 | 1}, .service_slot = 4, .node_slot = 1,
			       .state = MEMBER_IN_SERVICE, .probe = PROBE_GOOD, .weight = 100, .utilisation = 0.5};
	struct balancer_row b = {.head = {.generation = 1}, .driver = DRIVER_CISCO_SLB, .state = BALANCER_IN_STEP, .name = "sw"};
	struct board_limits limits;

	board_limits_for(20, 2, 1, &limits);
	struct board_writer *w = board_create(1, &limits);
	struct node_row n = {.head = {.generation = 1, .slot = 1, .order = 1}, .name = "n002"};
	board_put(w, BOARD_NODE, &n);
	board_put(w, BOARD_SERVICE, &s);
	board_flip(w);
	struct board_reader *r = board_map(dup(board_fd(w)));
	json_t *o = row_as_json(r, BOARD_SERVICE, &s);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(o, "state")), "short");
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(o, "wanted")), 5);
	CU_ASSERT_TRUE(json_is_null(json_object_get(o, "pin")) && json_is_null(json_object_get(o, "pin_until")));
	CU_ASSERT_TRUE(json_is_null(json_object_get(o, "utilisation")) && json_is_null(json_object_get(o, "software")));
	CU_ASSERT_EQUAL(json_number_value(json_object_get(o, "demand")), 2.5);
	CU_ASSERT_TRUE(json_is_true(json_object_get(o, "enabled")));
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(o, "index")), 5);
	json_decref(o);
	o = row_as_json(r, BOARD_MEMBER, &m);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(o, "service")), "web");
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(o, "node")), "n002");
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(o, "state")), "in-service");
	CU_ASSERT_TRUE(json_is_null(json_object_get(o, "deadline")) && json_is_false(json_object_get(o, "stuck")));
	json_decref(o);
	m.service_slot = 5;
	o = row_as_json(r, BOARD_MEMBER, &m);
	CU_ASSERT_TRUE(json_is_null(json_object_get(o, "service")));
	json_decref(o);
	o = row_as_json(r, BOARD_BALANCER, &b);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(o, "driver")), "cisco-slb");
	CU_ASSERT_TRUE(json_is_null(json_object_get(o, "address")) && json_is_null(json_object_get(o, "read")));
	json_decref(o);
	board_unmap(r);
	board_free(w);
}

/* The fields that the contract promises are all there, in every table. */
static void test_promised_fields(void)
{
	static const struct {
		enum board_table table;
		const char *fields;
	} promised[] = {
	    {BOARD_NODE, "name group address bmc verdict certainty since cause level power life last_seen power_locked "
			 "wanted_power power_job "
			 "cpu_percent mem_percent load1 maintenance not_judged_since bmc_finding snmp_finding switch rack"},
	    {BOARD_SENSOR, "name type reading unit level state"},
	    {BOARD_VALUE, "item instance value unit level time"},
	    {BOARD_ALARM, "id object cause severity first last count acknowledged cleared"},
	    {BOARD_JOB, "id actor verb target reason state result started ended"},
	    {BOARD_POOL, "name scope nodes free allocated unfit reserve wanted_more"},
	    {BOARD_SERVICE, "name state level cause wanted in_service coming going failed reason min max pin pin_until enabled "
			    "utilisation demand connections requests_per_second bytes_per_second balancer pool software virtuals"},
	    {BOARD_MEMBER, "service node state since deadline stuck reason probe level weight utilisation connections"},
	    {BOARD_BALANCER, "name driver address state level cause virtuals reals foreign commands repairs read"},
	};

	for (size_t i = 0; i < COUNT_OF(promised); i++) {
		char *list = mem_strdup(promised[i].fields), *save = NULL;
		for (char *f = strtok_r(list, " ", &save); f; f = strtok_r(NULL, " ", &save))
			if (!columns_find(promised[i].table, f))
				CU_FAIL(f);
		free(list);
	}
}

static void test_times(void)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {{"now", NOW},
		    {"-90m", NOW - 5400000},
		    {"-1s", NOW - 1000},
		    {"-2w", NOW - INT64_C(1209600000)},
		    {"-0h", NOW},
		    {"2026-01-01T00:00:00Z", NOW},
		    {"2026-01-01t00:00:00.25z", NOW + 250},
		    {"2026-01-01T02:00:00+02:00", NOW},
		    {"2025-12-31T22:30:00-01:30", NOW},
		    {"2024-02-29T00:00:00Z", INT64_C(1709164800000)},
		    {"1970-01-01T00:00:00.0009Z", 0}};
	static const char *const bad[] = {"",
					  "-",
					  "-m",
					  "-1",
					  "-1x",
					  "1h",
					  "--1m",
					  "-1.5h",
					  "yesterday",
					  "2026-01-01",
					  "2026-13-01T00:00:00Z",
					  "2026-02-29T00:00:00Z",
					  "2026-02-30T00:00:00Z",
					  "2026-01-01T24:00:00Z",
					  "2026-01-01T00:00:00",
					  "2026-01-01T00:00:00Zx",
					  "2026-01-01T00:00:00+2:00",
					  "-99999999999999999999m",
					  "-9999999999h",
					  "0000-01-01T00:00:00Z"};
	int64_t ms;

	for (size_t i = 0; i < COUNT_OF(good); i++) {
		ms = -1;
		if (!query_time(good[i].text, NOW, &ms) || ms != good[i].ms)
			CU_FAIL(good[i].text);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (query_time(bad[i], NOW, &ms))
			CU_FAIL(bad[i]);
}

static const struct parameter *route_parameters(const char *path, size_t *count, enum board_table *table)
{
	for (size_t i = 0; i < route_count; i++)
		if (!strcmp(routes[i].path, path)) {
			*count = routes[i].parameter_count;
			*table = routes[i].table;
			return routes[i].parameters;
		}
	return NULL;
}

static int add(struct query *q, const char *path, const char *name, const char *value, struct error *e)
{
	enum board_table table = BOARD_NODE;
	size_t count = 0;
	const struct parameter *p = route_parameters(path, &count, &table);

	return query_add(q, p, count, table, name, value, strlen(value), NOW, e);
}

static void test_parameters(void)
{
	static const struct {
		const char *path, *name, *value, *object;
	} bad[] = {{"/v1/nodes", "foo", "1", "foo"},
		   {"/v1/nodes", "verdict", "nope", "verdict"},
		   {"/v1/nodes", "verdict", "", "verdict"},
		   {"/v1/nodes", "verdict", "up,nope", "verdict"},
		   {"/v1/nodes", "range", "", "range"},
		   {"/v1/nodes", "limit", "0", "limit"},
		   {"/v1/nodes", "limit", "1x", "limit"},
		   {"/v1/nodes", "limit", "-1", "limit"},
		   {"/v1/nodes", "maintenance", "yes", "maintenance"},
		   {"/v1/alarms", "active", "2", "active"},
		   {"/v1/graph", "width", "99", "width"},
		   {"/v1/graph", "from", "later", "from"},
		   {"/v1/events", "from", "9223372036854775808", "from"},
		   {"/v1/apply", "prune", "true", "prune"},
		   {"/v1/site", "x", "", "x"},
		   {"/v1/nodes", "group", "a\x01", "group"},
		   {"/v1/nodes", "group", "\xff", "group"}};
	struct query q;
	struct error e;

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		query_begin(&q, NOW);
		e.kind = 0;
		if (add(&q, bad[i].path, bad[i].name, bad[i].value, &e) != ERR_CONFIG ||
		    strcmp(e.object, bad[i].object) || !e.remedy[0])
			CU_FAIL(bad[i].name);
	}
	query_begin(&q, NOW);
	CU_ASSERT_EQUAL(add(&q, "/v1/nodes", "limit", "3", &e), 0);
	CU_ASSERT_EQUAL(q.limit, 3);
	CU_ASSERT_EQUAL(add(&q, "/v1/nodes", "limit", "3", &e), ERR_CONFIG);                   /* twice */
	CU_ASSERT_EQUAL(query_add(&q, NULL, 0, BOARD_NODE, "x", "a", 2, NOW, &e), ERR_CONFIG); /* a zero inside */
}

static void test_filters(void)
{
	struct node_row n = {.verdict = VERDICT_OS_HUNG, .level = LEVEL_CRITICAL, .maintenance = 0};
	struct alarm_row a = {.severity = LEVEL_MAJOR};
	struct query q;
	struct error e;

	text_copy(n.group, sizeof n.group, "g01");
	query_begin(&q, NOW);
	CU_ASSERT(query_matches(&q, &n));
	CU_ASSERT_EQUAL(add(&q, "/v1/nodes", "verdict", "up,os-hung", &e), 0);
	CU_ASSERT(query_matches(&q, &n));
	CU_ASSERT_EQUAL(add(&q, "/v1/nodes", "group", "g0,g01", &e), 0);
	CU_ASSERT(query_matches(&q, &n));
	text_copy(n.group, sizeof n.group, "g");
	CU_ASSERT_FALSE(query_matches(&q, &n));
	text_copy(n.group, sizeof n.group, "g0");
	CU_ASSERT(query_matches(&q, &n));
	CU_ASSERT_EQUAL(add(&q, "/v1/nodes", "maintenance", "1", &e), 0);
	CU_ASSERT_FALSE(query_matches(&q, &n));
	n.maintenance = 1;
	CU_ASSERT(query_matches(&q, &n));
	n.verdict = VERDICT_BOOTING;
	CU_ASSERT_FALSE(query_matches(&q, &n));
	query_begin(&q, NOW);
	CU_ASSERT_EQUAL(add(&q, "/v1/alarms", "active", "1", &e), 0);
	CU_ASSERT(query_matches(&q, &a));
	a.cleared_wall_ms = NOW;
	CU_ASSERT_FALSE(query_matches(&q, &a));
}

/* --- over a board ------------------------------------------------------------------------------------ */

static struct board_writer *writer;
static struct board_reader *reader;

static void make_board(uint32_t nodes)
{
	struct board_limits limits;

	board_limits_for(nodes + 10, 2, 1, &limits);
	writer = board_create(1, &limits);
	for (uint32_t i = 0; i < nodes; i++) {
		struct node_row n = {.head = {.generation = 1, .slot = i, .order = i},
				     .verdict = i == 2 ? VERDICT_ISOLATED : VERDICT_UP};
		text_format(n.name, sizeof n.name, "n%03u", i + 1);
		text_format(n.group, sizeof n.group, "g%u", i % 2 + 1);
		board_put(writer, BOARD_NODE, &n);
	}
	for (uint32_t i = 0; i < 3; i++) {
		struct group_row g = {.head = {.generation = 1, .slot = i, .order = i}};
		text_format(g.name, sizeof g.name, "g%u", i + 1);
		board_put(writer, BOARD_GROUP, &g);
	}
	board_flip(writer);
	reader = board_map(dup(board_fd(writer)));
}

static void drop_board(void)
{
	board_unmap(reader);
	board_free(writer);
}

static size_t choose(const char *range, struct error *e, int *rc)
{
	bool *chosen = mem_array(NODE_MAX, sizeof *chosen);
	size_t n = 0;

	*rc = range_choose(reader, range, chosen, e);
	for (uint32_t i = 0; i < NODE_MAX; i++)
		n += chosen[i];
	free(chosen);
	return n;
}

static void test_ranges(void)
{
	static const struct {
		const char *range;
		size_t count;
	} good[] = {{"n001", 1},
		    {"n[001-003]", 3},
		    {"@g1", 5},
		    {"@site", 10},
		    {"@down", 1},
		    {"@down,n001,@g2", 7},
		    {"n[001,003],n[003-004]", 3},
		    {"@g3", 0},
		    {"n001,n001", 1}};
	static const struct {
		const char *range, *object;
		int kind;
	} bad[] = {{"n999", "n999", ERR_NOT_FOUND},     {"@g9", "g9", ERR_NOT_FOUND},
		   {"n[001-", NULL, ERR_CONFIG},        {"n[3-1]", NULL, ERR_CONFIG},
		   {"n[1-99999999]", NULL, ERR_CONFIG}, {"n001,n011", "n011", ERR_NOT_FOUND}};
	struct error e;
	int rc;

	make_board(10);
	for (size_t i = 0; i < COUNT_OF(good); i++)
		if (choose(good[i].range, &e, &rc) != good[i].count || rc)
			CU_FAIL(good[i].range);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		choose(bad[i].range, &e, &rc);
		if (rc != bad[i].kind || (bad[i].object && strcmp(e.object, bad[i].object)))
			CU_FAIL(bad[i].range);
	}
	drop_board();
}

/* A walk in pieces sees every row that stays, once, while others come and go and the index is flipped under it. */
static void test_cursor(void)
{
	struct cursor c = {0};
	union any_row row;
	int seen[200] = {0};

	make_board(100);
	for (int step = 0; cursor_next(&c, reader, BOARD_NODE, &row) == 0; step++) {
		CU_ASSERT_FATAL(row.head.slot < 200);
		seen[row.head.slot]++;
		if (step % 10 == 3) { /* a row before and one behind the place vanish; only one of them with a flip */
			struct node_row gone = {.head = {.slot = (uint32_t)step - 2}};
			board_put(writer, BOARD_NODE, &gone);
			gone.head.slot = 99 - (uint32_t)step;
			if (gone.head.slot > row.head.slot)
				board_put(writer, BOARD_NODE, &gone);
			if (step % 20 == 3)
				board_flip(writer);
		}
	}
	for (uint32_t i = 0; i < 100; i++) {
		const struct node_row *n = board_peek(writer, BOARD_NODE, i);
		if (n->head.generation ? seen[i] != 1 : seen[i] > 1)
			CU_FAIL("a row was missed or seen twice");
	}
	cursor_jump(&c, reader, BOARD_NODE, 50);
	CU_ASSERT_EQUAL(cursor_next(&c, reader, BOARD_NODE, &row), 0);
	CU_ASSERT(row.head.order >= 50);
	drop_board();
}

/* --- bodies of commands ------------------------------------------------------------------------------ */

static void test_commands(void)
{
	static const struct {
		const char *body, *object;
	} bad[] = {{"", "body"},
		   {"[]", "body"},
		   {"7", "body"},
		   {"{\"verb\":\"power\"", "body"},
		   {"{}", "verb"},
		   {"{\"verb\":\"fly\"}", "verb"},
		   {"{\"verb\":7}", "verb"},
		   {"{\"verb\":\"apply\"}", "verb"},
		   {"{\"verb\":\"power\",\"target\":{}}", "target"},
		   {"{\"verb\":\"power\",\"target\":-1}", "target"},
		   {"{\"verb\":\"power\",\"args\":[]}", "args"},
		   {"{\"verb\":\"power\",\"yes\":1}", "yes"},
		   {"{\"verb\":\"power\",\"actor\":\"uid:0\"}", "actor"},
		   {"{\"verb\":\"power\",\"verb\":\"power\"}", "body"},
		   {"{\"verb\":\"power\",\"target\":\"a\\u0000b\"}", "body"}};
	static const char good[] =
	    "{\"verb\":\"power\",\"target\":\"n[1-2]\",\"args\":{\"verb\":\"cycle\"},\"yes\":true}";
	static struct msg_command c;
	char *arguments;
	struct error e;

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (command_parse(bad[i].body, strlen(bad[i].body), &c, &arguments, &e) != ERR_CONFIG ||
		    strcmp(e.object, bad[i].object) || arguments)
			CU_FAIL(bad[i].body);
	CU_ASSERT_EQUAL_FATAL(command_parse(good, sizeof good - 1, &c, &arguments, &e), 0);
	CU_ASSERT_EQUAL(c.verb, COMMAND_POWER);
	CU_ASSERT_STRING_EQUAL(c.target, "n[1-2]");
	CU_ASSERT_STRING_EQUAL(arguments, "{\"verb\":\"cycle\"}");
	CU_ASSERT_EQUAL(c.argument_size, strlen(arguments));
	CU_ASSERT_EQUAL(c.yes, 1);
	CU_ASSERT_EQUAL(c.dry_run, 0);
	free(arguments);
	for (uint32_t v = 1; v < COMMAND_VERB_COUNT; v++) {
		char *body = mem_format("{\"verb\":\"%s\",\"target\":12}", command_word(v));
		bool known = strcmp(command_word(v), "?") != 0;
		CU_ASSERT_EQUAL(command_parse(body, strlen(body), &c, &arguments, &e), known ? 0 : ERR_CONFIG);
		CU_ASSERT(!known || (c.verb == v && !strcmp(c.target, "12") && !strcmp(arguments, "{}")));
		free(arguments);
		free(body);
	}
}

static void test_long_target(void)
{
	static struct msg_command c;
	char *range = mem_zalloc(5000), *body, *arguments;
	struct error e;

	memset(range, 'n', 4096);
	body = mem_format("{\"verb\":\"power\",\"target\":\"%s\"}", range);
	CU_ASSERT_EQUAL(command_parse(body, strlen(body), &c, &arguments, &e), ERR_CONFIG);
	CU_ASSERT_STRING_EQUAL(e.object, "target");
	free(body);
	free(range);
}

static void test_rights(void)
{
	uint32_t none = 12345;

	CU_ASSERT_EQUAL(peer_right(0, NULL, 0, NOW), RIGHT_ADMIN);
	CU_ASSERT_EQUAL(peer_right(12345, &none, 1, NOW), RIGHT_NONE);
	struct msg_user root = {.right = RIGHT_OPERATE};
	text_copy(root.name, sizeof root.name, "nobody");
	peer_users(&root, 1);
	CU_ASSERT_EQUAL(peer_right(65534, &none, 1, NOW), RIGHT_OPERATE);
	CU_ASSERT_EQUAL(peer_right(12345, &none, 1, NOW), RIGHT_NONE);
	root.https = 1; /* a user of the TLS listener is no user of this machine, whatever his name */
	peer_users(&root, 1);
	CU_ASSERT_EQUAL(peer_right(65534, &none, 1, NOW), RIGHT_NONE);
	peer_users(NULL, 0);
	CU_ASSERT_EQUAL(peer_right(65534, &none, 1, NOW), RIGHT_NONE);
	for (int kind = ERR_BUSY; kind < 0; kind++)
		CU_ASSERT(server_status(kind) >= 400 && server_status(kind) < 600);
}

static const struct unit_test tests[] = {
    {"JSON writer", test_writer},
    {"text of strangers", test_writer_hostile_text},
    {"long text", test_writer_grows},
    {"a row", test_row},
    {"promised fields", test_promised_fields},
    {"rows of services", test_service_rows},
    {"times", test_times},
    {"parameters", test_parameters},
    {"filters", test_filters},
    {"ranges", test_ranges},
    {"walk over a moving board", test_cursor},
    {"commands", test_commands},
    {"long target", test_long_target},
    {"rights", test_rights},
};
UNIT_MAIN("api", tests)
