/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The past of one value; see level_memory.h. */
#include "monitor/level_memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct level_memory {
	uint32_t window_s[LEVEL_RULES]; /* of each trail */
	uint32_t trails;
	struct trail *trail[LEVEL_RULES];
	struct fitted {
		int64_t step;
		struct forecast line;
	} *fitted[LEVEL_RULES]; /* NULL: no row asks for it */
	struct baseline *baseline;
};

struct saved {
	uint32_t trails, baseline;
	uint32_t window_s[LEVEL_RULES];
};

struct level_memory *level_memory_new(void)
{
	return mem_zalloc(sizeof(struct level_memory));
}

void level_memory_free(struct level_memory *m)
{
	for (uint32_t i = 0; m && i < m->trails; i++) {
		free(m->trail[i]);
		free(m->fitted[i]);
	}
	if (m)
		free(m->baseline);
	free(m);
}

size_t level_memory_bytes(const struct level_memory *m)
{
	size_t bytes = sizeof *m + m->trails * sizeof(struct trail) + (m->baseline ? sizeof(struct baseline) : 0);

	for (uint32_t i = 0; i < m->trails; i++)
		bytes += m->fitted[i] ? sizeof(struct fitted) : 0;
	return bytes;
}

static uint32_t trail_window(const struct config_threshold *t)
{
	return t->kind == THRESHOLD_RATE || t->kind == THRESHOLD_FORECAST ? t->window_s : 0;
}

static bool wanted(const struct level_rules *rules, uint32_t window_s)
{
	for (unsigned i = 0; i < rules->count; i++)
		if (trail_window(&rules->rule[i]) == window_s)
			return true;
	return false;
}

static uint32_t place(const struct level_memory *m, uint32_t window_s)
{
	uint32_t i = 0;

	while (i < m->trails && m->window_s[i] != window_s)
		i++;
	return i;
}

const struct trail *level_memory_trail(const struct level_memory *m, uint32_t window_s)
{
	uint32_t i = m ? place(m, window_s) : 0;

	return m && i < m->trails ? m->trail[i] : NULL;
}

const struct forecast *level_memory_forecast(struct level_memory *m, uint32_t window_s)
{
	uint32_t i = m ? place(m, window_s) : 0;

	if (!m || i == m->trails)
		return NULL;
	if (!m->fitted[i])
		m->fitted[i] = mem_zalloc(sizeof *m->fitted[i]);
	if (m->fitted[i]->step != m->trail[i]->newest) {
		m->fitted[i]->step = m->trail[i]->newest;
		forecast_fit(m->trail[i], &m->fitted[i]->line);
	}
	return &m->fitted[i]->line;
}

const struct baseline *level_memory_baseline(const struct level_memory *m)
{
	return m ? m->baseline : NULL;
}

static void fit_to(struct level_memory *m, const struct level_rules *rules)
{
	bool usual = false;

	for (uint32_t i = 0; i < m->trails;) {
		if (wanted(rules, m->window_s[i])) {
			i++;
			continue;
		}
		free(m->trail[i]);
		free(m->fitted[i]);
		m->trail[i] = m->trail[--m->trails];
		m->fitted[i] = m->fitted[m->trails];
		m->window_s[i] = m->window_s[m->trails];
	}
	for (unsigned i = 0; i < rules->count; i++) {
		uint32_t window_s = trail_window(&rules->rule[i]);
		usual |= rules->rule[i].kind == THRESHOLD_DEVIATION;
		if (!window_s || place(m, window_s) < m->trails)
			continue;
		m->fitted[m->trails] = NULL;
		m->window_s[m->trails] = window_s;
		m->trail[m->trails] = mem_zalloc(sizeof(struct trail));
		trail_begin(m->trail[m->trails++], window_s);
	}
	if (usual && !m->baseline)
		m->baseline = mem_zalloc(sizeof *m->baseline);
	if (usual)
		return;
	free(m->baseline);
	m->baseline = NULL;
}

void level_memory_take(struct level_memory *m, const struct level_rules *rules, double value, int64_t wall_ms)
{
	fit_to(m, rules);
	for (uint32_t i = 0; i < m->trails; i++)
		trail_add(m->trail[i], value, wall_ms);
	if (m->baseline)
		baseline_add(m->baseline, value, wall_ms);
}

size_t level_memory_saved(const struct level_memory *m)
{
	return sizeof(struct saved) + m->trails * sizeof(struct trail) + (m->baseline ? sizeof(struct baseline) : 0);
}

void level_memory_save(const struct level_memory *m, void *out)
{
	struct saved head = {.trails = m->trails, .baseline = m->baseline != NULL};
	char *at = (char *)out + sizeof head;

	memcpy(head.window_s, m->window_s, sizeof head.window_s);
	memcpy(out, &head, sizeof head);
	for (uint32_t i = 0; i < m->trails; i++, at += sizeof(struct trail))
		memcpy(at, m->trail[i], sizeof(struct trail));
	if (m->baseline)
		memcpy(at, m->baseline, sizeof *m->baseline);
}

/* Numbers of a file: none may send an index or a time astray. */
static bool sound(const struct level_memory *m)
{
	const int64_t last_step = INT64_MAX / 4;

	for (uint32_t i = 0; i < m->trails; i++) {
		struct trail begun;
		trail_begin(&begun, m->window_s[i]);
		if (m->window_s[i] == 0 || m->trail[i]->step_ms != begun.step_ms || m->trail[i]->newest < 0 || m->trail[i]->newest > last_step)
			return false;
	}
	return !m->baseline || (m->baseline->hour >= 0 && m->baseline->hour < last_step && m->baseline->first_ms >= 0 &&
				m->baseline->last_ms >= m->baseline->first_ms && (m->baseline->samples || !m->baseline->hour));
}

struct level_memory *level_memory_load(const void *bytes, size_t size)
{
	const char *at = (const char *)bytes + sizeof(struct saved);
	struct saved head;
	struct level_memory *m;

	if (size < sizeof head)
		return NULL;
	memcpy(&head, bytes, sizeof head);
	if (head.trails > LEVEL_RULES || head.baseline > 1 ||
	    size != sizeof head + head.trails * sizeof(struct trail) + head.baseline * sizeof(struct baseline))
		return NULL;
	m = level_memory_new();
	for (; m->trails < head.trails; m->trails++, at += sizeof(struct trail)) {
		m->window_s[m->trails] = head.window_s[m->trails];
		m->trail[m->trails] = mem_zalloc(sizeof(struct trail));
		memcpy(m->trail[m->trails], at, sizeof(struct trail));
	}
	if (head.baseline) {
		m->baseline = mem_zalloc(sizeof *m->baseline);
		memcpy(m->baseline, at, sizeof *m->baseline);
	}
	if (sound(m))
		return m;
	level_memory_free(m);
	return NULL;
}
