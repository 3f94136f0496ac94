/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sensors every BMC of the swarm has: their records (43.1, 43.2, 43.9) built from one table, and their readings. */
#include <math.h>
#include <string.h>

#include "tests/lab/swarm/bmc_private.h"
#include "tests/lab/swarm/tree.h"

enum { LNC = 1, LC = 2, UNC = 8, UC = 16, RECORD_MAX = 80 };

struct sensor {
	const char *name;
	uint8_t entity, type, unit; /* unit 0: discrete, event type 6fh */
	uint8_t m, exponent;        /* value = raw * m * 10^exponent; the exponent is a signed nibble */
	uint8_t low_critical, low_warning, high_warning, high_critical;
	uint8_t base, swing; /* raw reading: base + what the machine's load adds */
	bool while_off;      /* still read when the machine has no power */
	uint16_t states;     /* of a discrete one: those it can report */
};

/* Sensor numbers count from 1 in this order. */
static const struct sensor sensors[] = {
	{"CPU1 Temp", 3, 0x01, 1, 1, 0, 0, 0, 85, 95, 38, 30, false, 0},
	{"Inlet Temp", 55, 0x01, 1, 1, 0, 0, 0, 40, 45, 22, 4, true, 0},
	{"Fan1", 29, 0x04, 18, 60, 0, 10, 20, 0, 0, 80, 60, false, 0},
	{"Rail 12V", 7, 0x02, 4, 63, 0xd, 170, 0, 0, 210, 190, 2, false, 0},
	{"System Power", 19, 0x0b, 6, 2, 0, 0, 0, 220, 240, 60, 80, false, 0},
	{"PSU1 Status", 10, 0x08, 0, 0, 0, 0, 0, 0, 0, 1, 0, true, 0x000b},
	{"Intrusion", 23, 0x05, 0, 0, 0, 0, 0, 0, 0, 0, 0, true, 0x0001},
};

enum { SENSORS = sizeof(sensors) / sizeof(sensors[0]), RECORDS = SENSORS + 1 };

static uint8_t records[RECORDS][RECORD_MAX];

static uint8_t threshold_mask(const struct sensor *s)
{
	return (uint8_t)((s->low_warning ? LNC : 0) | (s->low_critical ? LC : 0) | (s->high_warning ? UNC : 0) |
			 (s->high_critical ? UC : 0));
}

static void put_name(uint8_t *r, unsigned at, const char *name)
{
	size_t n = strlen(name);

	r[at] = (uint8_t)(0xc0 | n);
	memcpy(r + at + 1, name, n);
	r[4] = (uint8_t)(at + 1 + n - 5);
}

static void put_head(uint8_t *r, unsigned id, uint8_t type)
{
	r[0] = (uint8_t)id;
	r[2] = 0x51;
	r[3] = type;
	r[5] = 0x20;
}

static void build_analog(uint8_t *r, const struct sensor *s)
{
	uint8_t mask = threshold_mask(s);

	r[11] = 0x44;
	r[13] = 0x01;
	r[14] = (uint8_t)((mask & LNC ? 0x01 : 0) | (mask & LC ? 0x04 : 0) | (mask & UNC ? 0x80 : 0));
	r[15] = (uint8_t)((mask & UC ? 0x02 : 0) | (mask & 7) << 4);
	r[16] = r[14];
	r[17] = (uint8_t)((mask & UC ? 0x02 : 0) | (mask >> 3 & 7) << 4);
	r[18] = mask;
	r[21] = s->unit;
	r[24] = s->m;
	r[29] = (uint8_t)(s->exponent << 4);
	r[34] = 0xff;
	r[37] = s->high_critical;
	r[38] = s->high_warning;
	r[40] = s->low_critical;
	r[41] = s->low_warning;
	put_name(r, 47, s->name);
}

static void build_discrete(uint8_t *r, const struct sensor *s)
{
	r[11] = 0x40;
	r[13] = 0x6f;
	r[14] = r[16] = r[18] = (uint8_t)s->states;
	r[15] = r[17] = r[19] = (uint8_t)(s->states >> 8);
	r[20] = 0xc0;
	r[23] = 1;
	put_name(r, 31, s->name);
}

static void build(void)
{
	uint8_t *mc = records[SENSORS];

	for (unsigned i = 0; i < SENSORS; i++) {
		uint8_t *r = records[i];
		put_head(r, i + 1, sensors[i].unit ? 0x01 : 0x02);
		r[7] = (uint8_t)(i + 1);
		r[8] = sensors[i].entity;
		r[9] = 1;
		r[10] = 0x7f;
		r[12] = sensors[i].type;
		if (sensors[i].unit)
			build_analog(r, &sensors[i]);
		else
			build_discrete(r, &sensors[i]);
	}
	put_head(mc, RECORDS, 0x12);
	mc[8] = 0x87;
	mc[12] = 7;
	mc[13] = 1;
	put_name(mc, 15, "swarmBMC");
}

uint16_t bmc_sdr_count(void)
{
	return RECORDS;
}

const uint8_t *bmc_sdr(uint16_t id, size_t *size, uint16_t *next)
{
	unsigned at = id == 0 ? 0 : id == 0xffff ? RECORDS - 1 : id - 1u;

	if (!records[0][3])
		build();
	if (at >= RECORDS)
		return NULL;
	*size = (size_t)records[at][4] + 5;
	*next = at + 1 < RECORDS ? (uint16_t)(at + 2) : 0xffff;
	return records[at];
}

static uint8_t raw_reading(const struct swarm *swarm, const struct bmc *bmc, unsigned number, uint8_t sensor)
{
	const struct sensor *s = &sensors[sensor - 1];
	struct moment m =
	    tree_moment(number, swarm_hash(swarm->seed, number),
			number < swarm->agents ? swarm->now_ms - swarm->agent[number].boot_ms : swarm->now_ms);

	if (sensor == 1 && bmc->knobs.temp)
		return (uint8_t)bmc->knobs.temp;
	return (uint8_t)(s->base + s->swing * m.busy);
}

bool bmc_sensor_reading(const struct swarm *swarm, const struct bmc *bmc, unsigned number, uint8_t sensor,
			uint8_t out[4])
{
	const struct sensor *s = &sensors[sensor - 1];
	uint8_t raw;

	if (sensor < 1 || sensor > SENSORS)
		return false;
	memset(out, 0, 4);
	if (!bmc->on && !s->while_off) {
		out[1] = 0xe0;
		return true;
	}
	raw = raw_reading(swarm, bmc, number, sensor);
	out[1] = 0xc0;
	if (!s->unit) {
		out[2] = raw;
		out[3] = 0x80;
		return true;
	}
	out[0] = raw;
	out[2] = (uint8_t)(0xc0 | (s->low_warning && raw <= s->low_warning ? LNC : 0) |
			   (s->low_critical && raw <= s->low_critical ? LC : 0) |
			   (s->high_warning && raw >= s->high_warning ? UNC : 0) |
			   (s->high_critical && raw >= s->high_critical ? UC : 0));
	return true;
}

bool bmc_sensor_thresholds(uint8_t sensor, uint8_t out[7])
{
	const struct sensor *s = &sensors[sensor - 1];

	if (sensor < 1 || sensor > SENSORS || !s->unit)
		return false;
	memcpy(out,
	       (uint8_t[]){threshold_mask(s), s->low_warning, s->low_critical, 0, s->high_warning, s->high_critical, 0},
	       7);
	return true;
}
