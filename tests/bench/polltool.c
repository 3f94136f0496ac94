/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sweeps N agents with the product's SNMP engine, as fast as its window allows, and prints rate and CPU, a line of JSON
 * per sweep: to be put beside tests/bench/raw in the same run. Community or passphrases are read from a file. usage:
 * polltool [-n AGENTS] [-a A.B.C.0] [-p PORT] [-s SWEEPS] [-w WINDOW] [-u USER (version 3)] SECRET-FILE */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "mibs/collector/engine.h"
#include "tests/bench/oids.h"

enum { PER_NET = 250, GIVE_UP_MS = 600 };

static struct tool {
	unsigned agents, port, sweeps, window;
	char net[32];
	struct credential credential;
	unsigned answered, values;
	struct engine *engine;
} t = {.agents = 10000, .port = 161, .sweeps = 5, .net = "10.128.0.0"};

static void on_answer(void *arg, uint32_t slot, uint32_t token, enum watch_answer_kind kind, int64_t now)
{
	(void)arg;
	(void)slot;
	(void)token;
	(void)kind;
	(void)now;
}

static void on_values(void *arg, uint32_t slot, const struct query *q, const struct query_value *v, uint32_t uptime_cs,
		      int64_t now)
{
	(void)arg;
	(void)slot;
	(void)uptime_cs;
	(void)now;
	t.answered++; /* the objects fit into one request; a Report of version 3 is no answer here */
	for (size_t i = 1; i < q->count; i++)
		t.values += v[i].type < VALUE_MISSING;
}

static void on_row(void *arg, uint32_t slot, uint16_t table, uint16_t instance, const char *name, bool gone)
{
	(void)arg;
	(void)slot;
	(void)table;
	(void)instance;
	(void)name;
	(void)gone;
}

static void on_facts(void *arg, uint32_t slot, const struct engine_facts *facts)
{
	(void)arg;
	(void)slot;
	(void)facts;
}

static void on_asked(void *arg, uint32_t slot, const struct query *q, const struct query_value *v, int64_t now)
{
	(void)arg;
	(void)slot;
	(void)q;
	(void)v;
	(void)now;
}

static void on_overflow(void *arg, int64_t now)
{
	(void)arg;
	(void)now;
}

/* the first of them is sysUpTime, which the engine asks for with every poll */
static void set_objects(void)
{
	struct msg_object objects[BENCH_OIDS - 1];

	memset(objects, 0, sizeof objects);
	for (size_t i = 0; i < COUNT_OF(objects); i++) {
		objects[i] = (struct msg_object){.object = (uint16_t)(i + 1), .interval_s = 10, .shape = OBJECT_SCALAR};
		for (const char *at = bench_oids[i + 1]; *at; at += *at == '.') {
			char *end;
			objects[i].oid[objects[i].oid_length++] = (uint32_t)strtoul(at, &end, 10);
			at = end;
		}
	}
	engine_objects(t.engine, objects, COUNT_OF(objects));
}

static void add_agents(void)
{
	unsigned a, b, c;
	char text[64];

	if (sscanf(t.net, "%u.%u.%u", &a, &b, &c) != 3)
		exit(2);
	for (unsigned i = 0; i < t.agents; i++) {
		struct engine_agent agent = {.credential = &t.credential, .generation = 1, .bare = true};
		text_format(text, sizeof text, "%u.%u.%u.%u", a, b + (c + i / PER_NET) / 256, (c + i / PER_NET) % 256,
			    1 + i % PER_NET);
		address_parse(text, (uint16_t)t.port, &agent.address);
		engine_agent_set(t.engine, i, &agent, clock_mono_ms());
	}
}

static double cpu_s(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static void sweep(unsigned number)
{
	struct pollfd p = {engine_fd(t.engine, AF_INET), POLLIN, 0};
	int64_t began = clock_mono_ms(), heard = began;
	double cpu = cpu_s();
	unsigned sent = 0;

	t.answered = t.values = 0;
	while (t.answered < t.agents && clock_mono_ms() - heard < GIVE_UP_MS) {
		int64_t now = clock_mono_ms();
		unsigned before = t.answered;
		while (sent < t.agents && sent - t.answered < t.window && engine_poll(t.engine, sent, number + 1, now))
			sent++;
		engine_turn(t.engine, now);
		if (poll(&p, 1, 10) > 0)
			engine_receive(t.engine, now);
		if (t.answered != before)
			heard = now;
	}
	double wall = (double)(clock_mono_ms() - began) / 1000, used = cpu_s() - cpu;
	printf(
	    "{\"sweep\": %u, \"answered\": %u, \"values\": %u, \"wall_s\": %.3f, \"cpu_s\": %.4f, \"us_each\": %.2f}\n",
	    number, t.answered, t.values, wall, used, used * 1e6 / t.agents);
	fflush(stdout);
}

static void read_secret(const char *path)
{
	char text[1024] = "";
	FILE *f = fopen(path, "r");
	const char *wrong = "cannot be read";

	if (f) {
		text[fread(text, 1, sizeof text - 1, f)] = 0;
		fclose(f);
		wrong = credential_set_secret(&t.credential, text);
	}
	explicit_bzero(text, sizeof text);
	if (wrong) {
		fprintf(stderr, "polltool: %s %s\n", path, wrong);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	static const struct engine_ops ops = {on_answer, on_values, on_row, on_facts, on_asked, on_overflow, NULL, NULL};
	int option, fds[2] = {batch_udp_socket(AF_INET), -1};
	static const uint8_t secret[16] = "a bench, nothing";

	t.credential.version = SNMP_V2C;
	while ((option = getopt(argc, argv, "n:a:p:s:w:u:")) != -1)
		switch (option) {
		case 'n':
			t.agents = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'a':
			text_copy(t.net, sizeof t.net, optarg);
			break;
		case 'p':
			t.port = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 's':
			t.sweeps = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'w':
			t.window = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'u':
			t.credential.version = SNMP_V3;
			t.credential.auth = USM_AUTH_SHA256;
			t.credential.priv = USM_PRIV_AES128;
			text_copy(t.credential.user, sizeof t.credential.user, optarg);
			break;
		default:
			return 2;
		}
	if (optind + 1 != argc || fds[0] < 0 || t.agents == 0 || t.agents > NODE_MAX) {
		fprintf(stderr, "usage: polltool [-n AGENTS] [-a A.B.0.0] [-p PORT] [-s SWEEPS] [-w WINDOW] [-u USER] "
				"SECRET-FILE\n");
		return 2;
	}
	read_secret(argv[optind]);
	t.engine = engine_new(&ops, NULL, t.agents, fds, secret);
	if (!t.window || t.window > engine_window(t.engine))
		t.window = engine_window(t.engine);
	set_objects();
	add_agents();
	fprintf(stderr, "polltool: %u agents, window %u\n", t.agents, t.window);
	for (unsigned i = 0; i < t.sweeps; i++)
		sweep(i);
	engine_free(t.engine);
	credential_wipe(&t.credential);
	return 0;
}
