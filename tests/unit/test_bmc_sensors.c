/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sensor records, their files, the judgement of sensors, and a whole sweep against a BMC on plain bytes. */
#include <freeipmi/freeipmi.h>
#include <math.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "ipmi/bmc.h"
#include "ipmi/sdr.h"
#include "ipmi/sdr_files.h"
#include "tests/sim/fake_bmc.h"
#include "unit.h"

/* --- judgement ------------------------------------------------------------------------------------- */

static struct sensor_facts facts(uint8_t type, uint8_t event_type, uint16_t mask)
{
	struct sensor_facts f = {.type = type, .event_type = event_type, .state_mask = mask};

	for (int i = 0; i < THRESHOLD_COUNT; i++)
		f.thresholds[i] = NAN;
	return f;
}

static struct sensor_verdict judge_bits(uint8_t type, uint8_t event_type, uint16_t mask, uint16_t bits, enum power host)
{
	struct sensor_facts f = facts(type, event_type, mask);
	struct sensor_reading r = {.answered = true, .scanning = true, .available = true, .value = NAN, .bits = bits};
	struct sensor_verdict v;

	judge_sensor(&f, &r, host, &v);
	return v;
}

static void test_states(void)
{
	static const struct {
		uint8_t type, event_type;
		uint16_t mask, bits;
		enum sensor_state state;
		enum level level;
		const char *text;
	} cases[] = {
	    /* power supplies */
	    {0x08, 0x6f, 0x4f, 0x01, SENSOR_NOMINAL, LEVEL_NORMAL, "presence detected"},
	    {0x08, 0x6f, 0x4f, 0x09, SENSOR_FINDING, LEVEL_MAJOR, "power supply input lost (AC/DC)"},
	    {0x08, 0x6f, 0x4f, 0x03, SENSOR_FINDING, LEVEL_MAJOR, NULL},
	    {0x08, 0x6f, 0x4f, 0x05, SENSOR_FINDING, LEVEL_WARNING, NULL},
	    {0x08, 0x6f, 0x4f, 0x00, SENSOR_NOT_PRESENT, LEVEL_NORMAL, "empty"},
	    {0x08, 0x6f, 0x4e, 0x00, SENSOR_NOMINAL, LEVEL_NORMAL, ""}, /* it cannot report presence */
	    /* redundancy */
	    {0x08, 0x0b, 0x03, 0x01, SENSOR_NOMINAL, LEVEL_NORMAL, NULL},
	    {0x08, 0x0b, 0x03, 0x02, SENSOR_FINDING, LEVEL_MAJOR, "redundancy lost"},
	    {0x04, 0x0b, 0x3f, 0x20, SENSOR_FINDING, LEVEL_CRITICAL, NULL},
	    /* drive slots */
	    {0x0d, 0x6f, 0x1ef, 0x01, SENSOR_NOMINAL, LEVEL_NORMAL, NULL},
	    {0x0d, 0x6f, 0x1ef, 0x03, SENSOR_FINDING, LEVEL_MAJOR, NULL},
	    {0x0d, 0x6f, 0x1ef, 0x05, SENSOR_FINDING, LEVEL_WARNING, NULL},
	    {0x0d, 0x6f, 0x1ef, 0x41, SENSOR_FINDING, LEVEL_CRITICAL, NULL},
	    {0x0d, 0x6f, 0x1ef, 0x00, SENSOR_NOT_PRESENT, LEVEL_NORMAL, NULL},
	    {0x0d, 0x6f, 0x1ef, 0x3803, SENSOR_NOT_JUDGED, LEVEL_UNKNOWN, "states outside the specification, raw 3803"},
	    /* entity presence: absent is inventory */
	    {0x25, 0x6f, 0x03, 0x01, SENSOR_NOMINAL, LEVEL_NORMAL, NULL},
	    {0x25, 0x6f, 0x03, 0x02, SENSOR_NOT_PRESENT, LEVEL_NORMAL, NULL},
	    {0x25, 0x6f, 0x00, 0x02, SENSOR_NOT_PRESENT, LEVEL_NORMAL, NULL},
	    {0x15, 0x08, 0x03, 0x01, SENSOR_NOT_PRESENT, LEVEL_NORMAL, NULL},
	    {0x15, 0x08, 0x03, 0x02, SENSOR_NOMINAL, LEVEL_NORMAL, NULL},
	    {0x2c, 0x6f, 0xff, 0x01, SENSOR_NOT_PRESENT, LEVEL_NORMAL, NULL},
	    /* processors, memory */
	    {0x07, 0x6f, 0x0fff, 0x80, SENSOR_NOMINAL, LEVEL_NORMAL, NULL},
	    {0x07, 0x6f, 0x0fff, 0x81, SENSOR_FINDING, LEVEL_CRITICAL, "IERR"},
	    {0x07, 0x6f, 0x0fff, 0x82, SENSOR_FINDING, LEVEL_CRITICAL, NULL},
	    {0x07, 0x6f, 0x0fff, 0x180, SENSOR_FINDING, LEVEL_MAJOR, NULL},
	    {0x07, 0x6f, 0x82, 0x00, SENSOR_NOT_PRESENT, LEVEL_NORMAL, NULL},
	    {0x0c, 0x6f, 0x7f, 0x41, SENSOR_FINDING, LEVEL_WARNING, NULL},
	    {0x0c, 0x6f, 0x7f, 0x42, SENSOR_FINDING, LEVEL_CRITICAL, NULL},
	    /* "state asserted" is trouble of a voltage, nothing of a link */
	    {0x02, 0x03, 0x03, 0x01, SENSOR_NOMINAL, LEVEL_NORMAL, NULL},
	    {0x02, 0x03, 0x03, 0x02, SENSOR_FINDING, LEVEL_MAJOR, NULL},
	    {0x07, 0x03, 0x03, 0x02, SENSOR_FINDING, LEVEL_CRITICAL, NULL},
	    {0x27, 0x03, 0x03, 0x02, SENSOR_NOT_JUDGED, LEVEL_UNKNOWN, NULL},
	    {0x27, 0x03, 0x03, 0x00, SENSOR_NOMINAL, LEVEL_NORMAL, NULL},
	    /* the rest */
	    {0x05, 0x6f, 0x01, 0x00, SENSOR_NOMINAL, LEVEL_NORMAL, ""},
	    {0x05, 0x6f, 0x01, 0x01, SENSOR_FINDING, LEVEL_WARNING, NULL},
	    {0x09, 0x6f, 0xff, 0x01, SENSOR_NOMINAL, LEVEL_NORMAL, NULL}, /* the unit is off: a state, no trouble */
	    {0x10, 0x6f, 0x30, 0x10, SENSOR_FINDING, LEVEL_WARNING, NULL},
	    {0x29, 0x6f, 0x03, 0x02, SENSOR_FINDING, LEVEL_MAJOR, NULL},
	    {0x12, 0x07, 0xff, 0x40, SENSOR_FINDING, LEVEL_CRITICAL, NULL},
	    {0x23, 0x6f, 0x0f, 0x10, SENSOR_NOT_JUDGED, LEVEL_UNKNOWN, NULL}, /* reserved offset */
	    {0xc0, 0x6f, 0x0f, 0x01, SENSOR_NOT_JUDGED, LEVEL_UNKNOWN, "the maker's own states, raw 0001"},
	    {0x15, 0x70, 0x0f, 0x00, SENSOR_NOT_JUDGED, LEVEL_UNKNOWN, NULL},
	    {0x02, 0x6f, 0x0f, 0x01, SENSOR_NOT_JUDGED, LEVEL_UNKNOWN, NULL},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct sensor_verdict v =
		    judge_bits(cases[i].type, cases[i].event_type, cases[i].mask, cases[i].bits, POWER_ON);
		bool right = v.state == cases[i].state && v.level == cases[i].level &&
			     (!cases[i].text || strcmp(v.text, cases[i].text) == 0);
		if (!right)
			printf("case %zu: %s %s \"%s\"\n", i, words_name(WORDS_SENSOR_STATE, v.state),
			       level_name((int)v.level), v.text);
		CU_ASSERT(right);
	}
}

static void test_all_states_are_total(void)
{
	for (unsigned type = 0; type < 256; type++)
		for (unsigned event = 0; event < 256; event += event < 0x10 ? 1 : event == 0x10 ? 0x5f : 1)
			for (unsigned bit = 0; bit < 15; bit++) {
				struct sensor_verdict v =
				    judge_bits((uint8_t)type, (uint8_t)event, 0x7fff, (uint16_t)(1U << bit), POWER_ON);
				CU_ASSERT(v.state >= SENSOR_NOMINAL && v.state <= SENSOR_FINDING);
				CU_ASSERT((v.state == SENSOR_FINDING) == (v.level > LEVEL_NORMAL));
				CU_ASSERT(text_terminated(v.text, sizeof(v.text)));
			}
}

static struct sensor_verdict judge_value_of(double value, uint16_t bits, enum power host,
					    const double t[THRESHOLD_COUNT])
{
	struct sensor_facts f = facts(0x01, 0x01, 0);
	struct sensor_reading r = {.answered = true, .scanning = true, .available = true, .value = value, .bits = bits};
	struct sensor_verdict v;

	memcpy(f.thresholds, t, sizeof(f.thresholds));
	judge_sensor(&f, &r, host, &v);
	return v;
}

static void test_thresholds(void)
{
	const double t[] = {10, 5, 0, 75, 90, 100}, none[] = {NAN, NAN, NAN, NAN, NAN, NAN},
		     nonsense[] = {0, 0, 0, 0, 0, 0};

	CU_ASSERT(judge_value_of(45, 0xc0, POWER_ON, t).state == SENSOR_NOMINAL);
	CU_ASSERT(judge_value_of(75, 0xc0, POWER_ON, t).level == LEVEL_WARNING);
	CU_ASSERT(judge_value_of(90, 0xc0, POWER_ON, t).level == LEVEL_MAJOR);
	CU_ASSERT(judge_value_of(100, 0xc0, POWER_ON, t).level == LEVEL_CRITICAL);
	CU_ASSERT(judge_value_of(10, 0xc0, POWER_ON, t).level == LEVEL_WARNING);
	CU_ASSERT(judge_value_of(4.9, 0xc0, POWER_ON, t).level == LEVEL_MAJOR);
	CU_ASSERT(judge_value_of(-3, 0xc0, POWER_ON, t).level == LEVEL_CRITICAL);
	CU_ASSERT(strcmp(judge_value_of(91, 0xc0, POWER_ON, t).text, "at or above upper critical (90)") == 0);
	/* hysteresis: the value is back, the BMC still says crossed */
	CU_ASSERT(judge_value_of(74, 0xc8, POWER_ON, t).level == LEVEL_WARNING);
	CU_ASSERT(judge_value_of(50, 0xd0, POWER_ON, none).level == LEVEL_MAJOR);
	/* thresholds left at zero say nothing; the BMC's own comparison does */
	CU_ASSERT(judge_value_of(45, 0xc0, POWER_ON, nonsense).state == SENSOR_NOMINAL);
	CU_ASSERT(judge_value_of(0, 0xc2, POWER_ON, nonsense).level == LEVEL_MAJOR);
	/* rubbish of a part that was never fitted */
	CU_ASSERT(judge_value_of(0, 0x3803, POWER_ON, t).state == SENSOR_NOT_JUDGED);
	CU_ASSERT(judge_value_of(0, 0x0900, POWER_ON, t).state == SENSOR_NOT_JUDGED);
	CU_ASSERT(judge_value_of(NAN, 0xc0, POWER_ON, t).state == SENSOR_NOMINAL);
	/* a machine that is off */
	CU_ASSERT(judge_value_of(0, 0xc2, POWER_OFF, t).state == SENSOR_NOT_JUDGED);
	CU_ASSERT(judge_value_of(0, 0xc2, POWER_UNKNOWN, t).state == SENSOR_FINDING);
	CU_ASSERT(judge_bits(0x04, 0x0b, 3, 2, POWER_OFF).state == SENSOR_NOT_JUDGED);
	CU_ASSERT(judge_bits(0x08, 0x6f, 9, 9, POWER_OFF).state ==
		  SENSOR_FINDING); /* a supply without input is one, on or off */
}

static void test_not_readable(void)
{
	struct sensor_facts f = facts(0x08, 0x6f, 0x4f);
	struct sensor_reading r = {.answered = true, .scanning = true, .available = true, .value = NAN, .bits = 9};
	struct sensor_verdict v;

	r.scanning = false;
	judge_sensor(&f, &r, POWER_ON, &v);
	CU_ASSERT(v.state == SENSOR_NOT_READABLE && v.level == LEVEL_UNKNOWN);
	r.scanning = true;
	r.available = false;
	judge_sensor(&f, &r, POWER_ON, &v);
	CU_ASSERT(v.state == SENSOR_NOT_READABLE);
	r.available = true;
	r.answered = false;
	judge_sensor(&f, &r, POWER_ON, &v);
	CU_ASSERT(v.state == SENSOR_NOT_READABLE);
	r.absent = true;
	judge_sensor(&f, &r, POWER_ON, &v);
	CU_ASSERT(v.state == SENSOR_NOT_PRESENT);
}

/* --- records --------------------------------------------------------------------------------------- */

/* Appends a record; returns its size. */
static size_t full_record(uint8_t *out, uint16_t id, uint8_t number, uint8_t type, int8_t r_exponent, uint8_t m,
			  const char *name)
{
	uint8_t r[64] = {[2] = 0x51,
			 [3] = 0x01,
			 [5] = 0x20,
			 [7] = number,
			 [8] = 3,
			 [9] = 1,
			 [11] = 0x58,
			 [12] = type,
			 [13] = 1,
			 [18] = 0x18,
			 [21] = 1,
			 [24] = m,
			 [29] = (uint8_t)((r_exponent & 0x0f) << 4),
			 [37] = 90,
			 [38] = 75};
	size_t length = strlen(name);

	r[0] = (uint8_t)id;
	r[1] = (uint8_t)(id >> 8);
	r[47] = (uint8_t)(0xc0 | length);
	memcpy(r + 48, name, length);
	r[4] = (uint8_t)(48 + length - 5);
	memcpy(out, r, 48 + length);
	return 48 + length;
}

static size_t compact_record(uint8_t *out, uint16_t id, uint8_t number, uint8_t type, uint16_t mask, uint8_t shared,
			     const uint8_t *name, size_t name_size)
{
	uint8_t r[64] = {[2] = 0x51, [3] = 0x02, [5] = 0x20, [7] = number, [8] = 10, [9] = 1, [12] = type, [13] = 0x6f};

	r[0] = (uint8_t)id;
	r[18] = (uint8_t)mask;
	r[19] = (uint8_t)(mask >> 8);
	r[23] = shared;
	r[24] = shared ? 1 : 0;
	memcpy(r + 31, name, name_size);
	r[4] = (uint8_t)(31 + name_size - 5);
	memcpy(out, r, 31 + name_size);
	return 31 + name_size;
}

static void test_records(void)
{
	static const uint8_t plain[] = {0xc4, 'P', 'S', 'U', ' '};
	static const uint8_t numbered[] = {0xc6, 'B', 'a', 'y', ' ', '1', '5'};
	static const uint8_t packed[] = {0x83, 0x29, 0xdc,
					 0xa6}; /* "IPMI" in six bits, the specification's own example */
	static const uint8_t bcd[] = {0x42, 0x12, 0xc5};
	static const uint8_t hostile[] = {0xc3, 'a', '\n', 0xff};
	ipmi_sdr_ctx_t ctx = ipmi_sdr_ctx_create();
	struct sensor_def s[SDR_SHARED_MAX];
	uint8_t r[128];

	size_t n = full_record(r, 7, 33, 0x01, -1, 5, "CPU Temp");
	CU_ASSERT(sdr_parse(ctx, r, n, s, SDR_SHARED_MAX) == 1);
	CU_ASSERT(s[0].record_id == 7 && s[0].number == 33 && s[0].type == 1 && s[0].owner == 0x20 && s[0].entity == 3);
	CU_ASSERT(strcmp(s[0].name, "CPU Temp") == 0 && strcmp(s[0].unit, "C") == 0);
	CU_ASSERT(s[0].threshold_mask == (1 << HIGH_NON_CRITICAL | 1 << HIGH_CRITICAL) &&
		  s[0].thresholds[HIGH_CRITICAL] == 90);
	CU_ASSERT_DOUBLE_EQUAL(sdr_value(&s[0], 80), 40.0, 0.001);
	n = compact_record(r, 8, 40, 0x08, 0x4f, 0, plain, sizeof(plain));
	CU_ASSERT(sdr_parse(ctx, r, n, s, SDR_SHARED_MAX) == 1 && strcmp(s[0].name, "PSU") == 0 &&
		  s[0].state_mask == 0x4f);
	CU_ASSERT(isnan(sdr_value(&s[0], 80)));
	n = compact_record(r, 8, 40, 0x08, 0x4f, 3, plain, sizeof(plain));
	CU_ASSERT(sdr_parse(ctx, r, n, s, SDR_SHARED_MAX) == 3 && strcmp(s[2].name, "PSU3") == 0 && s[2].number == 42);
	n = compact_record(r, 8, 40, 0x0d, 0x03, 15, numbered, sizeof(numbered));
	r[24] = 0;
	CU_ASSERT(sdr_parse(ctx, r, n, s, SDR_SHARED_MAX) == 15 && strcmp(s[0].name, "Bay 15") == 0 &&
		  strcmp(s[14].name, "Bay 29") == 0);
	n = compact_record(r, 8, 40, 0x08, 0x4f, 0, packed, sizeof(packed));
	CU_ASSERT(sdr_parse(ctx, r, n, s, SDR_SHARED_MAX) == 1 && strcmp(s[0].name, "IPMI") == 0);
	n = compact_record(r, 8, 40, 0x08, 0x4f, 0, bcd, sizeof(bcd));
	CU_ASSERT(sdr_parse(ctx, r, n, s, SDR_SHARED_MAX) == 1 && strcmp(s[0].name, "12.5") == 0);
	n = compact_record(r, 8, 40, 0x08, 0x4f, 0, hostile, sizeof(hostile));
	CU_ASSERT(sdr_parse(ctx, r, n, s, SDR_SHARED_MAX) == 1 && strcmp(s[0].name, "a??") == 0);
	for (size_t cut = 0; cut < n; cut++) /* no length that lies, no record that ends early */
		CU_ASSERT(sdr_parse(ctx, r, cut, s, SDR_SHARED_MAX) == -1);
	r[5] = 0x21; /* system software's: nobody answers for it */
	CU_ASSERT(sdr_parse(ctx, r, n, s, SDR_SHARED_MAX) == 0);
	r[3] = 0xc0;
	CU_ASSERT(sdr_parse(ctx, r, n, s, SDR_SHARED_MAX) == 0);
	ipmi_sdr_ctx_destroy(ctx);
}

static void test_files(void)
{
	char directory[] = "/tmp/glory-sdr-XXXXXX", path[320], command[400];
	struct sdr_key key = {.manufacturer = 674, .records = 1, .firmware = "1.2"}, other = {.manufacturer = 675};
	struct sdr_repository *list = NULL;
	ipmi_sdr_ctx_t ctx = ipmi_sdr_ctx_create();
	uint8_t r[128], file[512];
	size_t size, n = full_record(r, 7, 33, 0x01, 0, 1, "CPU Temp");

	CU_ASSERT_FATAL(mkdtemp(directory) != NULL);
	struct sdr_repository *a = sdr_repository_get(&list, ctx, r, n), *b = sdr_repository_get(&list, ctx, r, n);
	CU_ASSERT(a && a == b && a->users == 2 && a->count == 1); /* the same records are shared */
	CU_ASSERT(sdr_repository_get(&list, ctx, r, n - 1) == NULL);
	sdr_file_write(directory, &key, a->content, a->size);
	sdr_repository_put(&list, a);
	sdr_repository_put(&list, b);
	CU_ASSERT(list == NULL);
	uint8_t *kept = sdr_file_read(directory, &key, &size);
	CU_ASSERT_FATAL(kept != NULL);
	CU_ASSERT(size == n && memcmp(kept, r, n) == 0);
	a = sdr_repository_get(&list, ctx, kept, size);
	CU_ASSERT(a && a->count == 1 && strcmp(a->sensors[0].name, "CPU Temp") == 0);
	sdr_repository_put(&list, a);
	free(kept);
	CU_ASSERT(sdr_file_read(directory, &other, &size) == NULL);
	snprintf(path, sizeof(path), "%s/sdr/%016llx", directory, (unsigned long long)text_hash(key.guid, sizeof(key.guid)));
	FILE *f = fopen(path, "re");
	CU_ASSERT_FATAL(f != NULL);
	size_t all = fread(file, 1, sizeof(file), f);
	fclose(f);
	CU_ASSERT(sdr_file_check(file, all, &key, &size) != NULL && size == n);
	for (size_t i = 0; i < all; i++) { /* any byte changed, any end cut off: as if it were not there */
		uint8_t changed[512];
		memcpy(changed, file, all);
		changed[i] ^= 0x10;
		CU_ASSERT(sdr_file_check(changed, all, &key, &size) == NULL);
		CU_ASSERT(sdr_file_check(file, i, &key, &size) == NULL);
	}
	unlink(path);
	snprintf(command, sizeof(command), "%s/sdr", directory);
	CU_ASSERT(rmdir(command) == 0 && rmdir(directory) == 0); /* nothing else was left there */
	ipmi_sdr_ctx_destroy(ctx);
}

/* --- the files' worker: a named pipe that nobody reads holds whoever opens it, as a disk that stands still does ---- */

enum { LIMIT_MS = 20000, AT_ONCE_MS = 200 };

static void nap(void)
{
	struct timespec ms = {0, 5000000};

	nanosleep(&ms, NULL);
}

/* Asks for as long as the answer is this one; what it came to. */
static enum sdr_loading load_while(enum sdr_loading still, struct sdr_files *f, const struct sdr_key *key, struct sdr_load **l, int64_t *longest_ms)
{
	int64_t end = clock_mono_ms() + LIMIT_MS;
	enum sdr_loading is = still;

	while (is == still && clock_mono_ms() < end) {
		int64_t begun = clock_mono_ms();
		is = sdr_files_load(f, key, l);
		if (clock_mono_ms() - begun > *longest_ms)
			*longest_ms = clock_mono_ms() - begun;
		if (is == still)
			nap();
	}
	return is;
}

static enum sdr_loading load(struct sdr_files *f, const struct sdr_key *key, struct sdr_load **l, int64_t *longest_ms)
{
	return load_while(SDR_WAIT, f, key, l, longest_ms);
}

static bool loads(struct sdr_files *f, const struct sdr_key *key, const uint8_t *content, size_t size)
{
	struct sdr_load *l = NULL;
	int64_t longest = 0;
	size_t n = 0;
	bool good = load(f, key, &l, &longest) == SDR_LOADED;
	const uint8_t *got = good ? sdr_load_content(l, &n) : NULL;

	good = good && got && n == size && memcmp(got, content, size) == 0;
	sdr_load_end(&l);
	return good;
}

static struct sdr_key numbered(unsigned i)
{
	return (struct sdr_key){.manufacturer = 674, .records = 1, .guid = {(uint8_t)(i + 1), (uint8_t)(i >> 8)}};
}

static void path_of(char out[320], const char *directory, const struct sdr_key *key, const char *suffix)
{
	snprintf(out, 320, "%s/sdr/%016llx%s", directory, (unsigned long long)text_hash(key->guid, sizeof(key->guid)), suffix);
}

static void drain(const char *path)
{
	uint8_t bytes[512];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	CU_ASSERT_FATAL(fd >= 0);
	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
	close(fd);
}

static void test_disk_that_stands(void)
{
	char directory[] = "/tmp/glory-sdr-XXXXXX", path[320], folder[64];
	struct sdr_key first = numbered(0), key;
	struct sdr_load *l = NULL, *never = NULL;
	uint8_t r[128];
	size_t n = full_record(r, 7, 33, 0x01, 0, 1, "CPU Temp"), size;
	int64_t longest = 0;
	unsigned kept = 0;

	CU_ASSERT_FATAL(mkdtemp(directory) != NULL);
	snprintf(folder, sizeof(folder), "%s/sdr", directory);
	CU_ASSERT_FATAL(mkdir(folder, 0700) == 0);
	struct sdr_files *f = sdr_files_new(directory);
	/* without a worker: at once */
	key = numbered(1);
	CU_ASSERT(sdr_files_load(f, &key, &l) == SDR_LOADED && sdr_load_content(l, &size) == NULL);
	sdr_load_end(&l);
	CU_ASSERT_TRUE(sdr_files_save(f, &key, r, n));
	CU_ASSERT_TRUE(loads(f, &key, r, n));
	/* with one */
	CU_ASSERT_TRUE_FATAL(sdr_files_start(f));
	CU_ASSERT_TRUE(loads(f, &key, r, n));
	CU_ASSERT_FALSE(loads(f, &first, r, n)); /* there is none */
	path_of(path, directory, &first, ".new");
	CU_ASSERT_FATAL(mkfifo(path, 0600) == 0);
	int64_t begun = clock_mono_ms();
	CU_ASSERT_TRUE(sdr_files_save(f, &first, r, n));
	for (unsigned i = 1; i < 2 * SDR_SAVES_MAX; i++) {
		key = numbered(i);
		kept += sdr_files_save(f, &key, r, n);
	}
	CU_ASSERT_EQUAL(kept, SDR_SAVES_MAX - 1); /* a queue that ends */
	CU_ASSERT(clock_mono_ms() - begun < AT_ONCE_MS);
	key = numbered(1);
	CU_ASSERT_EQUAL(load(f, &key, &l, &longest), SDR_STALLED); /* there is a file, but who knows when it can be read */
	sdr_load_end(&l);
	CU_ASSERT_EQUAL(sdr_files_load(f, &key, &never), SDR_STALLED);
	CU_ASSERT_PTR_NULL(never); /* nothing gathers while it stands */
	CU_ASSERT(longest < AT_ONCE_MS);
	/* it goes on: what was taken is kept, also what was asked for and given up */
	drain(path);
	CU_ASSERT(load_while(SDR_STALLED, f, &key, &l, &longest) != SDR_STALLED); /* the worker sees that a moment later */
	sdr_load_end(&l);
	for (unsigned i = 1; i < SDR_SAVES_MAX; i++) {
		key = numbered(i);
		CU_ASSERT_TRUE(loads(f, &key, r, n));
	}
	key = numbered(2 * SDR_SAVES_MAX - 1);
	CU_ASSERT_FALSE(loads(f, &key, r, n));
	sdr_files_free(f);
	/* an end while it stands waits a second, not for ever; what was given before is written by an end that may */
	f = sdr_files_new(directory);
	CU_ASSERT_TRUE_FATAL(sdr_files_start(f));
	CU_ASSERT_TRUE(sdr_files_save(f, &key, r, n));
	sdr_files_free(f);
	f = sdr_files_new(directory);
	CU_ASSERT_TRUE(loads(f, &key, r, n));
	CU_ASSERT_TRUE_FATAL(sdr_files_start(f));
	path_of(path, directory, &first, "");
	unlink(path);
	CU_ASSERT_FATAL(mkfifo(path, 0600) == 0);
	CU_ASSERT_EQUAL(load(f, &first, &l, &longest), SDR_STALLED);
	sdr_load_end(&l);
	begun = clock_mono_ms();
	sdr_files_free(f);
	CU_ASSERT(clock_mono_ms() - begun >= 900 && clock_mono_ms() - begun < LIMIT_MS);
	CU_ASSERT(longest < AT_ONCE_MS);
	int fd = open(path, O_WRONLY | O_CLOEXEC); /* whoever was left behind ends */
	CU_ASSERT(fd >= 0);
	close(fd);
	for (unsigned i = 0; i < 2 * SDR_SAVES_MAX; i++) {
		key = numbered(i);
		path_of(path, directory, &key, "");
		unlink(path);
	}
	CU_ASSERT(rmdir(folder) == 0 && rmdir(directory) == 0);
}

/* --- a sweep --------------------------------------------------------------------------------------- */

static struct {
	struct fake_bmc bmc;
	struct bmc_engine *engine;
	struct address address;
	int64_t now;
	uint8_t pipe[4][1024];
	size_t size[4];
	unsigned piped, sweeps;
	struct msg_sensor set[16];
	size_t count;
} w;

static void on_send(void *arg, const struct address *to, const void *data, size_t size)
{
	(void)arg;
	(void)to;
	size_t n = w.piped < 4 ? fake_bmc_answer(&w.bmc, data, size, w.pipe[w.piped]) : 0;
	if (n)
		w.size[w.piped++] = n;
}

static void on_random(void *arg, void *out, size_t size)
{
	(void)arg;
	for (size_t i = 0; i < size; i++)
		((uint8_t *)out)[i] = (uint8_t)rand();
}

static void on_secret(void *arg, const char *name)
{
	(void)arg;
	(void)name;
}

static void on_power(void *arg, const struct msg_power_state *m)
{
	(void)arg;
	(void)m;
}

static void on_result(void *arg, const struct msg_power_result *m)
{
	(void)arg;
	(void)m;
}

static void on_facts(void *arg, const struct msg_bmc_facts *m)
{
	(void)arg;
	(void)m;
}

static void on_sensors(void *arg, const struct msg_sensor *m, size_t count)
{
	(void)arg;
	w.sweeps++;
	w.count = count < 16 ? count : 16;
	memcpy(w.set, m, w.count * sizeof(*m));
}

static void run(int64_t ms)
{
	for (int64_t end = w.now + ms; w.now < end; w.now++) {
		while (w.piped > 0) {
			uint8_t data[1024];
			w.piped--;
			memcpy(data, w.pipe[w.piped], w.size[w.piped]);
			bmc_engine_datagram(w.engine, &w.address, data, w.size[w.piped], w.now);
		}
		bmc_engine_tick(w.engine, w.now);
	}
}

static void no_sel(void *arg, const struct msg_sel_entry *m, size_t count)
{
	(void)arg;
	(void)m;
	(void)count;
}

static void no_sel_state(void *arg, const struct msg_sel_state *m)
{
	(void)arg;
	(void)m;
}

static void no_sel_cleared(void *arg, const struct msg_sel_cleared *m)
{
	(void)arg;
	(void)m;
}

static void no_pet(void *arg, const struct msg_sel_entry *m)
{
	(void)arg;
	(void)m;
}

static void no_fru(void *arg, const struct msg_fru *m)
{
	(void)arg;
	(void)m;
}

/* watts: what DCMI says; 0: the BMC does not know it, or nobody asks. */
static void sweep_of(unsigned chunk, int cancel, bool on, uint16_t watts)
{
	static const struct bmc_record_hands records_hands = {no_sel, no_sel_state, no_sel_cleared, no_pet, no_fru};
	size_t wanted = watts ? 4 : 3;
	static const uint8_t name[] = {0xc3, 'P', 'S', 'U'};
	struct bmc_hands hands = {on_send, on_random, on_secret, on_power, on_result, on_sensors, on_facts, NULL};
	struct bmc_settings settings = {.records = watts ? &records_hands : NULL};
	struct msg_bmc_target t = {.slot = 1,
				   .generation = 1,
				   .power_interval_s = 30,
				   .sensor_interval_s = 60,
				   .suite = 17,
				   .privilege = 2,
				   .name = "n1",
				   .credential = "bmc",
				   .user = "operator"};
	struct error error;
	uint8_t records[256];

	memset(&w, 0, sizeof(w));
	w.now = 5000;
	address_parse("10.0.0.1", 623, &w.address);
	t.address = w.address;
	fake_bmc_init(&w.bmc, true);
	size_t n = full_record(records, 1, 33, 0x01, 0, 1, "CPU Temp");
	n += compact_record(records + n, 2, 40, 0x08, 0x4f, 0, name, sizeof(name));
	n += compact_record(records + n, 3, 41, 0x08, 0x4f, 0, name, sizeof(name));
	w.bmc.records = records;
	w.bmc.records_size = n;
	w.bmc.chunk = chunk;
	w.bmc.cancel = cancel;
	w.bmc.on = on;
	w.bmc.dcmi_watts = watts;
	memcpy(w.bmc.reading[33], (uint8_t[]){91, 0xc0, 0xc0, 0x80}, 4);
	memcpy(w.bmc.reading[40], (uint8_t[]){0, 0xc0, 0x09, 0x80}, 4);
	memcpy(w.bmc.reading[41], (uint8_t[]){0, 0xe0, 0x09, 0x80}, 4);
	w.engine = bmc_engine_new(&settings, &hands, w.now);
	CU_ASSERT(bmc_engine_target(w.engine, &t, w.now, &error) == 0);
	CU_ASSERT(bmc_engine_secret(w.engine, "bmc", "password=secret", w.now, &error) == 0);
	run(10000);
	CU_ASSERT(w.sweeps >= 1 && w.count == wanted);
	CU_ASSERT(w.set[0].state == (on ? SENSOR_FINDING : SENSOR_NOT_JUDGED));
	CU_ASSERT(on == (w.set[0].level == LEVEL_MAJOR) && w.set[0].reading == 91 && w.set[0].critical_high == 90);
	CU_ASSERT(w.set[1].state == SENSOR_FINDING && strcmp(w.set[1].name, "PSU") == 0 && w.set[1].bits == 9);
	CU_ASSERT(w.set[2].state == SENSOR_NOT_READABLE && w.set[wanted - 1].last == 1 && w.set[1].last == 0);
	if (watts)
		CU_ASSERT(w.set[3].reading == watts && strcmp(w.set[3].unit, "W") == 0 &&
			  strcmp(w.set[3].name, "DCMI Power") == 0 && w.set[3].state == SENSOR_NOMINAL);
	unsigned asked = w.bmc.seen[FAKE_COMMAND];
	run(60000); /* the records are known: info, chassis and three readings, and the thresholds not again */
	CU_ASSERT(w.sweeps == 2 && w.bmc.seen[FAKE_COMMAND] - asked <= 5 + 3 + (watts ? 1 : 0));
	bmc_engine_free(w.engine);
}

static void sweep_with(unsigned chunk, int cancel, bool on)
{
	sweep_of(chunk, cancel, on, 0);
}

static void test_dcmi(void)
{
	sweep_of(0, 0, true, 312);
	sweep_of(0, 0, false, 12);
}

static void test_sweep(void)
{
	sweep_with(0, 0, true);
	sweep_with(0, 0, false);
}

static void test_sweep_small_parts(void)
{
	sweep_with(16, 0, true);
	sweep_with(8, 0, true);
}

static void test_sweep_cancelled(void)
{
	sweep_with(0, 5, true);
}

static const struct unit_test tests[] = {
    {"states", test_states},
    {"all states", test_all_states_are_total},
    {"thresholds", test_thresholds},
    {"not readable", test_not_readable},
    {"records", test_records},
    {"files", test_files},
    {"a disk that stands", test_disk_that_stands},
    {"sweep", test_sweep},
    {"power by DCMI", test_dcmi},
    {"sweep in small parts", test_sweep_small_parts},
    {"sweep with cancelled reservations", test_sweep_cancelled},
};
UNIT_MAIN("bmc sensors", tests)
