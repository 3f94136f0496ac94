/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Texts of the drivers haproxy and nftables: sections and rulesets that read back as written, slots that keep the weights, answers that lie. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "l4drivers/haproxy_text.h"
#include "l4drivers/nft_text.h"
#include "tests/unit/unit.h"

static const char web[] = "{\"v\":1,\"virtuals\":[{\"name\":\"web\",\"address\":\"10.0.0.1:80\",\"scheduler\":\"wrr\",\"reals\":["
			  "{\"name\":\"n1\",\"address\":\"10.1.0.1:80\",\"weight\":100},{\"name\":\"n2\",\"address\":\"10.1.0.2:80\",\"weight\":0}]},"
			  "{\"name\":\"six\",\"address\":\"[fd00::1]:443\",\"scheduler\":\"sh\",\"persistence_s\":60,\"reals\":["
			  "{\"name\":\"n1\",\"address\":\"[fd00::11]:443\",\"weight\":7,\"connections_max\":5}]}]}";

static struct picture wanted(void)
{
	struct picture p;
	struct error e;

	CU_ASSERT_EQUAL_FATAL(picture_from_json(web, strlen(web), &p, &e), 0);
	return p;
}

static void section(void)
{
	struct picture p = wanted(), back = {0};
	struct program_text text = {0}, file = {0}, again = {0};
	struct picture_result r = {0};

	haproxy_section(&p, "g-", &text);
	CU_ASSERT_PTR_NOT_NULL(strstr(text.text, "\tserver n1 10.1.0.1:80 weight 100\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text.text, "\tserver n1 [fd00::11]:443 weight 7 maxconn 5\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text.text, "hash-type consistent"));
	CU_ASSERT(haproxy_replace("global\n\tdaemon", &text, &file));
	CU_ASSERT_EQUAL(strncmp(file.text, "global\n\tdaemon\n# glory-cl: begin", 32), 0);
	CU_ASSERT(haproxy_replace(file.text, &text, &again));
	CU_ASSERT_STRING_EQUAL(again.text, file.text);
	haproxy_parse_section(file.text, "g-", &back);
	picture_sort(&back);
	/* members are read from what runs, not from the file */
	for (size_t i = 0; i < p.count; i++)
		p.virtuals[i].count = 0;
	picture_diff(&p, &back, NULL, NULL, &r);
	CU_ASSERT(r.change_count == 0 && back.count == 2);
	picture_result_clear(&r);
	picture_clear(&back);
	again.size = 0;
	CU_ASSERT(!haproxy_replace("# glory-cl: begin\nx\n", &text, &again));
	CU_ASSERT(!haproxy_replace("# glory-cl: end\n# glory-cl: begin\n", &text, &again));
	CU_ASSERT(!haproxy_replace("# glory-cl: begin\n# glory-cl: begin\n# glory-cl: end\n", &text, &again));
	haproxy_parse_section("# glory-cl: begin\nfrontend g-web\n\tbind 10.0.0.1:80\n\tbalance roundrobin\n\ttcp-request x\n# glory-cl: end\n", "g-", &back);
	CU_ASSERT(back.count == 1 && !strcmp(back.virtuals[0].scheduler, "changed"));
	picture_clear(&back);
	picture_clear(&p);
	program_text_clear(&text);
	program_text_clear(&file);
	program_text_clear(&again);
}

static const char states[] = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_port\n"
			     "3 g-web 1 n1 10.1.0.1 2 0 100 100 80\n3 g-web 2 n2 10.1.0.2 2 8 50 50 80\n3 g-web 3 old 10.1.0.9 0 1 50 50 80\n"
			     "3 other 1 n1 10.1.0.1 2 0 1 1 80\n3 g-web 4\n3 g-web 5 bad host 2 0 1 1 80\n3 g-web 6 n6 10.1.0.6 2 0 99999 1 80\n";
static const char stat[] = "# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,status,\nmail,FRONTEND,,,0,0,,1,2,3,OPEN,\ng-web,FRONTEND,,,0,0,,1,2,3,OPEN,\n"
			   "g-web,n1,0,0,4,9,7,99,18446744073709551615,12,UP,\ng-web,n2,0,0,0,0,,1,2,3,DOWN 1/2,\ng-web,old,0,0,0,0,,1,2,3,MAINT,\n"
			   "g-web,BACKEND,0,0,4,0,,100,5,6,UP,\ng-gone,FRONTEND,,,0,0,,1,2,3,OPEN,\n";

static void answers(void)
{
	struct picture p = wanted(), have = {0};
	struct program_text remove = {0};
	unsigned going, foreign;

	picture_copy_virtuals(&have, &p);
	CU_ASSERT(haproxy_parse_servers(states, "g-", &p, &have, &going));
	CU_ASSERT_EQUAL(going, 1);
	const struct picture_virtual *v = picture_find(&have, "web");
	CU_ASSERT_EQUAL_FATAL(v->count, 3);
	CU_ASSERT(v->reals[0].weight == 100 && v->reals[1].weight == 0 && v->reals[2].weight == 0);
	CU_ASSERT(haproxy_parse_stat(stat, "g-", &have, &foreign, &remove));
	CU_ASSERT_EQUAL(foreign, 1);
	CU_ASSERT_STRING_EQUAL(remove.text, "g-web/old\n");
	/* the one that does not run is not there; the one without a backend is none */
	CU_ASSERT(have.count == 1 && !strcmp(have.virtuals[0].name, "web"));
	CU_ASSERT(have.virtuals[0].reals[0].counts.active == 4 && have.virtuals[0].reals[0].connections_max == 7 && have.virtuals[0].reals[0].counts.bytes_in == 0);
	CU_ASSERT(have.virtuals[0].reals[1].failing && have.virtuals[0].counts.connections == 100);
	CU_ASSERT(!haproxy_parse_servers("Unknown command", "g-", &p, &have, &going));
	CU_ASSERT(!haproxy_parse_stat("", "g-", &have, &foreign, &remove));
	CU_ASSERT(haproxy_info("Name: HAProxy\nPid: 123\n", "Pid") == 123 && haproxy_info("Pid: x\n", "Pid") == 0 && haproxy_info("", "Pid") == 0);
	program_text_clear(&remove);
	picture_clear(&have);
	picture_clear(&p);
}

static void slots(void)
{
	struct picture p = {0};
	struct picture_virtual *v = picture_add_virtual(&p, "v");
	uint16_t *out;

	srand(9);
	for (int round = 0; round < 300; round++) {
		v->count = 0;
		uint32_t all = 0;
		for (int i = rand() % 12; i >= 0; i--)
			all += picture_add_real(v, "")->weight = rand() % 4 ? (uint32_t)rand() % 101 : 0;
		size_t count = nft_slots(v, &out);
		CU_ASSERT((count == 0) == (all == 0) && count <= NFT_SLOTS + v->count);
		for (size_t i = 0; i < v->count; i++) {
			double share = all ? (double)v->reals[i].weight / all : 0, got = 0;
			for (size_t k = 0; k < count; k++)
				got += out[k] == i;
			CU_ASSERT(!count || (got / (double)count > share - 0.02 && got / (double)count < share + 0.02));
			CU_ASSERT((got > 0) == (v->reals[i].weight > 0));
		}
		free(out);
	}
	v->count = 0;
	for (int i = 0; i < 1000; i++)
		picture_add_real(v, "")->weight = 1000;
	CU_ASSERT_EQUAL(nft_slots(v, &out), 1000);
	free(out);
	picture_clear(&p);
}

static void ruleset(void)
{
	struct picture p = wanted(), nothing = {0};
	struct program_text four = {0}, six = {0};

	nft_ruleset(&p, &nothing, 4, "glory", &four);
	nft_ruleset(&p, &nothing, 6, "glory", &six);
	CU_ASSERT_PTR_NOT_NULL(strstr(four.text, "ip daddr 10.0.0.1 tcp dport 80 goto v1 comment \"web wrr\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(four.text, "dnat to 10.1.0.2:80 comment \"n2 weight 0\""));
	CU_ASSERT_PTR_NULL(strstr(four.text, "fd00"));
	CU_ASSERT_PTR_NOT_NULL(strstr(six.text, "jhash ip6 saddr mod 1 seed 0x1 vmap { 0 : goto v0-r0 }"));
	CU_ASSERT_PTR_NOT_NULL(strstr(six.text, "dnat to [fd00::11]:443"));
	four.size = 0;
	nft_ruleset(&nothing, &nothing, 4, "glory", &four);
	CU_ASSERT_STRING_EQUAL(four.text, "table ip glory\ndelete table ip glory\n");
	program_text_clear(&four);
	program_text_clear(&six);
	picture_clear(&p);
}

static void connections(void)
{
	struct picture p = wanted();
	struct picture_virtual *v = &p.virtuals[1];

	nft_connections("tcp      6 431999 ESTABLISHED src=10.0.0.9 dst=10.0.0.1 sport=1 dport=80 src=10.1.0.1 dst=10.0.0.9 sport=80 dport=1 [ASSURED] mark=0 use=1\n"
			"tcp      6 100 TIME_WAIT src=10.0.0.9 dst=10.0.0.1 sport=2 dport=80 src=10.1.0.1 dst=10.0.0.9 sport=80 dport=2 mark=0 use=1\n"
			"tcp src=10.1.0.1 sport=80\nsrc= src= sport= sport=\n", v);
	CU_ASSERT(v->reals[0].counts.active == 1 && v->reals[0].counts.inactive == 1 && v->counts.active == 1 && v->reals[1].counts.active == 0);
	picture_clear(&p);
}

/* A machine without /etc/protocols makes nft say 6 for tcp. */
static void protocols_by_number(void)
{
	static const struct {
		const char *said;
		bool ours;
	} ways[] = {{"\"tcp\"", true}, {"6", true}, {"\"udp\"", false}, {"17", false}, {"null", false}, {"\"6\"", false}};

	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		struct picture p = {0};
		char json[2048];
		int n = snprintf(json, sizeof json,
			 "{\"nftables\": [{\"rule\": {\"family\": \"ip\", \"table\": \"glory\", \"chain\": \"services\", \"comment\": \"web wrr\", \"expr\": ["
			 "{\"match\": {\"op\": \"==\", \"left\": {\"payload\": {\"protocol\": \"ip\", \"field\": \"daddr\"}}, \"right\": \"10.77.6.1\"}},"
			 "{\"match\": {\"op\": \"==\", \"left\": {\"payload\": {\"protocol\": \"tcp\", \"field\": \"dport\"}}, \"right\": 80}},"
			 "{\"counter\": {\"packets\": 0, \"bytes\": 0}}, {\"goto\": {\"target\": \"v1\"}}]}},"
			 "{\"rule\": {\"family\": \"ip\", \"table\": \"glory\", \"chain\": \"v1\", \"expr\": [{\"vmap\": {\"key\": {\"numgen\": {\"mode\": \"inc\", \"mod\": 1, \"offset\": 0}},"
			 "\"data\": {\"set\": [[0, {\"goto\": {\"target\": \"v1-r0\"}}]]}}}]}},"
			 "{\"rule\": {\"family\": \"ip\", \"table\": \"glory\", \"chain\": \"v1-r0\", \"comment\": \"n001 weight 100\", \"expr\": ["
			 "{\"match\": {\"op\": \"==\", \"left\": {\"meta\": {\"key\": \"l4proto\"}}, \"right\": %s}}, {\"counter\": {\"packets\": 7, \"bytes\": 70}},"
			 "{\"dnat\": {\"addr\": \"10.77.5.1\", \"port\": 80}}]}}]}", ways[i].said);

		CU_ASSERT_TRUE(nft_parse(json, (size_t)n, &p));
		CU_ASSERT_EQUAL_FATAL(p.count, 1);
		CU_ASSERT_EQUAL(p.virtuals[0].count, ways[i].ours ? 1 : 0);
		picture_clear(&p);
	}
}

/* A program's outputs are pipes: it writes the one in blocks, and what it says on the other must not fall into their middle. */
static void outputs_apart(void)
{
	struct picture_result result = {0};
	struct driver_run run = {.object = "test", .result = &result, .deadline_ms = clock_mono_ms() + 10000};
	const char *argv[] = {"/bin/sh", "-c", "printf begin; echo 51 entries >&2; cat; exit \"$0\"", "0", NULL};
	struct program_text out = {0};
	struct error e;

	CU_ASSERT_EQUAL(program_run(&run, argv, "-middle-end", &out, &e), 0);
	CU_ASSERT_STRING_EQUAL(out.text, "begin-middle-end");
	argv[3] = "3";
	CU_ASSERT_EQUAL(program_run(&run, argv, "", &out, &e), 3);
	CU_ASSERT_STRING_EQUAL(out.text, "begin51 entries\n");
	argv[0] = "/nowhere/program";
	CU_ASSERT_EQUAL(program_run(&run, argv, "", &out, &e), ERR_NOT_FOUND);
	CU_ASSERT_STRING_EQUAL(out.text, "");
	program_text_clear(&out);
}

static const struct unit_test tests[] = {{"section", section}, {"answers", answers}, {"slots", slots}, {"ruleset", ruleset}, {"connections", connections},
					 {"protocols by number", protocols_by_number}, {"outputs apart", outputs_apart}};

UNIT_MAIN("l4 texts", tests)
