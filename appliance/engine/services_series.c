/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The series of services into the recorder's ring; see services_series.h. */
#include "engine/services_series.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

/* Data sources of the file, in order. */
static const struct {
	const char *name, *unit, *label;
} sources[] = {
	{"wanted", "members", "members wanted"},	{"ready", "members", "members in service"},
	{"utilisation", "percent", "utilisation"},	{"connections", "", "connections"},
	{"requests", "1/s", "requests"},		{"bytes", "B/s", "bytes"},
};
#define SOURCES COUNT_OF(sources)
#define POINT_MS 900 /* a tick that comes a little early is one, what an event brings between two ticks is none */
#define ITEMS_REMEDY "ask for wanted, ready, utilisation, connections, requests, bytes"

struct service_series {
	struct average average;
	int64_t recorded_ms;     /* wall clock of the newest point; 0 none */
	int64_t looked_until_ms; /* monotonic; 0: nobody looks */
	char name[NAME_SIZE]; /* "" none */
};

static struct service_series *series_at(struct engine *e, uint32_t slot)
{
	if (!e->service_series)
		e->service_series = mem_array(SERVICES_MAX, sizeof *e->service_series);
	return &e->service_series[slot];
}

static void begin(struct service_series *s, const char *name)
{
	average_free(&s->average);
	memset(s, 0, sizeof *s);
	text_copy(s->name, sizeof s->name, name);
}

static void announce(struct engine *e, uint32_t slot, struct service_series *s)
{
	struct msg_series m = {.slot = SERIES_SERVICE + slot, .step_s = STEP_S, .group = "_service", .source = "service", .file = "base"};

	if (s->average.series || !e->roles[ROLE_RECORDER].channel)
		return;
	m.series = ++e->series_next;
	text_copy(m.site, sizeof m.site, e->model.wanted.site);
	text_copy(m.node, sizeof m.node, s->name);
	for (size_t i = 0; i < SOURCES; i++)
		text_copy(m.names[m.count++], sizeof m.names[0], sources[i].name);
	s->average.series = m.series;
	engine_send(e, ROLE_RECORDER, MSG_SERIES_ADD, &m, sizeof m);
}

void services_record(struct engine *e, uint32_t slot, const struct service_row *row)
{
	const double values[SOURCES] = {row->wanted, row->in_service, row->utilisation * 100, (double)row->connections,
					row->requests_per_second, row->bytes_per_second};

	if (slot >= SERVICES_MAX || !row->name[0])
		return;
	struct service_series *s = series_at(e, slot);
	if (strcmp(s->name, row->name) != 0)
		begin(s, row->name);
	announce(e, slot, s);
	int64_t now = clock_wall_ms();
	if (s->recorded_ms && now >= s->recorded_ms && now - s->recorded_ms < POINT_MS)
		return;
	s->recorded_ms = now;
	average_add(e, &s->average, SOURCES, STEP_S, values, now);
}

void services_record_gone(struct engine *e, uint32_t slot)
{
	if (e->service_series && slot < SERVICES_MAX)
		begin(&e->service_series[slot], "");
}

void services_series_forget(struct engine *e)
{
	for (uint32_t i = 0; e->service_series && i < SERVICES_MAX; i++)
		e->service_series[i].average.series = 0;
}

static struct service_series *find(struct engine *e, const char *name)
{
	for (uint32_t i = 0; e->service_series && name[0] && i < SERVICES_MAX; i++)
		if (!strcmp(e->service_series[i].name, name))
			return &e->service_series[i];
	return NULL;
}

bool services_series_flush(struct engine *e, const char *name, uint32_t *series_slot)
{
	struct service_series *s = find(e, name);

	if (!s)
		return false;
	average_close_past(e, &s->average, SOURCES, STEP_S, clock_wall_ms() / 1000);
	*series_slot = SERIES_SERVICE + (uint32_t)(s - e->service_series);
	return true;
}

static unsigned column_of(const char *item)
{
	unsigned i = 0;

	while (i < SOURCES && strcmp(sources[i].name, item) != 0)
		i++;
	return i;
}

const struct recent *services_series_recent(struct engine *e, const char *name, const char *item, unsigned *column)
{
	struct service_series *s = find(e, name);

	*column = column_of(item);
	if (!s || *column == SOURCES)
		return NULL;
	s->looked_until_ms = clock_mono_ms() + SERIES_LOOKED_MS;
	recent_look(&s->average.recent, RECENT_LOOKED_S);
	return &s->average.recent;
}

void services_series_unlook(struct engine *e)
{
	int64_t now = clock_mono_ms();

	for (uint32_t i = 0; e->service_series && i < SERVICES_MAX; i++) {
		struct service_series *s = &e->service_series[i];
		if (!s->looked_until_ms || s->looked_until_ms >= now)
			continue;
		s->looked_until_ms = 0;
		recent_look(&s->average.recent, RECENT_SPAN_S);
	}
}

int services_series_find(const char *item, const char **unit, const char **label, struct error *err)
{
	unsigned i = column_of(item);

	if (i == SOURCES)
		return error_set(err, ERR_NOT_FOUND, item, ITEMS_REMEDY, "services have no such item");
	*unit = sources[i].unit;
	*label = sources[i].label;
	return 0;
}
