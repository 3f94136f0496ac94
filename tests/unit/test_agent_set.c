/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What SETs become: commands, or the SNMP error and its place. */
#include "unit.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "mibs/agent/set.h"

#define NODE(column, index) {1, 3, 6, 1, 4, 1, GLORY_PEN, 1, 1, 4, 1, 1, column, index}, 14
#define GROUP(column, index) {1, 3, 6, 1, 4, 1, GLORY_PEN, 1, 1, 3, 1, 1, column, index}, 14
#define WATCH(column, index) {1, 3, 6, 1, 4, 1, GLORY_PEN, 1, 1, 7, 1, 1, column, index}, 14
#define POOL(column, index) {1, 3, 6, 1, 4, 1, GLORY_PEN, 1, 1, 8, 1, 1, column, index}, 14
#define SERVICE(column, index) {1, 3, 6, 1, 4, 1, GLORY_PEN, 1, 1, 10, 1, 1, column, index}, 14
#define BALANCER(column, index) {1, 3, 6, 1, 4, 1, GLORY_PEN, 1, 1, 11, 1, 1, column, index}, 14
#define ALARM(column, index) {1, 3, 6, 1, 4, 1, GLORY_PEN, 1, 1, 13, 1, 1, column, index}, 14

struct given {
	mib_arc name[14];
	size_t length;
	long integer;
	const char *text; /* NULL: an integer, number: an Unsigned32; times: octets that do not end with a zero */
};
static const char number[] = "number";
static const char half_past_noon[] = "\x07\xea\x01\x1f\x0c\x1e\x00\x05+\x02\x00", month_13[] = "\x07\xea\x0d\x1f\x0c\x00\x00\x00+\x00\x00",
		  no_sign[] = "\x07\xea\x01\x1f\x0c\x00\x00\x00\"\x00\x00", nowhere[] = "\x07\xea\x01\x1f\x0c\x00\x00\x00",
		  never[] = "\x00\x00\x01\x01\x00\x00\x00\x00";
static const struct {
	const char *text;
	size_t size;
} times[] = {{half_past_noon, 11}, {month_13, 11}, {no_sign, 11}, {nowhere, 8}, {never, 8}};

static size_t size_of(const char *text)
{
	for (size_t i = 0; i < COUNT_OF(times); i++)
		if (times[i].text == text)
			return times[i].size;
	return strlen(text);
}

/* Rows 1 to 9 exist. */
static int row_name(void *arg, const struct mib_place *place, char *name, size_t size)
{
	(void)arg;
	mib_arc oid[MIB_OID_MAX];
	size_t n = mib_name(place, oid);

	if (oid[n - 1] == 8)
		return ERR_BUSY;
	text_format(name, size, "row%lu", oid[n - 1]);
	return oid[n - 1] < 10 ? 0 : ERR_NOT_FOUND;
}

static bool may_write(void *arg, const mib_arc *name, size_t length)
{
	(void)name;
	(void)length;
	return *(bool *)arg;
}

static uint32_t next_index(void *arg, enum board_table table)
{
	(void)arg;
	return table == BOARD_NODE ? 20 : 30;
}

static struct set_plan *plan(const struct given *given, size_t count, bool allowed)
{
	static struct set_plan out;
	struct set_varbind list[16];

	for (size_t i = 0; i < count; i++) {
		list[i] = (struct set_varbind){.name = given[i].name, .length = given[i].length, .asn = given[i].text == number ? 0x42 : given[i].text ? 4 : 2, .integer = given[i].integer};
		if (given[i].text && given[i].text != number) {
			list[i].bytes = (const uint8_t *)given[i].text;
			list[i].size = size_of(given[i].text);
		}
	}
	const struct set_questions ask = {may_write, row_name, next_index, &allowed};
	set_plan_make(list, count, &ask, &out);
	return &out;
}
#define PLAN(...) plan((const struct given[]){__VA_ARGS__}, COUNT_OF(((const struct given[]){__VA_ARGS__})), true)

static void expect_error(const struct set_plan *p, long status, size_t index)
{
	CU_ASSERT_EQUAL(p->status, status);
	CU_ASSERT_EQUAL(p->index, index);
	CU_ASSERT_EQUAL(p->count, 0);
}

static void expect_command(const struct set_plan *p, size_t at, uint32_t verb, const char *target, const char *arguments)
{
	CU_ASSERT_EQUAL_FATAL(p->status, 0);
	CU_ASSERT_FATAL(at < p->count);
	CU_ASSERT_EQUAL(p->commands[at].verb, verb);
	CU_ASSERT_STRING_EQUAL(p->commands[at].target, target);
	CU_ASSERT_STRING_EQUAL(p->commands[at].arguments, arguments);
}

static void test_power(void)
{
	expect_command(PLAN({NODE(11, 3), POWER_VERB_CYCLE, NULL}), 0, COMMAND_POWER, "row3", "{\"verb\":\"cycle\"}");
	struct set_plan *two = PLAN({NODE(11, 3), POWER_VERB_OFF, NULL}, {NODE(11, 4), POWER_VERB_ON, NULL});
	CU_ASSERT_EQUAL(two->count, 2);
	expect_command(two, 1, COMMAND_POWER, "row4", "{\"verb\":\"on\"}");
	CU_ASSERT_EQUAL(two->commands[1].varbind, 1);
	expect_error(PLAN({NODE(11, 3), POWER_VERB_NONE, NULL}), 10, 1);
	expect_error(PLAN({NODE(11, 3), 99, NULL}), 10, 1);
	expect_error(PLAN({NODE(11, 3), -2147483647, NULL}), 10, 1);
	expect_error(PLAN({NODE(11, 3), 0, "cycle"}), 7, 1);
	expect_error(PLAN({NODE(11, 30), POWER_VERB_ON, NULL}), 18, 1);
	expect_error(PLAN({NODE(11, 8), POWER_VERB_ON, NULL}), 5, 1);
	expect_error(PLAN({NODE(11, 3), POWER_VERB_ON, NULL}, {NODE(11, 3), POWER_VERB_OFF, NULL}), 12, 2);
	expect_error(PLAN({NODE(11, 3), POWER_VERB_ON, NULL}, {NODE(21, 3), 1, NULL}), 12, 1); /* two commands for one row */
	expect_error(PLAN({NODE(6, 3), 2, NULL}), 17, 1);
	expect_error(PLAN({NODE(99, 3), 2, NULL}), 6, 1);
	expect_error(plan((const struct given[]){{NODE(11, 3), POWER_VERB_ON, NULL}}, 1, false), 6, 1);
}

static void test_rows(void)
{
	expect_command(PLAN({NODE(18, 20), 4, NULL}, {NODE(2, 20), 0, "n20"}, {NODE(3, 20), 0, "g01"}, {NODE(4, 20), 0, "10.0.0.1:161"},
			    {NODE(5, 20), 0, "[::1]:700"}, {NODE(20, 20), POWER_OFF, NULL}),
		       0, COMMAND_NODE_ADD, "n20",
		       "{\"group\":\"g01\",\"address\":\"10.0.0.1\",\"bmc\":\"[::1]:700\",\"wanted_power\":\"off\"}");
	expect_command(PLAN({NODE(18, 2), 6, NULL}), 0, COMMAND_NODE_REMOVE, "row2", "{}");
	expect_command(PLAN({NODE(21, 2), 1, NULL}, {NODE(5, 2), 0, ""}), 0, COMMAND_NODE_SET, "row2", "{\"maintenance\":true,\"bmc\":\"\"}");
	expect_command(PLAN({GROUP(2, 30), 0, "g30"}, {GROUP(10, 30), 4, NULL}, {GROUP(7, 30), POLICY_HANDS_OFF, NULL}), 0, COMMAND_GROUP_ADD,
		       "g30", "{\"policy\":\"hands-off\"}");
	expect_command(PLAN({GROUP(7, 1), POLICY_REPAIR, NULL}), 0, COMMAND_GROUP_SET, "row1", "{\"policy\":\"repair\"}");
	expect_command(PLAN({ALARM(9, 7), 1, NULL}), 0, COMMAND_ALARM_ACK, "row7", "{}");
	expect_error(PLAN({ALARM(9, 7), 2, NULL}), 10, 1);
	expect_error(PLAN({NODE(18, 20), 4, NULL}), 12, 1);                             /* too little for a node */
	expect_error(PLAN({NODE(18, 2), 4, NULL}, {NODE(2, 2), 0, "x"}, {NODE(3, 2), 0, "g"}, {NODE(4, 2), 0, "10.0.0.1"}), 12, 1);
	expect_error(PLAN({NODE(18, 21), 4, NULL}, {NODE(2, 21), 0, "x"}, {NODE(3, 21), 0, "g"}, {NODE(4, 21), 0, "10.0.0.1"}), 18, 1); /* not the next index */
	expect_error(PLAN({NODE(18, 20), 6, NULL}), 12, 1);
	expect_error(PLAN({NODE(18, 2), 5, NULL}), 10, 1);                              /* createAndWait */
	expect_error(PLAN({NODE(18, 2), 1, NULL}), 10, 1);
	expect_error(PLAN({NODE(2, 2), 0, "new-name"}), 12, 1);                         /* names do not change */
	expect_error(PLAN({NODE(21, 2), 3, NULL}), 10, 1);
	expect_error(PLAN({NODE(3, 2), 0, "bad\"name"}), 10, 1);
	expect_error(PLAN({NODE(4, 2), 0, ""}), 10, 1);
	expect_error(PLAN({NODE(4, 2), 0, "host.example"}), 10, 1);
	expect_error(PLAN({NODE(3, 2), 0, "0123456789012345678901234567890123456789012345678901234567890123456789"}), 8, 1);
}

static void test_watches(void)
{
	expect_command(PLAN({WATCH(14, 30), 4, NULL}, {WATCH(2, 30), 0, "web"}, {WATCH(3, 30), 0, "httpd*"}, {WATCH(5, 30), 2, number},
			    {WATCH(8, 30), 0, "n[001-004]"}),
		       0, COMMAND_WATCH_ADD, "web", "{\"process\":\"httpd*\",\"min\":2,\"scope\":\"n[001-004]\"}");
	expect_command(PLAN({WATCH(6, 3), 9, number}, {WATCH(4, 3), 0, ""}), 0, COMMAND_WATCH_SET, "row3", "{\"max\":9,\"arguments\":\"\"}");
	expect_command(PLAN({WATCH(14, 3), 6, NULL}), 0, COMMAND_WATCH_REMOVE, "row3", "{}");
	expect_error(PLAN({WATCH(14, 30), 4, NULL}, {WATCH(2, 30), 0, "web"}), 12, 1);  /* of which process? */
	expect_command(PLAN({WATCH(3, 3), 0, "a\",\"scope\":\"@site"}), 0, COMMAND_WATCH_SET, "row3",
		       "{\"process\":\"a\\\",\\\"scope\\\":\\\"@site\"}"); /* nothing leaves its quotes */
	expect_command(PLAN({WATCH(3, 3), 0, "a\\"}), 0, COMMAND_WATCH_SET, "row3", "{\"process\":\"a\\\\\"}");
	expect_error(PLAN({WATCH(3, 3), 0, "a\x07"}), 10, 1);
	expect_error(PLAN({WATCH(5, 3), 2, NULL}), 7, 1);                               /* INTEGER is not Unsigned32 */
	expect_error(PLAN({WATCH(9, 3), 2, number}), 17, 1);
}

static void test_pools(void)
{
	expect_command(PLAN({POOL(11, 30), 4, NULL}, {POOL(2, 30), 0, "web"}, {POOL(3, 30), 0, "n[001-004]"}, {POOL(8, 30), 1, number}), 0,
		       COMMAND_POOL_ADD, "web", "{\"nodes\":\"n[001-004]\",\"reserve\":1}");
	expect_command(PLAN({POOL(3, 2), 0, "@g01"}), 0, COMMAND_POOL_SET, "row2", "{\"nodes\":\"@g01\"}");
	expect_command(PLAN({POOL(11, 2), 6, NULL}), 0, COMMAND_POOL_REMOVE, "row2", "{}");
	expect_error(PLAN({POOL(11, 30), 4, NULL}, {POOL(2, 30), 0, "web"}), 12, 1);
	expect_error(PLAN({POOL(5, 2), 1, number}), 17, 1);
	expect_command(PLAN({BALANCER(18, 30), 4, NULL}, {BALANCER(2, 30), 0, "lb"}, {BALANCER(3, 30), DRIVER_CISCO_SLB, NULL},
			    {BALANCER(4, 30), 0, "10.1.0.9"}, {BALANCER(6, 30), 0, "old"}),
		       0, COMMAND_BALANCER_ADD, "lb", "{\"driver\":\"cisco-slb\",\"address\":\"10.1.0.9\",\"snmp\":\"old\"}");
	expect_command(PLAN({BALANCER(4, 2), 0, ""}, {BALANCER(5, 2), 0, ""}, {BALANCER(7, 2), 0, "socket=/run/x"}), 0, COMMAND_BALANCER_SET,
		       "row2", "{\"address\":\"\",\"ssh\":\"\",\"options\":\"socket=/run/x\"}");
	expect_command(PLAN({BALANCER(4, 2), 0, "[fd00::1]:2222"}), 0, COMMAND_BALANCER_SET, "row2", "{\"address\":\"[fd00::1]:2222\"}");
	expect_error(PLAN({BALANCER(3, 2), 99, NULL}), 10, 1);
	expect_error(PLAN({BALANCER(8, 2), 2, NULL}), 17, 1);
	expect_command(PLAN({BALANCER(18, 2), 6, NULL}), 0, COMMAND_BALANCER_REMOVE, "row2", "{}");
}

static void test_services(void)
{
	expect_command(PLAN({SERVICE(34, 30), 4, NULL}, {SERVICE(2, 30), 0, "web"}, {SERVICE(3, 30), 0, "lb1"}, {SERVICE(4, 30), 0, "10.9.0.1:80>81"},
			    {SERVICE(5, 30), 0, "p"}, {SERVICE(7, 30), 0, "systemd:nginx"}, {SERVICE(9, 30), 6, number}, {SERVICE(13, 30), 2, NULL}),
		       0, COMMAND_SERVICE_ADD, "web",
		       "{\"balancer\":\"lb1\",\"virtuals\":\"10.9.0.1:80>81\",\"pool\":\"p\",\"agent\":\"systemd:nginx\",\"max\":6,\"enabled\":false}");
	expect_error(PLAN({SERVICE(34, 30), 4, NULL}, {SERVICE(2, 30), 0, "web"}, {SERVICE(3, 30), 0, "lb1"}), 12, 1);
	expect_command(PLAN({SERVICE(34, 3), 6, NULL}), 0, COMMAND_SERVICE_REMOVE, "row3", "{}");
	/* what operators do */
	expect_command(PLAN({SERVICE(10, 3), 4, number}), 0, COMMAND_SERVICE_SET, "row3", "{\"pin\":4}");
	expect_command(PLAN({SERVICE(10, 3), 0, number}), 0, COMMAND_SERVICE_SET, "row3", "{\"pin\":0}");
	expect_command(PLAN({SERVICE(13, 3), 1, NULL}, {SERVICE(10, 4), 2, number}), 0, COMMAND_SERVICE_SET, "row3", "{\"enabled\":true}");
	expect_command(PLAN({SERVICE(10, 3), 4, number}, {SERVICE(12, 3), 0, half_past_noon}), 0, COMMAND_SERVICE_SET,
		       "row3", "{\"pin\":4,\"pin_until\":\"2026-01-31T12:30:00.5+02:00\"}");
	expect_command(PLAN({SERVICE(12, 3), 0, never}), 0, COMMAND_SERVICE_SET, "row3", "{\"pin_until\":\"\"}");
	expect_error(PLAN({SERVICE(12, 3), 0, nowhere}), 10, 1);             /* of which place? */
	expect_error(PLAN({SERVICE(12, 3), 0, month_13}), 10, 1); /* month 13 */
	expect_error(PLAN({SERVICE(12, 3), 0, no_sign}), 10, 1);
	expect_error(PLAN({SERVICE(12, 3), 0, "tomorrow"}), 10, 1);
	expect_error(PLAN({SERVICE(12, 3), 0, "never"}), 8, 1);
	expect_command(PLAN({SERVICE(6, 3), 0, ""}, {SERVICE(31, 3), POLICY_TELL, NULL}), 0, COMMAND_SERVICE_SET, "row3",
		       "{\"software\":\"\",\"policy\":\"tell\"}");
	expect_error(PLAN({SERVICE(5, 3), 0, ""}), 10, 1);
	expect_error(PLAN({SERVICE(11, 3), 4, number}), 17, 1);
	expect_error(PLAN({SERVICE(14, 3), 4, NULL}), 17, 1);
	expect_error(PLAN({SERVICE(10, 30), 4, number}), 18, 1);
	expect_error(PLAN({SERVICE(13, 3), 3, NULL}), 10, 1);
}

static void test_status(void)
{
	CU_ASSERT_EQUAL(set_status_of(0), 0);
	CU_ASSERT_EQUAL(set_status_of(ERR_REFUSED), 12);
	CU_ASSERT_EQUAL(set_status_of(ERR_NOT_NOW), 12);
	CU_ASSERT_EQUAL(set_status_of(ERR_BUSY), 13);
	CU_ASSERT_EQUAL(set_status_of(-99), 5);
	for (int kind = ERR_BUG; kind >= ERR_BUSY; kind--)
		CU_ASSERT(set_status_of(kind) >= 5 && set_status_of(kind) <= 18);
}

static const struct unit_test tests[] = {
	{"power", test_power},
	{"rows", test_rows},
	{"watches", test_watches},
	{"pools and balancers", test_pools},
	{"services", test_services},
	{"errors of the engine", test_status},
};
UNIT_MAIN("agent sets", tests)
