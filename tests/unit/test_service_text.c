/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The texts of a service: what is taken and how it is written again, what is refused and in which words; and the schedule at times. */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "board/messages.h"
#include "config/cluster.h"
#include "config/service_text.h"
#include "service/schedule.h"
#include "tests/unit/unit.h"

/* every text here: as given, as written again ("" refused), and a part of the refusal */
struct text_case {
	const char *given, *written, *refusal;
};

static void check_case(const struct text_case *c, int rc, const char *written, const struct error *e)
{
	if (c->refusal) {
		CU_ASSERT_EQUAL(rc, ERR_CONFIG);
		if (!strstr(e->text, c->refusal) || !e->remedy[0])
			printf("\n  %s: \"%s\" does not say \"%s\"\n", c->given, e->text, c->refusal);
		CU_ASSERT_PTR_NOT_NULL(strstr(e->text, c->refusal));
		CU_ASSERT(e->remedy[0] != '\0');
		CU_ASSERT_STRING_EQUAL(e->object, "service");
		return;
	}
	if (rc || strcmp(written, c->written) != 0)
		printf("\n  %s: rc %d %s, written \"%s\"\n", c->given, rc, rc ? e->text : "", written);
	CU_ASSERT_EQUAL(rc, 0);
	CU_ASSERT_STRING_EQUAL(written, c->written);
}

#define CHECK_ALL(type, parse, write, cases)                                        \
	for (size_t i = 0; i < COUNT_OF(cases); i++) {                              \
		struct type taken;                                                  \
		struct error refused = {.kind = 0};                                 \
		char written[512] = "";                                             \
		int rc = parse((cases)[i].given, &taken, &refused);                 \
		if (!rc)                                                            \
			write(&taken, written, sizeof written);                     \
		check_case(&(cases)[i], rc, written, &refused);                     \
	}

static void test_virtuals_text(void)
{
	static const struct text_case cases[] = {
		{"10.99.0.100:80", "10.99.0.100:80", NULL},
		{"10.99.0.100:80, 10.99.0.100:443>8443, [2001:db8::1]:53/udp, mark 7>80",
		 "10.99.0.100:80, 10.99.0.100:443>8443, [2001:db8::1]:53/udp, mark 7>80", NULL},
		{"  10.0.0.1:53/udp>5353 ,10.0.0.1:53/tcp", "10.0.0.1:53/udp>5353, 10.0.0.1:53", NULL},
		{"10.0.0.1:80>80", "10.0.0.1:80", NULL},
		{"mark 7/ipv6>80, mark 7>81", "mark 7/ipv6>80, mark 7>81", NULL},
		{"", NULL, "virtuals: it ends where an address with a port is expected"},
		{"10.0.0.1:80,", NULL, "an address with a port"},
		{"10.0.0.1", NULL, "10.0.0.1 has no port"},
		{"2001:db8::1", NULL, "has no port"},
		{"www:80", NULL, "\"www:80\" is not an address with a port"},
		{"10.0.0.1:80/sctp", NULL, "\"sctp\" is not tcp or udp"},
		{"10.0.0.1:80>", NULL, "a member port from 1 to 65535"},
		{"10.0.0.1:80>0", NULL, "\"0\" is not a member port"},
		{"10.0.0.1:80>-1", NULL, "a member port"},
		{"10.0.0.1:80, 10.0.0.1:80>8080", NULL, "10.0.0.1:80>8080 is there twice"},
		{"mark 7", NULL, "mark 7 has no member port"},
		{"mark 0>80", NULL, "a firewall mark"},
		{"mark 4294967296>80", NULL, "a firewall mark"},
		{"mark 7>80, mark 7>81", NULL, "twice"},
		{"10.0.0.1:99999", NULL, "an address with a port"},
		{"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000", NULL, "an address"},
		{"\001:80", NULL, "\"?:80\""},
	};
	struct service_virtuals v;
	char many[CONFIG_VIRTUALS];
	size_t used = 0;
	struct error e;

	CHECK_ALL(service_virtuals, service_virtuals_parse, service_virtuals_text, cases)
	for (int i = 0; i < SERVICE_VIRTUALS_MAX + 1; i++)
		text_append(many, sizeof many, &used, "%s10.0.0.%d:80", i ? "," : "", i + 1);
	CU_ASSERT_EQUAL(service_virtuals_parse(many, &v, &e), ERR_CONFIG);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "more than 16"));
}

static void test_virtuals_fields(void)
{
	struct service_virtuals v;
	struct error e;

	CU_ASSERT_EQUAL(service_virtuals_parse("10.99.0.100:443>8443, [2001:db8::1]:53/udp, mark 7>80", &v, &e), 0);
	CU_ASSERT_EQUAL(v.count, 3);
	CU_ASSERT_EQUAL(v.at[0].protocol, SERVICE_TCP);
	CU_ASSERT_EQUAL(v.at[0].address.port, 443);
	CU_ASSERT_EQUAL(v.at[0].member_port, 8443);
	CU_ASSERT_EQUAL(v.at[0].family, 4);
	CU_ASSERT_EQUAL(v.at[1].protocol, SERVICE_UDP);
	CU_ASSERT_EQUAL(v.at[1].family, 6);
	CU_ASSERT_EQUAL(v.at[1].member_port, 53);
	CU_ASSERT_EQUAL(v.at[2].protocol, SERVICE_FWMARK);
	CU_ASSERT_EQUAL(v.at[2].fwmark, 7);
	CU_ASSERT_EQUAL(v.at[2].address.family, 0);
	CU_ASSERT_FALSE(service_virtual_same(&v.at[0], &v.at[1]));
	CU_ASSERT_TRUE(service_virtual_same(&v.at[2], &v.at[2]));
}

static void test_probe(void)
{
	static const struct text_case cases[] = {
		{"tcp", "tcp", NULL},
		{"tcp port 8080", "tcp port 8080", NULL},
		{"tls host www.example", "tls host www.example", NULL},
		{"http", "http /", NULL},
		{"http /", "http /", NULL},
		{"https / text \"all is well\"", "https / text \"all is well\"", NULL},
		{"http /health status 200-299 text ok host www", "http /health status 200-299 text ok host www", NULL},
		{"http host www text ok status 204 /x", NULL, "\"/x\" is not known here"},
		{"http  /h  host www  status 204", "http /h status 204 host www", NULL},
		{"plugin check_http -H $ADDRESS$ -u \"/a b\"", "plugin check_http -H $ADDRESS$ -u \"/a b\"", NULL},
		{"plugin check_load", "plugin check_load", NULL},
		{"", NULL, "no kind"},
		{"icmp", NULL, "\"icmp\" is not tcp, tls, http, https or plugin"},
		{"tcp /", NULL, "\"/\" is not known here"},
		{"tls text ok", NULL, "\"text\" is not known here"},
		{"http / status", NULL, "status has no value"},
		{"http / status 299-200", NULL, "a status like 200"},
		{"http / status 99", NULL, "a status like 200"},
		{"http / status 200-600", NULL, "a status like 200"},
		{"http / text \"\"", NULL, "a text of 1 to 63 bytes"},
		{"http / host a..b", NULL, "\"a..b\" is not a host name"},
		{"http / host a host b", NULL, "\"host\" is not wanted twice"},
		{"http / port 0", NULL, "a port from 1 to 65535"},
		{"http / text \"open", NULL, "text has no value, or one that cannot be read"},
		{"http \"/a b\"", NULL, "\"/a b\" is not known here"},
		{"http /\" b\"", NULL, "the path cannot be read"},
		{"plugin", NULL, "file name of a plugin"},
		{"plugin ../x", NULL, "file name of a plugin"},
		{"plugin check_x a\nb", NULL, "control character"},
	};
	struct service_probe p;
	struct error e;

	CHECK_ALL(service_probe, service_probe_parse, service_probe_text, cases)
	CU_ASSERT_EQUAL(service_probe_parse("http /health status 200-299 text ok host www", &p, &e), 0);
	CU_ASSERT_EQUAL(p.kind, PROBE_HTTP);
	CU_ASSERT_EQUAL(p.status_low, 200);
	CU_ASSERT_EQUAL(p.status_high, 299);
	CU_ASSERT_STRING_EQUAL(p.expect, "ok");
	CU_ASSERT_STRING_EQUAL(p.host, "www");
	CU_ASSERT_EQUAL(service_probe_parse("http / status 204", &p, &e), 0);
	CU_ASSERT_EQUAL(p.status_high, 204);
}

static void test_agent(void)
{
	static const struct text_case cases[] = {
		{"systemd:nginx", "systemd:nginx", NULL},
		{"systemd:getty@tty1.service", "systemd:getty@tty1.service", NULL},
		{"ocf:heartbeat:nginx", "ocf:heartbeat:nginx", NULL},
		{"", NULL, "it ends where systemd:UNIT or ocf:PROVIDER:NAME is expected"},
		{"nginx", NULL, "\"nginx\" is not systemd:UNIT"},
		{"systemd:", NULL, "the name of a systemd unit"},
		{"systemd:-x", NULL, "the name of a systemd unit"},
		{"systemd:a b", NULL, "the name of a systemd unit"},
		{"systemd:../x", NULL, "the name of a systemd unit"},
		{"ocf:nginx", NULL, "PROVIDER:NAME"},
		{"ocf:heartbeat:", NULL, "the name of a resource agent"},
		{"ocf::nginx", NULL, "a provider"},
		{"ocf:heartbeat:../../bin/sh", NULL, "the name of a resource agent"},
	};

	CHECK_ALL(service_agent, service_agent_parse, service_agent_text, cases)
}

static void test_parameters(void)
{
	static const struct text_case cases[] = {
		{"", "", NULL},
		{"configfile=/srv/web.conf port=80", "configfile=/srv/web.conf port=80", NULL},
		{"options=\"-a -b\"  x=", "options=\"-a -b\" x=", NULL},
		{"a=b=c", "a=b=c", NULL},
		{"port", NULL, "\"port\" is not KEY=VALUE"},
		{"1x=2", NULL, "a key of letters"},
		{"a-b=2", NULL, "a key of letters"},
		{"=2", NULL, "a key of letters"},
		{"a=1 a=2", NULL, "a is there twice"},
		{"a=\\x", NULL, "the value of a cannot be taken"},
		{"a=\"x", NULL, "a word cannot be read"},
		{"a=\tb", NULL, "\"b\" is not KEY=VALUE"},
		{"a=\001", NULL, "a word cannot be read"},
		{"a=1 b=1 c=1 d=1 e=1 f=1 g=1 h=1 i=1 j=1 k=1 l=1 m=1 n=1 o=1 p=1 q=1", NULL, "more than 16"},
	};
	struct service_parameters p;
	struct error e;

	CHECK_ALL(service_parameters, service_parameters_parse, service_parameters_text, cases)
	CU_ASSERT_EQUAL(service_parameters_parse("port=80 x=\"a b\"", &p, &e), 0);
	CU_ASSERT_STRING_EQUAL(service_parameter(&p, "x"), "a b");
	CU_ASSERT_PTR_NULL(service_parameter(&p, "y"));
}

static void test_schedule_text(void)
{
	static const struct text_case cases[] = {
		{"", "", NULL},
		{"mon-fri 08:00-18:00 6; daily 12:00-13:00 8; sat,sun 00:00-24:00 2", "mon-fri 08:00-18:00 6; daily 12:00-13:00 8; sat,sun 00:00-24:00 2", NULL},
		{"sat-mon 22:00-06:00 4;", "mon,sat,sun 22:00-06:00 4", NULL},
		{"mon,tue,wed,sun 00:00-24:00 1", "mon-wed,sun 00:00-24:00 1", NULL},
		{"monday 08:00-18:00 6", NULL, "\"monday\" is not days"},
		{"mon- 08:00-18:00 6", NULL, "is not days"},
		{", 08:00-18:00 6", NULL, "is not days"},
		{"daily", NULL, "times like 08:00-18:00 are expected behind daily"},
		{"daily 8:00-18:00 6", NULL, "times like"},
		{"daily 08:00-08:00 6", NULL, "times like"},
		{"daily 24:00-08:00 6", NULL, "times like"},
		{"daily 08:00-24:01 6", NULL, "times like"},
		{"daily 08:60-09:00 6", NULL, "times like"},
		{"daily 08:00-09:00", NULL, "a size from 1 to 4000"},
		{"daily 08:00-09:00 0", NULL, "a size from 1 to 4000"},
		{"daily 08:00-09:00 4001", NULL, "a size from 1 to 4000"},
		{"daily 08:00-09:00 6 7", NULL, "the end or ;"},
	};
	char many[512];
	size_t used = 0;
	struct service_schedule s;
	struct error e;

	CHECK_ALL(service_schedule, service_schedule_parse, service_schedule_text, cases)
	for (int i = 0; i < SERVICE_SCHEDULE_MAX + 1; i++)
		text_append(many, sizeof many, &used, "mon 00:00-01:00 1;");
	CU_ASSERT_EQUAL(service_schedule_parse(many, &s, &e), ERR_CONFIG);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "more than 16"));
}

/* 2026-11-30 is a monday */
#define MONDAY 1795996800
#define AT(day, hour, minute) (MONDAY + (day) * 86400 + (hour) * 3600 + (minute) * 60)

static void test_schedule_times(void)
{
	struct service_schedule s;
	struct error e;

	CU_ASSERT_EQUAL(service_schedule_parse("mon-fri 08:00-18:00 6; daily 12:00-13:00 8; sun 22:00-02:00 3", &s, &e), 0);
	CU_ASSERT_EQUAL(schedule_least(&s, AT(0, 7, 59)), 0);
	CU_ASSERT_EQUAL(schedule_least(&s, AT(0, 8, 0)), 6);
	CU_ASSERT_EQUAL(schedule_least(&s, AT(0, 12, 30)), 8);
	CU_ASSERT_EQUAL(schedule_least(&s, AT(0, 13, 0)), 6);
	CU_ASSERT_EQUAL(schedule_least(&s, AT(0, 18, 0)), 0);
	CU_ASSERT_EQUAL(schedule_least(&s, AT(5, 9, 0)), 0);
	CU_ASSERT_EQUAL(schedule_least(&s, AT(5, 12, 0)), 8);
	CU_ASSERT_EQUAL(schedule_least(&s, AT(6, 23, 0)), 3);
	CU_ASSERT_EQUAL(schedule_least(&s, AT(7, 1, 59)), 3); /* over the week's end */
	CU_ASSERT_EQUAL(schedule_least(&s, AT(0, 1, 59)), 3);
	CU_ASSERT_EQUAL(schedule_least(&s, AT(0, 2, 0)), 0);
	CU_ASSERT_EQUAL(schedule_least_within(&s, AT(0, 7, 50), 599), 0);
	CU_ASSERT_EQUAL(schedule_least_within(&s, AT(0, 7, 50), 600), 6);
	CU_ASSERT_EQUAL(schedule_least_within(&s, AT(0, 7, 50), 86400), 8);
	CU_ASSERT_EQUAL(schedule_next_change(&s, AT(0, 7, 0)), AT(0, 8, 0));
	CU_ASSERT_EQUAL(schedule_next_change(&s, AT(0, 8, 0)), AT(0, 12, 0));
	CU_ASSERT_EQUAL(schedule_next_change(&s, AT(6, 22, 0)), AT(7, 2, 0));
}

static void test_schedule_never_changes(void)
{
	struct service_schedule s;
	struct error e;

	CU_ASSERT_EQUAL(service_schedule_parse("daily 00:00-24:00 5", &s, &e), 0);
	CU_ASSERT_EQUAL(schedule_least(&s, AT(3, 0, 0)), 5);
	CU_ASSERT_EQUAL(schedule_next_change(&s, AT(3, 0, 0)), 0);
	CU_ASSERT_EQUAL(service_schedule_parse("", &s, &e), 0);
	CU_ASSERT_EQUAL(schedule_least(&s, AT(3, 0, 0)), 0);
	CU_ASSERT_EQUAL(schedule_next_change(&s, AT(3, 0, 0)), 0);
}

/* what the schedule says each minute of two weeks is what a plain look at day and minute says */
static void test_schedule_against_plain(void)
{
	struct service_schedule s;
	struct error e;
	unsigned wrong = 0;

	CU_ASSERT_EQUAL(service_schedule_parse("tue,thu 21:15-03:45 9; mon-wed 00:30-24:00 4; sun 23:59-00:01 12", &s, &e), 0);
	for (int m = 0; m < 14 * 1440; m++) {
		int day = m / 1440 % 7, minute = m % 1440, before = (day + 6) % 7;
		uint32_t expected = 0;
		if (day <= 2 && minute >= 30)
			expected = 4;
		if (((day == 1 || day == 3) && minute >= 1275) || ((before == 1 || before == 3) && minute < 225))
			expected = 9;
		if ((day == 6 && minute == 1439) || (day == 0 && minute == 0))
			expected = 12;
		wrong += schedule_least(&s, MONDAY + (int64_t)m * 60 + 30) != expected;
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

static const struct unit_test tests[] = {
	{"virtuals are taken and written again", test_virtuals_text},
	{"a virtual's fields", test_virtuals_fields},
	{"probes", test_probe},
	{"agents", test_agent},
	{"parameters", test_parameters},
	{"schedules are taken and written again", test_schedule_text},
	{"a schedule at times", test_schedule_times},
	{"a schedule that never changes", test_schedule_never_changes},
	{"a schedule against a plain look", test_schedule_against_plain},
};
UNIT_MAIN("service text", tests)
