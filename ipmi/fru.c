/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inventory procedure of a BMC: reads its own inventory (FRU device 0, IPMI 2.0 chapter 34) when it was asked for,
 * and takes it apart with libfreeipmi (FRU Information Storage Definition 1.0). Called by engine.c. */
#include <freeipmi/freeipmi.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/memory.h"
#include "ipmi/bmc.h"
#include "ipmi/fru.h"

enum { CMD_FRU_INFO = 0x10, CMD_READ_FRU = 0x11 };
enum { CHUNK_FIRST = 64, CHUNK_LEAST = 8, BUSY_TRIES_MOST = 20, AGAIN_MS = 60000, LATER_MS = 600000 };

struct fru_read {
	bool sized;
	uint8_t chunk, tries;
	uint16_t size, have;
	uint8_t content[FRU_SIZE_MAX];
};

void fru_forget(struct bmc *b)
{
	free(b->fru);
	b->fru = NULL;
}

/* --- taking apart -------------------------------------------------------------------------------------- */

struct parsing {
	ipmi_fru_ctx_t ctx;
	struct msg_fru *out;
};

static void take(struct parsing *p, enum fru_field field, const ipmi_fru_field_t *f, uint8_t language)
{
	char text[IPMI_FRU_AREA_STRING_MAX + 1] = "";
	unsigned size = IPMI_FRU_AREA_STRING_MAX;
	size_t used;

	if (f->type_length_field_length == 0 ||
	    ipmi_fru_type_length_field_to_string(p->ctx, f->type_length_field, f->type_length_field_length, language, text, &size) < 0)
		return;
	text[IPMI_FRU_AREA_STRING_MAX] = 0;
	for (used = strlen(text); used > 0 && text[used - 1] == ' '; used--)
		text[used - 1] = 0;
	text_make_printable(text);
	text_copy(p->out->fields[field], FRU_TEXT, text);
}

static void take_chassis(struct parsing *p, const uint8_t *area, unsigned size)
{
	ipmi_fru_field_t part = {.type_length_field_length = 0}, serial = part;
	uint8_t type;

	if (ipmi_fru_chassis_info_area(p->ctx, area, size, &type, &part, &serial, NULL, 0) < 0)
		return;
	if (IPMI_FRU_CHASSIS_TYPE_VALID(type))
		text_copy(p->out->fields[FRU_CHASSIS_TYPE], FRU_TEXT, ipmi_fru_chassis_types[type]);
	take(p, FRU_CHASSIS_PART, &part, IPMI_FRU_LANGUAGE_CODE_ENGLISH);
	take(p, FRU_CHASSIS_SERIAL, &serial, IPMI_FRU_LANGUAGE_CODE_ENGLISH);
}

static void take_board(struct parsing *p, const uint8_t *area, unsigned size)
{
	ipmi_fru_field_t maker = {.type_length_field_length = 0}, product = maker, serial = maker, part = maker, file = maker;
	uint8_t language;
	uint32_t made;

	if (ipmi_fru_board_info_area(p->ctx, area, size, &language, &made, &maker, &product, &serial, &part, &file, NULL, 0) < 0)
		return;
	take(p, FRU_BOARD_MAKER, &maker, language);
	take(p, FRU_BOARD_PRODUCT, &product, language);
	take(p, FRU_BOARD_SERIAL, &serial, language);
	take(p, FRU_BOARD_PART, &part, language);
}

static void take_product(struct parsing *p, const uint8_t *area, unsigned size)
{
	ipmi_fru_field_t maker = {.type_length_field_length = 0}, name = maker, part = maker, version = maker, serial = maker,
			 tag = maker, file = maker;
	uint8_t language;

	if (ipmi_fru_product_info_area(p->ctx, area, size, &language, &maker, &name, &part, &version, &serial, &tag, &file, NULL,
				       0) < 0)
		return;
	take(p, FRU_PRODUCT_MAKER, &maker, language);
	take(p, FRU_PRODUCT_NAME, &name, language);
	take(p, FRU_PRODUCT_PART, &part, language);
	take(p, FRU_PRODUCT_VERSION, &version, language);
	take(p, FRU_PRODUCT_SERIAL, &serial, language);
	take(p, FRU_ASSET_TAG, &tag, language);
}

static void take_areas(struct parsing *p)
{
	static uint8_t area[FRU_SIZE_MAX];
	unsigned type, size;

	for (int left = FRU_AREAS_MAX; left > 0; left--) {
		if (ipmi_fru_read_data_area(p->ctx, &type, &size, area, sizeof(area)) == 0 && size > 0 && size <= sizeof(area)) {
			if (type == IPMI_FRU_AREA_TYPE_CHASSIS_INFO_AREA)
				take_chassis(p, area, size);
			else if (type == IPMI_FRU_AREA_TYPE_BOARD_INFO_AREA)
				take_board(p, area, size);
			else if (type == IPMI_FRU_AREA_TYPE_PRODUCT_INFO_AREA)
				take_product(p, area, size);
		}
		if (ipmi_fru_next(p->ctx) != 1)
			return;
	}
}

bool fru_parse(const uint8_t *content, unsigned size, struct msg_fru *out)
{
	struct parsing p = {.ctx = ipmi_fru_ctx_create(NULL), .out = out}; /* NULL: it reads nothing itself */
	bool good = p.ctx && ipmi_fru_open_device_id_with_buffer(p.ctx, content, size) == 0;

	memset(out->fields, 0, sizeof(out->fields));
	if (good) {
		take_areas(&p);
		ipmi_fru_close_device_id(p.ctx);
	}
	if (p.ctx)
		ipmi_fru_ctx_destroy(p.ctx);
	return good;
}

/* --- the procedure ------------------------------------------------------------------------------------- */

static bool fru_fill(struct bmc_engine *e, struct bmc *b, struct ipmi_command *c, bool *sessionless)
{
	struct fru_read *f = b->fru;

	(void)sessionless;
	if (b->state == BMC_SILENT) {
		b->at[PROC_FRU] = e->now + AGAIN_MS;
		return false;
	}
	if (!f) {
		f = b->fru = mem_zalloc(sizeof(*f));
		f->chunk = CHUNK_FIRST;
	}
	*c = (struct ipmi_command){.netfn = IPMI_NET_FN_STORAGE_RQ, .command = CMD_FRU_INFO, .size = 1};
	if (f->sized) {
		unsigned left = (unsigned)f->size - f->have;
		c->command = CMD_READ_FRU;
		c->size = 4;
		c->data[1] = f->have & 0xff;
		c->data[2] = (uint8_t)(f->have >> 8);
		c->data[3] = (uint8_t)(left < f->chunk ? left : f->chunk);
	}
	return true;
}

static void end(struct bmc_engine *e, struct bmc *b, enum bmc_error error)
{
	struct msg_fru m = {.slot = b->slot, .generation = b->generation, .error = (int32_t)error};

	if (error == BMC_OK && !fru_parse(b->fru->content, b->fru->have, &m))
		m.error = BMC_GARBAGE;
	e->settings.records->fru(e->hands.arg, &m);
	fru_forget(b);
}

static void take_info(struct bmc_engine *e, struct bmc *b, const struct ipmi_reply *r)
{
	struct fru_read *f = b->fru;
	unsigned size = r->size >= 3 ? r->data[0] | (unsigned)r->data[1] << 8 : 0;

	if (size == 0 || r->data[2] & 1) { /* none, or one that is read by words: never seen on device 0 */
		end(e, b, BMC_UNSUPPORTED);
		return;
	}
	f->size = (uint16_t)(size < FRU_SIZE_MAX ? size : FRU_SIZE_MAX);
	f->sized = true;
	bmc_want(e, b, PROC_FRU, e->now);
}

static void take_part(struct bmc_engine *e, struct bmc *b, const struct ipmi_reply *r)
{
	struct fru_read *f = b->fru;
	size_t got = r->size > 1 ? r->size - 1U : 0;

	if (got > r->data[0])
		got = r->data[0];
	if (got > (size_t)(f->size - f->have))
		got = (size_t)(f->size - f->have);
	memcpy(f->content + f->have, r->data + 1, got);
	f->have = (uint16_t)(f->have + got);
	f->tries = 0;
	if (got == 0 || f->have == f->size)
		end(e, b, f->have ? BMC_OK : BMC_UNSUPPORTED);
	else
		bmc_want(e, b, PROC_FRU, e->now);
}

/* A chunk that is too long, or a device that is busy (81h, 34.2), is tried again; what else is refused is not there. */
static void refused(struct bmc_engine *e, struct bmc *b, enum bmc_error error, uint8_t completion)
{
	struct fru_read *f = b->fru;
	bool busy = completion == IPMI_COMP_CODE_READ_FRU_DATA_FRU_DEVICE_BUSY;

	if (busy && f->tries++ < BUSY_TRIES_MOST)
		bmc_want(e, b, PROC_FRU, e->now + 500);
	else if (!busy && f->sized && f->chunk > CHUNK_LEAST) {
		f->chunk /= 2;
		bmc_want(e, b, PROC_FRU, e->now);
	} else if (f->have) /* what could be read may be enough */
		end(e, b, BMC_OK);
	else
		end(e, b, busy ? BMC_BUSY : error);
}

static void fru_done(struct bmc_engine *e, struct bmc *b, enum bmc_error error, const struct ipmi_reply *reply)
{
	if (!b->fru)
		return;
	if (!reply) {
		fru_forget(b);
		bmc_want(e, b, PROC_FRU, e->now + LATER_MS);
	} else if (error != BMC_OK)
		refused(e, b, error, reply->completion);
	else if (b->fru->sized)
		take_part(e, b, reply);
	else
		take_info(e, b, reply);
}

const struct procedure_table fru_procedure = {fru_fill, fru_done, {500, 1000}, 1500};
