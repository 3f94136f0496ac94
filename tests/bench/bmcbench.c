/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the BMC engine costs at COUNT simulated BMCs (the swarm's): first contact with sessions, power reads in open
 * sessions, and one sweep of all sensors. Prints wall and own processor time; `make bench` and people run it beside a
 * swarm. bmcbench COUNT SUITE SECRETFILE [power|open|sensors|sweeps [DIRECTORY]]: only first contact, and one
 * more read; only one sweep, and one more; with
 * the sensors' records kept in DIRECTORY. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/witness.h"
#include "ipmi/udp.h"

static struct {
	struct loop *loop;
	struct bmc_udp *udp;
	struct bmc_engine *engine;
	struct loop_timer *limit;
	uint32_t count, answered, good, swept;
	uint64_t sensors;
	uint8_t *seen;
	bool sweeping;
} bench;

static void on_send(void *arg, const struct address *to, const void *data, size_t size)
{
	(void)arg;
	bmc_udp_send(bench.udp, to, data, size);
}

static void on_secret(void *arg, const char *name)
{
	(void)arg;
	(void)name;
}

static void on_power(void *arg, const struct msg_power_state *m)
{
	(void)arg;
	if (bench.sweeping || bench.seen[m->slot])
		return;
	bench.seen[m->slot] = 1;
	bench.good += m->state == BMC_ON || m->state == BMC_OFF;
	if (++bench.answered == bench.count)
		loop_stop(bench.loop);
}

static void on_result(void *arg, const struct msg_power_result *m)
{
	(void)arg;
	(void)m;
}

static void on_sensors(void *arg, const struct msg_sensor *m, size_t count)
{
	(void)arg;
	(void)m;
	bench.sensors += count;
	if (++bench.swept == bench.count && bench.sweeping)
		loop_stop(bench.loop);
}

static void on_facts(void *arg, const struct msg_bmc_facts *m)
{
	(void)arg;
	(void)m;
}

static void on_limit(void *arg)
{
	(void)arg;
	loop_stop(bench.loop);
}

static double cpu_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/* Runs the loop until everybody has answered; prints what it took. */
static void phase(const char *name, int64_t limit_ms)
{
	int64_t start = clock_mono_ms();
	double cpu = cpu_s();
	struct bmc_counts before, after;

	bmc_engine_counts(bench.engine, &before);
	bench.answered = bench.good = bench.swept = 0;
	bench.sensors = 0;
	memset(bench.seen, 0, bench.count);
	loop_timer_set(bench.limit, limit_ms);
	bmc_udp_rearm(bench.udp);
	loop_run(bench.loop);
	bmc_engine_counts(bench.engine, &after);
	printf("%-22s answered %u good %u sweeps %u sensors %" PRIu64 " wall %.3f s cpu %.3f s exchanges %" PRIu64
	       " sent %" PRIu64 " sessions %" PRIu64 "\n",
	       name, bench.answered, bench.good, bench.swept, bench.sensors, 1e-3 * (double)(clock_mono_ms() - start),
	       cpu_s() - cpu, after.exchanges - before.exchanges, after.sent - before.sent,
	       after.sessions - before.sessions);
	fflush(stdout);
}

static void read_all(uint32_t what)
{
	for (uint32_t i = 0; i < bench.count; i++) {
		struct msg_bmc_read r = {.slot = i, .generation = 1, .what = what};
		bmc_engine_read(bench.engine, &r, clock_mono_ms());
	}
}

static int add_targets(uint8_t suite, const char *secret_path)
{
	struct msg_bmc_target t = {.generation = 1,
				   .suite = suite,
				   .privilege = 2, /* as what the tools beside it are told */
				   .power_interval_s = 3600,
				   .credential = "bmc",
				   .user = "operator"};
	char text[1024] = "";
	struct error error;
	FILE *f = fopen(secret_path, "re");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	if (f)
		fclose(f);
	text[n] = 0;
	int bad = bmc_engine_secret(bench.engine, "bmc", n ? text : NULL, clock_mono_ms(), &error);
	explicit_bzero(text, sizeof(text));
	for (uint32_t i = 0; i < bench.count && !bad; i++) {
		char name[32];
		text_format(name, sizeof(name), "10.129.%u.%u", i / 250, 1 + i % 250);
		address_parse(name, 623, &t.address);
		text_copy(t.name, sizeof(t.name), name);
		t.slot = i;
		bad = bmc_engine_target(bench.engine, &t, clock_mono_ms(), &error);
	}
	if (bad)
		fprintf(stderr, "%s: %s: %s\n", error.object, error.text, error.remedy);
	return bad;
}

static bool read_power(const char *name)
{
	read_all(BMC_READ_POWER);
	phase(name, 60000);
	return bench.good == bench.count;
}

static bool read_sensors(const char *name)
{
	bench.sweeping = true;
	read_all(BMC_READ_SENSORS);
	phase(name, 300000);
	return bench.swept == bench.count;
}

static bool measure(const char *what)
{
	if (strcmp(what, "sensors") == 0)
		return read_sensors("sensors");
	if (strcmp(what, "sweeps") == 0)
		return read_sensors("sensors") && read_sensors("sensors, open sessions");
	if (strcmp(what, "power") == 0)
		return read_power("first contact");
	if (!read_power("first contact") || !read_power("power, open sessions"))
		return false;
	if (strcmp(what, "open") == 0)
		return true;
	return read_sensors("sensors, records read") && read_sensors("sensors, records known");
}

int main(int argc, char **argv)
{
	struct bmc_hands hands = {on_send, bmc_udp_random, on_secret, on_power, on_result, on_sensors, on_facts, NULL};
	struct bmc_settings settings = {0};
	int64_t count, suite;

	if (argc < 4 || argc > 6 || !text_integer(argv[1], 1, 10000, &count) || !text_integer(argv[2], 3, 17, &suite)) {
		fprintf(stderr, "usage: bmcbench count suite secretfile [power|open|sensors|sweeps [directory]]\n");
		return 2;
	}
	text_copy(settings.cache_directory, sizeof(settings.cache_directory), argc > 5 ? argv[5] : "");
	log_open("bmcbench", LOG_LEVEL_WARNING, false);
	bench.count = (uint32_t)count;
	bench.seen = mem_zalloc(bench.count);
	bench.loop = loop_new();
	bench.udp = bmc_udp_open();
	bench.engine = bench.udp ? bmc_engine_new(&settings, &hands, clock_mono_ms()) : NULL;
	if (!bench.engine || add_targets((uint8_t)suite, argv[3]))
		return 1;
	bench.limit = loop_timer_new(bench.loop, on_limit, NULL);
	bmc_udp_attach(bench.udp, bench.loop, bench.engine);
	bool all = measure(argc > 4 ? argv[4] : "");
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	printf("largest resident size   %.1f MB\n", (double)u.ru_maxrss / 1024);
	bmc_engine_close(bench.engine);
	bmc_engine_free(bench.engine);
	bmc_udp_free(bench.udp);
	loop_timer_free(bench.limit);
	loop_free(bench.loop);
	free(bench.seen);
	return all ? 0 : 1;
}
