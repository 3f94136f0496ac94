/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The MIB of a small Linux server as the swarm serves it: SNMPv2-MIB, IF-MIB, TCP-MIB, HOST-RESOURCES, UCD-SNMP,
 * UCD-DISKIO; one table says all. */
#include "tests/lab/swarm/tree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CPUS = 4, TICKS = 100, MEMORY_KB = 16 << 20, SWAP_KB = 2 << 20, MAX_OBJECTS = 256, BLOCK = 4096 };

/* How a value is made. The numeric ones take `size` of their row in the table below. */
enum how {
	TEXT,     /* the row's text */
	NAME,     /* sysName */
	OBJECTID, /* the row's text as an object identifier */
	CONSTANT, /* size */
	PER_ROW,  /* size is indexed by the instance: storage sizes */
	UPTIME,
	COUNTER, /* size is the rate per second at full load */
	BUSY,    /* size is the share of the busy ticks in thousandths */
	IDLE,
	STEADY, /* a counter at a constant rate whatever the load: interrupts of a clock */
	LEVEL,  /* size at full load, moving with the load now */
	FREE,   /* size minus a share that moves with the load */
	RARE,   /* a counter that grows by one in about size seconds on a few machines */
	USED,   /* a storage's used units */
	LOADTEXT,
};

struct column {
	const char *name;  /* without the instance */
	const char *rows;  /* instances, separated by blanks */
	const char *texts; /* one per instance, separated by '|' */
	uint8_t tag;
	enum how how;
	uint64_t size;
};

#define SYS "1.3.6.1.2.1.1."
#define IF "1.3.6.1.2.1.2.2.1."
#define IFX "1.3.6.1.2.1.31.1.1.1."
#define HR "1.3.6.1.2.1.25."
#define UCD "1.3.6.1.4.1.2021."
#define DISKIO UCD "13.15.1.1."
#define STORAGE HR "2.3.1."
#define STORAGES "1 3 10 31 32"
#define KINDS HR "2.1."

/* The order of the lines is free: the tree is sorted when it is built. */
static const struct column columns[] = {
	{SYS "1", "0", "Linux node 6.1.0-18-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 x86_64", BER_OCTETS, TEXT, 0},
	{SYS "2", "0", "1.3.6.1.4.1.8072.3.2.10", BER_OID, OBJECTID, 0},
	{SYS "3", "0", "", BER_TIMETICKS, UPTIME, 0},
	{SYS "4", "0", "operations@example.org", BER_OCTETS, TEXT, 0},
	{SYS "5", "0", "", BER_OCTETS, NAME, 0},
	{SYS "6", "0", "swarm", BER_OCTETS, TEXT, 0},
	{"1.3.6.1.2.1.2.1", "0", "", BER_INTEGER, CONSTANT, 2},
	{IF "1", "1 2", "1|2", BER_INTEGER, PER_ROW, 0},
	{IF "2", "1 2", "lo|eth0", BER_OCTETS, TEXT, 0},
	{IF "3", "1 2", "24|6", BER_INTEGER, PER_ROW, 0},
	{IF "4", "1 2", "65536|1500", BER_INTEGER, PER_ROW, 0},
	{IF "5", "1 2", "10000000|1000000000", BER_GAUGE32, PER_ROW, 0},
	{IF "7", "1 2", "1|1", BER_INTEGER, PER_ROW, 0},
	{IF "8", "1 2", "1|1", BER_INTEGER, PER_ROW, 0},
	{IF "10", "1 2", "", BER_COUNTER32, COUNTER, 9000000},
	{IF "11", "1 2", "", BER_COUNTER32, COUNTER, 9000},
	{IF "13", "1 2", "", BER_COUNTER32, RARE, 900},
	{IF "14", "1 2", "", BER_COUNTER32, RARE, 3600},
	{IF "16", "1 2", "", BER_COUNTER32, COUNTER, 6000000},
	{IF "17", "1 2", "", BER_COUNTER32, COUNTER, 7000},
	{IF "19", "1 2", "", BER_COUNTER32, RARE, 1800},
	{IF "20", "1 2", "", BER_COUNTER32, RARE, 7200},
	{"1.3.6.1.2.1.6.9", "0", "", BER_GAUGE32, LEVEL, 400},
	{HR "1.1", "0", "", BER_TIMETICKS, UPTIME, 0},
	{HR "1.5", "0", "", BER_GAUGE32, LEVEL, 4},
	{HR "1.6", "0", "", BER_GAUGE32, LEVEL, 320},
	{HR "2.2", "0", "", BER_INTEGER, CONSTANT, MEMORY_KB},
	{STORAGE "1", STORAGES, "1|3|10|31|32", BER_INTEGER, PER_ROW, 0},
	{STORAGE "2", STORAGES, KINDS "2|" KINDS "3|" KINDS "3|" KINDS "4|" KINDS "4", BER_OID, OBJECTID, 0},
	{STORAGE "3", STORAGES, "Physical memory|Virtual memory|Swap space|/|/var", BER_OCTETS, TEXT, 0},
	{STORAGE "4", STORAGES, "1024|1024|1024|4096|4096", BER_INTEGER, PER_ROW, 0},
	{STORAGE "5", STORAGES, "16777216|18874368|2097152|12800000|64000000", BER_INTEGER, PER_ROW, 0},
	{STORAGE "6", STORAGES, "16777216|18874368|2097152|12800000|64000000", BER_INTEGER, USED, 0},
	{IFX "1", "1 2", "lo|eth0", BER_OCTETS, TEXT, 0},
	{IFX "6", "1 2", "", BER_COUNTER64, COUNTER, 9000000},
	{IFX "7", "1 2", "", BER_COUNTER64, COUNTER, 9000},
	{IFX "10", "1 2", "", BER_COUNTER64, COUNTER, 6000000},
	{IFX "11", "1 2", "", BER_COUNTER64, COUNTER, 7000},
	{IFX "15", "1 2", "10|1000", BER_GAUGE32, PER_ROW, 0},
	{IFX "18", "1 2", "|", BER_OCTETS, TEXT, 0},
	{UCD "4.1", "0", "", BER_INTEGER, CONSTANT, 0},
	{UCD "4.2", "0", "swap", BER_OCTETS, TEXT, 0},
	{UCD "4.3", "0", "", BER_INTEGER, CONSTANT, SWAP_KB},
	{UCD "4.4", "0", "", BER_INTEGER, FREE, SWAP_KB},
	{UCD "4.5", "0", "", BER_INTEGER, CONSTANT, MEMORY_KB},
	{UCD "4.6", "0", "", BER_INTEGER, FREE, MEMORY_KB / 4},
	{UCD "4.11", "0", "", BER_INTEGER, FREE, MEMORY_KB / 4 + SWAP_KB},
	{UCD "4.12", "0", "", BER_INTEGER, CONSTANT, 16000},
	{UCD "4.13", "0", "", BER_INTEGER, LEVEL, 600000},
	{UCD "4.14", "0", "", BER_INTEGER, LEVEL, 400000},
	{UCD "4.15", "0", "", BER_INTEGER, LEVEL, 3000000},
	{UCD "4.27", "0", "", BER_COUNTER64, FREE, MEMORY_KB / 2},
	{UCD "10.1.1", "1 2 3", "1|2|3", BER_INTEGER, PER_ROW, 0},
	{UCD "10.1.2", "1 2 3", "Load-1|Load-5|Load-15", BER_OCTETS, TEXT, 0},
	{UCD "10.1.3", "1 2 3", "", BER_OCTETS, LOADTEXT, CPUS * 100},
	{UCD "10.1.5", "1 2 3", "", BER_INTEGER, LEVEL, CPUS * 100},
	{UCD "11.50", "0", "", BER_COUNTER32, BUSY, 600},
	{UCD "11.51", "0", "", BER_COUNTER32, BUSY, 10},
	{UCD "11.52", "0", "", BER_COUNTER32, BUSY, 250},
	{UCD "11.53", "0", "", BER_COUNTER32, IDLE, 0},
	{UCD "11.54", "0", "", BER_COUNTER32, BUSY, 80},
	{UCD "11.55", "0", "", BER_COUNTER32, BUSY, 250},
	{UCD "11.56", "0", "", BER_COUNTER32, BUSY, 10},
	{UCD "11.57", "0", "", BER_COUNTER32, COUNTER, 4000},
	{UCD "11.58", "0", "", BER_COUNTER32, COUNTER, 2000},
	{UCD "11.59", "0", "", BER_COUNTER32, STEADY, 1700},
	{UCD "11.60", "0", "", BER_COUNTER32, COUNTER, 12000},
	{UCD "11.61", "0", "", BER_COUNTER32, BUSY, 40},
	{UCD "11.62", "0", "", BER_COUNTER32, RARE, 60},
	{UCD "11.63", "0", "", BER_COUNTER32, RARE, 60},
	{UCD "11.64", "0", "", BER_COUNTER32, BUSY, 10},
	{DISKIO "1", "1 2", "1|2", BER_INTEGER, PER_ROW, 0},
	{DISKIO "2", "1 2", "sda|sdb", BER_OCTETS, TEXT, 0},
	{DISKIO "3", "1 2", "", BER_COUNTER32, COUNTER, 5000000},
	{DISKIO "4", "1 2", "", BER_COUNTER32, COUNTER, 11000000},
	{DISKIO "5", "1 2", "", BER_COUNTER32, COUNTER, 120},
	{DISKIO "6", "1 2", "", BER_COUNTER32, COUNTER, 310},
	{DISKIO "9", "1 2", "", BER_INTEGER, LEVEL, 90},
	{DISKIO "10", "1 2", "", BER_INTEGER, LEVEL, 80},
	{DISKIO "11", "1 2", "", BER_INTEGER, LEVEL, 70},
	{DISKIO "12", "1 2", "", BER_COUNTER64, COUNTER, 5000000},
	{DISKIO "13", "1 2", "", BER_COUNTER64, COUNTER, 11000000},
	{DISKIO "14", "1 2", "", BER_COUNTER64, COUNTER, 500000},
};

static struct object objects[MAX_OBJECTS];
static int object_count;

/* The text of the row-th instance, and its size; empty when there are fewer. */
static const char *row_text(const struct column *c, unsigned row, size_t *size)
{
	const char *at = c->texts;

	for (; row > 0 && *at; at++)
		row -= *at == '|';
	*size = strcspn(at, "|");
	return at;
}

static int parse_oid(const char *text, uint32_t *ids, int max)
{
	int n = 0;
	char *end;

	while (n < max) {
		ids[n++] = (uint32_t)strtoul(text, &end, 10);
		if (*end != '.')
			break;
		text = end + 1;
	}
	return n;
}

static int object_order(const void *a, const void *b)
{
	const struct object *x = a, *y = b;
	return ber_oid_compare(x->ids, x->count, y->ids, y->count);
}

static void add_column(unsigned number)
{
	const struct column *c = &columns[number];
	const char *row = c->rows;

	for (unsigned r = 0; *row; r++) {
		struct object *o = &objects[object_count++];
		char *end;
		o->count = parse_oid(c->name, o->ids, 15);
		o->ids[o->count++] = (uint32_t)strtoul(row, &end, 10);
		o->name_size = (uint8_t)ber_put_oid(o->name, sizeof(o->name), o->ids, o->count);
		o->tag = c->tag;
		o->what = (uint16_t)number;
		o->row = (uint16_t)r;
		row = end + (*end == ' ');
	}
}

const struct object *tree_objects(int *count)
{
	if (object_count == 0) {
		for (unsigned i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
			add_column(i);
		qsort(objects, (size_t)object_count, sizeof(objects[0]), object_order);
	}
	*count = object_count;
	return objects;
}

/* The index of the first object not before the name. */
static int lower_bound(const uint32_t *ids, int count)
{
	int low = 0, high;

	tree_objects(&high);
	while (low < high) {
		int mid = (low + high) / 2;
		if (ber_oid_compare(objects[mid].ids, objects[mid].count, ids, count) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct object *tree_find(const uint32_t *ids, int count)
{
	int at = lower_bound(ids, count);

	if (at == object_count || ber_oid_compare(objects[at].ids, objects[at].count, ids, count) != 0)
		return NULL;
	return &objects[at];
}

const struct object *tree_next(const uint32_t *ids, int count)
{
	int at = lower_bound(ids, count);

	if (at < object_count && ber_oid_compare(objects[at].ids, objects[at].count, ids, count) == 0)
		at++;
	return at < object_count ? &objects[at] : NULL;
}

struct moment tree_moment(unsigned agent, uint32_t hash, int64_t up_ms)
{
	/* the load swings around the machine's own mean with a period of 2 to 10 minutes; the swing is below the mean,
	   so that mean * up + integral(swing) never falls */
	double up_s = up_ms > 0 ? (double)up_ms / 1000 : 0;
	double mean = 0.05 + (hash & 0xff) / 255.0 * 0.55;
	double w = 6.2831853 / (120 + (hash >> 8 & 0xff) / 255.0 * 480), phase = (hash >> 16 & 0xff) / 40.0;
	double depth = 0.5;

	return (struct moment){agent, hash, up_s, mean * (1 + depth * cos(w * up_s + phase)),
			       depth / w * (sin(w * up_s + phase) - sin(phase))};
}

/* A number in 0.5 .. 1.0 that belongs to this machine and this object. */
static double flavour(const struct moment *m, const struct object *o)
{
	uint32_t h = (m->hash ^ (uint32_t)(o->what * 977u + o->row * 131u)) * 2654435761u;
	return 0.5 + (h >> 16) / 131072.0;
}

static uint64_t row_number(const struct column *c, const struct object *o)
{
	size_t size;
	return strtoull(row_text(c, o->row, &size), NULL, 10);
}

uint64_t tree_number(const struct object *o, const struct moment *m)
{
	const struct column *c = &columns[o->what];
	double mean = 0.05 + (m->hash & 0xff) / 255.0 * 0.55;
	double busy_s = mean * (m->up_s + m->swing_s);
	double size = (double)c->size;

	switch (c->how) {
	case CONSTANT:
		return c->size;
	case PER_ROW:
		return row_number(c, o);
	case UPTIME:
		return (uint64_t)(m->up_s * 100) & UINT32_MAX;
	case COUNTER:
		return (uint64_t)(busy_s * size * flavour(m, o));
	case BUSY:
		return (uint64_t)(busy_s * CPUS * TICKS * size / 1000);
	case IDLE:
		return (uint64_t)((m->up_s - busy_s) * CPUS * TICKS);
	case STEADY:
		return (uint64_t)(m->up_s * size * flavour(m, o));
	case LEVEL:
		return (uint64_t)(m->busy * size * flavour(m, o)) + 1;
	case FREE:
		return (uint64_t)(size * (1 - 0.6 * m->busy * flavour(m, o)));
	case RARE:
		return m->hash % 50 == 0 ? (uint64_t)(m->up_s / size * flavour(m, o)) : 0;
	case USED:
		return (uint64_t)((double)row_number(c, o) * (0.2 + 0.4 * flavour(m, o) + 0.1 * m->busy));
	default:
		return 0;
	}
}

static size_t put_text(const struct column *c, const struct object *o, const struct moment *m, uint8_t *out)
{
	size_t size;
	const char *text = row_text(c, o->row, &size);
	int n;

	switch (c->how) {
	case NAME:
		n = snprintf((char *)out, TREE_VALUE_MAX, "n%05u", m->agent + 1);
		return (size_t)n;
	case LOADTEXT:
		n = snprintf((char *)out, TREE_VALUE_MAX, "%.2f", m->busy * CPUS * flavour(m, o));
		return (size_t)n;
	default:
		size = size < TREE_VALUE_MAX ? size : TREE_VALUE_MAX;
		memcpy(out, text, size);
		return size;
	}
}

size_t tree_value(const struct object *o, const struct moment *m, uint8_t *out)
{
	const struct column *c = &columns[o->what];
	uint32_t ids[24];
	size_t size;
	uint64_t v;

	if (c->how == OBJECTID)
		return ber_put_oid(out, TREE_VALUE_MAX, ids, parse_oid(row_text(c, o->row, &size), ids, 24));
	if (o->tag == BER_OCTETS)
		return put_text(c, o, m, out);
	v = tree_number(o, m);
	return ber_put_unsigned(out, o->tag == BER_COUNTER64 ? v
				     : o->tag == BER_INTEGER ? v & INT32_MAX
							     : v & UINT32_MAX);
}
