/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine's service probes: numbers and generations, what the checker is told, what its reports change, and when nobody looks. */
#define clock_mono_ms clock_of_the_test
#include "engine/probes.c"

#include "tests/unit/unit.h"

static struct engine engine;
static struct msg_member_probe sent[8], *list;
static size_t sent_count, list_count;
static unsigned told;
static struct probe_view last;
static char last_member[NAME_SIZE];
static uint16_t last_port;
static int64_t now_ms = 1000000;

int64_t clock_mono_ms(void)
{
	return now_ms;
}

void engine_send(struct engine *e, enum role role, uint16_t type, const void *body, size_t size)
{
	(void)e;
	CU_ASSERT_EQUAL(role, ROLE_CHECKER);
	CU_ASSERT_EQUAL(type, MSG_PROBE_CHANGE);
	CU_ASSERT_EQUAL(size, sizeof sent[0]);
	if (sent_count < COUNT_OF(sent))
		memcpy(&sent[sent_count++], body, sizeof sent[0]);
}

void targets_send_array(struct engine *e, enum role role, uint16_t type, const void *array, size_t count, size_t element)
{
	(void)e, (void)role;
	CU_ASSERT_EQUAL(type, MSG_PROBES);
	free(list);
	list = mem_array(count + 1, element);
	memcpy(list, array, count * element);
	list_count = count;
}

static void on_told(void *arg, struct engine *e, const char *service, const char *member, uint16_t port, const struct probe_view *now)
{
	(void)arg, (void)e;
	CU_ASSERT_STRING_EQUAL(service, "web");
	told++;
	last = *now;
	last_port = port;
	text_copy(last_member, sizeof last_member, member);
}

static struct msg_member_probe tcp(const char *name)
{
	struct msg_member_probe m = {.address = {.family = 4, .port = 80, .bytes = {10, 0, 0, 1}}, .kind = PROBE_TCP, .rise = 3, .fall = 2,
				     .interval_ms = 1000, .timeout_ms = 500};

	text_copy(m.name, sizeof m.name, name);
	return m;
}

static void begin(void)
{
	memset(&engine, 0, sizeof engine);
	sent_count = told = 0;
	probes_listen(&engine, on_told, NULL);
}

static const struct msg_member_probe *want(const char *member, uint16_t port)
{
	struct msg_member_probe m = tcp(member);

	CU_ASSERT_EQUAL(probes_set(&engine, "web", member, port, &m, NULL), 0);
	return &sent[sent_count - 1];
}

static void report(const struct msg_member_probe *m, enum probe_state state, uint16_t streak, const char *text)
{
	struct msg_probe_state s = {.probe = m->probe, .generation = m->generation, .since_ms = now_ms, .took_ms = 3, .streak = streak, .state = (uint8_t)state};

	text_copy(s.text, sizeof s.text, text);
	probes_take(&engine, &s, 1);
}

static void numbers(void)
{
	struct msg_member_probe m = tcp("n001"), other;
	struct error err;

	begin();
	CU_ASSERT_EQUAL(probes_set(&engine, "web", "n001", 80, &m, &err), 0);
	CU_ASSERT_EQUAL(probes_set(&engine, "web", "n001", 443, &m, &err), 0);
	CU_ASSERT_EQUAL(probes_set(&engine, "mail", "n001", 80, &m, &err), 0);
	CU_ASSERT_EQUAL_FATAL(sent_count, 3);
	CU_ASSERT_NOT_EQUAL(sent[0].probe, sent[1].probe);
	CU_ASSERT_NOT_EQUAL(sent[0].generation, sent[1].generation);
	/* the same again, with rubbish behind the ends of texts and in the numbers that are not the caller's */
	other = m;
	other.probe = 77;
	other.generation = 99;
	memset(other.path + 1, 'x', sizeof other.path - 1);
	CU_ASSERT_EQUAL(probes_set(&engine, "web", "n001", 80, &other, &err), 0);
	CU_ASSERT_EQUAL(sent_count, 3);
	/* another one under the same name: same number, new generation */
	other.kind = PROBE_HTTP;
	CU_ASSERT_EQUAL(probes_set(&engine, "web", "n001", 80, &other, &err), 0);
	CU_ASSERT_EQUAL_FATAL(sent_count, 4);
	CU_ASSERT_EQUAL(sent[3].probe, sent[0].probe);
	CU_ASSERT(sent[3].generation > sent[2].generation);
	/* what cannot be looked at is said, not sent */
	other.interval_ms = 1;
	CU_ASSERT_EQUAL(probes_set(&engine, "web", "n002", 80, &other, &err), ERR_CONFIG);
	CU_ASSERT_STRING_EQUAL(err.object, "web");
	CU_ASSERT_EQUAL(sent_count, 4);
	probes_send(&engine);
	CU_ASSERT_EQUAL(list_count, 3);
	probes_remove(&engine, "web", "n001", 0);
	CU_ASSERT_EQUAL_FATAL(sent_count, 6);
	CU_ASSERT_EQUAL(sent[4].interval_ms, 0);
	probes_send(&engine);
	CU_ASSERT_EQUAL(list_count, 1);
	probes_remove(&engine, "mail", "", 0);
	probes_send(&engine);
	CU_ASSERT_EQUAL(list_count, 0);
	probes_stop(&engine);
}

static void states(void)
{
	const struct msg_member_probe *m;
	struct msg_member_probe old;
	struct probe_view v;

	begin();
	CU_ASSERT_FALSE(probes_get(&engine, "web", "n001", 80, &v));
	m = want("n001", 80);
	CU_ASSERT_TRUE(probes_get(&engine, "web", "n001", 80, &v));
	CU_ASSERT_EQUAL(v.state, PROBE_UNKNOWN);
	CU_ASSERT_STRING_EQUAL(v.text, "not yet looked at");
	report(m, PROBE_UNKNOWN, 1, "200 in 3 ms");
	CU_ASSERT_EQUAL(told, 0);
	report(m, PROBE_GOOD, 3, "200 in 3 ms");
	CU_ASSERT_EQUAL(told, 1);
	CU_ASSERT_EQUAL(last.state, PROBE_GOOD);
	CU_ASSERT_STRING_EQUAL(last_member, "n001");
	CU_ASSERT_EQUAL(last_port, 80);
	report(m, PROBE_GOOD, 4, "200 in \n ms"); /* text of the outside */
	CU_ASSERT_EQUAL(told, 1);
	probes_get(&engine, "web", "n001", 80, &v);
	CU_ASSERT_STRING_EQUAL(v.text, "200 in ? ms");
	/* a checker that is new has not seen enough: what was known stands */
	report(m, PROBE_UNKNOWN, 1, "connection refused");
	CU_ASSERT_EQUAL(told, 1);
	probes_get(&engine, "web", "n001", 80, &v);
	CU_ASSERT_EQUAL(v.state, PROBE_GOOD);
	report(m, PROBE_BAD, 2, "connection refused");
	CU_ASSERT_EQUAL(told, 2);
	report(m, PROBE_UNKNOWN, 0, "cannot look: no descriptors"); /* blind is told */
	CU_ASSERT_EQUAL(told, 3);
	CU_ASSERT_EQUAL(last.state, PROBE_UNKNOWN);
	/* what comes for an old generation, an unknown number or with rubbish in it is not taken */
	old = *m;
	old.generation += 5;
	report(&old, PROBE_GOOD, 3, "x");
	old = *m;
	old.probe = PROBES_MAX;
	report(&old, PROBE_GOOD, 3, "x");
	report(m, PROBE_STATE_COUNT, 3, "x");
	CU_ASSERT_EQUAL(told, 3);
	probes_stop(&engine);
}

static void worst_of_ports(void)
{
	struct msg_member_probe a, b;
	struct probe_view v;

	begin();
	a = *want("n001", 80);
	b = *want("n001", 443);
	report(&a, PROBE_GOOD, 3, "a");
	CU_ASSERT_TRUE(probes_get(&engine, "web", "n001", 0, &v));
	CU_ASSERT_EQUAL(v.state, PROBE_UNKNOWN);
	report(&b, PROBE_BAD, 3, "b");
	probes_get(&engine, "web", "n001", 0, &v);
	CU_ASSERT_EQUAL(v.state, PROBE_BAD);
	CU_ASSERT_STRING_EQUAL(v.text, "b");
	report(&b, PROBE_GOOD, 3, "b");
	probes_get(&engine, "web", "n001", 0, &v);
	CU_ASSERT_EQUAL(v.state, PROBE_GOOD);
	CU_ASSERT_FALSE(probes_get(&engine, "web", "n002", 0, &v));
	CU_ASSERT_EQUAL(v.state, PROBE_UNKNOWN);
	probes_stop(&engine);
}

static void nobody_looks(void)
{
	struct msg_member_probe m;

	begin();
	m = *want("n001", 80);
	report(&m, PROBE_GOOD, 3, "a");
	now_ms += SILENT_MS;
	probes_tick(&engine);
	CU_ASSERT_EQUAL(told, 1);
	/* cut off ourselves: neither bad news nor silence counts, nor right after it */
	engine.suspended = 1;
	report(&m, PROBE_BAD, 3, "no answer in 500 ms");
	now_ms += SILENT_MS;
	probes_tick(&engine);
	CU_ASSERT_EQUAL(told, 1);
	engine.suspended = 0;
	engine.hearing_since_ms = now_ms;
	probes_tick(&engine);
	CU_ASSERT_EQUAL(told, 1);
	now_ms += SILENT_MS + 1;
	probes_tick(&engine);
	CU_ASSERT_EQUAL(told, 2);
	CU_ASSERT_EQUAL(last.state, PROBE_UNKNOWN);
	CU_ASSERT_EQUAL(last.since_ms, now_ms);
	probes_tick(&engine);
	CU_ASSERT_EQUAL(told, 2);
	probes_stop(&engine);
}

static void all_numbers(void)
{
	struct msg_member_probe m = tcp("n001");
	char name[NAME_SIZE];
	struct error err;

	begin();
	for (unsigned i = 0; i < PROBES_MAX; i++) {
		text_format(name, sizeof name, "n%05u", i);
		CU_ASSERT_EQUAL_FATAL(probes_set(&engine, "web", name, 80, &m, &err), 0);
	}
	CU_ASSERT_EQUAL(probes_set(&engine, "web", "one-more", 80, &m, &err), ERR_NO_RESOURCE);
	probes_remove(&engine, "web", "n00007", 80);
	CU_ASSERT_EQUAL(probes_set(&engine, "web", "one-more", 80, &m, &err), 0);
	probes_send(&engine);
	CU_ASSERT_EQUAL(list_count, PROBES_MAX);
	probes_stop(&engine);
	free(list);
	list = NULL;
}

static const struct unit_test tests[] = {
	{"numbers and generations", numbers}, {"states", states},           {"worst of ports", worst_of_ports},
	{"nobody looks", nobody_looks},       {"all numbers", all_numbers},
};
UNIT_MAIN("probes of the engine", tests)
