/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables of objects and items, and how values are worked out of raw samples; see items.h. */
#include "monitor/items.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "board/messages.h"

#define MIB2 1, 3, 6, 1, 2, 1
#define UCD 1, 3, 6, 1, 4, 1, 2021
#define LENGTH(...) (sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))
#define SCALAR(id, ...) {id, TABLE_NONE, 0, LENGTH(__VA_ARGS__), {__VA_ARGS__}}
#define NAME(id, table, ...) {id, table, 1, LENGTH(__VA_ARGS__), {__VA_ARGS__}}
#define COLUMN(id, table, ...) {id, table, 0, LENGTH(__VA_ARGS__), {__VA_ARGS__}}

const struct object_definition item_objects[] = {
	SCALAR(OBJ_SYSUPTIME, MIB2, 1, 3, 0), SCALAR(OBJ_HOST_UPTIME, MIB2, 25, 1, 1, 0),
	SCALAR(OBJ_PROCS, MIB2, 25, 1, 6, 0), SCALAR(OBJ_USERS, MIB2, 25, 1, 5, 0),
	SCALAR(OBJ_LOAD1, UCD, 10, 1, 5, 1), SCALAR(OBJ_LOAD5, UCD, 10, 1, 5, 2), SCALAR(OBJ_LOAD15, UCD, 10, 1, 5, 3),
	SCALAR(OBJ_MEM_TOTAL, UCD, 4, 5, 0), SCALAR(OBJ_MEM_FREE, UCD, 4, 6, 0), SCALAR(OBJ_MEM_BUFFER, UCD, 4, 14, 0),
	SCALAR(OBJ_MEM_CACHED, UCD, 4, 15, 0), SCALAR(OBJ_SWAP_TOTAL, UCD, 4, 3, 0), SCALAR(OBJ_SWAP_FREE, UCD, 4, 4, 0),
	SCALAR(OBJ_CPU_USER, UCD, 11, 50, 0), SCALAR(OBJ_CPU_NICE, UCD, 11, 51, 0), SCALAR(OBJ_CPU_SYSTEM, UCD, 11, 52, 0),
	SCALAR(OBJ_CPU_IDLE, UCD, 11, 53, 0), SCALAR(OBJ_CPU_WAIT, UCD, 11, 54, 0), SCALAR(OBJ_CPU_KERNEL, UCD, 11, 55, 0),
	SCALAR(OBJ_CPU_IRQ, UCD, 11, 56, 0), SCALAR(OBJ_CPU_SOFTIRQ, UCD, 11, 61, 0), SCALAR(OBJ_CPU_STEAL, UCD, 11, 64, 0),
	SCALAR(OBJ_INTERRUPTS, UCD, 11, 59, 0), SCALAR(OBJ_CONTEXTS, UCD, 11, 60, 0), SCALAR(OBJ_TCP_ESTAB, MIB2, 6, 9, 0),
	NAME(OBJ_DISK_NAME, TABLE_DISK, MIB2, 25, 2, 3, 1, 3), COLUMN(OBJ_DISK_UNIT, TABLE_DISK, MIB2, 25, 2, 3, 1, 4),
	COLUMN(OBJ_DISK_SIZE, TABLE_DISK, MIB2, 25, 2, 3, 1, 5), COLUMN(OBJ_DISK_USED, TABLE_DISK, MIB2, 25, 2, 3, 1, 6),
	NAME(OBJ_IO_NAME, TABLE_DISKIO, UCD, 13, 15, 1, 1, 2), COLUMN(OBJ_IO_READ, TABLE_DISKIO, UCD, 13, 15, 1, 1, 12),
	COLUMN(OBJ_IO_WRITTEN, TABLE_DISKIO, UCD, 13, 15, 1, 1, 13), COLUMN(OBJ_IO_LOAD, TABLE_DISKIO, UCD, 13, 15, 1, 1, 9),
	NAME(OBJ_IF_NAME, TABLE_IF, MIB2, 31, 1, 1, 1, 1), COLUMN(OBJ_IF_IN, TABLE_IF, MIB2, 31, 1, 1, 1, 6),
	COLUMN(OBJ_IF_OUT, TABLE_IF, MIB2, 31, 1, 1, 1, 10), COLUMN(OBJ_IF_IN_ERRORS, TABLE_IF, MIB2, 2, 2, 1, 14),
	COLUMN(OBJ_IF_OUT_ERRORS, TABLE_IF, MIB2, 2, 2, 1, 20), COLUMN(OBJ_IF_IN_DISCARDS, TABLE_IF, MIB2, 2, 2, 1, 13),
	COLUMN(OBJ_IF_OUT_DISCARDS, TABLE_IF, MIB2, 2, 2, 1, 19),
};
const unsigned item_object_count = COUNT_OF(item_objects);

const struct item_definition item_definitions[] = {
	{ITEM_UPTIME, TABLE_NONE, "uptime", "s", "time since the operating system started", false},
	{ITEM_CPU, TABLE_NONE, "cpu", "percent", "processor time not idle and not waiting", true},
	{ITEM_CPU_USER, TABLE_NONE, "cpu_user", "percent", "processor time in programs", true},
	{ITEM_CPU_SYSTEM, TABLE_NONE, "cpu_system", "percent", "processor time in the kernel", true},
	{ITEM_CPU_IOWAIT, TABLE_NONE, "cpu_iowait", "percent", "processor time waiting for disks", true},
	{ITEM_CPU_IRQ, TABLE_NONE, "cpu_irq", "percent", "processor time in interrupts", true},
	{ITEM_CPU_STEAL, TABLE_NONE, "cpu_steal", "percent", "processor time taken by the hypervisor", true},
	{ITEM_LOAD1, TABLE_NONE, "load1", "", "run queue, mean of 1 minute", false},
	{ITEM_LOAD5, TABLE_NONE, "load5", "", "run queue, mean of 5 minutes", false},
	{ITEM_LOAD15, TABLE_NONE, "load15", "", "run queue, mean of 15 minutes", false},
	{ITEM_MEM, TABLE_NONE, "mem", "percent", "memory in use, buffers and cache not counted", false},
	{ITEM_MEM_AVAIL, TABLE_NONE, "mem_avail", "B", "memory free or in buffers and cache", false},
	{ITEM_SWAP, TABLE_NONE, "swap", "percent", "swap space in use", false},
	{ITEM_PROCS, TABLE_NONE, "procs", "", "processes", false},
	{ITEM_USERS, TABLE_NONE, "users", "", "users logged in", false},
	{ITEM_TCP_ESTAB, TABLE_NONE, "tcp_estab", "", "TCP connections established", false},
	{ITEM_CTXT, TABLE_NONE, "ctxt", "1/s", "context switches", true},
	{ITEM_INTR, TABLE_NONE, "intr", "1/s", "interrupts", true},
	{ITEM_HEARTBEAT, TABLE_NONE, "heartbeat", "percent", "exchanges answered", false},
	{ITEM_DISK_FILL, TABLE_DISK, "disk_fill", "percent", "file system in use", false},
	{ITEM_DISK_READ, TABLE_DISKIO, "disk_read", "B/s", "bytes read from the disk", true},
	{ITEM_DISK_WRITE, TABLE_DISKIO, "disk_write", "B/s", "bytes written to the disk", true},
	{ITEM_DISK_BUSY, TABLE_DISKIO, "disk_busy", "percent", "time the disk was busy, mean of 1 minute", false},
	{ITEM_IF_IN, TABLE_IF, "if_in", "B/s", "bytes received", true},
	{ITEM_IF_OUT, TABLE_IF, "if_out", "B/s", "bytes sent", true},
	{ITEM_IF_ERRORS, TABLE_IF, "if_errors", "1/s", "packets with errors", true},
	{ITEM_IF_DISCARDS, TABLE_IF, "if_discards", "1/s", "packets discarded", true},
};
const unsigned item_definition_count = COUNT_OF(item_definitions);

const struct item_definition *item_find(const char *name)
{
	for (unsigned i = 0; i < item_definition_count; i++)
		if (!strcmp(item_definitions[i].name, name))
			return &item_definitions[i];
	return NULL;
}

void raw_push(struct raw_pair *pair, uint8_t type, int64_t value, int64_t arrival_ms, bool restarted)
{
	if (restarted || pair->now.type != type)
		pair->before.type = 0;
	else
		pair->before = pair->now;
	pair->now = (struct raw){.value = value, .arrival_ms = arrival_ms, .type = type};
}

double raw_gauge(const struct raw_pair *pair)
{
	if (pair->now.type == 0 || pair->now.type == SAMPLE_MISSING)
		return NAN;
	if (pair->now.type == SAMPLE_COUNTER64)
		return (double)(uint64_t)pair->now.value;
	return (double)pair->now.value;
}

double raw_rate(const struct raw_pair *pair)
{
	return raw_rate_within(pair, 900);
}

double raw_rate_within(const struct raw_pair *pair, double most_s)
{
	const struct raw *a = &pair->before, *b = &pair->now;
	double seconds = (double)(b->arrival_ms - a->arrival_ms) / 1000;

	if (a->type == 0 || b->type != a->type || b->type == SAMPLE_MISSING || seconds <= 0 || seconds > most_s)
		return NAN;
	if (b->type == SAMPLE_COUNTER64 && (uint64_t)b->value < (uint64_t)a->value)
		return NAN; /* 64 bits do not wrap in our lifetime: it was reset */
	if (b->type == SAMPLE_COUNTER64)
		return (double)((uint64_t)b->value - (uint64_t)a->value) / seconds;
	uint32_t step = (uint32_t)b->value - (uint32_t)a->value;
	if (b->value < a->value && (b->type != SAMPLE_COUNTER32 || step > UINT32_MAX / 2))
		return NAN;
	return step / seconds;
}

static double percent(double part, double whole)
{
	double p;

	if (!(whole > 0))
		return NAN;
	p = 100 * part / whole;
	return p < 0 ? 0 : p > 100 ? 100 : p;
}

/* Shares of processor time from the raw tick counters (ssCpuRaw*). ssCpuRawSystem includes kernel, interrupt and soft-interrupt time on
 * Linux, so it is not added to them. */
static void cpu_items(const struct raw_pair *raw, double *out)
{
	double user = raw_rate(&raw[OBJ_CPU_USER]), nice = raw_rate(&raw[OBJ_CPU_NICE]), idle = raw_rate(&raw[OBJ_CPU_IDLE]);
	double system = raw_rate(&raw[OBJ_CPU_SYSTEM]), wait = raw_rate(&raw[OBJ_CPU_WAIT]), steal = raw_rate(&raw[OBJ_CPU_STEAL]);
	double irq = raw_rate(&raw[OBJ_CPU_IRQ]), soft = raw_rate(&raw[OBJ_CPU_SOFTIRQ]);
	double some_wait = isnan(wait) ? 0 : wait, some_steal = isnan(steal) ? 0 : steal;
	double busy = user + (isnan(nice) ? 0 : nice) + system;
	double all = busy + idle + some_wait + some_steal;

	out[ITEM_CPU] = percent(busy + some_steal, all);
	out[ITEM_CPU_USER] = percent(user + (isnan(nice) ? 0 : nice), all);
	out[ITEM_CPU_SYSTEM] = percent(system, all);
	out[ITEM_CPU_IOWAIT] = isnan(wait) ? NAN : percent(wait, all);
	out[ITEM_CPU_IRQ] = isnan(irq) ? NAN : percent(irq + (isnan(soft) ? 0 : soft), all);
	out[ITEM_CPU_STEAL] = isnan(steal) ? NAN : percent(steal, all);
}

void items_scalars(const struct raw_pair *raw, double *out)
{
	double total = raw_gauge(&raw[OBJ_MEM_TOTAL]), free_kib = raw_gauge(&raw[OBJ_MEM_FREE]);
	double buffer = raw_gauge(&raw[OBJ_MEM_BUFFER]), cached = raw_gauge(&raw[OBJ_MEM_CACHED]);
	double host = raw_gauge(&raw[OBJ_HOST_UPTIME]), agent = raw_gauge(&raw[OBJ_SYSUPTIME]);
	double swap = raw_gauge(&raw[OBJ_SWAP_TOTAL]);

	for (unsigned i = 0; i < ITEM_SCALARS; i++)
		out[i] = NAN;
	cpu_items(raw, out);
	out[ITEM_UPTIME] = (isnan(host) ? agent : host) / 100;
	out[ITEM_LOAD1] = raw_gauge(&raw[OBJ_LOAD1]) / 100;
	out[ITEM_LOAD5] = raw_gauge(&raw[OBJ_LOAD5]) / 100;
	out[ITEM_LOAD15] = raw_gauge(&raw[OBJ_LOAD15]) / 100;
	double avail = free_kib + (isnan(buffer) ? 0 : buffer) + (isnan(cached) ? 0 : cached);
	out[ITEM_MEM] = percent(total - avail, total);
	out[ITEM_MEM_AVAIL] = avail * 1024;
	out[ITEM_SWAP] = swap == 0 ? 0 : percent(swap - raw_gauge(&raw[OBJ_SWAP_FREE]), swap);
	out[ITEM_PROCS] = raw_gauge(&raw[OBJ_PROCS]);
	out[ITEM_USERS] = raw_gauge(&raw[OBJ_USERS]);
	out[ITEM_TCP_ESTAB] = raw_gauge(&raw[OBJ_TCP_ESTAB]);
	out[ITEM_CTXT] = raw_rate(&raw[OBJ_CONTEXTS]);
	out[ITEM_INTR] = raw_rate(&raw[OBJ_INTERRUPTS]);
}

static double sum(double a, double b)
{
	return isnan(a) ? b : isnan(b) ? a : a + b;
}

unsigned items_row(unsigned table, const struct raw_pair *c, double *out)
{
#define COL(id, first) (&c[(id) - (first)])
	switch (table) {
	case TABLE_DISK:
		out[0] = percent(raw_gauge(COL(OBJ_DISK_USED, OBJ_DISK_NAME)), raw_gauge(COL(OBJ_DISK_SIZE, OBJ_DISK_NAME)));
		return 1;
	case TABLE_DISKIO:
		out[0] = raw_rate(COL(OBJ_IO_READ, OBJ_IO_NAME));
		out[1] = raw_rate(COL(OBJ_IO_WRITTEN, OBJ_IO_NAME));
		out[2] = raw_gauge(COL(OBJ_IO_LOAD, OBJ_IO_NAME));
		return 3;
	case TABLE_IF:
		out[0] = raw_rate(COL(OBJ_IF_IN, OBJ_IF_NAME));
		out[1] = raw_rate(COL(OBJ_IF_OUT, OBJ_IF_NAME));
		out[2] = sum(raw_rate(COL(OBJ_IF_IN_ERRORS, OBJ_IF_NAME)), raw_rate(COL(OBJ_IF_OUT_ERRORS, OBJ_IF_NAME)));
		out[3] = sum(raw_rate(COL(OBJ_IF_IN_DISCARDS, OBJ_IF_NAME)), raw_rate(COL(OBJ_IF_OUT_DISCARDS, OBJ_IF_NAME)));
		return 4;
	default:
		return 0;
	}
#undef COL
}

unsigned items_first_of_table(unsigned table)
{
	static const unsigned first[TABLE_COUNT] = {
		[TABLE_DISK] = ITEM_DISK_FILL, [TABLE_DISKIO] = ITEM_DISK_READ, [TABLE_IF] = ITEM_IF_IN};

	return table < TABLE_COUNT ? first[table] : 0;
}

unsigned items_objects_of_table(unsigned table, unsigned *first)
{
	static const struct {
		unsigned first, count;
	} objects[TABLE_COUNT] = {[TABLE_DISK] = {OBJ_DISK_NAME, OBJ_IO_NAME - OBJ_DISK_NAME},
				  [TABLE_DISKIO] = {OBJ_IO_NAME, OBJ_IF_NAME - OBJ_IO_NAME},
				  [TABLE_IF] = {OBJ_IF_NAME, OBJECT_BUILTIN - OBJ_IF_NAME}};

	if (table >= TABLE_COUNT)
		return 0;
	*first = objects[table].first;
	return objects[table].count;
}
