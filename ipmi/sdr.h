/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sensor records (SDRs, IPMI 2.0 chapter 43) of a BMC: taken apart once, shared by all BMCs with the same records, and
 * kept in files so that a restart does not read hundreds of records from every BMC again. Used by sensors.c and sdr_files.c. */
#ifndef GLORY_IPMI_SDR_H
#define GLORY_IPMI_SDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipmi/judge_sensor.h"

struct ipmi_sdr_ctx;

enum {
	SDR_RECORD_MAX = 260,
	SDR_HEADER = 5,
	SDR_CONTENT_MAX = 256 * 1024,
	SDR_SENSORS_MAX = 4096,
	SDR_SHARED_MAX = 16
};

struct sensor_def {
	uint16_t record_id;
	uint16_t state_mask;
	int16_t m, b;
	int8_t r_exponent, b_exponent;
	uint8_t linearization, analog_format; /* format 3: there is no analogue reading */
	uint8_t number, lun, owner;
	uint8_t type, event_type, entity, entity_instance;
	uint8_t threshold_mask;              /* readable ones, bit = enum threshold */
	uint8_t thresholds[THRESHOLD_COUNT]; /* raw, as the record gives them */
	bool thresholds_askable;             /* Get Sensor Thresholds may be asked */
	char name[32];
	char unit[12];
};

/* What a file belongs to. All of it is compared when a file is read. */
struct sdr_key {
	uint8_t guid[16];
	uint32_t manufacturer, product;
	uint32_t added, erased; /* the repository's own time stamps */
	uint16_t records;
	uint8_t version, pad;
	char firmware[16];
};

struct sdr_repository {
	struct sdr_repository *next;
	unsigned users;
	uint64_t hash;
	size_t size;
	uint8_t *content; /* the records, one behind the other */
	size_t count;
	struct sensor_def *sensors;
};

/* Takes one record apart. Returns how many sensors it stands for (0 to room; shared compact records: several; records
 * of other kinds, event-only sensors and sensors of system software: none), or -1 when it is malformed. */
int sdr_parse(struct ipmi_sdr_ctx *ctx, const uint8_t *record, size_t size, struct sensor_def *out, int room);
/* The reading in the sensor's unit, NAN when it has none. */
double sdr_value(const struct sensor_def *s, uint8_t raw);

/* The repository with this content, from *list or made and put into it; one more user. NULL when the content is
 * malformed. */
struct sdr_repository *sdr_repository_get(struct sdr_repository **list, struct ipmi_sdr_ctx *ctx,
					  const uint8_t *content, size_t size);
void sdr_repository_put(struct sdr_repository **list, struct sdr_repository *r); /* NULL is fine */

/* Reads a cache file's bytes: the content inside it (pointing into data) when it is whole and for this key, else NULL.
 */
const uint8_t *sdr_file_check(const uint8_t *data, size_t size, const struct sdr_key *key, size_t *content_size);
/* Both wait for the disk, and may be called in any thread. The content of DIRECTORY/sdr/HASH-OF-GUID, malloc'd, or NULL; a file
 * that is there and not of this key is told in the log. */
uint8_t *sdr_file_read(const char *directory, const struct sdr_key *key, size_t *size);
/* Writes it by rename. Failing is not an error: the records are read again next time. */
void sdr_file_write(const char *directory, const struct sdr_key *key, const uint8_t *content, size_t size);

#endif
