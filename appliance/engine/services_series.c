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
const char *const services_series_items = "wanted, ready, utilisation, connections, requests, bytes";

struct service_series {
	struct average average;
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
	average_add(e, &s->average, SOURCES, STEP_S, values, clock_wall_ms());
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

bool services_series_flush(struct engine *e, const char *name, uint32_t *series_slot)
{
	for (uint32_t i = 0; e->service_series && i < SERVICES_MAX; i++) {
		struct service_series *s = &e->service_series[i];
		if (!name[0] || strcmp(s->name, name) != 0)
			continue;
		average_close_past(e, &s->average, SOURCES, STEP_S, clock_wall_ms() / 1000);
		*series_slot = SERIES_SERVICE + i;
		return true;
	}
	return false;
}

bool services_series_find(const char *item, const char **unit, const char **label)
{
	for (size_t i = 0; i < SOURCES; i++)
		if (!strcmp(sources[i].name, item)) {
			*unit = sources[i].unit;
			*label = sources[i].label;
			return true;
		}
	return false;
}
