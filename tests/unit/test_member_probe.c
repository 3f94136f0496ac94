/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Service probes, the pure part: what may be looked at, rise and fall, words, spreading, what an answer says, URLs. */
#include <errno.h>
#include <string.h>

#include "checker/probe.h"

#include "base/memory.h"
#include "base/text.h"
#include "tests/unit/unit.h"

static struct msg_member_probe http(void)
{
	return (struct msg_member_probe){.probe = 3, .generation = 7, .address = {.family = 4, .port = 80, .bytes = {10, 0, 0, 1}},
					 .kind = PROBE_HTTP, .rise = 3, .fall = 2, .interval_ms = 1000, .timeout_ms = 500,
					 .name = "n001", .path = "/health"};
}

static void sound(void)
{
	struct msg_member_probe m = http();

	CU_ASSERT_TRUE(probe_sound(&m));
	/* each thing that must be refused, one by one */
#define REFUSED(change) \
	do { \
		m = http(); \
		change; \
		CU_ASSERT_FALSE(probe_sound(&m)); \
	} while (0)
	REFUSED(m.probe = PROBES_MAX);
	REFUSED(m.generation = 0);
	REFUSED(m.kind = 0);
	REFUSED(m.kind = PROBE_PLUGIN + 1);
	REFUSED(m.kind = PROBE_PLUGIN); /* without a plugin */
	REFUSED(m.rise = 0);
	REFUSED(m.fall = 101);
	REFUSED(m.interval_ms = 199);
	REFUSED(m.timeout_ms = 60001);
	REFUSED(m.address.family = 0);
	REFUSED(m.address.port = 0);
	REFUSED(m.status_low = 200);
	REFUSED((m.status_low = 300, m.status_high = 200));
	REFUSED(text_copy(m.path, sizeof m.path, "health"));
	REFUSED(text_copy(m.path, sizeof m.path, "/a b"));
	REFUSED(text_copy(m.path, sizeof m.path, "/a\r\nX: y"));
	REFUSED(text_copy(m.path, sizeof m.path, "/\xc3\xa4"));
	REFUSED(text_copy(m.host, sizeof m.host, "a b"));
	REFUSED(text_copy(m.host, sizeof m.host, "user@host"));
	REFUSED(text_copy(m.host, sizeof m.host, "host/path"));
	REFUSED(memset(m.expect, 'x', sizeof m.expect));
	REFUSED((m.kind = PROBE_PLUGIN, text_copy(m.plugin, sizeof m.plugin, "../x")));
#undef REFUSED
	m = http();
	m.kind = PROBE_PLUGIN;
	m.address.port = 0;
	text_copy(m.plugin, sizeof m.plugin, "check_http");
	CU_ASSERT_TRUE(probe_sound(&m));
}

static void rise_and_fall(void)
{
	struct msg_member_probe m = http();
	struct probe_memory p;

	probe_begin(&p, 5);
	CU_ASSERT_EQUAL(p.state, PROBE_UNKNOWN);
	CU_ASSERT_FALSE(probe_judge(&p, &m, LOOK_GOOD, 10));
	CU_ASSERT_FALSE(probe_judge(&p, &m, LOOK_GOOD, 20));
	CU_ASSERT_TRUE(probe_judge(&p, &m, LOOK_GOOD, 30));
	CU_ASSERT_EQUAL(p.state, PROBE_GOOD);
	CU_ASSERT_EQUAL(p.since_ms, 30);
	CU_ASSERT_FALSE(probe_judge(&p, &m, LOOK_GOOD, 40));
	/* one bad look changes nothing, and one good look undoes it */
	CU_ASSERT_FALSE(probe_judge(&p, &m, LOOK_LATE, 50));
	CU_ASSERT_FALSE(probe_judge(&p, &m, LOOK_GOOD, 60));
	CU_ASSERT_FALSE(probe_judge(&p, &m, LOOK_REFUSED, 70));
	CU_ASSERT_EQUAL(p.streak, 1);
	CU_ASSERT_TRUE(probe_judge(&p, &m, LOOK_STATUS, 80));
	CU_ASSERT_EQUAL(p.state, PROBE_BAD);
	CU_ASSERT_EQUAL(p.since_ms, 80);
	/* back only after so many in a row */
	CU_ASSERT_FALSE(probe_judge(&p, &m, LOOK_GOOD, 90));
	CU_ASSERT_FALSE(probe_judge(&p, &m, LOOK_GOOD, 100));
	CU_ASSERT_FALSE(probe_judge(&p, &m, LOOK_LATE, 110));
	CU_ASSERT_FALSE(probe_judge(&p, &m, LOOK_GOOD, 120));
	CU_ASSERT_FALSE(probe_judge(&p, &m, LOOK_GOOD, 130));
	CU_ASSERT_TRUE(probe_judge(&p, &m, LOOK_GOOD, 140));
	CU_ASSERT_EQUAL(p.state, PROBE_GOOD);
}

static void cannot_look(void)
{
	struct msg_member_probe m = http();
	struct probe_memory p;

	probe_begin(&p, 0);
	for (int i = 0; i < 3; i++)
		probe_judge(&p, &m, LOOK_GOOD, i);
	/* our own trouble is never the member's, and not good news for ever either */
	CU_ASSERT_FALSE(probe_judge(&p, &m, LOOK_BLIND, 10));
	CU_ASSERT_EQUAL(p.state, PROBE_GOOD);
	CU_ASSERT_TRUE(probe_judge(&p, &m, LOOK_BLIND, 20));
	CU_ASSERT_EQUAL(p.state, PROBE_UNKNOWN);
	CU_ASSERT_EQUAL(p.streak, 0);
	CU_ASSERT_FALSE(probe_judge(&p, &m, LOOK_GOOD, 30));
	CU_ASSERT_EQUAL(p.streak, 1);
}

static const char *said(const struct msg_member_probe *m, enum look_end end, int code, const char *words)
{
	static char out[NAME_SIZE];
	struct look look = {.end = end, .code = code, .took_ms = 3, .text = words};

	probe_explain(m, &look, out);
	return out;
}

static void words(void)
{
	struct msg_member_probe m = http();

	CU_ASSERT_STRING_EQUAL(said(&m, LOOK_GOOD, 204, NULL), "204 in 3 ms");
	CU_ASSERT_STRING_EQUAL(said(&m, LOOK_REFUSED, 0, NULL), "connection refused");
	CU_ASSERT_STRING_EQUAL(said(&m, LOOK_LATE, 0, NULL), "no answer in 500 ms");
	CU_ASSERT_STRING_EQUAL(said(&m, LOOK_STATUS, 500, NULL), "answers 500, 200-399 wanted");
	CU_ASSERT_STRING_EQUAL(said(&m, LOOK_GARBAGE, 0, NULL), "answers no HTTP");
	CU_ASSERT_STRING_EQUAL(said(&m, LOOK_TLS, 0, "wrong\nversion"), "no TLS: wrong?version");
	CU_ASSERT_STRING_EQUAL(said(&m, LOOK_TLS, 0, ""), "no TLS");
	CU_ASSERT_STRING_EQUAL(said(&m, LOOK_TLS, 0, "error:0A00010B:SSL routines::wrong version"), "no TLS: wrong version");
	CU_ASSERT_STRING_EQUAL(said(&m, LOOK_BLIND, EMFILE, NULL), "cannot look: Too many open files");
	m.timeout_ms = 2000;
	m.status_low = m.status_high = 204;
	CU_ASSERT_STRING_EQUAL(said(&m, LOOK_LATE, 0, NULL), "no answer in 2 s");
	CU_ASSERT_STRING_EQUAL(said(&m, LOOK_STATUS, 200, NULL), "answers 200, 204 wanted");
	text_copy(m.expect, sizeof m.expect, "all well");
	CU_ASSERT_STRING_EQUAL(said(&m, LOOK_TEXT, 204, NULL), "answers 204 without \"all well\"");
	memset(m.expect, 'x', sizeof m.expect - 1);
	CU_ASSERT_EQUAL(strlen(said(&m, LOOK_TEXT, 204, NULL)), NAME_SIZE - 1);
	m.kind = PROBE_TCP;
	CU_ASSERT_STRING_EQUAL(said(&m, LOOK_GOOD, 0, NULL), "connects in 3 ms");
	m.kind = PROBE_PLUGIN;
	CU_ASSERT_STRING_EQUAL(said(&m, LOOK_GOOD, 0, "OK - 3 users"), "OK - 3 users");
	CU_ASSERT_STRING_EQUAL(said(&m, LOOK_PLUGIN, 0, ""), "its plugin says nothing");
}

/* A thousand members of one interval: no tenth of it gets more than twice its share, each is looked at once an interval. */
static void spread(void)
{
	struct msg_member_probe m = http();
	unsigned tenth[10] = {0};

	for (unsigned i = 0; i < 1000; i++) {
		text_format(m.name, sizeof m.name, "n%04u", i);
		int64_t at = probe_due(&m, 1000000), before = at;
		CU_ASSERT(at > 1000000 && at <= 1000000 + 1100);
		tenth[at / 100 % 10]++;
		for (int k = 0; k < 20; k++) {
			at = probe_due(&m, before);
			CU_ASSERT(at - before >= 900 && at - before <= 1100);
			before = at;
		}
		CU_ASSERT(probe_first(&m, 5000) >= 5000 && probe_first(&m, 5000) < 6000);
	}
	for (unsigned i = 0; i < COUNT_OF(tenth); i++)
		CU_ASSERT(tenth[i] > 50 && tenth[i] < 200);
	m.interval_ms = 3600000;
	CU_ASSERT(probe_first(&m, 5000) < 7000); /* nobody waits an hour for the first look */
}

static void again(void)
{
	struct msg_member_probe m = http();
	struct probe_memory p = {.state = PROBE_GOOD, .good = true, .streak = 9};
	int64_t began = probe_due(&m, 1000000), regular = probe_due(&m, began);

	CU_ASSERT_EQUAL(probe_again(&m, &p, began, began + 5), regular);
	p.good = false;
	p.streak = 1;
	CU_ASSERT_EQUAL(probe_again(&m, &p, began, began + 5), began + 255); /* is it so? */
	p.state = PROBE_BAD;
	CU_ASSERT_EQUAL(probe_again(&m, &p, began, began + 5), regular); /* no hurry any more */
	m.timeout_ms = 5000;
	CU_ASSERT_EQUAL(probe_again(&m, &p, began, began + 5000), began + 5000);
}

static void answers(void)
{
	static struct probe_body body;
	struct msg_member_probe m = http();
	char much[PROBE_BODY_MAX];

	CU_ASSERT_EQUAL(probe_answer(&m, 200, &body), LOOK_GOOD);
	CU_ASSERT_EQUAL(probe_answer(&m, 399, &body), LOOK_GOOD);
	CU_ASSERT_EQUAL(probe_answer(&m, 400, &body), LOOK_STATUS);
	CU_ASSERT_EQUAL(probe_answer(&m, 101, &body), LOOK_STATUS);
	text_copy(m.expect, sizeof m.expect, "all well");
	CU_ASSERT_EQUAL(probe_answer(&m, 200, &body), LOOK_TEXT);
	/* it may come in two pieces, behind zeros */
	CU_ASSERT_FALSE(probe_body_take(&body, true, "\0\0all", 5));
	CU_ASSERT_FALSE(probe_body_take(&body, true, " well\n", 6));
	CU_ASSERT_EQUAL(probe_answer(&m, 200, &body), LOOK_GOOD);
	/* only the first 16 KiB count */
	memset(much, '.', sizeof much);
	body.size = 0;
	CU_ASSERT_FALSE(probe_body_take(&body, true, much, sizeof much - 4));
	CU_ASSERT_TRUE(probe_body_take(&body, true, "all well", 8));
	CU_ASSERT_EQUAL(body.size, PROBE_BODY_MAX);
	CU_ASSERT_EQUAL(probe_answer(&m, 200, &body), LOOK_TEXT);
	CU_ASSERT_TRUE(probe_body_take(&body, true, "x", 1));
	CU_ASSERT_EQUAL(body.size, PROBE_BODY_MAX);
}

static void urls(void)
{
	struct msg_member_probe m = http();
	char url[PROBE_TARGET], connect[PROBE_TARGET];

	probe_url(&m, url, connect);
	CU_ASSERT_STRING_EQUAL(url, "http://10.0.0.1:80/");
	CU_ASSERT_STRING_EQUAL(connect, "");
	m.kind = PROBE_HTTPS;
	text_copy(m.host, sizeof m.host, "www.example.org");
	probe_url(&m, url, connect);
	CU_ASSERT_STRING_EQUAL(url, "https://www.example.org:80/");
	CU_ASSERT_STRING_EQUAL(connect, "::10.0.0.1:80");
	address_parse("[2001:db8::1]:8443", 0, &m.address);
	probe_url(&m, url, connect);
	CU_ASSERT_STRING_EQUAL(url, "https://www.example.org:8443/");
	CU_ASSERT_STRING_EQUAL(connect, "::[2001:db8::1]:8443");
}

static const struct unit_test tests[] = {
	{"what may be looked at", sound}, {"rise and fall", rise_and_fall}, {"cannot look", cannot_look}, {"words", words},
	{"spread", spread},               {"again", again},                 {"answers", answers},         {"urls", urls},
};
UNIT_MAIN("member probes", tests)
