/* SPDX-License-Identifier: GPL-3.0-or-later */
/* glory-ipvs without a kernel: pictures against an IPVS in memory, every way it can differ or refuse, messages as bytes, keepalived's text. */
#include "lvs/kernel.c"
#include "lvs/message.c"

#include <stdio.h>

#include "lvs/keepalived.h"
#include "lvs/plan.h"
#include "lvs/run.h"
#include "tests/sim/fake_ipvs.h"
#include "tests/unit/unit.h"

#define REAL(name, address, weight) "{\"name\":\"" name "\",\"address\":\"" address "\",\"weight\":" #weight "}"
#define WEB(scheduler, reals) \
	"{\"name\":\"web\",\"protocol\":\"tcp\",\"address\":\"10.0.0.100:80\",\"forwarding\":\"nat\",\"scheduler\":\"" scheduler "\",\"reals\":[" reals "]}"
#define PICTURE(more, virtuals) "{\"v\":1,\"driver\":\"ipvs\"" more ",\"virtuals\":[" virtuals "]}"
#define TWO REAL("n1", "10.0.0.1:80", 100) "," REAL("n2", "10.0.0.2:8080", 40)
#define ALL \
	WEB("wrr", TWO) \
	",{\"name\":\"dns\",\"protocol\":\"udp\",\"address\":\"[2001:db8::1]:53\",\"forwarding\":\"direct\",\"scheduler\":\"sh\",\"reals\":[" \
	REAL("n1", "[2001:db8::11]:53", 1) "]}" \
	",{\"name\":\"mark\",\"protocol\":\"fwmark\",\"fwmark\":7,\"family\":6,\"forwarding\":\"tunnel\",\"scheduler\":\"rr\",\"persistence_s\":60,\"persistence_prefix\":64," \
	"\"reals\":[" REAL("n1", "2001:db8::11", 1) "]}" \
	",{\"name\":\"stay\",\"protocol\":\"tcp\",\"address\":\"10.0.0.101:443\",\"forwarding\":\"tunnel\",\"scheduler\":\"wlc\",\"persistence_s\":300,\"persistence_prefix\":24," \
	"\"reals\":[{\"name\":\"n1\",\"address\":\"10.0.0.1:443\",\"weight\":5,\"connections_max\":9}]}"

static struct fake_ipvs fake;
static struct kernel kernel;
static struct picture_result result;
static struct files_answer vrrp_answer;
static struct keepalived vrrp_asked;
static unsigned vrrp_asks;
static struct files_answer setting_answer;
static unsigned setting_asks, setting_dry;

static void ask(void *arg, const struct keepalived *k, bool dry_run, struct files_answer *out)
{
	(void)arg;
	(void)dry_run;
	vrrp_asked = *k;
	vrrp_asks++;
	*out = vrrp_answer;
}

static void ask_setting(void *arg, bool dry_run, struct files_answer *out)
{
	(void)arg;
	setting_asks++;
	setting_dry += dry_run;
	*out = setting_answer;
}

static void fresh(void)
{
	fake_ipvs_close(&fake, &kernel);
	memset(&fake, 0, sizeof fake);
	fake_ipvs_open(&fake, &kernel);
}

static int run(const char *text)
{
	struct run r = {.kernel = &kernel, .ask_keepalived = ask, .ask_setting = ask_setting};

	picture_result_clear(&result);
	kernel.commands = 0;
	run_picture(&r, text, strlen(text), &result);
	return result.status;
}

static bool told(enum picture_verb verb, const char *virtual_name, const char *what)
{
	for (size_t i = 0; i < result.change_count; i++)
		if (result.changes[i].verb == verb && !strcmp(result.changes[i].virtual_name, virtual_name) && strstr(result.changes[i].what, what))
			return true;
	return false;
}

static void test_sets_and_reads_back(void)
{
	struct picture want;
	struct picture_result left = {0};
	struct error e;

	fresh();
	CU_ASSERT_EQUAL_FATAL(run(PICTURE("", ALL)), 0);
	CU_ASSERT_EQUAL(result.commands, 9);
	CU_ASSERT_EQUAL(result.change_count, 9);
	CU_ASSERT_EQUAL_FATAL(picture_from_json(PICTURE("", ALL), strlen(PICTURE("", ALL)), &want, &e), 0);
	CU_ASSERT_EQUAL_FATAL(lvs_prepare(&want, &e), 0);
	picture_diff(&want, &result.have, NULL, NULL, &left);
	CU_ASSERT_EQUAL(left.change_count, 0);
	picture_result_clear(&left);
	picture_clear(&want);
	const struct picture_virtual *web = picture_find(&result.have, "web");
	CU_ASSERT_FATAL(web && web->count == 2);
	CU_ASSERT_STRING_EQUAL(web->reals[1].name, "n2");
	CU_ASSERT_EQUAL(web->counts.connections, (1ull << 40) + 1);
	CU_ASSERT_EQUAL(web->counts.active, 6);
	CU_ASSERT_EQUAL(web->counts.inactive, 8);
	CU_ASSERT_EQUAL(web->reals[0].counts.bytes_out, (1ull << 33) + 5);
	CU_ASSERT_EQUAL(run(PICTURE("", ALL)), 0);
	CU_ASSERT_EQUAL(result.commands, 0);
	CU_ASSERT_EQUAL(result.change_count, 0);
}

/* What the kernel was told, in its own form. */
static void test_as_the_kernel_has_it(void)
{
	fresh();
	CU_ASSERT_EQUAL_FATAL(run(PICTURE("", ALL)), 0);
	for (size_t i = 0; i < fake.count; i++) {
		const struct fake_service *s = &fake.services[i];
		if (s->fwmark == 7) {
			CU_ASSERT(s->family == AF_INET6 && s->netmask == 64 && s->timeout == 60 && (s->flags & IP_VS_SVC_F_PERSISTENT));
			CU_ASSERT(s->dests[0].method == IP_VS_CONN_F_TUNNEL && s->dests[0].port == 0);
		} else if (s->port == htons(443)) {
			CU_ASSERT(s->netmask == htonl(0xffffff00) && s->dests[0].upper == 9);
		} else if (s->port == htons(53)) {
			CU_ASSERT(s->protocol == IPPROTO_UDP && s->netmask == 128 && s->dests[0].method == IP_VS_CONN_F_DROUTE);
		} else {
			CU_ASSERT(s->netmask == 0xffffffff && s->timeout == 0 && s->flags == IP_VS_SVC_F_HASHED && s->dests[0].method == IP_VS_CONN_F_MASQ);
		}
	}
}

static void test_smallest_difference(void)
{
	static const struct {
		const char *text;
		unsigned commands;
		uint8_t verb;
	} steps[] = {
		{PICTURE("", WEB("wrr", REAL("n1", "10.0.0.1:80", 100) "," REAL("n2", "10.0.0.2:8080", 0))), 1, IPVS_CMD_SET_DEST},
		{PICTURE("", WEB("wlc", REAL("n1", "10.0.0.1:80", 100) "," REAL("n2", "10.0.0.2:8080", 0))), 1, IPVS_CMD_SET_SERVICE},
		{PICTURE("", WEB("wlc", REAL("n1", "10.0.0.1:80", 100))), 1, IPVS_CMD_DEL_DEST},
		{PICTURE("", WEB("wlc", REAL("n1", "10.0.0.1:80", 100) "," REAL("n3", "10.0.0.3:80", 7))), 1, IPVS_CMD_NEW_DEST},
	};

	fresh();
	CU_ASSERT_EQUAL_FATAL(run(PICTURE("", WEB("wrr", TWO))), 0);
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		memset(fake.requests, 0, sizeof fake.requests);
		CU_ASSERT_EQUAL(run(steps[i].text), 0);
		CU_ASSERT_EQUAL(result.commands, steps[i].commands);
		CU_ASSERT_EQUAL(fake.requests[steps[i].verb], steps[i].commands);
	}
	CU_ASSERT_EQUAL(run(PICTURE(",\"dry_run\":true", WEB("rr", TWO))), 0);
	CU_ASSERT(result.commands == 0 && result.change_count == 3 && told(PICTURE_CHANGE_VIRTUAL, "web", "scheduler wlc > rr"));
	CU_ASSERT_EQUAL(run(PICTURE(",\"read_only\":true", WEB("rr", TWO))), 0);
	CU_ASSERT(result.commands == 0 && result.change_count == 0 && result.have.count == 1);
	CU_ASSERT_EQUAL(fake.services[0].count, 2);
}

static void test_foreign_and_previous(void)
{
	fresh();
	fake.services[fake.count++] = (struct fake_service){.family = AF_INET, .protocol = IPPROTO_TCP, .port = htons(80), .address = {10, 9, 9, 9},
							   .netmask = ~0u, .scheduler = "rr", .flags = IP_VS_SVC_F_HASHED};
	fake.services[fake.count++] = (struct fake_service){.family = AF_INET, .protocol = IPPROTO_SCTP, .port = htons(80), .address = {10, 0, 0, 100},
							   .netmask = ~0u, .scheduler = "rr"};
	CU_ASSERT_EQUAL(run(PICTURE("", ALL)), 0);
	CU_ASSERT_EQUAL(result.foreign, 2);
	CU_ASSERT_EQUAL(fake.count, 6);
	/* without being told that it was ours, nothing is removed */
	CU_ASSERT_EQUAL(run(PICTURE("", WEB("wrr", TWO))), 0);
	CU_ASSERT(result.foreign == 5 && result.commands == 0);
	CU_ASSERT_EQUAL(run(PICTURE(",\"options\":{\"previous\":\"10.0.0.101:443>8443, [2001:db8::1]:53/udp\",\"previous-2\":\"mark 7/6, mark 7, 10.0.0.100:80\"}",
				    WEB("wrr", TWO))), 0);
	CU_ASSERT(result.foreign == 2 && result.commands == 3 && fake.count == 3);
	CU_ASSERT_EQUAL(run(PICTURE(",\"options\":{\"previous\":\"10.0.0.100\"}", "")), 0);
	CU_ASSERT_EQUAL(fake.count, 3);
	CU_ASSERT_EQUAL(run(PICTURE(",\"options\":{\"previous\":\"10.0.0.100:80\"}", "")), 0);
	CU_ASSERT_EQUAL(fake.count, 2);
}

static void test_what_pictures_cannot_say(void)
{
	fresh();
	CU_ASSERT_EQUAL_FATAL(run(PICTURE("", WEB("wrr", TWO))), 0);
	fake.services[0].dests[0].method = IP_VS_CONN_F_TUNNEL;
	fake.services[0].dests[1].lower = 5;
	fake.services[0].flags |= IP_VS_SVC_F_SCHED1;
	CU_ASSERT_EQUAL(run(PICTURE("", WEB("wrr", TWO))), 0);
	CU_ASSERT_EQUAL(result.commands, 3);
	CU_ASSERT(told(PICTURE_CHANGE_REAL, "web", "forwarding tunnel > nat"));
	CU_ASSERT(told(PICTURE_CHANGE_REAL, "web", "lower threshold 5 > 0"));
	CU_ASSERT(told(PICTURE_CHANGE_VIRTUAL, "web", "flags 0x8 > 0x0"));
	CU_ASSERT(fake.services[0].dests[0].method == IP_VS_CONN_F_MASQ && fake.services[0].dests[1].lower == 0);
	/* a real server on the director itself may read back as that; a weight and a forwarding that both differ are one command */
	fake.services[0].dests[0].method = IP_VS_CONN_F_LOCALNODE;
	CU_ASSERT(run(PICTURE("", WEB("wrr", TWO))) == 0 && result.commands == 0);
	fake.services[0].dests[0].method = IP_VS_CONN_F_DROUTE;
	fake.services[0].dests[0].weight = 1u << 30;
	CU_ASSERT(run(PICTURE("", WEB("wrr", TWO))) == 0 && result.commands == 1);
	memcpy(fake.services[0].engine, "sip", 4);
	CU_ASSERT(run(PICTURE("", WEB("wrr", TWO))) == 0 && result.commands == 1);
}

static void test_flags_by_options(void)
{
	fresh();
	CU_ASSERT_EQUAL(run(PICTURE(",\"options\":{\"sh-fallback\":\"dns, web\",\"sh-port\":\"all\",\"mh-port\":\"all\",\"one-packet\":\"all\"}", ALL)), 0);
	for (size_t i = 0; i < fake.count; i++)
		CU_ASSERT_EQUAL(fake.services[i].flags & ~(uint32_t)(IP_VS_SVC_F_HASHED | IP_VS_SVC_F_PERSISTENT),
				fake.services[i].port == htons(53) ? IP_VS_SVC_F_SCHED1 | IP_VS_SVC_F_SCHED2 | IP_VS_SVC_F_ONEPACKET : 0);
	CU_ASSERT_EQUAL(run(PICTURE("", ALL)), 0);
	CU_ASSERT(result.commands == 1 && told(PICTURE_CHANGE_VIRTUAL, "dns", "flags"));
}

/* Somebody sets or removes the same between our reading and our writing. */
static void adds_it_first(struct fake_ipvs *f, uint8_t verb)
{
	if (verb != IPVS_CMD_NEW_SERVICE || f->count)
		return;
	f->services[f->count++] = (struct fake_service){.family = AF_INET, .protocol = IPPROTO_TCP, .port = htons(80), .address = {10, 0, 0, 100},
						       .netmask = ~0u, .scheduler = "rr", .count = 1,
						       .dests = {{.family = AF_INET, .port = htons(80), .address = {10, 0, 0, 1}, .weight = 1}}};
}

static void removes_it_first(struct fake_ipvs *f, uint8_t verb)
{
	if (verb == IPVS_CMD_SET_DEST || verb == IPVS_CMD_DEL_SERVICE)
		f->count = 0;
}

static void test_converges(void)
{
	fresh();
	fake.before = adds_it_first;
	CU_ASSERT_EQUAL(run(PICTURE("", WEB("wrr", TWO))), 0);
	CU_ASSERT_STRING_EQUAL(fake.services[0].scheduler, "wrr");
	CU_ASSERT_EQUAL(fake.services[0].dests[0].weight, 100);
	CU_ASSERT_EQUAL(result.commands, 5);
	/* the whole service goes: one run says so, the next has it back */
	fake.before = removes_it_first;
	CU_ASSERT_EQUAL(run(PICTURE("", WEB("wrr", REAL("n1", "10.0.0.1:80", 50)))), ERR_REMOTE);
	fake.before = NULL;
	CU_ASSERT_EQUAL(run(PICTURE("", WEB("wrr", REAL("n1", "10.0.0.1:80", 50)))), 0);
	CU_ASSERT(fake.count == 1 && fake.services[0].count == 1);
	/* what is gone already is gone */
	fake.before = removes_it_first;
	CU_ASSERT_EQUAL(run(PICTURE(",\"options\":{\"previous\":\"10.0.0.100:80\"}", "")), 0);
}

static void test_failures(void)
{
	fresh();
	fake.refuse_verb = IPVS_CMD_NEW_DEST;
	fake.refuse_error = EINVAL;
	fake.refuse_times = 1;
	CU_ASSERT_EQUAL(run(PICTURE("", WEB("wrr", TWO))), ERR_REMOTE);
	CU_ASSERT(result.partial && result.change_count == 2 && strstr(result.error.object, "10.0.0.1"));
	CU_ASSERT_EQUAL(fake.services[0].count, 1);
	CU_ASSERT_EQUAL(run(PICTURE("", WEB("wrr", TWO))), 0);
	CU_ASSERT_EQUAL(result.commands, 1);
	/* a scheduler that is not there: its real servers are not tried in vain for ever */
	fresh();
	fake.refuse_verb = IPVS_CMD_NEW_SERVICE;
	fake.refuse_error = ENOENT;
	fake.refuse_times = 9;
	CU_ASSERT_EQUAL(run(PICTURE("", WEB("wrr", TWO))), ERR_REMOTE);
	CU_ASSERT(strstr(result.error.text, "no such scheduler") && result.change_count == 0 && !result.partial);
	CU_ASSERT(result.commands <= 9);
	/* the kernel says yes and does no */
	fresh();
	CU_ASSERT_EQUAL(run(PICTURE("", WEB("wrr", TWO))), 0);
	fake.forgets = true;
	CU_ASSERT_EQUAL(run(PICTURE("", WEB("wrr", REAL("n1", "10.0.0.1:80", 3) "," REAL("n2", "10.0.0.2:8080", 40)))), ERR_REMOTE);
	CU_ASSERT(strstr(result.error.text, "reads back otherwise") != NULL);
	fresh();
	fake.refuse_verb = IPVS_CMD_GET_SERVICE;
	fake.refuse_error = EPERM;
	fake.refuse_times = 1;
	CU_ASSERT_EQUAL(run(PICTURE("", WEB("wrr", TWO))), ERR_REFUSED);
	CU_ASSERT(strstr(result.error.remedy, "CAP_NET_ADMIN") != NULL);
	fake.silent = true;
	CU_ASSERT_EQUAL(run(PICTURE("", WEB("wrr", TWO))), ERR_REMOTE);
}

/* A picture of a few virtual and real servers out of few addresses, so that two of them have much in common. */
static char *random_picture(void)
{
	static const char *const schedulers[] = {"rr", "wrr", "wlc"};
	char *text = mem_array(16384, 1);
	size_t used = 0;

	text_append(text, 16384, &used, "{\"v\":1,\"driver\":\"ipvs\",\"options\":{\"previous\":\"10.0.0.1:80, 10.0.0.2:80, 10.0.0.3:80, 10.0.0.4:80\"},\"virtuals\":[");
	for (int i = 1, n = 0; i <= 4; i++) {
		if (rand() % 3 == 0)
			continue;
		text_append(text, 16384, &used, "%s{\"name\":\"v%d\",\"protocol\":\"tcp\",\"address\":\"10.0.0.%d:80\",\"forwarding\":\"%s\",\"scheduler\":\"%s\",\"persistence_s\":%d,\"reals\":[",
			    n++ ? "," : "", i, i, rand() % 4 ? "nat" : "direct", schedulers[rand() % 3], rand() % 4 ? 0 : 60);
		for (int k = 1, m = 0; k <= 20; k++)
			if (rand() % 2)
				text_append(text, 16384, &used, "%s{\"name\":\"r%d\",\"address\":\"10.1.0.%d:80\",\"weight\":%d}", m++ ? "," : "", k, k, rand() % 3);
		text_append(text, 16384, &used, "]}");
	}
	text_append(text, 16384, &used, "]}");
	return text;
}

/* Whatever stood there: one run makes it so with a command for each change, and the next has nothing to do. */
static void test_any_to_any(void)
{
	fresh();
	srand(4);
	for (int i = 0; i < 500; i++) {
		char *text = random_picture();
		if (i % 7 == 3 && fake.count && fake.services[0].count)
			fake.services[0].dests[0].method = IP_VS_CONN_F_TUNNEL;
		CU_ASSERT_EQUAL_FATAL(run(text), 0);
		CU_ASSERT_EQUAL(result.commands, result.change_total);
		CU_ASSERT_EQUAL_FATAL(run(text), 0);
		CU_ASSERT(result.commands == 0 && result.change_total == 0);
		free(text);
	}
}

static void test_interrupted_reads(void)
{
	fresh();
	CU_ASSERT_EQUAL_FATAL(run(PICTURE("", ALL)), 0);
	fake.interrupted = 3;
	CU_ASSERT_EQUAL(run(PICTURE(",\"read_only\":true", ALL)), 0);
	CU_ASSERT_EQUAL(result.have.count, 4);
	fake.interrupted = 1000;
	CU_ASSERT_EQUAL(run(PICTURE(",\"read_only\":true", ALL)), ERR_BUSY);
}

static void test_refused_pictures(void)
{
#define ONE(more, reals) "{\"name\":\"x\"," more ",\"reals\":[" reals "]}"
	static const char *const bad[] = {
		"", "[]", "{",
		PICTURE(",\"options\":{\"sockett\":\"x\"}", ""),
		PICTURE(",\"options\":{\"previous\":\"10.0.0.1:80 10.0.0.2:80\"}", ""),
		PICTURE(",\"options\":{\"previous\":\"mark 0\"}", ""),
		PICTURE(",\"options\":{\"previous\":\"mark 7/5\"}", ""),
		PICTURE(",\"options\":{\"previous\":\"10.0.0.1:80/sctp\"}", ""),
		PICTURE(",\"options\":{\"sync\":\"sometimes\"}", ""),
		PICTURE(",\"options\":{\"sync\":\"both\"}", ""),
		PICTURE(",\"options\":{\"sync\":\"both\",\"interface\":\"e0\",\"sync-id\":\"256\"}", ""),
		PICTURE(",\"options\":{\"router\":\"77\"}", ""),
		PICTURE(",\"options\":{\"router\":\"256\",\"interface\":\"e0\"}", ""),
		PICTURE(",\"options\":{\"router\":\"77\",\"interface\":\"e0 }\"}", ""),
		PICTURE(",\"options\":{\"router\":\"77\",\"interface\":\"e0\",\"priority\":\"255\"}", ""),
		PICTURE(",\"options\":{\"router\":\"77\",\"interface\":\"e0\",\"peer\":\"d2\"}", ""),
		PICTURE(",\"options\":{\"router\":\"77\",\"interface\":\"e0\",\"addresses\":\"10.0.0.1:80\"}", ""),
		PICTURE(",\"options\":{\"router\":\"77\",\"interface\":\"e0\",\"peer\":\"fd00::3\"}", WEB("wrr", TWO)),
		PICTURE("", ONE("\"protocol\":\"tcp\",\"address\":\"10.0.0.1\"", "")),
		PICTURE("", ONE("\"protocol\":\"tcp\",\"address\":\"10.0.0.1:80\",\"scheduler\":\"a_name_much_too_long\"", "")),
		PICTURE("", ONE("\"protocol\":\"tcp\",\"address\":\"10.0.0.1:80\",\"scheduler\":\"../x\"", "")),
		PICTURE("", ONE("\"protocol\":\"tcp\",\"address\":\"10.0.0.1:80\",\"persistence_s\":60,\"persistence_prefix\":33", "")),
		PICTURE("", ONE("\"protocol\":\"tcp\",\"address\":\"10.0.0.1:80\",\"forwarding\":\"direct\"", REAL("n", "10.0.0.2:81", 1))),
		PICTURE("", ONE("\"protocol\":\"tcp\",\"address\":\"10.0.0.1:80\",\"forwarding\":\"nat\"", REAL("n", "[fd00::1]:80", 1))),
		PICTURE("", ONE("\"protocol\":\"fwmark\",\"fwmark\":1,\"family\":4,\"forwarding\":\"direct\"",
				REAL("a", "10.0.0.2:81", 1) "," REAL("b", "10.0.0.2:82", 1))),
	};

	fresh();
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		CU_ASSERT_EQUAL(run(bad[i]), ERR_CONFIG);
		CU_ASSERT(result.error.text[0] && result.error.remedy[0]);
		if (result.status != ERR_CONFIG)
			printf("\n%s: %d\n", bad[i], result.status);
	}
	CU_ASSERT_EQUAL(fake.requests[IPVS_CMD_GET_SERVICE], 0); /* nothing was even asked */
}

static void test_daemons(void)
{
	fresh();
	CU_ASSERT_EQUAL(run(PICTURE(",\"options\":{\"sync\":\"both\",\"interface\":\"e0\",\"sync-id\":\"9\"}", "")), 0);
	CU_ASSERT(fake.daemon_count == 2 && fake.daemons[0].id == 9 && !strcmp(fake.daemons[1].interface, "e0"));
	CU_ASSERT_EQUAL(result.change_count, 2);
	CU_ASSERT_EQUAL(run(PICTURE(",\"options\":{\"sync\":\"both\",\"interface\":\"e0\",\"sync-id\":\"9\"}", "")), 0);
	CU_ASSERT(result.change_count == 0 && strstr(result.note, "sync backup e0 id 9"));
	CU_ASSERT_EQUAL(run(PICTURE(",\"options\":{\"sync\":\"backup\",\"interface\":\"e0\",\"sync-interface\":\"e1\",\"sync-id\":\"9\"}", "")), 0);
	CU_ASSERT(fake.daemon_count == 1 && fake.daemons[0].state == IP_VS_STATE_BACKUP && !strcmp(fake.daemons[0].interface, "e1"));
	CU_ASSERT(told(PICTURE_CHANGE_REAL, "sync", "e0 id 9 > e1 id 9") && told(PICTURE_CHANGE_REAL, "sync", "e0 id 9 > off"));
	CU_ASSERT(run(PICTURE("", "")) == 0 && fake.daemon_count == 1); /* not spoken of: left alone */
	CU_ASSERT(run(PICTURE(",\"read_only\":true,\"options\":{\"sync\":\"off\"}", "")) == 0 && fake.daemon_count == 1 && result.change_count == 0);
	CU_ASSERT(run(PICTURE(",\"options\":{\"sync\":\"off\"}", "")) == 0 && fake.daemon_count == 0);
}

static void test_setting(void)
{
	fresh();
	setting_asks = setting_dry = 0;
	setting_answer = (struct files_answer){.changed = 1};
	CU_ASSERT_EQUAL(run(PICTURE("", "")), 0);
	CU_ASSERT(setting_asks == 1 && setting_dry == 0 && told(PICTURE_CHANGE_REAL, "setting", "0 > 1"));
	CU_ASSERT_EQUAL(run(PICTURE(",\"dry_run\":true", "")), 0);
	CU_ASSERT(setting_asks == 2 && setting_dry == 1 && told(PICTURE_CHANGE_REAL, "setting", "0 > 1"));
	CU_ASSERT_EQUAL(run(PICTURE(",\"read_only\":true", "")), 0);
	CU_ASSERT(setting_asks == 2 && result.change_count == 0);
	/* what cannot be set keeps nothing else back */
	setting_answer = (struct files_answer){.status = ERR_REFUSED, .error = {.kind = ERR_REFUSED, .text = "no"}};
	CU_ASSERT(run(PICTURE("", WEB("wrr", TWO))) == 0 && fake.count == 1);
	CU_ASSERT(strstr(result.note, "expire_nodest_conn is not 1: no") != NULL);
	setting_answer = (struct files_answer){.status = 0};
	CU_ASSERT(run(PICTURE("", WEB("wrr", TWO))) == 0 && result.change_count == 0 && !result.note[0]);
}

static void test_vrrp(void)
{
	static const char *const expected =
		KEEPALIVED_MARK "\nglobal_defs {\n    enable_script_security\n    script_user nobody\n    vrrp_version 3\n}\n"
		"\nvrrp_instance glory {\n    state BACKUP\n    interface eth0\n    virtual_router_id 77\n    priority 150\n    advert_int 0.50\n    nopreempt\n"
		"    garp_master_refresh 60\n    unicast_peer {\n        10.0.0.3\n    }\n    virtual_ipaddress {\n        10.0.0.100/32 dev eth0\n    }\n"
		"    virtual_ipaddress_excluded {\n        10.0.0.101/32 dev eth0\n        10.0.1.1/32 dev eth0\n        2001:db8::1/128 dev eth0\n    }\n}\n";

	fresh();
	vrrp_asks = 0;
	vrrp_answer = (struct files_answer){.changed = 1};
	CU_ASSERT_EQUAL(run(PICTURE(",\"options\":{\"router\":\"77\",\"interface\":\"eth0\",\"priority\":\"150\",\"peer\":\"10.0.0.3\",\"advert-ms\":\"500\","
				    "\"addresses\":\"10.0.1.1,10.0.0.100\"}", ALL)), 0);
	CU_ASSERT_EQUAL_FATAL(vrrp_asks, 1);
	CU_ASSERT(told(PICTURE_CHANGE_REAL, "vrrp", "router 77 on eth0"));
	CU_ASSERT(fake.daemon_count == 2 && fake.daemons[0].id == 77); /* a pair keeps each other's connections */
	CU_ASSERT_EQUAL(keepalived_check(&vrrp_asked, NULL), 0);
	char *text = keepalived_text(&vrrp_asked);
	CU_ASSERT_STRING_EQUAL(text, expected);
	free(text);
	vrrp_answer = (struct files_answer){.status = ERR_NOT_NOW, .error = {.kind = ERR_NOT_NOW, .text = "it does not run"}};
	CU_ASSERT_EQUAL(run(PICTURE(",\"options\":{\"router\":\"0\"}", "")), ERR_NOT_NOW);
	text = keepalived_text(&vrrp_asked);
	CU_ASSERT(strstr(text, "vrrp_instance") == NULL && keepalived_check(&vrrp_asked, NULL) == 0);
	free(text);
	/* advertised is an address of the peer's family */
	CU_ASSERT_EQUAL(run(PICTURE(",\"options\":{\"router\":\"77\",\"interface\":\"e0\",\"peer\":\"fd00::3\"}", ALL)), ERR_NOT_NOW);
	text = keepalived_text(&vrrp_asked);
	CU_ASSERT(strstr(text, "virtual_ipaddress {\n        2001:db8::1/128 dev e0\n    }\n    virtual_ipaddress_excluded {\n        10.0.0.100/32") != NULL);
	free(text);
	CU_ASSERT_EQUAL(run(PICTURE(",\"options\":{\"router\":\"0\"}", "")), ERR_NOT_NOW);
	/* the half that writes trusts nobody */
	vrrp_asked.router = 1;
	CU_ASSERT_EQUAL(keepalived_check(&vrrp_asked, NULL), ERR_BUG);
	memcpy(vrrp_asked.interface, "e0\n}", 5);
	CU_ASSERT_EQUAL(keepalived_check(&vrrp_asked, NULL), ERR_BUG);
	memset(vrrp_asked.interface, 'x', sizeof vrrp_asked.interface);
	CU_ASSERT_EQUAL(keepalived_check(&vrrp_asked, NULL), ERR_BUG);
	memcpy(vrrp_asked.interface, "e0", 3);
	CU_ASSERT_EQUAL(keepalived_check(&vrrp_asked, NULL), 0);
	vrrp_asked.count = KEEPALIVED_ADDRESSES + 1;
	CU_ASSERT_EQUAL(keepalived_check(&vrrp_asked, NULL), ERR_BUG);
	CU_ASSERT_EQUAL(run(PICTURE("", ALL)), 0);
	CU_ASSERT_EQUAL(vrrp_asks, 4);
}

/* Rows that are short, of another kind, or unterminated are none. */
static void test_broken_messages(void)
{
	struct kernel_service s;
	struct kernel_dest d;
	struct kernel_daemon k;
	struct nl_msg *m = message_new(FAKE_FAMILY, 1, 0, 1);
	struct nlattr *nest = nla_nest_start(m, IPVS_CMD_ATTR_SERVICE);

	nla_put_u16(m, IPVS_SVC_ATTR_AF, AF_INET);
	nla_put(m, IPVS_SVC_ATTR_SCHED_NAME, 3, "wrr"); /* no zero */
	nla_put_u32(m, IPVS_SVC_ATTR_FWMARK, 7);
	nla_nest_end(m, nest);
	CU_ASSERT(!message_read_service(nlmsg_hdr(m), &s));
	CU_ASSERT(!message_read_dest(nlmsg_hdr(m), 4, &d));
	CU_ASSERT(!message_read_daemon(nlmsg_hdr(m), &k));
	nlmsg_free(m);
	struct kernel_service mark = {.family = 4, .protocol = PICTURE_FWMARK, .fwmark = 7};
	m = message_new(FAKE_FAMILY, 1, 0, 1);
	message_put_service_key(m, &mark);
	CU_ASSERT(!message_read_service(nlmsg_hdr(m), &s)); /* no scheduler */
	nlmsg_hdr(m)->nlmsg_len = NLMSG_HDRLEN;
	CU_ASSERT(!message_read_service(nlmsg_hdr(m), &s));
	nlmsg_free(m);
	m = message_new(FAKE_FAMILY, 1, 0, 1);
	message_put_daemon(m, &(struct kernel_daemon){.state = 3, .interface = "e0"}, true);
	CU_ASSERT(!message_read_daemon(nlmsg_hdr(m), &k));
	nlmsg_free(m);
	CU_ASSERT_EQUAL(mask_from_kernel(4, htonl(0xffffff00)), 24);
	CU_ASSERT_EQUAL(mask_from_kernel(4, ~0u), 0);
	CU_ASSERT_EQUAL(mask_from_kernel(6, 64), 64);
	CU_ASSERT_EQUAL(mask_to_kernel(4, 8), htonl(0xff000000));
}

static void test_end(void)
{
	picture_result_clear(&result);
	fake_ipvs_close(&fake, &kernel);
	CU_ASSERT_PTR_NULL(kernel.bytes);
}

static const struct unit_test tests[] = {
	{"sets and reads back", test_sets_and_reads_back},
	{"as the kernel has it", test_as_the_kernel_has_it},
	{"smallest difference", test_smallest_difference},
	{"foreign and previous", test_foreign_and_previous},
	{"what pictures cannot say", test_what_pictures_cannot_say},
	{"flags by options", test_flags_by_options},
	{"converges", test_converges},
	{"failures", test_failures},
	{"any to any", test_any_to_any},
	{"interrupted reads", test_interrupted_reads},
	{"refused pictures", test_refused_pictures},
	{"sync daemons", test_daemons},
	{"the kernel's setting", test_setting},
	{"VRRP", test_vrrp},
	{"broken messages", test_broken_messages},
	{"end", test_end},
};

UNIT_MAIN("lvs", tests)
