/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The window of notifications in a time of our own, with losses, and what events become. */
#include "mibs/agent/snmp.h"

#include "unit.h"

#include <string.h>

#include "base/text.h"
#include "mibs/agent/event.h"
#include "mibs/agent/window.h"

static struct window w;

static bool add(uint64_t id)
{
	struct msg_notify e = {.event = id, .kind = NOTIFY_LEVEL};

	return window_add(&w, &e);
}

static void test_bounds(void)
{
	window_begin(&w);
	for (uint64_t i = 1; i <= NOTIFY_WINDOW; i++)
		CU_ASSERT_TRUE(add(i));
	CU_ASSERT_FALSE(add(1000));
	window_begin(&w);
	CU_ASSERT_TRUE(add(5));
	CU_ASSERT_FALSE(add(5)); /* the engine says it again: it is known */
}

static void test_all_at_once_while_it_answers(void)
{
	uint32_t try[4];
	struct msg_notify done;

	window_begin(&w);
	for (uint64_t i = 1; i <= 4; i++)
		add(i);
	for (int i = 0; i < 4; i++)
		CU_ASSERT_PTR_NOT_NULL(window_next(&w, 0, &try[i]));
	uint32_t none;
	CU_ASSERT_PTR_NULL(window_next(&w, 0, &none));
	CU_ASSERT_TRUE(window_done(&w, try[2], &done));
	CU_ASSERT_EQUAL(done.event, 3);
	CU_ASSERT_FALSE(window_done(&w, try[2], &done));
	CU_ASSERT_EQUAL(w.count, 3);
}

static void test_one_at_a_time_after_a_loss(void)
{
	uint32_t try[4], next;
	struct msg_notify done;
	const struct msg_notify *e;

	window_begin(&w);
	for (uint64_t i = 1; i <= 4; i++)
		add(i);
	for (int i = 0; i < 4; i++)
		window_next(&w, 0, &try[i]);
	for (int i = 0; i < 4; i++)
		window_lost(&w, try[i], 2000);
	CU_ASSERT_PTR_NULL(window_next(&w, 2000 + WINDOW_GAP_FIRST_MS - 1, &next));
	e = window_next(&w, 2000 + WINDOW_GAP_FIRST_MS, &next);
	CU_ASSERT_PTR_NOT_NULL_FATAL(e);
	CU_ASSERT_EQUAL(e->event, 1);
	CU_ASSERT_FALSE(window_done(&w, try[0], &done)); /* a late answer to the first sending is of another sending */
	uint32_t other;
	CU_ASSERT_PTR_NULL(window_next(&w, 9000, &other));
	CU_ASSERT_TRUE(window_done(&w, next, &done));
	CU_ASSERT_EQUAL(window_next(&w, 9000, &next)->event, 2); /* it answers: two, then four */
	CU_ASSERT_EQUAL(window_next(&w, 9000, &next)->event, 3);
	CU_ASSERT_PTR_NULL(window_next(&w, 9000, &next));
}

/* A receiver that is away for ten minutes, with one event a second, and then answers everything: all arrive, in order. */
static void test_absence(void)
{
	uint64_t made = 0, arrived = 0;
	uint32_t try, sent[NOTIFY_WINDOW] = {0};
	int64_t due[NOTIFY_WINDOW];
	size_t flying = 0, sendings = 0;
	struct msg_notify done;

	window_begin(&w);
	for (int64_t now = 0; now < 900000; now += 250) {
		if (made < 600 && now % 1000 == 0)
			made++;
		while (arrived + w.count < made && add(arrived + w.count + 1)) /* as the engine keeps the window full */
			;
		for (size_t i = 0; i < flying;) {
			if (now >= 600000) {
				CU_ASSERT_TRUE(window_done(&w, sent[i], &done) && done.event == ++arrived);
			} else if (now >= due[i]) {
				window_lost(&w, sent[i], now);
			} else {
				i++;
				continue;
			}
			flying--;
			memmove(&sent[i], &sent[i + 1], (flying - i) * sizeof sent[0]);
			memmove(&due[i], &due[i + 1], (flying - i) * sizeof due[0]);
		}
		while (window_next(&w, now, &try)) {
			sent[flying] = try;
			due[flying++] = now + 2000;
			sendings++;
		}
	}
	CU_ASSERT_EQUAL(arrived, 600);
	CU_ASSERT(sendings < 600 + 64 + 600000 / 5000); /* it is not pestered meanwhile */
}

static void test_syslog(void)
{
	struct msg_notify e = {.event = 17, .at_wall_ms = INT64_C(1769860800123), .kind = NOTIFY_ALARM_RAISE, .alarm = 3, .severity = LEVEL_CRITICAL, .slot = 4};
	char line[1024];

	text_copy(e.object, sizeof e.object, "n005");
	text_copy(e.cause, sizeof e.cause, "says \"no\"]\n");
	event_syslog(&e, "glory1", line, sizeof line);
	CU_ASSERT_STRING_EQUAL(line, "<26>1 2026-01-31T12:00:00.123Z glory1 glory - alarm-raise [glory@32473 event=\"17\" object=\"n005\" "
				     "is=\"critical\" alarm=\"3\"] n005: critical: says \"no\"]?");
	CU_ASSERT(event_is_sound(&e));
	e.kind = NOTIFY_KIND_COUNT;
	CU_ASSERT_FALSE(event_is_sound(&e));
	e.kind = NOTIFY_LEVEL;
	e.level = LEVEL_COUNT;
	CU_ASSERT_FALSE(event_is_sound(&e));
	e.level = 0;
	memset(e.cause, 'x', sizeof e.cause);
	CU_ASSERT_FALSE(event_is_sound(&e));
}

static void test_pdu(void)
{
	struct msg_notify e = {.event = 17, .at_wall_ms = 1, .kind = NOTIFY_JOB_END, .job = 9, .job_state = JOB_FAILED, .slot = NO_SLOT};
	netsnmp_pdu *pdu = event_pdu(&e, SNMP_MSG_INFORM, 4711);
	netsnmp_variable_list *v = pdu->variables;

	CU_ASSERT_EQUAL(*v->val.integer, 4711);
	v = v->next_variable;
	CU_ASSERT_EQUAL(v->val.objid[v->val_len / sizeof(oid) - 1], NOTIFY_JOB_END);
	v = v->next_variable;
	CU_ASSERT_EQUAL(v->name[10], 1);
	CU_ASSERT_EQUAL(*v->val.integer, 17);
	size_t n = 2;
	for (; v; v = v->next_variable)
		n++;
	CU_ASSERT_EQUAL(n, 9); /* up-time, kind, five common objects, two of its own */
	snmp_free_pdu(pdu);
}

static void test_service_event(void)
{
	struct msg_notify e = {.event = 18, .at_wall_ms = 1, .kind = NOTIFY_SERVICE, .level = LEVEL_MAJOR, .service_state = SERVICE_SHORT,
			       .slot = NO_SLOT, .object = "web", .cause = "3 of 5 in service"};
	char line[512];

	CU_ASSERT_TRUE(event_is_sound(&e));
	netsnmp_pdu *pdu = event_pdu(&e, SNMP_MSG_INFORM, 4711);
	netsnmp_variable_list *v = pdu->variables->next_variable;
	CU_ASSERT_EQUAL(v->val.objid[v->val_len / sizeof(oid) - 1], 6);
	for (size_t i = 0; i < 6; i++)
		v = v->next_variable;
	CU_ASSERT_EQUAL_FATAL(v->name[10], 13); /* gloryEventServiceState */
	CU_ASSERT_EQUAL(*v->val.integer, SERVICE_SHORT);
	CU_ASSERT_EQUAL(*v->next_variable->val.integer, LEVEL_MAJOR);
	snmp_free_pdu(pdu);
	event_syslog(&e, "glory1", line, sizeof line);
	CU_ASSERT_PTR_NOT_NULL(strstr(line, "service-state-change"));
	CU_ASSERT_PTR_NOT_NULL(strstr(line, "web: short: 3 of 5 in service"));
	e.service_state = SERVICE_STATE_COUNT;
	CU_ASSERT_FALSE(event_is_sound(&e));
	e.service_state = 0;
	e.kind = NOTIFY_KIND_COUNT;
	CU_ASSERT_FALSE(event_is_sound(&e));
}

static const struct unit_test tests[] = {
	{"bounds", test_bounds},
	{"all at once while it answers", test_all_at_once_while_it_answers},
	{"one at a time after a loss", test_one_at_a_time_after_a_loss},
	{"an absence of ten minutes", test_absence},
	{"syslog lines", test_syslog},
	{"notification PDUs", test_pdu},
	{"services", test_service_event},
};
UNIT_MAIN("agent notifications", tests)
