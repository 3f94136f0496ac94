/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What it costs to bring rows into RRD files at realistic width (a base file and five more of each node): by bare rrd_update_r() of 30
 * values a call, and by the recorder (journal, memory, writer), in turns on the same files. Prints a line of JSON for each round.
 * Called by tests/bench/run. usage: rrdbench DIRECTORY NODES ROUNDS */
#include <errno.h>
#include <poll.h>
#include <rrd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "rrd/recorder.h"
#include "tests/bench/cpu.h"

enum { FILES = 6, STEP = 10, ROWS = 30, BEGIN = 1700000000, WAIT_MS = 120000, TEXT = 512 };

static const struct file_kind {
	const char *file;
	uint32_t count;
} kinds[FILES] = {{"base", 19}, {"disk-root", 1}, {"disk-srv", 1}, {"diskio-sda", 3}, {"diskio-sdb", 3}, {"if-eth0", 4}};

static struct bench {
	const char *directory;
	uint32_t nodes;
	int64_t time_s; /* of the next row */
	struct recorder *recorder;
	int wake[2];
} b = {.time_s = BEGIN};

static void wake(void *arg)
{
	(void)arg;
	if (write(b.wake[1], "", 1) < 0 && errno != EAGAIN)
		abort();
}

static void await(enum recorder_event_kind kind)
{
	int64_t until = clock_mono_ms() + WAIT_MS;
	struct recorder_event e;
	char byte;

	for (;;) {
		struct pollfd p = {.fd = b.wake[0], .events = POLLIN};
		while ((e = recorder_event(b.recorder)).kind != RECORDER_NOTHING)
			if (e.kind == kind)
				return;
		if (clock_mono_ms() > until || poll(&p, 1, WAIT_MS) <= 0 || read(b.wake[0], &byte, 1) != 1) {
			fprintf(stderr, "rrdbench: the recorder does not answer\n");
			exit(1);
		}
	}
}

static double value_of(uint32_t node, uint32_t source, int64_t time_s)
{
	return (double)((time_s / STEP * 7919 + node * 31 + source) % 100000) / 10;
}

static uint32_t series_of(uint32_t node, uint32_t file)
{
	return 1 + node * FILES + file;
}

static void announce(void)
{
	for (uint32_t n = 0; n < b.nodes; n++)
		for (uint32_t f = 0; f < FILES; f++) {
			struct msg_series m = {.series = series_of(n, f), .slot = n, .step_s = STEP, .count = (uint16_t)kinds[f].count};
			text_copy(m.site, sizeof m.site, "bench");
			text_copy(m.group, sizeof m.group, "g");
			text_format(m.node, sizeof m.node, "n%05u", n);
			text_copy(m.source, sizeof m.source, "snmp");
			text_copy(m.file, sizeof m.file, kinds[f].file);
			for (uint32_t i = 0; i < kinds[f].count; i++)
				text_format(m.names[i], sizeof m.names[i], "source_%u", i);
			recorder_series(b.recorder, &m);
		}
}

/* One row of every file, as the engine's ring brings them. */
static void give_step(void)
{
	size_t bytes = 0, at = 0;

	for (int f = 0; f < FILES; f++)
		bytes += b.nodes * (sizeof(struct ring_row) + kinds[f].count * sizeof(double));
	uint8_t *rows = mem_zalloc(bytes);
	for (uint32_t n = 0; n < b.nodes; n++)
		for (uint32_t f = 0; f < FILES; f++) {
			struct ring_row *r = (void *)(rows + at);
			*r = (struct ring_row){.series = series_of(n, f), .count = kinds[f].count, .time_s = b.time_s};
			for (uint32_t i = 0; i < r->count; i++)
				r->values[i] = value_of(n, i, b.time_s);
			at += sizeof *r + r->count * sizeof(double);
		}
	recorder_batch(b.recorder, rows, bytes);
	await(RECORDER_BATCH_SAFE);
	b.time_s += STEP;
}

/* New files are begun at a limited pace: what had to wait is written by a later flush. */
static bool rows_wait(void)
{
	struct recorder_stats stats;

	recorder_stats(b.recorder, &stats);
	return stats.rows_waiting > 0;
}

/* So many rows of every file, all of them in the files afterwards; returns the processor time. */
static double ours(int rows)
{
	int64_t before = cpu_ns();

	for (int i = 0; i < rows; i++)
		give_step();
	do {
		for (uint32_t n = 0; n < b.nodes; n++)
			recorder_flush(b.recorder, n, n);
		for (uint32_t n = 0; n < b.nodes; n++)
			await(RECORDER_FLUSHED);
	} while (rows_wait() && poll(NULL, 0, 200) == 0);
	return 1e-9 * (double)(cpu_ns() - before);
}

static double bare_file(uint32_t node, uint32_t file)
{
	static char text[ROWS][TEXT];
	const char *rows[ROWS];
	char path[512];

	text_format(path, sizeof path, "%s/rrd/bench/g/n%05u/snmp/%s.rrd", b.directory, node, kinds[file].file);
	for (int r = 0; r < ROWS; r++) {
		size_t used = 0;
		int64_t at = b.time_s + r * STEP;
		text_append(text[r], TEXT, &used, "%lld", (long long)at);
		for (uint32_t i = 0; i < kinds[file].count; i++)
			text_append(text[r], TEXT, &used, ":%.10g", value_of(node, i, at));
		rows[r] = text[r];
	}
	int64_t before = cpu_ns();
	if (rrd_update_r(path, NULL, ROWS, rows)) {
		fprintf(stderr, "rrdbench: %s: %s\n", path, rrd_get_error());
		exit(1);
	}
	return 1e-9 * (double)(cpu_ns() - before);
}

/* The library's call alone: its texts are ready. */
static double bare(void)
{
	double sum = 0;

	for (uint32_t n = 0; n < b.nodes; n++)
		for (uint32_t f = 0; f < FILES; f++)
			sum += bare_file(n, f);
	b.time_s += ROWS * STEP;
	return sum;
}

static void restart(void)
{
	struct recorder_setup setup = {.memory_bytes = (size_t)208 << 20, .wake = wake};
	char *rrd = mem_format("%s/rrd", b.directory), *journal = mem_format("%s/journal", b.directory);

	setup.rrd = rrd;
	setup.journal = journal;
	mkdir(journal, 0700);
	b.recorder = recorder_start(&setup);
	if (!b.recorder)
		exit(1);
	announce();
	free(rrd);
	free(journal);
}

int main(int argc, char **argv)
{
	int64_t nodes, rounds;

	if (argc != 4 || !text_integer(argv[2], 1, 10000, &nodes) || !text_integer(argv[3], 1, 100, &rounds) || pipe(b.wake)) {
		fprintf(stderr, "usage: rrdbench DIRECTORY NODES ROUNDS\n");
		return 2;
	}
	log_open("rrdbench", LOG_LEVEL_WARNING, false);
	b.directory = argv[1];
	b.nodes = (uint32_t)nodes;
	restart();
	printf("{\"files\": %u, \"create_us\": %.1f}\n", b.nodes * FILES, ours(1) * 1e6 / (b.nodes * FILES));
	ours(ROWS);
	for (int64_t i = 0; i < rounds; i++) {
		double library = bare();
		/* what the library wrote is news to the recorder, which knows its files: it begins anew, outside of what is counted */
		recorder_stop(b.recorder, clock_mono_ms() + WAIT_MS);
		restart();
		ours(1);
		double recorder = ours(ROWS);
		printf("{\"round\": %d, \"bare_us\": %.2f, \"ours_us\": %.2f, \"ratio\": %.3f}\n", (int)i,
		       library * 1e6 / (b.nodes * FILES * ROWS), recorder * 1e6 / (b.nodes * FILES * ROWS), recorder / library);
		fflush(stdout);
	}
	recorder_stop(b.recorder, clock_mono_ms() + WAIT_MS);
	return 0;
}
