/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands a BMC of the swarm knows, one small function each, found by one table; called by bmc.c with a checked
 * message. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/lab/swarm/bmc_private.h"

enum { NONE, CALLBACK, USER, OPERATOR, ADMINISTRATOR };
enum { SDR_CHUNK = 128 };

static void put(struct command *c, const void *data, size_t size)
{
	memcpy(c->out + c->out_size, data, size);
	c->out_size += size;
}

static void put_byte(struct command *c, unsigned v)
{
	c->out[c->out_size++] = (uint8_t)v;
}

static void put_16(struct command *c, unsigned v)
{
	put_byte(c, v & 0xff);
	put_byte(c, v >> 8 & 0xff);
}

static void put_32(struct command *c, uint32_t v)
{
	put_16(c, v & 0xffff);
	put_16(c, v >> 16);
}

static unsigned get_16(const uint8_t *p)
{
	return (unsigned)p[0] | (unsigned)p[1] << 8;
}

uint32_t bmc_clock(const struct bmc *bmc)
{
	return (uint32_t)time(NULL) + bmc->sel_time_offset;
}

static uint8_t device_id(struct command *c)
{
	static const uint8_t id[] = {0x20, 0x81, 0x01, 0x04, 0x02, 0x87, 0xd9, 0x7e, 0x00, 0x01, 0x00, 0, 0, 0, 0};
	put(c, id, sizeof(id));
	return CC_OK;
}

static uint8_t guid(struct command *c)
{
	put(c, c->bmc->guid, sizeof(c->bmc->guid));
	return CC_OK;
}

static uint8_t auth_capabilities(struct command *c)
{
	static const uint8_t can[] = {0x01, 0x80, 0x04, 0x02, 0, 0, 0, 0};
	put(c, can, sizeof(can));
	return CC_OK;
}

static uint8_t cipher_suites(struct command *c)
{
	static const uint8_t three[] = {0xc0, 3, 0x01, 0x41, 0x81}, seventeen[] = {0xc0, 17, 0x03, 0x44, 0x81},
			     weak[] = {0xc0, 0, 0x00, 0x40, 0x80, 0xc0, 1, 0x01, 0x40, 0x80};
	struct command all = {.out_size = 0};
	size_t at = (c->data[2] & 0x3fu) * 16u;

	put_byte(c, 1);
	if (c->bmc->knobs.suite0)
		put(&all, weak, sizeof(weak));
	if (c->swarm->suite != 17)
		put(&all, three, sizeof(three));
	if (c->swarm->suite != 3)
		put(&all, seventeen, sizeof(seventeen));
	if (at < all.out_size)
		put(c, all.out + at, all.out_size - at < 16 ? all.out_size - at : 16);
	return CC_OK;
}

static uint8_t set_privilege(struct command *c)
{
	uint8_t wanted = c->data[0] & 0xf;

	if (wanted > c->session->maximum || wanted == CALLBACK)
		return CC_INVALID_LEVEL;
	if (wanted)
		c->session->privilege = wanted;
	put_byte(c, c->session->privilege);
	return CC_OK;
}

static uint8_t close_session(struct command *c)
{
	uint32_t id;

	memcpy(&id, c->data, sizeof(id));
	if (id != c->session->id)
		return CC_NO_SESSION;
	c->session->state = SESSION_FREE; /* its keys serve for the answer */
	c->swarm->sums.bmc_closed++;
	return CC_OK;
}

static uint8_t reset_watchdog(struct command *c)
{
	return c->bmc->watchdog_set ? CC_OK : 0x80;
}

static uint8_t set_watchdog(struct command *c)
{
	memcpy(c->bmc->watchdog, c->data, sizeof(c->bmc->watchdog));
	c->bmc->watchdog_set = true;
	return CC_OK;
}

static uint8_t get_watchdog(struct command *c)
{
	put(c, c->bmc->watchdog, 6);
	if (c->bmc->knobs.watchdog)
		c->out[3] |= 0x10;
	put(c, c->bmc->watchdog + 4, 2);
	return CC_OK;
}

static uint8_t chassis_status(struct command *c)
{
	bool on = c->bmc->on != (c->bmc->knobs.lie_power != 0);

	put_byte(c, 0x40u | on);
	put_byte(c, c->bmc->last_on_by_command ? 0x10 : 0);
	put_byte(c, 0x40);
	return CC_OK;
}

static uint8_t chassis_control(struct command *c)
{
	static const enum power_work works[] = {POWER_OFF,   POWER_ON,      POWER_CYCLE,
						POWER_RESET, POWER_NOTHING, POWER_OFF};
	uint8_t asked = c->data[0] & 0xf;

	if (asked >= sizeof(works) / sizeof(works[0]))
		return CC_INVALID_FIELD;
	if (!c->bmc->on && (works[asked] == POWER_CYCLE || works[asked] == POWER_RESET))
		return CC_STATE;
	c->swarm->sums.power_commands++;
	c->bmc->power_commands++;
	bmc_power_plan(c->swarm, c->bmc, works[asked]);
	return CC_OK;
}

static uint8_t done(struct command *c)
{
	(void)c;
	return CC_OK;
}

static uint8_t restart_cause(struct command *c)
{
	put_byte(c, c->bmc->restart_cause);
	put_byte(c, 1);
	return CC_OK;
}

/* DCMI 1.5, 6.6.1: the reading now, least, most, average; statistics by time stamp. */
static uint8_t dcmi_power(struct command *c)
{
	unsigned watts = c->bmc->on ? c->bmc->knobs.dcmi : 5;

	if (!c->bmc->knobs.dcmi || c->data[0] != 0xdc || c->data[1] != 1)
		return CC_INVALID_COMMAND;
	put_byte(c, 0xdc);
	for (int i = 0; i < 4; i++)
		put_16(c, watts);
	put_32(c, bmc_clock(c->bmc));
	put_32(c, 1000);
	put_byte(c, 0x40);
	return CC_OK;
}

static uint8_t dcmi_capabilities(struct command *c)
{
	if (!c->bmc->knobs.dcmi || c->data[0] != 0xdc)
		return CC_INVALID_COMMAND;
	put(c, (uint8_t[]){0xdc, 1, 5, 2, 0, 1, 7}, 7);
	return CC_OK;
}

/* An inventory of chassis and product areas, the same for all but the serial number. */
enum { FRU_SIZE = 96 };
static void fru_text(uint8_t **at, const char *text)
{
	size_t n = strlen(text);

	*(*at)++ = (uint8_t)(0xc0 | n);
	memcpy(*at, text, n);
	*at += n;
}

static void fru_close(uint8_t *area, size_t size)
{
	unsigned sum = 0;

	for (size_t i = 0; i < size - 1; i++)
		sum += area[i];
	area[size - 1] = (uint8_t)(0x100 - (sum & 0xff));
}

static void fru_build(unsigned number, uint8_t out[FRU_SIZE])
{
	char serial[16];
	uint8_t *at;

	snprintf(serial, sizeof(serial), "SW%06u", number);
	memset(out, 0, FRU_SIZE);
	memcpy(out, (uint8_t[]){1, 0, 1, 0, 5, 0, 0, 0}, 8);
	fru_close(out, 8);
	at = out + 8;
	memcpy(at, (uint8_t[]){1, 4, 0x17}, 3); /* rack mount chassis */
	at += 3;
	fru_text(&at, "CH-100");
	fru_text(&at, serial);
	*at = 0xc1;
	fru_close(out + 8, 32);
	at = out + 40;
	memcpy(at, (uint8_t[]){1, 7, 25}, 3);
	at += 3;
	fru_text(&at, "Swarm Works");
	fru_text(&at, "Bee 2000");
	fru_text(&at, "B2K");
	fru_text(&at, "1.0");
	fru_text(&at, serial);
	fru_text(&at, "");
	fru_text(&at, "");
	*at = 0xc1;
	fru_close(out + 40, 56);
}

static uint8_t fru_info(struct command *c)
{
	if (c->data[0] != 0)
		return CC_NOT_PRESENT;
	put_16(c, FRU_SIZE);
	put_byte(c, 0);
	return CC_OK;
}

static uint8_t fru_read(struct command *c)
{
	uint8_t fru[FRU_SIZE];
	unsigned offset = get_16(c->data + 1), wanted = c->data[3];

	if (c->data[0] != 0)
		return CC_NOT_PRESENT;
	if (offset >= FRU_SIZE)
		return CC_INVALID_FIELD;
	if (wanted > 32)
		return CC_TOO_MANY_BYTES;
	fru_build(c->number, fru);
	wanted = wanted > FRU_SIZE - offset ? FRU_SIZE - offset : wanted;
	put_byte(c, wanted);
	put(c, fru + offset, wanted);
	return CC_OK;
}

static uint8_t sdr_info(struct command *c)
{
	put_byte(c, 0x51);
	put_16(c, bmc_sdr_count());
	put_16(c, 0xffff);
	put_32(c, 0x5f000000); /* the records never change */
	put_32(c, 0x5f000000);
	put_byte(c, 0x02);
	return CC_OK;
}

static uint8_t sdr_reserve(struct command *c)
{
	if (++c->bmc->sdr_reservation == 0)
		c->bmc->sdr_reservation = 1;
	put_16(c, c->bmc->sdr_reservation);
	return CC_OK;
}

static uint8_t sdr_get(struct command *c)
{
	size_t size, offset = c->data[4], wanted = c->data[5];
	uint16_t next;
	const uint8_t *record = bmc_sdr((uint16_t)get_16(c->data + 2), &size, &next);

	if (offset && get_16(c->data) != c->bmc->sdr_reservation)
		return CC_RESERVATION;
	if (!record)
		return CC_NOT_PRESENT;
	if (offset >= size)
		return CC_INVALID_FIELD;
	wanted = wanted == 0xff || wanted > size - offset ? size - offset : wanted;
	if (wanted > SDR_CHUNK)
		return CC_TOO_MANY_BYTES;
	put_16(c, next);
	put(c, record + offset, wanted);
	return CC_OK;
}

static uint8_t sel_info(struct command *c)
{
	put_byte(c, 0x51);
	put_16(c, c->bmc->sel_count);
	put_16(c, (SEL_SIZE - c->bmc->sel_count) * 16u);
	put_32(c, c->bmc->sel_added);
	put_32(c, c->bmc->sel_erased);
	put_byte(c, 0x02);
	return CC_OK;
}

static uint8_t sel_reserve(struct command *c)
{
	if (++c->bmc->sel_reservation == 0)
		c->bmc->sel_reservation = 1;
	put_16(c, c->bmc->sel_reservation);
	return CC_OK;
}

/* Place of the record with this id among the stored ones, or -1. */
static int sel_find(const struct bmc *bmc, unsigned id)
{
	for (int i = 0; i < bmc->sel_count; i++)
		if (get_16(bmc->sel[i]) == id)
			return i;
	return id == 0 && bmc->sel_count ? 0 : id == 0xffff ? bmc->sel_count - 1 : -1;
}

static uint8_t sel_get(struct command *c)
{
	int at = sel_find(c->bmc, get_16(c->data + 2));
	size_t offset = c->data[4], wanted = c->data[5];

	if (at < 0)
		return CC_NOT_PRESENT;
	if (offset >= 16)
		return CC_INVALID_FIELD;
	put_16(c, at + 1 < c->bmc->sel_count ? get_16(c->bmc->sel[at + 1]) : 0xffff);
	put(c, c->bmc->sel[at] + offset, wanted == 0xff || wanted > 16 - offset ? 16 - offset : wanted);
	return CC_OK;
}

static uint8_t sel_clear(struct command *c)
{
	if (get_16(c->data) != c->bmc->sel_reservation)
		return CC_RESERVATION;
	if (memcmp(c->data + 2, "CLR", 3) != 0)
		return CC_INVALID_FIELD;
	if (c->data[5] == 0xaa) {
		c->bmc->sel_count = 0;
		c->bmc->sel_erased = bmc_clock(c->bmc);
	}
	put_byte(c, 1);
	return CC_OK;
}

static uint8_t sel_time(struct command *c)
{
	put_32(c, bmc_clock(c->bmc));
	return CC_OK;
}

static uint8_t sel_set_time(struct command *c)
{
	uint32_t wanted = get_16(c->data) | get_16(c->data + 2) << 16;

	c->bmc->sel_time_offset = wanted - (uint32_t)time(NULL);
	return CC_OK;
}

void bmc_sel_add(struct bmc *bmc, uint8_t sensor_type, uint8_t sensor, bool asserted)
{
	uint8_t *r;
	uint32_t now = bmc_clock(bmc);

	if (bmc->sel_count == SEL_SIZE) { /* a full log keeps the newest */
		memmove(bmc->sel[0], bmc->sel[1], sizeof(bmc->sel) - sizeof(bmc->sel[0]));
		bmc->sel_count--;
	}
	r = bmc->sel[bmc->sel_count++];
	bmc->sel_next = bmc->sel_next % 0xfff0 + 1;
	memcpy(r,
	       (uint8_t[]){bmc->sel_next & 0xff, (uint8_t)(bmc->sel_next >> 8), 2, 0, 0, 0, 0, 0x20, 0, 4, sensor_type,
			   sensor, asserted ? 0x6f : 0xef, 0, 0xff, 0xff},
	       16);
	for (int i = 0; i < 4; i++)
		r[3 + i] = (uint8_t)(now >> (8 * i));
	bmc->sel_added = now;
}

static uint8_t sensor_reading(struct command *c)
{
	uint8_t out[4];

	if (!bmc_sensor_reading(c->swarm, c->bmc, c->number, c->data[0], out))
		return CC_NOT_PRESENT;
	put(c, out, sizeof(out));
	return CC_OK;
}

static uint8_t sensor_thresholds(struct command *c)
{
	uint8_t out[7];

	if (!bmc_sensor_thresholds(c->data[0], out))
		return CC_NOT_PRESENT;
	put(c, out, sizeof(out));
	return CC_OK;
}

/* netfn, command, least size of the request's data, privilege (NONE: also outside a session). */
static const struct {
	uint8_t netfn, cmd, size, privilege;
	uint8_t (*run)(struct command *c);
} table[] = {
	{0x06, 0x01, 0, USER, device_id},
	{0x06, 0x08, 0, USER, guid},
	{0x06, 0x22, 0, OPERATOR, reset_watchdog},
	{0x06, 0x24, 6, OPERATOR, set_watchdog},
	{0x06, 0x25, 0, USER, get_watchdog},
	{0x06, 0x37, 0, NONE, guid},
	{0x06, 0x38, 2, NONE, auth_capabilities},
	{0x06, 0x3b, 1, CALLBACK, set_privilege},
	{0x06, 0x3c, 4, CALLBACK, close_session},
	{0x06, 0x54, 3, NONE, cipher_suites},
	{0x00, 0x01, 0, USER, chassis_status},
	{0x00, 0x02, 1, OPERATOR, chassis_control},
	{0x00, 0x04, 0, OPERATOR, done},
	{0x00, 0x07, 0, USER, restart_cause},
	{0x2c, 0x01, 2, USER, dcmi_capabilities},
	{0x2c, 0x02, 4, USER, dcmi_power},
	{0x0a, 0x10, 1, USER, fru_info},
	{0x0a, 0x11, 4, USER, fru_read},
	{0x0a, 0x20, 0, USER, sdr_info},
	{0x0a, 0x22, 0, USER, sdr_reserve},
	{0x0a, 0x23, 6, USER, sdr_get},
	{0x0a, 0x40, 0, USER, sel_info},
	{0x0a, 0x42, 0, USER, sel_reserve},
	{0x0a, 0x43, 6, USER, sel_get},
	{0x0a, 0x47, 6, OPERATOR, sel_clear},
	{0x0a, 0x48, 0, USER, sel_time},
	{0x0a, 0x49, 4, OPERATOR, sel_set_time},
	{0x04, 0x27, 1, USER, sensor_thresholds},
	{0x04, 0x2d, 1, USER, sensor_reading},
};

uint8_t bmc_command(struct command *c, uint8_t netfn, uint8_t cmd)
{
	uint8_t code;

	c->out_size = 0;
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].netfn != netfn || table[i].cmd != cmd)
			continue;
		if (table[i].privilege > (c->session ? c->session->privilege : NONE))
			return CC_PRIVILEGE;
		if (c->size < table[i].size)
			return CC_LENGTH;
		code = table[i].run(c);
		if (code != CC_OK)
			c->out_size = 0;
		return code;
	}
	return CC_INVALID_COMMAND;
}
