/* SPDX-License-Identifier: GPL-3.0-or-later */
/* History of services: what is announced and when, what a row holds, a slot that becomes another service's, a new recorder, a picture. */
#include <unistd.h>

#include "base/clock.h"

static int64_t now_ms, mono_ms;
#define clock_wall_ms() now_ms
#define clock_mono_ms() mono_ms

#include "engine/average.c"
#include "engine/services_series.c"

#include "tests/unit/unit.h"

static struct engine engine;
static struct msg_series announced;
static unsigned announcements;

void engine_send(struct engine *e, enum role role, uint16_t type, const void *body, size_t size)
{
	(void)e;
	CU_ASSERT_EQUAL(role, ROLE_RECORDER);
	CU_ASSERT_EQUAL(type, MSG_SERIES_ADD);
	CU_ASSERT_EQUAL_FATAL(size, sizeof announced);
	memcpy(&announced, body, size);
	announcements++;
}

static void begin_all(bool recorder)
{
	memset(&engine, 0, sizeof engine);
	engine.ring = ring_create(1 << 20);
	engine.roles[ROLE_RECORDER].channel = recorder ? (struct channel *)&engine : NULL;
	text_copy(engine.model.wanted.site, sizeof engine.model.wanted.site, "demo");
	announcements = 0;
	now_ms = INT64_C(1800000000000);
}

static void end_all(void)
{
	for (uint32_t i = 0; i < SERVICES_MAX; i++)
		services_record_gone(&engine, i);
	free(engine.service_series);
	ring_free(engine.ring);
}

static struct service_row row_of(const char *name, uint32_t wanted)
{
	struct service_row row = {.wanted = wanted, .in_service = wanted - 1, .utilisation = 0.5, .connections = 70,
				  .requests_per_second = 12.5, .bytes_per_second = (double)NAN};

	text_copy(row.name, sizeof row.name, name);
	return row;
}

static void record_for(const char *name, uint32_t slot, uint32_t wanted, int seconds)
{
	struct service_row row = row_of(name, wanted);

	for (int i = 0; i < seconds; i += 10, now_ms += 10000)
		services_record(&engine, slot, &row);
}

/* Rows of one series, the last of them in *last. */
static unsigned rows_of(uint32_t series, double last[SOURCES])
{
	struct ring *reader = ring_map(dup(ring_fd(engine.ring)), 1);
	const struct ring_row *row;
	unsigned rows = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(reader);
	while ((row = ring_next(reader)))
		if (row->series == series) {
			CU_ASSERT_EQUAL(row->count, SOURCES);
			CU_ASSERT_EQUAL(row->time_s % 10, 0);
			memcpy(last, row->values, SOURCES * sizeof *last);
			rows++;
		}
	ring_free(reader);
	return rows;
}

static void test_rows(void)
{
	double last[SOURCES] = {0};

	begin_all(true);
	record_for("web", 3, 5, 100);
	CU_ASSERT_EQUAL(announcements, 1);
	CU_ASSERT_STRING_EQUAL(announced.group, "_service");
	CU_ASSERT_STRING_EQUAL(announced.node, "web");
	CU_ASSERT_STRING_EQUAL(announced.source, "service");
	CU_ASSERT_STRING_EQUAL(announced.file, "base");
	CU_ASSERT_STRING_EQUAL(announced.site, "demo");
	CU_ASSERT_EQUAL(announced.slot, SERIES_SERVICE + 3);
	CU_ASSERT_EQUAL(announced.count, SOURCES);
	CU_ASSERT_STRING_EQUAL(announced.names[0], "wanted");
	CU_ASSERT_STRING_EQUAL(announced.names[5], "bytes");
	CU_ASSERT_EQUAL(rows_of(announced.series, last), 9); /* the step that runs is not closed */
	CU_ASSERT_EQUAL(last[0], 5);
	CU_ASSERT_EQUAL(last[1], 4);
	CU_ASSERT_EQUAL(last[2], 50);
	CU_ASSERT_EQUAL(last[3], 70);
	CU_ASSERT_EQUAL(last[4], 12.5);
	CU_ASSERT_TRUE(isnan(last[5]));
	/* a picture is wanted: the step that has ended goes too */
	uint32_t slot = 0;
	CU_ASSERT_TRUE(services_series_flush(&engine, "web", &slot));
	CU_ASSERT_EQUAL(slot, SERIES_SERVICE + 3);
	CU_ASSERT_EQUAL(rows_of(announced.series, last), 10);
	CU_ASSERT_FALSE(services_series_flush(&engine, "other", &slot));
	CU_ASSERT_FALSE(services_series_flush(&engine, "", &slot));
	end_all();
}

static void test_another(void)
{
	double last[SOURCES] = {0};

	begin_all(true);
	record_for("web", 3, 5, 30);
	uint32_t first = announced.series;
	record_for("mail", 3, 9, 30); /* the slot was given anew */
	CU_ASSERT_EQUAL(announcements, 2);
	CU_ASSERT_STRING_EQUAL(announced.node, "mail");
	CU_ASSERT_NOT_EQUAL(announced.series, first);
	CU_ASSERT_EQUAL(rows_of(announced.series, last), 2);
	CU_ASSERT_EQUAL(last[0], 9);
	rows_of(first, last);
	CU_ASSERT_EQUAL(last[0], 5); /* nothing of the new one is in the old one's file */
	services_record(&engine, SERVICES_MAX, &(struct service_row){.name = "x"});
	services_record(&engine, 4, &(struct service_row){.name = ""});
	CU_ASSERT_EQUAL(announcements, 2);
	end_all();
}

static void test_new_recorder(void)
{
	double last[SOURCES];

	begin_all(false);
	record_for("web", 0, 2, 30);
	CU_ASSERT_EQUAL(announcements, 0);
	engine.roles[ROLE_RECORDER].channel = (struct channel *)&engine;
	record_for("web", 0, 2, 30);
	CU_ASSERT_EQUAL(announcements, 1);
	services_series_forget(&engine);
	record_for("web", 0, 3, 30);
	CU_ASSERT_EQUAL(announcements, 2);
	CU_ASSERT(rows_of(announced.series, last) >= 2);
	CU_ASSERT_EQUAL(last[0], 3);
	end_all();
}

/* A tick each second, a little early or late, and three events behind each. */
static void tick_for(const char *name, uint32_t slot, int seconds)
{
	for (int i = 0; i < seconds; i++, now_ms += 1000, mono_ms += 1000) {
		struct service_row row = row_of(name, (uint32_t)i + 1), event = row_of(name, 9999);
		now_ms += i % 2 ? 40 : -40;
		services_record(&engine, slot, &row);
		for (int k = 0; k < 3; k++) {
			now_ms += 200;
			services_record(&engine, slot, &event);
		}
		now_ms -= 600 + (i % 2 ? 40 : -40);
	}
}

/* Two minutes second by second, ten while somebody looks, and no more for what events bring. */
static void test_newest(void)
{
	const struct recent *r;
	unsigned column;
	double value;

	begin_all(true);
	mono_ms = 1000;
	CU_ASSERT_PTR_NULL(services_series_recent(&engine, "web", "wanted", &column));
	tick_for("web", 7, 300);
	CU_ASSERT_PTR_NULL(services_series_recent(&engine, "mail", "wanted", &column));
	CU_ASSERT_PTR_NULL(services_series_recent(&engine, "", "wanted", &column));
	CU_ASSERT_PTR_NULL(services_series_recent(&engine, "web", "cpu", &column));
	r = services_series_recent(&engine, "web", "ready", &column);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	unsigned count = recent_count(r);
	CU_ASSERT(count == RECENT_SPAN_S || count == RECENT_SPAN_S + 1);
	for (unsigned i = 0; i < count; i++) {
		int64_t at = recent_at(r, i, column, &value);
		CU_ASSERT_EQUAL(value, 300 - (int)(count - i)); /* ready is one less than wanted */
		CU_ASSERT(llabs(at - (now_ms - (int64_t)(count - i) * 1000)) <= 40);
	}
	CU_ASSERT(recent_bytes(r) <= (RECENT_SPAN_S + 1) * 16);
	/* it is looked at: ten minutes gather, and stay until nobody has looked for a while */
	tick_for("web", 7, 900);
	r = services_series_recent(&engine, "web", "ready", &column);
	count = recent_count(r);
	CU_ASSERT(count == RECENT_LOOKED_S || count == RECENT_LOOKED_S + 1);
	mono_ms += SERIES_LOOKED_MS;
	services_series_unlook(&engine);
	tick_for("web", 7, 1);
	CU_ASSERT(recent_count(r) >= RECENT_LOOKED_S);
	services_series_unlook(&engine);
	tick_for("web", 7, 1);
	CU_ASSERT(recent_count(r) <= RECENT_SPAN_S + 1);
	/* another service in the slot has nothing of it */
	tick_for("mail", 7, 5);
	CU_ASSERT_PTR_NULL(services_series_recent(&engine, "web", "ready", &column));
	r = services_series_recent(&engine, "mail", "bytes", &column);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	CU_ASSERT_EQUAL(recent_count(r), 5);
	recent_at(r, 4, column, &value);
	CU_ASSERT_TRUE(isnan(value));
	end_all();
}

static void test_items(void)
{
	const char *unit, *label;
	struct error err;

	CU_ASSERT_EQUAL(services_series_find("cpu", &unit, &label, &err), ERR_NOT_FOUND);
	for (size_t i = 0; i < SOURCES; i++) {
		CU_ASSERT_EQUAL(services_series_find(sources[i].name, &unit, &label, NULL), 0);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.remedy, sources[i].name));
	}
	CU_ASSERT_EQUAL(services_series_find("", &unit, &label, &err), ERR_NOT_FOUND);
}

static const struct unit_test tests[] = {
	{"rows", test_rows},
	{"another service in the slot", test_another},
	{"a new recorder", test_new_recorder},
	{"newest values", test_newest},
	{"items", test_items},
};
UNIT_MAIN("services series", tests)
