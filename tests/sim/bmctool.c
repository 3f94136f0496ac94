/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asks one BMC through the BMC engine and prints what it says, one fact a line: for the system tests and for people.
 *   bmctool [-s SUITE] [-l user|operator|admin] [-w WORKAROUND,...] [-c CACHE] [-g GUID] [-t SECONDS] [-i
 * POWER_INTERVAL] [-d] [-m MILLISECONDS] ADDRESS USER SECRETFILE COMMAND COMMAND: power, cause, sensors, findings, on, off,
 * soft, reset, identify, log, clear-log, inventory, weaknesses (until the time is over; -d: well-known passwords too), watch
 * (prints every report until the time is over). -m: least time between two requests. SECRETFILE holds "password=..." and optionally
 * "kg=...". Exit status 0: answered; 1: not; 2: usage. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/witness.h"
#include "ipmi/udp.h"

static struct {
	struct loop *loop;
	struct bmc_udp *udp;
	struct bmc_engine *engine;
	struct loop_timer *keep;
	struct msg_sel_known known;
	const char *command;
	int64_t asked_ms;
	bool watch;
	int status;
} tool = {.status = 1};

static void end(int status)
{
	tool.status = status;
	loop_stop(tool.loop);
}

static void on_send(void *arg, const struct address *to, const void *data, size_t size)
{
	(void)arg;
	bmc_udp_send(tool.udp, to, data, size);
}

static void on_secret(void *arg, const char *name)
{
	(void)arg;
	(void)name;
}

static void on_power(void *arg, const struct msg_power_state *m)
{
	static const char *const names[] = {"?", "na", "on", "off", "pending", "silent"};

	(void)arg;
	printf("power %s error=\"%s\" completion=%02x event=%02x faults=%02x cause=%u watchdog=%02x after_ms=%" PRId64 "\n",
	       names[m->state < BMC_STATE_END ? m->state : 0], bmc_error_text((enum bmc_error)m->error), m->completion,
	       m->last_event, m->faults, m->restart_cause, m->watchdog, clock_mono_ms() - tool.asked_ms);
	bool settled = strcmp(tool.command, "power") == 0 ||
		       (strcmp(tool.command, "cause") == 0 && (m->restart_cause || m->error));
	if (settled)
		end(m->state == BMC_ON || m->state == BMC_OFF ? 0 : 1);
	fflush(stdout);
}

static void on_result(void *arg, const struct msg_power_result *m)
{
	(void)arg;
	printf("result %s state=%s took_ms=%u completion=%02x text=\"%s\"\n",
	       m->error ? bmc_error_text((enum bmc_error)m->error) : "ok", power_name(m->state), m->took_ms,
	       m->completion, m->text);
	end(m->error ? 1 : 0);
}

static void on_sensors(void *arg, const struct msg_sensor *s, size_t count)
{
	bool findings_only = strcmp(tool.command, "findings") == 0;

	(void)arg;
	for (size_t i = 0; i < count; i++) {
		char reading[32] = "-";
		if (!isnan(s[i].reading))
			snprintf(reading, sizeof(reading), "%.3f", s[i].reading);
		if (!findings_only || s[i].state == SENSOR_FINDING)
			printf("%s|%u|%02x/%02x|%u.%u|%s %s|%04x|%s|%s|%s\n", s[i].name, s[i].number, s[i].type,
			       s[i].event_type, s[i].entity, s[i].entity_instance, reading, s[i].unit, s[i].bits,
			       words_name(WORDS_SENSOR_STATE, s[i].state), level_name(s[i].level), s[i].text);
		if (s[i].last && !tool.watch)
			end(0);
	}
	fflush(stdout);
}

static void on_facts(void *arg, const struct msg_bmc_facts *m)
{
	(void)arg;
	fprintf(stderr, "facts maker=%u product=%u firmware=%s guid=", m->manufacturer, m->product, m->firmware);
	for (int i = 0; i < 16; i++)
		fprintf(stderr, "%02x", m->guid[i]);
	fprintf(stderr, "%s finding=\"%s\"\n", m->guid_changed ? " changed" : "", m->finding);
	if (strcmp(tool.command, "weaknesses") == 0)
		printf("weaknesses %02x suites %08x\n", m->findings, m->suites);
	fflush(stdout);
}

/* --- what the BMC has written down ------------------------------------------------------------------ */

static void on_sel(void *arg, const struct msg_sel_entry *m, size_t count)
{
	struct msg_sel_known known = {.last_id = m[count - 1].record_id};

	(void)arg;
	for (size_t i = 0; i < count; i++)
		printf("entry %04x %08x %s|%s|%s|%s%s\n", m[i].record_id, m[i].time_s, level_name(m[i].level), m[i].type,
		       m[i].sensor, m[i].event, m[i].deasserted ? " (ended)" : "");
	memcpy(known.last, m[count - 1].raw, sizeof(known.last));
	tool.known = known; /* told from the loop: the engine is busy now */
	loop_timer_set(tool.keep, 0);
}

static void on_keep(void *arg)
{
	(void)arg;
	bmc_engine_sel_known(tool.engine, &tool.known, clock_mono_ms());
	bmc_udp_rearm(tool.udp);
}

static void on_sel_state(void *arg, const struct msg_sel_state *m)
{
	(void)arg;
	printf("log entries=%u free=%u notices=%02x error=\"%s\"\n", m->entries, m->free_bytes, m->notices,
	       bmc_error_text((enum bmc_error)m->error));
	end(m->error ? 1 : 0);
}

static void on_sel_cleared(void *arg, const struct msg_sel_cleared *m)
{
	(void)arg;
	printf("cleared error=\"%s\" text=\"%s\"\n", bmc_error_text((enum bmc_error)m->error), m->text);
	end(m->error ? 1 : 0);
}

static void on_pet(void *arg, const struct msg_sel_entry *m)
{
	(void)arg;
	(void)m;
}

static void on_fru(void *arg, const struct msg_fru *m)
{
	(void)arg;
	printf("inventory error=\"%s\"", bmc_error_text((enum bmc_error)m->error));
	for (int i = 0; i < FRU_FIELD_COUNT; i++)
		printf("|%s", m->fields[i]);
	putchar('\n');
	end(m->error ? 1 : 0);
}

static void on_time_over(void *arg)
{
	(void)arg;
	end(tool.watch ? 0 : 1);
}

static int usage(void)
{
	fprintf(stderr, "usage: bmctool [-s suite] [-l privilege] [-w workaround,...] [-c cache] [-g guid] [-t "
			"seconds] [-i power_interval] address user secretfile "
			"power|cause|sensors|findings|on|off|soft|reset|identify|log|clear-log|inventory|weaknesses|watch\n");
	return 2;
}

static uint32_t workarounds(char *list)
{
	static const char *const names[] = {"opensesspriv", "authcap", "intel20",
					    "supermicro20", "sun20",   "nonemptyseq"};
	uint32_t bits = 0;

	for (char *save, *w = strtok_r(list, ",", &save); w; w = strtok_r(NULL, ",", &save))
		for (size_t i = 0; i < COUNT_OF(names); i++)
			if (strcmp(w, names[i]) == 0)
				bits |= 1U << i;
	return bits;
}

static bool guid(const char *text, uint8_t out[16])
{
	int n = 0;

	for (; *text && n < 32; text++) {
		const char *digits = "0123456789abcdef", *at = strchr(digits, *text | 0x20);
		if (*text == '-')
			continue;
		if (!at)
			return false;
		out[n / 2] = (uint8_t)(out[n / 2] << 4 | (at - digits));
		n++;
	}
	return n == 32 && !*text;
}

static int give_secret(const char *path)
{
	char text[1024] = "";
	struct error error;
	FILE *f = fopen(path, "re");

	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
	text[n] = 0;
	if (f)
		fclose(f);
	int bad = bmc_engine_secret(tool.engine, "bmc", n ? text : NULL, clock_mono_ms(), &error);
	explicit_bzero(text, sizeof(text));
	if (bad)
		fprintf(stderr, "%s: %s: %s\n", path, error.text, error.remedy);
	return bad;
}

static int ask(void)
{
	int verb = words_value(WORDS_POWER_VERB, tool.command);
	struct msg_bmc_read read = {.what = BMC_READ_POWER, .urgent = 1};
	struct msg_power power = {.job = 1, .verb = (uint32_t)verb, .deadline_ms = 20000};

	bool log = strcmp(tool.command, "log") == 0;
	struct msg_sel_clear clear = {.request = 1};

	tool.asked_ms = clock_mono_ms(); /* libraries have taken their time before */
	tool.watch = strcmp(tool.command, "watch") == 0 || strcmp(tool.command, "weaknesses") == 0;
	if (tool.watch)
		return 0;
	if (log || strcmp(tool.command, "clear-log") == 0)
		bmc_engine_sel_known(tool.engine, &tool.known, clock_mono_ms());
	if (strcmp(tool.command, "clear-log") == 0)
		bmc_engine_sel_clear(tool.engine, &clear, clock_mono_ms());
	else if (verb > 0)
		bmc_engine_power(tool.engine, &power, clock_mono_ms());
	else {
		if (strcmp(tool.command, "sensors") == 0 || strcmp(tool.command, "findings") == 0)
			read.what = BMC_READ_SENSORS;
		else if (log)
			read.what = BMC_READ_SEL;
		else if (strcmp(tool.command, "inventory") == 0)
			read.what = BMC_READ_FRU;
		else if (strcmp(tool.command, "cause") == 0)
			read.what = BMC_READ_CAUSE;
		else if (strcmp(tool.command, "power") != 0)
			return 2;
		bmc_engine_read(tool.engine, &read, clock_mono_ms());
	}
	return 0;
}

static int privilege(const char *name)
{
	return strcmp(name, "user") == 0 ? 2 : strcmp(name, "operator") == 0 ? 3 : strcmp(name, "admin") == 0 ? 4 : 0;
}

int main(int argc, char **argv)
{
	struct msg_bmc_target t = {.suite = 17,
				   .privilege = 4,
				   .power_interval_s = 30,
				   .sensor_interval_s = 0,
				   .name = "bmc",
				   .credential = "bmc"};
	static const struct bmc_record_hands records = {on_sel, on_sel_state, on_sel_cleared, on_pet, on_fru};
	struct bmc_settings settings = {.records = &records};
	struct error error;
	int64_t seconds = 30;
	int option;

	while ((option = getopt(argc, argv, "s:l:w:c:g:t:i:m:d")) != -1) {
		int64_t number;
		if (option == 's' && text_integer(optarg, 0, 255, &number))
			t.suite = (uint8_t)number;
		else if (option == 'l' && privilege(optarg))
			t.privilege = (uint8_t)privilege(optarg);
		else if (option == 'w')
			t.workarounds = workarounds(optarg);
		else if (option == 'c')
			text_copy(settings.cache_directory, sizeof(settings.cache_directory), optarg);
		else if (option == 'm' && text_integer(optarg, 1, 2000, &number))
			t.gap_ms = (uint16_t)number;
		else if (option == 'd')
			t.probe_defaults = 1;
		else if (option == 't' && text_integer(optarg, 1, 86400, &number))
			seconds = number;
		else if (option == 'i' && text_integer(optarg, 1, 3600, &number))
			t.power_interval_s = (uint32_t)number;
		else if (option != 'g' || !guid(optarg, t.expected_guid))
			return usage();
	}
	if (argc - optind != 4 || !address_parse(argv[optind], 623, &t.address) ||
	    !text_copy(t.user, sizeof(t.user), argv[optind + 1]))
		return usage();
	log_open("bmctool", LOG_LEVEL_WARNING, false);
	tool.command = argv[optind + 3];
	tool.loop = loop_new();
	tool.udp = bmc_udp_open();
	struct bmc_hands hands = {on_send, bmc_udp_random, on_secret, on_power, on_result, on_sensors, on_facts, NULL};
	tool.engine = tool.udp ? bmc_engine_new(&settings, &hands, clock_mono_ms()) : NULL;
	if (!tool.engine || give_secret(argv[optind + 2]))
		return 1;
	if (bmc_engine_target(tool.engine, &t, clock_mono_ms(), &error)) {
		fprintf(stderr, "%s: %s: %s\n", error.object, error.text, error.remedy);
		return 1;
	}
	tool.keep = loop_timer_new(tool.loop, on_keep, NULL);
	if (ask())
		return usage();
	bmc_udp_attach(tool.udp, tool.loop, tool.engine);
	struct loop_timer *limit = loop_timer_new(tool.loop, on_time_over, NULL);
	loop_timer_set(limit, seconds * 1000);
	loop_run(tool.loop);
	bmc_engine_close(tool.engine);
	bmc_engine_free(tool.engine);
	bmc_udp_free(tool.udp);
	loop_timer_free(limit);
	loop_timer_free(tool.keep);
	loop_free(tool.loop);
	return tool.status;
}
