/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Entries of event logs in words; see sel_decode.h. */
#include "ipmi/sel_decode.h"

#include <freeipmi/freeipmi.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "ipmi/sdr.h"

enum { AT_TYPE = 2, AT_TIME = 3, AT_OWNER = 7, AT_LUN = 8, AT_SENSOR_TYPE = 10, AT_NUMBER = 11, AT_EVENT = 12, AT_DATA = 13 };
enum { SYSTEM_EVENT = 0x02, OEM_STAMPED = 0xc0, OEM_PLAIN = 0xe0, EVENT_THRESHOLD = 1 };

struct sel_words {
	ipmi_sel_ctx_t sel;
	ipmi_interpret_ctx_t interpret;
};

struct sel_words *sel_words_new(void)
{
	struct sel_words *w = mem_zalloc(sizeof(*w));

	w->sel = ipmi_sel_ctx_create(NULL, NULL);
	w->interpret = ipmi_interpret_ctx_create();
	if (w->sel && w->interpret && ipmi_interpret_load_sel_config(w->interpret, NULL) == 0)
		return w;
	sel_words_free(w);
	return NULL;
}

void sel_words_free(struct sel_words *w)
{
	if (!w)
		return;
	ipmi_sel_ctx_destroy(w->sel);
	ipmi_interpret_ctx_destroy(w->interpret);
	free(w);
}

/* One field as libfreeipmi puts it; "" when it has none. */
static void words(struct sel_words *w, const char *format, const uint8_t *raw, char *out, size_t size)
{
	char text[256];
	int n = ipmi_sel_parse_read_record_string(w->sel, format, raw, SEL_RAW, text, sizeof(text) - 1,
						  IPMI_SEL_STRING_FLAGS_IGNORE_UNAVAILABLE_FIELD);

	text[n > 0 && n < (int)sizeof(text) ? n : 0] = 0;
	text_make_printable(text);
	text_copy(out, size, text);
}

static enum level level_of(struct sel_words *w, const uint8_t *raw)
{
	static const enum level levels[] = {[IPMI_INTERPRET_STATE_NOMINAL] = LEVEL_NORMAL,
					    [IPMI_INTERPRET_STATE_WARNING] = LEVEL_WARNING,
					    [IPMI_INTERPRET_STATE_CRITICAL] = LEVEL_MAJOR};
	unsigned state;

	if (ipmi_interpret_sel(w->interpret, raw, SEL_RAW, &state) < 0 || state >= COUNT_OF(levels))
		return LEVEL_UNKNOWN;
	return levels[state];
}

static const struct sensor_def *sensor_of(const struct sdr_repository *r, const uint8_t *raw)
{
	for (size_t i = 0; r && i < r->count; i++) {
		const struct sensor_def *s = &r->sensors[i];
		if (s->number == raw[AT_NUMBER] && s->owner == raw[AT_OWNER] && s->lun == (raw[AT_LUN] & 3))
			return s;
	}
	return NULL;
}

/* Thresholds: event data 2 is the reading and 3 the threshold where data 1 says so (29.7), in the sensor's unit. */
static void add_reading(const struct sensor_def *s, const uint8_t *raw, char *event, size_t size)
{
	size_t used = strlen(event);
	double reading = (raw[AT_DATA] >> 6) == 1 ? sdr_value(s, raw[AT_DATA + 1]) : NAN;
	double threshold = (raw[AT_DATA] >> 4 & 3) == 1 ? sdr_value(s, raw[AT_DATA + 2]) : NAN;

	if (!isnan(reading))
		text_append(event, size, &used, " ; reading %.6g%s%s", reading, s->unit[0] ? " " : "", s->unit);
	if (!isnan(threshold))
		text_append(event, size, &used, " ; threshold %.6g%s%s", threshold, s->unit[0] ? " " : "", s->unit);
}

static void decode_event(struct sel_words *w, const struct sdr_repository *r, const uint8_t *raw,
			 struct msg_sel_entry *out)
{
	const struct sensor_def *s = sensor_of(r, raw);
	bool threshold = (raw[AT_EVENT] & 0x7f) == EVENT_THRESHOLD;

	out->sensor_type = raw[AT_SENSOR_TYPE];
	out->number = raw[AT_NUMBER];
	out->deasserted = raw[AT_EVENT] >> 7;
	out->level = (uint8_t)level_of(w, raw);
	text_copy(out->sensor, sizeof(out->sensor), s ? s->name : "");
	words(w, "%T", raw, out->type, sizeof(out->type));
	words(w, threshold ? "%e" : "%E", raw, out->event, sizeof(out->event));
	if (threshold && s)
		add_reading(s, raw, out->event, sizeof(out->event));
}

static void decode_oem(const uint8_t *raw, struct msg_sel_entry *out)
{
	unsigned first = raw[AT_TYPE] >= OEM_PLAIN ? AT_TIME : AT_OWNER;
	size_t used = 0;

	out->level = LEVEL_UNKNOWN;
	text_copy(out->type, sizeof(out->type), raw[AT_TYPE] >= OEM_STAMPED ? "OEM" : "unknown record");
	for (unsigned i = first; i < SEL_RAW; i++)
		text_append(out->event, sizeof(out->event), &used, "%02x", raw[i]);
}

void sel_decode(struct sel_words *w, const struct sdr_repository *r, const uint8_t raw[SEL_RAW],
		struct msg_sel_entry *out)
{
	uint32_t slot = out->slot, generation = out->generation;

	memset(out, 0, sizeof(*out));
	out->slot = slot;
	out->generation = generation;
	memcpy(out->raw, raw, SEL_RAW);
	out->record_id = (uint16_t)(raw[0] | raw[1] << 8);
	out->record_type = raw[AT_TYPE];
	out->time_s = raw[AT_TYPE] >= OEM_PLAIN ? UINT32_MAX
						: (uint32_t)raw[AT_TIME] | (uint32_t)raw[AT_TIME + 1] << 8 |
						      (uint32_t)raw[AT_TIME + 2] << 16 | (uint32_t)raw[AT_TIME + 3] << 24;
	if (raw[AT_TYPE] == SYSTEM_EVENT)
		decode_event(w, r, raw, out);
	else
		decode_oem(raw, out);
}

bool pet_to_record(uint32_t specific, const uint8_t *octets, unsigned size, uint8_t raw[SEL_RAW])
{
	/* PET 1.0, table 5: GUID 0-15, sequence 16, local time 18 (seconds since 1998), UTC offset 22, trap source 24,
	 * event source 25, severity 26, sensor device 27, sensor number 28, entity 29, instance 30, event data 31-38 */
	enum { PET_TIME = 18, PET_DEVICE = 27, PET_NUMBER = 28, PET_DATA = 31, PET_LEAST = 39 };
	static const uint32_t from_1998_s = 883612800;

	if (size < PET_LEAST || specific == 0 || specific > 0xffffff)
		return false;
	uint32_t at = (uint32_t)octets[PET_TIME] << 24 | (uint32_t)octets[PET_TIME + 1] << 16 |
		      (uint32_t)octets[PET_TIME + 2] << 8 | octets[PET_TIME + 3];
	at = at == 0 ? UINT32_MAX : at + from_1998_s; /* 0: not told */
	memset(raw, 0, SEL_RAW);
	raw[AT_TYPE] = SYSTEM_EVENT;
	for (int i = 0; i < 4; i++)
		raw[AT_TIME + i] = (uint8_t)(at >> (8 * i));
	raw[AT_OWNER] = octets[PET_DEVICE] == 0xff ? IPMI_SLAVE_ADDRESS_BMC : octets[PET_DEVICE];
	raw[9] = 4; /* form of the event message */
	raw[AT_SENSOR_TYPE] = (uint8_t)(specific >> 16);
	raw[AT_NUMBER] = octets[PET_NUMBER];
	raw[AT_EVENT] = (uint8_t)((specific >> 8 & 0x7f) | (specific & 0x80));
	memcpy(raw + AT_DATA, octets + PET_DATA, 3);
	return true;
}
