/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Levels of values; see levels.h. */
#include "monitor/levels.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "monitor/items.h"
#include "monitor/level_memory.h"

#define FORECAST_ENDS 1.25
#define DEVIATION_ENDS 0.75

/* What a row sees in a sample. */
struct sight {
	bool judged, beyond, well;
	double figure;
};

static struct sight see_number(const struct config_threshold *t, double x)
{
	return (struct sight){.judged = !isnan(x), .figure = x, .beyond = t->above ? x >= t->value : x <= t->value,
			      .well = t->above ? x < t->clear : x > t->clear};
}

static struct sight see_deviation(const struct config_threshold *t, const struct baseline *b, const struct level_sample *s)
{
	double usual, deviation, off;

	if (!b || !baseline_usual(b, s->wall_ms, &usual, &deviation))
		return (struct sight){.figure = NAN};
	off = t->above ? s->value - usual : usual - s->value;
	return (struct sight){.judged = true, .figure = usual, .beyond = off >= t->value && off >= t->deviations * deviation,
			      .well = off < t->clear || off < DEVIATION_ENDS * t->deviations * deviation};
}

static struct sight see_forecast(const struct config_threshold *t, const struct forecast *f, const struct level_sample *s)
{
	bool reached = t->above ? s->value >= t->value : s->value <= t->value;
	struct sight seen = {.judged = true, .figure = NAN, .beyond = reached};

	if (!f)
		return (struct sight){.figure = NAN};
	double seconds = reached ? 0 : forecast_seconds(f, t->above, t->value);
	if (isfinite(seconds))
		seen.figure = seconds;
	seen.beyond = seconds <= t->within_s;
	/* what fits no line any more says nothing, but what goes the other way has ended */
	seen.well = !reached && (f->believed ? seconds > FORECAST_ENDS * t->within_s
					    : t->above ? f->newer_slope <= 0 : f->newer_slope >= 0);
	return seen;
}

static struct sight see(const struct config_threshold *t, struct level_memory *memory, const struct level_sample *s)
{
	const struct trail *trail;

	switch ((enum threshold_kind)t->kind) {
	case THRESHOLD_VALUE:
		return see_number(t, s->value);
	case THRESHOLD_RATE:
		trail = level_memory_trail(memory, t->window_s);
		return see_number(t, trail ? trail_rate(trail) * t->per_s : NAN);
	case THRESHOLD_FORECAST:
		return see_forecast(t, level_memory_forecast(memory, t->window_s), s);
	case THRESHOLD_DEVIATION:
		return see_deviation(t, level_memory_baseline(memory), s);
	default:
		return (struct sight){.judged = true, .well = true, .figure = NAN};
	}
}

static void judge_row(const struct level_rules *rules, unsigned i, struct level_state *state, const struct sight *seen)
{
	const struct config_threshold *t = &rules->rule[i];
	uint32_t mask = t->in >= 32 ? ~0u : (1u << t->in) - 1;

	state->window[i] = state->window[i] << 1 | seen->beyond;
	if (__builtin_popcount(state->window[i] & mask) >= t->of && seen->beyond)
		state->inside |= (uint8_t)(1u << i);
	else if (seen->well)
		state->inside &= (uint8_t)~(1u << i);
}

static void worst_of(enum level *worst, struct level_seen *seen, const struct config_threshold *t, double figure)
{
	if (t->level <= *worst)
		return;
	*worst = (enum level)t->level;
	if (seen)
		*seen = (struct level_seen){t, figure};
}

/* Without a value only the rows of kind no-data can say anything. */
static enum level judge_silence(const struct level_rules *rules, struct level_state *state, int64_t quiet_ms, struct level_seen *seen)
{
	enum level worst = LEVEL_UNKNOWN;

	for (unsigned i = 0; i < rules->count; i++) {
		const struct config_threshold *t = &rules->rule[i];
		if (t->kind != THRESHOLD_NO_DATA || quiet_ms < (int64_t)t->window_s * 1000)
			continue;
		state->inside |= (uint8_t)(1u << i);
		worst_of(&worst, seen, t, (double)quiet_ms / 1000);
	}
	return worst;
}

enum level level_judge(const struct level_rules *rules, struct level_state *state, struct level_memory *memory,
		       const struct level_sample *sample, struct level_seen *seen)
{
	enum level worst = LEVEL_NORMAL;

	if (seen)
		*seen = (struct level_seen){NULL, NAN};
	if (isnan(sample->value)) {
		worst = judge_silence(rules, state, sample->quiet_ms, seen);
		state->level = (uint8_t)worst;
		return worst;
	}
	if (memory)
		level_memory_take(memory, rules, sample->value, sample->wall_ms);
	for (unsigned i = 0; i < rules->count; i++) {
		struct sight s = see(&rules->rule[i], memory, sample);
		if (s.judged)
			judge_row(rules, i, state, &s);
		if (state->inside >> i & 1)
			worst_of(&worst, seen, &rules->rule[i], s.figure);
	}
	state->level = (uint8_t)worst;
	return worst;
}

bool level_remembers(const struct level_rules *rules)
{
	for (unsigned i = 0; i < rules->count; i++)
		if (rules->rule[i].kind != THRESHOLD_VALUE)
			return true;
	return false;
}

int64_t level_no_data_ms(const struct level_rules *rules)
{
	int64_t least = 0;

	for (unsigned i = 0; i < rules->count; i++) {
		int64_t window = (int64_t)rules->rule[i].window_s * 1000;
		if (rules->rule[i].kind == THRESHOLD_NO_DATA && (!least || window < least))
			least = window;
	}
	return least;
}

/* --- words --------------------------------------------------------------------------------------------- */
static void say_time(double seconds, char *out, size_t size)
{
	int64_t s = seconds < 4e9 ? (int64_t)seconds : (int64_t)4e9, d = s / 86400, h = s / 3600 % 24, m = s / 60 % 60;

	if (d)
		text_format(out, size, "%d d %d h", (int)d, (int)h);
	else if (h)
		text_format(out, size, "%d h %d min", (int)h, (int)m);
	else
		text_format(out, size, m ? "%d min" : "%d s", m ? (int)m : (int)s);
}

static const char *per_word(uint32_t seconds)
{
	return seconds == 60 ? "minute" : seconds == 3600 ? "hour" : seconds == 86400 ? "day" : "s";
}

void level_reason(const struct level_seen *seen, char *text, size_t size)
{
	const struct config_threshold *t = seen->rule;
	size_t used = strlen(text);
	char time[32];

	if (!t || isnan(seen->figure))
		return;
	switch ((enum threshold_kind)t->kind) {
	case THRESHOLD_RATE:
		text_append(text, size, &used, ", %+.3g per %s", seen->figure, per_word(t->per_s));
		break;
	case THRESHOLD_NO_DATA:
		say_time(seen->figure, time, sizeof time);
		text_append(text, size, &used, ", none for %s", time);
		break;
	case THRESHOLD_FORECAST:
		say_time(seen->figure, time, sizeof time);
		if (t->above && t->value >= 100 && t->value <= 100)
			text_append(text, size, &used, seen->figure < 1 ? ", full" : ", full in %s", time);
		else
			text_append(text, size, &used, ", %.4g in %s", t->value, time);
		break;
	case THRESHOLD_DEVIATION:
		text_append(text, size, &used, ", usually %.3g", seen->figure);
		break;
	default:
		break;
	}
}

/* --- the built-in rows --------------------------------------------------------------------------------- */
#define ABOVE(l, n, m, v, c) {.level = l, .above = 1, .of = n, .in = m, .value = v, .clear = c}
#define FORECAST(l, v, window, ahead) \
	{.level = l, .above = 1, .of = 1, .in = 1, .kind = THRESHOLD_FORECAST, .value = v, .clear = v, .window_s = window, .within_s = ahead}
#define DAY_S 86400
static const struct {
	unsigned item;
	struct level_rules rules;
} builtin[] = {
	{ITEM_DISK_FILL, {5, {ABOVE(LEVEL_WARNING, 3, 5, 85, 80), ABOVE(LEVEL_MAJOR, 3, 5, 92, 90), ABOVE(LEVEL_CRITICAL, 3, 5, 97, 95),
			      FORECAST(LEVEL_WARNING, 100, 21600, 3 * DAY_S), FORECAST(LEVEL_MAJOR, 100, 21600, DAY_S)}}},
	{ITEM_CPU, {1, {ABOVE(LEVEL_WARNING, 15, 20, 95, 85)}}},
	{ITEM_CPU_IOWAIT, {1, {ABOVE(LEVEL_WARNING, 15, 20, 40, 25)}}},
	{ITEM_CPU_STEAL, {1, {ABOVE(LEVEL_WARNING, 15, 20, 20, 10)}}},
	{ITEM_MEM, {2, {ABOVE(LEVEL_WARNING, 6, 10, 92, 88), ABOVE(LEVEL_MAJOR, 6, 10, 97, 94)}}},
	{ITEM_SWAP, {2, {ABOVE(LEVEL_WARNING, 6, 10, 50, 40), ABOVE(LEVEL_MAJOR, 6, 10, 90, 80)}}},
	{ITEM_DISK_BUSY, {1, {ABOVE(LEVEL_WARNING, 15, 20, 95, 85)}}},
	{ITEM_IF_ERRORS, {1, {ABOVE(LEVEL_WARNING, 6, 10, 1, 0.1)}}},
	{ITEM_IF_DISCARDS, {1, {ABOVE(LEVEL_WARNING, 6, 10, 10, 1)}}},
};

const struct level_rules *level_builtin(unsigned item)
{
	static const struct level_rules none;

	for (unsigned i = 0; i < COUNT_OF(builtin); i++)
		if (builtin[i].item == item)
			return &builtin[i].rules;
	return &none;
}
