/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sensor records: taken apart with libfreeipmi, shared in memory, kept in files; see sdr.h. */
#include "ipmi/sdr.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <freeipmi/freeipmi.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

enum {
	TYPE_FULL = 0x01,
	TYPE_COMPACT = 0x02,
	AT_TYPE = 3,
	AT_LENGTH = 4,
	AT_STATE_MASK = 18,
	AT_FULL_NAME = 47,
	AT_COMPACT_NAME = 31
};
enum {
	NAME_BCD = 1,
	NAME_SIX_BIT = 2,
	EVENT_THRESHOLD = 1,
	NOT_ANALOG = 3,
	THRESHOLDS_READABLE = 1,
	THRESHOLDS_FIXED = 3
};

/* --- one record ------------------------------------------------------------------------------------ */

/* Type/length byte and text (43.15). Packed forms are rare and otherwise shown as rubbish. */
static void decode_name(const uint8_t *at, size_t room, char out[32])
{
	static const char bcd[] = "0123456789 -.:,_";
	unsigned form = at[0] >> 6;
	size_t length = at[0] & 0x1f, used = 0;

	if (length > room - 1)
		length = room - 1;
	at++;
	if (form == NAME_BCD)
		for (size_t i = 0; i < 2 * length && used < 31; i++)
			out[used++] = bcd[i % 2 ? at[i / 2] & 0x0f : at[i / 2] >> 4];
	else if (form == NAME_SIX_BIT)
		for (size_t bit = 0; bit + 6 <= 8 * length && used < 31; bit += 6) {
			unsigned pair = at[bit / 8] | (bit / 8 + 1 < length ? (unsigned)at[bit / 8 + 1] << 8 : 0);
			out[used++] = (char)(0x20 + (pair >> bit % 8 & 0x3f));
		}
	else
		for (size_t i = 0; i < length && at[i] && used < 31; i++)
			out[used++] = (char)at[i];
	while (used > 0 && out[used - 1] == ' ')
		used--;
	out[used] = 0;
	text_make_printable(out);
}

static void decode_unit(ipmi_sdr_ctx_t ctx, const uint8_t *record, unsigned size, struct sensor_def *s)
{
	uint8_t percent, modifier, rate, base, second;
	char unit[64];

	if (ipmi_sdr_parse_sensor_units(ctx, record, size, &percent, &modifier, &rate, &base, &second) < 0)
		return;
	if (ipmi_sensor_units_string(percent, modifier, rate, base, second, unit, sizeof(unit), 1) <= 0)
		return;
	text_copy(s->unit, sizeof(s->unit), strcmp(unit, "%") == 0 ? "percent" : unit);
}

static void decode_thresholds(ipmi_sdr_ctx_t ctx, const uint8_t *record, unsigned size, struct sensor_def *s)
{
	uint8_t has[THRESHOLD_COUNT], event, access, hysteresis, rearm, ignore;

	if (ipmi_sdr_parse_threshold_readable(ctx, record, size, &has[LOW_NON_CRITICAL], &has[LOW_CRITICAL],
					      &has[LOW_NON_RECOVERABLE], &has[HIGH_NON_CRITICAL], &has[HIGH_CRITICAL],
					      &has[HIGH_NON_RECOVERABLE]) < 0 ||
	    ipmi_sdr_parse_thresholds_raw(ctx, record, size, &s->thresholds[LOW_NON_CRITICAL],
					  &s->thresholds[LOW_CRITICAL], &s->thresholds[LOW_NON_RECOVERABLE],
					  &s->thresholds[HIGH_NON_CRITICAL], &s->thresholds[HIGH_CRITICAL],
					  &s->thresholds[HIGH_NON_RECOVERABLE]) < 0 ||
	    ipmi_sdr_parse_sensor_capabilities(ctx, record, size, &event, &access, &hysteresis, &rearm, &ignore) < 0)
		return;
	for (int t = 0; t < THRESHOLD_COUNT; t++)
		s->threshold_mask |= (uint8_t)((has[t] ? 1 : 0) << t);
	s->thresholds_askable = access >= THRESHOLDS_READABLE && access < THRESHOLDS_FIXED;
}

static bool decode_common(ipmi_sdr_ctx_t ctx, const uint8_t *record, unsigned size, struct sensor_def *s,
			  bool *software)
{
	uint8_t owner_type, owner, channel, instance_type;

	if (ipmi_sdr_parse_sensor_owner_id(ctx, record, size, &owner_type, &owner) < 0 ||
	    ipmi_sdr_parse_sensor_owner_lun(ctx, record, size, &s->lun, &channel) < 0 ||
	    ipmi_sdr_parse_sensor_number(ctx, record, size, &s->number) < 0 ||
	    ipmi_sdr_parse_entity_id_instance_type(ctx, record, size, &s->entity, &s->entity_instance, &instance_type) <
		0 ||
	    ipmi_sdr_parse_sensor_type(ctx, record, size, &s->type) < 0 ||
	    ipmi_sdr_parse_event_reading_type_code(ctx, record, size, &s->event_type) < 0)
		return false;
	*software = owner_type != 0;
	s->owner = (uint8_t)(owner << 1);
	s->record_id = (uint16_t)(record[0] | record[1] << 8);
	s->state_mask = (uint16_t)(record[AT_STATE_MASK] | record[AT_STATE_MASK + 1] << 8);
	decode_unit(ctx, record, size, s);
	return true;
}

static int parse_full(ipmi_sdr_ctx_t ctx, const uint8_t *record, unsigned size, struct sensor_def *s)
{
	bool software;

	if (size <= AT_FULL_NAME || !decode_common(ctx, record, size, s, &software) ||
	    ipmi_sdr_parse_sensor_decoding_data(ctx, record, size, &s->r_exponent, &s->b_exponent, &s->m, &s->b,
						&s->linearization, &s->analog_format) < 0)
		return -1;
	if (s->event_type == EVENT_THRESHOLD)
		decode_thresholds(ctx, record, size, s);
	decode_name(record + AT_FULL_NAME, size - AT_FULL_NAME, s->name);
	return software ? 0 : 1;
}

/* A compact record may stand for several sensors with numbers in a row; their names get a number or a letter (43.2).
 * Where the name already ends in a number and the modifier begins at 0, makers mean "counted on from it". */
static void name_shared(struct sensor_def *s, unsigned first, unsigned index, bool letters)
{
	size_t used = strlen(s->name), digits = used;

	while (digits > 0 && isdigit((unsigned char)s->name[digits - 1]))
		digits--;
	if (letters)
		text_append(s->name, sizeof(s->name), &used, "%c", (char)('A' + (first + index) % 26));
	else if (digits < used && first == 0 && used - digits <= 4) {
		unsigned base = (unsigned)strtoul(s->name + digits, NULL, 10);
		used = digits;
		text_append(s->name, sizeof(s->name), &used, "%u", base + index);
	} else
		text_append(s->name, sizeof(s->name), &used, digits < used ? " %u" : "%u", first + index);
}

static int parse_compact(ipmi_sdr_ctx_t ctx, const uint8_t *record, unsigned size, struct sensor_def *out, int room)
{
	struct sensor_def s = *out;
	uint8_t count, letters, first, entity_shared;
	bool software;

	if (size <= AT_COMPACT_NAME || !decode_common(ctx, record, size, &s, &software) ||
	    ipmi_sdr_parse_sensor_record_sharing(ctx, record, size, &count, &letters, &first, &entity_shared) < 0)
		return -1;
	if (software)
		return 0;
	s.analog_format = NOT_ANALOG;
	decode_name(record + AT_COMPACT_NAME, size - AT_COMPACT_NAME, s.name);
	if (count == 0)
		count = 1;
	for (int i = 0; i < count && i < room; i++) {
		out[i] = s;
		out[i].number = (uint8_t)(s.number + i);
		if (entity_shared)
			out[i].entity_instance = (uint8_t)(s.entity_instance + i);
		if (count > 1)
			name_shared(&out[i], first, (unsigned)i, letters != 0);
	}
	return count < room ? count : room;
}

int sdr_parse(ipmi_sdr_ctx_t ctx, const uint8_t *record, size_t size, struct sensor_def *out, int room)
{
	if (size < SDR_HEADER || size > SDR_RECORD_MAX || (size_t)record[AT_LENGTH] + SDR_HEADER != size)
		return -1;
	if (room < 1 || (record[AT_TYPE] != TYPE_FULL && record[AT_TYPE] != TYPE_COMPACT))
		return 0;
	memset(out, 0, sizeof(*out));
	return record[AT_TYPE] == TYPE_FULL
		   ? parse_full(ctx, record, (unsigned)size, out)
		   : parse_compact(ctx, record, (unsigned)size, out, room < SDR_SHARED_MAX ? room : SDR_SHARED_MAX);
}

double sdr_value(const struct sensor_def *s, uint8_t raw)
{
	double value;

	if (s->analog_format == NOT_ANALOG || s->event_type != EVENT_THRESHOLD)
		return NAN;
	if (ipmi_sensor_decode_value(s->r_exponent, s->b_exponent, s->m, s->b, s->linearization, s->analog_format, raw,
				     &value) < 0)
		return NAN;
	return isfinite(value) ? value : NAN;
}

/* --- repositories ---------------------------------------------------------------------------------- */

static bool parse_all(ipmi_sdr_ctx_t ctx, struct sdr_repository *r)
{
	struct sensor_def found[SDR_SHARED_MAX];

	for (size_t at = 0; at < r->size;) {
		size_t left = r->size - at;
		size_t size = left >= SDR_HEADER ? (size_t)r->content[at + AT_LENGTH] + SDR_HEADER : 0;
		if (size == 0 || size > left)
			return false;
		/* one record that makes no sense must not hide the others */
		int count = sdr_parse(ctx, r->content + at, size, found, SDR_SHARED_MAX);
		if (count > 0 && r->count + (size_t)count <= SDR_SENSORS_MAX) {
			r->sensors = mem_grow(r->sensors, r->count + (size_t)count, sizeof(*r->sensors));
			memcpy(r->sensors + r->count, found, (size_t)count * sizeof(found[0]));
			r->count += (size_t)count;
		}
		at += size;
	}
	return true;
}

static void repository_free(struct sdr_repository *r)
{
	free(r->content);
	free(r->sensors);
	free(r);
}

struct sdr_repository *sdr_repository_get(struct sdr_repository **list, ipmi_sdr_ctx_t ctx, const uint8_t *content,
					  size_t size)
{
	uint64_t hash = text_hash(content, size);

	if (size > SDR_CONTENT_MAX)
		return NULL;
	for (struct sdr_repository *r = *list; r; r = r->next)
		if (r->hash == hash && r->size == size && memcmp(r->content, content, size) == 0) {
			r->users++;
			return r;
		}
	struct sdr_repository *r = mem_zalloc(sizeof(*r));
	r->hash = hash;
	r->size = size;
	r->users = 1;
	r->content = mem_zalloc(size + 1);
	memcpy(r->content, content, size);
	if (!parse_all(ctx, r)) {
		repository_free(r);
		return NULL;
	}
	r->next = *list;
	*list = r;
	return r;
}

void sdr_repository_put(struct sdr_repository **list, struct sdr_repository *r)
{
	if (!r || --r->users > 0)
		return;
	for (struct sdr_repository **at = list; *at; at = &(*at)->next)
		if (*at == r) {
			*at = r->next;
			break;
		}
	repository_free(r);
}

/* --- files ----------------------------------------------------------------------------------------- */

static const char magic[8] = "GLSDR\n\x1a\1";

struct file_header {
	char magic[8];
	struct sdr_key key;
	uint32_t size;
	uint32_t zero[2];
	uint64_t hash;
};
_Static_assert(sizeof(struct file_header) == 8 + sizeof(struct sdr_key) + 12 + 8,
	       "no holes in what is written to a file");

const uint8_t *sdr_file_check(const uint8_t *data, size_t size, const struct sdr_key *key, size_t *content_size)
{
	struct file_header h;

	if (size < sizeof(h))
		return NULL;
	memcpy(&h, data, sizeof(h));
	if (memcmp(h.magic, magic, sizeof(magic)) != 0 || memcmp(&h.key, key, sizeof(*key)) != 0 ||
	    h.size != size - sizeof(h) || h.zero[0] || h.zero[1] || h.size > SDR_CONTENT_MAX ||
	    h.hash != text_hash(data + sizeof(h), h.size))
		return NULL;
	*content_size = h.size;
	return data + sizeof(h);
}

static bool file_path(char *out, size_t size, const char *directory, const struct sdr_key *key, const char *suffix)
{
	/* one file for each GUID: what is new takes the place of what was */
	return text_format(out, size, "%s/sdr/%016llx%s", directory,
			   (unsigned long long)text_hash(key->guid, sizeof(key->guid)), suffix);
}

static size_t read_whole(const char *path, uint8_t *out, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t used = 0;

	if (fd < 0)
		return 0;
	while (used < room) {
		ssize_t n = read(fd, out + used, room - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		used += (size_t)n;
	}
	close(fd);
	return used;
}

uint8_t *sdr_file_read(const char *directory, const struct sdr_key *key, size_t *size)
{
	char path[320];
	size_t room = sizeof(struct file_header) + SDR_CONTENT_MAX + 1;
	uint8_t *out = NULL;

	if (!directory[0] || !file_path(path, sizeof(path), directory, key, ""))
		return NULL;
	uint8_t *data = mem_zalloc(room);
	size_t read = read_whole(path, data, room);
	const uint8_t *content = sdr_file_check(data, read, key, size);
	if (read > 0 && !content)
		log_info("%s: of another firmware or repository, or damaged: the bmc's sensor records are read again", path);
	if (content) {
		out = mem_zalloc(*size + 1);
		memcpy(out, content, *size);
	}
	free(data);
	return out;
}

void sdr_file_write(const char *directory, const struct sdr_key *key, const uint8_t *content, size_t size)
{
	char path[320], fresh[320], folder[320];
	struct file_header h = {.key = *key, .size = (uint32_t)size, .hash = text_hash(content, size)};

	if (!directory[0] || !file_path(path, sizeof(path), directory, key, "") ||
	    !file_path(fresh, sizeof(fresh), directory, key, ".new") ||
	    !text_format(folder, sizeof(folder), "%s/sdr", directory))
		return;
	memcpy(h.magic, magic, sizeof(magic));
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 && errno == ENOENT && mkdir(folder, 0700) == 0)
		fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool done = fd >= 0 && bytes_write(fd, &h, sizeof(h)) && bytes_write(fd, content, size);
	if (fd >= 0)
		close(fd);
	if (!done || rename(fresh, path) < 0) {
		log_debug("%s: not written: %s", path, strerror(errno));
		unlink(fresh);
	}
}
