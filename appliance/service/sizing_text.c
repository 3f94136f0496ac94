/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The state of the sizing rule as text for the store and back: "s1", a checksum, and the fields of the table below in base64, little-endian.
 * What comes back is checked field by field; a state that no step leaves behind is refused. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "service/sizing.h"

enum kind { WORD, TIME, REAL, SMALL };     /* uint32_t, int64_t, double, float */
enum { MAY_BE_UNKNOWN = 1 };
static const uint8_t width[] = {4, 8, 8, 4};

#define TIME_MAX 4e11 /* the year 14,600 */
#define LOAD_MAX 1e9
#define FIELD(kind, member, low, high, flags) {kind, flags, offsetof(struct sizing_state, member), sizeof(((struct sizing_state *)0)->member), low, high}
static const struct field {
	uint8_t kind, flags;
	uint16_t offset, size;
	double low, high;
} fields[] = {
	FIELD(TIME, now_s, 0, TIME_MAX, 0),
	FIELD(TIME, begun_s, -TIME_MAX, TIME_MAX, 0),
	FIELD(TIME, known_since_s, -TIME_MAX, TIME_MAX, 0),
	FIELD(TIME, unknown_since_s, -TIME_MAX, TIME_MAX, 0),
	FIELD(TIME, doubt_since_s, -TIME_MAX, TIME_MAX, 0),
	FIELD(TIME, changed_s, -TIME_MAX, TIME_MAX, 0),
	FIELD(TIME, emergency_s, -TIME_MAX, TIME_MAX, 0),
	FIELD(TIME, hour_s, -TIME_MAX, TIME_MAX, 0),
	FIELD(TIME, bin, 0, TIME_MAX / 300, 0),
	FIELD(TIME, planned, -TIME_MAX, TIME_MAX, 0),
	FIELD(TIME, urgent, -TIME_MAX, TIME_MAX, 0),
	FIELD(REAL, cost, 0, LOAD_MAX, 0),
	FIELD(REAL, fast, 0, LOAD_MAX, MAY_BE_UNKNOWN),
	FIELD(REAL, level, 0, LOAD_MAX, MAY_BE_UNKNOWN),
	FIELD(REAL, trend, -LOAD_MAX, LOAD_MAX, 0),
	FIELD(REAL, factor, 0, 3, MAY_BE_UNKNOWN),
	FIELD(REAL, demand_hour, 0, LOAD_MAX, MAY_BE_UNKNOWN),
	FIELD(REAL, season_hour, 0, LOAD_MAX, MAY_BE_UNKNOWN),
	FIELD(REAL, error, 0, 1, 0),
	FIELD(REAL, headroom, 1, 4, 0),
	FIELD(REAL, cap, 1, 4, 0),
	FIELD(REAL, weighed, 0, LOAD_MAX, 0),
	FIELD(REAL, minute_sum, 0, LOAD_MAX, 0),
	FIELD(REAL, bin_sum, 0, LOAD_MAX, 0),
	FIELD(SMALL, fresh, 0, LOAD_MAX, 0),
	FIELD(SMALL, minutes, 0, LOAD_MAX, MAY_BE_UNKNOWN),
	FIELD(SMALL, levels, 0, LOAD_MAX, MAY_BE_UNKNOWN),
	FIELD(SMALL, needs, 0, SIZING_MEMBERS_MAX, 0),
	FIELD(SMALL, forecasts, 0, LOAD_MAX, MAY_BE_UNKNOWN),
	FIELD(SMALL, ratios, 0, LOAD_MAX, 0),
	FIELD(SMALL, season, 0, LOAD_MAX, MAY_BE_UNKNOWN),
	FIELD(SMALL, starts, 0, 86400, 0),
	FIELD(WORD, tick, 0, UINT32_MAX, 0),
	FIELD(WORD, minute_ticks, 0, 6, 0),
	FIELD(WORD, minute_count, 0, 6, 0),
	FIELD(WORD, bin_count, 0, 1e6, 0),
	FIELD(WORD, bins_known, 0, SIZING_BINS, 0),
	FIELD(WORD, full_ticks, 0, 1000, 0),
	FIELD(WORD, event_ticks, 0, 1000, 0),
	FIELD(WORD, fresh_count, 0, SIZING_FRESH, 0),
	FIELD(WORD, start_count, 0, SIZING_STARTS, 0),
	FIELD(WORD, wanted, 0, SIZING_MEMBERS_MAX, 0),
	FIELD(WORD, borrowed, 0, 1, 0),
};

static const char prefix[] = "s1:";
static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
enum { BYTES = sizeof(struct sizing_state), CHECK = 16 };
_Static_assert((BYTES + 2) / 3 * 4 + CHECK + sizeof prefix + 1 < SIZING_TEXT, "the text of a state fits");

/* --- bytes ---------------------------------------------------------------------------------------------- */
static uint64_t read_bits(const uint8_t *at, size_t n)
{
	uint64_t v = 0;

	for (size_t i = n; i-- > 0;)
		v = v << 8 | at[i];
	return v;
}

static void swap_bits(const uint8_t *from, uint8_t *to, size_t n, bool pack)
{
	uint64_t v = 0;
	uint32_t half;

	if (pack) {
		if (n == 4) {
			memcpy(&half, from, 4);
			v = half;
		} else {
			memcpy(&v, from, 8);
		}
		for (size_t i = 0; i < n; i++)
			to[i] = (uint8_t)(v >> 8 * i);
		return;
	}
	v = read_bits(from, n);
	half = (uint32_t)v;
	memcpy(to, n == 4 ? (const void *)&half : (const void *)&v, n);
}

static size_t move_all(const uint8_t *from, uint8_t *to, bool pack)
{
	size_t used = 0;

	for (size_t f = 0; f < COUNT_OF(fields); f++)
		for (size_t at = 0; at < fields[f].size; at += width[fields[f].kind], used += width[fields[f].kind])
			swap_bits(from + (pack ? fields[f].offset + at : used), to + (pack ? used : fields[f].offset + at), width[fields[f].kind], pack);
	return used;
}

static double number(enum kind kind, const uint8_t *at)
{
	uint32_t word;
	int64_t time;
	double real;
	float small;

	switch (kind) {
	case WORD:
		memcpy(&word, at, sizeof word);
		return word;
	case TIME:
		memcpy(&time, at, sizeof time);
		return (double)time;
	case REAL:
		memcpy(&real, at, sizeof real);
		return real;
	case SMALL:
		memcpy(&small, at, sizeof small);
		return (double)small;
	}
	return NAN;
}

static bool sound(const struct sizing_state *s)
{
	for (size_t f = 0; f < COUNT_OF(fields); f++)
		for (size_t at = 0; at < fields[f].size; at += width[fields[f].kind]) {
			double v = number(fields[f].kind, (const uint8_t *)s + fields[f].offset + at);
			if (isnan(v) ? !(fields[f].flags & MAY_BE_UNKNOWN) : v < fields[f].low || v > fields[f].high)
				return false;
		}
	return s->minute_count <= s->minute_ticks && isnan(s->demand_hour) == isnan(s->season_hour);
}

/* --- text ----------------------------------------------------------------------------------------------- */
static void to_digits(const uint8_t *bytes, size_t count, char *out)
{
	for (size_t i = 0; i < count; i += 3, out += 4) {
		uint32_t v = (uint32_t)bytes[i] << 16 | (i + 1 < count ? (uint32_t)bytes[i + 1] << 8 : 0) | (i + 2 < count ? bytes[i + 2] : 0);
		for (int d = 0; d < 4; d++)
			out[d] = digits[v >> (18 - 6 * d) & 63];
	}
	*out = '\0';
}

static int digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool from_digits(const char *text, uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i += 3, text += 4) {
		uint32_t v = 0;
		for (int d = 0; d < 4; d++) {
			int digit = digit_value(text[d]);
			if (digit < 0)
				return false;
			v = v << 6 | (uint32_t)digit;
		}
		for (size_t b = 0; b < 3; b++) {
			uint8_t byte = (uint8_t)(v >> (16 - 8 * b));
			if (i + b < count)
				bytes[i + b] = byte;
			else if (byte)
				return false;
		}
	}
	return true;
}

const char *sizing_state_to_text(const struct sizing_state *s, char out[SIZING_TEXT])
{
	uint8_t bytes[BYTES + 8];
	size_t count = move_all((const uint8_t *)s, bytes, true);

	text_format(out, SIZING_TEXT, "%s%016llx", prefix, (unsigned long long)text_hash(bytes, count));
	to_digits(bytes, count, out + strlen(out));
	return out;
}

static int refuse(struct sizing_state *out, struct error *e, const char *why)
{
	sizing_begin(out, 0);
	return error_set(e, ERR_CONFIG, "sizing state", "the service learns its load anew, within a day", "sizing state: %s", why);
}

int sizing_state_from_text(const char *text, struct sizing_state *out, struct error *e)
{
	size_t count = 0, head = sizeof prefix - 1 + CHECK;
	uint8_t bytes[BYTES + 8];
	char check[CHECK + 1];

	for (size_t f = 0; f < COUNT_OF(fields); f++)
		count += fields[f].size;
	if (strncmp(text, prefix, sizeof prefix - 1) != 0)
		return refuse(out, e, "it is of another version");
	if (strnlen(text, SIZING_TEXT) != head + (count + 2) / 3 * 4 || !from_digits(text + head, bytes, count))
		return refuse(out, e, "it is damaged");
	text_format(check, sizeof check, "%016llx", (unsigned long long)text_hash(bytes, count));
	if (strncmp(check, text + sizeof prefix - 1, CHECK) != 0)
		return refuse(out, e, "it is damaged");
	memset(out, 0, sizeof *out);
	move_all(bytes, (uint8_t *)out, false);
	return sound(out) ? 0 : refuse(out, e, "it has numbers that no step gives");
}
