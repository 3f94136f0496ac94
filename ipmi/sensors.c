/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sensor procedure of a BMC: gets the sensor records (from memory, from a file, or from the BMC's repository,
 * IPMI 2.0 chapter 33), then the host's power, then every sensor's reading (35.14), and hands over the judged set.
 * Called by engine.c. */
#include <freeipmi/freeipmi.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "ipmi/bmc.h"
#include "ipmi/judge_sensor.h"
#include "ipmi/sdr.h"
#include "ipmi/sdr_files.h"

enum {
	CMD_REPOSITORY_INFO = 0x20,
	CMD_RESERVE = 0x22,
	CMD_GET_SDR = 0x23,
	CMD_GET_THRESHOLDS = 0x27,
	CMD_GET_READING = 0x2d
};
enum { STEP_INFO, STEP_LOAD, STEP_RESERVE, STEP_HEADER, STEP_BODY, STEP_CHASSIS, STEP_THRESHOLDS, STEP_READING, STEP_DCMI };
enum { NETFN_GROUP = 0x2c, GROUP_DCMI = 0xdc, CMD_DCMI_POWER = 0x02, DCMI_SIZE = 18, DCMI_ACTIVE = 0x40, DCMI_RECORD = 0xfffe };
enum { CHUNK_FIRST = 240, CHUNK_LEAST = 8, RECORDS_MAX = 4096, RESERVATIONS_MAX = 20, LAST_RECORD = 0xffff };
enum { BMC_OWNER = 0x20, THRESHOLD_BYTES = 7, THRESHOLDS_EVERY = 12, BUSY_AGAIN_MS = 60000, LOAD_AGAIN_MS = 20 };

struct sweep {
	struct sdr_key key;
	struct sdr_load *load; /* their file is being read */
	int64_t started_ms;
	uint8_t *content;
	size_t content_size;
	struct msg_sensor *set;
	size_t index;
	uint16_t reservation, record_id, next_id, records;
	uint16_t have, length; /* of the record that is being read */
	uint8_t step, chunk, reservations;
	uint8_t record[SDR_RECORD_MAX];
};

void sensors_abandon(struct bmc *b)
{
	if (!b->sweep)
		return;
	sdr_load_end(&b->sweep->load);
	free(b->sweep->content);
	free(b->sweep->set);
	free(b->sweep);
	b->sweep = NULL;
}

void sensors_forget(struct bmc_engine *e, struct bmc *b)
{
	sensors_abandon(b);
	free(b->thresholds);
	b->thresholds = NULL;
	sdr_repository_put(&e->repositories, b->repository);
	b->repository = NULL;
}

static void end_sweep(struct bmc_engine *e, struct bmc *b, int64_t again_ms)
{
	int64_t started = b->sweep->started_ms;

	sensors_abandon(b);
	if (b->sensor_interval_ms == 0)
		return;
	int64_t next = again_ms ? e->now + again_ms : started + b->sensor_interval_ms;
	bmc_want(e, b, PROC_SENSORS, next > e->now ? next : e->now);
}

static void go(struct bmc_engine *e, struct bmc *b, int step)
{
	b->sweep->step = (uint8_t)step;
	bmc_want(e, b, PROC_SENSORS, e->now);
}

/* --- commands -------------------------------------------------------------------------------------- */

static void command_get_sdr(const struct sweep *w, struct ipmi_command *c)
{
	unsigned offset = w->step == STEP_HEADER ? 0 : w->have;
	unsigned left = w->step == STEP_HEADER ? SDR_HEADER : (unsigned)w->length - w->have;
	unsigned size = left < w->chunk ? left : w->chunk;

	*c = (struct ipmi_command){.netfn = IPMI_NET_FN_STORAGE_RQ,
				   .command = CMD_GET_SDR,
				   .size = 6,
				   .data = {w->reservation & 0xff, (uint8_t)(w->reservation >> 8), w->record_id & 0xff,
					    (uint8_t)(w->record_id >> 8), (uint8_t)offset, (uint8_t)size}};
}

static void command_sensor(const struct sensor_def *s, uint8_t command, struct ipmi_command *c)
{
	*c = (struct ipmi_command){
	    .netfn = IPMI_NET_FN_SENSOR_EVENT_RQ, .lun = s->lun, .command = command, .size = 1, .data = {s->number}};
}

static void use_repository(struct bmc_engine *e, struct bmc *b, struct sdr_repository *r)
{
	sdr_repository_put(&e->repositories, b->repository);
	b->repository = r;
	free(b->thresholds);
	b->thresholds = r->count ? mem_array(r->count, THRESHOLD_BYTES) : NULL;
	b->sweeps = 0;
	go(e, b, STEP_CHASSIS);
}

/* False: the disk is being waited for; the BMC is asked for other things meanwhile. A disk that stands still has no file. */
static bool load_records(struct bmc_engine *e, struct bmc *b)
{
	struct sweep *w = b->sweep;
	struct sdr_repository *r = NULL;
	size_t size = 0;

	enum sdr_loading is = sdr_files_load(e->files, &w->key, &w->load);
	if (is == SDR_WAIT) {
		bmc_want(e, b, PROC_SENSORS, e->now + LOAD_AGAIN_MS);
		return false;
	}
	const uint8_t *content = is == SDR_LOADED ? sdr_load_content(w->load, &size) : NULL;
	if (content)
		r = sdr_repository_get(&e->repositories, e->sdr, content, size);
	sdr_load_end(&w->load);
	if (r)
		use_repository(e, b, r);
	else
		go(e, b, STEP_RESERVE);
	return true;
}

static bool sensors_fill(struct bmc_engine *e, struct bmc *b, struct ipmi_command *c, bool *sessionless)
{
	struct sweep *w = b->sweep;

	(void)sessionless;
	if (!w) {
		w = b->sweep = mem_zalloc(sizeof(*w));
		w->started_ms = e->now;
		w->chunk = CHUNK_FIRST;
	}
	if (w->step == STEP_LOAD && !load_records(e, b))
		return false;
	switch (w->step) {
	case STEP_INFO:
		*c = (struct ipmi_command){.netfn = IPMI_NET_FN_STORAGE_RQ, .command = CMD_REPOSITORY_INFO};
		break;
	case STEP_RESERVE:
		*c = (struct ipmi_command){.netfn = IPMI_NET_FN_STORAGE_RQ, .command = CMD_RESERVE};
		break;
	case STEP_HEADER:
	case STEP_BODY:
		command_get_sdr(w, c);
		break;
	case STEP_CHASSIS:
		watch_command_chassis(c);
		break;
	case STEP_DCMI:
		*c = (struct ipmi_command){.netfn = NETFN_GROUP, .command = CMD_DCMI_POWER, .size = 4, .data = {GROUP_DCMI, 1}};
		break;
	default:
		command_sensor(&b->repository->sensors[w->index],
			       w->step == STEP_READING ? CMD_GET_READING : CMD_GET_THRESHOLDS, c);
		break;
	}
	return true;
}

/* --- records --------------------------------------------------------------------------------------- */

static uint32_t little32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Get SDR Repository Info (33.9): the records in hand are good as long as all of this is the same. */
static void take_info(struct bmc_engine *e, struct bmc *b, const struct ipmi_reply *r)
{
	struct sweep *w = b->sweep;
	struct sdr_key *k = &w->key;

	if (r->size < 13) {
		end_sweep(e, b, 0);
		return;
	}
	memcpy(k->guid, b->guid, sizeof(k->guid));
	if (!b->guid_known)
		memcpy(k->guid, b->address.bytes, sizeof(k->guid));
	k->manufacturer = b->manufacturer;
	k->product = b->product;
	text_copy(k->firmware, sizeof(k->firmware), b->firmware);
	k->version = r->data[0];
	k->records = (uint16_t)(r->data[1] | r->data[2] << 8);
	k->added = little32(r->data + 5);
	k->erased = little32(r->data + 9);
	uint64_t now = text_hash(k, sizeof(*k));
	if (b->repository && b->repository_key == now) {
		go(e, b, STEP_CHASSIS);
		return;
	}
	b->repository_key = now;
	go(e, b, STEP_LOAD);
}

static void records_complete(struct bmc_engine *e, struct bmc *b)
{
	struct sweep *w = b->sweep;
	struct sdr_repository *r = sdr_repository_get(&e->repositories, e->sdr, w->content, w->content_size);

	if (!r) {
		end_sweep(e, b, 0);
		return;
	}
	sdr_files_save(e->files, &w->key, r->content, r->size);
	use_repository(e, b, r);
}

static void record_complete(struct bmc_engine *e, struct bmc *b)
{
	struct sweep *w = b->sweep;

	if (w->content_size + w->length <= SDR_CONTENT_MAX) {
		w->content = mem_grow(w->content, w->content_size + w->length, 1);
		memcpy(w->content + w->content_size, w->record, w->length);
		w->content_size += w->length;
	}
	w->records++;
	/* a list that leads back or goes on for ever ends here */
	if (w->next_id == LAST_RECORD || w->next_id == w->record_id || w->records >= RECORDS_MAX ||
	    w->content_size + SDR_RECORD_MAX > SDR_CONTENT_MAX) {
		records_complete(e, b);
		return;
	}
	w->record_id = w->next_id;
	w->have = 0;
	go(e, b, STEP_HEADER);
}

/* Get SDR (33.12): next record's id, then the bytes asked for; a BMC may send fewer. */
static void take_record_part(struct bmc_engine *e, struct bmc *b, const struct ipmi_reply *r)
{
	struct sweep *w = b->sweep;
	size_t got = r->size > 2 ? r->size - 2U : 0;

	if (w->step == STEP_HEADER) {
		if (got < SDR_HEADER) {
			end_sweep(e, b, 0);
			return;
		}
		memcpy(w->record, r->data + 2, SDR_HEADER);
		w->next_id = (uint16_t)(r->data[0] | r->data[1] << 8);
		w->length = (uint16_t)(SDR_HEADER + w->record[4]);
		w->have = SDR_HEADER;
	} else {
		if (got == 0) {
			end_sweep(e, b, 0);
			return;
		}
		if (got > (size_t)(w->length - w->have))
			got = w->length - w->have;
		memcpy(w->record + w->have, r->data + 2, got);
		w->have = (uint16_t)(w->have + got);
	}
	if (w->have < w->length)
		go(e, b, STEP_BODY);
	else
		record_complete(e, b);
}

static void record_refused(struct bmc_engine *e, struct bmc *b, uint8_t completion)
{
	struct sweep *w = b->sweep;

	if (completion == IPMI_COMP_CODE_RESERVATION_CANCELLED && ++w->reservations < RESERVATIONS_MAX) {
		w->have = 0;
		go(e, b, STEP_RESERVE);
	} else if (w->step == STEP_BODY && w->chunk > CHUNK_LEAST) { /* it cannot send that much at once */
		w->chunk = (uint8_t)(w->chunk > 64 ? 64 : w->chunk / 2);
		go(e, b, STEP_BODY);
	} else
		end_sweep(e, b, 0);
}

/* --- readings -------------------------------------------------------------------------------------- */

/* The thresholds that hold: as the BMC told them; those it left out, as the record gives them. */
static void effective_thresholds(const struct bmc *b, size_t index, double out[THRESHOLD_COUNT])
{
	const struct sensor_def *s = &b->repository->sensors[index];
	const uint8_t *told = b->thresholds + index * THRESHOLD_BYTES;

	for (int t = 0; t < THRESHOLD_COUNT; t++) {
		out[t] = NAN;
		if (s->m < 0) /* raw and shown values rise in opposite ways, and BMCs mix them up: their own comparison
				 must do */
			continue;
		if (told[0] & 1U << t)
			out[t] = sdr_value(s, told[1 + t]);
		else if (s->threshold_mask & 1U << t)
			out[t] = sdr_value(s, s->thresholds[t]);
	}
}

static void describe(const struct bmc *b, size_t index, struct msg_sensor *m)
{
	const struct sensor_def *s = &b->repository->sensors[index];

	memset(m, 0, sizeof(*m));
	m->slot = b->slot;
	m->generation = b->generation;
	m->reading = NAN;
	m->record_id = s->record_id;
	m->number = s->number;
	m->type = s->type;
	m->event_type = s->event_type;
	m->entity = s->entity;
	m->entity_instance = s->entity_instance;
	text_copy(m->name, sizeof(m->name), s->name[0] ? s->name : "unnamed");
	text_copy(m->unit, sizeof(m->unit), s->analog_format == 3 ? "" : s->unit);
}

static void judge(const struct bmc *b, size_t index, const struct sensor_reading *reading, struct msg_sensor *m)
{
	const struct sensor_def *s = &b->repository->sensors[index];
	struct sensor_facts f = {.type = s->type, .event_type = s->event_type, .state_mask = s->state_mask};
	struct sensor_verdict v;

	effective_thresholds(b, index, f.thresholds);
	judge_sensor(&f, reading, b->state == BMC_OFF ? POWER_OFF : POWER_ON, &v);
	m->reading = reading->answered && reading->scanning && reading->available ? reading->value : NAN;
	m->bits = reading->bits;
	m->warning_low = f.thresholds[LOW_NON_CRITICAL];
	m->critical_low = f.thresholds[LOW_CRITICAL];
	m->warning_high = f.thresholds[HIGH_NON_CRITICAL];
	m->critical_high = f.thresholds[HIGH_CRITICAL];
	m->state = (uint8_t)v.state;
	m->level = (uint8_t)v.level;
	text_copy(m->text, sizeof(m->text), v.text);
}

static void hand_over(struct bmc_engine *e, struct bmc *b, size_t count)
{
	if (count) {
		b->sweep->set[count - 1].last = 1;
		e->hands.sensors(e->hands.arg, b->sweep->set, count);
	}
	e->counts.sweeps++;
	b->sweeps++;
	end_sweep(e, b, 0);
}

/* A power sensor of the BMC's own is better than DCMI's reading: it has thresholds. */
static bool has_power_sensor(const struct sdr_repository *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->sensors[i].analog_format != 3 && strcmp(r->sensors[i].unit, "W") == 0)
			return true;
	return false;
}

/* DCMI 1.5, 6.6.1: the power now, in watts. Whoever does not know the command is not asked again until its firmware is
 * another. */
static void take_dcmi(struct bmc_engine *e, struct bmc *b, const struct ipmi_reply *r)
{
	size_t count = b->repository->count;
	struct msg_sensor *m = &b->sweep->set[count];

	if (r->completion != IPMI_COMP_CODE_COMMAND_SUCCESS || r->size < DCMI_SIZE || r->data[0] != GROUP_DCMI) {
		b->no_dcmi = r->completion != IPMI_COMP_CODE_NODE_BUSY;
		hand_over(e, b, count);
		return;
	}
	*m = (struct msg_sensor){.slot = b->slot,
				 .generation = b->generation,
				 .warning_low = NAN,
				 .warning_high = NAN,
				 .critical_low = NAN,
				 .critical_high = NAN,
				 .record_id = DCMI_RECORD,
				 .type = IPMI_SENSOR_TYPE_OTHER_UNITS_BASED_SENSOR,
				 .event_type = 1,
				 .reading = r->data[1] | r->data[2] << 8,
				 .level = LEVEL_NORMAL,
				 .state = SENSOR_NOMINAL};
	if (!(r->data[17] & DCMI_ACTIVE)) { /* it measures nothing at present */
		m->reading = NAN;
		m->state = SENSOR_NOT_READABLE;
		m->level = LEVEL_UNKNOWN;
	}
	text_copy(m->name, sizeof(m->name), "DCMI Power");
	text_copy(m->unit, sizeof(m->unit), "W");
	hand_over(e, b, count + 1);
}

static void next_sensor(struct bmc_engine *e, struct bmc *b)
{
	struct sweep *w = b->sweep;
	size_t count = b->repository->count;

	for (; w->index < count; w->index++) {
		const struct sensor_def *s = &b->repository->sensors[w->index];
		struct msg_sensor *m = &w->set[w->index];
		describe(b, w->index, m);
		if (s->owner == BMC_OWNER) {
			bool ask = s->event_type == 1 && s->thresholds_askable && b->sweeps % THRESHOLDS_EVERY == 0;
			go(e, b, ask ? STEP_THRESHOLDS : STEP_READING);
			return;
		}
		m->state = SENSOR_NOT_READABLE;
		m->level = LEVEL_UNKNOWN;
		text_copy(m->text, sizeof(m->text), "behind another controller");
	}
	if (e->settings.records && !b->no_dcmi && !has_power_sensor(b->repository))
		go(e, b, STEP_DCMI);
	else
		hand_over(e, b, count);
}

static void take_reading(struct bmc_engine *e, struct bmc *b, const struct ipmi_reply *r)
{
	struct sweep *w = b->sweep;
	struct sensor_reading reading = {.value = NAN};

	reading.absent = r->completion == IPMI_COMP_CODE_REQUESTED_SENSOR_DATA_OR_RECORD_NOT_PRESENT;
	if (r->completion == IPMI_COMP_CODE_COMMAND_SUCCESS && r->size >= 2) {
		reading.answered = true;
		reading.scanning = r->data[1] & 0x40;
		reading.available = !(r->data[1] & 0x20);
		reading.value = sdr_value(&b->repository->sensors[w->index], r->data[0]);
		reading.bits =
		    (uint16_t)((r->size >= 3 ? r->data[2] : 0) | (r->size >= 4 ? (r->data[3] & 0x7f) << 8 : 0));
	}
	judge(b, w->index, &reading, &w->set[w->index]);
	w->index++;
	next_sensor(e, b);
}

/* Get Sensor Thresholds (35.9): a mask and six raw values, which may be other ones than the record's. */
static void take_thresholds(struct bmc_engine *e, struct bmc *b, const struct ipmi_reply *r)
{
	uint8_t *told = b->thresholds + b->sweep->index * THRESHOLD_BYTES;

	memset(told, 0, THRESHOLD_BYTES);
	if (r->completion == IPMI_COMP_CODE_COMMAND_SUCCESS && r->size >= THRESHOLD_BYTES && r->data[0] & 0x3f)
		memcpy(told, r->data, THRESHOLD_BYTES);
	go(e, b, STEP_READING);
}

static void start_readings(struct bmc_engine *e, struct bmc *b, const struct ipmi_reply *r)
{
	struct sweep *w = b->sweep;

	if (!watch_parse_chassis(e, b, r)) {
		end_sweep(e, b, 0);
		return;
	}
	free(w->set);
	w->set = mem_array(b->repository->count + 1, sizeof(*w->set)); /* one more: DCMI's */
	w->index = 0;
	next_sensor(e, b);
}

static void sensors_done(struct bmc_engine *e, struct bmc *b, enum bmc_error error, const struct ipmi_reply *reply)
{
	struct sweep *w = b->sweep;

	if (!w)
		return;
	if (!reply) { /* no answer, no session: another time */
		end_sweep(e, b, error == BMC_BUSY || error == BMC_SESSION_LOST ? BUSY_AGAIN_MS : 0);
		return;
	}
	if (w->step == STEP_READING)
		take_reading(e, b, reply);
	else if (w->step == STEP_THRESHOLDS)
		take_thresholds(e, b, reply);
	else if (w->step == STEP_DCMI)
		take_dcmi(e, b, reply);
	else if (error != BMC_OK && (w->step == STEP_HEADER || w->step == STEP_BODY))
		record_refused(e, b, reply->completion);
	else if (error != BMC_OK)
		end_sweep(e, b, 0);
	else if (w->step == STEP_INFO)
		take_info(e, b, reply);
	else if (w->step == STEP_RESERVE && reply->size >= 2) {
		w->reservation = (uint16_t)(reply->data[0] | reply->data[1] << 8);
		go(e, b, STEP_HEADER);
	} else if (w->step == STEP_CHASSIS)
		start_readings(e, b, reply);
	else if (w->step != STEP_RESERVE)
		take_record_part(e, b, reply);
	else
		end_sweep(e, b, 0);
}

const struct procedure_table sensors_procedure = {sensors_fill, sensors_done, {500, 1000}, 1500};
