/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The agent's columns against the text of the MIB, the arithmetic of object identifiers, cells, and walks over a real board. */
#include "mibs/agent/snmp.h"

#include "unit.h"

#include "mib_text.h"

#include <fcntl.h>
#include <math.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "mibs/agent/engine.h"
#include "mibs/agent/own.h"
#include "mibs/agent/walk.h"

/* BER tag of a SYNTAX word */
static int tag_of(const char *syntax)
{
	static const struct { const char *word; int tag; } tags[] = {
		{"OCTET STRING", 0x04}, {"SnmpAdminString", 0x04}, {"SnmpEngineID", 0x04}, {"GloryTime", 0x04}, {"GloryEndpoint", 0x04},
		{"GloryDecimal", 0x04}, {"Integer32", 0x02}, {"INTEGER", 0x02}, {"TruthValue", 0x02}, {"RowStatus", 0x02}, {"GloryLevel", 0x02},
		{"GloryPower", 0x02}, {"GloryVerdict", 0x02}, {"GloryCertainty", 0x02}, {"GloryLife", 0x02}, {"GloryJobStatus", 0x02},
		{"GloryPowerVerb", 0x02}, {"GloryJobKind", 0x02}, {"GloryPolicy", 0x02}, {"GloryDomainState", 0x02}, {"GlorySensorCondition", 0x02}, {"GloryWatchState", 0x02},
		{"GloryServiceCondition", 0x02}, {"GloryMemberState", 0x02}, {"GloryProbeState", 0x02}, {"GloryBalancerCondition", 0x02}, {"GloryBalancerFamily", 0x02},
		{"Unsigned32", 0x42}, {"Gauge32", 0x42}, {"Counter64", 0x46},
	};

	for (size_t i = 0; i < COUNT_OF(tags); i++)
		if (!strcmp(tags[i].word, syntax))
			return tags[i].tag;
	return -1;
}

/* Follows "::= { PARENT NUMBER }" up to gloryObjects and compares with the prefix the agent has. */
static bool place_agrees(const char *body, const struct mib_table *t, const struct mib_column *column)
{
	char parent[64];
	unsigned number;
	mib_arc path[8];
	size_t n = 0;

	for (const char *b = body; n < COUNT_OF(path); ) {
		if (!mib_place_of(b, parent, sizeof parent, &number))
			return false;
		path[n++] = number;
		if (!strcmp(parent, "gloryObjects"))
			break;
		b = mib_find(parent, "OBJECT-TYPE");
		if (!b)
			b = mib_find(parent, "OBJECT IDENTIFIER");
		if (!b)
			return false;
	}
	mib_arc name[MIB_OID_MAX];
	size_t length = mib_column_name(t, column, name);
	if (length != GLORY_ROOT_LENGTH + 1 + n || name[GLORY_ROOT_LENGTH] != 1)
		return false;
	for (size_t i = 0; i < n; i++)
		if (name[length - 1 - i] != path[i])
			return false;
	return true;
}

static bool is_ours(const struct mib_table *t)
{
	return !memcmp(t->prefix, glory_root, sizeof glory_root);
}

static void check_column(const struct mib_table *t, const struct mib_column *column)
{
	char room[96], syntax[64], access[64];
	const char *name = mib_column_label(column, room, sizeof room), *body = mib_find(name, "OBJECT-TYPE");

	if (!body)
		printf("%s is not in the text\n", name);
	CU_ASSERT_PTR_NOT_NULL_FATAL(body);
	CU_ASSERT_TRUE_FATAL(mib_clause(body, "SYNTAX ", syntax, sizeof syntax) && mib_clause(body, "MAX-ACCESS ", access, sizeof access));
	if (tag_of(syntax) != column->asn)
		printf("%s: %s is not of tag %d\n", name, syntax, column->asn);
	CU_ASSERT_EQUAL(tag_of(syntax), column->asn);
	bool writable = !strcmp(access, "read-write") || !strcmp(access, "read-create");
	if (writable != (column->write != RIGHT_NONE))
		printf("%s: %s\n", name, access);
	CU_ASSERT_EQUAL(writable, column->write != RIGHT_NONE);
	CU_ASSERT_TRUE(place_agrees(body, t, column));
}

static void test_columns_are_the_text(void)
{
	size_t ours = 0, in_text = 0;

	CU_ASSERT_FATAL(mib_load());
	for (size_t t = 0; t < mib_table_count; t++)
		for (size_t c = 0; is_ours(&mib_tables[t]) && c < mib_tables[t].column_count; c++, ours++)
			check_column(&mib_tables[t], &mib_tables[t].columns[c]);
	/* and nothing that can be read is in the text alone */
	for (const char *a = mib_text; (a = strstr(a, "MAX-ACCESS")); a += 10)
		in_text += strstr(a, "read-") && strstr(a, "read-") < a + 24;
	CU_ASSERT_EQUAL(in_text, ours);
}

static void test_order(void)
{
	mib_arc last[MIB_OID_MAX] = {0}, name[MIB_OID_MAX];
	size_t last_length = 1;

	for (size_t t = 0; t < mib_table_count; t++)
		for (size_t c = 0; c < mib_tables[t].column_count; c++) {
			const struct mib_column *column = &mib_tables[t].columns[c];
			size_t n = mib_column_name(&mib_tables[t], column, name);
			CU_ASSERT(snmp_oid_compare(last, last_length, name, n) < 0);
			CU_ASSERT(column->kind == CELL_OWN || column->kind == CELL_ACTIVE || column->offset + column->size <= board_row_size(mib_tables[t].board));
			CU_ASSERT(column->size <= CELL_BYTES_MAX);
			memcpy(last, name, sizeof last);
			last_length = n;
		}
}

#define NODE_COLUMN 1, 3, 6, 1, 4, 1, GLORY_PEN, 1, 1, 4, 1, 1
#define VALUE_COLUMN 1, 3, 6, 1, 4, 1, GLORY_PEN, 1, 1, 5, 2, 1

static void expect_after(const mib_arc *name, size_t length, const char *table, unsigned column, uint64_t key)
{
	struct mib_place p;

	CU_ASSERT_TRUE_FATAL(mib_after(name, length, &p));
	CU_ASSERT_STRING_EQUAL(p.table->name, table);
	CU_ASSERT_EQUAL(p.column->number, column);
	CU_ASSERT_EQUAL(p.key, key);
}
#define AFTER(table, column, key, ...) \
	do { \
		const mib_arc name_[] = {__VA_ARGS__}; \
		expect_after(name_, COUNT_OF(name_), table, column, key); \
	} while (0)

static void test_after(void)
{
	struct mib_place p;

	AFTER("system", 1, 0, 1, 3);
	AFTER("gloryAppliance", 1, 0, 1, 3, 6, 1, 4);
	AFTER("gloryNode", 2, 0, NODE_COLUMN);
	AFTER("gloryNode", 2, 0, NODE_COLUMN, 1, 77);             /* the index column is not accessible */
	AFTER("gloryNode", 2, 0, NODE_COLUMN, 2, 0);
	AFTER("gloryNode", 2, 1, NODE_COLUMN, 2, 1);              /* index 1 is slot 0 */
	AFTER("gloryNode", 2, 1, NODE_COLUMN, 2, 1, 9, 9);        /* too long: still after that row */
	AFTER("gloryNode", 3, 0, NODE_COLUMN, 2, 4294967295);
	AFTER("gloryNode", 3, 0, NODE_COLUMN, 2, 99999999999);    /* an arc no index has */
	AFTER("gloryNodeScalars", 2, 0, NODE_COLUMN, 99, 4294967295);
	AFTER("gloryItem", 2, 0, 1, 3, 6, 1, 4, 1, GLORY_PEN, 1, 1, 4, 2, 0);
	AFTER("gloryNodeValue", 2, UINT64_C(1) << 32, VALUE_COLUMN, 2, 2);
	AFTER("gloryNodeValue", 2, 5u << 16 | 4, VALUE_COLUMN, 2, 1, 6, 3);
	AFTER("gloryNodeValue", 2, 6u << 16, VALUE_COLUMN, 2, 1, 6, 70000);       /* past the instances: the next item */
	AFTER("gloryNodeValue", 2, UINT64_C(1) << 32, VALUE_COLUMN, 2, 1, 70000); /* past the items: the next node */
	const mib_arc end[] = {1, 3, 6, 1, 6, 3, 10, 2, 1, 4, 0}, far[] = {2};
	CU_ASSERT_FALSE(mib_after(end, COUNT_OF(end), &p));
	CU_ASSERT_FALSE(mib_after(far, 1, &p));
}

static void test_locate(void)
{
	const mib_arc good[] = {VALUE_COLUMN, 2, 3, 4, 5}, bad[] = {VALUE_COLUMN, 2, 0, 4, 5}, none[] = {VALUE_COLUMN, 99, 1, 1, 1},
		      scalar[] = {1, 3, 6, 1, 2, 1, 1, 3, 0}, scalar1[] = {1, 3, 6, 1, 2, 1, 1, 3, 1}, column[] = {NODE_COLUMN, 2};
	struct mib_place p;
	bool object;
	mib_arc name[MIB_OID_MAX];

	CU_ASSERT_EQUAL(mib_locate(good, COUNT_OF(good), &p, &object), 0);
	CU_ASSERT_EQUAL(p.key, UINT64_C(2) << 32 | 3u << 16 | 5);
	CU_ASSERT_EQUAL(mib_name(&p, name), COUNT_OF(good));
	CU_ASSERT_EQUAL(memcmp(name, good, sizeof good), 0);
	CU_ASSERT_EQUAL(mib_locate(bad, COUNT_OF(bad), &p, &object), ERR_NOT_FOUND);
	CU_ASSERT_TRUE(object);
	CU_ASSERT_EQUAL(mib_locate(none, COUNT_OF(none), &p, &object), ERR_NOT_FOUND);
	CU_ASSERT_FALSE(object);
	CU_ASSERT_EQUAL(mib_locate(scalar, COUNT_OF(scalar), &p, &object), 0);
	CU_ASSERT_EQUAL(mib_locate(scalar1, COUNT_OF(scalar1), &p, &object), ERR_NOT_FOUND);
	CU_ASSERT_EQUAL(mib_locate(column, COUNT_OF(column), &p, &object), ERR_NOT_FOUND);
}

static void test_cells(void)
{
	struct cell c;
	char text[32];

	CU_ASSERT_STRING_EQUAL(cell_decimal(41.5, text, sizeof text), "41.5");
	CU_ASSERT_STRING_EQUAL(cell_decimal(100, text, sizeof text), "100");
	CU_ASSERT_STRING_EQUAL(cell_decimal(-0.0001, text, sizeof text), "0");
	CU_ASSERT_STRING_EQUAL(cell_decimal((double)NAN, text, sizeof text), "");
	CU_ASSERT_STRING_EQUAL(cell_decimal(1e300, text, sizeof text), "");
	cell_time(&c, INT64_C(1769860800123)); /* 2026-01-31T12:00:00.123Z */
	CU_ASSERT_EQUAL(c.size, 11);
	CU_ASSERT_EQUAL(memcmp(c.value.bytes, "\x07\xea\x01\x1f\x0c\x00\x00\x01+\x00\x00", 11), 0);
	cell_time(&c, 0);
	CU_ASSERT_EQUAL(c.size, 8);
	cell_time(&c, INT64_MAX);
	CU_ASSERT(c.size == 8);
	const struct mib_column percent = {.asn = 2, .kind = CELL_PERCENT, .size = 4}, truth = {.asn = 2, .kind = CELL_TRUTH64, .size = 8},
				 slot = {.asn = 0x42, .kind = CELL_INDEX, .size = 4}, fixed = {.asn = 4, .kind = CELL_TEXT, .size = 4};
	int32_t unknown = -1, half = 4250;
	int64_t when = 5;
	uint32_t none = NO_SLOT, third = 2;
	cell_from(&percent, &unknown, &c);
	CU_ASSERT_EQUAL(c.value.integer, -1);
	cell_from(&percent, &half, &c);
	CU_ASSERT_EQUAL(c.value.integer, 43);
	cell_from(&truth, &when, &c);
	CU_ASSERT_EQUAL(c.value.integer, 1);
	cell_from(&slot, &none, &c);
	CU_ASSERT_EQUAL(c.value.integer, 0);
	cell_from(&slot, &third, &c);
	CU_ASSERT_EQUAL(c.value.integer, 3);
	cell_from(&fixed, "abcd", &c); /* not terminated: the field ends it */
	CU_ASSERT_EQUAL(c.size, 4);
	const struct mib_column share = {.asn = 2, .kind = CELL_SHARE, .size = 8}, endpoint = {.asn = 4, .kind = CELL_ENDPOINT, .size = sizeof(struct address)};
	static const struct {
		double share;
		long percent;
	} shares[] = {{(double)NAN, -1}, {-0.5, 0}, {0.004, 0}, {0.006, 1}, {0.625, 63}, {1.0, 100}, {7, 100}, {(double)INFINITY, 100}};
	for (size_t i = 0; i < COUNT_OF(shares); i++) {
		cell_from(&share, &shares[i].share, &c);
		CU_ASSERT_EQUAL(c.value.integer, shares[i].percent);
	}
	struct address a, here = {0};
	CU_ASSERT_TRUE(address_parse("10.1.0.9:161", 0, &a));
	cell_from(&endpoint, &a, &c);
	CU_ASSERT(c.size == 12 && !memcmp(c.value.bytes, "10.1.0.9:161", 12));
	cell_from(&endpoint, &here, &c);
	CU_ASSERT_EQUAL(c.size, 0);
}

static struct board_writer *writer_of(uint32_t step)
{
	struct board_limits limits;

	board_limits_for(64, 2, 1, &limits);
	struct board_writer *w = board_create(1, &limits);
	for (uint32_t i = 0; i < 60; i += step) {
		struct node_row r = {.head = {.generation = 1, .slot = i, .order = i}, .verdict = VERDICT_UP};
		text_format(r.name, sizeof r.name, "n%02u", i);
		board_put(w, BOARD_NODE, &r);
	}
	board_flip(w);
	return w;
}

static bool no_own(void *arg, enum own_value what, struct cell *out)
{
	(void)arg;
	(void)what;
	(void)out;
	return false;
}

/* Walks a column by steps and counts its rows, which must rise. */
static unsigned walk_column(const struct walk *walk, unsigned column)
{
	const mib_arc from[] = {NODE_COLUMN, column};
	struct walk_cursor cursor = {.positioned = false};
	struct cell cell;
	uint64_t last = 0;
	unsigned n = 0;

	CU_ASSERT_TRUE(mib_after(from, COUNT_OF(from), &cursor.place));
	while (walk_next(walk, &cursor, NULL, NULL, &cell) == 0 && cursor.place.column->number == column &&
	       cursor.place.table->board == BOARD_NODE) {
		CU_ASSERT(n == 0 || cursor.place.key > last);
		last = cursor.place.key;
		n++;
		if (!walk_step(&cursor))
			break;
	}
	return n;
}

static void test_walk(void)
{
	struct board_writer *w = writer_of(3);
	struct board_reader *r = board_map(fcntl(board_fd(w), F_DUPFD_CLOEXEC, 0));
	struct walk walk = {.board = r, .own = no_own};
	struct node_row gone = {.head = {.slot = 30}};
	struct mib_place p;
	struct cell cell;
	bool object;

	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	CU_ASSERT_EQUAL(walk_column(&walk, 2), 20);
	board_put(w, BOARD_NODE, &gone); /* freed, and still in the index */
	CU_ASSERT_EQUAL(walk_column(&walk, 2), 19);
	for (uint32_t slot = 0; slot < 60; slot++) {
		const mib_arc name[] = {NODE_COLUMN, 2, slot + 1};
		CU_ASSERT_EQUAL(mib_locate(name, COUNT_OF(name), &p, &object), 0);
		CU_ASSERT_EQUAL(walk_get(&walk, &p, &cell), slot % 3 == 0 && slot != 30 ? 0 : ERR_NOT_FOUND);
	}
	board_flip(w);
	CU_ASSERT_EQUAL(walk_column(&walk, 2), 19);
	CU_ASSERT_EQUAL(own_next_index(r, BOARD_NODE), 2);
	board_unmap(r);
	board_free(w);
	w = writer_of(1);
	r = board_map(fcntl(board_fd(w), F_DUPFD_CLOEXEC, 0));
	CU_ASSERT_EQUAL(own_next_index(r, BOARD_NODE), 61);
	board_unmap(r);
	board_free(w);
	walk.board = NULL;
	CU_ASSERT_EQUAL(walk_column(&walk, 2), 0);
	CU_ASSERT_EQUAL(own_next_index(NULL, BOARD_NODE), 0);
}

/* One cell of a table by its arcs behind gloryObjects. */
static int get(const struct walk *walk, const mib_arc *arcs, size_t count, struct cell *cell)
{
	mib_arc name[MIB_OID_MAX] = {0};
	struct mib_place p;
	bool object;

	memcpy(name, glory_root, sizeof glory_root);
	name[GLORY_ROOT_LENGTH] = 1;
	memcpy(name + GLORY_ROOT_LENGTH + 1, arcs, count * sizeof *arcs);
	return mib_locate(name, GLORY_ROOT_LENGTH + 1 + count, &p, &object) ? ERR_NOT_FOUND : walk_get(walk, &p, cell);
}
#define GET(...) get(&walk, (const mib_arc[]){__VA_ARGS__}, COUNT_OF(((const mib_arc[]){__VA_ARGS__})), &cell)

static void test_services(void)
{
	struct board_writer *w = writer_of(1);
	struct service_row s = {.head = {.generation = 1, .slot = 2, .order = 2}, .wanted = 5, .pin = 4, .enabled = 1, .state = SERVICE_SHORT,
				.utilisation = 0.61, .demand = (double)NAN, .reason = "grow 4>5: forecast 4.4"};
	struct member_row m = {.head = {.generation = 1, .slot = 9, .order = (uint64_t)2 << 32 | 7}, .service_slot = 2, .node_slot = 7,
			       .state = MEMBER_IN_SERVICE, .probe = PROBE_GOOD, .weight = 80, .total_connections = 6000000000u, .utilisation = (double)NAN};
	struct pool_row p = {.head = {.generation = 1}, .nodes = 8, .free = 3, .name = "web"};
	struct balancer_row b = {.head = {.generation = 1}, .driver = DRIVER_ALTEON, .state = BALANCER_REFUSED, .snmp = "switches"};

	board_put(w, BOARD_SERVICE, &s);
	board_put(w, BOARD_MEMBER, &m);
	board_put(w, BOARD_POOL, &p);
	board_put(w, BOARD_BALANCER, &b);
	board_flip(w);
	struct board_reader *r = board_map(fcntl(board_fd(w), F_DUPFD_CLOEXEC, 0));
	struct walk walk = {.board = r, .own = no_own};
	struct cell cell;
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	CU_ASSERT(GET(10, 1, 1, 10, 3) == 0 && cell.value.integer == 5);
	CU_ASSERT(GET(10, 1, 1, 11, 3) == 0 && cell.value.integer == 4);
	CU_ASSERT(GET(10, 1, 1, 13, 3) == 0 && cell.value.integer == 1);
	CU_ASSERT(GET(10, 1, 1, 14, 3) == 0 && cell.value.integer == SERVICE_SHORT);
	CU_ASSERT(GET(10, 1, 1, 22, 3) == 0 && cell.value.integer == 61);
	CU_ASSERT(GET(10, 1, 1, 23, 3) == 0 && cell.size == 0);
	CU_ASSERT(GET(10, 1, 1, 17, 3) == 0 && !memcmp(cell.value.bytes, "grow 4>5", 8));
	CU_ASSERT(GET(10, 1, 1, 10, 1) == ERR_NOT_FOUND);
	CU_ASSERT(GET(10, 3, 1, 2, 3, 8) == 0 && cell.value.integer == MEMBER_IN_SERVICE); /* service 3, node 8 */
	CU_ASSERT(GET(10, 3, 1, 9, 3, 8) == 0 && cell.value.integer == 80);
	CU_ASSERT(GET(10, 3, 1, 10, 3, 8) == 0 && cell.value.integer == -1);
	CU_ASSERT(GET(10, 3, 1, 12, 3, 8) == 0 && cell.value.wide.high == 1);
	CU_ASSERT(GET(10, 3, 1, 2, 3, 9) == ERR_NOT_FOUND);
	CU_ASSERT(GET(8, 1, 1, 5, 1) == 0 && cell.value.integer == 3);
	CU_ASSERT(GET(11, 1, 1, 3, 1) == 0 && cell.value.integer == DRIVER_ALTEON);
	CU_ASSERT(GET(11, 1, 1, 6, 1) == 0 && cell.size == 8);
	CU_ASSERT(GET(11, 1, 1, 8, 1) == 0 && cell.value.integer == BALANCER_REFUSED);
	CU_ASSERT_EQUAL(own_next_index(r, BOARD_SERVICE), 1);
	CU_ASSERT_EQUAL(own_next_index(r, BOARD_POOL), 2);
	board_unmap(r);
	board_free(w);
}

static void test_engine_state(void)
{
	struct engine_state s;

	CU_ASSERT_TRUE(engine_state_parse("id=80007ed9050102030405060708090a0b0c\nboots=41\n", &s));
	CU_ASSERT_EQUAL(s.boots, 41);
	CU_ASSERT_EQUAL(s.id[16], 0x0c);
	CU_ASSERT_FALSE(engine_state_parse("", &s));
	CU_ASSERT_FALSE(engine_state_parse("id=80007ed9\nboots=1\n", &s));
	CU_ASSERT_FALSE(engine_state_parse("id=80007ed9050102030405060708090a0b0c\nboots=0\n", &s));
	CU_ASSERT_FALSE(engine_state_parse("id=80007ed9050102030405060708090a0b0c\nboots=2147483648\n", &s));
	CU_ASSERT_FALSE(engine_state_parse("id=00007ed9050102030405060708090a0b0c\nboots=1\n", &s));
	CU_ASSERT_FALSE(engine_state_parse("id=80007ed90501020304050607080g0a0b0c\nboots=1\n", &s));
}

static const struct unit_test tests[] = {
	{"columns are those of the text", test_columns_are_the_text},
	{"columns are in the order of object identifiers", test_order},
	{"the place after a name", test_after},
	{"the place of a name", test_locate},
	{"cells", test_cells},
	{"walks over a board", test_walk},
	{"services, members, pools and balancers", test_services},
	{"engine state", test_engine_state},
};
UNIT_MAIN("agent tables", tests)
